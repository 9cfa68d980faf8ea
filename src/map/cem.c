#include "map/cem.h"

#include <libxml/parser.h>
#include <libxml/tree.h>
#include <stdio.h>

#define SPACE "urn:ietf:params:xml:ns:ediintcertificateexchange"
#define DSIG "http://www.w3.org/2000/09/xmldsig#"

static const struct {
	const char *name;
	unsigned bit;
} usages[] = {{"digitalSignature", CEM_SIGNATURE}, {"keyEncipherment", CEM_ENCRYPTION}, {"tlsServer", CEM_TLS_SERVER}, {"tlsClient", CEM_TLS_CLIENT}};

/* --- reading ------------------------------------------------------------------------------------------------------------------ */

static bool is(const xmlNode *n, const char *name)
{
	return n->type == XML_ELEMENT_NODE && xmlStrEqual(n->name, (const xmlChar *)name);
}

static const xmlNode *child(const xmlNode *n, const char *name)
{
	for (const xmlNode *c = n ? n->children : NULL; c; c = c->next)
		if (is(c, name))
			return c;
	return NULL;
}

/* The text of an element, trimmed; absent when there is none. */
static struct slice text_of(const xmlNode *n, struct van_arena *arena)
{
	xmlChar *raw = n ? xmlNodeGetContent(n) : NULL;
	struct slice s = raw ? slice_trim(slice_str((char *)raw)) : SLICE_NONE;
	struct slice kept = s.n ? van_arena_slice(arena, s) : SLICE_NONE;
	xmlFree(raw);
	return kept;
}

static struct slice text(const xmlNode *n, const char *name, struct van_arena *arena)
{
	return text_of(child(n, name), arena);
}

static void read_identifier(const xmlNode *n, struct van_arena *arena, struct cem_item *to)
{
	to->issuer = text(n, "X509IssuerName", arena);
	to->serial = text(n, "X509SerialNumber", arena);
}

static void read_request(const xmlNode *n, struct van_arena *arena, struct cem_item *to)
{
	const xmlNode *entity = child(n, "EndEntity");
	for (const xmlNode *c = n->children; c; c = c->next) {
		struct slice usage = is(c, "CertUsage") ? text_of(c, arena) : SLICE_NONE;
		for (size_t i = 0; usage.p && i < sizeof usages / sizeof *usages; i++)
			if (slice_is(usage, usages[i].name))
				to->usage |= usages[i].bit;
	}
	to->respond_by = text(n, "RespondByDate", arena);
	to->response_url = text(n, "ResponseURL", arena);
	to->content_id = text(entity, "CertificateContentID", arena);
	read_identifier(child(entity, "CertificateIdentifier"), arena, to);
}

static void read_response(const xmlNode *n, struct van_arena *arena, struct cem_item *to)
{
	to->accepted = slice_is(text(n, "CertStatus", arena), "Accepted");
	to->reason = text(n, "ReasonForRejection", arena);
	read_identifier(child(n, "CertificateReference"), arena, to);
}

static int read_root(const xmlNode *root, struct van_arena *arena, struct cem *ret, struct van_error *err)
{
	bool response = root && is(root, "EDIINTCertificateExchangeResponse");
	if (!root || (!response && !is(root, "EDIINTCertificateExchangeRequest")))
		return van_error_set(err, VAN_ESYNTAX, "this is no certificate exchange: its root is neither a request nor a response");
	xmlChar *id = xmlGetNoNsProp(root, (const xmlChar *)"requestId");
	*ret = (struct cem){.response = response, .request_id = id ? van_arena_slice(arena, slice_str((char *)id)) : SLICE_NONE};
	xmlFree(id);
	const xmlNode *info = child(root, "TradingPartnerInfo");
	ret->sender = text(info, "Name", arena);
	ret->originated = text(info, "MessageOriginated", arena);
	for (const xmlNode *c = root->children; c; c = c->next) {
		if (!is(c, response ? "TrustResponse" : "TrustRequest"))
			continue;
		if (ret->n == CEM_ITEMS_MAX)
			return van_error_set(err, VAN_ELIMIT, "more than %d certificates in one exchange", CEM_ITEMS_MAX);
		struct cem_item *to = &ret->items[ret->n++];
		if (response)
			read_response(c, arena, to);
		else
			read_request(c, arena, to);
		if (!to->issuer.p || !to->serial.p)
			return van_error_set(err, VAN_ESYNTAX, "certificate %zu of the exchange is not named by issuer and serial number", ret->n);
	}
	if (!ret->request_id.n || !ret->n)
		return van_error_set(err, VAN_ESYNTAX, "the certificate exchange has no %s", ret->n ? "requestId" : "certificate");
	return 0;
}

int cem_parse(struct slice xml, struct van_arena *arena, struct cem *ret, struct van_error *err)
{
	/* no document type, and so no entities of anybody's making */
	if (xml.n > CEM_BYTES_MAX || !xml.n || memmem(xml.p, xml.n, "<!DOCTYPE", 9))
		return van_error_set(err, VAN_ESYNTAX, "this is no certificate exchange: too long, empty, or with a document type");
	xmlDoc *doc = xmlReadMemory(xml.p, (int)xml.n, NULL, NULL, XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
	int rc = doc ? read_root(xmlDocGetRootElement(doc), arena, ret, err)
		     : van_error_set(err, VAN_ESYNTAX, "the certificate exchange is not well-formed XML");
	xmlFreeDoc(doc);
	xmlResetLastError();
	return rc;
}

/* --- writing ------------------------------------------------------------------------------------------------------------------- */

static void put_text(struct van_buf *to, struct slice value)
{
	for (size_t i = 0; i < value.n; i++)
		switch (value.p[i]) {
		case '<': van_buf_append_str(to, "&lt;"); break;
		case '>': van_buf_append_str(to, "&gt;"); break;
		case '&': van_buf_append_str(to, "&amp;"); break;
		case '"': van_buf_append_str(to, "&quot;"); break;
		default: van_buf_append_char(to, value.p[i]);
		}
}

static void put(struct van_buf *to, const char *name, struct slice value)
{
	van_buf_printf(to, "<%s>", name);
	put_text(to, value);
	van_buf_printf(to, "</%s>\n", name);
}

static void put_identifier(struct van_buf *to, const char *name, const struct cem_item *i)
{
	van_buf_printf(to, "<%s>\n", name);
	put(to, "ds:X509IssuerName", i->issuer);
	put(to, "ds:X509SerialNumber", i->serial);
	van_buf_printf(to, "</%s>\n", name);
}

static void put_request(struct van_buf *to, const struct cem_item *i)
{
	van_buf_append_str(to, "<TrustRequest>\n");
	for (size_t k = 0; k < sizeof usages / sizeof *usages; k++)
		if (i->usage & usages[k].bit)
			put(to, "CertUsage", slice_str(usages[k].name));
	if (i->respond_by.n)
		put(to, "RespondByDate", i->respond_by);
	put(to, "ResponseURL", i->response_url);
	van_buf_append_str(to, "<EndEntity>\n");
	put_identifier(to, "CertificateIdentifier", i);
	put(to, "CertificateContentID", i->content_id);
	van_buf_append_str(to, "</EndEntity>\n</TrustRequest>\n");
}

static void put_response(struct van_buf *to, const struct cem_item *i)
{
	van_buf_append_str(to, "<TrustResponse>\n");
	put(to, "CertStatus", i->accepted ? SLICE("Accepted") : SLICE("Rejected"));
	if (!i->accepted && i->reason.n)
		put(to, "ReasonForRejection", i->reason);
	put_identifier(to, "CertificateReference", i);
	van_buf_append_str(to, "</TrustResponse>\n");
}

int cem_write(const struct cem *c, van_time now, struct van_buf *to)
{
	const char *root = c->response ? "EDIINTCertificateExchangeResponse" : "EDIINTCertificateExchangeRequest";
	char when[VAN_TIME_TEXT];
	van_time_rfc3339(when, now - now % VAN_SECOND);
	van_buf_printf(to, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<%s xmlns=\"" SPACE "\" xmlns:ds=\"" DSIG "\" requestId=\"", root);
	put_text(to, c->request_id);
	van_buf_append_str(to, "\">\n<TradingPartnerInfo>\n");
	put(to, "Name", c->sender);
	put(to, "MessageOriginated", slice_str(when));
	van_buf_append_str(to, "</TradingPartnerInfo>\n");
	for (size_t i = 0; i < c->n; i++)
		(c->response ? put_response : put_request)(to, &c->items[i]);
	return van_buf_printf(to, "</%s>\n", root);
}
