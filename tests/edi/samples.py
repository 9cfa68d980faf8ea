"""What the tests of samples share: vanctl, a few sites of each mistake, and the rule that nothing goes untried."""

import json
import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.abspath(os.environ.get("VAN_SRCDIR") or os.path.join(HERE, "..", ".."))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "integration")]

import dictionary  # noqa: E402
import tap  # noqa: E402

VANCTL = os.path.join(os.path.abspath(os.environ.get("VAN_BUILDDIR") or "."), "vanctl")
FOLDER = os.path.join(TOP, "dict")
SITES = 4  # of each kind of mistake in a sample


def run(verb, text):
    """What `vanctl edi VERB…` prints about the text; invalid input is an answer too."""
    done = subprocess.run([VANCTL, "edi", *verb, "-"], input=text.encode("ascii"), stdout=subprocess.PIPE,
                          env=dict(os.environ, OPENVAN_DICT=FOLDER))
    return done.stdout.decode("ascii")


def validate(text, options=()):
    """The reports of its messages."""
    report = json.loads(run(["validate", "--json", *options], text))
    return [m for i in report["interchanges"] for g in i["groups"] for m in g["messages"]]


def spread(sites):
    """A few of them, from the first to the last."""
    return [sites[i * len(sites) // SITES] for i in range(SITES)] if len(sites) > SITES else sites


def label(kind):
    return kind.__name__.replace("_", " ")


def main(standard, versions, pattern, check_sample, kinds, and_then=None):
    """check_sample(t, path, dictionaries, used) for each file of the standard's folder; `pattern` tells the message of a file name
    ({version} in it); every message has a sample, every kind of mistake is made in two."""
    t = tap.Tap()
    if not os.path.exists(VANCTL):
        tap.skip_all("vanctl is not built")
    dictionaries = {v: dictionary.Dictionary(FOLDER, standard, v) for v in versions}
    used = {}
    files = sorted(os.listdir(os.path.join(HERE, standard)))
    for name in files:
        t.run(check_sample, t, os.path.join(HERE, standard, name), dictionaries, used)
    for version, d in dictionaries.items():
        found = [re.fullmatch(pattern.format(version=version), name) for name in files]
        t.equal(sorted(set(d.messages) - {m[1] for m in found if m}), [], f"{version}: there is a sample of each message")
    if and_then:
        t.run(and_then, t, dictionaries)
    for kind in kinds:
        t.ok(len(used.get(label(kind), ())) >= 2, f"made in two samples at least: {label(kind)}", sorted(used.get(label(kind), ())))
    return t.done()
