#!/usr/bin/python3
"""The whole job: orders in over AS2, out through mailboxes, acknowledged, and proven by receipts."""

import datetime
import json
import os
import re
import shutil
import sys
import tarfile

import demo
import tap
import x12

t = tap.Tap()


def strip(message_id):
    return (message_id or "").strip("<> ")


def inbound(n, message_id):
    return [m for m in n.messages("--direction", "in") if strip(m["as2_message_id"]) == strip(message_id)]


def the_order(n, message_id):
    """The message of a Message-ID that counts: neither a refused one nor a noted repeat."""
    found = [m for m in inbound(n, message_id) if m["state"] not in ("rejected", "duplicate")]
    return found[0] if len(found) == 1 else None


def check_good_mdn(name, response, mdn, mic, message_id):
    t.ok(mdn and mdn.verified, f"{name}: the MDN verifies with openssl cms -verify", f"{response}\n{mdn}")
    if not mdn:
        return
    t.equal(mdn.outcome, "processed", f"{name}: disposition")
    t.equal((mdn.mic, mdn.micalg.replace("-", "")), (mic, "sha256"), f"{name}: the MIC is the sender's")
    t.equal(strip(mdn.original_message_id), strip(message_id), f"{name}: Original-Message-ID")


def orders_are_accepted(n, state):
    for key, receiver, control, own in (("alpha", demo.ALPHA, 1001, False), ("beta", demo.BETA, 1002, True)):
        payload = x12.order_850(demo.BUYER, receiver, control, f"PO-{key.upper()}-1", eol="\n" if key == "beta" else "")
        response, mdn, mic, message_id = n.send(payload, own_multipart=own)
        check_good_mdn(f"order to {key}", response, mdn, mic, message_id)
        state[key] = dict(payload=payload, id=message_id, mic=mic, response=response, control=control)
    n.drain()


def translated_order(n, state):
    found = demo.wait_for("alpha's order", lambda: n.sftp_fetch("alpha"))
    t.equal(len(found), 1, "one file waits for the translating supplier")
    name, data = next(iter(found.items()))
    t.ok(re.fullmatch(r"[A-Za-z0-9._-]+", name), "its name is plain ASCII", name)
    try:
        order = json.loads(data)
        t.ok("PO-ALPHA-1" in json.dumps(order), "it is JSON and holds the order's number", data.decode()[:400])
    except ValueError as error:
        t.ok(False, "it is JSON", f"{error}: {data[:400]!r}")
    order = the_order(n, state["alpha"]["id"])
    t.ok(order and order["state"] == "processed", "the order is processed", inbound(n, state["alpha"]["id"]))
    if order:
        t.equal((order["from"], order["to"], order["type"], order["env"]),
                (f"x12 {demo.BUYER}", f"x12 {demo.ALPHA}", "850", "production"), "the list shows addresses, type and environment")
        t.equal(order["ack"], "accepted", "it was acknowledged as accepted")
        t.equal(order["agreement"], "buyer-alpha-orders", "and names its agreement")


def own_997(n, state):
    found = demo.wait_for("a 997 for the buyer", lambda: n.sftp_fetch("buyer"))
    acks = {name: data for name, data in found.items() if x12.is_997(data)}
    t.equal(len(acks), 1, "one 997 of ours waits for the buyer, and none for the passed-through order")
    for name, data in acks.items():
        t.equal(x12.acknowledged_groups(data), [("PO", state["alpha"]["control"], "A")], "it accepts the order's group")
        isa = x12.segments(data)[0]
        t.equal((isa[5] + ":" + isa[6].strip(), isa[7] + ":" + isa[8].strip()), (demo.ALPHA, demo.BUYER), "from supplier to buyer")
        path = os.path.join(n.root, "our.997")
        with open(path, "wb") as f:
            f.write(data)
        checked = n.vanctl("edi", "validate", path, check=False)
        t.equal(checked.returncode, 0, "and is valid by our own dictionary")


def passed_through_order(n, state):
    found = demo.wait_for("beta's order", lambda: n.sftp_fetch("beta"))
    t.equal(list(found.values()), [state["beta"]["payload"]], "the pass-through supplier gets the very bytes")
    order = the_order(n, state["beta"]["id"])
    t.ok(order and order["ack"] == "expected", "its acknowledgement is expected", order)
    name = next(iter(found))
    # no client waits until that is durable
    demo.wait_for("the download to be noted", lambda: [m["delivery"] for m in n.messages("--direction", "out") if m["partner"] == "beta"] == ["collected"])
    t.ok(True, "a complete download is visible as collected")
    t.ok(name in n.sftp_list("beta"), "and the file stays until it is deleted")
    n.sftp("beta", f"rm /out/{name}")
    t.ok(name not in n.sftp_list("beta"), "a deleted file is gone")


def suppliers_997(n, state):
    ack = x12.ack_997(demo.BETA, demo.BUYER, 501, state["beta"]["control"])
    n.sftp_put("beta", ack, "/in/ack501.edi")
    n.drain()
    demo.wait_for("the ack's way back", lambda: ack in n.sftp_fetch("buyer").values())
    t.ok(True, "the supplier's 997 reaches the buyer byte for byte")
    order = demo.wait_for("matched", lambda: (lambda o: o if o and o["ack"] != "expected" else None)(the_order(n, state["beta"]["id"])))
    t.equal(order["ack"], "accepted", "and sets the order's acknowledgement")
    detail = n.json("message", "show", order["id"])
    t.ok(isinstance(detail["history"], list) and detail["history"], "the order has a history", detail)


def contradicting_997(n, state):
    payload = x12.order_850(demo.BUYER, demo.BETA, 1003, "PO-BETA-2")
    _, _, _, message_id = n.send(payload)
    n.drain()
    n.sftp_put("beta", x12.ack_997(demo.BETA, demo.BUYER, 502, 1003, status="R"), "/in/ack502.edi")
    n.drain()
    t.equal((the_order(n, message_id) or {}).get("ack"), "rejected", "a rejecting 997 is recorded")
    n.sftp_put("beta", x12.ack_997(demo.BETA, demo.BUYER, 503, 1003), "/in/ack503.edi")
    n.drain()
    t.equal((the_order(n, message_id) or {}).get("ack"), "rejected", "a later accepting one does not silently overwrite it")
    n.sftp_put("beta", x12.ack_997(demo.BETA, demo.BUYER, 504, 999888), "/in/ack504.edi")
    n.drain()
    unmatched = [m for m in n.messages("--ack", "unmatched")]
    t.equal(len(unmatched), 1, "a 997 for nothing we know is shown as unmatched")


def repeats(n, state):
    first = state["alpha"]
    alpha_before, messages_before = n.sftp_list("alpha"), len(n.messages("--direction", "in", "--state", "processed"))
    body, mic = n.as2_body(first["payload"])  # encrypted anew, and signed anew
    t.equal(mic, first["mic"], "a repeat encrypted anew has the same MIC")
    again = n.post(body, first["id"])
    t.ok(again.status == 200 and again.body == first["response"].body, "it gets the very same MDN bytes", again)
    t.equal(again.headers.get("content-type"), first["response"].headers.get("content-type"), "under the same Content-Type")
    other, _ = n.as2_body(x12.order_850(demo.BUYER, demo.ALPHA, 1004, "PO-OTHER"))
    reused = n.post(other, first["id"])
    mdn = n.check_mdn(reused)
    t.ok(mdn and mdn.verified and mdn.outcome.startswith("processed/error"), "another body under a used Message-ID is an error", f"{reused} {mdn}")
    if mdn:
        t.equal(mdn.outcome, "processed/error: unexpected-processing-error", "with this disposition")
        t.ok(b"Message-ID reused" in mdn.report, "and a text that says why", mdn.report)
    n.drain()
    t.equal(n.sftp_list("alpha"), alpha_before, "neither made a second order")
    t.equal(len(n.messages("--direction", "in", "--state", "processed")), messages_before, "the list shows one order as before")
    again = n.post(body, first["id"])
    t.ok(again.body == first["response"].body, "the original's MDN is untouched", again)


def three_reasons_not_to_route(n, state):
    for name, payload, expected in (
            ("a sender the connection may not present", x12.order_850("ZZ:STRANGER", demo.ALPHA, 2001, "PO-S"), ("held",)),
            ("an unknown receiver", x12.order_850(demo.BUYER, "ZZ:NOBODY", 2002, "PO-N"), ("unroutable",)),
            ("a test interchange under a production agreement", x12.order_850(demo.BUYER, demo.ALPHA, 2003, "PO-T", usage="T"), ("held", "unroutable"))):
        before = n.sftp_list("alpha")
        response, mdn, mic, message_id = n.send(payload)
        t.ok(mdn and mdn.outcome == "processed", f"{name}: the MDN says that the bytes arrived", f"{response} {mdn}")
        n.drain()
        order = the_order(n, message_id)
        t.ok(order and order["state"] in expected, f"{name}: {' or '.join(expected)}", inbound(n, message_id))
        t.ok(order and order["error"] and "syntax error" not in order["error"], f"{name}: with a reason", order)
        t.ok(order and order["from"] and order["to"] and order["control_number"], f"{name}: with what its envelope says", order)
        t.equal(n.sftp_list("alpha"), before, f"{name}: not delivered")


def multiple_interchanges(n, state):
    """Two interchanges in one AS2 message, one for each supplier."""
    one, two = x12.order_850(demo.BUYER, demo.ALPHA, 3001, "PO-M1"), x12.order_850(demo.BUYER, demo.BETA, 3002, "PO-M2")
    before = set(n.sftp_list("alpha"))
    _, mdn, _, message_id = n.send(one + two)
    t.ok(mdn and mdn.outcome == "processed", "two interchanges in one message are accepted", mdn)
    n.drain()
    new = demo.wait_for("alpha's part", lambda: set(n.sftp_list("alpha")) - before)
    t.equal(len(new), 1, "the first one reaches the translating supplier")
    t.ok(two in n.sftp_fetch("beta").values(), "the second one the other, byte for byte")
    detail = n.json("message", "show", the_order(n, message_id)["id"])
    t.ok(len(detail["children"]) >= 2, "the message shows its children", detail.get("children"))


def variants_of_senders(n, state):
    """What other AS2 software sends: other digests and ciphers, line feeds outside, no encryption where not required."""
    control = 4000
    for options in (dict(digest="sha384"), dict(digest="sha512"), dict(cipher="aes-128-cbc"), dict(cipher="aes-192-cbc"),
                    dict(digest="sha384", cipher="aes-128-cbc", own_multipart=True)):
        control += 1
        name = " ".join(f"{k} {v}" for k, v in options.items())
        body, mic = n.as2_body(x12.order_850(demo.BUYER, demo.BETA, control, f"PO-V{control}"), **options)
        message_id = n.message_id("v")
        micalg = options.get("digest", "sha256").replace("sha", "sha-")
        response = n.post(body, message_id, Disposition_Notification_Options="signed-receipt-protocol=required, pkcs7-signature; "
                          f"signed-receipt-micalg=required, {micalg}")
        mdn = n.check_mdn(response)
        t.ok(mdn and mdn.verified and mdn.outcome == "processed" and mdn.mic == mic, f"{name}: accepted with the right MIC", f"{response}\n{mdn} {mic}")
    large = x12.order_850(demo.BUYER, demo.BETA, 4100, "PO-LARGE", pad_to=3 << 20)
    response, mdn, mic, _ = n.send(large)
    t.ok(mdn and mdn.outcome == "processed" and mdn.mic == mic, "an order of 3 MB is accepted", f"{response} {mdn}")
    n.drain()
    t.ok(large in n.sftp_fetch("beta").values(), "and passed through byte for byte")


def roles_and_rights(n, state):
    tree = n.tree()
    roles = set(tree.values())
    t.ok({"store", "keyd", "http", "worker", "sftp"} <= roles, "each role is a process of its own", sorted(roles))
    status = n.json("status")
    names = " ".join(r["name"] for r in status["roles"])
    t.ok(all(r in names for r in ("store", "keyd", "http", "worker", "sftp")), "status lists the roles", names)
    listed = {r["pid"] for r in status["roles"] if r["pid"]}
    t.ok(listed <= set(tree) | {n.vand.pid}, "with their process numbers", (listed, tree))
    if os.geteuid() != 0:
        t.skip("keyd runs as another user", "not started as root")
    else:
        users = {pid: real_uid(pid) for pid in tree}  # None: it ended meanwhile (a session)
        users = {pid: uid for pid, uid in users.items() if uid is not None}
        tree = {pid: role for pid, role in tree.items() if pid in users}
        keyd = {users[p] for p, r in tree.items() if r == "keyd"}
        others = {users[p] for p, r in tree.items() if r in ("store", "http", "worker", "sftp")}
        t.ok(len(keyd) == 1 and not keyd & others and 0 not in keyd | others, "keyd runs as another user, none as root", users)
    database = {}
    for pid, role in [*tree.items(), (n.vand.pid, "supervisor")]:
        for fd in descriptors(pid):
            try:
                target = os.readlink(f"/proc/{pid}/fd/{fd}")
            except OSError:
                continue
            if ".mdb" in target:
                database.setdefault(role, set()).add(os.path.basename(target))
    t.equal(set(database), {"store"}, "no role but store has the database open")
    for pid, role in tree.items():
        if role == "keyd":
            try:
                with open(f"/proc/{pid}/limits") as f:
                    core = re.search(r"Max core file size\s+(\S+)", f.read()).group(1)
                t.equal(core, "0", "keyd leaves no core")
            except OSError as error:
                t.skip("keyd leaves no core", str(error))
    relaxed = "sandbox-relaxed" in n.log()  # a sanitizer build, which says so
    for role in ("worker", "keyd", "http", "deliver"):
        said = [demo.process_status(pid) for pid, name in tree.items() if name == role]
        t.ok(said and all((relaxed or s["Seccomp"] == "2") and s["NoNewPrivs"] == "1" and int(s["CapEff"], 16) == 0 for s in said),
             f"{role} has a system call filter, no capability, and gets none", said)
    mode = os.stat(os.path.join(n.dir, "data")).st_mode & 0o777
    t.equal(oct(mode), "0o700", "the data folder is closed to others")


def descriptors(pid):
    try:
        return os.listdir(f"/proc/{pid}/fd")
    except OSError:
        return []  # it ended meanwhile


def real_uid(pid):
    try:
        with open(f"/proc/{pid}/status") as f:
            return int(re.search(r"^Uid:\s+(\d+)", f.read(), re.M).group(1))
    except OSError:
        return None


def receipts(n, state):
    listed = n.json("receipt", "list", "--limit", "100000")
    ids = {r["message"] for r in listed}
    order = the_order(n, state["beta"]["id"])
    t.ok(order and order["id"] in ids, "the order has receipts", listed[:3])
    t.equal([r["index"] for r in sorted(listed, key=lambda r: r["index"])], list(range(len(listed))), "numbered without gaps")
    events = [r["event"] for r in sorted(listed, key=lambda r: r["index"]) if order and r["message"] == order["id"]]
    t.diag(f"events of the passed-through order: {events}")
    shown = n.json("receipt", "show", str(listed[0]["index"]))
    t.ok(shown.get("leaf_hash") == listed[0]["leaf_hash"], "receipt show agrees with the list", shown)
    now = datetime.datetime.now(datetime.timezone.utc)
    span = [(now + datetime.timedelta(minutes=m)).strftime("%Y-%m-%dT%H:%M:%SZ") for m in (-60, 1)]
    state["bundle"] = os.path.join(n.root, "bundle.tar")
    n.vanctl("receipt", "export", "--from", span[0], "--to", span[1], "-o", state["bundle"])
    state["size"] = len(listed)


def receipts_without_the_server(n, state):
    t.equal(n.stop(), 0, "SIGTERM ends vand with status 0")
    away = os.path.join(n.root, "auditor")
    os.mkdir(away)
    bundle = shutil.copy(state["bundle"], away)
    done = demo.run([demo.program("vanctl"), "receipt", "verify", bundle, "--json"], check=False, cwd=away)
    answer = json.loads(done.stdout or b"{}")
    t.ok(done.returncode == 0 and answer.get("verified") is True, "the bundle verifies without a server", done)
    t.ok(answer.get("checked", 0) >= state["size"], "every receipt was checked", answer)
    with tarfile.open(bundle) as archive:
        names = archive.getnames()
        archive.extractall(away)
    scripts = [m for m in names if m.endswith("verify.sh")]
    t.equal(len(scripts), 1, "the bundle brings a script for openssl and sha256sum")
    if scripts:
        path = os.path.join(away, scripts[0])
        by_hand = demo.run(["sh", path], check=False, cwd=os.path.dirname(path))
        t.equal(by_hand.returncode, 0, "which agrees")
        tampered(t, away, names, path)
    whole = demo.read(bundle)
    bad = 0
    order = whole.find(b"accepted") if b"accepted" in whole else len(whole) // 2
    for at in (order, len(whole) // 3):
        changed = bytearray(whole)
        changed[at] ^= 1
        with open(bundle, "wb") as f:
            f.write(changed)
        bad += demo.run([demo.program("vanctl"), "receipt", "verify", bundle], check=False).returncode == 0
    t.equal(bad, 0, "a bundle with a changed byte does not verify")


def tampered(tap_, folder, names, script):
    """verify.sh must notice a changed leaf."""
    leaves = [n for n in names if re.search(r"leaf|leaves|receipts|entries", n) and os.path.isfile(os.path.join(folder, n))]
    if not leaves:
        tap_.skip("verify.sh notices a change", f"no leaves found among {names[:10]}")
        return
    path = os.path.join(folder, sorted(leaves)[0])
    data = bytearray(demo.read(path))
    data[len(data) // 2] ^= 1
    with open(path, "wb") as f:
        f.write(data)
    changed = demo.run(["sh", script], check=False, cwd=os.path.dirname(script))
    tap_.ok(changed.returncode != 0, f"verify.sh notices a changed byte in {os.path.basename(path)}", changed)


def after_a_restart(n, state):
    n.start()
    order = the_order(n, state["beta"]["id"])
    t.ok(order and order["ack"] == "accepted", "after a restart the order is as it was", order)
    again = n.post(n.as2_body(state["alpha"]["payload"])[0], state["alpha"]["id"])
    t.ok(again.body == state["alpha"]["response"].body, "and a repeat still gets the same MDN bytes", again)
    t.equal(n.stop(), 0, "it stops cleanly again")


def main():
    if not demo.available():
        tap.skip_all("vand is not built")
    state = {}
    with demo.Network(keep="--keep" in sys.argv) as n:
        n.up()
        n.run_groups(t, (orders_are_accepted, translated_order, own_997, passed_through_order, suppliers_997, contradicting_997, repeats,
                          three_reasons_not_to_route, multiple_interchanges, variants_of_senders, roles_and_rights, receipts,
                          receipts_without_the_server, after_a_restart), state)
    return t.done()


if __name__ == "__main__":
    sys.exit(main())
