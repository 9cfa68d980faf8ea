/* The SFTP role's view of a mailbox, and uploads in every order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/fdio.h"
#include "ipc/messages.h"
#include "roles/sftp/confine.h"
#include "roles/sftp/files.h"
#include "roles/sftp/listener.h"
#include "roles/sftp/mailbox.h"
#include "roles/sftp/upload.h"
#include "roles/sftp/view.h"

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void check_place(const struct sftpd_view *v, const char *path, enum sftpd_place_kind kind, enum ipc_folder folder,
			const char *date, const char *name)
{
	struct sftpd_place p = sftpd_view_find(v, slice_str(path));
	if (p.kind != kind)
		fail_msg("%s is of kind %d, not %d", path, p.kind, kind);
	if (kind == SFTPD_PLACE_NONE || kind == SFTPD_PLACE_ABOVE)
		return;
	assert_int_equal(p.folder, folder);
	assert_true(slice_eq(p.section, slice_str(date)) && slice_eq(p.name, slice_str(name)));
}

static void test_view(void **state)
{
	(void)state;
	struct sftpd_view v;
	assert_int_equal(sftpd_view_init(&v, &(struct ipc_auth_reply){.folder_in = SLICE_NONE, .folder_out = SLICE_NONE}), 0);
	check_place(&v, "/", SFTPD_PLACE_ABOVE, 0, NULL, NULL);
	check_place(&v, "/in", SFTPD_PLACE_FOLDER, IPC_FOLDER_IN, NULL, NULL);
	check_place(&v, "/out", SFTPD_PLACE_FOLDER, IPC_FOLDER_OUT, NULL, NULL);
	check_place(&v, "/in/a.edi", SFTPD_PLACE_FILE, IPC_FOLDER_IN, NULL, "a.edi");
	check_place(&v, "/out/b", SFTPD_PLACE_FILE, IPC_FOLDER_OUT, NULL, "b");
	check_place(&v, "/out/archive", SFTPD_PLACE_FOLDER, IPC_FOLDER_OUT_ARCHIVE, NULL, NULL);
	check_place(&v, "/in/archive/2026-01-31", SFTPD_PLACE_SECTION, IPC_FOLDER_IN_ARCHIVE, "2026-01-31", NULL);
	check_place(&v, "/in/archive/2026-01-31/x", SFTPD_PLACE_FILE, IPC_FOLDER_IN_ARCHIVE, "2026-01-31", "x");
	static const char *const none[] = {"/inn", "/i", "/in/a/b", "/out/archive/x", "/out/archive/2026-1-31", "/etc/passwd",
					   "/in/archive/2026-01-31/x/y", "/outarchive", "/archive"};
	for (size_t i = 0; i < sizeof none / sizeof *none; i++)
		check_place(&v, none[i], SFTPD_PLACE_NONE, 0, NULL, NULL);
}

static void test_view_with_other_names(void **state)
{
	(void)state;
	struct sftpd_view v;
	struct slice names[2];
	assert_int_equal(sftpd_view_init(&v, &(struct ipc_auth_reply){.folder_in = SLICE("edi/from-us/"), .folder_out = SLICE("/edi/to-us")}), 0);
	check_place(&v, "/", SFTPD_PLACE_ABOVE, 0, NULL, NULL);
	check_place(&v, "/edi", SFTPD_PLACE_ABOVE, 0, NULL, NULL);
	check_place(&v, "/edi/from-us", SFTPD_PLACE_FOLDER, IPC_FOLDER_IN, NULL, NULL);
	check_place(&v, "/edi/to-us/x", SFTPD_PLACE_FILE, IPC_FOLDER_OUT, NULL, "x");
	check_place(&v, "/in", SFTPD_PLACE_NONE, 0, NULL, NULL);
	assert_int_equal(sftpd_view_below(&v, SLICE("/"), names), 1);
	assert_true(slice_is(names[0], "edi"));
	assert_int_equal(sftpd_view_below(&v, SLICE("/edi"), names), 2);
	assert_int_equal(sftpd_view_below(&v, SLICE("/ed"), names), 0);

	assert_int_equal(sftpd_view_init(&v, &(struct ipc_auth_reply){.folder_in = SLICE("/"), .folder_out = SLICE("/out")}), 0); /* one within the other */
	check_place(&v, "/", SFTPD_PLACE_FOLDER, IPC_FOLDER_IN, NULL, NULL);
	check_place(&v, "/x", SFTPD_PLACE_FILE, IPC_FOLDER_IN, NULL, "x");
	check_place(&v, "/out", SFTPD_PLACE_FOLDER, IPC_FOLDER_OUT, NULL, NULL);
	check_place(&v, "/out/x", SFTPD_PLACE_FILE, IPC_FOLDER_OUT, NULL, "x");
	check_place(&v, "/archive", SFTPD_PLACE_FOLDER, IPC_FOLDER_IN_ARCHIVE, NULL, NULL);

	assert_int_equal(sftpd_view_init(&v, &(struct ipc_auth_reply){.folder_in = SLICE("/a"), .folder_out = SLICE("a/")}), VAN_EINVAL);
	assert_int_equal(sftpd_view_init(&v, &(struct ipc_auth_reply){.folder_in = slice_make("/\0", 2), .folder_out = SLICE("/b")}), VAN_EINVAL);
}

static void test_temporary_names(void **state)
{
	(void)state;
	static const char *const yes[] = {".x", ".x.edi", "x.part", "x.edi.filepart", "x.TMP", "a.tmp", "x.edi.1a2b.partial", "x.writing", "x.edi.inprogress"};
	static const char *const no[] = {"x", "x.edi", "part", "tmp", "x.parts", "x.tmp.edi"};
	for (size_t i = 0; i < sizeof yes / sizeof *yes; i++)
		assert_true(sftpd_view_is_temporary(&(struct sftpd_view){.temporary = {0}}, slice_str(yes[i])));
	for (size_t i = 0; i < sizeof no / sizeof *no; i++)
		assert_false(sftpd_view_is_temporary(&(struct sftpd_view){.temporary = {0}}, slice_str(no[i])));
}

/* --- uploads ---------------------------------------------------------------------------------------------------------- */

static char *content; /* 4 MiB */
#define CONTENT ((size_t)4 << 20)

static int files_made;

static int new_file(void *arg)
{
	files_made++;
	return arg ? open(arg, O_RDWR) : memfd_new("upload");
}

static struct sftpd_writer *idle; /* all but one of the uploads here hand it on */

static struct sftpd_upload *upload(uint64_t max)
{
	struct sftpd_upload *u = sftpd_upload_new(new_file, NULL, max, &idle);
	assert_non_null(u);
	return u;
}

static void write_at(struct sftpd_upload *u, size_t at, size_t n)
{
	assert_int_equal(sftpd_upload_write(u, at, content + at, n, NULL), SFTPD_OK);
}

/* The first `n` bytes of content are the file, and both hashes are right. */
static void check_finish(struct sftpd_upload *u, size_t n)
{
	struct sftpd_hashes h;
	unsigned char expect[32], salted[32];
	char *bytes = malloc(n + SFTPD_SALT + 1);
	assert_non_null(bytes);
	assert_int_equal(sftpd_upload_finish(u, &h, NULL), SFTPD_OK);
	assert_int_equal(sftpd_upload_size(u), n);
	memcpy(bytes, h.salt, SFTPD_SALT);
	struct slice small = sftpd_upload_bytes(u);
	if (small.p)
		memcpy(bytes + SFTPD_SALT, small.p, n);
	else
		assert_int_equal(fd_pread_all(sftpd_upload_fd(u), bytes + SFTPD_SALT, n, 0), 0);
	assert_int_equal(small.p ? small.n : n, n);
	assert_memory_equal(bytes + SFTPD_SALT, content, n);
	EVP_Digest(content, n, expect, NULL, EVP_sha256(), NULL);
	EVP_Digest(bytes, n + SFTPD_SALT, salted, NULL, EVP_sha256(), NULL);
	assert_memory_equal(h.sha256, expect, 32);
	assert_memory_equal(h.salted_sha256, salted, 32);
	free(bytes);
	sftpd_upload_free(u);
}

static void test_uploads_in_order(void **state)
{
	(void)state;
	static const size_t sizes[] = {0, 1, 16, IPC_INLINE_MAX, IPC_INLINE_MAX + 1, 65535, 65536, 524287, 524288, 524289, 1 << 20, (3 << 20) + 77, CONTENT};
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		struct sftpd_upload *u = upload(0);
		files_made = 0;
		for (size_t at = 0; at < sizes[i]; at += 32749)
			write_at(u, at, sizes[i] - at < 32749 ? sizes[i] - at : 32749);
		check_finish(u, sizes[i]);
		assert_int_equal(files_made, sizes[i] > IPC_INLINE_MAX); /* a small one needs none */
	}
}

/* The writer of a small file serves the next one, with another salt and nothing of the one before. */
static void test_writers_are_used_again(void **state)
{
	(void)state;
	struct sftpd_hashes first, second;
	struct sftpd_upload *u = upload(0), *other;
	write_at(u, 0, 1000);
	assert_int_equal(sftpd_upload_finish(u, &first, NULL), SFTPD_OK);
	sftpd_upload_free(u);
	struct sftpd_writer *kept = idle;
	assert_non_null(kept);
	u = upload(0);
	assert_null(idle);
	other = upload(0); /* open at the same time */
	write_at(other, 0, 100);
	write_at(u, 0, 10);
	sftpd_upload_free(u); /* given up */
	assert_ptr_equal(idle, kept);
	u = upload(0);
	write_at(u, 0, 1000);
	assert_int_equal(sftpd_upload_finish(u, &second, NULL), SFTPD_OK);
	assert_int_equal(sftpd_upload_bytes(u).n, 1000);
	assert_memory_equal(first.sha256, second.sha256, 32);
	assert_memory_not_equal(first.salt, second.salt, SFTPD_SALT);
	check_finish(other, 100);
	sftpd_upload_free(u);
	u = upload(0);
	write_at(u, 0, IPC_INLINE_MAX + 1); /* this one writes a file */
	check_finish(u, IPC_INLINE_MAX + 1);
	assert_null(idle); /* and is of no more use */
	u = upload(0);
	write_at(u, 0, 77);
	check_finish(u, 77);
}

static void test_uploads_in_disorder(void **state)
{
	(void)state;
	srandom(5);
	for (int round = 0; round < 30; round++) {
		size_t piece = 1 + (size_t)random() % 100000, n = 1 + (size_t)random() % (CONTENT / 2);
		size_t pieces = (n + piece - 1) / piece;
		if (pieces > 900)
			continue;
		size_t *order = calloc(pieces, sizeof *order);
		assert_non_null(order);
		for (size_t i = 0; i < pieces; i++)
			order[i] = i;
		for (size_t i = 0; i < pieces; i++) { /* from nearly in order to not at all */
			size_t near = i + 1 + (size_t)random() % (1 + (size_t)round * 3), j = near < pieces ? near : pieces - 1, k = order[i];
			order[i] = order[j];
			order[j] = k;
		}
		struct sftpd_upload *u = upload(0);
		for (size_t i = 0; i < pieces; i++) {
			size_t at = order[i] * piece;
			write_at(u, at, n - at < piece ? n - at : piece);
			if (i == pieces / 2)
				write_at(u, at, n - at < piece ? n - at : piece); /* once more */
		}
		check_finish(u, n);
		free(order);
	}
}

/* An upload of the first n bytes that broke off; its file, and the state of its hashes. */
static int broken_off(size_t n, unsigned char kept[SFTPD_HASHING_KEPT])
{
	struct sftpd_upload *u = upload(0);
	for (size_t at = 0; at < n; at += 50000)
		write_at(u, at, n - at < 50000 ? n - at : 50000);
	assert_int_equal(sftpd_upload_keep(u), n);
	assert_true(sftpd_upload_kept(u, kept));
	int fd = dup(sftpd_upload_fd(u));
	sftpd_upload_free(u);
	return fd;
}

static struct sftpd_upload *resumed(int fd, const unsigned char kept[SFTPD_HASHING_KEPT])
{
	struct sftpd_upload *u = upload(0);
	assert_true(sftpd_upload_resume(u, dup(fd), slice_make((const char *)kept, SFTPD_HASHING_KEPT)));
	return u;
}

/* Whoever goes on needn't read what is there: at every offset within a block of the hashes, and around those of the writer. */
static void test_uploads_go_on(void **state)
{
	(void)state;
	unsigned char kept[SFTPD_HASHING_KEPT];
	static const size_t around[] = {4096, 50000, 524287, 524288, 524289, (1 << 20) + 5};
	for (size_t i = 0; i < 130 + sizeof around / sizeof *around; i++) {
		size_t n = i < 130 ? i + 1 : around[i - 130];
		int fd = broken_off(n, kept);
		struct sftpd_upload *u = resumed(fd, kept);
		assert_int_equal(sftpd_upload_size(u), n);
		files_made = 0;
		write_at(u, n, 7);
		assert_int_equal(sftpd_upload_keep(u), n + 7); /* broken off once more */
		assert_true(sftpd_upload_kept(u, kept));
		sftpd_upload_free(u);
		u = resumed(fd, kept);
		write_at(u, n + 7, 1300000);
		check_finish(u, n + 1300007);
		assert_int_equal(files_made, 0);
		u = resumed(broken_off(n, kept), kept); /* there was no more */
		check_finish(u, n);
		close(fd);
	}
}

/* What stood in the file when it was handed out stands there ever after, whatever the client does. */
static void test_what_is_gone_on_with_stays(void **state)
{
	(void)state;
	unsigned char kept[SFTPD_HASHING_KEPT];
	char *before = malloc(100000);
	assert_non_null(before);
	for (int what = 0; what < 5; what++) {
		memset(before, 'x', 100000);
		char *real = content;
		content = before;
		int fd = broken_off(100000, kept);
		content = real;
		struct sftpd_upload *u = resumed(fd, kept);
		files_made = 0;
		switch (what) {
		case 0: write_at(u, 0, 600000); break;
		case 1: write_at(u, 50000, 100000), write_at(u, 0, 600000); break;
		case 2: assert_int_equal(sftpd_upload_resize(u, 0, NULL), SFTPD_OK), write_at(u, 0, 600000); break;
		case 3: write_at(u, 100000, 500000), write_at(u, 0, 100000); break;
		default: assert_int_equal(sftpd_upload_resize(u, 99999, NULL), SFTPD_OK), write_at(u, 0, 600000); break;
		}
		check_finish(u, 600000);
		assert_int_equal(files_made, 1); /* its own */
		char *now = malloc(100000);
		assert_non_null(now);
		assert_int_equal(fd_pread_all(fd, now, 100000, 0), 0);
		assert_memory_equal(now, before, 100000);
		free(now);
		close(fd);
	}
	free(before);
	struct sftpd_upload *u = upload(0); /* not in order: it has to be read again */
	write_at(u, 100, 200);
	write_at(u, 0, 100);
	assert_int_equal(sftpd_upload_keep(u), 300);
	assert_false(sftpd_upload_kept(u, kept));
	sftpd_upload_free(u);
	u = upload(0); /* in order, but of other bytes than were hashed */
	write_at(u, 0, 300);
	assert_int_equal(sftpd_upload_resize(u, 200, NULL), SFTPD_OK);
	assert_int_equal(sftpd_upload_write(u, 200, content + 100000, 100, NULL), SFTPD_OK);
	assert_int_equal(sftpd_upload_keep(u), 300);
	assert_false(sftpd_upload_kept(u, kept));
	sftpd_upload_free(u);
	u = upload(0);
	assert_false(sftpd_upload_resume(u, -1, SLICE("\1 something else")));
	sftpd_upload_free(u);
}

static uint64_t size_of(int fd)
{
	uint64_t size = 0;
	assert_int_equal(fd_size(fd, &size), 0);
	return size;
}

/* What can't be taken over as it is: cut off, given back, or copied by the session, for which nobody else waits. */
static void test_ends_of_what_broke_off(void **state)
{
	(void)state;
	unsigned char kept[SFTPD_HASHING_KEPT];
	struct sftpd_upload *u = upload(0);
	write_at(u, 0, 100000);
	write_at(u, 150000, 1000); /* behind a hole */
	assert_int_equal(sftpd_upload_keep(u), 100000);
	assert_int_equal(size_of(sftpd_upload_fd(u)), 100000);
	sftpd_upload_free(u);

	int fd = broken_off(100000, kept);
	u = resumed(fd, kept);
	write_at(u, 100000, 600000);
	sftpd_upload_give_back(u);
	assert_int_equal(size_of(fd), 100000);
	sftpd_upload_free(u);

	char path[] = "/tmp/openvan-upload-XXXXXX", byte;
	for (int finished = 0; finished < 2; finished++) { /* its name goes while somebody goes on with it */
		int named = mkstemp(path);
		assert_true(named >= 0);
		assert_int_equal(fd_pwrite_all(named, content, 100000, 0), 0);
		u = resumed(named, kept);
		files_made = 0;
		write_at(u, 100000, 50000);
		assert_int_equal(unlink(path), 0);
		if (finished)
			check_finish(u, 150000);
		else
			assert_int_equal(sftpd_upload_keep(u), 150000), sftpd_upload_free(u);
		assert_int_equal(files_made, 1);
		assert_int_equal(pread(named, &byte, 1, 100000), 0); /* given back */
		close(named);
		memcpy(path + strlen(path) - 6, "XXXXXX", 6);
	}
	close(fd);
}

static void test_holes_are_refused(void **state)
{
	(void)state;
	struct sftpd_hashes h;
	struct sftpd_why why;
	struct sftpd_upload *u = upload(0);
	write_at(u, 100, 50);
	assert_int_equal(sftpd_upload_finish(u, &h, &why), SFTPD_FAILURE);
	assert_non_null(strstr(why.text, "send the whole file again"));
	sftpd_upload_free(u);
	u = upload(0);
	write_at(u, 0, 100);
	write_at(u, 101, 100);
	assert_int_equal(sftpd_upload_finish(u, &h, &why), SFTPD_FAILURE);
	sftpd_upload_free(u);
	u = upload(0); /* a length that is set first has to be filled */
	assert_int_equal(sftpd_upload_resize(u, 1000, NULL), SFTPD_OK);
	write_at(u, 0, 999);
	assert_int_equal(sftpd_upload_finish(u, &h, &why), SFTPD_FAILURE);
	sftpd_upload_free(u);
	u = upload(0); /* cut off and lengthened again, without what stood there */
	write_at(u, 0, 1000);
	assert_int_equal(sftpd_upload_resize(u, 100, NULL), SFTPD_OK);
	assert_int_equal(sftpd_upload_resize(u, 1000, NULL), SFTPD_OK);
	assert_int_equal(sftpd_upload_finish(u, &h, &why), SFTPD_FAILURE);
	sftpd_upload_free(u);
	u = upload(0);
	assert_int_equal(sftpd_upload_resize(u, 1000, NULL), SFTPD_OK);
	write_at(u, 0, 1000);
	check_finish(u, 1000);
}

static void test_resize_and_read(void **state)
{
	(void)state;
	struct sftpd_upload *u = upload(0);
	char back[64];
	size_t n;
	write_at(u, 0, 700000);
	assert_int_equal(sftpd_upload_read(u, 699990, back, sizeof back, &n, NULL), SFTPD_OK);
	assert_int_equal(n, 10);
	assert_memory_equal(back, content + 699990, 10);
	assert_int_equal(sftpd_upload_read(u, 700000, back, sizeof back, &n, NULL), SFTPD_OK);
	assert_int_equal(n, 0);
	write_at(u, 700000, 10);
	assert_int_equal(sftpd_upload_sync(u, NULL), SFTPD_OK);
	assert_int_equal(sftpd_upload_resize(u, 600000, NULL), SFTPD_OK);
	write_at(u, 600000, 5);
	check_finish(u, 600005);
}

static void test_limits_of_uploads(void **state)
{
	(void)state;
	struct sftpd_hashes h;
	struct sftpd_upload *u = upload(1000);
	write_at(u, 0, 1000);
	assert_int_equal(sftpd_upload_write(u, 1000, "x", 1, NULL), SFTPD_PERMISSION_DENIED);
	assert_int_equal(sftpd_upload_finish(u, &h, NULL), SFTPD_PERMISSION_DENIED); /* once failed it stays so */
	sftpd_upload_free(u);
	u = upload(1000);
	assert_int_equal(sftpd_upload_resize(u, 1000, NULL), SFTPD_OK);
	assert_int_equal(sftpd_upload_resize(u, 1001, NULL), SFTPD_PERMISSION_DENIED);
	sftpd_upload_free(u);
	u = upload(0); /* refused from outside */
	write_at(u, 0, 1000);
	struct sftpd_why said = {""};
	assert_int_equal(sftpd_upload_fail(u, SFTPD_FAILURE, "the disk is full", NULL), SFTPD_FAILURE);
	assert_int_equal(sftpd_upload_write(u, 1000, "x", 1, NULL), SFTPD_FAILURE);
	assert_int_equal(sftpd_upload_finish(u, &h, &said), SFTPD_FAILURE);
	assert_string_equal(said.text, "the disk is full");
	assert_int_equal(sftpd_upload_keep(u), 0);
	sftpd_upload_free(u);
	u = upload(0);
	enum sftpd_status status = SFTPD_OK;
	for (size_t i = 0; i < 3000 && status == SFTPD_OK; i++)
		status = sftpd_upload_write(u, 2 * i, "x", 1, NULL);
	assert_int_equal(status, SFTPD_FAILURE);
	sftpd_upload_free(u);
	char full[] = "/dev/full";
	if (access(full, W_OK) == 0) {
		struct sftpd_why why = {""};
		u = sftpd_upload_new(new_file, full, 0, NULL);
		assert_non_null(u);
		write_at(u, 0, 100000);
		assert_int_equal(sftpd_upload_finish(u, &h, &why), SFTPD_FAILURE);
		assert_non_null(strstr(why.text, "no room"));
		sftpd_upload_free(u);
	}
	u = upload(0); /* given up in the middle */
	write_at(u, 0, 3 << 20);
	sftpd_upload_free(u);
}

/* What one write could not do stays undone, though the next ones go well. */
static void test_a_failed_write_spoils_the_file(void **state)
{
	(void)state;
	struct sftpd_hashes h;
	struct rlimit before, small;
	char path[] = "/tmp/openvan-upload-XXXXXX";
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	small = (struct rlimit){700000, before.rlim_max};
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	struct sftpd_upload *u = sftpd_upload_new(new_file, path, 0, NULL);
	assert_non_null(u);
	for (size_t at = 0; at < CONTENT; at += 32768) /* in time it hears of it */
		sftpd_upload_write(u, at, content + at, 32768, NULL);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_int_not_equal(sftpd_upload_finish(u, &h, NULL), SFTPD_OK);
	sftpd_upload_free(u);
	unlink(path);
}

/* The lower of the network's limit and the connection's. */
static void test_the_lower_limit_counts(void **state)
{
	(void)state;
	static const uint64_t cases[][3] = {{0, 0, 0}, {0, 500, 500}, {1000, 0, 1000}, {1000, 500, 500}, {500, 1000, 500}};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct sftpd_limits limits = {.file_size = cases[i][0]};
		struct ipc_auth_reply who = {.max_message = cases[i][1]};
		struct sftpd_mailbox *m = sftpd_mailbox_new(NULL, &who, &limits, 0);
		assert_non_null(m);
		assert_int_equal(m->limits.file_size, cases[i][2]);
		sftpd_mailbox_free(m);
	}
}

/* What becomes of a request that was not answered in time nobody knows: the session asks nothing more. */
static void test_a_silent_store_is_given_up(void **state)
{
	(void)state;
	int pair[2];
	struct sftpd_store s;
	struct ipc_mailbox_reply reply;
	struct sftpd_why why = {""};
	struct ipc_mailbox_name name = {.name = SLICE("x")};
	assert_int_equal(ipc_pair(pair), 0);
	assert_int_equal(sftpd_store_open(&s, pair[0], VAN_SECOND / 100), 0);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(sftpd_store_mailbox(&s, IPC_MAILBOX_STAT, &ipc_mailbox_name_table, &name, -1, &reply, NULL, &why), SFTPD_FAILURE);
		assert_non_null(strstr(why.text, "log in again"));
		assert_true(s.gone);
	}
	sftpd_store_close(&s);
	struct ipc_channel *c = ipc_channel_new(pair[1]);
	struct ipc_message m;
	assert_int_equal(ipc_receive(c, 0, &m), 1); /* the first one alone was sent */
	assert_int_equal(ipc_receive(c, 0, &m), VAN_ECLOSED);
	ipc_channel_free(c);
}

/* --- what a session may do once it is confined --------------------------------------------------------------------------- */

#ifndef VAN_SANITIZERS
static long signal_itself(void)
{
	return syscall(SYS_tgkill, getpid(), gettid(), 0);
}

/* Signal 0 harms nobody, but tells whether it may be sent. */
static long signal_another(void)
{
	return syscall(SYS_tgkill, getppid(), getppid(), 0);
}

static long signal_all(void)
{
	return kill(-1, 0);
}

static long open_file(void)
{
	return open("/etc/passwd", O_RDONLY);
}

static long open_socket(void)
{
	return socket(AF_INET, SOCK_STREAM, 0);
}

static long start_process(void)
{
	pid_t pid = fork();
	if (pid == 0)
		_exit(0);
	return pid;
}

static long own_descriptor(void)
{
	return fcntl(0, F_SETOWN, getppid());
}

static long write_memory(void)
{
	return munmap(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), 4096);
}

/* 0: done; 1: refused. */
static int confined(struct sftpd_confinement *c, long (*act)(void))
{
	int status = -1;
	pid_t pid = fork();
	if (pid == 0) {
		struct sftpd_limits l = sftpd_limits_default();
		if (sftpd_confine_process(&l, NULL, 0) < 0 || sftpd_confine_calls(c) < 0)
			_exit(90);
		_exit(act() >= 0 ? 0 : errno == EPERM ? 1 : 91);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void test_confinement(void **state)
{
	(void)state;
	static long (*const refused[])(void) = {signal_another, signal_all, open_file, open_socket, start_process, own_descriptor};
	struct sftpd_confinement *c = sftpd_confinement_new(NULL);
	assert_non_null(c);
	assert_int_equal(confined(c, signal_itself), 0);
	assert_int_equal(confined(c, write_memory), 0);
	for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
		if (confined(c, refused[i]) != 1)
			fail_msg("number %zu is not refused", i);
	sftpd_confinement_free(c);
}
#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_view),
		cmocka_unit_test(test_view_with_other_names),
		cmocka_unit_test(test_temporary_names),
		cmocka_unit_test(test_uploads_in_order),
		cmocka_unit_test(test_writers_are_used_again),
		cmocka_unit_test(test_uploads_in_disorder),
		cmocka_unit_test(test_uploads_go_on),
		cmocka_unit_test(test_what_is_gone_on_with_stays),
		cmocka_unit_test(test_ends_of_what_broke_off),
		cmocka_unit_test(test_holes_are_refused),
		cmocka_unit_test(test_resize_and_read),
		cmocka_unit_test(test_limits_of_uploads),
		cmocka_unit_test(test_a_failed_write_spoils_the_file),
		cmocka_unit_test(test_the_lower_limit_counts),
		cmocka_unit_test(test_a_silent_store_is_given_up),
#ifndef VAN_SANITIZERS /* their builds have no filter */
		cmocka_unit_test(test_confinement),
#endif
	};
	content = malloc(CONTENT);
	if (!content)
		return 1;
	for (size_t i = 0; i < CONTENT; i++)
		content[i] = (char)(i * 2654435761u >> 13);
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	sftpd_writer_free(idle);
	free(content);
	return failed;
}
