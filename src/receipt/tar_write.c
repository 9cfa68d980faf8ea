#include "receipt/tar.h"

#include "base/fdio.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define OUT_SIZE (256 * 1024)
#define USTAR_SIZE_MAX ((uint64_t)1 << 33) /* eleven octal digits */

static int latch(struct tar_writer *w, int rc)
{
	if (rc && !w->error)
		w->error = rc;
	return w->error;
}

int tar_writer_start(struct tar_writer *w, int fd, van_time now)
{
	*w = (struct tar_writer){.fd = fd, .now = now, .out = VAN_BUF_INIT(OUT_SIZE + TAR_BLOCK)};
	w->digest = EVP_MD_CTX_new();
	return latch(w, w->digest ? 0 : VAN_ENOMEM);
}

static int flush(struct tar_writer *w)
{
	latch(w, van_buf_error(&w->out));
	if (!w->error)
		latch(w, fd_write_all(w->fd, w->out.p, w->out.n));
	van_buf_reset(&w->out);
	return w->error;
}

static int put(struct tar_writer *w, const void *p, size_t n)
{
	if (w->error)
		return w->error;
	w->bytes += n;
	const char *from = p;
	while (n && !w->error) {
		size_t piece = n < OUT_SIZE - w->out.n ? n : OUT_SIZE - w->out.n;
		van_buf_append(&w->out, from, piece);
		from += piece;
		n -= piece;
		if (w->out.n == OUT_SIZE)
			flush(w);
	}
	return w->error;
}

struct header { /* POSIX.1-1988 ustar */
	char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], sum[8], type, link[100], magic[6], version[2], user[32], group[32],
		major[8], minor[8], prefix[155], pad[12];
};
_Static_assert(sizeof(struct header) == TAR_BLOCK, "a tar header is one block");

/* Octal digits and a NUL. */
static void octal(char *to, size_t room, uint64_t v)
{
	to[room - 1] = 0;
	for (size_t i = room - 1; i-- > 0; v >>= 3)
		to[i] = (char)('0' + (v & 7));
}

/* The name, or its part after a slash, with the part before it as prefix. */
static int put_name(struct header *h, const char *name)
{
	size_t n = strlen(name);
	if (n <= sizeof h->name) {
		memcpy(h->name, name, n);
		return 0;
	}
	for (size_t i = n - 1; i > 0; i--)
		if (name[i] == '/' && i <= sizeof h->prefix && n - i - 1 <= sizeof h->name && n - i - 1 > 0) {
			memcpy(h->prefix, name, i);
			memcpy(h->name, name + i + 1, n - i - 1);
			return 0;
		}
	return VAN_EINVAL;
}

static int put_header(struct tar_writer *w, const char *name, uint64_t size, unsigned mode, char type)
{
	struct header h = {.type = type, .magic = "ustar", .version = {'0', '0'}};
	int rc = put_name(&h, name);
	if (rc)
		return latch(w, rc);
	octal(h.mode, sizeof h.mode, mode);
	octal(h.uid, sizeof h.uid, 0);
	octal(h.gid, sizeof h.gid, 0);
	octal(h.size, sizeof h.size, size);
	octal(h.mtime, sizeof h.mtime, w->now > 0 ? (uint64_t)(w->now / VAN_SECOND) : 0);
	octal(h.major, sizeof h.major, 0);
	octal(h.minor, sizeof h.minor, 0);
	memset(h.sum, ' ', sizeof h.sum);
	unsigned sum = 0;
	for (size_t i = 0; i < sizeof h; i++)
		sum += ((const unsigned char *)&h)[i];
	octal(h.sum, 7, sum);
	return put(w, &h, sizeof h);
}

/* "LENGTH size=N\n", where the length counts itself. */
static int put_pax_size(struct tar_writer *w, uint64_t size)
{
	char record[64], block[TAR_BLOCK] = {0};
	int n = snprintf(record, sizeof record, " size=%llu\n", (unsigned long long)size);
	int total = n + (n + 2 > 9 ? 2 : 1);
	n = snprintf(block, sizeof block, "%d%s", total, record);
	put_header(w, "pax", (uint64_t)n, 0644, 'x');
	return put(w, block, sizeof block);
}

int tar_begin(struct tar_writer *w, const char *name, uint64_t size, unsigned mode)
{
	if (w->error)
		return w->error;
	if (w->left || strlen(name) > TAR_NAME_MAX)
		return latch(w, VAN_EINVAL);
	if (size >= USTAR_SIZE_MAX)
		put_pax_size(w, size);
	put_header(w, name, size < USTAR_SIZE_MAX ? size : 0, mode, '0');
	snprintf(w->name, sizeof w->name, "%s", name);
	w->left = size;
	w->pad = (TAR_BLOCK - size % TAR_BLOCK) % TAR_BLOCK;
	if (!EVP_DigestInit_ex(w->digest, EVP_sha256(), NULL))
		latch(w, VAN_ECRYPTO);
	return w->error;
}

int tar_data(struct tar_writer *w, const void *p, size_t n)
{
	if (w->error)
		return w->error;
	if (n > w->left)
		return latch(w, VAN_EINVAL);
	w->left -= n;
	if (n && !EVP_DigestUpdate(w->digest, p, n))
		return latch(w, VAN_ECRYPTO);
	return put(w, p, n);
}

int tar_end_file(struct tar_writer *w)
{
	static const char zeros[TAR_BLOCK];
	unsigned char sha256[EVP_MAX_MD_SIZE];
	unsigned int n;
	if (w->error)
		return w->error;
	if (w->left)
		return latch(w, VAN_EINVAL);
	put(w, zeros, w->pad);
	if (!EVP_DigestFinal_ex(w->digest, sha256, &n))
		return latch(w, VAN_ECRYPTO);
	if (w->done)
		w->done(w->arg, w->name, sha256);
	return w->error;
}

int tar_file(struct tar_writer *w, const char *name, struct slice bytes, unsigned mode)
{
	tar_begin(w, name, bytes.n, mode);
	tar_data(w, bytes.p, bytes.n);
	return tar_end_file(w);
}

int tar_file_fd(struct tar_writer *w, const char *name, int fd, uint64_t offset, uint64_t length)
{
	char piece[65536];
	tar_begin(w, name, length, 0644);
	while (length && !w->error) {
		size_t want = length < sizeof piece ? (size_t)length : sizeof piece;
		ssize_t n = pread(fd, piece, want, (off_t)offset);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return latch(w, n ? van_err_from_errno(errno) : VAN_EIO);
		tar_data(w, piece, (size_t)n);
		offset += (uint64_t)n;
		length -= (uint64_t)n;
	}
	return tar_end_file(w);
}

int tar_finish(struct tar_writer *w)
{
	static const char zeros[2 * TAR_BLOCK];
	put(w, zeros, sizeof zeros);
	return flush(w);
}

void tar_writer_free(struct tar_writer *w)
{
	van_buf_free(&w->out);
	EVP_MD_CTX_free(w->digest);
	w->digest = NULL;
}
