/* From faults to the errors of the report: code, list, and a text that says what to do. */
#include "edi/check_private.h"

#include <stdio.h>

void edi_errors_begin(struct edi_checker *c, enum edi_level level, struct edi_error **list)
{
	c->errors[level] = (struct edi_error_list){.tail = list};
}

/* A segment's identifier: more than a few bytes of it are garbage. */
static struct slice or_empty(struct slice s)
{
	return !s.p ? SLICE("") : s.n > 12 ? slice_make(s.p, 12) : s;
}

static bool is_tolerated(enum edi_leniency leniency, const struct edi_check_policy *p)
{
	switch (leniency) {
	case EDI_ALWAYS_REJECTED: return false;
	case EDI_LENIENT_COUNTS: return p->tolerate_counts;
	case EDI_LENIENT_SYNTAX: return !p->strict_syntax;
	case EDI_LENIENT_ELEMENTS: return p->tolerate_elements;
	}
	return false;
}

/* Counts and syntax of groups and interchanges: by whose terms is known when their messages are. */
void edi_errors_judge(struct edi_checker *c, enum edi_level level, struct edi_error *first, const struct edi_check_policy *p)
{
	struct edi_error_list *l = &c->errors[level];
	const bool counts = is_tolerated(EDI_LENIENT_COUNTS, p), syntax = is_tolerated(EDI_LENIENT_SYNTAX, p);
	l->rejected = l->hard || (l->counts && !counts) || (l->harmless && !syntax);
	l->tolerated = (l->counts && counts) || (l->harmless && syntax);
	for (struct edi_error *e = first; e; e = e->next)
		e->tolerated = is_tolerated(e->leniency, p);
}

/* A new error at the end of the level's list, or NULL when a bound says no (it is counted all the same). */
static struct edi_error *add(struct edi_checker *c, enum edi_level level, enum edi_leniency leniency)
{
	struct edi_error_list *l = &c->errors[level];
	bool tolerated = is_tolerated(leniency, c->policy);
	l->count++;
	l->rejected |= !tolerated;
	l->tolerated |= tolerated;
	l->hard |= leniency == EDI_ALWAYS_REJECTED;
	l->counts |= leniency == EDI_LENIENT_COUNTS;
	l->harmless |= leniency == EDI_LENIENT_SYNTAX;
	if (l->count > c->options.max_message_errors || c->errors_listed >= c->options.max_errors) {
		c->report.truncated = true;
		return NULL;
	}
	struct edi_error *e = edi_checker_alloc(c, level, sizeof *e);
	if (!e)
		return NULL;
	c->errors_listed++;
	e->leniency = leniency;
	e->tolerated = tolerated;
	*l->tail = e;
	l->tail = &e->next;
	return e;
}

static void set_code(struct edi_error *e, const char *list, const char *code)
{
	e->list = list;
	for (size_t i = 0; i + 1 < sizeof e->code && code[i]; i++)
		e->code[i] = code[i];
}

int edi_checker_envelope_error(void *checker, const struct edi_envelope_error *error)
{
	struct edi_checker *c = checker;
	struct edi_error *e = add(c, error->level, error->count ? EDI_LENIENT_COUNTS : error->harmless ? EDI_LENIENT_SYNTAX : EDI_ALWAYS_REJECTED);
	if (!e)
		return c->error;
	struct slice value = error->value;
	if (value.n > c->options.max_value)
		value.n = c->options.max_value;
	set_code(e, error->list, error->code);
	e->segment = edi_checker_copy(c, error->level, or_empty(error->segment));
	e->loop = SLICE("");
	e->value = value.p ? edi_checker_readable(c, error->level, value) : SLICE_NONE;
	e->element = error->element;
	e->component = error->component;
	e->position = error->level == EDI_LEVEL_MESSAGE ? c->envelope.position : 0;
	e->text = slice_str(error->text);
	return c->error;
}

static const char *advice(enum edi_fault fault)
{
	switch (fault) {
	case EDI_FAULT_UNKNOWN_SEGMENT: return "there is no such segment in this version; correct the identifier or leave it out";
	case EDI_FAULT_NOT_IN_MESSAGE: return "this message has no such segment; leave it out";
	case EDI_FAULT_UNEXPECTED: return "it belongs to a loop that was not begun; send that loop's first segment before it";
	case EDI_FAULT_ORDER: return "it stands too late; move it up to its place in the message";
	case EDI_FAULT_MISSING_SEGMENT: return "a mandatory segment is missing before this place; add it";
	case EDI_FAULT_LOOP_REPEATS: return "the loop is repeated more often than allowed; send fewer";
	case EDI_FAULT_SEGMENT_REPEATS: return "the segment is repeated more often than allowed; send fewer";
	case EDI_FAULT_MISSING_ELEMENT: return "is mandatory and missing; add it";
	case EDI_FAULT_CONDITION: return "is missing, and other elements of the segment require it; add it or leave those out";
	case EDI_FAULT_EXCLUSION: return "must not be sent together with another element of the segment; leave one out";
	case EDI_FAULT_TOO_MANY_ELEMENTS: return "is past the segment's last element; leave it out";
	case EDI_FAULT_TOO_MANY_COMPONENTS: return "is past the last component; leave it out or escape the separator";
	case EDI_FAULT_TOO_MANY_REPEATS: return "is repeated more often than allowed; send fewer";
	case EDI_FAULT_TOO_SHORT: return "is too short";
	case EDI_FAULT_TOO_LONG: return "is too long";
	case EDI_FAULT_CHARACTER: return "holds a character that is not allowed there";
	case EDI_FAULT_BLANK: return "holds nothing but blanks; send a value, or nothing where it is optional";
	case EDI_FAULT_TYPE: return "must be a number";
	case EDI_FAULT_CODE: return "is not a value of its code list";
	case EDI_FAULT_DATE: return "is not a date that exists (YYMMDD or CCYYMMDD)";
	case EDI_FAULT_PERIOD: return "is no date or period in the format that is told beside it";
	case EDI_FAULT_LEVEL_ID: return "stood in an earlier HL; number the levels of a message 1, 2, 3 and so on";
	case EDI_FAULT_LEVEL_PARENT:
		return "names no level that is open, or one that this level may not stand below; send each level behind the one it belongs to";
	case EDI_FAULT_LOOP_ID: return "names another loop than the LS that it ends; repeat what LS01 says";
	case EDI_FAULT_TIME: return "is not a time that exists (HHMM, HHMMSS or HHMMSSDD)";
	case EDI_FAULT_REPERTOIRE: return "holds a character that the interchange's syntax level does not have; declare a level that has it";
	case EDI_FAULT_NOTATION: return "has its decimal mark twice, at the end, or another one than UNA advises";
	case EDI_FAULT_NO_DIGIT: return "needs a digit before the decimal mark";
	case EDI_FAULT_NESTING: return "its tag has a nesting indicator; leave that out";
	case EDI_FAULT_TRAILING: return "is followed by separators with nothing behind them; leave them out";
	}
	return "";
}

static struct slice text_of(struct edi_checker *c, const struct edi_problem *p)
{
	struct van_arena *a = c->arena[EDI_LEVEL_MESSAGE];
	const char *say = advice(p->fault);
	if (!p->element)
		return slice_str(say);
	const struct edi_element_def *d = p->definition;
	char where[64], what[160] = "", length[64] = "";
	if (p->component)
		snprintf(where, sizeof where, "%.3s%02u-%02u", p->segment.p ? p->segment.p : "", p->element, p->component);
	else
		snprintf(where, sizeof where, "%.*s%02u", p->segment.n > 8 ? 8 : (int)p->segment.n, p->segment.p ? p->segment.p : "", p->element);
	if (d && d->name.n)
		snprintf(what, sizeof what, " (%.*s)", d->name.n > 100 ? 100 : (int)d->name.n, d->name.p);
	if (d && (p->fault == EDI_FAULT_TOO_SHORT || p->fault == EDI_FAULT_TOO_LONG))
		snprintf(length, sizeof length, "; %u to %u characters are allowed", d->min, d->max);
	struct slice s = p->why ? van_arena_printf(a, "%s%s at byte %zu of the value %s", where, what, p->at, p->why)
	                        : van_arena_printf(a, "%s%s %s%s", where, what, say, length);
	if (!s.p)
		c->error = VAN_ENOMEM;
	return s.p ? s : SLICE("");
}

int edi_checker_problem(void *checker, const struct edi_problem *p)
{
	struct edi_checker *c = checker;
	bool harmless = p->fault == EDI_FAULT_REPERTOIRE || p->fault == EDI_FAULT_TRAILING;
	struct edi_error *e = add(c, EDI_LEVEL_MESSAGE, harmless ? EDI_LENIENT_SYNTAX : p->element ? EDI_LENIENT_ELEMENTS : EDI_ALWAYS_REJECTED);
	if (!e)
		return c->error;
	const char *list;
	bool edifact = c->interchange->standard == EDI_EDIFACT;
	const char *code = edi_fault_code(p->fault, c->interchange->standard,
		edifact ? c->envelope.syntax4 ? SLICE("4") : SLICE("3") : c->message->version, &list);
	struct slice value = p->value;
	if (value.n > c->options.max_value)
		value.n = c->options.max_value;
	set_code(e, list, code);
	e->segment = edi_checker_copy(c, EDI_LEVEL_MESSAGE, or_empty(p->segment));
	e->loop = p->loop.p ? p->loop : SLICE(""); /* lives in the dictionary */
	e->value = value.p ? edi_checker_readable(c, EDI_LEVEL_MESSAGE, value) : SLICE_NONE;
	e->position = p->position;
	e->element = p->element;
	e->repetition = p->repetition;
	e->component = p->component;
	e->reference = p->definition ? p->definition->number : 0;
	e->text = text_of(c, p);
	return c->error;
}

int edi_checker_guide_problem(void *checker, const struct edi_guide_problem *p)
{
	struct edi_checker *c = checker;
	struct edi_error *e = add(c, EDI_LEVEL_MESSAGE, p->element ? EDI_LENIENT_ELEMENTS : EDI_ALWAYS_REJECTED);
	if (!e)
		return c->error;
	bool edifact = c->interchange->standard == EDI_EDIFACT;
	char where[32] = "";
	if (p->component)
		snprintf(where, sizeof where, "%.3s%02u-%u ", p->segment.p, p->element, p->component);
	else if (p->element)
		snprintf(where, sizeof where, "%.3s%02u ", p->segment.p, p->element);
	struct slice value = p->value;
	if (value.n > c->options.max_value)
		value.n = c->options.max_value;
	set_code(e, edifact ? "0085" : p->list, edifact ? p->edifact : p->code);
	e->guide = p->guide;
	e->segment = edi_checker_copy(c, EDI_LEVEL_MESSAGE, p->segment);
	e->loop = p->loop.p ? p->loop : SLICE("");
	e->value = value.p ? edi_checker_readable(c, EDI_LEVEL_MESSAGE, value) : SLICE_NONE;
	e->position = p->position;
	e->element = p->element;
	e->repetition = p->repetition;
	e->component = p->component;
	e->reference = p->definition ? p->definition->number : 0;
	e->text = van_arena_printf(c->arena[EDI_LEVEL_MESSAGE], "%s%s%s%.*s", where, p->text, p->rule->text.n ? ": " : "", SLICE_ARG(p->rule->text));
	if (!e->text.p)
		c->error = VAN_ENOMEM;
	return c->error;
}

void edi_checker_input_error(struct edi_checker *c, struct edi_error ***tail, const char *list, const char *code, const char *text)
{
	struct edi_error *e = edi_checker_alloc(c, EDI_LEVEL_INTERCHANGE, sizeof *e);
	if (!e)
		return;
	set_code(e, list, code);
	e->segment = e->loop = SLICE("");
	e->text = slice_str(text);
	**tail = e;
	*tail = &e->next;
}
