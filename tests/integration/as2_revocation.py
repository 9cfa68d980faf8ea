#!/usr/bin/python3
"""Certificates that were revoked: signers and TLS clients, by revocation lists; and the OCSP response that our own server shows.

    as2_revocation.py
"""

import os
import shutil
import sys

import demo
import tap
from as2_http import issue, make_authority

t = tap.Tap()
POLICIES = ("never", "listed", "always")


class Authority:
    """A certificate authority of openssl's, with what it needs to revoke."""

    def __init__(self, folder, name, subject=None):
        self.folder = os.path.join(folder, name)
        os.mkdir(self.folder)
        self.certificate, self.key = make_authority(self.folder, subject or name)
        self.pair = (self.certificate, self.key)
        self.index = os.path.join(self.folder, "index.txt")
        self.config = os.path.join(self.folder, "ca.conf")
        with open(self.config, "w") as f:
            f.write(f"[ca]\ndefault_ca=x\n[x]\ndatabase={self.index}\ndefault_md=sha256\ndefault_crl_days=30\n")
        open(self.index, "w").close()

    def issue(self, name, host=None):
        return issue(self.folder, self.pair, name, host)

    def serial(self, certificate):
        return demo.run(["openssl", "x509", "-in", certificate, "-noout", "-serial"]).stdout.decode().strip().partition("=")[2]

    def enter(self, certificate, state):
        """"V": valid, "R": revoked."""
        with open(self.index, "a") as f:
            f.write(f"{state}\t400101000000Z\t{'250101000000Z' if state == 'R' else ''}\t{self.serial(certificate)}\tunknown\t/CN=x\n")

    def list(self, path, *options):
        demo.run(["openssl", "ca", "-config", self.config, "-gencrl", "-keyfile", self.key, "-cert", self.certificate, "-out", path, *options])

    def ocsp(self, certificate, path, days="1"):
        request = os.path.join(self.folder, "request.der")
        demo.run(["openssl", "ocsp", "-issuer", self.certificate, "-cert", certificate, "-no_nonce", "-reqout", request])
        demo.run(["openssl", "ocsp", "-index", self.index, "-CA", self.certificate, "-rsigner", self.certificate, "-rkey", self.key, "-reqin", request,
                  "-respout", path, "-ndays", days])


class World:
    def __init__(self, n):
        self.n = n
        n.create()
        self.first, self.second, self.late = (Authority(n.peers, x) for x in ("first-ca", "second-ca", "late-ca"))
        self.forger = Authority(n.peers, "forger", "first-ca")
        self.signers = {"good": self.first.issue("good"), "revoked": self.first.issue("revoked"), "listless": self.second.issue("listless"),
                        "stale": self.late.issue("stale")}
        self.first.enter(self.signers["revoked"][0], "R")
        self.forger.enter(self.signers["good"][0], "R")
        self.lists = [os.path.join(n.dir, f"{x}.crl") for x in ("first", "late", "forged")]
        self.first.list(self.lists[0])
        self.late.list(self.lists[1], "-crl_lastupdate", "20250101000000Z", "-crl_nextupdate", "20250201000000Z")
        self.forger.list(self.lists[2])
        n.set_config("as2", "{crls: [first.crl, late.crl, forged.crl]}")
        self.listeners()
        with open(n.profiles, "a") as f:
            for policy in POLICIES:
                f.write(self.profile(policy, f"certificates: [{', '.join(c for c, _ in self.signers.values())}]\n"
                                             f"      authorities: [{self.first.certificate}, {self.second.certificate}, {self.late.certificate}]\n"))
                f.write(self.profile("tls-" + policy, f"require: []\n      client_certificates: [{self.signers['good'][0]}, {self.signers['revoked'][0]}]\n"
                                                      f"      authorities: [{self.first.certificate}]\n", policy))
            f.write(self.profile("open", "require: []\n"))
        n.start()
        n.apply_profiles()

    def profile(self, name, receive, policy=None):
        policy = policy or (name if name in POLICIES else "never")
        return (f"---\nkind: partner\nid: {name}\nconnections:\n  - id: {name}-as2\n    protocol: as2\n    station: {self.n.station}\n"
                f"    as2_id: {name.upper()}\n    receive:\n      check_revocation: {policy}\n      {receive}")

    def listeners(self):
        """Plain; TLS with clients from the first authority but the revoked; TLS with any client; with an OCSP response."""
        n = self.n
        server, key = self.first.issue("server", "localhost")
        self.first.enter(server, "V")
        self.server = server
        shutil.copy(server, os.path.join(n.dir, "certs", "server.pem"))
        shutil.copy(key, os.path.join(n.dir, "keys", "server.key"))
        self.staple = os.path.join(n.dir, "server.ocsp")
        self.first.ocsp(server, self.staple)
        self.ports = {k: demo.free_port() for k in ("plain", "listed", "any")}
        pair = "certificate: certs/server.pem, key: keys/server.key"
        lines = [f"{{address: 127.0.0.1, port: {self.ports['plain']}}}",
                 f"{{address: 127.0.0.1, port: {self.ports['listed']}, tls: {{{pair}, client: optional, client_ca: {self.first.certificate}, client_crl: first.crl}}}}",
                 f"{{address: 127.0.0.1, port: {self.ports['any']}, tls: {{{pair}, client: optional, ocsp: server.ocsp}}}}"]
        text = demo.read(n.config).decode()
        with open(n.config, "w") as f:
            f.write(text[:text.index("  as2:")] + "  as2: [" + ", ".join(lines) + "]\n" + text[text.index("  sftp:"):])
        n.ports["as2"] = self.ports["plain"]

    def signed(self, policy, signer):
        """"" when a message of this signer is taken, else the disposition."""
        body, _ = demo.as2_body(b"x", *self.signers[signer], self.n.hub_crypt, self.n.root)
        mdn = self.n.check_mdn(self.n.post(body, self.n.message_id("crl"), AS2_From=policy.upper()))
        return mdn.outcome if mdn else "no MDN"

    def client(self, port, as2_from, client):
        argv = ["curl", "-sS", "-k", "-w", "%{http_code}", "--max-time", f"{demo.PATIENCE:g}", "--data-binary", "x", "--cert", client[0], "--key", client[1]]
        for name, value in self.n.as2_headers(self.n.message_id("tls"), AS2_From=as2_from, Content_Type="application/octet-stream").items():
            argv += ["-H", f"{name}: {value}"]
        return demo.run(argv + [f"https://127.0.0.1:{self.ports[port]}/as2"], check=False).stdout[-3:]

    def stapled(self):
        done = demo.run(["openssl", "s_client", "-connect", f"127.0.0.1:{self.ports['any']}", "-status", "-CAfile", self.first.certificate], check=False, input=b"")
        return b"OCSP Response Status: successful" in done.stdout and b"Cert Status: good" in done.stdout


def signers(w):
    refused = "processed/error: authentication-failed"
    expected = {"never": {}, "listed": {"revoked": refused}, "always": {"revoked": refused, "listless": refused, "stale": refused}}
    for policy in POLICIES:
        for signer in w.signers:
            t.equal(w.signed(policy, signer), expected[policy].get(signer, "processed"), f"{policy}: signed by the {signer} one")


def clients(w):
    t.equal(w.client("listed", "OPEN", w.signers["good"]), b"200", "client_crl: a client that stands in no list is served")
    t.equal(w.client("listed", "OPEN", w.signers["revoked"]), b"403", "one that does is not")
    for policy, good, bad in (("never", b"200", b"200"), ("listed", b"200", b"403"), ("always", b"200", b"403")):
        got = [w.client("any", f"TLS-{policy.upper()}", w.signers[x]) for x in ("good", "revoked")]
        t.equal(got, [good, bad], f"the profile's clients, {policy}")


def lists_change(w):
    w.first.enter(w.signers["good"][0], "R")
    w.first.list(w.lists[0])
    w.n.vand.send_signal(1)
    demo.wait_for("the new list", lambda: w.signed("listed", "good") != "processed", pause=0.3)
    t.ok(True, "SIGHUP: what was revoked meanwhile is refused")
    demo.wait_for("the new list of the listener", lambda: w.client("listed", "OPEN", w.signers["good"]) == b"403")
    t.ok(True, "so are TLS clients")
    with open(w.lists[0], "w") as f:
        f.write("no list\n")
    w.n.vand.send_signal(1)
    demo.wait_for("the bad list", lambda: "crl-unusable" in w.n.log())
    t.equal(demo.wait_for("a refusal", lambda: w.signed("always", "revoked")), "processed/error: authentication-failed",
            "without its list a partner under `always` is refused, and the log says why")


def staple(w):
    t.ok(w.stapled(), "the server shows the OCSP response to a client that asks")
    w.first.ocsp(w.signers["good"][0], w.staple)  # of another certificate
    before = w.n.log().count("tls-unusable")
    w.n.vand.send_signal(1)
    demo.wait_for("the reload", lambda: w.n.log().count("tls-unusable") > before)
    t.ok(w.stapled(), "a response about another certificate is refused at reload: the old one stays")


def main():
    if not demo.available():
        tap.skip_all("vand is not built")
    with demo.Network() as n:
        w = World(n)
        for group in (signers, clients, staple, lists_change):
            t.run(group, w)
        n.tell(t)
        t.equal(n.stop(), 0, "vand stops cleanly")
    return t.done()


if __name__ == "__main__":
    sys.exit(main())
