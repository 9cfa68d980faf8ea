/* From values back to segments, for both readers. */
#include "map/form_private.h"

#include "edi/code_extension.h"

#include "base/codec.h"

#include <stdarg.h>
#include <stdio.h>

int form_build_error(struct form_builder *b, enum van_err code, const char *format, ...)
{
	char text[400];
	va_list ap;
	va_start(ap, format);
	vsnprintf(text, sizeof text, format, ap);
	va_end(ap);
	if (b->error.code)
		return b->error.code;
	return van_error_set(&b->error, code, "line %llu: %s", (unsigned long long)b->line, text);
}

static int flush(struct form_builder *b)
{
	int rc = van_buf_error(&b->out);
	if (rc == 0 && b->out.n)
		rc = b->fn(b->ctx, van_buf_slice(&b->out));
	van_buf_reset(&b->out);
	return rc;
}

/* --- the envelope ------------------------------------------------------------------------------------------------------ */

static bool charset_named(const char *name, enum edi_charset *ret)
{
	for (int c = 0; c < EDI_CHARSET_COUNT; c++)
		if (slice_case_is(slice_str(edi_charset_encoding((enum edi_charset)c)), name)) {
			*ret = (enum edi_charset)c;
			return true;
		}
	return false;
}

/* The bytes of what the envelope says, in the interchange's character set; valid until the next. */
static struct slice bytes_of(struct form_builder *b, struct slice utf8)
{
	van_buf_reset(&b->bytes);
	edi_charset_from_utf8(b->charset, utf8, &b->bytes, NULL);
	return van_buf_slice(&b->bytes);
}

static int delimiter(struct form_builder *b, const char *name, struct slice utf8, bool needed, char *ret)
{
	struct slice s = bytes_of(b, utf8);
	*ret = s.n ? s.p[s.n - 1] : 0;
	if (s.n == 0 ? needed : s.n > 1 && ret != &b->writer.delimiters.terminator)
		return form_build_error(b, VAN_ESYNTAX, "the %s delimiter must be one character of the interchange's character set", name);
	return 0;
}

static int set_delimiters(struct form_builder *b, const struct form_envelope *e)
{
	struct edi_delimiters *d = &b->writer.delimiters;
	int rc = delimiter(b, "element", e->element, true, &d->element);
	if (rc == 0)
		rc = delimiter(b, "component", e->component, false, &d->component);
	if (rc == 0)
		rc = delimiter(b, "repetition", e->repetition, false, &d->repetition);
	if (rc == 0)
		rc = delimiter(b, "release", e->release, false, &d->release);
	if (rc == 0)
		rc = delimiter(b, "terminator", e->terminator, true, &d->terminator);
	struct slice terminator = van_buf_slice(&b->bytes);
	if (rc == 0 && terminator.n >= sizeof b->terminator)
		rc = form_build_error(b, VAN_ESYNTAX, "the terminator delimiter is too long");
	if (rc == 0)
		snprintf(b->terminator, sizeof b->terminator, "%.*s", terminator.n > 1 ? (int)terminator.n : 0, terminator.p);
	return rc;
}

int form_build_interchange(struct form_builder *b, const struct form_envelope *e)
{
	b->skip = b->options.standard && e->standard != b->options.standard;
	if (b->skip) {
		b->counts.skipped++;
		return 0;
	}
	if (e->standard != EDI_X12 && e->standard != EDI_EDIFACT)
		return form_build_error(b, VAN_ESYNTAX, "an interchange's standard is X12 or EDIFACT");
	if (e->charset && !charset_named(e->charset, &b->charset))
		return form_build_error(b, VAN_ESYNTAX, "there is no character set %s here", e->charset);
	int rc = set_delimiters(b, e);
	if (rc < 0)
		return rc;
	struct edi_delimiters d = b->writer.delimiters;
	d.shifts = b->charset == EDI_CHARSET_UNOX && edi_delimiters_allow_shifts(&d);
	edi_writer_begin(&b->writer, &b->out, e->standard, &d);
	b->writer.lines = b->options.lines;
	b->writer.keep_empty = true;
	b->writer.terminator = b->terminator[0] ? b->terminator : NULL;
	if (e->una.p) {
		van_buf_append_str(&b->out, "UNA");
		van_buf_append_slice(&b->out, bytes_of(b, e->una));
		if (b->options.lines)
			van_buf_append_char(&b->out, '\n');
	}
	b->counts.interchanges++;
	return 0;
}

int form_build_interchange_end(struct form_builder *b)
{
	if (b->skip)
		return 0;
	if (!b->options.lines && b->writer.delimiters.terminator != '\n' && !b->object)
		van_buf_append_char(&b->out, '\n');
	b->object = false;
	return flush(b);
}

/* --- segments ---------------------------------------------------------------------------------------------------------- */

int form_build_segment(struct form_builder *b, struct slice id)
{
	b->begun = b->skip || id.p;
	b->object = false;
	if (!b->skip && id.p)
		edi_write_segment(&b->writer, id);
	return 0;
}

int form_build_element(struct form_builder *b)
{
	b->values = 0;
	if (b->begun && !b->skip)
		edi_write_next(&b->writer);
	return 0;
}

int form_build_repetition(struct form_builder *b, bool first)
{
	if (!b->begun)
		return form_build_error(b, VAN_ESYNTAX, "a segment's identifier cannot repeat");
	if (!first && !b->skip)
		edi_write_repeat(&b->writer);
	return 0;
}

static int identifier(struct form_builder *b, enum form_kind kind, struct slice bytes)
{
	b->begun = true;
	if (kind == FORM_TEXT) {
		edi_write_segment(&b->writer, bytes);
	} else {
		edi_write_segment(&b->writer, SLICE(""));
		van_buf_append_slice(&b->out, bytes);
	}
	return 0;
}

static bool is_ascii(struct slice s)
{
	unsigned char all = 0;
	for (size_t i = 0; i < s.n; i++)
		all |= (unsigned char)s.p[i];
	return all < 0x80;
}

int form_build_value(struct form_builder *b, enum form_kind kind, struct slice value)
{
	if (b->skip)
		return 0;
	van_buf_reset(&b->bytes);
	struct slice bytes = value;
	if (kind == FORM_BINARY) {
		if (base64_decode(&b->bytes, value) < 0)
			return form_build_error(b, VAN_ESYNTAX, "this is not base64");
		if (b->writer.delimiters.shifts)
			edi_shift_invert_all(b->bytes.p, b->bytes.n); /* hidden, as the writer takes it */
		bytes = van_buf_slice(&b->bytes);
	} else if (!is_ascii(value)) {
		edi_charset_from_utf8(b->charset, value, &b->bytes, NULL);
		bytes = van_buf_slice(&b->bytes);
	}
	bool isa = b->writer.standard == EDI_X12 && strcmp(b->writer.id, "ISA") == 0;
	if (!b->begun)
		return identifier(b, kind, bytes);
	if (kind == FORM_TEXT && !isa)
		edi_write_value(&b->writer, bytes);
	else
		edi_write_bytes(&b->writer, bytes);
	return van_buf_error(&b->bytes);
}

int form_build_segment_end(struct form_builder *b)
{
	struct van_error e;
	if (b->skip)
		return 0;
	if (!b->begun)
		return form_build_error(b, VAN_ESYNTAX, "a segment needs an identifier");
	bool object = b->writer.standard == EDI_EDIFACT && strcmp(b->writer.id, "UNO") == 0; /* its object stands right behind it */
	b->writer.lines = b->options.lines && !object;
	edi_write_end(&b->writer);
	b->counts.segments++;
	int rc = edi_writer_error(&b->writer, &e);
	if (rc < 0)
		return b->writer.error.code ? form_build_error(b, e.code, "%s", e.text) : rc;
	return b->out.n < FORM_FLUSH ? 0 : flush(b);
}

int form_build_object(struct form_builder *b, struct slice base64)
{
	if (b->skip)
		return 0;
	van_buf_reset(&b->bytes);
	if (base64_decode(&b->bytes, base64) < 0)
		return form_build_error(b, VAN_ESYNTAX, "this is not base64");
	b->object = true;
	van_buf_append_slice(&b->out, van_buf_slice(&b->bytes));
	return b->out.n < FORM_FLUSH ? van_buf_error(&b->bytes) : flush(b);
}
