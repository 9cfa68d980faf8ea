#!/usr/bin/python3
"""The SFTP mailbox by more of what partners have: PuTTY, Java's JSch, Perl, PHP, Ruby, asyncssh, Dropbear, scp, shared connections; old
algorithms. doc/guide-partner.md lists what was tried. A client that is not installed is skipped."""

import asyncio
import os
import shutil
import signal
import sys
import time
import warnings

import clients
import demo
import tap
import x12

t = tap.Tap()
NAMES = ("plain.edi", "with a blank.edi", "ümläut-€.edi", "empty.edi")
LEGACY = ("diffie-hellman-group14-sha1", "diffie-hellman-group-exchange-sha1", "diffie-hellman-group1-sha1", "ssh-rsa", "aes128-cbc", "aes256-cbc",
          "3des-cbc", "hmac-sha1")


class Files:
    """What a client sends, in a folder of its own, and what waits for it."""

    def __init__(self, n, client, control):
        self.n, self.client = n, client
        self.folder = os.path.join(n.root, "work", client)
        os.makedirs(self.folder)
        self.got = os.path.join(self.folder, "got")
        os.mkdir(self.got)
        self.order, self.order_name = clients.an_order_waits(n, control)
        self.sent = {}
        for i, name in enumerate(NAMES):
            data = b"" if name.startswith("empty") else x12.ack_997(demo.BETA, demo.BUYER, control * 10 + i, control * 10 + i)
            self.sent[f"{client}-{name}"] = data
            with open(self.path(f"{client}-{name}"), "wb") as f:
                f.write(data)

    def path(self, name):
        return os.path.join(self.folder, name)

    def fetched(self):
        return os.path.join(self.got, self.order_name)

    def check(self, names=None, deleted=True):
        """Everything has arrived whole, and what was fetched is the order, which was then deleted."""
        for name in names or self.sent:
            found = [m for m in self.n.messages("--direction", "in", "--partner", "beta") if m["file_name"] == name]
            t.ok(len(found) == 1 and self.n.vanctl("message", "get", found[0]["id"]).stdout == self.sent[name],
                 f"{self.client}: {name.removeprefix(self.client + '-')} is one message, byte for byte", found)
        t.ok(os.path.exists(self.fetched()) and demo.read(self.fetched()) == self.order, f"{self.client}: fetches the very bytes")
        if deleted:
            t.ok(self.order_name not in self.n.sftp_list("beta"), f"{self.client}: deletes what it has")


def need(program):
    if not shutil.which(program):
        raise tap.Skip(f"no {program}")


def fingerprint(n):
    keys = demo.run(["ssh-keyscan", "-t", "ed25519", "-p", n.ports["sftp"], "127.0.0.1"]).stdout
    return demo.run(["ssh-keygen", "-lf", "-"], input=keys).stdout.split()[1].decode()


def putty(n):
    """psftp and pscp, whose code is also WinSCP's and FileZilla's."""
    need("psftp")
    files = Files(n, "psftp", 801)
    key = os.path.join(n.root, "beta.ppk")
    options = ["-batch", "-hostkey", fingerprint(n), "-P", n.ports["sftp"]]
    if shutil.which("puttygen"):
        demo.run(["puttygen", n.keys["beta"][0], "-o", key])
        options += ["-i", key]
    else:
        options += ["-pw", clients.PASSWORD]
    script = ["cd in", *[f'put "{name}"' for name in files.sent], "put psftp-plain.edi again.filepart", "mv again.filepart again.edi", "chmod 644 again.edi",
              "reput psftp-plain.edi again.filepart", "del again.edi", f"lcd {files.got}", "cd /out", "ls", f"get {files.order_name}", f"rm {files.order_name}"]
    done = demo.run(["psftp", *options, "-be", "-b", "/dev/stdin", "beta@127.0.0.1"], input="\n".join(script).encode(), cwd=files.folder)
    files.check()
    t.ok(b"again.filepart -> /in/again.edi" in done.stdout and files.order_name.encode() in done.stdout, "psftp: renames and lists", done)
    done = demo.run(["psftp", *options, "-b", "/dev/stdin", "beta@127.0.0.1"], input=b"cd /in/nowhere\n", check=False)
    t.ok(b"no such file or directory" in done.stdout + done.stderr, "psftp: a folder that isn't there is called that", done)
    files = Files(n, "pscp", 802)
    demo.run(["pscp", *options, "-p", *files.sent, "beta@127.0.0.1:/in/"], cwd=files.folder)
    demo.run(["pscp", *options, "-unsafe", "beta@127.0.0.1:/out/*.edi", files.got])
    files.check(deleted=False)
    done = demo.run(["pscp", *options, "-scp", "pscp-plain.edi", "beta@127.0.0.1:/in/"], cwd=files.folder, check=False)
    t.ok(done.returncode != 0 and b"SFTP mailbox" in done.stderr, "pscp -scp is told what this is", done)


def openssh_scp(n):
    """scp over SFTP; the old scp, rsync and shells are told what this is; SFTP by a program's path; one connection for many."""
    options = n.sftp_options("beta")
    files = Files(n, "scp", 811)
    demo.run(["scp", "-s", "-q", "-p", *options, *files.sent, "beta@127.0.0.1:/in/"], cwd=files.folder)
    demo.run(["scp", "-s", "-q", *options, "beta@127.0.0.1:out/*.edi", files.got])
    files.check(deleted=False)
    files = Files(n, "scp-r", 812)
    demo.run(["scp", "-s", "-q", "-r", *options, files.folder + "/.", "beta@127.0.0.1:~/in"], check=False)
    demo.run(["scp", "-s", "-q", "-r", *options, "beta@127.0.0.1:/out/.", files.got])
    files.check(deleted=False)
    ssh = [o if o != "-P" else "-p" for o in options]
    for what, command in (("scp -O", ["scp", "-O", "-q", *options, files.path("scp-r-plain.edi"), "beta@127.0.0.1:/in/"]),
                          ("ssh with a command", ["ssh", *ssh, "beta@127.0.0.1", "ls"]), ("ssh", ["ssh", *ssh, "beta@127.0.0.1"]),
                          ("ssh with a terminal", ["ssh", "-tt", *ssh, "beta@127.0.0.1"])):
        done = demo.run(command, check=False)
        t.ok(done.returncode == 1 and b"This is an SFTP mailbox" in done.stderr + done.stdout, f"{what} is told what this is", done)
    done = n.sftp("beta", "ls", extra=["-s", "/usr/lib/openssh/sftp-server"])
    t.ok(b"out" in done.stdout, "sftp -s PATH")
    if shutil.which("rsync"):
        done = demo.run(["rsync", "-e", " ".join(["ssh", *ssh]), files.path("scp-r-plain.edi"), "beta@127.0.0.1:/in/"], check=False)
        t.ok(done.returncode != 0 and b"rsync can't work here" in done.stderr, "rsync is told that it can't work", done)
    control = os.path.join(n.root, "control")
    demo.run(["ssh", *ssh, "-o", "ControlMaster=yes", "-o", f"ControlPath={control}", "-fN", "beta@127.0.0.1"], stdout=demo.subprocess.DEVNULL, stderr=demo.subprocess.DEVNULL)
    try:
        before = len(n.json("session", "list"))
        for i in range(12):
            n.sftp("beta", "ls", extra=["-o", f"ControlPath={control}"])
        t.ok(len(n.json("session", "list")) == before, "twelve clients, one after the other, over one connection")
    finally:
        demo.run(["ssh", "-o", f"ControlPath={control}", "-O", "exit", "beta@127.0.0.1"], check=False)


def parallel(n):
    """asyncssh: several conversations at once over one connection, files back and forth on each."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import asyncssh
    except ImportError:
        raise tap.Skip("no asyncssh")
    files = Files(n, "asyncssh", 821)
    big = {f"big{i}.tmp": os.urandom(3000000) for i in range(4)}

    async def carry(connection, name, data):
        with open(files.path(name), "wb") as f:
            f.write(data)
        async with connection.start_sftp_client() as sftp:
            await sftp.put(files.path(name), f"/in/{name}", preserve=True)
            await sftp.get(f"/in/{name}", files.path(name + ".back"))
            await sftp.remove(f"/in/{name}")

    async def work():
        async with asyncssh.connect("127.0.0.1", n.ports["sftp"], username="beta", client_keys=[n.keys["beta"][0]], known_hosts=None) as connection:
            await asyncio.gather(*[carry(connection, name, data) for name, data in big.items()])
            async with connection.start_sftp_client() as sftp:
                await sftp.mput([files.path(name) for name in files.sent], "/in", preserve=True)
                await sftp.mget("/out/*.edi", files.got)
                await sftp.unlink("/out/" + files.order_name)
            done = await connection.run("md5sum x")
            t.ok(done.exit_status == 1 and "SFTP mailbox" in done.stderr, "asyncssh: a command is told what this is", done)
    asyncio.run(work())
    t.ok(all(demo.read(files.path(name + ".back")) == data for name, data in big.items()), "asyncssh: four conversations at once, byte for byte")
    files.check()


PERL = """
use strict; use Net::SFTP::Foreign;
my ($port, $key, $got, $order, @names) = @ARGV;
my $s = Net::SFTP::Foreign->new(host => '127.0.0.1', port => $port, user => 'beta', key_path => $key, autodie => 1,
    more => ['-o', 'StrictHostKeyChecking=no', '-o', 'UserKnownHostsFile=/dev/null', '-o', 'LogLevel=ERROR']);
$s->put($_, "/in/$_", copy_time => 1, copy_perm => 1) for @names[0 .. 1];
$s->put($_, "/in/$_", atomic => 1) for @names[2 .. $#names];
$s->put($names[0], '/in/again.tmp'); $s->put($names[0], '/in/again.tmp', resume => 1); $s->utime('/in/again.tmp', 1, 1); $s->remove('/in/again.tmp');
$s->mkpath('/in'); $s->setcwd('/out'); $s->get($order, "$got/$order"); $s->get($order, "$got/$order", resume => 1); $s->remove($order);
print join ' ', map { $_->{filename} } @{$s->ls('/')};
"""


def perl(n):
    if demo.run(["perl", "-MNet::SFTP::Foreign", "-e", "1"], check=False).returncode != 0:
        raise tap.Skip("no Net::SFTP::Foreign")
    files = Files(n, "perl", 831)
    done = demo.run(["perl", "-CA", "-e", PERL, n.ports["sftp"], n.keys["beta"][0], files.got, files.order_name, *files.sent], cwd=files.folder)
    files.check()
    t.equal(done.stdout.decode().split(), [".", "..", "in", "out"], "perl: lists")


RUBY = """
require 'net/sftp'
port, key, got, order, *names = ARGV
Net::SFTP.start('127.0.0.1', 'beta', port: port.to_i, keys: [key], keys_only: true, verify_host_key: :never, non_interactive: true) do |s|
  names.each { |x| s.upload!(x, "/in/#{x}") }
  s.file.open('/in/again.tmp', 'w') { |f| f.puts 'ISA' }
  s.file.open('/in/again.tmp', 'a') { |f| f.puts 'more' }
  s.setstat!('/in/again.tmp', permissions: 0644, mtime: 1, atime: 1)
  print s.stat!('/in/again.tmp').size, ' '
  s.remove!('/in/again.tmp')
  s.download!("/out/#{order}", "#{got}/#{order}")
  s.remove!("/out/#{order}")
  print s.session.exec!('ls').include?('SFTP mailbox'), ' ', Net::SFTP::Session.new(s.session).connect!.realpath!('/in/..').name
end
"""


def ruby(n):
    if not shutil.which("ruby") or demo.run(["ruby", "-e", "require 'net/sftp'"], check=False).returncode != 0:
        raise tap.Skip("no Net::SFTP for Ruby")
    files = Files(n, "ruby", 841)
    done = demo.run(["ruby", "-e", RUBY, n.ports["sftp"], n.keys["beta"][0], files.got, files.order_name, *files.sent], cwd=files.folder)
    files.check()
    t.equal(done.stdout.decode(), "9 true /", "ruby: appends, is told that there are no commands, and goes on with a second conversation")


PHP = """
require 'phpseclib3/autoload.php';
[$_, $port, $key, $got, $order] = $argv;
$s = new phpseclib3\\Net\\SFTP('127.0.0.1', (int)$port);
$s->login('beta', phpseclib3\\Crypt\\PublicKeyLoader::load(file_get_contents($key))) or die('log-in');
$file = phpseclib3\\Net\\SFTP::SOURCE_LOCAL_FILE;
$s->chdir('in');
foreach (array_slice($argv, 5) as $name) { $s->put($name, $name, $file) or die("put $name"); $s->touch($name, 1000000000); $s->chmod(0644, $name); }
$s->put('again.tmp', 'ISA '); $s->put('again.tmp', 'ISA more', phpseclib3\\Net\\SFTP::SOURCE_STRING | phpseclib3\\Net\\SFTP::RESUME);
$s->clearStatCache(); echo $s->filesize('again.tmp'), ' '; $s->delete('again.tmp');
$s->get("/out/$order", "$got/$order"); $s->delete("/out/$order");
echo implode(' ', $s->nlist('/')), ' ', $s->mkdir('/in/x') ? '' : $s->getLastSFTPError();
"""


def php(n):
    if not shutil.which("php") or demo.run(["php", "-r", "require 'phpseclib3/autoload.php';"], check=False).returncode != 0:
        raise tap.Skip("no phpseclib for PHP")
    files = Files(n, "php", 851)
    done = demo.run(["php", "-r", PHP, "--", n.ports["sftp"], n.keys["beta"][0], files.got, files.order_name, *files.sent], cwd=files.folder)
    files.check()
    t.ok(done.stdout.startswith(b"12 ") and b"A mailbox has no other folders" in done.stdout, "php: resumes, and is told what it can't do", done)


def dropbear(n):
    """OpenSSH's sftp over Dropbear's client."""
    need("dbclient")
    files = Files(n, "dropbear", 861)
    key = os.path.join(n.root, "beta.dropbear")
    demo.run(["dropbearconvert", "openssh", "dropbear", n.keys["beta"][0], key])
    program = os.path.join(n.root, "dbclient.sh")
    with open(program, "w") as f:
        f.write(f"#!/bin/sh\nexec dbclient -y -y -i {key} -p {n.ports['sftp']} -s beta@127.0.0.1 sftp 2>/dev/null\n")
    os.chmod(program, 0o755)
    commands = [*[f'put "{name}" "/in/{name}"' for name in files.sent], f"get /out/{files.order_name} {files.got}", f"rm /out/{files.order_name}"]
    demo.run(["sftp", "-D", program, "-b", "-"], input="\n".join(commands).encode() + b"\n", cwd=files.folder)
    files.check()


JAVA = """
import com.jcraft.jsch.*;
public class More {
  public static void main(String[] a) throws Exception {
    Session s = new JSch().getSession("beta", "127.0.0.1", Integer.parseInt(a[0]));
    s.setPassword(a[1]);
    s.setConfig("StrictHostKeyChecking", "no");
    s.connect(60000);
    for (int i = 4; i < a.length; i++) { // as many programs do: a channel for each file, over one connection
      ChannelSftp c = (ChannelSftp)s.openChannel("sftp");
      c.connect();
      c.put(a[i], "/in/" + a[i] + ".tmp");
      c.setMtime("/in/" + a[i] + ".tmp", 1000000000);
      c.rename("/in/" + a[i] + ".tmp", "/in/" + a[i]);
      c.disconnect();
    }
    ChannelSftp c = (ChannelSftp)s.openChannel("sftp"), d = (ChannelSftp)s.openChannel("sftp");
    c.connect();
    d.connect();
    c.put(new java.io.ByteArrayInputStream("ISA".getBytes()), "/in/again.part");
    d.put(new java.io.ByteArrayInputStream("ISA more".getBytes()), "/in/again.part", ChannelSftp.RESUME);
    System.out.println(c.stat("/in/again.part").getSize());
    c.rm("/in/again.part");
    c.cd("/out");
    c.get(a[3], a[2]);
    d.rm("/out/" + a[3]);
    s.disconnect();
  }
}
"""


def java(n):
    """JSch, with the algorithms it knows."""
    need("javac")
    jar = "/usr/share/java/jsch.jar"
    if not os.path.exists(jar):
        raise tap.Skip("no JSch (libjsch-java)")
    files = Files(n, "jsch", 871)
    with open(files.path("More.java"), "w") as f:
        f.write(JAVA)
    demo.run(["javac", "-encoding", "UTF-8", "-cp", jar, "-d", files.folder, files.path("More.java")])
    done = demo.run(["java", "-Dsun.jnu.encoding=UTF-8", "-Dfile.encoding=UTF-8", "-cp", f"{files.folder}:{jar}", "More", n.ports["sftp"], clients.PASSWORD, files.got,
                     files.order_name, *files.sent], cwd=files.folder, env={**os.environ, "LC_ALL": "C.UTF-8"})
    files.check()
    t.equal(done.stdout.strip(), b"8", "jsch: one channel resumes what another began")


def newest_line(n, *words):
    return demo.wait_for(f"{words} in the log", lambda: next((x for x in reversed(n.log().splitlines()) if all(w in x for w in words)), None))


def old_algorithms(n):
    """Each is refused, with a line for the operator, until the listener allows it by name."""
    rsa, public = demo.make_ssh_key(n.peers, "beta", "rsa")
    n.vanctl("user", "key", "add", "beta", public)
    options = {"ssh-rsa": ["-o", "HostKeyAlgorithms=ssh-rsa"], "hmac-sha1": ["-o", "MACs=hmac-sha1", "-c", "aes128-ctr"]}

    def attempt(name):
        return n.sftp("beta", "ls", check=False, extra=options.get(name) or (["-c", name] if name.endswith("cbc") else ["-o", f"KexAlgorithms={name}"]))
    for name in LEGACY:
        t.ok(attempt(name).returncode != 0, f"{name} is refused")
        line = newest_line(n, "event=no-common-algorithm", f"allow {name} in the listener's legacy")
        t.ok("client=\"SSH-2.0-OpenSSH" in line and "client_offers=" + name in line, "and the log says by whom, what it offers, and what to do", line)
    java = ["-o", "HostKeyAlgorithms=ecdsa-sha2-nistp256", "-o", "KexAlgorithms=ecdh-sha2-nistp256", "-c", "aes128-ctr", "-o", "MACs=hmac-sha2-256"]
    t.ok(n.sftp("beta", "ls", extra=java, check=False).returncode == 0, "what JSch of 2018 has is taken")
    t.ok(n.sftp("beta", "ls", extra=["-o", "KexAlgorithms=diffie-hellman-group-exchange-sha256"], check=False).returncode == 0, "and what PuTTY of 2010 has")

    def sha1_signature():
        import paramiko
        from unittest import mock
        client = paramiko.SSHClient()
        client.set_missing_host_key_policy(paramiko.AutoAddPolicy())
        start = time.monotonic()
        try:
            with mock.patch("paramiko.auth_handler.AuthHandler._finalize_pubkey_algorithm", lambda *_: "ssh-rsa"):  # whatever the server says it takes
                client.connect("127.0.0.1", n.ports["sftp"], "beta", key_filename=rsa, allow_agent=False, look_for_keys=False,
                               banner_timeout=demo.PATIENCE, auth_timeout=demo.PATIENCE)
            return "in", time.monotonic() - start
        except paramiko.SSHException as e:
            return e, time.monotonic() - start
        finally:
            client.close()
    how, seconds = sha1_signature()
    t.ok(how != "in" and seconds < 20, f"a signature with SHA-1 is refused, and at once ({seconds:.1f} s)", how)
    line = newest_line(n, "event=login-failed", "signed_with=ssh-rsa")
    t.ok("paramiko" in line and "allow ssh-rsa in the listener's legacy" in line, "with a line that says by what software, and what to do", line)

    text = demo.read(n.config).decode()
    with open(n.config, "w") as f:
        f.write(text.replace("keys/ssh_host_rsa]}", "keys/ssh_host_rsa], legacy: [hmac-md5]}"))
    done = demo.run([demo.program("vand"), "-c", n.config, "--check"], check=False)
    t.ok(done.returncode == 1 and b"legacy[0]: \"hmac-md5\": must be one of diffie-hellman-group14-sha1" in done.stderr + done.stdout, "an unknown name is told", done)
    with open(n.config, "w") as f:
        f.write(text.replace("keys/ssh_host_rsa]}", f"keys/ssh_host_rsa], legacy: [{', '.join(LEGACY)}]}}"))
    n.vand.send_signal(signal.SIGHUP)
    demo.wait_for("the new settings", lambda: attempt("aes128-cbc").returncode == 0)
    for name in LEGACY:
        done = attempt(name)
        t.ok(done.returncode == 0, f"{name} is taken when the listener allows it", done)
    t.ok("legacy=hmac-sha1" in newest_line(n, "event=login ", "legacy=hmac-sha1"), "the log-in says that it was used")
    t.equal(sha1_signature()[0], "in", "a signature with SHA-1 then, too")
    t.ok(n.sftp("beta", "ls", check=False).returncode == 0 and "legacy=" not in newest_line(n, "event=login "), "a new client still agrees upon nothing old")


def main():
    if not demo.available():
        tap.skip_all("vand is not built")
    with demo.Network(keep="--keep" in sys.argv) as n:
        n.create()
        clients.give_password(n)
        n.start()
        n.apply_profiles()
        for group in (putty, openssh_scp, parallel, perl, ruby, php, dropbear, java, old_algorithms):
            t.run(group, n)
        n.check_sound(t)
        n.tell(t)
    return t.done()


if __name__ == "__main__":
    sys.exit(main())
