/* Repertoires of EDIFACT: every byte of every set to UTF-8 and back, what the sets hold, and what a UNB's identifier means. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "edi/charset.h"

#include <stdio.h>

static void names(void **state)
{
	(void)state;
	assert_int_equal(edi_charset_of(SLICE("UNOA")), EDI_CHARSET_UNOA);
	assert_int_equal(edi_charset_of(SLICE("UNOC:3")), EDI_CHARSET_UNOC);
	assert_int_equal(edi_charset_of(SLICE("UNOY:4")), EDI_CHARSET_UNOY);
	assert_int_equal(edi_charset_of(SLICE("UNOZ:4")), EDI_CHARSET_NONE);
	assert_int_equal(edi_charset_of(SLICE("UNOAB")), EDI_CHARSET_NONE);
	assert_int_equal(edi_charset_of(SLICE("IATA:1")), EDI_CHARSET_NONE);
	assert_int_equal(edi_charset_of(SLICE_NONE), EDI_CHARSET_NONE);
	assert_string_equal(edi_charset_encoding(EDI_CHARSET_UNOF), "ISO-8859-7");
	assert_int_equal(edi_charset_since(EDI_CHARSET_UNOF), 2);
	assert_int_equal(edi_charset_since(EDI_CHARSET_UNOG), 4);
}

static void back_and_forth(enum edi_charset c, struct slice s)
{
	struct van_buf wide = VAN_BUF_INIT(1 << 20), back = VAN_BUF_INIT(1 << 20);
	assert_int_equal(edi_charset_to_utf8(c, s, &wide), 0);
	assert_true(edi_utf8_valid(van_buf_slice(&wide)));
	assert_int_equal(edi_charset_from_utf8(c, van_buf_slice(&wide), &back, NULL), 0);
	assert_int_equal(back.n, s.n);
	assert_memory_equal(back.p, s.p, s.n);
	van_buf_free(&wide);
	van_buf_free(&back);
}

static void every_byte_comes_back(void **state)
{
	(void)state;
	char all[256];
	for (unsigned i = 0; i < 256; i++)
		all[i] = (char)i;
	for (int c = 0; c < EDI_CHARSET_COUNT; c++) {
		back_and_forth((enum edi_charset)c, slice_make(all, 256));
		for (unsigned i = 0; i < 256; i++)
			back_and_forth((enum edi_charset)c, slice_make(all + i, 1));
		/* what looks like the private characters that stand for bytes; cut, overlong, surrogate, past the last plane */
		back_and_forth((enum edi_charset)c, SLICE("\xef\x9e\x80 \xef\x9f\xbf"));
		back_and_forth((enum edi_charset)c, SLICE("\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\xf0\x9f\x98"));
		back_and_forth((enum edi_charset)c, SLICE("\xc0\xaf\xe0\x80\x80\xed\xa0\x80\xf4\x90\x80\x80"));
	}
}

static void becomes(enum edi_charset c, const char *from, const char *to)
{
	struct van_buf b = VAN_BUF_INIT(1000);
	edi_charset_to_utf8(c, slice_str(from), &b);
	van_buf_append_char(&b, 0);
	assert_string_equal(b.p, to);
	van_buf_free(&b);
}

static void known_letters(void **state)
{
	(void)state;
	becomes(EDI_CHARSET_UNOC, "caf\xe9", "caf\xc3\xa9");
	becomes(EDI_CHARSET_UNOD, "\xb1", "\xc4\x85");             /* a with ogonek */
	becomes(EDI_CHARSET_UNOE, "\xb6", "\xd0\x96");             /* ZHE */
	becomes(EDI_CHARSET_UNOF, "\xe1\xae", "\xce\xb1\xef\x9e\xae"); /* alpha; 0xae has no meaning */
	becomes(EDI_CHARSET_UNOI, "\xe3", "\xd9\x83");             /* KAF */
	becomes(EDI_CHARSET_UNOJ, "\xe0", "\xd7\x90");             /* ALEF */
	becomes(EDI_CHARSET_UNOK, "\xfe", "\xc5\x9f");             /* s with cedilla */
	becomes(EDI_CHARSET_UNOL, "\xa4", "\xe2\x82\xac");         /* euro */
	becomes(EDI_CHARSET_UNOW, "\xe2\x82\xac", "\xe2\x82\xac");
	becomes(EDI_CHARSET_UNOX, "\x1b$B8l\x1b(B", "\x1b$B8l\x1b(B");
}

static void what_is_lost_is_counted(void **state)
{
	(void)state;
	struct van_buf b = VAN_BUF_INIT(1000);
	size_t lost = 99;
	edi_charset_from_utf8(EDI_CHARSET_UNOC, SLICE("\xc3\xa9 \xe2\x82\xac"), &b, &lost);
	assert_int_equal(lost, 1);
	assert_memory_equal(b.p, "\xe9 \xe2\x82\xac", 5);
	edi_charset_from_utf8(EDI_CHARSET_UNOA, SLICE("\xc3\xa9"), &b, &lost);
	assert_int_equal(lost, 1);
	edi_charset_from_utf8(EDI_CHARSET_UNOW, SLICE("\xc3\xa9"), &b, &lost);
	assert_int_equal(lost, 0);
	van_buf_free(&b);
}

static void guesses(void **state)
{
	(void)state;
	assert_int_equal(edi_charset_guess(EDI_CHARSET_UNOA, SLICE("ABC")), EDI_CHARSET_UNOA);
	assert_int_equal(edi_charset_guess(EDI_CHARSET_UNOA, SLICE("caf\xc3\xa9")), EDI_CHARSET_UNOW);
	assert_int_equal(edi_charset_guess(EDI_CHARSET_UNOB, SLICE("caf\xe9")), EDI_CHARSET_UNOC);
	assert_int_equal(edi_charset_guess(EDI_CHARSET_NONE, SLICE("caf\xe9")), EDI_CHARSET_UNOC);
	assert_int_equal(edi_charset_guess(EDI_CHARSET_UNOF, SLICE("caf\xe9")), EDI_CHARSET_UNOF);
}

static void repertoires(void **state)
{
	(void)state;
	const unsigned char *a = edi_charset_classes(EDI_CHARSET_UNOA), *b = edi_charset_classes(EDI_CHARSET_UNOB);
	for (const char *p = "AZ09 .,-()/='+:?!\"%&*;<>"; *p; p++)
		assert_false(a[(unsigned char)*p] || b[(unsigned char)*p]);
	for (const char *p = "#$@[\\]^_`{|}~\t\x7f\xe9"; *p; p++)
		assert_true(a[(unsigned char)*p] && b[(unsigned char)*p]);
	assert_true(a['a'] == EDI_CHARACTER_BAD && !b['a'] && a[0] && b[0]);
	assert_true(!edi_charset_classes(EDI_CHARSET_UNOC)[0xe9] && edi_charset_classes(EDI_CHARSET_UNOC)[0x85]);
	assert_true(!edi_charset_classes(EDI_CHARSET_UNOC)['@'] && edi_charset_classes(EDI_CHARSET_UNOF)[0xae]);
	assert_true(edi_charset_classes(EDI_CHARSET_UNOW)[0xe9] == EDI_CHARACTER_MULTI && !edi_charset_classes(EDI_CHARSET_UNOX)[0x1b]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names),
		cmocka_unit_test(every_byte_comes_back),
		cmocka_unit_test(known_letters),
		cmocka_unit_test(what_is_lost_is_counted),
		cmocka_unit_test(guesses),
		cmocka_unit_test(repertoires),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
