/* Fuzz target: any bytes as EDI to JSON and XML and back give the same document again, in two chunkings; any bytes as a document
 * are read or refused. */
#include "map/form.h"

#include "base/buf.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int take(void *ctx, struct slice bytes)
{
	return van_buf_append_slice(ctx, bytes);
}

static int write_form(enum form form, struct slice in, size_t chunk, struct van_buf *to)
{
	struct form_writer *w = form_writer_new(form, NULL, take, to);
	int rc = w ? 0 : VAN_ENOMEM;
	for (size_t at = 0; rc == 0 && at < in.n; at += chunk)
		rc = form_writer_feed(w, slice_make(in.p + at, in.n - at < chunk ? in.n - at : chunk), false, NULL);
	if (rc == 0)
		rc = form_writer_feed(w, SLICE(""), true, NULL);
	form_writer_free(w);
	return rc;
}

static int read_form(enum form form, struct slice in, size_t chunk, struct van_buf *to)
{
	struct form_reader *r = form_reader_new(form, NULL, take, to);
	int rc = r ? 0 : VAN_ENOMEM;
	for (size_t at = 0; rc == 0 && at < in.n; at += chunk)
		rc = form_reader_feed(r, slice_make(in.p + at, in.n - at < chunk ? in.n - at : chunk), false, NULL);
	if (rc == 0)
		rc = form_reader_feed(r, SLICE(""), true, NULL);
	form_reader_free(r);
	return rc;
}

static void there_and_back(enum form form, struct slice in)
{
	struct van_buf document = {0}, same = {0}, back = {0};
	int rc = write_form(form, in, in.n ? in.n : 1, &document), again = write_form(form, in, 3, &same);
	if (rc != again || (rc == 0 && !slice_eq(van_buf_slice(&document), van_buf_slice(&same))))
		abort();
	if (rc == 0 && read_form(form, van_buf_slice(&document), document.n, &back) < 0)
		abort();
	van_buf_free(&document);
	van_buf_free(&same);
	van_buf_free(&back);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice in = slice_make(data, size);
	for (int form = FORM_JSON; form <= FORM_XML; form++) {
		struct van_buf out = {0}, same = {0};
		int rc = read_form((enum form)form, in, size ? size : 1, &out);
		if (size < 20000 && (read_form((enum form)form, in, 1, &same) == 0) != (rc == 0))
			abort();
		if (rc == 0 && size < 20000 && !slice_eq(van_buf_slice(&out), van_buf_slice(&same)))
			abort();
		van_buf_free(&out);
		van_buf_free(&same);
		if (size < 200000)
			there_and_back((enum form)form, in);
	}
	return 0;
}
