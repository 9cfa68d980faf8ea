#include "base/cidr.h"

#include "base/error.h"
#include "base/record.h"

#include <arpa/inet.h>
#include <stdio.h>

static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

static bool is_v4(const struct van_address *a)
{
	return memcmp(a->b, mapped, sizeof mapped) == 0;
}

int van_address_parse(struct slice text, struct van_address *ret)
{
	char z[INET6_ADDRSTRLEN];
	struct van_address a;
	if (!text.n || text.n >= sizeof z || memchr(text.p, 0, text.n))
		return VAN_ESYNTAX;
	memcpy(z, text.p, text.n);
	z[text.n] = 0;
	memcpy(a.b, mapped, sizeof mapped);
	if (inet_pton(AF_INET, z, a.b + 12) != 1 && inet_pton(AF_INET6, z, a.b) != 1)
		return VAN_ESYNTAX;
	*ret = a;
	return 0;
}

static void clear_rest(struct van_cidr *c)
{
	for (unsigned i = 0; i < 16; i++) {
		unsigned keep = c->bits > i * 8 ? c->bits - i * 8 : 0;
		if (keep < 8)
			c->address.b[i] &= (uint8_t)(0xff00u >> keep);
	}
}

int van_cidr_parse(struct slice text, struct van_cidr *ret)
{
	struct slice rest = text, address = slice_cut(&rest, '/');
	struct van_cidr c = {.bits = 128};
	unsigned bits;
	int rc = van_address_parse(address, &c.address);
	if (rc < 0)
		return rc;
	bool v4 = memchr(address.p, ':', address.n) == NULL;
	if (rest.p) {
		rc = slice_number(rest, 3, v4 ? 32 : 128, &bits) ? 0 : VAN_ESYNTAX;
		if (rc < 0)
			return rc;
		c.bits = (uint8_t)(bits + (v4 ? 96 : 0));
	}
	clear_rest(&c);
	*ret = c;
	return 0;
}

bool van_cidr_contains(const struct van_cidr *c, const struct van_address *a)
{
	struct van_cidr other = {*a, c->bits};
	clear_rest(&other);
	return memcmp(other.address.b, c->address.b, sizeof a->b) == 0;
}

char *van_cidr_text(char to[VAN_CIDR_TEXT], const struct van_cidr *c)
{
	char address[INET6_ADDRSTRLEN];
	bool v4 = is_v4(&c->address) && c->bits >= 96;
	inet_ntop(v4 ? AF_INET : AF_INET6, v4 ? c->address.b + 12 : c->address.b, address, sizeof address);
	if (c->bits == 128)
		snprintf(to, VAN_CIDR_TEXT, "%s", address);
	else
		snprintf(to, VAN_CIDR_TEXT, "%s/%u", address, c->bits - (v4 ? 96u : 0u));
	return to;
}

bool van_cidr_any(const struct slice_list *networks, struct slice address)
{
	struct van_address a;
	struct van_cidr c;
	if (van_address_parse(address, &a) < 0)
		return false;
	for (size_t i = 0; i < networks->n; i++)
		if (van_cidr_parse(networks->v[i], &c) == 0 && van_cidr_contains(&c, &a))
			return true;
	return false;
}
