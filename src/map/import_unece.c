/* UNECE's directory texts. The files of all releases since D.93A are columns for people, in two styles: until about D.98 with
 * change marks in the first columns and right-aligned codes, later with a column for repeats. Both are read by their tokens.
 *
 *   010    C002 DOCUMENT/MESSAGE NAME                      C    1          a segment's row (EDSD)
 *   010   1153   Reference qualifier                       M  an..3        a composite's row (EDCD)
 *        Repr: an..3                                                       of an element (EDED, UNCL); its codes follow in UNCL
 *   0070       ----- Segment group 1  ------------------ C   10----------+  a message's table (EDMD) */
#include "map/import.h"

#include <ctype.h>
#include <stdlib.h>

enum entry { ENTRY_NONE, ENTRY_ELEMENT, ENTRY_CODES, ENTRY_GROUP };

#define LARGEST_DEPTH 16

struct reader {
	struct import *m;
	struct van_error *e;
	unsigned line;
	enum entry entry;
	struct import_element *element;
	struct import_group *group;
	bool again;                  /* the entry was read before, from another file */
	struct slice row;            /* id of a row whose rule is on a later line */
	bool table;                  /* in a message's segment table */
	struct import_node **tail[LARGEST_DEPTH]; /* where the next node of each depth goes */
	int depth;
	bool failed;
};

static bool is_mark(char c)
{
	return c == '+' || c == '*' || c == '#' || c == '|' || c == 'X';
}

static bool only_marks(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!is_mark(s.p[i]))
			return false;
	return s.n > 0;
}

static bool all_digits(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
	return s.n > 0;
}

/* The next word; *rest is what follows it. */
static struct slice word(struct slice *rest)
{
	size_t from = 0, to;
	while (from < rest->n && isspace((unsigned char)rest->p[from]))
		from++;
	for (to = from; to < rest->n && !isspace((unsigned char)rest->p[to]);)
		to++;
	struct slice w = slice_make(rest->p + from, to - from);
	*rest = slice_make(rest->p + to, rest->n - to);
	return w;
}

/* Takes the last word off. */
static struct slice last_word(struct slice *rest)
{
	struct slice s = slice_trim(*rest);
	size_t from = s.n;
	while (from && !isspace((unsigned char)s.p[from - 1]))
		from--;
	struct slice w = slice_make(s.p + from, s.n - from);
	*rest = slice_make(s.p, from);
	return w;
}

/* "an..35", "n3": false when it is none. */
static bool representation(struct slice s, char type[4], uint32_t *min, uint32_t *max)
{
	bool an = slice_starts(s, "an");
	if (!s.n || (*s.p != 'a' && *s.p != 'n'))
		return false;
	type[0] = an || *s.p == 'a' ? 'A' : 'N';
	type[1] = an ? 'N' : 0;
	type[2] = 0;
	s = slice_make(s.p + 1 + an, s.n - 1 - an);
	bool open = slice_starts(s, "..");
	unsigned long long n;
	if (!slice_u64(slice_make(s.p + 2 * open, s.n - 2 * open), &n) || !n || n > 100000)
		return false;
	*max = (uint32_t)n;
	*min = open ? 1 : *max;
	return true;
}

/* The end of a row: M or C, how often, and the representation of an element. False: the name goes on in the next line. */
static bool rule(struct slice text, bool *mandatory, uint32_t *repeat, struct slice *name)
{
	char type[4];
	uint32_t min, max;
	struct slice rest = text, w = last_word(&rest);
	*repeat = 1;
	if (representation(w, type, &min, &max))
		w = last_word(&rest);
	if (all_digits(w)) {
		unsigned long long n;
		if (slice_u64(w, &n) && n < 100000)
			*repeat = (uint32_t)n;
		w = last_word(&rest);
	}
	*mandatory = slice_is(w, "M");
	*name = slice_trim(rest);
	return *mandatory || slice_is(w, "C");
}

/* --- entries of EDSD, EDCD, EDED, UNCL ----------------------------------------------------------------------------------- */

static bool is_rule_line(struct slice s)
{
	size_t dashes = 0;
	for (size_t i = 0; i < s.n; i++)
		dashes += s.p[i] == '-' || (unsigned char)s.p[i] == 0xc4;
	return s.n >= 40 && dashes == s.n;
}

/* Change marks stand in the first five columns. Without them; *column: where it begins. */
static struct slice content(struct slice line, size_t *column)
{
	size_t i = 0;
	while (i < line.n && (line.p[i] == ' ' || (i < 5 && is_mark(line.p[i]))))
		i++;
	*column = i;
	return slice_trim(slice_make(line.p + i, line.n - i));
}

/* Without "[C]" at the end: used in batch, interactive or both. */
static struct slice element_name(struct slice s)
{
	s = slice_trim(s);
	if (s.n > 3 && s.p[s.n - 1] == ']' && s.p[s.n - 3] == '[')
		s.n -= 3;
	return slice_trim(s);
}

static void begin_entry(struct reader *r, struct slice text)
{
	struct slice rest = text, id = word(&rest), name = slice_trim(rest);
	bool letter = id.n && isupper((unsigned char)*id.p);
	if (id.n == 4 && all_digits(id)) {
		r->element = import_get_element(r->m, id);
		r->entry = ENTRY_ELEMENT;
		r->failed |= !r->element;
		if (r->element && !r->element->name.p)
			r->element->name = van_arena_slice(r->m->arena, element_name(name));
	} else if (letter && name.n && ((id.n == 4 && all_digits(slice_make(id.p + 1, 3))) || id.n == 3)) {
		r->group = import_get_group(r->m, id.n == 4 ? &r->m->composites : &r->m->segments, id);
		r->entry = ENTRY_GROUP;
		r->row = SLICE_NONE;
		r->failed |= !r->group;
		r->again = r->group && r->group->fields;
		if (r->group && !r->group->name.p)
			r->group->name = van_arena_slice(r->m->arena, name);
	}
}

static void group_line(struct reader *r, struct slice line)
{
	struct slice rest = line, position = word(&rest);
	bool mandatory;
	uint32_t repeat;
	struct slice name;
	if (r->again)
		return;
	if (line.n && isdigit((unsigned char)*line.p) && position.n == 3 && all_digits(position)) {
		struct slice id = word(&rest);
		while (only_marks(id))
			id = word(&rest);
		r->row = id;
	} else if (!r->row.p) {
		return; /* a component inside a segment, a note */
	} else {
		rest = line;
	}
	if (!rule(rest, &mandatory, &repeat, &name))
		return;
	struct import_field *f = import_add_field(r->m, r->group, r->row);
	r->row = SLICE_NONE;
	if (f) {
		f->mandatory = mandatory;
		f->repeat = repeat;
	}
	r->failed |= !f;
}

static void element_line(struct reader *r, struct slice text, size_t column)
{
	struct slice rest = text, first = word(&rest);
	struct import_element *x = r->element;
	if (slice_case_is(first, "Repr:")) {
		uint32_t min, max;
		char type[4];
		if (representation(word(&rest), type, &min, &max)) {
			memcpy(x->type, type, sizeof type);
			x->min = min;
			x->max = max;
		}
		r->entry = ENTRY_CODES;
	} else if (r->entry == ENTRY_CODES && column < 10 && first.n && first.n <= 35 && first.p[first.n - 1] != ':' && slice_trim(rest).n) {
		r->failed |= !import_add_code(r->m, x, first, slice_trim(rest));
	}
}

/* --- the table of a message ---------------------------------------------------------------------------------------------- */

/* How deep the lines at the right edge say it stands. Old files have code page 437's box characters. */
static int depth_of(struct slice tail)
{
	int depth = 0;
	for (size_t i = 0; i < tail.n; i++) {
		unsigned char c = (unsigned char)tail.p[i];
		if (c == 0xe2 && i + 2 < tail.n) { /* UTF-8: U+2502 and its like, but not the horizontal one */
			depth += (unsigned char)tail.p[i + 2] != 0x80;
			i += 2;
		} else {
			depth += c == '|' || c == '+' || c == 0xb3 || c == 0xb4 || c == 0xbf || c == 0xc0 || c == 0xc1 || c == 0xc5 || c == 0xd9;
		}
	}
	return depth;
}

/* "…  C   9999--------+": where M or C stands, and what is behind the number. */
static bool table_rule(struct slice line, bool *mandatory, uint32_t *max, struct slice *tail)
{
	for (size_t i = line.n; i-- > 8;) {
		if ((line.p[i] != 'M' && line.p[i] != 'C') || line.p[i - 1] != ' ' || i + 1 >= line.n || line.p[i + 1] != ' ')
			continue;
		struct slice rest = slice_make(line.p + i + 1, line.n - i - 1);
		while (rest.n && *rest.p == ' ')
			rest = slice_make(rest.p + 1, rest.n - 1);
		size_t digits = 0;
		while (digits < rest.n && isdigit((unsigned char)rest.p[digits]))
			digits++;
		unsigned long long n;
		if (!slice_u64(slice_make(rest.p, digits), &n) || n > 100000000)
			continue;
		*mandatory = line.p[i] == 'M';
		*max = (uint32_t)n;
		*tail = slice_make(rest.p + digits, rest.n - digits);
		return true;
	}
	return false;
}

static struct slice find(struct slice in, const char *what)
{
	size_t n = strlen(what);
	for (size_t i = 0; i + n <= in.n; i++)
		if (memcmp(in.p + i, what, n) == 0)
			return slice_make(in.p + i + n, in.n - i - n);
	return SLICE_NONE;
}

static int bad(struct reader *r, const char *what)
{
	return van_error_set(r->e, VAN_ESYNTAX, "line %u: %s", r->line, what);
}

static int table_line(struct reader *r, struct slice line)
{
	bool mandatory;
	uint32_t max;
	struct slice tail, rest = line, position = word(&rest), group = find(line, "Segment group ");
	if (position.n < 4 || !all_digits(position) || !table_rule(line, &mandatory, &max, &tail))
		return 0;
	struct slice tag = word(&rest);
	while (only_marks(tag))
		tag = word(&rest);
	int depth = depth_of(tail) - (group.p != NULL);
	if (depth < 0 || depth > r->depth || depth + 1 >= LARGEST_DEPTH)
		return bad(r, "the lines at the right edge of the table do not tell where this belongs");
	r->depth = depth;
	struct import_node *n = van_arena_alloc(r->m->arena, sizeof *n);
	if (!n)
		return VAN_ENOMEM;
	struct slice name = group.p ? word(&group) : tag;
	*n = (struct import_node){.id = group.p ? van_arena_printf(r->m->arena, "SG%.*s", SLICE_ARG(name)) : van_arena_slice(r->m->arena, name),
		.loop = group.p != NULL, .mandatory = mandatory, .max = max, .when = SLICE_NONE};
	*r->tail[depth] = n;
	r->tail[depth] = &n->next;
	if (group.p) {
		r->tail[depth + 1] = &n->first;
		r->depth = depth + 1;
	}
	r->table = !slice_is(tag, "UNT");
	return 0;
}

/* Of the page in front: "Message Type : ORDERS". */
static void title_line(struct reader *r, struct slice text, struct slice *version, struct slice *release)
{
	struct slice rest = text, name = slice_cut(&rest, ':');
	name = slice_trim(name);
	if (slice_case_is(name, "Message Type")) {
		r->m->type = van_arena_slice(r->m->arena, slice_trim(rest));
		r->m->name = SLICE_NONE;
	} else if (slice_case_is(name, "Version") && !version->n) {
		*version = slice_trim(rest);
	} else if (slice_case_is(name, "Release") && !release->n) {
		*release = slice_trim(rest);
	}
}

/* --- one file ------------------------------------------------------------------------------------------------------------ */

static int read_lines(struct reader *r, struct slice text, bool message, struct slice *version, struct slice *release)
{
	bool contents = false;
	int rc = 0;
	r->tail[0] = &r->m->nodes;
	while (text.p && rc == 0 && !r->failed) {
		size_t column;
		struct slice line = slice_cut(&text, '\n'), inner = content(line, &column);
		r->line++;
		if (message) {
			if (r->table)
				rc = table_line(r, line);
			else if (find(line, "Segment table").p && column == 0)
				r->table = !r->m->nodes;
			else
				title_line(r, inner, version, release);
			if (contents && inner.n && !r->m->name.p)
				r->m->name = van_arena_slice(r->m->arena, inner);
			contents |= slice_is(inner, "CONTENTS");
			continue;
		}
		if (is_rule_line(slice_trim(line)))
			r->entry = ENTRY_NONE;
		else if (inner.n && r->entry == ENTRY_NONE)
			begin_entry(r, inner);
		else if (inner.n && r->entry == ENTRY_GROUP)
			group_line(r, line);
		else if (inner.n && r->entry != ENTRY_NONE)
			element_line(r, inner, column);
	}
	return rc;
}

static int check_message(struct reader *r, struct slice version, struct slice release)
{
	if (!r->m->nodes)
		return van_error_set(r->e, VAN_ESYNTAX, "message %.*s has no segment table (4.3.1)", SLICE_ARG(r->m->type));
	if (version.n && release.n && !r->m->version.n)
		r->m->version = van_arena_printf(r->m->arena, "%.*s:%.*s", SLICE_ARG(version), SLICE_ARG(release));
	return 0;
}

int import_unece(struct import *m, struct slice text, struct slice version, struct van_error *e)
{
	struct reader r = {.m = m, .e = e};
	bool message = find(text, "Message Type").p && find(text, "Segment table").p;
	struct slice number = SLICE_NONE, release = SLICE_NONE;
	m->standard = EDI_EDIFACT;
	if (version.n)
		m->version = version;
	if (message)
		m->nodes = NULL;
	int rc = read_lines(&r, text, message, &number, &release);
	if (rc == 0 && message)
		rc = check_message(&r, number, release);
	if (r.failed || rc == VAN_ENOMEM)
		return van_error_set(e, VAN_ENOMEM, "the directory needs more memory than its bound");
	if (rc == 0 && !message && !m->elements && !m->segments && !m->composites)
		rc = van_error_set(e, VAN_ESYNTAX, "this is no text of a UN/EDIFACT directory (EDMD, EDSD, EDCD, EDED, UNCL), and no XML schema");
	return rc;
}
