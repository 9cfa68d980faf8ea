/* Acknowledgements: ours, written from what a check found or from what receivers said, and those of others. */
#include "roles/worker/interchange.h"

#include "base/fdio.h"

/* --- ours ------------------------------------------------------------------------------------------------------------------------- */

static enum edi_ack_kind ack_kind(struct slice name)
{
	return slice_is(name, "997") ? EDI_ACK_997 : slice_is(name, "999") ? EDI_ACK_999 : slice_is(name, "CONTRL") ? EDI_ACK_CONTRL
														      : EDI_ACK_DEFAULT;
}

int work_parts(struct job *j, const struct edi_output *from, struct record_list *to)
{
	struct ipc_part *v = van_arena_array(j->worker->arena, from->part_count, sizeof *v);
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

struct edi_delimiters work_delimiters(struct slice packed)
{
	if (packed.n != DIRECTORY_DELIMITERS)
		return (struct edi_delimiters){0};
	return (struct edi_delimiters){.element = packed.p[0], .component = packed.p[1], .repetition = packed.p[2], .release = packed.p[3],
				       .terminator = packed.p[4], .shifts = packed.p[5] == PACKED_SHIFTS};
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
		.delimiters = work_delimiters(r->ack_delimiters),
		.lines = r->ack_delimiters.n == DIRECTORY_DELIMITERS && r->ack_delimiters.p[5],
	};
}

int work_answer(struct work *w, struct slice type, struct slice version, struct ipc_output **ret)
{
	struct directory_route back;
	int rc = job_route(w->job, SLICE_NONE, w->out->to, w->out->from, type, version, w->in->usage, &back, NULL);
	struct ipc_output *o = rc == 0 ? work_output(w, IPC_OUTPUT_ACK, &back) : NULL;
	if (!o)
		return rc < 0 ? rc : VAN_ENOMEM;
	if (!o->agreement.p) { /* no agreement for the way back is needed: the one that asks for the answer governs it */
		o->agreement = w->route.agreement;
		o->agreement_version = w->route.agreement_version;
	}
	o->type = type;
	o->version = version;
	o->from = w->out->to;
	o->to = w->out->from;
	*ret = o;
	return 0;
}

static int acknowledge(struct work *w, const struct edi_ack_options *options, bool on_repeat)
{
	struct edi_output ack;
	struct van_error e = {0};
	van_time now = van_clock_now();
	int rc = edi_ack_write(w->in, options, now, w->job->worker->arena, &ack, &e);
	if (rc < 0 || !ack.part_count)
		return rc;
	struct ipc_output *o;
	rc = work_answer(w, ack.type, ack.version, &o);
	if (rc < 0)
		return rc;
	o->extension = SLICE("edi");
	o->on_repeat = on_repeat;
	return work_parts(w->job, &ack, &o->parts);
}

int work_acknowledge(struct work *w)
{
	const struct edi_ack_options options = ack_options(w);
	return acknowledge(w, &options, false);
}

int work_refuse_repeat(struct work *w)
{
	struct edi_ack_options options = ack_options(w);
	options.refusal = w->in->standard == EDI_X12 ? "025" : "26";
	options.no_ta1 = false; /* nothing else would tell */
	return acknowledge(w, &options, true);
}

/* --- acknowledgements of others ---------------------------------------------------------------------------------------------- */

static int note_ack(struct work *w, const struct edi_group *g, const struct edi_message *m)
{
	struct ipc_ack_seen *a = job_list_add(&w->job->acks, sizeof *a);
	size_t n = 0;
	for (const struct edi_ack_message *k = m->ack->messages; k; k = k->next)
		n++;
	struct ipc_ack_item *items = van_arena_array(w->job->worker->arena, n ? n : 1, sizeof *items);
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
		.whole = !m->ack->functional_code.n,
		.group_control_number = m->ack->functional_code.n ? m->ack->group_control_number : m->ack->interchange_control_number,
		.status = slice_str(edi_status_name(m->ack->status)),
		.items = {items, n},
	};
	return 0;
}

/* TA1s speak of interchanges; what they accept is the envelope. */
static int note_ta1(struct work *w, const struct edi_ta1 *t)
{
	struct ipc_ack_seen *a = job_list_add(&w->job->acks, sizeof *a);
	if (!a)
		return VAN_ENOMEM;
	*a = (struct ipc_ack_seen){
		.interchange = w->number, .env = w->out->env, .from = w->out->to, .to = w->out->from,
		.group_control_number = t->control_number, .whole = true, .header = true,
		.status = slice_is(t->status, "R") ? SLICE("rejected") : slice_is(t->status, "E") ? SLICE("accepted-with-errors") : SLICE("accepted"),
	};
	return 0;
}

static int ask_whose(struct work *w, bool *ret)
{
	const struct ipc_ack_seen *a = (const struct ipc_ack_seen *)w->job->acks.v + w->job->acks.n - 1;
	const struct ipc_lookup l = {
		.kind = IPC_LOOKUP_ACK, .from = a->from, .to = a->to, .usage = slice_make(&w->in->usage, 1), .group_from = a->group_from,
		.group_to = a->group_to, .group_code = a->group_code, .group_control_number = a->group_control_number, .whole = a->whole,
	};
	int rc = worker_ask_ack(w->job->worker, &l, ret);
	w->acks++;
	w->own_acks += rc == 0 && *ret;
	return rc;
}

int work_note_acks(struct work *w)
{
	size_t n = 0, i = 0;
	bool ours;
	for (const struct edi_group *g = w->in->groups; g; g = g->next)
		for (const struct edi_message *m = g->messages; m; m = m->next)
			n++;
	w->own = van_arena_array(w->job->worker->arena, n + 1, sizeof *w->own);
	w->own_count = n;
	int rc = w->own ? 0 : VAN_ENOMEM;
	for (const struct edi_ta1 *t = w->in->ta1; t && rc == 0; t = t->next) {
		rc = note_ta1(w, t);
		if (rc == 0)
			rc = ask_whose(w, &ours);
	}
	for (const struct edi_group *g = w->in->groups; g && rc == 0; g = g->next)
		for (const struct edi_message *m = g->messages; m && rc == 0; m = m->next, i++) {
			if (!m->ack)
				continue;
			rc = note_ack(w, g, m);
			if (rc == 0)
				rc = ask_whose(w, &w->own[i]);
		}
	return rc;
}

/* --- by what receivers said ------------------------------------------------------------------------------------------------------- */

static const struct ipc_transaction *answer_for(const struct ipc_answer *a, const struct edi_group *g, const struct edi_message *m, size_t *next)
{
	for (size_t tried = 0; tried < a->messages.n; tried++) { /* in their order: the first try most often */
		const struct ipc_transaction *t = RECORD_AT(a->messages, struct ipc_transaction, (*next + tried) % a->messages.n);
		bool group = !g->real || (slice_eq(t->group_code, g->code) && slice_eq(t->group_control_number, g->control_number));
		if (group && slice_eq(t->control_number, m->control_number) && slice_eq(t->type, m->type)) {
			*next = (*next + tried + 1) % a->messages.n;
			return t;
		}
	}
	return NULL;
}

static enum edi_status status_of(struct slice name)
{
	for (int s = EDI_ACCEPTED; s <= EDI_REJECTED; s++)
		if (slice_is(name, edi_status_name((enum edi_status)s)))
			return (enum edi_status)s;
	return EDI_ACCEPTED;
}

/* What was translated is what its receiver said; its own errors are of no interest any more. */
static void take_answers(struct edi_interchange *in, const struct ipc_answer *a)
{
	size_t next = 0;
	for (struct edi_group *g = in->groups; g; g = g->next) {
		uint64_t rejected = 0, errors = 0, n = 0;
		for (struct edi_message *m = g->messages; m; m = m->next, n++) {
			const struct ipc_transaction *t = answer_for(a, g, m, &next);
			if (t) {
				m->status = status_of(t->status);
				m->errors = NULL;
			}
			rejected += m->status == EDI_REJECTED;
			errors += m->status == EDI_ACCEPTED_WITH_ERRORS;
		}
		g->accepted_count = n - rejected;
		if (g->status != EDI_REJECTED || !g->errors)
			g->status = n && rejected == n ? EDI_REJECTED : rejected ? EDI_PARTIALLY_ACCEPTED : errors ? EDI_ACCEPTED_WITH_ERRORS : EDI_ACCEPTED;
	}
}

int job_answer(struct job *j, int fd)
{
	struct edi_interchange *in = j->report->interchanges;
	struct ipc_interchange facts = {0};
	struct ipc_answer answer;
	const struct job_terms *t;
	struct van_buf b = VAN_BUF_INIT((size_t)256 << 20);
	const struct edi_message *first = in && in->groups ? in->groups->messages : NULL;
	int rc = first ? fd_read_file(fd, &b) : VAN_EINVAL;
	if (rc == 0)
		rc = record_decode(&ipc_answer_table, van_buf_slice(&b), j->worker->arena, &answer);
	if (rc == 0)
		rc = job_terms(j, in, first->type, first->version, &t);
	if (rc == 0) {
		struct work w = {.job = j, .in = in, .out = &facts, .route = t->route, .zone_offset = t->zone_offset};
		const char *space = in->standard == EDI_EDIFACT ? "edifact" : "x12";
		take_answers(in, &answer);
		facts.standard = slice_str(edi_standard_name(in->standard));
		facts.env = in->usage == 'T' ? SLICE("test") : SLICE("production");
		facts.from = van_arena_printf(j->worker->arena, "%s %.*s", space, SLICE_ARG(in->sender));
		facts.to = van_arena_printf(j->worker->arena, "%s %.*s", space, SLICE_ARG(in->receiver));
		rc = facts.from.p && facts.to.p ? work_acknowledge(&w) : VAN_ENOMEM;
	}
	j->result.outputs = job_list_take(&j->outputs);
	van_buf_free(&b);
	return rc;
}
