/* vand.yaml: every key there and back, the promised example, messages. */
#include "partner_fixture.h"

#include "base/error.h"
#include "base/fdio.h"
#include "base/log.h"
#include "partner/profile_private.h"
#include "partner/settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static const char everything[] =
	"network: {name: Demo Network, host: van.example}\n"
	"data: state\n"
	"time_zone: America/Chicago\n"
	"user: openvan\n"
	"key_user: openvan-key\n"
	"workers: 3\n"
	"listen:\n"
	"  as2:\n"
	"    - {address: 127.0.0.1, port: 4080}\n"
	"    - {address: \"::1\", port: 4443, tls: {certificate: certs/tls.pem, key: keys/tls.key, client: optional, client_ca: certs/client-ca.pem}}\n"
	"  sftp:\n"
	"    - {address: 127.0.0.1, port: 2222, host_keys: [keys/hub-sign.key, keys/hub-crypt.key]}\n"
	"  admin:\n"
	"    - {address: 127.0.0.1, port: 8080}\n"
	"limits: {message: 4GiB, in_flight: 1GiB, in_flight_messages: 100, disk_reserve: 500MB, connections: 1000,\n"
	"         connections_per_address: 10, sftp_sessions: 20, sftp_folder_entries: 5000, memory_worker: 512MiB}\n"
	"store: {backend: lmdb, map_size: 256MiB, gather: 1ms}\n"
	"receipts: {key: keys/receipts.key, checkpoint: 5s}\n"
	"log: {format: json, level: debug}\n"
	"as2: {path: /in/as2, receive_timeout: 2m, duplicate_window: 30d}\n"
	"http: {header_timeout: 5s, body_timeout: 30s, idle_timeout: 10s, header_size: 16KiB}\n"
	"sftp: {login_timeout: 10s, idle_timeout: 5m, login_tries: 3, handles: 32, channels: 3, passwords: false}\n"
	"dictionaries: [dict]\n"
	"maps: [maps, /opt/maps]\n"
	"templates: [templates]\n";

static struct van_config *load(const char *text)
{
	struct profile_errors e = {0};
	struct van_config *c = NULL;
	fixture_write("vand.yaml", text);
	int rc = van_config_load("vand.yaml", &c, &e);
	char *out = fixture_print(&e);
	if (rc < 0)
		print_error("%s", out);
	assert_int_equal(rc, 0);
	test_free(out);
	profile_errors_free(&e);
	return c;
}

static char *problems(const char *text)
{
	struct profile_errors e = {0};
	struct van_config *c = NULL;
	fixture_write("vand.yaml", text);
	assert_int_equal(van_config_load("vand.yaml", &c, &e), VAN_EINVAL);
	char *out = fixture_print(&e);
	profile_errors_free(&e);
	return out;
}

static void every_key_round_trips(void **state)
{
	(void)state;
	struct van_config *a = load(everything), *b = NULL;
	struct van_buf one = VAN_BUF_INIT(0), two = VAN_BUF_INIT(0);
	char path[200];
	snprintf(path, sizeof path, "%s/state", fixture_folder());
	assert_string_equal(a->data.p, path);
	assert_string_equal(a->network.host.p, "van.example");
	assert_int_equal(a->workers, 3);
	assert_int_equal(a->listen.as2.n, 2);
	assert_int_equal(RECORD_AT(a->listen.as2, struct van_config_listener, 1)->tls->client, VAN_TLS_CLIENT_OPTIONAL);
	assert_int_equal(RECORD_AT(a->listen.sftp, struct van_config_listener, 0)->host_keys.n, 2);
	assert_int_equal(a->limits.message, UINT64_C(4) << 30);
	assert_int_equal(a->limits.disk_reserve, 500000000);
	assert_int_equal(a->store.gather, 1000);
	assert_int_equal(a->log.format, LOG_FORMAT_JSON);
	assert_int_equal(a->log.level, LOG_LEVEL_DEBUG);
	assert_false(a->sftp.passwords);
	assert_int_equal(a->sftp.handles, 32);
	assert_int_equal(a->sftp.channels, 3);
	assert_string_equal(a->maps.v[1].p, "/opt/maps");
	assert_int_equal(van_config_to_json(a, &one), 0);
	assert_int_equal(van_config_from_json(van_buf_slice(&one), &b, NULL), 0);
	assert_int_equal(van_config_to_json(b, &two), 0);
	assert_true(slice_eq(van_buf_slice(&one), van_buf_slice(&two)));
	assert_int_equal(van_config_check_files(a, NULL), 0);
	van_config_free(a);
	van_config_free(b);
	van_buf_free(&one);
	van_buf_free(&two);
}

static void the_promised_example_loads(void **state)
{
	(void)state;
	char *yaml = fixture_promised("## vand.yaml");
	struct van_config *c = load(yaml);
	assert_int_equal(c->limits.message, UINT64_MAX);
	assert_int_equal(c->limits.in_flight, UINT64_C(2) << 30);
	assert_int_equal(c->workers, 0);
	assert_string_equal(c->key_user.p, "openvan-key");
	van_config_free(c);
	free(yaml);
}

static void defaults_are_there(void **state)
{
	(void)state;
	struct van_config *c = load("network: {host: h}\n");
	char path[200];
	snprintf(path, sizeof path, "%s/data/receipts.key", fixture_folder());
	assert_string_equal(c->receipts.key.p, path);
	assert_string_equal(c->as2.path.p, "/as2");
	assert_int_equal(c->limits.in_flight_messages, 512);
	assert_int_equal(c->limits.disk_reserve, 1 << 30);
	assert_int_equal(c->http.header_timeout, 20 * VAN_SECOND);
	assert_int_equal(c->log.level, LOG_LEVEL_INFO);
	assert_true(c->sftp.passwords);
	assert_int_equal(c->sftp.handles, 64);
	assert_int_equal(c->sftp.channels, 10);
	assert_int_equal(c->limits.memory_sftp, 256 << 20);
	assert_int_equal(c->translation.remember, 512 << 10);
	assert_int_equal(c->translation.document_values, 1000000);
	assert_int_equal(c->translation.file, 64 << 20);
	assert_int_equal(c->listen.as2.n, 0);
	van_config_free(c);
}

static void json_is_accepted_being_yaml(void **state)
{
	(void)state;
	struct van_config *c = load("{\"network\": {\"host\": \"h\"}, \"listen\": {\"as2\": [{\"address\": \"0.0.0.0\", \"port\": 1}]}}\n");
	assert_int_equal(RECORD_AT(c->listen.as2, struct van_config_listener, 0)->port, 1);
	van_config_free(c);
}

static void messages_say_where_and_what_to_do(void **state)
{
	(void)state;
	static const struct {
		const char *yaml, *message;
	} cases[] = {
		{"data: d\n", "vand.yaml:1: network: missing"},
		{"network: {name: x}\n", "vand.yaml:1: network.host: missing"},
		{"network: {host: h}\nlimit: {}\n", "vand.yaml:2: unknown key \"limit\": did you mean \"limits\"?"},
		{"network: {host: h}\nlimits: {mesage: 1}\n", "vand.yaml:2: limits: unknown key \"mesage\": did you mean \"message\"?"},
		{"network: {host: h}\nlimits:\n  connections: many\n", "vand.yaml:3: limits.connections: \"many\" is not a whole number"},
		{"network: {host: h}\nlimits:\n  message: 3GIGS\n", "\"3GIGS\" is not a size"},
		{"network: {host: h}\nworkers: 0\n", "out of range: from 1 to 1024, or auto"},
		{"network: {host: h}\nlisten:\n  as2:\n  - {address: localhost, port: 1}\n", "vand.yaml:4: listen.as2[0].address: \"localhost\": must be a numeric address"},
		{"network: {host: h}\nlisten:\n  as2:\n  - {address: 127.0.0.1, port: 70000}\n", "from 0 to 65535"},
		{"network: {host: h}\nlisten:\n  sftp:\n  - {address: 127.0.0.1, port: 1}\n", "listen.sftp[0].host_keys: missing"},
		{"network: {host: h}\nlisten:\n  sftp:\n  - {address: 127.0.0.1, port: 1, host_keys: []}\n", "needs at least one entry"},
		{"network: {host: h}\nlisten:\n  as2: [{address: 127.0.0.1, port: 1}]\n  admin: [{address: 127.0.0.1, port: 1}]\n", "two listeners on 127.0.0.1 port 1"},
		{"network: {host: h}\nlisten:\n  as2:\n  - {address: 127.0.0.1, port: 1, tls: {certificate: a, key: b, client: required}}\n", "needs client_ca"},
		{"network: {host: h}\nstore: {backend: postgres}\n", "\"postgres\" is unknown"},
		{"network: {host: h}\nhttp: {header_timeout: 0}\n", "out of range: from 1s to 1d"},
		{"", "the file is empty"},
		{"network: {host: h}\n---\nnetwork: {host: h}\n", "must be one document"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char *text = problems(cases[i].yaml);
		assert_holds(text, cases[i].message);
		test_free(text);
	}
}

static void missing_files_are_named(void **state)
{
	(void)state;
	struct van_config *c = load("network: {host: h}\nlisten:\n  as2:\n"
				    "  - {address: 127.0.0.1, port: 1, tls: {certificate: keys/tls.key, key: keys/none.key}}\n"
				    "  sftp:\n  - address: 127.0.0.1\n    port: 2\n    host_keys: [keys/none]\n");
	struct profile_errors e = {0};
	assert_int_equal(van_config_check_files(c, &e), VAN_EINVAL);
	char *text = fixture_print(&e);
	assert_holds(text, "vand.yaml:4: listen.as2[0].tls.certificate: ");
	assert_holds(text, "vand.yaml:4: listen.as2[0].tls.key: there is no file ");
	assert_holds(text, "vand.yaml:8: listen.sftp[0].host_keys: there is no file ");
	test_free(text);
	profile_errors_free(&e);
	van_config_free(c);
	assert_int_equal(van_config_load("no-such.yaml", &c, &e), VAN_ENOTFOUND);
	assert_int_equal(e.errors, 1);
	profile_errors_free(&e);
	assert_int_equal(mkfifo("fifo.yaml", 0600), 0);
	assert_int_equal(van_config_load("fifo.yaml", &c, &e), VAN_EINVAL);
	profile_errors_free(&e);
}

/* "Cm key" in the page, alone or in a list as ".Cm in , out". */
static bool page_names(const char *page, const char *key)
{
	size_t n = strlen(key);
	for (const char *line = page; (line = strstr(line, "Cm ")); line++) {
		struct slice rest = slice_make(line + 3, strcspn(line + 3, "\n"));
		while (rest.p) {
			struct slice word = slice_cut(&rest, ' ');
			if (word.n == n && memcmp(word.p, key, n) == 0)
				return true;
		}
	}
	/* Sections are headings. */
	char heading[80];
	snprintf(heading, sizeof heading, ".Ss %s\n", key);
	return strstr(page, heading);
}

static void assert_documented(const char *page, const struct schema_table *t)
{
	for (const struct schema_field *f = t->fields; f->key; f++) {
		if (!page_names(page, f->key))
			fail_msg("vand.yaml(5) does not describe \"%s\" of %s", f->key, t->name);
		if (f->sub)
			assert_documented(page, f->sub);
	}
}

static void the_manual_has_every_key(void **state)
{
	(void)state;
	const char *src = getenv("VAN_SRCDIR");
	char path[4200];
	struct van_buf page = VAN_BUF_INIT(0);
	snprintf(path, sizeof path, "%s/doc/vand.yaml.5", src ? src : ".");
	assert_int_equal(file_read(path, &page), 0);
	van_buf_append_char(&page, 0);
	assert_documented(page.p, &settings_table);
	van_buf_free(&page);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_key_round_trips),
		cmocka_unit_test(the_promised_example_loads),
		cmocka_unit_test(defaults_are_there),
		cmocka_unit_test(json_is_accepted_being_yaml),
		cmocka_unit_test(messages_say_where_and_what_to_do),
		cmocka_unit_test(missing_files_are_named),
		cmocka_unit_test(the_manual_has_every_key),
	};
	return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
