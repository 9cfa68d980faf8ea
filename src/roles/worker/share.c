/* Between whom the documents of a file without EDI are. Those between the same two are a share of the file: they go the way of the messages
 * of an interchange, with an agreement, an outcome and a stored message of their own where there are several. */
#include "map/tree.h"
#include "partner/identity.h"
#include "partner/settings.h"
#include "roles/worker/interchange.h"

#include <stdlib.h>

/* What one document says of its ends. */
struct ends {
	struct slice from, to;
	struct slice why; /* it can't be routed: for want of terms */
};

struct sharing {
	struct job *job;
	struct job_share *shares;
	size_t n, last; /* last: where the document before went */
	size_t *of;     /* by document: its share */
	size_t held, pairs;
};

#define NOT_YET SIZE_MAX

static struct van_arena *arena_of(struct job *j)
{
	return j->worker->arena;
}

/* --- what a document says ----------------------------------------------------------------------------------------------------------- */

static struct slice said(const struct tree *document, const char *end)
{
	const struct tree *envelope = document->kind == TREE_OBJECT ? tree_find(document, SLICE("_envelope")) : NULL;
	return envelope ? job_plain_text(envelope, end) : SLICE_NONE;
}

/* "ZZ:ACME" is of the standard that the document came from, X12 where it came from none. */
static struct slice identity_in(struct job *j, const struct tree *document, const char *end)
{
	struct slice text = slice_trim(said(document, end));
	const struct tree *source = document->kind == TREE_OBJECT ? tree_find(document, SLICE("_source")) : NULL;
	if (!text.n)
		return SLICE_NONE;
	struct slice whole = identity_canonical(arena_of(j), text);
	if (whole.p)
		return whole;
	const char *standard = source && slice_is(job_plain_text(source, "standard"), "edifact") ? "edifact" : "x12";
	return identity_canonical(arena_of(j), van_arena_printf(arena_of(j), "%s %.*s", standard, SLICE_ARG(text)));
}

static struct slice no_end(struct job *j, const struct job_document *d, bool receiver)
{
	const char *end = receiver ? "receiver" : "sender";
	struct slice text = said(d->tree, end), connection = j->from->connection;
	if (text.n)
		return van_arena_printf(arena_of(j), "document %llu of the file (%.*s) names the %s \"%.*s\", which is no identity: write \"x12 QUALIFIER:ID\" or "
						     "\"edifact QUALIFIER:ID\" there, or let a table of the sheet make one of it",
					(unsigned long long)d->number, SLICE_ARG(job_plain_text(d->tree, "ID")), end, (int)(text.n < 100 ? text.n : 100), text.p);
	return van_arena_printf(arena_of(j), "document %llu of the file (%.*s) does not say who %s it: write \"%s\" into \"documents\" of connection %.*s, or let "
					     "the document have _envelope.%s",
				(unsigned long long)d->number, SLICE_ARG(job_plain_text(d->tree, "ID")), receiver ? "gets" : "sends", receiver ? "to" : "from",
				SLICE_ARG(connection), end);
}

static struct slice other_environment(struct job *j, const struct job_document *d)
{
	bool test = j->plain->rule.test;
	return van_arena_printf(arena_of(j), "document %llu of the file (%.*s) says that it is %s, and \"documents\" of connection %.*s that it is %s: correct one "
					     "of them",
				(unsigned long long)d->number, SLICE_ARG(job_plain_text(d->tree, "ID")), test ? "production" : "a test",
				SLICE_ARG(j->from->connection), test ? "a test" : "production");
}

static int read_ends(struct job *j, const struct job_document *d, struct ends *ret)
{
	const struct directory_document *rule = &j->plain->rule;
	const struct tree *envelope = d->tree->kind == TREE_OBJECT ? tree_find(d->tree, SLICE("_envelope")) : NULL;
	const struct tree *test = envelope && envelope->kind == TREE_OBJECT ? tree_find(envelope, SLICE("test")) : NULL;
	*ret = (struct ends){.from = rule->from.p ? rule->from : identity_in(j, d->tree, "sender"), .to = rule->to.p ? rule->to : identity_in(j, d->tree, "receiver")};
	if (!ret->from.p && !said(d->tree, "sender").n)
		ret->from = rule->otherwise;
	if (test && slice_is(test->text, "true") != rule->test)
		ret->why = other_environment(j, d);
	else if (!ret->from.p || !ret->to.p)
		ret->why = no_end(j, d, ret->from.p);
	else
		return 0;
	return ret->why.p ? 0 : VAN_ENOMEM;
}

/* --- sharing ------------------------------------------------------------------------------------------------------------------------ */

static bool is_between(const struct job_share *s, const struct ends *e)
{
	return !s->why.p && slice_eq(s->from, e->from) && slice_eq(s->to, e->to);
}

static int add_share(struct sharing *s, const struct job_share *share, size_t *ret)
{
	s->shares[s->n] = *share;
	*ret = s->n++;
	return 0;
}

static int find_pair(struct sharing *s, const struct ends *e, size_t *ret, struct van_error *err)
{
	if (s->last < s->n && is_between(&s->shares[s->last], e)) {
		*ret = s->last;
		return 0;
	}
	for (size_t i = 0; i < s->n; i++)
		if (is_between(&s->shares[i], e)) {
			*ret = s->last = i;
			return 0;
		}
	size_t most = worker_bounds(s->job->worker)->shares; /* each asks the directory and makes a stored message */
	if (s->pairs == most)
		return van_error_set(err, VAN_ELIMIT, "the file has documents between more than %zu pairs of sender and receiver: send it in parts, or raise "
						      "translation.shares in vand.yaml", most);
	s->pairs++;
	s->last = s->n;
	return add_share(s, &(struct job_share){.from = e->from, .to = e->to}, ret);
}

/* Those that can't be routed wait together: the terms that they want are the connection's. */
static int find_held(struct sharing *s, const struct ends *e, size_t *ret)
{
	if (s->held == NOT_YET) {
		s->held = s->n;
		return add_share(s, &(struct job_share){.from = e->from, .to = e->to, .why = e->why, .held = true}, ret);
	}
	struct job_share *h = &s->shares[s->held];
	if (!slice_eq(h->from, e->from))
		h->from = SLICE_NONE;
	if (!slice_eq(h->to, e->to))
		h->to = SLICE_NONE;
	*ret = s->held;
	return 0;
}

/* What can't be read, and does not say any more for whom it was, goes with the others where these are all between the same two, so that their
 * agreement says what becomes of the rest; else it waits for itself. */
static int place_broken(struct sharing *s, size_t i)
{
	const struct job_document *d = &s->job->plain->documents[i];
	const struct directory_document *rule = &s->job->plain->rule;
	if (s->pairs == 1 && s->held == NOT_YET) {
		s->of[i] = 0;
		return 0;
	}
	return add_share(s, &(struct job_share){.from = rule->from.p ? rule->from : rule->otherwise, .to = rule->to, .why = job_plain_error(d->tree)}, &s->of[i]);
}

static int place(struct sharing *s, size_t i, struct van_error *e)
{
	const struct job_document *d = &s->job->plain->documents[i];
	struct ends ends;
	int rc = read_ends(s->job, d, &ends);
	s->of[i] = NOT_YET;
	if (rc < 0 || (ends.why.p && job_plain_error(d->tree).p))
		return rc;
	return ends.why.p ? find_held(s, &ends, &s->of[i]) : find_pair(s, &ends, &s->of[i], e);
}

/* Each share gets its stretch of one list. */
static int fill(struct sharing *s)
{
	struct job_plain *p = s->job->plain;
	struct job_document *v = van_arena_array(arena_of(s->job), p->n, sizeof *v);
	if (!v)
		return VAN_ENOMEM;
	for (size_t i = 0; i < p->n; i++)
		s->shares[s->of[i]].n++;
	for (size_t k = 0, at = 0; k < s->n; at += s->shares[k++].n)
		s->shares[k].documents = v + at;
	for (size_t k = 0; k < s->n; k++)
		s->shares[k].n = 0;
	for (size_t i = 0; i < p->n; i++) {
		struct job_share *to = &s->shares[s->of[i]];
		to->documents[to->n++] = p->documents[i];
	}
	return 0;
}

/* Of which none says what it is: no agreement can be found for them. */
static void mark_unknown(struct job_share *to)
{
	for (size_t i = 0; i < to->n; i++)
		if (to->documents[i].known)
			return;
	if (!to->why.p)
		to->why = job_plain_error(to->documents[0].tree);
}

/* What goes no further says which document it is about, and how many more there are. */
static int finish(struct sharing *s, struct job_share *to)
{
	mark_unknown(to);
	if (!to->why.p)
		return 0;
	struct slice why = to->held ? to->why : van_arena_printf(arena_of(s->job), "document %llu of the file: %.*s", (unsigned long long)to->documents[0].number,
								  SLICE_ARG(to->why));
	to->why = to->n < 2 ? why : van_arena_printf(arena_of(s->job), "%.*s; and %zu more", SLICE_ARG(why), to->n - 1);
	return why.p && to->why.p ? 0 : VAN_ENOMEM;
}

int job_share(struct job *j, struct van_error *e)
{
	struct job_plain *p = j->plain;
	struct sharing s = {.job = j, .last = NOT_YET, .held = NOT_YET};
	s.shares = van_arena_array(arena_of(j), p->n, sizeof *s.shares);
	s.of = van_arena_array(arena_of(j), p->n, sizeof *s.of);
	int rc = s.shares && s.of ? 0 : VAN_ENOMEM;
	for (size_t i = 0; i < p->n && rc == 0; i++)
		rc = place(&s, i, e);
	for (size_t i = 0; i < p->n && rc == 0; i++)
		if (s.of[i] == NOT_YET)
			rc = place_broken(&s, i);
	if (rc == 0)
		rc = fill(&s);
	for (size_t k = 0; k < s.n && rc == 0; k++)
		rc = finish(&s, &s.shares[k]);
	p->shares = s.shares;
	p->share_count = s.n;
	p->parted |= s.n > 1;
	return rc;
}
