/* vanctl edi convert: what the input is, and which way it goes. By maps: edi_map.c; UBL: edi_ubl.c; CSV: edi_flat.c; without a map JSON and XML hold
 * the same segments: edi_form.c. */
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

/* EDI goes through message by message; what holds one document, or says only at its end what is in it, is read as a whole first. */
static int to_document(const struct edi_command *c, enum input input, struct edi_input *in)
{
	struct van_buf json = VAN_BUF_INIT(LARGEST), other = VAN_BUF_INIT(LARGEST);
	bool ubl = strcmp(c->to, "ubl-xml") == 0, csv = strcmp(c->to, "csv") == 0;
	if (input == INPUT_EDI && !ubl && !csv)
		return edi_run_to_canonical(c, in, NULL);
	int status = input == INPUT_EDI ? edi_run_to_canonical(c, in, &json) : edi_input_all(in, &json);
	if (status == EDI_DONE && (ubl || csv))
		status = ubl ? edi_ubl_write(c, van_buf_slice(&json), &other) : edi_flat_write(c, van_buf_slice(&json), &other);
	if (status == EDI_DONE && edi_flush(ubl || csv ? &other : &json) < 0)
		status = edi_fail(EDI_USAGE, "standard output cannot be written");
	van_buf_free(&json);
	van_buf_free(&other);
	return status;
}

/* Documents of another form, made canonical JSON: that is the input from now on. */
static int to_json(const struct edi_command *c, enum input *input, struct edi_input *in, struct van_buf *json)
{
	struct van_buf text = VAN_BUF_INIT(0);
	int status = EDI_DONE;
	if (*input == INPUT_UBL) {
		status = edi_ubl_read(c, in->fd, in->head, json);
		in->fd = -1; /* it is closed */
	} else if (*input == INPUT_FLAT) {
		status = edi_input_all(in, &text);
		status = status == EDI_DONE ? edi_flat_read(c, van_buf_slice(&text), json) : status;
		edi_input_close(in);
	} else {
		return EDI_DONE;
	}
	van_buf_free(&text);
	*input = INPUT_DOCUMENT;
	in->head = van_buf_slice(json);
	return status;
}

static int convert(const struct edi_command *c, bool document, struct edi_input *in)
{
	struct van_buf json = VAN_BUF_INIT(LARGEST);
	/* CSV does not say what it is: the sheet does */
	enum input input = c->sheet && strcmp(c->to, "csv") != 0 ? INPUT_FLAT : what_is(in->head);
	int status = to_json(c, &input, in, &json);
	if (status == EDI_DONE)
		status = document ? to_document(c, input, in) : edi_run_to_messages(c, in);
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
