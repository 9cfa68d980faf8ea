/* vanctl edi convert: what the input is, and which way it goes. By maps: edi_map.c; from UBL: edi_ubl.c; from CSV: edi_flat.c; to
 * documents of any form: edi_sink.c; without a map JSON and XML hold the same segments: edi_form.c. */
#include "map/ubl.h"
#include "vanctl/edi_input.h"

#define LARGEST ((size_t)4 << 30)

enum input { INPUT_EDI, INPUT_FORM, INPUT_DOCUMENT, INPUT_UBL, INPUT_FLAT };

static bool contains(struct slice s, const char *word)
{
	size_t n = strlen(word);
	for (size_t i = 0; i + n <= s.n; i++)
		if (memcmp(s.p + i, word, n) == 0)
			return true;
	return false;
}

/* A document of a map says so early; JSON and XML without a map begin with their format. */
static enum input what_is(struct slice s)
{
	if (ubl_looks_like(s))
		return INPUT_UBL;
	if (slice_starts(s, "\xef\xbb\xbf"))
		s = slice_make(s.p + 3, s.n - 3);
	s = slice_trim(s);
	if (!s.n || !strchr("{[<", *s.p))
		return INPUT_EDI;
	return *s.p == '[' || contains(s, "\"_document\"") ? INPUT_DOCUMENT : INPUT_FORM;
}

/* The first bytes of the input, as many as come at once. */
static int read_head(const struct edi_command *c, struct van_buf *head, struct edi_input *in)
{
	size_t n;
	*in = (struct edi_input){.name = c->file, .fd = edi_open(c)};
	if (in->fd < 0)
		return EDI_USAGE;
	int status = edi_input_next(in, head, "no memory", &n);
	in->head = van_buf_slice(head);
	return status;
}

static int to_document(const struct edi_command *c, enum input input, struct edi_input *in)
{
	bool canonical = strcmp(c->to, "ubl-xml") != 0 && strcmp(c->to, "csv") != 0;
	struct edi_sink *sink = NULL;
	if (input == INPUT_EDI && canonical)
		return edi_run_to_canonical(c, in, NULL, NULL);
	int status = edi_sink_open(c, &sink);
	if (status == EDI_DONE)
		status = input == INPUT_EDI ? edi_run_to_canonical(c, in, edi_sink_document, sink) : edi_input_documents(in, edi_sink_document, sink);
	if (status == EDI_DONE)
		status = edi_sink_end(sink);
	edi_sink_close(sink);
	return status;
}

/* Documents of another form become canonical JSON: that is the input from now on. */
static int to_json(const struct edi_command *c, enum input *input, struct edi_input *in, struct van_buf *json, struct edi_flat **flat)
{
	int status = EDI_DONE;
	if (*input == INPUT_UBL) {
		status = edi_ubl_read(c, in->fd, in->head, json);
		in->fd = -1; /* it is closed */
		in->head = van_buf_slice(json);
	} else if (*input == INPUT_FLAT) {
		status = edi_flat_open(c, in, flat);
	} else {
		return EDI_DONE;
	}
	*input = INPUT_DOCUMENT;
	return status;
}

static int convert(const struct edi_command *c, bool document, struct edi_input *in)
{
	struct van_buf json = VAN_BUF_INIT(LARGEST);
	struct edi_flat *flat = NULL;
	/* CSV does not say what it is: the sheet does */
	enum input input = c->sheet && strcmp(c->to, "csv") != 0 ? INPUT_FLAT : what_is(in->head);
	int status = to_json(c, &input, in, &json, &flat);
	if (status == EDI_DONE)
		status = document ? to_document(c, input, in) : edi_run_to_messages(c, in);
	edi_flat_close(flat);
	van_buf_free(&json);
	return status;
}

int edi_run_convert(const struct edi_command *c)
{
	const char *to = c->to;
	struct van_buf head = VAN_BUF_INIT(0);
	struct edi_input in;
	if (!to)
		return edi_fail(EDI_USAGE, "convert to what? give --to json, xml, x12, edifact, canonical, ubl-xml or csv");
	bool document = strcmp(to, "canonical") == 0 || strcmp(to, "ubl-xml") == 0 || strcmp(to, "csv") == 0 || (strcmp(to, "json") == 0 && c->map);
	bool edi = strcmp(to, "x12") == 0 || strcmp(to, "edifact") == 0;
	if (!document && (strcmp(to, "json") == 0 || strcmp(to, "xml") == 0))
		return edi_run_to_form(c);
	if (!document && !edi)
		return edi_fail(EDI_USAGE, "--to %s is not there; json, xml, x12, edifact, canonical, ubl-xml and csv are", to);
	int status = read_head(c, &head, &in);
	if (status == EDI_DONE && edi && !c->sheet && what_is(in.head) == INPUT_FORM)
		return edi_run_from_form(c, in.fd, head.p, head.n);
	if (status == EDI_DONE)
		status = convert(c, document, &in);
	edi_input_close(&in);
	van_buf_free(&head);
	return status;
}
