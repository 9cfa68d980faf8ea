/* File names of what waits in a mailbox. */
#include "queue/internal.h"
#include "queue/mailbox.h"

#define NAME_MAX_BYTES 200

/* The default is for EDI; what has another format gets its own ending. */
static const char default_pattern[] = "{type}_{sender}_{control}_{id}.edi";
static const char default_by_format[] = "{type}_{sender}_{control}_{id}.{ext}";

/* ASCII letters, digits, '.', '-' and '_'; anything else becomes '-', a leading dot too. */
static void put_clean(struct van_buf *to, struct slice s, size_t max)
{
	for (size_t i = 0; i < s.n && i < max; i++) {
		char c = s.p[i];
		bool ok = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
			  (c == '.' && to->n);
		van_buf_append_char(to, ok ? c : '-');
	}
}

/* "ACME" of "x12 ZZ:ACME". */
static struct slice identity_name(struct slice identity)
{
	struct slice rest = identity;
	slice_cut(&rest, ' ');
	if (!rest.p)
		return identity;
	struct slice id = rest;
	slice_cut(&id, ':');
	return id.n ? id : rest;
}

static void put_field(struct van_buf *to, struct slice field, const struct queue_message *m, struct slice extension)
{
	if (slice_is(field, "type"))
		put_clean(to, m->type.n ? m->type : SLICE("document"), 24);
	else if (slice_is(field, "sender"))
		put_clean(to, identity_name(m->from), 40);
	else if (slice_is(field, "receiver"))
		put_clean(to, identity_name(m->to), 40);
	else if (slice_is(field, "control"))
		put_clean(to, m->control_number.n ? m->control_number : SLICE("0"), 24);
	else if (slice_is(field, "id"))
		put_clean(to, m->id, VAN_ID_LEN);
	else if (slice_is(field, "ext"))
		put_clean(to, extension.n ? extension : SLICE("edi"), 12);
	else if (slice_is(field, "partner"))
		put_clean(to, m->partner, 40);
	else if (slice_is(field, "key"))
		put_clean(to, m->keys.n ? RECORD_AT(m->keys, struct queue_key, 0)->value : SLICE("0"), 40);
}

static void expand(struct van_buf *to, struct slice pattern, const struct queue_message *m, struct slice extension)
{
	for (size_t i = 0; i < pattern.n; i++) {
		const char *end = pattern.p[i] == '{' ? memchr(pattern.p + i, '}', pattern.n - i) : NULL;
		if (!end) {
			put_clean(to, slice_make(pattern.p + i, 1), 1);
			continue;
		}
		put_field(to, slice_make(pattern.p + i + 1, (size_t)(end - pattern.p) - i - 1), m, extension);
		i = (size_t)(end - pattern.p);
	}
}

static bool taken(struct queue_work *w, struct slice connection, struct slice name)
{
	struct queue_mailbox_entry e;
	return queue_mailbox_find(w, connection, QUEUE_FOLDER_OUT, SLICE_NONE, name, &e) == 0;
}

/* Unique for ever where the pattern has {id}; else made unique among what waits. */
static struct slice make_name(struct queue_work *w, const struct profile_connection *c, const struct queue_message *m,
			      struct slice extension)
{
	struct van_buf b = VAN_BUF_INIT(NAME_MAX_BYTES * 8);
	struct slice pattern = c->file_name;
	if (!pattern.n || slice_is(pattern, default_pattern))
		pattern = slice_str(default_by_format);
	expand(&b, pattern, m, extension);
	if (b.error || b.n == 0 || b.n > NAME_MAX_BYTES) {
		van_buf_reset(&b);
		expand(&b, SLICE("{id}.{ext}"), m, extension);
	}
	struct slice name = van_arena_slice(w->arena, van_buf_slice(&b));
	van_buf_free(&b);
	if (!taken(w, c->id, name))
		return name;
	const char *dot = memrchr(name.p, '.', name.n);
	size_t stem = dot ? (size_t)(dot - name.p) : name.n;
	return van_arena_printf(w->arena, "%.*s_%.*s%.*s", (int)stem, name.p, SLICE_ARG(m->id), (int)(name.n - stem), name.p + stem);
}

int queue_mailbox_deliver(struct queue_work *w, const struct profile_connection *c, struct queue_message *m, struct slice extension)
{
	struct store_key k = STORE_KEY_INIT;
	m->file_name = make_name(w, c, m, extension);
	if (!m->file_name.p)
		return VAN_ENOMEM;
	struct queue_mailbox_entry e = {.name = m->file_name, .message = m->id, .part = SLICE("payload"), .bytes = m->bytes,
					.time = w->now, .state = QUEUE_MAILBOX_WAITING};
	queue_mailbox_key(&k, m->connection, QUEUE_FOLDER_OUT, m->file_name);
	return queue_put_record(w, w->q->mailbox, store_key_slice(&k), &queue_mailbox_entry_table, &e);
}
