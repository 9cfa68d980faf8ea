#!/usr/bin/python3
"""AS2 in: what senders may combine, each message made by `openssl cms` and posted with curl. Every MDN is verified with
`openssl cms -verify`, its MIC is computed here, and the payload that was stored is compared byte by byte.

One network runs for all of it. The matrix is printed at its end.
"""

import base64
import concurrent.futures
import contextlib
import hashlib
import http.server
import itertools
import json
import os
import re
import socketserver
import sys
import threading
import warnings

import as2_message as as2
import demo
import tap
import x12

t = tap.Tap()
FRAMINGS = ("length", "chunked")
ENCODINGS = ("binary", "base64", "quoted-printable")
MDNS = ("none", "sync", "sync signed", "async", "async signed")
POSTS_AT_ONCE = 4
MDN_PORT = demo.free_port()

MATRIX = "MATRIX"      # takes anything, modern algorithms only
LEGACY = "LEGACY"  # takes what a profile may allow besides
STRICT = "STRICT"      # signed and encrypted, by SHA-512 and AES-256-GCM
PEDANT = "PEDANT"      # proper Message-IDs, new and plain file names only
GUARDED = "GUARDED"    # from another address only
LOGGED_IN = "LOGGED IN"  # HTTP basic authentication
TRUSTING, CHECKED, CHAINED = "TRUSTING", "CHECKED", "CHAINED"  # certificates by themselves; in time and for signing; of an authority
PASSWORD = "correct horse: battery"


def hashed(password):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import crypt
    return crypt.crypt(password, "$y$j9T$F5Jx5fExrKuPp53xLKQ..1$")


def profiles(n, keys, special):
    def partner(name, as2_id, receive, signers=None):
        certificates = "[" + ", ".join(k.certificate for k in signers or keys.values()) + "]"
        return f"""\
---
kind: partner
id: {name}
name: {name}
connections:
  - id: {name}-as2
    protocol: as2
    station: {n.station}
    as2_id: "{as2_id}"
    receive:
      certificates: {certificates}
{receive}
    mdn_hosts: ["127.0.0.1:{MDN_PORT}"]
"""
    return (partner("matrix", MATRIX, "      require: []") +
            partner("legacy", LEGACY, "      require: []\n      digests: [sha256, sha384, sha512, sha224, sha1, md5]\n"
                                      "      ciphers: [aes128-cbc, aes256-cbc, des-ede3-cbc]") +
            partner("pedant", PEDANT, "      require: []\n      strict_message_id: true\n      duplicate_file_name: refuse\n"
                                      "      illegal_file_name: refuse") +
            partner("guarded", GUARDED, '      require: []\n      addresses: [192.0.2.0/24, "2001:db8::/32"]') +
            partner("logged-in", LOGGED_IN, f'      require: []\n      addresses: [127.0.0.0/8]\n'
                                            f'      auth: {{user: trader, password: "{hashed(PASSWORD)}"}}') +
            partner("trusting", TRUSTING, "      require: []", special.values()) +
            partner("checked", CHECKED, "      require: []\n      check_expiry: true\n      check_purpose: true", special.values()) +
            partner("chained", CHAINED, f"      require: []\n      authorities: [{special['authority'].certificate}]", special.values()) +
            partner("strict", STRICT, "      require: [signed, encrypted]\n      digests: [sha512]\n      ciphers: [aes256-gcm]"))


def make_keys(folder):
    """{name: Sender} with a key of each kind that may sign."""
    def make(name, *algorithm):
        certificate, key = os.path.join(folder, f"{name}.pem"), os.path.join(folder, f"{name}.key")
        demo.run(["openssl", "req", "-x509", "-newkey", *algorithm, "-nodes", "-sha256", "-days", "365", "-subj", f"/O=Peer/CN={name}",
                  "-addext", "subjectKeyIdentifier=hash", "-keyout", key, "-out", certificate])
        return as2.Sender(certificate, key)
    ec = "ec_paramgen_curve:"
    return {"rsa": make("rsa", "rsa:2048"), "rsa-new": make("rsa-new", "rsa:3072"),
            "pss": make("pss", "rsa-pss", "-pkeyopt", "rsa_keygen_bits:2048"),
            "p256": make("p256", "ec", "-pkeyopt", ec + "P-256"), "p384": make("p384", "ec", "-pkeyopt", ec + "P-384"),
            "p521": make("p521", "ec", "-pkeyopt", ec + "P-521")}


def make_special(folder):
    """{name: Sender}: certificates that a policy may be against. `renewed` has the key of `expired`."""
    made = {}

    def issue(name, extensions="", days="300", key=None, issuer=None):
        certificate, request, conf = (os.path.join(folder, f"{name}.{x}") for x in ("pem", "csr", "ext"))
        key_path = key or os.path.join(folder, f"{name}.key")
        if not key:
            demo.run(["openssl", "genrsa", "-out", key_path, "2048"])
        demo.run(["openssl", "req", "-new", "-key", key_path, "-subj", f"/O=Peer/CN={name}", "-out", request])
        with open(conf, "w") as f:
            f.write(extensions)
        sign = ["-CA", issuer.certificate, "-CAkey", issuer.key, "-CAcreateserial"] if issuer else ["-signkey", key_path]
        demo.run(["openssl", "x509", "-req", "-in", request, "-days", days, "-extfile", conf, "-out", certificate, *sign])
        made[name] = as2.Sender(certificate, key_path)
        return made[name]
    root = issue("authority", "basicConstraints=CA:TRUE\nkeyUsage=keyCertSign,cRLSign\n")
    between = issue("between", "basicConstraints=CA:TRUE\nkeyUsage=keyCertSign\n", issuer=root)
    issue("chained", "basicConstraints=CA:FALSE\nkeyUsage=digitalSignature\n", issuer=root)
    issue("two-steps", "basicConstraints=CA:FALSE\n", issuer=between)
    issue("server-only", "basicConstraints=CA:FALSE\nkeyUsage=digitalSignature\nextendedKeyUsage=serverAuth\n")
    issue("crypt-only", "basicConstraints=CA:FALSE\nkeyUsage=keyEncipherment\n")
    issue("plain")
    issue("expired", days="-1")
    old = issue("old-of-renewed", days="-1")
    issue("renewed", key=old.key)
    issue("expired-chained", days="-1", issuer=root)
    return made


def widen_station(n):
    """Gives the station more keys to decrypt with: the successor of its RSA key, and elliptic ones. {name: certificate}."""
    folder, more = os.path.join(n.dir, "keys"), {}
    for name, algorithm in (("rsa-next", ("rsa:2048",)), ("p256", ("ec", "-pkeyopt", "ec_paramgen_curve:P-256")),
                            ("p384", ("ec", "-pkeyopt", "ec_paramgen_curve:P-384")), ("p521", ("ec", "-pkeyopt", "ec_paramgen_curve:P-521"))):
        more[name] = os.path.join(n.dir, "certs", f"crypt-{name}.pem")
        demo.run(["openssl", "req", "-x509", "-newkey", *algorithm, "-nodes", "-sha256", "-days", "365", "-subj", f"/CN=hub {name}",
                  "-addext", "subjectKeyIdentifier=hash", "-keyout", os.path.join(folder, f"crypt-{name}.key"), "-out", more[name]])
    with open(n.station_profile) as f:
        text = f.read()
    pairs = "".join(f", {{certificate: ../certs/crypt-{k}.pem, key: ../keys/crypt-{k}.key}}" for k in more)
    with open(n.station_profile, "w") as f:
        f.write(text.replace("decrypt.key}]", "decrypt.key}" + pairs + "]"))
    return more


class MdnDesk:
    """Where asynchronous MDNs arrive: {Original-Message-ID: [Response]}."""

    def __init__(self):
        self.arrived, self.paths, self.news = {}, [], threading.Condition()
        self.refusing = False
        desk = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def do_POST(self):
                desk.take(self)

        class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
            daemon_threads = True
            request_queue_size = 128

        self.server = Server(("127.0.0.1", MDN_PORT), Handler)
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def take(self, request):
        body = request.rfile.read(int(request.headers["Content-Length"]))
        mdn = demo.Response(b"HTTP/1.1 200 OK", body)
        mdn.headers = {k.lower(): v for k, v in request.headers.items()}
        about = re.search(rb"^Original-Message-ID: *(.*?)\r?$", body, re.M | re.I)
        request.send_response(503 if self.refusing else 200)
        request.send_header("Content-Length", "0")
        request.end_headers()
        with self.news:
            if self.refusing:
                self.paths.append("refused")
                return
            self.arrived.setdefault(about.group(1).decode("latin-1") if about else "", []).append(mdn)
            self.paths.append(request.path)
            self.news.notify_all()

    def wait(self, message_id, count=1):
        """The MDN for this message, or None when it does not come."""
        with self.news:
            self.news.wait_for(lambda: len(self.arrived.get(message_id, [])) >= count, demo.PATIENCE)
            return (self.arrived.get(message_id) or [None])[-1]


class Peer:
    """One sender: posts, looks at the answer, remembers what must have been stored."""

    def __init__(self, n, keys, station_keys):
        self.n, self.keys, self.station_keys, self.desk = n, keys, station_keys, MdnDesk()
        self.sent = {}  # (partner, Message-ID): payload of each message that was accepted

    def post(self, headers, body, mdn="sync signed", framing="length", as2_from=MATRIX, micalg="sha-256", message_id=None, **more):
        message_id = message_id or self.n.message_id("x")
        changes = {"AS2-From": as2_from if " " not in as2_from else f'"{as2_from}"',
                   "Content-Type": headers.get("content-type"), "Content-Transfer-Encoding": headers.get("content-transfer-encoding"),
                   "Content-Disposition": headers.get("content-disposition")}
        if framing == "chunked":
            changes["Transfer-Encoding"] = "chunked"
        if not mdn.endswith("signed"):
            changes["Disposition-Notification-Options"] = None
        else:
            changes["Disposition-Notification-Options"] = ("signed-receipt-protocol=required, pkcs7-signature; "
                                                           f"signed-receipt-micalg=required, {micalg}")
        if mdn == "none":
            changes["Disposition-Notification-To"] = None
        if mdn.startswith("async"):
            changes["Receipt-Delivery-Option"] = f"http://127.0.0.1:{MDN_PORT}/mdn?of=x&to=http://elsewhere.example/"
        changes.update(more)
        return message_id, self.n.post(body, message_id, **changes)

    def accepted(self, payload, made, mdn="sync signed", **options):
        """Posts what a builder made, (headers, body, MIC). Returns "" when all is as it should be, else what is not."""
        headers, body, mic = made
        message_id, response = self.post(headers, body, mdn, **options)
        if mdn == "none":
            wrong = "" if 200 <= response.status < 300 and not response.body else f"{response}"
        else:
            wrong = self.wrong_mdn(response, mdn, message_id, mic, "processed")
        if not wrong:
            self.sent[options.get("as2_from", MATRIX).lower().replace(" ", "-"), message_id] = payload
        return wrong

    def wrong_mdn(self, response, mdn, message_id, mic, outcome):
        if mdn.startswith("async"):
            if response.status != 204 or response.body:
                return f"{response}"
            response = self.desk.wait(message_id)
            if not response:
                return "no asynchronous MDN came"
        if response.status != 200:
            return f"{response}"
        found = self.n.check_mdn(response)
        if not found:
            return f"no MDN: {response}"
        wanted_signature = mdn.endswith("signed")
        is_signed = response.headers.get("content-type", "").startswith("multipart/signed")
        if is_signed != wanted_signature or (is_signed and not found.verified):
            return f"signature wanted {wanted_signature}, there {is_signed}: {found}"
        if found.outcome != outcome or found.original_message_id != message_id:
            return f"{found}: {found.report.decode('latin-1')}"
        if mic is not None and (found.mic != mic or not found.micalg):
            return f"MIC {found.mic}, {found.micalg}; expected {mic}"
        return "" if mic is not None or not found.mic else f"a MIC in {found}"

    def refused(self, made, outcome, mic=None, **options):
        headers, body, _ = made
        message_id, response = self.post(headers, body, **options)
        return self.wrong_mdn(response, options.get("mdn", "sync signed"), message_id, mic, outcome)

    def check_stored(self):
        """Payloads as they were stored, byte by byte. Returns [((partner, Message-ID), what is wrong)]."""
        listed = {}
        for m in self.n.messages("--direction", "in"):
            if m["sha256"]:  # of a refused one there is no payload
                listed.setdefault((m["partner"], m["as2_message_id"]), []).append(m["id"])

        def compare(item):
            key, payload = item
            ids = listed.get(key, [])
            if len(ids) != 1:
                return key, f"stored {len(ids)} times"
            stored = self.n.vanctl("message", "get", ids[0]).stdout
            return key, "" if stored == payload else f"{len(stored)} bytes stored, {len(payload)} sent, or others"
        with concurrent.futures.ThreadPoolExecutor(POSTS_AT_ONCE) as pool:
            return [(m, why) for m, why in pool.map(compare, self.sent.items()) if why]


def payload_of(tag):
    """Binary, with everything in it that gateways like to rewrite."""
    return f"payload {tag}\n".encode() + bytes(range(256)) + b"\r\n lone LF\n lone CR\r trailing blank \r\n--=_part\r\n.\r\n" + os.urandom(600)


def matrix(p):
    rows = [(s, e) for s in as2.STRUCTURES for e in ENCODINGS]
    columns = list(itertools.product(MDNS, FRAMINGS))
    made = {}

    def build(row):
        (signed, sealed, compression), encoding = row
        payload = payload_of(row)
        return row, payload, as2.message(payload, p.keys["rsa"], p.n.hub_crypt, signed, sealed, compression, encoding)

    def cell(job):
        row, (mdn, framing) = job
        payload, message = made[row]
        return job, p.accepted(payload, message, mdn, framing=framing)
    with concurrent.futures.ThreadPoolExecutor(POSTS_AT_ONCE) as pool:
        for row, payload, message in pool.map(build, rows):
            made[row] = payload, message
        results = dict(pool.map(cell, itertools.product(rows, columns)))
    for row in rows:
        bad = [f"{c}: {results[row, c]}" for c in columns if results[row, c]]
        t.ok(not bad, f"{as2.structure_name(*row[0])}, {row[1]}: all MDNs and framings", "\n".join(bad))
    t.equal(p.check_stored(), [], "every payload of the matrix is stored once, byte for byte")
    print_matrix(rows, columns, results)


def print_matrix(rows, columns, results):
    width = max(len(as2.structure_name(*s)) for s, _ in rows) + 2
    t.diag("matrix of what was received (MDN: none, sync, async; u unsigned, s signed; L Content-Length, C chunked)")
    marks = [f"{'none' if m == 'none' else m.split()[0] + ('-s' if 'signed' in m else '-u')}/{f[0].upper() if f == 'chunked' else 'L'}"
             for m, f in columns]
    t.diag(" " * (width + 18) + " ".join(f"{m:>9}" for m in marks))
    for row in rows:
        t.diag(f"{as2.structure_name(*row[0]):<{width}}{row[1]:<18}" +
               " ".join(f"{'FAILED' if results[row, c] else 'ok':>9}" for c in columns))


def several(p, cases):
    """[(name, function)]: runs them at once; each returns what is wrong, or an empty text."""
    with concurrent.futures.ThreadPoolExecutor(POSTS_AT_ONCE) as pool:
        for (name, _), wrong in zip(cases, pool.map(lambda c: c[1](), cases)):
            t.ok(not wrong, name, wrong)


def enveloped(p, payload, sender=None, digest="sha256", recipient=None, **options):
    """Signed, then encrypted: (headers, body, MIC)."""
    inner = as2.document(payload)
    whole = (sender or p.keys["rsa"]).multipart(inner)
    return (*as2.split_entity(as2.encrypted(whole, recipient or p.n.hub_crypt, **options)), as2.mic(inner, digest))


def opaque_and_ber(p):
    cases = []
    for ber, sealed, compression, encoding in itertools.product((False, True), (False, True), ("none", "before", "after"), ("binary", "base64")):
        def case(ber=ber, sealed=sealed, compression=compression, encoding=encoding):
            payload = payload_of((ber, sealed, compression, encoding))
            checked = as2.document(payload)
            if compression == "before":
                checked = as2.compressed(checked, encoding, ber)
            whole = p.keys["rsa"].opaque(checked, encoding, ber)
            if compression == "after":
                whole = as2.compressed(whole, encoding, ber)
            if sealed:
                whole = as2.encrypted(whole, p.n.hub_crypt, encoding=encoding, ber=ber)
            return p.accepted(payload, (*as2.split_entity(whole), as2.mic(checked)))
        cases.append((f"opaque signed-data{', encrypted' if sealed else ''}, compression {compression}, {encoding}, "
                      f"{'BER: indefinite lengths, nested strings' if ber else 'DER'}", case))
    for signed, compression in itertools.product((False, True), ("none", "before", "after")):
        if compression == "after" and not signed:
            continue

        def case(signed=signed, compression=compression):
            payload = payload_of((signed, compression))
            checked = as2.document(payload)
            whole = as2.compressed(checked, ber=True) if compression == "before" else checked
            checked = whole if signed else checked
            whole = p.keys["rsa"].multipart(whole, "binary") if signed else whole
            whole = as2.compressed(whole, ber=True) if compression == "after" else whole
            return p.accepted(payload, (*as2.split_entity(as2.encrypted(whole, p.n.hub_crypt, ber=True)), as2.mic(checked)))
        cases.append((f"encrypted BER{', multipart/signed' if signed else ''}, compression {compression}", case))

    def streamed():
        payload = os.urandom(200000)
        inner = as2.document(payload)
        cms = as2.openssl_cms(p.keys["rsa"].multipart(inner), "-encrypt", "-stream", "-aes-256-cbc", "-recip", p.n.hub_crypt)
        return p.accepted(payload, (*as2.split_entity(as2.cms_entity(cms, "enveloped-data")), as2.mic(inner)))
    cases.append(("encrypted by openssl cms -stream", streamed))
    several(p, cases)


def digests(p):
    cases = []
    for digest in ("sha256", "sha384", "sha512"):
        sender = as2.Sender(p.keys["rsa"].certificate, p.keys["rsa"].key, digest)
        cases.append((f"signature by {digest}", lambda s=sender, d=digest: p.accepted(
            d.encode(), enveloped(p, d.encode(), s, d), micalg=as2.MICALG[d])))
    for digest in ("sha1", "md5", "sha224"):
        sender = as2.Sender(p.keys["rsa"].certificate, p.keys["rsa"].key, digest)
        cases.append((f"signature by {digest}: refused where the profile does not name it", lambda s=sender, d=digest: p.refused(
            enveloped(p, d.encode(), s, d), "processed/error: insufficient-message-security", micalg="sha-256")))
        cases.append((f"signature by {digest}: taken where the profile names it", lambda s=sender, d=digest: p.accepted(
            d.encode(), enveloped(p, d.encode(), s, d, cipher="aes-128-cbc"), micalg=as2.MICALG[d], as2_from=LEGACY)))
    several(p, cases)


def ciphers(p):
    cases = [(f"content by {c}", lambda c=c: p.accepted(c.encode(), enveloped(p, c.encode(), cipher=c)))
             for c in ("aes-128-cbc", "aes-192-cbc", "aes-256-cbc", "aes-128-gcm", "aes-192-gcm", "aes-256-gcm")]
    cases.append(("content by AES-GCM in BER", lambda: p.accepted(b"gcm ber", enveloped(p, b"gcm ber", cipher="aes-256-gcm", ber=True))))
    cases.append(("content by 3DES: refused where the profile does not name it", lambda: p.refused(
        enveloped(p, b"3des", cipher="des3"), "processed/error: insufficient-message-security")))
    cases.append(("content by 3DES: taken where the profile names it", lambda: p.accepted(
        b"3des", enveloped(p, b"3des", cipher="des3"), as2_from=LEGACY)))
    several(p, cases)


def key_transport(p):
    cases = [("content key by RSA PKCS #1 v1.5", lambda: p.accepted(b"v1.5", enveloped(p, b"v1.5")))]
    for digest, mgf in (("sha1", "sha1"), ("sha256", "sha256"), ("sha256", "sha1"), ("sha384", "sha384"), ("sha512", "sha512"), ("sha224", "sha256")):
        options = ("-keyopt", "rsa_padding_mode:oaep", "-keyopt", f"rsa_oaep_md:{digest}", "-keyopt", f"rsa_mgf1_md:{mgf}")
        cases.append((f"content key by OAEP with {digest}, MGF1 with {mgf}", lambda o=options: p.accepted(
            b"oaep", enveloped(p, b"oaep", options=o))))
    cases.append(("recipient named by its subject key identifier", lambda: p.accepted(b"ski", enveloped(p, b"ski", options=("-keyid",)))))
    cases.append(("one of several recipients", lambda: p.accepted(
        b"two", enveloped(p, b"two", options=("-recip", p.keys["rsa"].certificate)))))
    several(p, cases)


def key_agreement(p):
    def case(name, key, options=(), cipher="aes-256-cbc", **more):
        return name, lambda: p.accepted(name.encode(), enveloped(p, name.encode(), recipient=p.station_keys[key], options=options,
                                                                  cipher=cipher), **more)

    def kdf(digest):
        return "-keyopt", f"ecdh_kdf_md:{digest}"
    several(p, [
        case("content key by ECDH, P-256, as openssl does by itself", "p256"),
        *[case(f"content key by ECDH, derived by {d}", "p256", kdf(d)) for d in ("sha1", "sha224", "sha256", "sha384", "sha512")],
        case("content key by ECDH with the cofactor", "p256", (*kdf("sha256"), "-keyopt", "ecdh_cofactor_mode:1")),
        *[case(f"content key by ECDH, wrapped by {w}", "p256", (*kdf("sha256"), f"-{w}-wrap")) for w in ("aes128", "aes192", "aes256")],
        case("content key by ECDH, wrapped by 3DES", "p256", ("-des3-wrap",)),
        case("content key by ECDH, P-384", "p384", kdf("sha384")), case("content key by ECDH, P-521", "p521", kdf("sha512")),
        case("content key by ECDH, AES-128", "p256", cipher="aes-128-cbc"), case("content key by ECDH, AES-GCM", "p384", cipher="aes-256-gcm"),
        case("content key by ECDH, recipient named by its subject key identifier", "p256", ("-keyid",)),
        case("old and new decryption certificate: the new one", "rsa-next")])


def signatures(p):
    def case(name, key, digest="sha256", options=()):
        k = p.keys[key]
        sender = as2.Sender(k.certificate, k.key, digest, options)
        return name, lambda: p.accepted(name.encode(), enveloped(p, name.encode(), sender, digest), micalg=as2.MICALG[digest])
    pss = ("-keyopt", "rsa_padding_mode:pss")
    several(p, [
        case("RSA signature", "rsa"), case("RSA signature of 3072 bits", "rsa-new"),
        case("RSA-PSS signature", "rsa", options=pss), case("RSA-PSS signature by SHA-512", "rsa", "sha512", pss),
        case("RSA-PSS signature, salt of 20", "rsa", options=(*pss, "-keyopt", "rsa_pss_saltlen:20")),
        case("signature of an RSA-PSS key", "pss", options=pss),
        case("ECDSA signature, P-256", "p256"), case("ECDSA signature, P-384 by SHA-384", "p384", "sha384"),
        case("ECDSA signature, P-521 by SHA-512", "p521", "sha512"),
        case("signature without signed attributes", "rsa", options=("-noattr",)),
        case("signature without certificates", "rsa", options=("-nocerts",)),
        case("signer named by its subject key identifier", "rsa", options=("-keyid",))])


def certificate_policies(p):
    """By itself a partner's certificate counts as it is; a profile may ask for more."""
    refused = {CHECKED: {"server-only", "crypt-only", "expired", "expired-chained", "authority", "between"}, TRUSTING: set(),
               CHAINED: {"server-only", "crypt-only", "plain", "expired", "old-of-renewed", "renewed", "two-steps"}}
    cases = []
    for as2_from, bad in refused.items():
        for name, sender in p.special.items():
            def case(as2_from=as2_from, bad=name in bad, sender=sender, payload=f"{as2_from} {name}".encode()):
                if bad:
                    return p.refused(enveloped(p, payload, sender), "processed/error: authentication-failed", as2_from=as2_from)
                return p.accepted(payload, enveloped(p, payload, sender), as2_from=as2_from)
            cases.append((f"{as2_from}: signed with {name}: {'refused' if name in bad else 'taken'}", case))
    several(p, cases)


def minimum_security(p):
    low = "processed/error: insufficient-message-security"
    key = p.keys["rsa"]
    sha512 = as2.Sender(key.certificate, key.key, "sha512")

    def unsigned():
        return (*as2.split_entity(as2.encrypted(as2.document(b"x"), p.n.hub_crypt, "aes-256-gcm")), None)

    def unencrypted():
        return (*as2.split_entity(sha512.multipart(as2.document(b"x"))), None)
    several(p, [
        ("required: taken as required", lambda: p.accepted(b"strict", enveloped(p, b"strict", sha512, "sha512", cipher="aes-256-gcm"),
                                                            as2_from=STRICT, micalg="sha-512")),
        ("required: not encrypted", lambda: p.refused(unencrypted(), low, as2_from=STRICT)),
        ("required: not signed", lambda: p.refused(unsigned(), low, as2_from=STRICT)),
        ("required: neither", lambda: p.refused((*as2.split_entity(as2.document(b"x")), None), low, as2_from=STRICT)),
        ("required: a weaker cipher", lambda: p.refused(enveloped(p, b"x", sha512), low, as2_from=STRICT)),
        ("required: a weaker digest", lambda: p.refused(enveloped(p, b"x", key, cipher="aes-256-gcm"), low, as2_from=STRICT))])


def names_and_ids(p):
    """What a profile may refuse besides, and what everybody else's Message-IDs and file names become."""
    def plain(payload=b"x", **options):
        inner = as2.document(payload, **options)
        headers, body = as2.split_entity(p.keys["rsa"].multipart(inner))
        return headers, body, as2.mic(inner)
    error = "processed/error: "
    for message_id in ("no-brackets@x", "<no-at>", "<a b@c>", "<two@at@s>", "<[odd]@x>x", "<" + "x" * 260 + "@y>"):
        t.equal(p.refused(plain(), error + "invalid-message-id", as2_from=PEDANT, message_id=message_id, AS2_Version="1.3"), "",
                f"strict_message_id: {message_id[:20]}: refused")
        t.equal(p.accepted(b"id", plain(b"id"), message_id=message_id), "", f"Message-ID {message_id[:20]}: taken and echoed exactly by default")
    t.equal(p.refused(plain(), error + "unexpected-processing-error", as2_from=PEDANT, message_id="<no-at>"), "",
            "to AS2 1.2 it is the error that 1.2 knows")
    for name, safe, changed in (("order 1.edi", "order 1.edi", False), ("../../etc/passwd", "passwd", True),
                                (r"C:\\temp\\x.edi", "x.edi", True), ("=?UTF-8?B?w6QuZWRp?=", "ä.edi", False),
                                (r"a\"b.edi", 'a"b.edi', False), ("...", None, True), ("nul/", None, True)):
        message_id = p.n.message_id("name")
        t.equal(p.accepted(name.encode(), plain(name.encode(), file_name=name), message_id=message_id), "", f"file name {name}: taken")
        found = [m for m in p.n.messages("--direction", "in", "--limit", "5") if m["as2_message_id"] == message_id]
        t.equal([m["file_name"] for m in found], [safe], f"file name {name}: kept as {safe}")
        if changed:
            t.equal(p.refused(plain(file_name=name), error + "illegal-filename", as2_from=PEDANT, AS2_Version="1.3"), "",
                    f"file name {name}: refused where the profile says so")
    extended = {"Content-Disposition": "attachment; filename*=UTF-8''r%C3%A9sum%C3%A9%2F..%2Fx.edi"}
    message_id = p.n.message_id("name")
    t.equal(p.accepted(b"2231", plain(b"2231", headers=extended), message_id=message_id), "", "file name by RFC 2231: taken")
    found = [m for m in p.n.messages("--direction", "in", "--limit", "5") if m["as2_message_id"] == message_id]
    t.equal([m["file_name"] for m in found], ["x.edi"], "file name by RFC 2231: its safe part is kept")
    t.equal(p.accepted(b"one", plain(b"one", file_name="unique.edi"), as2_from=PEDANT), "", "duplicate_file_name: a new name is taken")
    two = plain(b"two", file_name="unique.edi")
    t.equal(p.refused(two, error + "duplicate-filename", mic=two[2], as2_from=PEDANT, AS2_Version="1.3"), "",
            "duplicate_file_name: the same again is refused")
    t.equal(p.accepted(b"two", plain(b"two", file_name="unique.edi")), "", "duplicate_file_name: another connection may use the name")
    t.equal(p.accepted(b"two", plain(b"two", file_name="unique.edi")), "", "duplicate_file_name: by default a name may come again")


def admission(p):
    """Addresses and HTTP authentication: refused before the body counts, with nothing stored."""
    made = as2.split_entity(as2.document(b"admitted"))
    before = len(p.n.messages("--direction", "in"))
    t.equal(p.post(*made, as2_from=GUARDED)[1].status, 403, "addresses: from elsewhere it is 403")
    basic = "Basic " + base64.b64encode(f"trader:{PASSWORD}".encode()).decode()
    for name, header in (("without", None), ("a wrong password", "Basic " + base64.b64encode(b"trader:wrong").decode()), ("another user", basic[:6] + base64.b64encode(
            f"other:{PASSWORD}".encode()).decode()), ("no base64", "Basic ***"), ("another scheme", "Bearer x"), ("no colon", "Basic dHJhZGVy")):
        answer = p.post(*made, as2_from=LOGGED_IN, Authorization=header)[1]
        t.ok(answer.status == 401 and "basic" in answer.headers.get("www-authenticate", "").lower(), f"auth: {name}: 401", answer)
    t.equal(len(p.n.messages("--direction", "in")), before, "nothing of that is stored")
    for _ in range(2):
        message_id, answer = p.post(*made, as2_from=LOGGED_IN, Authorization=basic)
        t.equal(p.wrong_mdn(answer, "sync signed", message_id, as2.mic(b"admitted"), "processed"), "", "auth: user and password: taken")
    found = [m for m in p.n.messages("--direction", "in", "--limit", "3") if m["as2_message_id"] == message_id]
    kept = p.n.vanctl("message", "get", found[0]["id"], "--part", "headers").stdout
    t.ok(b"AS2-From" in kept and b"uthorization" not in kept and basic[6:].encode() not in kept, "the password is not kept with the headers", kept)


def related(parts, boundary="=_rel", root_type="application/edi-x12"):
    """multipart/related (RFC 6362) of entities."""
    mark = b"--" + boundary.encode()
    body = b"".join(mark + as2.CRLF + part + as2.CRLF for part in parts) + mark + b"--" + as2.CRLF
    return as2.entity({"Content-Type": f'multipart/related; type="{root_type}"; boundary="{boundary}"'}, body)


def attachments(p):
    """RFC 6362: EDI parts make up the payload, others are kept beside it, each with its name."""
    edi = [x12.order_850(demo.BUYER, demo.BETA, 7001 + i, f"PO-R{i}") for i in range(2)]
    picture, table = os.urandom(200000), "grün;1\r\n".encode()

    def parts(encoding):
        return [as2.document(edi[0], "application/edi-x12", encoding, "order.edi"), as2.document(picture, "image/png", encoding, "../label.png"),
                as2.document(edi[1], "application/EDI-X12", encoding), as2.document(table, "text/csv", encoding), as2.document(b"", "text/plain", encoding, "empty")]
    for signed, sealed, compression in as2.STRUCTURES:
        for encoding in ENCODINGS if sealed and signed else ENCODINGS[:1]:
            name = f"attachments, {as2.structure_name(signed, sealed, compression)}, {encoding}"
            whole = checked = related(parts(encoding))
            if compression == "before":
                whole = as2.compressed(whole)
            if signed:
                checked, whole = whole, p.keys["rsa"].multipart(whole)
            if compression == "after":
                whole = as2.compressed(whole)
            if sealed:
                whole = as2.encrypted(whole, p.n.hub_crypt)
            headers, body = as2.split_entity(whole)
            mic = as2.mic(checked if signed or sealed or compression != "none" else as2.split_entity(checked)[1])
            message_id = p.n.message_id("rel")
            t.equal(p.accepted(edi[0] + edi[1], (headers, body, mic), message_id=message_id), "", f"{name}: taken")
            found = [m for m in p.n.messages("--direction", "in", "--limit", "50") if m["as2_message_id"] == message_id]
            got = [p.n.vanctl("message", "get", found[0]["id"], "--part", f"attachment-{i}", check=False).stdout for i in (1, 2, 3)] if found else []
            t.ok(got == [picture, table, b""], f"{name}: each is kept, byte for byte", [len(g) for g in got])
    listed = json.loads(p.n.vanctl("message", "get", found[0]["id"], "--part", "attachment-list").stdout)
    t.equal([(a["file_name"], a["content_type"], a["bytes"]) for a in listed], [("label.png", "image/png", len(picture)), (None, "text/csv", len(table)), ("empty", "text/plain", 0)],
            "a list says what they are")
    t.equal(found[0]["file_name"], "order.edi", "the message is named after its first part")
    shown = {x["name"]: x for x in p.n.json("message", "show", found[0]["id"])["parts"]}
    t.equal(shown["attachment-1"]["sha256"], hashlib.sha256(picture).hexdigest(), "attachments are shown with their hashes")
    headers, body = as2.split_entity(p.keys["rsa"].multipart(related([as2.document(b"x", "text/plain")] * 18)))
    message_id, response = p.post(headers, body)
    t.equal(p.wrong_mdn(response, "sync signed", message_id, None, "processed/error: unexpected-processing-error"), "", "too many attachments are refused")
    for broken in (body.replace(b"--=_rel--", b""), b""):
        answer = p.n.check_mdn(p.post(*as2.split_entity(as2.entity({"Content-Type": 'multipart/related; boundary="=_rel"'}, broken)))[1])
        t.ok(answer and answer.outcome.startswith("processed/error"), "so is multipart/related without its end", answer)
    answer = p.post(*as2.split_entity(as2.document(b"x")), **{"EDIINT-Features": "multiple-attachments, something-else"})[1]
    t.equal(answer.headers.get("ediint-features"), "multiple-attachments, CEM, AS2-Reliability", "the MDN tells what else we can do")
    for said, answered in (("1.0", "1.2"), ("1.1", "1.2"), ("1.2", "1.2"), ("1.3", "1.3"), ("1.9", "1.3"), ("2.0", "1.2"), ("", "1.2"), (None, "1.2")):
        answer = p.post(*as2.split_entity(as2.document(b"x")), AS2_Version=said)[1]
        t.ok(answer.status == 200 and answer.headers.get("as2-version") == answered and answer.headers.get("as2-product", "").startswith("openvan:"),
             f"AS2-Version {said}: taken, answered with {answered}", answer)


def asynchronous(p):
    """Asynchronous MDNs go where the profile says, and nowhere else."""
    made = enveloped(p, b"later")
    before = len(p.n.messages("--direction", "in"))
    for url in ("http://127.0.0.1:1/x", "http://localhost:{port}/", "http://169.254.169.254/latest/meta-data", "http://[::1]:{port}/", "file:///etc/passwd",
                "mailto:edi@buyer.example", "http://127.0.0.1:{port}@evil.example/", "http://evil.example/127.0.0.1:{port}", "http://127.0.0.1:{port}\\@evil/",
                "http://0x7f.1:{port}/", "http://127.0.0.1.evil.example:{port}/"):
        url = url.format(port=MDN_PORT)
        answer = p.post(*made[:2], Receipt_Delivery_Option=url)[1]
        t.ok(answer.status == 403 and b"Receipt-Delivery-Option" in answer.body, f"{url.replace(str(MDN_PORT), 'PORT')}: refused with a reason", answer)
    t.equal(len(p.n.messages("--direction", "in")), before, "nothing of that is accepted")
    t.equal(p.accepted(b"long", enveloped(p, b"long"), "async signed", Receipt_Delivery_Option=f"http://127.0.0.1:{MDN_PORT}/mdn?" + "q=1&" * 400), "",
            "a long address with a query is taken")
    t.ok(any(x.count("q=1&") == 400 for x in p.desk.paths), "and used as it is")
    unsigned = (*as2.split_entity(as2.document(b"x")), None)
    t.equal(p.refused(unsigned, "processed/error: insufficient-message-security", as2_from=STRICT, mdn="async signed"), "",
            "a message that is refused gets its asynchronous MDN, too")
    message_id = p.n.message_id("async")
    for count in (1, 2):
        t.equal(p.accepted(b"again", enveloped(p, b"again"), "async signed", message_id=message_id), "", f"sent {count} times")
        mdn = p.desk.wait(message_id, count)
        t.equal(len(p.desk.arrived[message_id]), count, f"it gets {count} MDNs")
    first, second = p.desk.arrived[message_id]
    t.ok(first.body == second.body, "the same one")
    _, answer = p.post(*enveloped(p, b"again")[:2], message_id=message_id)
    t.ok(answer.status == 200 and answer.body == first.body, "asked for synchronously it comes in the answer", answer)
    message_id = p.n.message_id("sync")
    t.equal(p.accepted(b"sync first", enveloped(p, b"sync first"), message_id=message_id), "", "first synchronous")
    t.equal(p.accepted(b"sync first", enveloped(p, b"sync first"), "async signed", message_id=message_id), "", "then asked for asynchronously: 204, and it comes")
    message_id = p.n.message_id("none")
    t.equal(p.accepted(b"none first", enveloped(p, b"none first"), "none", message_id=message_id), "", "first without an MDN")
    t.equal(p.accepted(b"none first", enveloped(p, b"none first"), "async signed", message_id=message_id), "", "then with an asynchronous one")
    t.equal(p.accepted(b"none first", enveloped(p, b"none first"), "sync signed", message_id=message_id), "", "then with a synchronous one")
    p.n.drain()


def stored(p):
    t.equal(p.check_stored(), [], f"all {len(p.sent)} payloads are stored once, byte for byte")
    p.n.check_sound(t)


@contextlib.contextmanager
def network(keep=False):
    """A running network with all these partners, and who sends to it."""
    with demo.Network(keep=keep) as n:
        n.create()
        keys, special, station_keys = make_keys(n.peers), make_special(n.peers), widen_station(n)
        with open(n.profiles, "a") as f:
            f.write(profiles(n, keys, special))
        n.start()
        n.apply_profiles()
        p = Peer(n, keys, station_keys)
        p.special = special
        yield n, p


def main():
    if not demo.available():
        tap.skip_all("vand is not built")
    with network("--keep" in sys.argv) as (n, p):
        for group in (opaque_and_ber, digests, ciphers, key_transport, key_agreement, signatures, certificate_policies, minimum_security,
                      names_and_ids, attachments, admission, asynchronous, matrix, stored):
            t.run(group, p)
        n.tell(t)
    return t.done()


if __name__ == "__main__":
    sys.exit(main())
