/* guide,x12,850,004010,"name" and then one rule on each row: place, loop, when, rule, value, text. */
#include "map/guide.h"

#include "map/csv.h"

#include <stdlib.h>

#define GUIDE_MEMORY ((size_t)16 << 20)
#define LARGEST_GUIDE 5000

struct reader {
	struct edi_guide *g;
	const char *file;
	struct csv csv;
	struct van_error *e;
};

static int bad(struct reader *r, const char *what, struct slice value)
{
	return van_error_set(r->e, VAN_ESYNTAX, "%s:%u: %s '%.*s'; see doc/edi-guides.md", r->file, r->csv.line, what, SLICE_ARG(value));
}

static int no_memory(struct reader *r)
{
	return van_error_set(r->e, VAN_ENOMEM, "%s: the guide needs more than %zu MiB", r->file, GUIDE_MEMORY >> 20);
}

static int number(struct reader *r, struct slice s, uint32_t *ret)
{
	unsigned long long n;
	if (!slice_u64(s, &n) || n >= UINT32_MAX)
		return bad(r, "a number is expected, not", s);
	*ret = (uint32_t)n;
	return 0;
}

/* "02" or "01-2" */
static int element_place(struct reader *r, struct slice s, uint32_t *element, uint32_t *component)
{
	struct slice rest = s, first = slice_cut(&rest, '-');
	int rc = number(r, first, element);
	if (rc == 0 && rest.p)
		rc = number(r, rest, component);
	return rc == 0 && !*element ? bad(r, "elements count from 01, not", s) : rc;
}

/* "BEG", "PO102", "MOA01-2": the identifier is what stands before the last two digits of the element. */
static int place(struct reader *r, struct slice s, struct edi_guide_place *p)
{
	struct slice rest = s, head = slice_cut(&rest, '-');
	size_t id = head.n;
	if (head.n >= 4 && head.p[head.n - 1] >= '0' && head.p[head.n - 1] <= '9' && head.p[head.n - 2] >= '0' && head.p[head.n - 2] <= '9')
		id = head.n - 2;
	if (id < 2 || id > 3)
		return bad(r, "expected: a segment (BEG), an element (BEG02) or a component (MOA01-2), not", s);
	p->segment = van_arena_slice(r->g->arena, slice_make(head.p, id));
	if (!p->segment.p)
		return no_memory(r);
	return id == head.n ? rest.p ? bad(r, "a component belongs to an element, not", s) : 0
	                    : element_place(r, slice_make(s.p + id, s.n - id), &p->element, &p->component);
}

/* "01=BY,ST" */
static int when(struct reader *r, struct slice s, struct edi_guide_when *w)
{
	struct slice values = s, at = slice_cut(&values, '=');
	if (!s.n)
		return 0;
	if (!values.n)
		return bad(r, "expected: ELEMENT=VALUE,VALUE, not", s);
	int rc = element_place(r, slice_trim(at), &w->element, &w->component);
	w->values = rc == 0 ? van_arena_array(r->g->arena, values.n, sizeof *w->values) : NULL;
	while (rc == 0 && w->values && values.p)
		w->values[w->count++] = van_arena_slice(r->g->arena, slice_trim(slice_cut(&values, ',')));
	return rc == 0 && !w->values ? no_memory(r) : rc;
}

/* "1", "1..5", "..5", "2.." */
static int range(struct reader *r, struct slice s, uint32_t *min, uint32_t *max)
{
	const char *dots = s.n >= 2 ? memmem(s.p, s.n, "..", 2) : NULL;
	struct slice low = dots ? slice_make(s.p, (size_t)(dots - s.p)) : s, high = dots ? slice_make(dots + 2, s.n - low.n - 2) : s;
	*min = 0;
	*max = UINT32_MAX;
	int rc = low.n || !dots ? number(r, low, min) : 0;
	if (rc == 0 && (high.n || !dots))
		rc = number(r, high, max);
	return rc == 0 && *min > *max ? bad(r, "the range is empty", s) : rc;
}

static int codes(struct reader *r, struct slice s, struct edi_guide_rule *rule)
{
	rule->codes = van_arena_alloc(r->g->arena, sizeof *rule->codes);
	if (!rule->codes)
		return no_memory(r);
	if (!s.n)
		return bad(r, "which values? give them with blanks between", s);
	while (s.p) {
		struct slice one = slice_cut(&s, ' ');
		if (one.n && edi_codes_add(r->g->arena, rule->codes, one) < 0)
			return no_memory(r);
	}
	return 0;
}

static int pattern(struct reader *r, struct slice s, struct edi_guide_rule *rule)
{
	regex_t *x = van_arena_alloc(r->g->arena, sizeof *x);
	char *z = van_arena_alloc(r->g->arena, s.n + 5);
	if (!x || !z)
		return no_memory(r);
	z[0] = '^';
	z[1] = '(';
	memcpy(z + 2, s.p, s.n);
	memcpy(z + 2 + s.n, ")$", 3);
	if (!s.n || regcomp(x, z, REG_EXTENDED | REG_NOSUB) != 0)
		return bad(r, "not an extended regular expression:", s);
	rule->pattern = x;
	return 0;
}

/* "count(PO1)", "sum(PO102*PO104)", "sum(MOA01-2 when 01=79)" */
static int sum(struct reader *r, struct slice s, struct edi_guide_rule *rule)
{
	rule->count = slice_starts(s, "count(");
	size_t head = rule->count ? 6 : 4;
	if ((!rule->count && !slice_starts(s, "sum(")) || !slice_ends(s, ")"))
		return bad(r, "expected: count(SEGMENT), sum(ELEMENT) or sum(ELEMENT*ELEMENT), not", s);
	struct slice inner = slice_make(s.p + head, s.n - head - 1), condition = SLICE_NONE;
	const char *at = memmem(inner.p, inner.n, " when ", 6);
	if (at) {
		condition = slice_make(at + 6, inner.n - (size_t)(at + 6 - inner.p));
		inner.n = (size_t)(at - inner.p);
	}
	struct slice second = inner, first = slice_cut(&second, '*');
	int rc = place(r, slice_trim(first), &rule->first);
	if (rc == 0 && second.p)
		rc = place(r, slice_trim(second), &rule->second);
	if (rc == 0 && condition.p)
		rc = when(r, slice_trim(condition), &rule->of);
	if (rc == 0 && rule->count != !rule->first.element)
		rc = bad(r, rule->count ? "count() takes a segment, not" : "sum() takes elements, not", s);
	if (rc == 0 && second.p && !slice_eq(rule->first.segment, rule->second.segment))
		rc = bad(r, "both elements of a product stand in one segment, not", s);
	return rc;
}

static const struct {
	const char *name;
	enum edi_guide_kind kind;
	bool segment; /* its place is a segment */
} kinds[] = {{"occurs", EDI_GUIDE_OCCURS, true}, {"required", EDI_GUIDE_REQUIRED, false}, {"unused", EDI_GUIDE_UNUSED, false},
	{"codes", EDI_GUIDE_CODES, false}, {"length", EDI_GUIDE_LENGTH, false}, {"pattern", EDI_GUIDE_PATTERN, false},
	{"equals", EDI_GUIDE_EQUALS, false}};

/* A segment may be required or unused, too: that is how often it occurs. */
static int kind_of(struct reader *r, struct slice name, struct edi_guide_rule *rule)
{
	bool segment = !rule->place.element;
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		if (!slice_is(name, kinds[i].name))
			continue;
		rule->kind = kinds[i].kind;
		rule->min = rule->kind == EDI_GUIDE_REQUIRED;
		rule->max = rule->kind == EDI_GUIDE_UNUSED ? 0 : UINT32_MAX;
		if (segment && (rule->kind == EDI_GUIDE_REQUIRED || rule->kind == EDI_GUIDE_UNUSED))
			rule->kind = EDI_GUIDE_OCCURS;
		else if (segment != kinds[i].segment)
			return bad(r, segment ? "this rule needs an element (BEG02):" : "this rule needs a segment (BEG):", name);
		return 0;
	}
	return bad(r, "rules are occurs, required, unused, codes, length, pattern and equals, not", name);
}

static int rule(struct reader *r, const struct slice *fields)
{
	struct edi_guide_rule *x = &r->g->rules[r->g->count];
	int rc = place(r, slice_trim(fields[0]), &x->place);
	if (rc == 0)
		rc = kind_of(r, slice_trim(fields[3]), x);
	if (rc == 0)
		rc = when(r, slice_trim(fields[2]), &x->when);
	struct slice value = slice_trim(fields[4]);
	if (rc == 0 && (slice_is(slice_trim(fields[3]), "occurs") || x->kind == EDI_GUIDE_LENGTH))
		rc = range(r, value, &x->min, &x->max);
	else if (rc == 0 && x->kind == EDI_GUIDE_CODES)
		rc = codes(r, value, x);
	else if (rc == 0 && x->kind == EDI_GUIDE_PATTERN)
		rc = pattern(r, value, x);
	else if (rc == 0 && x->kind == EDI_GUIDE_EQUALS)
		rc = sum(r, value, x);
	else if (rc == 0 && value.n)
		rc = bad(r, "this rule has no value, not", value);
	x->loop = slice_trim(fields[1]);
	x->text = slice_trim(fields[5]);
	r->g->count += rc == 0;
	return rc;
}

/* guide,x12,850,004010,name */
static int title(struct reader *r, const struct slice *fields)
{
	struct edi_guide *g = r->g;
	g->standard = slice_is(fields[1], "x12") ? EDI_X12 : slice_is(fields[1], "edifact") ? EDI_EDIFACT : EDI_UNKNOWN;
	g->type = fields[2];
	g->version = fields[3];
	g->name = fields[4];
	return slice_is(fields[0], "guide") && g->standard && g->type.n ? 0
	       : bad(r, "the first row is: guide,x12|edifact,TYPE,VERSION,NAME, not", fields[0]);
}

int guide_read(struct slice text, const char *file, struct edi_guide **ret, struct van_error *e)
{
	struct edi_guide *g = calloc(1, sizeof *g);
	struct reader r = {.g = g, .file = file, .e = e};
	struct slice fields[CSV_MAX_FIELDS];
	bool first = true;
	if (g)
		g->arena = van_arena_new(GUIDE_MEMORY);
	int rc = g && g->arena ? 0 : no_memory(&r), more = 1;
	if (rc == 0 && !(g->rules = van_arena_array(g->arena, LARGEST_GUIDE, sizeof *g->rules)))
		rc = no_memory(&r);
	csv_begin(&r.csv, text);
	while (rc == 0 && more > 0) {
		more = csv_next(&r.csv, g->arena, fields);
		if (more < 0)
			rc = bad(&r, "not CSV:", SLICE("a quote has no end, or there are too many fields"));
		else if (more && first)
			rc = title(&r, fields);
		else if (more && *fields[0].p != '#' && !slice_is(fields[0], "place"))
			rc = g->count == LARGEST_GUIDE ? bad(&r, "a guide has at most 5000 rules:", fields[0]) : rule(&r, fields);
		first = false;
	}
	if (rc == 0 && !g->type.n)
		rc = bad(&r, "the guide is empty", SLICE(""));
	if (rc < 0) {
		edi_guide_free(g);
		return rc;
	}
	*ret = g;
	return 0;
}
