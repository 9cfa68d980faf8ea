#include "map/form_private.h"

#include <stdlib.h>

struct form_reader {
	struct form_builder builder;
	struct form_json_reader *json;
	struct form_xml_reader *xml;
};

struct form_reader *form_reader_new(enum form form, const struct form_options *options, form_output_fn fn, void *ctx)
{
	struct form_reader *r = calloc(1, sizeof *r);
	if (!r)
		return NULL;
	struct form_builder *b = &r->builder;
	if (options)
		b->options = *options;
	if (!b->options.max_segment || b->options.max_segment > FORM_SEGMENT_MAX)
		b->options.max_segment = FORM_SEGMENT_MAX;
	b->fn = fn;
	b->ctx = ctx;
	b->line = 1;
	b->out = b->bytes = VAN_BUF_INIT(4 * FORM_SEGMENT_MAX);
	if (form == FORM_JSON)
		r->json = form_json_reader_new(b);
	else
		r->xml = form_xml_reader_new(b);
	if (!r->json && !r->xml) {
		form_reader_free(r);
		return NULL;
	}
	return r;
}

void form_reader_free(struct form_reader *r)
{
	if (!r)
		return;
	form_json_reader_free(r->json);
	form_xml_reader_free(r->xml);
	van_buf_free(&r->builder.out);
	van_buf_free(&r->builder.bytes);
	free(r);
}

int form_reader_feed(struct form_reader *r, struct slice chunk, bool last, struct van_error *e)
{
	struct form_builder *b = &r->builder;
	int rc = r->json ? form_json_reader_feed(r->json, chunk, last) : form_xml_reader_feed(r->xml, chunk, last);
	if (rc < 0 && e) {
		if (b->error.code)
			*e = b->error;
		else
			van_error_set(e, (enum van_err)rc, "converting failed: %s", van_err_name(rc));
	}
	return rc;
}

struct form_counts form_reader_counts(const struct form_reader *r)
{
	return r->builder.counts;
}
