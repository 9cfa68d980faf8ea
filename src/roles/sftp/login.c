#include "roles/sftp/login.h"

#include "base/codec.h"
#include "base/log.h"

#include <stdio.h>

#define USER_MAX 128
#define PASSWORD_MAX 1024
#define KEY_MAX 8192

static const char *const method_names[] = {"key-offered", "key", "password"};

/* Keeps the answer beyond the next request. */
static int keep(struct sftpd_login *l, const struct ipc_auth_reply *r)
{
	int rc = record_encode(&ipc_auth_reply_table, r, &l->text);
	if (rc == 0 && !l->lists)
		l->lists = van_arena_new(0);
	if (rc == 0)
		rc = l->lists ? record_decode(&ipc_auth_reply_table, van_buf_slice(&l->text), l->lists, &l->reply) : VAN_ENOMEM;
	return rc;
}

static bool ask(struct sftpd_login *l, const struct ipc_auth *a)
{
	struct ipc_auth_reply reply;
	struct sftpd_call c = {IPC_AUTH, &ipc_auth_table, a, -1, IPC_AUTH_REPLY, &ipc_auth_reply_table};
	if (l->authenticated || l->give_up)
		return false;
	int rc = sftpd_store_call(l->store, &c, &reply, NULL);
	if (rc < 0) {
		l->give_up = "The mailboxes can't be reached just now: log in again later";
		return false;
	}
	if (!reply.ok || a->method == IPC_AUTH_KEY_OFFERED)
		return reply.ok;
	if (keep(l, &reply) < 0)
		return false;
	snprintf(l->partner, sizeof l->partner, "%.*s", SLICE_ARG(l->reply.partner));
	l->authenticated = true;
	return true;
}

static void count(struct sftpd_login *l, const struct ipc_auth *a, bool ok)
{
	bool offer = a->method == IPC_AUTH_KEY_OFFERED;
	if (ok && offer)
		return;
	if (!offer)
		log_event(ok ? LOG_LEVEL_INFO : LOG_LEVEL_WARNING, ok ? "login" : "login-failed", "user", log_slice(a->user), "method",
			  method_names[a->method], "partner", ok ? l->partner : NULL, NULL);
	if (ok) {
		log_context("partner", l->partner);
		return;
	}
	uint32_t *counter = offer ? &l->refused_offers : &l->failures;
	if (++*counter >= (offer ? l->limits->key_offers : l->limits->login_failures) && !l->give_up)
		l->give_up = "Too many failed log-ins";
}

static bool attempt(struct sftpd_login *l, const struct ipc_auth *a, bool proven)
{
	bool ok = proven && a->user.n && a->user.n <= USER_MAX && ask(l, a);
	count(l, a, ok);
	return ok;
}

bool sftpd_login_password(struct sftpd_login *l, const char *user, const char *password)
{
	struct ipc_auth a = {.method = IPC_AUTH_PASSWORD, .user = slice_str(user), .password = slice_str(password)};
	return attempt(l, &a, l->limits->passwords && a.password.n <= PASSWORD_MAX);
}

/* The key's wire form, of which the first string is the type. */
static int key_blob(ssh_key key, struct van_buf *to)
{
	char *text = NULL;
	if (ssh_pki_export_pubkey_base64(key, &text) != SSH_OK)
		return VAN_ECRYPTO;
	int rc = base64_decode(to, slice_str(text));
	ssh_string_free_char(text);
	return rc < 0 ? rc : to->n < 4 ? VAN_ESYNTAX : 0;
}

static bool with_key(struct sftpd_login *l, uint32_t method, const char *user, ssh_key key, bool proven)
{
	struct van_buf blob = VAN_BUF_INIT(KEY_MAX);
	struct ipc_auth a = {.method = method, .user = slice_str(user)};
	bool readable = key_blob(key, &blob) == 0;
	if (readable) {
		const unsigned char *p = (const unsigned char *)blob.p;
		size_t n = (size_t)p[0] << 24 | (size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3];
		readable = n <= blob.n - 4;
		a.key_type = slice_make(blob.p + 4, readable ? n : 0);
		a.key_blob = van_buf_slice(&blob);
	}
	bool ok = attempt(l, &a, proven && readable);
	van_buf_free(&blob);
	return ok;
}

bool sftpd_login_offer(struct sftpd_login *l, const char *user, ssh_key key)
{
	return with_key(l, IPC_AUTH_KEY_OFFERED, user, key, true);
}

bool sftpd_login_key(struct sftpd_login *l, const char *user, ssh_key key, bool valid)
{
	return with_key(l, IPC_AUTH_KEY_VERIFIED, user, key, valid);
}
