/* Look-up in the table of UBL's parts. */
#include "map/ubl_private.h"

#include <stdlib.h>

const struct ubl_document ubl_documents[] = {
	{"CreditNote", "credit-note/1.0"},
	{"DespatchAdvice", "despatch-advice/1.0"},
	{"Invoice", "invoice/1.0"},
	{"Order", "order/1.0"},
	{"OrderResponse", "order-response/1.0"},
	{NULL, NULL},
};

static int compare(const void *key, const void *type)
{
	return slice_cmp(*(const struct slice *)key, slice_str(((const struct ubl_type *)type)->name));
}

const struct ubl_type *ubl_type_find(struct slice name)
{
	return bsearch(&name, ubl_types, ubl_type_count, sizeof *ubl_types, compare);
}

bool ubl_member_next(struct slice *rest, struct ubl_member *ret)
{
	if (!rest->p || !rest->n)
		return false;
	struct slice word = slice_cut(rest, ' ');
	*ret = (struct ubl_member){.many = slice_ends(word, "*")};
	word.n -= ret->many;
	ret->required = slice_ends(word, "!");
	word.n -= ret->required;
	struct slice type = word;
	ret->name = slice_cut(&type, ':');
	if (type.p)
		ret->type = ubl_type_find(type.n ? type : ret->name);
	return true;
}

bool ubl_member_find(const struct ubl_type *type, struct slice name, struct ubl_member *ret)
{
	struct slice rest = slice_str(type->members);
	while (ubl_member_next(&rest, ret))
		if (slice_eq(ret->name, name))
			return true;
	return false;
}

enum ubl_kind ubl_kind_of(struct slice name)
{
	static const struct {
		const char *end;
		enum ubl_kind kind;
	} ends[] = {{"Amount", UBL_AMOUNT}, {"Quantity", UBL_QUANTITY}, {"Measure", UBL_QUANTITY}, {"Percent", UBL_DECIMAL}, {"Rate", UBL_DECIMAL},
		{"LineCountNumeric", UBL_NUMBER}, {"SequenceNumeric", UBL_NUMBER}, {"Numeric", UBL_DECIMAL}, {"Indicator", UBL_INDICATOR},
		{"BinaryObject", UBL_BINARY}};
	for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
		if (slice_ends(name, ends[i].end))
			return ends[i].kind;
	return UBL_TEXT;
}

bool ubl_canonical_many(const struct ubl_type *type, struct slice name, bool many)
{
	static const struct {
		const char *type, *name;
	} others[] = {{"AllowanceCharge", "AllowanceChargeReason"}, {"AllowanceCharge", "TaxTotal"}, {"CreditNote", "DeliveryTerms"},
		{"Item", "ManufacturersItemIdentification"}, {"Location", "Description"}, {"Order", "DeliveryTerms"}, {"Order", "ValidityPeriod"},
		{"OrderResponse", "ValidityPeriod"}, {"ShipmentStage", "Instructions"}};
	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		if (slice_is(name, others[i].name) && strcmp(type->name, others[i].type) == 0)
			return !many;
	return many;
}

struct slice ubl_canonical_name(const struct ubl_type *type, struct slice name)
{
	static const struct {
		const char *type, *name, *canonical;
	} others[] = {{"TransportHandlingUnit", "ActualPackage", "Package"}, {"TransportHandlingUnit", "HandlingUnitDespatchLine", "DespatchLine"},
		/* UBL's own Package there takes the name that is left, so that nothing is lost */
		{"TransportHandlingUnit", "Package", "ActualPackage"}};
	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		if (slice_is(name, others[i].name) && strcmp(type->name, others[i].type) == 0)
			return slice_str(others[i].canonical);
	return name;
}
