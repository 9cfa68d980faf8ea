/* Interchanges as JSON and back, without loss: elements as they came, release characters included. */
#include "vanctl/edi_convert.h"

#include "base/record.h"
#include "edi/lexer.h"

#include <jansson.h>

#include <stdlib.h>

struct writer {
	struct van_buf *to;
	bool latin1;
	bool open;     /* an interchange */
	bool una;
	uint64_t interchanges;
};

static bool is_utf8(struct slice s)
{
	json_t *j = json_stringn(s.p, s.n); /* refuses what is not UTF-8 */
	json_decref(j);
	return j != NULL;
}

static void put_element(struct writer *w, struct slice s)
{
	if (!w->latin1) {
		json_put_text(w->to, s);
		return;
	}
	struct van_buf wide = VAN_BUF_INIT(2 * s.n + 1);
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		if (c >= 0x80)
			van_buf_append_char(&wide, (char)(0xc0 | c >> 6));
		van_buf_append_char(&wide, (char)(c >= 0x80 ? 0x80 | (c & 0x3f) : c));
	}
	json_put_text(w->to, van_buf_slice(&wide));
	van_buf_free(&wide);
}

static void put_delimiter(struct writer *w, const char *name, char c, bool last)
{
	van_buf_printf(w->to, "\"%s\":", name);
	if (c)
		put_element(w, slice_make(&c, 1));
	else
		van_buf_append_str(w->to, "null");
	if (!last)
		van_buf_append_char(w->to, ',');
}

static void begin(struct writer *w, const struct edi_segment *s)
{
	const struct edi_delimiters *d = s->delimiters;
	if (w->open)
		van_buf_append_str(w->to, "]}");
	van_buf_printf(w->to, "%s\n{\"standard\":\"%s\",\"una\":%s,\"delimiters\":{", w->interchanges ? "," : "", edi_standard_name(s->standard),
		s->flags & EDI_SEGMENT_UNA ? "true" : "false");
	put_delimiter(w, "element", d->element, false);
	put_delimiter(w, "component", d->component, false);
	put_delimiter(w, "repetition", d->repetition, false);
	put_delimiter(w, "release", d->release, false);
	put_delimiter(w, "terminator", d->terminator, true);
	van_buf_append_str(w->to, "},\"segments\":[");
	w->open = true;
	w->interchanges++;
}

static int on_segment(void *ctx, const struct edi_segment *s)
{
	struct writer *w = ctx;
	bool una = s->flags & EDI_SEGMENT_UNA, head = edi_segment_is(s, "ISA") || edi_segment_is(s, "UNB");
	bool first = una || (head && !w->una) || !w->open;
	if (first)
		begin(w, s);
	if (una) {
		put_element(w, slice_make(s->bytes, s->length));
		w->una = true;
		return van_buf_error(w->to);
	}
	van_buf_append_str(w->to, first ? "\n[" : ",\n[");
	w->una = false;
	for (uint32_t i = 0; i < s->count; i++) {
		if (i)
			van_buf_append_char(w->to, ',');
		put_element(w, edi_segment_element(s, i));
	}
	van_buf_append_char(w->to, ']');
	return van_buf_error(w->to);
}

/* A delimiter above ASCII is one byte to us: then all bytes must stand for themselves. */
static int find_high(void *ctx, const struct edi_segment *s)
{
	const struct edi_delimiters *d = s->delimiters;
	*(bool *)ctx |= ((d->element | d->component | d->repetition | d->release | d->terminator) & 0x80) != 0;
	return 0;
}

int edi_to_json(struct slice in, struct van_buf *to)
{
	struct writer w = {.to = to, .latin1 = !is_utf8(in)};
	struct edi_lexer_options options = {.max_segment = (size_t)16 << 20, .max_elements = 100000};
	struct edi_lexer *look = edi_lexer_new(&options, find_high, &w.latin1);
	if (look)
		edi_lexer_feed(look, in, true);
	edi_lexer_free(look);
	struct edi_lexer *lexer = edi_lexer_new(&options, on_segment, &w);
	van_buf_printf(to, "{\"encoding\":\"%s\",\"interchanges\":[", w.latin1 ? "ISO-8859-1" : "UTF-8");
	int rc = lexer ? edi_lexer_feed(lexer, in, true) : VAN_ENOMEM;
	van_buf_append_str(to, w.open ? "]}]}\n" : "]}\n");
	edi_lexer_free(lexer);
	return rc == 0 && !w.interchanges ? VAN_ESYNTAX : rc;
}

/* --- back -------------------------------------------------------------------------------------------------------------- */

static void put_back(struct van_buf *to, const json_t *text, bool latin1)
{
	const char *p = json_string_value(text);
	size_t n = p ? json_string_length(text) : 0;
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)p[i];
		if (latin1 && (c == 0xc2 || c == 0xc3) && i + 1 < n)
			c = (unsigned char)((c & 3) << 6 | (p[++i] & 0x3f));
		van_buf_append_char(to, (char)c);
	}
}

static int bad(struct van_error *e, const char *what)
{
	return van_error_set(e, VAN_ESYNTAX, "not JSON as written by convert --to json: %s", what);
}

static int interchange_back(const json_t *i, bool latin1, struct van_buf *to, struct van_error *e)
{
	const json_t *d = json_object_get(i, "delimiters"), *element = json_object_get(d, "element");
	const json_t *terminator = json_object_get(d, "terminator"), *segments = json_object_get(i, "segments"), *segment;
	size_t n, k;
	if (!json_is_string(element) || !json_is_string(terminator) || !json_is_array(segments))
		return bad(e, "an interchange needs delimiters.element, delimiters.terminator and segments");
	json_array_foreach(segments, n, segment) {
		if (json_is_string(segment)) { /* UNA ends in its own terminator */
			put_back(to, segment, latin1);
			continue;
		}
		if (!json_is_array(segment))
			return bad(e, "a segment must be an array of texts");
		for (k = 0; k < json_array_size(segment); k++) {
			if (k)
				put_back(to, element, latin1);
			put_back(to, json_array_get(segment, k), latin1);
		}
		put_back(to, terminator, latin1);
	}
	return van_buf_error(to);
}

int edi_from_json(struct slice json, enum edi_standard standard, struct van_buf *to, struct van_error *e)
{
	json_error_t where;
	json_t *root = json_loadb(json.p, json.n, JSON_ALLOW_NUL, &where), *list = json_object_get(root, "interchanges"), *i;
	const char *encoding = json_string_value(json_object_get(root, "encoding"));
	bool latin1 = encoding && strcmp(encoding, "ISO-8859-1") == 0;
	size_t n, found = 0;
	int rc = 0;
	if (!root || !json_is_array(list))
		rc = bad(e, root ? "there is no array \"interchanges\"" : where.text);
	json_array_foreach(list, n, i) {
		const char *name = json_string_value(json_object_get(i, "standard"));
		if (rc < 0 || !name || strcmp(name, edi_standard_name(standard)) != 0)
			continue;
		found++;
		rc = interchange_back(i, latin1, to, e);
		if (rc == 0)
			van_buf_append_char(to, '\n');
	}
	json_decref(root);
	if (rc == 0 && !found)
		rc = van_error_set(e, VAN_ENOTFOUND, "it holds no %s interchange", edi_standard_name(standard));
	return rc;
}
