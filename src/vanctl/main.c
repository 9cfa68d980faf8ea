#include "vanctl/act.h"
#include "vanctl/agreement.h"
#include "vanctl/backup.h"
#include "vanctl/ctl.h"
#include "vanctl/edi.h"
#include "vanctl/map.h"
#include "vanctl/parse.h"
#include "vanctl/receipt_verify.h"
#include "vanctl/send.h"
#include "vanctl/table.h"

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct ctl_command *const tables[] = {
	commands_network, commands_partner, commands_message, commands_send, commands_act, commands_access, commands_control, commands_route, commands_agreement, commands_map, commands_table, commands_unique,
	commands_receipt, commands_backup,
};
#define TABLES (sizeof tables / sizeof *tables)

/* Commands that read files and need no server: they parse their own arguments. */
static const struct local {
	const char *noun, *verb;
	int (*run)(int argc, char **argv);
	const char *help;
} locals[] = {
	{"edi", NULL, vanctl_edi, "inspect|stats|validate|ack|convert FILE: look at EDI files without a server"},
	{"receipt", "verify", vanctl_receipt_verify, "BUNDLE.tar: check an exported bundle without a server"},
};
#define LOCALS (sizeof locals / sizeof *locals)

struct arguments {
	const char *config;
	bool json, help;
	int argc;
	char **argv; /* from the noun on */
};

static bool known_noun(const char *noun)
{
	for (size_t t = 0; t < TABLES; t++)
		for (const struct ctl_command *c = tables[t]; c->noun; c++)
			if (!strcmp(c->noun, noun))
				return true;
	for (size_t i = 0; i < LOCALS; i++)
		if (!strcmp(locals[i].noun, noun))
			return true;
	return false;
}

/* Every command, or those of one noun. */
static int print_help(const char *noun)
{
	if (noun)
		printf("usage: vanctl [-c FILE] %s VERB …\n\n", noun);
	else
		puts("usage: vanctl [-c FILE] [--json] NOUN VERB …\n");
	for (size_t t = 0; t < TABLES; t++)
		for (const struct ctl_command *c = tables[t]; c->noun; c++)
			if (!noun || !strcmp(c->noun, noun))
				ctl_command_summary(c);
	for (size_t i = 0; i < LOCALS; i++)
		if (!noun || !strcmp(locals[i].noun, noun))
			printf("  %s%s%s %s\n", locals[i].noun, locals[i].verb ? " " : "", locals[i].verb ? locals[i].verb : "",
			       locals[i].help);
	puts("\nEvery command has --help; whatever lists or shows has --json. Exit status: 0 done, 1 the answer is no,\n"
	     "2 usage or environment. See vanctl(1).");
	return CTL_DONE;
}

static int unknown(const struct arguments *a)
{
	const char *noun = a->argv[0], *verb = a->argc > 1 && a->argv[1][0] != '-' ? a->argv[1] : NULL;
	if (known_noun(noun) && !verb)
		return ctl_fail(CTL_USAGE, "'%s' needs a verb; see vanctl %s --help", noun, noun);
	if (known_noun(noun))
		return ctl_fail(CTL_USAGE, "unknown command '%s %s'; see vanctl %s --help", noun, verb, noun);
	return ctl_fail(CTL_USAGE, "unknown command '%s'; see vanctl --help", noun);
}

/* Hands over from the verb on: argv[0] is the noun for edi, the verb for the others. */
static int run_local(const struct local *l, struct arguments *a)
{
	static char json[] = "--json";
	char **argv = calloc((size_t)a->argc + 2, sizeof *argv);
	int n = 0;
	if (!argv)
		return ctl_fail(CTL_USAGE, "out of memory");
	for (int i = l->verb ? 1 : 0; i < a->argc; i++)
		argv[n++] = a->argv[i];
	if (a->json)
		argv[n++] = json;
	int status = l->run(n, argv);
	free(argv);
	return status;
}

/* How many arguments the command's verb takes ("key add": two); -1: it is another command's. */
static int verb_words(const struct ctl_command *c, const struct arguments *a)
{
	char two[64];
	if (!c->verb)
		return 0;
	if (a->argc > 1 && !strcmp(c->verb, a->argv[1]))
		return 1;
	if (a->argc < 3)
		return -1;
	snprintf(two, sizeof two, "%s %s", a->argv[1], a->argv[2]);
	return strcmp(c->verb, two) ? -1 : 2;
}

static int dispatch(struct arguments *a)
{
	const char *noun = a->argv[0], *verb = a->argc > 1 ? a->argv[1] : "";
	int words;
	for (size_t i = 0; i < LOCALS; i++)
		if (!strcmp(locals[i].noun, noun) && (!locals[i].verb || !strcmp(locals[i].verb, verb)))
			return run_local(&locals[i], a);
	for (size_t t = 0; t < TABLES; t++)
		for (const struct ctl_command *c = tables[t]; c->noun; c++)
			if (!strcmp(c->noun, noun) && (words = verb_words(c, a)) >= 0)
				return ctl_command_run(c, a->config, a->json, a->argc - 1 - words, a->argv + 1 + words);
	if (known_noun(noun) && (!strcmp(verb, "--help") || !strcmp(verb, "-h") || !strcmp(verb, "help")))
		return print_help(noun);
	return unknown(a);
}

int main(int argc, char **argv)
{
	struct arguments a = {.config = "/etc/openvan/vand.yaml"};
	int i = 1;
	for (; i < argc && argv[i][0] == '-'; i++) {
		if (!strcmp(argv[i], "-c") && i + 1 < argc)
			a.config = argv[++i];
		else if (!strcmp(argv[i], "--json"))
			a.json = true;
		else if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h"))
			return print_help(NULL);
		else if (!strcmp(argv[i], "--version"))
			return puts("vanctl " PACKAGE_VERSION) < 0;
		else
			return ctl_fail(CTL_USAGE, "unknown option '%s' before the command; see vanctl --help", argv[i]);
	}
	a.argc = argc - i;
	a.argv = argv + i;
	if (a.argc && !strcmp(a.argv[0], "help"))
		return print_help(a.argc > 1 ? a.argv[1] : NULL);
	if (!a.argc)
		return ctl_fail(CTL_USAGE, "which command? see vanctl --help");
	int status = dispatch(&a);
	if (fflush(stdout) || ferror(stdout))
		return ctl_fail(CTL_USAGE, "standard output could not be written");
	return status;
}
