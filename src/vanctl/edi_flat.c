/* vanctl edi convert --sheet of CSV documents: the input becomes canonical JSON, as it is read. */
#include "map/flat.h"
#include "vanctl/edi_input.h"
#include "vanctl/edi_sheets.h"

#include <stdlib.h>

struct edi_flat {
	const struct edi_command *c;
	struct edi_input file;   /* the CSV */
	struct edi_sheets sheets;
	struct flat_reader *reader;
	struct van_buf chunk, json;
	uint64_t documents;
	bool ended;
};

/* Several are an array, one is a list of one: whoever reads them takes both. */
static int take_document(void *ctx, struct tree *document)
{
	struct edi_flat *f = ctx;
	van_buf_append_char(&f->json, f->documents++ ? ',' : '[');
	return tree_write(document, false, &f->json);
}

static int make(void *ctx, struct slice *ret)
{
	struct edi_flat *f = ctx;
	struct van_error e = {0};
	van_buf_reset(&f->json);
	while (!f->json.n && !f->ended) {
		size_t n = 0;
		van_buf_reset(&f->chunk);
		int status = edi_input_next(&f->file, &f->chunk, "no memory", &n);
		if (status != EDI_DONE)
			return status;
		if (flat_reader_feed(f->reader, van_buf_slice(&f->chunk), !n, &e) < 0)
			return edi_fail(EDI_NO, "%s: %s", f->c->file, e.text[0] ? e.text : "no memory");
		f->ended = !n;
		if (f->ended)
			van_buf_append_char(&f->json, ']');
	}
	*ret = van_buf_slice(&f->json);
	return EDI_DONE;
}

static int open_sheet(struct edi_flat *f)
{
	int status = edi_sheets_open(f->c->sheet, NULL, &f->sheets);
	const struct flat_sheet *s = status == EDI_DONE ? edi_sheets_flat(&f->sheets, f->c->sheet) : NULL;
	if (!s)
		return EDI_USAGE;
	f->reader = flat_reader_new(s, EDI_DOCUMENT_MEMORY, EDI_DOCUMENT_VALUES, take_document, f);
	return f->reader ? EDI_DONE : edi_fail(EDI_USAGE, "no memory");
}

int edi_flat_open(const struct edi_command *c, struct edi_input *in, struct edi_flat **ret)
{
	struct edi_flat *f = *ret = calloc(1, sizeof *f);
	if (!f)
		return edi_fail(EDI_USAGE, "no memory");
	f->c = c;
	f->chunk = VAN_BUF_INIT(0);
	f->json = VAN_BUF_INIT(0);
	f->file = *in;
	*in = (struct edi_input){.name = f->file.name, .fd = -1, .make = make, .ctx = f};
	int status = open_sheet(f);
	return status == EDI_DONE ? make(f, &in->head) : status; /* what it begins with says what it is */
}

void edi_flat_close(struct edi_flat *f)
{
	if (!f)
		return;
	edi_input_close(&f->file);
	flat_reader_free(f->reader);
	edi_sheets_close(&f->sheets);
	van_buf_free(&f->chunk);
	van_buf_free(&f->json);
	free(f);
}
