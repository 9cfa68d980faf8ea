#!/usr/bin/python3
"""Commands about partners and certificates: back to an earlier version of a profile, the test of a partner's connections, certificates
made, imported, exported and rolled over, a configuration of OpenAS2.

    partners.py
"""

import json
import os
import sys

import demo
import tap
from as2_peer import Peer
from as2_send import Sender

t = tap.Tap()


def run(n, *arguments, status=0, name=None):
    """The answer (parsed where it is asked for as JSON) of a command that ends with this status."""
    done = n.vanctl(*arguments, check=False)
    t.equal(done.returncode, status, name or " ".join(arguments)) or t.diag(done)
    return json.loads(done.stdout) if "--json" in arguments and done.stdout else done


# --- versions ----------------------------------------------------------------------------------------------------------------

def versions(n):
    s = Sender(n)
    s.add("wheel", send="subject: first")
    s.apply()
    first = n.json("partner", "show", "wheel")
    for subject in ("second", "third"):
        s.profiles["wheel"] = s.profile("wheel", s.peers["wheel"], send=f"subject: {subject}")
        s.apply()

    def subject():
        return n.json("partner", "show", "wheel")["connections"][0]["send"]["subject"]
    t.equal([n.json("partner", "show", "wheel", "--version", str(v))["connections"][0]["send"]["subject"] for v in (1, 2, 3)], ["first", "second", "third"],
            "a profile is shown as it was in each version")
    run(n, "partner", "rollback", "wheel", "1")
    t.equal((subject(), [h["version"] for h in n.json("partner", "history", "wheel")]), ("first", [4, 3, 2, 1]), "version 1 is in force again, as version 4")
    now = n.json("partner", "show", "wheel")
    t.equal({k: v for k, v in now.items() if "version" not in k}, {k: v for k, v in first.items() if "version" not in k}, "it is the very same profile")
    run(n, "partner", "rollback", "wheel")
    t.equal(subject(), "third", "without a number: the one before")
    shown = s.wait(s.send("wheel", b"after"))
    t.equal((shown["delivery"], s.peers["wheel"].headers[shown["as2_message_id"]][0]["Subject"]), ("delivered", "third"), "what is sent follows it")
    answer = run(n, "partner", "rollback", "wheel", "3", "--json")
    t.equal((answer[0]["result"], answer[0]["version"]), ("unchanged", 5), "the same again makes no new version")
    for version, status, text in (("99", 1, b"no version 99"), ("0", 2, b"is no version"), ("one", 2, b"is no version")):
        done = run(n, "partner", "rollback", "wheel", version, status=status)
        t.ok(text in done.stderr, "and says why", done.stderr)
    done = run(n, "partner", "rollback", "nobody", status=1)
    t.ok(b"never was" in done.stderr, "nor is there one of a stranger", done.stderr)
    run(n, "partner", "remove", "wheel")
    done = run(n, "partner", "rollback", "wheel", "6", status=1)
    t.ok(b"was removed" in done.stderr, "a removal is no version to go back to", done.stderr)
    run(n, "partner", "rollback", "wheel")
    t.equal(subject(), "third", "but what was removed comes back as it was last")
    with open(os.path.join(n.root, "agreed.yaml"), "w") as f:
        f.write("kind: agreement\nid: wheels\nfrom: \"x12 ZZ:HUBNET\"\nto: \"x12 ZZ:WHEEL\"\ntype: \"850\"\nversion: \"004010\"\nmode: pass-through\nacknowledged_by: none\n")
    n.vanctl("partner", "apply", os.path.join(n.root, "agreed.yaml"))
    with open(os.path.join(n.root, "agreed.yaml"), "a") as f:
        f.write("acknowledgement: {within: 1h}\n")
    n.vanctl("partner", "apply", os.path.join(n.root, "agreed.yaml"))
    run(n, "partner", "rollback", "wheels", "1")
    shown = n.json("partner", "show", "wheels")
    t.equal((shown["version"], shown.get("acknowledgement"), shown["profile_version"]), ("004010", None, 3), "an agreement goes back, too, and keeps the version it is about")
    s.stop()


# --- the test of connections -------------------------------------------------------------------------------------------------

def results(rows, step=None):
    return [r["result"] for r in rows if step is None or r["step"] == step]


def connections(n):
    s = Sender(n)
    old, old_key = demo.make_certificate(n.peers, "ended", days=1)
    cases = [("fine", "good", "", "mode: sync"), ("later", "good", "", "mode: async"), ("refuses", "403", "", "mode: sync"), ("unknown", "negative", "", "mode: sync"),
             ("careless", "unsigned", "", "mode: sync"), ("silent", "stall", "", "mode: sync"), ("slow", "never", "", "mode: async"), ("gone", "good", "", "mode: sync")]
    for name, behaviour, send, mdn in cases:
        s.add(name, behaviour, send=send, mdn=mdn, retry="[1h, 1h]", timeout="10m")
    s.add("ends", keys=(old, old_key), retry="[1h]")
    s.peers["gone"].stop()
    s.apply()
    for name in ("fine", "later"):
        rows = run(n, "partner", "test", name, "--json")
        t.equal((set(results(rows, "answer")), results(rows, "message"), {r["connection"] for r in rows}), ({"ok"}, ["ok"], {name}), f"{name}: a message came through")
        t.ok("MIC" in rows[-1]["text"] and "verified" in rows[-1]["text"], f"{name}: its MDN is verified, and has our MIC", rows[-1])
        got = list(s.peers[name].messages.values())
        t.ok(len(got) == 1 and b"test of the connection" in got[0].payload and got[0].file_name == "connection-test.txt", f"{name}: the partner sees what it is", got[0].payload)
        t.equal(len(results(rows, "certificates")), 4, f"{name}: its certificates and ours were looked at")
    for name, text in (("refuses", "HTTP 403"), ("unknown", "authentication-failed"), ("careless", "not signed"), ("gone", "connect")):
        rows = run(n, "partner", "test", name, "--json", status=1)
        t.ok(results(rows, "answer")[-1] == "failed" and text in rows[-1]["text"], f"{name}: what went wrong is said", rows[-1])
    t.equal([d for d in n.json("queue", "list") if d["connection"] in s.peers], [], "a test that failed is not tried again")
    for name in ("silent", "slow"):
        rows = run(n, "partner", "test", name, "--wait", "2", "--json", status=1)
        t.equal(results(rows, "answer"), ["failed"], f"{name}: nobody waits for ever")
    text = run(n, "partner", "test", "fine", name="as a table").stdout.decode()
    t.ok("CONNECTION" in text and "certificates" in text and "fine" in text, "for people: a table", text)
    order = os.path.join(n.root, "trial.edi")
    with open(order, "wb") as f:
        f.write(document := os.urandom(300_000))
    run(n, "partner", "test", "fine", "--file", order, "--type", "application/octet-stream")
    t.ok(any(m.payload == document and m.file_name == "trial.edi" for m in s.peers["fine"].messages.values()), "with a file of one's own, of any size")
    before = len(s.peers["fine"].messages)
    rows = run(n, "partner", "test", "fine", "--no-message", "--json")
    t.equal((results(rows, "message"), len(s.peers["fine"].messages)), (["skipped"], before), "--no-message sends nothing")
    rows = run(n, "partner", "test", "ends", "--no-message", "--json")
    t.equal([r["result"] for r in rows if "CN=ended" in r["text"]], ["warning", "warning"], "a certificate that ends soon is a warning")
    rows = run(n, "partner", "test", "buyer", "--json")
    t.equal([(r["connection"], r["result"]) for r in rows if r["step"] in ("message", "log-in")],
            [("buyer-as2", "skipped"), ("buyer-mailbox", "ok"), ("buyer-mailbox", "skipped")], "what can't be tested from here is said to be so")
    rows = run(n, "partner", "test", "buyer", "--connection", "buyer-mailbox", "--json")
    t.equal({r["connection"] for r in rows}, {"buyer-mailbox"}, "one connection alone")
    run(n, "partner", "disable", "fine")
    rows = run(n, "partner", "test", "fine", "--json", status=1)
    t.ok(rows[0]["step"] == "profile" and "enable" in rows[0]["text"], "a disabled partner", rows)
    for arguments, status in ((("nobody",), 1), (("buyer", "--connection", "none"), 1), ((n.station,), 1), (("later", "--file", "/nonexistent"), 2)):
        run(n, "partner", "test", *arguments, status=status)
    s.stop()


# --- certificates -------------------------------------------------------------------------------------------------------------

def fingerprint(path, form="PEM"):
    return demo.run(["openssl", "x509", "-inform", form, "-in", path, "-noout", "-fingerprint", "-sha256"]).stdout.decode().strip().split("=")[1].replace(":", "").lower()


def subject(path):
    return demo.run(["openssl", "x509", "-in", path, "-noout", "-subject", "-nameopt", "RFC2253"]).stdout.decode().strip()


def files(n):
    made = run(n, "cert", "create", "extra", "--for", "decrypt", "--subject", "Extra Key", "--organization", "Hub", "--days", "90", "--request", "--json")
    t.equal((made["certificate"], made["key"]), (os.path.join(n.dir, "certs/extra.pem"), os.path.join(n.dir, "keys/extra.key")), "files beside vand.yaml")
    t.equal((fingerprint(made["certificate"]), os.stat(made["key"]).st_mode & 0o777), (made["fingerprint"], 0o600), "the certificate, and a key for nobody else")
    t.ok("CN=Extra Key" in subject(made["certificate"]) and "O=Hub" in subject(made["certificate"]), "with the names that were asked for", subject(made["certificate"]))
    signed = demo.run(["openssl", "req", "-in", made["request"], "-noout", "-verify", "-subject"], check=False)
    t.ok(signed.returncode == 0 and b"Extra Key" in signed.stdout, "and a request that an authority can sign", signed)
    before = demo.read(made["key"])
    done = run(n, "cert", "create", "extra", status=1)
    t.ok(b"there already" in done.stderr and demo.read(made["key"]) == before, "never over another one", done.stderr)
    for arguments in (("../evil",), ("x/y",), (".hidden",), ("x", "--days", "99999999")):
        run(n, "cert", "create", *arguments, status=2)
    tls = run(n, "cert", "create", "front", "--for", "tls", "--host", "van.example", "--json")
    t.ok(b"DNS:van.example" in demo.run(["openssl", "x509", "-in", tls["certificate"], "-noout", "-ext", "subjectAltName"]).stdout, "one for TLS names its host")
    ours = fingerprint(n.hub_sign)
    out = os.path.join(n.root, "out")
    for form, read in (("pem", lambda: fingerprint(out)), ("der", lambda: fingerprint(out, "DER")),
                       ("p7c", lambda: (demo.run(["openssl", "pkcs7", "-inform", "DER", "-in", out, "-print_certs", "-out", out + ".pem"]), fingerprint(out + ".pem"))[1])):
        run(n, "cert", "export", ours[:12], "--format", form, "-o", out)
        t.equal(read(), ours, f"cert export: {form}")
    t.equal(run(n, "cert", "export", ours).stdout, demo.run(["openssl", "x509", "-in", n.hub_sign]).stdout, "to standard output, as PEM")
    run(n, "cert", "export", "0" * 64, status=1)


def partner_imports(n):
    """A partner's new certificate: its signatures verify beside the old one's, and what is sent is encrypted for the new one from a time on."""
    s = Sender(n)
    peer = s.add("mover", retry="[]")
    s.apply()
    new, new_key = demo.make_certificate(n.peers, "mover-next")
    p7c = os.path.join(n.root, "next.p7c")
    demo.run(["openssl", "crl2pkcs7", "-nocrl", "-certfile", new, "-outform", "DER", "-out", p7c])
    run(n, "cert", "import", p7c, "--partner", "mover", "--for", "encrypt", "--from", "2037-01-01T00:00:00Z")
    shown = s.wait(s.send("mover", b"before"))
    t.equal(shown["delivery"], "delivered", "until its time the old one is encrypted for")
    send = n.json("partner", "show", "mover")["connections"][0]["send"]["certificates"]
    t.equal(([c["fingerprint"] for c in send], send[0]["from"][:10]), ([fingerprint(new), fingerprint(peer.certificate)], "2037-01-01"), "the profile has both, and the time")
    t.ok(b"already" in run(n, "cert", "import", new, "--partner", "mover", "--for", "encrypt", status=1).stderr, "not twice")
    run(n, "partner", "rollback", "mover")
    run(n, "cert", "import", new, "--partner", "mover", "--retire", "2037-01-01T00:00:00Z")
    connection = n.json("partner", "show", "mover")["connections"][0]
    t.equal([[c["fingerprint"] for c in connection[k]["certificates"]] for k in ("receive", "send")],
            [[fingerprint(peer.certificate), fingerprint(new)], [fingerprint(new), fingerprint(peer.certificate)]], "for both: its signatures beside the old one's, encrypted for it first")
    t.equal([c.get("until", "-")[:4] for c in connection["receive"]["certificates"]], ["2037", "-"], "the old one has an end")
    peer.certificate, peer.key = new, new_key
    shown = s.wait(s.send("mover", b"after"))
    got = peer.messages.get(shown["as2_message_id"])
    t.ok(shown["delivery"] == "delivered" and got and got.payload == b"after", "the partner reads it with its new key, and its MDN verifies by the new certificate", shown["error"])
    chain = os.path.join(n.root, "two.p7c")
    demo.run(["openssl", "crl2pkcs7", "-nocrl", "-certfile", new, "-certfile", n.hub_sign, "-outform", "DER", "-out", chain])
    for arguments, status, text in (((new,), 2, b"--partner"), ((new, "--partner", "nobody"), 1, b"nobody"), ((new, "--partner", "alpha"), 1, b"AS2"),
                                    ((new, "--partner", "buyer", "--for", "encrypt"), 1, b"nothing is sent"), ((new, "--partner", "mover", "--for", "decrypt"), 2, b"station"),
                                    ((chain, "--partner", "mover"), 1, b"2 certificates"), ((n.profiles, "--partner", "mover"), 1, b"understood"),
                                    (("/nonexistent", "--partner", "mover"), 2, b"nonexistent"), ((new, "--partner", "mover", "--connection", "other"), 1, b"connection")):
        done = run(n, "cert", "import", *arguments, status=status)
        t.ok(text in done.stderr, "and says why", done.stderr)
    s.stop()


def station_rolls(n):
    """Our own: the new pair decrypts at once, and signs from its time on."""
    s = Sender(n)
    peer = s.add("watcher", retry="[]")
    s.apply()
    done = run(n, "cert", "roll", n.station, "--for", "decrypt", "--name", "next-decrypt")
    new = os.path.join(n.dir, "certs/next-decrypt.pem")
    t.ok(new.encode() in done.stdout and b"cert request" in done.stdout, "cert roll says what to do next", done.stdout)

    def sent(recipient):
        wrapped, _ = demo.as2_body(b"ISA", n.buyer_cert, n.buyer_key, recipient, n.root)
        mdn = n.check_mdn(n.post(wrapped, n.message_id("roll")))
        return mdn and mdn.outcome
    t.equal([sent(n.hub_crypt), sent(new)], ["processed", "processed"], "what is encrypted for the old or the new certificate is read")
    done = run(n, "cert", "roll", n.station, "--for", "sign", "--name", "next-sign")
    shown = s.wait(s.send("watcher", b"old"))
    t.ok(shown["delivery"] == "delivered" and peer.messages[shown["as2_message_id"]].verified, "until its time the old one signs")
    pairs = n.json("partner", "show", n.station)["as2"]["sign"]
    t.ok(len(pairs) == 2 and pairs[0]["certificate"]["from"] > "2026" and pairs[0]["key"].endswith("keys/next-sign.key"), "the new one stands first, with its time", pairs)
    run(n, "partner", "rollback", n.station)
    run(n, "cert", "roll", n.station, "--for", "sign", "--name", "now-sign", "--from", "2026-01-01T00:00:00Z", "--retire", "2037-01-01T00:00:00Z")
    peer.station_certificate = os.path.join(n.dir, "certs/now-sign.pem")
    shown = s.wait(s.send("watcher", b"new"))
    t.ok(shown["delivery"] == "delivered" and peer.messages[shown["as2_message_id"]].verified, "from its time on the new one does", shown["error"])
    p12, password = os.path.join(n.root, "bought.p12"), os.path.join(n.root, "password")
    bought, bought_key = demo.make_certificate(n.peers, "bought")
    with open(password, "w") as f:
        f.write("s3 cret\r\nsecond line\n")
    demo.run(["openssl", "pkcs12", "-export", "-in", bought, "-inkey", bought_key, "-out", p12, "-passout", "pass:s3 cret"])
    t.ok(b"password-file" in run(n, "cert", "import", p12, "--station", n.station, "--for", "sign", status=1).stderr, "PKCS #12 without its password does not open")
    run(n, "cert", "import", p12, "--station", n.station, "--for", "sign", "--password-file", password)
    peer.station_certificate = bought
    shown = s.wait(s.send("watcher", b"bought"))
    t.ok(shown["delivery"] == "delivered" and peer.messages[shown["as2_message_id"]].verified, "with it the bought one signs at once", shown["error"])
    t.equal(os.stat(os.path.join(n.dir, "keys/bought.key")).st_mode & 0o777, 0o600, "its key is for nobody else")
    other, other_key = demo.make_certificate(n.peers, "other")
    done = run(n, "cert", "import", other, "--station", n.station, "--for", "decrypt", "--key", bought_key, status=1)
    t.ok(b"key" in done.stderr, "a key that is another's is refused", done.stderr)
    run(n, "cert", "import", other, "--station", n.station, "--for", "decrypt", "--key", other_key)
    t.equal(sent(other), "processed", "a certificate and a key as files")
    for arguments, status in ((("roll", n.station), 2), (("roll", "buyer", "--for", "sign"), 1), (("roll", "nobody", "--for", "sign"), 1),
                              (("roll", n.station, "--for", "sign", "--name", "now-sign"), 1), (("import", other, "--station", n.station, "--key", other_key), 2),
                              (("import", other, "--station", n.station, "--for", "sign", "--key", "/nonexistent"), 2)):
        run(n, "cert", *arguments, status=status)
    n.stop()
    n.start()
    t.equal([sent(n.hub_crypt), sent(new), sent(other)], ["processed"] * 3, "after a restart all of them still are")
    s.stop()


# --- OpenAS2 -------------------------------------------------------------------------------------------------------------------

PARTNERSHIPS = """<?xml version="1.0"?>
<partnerships>
 <partner name="Our Company" as2_id="OUR OID" x509_alias="Ours"/>
 <partner name="Partner &amp; Sons" as2_id="PS-OID" x509_alias="sons" email="edi@sons.example"/>
 <partner name="Odd" as2_id="ODD" x509_alias="odd"/>
 <partner name="odd!" as2_id="ODD2" x509_alias="missing"/>
 <partnership name="out">
  <sender name="Our Company"/><receiver name="Partner &amp; Sons"/>
  <attribute name="as2_url" value="%(url)s"/><attribute name="as2_mdn_to" value="edi@ours.example"/>
  <attribute name="as2_mdn_options" value="signed-receipt-protocol=optional, pkcs7-signature; signed-receipt-micalg=optional, $attribute.sign$"/>
  <attribute name="encrypt" value="3DES"/><attribute name="sign" value="SHA-512"/><attribute name="compression_type" value="ZLIB"/>
  <attribute name="resend_max_retries" value="2"/><attribute name="subject" value="from us"/>
 </partnership>
 <partnership name="in"><sender name="Partner &amp; Sons"/><receiver name="Our Company"/><attribute name="reject_unsigned_messages" value="true"/></partnership>
 <partnership name="odd-out"><sender name="Our Company"/><receiver name="Odd"/>
  <attribute name="as2_url" value="https://odd.example/as2"/><attribute name="encrypt" value="CAST5"/><attribute name="sign" value="MD5"/>
  <attribute name="subject" value="$attributes.filename$"/><attribute name="http_user" value="us"/>
  <attribute name="as2_mdn_to" value="x"/><attribute name="as2_mdn_options" value="none"/><attribute name="as2_receipt_option" value="http://old.example/mdn"/>
 </partnership>
 <partnership name="odd-in"><sender name="odd!"/><receiver name="Our Company"/></partnership>
</partnerships>
"""


def openas2(n):
    """A configuration of OpenAS2, and a partner of it who notices nothing."""
    folder = os.path.join(n.root, "openas2")
    os.makedirs(os.path.join(folder, "config"))
    ours, ours_key = demo.make_certificate(n.peers, "ours")
    sons, sons_key = demo.make_certificate(n.peers, "sons")
    odd, _ = demo.make_certificate(n.peers, "odd")
    both = os.path.join(folder, "both.pem")
    with open(both, "wb") as f:
        f.write(demo.read(sons) + demo.read(odd))
    keystore, password = os.path.join(folder, "config", "as2_certs.p12"), os.path.join(folder, "password")
    with open(password, "w") as f:
        f.write("changeit\n")
    demo.run(["openssl", "pkcs12", "-export", "-in", ours, "-inkey", ours_key, "-name", "ours", "-certfile", both, "-caname", "SONS", "-caname", "odd",
              "-out", keystore, "-passout", "pass:changeit"])
    peer = Peer(n.peers, "sons", ours, own_name="PS-OID", station_name="OUR OID", keys=(sons, sons_key)).start()
    partnerships = os.path.join(folder, "config", "partnerships.xml")
    with open(partnerships, "w") as f:
        f.write(PARTNERSHIPS % {"url": peer.url})
    for arguments, status, text in (((folder,), 1, b"password"), (("/nonexistent",), 2, b"partnerships.xml"), ((folder, "--keystore", password, "--password-file", password), 1, b"PKCS #12")):
        t.ok(text in run(n, "import", "openas2", *arguments, status=status).stderr, "and says why")
    all_keys = os.path.join(folder, "all.p12")
    demo.run(["openssl", "pkcs12", "-export", "-in", ours, "-inkey", ours_key, "-name", "ours", "-out", all_keys, "-passout", "pass:changeit"])
    with open(os.path.join(folder, "partnerships.xml"), "w") as f:
        f.write('<partnerships><partner name="A" as2_id="A" x509_alias="ours"/><partner name="B" as2_id="B" x509_alias="OURS"/></partnerships>')
    done = run(n, "import", "openas2", folder, "--keystore", all_keys, "--password-file", password, status=1)
    t.ok(b"--ours" in done.stderr, "where every key is there, a person says who we are", done.stderr)
    for name in ("C", "Odd"):
        run(n, "import", "openas2", folder, "--keystore", all_keys, "--password-file", password, "--ours", name, status=1)
    made = run(n, "import", "openas2", folder, "--keystore", all_keys, "--password-file", password, "--ours", "B", "--json")
    t.equal([(m["kind"], m["id"]) for m in made], [("station", "b"), ("partner", "a")], "and the others are partners")
    os.unlink(os.path.join(folder, "partnerships.xml"))
    made = run(n, "import", "openas2", folder, "--password-file", password, "--json")
    t.equal([(m["kind"], m["id"]) for m in made], [("station", "our-company"), ("partner", "partner-sons"), ("partner", "odd"), ("partner", "odd-2")], "a station and three partners")
    notes = {m["id"]: " ".join(m["notes"]) for m in made}
    for word in ("CAST5", "MD5", "$attributes.filename$", "HTTP as us", "http://old.example/mdn"):
        t.ok(word in notes["odd"], f"what has no counterpart is said: {word}", notes["odd"])
    t.ok("missing" in notes["odd-2"], "a certificate that is not in the key store, too", notes["odd-2"])
    t.equal(os.stat(os.path.join(n.dir, "keys/our-company.key")).st_mode & 0o777, 0o600, "the key is for nobody else")
    done = run(n, "import", "openas2", folder, "--password-file", password, status=1)
    t.ok(b"nothing was written" in done.stderr, "never over what is there", done.stderr)
    done = run(n, "partner", "apply", *[m["file"] for m in made])
    sent = n.json("partner", "show", "partner-sons")["connections"][0]
    t.equal((sent["send"]["sign"], sent["send"]["encrypt"], sent["send"]["compress"], sent["send"]["retry"], sent["receive"]["require"]),
            ("sha512", "des-ede3-cbc", "before-signing", ["5m", "10m"], ["signed"]), "as it was agreed there")
    other = n.json("partner", "show", "odd")["connections"][0]
    t.equal((other["send"]["mdn"]["mode"], other["send"]["mdn"]["signed"], other["send"]["sign"], other["send"]["encrypt"], other["receive"]["require"]),
            ("async", False, "sha256", "aes256-cbc", []), "and where it can't be, as the notes say")
    rows = run(n, "partner", "test", "partner-sons", "--json")
    t.ok("verified" in rows[-1]["text"], "partner test: a message comes through", rows[-1])
    got = list(peer.messages.values())[0]
    t.equal((got.layers, got.digest, got.verified), (["encrypted", "signed", "compressed"], "sha512", True), "packed as before, signed with the key that came along")
    wrapped, _ = demo.as2_body(b"ISA", sons, sons_key, ours, n.root)
    mdn = n.post(wrapped, n.message_id("openas2"), AS2_From="PS-OID", AS2_To='"OUR OID"')
    t.ok(b"; processed\r\n" in mdn.body, "and what it sends is taken", mdn)
    plain = n.post(b"ISA", n.message_id("openas2"), AS2_From="PS-OID", AS2_To='"OUR OID"', Content_Type="application/edi-x12")
    t.ok(b"insufficient-message-security" in plain.body, "but nothing unsigned, as before", plain)
    for name, text in (("broken", "<partnerships"), ("doctype", "<!DOCTYPE x []><partnerships/>"), ("other", "<config/>"), ("nobody", "<partnerships/>"),
                       ("unnamed", '<partnerships><partner name="a"/></partnerships>'),
                       ("stranger", '<partnerships><partner name="a" as2_id="A" x509_alias="ours"/><partnership name="p"><sender name="a"/><receiver name="b"/></partnership></partnerships>')):
        with open(partnerships, "w") as f:
            f.write(text)
        run(n, "import", "openas2", folder, "--password-file", password, status=1, name=f"{name}: refused")
    peer.stop()


def main():
    if not demo.available():
        tap.skip_all("vand is not built")
    with demo.Network() as n:
        n.up()
        n.peer_keys = demo.make_certificate(n.peers, "peer")
        for group in (versions, connections, files, partner_imports, station_rolls, openas2):
            t.run(group, n)
        if t.failed:
            t.diag(n.log_tail(3000))
        t.equal(n.stop(), 0, "vand stops cleanly")
    return t.done()


if __name__ == "__main__":
    sys.exit(main())
