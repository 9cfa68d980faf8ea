/* Repertoires of EDIFACT: every byte of every set to UTF-8 and back, what the sets hold, and what a UNB's identifier means. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/utf8.h"
#include "edi/charset.h"
#include "edi/code_extension.h"

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
	assert_true(van_utf8_valid(van_buf_slice(&wide)));
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
}

/* --- code extension ---------------------------------------------------------------------------------------------------- */

#define ESC "\x1b"

static struct van_buf hidden;

static struct slice hide(const char *raw)
{
	van_buf_reset(&hidden);
	van_buf_append_str(&hidden, raw);
	edi_shift_invert_all(hidden.p, hidden.n);
	return van_buf_slice(&hidden);
}

/* As it stands in an interchange; comes back as it was. */
static void means(const char *raw, const char *text)
{
	struct van_buf utf8 = VAN_BUF_INIT(1000), back = VAN_BUF_INIT(1000);
	size_t lost = 99;
	assert_int_equal(edi_charset_to_utf8(EDI_CHARSET_UNOX, hide(raw), &utf8), 0);
	assert_int_equal(utf8.n, strlen(text));
	assert_memory_equal(utf8.p, text, utf8.n);
	assert_int_equal(edi_charset_from_utf8(EDI_CHARSET_UNOX, van_buf_slice(&utf8), &back, &lost), 0);
	assert_int_equal(lost, 0);
	edi_shift_invert_all(back.p, back.n);
	assert_int_equal(back.n, strlen(raw));
	assert_memory_equal(back.p, raw, back.n);
	van_buf_free(&utf8);
	van_buf_free(&back);
}

static void code_extension_means_characters(void **state)
{
	(void)state;
	/* 0x30 0x21 and 0x46 0x7c 0x4b 0x5c: the first kanji, and "Japan" */
	means(ESC "$B0!" ESC "(B", "\xe4\xba\x9c");
	means("A " ESC "$BF|K\\" ESC "(B 1", "A \xe6\x97\xa5\xe6\x9c\xac 1");
	/* bytes that are separators elsewhere: hiragana GU is 0x24 0x30, KO 0x24 0x33; 0x27 0x2b 0x3a 0x3f in pairs */
	means(ESC "$B'+':?+:?" ESC "(B", "\xd0\x99\xd0\xa8\xe8\xbe\xb1\xe9\x8e\x96");
	means(ESC "(I6E" ESC "(B", "\xef\xbd\xb6\xef\xbe\x85");                     /* half-width KA, NA */
	means(ESC "$B0!" ESC "(I6" ESC "(B", "\xe4\xba\x9c\xef\xbd\xb6");            /* from one set into another */
	means(ESC "(J\\" ESC "(B", "\xc2\xa5");                                      /* yen stands for the backslash in JIS X 0201 */
	means(ESC "$(D0\"" ESC "(B", "\xe4\xb8\x84");                                /* JIS X 0212 */
	means(ESC "$ACG" ESC "(B", "\xe4\xbb\xac");                                  /* GB 2312 */
	means(ESC "$A0!" ESC "(B", ESC "$A\xe5\x95\x8a" ESC "(B");                     /* which others have, too */
	means(ESC "$(C0!" ESC "(B", "\xea\xb0\x80");                                 /* KS X 1001: GA */
	/* what can be written in several ways keeps its sequences */
	means(ESC "$@0!" ESC "(B", ESC "$@\xe4\xba\x9c" ESC "(B");
	means(ESC "$B0!" ESC "(J", ESC "$B\xe4\xba\x9c" ESC "(J");
	means(ESC "$B" ESC "(BX", ESC "$B" ESC "(BX");
	means(ESC "$)C\x0e" "0!\x0f", ESC "$)C\x0e\xea\xb0\x80\x0f");                /* ISO-2022-KR */
	means(ESC "$)A\x0e" "0!\x0f", ESC "$)A\x0e\xe5\x95\x8a\x0f");                /* ISO-2022-CN */
	/* what is broken stays, byte for byte */
	means(ESC "$B0", ESC "$B\xef\x9e\xb0");
	means(ESC "$(Z0!" ESC "(B", ESC "$(Z\xef\x9e\xb0\xef\x9e\xa1" ESC "(B");
	means(ESC "Z" ESC, ESC "Z" ESC);
	means("\xc3\xa9", "\xef\x9f\x83\xef\x9e\xa9"); /* UTF-8 is no part of it */
}

static void every_character_of_code_extension_comes_back(void **state)
{
	(void)state;
	static const struct { const char *begin; unsigned characters; } sets[] = {{ESC "$B", 6879}, {ESC "$(D", 6067}, {ESC "$(C", 8225}, {ESC "$A", 7445}};
	for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) {
		unsigned n = 0;
		for (int row = 0x21; row < 0x7f; row++)
			for (int cell = 0x21; cell < 0x7f; cell++) {
				char raw[16];
				size_t characters, at;
				const char *why;
				snprintf(raw, sizeof raw, "%s%c%c" ESC "(B", sets[i].begin, row, cell);
				n += edi_shift_check(hide(raw), &characters, &why, &at);
				back_and_forth(EDI_CHARSET_UNOX, van_buf_slice(&hidden));
			}
		assert_int_equal(n, sets[i].characters);
	}
	uint32_t random = 2463534242u;
	for (int round = 0; round < 20000; round++) {
		static const char *const pieces[] = {ESC, ESC "$B", ESC "(B", ESC "(J", ESC "(I", ESC "$)C", "\x0e", "\x0f", ESC "$A", "\n", "$", "(", "F|", "K\\", "A", "0!"};
		char bytes[64];
		size_t n = 0;
		while (n < 40) {
			random ^= random << 13;
			random ^= random >> 17;
			random ^= random << 5;
			const char *piece = pieces[random % 16];
			if (random >> 8 & 7)
				n += (size_t)snprintf(bytes + n, sizeof bytes - n, "%s", piece);
			else
				bytes[n++] = (char)(random >> 16);
		}
		back_and_forth(EDI_CHARSET_UNOX, slice_make(bytes, n));
		char twice[64];
		memcpy(twice, bytes, n);
		edi_shift_invert_all(twice, n);
		edi_shift_invert_all(twice, n);
		assert_memory_equal(twice, bytes, n);
	}
}

static void is_wrong_at(const char *raw, size_t at, const char *word)
{
	size_t characters, found = 0;
	const char *why = NULL;
	assert_false(edi_shift_check(hide(raw), &characters, &why, &found));
	assert_int_equal(found, at);
	assert_non_null(strstr(why, word));
}

static void what_is_wrong_with_code_extension_is_told(void **state)
{
	(void)state;
	size_t characters, at;
	const char *why;
	assert_true(edi_shift_check(hide("AB" ESC "$BF|K\\" ESC "(I6" ESC "(J~"), &characters, &why, &at));
	assert_int_equal(characters, 6);
	assert_true(edi_shift_check(hide(ESC "$)C\x0e" "0!\x0f"), &characters, &why, &at));
	assert_int_equal(characters, 1);
	is_wrong_at("AB" ESC "$BF|K\\", 9, "does not return to ASCII");
	is_wrong_at("AB" ESC "$BF|K" ESC "(B", 8, "two bytes");
	is_wrong_at("AB" ESC "$B!~)!" ESC "(B", 8, "two bytes");
	is_wrong_at("AB" ESC "$(Z0!" ESC "(B", 3, "names no set");
	is_wrong_at("AB" ESC ".A", 3, "names no set");
	is_wrong_at("AB\x0e" "0!\x0f", 3, "without a known set");
	is_wrong_at("AB" ESC "(", 4, "ends within");
	is_wrong_at("AB\xe9", 3, "above ASCII");
	is_wrong_at(ESC "(Ia" ESC "(B", 4, "no character");
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
	edi_charset_from_utf8(EDI_CHARSET_UNOX, SLICE("\xe4\xba\x9c\xf0\x9f\x98\x80"), &b, &lost);
	assert_int_equal(lost, 1);
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
		cmocka_unit_test(code_extension_means_characters), cmocka_unit_test(every_character_of_code_extension_comes_back),
		cmocka_unit_test(what_is_wrong_with_code_extension_is_told), cmocka_unit_test(what_is_lost_is_counted),
		cmocka_unit_test(guesses),
		cmocka_unit_test(repertoires),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
