/* Networks of addresses: "10.1.0.0/16", "2001:db8::/32", or one address. IPv4 addresses within IPv6 ("::ffff:10.1.2.3") are
 * IPv4 addresses. */
#ifndef OPENVAN_BASE_CIDR_H
#define OPENVAN_BASE_CIDR_H

#include "base/slice.h"

#include <stdint.h>

struct van_address {
	uint8_t b[16]; /* IPv4: ::ffff:a.b.c.d */
};
struct van_cidr {
	struct van_address address; /* bits beyond the prefix are 0 */
	uint8_t bits;               /* of 128 */
};

/* 0 or VAN_ESYNTAX. *ret is written on success only. */
int van_address_parse(struct slice text, struct van_address *ret);
/* Bits beyond the prefix are ignored. 0 or VAN_ESYNTAX. */
int van_cidr_parse(struct slice text, struct van_cidr *ret);
bool van_cidr_contains(const struct van_cidr *c, const struct van_address *a);
/* As van_cidr_parse() takes it; `to` holds VAN_CIDR_TEXT bytes. A single address has no "/". Returns `to`. */
#define VAN_CIDR_TEXT 52
char *van_cidr_text(char to[VAN_CIDR_TEXT], const struct van_cidr *c);

/* Is the address (as text) in one of these networks? False for what is no address. */
struct slice_list;
bool van_cidr_any(const struct slice_list *networks, struct slice address);

#endif
