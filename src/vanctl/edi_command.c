/* vanctl edi VERB [OPTION]… FILE */
#include "vanctl/edi_command.h"

#include "base/datafolder.h"
#include "base/fdio.h"
#include "map/guide.h"
#include "vanctl/edi.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define LARGEST_FILE ((size_t)1 << 30)
#define LARGEST_GUIDE ((size_t)4 << 20)

static const struct verb {
	const char *name;
	int (*run)(const struct edi_command *c);
	const char *options, *help;
} verbs[] = {
	{"inspect", edi_run_inspect, "", "prints each segment and element with its name, position and errors"},
	{"stats", edi_run_stats, "", "segments, messages by type, bytes and MB/s; tokenises and checks envelopes only"},
	{"validate", edi_run_validate, " [--strict] [--nearest]", "checks against the dictionaries; exit status 1 when anything is rejected or in error"},
	{"ack", edi_run_ack, " [--ta1] [--type 997|999] [--control N] [--rejects message|group|interchange] [--lines] [--strict] [--nearest]", "prints the acknowledgement the receiver owes"},
	{"convert", edi_run_convert, " --to json|xml|x12|edifact|canonical|ubl-xml|csv [--map NAME|FILE.csv] [--sheet NAME|FILE.csv] [--version V] [--explain] [--sender QUAL:ID --receiver QUAL:ID] [--control N] [--document N] [--charset NAME] [--lines]", "prints the document in another form"},
};

#define VERBS (sizeof verbs / sizeof *verbs)

int edi_fail(int status, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	fputs("vanctl edi: ", stderr);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
	va_end(ap);
	return status;
}

struct edi_check_options edi_options(const struct edi_command *c)
{
	return (struct edi_check_options){.policy = {.strict_codes = c->strict, .strict_syntax = c->strict, .nearest_version = c->nearest,
						     .guides = (const struct edi_guide *const *)&c->rules, .guide_count = c->rules != NULL}};
}

int edi_open(const struct edi_command *c)
{
	if (strcmp(c->file, "-") == 0)
		return STDIN_FILENO;
	int fd = open(c->file, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		edi_fail(EDI_USAGE, "%s: %s; give the path of a file, or - for standard input", c->file, strerror(errno));
	return fd;
}

int edi_read(const struct edi_command *c, struct van_buf *to)
{
	int fd = edi_open(c);
	ssize_t n = 1;
	if (fd < 0)
		return EDI_USAGE;
	to->max = LARGEST_FILE;
	while (n > 0) {
		char *room = van_buf_reserve(to, 65536);
		n = room ? read(fd, room, 65536) : -1;
		if (n > 0)
			to->n += (size_t)n;
	}
	if (fd != STDIN_FILENO)
		close(fd);
	if (n < 0)
		return edi_fail(EDI_USAGE, "%s: %s", c->file, to->error ? "larger than 1 GiB; this command holds it in memory" : strerror(errno));
	return EDI_DONE;
}

struct edi_dictionary_set *edi_dictionaries(const struct edi_command *c)
{
	char folder[4096];
	struct edi_dictionary_set *set = NULL;
	struct van_error e = {0};
	bool found = van_data_folder("dict", folder, sizeof folder) == 0;
	int rc = edi_dictionary_set_open(found ? folder : NULL, &set, &e);
	for (unsigned i = c->dict_count; rc == 0 && i--;)
		rc = edi_dictionary_set_add(set, c->dict[i], &e);
	if (rc == 0)
		return set;
	edi_fail(EDI_USAGE, "%s", e.text);
	edi_dictionary_set_free(set);
	return NULL;
}

static int read_guide(struct edi_command *c)
{
	struct van_buf text = VAN_BUF_INIT(LARGEST_GUIDE);
	struct van_error e = {0};
	if (!c->guide)
		return EDI_DONE;
	int rc = file_read(c->guide, &text), status = EDI_DONE;
	if (rc < 0)
		status = edi_fail(EDI_USAGE, "%s: %s", c->guide, van_err_name(rc));
	else if (guide_read(van_buf_slice(&text), c->guide, &c->rules, &e) < 0)
		status = edi_fail(EDI_USAGE, "%s", e.text);
	van_buf_free(&text);
	return status;
}

int edi_flush(struct van_buf *b)
{
	int rc = van_buf_error(b) ? van_buf_error(b) : fd_write_all(STDOUT_FILENO, b->p ? b->p : "", b->n);
	van_buf_reset(b);
	return rc;
}

static int print_help(const struct verb *only)
{
	printf("usage: vanctl edi %s [--json] [--dict DIR]… [--guide FILE]%s FILE\n\n", only ? only->name : "VERB", only ? only->options : " [OPTION]…");
	for (size_t i = 0; i < VERBS; i++)
		if (!only || only == &verbs[i])
			printf("  %-9s%s\n", verbs[i].name, verbs[i].help);
	if (!only)
		fputs("  dict     lists, shows, checks and imports dictionaries; see vanctl edi dict --help\n", stdout);
	fputs("\nFILE - is standard input; no server is needed. Exit status: 0 done, 1 the answer is no, 2 usage or environment.\n", stdout);
	return EDI_DONE;
}

int edi_take_option(struct edi_command *c, const char *word, const char *value)
{
	const struct {
		const char *name;
		bool *flag;
		const char **text;
	} options[] = {{"--json", &c->json, NULL}, {"--ta1", &c->ta1, NULL}, {"--lines", &c->lines, NULL}, {"--pretty", &c->pretty, NULL},
		{"--strict", &c->strict, NULL}, {"--nearest", &c->nearest, NULL}, {"--explain", &c->explain, NULL},
		{"--type", NULL, &c->type}, {"--to", NULL, &c->to}, {"--map", NULL, &c->map}, {"--sheet", NULL, &c->sheet}, {"--version", NULL, &c->version},
		{"--charset", NULL, &c->charset}, {"--guide", NULL, &c->guide}, {"--sender", NULL, &c->sender}, {"--receiver", NULL, &c->receiver}, {"--rejects", NULL, &c->rejects}};
	for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
		if (strcmp(word, options[i].name) != 0)
			continue;
		if (options[i].flag)
			return *options[i].flag = true;
		*options[i].text = value;
		return value ? 2 : -1;
	}
	if (strcmp(word, "--dict") == 0) {
		if (!value || c->dict_count == sizeof c->dict / sizeof *c->dict)
			return -1;
		c->dict[c->dict_count++] = value;
		return 2;
	}
	unsigned long long n;
	bool document = strcmp(word, "--document") == 0;
	if (!document && strcmp(word, "--control") != 0)
		return 0;
	if (!value || !slice_u64(slice_str(value), &n) || !n || n > 999999999)
		return -1;
	*(document ? &c->document : &c->control) = (uint32_t)n;
	return 2;
}

int vanctl_edi(int argc, char **argv)
{
	struct edi_command c = {0};
	const struct verb *verb = NULL;
	if (argc < 2)
		return edi_fail(EDI_USAGE, "which verb? see vanctl edi --help");
	if (strcmp(argv[1], "dict") == 0)
		return edi_run_dict(argc - 1, argv + 1);
	for (size_t i = 0; i < VERBS; i++)
		if (strcmp(argv[1], verbs[i].name) == 0)
			verb = &verbs[i];
	for (int i = 1; i < argc; i++)
		if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
			return print_help(verb);
	if (!verb)
		return edi_fail(EDI_USAGE, "there is no verb %s; try vanctl edi --help", argv[1]);
	c.verb = verb->name;
	for (int i = 2; i < argc;) {
		bool option = argv[i][0] == '-' && argv[i][1];
		int used = option ? edi_take_option(&c, argv[i], i + 1 < argc ? argv[i + 1] : NULL) : 1;
		if (used == 0)
			return edi_fail(EDI_USAGE, "there is no option %s; try vanctl edi %s --help", argv[i], c.verb);
		if (used < 0)
			return edi_fail(EDI_USAGE, "option %s needs a proper value; try vanctl edi %s --help", argv[i], c.verb);
		if (!option && c.file)
			return edi_fail(EDI_USAGE, "one file at a time, not %s and %s", c.file, argv[i]);
		if (!option)
			c.file = argv[i];
		i += used;
	}
	if (!c.file)
		return edi_fail(EDI_USAGE, "which file? usage: vanctl edi %s%s FILE", c.verb, verb->options);
	int status = read_guide(&c);
	if (status == EDI_DONE)
		status = verb->run(&c);
	edi_guide_free(c.rules);
	return status;
}
