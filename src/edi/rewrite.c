/* An interchange written again with its form put right. */
#include "edi/write_copy.h"

#include "edi/code_extension.h"
#include "edi/lexer_private.h"

#include <string.h>

struct rewriting {
	const struct edi_rewrite_options *options;
	struct van_buf *to;
	struct edi_writer writer;
	struct van_buf scratch;
	bool begun, ended, in_group, in_message, dropping;
	char advice[9];                       /* UNA; zeros: none */
	uint64_t message;                     /* its number in the interchange */
	uint64_t groups, messages, segments;  /* kept: of the interchange, of the group, of the message */
	uint64_t loose;                       /* messages outside of groups */
	uint64_t group_received;
	size_t group_at;                      /* where the group begins in `to` */
};

static const unsigned char isa_widths[17] = {0, 2, 10, 2, 10, 2, 15, 2, 15, 6, 4, 1, 5, 9, 1, 1, 1};

/* Is the interchange that begins here the one that UNA spoke of? Line ends may stand in place of its terminator. */
static bool is_advised(const char una[9], const struct edi_delimiters *d)
{
	bool released = d->release ? una[6] == d->release : lex_no_release(una[6]);
	return una[3] == d->component && una[4] == d->element && released && (una[8] == d->terminator || d->terminator == '\n' || d->terminator == '\r');
}

static int begin_interchange(struct rewriting *r, const struct edi_segment *s)
{
	struct edi_writer *w = &r->writer;
	if (r->begun)
		return VAN_ESYNTAX;
	r->begun = true;
	struct edi_delimiters d = *s->delimiters;
	edi_writer_begin(w, r->to, s->standard, &d);
	if (s->standard == EDI_EDIFACT) {
		bool lines = memchr(s->bytes, '\n', s->length) || memchr(s->bytes, '\r', s->length);
		bool other = r->advice[0] && !is_advised(r->advice, &d);
		struct slice rest = edi_segment_element(s, 1), syntax = edi_cut(&rest, d.component, d.release);
		if (!syntax.n || other || lines) /* without the release character before them, line ends would mean that lines are wrapped */
			return VAN_ESYNTAX;
		edi_copy_segment(w, s, &r->scratch);
		return 0;
	}
	if (s->count != 17 || (s->flags & (EDI_SEGMENT_MALFORMED | EDI_SEGMENT_BAD_TERMINATOR | EDI_SEGMENT_BAD_COMPONENT)))
		return VAN_ESYNTAX;
	edi_write_segment(w, SLICE("ISA"));
	for (uint32_t i = 1; i < 17; i++) {
		struct slice v = edi_segment_element(s, i);
		while (v.n > isa_widths[i] && v.p[v.n - 1] == ' ')
			v.n--;
		if (v.n > isa_widths[i])
			return VAN_ESYNTAX;
		edi_write_next(w);
		van_buf_reset(&r->scratch);
		van_buf_append_slice(&r->scratch, v);
		while (r->scratch.n < isa_widths[i] && !r->scratch.error)
			van_buf_append_char(&r->scratch, ' ');
		edi_write_bytes(w, van_buf_slice(&r->scratch)); /* ISA11 and ISA16 are delimiters */
	}
	edi_write_end(w);
	return 0;
}

/* A trailer: its first element is a count, the others stay. */
static void write_trailer(struct rewriting *r, const struct edi_segment *s, uint64_t count)
{
	edi_write_segment(&r->writer, edi_segment_element(s, 0));
	edi_write_number(&r->writer, count);
	for (uint32_t i = 2; i < s->count; i++)
		edi_copy_element(&r->writer, s, i, &r->scratch);
	edi_write_end(&r->writer);
}

/* Empty elements at the end are left out: a head of nothing else would become its name alone, and where line ends are the
 * terminators nobody could tell it from a wrapped line. */
static bool says_nothing(const struct edi_segment *s)
{
	for (uint32_t i = 1; i < s->count; i++)
		if (edi_segment_element(s, i).n)
			return false;
	return true;
}

static int begin_message(struct rewriting *r, const struct edi_segment *s)
{
	if (r->in_message || says_nothing(s))
		return VAN_ESYNTAX;
	r->in_message = true;
	r->dropping = r->options && r->options->drop && r->options->drop(r->options->ctx, r->message);
	r->message++;
	r->group_received++;
	r->segments = 1;
	if (!r->dropping)
		edi_copy_segment(&r->writer, s, &r->scratch);
	return 0;
}

static int end_message(struct rewriting *r, const struct edi_segment *s)
{
	if (!r->in_message)
		return VAN_ESYNTAX;
	r->in_message = false;
	if (r->dropping)
		return 0;
	write_trailer(r, s, edi_segment_is(s, "UNP") ? 0 : r->segments + 1);
	if (r->in_group)
		r->messages++;
	else
		r->loose++;
	return 0;
}

static int begin_group(struct rewriting *r, const struct edi_segment *s)
{
	if (r->in_group || r->in_message)
		return VAN_ESYNTAX;
	r->in_group = true;
	r->messages = r->group_received = 0;
	r->group_at = r->to->n;
	edi_copy_segment(&r->writer, s, &r->scratch);
	return 0;
}

static int end_group(struct rewriting *r, const struct edi_segment *s)
{
	if (!r->in_group || r->in_message)
		return VAN_ESYNTAX;
	r->in_group = false;
	if (!r->messages && r->group_received) { /* all of it was dropped */
		if (!r->to->error)
			r->to->n = r->group_at;
		return 0;
	}
	write_trailer(r, s, r->messages);
	r->groups++;
	return 0;
}

static int end_interchange(struct rewriting *r, const struct edi_segment *s)
{
	if (!r->begun || r->in_group || r->in_message)
		return VAN_ESYNTAX;
	r->ended = true;
	write_trailer(r, s, r->groups ? r->groups : r->loose);
	return 0;
}

/* Two or three capitals and digits; behind them may stand EDIFACT's nesting. */
static bool has_identifier(const struct edi_segment *s)
{
	struct slice rest = edi_segment_element(s, 0), id = edi_cut(&rest, s->delimiters->component, 0);
	for (size_t i = 0; i < id.n; i++)
		if (!(id.p[i] >= 'A' && id.p[i] <= 'Z') && !(id.p[i] >= '0' && id.p[i] <= '9'))
			return false;
	return id.n >= 2 && id.n <= 3 && (!rest.p || s->standard == EDI_EDIFACT);
}

static int other(struct rewriting *r, const struct edi_segment *s)
{
	if (s->count == 1 && !edi_segment_element(s, 0).n)
		return 0; /* a terminator with nothing before it */
	if (edi_segment_is(s, "ISX") && !s->delimiters->release)
		return VAN_ESYNTAX; /* it names no release character, or stands where it has no meaning */
	if (!has_identifier(s) || edi_segment_is_service(s) || (!r->in_message && s->standard == EDI_EDIFACT && s->bytes[0] != 'U'))
		return VAN_ESYNTAX;
	if (r->in_message)
		r->segments++;
	if (!(r->in_message && r->dropping))
		edi_copy_segment(&r->writer, s, &r->scratch);
	return 0;
}

static int rewrite_segment(void *ctx, const struct edi_segment *s)
{
	struct rewriting *r = ctx;
	const char release = s->delimiters->release;
	if (release >= '0' && release <= '9') /* counts could not be written */
		return VAN_ESYNTAX;
	static const struct {
		const char *x12, *edifact;
		int (*fn)(struct rewriting *r, const struct edi_segment *s);
	} kinds[] = {{"ISA", "UNB", begin_interchange}, {"IEA", "UNZ", end_interchange}, {"GS", "UNG", begin_group},
		{"GE", "UNE", end_group}, {"ST", "UNH", begin_message}, {"SE", "UNT", end_message}};
	if (s->flags & (EDI_SEGMENT_TOO_LONG | EDI_SEGMENT_TOO_MANY | EDI_SEGMENT_BAD_LENGTH) || r->ended)
		return VAN_ESYNTAX;
	if (s->flags & EDI_SEGMENT_UNA) {
		if (r->begun || r->advice[0] || s->length != sizeof r->advice)
			return VAN_ESYNTAX;
		memcpy(r->advice, s->bytes, sizeof r->advice);
		van_buf_append(r->to, s->bytes, s->length);
		return 0;
	}
	if (s->delimiters->shifts && !edi_shift_can_be_written(slice_make(s->bytes, s->length)))
		return VAN_ESYNTAX;
	if (edi_segment_is(s, "UNO") || edi_segment_is(s, "UNP"))
		return VAN_ESYNTAX; /* an object's bytes stay where they are */
	if (!r->begun && !edi_segment_is(s, s->standard == EDI_X12 ? "ISA" : "UNB"))
		return VAN_ESYNTAX; /* UNA promised an interchange that does not begin */
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (edi_segment_is(s, s->standard == EDI_X12 ? kinds[i].x12 : kinds[i].edifact))
			return kinds[i].fn(r, s);
	return other(r, s);
}

static int rewrite(struct slice interchange, const struct edi_rewrite_options *options, struct van_buf *to)
{
	struct rewriting r = {.options = options, .to = to, .scratch = VAN_BUF_INIT((size_t)32 << 20)};
	const struct edi_lexer_options lexer = {.max_segment = (size_t)16 << 20};
	struct edi_lexer *l = edi_lexer_new(&lexer, rewrite_segment, &r);
	int rc = l ? edi_lexer_feed(l, interchange, true) : VAN_ENOMEM;
	if (rc == 0 && (!r.ended || edi_lexer_tolerated(l)[EDI_TOLERATED_WIDE].count))
		rc = VAN_ESYNTAX;
	if (rc == 0 && edi_writer_error(&r.writer, NULL) < 0)
		rc = to->error ? to->error : VAN_ESYNTAX;
	edi_lexer_free(l);
	van_buf_free(&r.scratch);
	return rc;
}

/* Damage may be such that what is written means something else: a separator that nobody advises, a terminator in a value that was released.
 * What can be read again as it was meant is written again as it is. */
static int read_again(struct slice written)
{
	struct van_buf again = VAN_BUF_INIT(written.n + 1);
	int rc = rewrite(written, NULL, &again);
	if (rc == 0 && !slice_eq(written, van_buf_slice(&again)))
		rc = VAN_ESYNTAX;
	van_buf_free(&again);
	return rc == VAN_ELIMIT ? VAN_ESYNTAX : rc; /* longer than it was */
}

int edi_rewrite(struct slice interchange, const struct edi_rewrite_options *options, struct van_buf *to)
{
	size_t before = to->n;
	int rc = rewrite(interchange, options, to);
	if (rc == 0)
		rc = read_again(slice_make(to->p + before, to->n - before));
	if (rc < 0 && !to->error)
		to->n = before;
	return rc;
}
