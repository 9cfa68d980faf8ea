#include "edi/write_envelope.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>

#define LARGEST_INTERCHANGE ((size_t)1 << 30)

struct edi_outbound_slot {
	struct edi_outbound_slot *next;
	size_t at; /* in the text */
	enum edi_level level;
	uint32_t index, width;
};

/* --- delimiters -------------------------------------------------------------------------------------------------------- */

static bool has_repetition(enum edi_standard standard, struct slice version)
{
	if (standard == EDI_X12)
		return version.n == 5 && slice_cmp(version, SLICE("00402")) >= 0;
	return version.n && version.p[version.n - 1] >= '4';
}

int edi_outbound_delimiters(enum edi_standard standard, struct slice version, struct edi_delimiters *d, struct van_error *e)
{
	const struct edi_delimiters usual = standard == EDI_X12 ? (struct edi_delimiters){'*', '>', '^', 0, '~'}
	                                                         : (struct edi_delimiters){'+', ':', '*', '?', '\''};
	d->element = d->element ? d->element : usual.element;
	d->component = d->component ? d->component : usual.component;
	d->terminator = d->terminator ? d->terminator : usual.terminator;
	d->release = d->release ? d->release : usual.release;
	d->repetition = !has_repetition(standard, version) ? 0 : d->repetition ? d->repetition : usual.repetition;
	const char all[] = {d->element, d->component, d->repetition, d->release, d->terminator};
	for (size_t i = 0; i < sizeof all; i++) {
		if (all[i] && (isalnum((unsigned char)all[i]) || all[i] == ' ' || (unsigned char)all[i] >= 0x80))
			return van_error_set(e, VAN_EINVAL, "'%c' cannot be a delimiter: letters, digits, blanks and bytes above ASCII are data", all[i]);
		for (size_t k = 0; k < i; k++)
			if (all[i] && all[i] == all[k])
				return van_error_set(e, VAN_EINVAL, "two delimiters are '%c'; each needs a character of its own", all[i]);
	}
	return 0;
}

/* --- pieces ------------------------------------------------------------------------------------------------------------ */

static struct slice qualifier(struct slice party)
{
	return slice_cut(&party, ':');
}

static struct slice identity(struct slice party, struct slice *sub)
{
	slice_cut(&party, ':');
	struct slice rest = party.p ? party : SLICE("");
	if (!sub)
		return rest;
	struct slice id = slice_cut(&rest, ':');
	*sub = rest.p ? rest : SLICE("");
	return id;
}

struct slice edi_party_id(struct slice party)
{
	return identity(party, NULL);
}

static void slot(struct edi_outbound *w, enum edi_level level, uint32_t index, uint32_t width)
{
	edi_write_hole(&w->writer);
	struct edi_outbound_slot *s = van_arena_alloc(w->arena, sizeof *s);
	w->failed |= !s;
	if (!s)
		return;
	*s = (struct edi_outbound_slot){NULL, w->text.n, level, index, width};
	*w->tail = s;
	w->tail = &s->next;
	w->slot_count++;
}

static void element_slot(struct edi_outbound *w, enum edi_level level, uint32_t index, uint32_t width)
{
	edi_write_next(&w->writer);
	slot(w, level, index, width);
}

static void date_and_time(struct edi_outbound *w, bool century, bool together)
{
	char date[16], time[8];
	const struct van_civil *c = &w->terms.when;
	snprintf(date, sizeof date, "%02u%02u%02u%02u", (unsigned)c->year / 100 % 100, (unsigned)c->year % 100, (unsigned)c->month % 100, (unsigned)c->day % 100);
	snprintf(time, sizeof time, "%02u%02u", (unsigned)c->hour % 100, (unsigned)c->minute % 100);
	edi_write_element(&w->writer, slice_str(century ? date : date + 2));
	if (together)
		edi_write_value(&w->writer, slice_str(time));
	else
		edi_write_element(&w->writer, slice_str(time));
}

static void message_number(struct edi_outbound *w, bool x12)
{
	char digits[24];
	snprintf(digits, sizeof digits, x12 ? "%04" PRIu64 : "%" PRIu64, w->group_messages);
	edi_write_element(&w->writer, slice_str(digits));
}

/* --- interchanges ------------------------------------------------------------------------------------------------------ */

static void write_isa(struct edi_outbound *w)
{
	struct edi_writer *x = &w->writer;
	const struct edi_outbound_terms *t = &w->terms;
	edi_write_segment(x, SLICE("ISA"));
	for (int i = 0; i < 2; i++) {
		edi_write_element(x, SLICE("00"));
		edi_write_padded(x, SLICE(""), 10);
	}
	edi_write_padded(x, qualifier(t->sender), 2);
	edi_write_padded(x, identity(t->sender, NULL), 15);
	edi_write_padded(x, qualifier(t->receiver), 2);
	edi_write_padded(x, identity(t->receiver, NULL), 15);
	date_and_time(w, false, false);
	edi_write_next(x);
	edi_write_bytes(x, x->delimiters.repetition ? slice_make(&x->delimiters.repetition, 1) : SLICE("U"));
	edi_write_element(x, t->version);
	element_slot(w, EDI_LEVEL_INTERCHANGE, 0, 9);
	edi_write_element(x, t->ack_requested ? SLICE("1") : SLICE("0"));
	edi_write_element(x, slice_make(&t->usage, 1));
	edi_write_next(x);
	edi_write_bytes(x, slice_make(&x->delimiters.component, 1));
	edi_write_end(x);
}

static void write_una(struct edi_outbound *w)
{
	const struct edi_delimiters *d = &w->writer.delimiters;
	bool usual = d->component == ':' && d->element == '+' && d->release == '?' && d->terminator == '\'' && (!d->repetition || d->repetition == '*');
	if (usual && !w->terms.una)
		return;
	const char una[9] = {'U', 'N', 'A', d->component, d->element, '.', d->release, d->repetition ? d->repetition : ' ', d->terminator};
	van_buf_append(&w->text, una, sizeof una);
	if (w->terms.lines)
		van_buf_append_char(&w->text, '\n');
}

static void write_party(struct edi_outbound *w, struct slice party)
{
	struct slice sub;
	edi_write_element(&w->writer, identity(party, &sub));
	edi_write_value(&w->writer, qualifier(party));
	edi_write_value(&w->writer, sub);
}

static void write_unb(struct edi_outbound *w)
{
	struct edi_writer *x = &w->writer;
	struct slice level = w->terms.version, syntax = slice_cut(&level, ':');
	write_una(w);
	edi_write_segment(x, SLICE("UNB"));
	edi_write_element(x, syntax);
	edi_write_value(x, level.p ? level : SLICE("3"));
	write_party(w, w->terms.sender);
	write_party(w, w->terms.receiver);
	date_and_time(w, has_repetition(EDI_EDIFACT, w->terms.version), true);
	element_slot(w, EDI_LEVEL_INTERCHANGE, 0, 0);
	edi_write_element(x, SLICE(""));
	edi_write_element(x, w->terms.application.p ? w->terms.application : SLICE(""));
	edi_write_element(x, SLICE(""));
	edi_write_element(x, w->terms.ack_requested ? SLICE("1") : SLICE(""));
	edi_write_element(x, SLICE(""));
	edi_write_element(x, w->terms.usage == 'T' ? SLICE("1") : SLICE(""));
	edi_write_end(x);
}

int edi_outbound_begin(struct edi_outbound *w, const struct edi_outbound_terms *terms, struct van_arena *arena,
	struct van_error *e)
{
	struct edi_delimiters d = terms->delimiters;
	int rc = edi_outbound_delimiters(terms->standard, terms->version, &d, e);
	if (rc < 0)
		return rc;
	*w = (struct edi_outbound){.terms = *terms, .arena = arena, .text = VAN_BUF_INIT(LARGEST_INTERCHANGE), .type = SLICE("")};
	w->tail = &w->slots;
	edi_writer_begin(&w->writer, &w->text, terms->standard, &d);
	w->writer.lines = terms->lines;
	if (terms->standard == EDI_X12)
		write_isa(w);
	else
		write_unb(w);
	return 0;
}

/* --- groups ------------------------------------------------------------------------------------------------------------ */

static struct slice or_interchange(struct slice own, struct slice party)
{
	return own.n ? own : identity(party, NULL);
}

static void end_group(struct edi_outbound *w)
{
	if (!w->in_group)
		return;
	edi_write_segment(&w->writer, w->terms.standard == EDI_X12 ? SLICE("GE") : SLICE("UNE"));
	edi_write_number(&w->writer, w->group_messages);
	element_slot(w, EDI_LEVEL_GROUP, w->groups - 1, 0);
	edi_write_end(&w->writer);
	w->in_group = false;
}

void edi_outbound_group(struct edi_outbound *w, const struct edi_group_terms *terms)
{
	struct edi_writer *x = &w->writer;
	bool x12 = w->terms.standard == EDI_X12;
	edi_outbound_message_end(w);
	end_group(w);
	struct slice release = terms->version, version = x12 ? terms->version : slice_cut(&release, ':');
	edi_write_segment(x, x12 ? SLICE("GS") : SLICE("UNG"));
	edi_write_element(x, terms->code);
	edi_write_element(x, or_interchange(terms->sender, w->terms.sender));
	edi_write_element(x, or_interchange(terms->receiver, w->terms.receiver));
	date_and_time(w, x12 ? slice_cmp(terms->version, SLICE("004010")) >= 0 : has_repetition(EDI_EDIFACT, w->terms.version), !x12);
	element_slot(w, EDI_LEVEL_GROUP, w->groups, 0);
	edi_write_element(x, terms->agency.n ? terms->agency : x12 ? SLICE("X") : SLICE("UN"));
	edi_write_element(x, version);
	if (!x12 && release.p)
		edi_write_value(x, release);
	edi_write_end(x);
	w->group_terms = *terms;
	w->groups++;
	w->in_group = true;
	w->group_messages = 0;
}

/* --- messages ---------------------------------------------------------------------------------------------------------- */

void edi_outbound_message(struct edi_outbound *w, struct slice type, struct slice version, struct slice agency,
	struct slice association)
{
	struct edi_writer *x = &w->writer;
	bool x12 = w->terms.standard == EDI_X12;
	edi_outbound_message_end(w);
	w->message_start = x->segments;
	w->in_message = true;
	w->group_messages++;
	w->all_messages++;
	w->type = type;
	edi_write_segment(x, x12 ? SLICE("ST") : SLICE("UNH"));
	if (x12) {
		edi_write_element(x, type);
		message_number(w, true);
		edi_write_element(x, association.p ? association : SLICE(""));
	} else {
		struct slice release = version, number = slice_cut(&release, ':');
		message_number(w, false);
		edi_write_element(x, type);
		edi_write_value(x, number);
		edi_write_value(x, release.p ? release : SLICE(""));
		edi_write_value(x, agency.n ? agency : SLICE("UN"));
		edi_write_value(x, association.p ? association : SLICE(""));
	}
	edi_write_end(x);
}

void edi_outbound_message_end(struct edi_outbound *w)
{
	bool x12 = w->terms.standard == EDI_X12;
	if (!w->in_message)
		return;
	edi_write_segment(&w->writer, x12 ? SLICE("SE") : SLICE("UNT"));
	edi_write_number(&w->writer, w->writer.segments - w->message_start + 1);
	message_number(w, x12);
	edi_write_end(&w->writer);
	w->in_message = false;
}

/* --- the end ----------------------------------------------------------------------------------------------------------- */

static int make_parts(struct edi_outbound *w, struct edi_output *ret)
{
	struct slice all = w->terms.borrow ? van_buf_slice(&w->text) : van_arena_slice(w->arena, van_buf_slice(&w->text));
	struct edi_output_part *parts = van_arena_array(w->arena, 2 * w->slot_count + 1, sizeof *parts);
	size_t n = 0, at = 0;
	if (!all.p || !parts || w->failed)
		return VAN_ENOMEM;
	for (const struct edi_outbound_slot *s = w->slots; s; s = s->next) {
		if (s->at > at)
			parts[n++] = (struct edi_output_part){.bytes = slice_make(all.p + at, s->at - at)};
		parts[n++] = (struct edi_output_part){.bytes = SLICE_NONE, .level = s->level, .index = s->index, .width = s->width};
		at = s->at;
	}
	parts[n++] = (struct edi_output_part){.bytes = slice_make(all.p + at, all.n - at)};
	*ret = (struct edi_output){.parts = parts, .part_count = n, .interchanges = 1, .groups = w->groups, .messages = w->all_messages,
		.type = w->type, .version = w->group_terms.version.p ? w->group_terms.version : SLICE("")};
	return 0;
}

int edi_outbound_finish(struct edi_outbound *w, struct edi_output *ret, struct van_error *e)
{
	edi_outbound_message_end(w);
	uint64_t inside = w->groups ? w->groups : w->all_messages;
	end_group(w);
	edi_write_segment(&w->writer, w->terms.standard == EDI_X12 ? SLICE("IEA") : SLICE("UNZ"));
	edi_write_number(&w->writer, inside);
	element_slot(w, EDI_LEVEL_INTERCHANGE, 0, w->terms.standard == EDI_X12 ? 9 : 0);
	edi_write_end(&w->writer);
	int rc = edi_writer_error(&w->writer, e);
	if (rc == 0)
		rc = make_parts(w, ret);
	if (rc < 0 && !w->writer.error.code)
		van_error_set(e, (enum van_err)rc, "the interchange needs more memory than its bound");
	return rc;
}

void edi_outbound_free(struct edi_outbound *w)
{
	van_buf_free(&w->text);
}
