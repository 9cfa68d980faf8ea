#include "partner_fixture.h"

#include "base/fdio.h"

#include <ftw.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[64];
static char came_from[4096];

const char fixture_profiles[] =
	"kind: station\n"
	"id: hub\n"
	"name: Hub\n"
	"description: notes\n"
	"enabled: true\n"
	"identities:\n"
	"  - {standard: x12, id: \"ZZ:HUBNET\", connection: volt-sftp, valid_from: 2026-01-01, valid_until: 2030-01-01T12:00:00Z}\n"
	"  - {standard: edifact, id: \"14:4399901000009:SUB\"}\n"
	"as2:\n"
	"  id: HUBNET\n"
	"  sign: [{certificate: certs/hub-sign.pem, key: keys/hub-sign.key}]\n"
	"  decrypt: [{certificate: {file: certs/hub-crypt.pem, from: 2026-01-01, until: 2040-01-01}, key: keys/hub-crypt.key}]\n"
	"contacts: [{name: N, role: R, email: e@example, phone: \"1\"}]\n"
	"---\n"
	"kind: partner\n"
	"id: acme\n"
	"name: ACME Stores\n"
	"identities: [{standard: x12, id: \"01:123456789\", connection: acme-as2}]\n"
	"connections:\n"
	"  - id: acme-as2\n"
	"    protocol: as2\n"
	"    enabled: yes\n"
	"    station: hub\n"
	"    as2_id: \"ACME AS2\"\n"
	"    presents: [\"x12 01:123456789\"]\n"
	"    collects: [\"x12 01:123456789\"]\n"
	"    max_message: 100MiB\n"
	"    mdn_host: as2.acme.example\n"
	"    receive:\n"
	"      certificates: [certs/acme.pem]\n"
	"      require: [signed, encrypted]\n"
	"      digests: [sha256, sha384, sha512]\n"
	"      ciphers: [aes128-cbc, aes192-cbc, aes256-cbc, aes128-gcm, aes256-gcm]\n"
	"      check_expiry: true\n"
	"    send:\n"
	"      url: \"https://as2.acme.example:4443/as2\"\n"
	"      certificates: [certs/acme.pem]\n"
	"      sign: sha384\n"
	"      encrypt: aes128-gcm\n"
	"      compress: before-signing\n"
	"      mdn: {mode: async, signed: false, timeout: 45m, url: \"http://van.example/as2/mdn\"}\n"
	"      retry: [5m, 10m, 1h30m]\n"
	"      subject: Orders\n"
	"      content_type: application/edi-x12\n"
	"---\n"
	"kind: partner\n"
	"id: volt\n"
	"identities: [{standard: x12, id: \"ZZ:VOLT\", connection: volt-sftp}]\n"
	"connections:\n"
	"  - id: volt-sftp\n"
	"    protocol: sftp-mailbox\n"
	"    user: volt\n"
	"    keys:\n"
	"      - {key: \"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f volt\", from: 2026-01-01, until: 2028-01-01}\n"
	"    password: \"$y$j9T$F5Jx5fExrKuPp53xLKQ..1$X3DX6M94c7o.9agCG9G317fhZg9SqC.5i5rd.RhAtQ7\"\n"
	"    folders: {in: /toyou, out: /fromyou/}\n"
	"    taken: download\n"
	"    file_name: \"{type}_{sender}_{control}_{id}.{ext}\"\n"
	"---\n"
	"kind: agreement\n"
	"id: acme-volt-orders\n"
	"from: \"x12 01:123456789\"\n"
	"to: \"x12 ZZ:VOLT\"\n"
	"type: \"850\"\n"
	"version: 004010\n"
	"environment: test\n"
	"mode: translate\n"
	"output: {format: canonical-json, map: x12-004010-850-to-order, version: \"1\"}\n"
	"acknowledged_by: network\n"
	"acknowledgement: {kind: 997, within: 12h}\n"
	"duplicates: {control_number: reject, window: 60d}\n"
	"time_zone: America/Chicago\n"
	"connection: volt-sftp\n"
	"hold: true\n"
	"valid_from: 2026-01-01\n"
	"valid_until: 2031-01-01\n";

static void make_certificate(const char *name)
{
	char path[200];
	EVP_PKEY *key = EVP_RSA_gen(2048);
	X509 *x = X509_new();
	assert_non_null(key);
	X509_set_version(x, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
	X509_gmtime_adj(X509_getm_notBefore(x), -3600);
	X509_gmtime_adj(X509_getm_notAfter(x), 86400 * 365);
	X509_set_pubkey(x, key);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_UTF8, (const unsigned char *)name, -1, -1, 0);
	X509_set_issuer_name(x, X509_get_subject_name(x));
	assert_true(X509_sign(x, key, EVP_sha256()) > 0);
	snprintf(path, sizeof path, "certs/%s.pem", name);
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	PEM_write_X509(f, x);
	fclose(f);
	snprintf(path, sizeof path, "keys/%s.key", name);
	f = fopen(path, "w");
	assert_non_null(f);
	PEM_write_PKCS8PrivateKey(f, key, NULL, NULL, 0, NULL, NULL);
	fclose(f);
	X509_free(x);
	EVP_PKEY_free(key);
}

int fixture_setup(void **state)
{
	static const char *const names[] = {"hub-sign", "hub-crypt", "acme", "tls", "client-ca", NULL};
	(void)state;
	strcpy(folder, "/tmp/openvan-partner-XXXXXX");
	if (!getcwd(came_from, sizeof came_from) || !mkdtemp(folder) || chdir(folder) < 0 || mkdir("certs", 0700) < 0 ||
	    mkdir("keys", 0700) < 0)
		return -1;
	for (size_t i = 0; names[i]; i++)
		make_certificate(names[i]);
	return 0;
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

int fixture_teardown(void **state)
{
	(void)state;
	return chdir(came_from) < 0 ? -1 : nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

const char *fixture_folder(void)
{
	return folder;
}

void fixture_write(const char *name, const char *text)
{
	FILE *f = fopen(name, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

char *fixture_print(struct profile_errors *e)
{
	struct van_buf b = VAN_BUF_INIT(0);
	profile_errors_print(e, &b);
	char *z = test_malloc(b.n + 1);
	memcpy(z, van_buf_slice(&b).p, b.n);
	z[b.n] = 0;
	van_buf_free(&b);
	return z;
}

struct profile_set *fixture_load(const char *yaml)
{
	struct profile_errors e = {0};
	struct profile_set *s = NULL;
	int rc = profile_text_load(slice_str(yaml), "test.yaml", &s, &e);
	if (rc < 0) {
		char *text = fixture_print(&e);
		print_error("%s", text);
		test_free(text);
	}
	profile_errors_free(&e);
	assert_int_equal(rc, 0);
	return s;
}

char *fixture_problems(const char *yaml)
{
	struct profile_errors e = {0};
	struct profile_set *s = NULL;
	assert_true(profile_text_load(slice_str(yaml), "test.yaml", &s, &e) < 0);
	char *text = fixture_print(&e);
	profile_errors_free(&e);
	return text;
}

void assert_holds(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("\"%s\" is not in:\n%s", part, text);
}

char *fixture_promised(const char *heading)
{
	const char *src = getenv("VAN_SRCDIR");
	char path[4200];
	struct van_buf page = VAN_BUF_INIT(0);
	snprintf(path, sizeof path, "%s/../shared/PROFILES.md", src ? src : ".");
	if (access(path, R_OK) < 0)
		skip();
	assert_int_equal(file_read(path, &page), 0);
	van_buf_append_char(&page, 0);
	const char *start = strstr(page.p, heading);
	start = start ? strstr(start, "```yaml\n") : NULL;
	const char *end = start ? strstr(start + 8, "```") : NULL;
	assert_non_null(end);
	char *yaml = strndup(start + 8, (size_t)(end - start - 8));
	assert_non_null(yaml);
	van_buf_free(&page);
	return yaml;
}
