"""sftp-up, sftp-down, sftp-login, sftp-small: against OpenSSH's server on another port, with the same client and cipher."""

import os
import shutil
import subprocess
import tempfile
import threading
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


def ticks(pid):
    """CPU seconds of a process and of its children that have ended."""
    with open(f"/proc/{pid}/stat") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


class Watch:
    """CPU of these processes with all they start, and the most memory that one of their children takes."""

    def __init__(self, pids):
        self.pids, self.peak, self.stopping = pids, 0, threading.Event()
        self.before = self._cpu()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _children(self):
        out = subprocess.run(["ps", "-o", "pid=,rss=", "--ppid", ",".join(map(str, self.pids))], stdout=subprocess.PIPE, text=True).stdout
        return {int(line.split()[0]): int(line.split()[1]) for line in out.splitlines()}

    def _cpu(self):
        return sum(ticks(p) for p in self.pids)

    def _run(self):
        while not self.stopping.wait(0.1):
            for pid, kilobytes in self._children().items():
                self.peak = max(self.peak, kilobytes)
                for grandchild in subprocess.run(["ps", "-o", "rss=", "--ppid", str(pid)], stdout=subprocess.PIPE, text=True).stdout.split():
                    self.peak = max(self.peak, int(grandchild))

    def end(self):
        """(CPU seconds, most memory of a session in MiB). Sessions must have ended."""
        self.stopping.set()
        self.thread.join()
        time.sleep(0.3)
        return self._cpu() - self.before, self.peak / 1024


def small(quick=False):
    """1,000 files of 10 KB up and down again, each a message here and a plain file there. Both are on the disk when the client is
    told so: for OpenSSH's server that is `put -f`."""
    count = 200 if quick else 1000
    me = subprocess.check_output(["id", "-un"], text=True).strip()
    with demo.Network() as n, tempfile.TemporaryDirectory(prefix="openvan-bench-") as folder:
        n.up()
        key, key_beta = n.keys["alpha"][0], n.keys["beta"][0]
        server = OpenSshServer(folder, key)
        mine = os.path.join(folder, "mine")
        os.mkdir(mine)
        for i in range(count):
            with open(os.path.join(mine, f"{i:04d}.edi"), "wb") as f:
                f.write(x12.order_850(demo.ALPHA, demo.BETA, i + 1, f"S{i:05d}", pad_to=10240))
        best = {}
        sessions = n.role_pids("sftp") + n.role_pids("store")
        try:
            for turn in range(2):
                theirs, fetched, fetched_theirs = (os.path.join(folder, f"{x}{turn}") for x in ("theirs", "fetched", "fetched-theirs"))
                for path in (theirs, fetched, fetched_theirs):
                    os.mkdir(path)
                before = len(n.sftp_list("beta"))
                watch = Watch(sessions)
                best["up ours"] = min(best.get("up ours", 1e9), client(key, n.ports["sftp"], "alpha", f"put {mine}/* /in/"))
                best["cpu up ours"], best["memory ours"] = watch.end()
                watch = Watch([server.process.pid])
                best["up theirs"] = min(best.get("up theirs", 1e9), client(key, server.port, me, f"put {mine}/* {theirs}/"))
                best["cpu up theirs"], best["memory theirs"] = watch.end()
                best["up theirs, flushed"] = min(best.get("up theirs, flushed", 1e9), client(key, server.port, me, f"put -f {mine}/* {theirs}/"))
                best["down theirs"] = min(best.get("down theirs", 1e9), client(key, server.port, me, f"get {theirs}/* {fetched_theirs}/"))
                demo.wait_for("the documents in the other mailbox", lambda: len(n.sftp_list("beta")) >= before + count, 180, 0.5)
                watch = Watch(sessions)
                best["down ours"] = min(best.get("down ours", 1e9), client(key_beta, n.ports["sftp"], "beta", f"get /out/* {fetched}/"))
                best["cpu down ours"] = watch.end()[0]
                if len(os.listdir(fetched)) != count or len(os.listdir(fetched_theirs)) != count:
                    raise RuntimeError("not all files were fetched")
                n.sftp("beta", "rm /out/*")
        finally:
            server.stop()
    for what in ("up ours", "up theirs", "up theirs, flushed", "down ours", "down theirs"):
        print(f"  {what:<20} {count / best[what]:7.0f} files/s")
    print(f"  CPU for {count} files up: sftp and store {best['cpu up ours']:.2f} s, OpenSSH's server {best['cpu up theirs']:.2f} s; down {best['cpu down ours']:.2f} s")
    print(f"  most memory of a session: {best['memory ours']:.1f} MiB, OpenSSH's {best['memory theirs']:.1f} MiB")
    unflushed = (best["up theirs"] + best["down theirs"]) / (best["up ours"] + best["down ours"])
    print(f"  against files that a power cut may take again: {unflushed:.2f}")
    return (best["up theirs, flushed"] + best["down theirs"]) / (best["up ours"] + best["down ours"]), 2.0, True


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
