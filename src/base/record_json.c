#include "base/clock.h"
#include "base/codec.h"
#include "base/record.h"
#include "base/utf8.h"

#include <inttypes.h>

static void put_escaped(struct van_buf *to, unsigned char c)
{
	static const char names[] = "btnvfr"; /* for 8..13; \v has no short form in JSON */
	if (c == '"' || c == '\\') {
		char two[2] = {'\\', (char)c};
		van_buf_append(to, two, 2);
	} else if (c >= 8 && c <= 13 && c != 11) {
		char two[2] = {'\\', names[c - 8]};
		van_buf_append(to, two, 2);
	} else {
		van_buf_printf(to, "\\u%04x", c);
	}
}

int json_put_text(struct van_buf *to, struct slice s)
{
	if (!s.p)
		return van_buf_append_str(to, "null");
	van_buf_append_char(to, '"');
	while (s.n) {
		size_t run = 0; /* what stands for itself goes in one piece */
		while (run < s.n && (unsigned char)s.p[run] >= 32 && (unsigned char)s.p[run] < 0x7f && s.p[run] != '"' && s.p[run] != '\\')
			run++;
		van_buf_append(to, s.p, run);
		s = slice_make(s.p + run, s.n - run);
		if (!s.n)
			break;
		unsigned char c = (unsigned char)s.p[0];
		size_t n = van_utf8_length(s);
		if (n == 1 && (c < 32 || c == '"' || c == '\\'))
			put_escaped(to, c);
		else if (n)
			van_buf_append(to, s.p, n);
		else
			van_buf_append_str(to, "\xef\xbf\xbd");
		if (!n)
			n = 1;
		s = slice_make(s.p + n, s.n - n);
	}
	return van_buf_append_char(to, '"');
}

static void put_hex(struct van_buf *to, struct slice s)
{
	van_buf_append_char(to, '"');
	char *room = van_buf_reserve(to, 2 * s.n + 1);
	if (room) {
		hex_encode(room, s.p, s.n);
		to->n += 2 * s.n;
	}
	van_buf_append_char(to, '"');
}

static void put_value(const struct record_field *f, const void *member, struct van_buf *to)
{
	char time[VAN_TIME_TEXT];
	switch ((enum record_kind)f->kind) {
	case RECORD_U64: van_buf_printf(to, "%" PRIu64, *(const uint64_t *)member); return;
	case RECORD_BOOL: van_buf_append_str(to, *(const bool *)member ? "true" : "false"); return;
	case RECORD_ENUM:
		if (f->names)
			json_put_text(to, slice_str(f->names[*(const uint32_t *)member]));
		else
			van_buf_printf(to, "%" PRIu32, *(const uint32_t *)member);
		return;
	case RECORD_TIME:
		if (*(const van_time *)member)
			json_put_text(to, slice_str(van_time_rfc3339(time, *(const van_time *)member)));
		else
			van_buf_append_str(to, "null");
		return;
	case RECORD_TEXT: json_put_text(to, *(const struct slice *)member); return;
	case RECORD_BYTES:
		if (((const struct slice *)member)->p)
			put_hex(to, *(const struct slice *)member);
		else
			van_buf_append_str(to, "null");
		return;
	case RECORD_TEXTS: {
		const struct slice_list *l = member;
		van_buf_append_char(to, '[');
		for (size_t i = 0; i < l->n; i++) {
			if (i)
				van_buf_append_char(to, ',');
			json_put_text(to, l->v[i]);
		}
		van_buf_append_char(to, ']');
		return;
	}
	case RECORD_ONE:
		if (*(void *const *)member)
			record_to_json(f->sub, *(void *const *)member, to);
		else
			van_buf_append_str(to, "null");
		return;
	case RECORD_MANY: {
		const struct record_list *l = member;
		van_buf_append_char(to, '[');
		for (size_t i = 0; i < l->n; i++) {
			if (i)
				van_buf_append_char(to, ',');
			record_to_json(f->sub, (const char *)l->v + i * f->sub->size, to);
		}
		van_buf_append_char(to, ']');
		return;
	}
	}
}

int record_to_json(const struct record_table *t, const void *from, struct van_buf *to)
{
	bool first = true;
	van_buf_append_char(to, '{');
	for (const struct record_field *f = t->fields; f->tag; f++) {
		if (!f->name)
			continue;
		if (!first)
			van_buf_append_char(to, ',');
		first = false;
		json_put_text(to, slice_str(f->name));
		van_buf_append_char(to, ':');
		put_value(f, (const char *)from + f->offset, to);
	}
	van_buf_append_char(to, '}');
	return to->error;
}
