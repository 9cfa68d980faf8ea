/* Addresses that peers name: where an asynchronous MDN shall go. What is not plainly one host is refused, for what is read
 * here and what a client library reads must never differ (server-side request forgery). */
#ifndef OPENVAN_AS2_URL_H
#define OPENVAN_AS2_URL_H

#include "base/slice.h"

#define AS2_URL_MAX 2048

struct as2_url {
	bool tls;
	struct slice host; /* without the brackets of an IPv6 address */
	unsigned port;     /* 80 or 443 when not given */
};

/* http:// or https://, no user information, no fragment, printable ASCII. 0, VAN_ESYNTAX, VAN_ELIMIT. */
int as2_url_parse(struct slice url, struct as2_url *ret);
/* Is this the host named? `allowed`: "mdn.example", "[2001:db8::1]", or with a port, which then must be the same. Case does
 * not matter. */
bool as2_url_host_is(const struct as2_url *u, struct slice allowed);

#endif
