/* One interchange: its facts, its route, its outputs. The rules of the network stand here. */
#include "map/library.h"
#include "roles/worker/job.h"

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

/* What is known while one interchange is worked on. */
struct work {
	struct job *job;
	const struct edi_interchange *in;
	size_t number;
	struct ipc_interchange *out;
	struct directory_route route;   /* of its first message; all must agree on mode and receiver */
	int zone_offset;
	struct slice type, version;     /* when all messages have the same; absent else */
	bool routed, mixed_types;
};

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

static int copy_keys(struct van_arena *arena, const struct edi_key *from, struct record_list *to)
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
	return copy_keys(arena_of(w), m->keys, &to->keys);
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
	for (const struct edi_group *g = w->in->groups; g; g = g->next)
		for (const struct edi_message *m = g->messages; m; m = m->next) {
			int rc = fill_transaction(w, g, m, &v[n++]);
			if (rc < 0)
				return rc;
		}
	return 0;
}

static int fill_facts(struct work *w)
{
	const struct edi_interchange *in = w->in;
	struct ipc_interchange *out = w->out;
	const char *space = in->standard == EDI_EDIFACT ? "edifact" : "x12";
	out->standard = slice_str(edi_standard_name(in->standard));
	out->version = in->version;
	out->control_number = in->control_number;
	out->from = van_arena_printf(arena_of(w), "%s %.*s", space, SLICE_ARG(in->sender));
	out->to = van_arena_printf(arena_of(w), "%s %.*s", space, SLICE_ARG(in->receiver));
	out->env = in->usage == 'T' ? SLICE("test") : SLICE("production");
	out->offset = in->offset;
	out->length = in->length;
	out->ack = SLICE("none");
	return out->from.p && out->to.p ? fill_transactions(w) : VAN_ENOMEM;
}

/* --- route --------------------------------------------------------------------------------------------------------------------- */

static int hold(struct work *w, enum ipc_interchange_state state, struct slice why)
{
	w->out->state = state;
	w->out->error = why;
	return 0;
}

/* Not routed: which state, and what people are told. */
static int refuse(struct work *w, const struct directory_route *r)
{
	bool unroutable = r->outcome == AGREEMENT_UNROUTABLE || r->outcome == AGREEMENT_NO_RECEIVER;
	struct slice why = r->reason.p ? r->reason
				       : van_arena_printf(arena_of(w), "no agreement governs documents from %.*s to %.*s: add one",
							  SLICE_ARG(w->out->from), SLICE_ARG(w->out->to));
	return hold(w, unroutable ? IPC_INTERCHANGE_UNROUTABLE : IPC_INTERCHANGE_HELD, why);
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
		return hold(w, IPC_INTERCHANGE_HELD, van_arena_printf(arena_of(w), "agreement %.*s is on hold", SLICE_ARG(r.agreement)));
	}
	if (t->missing_guide.p) {
		w->routed = false;
		return hold(w, IPC_INTERCHANGE_HELD,
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
	return hold(w, IPC_INTERCHANGE_HELD,
		    van_arena_printf(arena_of(w), "agreements %.*s and %.*s treat documents of this one interchange differently: have the "
						  "sender send them in interchanges of their own, or give both agreements the same mode",
				     SLICE_ARG(w->route.agreement), SLICE_ARG(r.agreement)));
}

static int route(struct work *w)
{
	bool any = false;
	for (const struct edi_group *g = w->in->groups; g; g = g->next)
		for (const struct edi_message *m = g->messages; m; m = m->next) {
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

/* --- outputs --------------------------------------------------------------------------------------------------------------------- */

static struct ipc_output *new_output(struct work *w, enum ipc_output_kind kind, const struct directory_route *r)
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

/* Pass-through: the very bytes. What was asked of the receiver is watched on the received message. */
static int pass_through(struct work *w)
{
	struct ipc_output *o = new_output(w, IPC_OUTPUT_PASS_THROUGH, &w->route);
	if (!o)
		return VAN_ENOMEM;
	o->type = w->mixed_types ? SLICE_NONE : w->type;
	o->version = w->version;
	o->from = w->out->from;
	o->to = w->out->to;
	o->control_number = w->in->control_number;
	o->extension = SLICE("edi");
	whole_stretch(w, &o->offset, &o->length);
	if (w->out->transactions.n == 1)
		o->keys = RECORD_AT(w->out->transactions, struct ipc_transaction, 0)->keys;
	if (w->route.acknowledged_by == PROFILE_ACK_RECEIVER && !w->out->acknowledgement) {
		w->out->ack = SLICE("expected");
		w->out->ack_within = w->route.ack_within;
	}
	return 0;
}

/* The document's bytes: one part while they are few, else a stretch of the job's content file. */
static int keep_content(struct work *w, struct ipc_output *o, struct slice bytes)
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

static struct map_envelope envelope_of(struct work *w, const struct edi_group *g, const struct edi_message *m)
{
	return (struct map_envelope){
		.sender = w->in->sender,
		.receiver = w->in->receiver,
		.interchange_control_number = w->in->control_number,
		.group_control_number = g->real ? g->control_number : SLICE_NONE,
		.message_control_number = m->control_number,
		.test = w->in->usage == 'T',
	};
}

static struct map_delimiters delimiters_of(const struct edi_interchange *i)
{
	return (struct map_delimiters){i->delimiters.element, i->delimiters.component, i->delimiters.repetition, i->delimiters.release,
				       i->delimiters.terminator};
}

/* For the history. */
static struct slice named_map(struct work *w, const struct map *map, const struct map_sheet *sheet)
{
	return sheet->version == MAP_VERSION_SHIPPED
		       ? van_arena_printf(arena_of(w), "%s as shipped", map_name(map))
		       : van_arena_printf(arena_of(w), "%s version %llu", map_name(map), (unsigned long long)sheet->version);
}

static int translate_message(struct work *w, const struct map *map, const struct map_sheet *sheet, const struct edi_group *g, const struct edi_message *m)
{
	struct van_buf json = VAN_BUF_INIT((size_t)256 << 20);
	struct van_error e = {0};
	struct map_envelope envelope = envelope_of(w, g, m);
	struct slice bytes;
	int rc = job_payload_bytes(w->job, m->offset, m->length, &bytes);
	map_library_scope(w->job->worker->maps, w->route.from_party, van_clock_now());
	if (rc == 0)
		rc = map_run(map, bytes, delimiters_of(w->in), &envelope, NULL, &json, &e);
	struct ipc_output *o = rc == 0 ? new_output(w, IPC_OUTPUT_TRANSLATED, &w->route) : NULL;
	if (o) {
		o->type = m->type;
		o->version = slice_str(map_target(map));
		o->from = w->out->from;
		o->to = w->out->to;
		o->control_number = m->control_number;
		o->extension = SLICE("json");
		o->map = named_map(w, map, sheet);
		rc = copy_keys(arena_of(w), m->keys, &o->keys);
		if (rc == 0)
			rc = keep_content(w, o, van_buf_slice(&json));
	} else if (rc == VAN_ESYNTAX || rc == VAN_ELIMIT) {
		rc = hold(w, IPC_INTERCHANGE_HELD, van_arena_printf(arena_of(w), "message %.*s: %s", SLICE_ARG(m->control_number), e.text));
	} else if (rc == 0) {
		rc = VAN_ENOMEM;
	}
	van_buf_free(&json);
	return rc;
}

static int find_map(struct work *w, const struct edi_message *m, const struct map **ret,
		    const struct map_sheet **ret_sheet, struct van_error *e)
{
	struct map_library *maps = w->job->worker->maps;
	if (w->route.map.p)
		return map_library_find(maps, w->route.map, w->route.map_pin, ret, ret_sheet, e);
	return map_library_find_for(maps, w->in->standard == EDI_EDIFACT ? "edifact" : "x12", m->type, m->version, ret,
				    ret_sheet, e);
}

/* Rejected messages are not translated: the acknowledgement tells their sender. Acknowledgements are for the network itself. */
static int translate(struct work *w)
{
	for (const struct edi_group *g = w->in->groups; g; g = g->next)
		for (const struct edi_message *m = g->messages; m; m = m->next) {
			const struct map *map = NULL;
			const struct map_sheet *sheet = NULL;
			struct van_error e = {0};
			if (m->status == EDI_REJECTED || m->acknowledgement)
				continue;
			int rc = find_map(w, m, &map, &sheet, &e);
			if (rc == VAN_ENOTFOUND || rc == VAN_ESYNTAX)
				return hold(w, IPC_INTERCHANGE_HELD, van_arena_printf(arena_of(w), "agreement %.*s translates: %s",
										      SLICE_ARG(w->route.agreement), e.text));
			if (rc == 0)
				rc = translate_message(w, map, sheet, g, m);
			if (rc < 0 || w->out->state != IPC_INTERCHANGE_PROCESSED)
				return rc;
		}
	return 0;
}

/* --- acknowledgement of ours -------------------------------------------------------------------------------------------------- */

static enum edi_ack_kind ack_kind(struct slice name)
{
	return slice_is(name, "997") ? EDI_ACK_997 : slice_is(name, "999") ? EDI_ACK_999 : slice_is(name, "CONTRL") ? EDI_ACK_CONTRL
														      : EDI_ACK_DEFAULT;
}

static int copy_parts(struct work *w, const struct edi_output *from, struct record_list *to)
{
	struct ipc_part *v = van_arena_array(arena_of(w), from->part_count, sizeof *v);
	if (!v)
		return VAN_ENOMEM;
	for (size_t i = 0; i < from->part_count; i++) {
		const struct edi_output_part *p = &from->parts[i];
		v[i] = (struct ipc_part){.bytes = p->bytes, .width = p->width};
		if (p->bytes.p)
			v[i].kind = IPC_PART_BYTES;
		else if (p->level == EDI_LEVEL_INTERCHANGE)
			v[i].kind = IPC_PART_INTERCHANGE_NUMBER;
		else {
			v[i].kind = IPC_PART_GROUP_NUMBER;
			v[i].group_index = p->index;
		}
	}
	*to = (struct record_list){v, from->part_count};
	return 0;
}

static struct edi_delimiters unpack_delimiters(struct slice packed)
{
	if (packed.n != DIRECTORY_DELIMITERS)
		return (struct edi_delimiters){0};
	return (struct edi_delimiters){.element = packed.p[0], .component = packed.p[1], .repetition = packed.p[2], .release = packed.p[3],
				       .terminator = packed.p[4]};
}

static bool is_refused(const struct edi_interchange *in)
{
	const struct edi_error *e = in->errors;
	while (e && e->tolerated)
		e = e->next;
	return e != NULL;
}

static struct edi_ack_options ack_options(const struct work *w)
{
	const struct directory_route *r = &w->route;
	bool ta1 = slice_is(r->ack_kind, "TA1");
	return (struct edi_ack_options){
		.kind = ack_kind(r->ack_kind), .ta1_only = ta1, .received_only = ta1,
		.ta1 = r->ack_ta1 == PROFILE_TA1_ALWAYS, .no_ta1 = r->ack_ta1 == PROFILE_TA1_NEVER && !ta1 && !is_refused(w->in),
		.accepted_messages = r->ack_accepted, .offset_minutes = w->zone_offset,
		.delimiters = unpack_delimiters(r->ack_delimiters),
		.lines = r->ack_delimiters.n == DIRECTORY_DELIMITERS && r->ack_delimiters.p[5],
	};
}

/* The way back to the sender: the agreement for our acknowledgement, or at least the sender's own connection. */
static int acknowledge(struct work *w)
{
	struct edi_output ack;
	struct van_error e = {0};
	struct directory_route back;
	van_time now = van_clock_now();
	const struct edi_ack_options options = ack_options(w);
	int rc = edi_ack_write(w->in, &options, now, arena_of(w), &ack, &e);
	if (rc < 0 || !ack.part_count)
		return rc;
	rc = job_route(w->job, SLICE_NONE, w->out->to, w->out->from, ack.type, ack.version, w->in->usage, &back, NULL);
	struct ipc_output *o = rc == 0 ? new_output(w, IPC_OUTPUT_ACK, &back) : NULL;
	if (!o)
		return rc < 0 ? rc : VAN_ENOMEM;
	if (!o->agreement.p) { /* no agreement for the way back is needed: the one that says "network" governs it */
		o->agreement = w->route.agreement;
		o->agreement_version = w->route.agreement_version;
	}
	o->type = ack.type;
	o->version = ack.version;
	o->from = w->out->to;
	o->to = w->out->from;
	o->extension = SLICE("edi");
	return copy_parts(w, &ack, &o->parts);
}

/* --- acknowledgements of others ---------------------------------------------------------------------------------------------- */

static int note_ack(struct work *w, const struct edi_group *g, const struct edi_message *m)
{
	struct ipc_ack_seen *a = job_list_add(&w->job->acks, sizeof *a);
	size_t n = 0;
	for (const struct edi_ack_message *k = m->ack->messages; k; k = k->next)
		n++;
	struct ipc_ack_item *items = van_arena_array(arena_of(w), n ? n : 1, sizeof *items);
	if (!a || !items)
		return VAN_ENOMEM;
	n = 0;
	for (const struct edi_ack_message *k = m->ack->messages; k; k = k->next)
		items[n++] = (struct ipc_ack_item){k->type, k->control_number, slice_str(edi_status_name(k->status))};
	*a = (struct ipc_ack_seen){
		.interchange = w->number,
		.env = w->out->env,
		.from = w->out->to, /* parties swapped: who is acknowledged sent the document */
		.to = w->out->from,
		.group_from = g->receiver,
		.group_to = g->sender,
		.group_code = m->ack->functional_code,
		.group_control_number = m->ack->functional_code.n ? m->ack->group_control_number : m->ack->interchange_control_number,
		.status = slice_str(edi_status_name(m->ack->status)),
		.items = {items, n},
	};
	return 0;
}

static int note_acks(struct work *w)
{
	for (const struct edi_group *g = w->in->groups; g; g = g->next)
		for (const struct edi_message *m = g->messages; m; m = m->next) {
			int rc = m->ack ? note_ack(w, g, m) : 0;
			if (rc < 0)
				return rc;
		}
	return 0;
}

/* --- all together --------------------------------------------------------------------------------------------------------------- */

static int translate_and_acknowledge(struct work *w)
{
	size_t before = w->job->outputs.n;
	int rc = w->route.to_station && !w->route.connection.p ? 0 : translate(w);
	if (rc < 0)
		return rc;
	if (w->out->state != IPC_INTERCHANGE_PROCESSED) { /* held: nothing of it goes out, nor is it acknowledged */
		w->job->outputs.n = before;
		return 0;
	}
	if (w->route.acknowledged_by != PROFILE_ACK_NETWORK || w->out->acknowledgement)
		return 0;
	rc = acknowledge(w);
	w->out->ack = slice_str(edi_status_name(w->in->status));
	if (w->in->status == EDI_REJECTED) {
		w->out->state = IPC_INTERCHANGE_REJECTED;
		w->out->error = SLICE("the interchange has errors that reject all of it; the acknowledgement lists them");
	}
	return rc;
}

int job_interchange(struct job *j, const struct edi_interchange *i, size_t number, struct ipc_interchange *to)
{
	struct work w = {.job = j, .in = i, .number = number, .out = to};
	int rc = fill_facts(&w);
	if (rc == 0)
		rc = route(&w);
	if (rc < 0 || !w.routed)
		return rc;
	fill_policy(&w);
	rc = note_acks(&w);
	if (rc < 0)
		return rc;
	if (w.route.mode == PROFILE_TRANSLATE)
		return translate_and_acknowledge(&w);
	/* a document for a station of ours that nobody fetches ends here: it is in the store */
	return w.route.to_station && !w.route.connection.p ? 0 : pass_through(&w);
}
