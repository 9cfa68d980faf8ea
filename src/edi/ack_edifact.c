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

/* S002, S003: identification, qualifier, sub-address. */
static void party(struct ack_writer *w, struct slice p)
{
	struct slice sub, id = ack_id(p, &sub);
	ack_element(w, ack_bounded(id, LARGEST_PARTY));
	ack_component(w, ack_bounded(ack_qualifier(p), 4));
	ack_component(w, ack_bounded(sub, w->edifact.syntax4 ? 35 : 14));
}

/* --- the interchange's head -------------------------------------------------------------------------------------------- */

static bool fits(const unsigned char *classes, const struct ack_writer *w, struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if (classes[(unsigned char)s.p[i]] & EDI_CHARACTER_BAD && s.p[i] != w->writer.delimiters.release && s.p[i] != w->writer.delimiters.component)
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
static struct slice syntax(const struct ack_writer *w)
{
	struct slice version = w->in->version;
	enum edi_charset set = w->edifact.declared;
	slice_cut(&version, ':');
	bool known = version.n == 1 && *version.p >= '1' && *version.p <= '4';
	if (set != EDI_CHARSET_NONE && set != EDI_CHARSET_UNOX && known && (unsigned)(*version.p - '0') >= edi_charset_since(set) && w->edifact.fits)
		return w->in->version;
	bool a = set == EDI_CHARSET_NONE && w->edifact.fits_a;
	return w->edifact.syntax4 ? a ? SLICE("UNOA:4") : SLICE("UNOC:4") : a ? SLICE("UNOA:3") : SLICE("UNOC:3");
}

static void write_unb(struct ack_writer *w)
{
	struct slice sub, id = ack_id(w->in->receiver, &sub);
	const size_t most = w->edifact.syntax4 ? 35 : 14;
	w->terms.version = syntax(w);
	w->terms.sender = ack_party(w, w->sender, ack_qualifier(w->in->receiver), id, ack_bounded(sub, most));
	id = ack_id(w->in->sender, &sub);
	w->terms.receiver = ack_party(w, w->receiver, ack_qualifier(w->in->sender), id, ack_bounded(sub, most));
	edi_write_interchange_head(&w->writer, &w->head, &w->terms);
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
	struct edi_writer *x = &w->writer;
	bool occurrence = w->edifact.syntax4 && e->repetition;
	edi_write_number(x, e->element + 1); /* the tag is 1 */
	if (e->component)
		edi_write_value_number(x, e->component);
	else if (occurrence)
		edi_write_value(x, SLICE(""));
	if (occurrence)
		edi_write_value_number(x, e->repetition);
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
			edi_write_segment(&w->writer, SLICE("UCS"));
			edi_write_number(&w->writer, at);
			if (!e->element)
				ack_element(w, code_of(w, e->code));
			edi_write_end(&w->writer);
			position = at;
			elements = 0;
		}
		if (!e->element || elements++ >= MOST_UCD)
			continue;
		edi_write_segment(&w->writer, SLICE("UCD"));
		ack_element(w, code_of(w, e->code));
		write_place(w, e);
		edi_write_end(&w->writer);
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
	ack_element(w, ack_bounded(m->type, 6));
	ack_component(w, ack_bounded(version, 3));
	ack_component(w, ack_bounded(release, 3));
	ack_component(w, m->agency.n ? ack_bounded(m->agency, w->edifact.syntax4 ? 3 : 2) : SLICE("UN"));
	if (m->association.n)
		ack_component(w, ack_bounded(m->association, 6));
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
	edi_write_segment(&w->writer, SLICE("UCM"));
	ack_element(w, package ? SLICE("") : ack_bounded(m->control_number, LARGEST_REFERENCE));
	if (!package && m->type.n && version.n && release.n)
		write_message_type(w, m);
	else
		ack_element(w, SLICE(""));
	write_action(w, rejected ? "4" : "7", rejected ? envelope_refusal(m) : NULL, message_tags);
	if (package) { /* 0800 and S020 stand behind 0085, 0135 and S011 */
		const struct edi_error *e = rejected ? envelope_refusal(m) : NULL;
		unsigned written = !e ? 0 : !is_one_of(e->segment, message_tags) ? 1 : e->element ? 3 : 2;
		for (; written < 3; written++)
			ack_element(w, SLICE(""));
		ack_element(w, ack_bounded(m->control_number, LARGEST_PARTY));
		ack_element(w, version);
		ack_component(w, release);
	}
	edi_write_end(&w->writer);
	if (rejected)
		write_errors(w, m);
}

static bool told(const struct ack_writer *w, const struct edi_message *m)
{
	return !m->acknowledgement && (m->status == EDI_REJECTED || w->options.accepted_messages);
}

/* --- while reading ----------------------------------------------------------------------------------------------------- */

/* Those of the interchange, when each has one use; a damaged UNB can leave others. */
static struct edi_delimiters delimiters(struct edi_delimiters d)
{
	const char all[] = {d.element, d.component, d.terminator, d.release, d.repetition};
	bool good = d.element && d.component && d.terminator;
	for (size_t i = 0; i < sizeof all; i++) {
		good = good && !edi_is_data(all[i]);
		for (size_t k = 0; k < i; k++)
			good = good && (!all[i] || all[i] != all[k]);
	}
	return good ? d : (struct edi_delimiters){.element = '+', .component = ':', .repetition = '*', .release = '?', .terminator = '\''};
}

void ack_edifact_begin(struct ack_writer *w, struct edi_delimiters given)
{
	const struct edi_interchange *in = w->in;
	struct slice version = in->version, level = slice_cut(&version, ':');
	bool foreign[256] = {[0x7f] = true}; /* what no level of the syntax holds */
	w->edifact.declared = edi_charset_of(level);
	w->edifact.syntax4 = version.n && *version.p >= '4';
	w->edifact.fits = w->edifact.fits_a = true;
	w->edifact.nameless = false;
	memset(foreign, true, 0x20);
	if (!edi_charset_is_utf8(w->edifact.declared))
		memset(foreign + 0x80, true, 0x20);
	given = delimiters(given);
	ack_begin_writer(w, &given, foreign);
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
	edi_write_segment(&w->writer, SLICE("UCF"));
	ack_element(w, ack_bounded(g->control_number, LARGEST_REFERENCE));
	ack_element(w, ack_bounded(g->sender, LARGEST_PARTY));
	ack_element(w, ack_bounded(g->receiver, LARGEST_PARTY));
	write_action(w, refusal ? "4" : "7", refusal, tags);
	edi_write_end(&w->writer);
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
	edi_write_segment(&w->writer, SLICE("UCI"));
	ack_element(w, ack_bounded(w->in->control_number, LARGEST_REFERENCE));
	party(w, w->in->sender);
	party(w, w->in->receiver);
	write_action(w, action, refusal, tags);
	edi_write_end(&w->writer);
}

static void write_message_head(struct ack_writer *w)
{
	struct edi_writer *x = &w->writer;
	edi_write_segment(x, SLICE("UNH"));
	edi_write_element(x, SLICE("1"));
	edi_write_element(x, SLICE("CONTRL"));
	edi_write_value(x, w->edifact.syntax4 ? SLICE("4") : SLICE("D"));
	edi_write_value(x, w->edifact.syntax4 ? SLICE("1") : SLICE("3"));
	edi_write_value(x, SLICE("UN"));
	edi_write_end(x);
}

static void write_trailers(struct ack_writer *w)
{
	struct edi_writer *x = &w->writer;
	edi_write_segment(x, SLICE("UNT"));
	edi_write_number(x, x->segments + 1);
	edi_write_element(x, SLICE("1"));
	edi_write_end(x);
	edi_write_interchange_tail(x, &w->body, 1);
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
	w->out.type = SLICE("CONTRL");
	w->out.version = w->edifact.syntax4 ? SLICE("4:1") : SLICE("D:3");
	ack_to(w, &w->head);
	write_unb(w);
	w->writer.segments--; /* of the message, UNB is none */
	write_message_head(w);
	write_interchange(w, refusal ? "4" : w->options.received_only ? "8" : "7", refusal);
	ack_to(w, &w->body);
	write_trailers(w);
}
