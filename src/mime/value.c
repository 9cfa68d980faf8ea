/* Structured header values: "type/subtype; name=value; name=\"value\"; name*0*=charset'lang'percent". */
#include "mime/charset.h"
#include "mime/header.h"

#include "base/codec.h"

#include <string.h>

/* A parameter as it stands, before continuations are joined. */
struct piece {
	struct slice name, value;
	unsigned section; /* of name*N */
	bool numbered, extended;
};

static struct slice lower_copy(struct slice s, struct van_arena *arena)
{
	char *to = van_arena_alloc(arena, s.n + 1);
	size_t n = 0;
	for (size_t i = 0; to && i < s.n; i++) {
		char c = s.p[i];
		if (c != ' ' && c != '\t')
			to[n++] = c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
	}
	return to ? slice_make(to, n) : SLICE_NONE;
}

/* Up to the next ";" outside quotes; *rest is absent at the end. */
static struct slice cut_segment(struct slice *rest)
{
	bool quoted = false;
	for (size_t i = 0; i < rest->n; i++) {
		char c = rest->p[i];
		if (quoted && c == '\\' && i + 1 < rest->n) {
			i++;
		} else if (c == '"') {
			quoted = !quoted;
		} else if (c == ';' && !quoted) {
			struct slice s = slice_make(rest->p, i);
			*rest = slice_make(rest->p + i + 1, rest->n - i - 1);
			return s;
		}
	}
	struct slice s = *rest;
	*rest = SLICE_NONE;
	if (!quoted)
		return s;
	/* a quote that never closes: the field's "; " still ends a parameter */
	const char *semi = memchr(s.p, ';', s.n);
	if (!semi)
		return s;
	size_t n = (size_t)(semi - s.p);
	*rest = slice_make(semi + 1, s.n - n - 1);
	return slice_make(s.p, n);
}

/* Quotes and escapes removed, wherever they stand. */
static struct slice unquote(struct slice s, struct van_arena *arena)
{
	if (!s.n || !memchr(s.p, '"', s.n))
		return s;
	char *to = van_arena_alloc(arena, s.n);
	size_t n = 0;
	bool quoted = false;
	for (size_t i = 0; to && i < s.n; i++) {
		if (s.p[i] == '"')
			quoted = !quoted;
		else if (quoted && s.p[i] == '\\' && i + 1 < s.n)
			to[n++] = s.p[++i];
		else
			to[n++] = s.p[i];
	}
	return to ? slice_make(to, n) : SLICE_NONE;
}

/* A comment behind an unquoted token: `name=value (comment)`. */
static struct slice without_comment(struct slice s)
{
	if (s.n && s.p[0] == '"')
		return s;
	for (size_t i = 1; i < s.n; i++)
		if (s.p[i] == '(' && (s.p[i - 1] == ' ' || s.p[i - 1] == '\t'))
			return slice_trim(slice_make(s.p, i));
	return s;
}

static bool parse_piece(struct slice segment, struct van_arena *arena, struct piece *ret)
{
	struct slice value = segment, name = slice_cut(&value, '=');
	if (!value.p)
		return false;
	*ret = (struct piece){.name = lower_copy(slice_trim(name), arena)};
	ret->value = unquote(without_comment(slice_trim(value)), arena);
	if (ret->name.n > 1 && ret->name.p[ret->name.n - 1] == '*') {
		ret->extended = true;
		ret->name.n--;
	}
	const char *star = ret->name.n ? memchr(ret->name.p, '*', ret->name.n) : NULL;
	if (star) {
		size_t at = (size_t)(star - ret->name.p);
		unsigned long long section;
		if (!slice_u64(slice_make(star + 1, ret->name.n - at - 1), &section) || section >= MIME_PARAMS_MAX)
			return false;
		ret->numbered = true;
		ret->section = (unsigned)section;
		ret->name.n = at;
	}
	return ret->name.n > 0;
}

/* Percent-decoding; the first piece names the charset (RFC 2231 section 4). Appends to `to`. */
static size_t decode_extended(char *to, struct slice s, struct slice *charset, bool first, char *scratch)
{
	if (first) {
		struct slice rest = s, set = slice_cut(&rest, '\'');
		if (rest.p) {
			struct slice text = rest;
			slice_cut(&text, '\'');
			if (text.p) {
				*charset = set;
				s = text;
			}
		}
	}
	size_t n = 0;
	for (size_t i = 0; i < s.n; i++) {
		int hi = i + 2 < s.n && s.p[i] == '%' ? hex_digit(s.p[i + 1]) : -1;
		int lo = hi >= 0 ? hex_digit(s.p[i + 2]) : -1;
		if (lo >= 0) {
			scratch[n++] = (char)(hi << 4 | lo);
			i += 2;
		} else {
			scratch[n++] = s.p[i];
		}
	}
	return mime_to_utf8(to, slice_make(scratch, n), *charset);
}

static int join(const struct piece *v, size_t n, struct slice name, struct van_arena *arena, struct slice *ret)
{
	size_t most = 1;
	for (size_t i = 0; i < n; i++)
		if (slice_eq(v[i].name, name))
			most += 2 * v[i].value.n;
	char *to = van_arena_alloc(arena, most), *scratch = van_arena_alloc(arena, most);
	if (!to || !scratch)
		return VAN_ENOMEM;
	size_t used = 0;
	struct slice charset = SLICE_NONE;
	for (unsigned section = 0; section < MIME_PARAMS_MAX; section++) {
		size_t i = 0;
		while (i < n && !(slice_eq(v[i].name, name) && (v[i].numbered || v[i].extended) && v[i].section == section))
			i++;
		if (i == n)
			break;
		if (v[i].extended) {
			used += decode_extended(to + used, v[i].value, &charset, section == 0, scratch);
		} else {
			memcpy(to + used, v[i].value.p, v[i].value.n);
			used += v[i].value.n;
		}
	}
	*ret = slice_make(to, used);
	return 0;
}

static int assemble(const struct piece *v, size_t n, struct van_arena *arena, struct mime_value *ret)
{
	for (size_t i = 0; i < n; i++) {
		bool plain = !v[i].numbered && !v[i].extended;
		if (v[i].numbered && v[i].section != 0)
			continue;
		struct mime_param *p = &ret->params[ret->nparams++];
		*p = (struct mime_param){v[i].name, v[i].value};
		int rc = plain ? 0 : join(v, n, v[i].name, arena, &p->value);
		if (rc)
			return rc;
	}
	return 0;
}

int mime_value_parse(struct slice text, struct van_arena *arena, struct mime_value *ret)
{
	struct piece pieces[MIME_PARAMS_MAX];
	size_t n = 0;
	bool first = true;
	memset(ret, 0, sizeof *ret);
	ret->value = SLICE("");
	text = slice_trim(text);
	if (text.n >= 2 && text.p[0] == '"' && text.p[text.n - 1] == '"')
		text = slice_trim(unquote(text, arena));
	while (text.p) {
		struct slice segment = slice_trim(cut_segment(&text));
		bool has_value = segment.n && memchr(segment.p, '=', segment.n);
		if (first && !has_value && segment.n)
			ret->value = lower_copy(without_comment(segment), arena);
		first = false;
		if (!has_value)
			continue;
		if (n == MIME_PARAMS_MAX)
			return VAN_ELIMIT;
		if (parse_piece(segment, arena, &pieces[n]))
			n++;
	}
	if (!ret->value.p)
		return VAN_ENOMEM;
	return assemble(pieces, n, arena, ret);
}

struct slice mime_value_param(const struct mime_value *v, const char *name)
{
	for (size_t i = 0; i < v->nparams; i++)
		if (slice_is(v->params[i].name, name))
			return v->params[i].value;
	return SLICE_NONE;
}
