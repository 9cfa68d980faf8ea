/* partner apply: everything is checked here first, against the profiles in force, because only here file and line are known. */
#include "base/buf.h"
#include "base/clock.h"
#include "base/error.h"
#include "partner/directory.h"
#include "vanctl/apply.h"
#include "vanctl/client.h"
#include "vanctl/map.h"
#include "vanctl/print.h"

#include <stdlib.h>
#include <string.h>

/* The profiles in force, as a directory. */
static int fetch_directory(struct ctl *c, struct directory **ret)
{
	json_t *answer = NULL;
	int status = client_ask(c, "partner.dump", NULL, &answer, NULL);
	if (status)
		return status;
	char *text = json_dumps(answer, JSON_COMPACT);
	struct profile_errors errors = {0};
	struct profile_set *set = NULL;
	*ret = directory_new();
	int rc = text && *ret ? profile_set_from_json(slice_str(text), &set, &errors) : VAN_ENOMEM;
	for (size_t i = 0; rc == 0 && i < set->n; i++) {
		rc = directory_put(*ret, set->v[i]);
		set->v[i] = NULL;
	}
	profile_set_free(set);
	profile_errors_free(&errors);
	free(text);
	json_decref(answer);
	return rc < 0 ? ctl_fail(CTL_USAGE, "the profiles in force are not understood (%s); are vand and vanctl of the same version?",
				 van_err_name(rc))
		      : CTL_DONE;
}

static void print_errors(const struct profile_errors *errors)
{
	struct van_buf text = VAN_BUF_INIT(64 << 20);
	profile_errors_print(errors, &text);
	if (text.n)
		fwrite(text.p, 1, text.n, stderr);
	van_buf_free(&text);
}

static int invalid(void)
{
	return ctl_fail(CTL_NO, "nothing was applied; mend what is named above and apply again");
}

static int unread(void)
{
	return ctl_fail(CTL_USAGE, "nothing was applied: a file could not be read");
}

/* Of the installed ones, or in the store. */
static bool map_known(void *arg, struct slice name)
{
	const struct map *m;
	struct map_source *maps = arg;
	return map_library_find(maps->library, name, MAP_VERSION_ACTIVE, &m, NULL, NULL) != VAN_ENOTFOUND;
}

static int check_beside_others(struct ctl *c, const struct profile_set *set)
{
	struct profile_errors errors = {0};
	struct directory *d = NULL;
	struct map_source maps;
	int status = map_source_library(c, &maps);
	if (!status)
		status = fetch_directory(c, &d);
	if (!status) {
		int rc = directory_check(d, set, map_known, &maps, &errors);
		profile_set_check_dates(set, van_clock_now(), &errors);
		print_errors(&errors);
		status = rc == VAN_EINVAL ? invalid() : rc < 0 ? ctl_fail(CTL_USAGE, "%s", van_err_name(rc)) : CTL_DONE;
	}
	directory_free(d);
	profile_errors_free(&errors);
	map_source_free(&maps);
	return status;
}

static int send_profiles(struct ctl *c, const struct profile_set *set)
{
	static const struct print_column columns[] = {
		{"KIND", "kind"}, {"ID", "id"}, {"VERSION", "version"}, {"RESULT", "result"}, {NULL, NULL},
	};
	struct van_buf text = VAN_BUF_INIT(256 << 20);
	json_t *list = profile_set_to_json(set, &text) == 0 ? json_loadb(text.p, text.n, 0, NULL) : NULL, *answer = NULL;
	van_buf_free(&text);
	if (!list)
		return ctl_fail(CTL_USAGE, "the profiles are too large for one request; apply them in parts");
	json_t *request = json_pack("{s:o}", "profiles", list);
	int status = client_ask(c, "partner.apply", request, &answer, NULL);
	json_decref(request);
	if (!status && c->json)
		print_json(answer);
	else if (!status)
		print_table(answer, columns);
	json_decref(answer);
	return status;
}

int partner_apply(struct ctl *c)
{
	struct profile_errors errors = {0};
	struct profile_set *set = NULL;
	int rc = profile_files_load(c->args, c->nargs, &set, &errors), status;
	print_errors(&errors);
	if (rc < 0)
		status = rc == VAN_EINVAL ? invalid() : rc == VAN_EIO ? unread() : ctl_fail(CTL_USAGE, "the profiles could not be read: %s", van_err_name(rc));
	else if (set->n == 0)
		status = ctl_fail(CTL_NO, "nothing was applied: the files hold no profile; see vand.yaml(5), or vanctl template list");
	else
		status = check_beside_others(c, set);
	if (!status)
		status = send_profiles(c, set);
	profile_set_free(set);
	profile_errors_free(&errors);
	return status;
}

int apply_profile(struct ctl *c, json_t *profile)
{
	struct profile_errors errors = {0};
	struct profile_set *set = NULL;
	const char *kind = json_string_value(json_object_get(profile, "kind"));
	json_object_del(profile, "profile_version"); /* no key of profiles, nor is the next, except in agreements */
	if (!kind || strcmp(kind, "agreement"))
		json_object_del(profile, "version");
	json_t *list = json_pack("[O]", profile);
	char *text = list ? json_dumps(list, JSON_COMPACT) : NULL;
	int rc = text ? profile_set_from_json(slice_str(text), &set, &errors) : VAN_ENOMEM, status;
	print_errors(&errors);
	if (rc < 0)
		status = rc == VAN_EINVAL ? invalid() : ctl_fail(CTL_USAGE, "%s", van_err_name(rc));
	else
		status = check_beside_others(c, set);
	if (!status)
		status = send_profiles(c, set);
	profile_set_free(set);
	profile_errors_free(&errors);
	free(text);
	json_decref(list);
	return status;
}
