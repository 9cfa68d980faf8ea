/* Fuzz target: lexer, envelopes, validation, acknowledgements and the 850's map over any bytes. Two chunkings must agree. */
#include "edi/ack.h"
#include "edi/check.h"
#include "map/map.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct edi_dictionary_set *dictionaries;
static struct map_set *maps;

static void load(void)
{
	const char *root = getenv("VAN_SRCDIR");
	char path[4096];
	struct van_error e = {0};
	snprintf(path, sizeof path, "%s/dict", root ? root : ".");
	if (edi_dictionary_set_open(path, &dictionaries, &e) < 0)
		abort();
	snprintf(path, sizeof path, "%s/maps", root ? root : ".");
	if (map_set_open(path, &maps, &e) < 0)
		abort();
}

static int count_message(void *ctx, const struct edi_message *m)
{
	uint64_t *n = ctx;
	*n = *n * 31 + m->error_count * 7 + m->segments + m->offset + m->length;
	return 0;
}

static uint64_t in_chunks(struct slice input, size_t chunk)
{
	uint64_t n = 0;
	const struct edi_check_sink sink = {.message_end = count_message, .ctx = &n};
	const struct edi_check_options options = {.max_segment = 300};
	struct edi_checker *c = edi_checker_new(dictionaries, &options, &sink);
	for (size_t at = 0; c && at < input.n; at += chunk)
		edi_checker_feed(c, slice_make(input.p + at, input.n - at < chunk ? input.n - at : chunk), false);
	if (c)
		edi_checker_feed(c, slice_make("", 0), true);
	edi_checker_free(c);
	return n;
}

static void answer(struct slice input, const struct edi_interchange *i, struct van_arena *arena)
{
	struct edi_output ack;
	if (edi_ack_write(i, &(struct edi_ack_options){.ta1 = true, .accepted_messages = true}, 0, arena, &ack, NULL) < 0)
		return;
	struct map_delimiters d = {i->delimiters.element, i->delimiters.component, i->delimiters.repetition, i->delimiters.release,
		i->delimiters.terminator};
	const struct map *map = map_find(maps, SLICE("x12-004010-850-to-order"));
	for (const struct edi_group *g = i->groups; g; g = g->next)
		for (const struct edi_message *m = g->messages; m; m = m->next) {
			struct van_buf out = VAN_BUF_INIT((size_t)1 << 20);
			if (m->offset > input.n || m->length > input.n - m->offset)
				abort();
			map_run(map, slice_make(input.p + m->offset, m->length), d, NULL, NULL, &out, NULL);
			van_buf_free(&out);
		}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice input = slice_make(data, size);
	struct edi_report *r = NULL;
	if (!dictionaries)
		load();
	struct van_arena *arena = van_arena_new(0);
	if (size < 20000 && in_chunks(input, 1) != in_chunks(input, size ? size : 1))
		abort();
	if (arena && edi_check_bytes(input, dictionaries, NULL, arena, &r, NULL) == 0)
		for (const struct edi_interchange *i = r->interchanges; i; i = i->next)
			answer(input, i, arena);
	van_arena_free(arena);
	return 0;
}
