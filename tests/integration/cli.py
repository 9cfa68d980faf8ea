#!/usr/bin/python3
"""vanctl and vand as scripts use them: --help, --json, exit statuses, errors with file, line and field; the examples of
the interface's own page."""

import json
import os
import re
import signal
import sys
import threading
import warnings

import demo
import tap
import x12

t = tap.Tap()

COMMANDS = ["init", "status", "partner apply", "partner list", "partner show", "message list", "message show", "message get",
            "mailbox list", "receipt list", "receipt show", "receipt export", "receipt verify", "edi inspect", "edi stats",
            "edi validate", "edi ack", "route explain"]

# The interface's own examples, with real keys where the page has dots.
EXAMPLE_STATION_AND_BUYER = """\
kind: station
id: hub
name: Hub Trading Network
identities: [{standard: x12, id: "ZZ:HUBNET"}, {standard: edifact, id: "14:4399901000009"}]
as2:
  id: HUBNET
  sign:    [{certificate: certs/hub-sign.pem, key: keys/hub-sign.key}]          # first is used, all are announced
  decrypt: [{certificate: certs/hub-crypt.pem, key: keys/hub-crypt.key}]        # all are tried
---
kind: partner
id: acme
name: ACME Stores
identities: [{standard: x12, id: "01:123456789", connection: acme-as2}]
connections:
  - id: acme-as2
    protocol: as2
    station: hub
    as2_id: "ACME AS2"
    presents: ["x12 01:123456789"]        # sender identities it may use; default: the party's own
    collects: ["x12 01:123456789"]
    receive:
      certificates: [certs/acme.pem]      # any of them verifies
      require: [signed, encrypted]
      digests: [sha256, sha384, sha512]
      ciphers: [aes128-cbc, aes192-cbc, aes256-cbc, aes128-gcm, aes256-gcm]
    send:
      url: "https://as2.acme.example/as2"
      certificates: [certs/acme.pem]
      sign: sha256
      encrypt: aes256-cbc
      compress: none                      # none, before-signing, after-signing
      mdn: {mode: sync, signed: true, timeout: 30m}   # sync, async, none
      retry: [5m, 10m, 20m, 40m]
"""
EXAMPLE_SUPPLIER_AND_AGREEMENTS = """\
kind: partner
id: volt
name: Volt Supplies
identities: [{standard: x12, id: "ZZ:VOLT", connection: volt-sftp}]
connections:
  - id: volt-sftp
    protocol: sftp-mailbox
    user: volt
    keys: [{key: "%(key)s", from: 2026-01-01, until: 2028-01-01}]
    password: "%(hash)s"                  # yescrypt, scrypt or argon2 hash; never the password
    folders: {in: /in, out: /out}
    taken: delete                         # delete, or download
    file_name: "{type}_{sender}_{control}_{id}.{ext}"
---
kind: agreement
id: acme-volt-orders
from: "x12 01:123456789"
to: "x12 ZZ:VOLT"
type: "850"
version: "004010"
environment: production                   # production, test
mode: translate                           # pass-through, translate
output: {format: canonical-json, map: x12-004010-850-to-order}
acknowledged_by: network                  # network, receiver, none
acknowledgement: {kind: "997", within: 24h}
duplicates: {control_number: hold, window: 30d}
---
kind: agreement
id: default
from: "*"
to: "*"
mode: pass-through
acknowledged_by: receiver
"""
LIST_FIELDS = {"id", "time", "direction", "protocol", "partner", "connection", "from", "to", "env", "standard", "type", "version",
               "control_number", "as2_message_id", "file_name", "bytes", "sha256", "state", "delivery", "ack", "agreement", "parent", "error"}


def help_for_all(vanctl):
    for command in COMMANDS:
        done = demo.run([vanctl, *command.split(), "--help"], check=False)
        t.ok(done.returncode == 0 and command.split()[-1].encode() in done.stdout, f"vanctl {command} --help", done)
    done = demo.run([vanctl, "--help"], check=False)
    t.ok(done.returncode == 0 and all(c.split()[0].encode() in done.stdout for c in COMMANDS), "vanctl --help names them", done)
    for wrong in (["frobnicate"], ["message", "frobnicate"], ["message", "list", "--frobnicate"], []):
        done = demo.run([vanctl, *wrong], check=False)
        t.ok(done.returncode == 2 and done.stderr, f"vanctl {' '.join(wrong)}: exit 2 and a word on standard error", done)
    done = demo.run([demo.program("vand"), "--help"], check=False)
    t.equal(done.returncode, 0, "vand --help")
    done = demo.run([vanctl, "-c", "/nonexistent/vand.yaml", "status"], check=False)
    t.ok(done.returncode == 2 and one_line(done.stderr), "no configuration: exit 2, one line", done)


def one_line(text):
    return bool(text.strip()) and text.strip().count(b"\n") == 0


def check_configuration(n):
    vand = demo.program("vand")
    done = demo.run([vand, "-c", n.config, "--check"], check=False)
    t.equal(done.returncode, 0, "vand --check of a good configuration")
    good = demo.read(n.config).decode()
    for name, change, words in (
            ("an unknown key", lambda s: s + "wrokers: 3\n", ["wrokers", "workers"]),
            ("a wrong type", lambda s: re.sub(r"port: \d+", "port: seventy", s, count=1), ["port"]),
            ("bad YAML", lambda s: s + "listen: [\n", [])):
        path = os.path.join(n.dir, "wrong.yaml")
        with open(path, "w") as f:
            f.write(change(good))
        done = demo.run([vand, "-c", path, "--check"], check=False)
        said = (done.stdout + done.stderr).decode()
        t.ok(done.returncode == 1 and re.search(r"wrong\.yaml:\d+: ", said) and all(w in said for w in words),
             f"{name}: exit 1, file, line and what is wrong", done)


def keys_that_do_not_fit(n):
    """A private key beside a certificate that it does not belong to: named by `vand --check` and by apply, with file, line and field."""
    folder = os.path.join(n.dir, "partners")
    station = os.path.join(folder, sorted(f for f in os.listdir(folder) if b"kind: station" in demo.read(os.path.join(folder, f)))[0])
    good = demo.read(station)
    wrong = re.sub(rb"(sign: *\[\{certificate: [^,]+, key: )[^},]+", rb"\g<1>" + n.buyer_key.encode(), good, count=1)
    t.ok(wrong != good, "the station's profile names a key", good)
    with open(station, "wb") as f:
        f.write(wrong)
    line = next(i + 1 for i, l in enumerate(wrong.splitlines()) if n.buyer_key.encode() in l)
    done = demo.run([demo.program("vand"), "-c", n.config, "--check"], check=False)
    for command, done, said in (("vand --check", done, done.stdout), ("partner apply", done := n.vanctl("partner", "apply", station, check=False), done.stderr)):
        t.ok(done.returncode == 1 and f"{station}:{line}: as2.sign[0].key: ".encode() in said and b"is not the private key" in said,
             f"a key of another certificate: {command} exits 1 and names file, line and field", done)
    with open(station, "wb") as f:
        f.write(good)
    # what changes behind apply's back is in the status
    key = re.search(rb"sign: *\[\{certificate: [^,]+, key: ([^},]+)", good).group(1).decode()
    key = os.path.join(folder, key)
    kept = demo.read(key)
    with open(key, "wb") as f:
        f.write(demo.read(n.buyer_key))
    n.vand.send_signal(1)
    t.ok(demo.wait_for("the key refused", lambda: n.json("status")["keys_unusable"]), "a key that keyd refuses at reload is in the status")
    t.ok(b"does not belong" in n.vanctl("status").stdout, "with the reason, for people too")
    with open(key, "wb") as f:
        f.write(kept)
    n.vand.send_signal(1)
    t.ok(demo.wait_for("the key taken", lambda: n.json("status")["keys_unusable"] == []), "and no longer when it is right again")


def applied_is_usable(n):
    """When apply has said yes, keyd has the station's keys, however late it is."""
    keyd = n.role_pids("keyd")[0]
    os.kill(keyd, signal.SIGSTOP)
    loaded = n.log().count("event=key-loaded")
    later = threading.Timer(1, os.kill, (keyd, signal.SIGCONT))
    later.start()
    try:
        n.apply_profiles()
        t.ok(n.log().count("event=key-loaded") >= loaded + 2, "apply answers when keyd has the station's keys")
    finally:
        later.join()


def server_is_down(n):
    done = n.vanctl("status", check=False)
    t.ok(done.returncode == 2 and one_line(done.stderr), "status without a server: exit 2, one line with a remedy", done)


def errors_in_profiles(n):
    path = os.path.join(n.root, "wrong.yaml")
    before = n.json("partner", "list")
    for name, text, line, words in (
            ("an unknown field", "kind: partner\nid: x1\nname: X\nidentitys: []\n", 4, ["identitys", "identities"]),
            ("a wrong value", n.profile_text().replace("mode: pass-through", "mode: pass-trough", 1), None, ["mode", "pass-through"]),
            ("a missing certificate file", n.profile_text().replace(n.buyer_cert, "/nonexistent.pem", 1), None, ["nonexistent.pem"]),
            ("an identity twice", n.profile_text() + "---\nkind: partner\nid: thief\nname: T\nidentities: [{standard: x12, id: \"%s\"}]\n" % demo.ALPHA,
             None, [demo.ALPHA])):
        with open(path, "w") as f:
            f.write(text)
        done = n.vanctl("partner", "apply", path, check=False)
        said = done.stderr.decode()
        place = rf"wrong\.yaml:{line if line else '[0-9]+'}"
        t.ok(done.returncode == 1 and re.search(place, said) and all(w in said for w in words), f"{name}: exit 1, file, line and field", done)
    t.equal(n.json("partner", "list"), before, "and nothing was applied")
    done = n.vanctl("partner", "apply", "/nonexistent/profile.yaml", check=False)
    t.ok(done.returncode == 2 and done.stderr.count(b"/nonexistent/profile.yaml") == 1, "a file that is not there: exit 2, named once", done)


def listings(n):
    partners = n.json("partner", "list")
    t.ok({p["id"] for p in partners} >= {"buyer", "alpha", "beta"} and all(
        set(p) >= {"id", "name", "version", "enabled", "identities", "connections"} for p in partners), "partner list --json", partners)
    shown = n.json("partner", "show", "alpha")
    t.ok(shown.get("id") == "alpha", "partner show --json", shown)
    n.send(x12.order_850(demo.BUYER, demo.ALPHA, 42, "PO-CLI-1"))
    _, _, _, message_id = n.send(x12.order_850(demo.BUYER, demo.BETA, 43, "PO-CLI-2"))
    n.drain()
    messages = n.messages()
    t.ok(messages and all(set(m) >= LIST_FIELDS for m in messages), "message list --json has every field",
         [LIST_FIELDS - set(m) for m in messages])
    filters = [(("--search", "PO-CLI-2"), "control_number", "000000043"), (("--partner", "beta"), "partner", "beta"),
               (("--direction", "out"), "direction", "out"), (("--type", "850"), "type", "850"), (("--to", f"x12 {demo.BETA}"), "to", f"x12 {demo.BETA}"),
               (("--state", "processed"), "state", "processed"), (("--env", "production"), "env", "production"),
               (("--search", message_id.strip("<>")), "as2_message_id", message_id)]
    for arguments, field, value in filters:
        found = n.messages(*arguments)
        t.ok(found and all(str(m[field]).strip("<>") == value.strip("<>") for m in found if m[field] is not None),
             f"message list {' '.join(arguments)}", found[:2])
    t.equal(n.messages("--search", "no such thing"), [], "a search without result is an empty array")
    t.equal(len(n.json("message", "list", "--limit", "1")), 1, "--limit")
    t.equal(n.messages("--until", "2020-01-01T00:00:00Z"), [], "--until")
    order = n.messages("--search", message_id.strip("<>"))[0]
    shown = n.json("message", "show", order["id"])
    t.ok(set(shown) >= LIST_FIELDS | {"history", "parts", "children"}, "message show --json", shown)
    for part in shown["parts"]:
        target = os.path.join(n.root, "part")
        got = n.vanctl("message", "get", order["id"], "--part", part["name"], "-o", target, check=False)
        if part["name"] in ("raw", "payload", "mdn", "ack", "translated"):
            t.ok(got.returncode == 0 and os.path.getsize(target) == part["bytes"], f"message get --part {part['name']}", (got, part))
    payload = n.vanctl("message", "get", order["id"], "--part", "payload").stdout
    t.ok(b"PO-CLI-2" in payload and payload.startswith(b"ISA"), "message get writes to standard output", payload[:200])
    for arguments in (("message", "show", "nothing"), ("partner", "show", "nothing"), ("receipt", "show", "999999"), ("mailbox", "list", "nothing"),
                      ("message", "get", "nothing")):
        done = n.vanctl(*arguments, check=False)
        t.ok(done.returncode == 1 and one_line(done.stderr), f"{' '.join(arguments)}: exit 1, one line", done)
    for arguments in (("message", "get", order["id"], "-o", "/nonexistent/file"), ("receipt", "export", "-o", "/nonexistent/bundle.tar"),
                      ("receipt", "verify", "/nonexistent/bundle.tar"), ("route", "explain", "/nonexistent/file")):
        done = n.vanctl(*arguments, check=False)
        t.ok(done.returncode == 2 and one_line(done.stderr) and b"; " in done.stderr, f"{' '.join(arguments[:2])}, no such folder: exit 2, a remedy", done)
    mailbox = n.json("mailbox", "list", "beta")
    t.ok(len(mailbox) == 1 and set(mailbox[0]) >= {"id", "name", "bytes", "time", "state"}, "mailbox list --json", mailbox)
    receipts = n.json("receipt", "list")
    t.ok(receipts and all(set(r) >= {"index", "time", "event", "message", "partner", "leaf_hash"} for r in receipts), "receipt list --json", receipts[:2])
    status = n.json("status")
    t.ok(status["ready"] is True and set(status) >= {"ready", "roles", "listeners", "queue", "acks_overdue", "certificates_expiring", "receipts"}
         and set(status["queue"]) >= {"depth", "oldest"} and set(status["receipts"]) >= {"size", "checkpoint_age"}, "status --json", status)
    for arguments in (("status",), ("partner", "list"), ("message", "list"), ("mailbox", "list", "beta"), ("receipt", "list"), ("partner", "show", "alpha"),
                      ("message", "show", order["id"])):
        done = n.vanctl(*arguments, check=False)
        t.ok(done.returncode == 0 and done.stdout.strip(), f"{' '.join(arguments[:2])} for people", done)


def routes(n):
    done = n.json("route", "explain", "--from", f"x12 {demo.BUYER}", "--to", f"x12 {demo.ALPHA}", "--type", "850")
    t.ok("buyer-alpha-orders" in json.dumps(done), "route explain names the agreement", done)
    text = n.vanctl("route", "explain", "--from", f"x12 {demo.BUYER}", "--to", f"x12 {demo.ALPHA}", "--type", "850").stdout
    t.ok(b"buyer-alpha-orders" in text, "route explain for people", text)
    path = os.path.join(n.root, "order.edi")
    with open(path, "wb") as f:
        f.write(x12.order_850(demo.BUYER, demo.BETA, 9, "PO-R"))
    done = n.vanctl("route", "explain", path, check=False)
    t.ok(done.returncode == 0 and b"buyer-beta-orders" in done.stdout, "route explain FILE", done)
    done = n.vanctl("route", "explain", "--from", f"x12 {demo.BUYER}", "--to", "x12 ZZ:NOBODY", "--type", "850", check=False)
    t.equal(done.returncode, 1, "route explain of what has no receiver: exit 1")


def edi_commands(n):
    vanctl = demo.program("vanctl")
    good, bad, none = (os.path.join(n.root, x) for x in ("good.x12", "bad.x12", "none.x12"))
    text = x12.order_850(demo.BUYER, demo.ALPHA, 9, "PO-E")
    for path, data in ((good, text), (bad, text.replace(b"BEG*00*SA*", b"BEG**SA*")), (none, b"hello\n")):
        with open(path, "wb") as f:
            f.write(data)
    for path, status in ((good, 0), (bad, 1), (none, 1)):
        done = demo.run([vanctl, "edi", "validate", "--json", path], check=False)
        answer = json.loads(done.stdout)
        t.ok(done.returncode == status and set(answer) >= {"file", "bytes", "segments", "interchanges"}, f"edi validate {os.path.basename(path)}: exit {status}", done)
        if path == bad:
            errors = answer["interchanges"][0]["groups"][0]["messages"][0]["errors"]
            t.ok(errors and errors[0]["segment"] == "BEG" and errors[0]["position"] == 2 and errors[0]["element"] == 1 and
                 (errors[0]["list"], errors[0]["code"]) == ("AK403", "1"), "with the standard's own code", errors)
        if path == none:
            t.ok(answer["interchanges"] == [] and answer["errors"], "no interchange: an entry in the top-level errors", answer)
    done = demo.run([vanctl, "edi", "validate", "-", "--json"], check=False, input=text)
    t.equal(done.returncode, 0, "edi validate of standard input")
    done = demo.run([vanctl, "edi", "ack", bad], check=False)
    groups = x12.acknowledged_groups(done.stdout)
    t.ok(groups and groups[0][:2] == ("PO", 9) and groups[0][2] in "RE" and b"AK4*1*" in done.stdout, "edi ack prints a 997 with the error", done)
    done = demo.run([vanctl, "edi", "stats", good], check=False)
    t.ok(done.returncode == 0 and b"850" in done.stdout, "edi stats", done)
    done = demo.run([vanctl, "edi", "stats", "--json", good], check=False)
    t.ok(done.returncode == 0 and json.loads(done.stdout), "edi stats --json", done)
    done = demo.run([vanctl, "edi", "stats", none], check=False)
    t.ok(done.returncode == 1 and one_line(done.stderr), "edi stats of no EDI: exit 1, and one line says why", done)
    done = demo.run([vanctl, "edi"], check=False)
    t.ok(done.returncode == 2 and one_line(done.stderr), "edi without a verb: exit 2, one line", done)
    done = demo.run([vanctl, "edi", "inspect", bad], check=False)
    t.ok(b"BEG" in done.stdout and b"PO-E" in done.stdout, "edi inspect", done)
    done = demo.run([vanctl, "edi", "validate", "/nonexistent"], check=False)
    t.ok(done.returncode == 2 and one_line(done.stderr), "edi validate of no file: exit 2, one line", done)


def interface_examples():
    """Two applies of the page's own examples, as written."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import crypt
    with demo.Network() as n:
        n.create()
        folder = os.path.join(n.root, "page")
        for sub in ("certs", "keys"):
            os.makedirs(os.path.join(folder, sub))
        for name, days in (("hub-sign", 365), ("hub-crypt", 365), ("acme", 9)):
            certificate, key = demo.make_certificate(n.peers, name, days=days)
            os.rename(certificate, os.path.join(folder, "certs", name + ".pem"))
            os.rename(key, os.path.join(folder, "keys", name + ".key"))
        values = {"key": n.keys["alpha"][1].rsplit(" ", 1)[0], "hash": crypt.crypt("secret", "$y$j9T$F5Jx5fExrKuPp53xLKQ..1$")}
        paths = []
        for i, text in enumerate((EXAMPLE_STATION_AND_BUYER, EXAMPLE_SUPPLIER_AND_AGREEMENTS % values)):
            paths.append(os.path.join(folder, f"{i + 1}.yaml"))
            with open(paths[-1], "w") as f:
                f.write(text)
        n.start()
        for path in paths:
            done = n.vanctl("partner", "apply", path, check=False)
            t.equal(done.returncode, 0, f"the page's own examples apply ({os.path.basename(path)})") or t.diag(done)
        t.equal(sorted(p["id"] for p in n.json("partner", "list") if p["id"] in ("acme", "volt")), ["acme", "volt"], "and are listed")
        done = n.vanctl("partner", "apply", *paths, check=False)
        t.equal(done.returncode, 0, "applying them again changes nothing and is no error")
        expiring = n.json("status")["certificates_expiring"]
        text = n.vanctl("status").stdout
        t.ok([x["subject"] for x in expiring] == ["CN=acme"] and text.count(b"CN=acme") == 1 and expiring[0]["not_after"][:10].encode() in text,
             "a certificate that expires soon is in the status, once", text)
        empty = os.path.join(folder, "empty.yaml")
        with open(empty, "w") as f:
            f.write("# to be written\n")
        done = n.vanctl("partner", "apply", empty, check=False)
        t.ok(done.returncode == 1 and b"no profile" in done.stderr, "a file without a profile: exit 1, nothing applied", done)
        reload_status = n.vand.send_signal(1)
        t.ok(reload_status is None and n.vanctl("status", check=False).returncode == 0, "SIGHUP leaves it serving")


def main():
    vanctl = demo.program("vanctl")
    if not demo.available():
        tap.skip_all("vand is not built")
    t.run(help_for_all, vanctl)
    with demo.Network(keep="--keep" in sys.argv) as n:
        t.run(n.create)
        t.run(check_configuration, n)
        t.run(server_is_down, n)
        n.start()
        n.apply_profiles()
        for group in (errors_in_profiles, applied_is_usable, keys_that_do_not_fit, listings, routes, edi_commands):
            t.run(group, n)
        n.tell(t)
    t.run(interface_examples)
    return t.done()


if __name__ == "__main__":
    sys.exit(main())
