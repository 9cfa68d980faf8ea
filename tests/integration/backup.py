#!/usr/bin/python3
"""vanctl backup under load, and a network that was restored from it: every document that was acknowledged before is there, once."""

import hashlib
import http.server
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "fault"))

import campaign  # noqa: E402
import demo  # noqa: E402
import tap  # noqa: E402
import x12  # noqa: E402

t = tap.Tap()
BATCH = 30


class Receiver(http.server.ThreadingHTTPServer):
    """Takes what deliver posts, and answers that it is out of order: a delivery that is tried again and again."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            self.server.seen.append(self.headers.get("Message-ID"))
            self.send_response(503)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    def __init__(self):
        super().__init__(("127.0.0.1", 0), self.Handler)
        self.seen = []
        threading.Thread(target=self.serve_forever, daemon=True).start()


def gamma(n, receiver):
    """A partner whom we send to over AS2."""
    certificate, _ = demo.make_certificate(n.peers, "gamma")
    path = os.path.join(n.root, "gamma.yaml")
    with open(path, "w") as f:
        f.write(f"""\
kind: partner
id: gamma
name: Gamma
identities: [{{standard: x12, id: "ZZ:GAMMA", connection: gamma-as2}}]
connections:
  - id: gamma-as2
    protocol: as2
    station: {n.station}
    as2_id: GAMMA
    presents: ["x12 ZZ:GAMMA"]
    receive: {{certificates: [{certificate}]}}
    send:
      url: http://127.0.0.1:{receiver.server_address[1]}/as2
      certificates: [{certificate}]
""")
    n.apply_profiles(path)


def backup(n, name, *options, check=True, **more):
    path = os.path.join(n.root, name)
    return path, n.vanctl("backup", *options, path, check=check, **more)


def said(done):
    return (done.stdout + done.stderr).decode("utf-8", "replace")


def nothing_left(path, name):
    t.ok(not os.path.exists(path) and not os.path.exists(path + ".part"), f"{name}: nothing is left that looks like a backup",
         [p for p in (path, path + ".part") if os.path.exists(p)])


def start_slow(n, name, rate=1):
    """A backup of so many MiB a second, under way with the store's part of it: (path, process)."""
    path = os.path.join(n.root, name)
    process = subprocess.Popen([demo.program("vanctl"), "-c", n.config, "backup", "--rate", str(rate), path], stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, env=n.environment)
    demo.wait_for("the copy", lambda: os.path.exists(path + ".part/data/segment") or os.path.exists(path + ".part/data/payload")
                  or process.poll() is not None)
    return path, process


# --- under load ---------------------------------------------------------------------------------------------------------


def backups_under_load(n, c, state):
    """Two while documents come in over AS2 and SFTP; what was acknowledged before the second began is `before`."""
    batches = list(c.batches(BATCH))
    c.post(batches[0])
    c.upload()
    c.wait()
    paths = []
    for i, batch in enumerate(batches[1:-1]):
        c.post(batch)
        c.upload()
        demo.wait_for("some to be under way", lambda: any(m.mdn for m in batch))
        before = ([m for m in c.messages if m.mdn], list(c.kept))
        path, done = backup(n, f"backup-{i}", "--rate", "4", check=False)
        meanwhile = sum(bool(m.mdn) for m in c.messages) - len(before[0])
        t.ok(done.returncode == 0 and meanwhile, f"backup {i} under load: made, while {meanwhile} documents were accepted", said(done))
        paths.append(path)
        c.upload()
        c.wait()
    c.post(batches[-1])
    c.wait()
    for thread in c.uploads:
        thread.join(demo.PATIENCE)
    t.equal(backup(n, "backup-0", check=False)[1].returncode, 1, "a folder that is not empty is refused")
    for path in paths:
        verified = n.vanctl("backup", "--verify", path, check=False)
        t.ok(verified.returncode == 0, "--verify: it is whole", said(verified))
        sums = subprocess.run(["sha256sum", "--check", "--quiet", "SHA256SUMS"], cwd=path, stderr=subprocess.STDOUT, stdout=subprocess.PIPE)
        t.ok(sums.returncode == 0, "sha256sum finds the same", sums.stdout.decode())
    state.update(path=paths[-1], before=before)
    restored_names = sorted(os.listdir(os.path.join(paths[-1], "data")))
    t.equal(restored_names, ["log-keys", "payload", "segment", "store"], "no spool, socket or lock is in it")
    modes = {oct(os.stat(os.path.join(top, name)).st_mode & 0o077) for top, _, names in os.walk(paths[-1] + "/keys") for name in names}
    t.equal((modes, oct(os.stat(paths[-1]).st_mode & 0o777)), ({"0o0"}, "0o700"), "keys are their owner's alone, and so is the folder")


def nobody_waits_for_the_copy_to_begin(n):
    """Between the snapshot and the first bytes of the database's copy the database must stand still, and senders must not."""
    n.stop()
    n.start(environment={"OPENVAN_FAULT": "store-before-copy:1:3000"})
    path = os.path.join(n.root, "late")
    process = subprocess.Popen([demo.program("vanctl"), "-c", n.config, "backup", path], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=n.environment)
    demo.wait_for("the copy", lambda: os.path.exists(path + ".part/data/store/data.mdb"))
    taken = 0
    while process.poll() is None and not os.path.getsize(path + ".part/data/store/data.mdb"):
        taken += n.sftp_put("buyer", b"no EDI", f"/in/while-{taken}.txt", check=False).returncode == 0
        if taken == 3:
            break
    t.ok(taken == 3 and process.poll() is None, "uploads are answered while a copy has not begun", taken)
    out, _ = process.communicate(timeout=demo.PATIENCE)
    t.equal(process.returncode, 0, "and the copy is none of a later state: " + out.decode().replace("\n", " ")[:200])
    t.equal(n.vanctl("backup", "--verify", path, check=False).returncode, 0, "and whole")


def receipts_tell(n, state):
    texts = [n.json("receipt", "show", str(r["index"]))["leaf"].get("text", "") for r in n.json("receipt", "list", "--limit", "200000")
             if r["event"] == "operator"]
    with open(os.path.join(state["path"], "backup.json"), "rb") as f:
        digest = hashlib.sha256(f.read()).hexdigest()
    t.equal(sum("began a backup" in x for x in texts), 2, "receipts: each backup's beginning")
    t.equal(sum(digest in x for x in texts), 1, "receipts: its end, with the hash of its backup.json")


# --- trouble ------------------------------------------------------------------------------------------------------------


def ends_of_others(n):
    """Whoever ends, the backup is none, and the next one is made."""
    path, process = start_slow(n, "killed-store")
    os.kill(n.role_pids("store")[0], signal.SIGKILL)
    out, _ = process.communicate(timeout=demo.PATIENCE)
    t.equal(process.returncode, 2, "kill -9 of the store: vanctl says so")
    t.ok(b"vand" in out and b"log" in out, "kill -9 of the store: with what to look at", out.decode())
    nothing_left(path, "kill -9 of the store")
    demo.wait_for("the store", lambda: n.vanctl("status", check=False).returncode == 0, pause=0.2)

    path, process = start_slow(n, "interrupted")
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=demo.PATIENCE)
    t.equal(process.returncode, 2, "Ctrl-C: vanctl ends")
    nothing_left(path, "Ctrl-C")

    path, process = start_slow(n, "killed-vanctl")
    process.kill()
    process.communicate()
    t.ok(not os.path.exists(path), "kill -9 of vanctl: there is no backup")
    again = backup(n, "killed-vanctl", check=False)[1]
    t.ok(again.returncode == 1 and b".part" in again.stderr, "kill -9 of vanctl: what it left is named", said(again))
    shutil.rmtree(path + ".part")

    path, process = start_slow(n, "stopped")
    started = time.monotonic()
    t.equal(n.stop(), 0, "SIGTERM to vand while a backup is made: it ends in order")
    t.ok(time.monotonic() - started < 15, "and doesn't wait for the backup", f"{time.monotonic() - started:.1f} s")
    process.communicate(timeout=demo.PATIENCE)
    t.equal(process.returncode, 2, "and vanctl says that there is none")
    nothing_left(path, "a stop")
    n.start()
    path, done = backup(n, "after", check=False)
    t.ok(done.returncode == 0 and n.vanctl("backup", "--verify", path, check=False).returncode == 0, "the next one is whole", said(done))


def removed_meanwhile(n):
    """A file that is removed while the copy is under way is in the copy, whose records refer to it."""
    n.sftp_put("beta", b"ISA" + b"x" * 3000000, "/in/unfinished.part")
    staged = demo.wait_for("the staged file", lambda: glob_payload(n))
    path, process = start_slow(n, "removed", rate=3)
    purged = n.vanctl("mailbox", "purge", "beta", "unfinished.part", "--folder", "uploads", check=False)
    t.ok(purged.returncode == 0, "a staged file is purged while it is copied", said(purged))
    out, _ = process.communicate(timeout=demo.PATIENCE)
    t.equal(process.returncode, 0, "the backup is made")
    gone = [p for p in staged if not os.path.exists(p)]
    t.ok(gone and all(os.path.exists(os.path.join(path, "data", os.path.relpath(p, n.dir + "/data"))) for p in gone), "with that file in it",
         (gone, out.decode()))
    t.equal(os.listdir(os.path.join(n.dir, "data", "payload", "pinned")), [], "and after it the file is gone")


def glob_payload(n):
    return [os.path.join(top, name) for top, _, names in os.walk(os.path.join(n.dir, "data", "payload")) for name in names if name.endswith(".payload")]


def folders_of_ones_own(n, own):
    """However deep; and what can't be taken is said, never left out."""
    deep = os.path.join(own, *"abcdefghijkl")
    os.makedirs(deep)
    with open(os.path.join(deep, "deep.yaml"), "w") as f:
        f.write("kind: partner\n")
    path, done = backup(n, "deep", check=False)
    t.ok(done.returncode == 0 and os.path.exists(path + "/config" + deep + "/deep.yaml"), "a folder of one's own is copied twelve levels deep", said(done))
    os.symlink("..", os.path.join(deep, "round"))
    path, done = backup(n, "round", check=False)
    t.ok(done.returncode == 2 and (deep + "/round").encode() in done.stderr and b"remove it" in done.stderr, "a link into a circle is named", said(done))
    nothing_left(path, "a circle")
    os.unlink(os.path.join(deep, "round"))
    os.symlink("nowhere", os.path.join(deep, "gone.yaml"))
    path, done = backup(n, "dangling", check=False)
    t.ok(done.returncode == 1 and (deep + "/gone.yaml").encode() in done.stderr, "and so is a link to nothing", said(done))
    os.unlink(os.path.join(deep, "gone.yaml"))
    deepest = os.path.join(own, *(["d"] * 70))
    os.makedirs(deepest)
    path, done = backup(n, "too-deep", check=False)
    t.ok(done.returncode == 2 and b"64 folders" in done.stderr, "what is too deep is an error, and no smaller backup", said(done))
    nothing_left(path, "too deep")
    shutil.rmtree(own)
    os.mkdir(own)


def full_target(n):
    if os.geteuid() != 0:
        raise tap.Skip("needs root to mount a small disk")
    disk = os.path.join(n.root, "small")
    os.mkdir(disk)
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", disk], stderr=subprocess.DEVNULL).returncode != 0:
        raise tap.Skip("can't mount a tmpfs")
    try:
        path, done = backup(n, "small/copy", check=False)
        t.ok(done.returncode == 2 and b"No space left" in done.stderr and b"free space" in done.stderr, "a full disk: vanctl says so", said(done))
        nothing_left(path, "a full disk")
        mounted = backup(n, "small", check=False)[1]
        t.ok(mounted.returncode == 1 and b"mounted" in mounted.stderr, "a folder where a disk is mounted: a folder in it is asked for", said(mounted))
    finally:
        subprocess.run(["umount", "-l", disk], check=False)
    done = backup(n, "none/copy", check=False)[1]
    t.ok(done.returncode == 2 and b"make that folder" in done.stderr, "no folder above: vanctl says so", said(done))


def damage_is_found(n, state):
    path = os.path.join(n.root, "damaged")
    shutil.copytree(state["path"], path)
    segment = os.path.join(path, "data", "segment", "0000000000.seg")
    with open(segment, "r+b") as f:
        f.seek(70000)
        byte = f.read(1)
        f.seek(70000)
        f.write(bytes([byte[0] ^ 1]))
    done = n.vanctl("backup", "--verify", path, check=False)
    t.ok(done.returncode == 1 and b"0000000000.seg" in done.stderr, "--verify names a file that was changed", said(done))
    done = n.vanctl("restore", path, os.path.join(n.root, "damaged-data"), check=False)
    t.equal(done.returncode, 1, "restore refuses it")
    nothing_left(os.path.join(n.root, "damaged-data"), "restore")
    os.unlink(segment)
    done = n.vanctl("backup", "--verify", path, check=False)
    t.ok(done.returncode == 1 and b"is missing" in done.stderr, "--verify names a file that is missing", said(done))
    os.unlink(os.path.join(path, "backup.json"))
    done = n.vanctl("backup", "--verify", path, check=False)
    t.ok(done.returncode == 1 and b"no complete backup" in done.stderr, "without backup.json it is none", said(done))
    missing = glob_payload(n)[0]
    os.rename(missing, missing + ".away")
    path, done = backup(n, "without-one", check=False)
    os.rename(missing + ".away", missing)
    t.ok(done.returncode == 1 and os.path.basename(missing).encode() in done.stderr, "a document that the data folder has lost is named", said(done))
    verified = n.vanctl("backup", "--verify", path, check=False)
    t.ok(verified.returncode == 0 and os.path.basename(missing).encode() in verified.stderr, "and all else is in the backup; --verify names it too",
         said(verified))
    restored = os.path.join(n.root, "without-one-data")
    done = n.vanctl("restore", path, restored, check=False)
    name = os.path.basename(missing)
    t.ok(done.returncode == 1 and name.encode() in done.stderr and b"older backup" in done.stderr
         and f"message show {name.split('.')[0]}".encode() in done.stderr and os.path.isdir(restored + "/store"),
         "restore makes the data folder, names what is missing and what to do, and exits with 1", said(done))
    path, done = backup(n, "without-keys", "--without-keys")
    t.ok(not os.path.exists(path + "/keys") and not os.path.exists(path + "/data/log-keys") and b"not in it" in done.stdout,
         "--without-keys: no key is in it, and it says so", said(done))


# --- restored -----------------------------------------------------------------------------------------------------------


def restore(n, c, state, receiver):
    """As after the loss of a machine: the configuration comes back to where it was, the data folder out of the backup."""
    n.kill()
    os.rename(n.dir, n.dir + ".lost")
    os.mkdir(n.dir)
    done = n.vanctl("restore", "--files", state["path"], os.path.join(n.dir, "data"), check=False)
    t.ok(done.returncode == 0 and b"queue resume" in done.stdout, "restore: done, and it says what comes next", said(done))
    t.equal(n.vanctl("restore", state["path"], os.path.join(n.dir, "data"), check=False).returncode, 1, "a data folder that is there is not touched")
    keys = [os.stat(os.path.join(n.dir, "data", name)) for name in ("log-keys", "log-keys/receipts.key")]
    t.equal([(s.st_uid, oct(s.st_mode & 0o077)) for s in keys], [(os.geteuid(), "0o0")] * 2,
            "the receipt key is whose it was, and not the role user's, whatever folder of the data it lies in")
    del receiver.seen[:]
    logged = len(n.log())
    n.start()
    log = n.log()[logged:]
    t.ok("unreferenced" not in log and "level=error" not in log, "it starts; the backup holds nothing that nothing refers to", log[-3000:])
    sent, kept = state["before"]
    listed = {campaign.strip(m["as2_message_id"] or "") for m in n.messages("--direction", "in")}
    names = {m["file_name"] for m in n.messages("--direction", "in")}
    lost = [m.id for m in sent if campaign.strip(m.id) not in listed]
    t.ok(not lost, f"every document that had its MDN before the backup is there: {len(sent)}", lost[:5])
    lost = [name for name, _ in kept if name not in names]
    t.ok(not lost, f"and every upload: {len(kept)}", lost[:5])
    later = [m for m in c.messages if campaign.strip(m.id) not in listed]
    t.ok(len(later) >= BATCH, f"it is the state of the backup, without the {len(later)} that came later")
    held_until_resumed(n, receiver)
    c.kept = [(name, ack) for name, ack in c.kept if name in names]
    for m in later:
        m.mdn = None
    c.post(later)
    c.wait()


def held_until_resumed(n, receiver):
    t.ok("backup of" in (n.json("status")["sending_held"] or ""), "status says that sending is held", n.json("status"))
    waiting = n.json("queue", "list")
    t.ok([d for d in waiting if d["connection"] == "gamma-as2"], "what was to be sent waits", waiting)
    n.vanctl("queue", "retry", next(d["id"] for d in waiting if d["connection"] == "gamma-as2"))
    n.sftp_put("alpha", x12.order_850(demo.ALPHA, "ZZ:NOBODY", 900001, "AFTER"), "/in/after-restore.edi")

    def states():
        return [m["state"] for m in n.messages("--direction", "in") if m["file_name"] == "after-restore.edi"]

    time.sleep(1.5)
    t.equal(receiver.seen, [], "nothing is sent, for the original may have sent it")
    t.equal(states(), ["received"], "what comes is taken, and not processed: what would be made of it takes numbers, and is in mailboxes at once")
    t.equal(n.vanctl("queue", "resume", check=False).returncode, 0, "queue resume")
    demo.wait_for("what waited for its job", lambda: states() == ["unroutable"])
    demo.wait_for("the delivery", lambda: receiver.seen)
    t.ok(receiver.seen[0] in state_ids, "it goes out with the Message-ID that it had, so that the partner knows it", (receiver.seen, state_ids))
    t.equal(n.vanctl("queue", "resume", check=False).returncode, 1, "a second one has nothing to do")
    t.equal(n.json("status")["sending_held"], None, "and status no longer says so")
    n.vanctl("queue", "drop", next(d["id"] for d in waiting if d["connection"] == "gamma-as2"))


# --- growth -------------------------------------------------------------------------------------------------------------


def upload_until(n, over, patience=demo.PATIENCE):
    """Small files, in one session after the other, until `over()`: (how many, the longest that any session took)."""
    path, taken, longest = os.path.join(n.root, "small.txt"), 0, 0.0
    with open(path, "wb") as f:
        f.write(b"no EDI " * 60)
    deadline = time.monotonic() + patience
    while not over() and time.monotonic() < deadline:
        began = time.monotonic()
        with open(path + ".batch", "w") as f:
            f.writelines(f"put {path} /in/grow-{taken + i}.txt\n" for i in range(20))
        done = subprocess.run(["sftp", *n.sftp_options("buyer"), "-b", path + ".batch", "buyer@127.0.0.1"], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=patience)
        if done.returncode:
            break
        taken += 20
        longest = max(longest, time.monotonic() - began)
    return taken, longest


def the_database_grows(n):
    """To grow it waits until no snapshot is there, and everybody waits with it."""
    n.sftp_put("beta", b"ISA" + b"x" * 6000000, "/in/large.part")
    path, process = start_slow(n, "full-pipe")
    process.send_signal(signal.SIGSTOP)
    logged = len(n.log())
    try:
        taken, longest = upload_until(n, lambda: "backup-failed" in n.log()[logged:])
    except subprocess.TimeoutExpired:
        taken, longest = 0, demo.PATIENCE
    process.send_signal(signal.SIGCONT)
    out, _ = process.communicate(timeout=demo.PATIENCE)
    t.ok(taken and longest < 10, f"the database grows while nobody takes a backup's bytes: uploads wait {longest:.1f} s at the longest", (taken, longest))
    t.ok(process.returncode == 2 and b"has to grow" in out, "for it the backup is given up, and says so", out.decode())
    nothing_left(path, "a growth")

    n.stop()
    n.start(environment={"OPENVAN_FAULT": "store-before-backup:1:10000"})
    path = os.path.join(n.root, "deadlock")
    process = subprocess.Popen([demo.program("vanctl"), "-c", n.config, "backup", path], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                               env=n.environment)
    try:
        taken, longest = upload_until(n, lambda: process.poll() is not None, 40)
    except subprocess.TimeoutExpired:
        taken, longest = 0, 40
    t.ok(taken and 0.9 < longest < 20, f"it has to grow before a backup's copy has begun: uploads wait {longest:.1f} s for the snapshot to end, and go on",
         (taken, longest))
    if process.poll() is None and longest == 40:
        process.kill()
    out, _ = process.communicate(timeout=demo.PATIENCE)
    t.equal(process.returncode, 0, "and the backup is made: " + out.decode().replace("\n", " ")[-300:])


def nobody_takes_it(n):
    """A target that stands still: the backup ends by itself, when store.backup_patience is over."""
    path, process = start_slow(n, "still")
    process.send_signal(signal.SIGSTOP)
    logged, began = len(n.log()), time.monotonic()
    over = demo.wait_for("the backup's end", lambda: "backup-failed" in n.log()[logged:] and time.monotonic() - began)
    process.send_signal(signal.SIGCONT)
    out, _ = process.communicate(timeout=demo.PATIENCE)
    t.ok(process.returncode == 2 and b"backup_patience" in out and 2 < over < 10, f"a target that takes nothing ends the backup after {over:.1f} s of 3",
         out.decode())


def on_disk(folder):
    return sum(os.stat(os.path.join(folder, name)).st_blocks * 512 for name in os.listdir(folder) if name.endswith(".seg"))


def bytes_of(n, shown):
    """Each stored document, as vanctl gives it."""
    return {m["id"]: n.vanctl("message", "get", m["id"]).stdout for m in shown}


def old_log_is_released(n):
    """What only repeats commits goes, when it is old; documents stay, whoever is killed in between, and so they do in a backup."""
    folder = os.path.join(n.dir, "data", "segment")
    first = os.path.join(folder, "0000000000.seg")
    n.stop()
    old_database = os.path.join(n.root, "old.mdb")
    shutil.copy(os.path.join(n.dir, "data", "store", "data.mdb"), old_database)
    n.start()
    for i in range(40):
        n.sftp_put("alpha", x12.order_850(demo.ALPHA, "ZZ:NOBODY", 910000 + i, f"OLD{i}", pad_to=2000 + 100 * i), f"/in/old-{i}.edi")
    n.drain()
    documents = bytes_of(n, n.messages("--direction", "in", "--limit", "60"))
    n.stop()
    with open(os.path.join(folder, "0000000001.seg"), "wb") as f:
        f.truncate(4096)  # what comes next begins a file of its own: the first one is complete
    n.start()
    n.sftp_put("alpha", x12.order_850(demo.ALPHA, "ZZ:NOBODY", 910099, "NEW"), "/in/new.edi")
    demo.wait_for("the next file", lambda: os.path.exists(os.path.join(folder, "0000000002.seg")))
    before, kept = on_disk(folder), []
    for point in ("segment-before-released:1", "segment-amid-holes:2"):  # tests/unit/store_segment_release.c knows all of them
        n.stop()
        logged = len(n.log())
        os.utime(first, (0, 0))
        n.start(environment={"OPENVAN_FAULT": point})
        t.ok(n.wait_killed("store", logged), f"killed at {point}")
        n.kill()
        os.utime(first)  # too young, but what was begun is completed
        n.start()
        kept.append(bytes_of(n, n.messages("--direction", "in", "--limit", "60")).items() >= documents.items())
    demo.wait_for("the log's release", lambda: "log-released" in n.log())
    after = on_disk(folder)
    t.ok(after < before, f"old log is given back to the disk: {before / 1e6:.1f} MB became {after / 1e6:.1f} MB", (before, after))
    t.equal(kept, [True] * 2, "with every document as it was, after each kill")
    t.equal(n.vanctl("receipt", "list", "--limit", "1", check=False).returncode, 0, "and the receipts")
    path, done = backup(n, "with-holes", check=False)
    t.ok(done.returncode == 0 and n.vanctl("backup", "--verify", path, check=False).returncode == 0, "a backup of it is whole", said(done))
    t.ok(on_disk(os.path.join(path, "data", "segment")) <= after, "and keeps the holes", on_disk(os.path.join(path, "data", "segment")))
    restored = os.path.join(n.root, "with-holes-data")
    t.equal(n.vanctl("restore", "--no-hold", path, restored, check=False).returncode, 0, "it is restored")
    n.stop()
    os.rename(os.path.join(n.dir, "data"), os.path.join(n.dir, "data.before"))
    os.rename(restored, os.path.join(n.dir, "data"))
    n.start()
    t.ok(bytes_of(n, n.messages("--direction", "in", "--limit", "60")).items() >= documents.items(), "with every document as it was")
    n.stop()
    newest = os.path.join(n.dir, "data", "store", "data.mdb")
    os.rename(newest, newest + ".new")
    shutil.copy(old_database, newest)
    shutil.chown(newest, os.stat(newest + ".new").st_uid, os.stat(newest + ".new").st_gid)
    logged = len(n.log())
    try:
        n.start(timeout=5)
        t.ok(False, "a database that is older than the log is refused")
    except (RuntimeError, TimeoutError):
        t.ok("store.keep_log" in n.log()[logged:], "a database that is older than the log is refused, with what to do", n.log()[logged:][-1500:])
    os.rename(newest + ".new", newest)
    n.start()


def a_job_alone_waits(n):
    """With no delivery whose time comes, `queue resume` itself has to set the jobs going."""
    n.stop()
    with open(os.path.join(n.dir, "data", "restored"), "w") as f:
        f.write('{"point": "2026-01-02T03:04:05Z"}')
    n.start()
    n.sftp_put("alpha", x12.order_850(demo.ALPHA, "ZZ:NOBODY", 900002, "ALONE"), "/in/alone.edi")

    def states():
        return [m["state"] for m in n.messages("--direction", "in") if m["file_name"] == "alone.edi"]

    time.sleep(1.5)
    t.equal(states(), ["received"], "restored, with no delivery: what comes is taken, and not processed")
    n.vanctl("queue", "resume")
    t.ok(demo.wait_for("the job", lambda: states() == ["unroutable"]), "and is when sending may go on")


state_ids = set()


def main():
    if not demo.available():
        tap.skip_all("vand is not built")
    receiver, state = Receiver(), {}
    with demo.Network() as n:
        n.create()
        own = os.path.join(n.dir, "own")
        for folder in (own, os.path.join(n.dir, "data", "log-keys")):
            os.makedirs(folder, 0o700, exist_ok=True)
        n.set_config("templates", f"[{own}]")
        n.set_config("receipts", "{key: data/log-keys/receipts.key}")
        n.start()
        n.apply_profiles()
        gamma(n, receiver)
        path = os.path.join(n.root, "order.edi")
        with open(path, "wb") as f:
            f.write(x12.order_850(demo.HUB, "ZZ:GAMMA", 77, "OURS", pad_to=3000000))
        n.vanctl("message", "send", "--from", n.station, "--to", "gamma", path)
        demo.wait_for("the first try", lambda: receiver.seen)
        state_ids.update(receiver.seen)
        c = campaign.Campaign(n, 1)
        c.make(4 * BATCH)
        t.run(backups_under_load, n, c, state)
        t.run(receipts_tell, n, state)
        t.run(nobody_waits_for_the_copy_to_begin, n)
        t.run(ends_of_others, n)
        t.run(removed_meanwhile, n)
        t.run(folders_of_ones_own, n, own)
        t.run(full_target, n)
        t.run(damage_is_found, n, state)
        t.run(restore, n, c, state, receiver)
        c.messages = [m for m in c.messages if m.mdn]
        c.count(t, "restored: ")
        c.close()
        n.tell(t)
    with demo.Network(config={"store": "{map_size: 1MiB, map_growth: 1MiB, backup_patience: 3s}"}) as n:
        n.up()
        t.run(the_database_grows, n)
        t.run(nobody_takes_it, n)
        t.run(a_job_alone_waits, n)
        n.tell(t)
    with demo.Network(config={"store": "{keep_log: 1h}"}) as n:
        n.up()
        t.run(old_log_is_released, n)
        n.tell(t)
    return t.done()


if __name__ == "__main__":
    sys.exit(main())
