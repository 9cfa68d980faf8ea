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


class Timed:
    """Commands of the client: best seconds of several runs, CPU and memory of the server's side at the best."""

    def __init__(self):
        self.seconds, self.used = {}, {}

    def run(self, what, pids, *arguments):
        watch = Watch(pids)
        seconds = client(*arguments)
        used = watch.end()
        if seconds < self.seconds.get(what, 1e9):
            self.seconds[what], self.used[what] = seconds, used

    def tell(self, what, rate):
        cpu, memory = self.used[what]
        print(f"  {what:<20} {rate:>14}   CPU {cpu:5.2f} s, most memory of a session {memory:4.1f} MiB")


def clients_folder(need):
    """Where the client's own files lie: in memory if there is room. The disk and its writes are the server's alone then; a real client's are
    in another machine."""
    shm = "/dev/shm"
    room = os.statvfs(shm).f_bavail * os.statvfs(shm).f_frsize if os.path.isdir(shm) else 0
    if room < 2 * need:
        print("  no room in /dev/shm: the client's files are on the server's disk")
    return tempfile.TemporaryDirectory(prefix="openvan-bench-", dir=shm if room >= 2 * need else None)


def transfer(n, server, folder, mine, size):
    """One file up and down, twice. `folder` is the other server's, `mine` the client's."""
    key_alpha, key_beta = n.keys["alpha"][0], n.keys["beta"][0]
    me = subprocess.check_output(["id", "-un"], text=True).strip()
    source, target, theirs = os.path.join(mine, "catalogue.edi"), os.path.join(mine, "fetched"), os.path.join(folder, "theirs")
    catalogue(source, size)
    best, ours = Timed(), n.role_pids("sftp") + n.role_pids("store")
    for _ in range(2):
        best.run("up theirs", [server.process.pid], key_alpha, server.port, me, f"put {source} {theirs}")
        before = set(n.sftp_list("beta"))
        best.run("up ours", ours, key_alpha, n.ports["sftp"], "alpha", f"put {source} /in/catalogue.edi")
        best.run("up theirs, flushed", [server.process.pid], key_alpha, server.port, me, f"put -f {source} {theirs}")
        best.run("down theirs", [server.process.pid], key_alpha, server.port, me, f"get {theirs} {target}")
        name = demo.wait_for("the upload in the other mailbox", lambda: sorted(set(n.sftp_list("beta")) - before), 180, 0.5)[0]
        best.run("down ours", ours, key_beta, n.ports["sftp"], "beta", f"get /out/{name} {target}")
        if subprocess.run(["cmp", source, target]).returncode != 0:
            raise RuntimeError("what was fetched differs from what was sent")
        n.sftp("beta", f"rm /out/{name}")
        os.unlink(theirs)
    for what, seconds in best.seconds.items():
        best.tell(what, f"{size / seconds / (1 << 20):7.1f} MiB/s")
    return best.seconds


def lean(key, port, user, what, remote, local):
    """Microseconds that a file takes, in the median, for a client that is one process and does nothing but wait."""
    if not demo.bench_program("sftp_files"):
        raise FileNotFoundError("bench/sftp_files is not built: make bench-programs")
    return int(demo.run([demo.bench_program("sftp_files"), port, user, key, what, remote, local], timeout=600).stdout)


def small_lean(n, server, folder, mine, count):
    """The same files once more by that client. OpenSSH's own costs more than either server, so that its figures are its own to a good part."""
    me = subprocess.check_output(["id", "-un"], text=True).strip()
    key, theirs, up, down = n.keys["alpha"][0], os.path.join(folder, "lean"), {}, {}
    os.mkdir(theirs)
    before = len(n.sftp_list("beta"))
    up["ours"] = lean(key, n.ports["sftp"], "alpha", "up", "/in", mine)
    up["theirs"] = lean(key, server.port, me, "up", theirs, mine)
    up["theirs, flushed"] = lean(key, server.port, me, "flush", theirs, mine)
    down["theirs"] = lean(key, server.port, me, "down", theirs, mine)
    demo.wait_for("the documents in the other mailbox", lambda: len(n.sftp_list("beta")) >= before + count, 180, 0.5)
    down["ours"] = lean(n.keys["beta"][0], n.ports["sftp"], "beta", "down", "/out", mine)
    n.sftp("beta", "rm /out/*")
    print("  a file by a lean client, up: " + ", ".join(f"{what} {us} µs" for what, us in up.items()) +
          "; down: " + ", ".join(f"{what} {us} µs" for what, us in down.items()) +
          f"; ratio of these {(up['theirs, flushed'] + down['theirs']) / (up['ours'] + down['ours']):.2f}")


def small(quick=False):
    """1,000 files of 10 KB up and down again, each a message here and a plain file there. Both are on the disk when the client is
    told so: for OpenSSH's server that is `put -f`."""
    count = 200 if quick else 1000
    me = subprocess.check_output(["id", "-un"], text=True).strip()
    with demo.Network() as n, tempfile.TemporaryDirectory(prefix="openvan-bench-") as folder, clients_folder(5 * count * 12000) as clients:
        n.up()
        key, key_beta = n.keys["alpha"][0], n.keys["beta"][0]
        server = OpenSshServer(folder, key)
        mine = os.path.join(clients, "mine")
        os.mkdir(mine)
        for i in range(count):
            with open(os.path.join(mine, f"{i:04d}.edi"), "wb") as f:
                f.write(x12.order_850(demo.ALPHA, demo.BETA, i + 1, f"S{i:05d}", pad_to=10240))
        best, ours, sshd = Timed(), n.role_pids("sftp") + n.role_pids("store"), [server.process.pid]
        try:
            for turn in range(2):
                theirs = os.path.join(folder, f"theirs{turn}")
                fetched, fetched_theirs = (os.path.join(clients, f"{x}{turn}") for x in ("fetched", "fetched-theirs"))
                for path in (theirs, fetched, fetched_theirs):
                    os.mkdir(path)
                before = len(n.sftp_list("beta"))
                best.run("up ours", ours, key, n.ports["sftp"], "alpha", f"put {mine}/* /in/")
                best.run("up theirs", sshd, key, server.port, me, f"put {mine}/* {theirs}/")
                best.run("up theirs, flushed", sshd, key, server.port, me, f"put -f {mine}/* {theirs}/")
                best.run("down theirs", sshd, key, server.port, me, f"get {theirs}/* {fetched_theirs}/")
                demo.wait_for("the documents in the other mailbox", lambda: len(n.sftp_list("beta")) >= before + count, 180, 0.5)
                best.run("down ours", ours, key_beta, n.ports["sftp"], "beta", f"get /out/* {fetched}/")
                if len(os.listdir(fetched)) != count or len(os.listdir(fetched_theirs)) != count:
                    raise RuntimeError("not all files were fetched")
                n.sftp("beta", "rm /out/*")
            log_in = min(client(key, n.ports["sftp"], "alpha", "pwd") for _ in range(3))
            log_in_theirs = min(client(key, server.port, me, "pwd") for _ in range(3))
            small_lean(n, server, folder, mine, count)
        finally:
            server.stop()
    t = best.seconds
    for what in t:
        best.tell(what, f"{count / t[what]:7.0f} files/s")
    bare = (t["up theirs, flushed"] + t["down theirs"] - 2 * log_in_theirs) / (t["up ours"] + t["down ours"] - 2 * log_in)
    print(f"  a log-in is in each of these times, ours {log_in:.2f} s, theirs {log_in_theirs:.2f} s; without them: {bare:.2f}")
    unflushed = (t["up theirs"] + t["down theirs"]) / (t["up ours"] + t["down ours"])
    print(f"  against files that a power cut may take again: {unflushed:.2f}")
    return (t["up theirs, flushed"] + t["down theirs"]) / (t["up ours"] + t["down ours"]), 2.0, True


_done = {}


def transfers(size):
    """Both directions share one run."""
    if not _done:
        with demo.Network() as n, tempfile.TemporaryDirectory(prefix="openvan-bench-") as folder, clients_folder(2 * size) as clients:
            n.up()
            server = OpenSshServer(folder, n.keys["alpha"][0])
            try:
                _done.update(transfer(n, server, folder, clients, size))
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

    def rate(what, pids, port, user, key, threads):
        watch = Watch(pids)
        done = float(demo.run([demo.bench_program("sftp_login"), port, user, key, threads, seconds]).stdout)
        cpu, memory = watch.end()
        print(f"  {threads} at a time, {what:<6} {done:7.1f} log-ins/s   CPU {1000 * cpu / max(done * int(seconds), 1):5.1f} ms each, "
              f"most memory of a session {memory:4.1f} MiB")
        return done

    with demo.Network() as n, tempfile.TemporaryDirectory(prefix="openvan-bench-") as folder:
        n.up()
        key = n.keys["alpha"][0]
        server = OpenSshServer(folder, key)
        try:
            results = {}
            for threads in ("1", "4"):
                ours = rate("ours", n.role_pids("sftp") + n.role_pids("store"), n.ports["sftp"], "alpha", key, threads)
                results[threads] = ours / rate("theirs", [server.process.pid], server.port, me, key, threads)
        finally:
            server.stop()
    return results["4"], 5.0, True
