#!/usr/bin/python3
"""A file of 10 GiB: uploaded, broken off in the middle and resumed, passed on to another partner, fetched in two sessions, compared by its hash;
and the memory of all roles meanwhile.

    large.py [GIB]
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import threading
import time

import demo
import tap

t = tap.Tap()
GIB = 1 << 30
MIB = 1 << 20
GROWTH = 192 * MIB  # of all roles together


class Memory(threading.Thread):
    """The most that all processes of vand take at one time: what is shared is divided among those who share it."""

    def __init__(self, n):
        super().__init__(daemon=True)
        self.n, self.first, self.most, self.over = n, self.now(n), 0, threading.Event()

    @staticmethod
    def now(n):
        total = 0
        for pid in (n.vand.pid, *n.tree()):
            try:
                with open(f"/proc/{pid}/smaps_rollup") as f:
                    total += int(re.search(r"^Pss_Anon:\s+(\d+)", f.read(), re.M)[1]) * 1024
            except OSError:
                pass
        return total

    def run(self):
        while not self.over.wait(0.5):
            self.most = max(self.most, self.now(self.n))

    def end(self):
        self.over.set()
        self.join()
        return self.most - self.first


def make(path, size):
    """Mostly holes, so that it takes no room here; each MiB begins with bytes of its own. Returns its SHA-256."""
    h = hashlib.sha256()
    zeros = bytes(MIB)
    with open(path, "wb") as f:
        for at in range(0, size, MIB):
            mark = b"%020d" % at + os.urandom(4076)
            f.seek(at)
            f.write(mark)
            h.update(mark)
            h.update(memoryview(zeros)[len(mark):min(MIB, size - at)])
        f.truncate(size)
    return h.hexdigest()


def session_pids(n):
    out = demo.run(["ps", "-o", "pid=", "--ppid", ",".join(map(str, n.role_pids("sftp")))], check=False).stdout
    return [int(p) for p in out.split()]


def written(n):
    """Bytes that the SFTP sessions have written to disk."""
    most = 0
    for pid in session_pids(n):
        try:
            most = max(most, int(re.search(r"^wchar: (\d+)", demo.read(f"/proc/{pid}/io").decode(), re.M)[1]))
        except (OSError, TypeError):
            pass
    return most


def put_and_vanish(n, local, name, size):
    """OpenSSH's client, killed when that much has come."""
    client = subprocess.Popen(["sftp", "-q", "-b", "-", *n.sftp_options("beta"), "beta@127.0.0.1"], stdin=subprocess.PIPE,
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    client.stdin.write(f"put {local} {name}\n".encode())
    client.stdin.close()
    while client.poll() is None and written(n) < size:
        time.sleep(0.05)
    client.kill()
    client.wait()
    n.wait_sessions_over()


def length(n, name):
    for line in n.sftp("beta", f"ls -l {name}").stdout.decode().splitlines():
        if line.startswith("-"):
            return int(line.split()[4])
    return 0


def fetch(n, name, at, most, h):
    """curl fetches from there on, at most so much. Returns how much it was; 0 when there is no more."""
    source = subprocess.Popen(["curl", "-sS", "--insecure", "--key", n.keys["alpha"][0], "--pubkey", n.keys["alpha"][0] + ".pub", "-C", str(at),
                               f"sftp://alpha@127.0.0.1:{n.ports['sftp']}/out/{name}"], stdout=subprocess.PIPE)
    got = 0
    while got < most:
        piece = source.stdout.read(min(MIB, most - got))
        if not piece:
            break
        h.update(piece)
        got += len(piece)
    source.stdout.close()
    source.kill()
    source.wait()
    n.wait_sessions_over()
    return got


def route(n):
    path = os.path.join(n.root, "profiles.yaml")
    text = demo.read(path).decode()
    with open(path, "w") as f:
        f.write(text.replace("    user: beta\n", '    user: beta\n    documents:\n      - {files: ["*.bin"], format: any, type: dump, to: "x12 ZZ:ALPHA"}\n', 1))


def large_file(n, size):
    local = os.path.join(n.root, "large.bin")
    sha256 = make(local, size)
    memory = Memory(n)
    memory.start()
    start = time.monotonic()
    put_and_vanish(n, local, "/in/large.bin", size // 2)
    there = length(n, "/in/large.bin")
    t.ok(size // 4 < there < size, f"{there / GIB:.1f} of {size / GIB:g} GiB have come when the connection breaks, and are kept", there)
    client = subprocess.Popen(["sftp", "-q", "-b", "-", *n.sftp_options("beta"), "beta@127.0.0.1"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
    client.stdin.write(f"reput {local} /in/large.bin\n".encode())
    client.stdin.close()
    anew = 0
    while client.poll() is None:
        anew = max(anew, written(n))
        time.sleep(0.05)
    t.ok(anew < size - there + 64 * MIB, "resumed, it goes on where it ended, and copies nothing", (anew, there))
    t.equal(client.wait(), 0, "the rest of it is taken")
    t.diag(f"up in {time.monotonic() - start:.0f} s")
    found = [m for m in n.messages("--direction", "in") if m["file_name"] == "large.bin"]
    t.equal([(m["bytes"], m["sha256"]) for m in found], [(size, sha256)], "one message, of that length and hash")
    os.unlink(local)
    name = demo.wait_for("the other partner's mailbox", lambda: n.sftp_list("alpha"))[0]
    start = time.monotonic()
    h = hashlib.sha256()
    first = fetch(n, name, 0, size // 3, h)
    second = fetch(n, name, first, size, h)
    t.diag(f"down in {time.monotonic() - start:.0f} s")
    t.equal((first + second, h.hexdigest()), (size, sha256), "fetched in two sessions, it is what was sent")
    demo.wait_for("the download to be noted", lambda: [m["delivery"] for m in n.messages("--direction", "out")] == ["collected"])
    grown = memory.end()
    t.ok(grown < GROWTH, f"all roles together grew by {grown / MIB:.0f} MiB at most", grown)


def main():
    if not demo.available():
        tap.skip_all("vand is not built")
    if b"sftp" not in demo.run(["curl", "--version"]).stdout:
        tap.skip_all("curl has no SFTP")
    size = int(float(sys.argv[1]) * GIB) if len(sys.argv) > 1 else 10 * GIB
    with demo.Network() as n:
        n.create()
        free = shutil.disk_usage(n.root).free
        if free < size + 3 * GIB:
            tap.skip_all(f"{free / GIB:.0f} GiB are free in {n.root}, and {size / GIB + 3:.0f} are wanted (TMPDIR names another place)")
        route(n)
        n.start()
        n.apply_profiles()
        n.run_groups(t, (large_file,), size)
        n.check_sound(t)
    return t.done()


if __name__ == "__main__":
    sys.exit(main())
