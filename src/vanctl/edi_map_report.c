/* The report of a translation: what did not go along; with --explain, for everything where it came from. */
#include "base/fdio.h"
#include "base/record.h"
#include "vanctl/edi_map.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#define HELD ((size_t)64 << 10)

static const char *const kinds[] = {[MAP_NOTE_TAKEN] = "taken", [MAP_NOTE_WRITTEN] = "written", [MAP_NOTE_UNMAPPED] = "unmapped",
	[MAP_NOTE_UNWRITTEN] = "unwritten", [MAP_NOTE_CUT] = "cut"};

static void put_json(struct edi_map *x, struct slice message, const struct map_note *n)
{
	struct van_buf *b = &x->report;
	van_buf_append_str(b, x->report_begun ? ",\n" : "{\"notes\":[");
	x->report_begun = true;
	van_buf_append_str(b, "{\"message\":");
	json_put_text(b, message);
	van_buf_printf(b, ",\"what\":\"%s\",\"map\":", kinds[n->kind]);
	json_put_text(b, slice_str(map_name(n->map)));
	if (n->row)
		van_buf_printf(b, ",\"row\":%u", n->row);
	else
		van_buf_append_str(b, ",\"row\":null");
	van_buf_append_str(b, ",\"target\":");
	json_put_text(b, n->place);
	van_buf_append_str(b, ",\"segment\":");
	json_put_text(b, n->segment);
	if (n->segment.p)
		van_buf_printf(b, ",\"position\":%" PRIu32 ",\"element\":%" PRIu32 ",\"component\":%" PRIu32, n->position, n->element, n->component);
	else
		van_buf_append_str(b, ",\"position\":null,\"element\":null,\"component\":null");
	van_buf_append_str(b, ",\"loop\":");
	json_put_text(b, n->loop);
	van_buf_append_str(b, ",\"value\":");
	json_put_text(b, n->value);
	van_buf_append_char(b, '}');
}

/* "BEG.03 (segment 2)" */
static void put_source(struct van_buf *b, const struct map_note *n)
{
	van_buf_printf(b, "%.*s.%02u", SLICE_ARG(n->segment), n->element);
	if (n->component)
		van_buf_printf(b, ".%02u", n->component);
	if (n->loop.p)
		van_buf_printf(b, " of %.*s", SLICE_ARG(n->loop));
	if (n->position)
		van_buf_printf(b, " (segment %" PRIu32 ")", n->position);
}

static void put_text(struct edi_map *x, struct slice message, const struct map_note *n)
{
	struct van_buf *b = &x->report;
	van_buf_printf(b, "message %.*s: ", SLICE_ARG(message));
	switch (n->kind) {
	case MAP_NOTE_TAKEN:
		van_buf_printf(b, "%.*s from ", SLICE_ARG(n->place));
		if (n->segment.p)
			put_source(b, n);
		else
			van_buf_append_str(b, "the row itself");
		break;
	case MAP_NOTE_WRITTEN:
		put_source(b, n);
		van_buf_printf(b, " from %.*s", SLICE_ARG(n->place));
		break;
	case MAP_NOTE_UNMAPPED:
		put_source(b, n);
		van_buf_append_str(b, " taken by no row");
		break;
	case MAP_NOTE_UNWRITTEN:
		van_buf_printf(b, "%.*s written by no row", SLICE_ARG(n->place));
		break;
	case MAP_NOTE_CUT:
		van_buf_printf(b, "%.*s was too long and is cut", SLICE_ARG(n->place));
		break;
	}
	van_buf_printf(b, ": '%.*s'; map %s", SLICE_ARG(n->value), map_name(n->map));
	if (n->row)
		van_buf_printf(b, ", row %u", n->row);
	van_buf_append_char(b, '\n');
}

void edi_map_report(struct edi_map *x, struct slice message, bool chain)
{
	x->untold += map_run_count(x->run, MAP_NOTE_UNWRITTEN) + map_run_count(x->run, MAP_NOTE_CUT) +
	             (chain ? map_run_count(x->run, MAP_NOTE_UNMAPPED) : 0);
	for (const struct map_note *n = x->c->explain ? map_run_notes(x->run) : NULL; n; n = n->next) {
		if (x->c->json)
			put_json(x, message.p ? message : SLICE(""), n);
		else
			put_text(x, message.p ? message : SLICE("1"), n);
	}
}

/* `most`: what may be held back. */
static int flow(struct van_buf *b, int fd, size_t most)
{
	int rc = van_buf_error(b);
	if (rc == 0 && b->n > most) {
		rc = fd_write_all(fd, b->p, b->n);
		van_buf_reset(b);
	}
	return rc;
}

int edi_map_flow(struct edi_map *x, bool last)
{
	if (flow(&x->out, STDOUT_FILENO, last ? 0 : HELD) < 0)
		return edi_fail(EDI_USAGE, "standard output cannot be written");
	if (flow(&x->report, STDERR_FILENO, HELD) < 0)
		return edi_fail(EDI_USAGE, "the report cannot be written");
	return EDI_DONE;
}

void edi_map_tell(struct edi_map *x)
{
	if (x->c->explain && x->c->json)
		van_buf_append_str(&x->report, x->report_begun ? "]}\n" : "{\"notes\":[]}\n");
	flow(&x->report, STDERR_FILENO, 0);
	if (x->untold && !x->c->explain)
		fprintf(stderr, "vanctl edi: %s: %" PRIu64 " value%s did not go along; --explain lists %s\n", x->c->file, x->untold,
			x->untold == 1 ? "" : "s", x->untold == 1 ? "it" : "them");
}
