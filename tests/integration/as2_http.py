#!/usr/bin/python3
"""The HTTP side of AS2 in: TLS keys that change while it runs, names that clients ask for, client certificates, and clients
that are slow or leave."""

import concurrent.futures
import os
import select
import shutil
import socket
import ssl
import sys
import time

import demo
import tap

t = tap.Tap()
PLACES = 4  # bodies at one time


def make_authority(folder, name):
    return demo.make_certificate(folder, name)


def issue(folder, authority, name, host=None):
    """A certificate from an authority: (certificate, key)."""
    certificate, key, request, extensions = (os.path.join(folder, f"{name}.{x}") for x in ("pem", "key", "csr", "ext"))
    with open(extensions, "w") as f:
        f.write("basicConstraints=CA:FALSE\n" + (f"subjectAltName=DNS:{host}\n" if host else ""))
    demo.run(["openssl", "req", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={host or name}", "-keyout", key, "-out", request])
    demo.run(["openssl", "x509", "-req", "-in", request, "-CA", authority[0], "-CAkey", authority[1], "-CAcreateserial", "-days", "30",
              "-extfile", extensions, "-out", certificate])
    return certificate, key


def fingerprint(path):
    return ssl.PEM_cert_to_DER_cert(demo.read(path).decode())


def shown(port, name=None, client=None, version=None):
    """The certificate (DER) that the server shows to a client that asks for this name."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if version:
        context.maximum_version = version
    if client:
        context.load_cert_chain(*client)
    with socket.create_connection(("127.0.0.1", port), demo.PATIENCE) as s, context.wrap_socket(s, server_hostname=name) as tls:
        return tls.getpeercert(binary_form=True)


class World:
    """A network with four TLS listeners: plain TLS with names; clients optional, required; optional without authorities."""

    def __init__(self, n):
        self.n = n
        n.create()
        self.authority, self.other = make_authority(n.peers, "authority"), make_authority(n.peers, "other-authority")
        self.client = issue(n.peers, self.authority, "client")
        self.second = issue(n.peers, self.authority, "second-client")
        self.stranger = issue(n.peers, self.other, "stranger")
        for name in ("first", "alpha", "beta", "next"):
            certificate, key = issue(n.peers, self.authority, f"{name}-tls", f"{name}.example")
            shutil.copy(certificate, os.path.join(n.dir, "certs", f"{name}.pem"))
            shutil.copy(key, os.path.join(n.dir, "keys", f"{name}.key"))
        self.ports = {k: demo.free_port() for k in ("plain", "names", "optional", "required", "any")}
        pair = "certificate: certs/{0}.pem, key: keys/{0}.key"
        listeners = [f"{{address: 127.0.0.1, port: {self.ports['plain']}}}",
                     f"{{address: 127.0.0.1, port: {self.ports['names']}, tls: {{{pair.format('first')}, "
                     f"sni: [{{{pair.format('alpha')}}}, {{{pair.format('beta')}}}]}}}}"]
        for kind, more in (("optional", f", client_ca: {self.authority[0]}"), ("required", f", client_ca: {self.authority[0]}"), ("any", "")):
            listeners.append(f"{{address: 127.0.0.1, port: {self.ports[kind]}, tls: {{{pair.format('first')}, "
                             f"client: {'optional' if kind == 'any' else kind}{more}}}}}")
        with open(n.config) as f:
            text = f.read()
        start = text.index("  as2:")
        end = text.index("  sftp:")
        with open(n.config, "w") as f:
            f.write(text[:start] + "  as2: [" + ", ".join(listeners) + "]\n" + text[end:])
        n.set_config("http", "{header_timeout: 10m, body_timeout: 10m, idle_timeout: 10m}")  # nobody is sent away for being slow
        n.set_config("limits", f"{{in_flight_messages: {PLACES}}}")
        n.ports["as2"] = self.ports["plain"]
        with open(n.profiles, "a") as f:
            for name, certificates in (("open", ""), ("shown", f"      client_certificates: [{self.client[0]}, {self.stranger[0]}]\n")):
                f.write(f"---\nkind: partner\nid: {name}\nname: {name}\nconnections:\n  - id: {name}-as2\n    protocol: as2\n"
                        f"    station: {n.station}\n    as2_id: {name.upper()}\n    receive:\n      require: []\n{certificates}")
        n.start()
        n.apply_profiles()

    def post(self, listener, as2_from, client=None):
        """HTTP status of a small message over TLS; 0 when there was none."""
        argv = ["curl", "-sS", "-k", "-o", "/dev/null", "-w", "%{http_code}", "--max-time", f"{demo.PATIENCE:g}", "--data-binary", "x"]
        if client:
            argv += ["--cert", client[0], "--key", client[1]]
        for name, value in self.n.as2_headers(self.n.message_id("tls"), AS2_From=as2_from, Content_Type="application/octet-stream").items():
            argv += ["-H", f"{name}: {value}"]
        scheme = "http" if listener == "plain" else "https"
        done = demo.run(argv + [f"{scheme}://127.0.0.1:{self.ports[listener]}/as2"], check=False)
        return int(done.stdout or 0)


def names(w):
    pem = {k: fingerprint(os.path.join(w.n.dir, "certs", f"{k}.pem")) for k in ("first", "alpha", "beta")}
    for name, expected in (("alpha.example", "alpha"), ("beta.example", "beta"), ("ALPHA.example", "alpha"), ("first.example", "first"),
                           ("unknown.example", "first"), (None, "first")):
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            t.ok(shown(w.ports["names"], name, version=version) == pem[expected], f"a client that asks for {name} by {version.name} is shown {expected}")


def client_certificates(w):
    for listener, as2_from, client, expected, name in (
            ("optional", "OPEN", None, 200, "optional: a client without a certificate is served"),
            ("optional", "OPEN", w.client, 200, "optional: one with a certificate from client_ca, too"),
            ("optional", "OPEN", w.stranger, 403, "optional: one from elsewhere is not"),
            ("required", "OPEN", None, 0, "required: without a certificate there is no connection"),
            ("required", "OPEN", w.client, 200, "required: with one from client_ca there is"),
            ("required", "OPEN", w.stranger, 403, "required: with one from elsewhere nothing is taken"),
            ("optional", "SHOWN", None, 403, "a partner whose profile names certificates has to show one"),
            ("optional", "SHOWN", w.second, 403, "not another one, though the authority is right"),
            ("optional", "SHOWN", w.client, 200, "but one of those named"),
            ("any", "SHOWN", w.stranger, 200, "without client_ca the profile decides alone"),
            ("any", "SHOWN", w.second, 403, "and refuses others"),
            ("plain", "SHOWN", None, 403, "over plain HTTP nobody can show one")):
        t.equal(w.post(listener, as2_from, client), expected, name)


def roll_over(w):
    """New keys for new connections; those that stand go on."""
    n, folder = w.n, os.path.join(w.n.dir, "certs")
    old, new = fingerprint(os.path.join(folder, "first.pem")), fingerprint(os.path.join(folder, "next.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    pids = sorted(n.tree())
    with socket.create_connection(("127.0.0.1", w.ports["names"]), demo.PATIENCE) as s, context.wrap_socket(s) as standing:
        shutil.copy(os.path.join(folder, "next.pem"), os.path.join(folder, "first.pem"))
        n.vand.send_signal(1)
        demo.wait_for("the reload", lambda: "reload-refused" in n.log())
        t.ok(shown(w.ports["names"]) == old, "a certificate without its key is refused at reload: the old pair stays")
        shutil.copy(os.path.join(n.dir, "keys", "next.key"), os.path.join(n.dir, "keys", "first.key"))
        n.vand.send_signal(1)
        demo.wait_for("the new certificate", lambda: shown(w.ports["names"]) == new)
        t.ok(True, "SIGHUP: new connections are shown the new certificate")
        t.ok(shown(w.ports["names"], "alpha.example") == fingerprint(os.path.join(folder, "alpha.pem")), "those for names are as before")
        standing.sendall(b"GET /as2 HTTP/1.1\r\nHost: x\r\n\r\n")
        t.ok(standing.recv(100).startswith(b"HTTP/1.1 405"), "a connection that stood goes on")
    t.equal(w.post("required", "OPEN", w.client), 200, "messages are taken")
    for size in (300, 300000):
        _, mdn, mic, _ = n.send(os.urandom(size))
        t.ok(mdn and mdn.verified and mdn.mic == mic and mdn.outcome == "processed", f"so is one of {size} bytes", mdn)
    t.equal(sorted(n.tree()), pids, "no process was started again")


def head(length, as2_from="OPEN"):
    return (f"POST /as2 HTTP/1.1\r\nHost: x\r\nAS2-From: {as2_from}\r\nAS2-To: {demo.HUB_AS2}\r\nMessage-ID: <{time.time_ns()}@slow>\r\n"
            f"Content-Type: text/plain\r\nContent-Length: {length}\r\n\r\n").encode()


def until_closed(s):
    """What the server says before it ends the connection; None when it does not end it."""
    said = b""
    s.settimeout(demo.PATIENCE)
    try:
        while piece := s.recv(4096):
            said += piece
    except socket.timeout:
        return None
    except OSError:
        pass
    return said


# --- forms of requests -----------------------------------------------------------------------------------------------------------

def request(*changes, version="1.1", path="/as2", length=5):
    """The head of a post of five bytes that asks for an unsigned MDN; `changes` are (old, new)."""
    text = (f"POST {path} HTTP/{version}\r\nHost: x\r\nAS2-Version: 1.2\r\nAS2-From: OPEN\r\nAS2-To: {demo.HUB_AS2}\r\n"
            f"Message-ID: <{time.time_ns()}@form>\r\nDisposition-Notification-To: a@b\r\nContent-Type: text/plain\r\n" +
            (f"Content-Length: {length}\r\n" if length is not None else "") + "\r\n")
    for old, new in changes:
        text = text.replace(old, new)
    return text.encode()


def answers(port, *pieces):
    """Sends each piece when the one before was answered: [(status, body)], 0 where the server ended the connection without a word."""
    got = []
    with socket.create_connection(("127.0.0.1", port), demo.PATIENCE) as s, s.makefile("rb") as f:
        for piece in pieces:
            s.sendall(piece)
            got.append(one_answer(f))
    return got


def one_answer(f):
    line, length = f.readline(), 0
    if not line:
        return 0, b""
    while (field := f.readline().strip()):
        name, _, value = field.partition(b":")
        length = int(value) if name.lower() == b"content-length" else length
    return int(line.split()[1]), f.read(length)


def forms(w):
    port, end = w.ports["plain"], "\r\n\r\n"

    def taken(answer):
        return answer[0] == 200 and b"; processed\r\n" in answer[1]
    for name, head_ in (("HTTP/1.0", request(version="1.0")), ("HTTP/1.0 without a Host", request(("Host: x\r\n", ""), version="1.0")), ("a whole address", request(path="http://van.example/as2")),
                        ("a whole address over TLS", request(path="HTTPS://van.example:4443/as2")), ("a query", request(path="/as2?from=here")),
                        ("an escaped path", request(path="/%61s2")), ("a header of 60 KB", request((end, "\r\nX: " + "y" * 60000 + end))),
                        ("300 headers", request((end, "".join(f"\r\nX-{i}: y" for i in range(300)) + end))), ("LF alone", request(("\r\n", "\n"))),
                        ("folded headers", request(("AS2-From: ", "AS2-From:\r\n\t"), ("Message-ID: ", "Message-ID:\r\n  ")))):
        t.ok(taken(answers(port, head_ + b"hello")[0]), f"{name}: taken", answers(port, head_ + b"hello"))
    for name, status, head_ in (
            ("no length", 411, request(length=None)), ("no length, HTTP/1.0", 411, request(length=None, version="1.0")), ("another path", 404, request(path="/as2/")),
            ("a whole address elsewhere", 404, request(path="http://van.example")), ("a compressed body", 415, request((end, "\r\nContent-Encoding: gzip" + end))),
            ("two AS2-From", 400, request((end, "\r\nAS2-From: OTHER" + end))), ("an empty Message-ID", 400, request(("Message-ID: <", "X: <"), (end, "\r\nMessage-ID:" + end))),
            ("a Message-ID of 1200 characters", 400, request(("Message-ID: <", "Message-ID: <" + "m" * 1200)))):
        t.equal(answers(port, head_ + b"hello")[0][0], status, f"{name}: {status}")
    expect = (end, "\r\nExpect: 100-continue" + end)
    got = answers(port, request(expect), b"hello")
    t.ok(got[0][0] == 100 and taken(got[1]), "Expect: 100-continue: asked for the body, and taken", got)
    for status, head_ in ((404, request(expect, path="/other")), (503, request(expect, length=10 ** 18)), (415, request(expect, (end, "\r\nContent-Encoding: br" + end))),
                          (400, request(expect, (end, "\r\nTransfer-Encoding: chunked" + end)))):
        t.equal(answers(port, head_)[0][0], status, f"Expect: 100-continue: {status} before the body was asked for")
    unknown = ("AS2-From: OPEN", "AS2-From: NOBODY"), ("Disposition-Notification-To: a@b\r\n", "")
    refused = ("AS2-To", "X-To"), ("Content-Type: text/plain", "Content-Type: application/pkcs7-mime")
    got = answers(port, request(*unknown) + b"hello", request() + b"hello", request(refused[0]) + b"hello", request(refused[1]) + b"hello", request() + b"hello")
    t.equal([s for s, _ in got], [403, 200, 400, 200, 200], "a kept connection serves on after messages that were refused")
    t.ok(taken(got[1]) and b"processed/error" in got[3][1] and taken(got[4]), "each with its own answer", got)
    with socket.create_connection(("127.0.0.1", port), demo.PATIENCE) as s, s.makefile("rb") as f:
        s.sendall(b"".join(request() + b"hello" for _ in range(3)))
        t.ok(all(taken(one_answer(f)) for _ in range(3)), "requests that come before the answer to the one before are answered in turn")


# --- clients that leave --------------------------------------------------------------------------------------------------------

def crowd(port):
    """Twice as many bodies as there are places. Returns (their sockets, how many were refused): waits until the others, who
    hear nothing before they have sent all, have the places."""
    clients = [socket.create_connection(("127.0.0.1", port), demo.PATIENCE) for _ in range(2 * PLACES)]
    for s in clients:
        s.sendall(head(1 << 20) + b"x" * 50000)
    refused = demo.wait_for("refusals", lambda: len(r := select.select(clients, [], [], 1)[0]) >= PLACES and r)
    return clients, len(refused)


def leave(clients, how):
    for s in clients:
        if how == "reset":
            s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        if how == "shutdown":
            try:
                s.shutdown(socket.SHUT_WR)
            except OSError:
                pass  # the server was first
            until_closed(s)
        s.close()


def all_free(port, how):
    """Are all places free? Takes them, and leaves them again."""
    clients, refused = crowd(port)
    leave(clients, how)
    return refused == PLACES


def leaving_clients(w):
    """Senders that leave in the middle of a body leave their place, whichever way they go: body_timeout is ten minutes here."""
    port = w.ports["plain"]
    for how in ("close", "reset", "shutdown"):
        demo.wait_for("all places", lambda: all_free(port, "close"))
        clients, refused = crowd(port)
        t.equal(refused, PLACES, f"{how}: as many bodies at a time as in_flight_messages allows")
        leave(clients, how)
        t.ok(demo.wait_for("all places", lambda: all_free(port, how)), f"{how}: after they left all places are free")
    for _ in range(2 * PLACES):  # the request and the end of the connection come together
        with socket.create_connection(("127.0.0.1", port), demo.PATIENCE) as s:
            s.sendall(head(1 << 20) + b"x" * 50000)
    t.ok(demo.wait_for("a place", lambda: w.post("plain", "OPEN") == 200), "senders that leave at once leave their places, too")


# --- clients that are slow -------------------------------------------------------------------------------------------------------

LIMITS = "{header_timeout: 3s, body_timeout: 6s, body_rate: 1KiB, idle_timeout: 10m}"


def drip(port, first, piece, pause, count=10 ** 6):
    """Sends slowly, to the end or until the server has had enough: (its answer, or None; our longest pause)."""
    longest, last, until = 0, time.monotonic(), time.monotonic() + demo.PATIENCE
    with socket.create_connection(("127.0.0.1", port), demo.PATIENCE) as s:
        s.sendall(first)
        try:
            for _ in range(count):
                if select.select([s], [], [], pause)[0] or time.monotonic() > until:
                    break  # it has had enough
                s.sendall(piece)
                longest, last = max(longest, time.monotonic() - last), time.monotonic()
        except OSError:
            pass  # perhaps it said why
        return (None if time.monotonic() > until else until_closed(s)), longest


def stopped(port, first):
    """Sends no more, and waits to be sent away: (the answer, or None; seconds)."""
    start = time.monotonic()
    with socket.create_connection(("127.0.0.1", port), demo.PATIENCE) as s:
        s.sendall(first)
        return until_closed(s), time.monotonic() - start


def patient(port):
    """A body that is slow, but faster than body_rate; again where this machine made a pause of it that nobody has to bear."""
    for _ in range(5):
        said, longest = drip(port, head(32000).replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"), b"x" * 4000, 1, 8)
        if said and b"200 OK" in said or longest < 3:
            break
    return said


def slow_clients(w):
    n, port = w.n, w.ports["plain"]
    t.equal(n.stop(), 0, "vand stops while clients hang on")
    n.set_config("http", LIMITS)
    n.set_config("limits", "{in_flight_messages: 100}")
    n.start()
    with concurrent.futures.ThreadPoolExecutor(5) as pool:
        half_head = pool.submit(stopped, port, b"POST /as2 HTTP/1.1\r\nAS2-From: OP")
        half_body = pool.submit(stopped, port, head(1000) + b"x" * 10)
        head_drips = pool.submit(drip, port, b"POST /as2 HTTP/1.1\r\n", b"X: y\r\n", 0.2)
        body_drips = pool.submit(drip, port, head(1000000), b"x" * 100, 0.2)
        slow = pool.submit(patient, port)
    said, seconds = half_head.result()
    t.ok(said is not None and seconds > 2.9, f"a head that stops half way is given up after header_timeout ({seconds:.1f} s)", said)
    t.ok(head_drips.result()[0] is not None, "and one that drips, too")
    said, seconds = half_body.result()
    t.ok(said is not None and seconds > 5.9, f"a body that stops half way is given up after body_timeout ({seconds:.1f} s)", said)
    said = body_drips.result()[0]
    t.ok(said is not None and b"200 OK" not in said, "one that comes slower than body_rate, too", said)
    t.ok(b"200 OK" in (slow.result() or b""), "one that is slow, but faster than that, is taken", slow.result())


# --- how many -------------------------------------------------------------------------------------------------------------------

def served(port, address, patience=demo.PATIENCE):
    """A connection from an address of this machine that is served; None: it was closed instead. It stays open."""
    s = socket.create_connection(("127.0.0.1", port), patience, source_address=(address, 0))
    try:
        s.sendall(request() + b"hello")
        if s.recv(65536).startswith(b"HTTP/1.1 200"):
            return s
    except OSError:
        pass
    s.close()
    return None


def connections(w):
    n, port = w.n, w.ports["plain"]
    n.stop()
    n.set_config("http", "{idle_timeout: 10m}")
    n.set_config("limits", "{connections: 12, connections_per_address: 8}")
    n.start()
    demo.wait_for("the listener", lambda: (s := served(port, "127.0.0.1")) and (s.close() or True))
    held = []

    def fill(address):  # the one from before may not be gone yet
        got = []
        while len(got) < 8 and (s := served(port, address)):
            got.append(s)
        return got
    while len(held) < 8:
        leave(held, "close")
        held = fill("127.0.0.1")
    t.ok(served(port, "127.0.0.1") is None, "an address has as many connections as connections_per_address allows, and no more")
    others = [served(port, "127.0.0.2") for _ in range(4)]
    t.ok(all(others), "another address has its own")
    try:
        waiting = served(port, "127.0.0.3", 2)
    except OSError:
        waiting = None
    t.ok(waiting is None, "all together have as many as connections allows")
    leave(held + others, "close")
    demo.wait_for("room", lambda: (s := served(port, "127.0.0.1")) and (s.close() or True))
    t.equal(w.post("plain", "OPEN"), 200, "after they left there is room for all")


def main():
    if not demo.available():
        tap.skip_all("vand is not built")
    with demo.Network(keep="--keep" in sys.argv) as n:
        w = World(n)
        for group in (names, client_certificates, roll_over, forms, leaving_clients, slow_clients, connections):
            t.run(group, w)
        n.check_sound(t)
        n.tell(t)
    return t.done()


if __name__ == "__main__":
    sys.exit(main())
