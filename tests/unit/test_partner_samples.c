/* What is shipped: sample profiles load and stand together, templates make valid profiles. */
#include "partner_fixture.h"

#include "base/error.h"
#include "base/fdio.h"
#include "partner/directory.h"
#include "partner/template.h"

#include <stdio.h>
#include <stdlib.h>

static void read_shipped(const char *name, struct van_buf *to)
{
	const char *src = getenv("VAN_SRCDIR");
	char path[4200];
	snprintf(path, sizeof path, "%s/%s", src ? src : ".", name);
	assert_int_equal(file_read(path, to), 0);
}

static void the_samples_work_as_they_are(void **state)
{
	(void)state;
	static const char *const files[] = {"hub.yaml", "acme.yaml", "volt.yaml", "agreements.yaml"};
	struct profile_errors e = {0};
	struct profile_set *s = NULL;
	for (size_t i = 0; i < 4; i++) {
		struct van_buf text = VAN_BUF_INIT(0);
		char name[100];
		snprintf(name, sizeof name, "partners/%s", files[i]);
		read_shipped(name, &text);
		van_buf_append_char(&text, 0);
		fixture_write(files[i], text.p);
		van_buf_free(&text);
	}
	int rc = profile_files_load(files, 4, &s, &e);
	if (rc == 0)
		rc = directory_check(NULL, s, NULL, NULL, &e);
	char *out = fixture_print(&e);
	if (rc < 0)
		print_error("%s", out);
	assert_int_equal(rc, 0);
	/* No key can be shipped, so the sample mailbox has none; that is all there is to say. */
	assert_int_equal(e.warnings, 1);
	assert_holds(out, "nobody can log in");
	assert_int_equal(s->n, 5);
	test_free(out);
	profile_errors_free(&e);
	profile_set_free(s);
}

#define VALUE(k, v) {{k, sizeof k - 1}, {v, sizeof v - 1}}
static const char ssh_key[] = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f x";

static void the_templates_make_valid_profiles(void **state)
{
	(void)state;
	const struct {
		const char *file;
		struct partner_template_value v[6];
	} cases[] = {
		{"templates/as2.yaml", {VALUE("name", "N \"q\" \\ #x"), VALUE("edi_id", "ZZ:A"), VALUE("as2_id", "A: B"),
					VALUE("url", "http://h/as2"), VALUE("certificate", "certs/acme.pem")}},
		{"templates/as2-receive.yaml", {VALUE("edi_id", "ZZ:A"), VALUE("as2_id", "A"), VALUE("certificate", "certs/acme.pem"),
						{{"key", 3}, {ssh_key, sizeof ssh_key - 1}}}},
		{"templates/sftp.yaml", {VALUE("edi_id", "ZZ:A"), {{"key", 3}, {ssh_key, sizeof ssh_key - 1}}}},
		{"templates/sftp-csv.yaml", {VALUE("edi_id", "ZZ:A"), VALUE("receiver", "x12 ZZ:B"), {{"key", 3}, {ssh_key, sizeof ssh_key - 1}}}},
		{"templates/orders-as-json.yaml", {VALUE("from", "x12 ZZ:A"), VALUE("to", "x12 ZZ:B")}},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct van_buf text = VAN_BUF_INIT(0), out = VAN_BUF_INIT(0);
		struct partner_template t;
		struct van_error why;
		size_t n = 0;
		while (n < 6 && cases[i].v[n].key.p)
			n++;
		read_shipped(cases[i].file, &text);
		assert_int_equal(partner_template_read(van_buf_slice(&text), &t, &why), 0);
		assert_true(t.summary.n > 10 && t.nkeys > 3);
		if (partner_template_fill(&t, SLICE("new-one"), cases[i].v, n, &out, &why) < 0)
			fail_msg("%s: %s", cases[i].file, why.text);
		van_buf_append_char(&out, 0);
		assert_null(strstr(out.p, "${"));
		assert_null(strstr(out.p, "#?"));
		struct profile_set *s = fixture_load(out.p);
		assert_true(slice_is(s->v[0]->id, "new-one"));
		if (i == 0)
			assert_string_equal(s->v[0]->partner->name.p, "N \"q\" \\ #x");
		profile_set_free(s);
		van_buf_free(&text);
		van_buf_free(&out);
	}
}

static void wrong_values_are_refused(void **state)
{
	(void)state;
	static const char text[] = "#: Sum.\n#? must -- help\n#? may = -- more\nid: \"${id}\"\na: \"${must}\"\nb: \"${may}\"\n";
	struct partner_template t;
	struct van_error e;
	struct van_buf out = VAN_BUF_INIT(0);
	assert_int_equal(partner_template_read(slice_str(text), &t, &e), 0);
	assert_int_equal(t.nkeys, 2);
	assert_null(t.keys[0].fallback.p);
	assert_true(slice_is(t.keys[1].help, "more"));
	assert_int_equal(partner_template_fill(&t, SLICE("x"), NULL, 0, &out, &e), VAN_EINVAL);
	assert_holds(e.text, "--set must=VALUE");
	const struct partner_template_value unknown[] = {VALUE("must", "1"), VALUE("other", "1")};
	assert_int_equal(partner_template_fill(&t, SLICE("x"), unknown, 2, &out, &e), VAN_EINVAL);
	const struct partner_template_value lines[] = {VALUE("must", "1\"\nkind: station")};
	assert_int_equal(partner_template_fill(&t, SLICE("x"), lines, 1, &out, &e), VAN_EINVAL);
	van_buf_reset(&out);
	assert_int_equal(partner_template_fill(&t, SLICE("x"), unknown, 1, &out, &e), 0);
	assert_true(slice_is(van_buf_slice(&out), "id: \"x\"\na: \"1\"\n"));
	van_buf_free(&out);
	assert_int_equal(partner_template_read(SLICE("#? Bad Key -- x\n"), &t, &e), VAN_ESYNTAX);
	assert_int_equal(partner_template_read(SLICE("#? id -- x\n"), &t, &e), VAN_ESYNTAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_samples_work_as_they_are),
		cmocka_unit_test(the_templates_make_valid_profiles),
		cmocka_unit_test(wrong_values_are_refused),
	};
	return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
