/* A whole AS2 post against any bytes: a byte for the split, HTTP headers, an empty line, the body. Nothing signed is ever
 * accepted, since no certificate is known; the same answer comes in any split, the same attachments. The same bytes are read
 * as an MDN, and where it asks for one to be sent later, the address. */
#include "as2/mdn_read.h"
#include "as2/receive.h"
#include "as2/url.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
	if (!holds)
		abort();
}

static int payload(void *arg, const void *p, size_t n)
{
	return van_buf_append(arg, p, n);
}

static void run(const struct as2_request *q, struct slice body, size_t step, struct van_buf *out, struct as2_received *got)
{
	struct as2_receiver_config c = {.request = q, .policy = {.payload_max = 1 << 20, .digests = ~(uint32_t)0, .payload_sha256 = true},
					.arg = out, .payload = payload, .attachment = payload};
	struct as2_receiver *r;
	check(as2_receiver_new(&c, &r, NULL) == 0);
	for (size_t at = 0; at < body.n; at += step) {
		size_t n = body.n - at < step ? body.n - at : step;
		char *copy = malloc(n);
		memcpy(copy, body.p + at, n);
		check(as2_receiver_feed(r, copy, n) == 0);
		free(copy);
	}
	check(as2_receiver_finish(r, got, NULL) == 0);
	as2_receiver_free(r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 1 || size > 1 << 16)
		return 0;
	struct slice in = slice_make(data + 1, size - 1);
	size_t end = mime_headers_end(in);
	struct van_arena *arena = van_arena_new((size_t)8 << 20);
	struct mime_headers h;
	struct as2_request q;
	struct as2_mdn mdn;
	if (end == 0 || mime_headers_parse(slice_make(in.p, end), arena, &h, NULL) != 0)
		goto out;
	struct slice body = slice_make(in.p + end, in.n - end);
	check(as2_mdn_verify(&h, body, NULL, 0, arena, &mdn, NULL) != 0);
	if (as2_request_parse(&h, arena, &q, NULL) != 0)
		goto out;
	check(q.from.n >= 1 && q.from.n <= AS2_ID_MAX && q.message_id.n);
	struct van_buf whole = VAN_BUF_INIT(0), cut = VAN_BUF_INIT(0);
	struct as2_received a = {.disposition = AS2_PROCESSED}, b = a;
	run(&q, body, body.n ? body.n : 1, &whole, &a);
	run(&q, body, 1 + data[0], &cut, &b);
	check(as2_disposition_ok(a.disposition) == as2_disposition_ok(b.disposition));
	if (as2_disposition_ok(a.disposition)) {
		check(!a.was_signed && !a.was_encrypted);
		check(strcmp(a.mic_text, b.mic_text) == 0 && slice_eq(van_buf_slice(&whole), van_buf_slice(&cut)));
		check(a.nattachments == b.nattachments && memcmp(a.attachments, b.attachments, sizeof a.attachments) == 0);
	}
	check(!strchr(a.file_name, '/') && a.file_name[0] != '.');
	struct as2_url u;
	if (q.mdn_async_url.p && as2_url_parse(q.mdn_async_url, &u) == 0)
		check(u.host.n && u.port && as2_url_host_is(&u, u.host));
	van_buf_free(&whole);
	van_buf_free(&cut);
out:
	van_arena_free(arena);
	return 0;
}
