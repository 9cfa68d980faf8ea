#include "roles/sftp/algorithms.h"

#include "base/error.h"
#include "base/legacy.h"
#include "base/log.h"

#define LIST_MAX 1024
#define OFFERED_MAX 4096 /* of what a client offers; more is not logged */

/* AES-GCM first: it is the fastest here by far. No SHA-1, no CBC, nothing of DSA. The group exchange comes last: sessions read no file of
 * groups, so that libssh takes those of RFC 3526, of up to 8192 bits; but clients of 2006 to 2017 have nothing better. */
static const char *const usual[VAN_LEGACY_KINDS] = {
	[VAN_LEGACY_KEX] = "curve25519-sha256,curve25519-sha256@libssh.org,ecdh-sha2-nistp256,ecdh-sha2-nistp384,ecdh-sha2-nistp521,"
			   "diffie-hellman-group16-sha512,diffie-hellman-group18-sha512,diffie-hellman-group14-sha256,"
			   "diffie-hellman-group-exchange-sha256",
	[VAN_LEGACY_SIGNATURE] = "ssh-ed25519,ecdsa-sha2-nistp256,ecdsa-sha2-nistp384,ecdsa-sha2-nistp521,rsa-sha2-512,rsa-sha2-256",
	[VAN_LEGACY_CIPHER] = "aes128-gcm@openssh.com,aes256-gcm@openssh.com,chacha20-poly1305@openssh.com,aes128-ctr,aes256-ctr,aes192-ctr",
	[VAN_LEGACY_MAC] = "hmac-sha2-256-etm@openssh.com,hmac-sha2-512-etm@openssh.com,hmac-sha2-256,hmac-sha2-512",
};
/* Of users, beside those above. Kinds of signatures; a certificate's are those of its key. libssh reads OpenSSH's certificates, but checks no
 * authority: login.c does. */
#define USERS_ONLY ",sk-ssh-ed25519@openssh.com,sk-ecdsa-sha2-nistp256@openssh.com"

/* Where each kind is set. `more`: what follows the usual and the old ones. */
static const struct {
	enum van_legacy_kind kind;
	enum ssh_bind_options_e all;
	enum ssh_options_e one;
	const char *more;
} settings[] = {
	{VAN_LEGACY_KEX, SSH_BIND_OPTIONS_KEY_EXCHANGE, SSH_OPTIONS_KEY_EXCHANGE, ""},
	{VAN_LEGACY_CIPHER, SSH_BIND_OPTIONS_CIPHERS_C_S, SSH_OPTIONS_CIPHERS_C_S, ""},
	{VAN_LEGACY_CIPHER, SSH_BIND_OPTIONS_CIPHERS_S_C, SSH_OPTIONS_CIPHERS_S_C, ""},
	{VAN_LEGACY_MAC, SSH_BIND_OPTIONS_HMAC_C_S, SSH_OPTIONS_HMAC_C_S, ""},
	{VAN_LEGACY_MAC, SSH_BIND_OPTIONS_HMAC_S_C, SSH_OPTIONS_HMAC_S_C, ""},
	{VAN_LEGACY_SIGNATURE, SSH_BIND_OPTIONS_PUBKEY_ACCEPTED_KEY_TYPES, SSH_OPTIONS_PUBLICKEY_ACCEPTED_TYPES, USERS_ONLY},
	{VAN_LEGACY_SIGNATURE, SSH_BIND_OPTIONS_HOSTKEY_ALGORITHMS, SSH_OPTIONS_HOSTKEYS, ""}, /* the last */
};
#define SETTINGS (sizeof settings / sizeof *settings)

/* The usual ones of a kind, and those of `legacy` that belong to it. */
static int put_list(struct van_buf *to, size_t setting, const char *legacy)
{
	enum van_legacy_kind kind = settings[setting].kind, of;
	van_buf_reset(to);
	van_buf_printf(to, "%s", usual[kind]);
	for (struct slice rest = slice_str(legacy); rest.n;) {
		struct slice name = slice_cut(&rest, ',');
		if (van_legacy_find(name, &of) && of == kind)
			van_buf_printf(to, ",%.*s", SLICE_ARG(name));
	}
	van_buf_printf(to, "%s", settings[setting].more);
	return van_buf_append_char(to, '\0');
}

static int offer(ssh_bind bind, size_t from, size_t to)
{
	struct van_buf list = VAN_BUF_INIT(LIST_MAX);
	int rc = SSH_OK;
	for (size_t i = from; rc == SSH_OK && i < to; i++)
		rc = put_list(&list, i, "") < 0 ? SSH_ERROR : ssh_bind_options_set(bind, settings[i].all, list.p);
	van_buf_free(&list);
	return rc;
}

int sftpd_algorithms_offer(ssh_bind bind)
{
	return offer(bind, 0, SETTINGS - 1);
}

int sftpd_algorithms_offer_host_keys(ssh_bind bind)
{
	return offer(bind, SETTINGS - 1, SETTINGS);
}

int sftpd_algorithms_allow(ssh_session ssh, const char *legacy)
{
	struct van_buf list = VAN_BUF_INIT(LIST_MAX);
	int rc = SSH_OK;
	for (size_t i = 0; rc == SSH_OK && i < SETTINGS; i++)
		rc = put_list(&list, i, legacy) < 0 ? SSH_ERROR : ssh_options_set(ssh, settings[i].one, list.p);
	van_buf_free(&list);
	return rc;
}

void sftpd_algorithms_old(ssh_session ssh, struct van_buf *to)
{
	const char *agreed[] = {ssh_get_kex_algo(ssh), ssh_get_cipher_in(ssh), ssh_get_hmac_in(ssh)};
	enum van_legacy_kind kind;
	for (size_t i = 0; i < sizeof agreed / sizeof *agreed; i++)
		if (agreed[i] && van_legacy_find(slice_str(agreed[i]), &kind))
			van_buf_printf(to, "%s%s", to->n ? "," : "", agreed[i]);
}

/* What stands in `text` behind `before` and up to `end`; absent: it isn't there. */
static struct slice between(const char *text, const char *before, const char *end)
{
	const char *from = text ? strstr(text, before) : NULL;
	from = from ? from + strlen(before) : NULL;
	const char *to = from ? strstr(from, end) : NULL;
	return to ? slice_make(from, (size_t)(to - from)) : SLICE_NONE;
}

/* What could be done for a client that offers these. */
static void put_remedy(struct van_buf *to, struct slice offered)
{
	enum van_legacy_kind kind;
	bool have_key_for = false;
	size_t n = 0;
	for (struct slice rest = offered; rest.n;) {
		struct slice name = slice_cut(&rest, ',');
		have_key_for |= slice_starts(name, "ecdsa-sha2-") || slice_starts(name, "rsa-sha2-") || slice_is(name, "ssh-ed25519");
		if (van_legacy_find(name, &kind))
			van_buf_printf(to, "%s%.*s", n++ ? " or " : "have the client updated, or allow ", SLICE_ARG(name));
	}
	if (have_key_for) {
		van_buf_reset(to);
		van_buf_printf(to, "add a host key of a kind that it knows to the listener: ssh-keygen -t ecdsa");
	} else if (n) {
		van_buf_printf(to, " in the listener's legacy, see vand.yaml(5)");
	} else {
		van_buf_printf(to, "have the client updated: it has nothing that could be allowed");
	}
}

bool sftpd_algorithms_log_mismatch(ssh_session ssh, const char *error)
{
	struct slice what = between(error, "no match for method ", ": server ["), ours = between(error, ": server [", "]");
	struct slice offered = between(error, "], client [", "]");
	struct van_buf remedy = VAN_BUF_INIT(LIST_MAX), list = VAN_BUF_INIT(OFFERED_MAX);
	if (!what.p || !ours.p || !offered.p)
		return false;
	put_remedy(&remedy, offered);
	van_buf_append_char(&remedy, '\0');
	van_buf_append(&list, offered.p, offered.n);
	van_buf_append_char(&list, '\0');
	if (!remedy.error && !list.error)
		log_event(LOG_LEVEL_WARNING, "no-common-algorithm", "client", ssh_get_clientbanner(ssh), "of", log_slice(what), "client_offers", list.p,
			  "listener_offers", log_slice(ours), "remedy", remedy.p, NULL);
	van_buf_free(&list);
	van_buf_free(&remedy);
	return true;
}

struct slice sftpd_algorithms_refused_signature(ssh_session ssh)
{
	return ssh_get_error_code(ssh) == SSH_FATAL ? between(ssh_get_error(ssh), "Public key from client (", ")") : SLICE_NONE;
}
