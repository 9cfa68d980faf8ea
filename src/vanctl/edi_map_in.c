/* vanctl edi convert --to canonical: a document for each message. */
#include "map/tree.h"
#include "vanctl/edi_map.h"

/* One document stands alone, several are an array. */
static int convert(struct edi_map *x, void *ctx, const struct edi_map_message *m)
{
	struct tree *document = NULL;
	(void)ctx;
	if (!m)
		return EDI_DONE;
	map_run_reset(x->run);
	int status = edi_map_read(x, m, x->c->map, &document);
	if (status != EDI_DONE)
		return status;
	if (x->documents > 1)
		van_buf_append_char(&x->out, ',');
	edi_map_report(x, m->message->control_number, false);
	return tree_write(document, !x->c->json, &x->out) < 0 ? edi_fail(EDI_USAGE, "the documents need more memory than 4 GiB") : EDI_DONE;
}

int edi_run_to_canonical(const struct edi_command *c, struct slice in, struct van_buf *to)
{
	struct edi_map x;
	int status = edi_map_open(&x, c);
	van_buf_append_char(&x.out, '['); /* dropped when there is but one */
	if (status == EDI_DONE)
		status = edi_map_each(&x, in, convert, NULL);
	if (status == EDI_DONE) {
		if (x.documents > 1)
			van_buf_append_str(&x.out, "]\n");
		else if (c->json)
			van_buf_append_char(&x.out, '\n');
		if (x.documents == 1)
			van_buf_consume(&x.out, 1);
		edi_map_tell(&x);
		*to = x.out;
		x.out = (struct van_buf){0};
	}
	edi_map_close(&x);
	return status;
}
