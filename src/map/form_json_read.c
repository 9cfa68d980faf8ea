/* The JSON form back: what form_json_write.c writes, in any layout, with members in any order but `envelope` before
 * `segments`. Members that are not known are passed over. */
#include "map/form_private.h"
#include "map/json_push.h"

#include <stdio.h>
#include <stdlib.h>

/* Where a token stands: what is open, from the outside in. */
enum place {
	P_OUTSIDE,
	P_DOCUMENT,     /* {"interchanges": */
	P_INTERCHANGES, /* [ */
	P_INTERCHANGE,  /* {"envelope": … "segments": */
	P_ENVELOPE,
	P_DELIMITERS,
	P_SEGMENTS,
	P_SEGMENT,
	P_ELEMENT,      /* components, or repetitions */
	P_REPETITION,
	P_SPECIAL,      /* {"raw": …} {"base64": …} */
	P_OBJECT,       /* {"object": …} between segments */
	P_UNKNOWN,
};

struct form_json_reader {
	struct form_builder *b;
	struct json_push push;
	struct van_error e;
	enum place stack[JSON_DEPTH + 1];
	int depth;
	char name[16];
	bool head, known;    /* of this interchange: the envelope was there; of the document: interchanges */
	bool any, repeats;   /* of the element in hand: something was in it; it holds repetitions */
	bool special_done;
	enum edi_standard standard;
	char charset[24];
	struct van_buf values[6]; /* una, element, component, repetition, release, terminator */
	bool has_una;
};

static int bad(struct form_json_reader *r, const char *what)
{
	return form_build_error(r->b, VAN_ESYNTAX, "%s; see doc/edi-forms.md", what);
}

static void enter(struct form_json_reader *r, enum place p)
{
	r->stack[++r->depth] = p;
}

static enum place at(const struct form_json_reader *r)
{
	return r->stack[r->depth];
}

static bool named(const struct form_json_reader *r, const char *name)
{
	return strcmp(r->name, name) == 0;
}

/* --- the envelope ------------------------------------------------------------------------------------------------------ */

static int take_delimiter(struct form_json_reader *r, struct slice text)
{
	static const char *const names[] = {"una", "element", "component", "repetition", "release", "terminator"};
	for (size_t i = 0; i < 6; i++)
		if (named(r, names[i])) {
			van_buf_reset(&r->values[i]);
			van_buf_append_slice(&r->values[i], text);
			r->has_una |= i == 0;
		}
	return 0;
}

static int envelope_member(struct form_json_reader *r, struct slice text)
{
	if (named(r, "standard"))
		r->standard = slice_is(text, "X12") ? EDI_X12 : slice_is(text, "EDIFACT") ? EDI_EDIFACT : EDI_UNKNOWN;
	else if (named(r, "charset"))
		snprintf(r->charset, sizeof r->charset, "%.*s", SLICE_ARG(text));
	else
		take_delimiter(r, text);
	return 0;
}

static void forget(struct form_json_reader *r)
{
	for (size_t i = 0; i < 6; i++)
		van_buf_reset(&r->values[i]);
	r->standard = EDI_UNKNOWN;
	r->charset[0] = 0;
	r->has_una = false;
}

static int begin_segments(struct form_json_reader *r)
{
	if (!r->head)
		return bad(r, "\"envelope\" must stand before \"segments\"");
	struct form_envelope e = {.standard = r->standard, .charset = r->charset[0] ? r->charset : NULL,
		.una = r->has_una ? van_buf_slice(&r->values[0]) : SLICE_NONE, .element = van_buf_slice(&r->values[1]),
		.component = van_buf_slice(&r->values[2]), .repetition = van_buf_slice(&r->values[3]),
		.release = van_buf_slice(&r->values[4]), .terminator = van_buf_slice(&r->values[5])};
	enter(r, P_SEGMENTS);
	return form_build_interchange(r->b, &e);
}

/* --- tokens ------------------------------------------------------------------------------------------------------------ */

/* An array where an element's value may be: the element's components or repetitions, or one repetition. */
static int begin_array(struct form_json_reader *r)
{
	int rc = 0;
	switch (at(r)) {
	case P_DOCUMENT:
		r->known |= named(r, "interchanges");
		enter(r, named(r, "interchanges") ? P_INTERCHANGES : P_UNKNOWN);
		return 0;
	case P_INTERCHANGE:
		if (named(r, "segments"))
			return begin_segments(r);
		enter(r, P_UNKNOWN);
		return 0;
	case P_SEGMENTS:
		enter(r, P_SEGMENT);
		return form_build_segment(r->b, SLICE_NONE);
	case P_SEGMENT:
		enter(r, P_ELEMENT);
		r->any = r->repeats = false;
		return form_build_element(r->b);
	case P_ELEMENT:
		if (r->any && !r->repeats)
			return bad(r, "an element holds texts or arrays, not both");
		rc = form_build_repetition(r->b, !r->any);
		r->any = r->repeats = true;
		enter(r, P_REPETITION);
		return rc;
	case P_UNKNOWN: case P_ENVELOPE: case P_DELIMITERS: enter(r, P_UNKNOWN); return 0;
	default: return bad(r, "an array does not belong here");
	}
}

static int begin_object(struct form_json_reader *r)
{
	switch (at(r)) {
	case P_OUTSIDE: enter(r, P_DOCUMENT); return 0;
	case P_INTERCHANGES:
		forget(r);
		r->head = false;
		enter(r, P_INTERCHANGE);
		return 0;
	case P_INTERCHANGE:
		r->head |= named(r, "envelope");
		enter(r, named(r, "envelope") ? P_ENVELOPE : P_UNKNOWN);
		return 0;
	case P_ENVELOPE: enter(r, named(r, "delimiters") ? P_DELIMITERS : P_UNKNOWN); return 0;
	case P_SEGMENT: case P_ELEMENT: case P_REPETITION:
		r->special_done = false;
		if (at(r) == P_SEGMENT)
			form_build_element(r->b);
		enter(r, P_SPECIAL);
		return 0;
	case P_SEGMENTS:
		r->special_done = false;
		enter(r, P_OBJECT);
		return 0;
	case P_DOCUMENT: case P_UNKNOWN: case P_DELIMITERS: enter(r, P_UNKNOWN); return 0;
	default: return bad(r, "an object does not belong here");
	}
}

static int end(struct form_json_reader *r)
{
	switch (r->stack[r->depth--]) {
	case P_SEGMENT: return form_build_segment_end(r->b);
	case P_SEGMENTS: return form_build_interchange_end(r->b);
	case P_ELEMENT: return r->any ? 0 : form_build_value(r->b, FORM_TEXT, SLICE(""));
	case P_SPECIAL:
		if (!r->special_done)
			return bad(r, "an object in a segment is {\"raw\": …} or {\"base64\": …}");
		if (at(r) == P_ELEMENT)
			r->any = true;
		return 0;
	case P_OBJECT: return r->special_done ? 0 : bad(r, "an object between segments is {\"object\": …}, the base64 of a package's bytes");
	default: return 0;
	}
}

static int text(struct form_json_reader *r, struct slice s)
{
	switch (at(r)) {
	case P_SEGMENT:
		form_build_element(r->b);
		return form_build_value(r->b, FORM_TEXT, s);
	case P_ELEMENT:
		if (r->any && r->repeats)
			return bad(r, "an element holds texts or arrays, not both");
		r->any = true;
		return form_build_value(r->b, FORM_TEXT, s);
	case P_REPETITION: return form_build_value(r->b, FORM_TEXT, s);
	case P_SPECIAL:
		r->special_done = named(r, "raw") || named(r, "base64");
		return r->special_done ? form_build_value(r->b, named(r, "raw") ? FORM_RAW : FORM_BINARY, s) : 0;
	case P_OBJECT:
		r->special_done |= named(r, "object");
		return named(r, "object") ? form_build_object(r->b, s) : 0;
	case P_ENVELOPE: return envelope_member(r, s);
	case P_DELIMITERS: return take_delimiter(r, s);
	case P_INTERCHANGES: case P_SEGMENTS: case P_OUTSIDE: return bad(r, "a text does not belong here");
	default: return 0;
	}
}

static int on_token(void *ctx, enum json_token token, struct slice s)
{
	struct form_json_reader *r = ctx;
	r->b->line = r->push.line;
	switch (token) {
	case JSON_OBJECT: return begin_object(r);
	case JSON_ARRAY: return begin_array(r);
	case JSON_OBJECT_END: case JSON_ARRAY_END: return end(r);
	case JSON_NAME: snprintf(r->name, sizeof r->name, "%.*s", SLICE_ARG(s)); return 0;
	case JSON_TEXT: case JSON_NUMBER: return text(r, s);
	case JSON_LITERAL:
		if (at(r) >= P_SEGMENT && at(r) <= P_SPECIAL)
			return slice_is(s, "null") ? text(r, SLICE("")) : bad(r, "a value is a text, not true or false");
		return at(r) == P_SEGMENTS || at(r) == P_INTERCHANGES ? bad(r, "an array is expected") : 0;
	}
	return VAN_EINTERNAL;
}

struct form_json_reader *form_json_reader_new(struct form_builder *b)
{
	struct form_json_reader *r = calloc(1, sizeof *r);
	if (!r)
		return NULL;
	r->b = b;
	for (size_t i = 0; i < 6; i++)
		r->values[i] = VAN_BUF_INIT(64);
	json_push_begin(&r->push, on_token, r, 2 * b->options.max_segment, &r->e);
	return r;
}

void form_json_reader_free(struct form_json_reader *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < 6; i++)
		van_buf_free(&r->values[i]);
	json_push_free(&r->push);
	free(r);
}

int form_json_reader_feed(struct form_json_reader *r, struct slice chunk, bool last)
{
	int rc = json_push_feed(&r->push, chunk, last);
	if (rc < 0 && r->e.code && !r->b->error.code)
		r->b->error = r->e;
	if (rc == 0 && last && !r->known)
		rc = form_build_error(r->b, VAN_ESYNTAX, "there is no \"interchanges\"; see doc/edi-forms.md");
	return rc;
}
