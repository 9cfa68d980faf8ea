/* vanctl edi convert --to canonical: a document for each message. */
#include "map/tree.h"
#include "vanctl/edi_map.h"

/* One document stands alone, several are an array: the first is held until there is a second. */
static int convert(struct edi_map *x, void *ctx, const struct edi_map_message *m)
{
	struct tree *document = NULL;
	const struct van_buf *to = ctx;
	if (!m)
		return EDI_DONE;
	map_run_reset(x->run);
	int status = edi_map_read(x, m, x->c->map, &document);
	if (status != EDI_DONE)
		return status;
	if (x->documents > 1)
		van_buf_append_char(&x->out, ',');
	edi_map_report(x, m->message->control_number, false);
	if (tree_write(document, !x->c->json, &x->out) < 0)
		return edi_fail(EDI_USAGE, "the documents need more memory than 4 GiB");
	return to || x->documents == 1 ? EDI_DONE : edi_map_flow(x, false);
}

int edi_run_to_canonical(const struct edi_command *c, struct edi_input *in, struct van_buf *to)
{
	struct edi_map x;
	int status = edi_map_open(&x, c);
	van_buf_append_char(&x.out, '['); /* dropped when there is but one */
	if (status == EDI_DONE)
		status = edi_map_each(&x, in, convert, to);
	if (status == EDI_DONE) {
		if (x.documents > 1)
			van_buf_append_str(&x.out, "]\n");
		else if (c->json)
			van_buf_append_char(&x.out, '\n');
		if (x.documents == 1)
			van_buf_consume(&x.out, 1);
		edi_map_tell(&x);
		if (!to)
			status = edi_map_flow(&x, true);
	}
	if (status == EDI_DONE && to) {
		*to = x.out;
		x.out = (struct van_buf){0};
	}
	edi_map_close(&x);
	return status;
}
