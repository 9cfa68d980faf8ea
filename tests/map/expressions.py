"""Expressions and documents that are made by chance, from a seed: of the subset that doc/map-expressions.md names, without what it says is
different: numbers are those that a double holds exactly, so that jsonata's binary fractions give what decimals give, and texts that may be
all digits are neither ordered nor compared with numbers."""

import json

NAMES = ["A", "B", "Order", "Line", "Item", "Price", "Qty", "Note", "ID", "Tag", "Sub", "Party"]
WORDS = ["", "a", "b", "Abc", "x y", "  two  words ", "ACME GmbH", "Straße", "Zürich", "ΑΒΓ", "жук", "a-b-c", "a,b,,c", "NL", "EA", "x'y", "tab\there"]


class Maker:
    def __init__(self, chance):
        self.c = chance
        self.variables = []

    # --- documents ---

    def number_value(self):
        return self.c.choice([0, 1, 2, 3, 5, 10, -1, -4]) if self.c.random() < 0.5 else self.c.randint(-80, 200) / 4

    def scalar(self):
        kind = self.c.random()
        if kind < 0.4:
            return self.number_value()
        return self.c.choice(WORDS) if kind < 0.85 else self.c.random() < 0.5

    def value(self, depth):
        kind = self.c.random()
        if depth <= 0 or kind < 0.45:
            return self.scalar()
        if kind < 0.7:
            return self.object(depth - 1)
        if kind < 0.9:
            return [self.value(depth - 1) for _ in range(self.c.randint(0, 4))]
        return [self.number_value() for _ in range(self.c.randint(0, 5))]

    def object(self, depth):
        return {n: self.value(depth) for n in self.c.sample(NAMES, self.c.randint(0, 5))}

    def document(self):
        d = self.object(3)
        d["Line"] = [self.line(i) for i in range(self.c.randint(0, 5))]
        d["Nums"] = [self.number_value() for _ in range(self.c.randint(0, 6))]
        d["Words"] = [self.c.choice(WORDS) for _ in range(self.c.randint(0, 5))]
        d["Name"] = self.c.choice(WORDS)
        d["Total"] = self.number_value()
        d["Nested"] = [[self.number_value() for _ in range(self.c.randint(0, 3))] for _ in range(self.c.randint(0, 3))]
        d["Party"] = {"Name": self.c.choice(WORDS), "Tag": [{"ID": self.c.choice(WORDS)} for _ in range(self.c.randint(0, 2))]}
        return d

    def line(self, i):
        line = {"ID": str(i + 1) + "#", "Qty": self.c.randint(0, 12), "Price": self.c.randint(0, 80) / 4, "Unit": self.c.choice(["EA", "CA", "KG"])}
        if self.c.random() < 0.6:
            line["Note"] = [self.c.choice(WORDS) for _ in range(self.c.randint(0, 3))]
        if self.c.random() < 0.4:
            line["Sub"] = [{"ID": self.c.choice(WORDS), "Qty": self.c.randint(0, 4)} for _ in range(self.c.randint(1, 3))]
        if self.c.random() < 0.2:
            del line["Price"]
        return line

    # --- expressions ---

    def quoted(self, text):
        return json.dumps(text, ensure_ascii=self.c.random() < 0.2) if "'" in text or self.c.random() < 0.5 else "'" + text.replace("\t", "\\t") + "'"

    def missing(self, text):
        """An argument that is sometimes not there."""
        return "Missing" if self.c.random() < 0.15 else text

    def place(self, most=4):
        return self.missing(str(self.c.randint(-most, most)))

    def spoilt(self):
        """With a comma too many: refused as what stands behind a comma is missing."""
        return self.c.choice(["[1, {},]", "$sum([{}, ])", "$round({}, )", "$map([{}], function($v, ){{$v}})", "{{'a': {}, }}", "$join([{}],)"]).format(self.number(0))

    def some(self, *makers):
        return self.c.choice(makers)()

    def number(self, depth):
        if depth <= 0:
            return self.some(lambda: str(self.number_value()), lambda: "Total", lambda: "$count(Line)", lambda: "$length(Name)",
                             lambda: "$number('12.5')", lambda: "Line[0].Qty", lambda: "Nums[-1]", lambda: "$sum(Nums)")
        n, d = self.number, depth - 1
        return self.some(
            lambda: f"{n(d)} {self.c.choice('+-')} {n(d)}",
            lambda: f"({n(d)} {self.c.choice('+-')} {n(d)})",
            lambda: f"{n(0)} * {n(0)}",
            lambda: f"({n(d)}) / {self.c.choice(['2', '4', '-2', '0.5'])}",
            lambda: f"({n(d)}) % {self.c.choice(['2', '3', '7', '0.75', '-4'])}",
            lambda: f"-({n(d)})",
            lambda: f"$sum({self.numbers(d)})",
            lambda: f"$max({self.numbers(d)})",
            lambda: f"$min({self.numbers(d)})",
            lambda: f"$round($average({self.numbers(0)}), 2)",
            lambda: f"$count({self.array(d)})",
            lambda: f"$abs({n(d)})",
            lambda: f"$round({n(d)})",
            lambda: f"$round({n(d)}, {self.missing(self.c.choice(['0', '1', '-1', '2']))})",
            lambda: f"$floor({n(d)})",
            lambda: f"$ceil({n(d)})",
            lambda: f"$length({self.text(d)})",
            lambda: f"$number($string({n(0)}))",
            lambda: f"({self.boolean(d)} ? {n(d)} : {n(d)})",
            lambda: f"$reduce({self.numbers(d)}, function($i, $j){{$i + $j}})",
            lambda: f"$reduce({self.numbers(d)}, function($p, $v, $i){{$p + $v * $i}}, 1)",
            lambda: self.block(self.number, d),
            lambda: f"({self.c.choice(['Total', 'Missing'])} ?? {n(d)})",
            lambda: f"(Missing ?: {n(d)})",
        )

    def numbers(self, depth):
        if depth <= 0:
            return self.some(lambda: "Nums", lambda: "Line.Qty", lambda: "Line.(Qty * 2)", lambda: "[1, 2, 0.25]", lambda: "Line.Price", lambda: "Line.Sub.Qty",
                             lambda: "$$.Line.Qty", lambda: "[1..4]", lambda: "Nested")
        d = depth - 1
        return self.some(
            lambda: f"[{self.number(d)}, {self.number(d)}]",
            lambda: f"$map({self.numbers(d)}, function($v, $i){{$v + $i}})",
            lambda: f"$filter({self.numbers(d)}, function($v){{$v > {self.number(0)}}})",
            lambda: f"{self.numbers(0)}[$ > {self.number_value()}]",
            lambda: f"$sort({self.numbers(d)})",
            lambda: f"$sort({self.numbers(d)}, function($l, $r){{$l < $r}})",
            lambda: f"$reverse({self.numbers(d)})",
            lambda: f"$distinct({self.numbers(d)})",
            lambda: f"$append({self.numbers(d)}, {self.numbers(0)})",
            lambda: "Line.(Price * Qty)",
            lambda: f"Line[{self.line_test(d)}].Qty",
            lambda: "Nums[[0..1]]",
            lambda: "Nums ~> $map(function($x){$x * $x})",
            lambda: f"[{self.c.randint(-2, 2)}..{self.c.randint(0, 5)}]",
            lambda: "Line.Qty.$abs()",
        )

    def line_test(self, depth):
        return self.some(lambda: f"Qty > {self.c.randint(0, 8)}", lambda: "Unit = 'EA'", lambda: "Price", lambda: f"{self.c.randint(-3, 3)}",
                         lambda: "Unit in ['CA', 'KG']", lambda: "$exists(Note)", lambda: "Sub[Qty > 1]", lambda: "Unit = 'EA' or Qty >= 3",
                         lambda: "Price * Qty > 20 and Unit != 'KG'", lambda: "$contains(ID, '2')", lambda: f"Qty = {self.number(0)}")

    def text(self, depth):
        if depth <= 0:
            return self.some(lambda: self.quoted(self.c.choice(WORDS)), lambda: "Name", lambda: "Party.Name", lambda: "Line[0].Unit", lambda: "Words[0]")
        t, d = self.text, depth - 1
        return self.some(
            lambda: f"{t(d)} & {t(d)}",
            lambda: f"{t(d)} & {self.number(0)}",
            lambda: f"$string({self.any(d)})",
            lambda: f"$uppercase({t(d)})",
            lambda: f"$lowercase({t(d)})",
            lambda: f"$trim({t(d)})",
            lambda: f"$substring({t(d)}, {self.place()})",
            lambda: f"$substring({t(d)}, {self.c.randint(-4, 4)}, {self.c.randint(-1, 5)})",
            lambda: f"$substringBefore({t(d)}, {self.quoted(self.c.choice(['a', '-', ' ', 'zz', 'ß']))})",
            lambda: f"$substringAfter({t(d)}, {self.quoted(self.c.choice(['a', '-', ' ', 'zz', 'ß']))})",
            lambda: f"$pad({t(d)}, {self.place(9)})",
            lambda: f"$pad({t(d)}, {self.place(9)}, {self.missing(self.quoted(self.c.choice(['0', 'ab', 'é'])))})",
            lambda: f"$join({self.texts(d)})",
            lambda: f"$join({self.texts(d)}, {self.missing(self.quoted(self.c.choice([', ', '-', ''])))})",
            lambda: f"$replace({t(d)}, {self.quoted(self.c.choice(['a', 'b', '-', ' ']))}, {self.quoted(self.c.choice(['', 'X', 'aa']))})",
            lambda: f"$replace({t(d)}, 'a', 'o', {self.missing(str(self.c.randint(0, 2)))})",
            lambda: f"$substringBefore({t(d)}, {self.missing('Name')})",
            lambda: f"$substringAfter({t(d)}, {self.missing('Name')})",
            lambda: f"$substring({t(d)}, {self.c.randint(-4, 4)}, {self.missing('2')})",
            lambda: f"({self.boolean(d)} ? {t(d)} : {t(d)})",
            lambda: f"({self.boolean(d)} ? {t(d)})",
            lambda: f"{t(0)}.$uppercase()",
            lambda: f"({t(d)}) ~> $trim ~> $lowercase",
            lambda: f"({t(d)}) ~> $substringBefore('-')",
            lambda: self.block(self.text, d),
            lambda: f"(Missing ?: {t(d)})",
            lambda: f"({self.texts(d)})[{self.c.randint(-2, 2)}]",
        )

    def texts(self, depth):
        if depth <= 0:
            return self.some(lambda: "Words", lambda: "Line.Unit", lambda: "Line.ID", lambda: "Line.Note", lambda: "['b', 'a', 'ä']", lambda: "Party.Tag.ID")
        d = depth - 1
        return self.some(
            lambda: f"$split({self.text(d)}, {self.quoted(self.c.choice([',', '-', ' ']))})",
            lambda: f"$split({self.text(d)}, '-', {self.missing(str(self.c.randint(0, 3)))})",
            lambda: f"$map({self.texts(d)}, Absent)",
            lambda: f"$map({self.texts(d)}, $uppercase)",
            lambda: f"$map({self.numbers(d)}, $string)",
            lambda: f"$map({self.texts(d)}, function($v){{$v & '!'}})",
            lambda: f"$sort($map({self.texts(d)}, function($v){{'t' & $v}}))",
            lambda: f"$distinct({self.texts(d)})",
            lambda: f"$reverse({self.texts(d)})",
            lambda: f"{self.texts(0)}[$length($) > {self.c.randint(0, 3)}]",
            lambda: f"{self.texts(0)}.$trim()",
            lambda: "Line.(Unit & ':' & Qty)",
            lambda: f"$append({self.texts(d)}, {self.text(d)})",
            lambda: "$keys(Party)",
            lambda: f"$filter(Line, function($l){{$l.Qty > {self.c.randint(0, 9)}}}).ID",
            lambda: f"$sort(Line, function($x, $y){{$x.Qty > $y.Qty}}).ID",
        )

    def boolean(self, depth):
        if depth <= 0:
            return self.some(lambda: "true", lambda: "false", lambda: "$exists(Missing)", lambda: "$exists(Line)", lambda: "Total > 2")
        d = depth - 1
        op = self.c.choice(["=", "!=", "<", ">", "<=", ">="])
        return self.some(
            lambda: f"{self.number(d)} {op} {self.number(d)}",
            lambda: f"('t' & {self.text(d)}) {op} ('t' & {self.text(d)})",
            lambda: self.equality(d),
            lambda: f"({self.boolean(d)} and {self.boolean(d)})",
            lambda: f"({self.boolean(d)} or {self.boolean(d)})",
            lambda: f"{self.number(0)} in {self.numbers(d)}",
            lambda: f"{self.text(0)} in {self.texts(d)}",
            lambda: f"$not({self.any(d)})",
            lambda: f"$boolean({self.any(d)})",
            lambda: f"$exists({self.any(d)})",
            lambda: f"$contains({self.text(d)}, {self.quoted(self.c.choice(['a', '', 'b-', 'ß', ' ']))})",
        )

    def equality(self, depth):
        maker = self.c.choice([self.number, self.text, self.boolean, self.numbers, self.texts, lambda d: self.path(), lambda d: "Line[0]"])
        return f"({maker(depth)}) {self.c.choice(['=', '!='])} ({maker(depth)})"

    def step(self):
        name = self.c.choice(NAMES + ["Line", "Nums", "Words", "Qty", "Unit", "Nested"])
        kind = self.c.random()
        if kind < 0.55:
            return name
        if kind < 0.75:
            return f"{name}[{self.c.randint(-2, 2)}]"
        if kind < 0.82:
            return f"{name}[{self.line_test(0)}]" if name == "Line" else f"`{name}`"
        if kind < 0.86:
            return f"{name}[]"
        return "*" if kind < 0.9 else f"'{name}'" if kind < 0.93 else "$"

    def path(self):
        steps = ".".join(self.step() for _ in range(self.c.randint(1, 4)))
        if steps.startswith("'"):
            steps = "$." + steps
        if self.c.random() < 0.2:
            steps = f"({steps})[{self.c.randint(-2, 2)}]"
        if self.c.random() < 0.1:
            steps = "$$." + steps
        return steps

    def array(self, depth):
        d = depth - 1
        return self.some(self.path, lambda: self.numbers(max(d, 0)), lambda: self.texts(max(d, 0)), lambda: f"[{self.any(d)}, {self.any(d)}]",
                         lambda: "[]", lambda: f"[[{self.any(d)}]]", lambda: f"Line.[Qty, Unit]", lambda: "[Line.[Qty]]", lambda: "[Nested]",
                         lambda: "Nested[0]", lambda: "Nested.$", lambda: "[1, 2].[$]")

    def made_object(self, depth):
        d = depth - 1
        return self.some(lambda: f"{{'a': {self.any(d)}, 'b': {self.any(d)}}}", lambda: "{}", lambda: f"Line.{{'id': ID, 'n': {self.number(0)}}}",
                         lambda: f"{{{self.quoted('k')}: Line[{self.line_test(0)}].Unit}}", lambda: "Line[0]", lambda: "Party")

    def block(self, maker, depth):
        name = self.c.choice(["x", "y", "total", "f"])
        return self.some(
            lambda: f"(${name} := {maker(depth)}; ${name})",
            lambda: f"(${name} := {self.number(0)}; $g := function($n){{$n + ${name}}}; $h := $g(2); {maker(depth)})",
            lambda: f"( {maker(depth)} )",
        )

    def any(self, depth):
        if depth <= 0:
            return self.some(self.path, lambda: self.number(0), lambda: self.text(0), lambda: self.boolean(0), lambda: "Missing", lambda: "Line", lambda: "$")
        return self.c.choice([self.number, self.text, self.boolean, self.array, self.made_object, self.numbers, self.texts])(depth)

    def expression(self):
        kind = self.c.random()
        return self.spoilt() if kind < 0.02 else self.path() if kind < 0.16 else self.any(self.c.randint(1, 3))
