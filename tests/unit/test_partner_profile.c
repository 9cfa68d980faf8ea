/* Profiles: every key there and back, messages with lines and suggestions, hostile YAML. */
#include "partner_fixture.h"

#include "base/error.h"
#include "base/fdio.h"
#include "partner/directory.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void every_key_round_trips(void **state)
{
	(void)state;
	struct profile_set *a = fixture_load(fixture_profiles), *b = NULL;
	struct profile_errors e = {0};
	struct van_buf one = VAN_BUF_INIT(0), two = VAN_BUF_INIT(0);
	assert_int_equal(a->n, 4);
	assert_int_equal(profile_set_to_json(a, &one), 0);
	assert_int_equal(profile_set_from_json(van_buf_slice(&one), &b, &e), 0);
	assert_int_equal(e.errors + e.warnings, 0);
	assert_int_equal(b->n, 4);
	assert_int_equal(profile_set_to_json(b, &two), 0);
	assert_true(slice_eq(van_buf_slice(&one), van_buf_slice(&two)));
	/* As people write it, and back: the file is not needed, the certificate is in it. */
	for (size_t i = 0; i < a->n; i++) {
		struct profile_set *c;
		struct van_buf yaml = VAN_BUF_INIT(0), again = VAN_BUF_INIT(0), was = VAN_BUF_INIT(0);
		assert_int_equal(profile_to_yaml(a->v[i], &yaml), 0);
		van_buf_append_char(&yaml, 0);
		c = fixture_load(yaml.p);
		profile_to_json(a->v[i], &was);
		profile_to_json(c->v[0], &again);
		assert_true(slice_eq(van_buf_slice(&was), van_buf_slice(&again)));
		profile_set_free(c);
		van_buf_free(&yaml);
		van_buf_free(&again);
		van_buf_free(&was);
	}
	profile_set_free(a);
	profile_set_free(b);
	profile_errors_free(&e);
	van_buf_free(&one);
	van_buf_free(&two);
}

/* The fast way for what is stored gives the same; what comes in a request is not believed. */
static void derived_fields_are_made_anew(void **state)
{
	(void)state;
	struct profile_set *s = fixture_load(fixture_profiles);
	struct van_buf json = VAN_BUF_INIT(0), again = VAN_BUF_INIT(0);
	struct profile *stored, *sent;
	profile_to_json(s->v[0], &json);
	assert_int_equal(profile_from_stored(van_buf_slice(&json), &stored, NULL), 0);
	profile_to_json(stored, &again);
	assert_true(slice_eq(van_buf_slice(&json), van_buf_slice(&again)));
	const struct profile_key_pair *a = RECORD_AT(s->v[0]->station->as2->sign, struct profile_key_pair, 0);
	const struct profile_key_pair *b = RECORD_AT(stored->station->as2->sign, struct profile_key_pair, 0);
	assert_true(slice_eq(a->certificate->der, b->certificate->der) && slice_eq(a->key_id, b->key_id));
	char *id = memmem(json.p, json.n, a->key_id.p, 64);
	assert_non_null(id);
	memset(id, '0', 64);
	assert_int_equal(profile_from_json(van_buf_slice(&json), &sent, NULL), 0);
	b = RECORD_AT(sent->station->as2->sign, struct profile_key_pair, 0);
	assert_true(slice_eq(a->key_id, b->key_id) && slice_eq(a->key_id, b->certificate->key_id));
	profile_free(stored);
	profile_free(sent);
	profile_set_free(s);
	van_buf_free(&json);
	van_buf_free(&again);
}

static void values_arrive(void **state)
{
	(void)state;
	struct profile_set *s = fixture_load(fixture_profiles);
	const struct profile_station *hub = s->v[0]->station;
	assert_string_equal(hub->id.p, "hub");
	assert_int_equal(hub->identities.n, 2);
	assert_string_equal(RECORD_AT(hub->identities, struct profile_identity, 1)->name.p, "edifact 14:4399901000009:SUB");
	const struct profile_key_pair *k = RECORD_AT(hub->as2->sign, struct profile_key_pair, 0);
	char path[200];
	snprintf(path, sizeof path, "%s/keys/hub-sign.key", fixture_folder());
	assert_string_equal(k->key.p, path);
	assert_int_equal(k->key_id.n, 64);
	assert_true(slice_starts(k->certificate->pem, "-----BEGIN CERTIFICATE-----\n"));
	assert_string_equal(k->certificate->subject.p, "CN=hub-sign");
	assert_true(k->certificate->not_after > k->certificate->not_before);

	const struct profile_connection *as2 = RECORD_AT(s->v[1]->partner->connections, struct profile_connection, 0);
	assert_int_equal(as2->protocol, PROFILE_AS2);
	assert_int_equal(as2->receive->require, PROFILE_REQUIRE_SIGNED | PROFILE_REQUIRE_ENCRYPTED);
	assert_int_equal(as2->max_message, 100 << 20);
	assert_int_equal(as2->send->retry.n, 3);
	assert_int_equal(as2->send->retry.v[2], 5400 * VAN_SECOND);
	assert_string_equal(profile_sign_names[as2->send->sign], "sha384");
	assert_string_equal(profile_encrypt_names[as2->send->encrypt], "aes128-gcm");
	assert_int_equal(as2->send->mdn.mode, PROFILE_MDN_ASYNC);
	assert_false(as2->send->mdn.signed_);

	const struct profile_connection *sftp = RECORD_AT(s->v[2]->partner->connections, struct profile_connection, 0);
	assert_true(slice_is(sftp->folders.out, "/fromyou"));
	assert_int_equal(sftp->taken, PROFILE_TAKEN_DOWNLOAD);
	assert_int_equal(sftp->keys.n, 1);

	const struct profile_agreement *g = s->v[3]->agreement;
	assert_string_equal(g->version.p, "004010");
	assert_int_equal(g->environment, PROFILE_TEST);
	assert_int_equal(g->acknowledgement->within, 12 * 3600 * VAN_SECOND);
	assert_string_equal(g->acknowledgement->kind.p, "997");
	assert_int_equal(g->duplicates.control_number, PROFILE_DUPLICATE_REJECT);
	assert_int_equal(profile_line(s->v[3], "output.map"), 68);
	profile_set_free(s);
}

static void defaults_are_those_of_the_reference(void **state)
{
	(void)state;
	struct profile_set *s = fixture_load("kind: agreement\nid: default\nfrom: \"*\"\nto: \"*\"\n---\n"
					     "kind: partner\nid: p\nconnections:\n"
					     "- {id: c, protocol: sftp-mailbox, user: u}\n"
					     "- {id: d, protocol: as2, station: s, as2_id: D, receive: {require: []}}\n");
	const struct profile_agreement *a = s->v[0]->agreement;
	assert_int_equal(a->environment, PROFILE_PRODUCTION);
	assert_int_equal(a->mode, PROFILE_PASS_THROUGH);
	assert_int_equal(a->acknowledged_by, PROFILE_ACK_RECEIVER);
	assert_true(a->enabled);
	assert_null(a->acknowledgement);
	assert_int_equal(a->duplicates.window, 30 * 86400 * VAN_SECOND);
	const struct profile_connection *c = RECORD_AT(s->v[1]->partner->connections, struct profile_connection, 0);
	assert_string_equal(c->folders.in.p, "/in");
	assert_string_equal(c->file_name.p, "{type}_{sender}_{control}_{id}.{ext}");
	assert_int_equal(c->max_message, UINT64_MAX);
	c = RECORD_AT(s->v[1]->partner->connections, struct profile_connection, 1);
	assert_non_null(c->receive);
	assert_int_equal(c->receive->require, 0);
	assert_int_equal(c->receive->digests, 7);
	assert_null(c->send);
	/* An explicit empty list stays one. */
	struct van_buf json = VAN_BUF_INIT(0);
	profile_to_json(s->v[1], &json);
	van_buf_append_char(&json, 0);
	assert_holds(json.p, "\"require\":[]");
	van_buf_free(&json);
	profile_set_free(s);
}

static void messages_say_where_and_what_to_do(void **state)
{
	(void)state;
	static const struct {
		const char *yaml, *message;
	} cases[] = {
		{"kind: agreement\nid: a\nfrm: \"*\"\nto: \"*\"\n", "test.yaml:3: unknown key \"frm\": did you mean \"from\"?"},
		{"kind: agreement\nid: a\nfrm: \"*\"\nto: \"*\"\n", "test.yaml:1: from: missing"},
		{"kind: agreement\nid: a\nfrom: \"*\"\nto: \"*\"\nmode: pass-trough\n", "test.yaml:5: mode: \"pass-trough\" is unknown: did you mean \"pass-through\"?"},
		{"kind: agreement\nid: a\nfrom: \"*\"\nto: \"*\"\nmode: zzz\n", "write one of pass-through, translate"},
		{"kind: agreement\nid: a\nfrom: \"x12 ACME\"\nto: \"*\"\n", "test.yaml:3: from: \"x12 ACME\": an identity is QUALIFIER:ID"},
		{"kind: agreement\nid: a\nfrom: \"*\"\nto: \"*\"\nmode: translate\n", "needs \"output\""},
		{"kind: agreement\nid: a\nfrom: \"*\"\nto: \"*\"\nacknowledgement: {within: soon}\n", "test.yaml:5: acknowledgement.within: \"soon\" is not a duration"},
		{"kind: agreement\nid: a\nfrom: \"*\"\nto: \"*\"\nid: b\n", "test.yaml:5: id: stands twice (first on line 2)"},
		{"kind: agreement\nid: a/b\nfrom: \"*\"\nto: \"*\"\n", "test.yaml:2: id: \"a/b\": must be 1 to 64"},
		{"kind: agreement\nid: a\nfrom: [x]\nto: \"*\"\n", "test.yaml:3: from: must be one value, not a list"},
		{"kind: agrement\nid: a\n", "test.yaml:1: kind: \"agrement\" is unknown: did you mean \"agreement\"?"},
		{"id: a\n", "kind: missing"},
		{"- 1\n", "a profile is a map"},
		{"kind: partner\nid: p\nconnections:\n- id: c\n  protocol: as2\n  user: u\n", "test.yaml:6: connections[0].user: belongs to protocol sftp-mailbox, and this is as2"},
		{"kind: partner\nid: p\nconnections:\n- id: c\n  protocol: sftp\n  server: {host: h, user: u, key: k, host_keys: []}\n  poll: {settle: 1h}\n",
		 "test.yaml:7: connections[0].poll.settle: \"1h\" is out of range: from 0s to 10m"},
		{"kind: partner\nid: p\nconnections:\n- id: c\n  protocol: ftp\n", "test.yaml:5: connections[0].protocol: \"ftp\" is unknown"},
		{"kind: partner\nid: p\nconnections:\n- id: c\n  protocol: sftp-mailbox\n  user: u\n  password: secret\n", "test.yaml:7: connections[0].password: must be a yescrypt"},
		{"kind: partner\nid: p\nconnections:\n- id: c\n  protocol: sftp-mailbox\n  user: u\n  folders: {in: /a, out: /a/b}\n", "two folders"},
		{"kind: partner\nid: p\nconnections:\n- id: c\n  protocol: sftp-mailbox\n  user: u\n  file_name: \"{typ}_{id}\"\n", "holds an unknown part"},
		{"kind: partner\nid: p\nconnections:\n- id: c\n  protocol: as2\n  station: s\n  as2_id: A\n  receive: {certificates: [certs/none.pem]}\n", "test.yaml:8: connections[0].receive.certificates[0]: can't read "},
		{"kind: partner\nid: p\nconnections:\n- id: c\n  protocol: as2\n  station: s\n  as2_id: A\n  receive: {certificates: [keys/acme.key]}\n", "holds no PEM certificate"},
		{"kind: partner\nid: p\nconnections:\n- id: c\n  protocol: as2\n  station: s\n  as2_id: A\n  receive: {certificates: [a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a]}\n", "has 17 entries, and may have 16: leave out"},
		{"kind: partner\nid: p\nconnections:\n- id: c\n  protocol: as2\n  station: s\n  as2_id: A\n  certificates: [x]\n", "unknown key \"certificates\": it belongs under"},
		{"kind: partner\nid: p\nconnections:\n- {id: c, protocol: as2, station: s, as2_id: A}\n", "signed messages are required, but there is no certificate"},
		{"kind: partner\nid: p\nidentities: [{standard: x12, id: \"ZZ:A\"}, {standard: x12, id: \"ZZ:A  \"}]\n", "stands twice in this profile"},
		{"kind: partner\nid: p\nidentities: [{standard: x12, id: \"A:B\"}]\n", "test.yaml:3: identities[0].id: \"A:B\": an X12 qualifier has two characters"},
		{"kind: partner\nid: p\nidentities: {standard: x12}\n", "test.yaml:3: identities: must be a list"},
		{"kind: agreement\nid: a\nfrom: \"*\"\nto: \"*\"\n---\nkind: agreement\nid: a\nfrom: \"*\"\nto: \"*\"\n", "test.yaml:7: id: agreement \"a\" stands twice, first in test.yaml line 2"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char *text = fixture_problems(cases[i].yaml);
		assert_holds(text, cases[i].message);
		assert_null(strstr(text, "secret")); /* what should be a hash is never repeated */
		test_free(text);
	}
}

static void run(const char *command)
{
	if (system(command) != 0)
		fail_msg("%s", command);
}

/* A key that keyd would refuse is an error where the profile is applied, with the line of its `key`. */
static void keys_that_do_not_fit_are_errors(void **state)
{
	(void)state;
	static const struct {
		const char *certificate, *key, *want;
	} cases[] = {
		{"certs/hub-sign.pem", "keys/hub-crypt.key", "hub-crypt.key is not the private key of the certificate beside it"},
		{"certs/hub-sign.pem", "certs/hub-sign.pem", "holds no PEM private key"},
		{"certs/hub-sign.pem", "keys/none.key", "there is no file "},
		{"certs/hub-sign.pem", "keys", "is not a regular file"},
		{"certs/hub-sign.pem", "keys/locked.key", "is locked with a passphrase"},
		{"certs/ed.pem", "keys/ed.key", "is a key of type ED25519, which can't sign AS2 messages"},
	};
	run("openssl pkey -in keys/hub-sign.key -aes256 -passout pass:x -out keys/locked.key && "
	    "openssl req -x509 -newkey ed25519 -nodes -keyout keys/ed.key -out certs/ed.pem -subj /CN=ed -days 9 2>/dev/null");
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char text[600];
		snprintf(text, sizeof text, "kind: station\nid: h\nas2:\n  id: H\n  decrypt: [{certificate: certs/hub-crypt.pem, key: keys/hub-crypt.key}]\n"
			 "  sign:\n    - certificate: %s\n      key: %s\n", cases[i].certificate, cases[i].key);
		char *problems = fixture_problems(text);
		assert_holds(problems, "test.yaml:8: as2.sign[0].key: ");
		assert_holds(problems, cases[i].want);
		test_free(problems);
	}
	/* where no document is signed any kind of key will do */
	struct profile_set *s = fixture_load("kind: partner\nid: p\nconnections:\n- id: c\n  protocol: as2\n  station: s\n  as2_id: A\n"
					     "  receive: {certificates: [certs/acme.pem]}\n"
					     "  send: {url: \"https://x/\", tls: {client: [{certificate: certs/ed.pem, key: keys/ed.key}]}}\n");
	profile_set_free(s);
}

static void several_errors_come_at_once(void **state)
{
	(void)state;
	char *text = fixture_problems("kind: agreement\nid: a b\nfrom: x\nto: y\nmode: z\ncolour: red\n---\nkind: partner\nid: p\nnme: q\n");
	size_t lines = 0;
	for (const char *p = text; (p = strchr(p, '\n')); p++)
		lines++;
	assert_int_equal(lines, 6);
	assert_true(strstr(text, "test.yaml:2:") < strstr(text, "test.yaml:10:"));
	test_free(text);
}

static void placeholders_are_warnings(void **state)
{
	(void)state;
	struct profile_errors e = {0};
	struct profile_set *s = NULL;
	struct slice text = SLICE("kind: partner\nid: volt\nconnections:\n  - id: c\n    protocol: sftp-mailbox\n    user: volt\n"
				  "    keys: [{key: \"ssh-ed25519 AAAA…\", from: 2026-01-01, until: 2028-01-01}]\n"
				  "    password: \"$y$j9T$…\"\n");
	assert_int_equal(profile_text_load(text, "test.yaml", &s, &e), 0);
	assert_int_equal(e.errors, 0);
	assert_int_equal(e.warnings, 2);
	char *out = fixture_print(&e);
	assert_holds(out, "test.yaml:7: warning: connections[0].keys[0].key: this key can never log in");
	assert_holds(out, "test.yaml:8: warning: connections[0].password: this hash is incomplete");
	test_free(out);
	profile_set_free(s);
	profile_errors_free(&e);
}

static void expired_certificates_are_warnings(void **state)
{
	(void)state;
	struct profile_set *s = fixture_load(fixture_profiles);
	struct profile_errors e = {0};
	const struct profile_key_pair *k = RECORD_AT(s->v[0]->station->as2->sign, struct profile_key_pair, 0);
	van_time end = k->certificate->not_after, day = 86400 * VAN_SECOND;
	assert_int_equal(profile_set_check_dates(s, end - 40 * day, &e), 0);
	assert_int_equal(e.n, 0);
	assert_int_equal(profile_set_check_dates(s, end - day, &e), 0);
	assert_int_equal(e.errors, 0);
	assert_int_equal(e.warnings, 4); /* two of the station, one of the partner in two places */
	profile_errors_free(&e);
	assert_int_equal(profile_set_check_dates(s, end + 800 * day, &e), 0);
	char *text = fixture_print(&e);
	assert_holds(text, "test.yaml:11: warning: as2.sign[0].certificate: the certificate of \"CN=hub-sign\" expired on ");
	assert_holds(text, "connections[0].keys[0].until: this key has not been accepted since 2028-01-01");
	test_free(text);
	profile_errors_free(&e);
	profile_set_free(s);
}

static char *repeat(const char *part, size_t n, const char *end)
{
	size_t len = strlen(part);
	char *z = test_malloc(n * len + strlen(end) + 1);
	for (size_t i = 0; i < n; i++)
		memcpy(z + i * len, part, len);
	strcpy(z + n * len, end);
	return z;
}

static void hostile_yaml_is_refused(void **state)
{
	(void)state;
	char *deep = repeat("[", 100000, "");
	char *deep_map = repeat("{a: ", 30, "");
	char *keys = repeat("? a\n", 5000, "kind: x\n");
	static const char *const bad[] = {
		"a: &a [x,x,x]\nb: &b [*a,*a,*a]\nc: [*b,*b,*b]\n",
		"kind: !!binary aGk=\n",
		"kind: partner\n\tid: x\n",
		"kind: \"a\\0b\"\n",
		"kind: \"a\\x1bb\"\n",
		"kind: partner\nid: [\n",
		"kind: partner\nid: 'x\n",
		"[a]: b\n",
		"\xff\xfe\x00",
		"kind: \xc3(\n",
		"%YAML 9.9\n---\nkind: x\n",
		"a: b: c\n",
		"<<: {kind: partner}\nkind: partner\nid: x\n",
	};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		char *text = fixture_problems(bad[i]);
		assert_holds(text, "test.yaml");
		test_free(text);
	}
	const char *const made[] = {deep, deep_map, keys};
	for (size_t i = 0; i < sizeof made / sizeof *made; i++)
		test_free(fixture_problems(made[i]));
	test_free(deep);
	test_free(deep_map);
	test_free(keys);
}

/* Every prefix, and every byte changed: an answer, never a crash. */
static void damaged_yaml_gets_an_answer(void **state)
{
	(void)state;
	char text[] = "kind: agreement\nid: a\nfrom: \"x12 ZZ:A\"\nto: \"*\"\nacknowledgement: {kind: \"997\", within: 24h}\n"
		      "duplicates: {control_number: hold, window: 30d}\n";
	for (size_t n = 0; n < sizeof text; n++) {
		struct profile_errors e = {0};
		struct profile_set *s = NULL;
		if (profile_text_load(slice_make(text, n), "test.yaml", &s, &e) == 0)
			profile_set_free(s);
		profile_errors_free(&e);
	}
	static const char signs[] = "\0\t\n *&!{}[]:-\"'|>%\xff";
	for (size_t n = 0; n + 1 < sizeof text; n++)
		for (size_t k = 0; k < sizeof signs - 1; k++) {
			struct profile_errors e = {0};
			struct profile_set *s = NULL;
			char was = text[n];
			text[n] = signs[k];
			if (profile_text_load(slice_make(text, sizeof text - 1), "test.yaml", &s, &e) == 0)
				profile_set_free(s);
			else
				assert_true(e.errors > 0);
			text[n] = was;
			profile_errors_free(&e);
		}
}

static void json_is_checked_like_yaml(void **state)
{
	(void)state;
	static const struct {
		const char *json, *message;
	} cases[] = {
		{"{", "not JSON"},
		{"{\"kind\":\"agreement\",\"id\":\"a\",\"from\":\"*\",\"to\":\"*\",\"x\":1}", "unknown key \"x\""},
		{"{\"kind\":\"agreement\",\"id\":\"a\",\"from\":\"*\",\"to\":\"*\",\"hold\":3}", "hold: \"3\" is neither true nor false"},
		{"{\"kind\":\"station\",\"id\":\"a\",\"as2\":{\"id\":\"A\",\"sign\":[{\"certificate\":\"/x.pem\",\"key\":\"/k\"}],"
		 "\"decrypt\":[{\"certificate\":\"/x.pem\",\"key\":\"/k\"}]}}", "as2.sign[0].certificate: the certificate itself is missing here"},
		{"{\"kind\":\"station\",\"id\":\"a\\u0000b\"}", "not JSON"},
		{"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]", "nested too deeply"},
		{"[{\"kind\":\"agreement\",\"id\":\"a\",\"from\":\"*\",\"to\":\"*\"},{\"kind\":\"agreement\",\"id\":\"b\"}]", "[1].from: missing"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct profile_errors e = {0};
		struct profile_set *s = NULL;
		assert_int_equal(profile_set_from_json(slice_str(cases[i].json), &s, &e), VAN_EINVAL);
		char *text = fixture_print(&e);
		assert_holds(text, cases[i].message);
		test_free(text);
		profile_errors_free(&e);
	}
}

/* The promise itself, when it lies beside the source: its examples, as written. */
static void the_promised_examples_load(void **state)
{
	(void)state;
	char *yaml = fixture_promised("## Profiles");
	struct profile_set *s = fixture_load(yaml), *back;
	struct profile_errors e = {0};
	struct van_buf json = VAN_BUF_INIT(0);
	assert_int_equal(s->n, 5);
	assert_int_equal(directory_check(NULL, s, NULL, NULL, &e), 0);
	assert_int_equal(e.n, 0);
	/* As the store gets it, where the dots in its key and hash are no error either. */
	assert_int_equal(profile_set_to_json(s, &json), 0);
	assert_int_equal(profile_set_from_json(van_buf_slice(&json), &back, &e), 0);
	assert_int_equal(e.warnings, 2);
	profile_errors_free(&e);
	profile_set_free(back);
	profile_set_free(s);
	van_buf_free(&json);
	free(yaml);
}

static void the_reference_page_is_current(void **state)
{
	(void)state;
	const char *src = getenv("VAN_SRCDIR");
	char path[4200];
	struct van_buf now = VAN_BUF_INIT(0), file = VAN_BUF_INIT(0);
	assert_int_equal(profile_reference(&now), 0);
	snprintf(path, sizeof path, "%s/doc/profile-reference.md", src ? src : ".");
	if (getenv("VAN_UPDATE_REFERENCE")) {
		van_buf_append_char(&now, 0);
		fixture_write(path, now.p);
		now.n--;
	}
	assert_int_equal(file_read(path, &file), 0);
	/* When this fails: VAN_UPDATE_REFERENCE=1 VAN_SRCDIR=… tests/unit/test_partner_profile */
	assert_true(slice_eq(van_buf_slice(&now), van_buf_slice(&file)));
	van_buf_free(&now);
	van_buf_free(&file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_key_round_trips),
		cmocka_unit_test(values_arrive),
		cmocka_unit_test(derived_fields_are_made_anew),
		cmocka_unit_test(defaults_are_those_of_the_reference),
		cmocka_unit_test(messages_say_where_and_what_to_do),
		cmocka_unit_test(keys_that_do_not_fit_are_errors),
		cmocka_unit_test(several_errors_come_at_once),
		cmocka_unit_test(placeholders_are_warnings),
		cmocka_unit_test(expired_certificates_are_warnings),
		cmocka_unit_test(hostile_yaml_is_refused),
		cmocka_unit_test(damaged_yaml_gets_an_answer),
		cmocka_unit_test(json_is_checked_like_yaml),
		cmocka_unit_test(the_promised_examples_load),
		cmocka_unit_test(the_reference_page_is_current),
	};
	return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
