#include "queue/delivery.h"
#include "queue/internal.h"

#include "base/codec.h"

#include <stdlib.h>

static int open_tables(struct queue *q, struct van_error *err)
{
	const struct {
		const char *name;
		store_table_id *table;
	} tables[] = {
		{"message", &q->message}, {"part", &q->part}, {"event", &q->event}, {"job", &q->job},
		{"delivery", &q->delivery}, {"delivery-next", &q->delivery_next}, {"mailbox", &q->mailbox}, {"expect", &q->expect}, {"due", &q->due},
		{"counter", &q->counter}, {"control", &q->control}, {"index", &q->index},
		{"profile", &q->profile}, {"profile-version", &q->profile_version}, {"mailbox-usage", &q->mailbox_usage},
		{"segment", &q->segment}, {"seen", &q->seen}, {"sheet", &q->sheet}, {"sheet-version", &q->sheet_version},
		{"batch", &q->batch}, {"batch-item", &q->batch_item}, {"batch-open", &q->batch_open},
		{"login", &q->login}, {"pickup", &q->pickup}, {"look", &q->look}, {"ban", &q->ban},
	};
	for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
		int rc = store_table(q->store, tables[i].name, tables[i].table, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* --- commits ------------------------------------------------------------------------------------------------------------------- */

#define SEGMENT_END SLICE("end")

/* How far the log was settled. */
static int get_mark(struct queue *q, struct store_txn *t, struct segments_mark *ret, struct van_error *err)
{
	struct slice value;
	*ret = (struct segments_mark){0};
	int rc = store_get(t, q->segment, SEGMENT_END, &value);
	struct wire w = {0};
	if (rc == 0) {
		w = (struct wire){.p = (const uint8_t *)value.p, .n = value.n};
		ret->end = wire_varint(&w);
		ret->sequence = w.n ? wire_varint(&w) : 0; /* a store that had no log yet has no such numbers */
		ret->hash = w.n ? wire_varint(&w) : 0;
	}
	if (rc == VAN_ENOTFOUND || (rc == 0 && !w.bad && w.n == 0))
		return 0;
	return van_error_set(err, rc < 0 ? rc : VAN_EVERSION, "the end of the segments can't be read: restore the last backup");
}

static int read_mark(struct queue *q, struct segments_mark *ret, struct van_error *err)
{
	struct store_txn *t;
	int rc = store_begin(q->store, STORE_READ, &t, err);
	if (rc < 0)
		return rc;
	rc = get_mark(q, t, ret, err);
	store_abort(t);
	return rc;
}

int queue_log_end(struct queue_work *w, uint64_t *ret)
{
	struct segments_mark mark;
	int rc = get_mark(w->q, w->txn, &mark, &w->err);
	*ret = mark.end;
	return rc;
}

int queue_segments_each(struct queue_work *w, uint64_t end, segments_file_fn fn, void *arg)
{
	return segments_each_file(w->q->segments, end, fn, arg, &w->err);
}

static int put_mark(struct queue *q, struct store_txn *t, const struct segments_mark *mark)
{
	struct van_buf b = VAN_BUF_INIT(32);
	wire_put_varint(&b, mark->end);
	wire_put_varint(&b, mark->sequence);
	wire_put_varint(&b, mark->hash);
	int rc = b.error ? b.error : store_put(t, q->segment, SEGMENT_END, van_buf_slice(&b));
	van_buf_free(&b);
	return rc;
}

static int log_write(void *ctx, struct slice redo, struct van_error *err)
{
	struct queue *q = ctx;
	int rc = segments_commit(q->segments, redo, err);
	q->in_doubt = rc == VAN_EIO;
	if (rc == 0)
		segments_keep(q->segments);
	return rc;
}

static int log_mark(void *ctx, struct store_txn *t)
{
	struct queue *q = ctx;
	struct segments_mark mark = segments_mark(q->segments);
	return put_mark(q, t, &mark);
}

int queue_commit(struct queue *q, struct store_txn *t, struct van_error *err)
{
	int rc = store_commit(t, err);
	if (rc < 0)
		segments_rollback(q->segments);
	q->in_doubt |= store_broken(q->store) != 0;
	return rc;
}

int queue_settle(struct queue *q, struct van_error *err)
{
	int rc = store_settle(q->store, err);
	q->in_doubt |= rc == VAN_EIO || store_broken(q->store);
	return rc;
}

int queue_make_ready(struct queue *q, struct van_error *err)
{
	int rc = segments_make_ready(q->segments, err);
	q->in_doubt |= rc == VAN_EIO;
	return rc;
}

bool queue_wants_ready(const struct queue *q)
{
	return segments_want_ready(q->segments);
}

int queue_release_log(struct queue *q, van_time before, struct segments_released *ret, struct van_error *err)
{
	struct store_txn *t;
	struct segments_mark mark;
	*ret = (struct segments_released){0};
	int rc = store_begin(q->store, STORE_SNAPSHOT, &t, err);
	if (rc < 0)
		return rc;
	rc = get_mark(q, t, &mark, err);
	store_abort(t);
	if (rc < 0)
		return rc;
	if (payload_is_pinned(q->payload)) /* asked when the mark is read: a copy that begins from here on has one that is no older */
		return van_error_set(err, VAN_ESTATE, "a backup is being made: the log stays until it is done");
	return segments_release(q->segments, mark.end, before, ret, err);
}

bool queue_in_doubt(const struct queue *q)
{
	return q->in_doubt;
}

void queue_abort(struct queue *q, struct store_txn *t)
{
	store_abort(t);
	segments_rollback(q->segments);
	q->in_doubt |= store_broken(q->store) != 0;
}

/* --- opening -------------------------------------------------------------------------------------------------------------------- */

#define REPEAT_BYTES ((size_t)16 << 20) /* of redo that are repeated in one transaction */

struct repeat {
	struct queue *q;
	struct van_buf redo; /* of the transaction at hand, kept for when the map has to grow */
	struct segments_mark mark;
	unsigned commits;
};

static int repeat_now(struct store_txn *t, void *arg)
{
	struct repeat *r = arg;
	int rc = store_redo(t, van_buf_slice(&r->redo));
	return rc < 0 ? rc : put_mark(r->q, t, &r->mark);
}

static int repeat(void *ctx, struct slice redo, const struct segments_mark *behind)
{
	struct repeat *r = ctx;
	r->mark = *behind;
	r->commits++;
	if (van_buf_append_slice(&r->redo, redo) < 0)
		return r->redo.error;
	if (r->redo.n < REPEAT_BYTES)
		return 0;
	int rc = store_write(r->q->store, repeat_now, r, NULL);
	van_buf_reset(&r->redo);
	return rc;
}

/* What the log has and the store has not: the end of a process that did not stop in order. */
static int repeat_log(struct queue *q, int dirfd, struct segments_mark *mark, struct van_error *err)
{
	struct repeat r = {.q = q, .redo = VAN_BUF_INIT((size_t)4 << 30)};
	int rc = read_mark(q, mark, err);
	if (rc == 0)
		rc = segments_replay(dirfd, mark, repeat, &r, err);
	if (rc == 0 && r.redo.n)
		rc = store_write(q->store, repeat_now, &r, err);
	q->repeated = r.commits;
	van_buf_free(&r.redo);
	return rc;
}

int queue_open(struct store *s, struct receipts *receipts, struct payload_dir *payload, int dirfd, struct queue **ret,
	       struct van_error *err)
{
	struct segments_mark mark = {0};
	struct queue *q = calloc(1, sizeof *q);
	if (!q)
		return van_error_set(err, VAN_ENOMEM, "out of memory");
	*q = (struct queue){.store = s, .receipts = receipts, .payload = payload};
	int rc = open_tables(q, err);
	if (rc == 0)
		rc = repeat_log(q, dirfd, &mark, err);
	if (rc == 0)
		rc = segments_open(dirfd, &mark, 0, &q->segments, err);
	if (rc == 0 && store_set_log(s, &(struct store_log){.write = log_write, .mark = log_mark, .ctx = q}) < 0)
		rc = van_error_set(err, VAN_ENOMEM, "out of memory");
	if (rc < 0) {
		segments_close(q->segments);
		free(q);
		return rc;
	}
	*ret = q;
	return 0;
}

int queue_set_zone(struct queue *q, struct slice zone)
{
	char *copy = zone.n ? strndup(zone.p, zone.n) : NULL;
	if (zone.n && !copy)
		return VAN_ENOMEM;
	free((char *)q->zone.p);
	q->zone = slice_str(copy);
	return 0;
}

void queue_set_as2_window(struct queue *q, van_time window)
{
	q->as2_window = window;
}

void queue_close(struct queue *q)
{
	if (!q)
		return;
	store_drop_log(q->store);
	segments_close(q->segments);
	free((char *)q->zone.p);
	free(q);
}

struct receipts *queue_receipts(const struct queue *q)
{
	return q->receipts;
}

struct payload_dir *queue_payload(const struct queue *q)
{
	return q->payload;
}

unsigned queue_repeated(const struct queue *q)
{
	return q->repeated;
}

uint64_t queue_unreferenced(const struct queue *q)
{
	return segments_behind(q->segments);
}

void queue_work_begin(struct queue_work *w, struct queue *q, struct store_txn *txn, struct van_arena *arena, van_time now,
		      const struct directory *directory)
{
	*w = (struct queue_work){.q = q, .txn = txn, .arena = arena, .now = now, .directory = directory};
	w->scratch = VAN_BUF_INIT((size_t)16 << 20);
}

void queue_work_end(struct queue_work *w)
{
	van_buf_free(&w->scratch);
}

struct slice queue_keep(struct queue_work *w, struct slice value)
{
	return store_txn_mode(w->txn) == STORE_WRITE ? van_arena_slice(w->arena, value) : value;
}

int queue_get(struct queue_work *w, store_table_id table, struct slice key, struct slice *ret)
{
	struct slice value;
	int rc = store_get(w->txn, table, key, &value);
	if (rc < 0)
		return rc;
	value = queue_keep(w, value);
	if (!value.p)
		return VAN_ENOMEM;
	*ret = value;
	return 0;
}

int queue_get_record(struct queue_work *w, store_table_id table, struct slice key, const struct record_table *t, void *ret)
{
	struct slice value;
	int rc = queue_get(w, table, key, &value);
	return rc < 0 ? rc : record_decode(t, value, w->arena, ret);
}

int queue_put_record(struct queue_work *w, store_table_id table, struct slice key, const struct record_table *t, const void *rec)
{
	van_buf_reset(&w->scratch);
	w->writes++;
	int rc = record_encode(t, rec, &w->scratch);
	return rc < 0 ? rc : store_put(w->txn, table, key, van_buf_slice(&w->scratch));
}

void queue_key_foreign(struct store_key *k, struct slice s)
{
	if (s.n <= 64) {
		store_key_text(k, s);
		return;
	}
	struct receipt_hash h = receipt_sha256(s.p, s.n);
	char hex[2 * sizeof h.b + 1];
	hex_encode(hex, h.b, sizeof h.b);
	store_key_text(k, slice_make(hex, 2 * sizeof h.b));
}

struct slice queue_hex(struct queue_work *w, const void *p, size_t n)
{
	char *to = van_arena_alloc(w->arena, 2 * n + 1);
	return to ? slice_make(hex_encode(to, p, n), 2 * n) : SLICE_NONE;
}

struct slice queue_sha256_hex(struct queue_work *w, struct slice raw)
{
	return raw.p && raw.n == RECEIPT_HASH ? queue_hex(w, raw.p, raw.n) : SLICE_NONE;
}

static int count_index(struct queue_work *w, char kind, const char *value, uint64_t *ret)
{
	struct store_key k = STORE_KEY_INIT;
	struct store_cursor *c;
	uint64_t n = 0;
	store_key_u8(&k, (uint8_t)kind);
	store_key_str(&k, value);
	int rc = store_cursor_open(w->txn, w->q->index, store_key_slice(&k), &c);
	if (rc < 0)
		return rc;
	while ((rc = store_cursor_next(c, NULL, NULL)) == 0)
		n++;
	store_cursor_close(c);
	*ret = n;
	return rc == VAN_ENOTFOUND ? 0 : rc;
}

/* Identifiers begin with the time: the first key is the oldest. Batches wait because they are meant to. */
static int oldest_job(struct queue_work *w, van_time *ret)
{
	struct store_cursor *c;
	struct slice id, value;
	struct queue_message m;
	struct queue_job job;
	int rc = store_cursor_open(w->txn, w->q->job, SLICE_NONE, &c);
	if (rc < 0)
		return rc;
	do {
		rc = store_cursor_next(c, &id, &value);
		if (rc == 0)
			rc = record_decode(&queue_job_table, value, w->arena, &job);
	} while (rc == 0 && job.kind == QUEUE_JOB_BATCH);
	if (rc == 0)
		rc = queue_message_get(w, id, &m);
	if (rc == 0 && (*ret == 0 || m.time < *ret))
		*ret = m.time;
	store_cursor_close(c);
	return rc == VAN_ENOTFOUND ? 0 : rc;
}

/* In the order of ids, so of age; what has failed waits for nothing but an operator. */
static int first_waiting(void *arg, const struct queue_delivery *d)
{
	van_time *since = arg;
	if (d->state != QUEUE_DELIVERY_QUEUED && d->state != QUEUE_DELIVERY_TRYING && d->state != QUEUE_DELIVERY_AWAITING_MDN)
		return 0;
	if (*since == 0 || d->created < *since)
		*since = d->created;
	return 1;
}

int queue_figures(struct queue_work *w, struct queue_figures *ret)
{
	struct queue_figures f = {0};
	int rc = store_count(w->txn, w->q->job, &f.jobs);
	if (rc == 0)
		rc = store_count(w->txn, w->q->batch_open, &f.batches);
	f.jobs -= f.batches < f.jobs ? f.batches : f.jobs;
	if (rc == 0)
		rc = store_count(w->txn, w->q->delivery_next, &f.deliveries);
	if (rc == 0)
		rc = store_count(w->txn, w->q->message, &f.messages);
	if (rc == 0)
		rc = count_index(w, QUEUE_INDEX_ACK, "overdue", &f.acks_overdue);
	if (rc == 0)
		rc = count_index(w, QUEUE_INDEX_DELIVERY, "failed", &f.deliveries_failed);
	if (rc == 0)
		rc = oldest_job(w, &f.oldest);
	if (rc == 0)
		rc = queue_deliveries(w, -1, SLICE_NONE, first_waiting, &f.oldest);
	if (rc >= 0)
		*ret = f;
	return rc < 0 ? rc : 0;
}
