#include "queue/sheets.h"

#include "queue/internal.h"

static const struct record_field sample_fields[] = {
	RECORD_FIELD(1, RECORD_TEXT, struct queue_sample, name),
	RECORD_FIELD(2, RECORD_BYTES, struct queue_sample, input),
	RECORD_FIELD(3, RECORD_BYTES, struct queue_sample, expected),
	RECORD_END,
};
static const struct record_table sample_table = {"sample", 1, sizeof(struct queue_sample), sample_fields};

static const struct record_field version_fields[] = {
	RECORD_FIELD(1, RECORD_TEXT, struct queue_sheet_version, name),
	RECORD_FIELD(2, RECORD_U64, struct queue_sheet_version, version),
	RECORD_FIELD(3, RECORD_TIME, struct queue_sheet_version, time),
	RECORD_FIELD(4, RECORD_TEXT, struct queue_sheet_version, actor),
	RECORD_FIELD(5, RECORD_TEXT, struct queue_sheet_version, note),
	RECORD_FIELD(6, RECORD_TEXT, struct queue_sheet_version, text),
	RECORD_FIELD_SUB(7, RECORD_MANY, struct queue_sheet_version, samples, &sample_table),
	RECORD_END,
};
static const struct record_table version_table = {"sheet version", 1, sizeof(struct queue_sheet_version), version_fields};

static const struct record_field sheet_fields[] = {
	RECORD_FIELD(1, RECORD_TEXT, struct queue_sheet, name),
	RECORD_FIELD(2, RECORD_U64, struct queue_sheet, active),
	RECORD_FIELD(3, RECORD_U64, struct queue_sheet, newest),
	RECORD_FIELD(4, RECORD_BOOL, struct queue_sheet, locked),
	RECORD_FIELD(5, RECORD_TIME, struct queue_sheet, time),
	RECORD_FIELD(6, RECORD_TEXT, struct queue_sheet, actor),
	RECORD_END,
};
static const struct record_table sheet_table = {"sheet", 1, sizeof(struct queue_sheet), sheet_fields};

/* --- reading ----------------------------------------------------------------------------------------------------------------- */

static void name_key(struct store_key *k, struct slice name)
{
	*k = STORE_KEY_INIT;
	queue_key_foreign(k, name);
}

static void version_key(struct store_key *k, struct slice name, uint64_t version)
{
	name_key(k, name);
	store_key_u64(k, version);
}

static int find(struct queue_work *w, struct slice name, struct queue_sheet *ret)
{
	struct store_key k;
	name_key(&k, name);
	return queue_get_record(w, w->q->sheet, store_key_slice(&k), &sheet_table, ret);
}

int queue_sheet_get(struct queue_work *w, struct slice name, struct queue_sheet *ret)
{
	int rc = find(w, name, ret);
	if (rc == VAN_ENOTFOUND)
		return van_error_set(&w->err, VAN_ENOTFOUND, "the store has no sheet %.*s; vanctl map list and vanctl table list show them",
				     SLICE_ARG(name));
	return rc;
}

int queue_sheet_version_get(struct queue_work *w, struct slice name, uint64_t version, struct queue_sheet_version *ret)
{
	struct store_key k;
	version_key(&k, name, version);
	int rc = queue_get_record(w, w->q->sheet_version, store_key_slice(&k), &version_table, ret);
	if (rc == VAN_ENOTFOUND)
		return van_error_set(&w->err, VAN_ENOTFOUND, "%.*s has no version %llu; vanctl map show %.*s lists them", SLICE_ARG(name),
				     (unsigned long long)version, SLICE_ARG(name));
	return rc;
}

int queue_sheets(struct queue_work *w, int (*fn)(void *arg, const struct queue_sheet *s), void *arg)
{
	struct store_cursor *c;
	struct slice value;
	int rc = store_cursor_open(w->txn, w->q->sheet, SLICE_NONE, &c);
	if (rc < 0)
		return rc;
	while ((rc = store_cursor_next(c, NULL, &value)) == 0) {
		struct queue_sheet s;
		rc = record_decode(&sheet_table, queue_keep(w, value), w->arena, &s);
		if (rc < 0 || (rc = fn(arg, &s)))
			break;
	}
	store_cursor_close(c);
	return rc == VAN_ENOTFOUND ? 0 : rc;
}

int queue_sheet_versions(struct queue_work *w, struct slice name, int (*fn)(void *arg, const struct queue_sheet_version *v), void *arg)
{
	struct store_key k;
	struct store_cursor *c;
	struct slice value;
	name_key(&k, name);
	int rc = store_cursor_open(w->txn, w->q->sheet_version, store_key_slice(&k), &c);
	if (rc < 0)
		return rc;
	while ((rc = store_cursor_next(c, NULL, &value)) == 0) {
		struct queue_sheet_version v;
		rc = record_decode(&version_table, queue_keep(w, value), w->arena, &v);
		if (rc < 0 || (rc = fn(arg, &v)))
			break;
	}
	store_cursor_close(c);
	return rc == VAN_ENOTFOUND ? 0 : rc;
}

/* --- changing ----------------------------------------------------------------------------------------------------------------- */

static int changed(struct queue_work *w, struct queue_sheet *s, struct slice actor, struct slice text)
{
	struct store_key k;
	s->time = w->now;
	s->actor = actor;
	name_key(&k, s->name);
	int rc = queue_put_record(w, w->q->sheet, store_key_slice(&k), &sheet_table, s);
	if (rc < 0)
		return rc;
	struct receipt_leaf leaf = {.event = RECEIPT_MAP_CHANGED, .time = w->now, .actor = actor, .text = text};
	w->writes++;
	return receipt_append(w->txn, w->q->receipts, &leaf, NULL, &w->err);
}

static int refuse_locked(struct queue_work *w, const struct queue_sheet *s)
{
	if (!s->locked)
		return 0;
	return van_error_set(&w->err, VAN_ESTATE, "%.*s is locked; vanctl map unlock %.*s first (tables that it uses may be changed)",
			     SLICE_ARG(s->name), SLICE_ARG(s->name));
}

static bool same_samples(const struct record_list *a, const struct record_list *b)
{
	for (size_t i = 0; a->n == b->n && i < a->n; i++) {
		const struct queue_sample *x = RECORD_AT(*a, struct queue_sample, i), *y = RECORD_AT(*b, struct queue_sample, i);
		if (!slice_eq(x->name, y->name) || !slice_eq(x->input, y->input) || !slice_eq(x->expected, y->expected))
			return false;
	}
	return a->n == b->n;
}

static size_t bytes_of(const struct queue_sheet_version *v)
{
	size_t n = v->text.n + v->note.n;
	for (size_t i = 0; i < v->samples.n; i++) {
		const struct queue_sample *s = RECORD_AT(v->samples, struct queue_sample, i);
		n += s->name.n + s->input.n + s->expected.n;
	}
	return n;
}

int queue_sheet_put(struct queue_work *w, struct queue_sheet_version *v, uint64_t made_of, bool activate, bool *ret_changed)
{
	struct queue_sheet s;
	struct queue_sheet_version newest = {0};
	struct store_key k;
	int found = find(w, v->name, &s), rc = found == VAN_ENOTFOUND ? 0 : found;
	if (found == VAN_ENOTFOUND)
		s = (struct queue_sheet){.name = v->name};
	if (rc == 0)
		rc = refuse_locked(w, &s);
	if (rc == 0 && made_of != QUEUE_SHEET_ANY && made_of != s.newest)
		rc = van_error_set(&w->err, VAN_ECONFLICT, "%.*s was changed meanwhile: version %llu is the newest; try again", SLICE_ARG(v->name),
				   (unsigned long long)s.newest);
	if (rc == 0 && bytes_of(v) > QUEUE_SHEET_MAX)
		rc = van_error_set(&w->err, VAN_ELIMIT, "%.*s is larger than %zu MiB with its samples; leave some out", SLICE_ARG(v->name),
				   QUEUE_SHEET_MAX >> 20);
	if (rc == 0 && s.newest)
		rc = queue_sheet_version_get(w, v->name, s.newest, &newest);
	if (rc < 0)
		return rc;
	bool again = s.newest && slice_eq(newest.text, v->text) && same_samples(&newest.samples, &v->samples);
	*ret_changed = !again || (activate && s.active != s.newest);
	v->version = again ? s.newest : s.newest + 1;
	v->time = w->now;
	if (!*ret_changed)
		return 0;
	version_key(&k, v->name, v->version);
	rc = again ? 0 : queue_put_record(w, w->q->sheet_version, store_key_slice(&k), &version_table, v);
	if (rc < 0)
		return rc;
	s.newest = v->version;
	if (activate)
		s.active = v->version;
	struct receipt_hash h = receipt_sha256(v->text.p, v->text.n);
	return changed(w, &s, v->actor,
		       van_arena_printf(w->arena, "%.*s version %llu %s, sha256 %.*s", SLICE_ARG(v->name), (unsigned long long)v->version,
					activate ? "imported and active" : "imported", SLICE_ARG(queue_hex(w, h.b, sizeof h.b))));
}

int queue_sheet_activate(struct queue_work *w, struct slice name, uint64_t version, struct slice actor)
{
	struct queue_sheet s;
	struct queue_sheet_version v;
	int rc = queue_sheet_get(w, name, &s);
	if (rc == 0)
		rc = refuse_locked(w, &s);
	if (rc == 0 && version != QUEUE_SHEET_SHIPPED)
		rc = queue_sheet_version_get(w, name, version, &v);
	if (rc < 0 || s.active == version)
		return rc;
	uint64_t before = s.active;
	s.active = version;
	return changed(w, &s, actor, van_arena_printf(w->arena, "%.*s version %llu active, before it version %llu", SLICE_ARG(name),
						      (unsigned long long)version, (unsigned long long)before));
}

int queue_sheet_lock(struct queue_work *w, struct slice name, bool locked, struct slice actor)
{
	struct queue_sheet s;
	int rc = find(w, name, &s);
	if (rc == VAN_ENOTFOUND)
		s = (struct queue_sheet){.name = name};
	else if (rc < 0)
		return rc;
	if (s.locked == locked)
		return 0;
	s.locked = locked;
	return changed(w, &s, actor, van_arena_printf(w->arena, "%.*s %s", SLICE_ARG(name), locked ? "locked" : "unlocked"));
}
