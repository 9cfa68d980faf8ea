#!/usr/bin/python3
"""vanctl edi convert by maps takes messages and documents one after the other: what comes out is the same in any pieces, and memory is
that of the largest, for EDI and JSON, output and report."""

import json
import os
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.abspath(os.environ.get("VAN_SRCDIR") or os.path.join(HERE, "..", ".."))
sys.path[:0] = [os.path.join(HERE, "..", "integration")]

import tap  # noqa: E402

VANCTL = os.path.join(os.path.abspath(os.environ.get("VAN_BUILDDIR") or "."), "vanctl")
ORDERS = "order-to-edifact-d96a-orders"
ENV = dict(os.environ, OPENVAN_MAPS=os.path.join(TOP, "maps"), OPENVAN_DICT=os.path.join(TOP, "dict"))
MANY = 20000
GROWTH = 8 << 20  # bytes that 20,000 messages may need more than one does; one is 1 KB, all are 20 MB

t = tap.Tap()


def order(number, lines=5):
    rows = "".join(f"PO1*{i + 1}*{i + 7}*EA*2.50*PE*UP*0123456789{i:02}*VN*VS-{i:04}~PID*F****Item number {i} of the order~" for i in range(lines))
    return (f"ST*850*{number:09}~BEG*00*SA*PO-{number:08}**20260115~CUR*BY*USD~REF*DP*{number % 1000:03}~DTM*002*20260202~"
            f"N1*BY*ACME Stores*92*{number % 10000:04}~N3*1200 Commerce Way~N4*Columbus*OH*43215*US~N1*ST*ACME East*92*DC01~"
            f"{rows}CTT*{lines}~SE*{11 + 2 * lines}*{number:09}~").encode()


def orders(count):
    yield (b"ISA*00*          *00*          *ZZ*ACME           *ZZ*VOLT           *260115*0930*U*00401*000000101*0*T*>~"
           b"GS*PO*ACME*VOLT*20260115*0930*101*X*004010~")
    for number in range(1, count + 1):
        yield order(number)
    yield f"GE*{count}*101~IEA*1*000000101~".encode()


def csv_orders(count):
    yield b"\xef\xbb\xbfOrder No,Order Date,Currency,Line,Seller Item,Quantity,Unit,Price,Description\r\n"
    for number in range(1, count + 1):
        yield "".join(f'PO-{number:08},2026-01-15,EUR,{i},A-{i},{i},C62,2.50,"Teil {i},\n""groß"" für {number}"\r\n' for i in range(1, 6)).encode()


def run(options, chunks, out, err):
    """Exit status and most resident bytes; output and report go to these files."""
    p = subprocess.Popen([VANCTL, "edi", "convert", *options, "-"], stdin=subprocess.PIPE, stdout=out, stderr=err, env=ENV)
    try:
        for chunk in chunks:
            p.stdin.write(chunk)
        p.stdin.close()
    except BrokenPipeError:
        pass
    _, status, usage = os.wait4(p.pid, 0)
    p.returncode = os.waitstatus_to_exitcode(status)
    return p.returncode, usage.ru_maxrss << 10


def convert(options, chunks):
    """Exit status, output, report."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        status, _ = run(options, chunks, out, err)
        out.seek(0)
        err.seek(0)
        return status, out.read(), err.read()


def undated(edi):
    """Without the envelopes' times and messages' numbers."""
    edi = re.sub(rb"\+\d{6}:\d{4}\+|\*\d{6}\*\d{4}\*|\*\d{8}\*\d{4}\*", b"+", edi)
    return re.sub(rb"(ST\*850|SE\*\d+)\*\d+~", rb"\1~", edi)


def read(path):
    with open(path, "rb") as f:
        while chunk := f.read(1 << 16):
            yield chunk


def sized(chunks, size):
    """The same bytes in pieces of this size."""
    whole = b"".join(chunks)
    for at in range(0, len(whole), size):
        yield whole[at:at + size]


def pieces():
    """Messages that lie across pieces of every kind come out the same."""
    for options in (["--to", "edifact", "--map", ORDERS], ["--to", "canonical"]):
        want = convert(options, orders(300))
        same = all(undated(convert(options, sized(orders(300), size))[1]) == undated(want[1]) for size in (997, 65536, 10 << 20))
        t.ok(want[0] == 0 and same, f"{options[1]}: the same in pieces of any size", want[2].decode()[:200])
    documents = convert(["--to", "canonical"], orders(300))[1]
    t.ok(len(json.loads(documents)) == 300, "several documents are an array")
    want = convert(["--to", "x12"], [documents])
    same = all(undated(convert(["--to", "x12"], sized([documents], size))[1]) == undated(want[1]) for size in (997, 65536))
    t.ok(want[0] == 0 and same, "documents: the same in pieces of any size", want[2].decode()[:200])
    a, b = undated(want[1]).strip(), undated(b"".join(orders(300)))
    t.ok(a == b, "and they are the orders again", f"{a[:700]}\n{b[:700]}")
    for options in (["--to", "canonical"], ["--to", "x12", "--map", "order-to-x12-004010-850", "--sender", "ZZ:A", "--receiver", "ZZ:B"]):
        options = ["--sheet", "csv-order", *options]
        want = convert(options, csv_orders(300))
        same = all(undated(convert(options, sized(csv_orders(300), size))[1]) == undated(want[1]) for size in (997, 65536))
        t.ok(want[0] == 0 and same, f"CSV to {options[3]}: the same in pieces of any size", want[2].decode()[:200])
    documents = json.loads(convert(["--sheet", "csv-order", "--to", "canonical"], csv_orders(300))[1])
    t.equal((len(documents), documents[299]["OrderLine"][4]["LineItem"]["Item"]["Description"]), (300, ['Teil 5,\n"groß" für 300']), "CSV: every order, quoted lines and all")
    one = convert(["--to", "canonical"], orders(1))[1]
    t.ok(json.loads(one)["ID"] == "PO-00000001", "one document stands alone")
    across = [b"".join(orders(2)), b"".join(orders(1))]
    twice = convert(["--to", "edifact", "--map", ORDERS], sized(across, 700))[1]
    t.ok(twice.count(b"UNB+") == 2 and twice.count(b"UNZ+") == 2 and b"UNZ+2+1'" in twice and b"UNZ+1+2'" in twice, "two interchanges", twice.decode()[-300:])


def memory():
    """Memory grows with the largest message, not with the input."""
    if "libasan" in subprocess.run(["ldd", VANCTL], stdout=subprocess.PIPE, text=True).stdout:
        t.diag("the sanitizer keeps what was freed: memory is not measured")
        return
    with tempfile.TemporaryDirectory() as work:
        path = {n: os.path.join(work, f"{n}.json") for n in (1, MANY)}
        for what, options, chunks in (("850 to ORDERS", ["--to", "edifact", "--map", ORDERS], orders),
                                      ("850 to ORDERS, explained", ["--to", "edifact", "--map", ORDERS, "--explain"], orders),
                                      ("850 to canonical", ["--to", "canonical", "--json"], orders),
                                      ("canonical to 850", ["--to", "x12"], lambda n: read(path[n])),
                                      ("850 to CSV", ["--to", "csv"], orders),
                                      ("canonical to CSV", ["--to", "csv"], lambda n: read(path[n])),
                                      ("CSV to canonical", ["--sheet", "csv-order", "--to", "canonical"], csv_orders),
                                      ("CSV to 850", ["--sheet", "csv-order", "--to", "x12", "--map", "order-to-x12-004010-850", "--sender", "ZZ:A", "--receiver", "ZZ:B"], csv_orders),
                                      ("one of many as UBL", ["--to", "ubl-xml", "--document", "1"], lambda n: read(path[n]))):
            most, size = {}, {}
            for n in (1, MANY):
                out = path[n] if what == "850 to canonical" else os.path.join(work, "out")
                with open(out, "wb") as to, open(os.path.join(work, "err"), "wb") as err:
                    status, most[n] = run(options, chunks(n), to, err)
                size = [os.path.getsize(out), os.path.getsize(os.path.join(work, "err"))]
            t.diag(f"{what}: one {most[1] >> 20} MiB, {MANY} {most[MANY] >> 20} MiB; {size[0] >> 20} MiB out, {size[1] >> 20} MiB of report")
            t.ok(status == 0 and most[MANY] - most[1] < GROWTH, f"{what}: bounded memory", f"status {status}: {most}")
    large = convert(["--to", "edifact", "--map", ORDERS], sized([next(orders(1)), order(1, 8000), b"GE*1*101~IEA*1*000000101~"], 4096))
    t.ok(large[0] == 0 and large[1].count(b"LIN+") == 8000, "a message of 8,000 lines, larger than what is read at once", large[2].decode()[:200])


def errors():
    """An error in a small input leaves nothing behind; one in a large input ends what was begun."""
    broken = order(3).replace(b"BEG*00*SA*PO-00000003*", b"BEG*00*SA**")
    head, *rest = list(orders(2))
    status, out, said = convert(["--to", "edifact", "--map", ORDERS], [head, rest[0], broken, rest[1]])
    t.ok(status == 1 and out == b"" and b"ID is required" in said and b"000000003" in said, "an error in a small input", said.decode())
    many = [order(n) for n in range(1, 1000)]
    status, out, said = convert(["--to", "edifact", "--map", ORDERS], [head, *many, broken, rest[1]])
    t.ok(status == 1 and out.startswith(b"UNB+") and b"UNZ+" not in out and b"ID is required" in said, "an error in a large one: no end", said.decode())
    junk = [b"no EDI at all " * 1000] * 300
    status, out, said = convert(["--to", "edifact", "--map", ORDERS], [*junk, *orders(2), *junk, *orders(1)])
    t.ok(status == 0 and out.count(b"UNH+") == 3, "junk between interchanges is passed over", said.decode()[:200])


if __name__ == "__main__":
    for group in (memory, pieces, errors): # memory first: a child begins with what this process has taken so far
        t.run(group)
    sys.exit(t.done())
