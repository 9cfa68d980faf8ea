/* JSON: a segment is an array of its elements; an element is a text, an array of components, or an array of arrays, its
 * repetitions. */
#include "map/form_private.h"

#include "base/codec.h"
#include "base/record.h"

static void put(struct form_writer *w, const char *z)
{
	van_buf_append_str(&w->out, z);
}

static void begin(struct form_writer *w)
{
	put(w, "{\"format\":\"openvan-edi-1\",\"interchanges\":[");
}

static void end(struct form_writer *w)
{
	put(w, "]}\n");
}

static void member(struct form_writer *w, const char *name, struct slice value)
{
	put(w, name);
	json_put_text(&w->out, value.n ? value : SLICE_NONE);
}

static void interchange(struct form_writer *w, const struct form_envelope *e, bool first)
{
	put(w, first ? "\n{\"envelope\":{" : ",\n{\"envelope\":{");
	member(w, "\"standard\":", slice_str(edi_standard_name(e->standard)));
	member(w, ",\"charset\":", slice_str(e->charset));
	member(w, ",\"una\":", e->una);
	member(w, ",\"delimiters\":{\"element\":", e->element);
	member(w, ",\"component\":", e->component);
	member(w, ",\"repetition\":", e->repetition);
	member(w, ",\"release\":", e->release);
	member(w, ",\"terminator\":", e->terminator);
	put(w, "}},\"segments\":[");
}

static void interchange_end(struct form_writer *w)
{
	put(w, "\n]}");
}

/* Short values, the most there are, are copied as sixteen bytes whatever their length: the room is there, and the next
 * value writes over what is too much. */
#define SHORT 16

static void plain_segment(struct form_writer *w, const struct edi_segment *s, bool first)
{
	size_t room = (size_t)s->length + 3 * (size_t)s->count + SHORT + 8;
	char *to = van_buf_reserve(&w->out, room), *p = to;
	if (!p)
		return;
	if (!first)
		*p++ = ',';
	*p++ = '\n';
	*p++ = '[';
	for (uint32_t i = 0; i < s->count; i++) {
		size_t n = s->at[i + 1] - 1 - s->at[i];
		const char *from = s->base + s->at[i];
		*p++ = '"';
		if (n <= SHORT && from + SHORT <= s->bytes + s->length)
			memcpy(p, from, SHORT);
		else
			memcpy(p, from, n);
		p += n;
		*p++ = '"';
		*p++ = ',';
	}
	p[-1] = ']';
	w->out.n += (size_t)(p - to);
}

static void split_segment(struct form_writer *w, const struct edi_segment *s, bool first)
{
	char component = w->delimiters.component;
	size_t room = 3 * (size_t)s->length + 5 * (size_t)s->count + 8;
	char *to = van_buf_reserve(&w->out, room), *p = to;
	if (!p)
		return;
	if (!first)
		*p++ = ',';
	*p++ = '\n';
	*p++ = '[';
	for (uint32_t i = 0; i < s->count; i++) {
		struct slice one = edi_segment_element(s, i);
		bool parts = memchr(one.p, component, one.n) != NULL;
		if (parts)
			*p++ = '[';
		*p++ = '"';
		for (size_t k = 0; k < one.n; k++) {
			*p++ = one.p[k];
			if (one.p[k] == component) {
				p[-1] = '"';
				*p++ = ',';
				*p++ = '"';
			}
		}
		*p++ = '"';
		if (parts)
			*p++ = ']';
		*p++ = ',';
	}
	p[-1] = ']';
	w->out.n += (size_t)(p - to);
}

static bool segment(struct form_writer *w, struct slice id, bool first)
{
	(void)id;
	put(w, first ? "\n[" : ",\n[");
	return false;
}

static void close_array(struct form_writer *w)
{
	van_buf_append_char(&w->out, ']');
}

static void group(struct form_writer *w, enum form_level level, bool first)
{
	(void)level;
	put(w, first ? "[" : ",[");
}

static void group_end(struct form_writer *w, enum form_level level)
{
	(void)level;
	van_buf_append_char(&w->out, ']');
}

static void value(struct form_writer *w, enum form_level level, enum form_kind kind, struct slice text, bool first)
{
	(void)level;
	if (!first)
		van_buf_append_char(&w->out, ',');
	if (kind == FORM_BINARY) {
		put(w, "{\"base64\":\"");
		base64_encode(&w->out, text.p, text.n, 0);
		put(w, "\"}");
		return;
	}
	if (kind == FORM_RAW)
		put(w, "{\"raw\":");
	json_put_text(&w->out, text);
	if (kind == FORM_RAW)
		van_buf_append_char(&w->out, '}');
}

static void object(struct form_writer *w, struct slice bytes, bool first)
{
	put(w, first ? "\n{\"object\":\"" : ",\n{\"object\":\"");
	base64_encode(&w->out, bytes.p, bytes.n, 0);
	put(w, "\"}");
}

const struct form_language form_json = {.special = "\"\\", .controls = true, .begin = begin, .end = end, .interchange = interchange,
	.interchange_end = interchange_end, .plain_segment = plain_segment, .split_segment = split_segment, .segment = segment, .segment_end = close_array,
	.group = group, .group_end = group_end, .value = value, .object = object};
