/* Dates and times that exist. */
#include "edi/calendar.h"

static unsigned two(const char *p)
{
	return (unsigned)(p[0] - '0') * 10 + (unsigned)(p[1] - '0');
}

static bool all_digits(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
	return true;
}

bool edi_day_exists(unsigned year, unsigned month, unsigned day)
{
	static const unsigned char days[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	if (month < 1 || month > 12 || day < 1 || day > days[month - 1])
		return false;
	bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
	return month != 2 || day < 29 || leap;
}

bool edi_good_date(struct slice s)
{
	if ((s.n != 6 && s.n != 8) || !all_digits(s))
		return false;
	unsigned year = s.n == 8 ? two(s.p) * 100 + two(s.p + 2) : 2000 + two(s.p); /* of all that end so: one that may be a leap year */
	return edi_day_exists(year, two(s.p + s.n - 4), two(s.p + s.n - 2));
}

bool edi_good_time(struct slice s)
{
	if (s.n < 4 || s.n == 5 || s.n > 8 || !all_digits(s))
		return false;
	return two(s.p) < 24 && two(s.p + 2) < 60 && (s.n < 6 || two(s.p + 4) < 60);
}
