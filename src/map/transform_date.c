/* Dates and times: X12's two forms, EDIFACT's formats of 2379, and ISO 8601 in documents. */
#include "map/transform.h"

#include "base/clock.h"
#include "edi/calendar.h"

#include <stdio.h>

/* Formats of 2379 by the layout of their digits: C century, Y year, M month, D day, H hour, N minute, S second, W week, Z zone. */
static const struct layout {
	const char *code, *text;
} layouts[] = {
	{"102", "CCYYMMDD"}, {"101", "YYMMDD"}, {"2", "DDMMYY"}, {"3", "MMDDYY"}, {"4", "DDMMCCYY"}, {"201", "YYMMDDHHNN"},
	{"202", "YYMMDDHHNNSS"}, {"203", "CCYYMMDDHHNN"}, {"204", "CCYYMMDDHHNNSS"}, {"301", "YYMMDDHHNNZZZ"},
	{"302", "YYMMDDHHNNSSZZZ"}, {"303", "CCYYMMDDHHNNZZZ"}, {"304", "CCYYMMDDHHNNSSZZZ"}, {"602", "CCYY"}, {"609", "YYMM"},
	{"610", "CCYYMM"}, {"615", "YYWW"}, {"616", "CCYYWW"},
};

struct parts {
	unsigned year, month, day, hour, minute, second, week;
	bool has_year, has_month, has_day, has_time, has_seconds, has_week, has_zone;
	int zone; /* minutes east */
	struct van_civil utc; /* of what was written in ISO 8601 with a zone */
};

static const struct layout *layout_of(struct slice code)
{
	for (size_t i = 0; i < sizeof layouts / sizeof *layouts; i++)
		if (slice_is(code, layouts[i].code))
			return &layouts[i];
	return NULL;
}

/* Three characters: a name, or +HH. */
static bool zone_of(struct slice s, int *ret)
{
	static const struct {
		const char *name;
		int hours;
	} zones[] = {{"UTC", 0}, {"GMT", 0}, {"CET", 1}, {"EET", 2}, {"EST", -5}, {"EDT", -4}, {"CST", -6}, {"CDT", -5}, {"MST", -7},
		{"MDT", -6}, {"PST", -8}, {"PDT", -7}, {"BST", 1}, {"JST", 9}};
	for (size_t i = 0; i < sizeof zones / sizeof *zones; i++)
		if (slice_is(s, zones[i].name)) {
			*ret = zones[i].hours * 60;
			return true;
		}
	if (s.n != 3 || (*s.p != '+' && *s.p != '-') || !map_digits(slice_make(s.p + 1, 2)))
		return false;
	*ret = ((s.p[1] - '0') * 10 + s.p[2] - '0') * (*s.p == '-' ? -60 : 60);
	return true;
}

static unsigned two(const char *p)
{
	return (unsigned)(p[0] - '0') * 10 + (unsigned)(p[1] - '0');
}

static bool sound(const struct parts *t)
{
	bool day = !t->has_day || edi_day_exists(t->year, t->month, t->day); /* a day comes with its month and year */
	return day && (!t->has_month || (t->month >= 1 && t->month <= 12)) && t->hour <= 24 && t->minute <= 59 && t->second <= 60 &&
	       (!t->has_week || (t->week >= 1 && t->week <= 53));
}

static bool read_layout(const char *layout, struct slice s, struct parts *t)
{
	bool century = false;
	size_t n = strlen(layout);
	*t = (struct parts){0};
	if (s.n != n || !map_digits(slice_make(s.p, n - (n > 3 && layout[n - 1] == 'Z' ? 3 : 0))))
		return false;
	for (size_t i = 0; i < n; i += 2) {
		unsigned v = layout[i] == 'Z' ? 0 : two(s.p + i);
		switch (layout[i]) {
		case 'C': t->year = v * 100; century = true; break;
		case 'Y': t->year = century ? t->year + v : v + (v >= 50 ? 1900 : 2000); t->has_year = true; break;
		case 'M': t->month = v; t->has_month = true; break;
		case 'D': t->day = v; t->has_day = true; break;
		case 'H': t->hour = v; t->has_time = true; break;
		case 'N': t->minute = v; break;
		case 'S': t->second = v; t->has_seconds = true; break;
		case 'W': t->week = v; t->has_week = true; break;
		default: t->has_zone = true; i = n; break;
		}
	}
	return sound(t) && (!t->has_zone || zone_of(slice_make(s.p + n - 3, 3), &t->zone));
}

static struct slice print_iso(struct van_arena *a, const struct parts *t)
{
	char text[40];
	int n = snprintf(text, sizeof text, "%04u", t->year);
	if (t->has_week)
		n += snprintf(text + n, sizeof text - (size_t)n, "-W%02u", t->week);
	if (t->has_month)
		n += snprintf(text + n, sizeof text - (size_t)n, "-%02u", t->month);
	if (t->has_day)
		n += snprintf(text + n, sizeof text - (size_t)n, "-%02u", t->day);
	if (t->has_time)
		n += snprintf(text + n, sizeof text - (size_t)n, "T%02u:%02u:%02u", t->hour, t->minute, t->second);
	if (t->has_zone && !t->zone)
		n += snprintf(text + n, sizeof text - (size_t)n, "Z");
	else if (t->has_zone)
		n += snprintf(text + n, sizeof text - (size_t)n, "%c%02d:%02d", t->zone < 0 ? '-' : '+', (t->zone < 0 ? -t->zone : t->zone) / 60,
			(t->zone < 0 ? -t->zone : t->zone) % 60);
	return van_arena_slice(a, slice_make(text, (size_t)n));
}

int map_date_in(struct van_arena *a, struct slice format, struct slice *v, const char **what)
{
	struct slice s = *v;
	*what = "is not a date (YYMMDD or CCYYMMDD)";
	if (!format.p || slice_is(format, "102") || slice_is(format, "101")) {
		/* nearly every date: digits go to their places */
		struct parts t;
		if (!map_digits(s) || (s.n != 6 && s.n != 8) || !read_layout(s.n == 8 ? "CCYYMMDD" : "YYMMDD", s, &t))
			return VAN_ESYNTAX;
		char *to = van_arena_alloc(a, 10);
		if (!to)
			return VAN_ENOMEM;
		memcpy(to, s.n == 8 ? s.p : *s.p >= '5' ? "19" : "20", 2);
		memcpy(to + 2, s.p + s.n - 6, 2);
		to[4] = to[7] = '-';
		memcpy(to + 5, s.p + s.n - 4, 2);
		memcpy(to + 8, s.p + s.n - 2, 2);
		*v = slice_make(to, 10);
		return 0;
	}
	const struct layout *l = layout_of(format);
	struct parts t;
	*what = l ? "is not a date of the format that stands behind it" : "is in a format of 2379 that 'date' does not know; take it without 'date'";
	if (!l || !read_layout(l->text, s, &t))
		return VAN_ESYNTAX;
	*v = print_iso(a, &t);
	return v->p ? 0 : VAN_ENOMEM;
}

static bool digits_at(struct slice s, size_t at, size_t n)
{
	return s.n >= at + n && map_digits(slice_make(s.p + at, n));
}

/* YYYY[-MM[-DD[THH:MM[:SS[.fff]][zone]]]] or YYYY-Www */
static bool read_iso(struct slice s, struct parts *t)
{
	*t = (struct parts){0};
	if (!digits_at(s, 0, 4))
		return false;
	t->year = two(s.p) * 100 + two(s.p + 2);
	t->has_year = true;
	if (s.n == 4)
		return true;
	if (s.n == 8 && s.p[4] == '-' && s.p[5] == 'W' && digits_at(s, 6, 2)) {
		t->week = two(s.p + 6);
		t->has_week = true;
		return sound(t);
	}
	if (s.p[4] != '-' || !digits_at(s, 5, 2) || (s.n > 7 && (s.p[7] != '-' || !digits_at(s, 8, 2))))
		return false;
	t->month = two(s.p + 5);
	t->has_month = true;
	if (s.n > 7) {
		t->day = two(s.p + 8);
		t->has_day = true;
	}
	if (s.n <= 10)
		return (s.n == 7 || s.n == 10) && sound(t);
	/* a day with a zone, which XML Schema's dates may have (2026-01-15Z, 2026-01-15+01:00), is that day */
	if ((s.n == 11 && s.p[10] == 'Z') || (s.n == 16 && (s.p[10] == '+' || s.p[10] == '-') && digits_at(s, 11, 2) && s.p[13] == ':' && digits_at(s, 14, 2)))
		return sound(t);
	if ((s.p[10] != 'T' && s.p[10] != ' ') || !digits_at(s, 11, 2) || s.n < 16 || s.p[13] != ':' || !digits_at(s, 14, 2))
		return false;
	t->hour = two(s.p + 11);
	t->minute = two(s.p + 14);
	t->has_time = true;
	size_t at = 16;
	if (s.n > at && s.p[at] == ':' && digits_at(s, at + 1, 2)) {
		t->second = two(s.p + at + 1);
		t->has_seconds = t->second != 0;
		at += 3;
		while (s.n > at && (s.p[at] == '.' || (s.p[at] >= '0' && s.p[at] <= '9')))
			at++;
	}
	if (s.n > at) {
		van_time utc;
		char iso[48];
		t->has_zone = true;
		snprintf(iso, sizeof iso, "%.*sT%.2s:%.2s:%02u%.*s", 10, s.p, s.p + 11, s.p + 14, t->second, (int)(s.n - at > 6 ? 6 : s.n - at), s.p + at);
		if (van_time_parse(slice_str(iso), &utc) < 0)
			return false;
		t->utc = van_time_civil(utc);
	}
	return sound(t);
}

static const char *usual_format(const struct parts *t)
{
	if (t->has_week)
		return "616";
	if (!t->has_day)
		return t->has_month ? "610" : "602";
	if (!t->has_time)
		return "102";
	return t->has_zone ? t->has_seconds ? "304" : "303" : t->has_seconds ? "204" : "203";
}

/* Where there is no room for the zone the day and the hour stay those that were written, as they are for whoever is there. */
static struct slice print_layout(struct van_arena *a, const char *layout, const struct parts *from)
{
	struct parts parts = *from;
	const struct parts *t = &parts;
	char text[40];
	int n = 0;
	if (from->has_zone && strchr(layout, 'Z')) {
		parts.year = (unsigned)from->utc.year;
		parts.month = (unsigned)from->utc.month;
		parts.day = (unsigned)from->utc.day;
		parts.hour = (unsigned)from->utc.hour;
		parts.minute = (unsigned)from->utc.minute;
	}
	for (const char *p = layout; *p && n < 30; p += 2) {
		unsigned v = *p == 'C' ? t->year / 100 : *p == 'Y' ? t->year % 100 : *p == 'M' ? t->month : *p == 'D' ? t->day : *p == 'H' ? t->hour :
		             *p == 'N' ? t->minute : *p == 'S' ? t->second : t->week;
		if (*p == 'Z') {
			memcpy(text + n, "UTC", 3);
			n += 3;
			break;
		}
		text[n++] = (char)('0' + v / 10 % 10);
		text[n++] = (char)('0' + v % 10);
	}
	return van_arena_slice(a, slice_make(text, (size_t)n));
}

int map_date_out(struct van_arena *a, bool edifact, bool short_year, struct slice *format, struct slice *v, const char **what)
{
	struct parts t;
	*what = "is not a date (2026-01-15, or with a time 2026-01-15T09:30:00)";
	if (!read_iso(*v, &t) || (!edifact && !t.has_day))
		return VAN_ESYNTAX;
	const char *layout = short_year ? "YYMMDD" : "CCYYMMDD";
	if (edifact) {
		if (!format->p)
			*format = slice_str(usual_format(&t));
		const struct layout *l = layout_of(*format);
		*what = "cannot be written in the format of 2379 that the row asks for";
		if (!l || (strchr(l->text, 'D') && !t.has_day) || (strchr(l->text, 'W') && !t.has_week))
			return VAN_ESYNTAX;
		layout = l->text;
	}
	*v = print_layout(a, layout, &t);
	return v->p ? 0 : VAN_ENOMEM;
}

int map_time_in(struct van_arena *a, struct slice *v, const char **what)
{
	struct slice s = *v;
	*what = "is not a time (HHMM or HHMMSS)";
	if (!map_digits(s) || (s.n != 4 && s.n < 6) || s.n > 8 || two(s.p) > 24 || two(s.p + 2) > 59 || (s.n >= 6 && two(s.p + 4) > 60))
		return VAN_ESYNTAX;
	*v = van_arena_printf(a, "%.2s:%.2s:%.2s", s.p, s.p + 2, s.n >= 6 ? s.p + 4 : "00");
	return v->p ? 0 : VAN_ENOMEM;
}

int map_time_out(struct van_arena *a, struct slice *v, const char **what)
{
	struct slice s = *v;
	const char *t = s.n > 11 ? memchr(s.p, 'T', s.n) : NULL;
	*what = "is not a time (09:30:00)";
	if (t) /* of a date with a time */
		s = slice_make(t + 1, s.n - (size_t)(t + 1 - s.p));
	if (!digits_at(s, 0, 2) || s.n < 5 || s.p[2] != ':' || !digits_at(s, 3, 2))
		return VAN_ESYNTAX;
	bool seconds = s.n >= 8 && s.p[5] == ':' && digits_at(s, 6, 2) && memcmp(s.p + 6, "00", 2) != 0;
	*v = van_arena_printf(a, "%.2s%.2s%.*s", s.p, s.p + 3, seconds ? 2 : 0, s.p + (seconds ? 6 : 0));
	return v->p ? 0 : VAN_ENOMEM;
}
