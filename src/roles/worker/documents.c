/* Which documents of a file without EDI a message is about: by their numbers in the file, and, since the numbers are only as good as the division that
 * they count, by where each of them begins and ends (decision 0031). */
#include "base/codec.h"
#include "cms/digest.h"
#include "map/library.h"
#include "roles/worker/job.h"

#include <inttypes.h>
#include <stdio.h>

#define DIGEST_KEPT 16 /* bytes of it: what differs by chance or mistake is to be found */

/* --- by number ---------------------------------------------------------------------------------------------------------------------- */

struct slice job_documents_numbers(struct van_arena *arena, const struct job_document *v, size_t n)
{
	struct van_buf text = VAN_BUF_INIT((size_t)16 << 20);
	for (size_t i = 0, end; i < n; i = end) {
		for (end = i + 1; end < n && v[end].number == v[end - 1].number + 1;)
			end++;
		van_buf_printf(&text, i ? ",%llu" : "%llu", (unsigned long long)v[i].number);
		if (end > i + 1)
			van_buf_printf(&text, "-%llu", (unsigned long long)v[end - 1].number);
	}
	struct slice ret = van_buf_error(&text) ? SLICE_NONE : van_arena_slice(arena, van_buf_slice(&text));
	van_buf_free(&text);
	return ret;
}

bool job_documents_have(struct slice *at, uint64_t number)
{
	if (!at->p)
		return true;
	while (at->p) {
		struct slice rest = *at, range = slice_cut(&rest, ','), last = range, first = slice_cut(&last, '-');
		unsigned long long from, to;
		if (!slice_u64(first, &from))
			return false;
		if (!last.p || !slice_u64(last, &to))
			to = from;
		if (number <= to)
			return number >= from;
		*at = rest.p ? rest : SLICE("");
	}
	return false;
}

/* --- by where they are -------------------------------------------------------------------------------------------------------------- */

/* "1f3a…", over the number, beginning and end of each. */
static int digest_of(const struct job_document *v, size_t n, char to[2 * DIGEST_KEPT + 1])
{
	struct digest_set d = {0};
	unsigned char md[DIGEST_SIZE_MAX];
	char line[80];
	int rc = digest_set_begin(&d, ALG_BIT(DIGEST_SHA256));
	for (size_t i = 0; i < n && rc == 0; i++) {
		int length = snprintf(line, sizeof line, "%" PRIu64 " %" PRIu64 " %" PRIu64 "\n", v[i].number, v[i].begins, v[i].ends);
		rc = digest_set_update(&d, line, (size_t)length);
	}
	if (rc == 0)
		rc = digest_set_end(&d, DIGEST_SHA256, md);
	if (rc == 0)
		hex_encode(to, md, DIGEST_KEPT);
	digest_set_free(&d);
	return rc;
}

struct slice job_documents_division(struct job *j, const struct job_document *v, size_t n)
{
	char digest[2 * DIGEST_KEPT + 1];
	const struct job_plain *p = j->plain;
	if (digest_of(v, n, digest) < 0)
		return SLICE_NONE;
	if (!p->sheet.p)
		return van_arena_slice(j->worker->arena, slice_str(digest));
	return van_arena_printf(j->worker->arena, "%s %" PRIu64 " %.*s", digest, p->sheet_version, SLICE_ARG(p->sheet));
}

/* "version 3 of sheet shop-orders", or what the maps that came with the program have. */
static struct slice sheet_text(struct job *j, struct slice version, struct slice name)
{
	unsigned long long n;
	if (!slice_u64(version, &n) || n == MAP_VERSION_SHIPPED)
		return van_arena_printf(j->worker->arena, "sheet %.*s as shipped", SLICE_ARG(name));
	return van_arena_printf(j->worker->arena, "version %llu of sheet %.*s", n, SLICE_ARG(name));
}

int job_documents_same(struct job *j, const struct job_document *v, size_t n, struct slice division, struct van_error *e)
{
	struct slice now = job_documents_division(j, v, n), rest = division, digest = slice_cut(&rest, ' '), name = rest, version = slice_cut(&name, ' ');
	struct slice today = now;
	if (!now.p)
		return VAN_ENOMEM;
	if (slice_eq(digest, slice_cut(&today, ' ')))
		return 0;
	if (!name.n)
		return van_error_set(e, VAN_ESYNTAX, "the file is divided into documents in another way than when it came, so their numbers mean others now: drop "
						     "this message (vanctl message reject), and ask the sender for its documents anew");
	struct slice then = sheet_text(j, version, name);
	return van_error_set(e, VAN_ESYNTAX, "the sheet of today divides the file into documents in another way than %.*s did when it came, so their numbers mean others "
					     "now: activate a sheet that divides it as before (vanctl map activate %.*s) and reprocess this message, or drop it (vanctl message reject) "
					     "and ask the sender for its documents anew", SLICE_ARG(then), SLICE_ARG(name));
}
