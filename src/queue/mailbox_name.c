/* File names of what waits in a mailbox. */
#include "queue/mailbox_private.h"

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

/* What a name is made of. */
struct naming {
	const struct queue_message *m;
	struct slice extension;
	struct van_civil local; /* now, in the agreement's time zone */
};

static void put_field(struct van_buf *to, struct slice field, const struct naming *n)
{
	const struct queue_message *m = n->m;
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
		put_clean(to, n->extension.n ? n->extension : SLICE("edi"), 12);
	else if (slice_is(field, "version"))
		put_clean(to, m->version.n ? m->version : SLICE("0"), 24);
	else if (slice_is(field, "date"))
		van_buf_printf(to, "%04d%02d%02d", n->local.year, n->local.month, n->local.day);
	else if (slice_is(field, "time"))
		van_buf_printf(to, "%02d%02d%02d", n->local.hour, n->local.minute, n->local.second);
	else if (slice_is(field, "partner"))
		put_clean(to, m->partner, 40);
	else if (slice_is(field, "key"))
		put_clean(to, m->keys.n ? RECORD_AT(m->keys, struct queue_key, 0)->value : SLICE("0"), 40);
}

static void expand(struct van_buf *to, struct slice pattern, const struct naming *n)
{
	for (size_t i = 0; i < pattern.n; i++) {
		const char *end = pattern.p[i] == '{' ? memchr(pattern.p + i, '}', pattern.n - i) : NULL;
		if (!end) {
			put_clean(to, slice_make(pattern.p + i, 1), 1);
			continue;
		}
		put_field(to, slice_make(pattern.p + i + 1, (size_t)(end - pattern.p) - i - 1), n);
		i = (size_t)(end - pattern.p);
	}
}

static bool taken(struct queue_work *w, const struct queue_place *folder, struct slice name)
{
	struct queue_mailbox_entry e;
	struct queue_place at = *folder;
	at.name = name;
	return queue_mailbox_find(w, &at, &e) == 0;
}

/* Unique for ever where the pattern has {id}; else made unique among what waits. */
/* `folder` NULL: nothing is known of what is there. */
static struct slice make_name(struct queue_work *w, struct slice pattern, const struct queue_message *m,
			      const struct queue_place *folder, struct slice extension)
{
	van_time local = w->now + van_zone_minutes(mailbox_zone(w, m->agreement), w->now) * 60 * VAN_SECOND;
	struct naming n = {m, extension, van_time_civil(local)};
	struct van_buf b = VAN_BUF_INIT(NAME_MAX_BYTES * 8);
	if (!pattern.n || slice_is(pattern, default_pattern))
		pattern = slice_str(default_by_format);
	expand(&b, pattern, &n);
	if (b.error || b.n == 0 || b.n > NAME_MAX_BYTES) {
		van_buf_reset(&b);
		expand(&b, SLICE("{id}.{ext}"), &n);
	}
	struct slice name = van_arena_slice(w->arena, van_buf_slice(&b));
	van_buf_free(&b);
	return name.p && folder ? mailbox_name_alone(w, folder, name, m->id) : name;
}

struct slice mailbox_name_alone(struct queue_work *w, const struct queue_place *folder, struct slice name, struct slice message)
{
	if (!taken(w, folder, name))
		return name;
	const char *dot = memrchr(name.p, '.', name.n);
	size_t stem = dot ? (size_t)(dot - name.p) : name.n, end = name.n - stem, most = MAILBOX_NAME_MAX - 1 - message.n;
	if (end > most)
		stem = name.n, end = 0; /* that is no ending */
	stem = mailbox_name_cut(slice_make(name.p, stem), most - end).n;
	return van_arena_printf(w->arena, "%.*s_%.*s%.*s", (int)stem, name.p, SLICE_ARG(message), (int)end, name.p + name.n - end);
}

int queue_mailbox_name(struct queue_work *w, struct slice pattern, struct queue_message *m, struct slice extension)
{
	m->file_name = make_name(w, pattern, m, NULL, extension);
	return m->file_name.p ? 0 : VAN_ENOMEM;
}

int queue_mailbox_deliver(struct queue_work *w, const struct profile_connection *c, struct queue_message *m, struct slice extension)
{
	const struct profile *p = w->directory && m->agreement.p ? directory_get(w->directory, PROFILE_AGREEMENT, m->agreement) : NULL;
	struct queue_place at = {m->connection, QUEUE_FOLDER_OUT, p ? p->agreement->folder : SLICE_NONE, SLICE_NONE};
	at.name = m->file_name = make_name(w, c->file_name, m, &at, extension);
	if (at.section.n && at.name.p)
		m->file_name = van_arena_printf(w->arena, "%.*s/%.*s", SLICE_ARG(at.section), SLICE_ARG(at.name));
	if (!m->file_name.p)
		return VAN_ENOMEM;
	struct queue_mailbox_entry e = {.name = at.name, .message = m->id, .part = SLICE("payload"), .bytes = m->bytes,
					.time = w->now, .state = QUEUE_MAILBOX_WAITING};
	return mailbox_put(w, &at, &e);
}
