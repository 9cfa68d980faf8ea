/* From a document's ends to its agreement and the receiver's connection. */
#include "partner/directory_private.h"

#include "base/error.h"

/* Agreements of several keys, one after the other; without those of the same ends twice. */
struct feed {
	struct directory_entries lists[4];
	size_t list, at;
	const struct agreement_query *query; /* for explanations: not NULL */
};

static const struct profile_agreement *feed_next(void *arg)
{
	struct feed *f = arg;
	while (f->list < 4) {
		if (f->at == f->lists[f->list].n) {
			f->list++;
			f->at = 0;
			continue;
		}
		const struct profile_agreement *a = f->lists[f->list].v[f->at++].item;
		/* Lists 0 and 1 go by sender and receiver: an agreement of both ends stands in each. */
		if (f->query && f->list == 1 && slice_eq(a->from, f->query->from))
			continue;
		return a;
	}
	return NULL;
}

static void resolve(const struct directory *d, const struct agreement_query *q, struct agreement_explanation *explain,
		    struct agreement_resolution *ret)
{
	struct slice any = SLICE("*");
	struct feed f = {.list = 0};
	f.lists[0] = directory_index_find(&d->pairs, q->from, q->to);
	f.lists[1] = directory_index_find(&d->pairs, any, q->to);
	f.lists[2] = directory_index_find(&d->pairs, q->from, any);
	f.lists[3] = directory_index_find(&d->pairs, any, any);
	if (explain) {
		f.query = q;
		f.lists[0] = directory_index_find(&d->froms, q->from, SLICE(""));
		f.lists[1] = directory_index_find(&d->tos, q->to, SLICE(""));
		f.lists[2] = (struct directory_entries){NULL, 0};
	}
	agreement_resolve(feed_next, &f, q, explain, ret);
}

static void put_validation(const struct profile_validation *v, struct directory_route *to)
{
	to->policy = v->policy;
	to->elements = v->elements;
	to->counts = v->counts;
	to->codes = v->codes;
	to->unknown = v->unknown;
	to->rejects = v->rejects;
	to->guides = v->guides;
}

static struct slice pack_delimiters(const struct profile_delimiters *d, struct van_arena *arena)
{
	if (!d)
		return SLICE_NONE;
	const struct slice all[] = {d->element, d->component, d->repetition, d->release, d->terminator};
	char bytes[DIRECTORY_DELIMITERS] = {0};
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		bytes[i] = all[i].n ? all[i].p[0] : 0;
	bytes[5] = d->lines;
	return van_arena_slice(arena, slice_make(bytes, sizeof bytes));
}

/* The one that the agreement names, the document's own where the standard is the same, the party's first of that standard. */
static struct slice address(const struct directory *d, struct slice named, struct slice own, struct slice standard, van_time now)
{
	if (named.p)
		return named;
	if (slice_starts(own, "x12 ") == slice_is(standard, "x12"))
		return own;
	const struct profile *owner = directory_owner(d, own, now);
	const struct record_list *all = !owner ? NULL : owner->kind == PROFILE_STATION ? &owner->station->identities : &owner->partner->identities;
	for (size_t i = 0; all && i < all->n; i++) {
		const struct profile_identity *x = RECORD_AT(*all, struct profile_identity, i);
		bool valid = (!x->valid_from || now >= x->valid_from) && (!x->valid_until || now < x->valid_until);
		if (valid && slice_starts(x->name, "x12 ") == slice_is(standard, "x12"))
			return x->name;
	}
	return SLICE_NONE;
}

static void put_output(const struct directory *d, const struct agreement_query *q, const struct profile_agreement *a,
		       struct van_arena *arena, struct directory_route *to)
{
	const struct profile_output *o = a->output;
	if (!o || (!slice_is(o->format, "x12") && !slice_is(o->format, "edifact")))
		return;
	struct directory_output *out = van_arena_alloc(arena, sizeof *out);
	if (!out)
		return;
	*out = (struct directory_output){
		.standard = o->format, .version = o->version, .syntax = o->syntax, .application = o->application,
		.from = address(d, o->from, q->from, o->format, q->now), .to = address(d, o->to, q->to, o->format, q->now),
		.group_from = o->group_from, .group_to = o->group_to, .delimiters = pack_delimiters(o->delimiters, arena),
		.una = o->una, .ack_requested = o->ack_requested, .split = o->split, .max_messages = o->max_messages, .max_size = o->max_size,
		.repair = a->validation.policy == PROFILE_REPAIR,
	};
	if (o->batch) {
		out->batch = true;
		out->batch_time = (uint64_t)o->batch->time;
		out->batch_messages = o->batch->messages;
		out->batch_size = o->batch->size;
	}
	out->acknowledged_within = o->acknowledged_within ? (uint64_t)o->acknowledged_within
				   : a->acknowledged_by == PROFILE_ACK_RECEIVER && a->acknowledgement ? (uint64_t)a->acknowledgement->within : 0;
	to->output = out;
}

static void put_agreement(const struct directory *d, const struct agreement_query *q, const struct profile_agreement *a,
			  struct van_arena *arena, struct directory_route *to)
{
	const struct profile *p = directory_get(d, PROFILE_AGREEMENT, a->id);
	to->agreement = a->id;
	to->agreement_version = p ? p->version : 0;
	to->mode = a->mode;
	to->map_pin = PROFILE_MAP_ACTIVE;
	if (a->rules) {
		to->rules = a->rules->sheets;
		to->rules_rest = a->rules->rest;
		to->rules_answer = a->rules->answer;
	}
	if (a->output) {
		to->format = a->output->format;
		to->map = a->output->map;
		to->sheet = a->output->sheet;
		to->map_version = a->output->version;
		to->map_pin = profile_map_version(a->output);
	}
	to->acknowledged_by = a->acknowledged_by;
	if (a->acknowledgement) {
		to->ack_kind = a->acknowledgement->kind;
		to->ack_within = (uint64_t)a->acknowledgement->within;
		to->ack_ta1 = a->acknowledgement->ta1;
		to->ack_delimiters = pack_delimiters(a->acknowledgement->delimiters, arena);
	}
	to->ack_accepted = !a->acknowledgement || a->acknowledgement->accepted;
	put_validation(&a->validation, to);
	put_output(d, q, a, arena, to);
	to->duplicate_control = a->duplicates.control_number;
	to->duplicate_window = (uint64_t)a->duplicates.window;
	to->time_zone = a->time_zone;
	to->hold = a->hold;
}

/* The agreement's own connection, the identity's, or the party's first. */
static struct slice choose_connection(const struct profile_agreement *a, const struct profile_identity *to, const struct profile *owner)
{
	if (a->connection.p)
		return a->connection;
	if (to && to->connection.p)
		return to->connection;
	if (owner && owner->kind == PROFILE_PARTNER && owner->partner->connections.n)
		return RECORD_AT(owner->partner->connections, struct profile_connection, 0)->id;
	return SLICE_NONE;
}

static void put_receiver(const struct directory *d, const struct agreement_query *q, const struct profile_agreement *a,
			 struct van_arena *arena, struct directory_route *to)
{
	const struct profile *owner, *partner = NULL;
	const struct profile_identity *identity = directory_identity(d, q->to, q->now, &owner);
	const struct profile_connection *c = NULL;
	struct slice chosen = choose_connection(a, identity, owner);
	if (owner) {
		to->to_party = owner->id;
		to->to_station = owner->kind == PROFILE_STATION;
	}
	if (chosen.p && (c = directory_connection(d, chosen, &partner))) {
		to->connection = c->id;
		to->protocol = c->protocol;
		to->connection_enabled = c->enabled && partner->partner->enabled;
	} else if (chosen.p) {
		to->outcome = AGREEMENT_NO_RECEIVER;
		to->reason = van_arena_printf(arena, "connection %.*s does not exist: apply the profile that has it", SLICE_ARG(chosen));
	} else if (!owner) {
		to->outcome = AGREEMENT_NO_RECEIVER;
		to->reason = van_arena_printf(arena, "no party has the receiver identity \"%.*s\": add it to a profile", SLICE_ARG(q->to));
	} else if (!to->to_station) {
		to->outcome = AGREEMENT_NO_RECEIVER;
		to->reason = van_arena_printf(arena, "partner %.*s has no connection: add one to its profile", SLICE_ARG(owner->id));
	}
}

static struct slice failure(const struct agreement_query *q, const struct agreement_resolution *r, struct van_arena *arena)
{
	const char *environment = profile_environment_names[q->environment == PROFILE_TEST];
	if (r->outcome == AGREEMENT_ENVIRONMENT)
		return van_arena_printf(arena, "the interchange says %s, but agreement %.*s is for %s: correct one of them", environment,
					SLICE_ARG(r->agreement->id), profile_environment_names[r->agreement->environment]);
	if (r->outcome == AGREEMENT_TIE)
		return van_arena_printf(arena, "agreement %.*s and another are equally specific: make one more specific",
					SLICE_ARG(r->agreement->id));
	return van_arena_printf(arena, "no agreement from \"%.*s\" to \"%.*s\" for %.*s%s%.*s (%s): apply one", SLICE_ARG(q->from),
				SLICE_ARG(q->to), SLICE_ARG(q->type.p ? q->type : SLICE("this document")), q->version.p ? " " : "",
				SLICE_ARG(q->version), environment);
}

int directory_find_route(const struct directory *d, const struct agreement_query *q, struct van_arena *arena,
			 struct directory_route *ret, struct agreement_explanation *explain)
{
	struct directory_route answer = {.environment = q->environment};
	struct agreement_resolution r;
	const struct profile *sender;
	directory_identity(d, q->from, q->now, &sender);
	if (sender) {
		answer.from_party = sender->id;
		answer.from_station = sender->kind == PROFILE_STATION;
	}
	resolve(d, q, explain, &r);
	answer.outcome = r.outcome;
	if (r.agreement)
		put_agreement(d, q, r.agreement, arena, &answer);
	if (r.outcome == AGREEMENT_FOUND) {
		put_receiver(d, q, r.agreement, arena, &answer);
	} else {
		static const struct profile_agreement none;
		put_receiver(d, q, &none, arena, &answer); /* an acknowledgement of ours needs no agreement to find its receiver */
		answer.outcome = r.outcome;
		answer.reason = failure(q, &r, arena);
	}
	if (answer.outcome != AGREEMENT_FOUND && !answer.reason.p)
		return VAN_ENOMEM;
	*ret = answer;
	return 0;
}
