/* Control numbers that senders left out: between the lowest and the highest that came, per sender, receiver, environment and standard. */
#include "queue/internal.h"

#include <stdlib.h>

struct series {
	struct slice prefix; /* the key up to the number */
	struct slice sample; /* a message of it: its record has the identities in full */
	uint64_t *numbers;
	size_t n, room;
};

static int add_number(struct series *s, uint64_t number)
{
	if (s->n == s->room) {
		size_t room = s->room ? 2 * s->room : 1024;
		uint64_t *more = reallocarray(s->numbers, room, sizeof *more);
		if (!more)
			return VAN_ENOMEM;
		s->numbers = more;
		s->room = room;
	}
	s->numbers[s->n++] = number;
	return 0;
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return x < y ? -1 : x > y;
}

/* Each stretch that is missing. */
static int tell(struct queue_work *w, struct series *s, queue_gap_fn *fn, void *arg)
{
	struct queue_message m;
	int rc = s->n ? queue_message_get(w, s->sample, &m) : VAN_ENOTFOUND;
	if (rc < 0)
		return rc == VAN_ENOTFOUND ? 0 : rc;
	qsort(s->numbers, s->n, sizeof *s->numbers, compare);
	for (size_t i = 1; i < s->n && rc == 0; i++)
		if (s->numbers[i] > s->numbers[i - 1] + 1) {
			struct queue_gap gap = {.from = m.from, .to = m.to, .standard = m.standard, .env = m.env,
						.first = s->numbers[i - 1] + 1, .last = s->numbers[i] - 1};
			rc = fn(arg, &gap);
		}
	return rc;
}

/* The number at a key's end, and what stands before it. False: it is no number. */
static bool take_key(struct slice key, struct slice *ret_prefix, uint64_t *ret)
{
	char text[STORE_KEY_TEXT_MAX];
	struct wire wire = store_key_wire(key);
	struct slice number = SLICE("");
	unsigned long long v;
	wire_u8(&wire);
	for (int i = 0; i < 3; i++)
		store_key_take_text(&wire, text);
	*ret_prefix = slice_make(key.p, key.n - wire.n);
	number = store_key_take_text(&wire, text);
	if (wire.bad || !slice_u64(number, &v) || v > 999999999)
		return false;
	*ret = v;
	return true;
}

int queue_control_gaps(struct queue_work *w, queue_gap_fn *fn, void *arg)
{
	struct store_cursor *c;
	struct slice key, value, prefix;
	struct series s = {.prefix = SLICE("")};
	uint64_t number;
	int rc = store_cursor_open(w->txn, w->q->control, SLICE_NONE, &c);
	if (rc < 0)
		return rc;
	while ((rc = store_cursor_next(c, &key, &value)) == 0) {
		struct queue_control seen;
		if (!take_key(key, &prefix, &number))
			continue;
		if (!slice_eq(prefix, s.prefix)) {
			rc = tell(w, &s, fn, arg);
			s.n = 0;
			s.prefix = van_arena_slice(w->arena, prefix);
			if (rc == 0)
				rc = record_decode(&queue_control_table, value, w->arena, &seen);
			if (rc)
				break;
			s.sample = van_arena_slice(w->arena, seen.message);
		}
		rc = s.prefix.p && s.sample.p ? add_number(&s, number) : VAN_ENOMEM;
		if (rc < 0)
			break;
	}
	store_cursor_close(c);
	if (rc == VAN_ENOTFOUND)
		rc = tell(w, &s, fn, arg);
	free(s.numbers);
	return rc;
}
