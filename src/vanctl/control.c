/* control: the numbers of interchanges and groups. */
#include "vanctl/simple.h"

#include <stdlib.h>

static const struct print_column counter_columns[] = {
	{"FROM", "from"}, {"TO", "to"}, {"ENV", "env"}, {"LEVEL", "level"}, {"LAST", "last"}, {NULL, NULL},
};
static const struct print_column gap_columns[] = {
	{"FROM", "from"}, {"TO", "to"}, {"ENV", "env"}, {"STANDARD", "standard"}, {"FIRST", "first"}, {"LAST", "last"}, {"MISSING", "missing"},
	{NULL, NULL},
};

static const struct ctl_option list_options[] = {
	{"--from", "ID", "from", CTL_TEXT, NULL, "sender, such as 'x12 ZZ:HUB'"},
	{"--to", "ID", "to", CTL_TEXT, NULL, "receiver"},
	{NULL},
};
static const struct ctl_option set_options[] = {
	{"--from", "ID", "from", CTL_TEXT, NULL, "sender, such as 'x12 ZZ:HUB'"},
	{"--to", "ID", "to", CTL_TEXT, NULL, "receiver"},
	{"--env", NULL, "env", CTL_TEXT, "production|test", "default production"},
	{"--level", NULL, "level", CTL_TEXT, "interchange|group", "default interchange"},
	{NULL},
};

static int control_list(struct ctl *c)
{
	return simple_list(c, "control.list", NULL, counter_columns);
}

static int control_gaps(struct ctl *c)
{
	return simple_list(c, "control.gaps", NULL, gap_columns);
}

static int control_set(struct ctl *c)
{
	char *end;
	unsigned long long n = strtoull(c->args[0], &end, 10);
	if (*end || end == c->args[0] || n > 999999999)
		return ctl_fail(CTL_USAGE, "'%s' is no control number: they have at most nine digits", c->args[0]);
	json_object_set_new(c->options, "last", json_integer((json_int_t)n));
	return simple_do(c, "control.set", NULL, "the next number is the one after %s");
}

const struct ctl_command commands_control[] = {
	{"control", "list", "", 0, 0, "Counters of the interchanges and groups that were written: the number used last", list_options, control_list},
	{"control", "set", "LAST", 1, 1, "Set a counter; the next number is LAST + 1", set_options, control_set},
	{"control", "gaps", "", 0, 0, "Interchange numbers that senders left out", list_options, control_gaps},
	{NULL},
};
