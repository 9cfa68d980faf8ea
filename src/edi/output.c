#include "edi/output.h"

#include "base/error.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

int edi_slot_render(const struct edi_output_part *p, uint32_t number, char to[static EDI_SLOT_MAX], size_t *ret_length)
{
	int n = snprintf(to, EDI_SLOT_MAX, "%0*" PRIu32, (int)(p->width < 10 ? p->width : 10), number);
	if (!number || (p->width && n > (int)p->width))
		return VAN_EINVAL;
	*ret_length = (size_t)n;
	return 0;
}

int edi_output_render(const struct edi_output *o, const uint32_t *interchange, const uint32_t *group, struct van_buf *to)
{
	for (size_t i = 0; i < o->part_count; i++) {
		const struct edi_output_part *p = &o->parts[i];
		char digits[EDI_SLOT_MAX];
		size_t n;
		if (p->bytes.p)
			van_buf_append_slice(to, p->bytes);
		else if (edi_slot_render(p, p->level == EDI_LEVEL_INTERCHANGE ? interchange[p->index] : group[p->index], digits, &n) == 0)
			van_buf_append(to, digits, n);
		else
			return VAN_EINVAL;
	}
	return van_buf_error(to);
}

/* --- while it is written ----------------------------------------------------------------------------------------------- */

void edi_draft_free(struct edi_draft *d)
{
	van_buf_free(&d->text);
	free(d->slots);
	d->slots = NULL;
	d->n = d->room = 0;
}

void edi_draft_reset(struct edi_draft *d)
{
	van_buf_reset(&d->text);
	d->n = 0;
}

static void put_number(struct edi_draft *d, uint32_t number, uint32_t width)
{
	const struct edi_output_part part = {.width = width};
	char digits[EDI_SLOT_MAX];
	size_t n;
	if (edi_slot_render(&part, number, digits, &n) == 0)
		van_buf_append(&d->text, digits, n);
	else if (!d->text.error)
		d->text.error = VAN_EINVAL;
}

void edi_draft_slot(struct edi_draft *d, enum edi_level level, uint32_t index, uint32_t width)
{
	uint32_t first = level < EDI_LEVEL_MESSAGE ? d->known[level] : 0;
	if (first) {
		put_number(d, (uint32_t)(((uint64_t)first - 1 + index) % 999999999 + 1), width);
		return;
	}
	if (d->n == d->room) {
		size_t room = d->room ? 2 * d->room : 16;
		struct edi_slot *more = realloc(d->slots, room * sizeof *more);
		if (!more) {
			d->text.error = VAN_ENOMEM;
			return;
		}
		d->slots = more;
		d->room = room;
	}
	d->slots[d->n++] = (struct edi_slot){d->text.n, level, index, width};
}

/* Literal bytes and slots in turn. */
static void add_parts(const struct edi_draft *d, struct slice text, struct edi_output *to)
{
	size_t at = 0;
	for (size_t i = 0; i <= d->n; i++) {
		size_t end = i < d->n ? d->slots[i].at : text.n;
		if (end > at)
			to->parts[to->part_count++] = (struct edi_output_part){.bytes = slice_make(text.p + at, end - at)};
		if (i < d->n)
			to->parts[to->part_count++] = (struct edi_output_part){.bytes = SLICE_NONE, .level = d->slots[i].level,
				.index = d->slots[i].index, .width = d->slots[i].width};
		at = end;
	}
}

int edi_drafts_output(const struct edi_draft *const *drafts, size_t n, bool copy, struct van_arena *arena, struct edi_output *ret)
{
	size_t parts = 0;
	for (size_t i = 0; i < n; i++) {
		if (drafts[i]->text.error)
			return drafts[i]->text.error;
		parts += 2 * drafts[i]->n + 1;
	}
	ret->part_count = 0;
	ret->parts = van_arena_array(arena, parts, sizeof *ret->parts);
	if (!ret->parts)
		return VAN_ENOMEM;
	for (size_t i = 0; i < n; i++) {
		struct slice text = van_buf_slice(&drafts[i]->text);
		if (copy && !(text = van_arena_slice(arena, text)).p)
			return VAN_ENOMEM;
		add_parts(drafts[i], text, ret);
	}
	return 0;
}
