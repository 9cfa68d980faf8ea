/* Batches: translated messages that wait for one another, to go as one interchange. A batch is a stored message from the moment it is
 * opened, and its job is due when the first of its bounds is reached: so it survives whatever happens, and is seen like any other. */
#include "queue/delivery.h"
#include "queue/result.h"

#include "base/fdio.h"
#include "base/zone.h"

#include <unistd.h>

#define BATCH_MAX ((size_t)160 << 20) /* its bytes and all that is known of them: profiles allow 64 MiB and 100,000 messages */

static void open_key(struct store_key *k, struct slice terms, const struct ipc_output *o)
{
	*k = STORE_KEY_INIT;
	queue_key_foreign(k, terms);
	queue_key_foreign(k, o->from);
	queue_key_foreign(k, o->to);
	queue_key_foreign(k, o->env);
}

static void item_key(struct store_key *k, struct slice id, uint64_t number)
{
	*k = STORE_KEY_INIT;
	store_key_fixed(k, id.p, id.n);
	store_key_u64(k, number);
}

static bool listed(const struct slice_list *l, struct slice s)
{
	for (size_t i = 0; i < l->n; i++)
		if (slice_eq(l->v[i], s))
			return true;
	return false;
}

/* --- opening and joining ------------------------------------------------------------------------------------------------- */

static int open_batch(struct queue_work *w, const struct result *r, size_t i, struct queue_message *m, struct queue_batch *b)
{
	const struct ipc_output *o = RECORD_AT(r->from->outputs, struct ipc_output, i);
	struct store_key k;
	*b = (struct queue_batch){.terms = o->terms, .from = o->from, .to = o->to, .env = o->env};
	m->parent = SLICE_NONE;
	m->delivery = QUEUE_DELIVERY_QUEUED;
	m->control_number = SLICE_NONE;
	struct queue_job job = {.kind = QUEUE_JOB_BATCH, .next = o->batch_time ? w->now + (van_time)o->batch_time : INT64_MAX};
	open_key(&k, o->terms, o);
	w->writes++;
	int rc = store_put(w->txn, w->q->batch_open, store_key_slice(&k), m->id);
	if (rc == 0)
		rc = queue_job_put(w, m->id, &job);
	if (rc == 0)
		rc = queue_message_put(w, NULL, m);
	if (rc == 0 && o->batch_time)
		rc = queue_wake(w, m->id, job.next);
	return rc < 0 ? rc : queue_trail_event(w, m->id, "batch-opened",
					       van_arena_printf(w->arena, "waits for further messages under agreement %.*s", SLICE_ARG(m->agreement)));
}

/* The batch of these terms that takes more; VAN_ENOTFOUND: there is none. */
static int find_open(struct queue_work *w, const struct ipc_output *o, struct queue_message *m, struct queue_batch *b)
{
	struct store_key k;
	struct slice id;
	struct queue_job job;
	open_key(&k, o->terms, o);
	int rc = queue_get(w, w->q->batch_open, store_key_slice(&k), &id);
	if (rc == 0)
		rc = queue_get_record(w, w->q->job, id, &queue_job_table, &job);
	if (rc == 0 && job.next <= w->now)
		return VAN_ENOTFOUND; /* it is being made into an interchange */
	if (rc == 0)
		rc = queue_message_get(w, id, m);
	return rc < 0 ? rc : queue_get_record(w, w->q->batch, m->id, &queue_batch_table, b);
}

static int put_item(struct queue_work *w, const struct ipc_output *o, struct slice origin, const struct queue_message *m, uint64_t number,
		    struct slice part)
{
	const struct ipc_transaction *t = RECORD_AT(o->transactions, struct ipc_transaction, 0);
	struct queue_batch_item item = {
		.type = t->type, .version = t->version, .agency = o->agency, .association = o->association, .group_code = t->group_code,
		.delimiters = o->delimiters, .part = part, .origin = origin, .origin_group_code = t->origin_group_code,
		.origin_group_number = t->origin_group_number, .origin_number = t->origin_number,
	};
	struct store_key k;
	if (!queue_result_keys(w, &o->keys, &item.keys))
		return VAN_ENOMEM;
	item_key(&k, m->id, number);
	return queue_put_record(w, w->q->batch_item, store_key_slice(&k), &queue_batch_item_table, &item);
}

static int add_origin(struct queue_work *w, struct queue_message *m, struct slice origin)
{
	if (listed(&m->origins, origin))
		return 0;
	struct slice *v = van_arena_array(w->arena, m->origins.n + 1, sizeof *v);
	if (!v)
		return VAN_ENOMEM;
	if (m->origins.n)
		memcpy(v, m->origins.v, m->origins.n * sizeof *v);
	v[m->origins.n] = origin;
	m->origins.v = v;
	m->origins.n++;
	return queue_index_put(w, QUEUE_INDEX_PARENT, origin, m->id);
}

/* Complete by number or size: it goes now. Nobody joins it any more. */
static int close_when_full(struct queue_work *w, const struct ipc_output *o, const struct queue_message *m, const struct queue_batch *b)
{
	if (!(o->batch_messages && b->messages >= o->batch_messages) && !(o->batch_size && b->bytes >= o->batch_size))
		return 0;
	struct queue_job job = {.kind = QUEUE_JOB_BATCH, .next = w->now};
	struct store_key k;
	open_key(&k, o->terms, o);
	w->writes++;
	int rc = store_del(w->txn, w->q->batch_open, store_key_slice(&k));
	if (rc == 0)
		rc = queue_job_put(w, m->id, &job);
	return rc < 0 ? rc : queue_wake(w, m->id, 0);
}

int queue_batch_add(struct queue_work *w, struct result *r, size_t i, struct queue_message *m)
{
	const struct ipc_output *o = RECORD_AT(r->from->outputs, struct ipc_output, i);
	struct queue_message made = *m, old;
	struct queue_part part;
	struct queue_batch b;
	struct slice origin = made.parent;
	if (o->transactions.n != 1 || !o->terms.n)
		return van_error_set(&w->err, VAN_EINVAL, "a message for a batch must say whose it is");
	int rc = find_open(w, o, m, &b);
	if (rc == VAN_ENOTFOUND) {
		*m = made;
		rc = open_batch(w, r, i, m, &b);
	}
	old = *m;
	if (rc == 0)
		rc = queue_result_content(w, r, i, &made, &part);
	if (rc == 0) {
		part.name = van_arena_printf(w->arena, "waiting-%llu", (unsigned long long)b.next);
		rc = part.name.p ? queue_part_put(w, m->id, &part) : VAN_ENOMEM;
	}
	if (rc == 0)
		rc = put_item(w, o, origin, m, b.next, part.name);
	if (rc == 0)
		rc = add_origin(w, m, origin);
	b.next++;
	b.messages++;
	b.bytes += part.bytes;
	if (rc == 0)
		rc = queue_put_record(w, w->q->batch, m->id, &queue_batch_table, &b);
	if (rc == 0)
		rc = queue_message_put(w, &old, m);
	if (rc == 0)
		rc = queue_trail_event(w, origin, "batched", van_arena_printf(w->arena, "message %.*s waits in batch %.*s",
									      SLICE_ARG(RECORD_AT(o->transactions, struct ipc_transaction, 0)->origin_number),
									      SLICE_ARG(m->id)));
	return rc < 0 ? rc : close_when_full(w, o, m, &b);
}

/* --- giving it to a worker ------------------------------------------------------------------------------------------------ */

struct filling {
	struct queue_work *w;
	struct slice id;
	struct van_buf bytes;
	struct ipc_piece *pieces;
	size_t n, room;
};

static int append_content(struct filling *f, struct slice part, uint64_t *ret_length)
{
	struct queue_content c;
	int rc = queue_part_open(f->w, f->id, part, &c);
	if (rc < 0)
		return rc;
	*ret_length = c.fd < 0 ? c.bytes.n : c.length;
	if (c.fd < 0)
		return van_buf_append_slice(&f->bytes, c.bytes);
	char *room = van_buf_reserve(&f->bytes, c.length);
	rc = room ? fd_pread_all(c.fd, room, c.length, (off_t)c.offset) : f->bytes.error;
	close(c.fd);
	if (rc == 0)
		f->bytes.n += c.length;
	return rc;
}

static int copy_piece_keys(struct queue_work *w, const struct record_list *from, struct record_list *to)
{
	struct ipc_business_key *v = van_arena_array(w->arena, from->n ? from->n : 1, sizeof *v);
	if (!v)
		return VAN_ENOMEM;
	for (size_t i = 0; i < from->n; i++) {
		const struct queue_key *k = RECORD_AT(*from, struct queue_key, i);
		v[i] = (struct ipc_business_key){k->kind, k->value};
	}
	*to = (struct record_list){v, from->n};
	return 0;
}

static int add_piece(struct filling *f, const struct queue_batch_item *item)
{
	if (f->n == f->room)
		return van_error_set(&f->w->err, VAN_EIO, "batch %.*s holds more messages than it counts", SLICE_ARG(f->id));
	struct ipc_piece *p = &f->pieces[f->n];
	*p = (struct ipc_piece){
		.type = item->type, .version = item->version, .agency = item->agency, .association = item->association,
		.group_code = item->group_code, .delimiters = item->delimiters, .offset = f->bytes.n, .origin = item->origin,
		.origin_group_code = item->origin_group_code, .origin_group_number = item->origin_group_number, .origin_number = item->origin_number,
	};
	int rc = copy_piece_keys(f->w, &item->keys, &p->keys);
	if (rc == 0)
		rc = append_content(f, item->part, &p->length);
	f->n++;
	return rc;
}

static int each_item(struct queue_work *w, struct slice id, int (*fn)(struct filling *f, const struct queue_batch_item *item), struct filling *f)
{
	struct store_cursor *c;
	struct slice value;
	int rc = store_cursor_open(w->txn, w->q->batch_item, id, &c);
	if (rc < 0)
		return rc;
	while ((rc = store_cursor_next(c, NULL, &value)) == 0) {
		struct queue_batch_item item;
		rc = record_decode(&queue_batch_item_table, queue_keep(w, value), w->arena, &item);
		if (rc < 0 || (rc = fn(f, &item)) < 0)
			break;
	}
	store_cursor_close(c);
	return rc == VAN_ENOTFOUND ? 0 : rc;
}

/* What is known of the messages, and behind it their bytes. */
static int give(struct filling *f, const struct queue_batch *b, struct ipc_job *ret, int *ret_fd)
{
	struct van_buf all = VAN_BUF_INIT(BATCH_MAX);
	struct directory_route terms;
	int rc = record_decode(&directory_route_table, b->terms, f->w->arena, &terms);
	if (rc < 0)
		return rc;
	struct slice zone = terms.time_zone.p ? terms.time_zone : f->w->q->zone;
	const struct ipc_batch batch = {.terms = b->terms, .usage = slice_is(b->env, "test") ? SLICE("T") : SLICE("P"), .pieces = {f->pieces, f->n},
					.zone_offset = (uint64_t)(1440 + van_zone_minutes(zone, f->w->now))};
	rc = record_encode(&ipc_batch_table, &batch, &all);
	ret->head = all.n;
	van_buf_append_slice(&all, van_buf_slice(&f->bytes));
	rc = rc < 0 ? rc : all.error;
	if (rc == 0 && all.n <= IPC_INLINE_MAX) {
		ret->payload = van_arena_slice(f->w->arena, van_buf_slice(&all));
		rc = ret->payload.p ? 0 : VAN_ENOMEM;
	} else if (rc == 0) {
		ret->length = all.n;
		*ret_fd = memfd_with("batch", all.p, all.n);
		rc = *ret_fd < 0 ? *ret_fd : 0;
	}
	van_buf_free(&all);
	return rc;
}

int queue_batch_fill(struct queue_work *w, const struct queue_message *m, struct ipc_job *ret, int *ret_fd)
{
	struct queue_batch b;
	int rc = queue_get_record(w, w->q->batch, m->id, &queue_batch_table, &b);
	if (rc < 0)
		return rc;
	struct filling f = {.w = w, .id = m->id, .bytes = VAN_BUF_INIT(BATCH_MAX), .room = b.messages};
	f.pieces = van_arena_array(w->arena, b.messages + 1, sizeof *f.pieces);
	rc = f.pieces ? each_item(w, m->id, add_piece, &f) : VAN_ENOMEM;
	if (rc == 0)
		rc = give(&f, &b, ret, ret_fd);
	van_buf_free(&f.bytes);
	return rc;
}

/* --- the end ---------------------------------------------------------------------------------------------------------------- */

static int forget_open(struct queue_work *w, const struct queue_batch *b, struct slice id)
{
	struct store_key k;
	struct slice open;
	const struct ipc_output o = {.from = b->from, .to = b->to, .env = b->env};
	open_key(&k, b->terms, &o);
	int rc = queue_get(w, w->q->batch_open, store_key_slice(&k), &open);
	if (rc < 0 || !slice_eq(open, id)) /* there is another one meanwhile */
		return rc == VAN_ENOTFOUND ? 0 : rc;
	w->writes++;
	return store_del(w->txn, w->q->batch_open, store_key_slice(&k));
}

int queue_batch_close(struct queue_work *w, struct slice id)
{
	struct queue_batch b;
	int rc = queue_get_record(w, w->q->batch, id, &queue_batch_table, &b);
	return rc == VAN_ENOTFOUND ? 0 : rc < 0 ? rc : forget_open(w, &b, id);
}

static int forget_item(struct queue_work *w, struct slice id, uint64_t number)
{
	struct store_key k;
	struct queue_batch_item item;
	item_key(&k, id, number);
	int rc = queue_get_record(w, w->q->batch_item, store_key_slice(&k), &queue_batch_item_table, &item);
	if (rc < 0)
		return rc == VAN_ENOTFOUND ? 0 : rc;
	rc = queue_part_forget(w, id, item.part);
	w->writes++;
	return rc < 0 ? rc : store_del(w->txn, w->q->batch_item, store_key_slice(&k));
}

int queue_batch_end(struct queue_work *w, struct slice id, uint64_t messages)
{
	struct queue_batch b;
	int rc = queue_get_record(w, w->q->batch, id, &queue_batch_table, &b);
	if (rc < 0)
		return rc;
	if (b.messages != messages)
		return VAN_EAGAIN;
	rc = forget_open(w, &b, id);
	for (uint64_t i = 0; i < b.next && rc == 0; i++)
		rc = forget_item(w, id, i);
	w->writes++;
	return rc < 0 ? rc : store_del(w->txn, w->q->batch, id);
}

int queue_batch_origins(struct queue_work *w, struct queue_message *m)
{
	for (size_t i = 0; i < m->transactions.n; i++) {
		struct slice origin = RECORD_AT(m->transactions, struct queue_transaction, i)->origin;
		int rc = origin.p ? add_origin(w, m, origin) : 0;
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* --- operators ------------------------------------------------------------------------------------------------------------- */

static int as_delivery(struct queue_work *w, struct slice id, struct queue_delivery *ret)
{
	struct queue_message m;
	struct queue_job job = {0};
	int rc = queue_message_get(w, id, &m);
	if (rc == 0)
		rc = queue_get_record(w, w->q->job, id, &queue_job_table, &job);
	if (rc < 0 && rc != VAN_ENOTFOUND)
		return rc;
	*ret = (struct queue_delivery){.id = m.id, .message = m.id, .connection = m.connection, .partner = m.partner, .state = m.delivery,
				       .tries = job.tries, .created = m.time, .next = job.next == INT64_MAX ? 0 : job.next,
				       .last_error = m.error.p ? m.error : job.error, .kind = QUEUE_TO_BATCH};
	return 0;
}

int queue_batch_get(struct queue_work *w, struct slice id, struct queue_delivery *ret, uint64_t *ret_messages)
{
	struct queue_batch b;
	int rc = van_id_valid(id) ? queue_get_record(w, w->q->batch, id, &queue_batch_table, &b) : VAN_ENOTFOUND;
	if (rc == 0)
		*ret_messages = b.messages;
	return rc < 0 ? rc : as_delivery(w, id, ret);
}

int queue_batches(struct queue_work *w, int state, struct slice connection,
		  int (*fn)(void *arg, const struct queue_delivery *d, uint64_t messages), void *arg)
{
	struct store_cursor *c;
	struct slice key, value;
	int rc = store_cursor_open(w->txn, w->q->batch, SLICE_NONE, &c);
	if (rc < 0)
		return rc;
	while ((rc = store_cursor_next(c, &key, &value)) == 0) {
		struct queue_batch b;
		struct queue_delivery d;
		rc = record_decode(&queue_batch_table, queue_keep(w, value), w->arena, &b);
		if (rc == 0)
			rc = as_delivery(w, queue_keep(w, key), &d);
		if (rc < 0)
			break;
		if ((state >= 0 && d.state != (uint32_t)state) || (connection.p && !slice_eq(d.connection, connection)))
			continue;
		rc = fn(arg, &d, b.messages);
		if (rc)
			break;
	}
	store_cursor_close(c);
	return rc == VAN_ENOTFOUND ? 0 : rc;
}

/* What an operator decided: written now, kept back, or given up. */
static int move(struct queue_work *w, struct slice id, enum queue_delivery_state to)
{
	struct queue_job job = {.kind = QUEUE_JOB_BATCH, .next = w->now};
	int rc = queue_batch_close(w, id);
	w->writes++;
	if (rc == 0 && to == QUEUE_DELIVERY_QUEUED) {
		rc = queue_job_put(w, id, &job);
		return rc < 0 ? rc : queue_wake(w, id, 0);
	}
	if (rc == 0)
		rc = store_del(w->txn, w->q->job, id);
	if ((rc == 0 || rc == VAN_ENOTFOUND) && to == QUEUE_DELIVERY_DROPPED)
		rc = store_del(w->txn, w->q->batch, id);
	return rc == VAN_ENOTFOUND ? 0 : rc;
}

int queue_batch_act(struct queue_work *w, struct slice id, const char *action, struct slice actor)
{
	struct queue_batch b;
	struct queue_message m, old;
	enum queue_delivery_state to;
	int rc = van_id_valid(id) ? queue_get_record(w, w->q->batch, id, &queue_batch_table, &b) : VAN_ENOTFOUND;
	if (rc == 0)
		rc = queue_message_get(w, id, &m);
	if (rc < 0)
		return rc;
	if (!queue_delivery_fits(action, m.delivery, &to))
		return van_error_set(&w->err, VAN_ESTATE, "can't %s a batch that is %s", action, queue_delivery_state_names[m.delivery]);
	old = m;
	m.error = to == QUEUE_DELIVERY_QUEUED ? SLICE_NONE : m.error;
	rc = move(w, id, to);
	if (rc == 0)
		rc = queue_delivery_move_from(w, &old, &m, to);
	struct slice text = van_arena_printf(w->arena, "batch of %llu messages: %s", (unsigned long long)b.messages, action);
	return rc < 0 ? rc : queue_trail_receipt(w, RECEIPT_OPERATOR, &m, text, actor, NULL, 0);
}
