/* TA1, 997 and 999. One interchange back: ISA swapped from ISA, and for each group one group of FA, swapped from GS, with
 * one 997 or 999. */
#include "edi/ack_private.h"

#define LARGEST_AK4 99

static bool is_999(const struct ack_writer *w)
{
	return w->options.kind == EDI_ACK_999;
}

static void segment(struct ack_writer *w, const char *id)
{
	ack_text(w, id);
}

static void element(struct ack_writer *w, struct slice value)
{
	ack_separator(w);
	ack_slice(w, value);
}

static void element_number(struct ack_writer *w, uint64_t value)
{
	ack_separator(w);
	ack_number(w, value);
}

static void date_time(struct ack_writer *w, bool century)
{
	ack_separator(w);
	if (century)
		ack_digits(w, (uint64_t)w->when.year, 4);
	else
		ack_digits(w, (uint64_t)w->when.year % 100, 2);
	ack_digits(w, (uint64_t)w->when.month, 2);
	ack_digits(w, (uint64_t)w->when.day, 2);
	ack_separator(w);
	ack_digits(w, (uint64_t)w->when.hour, 2);
	ack_digits(w, (uint64_t)w->when.minute, 2);
}

static void party(struct ack_writer *w, struct slice p)
{
	ack_separator(w);
	ack_padded(w, ack_qualifier(p), 2);
	ack_separator(w);
	ack_padded(w, ack_id(p, NULL), 15);
}

static void write_isa(struct ack_writer *w)
{
	const struct edi_interchange *in = w->in;
	bool repetition = w->in->version.n == 5 && slice_cmp(in->version, SLICE("00402")) >= 0;
	segment(w, "ISA");
	for (int i = 0; i < 2; i++) {
		element(w, SLICE("00"));
		element(w, SLICE("          "));
	}
	party(w, in->receiver);
	party(w, in->sender);
	date_time(w, false);
	ack_separator(w);
	van_buf_append_char(&w->text, repetition ? w->repetition : 'U');
	element(w, in->version.n == 5 ? in->version : SLICE("00401"));
	ack_separator(w);
	ack_slot(w, EDI_LEVEL_INTERCHANGE, 0, 9);
	element(w, SLICE("0"));
	ack_separator(w);
	van_buf_append_char(&w->text, in->usage == 'T' || in->usage == 'I' ? in->usage : 'P');
	ack_separator(w);
	van_buf_append_char(&w->text, w->component);
	ack_end(w);
	w->out.interchanges = 1;
}

static void write_iea(struct ack_writer *w, uint64_t groups)
{
	segment(w, "IEA");
	element_number(w, groups);
	ack_separator(w);
	ack_slot(w, EDI_LEVEL_INTERCHANGE, 0, 9);
	ack_end(w);
}

static void write_ta1(struct ack_writer *w)
{
	const struct edi_interchange *in = w->in;
	const struct edi_error *worst = in->errors;
	for (const struct edi_error *e = in->errors; e; e = e->next)
		if (worst->tolerated && !e->tolerated)
			worst = e;
	unsigned long long control;
	segment(w, "TA1");
	ack_separator(w);
	if (slice_u64(in->control_number, &control) && in->control_number.n <= 9)
		ack_digits(w, control, 9);
	else
		ack_padded(w, in->control_number, 9);
	element(w, in->date);
	element(w, in->time);
	element(w, !worst ? SLICE("A") : worst->tolerated ? SLICE("E") : SLICE("R"));
	element(w, worst ? slice_str(worst->code) : SLICE("000"));
	ack_end(w);
}

/* --- the 997 or 999 of one group --------------------------------------------------------------------------------------- */

/* AK3: segment, position, loop (only where LS names one), code. */
static void write_ak3(struct ack_writer *w, const struct edi_error *e, const char *code)
{
	segment(w, is_999(w) ? "IK3" : "AK3");
	element(w, e->segment);
	element_number(w, e->position);
	ack_separator(w);
	element(w, slice_str(code));
	ack_end(w);
}

static bool writable(const struct ack_writer *w, struct slice value)
{
	for (size_t i = 0; i < value.n; i++)
		if ((unsigned char)value.p[i] < 0x20 || value.p[i] == w->component || value.p[i] == w->element ||
		    value.p[i] == w->terminator || value.p[i] == w->repetition)
			return false;
	return value.n > 0;
}

static void write_ak4(struct ack_writer *w, const struct edi_error *e)
{
	segment(w, is_999(w) ? "IK4" : "AK4");
	element_number(w, e->element);
	bool repetition = e->repetition && w->repetition;
	if (e->component || repetition) {
		van_buf_append_char(&w->text, w->component);
		if (e->component)
			ack_number(w, e->component);
	}
	if (repetition) {
		van_buf_append_char(&w->text, w->component);
		ack_number(w, e->repetition);
	}
	ack_separator(w);
	if (e->reference && e->reference < 10000)
		ack_number(w, e->reference);
	element(w, slice_str(e->code));
	struct slice value = e->value;
	if (value.n > 99)
		value.n = 99;
	if (writable(w, value))
		element(w, value);
	ack_end(w);
}

/* Returns whether a segment is in error (AK502 5). */
static bool write_segment_errors(struct ack_writer *w, const struct edi_message *m)
{
	bool any = false;
	const struct edi_error *open = NULL; /* the error whose AK3 with code 8 was written last */
	unsigned written = 0;
	for (const struct edi_error *e = m->errors; e; e = e->next) {
		if (strcmp(e->list, "AK304") == 0) {
			write_ak3(w, e, e->code);
			open = NULL;
			any = true;
		} else if (strcmp(e->list, "AK403") == 0) {
			if (!open || open->position != e->position || !slice_eq(open->segment, e->segment)) {
				write_ak3(w, e, "8");
				open = e;
				written = 0;
			}
			if (written++ < LARGEST_AK4)
				write_ak4(w, e);
			any = true;
		}
	}
	return any;
}

static const char *letter(enum edi_status s)
{
	return s == EDI_ACCEPTED ? "A" : s == EDI_ACCEPTED_WITH_ERRORS ? "E" : s == EDI_PARTIALLY_ACCEPTED ? "P" : "R";
}

static void write_message(struct ack_writer *w, const struct edi_message *m)
{
	segment(w, "AK2");
	element(w, m->type);
	element(w, m->control_number);
	if (is_999(w) && m->association.n)
		element(w, m->association);
	ack_end(w);
	bool any = write_segment_errors(w, m);
	segment(w, is_999(w) ? "IK5" : "AK5");
	element(w, slice_str(letter(m->status)));
	ack_codes(w, m->errors, "AK502", any ? "5" : NULL, 5);
	ack_end(w);
}

/* AK2 can name it; else AK9's counts must do. */
static bool nameable(const struct edi_message *m)
{
	return m->type.n == 3 && m->control_number.n >= 4 && m->control_number.n <= 9;
}

static void write_group(struct ack_writer *w, const struct edi_group *g, uint32_t index)
{
	struct slice version = g->version.n >= 6 ? slice_make(g->version.p, 6) : SLICE("004010");
	struct slice guide = is_999(w) ? SLICE("005010X231A1") : version;
	segment(w, "GS");
	element(w, SLICE("FA"));
	element(w, g->receiver);
	element(w, g->sender);
	date_time(w, slice_cmp(version, SLICE("004010")) >= 0);
	ack_separator(w);
	ack_slot(w, EDI_LEVEL_GROUP, index, 0);
	element(w, g->agency.n ? g->agency : SLICE("X"));
	element(w, guide);
	ack_end(w);
	w->out.version = guide;
	w->segments = 0;
	segment(w, "ST");
	element(w, is_999(w) ? SLICE("999") : SLICE("997"));
	element(w, SLICE("0001"));
	if (is_999(w))
		element(w, guide);
	ack_end(w);
	segment(w, "AK1");
	element(w, g->code);
	element(w, g->control_number);
	if (is_999(w))
		element(w, g->version);
	ack_end(w);
	for (const struct edi_message *m = g->messages; m; m = m->next)
		if ((m->errors || w->options.accepted_messages) && nameable(m))
			write_message(w, m);
	segment(w, "AK9");
	element(w, slice_str(letter(g->status)));
	element_number(w, g->declared_count ? g->declared_count : g->message_count);
	element_number(w, g->message_count);
	element_number(w, g->accepted_count);
	ack_codes(w, g->errors, "AK905", NULL, 5);
	ack_end(w);
	segment(w, "SE");
	element_number(w, w->segments + 1);
	element(w, SLICE("0001"));
	ack_end(w);
	segment(w, "GE");
	element_number(w, 1);
	ack_separator(w);
	ack_slot(w, EDI_LEVEL_GROUP, index, 0);
	ack_end(w);
	w->out.messages++;
}

void ack_write_x12(struct ack_writer *w)
{
	const struct edi_interchange *in = w->in;
	bool refused = ack_refused(in->errors), only_ta1 = in->ta1 && !in->groups;
	w->component = in->delimiters.component;
	if (!w->component)
		w->component = w->terminator == '>' || w->element == '>' ? ':' : '>';
	w->repetition = in->delimiters.repetition;
	if (!w->repetition && in->version.n == 5 && slice_cmp(in->version, SLICE("00402")) >= 0)
		w->repetition = w->component == '^' ? '!' : '^';
	uint32_t groups = 0;
	for (const struct edi_group *g = in->groups; g && !refused; g = g->next)
		groups += g->real && ack_wanted(g);
	bool ta1 = !only_ta1 && !w->options.no_ta1 && (in->ack_requested || w->options.ta1 || refused);
	if (!groups && !ta1)
		return;
	write_isa(w);
	if (ta1) {
		write_ta1(w);
		w->out.type = SLICE("TA1");
	}
	if (groups)
		w->out.type = is_999(w) ? SLICE("999") : SLICE("997");
	for (const struct edi_group *g = in->groups; g && groups; g = g->next)
		if (g->real && ack_wanted(g))
			write_group(w, g, w->out.groups++);
	write_iea(w, groups);
}
