/* Fuzz target: the lexer over any bytes. Each instruction set, and any chunking, must give the same segments: their bytes, the
 * places of their elements, their flags, what was tolerated. So must headers and trailers where the rest is passed over. The first
 * byte says how the rest is cut. */
#include "edi/lexer_private.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void add(uint64_t *h, const void *p, size_t n)
{
	for (const unsigned char *c = p; n--; c++)
		*h = (*h ^ *c) * 1099511628211u;
}

struct run {
	uint64_t hash;
	struct edi_lexer *lexer;
	bool heads; /* nobody looks into messages */
};

static bool is_one_of(const struct edi_segment *s, const char *ids)
{
	for (const char *id = ids; *id; id += strlen(id) + 1)
		if (edi_segment_is(s, id))
			return true;
	return false;
}

static int on_segment(void *ctx, const struct edi_segment *s)
{
	struct run *r = ctx;
	uint64_t *h = &r->hash;
	if (r->heads && is_one_of(s, "ST\0UNH\0"))
		edi_lexer_heads_only(r->lexer, true);
	else if (r->heads && is_one_of(s, "SE\0UNT\0"))
		edi_lexer_heads_only(r->lexer, false);
	else if (r->heads && !is_one_of(s, "ISA\0GS\0GE\0IEA\0UNA\0UNB\0UNG\0UNE\0UNZ\0S3S\0S3E\0S4S\0S4E\0"))
		return 0;
	if (s->bytes != s->base + s->at[0] || s->end < s->offset || s->before > s->offset + 1)
		abort();
	add(h, s->bytes, s->length);
	for (uint32_t i = 0; i < s->count; i++) {
		struct slice e = edi_segment_element(s, i);
		if (e.p < s->bytes || e.p + e.n > s->bytes + s->length)
			abort();
		if (!s->odd && !(s->flags & EDI_SEGMENT_UNA)) /* the promise that validation relies on */
			for (size_t k = 0; k < e.n; k++)
				if ((unsigned char)e.p[k] < 0x20 || (unsigned char)e.p[k] > 0x7e)
					abort();
		if (!s->parts && s->delimiters->component && memchr(e.p, s->delimiters->component, e.n))
			abort();
		add(h, &e.n, sizeof e.n);
	}
	add(h, &s->flags, sizeof s->flags);
	add(h, &s->offset, sizeof s->offset);
	add(h, &s->end, sizeof s->end);
	add(h, &s->before, sizeof s->before);
	add(h, &s->ordinal, sizeof s->ordinal);
	add(h, s->delimiters, sizeof *s->delimiters);
	return 0;
}

static struct lex_passed pass_none(const struct edi_delimiters *d, const char *window, size_t from, size_t to)
{
	(void)d;
	(void)window;
	(void)to;
	return (struct lex_passed){.to = from};
}

static uint64_t lex(struct lex_finder finder, struct slice in, size_t chunk, const struct edi_lexer_options *options, bool heads)
{
	struct run run = {.hash = 1469598103934665603u, .heads = heads};
	struct edi_lexer *l = run.lexer = edi_lexer_new(options, on_segment, &run);
	if (!l)
		abort();
	l->finder = finder;
	for (size_t at = 0; at < in.n; at += chunk) {
		size_t n = in.n - at < chunk ? in.n - at : chunk;
		char *copy = malloc(n); /* of its own: what is read past its end shows */
		if (!copy)
			abort();
		memcpy(copy, in.p + at, n);
		if (edi_lexer_feed(l, slice_make(copy, n), false) < 0)
			abort();
		free(copy);
	}
	edi_lexer_feed(l, slice_make("", 0), true);
	struct edi_lexer_counts counts = edi_lexer_counts(l);
	add(&run.hash, &counts.junk, sizeof counts.junk);
	add(&run.hash, &counts.segments, sizeof counts.segments);
	add(&run.hash, edi_lexer_tolerated(l), EDI_TOLERATED_KINDS * sizeof(struct edi_tolerance));
	edi_lexer_free(l);
	return run.hash;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct lex_finder finders[LEX_FINDERS];
	size_t n = lex_finders(finders), chunk = size ? 1 + data[0] % 80 : 1;
	if (size < 2 || size > 100000)
		return 0;
	struct slice in = slice_make(data + 1, size - 1);
	const struct edi_lexer_options bounds = {.max_segment = data[0] & 0x80 ? 200 : 0, .max_elements = data[0] & 0x80 ? 30 : 0};
	struct lex_finder plain = finders[n - 1];
	plain.pass = pass_none;
	for (int heads = 0; heads < 2; heads++) {
		uint64_t whole = lex(plain, in, in.n, &bounds, heads);
		for (size_t i = 0; i < n; i++)
			if (lex(finders[i], in, in.n, &bounds, heads) != whole || lex(finders[i], in, chunk, &bounds, heads) != whole)
				abort();
	}
	return 0;
}
