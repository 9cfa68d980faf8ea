#!/usr/bin/python3
"""Generated expressions give what npm's jsonata makes of them. Skipped where there is no Node, or npm reaches no registry.

    oracle.py [--seed N] [--count N]      the seed is printed
"""

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "integration")]

import expressions  # noqa: E402
import tap  # noqa: E402

PACKAGE = "jsonata@2.2.2"
EVALUATE = os.path.join(os.path.abspath(os.environ.get("VAN_BUILDDIR") or "."), "tests", "map", "evaluate")

t = tap.Tap()


def install(folder):
    """jsonata; False where that can't be had."""
    if not shutil.which("node") or not shutil.which("npm"):
        return False
    with open(os.path.join(folder, "package.json"), "w") as f:
        f.write('{"name": "oracle", "private": true}')
    try:
        done = subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--prefer-offline", PACKAGE], cwd=folder, timeout=120,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


def lines(argv, folder, text):
    done = subprocess.run(argv, cwd=folder, input=text.encode(), stdout=subprocess.PIPE, check=True, timeout=600)
    return done.stdout.decode().splitlines()


def rounded(value):
    """Doubles have 15 digits to trust."""
    if isinstance(value, list):
        return [rounded(v) for v in value]
    if isinstance(value, dict):
        return {k: rounded(v) for k, v in value.items()}
    return float(f"{value:.14e}") if isinstance(value, (int, float)) and not isinstance(value, bool) else value


def same(ours, theirs):
    if ours.startswith("error") or theirs.startswith("error") or "nothing" in (ours, theirs):
        return ours.split(":")[0] == theirs.split(":")[0]
    return rounded(json.loads(ours)) == rounded(json.loads(theirs))


def compare(cases, folder):
    text = "".join(json.dumps(c) + "\n" for c in cases)
    ours, theirs = lines([EVALUATE], folder, text), lines(["node", os.path.join(HERE, "oracle.js")], folder, text)
    t.equal((len(ours), len(theirs)), (len(cases), len(cases)), "each expression has one answer of each")
    different, errors, nothing = [], 0, 0
    for case, o, j in zip(cases, ours, theirs):
        errors += j.startswith("error")
        nothing += j == "nothing"
        if not same(o, j):
            different.append(f"{case['expression']}\n  over {json.dumps(case['document'])}\n  ours    {o}\n  jsonata {j}")
    t.diag(f"{len(cases)} expressions, {len(cases) - errors - nothing} with a value, {nothing} with nothing, {errors} with an error")
    t.ok(not different, f"{len(cases)} generated expressions: every result is jsonata's", "\n".join([f"{len(different)} differ"] + different[:10]))
    t.ok(len(cases) - errors - nothing > len(cases) // 2, "most of them have a value")


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 31))
    options.add_argument("--count", type=int, default=1000)
    options = options.parse_args()
    t.diag(f"seed {options.seed}")
    if not os.path.exists(EVALUATE):
        subprocess.run(["make", "-s", "tests/map/evaluate"], cwd=os.path.abspath(os.environ.get("VAN_BUILDDIR") or "."), check=True,
                       stdout=subprocess.DEVNULL)
    chance = random.Random(options.seed)
    maker = expressions.Maker(chance)
    cases = [{"expression": maker.expression(), "document": maker.document()} for _ in range(options.count)]
    with tempfile.TemporaryDirectory() as folder:
        if not install(folder):
            t.skip("jsonata as an oracle", "no Node, or npm reaches no registry")
        else:
            compare(cases, folder)
    return t.done()


if __name__ == "__main__":
    sys.exit(main())
