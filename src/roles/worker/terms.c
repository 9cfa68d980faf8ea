/* By whose terms a document is judged and where it goes: asked of the store while the document is read, once its envelope and its
 * first message's type are known, so that one pass is enough. */
#include "map/guide.h"
#include "roles/worker/job.h"

static int find_guides(struct job *j, struct job_terms *t)
{
	const struct slice_list *names = &t->route.guides;
	const struct edi_guide **v = names->n ? van_arena_array(j->worker->arena, names->n, sizeof *v) : NULL;
	if (names->n && !v)
		return VAN_ENOMEM;
	for (size_t i = 0; i < names->n; i++) {
		const struct edi_guide *g = guide_find(j->worker->guides, names->v[i]);
		if (g)
			v[t->policy.guide_count++] = g;
		else
			t->missing_guide = names->v[i];
	}
	t->policy.guides = v;
	return 0;
}

static int take_policy(struct job *j, struct job_terms *t)
{
	static const enum edi_reach reaches[] = {[PROFILE_REJECTS_MESSAGE] = EDI_REJECTS_MESSAGE, [PROFILE_REJECTS_GROUP] = EDI_REJECTS_GROUP,
						 [PROFILE_REJECTS_INTERCHANGE] = EDI_REJECTS_INTERCHANGE};
	const struct directory_route *r = &t->route;
	t->policy = (struct edi_check_policy){
		.tolerate_counts = r->counts == PROFILE_REPORT,
		.tolerate_elements = r->elements == PROFILE_REPORT,
		.strict_syntax = r->policy == PROFILE_STRICT,
		.strict_codes = r->codes == PROFILE_CODES_CLOSED,
		.nearest_version = r->unknown == PROFILE_UNKNOWN_NEAREST,
		.known_only = r->unknown == PROFILE_UNKNOWN_REJECT,
		.rejects = reaches[r->rejects],
	};
	return find_guides(j, t);
}

static int ask(struct job *j, const struct edi_interchange *in, struct job_terms *t)
{
	const char *space = in->standard == EDI_EDIFACT ? "edifact" : "x12";
	struct van_arena *arena = j->worker->arena;
	struct slice from = j->plain ? j->plain->share->from : van_arena_printf(arena, "%s %.*s", space, SLICE_ARG(in->sender));
	struct slice to = j->plain ? j->plain->share->to : van_arena_printf(arena, "%s %.*s", space, SLICE_ARG(in->receiver));
	if (!from.p || !to.p)
		return VAN_ENOMEM;
	int rc = job_route(j, j->from->connection, from, to, t->type, t->version, in->usage, &t->route, &t->zone_offset);
	return rc < 0 ? rc : take_policy(j, t);
}

/* Types are of the sender's making: a few are remembered, for others the cache of look-ups does. */
int job_terms(struct job *j, const struct edi_interchange *in, struct slice type, struct slice version, const struct job_terms **ret)
{
	for (size_t i = 0; i < JOB_TERMS; i++) {
		const struct job_terms *t = j->terms[i];
		if (t && t->in == in && slice_eq(t->type, type) && slice_eq(t->version, version)) {
			*ret = t;
			return 0;
		}
	}
	struct van_arena *arena = j->worker->arena;
	struct job_terms *t = van_arena_alloc(arena, sizeof *t);
	if (!t)
		return VAN_ENOMEM;
	*t = (struct job_terms){.in = in, .type = type.p ? van_arena_slice(arena, type) : type,
				.version = version.p ? van_arena_slice(arena, version) : version};
	int rc = ask(j, in, t);
	if (rc < 0)
		return rc;
	j->terms[j->next_terms++ % JOB_TERMS] = t;
	*ret = t;
	return 0;
}

int job_policy(void *ctx, const struct edi_interchange *i, const struct edi_group *g, const struct edi_message *m,
	       const struct edi_check_policy **ret)
{
	const struct job_terms *t;
	(void)g;
	int rc = job_terms(ctx, i, m->type, m->version, &t);
	if (rc == 0 && t->route.outcome == AGREEMENT_FOUND)
		*ret = &t->policy;
	return rc;
}
