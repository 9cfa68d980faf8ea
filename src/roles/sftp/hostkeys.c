#include "roles/sftp/hostkeys.h"

#include "base/fdio.h"
#include "roles/sftp/algorithms.h"

#include <libssh/libssh.h>
#include <string.h>

#define KEY_FILE_MAX ((size_t)64 << 10)

ssh_bind sftpd_hostkeys_new(void)
{
	ssh_bind bind = ssh_bind_new();
	bool no = false;
	int rc = bind ? ssh_bind_options_set(bind, SSH_BIND_OPTIONS_PROCESS_CONFIG, &no) : SSH_ERROR; /* no file of the system's */
	if (rc == SSH_OK)
		rc = ssh_bind_options_set(bind, SSH_BIND_OPTIONS_BANNER, "OpenVAN");
	if (rc == SSH_OK)
		rc = sftpd_algorithms_offer(bind);
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
		sftpd_algorithms_offer_host_keys(bind);
	return rc;
}
