/* Shared by the files that package. */
#ifndef OPENVAN_AS2_PACKAGE_PRIVATE_H
#define OPENVAN_AS2_PACKAGE_PRIVATE_H

#include "as2/package.h"

/* Content-Type and the other MIME headers of what is sent: the document's, or those of multipart/related around it. */
void package_put_entity_headers(const struct as2_package_config *c, struct van_buf *to);
/* Of the document itself, within multipart/related; of something beside it. */
void package_put_document_headers(const struct as2_package_config *c, struct van_buf *to);
void package_put_attached_headers(const struct as2_attached *a, struct van_buf *to);
/* The headers of the message itself; the outermost entity's come after them. */
void package_put_headers(const struct as2_package_config *c, struct van_buf *to);
/* Is there a value that would break out of its line? */
bool package_values_ok(const struct as2_package_config *c);

#endif
