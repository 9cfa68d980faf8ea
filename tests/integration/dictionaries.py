#!/usr/bin/python3
"""Dictionaries of one's own: a folder named in vand.yaml goes before the installed one; a file in error touches only its messages."""

import os
import sys
import tempfile

import demo
import tap
import x12

t = tap.Tap()

STRICTER = """dictionary x12 004010

message 850 PO "order of a few segments"
  ST M 1
  BEG M 1
  SE M 1
"""


def own_dictionary_decides(n):
    payload = x12.order_850(demo.BUYER, demo.ALPHA, 7001, "PO-OWN-1")
    n.send(payload)
    found = demo.wait_for("a 997 for the buyer", lambda: {k: v for k, v in n.sftp_fetch("buyer").items() if x12.is_997(v)})
    t.equal([x12.acknowledged_groups(v)[0][2] for v in found.values()], ["R"], "an order with more segments than our dictionary has is rejected")


def others_are_as_installed(n):
    ack = x12.ack_997(demo.BETA, demo.BUYER, 501, "7777")
    n.sftp_put("beta", ack, "/in/ack.edi")
    n.drain()
    t.ok(any(m["type"] == "997" for m in n.messages()), "messages that the folder does not have are known by the installed ones", n.messages())


def an_error_is_told(n, folder):
    with open(os.path.join(folder, "x12-004010-850.dict"), "a") as f:
        f.write("  BEG\n")
    n.stop()
    n.start()
    payload = x12.order_850(demo.BUYER, demo.ALPHA, 7002, "PO-OWN-2")
    _, _, _, message_id = n.send(payload)
    n.drain()
    found = [m for m in n.messages("--direction", "in") if (m["as2_message_id"] or "").strip("<>") == message_id.strip("<>")]
    t.equal(len(found), 1, "the order is kept")
    detail = n.json("message", "show", found[0]["id"]) if found else {}
    t.ok(detail.get("state") in ("quarantined", "held"), "and neither accepted nor refused", detail)
    t.ok("x12-004010-850.dict:7" in str(detail) or "x12-004010-850.dict:7" in n.log_tail(20000), "the file and line are told", detail)


def main():
    if not demo.available():
        tap.skip_all("vand is not built")
    with tempfile.TemporaryDirectory(prefix="openvan-dict-", dir=os.environ.get("TMPDIR", "/tmp")) as folder:
        os.chmod(folder, 0o755)
        with open(os.path.join(folder, "x12-004010-850.dict"), "w") as f:
            f.write(STRICTER)
        with demo.Network(keep="--keep" in sys.argv, config={"dictionaries": f"[{folder}]"}) as n:
            n.up()
            t.run(own_dictionary_decides, n)
            t.run(others_are_as_installed, n)
            t.run(an_error_is_told, n, folder)
    return t.done()


if __name__ == "__main__":
    sys.exit(main())
