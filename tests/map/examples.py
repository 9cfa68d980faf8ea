#!/usr/bin/python3
"""Every example of doc/map-expressions.md gives the result that stands beside it."""

import json
import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.abspath(os.environ.get("VAN_SRCDIR") or os.path.join(HERE, "..", ".."))
sys.path[:0] = [os.path.join(HERE, "..", "integration")]

import tap  # noqa: E402

EVALUATE = os.path.join(os.path.abspath(os.environ.get("VAN_BUILDDIR") or "."), "tests", "map", "evaluate")
ROW = re.compile(r"^\| .*?\| (?:`([^`]+)`|``(.+?) ?``) \| `(.*)` \|$")
TABLE = {"unit": {"EA": "C62"}, "pack": {"A-100 CA": "4 BX", "A-100 BX": "10 EA", "PF": "40 CA"},
         "unit-factor": {"EA": "1 C62", "DZN": "12 C62", "LBR": "0.45359237 KGM", "ONZ": "0.028349523125 KGM"}}

t = tap.Tap()


def examples(text):
    """(expression, result) of every table row; rows of examples end in two cells of code."""
    found = []
    for line in text.splitlines():
        m = ROW.match(line)
        if m:
            found.append((m.group(1) or m.group(2), m.group(3)))
    return found


def main():
    with open(os.path.join(TOP, "doc", "map-expressions.md"), encoding="utf-8") as f:
        text = f.read()
    document = json.loads(re.search(r"```json\n(.*?)```", text, re.S).group(1), parse_float=Digits)
    rows = examples(text)
    t.equal(len([line for line in text.splitlines() if line.startswith("|") and line.count("`") >= 4]), len(rows), "no row of a table was passed over")
    given = "".join(json.dumps({"expression": e, "document": document, "table": TABLE}, ensure_ascii=False) + "\n" for e, _ in rows)
    # digits stay as they are written
    given = re.sub(r'"\x00([0-9.]+)"', r"\1", given.replace("\\u0000", "\x00"))
    done = subprocess.run([EVALUATE], input=given.encode(), stdout=subprocess.PIPE, check=True)
    for (expression, result), line in zip(rows, done.stdout.decode().splitlines()):
        t.equal(line, result, expression)
    functions = set(re.findall(r"^\| `\$(\w+)\(", text, re.M))
    with open(os.path.join(TOP, "doc", "map-expressions.md"), encoding="utf-8") as f:
        named = set(re.findall(r"`\$(\w+)\(", f.read()))
    t.equal(named - functions, set(), "each function that is named has its row")
    t.equal(builtins() - functions, set(), "each function that there is has its row")
    return t.done()


class Digits(str):
    """A number that keeps its digits through json.dumps."""

    def __new__(cls, text):
        return super().__new__(cls, "\x00" + text)


def builtins():
    found = set()
    for name in ("number", "text", "array", "own", "trade"):
        with open(os.path.join(TOP, "src", "map", f"expression_{name}.c"), encoding="utf-8") as f:
            found |= set(re.findall(r'\{\.name = "(\w+)"', f.read()))
    return found


if __name__ == "__main__":
    sys.exit(main())
