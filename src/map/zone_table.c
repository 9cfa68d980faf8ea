/* TZif files (RFC 8536): when a zone's distance from UTC changed and will change. */
#include "map/zone_table.h"

#include "base/error.h"
#include "base/fdio.h"

#include <stdio.h>
#include <stdlib.h>

/* Rules stay as they are, and in 28 years weekdays stand on the same dates again (until 2099). */
#define CYCLE ((int64_t)883612800)
#define FILE_MAX ((size_t)256 << 10)

struct zone {
	uint32_t count;
	const int64_t *at;     /* seconds */
	const int32_t *offset; /* from there on */
	int32_t before;        /* before all of them */
	bool cycles;           /* the file ends with the changes of 2037 */
};

static int64_t big_endian(const char *p, int n)
{
	uint64_t v = n == 4 && (*p & 0x80) ? UINT64_MAX : 0;
	for (int i = 0; i < n; i++)
		v = v << 8 | (unsigned char)p[i];
	return (int64_t)v;
}

struct counts {
	size_t utc, standard, leaps, times, types, characters;
};

static bool read_header(struct slice s, struct counts *ret)
{
	if (s.n < 44 || !slice_starts(s, "TZif"))
		return false;
	size_t *counts[] = {&ret->utc, &ret->standard, &ret->leaps, &ret->times, &ret->types, &ret->characters};
	for (int i = 0; i < 6; i++) {
		*counts[i] = (size_t)big_endian(s.p + 20 + 4 * i, 4);
		if (*counts[i] > FILE_MAX)
			return false;
	}
	return ret->types > 0;
}

static size_t block_size(const struct counts *c, size_t width)
{
	return c->times * (width + 1) + c->types * 6 + c->characters + c->leaps * (width + 4) + c->standard + c->utc;
}

/* The second part of the file, with times of 64 bits. */
static int read_zone(struct van_arena *arena, struct slice s, struct zone *z)
{
	struct counts c;
	if (!read_header(s, &c) || s.p[4] < '2' || s.n < 44 + block_size(&c, 4))
		return VAN_ENOTFOUND;
	s = slice_make(s.p + 44 + block_size(&c, 4), s.n - 44 - block_size(&c, 4));
	if (!read_header(s, &c) || s.n < 44 + block_size(&c, 8))
		return VAN_ENOTFOUND;
	const char *times = s.p + 44, *indices = times + 8 * c.times, *types = indices + c.times;
	int64_t *at = van_arena_array(arena, c.times + 1, sizeof *at);
	int32_t *offset = van_arena_array(arena, c.times + 1, sizeof *offset);
	if (!at || !offset)
		return VAN_ENOMEM;
	for (size_t i = 0; i < c.times; i++) {
		size_t type = (unsigned char)indices[i];
		if (type >= c.types)
			return VAN_ENOTFOUND;
		at[i] = big_endian(times + 8 * i, 8);
		offset[i] = (int32_t)big_endian(types + 6 * type, 4);
	}
	/* files that leave the future to the rule behind their times ("slim" ones; Debian's aren't) would be right until then only */
	struct slice rule = slice_make(s.p + 44 + block_size(&c, 8), s.n - 44 - block_size(&c, 8));
	bool whole = c.times && at[c.times - 1] > (int64_t)2114380800;
	if (!whole && rule.n && memchr(rule.p, ',', rule.n))
		return VAN_ENOTFOUND;
	*z = (struct zone){.count = (uint32_t)c.times, .at = at, .offset = offset, .before = (int32_t)big_endian(types, 4),
		.cycles = whole};
	return 0;
}

static bool is_name(struct slice name)
{
	for (size_t i = 0; i < name.n; i++) {
		char c = name.p[i];
		if (!((c | 32) >= 'a' && (c | 32) <= 'z') && !(c >= '0' && c <= '9') && (!c || !strchr("/_-+", c)))
			return false;
	}
	return name.n && name.n < 64 && *name.p != '/';
}

/* "+01:00" */
static bool read_offset(struct slice s, int32_t *ret)
{
	unsigned hours, minutes;
	char text[8];
	if (s.n != 6 || (*s.p != '+' && *s.p != '-') || s.p[3] != ':')
		return false;
	snprintf(text, sizeof text, "%.*s", SLICE_ARG(s));
	if (sscanf(text + 1, "%2u:%2u", &hours, &minutes) != 2 || hours > 14 || minutes > 59)
		return false;
	*ret = (int32_t)(hours * 60 + minutes) * (*s.p == '-' ? -60 : 60);
	return true;
}

int zone_open(struct van_arena *arena, struct slice name, const struct zone **ret)
{
	struct zone *z = van_arena_alloc(arena, sizeof *z);
	const char *folder = getenv("TZDIR");
	char path[512];
	if (!z)
		return VAN_ENOMEM;
	*ret = z;
	if (slice_is(name, "Z") || slice_is(name, "UTC") || read_offset(name, &z->before))
		return 0;
	if (!is_name(name))
		return VAN_ENOTFOUND;
	snprintf(path, sizeof path, "%s/%.*s", folder ? folder : "/usr/share/zoneinfo", SLICE_ARG(name));
	struct van_buf file = VAN_BUF_INIT(FILE_MAX);
	int rc = file_read(path, &file) < 0 ? VAN_ENOTFOUND : read_zone(arena, van_buf_slice(&file), z);
	van_buf_free(&file);
	return rc;
}

int zone_minutes_at(const struct zone *z, van_time t)
{
	int64_t seconds = t / VAN_SECOND;
	while (z->cycles && seconds >= z->at[z->count - 1])
		seconds -= CYCLE;
	uint32_t low = 0, high = z->count; /* the changes before `low` are not after t */
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		if (z->at[middle] <= seconds)
			low = middle + 1;
		else
			high = middle;
	}
	return (low ? z->offset[low - 1] : z->before) / 60;
}
