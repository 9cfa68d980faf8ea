/* Headers, structured values, transfer encodings, multiparts: in every split. */
#include "base/buf.h"
#include "mime/entity.h"
#include "mime/header.h"
#include "mime/multipart.h"
#include "mime/transfer.h"

#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static struct van_arena *arena;

static void header_blocks(void **state)
{
	(void)state;
	struct mime_headers h;
	struct slice block = SLICE("Subject: a\r\n\tb\n c\r\nX-Empty:\r\nSubject : second\r\n\r\nbody");
	size_t end = mime_headers_end(block);
	assert_int_equal(end, block.n - 4);
	assert_int_equal(mime_headers_parse(slice_make(block.p, end), arena, &h, NULL), 0);
	assert_int_equal(h.n, 3);
	assert_true(slice_is(mime_header_get(&h, "SUBJECT"), "a\tb c"));
	assert_true(slice_is(mime_header_get(&h, "x-empty"), ""));
	assert_null(mime_header_get(&h, "none").p);
	assert_int_equal(mime_header_count(&h, "subject"), 2);
	assert_int_equal(mime_headers_end(SLICE("\r\nx")), 2);
	assert_int_equal(mime_headers_end(SLICE("a: b\n\nx")), 6);
	assert_int_equal(mime_headers_end(SLICE("a: b\r\n")), 0);
	assert_int_equal(mime_headers_parse(SLICE("no colon\r\n"), arena, &h, NULL), VAN_ESYNTAX);
	assert_int_equal(mime_headers_parse(SLICE("a\x01: b\r\n"), arena, &h, NULL), VAN_ESYNTAX);
	assert_int_equal(mime_headers_parse(SLICE(": b\r\n"), arena, &h, NULL), VAN_ESYNTAX);
	struct van_buf many = VAN_BUF_INIT(0);
	for (int i = 0; i < 256; i++)
		van_buf_append_str(&many, "a: b\r\n");
	assert_int_equal(mime_headers_parse(van_buf_slice(&many), arena, &h, NULL), 0);
	assert_int_equal(h.n, 256);
	van_buf_append_str(&many, "a: b\r\n");
	assert_int_equal(mime_headers_parse(van_buf_slice(&many), arena, &h, NULL), VAN_ELIMIT);
	van_buf_free(&many);
}

static void structured_values(void **state)
{
	(void)state;
	static const struct {
		const char *text, *value, *name, *param;
	} table[] = {
		{"multipart/signed; boundary=abc", "multipart/signed", "boundary", "abc"},
		{"Multipart / Signed ;Boundary = \"a;b\\\"c\" ; x", "multipart/signed", "boundary", "a;b\"c"},
		{"\"multipart/signed; protocol=\\\"p/q\\\"; boundary=\\\"----=_Part_3\\\"\"", "multipart/signed", "boundary", "----=_Part_3"},
		{"multipart/signed;protocol=\"application/pkcs7-signature\";micalg=sha1;boundary=\"_=41\"", "multipart/signed", "micalg", "sha1"},
		{"text/plain (comment); charset=us-ascii (that is)", "text/plain", "charset", "us-ascii"},
		{"text/plain; name=\"never closed; boundary=b", "text/plain", "boundary", "b"},
		{"attachment; filename*=UTF-8''a%20%C3%A4%zz", "attachment", "filename", "a \xc3\xa4%zz"},
		{"attachment; filename*=iso-8859-1'de'%E4", "attachment", "filename", "\xc3\xa4"},
		{"attachment; filename*1=\"b c\"; filename*0=a; filename*2*=%2E", "attachment", "filename", "ab c."},
		{"attachment; filename*0*=utf-8''a%2e; filename*1=b%2e; filename*2*=%2ec", "attachment", "filename", "a.b%2e.c"},
		{"signed-receipt-protocol=optional, pkcs7-signature; signed-receipt-micalg=optional, sha1", "", "signed-receipt-micalg",
		 "optional, sha1"},
		{"", "", "x", NULL},
		{";;;=;a=;", "", "a", ""},
	};
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		struct mime_value v;
		assert_int_equal(mime_value_parse(slice_str(table[i].text), arena, &v), 0);
		struct slice p = mime_value_param(&v, table[i].name), want = slice_str(table[i].param);
		if (!slice_is(v.value, table[i].value) || !slice_eq(p, want) || !p.p != !want.p)
			fail_msg("%s: value \"%.*s\", parameter \"%.*s\"", table[i].text, SLICE_ARG(v.value), SLICE_ARG(p));
	}
	struct van_buf many = VAN_BUF_INIT(0);
	struct mime_value v;
	for (int i = 0; i < 40; i++)
		van_buf_append_str(&many, "a=b;");
	assert_int_equal(mime_value_parse(van_buf_slice(&many), arena, &v), VAN_ELIMIT);
	van_buf_free(&many);
}

static void file_names(void **state)
{
	(void)state;
	static const char *const table[][2] = {
		{"po.x12", "po.x12"}, {"../../etc/passwd", "passwd"}, {"..\\..\\a b.txt", "a b.txt"}, {"C:\\x\\y.edi", "y.edi"},
		{"..", ""}, {"/", ""}, {" .hidden. ", "hidden"}, {"a\x01\nb", "ab"}, {"", ""},
		{"=?utf-8?B?w6QueA==?=", "\xc3\xa4.x"}, {"=?iso-8859-1?Q?=E4_b=2F..=2Fc?=", "c"}, {"=?broken", "=?broken"},
		{"=?utf-8?B?Li4vLi4vYQ==?=", "a"}, {"=?utf-8?q?a_b?= =?utf-8?q?_c?=\t =?utf-8?B?w6Q=?=.x", "a b c\xc3\xa4.x"},
		{"=?utf-8?q?a?= b =?utf-8?q?c?=", "a b c"}, {"=?utf-8?q?=C3?= =?utf-8?q?=A4?=", "\xc3\xa4"}, {"\xe4.x", "\xc3\xa4.x"},
		{"\xc3\xa4.x", "\xc3\xa4.x"}, {"a\xe2\x80\xaetxt.exe", "atxt.exe"}, {"a\xc2\x85z", "az"}, {"=?x?B?/w==?=/..", ""},
	};
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		char to[32];
		assert_string_equal(mime_safe_file_name(to, sizeof to, slice_str(table[i][0])), table[i][1]);
	}
	char tiny[4];
	assert_string_equal(mime_safe_file_name(tiny, sizeof tiny, SLICE("abcdef")), "abc");
	assert_string_equal(mime_safe_file_name(tiny, sizeof tiny, SLICE("ab\xc3\xa4")), "ab"); /* no half characters */
}

static int take(void *arg, const void *p, size_t n)
{
	return van_buf_append(arg, p, n);
}

static void assert_decodes(enum mime_encoding e, struct slice in, struct slice want, int rc)
{
	for (size_t step = 1; step <= in.n + 1; step++) {
		struct van_buf out = VAN_BUF_INIT(0);
		struct mime_decoder d;
		int got = 0;
		mime_decoder_init(&d, e, (struct byte_sink){take, &out});
		for (size_t at = 0; !got && at < in.n; at += step)
			got = mime_decoder_feed(&d, in.p + at, in.n - at < step ? in.n - at : step);
		if (!got)
			got = mime_decoder_finish(&d);
		assert_int_equal(got, rc);
		if (!rc && (out.n != want.n || memcmp(out.p, want.p, want.n) != 0))
			fail_msg("\"%.*s\" in steps of %zu: \"%.*s\"", SLICE_ARG(in), step, SLICE_ARG(van_buf_slice(&out)));
		van_buf_free(&out);
	}
}

static void transfer_encodings(void **state)
{
	(void)state;
	assert_decodes(MIME_BINARY, SLICE("a\0\r\nb"), SLICE("a\0\r\nb"), 0);
	assert_decodes(MIME_BASE64, SLICE("YWJj\r\nZGU=\r\n"), SLICE("abcde"), 0);
	assert_decodes(MIME_BASE64, SLICE("Y W\tJj ZA=="), SLICE("abcd"), 0);
	assert_decodes(MIME_BASE64, SLICE("ZA==\r\n \n"), SLICE("d"), 0);
	assert_decodes(MIME_BASE64, SLICE("ZA==\r\ntext"), SLICE(""), VAN_ESYNTAX);
	assert_decodes(MIME_BASE64, SLICE("ZA==\xff"), SLICE(""), VAN_ESYNTAX);
	assert_decodes(MIME_BASE64, SLICE("ZGU"), SLICE("de"), 0);
	assert_decodes(MIME_BASE64, SLICE("Z"), SLICE(""), VAN_ESYNTAX);
	assert_decodes(MIME_BASE64, SLICE("ab%cd"), SLICE(""), VAN_ESYNTAX);
	assert_decodes(MIME_QUOTED_PRINTABLE, SLICE("a=3Db=\r\nc  \r\nd= \t\ne=zz=\n"), SLICE("a=bc\r\nde=zz"), 0);
	assert_decodes(MIME_QUOTED_PRINTABLE, SLICE("a \t b=c3=A4"), SLICE("a \t b\xc3\xa4"), 0);
	assert_int_equal(mime_encoding_parse(SLICE(" Base64 ; x")), MIME_BASE64);
	assert_int_equal(mime_encoding_parse(SLICE("\"8bit\"")), MIME_BINARY);
	assert_int_equal(mime_encoding_parse(SLICE_NONE), MIME_BINARY);
	assert_int_equal(mime_encoding_parse(SLICE("uuencode")), MIME_ENCODING_UNKNOWN);
}

static int log_begin(void *arg, unsigned part)
{
	return van_buf_printf(arg, "<%u:", part);
}

static int log_bytes(void *arg, unsigned part, const void *p, size_t n)
{
	(void)part;
	return van_buf_append(arg, p, n);
}

static int log_end(void *arg, unsigned part)
{
	return van_buf_printf(arg, ":%u>", part);
}

static void assert_parts(const char *boundary, struct slice body, const char *want, int finish, bool epilogue)
{
	for (size_t step = 1; step <= body.n; step++)
		for (size_t first = 0; first < (step < 8 ? step : 8); first++) {
			struct van_buf log = VAN_BUF_INIT(0);
			struct mime_multipart m;
			struct mime_multipart_events ev = {&log, log_begin, log_bytes, log_end};
			assert_int_equal(mime_multipart_init(&m, slice_str(boundary), 0, &ev), 0);
			int rc = mime_multipart_feed(&m, body.p, first);
			for (size_t at = first; !rc && at < body.n; at += step) {
				size_t n = body.n - at < step ? body.n - at : step;
				char *copy = malloc(n);
				memcpy(copy, body.p + at, n);
				rc = mime_multipart_feed(&m, copy, n);
				free(copy);
			}
			assert_int_equal(rc, 0);
			assert_int_equal(mime_multipart_finish(&m), finish);
			assert_int_equal(m.epilogue, epilogue);
			if (!slice_is(van_buf_slice(&log), want))
				fail_msg("steps of %zu after %zu: %.*s", step, first, SLICE_ARG(van_buf_slice(&log)));
			van_buf_free(&log);
		}
}

static void multiparts(void **state)
{
	(void)state;
	assert_parts("b", SLICE("--b\r\n\r\none\r\n--b\r\n\r\ntwo\r\n--b--\r\n"), "<0:\r\none:0><1:\r\ntwo:1>", 0, false);
	assert_parts("b", SLICE("pre\n--b\none\n\n--b \t\ntwo\n--b--"), "<0:one\n:0><1:two:1>", 0, false);
	assert_parts("b", SLICE("--b\r\n--bx\r\n--b-\r\n--b\rx\r\r\n--b\r\n\n--b--x\n\ny"), "<0:--bx\r\n--b-\r\n--b\rx\r:0><1::1>", 0, true);
	assert_parts("b", SLICE("--b\r\n--b\r\n--b--\r\n \t\r\n"), "<0::0><1::1>", 0, false);
	assert_parts("b", SLICE("--b\r\none\r\n--b\r\ntwo\r\n"), "<0:one:0><1:two", VAN_ESYNTAX, false);
	assert_parts("b", SLICE("--b\r\none\r\n--b-"), "<0:one", VAN_ESYNTAX, false);
	assert_parts("", SLICE("preamble\r\n-\r\n--\r\n--guess me \r\none\r\n--guess me\r\ntwo\r\n--guess me--"), "<0:one:0><1:two:1>", 0, false);
	assert_parts("=_a=_a", SLICE("--=_a=_a\r\n=_a\n--=_a--=_a\n--=_a=_a--"), "<0:=_a\n--=_a--=_a:0>", 0, false);
	assert_parts("b", SLICE("nothing here"), "", VAN_ESYNTAX, false);
}

static void multipart_limits(void **state)
{
	(void)state;
	struct mime_multipart m;
	struct mime_multipart_events ev = {NULL, NULL, NULL, NULL};
	char text[400];
	memset(text, 'x', sizeof text);
	assert_int_equal(mime_multipart_init(&m, slice_make(text, MIME_BOUNDARY_MAX), 2, &ev), 0);
	assert_int_equal(mime_multipart_feed(&m, "--", 2), 0);
	assert_int_equal(mime_multipart_feed(&m, text, MIME_BOUNDARY_MAX), 0);
	assert_int_equal(mime_multipart_feed(&m, "\r\n\r\n--", 6), 0);
	assert_int_equal(mime_multipart_feed(&m, text, MIME_BOUNDARY_MAX), 0);
	assert_int_equal(mime_multipart_feed(&m, "\r\n\r\n--", 6), 0);
	assert_int_equal(mime_multipart_feed(&m, text, MIME_BOUNDARY_MAX), 0);
	assert_int_equal(mime_multipart_feed(&m, "\n", 1), VAN_ELIMIT);
	assert_int_equal(mime_multipart_init(&m, slice_make(text, MIME_BOUNDARY_MAX + 1), 0, &ev), VAN_ELIMIT);
	assert_int_equal(mime_multipart_init(&m, SLICE_NONE, 0, &ev), 0);
	assert_int_equal(mime_multipart_feed(&m, "--", 2), 0);
	assert_int_equal(mime_multipart_feed(&m, text, sizeof text), 0); /* no boundary so long */
	assert_int_equal(mime_multipart_feed(&m, "\r\n--b\r\nx\r\n--b--", 15), 0);
	assert_int_equal(mime_multipart_finish(&m), 0);
}

static int entity_headers(void *arg, const struct mime_headers *h, struct slice block)
{
	return van_buf_printf(arg, "[%zu %zu]", h->n, block.n);
}

static void entities(void **state)
{
	(void)state;
	static const char *const table[][2] = {
		{"A: b\r\nC: d\r\n e\r\n\r\nbody\r\n\r\n", "[2 18]body\r\n\r\n"}, {"\r\nbody", "[0 2]body"}, {"\nbody", "[0 1]body"},
		{"A: b", "[1 4]"}, {"A: b\r\n", "[1 6]"}, {"", "[0 0]"},
	};
	for (size_t i = 0; i < sizeof table / sizeof *table; i++)
		for (size_t step = 1; step < 30; step++) {
			struct van_buf log = VAN_BUF_INIT(0);
			struct mime_entity_events ev = {&log, entity_headers, take};
			struct mime_entity *e = mime_entity_new(&ev, 0);
			struct slice in = slice_str(table[i][0]);
			for (size_t at = 0; at < in.n; at += step)
				assert_int_equal(mime_entity_feed(e, in.p + at, in.n - at < step ? in.n - at : step), 0);
			assert_int_equal(mime_entity_finish(e), 0);
			assert_true(slice_is(van_buf_slice(&log), table[i][1]));
			mime_entity_free(e);
			van_buf_free(&log);
		}
	struct van_buf log = VAN_BUF_INIT(0);
	struct mime_entity_events ev = {&log, entity_headers, take};
	struct mime_entity *e = mime_entity_new(&ev, 10);
	assert_int_equal(mime_entity_feed(e, "Subject: far too long\r\n", 23), VAN_ELIMIT);
	mime_entity_free(e);
	van_buf_free(&log);
}

static int set_up(void **state)
{
	(void)state;
	arena = van_arena_new(0);
	return arena ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	van_arena_free(arena);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(header_blocks),    cmocka_unit_test(structured_values), cmocka_unit_test(file_names),
		cmocka_unit_test(transfer_encodings), cmocka_unit_test(multiparts),      cmocka_unit_test(multipart_limits),
		cmocka_unit_test(entities),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
