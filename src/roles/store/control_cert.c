/* cert.list, cert.show: every certificate that profiles name, once, with who uses it. */
#include "roles/store/control.h"
#include "roles/store/control_args.h"

#include <inttypes.h>

#define CERTIFICATES_MOST 100000
#define DAY (86400 * VAN_SECOND)

struct listing {
	struct control_call *call;
	struct slice wanted; /* beginning of a fingerprint; absent: all */
	struct slice *seen;  /* fingerprints */
	size_t nseen, room, shown;
	bool pem;
};

static bool seen_before(struct listing *l, struct slice fingerprint)
{
	for (size_t i = 0; i < l->nseen; i++)
		if (slice_eq(l->seen[i], fingerprint))
			return true;
	if (l->nseen < l->room)
		l->seen[l->nseen++] = fingerprint;
	return false;
}

typedef void use_fn(void *arg, const struct profile_certificate *c, const struct profile *owner, struct slice place);

static void each_of_list(const struct record_list *certificates, const struct profile *owner, struct slice place, use_fn *fn, void *arg)
{
	for (size_t i = 0; i < certificates->n; i++)
		fn(arg, RECORD_AT(*certificates, const struct profile_certificate, i), owner, place);
}

static void each_of_pairs(const struct record_list *pairs, const struct profile *owner, use_fn *fn, void *arg)
{
	for (size_t i = 0; i < pairs->n; i++)
		fn(arg, RECORD_AT(*pairs, const struct profile_key_pair, i)->certificate, owner, owner->id);
}

static void each_of_profile(const struct profile *p, use_fn *fn, void *arg)
{
	if (p->kind == PROFILE_STATION && p->station->as2) {
		each_of_pairs(&p->station->as2->sign, p, fn, arg);
		each_of_pairs(&p->station->as2->decrypt, p, fn, arg);
	}
	for (size_t i = 0; p->kind == PROFILE_PARTNER && i < p->partner->connections.n; i++) {
		const struct profile_connection *c = RECORD_AT(p->partner->connections, const struct profile_connection, i);
		if (c->receive)
			each_of_list(&c->receive->certificates, p, c->id, fn, arg);
		if (c->send)
			each_of_list(&c->send->certificates, p, c->id, fn, arg);
	}
}
