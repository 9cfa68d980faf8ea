/* agreement: list, show, hold, release, promote. */
#include "vanctl/agreement.h"

#include "vanctl/client.h"
#include "vanctl/simple.h"

#include <string.h>

static const struct print_column list_columns[] = {
	{"ID", "id"}, {"FROM", "from"}, {"TO", "to"}, {"TYPE", "type"}, {"VERSION", "version"}, {"ENV", "environment"}, {"MODE", "mode"},
	{"FORMAT", "format"}, {"MAP", "map"}, {"ENABLED", "enabled"}, {"HOLD", "hold"}, {"WAITING", "waiting"}, {NULL, NULL},
};
static const struct ctl_option list_options[] = {
	{"--partner", "ID", "partner", CTL_TEXT, NULL, "those with this sender or receiver identity, such as 'x12 ZZ:VOLT'"},
	{"--env", NULL, "env", CTL_TEXT, "production|test", "those of one environment"},
	{NULL},
};
static const struct ctl_option promote_options[] = {
	{"--as", "ID", "as", CTL_TEXT, NULL, "the agreement of the test stays; one of this id is made for production"},
	{NULL},
};

/* How many messages wait for each: asked apart, for it may take a while. */
static int ask_waiting(struct ctl *c, json_t **ret)
{
	json_t *nothing = json_object();
	int status = nothing ? client_ask(c, "agreement.waiting", nothing, ret, NULL) : ctl_fail(CTL_USAGE, "out of memory");
	json_decref(nothing);
	return status;
}

static json_int_t waiting_for(const json_t *waiting, const char *id)
{
	return id ? json_integer_value(json_object_get(waiting, id)) : 0;
}

static bool is_wanted(const struct ctl *c, const json_t *a)
{
	const char *partner = ctl_text(c, "partner"), *env = ctl_text(c, "env");
	const char *from = json_string_value(json_object_get(a, "from")), *to = json_string_value(json_object_get(a, "to"));
	const char *in = json_string_value(json_object_get(a, "environment"));
	bool mine = !partner || (from && strstr(from, partner)) || (to && strstr(to, partner));
	return mine && (!env || (in && strcmp(env, in) == 0));
}

static int agreement_list(struct ctl *c)
{
	json_t *all = NULL, *waiting = NULL, *wanted = json_array();
	json_t *nothing = json_object();
	int status = client_ask(c, "agreement.list", nothing, &all, NULL);
	if (!status)
		status = ask_waiting(c, &waiting);
	for (size_t i = 0; !status && i < json_array_size(all); i++) {
		json_t *a = json_array_get(all, i);
		json_object_set_new(a, "waiting", json_integer(waiting_for(waiting, json_string_value(json_object_get(a, "id")))));
		if (is_wanted(c, a))
			json_array_append(wanted, a);
	}
	if (!status && c->json)
		print_json(wanted);
	else if (!status)
		print_table(wanted, list_columns);
	json_decref(nothing);
	json_decref(wanted);
	json_decref(waiting);
	json_decref(all);
	return status;
}

static int agreement_show(struct ctl *c)
{
	json_t *answer = NULL, *waiting = NULL;
	int status = simple_ask(c, "agreement.show", "id", &answer, NULL);
	if (!status)
		status = ask_waiting(c, &waiting);
	json_int_t n = status ? 0 : waiting_for(waiting, c->args[0]);
	if (!status && c->json) {
		json_object_set_new(answer, "waiting", json_integer(n));
		print_json(answer);
	} else if (!status) {
		profile_print(answer);
		if (n)
			printf("# %" JSON_INTEGER_FORMAT " messages wait for its release\n", n);
	}
	json_decref(waiting);
	json_decref(answer);
	return status;
}

static int agreement_hold(struct ctl *c)
{
	return simple_do(c, "agreement.hold", "id", "is on hold: what comes under it is accepted and waits; vanctl agreement release lets it go");
}

/* First the agreement, then what waits, some at a time; begun again where it broke off. */
static int agreement_release(struct ctl *c)
{
	json_t *released = json_array(), *answer = NULL;
	int status = simple_ask(c, "agreement.release", "id", &answer, NULL);
	json_decref(answer);
	for (bool more = status == 0; more && !status;) {
		answer = NULL;
		status = client_ask(c, "agreement.let-go", c->options, &answer, NULL);
		json_array_extend(released, json_object_get(answer, "released"));
		json_t *after = json_object_get(answer, "after");
		more = !status && json_is_string(after);
		if (more)
			json_object_set(c->options, "after", after);
		json_decref(answer);
	}
	if (!status && c->json)
		print_json(released);
	else if (!status)
		printf("%s is released; %zu messages that waited go on\n", c->args[0], json_array_size(released));
	json_decref(released);
	return status;
}

static int agreement_promote(struct ctl *c)
{
	return simple_do(c, "agreement.promote", "id", ctl_text(c, "as") ? "has a copy for production; it stays for tests" : "is for production now");
}

const struct ctl_command commands_agreement[] = {
	{"agreement", "list", "", 0, 0, "Agreements, and how many messages wait for each", list_options, agreement_list},
	{"agreement", "show", "ID", 1, 1, "Print an agreement as it stands", NULL, agreement_show},
	{"agreement", "hold", "ID", 1, 1, "Accept what comes under an agreement, and let it wait", NULL, agreement_hold},
	{"agreement", "release", "ID", 1, 1, "End the hold; what waited is begun oldest first", NULL, agreement_release},
	{"agreement", "promote", "ID", 1, 1, "Make an agreement that was for tests one for production", promote_options, agreement_promote},
	{NULL},
};
