#include "partner/openas2.h"

#include <libxml/parser.h>
#include <libxml/tree.h>
#include <string.h>

static bool is(const xmlNode *n, const char *name)
{
	return n->type == XML_ELEMENT_NODE && xmlStrEqual(n->name, (const xmlChar *)name);
}

static struct slice property(const xmlNode *n, const char *name, struct van_arena *arena)
{
	xmlChar *raw = n ? xmlGetNoNsProp(n, (const xmlChar *)name) : NULL;
	struct slice s = raw ? slice_trim(van_arena_slice(arena, slice_str((const char *)raw))) : SLICE_NONE;
	xmlFree(raw);
	if (s.p)
		s = van_arena_slice(arena, s); /* with the NUL at its end, again */
	return s;
}

static const xmlNode *child(const xmlNode *n, const char *name)
{
	for (const xmlNode *c = n->children; c; c = c->next)
		if (is(c, name))
			return c;
	return NULL;
}

static size_t count(const xmlNode *n, const char *name)
{
	size_t k = 0;
	for (const xmlNode *c = n->children; c; c = c->next)
		k += is(c, name);
	return k;
}

static int read_party(const xmlNode *n, struct van_arena *arena, struct openas2_party *to, struct van_error *err)
{
	*to = (struct openas2_party){property(n, "name", arena), property(n, "as2_id", arena), property(n, "x509_alias", arena),
				     property(n, "email", arena)};
	if (to->name.n && to->as2_id.n)
		return 0;
	return van_error_set(err, VAN_ESYNTAX, "line %ld: a partner needs name and as2_id", xmlGetLineNo(n));
}

static int read_partnership(const xmlNode *n, struct van_arena *arena, struct openas2_partnership *to, struct van_error *err)
{
	*to = (struct openas2_partnership){.name = property(n, "name", arena), .sender = property(child(n, "sender"), "name", arena),
					   .receiver = property(child(n, "receiver"), "name", arena)};
	to->attributes = van_arena_array(arena, count(n, "attribute") + 1, sizeof *to->attributes);
	if (!to->attributes)
		return VAN_ENOMEM;
	for (const xmlNode *c = n->children; c; c = c->next)
		if (is(c, "attribute"))
			to->attributes[to->n++] = (struct openas2_attribute){property(c, "name", arena), property(c, "value", arena)};
	if (to->sender.n && to->receiver.n)
		return 0;
	return van_error_set(err, VAN_ESYNTAX, "line %ld: partnership %.*s needs a sender and a receiver with names", xmlGetLineNo(n), SLICE_ARG(to->name));
}

static int read_root(const xmlNode *root, struct van_arena *arena, struct openas2 *ret, struct van_error *err)
{
	int rc = 0;
	if (!root || !is(root, "partnerships"))
		return van_error_set(err, VAN_ESYNTAX, "it is no partnerships.xml: its outermost element is %s", root ? (const char *)root->name : "missing");
	*ret = (struct openas2){.parties = van_arena_array(arena, count(root, "partner") + 1, sizeof *ret->parties),
				.partnerships = van_arena_array(arena, count(root, "partnership") + 1, sizeof *ret->partnerships)};
	if (!ret->parties || !ret->partnerships)
		return VAN_ENOMEM;
	for (const xmlNode *c = root->children; c && rc == 0; c = c->next)
		if (is(c, "partner"))
			rc = read_party(c, arena, &ret->parties[ret->nparties++], err);
		else if (is(c, "partnership"))
			rc = read_partnership(c, arena, &ret->partnerships[ret->npartnerships++], err);
	for (size_t i = 0; i < ret->npartnerships && rc == 0; i++) {
		const struct openas2_partnership *p = &ret->partnerships[i];
		struct slice missing = !openas2_party(ret, p->sender) ? p->sender : !openas2_party(ret, p->receiver) ? p->receiver : SLICE_NONE;
		if (missing.p)
			rc = van_error_set(err, VAN_ESYNTAX, "partnership %.*s names the partner %.*s, whom the file does not describe", SLICE_ARG(p->name),
					   SLICE_ARG(missing));
	}
	return rc;
}

int openas2_parse(struct slice xml, struct van_arena *arena, struct openas2 *ret, struct van_error *err)
{
	/* nothing of a document type is needed here, and what it can do isn't wanted */
	if (!xml.n || xml.n > OPENAS2_BYTES_MAX || memmem(xml.p, xml.n, "<!DOCTYPE", 9))
		return van_error_set(err, VAN_ESYNTAX, "it is empty, too large, or has a document type");
	xmlDoc *doc = xmlReadMemory(xml.p, (int)xml.n, NULL, NULL, XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
	const xmlError *e = doc ? NULL : xmlGetLastError();
	int rc = doc ? read_root(xmlDocGetRootElement(doc), arena, ret, err)
		     : van_error_set(err, VAN_ESYNTAX, "line %d: it is no well-formed XML", e ? e->line : 1);
	xmlFreeDoc(doc);
	xmlResetLastError();
	return rc;
}

const struct openas2_party *openas2_party(const struct openas2 *o, struct slice name)
{
	for (size_t i = 0; i < o->nparties; i++)
		if (slice_eq(o->parties[i].name, name))
			return &o->parties[i];
	return NULL;
}

struct slice openas2_attribute(const struct openas2_partnership *p, const char *name)
{
	for (size_t i = 0; i < p->n; i++)
		if (slice_is(p->attributes[i].name, name))
			return p->attributes[i].value;
	return SLICE_NONE;
}
