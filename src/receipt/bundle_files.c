#include "receipt/bundle_files.h"

#include "base/codec.h"
#include "base/fdio.h"

#include <openssl/evp.h>
#include <stdarg.h>
#include <stdlib.h>

void bundle_problem(struct bundle_files *b, const char *fmt, ...)
{
	va_list ap;
	struct receipt_report *r = b->report;
	if (r->n_problems++ >= BUNDLE_PROBLEMS_MAX)
		return;
	va_start(ap, fmt);
	van_buf_vprintf(&r->problems, fmt, ap);
	va_end(ap);
	van_buf_append_char(&r->problems, '\n');
}

static const char *name_of(const struct bundle_files *b, const struct bundle_file *f)
{
	return b->names.p + f->name;
}

/* Short, for people: without the root folder. */
static const char *shown(const char *name)
{
	size_t n = sizeof BUNDLE_ROOT - 1;
	return strncmp(name, BUNDLE_ROOT, n) == 0 ? name + n : name;
}

/* --- opening --- */

static int add_file(void *arg, const char *name, uint64_t offset, uint64_t size)
{
	struct bundle_files *b = arg;
	if (b->n == BUNDLE_FILES_MAX)
		return VAN_ELIMIT;
	if (b->n == b->room) {
		size_t room = b->room ? b->room * 2 : 256;
		struct bundle_file *more = realloc(b->v, room * sizeof *more);
		if (!more)
			return VAN_ENOMEM;
		b->v = more;
		b->room = room;
	}
	b->v[b->n++] = (struct bundle_file){.name = b->names.n, .offset = offset, .size = size};
	return van_buf_append(&b->names, name, strlen(name) + 1);
}

static int by_name(const void *a, const void *b, void *arg)
{
	return strcmp(name_of(arg, a), name_of(arg, b));
}

int bundle_files_open(struct bundle_files *b, int fd, struct receipt_report *report, struct van_error *err)
{
	struct van_error why = {0};
	*b = (struct bundle_files){.fd = fd, .names = VAN_BUF_INIT((size_t)BUNDLE_FILES_MAX * (TAR_NAME_MAX + 1)), .report = report};
	int rc = tar_scan(fd, add_file, b, &why);
	if (rc == VAN_ESYNTAX)
		bundle_problem(b, "%s", why.text);
	else if (rc == VAN_ELIMIT)
		return van_error_set(err, rc, "the bundle has more than %d files: export shorter periods", BUNDLE_FILES_MAX);
	else if (rc)
		return van_error_set(err, rc, "the bundle can't be read: %s", why.text[0] ? why.text : van_err_name(rc));
	if (b->n)
		qsort_r(b->v, b->n, sizeof *b->v, by_name, b);
	for (size_t i = 1; i < b->n; i++)
		if (strcmp(name_of(b, &b->v[i - 1]), name_of(b, &b->v[i])) == 0)
			bundle_problem(b, "%s is there twice", shown(name_of(b, &b->v[i])));
	return 0;
}

void bundle_files_free(struct bundle_files *b)
{
	van_buf_free(&b->names);
	free(b->v);
}

/* --- single files --- */

static struct bundle_file *look_up(struct bundle_files *b, const char *name)
{
	size_t low = 0, high = b->n;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int c = strcmp(name_of(b, &b->v[middle]), name);
		if (c == 0)
			return &b->v[middle];
		if (c < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

struct bundle_file *bundle_find(struct bundle_files *b, const char *name)
{
	struct bundle_file *f = look_up(b, name);
	if (f)
		f->used = true;
	return f;
}

int bundle_read(struct bundle_files *b, const char *name, size_t max, struct van_buf *to)
{
	struct bundle_file *f = bundle_find(b, name);
	if (!f || f->size > max) {
		bundle_problem(b, "%s %s", shown(name), f ? "is too large" : "is missing");
		return VAN_ENOTFOUND;
	}
	van_buf_reset(to);
	char *p = van_buf_reserve(to, (size_t)f->size + 1);
	if (!p)
		return van_buf_error(to);
	int rc = fd_pread_all(b->fd, p, (size_t)f->size, (off_t)f->offset);
	if (rc == 0)
		to->n = (size_t)f->size;
	return rc;
}

int bundle_hash(struct bundle_files *b, const struct bundle_file *f, struct slice before, struct receipt_hash *ret)
{
	char piece[65536];
	unsigned int n;
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	int rc = ctx && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) && EVP_DigestUpdate(ctx, before.p, before.n) ? 0 : VAN_ENOMEM;
	for (uint64_t at = 0; at < f->size && rc == 0;) {
		size_t want = f->size - at < sizeof piece ? (size_t)(f->size - at) : sizeof piece;
		rc = fd_pread_all(b->fd, piece, want, (off_t)(f->offset + at));
		if (rc == 0 && !EVP_DigestUpdate(ctx, piece, want))
			rc = VAN_ECRYPTO;
		at += want;
	}
	if (rc == 0 && !EVP_DigestFinal_ex(ctx, ret->b, &n))
		rc = VAN_ECRYPTO;
	EVP_MD_CTX_free(ctx);
	return rc;
}

/* --- SHA256SUMS --- */

/* "64 hex digits, two blanks, name". */
static int check_line(struct bundle_files *b, struct slice line)
{
	struct receipt_hash want, got;
	char name[TAR_NAME_MAX + 1], hex[2 * RECEIPT_HASH + 1];
	if (line.n < 67 || line.n - 66 + sizeof BUNDLE_ROOT > sizeof name || line.p[64] != ' ' || line.p[65] != ' ' ||
		memchr(line.p, 0, line.n) || hex_decode(want.b, slice_make(line.p, 64)) ||
		memcmp(line.p, hex_encode(hex, want.b, RECEIPT_HASH), 64) != 0) {
		bundle_problem(b, "SHA256SUMS has a line that is no hash and name");
		return 0;
	}
	memcpy(name, BUNDLE_ROOT, sizeof BUNDLE_ROOT);
	strncat(name, line.p + 66, line.n - 66);
	struct bundle_file *f = look_up(b, name);
	if (!f || f->summed) {
		bundle_problem(b, "%s is %s", shown(name), f ? "twice in SHA256SUMS" : "missing (SHA256SUMS lists it)");
		return 0;
	}
	int rc = bundle_hash(b, f, SLICE(""), &got);
	if (rc)
		return rc;
	if (memcmp(want.b, got.b, RECEIPT_HASH) != 0)
		bundle_problem(b, "%s was altered (SHA256SUMS)", shown(name));
	f->summed = true;
	return 0;
}

/* Lines out of pieces of the file; a line longer than a piece is no line of ours. */
static int check_lines(struct bundle_files *b, const struct bundle_file *f)
{
	struct van_buf buf = VAN_BUF_INIT(1 << 20);
	int rc = 0;
	for (uint64_t at = 0; at < f->size && rc == 0;) {
		size_t want = f->size - at < 32768 ? (size_t)(f->size - at) : 32768;
		char *p = van_buf_reserve(&buf, want);
		rc = p ? fd_pread_all(b->fd, p, want, (off_t)(f->offset + at)) : van_buf_error(&buf);
		if (rc)
			break;
		buf.n += want;
		at += want;
		size_t done = 0;
		for (char *end; rc == 0 && (end = memchr(buf.p + done, '\n', buf.n - done)); done = (size_t)(end - buf.p) + 1)
			rc = check_line(b, slice_make(buf.p + done, (size_t)(end - buf.p) - done));
		van_buf_consume(&buf, done);
		if (buf.n > 1024) {
			bundle_problem(b, "SHA256SUMS has a line that is no hash and name");
			break;
		}
	}
	if (rc == 0 && buf.n)
		bundle_problem(b, "SHA256SUMS does not end with a whole line");
	van_buf_free(&buf);
	return rc;
}

int bundle_check_sums(struct bundle_files *b)
{
	struct bundle_file *f = bundle_find(b, BUNDLE_ROOT "SHA256SUMS");
	if (!f || f->size > BUNDLE_SUMS_MAX) {
		bundle_problem(b, "SHA256SUMS %s", f ? "is too large" : "is missing");
		return 0;
	}
	int rc = check_lines(b, f);
	f->summed = true; /* it can't list itself */
	for (size_t i = 0; rc == 0 && i < b->n; i++)
		if (!b->v[i].summed)
			bundle_problem(b, "%s is not in SHA256SUMS", shown(name_of(b, &b->v[i])));
	return rc;
}

void bundle_check_strangers(struct bundle_files *b)
{
	for (size_t i = 0; i < b->n; i++)
		if (!b->v[i].used)
			bundle_problem(b, "%s does not belong to this bundle", shown(name_of(b, &b->v[i])));
}
