/* The XML form back, through libxml2's push parser: no tree is built, no DTD and so no entity is accepted, nothing is fetched. */
#include "map/form_private.h"

#include <libxml/parser.h>

#include <stdio.h>
#include <stdlib.h>

enum place { P_OUTSIDE, P_DOCUMENT, P_INTERCHANGE, P_SEGMENT, P_ELEMENT, P_REPETITION, P_COMPONENT, P_OBJECT, P_DEPTH };

struct form_xml_reader {
	struct form_builder *b;
	xmlParserCtxtPtr parser;
	enum place stack[P_DEPTH];
	int depth;
	struct van_buf text;       /* of the value in hand */
	enum form_kind kind[P_DEPTH];
	bool parts[P_DEPTH];       /* the element or repetition has parts; its own text is none */
	bool repeats;              /* the parts of the element in hand are repetitions */
	bool known;
	int error;
};

static void stop(struct form_xml_reader *r, int rc)
{
	if (rc < 0 && !r->error) {
		r->error = rc;
		xmlStopParser(r->parser);
	}
}

static void where(struct form_xml_reader *r)
{
	int line = xmlSAX2GetLineNumber(r->parser);
	r->b->line = line > 0 ? (uint64_t)line : 1;
}

static void bad(struct form_xml_reader *r, const char *what)
{
	stop(r, form_build_error(r->b, VAN_ESYNTAX, "%s; see doc/edi-forms.md", what));
}

/* --- attributes -------------------------------------------------------------------------------------------------------- */

/* Of SAX2's five pointers for each attribute the value's two ends; absent when there is none. */
static struct slice attribute(const xmlChar **attributes, int n, const char *name)
{
	for (int i = 0; i < n; i++)
		if (strcmp((const char *)attributes[5 * i], name) == 0)
			return slice_make(attributes[5 * i + 3], (size_t)(attributes[5 * i + 4] - attributes[5 * i + 3]));
	return SLICE_NONE;
}

/* 0x1C: hexadecimal digits of the bytes. `room` holds them. */
static struct slice delimiter(struct slice s, char room[8])
{
	size_t n = 0;
	if (s.n < 4 || s.n > 2 + 2 * 7 || s.n % 2 || memcmp(s.p, "0x", 2) != 0)
		return s;
	for (size_t i = 2; i < s.n; i += 2) {
		unsigned v;
		char two[3] = {s.p[i], s.p[i + 1], 0};
		if (sscanf(two, "%2x", &v) != 1)
			return s;
		room[n++] = (char)v;
	}
	return slice_make(room, n);
}

static void begin_interchange(struct form_xml_reader *r, const xmlChar **attributes, int n)
{
	struct slice standard = attribute(attributes, n, "standard"), charset = attribute(attributes, n, "charset");
	char name[24], rooms[6][8];
	snprintf(name, sizeof name, "%.*s", SLICE_ARG(charset));
	struct form_envelope e = {
		.standard = slice_is(standard, "X12") ? EDI_X12 : slice_is(standard, "EDIFACT") ? EDI_EDIFACT : EDI_UNKNOWN,
		.charset = charset.n ? name : NULL,
		.una = delimiter(attribute(attributes, n, "una"), rooms[0]),
		.element = delimiter(attribute(attributes, n, "element"), rooms[1]),
		.component = delimiter(attribute(attributes, n, "component"), rooms[2]),
		.repetition = delimiter(attribute(attributes, n, "repetition"), rooms[3]),
		.release = delimiter(attribute(attributes, n, "release"), rooms[4]),
		.terminator = delimiter(attribute(attributes, n, "terminator"), rooms[5])};
	stop(r, form_build_interchange(r->b, &e));
}

/* --- elements ---------------------------------------------------------------------------------------------------------- */

static enum place place_of(struct form_xml_reader *r, const char *name)
{
	static const struct {
		const char *name;
		enum place parent, place;
	} rules[] = {{"edi", P_OUTSIDE, P_DOCUMENT}, {"interchange", P_DOCUMENT, P_INTERCHANGE}, {"segment", P_INTERCHANGE, P_SEGMENT}, {"object", P_INTERCHANGE, P_OBJECT},
		{"e", P_SEGMENT, P_ELEMENT}, {"r", P_ELEMENT, P_REPETITION}, {"c", P_ELEMENT, P_COMPONENT}, {"c", P_REPETITION, P_COMPONENT}};
	for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
		if (rules[i].parent == r->stack[r->depth] && strcmp(rules[i].name, name) == 0)
			return rules[i].place;
	return P_OUTSIDE;
}

static void begin_part(struct form_xml_reader *r, enum place p)
{
	enum place parent = r->stack[r->depth - 1];
	bool first = !r->parts[parent], repetition = p == P_REPETITION;
	if (parent == P_ELEMENT && !first && r->repeats != repetition)
		bad(r, "an element holds <c> or <r>, not both");
	if (parent == P_ELEMENT)
		r->repeats = repetition;
	r->parts[parent] = true;
	if (repetition)
		stop(r, form_build_repetition(r->b, first));
}

static void start_element(void *ctx, const xmlChar *local, const xmlChar *prefix, const xmlChar *uri, int nnamespaces,
	const xmlChar **namespaces, int nattributes, int ndefaulted, const xmlChar **attributes)
{
	struct form_xml_reader *r = ctx;
	(void)prefix, (void)uri, (void)nnamespaces, (void)namespaces, (void)ndefaulted;
	if (r->error)
		return;
	where(r);
	enum place p = place_of(r, (const char *)local);
	if (p == P_OUTSIDE) {
		bad(r, r->depth ? "there is an element that does not belong here" : "the document's element is not <edi>");
		return;
	}
	r->stack[++r->depth] = p;
	r->parts[p] = false;
	r->known = true;
	van_buf_reset(&r->text);
	struct slice form = attribute(attributes, nattributes, "form");
	r->kind[p] = slice_is(form, "raw") ? FORM_RAW : slice_is(form, "base64") ? FORM_BINARY : FORM_TEXT;
	if (p == P_INTERCHANGE)
		begin_interchange(r, attributes, nattributes);
	else if (p == P_SEGMENT)
		stop(r, form_build_segment(r->b, attribute(attributes, nattributes, "id")));
	else if (p == P_ELEMENT)
		stop(r, form_build_element(r->b));
	else if (p > P_ELEMENT && p != P_OBJECT)
		begin_part(r, p);
}

static void end_element(void *ctx, const xmlChar *local, const xmlChar *prefix, const xmlChar *uri)
{
	struct form_xml_reader *r = ctx;
	(void)local, (void)prefix, (void)uri;
	if (r->error)
		return;
	where(r);
	enum place p = r->stack[r->depth--];
	if (p >= P_ELEMENT && !r->parts[p]) {
		if (van_buf_error(&r->text))
			stop(r, form_build_error(r->b, VAN_ELIMIT, "a value is longer than %zu MiB", r->text.max >> 20));
		else
			stop(r, p == P_OBJECT ? form_build_object(r->b, van_buf_slice(&r->text))
			                      : form_build_value(r->b, r->kind[p], van_buf_slice(&r->text)));
	}
	van_buf_reset(&r->text);
	if (p == P_SEGMENT)
		stop(r, form_build_segment_end(r->b));
	else if (p == P_INTERCHANGE)
		stop(r, form_build_interchange_end(r->b));
}

static void characters(void *ctx, const xmlChar *s, int n)
{
	struct form_xml_reader *r = ctx;
	enum place p = r->stack[r->depth];
	if (!r->error && p >= P_ELEMENT && !r->parts[p])
		van_buf_append(&r->text, s, (size_t)n);
}

/* <!DOCTYPE: nothing of ours has one, and entities are how XML attacks its readers. */
static void document_type(void *ctx, const xmlChar *name, const xmlChar *external, const xmlChar *system)
{
	(void)name, (void)external, (void)system;
	bad(ctx, "a document type is not accepted");
}

static void complain(void *ctx, xmlErrorPtr error)
{
	struct form_xml_reader *r = ctx;
	if (r->error || error->level < XML_ERR_ERROR)
		return;
	r->b->line = error->line > 0 ? (uint64_t)error->line : 1;
	struct slice text = slice_trim(slice_str(error->message ? error->message : "not XML"));
	stop(r, form_build_error(r->b, VAN_ESYNTAX, "not XML: %.*s", SLICE_ARG(text)));
}

/* --- the reader -------------------------------------------------------------------------------------------------------- */

struct form_xml_reader *form_xml_reader_new(struct form_builder *b)
{
	struct form_xml_reader *r = calloc(1, sizeof *r);
	if (!r)
		return NULL;
	xmlSAXHandler sax = {.initialized = XML_SAX2_MAGIC, .startElementNs = start_element, .endElementNs = end_element,
		.characters = characters, .ignorableWhitespace = characters, .cdataBlock = characters, .internalSubset = document_type,
		.serror = (xmlStructuredErrorFunc)(void (*)(void))complain};
	r->b = b;
	r->text = VAN_BUF_INIT(2 * b->options.max_segment);
	r->parser = xmlCreatePushParserCtxt(&sax, r, NULL, 0, NULL);
	/* NOENT: "&amp;" in an attribute is given as '&'; there are no other entities, because there is no DTD */
	if (!r->parser || xmlCtxtUseOptions(r->parser, XML_PARSE_NONET | XML_PARSE_NOENT) != 0) {
		form_xml_reader_free(r);
		return NULL;
	}
	return r;
}

void form_xml_reader_free(struct form_xml_reader *r)
{
	if (!r)
		return;
	if (r->parser)
		xmlFreeParserCtxt(r->parser);
	van_buf_free(&r->text);
	free(r);
}

int form_xml_reader_feed(struct form_xml_reader *r, struct slice chunk, bool last)
{
	while (chunk.n && !r->error) {
		size_t n = chunk.n < 65536 ? chunk.n : 65536;
		if (xmlParseChunk(r->parser, chunk.p, (int)n, 0) != 0 && !r->error)
			stop(r, form_build_error(r->b, VAN_ESYNTAX, "not XML"));
		chunk = slice_make(chunk.p + n, chunk.n - n);
	}
	if (last && !r->error && xmlParseChunk(r->parser, "", 0, 1) != 0 && !r->error)
		stop(r, form_build_error(r->b, VAN_ESYNTAX, "not XML: it ends too early"));
	if (last && !r->error && !r->known)
		stop(r, form_build_error(r->b, VAN_ESYNTAX, "the document is empty"));
	return r->error;
}
