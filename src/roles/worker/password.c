/* IPC_PASSWORD_CHECK: slow by design, so a worker does it and not the store. */
#include "roles/worker/worker.h"

#include <crypt.h>
#include <openssl/crypto.h>
#include <stdlib.h>

static bool matches(const char *hash, const char *password, struct slice *ret_error)
{
	struct crypt_data *data = calloc(1, sizeof *data);
	const char *got = data ? crypt_r(password, hash, data) : NULL;
	bool ok = got && got[0] != '*' && strlen(got) == strlen(hash) && CRYPTO_memcmp(got, hash, strlen(hash)) == 0;
	if (!got || got[0] == '*')
		*ret_error = SLICE("the stored hash is of a kind this system's crypt(3) does not know: make one with mkpasswd -m yescrypt");
	if (data)
		OPENSSL_cleanse(data, sizeof *data);
	free(data);
	return ok;
}

void worker_password(struct worker *w, struct ipc_message *m)
{
	struct ipc_password_check c;
	struct ipc_verdict v = {.error = SLICE_NONE};
	if (record_decode(&ipc_password_check_table, m->body, w->arena, &c) == 0) {
		char *hash = van_arena_str(w->arena, c.hash), *password = van_arena_str(w->arena, c.password);
		/* a NUL inside would end the password early */
		bool usable = hash && password && !memchr(password, 0, c.password.n);
		v.ok = usable && matches(hash, password, &v.error);
		if (password)
			OPENSSL_cleanse(password, c.password.n);
	}
	ipc_send(w->dispatch, IPC_PASSWORD_CHECK_REPLY, m->request, &ipc_verdict_table, &v, NULL, 0);
}
