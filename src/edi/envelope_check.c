/* What X12's headers and trailers must say, and TA1 between them. EDIFACT's are in envelope_edifact.c. */
#include "edi/calendar.h"
#include "edi/envelope_private.h"

#define LARGEST_CODE 15 /* GS02, GS03 */

static bool digits(struct slice s)
{
	unsigned long long v;
	return s.n < 19 && slice_u64(s, &v);
}

static int bad(struct edi_envelope *e, enum edi_level level, const char *list, const char *code, const struct edi_segment *s,
	uint32_t element, const char *text)
{
	return edi_envelope_report(e, &(struct edi_envelope_error){.level = level, .list = list, .code = code,
		.segment = edi_segment_element(s, 0), .element = element, .value = edi_segment_element(s, element), .text = text});
}

static bool date_ok(struct slice s)
{
	return s.n == 6 && edi_good_date(s);
}

static bool time_ok(struct slice s)
{
	return s.n == 4 && edi_good_time(s);
}

static bool one_of(struct slice s, const char *set)
{
	return s.n == 1 && strchr(set, *s.p) && *s.p;
}

static bool in_range(struct slice s, const char *first, const char *last)
{
	return s.n == strlen(first) && digits(s) && slice_cmp(s, slice_str(first)) >= 0 && slice_cmp(s, slice_str(last)) <= 0;
}

static bool printable(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f)
			return false;
	return true;
}

static bool qualifier_ok(struct slice s)
{
	return s.n == 2 && printable(s);
}

/* A check of one element; `harmless`: the interchange is read all the same, only a strict agreement rejects it. */
struct check {
	bool good;
	const char *code;
	uint32_t element;
	bool harmless;
	const char *text;
};

static int report_checks(struct edi_envelope *e, const struct edi_segment *s, const struct check *checks, size_t n)
{
	int rc = 0;
	for (size_t i = 0; i < n && rc == 0; i++)
		if (!checks[i].good)
			rc = edi_envelope_report(e, &(struct edi_envelope_error){.level = EDI_LEVEL_INTERCHANGE, .list = "TA105",
				.code = checks[i].code, .segment = edi_segment_element(s, 0), .element = checks[i].element,
				.value = edi_segment_element(s, checks[i].element), .harmless = checks[i].harmless, .text = checks[i].text});
	return rc;
}

/* Padding that is lost is tolerated. */
static int check_isa(struct edi_envelope *e, const struct edi_segment *s)
{
	const struct edi_delimiters *d = s->delimiters;
	if (s->flags & EDI_SEGMENT_MALFORMED || s->count != 17)
		return bad(e, EDI_LEVEL_INTERCHANGE, "TA105", "022", s, 0, "ISA must have sixteen elements"); /* the others would say the same */
	struct slice v[17];
	for (uint32_t i = 0; i < 17; i++)
		v[i] = slice_trim(edi_segment_element(s, i));
	bool versioned = in_range(v[12], "00200", "00899"), repeats = versioned && slice_cmp(v[12], SLICE("00402")) >= 0;
	const struct check checks[] = {
		{!(s->flags & EDI_SEGMENT_BAD_TERMINATOR), "004", 0, false, "the segment terminator after ISA16 cannot be one: it is a letter or "
			"digit, or another separator too"},
		{!(s->flags & EDI_SEGMENT_BAD_COMPONENT), "027", 16, false, "the component separator cannot be one: it is another separator, too, or a letter or digit"},
		{in_range(v[1], "00", "08"), "010", 1, false, "the qualifier must be 00 to 08"},
		{printable(v[2]) && (v[2].n || slice_is(v[1], "00")), "011", 2, false, "the qualifier asks for authorisation information; send it "
			"or qualifier 00"},
		{in_range(v[3], "00", "01"), "012", 3, false, "the qualifier must be 00 or 01"},
		{printable(v[4]) && (v[4].n || slice_is(v[3], "00")), "013", 4, false, "the qualifier asks for a password; send it or qualifier 00"},
		{qualifier_ok(v[5]), "005", 5, false, "the sender's qualifier must have two characters"},
		{v[6].n > 0 && printable(v[6]), "006", 6, false, "the sender's identifier is missing"},
		{qualifier_ok(v[7]), "007", 7, false, "the receiver's qualifier must have two characters"},
		{v[8].n > 0 && printable(v[8]), "008", 8, false, "the receiver's identifier is missing"},
		{date_ok(v[9]), "014", 9, false, "the date must be YYMMDD and exist"},
		{time_ok(v[10]), "015", 10, false, "the time must be HHMM and exist"},
		{repeats ? d->repetition != 0 : slice_is(v[11], "U"), "016", 11, true, repeats ? "ISA11 cannot separate repetitions: it is taken for "
			"none" : "ISA11 must be U before version 00402; it is taken for that"},
		{v[12].n == 5 && digits(v[12]), "017", 12, false, "the version must have five digits"},
		{v[12].n != 5 || !digits(v[12]) || versioned, "003", 12, false, "the version must be one from 00200 to 00802"},
		{v[13].n <= 9 && digits(v[13]), "018", 13, false, "the control number must have nine digits"},
		{one_of(v[14], "01"), "019", 14, false, "the acknowledgement request must be 0 or 1"},
		{one_of(v[15], "PTI"), "020", 15, false, "the usage must be P, T or I"},
	};
	return report_checks(e, s, checks, sizeof checks / sizeof *checks);
}

/* What is behind the last element is read by nobody. */
static struct slice surplus(const struct edi_segment *s, uint32_t elements)
{
	return s->count > elements + 1 ? edi_segment_element(s, elements + 1) : SLICE("");
}

int edi_envelope_check_service(struct edi_envelope *e, const struct edi_segment *s)
{
	struct slice one = edi_segment_element(s, 1), two = edi_segment_element(s, 2), three = edi_segment_element(s, 3);
	struct slice status = edi_segment_element(s, 4), code = edi_segment_element(s, 5);
	const struct check grade[] = {{one.n == 1 && in_range(one, "1", "9"), "031", 1, false, "the grade of service must be a digit"}};
	const struct check delivery[] = {
		{date_ok(one), "028", 1, false, "the delivery date must be YYMMDD and exist"},
		{time_ok(two), "029", 2, false, "the delivery time must be HHMM and exist"},
		{three.n == 2 && printable(three), "030", 3, false, "the delivery time's code must have two characters"}};
	/* one that cannot be understood is no answer; TA101 to TA103 repeat what was received, right or wrong */
	const struct check answer[] = {
		{slice_trim(one).n, "022", 1, false, "TA101 must be the control number of the interchange that is answered"},
		{one_of(status, "AER"), "022", 4, false, "TA104 must be A, E or R"},
		{in_range(code, "000", "038"), "022", 5, false, "TA105 must be a note code, 000 to 038"},
		{!surplus(s, 5).n, "022", 6, true, "TA1 has five elements"}};
	return edi_segment_is(s, "ISB") ? report_checks(e, s, grade, 1) :
	       edi_segment_is(s, "ISE") ? report_checks(e, s, delivery, 3) : report_checks(e, s, answer, sizeof answer / sizeof *answer);
}

/* --- security ---------------------------------------------------------------------------------------------------------- */

/* Bit 2k: begin of kind k, bit 2k + 1: its end. */
static unsigned secured_bit(const struct edi_segment *s)
{
	const char *p = s->bytes;
	if (edi_segment_element(s, 0).n != 3 || p[1] < '1' || p[1] > '4' || (p[2] != 'S' && p[2] != 'E'))
		return 0;
	return 1u << (2 * (p[1] - '1') + (p[2] == 'E'));
}

bool edi_envelope_secured(struct edi_envelope *e, const struct edi_segment *s)
{
	unsigned bit = secured_bit(s), own = e->levels[EDI_LEVEL_MESSAGE].open ? 0xf0 : e->levels[EDI_LEVEL_GROUP].open ? 0x0f : 0;
	e->secured |= bit & own;
	return bit & own;
}

static int secured(struct edi_envelope *e, enum edi_level level, const char *segment, const char *code, const char *text)
{
	return edi_envelope_report(e, &(struct edi_envelope_error){.level = level, .list = level == EDI_LEVEL_GROUP ? "AK905" : "AK502",
		.code = code, .segment = slice_str(segment), .text = text});
}

int edi_envelope_check_security(struct edi_envelope *e, enum edi_level level)
{
	static const struct {
		enum edi_level level;
		const char *begin, *end, *no_end, *no_begin;
	} kinds[] = {{EDI_LEVEL_GROUP, "S1S", "S1E", "19", "20"}, {EDI_LEVEL_GROUP, "S2S", "S2E", "21", "22"},
		{EDI_LEVEL_MESSAGE, "S3S", "S3E", "24", "25"}, {EDI_LEVEL_MESSAGE, "S4S", "S4E", "26", "27"}};
	int rc = 0;
	for (unsigned k = 0; k < 4 && rc == 0; k++) {
		bool begun = e->secured >> (2 * k) & 1, ended = e->secured >> (2 * k + 1) & 1;
		if (kinds[k].level != level || (!begun && !ended))
			continue;
		rc = secured(e, level, begun ? kinds[k].begin : kinds[k].end, level == EDI_LEVEL_GROUP ? "16" : "17",
			"security is not supported; send it in the clear over a protected connection");
		bool coded = level == EDI_LEVEL_MESSAGE || !e->group_5010; /* 005010 gives these codes another meaning */
		if (rc == 0 && begun != ended && coded)
			rc = secured(e, level, begun ? kinds[k].end : kinds[k].begin, begun ? kinds[k].no_end : kinds[k].no_begin,
				"the security segment that belongs to it is missing");
	}
	if (level == EDI_LEVEL_MESSAGE)
		e->secured &= 0x0f;
	else
		e->secured = 0;
	return rc;
}

/* --- groups and messages ----------------------------------------------------------------------------------------------- */

static int check_gs(struct edi_envelope *e, const struct edi_segment *s)
{
	struct slice v[9];
	for (uint32_t i = 0; i < 9; i++)
		v[i] = edi_segment_element(s, i);
	struct slice code = v[1], control = slice_trim(v[6]), version = v[8];
	e->group_5010 = version.n >= 6 && slice_cmp(slice_make(version.p, 6), SLICE("005010")) >= 0;
	const struct check checks[] = {
		{v[2].n && slice_trim(v[2]).n, "024", 2, false, "the sender's code is missing; nobody could be answered"},
		{v[3].n && slice_trim(v[3]).n, "024", 3, false, "the receiver's code is missing; it is not known whom the group is for"},
		{v[2].n <= LARGEST_CODE, "024", 2, true, "the sender's code must have at most fifteen characters"},
		{v[3].n <= LARGEST_CODE, "024", 3, true, "the receiver's code must have at most fifteen characters"},
		{edi_good_date(v[4]), "024", 4, true, "the date must be CCYYMMDD and exist"},
		{edi_good_time(v[5]), "024", 5, true, "the time must be HHMM, HHMMSS or HHMMSSDD and exist"},
		{one_of(v[7], "XT"), "024", 7, true, "the agency must be X or T"},
		{!surplus(s, 8).n, "024", 9, true, "GS has eight elements; leave the others out"},
	};
	int rc = s->count < 9 ? bad(e, EDI_LEVEL_INTERCHANGE, "TA105", "024", s, 0, "GS must have eight elements")
	                      : report_checks(e, s, checks, sizeof checks / sizeof *checks);
	if (rc == 0 && code.n != 2)
		rc = bad(e, EDI_LEVEL_GROUP, "AK905", "1", s, 1, "the functional code must have two letters");
	if (rc == 0 && version.n < 6)
		rc = bad(e, EDI_LEVEL_GROUP, "AK905", "2", s, 8, "the version must be like 004010");
	if (rc == 0 && (!control.n || control.n > 9 || !digits(control)))
		rc = bad(e, EDI_LEVEL_GROUP, "AK905", "6", s, 6, "the control number must have one to nine digits");
	return rc;
}

static int check_st(struct edi_envelope *e, const struct edi_segment *s)
{
	struct slice type = edi_segment_element(s, 1), control = edi_segment_element(s, 2);
	int rc = 0;
	if (type.n != 3 || !digits(type))
		rc = bad(e, EDI_LEVEL_MESSAGE, "AK502", "6", s, 1, "the message type must have three digits");
	if (rc == 0 && (control.n < 4 || control.n > 9))
		rc = bad(e, EDI_LEVEL_MESSAGE, "AK502", "7", s, 2, "the control number must have four to nine characters");
	return rc;
}

int edi_envelope_check_head(struct edi_envelope *e, enum edi_level level, const struct edi_segment *s)
{
	if (e->standard == EDI_EDIFACT)
		return edi_envelope_check_edifact(e, level, s);
	switch (level) {
	case EDI_LEVEL_INTERCHANGE: return check_isa(e, s);
	case EDI_LEVEL_GROUP: return check_gs(e, s);
	case EDI_LEVEL_MESSAGE: return check_st(e, s);
	}
	return 0;
}

/* SE's elements are the validator's matter. */
static int check_x12_trailer(struct edi_envelope *e, enum edi_level level, const struct edi_segment *s, uint64_t counted)
{
	const struct check more = {!surplus(s, 2).n, "022", 3, true, "it has two elements; leave the others out"};
	int rc = edi_envelope_compare(e, level, s, counted);
	return rc == 0 && level != EDI_LEVEL_MESSAGE ? report_checks(e, s, &more, 1) : rc;
}

int edi_envelope_check_trailer(struct edi_envelope *e, enum edi_level level, const struct edi_segment *s)
{
	uint64_t counted = level != EDI_LEVEL_MESSAGE ? e->levels[level].counted : e->package ? e->object_length : e->position;
	if (e->standard != EDI_EDIFACT)
		return check_x12_trailer(e, level, s, counted);
	int rc = edi_envelope_check_edifact_trailer(e, level, s);
	return rc == 0 ? edi_envelope_compare(e, level, s, counted) : rc;
}
