"""TAP for test programs: numbered results, diagnostics and a plan at the end."""

import sys
import time
import traceback


class Tap:
    def __init__(self, stream=None):
        self.stream = stream or sys.stdout
        self.count = 0
        self.failed = 0
        self.skipped = 0

    def _line(self, text):
        print(text, file=self.stream, flush=True)

    def diag(self, text):
        for line in str(text).splitlines() or [""]:
            self._line("# " + line)

    def ok(self, condition, name, why=""):
        """One result; `why` is shown when it is not ok. Returns the condition."""
        self.count += 1
        name = name.replace("#", "no. ").replace("\n", " ")
        if condition:
            self._line(f"ok {self.count} - {name}")
        else:
            self.failed += 1
            self._line(f"not ok {self.count} - {name}")
            if why != "":
                self.diag(why if isinstance(why, str) else repr(why))
        return bool(condition)

    def equal(self, got, expected, name):
        return self.ok(got == expected, name, f"got      {short(got)}\nexpected {short(expected)}")

    def skip(self, name, why):
        self.count += 1
        self.skipped += 1
        self._line(f"ok {self.count} - {name} # SKIP {why}")

    def run(self, function, *args):
        """Runs one group of checks; an exception is one failed result, and the rest of the program goes on."""
        name = function.__name__.replace("_", " ")
        start = time.monotonic()
        try:
            function(*args)
        except Skip as skip:
            self.skip(name, str(skip))
        except Exception as error:
            self.ok(False, name, "".join(traceback.format_exception(error)))
        self.diag(f"{name}: {time.monotonic() - start:.1f} s")

    def done(self):
        self._line(f"1..{self.count}")
        return 1 if self.failed else 0


class Skip(Exception):
    """Raised by a group of checks that can't run here."""


def short(value, limit=600):
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= limit else text[:limit] + f"… ({len(text)} characters)"


def skip_all(why):
    print(f"1..0 # SKIP {why}", flush=True)
    sys.exit(0)
