"""Writes doc/canonical-fields.md from the sheets and the schemas: where each field of a canonical document comes from. The test
beside it compares; run by hand it prints the page."""

import csv
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import canonical  # noqa: E402

MAPS = os.path.join(canonical.TOP, "maps")
STANDARDS = ("x12", "edifact")
MOST = 6  # values of a condition shown
COMMON = "urn:openvan:canonical:common:1.0#/$defs/"
# Parts that look the same wherever they occur: shown once, at the end.
PARTS = {"party": "Party", "contact": "Contact", "documentReference": "Reference", "allowanceCharge": "Allowance or charge",
         "paymentTerms": "Payment terms", "taxTotal": "Tax", "item": "Item", "deliveryTerms": "Delivery terms",
         "shipmentStage": "Shipment stage", "amount": None, "quantity": None}
LOCAL = {"handlingUnit": "Handling unit", "package": "Package", "despatchLine": "Despatch line"}  # the same, in one document
HEAD = """# Where the fields of canonical documents come from

Made from the sheets in `maps/` and the schemas in `maps/canonical/` by `tests/maps/fields.py`, and compared with them by a test.
A source with a condition behind it is written `REF.02 (REF.01=DP)`; several sources of a field are parted by semicolons. Parties, references,
items and other parts that are the same everywhere stand once, [at the end](#parts). `maps/README.md` explains how sources are written, and
`maps/canonical/` which code lists the fields use.
"""


class Sheet:
    def __init__(self, path):
        with open(path, encoding="utf-8", newline="") as file:
            self.rows = [row for row in csv.DictReader(file) if row["target"] and row["target"][0] not in "#'="]
        head = next(row for row in self.rows if row["target"] == "@map")["source"].split()
        self.standard, self.type, self.document = head[0], head[1], head[-1]
        loops = []
        for row in self.rows:
            row["loop"] = next((loop for loop in reversed(loops) if row["target"].startswith(loop["target"] + ".")), None)
            if row["source"].startswith("loop "):
                loops.append(row)
        self.rows = [row for row in self.rows if row["target"][0] not in "@." and row["way"] != "out"]

    def below(self, prefix):
        return [row for row in self.rows if row["target"] == prefix or row["target"].startswith(prefix + ".")]


def sheets():
    names = sorted(name for name in os.listdir(MAPS) if name.endswith(".csv") and not name.startswith("table-"))
    found = [Sheet(os.path.join(MAPS, name)) for name in names]
    return [sheet for sheet in found if sheet.standard in STANDARDS]


def conditions(row):
    """Those that tell the source from others, short."""
    found = [c.partition("=") for c in row["when"].split(" and ") if "=" in c and not c.startswith(("/", "="))]
    return ", ".join(f"{place}={'|'.join(values.split('|')[:MOST]) + ('|…' if values.count('|') >= MOST else '')}" for place, _, values in found)


def sources(rows):
    """FTX.04.01 to FTX.04.05 under the same condition are one."""
    groups = {}
    for row in rows:
        groups.setdefault((row["source"].rpartition(".")[0], conditions(row)), []).append(row["source"])
    texts = []
    for (_, condition), names in groups.items():
        names = distinct(names)
        for name in [f"{names[0]} … {names[-1]}"] if len(names) > 2 and "[" not in names[0] else names:
            texts.append("`" + (f"{name} ({condition})" if condition else name).replace("|", "\\|") + "`")
    return "; ".join(texts)


def distinct(items):
    return list(dict.fromkeys(items))


def cell(sheet, path, part):
    """What the sheet has for a field; for a part its loops, or the segments it is gathered from."""
    if not part:
        return sources([row for row in sheet.rows if row["target"] == path and not row["source"].startswith("loop ")])
    own = [row for row in sheet.below(path) if not row["source"].startswith("loop ") and row["target"] != path]
    loops = [row for row in sheet.below(path) if row["target"] == path and row["source"].startswith("loop ")]
    loops += [row["loop"] for row in own if row["loop"] and row["loop"]["target"] == up(path)]
    if loops and own:
        return sources({row["source"] + row["when"]: row for row in loops}.values())
    names = (row["source"].lstrip("^").split(".")[0].split("/")[-1] for row in own if row["source"].lstrip("^")[:1].isalpha())
    return ", ".join(f"`{name}`" for name in distinct(names))


def up(path):
    return path.rpartition(".")[0]


def fields(place, path=""):
    """Paths in the order of the schema, with the name of the part each is, or None."""
    ref = place.schema.get("$ref", "")
    for name, schema in place.schema.get("properties", {}).items():
        if name.startswith("_"):
            continue
        here = path + "." + name if path else name
        if schema.get("type") == "array":
            here, schema = here + "[]", schema["items"]
        part = schema.get("$ref", "").removeprefix(COMMON).removeprefix("#/$defs/")
        part = part if part in PARTS or part in LOCAL else None
        below = place.child(schema)
        if part and (part in LOCAL or PARTS[part]):
            yield here, part
        elif part:
            yield here + ".value", None
        elif "properties" in below.schema:
            yield from fields(below, here)
        else:
            yield here, None


def table(columns, rows):
    if not rows:
        return ""
    lines = ["| field | " + " | ".join(columns) + " |", "|---" * (len(columns) + 1) + "|"]
    return "\n".join(lines + [f"| {' | '.join(row)} |" for row in rows]) + "\n"


def anchor(part):
    title = (PARTS.get(part) or LOCAL[part]).lower()
    return f"[{title}](#{title.replace(' ', '-')})"


def document(schemas, name, all_sheets):
    """The section of one document; `shown` parts lead to their section."""
    mine = [sheet for sheet in all_sheets if sheet.document == name]
    schema = canonical.of_document(schemas, name)
    text = f"\n## {name}\n\n{schema['description']}\n\n"
    if not mine:
        return text + "No shipped sheet yet; the schema holds for sheets of your own.\n"
    rows = []
    for path, part in fields(canonical.Place(schemas, schema, schema)):
        cells = [cell(sheet, path, part) for sheet in mine]
        if any(cells):
            label = f"`{path.removesuffix('.value')}`" + (f" ({anchor(part)})" if part else "")
            rows.append([label] + cells)
    text += table([sheet.type for sheet in mine], rows)
    for part in LOCAL:
        if part in schema.get("$defs", {}):
            text += part_section(schemas, part, mine, canonical.Place(schemas, schema, schema["$defs"][part]))
    return text


def richest(all_sheets, schemas, part, standard):
    """The sheet and path of the standard that say most of a part."""
    best = (0, None, None)
    for sheet in (s for s in all_sheets if s.standard == standard):
        schema = canonical.of_document(schemas, sheet.document)
        for path, kind in fields(canonical.Place(schemas, schema, schema)):
            count = len(sheet.below(path)) if kind == part else 0
            if count > best[0]:
                best = (count, sheet, path)
    return best[1:]


def part_section(schemas, part, all_sheets, place):
    examples = [richest(all_sheets, schemas, part, standard) for standard in STANDARDS]
    rows = []
    for path, kind in fields(place):
        cells = [cell(sheet, f"{prefix}.{path}", kind) if sheet else "" for sheet, prefix in examples]
        if any(cells):
            rows.append([f"`{path.removesuffix('.value')}`" + (f" ({anchor(kind)})" if kind else "")] + cells)
    names = [f"{standard.replace('x12', 'X12').replace('edifact', 'EDIFACT')}" + (f", as in {sheet.type}" if sheet else "")
             for standard, (sheet, _) in zip(STANDARDS, examples)]
    return f"\n### {PARTS.get(part) or LOCAL[part]}\n\n" + table(names, rows) if rows else ""


def page():
    schemas, found = canonical.load(), sheets()
    names = [schema["title"] for schema in schemas.values() if schema["title"] != "common/1.0"]
    names.sort(key=lambda name: (name not in [s.document for s in found], name != "order/1.0", name))
    text = HEAD + "".join(document(schemas, name, found) for name in names)
    return text + "\n## Parts\n" + "".join(
        part_section(schemas, part, found, canonical.Place(schemas, {}, {"$ref": COMMON + part})) for part, title in PARTS.items() if title)


if __name__ == "__main__":
    sys.stdout.write(page())
