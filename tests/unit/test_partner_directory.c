/* Agreements, authority, look-ups, and checks between profiles. */
#include "partner_fixture.h"

#include "base/error.h"
#include "partner/directory.h"

#include <stdio.h>

#define NOW (VAN_SECOND * 1790000000) /* in 2026 */

static struct directory *filled(const char *yaml)
{
	struct profile_set *s = fixture_load(yaml);
	struct directory *d = directory_new();
	for (size_t i = 0; i < s->n; i++) {
		assert_int_equal(directory_put(d, s->v[i]), 0);
		s->v[i] = NULL;
	}
	profile_set_free(s);
	return d;
}

/* Problems of a set against a directory, printed; "" for none. Free with test_free(). */
static char *checked(const struct directory *d, const char *yaml)
{
	struct profile_errors e = {0};
	struct profile_set *s = fixture_load(yaml);
	int rc = directory_check(d, s, NULL, NULL, &e);
	assert_true(rc == 0 || rc == VAN_EINVAL);
	assert_int_equal(rc == 0, e.errors == 0);
	char *text = fixture_print(&e);
	profile_errors_free(&e);
	profile_set_free(s);
	return text;
}

static void refuses(const struct directory *d, const char *yaml, const char *message)
{
	char *text = checked(d, yaml);
	assert_holds(text, message);
	test_free(text);
}

static void accepts(const struct directory *d, const char *yaml)
{
	char *text = checked(d, yaml);
	if (*text)
		fail_msg("%s", text);
	test_free(text);
}

/* --- agreements -------------------------------------------------------------------------------------------------------- */

static const char agreements[] =
	"kind: partner\nid: a\nidentities: [{standard: x12, id: \"ZZ:A\"}]\n"
	"---\nkind: partner\nid: b\nidentities: [{standard: x12, id: \"ZZ:B\", connection: b2}]\n"
	"connections: [{id: b1, protocol: sftp-mailbox, user: b1}, {id: b2, protocol: sftp-mailbox, user: b2}]\n"
	"---\nkind: partner\nid: c\nidentities: [{standard: x12, id: \"ZZ:C\"}]\n"
	"connections: [{id: c1, protocol: sftp-mailbox, user: c1, enabled: false}]\n"
	"---\n{kind: agreement, id: default, from: \"*\", to: \"*\"}\n"
	"---\n{kind: agreement, id: sender, from: \"x12 ZZ:A\", to: \"*\"}\n"
	"---\n{kind: agreement, id: receiver, from: \"*\", to: \"x12 ZZ:B\"}\n"
	"---\n{kind: agreement, id: receiver-type, from: \"*\", to: \"x12 ZZ:B\", type: \"810\"}\n"
	"---\n{kind: agreement, id: pair, from: \"x12 ZZ:A\", to: \"x12 ZZ:B\"}\n"
	"---\n{kind: agreement, id: pair-type, from: \"x12 ZZ:A\", to: \"x12 ZZ:B\", type: \"850\", acknowledgement: {kind: 997, within: 2h}}\n"
	"---\n{kind: agreement, id: pair-type-version, from: \"x12 ZZ:A\", to: \"x12 ZZ:B\", type: \"850\", version: \"004010\", mode: translate, output: {format: json}}\n"
	"---\n{kind: agreement, id: pair-test, from: \"x12 ZZ:A\", to: \"x12 ZZ:C\", environment: test}\n"
	"---\n{kind: agreement, id: off, from: \"x12 ZZ:C\", to: \"x12 ZZ:B\", enabled: false}\n"
	"---\n{kind: agreement, id: past, from: \"x12 ZZ:C\", to: \"x12 ZZ:B\", valid_until: 2026-01-01}\n";

static void the_most_specific_agreement_wins(void **state)
{
	(void)state;
	static const struct {
		const char *from, *to, *type, *version, *agreement, *connection;
		enum profile_environment environment;
		enum agreement_outcome outcome;
	} cases[] = {
		{"x12 ZZ:A", "x12 ZZ:B", "850", "004010", "pair-type-version", "b2", PROFILE_PRODUCTION, AGREEMENT_FOUND},
		{"x12 ZZ:A", "x12 ZZ:B", "850", "005010", "pair-type", "b2", PROFILE_PRODUCTION, AGREEMENT_FOUND},
		{"x12 ZZ:A", "x12 ZZ:B", "850", NULL, "pair-type", "b2", PROFILE_PRODUCTION, AGREEMENT_FOUND},
		{"x12 ZZ:A", "x12 ZZ:B", "810", "004010", "pair", "b2", PROFILE_PRODUCTION, AGREEMENT_FOUND},
		{"x12 ZZ:A", "x12 ZZ:B", NULL, NULL, "pair", "b2", PROFILE_PRODUCTION, AGREEMENT_FOUND},
		{"x12 ZZ:Z", "x12 ZZ:B", "810", "004010", "receiver-type", "b2", PROFILE_PRODUCTION, AGREEMENT_FOUND},
		{"x12 ZZ:Z", "x12 ZZ:B", "850", "004010", "receiver", "b2", PROFILE_PRODUCTION, AGREEMENT_FOUND},
		{"x12 ZZ:C", "x12 ZZ:B", "850", "004010", "receiver", "b2", PROFILE_PRODUCTION, AGREEMENT_FOUND},
		{"x12 ZZ:A", "x12 ZZ:C", "850", "004010", "sender", "c1", PROFILE_PRODUCTION, AGREEMENT_FOUND},
		{"x12 ZZ:A", "x12 ZZ:C", "850", "004010", "pair-test", "c1", PROFILE_TEST, AGREEMENT_FOUND},
		{"x12 ZZ:Z", "x12 ZZ:C", "850", "004010", "default", "c1", PROFILE_PRODUCTION, AGREEMENT_FOUND},
		/* The receiver's connection is there for an acknowledgement of ours. */
		{"x12 ZZ:A", "x12 ZZ:B", "850", "004010", "pair-type-version", "b2", PROFILE_TEST, AGREEMENT_ENVIRONMENT},
		{"x12 ZZ:Z", "x12 ZZ:Y", "850", "004010", "default", NULL, PROFILE_PRODUCTION, AGREEMENT_NO_RECEIVER},
		{"x12 ZZ:C", "x12 ZZ:A", "850", "004010", "default", NULL, PROFILE_PRODUCTION, AGREEMENT_NO_RECEIVER},
		/* Another standard's qualifier is another space; case matters. */
		{"x12 ZZ:A", "edifact ZZ:B", "850", "004010", "sender", NULL, PROFILE_PRODUCTION, AGREEMENT_NO_RECEIVER},
		{"x12 ZZ:A", "x12 ZZ:b", "850", "004010", "sender", NULL, PROFILE_PRODUCTION, AGREEMENT_NO_RECEIVER},
	};
	struct directory *d = filled(agreements);
	struct van_arena *arena = van_arena_new(0);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct agreement_query q = {slice_str(cases[i].from), slice_str(cases[i].to), slice_str(cases[i].type),
					    slice_str(cases[i].version), cases[i].environment, NOW};
		struct agreement_explanation why = {.arena = arena};
		struct directory_route r, again;
		assert_int_equal(directory_find_route(d, &q, arena, &r, NULL), 0);
		assert_int_equal(directory_find_route(d, &q, arena, &again, &why), 0);
		assert_int_equal(r.outcome, cases[i].outcome);
		assert_string_equal(r.agreement.p, cases[i].agreement);
		assert_true(slice_eq(r.agreement, again.agreement));
		assert_int_equal(r.outcome, again.outcome);
		if (cases[i].connection)
			assert_string_equal(r.connection.p, cases[i].connection);
		else
			assert_null(r.connection.p);
		assert_int_equal(r.outcome == AGREEMENT_FOUND, !r.reason.p);
		assert_true(why.n > 0);
		if (cases[i].outcome == AGREEMENT_FOUND) {
			assert_int_equal(why.reasons[0].verdict, AGREEMENT_CHOSEN);
			assert_true(slice_eq(why.reasons[0].agreement, r.agreement));
		}
	}
	directory_free(d);
	van_arena_free(arena);
}

static void routes_travel_between_roles(void **state)
{
	(void)state;
	struct directory *d = filled(agreements);
	struct van_arena *arena = van_arena_new(0);
	struct agreement_query q = {SLICE("x12 ZZ:A"), SLICE("x12 ZZ:B"), SLICE("850"), SLICE("005010"), PROFILE_PRODUCTION, NOW};
	struct directory_route r, back;
	struct van_buf bytes = VAN_BUF_INIT(0);
	assert_int_equal(directory_find_route(d, &q, arena, &r, NULL), 0);
	assert_int_equal(record_encode(&directory_route_table, &r, &bytes), 0);
	assert_int_equal(record_decode(&directory_route_table, van_buf_slice(&bytes), arena, &back), 0);
	assert_true(slice_is(back.from_party, "a") && slice_is(back.to_party, "b") && slice_is(back.connection, "b2"));
	assert_true(slice_is(back.ack_kind, "997"));
	assert_int_equal(back.ack_within, 7200 * VAN_SECOND);
	assert_int_equal(back.protocol, PROFILE_SFTP_MAILBOX);
	assert_true(back.connection_enabled);
	for (r.outcome = 0; r.outcome < AGREEMENT_OUTCOMES; r.outcome++) {
		van_buf_reset(&bytes);
		assert_int_equal(record_encode(&directory_route_table, &r, &bytes), 0);
		assert_int_equal(record_decode(&directory_route_table, van_buf_slice(&bytes), arena, &back), 0);
		assert_int_equal(back.outcome, r.outcome);
	}
	van_buf_free(&bytes);
	directory_free(d);
	van_arena_free(arena);
}

static void what_nearly_matched_is_explained(void **state)
{
	(void)state;
	struct directory *d = filled("{kind: agreement, id: orders, from: \"x12 ZZ:A\", to: \"x12 ZZ:B\", type: \"850\", version: \"004010\"}\n"
				     "---\n{kind: agreement, id: other, from: \"x12 ZZ:A\", to: \"x12 ZZ:Q\", type: \"850\"}\n"
				     "---\n{kind: agreement, id: far, from: \"x12 ZZ:P\", to: \"x12 ZZ:Q\"}\n"
				     "---\n{kind: agreement, id: all-test, from: \"*\", to: \"*\", environment: test}\n");
	struct van_arena *arena = van_arena_new(0);
	struct agreement_query q = {SLICE("x12 ZZ:A"), SLICE("x12 ZZ:B"), SLICE("850"), SLICE("005010"), PROFILE_PRODUCTION, NOW};
	struct agreement_explanation why = {.arena = arena};
	struct directory_route r;
	assert_int_equal(directory_find_route(d, &q, arena, &r, &why), 0);
	assert_int_equal(r.outcome, AGREEMENT_ENVIRONMENT);
	assert_int_equal(why.n, 3);
	assert_string_equal(why.reasons[0].agreement.p, "orders");
	assert_int_equal(why.reasons[0].verdict, AGREEMENT_NEAR);
	assert_string_equal(why.reasons[0].text.p, "version is 005010, the agreement says 004010");
	directory_free(d);
	van_arena_free(arena);
}

static void ties_are_refused(void **state)
{
	(void)state;
	struct directory *d = filled("{kind: agreement, id: a, from: \"*\", to: \"*\", type: \"850\", valid_until: 2027-01-01}\n");
	static const char *const tie = "matches the same documents as agreement \"a\"";
	refuses(d, "{kind: agreement, id: b, from: \"*\", to: \"*\", type: \"850\"}\n", tie);
	accepts(d, "{kind: agreement, id: a, from: \"*\", to: \"*\", type: \"850\"}\n"); /* replaces it */
	accepts(d, "{kind: agreement, id: b, from: \"*\", to: \"*\", type: \"810\"}\n");
	accepts(d, "{kind: agreement, id: b, from: \"*\", to: \"*\"}\n");
	accepts(d, "{kind: agreement, id: b, from: \"*\", to: \"*\", type: \"850\", version: \"004010\"}\n");
	accepts(d, "{kind: agreement, id: b, from: \"*\", to: \"*\", type: \"850\", environment: test}\n");
	accepts(d, "{kind: agreement, id: b, from: \"*\", to: \"*\", type: \"850\", valid_from: 2027-01-01}\n");
	accepts(d, "{kind: agreement, id: b, from: \"*\", to: \"*\", type: \"850\", enabled: false}\n");
	refuses(NULL, "{kind: agreement, id: x, from: \"*\", to: \"*\"}\n---\n{kind: agreement, id: y, from: \"*\", to: \"*\"}\n",
		"test.yaml:3: id: matches the same documents as agreement \"x\" (test.yaml line 1)");
	directory_free(d);
}

/* --- look-ups ------------------------------------------------------------------------------------------------------------ */

static void as2_pairs_are_found(void **state)
{
	(void)state;
	struct directory *d = filled(fixture_profiles);
	struct van_arena *arena = van_arena_new(0);
	struct directory_as2 a, back;
	struct van_buf bytes = VAN_BUF_INIT(0);
	assert_int_equal(directory_find_as2(d, SLICE("HUBNET"), SLICE("ACME AS2"), NOW, arena, &a), 0);
	assert_int_equal(record_encode(&directory_as2_table, &a, &bytes), 0);
	assert_int_equal(record_decode(&directory_as2_table, van_buf_slice(&bytes), arena, &back), 0);
	assert_int_equal(back.match, DIRECTORY_FOUND);
	assert_true(back.enabled && back.require_signed && back.require_encrypted);
	assert_true(slice_is(back.partner, "acme") && slice_is(back.connection, "acme-as2") && slice_is(back.station, "hub"));
	assert_int_equal(back.certificates.n, 1);
	assert_int_equal((unsigned char)back.certificates.v[0].p[0], 0x30);
	assert_int_equal(back.decrypt.n, 1);
	assert_int_equal(RECORD_AT(back.sign, struct directory_key, 0)->key_id.n, 64);
	assert_int_equal(back.digests.n, 3);
	assert_string_equal(back.send->url.p ? "x" : "", "x");
	assert_true(slice_is(back.send->sign, "sha384") && slice_is(back.send->encrypt, "aes128-gcm"));
	assert_int_equal(back.send->retry.n, 3);
	assert_int_equal(back.max_message, 100 << 20);
	assert_true(slice_is(back.mdn_url_host, "as2.acme.example"));

	assert_int_equal(directory_find_as2(d, SLICE("HUBNET"), SLICE("acme as2"), NOW, arena, &a), 0);
	assert_int_equal(a.match, DIRECTORY_PARTNER_UNKNOWN);
	assert_int_equal(a.sign.n, 1);
	assert_int_equal(directory_find_as2(d, SLICE("NOBODY"), SLICE("ACME AS2"), NOW, arena, &a), 0);
	assert_int_equal(a.match, DIRECTORY_STATION_UNKNOWN);
	assert_int_equal(directory_as2_connection(d, SLICE("acme-as2"), NOW, arena, &a), 0);
	assert_true(slice_is(a.as2_from, "ACME AS2"));
	assert_int_equal(directory_as2_connection(d, SLICE("volt-sftp"), NOW, arena, &a), VAN_ENOTFOUND);
	/* Before its certificate is in use there is nothing to decrypt with. */
	assert_int_equal(directory_find_as2(d, SLICE("HUBNET"), SLICE("ACME AS2"), 1, arena, &a), 0);
	assert_int_equal(a.decrypt.n, 0);
	van_buf_free(&bytes);
	directory_free(d);
	van_arena_free(arena);
}

static void sftp_users_are_found(void **state)
{
	(void)state;
	struct directory *d = filled(fixture_profiles);
	struct van_arena *arena = van_arena_new(0);
	struct directory_sftp s, back;
	struct van_buf bytes = VAN_BUF_INIT(0);
	assert_int_equal(directory_find_sftp(d, SLICE("volt"), arena, &s), 0);
	assert_int_equal(record_encode(&directory_sftp_table, &s, &bytes), 0);
	assert_int_equal(record_decode(&directory_sftp_table, van_buf_slice(&bytes), arena, &back), 0);
	assert_int_equal(back.keys.n, 1);
	const struct directory_ssh_key *k = RECORD_AT(back.keys, struct directory_ssh_key, 0);
	assert_true(slice_is(k->type, "ssh-ed25519"));
	assert_int_equal(k->blob.n, 51);
	assert_true(k->from < NOW && k->until > NOW);
	assert_true(slice_starts(back.password, "$y$"));
	assert_true(slice_is(back.folder_in, "/toyou") && slice_is(back.folder_out, "/fromyou"));
	assert_int_equal(back.taken, PROFILE_TAKEN_DOWNLOAD);
	assert_int_equal(back.max_message, UINT64_MAX);
	assert_int_equal(directory_find_sftp(d, SLICE("Volt"), arena, &s), VAN_ENOTFOUND);
	van_buf_free(&bytes);
	directory_free(d);
	van_arena_free(arena);
}

static void authority_is_by_list_or_own_identities(void **state)
{
	(void)state;
	struct directory *d = filled("kind: partner\nid: p\n"
				     "identities: [{standard: x12, id: \"ZZ:P\"}, {standard: x12, id: \"ZZ:OLD\", valid_until: 2026-01-01}]\n"
				     "connections:\n- {id: own, protocol: sftp-mailbox, user: own}\n"
				     "- {id: bureau, protocol: sftp-mailbox, user: bureau, presents: [\"x12 ZZ:CLIENT  \"]}\n");
	static const struct {
		const char *connection, *identity;
		bool present, collect;
	} cases[] = {
		{"own", "x12 ZZ:P", true, true},	{"own", "x12 ZZ:OLD", false, false}, {"own", "x12 ZZ:CLIENT", false, false},
		{"own", "edifact ZZ:P", false, false}, {"bureau", "x12 ZZ:CLIENT", true, false}, {"bureau", "x12 ZZ:P", false, true},
		{"none", "x12 ZZ:P", false, false},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct slice c = slice_str(cases[i].connection), identity = slice_str(cases[i].identity);
		assert_int_equal(directory_may_present(d, c, identity, NOW), cases[i].present);
		assert_int_equal(directory_may_collect(d, c, identity, NOW), cases[i].collect);
	}
	assert_string_equal(directory_owner(d, SLICE("x12 ZZ:P"), NOW)->id.p, "p");
	assert_null(directory_owner(d, SLICE("x12 ZZ:OLD"), NOW));
	directory_free(d);
}

static void identities_have_a_canonical_text(void **state)
{
	(void)state;
	struct van_arena *arena = van_arena_new(0);
	static const struct {
		const char *in, *out;
	} cases[] = {
		{"x12 ZZ:ACME", "x12 ZZ:ACME"},	 {"X12 ZZ:ACME      ", "x12 ZZ:ACME"}, {"x12  ZZ:A:B", "x12 ZZ:A:B"},
		{"edifact 14:439 :SUB ", "edifact 14:439:SUB"}, {"edifact :ID", "edifact :ID"}, {"edifact 14:1:", "edifact 14:1"},
		{"x12 Z:A", NULL},  {"x12 ZZ:", NULL}, {"x12 ZZ:   ", NULL}, {"x12", NULL}, {"", NULL}, {"tradacoms ZZ:A", NULL},
		{"x12 ZZ:1234567890123456", NULL}, {"ZZ:A", NULL},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct slice s = identity_canonical(arena, slice_str(cases[i].in));
		if (cases[i].out)
			assert_string_equal(s.p, cases[i].out);
		else
			assert_null(s.p);
	}
	assert_string_equal(identity_text(arena, IDENTITY_X12, SLICE("ZZ"), SLICE("ACME           "), SLICE_NONE).p, "x12 ZZ:ACME");
	assert_string_equal(identity_text(arena, IDENTITY_EDIFACT, SLICE("14"), SLICE("439"), SLICE("S")).p, "edifact 14:439:S");
	assert_null(identity_text(arena, IDENTITY_X12, SLICE("ZZ"), SLICE("    "), SLICE_NONE).p);
	van_arena_free(arena);
}

/* --- checks between profiles ------------------------------------------------------------------------------------------------ */

static void what_is_owned_once_is_refused_twice(void **state)
{
	(void)state;
	struct directory *d = filled(fixture_profiles);
	refuses(d, "kind: partner\nid: x\nidentities:\n- {standard: x12, id: \"ZZ:VOLT\"}\n",
		"test.yaml:4: identities[0]: identity \"x12 ZZ:VOLT\" belongs to partner \"volt\"");
	refuses(d, "kind: station\nid: x\nidentities:\n- {standard: x12, id: \"ZZ:VOLT\"}\n", "belongs to partner \"volt\"");
	accepts(d, "kind: partner\nid: x\nidentities:\n- {standard: edifact, id: \"ZZ:VOLT\"}\n");
	accepts(d, "kind: partner\nid: x\nidentities:\n- {standard: x12, id: \"ZZ:HUBNET\", valid_from: 2031-01-01}\n");
	refuses(d, "kind: partner\nid: x\nconnections:\n- {id: volt-sftp, protocol: sftp-mailbox, user: x, password: \"$y$\"}\n",
		"connections[0].id: connection \"volt-sftp\" belongs to partner \"volt\"");
	refuses(d, "kind: partner\nid: x\nconnections:\n- {id: x, protocol: sftp-mailbox, user: volt}\n", "SFTP user \"volt\" is used by partner \"volt\"");
	refuses(d, "kind: partner\nid: x\nconnections:\n- {id: x, protocol: as2, station: hub, as2_id: ACME AS2, receive: {require: []}}\n",
		"the pair must be unique");
	refuses(d, "kind: partner\nid: x\nconnections:\n- {id: x, protocol: as2, station: hubb, as2_id: A, receive: {require: []}}\n",
		"connections[0].station: there is no station \"hubb\"");
	refuses(d, "kind: partner\nid: x\nidentities: [{standard: x12, id: \"ZZ:X\", connection: y}]\n", "there is no connection \"y\"");
	refuses(d, "kind: station\nid: x\nas2: {id: HUBNET}\n", "the AS2 name \"HUBNET\" is used by station \"hub\"");
	refuses(d, "{kind: agreement, id: g, from: \"*\", to: \"*\", connection: nowhere}\n", "there is no connection \"nowhere\"");
	/* The same profiles again replace themselves. */
	accepts(d, fixture_profiles);
	directory_free(d);
}

static void what_is_needed_stays(void **state)
{
	(void)state;
	struct directory *d = filled(fixture_profiles);
	struct profile_errors e = {0};
	refuses(d, "kind: station\nid: hub\n", "AS2 station \"hub\" is gone, but partner \"acme\"");
	refuses(d, "kind: partner\nid: volt\n", "connection \"volt-sftp\" is gone, but station \"hub\"");
	assert_int_equal(directory_check_remove(d, PROFILE_STATION, SLICE("hub"), &e), VAN_ESTATE);
	assert_int_equal(directory_check_remove(d, PROFILE_PARTNER, SLICE("volt"), &e), VAN_ESTATE);
	assert_int_equal(directory_check_remove(d, PROFILE_PARTNER, SLICE("acme"), &e), 0);
	assert_int_equal(directory_check_remove(d, PROFILE_AGREEMENT, SLICE("acme-volt-orders"), &e), 0);
	assert_int_equal(e.errors, 2);
	profile_errors_free(&e);
	directory_free(d);
}

static bool no_map(void *arg, struct slice name)
{
	(void)arg;
	(void)name;
	return false;
}

static void unknown_maps_and_parties_are_warnings(void **state)
{
	(void)state;
	struct profile_errors e = {0};
	struct profile_set *s = fixture_load("kind: agreement\nid: g\nfrom: \"x12 ZZ:A\"\nto: \"*\"\nmode: translate\noutput: {format: json, map: m}\n");
	assert_int_equal(directory_check(NULL, s, no_map, NULL, &e), 0);
	assert_int_equal(e.warnings, 2);
	char *text = fixture_print(&e);
	assert_holds(text, "test.yaml:3: warning: from: no party has the identity");
	assert_holds(text, "test.yaml:6: warning: output.map: there is no map \"m\" yet");
	test_free(text);
	profile_errors_free(&e);
	profile_set_free(s);
}

static int count(void *arg, const struct profile *p)
{
	(void)p;
	return ++*(int *)arg == 3;
}

static void profiles_come_and_go(void **state)
{
	(void)state;
	struct directory *d = directory_new();
	int n = 0;
	for (int round = 0; round < 3; round++)
		for (int i = 0; i < 200; i++) {
			char yaml[300];
			snprintf(yaml, sizeof yaml,
				 "kind: partner\nid: p%d\nidentities: [{standard: x12, id: \"ZZ:P%d\"}]\n"
				 "connections: [{id: c%d, protocol: sftp-mailbox, user: u%d-%d}]\n", i, i, i, i, round);
			struct profile_set *s = fixture_load(yaml);
			assert_int_equal(directory_put(d, s->v[0]), 0);
			s->v[0] = NULL;
			profile_set_free(s);
		}
	assert_int_equal(directory_each(d, PROFILE_PARTNER, count, &n), 1);
	assert_int_equal(n, 3);
	n = 1000;
	assert_int_equal(directory_each(d, PROFILE_PARTNER, count, &n), 0);
	assert_int_equal(n, 1200);
	assert_null(directory_connection(d, SLICE("c200"), NULL));
	assert_non_null(directory_connection(d, SLICE("c199"), NULL));
	for (int i = 0; i < 200; i++) {
		char id[20];
		snprintf(id, sizeof id, "p%d", i);
		assert_int_equal(directory_remove(d, PROFILE_PARTNER, slice_str(id)), 0);
	}
	assert_int_equal(directory_remove(d, PROFILE_PARTNER, SLICE("p0")), VAN_ENOTFOUND);
	assert_null(directory_owner(d, SLICE("x12 ZZ:P7"), NOW));
	directory_free(d);
}

/* The store knows no files; who asked it finds file and line again. */
static void the_stores_problems_find_their_lines(void **state)
{
	(void)state;
	struct directory *d = filled(fixture_profiles);
	struct profile_set *local = fixture_load("kind: partner\nid: x\nconnections:\n- {id: c, protocol: as2, station: hub, as2_id: X, receive: {require: []}}\n"
						 "identities:\n- {standard: edifact, id: \"ZZ:VOLT\"}\n- {standard: x12, id: \"ZZ:VOLT\"}\n");
	struct profile_set *sent;
	struct profile_errors e = {0};
	struct van_buf json = VAN_BUF_INIT(0);
	const char *file;
	unsigned line;
	assert_int_equal(directory_check_set(local, &e), 0);
	profile_set_to_json(local, &json);
	assert_int_equal(profile_set_from_json(van_buf_slice(&json), &sent, &e), 0);
	assert_int_equal(directory_check(d, sent, NULL, NULL, &e), VAN_EINVAL);
	assert_int_equal(e.n, 1);
	assert_true(profile_set_locate(local, e.v[0].kind, e.v[0].id, e.v[0].field, &file, &line));
	assert_string_equal(file, "test.yaml");
	assert_int_equal(line, 7);
	assert_false(profile_set_locate(local, "partner", "y", "", &file, &line));
	char *text = fixture_print(&e);
	assert_holds(text, "partner x: identities[1]: identity \"x12 ZZ:VOLT\" belongs to");
	test_free(text);
	profile_errors_free(&e);
	van_buf_free(&json);
	profile_set_free(sent);
	profile_set_free(local);
	local = fixture_load("kind: partner\nid: x\nidentities: [{standard: x12, id: \"ZZ:A\"}]\n---\n"
			     "kind: partner\nid: y\nidentities: [{standard: x12, id: \"ZZ:A\"}]\n");
	assert_int_equal(directory_check_set(local, &e), VAN_EINVAL);
	profile_errors_free(&e);
	profile_set_free(local);
	directory_free(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_most_specific_agreement_wins),
		cmocka_unit_test(routes_travel_between_roles),
		cmocka_unit_test(what_nearly_matched_is_explained),
		cmocka_unit_test(ties_are_refused),
		cmocka_unit_test(as2_pairs_are_found),
		cmocka_unit_test(sftp_users_are_found),
		cmocka_unit_test(authority_is_by_list_or_own_identities),
		cmocka_unit_test(identities_have_a_canonical_text),
		cmocka_unit_test(what_is_owned_once_is_refused_twice),
		cmocka_unit_test(what_is_needed_stays),
		cmocka_unit_test(unknown_maps_and_parties_are_warnings),
		cmocka_unit_test(the_stores_problems_find_their_lines),
		cmocka_unit_test(profiles_come_and_go),
	};
	return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
