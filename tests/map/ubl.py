#!/usr/bin/python3
"""UBL 2.1 through vanctl: samples there and back, the order of elements, what is left out, and XML that means harm."""

import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "integration")]

import tap  # noqa: E402
import ubl_shapes  # noqa: E402

VANCTL = os.path.join(os.path.abspath(os.environ.get("VAN_BUILDDIR") or "."), "vanctl")
NS = "urn:oasis:names:specification:ubl:schema:xsd:"
HEAD = f'<Invoice xmlns="{NS}Invoice-2" xmlns:cac="{NS}CommonAggregateComponents-2" xmlns:cbc="{NS}CommonBasicComponents-2"'
MEMORY = 512 << 20  # most that a refusal may take, under sanitizers too; a release build takes 13 to 150 MiB

t = tap.Tap()


def convert(to, text, *options):
    """(status, output, what was said)"""
    data = text if isinstance(text, bytes) else text.encode()
    done = subprocess.run([VANCTL, "edi", "convert", "--to", to, *options, "-"], input=data, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120)
    return done.returncode, done.stdout.decode(), done.stderr.decode("utf-8", "replace")


def canonical(xml):
    status, out, said = convert("canonical", xml)
    if status:
        raise RuntimeError(said)
    return json.loads(out, parse_float=str)


def bare(xml):
    """Without the layout."""
    return re.sub(r"\s+", " ", re.sub(r">\s+<", "><", xml)).strip()


def shuffled(value, chance):
    """Members in another order; arrays as they are."""
    if isinstance(value, list):
        return [shuffled(v, chance) for v in value]
    if not isinstance(value, dict):
        return value
    names = list(value)
    chance.shuffle(names)
    return {n: shuffled(value[n], chance) for n in names}


def there_and_back():
    folder = os.path.join(HERE, "ubl")
    chance = random.Random(7)
    for name in sorted(os.listdir(folder)):
        with open(os.path.join(folder, name), encoding="utf-8") as f:
            xml = f.read()
        document = canonical(xml)
        t.equal(document["_document"], name[:-4] + "/1.0", f"{name}: the kind of document")
        status, again, said = convert("ubl-xml", json.dumps(document))
        t.equal((status, said), (0, ""), f"{name}: written without a remark")
        if name != "despatch-advice.xml":  # whose lines come in another order
            t.equal(bare(again), bare(xml), f"{name}: the same elements and attributes in the same order")
        t.equal(canonical(again), document, f"{name}: the same document again")
        t.equal(convert("ubl-xml", json.dumps(shuffled(document, chance)))[1], again, f"{name}: members in any order give UBL's order")


def lines_of_units():
    """A handling unit often only names the line that it holds: what the root's line says of it is not lost, and its quantity counts once."""
    def advice(roots, units):
        def line(tag, number, quantity, item):
            delivered = f'<cbc:DeliveredQuantity unitCode="{quantity[1]}">{quantity[0]}</cbc:DeliveredQuantity>' if quantity else ""
            return (f"<cac:{tag}><cbc:ID>{number}</cbc:ID>{delivered}<cac:OrderLineReference><cbc:LineID>{number}</cbc:LineID></cac:OrderLineReference>"
                    f"<cac:Item>{'<cbc:Name>' + item + '</cbc:Name>' if item else ''}</cac:Item></cac:{tag}>")
        inside = "".join("<cac:TransportHandlingUnit><cbc:ID>U</cbc:ID>" + line("HandlingUnitDespatchLine", n, q, None) + "</cac:TransportHandlingUnit>" for n, q in units)
        return (f'<DespatchAdvice xmlns="{NS}DespatchAdvice-2" xmlns:cac="{NS}CommonAggregateComponents-2" xmlns:cbc="{NS}CommonBasicComponents-2">'
                f"<cbc:ID>D</cbc:ID><cac:Shipment><cbc:ID>S</cbc:ID>{inside}</cac:Shipment>" + "".join(line("DespatchLine", n, q, "Bolt") for n, q in roots) + "</DespatchAdvice>")

    def read(xml):
        """[what stands in units], [what stands outside], what is beside: (number, quantity, item)"""
        document = canonical(xml)

        def plain(line):
            return line["ID"], line.get("DeliveredQuantity", {}).get("value"), line["Item"].get("Name")
        shipment = document["Shipment"]
        return ([plain(li) for u in shipment.get("TransportHandlingUnit", []) for li in u["DespatchLine"]], [plain(li) for li in shipment.get("DespatchLine", [])],
                [(u["segment"], u["value"]) for u in document["_unmapped"]])
    pieces = "C62"
    for label, roots, units, expected in (
            ("one unit names it", [("1", ("100.00", pieces))], [("1", None)], ([("1", "100.00", "Bolt")], [], [])),
            ("two units share it", [("1", ("100", pieces))], [("1", ("60", pieces)), ("1", ("40", pieces))], ([("1", "60", "Bolt"), ("1", "40", "Bolt")], [], [])),
            ("one says its share", [("1", ("100", pieces))], [("1", ("60.5", pieces)), ("1", None)], ([("1", "60.5", "Bolt"), ("1", "39.5", "Bolt")], [], [])),
            ("a rest is loose", [("1", ("10", pieces)), ("2", ("5", pieces))], [("1", ("4", pieces))], ([("1", "4", "Bolt")], [("1", "6", "Bolt"), ("2", "5", "Bolt")], [])),
            ("nobody says its share", [("1", ("100", pieces))], [("1", None), ("1", None)], ([("1", None, "Bolt"), ("1", None, "Bolt")], [("1", "100", "Bolt")], [])),
            ("units that say more", [("1", ("3", pieces))], [("1", ("4", pieces))], ([("1", "4", "Bolt")], [], [("DeliveredQuantity", "3 C62")])),
            ("other units of measure", [("1", ("100", pieces))], [("1", ("2", "XCT"))], ([("1", "2", "Bolt")], [], [("DeliveredQuantity", "100 C62")]))):
        first = read(advice(roots, units))
        t.equal(first, expected, f"handling units: {label}")
        _, xml, _ = convert("ubl-xml", json.dumps(canonical(advice(roots, units))))
        t.equal(read(xml)[:2], first[:2], f"handling units: {label}, and so it is read again")


def values():
    with open(os.path.join(HERE, "ubl", "order.xml"), encoding="utf-8") as f:
        d = canonical(f.read())
    line = d["OrderLine"][0]["LineItem"]
    t.equal(line["LineExtensionAmount"], {"value": "12.50", "currencyID": "EUR"}, "an amount keeps its digits and its currency")
    t.equal(line["Quantity"], {"value": "10", "unitCode": "C62"}, "a quantity has its unit")
    t.equal(line["Item"]["StandardItemIdentification"], {"ID": "04012345678901", "schemeID": "0160"}, "the scheme of an ID stands beside it")
    t.equal((d["LineCountNumeric"], d["AllowanceCharge"][0]["ChargeIndicator"]), (2, False), "counts are numbers, indicators true or false")
    t.equal(d["Note"], ["Bitte <eilig>", "second"], "texts, several of them")
    aside = {(a["path"], a["name"]): a["value"] for a in d["_source"]["attributes"]}
    t.equal(aside[("Note[0]", "languageID")], "de", "other attributes are kept aside, with their place")
    t.equal(aside[("BuyerCustomerParty.Party.EndpointID", "schemeID")], "0088", "also those of other identifiers")


def remarks():
    document = {"_document": "invoice/1.0", "ID": "1", "DocumentCurrencyCode": "EUR", "Colour": "red", "_unmapped": [],
                "LegalMonetaryTotal": {"PayableAmount": {"value": "1e2"}}, "InvoiceLine": [{"ID": "1", "Item": {"Size": {"a": "b"}}}], "IssueDate": ["2026-01-01", "x"]}
    status, out, said = convert("ubl-xml", json.dumps(document))
    t.ok(status == 0 and '<cbc:PayableAmount currencyID="EUR">100</cbc:PayableAmount>' in out, "an amount without a currency has the document's; no exponents", out + said)
    left = re.findall(r"left out, UBL 2.1 has no place for it: (.*)", said)
    missing = re.findall(r"UBL 2.1 wants it: (.*)", said)
    t.equal(sorted(left), ["Colour", "InvoiceLine[0].Item.Size", "IssueDate[1]"], "what has no place in UBL is named")
    t.equal(sorted(missing), ["AccountingCustomerParty", "AccountingSupplierParty", "InvoiceLine[0].LineExtensionAmount"], "what UBL wants is named")
    for broken, why in [({"_document": "forecast/1.0"}, "no UBL document is written from 'forecast/1.0'"), ({"ID": "1"}, "no UBL document"),
                        ({"_document": "invoice/1.0", "Note": ["a\u0001b"]}, "Note[0]: the value has a control character"),
                        ({"_document": "invoice/1.0", "LineCountNumeric": "many"}, "LineCountNumeric: the value is not a number")]:
        status, out, said = convert("ubl-xml", json.dumps(broken))
        t.ok(status == 1 and out == "" and why in said, f"refused: {why}", said)
    two = json.dumps([document, dict(document, ID="2")])
    t.ok("--document 1 to 2" in convert("ubl-xml", two)[2], "several documents: one is to be named")
    t.ok("<cbc:ID>2</cbc:ID>" in convert("ubl-xml", two, "--document", "2")[1], "the second one")


def shapes():
    seen, wrong = ubl_shapes.differences()
    t.ok(seen > 100 and not wrong, f"{seen} members of canonical documents are lists where UBL reading makes lists", "\n".join(wrong))


def edi_to_ubl():
    with open(os.path.join(os.path.abspath(os.environ.get("VAN_SRCDIR") or os.path.join(HERE, "..", "..")), "partners", "samples", "850.edi"), "rb") as f:
        status, out, said = convert("ubl-xml", f.read())
    t.ok(status == 0 and "<cbc:ID>PO-2026-0417</cbc:ID>" in out, "an 850 becomes a UBL order", said)
    t.equal(canonical(out)["DocumentCurrencyCode"], "USD", "which is read again")


SHEET = """target,source,when,transform,table,default,required,note,way
@map,x12 850 004010 <-> order/1.0
'00',BEG.01,,,,,yes,,out
'SA',BEG.02,,,,,yes,,out
ID,BEG.03,,,,,yes
IssueDate,BEG.05,,date,,,yes
OrderLine[],loop PO1
OrderLine[].LineItem.ID,PO1.01
OrderLine[].LineItem.Quantity.value,PO1.02,,decimal
OrderLine[].LineItem.Quantity.unitCode,PO1.03,,,unit:pass
"""


def to_edi_and_back():
    shipped = os.path.join(os.path.abspath(os.environ.get("VAN_SRCDIR") or os.path.join(HERE, "..", "..")), "maps")
    with tempfile.TemporaryDirectory() as maps:
        for name in ("table-unit.csv", "csv-order.csv"):
            shutil.copy(os.path.join(shipped, name), maps)
        with open(os.path.join(maps, "x12-850-order.csv"), "w", encoding="ascii") as f:
            f.write(SHEET)
        options = ["--version", "004010", "--lines", "--sender", "ZZ:A", "--receiver", "ZZ:B"]
        env = dict(os.environ, OPENVAN_MAPS=maps)

        def through(to, text, *more):
            return subprocess.run([VANCTL, "edi", "convert", "--to", to, *more, "-"], input=text, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120, env=env).stdout

        with open(os.path.join(HERE, "ubl", "order.xml"), "rb") as f:
            x12 = through("x12", f.read(), *options)
        t.ok(b"BEG*00*SA*PO-1**20260115~" in x12 and b"PO1*1*10*" in x12, "a UBL order becomes an 850", x12)
        t.ok(b"<cbc:IssueDate>2026-01-15</cbc:IssueDate>" in through("ubl-xml", x12), "and that a UBL order")
        csv = through("csv", x12)
        t.ok(csv.split(b"\r\n")[1].startswith(b"PO-1,2026-01-15,"), "and CSV", csv)
        again = through("x12", csv, *options, "--sheet", "csv-order")
        t.equal(again.split(b"\n")[2:], x12.split(b"\n")[2:], "and the same 850 again")


# --- XML that means harm -------------------------------------------------------------------------------------------------------------


def endless(head, body, tail=b"", total=1 << 30):
    yield head
    for _ in range(total // len(body)):
        yield body
    yield tail


def refused(name, chunks, why):
    """Feeds the chunks to vanctl until it ends; it is refused with this text, in bounded memory."""
    begin, fed = time.monotonic(), 0
    p = subprocess.Popen([VANCTL, "edi", "convert", "--to", "canonical", "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    said = []
    reader = threading.Thread(target=lambda: said.append(p.stderr.read()))
    reader.start()
    try:
        for chunk in chunks:
            p.stdin.write(chunk)
            fed += len(chunk)
        p.stdin.close()
    except BrokenPipeError:
        pass
    reader.join()
    out = p.stdout.read()
    _, status, usage = os.wait4(p.pid, 0)
    p.returncode = os.waitstatus_to_exitcode(status)
    text = said[0].decode("utf-8", "replace").strip()
    t.diag(f"{name}: {fed >> 10} KiB were taken, {usage.ru_maxrss >> 10} MiB resident, {time.monotonic() - begin:.2f} s")
    t.ok(p.returncode == 1 and out == b"" and why in text, f"refused: {name}", f"status {p.returncode}: {text}")
    t.ok(usage.ru_maxrss << 10 < MEMORY, f"in bounded memory: {name}", f"{usage.ru_maxrss} KiB")


def harm():
    laughs = "".join(f'<!ENTITY l{i} "{"&l%d;" % (i - 1) * 10}">' for i in range(1, 10))
    xml = HEAD.encode()
    dtd = "a document type (DTD) is not accepted"
    refused("a billion laughs", [f'<!DOCTYPE x [<!ENTITY l0 "lol">{laughs}]>{HEAD}><cbc:ID>&l9;</cbc:ID></Invoice>'.encode()], dtd)
    refused("an external entity", [f'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>{HEAD}><cbc:ID>&e;</cbc:ID></Invoice>'.encode()], dtd)
    refused("an external DTD", [f'<!DOCTYPE Invoice SYSTEM "http://127.0.0.1:1/x.dtd">{HEAD}/>'.encode()], dtd)
    refused("parameter entities", [f'<!DOCTYPE x [<!ENTITY % p SYSTEM "http://127.0.0.1:1/p"> %p;]>{HEAD}/>'.encode()], dtd)
    refused("an entity without a DTD", [xml + b"><cbc:ID>&nosuch;</cbc:ID></Invoice>"], "not XML: Entity 'nosuch' not defined")
    refused("100,000 elements deep", [xml + b">", b"<cac:A>" * 100000], "elements stand deeper than 32")
    refused("1 GB of text", endless(xml + b"><cbc:ID>", b"a" * 65536), "ID is longer than 1048576 bytes")
    refused("1 GB of an attribute", endless(xml + b' a="', b"a" * 65536), "a tag, an attribute or a comment is longer")
    refused("1 GB of attributes", endless(xml, b"".join(b' a%d="1"' % i for i in range(8000))), "line 1: ")
    refused("1 GB of a comment", endless(xml + b"><!--", b"a" * 65536), "a tag, an attribute or a comment is longer")
    refused("1 GB of elements", endless(xml + b">", b"<cbc:Note>a</cbc:Note>" * 1000), "more values than a document may have here")
    refused("1 GB of blanks", endless(xml + b">", b" " * 65536), "the document is larger than 67108864 bytes")
    refused("1 GB of a name", endless(b"<" + b"a" * 100, b"a" * 65536), "line 1: ")
    refused("1 GB of elements that UBL does not have", endless(xml + b">", b"<cbc:X>a</cbc:X>" * 1000), "line 1: ")
    refused("XInclude", [xml + b'><xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="/etc/passwd"/></Invoice>'], "XInclude is not followed")
    refused("invalid UTF-8", [xml + b"><cbc:ID>\xff\xfe</cbc:ID></Invoice>"], "not XML: ")
    refused("overlong UTF-8", [xml + b"><cbc:ID>\xc0\xbcscript</cbc:ID></Invoice>"], "not XML: ")
    whole = f'<?xml version="1.0"?>{HEAD}/>'
    refused("UTF-16 with a mark", [whole.encode("utf-16")], "UTF-16")
    refused("UTF-16 without a mark", [whole.encode("utf-16-le")], "UTF-16")
    refused("UTF-7 by its declaration", [f'<?xml version="1.0" encoding="UTF-7"?>{HEAD}/>'.encode()], "UTF-7")
    refused("a NUL", [xml + b"><cbc:ID>a\0b</cbc:ID></Invoice>"], "not XML: ")
    refused("half a document", [xml + b"><cbc:ID>1"], "not XML: ")


def not_ubl():
    for name, body, why in [("another document", f'<Catalogue xmlns="{NS}Catalogue-2"/>', "a UBL Catalogue is not read here"),
                            ("no namespace", "<Invoice/>", "is not of UBL 2"),
                            ("an element twice", HEAD + "><cbc:ID>1</cbc:ID><cbc:ID>2</cbc:ID></Invoice>", "ID stands twice"),
                            ("text between elements", HEAD + ">x</Invoice>", "text stands between the elements of Invoice"),
                            ("an element in a value", HEAD + "><cbc:ID><cbc:ID/></cbc:ID></Invoice>", "stands in a value"),
                            ("no number", HEAD + "><cac:LegalMonetaryTotal><cbc:PayableAmount>1,5</cbc:PayableAmount></cac:LegalMonetaryTotal></Invoice>", "PayableAmount is a number"),
                            ("a list in two parts", HEAD + "><cbc:Note>1</cbc:Note><cbc:ID>2</cbc:ID><cbc:Note>3</cbc:Note></Invoice>", "stands in several places")]:
        refused(name, [body.encode()], why)
    order = HEAD.replace("Invoice", "Order") + ("><cac:ValidityPeriod><cbc:StartDate>2026-01-01</cbc:StartDate></cac:ValidityPeriod><cac:ValidityPeriod><cbc:StartDate>2027-01-01"
             "</cbc:StartDate></cac:ValidityPeriod><cac:AllowanceCharge><cac:TaxTotal><cbc:TaxAmount>1</cbc:TaxAmount></cac:TaxTotal></cac:AllowanceCharge></Order>")
    d = canonical(order)
    t.equal((d["ValidityPeriod"], d["AllowanceCharge"][0]["TaxTotal"], d["_unmapped"][0]["value"]), ({"StartDate": "2026-01-01"}, [{"TaxAmount": {"value": "1"}}], "2027-01-01"),
            "what is one in canonical documents is one, and the second is listed; and the other way")
    d = canonical(HEAD + f' xmlns:ext="{NS}CommonExtensionComponents-2">\n<ext:UBLExtensions><x xmlns="y"><cbc:ID>7</cbc:ID></x></ext:UBLExtensions><cbc:Nonsense>5</cbc:Nonsense></Invoice>')
    t.equal([(u["segment"], u["position"], u["value"]) for u in d["_unmapped"]], [("UBLExtensions", 2, "7"), ("Nonsense", 2, "5")], "what is not of UBL 2.1 is listed")


if __name__ == "__main__":
    for group in (there_and_back, lines_of_units, values, remarks, shapes, edi_to_ubl, to_edi_and_back, harm, not_ubl):
        t.run(group)
    sys.exit(t.done())
