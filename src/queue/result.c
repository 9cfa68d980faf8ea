#include "queue/accept.h"
#include "queue/ack_private.h"
#include "queue/attachment.h"
#include "queue/result.h"

static bool copy_keys(struct queue_work *w, const struct record_list *from, struct record_list *to)
{
	struct queue_key *v = from->n ? van_arena_array(w->arena, from->n, sizeof *v) : NULL;
	for (size_t i = 0; v && i < from->n; i++) {
		const struct ipc_business_key *k = RECORD_AT(*from, struct ipc_business_key, i);
		v[i] = (struct queue_key){.kind = k->kind, .value = k->value};
	}
	*to = (struct record_list){.v = v, .n = v ? from->n : 0};
	return v || !from->n;
}

bool queue_result_keys(struct queue_work *w, const struct record_list *from, struct record_list *to)
{
	return copy_keys(w, from, to);
}

bool queue_result_transactions(struct queue_work *w, const struct record_list *from, struct slice origin, struct queue_message *m)
{
	size_t n = from->n;
	struct queue_transaction *v = n ? van_arena_array(w->arena, n, sizeof *v) : NULL;
	for (size_t i = 0; v && i < n; i++) {
		const struct ipc_transaction *t = RECORD_AT(*from, struct ipc_transaction, i);
		v[i] = (struct queue_transaction){
			.type = t->type, .version = t->version, .control_number = t->control_number,
			.group_code = t->group_code, .group_control_number = t->group_control_number,
			.group_from = t->group_from, .group_to = t->group_to, .status = t->status, .errors = t->errors,
			.origin = t->origin.p ? t->origin : origin, .origin_group_code = t->origin_group_code,
			.origin_group_number = t->origin_group_number, .origin_number = t->origin_number,
		};
		if (!copy_keys(w, &t->keys, &v[i].keys))
			return false;
	}
	m->transactions = (struct record_list){.v = v, .n = v ? n : 0};
	return v || !n;
}

static uint32_t state_of(const struct ipc_interchange *ic)
{
	switch ((enum ipc_interchange_state)ic->state) {
	case IPC_INTERCHANGE_PROCESSED: return QUEUE_PROCESSED;
	case IPC_INTERCHANGE_HELD: return QUEUE_HELD;
	case IPC_INTERCHANGE_UNROUTABLE: return QUEUE_UNROUTABLE;
	case IPC_INTERCHANGE_REJECTED: return QUEUE_REJECTED;
	case IPC_INTERCHANGE_QUARANTINED: return QUEUE_QUARANTINED;
	}
	return QUEUE_HELD;
}

static uint32_t name_or_zero(const char *const *names, struct slice name)
{
	int i = queue_name_index(names, name);
	return i < 0 ? 0 : (uint32_t)i;
}

/* What the envelope and the agreement say, into the message that stands for this interchange. */
static int fill(struct queue_work *w, const struct ipc_interchange *ic, struct queue_message *m)
{
	const struct ipc_transaction *first = ic->transactions.n ? ic->transactions.v : NULL;
	m->standard = ic->standard;
	m->version = first && first->version.n ? first->version : ic->version;
	m->type = first ? first->type : SLICE_NONE;
	m->control_number = ic->control_number;
	m->from = ic->from;
	m->to = ic->to;
	m->env = name_or_zero(queue_env_names, ic->env);
	m->agreement = ic->agreement;
	m->agreement_version = ic->agreement_version;
	m->acknowledgement = ic->acknowledgement;
	m->state = state_of(ic);
	m->error = ic->error;
	m->set_aside = m->state == QUEUE_QUARANTINED;
	m->ack = name_or_zero(queue_ack_state_names, ic->ack);
	m->ack_due = m->ack == QUEUE_ACK_EXPECTED && ic->ack_within ? m->time + (van_time)ic->ack_within : 0;
	m->turn_back = ic->turn_back && m->state == QUEUE_PROCESSED;
	if (ic->documents.p) {
		m->documents = ic->documents;
		m->division = ic->division;
	}
	return queue_result_transactions(w, &ic->transactions, SLICE_NONE, m) ? 0 : VAN_ENOMEM;
}

static void control_key(struct store_key *k, const struct queue_message *m)
{
	*k = STORE_KEY_INIT;
	store_key_u8(k, (uint8_t)m->env);
	queue_key_foreign(k, m->from);
	queue_key_foreign(k, m->to);
	queue_key_foreign(k, m->standard);
	queue_key_foreign(k, queue_search_text(m->control_number));
}

/* An interchange whose number was seen before becomes a duplicate, unless the agreement or an operator allows it. Only what is
 * processed takes its number: what is held for its sender's lack of authority must not block the true sender's document, and
 * what is released later is asked again. What is in quarantine was acknowledged, and one message of an interchange alone has the
 * number of the whole. */
static int check_duplicate(struct queue_work *w, const struct ipc_interchange *ic, bool allowed, struct queue_message *m)
{
	struct store_key k;
	struct queue_control seen;
	if ((m->state != QUEUE_PROCESSED && m->state != QUEUE_QUARANTINED) || !m->control_number.n || m->only)
		return 0;
	control_key(&k, m);
	int rc = queue_get_record(w, w->q->control, store_key_slice(&k), &queue_control_table, &seen);
	if (rc < 0 && rc != VAN_ENOTFOUND)
		return rc;
	bool within = !ic->duplicate_window || (rc == 0 && m->time - seen.time < (van_time)ic->duplicate_window);
	bool reject = slice_is(ic->duplicates, "reject");
	if (rc == 0 && within && !allowed && !slice_eq(seen.message, m->id) && (reject || slice_is(ic->duplicates, "hold"))) {
		m->state = reject ? QUEUE_REJECTED : QUEUE_DUPLICATE;
		m->ack = QUEUE_ACK_NONE;
		m->ack_due = 0;
		m->set_aside = false;
		m->error = van_arena_printf(w->arena, "interchange %.*s from %.*s was received before, as message %.*s",
					    SLICE_ARG(m->control_number), SLICE_ARG(m->from), SLICE_ARG(seen.message));
		return 0;
	}
	seen = (struct queue_control){.message = m->id, .time = m->time};
	return queue_put_record(w, w->q->control, store_key_slice(&k), &queue_control_table, &seen);
}

int queue_result_search(struct queue_work *w, const struct queue_message *from, struct slice id)
{
	int rc = queue_search_put(w, from->control_number, id);
	for (size_t i = 0; i < from->transactions.n && rc == 0; i++) {
		const struct queue_transaction *t = RECORD_AT(from->transactions, struct queue_transaction, i);
		rc = queue_search_put(w, t->control_number, id);
		/* Most often the same group as that of the message before. */
		if (rc == 0 && (i == 0 || !slice_eq(t->group_control_number, t[-1].group_control_number)))
			rc = queue_search_put(w, t->group_control_number, id);
		for (size_t j = 0; j < t->keys.n && rc == 0; j++)
			rc = queue_search_put(w, RECORD_AT(t->keys, struct queue_key, j)->value, id);
	}
	for (size_t j = 0; j < from->keys.n && rc == 0; j++)
		rc = queue_search_put(w, RECORD_AT(from->keys, struct queue_key, j)->value, id);
	return rc;
}

/* The message of one interchange of several: a stretch of what was received. */
static int make_child(struct queue_work *w, const struct result *r, size_t i, struct queue_message *m)
{
	const struct ipc_interchange *ic = RECORD_AT(r->from->interchanges, struct ipc_interchange, i);
	const struct queue_message *parent = &r->message;
	*m = (struct queue_message){
		.id = slice_make(r->ids->children[i].text, VAN_ID_LEN), .time = parent->time, .direction = QUEUE_IN,
		.protocol = parent->protocol, .partner = parent->partner, .connection = parent->connection,
		.station = parent->station, .peer = parent->peer, .partner_version = parent->partner_version,
		.file_name = parent->file_name, .parent = parent->id, .child = true, .bytes = ic->length,
		.offset = ic->offset, .length = ic->length,
	};
	struct queue_part p = {.kind = QUEUE_PART_STRETCH, .name = SLICE("payload"), .bytes = ic->length, .owner = parent->id,
			       .within = SLICE("payload"), .offset = ic->offset};
	if (ic->documents.p) { /* it has the whole file, of which its name or Content-Type says what it is */
		struct queue_part whole;
		int rc = queue_part_get(w, parent->id, SLICE("payload"), &whole);
		if (rc < 0)
			return rc;
		m->content_type = parent->content_type;
		m->sha256 = parent->sha256;
		p.sha256 = whole.sha256;
	}
	return queue_part_put(w, m->id, &p);
}

static int prepare_targets(struct queue_work *w, struct result *r)
{
	size_t n = r->from->interchanges.n;
	r->targets = van_arena_array(w->arena, n ? n : 1, sizeof *r->targets);
	if (!r->targets)
		return VAN_ENOMEM;
	r->ntargets = n;
	r->split = n > 1;
	for (size_t i = 0; i < n; i++) {
		const struct ipc_interchange *ic = RECORD_AT(r->from->interchanges, struct ipc_interchange, i);
		struct queue_message *m = &r->targets[i];
		int rc = 0;
		*m = r->message;
		if (r->split)
			rc = make_child(w, r, i, m);
		if (rc == 0)
			rc = fill(w, ic, m);
		if (rc == 0)
			rc = check_duplicate(w, ic, r->accept_duplicate, m);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* One line for the history of a message whose job is done. */
static struct slice summary(struct queue_work *w, const struct result *r, size_t i)
{
	const struct queue_message *m = &r->targets[i];
	size_t outputs = 0, rejected = 0;
	for (size_t k = 0; k < r->from->outputs.n; k++)
		outputs += RECORD_AT(r->from->outputs, struct ipc_output, k)->interchange == i && !RECORD_AT(r->from->outputs, struct ipc_output, k)->on_repeat;
	for (size_t k = 0; k < m->transactions.n; k++)
		rejected += slice_is(RECORD_AT(m->transactions, struct queue_transaction, k)->status, "rejected");
	return van_arena_printf(w->arena, "%.*s interchange %.*s: %zu message%s, %zu rejected; %zu output%s under agreement %.*s",
				SLICE_ARG(m->standard), SLICE_ARG(m->control_number), m->transactions.n,
				m->transactions.n == 1 ? "" : "s", rejected, outputs, outputs == 1 ? "" : "s",
				SLICE_ARG(m->agreement));
}

static int put_trail(struct queue_work *w, const struct queue_message *m, struct slice text)
{
	switch ((enum queue_state)m->state) {
	case QUEUE_PROCESSED: return queue_trail_event(w, m->id, "processed", text);
	case QUEUE_REJECTED: return queue_trail_receipt(w, RECEIPT_REJECTED, m, m->error, SLICE_NONE, NULL, 0);
	default: return queue_trail_receipt(w, RECEIPT_HELD, m, m->error, SLICE_NONE, NULL, 0);
	}
}

/* Where nothing is left that a receiver could say: its sender is told at once. */
static int answer_at_once(struct queue_work *w, const struct queue_message *target)
{
	struct queue_message m = *target;
	uint32_t ack;
	int rc = queue_ack_overall(w, &m, &ack);
	if (rc < 0 || !queue_ack_badness(ack))
		return rc;
	rc = queue_ack_set(w, &m, ack);
	return rc < 0 ? rc : queue_answer_want(w, &m);
}

static int finish_targets(struct queue_work *w, struct result *r)
{
	for (size_t i = 0; i < r->ntargets; i++) {
		const struct queue_message *m = &r->targets[i];
		int rc = queue_message_put(w, r->split ? NULL : &r->message, m);
		if (rc == 0)
			rc = queue_result_search(w, m, m->id);
		if (rc == 0 && m->ack == QUEUE_ACK_EXPECTED)
			rc = queue_ack_expect(w, m);
		if (rc == 0 && m->turn_back && m->ack == QUEUE_ACK_EXPECTED)
			rc = answer_at_once(w, m);
		if (rc == 0)
			rc = put_trail(w, m, summary(w, r, i));
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* A file with several interchanges, or with none. */
static int finish_whole(struct queue_work *w, struct result *r)
{
	struct queue_message m = r->message;
	m.standard = r->from->standard;
	m.error = r->unshared.p ? r->unshared : r->from->error;
	int state = r->split ? QUEUE_PROCESSED : queue_name_index(queue_state_names, r->from->state);
	m.state = state < 0 ? QUEUE_PROCESSED : (uint32_t)state;
	if (m.state == QUEUE_RECEIVED)
		m.state = QUEUE_HELD;
	m.delivery = r->delivery;
	if (r->from->type.p)
		m.type = r->from->type;
	int rc = queue_message_put(w, &r->message, &m);
	if (rc == 0 && r->from->reference.n)
		rc = queue_search_put(w, r->from->reference, m.id);
	struct slice text = r->from->type.p ? r->from->error : van_arena_printf(w->arena, "%zu interchanges", r->ntargets);
	return rc < 0 ? rc : put_trail(w, &m, text);
}

static int match_acks(struct queue_work *w, struct result *r)
{
	struct queue_ack_run run = {0};
	struct queue_message carrier = {0}, old;
	for (size_t i = 0; i < r->from->acks.n; i++) {
		const struct ipc_ack_seen *a = RECORD_AT(r->from->acks, struct ipc_ack_seen, i);
		if (a->interchange >= r->ntargets || r->targets[a->interchange].state != QUEUE_PROCESSED)
			continue; /* a held or duplicate one acknowledges nothing */
		struct slice id = r->targets[a->interchange].id;
		int rc = carrier.id.p && slice_eq(carrier.id, id) ? 0 : queue_message_get(w, id, &carrier);
		if (rc == 0)
			rc = queue_ack_match(w, &run, &carrier, a);
		if (rc < 0)
			return rc;
		if (rc || carrier.ack == QUEUE_ACK_UNMATCHED)
			continue;
		old = carrier;
		carrier.ack = QUEUE_ACK_UNMATCHED;
		rc = queue_message_put(w, &old, &carrier);
		if (rc == 0)
			rc = queue_trail_event(w, carrier.id, "ack-unmatched",
					       van_arena_printf(w->arena, "nothing sent fits group %.*s %.*s",
								SLICE_ARG(a->group_code), SLICE_ARG(a->group_control_number)));
		if (rc < 0)
			return rc;
	}
	return queue_ack_settle(w, &run);
}

static int check_result(struct queue_work *w, const struct ipc_job_result *from)
{
	for (size_t i = 0; i < from->outputs.n; i++) {
		const struct ipc_output *o = RECORD_AT(from->outputs, struct ipc_output, i);
		if (from->interchanges.n && o->interchange >= from->interchanges.n)
			return van_error_set(&w->err, VAN_EINVAL, "an output names interchange %llu of %zu",
					     (unsigned long long)o->interchange, from->interchanges.n);
	}
	return 0;
}

static int all_outputs(struct queue_work *w, struct result *r)
{
	int rc = 0;
	for (size_t i = 0; i < r->from->outputs.n && rc == 0; i++)
		rc = queue_result_output(w, r, i);
	return rc;
}

/* What waited stands in the outputs now. Refuses before anything is changed when it has grown. */
static int end_batch(struct queue_work *w, struct result *r)
{
	uint64_t messages = 0;
	for (size_t i = 0; i < r->from->outputs.n; i++)
		messages += RECORD_AT(r->from->outputs, struct ipc_output, i)->transactions.n;
	r->batch = true;
	return queue_batch_end(w, r->message.id, messages);
}

static int finish_received(struct queue_work *w, struct result *r)
{
	int rc = prepare_targets(w, r);
	if (rc == 0)
		rc = queue_attachments_share(w, r);
	if (rc == 0)
		rc = queue_result_uniques(w, r);
	if (rc == 0)
		rc = all_outputs(w, r);
	if (rc == 0)
		rc = finish_targets(w, r);
	if (rc == 0)
		rc = queue_result_asides(w, r);
	if (rc == 0 && r->ntargets != 1)
		rc = finish_whole(w, r);
	return rc < 0 ? rc : match_acks(w, r);
}

int queue_job_done(struct queue_work *w, const struct ipc_job_result *from, const struct queue_job_ids *ids)
{
	struct result r = {.from = from, .ids = ids};
	struct queue_job job;
	int rc = van_id_valid(from->message) ? queue_get_record(w, w->q->job, from->message, &queue_job_table, &job) : VAN_ENOTFOUND;
	if (rc == VAN_ENOTFOUND)
		return van_error_set(&w->err, VAN_ENOTFOUND, "no job waits for message %.*s", SLICE_ARG(from->message));
	if (rc == 0)
		rc = check_result(w, from);
	if (rc == 0)
		rc = queue_message_get(w, from->message, &r.message);
	if (rc < 0)
		return rc;
	r.accept_duplicate = job.accept_duplicate;
	r.answered = job.answered;
	if (job.kind == QUEUE_JOB_PROCESS && (rc = queue_result_still_unique(w, &r)) < 0)
		return rc;
	if (job.kind == QUEUE_JOB_BATCH)
		rc = end_batch(w, &r);
	if (rc < 0)
		return rc;
	w->writes++;
	rc = store_del(w->txn, w->q->job, from->message);
	if (rc < 0)
		return rc;
	return job.kind == QUEUE_JOB_PROCESS ? finish_received(w, &r) : all_outputs(w, &r);
}
