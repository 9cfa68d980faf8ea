"""What the SFTP role does with clients that break the rules, vanish, or ask for too much: over the rig's mailbox in memory."""

import atexit
import hashlib
import logging
import os
import re
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time

count = failures = 0


def ok(good, name, detail=None):
    global count, failures
    count += 1
    failures += not good
    print(f"{'ok' if good else 'not ok'} {count} - {name}", flush=True)
    if not good and detail is not None:
        print(f"# {detail!r}")


def finish():
    print(f"1..{count}")
    sys.exit(1 if failures else 0)


try:
    import paramiko
except ImportError:
    print("1..0 # SKIP paramiko is not installed")
    sys.exit(0)
if not shutil.which("ssh-keygen"):
    print("1..0 # SKIP OpenSSH's client programs are not installed")
    sys.exit(0)
logging.getLogger("paramiko").addHandler(logging.NullHandler())
logging.getLogger("paramiko").propagate = False
BUILD = os.environ.get("VAN_BUILDDIR", ".")

PATIENCE = 120  # seconds for what takes milliseconds, on a slow machine
SSH_OPTIONS = [x for o in ("StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "LogLevel=ERROR", "IdentitiesOnly=yes") for x in ("-o", o)]
SANITIZED = "asan" in subprocess.run(["ldd", os.path.join(BUILD, "tests/unit/sftp_rig")], stdout=subprocess.PIPE, text=True).stdout

INIT, OPEN, CLOSE, READ, WRITE, STATUS = 1, 3, 4, 5, 6, 101


class Rig:
    def __init__(self, folder, **environment):
        self.folder = folder
        key = os.path.join(folder, "key")
        if not os.path.exists(key):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
        self.store_folder = os.path.join(folder, "store")
        os.makedirs(self.store_folder, exist_ok=True)
        with open(os.path.join(self.store_folder, "order.edi"), "wb") as f:
            f.write(b"ISA*00*" * 100000)
        self.log = open(os.path.join(folder, "log"), "w+b")
        self.process = subprocess.Popen([os.path.join(BUILD, "tests/unit/sftp_rig"), "0", key, key + ".pub", self.store_folder],
                                        stdout=subprocess.PIPE, stderr=self.log, env={**os.environ, **environment})
        atexit.register(self.process.kill)
        self.store = int(self.process.stdout.readline().split()[1])
        self.port = int(self.process.stdout.readline().split()[1])
        self.process.stdout.readline()

    def stop(self):
        self.process.terminate()
        self.process.wait()

    def logged(self, text):
        with open(self.log.name, "rb") as f:
            return text.encode() in f.read()

    def wait_logged(self, text):
        until = time.monotonic() + PATIENCE
        while not self.logged(text) and time.monotonic() < until:
            time.sleep(0.05)
        return self.logged(text)

    def reach(self, source="127.0.0.1"):
        return socket.create_connection(("127.0.0.1", self.port), PATIENCE, (source, 0))

    def transport(self):
        t = paramiko.Transport(self.reach())
        t.banner_timeout = t.handshake_timeout = t.auth_timeout = t.channel_timeout = PATIENCE
        return t

    def children(self):
        """Process numbers of the sessions."""
        pids = subprocess.run(["ps", "-o", "pid=", "--ppid", str(self.process.pid)], stdout=subprocess.PIPE, text=True).stdout.split()
        return {int(p) for p in pids} - {self.store}

    def login(self):
        t = self.transport()
        t.connect(username="volt", password="secret")
        return t

    def raw(self):
        """A channel on which SFTP has begun."""
        t = self.login()
        c = t.open_session()
        c.invoke_subsystem("sftp")
        c.settimeout(PATIENCE)
        c.sendall(packet(INIT, u32(3)))
        receive(c)
        return t, c


def u32(v):
    return struct.pack(">I", v)


def u64(v):
    return struct.pack(">Q", v)


def text(b):
    return u32(len(b)) + b


def packet(kind, body):
    return u32(len(body) + 1) + bytes([kind]) + body


def receive(c):
    """Type and body of the next packet; None at the end."""
    def exactly(n):
        got = b""
        while len(got) < n:
            piece = c.recv(n - len(got))
            if not piece:
                return None
            got += piece
        return got
    head = exactly(4)
    body = exactly(struct.unpack(">I", head)[0]) if head else None
    return (body[0], body[1:]) if body else None


def status(c):
    kind, body = receive(c)
    return struct.unpack(">I", body[4:8])[0] if kind == STATUS else None


def opened(c, path, flags):
    c.sendall(packet(OPEN, u32(1) + text(path) + u32(flags) + u32(0)))
    kind, body = receive(c)
    return body[4:] if kind == 102 else None  # with its length


def refused(call):
    try:
        call()
        return None
    except Exception as e:  # whatever the library makes of it
        return e


def before_login(rig):
    t = rig.transport()
    t.start_client()
    ok(refused(lambda: t.open_session(timeout=2)) is not None, "no channel without a log-in")
    t.close()
    for password in ("wrong", "", "x" * 5000):
        t = rig.transport()
        e = refused(lambda: t.connect(username="volt", password=password))
        ok(isinstance(e, paramiko.SSHException), f"a password of {len(password)} wrong bytes", e)
        t.close()
    key = paramiko.RSAKey.generate(2048)
    t = rig.transport()
    ok(refused(lambda: t.connect(username="volt", pkey=key)) is not None, "a stranger's key")
    t.close()
    with rig.reach() as s:
        data = refused(lambda: s.sendall(b"GET / HTTP/1.1\r\n\r\n" * 10000) or [None for _ in iter(lambda: s.recv(9999), b"")])
        ok(data is None or isinstance(data, ConnectionError), "garbage instead of SSH ends the connection", data)


def other_requests(rig):
    t = rig.login()
    for what, ask in (("command", lambda c: c.exec_command("id")), ("shell", lambda c: c.invoke_shell()),
                      ("program that is called like the server's, but for its ending", lambda c: c.exec_command("/bin/sftp-server.sh"))):
        c = t.open_session()
        c.settimeout(PATIENCE)
        ask(c)
        said = c.makefile_stderr().read()
        ok(b"SFTP mailbox" in said and c.recv_exit_status() == 1 and c.recv(1) == b"", f"no {what}, which is said in words", said)
    c = t.open_session()
    c.exec_command("/usr/lib/openssh/sftp-server -l INFO")
    c.sendall(packet(INIT, u32(3)))
    ok(receive(c)[0] == 2, "SFTP by the path of a server's program")
    ok(refused(lambda: c.exec_command("id")) is not None, "and nothing else on that channel")
    t.close()
    t = rig.login()
    ok(refused(lambda: t.open_channel("direct-tcpip", ("127.0.0.1", 22), ("127.0.0.1", 1))) is not None, "no forwarding")
    ok(refused(lambda: t.request_port_forward("127.0.0.1", 0)) is not None, "no listening for others")
    t.close()


def packets(rig):
    t, c = rig.raw()
    c.sendall(u32(256 << 20) + bytes([WRITE]) + b"x" * 1000)
    ok(c.recv(1) == b"", "a packet of 256 MiB ends the session")
    ok(rig.wait_logged("protocol-error"), "and is logged")
    t.close()
    t, c = rig.raw()
    c.sendall(packet(99, u32(7)))
    ok(status(c) == 8, "an unknown request is answered as unsupported")
    c.sendall(packet(OPEN, u32(8)))
    ok(status(c) == 5, "a request cut short is answered as such")
    for path in (b"/../../../etc/passwd", b"/in/../../etc/passwd", b"/out/order.edi\0", b"/proc/self/mem", b"/in/" + b"x" * 256, b"/" * 2000):
        ok(opened(c, path, 1) is None, f"not opened: {path[:30]!r}")
    t.close()


def handles(rig):
    t, c = rig.raw()
    n = 0
    while n < 10000 and opened(c, b"/out/order.edi", 1):
        n += 1
    ok(0 < n < 10000, f"handles end at {n}")
    t.close()


def wait_until(condition):
    deadline = time.monotonic() + PATIENCE
    while not (value := condition()) and time.monotonic() < deadline:
        time.sleep(0.01)
    return value


def begun(t, window=None):
    """One more channel of a connection on which SFTP has begun."""
    c = t.open_session(window_size=window)
    c.invoke_subsystem("sftp")
    c.settimeout(PATIENCE)
    c.sendall(packet(INIT, u32(3)))
    receive(c)
    return c


def close_early(t):
    """Asks for much, and closes the channel at once."""
    c = begun(t, 1 << 30)
    h = opened(c, b"/out/order.edi", 1)
    for _ in range(50):
        c.sendall(packet(READ, u32(2) + h + u64(0) + u32(32768)) * 40)
    c.close()


def channels(rig):
    """Several conversations over one connection."""
    t, first = rig.raw()
    second = begun(t)
    h = opened(first, b"/out/order.edi", 1)
    for i in range(40):
        first.sendall(packet(READ, u32(i) + h + u64(0) + u32(261120)))  # more than its window takes, and nothing is read
    wait_until(lambda: len(first.in_buffer) > first.in_window_size - 1000)  # what it has read already counts, too
    ok(opened(second, b"/out/order.edi", 1) is not None, "a channel that nobody reads doesn't hold up another one")
    got = [receive(first) for _ in range(40)]
    ok(all(g[0] == 103 and len(g[1]) == 261120 + 8 for g in got) and [struct.unpack(">I", g[1][:4])[0] for g in got] == list(range(40)),
       "and all that was asked for comes when it is read")
    gone = refused(lambda: [close_early(t) for _ in range(3)] + [opened(second, b"/out/nothing", 1)])
    ok(gone is None, "a channel that is closed before its answers were sent ends no other", gone)
    while opened(second, b"/out/order.edi", 1):
        pass
    ok(opened(first, b"/out/order.edi", 1) is None, "files that are open on one count for the other")
    second.close()
    ok(wait_until(lambda: opened(first, b"/out/order.edi", 1)), "until it is closed")
    more = [begun(t) for _ in range(9)]
    ok(refused(lambda: t.open_session(timeout=PATIENCE)) is not None and rig.wait_logged("event=channel-refused"), "no eleventh channel at one time")
    ok(all(opened(c, b"/out/nothing", 1) is None for c in more), "the ten others answer")
    h = opened(more[0], b"/in/left.edi", 0x1A)
    more[0].sendall(packet(WRITE, u32(2) + h + u64(0) + text(b"ISA" * 1000)))
    status(more[0])
    for c in [first, *more]:
        c.close()
    ok(rig.wait_logged("event=unfinished name=left.edi bytes=3000"), "what was being uploaded when its channel was closed is kept")
    ok(opened(begun(t), b"/out/order.edi", 1) is not None, "and when all have been closed, another one may begin")
    t.close()


def flood(rig):
    """Asks for gigabytes and reads nothing."""
    t, c = rig.raw()
    h = opened(c, b"/out/order.edi", 1)
    c.settimeout(2)
    many = packet(READ, u32(2) + h + u64(0) + u32(261120)) * 1000
    sent = 0
    try:
        while sent < 500000:
            c.sendall(many)
            sent += 1000
    except (socket.timeout, OSError):
        pass
    ok(sent < 500000, f"requests are taken no faster than answers are read (stopped after {sent})")
    children = subprocess.run(["ps", "-o", "rss=", "--ppid", str(rig.process.pid)], stdout=subprocess.PIPE, text=True).stdout.split()
    ok(max(map(int, children)) < 200000, "and its session stays small", children)
    other = rig.login()
    ok(paramiko.SFTPClient.from_transport(other).listdir("/out") != [], "another session goes on meanwhile")
    other.close()
    t.close()


def links_and_names(rig):
    """SYMLINK, READLINK and OpenSSH's hardlink; names that mean something elsewhere."""
    t, c = rig.raw()
    for what, body, expected in (("SYMLINK", bytes([20]) + u32(5) + text(b"/in/link") + text(b"/etc/passwd"), 8),
                                 ("READLINK", bytes([19]) + u32(5) + text(b"/out/order.edi"), 8),
                                 ("hardlink", bytes([200]) + u32(5) + text(b"hardlink@openssh.com") + text(b"/out/order.edi") + text(b"/in/x"), 8),
                                 ("an unknown extension", bytes([200]) + u32(5) + text(b"copy-data") + b"x" * 40, 8)):
        c.sendall(u32(len(body)) + body)
        ok(status(c) == expected, f"{what} is refused")
    for path in (b"/out/archive/../../../etc/passwd", b"//out///./../../etc", b"/in/..", b"/out/order.edi/x", b"/in/archive/9999-99-99/x"):
        ok(opened(c, path, 1) is None, f"not opened: {path!r}")
    ok(opened(c, b"/in/" + b"a/" * 300 + b"x", 0x1A) is None, "no deep folders")
    t.close()


def kernel_says(rig):
    """/proc/PID/status of a session: a seccomp filter, no capability, no way to get one; and little memory."""
    before = rig.children()
    t, c = rig.raw()
    session, = rig.children() - before
    with open(f"/proc/{session}/status") as f:
        fields = {name: value.strip() for name, _, value in (line.partition(":") for line in f)}
    ok(SANITIZED or fields["Seccomp"].strip() == "2", "a session has a seccomp filter", fields.get("Seccomp"))
    for name in ("CapEff", "CapPrm", "CapInh", "CapAmb"):
        ok(int(fields[name], 16) == 0, f"a session has no capability ({name})", fields[name])
    ok(fields["NoNewPrivs"].strip() == "1", "and gets none")
    with open(f"/proc/{session}/limits") as f:
        limits = f.read()
    ok("Max core file size        0" in limits, "no core dumps")
    ok(SANITIZED or "Max address space         268435456" in limits, "its address space is bounded", limits)
    ok(sorted(os.listdir(f"/proc/{session}/fd"), key=int)[-1:] < ["9"] and len(os.listdir(f"/proc/{session}/fd")) <= 8, "it holds a handful of descriptors",
       os.listdir(f"/proc/{session}/fd"))
    t.close()


def window(rig):
    """Data beyond the window that the server gave: SSH itself is broken, not SFTP. Memory stays bounded, others go on."""
    t, c = rig.raw()
    h = opened(c, b"/in/flood.edi", 0x1A)
    c.out_window_size = 1 << 40  # paramiko no longer waits for WINDOW_ADJUST
    c.settimeout(2)
    piece = packet(WRITE, u32(2) + h + u64(0) + text(b"x" * 30000))
    sent, peak = 0, 0
    try:
        while sent < 300 << 20:
            c.sendall(piece)
            sent += len(piece)
            if sent % (len(piece) * 500) == 0:
                rss = subprocess.run(["ps", "-o", "rss=", "--ppid", str(rig.process.pid)], stdout=subprocess.PIPE, text=True).stdout.split()
                peak = max([peak, *map(int, rss)])
    except (socket.timeout, OSError, EOFError, paramiko.SSHException):
        pass
    ok(SANITIZED or peak < 270000, f"a flood beyond the window ({sent >> 20} MiB sent) stays within the session's bound", peak)
    other = rig.login()
    ok("order.edi" in paramiko.SFTPClient.from_transport(other).listdir("/out"), "and another session goes on")
    other.close()
    t.close()


def slow_readers(rig):
    """Who reads a byte now and then is served, and holds up nobody."""
    t, c = rig.raw()
    h = opened(c, b"/out/order.edi", 1)
    for i in range(40):
        c.sendall(packet(READ, u32(i) + h + u64(i * 1000) + u32(200000)))
    got = b"".join(c.recv(1) for _ in range(50))
    other = rig.login()
    names = paramiko.SFTPClient.from_transport(other).listdir("/out")
    ok(len(got) == 50 and "order.edi" in names, "a slow reader holds up nobody else", names)
    other.close()
    t.close()


def uploads(rig):
    t, c = rig.raw()
    h = opened(c, b"/in/vanished.edi", 0x1A)
    c.sendall(packet(WRITE, u32(2) + h + u64(0) + text(b"ISA" * 1000)))
    ok(status(c) == 0, "a write is answered")
    t.sock.shutdown(socket.SHUT_RDWR)
    t.close()
    ok(rig.wait_logged("event=upload-abandoned") and not rig.logged("event=committed name=vanished.edi"), "a client that vanishes leaves no message")
    ok(rig.wait_logged("event=unfinished name=vanished.edi bytes=3000"), "but what it sent waits to be resumed")
    t, c = rig.raw()
    h = opened(c, b"/in/vanished.edi", 0x0A)
    c.sendall(packet(WRITE, u32(2) + h + u64(3000) + text(b"END")) + packet(CLOSE, u32(3) + h))
    ok([status(c), status(c)] == [0, 0] and rig.wait_logged(hashlib.sha256(b"ISA" * 1000 + b"END").hexdigest()), "and is resumed, whole")
    t.close()

    data = os.urandom(3000000)
    t, c = rig.raw()
    h = text(u32(0) + u32(1))
    c.sendall(packet(OPEN, u32(1) + text(b"/in/pipelined.edi") + u32(0x1A) + u32(0)) +
              b"".join(packet(WRITE, u32(2) + h + u64(i) + text(data[i:i + 100000])) for i in range(0, len(data), 100000)) +
              packet(CLOSE, u32(3) + h))
    c.shutdown_write()
    while receive(c):
        pass
    ok(c.recv_exit_status() == 0, "requests without waiting, then the end: served to the last")
    ok(rig.wait_logged(f"name=pipelined.edi bytes=3000000 sha256={hashlib.sha256(data).hexdigest()}"), "and taken whole")
    t.close()

    t, c = rig.raw()
    h = opened(c, b"/in/hole.edi", 0x1A)
    c.sendall(packet(WRITE, u32(2) + h + u64(100) + text(b"late")) + packet(CLOSE, u32(3) + h))
    ok(status(c) == 0 and status(c) == 4, "a file with a hole is refused when it is closed")
    h = opened(c, b"/in/disorder.edi", 0x1A)
    c.sendall(packet(WRITE, u32(2) + h + u64(3) + text(b"def")) + packet(WRITE, u32(3) + h + u64(0) + text(b"abc")) + packet(CLOSE, u32(4) + h))
    ok([status(c) for _ in range(3)] == [0, 0, 0], "one written in disorder is taken")
    ok(rig.wait_logged(hashlib.sha256(b"abcdef").hexdigest()), "with the right hash")
    ok(opened(c, b"/out/new.edi", 0x1A) is None and opened(c, b"/new.edi", 0x1A) is None, "nothing is written outside /in")
    t.close()


def lost_store(folder):
    rig = Rig(folder)
    t, c = rig.raw()
    h = opened(c, b"/in/lost.edi", 0x1A)
    c.sendall(packet(WRITE, u32(2) + h + u64(0) + text(b"ISA")))
    status(c)
    os.kill(rig.store, 9)
    answered = None
    try:
        c.sendall(packet(CLOSE, u32(3) + h))
        answered = receive(c)
    except (OSError, EOFError):
        pass
    ok(answered is None or struct.unpack(">I", answered[1][4:8])[0] != 0, "no close is confirmed once the store is gone", answered)
    ok(rig.wait_logged("event=session-end"), "and the session ends")
    told = b""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:  # the listener may learn of it a moment after the session did
        with rig.reach() as s:
            try:
                told = s.recv(200)
            except OSError:
                pass
        if b"try again later" in told:
            break
        time.sleep(0.1)
    ok(b"try again later" in told, "new connections are told so", told)
    t.close()
    rig.stop()


def closed(s):
    """Has the server ended the connection?"""
    try:
        while s.recv(9999):
            pass
        return True
    except socket.timeout:
        return False
    except OSError:
        return True


def limits(folder):
    rig = Rig(folder, SFTP_RIG_SESSIONS="3")
    three = [rig.login(), rig.reach(), rig.reach()]
    with rig.reach() as s:
        ok(b"Too many connections from your address" in s.recv(200), "sessions of one address are bounded")
    for s in three:
        s.close()
    rig.stop()

    rig = Rig(folder, SFTP_RIG_CONNECTIONS="3", SFTP_RIG_ENTRIES="50", SFTP_RIG_LISTED="20")
    three = [rig.login(), rig.reach("127.0.0.2"), rig.reach("127.0.0.3")]
    with rig.reach("127.0.0.4") as s:
        ok(b"Too many connections: try again later" in s.recv(200), "and so are all together")
    listed = paramiko.SFTPClient.from_transport(three[0]).listdir("/out")
    ok(len(listed) == 20, "a listing ends where it may", len(listed))
    for s in three:
        s.close()
    rig.stop()

    rig = Rig(folder)
    t, tries = rig.transport(), 0
    t.start_client()
    while tries < 20:
        tries += 1
        try:
            t.auth_password("volt", "wrong", fallback=False)
        except paramiko.AuthenticationException:
            pass
        except (paramiko.SSHException, EOFError, OSError):
            break
        if not t.is_active():
            break
    ok(rig.wait_logged("Too many failed log-ins") and tries in (6, 7), "after six failed log-ins the connection ends", tries)
    t.close()
    rig.stop()
    rig = Rig(folder, SFTP_RIG_GRACE="1")
    with rig.reach() as silent:
        ok(closed(silent), "who doesn't log in is sent away")
    rig.stop()
    rig = Rig(folder, SFTP_RIG_IDLE="2")
    until, idle = time.monotonic() + PATIENCE, None
    while not idle and time.monotonic() < until:
        try:
            idle = rig.login()
        except (paramiko.SSHException, EOFError, OSError):
            pass  # so slow that this was idle already
    while idle.is_active() and time.monotonic() < until:
        time.sleep(0.1)
    ok(not idle.is_active(), "who does nothing is sent away")
    rig.stop()
    rig = Rig(folder, SFTP_RIG_TOTAL="3")
    until, answers = time.monotonic() + PATIENCE, 0
    t, c = rig.raw()
    try:
        while time.monotonic() < until:  # never idle
            h = opened(c, b"/out/order.edi", 1)
            c.sendall(packet(CLOSE, u32(2) + h))
            answers += status(c) == 0
            time.sleep(0.05)
    except (OSError, EOFError, TypeError, struct.error):
        pass
    ok(answers and rig.wait_logged("the session lasted too long"), f"who never ends is sent away, busy or not (after {answers} answers)")
    t.close()
    rig.stop()


def full_disk(folder):
    """A file that would eat into what must stay free is refused on the way, not when all of it was sent."""
    rig = Rig(folder, SFTP_RIG_RESERVE=str(1 << 60))
    t, c = rig.raw()
    h = opened(c, b"/in/endless.edi", 0x1A)
    sent, answer = 0, 0
    while answer == 0 and sent < 64 << 20:
        c.sendall(packet(WRITE, u32(2) + h + u64(sent) + text(b"x" * 250000)))
        sent += 250000
        answer = status(c)
    ok(answer == 4 and 16 << 20 <= sent < 20 << 20, f"an upload into a full disk ends after {sent >> 20} MiB", answer)
    c.sendall(packet(CLOSE, u32(3) + h))
    ok(status(c) == 4 and rig.wait_logged("has no room left") and not rig.logged("event=committed"), "and is not taken")
    t.close()
    rig.stop()


def list_with_openssh(rig, key):
    done = subprocess.run(["sftp", "-q", "-b", "-", *SSH_OPTIONS, "-i", key, "-P", str(rig.port), "volt@127.0.0.1"], input=b"ls -1 /out\n",
                          stdout=subprocess.PIPE)
    return [os.path.basename(x) for x in done.stdout.decode().split() if x.startswith("/out/")]


def list_with_lftp(rig, key):
    connect = f"set sftp:connect-program 'ssh -a -x -i {key} {' '.join(SSH_OPTIONS)}'"
    done = subprocess.run(["lftp", "--norc", "-c", f"{connect}; open -u volt, -p {rig.port} sftp://127.0.0.1; cls -1 /out; bye"], stdout=subprocess.PIPE)
    return [os.path.basename(x) for x in done.stdout.decode().split()]


def list_with_rclone(rig, key):
    done = subprocess.run(["rclone", "--config", "/dev/null", "--sftp-host", "127.0.0.1", "--sftp-port", str(rig.port), "--sftp-user", "volt",
                           "--sftp-key-file", key, "--sftp-disable-hashcheck", "lsf", ":sftp:/out"], stdout=subprocess.PIPE)
    return done.stdout.decode().split()


def long_listing(folder, count=int(os.environ.get("VAN_LISTING", "100000"))):
    """Real clients list a folder of many files with long names. A session holds one page of it at a time."""
    rig = Rig(folder, SFTP_RIG_ENTRIES=str(count), SFTP_RIG_IDLE="300")
    expected = [f"entry-{i:06d}-{i:0200d}.edi" for i in range(count)] + ["order.edi"]
    key = os.path.join(folder, "key")
    for program, listing in (("sftp", list_with_openssh), ("lftp", list_with_lftp), ("rclone", list_with_rclone)):
        if not shutil.which(program):
            print(f"# {program} is not installed")
            continue
        start = time.monotonic()
        listed = listing(rig, key)
        ok(sorted(listed) == expected, f"{program} lists {count} files ({time.monotonic() - start:.1f} s)", (len(listed), listed[:2]))
    t = rig.login()
    listed = paramiko.SFTPClient.from_transport(t).listdir("/out")
    ok(listed == expected, f"paramiko lists {count} files, in the order of their names", len(listed))
    t.close()
    rig.wait_logged("event=session-end")
    time.sleep(0.5)
    with open(rig.log.name, "rb") as f:
        peaks = [int(x) for x in re.findall(rb"event=session-end.*?memory_kb=(\d+)", f.read())]
    # five MiB, however many files; their names alone would be ten
    ok(peaks and max(peaks) < (200000 if SANITIZED else 12000), f"no session took more than {max(peaks, default=0)} KiB", peaks)
    rig.stop()


def main():
    with tempfile.TemporaryDirectory(prefix="openvan-sftp-") as folder:
        rig = Rig(folder)
        for check in (before_login, other_requests, packets, links_and_names, kernel_says, handles, channels, uploads, flood, window, slow_readers):
            check(rig)
        ok(not rig.logged("session-crashed"), "no session crashed")
        rig.stop()
        lost_store(folder)
        long_listing(folder)
        limits(folder)
        full_disk(folder)
    finish()


main()
