/* Header lines of AS2 messages and MDNs. Private to src/as2. */
#ifndef OPENVAN_AS2_WRITE_H
#define OPENVAN_AS2_WRITE_H

#include "base/buf.h"
#include "base/clock.h"

/* `name` with colon and blank: "Subject: ". */
void as2_put_line(struct van_buf *to, const char *name, struct slice value);
void as2_put_id_line(struct van_buf *to, const char *name, struct slice id); /* an AS2 name, quoted where it has to be */
/* "AS2-Version: 1.N" and what we can do besides (RFC 6017): multiple attachments, certificate exchange, the same Message-ID on every
 * try. Version 1.2 says the least that a header of features needs; 1.3 only to who speaks it. */
void as2_put_version(struct van_buf *to, unsigned minor);
/* "Date: …" (RFC 5322); names of days and months are fixed, whatever the locale. */
void as2_put_date(struct van_buf *to, van_time now);

#endif
