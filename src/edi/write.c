#include "edi/write.h"

#include "edi/code_extension.h"

#include <stdio.h>

bool edi_is_data(char c)
{
	return (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z') || c == ' ';
}

void edi_special_bytes(const struct edi_delimiters *d, unsigned char special[256])
{
	const char all[] = {d->element, d->component, d->repetition, d->release, d->terminator};
	memset(special, 0, 256);
	for (size_t i = 0; i < sizeof all; i++)
		if (all[i])
			special[(unsigned char)all[i]] = EDI_SPECIAL_DELIMITER;
}

bool edi_escape(struct slice value, const unsigned char special[256], char release, struct van_buf *to)
{
	while (value.n) {
		size_t run = 0;
		while (run < value.n && !special[(unsigned char)value.p[run]])
			run++;
		van_buf_append(to, value.p, run);
		if (run == value.n)
			break;
		bool blank = special[(unsigned char)value.p[run]] == EDI_SPECIAL_BLANK;
		if (!release && !blank)
			return false;
		const char two[2] = {release, blank ? ' ' : value.p[run]};
		van_buf_append(to, two + blank, 2 - blank);
		value = slice_make(value.p + run + 1, value.n - run - 1);
	}
	return true;
}

void edi_writer_begin(struct edi_writer *w, struct van_buf *to, enum edi_standard standard, const struct edi_delimiters *d)
{
	*w = (struct edi_writer){.to = to, .delimiters = *d, .standard = standard};
	edi_special_bytes(d, w->special);
}

void edi_writer_blank(struct edi_writer *w, const bool *foreign)
{
	for (unsigned i = 0; i < 256; i++) {
		if (w->special[i] == EDI_SPECIAL_DELIMITER && !w->delimiters.release)
			w->special[i] = EDI_SPECIAL_BLANK;
		else if (!w->special[i] && foreign && foreign[i])
			w->special[i] = EDI_SPECIAL_BLANK;
	}
}

/* "PID05: 'a*b' " and why. */
static void refuse(struct edi_writer *w, struct slice value, const char *why)
{
	char part[16] = "";
	if (w->error.code)
		return;
	if (w->component > 1)
		snprintf(part, sizeof part, "-%u", w->component);
	van_error_set(&w->error, VAN_EINVAL, "%s%02u%s: '%.*s%s' %s", w->id, w->element, part, value.n > 60 ? 60 : (int)value.n, value.p,
		value.n > 60 ? "…" : "", why);
}

void edi_write_segment(struct edi_writer *w, struct slice id)
{
	size_t n = id.n < sizeof w->id ? id.n : sizeof w->id - 1;
	memcpy(w->id, id.n ? id.p : "", n);
	w->id[n] = 0;
	w->start = w->to->n;
	w->element = 0;
	w->component = 1; /* the identifier: components may follow it (EDIFACT's explicit nesting) */
	w->owed_elements = w->owed_repetitions = w->owed_components = 0;
	w->release_next = 0;
	if (w->standard == EDI_X12 && slice_is(id, "ISA")) /* says the delimiters, and is not read by them */
		van_buf_append_slice(w->to, id);
	else if (!edi_escape(id, w->special, w->delimiters.release, w->to))
		refuse(w, id, "cannot be a segment's identifier: it holds a delimiter");
}

static void put_many(struct edi_writer *w, uint32_t *owed, char separator)
{
	for (; *owed; --*owed)
		van_buf_append_char(w->to, separator);
}

/* The separators before a value that is written. */
static void pay(struct edi_writer *w)
{
	put_many(w, &w->owed_elements, w->delimiters.element);
	put_many(w, &w->owed_repetitions, w->delimiters.repetition);
	put_many(w, &w->owed_components, w->delimiters.component);
}

void edi_write_next(struct edi_writer *w)
{
	w->element++;
	w->component = 0;
	w->owed_elements++;
	w->owed_repetitions = w->owed_components = 0;
	if (w->keep_empty)
		pay(w);
}

void edi_write_repeat(struct edi_writer *w)
{
	w->component = 0;
	w->owed_components = 0;
	w->owed_repetitions++;
	if (!w->delimiters.repetition)
		refuse(w, SLICE(""), "cannot repeat: this interchange has no repetition separator; a version that has one is needed");
	if (w->keep_empty)
		pay(w);
}

static void begin_value(struct edi_writer *w, bool empty)
{
	if (w->component++)
		w->owed_components++;
	if (w->component == 2 && !w->delimiters.component)
		refuse(w, SLICE(""), "cannot have components: this interchange has no component separator; choose one");
	if (!empty || w->keep_empty)
		pay(w);
}

void edi_write_value(struct edi_writer *w, struct slice value)
{
	begin_value(w, !value.n);
	if (w->delimiters.shifts && edi_shift_any(value) && !edi_shift_can_be_written(value))
		refuse(w, value, "does not return to ASCII, so that the separator behind it would be data; end it with ESC ( B, or SI");
	if (!edi_escape(value, w->special, w->delimiters.release, w->to))
		refuse(w, value, "holds a delimiter, and this interchange has no release character; choose delimiters that do not occur in the "
			"data, or replace the character in the map");
	if (w->element == 1 && w->component == 1 && value.n == 1 && w->standard == EDI_X12 && w->segments <= 1 &&
	    strcmp(w->id, "ISX") == 0) /* behind ISA, and nowhere else */
		w->release_next = *value.p;
}

void edi_write_bytes(struct edi_writer *w, struct slice bytes)
{
	begin_value(w, !bytes.n);
	van_buf_append_slice(w->to, bytes);
}

void edi_write_hole(struct edi_writer *w)
{
	begin_value(w, false);
}

void edi_write_element(struct edi_writer *w, struct slice value)
{
	edi_write_next(w);
	edi_write_value(w, value);
}

void edi_write_number(struct edi_writer *w, uint64_t value)
{
	edi_write_next(w);
	edi_write_value_number(w, value);
}

void edi_write_value_number(struct edi_writer *w, uint64_t value)
{
	char digits[24], *p = digits + sizeof digits;
	do
		*--p = (char)('0' + value % 10);
	while (value /= 10);
	edi_write_value(w, slice_make(p, (size_t)(digits + sizeof digits - p)));
}

void edi_write_padded(struct edi_writer *w, struct slice value, size_t width)
{
	edi_write_element(w, value);
	if (value.n > width)
		refuse(w, value, "is too long for this element");
	if (value.n < width)
		pay(w);
	for (size_t i = value.n; i < width; i++)
		van_buf_append_char(w->to, ' ');
}

void edi_write_end(struct edi_writer *w)
{
	if (w->delimiters.shifts && !w->to->error && w->to->n > w->start)
		edi_shift_invert_all(w->to->p + w->start, w->to->n - w->start);
	if (w->terminator)
		van_buf_append_str(w->to, w->terminator);
	else
		van_buf_append_char(w->to, w->delimiters.terminator);
	if (w->lines && w->delimiters.terminator != '\n')
		van_buf_append_char(w->to, '\n');
	w->segments++;
	if (w->release_next) {
		w->delimiters.release = w->release_next;
		edi_special_bytes(&w->delimiters, w->special);
	}
}

int edi_writer_error(const struct edi_writer *w, struct van_error *e)
{
	if (!w->error.code)
		return van_buf_error(w->to);
	if (e)
		*e = w->error;
	return w->error.code;
}
