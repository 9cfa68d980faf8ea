"""vanctl edi validate --json over each collected file: exit status 0 or 1 as the verdicts are, valid JSON, less than a second of
processor time. Without the files ($VAN_CORPUS, else ../shared/corpus) all is skipped."""

import json
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "integration")]

import corpus  # noqa: E402
import tap  # noqa: E402

LONGEST = 1.0  # seconds


def run(path):
    """(exit status, output, seconds of processor time)"""
    with tempfile.TemporaryFile() as out:
        process = subprocess.Popen([corpus.VANCTL, "edi", "validate", "--json", path], stdout=out, stderr=subprocess.DEVNULL,
                                   env=dict(os.environ, OPENVAN_DICT=os.path.join(corpus.TOP, "dict")))
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        return process.returncode, out.read(), usage.ru_utime + usage.ru_stime


def trouble(path):
    status, output, seconds = run(path)
    if status not in (0, 1):
        return f"exit status {status}"
    try:
        report = json.loads(output)
    except ValueError as error:
        return f"not JSON: {error}"
    if report["bytes"] != os.path.getsize(path):
        return "not all of it was read"
    bad = not report["interchanges"] or report["errors"] or any(i["status"] != "accepted" for i in report["interchanges"])
    if status != bool(bad):
        return f"exit status {status} does not fit the verdicts"
    return f"{seconds:.2f} s" if seconds >= LONGEST else None


def main():
    folder = corpus.corpus()
    if not folder:
        tap.skip_all("the collected files are not there")
    t = tap.Tap()
    for kind in ("x12", "edifact"):
        beside = os.path.join(folder, "..", kind)
        for name in sorted(os.listdir(beside)):
            found = trouble(os.path.join(beside, name))
            t.ok(not found, f"{kind}/{name}" + (f": {found}" if found else ""))
    return t.done()


if __name__ == "__main__":
    sys.exit(main())
