/* Batches of the log in their order: at the start those that the store has not, later those whose redo nobody needs any more. */
#include "store/segment_private.h"

#include "base/buf.h"
#include "base/fdio.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define REDO_MAX ((size_t)2 << 30)
#define PARTS_MAX ((size_t)64 << 20)

struct replay {
	int folder;
	int fd;           /* of the file looked at last, or -1 */
	uint64_t number;  /* of it */
	uint64_t size;
	XXH3_state_t *hash;
	struct van_buf redo;
	struct van_buf parts; /* struct segment_stretch of the batch at hand */
	char *bytes;
	size_t room;
};

/* Flushed before it is read: a process that was killed may have written it and not flushed it, and what is repeated counts from then on.
 * 0; ENOENT where there is no such file; or an errno. */
static int open_file(struct replay *r, uint64_t number)
{
	char name[SEGMENT_NAME_MAX];
	struct stat st;
	if (r->fd >= 0 && r->number == number)
		return 0;
	if (r->fd >= 0)
		close(r->fd);
	segment_name(number, name);
	r->fd = openat(r->folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (r->fd < 0)
		return errno;
	if (fsync(r->fd) || fstat(r->fd, &st))
		return errno;
	posix_fadvise(r->fd, 0, 0, POSIX_FADV_DONTNEED); /* what could not be written may be in memory still, as if it were on the disk */
	r->number = number;
	r->size = (uint64_t)st.st_size;
	return 0;
}

static int make_room(struct replay *r, uint64_t n)
{
	if (n <= r->room)
		return 0;
	free(r->bytes);
	r->room = 0;
	r->bytes = malloc((size_t)n);
	if (!r->bytes)
		return ENOMEM;
	r->room = (size_t)n;
	return 0;
}

enum found { FOUND, ABSENT };

/* Reads the part at `at`, which must be the one wanted and whole; its redo is appended. *ret_end: where what follows begins. A negative
 * number is an errno. */
static int read_part(struct replay *r, uint64_t at, const struct part *wanted, struct part *ret, uint64_t *ret_hash, uint64_t *ret_end)
{
	unsigned char header[PART_HEADER];
	int rc = open_file(r, at / SEGMENT_SIZE);
	if (rc)
		return rc == ENOENT ? ABSENT : -rc;
	uint64_t in_file = at % SEGMENT_SIZE;
	if (r->size < PART_HEADER || in_file > r->size - PART_HEADER)
		return ABSENT;
	if (fd_pread_all(r->fd, header, PART_HEADER, (off_t)in_file))
		return -EIO;
	if (!part_decode(header, ret) || ret->sequence != wanted->sequence || ret->number != wanted->number ||
	    ret->before != wanted->before || ret->length > r->size - in_file - PART_HEADER)
		return ABSENT;
	if ((rc = make_room(r, ret->length + 1)))
		return -rc;
	if (fd_pread_all(r->fd, r->bytes, (size_t)ret->length, (off_t)(in_file + PART_HEADER)))
		return -EIO;
	XXH3_128bits_reset(r->hash);
	XXH3_128bits_update(r->hash, r->bytes, (size_t)ret->length);
	if (!part_whole(header, r->hash))
		return ABSENT;
	*ret_hash = part_hash(header);
	*ret_end = segment_round_up(at + PART_HEADER + ret->length);
	struct segment_stretch stretch = {at, at + PART_HEADER + ret->redo, *ret_end, ret->redo > 0};
	if (van_buf_append(&r->parts, (const char *)&stretch, sizeof stretch) < 0)
		return -ENOMEM;
	return van_buf_append(&r->redo, r->bytes + ret->redo, (size_t)(ret->length - ret->redo)) < 0 ? -ENOMEM : FOUND;
}

/* The whole batch behind `mark`, if it begins at `at`. */
static int read_batch(struct replay *r, uint64_t at, const struct segments_mark *mark, struct segments_mark *ret)
{
	struct part wanted = {.sequence = mark->sequence + 1, .before = mark->hash}, part = {0};
	van_buf_reset(&r->redo);
	van_buf_reset(&r->parts);
	for (;;) {
		int rc = read_part(r, at, &wanted, &part, &wanted.before, &ret->end);
		if (rc == ABSENT && wanted.number && at % SEGMENT_SIZE) { /* it did not fit into the rest of the file */
			at = (at / SEGMENT_SIZE + 1) * SEGMENT_SIZE;
			rc = read_part(r, at, &wanted, &part, &wanted.before, &ret->end);
		}
		if (rc != FOUND)
			return rc;
		if (part.last) {
			ret->sequence = wanted.sequence;
			ret->hash = wanted.before;
			return FOUND;
		}
		at = ret->end;
		wanted.number++;
	}
}

/* Where the last batch ended, or, where a crash left something there, at the beginning of a later file. */
static int find_batch(struct replay *r, const struct segments_mark *mark, struct segments_mark *ret)
{
	uint64_t at = segment_round_up(mark->end), number = at / SEGMENT_SIZE;
	int rc = read_batch(r, at, mark, ret);
	while (rc == ABSENT) {
		int listed = segment_find(r->folder, number + 1, &number, NULL, NULL);
		if (listed || number == UINT64_MAX)
			return listed ? -listed : ABSENT;
		rc = read_batch(r, number * SEGMENT_SIZE, mark, ret);
	}
	return rc;
}

static int each_batch(struct replay *r, const struct segments_mark *mark, segment_batch_fn fn, void *ctx, struct van_error *err)
{
	struct segment_batch b = {.behind = *mark};
	int rc = 0;
	while (rc == 0) {
		struct segments_mark before = b.behind;
		rc = find_batch(r, &before, &b.behind);
		if (rc == ABSENT)
			return 0;
		if (rc < 0)
			return segment_fail(err, -rc, "reading what was committed");
		b.redo = van_buf_slice(&r->redo);
		b.parts = (const struct segment_stretch *)(const void *)r->parts.p;
		b.nparts = r->parts.n / sizeof *b.parts;
		rc = fn(ctx, &b, err);
	}
	return rc;
}

int segment_each_batch(int folder, const struct segments_mark *mark, segment_batch_fn fn, void *ctx, struct van_error *err)
{
	struct replay r = {.folder = folder, .fd = -1, .hash = XXH3_createState(), .redo = VAN_BUF_INIT(REDO_MAX), .parts = VAN_BUF_INIT(PARTS_MAX)};
	int rc = r.hash ? each_batch(&r, mark, fn, ctx, err) : segment_fail(err, ENOMEM, "reserving memory");
	if (r.fd >= 0)
		close(r.fd);
	XXH3_freeState(r.hash);
	van_buf_free(&r.redo);
	van_buf_free(&r.parts);
	free(r.bytes);
	return rc;
}

/* --- at the start ------------------------------------------------------------------------------------------------------------------ */

struct repeating {
	struct segments_mark *mark;
	segments_redo_fn fn;
	void *ctx;
};

static int repeat_batch(void *ctx, const struct segment_batch *b, struct van_error *err)
{
	struct repeating *r = ctx;
	*r->mark = b->behind;
	int rc = r->fn(r->ctx, b->redo, r->mark);
	return rc < 0 ? van_error_set(err, rc, "segment file: repeating commit %llu: %s", (unsigned long long)b->behind.sequence, van_err_name(rc)) : 0;
}

int segments_replay(int dirfd, struct segments_mark *mark, segments_redo_fn fn, void *ctx, struct van_error *err)
{
	struct repeating r = {mark, fn, ctx};
	int folder = openat(dirfd, SEGMENT_FOLDER, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (folder < 0)
		return errno == ENOENT ? 0 : segment_fail(err, errno, "opening the folder " SEGMENT_FOLDER);
	int rc = fsync(folder) ? segment_fail(err, errno, "flushing the folder " SEGMENT_FOLDER) : segment_check_released(folder, mark, err);
	if (rc == 0)
		rc = segment_each_batch(folder, mark, repeat_batch, &r, err);
	close(folder);
	return rc;
}
