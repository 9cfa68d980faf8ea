/* What a session was let in by, and whether that still holds when its partner's profile has changed: a key that was taken away keeps no session open. */
#include "roles/store/session_proof.h"

#include "base/cidr.h"
#include "base/log.h"
#include "queue/logins.h"

#include <stdlib.h>

static int keep(char **to, struct slice s)
{
	free(*to);
	*to = s.p ? strndup(s.p, s.n) : NULL;
	return s.p && !*to ? VAN_ENOMEM : 0;
}

int session_proof_key(struct session_proof *p, const struct ipc_auth *a)
{
	van_buf_reset(&p->key);
	p->key.max = IPC_MESSAGE_MAX;
	return record_encode(&ipc_auth_table, &(struct ipc_auth){.key_blob = a->key_blob, .certificate = a->certificate}, &p->key);
}

int session_proof_password(struct session_proof *p, struct slice hash)
{
	return keep(&p->hash, hash);
}

void session_proof_free(struct session_proof *p)
{
	van_buf_free(&p->key);
	free(p->hash);
	*p = (struct session_proof){0};
}

bool session_key_listed(const struct record_list *keys, struct slice blob, van_time now)
{
	for (size_t i = 0; i < keys->n; i++) {
		const struct directory_ssh_key *k = RECORD_AT(*keys, struct directory_ssh_key, i);
		if (slice_eq(k->blob, blob) && (!k->from || k->from <= now) && (!k->until || now < k->until))
			return true;
	}
	return false;
}

static bool holds(const struct slice_list *l, struct slice s)
{
	for (size_t i = 0; i < l->n; i++)
		if (slice_eq(l->v[i], s))
			return true;
	return false;
}

static bool principal_fits(const struct directory_sftp *who, const struct ipc_certificate *c)
{
	if (!who->principals.n)
		return holds(&c->principals, who->user);
	for (size_t i = 0; i < who->principals.n; i++)
		if (holds(&c->principals, who->principals.v[i]))
			return true;
	return false;
}

const char *session_certificate_misfit(const struct directory_sftp *who, const struct ipc_certificate *c, struct slice address, van_time now)
{
	if (!session_key_listed(&who->authorities, c->authority, now))
		return "certificate of an unknown authority";
	if (!principal_fits(who, c))
		return "certificate for other principals";
	if (c->addresses.n && !van_cidr_any(&c->addresses, address))
		return "certificate for other addresses";
	return NULL;
}

bool session_may_use(const struct directory_sftp *who, enum ipc_auth_method method)
{
	return who->login == PROFILE_LOGIN_ANY || who->login == PROFILE_LOGIN_BOTH ||
	       (who->login == PROFILE_LOGIN_PASSWORD) == (method == IPC_AUTH_PASSWORD);
}

/* A certificate's own validity is asked at log-in alone: those that last minutes are meant to open sessions that last hours. */
static bool key_holds(const struct session_proof *p, const struct directory_sftp *who, struct slice address, struct van_arena *arena)
{
	struct ipc_auth a;
	van_time now = van_clock_now();
	if (!session_may_use(who, IPC_AUTH_KEY_VERIFIED) || record_decode(&ipc_auth_table, van_buf_slice(&p->key), arena, &a) < 0)
		return false;
	return a.certificate ? !session_certificate_misfit(who, a.certificate, address, now) : session_key_listed(&who->keys, a.key_blob, now);
}

const char *session_proof_misfit(const struct session_proof *p, unsigned proven, const struct directory_sftp *who, struct slice address,
				 struct van_arena *arena)
{
	const unsigned key = 1u << IPC_AUTH_KEY_VERIFIED, password = 1u << IPC_AUTH_PASSWORD;
	if (who->addresses.n && !van_cidr_any(&who->addresses, address))
		return "this account may not log in from this address any more";
	if (who->login == PROFILE_LOGIN_BOTH && proven != (key | password))
		return "this account needs a key and a password now";
	if (proven & key && !key_holds(p, who, address, arena))
		return "the key that this session was opened with is not valid any more";
	if (proven & password && (!session_may_use(who, IPC_AUTH_PASSWORD) || !p->hash || !slice_is(who->password, p->hash)))
		return "the password that this session was opened with is not valid any more";
	return NULL;
}

/* --- the end ----------------------------------------------------------------------------------------------------------------------- */

struct ending {
	struct write_request base;
	struct queue_login login;
	struct slice actor;
};

static int run_ending(struct write_request *r, struct queue_work *w)
{
	struct ending *n = (struct ending *)r;
	return queue_session_ended(w, &n->login, n->actor);
}

static const struct write_ops ending_ops = {.run = run_ending, .done = write_request_free};

int session_end_by(struct session *e, struct slice actor, const char *reason)
{
	struct ending *n = write_request_new(e->s->writer, sizeof *n, &ending_ops);
	if (!n)
		return VAN_ENOMEM;
	struct van_arena *a = n->base.arena;
	n->login = (struct queue_login){.address = van_arena_slice(a, slice_str(e->peer)), .user = van_arena_slice(a, slice_str(e->user)),
					.partner = van_arena_slice(a, slice_str(e->partner)), .connection = van_arena_slice(a, slice_str(e->connection)),
					.text = van_arena_slice(a, slice_str(reason))};
	n->actor = van_arena_slice(a, actor);
	log_event(LOG_LEVEL_INFO, "session-ended", "user", e->user, "partner", e->partner, "peer", e->peer, "by", log_slice(actor), "reason", reason, NULL);
	writer_submit(&n->base);
	session_stop(e, reason);
	return 0;
}
