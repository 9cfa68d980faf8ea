#include "roles/sftp/login.h"

#include "base/codec.h"
#include "base/log.h"
#include "roles/sftp/authority.h"

#include <stdio.h>
#include <unistd.h>

#define PASSWORD_MAX 1024
#define KEY_MAX 65536 /* certificates may have many principals */

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

static enum sftpd_login_result ask(struct sftpd_login *l, const struct ipc_auth *a)
{
	struct ipc_auth_reply reply;
	struct sftpd_call c = {IPC_AUTH, &ipc_auth_table, a, -1, IPC_AUTH_REPLY, &ipc_auth_reply_table};
	int fd = -1;
	l->next = NULL;
	if (l->authenticated || l->give_up)
		return SFTPD_LOGIN_NO;
	int rc = sftpd_store_call(l->store, &c, &reply, &fd);
	if (rc < 0) {
		l->give_up = "The mailboxes can't be reached just now: log in again later";
		return SFTPD_LOGIN_NO;
	}
	if (fd >= 0) {
		l->throttle = throttle_map(fd);
		close(fd);
	}
	if (reply.text.n) {
		snprintf(l->said, sizeof l->said, "%.*s", SLICE_ARG(reply.text));
		l->give_up = l->said;
	}
	if (reply.partial) {
		l->next = slice_is(reply.next, "key") ? "key" : "password";
		return SFTPD_LOGIN_PARTIAL;
	}
	if (!reply.ok || a->method == IPC_AUTH_KEY_OFFERED)
		return reply.ok ? SFTPD_LOGIN_YES : SFTPD_LOGIN_NO;
	if (keep(l, &reply) < 0 || (reply.bandwidth && !l->throttle))
		return SFTPD_LOGIN_NO;
	snprintf(l->partner, sizeof l->partner, "%.*s", SLICE_ARG(l->reply.partner));
	l->authenticated = true;
	return SFTPD_LOGIN_YES;
}

static void count(struct sftpd_login *l, const struct ipc_auth *a, enum sftpd_login_result r)
{
	bool offer = a->method == IPC_AUTH_KEY_OFFERED;
	if (r != SFTPD_LOGIN_NO && offer)
		return;
	if (!offer)
		log_event(r != SFTPD_LOGIN_NO ? LOG_LEVEL_INFO : LOG_LEVEL_WARNING,
			  r == SFTPD_LOGIN_YES ? "login" : r == SFTPD_LOGIN_PARTIAL ? "login-half" : "login-failed", "user", log_slice(a->user), "method",
			  method_names[a->method], "partner", r == SFTPD_LOGIN_YES ? l->partner : NULL, "client", l->client, "legacy",
			  l->old_algorithms.n ? log_slice(van_buf_slice(&l->old_algorithms)) : NULL, NULL);
	if (r == SFTPD_LOGIN_YES)
		log_context("partner", l->partner);
	if (r != SFTPD_LOGIN_NO)
		return;
	uint32_t *counter = offer ? &l->refused_offers : &l->failures;
	if (++*counter >= (offer ? l->limits->key_offers : l->limits->login_failures) && !l->give_up)
		l->give_up = "Too many failed log-ins";
}

static enum sftpd_login_result attempt(struct sftpd_login *l, const struct ipc_auth *a, bool proven)
{
	snprintf(l->user, sizeof l->user, "%.*s", SLICE_ARG(a->user));
	enum sftpd_login_result r = proven && a->user.n && a->user.n <= SFTPD_USER_MAX ? ask(l, a) : SFTPD_LOGIN_NO;
	count(l, a, r);
	return r;
}

enum sftpd_login_result sftpd_login_password(struct sftpd_login *l, const char *user, const char *password)
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

/* What the certificate says, if its authority's signature holds; whether that authority may sign is the store's to say. */
static bool read_certificate(struct slice blob, struct sftpd_certificate *c, struct ipc_certificate *ret)
{
	struct van_error e = {0};
	int rc = sftpd_certificate_read(blob, c, &e);
	if (rc == 0)
		rc = sftpd_authority_verify(c, &e);
	if (rc < 0) {
		log_event(LOG_LEVEL_WARNING, "certificate-refused", "error", e.text, NULL);
		return false;
	}
	*ret = (struct ipc_certificate){.authority = c->authority, .principals = {c->principals, c->nprincipals}, .from = c->from, .until = c->until,
					.addresses = {c->addresses, c->naddresses}, .serial = c->serial, .key_id = c->key_id};
	return true;
}

static enum sftpd_login_result with_key(struct sftpd_login *l, uint32_t method, const char *user, ssh_key key, bool proven)
{
	struct van_buf blob = VAN_BUF_INIT(KEY_MAX);
	struct ipc_auth a = {.method = method, .user = slice_str(user)};
	struct sftpd_certificate certificate;
	struct ipc_certificate facts;
	bool readable = key_blob(key, &blob) == 0;
	if (readable) {
		const unsigned char *p = (const unsigned char *)blob.p;
		size_t n = (size_t)p[0] << 24 | (size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3];
		readable = n <= blob.n - 4;
		a.key_type = slice_make(blob.p + 4, readable ? n : 0);
		a.key_blob = van_buf_slice(&blob);
	}
	if (readable && sftpd_certificate_is(a.key_blob)) {
		readable = read_certificate(a.key_blob, &certificate, &facts);
		a.certificate = &facts;
	}
	enum sftpd_login_result r = attempt(l, &a, proven && readable);
	van_buf_free(&blob);
	return r;
}

enum sftpd_login_result sftpd_login_offer(struct sftpd_login *l, const char *user, ssh_key key)
{
	return with_key(l, IPC_AUTH_KEY_OFFERED, user, key, true);
}

enum sftpd_login_result sftpd_login_key(struct sftpd_login *l, const char *user, ssh_key key, bool valid)
{
	return with_key(l, IPC_AUTH_KEY_VERIFIED, user, key, valid);
}

void sftpd_login_limits(struct sftpd_login *l, const struct ipc_session_limits *to, int fd)
{
	if (fd >= 0 && !l->throttle)
		l->throttle = throttle_map(fd);
	l->reply.max_message = to->max_message;
	if (!to->bandwidth || l->throttle) /* without the page that the mailbox's sessions share it would be each one's own: as it was, then */
		l->reply.bandwidth = to->bandwidth;
}

void sftpd_login_refused_signature(struct sftpd_login *l, struct slice algorithm)
{
	log_event(LOG_LEVEL_WARNING, "login-failed", "user", l->user[0] ? l->user : NULL, "method", method_names[IPC_AUTH_KEY_VERIFIED], "client", l->client, "signed_with",
		  log_slice(algorithm), "remedy",
		  slice_is(algorithm, "ssh-rsa") ? "have the client updated, let it use a key of type ed25519 or ecdsa, or allow ssh-rsa in the listener's legacy, see vand.yaml(5)"
						 : "let the client use a key of type ed25519 or ecdsa",
		  NULL);
}
