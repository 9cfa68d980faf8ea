/* From segments to values: what an element holds, its release characters, its character set. */
#include "map/form_private.h"

#include "edi/code_extension.h"

#include <stdlib.h>

static int flush(struct form_writer *w)
{
	int rc = van_buf_error(&w->out);
	if (rc == 0 && w->out.n)
		rc = w->fn(w->ctx, van_buf_slice(&w->out));
	van_buf_reset(&w->out);
	return rc;
}

/* --- the beginning of an interchange ----------------------------------------------------------------------------------- */

static void classify(struct form_writer *w, const struct edi_delimiters *d)
{
	w->delimiters = *d;
	edi_special_bytes(d, w->special);
	memset(w->classes, 0, sizeof w->classes);
	for (int c = 0; c < 256; c++)
		w->classes[c] = c >= 0x80 ? FORM_CLASS_HIGH : c >= 0x20 && c < 0x7f ? 0 : w->language->controls ? FORM_CLASS_SPECIAL
		                                                                                           : FORM_CLASS_FORBIDDEN;
	for (const char *p = w->language->special; *p; p++)
		w->classes[(unsigned char)*p] = FORM_CLASS_SPECIAL;
	if (d->shifts)
		w->classes[(unsigned char)EDI_ESC] = w->classes[(unsigned char)EDI_SO] = w->classes[(unsigned char)EDI_SI] = FORM_CLASS_HIGH;
	if (d->component)
		w->classes[(unsigned char)d->component] |= FORM_CLASS_SPLIT;
	if (d->repetition)
		w->classes[(unsigned char)d->repetition] |= FORM_CLASS_SPLIT;
	if (d->release)
		w->classes[(unsigned char)d->release] |= FORM_CLASS_RELEASE;
}

static enum edi_charset charset_of(const struct form_writer *w, const struct edi_segment *s)
{
	struct slice syntax = edi_segment_element(s, 1);
	enum edi_charset c = EDI_CHARSET_NONE;
	if (s->standard == EDI_EDIFACT)
		c = edi_charset_of(edi_cut(&syntax, s->delimiters->component, s->delimiters->release));
	bool seven = c == EDI_CHARSET_NONE || c == EDI_CHARSET_UNOA || c == EDI_CHARSET_UNOB;
	return seven && w->options.fallback ? w->options.fallback : c;
}

/* Appends to w->text; the slice is valid until the next reset. */
static struct slice in_utf8(struct form_writer *w, struct slice s)
{
	size_t at = w->text.n;
	edi_charset_to_utf8(w->charset, s, &w->text);
	return w->text.error ? SLICE("") : slice_make(w->text.p + at, w->text.n - at);
}

/* The bytes of a terminator that is a character of several: they stand behind the segment's last one. */
static struct slice terminator_of(const struct edi_segment *s)
{
	size_t lead = s->flags & (EDI_SEGMENT_WRAPPED | EDI_SEGMENT_UNTERMINATED) ? 0 : (size_t)(s->end - s->offset) - s->length - 1;
	return lead && lead <= 3 ? slice_make(s->bytes + s->length, lead + 1) : slice_make(&s->delimiters->terminator, 1);
}

static void begin_interchange(struct form_writer *w, const struct edi_segment *s)
{
	const struct edi_delimiters *d = s->delimiters;
	if (w->open)
		w->language->interchange_end(w);
	classify(w, d);
	w->charset = charset_of(w, s);
	van_buf_reset(&w->text);
	van_buf_reserve(&w->text, 256); /* no slice of it moves */
	struct form_envelope e = {.standard = s->standard, .charset = edi_charset_encoding(w->charset),
		.una = w->has_una && s->standard == EDI_EDIFACT ? in_utf8(w, slice_make(w->una + 3, 6)) : SLICE_NONE,
		.element = in_utf8(w, slice_make(&d->element, 1)),
		.component = in_utf8(w, slice_make(&d->component, d->component != 0)),
		.repetition = in_utf8(w, slice_make(&d->repetition, d->repetition != 0)),
		.release = in_utf8(w, slice_make(&d->release, d->release != 0)),
		.terminator = in_utf8(w, terminator_of(s))};
	w->language->interchange(w, &e, w->counts.interchanges == 0);
	w->counts.interchanges++;
	w->has_una = false;
	w->open = true;
	w->first_segment = true;
}

/* --- values ------------------------------------------------------------------------------------------------------------ */

static unsigned classes_of(const struct form_writer *w, struct slice s)
{
	unsigned all = 0;
	for (size_t i = 0; i < s.n; i++)
		all |= w->classes[(unsigned char)s.p[i]];
	return all;
}

/* Base64 of the bytes, for what the form's text cannot hold. */
static void put_binary(struct form_writer *w, enum form_level level, struct slice value, bool first)
{
	if (w->delimiters.shifts && edi_shift_any(value)) {
		van_buf_reset(&w->again);
		van_buf_append_slice(&w->again, value);
		if (!w->again.error)
			edi_shift_invert_all(w->again.p, w->again.n);
		value = van_buf_slice(&w->again);
	}
	w->language->value(w, level, FORM_BINARY, value, first);
}

/* Escape sequences that say more than the characters do: XML has none. */
static bool has_forbidden(const struct form_writer *w, struct slice text)
{
	for (size_t i = 0; w->delimiters.shifts && !w->language->controls && i < text.n; i++)
		if (text.p[i] == EDI_ESC || text.p[i] == EDI_SO || text.p[i] == EDI_SI)
			return true;
	return false;
}

static void put_value(struct form_writer *w, enum form_level level, struct slice value, unsigned classes, bool first)
{
	if (!(classes & (FORM_CLASS_HIGH | FORM_CLASS_RELEASE | FORM_CLASS_FORBIDDEN))) {
		w->language->value(w, level, FORM_TEXT, value, first);
		return;
	}
	if (classes & FORM_CLASS_FORBIDDEN) {
		put_binary(w, level, value, first);
		return;
	}
	enum form_kind kind = FORM_TEXT;
	struct slice plain = value;
	van_buf_reset(&w->text);
	van_buf_reset(&w->again);
	if (classes & FORM_CLASS_RELEASE) {
		char *room = van_buf_reserve(&w->again, value.n);
		plain = room ? edi_unescape(value, w->delimiters.release, room) : value;
		edi_escape(plain, w->special, w->delimiters.release, &w->text);
		if (!slice_eq(van_buf_slice(&w->text), value)) {
			kind = FORM_RAW;
			plain = value;
		}
		van_buf_reset(&w->text);
	}
	struct slice text = in_utf8(w, plain);
	if (has_forbidden(w, text))
		put_binary(w, level, value, first);
	else
		w->language->value(w, level, kind, text, first);
}

static void put_components(struct form_writer *w, struct slice value)
{
	const struct edi_delimiters *d = &w->delimiters;
	for (bool first = true; value.p; first = false) {
		struct slice one = edi_cut(&value, d->component, d->release);
		put_value(w, FORM_COMPONENT, one, classes_of(w, one), first);
	}
}

static bool has(struct slice s, char separator, char release)
{
	edi_cut(&s, separator, release);
	return s.p != NULL;
}

static void put_element(struct form_writer *w, struct slice value, bool first)
{
	const struct edi_delimiters *d = &w->delimiters;
	unsigned classes = classes_of(w, value);
	if (w->delimiters.shifts && !edi_shift_can_be_written(value)) {
		put_binary(w, FORM_ELEMENT, value, first);
		return;
	}
	bool repeats = classes & FORM_CLASS_SPLIT && d->repetition && has(value, d->repetition, d->release);
	if (!repeats && !(classes & FORM_CLASS_SPLIT && has(value, d->component, d->release))) {
		put_value(w, FORM_ELEMENT, value, classes, first);
		return;
	}
	if (repeats && first) { /* an identifier does not repeat: these are bytes that happen to be there */
		van_buf_reset(&w->text);
		struct slice text = in_utf8(w, value);
		if (classes & FORM_CLASS_FORBIDDEN || has_forbidden(w, text))
			put_binary(w, FORM_ELEMENT, value, true);
		else
			w->language->value(w, FORM_ELEMENT, FORM_RAW, text, true);
		return;
	}
	w->language->group(w, FORM_ELEMENT, first);
	if (!repeats)
		put_components(w, value);
	for (bool first_one = true; repeats && value.p; first_one = false) {
		struct slice one = edi_cut(&value, d->repetition, d->release);
		w->language->group(w, FORM_REPETITION, first_one);
		put_components(w, one);
		w->language->group_end(w, FORM_REPETITION);
	}
	w->language->group_end(w, FORM_ELEMENT);
}

/* ISA is where the delimiters are said: nothing in it is split or escaped. */
static void put_isa(struct form_writer *w, const struct edi_segment *s, uint32_t from)
{
	for (uint32_t i = from; i < s->count; i++) {
		struct slice value = edi_segment_element(s, i);
		unsigned classes = classes_of(w, value);
		van_buf_reset(&w->text);
		w->language->value(w, FORM_ELEMENT, classes & FORM_CLASS_FORBIDDEN ? FORM_BINARY : FORM_TEXT,
			classes & FORM_CLASS_FORBIDDEN ? value : in_utf8(w, value), i == 0);
	}
}

/* Most segments hold printable ASCII that the form need not escape; then their bytes are only parted. */
static bool put_simple(struct form_writer *w, const struct edi_segment *s, bool first)
{
	char repetition = w->delimiters.repetition;
	if (s->odd || s->flags & (EDI_SEGMENT_BINARY | EDI_SEGMENT_RELEASE))
		return false;
	for (const char *p = w->language->special; *p; p++)
		if (memchr(s->bytes, *p, s->length))
			return false;
	if (!s->parts) {
		w->language->plain_segment(w, s, first);
		return true;
	}
	bool splits = w->language->split_segment && w->delimiters.component && !edi_segment_is(s, "ISA") &&
	              !(repetition && memchr(s->bytes, repetition, s->length));
	if (splits)
		w->language->split_segment(w, s, first);
	return splits;
}

static void put_segment(struct form_writer *w, const struct edi_segment *s, bool first)
{
	if (put_simple(w, s, first))
		return;
	struct slice id = edi_segment_element(s, 0);
	uint32_t from = w->language->segment(w, classes_of(w, id) ? SLICE_NONE : id, first);
	if (s->standard == EDI_X12 && edi_segment_is(s, "ISA")) {
		put_isa(w, s, from);
	} else {
		for (uint32_t i = from; i < s->count; i++) {
			if (i && i == edi_segment_binary(s))
				w->language->value(w, FORM_ELEMENT, FORM_BINARY, edi_segment_element(s, i), false);
			else
				put_element(w, edi_segment_element(s, i), i == 0);
		}
	}
	w->language->segment_end(w);
}

/* --- objects ----------------------------------------------------------------------------------------------------------- */

static void put_object(struct form_writer *w)
{
	if (w->object.n)
		w->language->object(w, van_buf_slice(&w->object), w->first_segment);
	w->object.n = 0;
}

static int on_object(void *ctx, struct slice bytes)
{
	struct form_writer *w = ctx;
	int rc = 0;
	while (bytes.n && rc == 0) {
		size_t room = FORM_OBJECT - w->object.n, n = bytes.n < room ? bytes.n : room;
		van_buf_append(&w->object, bytes.p, n);
		bytes = slice_make(bytes.p + n, bytes.n - n);
		if (w->object.n == FORM_OBJECT)
			put_object(w);
		rc = van_buf_error(&w->object) ? van_buf_error(&w->object) : w->out.n < FORM_FLUSH ? 0 : flush(w);
	}
	return rc;
}

/* --- segments ---------------------------------------------------------------------------------------------------------- */

static int on_segment(void *ctx, const struct edi_segment *s)
{
	struct form_writer *w = ctx;
	put_object(w);
	if (s->flags & EDI_SEGMENT_UNA) {
		memcpy(w->una, s->bytes, sizeof w->una);
		w->has_una = true;
		return 0;
	}
	if (s->flags & (EDI_SEGMENT_TOO_LONG | EDI_SEGMENT_TOO_MANY))
		return van_error_set(&w->error, VAN_ELIMIT, "segment %.*s at byte %llu is too large to be converted whole; the bounds are %zu MiB and "
			"%u elements", SLICE_ARG(edi_segment_element(s, 0)), (unsigned long long)s->offset, w->options.max_segment >> 20, 100000u);
	bool head = edi_segment_is(s, s->standard == EDI_X12 ? "ISA" : "UNB") || w->has_una; /* UNA's delimiters hold from here on */
	if (head || !w->open)
		begin_interchange(w, s);
	else if (s->delimiters->release != w->delimiters.release)
		classify(w, s->delimiters); /* behind ISX */
	put_segment(w, s, w->first_segment);
	w->first_segment = false;
	w->counts.segments++;
	return w->out.n < FORM_FLUSH ? van_buf_error(&w->out) : flush(w);
}

/* --- the writer -------------------------------------------------------------------------------------------------------- */

struct form_writer *form_writer_new(enum form form, const struct form_options *options, form_output_fn fn, void *ctx)
{
	struct form_writer *w = calloc(1, sizeof *w);
	if (!w)
		return NULL;
	w->language = form == FORM_XML ? &form_xml : &form_json;
	w->fn = fn;
	w->ctx = ctx;
	if (options)
		w->options = *options;
	if (!w->options.max_segment || w->options.max_segment > FORM_SEGMENT_MAX)
		w->options.max_segment = FORM_SEGMENT_MAX;
	w->out = w->text = w->again = VAN_BUF_INIT(8 * FORM_SEGMENT_MAX);
	w->object = VAN_BUF_INIT(2 * FORM_OBJECT);
	struct edi_lexer_options lexer = {.max_segment = w->options.max_segment, .max_elements = 100000, .object = on_object};
	w->lexer = edi_lexer_new(&lexer, on_segment, w);
	if (!w->lexer) {
		form_writer_free(w);
		return NULL;
	}
	return w;
}

void form_writer_free(struct form_writer *w)
{
	if (!w)
		return;
	edi_lexer_free(w->lexer);
	van_buf_free(&w->out);
	van_buf_free(&w->text);
	van_buf_free(&w->again);
	van_buf_free(&w->object);
	free(w);
}

int form_writer_feed(struct form_writer *w, struct slice chunk, bool last, struct van_error *e)
{
	if (!w->begun)
		w->language->begin(w);
	w->begun = true;
	int rc = edi_lexer_feed(w->lexer, chunk, last);
	w->counts.skipped = edi_lexer_counts(w->lexer).junk;
	if (rc == 0 && last) {
		put_object(w);
		if (w->open)
			w->language->interchange_end(w);
		w->language->end(w);
		rc = flush(w);
	}
	if (rc == 0 && last && !w->counts.interchanges)
		rc = van_error_set(&w->error, VAN_ENOTFOUND, "the input holds no interchange: nothing in it begins with a readable ISA, UNA or UNB");
	if (rc < 0 && e) {
		if (w->error.code)
			*e = w->error;
		else
			van_error_set(e, (enum van_err)rc, "converting failed: %s", van_err_name(rc));
	}
	return rc;
}

struct form_counts form_writer_counts(const struct form_writer *w)
{
	return w->counts;
}
