#include "map/json_push.h"

#include <string.h>

enum state {
	S_VALUE,       /* a value must come */
	S_FIRST,       /* a value, or the end of the array that was just begun */
	S_FIRST_NAME,  /* a name, or the end of the object that was just begun */
	S_NAME,        /* a name must come */
	S_COLON,
	S_NEXT,        /* a comma, or the end of what is open */
	S_TEXT,
	S_ESCAPE,
	S_UNICODE,
	S_LOW,         /* behind the first half of a pair: a backslash */
	S_LOW_ESCAPE,  /* and its u */
	S_NUMBER,
	S_LITERAL,
	S_END,
};

void json_push_begin(struct json_push *p, json_token_fn fn, void *ctx, size_t max_text, struct van_error *e)
{
	*p = (struct json_push){.fn = fn, .ctx = ctx, .text = VAN_BUF_INIT(max_text), .state = S_VALUE, .line = 1, .e = e};
}

void json_push_free(struct json_push *p)
{
	van_buf_free(&p->text);
}

static int bad(struct json_push *p, const char *what)
{
	return van_error_set(p->e, VAN_ESYNTAX, "line %llu: not JSON: %s", (unsigned long long)p->line, what);
}

static int after_value(struct json_push *p)
{
	p->state = p->depth ? S_NEXT : S_END;
	return 0;
}

static int emit(struct json_push *p, enum json_token token)
{
	int rc = van_buf_error(&p->text);
	if (rc < 0)
		return van_error_set(p->e, (enum van_err)rc, "line %llu: a text is longer than %zu MiB", (unsigned long long)p->line,
			p->text.max >> 20);
	rc = p->fn(p->ctx, token, van_buf_slice(&p->text));
	van_buf_reset(&p->text);
	return rc;
}

static int open_nest(struct json_push *p, char kind)
{
	if (p->depth == JSON_DEPTH)
		return van_error_set(p->e, VAN_ELIMIT, "line %llu: nested deeper than %d", (unsigned long long)p->line, JSON_DEPTH);
	p->nesting[p->depth++] = kind;
	p->state = kind == '{' ? S_FIRST_NAME : S_FIRST;
	return emit(p, kind == '{' ? JSON_OBJECT : JSON_ARRAY);
}

static int close_nest(struct json_push *p, char kind)
{
	if (!p->depth || p->nesting[p->depth - 1] != kind)
		return bad(p, kind == '{' ? "'}' closes nothing" : "']' closes nothing");
	p->depth--;
	after_value(p);
	return emit(p, kind == '{' ? JSON_OBJECT_END : JSON_ARRAY_END);
}

static int begin_value(struct json_push *p, char c)
{
	if (c == '{' || c == '[')
		return open_nest(p, c);
	if (c == '"') {
		p->name = false;
		p->state = S_TEXT;
		return 0;
	}
	if (c == '-' || (c >= '0' && c <= '9'))
		p->state = S_NUMBER;
	else if (c >= 'a' && c <= 'z')
		p->state = S_LITERAL;
	else
		return bad(p, "a value is expected");
	return van_buf_append_char(&p->text, c);
}

static void put_utf8(struct van_buf *to, unsigned c)
{
	char s[4];
	size_t n = 0;
	if (c < 0x80) {
		s[n++] = (char)c;
	} else if (c < 0x800) {
		s[n++] = (char)(0xc0 | c >> 6);
	} else if (c < 0x10000) {
		s[n++] = (char)(0xe0 | c >> 12);
		s[n++] = (char)(0x80 | (c >> 6 & 0x3f));
	} else {
		s[n++] = (char)(0xf0 | c >> 18);
		s[n++] = (char)(0x80 | (c >> 12 & 0x3f));
		s[n++] = (char)(0x80 | (c >> 6 & 0x3f));
	}
	if (c >= 0x80)
		s[n++] = (char)(0x80 | (c & 0x3f));
	van_buf_append(to, s, n);
}

static int unicode_done(struct json_push *p)
{
	unsigned c = p->unicode;
	if (p->high) {
		if (c < 0xdc00 || c > 0xdfff)
			return bad(p, "half of a pair of \\u escapes");
		c = 0x10000 + ((p->high - 0xd800) << 10) + (c - 0xdc00);
		p->high = 0;
	} else if (c >= 0xd800 && c <= 0xdbff) {
		p->high = c;
		p->state = S_LOW;
		return 0;
	} else if (c >= 0xdc00 && c <= 0xdfff) {
		return bad(p, "half of a pair of \\u escapes");
	}
	put_utf8(&p->text, c);
	p->state = S_TEXT;
	return 0;
}

static int unicode_digit(struct json_push *p, char c)
{
	const char *digits = "0123456789abcdef", *at = c ? strchr(digits, c >= 'A' && c <= 'F' ? c + 32 : c) : NULL;
	if (!at)
		return bad(p, "\\u needs four hexadecimal digits");
	p->unicode = p->unicode << 4 | (unsigned)(at - digits);
	return --p->digits ? 0 : unicode_done(p);
}

static int escape(struct json_push *p, char c)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	const char *at = c ? strchr(from, c) : NULL;
	p->state = S_TEXT;
	if (at)
		return van_buf_append_char(&p->text, to[at - from]);
	if (c != 'u')
		return bad(p, "there is no such escape");
	p->unicode = 0;
	p->digits = 4;
	p->state = S_UNICODE;
	return 0;
}

static int end_text(struct json_push *p)
{
	if (p->name) {
		p->state = S_COLON;
		return emit(p, JSON_NAME);
	}
	after_value(p);
	return emit(p, JSON_TEXT);
}

static int end_word(struct json_push *p)
{
	bool literal = p->state == S_LITERAL;
	struct slice s = van_buf_slice(&p->text);
	if (literal && !slice_is(s, "true") && !slice_is(s, "false") && !slice_is(s, "null"))
		return bad(p, "a value is expected");
	after_value(p);
	return emit(p, literal ? JSON_LITERAL : JSON_NUMBER);
}

/* A byte between tokens. */
static int between(struct json_push *p, char c)
{
	if (c == ' ' || c == '\n' || c == '\r' || c == '\t')
		return 0;
	if (p->state == S_VALUE && !p->depth && p->line == 1 && strchr("\xef\xbb\xbf", c))
		return 0; /* a byte-order mark */
	switch ((enum state)p->state) {
	case S_FIRST:
		if (c == ']')
			return close_nest(p, '[');
		return begin_value(p, c);
	case S_VALUE: return begin_value(p, c);
	case S_FIRST_NAME:
		if (c == '}')
			return close_nest(p, '{');
		/* fall through */
	case S_NAME:
		if (c != '"')
			return bad(p, "a name in quotes is expected");
		p->name = true;
		p->state = S_TEXT;
		return 0;
	case S_COLON:
		p->state = S_VALUE;
		return c == ':' ? 0 : bad(p, "':' is expected");
	case S_NEXT:
		if (c == '}' || c == ']')
			return close_nest(p, c == '}' ? '{' : '[');
		p->state = p->nesting[p->depth - 1] == '{' ? S_NAME : S_VALUE;
		return c == ',' ? 0 : bad(p, "',' or an end is expected");
	default: return bad(p, "something stands behind its end");
	}
}

/* The run of plain bytes of a text. */
static size_t plain(struct slice s)
{
	size_t n = 0;
	while (n < s.n && s.p[n] != '"' && s.p[n] != '\\' && (unsigned char)s.p[n] >= 0x20)
		n++;
	return n;
}

static bool in_word(char c)
{
	return (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z') || c == '-' || c == '+' || c == '.';
}

static int byte(struct json_push *p, char c)
{
	switch ((enum state)p->state) {
	case S_TEXT:
		if (c == '"')
			return end_text(p);
		if (c == '\\')
			p->state = S_ESCAPE;
		return c == '\\' ? 0 : bad(p, "a control character stands in a text");
	case S_ESCAPE: return escape(p, c);
	case S_UNICODE: return unicode_digit(p, c);
	case S_LOW:
		p->state = S_LOW_ESCAPE;
		return c == '\\' ? 0 : bad(p, "half of a pair of \\u escapes");
	case S_LOW_ESCAPE:
		p->unicode = 0;
		p->digits = 4;
		p->state = S_UNICODE;
		return c == 'u' ? 0 : bad(p, "half of a pair of \\u escapes");
	default: return between(p, c);
	}
}

int json_push_feed(struct json_push *p, struct slice chunk, bool last)
{
	int rc = 0;
	for (size_t i = 0; i < chunk.n && rc == 0;) {
		if (p->state == S_TEXT) {
			size_t run = plain(slice_make(chunk.p + i, chunk.n - i));
			van_buf_append(&p->text, chunk.p + i, run);
			i += run;
			if (i == chunk.n)
				break;
		} else if (p->state == S_NUMBER || p->state == S_LITERAL) {
			if (in_word(chunk.p[i])) {
				van_buf_append_char(&p->text, chunk.p[i++]);
				continue;
			}
			rc = end_word(p);
			if (rc < 0)
				break;
		}
		p->line += chunk.p[i] == '\n';
		rc = byte(p, chunk.p[i++]);
	}
	if (rc == 0 && last && (p->state == S_NUMBER || p->state == S_LITERAL))
		rc = end_word(p);
	if (rc == 0 && last && p->state != S_END)
		rc = bad(p, "it ends too early");
	return rc;
}
