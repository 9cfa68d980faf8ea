/* IPC_PASSWORD_CHECK: slow by design, so a worker does it and not the store. */
#include "base/id.h"
#include "cms/digest.h"
#include "roles/worker/argon2.h"
#include "roles/worker/worker.h"

#include <crypt.h>
#include <openssl/crypto.h>
#include <stdlib.h>

#define FITS_SLOTS 64

/* Hashes are slow by design, and a partner sends the same password with each message: pairs that fitted are remembered, by a
 * digest that is of no use outside of this process. */
struct password_cache {
	unsigned char secret[32];
	unsigned char fits[FITS_SLOTS][32];
};

static bool matches(const char *hash, const char *password, struct slice *ret_error)
{
	if (strncmp(hash, "$argon2", 7) == 0)
		return password_fits_argon2(slice_str(hash), slice_str(password), ret_error);
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

static int remembered_as(const struct password_cache *c, struct slice hash, struct slice password, unsigned char to[32])
{
	struct digest_set d = {0};
	unsigned char md[DIGEST_SIZE_MAX];
	const uint64_t n = hash.n;
	int rc = digest_set_begin(&d, ALG_BIT(DIGEST_SHA256));
	if (rc == 0)
		rc = digest_set_update(&d, c->secret, sizeof c->secret);
	if (rc == 0)
		rc = digest_set_update(&d, &n, sizeof n);
	if (rc == 0)
		rc = digest_set_update(&d, hash.p, hash.n);
	if (rc == 0)
		rc = digest_set_update(&d, password.p, password.n);
	if (rc == 0)
		rc = digest_set_end(&d, DIGEST_SHA256, md);
	digest_set_free(&d);
	if (rc == 0)
		memcpy(to, md, 32);
	return rc;
}

bool worker_password_fits(struct worker *w, struct slice stored, struct slice given)
{
	struct slice ignored;
	unsigned char id[32];
	if (!w->passwords) {
		w->passwords = calloc(1, sizeof *w->passwords);
		if (!w->passwords)
			return false;
		van_random(w->passwords->secret, sizeof w->passwords->secret);
	}
	if (!given.n || memchr(given.p, 0, given.n) || remembered_as(w->passwords, stored, given, id) < 0)
		return false;
	unsigned char *slot = w->passwords->fits[id[0] % FITS_SLOTS];
	if (CRYPTO_memcmp(slot, id, sizeof id) == 0)
		return true;
	char *hash = van_arena_str(w->arena, stored), *password = van_arena_str(w->arena, given);
	bool ok = hash && password && matches(hash, password, &ignored);
	if (password)
		OPENSSL_cleanse(password, given.n);
	if (ok)
		memcpy(slot, id, sizeof id);
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
