#!/usr/bin/python3
"""AS2 Restart, both sides: what broke off is kept and gone on with, whoever is killed in between.

    as2_restart.py
"""

import os
import re
import signal
import socket
import sys
import threading
import time

import demo
import tap
from as2_peer import Peer
from as2_send import Sender, apply_pair, rename_station

t = tap.Tap()
SIZE = 3_000_000


class Post:
    """One POST whose body goes out as it is told to."""

    def __init__(self, n, headers, length=None, path="/as2", method="POST"):
        self.socket = socket.create_connection(("127.0.0.1", n.ports["as2"]), timeout=demo.PATIENCE)
        lines = [f"{method} {path} HTTP/1.1", "Host: localhost"] + [f"{k}: {v}" for k, v in headers.items()]
        if length is not None:
            lines.append(f"Content-Length: {length}")
        self.socket.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())

    def send(self, data):
        self.socket.sendall(data)
        return self

    def answer(self, head=False):
        """(status, headers, body)"""
        data = b""
        while b"\r\n\r\n" not in data:
            piece = self.socket.recv(65536)
            if not piece:
                return None, {}, data
            data += piece
        top, _, body = data.partition(b"\r\n\r\n")
        lines = top.decode("latin-1").split("\r\n")
        headers = {k.strip().lower(): v.strip() for k, _, v in (line.partition(":") for line in lines[1:])}
        while not head and len(body) < int(headers.get("content-length", 0)):
            piece = self.socket.recv(65536)
            if not piece:
                break
            body += piece
        self.close()
        return int(lines[0].split()[1]), headers, body

    def close(self):
        self.socket.close()


class Transfer:
    """One message of the buyer, that may be sent in pieces."""

    def __init__(self, n, payload, etag):
        self.n, self.etag, self.payload = n, etag, payload
        self.message_id = n.message_id("restart")
        self.body, self.mic = n.as2_body(payload)

    def headers(self, **changes):
        return self.n.as2_headers(self.message_id, **{"ETag": f'"{self.etag}"', **changes})

    def held(self, **changes):
        headers = {k: v for k, v in self.headers(**changes).items() if k in ("ETag", "AS2-From", "AS2-To", "Authorization")}
        status, got, _ = Post(self.n, headers, method="HEAD").answer(head=True)
        return int(got["content-length"]) if status == 200 else status

    def begin(self, upto, **changes):
        """The first bytes, and the connection stays open."""
        return Post(self.n, self.headers(**changes), len(self.body)).send(self.body[:upto])

    def broken(self, upto, **changes):
        """The first bytes, and then the connection breaks; waits until they are kept."""
        post = self.begin(upto, **changes)
        demo.wait_for("the bytes to be there", lambda: self.held(**changes) == upto)
        post.close()

    def post_rest(self, first, total=None, last=None, **changes):
        total = len(self.body) if total is None else total
        span = f"bytes {first}-{total - 1 if last is None else last}/{total}"
        return Post(self.n, self.headers(Content_Range=span, **changes), len(self.body) - first)

    def rest(self, first):
        return self.post_rest(first).send(self.body[first:]).answer()

    def refused(self, first, **changes):
        """The answer to a head that is not fine; no body is sent."""
        return self.post_rest(first, **changes).answer()[0]

    def arrived(self):
        found = [m for m in self.n.messages("--direction", "in") if m["as2_message_id"] == self.message_id and m["sha256"]]
        return len(found) == 1 and self.n.vanctl("message", "get", found[0]["id"], "--part", "payload").stdout == self.payload

    def taken(self, answer):
        status, headers, body = answer
        response = demo.Response(b"HTTP/1.1 %d x\r\n" % (status or 0) + b"".join(f"{k}: {v}\r\n".encode() for k, v in headers.items()) + b"\r\n", body, 0, "")
        mdn = self.n.check_mdn(response)
        return bool(mdn) and mdn.outcome == "processed" and mdn.mic == self.mic and self.arrived()


def receiving(n):
    """A body that broke off is asked for and gone on with."""
    x = Transfer(n, os.urandom(SIZE), "first")
    t.equal(x.held(), 0, "nothing is here of a transfer that nobody has begun")
    t.ok(x.taken(x.begin(len(x.body)).answer()), "a whole message with an ETag is taken like any other")
    t.equal(x.held(), 0, "and nothing is kept of it")
    x = Transfer(n, os.urandom(SIZE), "second")
    x.broken(1_000_000)
    t.equal(x.held(), 1_000_000, "HEAD says how much is here of what broke off")
    t.equal([x.held(ETag='"other"'), x.held(AS2_From="\"Somebody\""), x.held(AS2_To="X"), x.held(Authorization="Basic eA==")], [0, 0, 0, 0],
            "but not to another transfer, another pair, or other credentials")
    for name, status in (("a byte too far", x.refused(1_000_001)), ("another total", x.refused(1_000_000, total=len(x.body) + 1)),
                         ("not to the end", x.refused(1_000_000, last=1_000_005)), ("another transfer", x.refused(1_000_000, ETag='"third"')),
                         ("another pair", x.refused(1_000_000, AS2_From="Somebody"))):
        t.equal(status, 416, f"{name}: 416")
    t.equal(x.refused(1_000_000, ETag=None), 400, "a range without an ETag: 400")
    wrong = Post(n, x.headers(Content_Range="bytes nonsense"), 5).answer()
    t.equal(wrong[0], 416, "a range that can't be read: 416")
    t.equal(x.held(), 1_000_000, "none of that has changed what is here")
    t.ok(x.taken(x.rest(1_000_000)), "the rest makes it whole: the MDN has the MIC of all of it, the document is there once")
    t.equal(x.held(), 0, "and nothing is kept any more")
    x = Transfer(n, os.urandom(SIZE), "overlap")
    x.broken(2_000_000)
    t.ok(x.taken(x.rest(500_000)), "a sender may go back further than it has to")
    x = Transfer(n, os.urandom(SIZE), "again")
    x.broken(2_000_000)
    t.ok(x.taken(x.begin(len(x.body)).answer()) and x.held() == 0, "or begin anew")
    x = Transfer(n, os.urandom(SIZE), "pieces")
    x.broken(500_000)
    for upto in (1_000_000, 2_500_000):
        at = x.held()
        post = Post(n, x.headers(Content_Range=f"bytes {at}-{len(x.body) - 1}/{len(x.body)}"), len(x.body) - at).send(x.body[at:upto])
        demo.wait_for("the next piece", lambda: x.held() == upto)
        post.close()
    t.ok(x.taken(x.rest(x.held())), "a connection may break as often as it likes")
    x = Transfer(n, os.urandom(20_000), "small")
    post = x.begin(10_000)
    post.close()
    t.equal(x.held(), 0, "a few bytes are not kept")
    chunked = Transfer(n, os.urandom(SIZE), "chunked")
    post = Post(n, chunked.headers(Transfer_Encoding="chunked"))
    post.send(b"%x\r\n" % 700_000 + chunked.body[:700_000] + b"\r\n")
    demo.wait_for("the chunk", lambda: chunked.held() == 700_000)
    post.close()
    t.ok(chunked.taken(chunked.rest(700_000)), "a chunked body is gone on with, too")


def two_connections(n):
    """The sender has given up a connection that we still wait on."""
    x = Transfer(n, os.urandom(SIZE), "two")
    old = x.begin(1_000_000)
    demo.wait_for("the first bytes", lambda: x.held() == 1_000_000)
    t.ok(x.taken(x.rest(1_000_000)), "the second connection goes on where the first one stands")
    is_ended(x, old)
    t.ok(x.arrived(), "and nothing is doubled", [m for m in n.messages("--direction", "in") if m["as2_message_id"] == x.message_id])
    for name, known in (("known", True), ("unknown", False)):
        y = Transfer(n, os.urandom(SIZE), f"two-whole-{name}")
        store = n.role_pids("store")[0]
        if known:
            old = y.begin(1_000_000)
            demo.wait_for("the first bytes", lambda: y.held() == 1_000_000)
        os.kill(store, signal.SIGSTOP)  # the new body is here before the store says that it may be kept
        later = threading.Timer(1, os.kill, (store, signal.SIGCONT))
        later.start()
        try:
            if not known:
                old = y.begin(1_000_000)
                time.sleep(0.2)
            taken = y.begin(len(y.body)).answer()
        finally:
            later.join()
        t.ok(y.taken(taken), f"the second connection begins anew while the first one is {name} to the store")
        is_ended(y, old)
        t.equal(y.held(), 0, "and nothing is kept of either")
    a, b = (Transfer(n, os.urandom(SIZE), "always-this") for _ in range(2))
    first = a.begin(1_000_000)
    demo.wait_for("the first bytes", lambda: a.held() == 1_000_000)
    second = b.begin(500_000)
    demo.wait_for("the other's bytes", lambda: a.held() == 500_000)
    t.ok(a.taken(first.send(a.body[1_000_000:]).answer()) and b.taken(second.send(b.body[500_000:]).answer()),
         "a sender that gives every message the same ETag may send several at the same time")


def is_ended(x, post):
    try:
        post.send(x.body[1_000_000:2_000_000])
        late = post.answer()[0]
    except OSError:
        late = None
    t.ok(late in (None, 503), "the first one is ended", late)
    post.close()


def killed(n):
    """kill -9 of http, and of everything, in between."""
    x = Transfer(n, os.urandom(SIZE), "kill-http")
    post = x.begin(1_500_000)
    demo.wait_for("the first bytes", lambda: x.held() == 1_500_000)
    pid = next(r["pid"] for r in n.json("status")["roles"] if r["name"] == "http")
    os.kill(pid, signal.SIGKILL)
    post.close()

    def held_again():
        try:
            return x.held() == 1_500_000
        except OSError:
            return False
    demo.wait_for("http again", held_again)
    t.ok(x.taken(x.rest(1_500_000)), "http was killed in between: nothing that came is lost")
    y = Transfer(n, os.urandom(SIZE), "kill-all")
    post = y.begin(1_500_000)
    demo.wait_for("the first bytes", lambda: y.held() == 1_500_000)
    n.kill()
    post.close()
    n.start()
    t.equal(y.held(), 1_500_000, "all was killed in between: it is still here")
    t.ok(y.taken(y.rest(1_500_000)), "and gone on with")
    z = Transfer(n, os.urandom(SIZE), "all-there")
    post = z.begin(len(z.body) - 1)
    demo.wait_for("all but one byte", lambda: z.held() == len(z.body) - 1)
    post.close()
    t.ok(z.taken(z.rest(len(z.body) - 1)), "all but the last byte was here: that one is sent")


def limits():
    """Count, bytes and age; strangers and partners who may not."""
    with demo.Network() as n:
        limits = "{{restart: {{size: 3MB, count: 3, per_partner: 2, age: {}}}}}"
        n.config_changes["as2"] = limits.format("1h")
        n.up()
        xs = [Transfer(n, os.urandom(SIZE), f"limit{i}") for i in range(3)]
        for x in xs:
            x.broken(1_000_000)
        t.equal([x.held() for x in xs], [0, 1_000_000, 1_000_000], "a partner's oldest goes when it has too many")
        big = Transfer(n, os.urandom(SIZE), "big")
        post = big.begin(2_900_000)
        demo.wait_for("the bytes", lambda: big.held() == 2_900_000)
        post.close()
        demo.wait_for("the end of it", lambda: big.held() == 0)
        t.ok(True, "past the bytes that may be kept: nothing is kept of it")
        stranger = Transfer(n, os.urandom(SIZE), "stranger")
        post = stranger.begin(2_000_000, AS2_From="Stranger")
        time.sleep(0.5)
        t.equal(stranger.held(AS2_From="Stranger"), 0, "nothing is kept for a sender that is unknown")
        post.close()
        t.equal(xs[2].held(), 1_000_000, "what was here before stays")
        t.equal(n.stop(), 0, "vand stops cleanly")
        n.set_config("as2", limits.format("1s"))
        n.start()
        demo.wait_for("its age", lambda: [x.held() for x in xs] == [0, 0, 0])
        t.ok(True, "what is too old is gone")
        folder = os.path.join(n.root, "net", "data", "spool", "partial")
        folder = folder if os.path.isdir(folder) else os.path.join(n.dir, "data", "spool", "partial")
        t.ok(demo.wait_for("the files", lambda: os.listdir(folder) == ["boot"]), "and so are the files")


# --- sending ----------------------------------------------------------------------------------------------------------------

class Breaking(Peer):
    """A peer that knows AS2 Restart: breaks the connection after so many bytes of the first tries, and goes on later."""

    def start(self):
        self.held, self.breaks, self.heads, self.ranges, self.dates = b"", [], 0, [], []
        self.answer_416 = False
        peer = self
        super().start()
        handler = self.server.RequestHandlerClass

        def do_HEAD(request):
            peer.heads += 1
            peer.asked = dict(request.headers)
            request.send_response(200)
            request.send_header("Content-Length", str(len(peer.held)))
            request.end_headers()
        handler.do_HEAD = do_HEAD
        return self

    def serve(self, request):
        total, length = int(request.headers["Content-Length"]), int(request.headers["Content-Length"])
        span = request.headers.get("Content-Range")
        self.ranges.append(span)
        self.etag = request.headers.get("ETag")
        first = int(span.split()[1].split("-")[0]) if span else 0
        if self.answer_416 and span:
            self.held, self.answer_416 = b"", False
            request.rfile.read(length)
            return self.reply(request, 416)
        data = self.held[:first]
        stop = self.breaks.pop(0) if self.breaks else None
        while total and (stop is None or len(data) < stop):
            piece = request.rfile.read(min(65536, total))
            data, total = data + piece, total - len(piece)
        self.held = data
        if total:
            request.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            request.close_connection = True
            request.connection.close()
            return None
        self.held = b""
        request.rfile = __import__("io").BytesIO(data)
        request.headers.replace_header("Content-Length", str(len(data)))
        return super().serve(request)


def sending(n):
    s = Sender(n)
    document = os.urandom(SIZE)

    def peer(name, breaks, send="restart: true", retry="[1s, 1s, 1s]"):
        p = Breaking(n.peers, name, n.hub_sign, own_name=name.upper(), keys=n.peer_keys)
        p.start()
        p.breaks = breaks
        s.peers[name] = p
        s.profiles[name] = s.profile(name, p, send=send, retry=retry)
        return p
    once, often, whole, plain, moody = (peer("once", [1_000_000]), peer("often", [500_000, 1_500_000, 2_500_000]), peer("whole", []),
                                        peer("plain", [1_000_000], send=""), peer("moody", [1_000_000]))
    moody.answer_416 = True
    s.apply()
    sent = {name: s.send(name, document) for name in s.peers}
    for name, p in s.peers.items():
        shown = s.wait(sent[name])
        got = p.messages.get(shown["as2_message_id"])
        t.ok(shown["delivery"] == "delivered" and got and got.payload == document and got.verified, f"{name}: delivered byte for byte", shown["error"])
        t.equal([x["name"] for x in shown["parts"] if x["name"].startswith("package")], [], "and nothing is kept of its package")
    t.equal((once.heads, once.ranges[0], once.ranges[1].split("-")[0]), (1, None, "bytes %d" % int(once.ranges[1].split()[1].split("-")[0])),
            "the first try is whole; the second asks, and begins where the first one broke")
    t.ok(int(once.ranges[1].split()[1].split("-")[0]) >= 1_000_000, "not before", once.ranges)
    t.ok(once.asked["AS2-From"] == demo.HUB_AS2 and once.asked["AS2-To"] == "ONCE" and once.asked["ETag"] == once.etag, "HEAD says which transfer, between whom", once.asked)
    t.equal((len(often.ranges), often.heads), (4, 3), "a connection may break as often as the schedule has tries")
    t.equal((whole.heads, whole.ranges, bool(whole.etag)), (0, [None], True), "what arrives at once is asked about never")
    t.equal((plain.heads, plain.ranges, plain.etag), (0, [None, None], None), "without restart in the profile every try is whole, and has no ETag")
    t.ok(moody.ranges[1] and moody.ranges[2] is None, "416: it begins anew, in the same try", moody.ranges)
    s.stop()
    return s


def sender_is_killed(n):
    """kill -9 of the whole sender between two tries: the same package is gone on with."""
    s = Sender(n)
    p = Breaking(n.peers, "killed", n.hub_sign, own_name="KILLED", keys=n.peer_keys)
    p.start()
    p.breaks = [1_000_000]
    s.peers["killed"] = p
    s.profiles["killed"] = s.profile("killed", p, send="restart: true", retry="[1h]")
    s.apply()
    document = os.urandom(SIZE)
    message = s.send("killed", document)
    demo.wait_for("the first try", lambda: len(p.ranges) == 1 and len(p.held) >= 1_000_000)
    demo.wait_for("its end", lambda: s.show(message)["delivery"] == "queued")
    first = p.etag
    n.kill()
    n.start()
    n.vanctl("queue", "retry", message)
    shown = s.wait(message)
    got = p.messages.get(shown["as2_message_id"])
    t.ok(shown["delivery"] == "delivered" and got and got.payload == document, "delivered byte for byte", shown["error"])
    t.ok(p.etag == first and len(p.ranges) == 2 and p.ranges[1], "by going on with the same package", (p.etag, first, p.ranges))
    s.stop()


def profile_changes(n):
    """What was packaged for another profile is not gone on with."""
    s = Sender(n)
    p = Breaking(n.peers, "moved", n.hub_sign, own_name="MOVED", keys=n.peer_keys)
    p.start()
    p.breaks = [1_000_000]
    s.peers["moved"] = p
    s.profiles["moved"] = s.profile("moved", p, send="restart: true", retry="[1h]")
    s.apply()
    message = s.send("moved", document := os.urandom(SIZE))
    demo.wait_for("the first try", lambda: s.show(message)["delivery"] == "queued" and len(p.ranges) == 1)
    s.profiles["moved"] = s.profile("moved", p, send="restart: true\nsign: sha512", retry="[1h]")
    s.apply()
    first = p.etag
    n.vanctl("queue", "retry", message)
    shown = s.wait(message)
    got = p.messages.get(shown["as2_message_id"])
    t.ok(shown["delivery"] == "delivered" and got.payload == document and got.digest == "sha512" and p.etag != first and p.ranges == [None, None],
         "it is packaged anew, and sent whole", (shown["error"], p.ranges))
    s.stop()


def between_two():
    """OpenVAN to OpenVAN through a forwarder that breaks every connection but the last."""
    with demo.Network() as a, demo.Network() as b:
        for n, name in ((a, "OVAN-A"), (b, "OVAN-B")):
            n.create()
            rename_station(n, name)
            n.start()
        apply_pair(a, b, "b", "      restart: true\n")
        apply_pair(b, a, "a", "")
        through = Forwarder(b, [1_000_000, 800_000])
        path = os.path.join(a.root, "pair.yaml")
        text = demo.read(path).decode().replace(f'url: "{b.as2_url}"', f'url: "http://127.0.0.1:{through.port}/as2"')
        with open(path, "w") as f:
            f.write(text)
        a.apply_profiles(a.station_profile, path)
        file = os.path.join(a.root, "large.bin")
        with open(file, "wb") as f:
            f.write(document := os.urandom(SIZE))
        message = a.vanctl("message", "send", "--from", a.station, "--to", "b", file).stdout.decode().strip()
        shown = demo.wait_for("the delivery", lambda: (m := a.json("message", "show", message))["delivery"] in ("delivered", "failed") and m)
        got = [m for m in b.messages("--direction", "in") if m["as2_message_id"] == shown["as2_message_id"]]
        t.ok(shown["delivery"] == "delivered" and len(got) == 1 and b.vanctl("message", "get", got[0]["id"], "--part", "payload").stdout == document,
             "delivered byte for byte, once", shown["error"])
        t.ok(through.forwarded < len(document) + 700_000, "little is sent twice", through.forwarded)


class Forwarder:
    """Hands bytes on to a network; each connection that brings a body breaks when so many bytes have come there, until the list is used up."""

    def __init__(self, to, breaks):
        self.to, self.breaks, self.forwarded = to, breaks, 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            client, _ = self.listener.accept()
            threading.Thread(target=self.hand_on, args=(client,), daemon=True).start()

    def kept(self, head):
        """How much of this transfer has come there."""
        names = dict(re.findall(r"(?im)^(ETag|AS2-From|AS2-To): *(.*?)\r?$", head.decode("latin-1")))
        return int(Post(self.to, names, method="HEAD").answer(head=True)[1].get("content-length", 0))

    def hand_on(self, client):
        server = socket.create_connection(("127.0.0.1", self.to.ports["as2"]))

        def back():
            try:
                while data := server.recv(65536):
                    client.sendall(data)
                client.shutdown(socket.SHUT_WR)
            except OSError:
                pass
        threading.Thread(target=back, daemon=True).start()
        n, first, limit = 0, True, None
        try:
            while data := client.recv(65536):
                if data.startswith(b"POST"):
                    n, limit = 0, self.breaks.pop(0) if self.breaks else None
                    head = data.partition(b"\r\n\r\n")[0]
                    begins = re.search(rb"(?i)\nContent-Range: *bytes (\d+)", head)
                    begins = (int(begins.group(1)) if begins else 0) - len(head) - 4
                server.sendall(data)
                n += len(data)
                self.forwarded += len(data)
                if limit and n >= limit:
                    demo.wait_for("the bytes to be there", lambda: self.kept(head) >= begins + n)
                    break
        except OSError:
            pass
        for s in (client, server):
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            s.close()


def main():
    if not demo.available():
        tap.skip_all("vand is not built")
    with demo.Network() as n:
        n.up()
        n.peer_keys = demo.make_certificate(n.peers, "peer")
        for group in (receiving, two_connections, killed, sending, sender_is_killed, profile_changes):
            t.run(group, n)
        n.tell(t)
        t.equal(n.stop(), 0, "vand stops cleanly")
    t.run(limits)
    t.run(between_two)
    return t.done()


if __name__ == "__main__":
    sys.exit(main())
