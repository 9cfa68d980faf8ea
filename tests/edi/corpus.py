"""What our dictionaries say of collected X12 files, message by message, against what a person found to be right: corpus-x12.txt.
The files are not ours to give away and lie beside the source tree ($VAN_CORPUS, else ../shared/corpus); without them all is skipped.
`corpus.py --write` prints the verdicts as they are now."""

import json
import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.abspath(os.environ.get("VAN_SRCDIR") or os.path.join(HERE, "..", ".."))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "integration")]

import tap  # noqa: E402

VANCTL = os.path.join(os.path.abspath(os.environ.get("VAN_BUILDDIR") or "."), "vanctl")
EXPECTED = os.path.join(HERE, "corpus-x12.txt")


def corpus():
    for path in (os.environ.get("VAN_CORPUS"), os.path.join(TOP, "..", "shared", "corpus"), os.path.join(TOP, "..", "..", "shared", "corpus")):
        if path and os.path.isdir(os.path.join(path, "edi", "x12")):
            return os.path.join(path, "edi", "x12")
    return None


def place(error):
    text = f"{error['list']}:{error['code']}@{error['segment']}"
    if error["element"]:
        text += f"{error['element']:02}"
    if error["component"]:
        text += f"-{error['component']:02}"
    return text


def verdict(message):
    """Type, version and what the dictionary found. Envelopes are other tests' matter."""
    if not message["known"]:
        return f"{message['type']} {message['version']} unknown"
    counts = {}
    for error in message["errors"]:
        if error["list"] in ("AK304", "AK403"):
            counts[place(error)] = counts.get(place(error), 0) + 1
    words = [name if n == 1 else f"{name}({n})" for name, n in counts.items()]
    return " ".join([message["type"], message["version"]] + (words or ["good"]))


def verdicts(path):
    """One line for each message, the same ones in a row as one."""
    done = subprocess.run([VANCTL, "edi", "validate", "--json", path], stdout=subprocess.PIPE,
                          env=dict(os.environ, OPENVAN_DICT=os.path.join(TOP, "dict")))
    report = json.loads(done.stdout)
    lines = []
    for message in [m for i in report["interchanges"] for g in i["groups"] for m in g["messages"]]:
        line = re.sub(r"[^ -~]", "?", verdict(message))
        if lines and lines[-1][0] == line:
            lines[-1][1] += 1
        else:
            lines.append([line, 1])
    return [line if n == 1 else f"{n} times {line}" for line, n in lines], done.returncode


def expectations():
    found, lines = {}, None
    with open(EXPECTED, encoding="ascii") as file:
        for line in file:
            line = line.rstrip("\n")
            if line and not line.startswith("#") and not line.startswith("  "):
                lines = found.setdefault(line, [])
            elif line.startswith("  ") and not line.strip().startswith("#"):
                lines.append(line.strip())
    return found


def main():
    folder = corpus()
    if not folder:
        tap.skip_all("the collected files are not there")
    if not os.path.exists(VANCTL):
        tap.skip_all("vanctl is not built")
    names = sorted(os.listdir(folder))
    if "--write" in sys.argv:
        for name in names:
            print("\n  ".join([name] + verdicts(os.path.join(folder, name))[0]))
        return 0
    t = tap.Tap()
    expected = expectations()
    t.equal([n for n in names if n not in expected], [], "each file has an expectation")
    for name in names:
        got, status = verdicts(os.path.join(folder, name))
        t.ok(status in (0, 1), f"{name}: exit status", status)
        t.equal("\n".join(got), "\n".join(expected.get(name, [])), name)
    return t.done()


if __name__ == "__main__":
    sys.exit(main())
