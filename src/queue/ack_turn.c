/* Turning acknowledgements back: what the receiver said of an interchange that we wrote is said of the interchanges it was made of, in
 * their own numbers. */
#include "queue/ack_private.h"

#include <stdlib.h>

/* One made message, and what its receiver said. */
struct said {
	const struct queue_transaction *made;
	uint32_t ack;
};

static int compare_said(const void *a, const void *b)
{
	const struct queue_transaction *x = ((const struct said *)a)->made, *y = ((const struct said *)b)->made;
	int rc = slice_cmp(x->origin, y->origin);
	rc = rc ? rc : slice_cmp(x->origin_group_code, y->origin_group_code);
	rc = rc ? rc : slice_cmp(x->origin_group_number, y->origin_group_number);
	return rc ? rc : slice_cmp(x->origin_number, y->origin_number);
}

static bool same_group(const struct queue_transaction *a, const struct queue_transaction *b)
{
	return slice_eq(a->origin, b->origin) && slice_eq(a->origin_group_code, b->origin_group_code) &&
	       slice_eq(a->origin_group_number, b->origin_group_number);
}

/* Nothing was said of it, and nobody waits for that any more. */
static bool is_given_up(uint32_t ack)
{
	return ack == QUEUE_ACK_NONE;
}

/* All that is known so far, in the order of what it was made of. */
static int gather(struct queue_work *w, const struct queue_message *m, struct said **ret, size_t *ret_n)
{
	const struct queue_transaction **v = queue_ack_by_group(w, m);
	struct said *said = van_arena_array(w->arena, m->transactions.n + 1, sizeof *said);
	size_t count = 0;
	int rc = v && said ? 0 : VAN_ENOMEM;
	for (size_t i = 0, n = 0; i < m->transactions.n && rc == 0; i += n) {
		struct queue_expect e;
		struct store_key k;
		n = queue_ack_run_of_group(v + i, m->transactions.n - i);
		queue_ack_key(&k, m, v[i]);
		rc = queue_get_record(w, w->q->expect, store_key_slice(&k), &queue_expect_table, &e);
		for (size_t j = 0; rc == 0 && j < n && j < e.items.n; j++) {
			uint32_t ack = RECORD_AT(e.items, struct queue_expect_item, j)->ack;
			if ((queue_ack_badness(ack) || is_given_up(ack)) && v[i + j]->origin.p)
				said[count++] = (struct said){v[i + j], ack};
		}
		rc = rc == VAN_ENOTFOUND ? 0 : rc;
	}
	if (count)
		qsort(said, count, sizeof *said, compare_said);
	*ret = said;
	*ret_n = count;
	return rc;
}

/* Of those of one group: what was said of the message with this number; NULL: nothing. */
static const struct said *said_of(const struct said *v, size_t n, struct slice number)
{
	size_t low = 0, high = n;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (slice_cmp(v[middle].made->origin_number, number) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low < n && slice_eq(v[low].made->origin_number, number) ? &v[low] : NULL;
}

uint32_t queue_ack_of_group(const struct queue_expect *e)
{
	bool waiting = false, good = false, errors = false, bad = false, given_up = false;
	for (size_t i = 0; i < e->items.n; i++) {
		uint32_t ack = RECORD_AT(e->items, struct queue_expect_item, i)->ack;
		waiting |= !is_given_up(ack) && queue_ack_badness(ack) == 0;
		good |= ack == QUEUE_ACK_ACCEPTED;
		errors |= ack == QUEUE_ACK_ACCEPTED_WITH_ERRORS;
		bad |= ack == QUEUE_ACK_REJECTED;
		given_up |= is_given_up(ack);
	}
	good |= given_up && (errors || bad); /* by our own check, as its sender is told */
	return waiting ? QUEUE_ACK_EXPECTED : bad && (good || errors) ? QUEUE_ACK_PARTIALLY_ACCEPTED
	       : bad ? QUEUE_ACK_REJECTED : errors ? QUEUE_ACK_ACCEPTED_WITH_ERRORS : good ? QUEUE_ACK_ACCEPTED : QUEUE_ACK_NONE;
}

/* The transaction of the origin that is of this group; NULL: none. */
static const struct queue_transaction *group_of(const struct queue_message *origin, const struct queue_transaction *made)
{
	for (size_t i = 0; i < origin->transactions.n; i++) {
		const struct queue_transaction *t = RECORD_AT(origin->transactions, struct queue_transaction, i);
		if (slice_eq(t->group_code, made->origin_group_code) && slice_eq(t->group_control_number, made->origin_group_number))
			return t;
	}
	return NULL;
}

static int turn_group(struct queue_work *w, const struct queue_message *origin, const struct said *v, size_t n)
{
	const struct queue_transaction *t = group_of(origin, v->made);
	struct queue_expect e;
	struct store_key k;
	if (!t)
		return 0;
	queue_ack_key(&k, origin, t);
	int rc = queue_get_record(w, w->q->expect, store_key_slice(&k), &queue_expect_table, &e);
	if (rc < 0)
		return rc == VAN_ENOTFOUND ? 0 : rc;
	for (size_t i = 0; i < e.items.n; i++) {
		struct queue_expect_item *item = RECORD_AT(e.items, struct queue_expect_item, i);
		const struct said *s = said_of(v, n, item->control_number);
		if (s && (queue_ack_badness(s->ack) > queue_ack_badness(item->ack) || (is_given_up(s->ack) && !queue_ack_badness(item->ack))))
			item->ack = s->ack;
	}
	e.ack = queue_ack_of_group(&e);
	return queue_put_record(w, w->q->expect, store_key_slice(&k), &queue_expect_table, &e);
}

static int turn_origin(struct queue_work *w, const struct queue_message *made, const struct said *v, size_t n)
{
	struct queue_message m;
	uint32_t ack;
	int rc = queue_message_get(w, v->made->origin, &m);
	if (rc < 0 || !m.turn_back) /* the network answered it itself: what its receiver says is told of the output alone */
		return rc == VAN_ENOTFOUND ? 0 : rc;
	for (size_t i = 0, run = 0; i < n && rc == 0; i += run) {
		for (run = 1; i + run < n && same_group(v[i].made, v[i + run].made);)
			run++;
		rc = turn_group(w, &m, v + i, run);
	}
	if (rc == 0)
		rc = queue_ack_overall(w, &m, &ack);
	if (rc < 0 || ack == m.ack)
		return rc;
	rc = queue_ack_set(w, &m, ack);
	if (rc == 0 && is_given_up(ack))
		return queue_trail_event(w, m.id, "ack-closed", van_arena_printf(w->arena, "the acknowledgement of message %.*s was closed, and nothing is known",
										 SLICE_ARG(made->id)));
	if (rc == 0)
		rc = queue_trail_receipt(w, RECEIPT_ACK_RECEIVED, &m,
					 van_arena_printf(w->arena, "%s, by the acknowledgement of message %.*s", queue_ack_state_names[ack],
							  SLICE_ARG(made->id)), SLICE_NONE, NULL, 0);
	return rc < 0 || !queue_ack_badness(ack) ? rc : queue_answer_want(w, &m);
}

int queue_ack_turn(struct queue_work *w, const struct queue_message *made)
{
	struct said *v;
	size_t n;
	int rc = gather(w, made, &v, &n);
	for (size_t i = 0, run = 0; i < n && rc == 0; i += run) {
		for (run = 1; i + run < n && slice_eq(v[i].made->origin, v[i + run].made->origin);)
			run++;
		rc = turn_origin(w, made, v + i, run);
	}
	return rc;
}
