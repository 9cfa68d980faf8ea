"""What canonical schemas say against UBL's table: lists and single values have to be what src/map/ubl_names.c says."""

import json
import os
import re

TOP = os.path.abspath(os.environ.get("VAN_SRCDIR") or os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
CANONICAL = os.path.join(TOP, "maps", "canonical")
DOCUMENTS = {"order": "Order", "order-response": "OrderResponse", "despatch-advice": "DespatchAdvice", "invoice": "Invoice", "credit-note": "CreditNote"}
OTHER_NAMES = {("TransportHandlingUnit", "Package"): "ActualPackage", ("TransportHandlingUnit", "DespatchLine"): "HandlingUnitDespatchLine"}


def source(name):
    with open(os.path.join(TOP, "src", "map", name), encoding="utf-8") as f:
        return f.read()


def table():
    """{type: {member: (type of a part or None, may stand several times)}}"""
    types = {}
    for m in re.finditer(r'\{"(\w+)",\n((?:\t\t"[^"]*",?\}?,?\n)+)', source("ubl_table.c")):
        members = types[m.group(1)] = {}
        for word in "".join(re.findall(r'"([^"]*)"', m.group(2))).split():
            name, part, kind = word.rstrip("*").rstrip("!").partition(":")
            members[name] = ((kind or name) if part else None, word.endswith("*"))
    return types


def exceptions():
    text = source("ubl_names.c")
    text = text[text.index("bool ubl_canonical_many"):]
    return set(re.findall(r'\{"(\w+)", "(\w+)"\}', text[:text.index("return many")]))


class Shapes:
    def __init__(self):
        self.types, self.exceptions, self.wrong, self.seen, self.schemas = table(), exceptions(), set(), 0, {}

    def schema(self, name):
        if name not in self.schemas:
            with open(os.path.join(CANONICAL, name + "-1.0.json"), encoding="utf-8") as f:
                self.schemas[name] = json.load(f)
        return self.schemas[name]

    def resolve(self, doc, schema):
        ref = schema.get("$ref")
        if not ref:
            return doc, schema
        where, _, name = ref.partition("#/$defs/")
        doc = doc if not where else self.schema(where.split(":")[-2])
        return doc, doc["$defs"][name]

    def walk(self, doc, schema, kind, depth=0):
        doc, schema = self.resolve(doc, schema)
        for name, value in schema.get("properties", {}).items() if depth < 9 else ():
            ubl = self.types.get(kind, {}).get(OTHER_NAMES.get((kind, name), name))
            if not ubl:
                continue
            inner_doc, inner = self.resolve(doc, value)
            array = inner.get("type") == "array"
            self.seen += 1
            if array != (ubl[1] != ((kind, name) in self.exceptions)):
                self.wrong.add(f"{kind}.{name} is {'a list' if array else 'one'} in maps/canonical; list it in ubl_canonical_many(), or change the schema")
            if ubl[0]:
                self.walk(inner_doc, inner["items"] if array else inner, ubl[0], depth + 1)


def differences():
    """(members compared, what differs)"""
    shapes = Shapes()
    for name, kind in DOCUMENTS.items():
        if os.path.exists(os.path.join(CANONICAL, name + "-1.0.json")):
            shapes.walk(shapes.schema(name), shapes.schema(name), kind)
    return shapes.seen, sorted(shapes.wrong)
