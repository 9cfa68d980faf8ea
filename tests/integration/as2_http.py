#!/usr/bin/python3
"""The HTTP side of AS2 in: TLS keys that change while it runs, names that clients ask for, client certificates, and clients
that are slow or leave."""

import os
import shutil
import socket
import ssl
import sys
import time

import demo
import tap

t = tap.Tap()


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
    with socket.create_connection(("127.0.0.1", port), 10) as s, context.wrap_socket(s, server_hostname=name) as tls:
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
        n.set_config("http", "{header_timeout: 2s, body_timeout: 3s, body_rate: 4KiB}")
        n.set_config("limits", "{in_flight_messages: 4}")
        n.ports["as2"] = self.ports["plain"]
        with open(n.profiles, "a") as f:
            for name, certificates in (("open", ""), ("shown", f"      client_certificates: [{self.client[0]}, {self.stranger[0]}]\n")):
                f.write(f"---\nkind: partner\nid: {name}\nname: {name}\nconnections:\n  - id: {name}-as2\n    protocol: as2\n"
                        f"    station: {n.station}\n    as2_id: {name.upper()}\n    receive:\n      require: []\n{certificates}")
        n.start()
        n.apply_profiles()

    def post(self, listener, as2_from, client=None):
        """HTTP status of a small message over TLS; 0 when there was none."""
        argv = ["curl", "-sS", "-k", "-o", "/dev/null", "-w", "%{http_code}", "--max-time", "20", "--data-binary", "x"]
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
    with socket.create_connection(("127.0.0.1", w.ports["names"]), 10) as s, context.wrap_socket(s) as standing:
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


def until_closed(s, limit):
    """Seconds until the server ends the connection; its answer."""
    start, said = time.monotonic(), b""
    s.settimeout(limit)
    try:
        while piece := s.recv(4096):
            said += piece
    except socket.timeout:
        return limit, said
    except OSError:
        pass
    return time.monotonic() - start, said


def drip(port, first, pieces, pause, limit):
    """Sends slowly: (seconds until the server had enough or all was sent, its answer)."""
    start = time.monotonic()
    with socket.create_connection(("127.0.0.1", port), 10) as s:
        s.sendall(first)
        try:
            for piece in pieces:
                time.sleep(pause)
                s.sendall(piece)
                if time.monotonic() - start > limit:
                    break
        except OSError:
            pass  # it has had enough; perhaps it said why
        return time.monotonic() - start, until_closed(s, 5)[1]


def slow_clients(w):
    port = w.ports["plain"]
    with socket.create_connection(("127.0.0.1", port), 10) as s:
        s.sendall(b"POST /as2 HTTP/1.1\r\nAS2-From: OP")
        seconds, _ = until_closed(s, 20)
    t.ok(1.5 < seconds < 8, f"a head that stops half way is given up after header_timeout ({seconds:.1f} s)")
    seconds, _ = drip(port, b"POST /as2 HTTP/1.1\r\n", [b"X: y\r\n"] * 100, 0.2, 15)
    t.ok(seconds < 8, f"and one that drips, too ({seconds:.1f} s)")
    with socket.create_connection(("127.0.0.1", port), 10) as s:
        s.sendall(head(1000) + b"x" * 10)
        seconds, _ = until_closed(s, 20)
    t.ok(2 < seconds < 10, f"a body that stops half way is given up after body_timeout ({seconds:.1f} s)")
    seconds, said = drip(port, head(100000), [b"x" * 100] * 100, 0.2, 18)
    t.ok(3 < seconds < 12 and b"200 OK" not in said, f"one that comes slower than body_rate, too ({seconds:.1f} s)", said)
    seconds, said = drip(port, head(40000), [b"x" * 4000] * 10, 0.5, 18)
    t.ok(b"200 OK" in said, f"one that is slow, but faster than that, is taken ({seconds:.1f} s)", said)


def places(port):
    """How many of eight bodies at a time are taken; the others get 503 at once."""
    clients = [socket.create_connection(("127.0.0.1", port), 10) for _ in range(8)]
    for s in clients:
        s.sendall(head(1 << 20) + b"x" * 50000)
        s.settimeout(0.5)
    taken = 0
    for s in clients:
        try:
            s.recv(100)
        except socket.timeout:
            taken += 1
    return clients, taken


def leaving_clients(w):
    """Senders that leave in the middle of a body leave their place, whichever way they go."""
    for end in ("close", "reset", "shutdown"):
        clients, taken = places(w.ports["plain"])
        t.equal(taken, 4, f"{end}: as many bodies at a time as in_flight_messages allows")
        for s in clients:
            if end == "reset":
                s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            if end == "shutdown":
                try:
                    s.shutdown(socket.SHUT_WR)
                except OSError:
                    pass  # the server was first
                until_closed(s, 5)
            s.close()
        time.sleep(1.3)
        clients, taken = places(w.ports["plain"])
        t.equal(taken, 4, f"{end}: a second after they left all places are free")
        for s in clients:
            s.close()
        time.sleep(1.3)
    for _ in range(8):  # the request and the end of the connection come together
        with socket.create_connection(("127.0.0.1", w.ports["plain"]), 10) as s:
            s.sendall(head(1 << 20) + b"x" * 50000)
    time.sleep(1.3)
    t.equal(w.post("plain", "OPEN"), 200, "senders that leave at once leave their places, too")


def main():
    if not demo.available():
        tap.skip_all("vand is not built")
    with demo.Network(keep="--keep" in sys.argv) as n:
        w = World(n)
        for group in (names, client_certificates, roll_over, leaving_clients, slow_clients):
            t.run(group, w)
        restarts = {r["name"]: r["restarts"] for r in n.json("status")["roles"] if r["restarts"]}
        t.equal(restarts, {}, "no role has crashed")
        if t.failed:
            t.diag(n.log_tail(5000))
    return t.done()


if __name__ == "__main__":
    sys.exit(main())
