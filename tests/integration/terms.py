#!/usr/bin/python3
"""What operators do to agreements: hold and release, promote; and to numbers that a rule lets only one document have."""

import os
import sys

import demo
import tap
import x12

t = tap.Tap()
BUYER, ALPHA = demo.BUYER, demo.ALPHA
AGREEMENT = "buyer-alpha-orders"
control = 700


def send(n, po, receiver=ALPHA, usage="P"):
    global control
    control += 1
    _, mdn, _, message_id = n.send(x12.order_850(BUYER, receiver, control, po, lines=1, usage=usage))
    n.drain()
    assert mdn and mdn.outcome == "processed", mdn
    return next(m for m in n.messages("--direction", "in") if (m["as2_message_id"] or "").strip("<>") == message_id.strip("<>"))


def now(n, m):
    return next(x for x in n.messages() if x["id"] == m["id"])


def orders(n, user="alpha"):
    """The numbers of the orders that wait, in the order in which they came."""
    found = [(m["id"], m["control_number"]) for m in n.messages("--direction", "out", "--partner", user)]
    return [n.vanctl("message", "get", i).stdout.partition(b'"ID":"')[2].partition(b'"')[0].decode() for i, _ in sorted(found)]


def agreement(n, name=AGREEMENT):
    return next(a for a in n.json("agreement", "list") if a["id"] == name)


def listed_and_shown(n):
    a = agreement(n)
    t.equal([a[k] for k in ("from", "to", "type", "version", "environment", "mode", "format", "hold", "enabled", "waiting")],
            [f"x12 {BUYER}", f"x12 {ALPHA}", "850", "004010", "production", "translate", "canonical-json", False, True, 0], "agreement list")
    t.equal([x["id"] for x in n.json("agreement", "list", "--partner", "ZZ:ALPHA")], [AGREEMENT], "of one partner")
    t.equal(n.json("agreement", "list", "--env", "test"), [], "of one environment")
    shown = n.vanctl("agreement", "show", AGREEMENT).stdout.decode()
    t.ok('kind: "agreement"' in shown and 'mode: "translate"' in shown, "agreement show prints what can be applied again", shown)
    with open(os.path.join(n.root, "shown.yaml"), "w", encoding="utf-8") as f:
        f.write(shown)
    t.ok(b"unchanged" in n.vanctl("partner", "apply", os.path.join(n.root, "shown.yaml")).stdout, "and applying it changes nothing")
    done = n.vanctl("agreement", "show", "nothing", check=False)
    t.ok(done.returncode == 1 and b"vanctl agreement list" in done.stderr, "one that is not there", done)


def hold_lets_them_wait(n):
    first = send(n, "PO-H0")
    t.equal(first["state"], "processed", "before the hold")
    n.vanctl("agreement", "hold", AGREEMENT)
    held = [send(n, f"PO-H{i}") for i in range(1, 4)]
    t.equal([(m["state"], m["agreement"], m["error"]) for m in held], [("held", AGREEMENT, f"agreement {AGREEMENT} is on hold")] * 3, "what comes now is accepted and waits")
    other = send(n, "PO-B1", receiver=demo.BETA)
    t.equal(other["state"], "processed", "other agreements go on")
    a = agreement(n)
    t.equal((a["hold"], a["waiting"]), (True, 3), "the list says how many wait")
    t.ok("3 messages wait" in n.vanctl("agreement", "show", AGREEMENT).stdout.decode(), "agreement show, too")
    t.equal(orders(n), ["PO-H0"], "nothing of it went out")
    n.stop()
    n.start()
    t.equal(agreement(n)["hold"], True, "a restart does not end it")
    m = n.json("message", "show", held[0]["id"])
    t.ok(any("on hold" in (h["text"] or "") for h in m["history"]), "the history says why", m["history"])


def release_lets_them_go(n):
    by_hand = [m for m in n.messages("--state", "held")][0]
    n.vanctl("message", "release", by_hand["id"])
    n.drain()
    t.equal(now(n, by_hand)["state"], "held", "a single release asks the agreement again, which is still on hold")
    done = n.vanctl("agreement", "release", AGREEMENT)
    t.ok(b"3 messages that waited go on" in done.stdout, "release says how many go", done.stdout)
    n.drain()
    t.equal(sorted(orders(n)), ["PO-H0", "PO-H1", "PO-H2", "PO-H3"], "they go out, once each")
    t.equal(n.messages("--state", "held"), [], "and nothing waits")
    t.equal((agreement(n)["hold"], agreement(n)["waiting"]), (False, 0), "the list says so")
    t.equal(n.json("agreement", "release", AGREEMENT), [], "a second release finds nothing")
    t.equal(send(n, "PO-H4")["state"], "processed", "what comes then goes at once")
    acks = [v for v in n.sftp_fetch("buyer").values() if b"ST*997*" in v]
    t.equal(len(acks), 5, "each was acknowledged once")
    changes = n.json("partner", "history", AGREEMENT)
    t.ok(len(changes) == 3 and all(c["actor"] for c in changes), "versions say who did it", changes)


def many_wait(n):
    """More than one transaction releases; and what is held for another reason stays."""
    n.vanctl("agreement", "hold", AGREEMENT)
    stranger = x12.order_850("ZZ:STRANGER", ALPHA, 999, "PO-S1", lines=1)
    n.send(stranger)
    batch = os.path.join(n.root, "batch")
    os.mkdir(batch)
    for i in range(150):
        with open(os.path.join(batch, f"m{i}.edi"), "wb") as f:
            f.write(x12.order_850(BUYER, ALPHA, 2000 + i, f"PO-M{i}", lines=1))
    n.sftp("buyer", f"lcd {batch}", "cd /in", "put *.edi")
    n.drain()
    t.equal(agreement(n)["waiting"], 150, "150 wait")
    t.equal(len(n.json("agreement", "release", AGREEMENT)), 150, "all of them are released")
    n.drain()
    t.equal(len([o for o in orders(n) if o.startswith("PO-M")]), 150, "and delivered, once each")
    t.equal([m["error"].split()[0] for m in n.messages("--state", "held")], ["connection"], "what is held for another reason stays held")


def acknowledgements_find_their_way(n):
    """Our own 997 needs no agreement for its way back."""
    path = os.path.join(n.root, "alone.yaml")
    with open(path, "w", encoding="utf-8") as f:
        f.write(n.profile_text().partition("---\nkind: agreement\nid: default")[0])
    n.vanctl("partner", "remove", "default")
    n.vanctl("partner", "apply", path)
    before = len(n.sftp_list("buyer"))
    m = send(n, "PO-K1")
    made = [(x["type"], x["delivery"]) for x in n.messages("--direction", "out") if x["parent"] == m["id"]]
    t.equal(sorted(made), [("850", "available"), ("997", "available")], "without a default agreement the 997 goes to the sender's own connection")
    t.equal(len(n.sftp_list("buyer")), before + 1, "and waits in its mailbox")
    t.equal(send(n, "PO-K2", receiver="ZZ:NOBODY")["state"], "unroutable", "documents do need one")
    n.apply_profiles()


def promotion(n):
    text = f"""kind: agreement
id: alpha-trial
from: "x12 {BUYER}"
to: "x12 ZZ:ALPHANEW"
type: "850"
environment: test
mode: translate
output: {{format: canonical-json}}
acknowledged_by: none
"""
    profile = n.profile_text().replace(f'id: "{ALPHA}", connection: alpha-sftp}}', f'id: "{ALPHA}", connection: alpha-sftp}}, {{standard: x12, id: "ZZ:ALPHANEW", connection: alpha-sftp}}')
    path = os.path.join(n.root, "trial.yaml")
    with open(path, "w", encoding="utf-8") as f:
        f.write(profile + "---\n" + text)
    n.vanctl("partner", "apply", path)
    m = send(n, "PO-P1", receiver="ZZ:ALPHANEW", usage="T")
    t.equal((m["state"], m["agreement"], m["env"]), ("processed", "alpha-trial", "test"), "a test goes by the agreement for tests")
    t.equal(send(n, "PO-P2", receiver="ZZ:ALPHANEW")["agreement"], "default", "production does not")
    n.vanctl("agreement", "promote", "alpha-trial", "--as", "alpha-live")
    t.equal([(a["id"], a["environment"]) for a in n.json("agreement", "list", "--partner", "ALPHANEW")],
            [("alpha-live", "production"), ("alpha-trial", "test")], "promote --as: a copy for production, the test stays")
    t.equal([send(n, po, receiver="ZZ:ALPHANEW", usage=u)["agreement"] for po, u in (("PO-P3", "P"), ("PO-P4", "T"))], ["alpha-live", "alpha-trial"], "each has its documents")
    for arguments, word in ((("alpha-live",), b"already"), (("alpha-trial", "--as", "alpha-live"), b"already"), (("alpha-trial",), b"no more specific"),
                            (("nothing",), b"vanctl agreement list")):
        done = n.vanctl("agreement", "promote", *arguments, check=False)
        t.ok(done.returncode == 1 and word in done.stderr, f"promote {' '.join(arguments)} is refused", done.stderr)
    n.vanctl("partner", "remove", "alpha-live")
    n.vanctl("agreement", "promote", "alpha-trial")
    t.equal([(a["id"], a["environment"]) for a in n.json("agreement", "list", "--partner", "ALPHANEW")], [("alpha-trial", "production")], "promote: the agreement itself")
    t.equal(send(n, "PO-P5", receiver="ZZ:ALPHANEW", usage="T")["state"], "held", "then tests are held, not guessed")
    n.vanctl("partner", "remove", "alpha-trial")


def unique_numbers(n):
    rules = os.path.join(n.root, "rules-once.csv")
    with open(rules, "w", encoding="utf-8") as f:
        f.write("rule,severity,each,when,kind,value,window,show,text,code\npo number,error,,,unique,ID,30d,,this order came before,\n"
                "line,warning,OrderLine,,unique,$document.ID & '/' & LineItem.ID,,,,\n")
    n.vanctl("map", "import", rules)
    n.vanctl("map", "activate", "rules-once")
    path = os.path.join(n.root, "once.yaml")
    with open(path, "w", encoding="utf-8") as f:
        f.write(n.profile_text().replace("output: {format: canonical-json, map: x12-004010-850-to-order}\n",
                                         "output: {format: canonical-json, map: x12-004010-850-to-order}\nrules: {sheets: [once]}\n"))
    n.vanctl("partner", "apply", path)
    first, again = send(n, "PO-U1"), send(n, "PO-U1")
    t.equal((first["state"], again["state"]), ("processed", "quarantined"), "the second order of one number waits")
    kept = n.json("unique", "list")
    t.equal([(k["value"], k["rule"], k["sheet"], k["from"], k["message"]) for k in sorted(kept, key=lambda k: k["rule"])],
            [("PO-U1/1", "line", "rules-once", f"x12 {BUYER}", first["id"]), ("PO-U1", "po number", "rules-once", f"x12 {BUYER}", first["id"])], "unique list: who has which value")
    t.ok(all(bool(k["until"]) == (k["rule"] == "po number") for k in kept), "until when, where there is a window", kept)
    for filters, count in ((("--rule", "po number"), 1), (("--sheet", "once"), 2), (("--from", BUYER), 2), (("--value", "PO-U1"), 1), (("--message", again["id"]), 0),
                           (("--limit", "1"), 1), (("--until", "2000-01-01T00:00:00Z"), 0)):
        t.equal(len(n.json("unique", "list", *filters)), count, f"unique list {' '.join(filters)}")
    done = n.vanctl("unique", "clear", check=False)
    t.ok(done.returncode == 2 and b"name the value" in done.stderr, "clear wants to know which", done.stderr)
    done = n.vanctl("unique", "clear", "PO-NONE", check=False)
    t.equal(done.returncode, 1, "what is not kept can't be cleared")
    t.equal(len(n.json("unique", "clear", "PO-U1", "--rule", "po number")), 1, "clear")
    n.vanctl("message", "reprocess", again["id"])
    n.drain()
    t.equal(orders(n).count("PO-U1"), 2, "then the second goes through")
    events = [r["event"] for r in n.json("receipt", "list") if r["message"] == first["id"]]
    t.ok("operator" in events, "a receipt says who forgot it", events)
    t.equal(send(n, "PO-U1")["state"], "quarantined", "and the number is the second's now")


def main():
    if not demo.available():
        tap.skip_all("vand is not built")
    with demo.Network(keep="--keep" in sys.argv) as n:
        n.up()
        n.run_groups(t, (listed_and_shown, hold_lets_them_wait, release_lets_them_go, many_wait, acknowledgements_find_their_way, promotion, unique_numbers))
    return t.done()


if __name__ == "__main__":
    sys.exit(main())
