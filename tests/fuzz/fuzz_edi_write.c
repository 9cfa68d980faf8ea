/* Fuzz target: what is written again. An interchange that was put right stays as it is when it is put right again, and its messages have
 * the same segments; messages that are copied into another envelope give one without errors of its form. */
#include "edi/check.h"
#include "edi/write_copy.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct edi_dictionary_set *none; /* envelopes are looked at alone */

static struct edi_report *envelopes(struct slice s, struct van_arena *arena)
{
	const struct edi_check_options options = {.envelopes_only = true, .max_segment = (size_t)16 << 20};
	struct edi_report *r = NULL;
	return edi_check_bytes(s, none, &options, arena, &r, NULL) == 0 ? r : NULL;
}

static void twice(struct slice interchange, const struct edi_interchange *i, struct van_arena *arena)
{
	struct van_buf once = VAN_BUF_INIT((size_t)64 << 20), again = VAN_BUF_INIT((size_t)64 << 20);
	if (edi_rewrite(interchange, NULL, &once) == 0) {
		const struct edi_report *r = envelopes(van_buf_slice(&once), arena);
		if (!r || r->interchange_count != 1 || r->junk || edi_rewrite(van_buf_slice(&once), NULL, &again) < 0 ||
		    !slice_eq(van_buf_slice(&once), van_buf_slice(&again)))
			abort();
		/* what is no control number, or no party, may have lost separators at its end */
		if (!i->errors && (!slice_eq(r->interchanges->control_number, i->control_number) || !slice_eq(r->interchanges->sender, i->sender)))
			abort();
	}
	van_buf_free(&once);
	van_buf_free(&again);
}

static const struct edi_error *hard(const struct edi_error *e)
{
	while (e && (e->tolerated || strcmp(e->list, "0085") == 0)) /* EDIFACT: what is in the messages' own heads stays */
		e = e->next;
	return e;
}

static void copy_all(struct slice input, const struct edi_interchange *i, struct van_arena *arena)
{
	const struct edi_outbound_terms terms = {.standard = i->standard, .sender = SLICE("ZZ:AA"), .receiver = SLICE("ZZ:BB"), .usage = 'P',
		.when = van_time_civil((van_time)1768470000 * VAN_SECOND),
		.version = i->standard == EDI_X12 ? SLICE("00501") : SLICE("UNOY:4"),
		.delimiters = i->standard == EDI_X12 ? (struct edi_delimiters){0x1d, 0x1f, 0x1e, 0, 0x1c} : (struct edi_delimiters){0}};
	const struct edi_delimiters d = {i->delimiters.element, i->delimiters.component, i->delimiters.repetition, i->delimiters.release,
		i->delimiters.terminator};
	struct edi_outbound w;
	struct edi_output made;
	struct van_buf text = VAN_BUF_INIT((size_t)64 << 20);
	const uint32_t one[1] = {1};
	uint64_t messages = 0;
	if (edi_outbound_begin(&w, &terms, arena, NULL) < 0)
		abort();
	edi_outbound_group(&w, &(struct edi_group_terms){.code = SLICE("PO"), .version = i->standard == EDI_X12 ? SLICE("005010") : SLICE("D:96A")});
	int rc = 0;
	for (const struct edi_group *g = i->groups; g && rc == 0; g = g->next)
		for (const struct edi_message *m = g->messages; m && rc == 0; m = m->next, messages++) {
			if (slice_is(m->type, "UNO")) { /* objects are passed on where they are */
				edi_outbound_free(&w);
				return;
			}
			edi_outbound_message(&w, SLICE("850"), SLICE("D:96A"), SLICE("UN"), SLICE(""));
			rc = edi_outbound_copy(&w, slice_make(input.p + m->offset, m->length), &d);
			edi_outbound_message_end(&w);
		}
	if (rc == 0 && edi_outbound_finish(&w, &made, NULL) == 0 && edi_output_render(&made, one, one, &text) == 0) {
		const struct edi_report *r = envelopes(van_buf_slice(&text), arena);
		if (!r || r->interchange_count != 1 || r->messages != messages || r->junk || hard(r->interchanges->errors) ||
		    hard(r->interchanges->groups->errors))
			abort();
	}
	edi_outbound_free(&w);
	van_buf_free(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice input = slice_make(data, size);
	struct van_arena *arena = van_arena_new(0);
	const struct edi_report *r = arena ? envelopes(input, arena) : NULL;
	for (const struct edi_interchange *i = r ? r->interchanges : NULL; i; i = i->next) {
		twice(slice_make(input.p + i->offset, i->length), i, arena);
		if (r->interchange_count < 20)
			copy_all(input, i, arena);
	}
	van_arena_free(arena);
	return 0;
}
