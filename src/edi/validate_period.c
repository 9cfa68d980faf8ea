/* X12 dates and periods as text (1251), in the format that the element before tells (1250): D8 20260331, RD8 20260301-20260331.
 * Formats that are not here are not looked into. */
#include "edi/validate_private.h"

/* D CCYYMMDD, d YYMMDD, M CCYYMM, Y CCYY, T HHMM, S HHMMSS; others stand for themselves. */
static const struct {
	const char *code, *form;
} formats[] = {{"D8", "D"}, {"RD8", "D-D"}, {"TM", "T"}, {"DT", "DT"}, {"RDT", "DT-DT"}, {"CM", "M"}, {"CY", "Y"}, {"D6", "d"},
	{"RD4", "Y-Y"}, {"RD5", "M-M"}, {"RD6", "d-d"}, {"TS", "S"}};

/* A year or month is completed to a date. */
static bool good_part(char part, struct slice s)
{
	char date[8] = {'2', '0', '0', '0', '0', '1', '0', '1'};
	switch (part) {
	case 'T':
	case 'S': return edi_good_time(s);
	case 'M':
	case 'Y': memcpy(date, s.p, s.n); return edi_good_date(slice_make(date, sizeof date));
	default: return edi_good_date(s);
	}
}

static size_t length_of(char part)
{
	switch (part) {
	case 'D': return 8;
	case 'd':
	case 'M':
	case 'S': return 6;
	case 'Y':
	case 'T': return 4;
	default: return 1;
	}
}

static bool good_period(const char *form, struct slice s)
{
	for (; *form; form++) {
		size_t n = length_of(*form);
		if (s.n < n || (n == 1 ? *s.p != *form : !good_part(*form, slice_make(s.p, n))))
			return false;
		s = slice_make(s.p + n, s.n - n);
	}
	return s.n == 0;
}

/* What holds controls, repeats or has the wrong length is reported as that. */
static bool reported(const struct edi_validator *v, const struct edi_element_def *d, struct slice value)
{
	for (size_t i = 0; i < value.n; i++)
		if ((unsigned char)value.p[i] < 0x20 || value.p[i] == v->delimiters->repetition)
			return true;
	return d && (value.n > d->max || value.n < d->min);
}

void edi_check_periods(struct edi_validator *v, const struct edi_segment_def *def, const struct edi_segment *s)
{
	for (uint32_t i = 0; i + 1 < def->count && i < 63; i++) {
		struct slice format = def->periods >> i & 1 ? edi_segment_element(s, i + 1) : SLICE_NONE, value = edi_segment_element(s, i + 2);
		for (size_t k = 0; k < sizeof formats / sizeof *formats && format.n && value.n; k++)
			if (slice_eq(format, slice_str(formats[k].code)) && !good_period(formats[k].form, value) &&
			    !reported(v, def->fields[i + 1].element, value))
				edi_problem_add(v, &(struct edi_problem){.fault = EDI_FAULT_PERIOD, .element = i + 2, .value = value,
					.definition = def->fields[i + 1].element});
	}
}
