"""Samples of every EDIFACT message that we have a dictionary for: each is valid, and each with one mistake is reported with the
right code of 0085 at the right place. The mistakes are made from the dictionary by an own reader of it. What is rejected is
answered by a CONTRL that our own dictionary finds no fault with, and that names the same places as ISO 9735 counts them."""

import copy
import json
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import dictionary  # noqa: E402
import samples  # noqa: E402
from samples import run, spread, validate  # noqa: E402
SERVICE = ("UNH", "UNT")


class Sample:
    """Segments are lists of elements, elements are lists of components; no sample has a release character."""

    def __init__(self, path, dictionaries):
        with open(path, encoding="ascii") as file:
            lines = [[element.split(":") for element in line.rstrip("'\n").split("+")] for line in file]
        self.unb, self.segments, self.unz = lines[0], lines[1:-1], lines[-1]
        self.type, self.version = self.segments[0][2][0], self.segments[0][2][1] + self.segments[0][2][2]
        self.level, self.four = self.unb[1][0], self.unb[1][1] == "4"
        self.dictionary = dictionaries[self.version]
        self.root = self.dictionary.messages[self.type]
        self.nodes = dictionary.place(self.root, [[segment[0][0]] for segment in self.segments])

    def tag(self, at):
        return self.segments[at][0][0]

    def fields(self, at):
        """Definitions as they stand in this syntax: before version 4 what repeats takes as many places."""
        found = []
        for name, mandatory, repeat in self.dictionary.segments[self.tag(at)].fields:
            found += [(name, mandatory)] if self.four else [(name, mandatory)] + [(name, False)] * (repeat - 1)
        return found

    def body(self):
        return [at for at in range(len(self.segments)) if self.tag(at) not in SERVICE]

    def values(self):
        """Every value there is: segment, element, component (0: simple), its definition, whether it must be there."""
        for at in self.body():
            for i, (name, mandatory) in enumerate(self.fields(at), 1):
                if i >= len(self.segments[at]) or self.segments[at][i] == [""]:
                    continue
                if name in self.dictionary.elements:
                    yield at, i, 0, self.dictionary.elements[name], mandatory
                    continue
                for k, (part, needed, _) in enumerate(self.dictionary.composites[name].fields, 1):
                    if k <= len(self.segments[at][i]) and self.segments[at][i][k - 1]:
                        yield at, i, k, self.dictionary.elements[part], needed


def trimmed(segment):
    for element in segment:
        while len(element) > 1 and element[-1] == "":
            element.pop()
    while len(segment) > 1 and segment[-1] == [""]:
        segment.pop()
    return segment


def with_value(sample, at, element, component, value):
    segments = copy.deepcopy(sample.segments)
    segment = segments[at]
    segment += [[""] for _ in range(element + 1 - len(segment))]
    index = max(component, 1) - 1
    segment[element] += [""] * (index + 1 - len(segment[element]))
    segment[element][index] = value
    trimmed(segment)
    return segments


def fault(sample, at, element, component, code, value):
    return with_value(sample, at, element, component, value), [(code, sample.tag(at), at + 1, element, component)]


# --- mistakes: each yields (segments, [(code, segment, position, element, component)]) -------------------------------------

def missing_segment(sample):
    for at, node in enumerate(sample.nodes[:-1]):
        first = node is node.parent.kids[0]
        again = any(other.id == node.id and other is not node for other in node.reach())
        follows = [n for n in sample.nodes[at - 1].reach() if n.id == sample.nodes[at + 1].id][:1]
        taken = follows and follows[0] not in (sample.nodes[at + 1], sample.nodes[at + 1].parent)  # for an earlier one
        if node.mandatory and at and not again and not taken and (not first or node.parent.parent is None) and \
                sample.nodes[at - 1].id != node.id != sample.nodes[at + 1].id:
            yield sample.segments[:at] + sample.segments[at + 1:], [("13", node.id, at + 1, 0, 0)]


def too_many_segments(sample):
    for at, node in enumerate(sample.nodes):
        others = [n for n in node.reach() if n.id == node.id and n is not node]
        if not at or node.id == "UNT" or not node.most or node.most > 99 or others or (node is node.parent.kids[0] and node.parent.parent):
            continue
        before, end = at, at + 1
        while sample.nodes[before - 1] is node:
            before -= 1
        while sample.nodes[end] is node:
            end += 1
        copies = [sample.segments[at]] * (node.most + 1 - (end - before))
        yield sample.segments[:end] + copies + sample.segments[end:], [("35", node.id, before + node.most + 1, 0, 0)]


def too_many_groups(sample):
    for at, node in enumerate(sample.nodes):
        loop = node.parent
        if node is not loop.kids[0] or not loop.parent or not 1 < loop.most <= 200 or sample.nodes[:at].count(node):
            continue
        later = [n for n in loop.reach() if n.id == loop.id and n is not loop]
        if later or any(n.id == loop.id for kid in loop.kids[1:] for n in kid.walk()):
            continue
        inside = set(id(n) for n in loop.walk())
        end = at
        while id(sample.nodes[end]) in inside:
            end += 1
        copies = [sample.segments[at]] * (loop.most + 1 - sample.nodes[at:end].count(node))
        nested = any(kid.mandatory for kid in loop.kids[1:])
        if not nested:
            yield sample.segments[:end] + copies + sample.segments[end:], [("36", loop.id, end + len(copies), 0, 0)]


def unknown_segment(sample):
    for at in (1, len(sample.segments) - 1):
        yield sample.segments[:at] + [[["QQ9"], ["1"]]] + sample.segments[at:], [("15", "QQ9", at + 1, 0, 0)]


def foreign_segment(sample):
    inside = {node.id for node in sample.root.walk()}
    for name in sorted(sample.dictionary.known - inside)[:2]:
        for at in (2, len(sample.segments) - 1):
            yield sample.segments[:at] + [[[name], ["1"]]] + sample.segments[at:], [("15", name, at + 1, 0, 0)]


def late_segment(sample):
    end = len(sample.segments) - 1
    for at, node in enumerate(sample.nodes):
        ids = [n.id for n in sample.root.walk() if not n.loop]
        if at and node.parent is sample.root and ids.count(node.id) == 1 and node is not sample.nodes[end - 1] and node.id != "UNT":
            yield sample.segments[:end] + [sample.segments[at]] + sample.segments[end:], [("15", node.id, end + 1, 0, 0)]


def segment_without_its_group(sample):
    reachable = {n.id for n in sample.nodes[1].reach()}
    for at, node in enumerate(sample.nodes):
        if node.parent.parent and node is not node.parent.kids[0] and node.id not in reachable:
            yield sample.segments[:2] + [sample.segments[at]] + sample.segments[2:], [("15", node.id, 3, 0, 0)]


def nesting_indicator(sample):
    for at in sample.body()[:2]:
        segments = copy.deepcopy(sample.segments)
        segments[at][0] = [sample.tag(at), "1"]
        yield segments, [("15" if sample.four else "34", f"{sample.tag(at)}:1", at + 1, 0, 0)]


def missing_element(sample):
    for at in sample.body():
        for i, (_, mandatory) in enumerate(sample.fields(at), 1):
            if mandatory:
                segments = copy.deepcopy(sample.segments)
                segments[at][i] = [""]
                trimmed(segments[at])
                yield segments, [("13", sample.tag(at), at + 1, i, 0)]


def missing_component(sample):
    for at, element, component, _, mandatory in sample.values():
        parts = sample.segments[at][element]
        if mandatory and component and any(parts[:component - 1] + parts[component:]):
            yield fault(sample, at, element, component, "13", "")


def too_long(sample):
    for at, element, component, kind, _ in sample.values():
        if kind.high <= 512:
            yield fault(sample, at, element, component, "39", ("X" if kind.kind in ("A", "AN") else "1") * (kind.high + 1))


def wrong_type(sample):
    for at, element, component, kind, _ in sample.values():
        if kind.kind == "N":
            yield fault(sample, at, element, component, "37", "1A")
        elif kind.kind == "A":
            yield fault(sample, at, element, component, "37", "7")


def wrong_code(sample):
    for at, element, component, kind, _ in sample.values():
        if kind.kind == "A" and kind.codes:
            yield fault(sample, at, element, component, "12", "Q" * kind.low)


def decimal_mark(sample):
    for at, element, component, kind, _ in sample.values():
        if kind.kind == "N" and kind.high > 4:
            yield fault(sample, at, element, component, "12" if sample.four else "19", "1,0.5")
            yield fault(sample, at, element, component, "12" if sample.four else "38", ".5")
            yield fault(sample, at, element, component, "12" if sample.four else "19", "5.")


def wrong_date(sample):
    for at, element, component, _, _ in sample.values():
        name = sample.fields(at)[element - 1][0]
        parts = [part for part, _, _ in sample.dictionary.composites[name].fields] if component else []
        if parts[component - 1:component + 1] == ["2380", "2379"] and len(sample.segments[at][element]) > component:
            for form, value in (("102", "20230229"), ("102", "230228"), ("203", "202302282460"), ("718", "2023022820230229"), ("616", "202354")):
                segments, errors = fault(sample, at, element, component, "12", value)
                segments[at][element][component] = form
                yield segments, errors


def control_character(sample):
    for at, element, component, kind, _ in sample.values():
        if kind.kind == "AN":
            yield fault(sample, at, element, component, "21", "\x07")


def too_many_elements(sample):
    for at in sample.body():
        number = len(sample.fields(at)) + 1
        yield with_value(sample, at, number, 0, "X"), [("16", sample.tag(at), at + 1, number, 0)]


def too_many_components(sample):
    for at, element, component, _, _ in sample.values():
        name = sample.fields(at)[element - 1][0]
        count = len(sample.dictionary.composites[name].fields) if component else 1
        yield with_value(sample, at, element, count + 1, "X"), [("16", sample.tag(at), at + 1, element, count + 1)]


def too_many_repetitions(sample):
    for at, element, component, kind, _ in sample.values():
        if sample.four and not component:
            value = sample.segments[at][element][0]
            yield with_value(sample, at, element, 0, f"{value}*{value}"), [("35", sample.tag(at), at + 1, element, 0)]


def small_letters(sample):
    for at, element, component, kind, _ in sample.values():
        if sample.level == "UNOA" and kind.kind == "AN":
            yield fault(sample, at, element, component, "21", "x")


def separators_at_the_end(sample):
    for at in sample.body():
        if sample.four:
            segments = copy.deepcopy(sample.segments)
            segments[at].append([""])
            yield segments, [("45", sample.tag(at), at + 1, len(segments[at]) - 1, 0)]


HARMLESS = [small_letters, separators_at_the_end]
KINDS = [missing_segment, too_many_segments, too_many_groups, unknown_segment, foreign_segment, late_segment, segment_without_its_group,
         nesting_indicator, missing_element, missing_component, too_long, wrong_type, wrong_code, decimal_mark, wrong_date, control_character,
         too_many_elements, too_many_components, too_many_repetitions] + HARMLESS


# --- running them ----------------------------------------------------------------------------------------------------------

def line(segment):
    return "+".join(":".join(element) for element in segment) + "'\n"


def interchange(sample, messages):
    lines = [sample.unb]
    for number, segments in enumerate(messages, 1):
        lines += [[["UNH"], [str(number)]] + segments[0][2:]] + segments[1:-1] + [[["UNT"], [str(len(segments))], [str(number)]]]
    return "".join(line(segment) for segment in lines + [[["UNZ"], [str(len(messages))], sample.unz[2]]])


def errors_of(message):
    return [(e["code"], e["segment"], e["position"], e["element"], e["component"]) for e in message["errors"] if e["list"] == "0085"]


def answer_expected(expected):
    """UCS and UCD of one mistake: what is missing is told at the segment before it, and the tag is element 1."""
    code, _, position, element, component = expected
    if not element:
        return [f"UCS+{position - (code == '13')}+{code}"]
    where = str(element + 1) + (f":{component}" if component else "")
    if code == "35":
        where += ("" if component else ":") + ":2"
    return [f"UCS+{position}", f"UCD+{code}+{where}"]


def check_answer(t, name, sample, cases, text):
    """CONTRL for all the cases, in their order, with their places; what was tolerated is not told."""
    answer = run(["ack"], text)
    if sample.type == "CONTRL":
        t.equal(answer, "", f"{name}: never answered")
        return
    lines = answer.replace("\n", "").split("'")
    wanted = []
    for number, (label, segments, expected) in enumerate(cases, 1):
        refused = expected and label not in [samples.label(kind) for kind in HARMLESS]
        wanted.append(f"UCM+{number}+{':'.join(segments[0][2])}+{4 if refused else 7}")
        if refused:
            wanted += answer_expected(expected[0])
    got = [x for x in lines if x[:3] in ("UCM", "UCS", "UCD")]
    differ = next((i for i, (a, b) in enumerate(zip(wanted + [""], got + [""])) if a != b), 0)
    t.ok(wanted == got, f"{name}: CONTRL tells the same", f"expected … {wanted[max(differ - 2, 0):differ + 3]}\ngot      … {got[max(differ - 2, 0):differ + 3]}")
    report = json.loads(run(["validate", "--json"], answer))
    clean = [i["status"] == "accepted" and not i["errors"] and all(not m["errors"] and m["known"] for g in i["groups"] for m in g["messages"])
             for i in report["interchanges"]]
    t.equal(clean, [True], f"{name}: CONTRL is valid")


def check_sample(t, path, dictionaries, used):
    sample = Sample(path, dictionaries)
    name = f"{sample.type} {sample.version}"
    t.ok(None not in sample.nodes, f"{name}: the sample has only what the structure has", repr(list(zip(sample.nodes, sample.segments))))
    found = [(kind, spread(list(kind(sample)))) for kind in KINDS]
    cases = [(None, sample.segments, [])] + [(samples.label(kind), segments, expected)
                                             for kind, sites in found for segments, expected in sites]
    text = interchange(sample, [segments for _, segments, _ in cases])
    messages = validate(text)
    if not t.equal(len(messages), len(cases), f"{name}: all messages are reported"):
        return
    t.ok(messages[0]["known"] and messages[0]["status"] == "accepted" and not messages[0]["errors"], f"{name}: valid", messages[0]["errors"])
    strict = validate(interchange(sample, [sample.segments]), ["--strict"])
    t.ok(strict[0]["status"] == "accepted" and not strict[0]["errors"], f"{name}: valid, strictly", strict[0]["errors"])
    for kind, sites in found:
        label = samples.label(kind)
        status = "accepted-with-errors" if kind in HARMLESS else "rejected"
        wrong = [(segments[expected[0][2] - 1] if expected[0][2] <= len(segments) else [], expected, errors_of(message), message["status"])
                 for (word, segments, expected), message in zip(cases, messages) if word == label and
                 (errors_of(message) != expected or message["status"] != status)]
        if sites:
            used.setdefault(label, set()).add(name)
            t.ok(not wrong, f"{name}: {label} ({len(sites)})",
                 "\n".join(f"{segment and line(segment)}expected {expected}\ngot      {got} {status}" for segment, expected, got, status in wrong))
    check_answer(t, name, sample, cases, text)


def main():
    return samples.main("edifact", ("D96A", "D01B", "D3", "41"), r"([A-Z]{{6}})-{version}\.edi", check_sample, KINDS)


if __name__ == "__main__":
    sys.exit(main())
