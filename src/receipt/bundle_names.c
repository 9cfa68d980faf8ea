#include "receipt/bundle_names.h"

#include "base/codec.h"
#include "receipt/json.h"

#include <stdio.h>
#include <stdlib.h>

const char bundle_verify_md[] =
#include "receipt/verify_md.inc"
	;
const char bundle_verify_sh[] =
#include "receipt/verify_sh.inc"
	;

struct bundle_name bundle_log_file(uint32_t year, const char *what)
{
	struct bundle_name n;
	snprintf(n.text, sizeof n.text, BUNDLE_ROOT "%04u/%s", year, what);
	return n;
}

struct bundle_name bundle_leaf_file(uint32_t year, const char *folder, uint64_t index, struct slice ending)
{
	struct bundle_name n;
	snprintf(n.text, sizeof n.text, BUNDLE_ROOT "%04u/%s/" BUNDLE_NUMBER "%.*s", year, folder, (unsigned long long)index,
		SLICE_ARG(ending));
	return n;
}

struct bundle_name bundle_certificate(const struct receipt_hash *sha256)
{
	struct bundle_name n;
	char hex[2 * RECEIPT_HASH + 1];
	snprintf(n.text, sizeof n.text, BUNDLE_ROOT "certificates/%s.der", hex_encode(hex, sha256->b, RECEIPT_HASH));
	return n;
}

/* N in groups of three digits, all but the last with an x before them: x001/x234/067. */
static void tile_number(char *to, size_t room, uint64_t n)
{
	unsigned groups[8];
	size_t count = 0, at = 0;
	do
		groups[count++] = (unsigned)(n % 1000);
	while ((n /= 1000));
	while (count-- > 0)
		at += (size_t)snprintf(to + at, room - at, "%s%03u%s", count ? "x" : "", groups[count], count ? "/" : "");
}

struct bundle_name bundle_tile(uint32_t year, unsigned level, uint64_t number, unsigned width)
{
	char n[64], what[128];
	tile_number(n, sizeof n, number);
	if (width == TILE_WIDTH)
		snprintf(what, sizeof what, "tile/%u/%s", level, n);
	else
		snprintf(what, sizeof what, "tile/%u/%s.p/%u", level, n, width);
	return bundle_log_file(year, what);
}

/* --- the manifest --- */

static void put_time(struct van_buf *to, van_time t)
{
	char text[VAN_TIME_TEXT];
	if (t)
		van_buf_printf(to, "\"%s\"", van_time_rfc3339(text, t));
	else
		van_buf_append_str(to, "null");
}

int bundle_manifest_write(const struct bundle_manifest *m, struct van_buf *to)
{
	van_buf_append_str(to, "{\"from\":");
	put_time(to, m->from);
	van_buf_append_str(to, ",\"logs\":[");
	for (size_t i = 0; i < m->n; i++) {
		const struct bundle_log *l = &m->log[i];
		van_buf_printf(to, "%s{\"first\":%llu,\"last\":%llu,\"origin\":", i ? "," : "", (unsigned long long)l->first,
			(unsigned long long)l->last);
		canon_put_text(to, slice_str(l->origin));
		van_buf_append_char(to, '}');
	}
	van_buf_append_str(to, "],\"until\":");
	put_time(to, m->until);
	return van_buf_printf(to, ",\"version\":%d}\n", BUNDLE_VERSION);
}

static int get_time(const struct canon_value *o, const char *name, van_time *ret)
{
	const struct canon_value *v = canon_get(o, name);
	*ret = 0;
	if (!v)
		return VAN_ESYNTAX;
	return v->kind == CANON_NULL ? 0 : van_time_parse(canon_get_text(o, name), ret);
}

static int parse_log(const struct canon_value *o, struct bundle_log *l)
{
	struct slice origin = canon_get_text(o, "origin");
	unsigned long long year;
	struct receipt_vkey unused;
	if (!origin.p || receipt_vkey_make(origin, (const unsigned char[RECEIPT_KEY]){0}, &unused))
		return VAN_ESYNTAX;
	snprintf(l->origin, sizeof l->origin, "%.*s", SLICE_ARG(origin));
	const char *slash = strrchr(l->origin, '/');
	if (!slash || !slice_u64(slice_str(slash + 1), &year) || year == 0 || year > 999999 || !canon_get_u64(o, "first", &l->first) ||
		!canon_get_u64(o, "last", &l->last) || l->first > l->last)
		return VAN_ESYNTAX;
	l->year = (uint32_t)year;
	return 0;
}

static int parse(const struct canon_value *o, struct bundle_manifest *m)
{
	uint64_t version;
	const struct canon_value *logs = canon_get(o, "logs");
	if (!canon_get_u64(o, "version", &version) || !logs || logs->kind != CANON_ARRAY || logs->n > BUNDLE_LOGS_MAX)
		return VAN_ESYNTAX;
	if (version != BUNDLE_VERSION)
		return VAN_EVERSION;
	if (get_time(o, "from", &m->from) || get_time(o, "until", &m->until))
		return VAN_ESYNTAX;
	for (const struct canon_member *e = logs->first; e; e = e->next, m->n++)
		if (parse_log(e->value, &m->log[m->n]) || (m->n && m->log[m->n].year <= m->log[m->n - 1].year))
			return VAN_ESYNTAX;
	return 0;
}

int bundle_manifest_parse(struct slice json, struct bundle_manifest *ret, struct van_error *err)
{
	struct van_arena *arena = van_arena_new(4 << 20);
	struct canon_value *o;
	memset(ret, 0, sizeof *ret);
	int rc = arena ? canon_parse(json, arena, &o) : VAN_ENOMEM;
	if (rc == 0)
		rc = parse(o, ret);
	van_arena_free(arena);
	if (rc == VAN_EVERSION)
		return van_error_set(err, rc, "bundle.json is of another version: use a newer program");
	return rc ? van_error_set(err, rc, "bundle.json is not what an export writes") : 0;
}
