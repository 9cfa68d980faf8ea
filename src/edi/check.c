/* Events of the envelope reader become a report, or calls of a sink. */
#include "edi/check_private.h"

#include "edi/code_extension.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#define STREAM_MEMORY ((size_t)4 << 20) /* each level of a streaming checker */
#define LARGEST_NAME 256
#define READ_CHUNK ((size_t)128 << 10) /* stays in the second-level cache */

const char *edi_standard_name(enum edi_standard s)
{
	return s == EDI_X12 ? "X12" : s == EDI_EDIFACT ? "EDIFACT" : "unknown";
}

const char *edi_status_name(enum edi_status s)
{
	static const char *const names[] = {"accepted", "accepted-with-errors", "partially-accepted", "rejected"};
	return names[s];
}

static const struct {
	const char *name, *text;
} tolerated[EDI_TOLERATED_KINDS] = {
	[EDI_TOLERATED_LINE_ENDS] = {"line-ends", "line ends after segment terminators"},
	[EDI_TOLERATED_BLANKS] = {"blanks", "blanks between segments; leave them out"},
	[EDI_TOLERATED_EMPTY] = {"empty-segments", "segment terminators with nothing before them; leave them out"},
	[EDI_TOLERATED_TRAILING] = {"trailing-separators", "element separators at the end of segments; leave them out"},
	[EDI_TOLERATED_NEWLINE] = {"newline-terminator", "a line end is the segment terminator"},
	[EDI_TOLERATED_WIDE] = {"wide-terminator", "the segment terminator is a character of several bytes; use one of a single byte"},
	[EDI_TOLERATED_ISA_LENGTH] = {"isa-length", "ISA has not 106 bytes; pad its elements to their lengths"},
	[EDI_TOLERATED_NO_COMPONENT] = {"no-component-separator", "ISA16 is missing; name a component separator there"},
	[EDI_TOLERATED_WRAPPED] = {"wrapped-lines", "line ends inside of segments; they were left out"},
	[EDI_TOLERATED_UNTERMINATED] = {"unterminated", "the last segment has no terminator"},
};

const char *edi_tolerated_name(enum edi_tolerated kind)
{
	return tolerated[kind].name;
}

const char *edi_tolerated_text(enum edi_tolerated kind)
{
	return tolerated[kind].text;
}

void *edi_checker_alloc(struct edi_checker *c, enum edi_level level, size_t n)
{
	void *p = c->error ? NULL : van_arena_alloc(c->arena[level], n);
	if (!p)
		c->error = c->error ? c->error : VAN_ENOMEM;
	return p;
}

struct slice edi_checker_copy(struct edi_checker *c, enum edi_level level, struct slice s)
{
	if (!s.n)
		return SLICE("");
	if (s.n > LARGEST_NAME)
		s.n = LARGEST_NAME; /* no element that is kept is that long, unless the input is garbage */
	struct slice copy = c->error ? SLICE_NONE : van_arena_slice(c->arena[level], s);
	if (!copy.p)
		c->error = c->error ? c->error : VAN_ENOMEM;
	return copy.p ? copy : SLICE("");
}

/* --- beginnings -------------------------------------------------------------------------------------------------------- */

static struct slice trimmed(const struct edi_segment *s, uint32_t element)
{
	return slice_trim(edi_segment_element(s, element));
}

static struct slice component(struct slice element, const struct edi_delimiters *d, unsigned number)
{
	struct slice part = SLICE_NONE;
	for (unsigned i = 0; i < number; i++)
		part = element.p ? edi_cut(&element, d->component, d->release) : SLICE_NONE;
	return part.p ? slice_trim(part) : SLICE("");
}

struct slice edi_checker_readable(struct edi_checker *c, enum edi_level level, struct slice s)
{
	if (!c->interchange || !c->interchange->delimiters.shifts || !edi_shift_any(s))
		return edi_checker_copy(c, level, s);
	struct van_buf text = VAN_BUF_INIT(4 * LARGEST_NAME);
	if (s.n > LARGEST_NAME / 3) /* a byte becomes three at most */
		s.n = LARGEST_NAME / 3;
	struct slice copy = edi_shift_to_utf8(s, &text) < 0 ? SLICE_NONE : edi_checker_copy(c, level, van_buf_slice(&text));
	if (!copy.p)
		c->error = c->error ? c->error : VAN_ENOMEM;
	van_buf_free(&text);
	return copy.p ? copy : SLICE("");
}

struct slice edi_checker_plain(struct edi_checker *c, enum edi_level level, const struct edi_segment *s, struct slice value)
{
	if (!(s->flags & EDI_SEGMENT_RELEASE))
		return edi_checker_readable(c, level, value);
	char room[LARGEST_NAME];
	if (value.n > LARGEST_NAME)
		value.n = LARGEST_NAME;
	return edi_checker_readable(c, level, edi_unescape(value, s->delimiters->release, room));
}

static struct slice pair(struct edi_checker *c, struct slice qualifier, struct slice id)
{
	if (qualifier.n > LARGEST_NAME)
		qualifier.n = LARGEST_NAME;
	if (id.n > LARGEST_NAME)
		id.n = LARGEST_NAME;
	struct slice s = van_arena_printf(c->arena[EDI_LEVEL_INTERCHANGE], "%.*s:%.*s", SLICE_ARG(qualifier), SLICE_ARG(id));
	if (!s.p)
		c->error = VAN_ENOMEM;
	return s.p ? s : SLICE("");
}

/* S002, S003: identification, qualifier, internal sub-address. */
static struct slice edifact_party(struct edi_checker *c, const struct edi_segment *s, uint32_t element)
{
	struct slice e = edi_segment_element(s, element), part[3];
	for (unsigned i = 0; i < 3; i++)
		part[i] = edi_checker_plain(c, EDI_LEVEL_INTERCHANGE, s, component(e, s->delimiters, i + 1));
	struct slice party = pair(c, part[1], part[0]);
	return part[2].n ? pair(c, party, part[2]) : party;
}

static void fill_unb(struct edi_checker *c, struct edi_interchange *i, const struct edi_segment *s)
{
	const struct edi_delimiters *d = s->delimiters;
	struct slice syntax = edi_segment_element(s, 1), when = edi_segment_element(s, 4);
	i->version = pair(c, component(syntax, d, 1), component(syntax, d, 2));
	i->sender = edifact_party(c, s, 2);
	i->receiver = edifact_party(c, s, 3);
	i->date = edi_checker_copy(c, EDI_LEVEL_INTERCHANGE, component(when, d, 1));
	i->time = edi_checker_copy(c, EDI_LEVEL_INTERCHANGE, component(when, d, 2));
	i->control_number = edi_checker_plain(c, EDI_LEVEL_INTERCHANGE, s, trimmed(s, 5));
	i->application = edi_checker_plain(c, EDI_LEVEL_INTERCHANGE, s, trimmed(s, 7));
	i->ack_requested = slice_is(trimmed(s, 9), "1");
	i->usage = trimmed(s, 11).n ? 'T' : 'P'; /* 1 test; in syntax 4 also 2 syntax test, 3 and 4 an echo: never business */
}

static void fill_isa(struct edi_checker *c, struct edi_interchange *i, const struct edi_segment *s)
{
	struct slice usage = trimmed(s, 15);
	i->sender = pair(c, trimmed(s, 5), trimmed(s, 6));
	i->receiver = pair(c, trimmed(s, 7), trimmed(s, 8));
	i->date = edi_checker_copy(c, EDI_LEVEL_INTERCHANGE, trimmed(s, 9));
	i->time = edi_checker_copy(c, EDI_LEVEL_INTERCHANGE, trimmed(s, 10));
	i->version = edi_checker_copy(c, EDI_LEVEL_INTERCHANGE, trimmed(s, 12));
	i->control_number = edi_checker_copy(c, EDI_LEVEL_INTERCHANGE, trimmed(s, 13));
	i->ack_requested = slice_is(trimmed(s, 14), "1");
	i->usage = usage.n == 1 ? *usage.p : 'P';
	i->application = SLICE("");
}

static int interchange_begin(struct edi_checker *c, const struct edi_envelope *e, const struct edi_segment *s)
{
	struct edi_interchange *i = edi_checker_alloc(c, EDI_LEVEL_INTERCHANGE, sizeof *i);
	if (!i)
		return c->error;
	const struct edi_delimiters *d = s->delimiters;
	c->interchange = i;
	c->interchanges++;
	c->group = NULL;
	c->message = NULL;
	i->offset = e->levels[EDI_LEVEL_INTERCHANGE].offset;
	i->standard = s->standard;
	i->delimiters.element = d->element;
	i->delimiters.component = d->component;
	i->delimiters.repetition = d->repetition;
	i->delimiters.release = d->release;
	i->delimiters.terminator = d->terminator;
	i->delimiters.shifts = d->shifts;
	if (s->standard == EDI_X12)
		fill_isa(c, i, s);
	else
		fill_unb(c, i, s);
	struct slice version = i->version, level = slice_cut(&version, ':');
	bool edifact = s->standard == EDI_EDIFACT;
	edi_validator_syntax(&c->validator, edifact ? edi_charset_of(level) : EDI_CHARSET_NONE, edifact && version.n && *version.p >= '4',
		e->advised && (e->advice[2] == '.' || e->advice[2] == ',') ? e->advice[2] : 0);
	c->group_tail = &i->groups;
	c->ta1_tail = &i->ta1;
	c->groups_accepted = c->groups_rejected = c->groups_other = 0;
	edi_policy_begin(c, EDI_LEVEL_INTERCHANGE);
	edi_errors_begin(c, EDI_LEVEL_INTERCHANGE, &i->errors);
	if (c->collect) {
		*c->interchange_tail = i;
		c->interchange_tail = &i->next;
	}
	return c->sink.interchange_begin && !c->error ? c->sink.interchange_begin(c->sink.ctx, i) : c->error;
}

static int group_begin(struct edi_checker *c, const struct edi_envelope *e, const struct edi_segment *s)
{
	struct edi_group *g = edi_checker_alloc(c, EDI_LEVEL_GROUP, sizeof *g);
	if (!g)
		return c->error;
	c->group = g;
	*g = (struct edi_group){.offset = e->levels[EDI_LEVEL_GROUP].offset, .real = s != NULL, .code = SLICE(""), .version = SLICE(""),
		.agency = SLICE(""), .control_number = SLICE(""), .sender = SLICE(""), .receiver = SLICE(""), .date = SLICE(""), .time = SLICE("")};
	if (s && s->standard == EDI_X12) {
		struct slice *to[] = {&g->code, &g->sender, &g->receiver, &g->date, &g->time, &g->control_number, &g->agency, &g->version};
		for (uint32_t i = 0; i < 8; i++)
			*to[i] = edi_checker_copy(c, EDI_LEVEL_GROUP, trimmed(s, i + 1));
	} else if (s) {
		const struct edi_delimiters *d = s->delimiters;
		g->code = edi_checker_plain(c, EDI_LEVEL_GROUP, s, trimmed(s, 1));
		g->sender = edi_checker_plain(c, EDI_LEVEL_GROUP, s, component(edi_segment_element(s, 2), d, 1));
		g->receiver = edi_checker_plain(c, EDI_LEVEL_GROUP, s, component(edi_segment_element(s, 3), d, 1));
		g->date = edi_checker_plain(c, EDI_LEVEL_GROUP, s, component(edi_segment_element(s, 4), d, 1));
		g->time = edi_checker_plain(c, EDI_LEVEL_GROUP, s, component(edi_segment_element(s, 4), d, 2));
		g->control_number = edi_checker_plain(c, EDI_LEVEL_GROUP, s, trimmed(s, 5));
		g->agency = edi_checker_plain(c, EDI_LEVEL_GROUP, s, trimmed(s, 6));
	}
	c->message_tail = &g->messages;
	c->group_messages = c->group_rejected = c->group_with_errors = 0;
	edi_policy_begin(c, EDI_LEVEL_GROUP);
	edi_errors_begin(c, EDI_LEVEL_GROUP, &g->errors);
	if (c->collect) {
		*c->group_tail = g;
		c->group_tail = &g->next;
	}
	return c->sink.group_begin && !c->error ? c->sink.group_begin(c->sink.ctx, g) : c->error;
}

/* The element's first `n` components, trimmed; "" for those that it does not have. */
static void components(struct slice element, const struct edi_delimiters *d, struct slice *part, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		struct slice one = element.p ? edi_cut(&element, d->component, d->release) : SLICE_NONE;
		part[i] = one.p ? slice_trim(one) : SLICE("");
	}
}

static void fill_message(struct edi_checker *c, struct edi_message *m, const struct edi_segment *s)
{
	const struct edi_delimiters *d = s->delimiters;
	m->control_number = edi_checker_plain(c, EDI_LEVEL_MESSAGE, s, trimmed(s, s->standard == EDI_X12 ? 2 : 1));
	if (s->standard == EDI_X12) {
		m->type = edi_checker_copy(c, EDI_LEVEL_MESSAGE, trimmed(s, 1));
		m->association = edi_checker_copy(c, EDI_LEVEL_MESSAGE, trimmed(s, 3));
		m->version = c->group->version;
		m->agency = SLICE("");
		return;
	}
	struct slice part[5]; /* S009: type, version, release, agency, association */
	components(edi_segment_element(s, 2), d, part, 5);
	if (edi_segment_is(s, "UNO")) { /* a package: its reference (S020) stands for the version */
		m->type = SLICE("UNO");
		m->agency = m->association = SLICE("");
		m->version = van_arena_printf(c->arena[EDI_LEVEL_MESSAGE], "%.*s:%.*s", SLICE_ARG(part[0]), SLICE_ARG(part[1]));
		if (!m->version.p)
			c->error = VAN_ENOMEM;
		return;
	}
	m->type = edi_checker_plain(c, EDI_LEVEL_MESSAGE, s, part[0]);
	m->agency = edi_checker_plain(c, EDI_LEVEL_MESSAGE, s, part[3]);
	m->association = edi_checker_plain(c, EDI_LEVEL_MESSAGE, s, part[4]);
	struct slice first = part[1], release = part[2];
	if (first.n && release.p == first.p + first.n + 1 && d->component == ':' && !(s->flags & EDI_SEGMENT_RELEASE)) {
		m->version = edi_checker_copy(c, EDI_LEVEL_MESSAGE, slice_make(first.p, first.n + 1 + release.n)); /* as it stands */
		return;
	}
	struct slice version = van_arena_printf(c->arena[EDI_LEVEL_MESSAGE], "%.*s:%.*s", SLICE_ARG(first), SLICE_ARG(release));
	if (!version.p)
		c->error = VAN_ENOMEM;
	m->version = version.p ? version : SLICE("");
}

static void not_supported(struct edi_checker *c, const struct edi_segment *s)
{
	bool x12 = s->standard == EDI_X12;
	edi_checker_envelope_error(c, &(struct edi_envelope_error){.level = EDI_LEVEL_MESSAGE, .list = x12 ? "AK502" : "0085",
		.code = x12 ? "1" : "14", .segment = edi_segment_element(s, 0), .element = x12 ? 1 : 2, .component = x12 ? 0 : 1,
		.value = c->message->type, .text = "messages of this type and version are not taken"});
}

/* X12: what the message says of its kind must fit the group. Only 999 has codes of its own for that. */
static void check_kind(struct edi_checker *c, const struct edi_envelope *e, const struct edi_segment *s)
{
	const struct edi_message *m = c->message;
	const struct edi_group *g = c->group;
	if (!g->real || !c->def)
		return;
	if (c->def->group.n && !slice_eq(c->def->group, g->code))
		edi_checker_envelope_error(c, &(struct edi_envelope_error){.level = EDI_LEVEL_MESSAGE, .list = e->group_5010 ? "IK502" : "AK502",
			.code = e->group_5010 ? "18" : "6", .segment = edi_segment_element(s, 0), .element = 1, .value = m->type,
			.text = "messages of this type go into groups of another functional code (GS01)"});
	if (e->group_5010 && m->association.n && g->version.n > 6 && !slice_eq(m->association, g->version))
		edi_checker_envelope_error(c, &(struct edi_envelope_error){.level = EDI_LEVEL_MESSAGE, .list = "IK502", .code = "19",
			.segment = edi_segment_element(s, 0), .element = 3, .value = m->association, .harmless = true,
			.text = "the guide named here is not that of the group (GS08)"});
}

static int message_begin(struct edi_checker *c, const struct edi_envelope *e, const struct edi_segment *s)
{
	struct edi_message *m = &c->scratch;
	c->listed = !c->collect || c->messages_listed < c->options.max_messages;
	if (c->collect)
		c->arena[EDI_LEVEL_MESSAGE] = c->listed ? c->arena[EDI_LEVEL_GROUP] : c->spare;
	if (c->listed) {
		m = edi_checker_alloc(c, EDI_LEVEL_MESSAGE, sizeof *m);
		if (!m)
			return c->error;
		c->messages_listed++;
	} else {
		*m = (struct edi_message){0};
		c->report.truncated = true;
	}
	c->message = m;
	m->offset = e->levels[EDI_LEVEL_MESSAGE].offset;
	fill_message(c, m, s);
	c->group->message_count++;
	edi_errors_begin(c, EDI_LEVEL_MESSAGE, &m->errors);
	c->key_tail = &m->keys;
	c->key_count = 0;
	if (!c->options.envelopes_only)
		edi_keys_begin(c);
	m->acknowledgement = edi_ack_type(s->standard, m->type);
	if (!c->error)
		c->error = edi_policy_message(c);
	c->def = NULL;
	if (!c->options.envelopes_only && !c->error)
		c->error = edi_dictionary_find(c->set, s->standard, m->version, m->type, &c->def, &c->trouble);
	m->known = c->def != NULL;
	m->checked_as = SLICE_NONE;
	if (!m->known && c->policy->nearest_version && !c->options.envelopes_only && !c->error)
		c->error = edi_dictionary_nearest(c->set, s->standard, m->version, m->type, &c->def, &m->checked_as, &c->trouble);
	if (!c->def && c->policy->known_only && !c->options.envelopes_only && !e->package && !c->error)
		not_supported(c, s);
	if (s->standard == EDI_X12)
		check_kind(c, e, s);
	if (c->collect && c->listed) {
		*c->message_tail = m;
		c->message_tail = &m->next;
	}
	if (!c->error)
		c->error = edi_policy_guide(c);
	return c->def && !c->error ? edi_validator_begin(&c->validator, c->def) : c->error;
}

/* --- endings ----------------------------------------------------------------------------------------------------------- */

static int message_end(struct edi_checker *c, const struct edi_envelope *e)
{
	if (c->guide && edi_guide_end(c->guide) < 0)
		return c->error;
	c->guide = NULL;
	struct edi_message *m = c->message;
	const struct edi_error_list *errors = &c->errors[EDI_LEVEL_MESSAGE];
	m->segments = e->position;
	m->length = e->end - m->offset;
	m->error_count = errors->count;
	m->status = errors->rejected ? EDI_REJECTED : errors->tolerated ? EDI_ACCEPTED_WITH_ERRORS : EDI_ACCEPTED;
	c->report.messages++;
	c->group_messages++;
	c->group_rejected += m->status == EDI_REJECTED;
	c->group_with_errors += m->status == EDI_ACCEPTED_WITH_ERRORS;
	c->report.messages_rejected += m->status == EDI_REJECTED;
	c->report.messages_with_errors += m->status == EDI_ACCEPTED_WITH_ERRORS;
	int rc = c->error;
	if (rc == 0 && c->sink.message_end)
		rc = c->sink.message_end(c->sink.ctx, m);
	c->message = NULL;
	if (!c->collect || !c->listed)
		van_arena_reset(c->arena[EDI_LEVEL_MESSAGE]);
	return rc;
}

/* Of `n` below, `rejected` and `with_errors`, and its own errors. A group without rejections is never partial. */
static enum edi_status status_of(const struct edi_error_list *own, uint64_t n, uint64_t rejected, uint64_t with_errors)
{
	if (own->rejected || (n && rejected == n))
		return EDI_REJECTED;
	if (rejected)
		return EDI_PARTIALLY_ACCEPTED;
	return with_errors || own->tolerated ? EDI_ACCEPTED_WITH_ERRORS : EDI_ACCEPTED;
}

static int group_end(struct edi_checker *c, const struct edi_envelope *e)
{
	struct edi_group *g = c->group;
	g->length = e->end - g->offset;
	g->declared_count = e->declared;
	g->declared = e->is_declared;
	edi_errors_judge(c, EDI_LEVEL_GROUP, g->errors, edi_policy_level(c, EDI_LEVEL_GROUP));
	g->status = status_of(&c->errors[EDI_LEVEL_GROUP], c->group_messages, c->group_rejected, c->group_with_errors);
	edi_policy_reach_group(c, g);
	g->accepted_count = g->status == EDI_REJECTED ? 0 : c->group_messages - c->group_rejected;
	c->groups_accepted += g->status == EDI_ACCEPTED;
	c->groups_rejected += g->status == EDI_REJECTED;
	c->groups_other += g->status == EDI_PARTIALLY_ACCEPTED;
	c->interchange->group_count++;
	int rc = c->error;
	if (rc == 0 && c->sink.group_end)
		rc = c->sink.group_end(c->sink.ctx, g);
	c->group = NULL;
	if (!c->collect)
		van_arena_reset(c->arena[EDI_LEVEL_GROUP]);
	return rc;
}

/* A strict agreement rejects what others tolerate, but for line ends after segments or as their terminator: those are
 * everywhere. EDIFACT has a code of its own for separators at the end. */
static bool never_rejected(enum edi_tolerated kind, bool x12)
{
	return kind == EDI_TOLERATED_LINE_ENDS || kind == EDI_TOLERATED_NEWLINE || (kind == EDI_TOLERATED_TRAILING && !x12);
}

static void report_tolerated(struct edi_checker *c, const struct edi_check_policy *p)
{
	bool x12 = c->interchange->standard == EDI_X12;
	for (unsigned k = 0; k < EDI_TOLERATED_KINDS; k++)
		if (p->strict_syntax && c->interchange->tolerated[k].count && !never_rejected((enum edi_tolerated)k, x12))
			edi_checker_envelope_error(c, &(struct edi_envelope_error){.level = EDI_LEVEL_INTERCHANGE, .list = x12 ? "TA105" : "0085",
				.code = x12 ? "022" : "18", .segment = SLICE(""), .text = edi_tolerated_text((enum edi_tolerated)k)});
}

static int interchange_end(struct edi_checker *c, const struct edi_envelope *e)
{
	struct edi_interchange *i = c->interchange;
	uint64_t others = i->group_count - c->groups_accepted - c->groups_rejected - c->groups_other;
	i->length = e->end - i->offset;
	i->declared_count = e->declared;
	memcpy(i->tolerated, edi_lexer_tolerated(c->lexer), sizeof i->tolerated);
	report_tolerated(c, edi_policy_level(c, EDI_LEVEL_INTERCHANGE));
	edi_errors_judge(c, EDI_LEVEL_INTERCHANGE, i->errors, edi_policy_level(c, EDI_LEVEL_INTERCHANGE));
	i->status = status_of(&c->errors[EDI_LEVEL_INTERCHANGE], i->group_count, c->groups_rejected, others);
	if (i->status != EDI_REJECTED && c->groups_other)
		i->status = EDI_PARTIALLY_ACCEPTED;
	edi_policy_reach_interchange(c, i);
	int rc = c->error;
	if (rc == 0 && c->sink.interchange_end)
		rc = c->sink.interchange_end(c->sink.ctx, i);
	c->interchange = NULL;
	if (!c->collect)
		van_arena_reset(c->arena[EDI_LEVEL_INTERCHANGE]);
	return rc;
}

static int segment(struct edi_checker *c, const struct edi_envelope *e, const struct edi_segment *s)
{
	if (c->options.envelopes_only)
		return c->error;
	for (const struct edi_key_row *row = c->keys; row < c->keys_end; row++)
		if (s->bytes[0] == row->segment[0] && edi_segment_is(s, row->segment))
			edi_keys_segment(c, row, s);
	if (c->message->acknowledgement)
		edi_ack_read_segment(c, s);
	if (c->def) {
		int rc = edi_validator_segment(&c->validator, s, e->position);
		return rc == 0 && c->guide && c->validator.placed ? edi_guide_segment(c->guide, s, c->validator.at, e->position) : rc;
	}
	if (s->standard == EDI_EDIFACT && !c->error && !c->options.envelopes_only)
		return edi_validator_characters(&c->validator, s, e->position);
	return c->error;
}

static int on_event(void *ctx, enum edi_event event, const struct edi_envelope *e, const struct edi_segment *s)
{
	struct edi_checker *c = ctx;
	switch (event) {
	case EDI_EVENT_SEGMENT: return segment(c, e, s);
	case EDI_EVENT_INTERCHANGE: return interchange_begin(c, e, s);
	case EDI_EVENT_GROUP: return group_begin(c, e, s);
	case EDI_EVENT_MESSAGE: return message_begin(c, e, s);
	case EDI_EVENT_SERVICE:
		if (edi_segment_is(s, "TA1"))
			edi_ack_read_ta1(c, s);
		return c->error;
	case EDI_EVENT_MESSAGE_END: return message_end(c, e);
	case EDI_EVENT_GROUP_END: return group_end(c, e);
	case EDI_EVENT_INTERCHANGE_END: return interchange_end(c, e);
	}
	return VAN_EINTERNAL;
}

/* --- the checker ------------------------------------------------------------------------------------------------------- */

static void take_options(struct edi_checker *c, const struct edi_check_options *options)
{
	struct edi_check_options o = options ? *options : (struct edi_check_options){0};
	o.max_segment = o.max_segment ? o.max_segment : (size_t)1 << 20;
	o.max_value = o.max_value ? o.max_value : 99;
	o.max_message_errors = o.max_message_errors ? o.max_message_errors : 100;
	o.max_errors = o.max_errors ? o.max_errors : 10000;
	o.max_messages = o.max_messages ? o.max_messages : 250000;
	o.max_keys = o.max_keys ? o.max_keys : 4;
	c->options = o;
}

static struct edi_checker *checker_new(struct edi_dictionary_set *set, const struct edi_check_options *options,
	const struct edi_check_sink *sink, struct van_arena *collect)
{
	struct edi_checker *c = calloc(1, sizeof *c);
	if (!c)
		return NULL;
	take_options(c, options);
	c->set = set;
	c->collect = collect != NULL;
	if (sink)
		c->sink = *sink;
	c->interchange_tail = &c->report.interchanges;
	c->envelope = (struct edi_envelope){.on_event = on_event, .on_error = edi_checker_envelope_error, .ctx = c};
	c->validator.fn = edi_checker_problem;
	c->validator.ctx = c;
	c->policy = &c->options.policy;
	c->validator.scratch.max = c->options.max_segment;
	bool whole = true;
	for (int i = 0; i < 3; i++) {
		c->arena[i] = collect ? collect : van_arena_new(STREAM_MEMORY);
		whole = whole && c->arena[i];
	}
	if (collect)
		whole = (c->spare = van_arena_new(STREAM_MEMORY)) != NULL;
	struct edi_lexer_options lexer = {.max_segment = c->options.max_segment};
	c->lexer = edi_lexer_new(&lexer, edi_envelope_segment, &c->envelope);
	c->envelope.heads_only = c->options.envelopes_only ? c->lexer : NULL;
	if (!whole || !c->lexer) {
		edi_checker_free(c);
		return NULL;
	}
	return c;
}

struct edi_checker *edi_checker_new(struct edi_dictionary_set *set, const struct edi_check_options *options,
	const struct edi_check_sink *sink)
{
	return checker_new(set, options, sink, NULL);
}

void edi_checker_free(struct edi_checker *c)
{
	if (!c)
		return;
	for (int i = 0; i < 3 && !c->collect; i++)
		van_arena_free(c->arena[i]);
	van_arena_free(c->spare);
	edi_lexer_free(c->lexer);
	edi_envelope_free(&c->envelope);
	edi_validator_free(&c->validator);
	edi_policy_free(c);
	free(c);
}

static void finish_report(struct edi_checker *c)
{
	struct edi_lexer_counts counts = edi_lexer_counts(c->lexer);
	struct edi_error **tail = &c->report.errors;
	c->report.bytes = counts.bytes;
	c->report.segments = counts.segments;
	c->report.junk = counts.junk;
	c->report.interchange_count = c->interchanges;
	c->report.byte_order_mark = counts.byte_order_mark;
	if (!c->interchanges)
		edi_checker_input_error(c, &tail, "TA105", "022",
			"the input holds no interchange: nothing in it begins with a readable ISA, UNA or UNB");
	else if (counts.junk)
		edi_checker_input_error(c, &tail, "TA105", "022", "the input holds bytes outside of any interchange; they were skipped");
}

int edi_checker_feed(struct edi_checker *c, struct slice chunk, bool last)
{
	int rc = c->error ? c->error : edi_lexer_feed(c->lexer, chunk, last);
	struct edi_lexer_counts counts = edi_lexer_counts(c->lexer);
	if (rc == 0 && last)
		rc = edi_envelope_finish(&c->envelope, &counts);
	if (rc == 0 && last)
		finish_report(c);
	if (rc == 0)
		rc = c->error;
	return c->error = rc;
}

const struct edi_report *edi_checker_report(const struct edi_checker *c)
{
	return &c->report;
}

/* --- whole reports ----------------------------------------------------------------------------------------------------- */

static int checked(struct edi_checker *c, int rc, struct van_arena *arena, struct edi_report **ret, struct van_error *e)
{
	struct edi_report *r = rc == 0 ? van_arena_alloc(arena, sizeof *r) : NULL;
	if (r) {
		*r = c->report;
		*ret = r;
	} else if (c->trouble.code) {
		if (e)
			*e = c->trouble;
	} else if (rc == 0 || rc == VAN_ENOMEM) {
		rc = van_error_set(e, VAN_ENOMEM, "the report needs more memory than its bound; lower max_messages or raise the arena's maximum");
	}
	edi_checker_free(c);
	return rc;
}

static struct edi_checker *collector(struct edi_dictionary_set *set, const struct edi_check_options *options,
	struct van_arena *arena, struct van_error *e)
{
	struct edi_checker *c = checker_new(set, options, NULL, arena);
	if (!c)
		van_error_set(e, VAN_ENOMEM, "no memory to check EDI");
	return c;
}

int edi_check_bytes(struct slice input, struct edi_dictionary_set *set, const struct edi_check_options *options,
	struct van_arena *arena, struct edi_report **ret, struct van_error *e)
{
	struct edi_checker *c = collector(set, options, arena, e);
	return c ? checked(c, edi_checker_feed(c, input, true), arena, ret, e) : VAN_ENOMEM;
}

uint64_t edi_checker_open(const struct edi_checker *c, bool *message)
{
	const struct edi_level_state *l = &c->envelope.levels[EDI_LEVEL_MESSAGE];
	*message = l->open;
	return l->open ? l->offset : c->envelope.end;
}

int edi_checker_read(struct edi_checker *c, int fd, struct van_error *e)
{
	char *chunk = malloc(READ_CHUNK);
	int rc = chunk ? 0 : van_error_set(e, VAN_ENOMEM, "no memory to read EDI");
	bool last = false;
	while (rc == 0 && !last) {
		ssize_t n = read(fd, chunk, READ_CHUNK);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			rc = van_error_set(e, van_err_from_errno(errno), "reading failed: %s", strerror(errno));
			break;
		}
		last = n == 0;
		rc = edi_checker_feed(c, slice_make(chunk, (size_t)n), last);
		if (c->trouble.code && e)
			*e = c->trouble;
		else if (rc == VAN_ENOMEM)
			van_error_set(e, VAN_ENOMEM, "checking needs more memory than its bound");
	}
	free(chunk);
	return rc;
}

int edi_check_fd(int fd, struct edi_dictionary_set *set, const struct edi_check_options *options, struct van_arena *arena,
	struct edi_report **ret, struct van_error *e)
{
	struct edi_checker *c = collector(set, options, arena, e);
	return c ? checked(c, edi_checker_read(c, fd, e), arena, ret, e) : VAN_ENOMEM;
}
