/* vanctl receipt verify: reads a bundle, needs no server and no configuration. */
#include "vanctl/receipt_verify.h"

#include "base/record.h"
#include "receipt/bundle.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

enum { VERIFIED = 0, NOT_VERIFIED = 1, USAGE = 2 };

struct arguments {
	const char *file, *key;
	bool json, help;
};

static void usage(FILE *to)
{
	fputs("usage: vanctl receipt verify BUNDLE.tar [--key VKEY] [--json]\n"
	      "Verifies a bundle made by vanctl receipt export: signatures, tree, artefacts, completeness of its period. Needs no server.\n"
	      "  --key VKEY  the log's verifier key (NAME+HASH+BASE64), or a file that holds it, got from the operator by another way;\n"
	      "              without it the bundle's own key is used, which proves less\n"
	      "  --json      one object: verified, size, checked, problems\n"
	      "Exit status: 0 verified, 1 not verified, 2 the bundle or key could not be read.\n", to);
}

static int parse_arguments(int argc, char **argv, struct arguments *a)
{
	bool options = true;
	for (int i = 1; i < argc; i++) {
		if (options && !strcmp(argv[i], "--")) {
			options = false;
		} else if (options && !strcmp(argv[i], "--json")) {
			a->json = true;
		} else if (options && (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h"))) {
			a->help = true;
		} else if (options && !strncmp(argv[i], "--key=", 6)) {
			a->key = argv[i] + 6;
		} else if (options && !strcmp(argv[i], "--key") && i + 1 < argc) {
			a->key = argv[++i];
		} else if ((options && argv[i][0] == '-' && argv[i][1]) || a->file) {
			fprintf(stderr, "vanctl receipt verify: \"%s\" is not understood; see --help\n", argv[i]);
			return USAGE;
		} else {
			a->file = argv[i];
		}
	}
	if (a->file || a->help)
		return 0;
	fputs("vanctl receipt verify: which bundle? See --help\n", stderr);
	return USAGE;
}

/* The key itself, or the first line of the file of that name. */
static int read_key(const char *given, char to[1024])
{
	to[0] = 0;
	if (strchr(given, '+') && access(given, F_OK)) {
		snprintf(to, 1024, "%s", given);
		return 0;
	}
	FILE *f = fopen(given, "re");
	if (!f || !fgets(to, 1024, f)) {
		fprintf(stderr, "vanctl receipt verify: %s is no verifier key, and can't be read as a file of one: %s\n", given,
			f ? "it is empty" : strerror(errno));
		if (f)
			fclose(f);
		return USAGE;
	}
	fclose(f);
	return 0;
}

static void print_json(const struct receipt_report *r)
{
	struct van_buf b = VAN_BUF_INIT(0);
	struct slice rest = van_buf_slice(&r->problems);
	van_buf_printf(&b, "{\"verified\":%s,\"size\":%llu,\"checked\":%llu,\"problems\":[", r->n_problems ? "false" : "true",
		(unsigned long long)r->size, (unsigned long long)r->checked);
	for (bool first = true; rest.n; first = false) {
		if (!first)
			van_buf_append_char(&b, ',');
		json_put_text(&b, slice_cut(&rest, '\n'));
	}
	van_buf_printf(&b, "],\"artefacts\":%llu,\"artefacts_missing\":%llu,\"own_key\":%s,\"key\":", (unsigned long long)r->artefacts,
		(unsigned long long)r->missing, r->own_key ? "true" : "false");
	json_put_text(&b, r->vkey[0] ? slice_str(r->vkey) : SLICE_NONE);
	van_buf_append_str(&b, "}\n");
	fwrite(b.p, 1, b.n, stdout);
	van_buf_free(&b);
}

static void print_text(const struct receipt_report *r)
{
	struct slice rest = van_buf_slice(&r->problems);
	while (rest.n) {
		struct slice line = slice_cut(&rest, '\n');
		printf("problem: %.*s\n", SLICE_ARG(line));
	}
	printf("%llu receipts of this bundle are in signed logs of %llu; %llu artefacts match, %llu are not in the bundle\n",
		(unsigned long long)r->checked, (unsigned long long)r->size, (unsigned long long)r->artefacts, (unsigned long long)r->missing);
	if (r->vkey[0])
		printf("key: %s\n", r->vkey);
	if (r->own_key && !r->n_problems)
		puts("note: the key came from the bundle itself; compare it with the one the operator published, or give it with --key");
	if (r->other_texts)
		puts("note: the bundle's verify.sh or VERIFY.md is not this version's; read it before you run it");
	puts(r->n_problems ? "NOT VERIFIED" : "verified");
}

int vanctl_receipt_verify(int argc, char **argv)
{
	struct arguments a = {0};
	struct receipt_report report;
	struct van_error err = {0};
	char key[1024];
	int status = parse_arguments(argc, argv, &a);
	if (status)
		return status;
	if (a.help) {
		usage(stdout);
		return 0;
	}
	if (a.key && read_key(a.key, key))
		return USAGE;
	int fd = open(a.file, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		fprintf(stderr, "vanctl receipt verify: %s: %s; give the path of a bundle made by vanctl receipt export\n", a.file, strerror(errno));
		return USAGE;
	}
	int rc = receipt_bundle_verify(fd, a.key ? slice_str(key) : SLICE_NONE, &report, &err);
	close(fd);
	if (rc)
		fprintf(stderr, "vanctl receipt verify: %s: %s\n", a.file, err.text);
	else if (a.json)
		print_json(&report);
	else
		print_text(&report);
	status = rc ? USAGE : report.n_problems ? NOT_VERIFIED : VERIFIED;
	van_buf_free(&report.problems);
	return status;
}
