#include "roles/sftp/hostkeys.h"

#include "base/fdio.h"

#include <libssh/libssh.h>
#include <string.h>

#define KEY_FILE_MAX ((size_t)64 << 10)

/* AES-GCM first: it is the fastest here by far. No SHA-1, no CBC, nothing of DSA. */
#define CIPHERS "aes128-gcm@openssh.com,aes256-gcm@openssh.com,chacha20-poly1305@openssh.com,aes128-ctr,aes256-ctr,aes192-ctr"
#define MACS "hmac-sha2-256-etm@openssh.com,hmac-sha2-512-etm@openssh.com,hmac-sha2-256,hmac-sha2-512"
#define KEX \
	"curve25519-sha256,curve25519-sha256@libssh.org,ecdh-sha2-nistp256,ecdh-sha2-nistp384,ecdh-sha2-nistp521," \
	"diffie-hellman-group16-sha512,diffie-hellman-group18-sha512,diffie-hellman-group14-sha256"
#define HOST_KEY_ALGORITHMS "ssh-ed25519,ecdsa-sha2-nistp256,ecdsa-sha2-nistp384,ecdsa-sha2-nistp521,rsa-sha2-512,rsa-sha2-256"
/* Kinds of signatures; a certificate's are those of its key. libssh reads OpenSSH's certificates, but checks no authority: login.c does. */
#define USER_KEY_ALGORITHMS \
	"ssh-ed25519,ecdsa-sha2-nistp256,ecdsa-sha2-nistp384,ecdsa-sha2-nistp521,rsa-sha2-512,rsa-sha2-256," \
	"sk-ssh-ed25519@openssh.com,sk-ecdsa-sha2-nistp256@openssh.com"

static const struct {
	enum ssh_bind_options_e option;
	const char *value;
} settings[] = {
	{SSH_BIND_OPTIONS_CIPHERS_C_S, CIPHERS},
	{SSH_BIND_OPTIONS_CIPHERS_S_C, CIPHERS},
	{SSH_BIND_OPTIONS_HMAC_C_S, MACS},
	{SSH_BIND_OPTIONS_HMAC_S_C, MACS},
	{SSH_BIND_OPTIONS_KEY_EXCHANGE, KEX},
	{SSH_BIND_OPTIONS_PUBKEY_ACCEPTED_KEY_TYPES, USER_KEY_ALGORITHMS},
	{SSH_BIND_OPTIONS_BANNER, "OpenVAN"},
};

ssh_bind sftpd_hostkeys_new(void)
{
	ssh_bind bind = ssh_bind_new();
	bool no = false;
	int rc = bind ? ssh_bind_options_set(bind, SSH_BIND_OPTIONS_PROCESS_CONFIG, &no) : SSH_ERROR; /* no file of the system's */
	for (size_t i = 0; rc == SSH_OK && i < sizeof settings / sizeof *settings; i++)
		rc = ssh_bind_options_set(bind, settings[i].option, settings[i].value);
	if (rc == SSH_OK)
		return bind;
	ssh_bind_free(bind);
	return NULL;
}

int sftpd_hostkeys_add(ssh_bind bind, int fd, const char *path, struct van_error *e)
{
	struct van_buf text = VAN_BUF_INIT(KEY_FILE_MAX);
	ssh_key key = NULL;
	int rc = fd_read_file(fd, &text);
	van_buf_append_char(&text, '\0');
	if (rc < 0 || text.error) {
		rc = van_error_set(e, rc < 0 ? (enum van_err)rc : VAN_ELIMIT, "%s: the host key can't be read: make one with ssh-keygen", path);
	} else if (ssh_pki_import_privkey_base64(text.p, NULL, NULL, NULL, &key) != SSH_OK) {
		rc = van_error_set(e, VAN_EINVAL, "%s: is not a private key without a passphrase: make one with ssh-keygen -N ''", path);
	} else if (ssh_bind_options_set(bind, SSH_BIND_OPTIONS_IMPORT_KEY, key) != SSH_OK) {
		rc = van_error_set(e, VAN_EINVAL, "%s: keys of type %s can't be used: make one with ssh-keygen -t ed25519", path,
				   ssh_key_type_to_char(ssh_key_type(key)));
		ssh_key_free(key);
	} /* else it belongs to the bind */
	if (text.p)
		explicit_bzero(text.p, text.n);
	van_buf_free(&text);
	if (rc == 0)
		/* Set after the keys: libssh leaves out those for which it has no key. */
		ssh_bind_options_set(bind, SSH_BIND_OPTIONS_HOSTKEY_ALGORITHMS, HOST_KEY_ALGORITHMS);
	return rc;
}
