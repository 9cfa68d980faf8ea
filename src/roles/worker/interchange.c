/* One interchange: its facts, its route, its outputs. The rules of the network stand here. */
#include "roles/worker/interchange.h"

#include <stdlib.h>

/* Documents up to this size together travel in the result's packet: making, linking and flushing a file costs more. */
#define CONTENT_INLINE_MAX ((size_t)96 * 1024)

void *job_list_add(struct job_list *l, size_t size)
{
	if (l->n == l->room) {
		size_t room = l->room ? 2 * l->room : 16;
		void *v = reallocarray(l->v, room, size);
		if (!v)
			return NULL;
		l->v = v;
		l->room = room;
	}
	return memset((char *)l->v + l->n++ * size, 0, size);
}

void job_list_free(struct job_list *l)
{
	free(l->v);
	*l = (struct job_list){0};
}

static struct van_arena *arena_of(struct work *w)
{
	return w->job->worker->arena;
}

int job_route(struct job *j, struct slice connection, struct slice from, struct slice to, struct slice type, struct slice version,
	      char usage, struct directory_route *ret, int *ret_zone_offset)
{
	struct ipc_lookup l = {.kind = IPC_LOOKUP_ROUTE, .connection = connection, .from = from, .to = to, .type = type,
			       .version = version, .usage = slice_make(&usage, 1)};
	struct slice record;
	int rc = worker_lookup(j->worker, &l, &record, ret_zone_offset);
	return rc < 0 ? rc : record_decode(&directory_route_table, record, j->worker->arena, ret);
}

/* --- facts ------------------------------------------------------------------------------------------------------------------- */

int work_keys(struct van_arena *arena, const struct edi_key *from, struct record_list *to)
{
	size_t n = 0;
	for (const struct edi_key *k = from; k; k = k->next)
		n++;
	struct ipc_business_key *v = van_arena_array(arena, n ? n : 1, sizeof *v);
	if (!v)
		return VAN_ENOMEM;
	n = 0;
	for (const struct edi_key *k = from; k; k = k->next)
		v[n++] = (struct ipc_business_key){slice_str(k->kind), k->value};
	*to = (struct record_list){v, n};
	return 0;
}

static int fill_transaction(struct work *w, const struct edi_group *g, const struct edi_message *m, struct ipc_transaction *to)
{
	to->type = m->type;
	to->version = m->version;
	to->control_number = m->control_number;
	if (g->real) {
		to->group_code = g->code;
		to->group_control_number = g->control_number;
		to->group_from = g->sender;
		to->group_to = g->receiver;
	}
	to->status = slice_str(edi_status_name(m->status));
	to->errors = m->error_count;
	return work_keys(arena_of(w), m->keys, &to->keys);
}

static int fill_transactions(struct work *w)
{
	size_t n = 0;
	bool only_acks = true;
	for (const struct edi_group *g = w->in->groups; g; g = g->next)
		for (const struct edi_message *m = g->messages; m; m = m->next, n++)
			only_acks = only_acks && m->acknowledgement;
	struct ipc_transaction *v = van_arena_array(arena_of(w), n ? n : 1, sizeof *v);
	if (!v)
		return VAN_ENOMEM;
	w->out->acknowledgement = n ? only_acks : w->in->ta1 != NULL;
	w->out->transactions = (struct record_list){v, n};
	n = 0;
	uint64_t number = 0, only = work_only(w);
	for (const struct edi_group *g = w->in->groups; g; g = g->next)
		for (const struct edi_message *m = g->messages; m; m = m->next) {
			if (only && ++number != only)
				continue;
			int rc = fill_transaction(w, g, m, &v[n++]);
			if (rc < 0)
				return rc;
		}
	w->out->transactions.n = n;
	return 0;
}

static int fill_facts(struct work *w)
{
	const struct edi_interchange *in = w->in;
	struct ipc_interchange *out = w->out;
	const char *space = in->standard == EDI_EDIFACT ? "edifact" : "x12";
	const struct job_plain *plain = w->job->plain;
	out->standard = slice_str(plain ? plain->standard : edi_standard_name(in->standard));
	out->version = in->version;
	out->control_number = in->control_number;
	out->from = plain ? plain->share->from : van_arena_printf(arena_of(w), "%s %.*s", space, SLICE_ARG(in->sender));
	out->to = plain ? plain->share->to : van_arena_printf(arena_of(w), "%s %.*s", space, SLICE_ARG(in->receiver));
	out->env = in->usage == 'T' ? SLICE("test") : SLICE("production");
	out->offset = in->offset;
	out->length = in->length;
	out->ack = SLICE("none");
	return plain || (out->from.p && out->to.p) ? fill_transactions(w) : VAN_ENOMEM;
}

/* --- route --------------------------------------------------------------------------------------------------------------------- */

int work_hold(struct work *w, enum ipc_interchange_state state, struct slice why)
{
	w->out->state = state;
	w->out->error = why;
	return 0;
}

/* Not routed: which state, and what people are told. */
static int refuse(struct work *w, const struct directory_route *r)
{
	bool unroutable = w->unroutable = r->outcome == AGREEMENT_UNROUTABLE || r->outcome == AGREEMENT_NO_RECEIVER;
	struct slice why = r->reason.p ? r->reason
				       : van_arena_printf(arena_of(w), "no agreement governs documents from %.*s to %.*s: add one",
							  SLICE_ARG(w->out->from), SLICE_ARG(w->out->to));
	return work_hold(w, unroutable ? IPC_INTERCHANGE_UNROUTABLE : IPC_INTERCHANGE_HELD, why);
}

static bool same_way(const struct directory_route *a, const struct directory_route *b)
{
	return a->mode == b->mode && slice_eq(a->connection, b->connection) && slice_eq(a->to_party, b->to_party) &&
	       a->acknowledged_by == b->acknowledged_by && a->to_station == b->to_station;
}

/* 0: goes on when w->routed; otherwise the interchange's state says why not. */
static int take_route(struct work *w, struct slice type, struct slice version)
{
	const struct job_terms *t;
	int rc = job_terms(w->job, w->in, type, version, &t);
	if (rc < 0)
		return rc;
	const struct directory_route r = t->route;
	if (r.outcome != AGREEMENT_FOUND) {
		w->routed = false;
		return refuse(w, &r);
	}
	if (r.hold) {
		w->routed = false;
		w->out->agreement = r.agreement; /* whose release lets it go */
		w->out->agreement_version = r.agreement_version;
		return work_hold(w, IPC_INTERCHANGE_HELD, van_arena_printf(arena_of(w), "agreement %.*s " AGREEMENT_ON_HOLD, SLICE_ARG(r.agreement)));
	}
	if (t->missing_guide.p) {
		w->routed = false;
		return work_hold(w, IPC_INTERCHANGE_HELD,
			    van_arena_printf(arena_of(w), "agreement %.*s names guide \"%.*s\", which is not there or in error: put %.*s.csv into a folder "
							  "of vand.yaml's \"guides\" and restart, or correct the agreement",
					     SLICE_ARG(r.agreement), SLICE_ARG(t->missing_guide), SLICE_ARG(t->missing_guide)));
	}
	if (!w->out->agreement.p) {
		w->route = r;
		w->zone_offset = t->zone_offset;
		w->type = type;
		w->version = version;
		w->routed = true;
		w->out->agreement = r.agreement;
		w->out->agreement_version = r.agreement_version;
		w->out->receiver = r.to_party;
		return 0;
	}
	if (!slice_eq(type, w->type))
		w->mixed_types = true;
	if (same_way(&w->route, &r))
		return 0;
	w->routed = false;
	return work_hold(w, IPC_INTERCHANGE_HELD,
		    van_arena_printf(arena_of(w), "agreements %.*s and %.*s treat documents of this one interchange differently: have the "
						  "sender send them in interchanges of their own, or give both agreements the same mode",
				     SLICE_ARG(w->route.agreement), SLICE_ARG(r.agreement)));
}

static int route(struct work *w)
{
	bool any = false;
	for (const struct edi_group *g = w->in->groups; g; g = g->next)
		for (const struct edi_message *m = g->messages; m; m = m->next) {
			if (w->job->plain && w->job->plain->documents && !m->type.n)
				continue; /* nobody can read it: it goes to quarantine under the terms of the others */
			int rc = take_route(w, m->type, m->version);
			if (rc < 0 || !w->routed)
				return rc;
			any = true;
		}
	return any ? 0 : take_route(w, SLICE_NONE, SLICE_NONE); /* a TA1 alone, or an envelope without messages */
}

static void fill_policy(struct work *w)
{
	static const char *const policies[] = {[PROFILE_DUPLICATE_ACCEPT] = "allow", [PROFILE_DUPLICATE_HOLD] = "hold",
					       [PROFILE_DUPLICATE_REJECT] = "reject"};
	w->out->duplicates = slice_str(policies[w->route.duplicate_control]);
	w->out->duplicate_window = w->route.duplicate_window;
}

/* --- a file without EDI ---------------------------------------------------------------------------------------------------------- */

/* What goes no further, whatever was agreed. It keeps no number from a better file. */
static int stop_share(struct work *w)
{
	const struct job_share *s = w->job->plain->share;
	w->out->control_number = SLICE_NONE;
	w->out->duplicates = SLICE("allow");
	return work_hold(w, s->held ? IPC_INTERCHANGE_HELD : IPC_INTERCHANGE_QUARANTINED, s->why);
}

/* A part of a file can't be passed on as it is: its receiver would see what is for others. */
static bool is_part(const struct work *w)
{
	return w->job->plain && w->job->plain->parted;
}

uint64_t work_only(const struct work *w)
{
	return w->job->plain ? 0 : w->job->from->only;
}

/* --- outputs --------------------------------------------------------------------------------------------------------------------- */

struct ipc_output *work_output(struct work *w, enum ipc_output_kind kind, const struct directory_route *r)
{
	struct ipc_output *o = job_list_add(&w->job->outputs, sizeof *o);
	if (!o)
		return NULL;
	o->kind = kind;
	o->interchange = w->number;
	o->partner = r->to_party;
	o->connection = r->connection;
	o->agreement = r->agreement;
	o->agreement_version = r->agreement_version;
	o->standard = w->out->standard;
	o->env = w->out->env;
	o->ack = SLICE("none");
	return o;
}

/* The very bytes that were sent: what stands behind an interchange's last terminator (line ends, blanks) goes with it, and
 * what stands before the first one with that. So nothing of a payload is lost, and a file with one interchange goes on whole. */
static void whole_stretch(const struct work *w, uint64_t *ret_offset, uint64_t *ret_length)
{
	uint64_t from = w->number == 0 ? 0 : w->in->offset;
	uint64_t to = w->in->next ? w->in->next->offset : w->job->payload.length;
	*ret_offset = from;
	*ret_length = to - from;
}

static bool is_own(void *ctx, uint64_t message)
{
	const struct work *w = ctx;
	return message < w->own_count && w->own[message];
}

/* Put right as the agreement asks, and without the acknowledgements that are about what we wrote ourselves: their sender knows nothing
 * of it. What cannot be put right goes as it came. */
static int pass_rewritten(struct work *w, struct ipc_output *o)
{
	const struct edi_rewrite_options options = {.drop = w->own_acks ? is_own : NULL, .ctx = w};
	struct van_buf text = VAN_BUF_INIT((size_t)1 << 30);
	struct slice bytes;
	int rc = job_payload_bytes(w->job, w->in->offset, w->in->length, &bytes);
	if (rc == 0)
		rc = edi_rewrite(bytes, &options, &text);
	if (rc == VAN_ESYNTAX)
		rc = w->own_acks ? work_hold(w, IPC_INTERCHANGE_HELD, SLICE("some of its acknowledgements are about what the network wrote, and its "
			"envelopes are too damaged to take those out")) : 0;
	else if (rc == 0 && !slice_eq(van_buf_slice(&text), bytes))
		rc = work_content(w, o, van_buf_slice(&text));
	van_buf_free(&text);
	return rc;
}

/* Pass-through: the very bytes. What was asked of the receiver is watched on the received message. */
static int pass_through(struct work *w)
{
	struct ipc_output *o = work_output(w, IPC_OUTPUT_PASS_THROUGH, &w->route);
	if (!o)
		return VAN_ENOMEM;
	o->type = w->mixed_types ? SLICE_NONE : w->type;
	o->version = w->version;
	o->from = w->out->from;
	o->to = w->out->to;
	o->control_number = w->in->control_number;
	o->extension = w->job->plain ? w->job->plain->extension : SLICE("edi");
	whole_stretch(w, &o->offset, &o->length);
	int rc = (w->route.policy == PROFILE_REPAIR && !w->job->plain) || w->own_acks ? pass_rewritten(w, o) : 0;
	if (rc < 0)
		return rc;
	if (w->out->transactions.n == 1)
		o->keys = RECORD_AT(w->out->transactions, struct ipc_transaction, 0)->keys;
	if (w->route.acknowledged_by == PROFILE_ACK_RECEIVER && !w->out->acknowledgement && !w->job->plain) {
		w->out->ack = SLICE("expected");
		w->out->ack_within = w->route.ack_within;
	}
	return 0;
}

/* The document's bytes: one part while they are few, else a stretch of the job's content file. */
int work_content(struct work *w, struct ipc_output *o, struct slice bytes)
{
	struct spool *content = &w->job->content;
	if (content->fd < 0 && w->job->inline_bytes + bytes.n <= CONTENT_INLINE_MAX) {
		struct ipc_part *part = van_arena_alloc(arena_of(w), sizeof *part);
		if (!part)
			return VAN_ENOMEM;
		*part = (struct ipc_part){.kind = IPC_PART_BYTES, .bytes = van_arena_slice(arena_of(w), bytes)};
		o->parts = (struct record_list){part, 1};
		w->job->inline_bytes += bytes.n;
		return part->bytes.p ? 0 : VAN_ENOMEM;
	}
	/* from here on everything goes to the file */
	int rc = content->fd < 0 ? spool_open(content, w->job->worker->spool_folder, UINT64_MAX) : 0;
	uint64_t at = content->bytes;
	if (rc == 0)
		rc = spool_write(content, bytes.p, bytes.n);
	o->fd_number = 1;
	o->offset = at;
	o->length = bytes.n;
	return rc;
}

struct map_envelope work_envelope(struct work *w, const struct edi_group *g, const struct edi_message *m)
{
	return (struct map_envelope){
		.sender = w->in->sender,
		.receiver = w->in->receiver,
		.interchange_control_number = w->in->control_number,
		.group_control_number = g->real ? g->control_number : SLICE_NONE,
		.message_control_number = m->control_number,
		.test = w->in->usage == 'T',
		.version = w->in->version,
		.date = g->real ? g->date : w->in->date,
		.time = g->real ? g->time : w->in->time,
	};
}

/* --- all together --------------------------------------------------------------------------------------------------------------- */

/* What is all about interchanges of our own writing ends here, and needs no agreement; only who may speak for its sender is asked. */
static bool goes_no_further(const struct work *w)
{
	return w->out->acknowledgement && w->acks && w->own_acks == w->acks;
}

static void settle_own(struct work *w)
{
	w->out->state = IPC_INTERCHANGE_PROCESSED;
	w->out->error = SLICE_NONE;
	w->routed = true;
}

/* Under "receiver" what comes back for the output is turned back later; what nothing was made of is answered at once. */
static int acknowledge_translated(struct work *w)
{
	bool network = w->route.acknowledged_by == PROFILE_ACK_NETWORK, rejected = w->in->status == EDI_REJECTED;
	bool receiver = w->route.acknowledged_by == PROFILE_ACK_RECEIVER && w->route.output;
	if (w->out->acknowledgement)
		return 0;
	int rc = (network || receiver) && !rejected && w->route.duplicate_control == PROFILE_DUPLICATE_REJECT ? work_refuse_repeat(w) : 0;
	if (rc < 0)
		return rc;
	bool quarantined = w->out->state == IPC_INTERCHANGE_QUARANTINED; /* no receiver will say anything */
	if (receiver && !rejected && !quarantined) {
		w->out->turn_back = true;
		w->out->ack = SLICE("expected");
		w->out->ack_within = w->route.ack_within;
		return 0;
	}
	rc = network || receiver ? work_acknowledge(w) : 0;
	if (network || receiver)
		w->out->ack = slice_str(edi_status_name(w->in->status));
	if (rejected && (network || receiver)) {
		w->out->state = IPC_INTERCHANGE_REJECTED;
		w->out->error = SLICE("the interchange has errors that reject all of it; the acknowledgement lists them");
	}
	return rc;
}

static int translate_and_acknowledge(struct work *w)
{
	size_t before = w->job->outputs.n;
	int rc = w->route.to_station && !w->route.connection.p ? 0 : w->route.output ? work_write(w) : work_translate(w);
	if (rc < 0)
		return rc;
	if (w->out->state != IPC_INTERCHANGE_PROCESSED) { /* nothing of it goes out */
		w->job->outputs.n = before;
		if (w->out->state != IPC_INTERCHANGE_QUARANTINED) /* held: nor is it acknowledged */
			return 0;
		w->out->uniques.n = 0;
	}
	if (w->job->from->answered)
		return 0;
	rc = work_advise(w);
	/* without an envelope there is nothing that an acknowledgement could name */
	return rc < 0 || w->job->plain ? rc : acknowledge_translated(w);
}

int job_interchange(struct job *j, const struct edi_interchange *i, size_t number, struct ipc_interchange *to)
{
	struct work w = {.job = j, .in = i, .number = number, .out = to};
	size_t acks = j->acks.n;
	int rc = fill_facts(&w);
	if (rc == 0 && j->plain && j->plain->share->why.p)
		return stop_share(&w);
	if (rc == 0)
		rc = work_note_acks(&w);
	if (rc == 0)
		rc = route(&w);
	if (rc == 0 && goes_no_further(&w) && (w.routed || w.unroutable)) {
		settle_own(&w);
		return 0;
	}
	if (rc < 0 || !w.routed) {
		j->acks.n = acks; /* what is held acknowledges nothing */
		return rc;
	}
	fill_policy(&w);
	if (w.route.mode == PROFILE_TRANSLATE) {
		rc = translate_and_acknowledge(&w);
		job_list_free(&w.advices);
		return rc;
	}
	/* a document for a station of ours that nobody fetches ends here: it is in the store */
	bool ends_here = w.route.to_station && !w.route.connection.p;
	if (!ends_here && is_part(&w))
		return work_hold(&w, IPC_INTERCHANGE_HELD, van_arena_printf(arena_of(&w), "agreement %.*s passes files through, and this one holds documents for "
			"others, too, or some that nobody can read: let it translate (format: canonical-json, ubl-xml or csv), or have a file sent for each receiver",
			SLICE_ARG(w.route.agreement)));
	return ends_here ? 0 : pass_through(&w);
}
