"""The shipped sheets: every target has its place in the schema of the document; each sample gives what is expected of it, which is
valid, and comes back equal; what goes from X12 to EDIFACT, or the other way, is valid there and when it has come back. The collected
files of these types come back equal, too."""

import base64
import csv
import glob
import json
import os
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import canonical  # noqa: E402
import fields  # noqa: E402

TOP = canonical.TOP
MAPS = os.path.join(TOP, "maps")
CORPUS = next((path for path in (os.environ.get("VAN_CORPUS") or "", os.path.join(TOP, "..", "shared", "corpus"),
                                 os.path.join(TOP, "..", "..", "shared", "corpus")) if os.path.isdir(os.path.join(path, "edi"))), "")
CORPUS = CORPUS and os.path.join(CORPUS, "edi")
sys.path.append(os.path.join(TOP, "tests", "integration"))

import tap  # noqa: E402

VANCTL = os.path.join(os.path.abspath(os.environ.get("VAN_BUILDDIR") or "."), "vanctl")
SERVICE = ("ISA", "GS", "GE", "IEA", "TA1", "UNB", "UNG", "UNE", "UNZ")
# Which versions each standard's documents are tried in, by what the sheets are for.
VERSIONS = {"x12": ("004010", "005010"), "edifact": ("D:96A", "D:01B")}
OTHER = {"x12": "edifact", "edifact": "x12"}
# Warehouse documents are X12's alone: what came from elsewhere lacks what they must have.
ONLY_X12 = ("940", "945")
REQUIRED = ("order", "order-change", "order-response", "despatch-advice", "invoice", "credit-note", "inventory-report", "sales-report",
            "remittance-advice", "price-catalogue", "receiving-advice", "forecast", "application-advice")


def vanctl(*arguments, text=None):
    """Standard output and error; input that is refused is an answer, too."""
    done = subprocess.run([VANCTL, "edi", *arguments], input=text, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          env=dict(os.environ, OPENVAN_MAPS=MAPS, OPENVAN_DICT=os.path.join(TOP, "dict")))
    return done.returncode, done.stdout, done.stderr.decode("utf-8", "replace")


def documents(raw):
    """One document stands alone, several are a list."""
    found = json.loads(raw)
    return found if isinstance(found, list) else [found]


def segments(raw):
    """Those of the messages, without envelopes; the references in UNH and ST are the envelope's, too."""
    text = raw.decode("latin-1").lstrip("\ufeff").replace("ï»¿", "")
    found = []
    for piece in re.split(r"(?<![A-Za-z0-9])(?=ISA[^A-Za-z0-9\r\n]|UNA|UNB\+)", text):
        release = None
        if piece.startswith("ISA"):
            element = piece[3]
            terminator = re.match(r"(?s)(?:[^%s]*%s){16}.(.)" % (re.escape(element), re.escape(element)), piece)[1]
        elif piece.startswith("UNA"):
            element, release, terminator = piece[4], piece[6], piece[8]
            piece = piece[9:].lstrip("\r\n")
        else:
            element, release, terminator = "+", "?", "'"
        keep = "" if not release or release == " " else f"(?<!{re.escape(release)})"
        for one in re.split(keep + re.escape(terminator), piece):
            values = one.strip("\r\n\t ").rstrip(element).split(element)
            if values[0] in SERVICE or not values[0]:
                continue
            if values[0] in ("ST", "SE", "UNH", "UNT"):
                values = [values[0]]
            found.append(element.join(values))
    return found


def problems(raw):
    """What validation finds in the messages of an interchange, and in its counts."""
    status, out, err = vanctl("validate", "--json", "-", text=raw)
    if not out:
        return [err]
    report = json.loads(out)
    messages = [m for i in report["interchanges"] for g in i["groups"] for m in g["messages"]]
    return [f"{e['segment']} {e['position']} element {e['element']}: {e['text']}" for m in messages for e in m["errors"]] + \
           [f"{m['type']} is {m['status']}" for m in messages if m["status"] != "accepted" or not m["known"]] + \
           ([] if messages else ["no message"])


def problems_of_file(path):
    with open(path, "rb") as file:
        return problems(file.read())


# --- schemas and sheets ----------------------------------------------------------------------------------------------------

def schemas_are_sound(t, schemas, validator):
    for name in REQUIRED:
        t.ok(canonical.of_document(schemas, name + "/1.0"), f"there is a schema of {name}/1.0")
    for schema in schemas.values():
        try:
            validator.check_schema(schema)
            places = sum(1 for _ in canonical.Place(schemas, schema, schema).walk()) if "properties" in schema else 1
            t.ok(places > 0, f"{schema['title']} is a schema, and all it refers to is there")
        except Exception as error:  # whatever the validator raises
            t.ok(False, f"{schema['title']} is a schema", str(error))


def rows_of(path):
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def sheet_names():
    return sorted(name[:-4] for name in os.listdir(MAPS) if name.endswith(".csv") and not name.startswith(("table-", "rules-")))


def targets_have_places(t, schemas):
    for name in sheet_names():
        rows = rows_of(os.path.join(MAPS, name + ".csv"))
        head = next(row["source"] for row in rows if row["target"] == "@map").split()
        wrong = []
        for row in rows:
            if not row["target"] or row["target"][0] in "#@'=.":
                continue
            place = canonical.follow(schemas, head[-1], row["target"])
            if isinstance(place, str):
                wrong.append(place)
            elif place.schema.get("type") == "object" and not row["source"].startswith(("loop ", "also loop ")):
                wrong.append(f"{row['target']} is an object")
        t.equal(wrong[:5], [], f"{name}: every target has its place in {head[-1]}")
        cases = glob.glob(os.path.join(MAPS, "samples", name, "*.expected.json"))
        t.ok(len(cases) >= len(head) - 4 or name.startswith("csv-"), f"{name}: a sample for each version")


def check(folder, name, rows):
    """What map check says of a sheet: status, and what stands behind its path on standard error, without the path."""
    path = os.path.join(folder, name + ".csv")
    with open(path, "w", encoding="utf-8") as file:
        file.write("target,source,when,transform,table,default,required,note,way\n" + "".join(row + "\n" for row in rows))
    done = subprocess.run([VANCTL, "map", "check", path], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          env=dict(os.environ, OPENVAN_MAPS=MAPS, OPENVAN_DICT=os.path.join(TOP, "dict")))
    return done.returncode, [line.replace(path + ":", "") for line in done.stderr.splitlines()]


def check_tells_what_is_amiss(t):
    """Where nothing can come of a row, the check says so; of the shipped sheets it says nothing."""
    done = subprocess.run([VANCTL, "map", "check", *sorted(glob.glob(os.path.join(MAPS, "*.csv")))], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          env=dict(os.environ, OPENVAN_MAPS=MAPS, OPENVAN_DICT=os.path.join(TOP, "dict")))
    t.equal((done.returncode, done.stderr), (0, ""), "map check has nothing to say of the shipped sheets")
    head = {"x12": "@map,x12 850 004010 005010 <-> order/1.0", "edifact": "@map,edifact ORDERS D:96A <-> order/1.0", "csv": "@map,csv order 1 <-> order/1.0",
            "new": "@map,x12 850 009010 <-> order/1.0", "own": "@map,x12 850 004010 <-> ticket/1.0"}
    hints = (
        ("x12", "ID,BGE.03", "source: 850 has no segment BGE"), ("x12", "OrderLine[],loop PO2", "source: 850 has no segment PO2"), ("x12", "'1',BEG.01,BGE.02=A,,,,,,out", "when: 850 has no segment BGE"),
        ("x12", "@count(P01),CTT.01", "target: 850 has no segment P01"), ("x12", "ID,BEG.13", "source: BEG has 12 elements: there is no BEG.13"), ("x12", "ID,BEG.03.02", "source: BEG.03 has no components: leave out .02"),
        ("edifact", "ID,BGM.01.09", "source: BGM.01 has 4 components: there is no BGM.01.09"), ("edifact", "ID,NAD.12", "source: NAD has 9 elements"),
        ("x12", "Id,BEG.03", "target: order/1.0 has no Id there: is ID meant?"), ("x12", "Colour,BEG.03", "target: order/1.0 has no Colour there: doc/canonical-fields.md lists"),
        ("x12", "OrderLine,loop PO1", "target: OrderLine is a list: write OrderLine[]"), ("x12", "IssueDate[],BEG.05", "target: IssueDate is no list: write IssueDate without []"),
        ("x12", "TotalGoodsItemQuantity,CTT.01", "target: TotalGoodsItemQuantity is no value: what is in it has names, such as TotalGoodsItemQuantity.value"),
        ("x12", "ID,BEG.03,BEG.01=00 or BEG.02=SA", "when: '00 or BEG.02=SA' is compared as it stands"), ("x12", "ID,BEG.03,BEG.01=00 and", "when: '00 and' is compared"),
        ("csv", "Note,Remark", "target: Note is a list"), ("csv", "OrderLine[],loop row\nOrderLine[].LineItem.Quantity,Pieces", "no value"))
    with tempfile.TemporaryDirectory() as folder:
        for kind, row, said in hints:
            status, lines = check(folder, "own", [head[kind], row])
            line = len(row.split("\n")) + 2
            t.ok(status == 0 and len(lines) == 1 and lines[0].startswith(f"{line}: hint: ") and said in lines[0], f"{row!r}: {said}", (status, lines))
        for kind, row in (("new", "ID,BGE.03"), ("own", "Whatever.It.Is[],BEG.03"), ("x12", "ID,ST.02"), ("x12", "_envelope.note,BEG.03")):
            t.equal(check(folder, "own", [head[kind], row]), (0, []), f"{kind}, {row!r}: nobody knows better, so nothing is said")
        for row, said in (("ID,BEG.03,,implied", "as in implied(2)"), ("ID,BEG.03,,date(3)", "only implied and cut have a number"), ("ID,BEG.03,REF.01=", "nothing stands behind ="),
                          (head["x12"], "a sheet has one row @map"), ("ID,BEG.03,,upper lower upper lower upper", "more than four transforms")):
            status, lines = check(folder, "own", [head["x12"], row])
            t.ok(status == 1 and len(lines) == 1 and lines[0].startswith("3: map own, row 3") and said in lines[0], f"{row!r} is an error: {said}", (status, lines))


def check_knows_places_of_rules(t):
    """A rule about a place that no document has would hold for ever."""
    rules = ("a,,OrderLines,,,true", "a,,,,together,DeliveryDate ID", "a,,,,order,IssueDate ValidityPeriod.EndDat", "a,,OrderLine,,unique,LineItem.Nr", "a,,,,unique,PONumber")
    sound = ("a,,OrderLine,,,true", "a,,,,together,ID OrderLine[0].LineItem.Quantity.value", "a,,,,order,IssueDate ValidityPeriod.EndDate", "a,,OrderLine,,unique,LineItem.ID",
             "a,,InvoiceLine,,,true", "a,,,,unique,ID & '/' & PONumber", "a,,$x,,order,A B", "a,,,,check,PONumber = '1'")
    with tempfile.TemporaryDirectory() as folder:
        for row, cell in zip(rules, ("each", "value", "value", "value", "value")):
            path = os.path.join(folder, "rules-x.csv")
            for kind, one in (("hint", row), ("", sound)):
                with open(path, "w", encoding="utf-8") as file:
                    file.write("rule,severity,each,when,kind,value\n" + "".join(r + "\n" for r in ([one] if kind else one)))
                done = subprocess.run([VANCTL, "map", "check", path], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=dict(os.environ, OPENVAN_MAPS=MAPS))
                if kind:
                    t.ok(done.returncode == 0 and done.stderr.startswith(f"{path}:2: hint: {cell}: no document has "), f"{row}: no document has it", done.stderr)
                elif row == rules[0]:
                    t.equal((done.returncode, done.stderr), (0, ""), "of rules about what documents have nothing is said")


def page_of_fields_is_true(t):
    with open(os.path.join(TOP, "doc", "canonical-fields.md"), encoding="utf-8") as file:
        t.ok(file.read() == fields.page(), "doc/canonical-fields.md says what the sheets say",
             "make it anew: python3 tests/maps/fields.py >doc/canonical-fields.md")


# --- samples ---------------------------------------------------------------------------------------------------------------

def samples_of(name):
    """(path of the input, of what is expected)"""
    found = []
    for expected in sorted(glob.glob(os.path.join(MAPS, "samples", name, "*.expected.json"))):
        case = expected[:-len(".expected.json")]
        found.append((next(path for path in glob.glob(case + ".*") if path != expected), expected))
    return found


def there_and_back(t, name, path):
    """The documents of an interchange, when it has come back equal."""
    with open(path, "rb") as file:
        raw = file.read()
    standard = "x12" if name.startswith("x12") else "edifact"
    status, out, err = vanctl("convert", "--to", "canonical", path)
    if not t.equal((status, err.strip()) if status else 0, 0, f"{os.path.basename(path)}: becomes a document"):
        return []
    status, back, err = vanctl("convert", "--to", standard, "-", text=out)
    t.ok(status == 0 and segments(back) == segments(raw), f"{os.path.basename(path)}: and comes back equal", err + difference(segments(raw), segments(back)))
    return documents(out)


def difference(expected, got):
    at = next((i for i, (a, b) in enumerate(zip(expected + [""], got + [""])) if a != b), 0)
    return f"expected … {expected[max(at - 1, 0):at + 3]}\ngot      … {got[max(at - 1, 0):at + 3]}"


def check_samples(t, name, check_document):
    all_found = []
    for path, expected in samples_of(name):
        found = there_and_back(t, name, path)
        with open(expected, encoding="utf-8") as file:
            t.equal(found, documents(file.read()), f"{name}/{os.path.basename(path)}: is what is expected")
        for document in found:
            check_document(t, f"{name}/{os.path.basename(path)}", document)
        all_found += found
    return all_found


def samples_out(t, name):
    """Samples of the way out, as `map test` runs them; what they give is valid."""
    for expected in sorted(glob.glob(os.path.join(MAPS, "samples", name, "*.expected.[!j]*"))):
        case = os.path.basename(expected).partition(".expected.")[0]
        done = subprocess.run([VANCTL, "-c", "/nonexistent", "map", "test", os.path.join(MAPS, name + ".csv"), case], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, env=dict(os.environ, OPENVAN_MAPS=MAPS, OPENVAN_DICT=os.path.join(TOP, "dict")))
        t.ok(done.returncode == 0 and f"sample {case} passed".encode() in done.stdout, f"{name}/{case}: is written as expected", done.stdout)
        standard = name.partition("-")[0]
        if standard in OTHER:
            _, out, _ = vanctl("convert", "--to", standard, "--map", case.partition(".")[0], "--sender", "ZZ:A", "--receiver", "ZZ:B",
                               os.path.join(MAPS, "samples", name, case + ".json"))
            t.equal(problems(out)[:8], [], f"{name}/{case}: is valid")


def orders_have_levels(t):
    """DESADV names the order at its head or in each line; an 856 has a level of it, and so has what comes back."""
    path = os.path.join(MAPS, "samples", "edifact-desadv-despatch-advice", "pallet-d96a.edi")
    way = "despatch-advice-to-x12-004010-856"
    _, out, err = vanctl("convert", "--to", "x12", "--map", way, "--explain", path)
    found = segments(out)
    t.equal([s for s in found if s.startswith("HL")],
            ["HL*1**S*1", "HL*2*1*O*1", "HL*3*2*T*1", "HL*4*3*I*0", "HL*5*2*T*1", "HL*6*5*I*0"], "DESADV to 856: shipment, order, tare, item")
    t.ok("PRF*4500098831***20260310" in found, "the order stands in PRF", found)
    t.ok("OrderReference" not in "".join(line for line in err.splitlines() if "no row" in line), "and is not left behind", err)
    with open(path, "rb") as file:
        text = file.read()
    alone = text.replace(b"RFF+ON:4500098831:1'", b"").replace(b"RFF+ON:4500098831:2'", b"")
    _, out, _ = vanctl("convert", "--to", "x12", "--map", way, "-", text=alone)
    t.equal([s for s in segments(out) if s.startswith("HL")][:3], ["HL*1**S*1", "HL*2*1*O*1", "HL*3*2*T*1"], "also when only the head names it")
    nameless = alone.replace(b"RFF+ON:4500098831'", b"").replace(b"DTM+171:20260310:102'", b"")
    _, out, _ = vanctl("convert", "--to", "x12", "--map", way, "-", text=nameless)
    t.equal([s for s in segments(out) if s.startswith("HL")][:2], ["HL*1**S*1", "HL*2*1*T*1"], "without a reference there is no level")
    def line(number, order):
        return {"ID": number, "DeliveredQuantity": {"value": "1", "unitCode": "C62"}, "OrderLineReference": [{"LineID": number, "OrderReference": {"ID": order}}] if order else []}
    head = {"_document": "despatch-advice/1.0", "ID": "D1", "IssueDate": "2026-03-20"}
    for label, document, levels in (
            ("orders that only packages name", dict(head, Shipment={"Package": [{"ID": "1", "DespatchLine": [line("1", "A")]}, {"ID": "2", "DespatchLine": [line("2", "B")]}]}), "SOPIOPI"),
            ("an empty unit is of the only order", dict(head, OrderReference=[{"ID": "A"}], Shipment={"TransportHandlingUnit": [{"Marks": [{"ID": "340123450000000018"}]}], "DespatchLine": [line("1", None)]}), "SOTI")):
        _, out, _ = vanctl("convert", "--to", "x12", "--map", way, "--sender", "ZZ:A", "--receiver", "ZZ:B", "-", text=json.dumps(document).encode())
        t.equal(([s.split("*")[3] for s in segments(out) if s.startswith("HL")], {s for s in segments(out) if s in ("PRF*A", "PRF*B")}),
                (list(levels), {"PRF*A", "PRF*B"} if levels.count("O") == 2 else {"PRF*A"}), label)
    path = os.path.join(MAPS, "samples", "x12-856-despatch-advice", "pallet-carton-004010.x12")
    _, edifact, _ = vanctl("convert", "--to", "edifact", "--map", "despatch-advice-to-edifact-d96a-desadv", path)
    _, out, _ = vanctl("convert", "--to", "x12", "--map", way, "-", text=edifact)
    found = segments(out)
    t.equal([s.split("*")[3] for s in found if s.startswith("HL")], list("SOIOTPIPITI"), "856 to DESADV and back: the same levels")
    t.equal(sorted(s for s in found if s.startswith("PRF")), ["PRF*GD-118204***20260310", "PRF*GD-118377***20260312"], "both orders with their dates")
    t.equal(problems(out), [], "which is valid")


def to_the_other_standard(t, name, found, sheets):
    """Documents of X12 as EDIFACT in each version, and back; all of it valid."""
    source = name.partition("-")[0]
    other, kind = OTHER[source], found[0]["_document"].partition("/")[0]
    target = [s for s in sheets if s.startswith(other + "-") and s.endswith("-" + kind) and s.split("-")[1] not in ONLY_X12]
    origin = [s for s in sheets if s.startswith(source + "-") and s.endswith("-" + kind) and s.split("-")[1] not in ONLY_X12]
    if not target or name.split("-")[1] in ONLY_X12:
        return
    text = b""
    for path, _ in samples_of(name):
        with open(path, "rb") as file:
            text += file.read()
    for version in VERSIONS[other]:
        way = f"{kind}-to-{other}-{version.replace(':', '').lower()}-{target[0].split('-')[1]}"
        status, out, err = vanctl("convert", "--to", other, "--map", way, "-", text=text)
        if not t.ok(status == 0, f"{name}: {way}", err):
            continue
        t.equal(problems(out)[:8], [], f"{name}: {way} is valid")
        back = f"{kind}-to-{source}-{VERSIONS[source][0].replace(':', '').lower()}-{origin[0].split('-')[1]}"
        status, out, err = vanctl("convert", "--to", source, "--map", back, "-", text=out)
        t.ok(status == 0, f"{name}: {way} and back", err)
        t.equal(problems(out)[:8], [], f"{name}: {way} and back is valid")


def terms_stay(t):
    """Payment terms, postcodes and line numbers that X12 and EDIFACT have room for in different ways: what comes back says the same."""
    with open(os.path.join(MAPS, "samples", "x12-850-order", "order-004010.x12"), "rb") as file:
        order = file.read()
    order = order.replace(b"N4*Dayton*OH*45402*US", b"N4*Dayton*OH*45402-1234*US").replace(b"PO1*2*", b"PO1*000000002*")
    order = order.replace(b"N1*SE*Lumen Works*1*081466849", b"N1*SE*Lumen Works*9*0814668490001")
    for version in VERSIONS["edifact"]:
        way = f"order-to-edifact-{version.replace(':', '').lower()}-orders"
        _, out, err = vanctl("convert", "--to", "edifact", "--map", way, "--explain", "-", text=order)
        there = segments(out)
        at = next((i for i, s in enumerate(there) if s.startswith("PAT")), len(there))
        t.equal(there[at:at + 3], ["PAT+8+ZZZ:::2 percent 10 days, net 30+5:3:D:10", "PCD+12:2", "PAT+1++5:3:D:30"],
                f"{way}: discount and net days are two PAT")
        t.ok("NetPeriod" not in "".join(line for line in err.splitlines() if "no row" in line), f"{way}: no period is left behind", err)
        t.ok(any(s.startswith("LIN+000002+") for s in there), f"{way}: a line number of nine digits in six", there)
        t.ok(("NAD+DP" in "".join(there)) and ("+454021234+" in "".join(there)) == (version == "D:96A"), f"{way}: ZIP+4 in nine characters", there)
        _, back, _ = vanctl("convert", "--to", "x12", "--map", "order-to-x12-004010-850", "-", text=out)
        t.equal([s for s in segments(back) if s.startswith("ITD")],
                ["ITD*08*3*2**10*******2 percent 10 days, net 30", "ITD*01*3*****30"], f"{way}: and back they are two ITD")
        t.ok("N1*SU*Lumen Works*1*0814668490001" in segments(back), f"{way}: an identification keeps a qualifier", segments(back))
        t.equal(problems(back), [], f"{way}: valid when it is back")
        _, back, _ = vanctl("convert", "--to", "x12", "--map", "order-to-x12-004010-850", "-", text=out.replace(b"490001::16+", b"490001+"))
        t.equal(([s for s in segments(back) if s.startswith("N1*SU")], problems(back)), (["N1*SU*Lumen Works*ZZ*0814668490001"], []),
                f"{way}: one that EDIFACT says no agency of is mutually agreed")
    text = order.replace(b"ITD*08*3*2**10**30", b"ITD*08*3*2****30")  # a discount without its days is none that X12 could say
    _, out, _ = vanctl("convert", "--to", "canonical", "--map", "x12-004010-850-to-order", "-", text=text)
    found = documents(out)[0]
    for part in ("_source", "_unmapped"):
        found.pop(part, None)
    _, out, err = vanctl("convert", "--to", "x12", "--map", "order-to-x12-004010-850", "--explain", "--sender", "ZZ:A", "--receiver", "ZZ:B", "-",
                         text=json.dumps(found).encode())
    t.equal([s for s in segments(out) if s.startswith("ITD")], ["ITD*08*3*****30*****2 percent 10 days, net 30"], "no discount without its days")
    t.ok("SettlementDiscountPercent" in err, "and the report tells", err)
    t.equal(problems(out), [], "which is valid")


def prices_stay(t):
    """A price per hundred stays one: by its code in X12, by its basis in EDIFACT and UBL; where there is no code for the basis, as the price of one."""
    with open(os.path.join(MAPS, "samples", "x12-850-order", "order-004010.x12"), "rb") as file:
        order = file.read()
    for code, basis in (("HP", b":100"), ("TP", b":1000"), ("TC", b"TC:100"), ("CT", b"CT")):
        text = order.replace(b"PO1*2*10*CA*88.5**", b"PO1*2*10*CA*88.5*%s*" % code.encode())
        _, out, _ = vanctl("convert", "--to", "edifact", "--map", "order-to-edifact-d96a-orders", "-", text=text)
        t.ok("PRI+AAA:88.5::" + basis.decode() in segments(out), f"{code}: PRI has its basis", segments(out))
        _, back, _ = vanctl("convert", "--to", "x12", "--map", "order-to-x12-005010-850", "-", text=out)
        t.ok(any(s.startswith("PO1*2*10*CA*88.5*" + ("HP" if code == "TC" else code)) for s in segments(back)), f"{code}: and so it is back", segments(back))
        _, out, _ = vanctl("convert", "--to", "canonical", "-", text=text)
        _, back, err = vanctl("convert", "--to", "x12", "-", text=out)
        t.equal(segments(back), segments(text), f"{code}: through the document it comes back equal")
    with open(os.path.join(MAPS, "samples", "edifact-orders-order", "order-d96a.edi"), "rb") as file:
        order = file.read()
    for basis, price in ((b"1", "6.9*"), (b"12", "6.9*PD*"), (b"100", "6.9*HP*"), (b"50", "0.138*"), (b"100.0", "0.069*")):
        text = order.replace(b"PRI+AAA:6.9:::1:", b"PRI+AAA:6.9:::%s:" % basis)
        _, out, _ = vanctl("convert", "--to", "x12", "--map", "order-to-x12-004010-850", "--sender", "ZZ:A", "--receiver", "ZZ:B", "-", text=text)
        t.ok(any(s.startswith("PO1*1*48*PC*" + price) for s in segments(out)), f"per {basis.decode()}: {price}", segments(out))
        _, out, _ = vanctl("convert", "--to", "csv", "--sheet", "csv-order", "-", text=text)
        rows = list(csv.DictReader(out.decode().splitlines()))
        t.equal(rows[0]["Price"], {"12": "0.575", "100": "0.069", "1": "6.9"}.get(basis.decode(), price[:-1]), f"per {basis.decode()}: CSV has the price of one")
    status, out, err = vanctl("convert", "--to", "x12", "--map", "order-to-x12-004010-850", "--sender", "ZZ:A", "--receiver", "ZZ:B", "-",
                              text=order.replace(b"PRI+AAA:6.9:::1:", b"PRI+AAA:10:::3:"))
    t.ok(status == 1 and "is longer than" in err and "row" in err, "a price of one that has no end is refused, and not rounded", err)


def names_stay(t):
    """UBL's items have a name where EDI's have a description: it is written where there is no description, and told where there is."""
    def renamed(value, both):
        if isinstance(value, list):
            return [renamed(v, both) for v in value]
        if not isinstance(value, dict):
            return value
        made = {k: renamed(v, both) for k, v in value.items() if k[0] != "_" or k == "_document"}
        if "Description" in made and isinstance(made["Description"], list):
            made["Name"] = "Named"
            if not both:
                del made["Description"]
        return made
    for sample, ways in (("x12-850-order/order-004010", ("order-to-x12-004010-850", "order-to-edifact-d96a-orders")),
                         ("x12-810-invoice/invoice-004010", ("invoice-to-x12-005010-810", "invoice-to-edifact-d01b-invoic")),
                         ("x12-856-despatch-advice/pallet-carton-004010", ("despatch-advice-to-x12-004010-856", "despatch-advice-to-edifact-d96a-desadv"))):
        with open(os.path.join(MAPS, "samples", sample + ".expected.json"), encoding="utf-8") as file:
            document = documents(file.read())[0]
        for way in ways:
            standard = way.split("-to-")[1].split("-")[0]
            for both in (False, True):
                _, out, err = vanctl("convert", "--to", standard, "--map", way, "--explain", "--sender", "ZZ:A", "--receiver", "ZZ:B", "-",
                                     text=json.dumps(renamed(document, both)).encode())
                there = any("Named" in s for s in segments(out) if s[:3] in ("PID", "IMD"))
                told = any("Item.Name" in line and "no row" in line for line in err.splitlines())
                t.equal((there, told), (not both, both), f"{way}: {'a description and a name' if both else 'a name'}")


def raw_bytes_come_back(t, check_document):
    """BIN and BDS hold any bytes, delimiters too; texts around them are UTF-8 all the same."""
    blob = bytes(range(256)) + b"~*>\r\n  "
    with open(os.path.join(MAPS, "samples", "x12-850-order", "order-004010.x12"), "rb") as file:
        text = file.read().replace(b"\n", b"").replace(b"Quarry Road", "Qu\u00e4rry Road".encode()).replace(b"SE*40*", b"SE*43*")
    text = text.replace(b"CTT*2~", b"EFI*00~BIN*%d*%b~BDS*B64*5*a~b*c~CTT*2~" % (len(blob), blob))
    status, out, err = vanctl("convert", "--to", "canonical", "-", text=text)
    t.equal((status, err), (0, ""), "an 850 with raw bytes becomes a document")
    check_document(t, "with raw bytes", documents(out)[0])
    kept = [(u["segment"], u["element"], base64.b64decode(u["value"])) for u in documents(out)[0]["_unmapped"] if u.get("encoding") == "base64"]
    t.equal(kept, [("BIN", 2, blob), ("BDS", 3, b"a~b*c")], "the bytes are kept in base64")
    _, back, err = vanctl("convert", "--to", "x12", "-", text=out)
    t.ok(back.rstrip(b"\n").partition(b"~ST*")[2] == text.partition(b"~ST*")[2], "and come back byte for byte", err.encode() + back)
    changed = documents(out)[0]
    changed["OrderLine"].append(changed["OrderLine"][0])  # not the document that it was: what is kept goes where it belongs
    _, back, err = vanctl("convert", "--to", "x12", "-", text=json.dumps(changed).encode())
    t.ok(b"BIN*" not in back and "did not go along" in err, "in a changed document there is no place for them, and the report tells", err)
    spoiled = documents(out)[0]
    next(u for u in spoiled["_unmapped"] if u["segment"] == "BIN" and u["element"] == 2)["value"] = "?"
    status, _, err = vanctl("convert", "--to", "x12", "-", text=json.dumps(spoiled).encode())
    t.ok(status == 1 and "BIN, element 2" in err and "base64" in err, "what is no base64 is refused with its place", err)


# --- collected files ---------------------------------------------------------------------------------------------------------

def collected(t, sheets):
    if not CORPUS:
        raise tap.Skip("NO CORPUS: collected files are not tried; set VAN_CORPUS to where they are")
    types = {(s.partition("-")[0], s.split("-")[1].upper()) for s in sheets}
    with open(os.path.join(CORPUS, "MANIFEST.tsv"), encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            path = os.path.join(CORPUS, row["file"])
            kinds = set(re.findall(r"[A-Z]{6}|\b\d{3}\b", row["type"]))
            standard = row["file"].partition("/")[0]
            if {(standard, kind) for kind in kinds} & types and "negative" not in row["expectation_inferred_from_path"]:
                t.run(one_of_the_corpus, t, standard, path)


def one_of_the_corpus(t, standard, path):
    name = os.path.basename(path)
    status, out, err = vanctl("convert", "--to", "canonical", path)
    if status and "no map" in err:
        return t.skip(name, err.strip()[-100:])
    if status:  # refused, with what is wrong and where
        return t.ok("row" in err or "segment" in err or "interchange" in err, f"{name}: refused clearly", err)
    status, back, err = vanctl("convert", "--to", standard, "-", text=out)
    if status and re.search(r"ISA\d\d|UNB\d\d", err):
        return t.skip(name, "an envelope that cannot be written again")
    with open(path, "rb") as file:
        raw = segments(file.read())
    return t.ok(status == 0 and segments(back) == raw, f"{name}: comes back equal", err + difference(raw, segments(back)))


# Orders that no ORDERS can be made of, by what their validation and the maps say: those of a version without a map, and those without BEG.
NO_ORDERS = r"no map for 850 003010|ID is required, but BEG is missing"


def collected_orders_cross(t):
    """850 to ORDERS to 850: whatever the sender got wrong, what we write is right, and what is sound comes through."""
    if not CORPUS:
        raise tap.Skip("NO CORPUS: collected 850s are not turned into ORDERS; set VAN_CORPUS to where they are")
    crossed = 0
    with open(os.path.join(CORPUS, "MANIFEST.tsv"), encoding="utf-8", newline="") as file:
        paths = [os.path.join(CORPUS, row["file"]) for row in csv.DictReader(file, delimiter="\t")
                 if row["file"].startswith("x12/") and re.search(r"\b850\b", row["type"])]
    for path in paths:
        name = os.path.basename(path)
        for version in VERSIONS["edifact"]:
            way = f"order-to-edifact-{version.replace(':', '').lower()}-orders"
            status, out, err = vanctl("convert", "--to", "edifact", "--map", way, path)
            if status and re.search(NO_ORDERS, err):
                t.skip(f"{name}: {way}", err.strip()[-120:])
                continue
            if not t.equal((status, err.strip() if status else ""), (0, ""), f"{name}: {way}"):
                continue
            t.equal(problems(out)[:8], [], f"{name}: {way} is valid")
            status, back, err = vanctl("convert", "--to", "x12", "--map", "order-to-x12-004010-850", "-", text=out)
            if status and problems_of_file(path) and "row" in err:
                t.skip(f"{name}: {way} and back", err.strip()[-160:])  # what was wrong at first is refused, and said where
                continue
            t.equal((status, err.strip() if status else "", problems(back)[:8] if not status else []), (0, "", []), f"{name}: {way} and back is valid")
            crossed += 1
    t.ok(crossed >= 10, "ten or more were tried", crossed)


def collected_files_cross(t, sheets):
    """Any collected file of another type: what is sound becomes a message of the other standard that is, or is refused with its row."""
    if not CORPUS:
        raise tap.Skip("NO CORPUS: collected files are not turned into the other standard; set VAN_CORPUS to where they are")
    types = {(s.partition("-")[0], s.split("-")[1].upper()) for s in sheets}
    crossed = 0
    with open(os.path.join(CORPUS, "MANIFEST.tsv"), encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    for row in rows:
        standard, path = row["file"].partition("/")[0], os.path.join(CORPUS, row["file"])
        kinds = {(standard, kind) for kind in re.findall(r"[A-Z]{6}|\b\d{3}\b", row["type"])} & types
        if not kinds or kinds == {("x12", "850")} or problems_of_file(path):
            continue
        status, out, _ = vanctl("convert", "--to", "canonical", path)
        kind = "" if status else documents(out)[0]["_document"].partition("/")[0]
        target = [s for s in sheets if kind and s.startswith(OTHER[standard] + "-") and s.endswith("-" + kind) and s.split("-")[1] not in ONLY_X12]
        for version in VERSIONS[OTHER[standard]] if target else ():
            way = f"{kind}-to-{OTHER[standard]}-{version.replace(':', '').lower()}-{target[0].split('-')[1]}"
            status, out, err = vanctl("convert", "--to", OTHER[standard], "--map", way, path)
            t.equal((status, err.strip() if status else problems(out)[:4]), (0, []), f"{os.path.basename(path)}: {way} is valid")
            crossed += 1
    t.ok(crossed >= 20, "twenty or more were tried", crossed)


def main():
    t = tap.Tap()
    if not os.path.exists(VANCTL):
        tap.skip_all("vanctl is not built")
    try:
        import jsonschema
    except ImportError:
        tap.skip_all("python3-jsonschema is not installed")
    schemas = canonical.load()
    validator = jsonschema.Draft202012Validator

    def check_document(t, label, document):
        schema = canonical.of_document(schemas, document["_document"])
        errors = [f"{'/'.join(map(str, e.absolute_path))}: {e.message}" for e in 
                  validator(schema, resolver=jsonschema.RefResolver("", schema, store=schemas)).iter_errors(document)]
        t.equal(errors[:5], [], f"{label}: is valid by its schema")

    t.run(schemas_are_sound, t, schemas, validator)
    t.run(targets_have_places, t, schemas)
    t.run(check_tells_what_is_amiss, t)
    t.run(check_knows_places_of_rules, t)
    t.run(page_of_fields_is_true, t)
    sheets = sheet_names()
    for name in sheets:
        if name.startswith("csv-"):  # tests/map runs them; here they have to be documents of their kind
            for expected in glob.glob(os.path.join(MAPS, "samples", name, "*.expected.json")):
                with open(expected, encoding="utf-8") as file:
                    for document in documents(file.read()):
                        check_document(t, os.path.basename(expected), document)
            continue
        t.run(samples_out, t, name)
        found = check_samples(t, name, check_document)
        if found:
            t.run(to_the_other_standard, t, name, found, sheets)
    t.run(terms_stay, t)
    t.run(prices_stay, t)
    t.run(names_stay, t)
    t.run(orders_have_levels, t)
    t.run(raw_bytes_come_back, t, check_document)
    t.run(collected, t, sheets)
    t.run(collected_orders_cross, t)
    t.run(collected_files_cross, t, sheets)
    return t.done()


if __name__ == "__main__":
    sys.exit(main())
