#!/usr/bin/python3
"""Full disk, no descriptors, too much in flight: 503 with Retry-After, nothing accepted, and service goes on after."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "integration"))

import demo  # noqa: E402
import tap  # noqa: E402
import x12  # noqa: E402

t = tap.Tap()
control = 0


def order(size=6000, receiver=demo.ALPHA):
    global control
    control += 1
    return x12.order_850(demo.BUYER, receiver, control, f"R{control:07d}", pad_to=size)


def listed(n, message_id):
    return [m for m in n.messages("--direction", "in") if (m["as2_message_id"] or "").strip("<>") == message_id.strip("<>")]


def refused(n, name, body, message_id, also=(503,)):
    """A post that must be refused for now."""
    response = n.post(body, message_id)
    t.ok(response.status in also, f"{name}: refused with 503", response)
    if response.status == 503:
        t.ok(response.headers.get("retry-after", "").isdigit(), f"{name}: Retry-After says when to try again", response)
    return response


def accepted_now(n, name, body, message_id, mic):
    """The same message again, now that there is room."""
    deadline = time.monotonic() + demo.PATIENCE
    while True:
        response = n.post(body, message_id)
        mdn = n.check_mdn(response)
        if (mdn and mdn.outcome == "processed") or time.monotonic() > deadline:
            break
        time.sleep(0.3)
    t.ok(mdn and mdn.verified and mdn.outcome == "processed" and mdn.mic == mic, f"{name}: accepted when there is room",
         f"{response}\n{mdn}")
    t.equal(len(listed(n, message_id)), 1, f"{name}: listed once")


# --- full disk --------------------------------------------------------------------------------------------------------


class SmallDisk:
    """A data folder on a file system of its own."""

    def __init__(self, n, size):
        self.data = os.path.join(n.dir, "data")
        self.filler = os.path.join(self.data, "filler")
        st = os.stat(self.data)
        moved = self.data + ".moved"
        os.rename(self.data, moved)
        os.mkdir(self.data)
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", self.data], stderr=subprocess.PIPE)
        if done.returncode != 0:
            os.rmdir(self.data)
            os.rename(moved, self.data)
            raise tap.Skip("can't mount a tmpfs: " + done.stderr.decode().strip())
        subprocess.run(["cp", "-a", moved + "/.", self.data + "/"], check=True)
        os.chown(self.data, st.st_uid, st.st_gid)
        os.chmod(self.data, st.st_mode & 0o7777)

    def free(self):
        st = os.statvfs(self.data)
        return st.f_bavail * st.f_frsize

    def fill(self, leave):
        fd = os.open(self.filler, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            os.posix_fallocate(fd, 0, max(4096, self.free() - leave))
            while not leave:
                os.write(fd, b"\0" * 4096)
        except OSError:
            pass  # full
        finally:
            os.close(fd)

    def empty(self):
        os.unlink(self.filler)

    def unmount(self):
        subprocess.run(["umount", "-l", self.data], check=False)


def full_disk():
    if os.geteuid() != 0:
        raise tap.Skip("needs root to mount a small disk")
    with demo.Network(config={"limits": "{disk_reserve: 24MiB}"}) as n:
        n.create()
        disk = SmallDisk(n, "128m")
        try:
            n.start()
            n.apply_profiles()
            below_reserve(n, disk)
            n.stop()
            n.set_config("limits", "{disk_reserve: 4KiB}")
            n.start()
            no_space_at_all(n, disk)
            database_runs_out(n, disk)
        finally:
            n.kill()
            disk.unmount()


def start_on_a_full_disk():
    """After a crash the start repeats what only the log has, which takes room. Without it nothing is lost: vand says what to do, and
    goes on when it is done."""
    if os.geteuid() != 0:
        raise tap.Skip("needs root to mount a small disk")
    with demo.Network(config={"limits": "{disk_reserve: 4KiB}", "store": "{settle: 60s, settle_bytes: 1GiB}"}) as n:
        n.create()
        disk = SmallDisk(n, "128m")
        try:
            n.start()
            n.apply_profiles()
            sent = []
            for _ in range(40):
                _, mdn, _, message_id = n.send(order())
                sent.append((message_id, mdn and mdn.outcome))
            n.kill()
            disk.fill(0)
            logged = len(n.log())
            try:
                n.start(timeout=5)
                t.ok(False, "full disk: this start had nothing to repeat")
            except TimeoutError:
                pass
            said = [line for line in n.log()[logged:].splitlines() if "store-start-failed" in line]
            t.ok(said and all("no space" in line and "free space on the data folder" in line and "nothing is lost" in line for line in said),
                 "start on a full disk after a crash: the log says what to do", said[:3])
            disk.empty()
            n.start()
            t.equal(len([m for m, outcome in sent if outcome == "processed"]), 40, "all had their MDNs")
            t.equal([m for m, _ in sent if len(listed(n, m)) != 1], [], "and each is there once when there is room")
        finally:
            n.kill()
            disk.unmount()


def below_reserve(n, disk):
    body, mic = n.as2_body(order())
    message_id = n.message_id("disk")
    disk.fill(8 << 20)
    refused(n, "disk below its reserve", body, message_id)
    t.equal(listed(n, message_id), [], "disk below its reserve: nothing accepted")
    before = len(n.messages())
    put = n.sftp_put("beta", x12.ack_997(demo.BETA, demo.BUYER, 901, 1), "/in/full.edi", check=False)
    t.ok(put.returncode != 0, "disk below its reserve: an upload fails with a status", put)
    t.equal(len(n.messages()), before, "disk below its reserve: the upload is no message")
    t.ok(n.vanctl("status", check=False).returncode == 0, "disk below its reserve: status still answers")
    disk.empty()
    accepted_now(n, "disk below its reserve", body, message_id, mic)


def no_space_at_all(n, disk):
    body, mic = n.as2_body(order(60000))
    message_id = n.message_id("enospc")
    disk.fill(0)
    refused(n, "no space at all", body, message_id)
    t.equal(listed(n, message_id), [], "no space at all: nothing accepted")
    disk.empty()
    accepted_now(n, "no space at all", body, message_id, mic)


def database_runs_out(n, disk):
    """Room for some small messages: one of the next transactions finds the disk full."""
    posts = [(n.message_id("last"), *n.as2_body(order(1500))) for _ in range(30)]
    disk.fill(160 << 10)
    answers = {i: n.post(body, i) for i, body, _ in posts}
    counts = {s: sum(r.status == s for r in answers.values()) for s in {r.status for r in answers.values()}}
    t.diag(f"answers while the disk runs full: {counts}")
    t.ok(set(counts) == {200, 503}, "disk runs full: some are accepted, then 503", counts)
    disk.empty()
    wrong = [(i, r.status, len(listed(n, i))) for i, r in answers.items() if len(listed(n, i)) != (r.status == 200)]
    t.equal(wrong, [], "disk runs full: a 503 is no message, an MDN is one")
    for message_id, body, mic in posts:
        if answers[message_id].status != 200:
            accepted_now(n, "disk runs full", body, message_id, mic)
            break
    n.drain()


# --- no descriptors ---------------------------------------------------------------------------------------------------


def set_descriptors(pid, soft):
    """Sets a process's soft limit. As its own user, for that needs no privilege."""
    ids = {}
    with open(f"/proc/{pid}/status") as f:
        for line in f:
            if line.startswith(("Uid:", "Gid:")):
                ids[line[:3]] = int(line.split()[1])
    as_user = dict(user=ids["Uid"], group=ids["Gid"], extra_groups=[]) if os.geteuid() == 0 else {}
    done = subprocess.run(["prlimit", "--pid", str(pid), f"--nofile={soft}:"], stderr=subprocess.PIPE, **as_user)
    if done.returncode != 0:
        raise PermissionError(done.stderr.decode().strip())


def starve(pid, spare):
    """Leaves a process room for `spare` more descriptors; returns the soft limit it had."""
    with open(f"/proc/{pid}/limits") as f:
        had = next(line.split()[3] for line in f if line.startswith("Max open files"))
    numbers = {int(x) for x in os.listdir(f"/proc/{pid}/fd")}
    limit = next(i for i in range(len(numbers) + 1) if i not in numbers)
    for _ in range(spare):
        limit = next(i for i in range(limit + 1, limit + len(numbers) + 2) if i not in numbers)
    set_descriptors(pid, limit)
    return had


def no_descriptors():
    with demo.Network() as n:
        n.up()
        for role, spare in (("http", 1), ("worker", 0), ("store", 0)):
            name = f"no descriptors in {role}"
            body, mic = n.as2_body(order(60000))
            message_id = n.message_id("fds")
            had = {}
            try:
                for pid in n.role_pids(role):
                    had[pid] = starve(pid, spare)
            except (PermissionError, FileNotFoundError) as error:
                t.skip(name, str(error))
                continue
            holders = [socket.create_connection(("127.0.0.1", n.ports["as2"])) for _ in range(3)] if role == "http" else []
            response = n.post(body, message_id, timeout=8)  # whatever comes of it until then
            t.ok(response.status in (0, 200, 503), f"{name}: 503 or no connection (or none was needed)", response)
            for pid, old in had.items():
                try:
                    set_descriptors(pid, old)
                except (PermissionError, FileNotFoundError):
                    pass
            for s in holders:
                s.close()
            t.ok(response.status == 0 or len(listed(n, message_id)) == (response.status == 200), f"{name}: nothing accepted by halves")
            t.diag(f"{name}: {response.status or 'no connection'}")
            accepted_now(n, name, body, message_id, mic)


# --- too much in flight -----------------------------------------------------------------------------------------------


def too_many_in_flight():
    with demo.Network(config={"limits": "{in_flight_messages: 4, message: 4MiB, in_flight: 64MiB}"}) as n:
        n.up()
        posts = [(n.message_id("flight"), *n.as2_body(order())) for _ in range(10)]
        workers = n.role_pids("worker")
        answers = {}
        threads = [threading.Thread(target=lambda p=p: answers.__setitem__(p[0], n.post(p[1], p[0]))) for p in posts]
        for pid in workers:
            os.kill(pid, signal.SIGSTOP)
        try:
            for thread in threads:
                thread.start()
            demo.wait_for("those over the limit", lambda: len(answers) >= 6)
            early = dict(answers)
        finally:
            for pid in workers:
                try:
                    os.kill(pid, signal.SIGCONT)
                except ProcessLookupError:
                    pass
        for thread in threads:
            thread.join()
        t.ok(len(early) == 6 and all(r.status == 503 for r in early.values()), "in flight: what is over the limit gets 503 at once", early)
        t.ok(early and all(r.headers.get("retry-after") for r in early.values()), "in flight: with Retry-After", early)
        wrong = [(i, r.status, len(listed(n, i))) for i, r in answers.items() if len(listed(n, i)) != (r.status == 200)]
        t.equal(wrong, [], "in flight: a 503 is no message, an MDN is one")
        for message_id, body, mic in posts:
            if answers[message_id].status != 200:
                accepted_now(n, "in flight", body, message_id, mic)
                break
        n.drain()
        big, _ = n.as2_body(b"X" * (6 << 20))
        response = n.post(big, n.message_id("big"))
        t.ok(response.status == 413, "a message over limits.message gets 413", response)


if __name__ == "__main__":
    if not demo.available():
        tap.skip_all("vand is not built")
    t.run(full_disk)
    t.run(start_on_a_full_disk)
    t.run(no_descriptors)
    t.run(too_many_in_flight)
    sys.exit(t.done())
