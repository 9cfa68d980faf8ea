/* Verifying a bundle: the archive, its sums, then log by log. Limits: bundle_files.h; a file that has to be in memory is read
 * only after its size was seen to be small; artefacts are hashed in pieces. */
#include "receipt/bundle_files.h"

#include <stdio.h>
#include <stdlib.h>

#define KEY_PEM BUNDLE_ROOT "key.pem"

/* The bundle's own key: from the first log's vkey. */
static int own_key(struct bundle_verifier *v, struct receipt_vkey *ret)
{
	struct van_buf b = VAN_BUF_INIT(4096);
	struct van_error err = {0};
	if (v->manifest->n == 0)
		return VAN_ENOTFOUND;
	int rc = bundle_read(&v->files, bundle_log_file(v->manifest->log[0].year, "vkey").text, 1024, &b);
	if (rc == 0) {
		rc = receipt_vkey_parse(van_buf_slice(&b), ret, &err);
		if (rc)
			bundle_problem(&v->files, "%04u/vkey: %s", v->manifest->log[0].year, err.text);
	}
	van_buf_free(&b);
	return rc;
}

/* The key given has to be that of one of the logs; then it is the key of all. */
static bool names_a_log(const struct bundle_manifest *m, const struct receipt_vkey *k)
{
	for (size_t i = 0; i < m->n; i++)
		if (strcmp(m->log[i].origin, k->name) == 0)
			return true;
	return false;
}

static int choose_key(struct bundle_verifier *v, struct slice given, struct van_error *err)
{
	struct receipt_vkey k;
	struct van_buf text = VAN_BUF_INIT(4096);
	int rc = given.p ? receipt_vkey_parse(given, &k, err) : own_key(v, &k);
	if (rc)
		return rc;
	v->report->own_key = !given.p;
	if (!names_a_log(v->manifest, &k))
		bundle_problem(&v->files, "the key is of %s, which is no log of this bundle", k.name);
	memcpy(v->key, k.key, RECEIPT_KEY);
	receipt_vkey_text(&k, &text);
	snprintf(v->report->vkey, sizeof v->report->vkey, "%.*s", SLICE_ARG(van_buf_slice(&text)));
	van_buf_free(&text);
	return 0;
}

/* key.pem is for openssl: it must be the same key, or verify.sh would say something else than we do. */
static int check_pem(struct bundle_verifier *v)
{
	struct van_buf got = VAN_BUF_INIT(8192), want = VAN_BUF_INIT(8192);
	struct receipt_vkey k = {.name = ""};
	memcpy(k.key, v->key, RECEIPT_KEY);
	int rc = bundle_read(&v->files, KEY_PEM, 4096, &got);
	if (rc == 0 && (receipt_vkey_pem(&k, &want) || !slice_eq(van_buf_slice(&got), van_buf_slice(&want))))
		bundle_problem(&v->files, "key.pem is another key than the one used to verify");
	van_buf_free(&got);
	van_buf_free(&want);
	return rc == VAN_ENOTFOUND ? 0 : rc;
}

/* The texts are for people and not signed. Another program's version of them is no fault, but whoever runs the script should know. */
static int check_text(struct bundle_verifier *v, const char *name, const char *ours)
{
	struct bundle_file *f = bundle_find(&v->files, name);
	struct receipt_hash want = receipt_sha256(ours, strlen(ours)), got;
	if (!f) {
		bundle_problem(&v->files, "%s is missing", name + sizeof BUNDLE_ROOT - 1);
		return 0;
	}
	int rc = bundle_hash(&v->files, f, SLICE(""), &got);
	if (rc == 0 && memcmp(want.b, got.b, RECEIPT_HASH) != 0)
		v->report->other_texts = true;
	return rc;
}

static int read_manifest(struct bundle_verifier *v, struct bundle_manifest *m)
{
	struct van_buf b = VAN_BUF_INIT(2 << 20);
	struct van_error err = {0};
	int rc = bundle_read(&v->files, BUNDLE_ROOT "bundle.json", 1 << 20, &b);
	if (rc == 0 && bundle_manifest_parse(van_buf_slice(&b), m, &err)) {
		bundle_problem(&v->files, "%s", err.text);
		rc = VAN_ENOTFOUND;
	}
	van_buf_free(&b);
	return rc;
}

static int verify(struct bundle_verifier *v, struct bundle_manifest *m, struct slice vkey, struct van_error *err)
{
	int rc = bundle_check_sums(&v->files);
	if (rc)
		return rc;
	rc = read_manifest(v, m);
	if (rc)
		return rc == VAN_ENOTFOUND ? 0 : rc;
	v->manifest = m;
	if (m->n == 0)
		bundle_problem(&v->files, "the bundle has no log");
	rc = choose_key(v, vkey, err);
	if (rc)
		return vkey.p ? rc : 0; /* a bad key in the bundle is its problem, a bad key given is the caller's */
	rc = check_pem(v);
	if (rc == 0)
		rc = check_text(v, BUNDLE_ROOT "verify.sh", bundle_verify_sh);
	if (rc == 0)
		rc = check_text(v, BUNDLE_ROOT "VERIFY.md", bundle_verify_md);
	for (size_t i = 0; rc == 0 && i < m->n; i++)
		rc = bundle_verify_log(v, i);
	if (rc == 0)
		bundle_check_strangers(&v->files);
	return rc;
}

/* A line for what did not fit. */
static void close_report(struct receipt_report *r)
{
	if (r->n_problems > BUNDLE_PROBLEMS_MAX)
		van_buf_printf(&r->problems, "and %llu more\n", (unsigned long long)(r->n_problems - BUNDLE_PROBLEMS_MAX));
}

int receipt_bundle_verify(int fd, struct slice vkey, struct receipt_report *report, struct van_error *err)
{
	*report = (struct receipt_report){.problems = VAN_BUF_INIT(1 << 20)};
	struct bundle_verifier *v = calloc(1, sizeof *v);
	struct bundle_manifest *m = calloc(1, sizeof *m);
	struct van_error why = {0};
	int rc = VAN_ENOMEM;
	if (v && m) {
		v->report = report;
		v->arena = van_arena_new(16 << 20);
		rc = v->arena ? bundle_files_open(&v->files, fd, report, &why) : VAN_ENOMEM;
		if (rc == 0)
			rc = verify(v, m, vkey, &why);
		bundle_files_free(&v->files);
		van_arena_free(v->arena);
	}
	free(v);
	free(m);
	close_report(report);
	if (rc)
		return van_error_set(err, rc, "%s", why.text[0] ? why.text : van_err_name(rc));
	return 0;
}
