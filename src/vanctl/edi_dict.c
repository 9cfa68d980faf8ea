/* vanctl edi dict list | show | check | import */
#include "vanctl/edi_dict.h"

#include "base/record.h"
#include "edi/dictionary.h"

#include <stdio.h>
#include <stdlib.h>

struct list {
	const struct edi_dict *d;
	struct van_buf out;
	unsigned count;
};

static void list_one(void *ctx, const struct edi_dictionary_entry *e)
{
	struct list *l = ctx;
	if (!l->d->command.json) {
		van_buf_printf(&l->out, "%-8s %-10.*s %-8.*s %-32.*s %s%s\n", edi_standard_name(e->standard), SLICE_ARG(e->version),
			SLICE_ARG(e->type), SLICE_ARG(e->name), e->path, e->hidden ? "  (not used: another file goes before)" : "");
		l->count++;
		return;
	}
	van_buf_printf(&l->out, "%s{\"standard\":\"%s\",\"version\":", l->count++ ? ",\n" : "\n", edi_standard_name(e->standard));
	json_put_text(&l->out, e->version);
	van_buf_append_str(&l->out, ",\"type\":");
	json_put_text(&l->out, e->type);
	van_buf_append_str(&l->out, ",\"name\":");
	json_put_text(&l->out, e->name.n ? e->name : SLICE_NONE);
	van_buf_append_str(&l->out, ",\"file\":");
	json_put_text(&l->out, slice_str(e->path));
	van_buf_printf(&l->out, ",\"used\":%s}", e->hidden ? "false" : "true");
}

static int list(const struct edi_dict *d)
{
	struct edi_dictionary_set *set = edi_dictionaries(&d->command);
	struct van_error e = {0};
	struct list l = {.d = d, .out = VAN_BUF_INIT((size_t)64 << 20)};
	if (!set)
		return EDI_USAGE;
	int status = edi_dictionary_set_check(set, &e) < 0 ? edi_fail(EDI_NO, "%s", e.text) : EDI_DONE;
	if (status == EDI_DONE) {
		van_buf_append_str(&l.out, d->command.json ? "[" : "");
		edi_dictionary_set_each(set, list_one, &l);
		van_buf_append_str(&l.out, d->command.json ? "\n]\n" : "");
		if (edi_flush(&l.out) < 0)
			status = edi_fail(EDI_USAGE, "standard output cannot be written");
	}
	van_buf_free(&l.out);
	edi_dictionary_set_free(set);
	return status;
}

/* Each file by itself over the dictionaries that are there. */
static int check_file(const struct edi_dict *d, const char *path)
{
	struct edi_dictionary_set *set = edi_dictionaries(&d->command);
	struct van_error e = {0};
	if (!set)
		return EDI_USAGE;
	int rc = edi_dictionary_set_add_file(set, path, &e);
	if (rc == 0)
		rc = edi_dictionary_set_check_first(set, &e);
	edi_dictionary_set_free(set);
	if (rc < 0)
		return edi_fail(EDI_NO, "%s", e.text);
	printf("%s: no errors\n", path);
	return EDI_DONE;
}

static int check(const struct edi_dict *d)
{
	int status = EDI_DONE;
	if (!d->count)
		return edi_fail(EDI_USAGE, "which file? usage: vanctl edi dict check [--dict DIR] FILE…");
	for (int i = 0; i < d->count; i++) {
		int one = check_file(d, d->words[i]);
		status = one > status ? one : status;
	}
	return status;
}

static const struct {
	const char *name;
	int (*run)(const struct edi_dict *d);
	const char *usage, *help;
} verbs[] = {
	{"list", list, "", "the messages that are known, and the file of each"},
	{"show", edi_dict_show, " [--version V] [--elements] TYPE", "prints a message's structure as a tree"},
	{"check", check, " FILE…", "checks dictionary files; errors name line and remedy"},
	{"import", edi_dict_import, " [--to DIR] [--version V] [--open-codes] [--force] FILE…",
		"makes dictionaries of UN/EDIFACT directory texts and BizTalk EDI schemas"},
};

#define VERBS (sizeof verbs / sizeof *verbs)

static int help(FILE *to)
{
	fputs("usage: vanctl edi dict VERB [--dict DIR]… [--json] …\n\n", to);
	for (size_t i = 0; i < VERBS; i++)
		fprintf(to, "  %s%s\n      %s\n", verbs[i].name, verbs[i].usage, verbs[i].help);
	fputs("\n--dict DIR is a folder of dictionaries that goes before the shipped ones.\n", to);
	return to == stdout ? EDI_DONE : EDI_USAGE;
}

/* How many words the option has; 0: unknown, -1: without its value. */
static int take_option(struct edi_dict *d, char **argv, int left)
{
	const struct {
		const char *name;
		bool *flag;
	} flags[] = {{"--elements", &d->elements}, {"--open-codes", &d->open_codes}, {"--force", &d->force}};
	for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
		if (strcmp(argv[0], flags[i].name) == 0)
			return *flags[i].flag = true;
	return edi_take_option(&d->command, argv[0], left > 1 ? argv[1] : NULL);
}

int edi_run_dict(int argc, char **argv)
{
	const char *words[EDI_DICT_FILES];
	struct edi_dict d = {.words = words};
	size_t verb = 0;
	if (argc < 2)
		return help(stderr);
	for (int i = 1; i < argc; i++)
		if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
			return help(stdout);
	while (verb < VERBS && strcmp(argv[1], verbs[verb].name) != 0)
		verb++;
	if (verb == VERBS)
		return edi_fail(EDI_USAGE, "there is no verb dict %s; try vanctl edi dict --help", argv[1]);
	for (int i = 2; i < argc;) {
		bool option = argv[i][0] == '-' && argv[i][1];
		int used = option ? take_option(&d, argv + i, argc - i) : 1;
		if (used <= 0)
			return edi_fail(EDI_USAGE, used ? "option %s needs a value; try vanctl edi dict --help" : "there is no option %s; try vanctl edi dict --help",
				argv[i]);
		if (!option && d.count == EDI_DICT_FILES)
			return edi_fail(EDI_USAGE, "at most %d files at a time", EDI_DICT_FILES);
		if (!option)
			words[d.count++] = argv[i];
		i += used;
	}
	return verbs[verb].run(&d);
}
