"""The schemas of canonical documents, and where a path of a sheet leads in them."""

import json
import os

TOP = os.path.abspath(os.environ.get("VAN_SRCDIR") or os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
FOLDER = os.path.join(TOP, "maps", "canonical")


def load():
    """All schemas, by their $id."""
    found = {}
    for name in sorted(os.listdir(FOLDER)):
        with open(os.path.join(FOLDER, name), encoding="utf-8") as file:
            schema = json.load(file)
        found[schema["$id"]] = schema
    return found


def of_document(schemas, document):
    """"order/1.0" is urn:openvan:canonical:order:1.0."""
    return schemas.get("urn:openvan:canonical:" + document.replace("/", ":"))


class Place:
    """A schema, with the file it stands in."""

    def __init__(self, schemas, root, schema):
        self.schemas, self.root, self.schema = schemas, root, schema
        while "$ref" in self.schema:
            file, _, pointer = self.schema["$ref"].partition("#")
            self.root = schemas[file] if file else self.root
            self.schema = self.root
            for part in pointer.strip("/").split("/"):
                self.schema = self.schema[part]

    def child(self, schema):
        return Place(self.schemas, self.root, schema)

    def member(self, name):
        found = self.schema.get("properties", {}).get(name)
        return self.child(found) if found is not None else None

    def item(self):
        return self.child(self.schema["items"]) if self.schema.get("type") == "array" else None

    def walk(self, path=""):
        """Every place below that holds a value, with its path as sheets write it."""
        kind = self.schema.get("type")
        if kind == "array":
            yield from self.item().walk(path + "[]")
        elif "properties" in self.schema:
            for name in self.schema["properties"]:
                yield from self.member(name).walk(path + "." + name if path else name)
        else:
            yield path, self


def follow(schemas, document, path):
    """The place of a target such as OrderLine[].LineItem.ID; a text that says where it ends, when it does."""
    schema = of_document(schemas, document)
    place = Place(schemas, schema, schema)
    for part in path.split("."):
        name = part.removesuffix("[]")
        place = place.member(name)
        if place is None:
            return f"{path}: {document} has no {name} there"
        if (place.schema.get("type") == "array") != part.endswith("[]"):
            return f"{path}: {name} is {'no ' if part.endswith('[]') else 'a '}list in {document}"
        place = place.item() if part.endswith("[]") else place
    return place
