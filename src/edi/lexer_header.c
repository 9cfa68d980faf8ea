/* Delimiters: from ISA (whatever its length), UNA, or the defaults of UNB's syntax identifier. */
#include "edi/lexer_private.h"

#define LARGEST_ISA 1024     /* bytes; the standard's ISA has 106 */
#define LARGEST_WRAP 64      /* line ends in a row within a wrapped ISA */
#define ISA_ELEMENTS 16
#define ISA_FIXED 104        /* offset of ISA16 in an ISA of the standard's lengths */

/* What is known of an ISA while it is read; positions without line ends when lines are wrapped. */
struct isa {
	size_t at[ISA_ELEMENTS + 1]; /* in the window, of the separator before element i */
	unsigned count;              /* separators found */
	size_t line_ends;            /* CR and LF before the sixteenth separator */
	size_t first_line_end;       /* where */
};

static bool is_line_end(char c)
{
	return c == '\n' || c == '\r';
}

/* The segment terminator of an ISA with too few elements: the byte before "GS" and a separator, when it can be one. */
static size_t short_isa_end(const char *p, size_t separator)
{
	size_t i = separator;
	if (i < 8 || p[i - 1] != 'S' || p[i - 2] != 'G')
		return 0;
	i -= 3;
	while (i > 4 && lex_blank((unsigned char)p[i]) && (lex_blank((unsigned char)p[i - 1]) || !lex_alnum((unsigned char)p[i - 1])))
		i--;
	return lex_alnum((unsigned char)p[i]) || p[i] == p[3] || p[i] == ' ' ? 0 : i;
}

/* 1: all sixteen separators found; 0: more bytes needed; LEX_NO_HEADER; negative -at: a short ISA ends there. */
static int find_elements(const char *p, size_t n, struct isa *isa, size_t *short_end)
{
	*isa = (struct isa){0};
	for (size_t i = 3; i < n && i < LARGEST_ISA; i++) {
		if (is_line_end(p[i]) && !isa->line_ends++)
			isa->first_line_end = i;
		if (p[i] != p[3])
			continue;
		if (isa->count > 0 && (*short_end = short_isa_end(p, i)))
			return 1;
		isa->at[++isa->count] = i;
		if (isa->count == ISA_ELEMENTS)
			return 1;
	}
	return n >= LARGEST_ISA ? LEX_NO_HEADER : 0;
}

static bool usable(const struct edi_delimiters *d)
{
	return d->terminator != d->element && !lex_alnum((unsigned char)d->terminator) && d->terminator &&
	       !lex_alnum((unsigned char)d->element);
}

/* ISA11 is a repetition separator only from 00402 on, and only when it can be one: letters occur even under 00501. */
static char repetition_of(const char *p, const struct isa *isa, const struct edi_delimiters *d)
{
	struct slice version = slice_make(p + isa->at[12] + 1, isa->at[13] - isa->at[12] - 1);
	char c = p[isa->at[11] + 1];
	if (isa->at[12] - isa->at[11] != 2 || version.n != 5 || slice_cmp(version, SLICE("00402")) < 0)
		return 0;
	return lex_alnum((unsigned char)c) || lex_blank((unsigned char)c) || c == d->component || c == d->terminator ? 0 : c;
}

static void begin(struct edi_lexer *l, enum edi_standard standard, const struct edi_delimiters *d)
{
	l->standard = standard;
	l->delimiters = *d;
	l->wrapped = false;
	l->lead_length = 0;
	l->una = false;
	l->header = 0;
	l->advised = false;
	l->flags = 0;
	l->n = 1;
	l->scanned = 0;
	l->released = false;
	l->shift = (struct edi_shift){0};
}

/* An ISA that was cut short, or whose terminator is where its elements should be: the delimiters are a guess. */
static int malformed_isa(struct edi_lexer *l, const char *p, size_t end, size_t *pos)
{
	struct edi_delimiters d = {.element = p[3], .terminator = p[end]};
	if (!usable(&d))
		return LEX_NO_HEADER;
	begin(l, EDI_X12, &d);
	l->flags = EDI_SEGMENT_MALFORMED;
	for (size_t i = 3; i < end; i++)
		if (p[i] == d.element)
			l->at[l->n++] = (uint32_t)i + 1;
	uint64_t offset = l->base + *pos;
	*pos += end + 1;
	l->state = LEX_START;
	return lex_emit(l, p, end, offset, l->base + *pos);
}

/* Copies an ISA that line ends were put into (every 80 columns), without them. */
static int wrapped_isa(struct edi_lexer *l, const char *p, size_t end, size_t *pos)
{
	van_buf_reset(&l->slow);
	for (size_t i = 0; i < end; i++) {
		if (is_line_end(p[i]))
			continue;
		van_buf_append_char(&l->slow, p[i]);
		if (p[i] == l->delimiters.element)
			l->at[l->n++] = (uint32_t)l->slow.n;
	}
	int rc = van_buf_error(&l->slow);
	uint64_t offset = l->base + *pos;
	*pos += end + 1;
	l->wrapped = true;
	l->flags = EDI_SEGMENT_WRAPPED;
	l->header = 1u << EDI_TOLERATED_WRAPPED;
	l->state = LEX_START;
	if (rc == 0)
		rc = lex_emit(l, l->slow.p, l->slow.n, offset, l->base + *pos);
	van_buf_reset(&l->slow);
	return rc;
}

/* Past the line ends of a wrapped ISA. 1; 0: `room` bytes behind them are not there yet; LEX_NO_HEADER: they do not end. */
static int skip_line_ends(const char *p, size_t n, size_t room, bool wrapped, bool last, size_t *i)
{
	const size_t limit = *i + LARGEST_WRAP;
	while (wrapped && *i < n && *i < limit && is_line_end(p[*i]))
		++*i;
	if (*i == limit)
		return LEX_NO_HEADER;
	return n < *i + room && !last ? 0 : 1;
}

static int isa_header(struct edi_lexer *l, const char *p, size_t n, size_t *pos, bool last)
{
	struct isa isa;
	size_t short_end = 0;
	int rc = find_elements(p, n, &isa, &short_end);
	if (rc != 1)
		return rc == 0 && last ? LEX_NO_HEADER : rc;
	if (short_end)
		return malformed_isa(l, p, short_end, pos);
	size_t at = isa.at[ISA_ELEMENTS] + 1;
	bool wrapped = isa.line_ends && at - isa.line_ends == ISA_FIXED;
	if (isa.line_ends && !wrapped)
		return malformed_isa(l, p, isa.first_line_end, pos);
	struct edi_delimiters d = {.element = p[3]};
	size_t i = at;
	rc = skip_line_ends(p, n, 5, wrapped, last, &i);
	if (rc != 1)
		return rc;
	/* ISA16 left out: the terminator stands where the component separator should */
	bool no_component = (n >= i + 4 && p[i + 1] == 'G' && p[i + 2] == 'S' && p[i + 3] == d.element) ||
	                    (n >= i + 2 && p[i] == '~' && is_line_end(p[i + 1]) && !wrapped);
	if (!no_component && i < n)
		d.component = p[i++];
	rc = skip_line_ends(p, n, 4, wrapped, last, &i);
	if (rc != 1)
		return rc;
	if (i >= n)
		return LEX_NO_HEADER;
	size_t lead = 0;
	if ((unsigned char)p[i] >= 0xc2) /* a character of several bytes: its last one is looked for */
		while (lead < 3 && i + lead + 1 < n && ((unsigned char)p[i + lead + 1] & 0xc0) == 0x80)
			lead++;
	d.terminator = p[i + lead];
	d.repetition = repetition_of(p, &isa, &d);
	if (lex_alnum((unsigned char)d.element))
		return LEX_NO_HEADER;
	uint32_t flags = usable(&d) ? 0 : EDI_SEGMENT_BAD_TERMINATOR;
	if (d.component == d.element || lex_alnum((unsigned char)d.component) || (d.component == d.terminator && usable(&d))) {
		flags |= EDI_SEGMENT_BAD_COMPONENT;
		d.component = 0;
	}
	if (wrapped && flags)
		return LEX_NO_HEADER;
	begin(l, EDI_X12, &d);
	l->flags = flags;
	if (wrapped)
		return wrapped_isa(l, p, i, pos);
	l->lead_length = lead;
	memcpy(l->lead, p + i, lead);
	i += lead;
	for (unsigned k = 1; k <= ISA_ELEMENTS; k++)
		l->at[l->n++] = (uint32_t)isa.at[k] + 1;
	uint64_t offset = l->base + *pos;
	*pos += i + 1;
	l->header = (at != ISA_FIXED ? 1u << EDI_TOLERATED_ISA_LENGTH : 0) | (no_component ? 1u << EDI_TOLERATED_NO_COMPONENT : 0) |
	            (lead ? 1u << EDI_TOLERATED_WIDE : 0) | (is_line_end(d.terminator) ? 1u << EDI_TOLERATED_NEWLINE : 0);
	l->state = flags & EDI_SEGMENT_BAD_TERMINATOR ? LEX_JUNK : LEX_START;
	l->before = 0;
	return lex_emit(l, p, i, offset, l->base + *pos);
}

static int una_header(struct edi_lexer *l, const char *p, size_t n, size_t *pos, bool last)
{
	if (n < 9)
		return last ? LEX_NO_HEADER : 0;
	struct edi_delimiters d = {.component = p[3], .element = p[4], .release = p[6], .repetition = p[7], .terminator = p[8]};
	if (lex_no_release(d.release))
		d.release = 0;
	if (!usable(&d) || d.component == d.element || d.component == d.terminator || d.release == d.terminator)
		return LEX_NO_HEADER;
	begin(l, EDI_EDIFACT, &d);
	l->flags = EDI_SEGMENT_UNA;
	uint64_t offset = l->base + *pos;
	*pos += 9;
	l->una = true;
	l->state = LEX_START;
	return lex_emit(l, p, 9, offset, l->base + *pos);
}

/* Syntax UNOB before version 4 may use the separators IS1, IS3, IS4; then there is no release character. */
static struct edi_delimiters unb_defaults(const char *p)
{
	if (p[3] == 0x1d)
		return (struct edi_delimiters){.component = 0x1f, .element = 0x1d, .terminator = 0x1c};
	struct edi_delimiters d = {.component = ':', .element = p[3], .release = '?', .terminator = '\''};
	if (p[3] != '+' && !lex_alnum((unsigned char)p[8]))
		d.component = p[8];
	return d;
}

/* Line ends inside UNB mean that all lines are wrapped at some column, or, before UNH or UNG, that they stand in place of the
 * terminator. 1: wrapped, 0: not, negative: more bytes are needed. */
static int wrapped_unb(const char *p, size_t n, struct edi_delimiters *d, bool last)
{
	bool line_ends = false;
	if (is_line_end(d->terminator))
		return 0;
	for (size_t i = 3; i < n && i < LARGEST_ISA; i++) {
		if (d->release && p[i] == d->release)
			i++;
		else if (p[i] == d->terminator)
			return line_ends;
		else if (is_line_end(p[i])) {
			size_t next = i + 1;
			while (next < n && is_line_end(p[next]))
				next++;
			if (n - next < 4 && !last)
				return -1;
			if (n - next >= 4 && (memcmp(p + next, "UNH", 3) == 0 || memcmp(p + next, "UNG", 3) == 0) && p[next + 3] == d->element) {
				d->terminator = p[i];
				return 0;
			}
			line_ends = true;
		}
	}
	return n < LARGEST_ISA && !last ? -1 : 0;
}

static int unb_header(struct edi_lexer *l, const char *p, size_t n, size_t *pos, bool last)
{
	(void)pos;
	if (n < 10) /* "UNB+UNOA:4" */
		return last ? LEX_NO_HEADER : 0;
	struct edi_delimiters d = l->una ? l->delimiters : unb_defaults(p);
	if (p[3] != d.element || !usable(&d))
		return LEX_NO_HEADER;
	if (!l->una) /* "UNOA" or its like, so that three letters in the middle of other bytes begin nothing */
		for (int i = 4; i < 8; i++)
			if (!lex_alnum((unsigned char)p[i]))
				return LEX_NO_HEADER;
	/* The repetition separator came with syntax 4; in older ones UNA's fifth character is reserved, and '*' is data. */
	bool four = p[8] == d.component && p[9] >= '4' && p[9] <= '9';
	if (!four)
		d.repetition = 0;
	else if (!l->una)
		d.repetition = '*';
	if (lex_blank((unsigned char)d.repetition) || d.repetition == d.element || d.repetition == d.component ||
	    d.repetition == d.terminator || d.repetition == d.release || lex_alnum((unsigned char)d.repetition))
		d.repetition = 0;
	int wrapped = wrapped_unb(p, n, &d, last);
	if (wrapped < 0)
		return 0;
	d.shifts = memcmp(p + 4, "UNOX", 4) == 0 && edi_delimiters_allow_shifts(&d);
	bool advised = l->una;
	begin(l, EDI_EDIFACT, &d);
	l->advised = advised;
	l->header = (wrapped ? 1u << EDI_TOLERATED_WRAPPED : 0) | (is_line_end(d.terminator) ? 1u << EDI_TOLERATED_NEWLINE : 0);
	l->objects = four;
	l->wrapped = wrapped;
	l->flags = wrapped ? EDI_SEGMENT_WRAPPED : 0;
	l->state = lex_usual_state(l);
	return 1;
}

int lex_header(struct edi_lexer *l, const char *window, size_t length, size_t *pos, bool last)
{
	const char *p = window + *pos;
	size_t n = length - *pos;
	if (n < 4)
		return last ? LEX_NO_HEADER : 0;
	int rc;
	if (p[0] == 'I')
		rc = isa_header(l, p, n, pos, last);
	else if (p[2] == 'A')
		rc = una_header(l, p, n, pos, last);
	else
		rc = unb_header(l, p, n, pos, last);
	return rc;
}
