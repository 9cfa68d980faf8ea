#include "queue/internal.h"

#define NUMBER_MAX 999999999u

static void counter_key(struct store_key *k, struct slice from, struct slice to, uint32_t env, uint32_t level)
{
	*k = STORE_KEY_INIT;
	store_key_u8(k, (uint8_t)env);
	store_key_u8(k, (uint8_t)level);
	queue_key_foreign(k, from);
	queue_key_foreign(k, to);
}

static const struct record_field counter_fields[] = {
	RECORD_FIELD(1, RECORD_TEXT, struct queue_counter, from),
	RECORD_FIELD(2, RECORD_TEXT, struct queue_counter, to),
	RECORD_FIELD_ENUM(3, struct queue_counter, env, queue_env_names),
	RECORD_HIDDEN(4, RECORD_ENUM, struct queue_counter, level),
	RECORD_FIELD(5, RECORD_U64, struct queue_counter, last),
	RECORD_END,
};
static const struct record_table counter_table = {"counter", 1, sizeof(struct queue_counter), counter_fields};

static int put(struct queue_work *w, struct slice key, const struct queue_counter *c)
{
	return queue_put_record(w, w->q->counter, key, &counter_table, c);
}

int queue_counter_next(struct queue_work *w, struct slice from, struct slice to, uint32_t env, uint32_t level, uint64_t *ret)
{
	struct queue_counter c;
	struct store_key k;
	counter_key(&k, from, to, env, level);
	int rc = queue_get_record(w, w->q->counter, store_key_slice(&k), &counter_table, &c);
	if (rc == VAN_ENOTFOUND)
		c = (struct queue_counter){.from = from, .to = to, .env = env, .level = level};
	else if (rc < 0)
		return rc;
	c.last = c.last >= NUMBER_MAX ? 1 : c.last + 1;
	rc = put(w, store_key_slice(&k), &c);
	if (rc == 0)
		*ret = c.last;
	return rc;
}

int queue_counter_set(struct queue_work *w, struct slice from, struct slice to, uint32_t env, uint32_t level, uint64_t last,
		      struct slice actor)
{
	struct queue_counter c = {.from = from, .to = to, .env = env, .level = level, .last = last};
	struct queue_message none = {.from = from, .to = to, .direction = QUEUE_OUT};
	struct store_key k;
	if (last > NUMBER_MAX)
		return van_error_set(&w->err, VAN_EINVAL, "a control number has at most nine digits");
	counter_key(&k, from, to, env, level);
	int rc = put(w, store_key_slice(&k), &c);
	struct slice text = van_arena_printf(w->arena, "control number %s set to %llu", level ? "of groups" : "of interchanges",
					     (unsigned long long)last);
	return rc < 0 ? rc : queue_trail_receipt(w, RECEIPT_OPERATOR, &none, text, actor, NULL, 0);
}

int queue_counters(struct queue_work *w, int (*fn)(void *arg, const struct queue_counter *c), void *arg)
{
	struct store_cursor *cursor;
	struct slice value;
	int rc = store_cursor_open(w->txn, w->q->counter, SLICE_NONE, &cursor);
	if (rc < 0)
		return rc;
	while ((rc = store_cursor_next(cursor, NULL, &value)) == 0) {
		struct queue_counter c;
		rc = record_decode(&counter_table, queue_keep(w, value), w->arena, &c);
		if (rc < 0 || (rc = fn(arg, &c)))
			break;
	}
	store_cursor_close(cursor);
	return rc == VAN_ENOTFOUND ? 0 : rc;
}
