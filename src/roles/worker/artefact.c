/* What is kept with a message, with the hashes that its receipt will name. */
#include "roles/worker/worker.h"

#include "base/id.h"
#include "cms/digest.h"

#include <errno.h>
#include <unistd.h>

#define SALT_BYTES 16
#define CHUNK ((size_t)65536)

static struct ipc_artefact *next(struct artefacts *a, const char *name)
{
	struct ipc_artefact *f = &a->v[a->n++];
	*f = (struct ipc_artefact){.name = slice_str(name)};
	return f;
}

/* A fresh salt, and a digest that has taken it in. */
static int begin(struct ipc_artefact *f, struct worker *w, struct digest_set *d)
{
	char *salt = van_arena_alloc(w->arena, SALT_BYTES);
	if (!salt)
		return VAN_ENOMEM;
	van_random(salt, SALT_BYTES);
	f->salt = slice_make(salt, SALT_BYTES);
	int rc = digest_set_begin(d, ALG_BIT(DIGEST_SHA256));
	return rc < 0 ? rc : digest_set_update(d, salt, SALT_BYTES);
}

static int finish(struct ipc_artefact *f, struct worker *w, struct digest_set *d)
{
	unsigned char *hash = van_arena_alloc(w->arena, DIGEST_SIZE_MAX);
	int rc = hash ? digest_set_end(d, DIGEST_SHA256, hash) : VAN_ENOMEM;
	if (rc == 0)
		f->salted_sha256 = slice_make(hash, digest_size(DIGEST_SHA256));
	return rc;
}

int artefact_add_bytes(struct artefacts *a, struct worker *w, const char *name, struct slice bytes)
{
	struct ipc_artefact *f = next(a, name);
	struct digest_set d = {0};
	f->bytes = bytes;
	f->length = bytes.n;
	int rc = bytes.p ? begin(f, w, &d) : VAN_EIO;
	if (rc == 0)
		rc = digest_set_update(&d, bytes.p, bytes.n);
	if (rc == 0)
		rc = finish(f, w, &d);
	digest_set_free(&d);
	return rc;
}

static int hash_file(const struct worker *w, struct digest_set *d, int fd, uint64_t bytes, struct van_buf *chunk)
{
	if (!van_buf_reserve(chunk, CHUNK))
		return VAN_ENOMEM;
	for (uint64_t at = 0; at < bytes;) {
		ssize_t n = pread(fd, chunk->p, CHUNK, (off_t)at);
		if (n < 0 && errno == EINTR)
			continue;
		if (w->receive)
			worker_progress(w);
		int rc = n <= 0 ? n < 0 ? (int)van_err_from_errno(errno) : VAN_EIO : digest_set_update(d, chunk->p, (size_t)n);
		if (rc < 0)
			return rc;
		at += (uint64_t)n;
	}
	return 0;
}

int artefact_add_fd(struct artefacts *a, struct worker *w, const char *name, int fd, uint64_t bytes)
{
	struct ipc_artefact *f = next(a, name);
	struct digest_set d = {0};
	struct van_buf chunk = VAN_BUF_INIT(CHUNK);
	int rc = begin(f, w, &d);
	if (rc == 0)
		rc = hash_file(w, &d, fd, bytes, &chunk);
	if (rc == 0)
		rc = finish(f, w, &d);
	digest_set_free(&d);
	van_buf_free(&chunk);
	a->fds[a->nfds++] = fd;
	f->fd_number = a->nfds;
	f->length = bytes;
	return rc;
}

int artefact_add_spool(struct artefacts *a, struct worker *w, const char *name, struct spool *s)
{
	if (s->fd >= 0)
		return artefact_add_fd(a, w, name, s->fd, s->bytes);
	return artefact_add_bytes(a, w, name, s->bytes ? van_buf_slice(&s->memory) : SLICE(""));
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
