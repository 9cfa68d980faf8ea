/* The reader: recursive descent over bounded bytes, everything in an arena. */
#include "receipt/json.h"

#include "base/error.h"
#include "receipt/utf8.h"

#include <stdlib.h>

struct reader {
	struct slice rest;
	struct van_arena *arena;
	struct van_buf text; /* the string being unescaped */
	int depth;
};

static int value(struct reader *r, struct canon_value **ret);

static int peek(struct reader *r)
{
	while (r->rest.n && strchr(" \t\r\n", r->rest.p[0]) && r->rest.p[0])
		r->rest = slice_make(r->rest.p + 1, r->rest.n - 1);
	return r->rest.n ? (unsigned char)r->rest.p[0] : -1;
}

static void skip(struct reader *r, size_t n)
{
	r->rest = slice_make(r->rest.p + n, r->rest.n - n);
}

static bool take(struct reader *r, char c)
{
	if (peek(r) != (unsigned char)c)
		return false;
	skip(r, 1);
	return true;
}

static bool hex4(struct reader *r, uint32_t *ret)
{
	uint32_t v = 0;
	if (r->rest.n < 4)
		return false;
	for (int i = 0; i < 4; i++) {
		char c = r->rest.p[i];
		int d = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
		if (d < 0)
			return false;
		v = v << 4 | (uint32_t)d;
	}
	skip(r, 4);
	*ret = v;
	return true;
}

/* After "\u": one code point, of two escapes where it is beyond the basic plane. */
static int unicode_escape(struct reader *r)
{
	uint32_t c, low;
	if (!hex4(r, &c) || (c >= 0xdc00 && c < 0xe000))
		return VAN_ESYNTAX;
	if (c >= 0xd800 && c < 0xdc00) {
		if (r->rest.n < 2 || r->rest.p[0] != '\\' || r->rest.p[1] != 'u')
			return VAN_ESYNTAX;
		skip(r, 2);
		if (!hex4(r, &low) || low < 0xdc00 || low >= 0xe000)
			return VAN_ESYNTAX;
		c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
	}
	return utf8_put(&r->text, c);
}

static int escape(struct reader *r)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	if (!r->rest.n)
		return VAN_ESYNTAX;
	char c = r->rest.p[0];
	skip(r, 1);
	if (c == 'u')
		return unicode_escape(r);
	const char *at = c ? strchr(from, c) : NULL;
	return at ? van_buf_append_char(&r->text, to[at - from]) : VAN_ESYNTAX;
}

/* The opening quote is taken. */
static int string(struct reader *r, struct slice *ret)
{
	van_buf_reset(&r->text);
	while (r->rest.n) {
		struct slice before = r->rest;
		uint32_t c = utf8_next(&r->rest);
		int rc = 0;
		if (c == '"') {
			*ret = van_arena_slice(r->arena, van_buf_slice(&r->text));
			return ret->p ? van_buf_error(&r->text) : VAN_ENOMEM;
		}
		if (c == UTF8_BAD || c < 0x20)
			return VAN_ESYNTAX;
		if (c == '\\')
			rc = escape(r);
		else
			rc = van_buf_append(&r->text, before.p, before.n - r->rest.n);
		if (rc)
			return rc;
	}
	return VAN_ESYNTAX;
}

static size_t digits(struct slice s, size_t from)
{
	size_t n = 0;
	while (from + n < s.n && s.p[from + n] >= '0' && s.p[from + n] <= '9')
		n++;
	return n;
}

static int number(struct reader *r, struct canon_value *v)
{
	struct slice s = r->rest;
	char text[64];
	size_t n = s.p[0] == '-', whole = digits(s, n), d;
	if (whole == 0 || (whole > 1 && s.p[n] == '0'))
		return VAN_ESYNTAX;
	n += whole;
	if (n < s.n && s.p[n] == '.') {
		if (!(d = digits(s, n + 1)))
			return VAN_ESYNTAX;
		n += 1 + d;
	}
	if (n < s.n && (s.p[n] == 'e' || s.p[n] == 'E')) {
		size_t sign = n + 1 < s.n && (s.p[n + 1] == '+' || s.p[n + 1] == '-');
		if (!(d = digits(s, n + 1 + sign)))
			return VAN_ESYNTAX;
		n += 1 + sign + d;
	}
	if (n >= sizeof text)
		return VAN_ELIMIT;
	memcpy(text, s.p, n);
	text[n] = 0;
	v->kind = CANON_NUMBER;
	v->number = strtod(text, NULL);
	skip(r, n);
	return 0;
}

static bool has_member(const struct canon_value *v, struct slice name)
{
	for (const struct canon_member *m = v->first; m; m = m->next)
		if (slice_eq(m->name, name))
			return true;
	return false;
}

static int member(struct reader *r, struct canon_value *v, struct canon_member ***end)
{
	struct canon_member *m = van_arena_alloc(r->arena, sizeof *m);
	if (!m)
		return VAN_ENOMEM;
	int rc = 0;
	if (v->kind == CANON_OBJECT) {
		rc = take(r, '"') ? string(r, &m->name) : VAN_ESYNTAX;
		if (rc == 0 && (has_member(v, m->name) || !take(r, ':')))
			rc = VAN_ESYNTAX;
		if (rc == 0 && v->n >= 1000) /* the search for doubles is not for large objects */
			rc = VAN_ELIMIT;
	}
	if (rc == 0)
		rc = value(r, &m->value);
	if (rc)
		return rc;
	**end = m;
	*end = &m->next;
	v->n++;
	return 0;
}

static int members(struct reader *r, struct canon_value *v, char close)
{
	struct canon_member **end = &v->first;
	if (take(r, close))
		return 0;
	if (++r->depth > CANON_DEPTH_MAX)
		return VAN_ELIMIT;
	for (;;) {
		int rc = member(r, v, &end);
		if (rc)
			return rc;
		if (take(r, close))
			break;
		if (!take(r, ','))
			return VAN_ESYNTAX;
	}
	r->depth--;
	return 0;
}

static int word(struct reader *r, struct canon_value *v)
{
	static const struct {
		const char *text;
		enum canon_kind kind;
	} words[] = {{"null", CANON_NULL}, {"false", CANON_FALSE}, {"true", CANON_TRUE}};
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (slice_starts(r->rest, words[i].text)) {
			v->kind = words[i].kind;
			skip(r, strlen(words[i].text));
			return 0;
		}
	return VAN_ESYNTAX;
}

static int value(struct reader *r, struct canon_value **ret)
{
	struct canon_value *v = van_arena_alloc(r->arena, sizeof *v);
	if (!v)
		return VAN_ENOMEM;
	*ret = v;
	int c = peek(r);
	if (c == '{' || c == '[') {
		v->kind = c == '{' ? CANON_OBJECT : CANON_ARRAY;
		skip(r, 1);
		return members(r, v, c == '{' ? '}' : ']');
	}
	if (c == '"') {
		v->kind = CANON_STRING;
		skip(r, 1);
		return string(r, &v->text);
	}
	if (c == '-' || (c >= '0' && c <= '9'))
		return number(r, v);
	return word(r, v);
}

int canon_parse(struct slice text, struct van_arena *arena, struct canon_value **ret)
{
	struct reader r = {.rest = text, .arena = arena};
	struct canon_value *v;
	int rc = value(&r, &v);
	if (rc == 0 && peek(&r) != -1)
		rc = VAN_ESYNTAX;
	van_buf_free(&r.text);
	if (rc == 0)
		*ret = v;
	return rc;
}

const struct canon_value *canon_get(const struct canon_value *object, const char *name)
{
	if (!object || object->kind != CANON_OBJECT)
		return NULL;
	for (const struct canon_member *m = object->first; m; m = m->next)
		if (slice_is(m->name, name))
			return m->value;
	return NULL;
}

struct slice canon_get_text(const struct canon_value *object, const char *name)
{
	const struct canon_value *v = canon_get(object, name);
	return v && v->kind == CANON_STRING ? v->text : SLICE_NONE;
}

bool canon_get_u64(const struct canon_value *object, const char *name, uint64_t *ret)
{
	const struct canon_value *v = canon_get(object, name);
	if (!v || v->kind != CANON_NUMBER || v->number < 0 || v->number > (double)CANON_SAFE_INTEGER)
		return false;
	uint64_t n = (uint64_t)v->number;
	if ((double)n != v->number)
		return false;
	*ret = n;
	return true;
}
