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
		{"delivery", &q->delivery}, {"mailbox", &q->mailbox}, {"expect", &q->expect}, {"due", &q->due},
		{"counter", &q->counter}, {"control", &q->control}, {"as2-seen", &q->as2_seen}, {"index", &q->index},
		{"profile", &q->profile}, {"profile-version", &q->profile_version}, {"mailbox-storage", &q->mailbox_storage},
	};
	for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
		int rc = store_table(q->store, tables[i].name, tables[i].table, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

int queue_open(struct store *s, struct receipts *receipts, struct payload_dir *payload, struct queue **ret, struct van_error *err)
{
	struct queue *q = calloc(1, sizeof *q);
	if (!q)
		return van_error_set(err, VAN_ENOMEM, "out of memory");
	*q = (struct queue){.store = s, .receipts = receipts, .payload = payload};
	int rc = open_tables(q, err);
	if (rc < 0) {
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

void queue_close(struct queue *q)
{
	if (q)
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

/* Identifiers begin with the time: the first key is the oldest. */
static int oldest(struct queue_work *w, store_table_id table, van_time *ret)
{
	struct store_cursor *c;
	struct slice id;
	struct queue_message m;
	int rc = store_cursor_open(w->txn, table, SLICE_NONE, &c);
	if (rc < 0)
		return rc;
	rc = store_cursor_first(c, &id, NULL);
	if (rc == 0)
		rc = queue_message_get(w, id, &m);
	if (rc == 0 && (*ret == 0 || m.time < *ret))
		*ret = m.time;
	store_cursor_close(c);
	return rc == VAN_ENOTFOUND ? 0 : rc;
}

int queue_figures(struct queue_work *w, struct queue_figures *ret)
{
	struct queue_figures f = {0};
	int rc = store_count(w->txn, w->q->job, &f.jobs);
	if (rc == 0)
		rc = store_count(w->txn, w->q->delivery, &f.deliveries);
	if (rc == 0)
		rc = store_count(w->txn, w->q->message, &f.messages);
	if (rc == 0)
		rc = count_index(w, QUEUE_INDEX_ACK, "overdue", &f.acks_overdue);
	if (rc == 0)
		rc = oldest(w, w->q->job, &f.oldest);
	if (rc == 0)
		rc = oldest(w, w->q->delivery, &f.oldest);
	if (rc == 0)
		*ret = f;
	return rc;
}
