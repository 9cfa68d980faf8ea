/* Log-ins of SFTP sessions: who may, how often one may fail, and what both parts of a log-in prove. The client's signatures
 * and certificates have been verified in the session's process. */
#include "roles/store/sessions.h"

#include "base/cidr.h"
#include "base/codec.h"
#include "base/log.h"
#include "ipc/throttle.h"
#include "partner/settings.h"
#include "receipt/tree.h"
#include "roles/store/bans.h"
#include "roles/store/session_proof.h"
#include "roles/store/throttles.h"

#include <stdlib.h>

#define DELAYS_MAX 10     /* the longest delay is so many times the first */
#define ADDRESS_FACTOR 5

/* An unknown user's password is checked too, against a hash that nothing fits: so it takes as long as a wrong one. */
#define NOBODYS_HASH "$y$j9T$F5Jx5fExrKuPp53xLKQ..1$X3DX6M94c7o.9agCG9G317fhZg9SqC.5i5rd.RhAtQ7"

static void keep(char **to, struct slice s)
{
	free(*to);
	*to = s.p ? strndup(s.p, s.n) : NULL;
}

bool session_account(struct session *e, struct slice user, struct directory_sftp *ret)
{
	return directory_find_sftp(e->s->directory, user, e->s->arena, ret) == 0 && ret->enabled;
}

void session_login_stop(struct session *e)
{
	jobs_password_forget(e->login.password);
	e->login.password = NULL;
	if (e->login.delay) {
		loop_cancel(e->login.delay);
		e->login.delay = NULL;
		session_unhold(e);
	}
}

void session_login_free(struct session *e)
{
	session_proof_free(&e->login.proof);
	free(e->login.user);
}

static void answer(struct session *e, uint64_t request, const struct ipc_auth_reply *r, int fd)
{
	e->login.busy = false;
	if (e->channel)
		ipc_send(e->channel, IPC_AUTH_REPLY, request, &ipc_auth_reply_table, r, fd >= 0 ? &fd : NULL, fd >= 0);
}

static void say_no(struct session *e, uint64_t request, const char *text)
{
	struct ipc_auth_reply r = {.text = slice_str(text)};
	answer(e, request, &r, -1);
}

/* --- what is written down ----------------------------------------------------------------------------------------------------- */

struct noting {
	struct write_request base;
	struct session *e;
	struct queue_login login;
	struct queue_login_policy policy;
	bool good, spare, banned;
	uint64_t failures;
	struct queue_ban ban;
};

static void answer_late(void *arg)
{
	struct session *e = arg;
	e->login.delay = NULL;
	say_no(e, e->login.request, NULL);
	session_unhold(e);
}

/* The first failure waits a little, the tenth and later ones ten times as long. */
static void refuse_late(struct session *e, uint64_t failures)
{
	van_time delay = e->s->role->config->sftp.failure_delay * (van_time)(failures > DELAYS_MAX ? DELAYS_MAX : failures);
	if (delay && e->channel)
		e->login.delay = loop_after(e->s->role->loop, delay, answer_late, e);
	if (e->login.delay)
		session_hold(e);
	else
		say_no(e, e->login.request, NULL);
}

static int run_note(struct write_request *r, struct queue_work *w)
{
	struct noting *n = (struct noting *)r;
	if (n->good)
		return queue_login_succeeded(w, &n->login);
	return queue_login_failed(w, &n->login, &n->policy, n->spare, &n->failures, &n->banned, &n->ban);
}

static void done_note(struct write_request *r)
{
	struct noting *n = (struct noting *)r;
	struct session *e = n->e;
	if (r->rc < 0)
		log_event(LOG_LEVEL_ERROR, "login-not-noted", "user", log_slice(n->login.user), "error", van_err_name(r->rc), NULL);
	if (r->rc == 0 && n->banned) {
		char until[VAN_TIME_TEXT];
		log_event(LOG_LEVEL_WARNING, "sftp-banned", "network", log_slice(n->ban.network), "user", log_slice(n->ban.user), "until",
			  van_time_rfc3339(until, n->ban.until), "failures", log_u64(n->ban.failures), NULL);
		if (e->s->bans && !e->s->stopping)
			bans_reload(e->s);
	}
	if (!n->good)
		refuse_late(e, r->rc == 0 ? n->failures : 1);
	session_unhold(e);
	write_request_free(r);
}

static const struct write_ops note_ops = {.run = run_note, .done = done_note};

static bool is_proxy(const struct van_config *c, struct slice address)
{
	for (size_t i = 0; i < c->listen.sftp.n; i++)
		if (van_cidr_any(&RECORD_AT(c->listen.sftp, struct van_config_listener, i)->proxies, address))
			return true;
	return false;
}

/* `who` NULL: the name is unknown. A refused one is answered after the commit. */
static void note(struct session *e, bool good, struct slice user, const struct directory_sftp *who, struct slice text)
{
	const struct van_config *c = e->s->role->config;
	struct noting *n = write_request_new(e->s->writer, sizeof *n, &note_ops);
	if (!n) {
		if (!good)
			refuse_late(e, 1);
		return;
	}
	struct van_arena *a = n->base.arena;
	n->base.patient = true;
	n->e = e;
	n->good = good;
	n->login = (struct queue_login){.address = van_arena_slice(a, slice_str(e->peer)), .user = van_arena_slice(a, user),
					.partner = who ? van_arena_slice(a, who->partner) : SLICE_NONE,
					.connection = who ? van_arena_slice(a, who->connection) : SLICE_NONE, .text = van_arena_slice(a, text)};
	n->policy = (struct queue_login_policy){c->sftp.failures, c->sftp.failures_within, c->sftp.ban_for, c->sftp.ban_addresses ? ADDRESS_FACTOR : 0};
	n->spare = is_proxy(c, slice_str(e->peer));
	session_hold(e);
	writer_submit(&n->base);
}

static void fail(struct session *e, struct slice user, const struct directory_sftp *who, struct slice text)
{
	log_event(LOG_LEVEL_WARNING, "sftp-login-refused", "user", log_slice(user), "peer", e->peer, "method", log_slice(text), NULL);
	note(e, false, user, who, text);
}

/* --- success --------------------------------------------------------------------------------------------------------------------- */

static bool bind_mailbox(struct session *e, const struct directory_sftp *who, struct slice method)
{
	keep(&e->user, who->user);
	keep(&e->partner, who->partner);
	keep(&e->connection, who->connection);
	keep(&e->method, method);
	e->partner_version = who->version;
	e->taken = who->taken;
	session_limit(e, who);
	e->open = e->user && e->partner && e->connection && e->method;
	log_event(LOG_LEVEL_INFO, "sftp-login", "user", e->user, "partner", e->partner, "peer", e->peer, "method", e->method, NULL);
	return e->open;
}

static uint64_t sessions_of(const struct store_role *s, struct slice connection)
{
	uint64_t n = 0;
	for (const struct session *e = s->sessions; e; e = e->next)
		n += e->open && slice_is(connection, e->connection);
	return n;
}

static void let_in(struct session *e, const struct directory_sftp *who, struct slice method)
{
	int fd = who->bandwidth ? throttles_get(e->s, who->connection) : -1;
	if (who->sessions && sessions_of(e->s, who->connection) >= who->sessions) {
		say_no(e, e->login.request, "This mailbox has as many sessions as it may: close some first");
		return;
	}
	if ((who->bandwidth && fd < 0) || !bind_mailbox(e, who, method)) {
		say_no(e, e->login.request, "There is no room for another session just now: log in again later");
		return;
	}
	struct ipc_auth_reply r = {
		.ok = true, .partner = who->partner, .connection = who->connection, .folder_in = who->folder_in, .folder_out = who->folder_out,
		.taken = slice_str(profile_taken_names[who->taken]), .in_subfolders = who->in_subfolders, .out_subfolders = who->out_subfolders,
		.accept = who->accept, .temporary = who->temporary, .bandwidth = who->bandwidth,
		.max_message = who->max_message == UINT64_MAX ? 0 : who->max_message,
	};
	answer(e, e->login.request, &r, fd);
	note(e, true, who->user, who, method);
}

/* One of the two that may be asked for is proven. */
static void proven(struct session *e, const struct directory_sftp *who, enum ipc_auth_method method, struct slice text)
{
	const unsigned both = 1u << IPC_AUTH_KEY_VERIFIED | 1u << IPC_AUTH_PASSWORD;
	e->login.proven |= 1u << method;
	if (who->login != PROFILE_LOGIN_BOTH || e->login.proven == both) {
		const char *why = session_proof_misfit(&e->login.proof, e->login.proven, who, slice_str(e->peer), e->s->arena);
		if (why) /* the profile has changed between one half and the other, or while a password was checked */
			fail(e, who->user, who, slice_str(why));
		else
			let_in(e, who, text);
		return;
	}
	struct ipc_auth_reply r = {.partial = true, .next = method == IPC_AUTH_PASSWORD ? SLICE("key") : SLICE("password")};
	answer(e, e->login.request, &r, -1);
}

/* --- passwords -------------------------------------------------------------------------------------------------------------------- */

static void on_password(void *arg, bool ok)
{
	struct session *e = arg;
	struct directory_sftp who;
	struct slice user = slice_str(e->login.user);
	e->login.password = NULL;
	pthread_rwlock_rdlock(&e->s->directory_lock);
	bool known = session_account(e, user, &who);
	if (ok && known && session_may_use(&who, IPC_AUTH_PASSWORD))
		proven(e, &who, IPC_AUTH_PASSWORD, SLICE("password"));
	else
		fail(e, user, known ? &who : NULL, SLICE("password"));
	pthread_rwlock_unlock(&e->s->directory_lock);
}

static void begin_password(struct session *e, const struct ipc_auth *a, const struct directory_sftp *who)
{
	bool usable = who && who->password.n && session_may_use(who, IPC_AUTH_PASSWORD);
	struct slice hash = usable ? who->password : SLICE(NOBODYS_HASH);
	if (e->s->role->config->sftp.passwords && session_proof_password(&e->login.proof, hash) == 0)
		e->login.password = jobs_password(e->s, hash, a->password, on_password, e);
	if (!e->login.password)
		say_no(e, e->login.request, NULL);
}

/* --- keys and certificates ----------------------------------------------------------------------------------------------------------- */

/* NULL: it fits; else why not. */
static const char *certificate_misfit(const struct session *e, const struct directory_sftp *who, const struct ipc_certificate *c, van_time now)
{
	if ((c->from && now < c->from) || (c->until && now >= c->until))
		return "certificate out of its validity";
	return session_certificate_misfit(who, c, slice_str(e->peer), now);
}

static struct slice key_text(struct session *e, const struct ipc_auth *a)
{
	struct van_buf b = VAN_BUF_INIT(100);
	struct receipt_hash h = receipt_sha256(a->key_blob.p, a->key_blob.n);
	base64_encode(&b, h.b, sizeof h.b, 0);
	struct slice hash = van_buf_slice(&b);
	while (hash.n && hash.p[hash.n - 1] == '=')
		hash.n--;
	struct slice text = van_arena_printf(e->s->arena, "%s SHA256:%.*s", a->certificate ? "certificate" : "key", SLICE_ARG(hash));
	if (a->certificate)
		text = van_arena_printf(e->s->arena, "%.*s \"%.*s\" serial %llu", SLICE_ARG(text), (int)(a->certificate->key_id.n < 100 ? a->certificate->key_id.n : 100),
					a->certificate->key_id.p ? a->certificate->key_id.p : "", (unsigned long long)a->certificate->serial);
	van_buf_free(&b);
	return text;
}

static void try_key(struct session *e, const struct ipc_auth *a, const struct directory_sftp *who)
{
	van_time now = van_clock_now();
	bool usable = who && session_may_use(who, IPC_AUTH_KEY_VERIFIED);
	const char *why = !usable || a->certificate ? NULL : session_key_listed(&who->keys, a->key_blob, now) ? NULL : "unknown key";
	if (usable && a->certificate)
		why = certificate_misfit(e, who, a->certificate, now);
	bool ok = usable && !why;
	if (a->method == IPC_AUTH_KEY_OFFERED) {
		struct ipc_auth_reply r = {.ok = ok};
		if (!ok && why && a->certificate)
			log_event(LOG_LEVEL_WARNING, "sftp-certificate-refused", "user", log_slice(a->user), "peer", e->peer, "reason", why, NULL);
		answer(e, e->login.request, &r, -1);
	} else if (ok && session_proof_key(&e->login.proof, a) < 0) {
		say_no(e, e->login.request, NULL);
	} else if (ok) {
		proven(e, who, IPC_AUTH_KEY_VERIFIED, key_text(e, a));
	} else {
		fail(e, a->user, who, why ? slice_str(why) : key_text(e, a));
	}
}

/* --- one attempt ------------------------------------------------------------------------------------------------------------------------ */

/* What one half proved for one name counts for no other. */
static bool same_user(struct session *e, struct slice user)
{
	if (e->login.user && slice_is(user, e->login.user))
		return true;
	e->login.proven = 0;
	keep(&e->login.user, user);
	return e->login.user != NULL;
}

void session_auth(struct session *e, struct ipc_message *m)
{
	struct ipc_auth a;
	struct directory_sftp who;
	if (e->login.busy) { /* one at a time: what is proven must be of the name that was asked for */
		struct ipc_auth_reply no = {.ok = false};
		ipc_send(e->channel, IPC_AUTH_REPLY, m->request, &ipc_auth_reply_table, &no, NULL, 0);
		return;
	}
	if (e->open || record_decode(&ipc_auth_table, m->body, e->s->arena, &a) < 0 || !a.user.n || !same_user(e, a.user)) {
		say_no(e, m->request, NULL);
		return;
	}
	e->login.busy = true;
	e->login.request = m->request;
	if (bans_hit(e->s, slice_str(e->peer), a.user)) {
		log_event(LOG_LEVEL_WARNING, "sftp-login-banned", "user", log_slice(a.user), "peer", e->peer, NULL);
		refuse_late(e, DELAYS_MAX);
		return;
	}
	pthread_rwlock_rdlock(&e->s->directory_lock);
	bool known = session_account(e, a.user, &who);
	if (known && who.addresses.n && !van_cidr_any(&who.addresses, slice_str(e->peer))) {
		if (a.method == IPC_AUTH_KEY_OFFERED)
			say_no(e, m->request, NULL);
		else
			fail(e, a.user, &who, SLICE("not from this address"));
	} else if (a.method == IPC_AUTH_PASSWORD) {
		begin_password(e, &a, known ? &who : NULL);
	} else {
		try_key(e, &a, known ? &who : NULL);
	}
	pthread_rwlock_unlock(&e->s->directory_lock);
}
