#!/usr/bin/python3
"""Sending over AS2: to a peer on the openssl command that answers in every way peers do, and to another OpenVAN.

    as2_send.py [--quick]
"""

import base64
import datetime
import hashlib
import itertools
import os
import re
import sys

import demo
import tap
import x12
from as2_peer import Peer

t = tap.Tap()
AGAIN_AND_AGAIN = "[" + ", ".join(["1s"] * 600) + "]"  # for longer than a test takes on a slow machine
FINAL = ("delivered", "failed", "expired", "dropped")
CIPHERS = ["aes128-cbc", "aes192-cbc", "aes256-cbc", "aes128-gcm", "aes192-gcm", "aes256-gcm", "des-ede3-cbc"]


class Sender:
    """A network with its peers; each peer is a partner with one connection of the same name."""

    def __init__(self, n):
        self.n = n
        self.peers = {}
        self.profiles = {}

    def profile(self, name, peer, send="", mdn="mode: sync", timeout="10m", retry="[1s, 1s]", url=None, connection=""):
        lines = "".join(f"      {line}\n" for line in send.splitlines())
        return f"""kind: partner
id: {name}
identities: [{{standard: x12, id: "ZZ:{name.upper()[:15]}"}}]
connections:
  - id: {name}
    protocol: as2
    station: {self.n.station}
    as2_id: {peer.own_name}
{connection}    receive: {{certificates: [{peer.certificate}]}}
    send:
      url: "{url or peer.url}"
      mdn: {{{mdn}, timeout: {timeout}, url: "http://127.0.0.1:{self.n.ports['as2']}/as2/mdn"}}
      retry: {retry}
{lines}---
"""

    def add(self, name, behaviour="good", tls=None, client_ca=None, keys=None, **options):
        """A peer and its profile; apply() makes it known."""
        peer = Peer(self.n.peers, name, self.n.hub_sign, own_name=name.upper(), behaviour=behaviour, tls=tls, client_ca=client_ca,
                    keys=keys or self.n.peer_keys)
        self.peers[name] = peer.start()
        self.profiles[name] = self.profile(name, peer, **options)
        return peer

    def apply(self):
        path = os.path.join(self.n.root, "peers.yaml")
        with open(path, "w") as f:
            f.write("".join(self.profiles.values()))
        self.n.apply_profiles(self.n.station_profile, path)

    def send(self, name, payload, file_name="order.edi"):
        path = os.path.join(self.n.root, file_name)
        with open(path, "wb") as f:
            f.write(payload)
        return self.n.vanctl("message", "send", "--from", self.n.station, "--to", name, path).stdout.decode().strip()

    def show(self, message):
        return self.n.json("message", "show", message)

    def wait(self, message):
        return demo.wait_for(f"the end of {message}", lambda: (m := self.show(message))["delivery"] in FINAL and m)

    def stop(self):
        for peer in self.peers.values():
            peer.stop()


def events(shown, name):
    return [s for s in shown["history"] if s["event"] == name]


def part(n, message, name):
    return n.vanctl("message", "get", message, "--part", name).stdout


# --- answers ---------------------------------------------------------------------------------------------------------------

# behaviour, further keys of send, mdn, what the delivery becomes, tries, what the error says
ANSWERS = [
    ("good", "", "mode: sync", "delivered", 1, ""),
    ("503 503 good", "", "mode: sync", "delivered", 3, ""),
    ("408 good", "", "mode: sync", "delivered", 2, ""),
    ("425 good", "", "mode: sync", "delivered", 2, ""),
    ("429 good", "", "mode: sync", "delivered", 2, ""),
    ("500", "", "mode: sync", "failed", 3, "HTTP 500: status 500 on purpose"),
    ("400", "", "mode: sync", "failed", 1, "HTTP 400"),
    ("403", "", "mode: sync", "failed", 1, "HTTP 403"),
    ("404", "", "mode: sync", "failed", 1, "HTTP 404"),
    ("reset good", "", "mode: sync", "delivered", 2, ""),
    ("reset-after good", "", "mode: sync", "delivered", 2, ""),
    ("stall", "", "mode: sync", "failed", 3, "no answer came in time"),
    ("garbage", "", "mode: sync", "failed", 3, "it is no MDN"),
    ("empty good", "", "mode: sync", "delivered", 2, ""),
    ("half good", "", "mode: sync", "delivered", 2, ""),
    ("two", "", "mode: sync", "delivered", 1, ""),
    ("mismatch", "", "mode: sync", "failed", 1, "the receiver got something else"),
    ("no-mic", "", "mode: sync", "failed", 1, "no MIC"),
    ("no-mic", "sign: none", "mode: sync", "failed", 1, "set mdn.signed: false"),
    ("no-mic", "sign: none", "mode: sync, signed: false", "delivered", 1, ""),
    ("bad-signature", "", "mode: sync", "failed", 3, "signature"),
    ("stranger", "", "mode: sync", "failed", 3, ""),
    ("unsigned", "", "mode: sync", "failed", 3, "not signed"),
    ("unsigned", "", "mode: sync, signed: false", "delivered", 1, ""),
    ("sha1", "", "mode: sync", "delivered", 1, ""),
    ("sha1", "compress: before-signing", "mode: sync", "delivered", 1, ""),
    ("negative", "", "mode: sync", "failed", 1, "authentication-failed: Who are you?"),
    ("other-message", "", "mode: sync", "failed", 3, "for another message"),
    ("redirect:http://127.0.0.1:9/", "", "mode: sync", "failed", 1, "http://127.0.0.1:9/"),
    ("good", "", "mode: none", "delivered", 1, ""),
    ("good", "chunked: true", "mode: sync", "delivered", 1, ""),
    ("good", "expect_continue: true", "mode: sync", "delivered", 1, ""),
    ("good", "", "mode: async", "delivered", 1, ""),
    ("no-content", "", "mode: async", "delivered", 1, ""),
    ("early", "", "mode: async", "delivered", 1, ""),
    ("twice", "", "mode: async", "delivered", 1, ""),
    ("never early", "", "mode: async", "delivered", 2, ""),
    ("never", "", "mode: async", "expired", 3, "no MDN came in time"),
    ("negative", "", "mode: async", "failed", 1, "authentication-failed"),
    ("mismatch", "", "mode: async", "failed", 1, "the receiver got something else"),
    ("unsigned", "", "mode: async", "expired", 3, "no MDN came in time"),
    ("stranger", "", "mode: async", "expired", 3, "no MDN came in time"),
]


def every_answer(s):
    """All at once: each peer is another partner, so none waits for another."""
    for i, (behaviour, send, mdn, delivery, *_) in enumerate(ANSWERS):
        nothing_comes = delivery == "expired" or behaviour in ("stall", "never early")
        s.add(f"a{i}", behaviour, send=send, mdn=mdn, timeout="2s" if nothing_comes else "10m")
    s.apply()
    sent = [s.send(f"a{i}", x12.order_850(demo.HUB, f"ZZ:A{i}", 100 + i, f"PO-{i}")) for i in range(len(ANSWERS))]
    for i, (behaviour, send, mdn, delivery, tries, error) in enumerate(ANSWERS):
        name, peer = f"{mdn}, {behaviour}{', ' + send if send else ''}", s.peers[f"a{i}"]
        m = s.wait(sent[i])
        if behaviour == "stall":
            demo.wait_for("the peer to notice", lambda: sum(peer.tries.values()) >= tries)  # nobody waited for it
        t.equal((m["delivery"], sum(peer.tries.values())), (delivery, tries), f"{name}: {delivery} after {tries}")
        t.ok(error in (m["error"] or ""), f"{name}: the error says why", m["error"])
        t.ok(len(peer.tries) == 1, f"{name}: every try had the same Message-ID", peer.tries)
        t.equal(len(events(m, "sent")), tries, f"{name}: each try has its receipt")
        if delivery == "delivered":
            t.equal(max(peer.accepted.values()), 1, f"{name}: it was taken in once")
            t.ok(m["error"] is None and events(m, "delivered")[0]["receipt"] is not None, f"{name}: delivered, with a receipt", m)
        if delivery == "delivered" and "mode: none" not in mdn:
            t.ok(b"disposition-notification" in part(s.n, sent[i], "mdn"), f"{name}: the MDN is kept")
        if "mismatch" in behaviour:
            mic = base64.b64encode(hashlib.sha256(peer.messages[m["as2_message_id"]].mic_input).digest()).decode()
            other = base64.b64encode(hashlib.sha256(b"something else").digest()).decode()
            t.ok(mic in m["error"] and other in m["error"], f"{name}: both MICs are shown", m["error"])
        if delivery == "expired":
            t.equal(len(events(m, "overdue")), tries - 1, f"{name}: each overdue MDN was flagged, with a receipt")
    waiting = {d["id"]: d for d in s.n.json("queue", "list")}
    for i, (_, _, _, delivery, tries, error) in enumerate(ANSWERS):
        if delivery == "delivered":
            t.ok(sent[i] not in waiting, f"a{i}: delivered, so no longer in the queue")
        else:
            d = waiting.get(sent[i]) or {}
            t.ok((d.get("state"), d.get("tries")) == (delivery, tries) and error in (d.get("last_error") or "") and d["next"] is None,
                 f"a{i}: the queue shows it {delivery}, with tries and error", d)


def schedule_holds(s):
    """Times between tries are those of the profile."""
    peer = s.add("plan", "503 503 503 good", retry="[1s, 2s, 3s]")
    s.apply()
    m = s.wait(s.send("plan", b"by schedule"))
    failed = [(moment(e["time"]), moment(e["text"].split("next try at ")[1])) for e in events(m, "try-failed")]
    t.equal([round((then - now).total_seconds(), 1) for now, then in failed], [1, 2, 3], "tries are planned 1, 2 and 3 seconds apart")
    times = peer.times[m["as2_message_id"]]
    pauses = [b - a for a, b in zip(times, times[1:])]
    t.ok(len(pauses) == 3 and all(got > want - 0.1 for want, got in zip((1, 2, 3), pauses)), "and come no earlier", pauses)


def moment(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


def late_mdn(s):
    """An MDN that comes when all is given up: what failed is delivered after all; what is delivered stays so."""
    peer = s.add("late", "never", mdn="mode: async", timeout="1s", retry="[]")
    s.apply()
    message = s.send("late", b"late receipt")
    m = demo.wait_for("expiry", lambda: (m := s.show(message))["delivery"] == "expired" and m)
    t.ok(True, "without an MDN in time it is expired")
    kind, mdn = peer.mdn(m["as2_message_id"], peer.messages[m["as2_message_id"]], {}, signed=True)
    peer.post_mdn(f"http://127.0.0.1:{s.n.ports['as2']}/as2/mdn", m["as2_message_id"], kind, mdn)
    m = demo.wait_for("the late MDN", lambda: (m := s.show(message))["delivery"] == "delivered" and m)
    t.ok(m["error"] is None, "the late MDN delivers it", m)
    demo.wait_for("the answer", lambda: len(peer.posted) == 1)
    kind, mdn = peer.mdn(m["as2_message_id"], peer.messages[m["as2_message_id"]], {}, signed=True, disposition="processed/error: decryption-failed")
    peer.post_mdn(f"http://127.0.0.1:{s.n.ports['as2']}/as2/mdn", m["as2_message_id"], kind, mdn)
    demo.wait_for("the answer", lambda: len(peer.posted) == 2)
    m = s.show(message)
    t.ok(m["delivery"] == "delivered" and events(m, "mdn-repeated"), "a contradicting MDN after that is noted, and changes nothing", m)
    kind, mdn = peer.mdn("<nobody@sent.this>", peer.messages[m["as2_message_id"]], {}, signed=True)
    peer.post_mdn(f"http://127.0.0.1:{s.n.ports['as2']}/as2", "<nobody@sent.this>", kind, mdn)
    demo.wait_for("the answer", lambda: len(peer.posted) == 3)
    t.equal(peer.posted[2][1], 404, "an MDN for nothing that was sent is answered with 404")


# --- packages ---------------------------------------------------------------------------------------------------------------

def every_package(s):
    """Each cipher, digest, compression: taken apart by openssl and zlib, compared byte for byte."""
    cases = [(sign, encrypt, compress) for sign in ("none", "sha256") for encrypt in ("none", "aes256-cbc")
             for compress in ("none", "before-signing", "after-signing")]
    cases += [("sha384", c, "none") for c in CIPHERS] + [("sha512", "aes128-cbc", "none"), ("sha1", "none", "none")]
    rng = [b"", b"x", os.urandom(31), b"line\nline\r\n" * 5000, os.urandom(300000)]
    peers = []
    for i, (sign, encrypt, compress) in enumerate(cases):
        oaep = "rsa-oaep" if i % 2 else "rsa"
        peers.append(s.add(f"p{i}", send=f"sign: {sign}\nencrypt: {encrypt}\ncompress: {compress}\nkey_transport: {oaep}"))
    s.apply()
    sent = [[s.send(f"p{i}", data, f"file {k}.bin") for k, data in enumerate(rng)] for i in range(len(cases))]
    for i, case in enumerate(cases):
        shown = [s.wait(m) for m in sent[i]]
        wrong = [m["error"] for m in shown if m["delivery"] != "delivered"]
        got = [peers[i].messages[m["as2_message_id"]] for m in shown if m["as2_message_id"] in peers[i].messages]
        t.ok(not wrong and [g.payload for g in got] == rng, f"{'/'.join(case)}: delivered byte for byte", wrong)
        layers = (["encrypted"] if case[1] != "none" else []) + (["compressed"] if case[2] == "after-signing" or case[2] != "none" and
                                                                 case[0] == "none" else [])
        layers += (["signed"] if case[0] != "none" else []) + (["compressed"] if case[2] == "before-signing" and case[0] != "none" else [])
        t.ok(all(g.layers == layers and g.verified in ((True,) if "signed" in layers else (None,)) for g in got),
             f"{'/'.join(case)}: layers in their order, signature verified", [(g.layers, g.verified) for g in got] + peers[i].refusals)
    t.equal([g.file_name for g in got], [f"file {k}.bin" for k in range(len(rng))], "file names arrive")


def make_ec_certificate(folder, name, curve):
    certificate, key = os.path.join(folder, f"{name}.pem"), os.path.join(folder, f"{name}.key")
    demo.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", f"ec_paramgen_curve:{curve}", "-nodes", "-days", "30", "-subj", f"/CN={name}",
              "-keyout", key, "-out", certificate])
    return certificate, key


def other_keys(s):
    """Partners with EC certificates: the content key is agreed by ECDH, and their ECDSA signs the MDN. RSA-PSS by profile."""
    cases = [("P-256", "aes256-cbc"), ("P-384", "aes256-gcm"), ("P-521", "aes128-gcm"), ("P-256", "des-ede3-cbc")]
    document = os.urandom(30000)
    peers = [s.add(f"ec{i}", send=f"encrypt: {cipher}", keys=make_ec_certificate(s.n.peers, f"ec{i}", curve))
             for i, (curve, cipher) in enumerate(cases)]
    peers.append(s.add("pss", send="signature: rsa-pss"))
    s.apply()
    sent = [s.send(p.own_name.lower(), document) for p in peers]
    for peer, case, message in zip(peers, cases + [("RSA", "signed by RSA-PSS")], sent):
        shown = s.wait(message)
        got = peer.messages.get(shown["as2_message_id"])
        t.ok(shown["delivery"] == "delivered" and got and got.payload == document and got.verified and got.layers == ["encrypted", "signed"],
             f"{'/'.join(case)}: delivered byte for byte, MDN verified", shown["error"])
    pss = bytes.fromhex("06092a864886f70d01010a")  # its OID
    t.ok(pss in peers[-1].signature and pss not in peers[0].signature, "the profile says which partner gets RSA-PSS")


def what_the_headers_say(s):
    coming = s.add("coming", send='as2_version: "1.3"')
    peer = s.add("head", send="subject: Orders\ncontent_type: application/x-special", mdn="mode: async")
    s.apply()
    m = s.wait(s.send("head", b"hello", "über \"q\".txt"))
    later = s.wait(s.send("coming", b"hello"))
    t.equal(coming.headers[later["as2_message_id"]][0]["AS2-Version"], "1.3", "AS2-Version by profile")
    h = peer.headers[m["as2_message_id"]][0]
    t.equal((h["AS2-From"], h["AS2-To"], h["AS2-Version"], h["Subject"], h["MIME-Version"]),
            (demo.HUB_AS2, "HEAD", "1.2", "Orders", "1.0"), "AS2 headers")
    t.ok(h["EDIINT-Features"] == "multiple-attachments, CEM, AS2-Reliability" and h["AS2-Product"].startswith("openvan:"), "and what we can do besides", h)
    t.ok("Content-Length" in h and "Transfer-Encoding" not in h and "Expect" not in h, "Content-Length by default", h)
    t.ok("sha-256" in h["Disposition-Notification-Options"] and h["Receipt-Delivery-Option"].endswith("/as2/mdn"), "an MDN is asked for", h)
    got = peer.messages[m["as2_message_id"]]
    t.equal(got.content_type, "application/x-special", "content type by profile")
    t.equal(got.file_name, "__ber _q_.txt", "a file name of foreign characters is safe ASCII for the others")
    t.ok(b"filename*=UTF-8''%C3%BCber%20%22q%22.txt" in got.mic_input, "and whole for those who read RFC 2231", got.mic_input[:300])


def ways_there(s):
    """A proxy, a redirect that is allowed, a partner that is switched off meanwhile."""
    proxy = s.add("proxy", send="THE-WAY", url="http://far-away.invalid:8080/as2")
    s.profiles["proxy"] = s.profiles["proxy"].replace("THE-WAY", f"proxy: http://127.0.0.1:{proxy.port}")
    there = s.add("there", retry=AGAIN_AND_AGAIN)
    s.add("moved", f"redirect:{there.url}", send="redirects: 1")
    s.apply()
    m = s.wait(s.send("proxy", b"by way of a proxy"))
    t.ok(m["delivery"] == "delivered" and proxy.headers[m["as2_message_id"]][0]["Host"] == "far-away.invalid:8080", "by way of a proxy", m["error"])
    m = s.wait(s.send("moved", b"moved"))
    t.ok(m["as2_message_id"] in there.messages, "a redirect that the profile allows is followed, with the body", there.tries)
    s.peers["there"].behaviour = "503"
    message = s.send("there", b"off and on")
    demo.wait_for("a try", lambda: s.n.json("queue", "show", message)["tries"])
    s.n.vanctl("partner", "disable", "there")
    d = demo.wait_for("its rest", lambda: (d := s.n.json("queue", "show", message))["state"] == "queued" and "disabled" in d["last_error"] and d)
    tries = d["tries"]
    s.peers["there"].behaviour = "good"
    s.n.vanctl("partner", "enable", "there")
    s.n.vanctl("queue", "retry", message)
    m = s.wait(message)
    t.equal((m["delivery"], len(events(m, "sent"))), ("delivered", tries + 1), "what waits for a disabled partner is delivered when it is enabled")


def large_file(s):
    peer = s.add("large", send="compress: before-signing")
    peer2 = s.add("large2")
    s.apply()
    data = (os.urandom(1 << 20) + b"\0" * (3 << 20)) * 10
    m = s.wait(s.send("large", data, "large.bin"))
    t.ok(m["delivery"] == "delivered" and peer.messages[m["as2_message_id"]].payload == data, "40 MiB, compressed, signed, encrypted", m["error"])
    m = s.wait(s.send("large2", data, "large.bin"))
    t.ok(m["delivery"] == "delivered" and peer2.messages[m["as2_message_id"]].payload == data, "40 MiB, signed, encrypted", m["error"])
    t.equal(m["sha256"], hashlib.sha256(data).hexdigest(), "its hash is known")


# --- TLS ----------------------------------------------------------------------------------------------------------------------

def server_certificate(folder, name, names):
    certificate, key = os.path.join(folder, f"{name}.pem"), os.path.join(folder, f"{name}.key")
    demo.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-sha256", "-days", "30", "-subj", f"/CN={name}", "-addext",
              f"subjectAltName={names}", "-keyout", key, "-out", certificate])
    return certificate, key


def transport_security(s):
    """Server certificates old and new, names, client certificates old and new, passwords."""
    folder = s.n.peers
    old, new = (server_certificate(folder, name, "IP:127.0.0.1") for name in ("tls-old", "tls-new"))
    other = server_certificate(folder, "tls-other", "DNS:elsewhere.example")
    mine, mine_new = demo.make_certificate(folder, "client"), demo.make_certificate(folder, "client-new")
    secret = os.path.join(folder, "secret")
    with open(secret, "w") as f:
        f.write("pa ss:word\n")
    past = "2020-01-01"
    cases = [  # name, server's pair, its client authority, keys of tls, delivered
        ("tls-trusted", old, None, f"trust: [{old[0]}]", True),
        ("tls-rolled", new, None, f"trust: [{old[0]}, {new[0]}]", True),
        ("tls-untrusted", new, None, f"trust: [{old[0]}]", False),
        ("tls-system", new, None, "check_name: true", False),
        ("tls-name", other, None, f"trust: [{other[0]}]", False),
        ("tls-any-name", other, None, f"trust: [{other[0]}], check_name: false", True),
        ("tls-client", old, mine[0], f"trust: [{old[0]}], client: [{{certificate: {mine[0]}, key: {mine[1]}}}]", True),
        ("tls-new-client", old, mine_new[0], f"trust: [{old[0]}], client: [{{certificate: {{file: {mine[0]}, until: {past}}}, "
         f"key: {mine[1]}}}, {{certificate: {mine_new[0]}, key: {mine_new[1]}}}]", True),
        ("tls-nobody", old, mine[0], f"trust: [{old[0]}]", False),
    ]
    for name, pair, ca, tls, _ in cases:
        s.add(name, tls=pair, client_ca=ca, send=f"tls: {{{tls}}}", retry="[]")
    s.add("password", send=f"auth: {{user: hub, password_file: {secret}}}").password = "hub:pa ss:word"
    s.add("no-password", retry="[]").password = "hub:pa ss:word"
    s.apply()
    sent = [s.send(name, b"over TLS") for name, *_ in cases]
    for (name, _, _, _, delivered), message in zip(cases, sent):
        m = s.wait(message)
        t.equal(m["delivery"], "delivered" if delivered else "failed", f"{name}: {'delivered' if delivered else 'refused'}")
        # TLS 1.3: the server misses the client's certificate after the client has begun to send; a reset may overtake its alert
        words = ("certificate", "SSL") + (("peer", "reset") if name == "tls-nobody" else ())
        t.ok(delivered or any(w in m["error"] for w in words), f"{name}: says why", m["error"])
    t.equal(s.wait(s.send("password", b"hello"))["delivery"], "delivered", "basic authentication")
    t.ok("HTTP 401" in s.wait(s.send("no-password", b"hello"))["error"], "without it the server's refusal is final")
    t.ok("pa ss" not in s.n.log() and secret in s.n.vanctl("partner", "show", "password").stdout.decode(), "no log and no profile has the password")


def certificates_roll_over(s):
    """Old and new together: the partner's in MDNs, and the one that we encrypt for by its date."""
    old, new = (demo.make_certificate(s.n.peers, name) for name in ("roll-old", "roll-new"))
    peer = s.add("roll", keys=old)
    both = f"[{old[0]}, {new[0]}]"
    text = s.profiles["roll"]
    s.profiles["roll"] = text.replace(f"{{certificates: [{old[0]}]}}", f"{{certificates: {both}}}").replace(
        "      mdn:", f"      certificates: [{{file: {old[0]}, until: 2020-01-01}}, {{file: {new[0]}}}]\n      mdn:")
    s.apply()
    peer.certificate, peer.key = new
    m = s.wait(s.send("roll", b"for the new key, MDN by the new key"))
    t.equal(m["delivery"], "delivered", "encrypted for the certificate in use; an MDN signed with the new key is verified")
    s.profiles["roll"] = s.profiles["roll"].replace("until: 2020-01-01", "until: 2999-01-01")
    s.apply()
    peer.certificate, peer.key = old
    m = s.wait(s.send("roll", b"for the old key, MDN by the old key"))
    t.equal(m["delivery"], "delivered", "and so is one of the old key, before its time is over")


# --- one partner and the others -------------------------------------------------------------------------------------------------

def dead_partner(s):
    dead = s.add("dead")
    s.add("alive")
    s.apply()
    for i in range(4):  # as long as it answers it gets more at a time
        t.equal(s.wait(s.send("dead", b"before it died %d" % i))["delivery"], "delivered", "delivered while it lives")
    dead.behaviour = "stall"  # each try takes ten minutes
    for i in range(20):
        s.send("dead", b"to the dead %d" % i)
    sent = [s.send("alive", b"to the living %d" % i) for i in range(10)]
    for m in sent:
        t.equal(s.wait(m)["delivery"], "delivered", "delivered beside a dead partner")

    def trying():
        return sum(d["state"] == "trying" for d in s.n.json("queue", "list", "--connection", "dead"))
    demo.wait_for("eight tries", lambda: trying() >= 8)
    t.equal(trying(), 8, "the dead partner has its eight tries under way, and no more")
    t.equal(s.n.vanctl("partner", "disable", "dead").returncode, 0, "the dead partner is disabled")


def dead_partners(n):
    """Several that take connections and never answer: others get their turn even where all of these could have filled every place."""
    s = Sender(n)
    n.peer_keys = demo.make_certificate(n.peers, "peer")
    names = ["dead1", "dead2"]
    for name in names:
        s.add(name, "stall")
    s.add("alive")
    s.apply()
    for i in range(8):
        for name in names:
            s.send(name, b"to the dead %d" % i)

    def trying(name):
        return sum(d["state"] == "trying" for d in n.json("queue", "list", "--connection", name))
    demo.wait_for("tries", lambda: all(trying(name) >= 2 for name in names))
    sent = [s.send("alive", b"to the living %d" % i) for i in range(6)]
    t.equal([s.wait(m)["delivery"] for m in sent], ["delivered"] * 6, "with six places and two dead partners a third one is served")
    t.equal([trying(name) for name in names], [2, 2], "who never answered has two tries under way, and no more")
    s.stop()


# --- operators ----------------------------------------------------------------------------------------------------------------------

def operators(s):
    n = s.n
    peer = s.add("ops", "503", retry="[30d]")
    s.apply()
    message = s.send("ops", b"patience")
    d = demo.wait_for("its first try", lambda: (d := n.json("queue", "show", message))["tries"] == 1 and d["state"] == "queued" and d)
    t.ok(d["next"] and d["last_error"].startswith("HTTP 503") and d["kind"] == "as2", "queue show: next try, last error, kind", d)
    n.vanctl("queue", "hold", message)
    t.equal(s.show(message)["delivery"], "held", "hold")
    t.equal(n.vanctl("queue", "retry", message, check=False).returncode, 1, "a held one is not retried")
    n.vanctl("queue", "release", message)
    demo.wait_for("another try", lambda: (d := n.json("queue", "show", message))["tries"] == 2 and d["state"] == "queued")
    t.ok(True, "release: it is tried at once")
    peer.behaviour = "good"
    n.vanctl("queue", "retry", message)
    m = s.wait(message)
    t.equal((m["delivery"], len(peer.tries)), ("delivered", 1), "retry: delivered, still under the same Message-ID")
    t.equal(n.vanctl("queue", "show", message, check=False).returncode, 1, "what is delivered waits no more")

    again = n.vanctl("message", "resend", message).stdout.decode().strip()
    m2 = s.wait(again)
    t.ok(m2["delivery"] == "delivered" and m2["as2_message_id"] != m["as2_message_id"] and m2["sha256"] == m["sha256"],
         "resend: the same bytes under a new Message-ID", m2)
    t.equal(m2.get("resend_of"), message, "it names the original")
    t.ok(events(s.show(message), "resent"), "and the original names it")
    t.equal(len(peer.messages), 2, "the peer has two messages")

    peer.behaviour = "404"
    dropped = s.send("ops", b"to be dropped")
    s.wait(dropped)
    would = n.json("message", "resend", "--partner", "ops", "--delivery", "failed", "--dry-run")
    t.equal([m["id"] for m in would], [dropped], "resend --dry-run shows what the filters fit")
    t.equal(len(n.messages("--partner", "ops")), 3, "and sends nothing")
    peer.behaviour = "good"
    done = n.json("message", "resend", "--partner", "ops", "--delivery", "failed")
    t.equal([d["original"] for d in done], [dropped], "resend with filters")
    t.equal(s.wait(done[0]["id"])["delivery"], "delivered", "and it is delivered")
    n.vanctl("queue", "drop", dropped)
    t.equal((s.show(dropped)["delivery"], n.vanctl("queue", "show", dropped, check=False).returncode), ("dropped", 1), "drop")
    bad = n.vanctl("message", "send", "--from", n.station, "--to", "nobody", n.config, check=False)
    t.ok(bad.returncode == 1 and b"nobody" in bad.stderr, "send to nobody is refused", bad)


def receipts_prove_it(s):
    """Several tries, a negative MDN and then a good one: every artefact that a receipt names is still what it was."""
    s.add("proof", "503 negative good", retry="[1s]")
    s.apply()
    message = s.send("proof", b"to be proven")
    t.equal(s.wait(message)["delivery"], "failed", "refused by the partner")
    s.n.vanctl("queue", "retry", message)
    m = demo.wait_for("delivery", lambda: (m := s.show(message))["delivery"] == "delivered" and m)
    names = {p["name"] for p in m["parts"]}
    t.ok({"headers", "headers-2", "mdn", "mdn-2", "payload", "signed-headers"} <= names and "signed-headers-2" not in names,
         "headers of tries that differ, and both MDNs, are kept", names)
    t.ok(b"authentication-failed" in part(s.n, message, "mdn") and b"authentication-failed" not in part(s.n, message, "mdn-2"), "in their order")
    mic = hashlib.sha256(part(s.n, message, "signed-headers") + b"\r\n" + part(s.n, message, "payload")).digest()
    t.ok(base64.b64encode(mic).decode() in events(m, "delivered")[0]["text"], "the MIC follows from the parts kept, as the guide says")
    bundle = os.path.join(s.n.root, "bundle.tar")
    s.n.vanctl("receipt", "export", "-o", bundle)
    done = s.n.vanctl("receipt", "verify", bundle, check=False)
    t.ok(done.returncode == 0, "the bundle of receipts verifies", done.stdout.decode()[-600:] + done.stderr.decode())


# --- OpenVAN and OpenVAN ------------------------------------------------------------------------------------------------------------

def pair_profile(me, other, other_id, send, mdn, retry):
    return f"""kind: partner
id: {other_id}
identities: [{{standard: x12, id: "ZZ:{other_id.upper()}"}}]
connections:
  - id: {other_id}-as2
    protocol: as2
    station: {me.station}
    as2_id: {other.own_as2}
    mdn_host: 127.0.0.1
    receive: {{certificates: [{other.hub_sign}], require: []}}
    send:
      url: "{other.as2_url}"
      certificates: [{other.hub_crypt}]
      mdn: {{{mdn}, timeout: 10m, url: "{me.as2_url}/mdn"}}
      retry: {retry}
{send}"""


def apply_pair(me, other, other_id, send="", mdn="mode: sync", retry="[1s, 1s]"):
    path = os.path.join(me.root, "pair.yaml")
    with open(path, "w") as f:
        f.write(pair_profile(me, other, other_id, send, mdn, retry))
    me.apply_profiles(me.station_profile, path)


def rename_station(n, as2_id):
    """The other one needs an AS2 name of its own."""
    with open(n.station_profile) as f:
        text = f.read()
    with open(n.station_profile, "w") as f:
        f.write(re.sub(rf'id: "?{demo.HUB_AS2}"?', f"id: {as2_id}", text))
    n.own_as2 = as2_id


def full_matrix(a, b, quick):
    apply_pair(b, a, "a")
    matrix = list(itertools.product(("plain", "signed", "encrypted", "both"), ("none", "before-signing", "after-signing"),
                                    ("none", "sync", "async"), ("false", "true")))
    if quick:
        matrix = matrix[::5]
    good = 0
    for k, (security, compress, mode, signed) in enumerate(matrix):
        sign = "sha256" if security in ("signed", "both") else "none"
        encrypt = "aes256-cbc" if security in ("encrypted", "both") else "none"
        apply_pair(a, b, "b", f"      sign: {sign}\n      encrypt: {encrypt}\n      compress: {compress}\n", f"mode: {mode}, signed: {signed}")
        payload = b"matrix %d\r\n" % k + os.urandom(50000 if k % 7 == 0 else 500)
        path = os.path.join(a.root, f"matrix-{k}.bin")
        with open(path, "wb") as f:
            f.write(payload)
        message = a.vanctl("message", "send", "--from", a.station, "--to", "b", path).stdout.decode().strip()
        m = demo.wait_for("its end", lambda: (m := a.json("message", "show", message))["delivery"] in FINAL and m)
        got = [g for g in b.messages("--direction", "in", "--search", m["as2_message_id"])]
        same = len(got) == 1 and got[0]["bytes"] == len(payload) and part(b, got[0]["id"], "payload") == payload
        how = events(m, "delivered")[0]["text"] if events(m, "delivered") else m["error"]
        fits = mode == "none" or (("verified MDN" if signed == "true" else "unsigned MDN") in how and "MIC" in how)
        good += t.ok(m["delivery"] == "delivered" and same and fits and (not got or got[0]["file_name"] == f"matrix-{k}.bin"),
                     f"OpenVAN to OpenVAN: {security}, compression {compress}, MDN {mode}, signed {signed}",
                     f"{m['delivery']} {how} {got}, same bytes: {same}")
    t.equal(good, len(matrix), f"the matrix of {len(matrix)}")


def asynchronous_mdns_are_durable(a, b):
    """The MDN's receiver is away when it is due; it is delivered when it is back, after a restart of who owes it."""
    apply_pair(a, b, "b", "", "mode: async")
    b.vanctl("partner", "show", "a")
    url = f"http://127.0.0.1:{(port := demo.free_port())}/as2/mdn"
    path = os.path.join(a.root, "pair.yaml")
    with open(path) as f:
        text = f.read().replace(f'url: "{a.as2_url}/mdn"', f'url: "{url}"')
    with open(path, "w") as f:
        f.write(text)
    a.apply_profiles(a.station_profile, path)
    apply_pair(b, a, "a", "", retry=AGAIN_AND_AGAIN)
    file = os.path.join(a.root, "durable.edi")
    with open(file, "wb") as f:
        f.write(b"durable")
    message = a.vanctl("message", "send", "--from", a.station, "--to", "b", file).stdout.decode().strip()
    demo.wait_for("it awaits its MDN", lambda: a.json("message", "show", message)["delivery"] == "awaiting-mdn")
    owed = demo.wait_for("the end of the MDN's first try",
                         lambda: [d for d in b.json("queue", "list") if d["kind"] == "mdn" and d["tries"] and d["last_error"]])
    t.ok(owed[0]["url"] == url and owed[0]["last_error"], "what is owed is in the queue, with address and error", owed)
    b.kill()
    b.start()
    peer = Peer(a.root, "forward", a.hub_sign, keys=a.pair_keys)
    peer.port = port
    arrived = []

    def forward(request):
        body = request.rfile.read(int(request.headers["Content-Length"]))
        arrived.append((dict(request.headers), body))
        peer.reply(request, 200)
    peer.serve = forward
    with peer:
        demo.wait_for("the MDN", lambda: arrived)
        demo.wait_for("the end of what is owed", lambda: not [d for d in b.json("queue", "list") if d["kind"] == "mdn"])
    t.equal(len(arrived), 1, "after kill -9 and a restart it is delivered, once")
    t.ok(b"disposition-notification" in arrived[0][1] and arrived[0][0]["AS2-To"] == a.own_as2, "and it is the MDN", arrived[0])
    received = b.json("message", "list", "--direction", "in", "--search", a.json("message", "show", message)["as2_message_id"])
    m = b.json("message", "show", received[0]["id"])
    t.ok(events(m, "mdn-sent") and events(m, "delivered"), "its history shows the tries", m["history"])


def through_the_network(n):
    """An order that came over AS2 leaves over AS2, and so does the supplier's answer; the received message shows its delivery."""
    s = Sender(n)
    n.peer_keys = demo.make_certificate(n.peers, "peer")
    peer = s.add("gamma", "503 good")
    s.apply()
    payload = x12.order_850(demo.BUYER, "ZZ:GAMMA", 815, "PO-GAMMA")
    _, mdn, _, message_id = n.send(payload)
    t.ok(mdn and mdn.outcome == "processed", "the order is accepted", mdn)
    received = demo.wait_for("delivery", lambda: [m for m in n.messages("--direction", "in", "--delivery", "delivered")])
    t.equal((received[0]["as2_message_id"] or "").strip("<>"), message_id.strip("<>"), "the received message shows that its output is delivered")
    m = n.json("message", "show", n.json("message", "show", received[0]["id"])["children"][0]["id"])
    got = peer.messages[m["as2_message_id"]]
    t.ok(got.payload == payload and got.content_type == "application/edi-x12", "the supplier has the very bytes, on the second try", got.content_type)
    t.equal(sum(peer.tries.values()), 2, "after one refusal")
    s.stop()


def reprocess(a):
    """What was received runs under today's agreement: new outputs, linked."""
    n = a
    payload = x12.order_850(demo.BUYER, demo.ALPHA, 4711, "PO-AGAIN")
    _, mdn, _, message_id = n.send(payload)
    n.drain()
    original = [m for m in n.messages("--direction", "in") if (m["as2_message_id"] or "").strip("<>") == message_id.strip("<>")][0]
    before = len(n.sftp_fetch("alpha"))
    made = n.vanctl("message", "reprocess", original["id"]).stdout.decode().strip()
    n.drain()
    m = n.json("message", "show", made)
    t.equal((m["state"], m["reprocess_of"]), ("processed", original["id"]), "reprocess: done, and names the original")
    t.equal(len(n.sftp_fetch("alpha")), before + 1, "another output is in the mailbox")
    acks = [c for c in m["children"] if c["type"] == "997"]
    t.equal(acks, [], "the sender gets no second 997")
    t.ok(events(n.json("message", "show", original["id"]), "reprocessed"), "the original names it")


def main():
    quick = "--quick" in sys.argv
    if not demo.available():
        tap.skip_all("vand is not built")
    if "--pair" in sys.argv:
        return pair(quick)
    with demo.Network() as n:
        n.create()
        n.peer_keys = demo.make_certificate(n.peers, "peer")
        n.start()
        s = Sender(n)
        for group in (every_answer, schedule_holds, late_mdn, every_package, other_keys, what_the_headers_say, transport_security, certificates_roll_over, ways_there, large_file, dead_partner, operators, receipts_prove_it):
            t.run(group, s)
        s.stop()
        t.equal(n.stop(), 0, "vand stops cleanly")
    return pair(quick)


def pair(quick):
    with demo.Network() as a, demo.Network() as b:
        for n, name in ((a, "OVAN-A"), (b, "OVAN-B")):
            n.create()
            rename_station(n, name)
            n.start()
        a.pair_keys = demo.make_certificate(a.root, "forward")
        t.run(full_matrix, a, b, quick)
        t.run(asynchronous_mdns_are_durable, a, b)
    with demo.Network() as n:
        n.up()
        t.run(reprocess, n)
        t.run(through_the_network, n)
    with demo.Network(config={"deliver": "{in_flight: 6}"}) as n:
        n.up()
        t.run(dead_partners, n)
    return t.done()


if __name__ == "__main__":
    sys.exit(main())
