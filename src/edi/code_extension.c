#include "edi/code_extension.h"

#include "base/utf8.h"
#include "edi/charset.h"
#include "edi/code_extension_tables.h"

#include <pthread.h>
#include <stdlib.h>

/* ASCII is 0: a struct of zeros is the initial state of G0. */
enum set { SET_ASCII, SET_ROMAN, SET_KANA, SET_JIS_X_0208, SET_JIS_X_0212, SET_KS_X_1001, SET_GB_2312, SET_KNOWN, SET_UNKNOWN = SET_KNOWN, SET_NONE };

#define CELLS (CODE_ROWS * 94)

/* Most usual first: what a character is written in. */
static const enum set preference[] = {SET_JIS_X_0208, SET_KANA, SET_ROMAN, SET_JIS_X_0212, SET_KS_X_1001, SET_GB_2312};
static const char *const designations[SET_KNOWN] = {
	[SET_ASCII] = "\x1b(B", [SET_ROMAN] = "\x1b(J", [SET_KANA] = "\x1b(I", [SET_JIS_X_0208] = "\x1b$B", [SET_JIS_X_0212] = "\x1b$(D",
	[SET_KS_X_1001] = "\x1b$(C", [SET_GB_2312] = "\x1b$A",
};

/* --- states ------------------------------------------------------------------------------------------------------------ */

static enum set in_force(const struct edi_shift *s)
{
	return s->out && !s->g[1] ? SET_NONE : (enum set)s->g[s->out];
}

static bool is_wide(enum set set)
{
	return set >= SET_JIS_X_0208 && set <= SET_GB_2312;
}

/* Separators are what they look like: in G0, ASCII, its Roman variant, and sets of one byte that nobody knows, which are further
 * variants most likely. */
static bool is_plain(const struct edi_shift *s)
{
	return !s->out && (s->g[0] == SET_ASCII || s->g[0] == SET_ROMAN || s->g[0] == SET_UNKNOWN);
}

static enum set narrow_set(unsigned char final)
{
	return final == 'B' ? SET_ASCII : final == 'J' ? SET_ROMAN : final == 'I' ? SET_KANA : SET_UNKNOWN;
}

static enum set wide_set(unsigned char final)
{
	return final == '@' || final == 'B' ? SET_JIS_X_0208 : final == 'D' ? SET_JIS_X_0212 : final == 'C' ? SET_KS_X_1001
	     : final == 'A' ? SET_GB_2312 : SET_NONE;
}

static void designate(struct edi_shift *s, unsigned char which, enum set set)
{
	s->g[which == ')'] = (unsigned char)set;
	s->length = 0;
}

/* The next byte of an escape sequence: ESC ( F, ESC ) F, ESC $ F, ESC $ ( F, ESC $ ) F. False: there is no such sequence. */
static bool sequence_takes(struct edi_shift *s, unsigned char c)
{
	const unsigned char *q = s->sequence;
	const bool final = c >= 0x40 && c < 0x7f, wide = s->length > 1 && q[1] == '$', open = c == '(' || c == ')';
	if (s->length == 1 ? c == '$' || open : s->length == 2 && wide && open)
		s->sequence[s->length++] = c;
	else if (s->length == 2 && wide && (c == '@' || c == 'A' || c == 'B'))
		designate(s, '(', wide_set(c));
	else if (s->length > 1 && final && (s->length == 3 || !wide))
		designate(s, q[s->length - 1], wide ? wide_set(c) : narrow_set(c));
	else
		return false;
	return true;
}

/* What ended a sequence that is none. Inverted it would be part of one where its inverse is: then it stays as it is, on both ways. */
static enum edi_shift_byte after_sequence(const struct edi_shift *before, const struct edi_shift *s, char c)
{
	struct edi_shift twin = *before;
	return is_plain(s) ? EDI_BYTE_PLAIN : sequence_takes(&twin, (unsigned char)(c ^ 0x80)) ? EDI_BYTE_CONTROL : EDI_BYTE_SHIFTED;
}

enum edi_shift_byte edi_shift_step(struct edi_shift *s, char c)
{
	s->broken = false;
	if (s->length) {
		const struct edi_shift before = *s;
		if (sequence_takes(s, (unsigned char)c))
			return EDI_BYTE_CONTROL;
		s->length = 0;
		s->broken = true;
		if (c != EDI_ESC && c != EDI_SO && c != EDI_SI && (unsigned char)c >= 0x20)
			return after_sequence(&before, s, c);
	}
	switch (c) {
	case EDI_ESC: s->sequence[s->length++] = (unsigned char)c; return EDI_BYTE_CONTROL;
	case EDI_SO: s->out = true; return EDI_BYTE_CONTROL;
	case EDI_SI: s->out = false; return EDI_BYTE_CONTROL;
	case '\n':
	case '\r': *s = (struct edi_shift){.broken = s->broken}; return EDI_BYTE_PLAIN;
	default: return (unsigned char)c < 0x20 || is_plain(s) ? EDI_BYTE_PLAIN : EDI_BYTE_SHIFTED; /* controls are in no set */
	}
}

bool edi_shift_is_reserved(char delimiter)
{
	return delimiter == '$' || delimiter == '(' || delimiter == ')' || delimiter == EDI_ESC || delimiter == EDI_SO || delimiter == EDI_SI;
}

void edi_shift_invert_all(char *p, size_t n)
{
	struct edi_shift s = {0};
	for (size_t i = 0; i < n; i++)
		if (edi_shift_step(&s, p[i]) == EDI_BYTE_SHIFTED)
			p[i] = edi_shift_invert(p[i]);
}

bool edi_shift_any(struct slice hidden)
{
	for (size_t i = 0; i < hidden.n; i++)
		if ((unsigned char)hidden.p[i] >= 0x80 || hidden.p[i] == EDI_ESC || hidden.p[i] == EDI_SO || hidden.p[i] == EDI_SI)
			return true;
	return false;
}

bool edi_shift_can_be_written(struct slice hidden)
{
	struct edi_shift s = {0};
	for (size_t i = 0; i < hidden.n; i++)
		if (edi_shift_step(&s, hidden.p[i]) == EDI_BYTE_SHIFTED && edi_shift_invert(hidden.p[i]) != hidden.p[i] && (unsigned char)hidden.p[i] < 0x80)
			return false;
	return !s.length && is_plain(&s);
}

/* --- tables ------------------------------------------------------------------------------------------------------------ */

struct pair {
	uint16_t character, cell;
};

static struct table {
	uint16_t characters[CELLS]; /* 0: there is none */
	struct pair back[CELLS];    /* by character */
	size_t n;
} tables[SET_KNOWN];
static pthread_once_t tables_once = PTHREAD_ONCE_INIT;

static int compare_pairs(const void *a, const void *b)
{
	return (int)((const struct pair *)a)->character - (int)((const struct pair *)b)->character;
}

/* Of the basic plane, as all of them are. */
static unsigned next_character(const char **p)
{
	const unsigned char *c = (const unsigned char *)*p;
	*p += c[0] < 0x80 ? 1 : c[0] < 0xe0 ? 2 : 3;
	return c[0] < 0x80 ? c[0] : c[0] < 0xe0 ? (c[0] & 0x1fu) << 6 | (c[1] & 0x3fu) : (c[0] & 0x0fu) << 12 | (c[1] & 0x3fu) << 6 | (c[2] & 0x3fu);
}

static void make_table(struct table *t, const char *const rows[CODE_ROWS])
{
	for (unsigned row = 0; row < CODE_ROWS; row++) {
		const char *p = rows[row] ? rows[row] : "";
		for (unsigned cell = 94 * row; *p; cell++) {
			unsigned c = next_character(&p);
			if (c == ' ')
				continue;
			t->characters[cell] = (uint16_t)c;
			t->back[t->n++] = (struct pair){(uint16_t)c, (uint16_t)cell};
		}
	}
	qsort(t->back, t->n, sizeof *t->back, compare_pairs);
}

static void make_tables(void)
{
	make_table(&tables[SET_JIS_X_0208], jis_x_0208);
	make_table(&tables[SET_JIS_X_0212], jis_x_0212);
	make_table(&tables[SET_KS_X_1001], ks_x_1001);
	make_table(&tables[SET_GB_2312], gb_2312);
}

/* The character that stands at these (hidden) bytes, and how many they are; 0: none does. */
static unsigned character_at(enum set set, struct slice s, size_t *ret_bytes)
{
	unsigned first = s.n ? (unsigned char)s.p[0] : 0, second = s.n > 1 ? (unsigned char)s.p[1] : 0;
	*ret_bytes = is_wide(set) ? 2 : 1;
	if (set == SET_KANA)
		return first >= 0xa1 && first <= 0xdf ? 0xff61 + first - 0xa1 : 0;
	if (!is_wide(set) || first < 0xa1 || first > 0xfe || second < 0xa1 || second > 0xfe)
		return 0;
	return tables[set].characters[94 * (first - 0xa1) + second - 0xa1];
}

/* The (hidden) bytes of a character above ASCII in this set; 0: it has none. */
static size_t bytes_of(enum set set, unsigned c, char to[static 2])
{
	if (set == SET_ROMAN && (c == 0xa5 || c == 0x203e)) {
		to[0] = c == 0xa5 ? '\\' : '~';
		return 1;
	}
	if (set == SET_KANA && c >= 0xff61 && c <= 0xff9f) {
		to[0] = (char)(c - 0xff61 + 0xa1);
		return 1;
	}
	if (!is_wide(set) || c > 0xffff)
		return 0;
	const struct pair key = {.character = (uint16_t)c}, *found = bsearch(&key, tables[set].back, tables[set].n, sizeof key, compare_pairs);
	if (!found)
		return 0;
	to[0] = (char)(0xa1 + found->cell / 94);
	to[1] = (char)(0xa1 + found->cell % 94);
	return 2;
}

/* --- looking ----------------------------------------------------------------------------------------------------------- */

static const char *state_at_end(const struct edi_shift *s)
{
	if (s->length)
		return "ends within an escape sequence; send the whole of it";
	return is_plain(s) ? NULL : "does not return to ASCII; send ESC ( B (or SI) before the separator";
}

/* What is wrong with the byte that the last step took: NULL, or a text. */
static const char *wrong(const struct edi_shift *s, enum edi_shift_byte kind, enum set set, struct slice rest)
{
	const bool unknown = in_force(s) == SET_UNKNOWN || in_force(s) == SET_NONE;
	size_t bytes;
	if (s->broken || (kind == EDI_BYTE_CONTROL && unknown && !s->out))
		return "has an escape sequence that names no set which is known here (ASCII, JIS X 0201, 0208 and 0212, KS X 1001, GB 2312)";
	if (kind == EDI_BYTE_CONTROL)
		return unknown ? "shifts out without a known set in G1" : NULL;
	if (kind == EDI_BYTE_PLAIN)
		return (unsigned char)*rest.p >= 0x80 ? "has a byte above ASCII that is in no set; UNOX shifts by escape sequences of seven bits" : NULL;
	if (character_at(set, rest, &bytes))
		return NULL;
	return is_wide(set) ? "has two bytes that are no character of the set in force" : "has a byte that is no character of the set in force";
}

bool edi_shift_check(struct slice hidden, size_t *ret_characters, const char **ret_why, size_t *ret_at)
{
	struct edi_shift s = {0};
	size_t escape = 0;
	pthread_once(&tables_once, make_tables);
	*ret_characters = 0;
	for (size_t i = 0; i < hidden.n; i++) {
		enum set set = in_force(&s);
		enum edi_shift_byte kind = edi_shift_step(&s, hidden.p[i]);
		*ret_why = wrong(&s, kind, set, slice_make(hidden.p + i, hidden.n - i));
		*ret_at = s.broken || (kind == EDI_BYTE_CONTROL && !s.out) ? escape : i + 1;
		if (*ret_why)
			return false;
		if (hidden.p[i] == EDI_ESC)
			escape = i + 1;
		*ret_characters += kind != EDI_BYTE_CONTROL;
		if (kind == EDI_BYTE_SHIFTED && is_wide(set))
			edi_shift_step(&s, hidden.p[++i]);
	}
	*ret_why = state_at_end(&s);
	*ret_at = hidden.n;
	return !*ret_why;
}

/* --- UTF-8 ------------------------------------------------------------------------------------------------------------- */

static void put_byte(struct van_buf *to, unsigned char c)
{
	van_utf8_append(to, c < 0x80 ? c : EDI_BYTE_AS_CHARACTER + c);
}

/* Each character; escape sequences and shifts only when asked for. */
static void decode(struct slice hidden, bool controls, struct van_buf *to)
{
	struct edi_shift s = {0};
	for (size_t i = 0; i < hidden.n; i++) {
		const unsigned char byte = (unsigned char)hidden.p[i];
		enum set set = in_force(&s);
		enum edi_shift_byte kind = edi_shift_step(&s, hidden.p[i]);
		size_t bytes = 1;
		unsigned c = 0;
		if (kind == EDI_BYTE_CONTROL && !controls)
			continue;
		if (kind == EDI_BYTE_PLAIN && set == SET_ROMAN)
			c = byte == '\\' ? 0xa5 : byte == '~' ? 0x203e : 0;
		else if (kind == EDI_BYTE_SHIFTED)
			c = character_at(set, slice_make(hidden.p + i, hidden.n - i), &bytes);
		if (!c) {
			put_byte(to, byte);
			continue;
		}
		van_utf8_append(to, c);
		if (bytes == 2)
			edi_shift_step(&s, hidden.p[++i]);
	}
}

/* A set that has it, best the one that is in force; SET_NONE: none has. */
static enum set set_for(enum set now, unsigned c)
{
	char bytes[2];
	if (c < 0x80)
		return now == SET_ROMAN && c != '\\' && c != '~' ? SET_ROMAN : SET_ASCII;
	if (bytes_of(now, c, bytes))
		return now;
	for (size_t i = 0; i < sizeof preference / sizeof *preference; i++)
		if (bytes_of(preference[i], c, bytes))
			return preference[i];
	return SET_NONE;
}

/* Escape sequences where they are needed. */
static size_t encode_plainly(struct slice utf8, struct van_buf *to)
{
	enum set now = SET_ASCII;
	size_t lost = 0, n;
	for (size_t i = 0; i < utf8.n; i += n) {
		unsigned c = van_utf8_decode(slice_make(utf8.p + i, utf8.n - i), &n);
		enum set set = !c && utf8.p[i] ? SET_NONE : edi_stands_for_byte(c) ? now : set_for(now, c), written = set == SET_NONE ? SET_ASCII : set;
		char bytes[2];
		if (written != now)
			van_buf_append_str(to, designations[written]);
		now = written;
		lost += set == SET_NONE;
		if (edi_stands_for_byte(c))
			van_buf_append_char(to, (char)(c - EDI_BYTE_AS_CHARACTER));
		else if (set == SET_NONE || c < 0x80)
			van_buf_append(to, utf8.p + i, n);
		else
			van_buf_append(to, bytes, bytes_of(set, c, bytes));
	}
	if (now != SET_ASCII)
		van_buf_append_str(to, designations[SET_ASCII]);
	return lost;
}

/* The text's own escape sequences and shifts say which set is in force. */
static size_t encode_as_told(struct slice utf8, struct van_buf *to)
{
	struct edi_shift s = {0};
	size_t lost = 0, n;
	for (size_t i = 0; i < utf8.n; i += n) {
		unsigned c = van_utf8_decode(slice_make(utf8.p + i, utf8.n - i), &n);
		char bytes[2] = {(char)(c - EDI_BYTE_AS_CHARACTER)};
		size_t length = edi_stands_for_byte(c) ? 1 : c >= 0x80 ? bytes_of(in_force(&s), c, bytes) : 0;
		struct slice out = length ? slice_make(bytes, length) : slice_make(utf8.p + i, n);
		lost += !length && (unsigned char)utf8.p[i] >= 0x80;
		for (size_t k = 0; k < out.n; k++)
			edi_shift_step(&s, out.p[k]);
		van_buf_append_slice(to, out);
	}
	return lost;
}

static bool has_controls(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] == EDI_ESC || s.p[i] == EDI_SO || s.p[i] == EDI_SI)
			return true;
	return false;
}

int edi_shift_to_utf8(struct slice hidden, struct van_buf *to)
{
	size_t at = to->n;
	pthread_once(&tables_once, make_tables);
	decode(hidden, false, to);
	if (to->error || !has_controls(hidden))
		return van_buf_error(to);
	struct van_buf again = VAN_BUF_INIT(8 * hidden.n + 64);
	struct slice text = van_buf_slice(to);
	encode_plainly(slice_make(text.p + at, text.n - at), &again);
	bool usual = !again.error && slice_eq(van_buf_slice(&again), hidden);
	int rc = again.error;
	van_buf_free(&again);
	if (usual || rc < 0)
		return rc;
	to->n = at;
	decode(hidden, true, to);
	return van_buf_error(to);
}

int edi_shift_from_utf8(struct slice utf8, struct van_buf *to, size_t *ret_lost)
{
	pthread_once(&tables_once, make_tables);
	size_t lost = has_controls(utf8) ? encode_as_told(utf8, to) : encode_plainly(utf8, to);
	if (ret_lost)
		*ret_lost = lost;
	return van_buf_error(to);
}
