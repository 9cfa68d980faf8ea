#include "partner/agreement.h"

#include "base/buf.h"

const char *const agreement_outcome_names[] = {"found", "unroutable", "environment", "tie", "no-receiver", "unauthorised", NULL};
_Static_assert(sizeof agreement_outcome_names / sizeof *agreement_outcome_names == AGREEMENT_OUTCOMES + 1, "a name for each outcome");

/* What differs between an agreement and a query. */
enum {
	OTHER_FROM = 1,
	OTHER_TO = 2,
	OTHER_TYPE = 4,
	OTHER_VERSION = 8,
	OTHER_ENVIRONMENT = 16,
	NOT_ENABLED = 32,
	NOT_VALID = 64,
};

static bool names_end(struct slice end)
{
	return !slice_is(end, "*");
}

static unsigned specificity(const struct profile_agreement *a)
{
	return (names_end(a->to) ? 8u : 0) + (names_end(a->from) ? 4u : 0) + (a->type.p ? 2u : 0) + (a->version.p ? 1u : 0);
}

static bool in_period(van_time from, van_time until, van_time now)
{
	return (!from || now >= from) && (!until || now < until);
}

static unsigned differences(const struct profile_agreement *a, const struct agreement_query *q)
{
	unsigned d = 0;
	if (names_end(a->from) && !slice_eq(a->from, q->from))
		d |= OTHER_FROM;
	if (names_end(a->to) && !slice_eq(a->to, q->to))
		d |= OTHER_TO;
	if (a->type.p && !slice_eq(a->type, q->type))
		d |= OTHER_TYPE;
	if (a->version.p && !slice_eq(a->version, q->version) && (q->version.p || !q->any_version))
		d |= OTHER_VERSION;
	if (a->environment != q->environment)
		d |= OTHER_ENVIRONMENT;
	if (!a->enabled)
		d |= NOT_ENABLED;
	if (!in_period(a->valid_from, a->valid_until, q->now))
		d |= NOT_VALID;
	return d;
}

/* Near enough to be worth a line: not both ends differ, at most two things do, and a named end fits if any is named. */
static bool is_near(const struct profile_agreement *a, unsigned d)
{
	bool named = names_end(a->from) || names_end(a->to);
	bool fits = (names_end(a->from) && !(d & OTHER_FROM)) || (names_end(a->to) && !(d & OTHER_TO));
	return d && __builtin_popcount(d) <= 2 && (!named || fits);
}

static void put_part(struct van_buf *b, bool *first, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
static void put_part(struct van_buf *b, bool *first, const char *fmt, ...)
{
	va_list ap;
	if (!*first)
		van_buf_append_str(b, "; ");
	*first = false;
	va_start(ap, fmt);
	van_buf_vprintf(b, fmt, ap);
	va_end(ap);
}

static void put_difference(struct van_buf *b, bool *first, const char *what, struct slice is, struct slice says)
{
	if (is.p)
		put_part(b, first, "%s is %.*s, the agreement says %.*s", what, SLICE_ARG(is), SLICE_ARG(says));
	else
		put_part(b, first, "%s is not known, the agreement says %.*s", what, SLICE_ARG(says));
}

static struct slice describe(struct van_arena *arena, const struct profile_agreement *a, const struct agreement_query *q, unsigned d)
{
	struct van_buf b = VAN_BUF_INIT(2000);
	bool first = true;
	if (d & OTHER_FROM)
		put_difference(&b, &first, "sender", q->from, a->from);
	if (d & OTHER_TO)
		put_difference(&b, &first, "receiver", q->to, a->to);
	if (d & OTHER_TYPE)
		put_difference(&b, &first, "type", q->type, a->type);
	if (d & OTHER_VERSION)
		put_difference(&b, &first, "version", q->version, a->version);
	if (d & OTHER_ENVIRONMENT)
		put_difference(&b, &first, "environment", slice_str(profile_environment_names[q->environment == PROFILE_TEST]),
			       slice_str(profile_environment_names[a->environment]));
	if (d & NOT_ENABLED)
		put_part(&b, &first, "it is disabled");
	if (d & NOT_VALID)
		put_part(&b, &first, "it is not valid at this time");
	if (!d)
		put_part(&b, &first, "matches %s%s%s", names_end(a->from) && names_end(a->to) ? "sender and receiver"
						      : names_end(a->to)			? "receiver"
						      : names_end(a->from)			? "sender"
												: "as default",
			 a->type.p ? ", type" : "", a->version.p ? ", version" : "");
	struct slice s = van_arena_slice(arena, van_buf_slice(&b));
	van_buf_free(&b);
	return s;
}

/* While gathering, `rank` orders reasons: those that match before those that nearly do, then by specificity. */
struct gathered {
	const struct profile_agreement *a;
	unsigned differences;
};

static unsigned rank(const struct gathered *g)
{
	return (g->differences ? 0 : 1000u) + 20 * (8 - (unsigned)__builtin_popcount(g->differences)) + specificity(g->a);
}

struct gathering {
	struct gathered v[AGREEMENT_REASONS_MAX];
	size_t n;
};

static void gather(struct gathering *all, const struct profile_agreement *a, unsigned d)
{
	struct gathered g = {a, d};
	size_t at = all->n;
	while (at > 0 && rank(&all->v[at - 1]) < rank(&g))
		at--;
	if (at == AGREEMENT_REASONS_MAX)
		return;
	if (all->n < AGREEMENT_REASONS_MAX)
		all->n++;
	memmove(&all->v[at + 1], &all->v[at], (all->n - at - 1) * sizeof all->v[0]);
	all->v[at] = g;
}

static void explain_all(const struct gathering *all, const struct agreement_query *q, const struct agreement_resolution *r,
			struct agreement_explanation *ret)
{
	ret->n = 0;
	for (size_t i = 0; i < all->n; i++) {
		const struct gathered *g = &all->v[i];
		struct agreement_reason *to = &ret->reasons[ret->n++];
		bool best = !g->differences && r->agreement && specificity(g->a) == specificity(r->agreement);
		to->agreement = g->a->id;
		to->verdict = g->differences			       ? AGREEMENT_NEAR
			      : best && r->outcome == AGREEMENT_FOUND ? AGREEMENT_CHOSEN
			      : best				       ? AGREEMENT_TIED
								       : AGREEMENT_LESS_SPECIFIC;
		to->text = describe(ret->arena, g->a, q, g->differences);
	}
}

void agreement_resolve(agreement_next_fn *next, void *arg, const struct agreement_query *q,
		       struct agreement_explanation *explain, struct agreement_resolution *ret)
{
	struct gathering all = {.n = 0};
	const struct profile_agreement *a, *best = NULL, *other = NULL;
	bool tie = false;
	while ((a = next(arg))) {
		unsigned d = differences(a, q);
		if (d == 0) {
			tie = best && specificity(a) == specificity(best) ? true : tie && specificity(a) < specificity(best);
			if (!best || specificity(a) > specificity(best))
				best = a;
		}
		if (d == OTHER_ENVIRONMENT && (!other || specificity(a) > specificity(other)))
			other = a;
		if (explain && (d == 0 || is_near(a, d)))
			gather(&all, a, d);
	}
	ret->agreement = best ? best : other;
	ret->outcome = tie ? AGREEMENT_TIE : best ? AGREEMENT_FOUND : other ? AGREEMENT_ENVIRONMENT : AGREEMENT_UNROUTABLE;
	if (explain)
		explain_all(&all, q, ret, explain);
}

static bool same(struct slice a, struct slice b)
{
	return !a.p == !b.p && slice_eq(a, b);
}

bool agreement_ties(const struct profile_agreement *a, const struct profile_agreement *b)
{
	return a->enabled && b->enabled && a->environment == b->environment && slice_eq(a->from, b->from) && slice_eq(a->to, b->to) &&
	       same(a->type, b->type) && same(a->version, b->version) &&
	       (!a->valid_until || !b->valid_from || b->valid_from < a->valid_until) &&
	       (!b->valid_until || !a->valid_from || a->valid_from < b->valid_until);
}

static bool listed(const struct slice_list *l, struct slice identity)
{
	for (size_t i = 0; i < l->n; i++)
		if (slice_eq(l->v[i], identity))
			return true;
	return false;
}

static bool owns(const struct profile_partner *p, struct slice identity, van_time now)
{
	for (size_t i = 0; i < p->identities.n; i++) {
		const struct profile_identity *own = RECORD_AT(p->identities, struct profile_identity, i);
		if (slice_eq(own->name, identity) && in_period(own->valid_from, own->valid_until, now))
			return true;
	}
	return false;
}

bool authority_may_present(const struct profile_partner *p, const struct profile_connection *c, struct slice identity, van_time now)
{
	return c->presents.n ? listed(&c->presents, identity) : owns(p, identity, now);
}

bool authority_may_collect(const struct profile_partner *p, const struct profile_connection *c, struct slice identity, van_time now)
{
	return c->collects.n ? listed(&c->collects, identity) : owns(p, identity, now);
}
