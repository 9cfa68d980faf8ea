/* Which private keys keyd is to hold: those of every station; and which transport credentials deliver is to have. Both are told to
 * the supervisor, which opens the files. */
#include "roles/store/store_role.h"

#include "base/codec.h"
#include "base/log.h"

#include <stdio.h>
#include <stdlib.h>

#define CERTIFICATE_MAX 65536

/* --- what became of them ------------------------------------------------------------------------------------------------------ */

struct key_trouble {
	struct key_trouble *next;
	char key_id[65];
	char text[400];
};

static void forget(struct store_role *s, struct slice key_id)
{
	for (struct key_trouble **at = &s->key_troubles; *at;) {
		struct key_trouble *t = *at;
		if (key_id.p && !slice_is(key_id, t->key_id)) {
			at = &t->next;
			continue;
		}
		*at = t->next;
		free(t);
	}
}

void keys_forget(struct store_role *s)
{
	forget(s, SLICE_NONE);
}

void keys_status(struct store_role *s, struct ipc_message *m)
{
	struct ipc_key_status k;
	if (record_decode(&ipc_key_status_table, m->body, s->arena, &k) < 0)
		return;
	forget(s, k.key_id.p ? k.key_id : SLICE(""));
	if (s->keys_awaited && --s->keys_awaited == 0)
		control_keys_settled(s);
	if (k.ok)
		return;
	log_event(LOG_LEVEL_ERROR, "key-unusable", "key_id", log_slice(k.key_id), "text", log_slice(k.error), NULL);
	struct key_trouble *t = calloc(1, sizeof *t);
	if (!t)
		return;
	snprintf(t->key_id, sizeof t->key_id, "%.*s", SLICE_ARG(k.key_id));
	snprintf(t->text, sizeof t->text, "%.*s", SLICE_ARG(k.error));
	t->next = s->key_troubles;
	s->key_troubles = t;
}

void keys_put_troubles(const struct store_role *s, struct van_buf *to)
{
	van_buf_append_char(to, '[');
	for (const struct key_trouble *t = s->key_troubles; t; t = t->next) {
		van_buf_printf(to, "%s{\"key_id\":\"%s\",\"text\":", t == s->key_troubles ? "" : ",", t->key_id);
		json_put_text(to, slice_str(t->text));
		van_buf_append_char(to, '}');
	}
	van_buf_append_char(to, ']');
}

/* --- keys ------------------------------------------------------------------------------------------------------------------------ */

struct wanted {
	struct store_role *s;
	struct ipc_key *v;
	size_t n, room;
};

static struct slice certificate_der(struct van_arena *arena, const struct profile_certificate *c)
{
	static const char begin[] = "-----BEGIN CERTIFICATE-----", end[] = "-----END CERTIFICATE-----";
	struct van_buf der = VAN_BUF_INIT(CERTIFICATE_MAX);
	const char *from = memmem(c->pem.p, c->pem.n, begin, sizeof begin - 1);
	const char *to = from ? memmem(from, c->pem.n - (size_t)(from - c->pem.p), end, sizeof end - 1) : NULL;
	struct slice s = SLICE_NONE;
	if (to && base64_decode(&der, slice_make(from + sizeof begin - 1, (size_t)(to - from) - (sizeof begin - 1))) == 0)
		s = van_arena_slice(arena, van_buf_slice(&der));
	van_buf_free(&der);
	return s;
}

static void add(struct wanted *w, const struct record_list *pairs)
{
	for (size_t i = 0; i < pairs->n; i++) {
		const struct profile_key_pair *p = RECORD_AT(*pairs, struct profile_key_pair, i);
		bool known = false;
		for (size_t k = 0; k < w->n; k++)
			known |= slice_eq(w->v[k].key_id, p->key_id);
		if (known || w->n == w->room)
			continue;
		w->v[w->n++] = (struct ipc_key){.key_id = p->key_id, .path = p->key,
						.certificate = certificate_der(w->s->arena, p->certificate)};
	}
}

static int add_station(void *arg, const struct profile *p)
{
	struct wanted *w = arg;
	if (p->station->as2) {
		add(w, &p->station->as2->sign);
		add(w, &p->station->as2->decrypt);
	}
	return 0;
}

static int count_station(void *arg, const struct profile *p)
{
	if (p->station->as2)
		*(size_t *)arg += p->station->as2->sign.n + p->station->as2->decrypt.n;
	return 0;
}

size_t keys_wanted_send(struct store_role *s)
{
	struct wanted w = {.s = s};
	keys_forget(s); /* each is reported anew */
	van_arena_reset(s->arena);
	pthread_rwlock_rdlock(&s->directory_lock);
	directory_each(s->directory, PROFILE_STATION, count_station, &w.room);
	w.v = van_arena_array(s->arena, w.room + 1, sizeof *w.v);
	if (w.v)
		directory_each(s->directory, PROFILE_STATION, add_station, &w);
	struct ipc_keys_wanted list = {.keys = {w.v, w.n}};
	int rc = w.v ? ipc_send(s->role->supervisor, IPC_KEYS_WANTED, 0, &ipc_keys_wanted_table, &list, NULL, 0) : VAN_ENOMEM;
	pthread_rwlock_unlock(&s->directory_lock);
	if (rc < 0)
		log_event(LOG_LEVEL_ERROR, "keys-not-asked-for", "error", van_err_name(rc), NULL);
	return rc < 0 ? 0 : w.n;
}

/* --- credentials ------------------------------------------------------------------------------------------------------------ */

struct paths {
	struct slice *v;
	size_t n, room;
};

static void add_path(struct paths *p, struct slice path)
{
	for (size_t i = 0; i < p->n; i++)
		if (slice_eq(p->v[i], path))
			return;
	if (path.n && p->n < p->room)
		p->v[p->n++] = path;
}

static size_t count_of(const struct profile_send *s)
{
	return s->tls.client.n + (s->auth != NULL);
}

static int count_paths(void *arg, const struct profile *p)
{
	for (size_t i = 0; i < p->partner->connections.n; i++) {
		const struct profile_connection *c = RECORD_AT(p->partner->connections, struct profile_connection, i);
		*(size_t *)arg += (c->send ? count_of(c->send) : 0) + (c->server ? 2 : 0);
	}
	return 0;
}

static int add_paths(void *arg, const struct profile *p)
{
	for (size_t i = 0; i < p->partner->connections.n; i++) {
		const struct profile_connection *c = RECORD_AT(p->partner->connections, struct profile_connection, i);
		const struct profile_send *s = c->send;
		if (c->server) {
			add_path(arg, c->server->key);
			add_path(arg, c->server->password_file);
		}
		for (size_t k = 0; s && k < s->tls.client.n; k++)
			add_path(arg, RECORD_AT(s->tls.client, struct profile_key_pair, k)->key);
		if (s && s->auth)
			add_path(arg, s->auth->password_file);
	}
	return 0;
}

void credentials_wanted_send(struct store_role *s)
{
	struct paths p = {.n = 0};
	van_arena_reset(s->arena);
	pthread_rwlock_rdlock(&s->directory_lock);
	directory_each(s->directory, PROFILE_PARTNER, count_paths, &p.room);
	p.v = van_arena_array(s->arena, p.room + 1, sizeof *p.v);
	if (p.v)
		directory_each(s->directory, PROFILE_PARTNER, add_paths, &p);
	struct ipc_credentials_wanted list = {.paths = {p.v, p.n}};
	int rc = p.v ? ipc_send(s->role->supervisor, IPC_CREDENTIALS_WANTED, 0, &ipc_credentials_wanted_table, &list, NULL, 0) : VAN_ENOMEM;
	pthread_rwlock_unlock(&s->directory_lock);
	if (rc < 0)
		log_event(LOG_LEVEL_ERROR, "credentials-not-asked-for", "error", van_err_name(rc), NULL);
}
