/* CONTRL for syntax 1 to 4. Only action codes 4 (rejected), 7 (acknowledged) and 8 (received) are written: there is no
 * "accepted with errors" in CONTRL. */
#include "edi/ack_private.h"

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

/* S002, S003: identification, qualifier, sub-address. */
static void party(struct ack_writer *w, struct slice p)
{
	struct slice sub, id = ack_id(p, &sub), qualifier = ack_qualifier(p);
	element(w, id);
	if (qualifier.n || sub.n)
		component(w, qualifier);
	if (sub.n)
		component(w, sub);
}

static char syntax_version(const struct ack_writer *w)
{
	struct slice v = w->in->version;
	return v.n && v.p[v.n - 1] >= '1' && v.p[v.n - 1] <= '4' ? v.p[v.n - 1] : '3';
}

static void write_unb(struct ack_writer *w)
{
	const struct edi_interchange *in = w->in;
	struct slice rest = in->version, syntax = slice_cut(&rest, ':');
	bool plain = w->component == ':' && w->element == '+' && w->terminator == '\'' && w->release == '?';
	if (!plain) {
		char una[10] = {'U', 'N', 'A', w->component, w->element, '.', w->release ? w->release : ' ',
			w->repetition ? w->repetition : ' ', w->terminator, 0};
		ack_text(w, una);
		if (w->options.lines)
			ack_text(w, "\n");
	}
	ack_text(w, "UNB");
	element(w, syntax.n ? syntax : SLICE("UNOA"));
	component(w, rest.n ? rest : SLICE("3"));
	party(w, in->receiver);
	party(w, in->sender);
	ack_separator(w);
	if (syntax_version(w) == '4')
		ack_digits(w, (uint64_t)w->when.year, 4);
	else
		ack_digits(w, (uint64_t)w->when.year % 100, 2);
	ack_digits(w, (uint64_t)w->when.month, 2);
	ack_digits(w, (uint64_t)w->when.day, 2);
	van_buf_append_char(&w->text, w->component);
	ack_digits(w, (uint64_t)w->when.hour, 2);
	ack_digits(w, (uint64_t)w->when.minute, 2);
	ack_separator(w);
	ack_slot(w, EDI_LEVEL_INTERCHANGE, 0, 0);
	if (in->usage == 'T') {
		for (int i = 0; i < 6; i++) /* 0022, 0026, 0029, 0031, 0032 are left out before 0035 */
			ack_separator(w);
		ack_text(w, "1");
	}
	ack_end(w);
	w->out.interchanges = 1;
}

/* UCS and UCD: what is wrong in which segment. */
static void write_errors(struct ack_writer *w, const struct edi_message *m)
{
	uint64_t position = 0;
	for (const struct edi_error *e = m->errors; e; e = e->next) {
		if (!e->position)
			continue;
		if (e->position != position || !e->element) {
			ack_text(w, "UCS");
			ack_separator(w);
			ack_number(w, e->position);
			if (!e->element)
				element(w, slice_str(e->code));
			ack_end(w);
			position = e->position;
		}
		if (!e->element)
			continue;
		ack_text(w, "UCD");
		element(w, slice_str(e->code));
		ack_separator(w);
		ack_number(w, e->element);
		if (e->component) {
			van_buf_append_char(&w->text, w->component);
			ack_number(w, e->component);
		}
		ack_end(w);
	}
}

static void write_message(struct ack_writer *w, const struct edi_message *m)
{
	struct slice rest = m->version, version = slice_cut(&rest, ':');
	bool rejected = m->status == EDI_REJECTED;
	ack_text(w, "UCM");
	element(w, m->control_number);
	element(w, m->type);
	component(w, version);
	component(w, rest);
	component(w, m->agency.n ? m->agency : SLICE("UN"));
	if (m->association.n && m->association.n <= 6)
		component(w, m->association);
	element(w, rejected ? SLICE("4") : SLICE("7"));
	ack_end(w);
	if (rejected)
		write_errors(w, m);
}

static void write_group_head(struct ack_writer *w, const struct edi_group *g)
{
	ack_text(w, "UCF");
	element(w, g->control_number);
	element(w, g->sender);
	element(w, g->receiver);
	element(w, ack_refused(g->errors) ? SLICE("4") : SLICE("7"));
	if (g->errors && ack_refused(g->errors))
		element(w, slice_str(g->errors->code));
	ack_end(w);
}

static bool anything_wanted(const struct edi_interchange *in)
{
	for (const struct edi_group *g = in->groups; g; g = g->next)
		if (g->messages && ack_wanted(g))
			return true;
	return in->errors && !in->groups;
}

/* A message that cannot be named in a UCM: then the interchange as a whole is rejected. */
static bool nameless(const struct edi_interchange *in)
{
	for (const struct edi_group *g = in->groups; g; g = g->next)
		for (const struct edi_message *m = g->messages; m; m = m->next)
			if (!m->type.n || !m->control_number.n)
				return true;
	return false;
}

void ack_write_edifact(struct ack_writer *w)
{
	const struct edi_interchange *in = w->in;
	bool own = ack_refused(in->errors), refused = own || nameless(in);
	w->component = in->delimiters.component;
	w->release = in->delimiters.release;
	w->repetition = in->delimiters.repetition;
	if (!anything_wanted(in))
		return;
	w->out.type = SLICE("CONTRL");
	w->out.version = syntax_version(w) == '4' ? SLICE("4:1") : SLICE("D:3");
	write_unb(w);
	w->segments = 0;
	ack_text(w, "UNH");
	element(w, SLICE("1"));
	element(w, SLICE("CONTRL"));
	component(w, syntax_version(w) == '4' ? SLICE("4") : SLICE("D"));
	component(w, syntax_version(w) == '4' ? SLICE("1") : SLICE("3"));
	component(w, SLICE("UN"));
	ack_end(w);
	ack_text(w, "UCI");
	element(w, in->control_number);
	party(w, in->sender);
	party(w, in->receiver);
	element(w, refused ? SLICE("4") : SLICE("7"));
	if (refused)
		element(w, own ? slice_str(in->errors->code) : SLICE("13"));
	ack_end(w);
	for (const struct edi_group *g = in->groups; g && !refused; g = g->next) {
		if (g->real)
			write_group_head(w, g);
		for (const struct edi_message *m = g->messages; m; m = m->next)
			if (!m->acknowledgement && (m->errors || w->options.accepted_messages))
				write_message(w, m);
	}
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
