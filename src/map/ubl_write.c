/* A canonical document as UBL XML: elements in the order of UBL's schemas, whatever order the document has. */
#include "map/decimal.h"
#include "map/ubl_private.h"

#include "base/utf8.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define DEPTH 40 /* of parts in one another; UBL's own go on for ever, canonical ones don't */

struct writer {
	struct tree_room *room;
	struct van_buf *to;
	struct van_buf path;
	ubl_remark_fn fn;
	void *ctx;
	struct van_error *e;
	struct slice currency;         /* of amounts that don't name theirs */
	const struct tree **aside;     /* attributes of _source, sorted by path */
	size_t aside_count;
	int depth;
};

/* --- XML --------------------------------------------------------------------------------------------------------------- */

static int fail(struct writer *w, enum van_err code, const char *what)
{
	return van_error_set(w->e, code, "%.*s: %s", (int)(w->path.n < 300 ? w->path.n : 300), w->path.p ? w->path.p : "", what);
}

/* XML 1.0, section 2.2: no control characters but these three. */
static int put_text(struct writer *w, struct slice s, bool attribute)
{
	if (!van_utf8_valid(s))
		return fail(w, VAN_EINVAL, "the value is not UTF-8");
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		if (c < 0x20 && c != '\t' && c != '\n' && c != '\r')
			return fail(w, VAN_EINVAL, "the value has a control character, which XML can't hold; take it out in the map");
		if (c == 0xef && s.n - i >= 3 && (unsigned char)s.p[i + 1] == 0xbf && (unsigned char)s.p[i + 2] >= 0xbe)
			return fail(w, VAN_EINVAL, "the value has U+FFFE or U+FFFF, which XML can't hold; take it out in the map");
		switch (c) {
		case '&': van_buf_append_str(w->to, "&amp;"); break;
		case '<': van_buf_append_str(w->to, "&lt;"); break;
		case '>': van_buf_append_str(w->to, "&gt;"); break;
		case '\r': van_buf_append_str(w->to, "&#13;"); break;
		case '"': van_buf_append_str(w->to, attribute ? "&quot;" : "\""); break;
		case '\t':
		case '\n':
			if (attribute) {
				van_buf_printf(w->to, "&#%u;", c);
				break;
			}
			/* fall through */
		default: van_buf_append_char(w->to, (char)c);
		}
	}
	return 0;
}

static void line(struct writer *w)
{
	van_buf_append_char(w->to, '\n');
	for (int i = 0; i < w->depth; i++)
		van_buf_append_str(w->to, "  ");
}

static int put_attribute(struct writer *w, struct slice name, struct slice value)
{
	van_buf_printf(w->to, " %.*s=\"", SLICE_ARG(name));
	int rc = put_text(w, value, true);
	van_buf_append_char(w->to, '"');
	return rc;
}

static void remark(struct writer *w, enum ubl_remark what, struct slice name)
{
	size_t n = w->path.n;
	if (!w->fn)
		return;
	van_buf_printf(&w->path, "%s%.*s", n && name.n ? "." : "", SLICE_ARG(name));
	w->fn(w->ctx, what, van_buf_slice(&w->path));
	w->path.n = n;
}

/* --- attributes -------------------------------------------------------------------------------------------------------- */

/* The attributes of CCTS' types, in the order in which they are written: nothing else becomes one. */
static const char *const attribute_names[] = {"schemeID", "schemeName", "schemeAgencyID", "schemeAgencyName", "schemeVersionID",
	"schemeDataURI", "schemeURI", "listID", "listName", "listAgencyID", "listAgencyName", "listVersionID", "listURI", "listSchemeURI", "name",
	"languageID", "languageLocaleID", "currencyID", "currencyCodeListVersionID", "unitCode", "unitCodeListID", "unitCodeListAgencyID",
	"unitCodeListAgencyName", "mimeCode", "encodingCode", "characterSetCode", "format", "filename", "uri", NULL};

static bool is_attribute(struct slice name)
{
	for (size_t i = 0; attribute_names[i]; i++)
		if (slice_is(name, attribute_names[i]))
			return true;
	return false;
}

static struct slice member_text(const struct tree *t, const char *name)
{
	const struct tree *m = tree_find(t, slice_str(name));
	return m && m->kind == TREE_TEXT ? m->text : SLICE("");
}

static int by_path(const void *a, const void *b)
{
	return slice_cmp(member_text(*(const struct tree *const *)a, "path"), member_text(*(const struct tree *const *)b, "path"));
}

static int collect_aside(struct writer *w, const struct tree *document)
{
	const struct tree *source = tree_find(document, SLICE("_source"));
	const struct tree *list = source && source->kind == TREE_OBJECT && slice_is(member_text(source, "standard"), "ubl")
		? tree_find(source, SLICE("attributes")) : NULL;
	size_t n = 0;
	for (const struct tree *t = list ? list->first : NULL; t; t = t->next)
		n++;
	w->aside = van_arena_array(w->room->arena, n + 1, sizeof *w->aside);
	for (const struct tree *t = list && w->aside ? list->first : NULL; t; t = t->next)
		if (t->kind == TREE_OBJECT)
			w->aside[w->aside_count++] = t;
	if (w->aside_count)
		qsort(w->aside, w->aside_count, sizeof *w->aside, by_path);
	return w->aside ? 0 : VAN_ENOMEM;
}

static size_t first_aside(const struct writer *w)
{
	size_t low = 0, high = w->aside_count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (slice_cmp(member_text(w->aside[middle], "path"), van_buf_slice(&w->path)) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Of that name: what the document says, else what stood there when it was read. Absent: nothing. */
static struct slice attribute_of(const struct writer *w, const struct tree *holder, size_t first, const char *name)
{
	const struct tree *t = holder ? tree_find(holder, slice_str(name)) : NULL;
	if (t)
		return t->kind == TREE_OBJECT || t->kind == TREE_ARRAY ? SLICE_NONE : t->text;
	for (size_t i = first; i < w->aside_count && slice_eq(member_text(w->aside[i], "path"), van_buf_slice(&w->path)); i++)
		if (slice_is(member_text(w->aside[i], "name"), name))
			return member_text(w->aside[i], "value");
	return SLICE_NONE;
}

/* `holder`: the object whose members of an attribute's name become attributes. */
static int put_attributes(struct writer *w, const struct tree *holder)
{
	size_t first = first_aside(w);
	bool aside = first < w->aside_count && slice_eq(member_text(w->aside[first], "path"), van_buf_slice(&w->path));
	int rc = 0;
	for (size_t i = 0; (holder || aside) && attribute_names[i] && rc == 0; i++) {
		struct slice value = attribute_of(w, holder, first, attribute_names[i]);
		if (value.p)
			rc = put_attribute(w, slice_str(attribute_names[i]), value);
	}
	return rc;
}

/* --- values ------------------------------------------------------------------------------------------------------------ */

/* No exponents in XML Schema's decimals. */
static int put_number(struct writer *w, struct slice text)
{
	struct decimal d;
	char digits[DECIMAL_TEXT];
	int rc = decimal_read(text, &d);
	if (rc == VAN_ESYNTAX)
		return fail(w, VAN_EINVAL, "the value is not a number with digits and a point");
	if (rc == 0 && (memchr(text.p, 'e', text.n) || memchr(text.p, 'E', text.n)))
		text = slice_make(digits, decimal_write(&d, digits));
	van_buf_append_slice(w->to, text);
	return 0;
}

static int put_value(struct writer *w, enum ubl_kind kind, struct slice name, const struct tree *value, const struct tree *holder)
{
	line(w);
	van_buf_printf(w->to, "<cbc:%.*s", SLICE_ARG(name));
	int rc = put_attributes(w, holder);
	if (rc == 0 && kind == UBL_AMOUNT && !(holder && tree_find(holder, SLICE("currencyID")))) {
		if (w->currency.n)
			rc = put_attribute(w, SLICE("currencyID"), w->currency);
		else
			remark(w, UBL_MISSING, SLICE("currencyID"));
	}
	van_buf_append_char(w->to, '>');
	bool number = kind == UBL_AMOUNT || kind == UBL_QUANTITY || kind == UBL_DECIMAL || kind == UBL_NUMBER;
	if (rc == 0)
		rc = number ? put_number(w, value->text) : put_text(w, value->text, false);
	van_buf_printf(w->to, "</cbc:%.*s>", SLICE_ARG(name));
	return rc;
}

/* A value, or an object with its value and attributes. `parent` holds the attributes of ID. 1: there was nothing. */
static int write_value(struct writer *w, const struct ubl_member *m, const struct tree *t, const struct tree *parent)
{
	enum ubl_kind kind = ubl_kind_of(m->name);
	const struct tree *value = t, *holder = slice_is(m->name, "ID") && w->depth > 1 ? parent : NULL;
	if (t->kind == TREE_OBJECT) {
		value = tree_find(t, SLICE("value"));
		holder = t;
		for (const struct tree *x = t->first; x; x = x->next)
			if (x != value && !is_attribute(x->name))
				remark(w, UBL_LEFT_OUT, x->name);
	}
	if (!value || value->kind == TREE_OBJECT || value->kind == TREE_ARRAY || !value->text.n) {
		if (value && value->kind >= TREE_OBJECT)
			remark(w, UBL_LEFT_OUT, SLICE("value"));
		return 1;
	}
	return put_value(w, kind, m->name, value, holder);
}

/* --- parts ------------------------------------------------------------------------------------------------------------- */

static int write_members(struct writer *w, const struct ubl_type *type, const struct tree *object, bool *any);

/* A part in which nothing stands is written only where UBL wants one. 1: there was nothing. */
static int write_part(struct writer *w, const struct ubl_member *m, const struct tree *t)
{
	size_t begin = w->to->n;
	bool any = false;
	if (t->kind != TREE_OBJECT) {
		remark(w, UBL_LEFT_OUT, SLICE("value"));
		return 1;
	}
	line(w);
	van_buf_printf(w->to, "<cac:%.*s>", SLICE_ARG(m->name));
	if (++w->depth > DEPTH)
		return fail(w, VAN_ELIMIT, "objects stand too deep in one another");
	int rc = write_members(w, m->type, t, &any);
	w->depth--;
	if (rc == 0 && any) {
		line(w);
		van_buf_printf(w->to, "</cac:%.*s>", SLICE_ARG(m->name));
	} else if (rc == 0 && !van_buf_error(w->to)) {
		w->to->n = begin;
		if (m->required) {
			line(w);
			van_buf_printf(w->to, "<cac:%.*s/>", SLICE_ARG(m->name));
			any = true;
		}
	}
	return rc < 0 ? rc : !any;
}

static int write_one(struct writer *w, const struct ubl_member *m, const struct tree *t, const struct tree *parent, bool *any)
{
	int rc = m->type ? write_part(w, m, t) : write_value(w, m, t, parent);
	*any = *any || rc == 0;
	return rc < 0 ? rc : 0;
}

static int write_member(struct writer *w, const struct ubl_member *m, const struct tree *t, const struct tree *parent, bool *any)
{
	size_t n = w->path.n;
	int rc = 0;
	uint32_t index = 0;
	van_buf_printf(&w->path, "%s%.*s", n ? "." : "", SLICE_ARG(t->name));
	size_t name = w->path.n;
	const struct tree *item = t->kind == TREE_ARRAY ? t->first : t;
	for (; item && rc == 0; item = t->kind == TREE_ARRAY ? item->next : NULL, index++) {
		w->path.n = name;
		if (t->kind == TREE_ARRAY)
			van_buf_printf(&w->path, "[%u]", index);
		if (index && !m->many)
			remark(w, UBL_LEFT_OUT, SLICE(""));
		else
			rc = write_one(w, m, item, parent, any);
	}
	if (rc == 0)
		w->path.n = n;
	return rc;
}

/* What the document has and UBL doesn't. Members that begin with _ are not of the document proper. */
static void remark_others(struct writer *w, const struct ubl_type *type, const struct tree *object)
{
	const struct tree *id = tree_find(object, SLICE("ID"));
	for (const struct tree *t = object->first; t; t = t->next) {
		struct slice rest = slice_str(type->members);
		struct ubl_member m;
		bool known = slice_starts(t->name, "_") || (id && is_attribute(t->name));
		while (!known && ubl_member_next(&rest, &m))
			known = slice_eq(ubl_canonical_name(type, m.name), t->name);
		if (!known)
			remark(w, UBL_LEFT_OUT, t->name);
	}
}

static int write_members(struct writer *w, const struct ubl_type *type, const struct tree *object, bool *any)
{
	struct slice rest = slice_str(type->members);
	struct ubl_member m;
	int rc = 0;
	while (rc == 0 && ubl_member_next(&rest, &m)) {
		const struct tree *t = tree_find(object, ubl_canonical_name(type, m.name));
		bool written = false;
		if (t)
			rc = write_member(w, &m, t, object, &written);
		if (rc == 0 && m.required && !written)
			remark(w, UBL_MISSING, m.name);
		*any = *any || written;
	}
	if (w->fn && rc == 0)
		remark_others(w, type, object);
	return rc;
}

/* --- documents --------------------------------------------------------------------------------------------------------- */

static int write_document(struct writer *w, const struct ubl_document *d, const struct tree *document)
{
	bool any = false;
	van_buf_printf(w->to, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<%s xmlns=\"" UBL_NAMESPACE "%s-2\"\n  xmlns:cac=\"" UBL_PARTS
		"\"\n  xmlns:cbc=\"" UBL_VALUES "\">\n  <cbc:UBLVersionID>2.1</cbc:UBLVersionID>", d->type, d->type);
	w->depth = 1;
	int rc = write_members(w, ubl_type_find(slice_str(d->type)), document, &any);
	if (rc < 0)
		return rc;
	van_buf_printf(w->to, "\n</%s>\n", d->type);
	if (van_buf_error(w->to) || van_buf_error(&w->path))
		return van_error_set(w->e, VAN_ELIMIT, "the document is larger than it may be (%zu bytes)", w->to->max);
	return 0;
}

int ubl_write(const struct tree *document, struct tree_room *room, struct van_buf *to, ubl_remark_fn fn, void *ctx, struct van_error *e)
{
	struct slice kind = document->kind == TREE_OBJECT ? member_text(document, "_document") : SLICE("");
	const struct ubl_document *d = ubl_documents;
	while (d->type && !slice_is(kind, d->canonical))
		d++;
	if (!d->type)
		return van_error_set(e, VAN_ENOTFOUND, "no UBL document is written from '%.*s'; order, order-response, despatch-advice, invoice and "
			"credit-note (/1.0) are", (int)(kind.n < 60 ? kind.n : 60), kind.p);
	struct writer w = {.room = room, .to = to, .path = VAN_BUF_INIT((size_t)1 << 20), .fn = fn, .ctx = ctx, .e = e,
		.currency = member_text(document, "DocumentCurrencyCode")};
	struct tree *copy = NULL;
	int rc = collect_aside(&w, document);
	if (rc == 0 && strcmp(d->type, "DespatchAdvice") == 0)
		rc = ubl_despatch_out(room, document, &copy);
	if (rc < 0)
		van_error_set(e, rc, "the document needs more memory than it may have");
	else
		rc = write_document(&w, d, copy ? copy : document);
	van_buf_free(&w.path);
	return rc;
}
