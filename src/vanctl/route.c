/* route explain: which agreement governs a document, and which nearly did. */
#include "vanctl/client.h"
#include "vanctl/print.h"
#include "vanctl/route_file.h"

#include <string.h>

static const struct ctl_option explain_options[] = {
	{"--from", "ID", "from", CTL_TEXT, NULL, "sender identity, such as \"x12 ZZ:ACME\""},
	{"--to", "ID", "to", CTL_TEXT, NULL, "receiver identity"},
	{"--type", "T", "type", CTL_TEXT, NULL, "document type, such as 850"},
	{"--version", "V", "version", CTL_TEXT, NULL, "document version, such as 004010"},
	{"--env", NULL, "env", CTL_TEXT, "test|production", "environment; default production"},
	{"--connection", "ID", "connection", CTL_TEXT, NULL, "also check that this connection may present the sender"},
	{NULL},
};

static const struct print_column answer_columns[] = {
	{"From", "from"}, {"To", "to"}, {"Type", "type"}, {"Version", "version"}, {"Environment", "env"}, {"Outcome", "outcome"},
	{"Agreement", "agreement"}, {"Mode", "mode"}, {"Acknowledged by", "acknowledged_by"}, {"Receiver", "partner"},
	{"Delivered over", "connection"}, {"Note", "text"}, {NULL, NULL},
};
static const struct print_column reason_columns[] = {
	{"AGREEMENT", "agreement"}, {"VERDICT", "verdict"}, {"WHY", "text"}, {NULL, NULL},
};

static void print_explanation(const json_t *answer)
{
	print_fields(answer, answer_columns);
	putchar('\n');
	print_table(json_object_get(answer, "reasons"), reason_columns);
}

/* One question to the server; the answer is "no" when no agreement governs it. */
static int explain_one(struct ctl *c, json_t *question, json_t *ret_all)
{
	json_t *answer = NULL;
	int status = client_ask(c, "route.explain", question, &answer, NULL);
	if (status)
		return status;
	const char *outcome = json_string_value(json_object_get(answer, "outcome"));
	status = outcome && !strcmp(outcome, "found") ? CTL_DONE : CTL_NO;
	json_array_append_new(ret_all, answer);
	return status;
}

static int explain_all(struct ctl *c, const json_t *questions, json_t *answers)
{
	size_t i;
	json_t *question;
	int worst = CTL_DONE;
	json_array_foreach (questions, i, question) {
		int status = explain_one(c, question, answers);
		if (status > worst)
			worst = status;
		if (status == CTL_USAGE)
			break;
	}
	return worst;
}

static int route_explain(struct ctl *c)
{
	json_t *questions = json_array(), *answers = json_array();
	int status = CTL_DONE;
	if (c->nargs)
		status = route_questions_of_file(c->args[0], questions);
	else if (ctl_text(c, "from") && ctl_text(c, "to"))
		json_array_append(questions, c->options);
	else
		status = ctl_fail(CTL_USAGE, "name a FILE, or --from ID and --to ID");
	if (!status)
		status = explain_all(c, questions, answers);
	if (c->json && json_array_size(answers))
		print_json(c->nargs ? answers : json_array_get(answers, 0));
	else
		for (size_t i = 0; i < json_array_size(answers); i++)
			print_explanation(json_array_get(answers, i));
	json_decref(questions);
	json_decref(answers);
	return status;
}

const struct ctl_command commands_route[] = {
	{"route", "explain", "[FILE]", 0, 1, "Which agreement governs a document, and which nearly did", explain_options, route_explain},
	{NULL},
};
