/* vanctl edi convert without a map: streams between EDI and the lossless forms, JSON and XML. */
#include "vanctl/edi_command.h"

#include "base/fdio.h"
#include "map/form.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define CHUNK ((size_t)256 << 10)

/* Where bytes go: one of these two is set. */
struct feed {
	const struct edi_command *c;
	int fd;
	struct form_writer *writer;
	struct form_reader *reader;
	struct form_guess *guess;
	struct van_error e;
};

static int write_out(void *ctx, struct slice bytes)
{
	(void)ctx;
	return fd_write_all(STDOUT_FILENO, bytes.p, bytes.n);
}

static ssize_t read_some(int fd, char *chunk)
{
	ssize_t n;
	do
		n = read(fd, chunk, CHUNK);
	while (n < 0 && errno == EINTR);
	return n;
}

static int feed(struct feed *f, struct slice chunk, bool last)
{
	if (f->guess)
		form_guess_feed(f->guess, chunk);
	if (f->writer)
		return form_writer_feed(f->writer, chunk, last, &f->e);
	return f->reader ? form_reader_feed(f->reader, chunk, last, &f->e) : 0;
}

/* `held`: what was read before. EDI_DONE, or a status after an error was printed. */
static int pump(struct feed *f, struct slice held)
{
	char *chunk = malloc(CHUNK);
	int rc = chunk ? feed(f, held, false) : VAN_ENOMEM;
	ssize_t n = 1;
	while (rc == 0 && n > 0) {
		n = read_some(f->fd, chunk);
		if (n >= 0)
			rc = feed(f, slice_make(chunk, (size_t)n), n == 0);
	}
	free(chunk);
	if (n < 0)
		return edi_fail(EDI_USAGE, "%s: %s", f->c->file, strerror(errno));
	if (rc == 0)
		return EDI_DONE;
	return edi_fail(rc == VAN_EIO || rc == VAN_ENOSPC || rc == VAN_ENOMEM ? EDI_USAGE : EDI_NO, "%s: %s", f->c->file,
		f->e.code ? f->e.text : van_err_name(rc));
}

/* --charset NAME: "ISO-8859-1", or an EDIFACT identifier, "UNOC". */
static bool named_charset(const char *name, enum edi_charset *ret)
{
	*ret = edi_charset_of(slice_str(name));
	for (int c = EDI_CHARSET_UNOC; c < EDI_CHARSET_COUNT && !*ret; c++)
		if (slice_case_is(slice_str(edi_charset_encoding((enum edi_charset)c)), name))
			*ret = (enum edi_charset)c;
	return *ret != EDI_CHARSET_NONE;
}

/* Files are read twice to know; what comes through a pipe is taken for UTF-8. */
static int find_fallback(struct feed *f, enum edi_charset *ret)
{
	struct form_guess guess = {0};
	off_t begin = lseek(f->fd, 0, SEEK_CUR);
	*ret = EDI_CHARSET_NONE;
	if (f->c->charset)
		return named_charset(f->c->charset, ret) ? EDI_DONE
		                                         : edi_fail(EDI_USAGE, "there is no character set %s here; UTF-8 and ISO-8859-1 are", f->c->charset);
	if (begin < 0)
		return EDI_DONE;
	f->guess = &guess;
	int status = pump(f, SLICE(""));
	f->guess = NULL;
	*ret = form_guess_fallback(&guess);
	if (status == EDI_DONE && lseek(f->fd, begin, SEEK_SET) < 0)
		status = edi_fail(EDI_USAGE, "%s: %s", f->c->file, strerror(errno));
	return status;
}

static void close_input(const struct feed *f)
{
	if (f->fd != STDIN_FILENO)
		close(f->fd);
}

int edi_run_to_form(const struct edi_command *c)
{
	struct feed f = {.c = c, .fd = edi_open(c)};
	struct form_options options = {0};
	if (f.fd < 0)
		return EDI_USAGE;
	int status = find_fallback(&f, &options.fallback);
	if (status == EDI_DONE && !(f.writer = form_writer_new(strcmp(c->to, "xml") == 0 ? FORM_XML : FORM_JSON, &options, write_out, NULL)))
		status = edi_fail(EDI_USAGE, "no memory");
	if (status == EDI_DONE)
		status = pump(&f, SLICE(""));
	if (status == EDI_DONE && form_writer_counts(f.writer).skipped)
		fprintf(stderr, "vanctl edi: %s: %" PRIu64 " bytes outside of interchanges were left out\n", c->file,
			form_writer_counts(f.writer).skipped);
	form_writer_free(f.writer);
	close_input(&f);
	return status;
}

/* JSON begins with a brace, XML with an angle bracket; blanks and a byte-order mark may stand before. */
static int which_form(const struct feed *f, struct slice s, enum form *form)
{
	if (slice_starts(s, "\xef\xbb\xbf"))
		s = slice_make(s.p + 3, s.n - 3);
	s = slice_trim(s);
	if (!s.n || (*s.p != '{' && *s.p != '<'))
		return edi_fail(EDI_NO, "%s: --to x12 and --to edifact take the JSON or XML that convert wrote without a map", f->c->file);
	*form = *s.p == '<' ? FORM_XML : FORM_JSON;
	return EDI_DONE;
}

int edi_run_from_form(const struct edi_command *c, int fd, char *head, size_t n)
{
	struct feed f = {.c = c, .fd = fd};
	struct form_options options = {.lines = c->lines, .standard = strcmp(c->to, "x12") == 0 ? EDI_X12 : EDI_EDIFACT};
	enum form form = FORM_JSON;
	int status = which_form(&f, slice_make(head, n), &form);
	if (status == EDI_DONE && !(f.reader = form_reader_new(form, &options, write_out, NULL)))
		status = edi_fail(EDI_USAGE, "no memory");
	if (status == EDI_DONE)
		status = pump(&f, slice_make(head, n));
	if (status == EDI_DONE && !form_reader_counts(f.reader).interchanges)
		status = edi_fail(EDI_NO, "%s: it holds no %s interchange", c->file, edi_standard_name(options.standard));
	if (status == EDI_DONE && form_reader_counts(f.reader).skipped)
		fprintf(stderr, "vanctl edi: %s: %" PRIu64 " interchanges of the other standard were left out; --to %s writes them\n", c->file,
			form_reader_counts(f.reader).skipped, options.standard == EDI_X12 ? "edifact" : "x12");
	form_reader_free(f.reader);
	free(head);
	close_input(&f);
	return status;
}
