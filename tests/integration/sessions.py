#!/usr/bin/python3
"""Five hundred SFTP sessions at once: memory, and what one that misbehaves changes for the others (nothing).

    sessions.py [COUNT]
"""

import concurrent.futures
import logging
import os
import re
import struct
import subprocess
import sys
import time

import demo
import tap

try:
    import paramiko
except ImportError:
    tap.skip_all("no paramiko")

logging.getLogger("paramiko").addHandler(logging.NullHandler())
logging.getLogger("paramiko").propagate = False
t = tap.Tap()
GIB = 1 << 30


def log_in(n, key):
    for _ in range(5):
        transport = demo.sftp_transport(("127.0.0.1", n.ports["sftp"]))
        try:
            transport.connect(username="beta", pkey=key)
            sftp = paramiko.SFTPClient.from_transport(transport)
            sftp.get_channel().settimeout(demo.PATIENCE)
            return transport, sftp
        except (paramiko.SSHException, EOFError, OSError):
            transport.close()
    raise RuntimeError("no log-in in five tries")


def memory(pids):
    """Bytes that these processes take together: shared pages are divided among those who share them."""
    total = 0
    for pid in pids:
        try:
            with open(f"/proc/{pid}/smaps_rollup") as f:
                total += int(re.search(r"^Pss:\s+(\d+)", f.read(), re.M).group(1)) * 1024
        except OSError:
            pass
    return total


def session_pids(n):
    listener = n.role_pids("sftp")
    out = subprocess.run(["ps", "-o", "pid=", "--ppid", ",".join(map(str, listener))], stdout=subprocess.PIPE, text=True).stdout
    return [int(p) for p in out.split()]


def answers(session):
    try:
        session[1].stat("/in")
        return True
    except (OSError, EOFError, paramiko.SSHException):
        return False


def flood(session):
    """Asks for very much and reads nothing of it."""
    channel = session[1].get_channel()
    channel.settimeout(1)
    request = struct.pack(">IBI", 5 + 4 + 1, 11, 7) + struct.pack(">I", 1) + b"/"  # OPENDIR
    try:
        for _ in range(20000):
            channel.sendall(request * 50)
    except (OSError, EOFError):
        pass


def main():
    if not demo.available():
        tap.skip_all("vand is not built")
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 500
    with demo.Network() as n:
        n.create()
        with open(n.config) as f:
            text = f.read()
        limits = f"limits: {{sftp_sessions: {count + 50}, connections_per_address: {count + 50}}}\n"
        text = re.sub(r"(?m)^limits:.*\n", "", text) + limits
        with open(n.config, "w") as f:
            f.write(text)
        n.start()
        n.apply_profiles()
        key = paramiko.Ed25519Key.from_private_key_file(n.keys["beta"][0])
        start = time.monotonic()
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            sessions = list(pool.map(lambda _: log_in(n, key), range(count)))
        t.ok(len(sessions) == count, f"{count} sessions are logged in at once, after {time.monotonic() - start:.1f} s")
        pids = session_pids(n)
        all_of_vand = memory([n.vand.pid, *n.tree(), *pids])
        each = memory(pids) / max(1, len(pids))
        t.diag(f"a session takes {each / 1024:.0f} KiB; all of vand {all_of_vand / GIB:.2f} GiB")
        t.ok(len(pids) == count and all_of_vand < 24 * GIB, "within 24 GiB", (len(pids), all_of_vand))
        t.equal(len(n.json("session", "list")), count, "vanctl session list shows them")
        t.equal(sum(answers(s) for s in sessions), count, "every one answers")
        # one floods, one sends what is no SFTP, one dies
        flood(sessions[0])
        sessions[1][1].get_channel().sendall(struct.pack(">IB", 256 << 20, 6) + b"x" * 1000)
        os.kill(pids[-1], 9)
        demo.wait_for("its end", lambda: pids[-1] not in session_pids(n))
        good = sum(answers(s) for s in sessions[2:])
        t.ok(good >= count - 3, f"after one flooded, one broke the protocol and one was killed, the others answer: {good} of {count - 3}")
        n.sftp_put("alpha", b"hello", "/in/late.tmp")
        t.ok("late.tmp" in n.sftp_list("alpha", "/in"), "another partner works as ever")
        for transport, _ in sessions:
            transport.close()
        demo.wait_for("the end of all sessions", lambda: not session_pids(n), pause=0.5)
        n.check_sound(t, killed_sessions=1)
        n.tell(t)
    return t.done()


if __name__ == "__main__":
    sys.exit(main())
