/* Shared by the EDI tests: inputs, dictionaries, and a digest of everything the lexer says. */
#ifndef OPENVAN_TESTS_EDI_INPUT_H
#define OPENVAN_TESTS_EDI_INPUT_H

#include "base/fdio.h"
#include "edi/check.h"
#include "edi/lexer.h"

#include <stdio.h>
#include <stdlib.h>

static inline const char *edi_source_path(char *room, size_t n, const char *name)
{
	const char *root = getenv("VAN_SRCDIR");
	snprintf(room, n, "%s/%s", root ? root : ".", name);
	return room;
}

static inline struct edi_dictionary_set *edi_test_dictionaries(void)
{
	char path[4096];
	struct edi_dictionary_set *set = NULL;
	struct van_error e = {0};
	if (edi_dictionary_set_open(edi_source_path(path, sizeof path, "dict"), &set, &e) < 0)
		fprintf(stderr, "%s\n", e.text);
	return set;
}

struct edi_digest {
	uint64_t h, segments;
};

static inline void edi_digest_add(struct edi_digest *d, const void *p, size_t n)
{
	for (const unsigned char *c = p; n--; c++)
		d->h = (d->h ^ *c) * 1099511628211u;
}

static inline int edi_digest_segment(void *ctx, const struct edi_segment *s)
{
	struct edi_digest *d = ctx;
	d->segments++;
	edi_digest_add(d, s->bytes, s->length);
	for (uint32_t i = 0, at; i <= s->count; i++)
		at = s->at[i] - s->at[0], edi_digest_add(d, &at, sizeof at);
	edi_digest_add(d, &s->flags, sizeof s->flags);
	edi_digest_add(d, &s->offset, sizeof s->offset);
	edi_digest_add(d, &s->end, sizeof s->end);
	edi_digest_add(d, &s->ordinal, sizeof s->ordinal);
	edi_digest_add(d, s->delimiters, sizeof *s->delimiters);
	return 0;
}

/* Lexes input in chunks of `chunk` bytes (0: at once), each in memory of its own so that an overrun shows. */
static inline struct edi_digest edi_digest_of(struct slice input, size_t chunk, const struct edi_lexer_options *options)
{
	struct edi_digest d = {1469598103934665603u, 0};
	struct edi_lexer *l = edi_lexer_new(options, edi_digest_segment, &d);
	if (!chunk)
		chunk = input.n ? input.n : 1;
	for (size_t at = 0; at < input.n; at += chunk) {
		size_t n = input.n - at < chunk ? input.n - at : chunk;
		char *copy = malloc(n);
		memcpy(copy, input.p + at, n);
		edi_lexer_feed(l, slice_make(copy, n), false);
		free(copy);
	}
	edi_lexer_feed(l, slice_make("", 0), true);
	struct edi_lexer_counts counts = edi_lexer_counts(l);
	edi_digest_add(&d, &counts.junk, sizeof counts.junk);
	edi_digest_add(&d, &counts.bytes, sizeof counts.bytes);
	edi_digest_add(&d, edi_lexer_tolerated(l), EDI_TOLERATED_KINDS * sizeof(struct edi_tolerance));
	edi_lexer_free(l);
	return d;
}

#endif
