/* TA1, 997 and 999. One interchange back: ISA swapped from ISA, and for each group one group of FA, swapped from GS, with
 * one 997 or 999. */
#include "edi/ack_private.h"

#include <stdio.h>

#define LARGEST_AK4 99
#define LARGEST_CODE 15 /* GS02, GS03 */
#define SMALLEST_SEGMENT_ID 2
#define LARGEST_SEGMENT_ID 3
#define GUIDE_999 "005010X231A1"

static bool is_999(const struct ack_writer *w)
{
	return w->options.kind == EDI_ACK_999;
}

static bool is_version(struct slice v)
{
	unsigned long long n;
	return v.n == 5 && slice_u64(v, &n) && n >= 200 && n <= 899;
}

static const struct edi_error *worst(const struct edi_error *errors)
{
	const struct edi_error *refusal = ack_refusal(errors);
	return refusal ? refusal : errors;
}

static void write_ta1(struct ack_writer *w)
{
	struct edi_writer *x = &w->writer;
	const struct edi_interchange *in = w->in;
	const struct edi_error *e = worst(in->errors);
	const char *refusal = w->options.refusal;
	char digits[16];
	unsigned long long control;
	edi_write_segment(x, SLICE("TA1"));
	if (slice_u64(in->control_number, &control) && in->control_number.n <= 9) {
		snprintf(digits, sizeof digits, "%09llu", control);
		edi_write_element(x, slice_str(digits));
	} else {
		edi_write_padded(x, ack_bounded(in->control_number, 9), 9);
	}
	edi_write_element(x, in->date);
	edi_write_element(x, in->time);
	edi_write_element(x, slice_str(refusal ? "R" : !e ? "A" : e->tolerated ? "E" : "R"));
	edi_write_element(x, slice_str(refusal ? refusal : e ? e->code : "000"));
	edi_write_end(x);
}

/* --- the 997 or 999 of one group --------------------------------------------------------------------------------------- */

/* What a guide asks for has codes of its own in a 999. */
static const char *segment_code(const struct ack_writer *w, const struct edi_error *e)
{
	return is_999(w) && e->guide ? e->guide : e->code;
}

/* The copy of bad data is left out where it could only be told changed, or is blanks alone. */
static bool writable(const struct ack_writer *w, struct slice value)
{
	bool visible = false;
	for (size_t i = 0; i < value.n; i++) {
		if (w->writer.special[(unsigned char)value.p[i]])
			return false;
		visible |= value.p[i] != ' ';
	}
	return visible;
}

/* AK3: segment, position, loop (only where LS names one), code. AK301 has two or three characters: of a longer identifier it says
 * the beginning, one that is shorter it cannot name, and AK5 alone says that there is an error. */
static void write_ak3(struct ack_writer *w, const struct edi_error *e, const char *code)
{
	struct edi_writer *x = &w->writer;
	struct slice id = slice_make(e->segment.p, e->segment.n < LARGEST_SEGMENT_ID ? e->segment.n : LARGEST_SEGMENT_ID);
	if (id.n < SMALLEST_SEGMENT_ID || !writable(w, id))
		return;
	edi_write_segment(x, is_999(w) ? SLICE("IK3") : SLICE("AK3"));
	edi_write_element(x, id);
	edi_write_number(x, e->position);
	edi_write_element(x, SLICE(""));
	edi_write_element(x, slice_str(code));
	edi_write_end(x);
}

static void write_ak4(struct ack_writer *w, const struct edi_error *e)
{
	struct edi_writer *x = &w->writer;
	bool repetition = e->repetition && x->delimiters.repetition;
	edi_write_segment(x, is_999(w) ? SLICE("IK4") : SLICE("AK4"));
	edi_write_number(x, e->element);
	if (e->component)
		edi_write_value_number(x, e->component);
	else if (repetition)
		edi_write_value(x, SLICE(""));
	if (repetition)
		edi_write_value_number(x, e->repetition);
	if (e->reference && e->reference < 10000)
		edi_write_number(x, e->reference);
	else
		edi_write_element(x, SLICE(""));
	edi_write_element(x, slice_str(segment_code(w, e)));
	struct slice value = ack_bounded(e->value, 99);
	if (writable(w, value))
		edi_write_element(x, value);
	edi_write_end(x);
}

/* Returns the code of AK502, IK502: 5 where a segment is in error, I5 where only the guide says so; NULL. */
static const char *write_segment_errors(struct ack_writer *w, const struct edi_message *m)
{
	const char *any = NULL;
	const struct edi_error *open = NULL; /* the error whose AK3 with code 8 was written last */
	unsigned written = 0;
	for (const struct edi_error *e = m->errors; e; e = e->next) {
		if (strcmp(e->list, "AK304") == 0 || strcmp(e->list, "AK403") == 0)
			any = is_999(w) && e->guide && (!any || strcmp(any, "I5") == 0) ? "I5" : "5";
		if (strcmp(e->list, "AK304") == 0) {
			write_ak3(w, e, segment_code(w, e));
			open = NULL;
		} else if (strcmp(e->list, "AK403") == 0) {
			if (!open || open->position != e->position || !slice_eq(open->segment, e->segment)) {
				write_ak3(w, e, "8");
				open = e;
				written = 0;
			}
			if (written++ < LARGEST_AK4)
				write_ak4(w, e);
		}
	}
	return any;
}

static const char *letter(enum edi_status s)
{
	return s == EDI_ACCEPTED ? "A" : s == EDI_ACCEPTED_WITH_ERRORS ? "E" : s == EDI_PARTIALLY_ACCEPTED ? "P" : "R";
}

/* 999 has codes that 997 has not, and AK905 19 to 22 meant something else before 005010. */
static const char *code_for(const struct ack_writer *w, const struct edi_error *e, const struct edi_group *g)
{
	if (!is_999(w) && strcmp(e->list, "IK502") == 0)
		return "6";
	if (is_999(w) && strcmp(e->list, "AK905") == 0 && slice_cmp(g->version, SLICE("005010")) < 0 && e->code[1] &&
	    strcmp(e->code, "19") >= 0 && strcmp(e->code, "22") <= 0)
		return "16";
	return e->code;
}

/* The codes of one level, each once, at most five. `first`: one that comes before them; NULL: none. */
static void codes(struct ack_writer *w, const struct edi_group *g, const struct edi_error *errors, bool messages, const char *first)
{
	const char *written[5];
	unsigned n = 0;
	if (first)
		written[n++] = first;
	for (const struct edi_error *e = errors; e && n < 5; e = e->next) {
		bool fits = messages ? strcmp(e->list, "AK502") == 0 || strcmp(e->list, "IK502") == 0 : strcmp(e->list, "AK905") == 0;
		const char *code = code_for(w, e, g);
		for (unsigned i = 0; i < n && fits; i++)
			fits = strcmp(written[i], code) != 0;
		if (fits)
			written[n++] = code;
	}
	for (unsigned i = 0; i < n; i++)
		edi_write_element(&w->writer, slice_str(written[i]));
}

/* AK2 can name it, with codes that exist; else AK9's counts must do. */
static bool nameable(const struct edi_message *m)
{
	unsigned long long type;
	return m->type.n == 3 && slice_u64(m->type, &type) && type >= 100 && m->control_number.n >= 4 && m->control_number.n <= 9;
}

void ack_x12_message(struct ack_writer *w, const struct edi_group *g, const struct edi_message *m)
{
	if (!g->real || !nameable(m) || (!m->errors && !w->options.accepted_messages))
		return;
	struct edi_writer *x = &w->writer;
	edi_write_segment(x, SLICE("AK2"));
	edi_write_element(x, m->type);
	edi_write_element(x, m->control_number);
	if (is_999(w))
		edi_write_element(x, m->association);
	edi_write_end(x);
	const char *any = m->errors ? write_segment_errors(w, m) : NULL;
	edi_write_segment(x, is_999(w) ? SLICE("IK5") : SLICE("AK5"));
	edi_write_element(x, slice_str(letter(m->status)));
	codes(w, g, m->errors, true, any);
	edi_write_end(x);
}

/* --- groups ------------------------------------------------------------------------------------------------------------ */

/* 999 exists from 005010 on, whatever it answers. */
static struct slice answer_version(const struct ack_writer *w, const struct edi_group *g)
{
	unsigned long long n;
	struct slice six = slice_make(g->version.p, g->version.n < 6 ? g->version.n : 6);
	return is_999(w) ? SLICE("005010") : six.n == 6 && slice_u64(six, &n) ? six : SLICE("004010");
}

static struct slice group_version(const struct ack_writer *w, const struct edi_group *g)
{
	return is_999(w) ? SLICE(GUIDE_999) : answer_version(w, g);
}

/* GS02, GS03: no longer than they may be; one that is longer is told by TA1. */
static struct slice code_of(struct slice party)
{
	return slice_make(party.p, party.n < LARGEST_CODE ? party.n : LARGEST_CODE);
}

void ack_x12_group_begin(struct ack_writer *w, const struct edi_group *g)
{
	struct edi_writer *x = &w->writer;
	if (!g->real)
		return;
	const struct edi_group_terms group = {.code = SLICE("FA"), .version = group_version(w, g), .sender = code_of(g->receiver),
		.receiver = code_of(g->sender), .agency = slice_is(g->agency, "T") && !is_999(w) ? g->agency : SLICE("X")};
	edi_write_group_head(x, &w->body, &w->terms, &group, w->out.groups);
	x->segments = 0;
	edi_write_segment(x, SLICE("ST"));
	edi_write_element(x, is_999(w) ? SLICE("999") : SLICE("997"));
	edi_write_element(x, SLICE("0001"));
	if (is_999(w))
		edi_write_element(x, group.version);
	edi_write_end(x);
	edi_write_segment(x, SLICE("AK1"));
	edi_write_element(x, g->code);
	edi_write_element(x, g->control_number);
	if (is_999(w))
		edi_write_element(x, g->version);
	edi_write_end(x);
}

void ack_x12_group_end(struct ack_writer *w, const struct edi_group *g)
{
	struct edi_writer *x = &w->writer;
	bool wanted = (w->group_others || !w->group_any) && !slice_is(g->code, "FA");
	if (!g->real || !wanted) {
		ack_drop_group(w);
		return;
	}
	edi_write_segment(x, SLICE("AK9"));
	edi_write_element(x, slice_str(letter(g->status)));
	edi_write_number(x, g->declared ? g->declared_count : g->message_count);
	edi_write_number(x, g->message_count);
	edi_write_number(x, g->accepted_count);
	codes(w, g, g->errors, false, NULL);
	edi_write_end(x);
	edi_write_segment(x, SLICE("SE"));
	edi_write_number(x, x->segments + 1);
	edi_write_element(x, SLICE("0001"));
	edi_write_end(x);
	edi_write_group_tail(x, &w->body, 1, w->out.groups++);
	struct slice version = group_version(w, g);
	memcpy(w->version, version.p, version.n); /* the group goes before the interchange */
	w->out.version = slice_make(w->version, version.n);
	w->out.messages++;
}

/* --- the interchange --------------------------------------------------------------------------------------------------- */

/* A qualifier that is none would make the answer itself unreadable: mutually defined, then. */
static struct slice party(struct ack_writer *w, char to[static PARTY_ROOM], struct slice p)
{
	struct slice own = ack_qualifier(p);
	return ack_party(w, to, own.n == 2 ? own : SLICE("ZZ"), ack_bounded(ack_id(p, NULL), 15), SLICE(""));
}

/* Those of the interchange, where they can be such. There is no release character: the answer has no ISX. */
static struct edi_delimiters delimiters(struct edi_delimiters d, struct slice version)
{
	d.release = 0;
	if (!d.terminator || d.terminator == d.element || d.terminator == d.component || edi_is_data(d.terminator))
		d.terminator = d.element == '~' || d.component == '~' ? '\n' : '~';
	if (!d.component || edi_is_data(d.component))
		d.component = d.terminator == '>' || d.element == '>' ? ':' : '>';
	if (!d.repetition && slice_cmp(version, SLICE("00402")) >= 0)
		for (const char *c = "^!|"; !d.repetition; c++)
			d.repetition = *c == d.component || *c == d.element || *c == d.terminator ? 0 : *c;
	return d;
}

void ack_x12_begin(struct ack_writer *w, struct edi_delimiters given)
{
	const struct edi_interchange *in = w->in;
	struct slice version = is_version(in->version) ? in->version : SLICE("00401");
	if (is_999(w) && slice_cmp(version, SLICE("00501")) < 0)
		version = SLICE("00501");
	given = delimiters(given, version);
	bool controls[256] = {[0x7f] = true};
	memset(controls, true, 0x20);
	ack_begin_writer(w, &given, controls);
	w->terms.version = version;
	w->terms.sender = party(w, w->sender, in->receiver);
	w->terms.receiver = party(w, w->receiver, in->sender);
}

void ack_x12_end(struct ack_writer *w)
{
	const struct edi_interchange *in = w->in;
	bool refused = w->options.refusal || ack_refusal(in->errors), only_ta1 = in->ta1 && !in->group_count;
	bool told = w->others || !w->any; /* acknowledgements alone get a TA1 where it is asked for, never because it is our habit */
	bool asked = in->ack_requested || refused || ((w->options.ta1 || w->options.ta1_only) && told);
	bool ta1 = !only_ta1 && !w->options.no_ta1 && asked;
	if (refused || w->options.ta1_only) {
		ack_drop_body(w);
		w->out.groups = 0;
		w->out.messages = 0;
		w->out.version = SLICE("");
	}
	if (!w->out.groups && !ta1)
		return;
	ack_to(w, &w->head);
	edi_write_interchange_head(&w->writer, &w->head, &w->terms);
	w->out.interchanges = 1;
	if (ta1)
		write_ta1(w);
	ack_to(w, &w->body);
	w->out.type = !w->out.groups ? SLICE("TA1") : is_999(w) ? SLICE("999") : SLICE("997");
	edi_write_interchange_tail(&w->writer, &w->body, w->out.groups);
}
