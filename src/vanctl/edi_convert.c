/* vanctl edi convert: what the input is, and which way it goes. By maps: edi_map.c; UBL: edi_ubl.c; CSV: edi_flat.c; without a map JSON and XML hold
 * the same segments: edi_form.c. */
#include "map/ubl.h"
#include "vanctl/edi_command.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define HEAD ((size_t)256 << 10)
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
static int read_head(const struct edi_command *c, int *fd, char **head, size_t *n)
{
	*fd = edi_open(c);
	if (*fd < 0)
		return EDI_USAGE;
	*head = malloc(HEAD);
	ssize_t got;
	do
		got = *head ? read(*fd, *head, HEAD) : -1;
	while (got < 0 && *head && errno == EINTR);
	*n = got < 0 ? 0 : (size_t)got;
	if (got >= 0)
		return EDI_DONE;
	free(*head);
	return edi_fail(EDI_USAGE, "%s: %s", c->file, strerror(errno));
}

/* From EDI by a map, or as it is. */
static int to_canonical(const struct edi_command *c, enum input input, struct slice in, struct van_buf *to)
{
	if (input == INPUT_EDI)
		return edi_run_to_canonical(c, in, to);
	return van_buf_append_slice(to, in) < 0 ? edi_fail(EDI_USAGE, "no memory") : EDI_DONE;
}

static int to_document(const struct edi_command *c, enum input input, struct slice in)
{
	struct van_buf json = VAN_BUF_INIT(LARGEST), other = VAN_BUF_INIT(LARGEST);
	bool ubl = strcmp(c->to, "ubl-xml") == 0, csv = strcmp(c->to, "csv") == 0;
	int status = to_canonical(c, input, in, &json);
	if (status == EDI_DONE && (ubl || csv))
		status = ubl ? edi_ubl_write(c, van_buf_slice(&json), &other) : edi_flat_write(c, van_buf_slice(&json), &other);
	if (status == EDI_DONE && edi_flush(ubl || csv ? &other : &json) < 0)
		status = edi_fail(EDI_USAGE, "standard output cannot be written");
	van_buf_free(&json);
	van_buf_free(&other);
	return status;
}

static int from_flat(const struct edi_command *c, struct van_buf *in, enum input *input)
{
	struct van_buf json = VAN_BUF_INIT(LARGEST);
	int status = edi_flat_read(c, van_buf_slice(in), &json);
	van_buf_free(in);
	*in = json;
	*input = INPUT_DOCUMENT;
	return status;
}

int edi_run_convert(const struct edi_command *c)
{
	const char *to = c->to;
	struct van_buf in = VAN_BUF_INIT((size_t)1 << 30);
	int fd;
	char *head;
	size_t n;
	if (!to)
		return edi_fail(EDI_USAGE, "convert to what? give --to json, xml, x12, edifact, canonical, ubl-xml or csv");
	bool document = strcmp(to, "canonical") == 0 || strcmp(to, "ubl-xml") == 0 || strcmp(to, "csv") == 0 || (strcmp(to, "json") == 0 && c->map);
	bool edi = strcmp(to, "x12") == 0 || strcmp(to, "edifact") == 0;
	if (!document && (strcmp(to, "json") == 0 || strcmp(to, "xml") == 0))
		return edi_run_to_form(c);
	if (!document && !edi)
		return edi_fail(EDI_USAGE, "--to %s is not there; json, xml, x12, edifact, canonical, ubl-xml and csv are", to);
	int status = read_head(c, &fd, &head, &n);
	if (status != EDI_DONE)
		return status;
	/* CSV does not say what it is: the sheet does */
	enum input input = c->sheet && strcmp(to, "csv") != 0 ? INPUT_FLAT : what_is(slice_make(head, n));
	if (edi && input == INPUT_FORM)
		return edi_run_from_form(c, fd, head, n);
	if (input == INPUT_UBL) {
		status = edi_ubl_read(c, fd, slice_make(head, n), &in);
		input = INPUT_DOCUMENT;
	} else {
		van_buf_append(&in, head, n);
		status = van_buf_error(&in) ? edi_fail(EDI_USAGE, "no memory") : edi_read_fd(c, fd, &in);
	}
	free(head);
	if (status == EDI_DONE && input == INPUT_FLAT)
		status = from_flat(c, &in, &input);
	if (status == EDI_DONE)
		status = document ? to_document(c, input, van_buf_slice(&in)) : edi_run_to_messages(c, van_buf_slice(&in));
	van_buf_free(&in);
	return status;
}
