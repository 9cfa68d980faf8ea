/* By whose terms the message at hand is judged, and what a rejected message takes along. */
#include "edi/check_private.h"

#include <stdlib.h>

static bool stands_above(enum edi_level level)
{
	return level == EDI_LEVEL_INTERCHANGE || level == EDI_LEVEL_GROUP;
}

void edi_policy_begin(struct edi_checker *c, enum edi_level level)
{
	if (stands_above(level))
		c->level_judged[level] = false;
	c->policy = &c->options.policy;
	c->guide = NULL;
}

/* What several agreements say of one group or interchange: nobody gets less than what was agreed with him. */
static void take_strictest(struct edi_check_policy *to, const struct edi_check_policy *p)
{
	to->tolerate_counts &= p->tolerate_counts;
	to->strict_syntax |= p->strict_syntax;
	if (p->rejects > to->rejects)
		to->rejects = p->rejects;
}

int edi_policy_message(struct edi_checker *c)
{
	const struct edi_check_policy *p = NULL;
	int rc = c->options.policy_for && !c->options.envelopes_only
			 ? c->options.policy_for(c->options.policy_ctx, c->interchange, c->group, c->message, &p) : 0;
	if (rc < 0)
		return rc;
	c->policy = p ? p : &c->options.policy;
	c->validator.strict_codes = c->policy->strict_codes;
	for (int level = EDI_LEVEL_INTERCHANGE; level <= EDI_LEVEL_GROUP; level++) {
		if (!c->level_judged[level])
			c->level_policy[level] = *c->policy;
		else
			take_strictest(&c->level_policy[level], c->policy);
		c->level_judged[level] = true;
	}
	return 0;
}

const struct edi_check_policy *edi_policy_level(const struct edi_checker *c, enum edi_level level)
{
	return stands_above(level) && c->level_judged[level] ? &c->level_policy[level] : &c->options.policy;
}

/* --- guides ------------------------------------------------------------------------------------------------------------ */

static struct edi_guide_state *state_of(struct edi_checker *c, const struct edi_guide *guide)
{
	struct edi_check_guide *g = c->guides;
	while (g && g->guide != guide)
		g = g->next;
	if (g)
		return g->state;
	g = calloc(1, sizeof *g);
	if (!g)
		return NULL;
	g->guide = guide;
	g->state = edi_guide_state_new(guide, edi_checker_guide_problem, c);
	g->next = c->guides;
	c->guides = g;
	return g->state;
}

int edi_policy_guide(struct edi_checker *c)
{
	c->guide = NULL;
	for (size_t i = 0; c->def && !c->guide && i < c->policy->guide_count; i++) {
		struct edi_guide_state *state = state_of(c, c->policy->guides[i]);
		if (!state)
			return VAN_ENOMEM;
		if (edi_guide_begin(state, c->def, c->interchange->standard, c->message->version))
			c->guide = state;
	}
	return 0;
}

void edi_policy_free(struct edi_checker *c)
{
	while (c->guides) {
		struct edi_check_guide *g = c->guides;
		c->guides = g->next;
		edi_guide_state_free(g->state);
		free(g);
	}
}

/* --- all or nothing ---------------------------------------------------------------------------------------------------- */

static void reject_group(struct edi_checker *c, struct edi_group *g)
{
	c->report.messages_rejected += g->accepted_count;
	g->status = EDI_REJECTED;
	g->accepted_count = 0;
	for (struct edi_message *m = g->messages; m; m = m->next)
		m->status = EDI_REJECTED;
}

void edi_policy_reach_group(struct edi_checker *c, struct edi_group *g)
{
	if (g->status != EDI_PARTIALLY_ACCEPTED || edi_policy_level(c, EDI_LEVEL_GROUP)->rejects < EDI_REJECTS_GROUP)
		return;
	g->accepted_count = c->group_messages - c->group_rejected;
	reject_group(c, g);
}

void edi_policy_reach_interchange(struct edi_checker *c, struct edi_interchange *i)
{
	if (i->status != EDI_PARTIALLY_ACCEPTED || edi_policy_level(c, EDI_LEVEL_INTERCHANGE)->rejects < EDI_REJECTS_INTERCHANGE)
		return;
	i->status = EDI_REJECTED;
	for (struct edi_group *g = i->groups; g; g = g->next)
		if (g->status != EDI_REJECTED)
			reject_group(c, g);
}
