/* import openas2 DIR: what OpenAS2 knows becomes profiles, certificates and keys beside vand.yaml, to be looked at and applied. What works
 * there shall work here at once, so what is accepted is as wide as it was; the notes say what to tighten and what has no counterpart. */
#include "vanctl/import_openas2.h"

#include "base/buf.h"
#include "base/fdio.h"
#include "partner/openas2.h"
#include "vanctl/certificate.h"
#include "vanctl/init.h"
#include "vanctl/init_keys.h"
#include "vanctl/keystore.h"
#include "vanctl/print.h"

#include <ctype.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/pem.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define FILE_MAX_ ((size_t)16 << 20)
#define ID_MAX_ 40

const struct ctl_option import_openas2_options[] = {
	{"--ours", "NAME", "ours", CTL_TEXTS, NULL, "a party that we speak for, by its name there; may be repeated; default: those whose private key is in the key store"},
	{"--keystore", "FILE", "keystore", CTL_TEXT, NULL, "PKCS #12 file with keys and certificates; default: as2_certs.p12 in DIR"},
	{"--password-file", "FILE", "password_file", CTL_TEXT, NULL, "its first line opens the key store"},
	{NULL},
};

struct import {
	struct ctl *c;
	struct van_arena *arena;
	struct openas2 from;
	struct keystore keys;
	struct certificate_place at;
	char (*ids)[ID_MAX_ + 8]; /* by party */
	json_t *rows;  /* what was made */
	json_t *notes; /* of the profile at work */
};

static void note(struct import *m, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void note(struct import *m, const char *fmt, ...)
{
	char text[1024];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	json_t *s = json_string(text);
	json_array_append_new(m->notes, s ? s : json_string("a value that is no UTF-8 was left out"));
}

/* --- names ---------------------------------------------------------------------------------------------------------------------------- */

/* Names that differ in capitals or signs only get a number. */
static void make_ids(struct import *m)
{
	for (size_t i = 0; i < m->from.nparties; i++) {
		char id[ID_MAX_ + 1];
		init_profile_id(m->from.parties[i].name, "party", id, sizeof id);
		snprintf(m->ids[i], sizeof m->ids[i], "%s", id);
		for (size_t k = 0, next = 2; k < i; k++)
			if (!strcmp(m->ids[k], m->ids[i])) {
				snprintf(m->ids[i], sizeof m->ids[i], "%s-%u", id, (unsigned)next++ % 100000);
				k = (size_t)-1;
			}
	}
}

static const char *id_of(const struct import *m, const struct openas2_party *p)
{
	return m->ids[p - m->from.parties];
}

static bool has_key(const struct import *m, const struct openas2_party *p)
{
	const struct keystore_entry *e = keystore_find(&m->keys, p->alias);
	return e && e->key;
}

static bool is_ours(const struct import *m, const struct openas2_party *p)
{
	const json_t *named = json_object_get(m->c->options, "ours");
	size_t i;
	json_t *one;
	json_array_foreach(named, i, one)
		if (slice_is(p->name, json_string_value(one)))
			return true;
	return !named && has_key(m, p);
}

/* Those that are named must be there, with keys; and a key store with everybody's keys, as a trial has it, says nothing. */
static int know_ours(const struct import *m)
{
	const json_t *named = json_object_get(m->c->options, "ours");
	size_t i, keys = 0;
	json_t *one;
	for (i = 0; i < m->from.nparties; i++)
		keys += has_key(m, &m->from.parties[i]);
	json_array_foreach(named, i, one) {
		const struct openas2_party *p = openas2_party(&m->from, slice_str(json_string_value(one)));
		if (!p || !has_key(m, p))
			return ctl_fail(CTL_NO, p ? "the key store has no private key of '%s'" : "partnerships.xml describes no partner '%s'", json_string_value(one));
	}
	if (!m->from.nparties)
		return ctl_fail(CTL_NO, "partnerships.xml describes no partner");
	if (!keys)
		return ctl_fail(CTL_NO, "the key store holds the private key of none of the %zu partners: is it the right one?", m->from.nparties);
	if (!named && keys == m->from.nparties && keys > 1)
		return ctl_fail(CTL_NO, "the key store holds the private keys of all %zu partners: say which of them we are, --ours NAME", keys);
	return CTL_DONE;
}

/* JSON's strings are YAML's too. */
static void put(struct van_buf *to, const char *before, struct slice value, const char *after)
{
	json_t *v = json_stringn(value.p ? value.p : "", value.n);
	char *text = v ? json_dumps(v, JSON_ENCODE_ANY) : NULL;
	van_buf_append_str(to, before);
	van_buf_append_str(to, text ? text : "\"\"");
	van_buf_append_str(to, after);
	free(text);
	json_decref(v);
}

/* --- files ------------------------------------------------------------------------------------------------------------------------------ */

static int write_new(struct import *m, const char *path, const void *p, size_t n, unsigned mode)
{
	struct van_error e = {0};
	return init_write_file(m->at.folder, path, p, n, mode, &e) < 0 ? ctl_fail(CTL_NO, "%s/%s", m->at.path, e.text) : CTL_DONE;
}

static int write_certificate(struct import *m, const char *id, X509 *x)
{
	char path[200];
	json_t *pem = certificate_pem(x);
	snprintf(path, sizeof path, "certs/%s.pem", id);
	int status = pem ? write_new(m, path, json_string_value(pem), json_string_length(pem), 0644) : ctl_fail(CTL_USAGE, "out of memory");
	json_decref(pem);
	return status;
}

static int write_key(struct import *m, const char *id, EVP_PKEY *key)
{
	char path[200], *p = NULL;
	BIO *text = BIO_new(BIO_s_secmem());
	snprintf(path, sizeof path, "keys/%s.key", id);
	long n = text && PEM_write_bio_PKCS8PrivateKey(text, key, NULL, NULL, 0, NULL, NULL) == 1 ? BIO_get_mem_data(text, &p) : 0;
	int status = n > 0 ? write_new(m, path, p, (size_t)n, 0600) : ctl_fail(CTL_USAGE, "the key of %s can't be written", id);
	BIO_free(text);
	return status;
}

static int write_profile(struct import *m, const char *kind, const char *id, const struct van_buf *text)
{
	char path[200];
	snprintf(path, sizeof path, "partners/%s.yaml", id);
	int status = text->error ? ctl_fail(CTL_USAGE, "out of memory") : write_new(m, path, text->p, text->n, 0644);
	if (status)
		return status;
	json_array_append_new(m->rows, json_pack("{s:s,s:s,s:s++,s:o}", "kind", kind, "id", id, "file", m->at.path, "/", path, "notes", m->notes));
	m->notes = json_array();
	return CTL_DONE;
}

/* Before anything is written. */
static int nothing_is_there(const struct import *m)
{
	struct stat st;
	char path[200];
	for (size_t i = 0; i < m->from.nparties; i++)
		for (size_t k = 0; k < 3; k++) {
			snprintf(path, sizeof path, k == 0 ? "partners/%s.yaml" : k == 1 ? "certs/%s.pem" : "keys/%s.key", m->ids[i]);
			if (fstatat(m->at.folder, path, &st, AT_SYMLINK_NOFOLLOW) == 0)
				return ctl_fail(CTL_NO, "%s/%s is there already, and nothing was written: move it away first", m->at.path, path);
		}
	return CTL_DONE;
}

/* --- stations ------------------------------------------------------------------------------------------------------------------------------ */

static int make_station(struct import *m, const struct openas2_party *p)
{
	const char *id = id_of(m, p);
	const struct keystore_entry *e = keystore_find(&m->keys, p->alias);
	struct van_buf t = VAN_BUF_INIT(FILE_MAX_);
	van_buf_printf(&t, "# Of OpenAS2.\nkind: station\nid: %s\n", id);
	put(&t, "name: ", p->name, "\n");
	put(&t, "as2:\n  id: ", p->as2_id, "\n");
	van_buf_printf(&t, "  sign:    [{certificate: ../certs/%s.pem, key: ../keys/%s.key}]\n  decrypt: [{certificate: ../certs/%s.pem, key: ../keys/%s.key}]\n", id, id, id, id);
	note(m, "add its EDI addresses (identities): OpenAS2 knows none");
	int status = write_key(m, id, e->key);
	if (!status)
		status = write_certificate(m, id, e->certificate);
	if (!status)
		status = write_profile(m, "station", id, &t);
	van_buf_free(&t);
	return status;
}

/* --- partners ------------------------------------------------------------------------------------------------------------------------------ */

struct word {
	const char *theirs, *ours;
};

/* Without "-" and "_", in capitals. */
static const struct word digests[] = {{"SHA1", "sha1"}, {"SHA256", "sha256"}, {"SHA384", "sha384"}, {"SHA512", "sha512"}, {NULL, NULL}};
static const struct word ciphers[] = {
	{"3DES", "des-ede3-cbc"}, {"AES128", "aes128-cbc"}, {"AES192", "aes192-cbc"}, {"AES256", "aes256-cbc"}, {"AES128CBC", "aes128-cbc"},
	{"AES192CBC", "aes192-cbc"}, {"AES256CBC", "aes256-cbc"}, {"AES128GCM", "aes128-gcm"}, {"AES192GCM", "aes192-gcm"}, {"AES256GCM", "aes256-gcm"},
	{NULL, NULL},
};

static const char *our_word(struct import *m, const struct word *words, struct slice theirs, const char *what, const char *otherwise)
{
	char plain[32];
	size_t n = 0;
	for (size_t i = 0; i < theirs.n && n + 1 < sizeof plain; i++)
		if (theirs.p[i] != '-' && theirs.p[i] != '_')
			plain[n++] = (char)toupper((unsigned char)theirs.p[i]);
	plain[n] = 0;
	if (!n || !strcmp(plain, "NONE"))
		return "none";
	for (; words->theirs; words++)
		if (!strcmp(words->theirs, plain))
			return words->ours;
	note(m, "%s %.*s is not known here: it is %s now; ask the partner", what, SLICE_ARG(theirs), otherwise);
	return otherwise;
}

static void put_mdn(struct import *m, const struct openas2_partnership *p, struct van_buf *to)
{
	struct slice wanted = openas2_attribute(p, "as2_mdn_to"), options = openas2_attribute(p, "as2_mdn_options");
	struct slice url = openas2_attribute(p, "as2_receipt_option");
	bool is_signed = options.n && !slice_case_is(options, "none") && memmem(options.p, options.n, "signed-receipt", 14);
	van_buf_printf(to, "      mdn: {mode: %s, signed: %s}\n", !wanted.n ? "none" : url.n ? "async" : "sync", is_signed ? "true" : "false");
	if (wanted.n && url.n)
		note(m, "asynchronous MDNs come to our own address now, not to %.*s: see mdn.url", SLICE_ARG(url));
	if (!wanted.n)
		note(m, "it asks for no MDN, so nothing proves that a message arrived");
}

/* So many further tries; what lies between them is not in this file. */
static void put_retries(const struct openas2_partnership *p, struct van_buf *to)
{
	static const char *const waits[] = {"5m", "10m", "20m", "40m"};
	unsigned long long n;
	struct slice text = openas2_attribute(p, "resend_max_retries");
	if (!text.n || !slice_u64(text, &n) || n > 100)
		return;
	van_buf_append_str(to, "      retry: [");
	for (unsigned long long i = 0; i < n; i++)
		van_buf_printf(to, "%s%s", i ? ", " : "", waits[i < 4 ? i : 3]);
	van_buf_append_str(to, "]\n");
}

static void put_send(struct import *m, const struct openas2_partnership *p, struct van_buf *to)
{
	struct slice url = openas2_attribute(p, "as2_url"), subject = openas2_attribute(p, "subject");
	struct slice compression = openas2_attribute(p, "compression_type"), when = openas2_attribute(p, "compression_mode");
	if (!url.n || memchr(url.p, '$', url.n)) {
		note(m, url.n ? "its address %.*s is made of properties: write send with the url yourself" : "partnership %.*s has no as2_url: nothing can be sent over it",
		     SLICE_ARG(url.n ? url : p->name));
		return;
	}
	put(to, "    send:\n      url: ", url, "\n");
	van_buf_printf(to, "      sign: %s\n", our_word(m, digests, openas2_attribute(p, "sign"), "the digest", "sha256"));
	van_buf_printf(to, "      encrypt: %s\n", our_word(m, ciphers, openas2_attribute(p, "encrypt"), "the cipher", "aes256-cbc"));
	if (compression.n && !slice_case_is(compression, "none"))
		van_buf_printf(to, "      compress: %s\n", when.n && memmem(when.p, when.n, "after", 5) ? "after-signing" : "before-signing");
	put_mdn(m, p, to);
	put_retries(p, to);
	if (subject.n && memchr(subject.p, '$', subject.n))
		note(m, "its subject is made of properties, and was left out: %.*s", SLICE_ARG(subject));
	else if (subject.n)
		put(to, "      subject: ", subject, "\n");
	if (openas2_attribute(p, "http_user").n)
		note(m, "it logs in to HTTP as %.*s: write send.auth with a password_file", SLICE_ARG(openas2_attribute(p, "http_user")));
	if (openas2_attribute(p, "https_client_keystore").n)
		note(m, "it shows a TLS client certificate of %.*s: write send.tls.client", SLICE_ARG(openas2_attribute(p, "https_client_keystore")));
}

static const struct openas2_partnership *between(const struct import *m, const struct openas2_party *sender, const struct openas2_party *receiver)
{
	for (size_t i = 0; i < m->from.npartnerships; i++) {
		const struct openas2_partnership *p = &m->from.partnerships[i];
		if (slice_eq(p->sender, sender->name) && slice_eq(p->receiver, receiver->name))
			return p;
	}
	return NULL;
}

static void put_connection(struct import *m, const struct openas2_party *p, const struct openas2_party *station, bool known, struct van_buf *to)
{
	const struct openas2_partnership *in = between(m, p, station), *out = between(m, station, p);
	struct slice refuses = in ? openas2_attribute(in, "reject_unsigned_messages") : SLICE_NONE;
	van_buf_printf(to, "  - id: %s-%s\n    protocol: as2\n    station: %s\n", id_of(m, p), id_of(m, station), id_of(m, station));
	put(to, "    as2_id: ", p->as2_id, "\n");
	van_buf_append_str(to, "    receive:\n");
	if (known)
		van_buf_printf(to, "      certificates: [../certs/%s.pem]\n", id_of(m, p));
	van_buf_printf(to, "      require: %s\n      digests: [sha256, sha384, sha512, sha224, sha1]\n"
			   "      ciphers: [aes128-cbc, aes192-cbc, aes256-cbc, aes128-gcm, aes192-gcm, aes256-gcm, des-ede3-cbc]\n",
		       slice_case_is(refuses, "true") ? "[signed]" : "[]");
	if (out)
		put_send(m, out, to);
}

static int make_partner(struct import *m, const struct openas2_party *p)
{
	const char *id = id_of(m, p);
	const struct keystore_entry *e = keystore_find(&m->keys, p->alias);
	struct van_buf t = VAN_BUF_INIT(FILE_MAX_);
	int status = CTL_DONE;
	size_t n = 0;
	van_buf_printf(&t, "# Of OpenAS2.\nkind: partner\nid: %s\n", id);
	put(&t, "name: ", p->name, "\n");
	if (p->email.n)
		put(&t, "contacts: [{email: ", p->email, "}]\n");
	note(m, "add its EDI addresses (identities): OpenAS2 knows none");
	if (!e)
		note(m, "the key store has no certificate under its alias \"%.*s\": vanctl cert import after it is applied", SLICE_ARG(p->alias));
	for (size_t i = 0; i < m->from.nparties; i++) {
		const struct openas2_party *station = &m->from.parties[i];
		if (!is_ours(m, station) || (!between(m, p, station) && !between(m, station, p)))
			continue;
		if (n++ == 0)
			van_buf_append_str(&t, "connections:\n");
		put_connection(m, p, station, e != NULL, &t);
	}
	if (n)
		note(m, "it may send what OpenAS2 took: require, digests and ciphers can be tightened when you have seen what comes");
	else
		note(m, "no partnership joins it to a party with a key of ours, so it has no connection");
	if (e)
		status = write_certificate(m, id, e->certificate);
	if (!status)
		status = write_profile(m, "partner", id, &t);
	van_buf_free(&t);
	return status;
}

/* --- the whole -------------------------------------------------------------------------------------------------------------------------------- */

/* A file of DIR, or of its folder config. */
static const char *find_file(const struct ctl *c, const char *name, char to[4200])
{
	static const char *const folders[] = {"", "config/"};
	struct stat st;
	for (size_t i = 0; i < 2; i++) {
		snprintf(to, 4200, "%.3900s/%s%s", c->args[0], folders[i], name);
		if (stat(to, &st) == 0)
			break;
	}
	return to;
}

static int read_partnerships(struct import *m)
{
	char path[4200];
	struct van_error e = {0};
	struct van_buf xml = VAN_BUF_INIT(OPENAS2_BYTES_MAX);
	int rc = file_read(find_file(m->c, "partnerships.xml", path), &xml);
	int status = rc < 0 ? ctl_fail(CTL_USAGE, "%s: %s; name the folder with OpenAS2's configuration", path, van_err_name(rc)) : CTL_DONE;
	if (!status && (rc = openas2_parse(van_buf_slice(&xml), m->arena, &m->from, &e)) < 0)
		status = ctl_fail(CTL_NO, "%s: %s", path, e.text[0] ? e.text : van_err_name(rc));
	van_buf_free(&xml);
	return status;
}

static int read_keystore(struct import *m)
{
	char path[4200], password[1024];
	struct van_error e = {0};
	struct van_buf bytes = VAN_BUF_INIT(FILE_MAX_);
	const char *named = ctl_text(m->c, "keystore");
	int status = certificate_password(m->c, password);
	int rc = status ? 0 : file_read(named ? named : find_file(m->c, "as2_certs.p12", path), &bytes);
	if (rc < 0)
		status = ctl_fail(CTL_USAGE, "%s: %s; --keystore names the file with keys and certificates", named ? named : path, van_err_name(rc));
	if (!status && keystore_open(van_buf_slice(&bytes), password, &m->keys, &e) < 0)
		status = ctl_fail(CTL_NO, "%s: %s", named ? named : path, e.text);
	OPENSSL_cleanse(password, sizeof password);
	van_buf_free(&bytes);
	return status;
}

static int make_all(struct import *m)
{
	int status = know_ours(m);
	make_ids(m);
	if (!status)
		status = nothing_is_there(m);
	for (size_t i = 0; i < m->from.nparties && !status; i++)
		if (is_ours(m, &m->from.parties[i]))
			status = make_station(m, &m->from.parties[i]);
	for (size_t i = 0; i < m->from.nparties && !status; i++)
		if (!is_ours(m, &m->from.parties[i]))
			status = make_partner(m, &m->from.parties[i]);
	return status;
}

static void tell(const struct import *m)
{
	static const struct print_column columns[] = {{"KIND", "kind"}, {"ID", "id"}, {"FILE", "file"}, {NULL, NULL}};
	size_t i, k;
	json_t *row, *one;
	if (m->c->json) {
		print_json(m->rows);
		return;
	}
	print_table(m->rows, columns);
	json_array_foreach(m->rows, i, row) {
		printf("\n%s\n", json_string_value(json_object_get(row, "id")));
		json_array_foreach(json_object_get(row, "notes"), k, one) {
			char text[1200];
			printf("  - %s\n", print_value(one, text, sizeof text));
		}
	}
	puts("\nNothing is applied yet. Look at the files, then: vanctl partner apply FILE…");
}

int import_openas2(struct ctl *c)
{
	struct import m = {.c = c, .arena = van_arena_new((size_t)256 << 20), .rows = json_array(), .notes = json_array(), .at = {.folder = -1}};
	int status = m.arena ? read_partnerships(&m) : ctl_fail(CTL_USAGE, "out of memory");
	if (!status)
		status = read_keystore(&m);
	if (!status)
		status = certificate_place_open(c, "openas2", &m.at);
	m.ids = calloc(m.from.nparties + 1, sizeof *m.ids);
	if (!status)
		status = m.ids ? make_all(&m) : ctl_fail(CTL_USAGE, "out of memory");
	if (!status)
		tell(&m);
	free(m.ids);
	certificate_place_close(&m.at);
	keystore_free(&m.keys);
	json_decref(m.rows);
	json_decref(m.notes);
	van_arena_free(m.arena);
	return status;
}
