/* UBL XML to a canonical document, through libxml2's push parser: no tree of XML is built, nothing is fetched. */
#include "map/decimal.h"
#include "map/ubl_private.h"

#include <libxml/parser.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define MIB ((size_t)1 << 20)
#define DEPTH_LIMIT 256 /* most that max_depth may ask for */
#define CHUNK ((size_t)16384)

/* An element that is open: a part, a value, or one that is passed over. */
struct open {
	const struct ubl_type *type; /* of a part; NULL: a value */
	struct tree *object;         /* the part's, or that of the value's parent */
	struct slice name;           /* in the document */
	uint32_t index;              /* among those of its name */
	bool many, passed_over;
	struct slice last;           /* the member that was begun last, and how many of it there were */
	uint32_t count;
};

struct ubl_reader {
	struct tree_room *room;
	struct ubl_limits limits;
	xmlParserCtxtPtr parser;
	struct tree *document, *attributes, *unmapped;
	struct open *stack;
	uint32_t depth;
	size_t bytes, quiet; /* read so far; since the parser last said anything */
	struct van_buf text;
	struct tree *pending; /* the value's attributes, an object under construction */
	struct tree *placed;  /* what the value at hand became; NULL: nothing, it was empty */
	struct van_error error;
	int rc;
	bool first;
	unsigned char head[4];
	size_t head_n;
};

/* --- errors ------------------------------------------------------------------------------------------------------------ */

static int bad(struct ubl_reader *r, enum van_err code, const char *format, ...) __attribute__((format(printf, 3, 4)));
static int bad(struct ubl_reader *r, enum van_err code, const char *format, ...)
{
	char what[400];
	va_list ap;
	if (r->rc)
		return r->rc;
	va_start(ap, format);
	vsnprintf(what, sizeof what, format, ap);
	va_end(ap);
	int line = r->parser ? xmlSAX2GetLineNumber(r->parser) : 1;
	r->rc = van_error_set(&r->error, code, "line %d: %s", line > 0 ? line : 1, what);
	if (r->parser)
		xmlStopParser(r->parser);
	return r->rc;
}

static int full(struct ubl_reader *r)
{
	return r->room->error == VAN_ELIMIT ? bad(r, VAN_ELIMIT, "more values than a document may have here")
	                                    : bad(r, VAN_ENOMEM, "the document needs more memory than it may have");
}

static struct open *top(struct ubl_reader *r)
{
	return r->depth ? &r->stack[r->depth - 1] : NULL;
}

/* --- what goes into the document --------------------------------------------------------------------------------------- */

static struct slice keep(struct ubl_reader *r, const void *p, size_t n)
{
	struct slice s = van_arena_slice(r->room->arena, slice_make(p, n));
	if (!s.p) {
		r->room->error = VAN_ENOMEM;
		full(r);
	}
	return s;
}

static void set(struct ubl_reader *r, struct tree *object, struct slice name, enum tree_kind kind, struct slice text)
{
	struct tree *t = object ? tree_member(r->room, object, name, kind) : NULL;
	if (t)
		t->text = text;
	else if (r->room->error)
		full(r);
}

/* "InvoiceLine[0].Item": where the open elements stand in the document. */
static struct slice path(struct ubl_reader *r)
{
	struct van_buf to = VAN_BUF_INIT(MIB);
	for (uint32_t i = 1; i < r->depth; i++) {
		van_buf_printf(&to, "%s%.*s", i > 1 ? "." : "", SLICE_ARG(r->stack[i].name));
		if (r->stack[i].many)
			van_buf_printf(&to, "[%u]", r->stack[i].index);
	}
	struct slice s = keep(r, to.p ? to.p : "", to.n);
	van_buf_free(&to);
	return s;
}

/* Beside the document: an attribute that it has no place for. */
static void put_aside(struct ubl_reader *r, struct slice name, struct slice value)
{
	struct tree *one = tree_append(r->room, r->attributes, TREE_OBJECT);
	if (!one) {
		full(r);
		return;
	}
	set(r, one, SLICE("path"), TREE_TEXT, path(r));
	set(r, one, SLICE("name"), TREE_TEXT, name);
	set(r, one, SLICE("value"), TREE_TEXT, value);
}

static void add_unmapped(struct ubl_reader *r, const struct open *o)
{
	struct tree *one = tree_append(r->room, r->unmapped, TREE_OBJECT);
	struct slice text = slice_trim(van_buf_slice(&r->text));
	if (!one) {
		full(r);
		return;
	}
	set(r, one, SLICE("segment"), TREE_TEXT, o->name);
	set(r, one, SLICE("position"), TREE_NUMBER, van_arena_printf(r->room->arena, "%u", o->index));
	set(r, one, SLICE("element"), TREE_NUMBER, SLICE("0"));
	set(r, one, SLICE("value"), TREE_TEXT, keep(r, text.p, text.n));
}

/* The item or member that an element becomes; an element that may stand once and stands twice is an error. */
static struct tree *place(struct ubl_reader *r, struct open *o, struct tree *parent, enum tree_kind kind)
{
	struct tree *t = tree_find(parent, o->name);
	if (t && !o->many) {
		bad(r, VAN_ESYNTAX, "%.*s stands twice; UBL 2.1 has it once there", SLICE_ARG(o->name));
		return NULL;
	}
	if (o->many) {
		struct tree *list = t ? t : tree_member(r->room, parent, o->name, TREE_ARRAY);
		t = list ? tree_append(r->room, list, kind) : NULL;
	} else {
		t = tree_member(r->room, parent, o->name, kind);
	}
	if (!t)
		full(r);
	r->placed = t;
	return t;
}

/* --- values ------------------------------------------------------------------------------------------------------------ */

/* XML Schema's decimals may begin with a plus or a point, and end in one. */
static bool plain_decimal(struct ubl_reader *r, struct slice s, struct slice *ret)
{
	struct decimal d;
	bool minus = s.n && *s.p == '-';
	if (s.n && (*s.p == '-' || *s.p == '+'))
		s = slice_make(s.p + 1, s.n - 1);
	if (!s.n || memchr(s.p, 'e', s.n) || memchr(s.p, 'E', s.n) || *s.p == '-')
		return false;
	if (slice_ends(s, ".") && s.n > 1)
		s.n--;
	*ret = van_arena_printf(r->room->arena, "%s%s%.*s", minus ? "-" : "", *s.p == '.' ? "0" : "", SLICE_ARG(s));
	if (!ret->p)
		r->room->error = VAN_ENOMEM;
	return ret->p && decimal_read(*ret, &d) != VAN_ESYNTAX;
}

static void set_value(struct ubl_reader *r, struct open *o, enum tree_kind kind, struct slice text)
{
	struct tree *t = place(r, o, o->object, kind);
	if (t)
		t->text = text;
}

static void set_decimal(struct ubl_reader *r, struct open *o, enum ubl_kind kind, struct slice text)
{
	struct slice digits = SLICE_NONE;
	if (!plain_decimal(r, text, &digits)) {
		bad(r, VAN_ESYNTAX, "%.*s is a number with digits and a point, not '%.*s'", SLICE_ARG(o->name), (int)(text.n < 60 ? text.n : 60), text.p);
		return;
	}
	if (kind == UBL_DECIMAL || kind == UBL_NUMBER) {
		bool number = kind == UBL_NUMBER && *digits.p != '-' && (*digits.p != '0' || digits.n == 1 || digits.p[1] == '.');
		set_value(r, o, number ? TREE_NUMBER : TREE_TEXT, digits);
		return;
	}
	struct tree *t = place(r, o, o->object, TREE_OBJECT);
	set(r, t, SLICE("value"), TREE_TEXT, digits);
}

static void end_value(struct ubl_reader *r, struct open *o)
{
	struct slice text = slice_trim(van_buf_slice(&r->text));
	enum ubl_kind kind = ubl_kind_of(o->name);
	if (van_buf_error(&r->text)) {
		bad(r, VAN_ELIMIT, "%.*s is longer than %zu bytes", SLICE_ARG(o->name), r->limits.max_value);
		return;
	}
	if (!text.n || (r->depth == 2 && slice_is(o->name, "UBLVersionID"))) /* what is written is 2.1 */
		return;
	text = keep(r, text.p, text.n);
	if (!text.p)
		return;
	if (kind == UBL_INDICATOR) {
		bool yes = slice_is(text, "true") || slice_is(text, "1");
		if (!yes && !slice_is(text, "false") && !slice_is(text, "0"))
			bad(r, VAN_ESYNTAX, "%.*s is true or false, not '%.*s'", SLICE_ARG(o->name), (int)(text.n < 60 ? text.n : 60), text.p);
		set_value(r, o, TREE_BOOL, yes ? SLICE("true") : SLICE("false"));
	} else if (kind == UBL_TEXT) {
		set_value(r, o, TREE_TEXT, text);
	} else if (kind == UBL_BINARY) {
		struct tree *t = place(r, o, o->object, TREE_OBJECT);
		set(r, t, SLICE("value"), TREE_TEXT, text);
	} else {
		set_decimal(r, o, kind, text);
	}
}

/* Amounts, quantities and files hold theirs; those of ID stand beside it; others aside. Called when the value is in its place. */
static void end_attributes(struct ubl_reader *r, struct open *o)
{
	enum ubl_kind kind = ubl_kind_of(o->name);
	bool own = kind == UBL_AMOUNT || kind == UBL_QUANTITY || kind == UBL_BINARY;
	struct tree *holder = own ? r->placed : slice_is(o->name, "ID") && r->depth > 2 ? o->object : NULL;
	for (const struct tree *a = r->pending ? r->pending->first : NULL; a && !r->rc; a = a->next) {
		if (holder && !tree_find(holder, a->name))
			set(r, holder, a->name, TREE_TEXT, a->text);
		else
			put_aside(r, a->name, a->text);
	}
	r->pending = NULL;
}

/* --- elements ---------------------------------------------------------------------------------------------------------- */

static void begin_document(struct ubl_reader *r, struct slice name, struct slice uri)
{
	const struct ubl_document *d = ubl_documents;
	while (d->type && !slice_is(name, d->type))
		d++;
	if (!slice_starts(uri, UBL_NAMESPACE)) {
		bad(r, VAN_ESYNTAX, "<%.*s> is not of UBL 2; its namespace would begin with " UBL_NAMESPACE, SLICE_ARG(name));
		return;
	}
	if (!d->type) {
		bad(r, VAN_ESYNTAX, "a UBL %.*s is not read here; Order, OrderResponse, DespatchAdvice, Invoice and CreditNote are", SLICE_ARG(name));
		return;
	}
	r->document = tree_new(r->room, TREE_OBJECT);
	r->attributes = tree_new(r->room, TREE_ARRAY);
	r->unmapped = tree_new(r->room, TREE_ARRAY);
	if (!r->document || !r->attributes || !r->unmapped) {
		full(r);
		return;
	}
	set(r, r->document, SLICE("_document"), TREE_TEXT, slice_str(d->canonical));
	*top(r) = (struct open){.type = ubl_type_find(name), .object = r->document, .name = keep(r, name.p, name.n)};
}

static void pass_over(struct ubl_reader *r, struct open *o, struct slice name)
{
	int line = xmlSAX2GetLineNumber(r->parser);
	*o = (struct open){.passed_over = true, .index = line > 0 ? (uint32_t)line : 1, .name = keep(r, name.p, name.n)};
	van_buf_reset(&r->text);
}

static void begin_member(struct ubl_reader *r, struct open *parent, struct slice name, struct slice uri)
{
	struct open *o = top(r);
	struct ubl_member m;
	if (slice_is(uri, "http://www.w3.org/2001/XInclude")) {
		bad(r, VAN_ESYNTAX, "XInclude is not followed: send the document whole");
		return;
	}
	bool known = parent->type && ubl_member_find(parent->type, name, &m) && slice_is(uri, m.type ? UBL_PARTS : UBL_VALUES);
	if (!parent->type) {
		bad(r, VAN_ESYNTAX, "<%.*s> stands in a value", SLICE_ARG(name));
		return;
	}
	if (!known) {
		pass_over(r, o, name);
		return;
	}
	*o = (struct open){.type = m.type, .object = parent->object, .name = ubl_canonical_name(parent->type, m.name),
		.many = ubl_canonical_many(parent->type, m.name, m.many)};
	if (m.many && !o->many && tree_find(parent->object, o->name)) { /* one in the document: the others are listed */
		pass_over(r, o, name);
		return;
	}
	if (!m.many && o->many && tree_find(parent->object, o->name)) {
		bad(r, VAN_ESYNTAX, "%.*s stands twice; UBL 2.1 has it once there", SLICE_ARG(o->name));
		return;
	}
	if (m.many && !slice_eq(parent->last, o->name) && tree_find(parent->object, o->name)) {
		bad(r, VAN_ESYNTAX, "<%.*s> stands in several places; UBL 2.1 has all of them together", SLICE_ARG(name));
		return;
	}
	parent->count = slice_eq(parent->last, o->name) ? parent->count + 1 : 0;
	parent->last = o->name;
	o->index = parent->count;
	r->placed = NULL;
	if (m.type)
		o->object = place(r, o, parent->object, TREE_OBJECT);
	else
		van_buf_reset(&r->text);
}

static void take_attributes(struct ubl_reader *r, const xmlChar **attributes, int n)
{
	r->pending = NULL;
	for (int i = 0; i < n && !r->rc; i++) {
		const xmlChar **a = attributes + 5 * i;
		struct slice name = slice_str((const char *)a[0]), uri = slice_str((const char *)a[2]);
		struct slice value = slice_make(a[3], (size_t)(a[4] - a[3]));
		if (slice_is(uri, "http://www.w3.org/2001/XMLSchema-instance"))
			continue; /* where the sender's schemas are says nothing of the document */
		name = keep(r, name.p, name.n);
		value = keep(r, value.p, value.n);
		if (r->rc)
			return;
		if (top(r)->type || uri.n) {
			put_aside(r, name, value);
			continue;
		}
		if (!r->pending)
			r->pending = tree_new(r->room, TREE_OBJECT);
		set(r, r->pending, name, TREE_TEXT, value);
	}
}

static void start_element(void *ctx, const xmlChar *local, const xmlChar *prefix, const xmlChar *ns, int nnamespaces,
	const xmlChar **namespaces, int nattributes, int ndefaulted, const xmlChar **attributes)
{
	struct ubl_reader *r = ctx;
	(void)prefix, (void)nnamespaces, (void)namespaces, (void)ndefaulted;
	r->quiet = 0;
	if (r->rc)
		return;
	struct slice name = slice_str((const char *)local), uri = slice_str(ns ? (const char *)ns : "");
	struct open *parent = top(r);
	if (r->depth == r->limits.max_depth) {
		bad(r, VAN_ELIMIT, "elements stand deeper than %u in one another", r->limits.max_depth);
		return;
	}
	if (nattributes > (int)r->limits.max_attributes || nnamespaces > (int)r->limits.max_attributes) {
		bad(r, VAN_ELIMIT, "<%.*s> has more than %u attributes", SLICE_ARG(name), r->limits.max_attributes);
		return;
	}
	if (!r->room->left--) {
		r->room->left = 0;
		r->room->error = VAN_ELIMIT;
		full(r);
		return;
	}
	r->depth++;
	if (!parent)
		begin_document(r, name, uri);
	else if (parent->passed_over)
		*top(r) = (struct open){.passed_over = true};
	else
		begin_member(r, parent, name, uri);
	if (!r->rc && !top(r)->passed_over)
		take_attributes(r, attributes, nattributes);
}

static void end_element(void *ctx, const xmlChar *local, const xmlChar *prefix, const xmlChar *uri)
{
	struct ubl_reader *r = ctx;
	(void)local, (void)prefix, (void)uri;
	r->quiet = 0;
	if (r->rc)
		return;
	struct open *o = top(r);
	if (o->passed_over && o->name.p)
		add_unmapped(r, o);
	if (!o->passed_over && !o->type) {
		end_value(r, o);
		end_attributes(r, o);
		van_buf_reset(&r->text);
	}
	r->depth--;
}

static void characters(void *ctx, const xmlChar *s, int n)
{
	struct ubl_reader *r = ctx;
	struct open *o = top(r);
	r->quiet = 0;
	if (r->rc || !o)
		return;
	if (o->passed_over) {
		if (r->text.n < 4096) /* enough to know it again */
			van_buf_append(&r->text, s, (size_t)n < 4096 ? (size_t)n : 4096);
		return;
	}
	if (!o->type) {
		van_buf_append(&r->text, s, (size_t)n);
		if (van_buf_error(&r->text))
			end_value(r, o);
		return;
	}
	if (slice_trim(slice_make(s, (size_t)n)).n)
		bad(r, VAN_ESYNTAX, "text stands between the elements of %.*s", SLICE_ARG(o->name));
}

static void comment(void *ctx, const xmlChar *text)
{
	(void)text;
	((struct ubl_reader *)ctx)->quiet = 0;
}

static void instruction(void *ctx, const xmlChar *target, const xmlChar *data)
{
	(void)target, (void)data;
	((struct ubl_reader *)ctx)->quiet = 0;
}

static void document_type(void *ctx, const xmlChar *name, const xmlChar *external, const xmlChar *system)
{
	(void)name, (void)external, (void)system;
	bad(ctx, VAN_ESYNTAX, "a document type (DTD) is not accepted: UBL has none; entities are written out");
}

static void start_document(void *ctx)
{
	struct ubl_reader *r = ctx;
	static const char *const fine[] = {"UTF-8", "US-ASCII", "ASCII", "ISO-8859-1"};
	const char *encoding = (const char *)r->parser->encoding;
	for (size_t i = 0; encoding && i < sizeof fine / sizeof *fine; i++)
		if (slice_case_is(slice_str(encoding), fine[i]))
			return;
	if (encoding)
		bad(r, VAN_ESYNTAX, "the encoding %.40s is not accepted: send UTF-8 (or ISO-8859-1)", encoding);
}

static void complain(void *ctx, xmlErrorPtr error)
{
	struct ubl_reader *r = ctx;
	if (r->rc || error->level < XML_ERR_ERROR)
		return;
	struct slice text = slice_trim(slice_str(error->message ? error->message : "it cannot be read"));
	bad(r, VAN_ESYNTAX, "not XML: %.*s", (int)(text.n < 300 ? text.n : 300), text.p);
}

/* --- the reader -------------------------------------------------------------------------------------------------------- */

struct ubl_reader *ubl_reader_new(struct tree_room *room, const struct ubl_limits *limits)
{
	struct ubl_reader *r = calloc(1, sizeof *r);
	if (!r)
		return NULL;
	if (limits)
		r->limits = *limits;
	r->limits.max_bytes = r->limits.max_bytes ? r->limits.max_bytes : 64 * MIB;
	r->limits.max_value = r->limits.max_value ? r->limits.max_value : MIB;
	r->limits.max_depth = r->limits.max_depth ? r->limits.max_depth : 32;
	r->limits.max_depth = r->limits.max_depth < DEPTH_LIMIT ? r->limits.max_depth : DEPTH_LIMIT;
	r->limits.max_attributes = r->limits.max_attributes ? r->limits.max_attributes : 16;
	xmlSAXHandler sax = {.initialized = XML_SAX2_MAGIC, .startElementNs = start_element, .endElementNs = end_element,
		.characters = characters, .ignorableWhitespace = characters, .cdataBlock = characters, .internalSubset = document_type,
		.startDocument = start_document, .comment = comment, .processingInstruction = instruction,
		.serror = (xmlStructuredErrorFunc)(void (*)(void))complain};
	r->room = room;
	r->text = VAN_BUF_INIT(r->limits.max_value);
	r->stack = calloc(r->limits.max_depth, sizeof *r->stack);
	r->parser = xmlCreatePushParserCtxt(&sax, r, NULL, 0, NULL);
	/* NOENT: "&amp;" in an attribute is given as '&'; there are no other entities, because there is no DTD */
	if (!r->stack || !r->parser || xmlCtxtUseOptions(r->parser, XML_PARSE_NONET | XML_PARSE_NOENT) != 0) {
		ubl_reader_free(r);
		return NULL;
	}
	return r;
}

void ubl_reader_free(struct ubl_reader *r)
{
	if (!r)
		return;
	if (r->parser)
		xmlFreeParserCtxt(r->parser);
	van_buf_free(&r->text);
	free(r->stack);
	free(r);
}

/* Other widths of characters begin with a byte order mark, or have a zero byte among their first. */
static void look_at_head(struct ubl_reader *r, struct slice chunk)
{
	for (size_t i = 0; i < chunk.n && r->head_n < 4; i++)
		r->head[r->head_n++] = (unsigned char)chunk.p[i];
	bool marked = r->head_n >= 2 && ((r->head[0] == 0xfe && r->head[1] == 0xff) || (r->head[0] == 0xff && r->head[1] == 0xfe));
	if (marked || memchr(r->head, 0, r->head_n))
		bad(r, VAN_ESYNTAX, "the document is in UTF-16 or UTF-32: send UTF-8");
}

static void feed(struct ubl_reader *r, struct slice chunk)
{
	r->bytes += chunk.n;
	if (r->bytes > r->limits.max_bytes) {
		bad(r, VAN_ELIMIT, "the document is larger than %zu bytes", r->limits.max_bytes);
		return;
	}
	if (xmlParseChunk(r->parser, chunk.p, (int)chunk.n, 0) != 0 && !r->rc)
		bad(r, VAN_ESYNTAX, "not XML");
	r->quiet += chunk.n;
	if (r->quiet > r->limits.max_value + 2 * CHUNK)
		bad(r, VAN_ELIMIT, "a tag, an attribute or a comment is longer than %zu bytes", r->limits.max_value);
}

static int finish(struct ubl_reader *r)
{
	if (!r->rc && xmlParseChunk(r->parser, "", 0, 1) != 0)
		bad(r, VAN_ESYNTAX, "not XML: it ends too early");
	if (!r->rc && !r->document)
		bad(r, VAN_ESYNTAX, "the document is empty");
	if (r->rc)
		return r->rc;
	struct tree *source = tree_member(r->room, r->document, SLICE("_source"), TREE_OBJECT);
	set(r, source, SLICE("standard"), TREE_TEXT, SLICE("ubl"));
	set(r, source, SLICE("type"), TREE_TEXT, r->stack[0].name);
	set(r, source, SLICE("version"), TREE_TEXT, SLICE("2.1"));
	if (r->rc)
		return r->rc;
	if (r->attributes->first) {
		r->attributes->name = SLICE("attributes");
		*source->tail = r->attributes;
		source->tail = &r->attributes->next;
	}
	r->unmapped->name = SLICE("_unmapped");
	*r->document->tail = r->unmapped;
	r->document->tail = &r->unmapped->next;
	if (slice_is(r->stack[0].name, "DespatchAdvice") && ubl_despatch_in(r->room, r->document) < 0)
		full(r);
	return r->rc;
}

int ubl_reader_feed(struct ubl_reader *r, struct slice chunk, bool last, struct van_error *e)
{
	look_at_head(r, chunk);
	while (chunk.n && !r->rc) {
		size_t n = chunk.n < CHUNK ? chunk.n : CHUNK;
		feed(r, slice_make(chunk.p, n));
		chunk = slice_make(chunk.p + n, chunk.n - n);
	}
	if (last && !r->rc)
		finish(r);
	if (r->rc && e)
		*e = r->error;
	return r->rc;
}

struct tree *ubl_reader_document(struct ubl_reader *r)
{
	return r->rc ? NULL : r->document;
}

bool ubl_looks_like(struct slice head)
{
	if (head.n >= 2 && (memcmp(head.p, "\xfe\xff", 2) == 0 || memcmp(head.p, "\xff\xfe", 2) == 0 || memcmp(head.p, "<\0", 2) == 0 ||
	                    memcmp(head.p, "\0<", 2) == 0))
		return true; /* another width of characters: the reader says so */
	if (slice_starts(head, "\xef\xbb\xbf"))
		head = slice_make(head.p + 3, head.n - 3);
	head = slice_trim(head);
	return head.n && *head.p == '<' && !memmem(head.p, head.n < UBL_HEAD ? head.n : UBL_HEAD, "<edi", 4);
}
