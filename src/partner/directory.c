#include "partner/directory_private.h"

#include "base/error.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define NO_KEY SLICE("")

/* --- keys ----------------------------------------------------------------------------------------------------------- */

static int each_identity(struct directory *d, const struct profile *p, const struct record_list *l, directory_key_fn *fn, void *arg)
{
	int rc = 0;
	for (size_t i = 0; i < l->n && rc == 0; i++) {
		const struct profile_identity *identity = RECORD_AT(*l, struct profile_identity, i);
		rc = fn(arg, &d->identities, identity->name, NO_KEY, p, identity);
	}
	return rc;
}

static int each_connection(struct directory *d, const struct profile *p, directory_key_fn *fn, void *arg)
{
	int rc = 0;
	for (size_t i = 0; i < p->partner->connections.n && rc == 0; i++) {
		const struct profile_connection *c = RECORD_AT(p->partner->connections, struct profile_connection, i);
		rc = fn(arg, &d->connections, c->id, NO_KEY, p, c);
		if (rc == 0 && c->protocol == PROFILE_AS2)
			rc = fn(arg, &d->as2_pairs, c->station, c->as2_id, p, c);
		else if (rc == 0 && c->protocol == PROFILE_SFTP_MAILBOX)
			rc = fn(arg, &d->users, c->user, NO_KEY, p, c);
	}
	return rc;
}

static int each_agreement_key(struct directory *d, const struct profile *p, directory_key_fn *fn, void *arg)
{
	const struct profile_agreement *a = p->agreement;
	int rc = fn(arg, &d->pairs, a->from, a->to, p, a);
	if (rc == 0)
		rc = fn(arg, &d->froms, a->from, NO_KEY, p, a);
	return rc ? rc : fn(arg, &d->tos, a->to, NO_KEY, p, a);
}

int directory_each_key(struct directory *d, const struct profile *p, directory_key_fn *fn, void *arg)
{
	int rc = fn(arg, &d->profiles[p->kind], p->id, NO_KEY, p, p);
	if (rc)
		return rc;
	switch (p->kind) {
	case PROFILE_STATION:
		rc = each_identity(d, p, &p->station->identities, fn, arg);
		return rc || !p->station->as2 ? rc : fn(arg, &d->as2_stations, p->station->as2->id, NO_KEY, p, p->station);
	case PROFILE_PARTNER:
		rc = each_identity(d, p, &p->partner->identities, fn, arg);
		return rc ? rc : each_connection(d, p, fn, arg);
	default: return each_agreement_key(d, p, fn, arg);
	}
}

static int add_key(void *arg, struct directory_index *ix, struct slice a, struct slice b, const struct profile *p, const void *item)
{
	(void)arg;
	return directory_index_add(ix, a, b, p, item);
}

static int remove_key(void *arg, struct directory_index *ix, struct slice a, struct slice b, const struct profile *p,
		      const void *item)
{
	(void)arg;
	(void)item;
	directory_index_remove(ix, a, b, p);
	return 0;
}

/* --- content ---------------------------------------------------------------------------------------------------------- */

struct directory *directory_new(void)
{
	return calloc(1, sizeof(struct directory));
}

static void free_entry(void *arg, const struct directory_entry *e)
{
	(void)arg;
	profile_free((struct profile *)(uintptr_t)e->p);
}

void directory_free(struct directory *d)
{
	if (!d)
		return;
	for (size_t i = 0; i < 3; i++) {
		if (!d->borrowed)
			directory_index_each(&d->profiles[i], free_entry, NULL);
		directory_index_free(&d->profiles[i]);
	}
	struct directory_index *const rest[] = {&d->as2_stations, &d->as2_pairs, &d->users, &d->connections,
						&d->identities,	  &d->pairs,	 &d->froms, &d->tos};
	for (size_t i = 0; i < sizeof rest / sizeof *rest; i++)
		directory_index_free(rest[i]);
	free(d);
}

static void forget(struct directory *d, const struct profile *p)
{
	directory_each_key(d, p, remove_key, NULL);
	if (!d->borrowed)
		profile_free((struct profile *)(uintptr_t)p);
}

static bool names_folder(const struct profile *p)
{
	return p->kind == PROFILE_AGREEMENT && p->agreement->folder.n;
}

int directory_put(struct directory *d, struct profile *p)
{
	directory_remove(d, p->kind, p->id);
	int rc = directory_each_key(d, p, add_key, NULL);
	if (rc < 0)
		forget(d, p);
	else
		d->agreements_with_folder += names_folder(p);
	return rc;
}

int directory_remove(struct directory *d, enum profile_kind kind, struct slice id)
{
	const struct profile *p = directory_get(d, kind, id);
	if (!p)
		return VAN_ENOTFOUND;
	d->agreements_with_folder -= names_folder(p);
	forget(d, p);
	return 0;
}

const struct profile *directory_get(const struct directory *d, enum profile_kind kind, struct slice id)
{
	struct directory_entries e = directory_index_find(&d->profiles[kind], id, NO_KEY);
	return e.n ? e.v[0].p : NULL;
}

struct each {
	int (*fn)(void *arg, const struct profile *p);
	void *arg;
	int rc;
};

static void each_entry(void *arg, const struct directory_entry *e)
{
	struct each *x = arg;
	if (x->rc == 0)
		x->rc = x->fn(x->arg, e->p);
}

int directory_each(const struct directory *d, enum profile_kind kind, int (*fn)(void *arg, const struct profile *p), void *arg)
{
	struct each x = {fn, arg, 0};
	directory_index_each(&d->profiles[kind], each_entry, &x);
	return x.rc;
}

/* --- AS2 -------------------------------------------------------------------------------------------------------------- */

static bool in_period(van_time from, van_time until, van_time now)
{
	return (!from || now >= from) && (!until || now < until);
}

static int put_key_pairs(const struct record_list *pairs, van_time now, struct van_arena *arena, struct record_list *to)
{
	struct directory_key *keys = van_arena_array(arena, pairs->n, sizeof *keys);
	if (!keys)
		return VAN_ENOMEM;
	*to = (struct record_list){keys, 0};
	for (size_t i = 0; i < pairs->n; i++) {
		const struct profile_key_pair *k = RECORD_AT(*pairs, struct profile_key_pair, i);
		if (in_period(k->certificate->from, k->certificate->until, now))
			keys[to->n++] = (struct directory_key){k->key_id, k->certificate->der};
	}
	return 0;
}

/* What is at this offset of each certificate that counts now: its DER or its fingerprint. */
static int put_of_certificates(const struct record_list *l, size_t offset, van_time now, struct van_arena *arena, struct slice_list *to)
{
	struct slice *v = van_arena_array(arena, l->n, sizeof *v);
	if (!v)
		return VAN_ENOMEM;
	*to = (struct slice_list){v, 0};
	for (size_t i = 0; i < l->n; i++) {
		const struct profile_certificate *c = RECORD_AT(*l, struct profile_certificate, i);
		if (in_period(c->from, c->until, now))
			memcpy(&v[to->n++], (const char *)c + offset, sizeof *v);
	}
	return 0;
}

static int put_certificates(const struct record_list *l, van_time now, struct van_arena *arena, struct slice_list *to)
{
	return put_of_certificates(l, offsetof(struct profile_certificate, der), now, arena, to);
}

static int put_fingerprints(const struct record_list *l, van_time now, struct van_arena *arena, struct slice_list *to)
{
	return put_of_certificates(l, offsetof(struct profile_certificate, fingerprint), now, arena, to);
}

static int put_names(uint64_t set, const char *const *names, struct van_arena *arena, struct slice_list *to)
{
	struct slice *v = van_arena_array(arena, (size_t)__builtin_popcountll(set), sizeof *v);
	if (!v)
		return VAN_ENOMEM;
	*to = (struct slice_list){v, 0};
	for (size_t i = 0; names[i]; i++)
		if (set >> i & 1)
			v[to->n++] = slice_str(names[i]);
	return 0;
}

/* The certificates in use as one PEM text; absent when there are none. */
static int put_pem(const struct record_list *l, van_time now, struct van_arena *arena, struct slice *to)
{
	struct van_buf all = VAN_BUF_INIT((size_t)1 << 20);
	for (size_t i = 0; i < l->n; i++) {
		const struct profile_certificate *c = RECORD_AT(*l, struct profile_certificate, i);
		if (!in_period(c->from, c->until, now))
			continue;
		van_buf_append_slice(&all, c->pem);
		van_buf_append_char(&all, '\n');
	}
	*to = all.n ? van_arena_slice(arena, van_buf_slice(&all)) : SLICE_NONE;
	int rc = all.error ? all.error : all.n && !to->p ? VAN_ENOMEM : 0;
	van_buf_free(&all);
	return rc;
}

static int put_send_transport(const struct profile_send *s, van_time now, struct van_arena *arena, struct directory_send *to)
{
	to->chunked = s->chunked;
	to->expect_continue = s->expect_continue;
	to->redirects = s->redirects;
	to->proxy = s->proxy;
	to->check_name = s->tls.check_name;
	if (s->auth) {
		to->user = s->auth->user;
		to->password_file = s->auth->password_file;
	}
	for (size_t i = s->tls.client.n; i-- > 0;) {
		const struct profile_key_pair *k = RECORD_AT(s->tls.client, struct profile_key_pair, i);
		if (!in_period(k->certificate->from, k->certificate->until, now))
			continue;
		to->client_certificate = k->certificate->pem;
		to->client_key_file = k->key;
	}
	return put_pem(&s->tls.trust, now, arena, &to->trust);
}

static int put_send(const struct profile_send *s, van_time now, struct van_arena *arena, struct directory_send **ret)
{
	struct directory_send *to = van_arena_alloc(arena, sizeof *to);
	struct directory_duration *retry = van_arena_array(arena, s->retry.n, sizeof *retry);
	if (!to || !retry)
		return VAN_ENOMEM;
	for (size_t i = 0; i < s->retry.n; i++)
		retry[i].micros = (uint64_t)s->retry.v[i];
	*to = (struct directory_send){
		.url = s->url,
		.sign = s->sign ? slice_str(profile_sign_names[s->sign]) : SLICE_NONE,
		.encrypt = s->encrypt ? slice_str(profile_encrypt_names[s->encrypt]) : SLICE_NONE,
		.compress = s->compress,
		.mdn = s->mdn.mode,
		.mdn_signed = s->mdn.signed_,
		.mdn_timeout = (uint64_t)s->mdn.timeout,
		.mdn_url = s->mdn.url,
		.retry = {retry, s->retry.n},
		.subject = s->subject,
		.content_type = s->content_type,
		.key_transport = s->key_transport,
		.signature = s->signature,
		.as2_version = s->as2_version,
		.restart = s->restart,
	};
	*ret = to;
	int rc = put_send_transport(s, now, arena, to);
	return rc < 0 ? rc : put_certificates(&s->certificates, now, arena, &to->certificates);
}

/* The host of "https://host:port/path", with the port left out. */
static struct slice host_of(struct slice url)
{
	struct slice rest = slice_make(url.p + (slice_starts(url, "https://") ? 8 : 7), 0);
	rest.n = (size_t)(url.p + url.n - rest.p);
	struct slice host = slice_cut(&rest, '/');
	if (host.n && host.p[0] == '[') {
		rest = slice_make(host.p + 1, host.n - 1);
		return slice_cut(&rest, ']');
	}
	return slice_cut(&host, ':');
}

static int put_station(const struct profile *station, van_time now, struct van_arena *arena, struct directory_as2 *to)
{
	const struct profile_station *s = station->station;
	to->station = station->id;
	to->enabled = s->enabled;
	to->as2_to = s->as2->id;
	int rc = put_key_pairs(&s->as2->sign, now, arena, &to->sign);
	return rc < 0 ? rc : put_key_pairs(&s->as2->decrypt, now, arena, &to->decrypt);
}

static int put_connection(const struct profile *partner, const struct profile_connection *c, van_time now,
			  struct van_arena *arena, struct directory_as2 *to)
{
	const struct profile_receive *r = c->receive;
	to->match = DIRECTORY_FOUND;
	to->enabled = to->enabled && partner->partner->enabled && c->enabled;
	to->partner = partner->id;
	to->connection = c->id;
	to->version = partner->version;
	to->as2_from = c->as2_id;
	to->require_signed = r->require & PROFILE_REQUIRE_SIGNED;
	to->require_encrypted = r->require & PROFILE_REQUIRE_ENCRYPTED;
	to->check_expiry = r->check_expiry;
	to->mdn_url_host = c->mdn_host.p ? c->mdn_host : c->send ? host_of(c->send->url) : SLICE_NONE;
	to->mdn_hosts = c->mdn_hosts;
	to->max_message = c->max_message;
	to->check_purpose = r->check_purpose;
	to->check_chain = r->authorities.n > 0;
	to->restart = r->restart;
	to->max_expansion = r->max_expansion;
	to->check_revocation = r->check_revocation;
	to->check_client = r->client_certificates.n > 0;
	to->strict_message_id = r->strict_message_id;
	to->refuse_duplicate_file_name = r->duplicate_file_name == PROFILE_FILE_NAME_REFUSE;
	to->refuse_illegal_file_name = r->illegal_file_name == PROFILE_FILE_NAME_REFUSE;
	to->addresses = r->addresses;
	to->auth_user = r->auth ? r->auth->user : SLICE_NONE;
	to->auth_password = r->auth ? r->auth->password : SLICE_NONE;
	int rc = put_certificates(&r->certificates, now, arena, &to->certificates);
	if (rc == 0)
		rc = put_certificates(&r->authorities, now, arena, &to->authorities);
	if (rc == 0)
		rc = put_fingerprints(&r->client_certificates, now, arena, &to->client_certificates);
	if (rc == 0 && r->check_revocation != PROFILE_REVOCATION_NEVER)
		rc = put_certificates(&r->client_certificates, now, arena, &to->client_ders);
	if (rc == 0)
		rc = put_names(r->digests, profile_digest_names, arena, &to->digests);
	if (rc == 0)
		rc = put_names(r->ciphers, profile_cipher_names, arena, &to->ciphers);
	if (rc == 0 && c->send)
		rc = put_send(c->send, now, arena, &to->send);
	return rc;
}

int directory_find_as2(const struct directory *d, struct slice as2_to, struct slice as2_from, van_time now,
		       struct van_arena *arena, struct directory_as2 *ret)
{
	struct directory_as2 answer = {.match = DIRECTORY_STATION_UNKNOWN, .as2_to = as2_to, .as2_from = as2_from};
	struct directory_entries stations = directory_index_find(&d->as2_stations, as2_to, NO_KEY);
	int rc = 0;
	if (stations.n) {
		answer.match = DIRECTORY_PARTNER_UNKNOWN;
		rc = put_station(stations.v[0].p, now, arena, &answer);
		struct directory_entries pairs = directory_index_find(&d->as2_pairs, stations.v[0].p->id, as2_from);
		if (rc == 0 && pairs.n)
			rc = put_connection(pairs.v[0].p, pairs.v[0].item, now, arena, &answer);
	}
	if (rc == 0)
		*ret = answer;
	return rc;
}

int directory_as2_connection(const struct directory *d, struct slice connection, van_time now, struct van_arena *arena,
			     struct directory_as2 *ret)
{
	const struct profile *partner;
	const struct profile_connection *c = directory_connection(d, connection, &partner);
	const struct profile *station = c && c->protocol == PROFILE_AS2 ? directory_get(d, PROFILE_STATION, c->station) : NULL;
	if (!station || !station->station->as2)
		return VAN_ENOTFOUND;
	return directory_find_as2(d, station->station->as2->id, c->as2_id, now, arena, ret);
}

/* --- SFTP ------------------------------------------------------------------------------------------------------------- */

static int put_ssh_keys(const struct record_list *keys, struct van_arena *arena, struct record_list *to)
{
	struct directory_ssh_key *v = van_arena_array(arena, keys->n, sizeof *v);
	struct van_buf blob = VAN_BUF_INIT(65536);
	int rc = v ? 0 : VAN_ENOMEM;
	*to = (struct record_list){v, 0};
	for (size_t i = 0; i < keys->n && rc == 0; i++) {
		const struct profile_ssh_key *k = RECORD_AT(*keys, struct profile_ssh_key, i);
		struct directory_ssh_key *key = &v[to->n];
		const char *why;
		van_buf_reset(&blob);
		if (profile_ssh_key_parse(k->key, &key->type, &blob, &why) < 0)
			continue; /* such a key was warned about when it was applied; it can never log in */
		key->blob = van_arena_slice(arena, van_buf_slice(&blob));
		key->from = k->from;
		key->until = k->until;
		rc = key->blob.p ? 0 : VAN_ENOMEM;
		to->n++;
	}
	van_buf_free(&blob);
	return rc;
}

struct subfolders {
	const struct directory *d;
	const struct profile *partner;
	const struct profile_connection *c;
	struct slice_list *to;
	size_t room;
};

/* Might documents under this agreement come to that connection? */
static bool delivers_to(const struct profile_agreement *a, const struct subfolders *s)
{
	if (a->connection.p)
		return slice_eq(a->connection, s->c->id);
	if (slice_is(a->to, "*"))
		return true;
	for (size_t i = 0; i < s->partner->partner->identities.n; i++)
		if (slice_eq(RECORD_AT(s->partner->partner->identities, struct profile_identity, i)->name, a->to))
			return true;
	return false;
}

static int add_subfolder(void *arg, const struct profile *p)
{
	struct subfolders *s = arg;
	struct slice name = p->agreement->folder;
	if (!name.n || !delivers_to(p->agreement, s))
		return 0;
	for (size_t i = 0; i < s->to->n; i++)
		if (slice_eq(s->to->v[i], name))
			return 0;
	if (s->to->n < s->room)
		s->to->v[s->to->n++] = name;
	return 0;
}

#define SUBFOLDERS_MAX 256 /* shown of one mailbox */

static int put_subfolders(const struct directory *d, const struct profile *p, const struct profile_connection *c, struct van_arena *arena,
			  struct slice_list *to)
{
	size_t n = c->folders.out_subfolders.n;
	*to = c->folders.out_subfolders;
	if (!d->agreements_with_folder)
		return 0;
	struct slice *v = van_arena_array(arena, n + SUBFOLDERS_MAX, sizeof *v);
	if (!v)
		return VAN_ENOMEM;
	for (size_t i = 0; i < n; i++)
		v[i] = to->v[i];
	*to = (struct slice_list){v, n};
	struct subfolders s = {d, p, c, to, n + SUBFOLDERS_MAX};
	return directory_each(d, PROFILE_AGREEMENT, add_subfolder, &s);
}

int directory_find_sftp(const struct directory *d, struct slice user, struct van_arena *arena, struct directory_sftp *ret)
{
	struct directory_entries e = directory_index_find(&d->users, user, NO_KEY);
	if (!e.n)
		return VAN_ENOTFOUND;
	const struct profile *p = e.v[0].p;
	const struct profile_connection *c = e.v[0].item;
	struct directory_sftp answer = {
		.user = c->user,
		.partner = p->id,
		.connection = c->id,
		.version = p->version,
		.enabled = p->partner->enabled && c->enabled,
		.password = c->password,
		.folder_in = c->folders.in,
		.folder_out = c->folders.out,
		.taken = c->taken,
		.file_name = c->file_name,
		.max_message = c->max_message,
	};
	answer.login = c->login;
	answer.principals = c->principals;
	answer.addresses = c->addresses;
	answer.sessions = c->limits.sessions;
	answer.bandwidth = c->limits.bandwidth == UINT64_MAX ? 0 : c->limits.bandwidth;
	answer.storage = c->limits.storage == UINT64_MAX ? 0 : c->limits.storage;
	answer.files = c->limits.files;
	answer.uploads = c->limits.uploads;
	answer.in_subfolders = c->folders.in_subfolders;
	answer.accept = c->accept;
	answer.temporary = c->temporary;
	int rc = put_ssh_keys(&c->keys, arena, &answer.keys);
	if (rc == 0)
		rc = put_ssh_keys(&c->authorities, arena, &answer.authorities);
	if (rc == 0)
		rc = put_subfolders(d, p, c, arena, &answer.out_subfolders);
	if (rc == 0)
		*ret = answer;
	return rc;
}

/* --- identities and connections ------------------------------------------------------------------------------------------ */

const struct profile_identity *directory_identity(const struct directory *d, struct slice identity, van_time now,
						  const struct profile **ret_owner)
{
	struct directory_entries e = directory_index_find(&d->identities, identity, NO_KEY);
	for (size_t i = 0; i < e.n; i++) {
		const struct profile_identity *x = e.v[i].item;
		if (in_period(x->valid_from, x->valid_until, now)) {
			*ret_owner = e.v[i].p;
			return x;
		}
	}
	*ret_owner = NULL;
	return NULL;
}

const struct profile *directory_owner(const struct directory *d, struct slice identity, van_time now)
{
	const struct profile *owner;
	directory_identity(d, identity, now, &owner);
	return owner;
}

const struct profile_connection *directory_connection(const struct directory *d, struct slice id, const struct profile **ret_partner)
{
	struct directory_entries e = directory_index_find(&d->connections, id, NO_KEY);
	if (e.n && ret_partner)
		*ret_partner = e.v[0].p;
	return e.n ? e.v[0].item : NULL;
}

bool directory_may_present(const struct directory *d, struct slice connection, struct slice identity, van_time now)
{
	const struct profile *p;
	const struct profile_connection *c = directory_connection(d, connection, &p);
	return c && authority_may_present(p->partner, c, identity, now);
}

bool directory_may_collect(const struct directory *d, struct slice connection, struct slice identity, van_time now)
{
	const struct profile *p;
	const struct profile_connection *c = directory_connection(d, connection, &p);
	return c && authority_may_collect(p->partner, c, identity, now);
}
