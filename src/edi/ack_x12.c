/* TA1, 997 and 999. One interchange back: ISA swapped from ISA, and for each group one group of FA, swapped from GS, with
 * one 997 or 999. */
#include "edi/ack_private.h"

#define LARGEST_AK4 99
#define GUIDE_999 "005010X231A1"

static bool is_999(const struct ack_writer *w)
{
	return w->options.kind == EDI_ACK_999;
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

/* A qualifier that is none would make the answer itself unreadable: mutually defined, then. */
static void party(struct ack_writer *w, struct slice p)
{
	struct slice qualifier = ack_qualifier(p), id = ack_id(p, NULL);
	ack_element(w, qualifier.n == 2 ? qualifier : SLICE("ZZ"));
	ack_separator(w);
	ack_padded(w, id.n > 15 ? slice_make(id.p, 15) : id, 15);
}

static bool is_version(struct slice v)
{
	unsigned long long n;
	return v.n == 5 && slice_u64(v, &n) && n >= 200 && n <= 899;
}

static void write_isa(struct ack_writer *w)
{
	const struct edi_interchange *in = w->in;
	struct slice version = w->interchange_version;
	ack_text(w, "ISA");
	for (int i = 0; i < 2; i++) {
		ack_element(w, SLICE("00"));
		ack_element(w, SLICE("          "));
	}
	party(w, in->receiver);
	party(w, in->sender);
	date_time(w, false);
	ack_separator(w);
	ack_char(w, w->repetition ? w->repetition : 'U');
	ack_element(w, version);
	ack_separator(w);
	ack_slot(w, EDI_LEVEL_INTERCHANGE, 0, 9);
	ack_element(w, SLICE("0"));
	ack_separator(w);
	ack_char(w, in->usage == 'T' || in->usage == 'I' ? in->usage : 'P');
	ack_separator(w);
	ack_char(w, w->component);
	ack_end(w);
	w->out.interchanges = 1;
}

static void write_iea(struct ack_writer *w, uint64_t groups)
{
	ack_text(w, "IEA");
	element_number(w, groups);
	ack_separator(w);
	ack_slot(w, EDI_LEVEL_INTERCHANGE, 0, 9);
	ack_end(w);
}

static const struct edi_error *worst(const struct edi_error *errors)
{
	const struct edi_error *refusal = ack_refusal(errors);
	return refusal ? refusal : errors;
}

static void write_ta1(struct ack_writer *w)
{
	const struct edi_interchange *in = w->in;
	const struct edi_error *e = worst(in->errors);
	const char *refusal = w->options.refusal;
	unsigned long long control;
	ack_text(w, "TA1");
	ack_separator(w);
	if (slice_u64(in->control_number, &control) && in->control_number.n <= 9)
		ack_digits(w, control, 9);
	else
		ack_padded(w, in->control_number, 9);
	ack_element(w, in->date);
	ack_element(w, in->time);
	ack_element(w, slice_str(refusal ? "R" : !e ? "A" : e->tolerated ? "E" : "R"));
	ack_element(w, slice_str(refusal ? refusal : e ? e->code : "000"));
	ack_end(w);
}

/* --- the 997 or 999 of one group --------------------------------------------------------------------------------------- */

/* What a guide asks for has codes of its own in a 999. */
static const char *segment_code(const struct ack_writer *w, const struct edi_error *e)
{
	return is_999(w) && e->guide ? e->guide : e->code;
}

/* AK3: segment, position, loop (only where LS names one), code. */
static void write_ak3(struct ack_writer *w, const struct edi_error *e, const char *code)
{
	ack_text(w, is_999(w) ? "IK3" : "AK3");
	ack_element(w, e->segment);
	element_number(w, e->position);
	ack_separator(w);
	ack_element(w, slice_str(code));
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
	ack_text(w, is_999(w) ? "IK4" : "AK4");
	element_number(w, e->element);
	bool repetition = e->repetition && w->repetition;
	if (e->component || repetition) {
		ack_char(w, w->component);
		if (e->component)
			ack_number(w, e->component);
	}
	if (repetition) {
		ack_char(w, w->component);
		ack_number(w, e->repetition);
	}
	ack_separator(w);
	if (e->reference && e->reference < 10000)
		ack_number(w, e->reference);
	ack_element(w, slice_str(segment_code(w, e)));
	struct slice value = e->value;
	if (value.n > 99)
		value.n = 99;
	if (writable(w, value))
		ack_element(w, value);
	ack_end(w);
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
		ack_element(w, slice_str(written[i]));
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
	ack_text(w, "AK2");
	ack_element(w, m->type);
	ack_element(w, m->control_number);
	if (is_999(w) && m->association.n)
		ack_element(w, m->association);
	ack_end(w);
	const char *any = m->errors ? write_segment_errors(w, m) : NULL;
	ack_text(w, is_999(w) ? "IK5" : "AK5");
	ack_element(w, slice_str(letter(m->status)));
	codes(w, g, m->errors, true, any);
	ack_end(w);
}

/* --- groups ------------------------------------------------------------------------------------------------------------ */

/* 999 exists from 005010 on, whatever it answers. */
static struct slice answer_version(const struct ack_writer *w, const struct edi_group *g)
{
	unsigned long long n;
	struct slice six = slice_make(g->version.p, g->version.n < 6 ? g->version.n : 6);
	return is_999(w) ? SLICE("005010") : six.n == 6 && slice_u64(six, &n) ? six : SLICE("004010");
}

void ack_x12_group_begin(struct ack_writer *w, const struct edi_group *g)
{
	if (!g->real)
		return;
	struct slice version = answer_version(w, g), guide = is_999(w) ? SLICE(GUIDE_999) : version;
	ack_text(w, "GS");
	ack_element(w, SLICE("FA"));
	ack_element(w, g->receiver);
	ack_element(w, g->sender);
	date_time(w, slice_cmp(version, SLICE("004010")) >= 0);
	ack_separator(w);
	ack_slot(w, EDI_LEVEL_GROUP, w->out.groups, 0);
	ack_element(w, g->agency.n && !is_999(w) ? g->agency : SLICE("X"));
	ack_element(w, guide);
	ack_end(w);
	w->segments = 0;
	ack_text(w, "ST");
	ack_element(w, is_999(w) ? SLICE("999") : SLICE("997"));
	ack_element(w, SLICE("0001"));
	if (is_999(w))
		ack_element(w, guide);
	ack_end(w);
	ack_text(w, "AK1");
	ack_element(w, g->code);
	ack_element(w, g->control_number);
	if (is_999(w) && g->version.n)
		ack_element(w, g->version);
	ack_end(w);
}

void ack_x12_group_end(struct ack_writer *w, const struct edi_group *g)
{
	bool wanted = (w->group_others || !w->group_any) && !slice_is(g->code, "FA");
	if (!g->real || !wanted) {
		ack_drop_group(w);
		return;
	}
	ack_text(w, "AK9");
	ack_element(w, slice_str(letter(g->status)));
	element_number(w, g->declared_count ? g->declared_count : g->message_count);
	element_number(w, g->message_count);
	element_number(w, g->accepted_count);
	codes(w, g, g->errors, false, NULL);
	ack_end(w);
	ack_text(w, "SE");
	element_number(w, w->segments + 1);
	ack_element(w, SLICE("0001"));
	ack_end(w);
	ack_text(w, "GE");
	element_number(w, 1);
	ack_separator(w);
	ack_slot(w, EDI_LEVEL_GROUP, w->out.groups++, 0);
	ack_end(w);
	struct slice version = is_999(w) ? SLICE(GUIDE_999) : answer_version(w, g);
	memcpy(w->version, version.p, version.n); /* the group goes before the interchange */
	w->out.version = slice_make(w->version, version.n);
	w->out.messages++;
}

/* --- the interchange --------------------------------------------------------------------------------------------------- */

void ack_x12_begin(struct ack_writer *w)
{
	const struct edi_interchange *in = w->in;
	struct slice version = is_version(in->version) ? in->version : SLICE("00401");
	if (is_999(w) && slice_cmp(version, SLICE("00501")) < 0)
		version = SLICE("00501");
	w->interchange_version = version;
	w->release = 0;
	w->component = w->given.component;
	char t = w->terminator;
	bool usable = t && t != w->element && t != w->component && !(t >= '0' && t <= '9') && !((t | 32) >= 'a' && (t | 32) <= 'z');
	if (!usable)
		w->terminator = w->element == '~' || w->component == '~' ? '\n' : '~';
	if (!w->component)
		w->component = w->terminator == '>' || w->element == '>' ? ':' : '>';
	w->repetition = w->given.repetition;
	if (!w->repetition && slice_cmp(version, SLICE("00402")) >= 0)
		for (const char *c = "^!|"; !w->repetition; c++)
			w->repetition = *c == w->component || *c == w->element || *c == w->terminator ? 0 : *c;
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
	w->to = &w->head;
	write_isa(w);
	if (ta1)
		write_ta1(w);
	w->to = &w->body;
	w->out.type = !w->out.groups ? SLICE("TA1") : is_999(w) ? SLICE("999") : SLICE("997");
	write_iea(w, w->out.groups);
}
