"""Reads dictionaries (doc/dictionary-format.md) for tests: an own reader, so that it does not share the engine's mistakes."""

import os
import re
import shlex


class Element:
    def __init__(self, kind, low, high):
        self.kind, self.low, self.high, self.codes, self.open = kind, low, high, set(), False

    def good(self):
        """A value that is right for it."""
        if self.codes:
            return min(self.codes)
        if self.kind == "DT":
            return "20260115" if self.high >= 8 else "260115"
        if self.kind == "TM":
            return "1200"
        return ("1" if self.kind[0] in "NR" else "X") * max(self.low, 1)


class Segment:
    def __init__(self):
        self.fields, self.notes = [], []


class Node:
    def __init__(self, name, mandatory, most, parent, loop):
        self.id, self.mandatory, self.most, self.parent, self.loop = name, mandatory, most, parent, loop
        self.when, self.kids, self.levels = None, [], {}

    def siblings(self):
        return self.parent.kids

    def reach(self):
        """What may follow: itself, what comes later in its loop, and so for each loop around, or that loop once more."""
        at, found = self, [self]
        while at.parent:
            kids = at.parent.kids
            found += kids[kids.index(at) + 1:]
            at = at.parent
            if at.parent:
                found.append(at)
        return found

    def walk(self):
        yield self
        for kid in self.kids:
            yield from kid.walk()


class Dictionary:
    """One version with its messages, what they share (which CONTRL's versions need not have), and what it inherits."""

    def __init__(self, folder, standard, version):
        self.elements, self.composites, self.segments, self.known, self.messages = {}, {}, {}, set(), {}
        self.folder, self.standard = folder, standard
        if os.path.exists(os.path.join(folder, f"{standard}-{version}.dict")):
            self.read(f"{standard}-{version}.dict")
        for name in sorted(os.listdir(folder)):
            if re.fullmatch(f"{standard}-{version}-.*\\.dict", name):
                self.read(name)

    def read(self, name):
        self.element = self.owner = None
        self.open = []
        with open(os.path.join(self.folder, name), encoding="utf-8") as file:
            for line in file:
                words = shlex.split(line, comments=True)
                if words:
                    getattr(self, "do_" + words[0].replace("-", "_"), self.do_other)(words)

    def do_dictionary(self, words):
        if "extends" in words:
            base = words[words.index("extends") + 1].replace(":", "")
            self.read(f"{self.standard}-{base}.dict")

    def do_element(self, words):
        low, high = words[3].split("-")
        self.element = self.elements[words[1]] = Element(words[2], int(low), int(high))
        self.element.open = "open" in words[4:]

    def do_codes(self, words):
        self.element.codes.update(words[1:])

    def do_code(self, words):
        self.element.codes.add(words[1])

    def do_more_codes(self, words):
        old = self.elements[words[1]]
        new = self.elements[words[1]] = Element(old.kind, old.low, old.high)
        new.codes, new.open = old.codes | set(words[2:]), old.open

    def do_composite(self, words):
        self.owner = self.composites[words[1]] = Segment()

    def do_segment(self, words):
        self.owner = self.segments[words[1]] = Segment()

    def do_note(self, words):
        for word in words[1:]:
            self.owner.notes.append((word[0], [int(word[i:i + 2]) for i in range(1, len(word), 2)]))

    def do_known_segments(self, words):
        self.known.update(words[1:])

    def do_message(self, words):
        self.owner = None
        root = self.messages[words[1]] = Node(words[1], True, 1, None, True)
        self.open = [root]

    def do_level(self, words):
        self.open[0].levels[words[1]] = words[3:]

    def do_loop(self, words):
        self.open.append(self.node(words[1:], True))

    def do_end(self, words):
        loop = self.open.pop()
        loop.id = loop.kids[0].id

    def node(self, words, loop):
        parent = self.open[-1]
        node = Node(words[0], words[1] == "M", 0 if words[2] == "*" else int(words[2]), parent, loop)
        if len(words) > 4:
            element, values = words[4].split("=")
            node.when = int(element), values.split(",")
        parent.kids.append(node)
        return node

    def do_other(self, words):
        if self.open:
            self.node(words, False)
            return
        repeat = 1 if len(words) < 3 else 0 if words[2] == "*" else int(words[2])
        self.owner.fields.append((words[0], words[1] == "M", repeat))


def place(root, segments):
    """The node of each segment of a message that is right, or None where the structure has no place for it."""
    nodes = [None] * len(segments)

    def fits(node, at):
        if at >= len(segments) or segments[at][0] != node.id:
            return False
        element, values = node.when or (0, [])
        return not node.when or (len(segments[at]) > element and segments[at][element] in values)

    def take(kids, at):
        for node in kids:
            times = 0
            while fits(node, at) and (not node.most or times < node.most):
                times += 1
                if node.loop:
                    at = take(node.kids, at)
                else:
                    nodes[at] = node
                    at += 1
        return at

    take(root.kids, 0)
    return nodes
