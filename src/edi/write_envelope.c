#include "edi/write_envelope.h"

#include "edi/charset.h"

#include <inttypes.h>
#include <stdio.h>

#define LARGEST_INTERCHANGE ((size_t)1 << 30)

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
		if (all[i] && (edi_is_data(all[i]) || (unsigned char)all[i] >= 0x80))
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

static void element_slot(struct edi_writer *w, struct edi_draft *to, enum edi_level level, uint32_t index, uint32_t width)
{
	edi_write_next(w);
	edi_write_hole(w);
	edi_draft_slot(to, level, index, width);
}

static void date_and_time(struct edi_writer *w, const struct van_civil *c, bool century, bool together)
{
	char date[16], time[8];
	snprintf(date, sizeof date, "%02u%02u%02u%02u", (unsigned)c->year / 100 % 100, (unsigned)c->year % 100, (unsigned)c->month % 100, (unsigned)c->day % 100);
	snprintf(time, sizeof time, "%02u%02u", (unsigned)c->hour % 100, (unsigned)c->minute % 100);
	edi_write_element(w, slice_str(century ? date : date + 2));
	if (together)
		edi_write_value(w, slice_str(time));
	else
		edi_write_element(w, slice_str(time));
}

/* X12: four digits at least. */
static void message_number(struct edi_outbound *w, bool x12)
{
	edi_write_next(&w->writer);
	if (x12 && w->group_messages < 1000) {
		const uint64_t n = w->group_messages;
		const char digits[4] = {'0', (char)('0' + n / 100), (char)('0' + n / 10 % 10), (char)('0' + n % 10)};
		edi_write_value(&w->writer, slice_make(digits, sizeof digits));
	} else {
		edi_write_value_number(&w->writer, w->group_messages);
	}
}

/* --- interchanges ------------------------------------------------------------------------------------------------------ */

static void write_isa(struct edi_writer *w, struct edi_draft *to, const struct edi_outbound_terms *t)
{
	edi_write_segment(w, SLICE("ISA"));
	for (int i = 0; i < 2; i++) {
		edi_write_element(w, SLICE("00"));
		edi_write_padded(w, SLICE(""), 10);
	}
	edi_write_padded(w, qualifier(t->sender), 2);
	edi_write_padded(w, identity(t->sender, NULL), 15);
	edi_write_padded(w, qualifier(t->receiver), 2);
	edi_write_padded(w, identity(t->receiver, NULL), 15);
	date_and_time(w, &t->when, false, false);
	edi_write_next(w);
	edi_write_bytes(w, w->delimiters.repetition ? slice_make(&w->delimiters.repetition, 1) : SLICE("U"));
	edi_write_element(w, t->version);
	element_slot(w, to, EDI_LEVEL_INTERCHANGE, 0, 9);
	edi_write_element(w, t->ack_requested ? SLICE("1") : SLICE("0"));
	edi_write_element(w, slice_make(&t->usage, 1));
	edi_write_next(w);
	edi_write_bytes(w, slice_make(&w->delimiters.component, 1));
	edi_write_end(w);
}

static void write_una(struct edi_writer *w, const struct edi_outbound_terms *t)
{
	const struct edi_delimiters *d = &w->delimiters;
	bool repeats = has_repetition(EDI_EDIFACT, t->version);
	bool usual = d->component == ':' && d->element == '+' && d->release == '?' && d->terminator == '\'' && (!repeats || d->repetition == '*');
	if (usual && !t->una)
		return;
	const char una[9] = {'U', 'N', 'A', d->component, d->element, '.', d->release ? d->release : ' ', d->repetition ? d->repetition : ' ',
		d->terminator};
	van_buf_append(w->to, una, sizeof una);
	if (w->lines)
		van_buf_append_char(w->to, '\n');
}

static void write_party(struct edi_writer *w, struct slice party)
{
	struct slice sub, id = identity(party, &sub);
	edi_write_element(w, id);
	edi_write_value(w, qualifier(party));
	edi_write_value(w, sub);
}

static void write_unb(struct edi_writer *w, struct edi_draft *to, const struct edi_outbound_terms *t)
{
	struct slice level = t->version, syntax = slice_cut(&level, ':');
	write_una(w, t);
	edi_write_segment(w, SLICE("UNB"));
	edi_write_element(w, syntax);
	edi_write_value(w, level.p ? level : SLICE("3"));
	write_party(w, t->sender);
	write_party(w, t->receiver);
	date_and_time(w, &t->when, has_repetition(EDI_EDIFACT, t->version), true);
	element_slot(w, to, EDI_LEVEL_INTERCHANGE, 0, 0);
	edi_write_element(w, SLICE(""));
	edi_write_element(w, t->application.p ? t->application : SLICE(""));
	edi_write_element(w, SLICE(""));
	edi_write_element(w, t->ack_requested ? SLICE("1") : SLICE(""));
	edi_write_element(w, SLICE(""));
	edi_write_element(w, t->usage == 'T' ? SLICE("1") : SLICE(""));
	edi_write_end(w);
}

void edi_write_interchange_head(struct edi_writer *w, struct edi_draft *to, const struct edi_outbound_terms *t)
{
	if (w->standard == EDI_X12)
		write_isa(w, to, t);
	else
		write_unb(w, to, t);
}

void edi_write_interchange_tail(struct edi_writer *w, struct edi_draft *to, uint64_t inside)
{
	bool x12 = w->standard == EDI_X12;
	edi_write_segment(w, x12 ? SLICE("IEA") : SLICE("UNZ"));
	edi_write_number(w, inside);
	element_slot(w, to, EDI_LEVEL_INTERCHANGE, 0, x12 ? 9 : 0);
	edi_write_end(w);
}

int edi_outbound_begin(struct edi_outbound *w, const struct edi_outbound_terms *terms, struct van_arena *arena,
	struct van_error *e)
{
	struct edi_delimiters d = terms->delimiters;
	int rc = edi_outbound_delimiters(terms->standard, terms->version, &d, e);
	if (rc < 0)
		return rc;
	d.shifts = edi_charset_of(terms->version) == EDI_CHARSET_UNOX && edi_delimiters_allow_shifts(&d);
	*w = (struct edi_outbound){.terms = *terms, .arena = arena, .draft = EDI_DRAFT_INIT(LARGEST_INTERCHANGE), .type = SLICE("")};
	w->draft.known[EDI_LEVEL_INTERCHANGE] = terms->control;
	w->draft.known[EDI_LEVEL_GROUP] = terms->group_control;
	edi_writer_begin(&w->writer, &w->draft.text, terms->standard, &d);
	w->writer.lines = terms->lines;
	edi_write_interchange_head(&w->writer, &w->draft, &w->terms);
	return 0;
}

/* --- groups ------------------------------------------------------------------------------------------------------------ */

static struct slice or_interchange(struct slice own, struct slice party)
{
	return own.n ? own : identity(party, NULL);
}

void edi_write_group_head(struct edi_writer *w, struct edi_draft *to, const struct edi_outbound_terms *t, const struct edi_group_terms *g,
	uint32_t index)
{
	bool x12 = w->standard == EDI_X12;
	struct slice release = g->version, version = x12 ? g->version : slice_cut(&release, ':');
	edi_write_segment(w, x12 ? SLICE("GS") : SLICE("UNG"));
	edi_write_element(w, g->code);
	edi_write_element(w, or_interchange(g->sender, t->sender));
	edi_write_element(w, or_interchange(g->receiver, t->receiver));
	date_and_time(w, &t->when, x12 ? slice_cmp(g->version, SLICE("004010")) >= 0 : has_repetition(EDI_EDIFACT, t->version), !x12);
	element_slot(w, to, EDI_LEVEL_GROUP, index, 0);
	edi_write_element(w, g->agency.n ? g->agency : x12 ? SLICE("X") : SLICE("UN"));
	edi_write_element(w, version);
	if (!x12 && release.p)
		edi_write_value(w, release);
	edi_write_end(w);
}

void edi_write_group_tail(struct edi_writer *w, struct edi_draft *to, uint64_t messages, uint32_t index)
{
	edi_write_segment(w, w->standard == EDI_X12 ? SLICE("GE") : SLICE("UNE"));
	edi_write_number(w, messages);
	element_slot(w, to, EDI_LEVEL_GROUP, index, 0);
	edi_write_end(w);
}

static void end_group(struct edi_outbound *w)
{
	if (w->in_group)
		edi_write_group_tail(&w->writer, &w->draft, w->group_messages, w->groups - 1);
	w->in_group = false;
}

void edi_outbound_group(struct edi_outbound *w, const struct edi_group_terms *terms)
{
	edi_outbound_message_end(w);
	end_group(w);
	edi_write_group_head(&w->writer, &w->draft, &w->terms, terms, w->groups);
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

static int make_output(struct edi_outbound *w, struct edi_output *ret)
{
	const struct edi_draft *draft = &w->draft;
	struct edi_output made = {.interchanges = 1, .groups = w->groups, .messages = w->all_messages, .type = w->type,
		.version = w->group_terms.version.p ? w->group_terms.version : SLICE("")};
	bool whole = w->terms.control && w->terms.group_control;
	int rc = whole ? van_buf_error(&draft->text) : edi_drafts_output(&draft, 1, true, w->arena, &made);
	if (rc == 0)
		*ret = made;
	return rc;
}

int edi_outbound_finish(struct edi_outbound *w, struct edi_output *ret, struct van_error *e)
{
	edi_outbound_message_end(w);
	uint64_t inside = w->groups ? w->groups : w->all_messages;
	end_group(w);
	edi_write_interchange_tail(&w->writer, &w->draft, inside);
	int rc = edi_writer_error(&w->writer, e);
	if (rc == 0)
		rc = make_output(w, ret);
	if (rc < 0 && !w->writer.error.code)
		van_error_set(e, (enum van_err)rc, "the interchange needs more memory than its bound");
	return rc;
}

void edi_outbound_free(struct edi_outbound *w)
{
	edi_draft_free(&w->draft);
}
