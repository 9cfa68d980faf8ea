/* CONTRL for syntax 1 to 4, from the error list. Only action codes 4 (rejected), 7 (acknowledged) and 8 (received) are
 * written: there is no "accepted with errors" in CONTRL, so what was tolerated is not told. Places are counted as ISO 9735
 * counts them: in 0098 the segment's tag is 1, and what is missing is told at the segment before it. */
#include "edi/ack_private.h"

#include "edi/charset.h"
#include "edi/validate.h"

#define LARGEST_PARTY 35     /* 0004, 0010, 0040, 0044 */
#define LARGEST_REFERENCE 14 /* 0020, 0048, 0062 */
#define MOST_UCS 999         /* of a message */
#define MOST_UCD 99          /* of a UCS */

static void component(struct ack_writer *w, struct slice value)
{
	ack_char(w, w->component);
	ack_slice(w, value);
}

/* No longer than the element takes; an interchange with longer ones is refused, and this names it as well as can be. */
static struct slice bounded(struct slice s, size_t max)
{
	return slice_make(s.p, s.n < max ? s.n : max);
}

/* S002, S003: identification, qualifier, sub-address. */
static void party(struct ack_writer *w, struct slice p)
{
	struct slice sub, id = ack_id(p, &sub), qualifier = ack_qualifier(p);
	ack_element(w, bounded(id, LARGEST_PARTY));
	if (qualifier.n || sub.n)
		component(w, bounded(qualifier, 4));
	if (sub.n)
		component(w, bounded(sub, w->edifact.syntax4 ? 35 : 14));
}

/* --- the interchange's head -------------------------------------------------------------------------------------------- */

static bool fits(const unsigned char *classes, const struct ack_writer *w, struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if (classes[(unsigned char)s.p[i]] & EDI_CHARACTER_BAD && s.p[i] != w->release && s.p[i] != w->component)
			return false;
	return true;
}

/* Everything of the input that the answer repeats goes through here. */
static void note(struct ack_writer *w, struct slice s)
{
	if (w->edifact.fits && w->edifact.declared != EDI_CHARSET_NONE)
		w->edifact.fits = fits(edi_charset_classes(w->edifact.declared), w, s);
	if (w->edifact.fits_a)
		w->edifact.fits_a = fits(edi_charset_classes(EDI_CHARSET_UNOA), w, s);
}

/* The level and version that were sent, where they exist and hold what is repeated; else ISO 8859-1 of version 3 or 4. Escape
 * sequences of UNOX are nothing to answer in. */
static void write_syntax(struct ack_writer *w)
{
	struct slice version = w->in->version, level = slice_cut(&version, ':');
	enum edi_charset set = w->edifact.declared;
	bool known = version.n == 1 && *version.p >= '1' && *version.p <= '4';
	if (set == EDI_CHARSET_NONE || set == EDI_CHARSET_UNOX || !known || (unsigned)(*version.p - '0') < edi_charset_since(set) || !w->edifact.fits) {
		level = set == EDI_CHARSET_NONE && w->edifact.fits_a ? SLICE("UNOA") : SLICE("UNOC");
		version = w->edifact.syntax4 ? SLICE("4") : SLICE("3");
	}
	ack_element(w, level);
	component(w, version);
}

static void write_una(struct ack_writer *w)
{
	bool plain = w->component == ':' && w->element == '+' && w->terminator == '\'' && w->release == '?' &&
	             (!w->edifact.syntax4 || w->repetition == '*');
	if (plain)
		return;
	char una[10] = {'U', 'N', 'A', w->component, w->element, '.', w->release ? w->release : ' ',
		w->repetition ? w->repetition : ' ', w->terminator, 0};
	ack_text(w, una);
	if (w->options.lines)
		ack_text(w, "\n");
}

static void write_unb(struct ack_writer *w)
{
	write_una(w);
	ack_text(w, "UNB");
	write_syntax(w);
	party(w, w->in->receiver);
	party(w, w->in->sender);
	ack_separator(w);
	ack_digits(w, w->edifact.syntax4 ? (uint64_t)w->when.year : (uint64_t)w->when.year % 100, w->edifact.syntax4 ? 4 : 2);
	ack_digits(w, (uint64_t)w->when.month, 2);
	ack_digits(w, (uint64_t)w->when.day, 2);
	ack_char(w, w->component);
	ack_digits(w, (uint64_t)w->when.hour, 2);
	ack_digits(w, (uint64_t)w->when.minute, 2);
	ack_separator(w);
	ack_slot(w, EDI_LEVEL_INTERCHANGE, 0, 0);
	if (w->in->usage == 'T') {
		for (int i = 0; i < 6; i++) /* 0022, 0026, 0029, 0031, 0032 are left out before 0035 */
			ack_separator(w);
		ack_text(w, "1");
	}
	ack_end(w);
	w->out.interchanges = 1;
}

/* --- errors ------------------------------------------------------------------------------------------------------------ */

/* Codes of another syntax version's list are not written. */
static struct slice code_of(const struct ack_writer *w, const char *code)
{
	return edi_0085_has(slice_str(code), w->edifact.syntax4) ? slice_str(code) : SLICE("18");
}

/* S011: where in the segment. */
static void write_place(struct ack_writer *w, const struct edi_error *e)
{
	ack_separator(w);
	ack_number(w, e->element + 1); /* the tag is 1 */
	bool occurrence = w->edifact.syntax4 && e->repetition;
	if (e->component || occurrence)
		ack_char(w, w->component);
	if (e->component)
		ack_number(w, e->component);
	if (!occurrence)
		return;
	ack_char(w, w->component);
	ack_number(w, e->repetition);
}

static bool is_one_of(struct slice s, const char *const *tags)
{
	while (*tags && !slice_is(s, *tags))
		tags++;
	return *tags != NULL;
}

/* 0083 and, for a refusal, 0085, the service segment (0013, in syntax 4 0135) and S011. */
static void write_action(struct ack_writer *w, const char *action, const struct edi_error *e, const char *const *tags)
{
	ack_element(w, slice_str(action));
	if (!e)
		return;
	ack_element(w, code_of(w, e->code));
	if (!is_one_of(e->segment, tags))
		return;
	ack_element(w, e->segment);
	if (e->element)
		write_place(w, e);
}

static const char *const message_tags[] = {"UNH", "UNT", "UNO", "UNP", NULL};

/* UCS and UCD: what is wrong in which segment of the message's body. */
static void write_errors(struct ack_writer *w, const struct edi_message *m)
{
	uint64_t position = 0;
	unsigned segments = 0, elements = 0;
	for (const struct edi_error *e = m->errors; e; e = e->next) {
		if (e->tolerated || !e->position || is_one_of(e->segment, message_tags))
			continue;
		bool missing = !e->element && strcmp(e->code, "13") == 0;
		uint64_t at = missing && e->position > 1 ? e->position - 1 : e->position;
		if (at != position || !e->element) {
			if (segments++ == MOST_UCS)
				return;
			ack_text(w, "UCS");
			ack_separator(w);
			ack_number(w, at);
			if (!e->element)
				ack_element(w, code_of(w, e->code));
			ack_end(w);
			position = at;
			elements = 0;
		}
		if (!e->element || elements++ >= MOST_UCD)
			continue;
		ack_text(w, "UCD");
		ack_element(w, code_of(w, e->code));
		write_place(w, e);
		ack_end(w);
	}
}

/* --- levels ------------------------------------------------------------------------------------------------------------ */

/* A UNH or UNT at fault is told in UCM itself. */
static const struct edi_error *envelope_refusal(const struct edi_message *m)
{
	const struct edi_error *e = m->errors;
	while (e && (e->tolerated || !is_one_of(e->segment, message_tags)))
		e = e->next;
	return e;
}

static void write_message_type(struct ack_writer *w, const struct edi_message *m)
{
	struct slice release = m->version, version = slice_cut(&release, ':');
	ack_element(w, bounded(m->type, 6));
	component(w, bounded(version, 3));
	component(w, bounded(release, 3));
	component(w, m->agency.n ? bounded(m->agency, w->edifact.syntax4 ? 3 : 2) : SLICE("UN"));
	if (m->association.n)
		component(w, bounded(m->association, 6));
}

static bool can_be_named(const struct ack_writer *w, const struct edi_message *m)
{
	struct slice release = m->version, version = slice_cut(&release, ':');
	return m->control_number.n && (w->edifact.syntax4 || (m->type.n && version.n && release.n));
}

static void write_message(struct ack_writer *w, const struct edi_message *m)
{
	struct slice release = m->version, version = slice_cut(&release, ':');
	bool rejected = m->status == EDI_REJECTED, package = slice_is(m->type, "UNO");
	ack_text(w, "UCM");
	ack_element(w, package ? SLICE("") : bounded(m->control_number, LARGEST_REFERENCE));
	if (!package && m->type.n && version.n && release.n)
		write_message_type(w, m);
	else
		ack_separator(w);
	write_action(w, rejected ? "4" : "7", rejected ? envelope_refusal(m) : NULL, message_tags);
	if (package) { /* 0800 and S020 stand behind 0085, 0135 and S011 */
		const struct edi_error *e = rejected ? envelope_refusal(m) : NULL;
		unsigned written = !e ? 0 : !is_one_of(e->segment, message_tags) ? 1 : e->element ? 3 : 2;
		for (; written < 3; written++)
			ack_separator(w);
		ack_element(w, bounded(m->control_number, LARGEST_PARTY));
		ack_element(w, version);
		component(w, release);
	}
	ack_end(w);
	if (rejected)
		write_errors(w, m);
}

static bool told(const struct ack_writer *w, const struct edi_message *m)
{
	return !m->acknowledgement && (m->status == EDI_REJECTED || w->options.accepted_messages);
}

/* --- while reading ----------------------------------------------------------------------------------------------------- */

/* Those of the interchange, when each has one use; a damaged UNB can leave others. */
static void take_separators(struct ack_writer *w)
{
	w->component = w->given.component;
	w->release = w->given.release;
	w->repetition = w->given.repetition;
	const char all[] = {w->element, w->component, w->terminator, w->release, w->repetition};
	bool good = w->element && w->component && w->terminator;
	for (size_t i = 0; i < sizeof all; i++)
		for (size_t k = 0; k < i; k++)
			good = good && (!all[i] || all[i] != all[k]);
	if (good)
		return;
	w->element = '+';
	w->component = ':';
	w->terminator = '\'';
	w->release = '?';
	w->repetition = '*';
}

void ack_edifact_begin(struct ack_writer *w)
{
	const struct edi_interchange *in = w->in;
	struct slice version = in->version, level = slice_cut(&version, ':');
	take_separators(w);
	w->edifact.declared = edi_charset_of(level);
	w->edifact.syntax4 = version.n && *version.p >= '4';
	w->edifact.fits = w->edifact.fits_a = true;
	w->edifact.nameless = false;
	w->out.type = SLICE("");
	note(w, in->sender);
	note(w, in->receiver);
	note(w, in->control_number);
}

/* A group or message at fault that its own answer segment cannot name: then the interchange as a whole is refused. */
static void note_nameless(struct ack_writer *w, const struct edi_error *why)
{
	if (w->edifact.nameless || !why)
		return;
	size_t n = why->segment.n < sizeof w->edifact.why_segment ? why->segment.n : sizeof w->edifact.why_segment;
	memcpy(w->edifact.why_segment, why->segment.p, n);
	w->edifact.nameless = true;
	w->edifact.why = *why;
	w->edifact.why.segment = slice_make(w->edifact.why_segment, n);
	w->edifact.why.next = NULL;
}

void ack_edifact_message(struct ack_writer *w, const struct edi_group *g, const struct edi_message *m)
{
	const struct slice repeated[] = {m->control_number, m->type, m->version, m->agency, m->association};
	(void)g;
	for (size_t i = 0; i < sizeof repeated / sizeof *repeated; i++)
		note(w, repeated[i]);
	if (!m->acknowledgement && m->status == EDI_REJECTED && !can_be_named(w, m))
		note_nameless(w, ack_refusal(m->errors));
	if (!told(w, m) || w->options.received_only)
		return;
	write_message(w, m);
	w->edifact.told = true;
}

/* UCF, once the group's own verdict is known, before the UCMs of its messages. */
static void write_group(struct ack_writer *w, const struct edi_group *g)
{
	static const char *const tags[] = {"UNG", "UNE", NULL};
	const struct edi_error *refusal = ack_refusal(g->errors);
	if (refusal)
		ack_drop_group(w);
	else if (!w->edifact.told && !w->options.accepted_messages)
		return; /* accepted with all that is in it, by UCI */
	size_t from = w->body.text.n;
	ack_text(w, "UCF");
	ack_element(w, bounded(g->control_number, LARGEST_REFERENCE));
	ack_element(w, bounded(g->sender, LARGEST_PARTY));
	ack_element(w, bounded(g->receiver, LARGEST_PARTY));
	write_action(w, refusal ? "4" : "7", refusal, tags);
	ack_end(w);
	ack_move_up(w, w->group_at, from);
}

void ack_edifact_group_end(struct ack_writer *w, const struct edi_group *g)
{
	if (!g->real)
		return;
	note(w, g->control_number);
	note(w, g->sender);
	note(w, g->receiver);
	if (!g->control_number.n || (!w->edifact.syntax4 && (!g->sender.n || !g->receiver.n)))
		note_nameless(w, ack_refusal(g->errors));
	if (!w->options.received_only)
		write_group(w, g);
}

/* --- at the end -------------------------------------------------------------------------------------------------------- */

/* UCI. */
static void write_interchange(struct ack_writer *w, const char *action, const struct edi_error *refusal)
{
	static const char *const tags[] = {"UNA", "UNB", "UNZ", NULL};
	ack_text(w, "UCI");
	ack_element(w, bounded(w->in->control_number, LARGEST_REFERENCE));
	party(w, w->in->sender);
	party(w, w->in->receiver);
	write_action(w, action, refusal, tags);
	ack_end(w);
}

static void write_message_head(struct ack_writer *w)
{
	ack_text(w, "UNH");
	ack_element(w, SLICE("1"));
	ack_element(w, SLICE("CONTRL"));
	component(w, w->edifact.syntax4 ? SLICE("4") : SLICE("D"));
	component(w, w->edifact.syntax4 ? SLICE("1") : SLICE("3"));
	component(w, SLICE("UN"));
	ack_end(w);
}

static void write_trailers(struct ack_writer *w, uint64_t segments)
{
	ack_text(w, "UNT");
	ack_separator(w);
	ack_number(w, segments + 1);
	ack_element(w, SLICE("1"));
	ack_end(w);
	ack_text(w, "UNZ");
	ack_element(w, SLICE("1"));
	ack_separator(w);
	ack_slot(w, EDI_LEVEL_INTERCHANGE, 0, 0);
	ack_end(w);
	w->out.messages = 1;
}

void ack_edifact_end(struct ack_writer *w)
{
	const struct edi_interchange *in = w->in;
	/* never for CONTRL; an interchange without any message is answered when something is wrong with it */
	if (!w->others && (w->any || (!in->errors && !w->wrong)))
		return;
	struct edi_error given = {.segment = SLICE("")};
	const struct edi_error *refusal = ack_refusal(in->errors);
	if (!refusal && w->edifact.nameless)
		refusal = &w->edifact.why;
	if (w->options.refusal) {
		memcpy(given.code, w->options.refusal, strnlen(w->options.refusal, sizeof given.code - 1));
		refusal = &given;
	}
	if (refusal)
		ack_drop_body(w);
	uint64_t told = w->segments;
	w->out.type = SLICE("CONTRL");
	w->out.version = w->edifact.syntax4 ? SLICE("4:1") : SLICE("D:3");
	w->to = &w->head;
	write_unb(w);
	write_message_head(w);
	write_interchange(w, refusal ? "4" : w->options.received_only ? "8" : "7", refusal);
	w->to = &w->body;
	write_trailers(w, told + 2);
}
