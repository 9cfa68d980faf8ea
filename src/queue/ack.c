#include "queue/accept.h"
#include "queue/ack_private.h"

#include <stdlib.h>

static void group_key(struct store_key *k, uint32_t env, struct slice from, struct slice to, struct slice code, struct slice number)
{
	*k = STORE_KEY_INIT;
	store_key_u8(k, (uint8_t)env);
	queue_key_foreign(k, from);
	queue_key_foreign(k, to);
	queue_key_foreign(k, code);
	queue_key_foreign(k, queue_search_text(number)); /* numbers of groups are compared as numbers */
}

/* The group of a transaction, or the interchange where there are no groups (EDIFACT without UNG). */
static void transaction_key(struct store_key *k, const struct queue_message *m, const struct queue_transaction *t)
{
	if (t->group_control_number.n)
		group_key(k, m->env, t->group_from, t->group_to, t->group_code, t->group_control_number);
	else
		group_key(k, m->env, m->from, m->to, SLICE_NONE, m->control_number);
}

static int compare_groups(const struct queue_transaction *a, const struct queue_transaction *b)
{
	int rc = slice_cmp(a->group_control_number, b->group_control_number);
	rc = rc ? rc : slice_cmp(a->group_code, b->group_code);
	rc = rc ? rc : slice_cmp(a->group_from, b->group_from);
	return rc ? rc : slice_cmp(a->group_to, b->group_to);
}

static int compare_places(const void *a, const void *b)
{
	const struct queue_transaction *x = *(const struct queue_transaction *const *)a, *y = *(const struct queue_transaction *const *)b;
	int rc = compare_groups(x, y);
	return rc ? rc : x < y ? -1 : x > y;
}

const struct queue_transaction **queue_ack_by_group(struct queue_work *w, const struct queue_message *m)
{
	const struct queue_transaction **v = van_arena_array(w->arena, m->transactions.n + 1, sizeof *v);
	for (size_t i = 0; v && i < m->transactions.n; i++)
		v[i] = RECORD_AT(m->transactions, struct queue_transaction, i);
	if (v)
		qsort(v, m->transactions.n, sizeof *v, compare_places);
	return v;
}

size_t queue_ack_run_of_group(const struct queue_transaction **v, size_t n)
{
	size_t run = 1;
	while (run < n && compare_groups(v[0], v[run]) == 0)
		run++;
	return run;
}

void queue_ack_key(struct store_key *k, const struct queue_message *m, const struct queue_transaction *t)
{
	transaction_key(k, m, t);
	store_key_fixed(k, m->id.p, m->id.n);
}

/* Of the interchange as a whole: a TA1 names no group. */
static void interchange_key(struct store_key *k, uint32_t env, struct slice from, struct slice to, struct slice number)
{
	group_key(k, env, from, to, SLICE("*"), number);
}

/* What we rejected ourselves was not translated: nobody else will say anything of it. */
static uint32_t state_at_first(const struct queue_message *m, const struct queue_transaction *t)
{
	return m->turn_back && slice_is(t->status, "rejected") ? QUEUE_ACK_REJECTED : QUEUE_ACK_EXPECTED;
}

static int put_expect(struct queue_work *w, const struct queue_message *m, const struct queue_transaction **group, size_t n)
{
	struct queue_expect e = {.message = m->id, .from = m->from, .to = m->to, .ack = QUEUE_ACK_EXPECTED, .since = m->time,
				 .due = m->ack_due};
	struct queue_expect_item *items = van_arena_array(w->arena, n, sizeof *items);
	struct store_key k;
	size_t rejected = 0;
	if (!items)
		return VAN_ENOMEM;
	for (size_t i = 0; i < n; i++) {
		items[i] = (struct queue_expect_item){.type = group[i]->type, .control_number = group[i]->control_number,
						      .ack = state_at_first(m, group[i])};
		rejected += items[i].ack == QUEUE_ACK_REJECTED;
	}
	if (rejected == n)
		e.ack = QUEUE_ACK_REJECTED;
	e.items = (struct record_list){items, n};
	queue_ack_key(&k, m, group[0]);
	return queue_put_record(w, w->q->expect, store_key_slice(&k), &queue_expect_table, &e);
}

int queue_ack_expect(struct queue_work *w, const struct queue_message *m)
{
	const struct queue_transaction **v = queue_ack_by_group(w, m);
	if (!v)
		return VAN_ENOMEM;
	for (size_t i = 0, n = 0; i < m->transactions.n; i += n) {
		n = queue_ack_run_of_group(v + i, m->transactions.n - i);
		int rc = put_expect(w, m, v + i, n);
		if (rc < 0)
			return rc;
	}
	struct queue_expect whole = {.message = m->id, .from = m->from, .to = m->to, .ack = QUEUE_ACK_EXPECTED, .since = m->time};
	struct store_key k;
	interchange_key(&k, m->env, m->from, m->to, m->control_number);
	store_key_fixed(&k, m->id.p, m->id.n);
	int rc = queue_put_record(w, w->q->expect, store_key_slice(&k), &queue_expect_table, &whole);
	if (rc < 0 || !m->ack_due)
		return rc;
	k = STORE_KEY_INIT;
	store_key_time(&k, m->ack_due);
	store_key_fixed(&k, m->id.p, m->id.n);
	w->writes++;
	return store_put(w->txn, w->q->due, store_key_slice(&k), SLICE(""));
}

/* --- matching -------------------------------------------------------------------------------------------------------- */

/* Newest first; the acknowledger must be the document's receiver, and both parties the same where one can choose. */
static int find_expect(struct queue_work *w, const struct store_key *prefix, const struct ipc_ack_seen *a, struct slice *ret_key,
		       struct queue_expect *ret)
{
	struct store_cursor *c;
	struct slice key, value;
	bool found = false;
	int rc = store_cursor_open(w->txn, w->q->expect, store_key_slice(prefix), &c);
	if (rc < 0)
		return rc;
	for (rc = store_cursor_last(c, &key, &value); rc == 0; rc = store_cursor_prev(c, &key, &value)) {
		struct queue_expect e;
		rc = record_decode(&queue_expect_table, queue_keep(w, value), w->arena, &e);
		if (rc < 0)
			break;
		bool exact = slice_eq(e.from, a->from) && slice_eq(e.to, a->to);
		if (!slice_eq(e.to, a->to) || (found && !exact))
			continue;
		*ret = e;
		*ret_key = van_arena_slice(w->arena, key);
		found = true;
		if (exact)
			break;
	}
	store_cursor_close(c);
	return rc < 0 && rc != VAN_ENOTFOUND ? rc : found ? 0 : VAN_ENOTFOUND;
}

int queue_ack_badness(uint32_t ack)
{
	switch (ack) {
	case QUEUE_ACK_ACCEPTED: return 1;
	case QUEUE_ACK_ACCEPTED_WITH_ERRORS: return 2;
	case QUEUE_ACK_PARTIALLY_ACCEPTED: return 3;
	case QUEUE_ACK_REJECTED: return 4;
	default: return 0;
	}
}

/* What an acknowledgement says of messages, in the order of their numbers without leading zeros. */
struct answers {
	const struct ipc_ack_item **v;
	size_t n;
};

static int compare_numbers(const void *a, const void *b)
{
	const struct ipc_ack_item *x = *(const struct ipc_ack_item *const *)a, *y = *(const struct ipc_ack_item *const *)b;
	int rc = slice_cmp(queue_search_text(x->control_number), queue_search_text(y->control_number));
	return rc ? rc : x < y ? -1 : x > y;
}

/* A group may hold very many messages: each is looked up by bisection. v NULL: no memory. */
static struct answers answers_of(struct queue_work *w, const struct ipc_ack_seen *a)
{
	struct answers s = {van_arena_array(w->arena, a->items.n + 1, sizeof *s.v), a->items.n};
	for (size_t i = 0; s.v && i < s.n; i++)
		s.v[i] = RECORD_AT(a->items, struct ipc_ack_item, i);
	if (s.v)
		qsort(s.v, s.n, sizeof *s.v, compare_numbers);
	return s;
}

/* The first answer to this very number, else to one that differs in leading zeros only. NULL: there is none. */
static const struct ipc_ack_item *answer_to(const struct answers *s, struct slice number)
{
	struct slice plain = queue_search_text(number);
	size_t low = 0, high = s->n;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (slice_cmp(queue_search_text(s->v[middle]->control_number), plain) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	const struct ipc_ack_item *loose = NULL;
	for (; low < s->n && slice_eq(queue_search_text(s->v[low]->control_number), plain); low++) {
		if (slice_eq(s->v[low]->control_number, number))
			return s->v[low];
		loose = loose ? loose : s->v[low];
	}
	return loose;
}

static uint32_t item_status(const struct answers *s, const struct queue_expect_item *item, uint32_t group)
{
	const struct ipc_ack_item *answer = answer_to(s, item->control_number);
	int status = answer ? queue_name_index(queue_ack_state_names, answer->status) : -1;
	if (status >= 0)
		return (uint32_t)status;
	/* Not named: the group's status decides; in a partially accepted one the unnamed were accepted. */
	return group == QUEUE_ACK_PARTIALLY_ACCEPTED ? QUEUE_ACK_ACCEPTED : group;
}

static const char *verdict(uint32_t old, uint32_t new, bool late)
{
	if (queue_ack_badness(old) == 0)
		return late ? " (late)" : "";
	if (old == new)
		return " (repeated)";
	return queue_ack_badness(new) < queue_ack_badness(old) ? " (contradicts an earlier one, which stands)" : " (contradicts an earlier, better one)";
}

int queue_ack_overall(struct queue_work *w, const struct queue_message *m, uint32_t *ret)
{
	const struct queue_transaction **v = queue_ack_by_group(w, m);
	bool waiting = false, good = false, errors = false, bad = false, mixed = false;
	if (!v)
		return VAN_ENOMEM;
	for (size_t i = 0; i < m->transactions.n; i += queue_ack_run_of_group(v + i, m->transactions.n - i)) {
		struct queue_expect e;
		struct store_key k;
		queue_ack_key(&k, m, v[i]);
		int rc = queue_get_record(w, w->q->expect, store_key_slice(&k), &queue_expect_table, &e);
		if (rc < 0 && rc != VAN_ENOTFOUND)
			return rc;
		uint32_t ack = rc == 0 ? e.ack : QUEUE_ACK_EXPECTED;
		waiting |= ack != QUEUE_ACK_NONE && queue_ack_badness(ack) == 0;
		good |= ack == QUEUE_ACK_ACCEPTED;
		errors |= ack == QUEUE_ACK_ACCEPTED_WITH_ERRORS;
		mixed |= ack == QUEUE_ACK_PARTIALLY_ACCEPTED;
		bad |= ack == QUEUE_ACK_REJECTED;
	}
	*ret = waiting ? (m->ack == QUEUE_ACK_OVERDUE ? QUEUE_ACK_OVERDUE : QUEUE_ACK_EXPECTED)
	       : mixed || (bad && (good || errors)) ? QUEUE_ACK_PARTIALLY_ACCEPTED
	       : bad ? QUEUE_ACK_REJECTED : errors ? QUEUE_ACK_ACCEPTED_WITH_ERRORS : good ? QUEUE_ACK_ACCEPTED : QUEUE_ACK_NONE;
	return 0;
}

struct followers {
	struct queue_work *w;
	struct slice *ids;
	size_t n, room;
};

/* Adds an id that outlives the walk. */
static int add_id(struct queue_work *w, struct slice **v, size_t *n, size_t *room, struct slice id)
{
	if (*n == *room) {
		size_t more = *room ? 2 * *room : 16;
		struct slice *grown = van_arena_array(w->arena, more, sizeof *grown);
		if (!grown)
			return VAN_ENOMEM;
		if (*n)
			memcpy(grown, *v, *n * sizeof *grown);
		*v = grown;
		*room = more;
	}
	(*v)[(*n)++] = id;
	return 0;
}

static int add_follower(void *arg, const struct queue_message *m)
{
	struct followers *f = arg;
	bool follows = m->direction == QUEUE_OUT && !m->acknowledgement && m->ack != QUEUE_ACK_NONE && !m->transactions.n;
	return follows ? add_id(f->w, &f->ids, &f->n, &f->room, van_arena_slice(f->w->arena, m->id)) : 0;
}

/* What was made of the document and awaits the same acknowledgement shows the same state. */
static int mirror(struct queue_work *w, struct slice id, uint32_t ack)
{
	struct followers f = {.w = w};
	int rc = queue_message_children(w, id, add_follower, &f);
	for (size_t i = 0; i < f.n && rc == 0; i++) {
		struct queue_message m, old;
		rc = queue_message_get(w, f.ids[i], &m);
		old = m;
		m.ack = ack;
		if (rc == 0)
			rc = queue_message_put(w, &old, &m);
	}
	return rc;
}

int queue_ack_set(struct queue_work *w, struct queue_message *m, uint32_t ack)
{
	struct queue_message old = *m;
	if (m->ack == ack)
		return 0;
	m->ack = ack;
	int rc = queue_message_put(w, &old, m);
	return rc < 0 ? rc : mirror(w, m->id, ack);
}

struct said {
	const struct ipc_ack_seen *by;
	uint32_t status;
};

static int merge(struct queue_work *w, struct queue_expect *e, const void *arg)
{
	const struct said *said = arg;
	struct answers answers = answers_of(w, said->by);
	if (!answers.v)
		return VAN_ENOMEM;
	for (size_t i = 0; i < e->items.n; i++) {
		struct queue_expect_item *item = RECORD_AT(e->items, struct queue_expect_item, i);
		uint32_t new = item_status(&answers, item, said->status);
		if (queue_ack_badness(new) > queue_ack_badness(item->ack))
			item->ack = new;
	}
	if (queue_ack_badness(said->status) > queue_ack_badness(e->ack))
		e->ack = said->status;
	return 0;
}

/* Changes what is awaited of each group of the document; groups of which nothing is stay as they are. */
static int change_groups(struct queue_work *w, const struct queue_message *m, int (*change)(struct queue_work *w, struct queue_expect *e, const void *arg),
			 const void *arg)
{
	const struct queue_transaction **v = queue_ack_by_group(w, m);
	int rc = v ? 0 : VAN_ENOMEM;
	for (size_t i = 0; i < m->transactions.n && rc == 0; i += queue_ack_run_of_group(v + i, m->transactions.n - i)) {
		struct queue_expect e;
		struct store_key k;
		queue_ack_key(&k, m, v[i]);
		rc = queue_get_record(w, w->q->expect, store_key_slice(&k), &queue_expect_table, &e);
		if (rc == 0)
			rc = change(w, &e, arg);
		if (rc == 0)
			rc = queue_put_record(w, w->q->expect, store_key_slice(&k), &queue_expect_table, &e);
		rc = rc == VAN_ENOTFOUND ? 0 : rc;
	}
	return rc;
}

/* Remembers the document: its state is made from all its groups, once, by queue_ack_settle(). */
static int touch(struct queue_work *w, struct queue_ack_run *run, struct slice id)
{
	if (run->n && slice_eq(run->last.id, id))
		return 0;
	int rc = queue_message_get(w, id, &run->last);
	return rc < 0 ? rc : add_id(w, &run->touched, &run->n, &run->room, run->last.id);
}

/* Where an acknowledgement's document waits: its group, or for one that speaks of interchanges that as a whole. */
static int find(struct queue_work *w, const struct ipc_ack_seen *a, uint32_t env, bool *ret_whole, struct slice *ret_key, struct queue_expect *ret)
{
	struct store_key prefix;
	bool grouped = a->group_code.n != 0;
	*ret_whole = a->header;
	int rc = VAN_ENOTFOUND;
	if (!a->header) {
		group_key(&prefix, env, grouped ? a->group_from : a->from, grouped ? a->group_to : a->to, a->group_code, a->group_control_number);
		rc = find_expect(w, &prefix, a, ret_key, ret);
	}
	if (rc != VAN_ENOTFOUND || !a->whole)
		return rc;
	*ret_whole = true; /* CONTRL, and what it is about has groups */
	interchange_key(&prefix, env, a->from, a->to, a->group_control_number);
	return find_expect(w, &prefix, a, ret_key, ret);
}

int queue_ack_ours(struct queue_work *w, const struct ipc_ack_seen *a, bool *ret)
{
	int env = queue_name_index(queue_env_names, a->env);
	struct queue_message m;
	struct queue_expect e;
	struct slice key;
	bool whole;
	*ret = false;
	int rc = env < 0 ? VAN_ENOTFOUND : find(w, a, (uint32_t)env, &whole, &key, &e);
	if (rc == 0)
		rc = queue_message_get(w, e.message, &m);
	if (rc == 0)
		*ret = m.direction == QUEUE_OUT;
	return rc == VAN_ENOTFOUND ? 0 : rc;
}

/* A TA1 that accepts says of the messages nothing. */
static bool says_something(const struct ipc_ack_seen *a, uint32_t status)
{
	return !a->header || status == QUEUE_ACK_REJECTED;
}

int queue_ack_match(struct queue_work *w, struct queue_ack_run *run, const struct queue_message *carrier, const struct ipc_ack_seen *a)
{
	int env = queue_name_index(queue_env_names, a->env), status = queue_name_index(queue_ack_state_names, a->status);
	struct slice key;
	struct queue_expect e;
	bool whole;
	if (env < 0 || status < 0 || queue_ack_badness((uint32_t)status) == 0)
		return 0;
	int rc = find(w, a, (uint32_t)env, &whole, &key, &e);
	if (rc == 0)
		rc = touch(w, run, e.message);
	if (rc < 0)
		return rc == VAN_ENOTFOUND ? 0 : rc;
	const struct queue_message *m = &run->last;
	const struct said said = {a, (uint32_t)status};
	bool late = m->ack == QUEUE_ACK_OVERDUE || (e.due && w->now > e.due);
	struct slice text = van_arena_printf(w->arena, "%s%.*s of %s %.*s by message %.*s%s", a->header ? "TA1: " : "", SLICE_ARG(a->status),
					     whole ? "interchange" : "group", SLICE_ARG(a->group_control_number), SLICE_ARG(carrier->id),
					     verdict(e.ack, (uint32_t)status, late));
	if (whole && says_something(a, (uint32_t)status))
		rc = change_groups(w, m, merge, &said); /* of each of its groups */
	if (!whole)
		rc = merge(w, &e, &said);
	if (whole && queue_ack_badness((uint32_t)status) > queue_ack_badness(e.ack))
		e.ack = (uint32_t)status;
	if (rc == 0)
		rc = queue_put_record(w, w->q->expect, key, &queue_expect_table, &e);
	if (rc == 0)
		rc = queue_trail_receipt(w, RECEIPT_ACK_RECEIVED, m, text, SLICE_NONE, NULL, 0);
	return rc < 0 ? rc : 1;
}

static int compare_ids(const void *a, const void *b)
{
	return slice_cmp(*(const struct slice *)a, *(const struct slice *)b);
}

int queue_ack_settle(struct queue_work *w, struct queue_ack_run *run)
{
	int rc = 0;
	if (run->n)
		qsort(run->touched, run->n, sizeof *run->touched, compare_ids);
	for (size_t i = 0; i < run->n && rc == 0; i++) {
		struct queue_message m;
		uint32_t ack;
		if (i && slice_eq(run->touched[i], run->touched[i - 1]))
			continue;
		rc = queue_message_get(w, run->touched[i], &m);
		if (rc == 0)
			rc = queue_ack_overall(w, &m, &ack);
		if (rc == 0 && m.direction == QUEUE_OUT) /* of our own writing: a TA1 alone answers nothing */
			rc = ack == QUEUE_ACK_EXPECTED && m.ack == QUEUE_ACK_NONE ? 0 : queue_ack_set(w, &m, ack);
		else if (rc == 0)
			rc = queue_ack_set(w, &m, ack);
		if (rc == 0 && m.direction == QUEUE_OUT)
			rc = queue_ack_turn(w, &m);
	}
	*run = (struct queue_ack_run){0};
	return rc;
}

/* --- deadlines and closing -------------------------------------------------------------------------------------------- */

/* What was not said of the group's messages will not be said any more. */
static int give_up(struct queue_work *w, struct queue_expect *e, const void *unused)
{
	(void)w;
	(void)unused;
	for (size_t i = 0; i < e->items.n; i++) {
		struct queue_expect_item *item = RECORD_AT(e->items, struct queue_expect_item, i);
		item->ack = queue_ack_badness(item->ack) ? item->ack : QUEUE_ACK_NONE;
	}
	e->ack = queue_ack_badness(e->ack) ? e->ack : queue_ack_of_group(e);
	return 0;
}

int queue_ack_close(struct queue_work *w, struct slice id, struct slice actor, struct slice reason)
{
	struct queue_message m;
	int rc = queue_message_get(w, id, &m);
	if (rc < 0)
		return rc;
	if (m.ack != QUEUE_ACK_EXPECTED && m.ack != QUEUE_ACK_OVERDUE && m.ack != QUEUE_ACK_UNMATCHED)
		return van_error_set(&w->err, VAN_ESTATE, "no acknowledgement of message %.*s is awaited: it is %s", SLICE_ARG(id),
				     queue_ack_state_names[m.ack]);
	uint32_t known = QUEUE_ACK_NONE;
	bool awaited = m.ack != QUEUE_ACK_UNMATCHED;
	rc = awaited ? change_groups(w, &m, give_up, NULL) : 0;
	if (rc == 0 && awaited)
		rc = queue_ack_overall(w, &m, &known);
	if (rc == 0)
		rc = queue_ack_set(w, &m, queue_ack_badness(known) ? known : QUEUE_ACK_NONE);
	struct slice text = van_arena_printf(w->arena, "acknowledgement closed: %.*s", SLICE_ARG(reason));
	if (rc == 0)
		rc = queue_trail_receipt(w, RECEIPT_OPERATOR, &m, text, actor, NULL, 0);
	/* whoever waits for more than this one learns what is known, when nothing else is awaited */
	if (rc == 0 && awaited && m.direction == QUEUE_OUT)
		return queue_ack_turn(w, &m);
	return rc < 0 || !m.turn_back || !queue_ack_badness(known) ? rc : queue_answer_want(w, &m);
}

static int mark_overdue(struct queue_work *w, struct slice id)
{
	struct queue_message m;
	int rc = queue_message_get(w, id, &m);
	if (rc < 0 || m.ack != QUEUE_ACK_EXPECTED)
		return rc == VAN_ENOTFOUND ? 0 : rc;
	rc = queue_ack_set(w, &m, QUEUE_ACK_OVERDUE);
	if (rc == 0)
		rc = queue_trail_receipt(w, RECEIPT_OVERDUE, &m, SLICE("no acknowledgement came in time"), SLICE_NONE, NULL, 0);
	return rc < 0 ? rc : 1;
}

/* The earliest deadline's key, in the arena. */
static int first_due(struct queue_work *w, struct slice *ret)
{
	struct store_cursor *c;
	struct slice key;
	int rc = store_cursor_open(w->txn, w->q->due, SLICE_NONE, &c);
	if (rc < 0)
		return rc;
	rc = store_cursor_first(c, &key, NULL);
	if (rc == 0)
		*ret = van_arena_slice(w->arena, key);
	store_cursor_close(c);
	return rc;
}

int queue_ack_next(struct queue_work *w, van_time *ret)
{
	struct slice key;
	int rc = first_due(w, &key);
	if (rc < 0) {
		*ret = 0;
		return rc == VAN_ENOTFOUND ? 0 : rc;
	}
	struct wire wire = store_key_wire(key);
	*ret = store_key_take_time(&wire);
	return 0;
}

int queue_ack_scan(struct queue_work *w, unsigned limit)
{
	int marked = 0;
	for (unsigned i = 0; i < limit; i++) {
		struct slice key;
		int rc = first_due(w, &key);
		if (rc < 0)
			return rc == VAN_ENOTFOUND ? marked : rc;
		struct wire wire = store_key_wire(key);
		if (store_key_take_time(&wire) > w->now)
			break;
		w->writes++;
		rc = store_del(w->txn, w->q->due, key);
		if (rc == 0)
			rc = mark_overdue(w, wire_bytes(&wire, VAN_ID_LEN));
		if (rc < 0)
			return rc;
		marked += rc;
	}
	return marked;
}
