#!/usr/bin/python3
"""What comes beside an order (RFC 6362) goes where the order goes: into a mailbox as files, over AS2 within the same message.

    as2_attached.py
"""

import os
import re
import sys

import demo
import tap
import x12
from as2_peer import Peer

t = tap.Tap()
GAMMA = "ZZ:GAMMA"


def related(order, beside):
    parts = [("application/edi-x12", "order.edi", order)] + beside
    body = b"".join(b"--rr\r\nContent-Type: " + kind.encode() + b"\r\nContent-Transfer-Encoding: binary\r\n" +
                    (f'Content-Disposition: attachment; filename="{name}"\r\n'.encode() if name else b"") + b"\r\n" + data + b"\r\n"
                    for kind, name, data in parts)
    return 'multipart/related; type="application/edi-x12"; boundary=rr', body + b"--rr--\r\n"


def post(n, order, beside):
    """The message as it is shown once its job is done."""
    kind, body = related(order, beside)
    wrapped, _ = demo.as2_body(body, n.buyer_cert, n.buyer_key, n.hub_crypt, n.root, content_type=kind)
    message_id = n.message_id("beside")
    mdn = n.check_mdn(n.post(wrapped, message_id))
    t.ok(mdn and mdn.outcome == "processed", "an order with attachments is taken", mdn)
    found = demo.wait_for("its job", lambda: [m for m in n.messages("--direction", "in") if m["as2_message_id"] == message_id and m["state"] != "received"])
    return n.json("message", "show", found[0]["id"])


def into_a_mailbox(n):
    picture, table = os.urandom(40000), b"a;b\r\n1;2\r\n"
    order = x12.order_850(demo.BUYER, demo.BETA, 71, "PO-BESIDE-1")
    before = n.sftp_fetch("beta")
    received = post(n, order, [("image/png", "label.PNG", picture), ("text/csv", None, table)])
    names = demo.wait_for("three names", lambda: (f := n.sftp_list("beta")) and len(f) == len(before) + 3 and [x for x in f if x not in before])
    for name in names:
        if not name.endswith(".edi"):
            n.sftp("beta", f'get "/out/{name}" "{n.root}/beside"')
    t.equal(n.json("message", "show", received["id"])["delivery"], "available", "an attachment that is collected does not make the order so")
    there = demo.wait_for("three files", lambda: (f := n.sftp_fetch("beta")) and len(f) == len(before) + 3 and f)
    files = {k: v for k, v in there.items() if k not in before}
    t.ok(picture in files.values() and table in files.values() and len(files) == 3, "the supplier finds the order and both, byte for byte",
         {k: len(v) for k, v in files.items()})
    t.equal(sorted(os.path.splitext(k)[1] for k in files), [".PNG", ".bin", ".edi"], "each with its extension")
    t.equal(len({k.split("_")[1:3] == next(iter(files)).split("_")[1:3] for k in files}), 1, "and with the order's names")
    made = [n.json("message", "show", c["id"] if isinstance(c, dict) else c) for c in received["children"]]
    beside = [m for m in made if m.get("made_as") == "attachment"]
    t.equal(len(beside), 2, "the received message names them")
    t.equal(n.json("message", "show", received["id"])["delivery"], "collected", "the order itself does")


def children(n, message, made_as=None):
    shown = [n.json("message", "show", c["id"] if isinstance(c, dict) else c) for c in message["children"]]
    return sorted((c for c in shown if made_as is None or c.get("made_as") == made_as), key=lambda c: c["control_number"] or "")


def several_interchanges(n):
    """What comes beside several interchanges goes to their receiver, once; where there are several receivers, to none, and that is said."""
    picture = os.urandom(30000)

    def send(*orders):
        before = n.sftp_fetch("beta")
        received = post(n, b"".join(orders), [("image/png", "label.png", picture)])
        return received, before

    def fetched(before, wanted):
        return demo.wait_for(f"{wanted} files", lambda: (f := {k: v for k, v in n.sftp_fetch("beta").items() if k not in before}) and len(f) == wanted and f)

    order = [x12.order_850(demo.BUYER, demo.BETA, 80 + i, f"PO-SEVERAL-{i}") for i in range(9)]
    received, before = send(order[0], order[1])
    files = fetched(before, 3)
    t.equal([v == picture for v in files.values()].count(True), 1, "two orders for one receiver: the attachment comes once")
    parts = children(n, received)
    t.equal([len(children(n, c, "attachment")) for c in parts], [1, 0], "with the first of them")
    received, before = send(order[0], order[2])
    files = fetched(before, 2)
    parts = children(n, received)
    t.ok(picture in files.values() and parts[0]["state"] == "duplicate", "where the first is not passed on, with the next", parts[0]["state"])
    t.equal([len(children(n, c, "attachment")) for c in parts], [0, 1], "and with that alone")
    received, before = send(order[0], order[1])
    parts = children(n, received)
    t.equal([c["state"] for c in parts], ["duplicate", "duplicate"], "both were here before: held")
    n.vanctl("message", "release", parts[0]["id"])
    files = fetched(before, 2)
    t.ok(picture in files.values(), "once released it brings its attachment")
    received, before = send(order[3], x12.order_850(demo.BUYER, GAMMA, 91, "PO-OTHER"))
    files = fetched(before, 1)
    t.ok(picture not in files.values(), "two receivers: the attachment is passed on to none")
    t.ok("several receivers" in (received["error"] or "") and [h for h in received["history"] if h["event"] == "attachments-kept"], "and the message says so", received["error"])
    t.equal([c for p in children(n, received) for c in children(n, p, "attachment")], [], "to neither of them")
    t.ok(n.vanctl("message", "get", received["id"], "--part", "attachment-1").stdout == picture, "it is still there for a person to send")


def into_a_batch(n):
    """Documents that wait for a batch leave theirs behind, and say so."""
    received = post(n, x12.order_850(demo.BUYER, "ZZ:BATCHES", 95, "PO-BATCHED"), [("text/csv", "b.csv", b"1;2\r\n")])
    t.equal((received["state"], received["delivery"]), ("processed", "queued"), "an order waits for its batch")
    t.equal([h["event"] for h in received["history"] if "attach" in h["event"]], ["attachments-kept"], "its history says that its attachment does not come along")


def again(n, peer):
    """Processed again and sent again, with everything that came beside it."""
    picture = os.urandom(50000)

    def newest(action):
        seen = set(peer.messages)
        done = action()
        return done, demo.wait_for("the message", lambda: [m for k, m in peer.messages.items() if k not in seen])[0]

    received, first = newest(lambda: post(n, x12.order_850(demo.BUYER, GAMMA, 74, "PO-AGAIN"), [("image/png", "a.png", picture), ("text/csv", "b.csv", b"1;2\r\n")]))
    made, second = newest(lambda: n.vanctl("message", "reprocess", received["id"]).stdout.decode().strip())
    t.ok(picture in second.payload and b"1;2\r\n" in second.payload and second.content_type.startswith("multipart/related"),
         "a message that is processed again goes out with its attachments", second.content_type)
    t.ok(n.vanctl("message", "get", made, "--part", "attachment-1").stdout == picture, "and has them itself")
    for _ in range(9):
        made = n.vanctl("message", "reprocess", made).stdout.decode().strip()
        demo.wait_for("its job", lambda: n.json("message", "show", made)["state"] == "processed")
    t.ok(n.vanctl("message", "get", made, "--part", "attachment-1").stdout == picture, "however often")
    out = children(n, received)[0]
    demo.wait_for("all of them", lambda: n.json("message", "show", children(n, n.json("message", "show", made))[0]["id"])["delivery"] == "delivered")
    again, third = newest(lambda: n.vanctl("message", "resend", out["id"]).stdout.decode().strip())
    t.ok(picture in third.payload and third.content_type.startswith("multipart/related"), "one that is sent again, too", third.content_type)
    _, before = post(n, x12.order_850(demo.BUYER, demo.BETA, 75, "PO-AGAIN-2"), [("image/png", "c.png", picture)]), None
    demo.wait_for("the picture", lambda: picture in n.sftp_fetch("beta").values())
    before = n.sftp_fetch("beta")
    received = [m for m in n.messages("--direction", "in") if m["control_number"] == "000000075"][0]
    n.vanctl("message", "reprocess", received["id"])
    demo.wait_for("two more files", lambda: (f := {k: v for k, v in n.sftp_fetch("beta").items() if k not in before}) and len(f) == 2 and picture in f.values())
    t.ok(True, "and into a mailbox")


def over_as2(n, peer):
    picture, empty = os.urandom(90000), b""
    order = x12.order_850(demo.BUYER, GAMMA, 72, "PO-BESIDE-2")
    for size, beside in (("large", [("image/png", "label.png", picture), ("text/plain", "empty.txt", empty)]), ("small", [("text/csv", "x\"y.csv", b"1;2\r\n")])):
        seen = set(peer.messages)
        received = post(n, order.replace(b"PO-BESIDE-2", f"PO-BESIDE-{size}".encode()), beside)
        got = demo.wait_for("the message", lambda: [m for k, m in peer.messages.items() if k not in seen])[0]
        t.ok(got.content_type.startswith('multipart/related; type="application/edi-x12"') and got.verified, f"{size}: one message, multipart/related, signed",
             (got.content_type, got.verified))
        boundary = re.search(r'boundary="([^"]+)"', got.content_type).group(1).encode()
        parts = [p[2:].partition(b"\r\n\r\n") for p in (b"\r\n" + got.payload).split(b"\r\n--" + boundary)[1:-1]]
        t.equal([p[2] for p in parts[1:]], [d for _, _, d in beside], f"{size}: every attachment, byte for byte")
        t.ok(parts[0][2].startswith(b"ISA*") and all(kind.encode() in p[0] for (kind, _, _), p in zip(beside, parts[1:])), f"{size}: the order first, each with its type")
        demo.wait_for("the MDN", lambda: n.json("message", "show", received["id"])["delivery"] == "delivered")
        t.ok(True, f"{size}: the MDN's MIC is ours: delivered")


def another_digest(n, peer):
    """The MIC is found again, attachments and all, when the receiver names another digest."""
    peer.behaviour = "sha1"
    received = post(n, x12.order_850(demo.BUYER, GAMMA, 73, "PO-BESIDE-3"), [("image/png", "a.png", os.urandom(5000))])
    shown = demo.wait_for("the end", lambda: (m := n.json("message", "show", received["id"])) and m["delivery"] in ("delivered", "failed") and m)
    t.equal(shown["delivery"], "delivered", "an MDN with another digest is understood")


def main():
    if not demo.available():
        tap.skip_all("vand is not built")
    with demo.Network() as n:
        n.create()
        keys = demo.make_certificate(n.peers, "gamma")
        with Peer(n.peers, "gamma", n.hub_sign, own_name="GAMMA", station_name=demo.HUB_AS2, keys=keys) as peer:
            text = demo.read(n.profiles).decode().replace("id: buyer-beta-orders\n", "id: buyer-beta-orders\nduplicates: {control_number: hold, window: 30d}\n")
            with open(n.profiles, "w") as f:
                f.write(text + f"---\nkind: partner\nid: gamma\nidentities: [{{standard: x12, id: \"{GAMMA}\"}}]\nconnections:\n  - id: gamma-as2\n    protocol: as2\n"
                        f"    station: {n.station}\n    as2_id: GAMMA\n    receive: {{certificates: [{keys[0]}]}}\n"
                        f"    send: {{url: \"{peer.url}\", mdn: {{mode: sync, timeout: 10s}}, retry: [1s]}}\n"
                        f"---\nkind: partner\nid: batches\nidentities: [{{standard: x12, id: \"ZZ:BATCHES\", connection: gamma-as2}}]\n"
                        f"---\nkind: agreement\nid: to-batches\nfrom: \"x12 {demo.BUYER}\"\nto: \"x12 ZZ:BATCHES\"\nmode: translate\n"
                        "output: {format: x12, batch: {time: 2h}}\nacknowledged_by: none\n"
                        f"---\nkind: agreement\nid: to-gamma\nfrom: \"x12 {demo.BUYER}\"\nto: \"x12 {GAMMA}\"\nmode: pass-through\nacknowledged_by: receiver\n")
            n.start()
            n.apply_profiles()
            t.run(into_a_mailbox, n)
            t.run(over_as2, n, peer)
            t.run(several_interchanges, n)
            t.run(into_a_batch, n)
            t.run(again, n, peer)
            t.run(another_digest, n, peer)
            if t.failed:
                t.diag(n.log_tail(3000))
            t.equal(n.stop(), 0, "vand stops cleanly")
    return t.done()


if __name__ == "__main__":
    sys.exit(main())
