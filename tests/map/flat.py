#!/usr/bin/python3
"""CSV documents through vanctl: the shipped sheets there and back, options, and errors that name row, column and remedy."""

import json
import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.abspath(os.environ.get("VAN_SRCDIR") or os.path.join(HERE, "..", ".."))
sys.path[:0] = [os.path.join(HERE, "..", "integration")]

import tap  # noqa: E402

VANCTL = os.path.join(os.path.abspath(os.environ.get("VAN_BUILDDIR") or "."), "vanctl")

t = tap.Tap()

ORDERS = '''Order No,Order Date,Order Type,Currency,Reference,Note,Buyer GLN,Buyer,Seller GLN,Seller,Ship To GLN,Ship To,Deliver From,Deliver Until,\
Line,GTIN,Buyer Item,Seller Item,Description,Quantity,Unit,Price,Line Note\r
PO-1,2026-01-15,220,EUR,R1,"call, please",4012345000009,"Müller ""& Co""",4098765000010,Seller,,Depot 3,2026-02-16,,1,04012345678901,B1,S1,Bolt,10,C62,1.250,\r
PO-1,2026-01-15,220,EUR,R1,"call, please",4012345000009,"Müller ""& Co""",4098765000010,Seller,,Depot 3,2026-02-16,,2,,B2,,"two
lines",7.5,KGM,,urgent\r
PO-2,2026-01-16,220,USD,,,,,,,,,,,1,,,,,1,C62,3,\r
'''


def convert(options, text, maps=None):
    data = text if isinstance(text, bytes) else text.encode()
    env = dict(os.environ, OPENVAN_MAPS=maps or os.path.join(TOP, "maps"))
    done = subprocess.run([VANCTL, "edi", "convert", *options, "-"], input=data, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120, env=env)
    return done.returncode, done.stdout, done.stderr.decode()


def read(text, sheet="csv-order", maps=None):
    status, out, said = convert(["--sheet", sheet, "--to", "canonical"], text, maps)
    if status:
        raise RuntimeError(said)
    return json.loads(out, parse_float=str)


def shipped_sheets():
    documents = read(ORDERS)
    t.equal([d["ID"] for d in documents], ["PO-1", "PO-2"], "a file with two orders")
    line = documents[0]["OrderLine"][1]["LineItem"]
    t.equal((line["Quantity"], line["Item"]["Description"], line["Note"]), ({"value": "7.5", "unitCode": "KGM"}, ["two\nlines"], ["urgent"]), "a line")
    t.equal(documents[0]["OrderLine"][0]["LineItem"]["Price"], {"PriceAmount": {"value": "1.250", "currencyID": "EUR"}}, "a price keeps its digits")
    t.equal(documents[0]["BuyerCustomerParty"]["Party"]["PartyIdentification"], [{"ID": "4012345000009", "schemeID": "0088"}], "what a condition asks for is put there")
    t.ok("Price" not in line, "and nothing without its value")
    status, out, said = convert(["--to", "csv"], json.dumps(documents))
    t.equal((status, out.decode(), said), (0, ORDERS, ""), "written again it is the same file")
    first = [r for r in ORDERS.split("\r\n")]
    blank = "\r\n".join([first[0], first[1], ",,,,,,,,,,,,,," + first[2].split("2026-02-16,,")[1]]) + "\r\n"
    t.equal(read(blank), documents[0], "the head's columns may stand in the first row only")
    status, out, said = convert(["--sheet", "csv-order", "--to", "ubl-xml", "--document", "2"], ORDERS)
    t.ok(status == 0 and b"<cbc:ID>PO-2</cbc:ID>" in out, "CSV to UBL", said)
    invoice = ("Invoice No,Invoice Date,Type,Currency,Order No,Seller,Seller VAT No,Buyer,Tax Total,Net Total,Total,Line,GTIN,Quantity,Unit,Price,Amount,Tax Percent\n"
               "IN-1,2026-02-01,380,EUR,PO-1,S,DE123,B,1.90,10.00,11.90,1,04012345678901,4,C62,2.50,10.00,19\n")
    d = read(invoice, "csv-invoice")
    t.equal((d["LegalMonetaryTotal"]["PayableAmount"], d["InvoiceLine"][0]["Item"]["ClassifiedTaxCategory"][0]["Percent"]), ({"value": "11.90", "currencyID": "EUR"}, "19"), "an invoice")
    status, out, said = convert(["--to", "csv"], json.dumps(d))
    t.equal((status, said), (0, ""), "written without a remark")
    t.equal(read(out, "csv-invoice"), d, "and read again it is the same")


def remarks():
    d = read(ORDERS)[1]
    d["Colour"] = "red"
    d["OrderLine"][0]["LineItem"]["Size"] = {"a": ["b"]}
    said = convert(["--to", "csv"], json.dumps(d))[2]
    t.equal(sorted(line.split(": ")[-1] for line in said.splitlines()), ["Colour", "OrderLine[0].LineItem.Size.a[0]"], "what no row takes is named")
    d = read("Order No,Order Date,Line,Quantity,Extra\nP,2026-01-01,1,1,x\n")
    t.equal(d["_unmapped"], [{"segment": "Extra", "position": 2, "element": 5, "value": "x"}], "a column that the sheet does not know is listed")


def samples():
    for name in ("csv-order", "csv-invoice"):
        done = subprocess.run([VANCTL, "map", "test", os.path.join(TOP, "maps", name + ".csv")], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120,
                              env=dict(os.environ, OPENVAN_MAPS=os.path.join(TOP, "maps")))
        t.ok(done.returncode == 0 and b"to-csv" in done.stdout, f"{name}: its samples come out as expected", done.stdout.decode())


class Maps:
    """A folder with one sheet of these rows."""

    def __init__(self, rows):
        self.folder = tempfile.mkdtemp()
        with open(os.path.join(self.folder, "s.csv"), "w", encoding="utf-8") as f:
            f.write("target,source,when,transform,table,default,required,way\n@map,csv order 1 <-> order/1.0\n" + rows)
        with open(os.path.join(self.folder, "table-unit.csv"), "w", encoding="utf-8") as f:
            f.write("from,to\nStück,C62\nkg,KGM\n")

    def __enter__(self):
        return self.folder

    def __exit__(self, *_):
        shutil.rmtree(self.folder)


GERMAN = """@delimiter,;
@decimal,comma
@thousands,point
@encoding,ISO-8859-1
@date,DD.MM.CCYY
@repeat,no
ID,Bestellung,,,,,yes
IssueDate,Datum,,date
OrderLine[],loop row
OrderLine[].ID,Pos
OrderLine[].Name,Text
OrderLine[].Qty,Menge,,decimal,,,yes
OrderLine[].Unit,Einheit,,,unit
OrderLine[].Sign,'minus',Art=G|S
OrderLine[].Total,=$fixed($number($replace(Menge; ',', '.')) * 2; 2),,,,,,in
""".replace("; ',", ", ',").replace("* 2; 2", "* 2, 2").replace("=$fixed($number($replace(Menge, ',', '.')) * 2, 2)", '"=$fixed($number($replace(Menge, \',\', \'.\')) * 2, 2)"')


def options():
    text = "Bestellung;Datum;Pos;Text;Menge;Einheit;Art\r\nÄ1;31.12.2025;1;\"a;b\";2,5;Stück;G\r\n;;2;Größe;0,75;kg;X\r\n"
    with Maps(GERMAN) as maps:
        d = read(text.encode("latin-1"), "s", maps)
        t.equal((d["ID"], d["IssueDate"]), ("Ä1", "2025-12-31"), "ISO 8859-1, semicolons, a date of its own")
        t.equal(d["OrderLine"], [{"ID": "1", "Name": "a;b", "Qty": "2.5", "Unit": "C62", "Sign": "minus", "Total": "5.00"},
                                 {"ID": "2", "Name": "Größe", "Qty": "0.75", "Unit": "KGM", "Total": "1.50"}], "decimal commas, a table, a condition, an expression")
        for line in d["OrderLine"]:
            line.pop("Sign", None)
            line.pop("Total")
        status, out, said = convert(["--sheet", "s", "--to", "csv"], json.dumps(d), maps)
        t.equal((out.decode("latin-1"), said), (text.replace(";G\r", ";\r").replace(";X\r", ";\r"), ""), "back, the head in the first row only")
        d["OrderLine"][0]["Name"] = "Ж"
        t.ok("row 2, column Text: 'Ж' has a character that ISO-8859-1 has not; change @encoding" in convert(["--sheet", "s", "--to", "csv"], json.dumps(d), maps)[2],
             "a character that the encoding has not")
    with Maps("@delimiter,;\n@decimal,comma\n@thousands,point\nN,A,,decimal\nM,B,,number\n") as maps:
        d = read("A;B\n-01.234,50;,5\n", "s", maps)
        t.equal((d["N"], d["M"]), ("-1234.50", "0.5"), "points between thousands, no zero in front, a number")
        t.ok("has a point, and @decimal says" not in convert(["--sheet", "s", "--to", "csv"], json.dumps(d), maps)[2], "written again")
    with Maps("@header,no\nID,1\nOrderLine[],loop row\nOrderLine[].ID,2\n") as maps:
        t.equal(read("a,1\na,2\n", "s", maps)["OrderLine"], [{"ID": "1"}, {"ID": "2"}], "columns by number, without a first line")


def errors():
    with Maps(GERMAN) as maps:
        for text, why in [("Bestellung;Menge\n1;x\n", "row 2, column Menge: 'x' is not a decimal number (digits and a comma); mend the file, or row 14 of the sheet"),
                          ("Bestellung;Menge;Datum\n1;1;2026-01-01\n", "row 2, column Datum: '2026-01-01' is not a date (DD.MM.CCYY)"),
                          ("Bestellung;Menge;Datum\n1;1;29.02.2026\n", "row 2, column Datum: '29.02.2026' is not a date (DD.MM.CCYY)"),
                          ("Bestellung;Menge\n1;\n", "row 2, column Menge: it is empty, and row 14 of the sheet (OrderLine[].Qty) requires it"),
                          ("Menge\n1\n", "column Bestellung: the file's first line does not name it"),
                          ("Bestellung;Menge\n1;1\n2;1\n", "row 3, column Bestellung: '2' stands here and '1' in row 2, but it belongs to the whole document"),
                          ("Bestellung;Menge;Einheit\n1;1;box\n", "row 2, column Einheit: 'box' is not in table unit; add it there"),
                          ("Bestellung;Menge\n1;\"1\n", "a quote (\") has no end"), ("Bestellung;Menge\n", "the file has no rows"), ("", "the file has no rows"),
                          ("Bestellung;bestellung\n1;1\n", "names the column bestellung twice"), (";" * 300, "more than 250 columns")]:
            status, out, said = convert(["--sheet", "s", "--to", "canonical"], text, maps)
            t.ok(status == 1 and out == b"" and why in said, f"refused: {why}", said)
    status, _, said = convert(["--sheet", "csv-order", "--to", "canonical"], "Order No,Order Date,Line,Quantity\n\xe4,1,1,1\n".encode("latin-1"))
    t.ok(status == 1 and "row 2: the file is not UTF-8 here" in said, "another encoding than the sheet says", said)
    t.ok("there is no flat sheet nosuch" in convert(["--sheet", "nosuch", "--to", "canonical"], "a")[2], "a sheet that is not there")
    for rows, why in [("@colour,red\n", "row 3, target: is one of @map @delimiter"), ("ID,\n", "row 3, source: a row needs a source or a default"),
                      ("A b,X\n", "row 3, target: is a place"), ("ID,X,,implied(2)\n", "row 3, transform: is one of date time"),
                      ("ID,X,,,nosuch\n", "row 3, table: there is no table nosuch"), ("ID,=1 +,,,,,,in\n", "row 3, source: column 4: the expression ends"),
                      ("@delimiter,ab\n", "row 3, source: is one character"), ("@encoding,UTF-16\n", "is UTF-8 or one like ISO-8859-1"),
                      ("L[],loop row\nM[],loop row\n", "row 4, target: of loop row is a list")]:
        with Maps(rows) as maps:
            status, _, said = convert(["--sheet", "s", "--to", "canonical"], "X\n1\n", maps)
            t.ok(status and why in said, f"a sheet refused: {why}", said)


def large():
    rows = "".join(f"PO-{i // 1000},2026-01-15,{i},{i % 7}.5\n" for i in range(50000))
    documents = read("Order No,Order Date,Line,Quantity\n" + rows)
    t.equal((len(documents), sum(len(d["OrderLine"]) for d in documents)), (50, 50000), "50 orders of 1,000 lines")


if __name__ == "__main__":
    for group in (shipped_sheets, samples, remarks, options, errors, large):
        t.run(group)
    sys.exit(t.done())
