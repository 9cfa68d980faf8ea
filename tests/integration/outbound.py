#!/usr/bin/python3
"""Push to and poll from a partner's SFTP server, which is OpenSSH's: bytes, names, host keys, patterns, archives, and kill -9 at every
step, after which each document is there once."""

import datetime
import json
import os
import re
import shutil
import socket
import signal
import subprocess
import sys
import threading
import time

import clients
import demo
import tap
import x12

t = tap.Tap()
GAMMA = "ZZ:GAMMA"
AGAIN_AND_AGAIN = "[" + ", ".join(["1s"] * 600) + "]"  # for longer than a test takes on a slow machine


class Sshd:
    """The partner's server: this user's, with folders of its own."""

    def __init__(self, root, name):
        self.folder = os.path.join(root, name)
        self.inbound, self.outbound, self.done = (os.path.join(self.folder, x) for x in ("inbound", "outbound", "done"))
        for path in (self.folder, self.inbound, self.outbound, self.done):
            os.makedirs(path)
        self.port = demo.free_port()
        self.host_key, self.host_pub = demo.make_ssh_key(self.folder, "host")
        self.other_host_key, self.other_host_pub = demo.make_ssh_key(self.folder, "host", "ecdsa")
        self.user_key, user_pub = demo.make_ssh_key(self.folder, "hub")
        with open(os.path.join(self.folder, "authorized_keys"), "w") as f:
            f.write(user_pub + "\n")
        if os.geteuid() == 0:
            os.makedirs("/run/sshd", mode=0o755, exist_ok=True)
        config = os.path.join(self.folder, "sshd_config")
        with open(config, "w") as f:
            f.write(f"Port {self.port}\nListenAddress 127.0.0.1\nHostKey {self.host_key}\nHostKey {self.other_host_key}\nPidFile none\nStrictModes no\nUsePAM no\n"
                    f"AuthorizedKeysFile {self.folder}/authorized_keys\nPasswordAuthentication no\nPermitRootLogin yes\nUseDNS no\n"
                    "Subsystem sftp internal-sftp\nMaxStartups 100\n")
        self.command = [shutil.which("sshd") or "/usr/sbin/sshd", "-D", "-e", "-f", config]
        self.log = os.path.join(self.folder, "log")
        self.start()

    def start(self):
        with open(self.log, "ab") as f:
            self.process = subprocess.Popen(self.command, stderr=f)

    def visits(self):
        """How often somebody has logged in."""
        return demo.read(self.log).count(b"Accepted publickey")

    def wait_visits(self, count):
        """One poll follows the other: until the last but one of so many more is over."""
        before = self.visits()
        demo.wait_for("polls", lambda: self.visits() >= before + count)

    def put(self, name, data, mtime=None):
        """As a partner should: under another name first."""
        path = os.path.join(self.outbound, name)
        with open(path + ".tmp", "wb") as f:
            f.write(data)
        if mtime:
            os.utime(path + ".tmp", (mtime, mtime))
        os.rename(path + ".tmp", path)

    def clear_outbound(self):
        for name in os.listdir(self.outbound):
            try:
                os.unlink(os.path.join(self.outbound, name))
            except FileNotFoundError:
                pass  # fetched just now

    def clear_inbound(self):
        """As the partner takes what has come."""
        for name in os.listdir(self.inbound):
            os.unlink(os.path.join(self.inbound, name))

    def received(self):
        return {n: demo.read(os.path.join(self.inbound, n)) for n in os.listdir(self.inbound)}

    def stop(self):
        self.process.terminate()
        self.process.wait()


def user():
    return subprocess.check_output(["id", "-un"], text=True).strip()


def profile(n, server, host_key=None, push=True, poll="delete", every="1s", patterns="", version=[0], login=None, at=None, settle="0s", timeout="2m"):
    path = os.path.join(n.root, "gamma.yaml")
    version[0] += 1
    text = f"""kind: partner
id: gamma
name: Gamma {version[0]}
identities: [{{standard: x12, id: "{GAMMA}", connection: gamma-sftp}}]
connections:
  - id: gamma-sftp
    protocol: sftp
    server:
      host: 127.0.0.1
      port: {server.port}
      {login or f"user: {user()}"}
      host_keys: ["{host_key or server.host_pub}"]
      {"" if login else f"key: {server.user_key}"}
      timeout: {timeout}
"""
    if push:
        text += f"    push: {{folder: {server.inbound}, retry: {AGAIN_AND_AGAIN}{push if isinstance(push, str) else ''}}}\n"
    if poll:
        when = f'at: ["{at[0]}"], time_zone: {at[1]}' if at else f"every: {every}"
        text += f"    poll: {{folder: {server.outbound}, after: {poll}, settle: {settle}, {when}{patterns}"
        text += f", archive: {server.done}}}\n" if poll == "archive" else "}\n"
    text += f"""---
kind: agreement
id: buyer-gamma-orders
from: "x12 {demo.BUYER}"
to: "x12 {GAMMA}"
type: "850"
mode: pass-through
acknowledged_by: receiver
---
kind: agreement
id: gamma-buyer
from: "x12 {GAMMA}"
to: "x12 {demo.BUYER}"
mode: pass-through
acknowledged_by: receiver
"""
    with open(path, "w") as f:
        f.write(text)
    n.apply_profiles(path)
    if poll and not at:
        server.wait_visits(2)  # the one that is under way goes by the profile that it began with


def order(n, control, size=6000):
    payload = x12.order_850(demo.BUYER, GAMMA, control, f"PO-G{control}", pad_to=size)
    n.send_until_taken(payload)
    return payload


def outgoing(n, control):
    return [m for m in n.messages("--direction", "out", "--partner", "gamma") if m["control_number"] == f"{control:09d}"]


def delivered(n, control):
    return demo.wait_for(f"delivery of {control}", lambda: [m for m in outgoing(n, control) if m["delivery"] == "delivered"], pause=0.2)


def fetched(n, name):
    return demo.wait_for(name, lambda: [m for m in n.messages("--direction", "in", "--partner", "gamma") if m["file_name"] == name], pause=0.2)


def pushes(n, server):
    profile(n, server, poll=None)
    small, large = order(n, 901), order(n, 902, 300000)
    for control, payload in ((901, small), (902, large)):
        message = delivered(n, control)[0]
        there = {name: data for name, data in server.received().items() if data == payload}
        t.equal(list(there), [message["file_name"]], f"a document of {len(payload)} bytes is on the partner's server, under its name")
    t.ok(not [x for x in server.received() if x.endswith(".part")], "no temporary name is left")
    events = [h["event"] for h in n.json("message", "show", outgoing(n, 901)[0]["id"])["history"]]
    t.ok("sent" in events and "delivered" in events, "it has its receipts", events)

    stranger, stranger_pub = demo.make_ssh_key(server.folder, "stranger")
    profile(n, server, host_key=stranger_pub, poll=None)
    payload = order(n, 903)
    waiting = demo.wait_for("a failed try", lambda: [q for q in n.json("queue", "list") if q["last_error"]])
    t.ok("host key" in waiting[0]["last_error"], "another host key than the pinned one: nothing is sent, and the reason is told", waiting)
    t.ok(payload not in server.received().values(), "not a byte went there")
    profile(n, server, poll=None)
    delivered(n, 903)
    t.ok(payload in server.received().values(), "with the right key it goes")
    profile(n, server, host_key=server.other_host_pub, poll=None)
    payload = order(n, 900)
    delivered(n, 900)
    t.ok(payload in server.received().values(), "of a server with several keys one may be pinned that it likes less")

    server.stop()
    payload = order(n, 904)
    demo.wait_for("a failed try", lambda: [q for q in n.json("queue", "list") if q["last_error"] and "can't be reached" in q["last_error"]])
    t.ok(True, "a server that is down: tried again later")
    server.start()
    delivered(n, 904)
    t.ok(payload in server.received().values(), "and it arrives when the server is back")


def name_is_taken(n, server):
    """Where all documents have one name, each waits until the partner has taken the one before, however often it is tried."""
    server.clear_inbound()
    profile(n, server, poll=None, push=', file_name: "orders.edi"')
    there = order(n, 970)
    delivered(n, 970)
    t.equal(server.received(), {"orders.edi": there}, "a name of its own")
    for control, size, what in ((971, 6000, "of the same length"), (972, 7000, "of another length")):
        payload = order(n, control, size)
        tried = demo.wait_for("three tries", lambda: [q for q in n.json("queue", "list") if q["tries"] > 3])
        t.ok("another document" in tried[0]["last_error"], "what is there is another document: told", tried)
        t.equal((server.received(), outgoing(n, control)[0]["delivery"] == "delivered"), ({"orders.edi": there}, False), f"one {what} waits, and writes over nothing")
        server.clear_inbound()
        delivered(n, control)
        t.equal(server.received(), {"orders.edi": payload}, "when that was taken, it comes")
        there = payload
    profile(n, server, poll=None, push=', file_name: "orders.edi", temporary: "{name}"')
    payload = order(n, 973)
    delivered(n, 973)
    t.equal(server.received(), {"orders.edi": payload}, "without a temporary name, it replaces what is there")
    server.clear_inbound()


def comparison_breaks_off(n, server):
    """Another document of that name and length is there, and the line breaks while it is read: nobody knows that it was ours."""
    server.clear_inbound()
    profile(n, server, poll=None, push=', file_name: "orders.edi"')
    there = order(n, 975, 60000)
    delivered(n, 975)
    line = Breaking(server, 20000)
    profile(n, line, poll=None, push=', file_name: "orders.edi"')
    payload = order(n, 976, 60000)
    tried = demo.wait_for("three tries", lambda: [m for m in n.json("queue", "list") if m["tries"] > 3] or [m for m in outgoing(n, 976) if m["delivery"] == "delivered"])
    t.ok("broke off" in tried[0].get("last_error", ""), "the line breaks while a document is compared: told", tried)
    t.equal((server.received(), outgoing(n, 976)[0]["delivery"] == "delivered"), ({"orders.edi": there}, False), "and it is not taken for delivered")
    line.close()
    server.clear_inbound()
    profile(n, server, poll=None, push=', file_name: "orders.edi"')
    delivered(n, 976)
    t.equal(server.received(), {"orders.edi": payload}, "it comes when the line is back")
    server.clear_inbound()


class Silent:
    """A server that takes connections and says nothing."""

    def __init__(self, server):
        self.__dict__.update(server.__dict__)
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]

    def close(self):
        self.socket.close()


class Stalling(Silent):
    """The partner's server behind a line that goes dead in the middle of a document."""

    def __init__(self, server, most):
        super().__init__(server)
        self.to, self.most = server.port, most
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                client, _ = self.socket.accept()
            except OSError:
                return
            there = socket.create_connection(("127.0.0.1", self.to))
            threading.Thread(target=self.forward, args=(client, there, self.most), daemon=True).start()
            threading.Thread(target=self.forward, args=(there, client, 1 << 30), daemon=True).start()

    @staticmethod
    def forward(one, other, most):
        try:
            while most > 0 and (data := one.recv(4096)):
                other.sendall(data)
                most -= len(data)
        except OSError:
            pass


class Breaking(Stalling):
    """... that is cut when the server has sent so much."""

    def serve(self):
        while True:
            try:
                client, _ = self.socket.accept()
            except OSError:
                return
            there = socket.create_connection(("127.0.0.1", self.to))
            threading.Thread(target=self.forward, args=(client, there, 1 << 30), daemon=True).start()
            threading.Thread(target=self.cut, args=(there, client), daemon=True).start()

    def cut(self, there, client):
        self.forward(there, client, self.most)
        for s in (there, client):
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # closed already


def stalled(n, server):
    """Whoever makes no progress is given up, and tried again."""
    server.clear_inbound()
    line = Stalling(server, 50000)
    profile(n, line, poll=None, timeout="2s")
    payload = order(n, 974, 300000)
    waiting = demo.wait_for("a failed try", lambda: [q for q in n.json("queue", "list") if q["last_error"]])
    t.ok(waiting, f"a line that goes dead: {waiting[0]['last_error']}")
    t.ok(server.received() and all(name.endswith(".part") for name in server.received()), "a half is there under a temporary name alone", list(server.received()))
    server.clear_inbound()
    line.close()
    profile(n, server, poll=None)
    delivered(n, 974)
    t.equal(list(server.received().values()).count(payload), 1, "and comes once when the line is back")


def confined(n, server):
    """/proc/PID/status of a process that speaks with a partner's server."""
    silent = Silent(server)
    profile(n, silent, poll=None)
    payload = order(n, 905)

    def transfers():
        deliver = n.role_pids("deliver")
        out = subprocess.run(["ps", "-o", "pid=", "--ppid", ",".join(map(str, deliver))], stdout=subprocess.PIPE, text=True).stdout.split()
        found = [demo.process_status(pid) for pid in out if os.path.exists(f"/proc/{pid}")]
        relaxed = "sandbox-relaxed" in n.log()  # a sanitizer build, which says so
        return [s for s in found if s["Seccomp"] == "2" and s["Seccomp_filters"] == "2" or relaxed]
    found = demo.wait_for("a transfer with its filter", transfers, 30, 0.05)
    t.ok(all(s["NoNewPrivs"] == "1" and int(s["CapEff"], 16) == 0 for s in found), "a transfer has a filter of its own, and no capability", found)
    silent.close()
    profile(n, server, poll=None)
    delivered(n, 905)
    t.ok(payload in server.received().values(), "and what a silent server held up arrives afterwards")


def one_of_many(n, server):
    """A document that is one of several in its file: whoever speaks with the partner's server holds a pipe, and not the file."""
    other = x12.ack_997(demo.BUYER, demo.ALPHA, 908, 908) + b"\n"
    own = [x12.order_850(demo.BUYER, GAMMA, 908 + i, f"PO-G{908 + i}", pad_to=size) + b"\n" for i, size in enumerate((900000, 70000))]
    silent = Silent(server)
    profile(n, silent, poll=None)
    n.send_until_taken(other + b"".join(own))

    def held():
        out = subprocess.run(["ps", "-o", "pid=", "--ppid", ",".join(map(str, n.role_pids("deliver")))], stdout=subprocess.PIPE, text=True).stdout.split()
        found = []
        for pid in out:
            try:
                found.append(sorted(os.readlink(f"/proc/{pid}/fd/{x}").split(":")[0] for x in os.listdir(f"/proc/{pid}/fd") if int(x) > 2))
            except OSError:
                pass  # over by now
        return [x for x in found if "socket" in x and len(x) == 3]
    if os.geteuid() == 0:
        found = demo.wait_for("a transfer", held, 30, 0.05)
        t.ok(all(x == ["pipe", "pipe", "socket"] for x in found), "a transfer holds its connection and two pipes", found)
    silent.close()
    profile(n, server, poll=None)
    for i, payload in enumerate(own):
        delivered(n, 908 + i)
        t.ok(payload in server.received().values(), f"and {len(payload)} bytes of a file of several arrive, no others")


def passwords(n, server):
    """A partner's server that asks for a password: here a mailbox of our own."""
    clients.give_password(n)
    n.apply_profiles()
    path = os.path.join(n.root, "gamma.password")
    with open(path, "w") as f:
        f.write(clients.PASSWORD + "\n")
    os.chmod(path, 0o600)
    scanned = demo.run(["ssh-keyscan", "-p", n.ports["sftp"], "-t", "ed25519", "127.0.0.1"]).stdout.decode().split()
    ours = Silent(server)
    ours.close()
    ours.__dict__.update(port=n.ports["sftp"], host_pub=" ".join(scanned[1:3]), inbound="/in")
    profile(n, ours, poll=None, login=f"user: beta\n      password_file: {path}")
    payload = order(n, 906)
    message = delivered(n, 906)[0]
    taken = [m for m in n.messages("--direction", "in", "--partner", "beta") if m["file_name"] == message["file_name"]]
    t.ok(len(taken) == 1 and n.vanctl("message", "get", taken[0]["id"]).stdout == payload, "a push that logs in with a password", taken)
    with open(path, "w") as f:
        f.write("another\n")
    profile(n, ours, poll=None, login=f"user: beta\n      password_file: {path}")
    n.vand.send_signal(signal.SIGHUP)
    order(n, 907)
    waiting = demo.wait_for("a failed try", lambda: [q for q in n.json("queue", "list") if q["last_error"]], 30)
    t.ok("does not let us in" in waiting[0]["last_error"], "a wrong one: the reason is told", waiting[0]["last_error"])
    n.vanctl("queue", "drop", waiting[0]["id"])
    profile(n, server, poll=None)


def polls(n, server):
    profile(n, server, push=False, patterns=", patterns: [\"*.edi\"]")
    acks = {f"ack{i}.edi": x12.ack_997(GAMMA, demo.BUYER, 910 + i, 910 + i) for i in range(5)}
    acks["large.edi"] = x12.ack_997(GAMMA, demo.BUYER, 919, 919) + b" " * 200000
    for name, data in acks.items():
        server.put(name, data)
    server.put("readme.txt", b"not for you")
    with open(os.path.join(server.outbound, "half.edi.tmp"), "wb") as f:
        f.write(b"half")
    for name, data in acks.items():
        found = fetched(n, name)
        t.ok(len(found) == 1 and n.vanctl("message", "get", found[0]["id"]).stdout == data, f"{name}: fetched once, byte for byte", found)
    demo.wait_for("deletion", lambda: sorted(os.listdir(server.outbound)) == ["half.edi.tmp", "readme.txt"])
    t.ok(True, "fetched ones are deleted there, others stay")
    server.put("ack0.edi", acks["ack1.edi"])
    demo.wait_for("the second", lambda: len(fetched(n, "ack0.edi")) == 2)
    t.ok(True, "a new file of an old name is another message")
    server.clear_outbound()
    profile(n, server, push=False, poll="archive")
    server.put("kept.edi", acks["ack2.edi"])
    fetched(n, "kept.edi")
    demo.wait_for("archive", lambda: os.listdir(server.done) == ["kept.edi"])
    t.ok(True, "after: archive moves it")
    server.put("kept.edi", acks["ack3.edi"])
    demo.wait_for("archive", lambda: len(os.listdir(server.done)) == 2 and not os.listdir(server.outbound))
    t.equal(sorted(demo.read(os.path.join(server.done, x)) for x in os.listdir(server.done)), sorted((acks["ack2.edi"], acks["ack3.edi"])), "beside one of its name from another day")
    server.stop()
    for i, name in enumerate(("c-first.edi", "a-second.edi", "b-third.edi")):
        server.put(name, x12.ack_997(GAMMA, demo.BUYER, 980 + i, 980 + i), 1700000000 + i)
    server.start()
    ids = [fetched(n, name)[0]["id"] for name in ("c-first.edi", "a-second.edi", "b-third.edi")]
    t.equal(ids, sorted(ids), "the oldest comes first")
    profile(n, server, push=False, poll="keep")
    server.put("stays.edi", acks["ack3.edi"])
    fetched(n, "stays.edi")
    server.wait_visits(3)
    t.ok(len(fetched(n, "stays.edi")) == 1 and "stays.edi" in os.listdir(server.outbound), "after: keep leaves it, and it is not fetched again")
    logged = len(n.log())
    folder, link = (os.path.join(server.outbound, x) for x in ("folder.edi", "link.edi"))
    os.mkdir(folder)
    os.symlink("stays.edi", link)
    server.wait_visits(3)
    t.ok("event=poll-file" not in n.log()[logged:] and not [m for m in n.messages("--partner", "gamma") if m["file_name"] in ("folder.edi", "link.edi")],
         "folders and links are no files", n.log()[logged:])
    os.rmdir(folder)
    os.unlink(link)
    written = os.stat(os.path.join(server.outbound, "stays.edi")).st_mtime
    for count, (data, mtime, what) in enumerate(((acks["ack4.edi"], written - 100, "of the same length, but another time"),
                                                 (acks["ack4.edi"] + b"\n", written - 100, "of the same time, but another length")), 2):
        server.put("stays.edi", data, mtime)
        found = demo.wait_for(what, lambda: [f for f in [fetched(n, "stays.edi")] if len(f) == count])[0]
        t.ok(data in [n.vanctl("message", "get", m["id"]).stdout for m in found], f"one {what}, is another one")
    server.clear_outbound()


def settling(n, server, settle=3):
    """A partner that writes its files in place: none is fetched before it is whole."""
    profile(n, server, push=False, patterns=', patterns: ["*"]', settle=f"{settle}s")
    whole = x12.ack_997(GAMMA, demo.BUYER, 928, 928) + b" " * 5000
    temporary = ["half.edi.part", "half.edi.partial", "half.edi.FILEPART", "half.tmp", "half.writing", "half.inprogress", ".half.edi"]
    for name in temporary:
        with open(os.path.join(server.outbound, name), "wb") as f:
            f.write(b"half")
    server.put("whole.edi", x12.ack_997(GAMMA, demo.BUYER, 929, 929))
    began = time.monotonic()
    with open(os.path.join(server.outbound, "slow.edi"), "wb") as f:
        while time.monotonic() < began + 3 * settle:
            f.write(whole[f.tell():f.tell() + len(whole) // 20])
            f.flush()
            time.sleep(settle / 6)
        t.ok(len(fetched(n, "whole.edi")) == 1, "what nobody writes any more is fetched meanwhile")
        t.equal([m for m in n.messages("--direction", "in", "--partner", "gamma") if m["file_name"] == "slow.edi"], [], "what is being written is not")
        f.write(whole[f.tell():])
    found = fetched(n, "slow.edi")
    t.ok(n.vanctl("message", "get", found[0]["id"]).stdout == whole, "and then it is fetched whole", found)
    demo.wait_for("deletion", lambda: sorted(os.listdir(server.outbound)) == sorted(temporary))
    t.ok(re.search(r"event=polled .*still being written", n.log()), "the log says what was being written")
    t.ok(True, "temporary names are left alone, also where the pattern is any")
    profile(n, server, push=False, patterns=', patterns: ["*", "*.tmp"]')
    t.equal(len(fetched(n, "half.tmp")), 1, "but for a pattern that asks for them")
    server.clear_outbound()


def changes_for_ever(n, server):
    """A file that is written on and on is no reason to come every few seconds."""
    profile(n, server, poll=None)
    n.stop()
    server.clear_outbound()
    over = threading.Event()

    def write():
        with open(os.path.join(server.outbound, "access.log"), "wb") as f:
            while not over.wait(0.1):
                f.write(b"one more line\n")
                f.flush()
    threading.Thread(target=write, daemon=True).start()
    n.start()
    profile(n, server, push=False, settle="1s", every="1h")  # two polls
    seen, since = server.visits(), time.monotonic()
    demo.wait_for("the third", lambda: server.visits() > seen)
    pause = time.monotonic() - since
    over.set()
    t.ok(pause >= 10, "a file that changes for ever: the pauses between the polls double", pause)
    server.clear_outbound()


def looked_at(n, server):
    """vanctl partner test: what a poll would fetch, with nothing fetched."""
    def test():
        answer = n.vanctl("--json", "partner", "test", "gamma", check=False)
        return answer.returncode, [(r["step"], r["result"], r["text"]) for r in json.loads(answer.stdout)]

    profile(n, server, push=False, at=("0 0 1 1 *", "UTC"), patterns=', patterns: ["*.edi"]')
    n.wait_sessions_over()
    n.drain()
    server.clear_outbound()
    for name in ("look.edi", "readme.txt"):
        server.put(name, b"12345")
    before = len(n.messages("--partner", "gamma"))
    status, rows = test()
    t.equal(status, 0, "partner test of a server that is only polled")
    t.equal([r[1:] for r in rows if r[0] == "log-in"], [("ok", "its server shows the profile's host key, and lets us in")], "it logs in")
    t.equal([r[1:] for r in rows if r[0] == "poll"],
            [("ok", "1 file would be fetched, of 1 with a name for it; 1 other is left alone"), ("ok", "look.edi, 5 bytes: would be fetched")],
            "and says what a poll would fetch")
    t.equal((sorted(os.listdir(server.outbound)), len(n.messages("--partner", "gamma"))), (["look.edi", "readme.txt"], before), "which it does not")
    stranger = demo.make_ssh_key(n.root, "another-stranger")[1]
    profile(n, server, push=False, at=("0 0 1 1 *", "UTC"), host_key=stranger)
    status, rows = test()
    t.ok(status == 1 and [r[:2] for r in rows if "host key" in r[2]] == [("log-in", "failed")], "a server with another host key is told", rows)
    path = os.path.join(n.root, "gamma.yaml")
    profile(n, server, push=False, at=("0 0 1 1 *", "UTC"))
    with open(path) as f:
        text = f.read()
    with open(path, "w") as f:
        f.write(text.replace(f"folder: {server.outbound}", "folder: /nowhere"))
    n.apply_profiles(path)
    status, rows = test()
    t.ok(status == 1 and [r[:2] for r in rows if "/nowhere" in r[2]] == [("poll", "failed")], "and a folder that is not there", rows)
    server.clear_outbound()


def schedules(n, server):
    """Cron style, in a zone of its own: not before its minute, and then once."""
    zone = datetime.timezone(datetime.timedelta(hours=5, minutes=30))
    due = datetime.datetime.now(zone) + datetime.timedelta(seconds=70)  # applying the profile takes a moment
    due = due.replace(second=0, microsecond=0)
    name = "at its time.edi"
    server.put(name, x12.ack_997(GAMMA, demo.BUYER, 925, 925))
    profile(n, server, push=False, at=(due.strftime("%M %H * * *"), "Asia/Kolkata"))
    n.wait_sessions_over()  # a poll by the former profile may be under way: it may take the file, and is not what is asked for
    if [m for m in n.messages("--direction", "in", "--partner", "gamma") if m["file_name"] == name]:
        name = "later.edi"
        server.put(name, x12.ack_997(GAMMA, demo.BUYER, 926, 926))
    visits = server.visits()
    fetched(n, name)
    at = datetime.datetime.now(zone)
    t.ok(0 <= (at - due).total_seconds() < 55, f"a poll at {due:%H:%M} of its zone came at {at:%H:%M:%S}")
    t.equal(server.visits() - visits, 1, "once, and never before")


def held_after_a_restore(n, server):
    """What `vanctl restore` made fetches nothing, which would take it from there, until it may."""
    profile(n, server, push=False)
    n.stop()
    with open(os.path.join(n.dir, "data", "restored"), "w") as f:
        f.write('{"point": "2026-01-02T03:04:05Z"}')
    n.start()
    visits, name = server.visits(), "held.edi"
    server.put(name, x12.ack_997(GAMMA, demo.BUYER, 928, 928))
    time.sleep(6)  # a start polls after two seconds, this profile every second
    t.equal((server.visits() - visits, name in os.listdir(server.outbound)), (0, True), "a restored node polls nothing")
    n.vanctl("queue", "resume")
    t.equal(len(fetched(n, name)), 1, "until it may: then it fetches what is there")
    server.clear_outbound()


def larger_than_taken(n, server):
    """What the connection doesn't take stays there, and holds up nothing else."""
    profile(n, server, push=False, patterns=", patterns: [\"*.edi\"]", version=[500])
    path = os.path.join(n.root, "gamma.yaml")
    text = demo.read(path).decode()
    with open(path, "w") as f:
        f.write(text.replace("    protocol: sftp\n", "    protocol: sftp\n    max_message: 100KiB\n"))
    n.apply_profiles(path)
    server.wait_visits(2)
    logged = len(n.log())
    server.put("a-huge.edi", b"x" * 200000)
    server.put("b-good.edi", x12.ack_997(GAMMA, demo.BUYER, 927, 927))
    fetched(n, "b-good.edi")
    t.ok(demo.wait_for("the reason", lambda: "larger than this connection takes" in n.log()[logged:]), "a file that is too large: the log says so")
    server.wait_visits(2)
    t.ok("a-huge.edi" in os.listdir(server.outbound) and "a-huge.edi" not in [m["file_name"] for m in n.messages("--partner", "gamma")],
         "it stays there, and is no message")
    server.clear_outbound()


def reached(n, point, logged):
    """Has the process died at its point? Those that speak with servers are deliver's own children, and deliver says so."""
    if point.startswith("store"):
        return n.wait_killed("store", logged)
    return demo.wait_for(point, lambda: "the process that spoke with the server ended" in n.log()[logged:])


def killed_at_points(n, server):
    """The process that speaks with the server dies at each point; then everything goes on without."""
    control = 930
    for point in ("deliver-before-rename", "deliver-after-rename", "store-before-deliver", "store-after-deliver"):
        control += 1
        n.stop()
        logged = len(n.log())
        n.start(environment={"OPENVAN_FAULT": f"{point}:1"})
        profile(n, server, poll=None)
        payload = order(n, control)
        t.ok(reached(n, point, logged), f"{point}: the point was reached", n.log()[logged:][-2000:])
        n.kill()
        n.start()
        delivered(n, control)
        same = [name for name, data in server.received().items() if data == payload]
        t.ok(len(same) == 1 and not same[0].endswith(".part"), f"{point}: the document is there once", same)
    number = 950
    for point in ("poll-before-commit", "poll-after-commit", "poll-after-delete"):
        number += 1
        n.stop()
        logged = len(n.log())
        n.start(environment={"OPENVAN_FAULT": f"{point}:1"})
        profile(n, server, push=False)
        name, data = f"{point}.edi", x12.ack_997(GAMMA, demo.BUYER, number, number)
        server.put(name, data, 1700000000)
        t.ok(reached(n, point, logged), f"{point}: the point was reached", n.log()[logged:][-2000:])
        n.kill()
        n.start()
        fetched(n, name)
        demo.wait_for("deletion", lambda: not os.path.exists(os.path.join(server.outbound, name)))
        t.equal(len(fetched(n, name)), 1, f"{point}: picked up once")
    server.wait_visits(2)
    server.put(name, data, 1700000000)
    demo.wait_for("another one", lambda: len(fetched(n, name)) == 2)
    t.ok(True, "what is gone from the server is forgotten: one that looks the same is another one")


def not_asked_for_meanwhile(n, server):
    """What was fetched and could not be deleted stays remembered while the profile's patterns don't ask for it."""
    n.stop()
    logged = len(n.log())
    n.start(environment={"OPENVAN_FAULT": "poll-after-commit:1"})
    profile(n, server, push=False, patterns=', patterns: ["*.edi"]')
    server.put("once.edi", x12.ack_997(GAMMA, demo.BUYER, 960, 960))
    reached(n, "poll-after-commit", logged)
    n.kill()
    n.start()
    profile(n, server, push=False, patterns=', patterns: ["*.x12"]')
    there = os.path.exists(os.path.join(server.outbound, "once.edi"))
    server.wait_visits(2)
    profile(n, server, push=False, patterns=', patterns: ["*.edi"]')
    demo.wait_for("deletion", lambda: not os.listdir(server.outbound))
    t.equal(len(fetched(n, "once.edi")), 1, f"patterns that changed meanwhile fetch nothing twice ({'it was there' if there else 'it was gone before'})")


def killed_at_random(n, server, rounds=4):
    """kill -9 of deliver and of the store while documents go both ways."""
    profile(n, server)
    sent, put = [], []
    for i in range(rounds):
        for k in range(3):
            control = 1000 + i * 10 + k
            sent.append((control, order(n, control)))
            name = f"pick{i}{k}.edi"
            put.append(name)
            server.put(name, x12.ack_997(GAMMA, demo.BUYER, 2000 + i * 10 + k, 2000 + i * 10 + k))
        time.sleep(0.4 * (i % 3))
        for pid in n.role_pids(("deliver", "store")[i % 2])[:1]:
            os.kill(pid, signal.SIGKILL)
        demo.wait_for("vand", lambda: n.vanctl("status", check=False).returncode == 0, pause=0.2)
    for control, _ in sent:
        delivered(n, control)
    for name in put:
        fetched(n, name)
    demo.wait_for("deletions", lambda: not os.listdir(server.outbound))
    data = list(server.received().values())
    t.ok(all(data.count(payload) == 1 for _, payload in sent), f"{len(sent)} pushes across kills: each there once")
    names = [m["file_name"] for m in n.messages("--direction", "in", "--partner", "gamma")]
    t.ok(all(names.count(name) == 1 for name in put), f"{len(put)} pick-ups across kills: each once")


def main():
    if not demo.available():
        tap.skip_all("vand is not built")
    if not shutil.which("sshd") and not os.path.exists("/usr/sbin/sshd"):
        tap.skip_all("no OpenSSH server")
    with demo.Network(keep="--keep" in sys.argv) as n:
        n.up()
        server = Sshd(n.root, "partner")
        try:
            for group in (pushes, name_is_taken, comparison_breaks_off, stalled, confined, one_of_many, passwords, polls, settling, changes_for_ever, looked_at, schedules, held_after_a_restore, larger_than_taken,
                          killed_at_points, not_asked_for_meanwhile, killed_at_random):
                t.run(group, n, server)
        finally:
            server.stop()
        n.tell(t)
    return t.done()


if __name__ == "__main__":
    sys.exit(main())
