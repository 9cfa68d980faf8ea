"""A network in a temporary folder, driven from outside only: vand, vanctl, AS2 over HTTP, SFTP.

Parties: station `hub`; `buyer` sends orders over AS2 and has an SFTP mailbox as its way back; supplier `alpha` gets
orders translated to canonical JSON and acknowledged by the network; supplier `beta` gets the bytes as they were sent.
Programs come from $VAN_BUILDDIR (default: the top of the source tree).
"""

import json
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.abspath(os.environ.get("VAN_SRCDIR") or os.path.join(HERE, "..", ".."))
BUILD = os.path.abspath(os.environ.get("VAN_BUILDDIR") or TOP)
CORPUS = os.path.join(TOP, "..", "shared", "corpus")

BUYER = "01:123456789"
HUB = "ZZ:HUBNET"
ALPHA = "ZZ:ALPHA"
BETA = "ZZ:BETA"
BUYER_AS2, HUB_AS2 = "BUYER", "HUBNET"
os.umask(0o022)  # roles that gave up root read some of what tests write
PATIENCE = 120.0  # seconds for what takes milliseconds: nobody waits so long unless something is wrong, however slow the machine


def program(name):
    """Where a built program is: at the top of the build tree, or in src/."""
    for build in (BUILD, os.path.join(BUILD, "build")):
        for folder in (build, os.path.join(build, "src"), os.path.join(build, "src", "roles"), os.path.join(build, "src", name)):
            path = os.path.join(folder, name)
            if os.path.isfile(path) and os.access(path, os.X_OK):
                return path
    return None


def bench_program(name):
    for build in (BUILD, os.path.join(BUILD, "build")):
        path = os.path.join(build, "bench", name)
        if os.access(path, os.X_OK):
            return path
    return None


def user_exists(name):
    import pwd
    try:
        pwd.getpwnam(name)
        return True
    except KeyError:
        return False


def available():
    return bool(program("vand") and program("vanctl"))


_given_ports = {}  # port: the socket that keeps it


def _chosen_ports():
    """Ports that no outgoing connection is given by the kernel; 0, any port, where it may give all of them."""
    try:
        with open("/proc/sys/net/ipv4/ip_local_port_range") as f:
            low, high = map(int, f.read().split())
    except OSError:
        low = high = 0
    room = [r for r in (range(10000, low), range(high + 1, 65536)) if len(r) >= 4000]
    return room[0] if room else range(1)


def free_port():
    """A port for this test program alone, also while its server is down. Test programs that run at the same time keep out of
    each other's way by abstract Unix sockets with the ports' numbers, which end with the program."""
    ports = _chosen_ports()
    while True:
        keep = socket.socket(socket.AF_UNIX)
        try:
            with socket.socket() as s:
                s.bind(("127.0.0.1", random.SystemRandom().choice(ports)))
                port = s.getsockname()[1]
            keep.bind(f"\0openvan-test-port-{port}")
        except OSError:
            keep.close()
            continue
        _given_ports[port] = keep
        return port


def run(argv, check=True, **options):
    """A command's CompletedProcess with its output as bytes; raises with its standard error when it fails."""
    options.setdefault("stdout", subprocess.PIPE)
    options.setdefault("stderr", subprocess.PIPE)
    options.setdefault("timeout", 300)
    if "input" not in options:
        options.setdefault("stdin", subprocess.DEVNULL)
    done = subprocess.run([str(a) for a in argv], **options)
    if check and done.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, argv))}: exit {done.returncode}: "
                           f"{(done.stderr or b'').decode('utf-8', 'replace').strip()[-2000:]}")
    return done


def wait_for(what, condition, timeout=PATIENCE, pause=0.05):
    """The first true value of condition(); raises when none comes in time."""
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not within {timeout:g} s")
        time.sleep(pause)


def make_certificate(folder, name, bits=2048, days=365):
    """A self-signed RSA certificate and its key: (certificate path, key path)."""
    certificate, key = os.path.join(folder, f"{name}.pem"), os.path.join(folder, f"{name}.key")
    run(["openssl", "req", "-x509", "-newkey", f"rsa:{bits}", "-nodes", "-sha256", "-days", days, "-subj", f"/CN={name}",
         "-keyout", key, "-out", certificate])
    return certificate, key


def make_ssh_key(folder, name, kind="ed25519"):
    path = os.path.join(folder, f"{name}_{kind}")
    run(["ssh-keygen", "-q", "-t", kind, "-N", "", "-C", name, "-f", path])
    with open(path + ".pub") as f:
        return path, f.read().strip()


def process_table():
    """{pid: (parent, name of the role or program, state)} of every process that can be read."""
    table = {}
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            with open(f"/proc/{entry}/stat") as f:
                stat = f.read()
            with open(f"/proc/{entry}/cmdline", "rb") as f:
                arguments = f.read().split(b"\0")
        except OSError:
            continue
        fields = stat[stat.rindex(")") + 2:].split()
        role = next((a[7:].decode() for a in arguments if a.startswith(b"--role=")), "")
        table[int(entry)] = (int(fields[1]), role, fields[0])
    return table


def descendants(root):
    """{pid: role} of the living processes below `root`; a process without --role has an empty role."""
    table = process_table()
    found, more = {}, [root]
    while more:
        parent = more.pop()
        for pid, (ppid, role, state) in table.items():
            if ppid == parent and state != "Z":
                found[pid] = role
                more.append(pid)
    return found


def process_status(pid):
    """The fields of /proc/PID/status."""
    with open(f"/proc/{pid}/status") as f:
        return {name: value.strip() for name, _, value in (line.partition(":") for line in f)}


class Network:
    """One installation. Use as a context manager: it is stopped and removed at the end."""

    def __init__(self, root=None, environment=None, keep=False, config=None, buyer_ciphers=None):
        self.own_root = root is None
        self.root = root or tempfile.mkdtemp(prefix="openvan-", dir=os.environ.get("TMPDIR", "/tmp"))
        os.chmod(self.root, 0o755)
        self.dir = os.path.join(self.root, "net")
        self.keep = keep
        self.environment = dict(os.environ)
        self.environment.update(environment or {})
        self.config_changes = config or {}
        self.vand = None
        self.ports = {}
        self.vand_log = os.path.join(self.root, "vand.log")
        self.keys = {}
        self.messages_sent = 0

    # --- making it -----------------------------------------------------------------------------------------------

    def create(self):
        run([program("vanctl"), "init", self.dir, "--as2-id", HUB_AS2, "--edi-id", HUB, "--name", "Hub Trading Network"])
        self._set_ports()
        self._find_station()
        peers = os.path.join(self.root, "peers")
        os.makedirs(peers, exist_ok=True)
        self.peers = peers
        self.buyer_cert, self.buyer_key = make_certificate(peers, "buyer")
        for user in ("buyer", "alpha", "beta"):
            self.keys[user] = make_ssh_key(peers, user)
        self.profiles = os.path.join(self.root, "profiles.yaml")
        with open(self.profiles, "w") as f:
            f.write(self.profile_text())
        return self

    @property
    def config(self):
        return os.path.join(self.dir, "vand.yaml")

    def _set_ports(self):
        """Gives every listener of vand.yaml a free port, and sets what self.config_changes asks (top-level key: text)."""
        with open(self.config) as f:
            lines = f.read().splitlines()
        section = ""
        for i, line in enumerate(lines):
            if line.lstrip().startswith("#"):
                continue
            name = re.search(r"\b(as2|sftp|admin)\s*:", line)
            if name:
                section = name.group(1)
            match = re.search(r"\bport:\s*(\d+)", line)
            if match:
                port = free_port()
                self.ports.setdefault(section + ("-tls" if "tls" in line else ""), port)
                lines[i] = line[:match.start(1)] + str(port) + line[match.end(1):]
        with open(self.config, "w") as f:
            f.write("\n".join(lines) + "\n")
        for key, value in self.config_changes.items():
            self.set_config(key, value)
        if os.geteuid() == 0 and not (user_exists("openvan") and user_exists("openvan-key")):
            self.set_config("user", "nobody")  # two that every Debian has: tests add no users to a machine
            self.set_config("key_user", "daemon")

    def set_config(self, key, value):
        """Replaces one top-level entry of vand.yaml, with the lines that belong to it, by `key: value`."""
        out, dropping = [], False
        with open(self.config) as f:
            for line in f.read().splitlines():
                if re.match(rf"{key}\s*:", line):
                    dropping = True
                elif line[:1] not in (" ", "\t", "-"):
                    dropping = False
                if not dropping:
                    out.append(line)
        with open(self.config, "w") as f:
            f.write("\n".join(out + [f"{key}: {value}"]) + "\n")

    def _find_station(self):
        """What `init` made for the station: its profile, and the certificates partners get."""
        folder = os.path.join(self.dir, "partners")
        self.station, self.station_profile = "hub", None
        for name in sorted(os.listdir(folder)) if os.path.isdir(folder) else []:
            path = os.path.join(folder, name)
            with open(path) as f:
                text = f.read()
            if not re.search(r"^kind:\s*station", text, re.M):
                continue
            self.station_profile = path
            self.station = re.search(r"^id:\s*\"?([^\s\"]+)", text, re.M).group(1)
            certificates = re.findall(r"certificate:\s*\"?([^\s,}\"]+)", text)
            paths = [os.path.normpath(os.path.join(folder, c)) for c in certificates]
            self.hub_sign = next((p for p in paths if "sign" in os.path.basename(p)), paths[0])
            self.hub_crypt = next((p for p in paths if "crypt" in os.path.basename(p)), paths[-1])
        if not self.station_profile:
            raise RuntimeError(f"init left no station profile in {folder}")

    def profile_text(self):
        return f"""\
kind: partner
id: buyer
name: Buyer Stores
identities: [{{standard: x12, id: "{BUYER}", connection: buyer-mailbox}}]
connections:
  - id: buyer-as2
    protocol: as2
    station: {self.station}
    as2_id: {BUYER_AS2}
    presents: ["x12 {BUYER}"]
    receive:
      certificates: [{self.buyer_cert}]
      require: [signed, encrypted]
      digests: [sha256, sha384, sha512]
      ciphers: [aes128-cbc, aes192-cbc, aes256-cbc, aes128-gcm, aes256-gcm]
  - id: buyer-mailbox
    protocol: sftp-mailbox
    user: buyer
    keys: [{{key: "{self.keys['buyer'][1]}"}}]
    presents: ["x12 {BUYER}"]
    collects: ["x12 {BUYER}"]
---
kind: partner
id: alpha
name: Alpha Supplies
identities: [{{standard: x12, id: "{ALPHA}", connection: alpha-sftp}}]
connections:
  - id: alpha-sftp
    protocol: sftp-mailbox
    user: alpha
    keys: [{{key: "{self.keys['alpha'][1]}"}}]
    folders: {{in: /in, out: /out}}
---
kind: partner
id: beta
name: Beta Supplies
identities: [{{standard: x12, id: "{BETA}", connection: beta-sftp}}]
connections:
  - id: beta-sftp
    protocol: sftp-mailbox
    user: beta
    keys: [{{key: "{self.keys['beta'][1]}"}}]
---
kind: agreement
id: buyer-alpha-orders
from: "x12 {BUYER}"
to: "x12 {ALPHA}"
type: "850"
version: "004010"
environment: production
mode: translate
output: {{format: canonical-json, map: x12-004010-850-to-order}}
acknowledged_by: network
acknowledgement: {{kind: "997", within: 24h}}
---
kind: agreement
id: buyer-beta-orders
from: "x12 {BUYER}"
to: "x12 {BETA}"
type: "850"
environment: production
mode: pass-through
acknowledged_by: receiver
acknowledgement: {{kind: "997", within: 24h}}
---
kind: agreement
id: default
from: "*"
to: "*"
mode: pass-through
acknowledged_by: receiver
"""

    # --- running it ----------------------------------------------------------------------------------------------

    def start(self, environment=None, timeout=300, wrapper=()):
        """Starts vand in a session of its own and waits for `ready`; one that still runs is killed."""
        self.kill()
        env = dict(self.environment)
        env.update(environment or {})
        self.log_file = open(self.vand_log, "ab")
        self.vand = subprocess.Popen([*wrapper, program("vand"), "-c", self.config], stdout=subprocess.PIPE,
                                     stderr=self.log_file, stdin=subprocess.DEVNULL, env=env, start_new_session=True)
        os.set_blocking(self.vand.stdout.fileno(), False)
        seen = b""
        deadline = time.monotonic() + timeout
        while b"ready" not in seen.split(b"\n"):
            seen += self.vand.stdout.read() or b""
            if self.vand.poll() is not None:
                status, _ = self.vand.returncode, self.kill()
                raise RuntimeError(f"vand ended with {status} before it was ready:\n{self.log_tail()}")
            if time.monotonic() > deadline:
                self.kill()
                raise TimeoutError(f"vand was not ready within {timeout} s:\n{self.log_tail()}")
            time.sleep(0.01)
        return self

    def apply_profiles(self, *files):
        return self.vanctl("partner", "apply", *(files or (self.station_profile, self.profiles)))

    def up(self, **options):
        """Everything: made, started, profiles applied."""
        self.create()
        self.start(**options)
        self.apply_profiles()
        return self

    def tree(self):
        return descendants(self.vand.pid)

    def role_pids(self, role):
        return sorted(pid for pid, name in self.tree().items() if name == role)

    def log(self):
        """Everything that vand has logged."""
        return read(self.vand_log).decode("utf-8", "replace")

    def wait_killed(self, role, logged=0, timeout=PATIENCE):
        """Waits until the log says, behind its first `logged` characters, that a process of this role was killed, or until vand
        itself has ended: True. The log knows also of one that was started again before anybody looked. False: none was."""
        killed = re.compile(rf"role-ended .*name=\S*{role}\S* .*signal=9\b")
        try:
            return bool(wait_for("fault", lambda: killed.search(self.log()[logged:]) or self.vand.poll() is not None, timeout, 0.02))
        except TimeoutError:
            return False

    def check_sound(self, t, killed_sessions=0):
        """Results: since the network was made no role has ended but by a stop, and no SFTP session has crashed but those that the
        test killed, whatever they were sent."""
        errors = [line for line in self.log().splitlines() if "level=error" in line]
        t.equal([line for line in errors if "event=role-ended" in line], [], "no role has crashed")
        t.equal({r["name"]: r["restarts"] for r in self.json("status")["roles"] if r["restarts"]}, {}, "none was started again")
        sessions = [line for line in errors if "event=session-crashed" in line]
        t.ok(len(sessions) == killed_sessions, "and no session has crashed", sessions)

    def run_groups(self, t, groups, *arguments):
        """Runs each group of checks as group(network, *arguments), until vand has ended; then the log's tail is told."""
        for group in groups:
            t.run(group, self, *arguments)
            if self.vand and self.vand.poll() is not None:
                t.ok(False, f"vand lives after {group.__name__}", self.log_tail())
                break
        self.tell(t)

    def tell(self, t, size=5000):
        """The end of the log, when something has failed."""
        if t.failed:
            t.diag(self.log_tail(size))

    def kill(self):
        """SIGKILL to the whole tree, the supervisor first so that it restarts nothing. Returns how many were killed."""
        if not self.vand:
            return 0
        pids = [self.vand.pid] + list(self.tree())
        for pid in pids:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.vand.wait()
        self.vand.stdout.close()
        self.log_file.close()
        wait_gone(pids)
        self.vand = None
        return len(pids)

    def stop(self, timeout=PATIENCE):
        """SIGTERM and the exit status; what is left after the timeout is killed (status None)."""
        if not self.vand:
            return 0
        pids = list(self.tree())
        self.vand.terminate()
        try:
            status = self.vand.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            return None
        self.vand.stdout.close()
        self.log_file.close()
        self.vand = None
        wait_gone(pids)
        return status

    def log_tail(self, size=3000):
        try:
            with open(self.vand_log, "rb") as f:
                f.seek(max(0, os.path.getsize(self.vand_log) - size))
                return f.read().decode("utf-8", "replace")
        except OSError:
            return ""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()
        if self.own_root and not self.keep:
            shutil.rmtree(self.root, ignore_errors=True)

    # --- vanctl --------------------------------------------------------------------------------------------------

    def vanctl(self, *arguments, check=True, **options):
        return run([program("vanctl"), "-c", self.config, *arguments], check=check, env=self.environment, **options)

    def json(self, *arguments):
        return json.loads(self.vanctl(*arguments, "--json").stdout)

    def messages(self, *filters):
        return self.json("message", "list", "--limit", "100000", *filters)

    def queue_depth(self):
        return self.json("status")["queue"]["depth"]

    def drain(self, timeout=PATIENCE):
        """Waits until nothing is left to process (twice in a row, for a job may make another)."""
        quiet = 0
        deadline = time.monotonic() + timeout
        while quiet < 2:
            quiet = quiet + 1 if self.queue_depth() == 0 else 0
            if time.monotonic() > deadline:
                raise TimeoutError(f"the queue did not drain within {timeout} s: {self.json('queue', 'list')[:5]}")
            time.sleep(0.05)

    # --- AS2 -----------------------------------------------------------------------------------------------------

    @property
    def as2_url(self):
        return f"http://127.0.0.1:{self.ports['as2']}/as2"

    def message_id(self, tag="m"):
        self.messages_sent += 1
        return f"<{tag}-{os.getpid()}-{self.messages_sent}-{time.time_ns():x}@buyer.example>"

    def as2_body(self, payload, **options):
        return as2_body(payload, self.buyer_cert, self.buyer_key, self.hub_crypt, self.root, **options)

    def as2_headers(self, message_id, **changes):
        """Headers of a post that asks for a signed synchronous MDN; a change to None leaves one out."""
        headers = {
            "AS2-Version": "1.2", "AS2-From": BUYER_AS2, "AS2-To": HUB_AS2, "Message-ID": message_id,
            "Subject": "Purchase order", "MIME-Version": "1.0",
            "Content-Type": "application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m",
            "Content-Transfer-Encoding": "binary",
            "Disposition-Notification-To": "edi@buyer.example",
            "Disposition-Notification-Options":
                "signed-receipt-protocol=required, pkcs7-signature; signed-receipt-micalg=required, sha-256",
        }
        for name, value in changes.items():
            headers[name.replace("_", "-")] = value
        return {k: v for k, v in headers.items() if v is not None}

    def post(self, body, message_id, url=None, timeout=PATIENCE, **changes):
        """Posts with curl. `body` is bytes. Returns a Response."""
        with tempfile.TemporaryDirectory(dir=self.root) as folder:
            path, head, answer = (os.path.join(folder, n) for n in ("body", "head", "answer"))
            with open(path, "wb") as f:
                f.write(body)
            argv = ["curl", "-sS", "--max-time", timeout, "-o", answer, "-D", head, "--data-binary", "@" + path, "-H", "Expect:"]
            for name, value in self.as2_headers(message_id, **changes).items():
                argv += ["-H", f"{name}: {value}"]
            done = run(argv + [url or self.as2_url], check=False, timeout=timeout + 10)
            return Response(read(head) if os.path.exists(head) else b"", read(answer) if os.path.exists(answer) else b"",
                            done.returncode, done.stderr.decode("utf-8", "replace"))

    def send(self, payload, message_id=None, **options):
        """Signs, encrypts and posts a payload: (Response, Mdn or None, MIC of what was sent, Message-ID)."""
        message_id = message_id or self.message_id()
        body, mic = self.as2_body(payload, **options)
        response = self.post(body, message_id)
        return response, self.check_mdn(response), mic, message_id

    def send_until_taken(self, payload, **options):
        """As senders do: the same message again until its MDN says that it was taken. For tests that kill what takes it."""
        message_id = self.message_id()
        body, _ = self.as2_body(payload, **options)

        def taken():
            mdn = self.check_mdn(self.post(body, message_id))
            return mdn and mdn.outcome == "processed"
        wait_for("the MDN", taken)

    def check_mdn(self, response):
        if response.status != 200 or b"disposition-notification" not in response.body:
            return None
        return check_mdn(response, self.hub_sign, self.root)

    # --- SFTP ----------------------------------------------------------------------------------------------------

    def sftp_options(self, user):
        return ["-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR",
                "-o", "IdentitiesOnly=yes", "-o", "PasswordAuthentication=no", "-o", "BatchMode=yes", "-o", f"ConnectTimeout={PATIENCE:g}",
                "-o", "ServerAliveInterval=10", "-o", "ServerAliveCountMax=6",
                "-i", self.keys[user][0], "-P", str(self.ports["sftp"])]

    def sftp(self, user, *commands, check=True, extra=()):
        """Runs `sftp -b` with these commands; returns the completed process."""
        return run(["sftp", "-q", "-b", "-", *self.sftp_options(user), *extra, f"{user}@127.0.0.1"], check=check,
                   input="\n".join(commands).encode() + b"\n")

    def sftp_list(self, user, folder="/out"):
        """File names in a folder (archives and other folders left out)."""
        lines = self.sftp(user, f"ls -l {folder}").stdout.decode().splitlines()
        return [line.split(None, 8)[8].rsplit("/", 1)[-1] for line in lines
                if line.startswith("-") and len(line.split(None, 8)) == 9]

    def sftp_fetch(self, user, folder="/out"):
        """{name: bytes} of what waits in a folder; nothing is deleted."""
        names = self.sftp_list(user, folder)
        if not names:
            return {}
        with tempfile.TemporaryDirectory(dir=self.root) as local:
            self.sftp(user, f"lcd {local}", *[f'get "{folder}/{n}" "{i}"' for i, n in enumerate(names)])
            return {n: read(os.path.join(local, str(i))) for i, n in enumerate(names)}

    def wait_sessions_over(self):
        """Until all that SFTP sessions had to say has come to the store: what they tell without waiting for an answer, too."""
        wait_for("the end of the sessions", lambda: self.json("session", "list") == [])

    def sftp_put(self, user, data, name, check=True):
        """Uploads bytes under a name. The connection is given up when the server stays silent."""
        with tempfile.NamedTemporaryFile(dir=self.root) as f:
            f.write(data)
            f.flush()
            return self.sftp(user, f'put "{f.name}" "{name}"', check=check)


def sftp_transport(where):
    """paramiko's Transport, with patience: `where` is (host, port) or a connected socket."""
    import paramiko
    if isinstance(where, tuple):
        where = socket.create_connection(where, PATIENCE)
    transport = paramiko.Transport(where)
    transport.banner_timeout = transport.handshake_timeout = transport.auth_timeout = transport.channel_timeout = PATIENCE
    return transport


def wait_gone(pids, timeout=PATIENCE):
    """Waits until none of these processes lives; returns those that still do."""
    deadline = time.monotonic() + timeout
    while True:
        table = process_table()
        left = [p for p in pids if p in table and table[p][2] != "Z"]
        if not left or time.monotonic() > deadline:
            return left
        time.sleep(0.02)


def read(path):
    with open(path, "rb") as f:
        return f.read()


class Response:
    """An HTTP answer as curl saw it. status 0: there was none."""

    def __init__(self, head, body, curl_status=0, curl_error=""):
        blocks = [b for b in re.split(rb"\r?\n\r?\n", head) if b.startswith(b"HTTP/")]
        final = blocks[-1].decode("latin-1") if blocks else ""
        self.body = body
        self.curl_status, self.curl_error = curl_status, curl_error
        first = re.match(r"HTTP/\S+ (\d+)", final)
        self.status = int(first.group(1)) if first else 0
        self.headers = {}
        for line in re.sub(r"\r?\n[ \t]+", " ", final).splitlines()[1:]:
            name, _, value = line.partition(":")
            self.headers[name.strip().lower()] = value.strip()

    def __repr__(self):
        return f"HTTP {self.status} {self.headers} curl {self.curl_status} {self.curl_error} {self.body[:400]!r}"


class Mdn:
    """What an MDN says. `verified`: by openssl against the station's certificate."""

    def __init__(self, report, verified, why):
        self.report, self.verified, self.why = report, verified, why
        text = re.sub(r"\r?\n[ \t]+", " ", report.decode("latin-1"))
        fields = dict((n.lower(), v.strip()) for n, v in re.findall(r"^([A-Za-z0-9-]+):[ \t]*(.*?)\r?$", text, re.M))
        self.disposition = fields.get("disposition", "")
        self.original_message_id = fields.get("original-message-id", "")
        self.final_recipient = fields.get("final-recipient", "")
        mic = fields.get("received-content-mic", "")
        self.mic, _, algorithm = (p.strip() for p in mic.partition(","))
        self.micalg = algorithm.lower()

    @property
    def outcome(self):
        """`processed`, `processed/error: …`, `failed/failure: …`."""
        return self.disposition.partition(";")[2].strip()

    def __repr__(self):
        return f"MDN {self.disposition!r} of {self.original_message_id} MIC {self.mic} verified={self.verified} {self.why}"


def mime_part(payload, content_type="application/edi-x12"):
    return (f"Content-Type: {content_type}\r\nContent-Transfer-Encoding: binary\r\n"
            "Content-Disposition: attachment; filename=\"order.edi\"\r\n\r\n").encode() + payload


def as2_body(payload, certificate, key, recipient, scratch, sign=True, encrypt=True, digest="sha256",
             cipher="aes-256-cbc", content_type="application/edi-x12", own_multipart=False):
    """An AS2 body made by `openssl cms`: (bytes, base64 MIC). With own_multipart the multipart/signed is put together
    here around a detached DER signature, else openssl writes all of it."""
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        part, signed, sealed = (os.path.join(folder, n) for n in ("part", "signed", "sealed"))
        with open(part, "wb") as f:
            f.write(mime_part(payload, content_type))
        mic = mic_of(read(part), digest)
        if sign and own_multipart:
            run(["openssl", "cms", "-sign", "-binary", "-in", part, "-signer", certificate, "-inkey", key, "-md", digest,
                 "-outform", "DER", "-out", signed])
            boundary = b"=_part_" + os.urandom(9).hex().encode()
            name = {"sha1": "sha-1", "sha256": "sha-256", "sha384": "sha-384", "sha512": "sha-512"}[digest]
            text = (b"Content-Type: multipart/signed; protocol=\"application/pkcs7-signature\"; micalg=" + name.encode() +
                    b"; boundary=\"" + boundary + b"\"\r\n\r\n--" + boundary + b"\r\n" + read(part) + b"\r\n--" + boundary +
                    b"\r\nContent-Type: application/pkcs7-signature; name=smime.p7s\r\nContent-Transfer-Encoding: binary\r\n\r\n" +
                    read(signed) + b"\r\n--" + boundary + b"--\r\n")
            with open(signed, "wb") as f:
                f.write(text)
        elif sign:
            run(["openssl", "cms", "-sign", "-binary", "-in", part, "-signer", certificate, "-inkey", key, "-md", digest,
                 "-outform", "SMIME", "-crlfeol", "-out", signed])
        else:
            shutil.copy(part, signed)
        if encrypt:
            run(["openssl", "cms", "-encrypt", "-binary", "-" + cipher, "-in", signed, "-outform", "DER", "-out", sealed,
                 recipient])
        else:
            shutil.copy(signed, sealed)
        return read(sealed), mic


def mic_of(content, digest="sha256"):
    import base64
    import hashlib
    return base64.b64encode(hashlib.new(digest, content).digest()).decode()


def check_mdn(response, certificate, scratch):
    """Verifies a signed MDN as a partner would, with `openssl cms -verify`."""
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        message, report = os.path.join(folder, "mdn"), os.path.join(folder, "report")
        with open(message, "wb") as f:
            f.write(b"MIME-Version: 1.0\r\nContent-Type: " + response.headers.get("content-type", "").encode() +
                    b"\r\n\r\n" + response.body)
        for _ in range(2):  # of one and the same bytes; a crowded machine has been seen to make it err once in ten thousands
            done = run(["openssl", "cms", "-verify", "-in", message, "-inform", "SMIME", "-CAfile", certificate,
                        "-purpose", "any", "-out", report], check=False)
            verified = done.returncode == 0
            if verified:
                break
        text = read(report) if verified and os.path.exists(report) else response.body
        return Mdn(text, verified, "" if verified else done.stderr.decode("utf-8", "replace"))
