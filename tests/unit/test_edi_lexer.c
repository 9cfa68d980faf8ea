/* EDI lexer: delimiters, carry-over, binary segments, bounds; every chunking gives the same segments. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "edi/lexer_private.h"
#include "edi_input.h"

#define ISA(terminator) "ISA*00*          *00*          *ZZ*ACME           *ZZ*VOLT           *260115*0930*U*00401*000000101*0*T*>" terminator
#define ISA5(separator) "ISA*00*          *00*          *ZZ*ACME           *ZZ*VOLT           *260115*0930*" separator "*00501*000000101*0*T*>~"

static struct {
	struct van_buf text;
	struct edi_delimiters delimiters;
	uint32_t flags;
} seen;

/* Writes "ID|element|element;" for each segment. */
static int write_down(void *ctx, const struct edi_segment *s)
{
	(void)ctx;
	seen.delimiters = *s->delimiters;
	seen.flags |= s->flags;
	for (uint32_t i = 0; i < s->count; i++) {
		if (i)
			van_buf_append_char(&seen.text, '|');
		van_buf_append_slice(&seen.text, edi_segment_element(s, i));
	}
	van_buf_append_char(&seen.text, ';');
	return 0;
}

static const char *lexed(struct slice input, const struct edi_lexer_options *options)
{
	van_buf_reset(&seen.text);
	seen.flags = 0;
	struct edi_lexer *l = edi_lexer_new(options, write_down, NULL);
	assert_int_equal(edi_lexer_feed(l, input, true), 0);
	edi_lexer_free(l);
	van_buf_append_char(&seen.text, 0);
	return seen.text.p;
}

/* All splits in two, and all chunk sizes up to 80. */
static void same_in_every_chunking(struct slice input, const struct edi_lexer_options *options)
{
	struct edi_digest whole = edi_digest_of(input, 0, options);
	for (size_t n = 1; n <= 80; n++)
		assert_int_equal(edi_digest_of(input, n, options).h, whole.h);
	for (size_t cut = 1; cut < input.n && cut < 2000; cut++)
		assert_int_equal(edi_digest_of(input, cut, options).h, whole.h);
}

static void reads(struct slice input, const char *expected)
{
	const char *got = lexed(input, NULL);
	const char *rest = strncmp(got, "ISA|", 4) == 0 ? strchr(got, ';') + 1 : got;
	assert_string_equal(rest, expected);
	same_in_every_chunking(input, NULL);
}

static void reads_x12(void **state)
{
	(void)state;
	reads(SLICE(ISA("~") "GS*PO*A*B~ST*850*0001~SE*2*0001~GE*1*1~IEA*1*000000101~"),
		"GS|PO|A|B;ST|850|0001;SE|2|0001;GE|1|1;IEA|1|000000101;");
	reads(SLICE("\xef\xbb\xbf" ISA("~") "\r\n  GS*PO~\r\n\tST*850~\n\nSE*2~\x1a"), "GS|PO;ST|850;SE|2;");
	reads(SLICE(ISA("\n") "GS*PO\nST*850\r\n\nSE*2"), "GS|PO;ST|850\r;SE|2;");
	reads(SLICE(ISA("\r\n") "GS*PO\r\nST*850\r\n"), "GS|PO;ST|850;");
	reads(SLICE(ISA("~") "GS*PO*~ST**~SE~"), "GS|PO|;ST||;SE;");
}

static void reads_several_interchanges(void **state)
{
	(void)state;
	reads(SLICE(ISA("~") "IEA*1*1~\r\nUNA:+.? 'UNB+UNOA:3+A?+B+C+260115:0930+1'UNZ+0+1'"),
		"IEA|1|1;UNA:+.? ';UNB|UNOA:3|A?+B|C|260115:0930|1;UNZ|0|1;");
	assert_true(seen.flags & EDI_SEGMENT_RELEASE);
	reads(SLICE("UNB|UNOA:3|A|B'UNZ|0|1'"), "UNB|UNOA:3|A|B;UNZ|0|1;");
	reads(SLICE("UNB+UNOA:4+A+B'BGM+1*2+?" "?'UNZ+0+1'"), "UNB|UNOA:4|A|B;BGM|1*2|?" "?;UNZ|0|1;");
	assert_int_equal(seen.delimiters.repetition, '*');
	reads(SLICE("UNA:+.?*'UNB+UNOA:3+A+B'X+?''UNZ+0+1'"), "UNA:+.?*';UNB|UNOA:3|A|B;X|?';UNZ|0|1;");
	assert_int_equal(seen.delimiters.repetition, 0);
}

/* What the lexer gives hides what is shifted: bit 8 of its bytes is inverted. */
static void shifted_characters_hold_no_separators(void **state)
{
	(void)state;
	reads(SLICE("UNB+UNOX:4+A+B'FTX+\x1b$B'+':?+:?\x1b(B+x?+'NAD+\x1b(I'+\x1b(B:\x1b$)C\x0e'+\x0f'UNZ+0+1'"),
		"UNB|UNOX:4|A|B;FTX|\x1b$B\xa7\xab\xa7\xba\xbf\xab\xba\xbf\x1b(B|x?+;NAD|\x1b(I\xa7\xab\x1b(B:\x1b$)C\x0e\xa7\xab\x0f;UNZ|0|1;");
	assert_true(seen.delimiters.shifts);
	/* what is no escape sequence shifts nothing; neither do the variants of ASCII; a line end leads back, and a segment begins in ASCII */
	reads(SLICE("UNB+UNOX:4+A'X+\x1b'Y+\x1b+\x1b(J+1\x1b('Z\x1b$B'+\n+'UNZ+0+1'"),
		"UNB|UNOX:4|A;X|\x1b;Y|\x1b|\x1b(J|1\x1b(;Z\x1b$B\xa7\xab\n|;UNZ|0|1;");
	reads(SLICE("UNA:+.?*'UNB+UNOX:4+A'X+?\x1b$B?'\x1b(B?''UNZ+0+1'"), "UNA:+.?*';UNB|UNOX:4|A;X|?\x1b$B\xbf\xa7\x1b(B?';UNZ|0|1;");
	/* not so elsewhere, nor with delimiters that escape sequences are made of */
	reads(SLICE("UNB+UNOC:3+A'X+\x1b$B'+'UNZ+0+1'"), "UNB|UNOC:3|A;X|\x1b$B;|;UNZ|0|1;");
	reads(SLICE("UNA:+.?('UNB+UNOX:4+A'X+\x1b$B'+'UNZ+0+1'"), "UNA:+.?(';UNB|UNOX:4|A;X|\x1b$B;|;UNZ|0|1;");
	reads(SLICE("UNB+UNOX:4+A'UNZ+0+1'UNB+UNOC:3+A'X+\x1b$B'+'UNZ+0+1'"), "UNB|UNOX:4|A;UNZ|0|1;UNB|UNOC:3|A;X|\x1b$B;|;UNZ|0|1;");
	/* never left: all that follows is one segment, and said to be without an end */
	reads(SLICE("UNB+UNOX:4+A'X+\x1b$B0!'Y+1'UNZ+0+1'"), "UNB|UNOX:4|A;X|\x1b$B\xb0\xa1\xa7\xd9\xab\xb1\xa7\xd5\xce\xda\xab\xb0\xab\xb1\xa7;");
	assert_true(seen.flags & EDI_SEGMENT_UNTERMINATED);
}

static void repetition_separator_from_00402_on(void **state)
{
	(void)state;
	lexed(SLICE(ISA5("^") "IEA*1*1~"), NULL);
	assert_int_equal(seen.delimiters.repetition, '^');
	lexed(SLICE(ISA5("U") "IEA*1*1~"), NULL);
	assert_int_equal(seen.delimiters.repetition, 0);
	lexed(SLICE(ISA("~") "IEA*1*1~"), NULL);
	assert_int_equal(seen.delimiters.repetition, 0);
}

static void isa_of_any_length(void **state)
{
	(void)state;
	reads(SLICE("ISA*00**00**ZZ*A*ZZ*B*260115*0930*U*00401*1*0*T*>~GS*PO~"), "GS|PO;");
	reads(SLICE("ISA*00**00**ZZ*A*ZZ*B*260115*0930*U*00401*1*0*T*~GS*PO~"), "GS|PO;");
	reads(SLICE("ISA*00**00**ZZ*A*ZZ*B*260115*0930~GS*PO*A*B~ST*850~"), "GS|PO|A|B;ST|850;");
	assert_true(seen.flags & EDI_SEGMENT_MALFORMED);
}

static void lines_wrapped_at_80(void **state)
{
	(void)state;
	char input[1024];
	const char *plain = ISA("~") "GS*PO*ACME*VOLT*20260115*0930*101*X*004010~ST*850*0001~SE*2*0001~GE*1*101~IEA*1*000000101~";
	size_t n = 0;
	for (size_t i = 0; plain[i]; i++) {
		input[n++] = plain[i];
		if (i % 80 == 79)
			input[n++] = '\n';
	}
	reads(slice_make(input, n), "GS|PO|ACME|VOLT|20260115|0930|101|X|004010;ST|850|0001;SE|2|0001;GE|1|101;IEA|1|000000101;");
}

static void odd_terminators(void **state)
{
	(void)state;
	reads(SLICE(ISA("\xe2\x80\xa6") "\nGS*PO\xe2\x80\xa6\nST*850\xe2\x80\xa6"), "GS|PO;ST|850;");
	reads(SLICE("UNB+UNOA:1+A+B+260115:0930+1\nUNH+1+X\nFTX+it's\nUNT+3+1\nUNZ+1+1\n"),
		"UNB|UNOA:1|A|B|260115:0930|1;UNH|1|X;FTX|it's;UNT|3|1;UNZ|1|1;");
	reads(SLICE("UNB+UNOA:1+A+B+260115:0930+\r\n1'UNH+1+X'UN\r\nT+2+1'UNZ+1+1'"),
		"UNB|UNOA:1|A|B|260115:0930|1;UNH|1|X;UNT|2|1;UNZ|1|1;");
}

static void binary_by_length(void **state)
{
	(void)state;
	reads(SLICE(ISA("~") "ST*102~BIN*6*a~b*\n\0~SE*1~"), "ST|102;BIN|6|a~b*\n");
	reads(SLICE(ISA("~") "BDS*ASC*3*~~~~SE*1~"), "BDS|ASC|3|~~~;SE|1;");
	assert_true(seen.flags & EDI_SEGMENT_BINARY);
	reads(SLICE(ISA("~") "BIN*x*ab~BEG*00~BIN*0*~SE*1~"), "BIN|x|ab;BEG|00;BIN|0|;SE|1;");
	reads(SLICE(ISA("~") "BIN*99*ab~SE*1~"), "BIN|99|ab~SE*1~;");
	assert_true(seen.flags & EDI_SEGMENT_BAD_LENGTH);
}

static void names_inside_data_mean_nothing(void **state)
{
	(void)state;
	reads(SLICE(ISA("~") "MSG*ISA*UNA~MSG*UNB+UNOA~ISAX*1~UNH*1~"), "MSG|ISA|UNA;MSG|UNB+UNOA;ISAX|1;UNH|1;");
}

static void junk_is_counted(void **state)
{
	(void)state;
	struct edi_lexer *l = edi_lexer_new(NULL, write_down, NULL);
	assert_int_equal(edi_lexer_feed(l, SLICE("hello ISA world\n" ISA("~") "IEA*1*1~ bye"), true), 0);
	assert_int_equal(edi_lexer_counts(l).junk, 16);
	assert_int_equal(edi_lexer_counts(l).segments, 2);
	assert_int_equal(edi_lexer_feed(l, SLICE("x"), false), VAN_ESTATE);
	edi_lexer_free(l);
	same_in_every_chunking(SLICE("hello ISA world UNB UNA ISA*\n" ISA("~") "IEA*1*1~ bye ISA"), NULL);
}

static void bounds_hold_in_every_chunking(void **state)
{
	(void)state;
	struct edi_lexer_options o = {.max_segment = 110, .max_elements = 20};
	char input[4096];
	int n = snprintf(input, sizeof input, "%sN9*%0200d*2*3~MSG*%0100d~PO1", ISA("~"), 1, 2);
	for (int i = 0; i < 300; i++)
		n += snprintf(input + n, sizeof input - (size_t)n, "*");
	n += snprintf(input + n, sizeof input - (size_t)n, "~PO1*1*2*3*4*5*6*7*8*9*10*11*12*13*14*15*16*17*18*19*20*21*22~SE*1~");
	lexed(slice_make(input, (size_t)n), &o);
	assert_true(seen.flags & EDI_SEGMENT_TOO_LONG);
	assert_true(seen.flags & EDI_SEGMENT_TOO_MANY);
	same_in_every_chunking(slice_make(input, (size_t)n), &o);
}

/* Bytes of all kinds, thick with delimiters and release characters. */
static struct slice noise(char *room, size_t n, const char *head, unsigned seed)
{
	static const char some[] = "AB19 ++++''\'??\?:*~\n\r\0\xc3";
	size_t at = strlen(head);
	memcpy(room, head, at);
	for (; at < n; at++) {
		seed = seed * 1103515245u + 12345u;
		room[at] = some[(seed >> 16) % (sizeof some - 1)];
	}
	return slice_make(room, n);
}

static struct edi_digest digest_with(lex_find_fn find, struct slice input, size_t chunk)
{
	struct edi_digest d = {1469598103934665603u, 0};
	struct edi_lexer_options options = {.max_segment = 700, .max_elements = 60};
	struct edi_lexer *l = edi_lexer_new(&options, edi_digest_segment, &d);
	l->finder.find = find;
	for (size_t at = 0; at < input.n; at += chunk)
		edi_lexer_feed(l, slice_make(input.p + at, input.n - at < chunk ? input.n - at : chunk), false);
	edi_lexer_feed(l, slice_make("", 0), true);
	edi_lexer_free(l);
	return d;
}

static void same_with_every_instruction_set(void **state)
{
	(void)state;
	static const char *const heads[] = {"UNB+UNOA:3+A+B'", "UNB+UNOC:4+A+B'", ISA("~"), ISA("\n")};
	struct lex_finder finders[LEX_FINDERS];
	size_t n = lex_finders(finders);
	char room[5000];
	for (unsigned seed = 0; seed < 400; seed++) {
		struct slice input = noise(room, 200 + seed * 12, heads[seed % 4], seed);
		struct edi_digest plain = digest_with(finders[n - 1].find, input, input.n);
		assert_true(plain.segments > 1);
		for (size_t i = 0; i < n; i++) {
			assert_int_equal(digest_with(finders[i].find, input, input.n).h, plain.h);
			assert_int_equal(digest_with(finders[i].find, input, 1 + seed).h, plain.h);
		}
	}
}

/* Headers and trailers alone, and what is counted of the rest. */
struct heads {
	struct edi_lexer *lexer;
	struct edi_digest digest;
	uint64_t segments, lines, first_line, trailing, empty, end;
};

static int on_head(void *ctx, const struct edi_segment *s)
{
	static const char *const ids[] = {"UNB", "UNH", "UNT", "UNZ", "ISA", "GS", "ST", "SE", "GE", "IEA", "S3S", "BIN"};
	struct heads *h = ctx;
	for (size_t i = 0; i < sizeof ids / sizeof *ids; i++)
		if (edi_segment_is(s, ids[i])) {
			edi_digest_segment(&h->digest, s);
			h->digest.h = (h->digest.h ^ s->ordinal ^ s->before << 20 ^ (uint64_t)s->flags << 50) * 1099511628211u;
		}
	if (edi_segment_is(s, "UNH") || edi_segment_is(s, "ST"))
		edi_lexer_heads_only(h->lexer, true);
	else if (edi_segment_is(s, "UNT") || edi_segment_is(s, "SE"))
		edi_lexer_heads_only(h->lexer, false);
	return 0;
}

static struct heads heads_with(lex_pass_fn pass, struct slice input, size_t chunk)
{
	struct heads h = {.digest = {1469598103934665603u, 0}};
	struct edi_lexer_options options = {.max_segment = 700, .max_elements = 12};
	struct edi_lexer *l = h.lexer = edi_lexer_new(&options, on_head, &h);
	l->finder.pass = pass;
	for (size_t at = 0; at < input.n; at += chunk)
		edi_lexer_feed(l, slice_make(input.p + at, input.n - at < chunk ? input.n - at : chunk), at + chunk >= input.n);
	const struct edi_tolerance *t = edi_lexer_tolerated(l);
	h.lines = t[EDI_TOLERATED_LINE_ENDS].count;
	h.first_line = t[EDI_TOLERATED_LINE_ENDS].first;
	h.trailing = t[EDI_TOLERATED_TRAILING].count << 20 ^ t[EDI_TOLERATED_TRAILING].first;
	h.empty = t[EDI_TOLERATED_EMPTY].count << 20 ^ t[EDI_TOLERATED_EMPTY].first;
	h.segments = edi_lexer_counts(l).segments;
	h.end = edi_lexer_counts(l).end;
	edi_lexer_free(l);
	h.lexer = NULL;
	return h;
}

static struct lex_passed passes_none(const struct edi_delimiters *d, const char *window, size_t from, size_t to)
{
	(void)d;
	(void)window;
	(void)to;
	return (struct lex_passed){.to = from};
}

static uint64_t passed[LEX_FINDERS];
static size_t watched;
static lex_pass_fn watched_pass;

static struct lex_passed passes_watched(const struct edi_delimiters *d, const char *window, size_t from, size_t to)
{
	struct lex_passed p = watched_pass(d, window, from, to);
	passed[watched] += p.segments;
	return p;
}

/* Segments as they come, with line ends behind them, and now and then what can't be passed over. */
static struct slice messages(char *room, size_t n, bool x12, const char *ends, unsigned seed)
{
	static const char *const body[] = {"BGM+220+PO-1", "DTM+137:2026:102", "LIN+1++540:EN", "FTX+PUR+3++a?'b?+c", "IMD+F", "QTY+21:8", "X", "CTA",
		"RFF+CT:1+2+3+4+5+6+7+8+9+10+11+12+13+14+15", "NAD+DP+541::9++ACME Distribution Center East, a longer one+88 Harbor Road+Newark"};
	static const char *const odd[] = {"", "\n\n\n", " ", "RFF+1+", "S3S+1", "UNS+S", "ST+850", "SE+3", "UNT+3", "UNH+1", "GIN+A", "+", "U", "IS",
		"\xc3\xa4", "QTY??"};
	size_t at = (size_t)snprintf(room, n, "%s", x12 ? ISA("'") "GS*PO'ST*850'" : "UNB+UNOA:3+A+B'UNH+1'");
	const char element = x12 ? '*' : '+';
	while (at < n - 200) {
		seed = seed * 1103515245u + 12345u;
		bool rare = (seed >> 24) % 16 == 0;
		const char *s = rare ? odd[(seed >> 16) % 16] : body[(seed >> 16) % 10];
		for (; *s; s++)
			room[at++] = *s == '+' ? element : *s;
		at += (size_t)snprintf(room + at, n - at, "'%s", ends);
	}
	return slice_make(room, at);
}

static void segments_that_are_passed_over_are_counted(void **state)
{
	(void)state;
	static const char *const ends[] = {"", "\n", "\r\n", "\n\n"};
	struct lex_finder finders[LEX_FINDERS];
	size_t n = lex_finders(finders);
	char room[6000];
	for (unsigned seed = 0; seed < 1200; seed++) {
		struct slice input = messages(room, 400 + seed * 4, seed % 8 < 4, ends[seed % 4], seed);
		struct heads expected = heads_with(passes_none, input, input.n);
		for (size_t i = 0; i < n; i++)
			for (size_t chunk = input.n; chunk; chunk = chunk == input.n && seed ? 60 + seed % 700 : 0) {
				watched = i;
				watched_pass = finders[i].pass;
				struct heads got = heads_with(passes_watched, input, chunk);
				if (memcmp(&got, &expected, sizeof got) != 0)
					fail_msg("%s, seed %u, chunks of %zu: %llu segments, %llu expected", finders[i].name, seed, chunk,
						(unsigned long long)got.segments, (unsigned long long)expected.segments);
			}
	}
	for (size_t i = 0; i < n; i++)
		assert_true(passed[i] > 20000);
}

/* "line-ends:2@106 " for each kind, in this input of one interchange and in every chunking of it. */
static void tolerates(struct slice input, const char *expected)
{
	static const char *const names[EDI_TOLERATED_KINDS] = {"line-ends", "blanks", "empty", "trailing", "newline", "wide", "isa-length",
		"no-component", "wrapped", "unterminated"};
	char got[400] = "";
	struct edi_lexer *l = edi_lexer_new(NULL, write_down, NULL);
	assert_int_equal(edi_lexer_feed(l, input, true), 0);
	for (unsigned k = 0; k < EDI_TOLERATED_KINDS; k++) {
		const struct edi_tolerance *t = &edi_lexer_tolerated(l)[k];
		if (t->count)
			snprintf(got + strlen(got), sizeof got - strlen(got), "%s:%u@%u ", names[k], (unsigned)t->count, (unsigned)t->first);
	}
	edi_lexer_free(l);
	assert_string_equal(got, expected);
	same_in_every_chunking(input, NULL);
}

static void what_is_tolerated_is_counted(void **state)
{
	(void)state;
	tolerates(SLICE(ISA("~") "GS*PO~ST*850~SE*2~GE*1~IEA*1*1~\r\n"), "");
	tolerates(SLICE(ISA("~") "\r\nGS*PO~\nST*850~IEA*1*1~\r\n\n"), "line-ends:3@106 ");
	tolerates(SLICE(ISA("~") "GS*PO~ \t ST*850~\nIEA*1*1~"), "line-ends:1@122 blanks:3@112 ");
	tolerates(SLICE(ISA("~") "GS*PO~~ST*850~ ~IEA*1*1~"), "blanks:1@120 empty:2@112 ");
	tolerates(SLICE(ISA("~") "GS*PO*~ST*850*1***~SE**1~IEA*1*1~"), "trailing:2@106 ");
	tolerates(SLICE(ISA("\n") "GS*PO\nST*850\n\nIEA*1*1\n"), "line-ends:1@119 newline:1@0 ");
	tolerates(SLICE(ISA("\xe2\x80\xa6") "GS*PO\xe2\x80\xa6"), "wide:1@0 ");
	tolerates(SLICE("ISA*00**00**ZZ*A*ZZ*B*260115*0930*U*00401*1*0*T*>~GS*PO~"), "isa-length:1@0 ");
	tolerates(SLICE("ISA*00**00**ZZ*A*ZZ*B*260115*0930*U*00401*1*0*T*~GS*PO~"), "isa-length:1@0 no-component:1@0 ");
	tolerates(SLICE(ISA("~") "GS*PO~ST*850"), "unterminated:1@112 ");
	tolerates(SLICE("UNB+UNOA:1+A+B+260115:0930+\r\n1'UNH+1+X'UN\r\nT+2+1'UNZ+1+1'"), "wrapped:1@0 ");
	tolerates(SLICE("UNA:+.? '\nUNB+UNOA:3+A?+B+C+260115:0930+1'UNH+1+?+'\nUNZ+0+1'"), "line-ends:2@9 ");
	/* the second interchange has its own */
	tolerates(SLICE(ISA("~") "GS*PO*~IEA*1*1~" ISA("~") "\nGS*PO~IEA*1*1~"), "line-ends:1@227 ");
	tolerates(SLICE(ISA("~") "GS*PO*~" ISA("~") "GS*PO~IEA*1*1~"), "");
}

static struct {
	struct edi_lexer *lexer;
	unsigned heads, bodies;
	struct edi_segment last;
} heads;

static int pass_over_bodies(void *ctx, const struct edi_segment *s)
{
	(void)ctx;
	if (edi_segment_is(s, "ST") || edi_segment_is(s, "SE"))
		edi_lexer_heads_only(heads.lexer, edi_segment_is(s, "ST"));
	heads.bodies += edi_segment_is(s, "BEG") || edi_segment_is(s, "N1");
	heads.heads++;
	heads.last = *s;
	return 0;
}

static void bodies_can_be_passed_over(void **state)
{
	(void)state;
	struct slice body = SLICE(ISA("~") "ST*850*1~BEG*00~N1*BY~N1*ST~\nSE*5*1~BEG*00~");
	heads.lexer = edi_lexer_new(NULL, pass_over_bodies, NULL);
	assert_int_equal(edi_lexer_feed(heads.lexer, body, true), 0);
	assert_int_equal(heads.bodies, 1); /* the one outside of the message */
	assert_int_equal(heads.heads, 4);
	assert_int_equal(heads.last.ordinal, 7);
	assert_int_equal(heads.last.before, body.n - 7);
	assert_int_equal(edi_lexer_counts(heads.lexer).segments, 7);
	assert_int_equal(edi_lexer_counts(heads.lexer).end, body.n);
	edi_lexer_free(heads.lexer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_x12),
		cmocka_unit_test(reads_several_interchanges),
		cmocka_unit_test(shifted_characters_hold_no_separators),
		cmocka_unit_test(repetition_separator_from_00402_on),
		cmocka_unit_test(isa_of_any_length),
		cmocka_unit_test(lines_wrapped_at_80),
		cmocka_unit_test(odd_terminators),
		cmocka_unit_test(binary_by_length),
		cmocka_unit_test(names_inside_data_mean_nothing),
		cmocka_unit_test(junk_is_counted),
		cmocka_unit_test(bounds_hold_in_every_chunking),
		cmocka_unit_test(same_with_every_instruction_set),
		cmocka_unit_test(segments_that_are_passed_over_are_counted),
		cmocka_unit_test(bodies_can_be_passed_over),
		cmocka_unit_test(what_is_tolerated_is_counted),
	};
	int failed = cmocka_run_group_tests_name("edi lexer", tests, NULL, NULL);
	van_buf_free(&seen.text);
	return failed;
}
