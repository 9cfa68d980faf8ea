#include "queue/internal.h"

#include "base/codec.h"

#include <stdlib.h>

static struct slice business_key(struct queue_work *w, const struct queue_message *m)
{
	const struct record_list *keys = &m->keys;
	for (size_t i = 0; i < m->transactions.n && !keys->n; i++)
		keys = &RECORD_AT(m->transactions, struct queue_transaction, i)->keys;
	if (!keys->n)
		return SLICE_NONE;
	const struct queue_key *k = RECORD_AT(*keys, struct queue_key, 0);
	return van_arena_printf(w->arena, "%.*s %.*s", SLICE_ARG(k->kind), SLICE_ARG(k->value));
}

static struct slice raw_hash(struct queue_work *w, struct slice hex)
{
	char *raw = hex.n == 2 * RECEIPT_HASH ? van_arena_alloc(w->arena, RECEIPT_HASH) : NULL;
	return raw && hex_decode(raw, hex) == 0 ? slice_make(raw, RECEIPT_HASH) : SLICE_NONE;
}

static struct slice cut(struct slice s, size_t max)
{
	return s.n > max ? slice_make(s.p, max) : s;
}

int queue_trail_receipt(struct queue_work *w, enum receipt_event event, const struct queue_message *m, struct slice text,
			struct slice actor, struct receipt_artefact *artefacts, size_t n)
{
	const struct queue_transaction *t = m->transactions.n ? m->transactions.v : NULL;
	struct receipt_leaf leaf = {
		.event = event, .time = w->now, .direction = slice_str(queue_direction_names[m->direction]),
		.station = m->station, .partner = m->partner, .connection = m->connection,
		/* Foreign texts are cut, so that a leaf never grows past its bound. */
		.as2_from = cut(m->as2_from, 1024), .as2_to = cut(m->as2_to, 1024),
		.as2_message_id = cut(m->as2_message_id, 1024),
		.from = cut(m->from, 512), .to = cut(m->to, 512), .control_interchange = cut(m->control_number, 256),
		.control_group = t ? cut(t->group_control_number, 256) : SLICE_NONE,
		.control_message = t ? cut(t->control_number, 256) : SLICE_NONE,
		.business_key = cut(business_key(w, m), 256), .mic = cut(m->mic, 256), .micalg = cut(m->micalg, 64),
		.disposition = cut(m->disposition, 512), .message = m->id, .agreement = m->agreement,
		.agreement_version = m->agreement_version, .actor = actor, .text = cut(text, 2048),
		.signer_cert = raw_hash(w, m->signer_sha256), .size = m->bytes, .has_size = true,
		.artefacts = artefacts, .n_artefacts = n,
	};
	w->writes++;
	return receipt_append(w->txn, w->q->receipts, &leaf, NULL, &w->err);
}

int queue_note(struct queue_work *w, struct slice actor, struct slice text)
{
	struct receipt_leaf leaf = {.event = RECEIPT_OPERATOR, .time = w->now, .actor = actor, .text = cut(text, 2048)};
	w->writes++;
	return receipt_append(w->txn, w->q->receipts, &leaf, NULL, &w->err);
}

int queue_trail_event(struct queue_work *w, struct slice id, const char *event, struct slice text)
{
	struct queue_event e = {.time = w->now, .event = slice_str(event), .text = text};
	struct store_key k = STORE_KEY_INIT;
	uint32_t random;
	van_random(&random, sizeof random);
	store_key_fixed(&k, id.p, id.n);
	store_key_time(&k, w->now);
	store_key_u32(&k, random);
	return queue_put_record(w, w->q->event, store_key_slice(&k), &queue_event_table, &e);
}

bool queue_artefact(struct receipt_artefact *ret, struct slice name, uint64_t bytes, struct slice salt, struct slice salted)
{
	if (salt.n != RECEIPT_SALT || salted.n != RECEIPT_HASH)
		return false;
	*ret = (struct receipt_artefact){.name = name, .length = bytes, .has_salt = true};
	memcpy(ret->salt, salt.p, RECEIPT_SALT);
	memcpy(ret->sha256.b, salted.p, RECEIPT_HASH);
	return true;
}

/* --- reading it back --- */

struct steps {
	struct queue_work *w;
	struct queue_step *v;
	size_t n, room;
};

static int add_step(struct steps *s, const struct queue_step *step)
{
	if (s->n == s->room) {
		size_t room = s->room ? 2 * s->room : 16;
		struct queue_step *v = van_arena_array(s->w->arena, room, sizeof *v);
		if (!v)
			return VAN_ENOMEM;
		if (s->n)
			memcpy(v, s->v, s->n * sizeof *v);
		s->v = v;
		s->room = room;
	}
	s->v[s->n++] = *step;
	return 0;
}

static int add_leaf(void *arg, struct receipt_ref ref, struct slice json)
{
	struct steps *s = arg;
	struct receipt_leaf leaf;
	int rc = receipt_leaf_parse(json, s->w->arena, &leaf, &s->w->err);
	if (rc < 0)
		return rc;
	struct queue_step step = {.time = leaf.time, .event = slice_str(receipt_event_name(leaf.event)), .text = leaf.text,
				  .has_receipt = true, .receipt = ref};
	return add_step(s, &step);
}

static int add_events(struct steps *s, struct slice id)
{
	struct queue_work *w = s->w;
	struct store_cursor *c;
	struct slice value;
	int rc = store_cursor_open(w->txn, w->q->event, id, &c);
	if (rc < 0)
		return rc;
	while ((rc = store_cursor_next(c, NULL, &value)) == 0) {
		struct queue_event e;
		value = queue_keep(w, value);
		rc = record_decode(&queue_event_table, value, w->arena, &e);
		struct queue_step step = {.time = e.time, .event = e.event, .text = e.text};
		if (rc < 0 || (rc = add_step(s, &step)) < 0)
			break;
	}
	store_cursor_close(c);
	return rc == VAN_ENOTFOUND ? 0 : rc;
}

static int by_time(const void *a, const void *b)
{
	const struct queue_step *x = a, *y = b;
	if (x->time != y->time)
		return x->time < y->time ? -1 : 1;
	if (x->has_receipt && y->has_receipt)
		return x->receipt.index < y->receipt.index ? -1 : 1;
	return (int)y->has_receipt - (int)x->has_receipt;
}

int queue_message_history(struct queue_work *w, struct slice id, int (*fn)(void *arg, const struct queue_step *s), void *arg)
{
	struct steps s = {.w = w};
	int rc = receipt_each_of_message(w->txn, w->q->receipts, id, add_leaf, &s);
	if (rc == 0)
		rc = add_events(&s, id);
	if (rc < 0)
		return rc;
	if (s.n)
		qsort(s.v, s.n, sizeof *s.v, by_time);
	for (size_t i = 0; i < s.n; i++) {
		rc = fn(arg, &s.v[i]);
		if (rc)
			return rc;
	}
	return 0;
}
