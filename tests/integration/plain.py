#!/usr/bin/python3
"""Partners without EDI: CSV, UBL and JSON come in by mailbox and over AS2, are routed and translated by agreements, and go out."""

import json
import os
import subprocess
import sys

import demo
import tap
import x12

t = tap.Tap()
BUYER, ALPHA = demo.BUYER, demo.ALPHA
SAMPLES = os.path.join(demo.TOP, "maps", "samples")
UBL = os.path.join(demo.TOP, "tests", "map", "ubl")


def profiles(n):
    """The buyer also sends CSV over AS2; the shop knows no EDI at all."""
    station = f"    station: {n.station}\n"
    text = n.profile_text().replace(station, station + "    documents:\n"
                                    "      - {content_types: [text/csv], format: csv, sheet: csv-order, to: 'x12 ZZ:ALPHA'}\n"
                                    "      - {content_types: [application/xml], format: ubl-xml, to: 'x12 ZZ:ALPHA'}\n", 1)
    return text + f"""\
---
kind: partner
id: shop
name: Corner Shop
identities: [{{standard: x12, id: "ZZ:SHOP"}}, {{standard: x12, id: "ZZ:SHOPTEST"}}]
connections:
  - id: shop-sftp
    protocol: sftp-mailbox
    user: shop
    keys: [{{key: "{n.keys['shop'][1]}"}}]
    documents:
      - {{files: ["many-*.csv"], format: csv, sheet: shop-many}}
      - {{files: ["test-*.csv"], format: csv, sheet: csv-order, from: "x12 ZZ:SHOPTEST", to: "x12 {BUYER}", environment: test}}
      - {{files: ["*.csv"], format: csv, sheet: shop-orders, to: "x12 {BUYER}"}}
      - {{files: ["*.xml"], format: ubl-xml, to: "x12 {BUYER}"}}
      - {{files: ["*.json"], format: canonical-json}}
      - {{files: ["*.pdf"], format: any, type: drawing, to: "x12 {ALPHA}"}}
---
kind: agreement
id: shop-buyer-orders
from: "x12 ZZ:SHOP"
to: "x12 {BUYER}"
type: order
mode: translate
output: {{format: x12, map: order-to-x12-004010-850, delimiters: {{element: "\\x1d", component: "\\x1f", terminator: "\\x1c"}}}}
rules: {{sheets: [shop]}}
acknowledged_by: none
---
kind: agreement
id: shop-alpha-orders
from: "x12 ZZ:SHOP"
to: "x12 {ALPHA}"
type: order
mode: translate
output: {{format: canonical-json}}
rules: {{sheets: [shop], rest: hold, answer: advice}}
acknowledged_by: none
---
kind: agreement
id: shop-buyer-invoices
from: "x12 ZZ:SHOP"
to: "x12 {BUYER}"
type: invoice
version: "1.0"
mode: translate
output: {{format: canonical-json}}
acknowledged_by: receiver
---
kind: agreement
id: shop-test
from: "x12 ZZ:SHOPTEST"
to: "x12 {BUYER}"
environment: test
mode: translate
output: {{format: edifact, map: order-to-edifact-d96a-orders, from: "edifact 14:4012345000009", to: "edifact 14:4098765000010"}}
acknowledged_by: none
---
kind: agreement
id: buyer-alpha-plain
from: "x12 {BUYER}"
to: "x12 {ALPHA}"
type: order
mode: translate
output: {{format: ubl-xml}}
acknowledged_by: none
---
kind: agreement
id: buyer-shop
from: "x12 {BUYER}"
to: "x12 ZZ:SHOP"
type: "850"
mode: translate
output: {{format: csv, sheet: shop-orders}}
acknowledged_by: network
---
kind: agreement
id: buyer-shop-form
from: "x12 {BUYER}"
to: "x12 ZZ:SHOPTEST"
type: "850"
mode: translate
output: {{format: xml}}
acknowledged_by: network
"""


RULES = """rule,value,show,text
quantity,$max(OrderLine.LineItem.Quantity.$number(value)) < 1000,OrderLine[0].LineItem.Quantity.value,nobody orders so much
"""
HEAD = "Order No,Order Date,Currency,Line,Seller Item,Quantity,Unit,Price\n"


def make(n):
    n.create()
    n.keys["shop"] = demo.make_ssh_key(n.peers, "shop")
    n.start()
    sheets = os.path.join(n.root, "sheets")
    os.mkdir(sheets)
    with open(os.path.join(demo.TOP, "maps", "csv-order.csv"), encoding="utf-8") as f:
        sheet = f.read()
    many = sheet + "_envelope.receiver,Supplier,,,customer:pass,,,\"the shop's number of the supplier\",in\n"
    customers = "from,to,note\n" + f"B1,{BUYER},\nA1,x12 {ALPHA},\nN1,ZZ:NEWCOMER,\n"
    for name, text in (("shop-orders.csv", sheet), ("rules-shop.csv", RULES), ("table-customer.csv", customers), ("shop-many.csv", many)):
        path = os.path.join(sheets, name)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        n.vanctl("map", "import", path)
        n.vanctl("map", "activate", name[:-4])
    with open(n.profiles, "w", encoding="utf-8") as f:
        f.write(profiles(n))
    n.apply_profiles()
    return n


def put(n, user, data, name):
    """Uploads, and gives the message that it became."""
    n.sftp_put(user, data if isinstance(data, bytes) else data.encode(), "/in/" + name)
    n.drain()
    found = [m for m in n.messages("--direction", "in") if m["file_name"] == name and not m["parent"]]
    return max(found, key=lambda m: m["id"])


def made_of(n, message):
    """{file name: bytes} of what was made of this message; what an agreement writes with control characters as delimiters is shown with the usual ones."""
    return {m["file_name"]: usual(n.vanctl("message", "get", m["id"]).stdout) for m in n.messages("--direction", "out") if m["parent"] == message["id"]}


def usual(text):
    return text.translate(bytes.maketrans(b"\x1d\x1f\x1c", b"*:~")) if text.startswith(b"ISA\x1d") else text


def fetched(n, user):
    return [usual(v) for v in n.sftp_fetch(user).values()]


def status_of(n, user, name):
    path = os.path.join(n.root, "status")
    n.sftp(user, f'get "/in/archive/{name}.status" "{path}"')
    return demo.read(path).decode()


def order(po, quantity="5", line="1"):
    return f"{po},2026-03-10,EUR,{line},A-1,{quantity},C62,2.50\n"


def csv_becomes_an_850(n):
    m = put(n, "shop", HEAD + order("PO-C1") + order("PO-C1", line="2") + order("PO-C2"), "orders-1.csv")
    t.equal([m[k] for k in ("state", "standard", "type", "version", "from", "to", "agreement", "control_number", "error")],
            ["processed", "CSV", "order", "1.0", "x12 ZZ:SHOP", f"x12 {BUYER}", "shop-buyer-orders", "PO-C1", None], "a CSV file is routed by its connection's rule")
    made = list(made_of(n, m).values())
    t.ok(len(made) == 1 and made[0].count(b"ST*850*") == 2 and made[0].count(b"ST*850*") == 2 and b"BEG*00*SA*PO-C1*" in made[0] and made[0].count(b"PO1*") == 3, "two orders in one interchange", made)
    raw = n.vanctl("message", "get", next(x["id"] for x in n.messages("--direction", "out") if x["parent"] == m["id"])).stdout
    t.ok(raw[3:4] == b"\x1d" and raw[104:106] == b"\x1f\x1c", "with the agreement's delimiters, which are control characters", raw[:110])
    with open(os.path.join(n.root, "made.x12"), "wb") as f:
        f.write(raw)
    done = demo.run([demo.program("vanctl"), "edi", "validate", os.path.join(n.root, "made.x12")], check=False)
    t.ok(done.returncode == 0, "which is sound", done.stdout.decode())
    t.ok(made[0] in fetched(n, "buyer"), "and waits in the buyer's mailbox")
    t.equal({x["id"] for x in n.messages("--search", "PO-C2")} >= {m["id"]}, True, "the order's number finds the file")
    events = [r["event"] for r in n.json("receipt", "list") if r["message"] == m["id"]]
    t.equal(events, ["sftp-in"], "there is a receipt of it")
    t.equal(m["ack"], "none", "nothing owes it an acknowledgement")


def a_broken_row_waits_in_quarantine(n):
    m = put(n, "shop", HEAD + order("PO-Q1") + order("PO-Q1", quantity="five", line="2"), "orders-2.csv")
    t.equal((m["state"], m["delivery"]), ("quarantined", None), "a file with a broken row is set aside")
    t.ok("row 3" in m["error"] and "Quantity" in m["error"] and "five" in m["error"] and "mend" in m["error"], "the error names row, column, value and remedy", m["error"])
    t.equal(made_of(n, m), {}, "nothing goes out")
    m = put(n, "shop", "Something,else\n1,2\n", "orders-3.csv")
    t.ok(m["state"] == "quarantined" and "Order No" in m["error"], "a file without the columns, too", m)
    said = status_of(n, "shop", "orders-2.csv")
    t.ok("quarantined" in said and "row 3" in said, "the partner reads it in the file's .status", said)
    m = put(n, "shop", b"<?xml version='1.0'?><!DOCTYPE a [<!ENTITY b 'c'>]><Order>&b;</Order>", "order-1.xml")
    t.ok(m["state"] == "quarantined" and "line" in m["error"], "hostile XML is refused with its line", m)
    m = put(n, "shop", b'{"_document": "order/1.0", "ID": "J0"', "order-1.json")
    t.ok(m["state"] == "quarantined" and "line" in m["error"], "broken JSON, too", m)
    m = put(n, "shop", b'{"ID": "J0"}', "order-2.json")
    t.ok(m["state"] == "quarantined" and "_document" in m["error"], "and what does not say what it is", m)


def the_mended_sheet_delivers_it_once(n):
    """A shop that writes "five": its sheet learns it, and what was quarantined is processed again."""
    waiting = [m for m in n.messages("--state", "quarantined") if m["file_name"] == "orders-2.csv"]
    with open(os.path.join(n.root, "sheets", "shop-orders.csv"), encoding="utf-8") as f:
        text = f.read()
    five = "OrderLine[].LineItem.Quantity.value,'5',Quantity=five,,,,,\"the shop's word for it\",in\nOrderLine[].LineItem.Quantity.value,Quantity,"
    with open(os.path.join(n.root, "sheets", "shop-orders.csv"), "w", encoding="utf-8") as f:
        f.write(text.replace("OrderLine[].LineItem.Quantity.value,Quantity,", five))
    n.vanctl("map", "import", os.path.join(n.root, "sheets", "shop-orders.csv"))
    n.vanctl("map", "activate", "shop-orders")
    n.vanctl("message", "reprocess", waiting[0]["id"])
    n.drain()
    found = [v for v in fetched(n, "buyer") if b"PO-Q1" in v]
    t.equal((len(found), found[0].count(b"PO1*") if found else 0), (1, 2), "reprocess of the file delivers it once")
    t.equal([m for m in n.messages("--state", "quarantined") if m["id"] == waiting[0]["id"]], [], "and it waits no more")


def a_broken_row_spoils_its_own_order(n):
    text = HEAD + order("PO-X1") + order("PO-X2") + order("PO-X2", quantity="many", line="2") + ",,,3,A-1,1,C62,1\n" + order("PO-X3") + order("PO-X4").replace("2026-03-10", "soon")
    m = put(n, "shop", text, "orders-9.csv")
    made = b"".join(made_of(n, m).values())
    t.equal((m["state"], [po for po in ("PO-X1", "PO-X2", "PO-X3", "PO-X4") if po.encode() in made]), ("processed", ["PO-X1", "PO-X3"]), "the sound orders of a file go on")
    held = sorted((x for x in n.messages("--state", "quarantined") if x["parent"] == m["id"]), key=lambda x: x["error"])
    said = status_of(n, "shop", "orders-9.csv")
    t.ok("error: message PO-X2: map shop-orders: row 4, column Quantity" in said and "error: message PO-X4" in said, "its .status tells the partner which rows", said)
    t.ok(len(held) == 2 and "PO-X2: map shop-orders: row 4, column Quantity: 'many'" in held[0]["error"] and "PO-X4: map shop-orders: row 7, column Order Date" in held[1]["error"],
         "the others wait, each with its row, column and value", [x["error"] for x in held])
    with open(os.path.join(n.root, "sheets", "shop-orders.csv"), encoding="utf-8") as f:
        sheet = f.read()
    with open(os.path.join(n.root, "sheets", "shop-orders.csv"), "w", encoding="utf-8") as f:
        f.write(sheet.replace("OrderLine[].LineItem.Quantity.value,Quantity,", "OrderLine[].LineItem.Quantity.value,'9',Quantity=many,,,,,,in\nOrderLine[].LineItem.Quantity.value,Quantity,"))
    n.vanctl("map", "import", os.path.join(n.root, "sheets", "shop-orders.csv"))
    n.vanctl("map", "activate", "shop-orders")
    n.vanctl("message", "reprocess", held[0]["id"])
    n.drain()
    found = [v for v in fetched(n, "buyer") if b"PO-X2" in v]
    t.ok(len(found) == 1 and found[0].count(b"PO1*") == 3 and b"PO-X1" not in found[0], "and go alone, with all their rows, when the sheet is mended", found)


def children(n, message):
    """Of a file whose documents go several ways, by their receivers."""
    return {m["to"]: m for m in n.messages("--direction", "in") if m["parent"] == message["id"] and not (m["error"] or "").startswith("message ")}


def aside(n, word):
    return [m for m in n.messages("--state", "quarantined") if word in (m["error"] or "")]


def each_order_finds_its_receiver(n):
    head = "Supplier," + HEAD
    text = head + "B1," + order("PO-M1") + "A1," + order("PO-M2") + "B1," + order("PO-M3") + "N1," + order("PO-M4") + "B1," + order("PO-M5", quantity="lots") + "A1," + order("PO-M6")
    m = put(n, "shop", text, "many-1.csv")
    part = children(n, m)
    t.equal((m["state"], {k: v["state"] for k, v in part.items()}, {v["type"] for v in part.values()}),
            ("processed", {f"x12 {BUYER}": "processed", f"x12 {ALPHA}": "processed", "x12 ZZ:NEWCOMER": "unroutable"}, {"order"}),
            "one file, three receivers: each has its orders under its own agreement, and one has none")
    said = status_of(n, "shop", "many-1.csv")
    t.ok(f"interchange: CSV PO-M1 from x12 ZZ:SHOP to x12 {BUYER} accepted" in said and f"interchange: CSV PO-M2 from x12 ZZ:SHOP to x12 {ALPHA} accepted" in said
         and "PO-M4 from x12 ZZ:SHOP to x12 ZZ:NEWCOMER unroutable" in said and "row 6, column Quantity" in said, "its .status has a line for each", said)
    made = {to: b"".join(made_of(n, v).values()) for to, v in part.items()}
    t.equal({to: [po for po in ("PO-M1", "PO-M2", "PO-M3", "PO-M4", "PO-M5", "PO-M6") if po.encode() in v] for to, v in made.items()},
            {f"x12 {BUYER}": ["PO-M1", "PO-M3"], f"x12 {ALPHA}": ["PO-M2", "PO-M6"], "x12 ZZ:NEWCOMER": []}, "nobody sees what is for another")
    t.ok("x12 ZZ:NEWCOMER" in part["x12 ZZ:NEWCOMER"]["error"], "whose agreement is missing is told", part["x12 ZZ:NEWCOMER"]["error"])
    held = aside(n, "PO-M5")
    t.ok(len(held) == 1 and held[0]["parent"] == part[f"x12 {BUYER}"]["id"] and "row 6" in held[0]["error"], "a broken row waits with its own receiver's", held)
    with open(os.path.join(n.root, "more.yaml"), "w", encoding="utf-8") as f:
        f.write(f"kind: agreement\nid: shop-newcomer\nfrom: 'x12 ZZ:SHOP'\nto: 'x12 ZZ:NEWCOMER'\ntype: order\nmode: translate\noutput: {{format: canonical-json}}\n---\n"
                f"kind: partner\nid: newcomer\nname: Newcomer\nidentities: [{{standard: x12, id: 'ZZ:NEWCOMER'}}]\nconnections:\n  - id: newcomer-sftp\n    protocol: sftp-mailbox\n"
                f"    user: newcomer\n    keys: [{{key: '{n.keys['shop'][1]}'}}]\n")
    n.vanctl("partner", "apply", os.path.join(n.root, "more.yaml"))
    n.vanctl("message", "release", part["x12 ZZ:NEWCOMER"]["id"])
    n.drain()
    made = made_of(n, part["x12 ZZ:NEWCOMER"])
    t.ok(len(made) == 1 and json.loads(list(made.values())[0])["ID"] == "PO-M4", "and released with its own orders alone, when there is one", made)
    n.vanctl("message", "reprocess", part[f"x12 {ALPHA}"]["id"])
    n.drain()
    again = [x for x in n.messages("--direction", "in") if x["id"] > held[0]["id"] and x["file_name"] == "many-1.csv" and x["to"] == f"x12 {ALPHA}"]
    t.equal([sorted(json.loads(v)["ID"] for v in made_of(n, x).values()) for x in again], [["PO-M2", "PO-M6"]], "one share is reprocessed without the others")


def the_rest_waits_where_that_is_agreed(n):
    head = "Supplier," + HEAD
    m = put(n, "shop", head + "A1," + order("PO-H1") + "B1," + order("PO-H2") + "A1," + order("PO-H3", quantity="none"), "many-2.csv")
    part = children(n, m)
    alpha, buyer = part.get(f"x12 {ALPHA}"), part.get(f"x12 {BUYER}")
    alpha = alpha or next(x for x in n.messages("--state", "quarantined") if x["parent"] == m["id"])
    made = [m for m in n.messages("--direction", "out") if m["parent"] == alpha["id"]]
    t.equal((alpha["state"], buyer["state"], [m["partner"] for m in made]), ("quarantined", "processed", ["shop"]), "rest: hold keeps back the same receiver's, and nobody else's")
    found = {k: json.loads(v) for k, v in n.sftp_fetch("shop").items() if b"application-advice" in v}
    t.ok(len(found) == 1 and list(found)[0].startswith("application-advice_ALPHA") and list(found)[0].endswith(".json"), "answer: advice tells a shop without EDI, as JSON", found)
    said = list(found.values())[0] if found else {}
    t.equal((said.get("_envelope"), [(d["DocumentReference"][0], d["Response"]["ResponseCode"]) for d in said.get("DocumentResponse", [])]),
            ({"sender": ALPHA, "receiver": "ZZ:SHOP"}, [({"ID": "PO-H3", "DocumentType": "order"}, "RE")]), "which order is meant")
    t.ok("row 4, column Quantity: 'none'" in said["DocumentResponse"][0]["Response"]["Status"][0]["Text"][0], "with row, column and value", said)
    sys.path.append(os.path.join(demo.TOP, "tests", "maps"))
    import canonical
    try:
        import jsonschema
        schemas = canonical.load()
        schema = canonical.of_document(schemas, said["_document"])
        problems = [e.message for e in jsonschema.Draft202012Validator(schema, resolver=jsonschema.RefResolver("", schema, store=schemas)).iter_errors(said)]
        t.equal(problems, [], "it is valid by its schema")
    except ImportError:
        t.skip("the advice by its schema", "python3-jsonschema is not installed")
    n.vanctl("message", "reprocess", alpha["id"])
    n.drain()
    t.equal([k for k in n.sftp_fetch("shop") if k.startswith("application-advice") and k not in found], [], "once, not when it is processed again")
    m = put(n, "shop", head + "A1," + order("PO-H7", quantity="5000"), "many-5.csv")
    said = [json.loads(v) for k, v in n.sftp_fetch("shop").items() if k.startswith("application-advice") and b"PO-H7" in v]
    t.ok(m["state"] == "quarantined" and len(said) == 1 and said[0]["DocumentResponse"][0]["Response"]["Status"] == [{"Text": ["nobody orders so much"], "Path": "5000"}],
         "so does a broken business rule, with its value", said)
    m = put(n, "shop", head + "," + order("PO-H4"), "many-3.csv")
    t.ok(m["state"] == "held" and "PO-H4" in m["error"] and "receiver" in m["error"], "an order for nobody is held", m)
    m = put(n, "shop", head + "Z9 Q," + order("PO-H5") + "B1," + order("PO-H6"), "many-4.csv")
    held = [x for x in n.messages("--state", "held") if x["parent"] == m["id"]]
    t.ok(len(held) == 1 and "document 1 of the file (PO-H5)" in held[0]["error"] and '"Z9 Q"' in held[0]["error"], "so is one for a name that is no identity, alone", held)
    t.ok(b"PO-H6" in b"".join(made_of(n, children(n, m)[f"x12 {BUYER}"]).values()), "the others of the file go on")


def import_many(n, change):
    """Another version of the sheet of files for several receivers."""
    path = os.path.join(n.root, "sheets", "shop-many.csv")
    with open(path, encoding="utf-8") as f:
        text = f.read()
    with open(path, "w", encoding="utf-8") as f:
        f.write(change(text))
    n.vanctl("map", "import", path)
    n.vanctl("map", "activate", "shop-many")
    return text


def numbers_that_mean_others_are_not_guessed(n):
    """The sheet's key changes between the day on which a file came and the one on which what waits of it is processed again."""
    head = "Supplier," + HEAD
    text = (head + "B1," + order("PO-D1", quantity="few") + "B1," + order("PO-D1", line="2") + "A1," + order("PO-D2") + "B1," + order("PO-D3") + "N1," + order("PO-D4", quantity="few")
            + "A1," + order("PO-D5"))
    m = put(n, "shop", text, "many-6.csv")
    part = children(n, m)
    held, alpha = aside(n, "PO-D1")[0], part[f"x12 {ALPHA}"]
    before = import_many(n, lambda v: v.replace("@document,Order No", "@document,Line").replace("\nID,Order No", "\nID,Order No,,,,,,,\nNote[],'by line'"))
    def again(message):
        n.vanctl("message", "reprocess", message["id"])
        n.drain()
        return next(x for x in n.messages("--direction", "in") if n.json("message", "show", x["id"]).get("reprocess_of") == message["id"])
    second = again(alpha)
    t.ok(second["state"] == "quarantined" and "version 1 of sheet shop-many" in second["error"] and "activate" in second["error"] and made_of(n, second) == {},
         "a sheet that divides the file otherwise: a share of it is set aside, and says what to do", second)
    first = again(held)
    t.ok(first["state"] == "quarantined" and "version 1 of sheet shop-many" in first["error"] and made_of(n, first) == {}, "so is one document of it", first)
    import_many(n, lambda v: before.replace("OrderLine[].LineItem.Quantity.value,Quantity,", "OrderLine[].LineItem.Quantity.value,'9',Quantity=few,,,,,,in\nOrderLine[].LineItem.Quantity.value,Quantity,"))
    third, fourth = again(second), again(first)
    t.equal([sorted(json.loads(v)["ID"] for v in made_of(n, third).values()), [v.count(b"PO1*") for v in made_of(n, fourth).values()]], [["PO-D2", "PO-D5"], [2]],
            "once the sheet divides it as before, with other rows mended, each goes with its own")


def one_json_document_spoils_itself(n):
    def document(po, to, more=""):
        return (f'{{"_document": "order/1.0", "ID": "{po}", "IssueDate": "2026-03-10"{more}, "_envelope": {{"receiver": "{to}"}},\n'
                f' "OrderLine": [{{"LineItem": {{"ID": "1", "Quantity": {{"value": "3", "unitCode": "C62"}}}}}}]}}')
    text = f"[{document('PO-K1', BUYER)},\n{document('PO-K2', BUYER, ', x: 01')},\n{document('PO-K3', ALPHA)},\n" + '{"ID": "PO-K4"},\n' + f"{document('PO-K5', BUYER)}]"
    m = put(n, "shop", text, "array-1.json")
    part = children(n, m)
    made = {to: [po for po in ("PO-K1", "PO-K2", "PO-K3", "PO-K4", "PO-K5") if po.encode() in b"".join(made_of(n, v).values())] for to, v in part.items() if to}
    t.equal(made, {f"x12 {BUYER}": ["PO-K1", "PO-K5"], f"x12 {ALPHA}": ["PO-K3"]}, "sound documents of a JSON file go on")
    held = sorted((x["error"] for x in n.messages("--state", "quarantined") if x["parent"] == m["id"]))
    t.ok(len(held) == 2 and held[0].startswith("document 2 of the file: line 3: ") and held[1].startswith("document 4 of the file: ") and "_document" in held[1],
         "those that are no JSON, or do not say what they are, wait with their lines", held)
    m = put(n, "shop", text.replace('"PO-K3"', '"PO-K3').replace(", x: 01", ""), "array-2.json")
    t.ok(m["state"] == "quarantined" and "line 5" in m["error"], "where a quote is missing nobody knows where documents end: the whole file waits", m)


def a_part_is_not_passed_through(n):
    m = put(n, "shop", f'[{{"_document": "price-catalogue/1.0", "ID": "1", "_envelope": {{"receiver": "{ALPHA}"}}}}, {{"_document": "order/1.0", "ID": "2", "_envelope": {{"receiver": "{BUYER}"}}}}]', "array-3.json")
    part = children(n, m)[f"x12 {ALPHA}"]
    t.ok(part["state"] == "held" and "passes files through" in part["error"] and made_of(n, part) == {}, "a file with others' documents is passed through to nobody", part)


def a_rule_sets_one_order_of_the_file_aside(n):
    m = put(n, "shop", HEAD + order("PO-R1") + order("PO-R2", quantity="2000") + order("PO-R3"), "orders-4.csv")
    made = b"".join(made_of(n, m).values())
    t.ok(m["state"] == "processed" and b"PO-R1" in made and b"PO-R3" in made and b"PO-R2" not in made, "the other orders go on", made)
    held = [x for x in n.messages("--state", "quarantined") if "PO-R2" in (x["error"] or "")]
    t.ok(len(held) == 1 and "nobody orders so much" in held[0]["error"] and held[0]["parent"] == m["id"], "the one waits, with rule and value", held)
    n.vanctl("message", "release", held[0]["id"])
    n.drain()
    found = [v for v in fetched(n, "buyer") if b"*PO-R2*" in v]
    t.ok(len(found) == 1 and b"PO-R1" not in found[0], "and goes alone when it is released", found)


def ubl_and_json_come_in(n):
    with open(os.path.join(UBL, "order.xml"), "rb") as f:
        m = put(n, "shop", f.read(), "order-5.xml")
    made = b"".join(made_of(n, m).values())
    t.ok((m["standard"], m["type"], m["state"]) == ("UBL", "order", "processed") and b"ST*850*" in made, "a UBL order becomes an 850", (m, made))
    out = next(x for x in n.messages("--direction", "out") if x["parent"] == m["id"])
    report = n.json("message", "show", out["id"])["report"] or ""
    t.ok("did not go along or were cut" in report and "message PO-1: " in report, "what the 850 has no place for is told", report)
    with open(os.path.join(UBL, "invoice.xml"), "rb") as f:
        m = put(n, "shop", f.read(), "invoice-5.xml")
    made = list(made_of(n, m).values())
    t.ok(m["agreement"] == "shop-buyer-invoices" and len(made) == 1 and json.loads(made[0])["_document"] == "invoice/1.0", "an invoice goes by its own agreement, as JSON", (m, made))
    with open(os.path.join(UBL, "order.xml"), "rb") as f:
        head, tail = f.read().rsplit(b"</", 1)
    m = put(n, "shop", head + (b"<!--" + b"x" * 1000000 + b"-->") * 68 + b"</" + tail, "order-long.xml")
    t.ok(m["state"] == "processed", "an order of more than 64 MiB is read where translation.file allows it", m)
    document = {"_document": "order/1.0", "ID": "PO-J1", "IssueDate": "2026-03-10", "_envelope": {"sender": "ZZ:SHOP", "receiver": BUYER},
                "OrderLine": [{"LineItem": {"ID": "1", "Quantity": {"value": "3", "unitCode": "C62"}}}]}
    m = put(n, "shop", json.dumps(document), "order-6.json")
    t.ok(m["state"] == "processed" and b"PO-J1" in b"".join(made_of(n, m).values()), "a JSON document names its parties itself", m)
    document["_envelope"] = {"sender": ALPHA, "receiver": BUYER}
    m = put(n, "shop", json.dumps(document), "order-7.json")
    t.ok(m["state"] == "held" and "may not present" in m["error"], "but not a sender that the connection may not present", m)
    del document["_envelope"]
    m = put(n, "shop", json.dumps(document), "order-8.json")
    t.ok(m["state"] == "held" and "_envelope.receiver" in m["error"], "without a receiver it is held, and the error says what to add", m)
    m = put(n, "shop", b"%PDF-1.7 a drawing", "plan.pdf")
    made = made_of(n, m)
    t.ok(m["state"] == "processed" and list(made.values()) == [b"%PDF-1.7 a drawing"] and list(made)[0].endswith(".pdf"), "any other file passes through", (m, made))
    m = put(n, "shop", b"hello", "note.txt")
    t.ok(m["state"] == "rejected" and "documents" in m["error"] and "shop-sftp" in m["error"], "a file that no rule knows says where to add it", m)


def test_stays_apart(n):
    m = put(n, "shop", HEAD + order("PO-T1"), "test-1.csv")
    made = b"".join(made_of(n, m).values())
    t.ok(m["env"] == "test" and b"ORDERS:D:96A" in made and b"+1'UNH" in made, "a rule for tests leads to a test agreement, here to EDIFACT", (m, made))


def over_as2_too(n):
    text = (HEAD + order("PO-A1")).encode()
    _, mdn, _, message_id = n.send(text, content_type="text/csv")
    n.drain()
    m = [m for m in n.messages("--direction", "in") if (m["as2_message_id"] or "").strip("<>") == message_id.strip("<>")][0]
    t.ok(mdn.outcome == "processed" and m["state"] == "processed" and m["agreement"] == "buyer-alpha-plain", "CSV over AS2 is known by its Content-Type", (mdn, m))
    made = made_of(n, m)
    t.ok(len(made) == 1 and b"<cbc:ID>PO-A1</cbc:ID>" in list(made.values())[0] and list(made)[0].endswith(".xml"), "and goes out as UBL", made)
    with open(os.path.join(n.root, "out.xml"), "wb") as f:
        f.write(list(made.values())[0])
    done = subprocess.run(["xmllint", "--noout", os.path.join(n.root, "out.xml")], check=False)
    t.equal(done.returncode, 0, "which xmllint finds well-formed")
    _, _, _, message_id = n.send(HEAD.encode() + b"PO-A2,2026-03-10\n", content_type="text/csv")
    n.drain()
    m = [m for m in n.messages("--direction", "in") if (m["as2_message_id"] or "").strip("<>") == message_id.strip("<>")][0]
    t.equal(m["state"], "quarantined", "what is wrong with a file does not change its MDN, it waits")


def csv_and_forms_go_out(n):
    for control, (receiver, name) in enumerate((("ZZ:SHOP", "csv"), ("ZZ:SHOPTEST", "xml")), 501):
        n.send(x12.order_850(BUYER, receiver, control, f"PO-O{control}", lines=2))
        n.drain()
        files = {k: v for k, v in n.sftp_fetch("shop").items() if f"PO-O{control}".encode() in v}
        t.ok(len(files) == 1 and list(files)[0].endswith("." + name), f"an 850 waits as {name}", files)
        text = list(files.values())[0].decode() if files else ""
        if name == "csv":
            rows = text.splitlines()
            t.ok(rows[0].startswith("Order No,Order Date") and len(rows) == 3 and rows[1].startswith("PO-O501,2026-08-01"), "one row for each line", text)
            history = [h["text"] or "" for m in n.messages("--direction", "out", "--search", "PO-O501") for h in n.json("message", "show", m["id"])["history"]]
            t.ok(any("shop-orders version 3" in h for h in history), "the history names map and sheet", history)
        else:
            path = os.path.join(n.root, "form.xml")
            with open(path, "w", encoding="utf-8") as f:
                f.write(text)
            back = demo.run([demo.program("vanctl"), "edi", "convert", "--to", "x12", path]).stdout
            t.ok(b"BEG*00*SA*PO-O502**20260801" in back and b"IEA*1*000000502" in back, "the form goes back to the same interchange", back)
    sent = [v for v in fetched(n, "buyer") if b"ST*997*" in v]
    t.ok(len(sent) >= 2, "and the network acknowledges both")


def bounds_are_settings(n):
    """In a network whose vand.yaml allows little."""
    many = HEAD + "".join(order(f"PO-L{k}") for k in range(100))
    m = put(n, "shop", many, "orders-l.csv")
    t.ok(m["state"] == "quarantined" and "more than 1000 values" in m["error"] and "translation.file_values" in m["error"], "a file with too many values says which setting", m)
    m = put(n, "shop", many + order("PO-L") * 1000, "orders-l2.csv")
    t.ok(m["state"] == "quarantined" and "16384" in m["error"] and "translation.file " in m["error"], "so does one that is too long", m)
    m = put(n, "shop", "Supplier," + HEAD + "A1," + order("PO-L1") + "B1," + order("PO-L2"), "many-l.csv")
    t.ok(m["state"] == "quarantined" and "1 pairs" in m["error"] and "translation.shares" in m["error"], "and one for too many receivers", m)
    n.send(x12.order_850(BUYER, "ZZ:SHOP", 601, "PO-L601", lines=200))
    n.drain()
    m = [x for x in n.messages("--direction", "in") if x["control_number"] == "000000601"][0]
    t.ok(m["state"] == "quarantined" and "more than 1000 values: divide it; or raise the bound, see translation in vand.yaml" in m["error"], "and a message with too many lines", m)
    n.send(x12.order_850(BUYER, "ZZ:SHOP", 602, "PO-L602", lines=2))
    n.drain()
    t.ok([x for x in n.messages("--direction", "out") if "PO-L602" in n.vanctl("message", "get", x["id"]).stdout.decode(errors="replace")], "others go on, with nothing remembered either")


def what_is_wrong_is_refused_at_apply(n):
    base = f'kind: partner\nid: x\nname: X\nconnections:\n  - id: x-sftp\n    protocol: sftp-mailbox\n    user: x\n    keys: [{{key: "{n.keys["shop"][1]}"}}]\n    presents: ["x12 ZZ:X"]\n'
    for rule, word in (("{format: csv, to: 'x12 ZZ:A'}", "sheet"), ("{format: ubl-xml}", "to"), ("{format: canonical-json, sheet: csv-order}", "sheet"),
                       ("{format: any, to: 'x12 ZZ:A', from: 'x12 ZZ:Y'}", "presents"), ("{format: pdf, to: 'x12 ZZ:A'}", "format"),
                       ("{format: csv, sheet: csv-order, type: x}", "type")):
        path = os.path.join(n.root, "wrong.yaml")
        with open(path, "w", encoding="utf-8") as f:
            f.write(base + f"    documents:\n      - {rule}\n")
        done = n.vanctl("partner", "apply", path, check=False)
        t.ok(done.returncode == 1 and b"wrong.yaml:11:" in done.stderr and word.encode() in done.stderr, f"{rule}: refused with its line", done.stderr)
    path = os.path.join(n.root, "wrong.yaml")
    with open(path, "w", encoding="utf-8") as f:
        f.write(base.replace("name: X", 'name: "\\x07"'))
    done = n.vanctl("partner", "apply", path, check=False)
    t.ok(done.returncode == 1 and b"wrong.yaml:3:" in done.stderr and b"control characters" in done.stderr, "a control character elsewhere is refused", done.stderr)
    for output, word in (("{format: xml, map: x}", "map"), ("{format: x12, sheet: csv-order}", "sheet"), ("{format: csv, batch: {time: 1h}}", "csv")):
        with open(path, "w", encoding="utf-8") as f:
            f.write(f'kind: agreement\nid: wrong\nfrom: "x12 {BUYER}"\nto: "x12 ZZ:W"\nmode: translate\noutput: {output}\n')
        done = n.vanctl("partner", "apply", path, check=False)
        t.ok(word.encode() in done.stderr and (done.returncode == 1 or b"warning" in done.stderr), f"{output}: told at apply", done.stderr)


def main():
    if not demo.available():
        tap.skip_all("vand is not built")
    with demo.Network(config={"translation": "{file: 80MiB}"}, keep="--keep" in sys.argv) as n:
        make(n)
        n.run_groups(t, (csv_becomes_an_850, a_broken_row_waits_in_quarantine, the_mended_sheet_delivers_it_once, a_broken_row_spoils_its_own_order, each_order_finds_its_receiver, the_rest_waits_where_that_is_agreed, numbers_that_mean_others_are_not_guessed,
                         one_json_document_spoils_itself, a_part_is_not_passed_through, a_rule_sets_one_order_of_the_file_aside,
                         ubl_and_json_come_in, test_stays_apart, over_as2_too, csv_and_forms_go_out, what_is_wrong_is_refused_at_apply))
    with demo.Network(config={"translation": "{file: 16KiB, file_values: 1000, document_values: 1000, shares: 1, remember: 0}"}, keep="--keep" in sys.argv) as n:
        make(n)
        n.run_groups(t, (bounds_are_settings,))
    return t.done()


if __name__ == "__main__":
    sys.exit(main())
