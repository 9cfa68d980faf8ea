/* vand: the server. `vand -c FILE` supervises; `vand --role` is what the supervisor starts. */
#include "base/log.h"
#include "roles/role.h"
#include "roles/supervisor/supervisor.h"

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

static const struct {
	const char *name;
	int (*run)(struct role *r);
} roles[] = {
	{"store", role_store},     {"keyd", role_keyd}, {"http", role_http}, {"worker", role_worker}, {"sftp", role_sftp},
	{"deliver", role_deliver}, {"web", role_web},
};

static int run_role(void)
{
	signal(SIGPIPE, SIG_IGN);
	/* A terminal's Ctrl-C and a service manager's SIGTERM reach the whole group; the supervisor alone decides. */
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	struct role *r = role_start();
	if (!r)
		return 1;
	int status = 1;
	for (size_t i = 0; i < sizeof roles / sizeof *roles; i++)
		if (strcmp(r->name, roles[i].name) == 0)
			status = roles[i].run(r);
	role_free(r);
	return status;
}

static void usage(FILE *to)
{
	fputs("usage: vand -c FILE [--check]\n"
	      "  -c, --config FILE   configuration, default /etc/openvan/vand.yaml\n"
	      "      --check         check configuration, certificates and profiles beside it, print what is wrong, exit 0 or 1\n"
	      "      --version       print the version\n"
	      "      --help          print this\n"
	      "Serves in the foreground; prints `ready` when every listener accepts. SIGTERM stops, SIGHUP reloads. See vand(8).\n",
	      to);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{"config", required_argument, NULL, 'c'}, {"check", no_argument, NULL, 'k'},  {"role", required_argument, NULL, 'r'},
		{"version", no_argument, NULL, 'V'},      {"help", no_argument, NULL, 'h'},   {0},
	};
	const char *config = "/etc/openvan/vand.yaml";
	bool check = false;
	for (int o; (o = getopt_long(argc, argv, "c:h", options, NULL)) != -1;) {
		switch (o) {
		case 'c': config = optarg; break;
		case 'k': check = true; break;
		case 'r': return run_role();
		case 'V': puts("vand " PACKAGE_VERSION); return 0;
		case 'h': usage(stdout); return 0;
		default: usage(stderr); return 2;
		}
	}
	if (optind < argc) {
		fprintf(stderr, "vand: unexpected argument '%s'; see vand --help\n", argv[optind]);
		return 2;
	}
	return check ? supervisor_check(config) : supervisor_run(config);
}
