#include "queue/internal.h"

#define STRETCH_DEPTH 8
#define SEGMENT_FROM 256 /* bytes; smaller bodies stay in their record */

bool queue_part_name_ok(struct slice name)
{
	if (!name.p || name.n < 1 || name.n > 32)
		return false;
	for (size_t i = 0; i < name.n; i++)
		if (!(name.p[i] >= 'a' && name.p[i] <= 'z') && !(name.p[i] >= '0' && name.p[i] <= '9') && name.p[i] != '-')
			return false;
	return true;
}

static void part_key(struct store_key *k, struct slice id, struct slice name)
{
	*k = STORE_KEY_INIT;
	store_key_fixed(k, id.p, id.n);
	store_key_text(k, name);
}

/* Bodies leave the record; a few bytes, and a stored answer that stands within another part, stay in it. */
static int to_segment(struct queue_work *w, struct queue_part *p)
{
	if (p->kind != QUEUE_PART_INLINE || p->content.n < SEGMENT_FROM || p->content.n > SEGMENT_BODY_MAX || p->within.p)
		return 0;
	int rc = segments_append(w->q->segments, p->content, &p->offset, &w->err);
	if (rc < 0)
		return rc;
	p->kind = QUEUE_PART_SEGMENT;
	p->bytes = p->content.n;
	p->content = SLICE_NONE;
	return 0;
}

int queue_part_put(struct queue_work *w, struct slice id, const struct queue_part *p)
{
	struct store_key k;
	struct queue_part put = *p;
	part_key(&k, id, p->name);
	int rc = to_segment(w, &put);
	return rc < 0 ? rc : queue_put_record(w, w->q->part, store_key_slice(&k), &queue_part_table, &put);
}

/* What is borrowed already is borrowed of its owner, so that messages which are made of one another again and again stay as near. */
int queue_part_borrow(struct queue_work *w, struct slice from, struct slice name, struct slice to)
{
	struct queue_part p;
	int rc = queue_part_get(w, from, name, &p);
	if (rc < 0)
		return rc;
	struct queue_part stretch = {.kind = QUEUE_PART_STRETCH, .name = name, .bytes = p.bytes, .sha256 = p.sha256, .owner = from, .within = name};
	if (p.kind == QUEUE_PART_STRETCH && p.owner.p) {
		stretch.owner = p.owner;
		stretch.within = p.within;
		stretch.offset = p.offset;
	}
	return queue_part_put(w, to, &stretch);
}

int queue_part_forget(struct queue_work *w, struct slice id, struct slice name)
{
	struct store_key k;
	part_key(&k, id, name);
	w->writes++;
	int rc = store_del(w->txn, w->q->part, store_key_slice(&k));
	return rc == VAN_ENOTFOUND ? 0 : rc;
}

int queue_part_newest(struct queue_work *w, struct slice id, struct slice name, struct slice *ret_name)
{
	struct queue_part p;
	int rc = queue_part_get(w, id, name, &p);
	struct slice next = name;
	for (unsigned n = 2; rc == 0; n++) {
		*ret_name = next;
		next = van_arena_printf(w->arena, "%.*s-%u", SLICE_ARG(name), n);
		rc = next.p ? queue_part_get(w, id, next, &p) : VAN_ENOMEM;
	}
	return rc == VAN_ENOTFOUND && ret_name->p ? 0 : rc;
}

bool queue_part_is_file(struct queue_work *w, struct slice id, struct slice name)
{
	struct queue_part p;
	int rc = queue_part_get(w, id, name, &p);
	return rc == 0 ? p.kind == QUEUE_PART_FILE : rc != VAN_ENOTFOUND;
}

int queue_part_get(struct queue_work *w, struct slice id, struct slice name, struct queue_part *ret)
{
	struct store_key k;
	if (!van_id_valid(id) || !queue_part_name_ok(name))
		return van_error_set(&w->err, VAN_ENOTFOUND, "no such part: see vanctl message show");
	part_key(&k, id, name);
	int rc = queue_get_record(w, w->q->part, store_key_slice(&k), &queue_part_table, ret);
	if (rc == VAN_ENOTFOUND)
		van_error_set(&w->err, VAN_ENOTFOUND, "message %.*s has no part \"%.*s\": see vanctl message show", SLICE_ARG(id),
			      SLICE_ARG(name));
	return rc;
}

int queue_parts(struct queue_work *w, struct slice id, int (*fn)(void *arg, const struct queue_part *p), void *arg)
{
	struct store_cursor *c;
	struct slice value;
	if (!van_id_valid(id))
		return VAN_ENOTFOUND;
	int rc = store_cursor_open(w->txn, w->q->part, id, &c);
	if (rc < 0)
		return rc;
	while ((rc = store_cursor_next(c, NULL, &value)) == 0) {
		struct queue_part p;
		rc = record_decode(&queue_part_table, queue_keep(w, value), w->arena, &p);
		if (rc < 0 || (rc = fn(arg, &p)))
			break;
	}
	store_cursor_close(c);
	return rc == VAN_ENOTFOUND ? 0 : rc;
}

static int open_file(struct queue_work *w, struct slice id, const struct queue_part *p, uint64_t offset, uint64_t length,
		     struct queue_content *ret)
{
	char *name = van_arena_str(w->arena, p->name);
	if (!name)
		return VAN_ENOMEM;
	int fd = payload_open(w->q->payload, id, name, &w->err);
	if (fd < 0)
		return fd;
	*ret = (struct queue_content){.fd = fd, .offset = offset, .length = length};
	return 0;
}

static int read_segment(struct queue_work *w, uint64_t position, uint64_t length, struct queue_content *ret)
{
	char *bytes = length <= SEGMENT_BODY_MAX ? van_arena_alloc(w->arena, length + 1) : NULL;
	if (!bytes)
		return van_error_set(&w->err, VAN_ENOMEM, "out of memory");
	int rc = segments_read(w->q->segments, position, bytes, length, &w->err);
	if (rc == 0)
		*ret = (struct queue_content){.bytes = slice_make(bytes, length), .fd = -1, .length = length};
	return rc;
}

int queue_part_open(struct queue_work *w, struct slice id, struct slice name, struct queue_content *ret)
{
	struct queue_part p;
	int rc = queue_part_get(w, id, name, &p);
	if (rc < 0)
		return rc;
	uint64_t offset = 0, length = p.bytes;
	for (int depth = 0; p.kind == QUEUE_PART_STRETCH; depth++) {
		if (depth == STRETCH_DEPTH)
			return van_error_set(&w->err, VAN_EINTERNAL, "part of %.*s is a loop", SLICE_ARG(id));
		if (p.owner.p)
			id = p.owner;
		offset += p.offset;
		rc = queue_part_get(w, id, p.within, &p);
		if (rc < 0)
			return rc;
		if (offset > p.bytes || length > p.bytes - offset)
			return van_error_set(&w->err, VAN_EINTERNAL, "part of %.*s reaches past its end", SLICE_ARG(id));
	}
	if (p.kind == QUEUE_PART_SEGMENT)
		return read_segment(w, p.offset + offset, length, ret);
	if (p.kind == QUEUE_PART_FILE)
		return open_file(w, id, &p, offset, length, ret);
	if (offset > p.content.n || length > p.content.n - offset)
		return van_error_set(&w->err, VAN_EINTERNAL, "part of %.*s is shorter than its record says", SLICE_ARG(id));
	*ret = (struct queue_content){.bytes = slice_make((p.content.p ? p.content.p : "") + offset, length), .fd = -1, .length = length};
	return 0;
}

/* The key is the message's id, and the name as text. */
int queue_files_each(struct queue_work *w, int (*fn)(void *arg, struct slice id, const char *part, uint64_t bytes), void *arg)
{
	struct van_arena *arena = van_arena_new(0);
	struct store_cursor *c;
	struct slice key, value;
	int rc = arena ? store_cursor_open(w->txn, w->q->part, SLICE_NONE, &c) : VAN_ENOMEM;
	if (rc < 0) {
		van_arena_free(arena);
		return rc;
	}
	while ((rc = store_cursor_next(c, &key, &value)) == 0) {
		struct queue_part p;
		van_arena_reset(arena);
		rc = record_decode(&queue_part_table, value, arena, &p);
		char *name = rc == 0 && p.kind == QUEUE_PART_FILE ? van_arena_str(arena, p.name) : NULL;
		if (name)
			rc = fn(arg, slice_make(key.p, VAN_ID_LEN), name, p.bytes);
		if (rc)
			break;
	}
	store_cursor_close(c);
	van_arena_free(arena);
	return rc == VAN_ENOTFOUND ? 0 : rc;
}
