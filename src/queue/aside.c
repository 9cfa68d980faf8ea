/* Business rules: documents that go to quarantine alone, and values that must be unique. */
#include "queue/accept.h"
#include "queue/internal.h"
#include "queue/result.h"

/* --- values that must be unique ---------------------------------------------------------------------------------------------------- */

static void seen_key(struct store_key *k, const struct ipc_unique *u)
{
	*k = STORE_KEY_INIT;
	queue_key_foreign(k, u->scope);
	queue_key_foreign(k, u->key);
}

/* What came in first: of a part its whole, of what is processed again the original. */
static int origin_of(struct queue_work *w, struct slice id, struct slice *ret)
{
	struct queue_message m;
	*ret = id;
	for (int i = 0; i < 64; i++) {
		int rc = queue_message_get(w, *ret, &m);
		if (rc < 0)
			return rc == VAN_ENOTFOUND ? 0 : rc;
		struct slice before = m.reprocess_of.p ? m.reprocess_of : m.child ? m.parent : SLICE_NONE;
		if (!before.p)
			return 0;
		*ret = before;
	}
	return 0;
}

int queue_seen(struct queue_work *w, struct slice message, const struct ipc_unique *u, struct slice *ret)
{
	struct store_key k;
	struct queue_unique seen;
	struct slice ours, theirs;
	*ret = SLICE_NONE;
	seen_key(&k, u);
	int rc = queue_get_record(w, w->q->seen, store_key_slice(&k), &queue_unique_table, &seen);
	if (rc < 0)
		return rc == VAN_ENOTFOUND ? 0 : rc;
	rc = origin_of(w, message, &ours);
	if (rc == 0)
		rc = origin_of(w, seen.message, &theirs);
	if (rc == 0 && !slice_eq(ours, theirs) && (!u->window || w->now - seen.time < (van_time)u->window))
		*ret = seen.message;
	return rc;
}

/* Of all interchanges; `processed`: only of those that are. */
static int each_unique(struct queue_work *w, struct result *r, bool processed,
		       int (*fn)(struct queue_work *w, struct slice id, const struct ipc_unique *u))
{
	for (size_t i = 0; i < r->from->interchanges.n; i++) {
		const struct ipc_interchange *ic = RECORD_AT(r->from->interchanges, struct ipc_interchange, i);
		for (size_t n = 0; (!processed || r->targets[i].state == QUEUE_PROCESSED) && n < ic->uniques.n; n++) {
			int rc = fn(w, processed ? r->targets[i].id : r->message.id, RECORD_AT(ic->uniques, struct ipc_unique, n));
			if (rc < 0)
				return rc;
		}
	}
	return 0;
}

/* Another one was faster: the job is done again, and will know. */
static int still_unique(struct queue_work *w, struct slice id, const struct ipc_unique *u)
{
	struct slice seen;
	int rc = queue_seen(w, id, u, &seen);
	if (rc == 0 && seen.p && u->error)
		rc = van_error_set(&w->err, VAN_EAGAIN, "message %.*s has the same %.*s", SLICE_ARG(seen), SLICE_ARG(u->key));
	return rc;
}

static int keep_unique(struct queue_work *w, struct slice id, const struct ipc_unique *u)
{
	struct queue_unique seen = {.message = id, .time = w->now, .scope = u->scope, .value = u->key, .window = u->window};
	struct store_key k;
	seen_key(&k, u);
	return queue_put_record(w, w->q->seen, store_key_slice(&k), &queue_unique_table, &seen);
}

int queue_result_still_unique(struct queue_work *w, struct result *r)
{
	return each_unique(w, r, false, still_unique);
}

int queue_result_uniques(struct queue_work *w, struct result *r)
{
	return each_unique(w, r, true, keep_unique);
}

/* "rules-order po number x12 ZZ:ACME": the sheet's name has no blanks, and an identity begins with its standard. */
static void split_scope(struct slice scope, struct queue_kept *to)
{
	static const char *const standards[] = {" x12 ", " edifact "};
	struct slice rest = scope;
	to->sheet = slice_cut(&rest, ' ');
	to->rule = rest.p ? rest : SLICE("");
	to->from = SLICE("");
	for (size_t i = rest.n; i-- > 0;)
		for (size_t k = 0; k < 2; k++) {
			size_t n = strlen(standards[k]);
			if (!to->from.n && rest.n - i >= n && memcmp(rest.p + i, standards[k], n) == 0) {
				to->rule = slice_make(rest.p, i);
				to->from = slice_make(rest.p + i + 1, rest.n - i - 1);
			}
		}
}

/* Records of before have neither; their keys do, unless they were long. */
static void scope_of_key(struct queue_work *w, struct slice key, struct queue_unique *u)
{
	char text[STORE_KEY_TEXT_MAX];
	struct wire wire = store_key_wire(key);
	struct slice scope = store_key_take_text(&wire, text);
	u->scope = wire.bad ? SLICE("") : van_arena_slice(w->arena, scope);
	struct slice value = store_key_take_text(&wire, text);
	u->value = wire.bad ? SLICE("") : van_arena_slice(w->arena, value);
}

static bool kept_fits(const struct queue_kept_filter *f, const struct queue_kept *k)
{
	struct slice sheet = slice_starts(k->sheet, "rules-") ? slice_make(k->sheet.p + 6, k->sheet.n - 6) : k->sheet;
	return (!f->sheet.p || slice_eq(f->sheet, k->sheet) || slice_eq(f->sheet, sheet)) && (!f->rule.p || slice_eq(f->rule, k->rule)) &&
	       (!f->from.p || slice_eq(f->from, k->from)) && (!f->value.p || slice_eq(f->value, k->value)) &&
	       (!f->message.p || slice_eq(f->message, k->message)) && (!f->until || k->time < f->until);
}

static int take_kept(struct queue_work *w, struct slice key, struct slice value, struct queue_kept *ret)
{
	struct queue_unique u;
	int rc = record_decode(&queue_unique_table, value, w->arena, &u);
	if (rc < 0)
		return rc;
	if (!u.scope.p)
		scope_of_key(w, key, &u);
	*ret = (struct queue_kept){.value = u.value, .message = u.message, .time = u.time, .window = u.window};
	split_scope(u.scope.p ? u.scope : SLICE(""), ret);
	return 0;
}

static int forget(struct queue_work *w, struct store_cursor *c, const struct queue_kept *k, struct slice actor)
{
	struct queue_message m;
	w->writes++;
	int rc = store_cursor_del(c);
	if (rc == 0)
		rc = queue_message_get(w, k->message, &m);
	if (rc < 0)
		return rc == VAN_ENOTFOUND ? 0 : rc; /* the message is gone */
	struct slice text = van_arena_printf(w->arena, "its %.*s \"%.*s\" (%.*s) may come again", SLICE_ARG(k->rule), SLICE_ARG(k->value), SLICE_ARG(k->sheet));
	return text.p ? queue_trail_receipt(w, RECEIPT_OPERATOR, &m, text, actor, NULL, 0) : VAN_ENOMEM;
}

static int each_kept(struct queue_work *w, const struct queue_kept_filter *f, uint64_t most, int (*fn)(void *arg, const struct queue_kept *k), void *arg,
		     bool clear, struct slice actor)
{
	struct van_arena *outer = w->arena, *inner = van_arena_new(0);
	struct store_cursor *c = NULL;
	struct slice key, value;
	int rc = inner ? store_cursor_open(w->txn, w->q->seen, SLICE_NONE, &c) : VAN_ENOMEM;
	for (int step = rc == 0 ? store_cursor_first(c, &key, &value) : rc; rc == 0 && most; step = store_cursor_next(c, &key, &value)) {
		struct queue_kept k;
		if ((rc = step) < 0)
			break;
		van_arena_reset(inner);
		w->arena = inner;
		rc = take_kept(w, key, value, &k);
		if (rc == 0 && kept_fits(f, &k)) {
			most--;
			rc = clear ? forget(w, c, &k, actor) : 0;
			w->arena = outer;
			rc = rc == 0 ? fn(arg, &k) : rc;
		}
		w->arena = outer;
	}
	w->arena = outer;
	store_cursor_close(c);
	van_arena_free(inner);
	return rc == VAN_ENOTFOUND ? 0 : rc;
}

int queue_unique_list(struct queue_work *w, const struct queue_kept_filter *f, uint64_t limit, int (*fn)(void *arg, const struct queue_kept *k), void *arg)
{
	return each_kept(w, f, limit, fn, arg, false, SLICE_NONE);
}

int queue_unique_clear(struct queue_work *w, const struct queue_kept_filter *f, uint64_t most, struct slice actor,
		       int (*fn)(void *arg, const struct queue_kept *k), void *arg)
{
	return each_kept(w, f, most, fn, arg, true, actor);
}

/* --- documents set aside ----------------------------------------------------------------------------------------------------------- */

/* The whole interchange is its payload, of which it is the message of that number. */
static int put_aside(struct queue_work *w, const struct queue_message *whole, const struct ipc_aside *a, struct slice id)
{
	struct queue_part payload;
	const struct queue_transaction *t = a->number && a->number <= whole->transactions.n
						    ? RECORD_AT(whole->transactions, struct queue_transaction, a->number - 1) : NULL;
	if (!t)
		return van_error_set(&w->err, VAN_EINVAL, "a document of number %llu is set aside of %zu", (unsigned long long)a->number,
				     whole->transactions.n);
	struct queue_message m = *whole;
	m.id = id;
	m.parent = whole->id;
	m.child = true;
	m.only = a->only ? a->only : a->number;
	m.documents = SLICE_NONE;
	m.division = a->division;
	m.set_aside = true;
	m.state = QUEUE_QUARANTINED;
	m.delivery = QUEUE_DELIVERY_NONE;
	m.ack = QUEUE_ACK_NONE;
	m.ack_due = 0;
	m.turn_back = false;
	m.error = a->error;
	m.type = t->type;
	m.version = t->version;
	m.transactions = (struct record_list){(void *)t, 1};
	m.as2_message_id = m.mdn_message_id = m.mdn_facts = m.disposition = SLICE_NONE;
	m.reprocess_of = SLICE_NONE;
	int rc = queue_part_get(w, whole->id, SLICE("payload"), &payload);
	struct queue_part p = {.kind = QUEUE_PART_STRETCH, .name = SLICE("payload"), .bytes = payload.bytes, .sha256 = payload.sha256,
			       .owner = whole->id, .within = SLICE("payload")};
	if (rc == 0)
		rc = queue_part_put(w, id, &p);
	if (rc == 0)
		rc = queue_message_put(w, NULL, &m);
	if (rc == 0)
		rc = queue_result_search(w, &m, id);
	if (rc == 0)
		rc = queue_trail_receipt(w, RECEIPT_HELD, &m, m.error, SLICE_NONE, NULL, 0);
	for (size_t i = 0; rc == 0 && i < a->findings.n; i++)
		rc = queue_trail_event(w, id, "rule", a->findings.v[i]);
	return rc;
}

int queue_result_asides(struct queue_work *w, struct result *r)
{
	size_t used = 0;
	for (size_t i = 0; i < r->ntargets; i++) {
		const struct ipc_interchange *ic = RECORD_AT(r->from->interchanges, struct ipc_interchange, i);
		const struct queue_message *m = &r->targets[i];
		int rc = 0;
		for (size_t n = 0; rc == 0 && n < ic->findings.n; n++)
			rc = queue_trail_event(w, m->id, "rule", ic->findings.v[n]);
		for (size_t n = 0; rc == 0 && n < ic->asides.n; n++, used++)
			rc = m->state == QUEUE_PROCESSED ? put_aside(w, m, RECORD_AT(ic->asides, struct ipc_aside, n),
								     slice_make(r->ids->asides[used].text, VAN_ID_LEN)) : 0;
		if (rc == 0 && ic->asides.n && m->state == QUEUE_PROCESSED)
			rc = queue_trail_event(w, m->id, "set-aside", van_arena_printf(w->arena, "%zu of its documents went to quarantine", ic->asides.n));
		if (rc < 0)
			return rc;
	}
	return 0;
}
