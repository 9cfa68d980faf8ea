/* vanctl edi convert --to ubl-xml, csv, canonical: canonical documents one after the other, into one file. */
#include "map/flat.h"
#include "map/ubl.h"
#include "vanctl/edi_input.h"
#include "vanctl/edi_sheets.h"

#include <stdio.h>
#include <stdlib.h>

#define LARGEST ((size_t)4 << 30)
#define HELD ((size_t)64 << 10) /* output that waits for the end, or for more */

struct edi_sink {
	const struct edi_command *c;
	enum { SINK_CANONICAL, SINK_UBL, SINK_CSV } kind;
	uint32_t count;            /* documents so far */
	struct van_buf out;
	struct tree_room room;     /* for what is made on the way */
	/* CSV */
	struct edi_sheets sheets;
	struct flat_writer *writer;
};

int edi_sink_open(const struct edi_command *c, struct edi_sink **ret)
{
	struct edi_sink *s = calloc(1, sizeof *s);
	if (!s)
		return edi_fail(EDI_USAGE, "no memory");
	s->c = c;
	s->kind = strcmp(c->to, "ubl-xml") == 0 ? SINK_UBL : strcmp(c->to, "csv") == 0 ? SINK_CSV : SINK_CANONICAL;
	s->out = VAN_BUF_INIT(LARGEST);
	s->room.arena = van_arena_new(EDI_DOCUMENT_MEMORY);
	*ret = s;
	return s->room.arena ? EDI_DONE : edi_fail(EDI_USAGE, "no memory");
}

void edi_sink_close(struct edi_sink *s)
{
	if (!s)
		return;
	flat_writer_free(s->writer);
	edi_sheets_close(&s->sheets);
	van_arena_free(s->room.arena);
	van_buf_free(&s->out);
	free(s);
}

static int flow(struct edi_sink *s, bool last)
{
	if (!last && s->out.n < HELD)
		return EDI_DONE;
	if (van_buf_error(&s->out))
		return edi_fail(EDI_USAGE, "no memory");
	return edi_flush(&s->out) < 0 ? edi_fail(EDI_USAGE, "standard output cannot be written") : EDI_DONE;
}

/* --- JSON: one document stands alone, several are an array ------------------------------------------------------------------------- */

static int put_json(struct edi_sink *s, const struct tree *document)
{
	van_buf_append_char(&s->out, s->count == 1 ? '[' : ',');
	if (tree_write(document, !s->c->json, &s->out) < 0)
		return edi_fail(EDI_USAGE, "no memory");
	return s->count == 1 ? EDI_DONE : flow(s, false);
}

static void end_json(struct edi_sink *s)
{
	if (s->count > 1) {
		van_buf_append_str(&s->out, "]\n");
	} else if (s->count == 1) {
		van_buf_consume(&s->out, 1);
		if (s->c->json)
			van_buf_append_char(&s->out, '\n');
	}
}

/* --- UBL: one document, out of several the one that --document names ---------------------------------------------------------------- */

static void print_remark(void *ctx, enum ubl_remark what, struct slice path)
{
	const struct edi_sink *s = ctx;
	fprintf(stderr, "vanctl edi: %s: %s: %.*s\n", s->c->file, what == UBL_LEFT_OUT ? "left out, UBL 2.1 has no place for it" : "UBL 2.1 wants it", SLICE_ARG(path));
}

static int put_ubl(struct edi_sink *s, const struct tree *document)
{
	struct van_error e = {0};
	uint32_t wanted = s->c->document ? s->c->document : 1;
	if (s->count != wanted)
		return EDI_DONE;
	return ubl_write(document, &s->room, &s->out, print_remark, s, &e) < 0 ? edi_fail(EDI_NO, "%s: %s", s->c->file, e.text) : EDI_DONE;
}

static int end_ubl(struct edi_sink *s)
{
	bool one = s->count == 1 && s->c->document <= 1, named = s->c->document && s->c->document <= s->count;
	return one || named ? EDI_DONE : edi_fail(EDI_NO, "%s: it has %u documents, and a UBL file holds one; name it with --document 1 to %u", s->c->file, s->count, s->count);
}

/* --- CSV ------------------------------------------------------------------------------------------------------------------------------- */

static void print_rest(void *ctx, struct slice place)
{
	const struct edi_sink *s = ctx;
	fprintf(stderr, "vanctl edi: %s: left out, no row of the sheet takes it: %.*s\n", s->c->file, SLICE_ARG(place));
}

static const struct flat_sheet *choose(const struct edi_sink *s, const struct tree *document)
{
	const struct tree *kind = document->kind == TREE_OBJECT ? tree_find(document, SLICE("_document")) : NULL;
	if (s->c->sheet)
		return edi_sheets_flat(&s->sheets, s->c->sheet);
	const struct flat_sheet *found = kind ? flat_find_out(s->sheets.installed, kind->text) : NULL;
	if (!found)
		edi_fail(EDI_NO, "%s: there is no flat sheet, or more than one, that writes %.*s; name one with --sheet", s->c->file, kind ? (int)kind->text.n : 3,
			 kind ? kind->text.p : "it?");
	return found;
}

static int open_writer(struct edi_sink *s, const struct tree *document)
{
	int status = edi_sheets_open(s->c->sheet, NULL, &s->sheets);
	const struct flat_sheet *sheet = status == EDI_DONE ? choose(s, document) : NULL;
	if (!sheet)
		return s->c->sheet ? EDI_USAGE : EDI_NO;
	s->writer = flat_writer_new(sheet, print_rest, s);
	return s->writer ? EDI_DONE : edi_fail(EDI_USAGE, "no memory");
}

static int put_csv(struct edi_sink *s, const struct tree *document)
{
	struct van_error e = {0};
	int status = s->writer ? EDI_DONE : open_writer(s, document);
	if (status == EDI_DONE && flat_writer_document(s->writer, &s->room, document, &s->out, &e) < 0)
		status = edi_fail(EDI_NO, "%s: %s", s->c->file, e.text);
	return status == EDI_DONE ? flow(s, false) : status;
}

/* --- all --------------------------------------------------------------------------------------------------------------------------------- */

int edi_sink_document(void *sink, const struct tree *document)
{
	struct edi_sink *s = sink;
	s->count++;
	van_arena_reset(s->room.arena);
	s->room = (struct tree_room){.arena = s->room.arena, .left = EDI_DOCUMENT_VALUES};
	switch (s->kind) {
	case SINK_UBL: return put_ubl(s, document);
	case SINK_CSV: return put_csv(s, document);
	default: return put_json(s, document);
	}
}

int edi_sink_end(struct edi_sink *s)
{
	int status = EDI_DONE;
	if (s->kind == SINK_UBL)
		status = end_ubl(s);
	else if (s->kind == SINK_CANONICAL)
		end_json(s);
	if (status == EDI_DONE && !s->count)
		status = edi_fail(EDI_NO, "%s: there is no document to convert", s->c->file);
	return status == EDI_DONE ? flow(s, true) : status;
}
