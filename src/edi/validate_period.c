/* Dates and periods as text, in a format that another value tells: X12's 1251 behind 1250 (D8*20260331, RD8*20260301-20260331),
 * EDIFACT's 2380 before 2379 (20260331:102). Formats that are not here are not looked into. */
#include "edi/calendar.h"
#include "edi/validate_private.h"

/* CC YY MM DD a date, JJJ a day of the year, WW a week, w a day of it, HH mm SS a time, ZZZ a time zone's name, + the sign before
 * its hours and minutes; - and, where it may be left out, ~ a hyphen. */
struct format {
	const char *code, *form;
};

static const struct format x12_formats[] = {{"D8", "CCYYMMDD"}, {"RD8", "CCYYMMDD-CCYYMMDD"}, {"TM", "HHmm"}, {"DT", "CCYYMMDDHHmm"},
	{"RDT", "CCYYMMDDHHmm-CCYYMMDDHHmm"}, {"CM", "CCYYMM"}, {"CY", "CCYY"}, {"D6", "YYMMDD"}, {"RD4", "CCYY-CCYY"},
	{"RD5", "CCYYMM-CCYYMM"}, {"RD6", "YYMMDD-YYMMDD"}, {"TS", "HHmmSS"}, {NULL, NULL}};

/* The directories want periods without a hyphen, but many send one. */
static const struct format edifact_formats[] = {{"102", "CCYYMMDD"}, {"203", "CCYYMMDDHHmm"}, {"204", "CCYYMMDDHHmmSS"},
	{"101", "YYMMDD"}, {"201", "YYMMDDHHmm"}, {"202", "YYMMDDHHmmSS"}, {"2", "DDMMYY"}, {"3", "MMDDYY"}, {"4", "DDMMCCYY"},
	{"5", "DDMMCCYYHHmm"}, {"103", "YYWWw"}, {"105", "YYJJJ"}, {"106", "MMDD"}, {"107", "JJJ"}, {"108", "WW"}, {"109", "MM"},
	{"110", "DD"}, {"205", "CCYYMMDDHHmm+HHmm"}, {"301", "YYMMDDHHmmZZZ"}, {"302", "YYMMDDHHmmSSZZZ"}, {"303", "CCYYMMDDHHmmZZZ"},
	{"304", "CCYYMMDDHHmmSSZZZ"}, {"305", "MMDDHHmm"}, {"306", "DDHHmm"}, {"401", "HHmm"}, {"402", "HHmmSS"}, {"404", "HHmmSSZZZ"},
	{"501", "HHmm~HHmm"}, {"502", "HHmmSS~HHmmSS"}, {"503", "HHmmSSZZZ~HHmmSSZZZ"}, {"602", "CCYY"}, {"609", "YYMM"},
	{"610", "CCYYMM"}, {"615", "YYWW"}, {"616", "CCYYWW"}, {"709", "YYMM~YYMM"}, {"710", "CCYYMM~CCYYMM"},
	{"711", "CCYYMMDD~CCYYMMDD"}, {"713", "YYMMDDHHmm~YYMMDDHHmm"}, {"715", "YYWW~YYWW"}, {"716", "CCYYWW~CCYYWW"},
	{"717", "YYMMDD~YYMMDD"}, {"718", "CCYYMMDD~CCYYMMDD"}, {"719", "CCYYMMDDHHmm~CCYYMMDDHHmm"}, {NULL, NULL}};

struct moment {
	unsigned century, year, month, day, day_of_year;
};

/* What is not told is that of a leap year's first day. */
static const struct moment untold = {20, 0, 1, 1, 1};

static bool exists(const struct moment *m)
{
	bool last = m->day_of_year == 366; /* only where there is a 29 February */
	return edi_day_exists(m->century * 100 + m->year, last ? 2 : m->month, last ? 29 : m->day);
}

static size_t length_of_field(const char *form)
{
	size_t n = 1;
	while (form[n] == *form)
		n++;
	return n;
}

static bool take(char kind, unsigned n, struct moment *m)
{
	switch (kind) {
	case 'C': m->century = n; return true;
	case 'Y': m->year = n; return true;
	case 'M': m->month = n; return true;
	case 'D': m->day = n; return true;
	case 'J': m->day_of_year = n; return n >= 1 && n <= 366;
	case 'W': return n >= 1 && n <= 53;
	case 'w': return n >= 1 && n <= 7;
	case 'H': return n < 24;
	default: return n < 60;
	}
}

static bool good_field(const char *form, size_t n, const char *p, struct moment *m)
{
	unsigned number = 0;
	if (*form == 'Z')
		return true;
	for (size_t i = 0; i < n; i++) {
		if (p[i] < '0' || p[i] > '9')
			return false;
		number = number * 10 + (unsigned)(p[i] - '0');
	}
	return take(*form, number, m);
}

static bool good_period(const char *form, struct slice s)
{
	struct moment m = untold;
	for (size_t n; *form; form += n) {
		bool hyphen = s.n && *s.p == '-', sign = hyphen || (s.n && *s.p == '+');
		n = length_of_field(form);
		if (*form == '-' || *form == '~' || *form == '+') {
			if (*form == '-' ? !hyphen : *form == '+' && !sign)
				return false;
			if (*form == '+' || hyphen)
				s = slice_make(s.p + 1, s.n - 1);
			if (!exists(&m))
				return false;
			m = untold;
			continue;
		}
		if (s.n < n || !good_field(form, n, s.p, &m))
			return false;
		s = slice_make(s.p + n, s.n - n);
	}
	return s.n == 0 && exists(&m);
}

/* Also true of formats that are not looked into. */
static bool fits(const struct format *formats, struct slice code, struct slice value)
{
	const struct format *f = formats;
	while (f->code && !slice_eq(code, slice_str(f->code)))
		f++;
	return !f->code || good_period(f->form, value);
}

/* What holds controls or nothing but blanks, repeats or has the wrong length is reported as that. */
static bool reported(const struct edi_validator *v, const struct edi_element_def *d, struct slice value)
{
	for (size_t i = 0; i < value.n; i++)
		if ((unsigned char)value.p[i] < 0x20 || value.p[i] == v->delimiters->repetition)
			return true;
	return !slice_trim(value).n || (d && (value.n > d->max || value.n < d->min));
}

void edi_check_periods(struct edi_validator *v, const struct edi_segment_def *def, const struct edi_segment *s)
{
	for (uint32_t i = 0; i + 1 < def->count && i < 63; i++) {
		struct slice format = def->periods >> i & 1 ? edi_segment_element(s, i + 1) : SLICE_NONE, value = edi_segment_element(s, i + 2);
		if (format.n && value.n && !fits(x12_formats, format, value) && !reported(v, def->fields[i + 1].element, value))
			edi_problem_add(v, &(struct edi_problem){.fault = EDI_FAULT_PERIOD, .element = i + 2, .value = value,
				.definition = def->fields[i + 1].element});
	}
}

bool edi_period_fits(struct slice format, struct slice value)
{
	if (slice_is(format, "102")) /* most are */
		return value.n == 8 && edi_good_date(value);
	return fits(edifact_formats, format, value);
}

struct slice edi_bad_period(const struct edi_validator *v, const struct edi_composite_def *c, struct slice composite)
{
	struct slice rest = composite, value = SLICE_NONE, format;
	char room[64];
	for (uint32_t i = 0; i < c->period; i++)
		value = rest.p ? edi_cut(&rest, v->delimiters->component, v->delimiters->release) : SLICE_NONE;
	format = rest.p ? edi_cut(&rest, v->delimiters->component, v->delimiters->release) : SLICE_NONE;
	if (!value.n || !format.n || value.n > sizeof room || reported(v, c->fields[c->period - 1].element, value))
		return SLICE_NONE;
	return edi_period_fits(format, edi_unescape(value, v->delimiters->release, room)) ? SLICE_NONE : value;
}
