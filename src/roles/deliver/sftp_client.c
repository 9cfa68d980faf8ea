#include "roles/deliver/sftp_client.h"

#include "base/error.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

void sftp_client_progress(const struct sftp_client *c)
{
	alarm((unsigned)(c->server->timeout / (uint64_t)VAN_SECOND) + 1);
}

static int fail(struct sftp_client *c, int rc, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
static int fail(struct sftp_client *c, int rc, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(c->error, sizeof c->error, fmt, ap);
	va_end(ap);
	return rc;
}

static const char *status_text(int status)
{
	switch (status) {
	case SSH_FX_NO_SUCH_FILE: return "no such file or folder";
	case SSH_FX_PERMISSION_DENIED: return "permission denied";
	case SSH_FX_FAILURE: return "failure";
	case SSH_FX_OP_UNSUPPORTED: return "the server can't do that";
	case SSH_FX_FILE_ALREADY_EXISTS: return "the file exists already";
	case SSH_FX_CONNECTION_LOST:
	case SSH_FX_NO_CONNECTION: return "the connection was lost";
	default: return "failure";
	}
}

int sftp_client_failed(struct sftp_client *c, int rc, const char *what, const char *path)
{
	const char *said = ssh_get_error(c->ssh);
	return fail(c, rc, "%s %s: %s%s%s", what, path, status_text(sftp_get_error(c->sftp)), said && *said ? ": " : "", said ? said : "");
}

char *sftp_client_path(struct sftp_client *c, char to[SFTP_CLIENT_PATH], struct slice folder, struct slice name)
{
	int n = snprintf(to, SFTP_CLIENT_PATH, "%.*s/%.*s", SLICE_ARG(folder), SLICE_ARG(name));
	if (n > 0 && n < SFTP_CLIENT_PATH)
		return to;
	fail(c, VAN_ELIMIT, "the path of %.*s is too long", (int)(name.n < 100 ? name.n : 100), name.p);
	return NULL;
}

/* The kinds of the pinned keys, so that the server shows one that we know. */
static void set_host_key_kinds(struct sftp_client *c)
{
	char kinds[512] = "";
	size_t n = 0;
	for (size_t i = 0; i < c->server->host_keys.n; i++) {
		struct slice rest = c->server->host_keys.v[i], type = slice_cut(&rest, ' ');
		if (slice_is(type, "ssh-rsa"))
			type = SLICE("rsa-sha2-512,rsa-sha2-256");
		if (n + type.n + 2 < sizeof kinds)
			n += (size_t)snprintf(kinds + n, sizeof kinds - n, "%s%.*s", n ? "," : "", SLICE_ARG(type));
	}
	ssh_options_set(c->ssh, SSH_OPTIONS_HOSTKEYS, kinds);
}

static int check_host_key(struct sftp_client *c)
{
	ssh_key key = NULL;
	char *text = NULL;
	bool known = false;
	if (ssh_get_server_publickey(c->ssh, &key) != SSH_OK || ssh_pki_export_pubkey_base64(key, &text) != SSH_OK)
		text = NULL;
	for (size_t i = 0; text && i < c->server->host_keys.n; i++) {
		struct slice rest = c->server->host_keys.v[i];
		slice_cut(&rest, ' ');
		known |= rest.p && slice_is(slice_cut(&rest, ' '), text);
	}
	int rc = known ? 0 : fail(c, VAN_EDENIED, "%.*s shows another host key than the profile's (%s %.60s…): ask the partner whether it was changed, "
						  "then correct server.host_keys", SLICE_ARG(c->server->host), key ? ssh_key_type_to_char(ssh_key_type(key)) : "?",
				  text ? text : "");
	ssh_string_free_char(text);
	ssh_key_free(key);
	return rc;
}

static int log_in(struct sftp_client *c, struct slice key, struct slice password)
{
	char secret[1024];
	ssh_key private_key = NULL;
	int rc = ssh_userauth_none(c->ssh, NULL);
	if (rc != SSH_AUTH_SUCCESS && key.p) {
		if (ssh_pki_import_privkey_base64(key.p, NULL, NULL, NULL, &private_key) != SSH_OK)
			return fail(c, VAN_EINVAL, "our private key can't be read: it must be without a passphrase, as ssh-keygen -N '' makes it");
		rc = ssh_userauth_publickey(c->ssh, NULL, private_key);
		ssh_key_free(private_key);
	}
	while (password.n && (password.p[password.n - 1] == '\n' || password.p[password.n - 1] == '\r'))
		password.n--;
	if (rc != SSH_AUTH_SUCCESS && password.n && password.n < sizeof secret) {
		snprintf(secret, sizeof secret, "%.*s", SLICE_ARG(password));
		rc = ssh_userauth_password(c->ssh, NULL, secret);
		if (rc != SSH_AUTH_SUCCESS && ssh_userauth_kbdint(c->ssh, NULL, NULL) == SSH_AUTH_INFO) {
			for (int i = 0; i < ssh_userauth_kbdint_getnprompts(c->ssh); i++)
				ssh_userauth_kbdint_setanswer(c->ssh, (unsigned)i, secret);
			rc = ssh_userauth_kbdint(c->ssh, NULL, NULL);
		}
		explicit_bzero(secret, sizeof secret);
	}
	return rc == SSH_AUTH_SUCCESS ? 0 : fail(c, VAN_EDENIED, "%.*s does not let us in as %.*s: ask the partner, or correct server.user, server.key or server.password_file",
						 SLICE_ARG(c->server->host), SLICE_ARG(c->server->user));
}

static int connect_to(struct sftp_client *c)
{
	const struct ipc_sftp_server *s = c->server;
	char host[256], user[256];
	unsigned port = (unsigned)s->port;
	long seconds = (long)(s->timeout / (uint64_t)VAN_SECOND);
	int no = 0;
	snprintf(host, sizeof host, "%.*s", SLICE_ARG(s->host));
	snprintf(user, sizeof user, "%.*s", SLICE_ARG(s->user));
	c->ssh = ssh_new();
	if (!c->ssh || ssh_options_set(c->ssh, SSH_OPTIONS_PROCESS_CONFIG, &no) < 0 || ssh_options_set(c->ssh, SSH_OPTIONS_HOST, host) < 0 ||
	    ssh_options_set(c->ssh, SSH_OPTIONS_PORT, &port) < 0 || ssh_options_set(c->ssh, SSH_OPTIONS_USER, user) < 0 ||
	    ssh_options_set(c->ssh, SSH_OPTIONS_TIMEOUT, &seconds) < 0)
		return fail(c, VAN_ENOMEM, "the connection could not be prepared");
	set_host_key_kinds(c);
	sftp_client_progress(c);
	if (ssh_connect(c->ssh) != SSH_OK)
		return fail(c, VAN_ECLOSED, "%s port %u can't be reached: %s", host, port, ssh_get_error(c->ssh));
	return 0;
}

int sftp_client_open(struct sftp_client *c, const struct ipc_sftp_server *server, struct slice key, struct slice password)
{
	*c = (struct sftp_client){.server = server};
	int rc = connect_to(c);
	if (rc == 0)
		rc = check_host_key(c);
	if (rc == 0)
		rc = log_in(c, key, password);
	if (rc < 0)
		return rc;
	c->sftp = sftp_new(c->ssh);
	if (!c->sftp || sftp_init(c->sftp) != SSH_OK)
		return fail(c, VAN_ECLOSED, "%.*s lets us in, but does not speak SFTP: %s", SLICE_ARG(server->host), ssh_get_error(c->ssh));
	return 0;
}

void sftp_client_close(struct sftp_client *c)
{
	sftp_free(c->sftp);
	if (c->ssh && ssh_is_connected(c->ssh))
		ssh_disconnect(c->ssh);
	ssh_free(c->ssh);
}
