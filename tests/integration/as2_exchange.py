#!/usr/bin/python3
"""Certificate exchange: a partner's request, our answer, and the other way round; both between two networks and with openssl's hands.

    as2_exchange.py
"""

import os
import sys

import demo
import tap
from as2_send import apply_pair, rename_station

t = tap.Tap()
CEM = "application/ediint-cert-exchange+xml"
XML = """<?xml version="1.0" encoding="UTF-8"?>
<EDIINTCertificateExchangeRequest xmlns="urn:ietf:params:xml:ns:ediintcertificateexchange" xmlns:ds="http://www.w3.org/2000/09/xmldsig#" requestId="%(id)s">
<TradingPartnerInfo><Name>BUYER</Name><MessageOriginated>2026-01-01T00:00:00Z</MessageOriginated></TradingPartnerInfo>
<TrustRequest>%(usage)s<RespondByDate>2030-01-01T00:00:00Z</RespondByDate><ResponseURL>http://127.0.0.1:1/evil</ResponseURL>
<EndEntity><CertificateIdentifier><ds:X509IssuerName>CN=%(name)s</ds:X509IssuerName><ds:X509SerialNumber>%(serial)d</ds:X509SerialNumber>
</CertificateIdentifier><CertificateContentID>c1@buyer</CertificateContentID></EndEntity></TrustRequest>
</EDIINTCertificateExchangeRequest>"""


def related(xml, p7c):
    parts = [(CEM, xml.encode())] + ([("application/pkcs7-mime; smime-type=certs-only", p7c)] if p7c else [])
    body = b"".join(b"--bb\r\nContent-Type: " + kind.encode() + b"\r\nContent-ID: <c%d@buyer>\r\nContent-Transfer-Encoding: binary\r\n\r\n" % i + data + b"\r\n"
                    for i, (kind, data) in enumerate(parts))
    return f'multipart/related; type="{CEM}"; boundary=bb', body + b"--bb--\r\n"


class Buyer:
    """The buyer of the demo network, asking by hand."""

    def __init__(self, n):
        self.n = n

    def ask(self, name, usage=("digitalSignature", "keyEncipherment"), serial=None, with_certificate=True, xml=None, sign=True):
        """Sends a request for a fresh certificate; (message as shown, certificate, key)."""
        certificate, key = demo.make_certificate(self.n.peers, name)
        p7c = demo.run(["openssl", "crl2pkcs7", "-nocrl", "-certfile", certificate, "-outform", "DER"]).stdout
        number = int(demo.run(["openssl", "x509", "-in", certificate, "-noout", "-serial"]).stdout.decode().strip().split("=")[1], 16)
        text = xml or XML % {"id": name, "usage": "".join(f"<CertUsage>{u}</CertUsage>" for u in usage), "name": name, "serial": serial or number}
        kind, body = related(text, p7c if with_certificate else None)
        message_id = self.n.message_id("cem")
        if sign:
            wrapped, _ = demo.as2_body(body, self.n.buyer_cert, self.n.buyer_key, self.n.hub_crypt, self.n.root, content_type=kind)
            response = self.n.post(wrapped, message_id)
        else:
            response = self.n.post(body, message_id, Content_Type=kind, AS2_From="OPEN")
        mdn = self.n.check_mdn(response)
        t.ok(mdn and mdn.outcome == "processed", f"{name}: the request is taken", mdn or response)
        found = demo.wait_for("its job", lambda: [m for m in self.n.messages("--direction", "in") if m["as2_message_id"] == message_id and m["state"] != "received"])
        return self.n.json("message", "show", found[0]["id"]), certificate, key


def by_hand(n):
    b = Buyer(n)
    shown, certificate, key = b.ask("next")
    t.equal((shown["state"], shown["type"]), ("held", "CEM-REQUEST"), "it waits for a person, and the list says what it is")
    t.equal([m["id"] for m in n.messages("--search", "next")], [shown["id"]], "it is found by its request id")
    told = n.json("cert", "exchange", shown["id"])
    text = n.vanctl("cert", "exchange", shown["id"]).stdout
    one = told["certificates"][0]
    digest = demo.run(["openssl", "x509", "-in", certificate, "-noout", "-fingerprint", "-sha256"]).stdout.decode().strip().split("=")[1].replace(":", "").lower()
    t.ok(one["fingerprint"] == digest and one["usage"] == "signature encryption" and told["signer_sha256"] and digest.encode() in text,
         "vanctl cert exchange shows what it is about", told)
    signed, _ = demo.as2_body(b"x", certificate, key, n.hub_crypt, n.root)
    before = n.check_mdn(n.post(signed, n.message_id("early")))
    t.ok(before and before.outcome.endswith("authentication-failed"), "until it is accepted nothing signed with it is", before)
    done = n.vanctl("cert", "accept", shown["id"], check=False)
    t.equal(done.returncode, 0, "vanctl cert accept") or t.diag(done)
    after = n.check_mdn(n.post(signed, n.message_id("after")))
    old = n.send(b"x")[1]
    t.ok(after and after.outcome == "processed" and old and old.outcome == "processed", "then the new one and the old one count", (after, old))
    profile = n.json("partner", "show", "buyer")
    connection = next(c for c in profile["connections"] if c["protocol"] == "as2")
    t.equal([c["fingerprint"] for c in connection["receive"]["certificates"]][1:], [digest], "it stands in the profile, behind the old one")
    t.equal(n.json("message", "show", shown["id"])["state"], "processed", "the request is settled")
    t.equal(n.vanctl("cert", "accept", shown["id"], check=False).returncode, 1, "it can't be accepted twice")
    t.ok([h for h in n.json("partner", "history", "buyer")][0]["version"] > 1, "the profile has a new version")


def refused(n):
    b = Buyer(n)
    shown, *_ = b.ask("unwanted")
    t.equal(n.vanctl("cert", "reject", shown["id"], check=False).returncode, 2, "a rejection needs a reason")
    done = n.vanctl("cert", "reject", shown["id"], "--reason", "the chain is <unknown> & odd", check=False)
    t.equal(done.returncode, 0, "vanctl cert reject") or t.diag(done)
    t.equal(n.json("message", "show", shown["id"])["state"], "rejected", "is settled, too")
    out = [m for m in n.messages("--direction", "out") if m["partner"] == "buyer"]
    answers = [n.vanctl("message", "get", m["id"], "--part", "payload").stdout for m in out]
    t.ok(any(b"<CertStatus>Rejected" in a and b"&lt;unknown&gt; &amp; odd" in a and b'requestId="unwanted"' in a for a in answers),
         "the partner is told, with the reason", answers)
    t.ok(any(b"<CertStatus>Accepted" in a and b'requestId="next"' in a for a in answers), "as it was of the accepted one")
    shown, *_ = b.ask("missing", with_certificate=False)
    done = n.vanctl("cert", "accept", shown["id"], check=False)
    t.ok(done.returncode == 1 and b"did not come along" in done.stderr, "a certificate that did not come along can't be accepted", done)
    shown, *_ = b.ask("another", serial=4711)
    t.equal(n.vanctl("cert", "accept", shown["id"], check=False).returncode, 1, "nor one that is another")
    for name, xml in (("broken", "<EDIINTCertificateExchangeRequest"), ("other", "<x/>"), ("empty", XML.split("<TrustRequest>")[0] % {"id": "e"} + "</EDIINTCertificateExchangeRequest>"),
                      ("entity", '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><EDIINTCertificateExchangeRequest requestId="&e;"/>')):
        shown, *_ = b.ask(name, xml=xml)
        t.ok(shown["state"] == "rejected" and shown["error"], f"{name}: refused with a reason", shown["error"])
    shown, *_ = b.ask("anybody", sign=False)
    done = n.vanctl("cert", "accept", shown["id"], check=False)
    t.ok(done.returncode == 1 and b"not signed" in done.stderr, "a request that is not signed is not accepted just so", done)


def between_two():
    """The roll-over of a station's certificate, asked for and answered between two networks."""
    with demo.Network() as a, demo.Network() as b:
        for n, name in ((a, "OVAN-A"), (b, "OVAN-B")):
            n.create()
            rename_station(n, name)
            n.start()
        apply_pair(a, b, "b")
        apply_pair(b, a, "a")
        certificate, key = demo.make_certificate(a.peers, "rolled")
        command = ("cert", "request", certificate, "--from", a.station, "--to", "b", "--usage", "signature", "--usage", "encryption")
        done = a.vanctl(*command, check=False)
        t.ok(done.returncode == 1 and b"as2.decrypt" in done.stderr, "a certificate that we could not decrypt with is not offered", done)
        text = demo.read(a.station_profile).decode()
        with open(a.station_profile, "w") as f:
            f.write(text.replace("decrypt: [", f"decrypt: [{{certificate: {certificate}, key: {key}}}, "))
        a.apply_profiles(a.station_profile)
        done = a.vanctl(*command, check=False)
        t.equal(done.returncode, 0, "vanctl cert request") or t.diag(done)
        message = done.stdout.decode().split()[-1]
        request_id = done.stdout.decode().split()[1]
        demo.wait_for("the request to arrive", lambda: a.json("message", "show", message)["delivery"] == "delivered")
        asked = demo.wait_for("the request", lambda: b.messages("--type", "CEM-REQUEST"))[0]
        told = b.json("cert", "exchange", asked["id"])
        t.ok(told["request_id"] == request_id and told["certificates"][0]["subject"] == "CN=rolled", "the other side sees what is asked", told)
        done = b.vanctl("cert", "accept", asked["id"], check=False)
        t.equal(done.returncode, 0, "and accepts") or t.diag(done)
        answer = demo.wait_for("the answer", lambda: [m for m in a.messages("--type", "CEM-RESPONSE") if m["state"] != "received"])[0]
        shown = a.json("message", "show", answer["id"])
        t.ok(shown["state"] == "processed" and any("accepts 1 of our 1" in h["text"] for h in shown["history"] if h["text"]), "the answer is understood", shown)
        t.equal([x["status"] for x in a.json("cert", "exchange", answer["id"])["certificates"]], ["accepted"], "and can be looked at")
        t.equal({m["id"] for m in a.messages("--search", request_id)}, {answer["id"]}, "both are found by the request id")
        fingerprint = told["certificates"][0]["fingerprint"]
        send = next(c for c in b.json("partner", "show", "a")["connections"])["send"]["certificates"]
        t.equal(send[0]["fingerprint"], fingerprint, "what is sent now is encrypted for the new one")


def main():
    if not demo.available():
        tap.skip_all("vand is not built")
    with demo.Network() as n:
        n.create()
        text = demo.read(n.profiles).decode()
        peer = demo.free_port()
        text += f"---\nkind: partner\nid: open\nconnections:\n  - id: open-as2\n    protocol: as2\n    station: {n.station}\n    as2_id: OPEN\n    receive: {{require: []}}\n"
        text = text.replace("receive:", f'send: {{url: "http://127.0.0.1:{peer}/as2"}}\n    receive:', 1)
        with open(n.profiles, "w") as f:
            f.write(text)
        n.start()
        n.apply_profiles()
        for group in (by_hand, refused):
            t.run(group, n)
        if t.failed:
            t.diag(n.log_tail(3000))
        t.equal(n.stop(), 0, "vand stops cleanly")
    t.run(between_two)
    return t.done()


if __name__ == "__main__":
    sys.exit(main())
