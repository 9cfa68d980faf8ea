#!/usr/bin/python3
"""Who may log in to a mailbox, how much it may use, and what becomes of those who may not: keys, passwords, both,
keyboard-interactive, certificates, addresses, limits, bans, the PROXY protocol, host keys that change."""

import base64
import logging
import os
import re
import shutil
import socket
import struct
import sys
import tempfile
import time
import warnings

import demo
import tap

try:
    import paramiko
except ImportError:
    tap.skip_all("no paramiko")

logging.getLogger("paramiko").addHandler(logging.NullHandler())
logging.getLogger("paramiko").propagate = False
t = tap.Tap()
PASSWORD = "correct horse 7"
PROXY_PORT = "proxied"


def hashed(password):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import crypt
    return crypt.crypt(password, "$y$j9T$F5Jx5fExrKuPp53xLKQ..1$")


def keygen(n, name, kind="ed25519", *options):
    path = os.path.join(n.root, "peers", name)
    if not os.path.exists(path):
        demo.run(["ssh-keygen", "-q", "-t", kind, "-N", "", "-C", name, "-f", path, *options])
    return path, demo.read(path + ".pub").decode().strip()


def profile(n, user, text):
    """Applies a partner with one mailbox whose settings are `text`, at six blanks."""
    path = os.path.join(n.root, f"{user}.yaml")
    with open(path, "w") as f:
        f.write(f"""kind: partner
id: {user}
name: {user}
identities: [{{standard: x12, id: "ZZ:{user.upper()}", connection: {user}-sftp}}]
connections:
  - id: {user}-sftp
    protocol: sftp-mailbox
    user: {user}
""" + text)
    return n.apply_profiles(path)


def reach(n, port=PROXY_PORT, source="127.0.0.1"):
    return socket.create_connection(("127.0.0.1", n.ports[port]), demo.PATIENCE, (source, 0))


def connect(n, port="sftp", header=b"", source="127.0.0.1"):
    s = reach(n, port, source)
    s.sendall(header)
    return demo.sftp_transport(s)


def log_in(n, user, key=None, password=None, interactive=None, port="sftp", header=b""):
    """A transport that is logged in; an exception of paramiko's when not."""
    tr = connect(n, port, header)
    try:
        tr.start_client(timeout=demo.PATIENCE)
        left = None
        if key:
            left = tr.auth_publickey(user, key)
        if password:
            left = tr.auth_password(user, password, fallback=False)
        if interactive:
            left = tr.auth_interactive(user, lambda title, text, prompts: [interactive for _ in prompts])
        if left or not tr.is_authenticated():
            raise paramiko.AuthenticationException(f"still wanted: {left}")
        return tr
    except Exception:
        tr.close()
        raise


def refused(*arguments, **options):
    """The exception, or None when the log-in succeeds."""
    try:
        log_in(*arguments, **options).close()
        return None
    except (paramiko.SSHException, EOFError, OSError) as e:
        return e


def pkey(path):
    return paramiko.Ed25519Key.from_private_key_file(path)


def ssh(n, user, *options):
    """OpenSSH's client: its exit status and what it says."""
    done = demo.run(["sftp", "-q", "-b", "-", "-P", n.ports["sftp"], "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null",
                     "-o", "IdentitiesOnly=yes", "-o", "PasswordAuthentication=no", "-o", "KbdInteractiveAuthentication=no", *options,
                     f"{user}@127.0.0.1"], check=False, input=b"ls\n")
    return done


# made by the argon2 program (-id -t 2 -m 14 -p 2, -i -t 2 -m 12 -p 1) of PASSWORD
ARGON2 = ("$argon2id$v=19$m=16384,t=2,p=2$c29tZXNhbHQxNmJ5dGVz$08ucpyzsEV4ckmNFHTmW12ArwhEntSkPMxAJsfPmFV8",
          "$argon2i$v=19$m=4096,t=2,p=1$c29tZXNhbHQxNmJ5dGVz$kt6LrEM7ySsXTJqSGeDbLjhGUMG3hwgN7rTN4Ecg8Ls")


def password_hashes(n):
    """Each kind that a profile may have; the password itself is never one."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import crypt
    kinds = {"yescrypt": hashed(PASSWORD), "scrypt": crypt.crypt(PASSWORD, "$7$CU..../....2Q9obwLhin8qvQl6sisAO/$")}
    with open(os.path.join(demo.BUILD, "config.h")) as f:
        if "#define HAVE_ARGON2 1" in f.read():
            kinds.update(zip(("argon2id", "argon2i"), ARGON2))
    for kind, value in kinds.items():
        said = profile(n, "hashes", f'    password: "{value}"\n')
        t.ok(b"warning" not in said.stderr and not refused(n, "hashes", password=PASSWORD), f"a password kept as {kind}", said.stderr)
        t.ok(refused(n, "hashes", password=PASSWORD + "x"), f"another is refused: {kind}")
    for bad in (PASSWORD, "$1$abc$0123456789", "$6$saltsalt$" + "x" * 86):
        said = refused_profile(n, "hashes", f'    password: "{bad}"\n')
        t.ok(b"must be a yescrypt" in said, f"a profile with {bad[:8]}… is refused", said)


def refused_profile(n, *arguments):
    """What vanctl says of a profile that is not taken."""
    try:
        profile(n, *arguments)
        return b""
    except RuntimeError as error:
        return str(error).encode()


def keys_and_passwords(n):
    one, one_pub = keygen(n, "one")
    two, two_pub = keygen(n, "two")
    old, old_pub = keygen(n, "old")
    soon, soon_pub = keygen(n, "soon")
    profile(n, "several", f"""    keys:
      - "{one_pub}"
      - {{key: "{two_pub}", from: 2020-01-01, until: 2099-01-01}}
      - {{key: "{old_pub}", until: 2020-01-01}}
      - {{key: "{soon_pub}", from: 2099-01-01}}
    password: "{hashed(PASSWORD)}"
""")
    t.equal([refused(n, "several", pkey(k)) is None for k in (one, two, old, soon)], [True, True, False, False], "several keys with from and until")
    t.ok(not refused(n, "several", password=PASSWORD), "password")
    t.ok(not refused(n, "several", interactive=PASSWORD), "keyboard-interactive")
    t.ok(refused(n, "several", interactive="wrong"), "keyboard-interactive with a wrong one")
    for kind, option in (("ecdsa", ["-b", "256"]), ("rsa", ["-b", "3072"]), ("ecdsa521", None)):
        path, pub = keygen(n, kind, kind.rstrip("521") if option is None else kind, *(option or ["-b", "521"]))
        profile(n, "kinds", f'    keys: ["{pub}"]\n')
        t.equal(ssh(n, "kinds", "-i", path).returncode, 0, f"a key of kind {kind}")
    dsa = ssh(n, "kinds", "-i", one)
    t.ok(dsa.returncode != 0, "another key is refused", dsa)

    profile(n, "both", f'    login: both\n    keys: ["{one_pub}"]\n    password: "{hashed(PASSWORD)}"\n')
    t.ok(refused(n, "both", pkey(one)), "both: the key alone is refused")
    t.ok(refused(n, "both", password=PASSWORD), "both: the password alone is refused")
    t.ok(not refused(n, "both", pkey(one), PASSWORD), "both: key, then password")
    t.ok(not refused(n, "both", pkey(one), None, PASSWORD), "both: key, then keyboard-interactive")
    t.ok(refused(n, "both", pkey(one), "wrong"), "both: key, then a wrong password")
    tr = connect(n)
    tr.start_client(timeout=demo.PATIENCE)
    left = tr.auth_password("both", PASSWORD, fallback=False)
    t.equal(list(left), ["publickey"], "both: after the password, a key is asked for")
    t.equal(list(tr.auth_publickey("both", pkey(one))), [], "both: password, then key")
    tr.close()
    profile(n, "both2", f'    login: both\n    keys: ["{two_pub}"]\n    password: "{hashed(PASSWORD)}"\n')
    tr = connect(n)
    tr.start_client(timeout=demo.PATIENCE)
    t.equal(sorted(tr.auth_publickey("both", pkey(one))), ["keyboard-interactive", "password"], "both: after the key, the password is asked for")
    try:
        tr.auth_password("both2", PASSWORD, fallback=False)
    except paramiko.SSHException:
        pass
    t.ok(not tr.is_authenticated(), "a half of one user and a half of another make no whole")
    tr.close()
    profile(n, "keyonly", f'    login: key\n    keys: ["{one_pub}"]\n    password: "{hashed(PASSWORD)}"\n')
    t.ok(refused(n, "keyonly", password=PASSWORD) and not refused(n, "keyonly", pkey(one)), "login: key refuses the password")
    profile(n, "passonly", f'    login: password\n    keys: ["{one_pub}"]\n    password: "{hashed(PASSWORD)}"\n')
    t.ok(refused(n, "passonly", pkey(one)) and not refused(n, "passonly", password=PASSWORD), "login: password refuses the key")


def certificates(n):
    """Each certificate is of a key pair of its own, since OpenSSH looks for NAME-cert.pub."""
    cas = {kind: keygen(n, f"ca-{kind}", kind, *options) for kind, options in
           (("ed25519", []), ("ecdsa", ["-b", "384"]), ("rsa", ["-b", "3072"]))}
    authorities = "".join(f'      - "{pub}"\n' for _, pub in cas.values())
    profile(n, "cert", f"    authorities:\n{authorities}    principals: [cert, edi-senders]\n")
    profile(n, "plain", f"    authorities:\n{authorities}")
    stranger, stranger_pub = keygen(n, "ca-stranger")
    number = [0]

    def certificate(ca, *options, kind="ed25519"):
        number[0] += 1
        path, _ = keygen(n, f"c{number[0]}", kind)
        demo.run(["ssh-keygen", "-q", "-s", ca, "-I", f"c{number[0]}", *options, path + ".pub"])
        return path

    for kind, (ca, _) in cas.items():
        t.equal(ssh(n, "cert", "-i", certificate(ca, "-n", "edi-senders", "-V", "+1h")).returncode, 0, f"a certificate signed by {kind}")
    ca = cas["ed25519"][0]
    for kind in ("ecdsa", "rsa"):
        t.equal(ssh(n, "cert", "-i", certificate(ca, "-n", "cert", "-V", "+1h", kind=kind)).returncode, 0, f"a certificate of a {kind} key")
    t.equal(ssh(n, "plain", "-i", certificate(ca, "-n", "plain,x", "-V", "+1h")).returncode, 0, "without principals in the profile, the user name counts")
    t.equal(ssh(n, "plain", "-i", certificate(ca, "-n", "plain", "-V", "+1h", "-O", "source-address=127.0.0.0/8,10.0.0.1")).returncode, 0, "source-address that fits")
    for what, path in (
            ("of an unknown authority", certificate(stranger, "-n", "plain", "-V", "+1h")),
            ("for another principal", certificate(ca, "-n", "other", "-V", "+1h")),
            ("without principals", certificate(ca, "-V", "+1h")),
            ("that is over", certificate(ca, "-n", "plain", "-V", "-2h:-1h")),
            ("that is not valid yet", certificate(ca, "-n", "plain", "-V", "+1h:+2h")),
            ("for other addresses", certificate(ca, "-n", "plain", "-V", "+1h", "-O", "source-address=192.0.2.0/24")),
            ("with a command", certificate(ca, "-n", "plain", "-V", "+1h", "-O", "force-command=/bin/sh")),
            ("of a host", certificate(ca, "-h", "-n", "plain", "-V", "+1h"))):
        t.ok(ssh(n, "plain", "-i", path).returncode != 0, f"a certificate {what} is refused")

    def shown(path, change):
        """The exception of a log-in with the changed certificate by a client that shows whatever it has; OpenSSH's would not."""
        with open(path + "-cert.pub", encoding="ascii") as f:
            fields = f.read().split(" ")
        blob = change(base64.b64decode(fields[1]))
        with open(path + "-shown.pub", "w", encoding="ascii") as f:
            f.write(" ".join([fields[0], base64.b64encode(blob).decode(), *fields[2:]]))
        key = pkey(path)
        key.load_certificate(path + "-shown.pub")
        return refused(n, "plain", key)

    def public(pub):
        return base64.b64decode(pub.split()[1])
    t.ok(not shown(certificate(ca, "-n", "plain", "-V", "+1h"), lambda b: b), "a certificate is taken as it is")
    for kind, (path, pub) in cas.items():
        t.ok(shown(certificate(path, "-n", "plein", "-V", "+1h"), lambda b: b.replace(b"plein", b"plain")), f"one that was changed after {kind} had signed it is refused")
    t.ok(shown(certificate(stranger, "-n", "plain", "-V", "+1h"), lambda b: b.replace(public(stranger_pub), public(cas["ed25519"][1]))),
         "one that names an authority which has not signed it is refused")
    small, small_pub = keygen(n, "ca-small", "rsa", "-b", "1024")
    t.ok(b"2048" in refused_profile(n, "small", f'    authorities:\n      - "{small_pub}"\n') or ssh(n, "small", "-i", certificate(small, "-n", "small", "-V", "+1h")).returncode != 0,
         "an authority with a short RSA key can let nobody in")
    lone, _ = keygen(n, "lone")
    t.ok(ssh(n, "plain", "-i", lone).returncode != 0, "a key without certificate is refused")
    t.ok(any(r["event"] == "login" for r in n.json("receipt", "list", "--limit", "1000")), "log-ins are receipts")


def opens(sftp, name):
    """What the server says of an upload before anything is sent; None when it takes it, empty."""
    try:
        sftp.open(name, "wb").close()
        return None
    except OSError as e:
        return (e.errno, str(e))


def closed(sftp, f):
    """What the server says of the close of an upload, which paramiko's own doesn't tell; None when it takes it."""
    try:
        sftp._request(paramiko.sftp.CMD_CLOSE, f.handle)
        return None
    except OSError as e:
        return str(e)


def usage(n, partner):
    return {k: v for k, v in n.json("mailbox", "usage", partner)[0].items() if k not in ("connection", "user")}


def counted_files(n, key, pub):
    """Empty files take no bytes, but places."""
    profile(n, "many", f'    keys: ["{pub}"]\n    limits: {{files: 3}}\n')
    shown = n.json("partner", "show", "many")
    t.ok("100000" in str(shown), "uploads in a day are bounded where the profile says nothing", shown)
    tr = log_in(n, "many", pkey(key))
    sftp = paramiko.SFTPClient.from_transport(tr)
    t.equal([opens(sftp, f"/in/{i}.tmp") for i in range(3)], [None] * 3, "three empty files of three")
    t.equal(usage(n, "many"), {"bytes": 0, "bytes_limit": None, "files": 3, "files_limit": 3, "uploads_today": 3, "uploads_today_limit": 100000},
            "vanctl mailbox usage")
    said = opens(sftp, "/in/3.tmp")
    t.ok(said and said[0] == 13 and "The mailbox holds as many files as it may (3): ask the network's operator" in said[1],
         "the fourth is refused when it is opened, with the reason", said)

    t.equal(opens(sftp, "/in/2.tmp"), None, "one that replaces another is taken")
    sftp.rename("/in/0.tmp", "/in/empty.edi")
    t.ok(opens(sftp, "/in/3.tmp"), "what became a message lies in the archive, and counts")
    sftp.remove("/in/1.tmp")
    t.equal((opens(sftp, "/in/3.tmp"), usage(n, "many")["files"]), (None, 3), "what was deleted counts no more")
    profile(n, "many", f'    keys: ["{pub}"]\n    limits: {{uploads: 7}}\n')
    tr.close()
    tr = log_in(n, "many", pkey(key))
    sftp = paramiko.SFTPClient.from_transport(tr)
    for _ in range(2):
        t.equal(opens(sftp, "/in/again.tmp"), None, "uploads of a day: the sixth, and the seventh")
        sftp.remove("/in/again.tmp")
    said = opens(sftp, "/in/again.tmp")
    t.ok(said and "The mailbox takes 7 files a day, and had them" in said[1], "the eighth is refused, though all were deleted", said)
    t.equal((usage(n, "many")["uploads_today"], usage(n, "many")["files"]), (7, 3), "vanctl mailbox usage counts those of today")
    profile(n, "many", f'    keys: ["{pub}"]\n    limits: {{files: 4}}\n')
    tr.close()
    tr = log_in(n, "many", pkey(key))
    sftp = paramiko.SFTPClient.from_transport(tr)
    both = [sftp.open(f"/in/large{i}.tmp", "wb") for i in range(2)]
    for f in both:
        f.write(b"x" * 123457)
    said = [closed(sftp, f) for f in both]
    t.ok(said[0] is None and "holds as many files as it may (4)" in (said[1] or ""), "of two that are sent at one time the second is refused when it is closed", said)
    left = demo.run(["find", n.dir, "-type", "f", "-path", "*/payload/*", "-size", "123457c"]).stdout.split()
    t.equal(len(left), 1, "and leaves no bytes behind")
    sftp.remove("/in/large0.tmp")
    shown = {folder: [e["name"] for e in n.json("mailbox", "list", "many", "--folder", folder)] for folder in ("out", "uploads", "in-archive", "out-archive", "archive")}
    t.equal(shown, {"out": [], "uploads": ["2.tmp", "3.tmp"], "in-archive": ["empty.edi"], "out-archive": [], "archive": ["empty.edi"]},
            "vanctl mailbox list shows them, each folder")
    tr.close()
    wrong = refused_profile(n, "many", f'    keys: ["{pub}"]\n    limits: {{files: -1}}\n')
    t.ok(b"files" in wrong, "a number that is none is refused where the profile is applied", wrong)


def addresses_and_limits(n):
    key, pub = keygen(n, "one")
    profile(n, "elsewhere", f'    keys: ["{pub}"]\n    addresses: [192.0.2.0/24, "2001:db8::/32"]\n')
    t.ok(refused(n, "elsewhere", pkey(key)), "from another address than the profile's: refused")
    profile(n, "here", f'    keys: ["{pub}"]\n    addresses: [192.0.2.0/24, 127.0.0.1]\n    limits: {{sessions: 2, storage: 64KiB}}\n')
    first, second = log_in(n, "here", pkey(key)), log_in(n, "here", pkey(key))
    third = refused(n, "here", pkey(key))
    t.ok(third, "a third session of two is refused", third)
    first.close()
    demo.wait_for("room", lambda: not refused(n, "here", pkey(key)))
    t.ok(True, "with one less there is room again")
    sftp = paramiko.SFTPClient.from_transport(second)
    with sftp.open("/in/a.tmp", "wb") as f:
        f.write(b"x" * 40000)
    n.keys["here"] = (key, pub)
    profile(n, "here", f'    keys: ["{pub}"]\n    limits: {{storage: 64KiB}}\n')
    said = n.sftp_put("here", b"x" * 40000, "/in/b.tmp", check=False)
    t.ok(said.returncode != 0 and demo.wait_for("the reason", lambda: "holds all it may" in n.log()),
         "storage: past it an upload is refused, with the reason", said)
    sftp.remove("/in/a.tmp")
    with sftp.open("/in/b.tmp", "wb") as f:
        f.write(b"x" * 40000)
    t.equal(sftp.stat("/in/b.tmp").st_size, 40000, "storage: what was deleted counts no more")
    second.close()
    counted_files(n, key, pub)
    profile(n, "bounded", f'    keys: ["{pub}"]\n    limits: {{storage: 2MiB}}\n')
    n.keys["bounded"] = (key, pub)
    profile(n, "short", f'    keys: ["{pub}"]\n    max_message: 1MiB\n')
    n.keys["short"] = (key, pub)
    for user, reason in (("bounded", "holds all it may"), ("short", "larger than this mailbox takes")):
        logged = len(n.log())
        said = n.sftp_put(user, b"x" * (40 << 20), "/in/much.tmp", check=False)
        demo.wait_for("the reason", lambda: reason in n.log()[logged:])
        taken = int(re.search(r"event=upload-refused .*bytes=(\d+)", n.log()[logged:]).group(1))
        t.ok(said.returncode != 0 and b"ermission denied" in said.stderr and taken <= 2 << 20,
             f"{user}: of 40 MiB that are too much the server writes {taken >> 10} KiB", said)
    kib = [int(line.split()[2]) for line in n.sftp("bounded", "df").stdout.decode().splitlines() if re.match(r"\s*\d", line)]
    t.equal(kib, [2048], "df tells how much the mailbox takes")
    tr = log_in(n, "bounded", pkey(key))
    f = paramiko.SFTPClient.from_transport(tr).open("/in/resumed.edi", "wb")
    f.set_pipelined(False)
    f.write(b"x" * 1500000)
    tr.sock.close()
    tr.close()
    demo.wait_for("what was sent", lambda: "resumed.edi" in n.sftp_list("bounded", "/in"))
    logged = len(n.log())
    with tempfile.NamedTemporaryFile(dir=n.root) as much:
        much.write(b"x" * (40 << 20))
        much.flush()
        said = n.sftp("bounded", f"reput {much.name} /in/resumed.edi", check=False)
    taken = int(re.search(r"event=upload-refused .*bytes=(\d+)", n.log()[logged:]).group(1))
    left = demo.run(["find", n.dir, "-type", "f", "-path", "*/payload/*", "-size", "+1400k", "-printf", "%s "]).stdout.split()
    t.ok(said.returncode != 0 and taken <= 2 << 20, f"of 40 MiB with which an upload goes on, the server writes {taken >> 10} KiB", said)
    t.equal(left, [b"1500000"], "and keeps what was there before")
    with tempfile.NamedTemporaryFile(dir=n.root) as whole:
        whole.write(b"x" * 1900000)
        whole.flush()
        done = n.sftp("bounded", f"reput {whole.name} /in/resumed.edi", check=False)
    t.ok(done.returncode == 0 and [m["bytes"] for m in n.messages("--partner", "bounded")] == [1900000],
         "what broke off doesn't count against the upload that goes on with it", done)
    profile(n, "slow", f'    keys: ["{pub}"]\n    limits: {{bandwidth: 1MiB}}\n')
    start = time.monotonic()
    tr = [log_in(n, "slow", pkey(key)) for _ in range(2)]
    for i, one in enumerate(tr):
        with paramiko.SFTPClient.from_transport(one).open(f"/in/{i}.tmp", "wb") as f:
            f.set_pipelined(True)
            f.write(os.urandom(2 << 20))
    seconds = time.monotonic() - start
    t.ok(seconds > 2.5, f"bandwidth: 4 MiB by two sessions at 1 MiB/s, all together, take {seconds:.1f} s")
    start = time.monotonic()
    for i, one in enumerate(tr):
        with paramiko.SFTPClient.from_transport(one).open(f"/in/{i}.tmp", "rb") as f:
            f.prefetch()
            f.read()
    seconds = time.monotonic() - start
    t.ok(seconds > 2.5, f"and to read them takes {seconds:.1f} s")
    for one in tr:
        one.close()


def v1(client):
    return f"PROXY TCP4 {client} 127.0.0.1 40000 2222\r\n".encode()


def v2(client, command=1):
    body = socket.inet_aton(client) + socket.inet_aton("127.0.0.1") + struct.pack(">HH", 40000, 2222)
    return b"\r\n\r\n\0\r\nQUIT\n" + bytes([0x20 | command, 0x11]) + struct.pack(">H", len(body)) + body


def greeted_byte_by_byte(n):
    with reach(n) as s:
        for byte in v2("192.0.2.7"):
            s.sendall(bytes([byte]))
            time.sleep(0.005)
        try:
            said = s.recv(100)
        except ConnectionError:
            said = b""
    return said.startswith(b"SSH-2.0-")


def proxies(n):
    key, pub = keygen(n, "one")
    profile(n, "behind", f'    keys: ["{pub}"]\n    addresses: [192.0.2.7]\n')
    for name, header in (("v1", v1("192.0.2.7")), ("v2", v2("192.0.2.7"))):
        t.ok(not refused(n, "behind", pkey(key), port=PROXY_PORT, header=header), f"PROXY {name}: the client's address counts")
    t.ok(refused(n, "behind", pkey(key), port=PROXY_PORT, header=v1("192.0.2.8")), "PROXY: another address is refused")
    t.ok(refused(n, "behind", pkey(key), header=v1("192.0.2.7")), "a PROXY header from who is no proxy is not believed")
    with socket.create_connection(("127.0.0.1", n.ports[PROXY_PORT]), demo.PATIENCE, ("127.200.0.1", 0)) as s:
        t.ok(s.recv(100).startswith(b"SSH-2.0-"), "nor waited for, also where others are proxies")
    for name, bad in (("none", b""), ("garbage", b"GET / HTTP/1.1\r\n\r\n"), ("v1 without an end", b"PROXY TCP4 " + b"1" * 200),
                      ("v1 with a name", b"PROXY TCP4 example.com 127.0.0.1 1 2\r\n"), ("v2 of 64 KiB", b"\r\n\r\n\0\r\nQUIT\n\x21\x11\xff\xff" + b"x" * 600)):
        s = reach(n)
        s.sendall(bad)
        try:
            got = s.recv(100)
        except ConnectionError:
            got = b""
        t.equal(got, b"", f"PROXY header: {name}: closed without a word")
        s.close()
    t.ok(demo.wait_for("one that is whole within five seconds", lambda: greeted_byte_by_byte(n)), "a header that comes byte by byte")


def bans(n):
    key, pub = keygen(n, "one")
    for user in ("victim", "neighbour"):
        profile(n, user, f'    keys: ["{pub}"]\n    password: "{hashed(PASSWORD)}"\n')

    def fail(user, times, **where):
        done = 0
        while done < times:
            tr = connect(n, **where)
            try:
                tr.start_client(timeout=demo.PATIENCE)
                for _ in range(5):
                    try:
                        tr.auth_password(user, "wrong", fallback=False)
                    except paramiko.AuthenticationException:
                        done += 1
            except (paramiko.SSHException, EOFError, OSError):
                done += 1
            tr.close()

    fail("victim", 100, port=PROXY_PORT, header=v1("198.51.100.1"))
    t.ok(refused(n, "victim", pkey(key), port=PROXY_PORT, header=v1("198.51.100.1")), "after 100 failures the name is banned at that address, whatever it proves")
    t.ok(not refused(n, "neighbour", pkey(key), port=PROXY_PORT, header=v1("198.51.100.2")), "another partner behind the same proxy is not")
    t.ok(not refused(n, "neighbour", pkey(key), port=PROXY_PORT, header=v1("198.51.100.1")), "nor another partner at the same address")
    t.ok(not refused(n, "victim", pkey(key)), "nor the same partner from its own address: nobody can lock it out")
    listed = n.json("ban", "list")
    t.equal([(b["network"], b["user"]) for b in listed], [("198.51.100.1", "victim")], "vanctl ban list shows it")
    n.stop()
    n.start()
    t.ok(refused(n, "victim", pkey(key), port=PROXY_PORT, header=v1("198.51.100.1")), "the ban survives a restart")
    n.vanctl("ban", "remove", "198.51.100.1", "--user", "victim")
    t.ok(not refused(n, "victim", pkey(key), port=PROXY_PORT, header=v1("198.51.100.1")), "vanctl ban remove lifts it")
    for i in range(26):
        fail(f"scanner{i}", 4, port=PROXY_PORT, header=v2("198.51.100.66"))
    t.ok(any(b["network"] == "198.51.100.66" and b["user"] is None for b in n.json("ban", "list")), "an address that tries unknown names is banned", n.json("ban", "list"))
    for i in range(26):
        fail(f"scanner{i}", 4, port=PROXY_PORT, header=v2("198.51.100.66", 0), source="127.0.0.77")
    t.ok(not any(b["network"] == "127.0.0.77" for b in n.json("ban", "list")), "a proxy that tells no client's address is not: it is the address of all", n.json("ban", "list"))

    def greeting():
        with reach(n) as s:
            s.sendall(v2("198.51.100.66"))
            return s.recv(200)
    t.ok(demo.wait_for("the listener to know", lambda: b"banned" in greeting()), "and told so at once")
    n.vanctl("ban", "add", "203.0.113.0/24", "--reason", "scans", "--for", "1h")
    t.ok(refused(n, "neighbour", pkey(key), port=PROXY_PORT, header=v1("203.0.113.9")), "an operator bans a network")
    t.ok(not refused(n, "neighbour", pkey(key), port=PROXY_PORT, header=v1("203.0.114.9")), "and only that")
    t.equal(n.vanctl("ban", "remove", "203.0.113.0/25", check=False).returncode, 1, "what is not banned can't be lifted")
    for options in ((), ("--user", "neighbour")):
        n.vanctl("ban", "add", "203.0.112.0/24", *options, "--for", "2s")
        demo.wait_for("the ban", lambda: refused(n, "neighbour", pkey(key), port=PROXY_PORT, header=v1("203.0.112.9")))
        demo.wait_for("its end", lambda: not refused(n, "neighbour", pkey(key), port=PROXY_PORT, header=v1("203.0.112.9")))
        t.ok(True, f"a ban of {options[1] if options else 'a network'} ends when it is over")
    events = [r["event"] for r in n.json("receipt", "list", "--limit", "1000")]
    t.ok(events.count("login-refused") >= 3, "refusals and bans are receipts", len(events))


def sessions_and_keys(n):
    key, pub = keygen(n, "one")
    new, new_pub = keygen(n, "newer")
    profile(n, "clerk", f'    keys: ["{pub}"]\n')
    tr = log_in(n, "clerk", pkey(key))
    listed = [s for s in n.json("session", "list") if s["user"] == "clerk"]
    t.ok(len(listed) == 1 and listed[0]["address"] == "127.0.0.1" and listed[0]["method"].startswith("key SHA256:"), "vanctl session list", listed)
    n.vanctl("session", "kill", str(listed[0]["id"]))
    demo.wait_for("the end of the session", lambda: not tr.is_active())
    n.wait_sessions_over()
    t.ok(True, "vanctl session kill ends it")
    t.equal(n.vanctl("session", "kill", "999999", check=False).returncode, 1, "one that is not there: 1")

    n.vanctl("user", "key", "add", "clerk", new_pub)
    t.ok(not refused(n, "clerk", pkey(new)) and not refused(n, "clerk", pkey(key)), "vanctl user key add: both keys are good")
    t.equal(len(n.json("user", "key", "list", "clerk")), 2, "vanctl user key list")
    fingerprint = demo.run(["ssh-keygen", "-lf", key + ".pub"]).stdout.decode().split()[1]
    t.ok(fingerprint in [k["fingerprint"] for k in n.json("user", "key", "list", "clerk")], "with the fingerprints that ssh-keygen shows")
    n.vanctl("user", "key", "expire", "clerk", fingerprint)
    t.ok(refused(n, "clerk", pkey(key)) and not refused(n, "clerk", pkey(new)), "vanctl user key expire: at once")
    n.vanctl("user", "key", "remove", "clerk", fingerprint)
    t.equal(len(n.json("user", "key", "list", "clerk")), 1, "vanctl user key remove")
    t.equal(n.vanctl("user", "key", "remove", "clerk", fingerprint, check=False).returncode, 1, "twice: 1")
    t.equal(n.vanctl("user", "key", "add", "nobody", new_pub, check=False).returncode, 1, "an unknown user: 1")
    t.ok(b"ssh-ed25519" in n.vanctl("user", "key", "list", "clerk").stdout, "and as a table")


def sessions_end(n):
    """With the account, or with a ban that an operator makes; with nobody else's."""
    key, pub = keygen(n, "one")
    profile(n, "guest", f'    keys: ["{pub}"]\n')

    def ended(tr):
        demo.wait_for("the end of the session", lambda: not tr.is_active())
        return True
    tr = log_in(n, "guest", pkey(key), port=PROXY_PORT, header=v1("198.51.100.40"))
    other = log_in(n, "neighbour", pkey(key), port=PROXY_PORT, header=v1("198.51.100.41"))
    n.vanctl("ban", "add", "198.51.100.40/31", "--user", "guest")
    t.ok(ended(tr) and "this address is banned" in n.log(), "a ban ends the sessions it is about")
    t.ok(refused(n, "guest", pkey(key), port=PROXY_PORT, header=v1("198.51.100.41")), "and keeps that name out, from the whole network")
    t.ok(other.is_active() and not refused(n, "guest", pkey(key)), "not other names from there, nor that name from elsewhere")
    n.vanctl("ban", "remove", "198.51.100.40/31", "--user", "guest")
    tr = log_in(n, "guest", pkey(key))
    n.vanctl("partner", "disable", "guest")
    t.ok(ended(tr) and refused(n, "guest", pkey(key)), "disabling a partner ends its sessions, and lets nobody in")
    n.vanctl("partner", "enable", "guest")
    t.ok(not refused(n, "guest", pkey(key)) and other.is_active(), "enabled again it is let in")
    tr = log_in(n, "guest", pkey(key))
    path = os.path.join(n.root, "guest.yaml")
    text = demo.read(path).decode()
    with open(path, "w") as f:
        f.write(text.replace("guest-sftp", "guest-other"))
    n.apply_profiles(path)
    t.ok(ended(tr) and not refused(n, "guest", pkey(key)), "a name that belongs to another mailbox now leaves the former one")
    other.close()


def access_taken_away(n):
    """What a session was opened with is taken away: it ends, at once, and with a receipt. Those that were opened otherwise go on."""
    one, one_pub = keygen(n, "one")
    two, two_pub = keygen(n, "newer")
    ca, ca_pub = keygen(n, "ca-leaving")
    certified, _ = keygen(n, "leaver")
    demo.run(["ssh-keygen", "-q", "-s", ca, "-I", "leaver", "-n", "leaver", "-V", "+1h", certified + ".pub"])
    certificate = pkey(certified)
    certificate.load_certificate(certified + "-cert.pub")
    keys, authorities, password = f'["{one_pub}", "{two_pub}"]', f'["{ca_pub}"]', hashed(PASSWORD)

    def settings(keys=keys, authorities=authorities, password=password, more=""):
        profile(n, "leaver", f'    keys: {keys}\n    authorities: {authorities}\n    password: "{password}"\n{more}')

    def check(what, change, key_ends, certificate_ends, password_ends, reason):
        settings()
        since = n.json("receipt", "list", "--limit", "1")[0]["index"]
        open_ones = [log_in(n, "leaver", pkey(one)), log_in(n, "leaver", certificate), log_in(n, "leaver", password=PASSWORD), log_in(n, "leaver", pkey(two))]
        ends = [key_ends, certificate_ends, password_ends]
        change()
        wanted = [not e for e in ends]
        if wanted != [True] * 3:
            demo.wait_for(what, lambda: [tr.is_active() for tr in open_ones[:3]] == wanted)
        time.sleep(0.2)
        t.equal([tr.is_active() for tr in open_ones[:3]], wanted, f"{what}: which sessions go on (key, certificate, password)")
        found = demo.wait_for("receipts", lambda: [[x for x in leaves(n, since) if (x[2] or "").startswith("ended the SFTP session")]])[0]
        if reason:
            demo.wait_for("the receipts", lambda: sum((x[2] or "").startswith("ended the SFTP session of leaver from 127.0.0.1: " + reason)
                                                      for x in leaves(n, since)) >= sum(ends))
            t.ok(all(x[:2] == ("operator", "vand") for x in found) and reason in n.log(), f"{what}: a receipt for each, and the log", found)
        else:
            t.equal(found, [], f"{what}: no receipt of an end")
        for tr in open_ones:
            tr.close()
        n.wait_sessions_over()

    fingerprint = demo.run(["ssh-keygen", "-lf", one + ".pub"]).stdout.decode().split()[1]
    check("nothing of it changed", lambda: settings(more="    limits: {storage: 1GiB}\n"), False, False, False, None)
    check("the key removed", lambda: n.vanctl("user", "key", "remove", "leaver", fingerprint), True, False, False, "the key that this session")
    check("the key expired", lambda: n.vanctl("user", "key", "expire", "leaver", fingerprint), True, False, False, "the key that this session")
    check("the authority replaced", lambda: settings(authorities=f'["{one_pub}"]'), False, True, False, "the key that this session")
    check("other principals", lambda: settings(more="    principals: [others]\n"), False, True, False, "the key that this session")
    check("another password", lambda: settings(password=hashed("another")), False, False, True, "the password that this session")
    check("keys alone", lambda: settings(more="    login: key\n"), False, False, True, "the password that this session")
    check("both", lambda: settings(more="    login: both\n"), True, True, True, "this account needs a key and a password now")
    check("other addresses", lambda: settings(more="    addresses: [192.0.2.0/24]\n"), True, True, True, "this account may not log in from this address")


def limits_change(n):
    """Limits of a profile count for the sessions that are open, from the next file on."""
    key, pub = keygen(n, "one")

    def settings(more=""):
        profile(n, "shrinks", f'    keys: ["{pub}"]\n{more}')

    def put(sftp, size, name="/in/a.tmp"):
        try:
            with sftp.open(name, "wb") as f:
                f.set_pipelined(True)
                f.write(os.urandom(size))
            return sftp.stat(name).st_size == size  # paramiko tells nobody that a close was refused
        except OSError:
            return False

    settings()
    tr = log_in(n, "shrinks", pkey(key))
    sftp = paramiko.SFTPClient.from_transport(tr)
    t.ok(put(sftp, 200000), "without limits")
    for more, words in (("    max_message: 100KiB\n", "max_message"), ("    limits: {storage: 100KiB}\n", "storage"), ("    limits: {files: 1}\n", "files")):
        settings(more)
        t.ok(not put(sftp, 200000, "/in/b.tmp") and tr.is_active(), f"{words}: less is allowed, and the open session is held to it")
        settings()
        t.ok(put(sftp, 200000), f"{words}: and when more is allowed again, it may have it")
    settings("    limits: {bandwidth: 1MiB}\n")
    start = time.monotonic()
    t.ok(put(sftp, 3 << 20), "bandwidth")
    seconds = time.monotonic() - start
    t.ok(seconds > 1.5, f"bandwidth: 3 MiB at 1 MiB/s take {seconds:.1f} s")
    settings()
    start = time.monotonic()
    put(sftp, 6 << 20)
    faster = time.monotonic() - start
    t.ok(faster < 4, f"and 6 MiB without a limit {faster:.1f} s")
    tr.close()


def leaves(n, since):
    """The receipts after number `since`, as (event, actor, text)."""
    newest = n.json("receipt", "list", "--limit", "1")[0]["index"]
    return [tuple(n.json("receipt", "show", str(i))["leaf"].get(k) for k in ("event", "actor", "text")) for i in range(since + 1, newest + 1)]


def actions_are_receipts(n):
    key, pub = keygen(n, "one")
    _, other = keygen(n, "other")
    profile(n, "noted", f'    keys: ["{pub}"]\n    password: "{hashed(PASSWORD)}"\n')
    since = n.json("receipt", "list", "--limit", "1")[0]["index"]
    tr = log_in(n, "noted", pkey(key))
    refused(n, "noted", password="wrong")
    session = [s for s in n.json("session", "list") if s["user"] == "noted"][0]
    n.vanctl("session", "kill", str(session["id"]))
    demo.wait_for("the end of the session", lambda: not tr.is_active())
    n.vanctl("user", "key", "add", "noted", other)
    n.vanctl("ban", "add", "203.0.113.77", "--user", "noted", "--reason", "asked for", "--for", "1h")
    n.vanctl("ban", "remove", "203.0.113.77", "--user", "noted")
    n.wait_sessions_over()
    found = demo.wait_for("receipts", lambda: [x for x in [leaves(n, since)] if len(x) >= 6])[0]
    operator = f"uid {os.geteuid()}"
    for event, actor, text in (("login", "sftp user noted", "from 127.0.0.1: key SHA256:"), ("login-refused", "sftp user noted", "from 127.0.0.1: password"),
                               ("operator", operator, "ended the SFTP session of noted from 127.0.0.1"), ("profile-changed", operator, ""),
                               ("operator", operator, "banned 203.0.113.77 for user noted: asked for"),
                               ("operator", operator, "lifted the ban of 203.0.113.77 for user noted")):
        t.ok(sum(e == event and a == actor and (x or "").startswith(text) for e, a, x in found) == 1, f"a receipt: {event}: {text or 'a key was added'}", found)


def bad_arguments(n):
    """1: the answer is no; 2: nobody can know what was meant. One line, with a remedy."""
    key, _ = keygen(n, "one")
    for status, line in ((1, "mailbox list nobody"), (2, "mailbox list"), (2, "mailbox list beta --limit -1"), (1, "mailbox get beta nothing"), (1, "mailbox get nobody x"),
                         (2, "mailbox get beta"), (1, f"mailbox put nobody {key}"), (2, "mailbox put beta /nowhere"), (1, "mailbox put buyer-as2 " + key),
                         (2, "mailbox purge beta"), (1, "mailbox purge nobody --before 2020-01-01"), (2, "mailbox purge beta --before yesterday"),
                         (2, "mailbox purge beta --folder moon"), (2, "mailbox list beta --folder moon"), (1, "mailbox purge beta nothing"), (1, "mailbox restore nothing"), (1, "session kill 99x"),
                         (2, "session kill -1"), (2, "session kill"), (2, "session list all"), (2, "ban add 1.2.3"), (2, "ban add 192.0.2.1 --for 3x"),
                         (2, "ban add 192.0.2.1 --until soon"), (2, "ban remove here"), (1, "ban remove 192.0.2.99"), (1, "user key list nobody"),
                         (1, f"user key add nobody {key}.pub"), (1, f"user key add alpha {key}"), (2, "user key add alpha /nowhere"),
                         (1, "user key remove alpha SHA256:none"), (2, "user key expire alpha SHA256:none --at never"), (2, "user key turn alpha"), (2, "ban")):
        done = n.vanctl(*line.split(), check=False)
        said = done.stderr.decode()
        t.ok((done.returncode, said.count("\n"), done.stdout) == (status, 1, b"") and said.startswith("vanctl: "), f"{status}: vanctl {line}", (done.returncode, said))
    tr = log_in(n, "noted", pkey(key))
    session = [s for s in n.json("session", "list") if s["user"] == "noted"][0]["id"]
    n.vanctl("session", "kill", f"{session}x", check=False)
    t.ok(session in [s["id"] for s in n.json("session", "list")], "a number with something behind it ends no session")
    tr.close()


def delays(n):
    """Each failure of a name at an address is answered later than the one before; who knows the password doesn't wait."""
    text = demo.read(n.config).decode()
    with open(n.config, "w") as f:
        f.write(text.replace("failure_delay: 5ms", "failure_delay: 300ms"))
    n.vand.send_signal(1)

    def seconds(password):
        start = time.monotonic()
        refused(n, "noted", password=password)
        return time.monotonic() - start
    demo.wait_for("the new configuration", lambda: seconds("wrong") > 0.3)
    refused(n, "noted", password=PASSWORD)  # forgets the failures
    late = [seconds("wrong") for _ in range(4)]
    t.ok(all(x > 0.3 * (i + 1) for i, x in enumerate(late)), f"four failures take {', '.join(f'{x:.1f}' for x in late)} s", late)
    t.ok(not refused(n, "noted", password=PASSWORD), "and the right password is taken")


def host_keys(n):
    """Each kind is offered; SIGHUP takes new ones, sessions go on."""
    def offered(kind):
        done = demo.run(["ssh-keyscan", "-T", f"{demo.PATIENCE:g}", "-t", kind, "-p", n.ports["sftp"], "127.0.0.1"], check=False)
        found = re.findall(rb"(?:ssh-\S+|ecdsa-\S+) (AAAA\S+)", done.stdout)
        return found[0].decode() if found else None
    key, pub = keygen(n, "one")
    profile(n, "steady", f'    keys: ["{pub}"]\n')
    path = os.path.join(n.dir, "keys")
    text = demo.read(n.config).decode()
    present = re.search(r"host_keys: \[([^\]]*)\]", text).group(1)
    with open(n.config, "w") as f:
        f.write(text.replace(present, ", ".join(k for k in present.split(", ") if "ecdsa" not in k)))
    before = offered("ed25519")
    t.ok(before and offered("ecdsa") and offered("rsa"), "a new network has host keys of all kinds")
    session = log_in(n, "steady", pkey(key))
    demo.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", os.path.join(path, "next")])
    ed = re.search(r"(\S*ed25519\S*?)[,\s]", present + ",").group(1)
    os.replace(os.path.join(path, "next"), os.path.join(n.dir, ed))
    n.vand.send_signal(1)
    demo.wait_for("the new host key", lambda: offered("ed25519") not in (None, before), pause=0.3)
    t.ok(True, "SIGHUP: a new Ed25519 host key")
    t.ok(not offered("ecdsa"), "and the ECDSA key that was taken out is offered no more")
    t.ok(offered("rsa"), "RSA as before")
    t.ok(paramiko.SFTPClient.from_transport(session).listdir("/") == ["in", "out"], "the session that was there goes on")
    session.close()


def add_proxied_listener(n):
    """A second listener whose connections come from a proxy: this machine."""
    n.ports[PROXY_PORT] = demo.free_port()
    text = demo.read(n.config).decode()
    line = next(x for x in text.splitlines() if "host_keys" in x)
    other = re.sub(r"port:\s*\d+", f"port: {n.ports[PROXY_PORT]}", line).replace("host_keys", "proxies: [127.0.0.0/9], host_keys")
    with open(n.config, "w") as f:
        f.write(text.replace(line, line + "\n" + other) + "\nsftp: {failure_delay: 5ms}\n")


def main():
    if not demo.available():
        tap.skip_all("vand is not built")
    if not shutil.which("ssh-keygen"):
        tap.skip_all("no OpenSSH client programs")
    with demo.Network(keep="--keep" in sys.argv) as n:
        n.create()
        add_proxied_listener(n)
        n.start()
        n.apply_profiles()
        for group in (keys_and_passwords, password_hashes, certificates, addresses_and_limits, proxies, bans, sessions_and_keys, sessions_end, access_taken_away, limits_change, actions_are_receipts, bad_arguments, delays, host_keys):
            t.run(group, n)
        n.check_sound(t)
        n.tell(t)
    return t.done()


if __name__ == "__main__":
    sys.exit(main())
