"""Our own EDIFACT dictionaries, written in the columns of UNECE's directory texts (EDMD, EDSD, EDCD, EDED, UNCL) and read back by
`vanctl edi dict import`: what comes of them says the same of every sample and of every mistake in it. D.96A is written as the old
texts are (change marks, code page 437 for the lines of the segment tables), D.01B as the later ones."""

import json
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import dictionary  # noqa: E402
import edifact_samples  # noqa: E402
import samples  # noqa: E402
import tap  # noqa: E402

RULE = "-" * 70 + "\n\n"
SERVICE = ("UNH", "UNS", "UNT")  # in no directory


def representation(element):
    kind = {"AN": "an", "A": "a", "N": "n"}[element.kind]
    return f"{kind}..{element.high}" if element.low <= 1 < element.high else f"{kind}{element.high}"


def row(position, name, words, requirement, end):
    """Names that are too long for their column go on in the next line."""
    first, rest = words[:42], words[42:]
    if not rest:
        return f"{position:<6} {name}  {first:<42} {requirement}  {end}\n"
    return f"{position:<6} {name}  {first}\n             {rest:<42} {requirement}  {end}\n"


class Directory:
    def __init__(self, release, old):
        self.release, self.old = release, old
        self.dictionary = dictionary.Dictionary(samples.FOLDER, "edifact", "D" + release)

    def words(self, name):
        return f"Name of {name}" + " that is longer than its column has room for" * (sum(map(ord, name)) % 5 == 0)

    def mark(self, name):
        return "*+|X "[sum(map(ord, name)) % 5] if self.old else " "

    def segments(self):
        text = "SEGMENT SPECIFICATIONS\n\n" + RULE
        for tag, segment in sorted(self.dictionary.segments.items()):
            if tag in SERVICE or not segment.fields:
                continue
            text += f" {self.mark(tag)}     {tag}  {self.words(tag).upper()}\n\n       Function: To be told.\n\n"
            for i, (name, mandatory, repeat) in enumerate(segment.fields, 1):
                simple = self.dictionary.elements.get(name)
                often = f"{repeat:>4} " if repeat > 1 or not self.old else ""
                text += row(f"{i * 10:03}", name, self.words(name).upper(), "MC"[not mandatory], often + (representation(simple) if simple else ""))
                for part, needed, _ in [] if simple else self.dictionary.composites[name].fields:
                    text += row("", part, self.words(part), "MC"[not needed], representation(self.dictionary.elements[part]))
                text += "\n"
            text += RULE
        return text

    def composites(self):
        text = "COMPOSITE SPECIFICATIONS\n\n" + RULE
        for name, composite in sorted(self.dictionary.composites.items()):
            if name.startswith("S"):
                continue
            text += f" {self.mark(name)}     {name}  {self.words(name).upper()}\n\n       Desc: Some things.\n\n"
            for i, (part, mandatory, _) in enumerate(composite.fields, 1):
                text += row(f"{i * 10:03}", part, self.words(part), "MC"[not mandatory], representation(self.dictionary.elements[part]))
            text += "\n" + RULE
        return text

    def elements(self, coded):
        text = "DATA ELEMENTS\n\n" + RULE
        for name, element in sorted(self.dictionary.elements.items()):
            if bool(element.codes) != coded or name < "1000":  # service elements: in no directory
                continue
            text += f" {self.mark(name)}   {name}  {self.words(name)}{'' if self.old else ' [B]'}\n\n     Desc: A thing.\n\n"
            text += f"     Repr: {representation(element)}\n\n"
            for code in sorted(element.codes):
                text += (f"  {code:>6} {self.words(code)}\n" if self.old else f"     {code:<5} {self.words(code)}\n") + "              What it means.\n"
            text += RULE
        return text

    def table(self, node, edge, lines):
        for kid in node.kids:
            last = kid is node.kids[-1]
            often = str(kid.most or 99999)
            position = f"{(len(lines) + 1) * 10:04}"
            if kid.loop:
                lines.append([position, f"    ----- Segment group {len([x for x in lines if 'group' in x[1]]) + 1} ", "MC"[not kid.mandatory], often, "+" + edge])
                self.table(kid, "|" + edge, lines)
                if last:
                    close(lines, len(edge))
            else:
                lines.append([position, f"{kid.id} Segment {kid.id}", "MC"[not kid.mandatory], often, edge])
        if edge and not node.kids[-1].loop:
            close(lines, 1)

    def message(self, name):
        lines = []
        self.table(self.dictionary.messages[name], "", lines)
        text = f"                    UN/EDIFACT\n\n             Message Type : {name}\n             Version      : D\n"
        text += f"             Release      : {self.release}\n             Contr. Agency: UN\n\n             CONTENTS\n\n        The {name} message\n\n"
        text += "4.3.1  Segment table ............ 9\n\n4.3.1  Segment table\n\nPos    Tag Name                                      S   R\n\n"
        for position, words, requirement, often, edge in lines:
            fill = "-" if "group" in words else " "
            dash = "-" if "+" in edge else " "
            line = f"{position}   {words:{fill}<45} {requirement}   {often:{dash}<15}{edge}"
            text += (self.boxes(line) if self.old else line).rstrip() + "\n"
        return text

    @staticmethod
    def boxes(line):
        head, tail = line[:57], line[57:]
        return head.replace("-----", "─" * 5) + tail.replace("-", "─").replace("|", "│").replace("+", "┐" if "group" in head else "┘")

    def write(self, folder):
        files = {f"EDSD.{self.release}": self.segments(), f"EDCD.{self.release}": self.composites(), f"EDED.{self.release}": self.elements(False),
                 f"UNCL.{self.release}": self.elements(True)}
        files.update({f"{name}_D.{self.release}": self.message(name) for name in self.dictionary.messages})
        for name, text in files.items():
            with open(os.path.join(folder, name), "w", encoding="cp437" if self.old else "utf-8", newline="\r\n") as file:
                file.write(text)
        return [os.path.join(folder, name) for name in files]


def close(lines, count):
    """The last line of a group: its innermost open edges end there."""
    edge = lines[-1][4]
    begin = edge.count("+")
    lines[-1][4] = edge[:begin] + "+" * min(count, len(edge) - begin) + edge[begin + count:]


def verdicts(text, options=()):
    """What is said of each message, but for the names that people read."""
    return [(m["type"], m["known"], m["status"], [[e[k] for k in ("list", "code", "segment", "position", "element", "component", "repetition", "value")]
                                                 for e in m["errors"]]) for m in samples.validate(text, options)]


def with_mistakes(path, own):
    sample = edifact_samples.Sample(path, own)
    found = [segments for kind in edifact_samples.KINDS for segments, _ in samples.spread(list(kind(sample)))]
    return edifact_samples.interchange(sample, [sample.segments] + found)


def compare(t, directory, work):
    texts, made = os.path.join(work, "texts" + directory.release), os.path.join(work, "made" + directory.release)
    os.mkdir(texts)
    os.mkdir(made)
    done = subprocess.run([samples.VANCTL, "edi", "dict", "import", "--to", made, *directory.write(texts)], capture_output=True,
                          env=dict(os.environ, OPENVAN_DICT=samples.FOLDER))
    if not t.ok(done.returncode == 0, f"D.{directory.release}: import", done.stderr.decode()):
        return
    listed = json.loads(subprocess.run([samples.VANCTL, "edi", "dict", "list", "--json", "--dict", made], capture_output=True,
                                       env=dict(os.environ, OPENVAN_DICT=samples.FOLDER)).stdout)
    used = {e["type"] for e in listed if e["version"] == f"D:{directory.release}" and e["used"] and e["file"].startswith(made)}
    t.equal(sorted(used), sorted(directory.dictionary.messages), f"D.{directory.release}: every message is that of the texts")
    own = {"D" + directory.release: directory.dictionary}
    for name in sorted(directory.dictionary.messages):
        text = with_mistakes(os.path.join(samples.HERE, "edifact", f"{name}-D{directory.release}.edi"), own)
        ours, theirs = verdicts(text), verdicts(text, ["--dict", made])
        differ = [(a, b) for a, b in zip(ours, theirs) if a != b]
        t.ok(len(ours) == len(theirs) and not differ, f"{name} D.{directory.release}: {len(ours)} messages, the same verdicts", differ[:3])


def main():
    t = tap.Tap()
    if not os.path.exists(samples.VANCTL):
        tap.skip_all("vanctl is not built")
    with tempfile.TemporaryDirectory() as work:
        for release, old in (("96A", True), ("01B", False)):
            t.run(compare, t, Directory(release, old), work)
    return t.done()


if __name__ == "__main__":
    sys.exit(main())
