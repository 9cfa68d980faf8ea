#!/usr/bin/python3
"""The SFTP mailbox by the software that partners have: OpenSSH, lftp, rclone, curl, paramiko, Node's ssh2-sftp-client, sshfs."""

import os
import shutil
import stat
import sys
import tempfile
import warnings

import demo
import tap
import x12

t = tap.Tap()
PASSWORD = "correct horse 7"


def give_password(n):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import crypt
    hashed = crypt.crypt(PASSWORD, "$y$j9T$F5Jx5fExrKuPp53xLKQ..1$")
    path = os.path.join(n.root, "profiles.yaml")
    with open(path) as f:
        text = f.read()
    text = text.replace("    user: beta\n", f"    user: beta\n    password: \"{hashed}\"\n", 1)
    with open(path, "w") as f:
        f.write(text)


def an_order_waits(n, control):
    payload = x12.order_850(demo.BUYER, demo.BETA, control, f"PO-C{control}", eol="\r\n")
    before = set(n.sftp_list("beta"))
    n.send(payload)
    return payload, demo.wait_for("order", lambda: sorted(set(n.sftp_list("beta")) - before))[0]


def arrived(n, ack):
    return demo.wait_for("the upload in the buyer's mailbox", lambda: ack in n.sftp_fetch("buyer").values())


def exercise(n, name, control, put, listing, get, remove):
    """Each client: sees the order, fetches it, deletes it, uploads a 997."""
    payload, file_name = an_order_waits(n, control)
    ack = x12.ack_997(demo.BETA, demo.BUYER, control, control)
    with tempfile.TemporaryDirectory(dir=n.root) as folder:
        fetched, upload = os.path.join(folder, "fetched.edi"), os.path.join(folder, "upload.edi")
        with open(upload, "wb") as f:
            f.write(ack)
        t.ok(file_name in listing(), f"{name}: lists what waits")
        get(f"/out/{file_name}", fetched)
        t.ok(os.path.exists(fetched) and demo.read(fetched) == payload, f"{name}: fetches the very bytes")
        remove(f"/out/{file_name}")
        t.ok(file_name not in n.sftp_list("beta"), f"{name}: deletes it")
        put(upload, f"/in/{name}-{control}.edi")
        t.ok(arrived(n, ack), f"{name}: uploads, and the upload becomes a message")


def openssh(n):
    exercise(n, "openssh", 601, lambda a, b: n.sftp("beta", f"put {a} {b}"), lambda: n.sftp("beta", "ls /out").stdout.decode(),
             lambda a, b: n.sftp("beta", f"get {a} {b}"), lambda a: n.sftp("beta", f"rm {a}"))
    done = n.sftp("beta", "ls -la /", "cd out", "pwd", "cd ../in", "pwd", "ls -l /out/archive", "ls -l /in/archive")
    t.ok(b"/out" in done.stdout and b"/in" in done.stdout, "openssh: walks the folders", done)
    if shutil.which("scp"):
        payload, file_name = an_order_waits(n, 602)
        target = os.path.join(n.root, "scp")
        options = [o if o != "-P" else "-P" for o in n.sftp_options("beta")]
        done = demo.run(["scp", "-s", "-q", *options, f"beta@127.0.0.1:/out/{file_name}", target], check=False)
        t.ok(done.returncode == 0 and demo.read(target) == payload, "scp over SFTP fetches", done)


def lftp(n):
    if not shutil.which("lftp"):
        raise tap.Skip("no lftp")
    connect = f"ssh -a -x -i {n.keys['beta'][0]} -o IdentitiesOnly=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR"

    def do(*commands):
        script = "; ".join([f"set sftp:connect-program '{connect}'", "set net:max-retries 1", "set cmd:fail-exit yes",
                            f"open -u beta, -p {n.ports['sftp']} sftp://127.0.0.1", *commands, "bye"])
        return demo.run(["lftp", "--norc", "-c", script]).stdout.decode()

    exercise(n, "lftp", 611, lambda a, b: do(f"put {a} -o {b}"), lambda: do("cls -1 /out"), lambda a, b: do(f"get {a} -o {b}"),
             lambda a: do(f"rm {a}"))


def rclone(n):
    if not shutil.which("rclone"):
        raise tap.Skip("no rclone")
    options = ["--config", "/dev/null", "--sftp-host", "127.0.0.1", "--sftp-port", str(n.ports["sftp"]), "--sftp-user", "beta", "--sftp-key-file",
               n.keys["beta"][0], "--retries", "1", "--low-level-retries", "1", "--sftp-disable-hashcheck"]

    def do(*arguments):
        return demo.run(["rclone", *options, *arguments]).stdout.decode()

    exercise(n, "rclone", 621, lambda a, b: do("copyto", a, f":sftp:{b}"), lambda: do("lsf", ":sftp:/out"), lambda a, b: do("copyto", f":sftp:{a}", b),
             lambda a: do("deletefile", f":sftp:{a}"))


def curl(n):
    if b"sftp" not in demo.run(["curl", "--version"]).stdout:
        raise tap.Skip("curl without SFTP")
    base = f"sftp://beta@127.0.0.1:{n.ports['sftp']}"
    options = ["curl", "-sS", "--insecure", "--key", n.keys["beta"][0], "--pubkey", n.keys["beta"][0] + ".pub"]
    exercise(n, "curl", 631, lambda a, b: demo.run([*options, "-T", a, base + b]), lambda: demo.run([*options, "-l", base + "/out/"]).stdout.decode(),
             lambda a, b: demo.run([*options, "-o", b, base + a]),
             lambda a: demo.run([*options, "-Q", f"rm {a}", base + "/out/", "-o", "/dev/null"]))


def paramiko_session(n, password=None):
    import paramiko
    transport = demo.sftp_transport(("127.0.0.1", n.ports["sftp"]))
    if password:
        transport.connect(username="beta", password=password)
    else:
        transport.connect(username="beta", pkey=paramiko.Ed25519Key.from_private_key_file(n.keys["beta"][0]))
    return transport, paramiko.SFTPClient.from_transport(transport)


def paramiko_(n):
    try:
        import paramiko
    except ImportError:
        raise tap.Skip("no paramiko")
    transport, sftp = paramiko_session(n)
    exercise(n, "paramiko", 641, sftp.put, lambda: sftp.listdir("/out"), sftp.get, sftp.remove)
    t.ok(stat.S_ISDIR(sftp.stat("/in").st_mode) and sftp.normalize(".") == "/", "paramiko: stat and realpath")
    transport.close()
    transport, sftp = paramiko_session(n, PASSWORD)
    t.ok("out" in sftp.listdir("/"), "paramiko: log-in with a password")
    transport.close()
    try:
        paramiko_session(n, "wrong")
        t.ok(False, "a wrong password is refused")
    except paramiko.AuthenticationException:
        t.ok(True, "a wrong password is refused")


NODE = """
const Client = require('ssh2-sftp-client'), fs = require('fs');
const [port, key, command, from, to] = process.argv.slice(2);
(async () => {
  const sftp = new Client();
  await sftp.connect({host: '127.0.0.1', port: +port, username: 'beta', privateKey: fs.readFileSync(key)});
  if (command === 'list') console.log((await sftp.list(from)).map(x => x.name).join('\\n'));
  if (command === 'put') await sftp.fastPut(from, to);
  if (command === 'append') await sftp.append(fs.createReadStream(from), to);
  if (command === 'get') await sftp.get(from, to);
  if (command === 'rename') await sftp.rename(from, to);
  if (command === 'stat') console.log((await sftp.stat(from)).size);
  if (command === 'delete') await sftp.delete(from);
  await sftp.end();
})().catch(e => { console.error(e.message); process.exit(1); });
"""


def node_client(n):
    """Node's client, or None: it comes from npm, which needs a registry."""
    if not shutil.which("node") or not shutil.which("npm"):
        return None
    folder = os.path.join(n.root, "node")
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "client.js"), "w") as f:
        f.write(NODE)
    try:
        done = demo.run(["npm", "install", "--prefix", folder, "--no-audit", "--no-fund", "--ignore-scripts", "ssh2-sftp-client@11"], check=False, timeout=90)
    except demo.subprocess.TimeoutExpired:
        return None
    if done.returncode != 0:
        return None
    return lambda *a: demo.run(["node", os.path.join(folder, "client.js"), n.ports["sftp"], n.keys["beta"][0], *a]).stdout.decode()


def ssh2_sftp_client(n):
    do = node_client(n)
    if not do:
        raise tap.Skip("no Node.js, or npm reaches no registry")
    exercise(n, "ssh2-sftp-client", 671, lambda a, b: do("put", a, b), lambda: do("list", "/out"), lambda a, b: do("get", a, b), lambda a: do("delete", a))
    ack = x12.ack_997(demo.BETA, demo.BUYER, 672, 672)
    with tempfile.TemporaryDirectory(dir=n.root) as folder:
        halves = [os.path.join(folder, x) for x in "ab"]
        for path, data in zip(halves, (ack[:200], ack[200:])):
            with open(path, "wb") as f:
                f.write(data)
        do("put", halves[0], "/in/node.tmp")
        t.equal(do("stat", "/in/node.tmp").strip(), "200", "ssh2-sftp-client: stat")
        do("append", halves[1], "/in/node.tmp")
        do("rename", "/in/node.tmp", "/in/node.edi")
        t.ok(arrived(n, ack), "ssh2-sftp-client: resumed by append, renamed, taken whole")


def sshfs(n):
    """The mailbox as a folder. Needs FUSE, which containers seldom have."""
    if not shutil.which("sshfs") or not os.access("/dev/fuse", os.R_OK | os.W_OK):
        raise tap.Skip("no sshfs, or no FUSE here")
    with tempfile.TemporaryDirectory(dir=n.root) as folder:
        options = f"IdentityFile={n.keys['beta'][0]},IdentitiesOnly=yes,BatchMode=yes,StrictHostKeyChecking=no,UserKnownHostsFile=/dev/null,LogLevel=ERROR"
        done = demo.run(["sshfs", "-p", n.ports["sftp"], "-o", options, "beta@127.0.0.1:/", folder], check=False)
        if done.returncode != 0:
            raise tap.Skip("sshfs can't mount here: " + done.stderr.decode().strip())
        try:
            exercise(n, "sshfs", 676, lambda a, b: shutil.copyfile(a, folder + b), lambda: os.listdir(folder + "/out"),
                     lambda a, b: shutil.copyfile(folder + a, b), lambda a: os.unlink(folder + a))
            t.ok(os.statvfs(folder).f_blocks > 0, "sshfs: df")
        finally:
            demo.run(["fusermount3", "-u", "-z", folder], check=False)


def buffer_sizes(n):
    """OpenSSH's -B and -R: other sizes of packets, other numbers of requests under way."""
    payload, file_name = an_order_waits(n, 681)
    with tempfile.TemporaryDirectory(dir=n.root) as folder:
        upload = os.path.join(folder, "up.edi")
        for i, options in enumerate((["-B", "1024", "-R", "1"], ["-B", "1024", "-R", "256"], ["-B", "262144", "-R", "16"], ["-B", "100000"])):
            ack = x12.ack_997(demo.BETA, demo.BUYER, 682 + i, 682 + i) + b" " * 70000
            with open(upload, "wb") as f:
                f.write(ack)
            fetched = os.path.join(folder, f"down{i}")
            n.sftp("beta", f"put {upload} /in/b{i}.edi", f"get /out/{file_name} {fetched}", extra=options)
            found = [m for m in n.messages("--direction", "in") if m["file_name"] == f"b{i}.edi"]
            t.ok(demo.read(fetched) == payload and len(found) == 1 and n.vanctl("message", "get", found[0]["id"]).stdout == ack,
                 f"sftp {' '.join(options)}: up and down, byte for byte")


def odd_options(n):
    """What old scripts and careful people set: keys changed in the middle, other ciphers and key exchanges, a client that asks whether
    we are still there, a pause, compression."""
    data = os.urandom(5000000)
    with tempfile.TemporaryDirectory(dir=n.root) as folder:
        upload, fetched = os.path.join(folder, "up"), os.path.join(folder, "down")
        with open(upload, "wb") as f:
            f.write(data)
        for options in (["-o", "RekeyLimit=1M"], ["-c", "chacha20-poly1305@openssh.com", "-o", "RekeyLimit=1M"],
                        ["-c", "aes256-gcm@openssh.com"], ["-c", "aes128-ctr", "-o", "MACs=hmac-sha2-256", "-o", "RekeyLimit=1M"],
                        ["-o", "KexAlgorithms=diffie-hellman-group14-sha256"], ["-o", "KexAlgorithms=ecdh-sha2-nistp384"],
                        ["-o", "HostKeyAlgorithms=rsa-sha2-512"], ["-o", "Compression=yes"]):
            n.sftp("beta", f"put {upload} /in/odd.tmp", f"get /in/odd.tmp {fetched}", "rm /in/odd.tmp", extra=options)
            t.ok(demo.read(fetched) == data, f"sftp {' '.join(options)}: up and down, byte for byte")
            os.unlink(fetched)
        done = n.sftp("beta", "ls /in", "!sleep 4", "put " + upload + " /in/odd.tmp", "rm /in/odd.tmp",
                      extra=["-o", "ServerAliveInterval=1", "-o", "ServerAliveCountMax=2"], check=False)
        t.equal(done.returncode, 0, "a client that asks every second whether we are there is answered")
    for options in (["-o", "PubkeyAcceptedAlgorithms=ssh-rsa"], ["-o", "Ciphers=aes128-cbc"], ["-o", "KexAlgorithms=diffie-hellman-group1-sha1"],
                    ["-o", "MACs=hmac-sha1"]):
        done = n.sftp("beta", "ls", check=False, extra=[*options, *(["-c", "aes128-ctr"] if options[1].startswith("MACs") else [])])
        t.ok(done.returncode != 0, f"what is broken is refused: {options[1]}", done)
    done = demo.run(["ssh", "-T", *[o if o != "-P" else "-p" for o in n.sftp_options("beta")], "beta@127.0.0.1", "id"], check=False)
    t.ok(done.returncode != 0 and b"uid=" not in done.stdout, "no commands", done)


def mirrors(n):
    """What jobs do every hour: lftp mirror both ways, rclone sync and check."""
    payloads = [an_order_waits(n, 690 + i) for i in range(3)]
    with tempfile.TemporaryDirectory(dir=n.root) as folder:
        if shutil.which("lftp"):
            connect = f"ssh -a -x -i {n.keys['beta'][0]} -o IdentitiesOnly=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR"
            local = os.path.join(folder, "lftp")

            def do(*commands):
                return demo.run(["lftp", "--norc", "-c", "; ".join([f"set sftp:connect-program '{connect}'", "set cmd:fail-exit yes",
                                                                    f"open -u beta, -p {n.ports['sftp']} sftp://127.0.0.1", *commands, "bye"])])
            do(f"mirror --verbose=0 /out {local}")
            t.ok(all(demo.read(os.path.join(local, name)) == data for data, name in payloads), "lftp mirror fetches everything")
            t.ok(not os.path.exists(os.path.join(local, "archive")), "and no archive")
            before = {x: os.stat(os.path.join(local, x)).st_mtime_ns for x in os.listdir(local)}
            do(f"mirror --verbose=0 /out {local}")
            t.equal({x: os.stat(os.path.join(local, x)).st_mtime_ns for x in os.listdir(local)}, before, "a second mirror finds nothing to do")
            up = os.path.join(folder, "up")
            os.mkdir(up)
            acks = {f"m{i}.edi": x12.ack_997(demo.BETA, demo.BUYER, 693 + i, 693 + i) for i in range(3)}
            for name, data in acks.items():
                with open(os.path.join(up, name), "wb") as f:
                    f.write(data)
            do(f"mirror -R --no-perms --verbose=0 {up} /in")
            t.ok(all(arrived(n, data) for data in acks.values()), "lftp mirror -R sends everything")
        if shutil.which("rclone"):
            local = os.path.join(folder, "rclone")
            options = ["rclone", "--config", "/dev/null", "--sftp-host", "127.0.0.1", "--sftp-port", str(n.ports["sftp"]), "--sftp-user", "beta",
                       "--sftp-key-file", n.keys["beta"][0], "--retries", "1", "--sftp-disable-hashcheck"]
            demo.run([*options, "sync", ":sftp:/out", local])
            t.ok(all(demo.read(os.path.join(local, name)) == data for data, name in payloads), "rclone sync fetches everything")
            done = demo.run([*options, "check", "--download", ":sftp:/out", local], check=False)
            t.equal(done.returncode, 0, "rclone check --download finds no difference")
            done = demo.run([*options, "sync", "-v", ":sftp:/out", local])
            t.ok(b"Copied" not in done.stderr, "a second sync finds nothing to do", done.stderr)


def temporary_names(n):
    """Names that clients use while they upload wait for the rename."""
    for i, name in enumerate(("up.edi.part", "up.edi.filepart", "up.edi.tmp", ".up.edi")):
        ack = x12.ack_997(demo.BETA, demo.BUYER, 700 + i, 700 + i)
        before = len(n.messages("--direction", "in"))
        n.sftp_put("beta", ack, f"/in/{name}")
        t.equal(len(n.messages("--direction", "in")), before, f"{name}: not taken while it has that name")
        t.ok(name in n.sftp("beta", "ls -a /in").stdout.decode(), f"{name}: but shown")
        n.sftp("beta", f"rename /in/{name} /in/up{i}.edi")
        t.ok(arrived(n, ack), f"{name}: taken when renamed")
    same = [x12.ack_997(demo.BETA, demo.BUYER, 720 + i, 720 + i) for i in range(2)]
    for ack in same:
        n.sftp_put("beta", ack, "/in/same-name.edi")
    t.ok(all(arrived(n, ack) for ack in same), "the same name uploaded twice is two messages")


def broken_upload(n):
    """A connection that breaks during an upload leaves no message."""
    try:
        import paramiko  # noqa: F401
    except ImportError:
        raise tap.Skip("no paramiko")
    before = len(n.messages("--direction", "in"))
    transport, sftp = paramiko_session(n)
    f = sftp.open("/in/half.edi", "wb")
    f.set_pipelined(False)
    f.write(b"ISA*00*half")
    transport.sock.close()
    n.drain()
    t.equal(len(n.messages("--direction", "in")), before, "a broken upload is no message")
    payload, file_name = an_order_waits(n, 651)
    transport, sftp = paramiko_session(n)
    with sftp.open(f"/out/{file_name}") as f:
        f.read(100)
    out = [m for m in n.messages("--direction", "out", "--partner", "beta") if m["control_number"] == "000000651"]
    t.equal([m["delivery"] for m in out], ["available"], "a download that stops half way is not collected")
    with sftp.open(f"/out/{file_name}") as f:
        f.seek(1000)
        t.equal(f.read(200), payload[1000:1200], "reading from an offset (resume)")
    transport.close()


def own_mailbox_only(n):
    payload, file_name = an_order_waits(n, 661)
    t.ok(file_name not in n.sftp("alpha", "ls /out").stdout.decode(), "another supplier does not see it")
    done = n.sftp("alpha", f"get /out/{file_name} {n.root}/stolen", check=False)
    t.ok(done.returncode != 0 and not os.path.exists(n.root + "/stolen"), "nor fetch it by its name", done)


def main():
    if not demo.available():
        tap.skip_all("vand is not built")
    with demo.Network(keep="--keep" in sys.argv) as n:
        n.create()
        give_password(n)
        n.start()
        n.apply_profiles()
        for group in (openssh, lftp, rclone, curl, paramiko_, ssh2_sftp_client, sshfs, buffer_sizes, odd_options, mirrors, temporary_names, broken_upload, own_mailbox_only):
            t.run(group, n)
        n.check_sound(t)
        n.tell(t)
    return t.done()


if __name__ == "__main__":
    sys.exit(main())
