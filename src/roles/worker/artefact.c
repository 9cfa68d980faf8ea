/* What is kept with a message, with the hashes that its receipt will name. */
#include "roles/worker/worker.h"

#include "base/id.h"

#include <errno.h>
#include <openssl/evp.h>
#include <unistd.h>

#define SALT_BYTES 16
#define HASH_BYTES 32

static struct ipc_artefact *next(struct artefacts *a, const char *name)
{
	struct ipc_artefact *f = &a->v[a->n++];
	*f = (struct ipc_artefact){.name = slice_str(name)};
	return f;
}

/* salt, and a digest context that has taken the salt in. */
static EVP_MD_CTX *begin(struct ipc_artefact *f, struct worker *w)
{
	char *salt = van_arena_alloc(w->arena, SALT_BYTES);
	EVP_MD_CTX *ctx = salt ? EVP_MD_CTX_new() : NULL;
	if (!ctx)
		return NULL;
	van_random(salt, SALT_BYTES);
	f->salt = slice_make(salt, SALT_BYTES);
	if (EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) != 1 || EVP_DigestUpdate(ctx, salt, SALT_BYTES) != 1) {
		EVP_MD_CTX_free(ctx);
		return NULL;
	}
	return ctx;
}

static int finish(struct ipc_artefact *f, struct worker *w, EVP_MD_CTX *ctx)
{
	unsigned char *hash = van_arena_alloc(w->arena, HASH_BYTES);
	int ok = hash && EVP_DigestFinal_ex(ctx, hash, NULL) == 1;
	EVP_MD_CTX_free(ctx);
	if (!ok)
		return VAN_ENOMEM;
	f->salted_sha256 = slice_make(hash, HASH_BYTES);
	return 0;
}

int artefact_add_bytes(struct artefacts *a, struct worker *w, const char *name, struct slice bytes)
{
	struct ipc_artefact *f = next(a, name);
	f->bytes = bytes;
	f->length = bytes.n;
	EVP_MD_CTX *ctx = begin(f, w);
	if (!ctx)
		return VAN_ENOMEM;
	EVP_DigestUpdate(ctx, bytes.p, bytes.n);
	return finish(f, w, ctx);
}

int artefact_add_fd(struct artefacts *a, struct worker *w, const char *name, int fd, uint64_t bytes)
{
	char chunk[65536];
	struct ipc_artefact *f = next(a, name);
	EVP_MD_CTX *ctx = begin(f, w);
	if (!ctx)
		return VAN_ENOMEM;
	for (uint64_t at = 0; at < bytes;) {
		ssize_t n = pread(fd, chunk, sizeof chunk, (off_t)at);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			EVP_MD_CTX_free(ctx);
			return n < 0 ? (int)van_err_from_errno(errno) : VAN_EIO;
		}
		EVP_DigestUpdate(ctx, chunk, (size_t)n);
		at += (uint64_t)n;
	}
	a->fds[a->nfds++] = fd;
	f->fd_number = a->nfds;
	f->length = bytes;
	return finish(f, w, ctx);
}

int artefact_add_output(struct artefacts *a, struct worker *w, const char *name, struct output *o)
{
	return o->fd < 0 ? artefact_add_bytes(a, w, name, van_buf_slice(&o->memory)) : artefact_add_fd(a, w, name, o->fd, o->bytes);
}

void artefact_add_within(struct artefacts *a, const char *name, const char *within, uint64_t offset, uint64_t length,
			 struct slice sha256)
{
	struct ipc_artefact *f = next(a, name);
	f->within = slice_str(within);
	f->offset = offset;
	f->length = length;
	f->sha256 = sha256;
}
