/* Certificate exchange messages (draft-meadors-certificate-exchange): the XML documents by which partners hand each other new
 * certificates. The certificates themselves travel beside them. */
#ifndef OPENVAN_MAP_CEM_H
#define OPENVAN_MAP_CEM_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/error.h"

#define CEM_CONTENT_TYPE "application/ediint-cert-exchange+xml"
#define CEM_ITEMS_MAX 32
#define CEM_BYTES_MAX ((size_t)1 << 20)

/* What a certificate is for. */
enum { CEM_SIGNATURE = 1, CEM_ENCRYPTION = 2, CEM_TLS_SERVER = 4, CEM_TLS_CLIENT = 8 };

struct cem_item {
	unsigned usage;       /* request; set of the above */
	struct slice respond_by, response_url; /* request; as they were written; absent: none */
	struct slice content_id; /* request: which part holds the certificate */
	struct slice issuer, serial; /* RFC 2253 text and decimal digits */
	bool accepted;        /* response */
	struct slice reason;  /* response: why not */
};

struct cem {
	bool response;
	struct slice request_id;
	struct slice sender;  /* its AS2 name */
	struct slice originated;
	struct cem_item items[CEM_ITEMS_MAX];
	size_t n;
};

/* Slices of *ret are in the arena. VAN_ESYNTAX with a text (also for a document type: none is needed), VAN_ELIMIT, VAN_ENOMEM. */
int cem_parse(struct slice xml, struct van_arena *arena, struct cem *ret, struct van_error *err);
/* Appends the document. 0 or the buffer's error. */
int cem_write(const struct cem *c, van_time now, struct van_buf *to);

#endif
