"""Samples of every X12 message that we have a dictionary for: each is valid, and each with one mistake is reported with the
right code of the right list at the right place. The mistakes are made from the dictionary by an own reader of it."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import dictionary  # noqa: E402
import samples  # noqa: E402
from samples import FOLDER, spread, validate  # noqa: E402


class Sample:
    def __init__(self, path, dictionaries):
        with open(path, encoding="ascii") as file:
            lines = [line.rstrip("~\n").split("*") for line in file]
        self.isa, self.gs, self.segments = lines[0], lines[1], lines[2:-2]
        self.type, self.version = self.segments[0][1], self.gs[8]
        self.dictionary = dictionaries[self.version]
        self.root = self.dictionary.messages[self.type]
        self.nodes = dictionary.place(self.root, self.segments)
        self.later = self.version >= "00402"
        self.component = self.isa[16]

    def definition(self, at):
        return self.dictionary.segments[self.segments[at][0]]

    def simple(self, at):
        """Elements of a segment that have a value: number, element, mandatory."""
        for i, (name, mandatory, _) in enumerate(self.definition(at).fields, 1):
            element = self.dictionary.elements.get(name)
            if element and i < len(self.segments[at]) and self.segments[at][i]:
                yield i, element, mandatory

    def control(self, at):
        return self.segments[at][0] in ("ST", "SE", "HL", "LS", "LE", "BIN")


# --- mistakes: each yields (segments, [(list, code, segment, position, element, component)]) -------------------------------

def with_element(sample, at, number, value):
    segments = [list(s) for s in sample.segments]
    segments[at] += [""] * (number + 1 - len(segments[at]))
    segments[at][number] = value
    while segments[at][-1] == "":
        segments[at].pop()
    return segments


def broken_notes(notes, present):
    """Element and code of what these syntax notes find."""
    found = {}
    for kind, at in notes:
        have = [n for n in at if n in present]
        if kind == "P" and have and len(have) < len(at) or kind == "C" and at[0] in have and len(have) < len(at):
            for n in at:
                if n not in have:
                    found.setdefault(n, "2")
        elif kind == "R" and not have:
            found.setdefault(at[0], "2")
        elif kind == "L" and have == [at[0]]:
            found.setdefault(at[1], "2")
        elif kind == "E" and len(have) > 1:
            found.setdefault(have[1], "10")
    return found


def notes_after(sample, at, segments):
    present = {i for i, value in enumerate(segments[at]) if i and value}
    return broken_notes(sample.definition(at).notes, present)


def element_fault(sample, at, number, code, value):
    segments = with_element(sample, at, number, value)
    if notes_after(sample, at, segments):
        return
    yield segments, [("AK403", code, segments[at][0], at + 1, number, 0)]


def each_element(sample):
    for at in range(len(sample.segments)):
        if not sample.control(at):
            for number, element, mandatory in sample.simple(at):
                yield at, number, element, mandatory


def missing_segment(sample):
    for at, node in enumerate(sample.nodes[:-1]):
        first = node is node.parent.kids[0]
        again = any(other.id == node.id and other is not node for other in node.reach())
        follows = [n for n in sample.nodes[at - 1].reach() if n.id == sample.nodes[at + 1].id][:1]
        taken = follows and follows[0] not in (sample.nodes[at + 1], sample.nodes[at + 1].parent)  # for an earlier one
        if node.mandatory and at and not again and not taken and (not first or node.parent.parent is None) and \
                sample.segments[at - 1][0] != node.id != sample.segments[at + 1][0]:
            yield sample.segments[:at] + sample.segments[at + 1:], [("AK304", "3", node.id, at + 1, 0, 0)]


def too_many_segments(sample):
    for at, node in enumerate(sample.nodes):
        others = [n for n in node.reach() if n.id == node.id and n is not node]
        if not at or node.id == "SE" or not node.most or node.most > 60 or others or \
                (node is node.parent.kids[0] and node.parent.parent):
            continue
        before = at
        while sample.nodes[before - 1] is node:
            before -= 1
        end = at + 1
        while sample.nodes[end] is node:
            end += 1
        copies = [sample.segments[at]] * (node.most + 1 - (end - before))
        yield sample.segments[:end] + copies + sample.segments[end:], [("AK304", "5", node.id, before + node.most + 1, 0, 0)]


def too_many_loops(sample):
    for at, node in enumerate(sample.nodes):
        loop = node.parent
        if node is not loop.kids[0] or not loop.parent or not 1 < loop.most <= 200 or loop.id == "HL":
            continue
        last = [n for n in loop.reach() if n.id == loop.id and n is not loop]
        if last or any(n.id == loop.id for kid in loop.kids[1:] for n in kid.walk()) or sample.nodes[:at].count(node):
            continue
        inside = set(id(n) for n in loop.walk())
        end = at
        while id(sample.nodes[end]) in inside:
            end += 1
        times = sample.nodes[at:end].count(node)
        copies = [sample.segments[at]] * (loop.most + 1 - times)
        yield sample.segments[:end] + copies + sample.segments[end:], [("AK304", "4", loop.id, end + len(copies), 0, 0)]


def unknown_segment(sample):
    for at in (1, len(sample.segments) - 1):
        yield sample.segments[:at] + [["QQ9", "1"]] + sample.segments[at:], [("AK304", "1", "QQ9", at + 1, 0, 0)]


def foreign_segment(sample):
    inside = {node.id for node in sample.root.walk()}
    for name in ("MOA", "CLM", "UD", "SDP"):
        if name not in inside:
            for at in (2, len(sample.segments) - 1):
                yield sample.segments[:at] + [[name, "1"]] + sample.segments[at:], [("AK304", "6", name, at + 1, 0, 0)]


def late_segment(sample):
    end = len(sample.segments) - 1
    for at, node in enumerate(sample.nodes):
        ids = [n.id for n in sample.root.walk() if not n.loop]
        if at and node.parent is sample.root and ids.count(node.id) == 1 and node is not sample.nodes[end - 1] and node.id != "SE":
            yield sample.segments[:end] + [sample.segments[at]] + sample.segments[end:], [("AK304", "7", node.id, end + 1, 0, 0)]


def segment_without_its_loop(sample):
    head = sample.nodes[1]
    reachable = {n.id for n in head.reach()}
    for at, node in enumerate(sample.nodes):
        if node.parent.parent and node is not node.parent.kids[0] and node.id not in reachable:
            yield sample.segments[:2] + [sample.segments[at]] + sample.segments[2:], [("AK304", "2", node.id, 3, 0, 0)]


def missing_element(sample):
    for at, number, element, mandatory in each_element(sample):
        if mandatory:
            yield from element_fault(sample, at, number, "1", "")


def too_long(sample):
    for at, number, element, _ in each_element(sample):
        if element.kind in ("AN", "ID") and element.high < 3000:
            yield from element_fault(sample, at, number, "5", "X" * (element.high + 1))


def too_short(sample):
    for at, number, element, _ in each_element(sample):
        if element.kind in ("AN", "ID") and element.low > 1:
            yield from element_fault(sample, at, number, "4", "X" * (element.low - 1))


def wrong_character(sample):
    for at, number, element, _ in each_element(sample):
        if element.kind[0] in "NR":
            yield from element_fault(sample, at, number, "6", "1" * (element.low - 1) + "A")
        elif element.kind == "AN":
            yield from element_fault(sample, at, number, "6", "\x07" * max(element.low, 1))


def nothing_but_blanks(sample):
    for at, number, element, _ in each_element(sample):
        if element.kind == "AN" and element.low < 60:
            yield from element_fault(sample, at, number, "6", " " * element.low)


def point_in_a_whole_number(sample):
    for at, number, element, _ in each_element(sample):
        if element.kind[0] == "N" and element.high > 3:
            yield from element_fault(sample, at, number, "6", "1.5")


def sign_or_exponent(sample):
    for at, number, element, _ in each_element(sample):
        for value in ("+123", "1E") if element.kind == "R" else ("+123", "1E2") if element.kind[0] == "N" else ():
            yield from element_fault(sample, at, number, "6", value)


def wrong_code(sample):
    for at, number, element, _ in each_element(sample):
        wrong = [c for c in ("QQQQ", "9Q9Q", "QQQ", "9Q9", "Q9Q", "QQ", "9Q", "Q9", "7Q", "Q", "Y", "W", "5", "8")
                 if element.low <= len(c) <= element.high and c not in element.codes]
        if element.codes and not element.open and wrong:
            yield from element_fault(sample, at, number, "7", wrong[0])


def wrong_date(sample):
    for at, number, element, _ in each_element(sample):
        if element.kind == "DT":
            for date in ("20260230", "20261301", "2026012A"):
                yield from element_fault(sample, at, number, "8", date[-element.high:])


def wrong_period(sample):
    for at in range(1, len(sample.segments) - 1):
        fields = [name for name, _, _ in sample.definition(at).fields]
        for i, pair in enumerate(zip(fields, fields[1:]), 1):
            if pair == ("1250", "1251") and i + 1 < len(sample.segments[at]) and sample.segments[at][i]:
                for form, value in (("D8", "20260230"), ("D8", "260215"), ("RD8", "20260201-20260229"), ("RD8", "20260201"), ("TM", "2400")):
                    segments = with_element(sample, at, i, form)
                    segments[at][i + 1] = value
                    yield segments, [("AK403", "8", segments[at][0], at + 1, i + 1, 0)]


def wrong_time(sample):
    for at, number, element, _ in each_element(sample):
        if element.kind == "TM":
            yield from element_fault(sample, at, number, "9", "2460")


def too_many_elements(sample):
    for at in range(1, len(sample.segments) - 1):
        if not sample.control(at):
            number = len(sample.definition(at).fields) + 1
            yield with_element(sample, at, number, "X"), [("AK403", "3", sample.segments[at][0], at + 1, number, 0)]


def composites(sample):
    for at in range(1, len(sample.segments) - 1):
        for i, (name, _, _) in enumerate(sample.definition(at).fields, 1):
            if name in sample.dictionary.composites and i < len(sample.segments[at]) and sample.segments[at][i]:
                yield at, i, sample.dictionary.composites[name]


def too_many_components(sample):
    for at, number, composite in composites(sample):
        count = len(composite.fields) + 1
        value = sample.segments[at][number] + sample.component * (count - len(sample.segments[at][number].split(sample.component))) + "X"
        yield with_element(sample, at, number, value), [("AK403", "13" if sample.later else "3", sample.segments[at][0], at + 1, number, count)]


def missing_component(sample):
    for at, number, composite in composites(sample):
        second = next((i for i, (name, mandatory, _) in enumerate(composite.fields) if i and not mandatory), 0)
        have = {i for i, (_, mandatory, _) in enumerate(composite.fields) if i and (mandatory or i == second)}
        if composite.fields[0][1] and second and not broken_notes(composite.notes, {i + 1 for i in have}):
            parts = [sample.dictionary.elements[name].good() if i in have else "" for i, (name, _, _) in enumerate(composite.fields)]
            value = sample.component.join(parts).rstrip(sample.component)
            yield with_element(sample, at, number, value), [("AK403", "1", sample.segments[at][0], at + 1, number, 1)]


def component_note(sample):
    for at, number, composite in composites(sample):
        parts = sample.segments[at][number].split(sample.component)
        for i in range(len(parts)):
            present = {k + 1 for k, part in enumerate(parts) if part and k != i}
            found = broken_notes(composite.notes, present)
            if parts[i] and found and not composite.fields[i][1]:
                value = sample.component.join(part if k != i else "" for k, part in enumerate(parts)).rstrip(sample.component)
                yield with_element(sample, at, number, value), [("AK403", code, sample.segments[at][0], at + 1, number, n)
                                                                for n, code in found.items()]


def repeated_element(sample):
    if sample.later:
        for at, number, element, _ in each_element(sample):
            if sample.definition(at).fields[number - 1][2] == 1:
                value = sample.segments[at][number]
                yield with_element(sample, at, number, value + sample.isa[11] + value), \
                    [("AK403", "12", sample.segments[at][0], at + 1, number, 0)]


def note_of(kind):
    def find(sample):
        for at in range(1, len(sample.segments) - 1):
            if sample.control(at):
                continue
            definition = sample.definition(at)
            for note, elements in definition.notes:
                if note != kind:
                    continue
                for segments in ways(sample, at, kind, elements):
                    found = notes_after(sample, at, segments)
                    lost = [i for i, f in enumerate(definition.fields, 1) if f[1] and (i >= len(segments[at]) or not segments[at][i])]
                    if len(found) == 1 and not lost:
                        number, code = next(iter(found.items()))
                        yield segments, [("AK403", code, segments[at][0], at + 1, number, 0)]
    find.__name__ = f"syntax_note_{kind}"
    return find


def ways(sample, at, kind, elements):
    """The segment with this note not met, in the ways there are."""
    fields = sample.definition(at).fields

    def good(number):
        element = sample.dictionary.elements.get(fields[number - 1][0])
        return element.good() if element else None

    if kind in "PCL":
        for number in elements:
            yield with_element(sample, at, number, "")
        first = good(elements[0])
        if first and kind != "P":
            for rest in elements[1:]:
                segments = with_element(sample, at, rest, "")
                segments[at] += [""] * (elements[0] + 1 - len(segments[at]))
                segments[at][elements[0]] = first
                yield segments
    elif kind == "R":
        segments = [list(s) for s in sample.segments]
        for number in elements:
            if number < len(segments[at]):
                segments[at][number] = ""
        while segments[at][-1] == "":
            segments[at].pop()
        yield segments
    else:
        for number in elements:
            if good(number):
                yield with_element(sample, at, number, good(number))


def levels(sample):
    return [at for at, node in enumerate(sample.nodes) if node.id == "HL"]


def unknown_parent(sample):
    for at in levels(sample):
        if sample.segments[at][2]:
            yield with_element(sample, at, 2, "99"), [("AK403", "7", "HL", at + 1, 2, 0)]


def closed_parent(sample):
    """A level is over when the next one below the same parent begins."""
    ats = levels(sample)
    for at in ats:
        over = [a for a in ats if any(a < b < at and sample.segments[b][2] == sample.segments[a][2] for b in ats)]
        if over:
            yield with_element(sample, at, 2, sample.segments[over[0]][1]), [("AK403", "7", "HL", at + 1, 2, 0)]


def repeated_level(sample):
    ats = levels(sample)
    for at in ats[1:]:
        if not any(sample.segments[other][2] == sample.segments[at][1] for other in ats):
            yield with_element(sample, at, 1, "1"), [("AK403", "7", "HL", at + 1, 1, 0)]


def wrong_parent(sample):
    """A pack below the item before it, a tare below nothing."""
    ats = levels(sample)
    for before, at in zip(ats, ats[1:]):
        if sample.segments[before][3] == "I" and sample.segments[at][3] == "P" and "P" in sample.root.levels:
            if "I" not in sample.root.levels["P"]:
                yield with_element(sample, at, 2, sample.segments[before][1]), [("AK403", "7", "HL", at + 1, 2, 0)]
        if "-" not in sample.root.levels.get(sample.segments[at][3], "-"):
            yield with_element(sample, at, 2, ""), [("AK403", "1", "HL", at + 1, 2, 0)]


def wrong_loop_identifier(sample):
    for at, segment in enumerate(sample.segments):
        if segment[0] == "LE":
            yield with_element(sample, at, 1, "QQ9"), [("AK403", "7", "LE", at + 1, 1, 0)]


KINDS = [missing_segment, too_many_segments, too_many_loops, unknown_segment, foreign_segment, late_segment, segment_without_its_loop,
         missing_element, too_long, too_short, wrong_character, nothing_but_blanks, point_in_a_whole_number, sign_or_exponent, wrong_code, wrong_date, wrong_period, wrong_time,
         too_many_elements, too_many_components, missing_component, component_note, repeated_element,
         unknown_parent, closed_parent, repeated_level, wrong_parent, wrong_loop_identifier,
         note_of("P"), note_of("R"), note_of("E"), note_of("C"), note_of("L")]


# --- running them ----------------------------------------------------------------------------------------------------------

def interchange(sample, messages):
    """All the messages in one group."""
    lines = [sample.isa, sample.gs]
    for number, segments in enumerate(messages, 1):
        lines += [["ST", sample.type, f"{number:04}"]] + segments[1:-1] + [["SE", str(len(segments)), f"{number:04}"]]
    lines += [["GE", str(len(messages)), sample.gs[6]], ["IEA", "1", sample.isa[13]]]
    return "".join("*".join(line) + "~\n" for line in lines)


def errors_of(message):
    return [(e["list"], e["code"], e["segment"], e["position"], e["element"], e["component"]) for e in message["errors"]]


def check_sample(t, path, dictionaries, used):
    sample = Sample(path, dictionaries)
    name = f"{sample.type} {sample.version}"
    t.ok(None not in sample.nodes, f"{name}: the sample has only what the structure has", repr(list(zip(sample.nodes, sample.segments))))
    found = [(kind, spread(list(kind(sample)))) for kind in KINDS]
    cases = [(None, sample.segments, [])] + [(samples.label(kind), segments, expected)
                                             for kind, sites in found for segments, expected in sites]
    messages = validate(interchange(sample, [segments for _, segments, _ in cases]))
    if not t.equal(len(messages), len(cases), f"{name}: all messages are reported"):
        return
    t.ok(messages[0]["known"] and messages[0]["status"] == "accepted" and not messages[0]["errors"], f"{name}: valid", messages[0]["errors"])
    for kind, sites in found:
        label = samples.label(kind)
        wrong = [(segments[expected[0][3] - 1] if expected[0][3] <= len(segments) else [], expected, errors_of(message))
                 for (word, segments, expected), message in zip(cases, messages) if word == label and
                 (errors_of(message) != expected or message["status"] != "rejected")]
        if sites:
            used.setdefault(label, set()).add(name)
            t.ok(not wrong, f"{name}: {label} ({len(sites)})",
                 "\n".join(f"{'*'.join(segment)}\nexpected {expected}\ngot      {got}" for segment, expected, got in wrong))


def check_meanings(t, dictionaries):
    """What is explained is in a list, so that a slip of the pen is seen."""
    element, unlisted, count = None, [], 0
    with open(os.path.join(FOLDER, "x12-codes.dict"), encoding="utf-8") as file:
        for line in file:
            words = line.split()
            if words[:1] == ["meanings"]:
                element = words[1]
            lists = [d.elements[element].codes for d in dictionaries.values() if element in d.elements and d.elements[element].codes]
            if words[:1] == ["code"]:
                count += 1
                if lists and not any(words[1] in codes for codes in lists):
                    unlisted.append(f"{element} {words[1]}")
    t.ok(count > 1000 and not unlisted, "codes that are explained are listed", unlisted)


def main():
    return samples.main("x12", ("004010", "005010"), r"(\d\d\d)-{version}\.edi", check_sample, KINDS, check_meanings)


if __name__ == "__main__":
    sys.exit(main())
