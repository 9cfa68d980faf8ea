/* template list and partner new: profiles from templates, without a server. */
#include "partner/template.h"

#include "base/datafolder.h"
#include "base/fdio.h"
#include "vanctl/print.h"
#include "vanctl/template.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEMPLATE_MAX ((size_t)1 << 20)
#define SETTINGS_MAX 64

static int folder(char *to, size_t room)
{
	return van_data_folder("templates", to, room) == 0
		       ? CTL_DONE
		       : ctl_fail(CTL_USAGE, "the folder of templates is not found; install OpenVAN, or set OPENVAN_DATADIR");
}

/* `text` keeps what *ret points into. */
static int read_template(const char *path, struct van_buf *text, struct partner_template *ret)
{
	struct van_error e = {0};
	int rc = file_read(path, text);
	if (rc < 0)
		return ctl_fail(CTL_NO, "%s can't be read; vanctl template list shows what there is", path);
	rc = partner_template_read(van_buf_slice(text), ret, &e);
	return rc < 0 ? ctl_fail(CTL_USAGE, "%s: %s", path, e.text) : CTL_DONE;
}

/* --- template list ------------------------------------------------------------------------------------------------------ */

static json_t *describe(const char *name, const struct partner_template *t)
{
	json_t *keys = json_array(), *names = json_array();
	for (size_t i = 0; i < t->nkeys; i++) {
		const struct partner_template_key *k = &t->keys[i];
		json_array_append_new(keys, json_pack("{s:s%, s:o, s:s%}", "key", k->key.p, k->key.n, "default",
						      k->fallback.p ? json_stringn(k->fallback.p, k->fallback.n) : json_null(), "help",
						      k->help.p ? k->help.p : "", k->help.n));
		json_array_append_new(names, json_stringn(k->key.p, k->key.n));
	}
	return json_pack("{s:s, s:s%, s:o, s:o}", "name", name, "summary", t->summary.p ? t->summary.p : "", t->summary.n, "keys", names,
			 "settings", keys);
}

static int add_file(const char *at, const char *file, json_t *list)
{
	char path[4600], name[256];
	size_t n = strlen(file);
	struct van_buf text = VAN_BUF_INIT(TEMPLATE_MAX);
	struct partner_template t = {0};
	if (n < 6 || n >= sizeof name || strcmp(file + n - 5, ".yaml"))
		return CTL_DONE;
	snprintf(path, sizeof path, "%s/%s", at, file);
	snprintf(name, sizeof name, "%.*s", (int)(n - 5), file);
	int status = read_template(path, &text, &t);
	if (!status)
		json_array_append_new(list, describe(name, &t));
	van_buf_free(&text);
	return status;
}

int template_list(struct ctl *c)
{
	static const struct print_column columns[] = {{"NAME", "name"}, {"FOR", "summary"}, {"KEYS", "keys"}, {NULL, NULL}};
	char at[4200];
	struct dirent **files;
	json_t *list = json_array();
	int status = folder(at, sizeof at), n = status ? 0 : scandir(at, &files, NULL, alphasort);
	for (int i = 0; i < n; i++) {
		if (!status)
			status = add_file(at, files[i]->d_name, list);
		free(files[i]);
	}
	if (n > 0)
		free(files);
	if (!status && c->json)
		print_json(list);
	else if (!status)
		print_table(list, columns);
	json_decref(list);
	return status;
}

/* --- partner new ---------------------------------------------------------------------------------------------------------- */

/* "key=value" of each --set. */
static int read_settings(const json_t *list, struct partner_template_value *values, size_t *ret_n)
{
	size_t i;
	json_t *item;
	json_array_foreach (list, i, item) {
		struct slice rest = slice_str(json_string_value(item));
		struct slice key = slice_cut(&rest, '=');
		if (!rest.p || i >= SETTINGS_MAX)
			return ctl_fail(CTL_USAGE, "--set takes key=value, not '%.*s'", SLICE_ARG(key));
		values[i] = (struct partner_template_value){key, rest};
	}
	*ret_n = i;
	return CTL_DONE;
}

/* Paths of certificates are those of the place where the file will stand, so only its form is checked. */
static int fill(struct ctl *c, const struct partner_template *t)
{
	struct partner_template_value values[SETTINGS_MAX];
	struct van_error e = {0};
	struct van_buf out = VAN_BUF_INIT(TEMPLATE_MAX);
	size_t n = 0;
	int status = read_settings(json_object_get(c->options, "set"), values, &n);
	if (!status && partner_template_fill(t, slice_str(c->args[0]), values, n, &out, &e) < 0)
		status = ctl_fail(CTL_USAGE, "%s", e.text);
	if (!status)
		fwrite(out.p, 1, out.n, stdout);
	van_buf_free(&out);
	return status;
}

int partner_new(struct ctl *c)
{
	char at[4200], path[4600];
	const char *name = ctl_text(c, "template");
	struct van_buf text = VAN_BUF_INIT(TEMPLATE_MAX);
	struct partner_template t = {0};
	int status = name && !strchr(name, '/') ? folder(at, sizeof at)
						: ctl_fail(CTL_USAGE, "name a template: --template NAME; vanctl template list shows them");
	if (!status) {
		snprintf(path, sizeof path, "%s/%s.yaml", at, name);
		status = read_template(path, &text, &t);
	}
	if (!status)
		status = fill(c, &t);
	van_buf_free(&text);
	return status;
}
