/* Elements, components, repetitions and syntax notes of one segment. */
#include "edi/calendar.h"
#include "edi/code_extension.h"
#include "edi/validate_private.h"

/* Where a value stands. */
struct site {
	uint32_t element, repetition, component;
	const struct edi_element_def *def;
};

static void problem(struct edi_validator *v, enum edi_fault fault, const struct site *at, struct slice value)
{
	edi_problem_add(v, &(struct edi_problem){.fault = fault, .element = at->element, .repetition = at->repetition,
		.component = at->component, .definition = at->def, .value = value});
}

static bool all_digits(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
	return s.n > 0;
}

/* X12: [-]digits, for R with a decimal point among them and E[-]digits behind them (X12.6). Signs, point and E do not count as
 * characters. */
static bool good_number(struct slice s, bool decimal, size_t *length)
{
	size_t digits = 0, points = 0, exponent = 0, i = s.n && s.p[0] == '-';
	for (; i < s.n && s.p[i] != 'E'; i++) {
		if (s.p[i] >= '0' && s.p[i] <= '9')
			digits++;
		else if (s.p[i] == '.')
			points++;
		else
			return false;
	}
	bool exponential = i < s.n;
	if (exponential && ++i < s.n && s.p[i] == '-')
		i++;
	for (; i < s.n; i++, exponent++)
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
	*length = digits + exponent;
	return digits && (decimal ? points <= 1 && exponential == (exponent > 0) : !points && !exponential);
}

/* Counts characters (UTF-8 continuation bytes are not counted); false when there is a control or separator among them. */
static bool good_text(struct slice s, char component, size_t *length)
{
	size_t n = s.n;
	bool good = true;
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		n -= (c & 0xc0) == 0x80;
		if (c < 0x20 || c == 0x7f || (component && s.p[i] == component))
			good = false;
	}
	*length = n;
	return good;
}

static bool latin(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] >= 0xc0)
			return false; /* a UTF-8 lead byte */
	return true;
}

static void check_length(struct edi_validator *v, const struct site *at, struct slice value, size_t n)
{
	if (n < at->def->min)
		problem(v, EDI_FAULT_TOO_SHORT, at, value);
	else if (n > at->def->max)
		problem(v, EDI_FAULT_TOO_LONG, at, value);
}

static void check_date(struct edi_validator *v, const struct site *at, struct slice value)
{
	size_t n = value.n;
	if (!all_digits(value))
		problem(v, EDI_FAULT_DATE, at, value);
	else if (n < at->def->min || n > at->def->max)
		check_length(v, at, value, n);
	else if (!edi_good_date(value))
		problem(v, EDI_FAULT_DATE, at, value);
}

static void check_time(struct edi_validator *v, const struct site *at, struct slice value)
{
	size_t n = value.n;
	if (!all_digits(value))
		problem(v, EDI_FAULT_TIME, at, value);
	else if (n < at->def->min || n > at->def->max)
		check_length(v, at, value, n);
	else if (!edi_good_time(value))
		problem(v, EDI_FAULT_TIME, at, value);
}

/* An open list names values that people know; only an agreement that says so makes it bind. */
static inline bool good_code(const struct edi_validator *v, const struct edi_element_def *d, struct slice value)
{
	return !d->codes || (d->open && (!v->strict_codes || v->other_list)) || edi_codes_has(d->codes, value);
}

/* How many characters the value has. */
static size_t characters(const struct edi_validator *v, struct slice value, size_t utf8)
{
	return edi_charset_is_single(v->charset) || (!edi_charset_is_utf8(v->charset) && utf8 != value.n && latin(value)) ? value.n : utf8;
}

/* X12.6: a text has at least one character that is no blank. */
static bool only_blanks(struct slice s)
{
	size_t n = s.n;
	while (n && s.p[n - 1] == ' ')
		n--;
	return !n;
}

/* A value with escape sequences: whether they are good, and how many characters stand between them. */
static bool check_shifts(struct edi_validator *v, const struct site *at, struct slice value, size_t *ret_n)
{
	const char *why;
	size_t byte;
	if (edi_shift_check(value, ret_n, &why, &byte))
		return true;
	edi_problem_add(v, &(struct edi_problem){.fault = EDI_FAULT_REPERTOIRE, .element = at->element, .repetition = at->repetition,
		.component = at->component, .definition = at->def, .value = value, .why = why, .at = byte});
	return false;
}

static void check_text(struct edi_validator *v, const struct site *at, struct slice value, char component)
{
	size_t n;
	bool shifts = v->delimiters->shifts && edi_shift_any(value);
	bool good = good_text(value, component, &n) || shifts, edifact = v->segment->standard == EDI_EDIFACT;
	if (shifts && !check_shifts(v, at, value, &n))
		return;
	if (!shifts)
		n = characters(v, value, n);
	if (!good && !(edifact && edi_has_only_line_ends(value)))
		problem(v, EDI_FAULT_CHARACTER, at, value);
	else if (edifact && !edi_in_repertoire(v, value))
		problem(v, EDI_FAULT_REPERTOIRE, at, value);
	if (n < at->def->min || n > at->def->max)
		check_length(v, at, value, n);
	else if (edifact && at->def->type == EDI_A && edi_has_digit(value))
		problem(v, EDI_FAULT_TYPE, at, value);
	else if (good && !good_code(v, at->def, value))
		problem(v, EDI_FAULT_CODE, at, value);
	else if (!edifact && only_blanks(value))
		problem(v, EDI_FAULT_BLANK, at, value);
}

/* Digits, at most one decimal point when `point`; at least `min` digits. Looks at the eight bytes that end in the value's
 * last one all at once: the caller has made sure that they can be read. */
static inline bool plain_number(struct slice value, bool point, uint32_t min)
{
	const uint64_t ones = 0x0101010101010101, highs = 0x8080808080808080;
	uint64_t bytes, outside = value.n < 8 ? ((uint64_t)1 << (64 - 8 * value.n)) - 1 : 0;
	memcpy(&bytes, value.p + value.n - 8, sizeof bytes);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	bytes = __builtin_bswap64(bytes);
#endif
	uint64_t digit = bytes ^ 0x30 * ones, dot = bytes ^ (uint64_t)'.' * ones;
	uint64_t wrong = (digit + 0x76 * ones) | digit; /* high bits of the bytes that are no digits */
	uint64_t dots = ~(((dot & ~highs) + 0x7f * ones) | dot) & highs & ~outside;
	wrong &= highs & ~outside & ~dots;
	if (wrong || (dots && (!point || dots & (dots - 1))))
		return false;
	return value.n - (dots != 0) >= min;
}

/* EDIFACT wants digits on both sides of the mark, and UNA's where it advises one. */
static inline bool plain_point(const struct edi_validator *v, const struct edi_element_def *d, struct slice value)
{
	if (d->type != EDI_R)
		return false;
	if (v->segment->standard == EDI_X12)
		return true;
	return (!v->decimal_mark || v->decimal_mark == '.') && value.p[0] != '.' && value.p[value.n - 1] != '.';
}

/* Most values are plain text or digits of a right length: those need no more than this. For values without odd bytes. */
static inline bool plainly_good(const struct edi_validator *v, const struct edi_element_def *d, struct slice value)
{
	if (value.n < d->min || value.n > d->max)
		return false;
	switch (d->type) {
	case EDI_AN:
	case EDI_ID: return *value.p != ' ' && good_code(v, d, value);
	case EDI_N:
	case EDI_R:
		return value.n <= 8 && value.p - v->segment->base >= 8 && plain_number(value, plain_point(v, d, value), d->min ? d->min : 1);
	case EDI_A: return (v->segment->standard != EDI_EDIFACT || !edi_has_digit(value)) && good_code(v, d, value);
	case EDI_DT:
	case EDI_TM:
	case EDI_B: return false;
	}
	return false;
}

static void check_number(struct edi_validator *v, const struct site *at, struct slice value)
{
	size_t n;
	int fault = v->segment->standard == EDI_EDIFACT ? edi_check_number(v, value, at->def->type == EDI_R, &n)
	            : good_number(value, at->def->type == EDI_R, &n) ? -1 : (int)EDI_FAULT_CHARACTER;
	if (fault >= 0)
		problem(v, (enum edi_fault)fault, at, value);
	else
		check_length(v, at, value, n);
}

/* One value, not empty. */
static void check_value(struct edi_validator *v, const struct site *at, struct slice value)
{
	char component = v->delimiters->component;
	if (v->segment->flags & EDI_SEGMENT_RELEASE && v->delimiters->release) {
		van_buf_reset(&v->scratch);
		char *room = van_buf_reserve(&v->scratch, value.n);
		if (!room) {
			v->error = VAN_ENOMEM;
			return;
		}
		value = edi_unescape(value, v->delimiters->release, room);
		component = 0;
	}
	switch (at->def->type) {
	case EDI_N:
	case EDI_R:
		check_number(v, at, value);
		return;
	case EDI_DT: check_date(v, at, value); return;
	case EDI_TM: check_time(v, at, value); return;
	case EDI_B: return;
	case EDI_AN:
	case EDI_ID:
	case EDI_A: check_text(v, at, value, component); return;
	}
}

/* Past the last component: nothing but separators, in EDIFACT. */
static bool only_separators(const struct edi_validator *v, struct slice part, struct slice rest)
{
	if (v->segment->standard != EDI_EDIFACT || part.n)
		return false;
	for (size_t i = 0; i < rest.n; i++)
		if (rest.p[i] != v->delimiters->component)
			return false;
	return true;
}

/* What syntax notes are looked at for: a segment, or one composite in it. */
struct noting {
	struct edi_validator *v;
	const struct edi_field *fields;
	uint32_t count;
	uint64_t present;  /* elements or components that have a value; 1 is bit 1 */
	uint64_t reported;
	struct site at;    /* of the composite; element 0: the segment */
	struct slice value; /* the composite */
};

static void check_notes(struct noting *n, const struct edi_note *notes, uint32_t count);

static void check_components(struct edi_validator *v, const struct edi_composite_def *c, struct site at, struct slice value)
{
	struct slice rest = value;
	uint64_t present = 0;
	for (uint32_t i = 0; rest.p || i < c->count; i++) {
		struct slice part = rest.p ? edi_cut(&rest, v->delimiters->component, v->delimiters->release) : SLICE_NONE;
		at.component = i + 1;
		if (i >= c->count) {
			at.def = NULL;
			problem(v, only_separators(v, part, rest) ? EDI_FAULT_TRAILING : EDI_FAULT_TOO_MANY_COMPONENTS, &at, part);
			v->other_list = false;
			return;
		}
		at.def = c->fields[i].element;
		if (!at.def)
			continue;
		present |= part.n && i < 63 ? (uint64_t)2 << i : 0;
		v->other_list = v->strict_codes && edi_of_other_list(v, c, i, rest);
		if (part.n)
			check_value(v, &at, part);
		else if (c->fields[i].mandatory)
			problem(v, EDI_FAULT_MISSING_ELEMENT, &at, SLICE_NONE);
	}
	v->other_list = false;
	struct slice period = c->period ? edi_bad_period(v, c, value) : SLICE_NONE;
	if (period.p) {
		at.component = c->period;
		at.def = c->fields[c->period - 1].element;
		problem(v, EDI_FAULT_PERIOD, &at, period);
	}
	at.component = 0;
	check_notes(&(struct noting){.v = v, .fields = c->fields, .count = c->count, .present = present, .at = at, .value = value}, c->notes,
		c->note_count);
}

static void check_one(struct edi_validator *v, const struct edi_field *f, struct site at, struct slice value)
{
	if (f->composite) {
		check_components(v, f->composite, at, value);
		return;
	}
	at.def = f->element;
	if (v->segment->standard == EDI_EDIFACT) { /* a simple element may be followed by nothing but separators */
		struct slice rest = value, first = edi_cut(&rest, v->delimiters->component, v->delimiters->release);
		if (rest.p) {
			at.component = 2;
			problem(v, only_separators(v, SLICE(""), rest) ? EDI_FAULT_TRAILING : EDI_FAULT_TOO_MANY_COMPONENTS, &at, rest);
			at.component = 0;
		}
		value = first;
	}
	if (value.n)
		check_value(v, &at, value);
}

static void check_field(struct edi_validator *v, const struct edi_field *f, uint32_t element, struct slice value)
{
	struct site at = {.element = element};
	char repetition = v->delimiters->repetition;
	if (!repetition || !memchr(value.p, repetition, value.n)) {
		check_one(v, f, at, value);
		return;
	}
	struct slice rest = value;
	for (at.repetition = 1; rest.p; at.repetition++) {
		struct slice one = edi_cut(&rest, repetition, v->delimiters->release);
		if (f->repeat && at.repetition > f->repeat) {
			at.def = f->element;
			problem(v, EDI_FAULT_TOO_MANY_REPEATS, &at, one);
			return;
		}
		check_one(v, f, at, one);
	}
}

/* --- syntax notes ------------------------------------------------------------------------------------------------------ */

static struct slice component_of(const struct noting *o, unsigned number)
{
	struct slice rest = o->value, part = SLICE_NONE;
	for (unsigned i = 0; i < number && rest.p; i++)
		part = edi_cut(&rest, o->v->delimiters->component, o->v->delimiters->release);
	return part;
}

/* Several notes may miss the same element: it is reported once. */
static void note_problem(struct noting *o, enum edi_fault fault, unsigned number)
{
	if (o->reported >> number & 1)
		return;
	o->reported |= (uint64_t)1 << number;
	struct site at = o->at;
	struct slice value = SLICE_NONE;
	if (fault == EDI_FAULT_EXCLUSION)
		value = at.element ? component_of(o, number) : edi_segment_element(o->v->segment, number);
	*(at.element ? &at.component : &at.element) = number;
	at.def = number && number <= o->count ? o->fields[number - 1].element : NULL;
	problem(o->v, fault, &at, value);
}

static void all_missing(struct noting *o, const struct edi_note *n)
{
	for (unsigned i = 0; i < n->n; i++)
		if (!(o->present >> n->at[i] & 1))
			note_problem(o, EDI_FAULT_CONDITION, n->at[i]);
}

static void check_note(struct noting *o, const struct edi_note *n)
{
	uint64_t have = o->present & n->all, first = (uint64_t)1 << n->at[0];
	switch (n->kind) {
	case 'P':
		if (have && have != n->all)
			all_missing(o, n);
		return;
	case 'R':
		if (!have)
			note_problem(o, EDI_FAULT_CONDITION, n->at[0]);
		return;
	case 'C':
		if (have & first && have != n->all)
			all_missing(o, n);
		return;
	case 'L':
		if (have == first)
			note_problem(o, EDI_FAULT_CONDITION, n->at[1]);
		return;
	case 'E':
		for (unsigned i = 0, seen = 0; i < n->n; i++)
			if (o->present >> n->at[i] & 1 && seen++) {
				note_problem(o, EDI_FAULT_EXCLUSION, n->at[i]);
				return;
			}
		return;
	default: return;
	}
}

static void check_notes(struct noting *o, const struct edi_note *notes, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		check_note(o, &notes[i]);
}

static void too_many(struct edi_validator *v, uint32_t fields, const struct edi_segment *s)
{
	for (uint32_t i = fields + 1; i < s->count; i++) {
		struct slice value = edi_segment_element(s, i);
		if (value.n) { /* separators alone at the end are not worth a rejection */
			problem(v, EDI_FAULT_TOO_MANY_ELEMENTS, &(struct site){.element = i}, value);
			return;
		}
	}
}

/* Before EDIFACT's syntax 4 an element that repeats stands in so many places, one after the other. */
static uint32_t check_spread(struct edi_validator *v, const struct edi_segment_def *def, const struct edi_segment *s, uint64_t *present)
{
	uint32_t at = 0;
	for (const struct edi_field *f = def->fields; f < def->fields + def->count; f++) {
		uint32_t places = f->repeat > 1 ? f->repeat : 1;
		for (uint32_t k = 0; k < places; k++) {
			struct slice value = edi_segment_element(s, ++at);
			if (value.n) {
				*present |= at < 64 ? (uint64_t)1 << at : 0;
				check_field(v, f, at, value);
			} else if (f->mandatory && k == 0) {
				problem(v, EDI_FAULT_MISSING_ELEMENT, &(struct site){.element = at, .def = f->element}, SLICE_NONE);
			}
		}
	}
	return at;
}

/* The same for a composite: each component plainly good, none missing. */
static inline bool plainly_good_parts(const struct edi_validator *v, const struct edi_composite_def *c, struct slice value)
{
	const char *p = value.p, *end = p + value.n, separator = v->delimiters->component;
	struct slice date = SLICE_NONE, format = SLICE_NONE;
	uint32_t i = 0;
	for (bool more = true; more; i++) {
		const char *q = p;
		while (q < end && *q != separator)
			q++;
		if (i >= c->count)
			return false;
		if (q > p ? c->fields[i].element && !plainly_good(v, c->fields[i].element, slice_make(p, (size_t)(q - p)))
		          : c->fields[i].mandatory)
			return false;
		if (c->period && i + 1 == c->period)
			date = slice_make(p, (size_t)(q - p));
		else if (c->period && i == c->period)
			format = slice_make(p, (size_t)(q - p));
		more = q < end;
		p = q + 1;
	}
	if (date.n && format.n && !edi_period_fits(format, date))
		return false;
	while (i < c->count && !c->fields[i].mandatory)
		i++;
	return i == c->count && !c->note_count;
}

/* A value of a segment that holds separators of parts, but no odd bytes. */
static inline bool plainly_good_field(const struct edi_validator *v, const struct edi_field *f, struct slice value)
{
	if (v->delimiters->repetition && memchr(value.p, v->delimiters->repetition, value.n))
		return false;
	if (f->composite)
		return plainly_good_parts(v, f->composite, value);
	for (size_t i = 0; i < value.n; i++)
		if (value.p[i] == v->delimiters->component)
			return false;
	return plainly_good(v, f->element, value);
}

/* Each field in its place. */
static uint32_t check_fields(struct edi_validator *v, const struct edi_segment_def *def, const struct edi_segment *s, uint64_t *present)
{
	const bool plain = !s->odd && !edi_has_foreign(v, s), parts = s->parts;
	const char release = s->flags & EDI_SEGMENT_RELEASE ? s->delimiters->release : 0;
	const uint32_t n = s->count <= def->count ? s->count - 1 : def->count;
	uint64_t have = 0;
	for (uint32_t i = 1; i <= n; i++) {
		const struct edi_field *f = &def->fields[i - 1];
		struct slice value = slice_make(s->base + s->at[i], s->at[i + 1] - 1 - s->at[i]);
		if (value.n) {
			have |= i < 64 ? (uint64_t)1 << i : 0;
			bool good = plain && !(release && memchr(value.p, release, value.n)) &&
			            (parts ? plainly_good_field(v, f, value) : f->element && plainly_good(v, f->element, value));
			if (!good)
				check_field(v, f, i, value);
		} else if (f->mandatory) {
			problem(v, EDI_FAULT_MISSING_ELEMENT, &(struct site){.element = i, .def = f->element}, SLICE_NONE);
		}
	}
	for (uint32_t i = n + 1; i <= def->last_mandatory; i++)
		if (def->fields[i - 1].mandatory)
			problem(v, EDI_FAULT_MISSING_ELEMENT, &(struct site){.element = i, .def = def->fields[i - 1].element}, SLICE_NONE);
	*present = have;
	return def->count;
}

void edi_check_elements(struct edi_validator *v, const struct edi_segment_def *def, const struct edi_segment *s)
{
	uint64_t present = 0;
	bool spread = def->repeats && s->standard == EDI_EDIFACT && !v->delimiters->repetition;
	uint32_t at = spread ? check_spread(v, def, s, &present) : check_fields(v, def, s, &present);
	if (s->count > at + 1)
		too_many(v, at, s);
	if (v->syntax4)
		edi_check_trailing(v, s);
	if (def->periods && s->standard == EDI_X12)
		edi_check_periods(v, def, s);
	check_notes(&(struct noting){.v = v, .fields = def->fields, .count = def->count, .present = present}, def->notes, def->note_count);
}
