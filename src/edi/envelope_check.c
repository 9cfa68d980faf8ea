/* What headers and trailers must say: ISA, GS, ST. EDIFACT's are in envelope_edifact.c. */
#include "edi/envelope_private.h"

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
	if (s.n != 6 || !digits(s))
		return false;
	unsigned month = (unsigned)(s.p[2] - '0') * 10 + (unsigned)(s.p[3] - '0'), day = (unsigned)(s.p[4] - '0') * 10 + (unsigned)(s.p[5] - '0');
	return month >= 1 && month <= 12 && day >= 1 && day <= 31;
}

static bool time_ok(struct slice s)
{
	if (s.n != 4 || !digits(s))
		return false;
	return (s.p[0] - '0') * 10 + s.p[1] - '0' < 24 && s.p[2] < '6';
}

static bool one_of(struct slice s, const char *set)
{
	return s.n == 1 && strchr(set, *s.p) && *s.p;
}

/* Identifiers must be there; qualifiers are two letters or digits. Padding that is lost is tolerated. */
static int check_isa(struct edi_envelope *e, const struct edi_segment *s)
{
	struct slice v[17];
	for (uint32_t i = 0; i < 17; i++)
		v[i] = slice_trim(edi_segment_element(s, i));
	const struct {
		bool good;
		const char *code;
		uint32_t element;
		const char *text;
	} checks[] = {
		{!(s->flags & EDI_SEGMENT_MALFORMED) && s->count == 17, "022", 0, "ISA must have sixteen elements"},
		{v[1].n == 2, "010", 1, "the qualifier must have two characters"},
		{v[3].n == 2, "012", 3, "the qualifier must have two characters"},
		{v[5].n == 2, "005", 5, "the sender's qualifier must have two characters"},
		{v[6].n > 0, "006", 6, "the sender's identifier is missing"},
		{v[7].n == 2, "007", 7, "the receiver's qualifier must have two characters"},
		{v[8].n > 0, "008", 8, "the receiver's identifier is missing"},
		{date_ok(v[9]), "014", 9, "the date must be YYMMDD and exist"},
		{time_ok(v[10]), "015", 10, "the time must be HHMM and exist"},
		{v[12].n == 5 && digits(v[12]), "017", 12, "the version must have five digits"},
		{v[13].n <= 9 && digits(v[13]), "018", 13, "the control number must have nine digits"},
		{one_of(v[14], "01"), "019", 14, "the acknowledgement request must be 0 or 1"},
		{one_of(v[15], "PTI"), "020", 15, "the usage must be P, T or I"},
	};
	int rc = 0;
	for (size_t i = 0; i < sizeof checks / sizeof *checks && rc == 0; i++) {
		if (!checks[i].good)
			rc = bad(e, EDI_LEVEL_INTERCHANGE, "TA105", checks[i].code, s, checks[i].element, checks[i].text);
		if (i == 0 && !checks[i].good)
			break; /* the others would say the same */
	}
	return rc;
}

static int check_gs(struct edi_envelope *e, const struct edi_segment *s)
{
	struct slice code = edi_segment_element(s, 1), control = slice_trim(edi_segment_element(s, 6)), version = edi_segment_element(s, 8);
	e->group_5010 = version.n >= 6 && slice_cmp(slice_make(version.p, 6), SLICE("005010")) >= 0;
	int rc = 0;
	if (s->count < 9)
		rc = bad(e, EDI_LEVEL_INTERCHANGE, "TA105", "024", s, 0, "GS must have eight elements");
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

int edi_envelope_check_trailer(struct edi_envelope *e, enum edi_level level, const struct edi_segment *s)
{
	uint64_t counted = level != EDI_LEVEL_MESSAGE ? e->levels[level].counted : e->package ? e->object_length : e->position;
	if (e->standard != EDI_EDIFACT)
		return edi_envelope_compare(e, level, s, counted);
	int rc = edi_envelope_check_edifact_trailer(e, level, s);
	return rc == 0 ? edi_envelope_compare(e, level, s, counted) : rc;
}
