"""An AS2 partner on Python's HTTP server and the openssl command: takes any message apart, answers as it is told to.

It decrypts and verifies with `openssl cms`, inflates with Python's zlib, and computes the MIC by RFC 4130 and RFC 5402 by itself.
How it answers is a behaviour: a name for every message, or one for each try ("503 503 good"); see Peer.answer.
"""

import base64
import collections
import hashlib
import http.client
import http.server
import os
import re
import socket
import socketserver
import ssl
import tempfile
import threading
import time
import urllib.parse
import zlib

import demo

NAMES = {"sha1": "sha1", "sha256": "sha-256", "sha384": "sha-384", "sha512": "sha-512"}


class Message:
    """One message as it was received."""

    def __init__(self):
        self.layers = []      # "encrypted", "signed", "compressed", outermost first
        self.payload = None
        self.mic_input = None
        self.content_type = self.file_name = ""
        self.digest = None    # of the signature
        self.verified = None


def der_element(data, at):
    """(tag, first content byte, byte behind it) of a definite-length DER element."""
    tag, length, head = data[at], data[at + 1], 2
    if length & 0x80:
        n = length & 0x7f
        length, head = int.from_bytes(data[at + 2:at + 2 + n], "big"), 2 + n
    return tag, at + head, at + head + length


def inflate(data):
    """The content of a CompressedData: ContentInfo, [0], SEQUENCE, version, algorithm, encapsulated content, [0], OCTET STRING."""
    _, at, end = der_element(data, 0)            # ContentInfo
    _, _, at = der_element(data, at)             # its type
    _, at, _ = der_element(data, at)             # [0]
    _, at, _ = der_element(data, at)             # CompressedData
    _, _, at = der_element(data, at)             # version
    _, _, at = der_element(data, at)             # algorithm
    _, at, _ = der_element(data, at)             # encapContentInfo
    _, _, at = der_element(data, at)             # its type
    _, at, _ = der_element(data, at)             # [0]
    tag, at, end = der_element(data, at)         # OCTET STRING
    assert tag == 4, f"content is no primitive OCTET STRING: {tag:#x}"
    return zlib.decompress(data[at:end])


def split_entity(entity):
    head, _, body = entity.partition(b"\r\n\r\n")
    headers = {}
    for line in re.sub(rb"\r\n[ \t]+", b" ", head).split(b"\r\n"):
        name, _, value = line.decode("latin-1").partition(":")
        headers[name.strip().lower()] = value.strip()
    return headers, body


_strangers, _strangers_lock = {}, threading.Lock()


def stranger_keys(folder):
    """(certificate, key) that nobody knows, made once: peers answer at the same time."""
    with _strangers_lock:
        if folder not in _strangers:
            _strangers[folder] = demo.make_certificate(folder, "stranger")
        return _strangers[folder]


class Peer:
    """`certificate`, `key`: its own; `station_certificate`: of whoever sends. A context manager: serves from the start."""

    def __init__(self, folder, name, station_certificate, own_name="PEER", station_name="HUBNET", keys=None, behaviour="good", tls=None,
                 client_ca=None):
        self.folder, self.own_name, self.station_name = folder, own_name, station_name
        self.certificate, self.key = keys or demo.make_certificate(folder, name)
        self.station_certificate = station_certificate
        self.behaviour = behaviour
        self.tries = collections.Counter()     # by Message-ID
        self.times = collections.defaultdict(list)
        self.accepted = collections.Counter()  # messages taken in, by Message-ID: what a business would act on
        self.messages = {}                     # Message-ID: Message
        self.headers = collections.defaultdict(list)
        self.connections = 0
        self.posted = []                       # (Message-ID, status) of asynchronous MDNs
        self.answers = {}                      # Message-ID: the MDN it got, for its repeats
        self.lock = threading.Lock()
        self.release = threading.Event()
        self.port = demo.free_port()
        self.tls, self.client_ca = tls, client_ca
        self.server = None
        self.signature = b""                   # of the message that came last, DER
        self.refusals = []                     # what openssl said of signatures that do not verify
        self.password = None                   # "user:password" of HTTP basic authentication

    # --- serving -----------------------------------------------------------------------------------------------------

    def start(self):
        peer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def do_POST(self):
                peer.serve(self)

        class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
            daemon_threads = True
            allow_reuse_address = True
            request_queue_size = 128

            def get_request(self):
                peer.connections += 1
                return super().get_request()

            def handle_error(self, *_):
                pass

        self.server = Server(("127.0.0.1", self.port), Handler)
        if self.tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*self.tls)
            if self.client_ca:
                context.load_verify_locations(self.client_ca)
                context.verify_mode = ssl.CERT_REQUIRED
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def stop(self):
        if self.server:
            self.release.set()
            self.server.shutdown()
            self.server.server_close()
            self.server = None

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()

    @property
    def url(self):
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}/as2"

    # --- taking a message apart -----------------------------------------------------------------------------------------

    def openssl(self, *arguments, data):
        with tempfile.TemporaryDirectory(dir=self.folder) as folder:
            source, out = os.path.join(folder, "in"), os.path.join(folder, "out")
            with open(source, "wb") as f:
                f.write(data)
            demo.run(["openssl", "cms", *arguments, "-in", source, "-out", out])
            return demo.read(out)

    def decrypt(self, body):
        return self.openssl("-decrypt", "-binary", "-inform", "DER", "-inkey", self.key, "-recip", self.certificate, data=body)

    def verify(self, headers, body):
        boundary = re.search(r'boundary="?([^";]+)', headers["content-type"]).group(1).encode()
        parts = (b"\r\n" + body).split(b"\r\n--" + boundary)
        content, (_, signature) = parts[1][2:], split_entity(parts[2][2:])
        with tempfile.TemporaryDirectory(dir=self.folder) as folder:
            c, s = os.path.join(folder, "c"), os.path.join(folder, "s")
            with open(c, "wb") as f:
                f.write(content)
            der = self.signature = base64.b64decode(signature)  # messages come at the same time: the next may overwrite ours
            with open(s, "wb") as f:
                f.write(der)
            done = demo.run(["openssl", "cms", "-verify", "-binary", "-inform", "DER", "-in", s, "-content", c, "-CAfile",
                             self.station_certificate, "-purpose", "any", "-out", os.devnull], check=False)
        if done.returncode:
            self.refusals.append((done.returncode, done.stderr, content, signature))
        return content, done.returncode == 0

    def open(self, headers, body):
        """The message's layers, its document and what its MIC is over."""
        m, unsigned_entity = Message(), None
        entity_bytes = None
        while True:
            kind = headers.get("content-type", "").lower()
            if kind.startswith("application/pkcs7-mime") and ("enveloped-data" in kind):
                m.layers.append("encrypted")
                entity_bytes = self.decrypt(body)
            elif kind.startswith("application/pkcs7-mime") and "compressed-data" in kind:
                m.layers.append("compressed")
                entity_bytes = inflate(body)
                unsigned_entity = entity_bytes
            elif kind.startswith("multipart/signed"):
                m.layers.append("signed")
                m.digest = re.search(r"micalg=\"?([\w-]+)", kind).group(1).replace("-", "")
                entity_bytes, m.verified = self.verify(headers, body)
                m.mic_input = entity_bytes
            else:
                break
            headers, body = split_entity(entity_bytes)
        m.payload, m.content_type = body, headers.get("content-type", "")
        name = re.search(r'filename="([^"]*)"', headers.get("content-disposition", ""))
        m.file_name = name.group(1) if name else ""
        if m.mic_input is None:
            m.mic_input = (unsigned_entity or entity_bytes) if m.layers else body
        return m

    # --- answering ---------------------------------------------------------------------------------------------------------

    def report(self, message_id, mic, disposition="processed", text="Received.", original=None):
        mic = f"Received-Content-MIC: {mic}\r\n" if mic else ""
        return (f"Content-Type: multipart/report; report-type=disposition-notification; boundary=\"rr\"\r\n\r\n--rr\r\n"
                f"Content-Type: text/plain\r\n\r\n{text}\r\n--rr\r\nContent-Type: message/disposition-notification\r\n\r\n"
                f"Reporting-UA: peer\r\nFinal-Recipient: rfc822; {self.own_name}\r\nOriginal-Message-ID: {original or message_id}\r\n"
                f"Disposition: automatic-action/MDN-sent-automatically; {disposition}\r\n{mic}\r\n--rr--\r\n").encode()

    def sign(self, report, digest="sha256", keys=None):
        """(Content-Type, body) of a multipart/signed around the report."""
        certificate, key = keys or (self.certificate, self.key)
        der = self.openssl("-sign", "-binary", "-signer", certificate, "-inkey", key, "-md", digest, "-outform", "DER", data=report)
        body = (b"--ss\r\n" + report + b"\r\n--ss\r\nContent-Type: application/pkcs7-signature; name=smime.p7s\r\n"
                b"Content-Transfer-Encoding: base64\r\n\r\n" + base64.encodebytes(der) + b"\r\n--ss--\r\n")
        return (f"multipart/signed; protocol=\"application/pkcs7-signature\"; micalg={NAMES[digest]}; boundary=\"ss\"", body)

    def mdn(self, message_id, m, headers, **changes):
        """(Content-Type, body): as asked for, unless `changes` say otherwise."""
        options = headers.get("Disposition-Notification-Options", "")
        wanted = re.search(r"signed-receipt-micalg\s*=\s*\w+\s*,\s*([\w-]+)", options)
        digest = changes.get("digest") or m.digest or (wanted.group(1).replace("-", "") if wanted else "sha256")
        mic = base64.b64encode(hashlib.new(digest, m.mic_input).digest()).decode() + ", " + NAMES[digest]
        report = self.report(message_id, changes.get("mic", mic), changes.get("disposition", "processed"),
                             changes.get("text", "Received."), changes.get("original"))
        if not changes.get("signed", "signed-receipt-protocol" in options):
            head, _, body = report.partition(b"\r\n\r\n")
            return head.partition(b": ")[2].decode(), body
        return self.sign(report, keys=changes.get("keys"), digest="sha256")

    def post_mdn(self, url, message_id, kind, body, delay=0.0, times=1):
        def post():
            time.sleep(delay)
            for _ in range(times):
                at = urllib.parse.urlsplit(url)
                connection = http.client.HTTPConnection(at.hostname, at.port, timeout=demo.PATIENCE)
                try:
                    connection.request("POST", at.path, body, {
                        "AS2-Version": "1.2", "AS2-From": self.own_name, "AS2-To": self.station_name, "Message-ID": f"<mdn-{time.time_ns()}@peer>",
                        "MIME-Version": "1.0", "Content-Type": kind})
                    answer = connection.getresponse()
                    answer.read()
                    self.posted.append((message_id, answer.status))
                except OSError as error:
                    self.posted.append((message_id, str(error)))
                finally:
                    connection.close()
        thread = threading.Thread(target=post, daemon=True)
        thread.start()
        return thread

    def behaviour_for(self, message_id, nth):
        words = (self.behaviour(message_id) if callable(self.behaviour) else self.behaviour).split()
        return words[min(nth, len(words)) - 1]

    def serve(self, request):
        headers = request.headers
        message_id = headers["Message-ID"]
        if "chunked" in headers.get("Transfer-Encoding", ""):
            body = b""
            while size := int(request.rfile.readline(), 16):
                body += request.rfile.read(size)
                request.rfile.readline()
            request.rfile.readline()
        else:
            body = request.rfile.read(int(headers["Content-Length"]))
        if self.password and headers.get("Authorization") != "Basic " + base64.b64encode(self.password.encode()).decode():
            return self.reply(request, 401, body=b"who are you")
        with self.lock:
            self.tries[message_id] += 1
            self.times[message_id].append(time.monotonic())
            self.headers[message_id].append(dict(headers))
            what = self.behaviour_for(message_id, self.tries[message_id])
        self.answer(request, message_id, headers, body, what)

    def reply(self, request, status, kind="text/plain", body=b"", length=None, **more):
        request.send_response(status)
        request.send_header("Content-Type", kind)
        request.send_header("Content-Length", str(len(body) if length is None else length))
        for name, value in more.items():
            request.send_header(name.replace("_", "-"), value)
        request.end_headers()
        request.wfile.write(body)

    def answer(self, request, message_id, headers, body, what):
        """good; a status such as 503; redirect:URL; reset, reset-after (taken, then no answer), stall; garbage, half, empty, two;
        mismatch, no-mic, bad-signature, stranger, unsigned, sha1 (another digest), negative, other-message;
        for asynchronous MDNs also no-content, twice, never, early."""
        what, _, argument = what.partition(":")
        if what.isdigit():
            return self.reply(request, int(what), body=f"status {what} on purpose".encode())
        if what == "redirect":
            return self.reply(request, 302, Location=argument)
        if what == "reset":
            request.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            request.close_connection = True
            request.connection.close()
            return None
        if what == "stall":
            self.release.wait()
            return None
        m = self.open({k.lower(): v for k, v in headers.items()}, body)
        with self.lock:
            if self.messages.get(message_id) is None:
                self.messages[message_id] = m
                self.accepted[message_id] += 1
        if what == "reset-after":
            request.close_connection = True
            request.connection.close()
            return None
        if not headers.get("Disposition-Notification-To"):
            return self.reply(request, 200)
        changes = {
            "mismatch": {"mic": base64.b64encode(hashlib.sha256(b"something else").digest()).decode() + ", sha-256"},
            "no-mic": {"mic": None}, "unsigned": {"signed": False}, "sha1": {"digest": "sha1"},
            "negative": {"disposition": "processed/error: authentication-failed", "text": "Who are you?", "mic": None},
            "other-message": {"original": "<another@message>"},
        }.get(what, {})
        if what == "stranger":
            changes = {"keys": stranger_keys(self.folder)}
        kind, mdn = self.mdn(message_id, m, headers, **changes)
        if what == "bad-signature":
            mdn = mdn.replace(b"Received.", b"Forged!!.")
        url = headers.get("Receipt-Delivery-Option")
        if url:
            if what == "early":
                self.post_mdn(url, message_id, kind, mdn).join(demo.PATIENCE)
            self.reply(request, 204 if what == "no-content" else 200)
            if what not in ("never", "early"):
                self.post_mdn(url, message_id, kind, mdn, 0.05, 2 if what == "twice" else 1)
            return None
        if what == "garbage":
            return self.reply(request, 200, "text/html", b"<html>It works!</html>")
        if what == "empty":
            return self.reply(request, 200)
        if what == "half":
            self.reply(request, 200, kind, mdn[:len(mdn) // 2], len(mdn))
            request.close_connection = True
            return None
        if what == "two":
            self.reply(request, 200, kind, mdn)
            request.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 3\r\n\r\ntwo")
            request.close_connection = True
            return None
        return self.reply(request, 200, kind, mdn)
