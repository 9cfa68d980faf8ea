/* Which code of which list a fault has; every code is one of the version at hand (997, 999, CONTRL). */
#include "edi/validate.h"

struct fault_code {
	const char *list, *x12_4010, *x12_5010, *edifact;
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
	[EDI_FAULT_CONDITION] = {"AK403", "2", "2", "13"},
	[EDI_FAULT_EXCLUSION] = {"AK403", "10", "10", "12"},
	[EDI_FAULT_TOO_MANY_ELEMENTS] = {"AK403", "3", "3", "16"},
	[EDI_FAULT_TOO_MANY_COMPONENTS] = {"AK403", "3", "13", "16"},
	[EDI_FAULT_TOO_MANY_REPEATS] = {"AK403", "3", "12", "35"},
	[EDI_FAULT_TOO_SHORT] = {"AK403", "4", "4", "40"},
	[EDI_FAULT_TOO_LONG] = {"AK403", "5", "5", "39"},
	[EDI_FAULT_CHARACTER] = {"AK403", "6", "6", "21"},
	[EDI_FAULT_TYPE] = {"AK403", "6", "6", "37"},
	[EDI_FAULT_CODE] = {"AK403", "7", "7", "12"},
	[EDI_FAULT_DATE] = {"AK403", "8", "8", "12"},
	[EDI_FAULT_TIME] = {"AK403", "9", "9", "12"},
};

const char *edi_fault_code(enum edi_fault fault, enum edi_standard standard, struct slice version, const char **ret_list)
{
	*ret_list = standard == EDI_EDIFACT ? "0085" : codes[fault].list;
	if (standard == EDI_EDIFACT)
		return codes[fault].edifact;
	/* AK403 12 and 13 came after 004010 */
	return slice_cmp(version, SLICE("00402")) < 0 ? codes[fault].x12_4010 : codes[fault].x12_5010;
}
