#!/usr/bin/python3
"""Commands about partners: back to an earlier version of a profile, the test of a partner's connections.

    partners.py
"""

import json
import os
import sys

import demo
import tap
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


def main():
    if not demo.available():
        tap.skip_all("vand is not built")
    with demo.Network() as n:
        n.up()
        n.peer_keys = demo.make_certificate(n.peers, "peer")
        for group in (versions, connections):
            t.run(group, n)
        if t.failed:
            t.diag(n.log_tail(3000))
        t.equal(n.stop(), 0, "vand stops cleanly")
    return t.done()


if __name__ == "__main__":
    sys.exit(main())
