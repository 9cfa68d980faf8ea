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
PARTIES = ("LENIENT", "STRICT", "PLAIN", "GUIDED", "NOGUIDE", "GROUP", "NEAR", "KNOWN", "TA1ONLY", "LOOKS", "REPEAT")

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
    "REPEAT": "acknowledgement: {ta1: never}\nduplicates: {control_number: reject}",
}
# Two sheets of our own: orders as 850s, and as EDIFACT ORDERS.
SHEETS = {
    "shop-orders-850": """target,source,when,transform,table,default,required,note,way
@map,x12 850 004010 <-> order/1.0,,,,,,,
'00',BEG.01,,,,,yes,,out
'SA',BEG.02,,,,,yes,,out
ID,BEG.03,,,,,yes,order number,
IssueDate,BEG.05,,date,,,yes,,
OrderLine[],loop PO1,,,,,,,
OrderLine[].LineItem.ID,PO1.01,,,,,,,
OrderLine[].LineItem.Quantity.value,PO1.02,,decimal,,,,,
OrderLine[].LineItem.Quantity.unitCode,PO1.03,,,unit,,,,
""",
    "shop-orders-edifact": """target,source,when,transform,table,default,required,note,way
@map,edifact ORDERS D:96A <- order/1.0,,,,,,,
'220',BGM.01.01,,,,,yes,,out
ID,BGM.02,,,,,yes,order number,
IssueDate,DTM.01.02,DTM.01.01=137,date,,,yes,,
'S',UNS.01,,,,,yes,,out
OrderLine[],loop LIN,,,,,,,
OrderLine[].LineItem.ID,LIN.01,,,,,,,
OrderLine[].LineItem.Quantity.value,QTY.01.02,QTY.01.01=21,decimal,,,,,
""",
}
GUIDE = """guide,x12,850,004010,Shop orders
place,loop,when,rule,value,text
BEG02,,,codes,KN,only purchase orders of the kind KN
"""
OTHER_GUIDE = "guide,x12,810,004010,Shop invoices\nplace,loop,when,rule,value,text\nBIG01,,,required\n"


# What is written for the mill, which has a mailbox of its own.
MILL = {
    "NORDIC": "output: {format: edifact, map: shop-orders-edifact-out, from: 'edifact 14:BUYNET', syntax: 'UNOB:3', una: true}\nacknowledged_by: receiver",
    "BRIEF": "output: {format: x12, map: shop-orders-850-out}\nacknowledged_by: network",
    "WRAP": "output: {format: x12, delimiters: {element: '|', component: '<', terminator: \"\\n\"}, group_from: BUYAPP, group_to: MILLAPP}\n"
            "acknowledged_by: network",
    "EACH": "output: {format: x12, split: message, acknowledged_within: 1h}\nacknowledged_by: network",
    "PAIRS": "output: {format: x12, max_messages: 2}\nacknowledged_by: none",
    "OTHER": "output: {format: x12, from: 'x12 ZZ:BUYNET', to: 'x12 12:5551234'}\nacknowledged_by: none",
    "TURN": "output: {format: x12}\nacknowledged_by: receiver\nacknowledgement: {within: 1h}",
    "SILENT": "output: {format: x12, split: message, acknowledged_within: 2s}\nacknowledged_by: receiver\nacknowledgement: {within: 2s}",
    "NINES": "output: {format: x12}\nacknowledged_by: receiver\nacknowledgement: {kind: '999', within: 1h}",
    "KEPT": "output: {format: x12, batch: {time: 2h}}\nacknowledged_by: none",
    "COUNT": "output: {format: x12, batch: {time: 2h, messages: 3}}\nacknowledged_by: receiver\nacknowledgement: {within: 3h}",
    "TIME": "output: {format: x12, batch: {time: 2s}}\nacknowledged_by: none",
    "SIZE": "output: {format: x12, batch: {time: 2h, size: 2KiB}}\nacknowledged_by: none",
}


def profiles(n):
    mill = ", ".join(f'{{standard: x12, id: "{i}", connection: mill-sftp}}' for i in [f"ZZ:{m}" for m in MILL] + ["ZZ:FIXED", "12:5551234"])
    mill += ', {standard: edifact, id: "14:MILLEDI", connection: mill-sftp}'
    yield f"""\
kind: partner
id: mill
name: Mill Supplies
identities: [{mill}]
connections:
  - id: mill-sftp
    protocol: sftp-mailbox
    user: mill
    keys: [{{key: "{n.keys['mill'][1]}"}}]
"""
    for name, terms in MILL.items():
        yield f'kind: agreement\nid: buyer-{name.lower()}\nfrom: "x12 {BUYER}"\nto: "x12 ZZ:{name}"\nmode: translate\n{terms}\n'
    yield f'kind: agreement\nid: buyer-fixed\nfrom: "x12 {BUYER}"\nto: "x12 ZZ:FIXED"\nvalidation: {{policy: repair}}\n'
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
    for user in ("shop", "mill"):
        n.keys[user] = demo.make_ssh_key(n.peers, user)
    n.more = os.path.join(n.root, "agreements.yaml")
    with open(n.more, "w") as f:
        f.write("---\n".join(profiles(n)))
    n.start()
    for name, text in SHEETS.items():
        path = os.path.join(n.root, f"{name}.csv")
        with open(path, "w") as f:
            f.write(text)
        n.vanctl("map", "import", path)
        n.vanctl("map", "activate", name)
    n.apply_profiles(n.station_profile, n.profiles, n.more)
    return n


class Case:
    """Documents sent by the buyer's mailbox, and what came of them."""

    def __init__(self, n):
        self.n, self.control, self.seen = n, 100, {}

    def new(self, user):
        """What has come into a mailbox since the last time this was asked, in the order of time."""
        found = self.n.sftp_fetch(user)
        new = [found[name] for name in sorted(found, key=lambda s: s.rsplit("_", 1)[-1]) if name not in self.seen.setdefault(user, set())]
        self.seen[user] |= set(found)
        return new

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


def repeats(n, c):
    """A number that was used before, under `duplicates: {control_number: reject}`."""
    order, acks = c.send("REPEAT")
    t.ok("AK9*A*1*1*1" in answer(acks) and "TA1*" not in answer(acks), "the first of a number is accepted", answer(acks))
    before = n.sftp_list("shop")
    c.control -= 1
    repeat, acks = c.send("REPEAT")
    t.ok(f"TA1*{c.control:09d}*" in answer(acks) and "*R*025~" in answer(acks) and "AK1" not in answer(acks), "the second gets TA1 025 and no 997", answer(acks))
    t.equal((repeat["state"], repeat["ack"]), ("rejected", "rejected"), "is rejected, and shown as answered so")
    t.ok(order["id"] in repeat["error"], "and names the first", repeat["error"])
    t.equal((n.sftp_list("shop"), shown(n, order)["ack"]), (before, "accepted"), "nothing goes to its receiver, and nothing changes for the first")


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


def several(count):
    """A change that makes `count` messages of one."""
    def change(data):
        message = data[data.index(b"ST*850"):data.index(b"GE*1*")]
        more = b"".join(message.replace(b"*0001~", b"*%04d~" % i).replace(b"BEG*00*SA*PO", b"BEG*00*SA*P%dO" % i) for i in range(2, count + 1))
        return data.replace(b"GE*1*", more + b"GE*%d*" % count)
    return change


def fields(data, segment):
    """The elements of each segment with this identifier."""
    return [s for s in x12.segments(data) if s[0] == segment]


def valid(n, data):
    path = os.path.join(n.root, "made.edi")
    with open(path, "wb") as f:
        f.write(data)
    done = n.vanctl("edi", "validate", "--strict", path, check=False)
    return done.returncode == 0 or done.stdout.decode()


def written_for_the_receiver(n, c):
    order, acks = c.send("WRAP", replaced("~CTT", "**~ CTT"))
    t.ok("AK9*A*1*1*1" in answer(acks), "the network acknowledges what it writes anew", answer(acks))
    made = c.new("mill")
    t.equal(len(made), 1, "an interchange in the agreement's form")
    text = made[0].decode()
    t.ok(text.startswith("ISA|00|          |00|          |01|123456789      |ZZ|WRAP           |") and text.index("\n") == 105, "padded", text[:120])
    t.ok("GS|PO|BUYAPP|MILLAPP|" in text and "\nST|850|0001\n" in text, "with its delimiters and group addresses", text[:300])
    t.equal(valid(n, made[0]), True, "it is valid, and nothing in it needs tolerance")
    numbers = [(fields(made[0], "ISA")[0][13], fields(made[0], "GS")[0][6], fields(made[0], "IEA")[0][2], fields(made[0], "GE")[0][2])]
    t.equal(numbers, [("000000001", "1", "000000001", "1")], "with the network's own numbers")
    c.send("WRAP")
    made = c.new("mill")
    t.equal((fields(made[0], "ISA")[0][13], fields(made[0], "GS")[0][6]), ("000000002", "2"), "which count")
    order, _ = c.send("WRAP", replaced("PID*F****CORDLESS", "PID*F****CORD|LESS"))
    t.equal(order["state"], "held", "data that cannot be written holds the document")
    t.ok(order["error"] and "PID05" in order["error"], "and says where", order["error"])
    c.send("OTHER")
    made = c.new("mill")
    isa = fields(made[0], "ISA")[0]
    t.equal((isa[5], isa[6].strip(), isa[7], isa[8].strip()), ("ZZ", "BUYNET", "12", "5551234"), "other addresses where the agreement names them")
    c.send("EACH", several(3))
    made = c.new("mill")
    t.equal([len(fields(m, "ST")) for m in made], [1, 1, 1], "split: message makes an interchange of each")
    t.equal([int(fields(m, "ISA")[0][13]) for m in made], [1, 2, 3], "numbered one after the other")
    c.send("PAIRS", several(5))
    made = c.new("mill")
    t.equal([len(fields(m, "ST")) for m in made], [2, 2, 1], "max_messages splits")
    t.equal([valid(n, m) for m in made], [True] * 3, "and each is valid")


def by_maps(n, c):
    order, acks = c.send("BRIEF")
    made = c.new("mill")
    t.ok(len(made) == 1 and f"BEG*00*SA*PO{c.control}**20260801" in made[0].decode(), "a map writes the receiver's 850", (order["error"], made))
    t.equal(len(fields(made[0], "PO1")), 2, "with its lines")
    order, acks = c.send("NORDIC")
    made = c.new("mill")
    text = made[0].decode() if made else str(order["error"])
    t.ok(text.startswith("UNA:+.? 'UNB+UNOB:3+BUYNET:14+MILLEDI:14+"), "X12 becomes EDIFACT between the parties' EDIFACT addresses", text)
    t.ok(f"BGM+220+PO{c.control}" in text and "'LIN+1'" in text and "'UNZ+1+1'" in text, "by the agreement's map", text)
    t.equal(valid(n, made[0]), True, "it is valid")
    contrl = ("UNB+UNOB:3+MILLEDI:14+BUYNET:14+260801:1310+77'UNH+1+CONTRL:D:3:UN'UCI+1+BUYNET:14+MILLEDI:14+7'"
              "UCM+1+ORDERS:D:96A:UN+7'UNT+4+1'UNZ+1+77'").encode()
    back = answer_from_mill(n, c, contrl)
    t.equal([x12.acknowledged_groups(b) for b in back], [[("PO", c.control, "A")]], "its CONTRL becomes the sender's 997")
    t.equal(shown(n, order)["ack"], "accepted", "and the order's state")


def put_right(n, c):
    c.send("FIXED", lambda d: d.replace(b"~CTT", b"**~\r\n CTT").replace(b"123456789      ", b"123456789") + b"\n\n")
    made = c.new("mill")
    t.equal(len(made), 1, "policy: repair passes the interchange on")
    t.equal((valid(n, made[0]), made[0].find(b"~")), (True, 105), "with its form put right")
    t.equal(fields(made[0], "ISA")[0][13], f"{c.control:09d}", "under the sender's own number")


def ack_of(data, control, statuses="A", ta1=None, kind="997"):
    """The receiver's 997 or 999 for an interchange that we wrote: a status for each of its messages."""
    isa, gs = fields(data, "ISA")[0], fields(data, "GS")[0]
    sender, receiver = f"{isa[7]}:{isa[8].strip()}", f"{isa[5]}:{isa[6].strip()}"
    numbers = [s[2] for s in fields(data, "ST")]
    head = [x12.isa(sender, receiver, control)]
    if ta1:
        return "".join(s + "~" for s in head + [f"TA1*{isa[13]}*{isa[9]}*{isa[10]}*{ta1}", f"IEA*0*{control:09d}"]).encode()
    nines, guide = kind == "999", "005010X231A1"
    body = [f"ST*999*0001*{guide}", f"AK1*PO*{gs[6]}*{gs[8]}"] if nines else ["ST*997*0001", f"AK1*PO*{gs[6]}"]
    for number, status in zip(numbers, statuses):
        body += [f"AK2*850*{number}"] + (["IK3*BEG*2**8", "IK4*2*92*7*QQ"] if nines and status == "R" else [])
        body += [("IK5" if nines else "AK5") + f"*{status}" + ("*5" if status == "R" else "")]
    accepted = sum(s != "R" for s in statuses)
    whole = "A" if "R" not in statuses else "R" if accepted == 0 else "P"
    body += [f"AK9*{whole}*{len(numbers)}*{len(numbers)}*{accepted}"]
    body += [f"SE*{len(body) + 1}*0001"]
    version = guide if nines else "004010"
    segments = head + [f"GS*FA*{gs[3]}*{gs[2]}*20260801*1310*{control}*X*{version}"] + body + [f"GE*1*{control}", f"IEA*1*{control:09d}"]
    return "".join(s + "~" for s in segments).encode()


def answer_from_mill(n, c, data):
    """The mill uploads; what the buyer then gets."""
    c.new("buyer")
    n.sftp_put("mill", data, f"/in/a{len(c.seen)}_{abs(hash(data))}.edi")
    n.drain()
    return c.new("buyer")


def shown(n, message):
    return n.json("message", "show", message["id"])


def turned_back(n, c):
    order, acks = c.send("TURN", several(3))
    made = c.new("mill")
    t.equal((len(made), len(acks), order["ack"]), (1, 0, "expected"), "acknowledged_by: receiver waits for the receiver")
    outs = [m for m in shown(n, order)["children"]]
    t.equal(len(outs), 1, "the order shows what was made of it")
    back = answer_from_mill(n, c, ack_of(made[0], 801, "ARA"))
    t.equal(len(back), 1, "its 997 becomes one for the sender, and only that")
    text = back[0].decode()
    t.equal(x12.acknowledged_groups(back[0]), [("PO", c.control, "P")], "with the sender's group number")
    t.ok("AK2*850*0001~AK5*A~AK2*850*0002~AK5*R~AK2*850*0003~AK5*A~AK9*P*3*3*2" in text, "and his messages' numbers", text)
    t.equal(valid(n, back[0]), True, "it is valid by our dictionary")
    t.equal(shown(n, order)["ack"], "partially-accepted", "the order shows the state")
    again = answer_from_mill(n, c, ack_of(made[0], 802, "AAA"))
    t.equal((len(again), shown(n, order)["ack"]), (0, "partially-accepted"), "a second 997 makes no second answer, and changes no rejection")
    # what we rejected ourselves is told with its places, beside what the receiver said
    order, acks = c.send("TURN", lambda d: several(2)(d).replace(b"ST*850*0002~BEG*00*SA", b"ST*850*0002~BEG*QQQ*SA"))
    made = c.new("mill")
    t.equal(len(fields(made[0], "ST")), 1, "a rejected message is not written")
    back = answer_from_mill(n, c, ack_of(made[0], 803, "A"))
    text = back[0].decode() if back else ""
    t.ok("AK2*850*0001~AK5*A~AK2*850*0002~AK3*BEG*2**8~" in text and "AK5*R*5~AK9*P*2*2*1" in text, "the answer tells both", text)
    order, acks = c.send("TURN", replaced("BEG*00*SA", "BEG*QQQ*SA"))
    t.ok("AK9*R*1*1*0" in answer(acks) and order["state"] == "rejected", "where nothing was written the sender is answered at once", answer(acks))


def nines_turned_back(n, c):
    order, acks = c.send("NINES", several(2))
    made = c.new("mill")
    t.equal((len(made), len(acks), order["ack"]), (1, 0, "expected"), "a receiver that answers with 999s is waited for")
    back = answer_from_mill(n, c, ack_of(made[0], 805, "AR", kind="999"))
    text = back[0].decode() if back else ""
    t.ok(len(back) == 1 and "~ST*999*0001*005010X231A1~" in text, "its 999 becomes a 999, where the agreement says so", text)
    t.ok(f"~AK1*PO*{c.control}*004010~AK2*850*0001~IK5*A~AK2*850*0002~IK5*R~AK9*P*2*2*1~" in text, "in the sender's numbers, with each verdict", text)
    t.equal(valid(n, back[0]), True, "it is valid by our dictionary")
    t.equal(shown(n, order)["ack"], "partially-accepted", "the order shows the state")
    order, _ = c.send("TURN", several(2))
    made = c.new("mill")
    back = answer_from_mill(n, c, ack_of(made[0], 806, "RA", kind="999"))
    text = back[0].decode() if back else ""
    t.ok("AK2*850*0001~AK5*R~AK2*850*0002~AK5*A~AK9*P*2*2*1" in text, "and a 997 where the sender is owed that", text)


def one_is_silent(n, c):
    """A receiver that answers one of two interchanges that were made of one."""
    order, _ = c.send("SILENT", several(2))
    made = sorted(c.new("mill"), key=lambda m: fields(m, "ISA")[0][13])
    t.equal((len(made), order["ack"]), (2, "expected"), "of one order two interchanges were made")
    t.equal(answer_from_mill(n, c, ack_of(made[0], 807, "R")), [], "the answer to one is kept until all is known")
    outs = [m["id"] for m in shown(n, order)["children"]]
    overdue = demo.wait_for("the deadline", lambda: order["id"] in [m["id"] for m in n.json("ack", "list", "--overdue")] and n.json("ack", "list", "--overdue"))
    silent = [o for o in outs if o in [m["id"] for m in overdue]]
    t.equal((len(silent), n.json("status")["acks_overdue"] >= 2), (1, True), "what is overdue is listed, and counted by status")
    c.new("buyer")
    n.vanctl("ack", "close", silent[0], "--reason", "they will not answer it")
    n.drain()
    back = c.new("buyer")
    text = back[0].decode() if back else ""
    t.ok(len(back) == 1 and "~AK2*850*0001~AK5*R~AK2*850*0002~AK5*A~AK9*P*2*2*1~" in text,
         "closing it answers the sender: what its receiver said, and our own check of the other", text)
    t.equal(shown(n, order)["ack"], "partially-accepted", "the order is not awaited any more")
    t.equal([m["id"] for m in n.json("ack", "list", "--overdue") if m["id"] in outs + [order["id"]]], [], "nor is it overdue")
    late = answer_from_mill(n, c, ack_of(made[1], 808, "A"))
    t.equal((late, shown(n, order)["ack"]), ([], "partially-accepted"), "what is said too late is kept, and answers nothing twice")
    order, _ = c.send("SILENT", several(2))
    c.new("mill")
    n.vanctl("ack", "close", order["id"], "--reason", "never mind")
    n.drain()
    t.equal((c.new("buyer"), shown(n, order)["ack"]), ([], "none"), "where nothing is known nobody is told anything")


def ta1_and_strangers(n, c):
    order, _ = c.send("TURN")
    made = c.new("mill")[0]
    back = answer_from_mill(n, c, ack_of(made, 811, ta1="A*000"))
    t.equal((back, shown(n, order)["ack"]), ([], "expected"), "a TA1 that accepts goes no further, and answers nothing")
    back = answer_from_mill(n, c, ack_of(made, 812, ta1="R*022"))
    t.equal([x12.acknowledged_groups(b) for b in back], [[("PO", c.control, "R")]], "one that rejects is the end of the order")
    order, _ = c.send("WRAP")
    made = c.new("mill")[0]
    c.new("buyer")
    back = answer_from_mill(n, c, ack_of(made, 813, "R"))
    t.equal(back, [], "where the network has acknowledged, the receiver's goes no further")
    made_of = shown(n, order)
    t.equal((made_of["ack"], [m["ack"] for m in n.messages("--direction", "out", "--to", "x12 ZZ:WRAP")][0]), ("accepted", "rejected"),
            "it is shown with what was written")


def mixed_acknowledgements(n, c):
    """One interchange of the mill's with a 997 for what we wrote and one for what the buyer wrote."""
    c.send("TURN")
    made = c.new("mill")[0]
    ours = ack_of(made, 821, "A")
    theirs = ours[ours.index(b"GS*"):ours.index(b"IEA*")].replace(b"AK1*PO*" + fields(made, "GS")[0][6].encode(), b"AK1*PO*777777")
    theirs = theirs.replace(b"*821*X*", b"*822*X*").replace(b"GE*1*821", b"GE*1*822")
    both = ours[:ours.index(b"IEA*")] + theirs + ours[ours.index(b"IEA*"):].replace(b"IEA*1*", b"IEA*2*")
    back = answer_from_mill(n, c, both)
    groups = sorted(g for b in back for g in x12.acknowledged_groups(b))
    t.equal(groups, sorted([("PO", c.control, "A"), ("PO", 777777, "A")]), "each reaches the buyer once, in the numbers he knows")
    t.equal([valid(n, b) for b in back], [True] * len(back), "in interchanges that are valid")


def batches(n, c):
    orders = [c.send("COUNT")[0] for _ in range(2)]
    t.equal(c.new("mill"), [], "messages wait for the others of their batch")
    t.equal([shown(n, o)["delivery"] for o in orders], ["queued"] * 2, "and show that they do")
    n.kill()
    n.start()
    orders.append(c.send("COUNT")[0])
    made = c.new("mill")
    t.equal([len(fields(m, "ST")) for m in made], [3], "after kill -9 and a restart none is lost, and they go as one interchange")
    t.equal(len({s[3] for s in fields(made[0], "BEG")}), 3, "each of them once")
    t.equal(valid(n, made[0]), True, "it is valid")
    back = answer_from_mill(n, c, ack_of(made[0], 831, "AAR"))
    states = {x12.acknowledged_groups(b)[0][2] for b in back}
    t.equal((len(back), states), (3, {"A", "R"}), "its 997 becomes one for each of the three orders")
    t.equal([shown(n, o)["ack"] for o in orders], ["accepted", "accepted", "rejected"], "with the state of each")
    numbers = sorted(x12.acknowledged_groups(b)[0][1] for b in back)
    t.equal(numbers, [c.control - 2, c.control - 1, c.control], "in their own numbers")
    c.send("TIME")
    c.send("TIME")
    made = []
    demo.wait_for("the batch's time", lambda: made.extend(c.new("mill")) or sum(len(fields(m, "ST")) for m in made) == 2)
    t.ok(len(made) in (1, 2), "by time", len(made))
    counters = n.json("control", "list", "--to", "x12 ZZ:COUNT")
    t.equal(sorted((k["level"], k["last"]) for k in counters), [("group", 1), ("interchange", 1)], "control list shows the counters")
    n.vanctl("control", "set", "--from", f"x12 {BUYER}", "--to", "x12 ZZ:TIME", "41")
    c.control += 3
    c.send("TIME")
    made = demo.wait_for("the next number", lambda: c.new("mill"), timeout=60)
    t.equal(fields(made[0], "ISA")[0][13], "000000042", "control set decides the next number")
    c.send("TIME")
    demo.wait_for("the other", lambda: c.new("mill"), timeout=60)
    gaps = [(g["first"], g["last"]) for g in n.json("control", "gaps", "--to", "x12 ZZ:TIME")]
    t.ok((c.control - 4, c.control - 2) in gaps, "control gaps shows what a sender left out", gaps)
    c.send("SIZE")
    t.equal(c.new("mill"), [], "a small one waits for a size")
    c.send("SIZE", several(3))
    t.equal([len(fields(m, "ST")) for m in c.new("mill")], [4], "and goes when it is reached")


def kept_batches(n, c):
    """What operators do to a batch."""
    def waiting():
        return [b for b in n.json("queue", "list") if b["kind"] == "batch" and b["message"] in
                [m["id"] for m in n.messages("--direction", "out", "--to", "x12 ZZ:KEPT")]]
    orders = [c.send("KEPT")[0] for _ in range(2)]
    listed = waiting()
    t.equal([(b["state"], b["messages"], b["next"] is not None) for b in listed], [("queued", 2, True)], "queue list shows a batch that waits, and until when")
    batch = listed[0]["id"]
    t.equal(n.json("queue", "show", batch), listed[0], "queue show, too")
    n.vanctl("queue", "hold", batch)
    t.equal((n.json("queue", "show", batch)["state"], shown(n, orders[0])["delivery"]), ("held", "held"), "it can be held, and its documents show that")
    orders.append(c.send("KEPT")[0])
    t.equal([(b["state"], b["messages"]) for b in waiting()], [("held", 2), ("queued", 1)], "new messages open another")
    n.kill()
    n.start()
    t.equal(c.new("mill"), [], "after a restart it is still held")
    n.vanctl("queue", "release", batch)
    n.drain()
    made = c.new("mill")
    t.equal([len(fields(m, "ST")) for m in made], [2], "release makes it an interchange")
    t.equal([b["messages"] for b in waiting()], [1], "it waits no longer")
    other = waiting()[0]["id"]
    t.equal(n.vanctl("queue", "release", other, check=False).returncode, 1, "what is not held cannot be released")
    n.vanctl("queue", "retry", other)
    n.drain()
    t.equal([len(fields(m, "ST")) for m in c.new("mill")], [1], "retry sends a batch before its time")
    order, _ = c.send("KEPT")
    n.vanctl("queue", "drop", waiting()[0]["id"])
    t.equal((waiting(), c.new("mill"), shown(n, order)["delivery"]), ([], [], "dropped"), "drop gives it up, and its document says so")


def main():
    if not demo.available():
        tap.skip_all("vand is not built")
    with demo.Network(keep="--keep" in sys.argv) as n:
        make(n)
        c = Case(n)
        n.run_groups(t, (judged_by_agreement, repeats, groups, versions, guides, forms, written_for_the_receiver, put_right, by_maps,
                          turned_back, nines_turned_back, one_is_silent, ta1_and_strangers, mixed_acknowledgements, batches,
                          kept_batches), c)
    return t.done()


if __name__ == "__main__":
    sys.exit(main())
