"""sftp-up, sftp-down, sftp-login: against OpenSSH's server on another port, with the same client and cipher."""

import os
import shutil
import subprocess
import tempfile
import time

import demo
import x12

CIPHER = "aes128-gcm@openssh.com"


class OpenSshServer:
    """sshd with a configuration of its own."""

    def __init__(self, folder, user_key):
        sshd = shutil.which("sshd") or "/usr/sbin/sshd"
        if not os.path.exists(sshd):
            raise FileNotFoundError("OpenSSH's server is not installed (apt-get install openssh-server)")
        self.port = demo.free_port()
        host_key, _ = demo.make_ssh_key(folder, "sshd")
        shutil.copy(user_key + ".pub", os.path.join(folder, "authorized_keys"))
        if os.geteuid() == 0:
            os.makedirs("/run/sshd", mode=0o755, exist_ok=True)
        subsystem = next((p for p in ("/usr/lib/openssh/sftp-server", "/usr/libexec/sftp-server") if os.path.exists(p)), "internal-sftp")
        config = os.path.join(folder, "sshd_config")
        with open(config, "w") as f:
            f.write(f"Port {self.port}\nListenAddress 127.0.0.1\nHostKey {host_key}\nPidFile none\nStrictModes no\nUsePAM no\n"
                    f"AuthorizedKeysFile {folder}/authorized_keys\nPasswordAuthentication no\nPermitRootLogin yes\nUseDNS no\n"
                    f"MaxStartups 1000:30:2000\nMaxSessions 1000\nPrintMotd no\nSubsystem sftp {subsystem}\n")
        self.process = subprocess.Popen([sshd, "-D", "-e", "-f", config], stderr=open(os.path.join(folder, "sshd.log"), "wb"))
        demo.wait_for("sshd", self._listens, 10)

    def _listens(self):
        import socket
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
            return True
        except OSError:
            return False

    def stop(self):
        self.process.terminate()
        self.process.wait()


def client(key, port, user, *commands):
    """Seconds that OpenSSH's sftp takes for these commands."""
    start = time.monotonic()
    demo.run(["sftp", "-q", "-b", "-", "-c", CIPHER, "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o",
              "LogLevel=ERROR", "-o", "IdentitiesOnly=yes", "-i", key, "-P", port, f"{user}@127.0.0.1"],
             input="\n".join(commands).encode() + b"\n", timeout=600)
    return time.monotonic() - start


def catalogue(path, size):
    """One interchange of that size: a document type that no dictionary knows, so that it is passed through as it is."""
    head = (x12.isa(demo.ALPHA, demo.BETA, 77) + "~GS*SC*ALPHA*BETA*20260801*1204*77*X*004010~ST*832*0001~BCT*PC*2026~").encode()
    segment = b"LIN**VN*1000001*UP*700000000013~PID*F****WORK LIGHT, 20 W, WITH CABLE OF FIVE METRES~CTP**UCP*27.8*1*EA~"
    block = segment * 10000
    count = max(1, (size - len(head)) // len(segment))
    with open(path, "wb") as f:
        f.write(head)
        left = count
        while left > 0:
            f.write(block if left >= 10000 else segment * left)
            left -= 10000
        f.write(f"SE*{count * 3 + 3}*0001~GE*1*77~IEA*1*000000077~".encode())


def transfer(n, server, folder, size):
    """Best seconds of two for: (up ours, up theirs, down ours, down theirs, up theirs flushed)."""
    key_alpha, key_beta = n.keys["alpha"][0], n.keys["beta"][0]
    me = subprocess.check_output(["id", "-un"], text=True).strip()
    source, target, theirs = (os.path.join(folder, x) for x in ("catalogue.edi", "fetched", "theirs"))
    catalogue(source, size)
    best = {}

    def timed(what, *arguments):
        seconds = client(*arguments)
        best[what] = min(best.get(what, 1e9), seconds)

    for _ in range(2):
        timed("up theirs", key_alpha, server.port, me, f"put {source} {theirs}")
        before = set(n.sftp_list("beta"))
        timed("up ours", key_alpha, n.ports["sftp"], "alpha", f"put {source} /in/catalogue.edi")
        timed("up theirs, flushed", key_alpha, server.port, me, f"put -f {source} {theirs}")
        timed("down theirs", key_alpha, server.port, me, f"get {theirs} {target}")
        name = demo.wait_for("the upload in the other mailbox", lambda: sorted(set(n.sftp_list("beta")) - before), 180, 0.5)[0]
        timed("down ours", key_beta, n.ports["sftp"], "beta", f"get /out/{name} {target}")
        if subprocess.run(["cmp", source, target]).returncode != 0:
            raise RuntimeError("what was fetched differs from what was sent")
        n.sftp("beta", f"rm /out/{name}")
        os.unlink(theirs)
    for what, seconds in best.items():
        print(f"  {what:<20} {size / seconds / (1 << 20):7.1f} MiB/s")
    return best


_done = {}


def transfers(size):
    """Both directions share one run."""
    if not _done:
        with demo.Network() as n, tempfile.TemporaryDirectory(prefix="openvan-bench-") as folder:
            n.up()
            server = OpenSshServer(folder, n.keys["alpha"][0])
            try:
                _done.update(transfer(n, server, folder, size))
            finally:
                server.stop()
    return _done


def up(quick=False):
    best = transfers((128 << 20) if quick else (1 << 30))
    return best["up theirs"] / best["up ours"], 1.1, True


def down(quick=False):
    best = transfers((128 << 20) if quick else (1 << 30))
    return best["down theirs"] / best["down ours"], 1.8, True


def login(quick=False):
    seconds = "2" if quick else "5"
    me = subprocess.check_output(["id", "-un"], text=True).strip()

    def rate(port, user, key, threads):
        return float(demo.run([demo.bench_program("sftp_login"), port, user, key, threads, seconds]).stdout)

    with demo.Network() as n, tempfile.TemporaryDirectory(prefix="openvan-bench-") as folder:
        n.up()
        key = n.keys["alpha"][0]
        server = OpenSshServer(folder, key)
        try:
            results = {}
            for threads in ("1", "4"):
                ours, theirs = rate(n.ports["sftp"], "alpha", key, threads), rate(server.port, me, key, threads)
                results[threads] = ours / theirs
                print(f"  {threads} at a time: {ours:.1f} log-ins/s, OpenSSH's server {theirs:.1f}")
        finally:
            server.stop()
    return results["4"], 5.0, True
