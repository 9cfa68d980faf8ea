/* Business rules of the agreement: what becomes of a document that breaks one, or that its map can't take. */
#include "map/library.h"
#include "map/rules.h"
#include "map/tree.h"
#include "partner/profile.h"
#include "partner/settings.h"
#include "roles/worker/interchange.h"

#define SHOWN_MAX 20 /* findings of one document in its history */

static struct van_arena *arena_of(struct work *w)
{
	return w->job->worker->arena;
}

/* --- setting aside --------------------------------------------------------------------------------------------------------------- */

static size_t documents_in(const struct work *w)
{
	size_t n = 0;
	for (const struct edi_group *g = w->in->groups; g; g = g->next)
		for (const struct edi_message *m = g->messages; m; m = m->next)
			n += !m->acknowledgement;
	return n;
}

static int add_lines(struct work *w, struct slice_list *to, const struct slice_list *more)
{
	if (!more->n)
		return 0;
	struct slice *v = van_arena_array(arena_of(w), to->n + more->n, sizeof *v);
	if (!v)
		return VAN_ENOMEM;
	if (to->n)
		memcpy(v, to->v, to->n * sizeof *v);
	memcpy(v + to->n, more->v, more->n * sizeof *v);
	*to = (struct slice_list){v, to->n + more->n};
	return 0;
}

static int set_aside(struct work *w, const struct edi_message *m, uint64_t number, struct slice why, const struct slice_list *findings)
{
	const struct job_document *d = w->job->plain ? &w->job->plain->share->documents[number - 1] : NULL;
	uint64_t place = d ? d->number : number;
	struct slice text = m->control_number.n ? van_arena_printf(arena_of(w), "message %.*s: %.*s", SLICE_ARG(m->control_number), SLICE_ARG(why))
						: van_arena_printf(arena_of(w), "document %llu: %.*s", (unsigned long long)place, SLICE_ARG(why));
	bool alone = work_only(w) || documents_in(w) == 1;
	if (!text.p)
		return VAN_ENOMEM;
	if (alone || w->route.rules_rest == PROFILE_REST_HOLD) {
		int rc = add_lines(w, &w->out->findings, findings);
		return rc < 0 ? rc : work_hold(w, IPC_INTERCHANGE_QUARANTINED, text);
	}
	struct ipc_aside *v = van_arena_array(arena_of(w), w->out->asides.n + 1, sizeof *v);
	if (!v)
		return VAN_ENOMEM;
	if (w->out->asides.n)
		memcpy(v, w->out->asides.v, w->out->asides.n * sizeof *v);
	struct slice division = d ? job_documents_division(w->job, d, 1) : SLICE_NONE;
	if (d && !division.p)
		return VAN_ENOMEM;
	v[w->out->asides.n] = (struct ipc_aside){.number = number, .only = place == number ? 0 : place, .division = division, .error = text, .findings = *findings};
	w->out->asides = (struct record_list){v, w->out->asides.n + 1};
	return 0;
}

int work_set_aside(struct work *w, const struct edi_message *m, uint64_t number, struct slice why)
{
	static const struct slice_list none;
	return set_aside(w, m, number, why, &none);
}

/* --- judging --------------------------------------------------------------------------------------------------------------------- */

struct judgement {
	struct work *w;
	struct map_findings found;
	struct slice first;  /* error */
	size_t errors;
	struct slice lines[SHOWN_MAX];
	size_t nlines;
	struct map_finding *all, **last; /* all that was noted */
};

static int note(struct judgement *j, const struct map_finding *f)
{
	struct slice text = map_finding_text(arena_of(j->w), f);
	bool waived = f->severity == MAP_RULE_ERROR && j->w->job->from->waive;
	struct slice line = van_arena_printf(arena_of(j->w), "%s%s: %.*s", map_severity_names[f->severity], waived ? " (let through)" : "",
					     SLICE_ARG(text));
	if (!text.p || !line.p)
		return VAN_ENOMEM;
	if (f->severity == MAP_RULE_ERROR && !waived) {
		if (!j->errors++)
			j->first = text;
	}
	struct map_finding *kept = van_arena_alloc(arena_of(j->w), sizeof *kept);
	if (!kept)
		return VAN_ENOMEM;
	*kept = *f;
	kept->next = NULL;
	*j->last = kept;
	j->last = &kept->next;
	if (j->nlines < SHOWN_MAX)
		j->lines[j->nlines++] = line;
	return 0;
}

/* Of one sender, for one rule. */
static struct slice scope_of(struct work *w, const struct map_finding *f)
{
	return van_arena_printf(arena_of(w), "%.*s %.*s %.*s", SLICE_ARG(f->sheet), SLICE_ARG(f->rule), SLICE_ARG(w->out->from));
}

static int keep_unique(struct work *w, const struct ipc_lookup *l, const struct map_finding *f)
{
	struct ipc_unique *v = van_arena_array(arena_of(w), w->out->uniques.n + 1, sizeof *v);
	if (!v)
		return VAN_ENOMEM;
	if (w->out->uniques.n)
		memcpy(v, w->out->uniques.v, w->out->uniques.n * sizeof *v);
	v[w->out->uniques.n] = (struct ipc_unique){.scope = l->scope, .key = l->key, .window = l->window, .error = f->severity == MAP_RULE_ERROR};
	w->out->uniques = (struct record_list){v, w->out->uniques.n + 1};
	return 0;
}

/* In this interchange, or in another message: the store knows. */
static int judge_unique(struct judgement *j, const struct map_unique *u)
{
	struct work *w = j->w;
	struct ipc_lookup l = {.kind = IPC_LOOKUP_SEEN, .message = w->job->from->message, .scope = scope_of(w, &u->finding),
			       .key = u->finding.value, .window = (uint64_t)u->window};
	struct map_finding f = u->finding;
	struct slice where = SLICE_NONE;
	for (size_t i = 0; i < w->out->uniques.n; i++) {
		const struct ipc_unique *k = RECORD_AT(w->out->uniques, struct ipc_unique, i);
		if (slice_eq(k->scope, l.scope) && slice_eq(k->key, l.key))
			where = SLICE("this interchange");
	}
	int rc = l.scope.p ? 0 : VAN_ENOMEM;
	if (rc == 0 && !where.p)
		rc = worker_ask_seen(w->job->worker, &l, &where);
	if (rc < 0)
		return rc;
	if (!where.p)
		return keep_unique(w, &l, &f);
	f.value = van_arena_printf(arena_of(w), "%.*s, in %s%.*s", SLICE_ARG(f.value), slice_is(where, "this interchange") ? "" : "message ",
				   SLICE_ARG(where));
	return note(j, &f);
}

static int run_sheets(struct judgement *j, const struct tree *document, struct tree_room *room, struct van_error *e)
{
	struct map_library *maps = j->w->job->worker->maps;
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < j->w->route.rules.n; i++) {
		const struct map_rules *rules;
		rc = map_library_rules(maps, j->w->route.rules.v[i], &rules, NULL, e);
		if (rc == 0)
			rc = map_rules_run(rules, document, room, map_library_look_up, maps, &j->found, e);
	}
	return rc;
}

int work_note(struct work *w, struct slice line)
{
	const struct slice_list one = {&line, 1};
	return line.p ? add_lines(w, &w->out->findings, &one) : VAN_ENOMEM;
}

/* Once: what is processed again was told before. */
static int advise(struct work *w, const struct edi_group *g, const struct edi_message *m, const struct map_finding *findings)
{
	if (w->route.rules_answer == PROFILE_ANSWER_NONE || w->job->from->answered)
		return 0;
	struct work_advice *a = job_list_add(&w->advices, sizeof *a);
	if (!a)
		return VAN_ENOMEM;
	*a = (struct work_advice){g, m, findings};
	return 0;
}

int work_advise_of(struct work *w, const struct edi_group *g, const struct edi_message *m, struct slice why)
{
	struct map_finding *f = van_arena_alloc(arena_of(w), sizeof *f);
	if (!f)
		return VAN_ENOMEM;
	*f = (struct map_finding){.severity = MAP_RULE_ERROR, .text = why};
	return advise(w, g, m, f);
}

int work_judge(struct work *w, const struct edi_group *g, const struct edi_message *m, uint64_t number, const struct tree *document, bool *ret_goes_on)
{
	struct judgement j = {.w = w, .last = &j.all};
	struct tree_room room = {.arena = arena_of(w), .left = worker_bounds(w->job->worker)->document_values};
	struct van_error e = {0};
	*ret_goes_on = true;
	if (!w->route.rules.n)
		return 0;
	int rc = run_sheets(&j, document, &room, &e);
	if (rc == VAN_ESYNTAX || rc == VAN_ELIMIT || rc == VAN_ENOTFOUND) {
		*ret_goes_on = false;
		return work_set_aside(w, m, number, van_arena_slice(arena_of(w), slice_str(e.text)));
	}
	for (const struct map_finding *f = j.found.first; rc == 0 && f; f = f->next)
		rc = note(&j, f);
	size_t uniques = w->out->uniques.n;
	for (const struct map_unique *u = j.found.unique; rc == 0 && u; u = u->next)
		rc = judge_unique(&j, u);
	if (rc < 0)
		return rc;
	struct slice_list lines = {j.lines, j.nlines};
	if (!j.errors) {
		return add_lines(w, &w->out->findings, &lines);
	}
	w->out->uniques.n = uniques; /* what goes to quarantine keeps nobody's number */
	*ret_goes_on = false;
	rc = advise(w, g, m, j.all);
	if (rc < 0)
		return rc;
	struct slice_list kept = {0};
	rc = add_lines(w, &kept, &lines);
	struct slice why = j.errors == 1 ? j.first : van_arena_printf(arena_of(w), "%.*s; and %zu more", SLICE_ARG(j.first), j.errors - 1);
	return rc < 0 ? rc : set_aside(w, m, number, why, &kept);
}
