#!/usr/bin/python3
"""What a mailbox promises, whatever the client: resuming, renaming, names, subfolders, patterns, reports, archives."""

import datetime
import hashlib
import logging
import os
import re
import signal
import shutil
import sys
import tempfile
import time

import demo
import tap
import x12

try:
    import paramiko
except ImportError:
    tap.skip_all("no paramiko")

logging.getLogger("paramiko").addHandler(logging.NullHandler())
logging.getLogger("paramiko").propagate = False
t = tap.Tap()
OPTIONS = """    accept: ["*.edi", "*.x12", "*.bin"]
    temporary: ["*.uploading"]
    folders: {in: /from us, out: /to us, in_subfolders: [orders, "late ones"], out_subfolders: [empty]}
"""


def prepare(n):
    """alpha has the folders, patterns and subfolders that profiles allow; buyer's 997s go into a subfolder of their own."""
    path = os.path.join(n.root, "profiles.yaml")
    text = demo.read(path).decode()
    text = text.replace("    folders: {in: /in, out: /out}\n", OPTIONS)
    text = text.replace('type: "850"\nversion: "004010"\nenvironment: production\n',
                        'type: "850"\nversion: "004010"\nenvironment: production\nfolder: purchase orders\ntime_zone: Pacific/Kiritimati\n')
    with open(path, "w") as f:
        f.write(text)


class Session:
    """A session of paramiko's; `vanish` breaks it without a word."""

    def __init__(self, n, user):
        self.transport = demo.sftp_transport(("127.0.0.1", n.ports["sftp"]))
        self.transport.connect(username=user, pkey=paramiko.Ed25519Key.from_private_key_file(n.keys[user][0]))
        self.sftp = paramiko.SFTPClient.from_transport(self.transport)

    def vanish(self):
        self.transport.sock.close()
        self.transport.close()

    def close(self):
        self.transport.close()

    def __enter__(self):
        return self.sftp

    def __exit__(self, *_):
        self.transport.close()


def received(n, name):
    return [m for m in n.messages("--direction", "in") if m["file_name"] == name]


def said(call):
    """The text with which the server refuses."""
    try:
        call()
    except (OSError, EOFError) as error:
        return str(error) or repr(error)
    return None


def broken_off(n, name, data, user="beta"):
    """Uploads that much and vanishes."""
    s = Session(n, user)
    f = s.sftp.open(name, "wb")
    f.set_pipelined(False)
    f.write(data)
    s.vanish()

    def kept():
        with Session(n, user) as sftp:
            return not said(lambda: sftp.stat(name)) and sftp.stat(name).st_size == len(data)
    demo.wait_for("what was sent", kept)


def order_for(n, partner, control):
    payload = x12.order_850(demo.BUYER, partner, control, f"PO-M{control}", eol="\r\n", pad_to=40000)
    n.send(payload)
    return payload


def resumed_uploads(n):
    ack = x12.ack_997(demo.BETA, demo.BUYER, 810, 810)
    with tempfile.TemporaryDirectory(dir=n.root) as folder:
        local = os.path.join(folder, "a.edi")
        with open(local, "wb") as f:
            f.write(ack)

        def check(what, name, resume):
            broken_off(n, f"/in/{name}", ack[:100])
            t.equal(received(n, name), [], f"{what}: an upload that broke off is no message")
            resume(f"/in/{name}")
            found = received(n, name)
            t.ok(len(found) == 1 and n.vanctl("message", "get", found[0]["id"]).stdout == ack, f"{what}: resumed, it is one message, whole", found)

        check("openssh reput", "openssh.edi", lambda to: n.sftp("beta", f"reput {local} {to}"))
        check("openssh put -a", "append.edi", lambda to: n.sftp("beta", f"put -a {local} {to}"))
        if shutil.which("lftp"):
            connect = f"ssh -a -x -i {n.keys['beta'][0]} -o IdentitiesOnly=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR"
            check("lftp put -c", "lftp.edi", lambda to: demo.run(
                ["lftp", "--norc", "-c", f"set sftp:connect-program '{connect}'; set cmd:fail-exit yes; open -u beta, -p {n.ports['sftp']} "
                 f"sftp://127.0.0.1; put -c {local} -o {to}; bye"]))
        if b"sftp" in demo.run(["curl", "--version"]).stdout:
            check("curl -C -", "curl.edi", lambda to: demo.run(
                ["curl", "-sS", "--insecure", "--key", n.keys["beta"][0], "--pubkey", n.keys["beta"][0] + ".pub", "-C", "-", "-T", local,
                 f"sftp://beta@127.0.0.1:{n.ports['sftp']}{to}"]))

        def with_paramiko(mode):
            def resume(to):
                with Session(n, "beta") as s, s.open(to, mode) as f:
                    f.seek(100)
                    f.write(ack[100:])
            return resume
        check("paramiko r+", "paramiko.edi", with_paramiko("r+"))
        check("paramiko a", "appended.edi", with_paramiko("a"))

        def at_its_end(to):
            with Session(n, "beta") as s, s.open(to, "a") as f:
                f.seek(0)
                f.write(ack[100:])
        check("added at its end, whatever offset the client names", "seek.edi", at_its_end)
    big = os.urandom(3 << 20)
    broken_off(n, "/in/big.part", big[:2 << 20])
    with Session(n, "beta") as s:
        t.ok("This upload broke off" in said(lambda: s.posix_rename("/in/big.part", "/in/big.edi")), "what broke off can't be renamed")
        with s.open("/in/big.part", "a") as f:
            f.write(big[2 << 20:])
        s.posix_rename("/in/big.part", "/in/big.edi")
        t.equal(n.vanctl("message", "get", received(n, "big.edi")[0]["id"]).stdout, big, "a large one under a temporary name")
        t.ok("taken as message" in said(lambda: s.open("/in/big.edi", "a")), "a message can't be added to: the text says what it is")
    broken_off(n, "/in/again.edi", b"half")
    n.sftp_put("beta", ack, "/in/again.edi")
    t.ok(len(received(n, "again.edi")) == 1 and "again.edi" not in n.sftp_list("beta", "/in"), "sent whole again, the half is gone")
    broken_off(n, "/in/unwanted.edi", b"half")
    n.sftp("beta", "rm /in/unwanted.edi")
    t.ok("unwanted.edi" not in n.sftp_list("beta", "/in"), "what broke off can be deleted")


def session_pids(n):
    listener = n.role_pids("sftp")
    out = demo.run(["ps", "-o", "pid=", "--ppid", ",".join(map(str, listener))], check=False).stdout
    return [int(p) for p in out.split()]


def opened(n, name, mode="a"):
    """A session in which an upload is open for more."""
    s = Session(n, "beta")
    f = s.sftp.open(name, mode)
    f.set_pipelined(False)
    return s, f


def going_on(n):
    """A large upload is gone on with in its own file, by one session at a time, and what was kept is never spoilt."""
    big = os.urandom(4 << 20)
    half = (2 << 20) + 1  # no multiple of any disk's sector

    def whole(name):
        found = received(n, name)
        t.equal([n.vanctl("message", "get", m["id"]).stdout == big for m in found], [True], f"{name}: whole")
        t.equal({m["sha256"] for m in found}, {hashlib.sha256(big).hexdigest()}, f"{name}: its hash")

    def read():
        """Bytes that sessions have read from files (they receive from sockets, which counts elsewhere); one may end meanwhile."""
        total = 0
        for pid in session_pids(n):
            try:
                total += int(re.search(r"^rchar: (\d+)", demo.read(f"/proc/{pid}/io").decode(), re.M)[1])
            except (FileNotFoundError, ProcessLookupError):
                pass
        return total

    s, f = opened(n, "/in/direct.edi", "wb")
    f.write(big)
    if "sandbox-relaxed" not in n.log():
        held = {pid: demo.process_status(pid)["Threads"] for pid in session_pids(n)}
        t.ok("2" in held.values(), "a large upload is written by a thread of its own: the filter lets it", held)
    f.close()
    s.close()
    n.wait_sessions_over()
    broken_off(n, "/in/on.edi", big[:half])
    s, f = opened(n, "/in/on.edi")
    demo.wait_for("the end of the session that broke off", lambda: len(session_pids(n)) == 1)
    f.write(big[half:])
    t.ok(read() < half / 2, "what is there isn't read again, neither when it is opened nor later", read())
    f.close()
    s.close()
    whole("on.edi")

    broken_off(n, "/in/killed.edi", big[:half])
    s, f = opened(n, "/in/killed.edi")
    f.write(os.urandom(1 << 20))
    demo.wait_for("the end of the session that broke off", lambda: len(session_pids(n)) == 1)
    for pid in session_pids(n):
        os.kill(pid, 9)
    n.wait_sessions_over()
    s.vanish()
    with Session(n, "beta") as s:
        t.equal(s.stat("/in/killed.edi").st_size, half, "a session that was killed while it went on has changed nothing")
        with s.open("/in/killed.edi", "a") as f:
            f.write(big[half:])
    whole("killed.edi")

    broken_off(n, "/in/pair.edi", big[:half])
    one, other = opened(n, "/in/pair.edi"), opened(n, "/in/pair.edi")
    others = os.urandom(half)
    other[1].write(others)
    one[1].write(big[half:half + 1000])
    other[1].close()
    one[1].write(big[half + 1000:])
    one[1].close()
    found = {n.vanctl("message", "get", m["id"]).stdout: m["sha256"] for m in received(n, "pair.edi")}
    t.equal(found, {data: hashlib.sha256(data).hexdigest() for data in (big, big[:half] + others)}, "two that go on at one time make two messages, each whole")
    for s, _ in (one, other):
        s.close()

    # most often: the line died without a word, and the client comes again while the first session still has the file
    broken_off(n, "/in/late.edi", big[:half])
    one = opened(n, "/in/late.edi")
    one[1].write(big[half:half + (1 << 20)])
    one[1].stat()
    other = opened(n, "/in/late.edi")
    other[1].write(others)
    other[1].close()
    one[1].write(big[half + (1 << 20):])
    one[1].close()  # its file has lost its name meanwhile
    found = {n.vanctl("message", "get", m["id"]).stdout: m["sha256"] for m in received(n, "late.edi")}
    t.equal(found, {data: hashlib.sha256(data).hexdigest() for data in (big, big[:half] + others)}, "so do two of which the second comes late")
    for s, _ in (one, other):
        s.close()

    broken_off(n, "/in/over.edi", os.urandom(half))
    s, f = opened(n, "/in/over.edi", "r+")
    f.write(big[:half])
    s.vanish()
    n.wait_sessions_over()
    s, f = opened(n, "/in/over.edi", "r+")
    f.write(big[:half])
    f.write(big[half:])
    f.close()
    s.close()
    whole("over.edi")


def resumed_downloads(n):
    payload = order_for(n, demo.BETA, 820)
    name = demo.wait_for("order", lambda: n.sftp_list("beta"))[0]
    s = Session(n, "beta")
    f = s.sftp.open(f"/out/{name}")  # is still open when the session ends
    first = f.read(20000)
    s.vanish()
    n.wait_sessions_over()  # how far it came is told at its end
    with tempfile.TemporaryDirectory(dir=n.root) as folder:
        local = os.path.join(folder, name)
        with open(local, "wb") as f:
            f.write(first)
        n.sftp("beta", f"reget /out/{name} {local}")
        t.equal(demo.read(local), payload, "openssh reget after a broken download")
    demo.wait_for("the download to be noted", lambda: [m["delivery"] for m in n.messages("--direction", "out")
                                                       if m["control_number"] == "000000820"] == ["collected"])
    t.ok(True, "read in two parts by two sessions it is collected")
    n.sftp("beta", f"rm /out/{name}")


def renames(n):
    ack = [x12.ack_997(demo.BETA, demo.BUYER, 830 + i, 830 + i) for i in range(4)]
    with Session(n, "beta") as s:
        for i, name in enumerate(("/in/one.tmp", "/in/two.tmp")):
            with s.open(name, "wb") as f:
                f.write(ack[i])
        t.ok("exists already" in said(lambda: s.rename("/in/one.tmp", "/in/two.tmp")), "rename over a staged file is refused")
        s.posix_rename("/in/one.tmp", "/in/two.tmp")
        t.equal(s.stat("/in/two.tmp").st_size, len(ack[0]), "posix-rename replaces it")
        t.equal(said(lambda: s.stat("/in/one.tmp")) is not None, True, "and the former name is gone")
        s.rename("/in/two.tmp", "/in/two.edi")
        t.equal([m["bytes"] for m in received(n, "two.edi")], [len(ack[0])], "renamed to its final name it is a message")
        t.ok(said(lambda: s.rename("/in/nothing", "/in/x.edi")) is not None, "what isn't there can't be renamed")
        t.ok("exists already" in said(lambda: s.open("/in/two.edi", "wx")), "an exclusive open finds it")
        t.ok("can only be read" in said(lambda: s.open("/out/x.edi", "w")), "/out can't be written")
        t.ok("no other folders" in said(lambda: s.mkdir("/in/new")), "no folders are made")
        t.ok("can't be removed" in said(lambda: s.rmdir("/in")), "or removed")
        t.ok(said(lambda: s.symlink("/etc/passwd", "/in/link")) is not None, "no links")


def touched(n):
    """Opened to write without truncating, as touch and editors do: what is a message already stays the only one until bytes are written."""
    ack = [x12.ack_997(demo.BETA, demo.BUYER, 835 + i, 835 + i) for i in range(2)]
    with Session(n, "beta") as s:
        with s.open("/in/touched.edi", "wb") as f:
            f.write(ack[0])
        s.open("/in/touched.edi", "r+").close()
        with s.open("/in/touched.edi", "r+") as f:
            t.ok("open it for reading alone" in said(lambda: f.read(10)), "its bytes are not to be had there, and the text says how")
        t.equal([m["bytes"] for m in received(n, "touched.edi")], [len(ack[0])], "a message that is opened to write and closed makes no other one")
        with s.open("/in/touched.edi", "r+") as f:
            f.write(ack[1])
        bodies = {n.vanctl("message", "get", m["id"]).stdout for m in received(n, "touched.edi")}
        t.equal(bodies, set(ack), "written from its beginning on, it is a second message")
        s.remove("/in/touched.edi")
        s.rename("/in/touched.edi", "/in/tidied.edi")
        t.equal((len(received(n, "touched.edi")), received(n, "tidied.edi")), (2, []), "deleted or renamed after it was taken: answered, to no effect")
        t.ok(said(lambda: s.chmod("/in/nothing.edi", 0o600)) is not None, "permissions of what isn't there can't be set")
        s.chmod("/in/touched.edi", 0o600)
        s.utime("/in/touched.edi", (1, 1))
        t.ok("can't be changed" in said(lambda: s.truncate("/in/touched.edi", 3)), "those of a message can, to no effect; its length can't")
        t.equal([oct(s.stat(x).st_mode & 0o777) for x in ("/in", "/out", "/in/archive", "/")], ["0o755", "0o755", "0o555", "0o555"],
                "folders show where one may write")
    dots = n.sftp("beta", "ls -la /in").stdout.decode().splitlines()
    t.ok(any(line.startswith("drwxr-xr-x") and line.split()[-1] in (".", "/in/.") for line in dots), "in listings, too", dots)


def renamed_away(n):
    """In /out: renaming takes a file, unless the new name is its own or that of another that waits."""
    with Session(n, "beta") as s, tempfile.NamedTemporaryFile(dir=n.root) as f:
        f.write(b"by hand")
        f.flush()
        ids = {}
        for name in ("one.edi", "two.edi", "three.edi"):
            ids[name] = n.json("mailbox", "put", "beta", f.name, "--name", name)["id"]
        t.ok("waits here already" in said(lambda: s.rename("/out/one.edi", "/out/two.edi")), "not onto another that waits")
        t.ok("waits here already" in said(lambda: s.posix_rename("/out/one.edi", "/out/two.edi")), "which is not replaced either")
        t.ok("waits here already" in said(lambda: s.rename("/out/one.edi", "/out/one.edi")), "nor onto itself")
        s.posix_rename("/out/one.edi", "/out/one.edi")
        t.equal(sorted(s.listdir("/out")), ["one.edi", "three.edi", "two.edi"], "nothing was taken by that")
        t.ok(said(lambda: s.rename("/out/none.edi", "/out/none.done")) is not None, "what isn't there can't be renamed")
        t.ok("can't be moved" in said(lambda: s.rename("/out/one.edi", "/in/one.edi")), "and nothing is moved to /in")
        s.rename("/out/one.edi", "/out/one.done")
        s.posix_rename("/out/two.edi", "/out/archive/two.edi")
        s.rename("/out/three.edi", "/done/three.edi")
        day = s.listdir("/out/archive")[-1]
        t.equal((s.listdir("/out"), {"one.edi", "two.edi", "three.edi"} <= set(s.listdir("/out/archive/" + day))), ([], True),
                "renamed to any other name they are taken, and stand in the archive")
        with s.open(f"/out/archive/{day}/one.edi") as g:
            g.read()
    n.wait_sessions_over()
    shown = n.json("message", "show", ids["one.edi"])
    t.ok(shown["delivery"] == "collected" and any(h["text"] == "downloaded from the archive" for h in shown["history"]),
         "a download from the archive counts as one", shown["history"])


def leaves(n, since):
    """The receipts that came after number `since`: (event, actor, text)."""
    newest = n.json("receipt", "list", "--limit", "1")[0]["index"]
    return [tuple(n.json("receipt", "show", str(i))["leaf"].get(k) for k in ("event", "actor", "text")) for i in range(since + 1, newest + 1)]


def actions_are_receipts(n):
    since = n.json("receipt", "list", "--limit", "1")[0]["index"]
    with tempfile.NamedTemporaryFile(dir=n.root) as f:
        f.write(b"by hand")
        f.flush()
        n.vanctl("mailbox", "put", "beta", f.name, "--name", "seen.edi")
    with Session(n, "beta") as s:
        for name in ("/in/a.tmp", "/in/b.tmp", "/in/b.tmp", "/in/c.tmp"):
            with s.open(name, "wb") as f:
                f.write(b"x")
        s.rename("/in/a.tmp", "/in/d.tmp")
        s.posix_rename("/in/d.tmp", "/in/b.tmp")
        s.remove("/in/b.tmp")
        for _ in range(2):
            with s.open("/out/seen.edi") as f:
                f.read()
        s.remove("/out/seen.edi")
    n.wait_sessions_over()
    same = [m["id"] for m in received(n, "touched.edi")]
    t.equal({n.vanctl("mailbox", "get", "beta", i).stdout for i in same}, {n.vanctl("message", "get", i).stdout for i in same},
            "vanctl mailbox get by id, also of an upload whose name a later one took")
    t.ok(n.vanctl("mailbox", "get", "beta", "c.tmp").stdout == b"x" and n.vanctl("mailbox", "get", "alpha", "c.tmp", check=False).returncode == 1
         and n.vanctl("mailbox", "get", "alpha", same[0], check=False).returncode == 1, "of what waits for its rename, too; and of that mailbox alone")
    n.vanctl("mailbox", "purge", "beta", "c.tmp")
    n.vanctl("mailbox", "restore", n.messages("--search", "seen.edi")[0]["id"])
    n.vanctl("mailbox", "purge", "beta", "seen.edi")
    found = leaves(n, since)
    user, operator = "sftp user beta", f"uid {os.geteuid()}"
    for leaf in (("operator", operator, "put into the mailbox by an operator"),
                 ("sftp-in", user, "uploaded as a.tmp, a temporary name"),
                 ("sftp-in", user, "upload b.tmp replaced by a later one"),
                 ("sftp-in", user, "renamed to d.tmp, a temporary name"),
                 ("sftp-in", user, "upload b.tmp replaced by another that was renamed"),
                 ("sftp-in", user, "upload b.tmp deleted before it was taken"),
                 ("sftp-out", user, "downloaded"),
                 ("sftp-out", user, "downloaded once more"),
                 ("sftp-out", user, "removed from the mailbox by the partner"),
                 ("operator", operator, "upload c.tmp deleted before it was taken"),
                 ("operator", operator, "put back into the mailbox"),
                 ("operator", operator, "purged from the mailbox")):
        t.ok(found.count(leaf) == 1, f"a receipt: {leaf[1]}: {leaf[2]}", found)


def looks(n):
    """Who read a document without being its receiver is a receipt, one for each day."""
    body = x12.ack_997(demo.BETA, demo.BUYER, 870, 870)
    with Session(n, "beta") as s:
        with s.open("/in/private.edi", "wb") as f:
            f.write(body)
    upload = received(n, "private.edi")[0]
    demo.wait_for("its end", lambda: n.json("message", "show", upload["id"])["state"] == "processed")
    with tempfile.NamedTemporaryFile(dir=n.root) as f:
        f.write(b"0123456789" * 10)
        f.flush()
        n.vanctl("mailbox", "put", "beta", f.name, "--name", "waits.edi")
    waits = n.messages("--search", "waits.edi")[0]
    since = n.json("receipt", "list", "--limit", "1")[0]["index"]

    def looked(message):
        return [(r["actor"], r["text"]) for r in n.json("receipt", "list", "--message", message["id"], "--event", "looked-at")]

    operator, user = f"uid {os.geteuid()}", "sftp user beta"
    for arguments in (("message", "show", upload["id"]), ("message", "list"), ("mailbox", "list", "beta"), ("receipt", "list")):
        n.json(*arguments)
    t.equal(looked(upload), [], "lists and states are no look at a document")
    for _ in range(2):
        t.equal(n.vanctl("message", "get", upload["id"]).stdout, body, "message get")
        t.equal(n.vanctl("mailbox", "get", "beta", "private.edi").stdout, body, "mailbox get")
    t.equal(looked(upload), [(operator, "payload")], "who looked at a document has a receipt, and one only for that day")
    t.equal(n.vanctl("mailbox", "get", "beta", "waits.edi").stdout, b"0123456789" * 10, "mailbox get of what waits")
    t.equal(looked(waits), [(operator, "payload")], "so has who looked at what waits for a partner")
    with Session(n, "beta") as s:
        for _ in range(3):
            with s.open("/out/waits.edi") as f:
                f.read(10)
        with s.open(f"/in/archive/{s.listdir('/in/archive')[-1]}/private.edi") as f:
            f.read()
        with s.open("/in/archive/private.edi.status") as f:
            f.read()
    n.wait_sessions_over()
    t.equal((sorted(looked(waits)), sorted(looked(upload))), ([(user, "payload"), (operator, "payload")],) * 2,
            "a partner that reads a part of what waits, or its own upload again, has a receipt, too")
    killed = x12.ack_997(demo.BETA, demo.BUYER, 871, 871) + b" " * 200000
    with Session(n, "beta") as s:
        for name in ("killed.edi", "waiting.tmp"):
            with s.open("/in/" + name, "wb") as f:
                f.write(killed)
    taken = received(n, "killed.edi")[0]
    others = set(session_pids(n))
    s = Session(n, "beta")
    for path in (f"/in/archive/{s.sftp.listdir('/in/archive')[-1]}/killed.edi", "/in/waiting.tmp"):
        f = s.sftp.open(path)
        t.equal(f.read(10), killed[:10], f"{path} is read")
    for pid in set(session_pids(n)) - others:
        os.kill(pid, signal.SIGKILL)
    s.vanish()
    demo.wait_for("a receipt", lambda: looked(taken) == [(user, "payload")])
    staged = n.json("mailbox", "list", "beta", "--folder", "uploads")[0]
    t.equal((staged["name"], looked(staged)), ("waiting.tmp", [(user, "payload")]), "also where its session is killed while it reads")
    with Session(n, "beta") as s:
        s.remove("/in/waiting.tmp")
    bundle = os.path.join(n.root, "looks.tar")
    n.vanctl("receipt", "export", "-o", bundle)
    newest = n.json("receipt", "list", "--limit", "1", "--event", "looked-at")[0]
    t.ok(newest["actor"] == operator and newest["message"] is None and newest["text"].startswith("a bundle of ") and newest["index"] > since,
         "who took a bundle of receipts and documents, too", newest)
    t.equal(n.vanctl("receipt", "verify", bundle, check=False).returncode, 0, "the bundle verifies")
    wrong = n.vanctl("receipt", "list", "--event", "seen", check=False)
    t.ok(wrong.returncode == 2 and b"looked-at" in wrong.stderr, "an event that there is not is refused with those that there are", wrong.stderr)
    as_1234 = demo.run(["sh", "-c", 'echo 1234 > /proc/self/loginuid && exec "$0" "$@"', demo.program("vanctl"), "-c", n.config,
                        "message", "get", waits["id"]], check=False)
    if as_1234.returncode == 0:
        t.equal(looked(waits)[-1], (f"{operator}, logged in as uid 1234", "payload"), "a receipt says as whom an operator logged in")
    else:
        t.diag("nobody can be logged in here", as_1234.stderr)
    n.vanctl("mailbox", "purge", "beta", "waits.edi")


def names(n):
    with Session(n, "beta") as s:
        for i, name in enumerate(("with blanks and 'quotes' \"x\".edi", "Bestellung Nº 5 – äöü 注文.edi", "x" * 251 + ".edi", "-rf.edi", "tab\there.edi",
                                  "~tilde.edi", "back\\slash.edi")):
            ack = x12.ack_997(demo.BETA, demo.BUYER, 840 + i, 840 + i)
            with s.open("/in/" + name, "wb") as f:
                f.write(ack)
            found = received(n, name)
            t.ok(len(found) == 1 and found[0]["bytes"] == len(ack), f"a name of {len(name.encode())} bytes: {name[:20]}", found)
            t.equal(s.stat("/in/" + name).st_size, len(ack), "and it is found right after the upload")
        for _ in range(2):
            with s.open("/in/" + "x" * 251 + ".edi", "wb") as f:
                f.write(b"again")
        today = s.listdir("/in/archive")[-1]
        older = [a for a in s.listdir("/in/archive/" + today) if a.startswith("x" * 200)]
        t.equal(len(older), 3, "three of the same longest name are in the archive")
        for n_bytes in (256, 262, 263):
            t.ok("too long" in (said(lambda: s.open("/in/" + "x" * n_bytes, "wb")) or ""), f"a name of {n_bytes} bytes is refused, with the reason")
            with s.open("/in/short.tmp", "wb") as f:
                f.write(b"x")
            t.ok(said(lambda: s.posix_rename("/in/short.tmp", "/in/" + "x" * n_bytes)), "and as the target of a rename")
            t.ok(said(lambda: s.stat("/in/" + "x" * n_bytes)), "and there is no such file")
        s.remove("/in/short.tmp")
        for name in ["x" * 251 + ".edi", *older]:
            with s.open(f"/in/archive/{today}/{name}.status") as f:
                t.ok(f.read().startswith(b"id: "), "the report on a document whose name has 255 bytes can be read")
        with s.open("/in/empty.edi", "wb"):
            pass
        found = demo.wait_for("empty file", lambda: [m for m in received(n, "empty.edi") if m["state"] != "received"])
        t.ok(found[0]["bytes"] == 0 and found[0]["error"], "an empty file is a message, and what is wrong with it is said", found)


def day_in_kiritimati():
    """Fourteen hours ahead of UTC."""
    return (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=14)).strftime("%Y-%m-%d")


def folders_and_patterns(n):
    order_for(n, demo.ALPHA, 850)
    with Session(n, "alpha") as s:
        t.equal(sorted(s.listdir("/")), ["from us", "to us"], "the folders have the profile's names")
        t.equal(sorted(s.listdir("/to us")), ["empty", "purchase orders"], "subfolders of the profile and of agreements are shown")
        t.equal(sorted(s.listdir("/from us")), ["late ones", "orders"], "and those to write to")
        t.equal(s.listdir("/to us/empty"), [], "an empty one can be listed")
        name = demo.wait_for("order", lambda: s.listdir("/to us/purchase orders"))[0]
        t.ok(not said(lambda: s.stat("/to us/purchase orders/" + name)), "the agreement's documents wait in its subfolder")
        t.ok(said(lambda: s.stat("/to us/" + name)) is not None, "and nowhere else")
        with s.open("/to us/purchase orders/" + name) as f:
            t.ok(b"PO-M850" in f.read(), "they are fetched from there")
        days = [day_in_kiritimati()]
        s.remove("/to us/purchase orders/" + name)
        days.append(day_in_kiritimati())
        t.equal(s.listdir("/to us/purchase orders"), [], "and deleted")
        t.ok(s.listdir("/to us/archive") in [[day] for day in days], "the archive's date is that of the agreement's time zone", days)
        message = [m for m in n.messages("--direction", "out", "--partner", "alpha") if m["type"] == "850"][0]
        n.vanctl("mailbox", "restore", message["id"])
        t.equal(s.listdir("/to us/purchase orders"), [name], "put back, it is in its subfolder again")
        t.equal([e["state"] for e in n.json("mailbox", "list", "alpha")], ["waiting"], "vanctl mailbox list shows it")

        t.ok("*.edi" in said(lambda: s.open("/from us/virus.exe", "wb")), "a name that is not taken is refused, with those that are")
        ack = x12.ack_997(demo.ALPHA, demo.BUYER, 850, 850)
        with s.open("/from us/orders/ack.EDI.uploading", "wb") as f:
            f.write(ack)
        t.equal(s.listdir("/from us/orders"), ["ack.EDI.uploading"], "a temporary name of the profile waits, in a subfolder")
        t.ok("*.edi" in said(lambda: s.posix_rename("/from us/orders/ack.EDI.uploading", "/from us/orders/ack.pdf")), "nor is one renamed to such a name")
        s.posix_rename("/from us/orders/ack.EDI.uploading", "/from us/late ones/ack.EDI")
        t.equal(len(received(n, "late ones/ack.EDI")), 1, "renamed into another subfolder it is a message that says where")
        with s.open("/from us/ack.uploading", "wb") as f:
            f.write(b"half")
        s.open("/from us/orders/ack.uploading", "wb").close()
        t.equal((s.stat("/from us/ack.uploading").st_size, s.stat("/from us/orders/ack.uploading").st_size), (4, 0), "a name in two folders is two files")


def reports(n):
    good = x12.ack_997(demo.BETA, demo.BUYER, 860, 860)
    n.sftp_put("beta", good, "/in/good.edi")
    n.sftp_put("beta", b"this is no EDI at all", "/in/bad.edi")
    n.sftp_put("beta", good + x12.ack_997(demo.ALPHA, demo.BUYER, 861, 861), "/in/foreign.edi")
    n.drain()
    with Session(n, "beta") as s:
        with s.open("/in/archive/good.edi.status") as f:
            report = f.read().decode()
        fields = dict(line.split(": ", 1) for line in report.splitlines())
        message = received(n, "good.edi")[0]
        t.ok(fields["id"] == message["id"] and fields["verdict"] == "accepted" and fields["sha256"] == message["sha256"], "the report names the message", report)
        t.ok(any(line.startswith("interchange: X12 ") for line in report.splitlines()), "and its interchange", report)
        t.ok(message["id"] in [m["id"] for m in n.messages("--search", fields["sha256"])], "its SHA-256 finds it")
        t.equal(s.stat("/in/archive/good.edi.status").st_size, len(report), "its size is what is read")
        day = s.listdir("/in/archive")[-1]
        with s.open(f"/in/archive/{day}/bad.edi.status") as f:
            bad = f.read().decode()
        t.ok("verdict: " in bad and "accepted" not in bad and "error: " in bad, "a report of what is no EDI says so", bad)
        with s.open("/in/archive/foreign.edi.status") as f:
            foreign = dict(line.split(": ", 1) for line in f.read().decode().splitlines())
        t.equal(foreign["verdict"], "held", "a file with an interchange that waits for a person is not accepted")
        t.ok(said(lambda: s.open("/in/archive/never.edi.status")) is not None, "no report of what was never sent")
        t.ok(not any(x.endswith(".status") for x in s.listdir("/in/archive") + s.listdir("/in/archive/" + day)), "reports are not listed: mirrors fetch nothing twice")


def descriptors(n):
    """What the SFTP sessions hold: the targets of their descriptors."""
    listener = n.role_pids("sftp")
    out = demo.run(["ps", "-o", "pid=", "--ppid", ",".join(map(str, listener))], check=False).stdout
    return [os.readlink(f"/proc/{pid}/fd/{fd}") for pid in out.decode().split() for fd in os.listdir(f"/proc/{pid}/fd")]


def one_of_many(n):
    """Two partners' documents in one file: each gets its own bytes, and nothing else to hold on to."""
    own = x12.order_850(demo.BUYER, demo.BETA, 875, "PO-M875", pad_to=1300000) + b"\n"  # line ends go with what stands before them
    other = x12.ack_997(demo.BUYER, demo.ALPHA, 876, 876) + b"\n"
    small = x12.order_850(demo.BUYER, demo.BETA, 877, "PO-M877", pad_to=20000)
    alone = b"\r\n" + x12.order_850(demo.BUYER, demo.BETA, 878, "PO-M878", pad_to=200000) + b"\r\n"
    n.send(other + own + small)
    n.sftp_put("buyer", alone, "/in/alone.edi")
    n.drain()

    def named(control):
        return demo.wait_for("document", lambda: [m["file_name"] for m in n.messages("--direction", "out", "--partner", "beta") if m["control_number"] == f"{control:09d}"])[0]
    with Session(n, "beta") as s:
        with s.open(f"/out/{named(875)}") as f:
            for at, size in ((0, 10), (524280, 20), (700000, 500000), (len(own) - 5, 50), (524288, 1), (3, 30000)):
                f.seek(at)
                t.ok(f.read(size) == own[at:at + size], f"one document of several in a file: {size} bytes at {at}")
            if os.geteuid() == 0:
                t.equal([x for x in descriptors(n) if x.startswith(n.dir)], [], "its session holds no descriptor of that file")
            s.remove(f"/out/{named(875)}")
            f.seek(600000)
            t.equal(f.read(300000), own[600000:900000], "deleted meanwhile it can still be read to its end")
        day = s.listdir("/out/archive")[-1]
        with s.open(f"/out/archive/{day}/{named(875)}") as f:
            t.ok(f.read() == own, "and whole in the archive")
        with s.open(f"/out/{named(877)}") as f:
            t.ok(f.read() == small, "a small one of several")
        if os.geteuid() == 0:
            with s.open(f"/out/{named(878)}") as f:
                f.read(10)
                t.equal(len([x for x in descriptors(n) if "/payload/" in x]), 1, "one that is alone in its file is read from the file itself")
        n.sftp("beta", f"get /out/{named(878)} {n.root}/alone")
        t.ok(demo.read(f"{n.root}/alone") == alone, "byte for byte")
        for control in (877, 878):
            s.remove("/out/" + named(control))


def taken_by_download(n):
    """Names by a pattern, and a mailbox whose files go when they were fetched; what a client asks about the disk, and links."""
    path = os.path.join(n.root, "profiles.yaml")
    with open(path) as f:
        text = f.read()
    with open(path, "w") as f:
        f.write(text.replace("    user: beta\n", '    user: beta\n    taken: download\n    file_name: "{sender}-{type}_{control}_{date}.{ext}"\n', 1))
    n.apply_profiles()
    payload = order_for(n, demo.BETA, 870)
    name = demo.wait_for("order", lambda: n.sftp_list("beta"))[0]
    t.ok(re.fullmatch(r"\w+-850_000000870_20\d{6}\.edi", name), "its name is made by the profile's pattern", name)
    with Session(n, "beta") as s:
        with s.open(f"/out/{name}") as f:
            f.read(1000)
        t.equal(s.listdir("/out"), [name], "read in part it stays")
        with s.open(f"/out/{name}") as f:
            t.equal(f.read(), payload, "read whole it is what was sent")
        t.equal(s.listdir("/out"), [], "and gone when the handle is closed")
        day = s.listdir("/out/archive")[-1]
        with s.open(f"/out/archive/{day}/{name}") as f:
            t.equal(f.read(), payload, "the archive of the day has it")
        t.ok(said(lambda: s.remove(f"/out/archive/{day}/{name}")) is not None, "where it can't be deleted")
    message = [m for m in n.messages("--direction", "out", "--partner", "beta") if m["control_number"] == "000000870"][0]
    t.equal(message["delivery"], "collected", "the sender sees that it was collected")
    free = n.sftp("beta", "df /out").stdout.decode()
    t.ok(re.search(r"\d+%", free), "df tells about the disk (statvfs)", free)
    t.ok(n.sftp("beta", f"ln /out/archive/{day}/{name} /in/link.edi", check=False).returncode != 0, "hard links are refused")
    n.vanctl("mailbox", "restore", message["id"])
    t.equal(n.sftp_list("beta"), [name], "vanctl mailbox restore puts it back")
    bytes_of = [n.vanctl("mailbox", "get", "beta", x).stdout for x in (name, message["id"])]
    t.ok(bytes_of == [payload, payload], "vanctl mailbox get by name and by id")
    n.vanctl("mailbox", "purge", "beta", name)
    t.equal((n.sftp_list("beta"), n.json("mailbox", "list", "beta")), ([], []), "vanctl mailbox purge takes it away")
    with tempfile.NamedTemporaryFile(dir=n.root, suffix=".edi") as f:
        f.write(b"by hand")
        f.flush()
        n.vanctl("mailbox", "put", "beta", f.name, "--name", "hand.edi")
    with Session(n, "beta") as s, s.open("/out/hand.edi") as f:
        t.equal(f.read(), b"by hand", "vanctl mailbox put")


def late_closes(n):
    """Two sessions read a document; one takes it, another of that name comes, and then the other session closes: it speaks of the old one."""
    def put(data):
        with tempfile.NamedTemporaryFile(dir=n.root, suffix=".edi") as f:
            f.write(data)
            f.flush()
            n.vanctl("mailbox", "put", "beta", f.name, "--name", "same.edi")

    def waits():
        return [(e["name"], e["id"], e["state"]) for e in n.json("mailbox", "list", "beta")]

    put(b"the first one")
    first = waits()[0][1]
    with Session(n, "beta") as s, Session(n, "beta") as late, Session(n, "beta") as broken:
        whole, half = late.open("/out/same.edi"), broken.open("/out/same.edi")
        t.equal((whole.read(), half.read(5)), (b"the first one", b"the f"), "two sessions read what a third one takes")
        with s.open("/out/same.edi") as f:
            f.read()
        put(b"the second one, which nobody has read")
        second = waits()[0]
        whole.close()
        half.close()
        late_ones = demo.wait_for("the log of both", lambda: [found for found in [re.findall(r"mailbox-read-late.*file=same.edi.*", n.log())] if len(found) == 2])[0]
        t.equal((waits(), second[1] != first), ([second], True), "another one of its name waits as it did when they have closed")
        t.ok(all(first in line for line in late_ones), "and the log says of which message they spoke", late_ones)
        said_of = [r["text"] for r in n.json("receipt", "list", "--message", first, "--event", "sftp-out")]
        t.ok("downloaded, and gone from its place meanwhile" in said_of, "whose second download has its receipt", said_of)
        t.equal(n.json("receipt", "list", "--message", second[1], "--event", "sftp-out"), [], "and the other none")
        with s.open("/out/same.edi") as f:
            t.equal(f.read(), b"the second one, which nobody has read", "it can still be fetched")
        t.equal(s.listdir("/out"), [], "and is taken then")


def looks_and_opens(n):
    """A client that looks at each file before it opens it is answered ahead: with the same bytes, and with nothing that is gone."""
    documents = {}
    for i in range(5):
        with tempfile.NamedTemporaryFile(dir=n.root, suffix=".edi") as f:
            documents[f"look-{i}.edi"] = b"%d" % i * (1000 + i)
            f.write(documents[f"look-{i}.edi"])
            f.flush()
            n.vanctl("mailbox", "put", "beta", f.name, "--name", f"look-{i}.edi")
    with Session(n, "beta") as s, Session(n, "beta") as other:
        def fetch(name):
            with s.open("/out/" + name) as f:
                return f.read()

        for name in ("look-0.edi", "look-1.edi"):
            t.equal((s.stat("/out/" + name).st_size, fetch(name)), (len(documents[name]), documents[name]), f"{name} is looked at and fetched")
        demo.wait_for("the notes that they were collected", lambda: [e["state"] for e in n.json("mailbox", "list", "beta")
                                                                    if e["name"] in ("look-0.edi", "look-1.edi")] == ["collected"] * 2)
        t.ok(True, "while the session goes on it is known what it has collected")
        s.stat("/out/look-2.edi")
        t.equal(fetch("look-3.edi"), documents["look-3.edi"], "one looked at and another fetched is the other")
        for name in ("look-0.edi", "look-2.edi"):
            s.stat("/out/" + name)
            fetch(name)
        s.stat("/out/look-4.edi")
        s.remove("/out/look-4.edi")
        t.ok(said(lambda: fetch("look-4.edi")) is not None, "one looked at and deleted is gone")
        s.stat("/out/look-0.edi")
        fetch("look-0.edi")  # whoever opens what it has looked at is answered ahead at its next look
        s.stat("/out/look-3.edi")
        other.remove("/out/look-3.edi")
        time.sleep(1.1)
        t.ok(said(lambda: fetch("look-3.edi")) is not None, "so is one that another session deleted a while ago")
        for name in ("look-0.edi", "look-1.edi", "look-2.edi"):
            s.remove("/out/" + name)
        t.ok(said(lambda: s.stat("/out/look-0.edi")) is not None, "what is gone is not seen")


def many_entries(n, count=1000):
    """Pages of a listing; many more, in bounded memory, are listed in tests/unit/sftp_hostile.py."""
    with Session(n, "beta") as s:
        def put(i):
            with s.open(f"/in/many-{i:05d}.tmp", "wb") as f:
                f.set_pipelined(True)
                f.write(b"x")
        for i in range(count):
            put(i)
        listed = [a for a in s.listdir("/in") if a.startswith("many-")]
        t.ok(listed == [f"many-{i:05d}.tmp" for i in range(count)], f"{count} entries, in order, each once", len(listed))
        t.equal(sum(line.startswith(b"-") for line in n.sftp("beta", "ls -l /in/many-*").stdout.splitlines()), count, "and by OpenSSH's client")
        for name in listed:
            s.remove("/in/" + name)
        t.ok(not [a for a in s.listdir("/in") if a.startswith("many-")], "and deleted again")


def old_uploads_go(n):
    """What nobody finishes is deleted when it is old, whatever subfolder it lies in, and not before: another one comes all the time."""
    path, folders = os.path.join(n.root, "profiles.yaml"), [f"s{i:02d}" for i in range(70)]
    text = demo.read(path).decode().replace('in_subfolders: [orders, "late ones"', f'in_subfolders: [orders, "late ones", {", ".join(folders)}')
    with open(path, "w") as f:
        f.write(text)
    n.apply_profiles(path)
    with Session(n, "beta") as s:
        with s.open("/in/old.tmp", "wb") as f:
            f.write(b"x" * 200000)
    with Session(n, "alpha") as s:
        for folder in folders:
            with s.open(f"/from us/{folder}/old.uploading", "wb") as f:
                f.write(b"x" * 100)
    n.stop()
    n.set_config("sftp", "{keep_unfinished: 8s}")
    n.start()
    logged, sent = len(n.log()), []
    with Session(n, "beta") as s:
        def tidied():
            sent.append((time.monotonic(), f"fresh{len(sent)}.tmp"))
            with s.open("/in/" + sent[-1][1], "wb") as f:
                f.write(b"x" * 200000)
            return "event=unfinished-uploads-deleted" in n.log()[logged:]
        demo.wait_for("the old one's end", tidied, pause=0.5)
        fresh, there = {name for at, name in sent if at > time.monotonic() - 5}, set(s.listdir("/in"))
        t.ok("old.tmp" not in there and len(fresh) > 1 and fresh <= there, "an upload that is too old is deleted, and none that is not", (there, sent))
        for name in there:
            s.remove("/in/" + name)
    with Session(n, "alpha") as s:
        t.equal([f for f in folders if s.listdir(f"/from us/{f}")], [], "nor does one stay in any subfolder")
    left = demo.run(["find", n.dir, "-type", "f", "-path", "*/payload/*", "-size", "200000c"]).stdout
    t.equal(left, b"", "and none leaves its bytes behind")


def full_disk(n):
    """Below the reserve nothing is taken, and the client learns it before it sends; who has begun, when it closes."""
    with Session(n, "beta") as early:
        begun = early.open("/in/full.edi", "wb")
        begun.write(b"x" * 100)
        n.set_config("limits", "{disk_reserve: 999999GiB}")
        n.vand.send_signal(signal.SIGHUP)
        with Session(n, "beta") as s:
            text = demo.wait_for("a full disk", lambda: said(lambda: s.open("/in/other.edi", "wb").close()))
        t.ok("try again later" in text, "nobody begins an upload when the disk is full", text)
        text = said(lambda: early._request(paramiko.sftp.CMD_CLOSE, begun.handle))  # paramiko's own close doesn't tell
        t.ok(text and "try again later" in text, "one that had begun is refused when it is closed", text)
    t.equal(received(n, "full.edi"), [], "and is no message")
    n.set_config("limits", "{}")
    n.vand.send_signal(signal.SIGHUP)
    demo.wait_for("room", lambda: n.sftp_put("beta", b"x", "/in/room.tmp", check=False).returncode == 0)
    n.sftp("beta", "rm /in/room.tmp")


def main():
    if not demo.available():
        tap.skip_all("vand is not built")
    with demo.Network(keep="--keep" in sys.argv) as n:
        n.create()
        prepare(n)
        n.start()
        n.apply_profiles()
        for group in (resumed_uploads, going_on, resumed_downloads, renames, touched, renamed_away, actions_are_receipts, looks, names, folders_and_patterns, reports, looks_and_opens, one_of_many,
                      taken_by_download, late_closes, many_entries, old_uploads_go, full_disk):
            t.run(group, n)
        n.check_sound(t, killed_sessions=2)
        n.tell(t)
    return t.done()


if __name__ == "__main__":
    sys.exit(main())
