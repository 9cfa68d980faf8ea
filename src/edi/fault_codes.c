/* Which code of which list a fault has; every code is one of the version at hand (997, 999, CONTRL). */
#include "edi/validate.h"

struct fault_code {
	const char *list, *x12_4010, *x12_5010, *edifact, *edifact4; /* edifact4: NULL where it is the same */
};

static const struct fault_code codes[] = {
	[EDI_FAULT_UNKNOWN_SEGMENT] = {"AK304", "1", "1", "15"},
	[EDI_FAULT_NOT_IN_MESSAGE] = {"AK304", "6", "6", "15"},
	[EDI_FAULT_UNEXPECTED] = {"AK304", "2", "2", "15"},
	[EDI_FAULT_ORDER] = {"AK304", "7", "7", "15"},
	[EDI_FAULT_MISSING_SEGMENT] = {"AK304", "3", "3", "13"},
	[EDI_FAULT_LOOP_REPEATS] = {"AK304", "4", "4", "36"},
	[EDI_FAULT_SEGMENT_REPEATS] = {"AK304", "5", "5", "35"},
	[EDI_FAULT_MISSING_ELEMENT] = {"AK403", "1", "1", "13"},
	[EDI_FAULT_CONDITION] = {"AK403", "2", "2", "13", "48"},
	[EDI_FAULT_EXCLUSION] = {"AK403", "10", "10", "12", "48"},
	[EDI_FAULT_TOO_MANY_ELEMENTS] = {"AK403", "3", "3", "16"},
	[EDI_FAULT_TOO_MANY_COMPONENTS] = {"AK403", "3", "13", "16"},
	[EDI_FAULT_TOO_MANY_REPEATS] = {"AK403", "3", "12", "35"},
	[EDI_FAULT_TOO_SHORT] = {"AK403", "4", "4", "40"},
	[EDI_FAULT_TOO_LONG] = {"AK403", "5", "5", "39"},
	[EDI_FAULT_CHARACTER] = {"AK403", "6", "6", "21"},
	[EDI_FAULT_BLANK] = {"AK403", "6", "6", "12"},
	[EDI_FAULT_TYPE] = {"AK403", "6", "6", "37"},
	[EDI_FAULT_CODE] = {"AK403", "7", "7", "12"},
	[EDI_FAULT_DATE] = {"AK403", "8", "8", "12"},
	[EDI_FAULT_TIME] = {"AK403", "9", "9", "12"},
	[EDI_FAULT_PERIOD] = {"AK403", "8", "8", "12"},
	[EDI_FAULT_LEVEL_ID] = {"AK403", "7", "7", "12"},
	[EDI_FAULT_LEVEL_PARENT] = {"AK403", "7", "7", "12"},
	[EDI_FAULT_LOOP_ID] = {"AK403", "7", "7", "12"},
	[EDI_FAULT_REPERTOIRE] = {"AK403", "6", "6", "21"},
	[EDI_FAULT_NOTATION] = {"AK403", "6", "6", "19", "12"},
	[EDI_FAULT_NO_DIGIT] = {"AK403", "6", "6", "38", "12"},
	[EDI_FAULT_NESTING] = {"AK304", "2", "2", "34", "15"},
	[EDI_FAULT_TRAILING] = {"AK403", "3", "3", "16", "45"},
};

const char *edi_fault_code(enum edi_fault fault, enum edi_standard standard, struct slice version, const char **ret_list)
{
	*ret_list = standard == EDI_EDIFACT ? "0085" : codes[fault].list;
	if (standard == EDI_EDIFACT)
		return slice_is(version, "4") && codes[fault].edifact4 ? codes[fault].edifact4 : codes[fault].edifact;
	/* AK403 12 and 13 came after 004010 */
	return slice_cmp(version, SLICE("00402")) < 0 ? codes[fault].x12_4010 : codes[fault].x12_5010;
}

/* Codes 1, 3 to 6 and 8 to 11 were withdrawn: they are read, never written. */
bool edi_0085_has(struct slice code, bool syntax4)
{
	static const char *const both[] = {"2", "7", "12", "13", "14", "15", "16", "17", "18", "20", "21", "22", "23", "24", "25", "26",
		"28", "29", "30", "32", "33", "35", "36", "37", "39", "40", NULL};
	static const char *const three[] = {"19", "27", "31", "34", "38", "41", "42", "43", NULL};
	static const char *const four[] = {"45", "46", "47", "48", NULL};
	for (const char *const *p = both; *p; p++)
		if (slice_is(code, *p))
			return true;
	for (const char *const *p = syntax4 ? four : three; *p; p++)
		if (slice_is(code, *p))
			return true;
	return false;
}
