"""What we say of collected EDIFACT files, envelopes and messages, against what a person found to be right: corpus-edifact.txt. And
what we answer to each: a CONTRL that our own dictionaries find no fault with, or nothing where nothing is owed.
`corpus_edifact.py --write` prints the verdicts as they are now. See corpus.py for where the files are."""

import json
import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "integration")]

import corpus  # noqa: E402
import tap  # noqa: E402

corpus.EXPECTED = os.path.join(HERE, "corpus-edifact.txt")


def vanctl(verb, path, text=None):
    return subprocess.run([corpus.VANCTL, "edi"] + verb + [path], input=text, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                          env=dict(os.environ, OPENVAN_DICT=os.path.join(corpus.TOP, "dict")))


def errors(entry):
    """Code, segment and, in a message, its position; element and component."""
    counts = {}
    for error in entry["errors"]:
        text = f"{error['code']}@{error['segment']}" + (f"/{error['position']}" if error["position"] else "")
        if error["element"]:
            text += f".{error['element']}" + (f".{error['component']}" if error["component"] else "")
        counts[text] = counts.get(text, 0) + 1
    return [name if n == 1 else f"{name}({n})" for name, n in counts.items()]


def verdicts(path):
    done = vanctl(["validate", "--json"], path)
    report = json.loads(done.stdout)
    lines = [] if report["interchanges"] else ["no interchange"]
    for interchange in report["interchanges"]:
        lines.append(" ".join([interchange["version"], interchange["status"]] + errors(interchange)))
        for group in interchange["groups"]:
            if group["code"] is not None:
                lines.append(" ".join(["group", group["code"] or "", group["status"]] + errors(group)))
            for message in group["messages"]:
                name = [message["type"] or "-", message["version"]] + ([] if message["known"] else ["unknown"])
                lines.append(" ".join(name + [message["status"]] + errors(message)))
    return [re.sub(r"[^ -~]", "?", line) for line in lines], done.returncode


def check_answer(t, name, path):
    answer = vanctl(["ack"], path).stdout
    if not answer:
        return
    done = vanctl(["validate", "--json"], "-", answer)
    report = json.loads(done.stdout)
    found = [e for i in report["interchanges"] for g in i["groups"] for m in g["messages"] for e in i["errors"] + m["errors"]]
    known = all(m["known"] for i in report["interchanges"] for g in i["groups"] for m in g["messages"])
    t.ok(done.returncode == 0 and not found and known, f"{name}: the answer is valid", f"{answer}\n{found}")


def main():
    folder = corpus.corpus()
    folder = folder and os.path.join(os.path.dirname(folder), "edifact")
    if not folder or not os.path.isdir(folder):
        tap.skip_all("the collected files are not there")
    if not os.path.exists(corpus.VANCTL):
        tap.skip_all("vanctl is not built")
    names = sorted(os.listdir(folder))
    if "--write" in sys.argv:
        for name in names:
            print("\n  ".join([name] + verdicts(os.path.join(folder, name))[0]))
        return 0
    t = tap.Tap()
    expected = corpus.expectations()
    t.equal([n for n in names if n not in expected], [], "each file has an expectation")
    for name in names:
        path = os.path.join(folder, name)
        got, status = verdicts(path)
        t.ok(status in (0, 1), f"{name}: exit status", status)
        t.equal("\n".join(got), "\n".join(expected.get(name, [])), name)
        check_answer(t, name, path)
    return t.done()


if __name__ == "__main__":
    sys.exit(main())
