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

struct contrl {
	struct ack_writer *w;
	bool syntax4;
};

static void element(struct ack_writer *w, struct slice value)
{
	ack_separator(w);
	ack_slice(w, value);
}

static void component(struct ack_writer *w, struct slice value)
{
	van_buf_append_char(&w->text, w->component);
	ack_slice(w, value);
}

/* No longer than the element takes; an interchange with longer ones is refused, and this names it as well as can be. */
static struct slice bounded(struct slice s, size_t max)
{
	return slice_make(s.p, s.n < max ? s.n : max);
}

/* S002, S003: identification, qualifier, sub-address. */
static void party(struct contrl *c, struct slice p)
{
	struct ack_writer *w = c->w;
	struct slice sub, id = ack_id(p, &sub), qualifier = ack_qualifier(p);
	element(w, bounded(id, LARGEST_PARTY));
	if (qualifier.n || sub.n)
		component(w, bounded(qualifier, 4));
	if (sub.n)
		component(w, bounded(sub, c->syntax4 ? 35 : 14));
}

/* --- the interchange's head -------------------------------------------------------------------------------------------- */

static bool fits(const unsigned char *classes, const struct ack_writer *w, struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if (classes[(unsigned char)s.p[i]] & EDI_CHARACTER_BAD && s.p[i] != w->release && s.p[i] != w->component)
			return false;
	return true;
}

/* Everything of the interchange that the answer repeats. */
static bool all_fits(const struct ack_writer *w, enum edi_charset set)
{
	const struct edi_interchange *in = w->in;
	const unsigned char *k = edi_charset_classes(set);
	bool good = fits(k, w, in->sender) && fits(k, w, in->receiver) && fits(k, w, in->control_number);
	for (const struct edi_group *g = in->groups; g && good; g = g->next) {
		good = fits(k, w, g->control_number) && fits(k, w, g->sender) && fits(k, w, g->receiver);
		for (const struct edi_message *m = g->messages; m && good; m = m->next)
			good = fits(k, w, m->control_number) && fits(k, w, m->type) && fits(k, w, m->version) && fits(k, w, m->agency) &&
			       fits(k, w, m->association);
	}
	return good;
}

/* The level and version that were sent, where they exist and hold what is repeated; else ISO 8859-1 of version 3 or 4. Escape
 * sequences of UNOX are nothing to answer in. */
static void write_syntax(struct contrl *c)
{
	struct slice version = c->w->in->version, level = slice_cut(&version, ':');
	enum edi_charset set = edi_charset_of(level);
	bool known = version.n == 1 && *version.p >= '1' && *version.p <= '4';
	if (set == EDI_CHARSET_NONE || set == EDI_CHARSET_UNOX || !known || (unsigned)(*version.p - '0') < edi_charset_since(set) || !all_fits(c->w, set)) {
		level = set == EDI_CHARSET_NONE && all_fits(c->w, EDI_CHARSET_UNOA) ? SLICE("UNOA") : SLICE("UNOC");
		version = c->syntax4 ? SLICE("4") : SLICE("3");
	}
	element(c->w, level);
	component(c->w, version);
}

static void write_una(struct contrl *c)
{
	struct ack_writer *w = c->w;
	bool plain = w->component == ':' && w->element == '+' && w->terminator == '\'' && w->release == '?' &&
	             (!c->syntax4 || w->repetition == '*');
	if (plain)
		return;
	char una[10] = {'U', 'N', 'A', w->component, w->element, '.', w->release ? w->release : ' ',
		w->repetition ? w->repetition : ' ', w->terminator, 0};
	ack_text(w, una);
	if (w->options.lines)
		ack_text(w, "\n");
}

static void write_unb(struct contrl *c)
{
	struct ack_writer *w = c->w;
	write_una(c);
	ack_text(w, "UNB");
	write_syntax(c);
	party(c, w->in->receiver);
	party(c, w->in->sender);
	ack_separator(w);
	ack_digits(w, c->syntax4 ? (uint64_t)w->when.year : (uint64_t)w->when.year % 100, c->syntax4 ? 4 : 2);
	ack_digits(w, (uint64_t)w->when.month, 2);
	ack_digits(w, (uint64_t)w->when.day, 2);
	van_buf_append_char(&w->text, w->component);
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

static const struct edi_error *first_refusal(const struct edi_error *e)
{
	while (e && e->tolerated)
		e = e->next;
	return e;
}

/* Codes of another syntax version's list are not written. */
static struct slice code_of(const struct contrl *c, const char *code)
{
	return edi_0085_has(slice_str(code), c->syntax4) ? slice_str(code) : SLICE("18");
}

/* S011: where in the segment. */
static void write_place(struct contrl *c, const struct edi_error *e)
{
	struct ack_writer *w = c->w;
	ack_separator(w);
	ack_number(w, e->element + 1); /* the tag is 1 */
	bool occurrence = c->syntax4 && e->repetition;
	if (e->component || occurrence)
		van_buf_append_char(&w->text, w->component);
	if (e->component)
		ack_number(w, e->component);
	if (!occurrence)
		return;
	van_buf_append_char(&w->text, w->component);
	ack_number(w, e->repetition);
}

static bool is_one_of(struct slice s, const char *const *tags)
{
	while (*tags && !slice_is(s, *tags))
		tags++;
	return *tags != NULL;
}

/* 0083 and, for a refusal, 0085, the service segment (0013, in syntax 4 0135) and S011. */
static void write_action(struct contrl *c, const char *action, const struct edi_error *e, const char *const *tags)
{
	struct ack_writer *w = c->w;
	element(w, slice_str(action));
	if (!e)
		return;
	element(w, code_of(c, e->code));
	if (!is_one_of(e->segment, tags))
		return;
	element(w, e->segment);
	if (e->element)
		write_place(c, e);
}

static const char *const message_tags[] = {"UNH", "UNT", "UNO", "UNP", NULL};

/* UCS and UCD: what is wrong in which segment of the message's body. */
static void write_errors(struct contrl *c, const struct edi_message *m)
{
	struct ack_writer *w = c->w;
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
				element(w, code_of(c, e->code));
			ack_end(w);
			position = at;
			elements = 0;
		}
		if (!e->element || elements++ >= MOST_UCD)
			continue;
		ack_text(w, "UCD");
		element(w, code_of(c, e->code));
		write_place(c, e);
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

static void write_message_type(struct contrl *c, const struct edi_message *m)
{
	struct ack_writer *w = c->w;
	struct slice release = m->version, version = slice_cut(&release, ':');
	element(w, bounded(m->type, 6));
	component(w, bounded(version, 3));
	component(w, bounded(release, 3));
	component(w, m->agency.n ? bounded(m->agency, c->syntax4 ? 3 : 2) : SLICE("UN"));
	if (m->association.n)
		component(w, bounded(m->association, 6));
}

static bool can_be_named(const struct contrl *c, const struct edi_message *m)
{
	struct slice release = m->version, version = slice_cut(&release, ':');
	return m->control_number.n && (c->syntax4 || (m->type.n && version.n && release.n));
}

static void write_message(struct contrl *c, const struct edi_message *m)
{
	struct ack_writer *w = c->w;
	struct slice release = m->version, version = slice_cut(&release, ':');
	bool rejected = m->status == EDI_REJECTED, package = slice_is(m->type, "UNO");
	ack_text(w, "UCM");
	element(w, package ? SLICE("") : bounded(m->control_number, LARGEST_REFERENCE));
	if (!package && m->type.n && version.n && release.n)
		write_message_type(c, m);
	else
		ack_separator(w);
	write_action(c, rejected ? "4" : "7", rejected ? envelope_refusal(m) : NULL, message_tags);
	if (package) { /* 0800 and S020 stand behind 0085, 0135 and S011 */
		const struct edi_error *e = rejected ? envelope_refusal(m) : NULL;
		unsigned written = !e ? 0 : !is_one_of(e->segment, message_tags) ? 1 : e->element ? 3 : 2;
		for (; written < 3; written++)
			ack_separator(w);
		element(w, bounded(m->control_number, LARGEST_PARTY));
		element(w, version);
		component(w, release);
	}
	ack_end(w);
	if (rejected)
		write_errors(c, m);
}

static bool told(const struct contrl *c, const struct edi_message *m)
{
	return !m->acknowledgement && (m->status == EDI_REJECTED || c->w->options.accepted_messages);
}

static void write_messages(struct contrl *c, const struct edi_group *g)
{
	for (const struct edi_message *m = g->messages; m; m = m->next)
		if (told(c, m))
			write_message(c, m);
}

static void write_group(struct contrl *c, const struct edi_group *g)
{
	static const char *const tags[] = {"UNG", "UNE", NULL};
	struct ack_writer *w = c->w;
	const struct edi_error *refusal = first_refusal(g->errors);
	const struct edi_message *m = g->messages;
	while (m && !told(c, m))
		m = m->next;
	if (!refusal && !m && !w->options.accepted_messages)
		return; /* accepted with all that is in it, by UCI */
	ack_text(w, "UCF");
	element(w, bounded(g->control_number, LARGEST_REFERENCE));
	element(w, bounded(g->sender, LARGEST_PARTY));
	element(w, bounded(g->receiver, LARGEST_PARTY));
	write_action(c, refusal ? "4" : "7", refusal, tags);
	ack_end(w);
	if (!refusal)
		write_messages(c, g);
}

/* UCI, and what is below it unless all is refused. */
static void write_interchange(struct contrl *c, const char *action, const struct edi_error *refusal)
{
	static const char *const tags[] = {"UNA", "UNB", "UNZ", NULL};
	struct ack_writer *w = c->w;
	ack_text(w, "UCI");
	element(w, bounded(w->in->control_number, LARGEST_REFERENCE));
	party(c, w->in->sender);
	party(c, w->in->receiver);
	write_action(c, action, refusal, tags);
	ack_end(w);
	for (const struct edi_group *g = w->in->groups; g && *action == '7'; g = g->next) {
		if (g->real)
			write_group(c, g);
		else
			write_messages(c, g);
	}
}

/* --- what is owed ------------------------------------------------------------------------------------------------------ */

/* Never for CONTRL; an interchange without any message is answered when something is wrong with it. */
static bool wanted(const struct edi_interchange *in)
{
	bool any = false, errors = in->errors != NULL;
	for (const struct edi_group *g = in->groups; g; g = g->next) {
		errors |= g->errors != NULL;
		for (const struct edi_message *m = g->messages; m; m = m->next) {
			any = true;
			if (!m->acknowledgement)
				return true;
		}
	}
	return !any && errors;
}

/* A group or message at fault that its own answer segment cannot name: then the interchange as a whole is refused. */
static const struct edi_error *nameless(const struct contrl *c)
{
	for (const struct edi_group *g = c->w->in->groups; g; g = g->next) {
		if (g->real && (!g->control_number.n || (!c->syntax4 && (!g->sender.n || !g->receiver.n))) && first_refusal(g->errors))
			return first_refusal(g->errors);
		for (const struct edi_message *m = g->messages; m; m = m->next)
			if (!m->acknowledgement && m->status == EDI_REJECTED && !can_be_named(c, m) && first_refusal(m->errors))
				return first_refusal(m->errors);
	}
	return NULL;
}

static void write_message_head(struct contrl *c)
{
	struct ack_writer *w = c->w;
	w->segments = 0;
	ack_text(w, "UNH");
	element(w, SLICE("1"));
	element(w, SLICE("CONTRL"));
	component(w, c->syntax4 ? SLICE("4") : SLICE("D"));
	component(w, c->syntax4 ? SLICE("1") : SLICE("3"));
	component(w, SLICE("UN"));
	ack_end(w);
}

static void write_trailers(struct ack_writer *w)
{
	ack_text(w, "UNT");
	ack_separator(w);
	ack_number(w, w->segments + 1);
	element(w, SLICE("1"));
	ack_end(w);
	ack_text(w, "UNZ");
	element(w, SLICE("1"));
	ack_separator(w);
	ack_slot(w, EDI_LEVEL_INTERCHANGE, 0, 0);
	ack_end(w);
	w->out.messages = 1;
}

void ack_write_edifact(struct ack_writer *w)
{
	const struct edi_interchange *in = w->in;
	struct slice version = in->version;
	slice_cut(&version, ':');
	struct contrl c = {w, version.n && *version.p >= '4'};
	w->component = in->delimiters.component;
	w->release = in->delimiters.release;
	w->repetition = in->delimiters.repetition;
	if (!wanted(in))
		return;
	struct edi_error given = {.segment = SLICE("")};
	const struct edi_error *refusal = first_refusal(in->errors);
	if (!refusal)
		refusal = nameless(&c);
	if (w->options.refusal) {
		memcpy(given.code, w->options.refusal, strnlen(w->options.refusal, sizeof given.code - 1));
		refusal = &given;
	}
	w->out.type = SLICE("CONTRL");
	w->out.version = c.syntax4 ? SLICE("4:1") : SLICE("D:3");
	write_unb(&c);
	write_message_head(&c);
	write_interchange(&c, refusal ? "4" : w->options.received_only ? "8" : "7", refusal);
	write_trailers(w);
}
