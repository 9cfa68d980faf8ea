/* Words of an expression. */
#include "map/expression_private.h"

#include "base/utf8.h"

#include <stdarg.h>
#include <stdio.h>

size_t utf8_length(struct slice s)
{
	size_t n = van_utf8_length(s);
	return n ? n : s.n > 0;
}

size_t utf8_count(struct slice s)
{
	size_t count = 0;
	for (; s.n; count++)
		s = slice_rest(s, utf8_length(s));
	return count;
}

int expression_fail(struct slice text, uint32_t at, struct van_error *e, enum van_err code, const char *format, ...)
{
	char what[400];
	va_list ap;
	va_start(ap, format);
	vsnprintf(what, sizeof what, format, ap);
	va_end(ap);
	return van_error_set(e, code, "column %zu: %s", utf8_count(slice_make(text.p, at < text.n ? at : text.n)) + 1, what);
}

static int fail(struct lexer *l, size_t at, const char *what)
{
	return expression_fail(l->text, (uint32_t)at, l->e, VAN_ESYNTAX, "%s", what);
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\v';
}

/* Ends a name. */
static bool is_operator(char c)
{
	return c && strchr(".[]{}(),@#;:?+-*/%|=<>^&!~`\"'", c);
}

static char peek(const struct lexer *l, size_t ahead)
{
	return l->at + ahead < l->text.n ? l->text.p[l->at + ahead] : 0;
}

/* Blanks and comments. */
static int skip(struct lexer *l)
{
	for (;;) {
		while (l->at < l->text.n && is_blank(l->text.p[l->at]))
			l->at++;
		if (peek(l, 0) != '/' || peek(l, 1) != '*')
			return 0;
		size_t begin = l->at;
		for (l->at += 2; !(peek(l, 0) == '*' && peek(l, 1) == '/'); l->at++)
			if (l->at >= l->text.n)
				return fail(l, begin, "the comment has no end; close it with */");
		l->at += 2;
	}
}

static int read_hex(struct lexer *l, unsigned *ret)
{
	*ret = 0;
	for (int i = 0; i < 4; i++) {
		char c = peek(l, 0);
		const char *digits = "0123456789abcdef", *d = c ? strchr(digits, c >= 'A' && c <= 'F' ? c + 32 : c) : NULL;
		if (!d)
			return fail(l, l->at, "\\u needs four hexadecimal digits");
		*ret = *ret << 4 | (unsigned)(d - digits);
		l->at++;
	}
	return 0;
}

static size_t put_character(char *to, unsigned c)
{
	if (c < 0x80) {
		to[0] = (char)c;
		return 1;
	}
	size_t n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
	for (size_t i = n; i-- > 1; c >>= 6)
		to[i] = (char)(0x80 | (c & 0x3f));
	to[0] = (char)((n == 2 ? 0xc0 : n == 3 ? 0xe0 : 0xf0) | c);
	return n;
}

static int read_unicode(struct lexer *l, char *to, size_t *n)
{
	unsigned c, low;
	int rc = read_hex(l, &c);
	if (rc == 0 && c >= 0xd800 && c <= 0xdbff && peek(l, 0) == '\\' && peek(l, 1) == 'u') {
		l->at += 2;
		rc = read_hex(l, &low);
		if (rc == 0 && low >= 0xdc00 && low <= 0xdfff)
			c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
	}
	if (rc == 0 && c >= 0xd800 && c <= 0xdfff)
		return fail(l, l->at, "half of a pair of \\u escapes");
	if (rc == 0)
		*n += put_character(to + *n, c);
	return rc;
}

static int read_escape(struct lexer *l, char *to, size_t *n)
{
	static const char from[] = "\"'\\/bfnrt", into[] = "\"'\\/\b\f\n\r\t";
	char c = peek(l, 0);
	const char *at = c ? strchr(from, c) : NULL;
	if (at) {
		l->at++;
		to[(*n)++] = into[at - from];
		return 0;
	}
	if (c != 'u')
		return fail(l, l->at, "there is no such escape; \\\\ is a backslash");
	l->at++;
	return read_unicode(l, to, n);
}

static int read_text(struct lexer *l, struct word *w)
{
	char quote = l->text.p[l->at++], *to = van_arena_alloc(l->arena, l->text.n - l->at + 8);
	size_t n = 0;
	int rc = 0;
	if (!to)
		return van_error_set(l->e, VAN_ENOMEM, "no memory for an expression");
	while (rc == 0 && l->at < l->text.n && l->text.p[l->at] != quote) {
		char c = l->text.p[l->at++];
		if (c == '\\')
			rc = read_escape(l, to, &n);
		else
			to[n++] = c;
	}
	if (rc < 0)
		return rc;
	if (l->at >= l->text.n)
		return fail(l, w->at, "the text has no end; close it with a quote");
	l->at++;
	w->kind = W_TEXT;
	w->text = slice_make(to, n);
	return 0;
}

static size_t digits(const struct lexer *l, size_t ahead)
{
	size_t n = 0;
	while (peek(l, ahead + n) >= '0' && peek(l, ahead + n) <= '9')
		n++;
	return n;
}

static void read_number(struct lexer *l, struct word *w)
{
	size_t n = peek(l, 0) == '0' ? 1 : digits(l, 0);
	if (peek(l, n) == '.' && digits(l, n + 1))
		n += 1 + digits(l, n + 1);
	if ((peek(l, n) | 32) == 'e') {
		size_t sign = peek(l, n + 1) == '-' || peek(l, n + 1) == '+';
		if (digits(l, n + 1 + sign))
			n += 1 + sign + digits(l, n + 1 + sign);
	}
	w->kind = W_NUMBER;
	w->text = slice_make(l->text.p + l->at, n);
	l->at += n;
}

static void read_name(struct lexer *l, struct word *w)
{
	static const struct {
		const char *name;
		enum word_kind kind;
		int op;
	} words[] = {{"and", W_OPERATOR, OP_AND}, {"or", W_OPERATOR, OP_OR}, {"in", W_OPERATOR, OP_IN}, {"true", W_TRUE, 0}, {"false", W_FALSE, 0}};
	size_t n = 0;
	while (l->at + n < l->text.n && !is_blank(peek(l, n)) && !is_operator(peek(l, n)))
		n++;
	struct slice s = slice_make(l->text.p + l->at, n);
	l->at += n;
	w->kind = *s.p == '$' ? W_VARIABLE : W_NAME;
	w->text = w->kind == W_VARIABLE ? slice_rest(s, 1) : s;
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (slice_is(s, words[i].name)) {
			w->kind = words[i].kind;
			w->op = words[i].op;
		}
}

static bool read_operator(struct lexer *l, struct word *w)
{
	static const struct {
		char text[3];
		int op;
	} pairs[] = {{"..", OP_RANGE}, {":=", OP_BIND}, {"!=", OP_UNEQUAL}, {">=", OP_ABOVE_EQUAL}, {"<=", OP_BELOW_EQUAL}, {"~>", OP_APPLY},
		{"?:", OP_ELSE}, {"??", OP_COALESCE}};
	char c = peek(l, 0);
	if (!is_operator(c) || strchr("`\"'", c))
		return false;
	w->kind = W_OPERATOR;
	w->op = c;
	size_t n = 1;
	for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
		if (c == pairs[i].text[0] && peek(l, 1) == pairs[i].text[1]) {
			w->op = pairs[i].op;
			n = 2;
		}
	w->text = slice_make(l->text.p + l->at, n);
	l->at += n;
	return true;
}

int expression_word(struct lexer *l, bool operand, struct word *ret)
{
	int rc = skip(l);
	*ret = (struct word){.at = (uint32_t)l->at, .text = SLICE("")};
	if (rc < 0 || l->at >= l->text.n)
		return rc;
	char c = peek(l, 0);
	if (operand && c == '/')
		return fail(l, l->at, "there are no regular expressions here; $contains, $split and $replace take texts");
	if (c == '"' || c == '\'')
		return read_text(l, ret);
	if (c == '`') {
		const char *end = memchr(l->text.p + l->at + 1, '`', l->text.n - l->at - 1);
		if (!end)
			return fail(l, l->at, "the name has no end; close it with `");
		ret->kind = W_NAME;
		ret->text = slice_make(l->text.p + l->at + 1, (size_t)(end - (l->text.p + l->at + 1)));
		l->at = (size_t)(end + 1 - l->text.p);
		return 0;
	}
	if (read_operator(l, ret))
		return 0;
	if (c >= '0' && c <= '9')
		read_number(l, ret);
	else
		read_name(l, ret);
	return 0;
}
