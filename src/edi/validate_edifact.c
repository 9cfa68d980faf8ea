/* What EDIFACT says of values: numbers and their decimal mark, letters, the interchange's character repertoire, and
 * separators that need not be there. */
#include "edi/validate_private.h"

#include "base/utf8.h"
#include "edi/code_extension.h"

void edi_validator_syntax(struct edi_validator *v, enum edi_charset charset, bool syntax4, char decimal_mark)
{
	v->charset = charset;
	v->syntax4 = syntax4;
	v->decimal_mark = syntax4 ? 0 : decimal_mark; /* UNA's is meaningless from syntax 4 on */
	v->classes_made = false;
}

/* Once for an interchange. */
static void make_classes(struct edi_validator *v)
{
	const struct edi_delimiters *d = v->delimiters;
	const char delimiters[] = {d->element, d->component, d->repetition, d->release, d->terminator};
	if (v->classes_made)
		return;
	const unsigned char *of = edi_charset_classes(v->charset);
	for (unsigned i = 0; i < 256; i++)
		v->classes[i] = (unsigned char)((i >= 0x80 ? EDI_CLASS_HIGH : 0) | (of[i] & EDI_CHARACTER_BAD ? EDI_CLASS_FOREIGN : 0));
	for (size_t i = 0; i < sizeof delimiters; i++)
		v->classes[(unsigned char)delimiters[i]] = 0;
	v->classes_made = true;
}

static unsigned char seen_in(struct edi_validator *v, struct slice s)
{
	unsigned char seen = 0;
	make_classes(v);
	for (size_t i = 0; i < s.n; i++)
		seen |= v->classes[(unsigned char)s.p[i]];
	return seen;
}

bool edi_has_foreign(struct edi_validator *v, const struct edi_segment *s)
{
	if (v->charset != EDI_CHARSET_UNOA && v->charset != EDI_CHARSET_UNOB)
		return false;
	return seen_in(v, slice_make(s->bytes, s->length)) & EDI_CLASS_FOREIGN;
}

bool edi_in_repertoire(struct edi_validator *v, struct slice s)
{
	unsigned char seen = seen_in(v, s);
	return !(seen & EDI_CLASS_FOREIGN) && (!(seen & EDI_CLASS_HIGH) || !edi_charset_is_utf8(v->charset) || van_utf8_valid(s));
}

/* [-]digits[mark digits], and in syntax 4 E[-]digits behind it. Minus, mark and exponent do not count as characters. */
int edi_check_number(const struct edi_validator *v, struct slice s, bool mark_allowed, size_t *ret_length)
{
	size_t digits = 0, marks = 0, i = s.n && s.p[0] == '-';
	bool other = false, no_digit = false, last_is_mark = false;
	for (; i < s.n; i++) {
		char c = s.p[i];
		last_is_mark = c == '.' || c == ',';
		if (c >= '0' && c <= '9') {
			digits++;
		} else if (last_is_mark && mark_allowed) {
			no_digit |= !digits;
			other |= v->decimal_mark && c != v->decimal_mark;
			marks++;
		} else {
			break;
		}
	}
	*ret_length = digits;
	if (v->syntax4 && i + 1 < s.n && digits && s.p[i] == 'E') {
		i += s.p[i + 1] == '-' ? 2 : 1;
		size_t from = i;
		while (i < s.n && s.p[i] >= '0' && s.p[i] <= '9')
			i++;
		if (i == from)
			return EDI_FAULT_TYPE;
	}
	if (i < s.n || !digits)
		return EDI_FAULT_TYPE;
	if (no_digit)
		return EDI_FAULT_NO_DIGIT;
	return marks > 1 || other || last_is_mark ? EDI_FAULT_NOTATION : -1;
}

bool edi_has_only_line_ends(struct slice s)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		if ((c < 0x20 && c != '\n' && c != '\r' && c != '\t') || c == 0x7f)
			return false;
	}
	return true;
}

bool edi_has_digit(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] >= '0' && s.p[i] <= '9')
			return true;
	return false;
}

bool edi_of_other_list(const struct edi_validator *v, const struct edi_composite_def *c, uint32_t i, struct slice rest)
{
	const struct edi_delimiters *d = v->delimiters;
	if (i + 2 >= c->count || !slice_is(c->fields[i + 1].id, "1131") || !slice_is(c->fields[i + 2].id, "3055"))
		return false;
	struct slice list = rest.p ? edi_cut(&rest, d->component, d->release) : rest;
	struct slice agency = rest.p ? edi_cut(&rest, d->component, d->release) : rest;
	return list.n || (agency.n && !slice_is(agency, "6"));
}

/* In syntax 4 the last byte before the terminator is no separator. */
void edi_check_trailing(struct edi_validator *v, const struct edi_segment *s)
{
	const struct edi_delimiters *d = s->delimiters;
	char last = s->bytes[s->length - 1], before = s->length > 1 ? s->bytes[s->length - 2] : 0;
	bool separator = last == d->element || last == d->component || (d->repetition && last == d->repetition);
	if (separator && !(d->release && before == d->release))
		edi_problem_add(v, &(struct edi_problem){.fault = EDI_FAULT_TRAILING, .element = s->count - 1});
}

int edi_validator_characters(struct edi_validator *v, const struct edi_segment *s, uint64_t position)
{
	v->segment = s;
	v->delimiters = s->delimiters;
	v->position = position;
	v->loop = SLICE("");
	v->error = 0;
	for (uint32_t i = 1; i < s->count; i++) {
		struct slice value = edi_segment_element(s, i);
		const char *why = NULL;
		size_t characters, at = 0;
		bool good = s->delimiters->shifts && edi_shift_any(value) ? edi_shift_check(value, &characters, &why, &at) : true;
		if (good && edi_in_repertoire(v, value))
			continue;
		edi_problem_add(v, &(struct edi_problem){.fault = EDI_FAULT_REPERTOIRE, .element = i, .value = value, .why = why, .at = at});
		break; /* one for a segment: the rest is of the same kind */
	}
	if (v->syntax4 && !v->error)
		edi_check_trailing(v, s);
	return v->error;
}
