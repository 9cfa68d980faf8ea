/* RFC 8785: strings (3.2.2.2), numbers as ECMAScript writes them (3.2.2.3), member order (3.2.3). */
#include "receipt/json.h"

#include "base/error.h"
#include "receipt/utf8.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static void put_escaped(struct van_buf *to, uint32_t c)
{
	static const char short_form[] = {['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r', ['"'] = '"', ['\\'] = '\\'};
	char s = c < sizeof short_form ? short_form[c] : 0;
	if (s) {
		van_buf_append_char(to, '\\');
		van_buf_append_char(to, s);
	} else {
		van_buf_printf(to, "\\u%04x", (unsigned)c);
	}
}

/* Bytes at the beginning that stand for themselves: nearly always all. */
static size_t plain(struct slice s)
{
	size_t n = 0;
	while (n < s.n && s.p[n] >= 0x20 && s.p[n] < 0x7f && s.p[n] != '"' && s.p[n] != '\\')
		n++;
	return n;
}

int canon_put_text(struct van_buf *to, struct slice s)
{
	van_buf_append_char(to, '"');
	while (s.n) {
		size_t n = plain(s);
		if (n) {
			van_buf_append(to, s.p, n);
			s = slice_make(s.p + n, s.n - n);
			continue;
		}
		struct slice before = s;
		uint32_t c = utf8_next(&s);
		if (c == UTF8_BAD)
			van_buf_append_str(to, "\xef\xbf\xbd");
		else if (c < 0x20 || c == '"' || c == '\\')
			put_escaped(to, c);
		else
			van_buf_append(to, before.p, before.n - s.n);
	}
	return van_buf_append_char(to, '"');
}

/* Fewest digits that read back as the same number, and the power of ten before which the point stands: 0.DIGITS × 10^n. */
static int shortest(double v, char digits[32], int *n)
{
	char text[40];
	for (int precision = 0; precision < 17; precision++) {
		snprintf(text, sizeof text, "%.*e", precision, v);
		if (strtod(text, NULL) == v)
			break;
	}
	int k = 0;
	char *p = text;
	for (; *p && *p != 'e'; p++)
		if (*p >= '0' && *p <= '9')
			digits[k++] = *p;
	*n = *p == 'e' ? (int)strtol(p + 1, NULL, 10) + 1 : 1;
	while (k > 1 && digits[k - 1] == '0')
		k--;
	digits[k] = 0;
	return k;
}

static int put_zeros(struct van_buf *to, int n)
{
	while (n-- > 0)
		van_buf_append_char(to, '0');
	return van_buf_error(to);
}

int canon_put_number(struct van_buf *to, double v)
{
	char digits[32];
	int n;
	if (!isfinite(v))
		return VAN_EINVAL;
	if (v == 0)
		return van_buf_append_char(to, '0');
	if (v < 0)
		van_buf_append_char(to, '-');
	int k = shortest(fabs(v), digits, &n);
	if (k <= n && n <= 21) {
		van_buf_append_str(to, digits);
		return put_zeros(to, n - k);
	}
	if (0 < n && n <= 21)
		return van_buf_printf(to, "%.*s.%s", n, digits, digits + n);
	if (-6 < n && n <= 0) {
		van_buf_append_str(to, "0.");
		put_zeros(to, -n);
		return van_buf_append_str(to, digits);
	}
	return van_buf_printf(to, "%.1s%s%se%c%d", digits, k > 1 ? "." : "", digits + 1, n > 0 ? '+' : '-', abs(n - 1));
}

/* First code unit of UTF-16; surrogates sort before U+E000, which is where this order leaves that of code points. */
static uint32_t first_unit(uint32_t c)
{
	return c < 0x10000 ? c : 0xd800 + ((c - 0x10000) >> 10);
}

int canon_name_order(struct slice a, struct slice b)
{
	while (a.n && b.n) {
		uint32_t x = utf8_next(&a), y = utf8_next(&b);
		if (x == y)
			continue;
		uint32_t ux = first_unit(x), uy = first_unit(y);
		if (ux != uy)
			return ux < uy ? -1 : 1;
		return x < y ? -1 : 1;
	}
	return a.n ? 1 : b.n ? -1 : 0;
}

/* Merge sort of a list. */
static struct canon_member *sorted(struct canon_member *m, size_t n)
{
	if (n < 2) {
		if (m)
			m->next = NULL;
		return m;
	}
	struct canon_member *half = m;
	for (size_t i = 0; i < n / 2; i++)
		half = half->next;
	struct canon_member *b = sorted(half, n - n / 2), *a = sorted(m, n / 2), *first = NULL, **end = &first;
	while (a && b) {
		struct canon_member **least = canon_name_order(a->name, b->name) <= 0 ? &a : &b;
		*end = *least;
		end = &(*end)->next;
		*least = (*least)->next;
	}
	*end = a ? a : b;
	return first;
}

static int put_members(struct canon_value *v, struct van_buf *to)
{
	bool object = v->kind == CANON_OBJECT;
	if (object)
		v->first = sorted(v->first, v->n);
	int rc = van_buf_append_char(to, object ? '{' : '[');
	for (struct canon_member *m = v->first; m && !rc; m = m->next) {
		if (m != v->first)
			van_buf_append_char(to, ',');
		if (object) {
			canon_put_text(to, m->name);
			van_buf_append_char(to, ':');
		}
		rc = canon_put(m->value, to);
	}
	return rc ? rc : van_buf_append_char(to, object ? '}' : ']');
}

int canon_put(struct canon_value *v, struct van_buf *to)
{
	switch (v->kind) {
	case CANON_NULL:
		return van_buf_append_str(to, "null");
	case CANON_FALSE:
		return van_buf_append_str(to, "false");
	case CANON_TRUE:
		return van_buf_append_str(to, "true");
	case CANON_NUMBER:
		return canon_put_number(to, v->number);
	case CANON_STRING:
		return canon_put_text(to, v->text);
	default:
		return put_members(v, to);
	}
}
