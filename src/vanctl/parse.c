/* Finding a command in the tables and reading its options and arguments. */
#include "vanctl/parse.h"

#include "base/clock.h"
#include "base/slice.h"
#include "vanctl/print.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HELP_WIDTH 30

int ctl_fail(int status, const char *fmt, ...)
{
	va_list ap;
	fputs("vanctl: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	return status;
}

const char *ctl_text(const struct ctl *c, const char *key)
{
	return json_string_value(json_object_get(c->options, key));
}

/* A row of help; a name too long for its column takes a line of its own. */
static void help_line(const char *name, const char *value, const char *help)
{
	char left[200];
	snprintf(left, sizeof left, "%s%s%s", name, value ? " " : "", value ? value : "");
	int pad = HELP_WIDTH - print_width(left);
	if (pad < 0)
		printf("  %s\n  %*s  %s\n", left, HELP_WIDTH, "", help);
	else
		printf("  %s%*s  %s\n", left, pad, "", help);
}

void ctl_command_help(const struct ctl_command *command)
{
	const struct ctl_option *o = command->options;
	printf("usage: vanctl [-c FILE] %s%s%s%s%s%s\n\n%s.\n", command->noun, command->verb ? " " : "",
	       command->verb ? command->verb : "", o ? " [OPTION…]" : "", *command->arguments ? " " : "", command->arguments,
	       command->help);
	puts("\nOptions:");
	for (; o && o->name; o++)
		help_line(o->name, o->choices ? o->choices : o->value, o->help);
	help_line("--json", NULL, "print JSON");
	help_line("-c", "FILE", "vand's configuration; default /etc/openvan/vand.yaml");
	help_line("--help", NULL, "print this");
}

void ctl_command_summary(const struct ctl_command *command)
{
	char name[80];
	snprintf(name, sizeof name, "%s%s%s", command->noun, command->verb ? " " : "", command->verb ? command->verb : "");
	help_line(name, *command->arguments ? command->arguments : NULL, command->help);
}

static const struct ctl_option *find_option(const struct ctl_command *command, const char *name, size_t n)
{
	for (const struct ctl_option *o = command->options; o && o->name; o++)
		if (strlen(o->name) == n && memcmp(o->name, name, n) == 0)
			return o;
	return NULL;
}

static bool is_choice(const char *choices, const char *value)
{
	size_t n = strlen(value);
	for (const char *p = choices; *p; p += strcspn(p, "|"), p += *p == '|')
		if (strcspn(p, "|") == n && memcmp(p, value, n) == 0)
			return true;
	return false;
}

static void append(json_t *options, const char *key, json_t *text)
{
	json_t *list = json_object_get(options, key);
	if (!list) {
		list = json_array();
		json_object_set_new(options, key, list);
	}
	json_array_append_new(list, text);
}

static int set_option(struct ctl *c, const struct ctl_option *o, const char *value)
{
	unsigned long long number;
	van_time t;
	if (o->choices && !is_choice(o->choices, value))
		return ctl_fail(CTL_USAGE, "%s takes one of %s, not '%s'", o->name, o->choices, value);
	switch (o->kind) {
	case CTL_FLAG: json_object_set_new(c->options, o->key, json_true()); break;
	case CTL_NUMBER:
		if (!slice_u64(slice_str(value), &number) || number > INT64_MAX)
			return ctl_fail(CTL_USAGE, "%s takes a number, not '%s'", o->name, value);
		json_object_set_new(c->options, o->key, json_integer((json_int_t)number));
		break;
	case CTL_TIME:
		if (van_time_parse(slice_str(value), &t) < 0)
			return ctl_fail(CTL_USAGE, "%s takes a time like 2026-01-31T12:00:00Z or a date, not '%s'", o->name, value);
		/* fall through */
	case CTL_TEXT:
	case CTL_TEXTS: {
		json_t *text = json_string(value);
		if (!text)
			return ctl_fail(CTL_USAGE, "%s: the value is not UTF-8", o->name);
		if (o->kind == CTL_TEXTS)
			append(c->options, o->key, text);
		else
			json_object_set_new(c->options, o->key, text);
	}
	}
	return CTL_DONE;
}

/* argv[*i] is an option of the command; moves *i past its value. */
static int take_option(struct ctl *c, int argc, char **argv, int *i)
{
	const char *name = argv[*i], *equals = strchr(name, '=');
	const struct ctl_option *o = find_option(c->command, name, equals ? (size_t)(equals - name) : strlen(name));
	if (!o)
		return ctl_fail(CTL_USAGE, "unknown option '%s'; see vanctl %s%s%s --help", name, c->command->noun,
				c->command->verb ? " " : "", c->command->verb ? c->command->verb : "");
	if (o->kind == CTL_FLAG)
		return equals ? ctl_fail(CTL_USAGE, "%s takes no value", o->name) : set_option(c, o, NULL);
	if (!equals && *i + 1 >= argc)
		return ctl_fail(CTL_USAGE, "%s needs a value: %s %s", o->name, o->name, o->choices ? o->choices : o->value);
	return set_option(c, o, equals ? equals + 1 : argv[++*i]);
}

static int check_arguments(const struct ctl *c)
{
	const struct ctl_command *m = c->command;
	const char *space = m->verb ? " " : "", *verb = m->verb ? m->verb : "";
	if (c->nargs < m->least)
		return ctl_fail(CTL_USAGE, "something is missing: vanctl %s%s%s %s", m->noun, space, verb, m->arguments);
	if (c->nargs > m->most)
		return ctl_fail(CTL_USAGE, "'%s' is too much: vanctl %s%s%s%s%s", c->args[m->most], m->noun, space, verb,
				*m->arguments ? " " : "", m->arguments);
	return CTL_DONE;
}

static int take_all(struct ctl *c, int argc, char **argv, bool *ret_help)
{
	bool only_arguments = false;
	for (int i = 0; i < argc; i++) {
		const char *a = argv[i];
		int status = CTL_DONE;
		if (only_arguments || a[0] != '-' || !a[1])
			c->args[c->nargs++] = a;
		else if (!strcmp(a, "--"))
			only_arguments = true;
		else if (!strcmp(a, "--help") || !strcmp(a, "-h"))
			*ret_help = true;
		else if (!strcmp(a, "--json"))
			c->json = true;
		else if (!strcmp(a, "-c") && i + 1 < argc)
			c->config = argv[++i];
		else
			status = take_option(c, argc, argv, &i);
		if (status)
			return status;
	}
	return *ret_help ? CTL_DONE : check_arguments(c);
}

int ctl_command_run(const struct ctl_command *command, const char *config, bool json, int argc, char **argv)
{
	struct ctl c = {.command = command, .config = config, .json = json, .options = json_object()};
	bool help = false;
	int status = CTL_USAGE;
	c.args = calloc((size_t)argc + 1, sizeof *c.args);
	if (!c.args || !c.options)
		ctl_fail(CTL_USAGE, "out of memory");
	else
		status = take_all(&c, argc, argv, &help);
	if (!status && help)
		ctl_command_help(command);
	else if (!status)
		status = command->run(&c);
	json_decref(c.options);
	free(c.args);
	return status;
}
