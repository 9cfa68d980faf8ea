"""Interchanges as a sender's own software would write them: realistic 850s, and the 997 a receiver answers with."""

import re

ITEMS = [
    ("CORDLESS DRILL 18V", "EA", "89.95"), ("DRILL BIT SET 29 PCS", "ST", "34.5"), ("SAFETY GOGGLES CLEAR", "EA", "6.25"),
    ("WORK GLOVES SIZE L", "PR", "4.1"), ("LED WORK LIGHT 20W", "EA", "27.8"), ("EXTENSION CORD 10M", "EA", "15.99"),
    ("TOOL BELT LEATHER", "EA", "42"), ("WOOD SCREWS 4X40 200", "BX", "7.35"), ("SPIRIT LEVEL 60CM", "EA", "18.4"),
    ("TAPE MEASURE 5M", "EA", "5.75"), ("SANDPAPER ASSORTED", "PK", "3.6"), ("CABLE TIES 100", "BG", "2.95"),
]


def isa(sender, receiver, control, usage="P", separator="*", component=">"):
    """`sender` and `receiver` are QUAL:ID."""
    sq, si = sender.split(":", 1)
    rq, ri = receiver.split(":", 1)
    fields = ["ISA", "00", " " * 10, "00", " " * 10, sq, si.ljust(15), rq, ri.ljust(15), "260801", "1204", "U", "00401",
              f"{control:09d}", "0", usage, component]
    return separator.join(fields)


def order_850(sender, receiver, control, po, lines=12, usage="P", eol="", version="004010", pad_to=0, segment_end="~"):
    """One interchange with one 850. `control` numbers interchange and group; `eol` follows each segment."""
    group_sender, group_receiver = sender.split(":", 1)[1], receiver.split(":", 1)[1]
    message = [
        "ST*850*0001", f"BEG*00*SA*{po}**20260801", "CUR*BY*USD", "REF*DP*0042", "REF*IA*778812",
        "PER*BD*PAT BUYER*TE*5550100200", "FOB*PP*OR", "ITD*01*3*2**30**60", "DTM*010*20260815", "DTM*001*20260829",
        "TD5*O*2*UPSN*M*GROUND", "N1*BY*BUYER STORES INC*92*0001", "N1*ST*DISTRIBUTION CENTER 7*92*0007",
        "N3*4200 INDUSTRIAL PARKWAY*DOCK 12", "N4*COLUMBUS*OH*43085*US", "N1*BT*BUYER STORES INC*92*9000",
        "N3*1 MAIN STREET", "N4*DAYTON*OH*45402*US",
    ]
    wanted = lines
    number = 0
    size = 0
    while number < wanted or size < pad_to:
        text, unit, price = ITEMS[number % len(ITEMS)]
        number += 1
        added = [f"PO1*{number}*{(number * 7) % 96 + 1}*{unit}*{price}**VP*{10000 + number}*UP*{700000000000 + number * 13}",
                 f"PID*F****{text}"]
        message += added
        size += sum(len(s) + 1 + len(eol) for s in added)
    message.append(f"CTT*{number}")
    message.append(f"SE*{len(message) + 1}*0001")
    segments = [isa(sender, receiver, control, usage),
                f"GS*PO*{group_sender}*{group_receiver}*20260801*1204*{control}*X*{version}"]
    segments += message + [f"GE*1*{control}", f"IEA*1*{control:09d}"]
    return "".join(s + segment_end + eol for s in segments).encode("ascii")


def ack_997(sender, receiver, control, group_control, status="A", message_control="0001", code="PO", usage="P"):
    """The 997 with which `sender` accepts (A, E) or rejects (R) the group `group_control` it got from `receiver`."""
    accepted = 0 if status == "R" else 1
    message = [
        "ST*997*0001", f"AK1*{code}*{group_control}", f"AK2*850*{message_control}",
        "AK5*R*5" if status == "R" else f"AK5*{status}", f"AK9*{status}*1*1*{accepted}",
    ]
    message.append(f"SE*{len(message) + 1}*0001")
    segments = [isa(sender, receiver, control, usage),
                f"GS*FA*{sender.split(':', 1)[1]}*{receiver.split(':', 1)[1]}*20260801*1310*{control}*X*004010"]
    segments += message + [f"GE*1*{control}", f"IEA*1*{control:09d}"]
    return "".join(s + "~" for s in segments).encode("ascii")


def segments(data):
    """The segments of an interchange as lists of elements, by the delimiters its ISA declares."""
    text = data.decode("ascii", "replace")
    start = text.find("ISA")
    if start < 0 or len(text) < start + 106:
        return []
    separator, end = text[start + 3], text[start + 105]
    return [s.strip("\r\n ").split(separator) for s in text[start:].split(end) if s.strip("\r\n ")]


def acknowledged_groups(data):
    """(functional code, group control number, AK9 status) of each 997 in an interchange."""
    found = []
    code = number = None
    for segment in segments(data):
        if segment[0] == "AK1":
            code, number = segment[1], int(segment[2])
        elif segment[0] == "AK9":
            found.append((code, number, segment[1]))
    return found


def is_997(data):
    return bool(re.search(rb"ST.997.", data[:400]))
