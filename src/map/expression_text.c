/* Functions of texts. Characters are Unicode's, not bytes. */
#include "map/expression_private.h"

#include <stdio.h>

static int text_result(struct call *c, const char *p, size_t n, struct value *ret)
{
	*ret = value_text(slice_make(p, n));
	(void)c;
	return 0;
}

/* Room for a text that is made; its length counts as steps. */
static char *text_room(struct call *c, size_t n, int *rc)
{
	*rc = run_steps(c->r, c->at, n / 64 + 1);
	char *to = *rc == 0 ? van_arena_alloc(c->r->room->arena, n + 1) : NULL;
	if (!to && *rc == 0)
		*rc = run_no_memory(c->r, c->at);
	return to;
}

static int whole_number(struct call *c, const struct value *v, int64_t *ret)
{
	struct decimal d;
	char what[40];
	snprintf(what, sizeof what, "$%s takes", c->builtin->name);
	int rc = value_need_number(c->r, c->at, v, what, &d);
	/* as JSONata cuts: towards zero */
	if (rc == 0 && decimal_round(&d, 0, d.minus ? DECIMAL_CEILING : DECIMAL_FLOOR, &d) == 0 && !decimal_to_int(&d, ret))
		rc = run_fail(c->r, c->at, "the number that $%s takes is too large", c->builtin->name);
	return rc;
}

static int string(struct call *c, struct value *ret)
{
	struct slice s;
	int rc = value_to_text(c->r, c->at, &c->a[0], &s);
	*ret = value_text(s);
	return rc;
}

static int length(struct call *c, struct value *ret)
{
	int rc = run_steps(c->r, c->at, c->a[0].text.n / 64);
	return rc < 0 ? rc : value_int(c->r, c->at, (int64_t)utf8_count(c->a[0].text), ret);
}

/* Bytes of the first `n` characters. */
static size_t bytes_of(struct slice s, int64_t n)
{
	size_t at = 0;
	for (; n > 0 && at < s.n; n--)
		at += utf8_length(slice_rest(s, at));
	return at;
}

static int substring(struct call *c, struct value *ret)
{
	struct slice s = c->a[0].text;
	int64_t start, count = INT64_MAX, all = (int64_t)utf8_count(s);
	int rc = whole_number(c, &c->a[1], &start);
	if (rc == 0 && c->count > 2 && c->a[2].kind != V_NOTHING)
		rc = whole_number(c, &c->a[2], &count);
	rc = rc < 0 ? rc : run_steps(c->r, c->at, s.n / 64);
	if (rc < 0)
		return rc;
	if (start < 0)
		start = all + start < 0 ? 0 : all + start;
	size_t from = bytes_of(s, start);
	struct slice rest = slice_rest(s, from);
	return text_result(c, rest.p, count <= 0 ? 0 : bytes_of(rest, count), ret);
}

/* Where `what` begins, or s.n + 1. */
static size_t find(struct slice s, struct slice what)
{
	if (!what.n)
		return 0;
	const char *at = s.n ? memmem(s.p, s.n, what.p, what.n) : NULL;
	return at ? (size_t)(at - s.p) : s.n + 1;
}

/* Looking through a text is work. */
static int look_for(struct call *c, size_t *at)
{
	*at = find(c->a[0].text, c->a[1].text);
	return run_steps(c->r, c->at, c->a[0].text.n / 64);
}

static int substring_before(struct call *c, struct value *ret)
{
	struct slice s = c->a[0].text;
	size_t at;
	int rc = look_for(c, &at);
	return rc < 0 ? rc : text_result(c, s.p, at > s.n ? s.n : at, ret);
}

static int substring_after(struct call *c, struct value *ret)
{
	struct slice s = c->a[0].text, what = c->a[1].text;
	size_t at;
	int rc = look_for(c, &at);
	struct slice rest = at > s.n ? s : slice_rest(s, at + what.n);
	return rc < 0 ? rc : text_result(c, rest.p, rest.n, ret);
}

static int contains(struct call *c, struct value *ret)
{
	size_t at;
	int rc = look_for(c, &at);
	*ret = value_bool(at <= c->a[0].text.n);
	return rc;
}

/* Latin, Greek and Cyrillic letters that have the other case in two bytes of UTF-8, or one. 0: none. */
static unsigned other_case(unsigned c, bool upper)
{
	static const struct {
		unsigned first, last; /* small letters */
		unsigned distance;    /* to their capitals */
	} runs[] = {{'a', 'z', 32}, {0xe0, 0xf6, 32}, {0xf8, 0xfe, 32}, {0x3b1, 0x3c1, 32}, {0x3c3, 0x3cb, 32}, {0x430, 0x44f, 32}, {0x450, 0x45f, 80}};
	for (size_t i = 0; i < sizeof runs / sizeof *runs; i++) {
		unsigned capital = upper ? c - runs[i].distance : c;
		if (upper ? c >= runs[i].first && c <= runs[i].last : c + runs[i].distance >= runs[i].first && c + runs[i].distance <= runs[i].last)
			return upper ? capital : c + runs[i].distance;
	}
	bool even = (c >= 0x100 && c <= 0x12f) || (c >= 0x132 && c <= 0x137) || (c >= 0x14a && c <= 0x177) || (c >= 0x460 && c <= 0x481);
	bool odd = (c >= 0x139 && c <= 0x148) || (c >= 0x179 && c <= 0x17e);
	if (even || odd) {
		bool capital = even ? c % 2 == 0 : c % 2 == 1;
		return upper && !capital ? c - 1 : !upper && capital ? c + 1 : 0;
	}
	return c == 0xff && upper ? 0x178 : c == 0x178 && !upper ? 0xff : 0;
}

static int change_case(struct call *c, bool upper, struct value *ret)
{
	struct slice s = c->a[0].text;
	int rc;
	char *to = text_room(c, s.n, &rc);
	for (size_t i = 0, n; to && i < s.n; i += n) {
		n = utf8_length(slice_rest(s, i));
		unsigned char a = (unsigned char)s.p[i], b = n == 2 ? (unsigned char)s.p[i + 1] : 0;
		unsigned code = n == 1 ? a : n == 2 ? (a & 0x1fu) << 6 | (b & 0x3fu) : 0, other = other_case(code, upper);
		memcpy(to + i, s.p + i, n);
		if (upper && code == 0xdf)
			memcpy(to + i, "SS", 2);
		else if (other && n == 1)
			to[i] = (char)other;
		else if (other && n == 2) {
			to[i] = (char)(0xc0 | other >> 6);
			to[i + 1] = (char)(0x80 | (other & 0x3f));
		}
	}
	return rc < 0 ? rc : text_result(c, to, s.n, ret);
}

static int uppercase(struct call *c, struct value *ret)
{
	return change_case(c, true, ret);
}

static int lowercase(struct call *c, struct value *ret)
{
	return change_case(c, false, ret);
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Runs of blanks become one, those at both ends go. */
static int trim(struct call *c, struct value *ret)
{
	struct slice s = c->a[0].text;
	int rc;
	size_t n = 0;
	char *to = text_room(c, s.n, &rc);
	for (size_t i = 0; to && i < s.n; i++) {
		if (!is_blank(s.p[i]))
			to[n++] = s.p[i];
		else if (n && to[n - 1] != ' ')
			to[n++] = ' ';
	}
	if (to && n && to[n - 1] == ' ')
		n--;
	return rc < 0 ? rc : text_result(c, to, n, ret);
}

static int pad(struct call *c, struct value *ret)
{
	struct slice s = c->a[0].text, with = c->count > 2 && c->a[2].kind == V_TEXT && c->a[2].text.n ? c->a[2].text : SLICE(" ");
	int64_t width = 0, missing;
	int rc = whole_number(c, &c->a[1], &width);
	if (rc == 0 && (width > 100000 || width < -100000))
		rc = run_fail(c->r, c->at, "$pad makes texts of at most 100,000 characters");
	if (rc < 0)
		return rc;
	bool before = width < 0;
	missing = (before ? -width : width) - (int64_t)utf8_count(s);
	if (missing <= 0)
		return text_result(c, s.p, s.n, ret);
	size_t each = utf8_count(with), filled = (size_t)missing / each * with.n + bytes_of(with, (int64_t)((size_t)missing % each));
	char *to = text_room(c, s.n + filled, &rc);
	if (!to)
		return rc;
	char *fill = before ? to : to + s.n;
	for (size_t i = 0; i < filled; i++)
		fill[i] = with.p[i % with.n];
	memcpy(before ? to + filled : to, s.p, s.n);
	return text_result(c, to, s.n + filled, ret);
}

static int limit_of(struct call *c, uint32_t argument, int64_t *ret)
{
	*ret = INT64_MAX;
	if (c->count <= argument || c->a[argument].kind == V_NOTHING)
		return 0;
	int rc = whole_number(c, &c->a[argument], ret);
	return rc == 0 && *ret < 0 ? run_fail(c->r, c->at, "the limit of $%s is not below 0", c->builtin->name) : rc;
}

static int split(struct call *c, struct value *ret)
{
	struct slice s = c->a[0].text, separator = c->a[1].text;
	int64_t limit;
	int rc = limit_of(c, 2, &limit);
	rc = rc < 0 ? rc : value_new_list(c->r, c->at, false, ret);
	if (!separator.n && !s.n)
		limit = 0;
	for (bool more = true; rc == 0 && more && limit > 0; limit--) {
		size_t at = separator.n ? find(s, separator) : utf8_length(s);
		more = separator.n ? at <= s.n : at < s.n;
		struct value v = value_text(slice_make(s.p, at > s.n ? s.n : at));
		rc = run_steps(c->r, c->at, at / 64);
		rc = rc < 0 ? rc : list_push(c->r, c->at, ret->list, &v);
		s = more ? slice_rest(s, at + separator.n) : s;
	}
	return rc;
}

static int join(struct call *c, struct value *ret)
{
	const struct list *l = value_list(c->r, &c->a[0]);
	struct slice separator = c->count > 1 && c->a[1].kind == V_TEXT ? c->a[1].text : SLICE("");
	size_t size = 0, n = 0;
	int rc = l ? 0 : run_no_memory(c->r, c->at);
	for (uint32_t i = 0; rc == 0 && i < l->n; i++) {
		if (l->v[i].kind != V_TEXT)
			return run_fail(c->r, c->at, "$join takes texts, not %s; $map(…, $string) makes texts", value_kind_name(&l->v[i]));
		size += l->v[i].text.n + separator.n;
	}
	char *to = rc == 0 ? text_room(c, size, &rc) : NULL;
	for (uint32_t i = 0; to && i < l->n; i++) {
		if (i) {
			memcpy(to + n, separator.p, separator.n);
			n += separator.n;
		}
		memcpy(to + n, l->v[i].text.p, l->v[i].text.n);
		n += l->v[i].text.n;
	}
	return rc < 0 ? rc : text_result(c, to, n, ret);
}

static int replace(struct call *c, struct value *ret)
{
	struct slice s = c->a[0].text, what = c->a[1].text, with = c->a[2].text;
	struct van_buf out = VAN_BUF_INIT((size_t)1 << 24);
	int64_t limit;
	int rc = limit_of(c, 3, &limit);
	if (rc == 0 && !what.n)
		rc = run_fail(c->r, c->at, "$replace can't look for an empty text");
	for (; rc == 0 && limit > 0; limit--) {
		size_t at = find(s, what);
		if (at > s.n)
			break;
		van_buf_append(&out, s.p, at);
		van_buf_append_slice(&out, with);
		s = slice_rest(s, at + what.n);
		rc = run_steps(c->r, c->at, 1 + (at + with.n) / 64);
	}
	van_buf_append_slice(&out, s);
	if (rc == 0 && van_buf_error(&out))
		rc = expression_fail(c->r->x->text, c->at->at, c->r->e, VAN_ELIMIT, "the text that $replace makes is longer than 16 MiB");
	struct slice made = rc == 0 ? van_arena_slice(c->r->room->arena, van_buf_slice(&out)) : SLICE("");
	van_buf_free(&out);
	*ret = value_text(made);
	return rc < 0 ? rc : made.p ? 0 : run_no_memory(c->r, c->at);
}

const struct builtin builtins_text[] = {
	{.name = "string", .signature = "x-", .fn = string},
	{.name = "length", .signature = "s-", .fn = length},
	{.name = "substring", .signature = "s-nn?", .fn = substring, .whole = true},
	{.name = "substringBefore", .signature = "s-s", .fn = substring_before, .whole = true},
	{.name = "substringAfter", .signature = "s-s", .fn = substring_after, .whole = true},
	{.name = "contains", .signature = "s-s", .fn = contains},
	{.name = "uppercase", .signature = "s-", .fn = uppercase},
	{.name = "lowercase", .signature = "s-", .fn = lowercase},
	{.name = "trim", .signature = "s-", .fn = trim},
	{.name = "pad", .signature = "s-ns?", .fn = pad, .whole = true},
	{.name = "split", .signature = "s-sn?", .fn = split},
	{.name = "join", .signature = "as?", .fn = join},
	{.name = "replace", .signature = "s-ssn?", .fn = replace},
	{.name = NULL},
};
