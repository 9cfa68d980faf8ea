/* vanctl edi convert: what the input is, and which way it goes. By maps: edi_map.c; UBL: edi_ubl.c; without a map JSON and XML hold
 * the same segments: edi_form.c. */
#include "map/ubl.h"
#include "vanctl/edi_command.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define HEAD ((size_t)256 << 10)
#define LARGEST ((size_t)4 << 30)

enum input { INPUT_EDI, INPUT_FORM, INPUT_DOCUMENT, INPUT_UBL };

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
	struct van_buf json = VAN_BUF_INIT(LARGEST), xml = VAN_BUF_INIT(LARGEST);
	bool ubl = strcmp(c->to, "ubl-xml") == 0;
	int status = to_canonical(c, input, in, &json);
	if (status == EDI_DONE && ubl)
		status = edi_ubl_write(c, van_buf_slice(&json), &xml);
	if (status == EDI_DONE && edi_flush(ubl ? &xml : &json) < 0)
		status = edi_fail(EDI_USAGE, "standard output cannot be written");
	van_buf_free(&json);
	van_buf_free(&xml);
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
		return edi_fail(EDI_USAGE, "convert to what? give --to json, xml, x12, edifact, canonical or ubl-xml");
	bool document = strcmp(to, "canonical") == 0 || strcmp(to, "ubl-xml") == 0 || (strcmp(to, "json") == 0 && c->map);
	bool edi = strcmp(to, "x12") == 0 || strcmp(to, "edifact") == 0;
	if (!document && (strcmp(to, "json") == 0 || strcmp(to, "xml") == 0))
		return edi_run_to_form(c);
	if (!document && !edi)
		return edi_fail(EDI_USAGE, "--to %s is not there; json, xml, x12, edifact, canonical and ubl-xml are", to);
	int status = read_head(c, &fd, &head, &n);
	if (status != EDI_DONE)
		return status;
	enum input input = what_is(slice_make(head, n));
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
	if (status == EDI_DONE)
		status = document ? to_document(c, input, van_buf_slice(&in)) : edi_run_to_messages(c, van_buf_slice(&in));
	van_buf_free(&in);
	return status;
}
