/* unique: values that business rules let only one document have. */
#include "vanctl/agreement.h"

#include "vanctl/client.h"
#include "vanctl/simple.h"

static const struct print_column columns[] = {
	{"VALUE", "value"}, {"RULE", "rule"}, {"SHEET", "sheet"}, {"FROM", "from"}, {"MESSAGE", "message"}, {"TIME", "time"}, {"UNTIL", "until"}, {NULL, NULL},
};

#define FILTERS                                                                                                                                      \
	{"--sheet", "NAME", "sheet", CTL_TEXT, NULL, "of this sheet of rules"}, {"--rule", "NAME", "rule", CTL_TEXT, NULL, "of this rule"},           \
	{"--from", "ID", "from", CTL_TEXT, NULL, "of this sender, such as 'x12 ZZ:ACME'"},                                                            \
	{"--message", "ID", "message", CTL_TEXT, NULL, "kept by this message"}, {"--until", "T", "until", CTL_TIME, NULL, "kept before this time"}

static const struct ctl_option list_options[] = {
	FILTERS,
	{"--value", "TEXT", "value", CTL_TEXT, NULL, "this value"},
	{"--limit", "N", "limit", CTL_NUMBER, NULL, "at most so many; default 100"},
	{NULL},
};
static const struct ctl_option clear_options[] = {FILTERS, {NULL}};

static int unique_list(struct ctl *c)
{
	return simple_list(c, "unique.list", NULL, columns);
}

static int unique_clear(struct ctl *c)
{
	json_t *cleared = json_array(), *answer = NULL;
	bool more = true;
	int status = CTL_DONE;
	while (more && !status) {
		status = simple_ask(c, "unique.clear", "value", &answer, NULL);
		json_array_extend(cleared, json_object_get(answer, "cleared"));
		more = !status && json_is_true(json_object_get(answer, "more"));
		json_decref(answer);
		answer = NULL;
	}
	if (!status && c->json)
		print_json(cleared);
	else if (!status && json_array_size(cleared))
		printf("%zu forgotten: the next document may have them\n", json_array_size(cleared));
	else if (!status)
		status = ctl_fail(CTL_NO, "nothing is kept that fits; vanctl unique list shows what is");
	json_decref(cleared);
	return status;
}

const struct ctl_command commands_unique[] = {
	{"unique", "list", "", 0, 0, "Values that a business rule lets only one document have, and who has them", list_options, unique_list},
	{"unique", "clear", "[VALUE]", 0, 1, "Forget such values: the next document may have them", clear_options, unique_clear},
	{NULL},
};
