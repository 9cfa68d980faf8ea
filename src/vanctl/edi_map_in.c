/* vanctl edi convert --to canonical: a document for each message. */
#include "map/tree.h"
#include "vanctl/edi_map.h"

struct sink {
	edi_document_fn fn; /* NULL: they are printed */
	void *ctx;
};

/* One document stands alone, several are an array: the first is held until there is a second. */
static int print(struct edi_map *x, const struct tree *document)
{
	if (x->documents > 1)
		van_buf_append_char(&x->out, ',');
	if (tree_write(document, !x->c->json, &x->out) < 0)
		return edi_fail(EDI_USAGE, "the documents need more memory than 4 GiB");
	return x->documents == 1 ? EDI_DONE : edi_map_flow(x, false);
}

static int convert(struct edi_map *x, void *ctx, const struct edi_map_message *m)
{
	struct tree *document = NULL;
	const struct sink *to = ctx;
	if (!m)
		return EDI_DONE;
	map_run_reset(x->run);
	int status = edi_map_read(x, m, x->c->map, &document);
	if (status != EDI_DONE)
		return status;
	edi_map_report(x, m->message->control_number, false);
	return to->fn ? to->fn(to->ctx, document) : print(x, document);
}

static int end(struct edi_map *x)
{
	if (x->documents > 1)
		van_buf_append_str(&x->out, "]\n");
	else if (x->c->json)
		van_buf_append_char(&x->out, '\n');
	if (x->documents == 1)
		van_buf_consume(&x->out, 1);
	return edi_map_flow(x, true);
}

int edi_run_to_canonical(const struct edi_command *c, struct edi_input *in, edi_document_fn fn, void *ctx)
{
	struct edi_map x;
	struct sink to = {fn, ctx};
	int status = edi_map_open(&x, c);
	if (!fn)
		van_buf_append_char(&x.out, '['); /* dropped when there is but one */
	if (status == EDI_DONE)
		status = edi_map_each(&x, in, convert, &to);
	if (status == EDI_DONE) {
		edi_map_tell(&x);
		status = fn ? EDI_DONE : end(&x);
	}
	edi_map_close(&x);
	return status;
}
