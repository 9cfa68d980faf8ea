/* The MDN reader against any bytes: headers, an empty line, the body. No crash, bounded; what verifies parses to the same, and
 * nothing verifies, since no certificate is known. What it says of itself lies within what was given or is a copy of it. */
#include "as2/mdn_read.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
	if (!holds)
		abort();
}

static void look(const struct as2_mdn *m, size_t size)
{
	check(m->disposition_field.p && m->disposition_field.n <= size);
	check(m->original_message_id.n <= size && m->final_recipient.n <= size && m->text.n <= 2 * size);
	check(m->mic_alg == DIGEST_NONE || m->mic_size == digest_size(m->mic_alg));
	check(m->mic_alg == DIGEST_NONE || m->mic_field.n);
	check((unsigned)m->disposition < AS2_DISPOSITION_COUNT);
}

static bool same(const struct as2_mdn *a, const struct as2_mdn *b)
{
	return a->was_signed == b->was_signed && a->disposition == b->disposition && slice_eq(a->original_message_id, b->original_message_id) &&
	       slice_eq(a->text, b->text) && a->mic_alg == b->mic_alg && slice_eq(a->mic_field, b->mic_field);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size > 1 << 16)
		return 0;
	struct slice in = slice_make(data, size);
	size_t end = mime_headers_end(in);
	struct van_arena *arena = van_arena_new((size_t)16 << 20);
	struct mime_headers h;
	struct as2_mdn m = {.disposition = AS2_OTHER_ERROR}, v = m;
	if (end && mime_headers_parse(slice_make(in.p, end), arena, &h, NULL) == 0) {
		struct slice body = slice_make(in.p + end, in.n - end);
		int rc = as2_mdn_parse(&h, body, arena, &m, NULL), verified = as2_mdn_verify(&h, body, NULL, 0, arena, &v, NULL);
		check(verified != 0 && !v.signer);
		if (rc == 0) {
			look(&m, size);
			check(same(&m, &v));
		}
	}
	van_arena_free(arena);
	return 0;
}
