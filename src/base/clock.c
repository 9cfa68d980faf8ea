#include "base/clock.h"

#include "base/error.h"

#include <stdio.h>
#include <time.h>

static van_time read_clock(clockid_t id)
{
	struct timespec ts;
	clock_gettime(id, &ts);
	return (van_time)ts.tv_sec * VAN_SECOND + ts.tv_nsec / 1000;
}

van_time van_clock_now(void)
{
	return read_clock(CLOCK_REALTIME);
}

van_time van_clock_monotonic(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

/* Days since 1970-01-01 of a proleptic Gregorian date, in whole-number arithmetic. */
static int64_t days_from_civil(int64_t y, int m, int d)
{
	y -= m <= 2;
	int64_t era = (y >= 0 ? y : y - 399) / 400;
	int64_t yoe = y - era * 400;
	int64_t doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
	int64_t doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
	return era * 146097 + doe - 719468;
}

struct van_civil van_time_civil(van_time t)
{
	int64_t micros = t % VAN_SECOND, secs = t / VAN_SECOND;
	if (micros < 0) {
		micros += VAN_SECOND;
		secs--;
	}
	int64_t days = secs / 86400, rest = secs % 86400;
	if (rest < 0) {
		rest += 86400;
		days--;
	}
	int64_t z = days + 719468;
	int64_t era = (z >= 0 ? z : z - 146096) / 146097;
	int64_t doe = z - era * 146097;
	int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	int64_t mp = (5 * doy + 2) / 153;
	int month = (int)(mp < 10 ? mp + 3 : mp - 9);
	return (struct van_civil){
		.year = (int)(yoe + era * 400 + (month <= 2)),
		.month = month,
		.day = (int)(doy - (153 * mp + 2) / 5 + 1),
		.hour = (int)(rest / 3600),
		.minute = (int)(rest / 60 % 60),
		.second = (int)(rest % 60),
		.micros = (int)micros,
	};
}

van_time van_time_from_civil(const struct van_civil *c)
{
	int64_t days = days_from_civil(c->year, c->month, c->day);
	return (days * 86400 + c->hour * 3600 + c->minute * 60 + c->second) * VAN_SECOND + c->micros;
}

char *van_time_rfc3339(char *to, van_time t)
{
	struct van_civil c = van_time_civil(t);
	snprintf(to, VAN_TIME_TEXT, "%04d-%02d-%02dT%02d:%02d:%02d.%06dZ", c.year % 10000, c.month % 100, c.day % 100,
		 c.hour % 100, c.minute % 100, c.second % 100, c.micros % 1000000);
	return to;
}

/* Takes `n` digits from *s. */
static bool digits(struct slice *s, size_t n, int *ret)
{
	unsigned long long v;
	if (s->n < n || !slice_u64(slice_make(s->p, n), &v))
		return false;
	*ret = (int)v;
	*s = slice_make(s->p + n, s->n - n);
	return true;
}

static bool literal(struct slice *s, const char *any)
{
	if (!s->n || !s->p[0] || !strchr(any, s->p[0]))
		return false;
	*s = slice_make(s->p + 1, s->n - 1);
	return true;
}

static bool parse_offset(struct slice *s, int *ret_minutes)
{
	if (literal(s, "Zz")) {
		*ret_minutes = 0;
		return true;
	}
	int h, m, sign = s->n && s->p[0] == '-' ? -1 : 1;
	if (!literal(s, "+-") || !digits(s, 2, &h) || !literal(s, ":") || !digits(s, 2, &m) || h > 23 || m > 59)
		return false;
	*ret_minutes = sign * (h * 60 + m);
	return true;
}

static bool parse_fraction(struct slice *s, int *ret_micros)
{
	int scale = 100000, v = 0;
	if (!s->n || s->p[0] < '0' || s->p[0] > '9')
		return false;
	while (s->n && s->p[0] >= '0' && s->p[0] <= '9') {
		v += (s->p[0] - '0') * scale;
		scale /= 10;
		*s = slice_make(s->p + 1, s->n - 1);
	}
	*ret_micros = v;
	return true;
}

static int month_days(int year, int month)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
	return month == 2 && leap ? 29 : days[month - 1];
}

int van_time_parse(struct slice s, van_time *ret)
{
	struct van_civil c = {0};
	int offset = 0;
	if (!digits(&s, 4, &c.year) || !literal(&s, "-") || !digits(&s, 2, &c.month) || !literal(&s, "-") ||
	    !digits(&s, 2, &c.day) || c.month < 1 || c.month > 12 || c.day < 1 || c.day > month_days(c.year, c.month))
		return VAN_ESYNTAX;
	if (s.n) {
		if (!literal(&s, "Tt ") || !digits(&s, 2, &c.hour) || !literal(&s, ":") || !digits(&s, 2, &c.minute) ||
		    !literal(&s, ":") || !digits(&s, 2, &c.second))
			return VAN_ESYNTAX;
		if (literal(&s, ".") && !parse_fraction(&s, &c.micros))
			return VAN_ESYNTAX;
		if (!parse_offset(&s, &offset) || s.n || c.hour > 23 || c.minute > 59 || c.second > 60)
			return VAN_ESYNTAX;
	}
	*ret = van_time_from_civil(&c) - (van_time)offset * 60 * VAN_SECOND;
	return 0;
}
