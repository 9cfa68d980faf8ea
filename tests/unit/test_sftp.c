/* The SFTP engine over a mailbox in memory: every request, in every split of the input. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "sftp/path.h"
#include "sftp/sftpd.h"

#include <stdio.h>
#include <stdlib.h>

#define NOW ((van_time)1763714400 * VAN_SECOND) /* 2025-11-21 08:40 UTC */

/* --- a backend: one file "/in/f", one folder "/out" with many names ------------------------------------------------ */

struct backend {
	char content[4096];
	size_t size;
	int open_files, open_folders, abandoned, synced;
	bool refuse_write;
	unsigned entries;
};
struct file {
	struct backend *b;
};
struct folder {
	unsigned next;
};

static enum sftpd_status b_open(void *arg, struct slice path, uint32_t flags, const struct sftpd_attributes *a, void **ret,
				struct sftpd_why *why)
{
	struct backend *b = arg;
	(void)a;
	if (slice_is(path, "/denied"))
		return sftpd_refuse(why, SFTPD_PERMISSION_DENIED, "not here: put files into /in");
	if (!slice_is(path, "/in/f"))
		return SFTPD_NO_SUCH_FILE;
	if (flags & SFTPD_OPEN_TRUNCATE)
		b->size = 0;
	struct file *f = calloc(1, sizeof *f);
	assert_non_null(f);
	f->b = b;
	b->open_files++;
	*ret = f;
	return SFTPD_OK;
}

static enum sftpd_status b_read(void *arg, void *file, uint64_t at, void *to, size_t n, size_t *ret_n, struct sftpd_why *why)
{
	struct backend *b = arg;
	(void)file, (void)why;
	*ret_n = at >= b->size ? 0 : b->size - at < n ? b->size - at : n;
	memcpy(to, b->content + (at < b->size ? at : 0), *ret_n);
	return SFTPD_OK;
}

static enum sftpd_status b_write(void *arg, void *file, uint64_t at, const void *p, size_t n, struct sftpd_why *why)
{
	struct backend *b = arg;
	(void)file;
	if (b->refuse_write || at + n > sizeof b->content)
		return sftpd_refuse(why, SFTPD_FAILURE, "the mailbox is full");
	memcpy(b->content + at, p, n);
	if (at + n > b->size)
		b->size = at + n;
	return SFTPD_OK;
}

static enum sftpd_status b_sync(void *arg, void *file, struct sftpd_why *why)
{
	(void)file, (void)why;
	((struct backend *)arg)->synced++;
	return SFTPD_OK;
}

static struct sftpd_attributes attributes_of(uint64_t size, uint32_t mode)
{
	return (struct sftpd_attributes){.size = size, .uid = 7, .gid = 8, .mode = mode, .accessed = 1763700000, .modified = 1763700000};
}

static enum sftpd_status b_fstat(void *arg, void *file, struct sftpd_attributes *ret, struct sftpd_why *why)
{
	(void)file, (void)why;
	*ret = attributes_of(((struct backend *)arg)->size, SFTPD_MODE_FILE | 0640);
	return SFTPD_OK;
}

static enum sftpd_status b_fsetstat(void *arg, void *file, const struct sftpd_attributes *a, struct sftpd_why *why)
{
	(void)arg, (void)file, (void)why;
	return a->has & SFTPD_HAS_TIMES && a->modified == 5 ? SFTPD_OK : SFTPD_FAILURE;
}

static enum sftpd_status b_close(void *arg, void *file, struct sftpd_why *why)
{
	(void)why;
	((struct backend *)arg)->open_files--;
	free(file);
	return SFTPD_OK;
}

static void b_abandon(void *arg, void *file)
{
	((struct backend *)arg)->open_files--;
	((struct backend *)arg)->abandoned++;
	free(file);
}

static enum sftpd_status b_folder_open(void *arg, struct slice path, void **ret, struct sftpd_why *why)
{
	(void)why;
	if (!slice_is(path, "/out"))
		return SFTPD_NO_SUCH_FILE;
	*ret = calloc(1, sizeof(struct folder));
	assert_non_null(*ret);
	((struct backend *)arg)->open_folders++;
	return SFTPD_OK;
}

static enum sftpd_status b_folder_read(void *arg, void *folder, struct sftpd_names *to, struct sftpd_why *why)
{
	struct backend *b = arg;
	struct folder *f = folder;
	(void)why;
	for (; f->next < b->entries; f->next++) {
		char name[32];
		snprintf(name, sizeof name, "order-%06u.edi", f->next);
		struct sftpd_attributes a = attributes_of(f->next, SFTPD_MODE_FILE | 0640);
		if (!sftpd_names_add(to, slice_str(name), &a))
			break;
	}
	return SFTPD_OK;
}

static void b_folder_close(void *arg, void *folder)
{
	((struct backend *)arg)->open_folders--;
	free(folder);
}

static enum sftpd_status b_stat(void *arg, struct slice path, struct sftpd_attributes *ret, struct sftpd_why *why)
{
	(void)why;
	if (slice_is(path, "/in/f"))
		*ret = attributes_of(((struct backend *)arg)->size, SFTPD_MODE_FILE | 0640);
	else if (slice_is(path, "/out") || slice_is(path, "/"))
		*ret = attributes_of(0, SFTPD_MODE_FOLDER | 0750);
	else
		return SFTPD_NO_SUCH_FILE;
	return SFTPD_OK;
}

static enum sftpd_status b_setstat(void *arg, struct slice path, const struct sftpd_attributes *a, struct sftpd_why *why)
{
	(void)arg, (void)why;
	return slice_is(path, "/in/f") && a->has == SFTPD_HAS_MODE ? SFTPD_OK : SFTPD_FAILURE;
}

static enum sftpd_status b_remove(void *arg, struct slice path, struct sftpd_why *why)
{
	(void)arg, (void)why;
	return slice_is(path, "/in/f") ? SFTPD_OK : SFTPD_NO_SUCH_FILE;
}

static enum sftpd_status b_rename(void *arg, struct slice from, struct slice to, bool replace, struct sftpd_why *why)
{
	(void)arg;
	if (!replace)
		return sftpd_refuse(why, SFTPD_FAILURE, "from %.*s", SLICE_ARG(from));
	return slice_is(from, "/in/a") && slice_is(to, "/in/b") ? SFTPD_OK : SFTPD_FAILURE;
}

static enum sftpd_status b_space(void *arg, struct slice path, struct sftpd_space *ret, struct sftpd_why *why)
{
	(void)arg, (void)path, (void)why;
	*ret = (struct sftpd_space){.block = 4096, .fragment = 4096, .blocks = 100, .name_max = 255};
	return SFTPD_OK;
}

static const struct sftpd_ops ops = {
	.open = b_open, .read = b_read, .write = b_write, .sync = b_sync, .fstat = b_fstat, .fsetstat = b_fsetstat, .close = b_close,
	.abandon = b_abandon, .folder_open = b_folder_open, .folder_read = b_folder_read, .folder_close = b_folder_close,
	.stat = b_stat, .setstat = b_setstat, .remove = b_remove, .rename = b_rename, .space = b_space,
};

/* --- requests and answers --------------------------------------------------------------------------------------------- */

static void put32(struct van_buf *b, uint32_t v)
{
	unsigned char t[4] = {(unsigned char)(v >> 24), (unsigned char)(v >> 16), (unsigned char)(v >> 8), (unsigned char)v};
	van_buf_append(b, t, 4);
}

static void put64(struct van_buf *b, uint64_t v)
{
	put32(b, (uint32_t)(v >> 32));
	put32(b, (uint32_t)v);
}

static void puts_(struct van_buf *b, struct slice s)
{
	put32(b, (uint32_t)s.n);
	van_buf_append_slice(b, s);
}

static size_t begin(struct van_buf *b, uint8_t type, uint32_t id)
{
	size_t at = b->n;
	put32(b, 0);
	van_buf_append_char(b, (char)type);
	put32(b, id);
	return at;
}

static void end(struct van_buf *b, size_t at)
{
	uint32_t n = (uint32_t)(b->n - at - 4);
	for (int i = 0; i < 4; i++)
		b->p[at + (size_t)i] = (char)(n >> (24 - 8 * i));
}

static void put_path(struct van_buf *b, uint8_t type, uint32_t id, const char *path)
{
	size_t at = begin(b, type, id);
	puts_(b, slice_str(path));
	end(b, at);
}

static void put_open(struct van_buf *b, uint32_t id, const char *path, uint32_t flags)
{
	size_t at = begin(b, 3, id);
	puts_(b, slice_str(path));
	put32(b, flags);
	put32(b, 0);
	end(b, at);
}

static struct slice handle(uint32_t slot, uint32_t generation)
{
	static char text[8];
	uint32_t v[2] = {slot, generation};
	for (int i = 0; i < 8; i++)
		text[i] = (char)(v[i / 4] >> (24 - 8 * (i % 4)));
	return slice_make(text, 8);
}

static void put_write(struct van_buf *b, uint32_t id, struct slice h, uint64_t offset, struct slice data)
{
	size_t at = begin(b, 6, id);
	puts_(b, h);
	put64(b, offset);
	puts_(b, data);
	end(b, at);
}

static void put_read(struct van_buf *b, uint32_t id, struct slice h, uint64_t offset, uint32_t n)
{
	size_t at = begin(b, 5, id);
	puts_(b, h);
	put64(b, offset);
	put32(b, n);
	end(b, at);
}

static void put_handle(struct van_buf *b, uint8_t type, uint32_t id, struct slice h)
{
	size_t at = begin(b, type, id);
	puts_(b, h);
	end(b, at);
}

static void put_extended(struct van_buf *b, uint32_t id, const char *name, const char *one, const char *two)
{
	size_t at = begin(b, 200, id);
	puts_(b, slice_str(name));
	if (one)
		puts_(b, slice_str(one));
	if (two)
		puts_(b, slice_str(two));
	end(b, at);
}

static void put_init(struct van_buf *b)
{
	size_t at = begin(b, 1, 6);
	end(b, at);
}

/* Feeds everything, at most `step` bytes at once, taking output away whenever it waits. */
static int feed(struct sftpd *s, struct slice in, size_t step, struct van_buf *out)
{
	size_t at = 0;
	for (;;) {
		size_t n = in.n - at < step ? in.n - at : step, taken = 0;
		int rc = sftpd_input(s, in.p + at, n, NOW, &taken, NULL);
		if (rc < 0)
			return rc;
		at += taken;
		struct slice o = sftpd_output(s);
		size_t k = o.n > 3 ? o.n - 1 : o.n; /* not all at once */
		van_buf_append(out, o.p, k);
		sftpd_output_sent(s, k);
		if (at == in.n && sftpd_output(s).n == 0)
			return 0;
	}
}

struct answer {
	uint8_t type;
	uint32_t id;
	struct slice rest;
};

static uint32_t get32(const char *p)
{
	const unsigned char *b = (const unsigned char *)p;
	return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

static struct answer answer(struct slice *rest)
{
	assert_true(rest->n >= 9);
	uint32_t n = get32(rest->p);
	assert_true(rest->n >= 4 + (size_t)n && n >= 5);
	struct answer a = {(uint8_t)rest->p[4], get32(rest->p + 5), slice_make(rest->p + 9, n - 5)};
	*rest = slice_make(rest->p + 4 + n, rest->n - 4 - n);
	return a;
}

static void expect_status(struct slice *rest, uint32_t id, uint32_t status)
{
	struct answer a = answer(rest);
	assert_int_equal(a.id, id);
	assert_int_equal(a.type, 101);
	assert_int_equal(get32(a.rest.p), status);
}

/* --- tests -------------------------------------------------------------------------------------------------------------- */

/* A session with every kind of request, also wrong ones. */
static void script(struct van_buf *b)
{
	put_init(b);
	put_path(b, 16, 1, "../.././in//f/.");
	put_open(b, 2, "/in/f", SFTPD_OPEN_WRITE | SFTPD_OPEN_CREATE | SFTPD_OPEN_TRUNCATE);
	put_write(b, 3, handle(0, 1), 0, SLICE("ISA*00*"));
	put_write(b, 4, handle(0, 1), 7, SLICE("more, and then the end"));
	put_write(b, 5, handle(0, 1), 29, SLICE(""));
	put_write(b, 6, handle(0, 9), 0, SLICE("stale handle"));
	put_write(b, 7, SLICE("no"), 0, SLICE("odd handle"));
	put_extended(b, 8, "limits@openssh.com", NULL, NULL);
	put_handle(b, 8, 9, handle(0, 1));
	put_read(b, 10, handle(0, 1), 4, 10);
	put_read(b, 11, handle(0, 1), 500, 10);
	put_handle(b, 4, 12, handle(0, 1));
	put_handle(b, 4, 13, handle(0, 1));
	put_open(b, 14, "/denied", 1);
	put_path(b, 17, 15, "in/f");
	put_path(b, 7, 16, "nothing");
	put_path(b, 11, 17, "out");
	put_handle(b, 12, 18, handle(0, 2));
	put_handle(b, 12, 19, handle(0, 2));
	put_handle(b, 4, 20, handle(0, 2));
	put_path(b, 77, 21, "unknown request");
	put_extended(b, 22, "posix-rename@openssh.com", "/in/a", "in/b");
	put_extended(b, 23, "statvfs@openssh.com", "/", NULL);
	put_extended(b, 24, "hardlink@openssh.com", "/in/a", "/in/b");
	put_path(b, 13, 25, "/in/f");
	put_path(b, 14, 26, "/in/new");
	put_path(b, 18, 27, "only one path");
	size_t at = begin(b, 10, 28); /* FSETSTAT on a handle that is gone */
	puts_(b, handle(0, 1));
	put32(b, 8);
	put32(b, 5);
	put32(b, 5);
	end(b, at);
	at = begin(b, 9, 29);
	puts_(b, SLICE("/in/f"));
	put32(b, 4);
	put32(b, 0600);
	end(b, at);
	at = begin(b, 3, 30); /* a NUL in the name */
	puts_(b, slice_make("/in/f\0x", 7));
	put32(b, 1);
	put32(b, 0);
	end(b, at);
	at = begin(b, 6, 31); /* a WRITE whose data is longer than the packet */
	puts_(b, handle(0, 1));
	put64(b, 0);
	put32(b, 1000);
	van_buf_append_str(b, "short");
	end(b, at);
	at = begin(b, 6, 32); /* a WRITE whose handle is longer than the packet */
	put32(b, 4000000000u);
	van_buf_append_str(b, "short");
	end(b, at);
	at = begin(b, 6, 33); /* a WRITE that is only an id */
	end(b, at);
	put_path(b, 15, 34, "/out");
	put_extended(b, 35, "home-directory", "", NULL);
}

static struct sftpd *session(struct backend *b, const struct sftpd_options *o)
{
	struct sftpd *s = sftpd_new(o, &ops, b);
	assert_non_null(s);
	return s;
}

static void test_every_request(void **state)
{
	(void)state;
	struct backend b = {.entries = 3};
	struct van_buf in = VAN_BUF_INIT(0), out = VAN_BUF_INIT(0);
	struct sftpd *s = session(&b, NULL);
	script(&in);
	assert_int_equal(feed(s, van_buf_slice(&in), in.n, &out), 0);
	struct slice rest = van_buf_slice(&out);
	struct answer a = answer(&rest);
	assert_int_equal(a.type, 2);
	assert_int_equal(a.id, 3);
	a = answer(&rest);
	assert_int_equal(a.type, 104);
	assert_memory_equal(a.rest.p + 4, "\0\0\0\5/in/f", 9);
	assert_int_equal(answer(&rest).type, 102);
	expect_status(&rest, 3, 0);
	expect_status(&rest, 4, 0);
	expect_status(&rest, 5, 0);
	expect_status(&rest, 6, SFTPD_FAILURE);
	expect_status(&rest, 7, SFTPD_FAILURE);
	a = answer(&rest);
	assert_int_equal(a.type, 201);
	assert_int_equal(get32(a.rest.p + 4), 262144);
	assert_int_equal(get32(a.rest.p + 12), 261120);
	a = answer(&rest);
	assert_int_equal(a.type, 105);
	assert_int_equal(get32(a.rest.p + 8), 29);
	a = answer(&rest);
	assert_int_equal(a.type, 103);
	assert_true(slice_eq(a.rest, slice_make("\0\0\0\12" "00*more, a", 14)));
	expect_status(&rest, 11, SFTPD_EOF);
	expect_status(&rest, 12, 0);
	expect_status(&rest, 13, SFTPD_FAILURE);
	expect_status(&rest, 14, SFTPD_PERMISSION_DENIED);
	assert_int_equal(answer(&rest).type, 105);
	expect_status(&rest, 16, SFTPD_NO_SUCH_FILE);
	assert_int_equal(answer(&rest).type, 102);
	a = answer(&rest);
	assert_int_equal(a.type, 104);
	assert_int_equal(get32(a.rest.p), 3);
	expect_status(&rest, 19, SFTPD_EOF);
	expect_status(&rest, 20, 0);
	expect_status(&rest, 21, SFTPD_OP_UNSUPPORTED);
	expect_status(&rest, 22, 0);
	assert_int_equal(answer(&rest).type, 201);
	expect_status(&rest, 24, SFTPD_OP_UNSUPPORTED);
	expect_status(&rest, 25, 0);
	expect_status(&rest, 26, SFTPD_OP_UNSUPPORTED);
	expect_status(&rest, 27, SFTPD_BAD_MESSAGE);
	expect_status(&rest, 28, SFTPD_FAILURE);
	expect_status(&rest, 29, 0);
	expect_status(&rest, 30, SFTPD_NO_SUCH_FILE);
	expect_status(&rest, 31, SFTPD_BAD_MESSAGE);
	expect_status(&rest, 32, SFTPD_BAD_MESSAGE);
	expect_status(&rest, 33, SFTPD_BAD_MESSAGE);
	expect_status(&rest, 34, SFTPD_OP_UNSUPPORTED);
	assert_int_equal(answer(&rest).type, 104);
	assert_int_equal(rest.n, 0);
	assert_int_equal(b.size, 29);
	assert_memory_equal(b.content, "ISA*00*more, and then the end", 29);
	assert_int_equal(b.open_files + b.open_folders, 0);
	sftpd_free(s);
	van_buf_free(&in);
	van_buf_free(&out);
}

static void test_every_split(void **state)
{
	(void)state;
	struct van_buf in = VAN_BUF_INIT(0), whole = VAN_BUF_INIT(0);
	struct backend b = {.entries = 3};
	struct sftpd *s = session(&b, NULL);
	script(&in);
	assert_int_equal(feed(s, van_buf_slice(&in), in.n, &whole), 0);
	sftpd_free(s);
	for (size_t step = 1; step < 64; step++) {
		struct van_buf out = VAN_BUF_INIT(0);
		b = (struct backend){.entries = 3};
		s = session(&b, NULL);
		assert_int_equal(feed(s, van_buf_slice(&in), step, &out), 0);
		assert_true(slice_eq(van_buf_slice(&out), van_buf_slice(&whole)));
		sftpd_free(s);
		van_buf_free(&out);
	}
	for (size_t cut = 0; cut <= in.n; cut++) {
		struct van_buf out = VAN_BUF_INIT(0);
		b = (struct backend){.entries = 3};
		s = session(&b, &(struct sftpd_options){.output_high = 1}); /* one request at a time */
		assert_int_equal(feed(s, slice_make(in.p, cut), in.n, &out), 0);
		assert_int_equal(feed(s, slice_make(in.p + cut, in.n - cut), in.n, &out), 0);
		assert_true(slice_eq(van_buf_slice(&out), van_buf_slice(&whole)));
		sftpd_free(s);
		van_buf_free(&out);
	}
	van_buf_free(&in);
	van_buf_free(&whole);
}

static void test_output_is_bounded(void **state)
{
	(void)state;
	struct backend b = {.size = 4096};
	struct van_buf in = VAN_BUF_INIT(0);
	struct sftpd *s = session(&b, &(struct sftpd_options){.output_high = 10000});
	put_init(&in);
	put_open(&in, 1, "/in/f", 1);
	for (uint32_t i = 0; i < 1000; i++)
		put_read(&in, 2 + i, handle(0, 1), 0, 4096);
	size_t taken, at = 0, most = 0, replies = 0;
	while (at < in.n) {
		assert_int_equal(sftpd_input(s, in.p + at, in.n - at, NOW, &taken, NULL), 0);
		at += taken;
		size_t waits = sftpd_output(s).n;
		most = waits > most ? waits : most;
		replies += waits;
		assert_int_equal(sftpd_wants_input(s), waits < 10000);
		sftpd_output_sent(s, waits);
	}
	assert_true(most <= 10000 + 4096 + 13);
	assert_true(replies >= 1000 * 4109);
	sftpd_free(s);
	assert_int_equal(b.abandoned, 1);
	van_buf_free(&in);
}

static void test_refused_write_drops_the_rest(void **state)
{
	(void)state;
	struct backend b = {.refuse_write = true};
	struct van_buf in = VAN_BUF_INIT(0), out = VAN_BUF_INIT(0);
	struct sftpd *s = session(&b, NULL);
	put_init(&in);
	put_open(&in, 1, "/in/f", 2);
	put_write(&in, 2, handle(0, 1), 0, SLICE("some data that has no room"));
	put_write(&in, 3, handle(0, 1), UINT64_MAX - 2, SLICE("beyond everything"));
	put_handle(&in, 4, 4, handle(0, 1));
	assert_int_equal(feed(s, van_buf_slice(&in), 7, &out), 0);
	struct slice rest = van_buf_slice(&out);
	answer(&rest);
	answer(&rest);
	struct answer a = answer(&rest);
	assert_int_equal(get32(a.rest.p), SFTPD_FAILURE);
	assert_memory_equal(a.rest.p + 8, "the mailbox is full", 19);
	expect_status(&rest, 3, SFTPD_FAILURE);
	expect_status(&rest, 4, 0);
	sftpd_free(s);
	van_buf_free(&in);
	van_buf_free(&out);
}

static void test_handles_are_bounded(void **state)
{
	(void)state;
	struct backend b = {0};
	struct van_buf in = VAN_BUF_INIT(0), out = VAN_BUF_INIT(0);
	struct sftpd *s = session(&b, &(struct sftpd_options){.handles_max = 4});
	put_init(&in);
	for (uint32_t i = 0; i < 4; i++)
		put_open(&in, i, "/in/f", 1);
	put_open(&in, 4, "/in/f", 1);
	put_path(&in, 11, 5, "/out");
	assert_int_equal(feed(s, van_buf_slice(&in), in.n, &out), 0);
	struct slice rest = van_buf_slice(&out);
	for (int i = 0; i < 5; i++)
		answer(&rest);
	expect_status(&rest, 4, SFTPD_FAILURE);
	expect_status(&rest, 5, SFTPD_FAILURE);
	assert_int_equal(sftpd_open_handles(s), 4);
	assert_int_equal(b.open_files, 4);
	sftpd_free(s);
	assert_int_equal(b.open_files, 0);
	assert_int_equal(b.abandoned, 4);
	van_buf_free(&in);
	van_buf_free(&out);
}

static void test_not_sftp(void **state)
{
	(void)state;
	static const struct {
		const char *p;
		size_t n;
		int rc;
	} cases[] = {
		{"\x10\0\0\0\1\0\0\0\3", 9, VAN_ELIMIT},	   /* 256 MiB */
		{"\xff\xff\xff\xff\1\0\0\0\3", 9, VAN_ELIMIT},
		{"\0\0\0\0\1", 5, VAN_ESYNTAX},
		{"\0\0\0\1\1", 5, VAN_ESYNTAX},
		{"\0\0\0\5\4\0\0\0\1", 9, VAN_ESYNTAX},		   /* CLOSE before INIT */
		{"\0\0\0\5\1\0\0\0\3\0\0\0\5\1\0\0\0\3", 18, VAN_ESYNTAX}, /* INIT twice */
		{"GET / HTTP/1.1\r\n", 16, VAN_ELIMIT},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		for (size_t step = 1; step <= cases[i].n; step++) {
			struct backend b = {0};
			struct van_buf out = VAN_BUF_INIT(0);
			struct sftpd *s = session(&b, NULL);
			assert_int_equal(feed(s, slice_make(cases[i].p, cases[i].n), step, &out), cases[i].rc);
			size_t taken;
			assert_int_equal(sftpd_input(s, "", 0, NOW, &taken, NULL), cases[i].rc);
			sftpd_free(s);
			van_buf_free(&out);
		}
}

static void test_long_listing(void **state)
{
	(void)state;
	struct backend b = {.entries = 5000};
	struct sftpd *s = session(&b, NULL);
	struct van_buf in = VAN_BUF_INIT(0), out = VAN_BUF_INIT(0);
	uint32_t count = 0, id = 10;
	put_init(&in);
	put_path(&in, 11, 1, "/out");
	assert_int_equal(feed(s, van_buf_slice(&in), in.n, &out), 0);
	for (;; id++) {
		van_buf_reset(&in);
		van_buf_reset(&out);
		put_handle(&in, 12, id, handle(0, 1));
		assert_int_equal(feed(s, van_buf_slice(&in), in.n, &out), 0);
		struct slice rest = van_buf_slice(&out);
		struct answer a = answer(&rest);
		assert_int_equal(a.id, id);
		if (a.type == 101)
			break;
		assert_true(out.n <= 32768);
		count += get32(a.rest.p);
	}
	assert_int_equal(count, 5000);
	assert_true(id > 20);
	sftpd_free(s);
	assert_int_equal(b.open_folders, 0);
	van_buf_free(&in);
	van_buf_free(&out);
}

static void test_paths(void **state)
{
	(void)state;
	static const char *const cases[][2] = {
		{"", "/"}, {".", "/"}, {"/", "/"}, {"//", "/"}, {"..", "/"}, {"../../etc/passwd", "/etc/passwd"}, {"in", "/in"},
		{"/in/", "/in"}, {"~", "/"}, {"~/in", "/in"}, {"/~/in/x", "/in/x"}, {"/in/~", "/in/~"}, {"~x", "/~x"}, {"/in/../out/./x", "/out/x"}, {"/in/..", "/"}, {"a/b/../../../c", "/c"}, {"/...", "/..."},
		{"/in/ a b ", "/in/ a b "}, {"/in/\xc3\xa9", "/in/\xc3\xa9"},
	};
	struct sftpd_path path;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		assert_int_equal(sftpd_path_normalise(slice_str(cases[i][0]), &path), 0);
		assert_string_equal(path.text, cases[i][1]);
		assert_int_equal(path.n, strlen(cases[i][1]));
	}
	assert_int_equal(sftpd_path_normalise(slice_make("/in/\0", 5), &path), VAN_ESYNTAX);
	char text[3000];
	memset(text, 'x', sizeof text);
	assert_int_equal(sftpd_path_normalise(slice_make(text, SFTPD_NAME_MAX), &path), 0);
	assert_int_equal(sftpd_path_normalise(slice_make(text, SFTPD_NAME_MAX + 1), &path), VAN_ELIMIT);
	for (size_t i = 0; i < sizeof text; i += 2)
		text[i] = '/';
	assert_int_equal(sftpd_path_normalise(slice_make(text, 1024), &path), 0);
	assert_int_equal(path.n, 1024);
	assert_int_equal(sftpd_path_normalise(slice_make(text, 1025), &path), VAN_ELIMIT);
	text[1024] = 'x'; /* fits as sent, but not with its '/' in front */
	assert_int_equal(sftpd_path_normalise(slice_make(text + 1, 1024), &path), VAN_ELIMIT);
}

static void test_long_names(void **state)
{
	(void)state;
	struct van_buf b = VAN_BUF_INIT(0);
	struct sftpd_attributes a = attributes_of(1234, SFTPD_MODE_FILE | 0640);
	assert_int_equal(sftpd_long_name(&b, SLICE("a\nb.edi"), &a, "volt", NOW), 0);
	van_buf_append_char(&b, '\0');
	assert_string_equal(b.p, "-rw-r-----   1 volt     volt         1234 Nov 21 04:40 a?b.edi");
	van_buf_reset(&b);
	a = attributes_of(0, SFTPD_MODE_FOLDER | 0755);
	a.modified = 951782400; /* 2000-02-29 */
	assert_int_equal(sftpd_long_name(&b, SLICE("in"), &a, "a-long-owner", NOW), 0);
	van_buf_append_char(&b, '\0');
	assert_string_equal(b.p, "drwxr-xr-x   1 a-long-owner a-long-owner        0 Feb 29  2000 in");
	van_buf_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_request),
		cmocka_unit_test(test_every_split),
		cmocka_unit_test(test_output_is_bounded),
		cmocka_unit_test(test_refused_write_drops_the_rest),
		cmocka_unit_test(test_handles_are_bounded),
		cmocka_unit_test(test_not_sftp),
		cmocka_unit_test(test_long_listing),
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_long_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
