/* The reader takes nothing that the writer does not write: a bundle has one meaning for every program that unpacks it. */
#include "receipt/tar.h"

#include "base/fdio.h"

#include <stdio.h>
#include <stdlib.h>

struct scan {
	int fd;
	uint64_t at, end;
	uint64_t pax_size; /* of the next file, or UINT64_MAX */
	struct van_error *err;
};

static int bad(const struct scan *s, const char *what)
{
	return van_error_set(s->err, VAN_ESYNTAX, "the archive is damaged at byte %llu: %s", (unsigned long long)s->at, what);
}

/* Octal digits to the end of the field or a NUL or blank. */
static bool octal(const unsigned char *p, size_t n, uint64_t *ret)
{
	uint64_t v = 0;
	size_t i = 0;
	for (; i < n && p[i] >= '0' && p[i] <= '7'; i++)
		v = v << 3 | (uint64_t)(p[i] - '0');
	if (i == 0 || i > 21 || (i < n && p[i] != 0 && p[i] != ' '))
		return false;
	*ret = v;
	return true;
}

static bool all_zero(const unsigned char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i])
			return false;
	return true;
}

static bool checksum_fits(const unsigned char *b)
{
	char want[9];
	unsigned sum = 0;
	for (size_t i = 0; i < TAR_BLOCK; i++)
		sum += i >= 148 && i < 156 ? ' ' : b[i];
	snprintf(want, sizeof want, "%06o", sum & 0777777);
	want[7] = ' ';
	return memcmp(b + 148, want, 8) == 0;
}

/* prefix/name; false when empty, or with bytes that a name of ours never has. */
static bool name_of(const unsigned char *b, char to[TAR_NAME_MAX + 2])
{
	size_t prefix = strnlen((const char *)b + 345, 155), name = strnlen((const char *)b, 100);
	int n = prefix ? snprintf(to, TAR_NAME_MAX + 2, "%.*s/%.*s", (int)prefix, b + 345, (int)name, b)
		       : snprintf(to, TAR_NAME_MAX + 2, "%.*s", (int)name, b);
	if (name == 0 || n > TAR_NAME_MAX || to[0] == '/' || strstr(to, "..") || strstr(to, "//"))
		return false;
	return strspn(to, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-/") == (size_t)n;
}

/* The one record that we write: "LENGTH size=N\n". */
static int read_pax(struct scan *s, uint64_t size)
{
	char text[TAR_BLOCK + 1] = "", want[TAR_BLOCK];
	unsigned long long n;
	if (size == 0 || size > 64 || s->end - s->at < TAR_BLOCK)
		return bad(s, "an extended header that bundles don't have");
	int rc = fd_pread_all(s->fd, text, (size_t)size, (off_t)s->at);
	if (rc)
		return bad(s, "it can't be read");
	char *equals = strchr(text, '=');
	if (!equals || !slice_u64(slice_trim(slice_str(equals + 1)), &n))
		return bad(s, "an extended header that bundles don't have");
	snprintf(want, sizeof want, "%d size=%llu\n", (int)size, n);
	if (strcmp(want, text) != 0 || s->pax_size != UINT64_MAX)
		return bad(s, "an extended header that bundles don't have");
	s->pax_size = n;
	s->at += TAR_BLOCK;
	return 0;
}

static int read_header(struct scan *s, const unsigned char *b, int (*file)(void *, const char *, uint64_t, uint64_t), void *arg)
{
	char name[TAR_NAME_MAX + 2];
	uint64_t size;
	if (!checksum_fits(b) || memcmp(b + 257, "ustar\0" "00", 8) != 0 || !octal(b + 124, 12, &size))
		return bad(s, "this is no header");
	if (b[156] == 'x') {
		s->at += TAR_BLOCK;
		return read_pax(s, size);
	}
	if (b[156] != '0' || !name_of(b, name))
		return bad(s, "a kind of file, or a name, that bundles don't have");
	if (s->pax_size != UINT64_MAX)
		size = s->pax_size;
	s->pax_size = UINT64_MAX;
	uint64_t from = s->at + TAR_BLOCK;
	if (size > s->end - from)
		return bad(s, "a file reaches beyond the end: the archive was cut off");
	size_t pad = (TAR_BLOCK - size % TAR_BLOCK) % TAR_BLOCK;
	unsigned char zeros[TAR_BLOCK];
	if (size + pad > s->end - from)
		return bad(s, "the archive was cut off");
	if (fd_pread_all(s->fd, zeros, pad, (off_t)(from + size)) || !all_zero(zeros, pad))
		return bad(s, "something hides behind a file's end");
	s->at = from + size + pad;
	return file(arg, name, from, size);
}

/* From the first zero block on there is nothing but zeros, at least two blocks. */
static int read_end(struct scan *s)
{
	unsigned char b[65536];
	if (s->end - s->at < 2 * TAR_BLOCK)
		return bad(s, "the archive was cut off");
	while (s->at < s->end) {
		size_t n = s->end - s->at < sizeof b ? (size_t)(s->end - s->at) : sizeof b;
		if (fd_pread_all(s->fd, b, n, (off_t)s->at) || !all_zero(b, n))
			return bad(s, "something follows the archive's end");
		s->at += n;
	}
	return 0;
}

int tar_scan(int fd, int (*file)(void *arg, const char *name, uint64_t offset, uint64_t size), void *arg, struct van_error *err)
{
	struct scan s = {.fd = fd, .pax_size = UINT64_MAX, .err = err};
	unsigned char block[TAR_BLOCK];
	int rc = fd_size(fd, &s.end);
	if (rc)
		return van_error_set(err, rc, "the bundle can't be read: %s", van_err_name(rc));
	while (s.end - s.at >= TAR_BLOCK) {
		rc = fd_pread_all(fd, block, sizeof block, (off_t)s.at);
		if (rc)
			return van_error_set(err, rc, "the bundle can't be read: %s", van_err_name(rc));
		if (all_zero(block, sizeof block))
			return s.pax_size == UINT64_MAX ? read_end(&s) : bad(&s, "a header without its file");
		rc = read_header(&s, block, file, arg);
		if (rc)
			return rc;
	}
	return bad(&s, "the archive was cut off");
}
