/* Which agreement governs a document: the most specific one wins. From most to least: both ends named, receiver named,
 * sender named, neither; among equals one that names the type; then one that names the version. Two equals are a tie,
 * which is refused when profiles are applied. Test and production agreements never see each other's documents. */
#ifndef OPENVAN_PARTNER_AGREEMENT_H
#define OPENVAN_PARTNER_AGREEMENT_H

#include "base/clock.h"
#include "partner/profile.h"

struct agreement_query {
	struct slice from, to;      /* canonical identities (identity.h) */
	struct slice type, version; /* "850", "004010"; absent: not known (not EDI) */
	uint32_t environment;       /* enum profile_environment, as the envelope says */
	van_time now;               /* for validity */
	bool any_version;           /* an absent version fits every agreement's: a question of a person, not a document */
};

enum agreement_outcome {
	AGREEMENT_FOUND,
	AGREEMENT_UNROUTABLE,  /* no agreement matches */
	AGREEMENT_ENVIRONMENT, /* only agreements of the other environment match: hold, don't guess */
	AGREEMENT_TIE,         /* two are equally specific: hold */
	AGREEMENT_NO_RECEIVER, /* directory_find_route: nobody owns the receiver identity, or it has no connection */
	AGREEMENT_UNAUTHORISED, /* the store's answer to IPC_LOOKUP: the connection may not present the sender identity; hold */
	AGREEMENT_OUTCOMES
};
extern const char *const agreement_outcome_names[];

enum agreement_verdict {
	AGREEMENT_CHOSEN,
	AGREEMENT_LESS_SPECIFIC, /* matches, but another is more specific */
	AGREEMENT_TIED,
	AGREEMENT_NEAR,          /* one or two conditions differ */
};

/* What matched and what nearly did, most specific first. */
struct agreement_reason {
	struct slice agreement; /* id */
	enum agreement_verdict verdict;
	struct slice text; /* "from, to and type match; version is 005010, the agreement says 004010" */
};

#define AGREEMENT_REASONS_MAX 16
struct agreement_explanation {
	struct van_arena *arena; /* set by the caller */
	struct agreement_reason reasons[AGREEMENT_REASONS_MAX];
	size_t n;
};

struct agreement_resolution {
	enum agreement_outcome outcome;
	const struct profile_agreement *agreement; /* AGREEMENT_FOUND; for AGREEMENT_ENVIRONMENT and _TIE one of them */
};

/* Feeds candidates: each call gives the next agreement, NULL at the end. Any superset of those that may match. */
typedef const struct profile_agreement *agreement_next_fn(void *arg);

/* Never fails; `explain` may be NULL. Candidates must live while the result is used. */
void agreement_resolve(agreement_next_fn *next, void *arg, const struct agreement_query *q,
		       struct agreement_explanation *explain, struct agreement_resolution *ret);

/* Are the two equally specific, and is there a document that both match? */
bool agreement_ties(const struct profile_agreement *a, const struct profile_agreement *b);

/* What the error of a message says that waits for its agreement's release, behind "agreement ID". */
#define AGREEMENT_ON_HOLD "is on hold"

/* May the connection present this identity as sender: listed in `presents`, or by default one of the party's own
 * (valid now). Likewise collects. `identity` is canonical. */
bool authority_may_present(const struct profile_partner *p, const struct profile_connection *c, struct slice identity,
			   van_time now);
bool authority_may_collect(const struct profile_partner *p, const struct profile_connection *c, struct slice identity,
			   van_time now);

#endif
