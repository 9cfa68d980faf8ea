/* XML: <segment id="DTM"><e><c>137</c><c>20260115</c></e></segment>; <r> are repetitions. Characters that XML cannot hold are
 * base64 of the value's bytes. */
#include "map/form_private.h"

#include "base/codec.h"

static void put(struct form_writer *w, const char *z)
{
	van_buf_append_str(&w->out, z);
}

static void begin(struct form_writer *w)
{
	put(w, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<edi xmlns=\"urn:openvan:edi:1\">");
}

static void end(struct form_writer *w)
{
	put(w, "\n</edi>\n");
}

static void put_text(struct form_writer *w, struct slice s)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		switch (c) {
		case '<': put(w, "&lt;"); break;
		case '>': put(w, "&gt;"); break;
		case '&': put(w, "&amp;"); break;
		case '"': put(w, "&quot;"); break;
		default:
			if (c < 0x20 || c == 0x7f) /* tab, line ends: references, which no reader turns into blanks */
				van_buf_printf(&w->out, "&#%u;", c);
			else
				van_buf_append_char(&w->out, (char)c);
		}
	}
}

/* Delimiters; with a control character in them as hexadecimal digits, 0x1C. */
static void attribute(struct form_writer *w, const char *name, struct slice value)
{
	bool control = false;
	for (size_t i = 0; i < value.n; i++)
		control |= (unsigned char)value.p[i] < 0x20;
	if (!value.n)
		return;
	van_buf_printf(&w->out, " %s=\"%s", name, control ? "0x" : "");
	for (size_t i = 0; i < value.n && control; i++)
		van_buf_printf(&w->out, "%02X", (unsigned char)value.p[i]);
	if (!control)
		put_text(w, value);
	van_buf_append_char(&w->out, '"');
}

static void interchange(struct form_writer *w, const struct form_envelope *e, bool first)
{
	(void)first;
	put(w, "\n<interchange");
	attribute(w, "standard", slice_str(edi_standard_name(e->standard)));
	attribute(w, "charset", slice_str(e->charset));
	attribute(w, "una", e->una);
	attribute(w, "element", e->element);
	attribute(w, "component", e->component);
	attribute(w, "repetition", e->repetition);
	attribute(w, "release", e->release);
	attribute(w, "terminator", e->terminator);
	put(w, ">");
}

static void interchange_end(struct form_writer *w)
{
	put(w, "\n</interchange>");
}

static bool segment(struct form_writer *w, struct slice id, bool first)
{
	(void)first;
	put(w, id.p ? "\n<segment id=\"" : "\n<segment>");
	if (id.p) {
		put_text(w, id);
		put(w, "\">");
	}
	return id.p != NULL;
}

static void segment_end(struct form_writer *w)
{
	put(w, "</segment>");
}

static void plain_segment(struct form_writer *w, const struct edi_segment *s, bool first)
{
	segment(w, edi_segment_element(s, 0), first);
	for (uint32_t i = 1; i < s->count; i++) {
		struct slice one = edi_segment_element(s, i);
		if (!one.n) {
			van_buf_append(&w->out, "<e/>", 4);
			continue;
		}
		van_buf_append(&w->out, "<e>", 3);
		van_buf_append_slice(&w->out, one);
		van_buf_append(&w->out, "</e>", 4);
	}
	segment_end(w);
}

static char letter(enum form_level level)
{
	return level == FORM_ELEMENT ? 'e' : level == FORM_REPETITION ? 'r' : 'c';
}

static void group(struct form_writer *w, enum form_level level, bool first)
{
	(void)first;
	const char tag[] = {'<', letter(level), '>', 0};
	put(w, tag);
}

static void group_end(struct form_writer *w, enum form_level level)
{
	const char tag[] = {'<', '/', letter(level), '>', 0};
	put(w, tag);
}

static void value(struct form_writer *w, enum form_level level, enum form_kind kind, struct slice text, bool first)
{
	(void)first;
	const char open[] = {'<', letter(level), 0};
	put(w, open);
	if (kind == FORM_TEXT && !text.n) { /* as in plain segments: which way a segment goes must not show */
		put(w, "/>");
		return;
	}
	put(w, kind == FORM_RAW ? " form=\"raw\">" : kind == FORM_BINARY ? " form=\"base64\">" : ">");
	if (kind == FORM_BINARY)
		base64_encode(&w->out, text.p, text.n, 0);
	else
		put_text(w, text);
	group_end(w, level);
}

static void object(struct form_writer *w, struct slice bytes, bool first)
{
	(void)first;
	put(w, "\n<object>");
	base64_encode(&w->out, bytes.p, bytes.n, 0);
	put(w, "</object>");
}

const struct form_language form_xml = {.special = "<>&\"", .controls = false, .begin = begin, .end = end, .interchange = interchange,
	.interchange_end = interchange_end, .plain_segment = plain_segment, .segment = segment, .segment_end = segment_end,
	.group = group, .group_end = group_end, .value = value, .object = object};
