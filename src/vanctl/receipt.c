/* receipt list, show and export; verify needs no server and stands in receipt_verify.c. */
#include "vanctl/simple.h"

#include <stdlib.h>
#include <string.h>

static const struct ctl_option list_options[] = {
	{"--message", "ID", "message", CTL_TEXT, NULL, "of this message"},
	{"--event", "NAME", "event", CTL_TEXT, NULL, "of this kind, such as looked-at"},
	{"--since", "T", "since", CTL_TIME, NULL, "not older than this"},
	{"--until", "T", "until", CTL_TIME, NULL, "older than this"},
	{"--limit", "N", "limit", CTL_NUMBER, NULL, "at most this many, newest first; default 100"},
	{NULL},
};

static const struct print_column list_columns[] = {
	{"INDEX", "index"}, {"TIME", "time"}, {"EVENT", "event"}, {"MESSAGE", "message"}, {"PARTNER", "partner"}, {"ACTOR", "actor"},
	{"LEAF HASH", "leaf_hash"}, {NULL, NULL},
};

static int receipt_list(struct ctl *c)
{
	return simple_list(c, "receipt.list", NULL, list_columns);
}

/* The leaf as it was hashed, and its place in the tree. */
static int receipt_show(struct ctl *c)
{
	static const struct print_column columns[] = {
		{"Index", "index"}, {"Time", "time"}, {"Event", "event"}, {"Message", "message"}, {"Partner", "partner"}, {"Actor", "actor"}, {"Text", "text"},
		{"Leaf hash", "leaf_hash"}, {"Log size", "size"}, {NULL, NULL},
	};
	json_t *answer = NULL;
	int status = simple_ask(c, "receipt.show", "index", &answer, NULL);
	if (!status && c->json) {
		print_json(answer);
	} else if (!status) {
		print_fields(answer, columns);
		putchar('\n');
		print_json(json_object_get(answer, "leaf"));
	}
	json_decref(answer);
	return status;
}

static const struct ctl_option export_options[] = {
	{"--from", "T", "from", CTL_TIME, NULL, "first receipt of this time; default the first of the log"},
	{"--to", "T", "to", CTL_TIME, NULL, "before this time; default now"},
	{"-o", "BUNDLE.tar", "output", CTL_TEXT, NULL, "write here"},
	{NULL},
};

static int receipt_export(struct ctl *c)
{
	const char *output = ctl_text(c, "output");
	if (!output)
		return ctl_fail(CTL_USAGE, "name the file to write: -o BUNDLE.tar");
	char *path = strdup(output);
	json_t *answer = NULL;
	int fd = -1;
	json_object_del(c->options, "output");
	int status = simple_ask(c, "receipt.export", NULL, &answer, &fd);
	if (!status)
		status = fd < 0 ? ctl_fail(CTL_USAGE, "vand sent no bundle; is it of the same version?") : simple_save(fd, 0, SIMPLE_ALL, path);
	if (!status && c->json)
		print_json(answer);
	else if (!status)
		fprintf(strcmp(path, "-") ? stdout : stderr, "%s: %" JSON_INTEGER_FORMAT " receipts; check it with: vanctl receipt verify %s\n",
			path, json_integer_value(json_object_get(answer, "receipts")), path);
	json_decref(answer);
	free(path);
	return status;
}

const struct ctl_command commands_receipt[] = {
	{"receipt", "list", "", 0, 0, "List receipts, newest first", list_options, receipt_list},
	{"receipt", "show", "N", 1, 1, "One receipt, by its index", NULL, receipt_show},
	{"receipt", "export", "", 0, 0, "A bundle for an auditor, which public tools can verify", export_options, receipt_export},
	{NULL},
};
