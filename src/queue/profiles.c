/* Profiles and their versions. The current one stands in `profile`, every one in `profile-version`. */
#include "queue/internal.h"

static void profile_key(struct store_key *k, enum profile_kind kind, struct slice id)
{
	*k = STORE_KEY_INIT;
	store_key_u8(k, (uint8_t)kind);
	queue_key_foreign(k, id);
}

static void version_key(struct store_key *k, enum profile_kind kind, struct slice id, uint64_t version)
{
	profile_key(k, kind, id);
	store_key_u64(k, version);
}

int queue_profile_get(struct queue_work *w, enum profile_kind kind, struct slice id, uint64_t version, struct queue_profile *ret)
{
	struct store_key k;
	struct queue_profile p;
	if (version)
		version_key(&k, kind, id, version);
	else
		profile_key(&k, kind, id);
	int rc = queue_get_record(w, version ? w->q->profile_version : w->q->profile, store_key_slice(&k), &queue_profile_table, &p);
	if (rc == 0 && p.removed && !version)
		rc = VAN_ENOTFOUND;
	if (rc == VAN_ENOTFOUND)
		return van_error_set(&w->err, VAN_ENOTFOUND, "no %s \"%.*s\"", profile_kind_names[kind], SLICE_ARG(id));
	if (rc == 0)
		*ret = p;
	return rc;
}

static int put_version(struct queue_work *w, const struct queue_profile *p, const char *what)
{
	struct queue_message none = {.partner = p->id};
	struct store_key k;
	profile_key(&k, p->kind, p->id);
	int rc = queue_put_record(w, w->q->profile, store_key_slice(&k), &queue_profile_table, p);
	version_key(&k, p->kind, p->id, p->version);
	if (rc == 0)
		rc = queue_put_record(w, w->q->profile_version, store_key_slice(&k), &queue_profile_table, p);
	if (rc < 0)
		return rc;
	struct receipt_hash h = receipt_sha256(p->json.p, p->json.n);
	struct slice text = van_arena_printf(w->arena, "%s %.*s version %llu %s, sha256 %.*s", profile_kind_names[p->kind],
					     SLICE_ARG(p->id), (unsigned long long)p->version, what,
					     SLICE_ARG(queue_hex(w, h.b, sizeof h.b)));
	struct receipt_leaf leaf = {.event = RECEIPT_PROFILE_CHANGED, .time = w->now, .partner = none.partner, .actor = p->actor,
				    .text = text};
	w->writes++;
	return receipt_append(w->txn, w->q->receipts, &leaf, NULL, &w->err);
}

/* The stored record, also of a removed profile. */
static int get_any(struct queue_work *w, enum profile_kind kind, struct slice id, struct queue_profile *ret)
{
	struct store_key k;
	profile_key(&k, kind, id);
	return queue_get_record(w, w->q->profile, store_key_slice(&k), &queue_profile_table, ret);
}

int queue_profile_put(struct queue_work *w, struct profile *p, struct slice actor, bool *ret_changed)
{
	struct queue_profile old;
	struct van_buf json = VAN_BUF_INIT((size_t)16 << 20);
	int rc = profile_to_json(p, &json);
	int found = rc < 0 ? rc : get_any(w, p->kind, p->id, &old);
	if (found < 0 && found != VAN_ENOTFOUND) {
		van_buf_free(&json);
		return found;
	}
	bool changed = found != 0 || old.removed || !slice_eq(old.json, van_buf_slice(&json));
	struct queue_profile new = {.id = p->id, .kind = p->kind, .version = found == 0 ? old.version + changed : 1, .time = w->now,
				    .actor = actor, .json = van_buf_slice(&json)};
	rc = changed ? put_version(w, &new, "applied") : 0;
	van_buf_free(&json);
	if (rc < 0)
		return rc;
	p->version = new.version;
	*ret_changed = changed;
	return 0;
}

int queue_profile_remove(struct queue_work *w, enum profile_kind kind, struct slice id, struct slice actor)
{
	struct queue_profile p;
	int rc = queue_profile_get(w, kind, id, 0, &p);
	if (rc < 0)
		return rc;
	p.version++;
	p.time = w->now;
	p.actor = actor;
	p.removed = true;
	p.json = SLICE_NONE;
	return put_version(w, &p, "removed");
}

int queue_profile_versions(struct queue_work *w, enum profile_kind kind, struct slice id,
			   int (*fn)(void *arg, const struct queue_profile *p), void *arg)
{
	struct store_key k;
	struct store_cursor *c;
	struct slice value;
	profile_key(&k, kind, id);
	int rc = store_cursor_open(w->txn, w->q->profile_version, store_key_slice(&k), &c);
	if (rc < 0)
		return rc;
	while ((rc = store_cursor_next(c, NULL, &value)) == 0) {
		struct queue_profile p;
		rc = record_decode(&queue_profile_table, queue_keep(w, value), w->arena, &p);
		if (rc < 0 || (rc = fn(arg, &p)))
			break;
	}
	store_cursor_close(c);
	return rc == VAN_ENOTFOUND ? 0 : rc;
}

static int load_one(struct queue_work *w, struct directory *d, const struct queue_profile *stored)
{
	struct profile *p;
	if (stored->removed)
		return 0;
	int rc = profile_from_stored(stored->json, &p, NULL);
	if (rc < 0)
		return van_error_set(&w->err, rc, "the stored %s \"%.*s\" version %llu can't be read: apply it again",
				     profile_kind_names[stored->kind], SLICE_ARG(stored->id), (unsigned long long)stored->version);
	p->version = stored->version;
	return directory_put(d, p);
}

int queue_profiles_load(struct queue_work *w, struct directory *d)
{
	struct store_cursor *c;
	struct slice value;
	int rc = store_cursor_open(w->txn, w->q->profile, SLICE_NONE, &c);
	if (rc < 0)
		return rc;
	while ((rc = store_cursor_next(c, NULL, &value)) == 0) {
		struct queue_profile p;
		rc = record_decode(&queue_profile_table, queue_keep(w, value), w->arena, &p);
		if (rc == 0)
			rc = load_one(w, d, &p);
		if (rc < 0)
			break;
	}
	store_cursor_close(c);
	return rc == VAN_ENOTFOUND ? 0 : rc;
}
