/* One walk for both standards: three levels that open and close, with the names and codes of each standard in a table. */
#include "edi/envelope.h"

#include "edi/envelope_private.h"

struct names {
	const char *head[3], *trailer[3];
	uint32_t head_control[3]; /* element of the control number in the head */
	/* codes: trailer missing, numbers differ, count differs, number not unique */
	const char *list[3], *missing[3], *differs[3], *count[3], *doubled[3];
};

static const struct names x12_names = {
	.head = {"ISA", "GS", "ST"}, .trailer = {"IEA", "GE", "SE"}, .head_control = {13, 6, 2},
	.list = {"TA105", "AK905", "AK502"}, .missing = {"023", "3", "2"}, .differs = {"001", "4", "3"},
	.count = {"021", "5", "4"}, .doubled = {NULL, NULL, "23"},
};

static const struct names edifact_names = {
	.head = {"UNB", "UNG", "UNH"}, .trailer = {"UNZ", "UNE", "UNT"}, .head_control = {5, 5, 1},
	.list = {"0085", "0085", "0085"}, .missing = {"13", "13", "13"}, .differs = {"28", "28", "28"},
	.count = {"29", "29", "29"}, .doubled = {NULL, "26", "26"},
};

static const struct names *names_of(const struct edi_envelope *e)
{
	return e->standard == EDI_X12 ? &x12_names : &edifact_names;
}

int edi_envelope_report(struct edi_envelope *e, const struct edi_envelope_error *error)
{
	e->reports++;
	return e->on_error ? e->on_error(e->ctx, error) : 0;
}

static int event(struct edi_envelope *e, enum edi_event event, const struct edi_segment *s)
{
	return e->on_event(e->ctx, event, e, s);
}

static struct slice control_of(const struct edi_level_state *l)
{
	return slice_make(l->control, l->control_length);
}

static void open_level(struct edi_envelope *e, enum edi_level level, const struct edi_segment *s, uint64_t offset)
{
	struct edi_level_state *l = &e->levels[level];
	struct slice control = s ? slice_trim(edi_segment_element(s, names_of(e)->head_control[level])) : SLICE_NONE;
	number_set_reset(&l->numbers);
	*l = (struct edi_level_state){.open = true, .real = s != NULL, .offset = offset};
	l->control_length = (uint32_t)(control.n < EDI_CONTROL_MAX ? control.n : EDI_CONTROL_MAX);
	if (l->control_length)
		memcpy(l->control, control.p, l->control_length);
}

/* Ends a level. `s`: its trailer, or NULL where that is missing; `code`: what to report then. */
static int close_level(struct edi_envelope *e, enum edi_level level, const struct edi_segment *s, const char *missing)
{
	static const enum edi_event ends[] = {EDI_EVENT_INTERCHANGE_END, EDI_EVENT_GROUP_END, EDI_EVENT_MESSAGE_END};
	struct edi_level_state *l = &e->levels[level];
	const struct names *n = names_of(e);
	if (!l->open)
		return 0;
	int rc = e->secured ? edi_envelope_check_security(e, level) : 0;
	if (rc < 0)
		return rc;
	if (s)
		rc = edi_envelope_check_trailer(e, level, s);
	else if (l->real)
		rc = edi_envelope_report(e, &(struct edi_envelope_error){.level = level, .list = n->list[level], .code = missing,
			.segment = slice_str(level == EDI_LEVEL_MESSAGE && e->package ? "UNP" : n->trailer[level]), .text = "the trailer is missing; it ended where the next level began"});
	if (rc == 0 && e->standard == EDI_EDIFACT && l->real && level != EDI_LEVEL_MESSAGE && !l->counted)
		rc = edi_envelope_report(e, &(struct edi_envelope_error){.level = level, .list = "0085", .code = "32",
			.segment = slice_str(n->trailer[level]), .text = "there is no message in it"});
	if (rc == 0)
		rc = event(e, ends[level], s);
	l->open = false;
	if (e->heads_only)
		edi_lexer_heads_only(e->heads_only, false);
	return rc;
}

/* Ends all levels below and including `level` whose trailers are missing. */
static int close_below(struct edi_envelope *e, enum edi_level level)
{
	int rc = 0;
	e->declared = 0;
	e->is_declared = false;
	for (int i = EDI_LEVEL_MESSAGE; i >= (int)level && rc == 0; i--)
		rc = close_level(e, (enum edi_level)i, NULL, names_of(e)->missing[i]);
	return rc;
}

/* EDIFACT: security segments are an envelope function of their own (27, in syntax 4 47), others stand outside (33). */
static int misplaced(struct edi_envelope *e, const struct edi_segment *s, const char *text)
{
	struct slice id = edi_segment_element(s, 0);
	const char *code = id.n == 3 && slice_starts(id, "US") ? (e->syntax4 ? "47" : "27") : "33";
	if (e->structure_reported || !e->levels[EDI_LEVEL_INTERCHANGE].open)
		return 0;
	e->structure_reported = true; /* once for an interchange: the rest follows from it */
	bool x12 = e->standard == EDI_X12;
	return edi_envelope_report(e, &(struct edi_envelope_error){.level = EDI_LEVEL_INTERCHANGE, .list = x12 ? "TA105" : "0085",
		.code = x12 ? "022" : code, .segment = edi_segment_element(s, 0), .text = text});
}

static int open_interchange(struct edi_envelope *e, const struct edi_segment *s)
{
	int rc = close_below(e, EDI_LEVEL_INTERCHANGE);
	e->standard = s->standard;
	e->structure_reported = false;
	e->group_5010 = false;
	e->secured = 0;
	e->advised = e->una != 0;
	e->has_groups = e->has_messages = false;
	open_level(e, EDI_LEVEL_INTERCHANGE, s, e->una ? e->una - 1 : s->offset);
	e->una = 0;
	e->end = s->end;
	if (rc == 0)
		rc = event(e, EDI_EVENT_INTERCHANGE, s);
	return rc == 0 ? edi_envelope_check_head(e, EDI_LEVEL_INTERCHANGE, s) : rc;
}

static int check_unique(struct edi_envelope *e, enum edi_level level, const struct edi_segment *s)
{
	const struct names *n = names_of(e);
	const char *code = n->doubled[level];
	if (level == EDI_LEVEL_GROUP && e->group_5010)
		code = "19";
	struct slice control = control_of(&e->levels[level]);
	if (!control.n || number_set_add(&e->levels[level - 1].numbers, control))
		return 0;
	bool coded = code != NULL; /* before 005010 AK905 has no code for it, and the groups are told apart by their places */
	return edi_envelope_report(e, &(struct edi_envelope_error){.level = coded ? level : EDI_LEVEL_INTERCHANGE,
		.list = coded ? n->list[level] : "TA105", .code = coded ? code : "022", .harmless = !coded,
		.segment = edi_segment_element(s, 0), .element = n->head_control[level], .value = control,
		.text = "the control number was used before in this interchange or group; give each its own"});
}

/* EDIFACT: messages in groups, or none in groups. `which`: what stands here. */
static int check_mixed(struct edi_envelope *e, const struct edi_segment *s, bool *which)
{
	bool both = e->standard == EDI_EDIFACT && !*which && (e->has_groups || e->has_messages);
	*which = true;
	return both ? edi_envelope_report(e, &(struct edi_envelope_error){.level = EDI_LEVEL_INTERCHANGE, .list = "0085", .code = "30",
		.segment = edi_segment_element(s, 0), .text = "messages stand in groups and outside of groups; put all or none into groups"}) : 0;
}

static int open_group(struct edi_envelope *e, const struct edi_segment *s)
{
	int rc = close_below(e, EDI_LEVEL_GROUP);
	if (rc == 0 && !e->levels[EDI_LEVEL_INTERCHANGE].open)
		return 0;
	e->levels[EDI_LEVEL_INTERCHANGE].counted++;
	e->end = s->end;
	if (rc == 0)
		rc = check_mixed(e, s, &e->has_groups);
	open_level(e, EDI_LEVEL_GROUP, s, s->offset);
	if (rc == 0)
		rc = event(e, EDI_EVENT_GROUP, s);
	if (rc == 0)
		rc = edi_envelope_check_head(e, EDI_LEVEL_GROUP, s);
	return rc == 0 ? check_unique(e, EDI_LEVEL_GROUP, s) : rc;
}

/* Messages without a group: EDIFACT allows it, X12 does not. */
static int open_implied_group(struct edi_envelope *e, const struct edi_segment *s)
{
	int rc = e->standard == EDI_X12 ? misplaced(e, s, "a message stands outside of a group; put GS before and GE after it") : 0;
	if (rc == 0)
		rc = check_mixed(e, s, &e->has_messages);
	open_level(e, EDI_LEVEL_GROUP, NULL, s->offset);
	return rc == 0 ? event(e, EDI_EVENT_GROUP, NULL) : rc;
}

static int open_message(struct edi_envelope *e, const struct edi_segment *s)
{
	int rc = close_below(e, EDI_LEVEL_MESSAGE);
	if (!e->levels[EDI_LEVEL_INTERCHANGE].open)
		return rc;
	if (rc == 0 && !e->levels[EDI_LEVEL_GROUP].open)
		rc = open_implied_group(e, s);
	struct edi_level_state *group = &e->levels[EDI_LEVEL_GROUP];
	group->counted++;
	if (!group->real && e->standard == EDI_EDIFACT)
		e->levels[EDI_LEVEL_INTERCHANGE].counted++; /* UNZ counts messages where there are no groups */
	e->package = e->standard == EDI_EDIFACT && edi_segment_is(s, "UNO");
	open_level(e, EDI_LEVEL_MESSAGE, s, s->offset);
	e->end = s->end;
	e->head = s->ordinal;
	e->position = 1;
	if (e->heads_only)
		edi_lexer_heads_only(e->heads_only, true);
	if (rc == 0)
		rc = event(e, EDI_EVENT_MESSAGE, s);
	if (rc == 0)
		rc = edi_envelope_check_head(e, EDI_LEVEL_MESSAGE, s);
	if (rc == 0)
		rc = check_unique(e, EDI_LEVEL_MESSAGE, s);
	return rc == 0 ? event(e, EDI_EVENT_SEGMENT, s) : rc;
}

static int trailer(struct edi_envelope *e, enum edi_level level, const struct edi_segment *s)
{
	int rc = 0;
	if (level < EDI_LEVEL_MESSAGE)
		rc = close_below(e, (enum edi_level)(level + 1));
	if (rc < 0)
		return rc;
	struct edi_level_state *l = &e->levels[level];
	if (!l->open || !l->real || (level == EDI_LEVEL_MESSAGE && e->package != edi_segment_is(s, "UNP")))
		return misplaced(e, s, "a trailer stands without its header");
	e->end = s->end;
	if (level == EDI_LEVEL_MESSAGE) {
		e->position++;
		rc = event(e, EDI_EVENT_SEGMENT, s);
	}
	return rc == 0 ? close_level(e, level, s, NULL) : rc;
}

static inline int body(struct edi_envelope *e, const struct edi_segment *s)
{
	e->position++;
	if (e->standard == EDI_X12 && s->bytes[0] == 'S' && edi_envelope_secured(e, s))
		return 0;
	if (e->levels[EDI_LEVEL_MESSAGE].open)
		return e->heads_only ? 0 : event(e, EDI_EVENT_SEGMENT, s);
	if (!e->levels[EDI_LEVEL_INTERCHANGE].open)
		return 0;
	bool service = e->standard == EDI_X12 && !e->levels[EDI_LEVEL_GROUP].open;
	if (service && edi_segment_is(s, "TA1")) {
		int rc = edi_envelope_check_service(e, s);
		return rc == 0 ? event(e, EDI_EVENT_SERVICE, s) : rc;
	}
	if (service && (edi_segment_is(s, "ISX") || edi_segment_is(s, "TA3")))
		return event(e, EDI_EVENT_SERVICE, s);
	if (service && (edi_segment_is(s, "ISB") || edi_segment_is(s, "ISE")))
		return edi_envelope_check_service(e, s);
	return misplaced(e, s, "a segment stands outside of any message; put it between a message's header and trailer");
}

#define ID2(a, b) ((uint32_t)(a) << 8 | (b))
#define ID3(a, b, c) ((uint32_t)(a) << 16 | (uint32_t)(b) << 8 | (c))

int edi_envelope_segment(void *envelope, const struct edi_segment *s)
{
	struct edi_envelope *e = envelope;
	uint32_t n = s->at[1] - 1 - s->at[0], id = 0;
	const unsigned char *p = (const unsigned char *)s->bytes;
	e->end = s->before;
	e->position = s->ordinal - e->head; /* of the segment before, which may not have been given to us */
	if (s->flags & EDI_SEGMENT_UNA) {
		e->position++; /* it has no number of its own */
		int rc = close_below(e, EDI_LEVEL_INTERCHANGE);
		e->una = s->offset + 1;
		memcpy(e->advice, s->bytes + 3, sizeof e->advice);
		return rc;
	}
	if (n == 2)
		id = ID2(p[0], p[1]);
	else if (n == 3)
		id = ID3(p[0], p[1], p[2]);
	if (s->standard == EDI_X12) {
		switch (id) {
		case ID3('I', 'S', 'A'): return open_interchange(e, s);
		case ID2('G', 'S'): return open_group(e, s);
		case ID2('S', 'T'): return open_message(e, s);
		case ID2('S', 'E'): return trailer(e, EDI_LEVEL_MESSAGE, s);
		case ID2('G', 'E'): return trailer(e, EDI_LEVEL_GROUP, s);
		case ID3('I', 'E', 'A'): return trailer(e, EDI_LEVEL_INTERCHANGE, s);
		default: return body(e, s);
		}
	}
	switch (id) {
	case ID3('U', 'N', 'B'): return open_interchange(e, s);
	case ID3('U', 'N', 'G'): return open_group(e, s);
	case ID3('U', 'N', 'H'):
	case ID3('U', 'N', 'O'): return open_message(e, s);
	case ID3('U', 'N', 'T'):
	case ID3('U', 'N', 'P'): return trailer(e, EDI_LEVEL_MESSAGE, s);
	case ID3('U', 'N', 'E'): return trailer(e, EDI_LEVEL_GROUP, s);
	case ID3('U', 'N', 'Z'): return trailer(e, EDI_LEVEL_INTERCHANGE, s);
	default: return body(e, s);
	}
}

int edi_envelope_finish(struct edi_envelope *e, const struct edi_lexer_counts *counts)
{
	e->end = counts->end;
	e->position = counts->segments - e->head + 1;
	return close_below(e, EDI_LEVEL_INTERCHANGE);
}

void edi_envelope_free(struct edi_envelope *e)
{
	for (int i = 0; i < 3; i++)
		number_set_reset(&e->levels[i].numbers);
}

int edi_envelope_compare(struct edi_envelope *e, enum edi_level level, const struct edi_segment *s, uint64_t counted)
{
	const struct names *n = names_of(e);
	struct slice control = slice_trim(edi_segment_element(s, 2)), own = control_of(&e->levels[level]);
	struct slice declared = slice_trim(edi_segment_element(s, 1)), id = edi_segment_element(s, 0);
	unsigned long long count = 0, a, b;
	bool is_number = slice_u64(declared, &count);
	e->declared = count;
	e->is_declared = is_number;
	if (control.n > EDI_CONTROL_MAX)
		control.n = EDI_CONTROL_MAX;
	/* group and X12 interchange numbers are compared as numbers: leading zeros mean nothing, but IEA02 has nine digits */
	bool x12 = e->standard == EDI_X12, number = level == EDI_LEVEL_GROUP || (x12 && level == EDI_LEVEL_INTERCHANGE);
	bool alike = number && slice_u64(control, &a) && slice_u64(own, &b) && a == b;
	bool same = slice_eq(control, own) || (alike && level == EDI_LEVEL_GROUP);
	int rc = 0;
	/* EDIFACT: what is missing was reported */
	bool edifact = e->standard == EDI_EDIFACT, no_control = edifact && !control.n, no_count = edifact && !declared.n;
	if (!same && !no_control)
		rc = edi_envelope_report(e, &(struct edi_envelope_error){.level = level, .list = n->list[level], .code = n->differs[level],
			.segment = id, .element = 2, .value = control, .harmless = alike,
			.text = alike ? "the control number has not the digits of ISA13; repeat it as it stands there" : "the control number is not that of the header"});
	if (rc == 0 && !no_count && (!is_number || count != counted))
		rc = edi_envelope_report(e, &(struct edi_envelope_error){.level = level, .list = n->list[level], .code = n->count[level],
			.segment = id, .element = 1, .value = declared, .count = true, .text = "the count is not what was received"});
	return rc;
}
