/* vand --check: reads files only. */
#include "base/clock.h"
#include "base/error.h"
#include "partner/directory.h"
#include "partner/settings.h"
#include "roles/supervisor/supervisor.h"

#include <glob.h>
#include <stdio.h>
#include <string.h>

/* Profiles beside the configuration: DIR/partners/ *.yaml. */
static void check_profiles(const char *config_path, struct profile_errors *errors)
{
	const char *slash = strrchr(config_path, '/');
	char pattern[4096];
	snprintf(pattern, sizeof pattern, "%.*spartners/*.y*ml", slash ? (int)(slash - config_path + 1) : 0, config_path);
	glob_t found = {0};
	if (glob(pattern, 0, NULL, &found) == 0) {
		struct profile_set *set = NULL;
		if (profile_files_load((const char *const *)found.gl_pathv, found.gl_pathc, &set, errors) == 0) {
			directory_check(NULL, set, NULL, NULL, errors);
			profile_set_check_dates(set, van_clock_now(), errors);
		}
		profile_set_free(set);
	}
	globfree(&found);
}

int supervisor_check(const char *config_path)
{
	struct profile_errors errors = {0};
	struct van_config *c = NULL;
	int rc = van_config_load(config_path, &c, &errors);
	if (rc == 0)
		van_config_check_files(c, &errors);
	check_profiles(config_path, &errors);
	struct van_buf text = VAN_BUF_INIT(0);
	profile_errors_print(&errors, &text);
	fwrite(text.p ? text.p : "", 1, text.n, stdout);
	if (rc < 0 && !errors.errors)
		printf("%s: %s\n", config_path, van_err_name(rc));
	int bad = rc < 0 || errors.errors;
	if (!bad)
		printf("%s: good\n", config_path);
	van_buf_free(&text);
	profile_errors_free(&errors);
	van_config_free(c);
	return bad;
}
