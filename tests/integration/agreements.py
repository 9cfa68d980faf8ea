#!/usr/bin/python3
"""What agreements say of EDI: how documents are judged, what is written for their receivers, whose acknowledgement counts."""

import os
import sys

import demo
import tap
import x12

t = tap.Tap()
BUYER = demo.BUYER

SHOP = "ZZ:SHOP"  # the receivers below are all of one partner, and differ in their agreements
PARTIES = ("LENIENT", "STRICT", "PLAIN", "GUIDED", "NOGUIDE", "GROUP", "NEAR", "KNOWN", "TA1ONLY", "LOOKS")

JSON_OUT = "mode: translate\noutput: {format: canonical-json, map: x12-004010-850-to-order}\nacknowledged_by: network"
AGREEMENTS = {
    "LENIENT": "validation: {elements: report, counts: report}",
    "STRICT": "validation: {policy: strict}\nacknowledgement: {ta1: always}",
    "PLAIN": "acknowledgement: {kind: '999', ta1: never}",
    "GUIDED": "validation: {guides: [other, shop-850]}\nacknowledgement: {kind: '999'}",
    "NOGUIDE": "validation: {guides: [forgotten]}",
    "GROUP": "validation: {rejects: group}",
    "NEAR": "validation: {unknown: nearest}",
    "KNOWN": "validation: {unknown: reject}",
    "TA1ONLY": "acknowledgement: {kind: TA1}",
    "LOOKS": "acknowledgement: {accepted: false, delimiters: {element: '|', component: '<', terminator: \"\\n\"}}",
}
GUIDE = """guide,x12,850,004010,Shop orders
place,loop,when,rule,value,text
BEG02,,,codes,KN,only purchase orders of the kind KN
"""
OTHER_GUIDE = "guide,x12,810,004010,Shop invoices\nplace,loop,when,rule,value,text\nBIG01,,,required\n"


def profiles(n):
    identities = ", ".join(f'{{standard: x12, id: "ZZ:{name}", connection: shop-sftp}}' for name in PARTIES)
    yield f"""\
kind: partner
id: shop
name: Shop Supplies
identities: [{identities}]
connections:
  - id: shop-sftp
    protocol: sftp-mailbox
    user: shop
    keys: [{{key: "{n.keys['shop'][1]}"}}]
"""
    for name, terms in AGREEMENTS.items():
        yield f'kind: agreement\nid: buyer-{name.lower()}\nfrom: "x12 {BUYER}"\nto: "x12 ZZ:{name}"\n{JSON_OUT}\n{terms}\n'


def make(n):
    """A network with a shop of many addresses, and guides."""
    guides = os.path.join(n.root, "guides")
    os.mkdir(guides)
    for name, text in (("shop-850.csv", GUIDE), ("other.csv", OTHER_GUIDE), ("broken.csv", "this is no guide\n")):
        with open(os.path.join(guides, name), "w") as f:
            f.write(text)
    n.config_changes["guides"] = f"[{guides}]"
    n.create()
    n.keys["shop"] = demo.make_ssh_key(n.peers, "shop")
    n.more = os.path.join(n.root, "agreements.yaml")
    with open(n.more, "w") as f:
        f.write("---\n".join(profiles(n)))
    n.start()
    n.apply_profiles(n.station_profile, n.profiles, n.more)
    return n


class Case:
    """Documents sent by the buyer's mailbox, and what came of them."""

    def __init__(self, n):
        self.n, self.control = n, 100

    def send(self, to, change=lambda s: s, **options):
        """(the received message, our acknowledgements for it as bytes)"""
        self.control += 1
        data = change(x12.order_850(BUYER, f"ZZ:{to}", self.control, f"PO{self.control}", lines=2, **options))
        before = self.n.sftp_fetch("buyer")
        self.n.sftp_put("buyer", data, f"/in/o{self.control}.edi")
        self.n.drain()
        found = [m for m in self.n.messages("--direction", "in") if m["file_name"] == f"o{self.control}.edi" and not m["parent"]]
        new = [d for name, d in self.n.sftp_fetch("buyer").items() if name not in before]
        return found[0], new


def replaced(old, new, count=1):
    def change(data):
        assert old.encode() in data, old
        return data.replace(old.encode(), new.encode(), count)
    return change


def answer(acks):
    """The segments of the only acknowledgement, as one text."""
    return acks[0].decode() if len(acks) == 1 else f"{len(acks)} acknowledgements"


def judged_by_agreement(n, c):
    wrong_element, wrong_count = replaced("FOB*PP*OR", "FOB*PP*ORRR"), replaced("GE*1*", "GE*2*")
    order, acks = c.send("LENIENT", wrong_element)
    t.ok("AK5*E*5~AK9*E*1*1*1" in answer(acks), "elements: report accepts with errors", answer(acks))
    t.equal((order["state"], order["ack"]), ("processed", "accepted-with-errors"), "and says so of the order")
    order, acks = c.send("LENIENT", wrong_count)
    t.ok("AK9*E*2*1*1*5" in answer(acks), "counts: report accepts with errors", answer(acks))
    order, acks = c.send("GROUP", wrong_element)
    t.ok("AK5*R*5~AK9*R*1*1*0" in answer(acks), "other agreements reject the same", answer(acks))
    t.equal(order["state"], "rejected", "and the order")
    order, acks = c.send("STRICT", replaced("~CTT", "~ CTT"))
    t.ok("*R*022~" in answer(acks) and "AK1" not in answer(acks), "policy: strict refuses a blank between segments with a TA1", answer(acks))
    order, acks = c.send("STRICT")
    t.ok("TA1*" in answer(acks) and "AK9*A*1*1*1" in answer(acks), "ta1: always has a TA1 beside the 997 that nobody asked for", answer(acks))
    order, acks = c.send("PLAIN", replaced("~CTT", "~ CTT"))
    t.ok("AK9*A*1*1*1" in answer(acks) and "ST*999*" in answer(acks), "where nothing is said it is read, and kind: 999 is answered", answer(acks))
    order, acks = c.send("PLAIN", lambda d: d.replace(b"*0*P*>~", b"*1*P*>~"))
    t.ok("TA1*" not in answer(acks) and "AK9*A" in answer(acks), "ta1: never, though ISA14 asks", answer(acks))
    order, acks = c.send("PLAIN", replaced("IEA*1*", "IEA*3*"))
    t.ok("TA1*" in answer(acks) and "*R*021~" in answer(acks), "but a rejected ISA is answered", answer(acks))


def groups(n, c):
    def twice(data):
        message = data[data.index(b"ST*850"):data.index(b"GE*1*")]
        bad = message.replace(b"850*0001", b"850*0002").replace(b"*0001~", b"*0002~").replace(b"~CTT", b"~XYZ~CTT").replace(b"SE*23", b"SE*24")
        return data.replace(b"GE*1*", bad + b"GE*2*")
    order, acks = c.send("PLAIN", twice)
    t.ok("IK5*A~" in answer(acks) and "AK9*P*2*2*1" in answer(acks), "rejects: message accepts the rest of its group", answer(acks))
    t.equal(order["ack"], "partially-accepted", "partially accepted")
    before = n.sftp_list("shop")
    order, acks = c.send("GROUP", twice)
    t.ok("AK9*R*2*2*0" in answer(acks) and "AK5*A" not in answer(acks), "rejects: group takes all of it along", answer(acks))
    t.equal(n.sftp_list("shop"), before, "and nothing of it is translated")


def versions(n, c):
    order, acks = c.send("NEAR", version="004050")
    t.ok("AK9*A" in answer(acks) or order["state"] == "held", "unknown: nearest takes 004050 for what is nearest to it", (order, answer(acks)))
    order, acks = c.send("NEAR", lambda d: d.replace(b"~CTT", b"~XYZ~CTT"), version="004050")
    t.ok("AK3*XYZ" in answer(acks), "and finds what is wrong by it", answer(acks))
    order, acks = c.send("KNOWN", version="004050")
    t.ok("AK5*R*1~" in answer(acks), "unknown: reject refuses it", answer(acks))


def guides(n, c):
    order, acks = c.send("GUIDED")
    t.ok("IK4*2*92*I6*SA" in answer(acks) and "IK5*R*I5" in answer(acks), "a guide's errors have the codes of a 999", answer(acks))
    order, acks = c.send("GUIDED", replaced("*00*SA*", "*00*KN*"))
    t.ok("AK9*A*1*1*1" in answer(acks), "and what fits it is accepted", answer(acks))
    order, acks = c.send("NOGUIDE")
    t.equal((order["state"], len(acks)), ("held", 0), "a guide that is not there holds documents")
    t.ok(order["error"] and "forgotten" in order["error"], "and is named", order["error"])
    t.ok("broken.csv" in n.log(), "a guide in error is told in the log, and the others are used")


def forms(n, c):
    order, acks = c.send("TA1ONLY")
    t.ok("TA1*" in answer(acks) and "*A*000~" in answer(acks) and "ST*997" not in answer(acks), "kind: TA1 says that it came, and no more", answer(acks))
    order, acks = c.send("LOOKS")
    text = answer(acks)
    t.ok(text.startswith("ISA|00|") and "\nST|997|0001\n" in text and "AK2" not in text, "delimiters and brevity are the agreement's", text)


def main():
    if not demo.available():
        tap.skip_all("vand is not built")
    with demo.Network(keep="--keep" in sys.argv) as n:
        make(n)
        c = Case(n)
        for group in (judged_by_agreement, groups, versions, guides, forms):
            t.run(group, n, c)
            if n.vand and n.vand.poll() is not None:
                t.ok(False, f"vand lives after {group.__name__}", n.log_tail())
                break
        n.tell(t)
    return t.done()


if __name__ == "__main__":
    sys.exit(main())
