/* One MIME entity as a stream: its header block is gathered and tokenized, its body passed on. */
#ifndef OPENVAN_MIME_ENTITY_H
#define OPENVAN_MIME_ENTITY_H

#include "mime/header.h"
#include "mime/sink.h"

struct mime_entity;

struct mime_entity_events {
	void *arg;
	/* Once, when the header block is complete. `block`: its exact bytes with the empty line. Slices live until
	 * mime_entity_free(). */
	int (*headers)(void *arg, const struct mime_headers *h, struct slice block);
	/* Body bytes, as transferred. */
	int (*body)(void *arg, const void *p, size_t n);
};

/* `header_max`: most bytes of the header block, 0 for MIME_HEADER_BYTES_MAX. NULL when out of memory. */
struct mime_entity *mime_entity_new(const struct mime_entity_events *ev, size_t header_max);
void mime_entity_free(struct mime_entity *e);
/* 0, VAN_ESYNTAX, VAN_ELIMIT, VAN_ENOMEM, or what an event returned. */
int mime_entity_feed(struct mime_entity *e, const void *p, size_t n);
/* An entity that ends within its header block has an empty body when the block parses. */
int mime_entity_finish(struct mime_entity *e);

#endif
