/* Giving the log back to the disk. What repeats a commit is needed until the store has it on the disk, and longer only for a database that is older:
 * from a backup, or put back by hand. Bodies are documents, and stay. So the blocks of old redo become holes, and a file that has
 * nothing else goes. Positions stay what they are.
 *
 * The file "released" in the folder of segments says how far that went, and what is under way:
 *
 *	openvan-released 1
 *	END SEQUENCE HASH     of a mark, in decimal: the store must have this commit, or later ones
 *	FROM TO               positions, whole blocks: to become holes; none when that is done
 *	sum HASH              XXH3-64, hexadecimal, of all lines before
 *
 * It is on the disk before the first hole is made, and holes that are made twice are one: a crash at any point leaves a list that the next
 * call begins with. A store whose mark is older finds the log gone where it would have to repeat it: the file says so at its start. */
#include "store/segment_private.h"

#include "base/buf.h"
#include "base/fault.h"
#include "base/fdio.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define FORMAT "openvan-released 1\n"
#define PART SEGMENT_RELEASED ".part"
#define TEXT_MAX ((size_t)16 << 20) /* a file's worth of smallest batches has some 32,000 holes */
#define STEP SEGMENT_SIZE           /* of log, looked at in one call */

struct hole {
	uint64_t from, to;
};

struct release {
	struct segments_mark mark; /* up to here */
	struct van_buf holes;      /* struct hole: still to be made */
};

static size_t count(const struct release *r)
{
	return r->holes.n / sizeof(struct hole);
}

static struct hole hole_at(const struct release *r, size_t i)
{
	struct hole h;
	memcpy(&h, r->holes.p + i * sizeof h, sizeof h);
	return h;
}

/* One that begins where the last one ends makes that longer. */
static int add_hole(struct release *r, uint64_t from, uint64_t to)
{
	struct hole last, h = {from, to};
	if (from >= to)
		return 0;
	if (count(r) && (last = hole_at(r, count(r) - 1)).to == from && from % SEGMENT_SIZE) {
		last.to = to;
		memcpy(r->holes.p + r->holes.n - sizeof last, &last, sizeof last);
		return 0;
	}
	return van_buf_append(&r->holes, (const char *)&h, sizeof h) < 0 ? VAN_ENOMEM : 0;
}

/* --- the file "released" ------------------------------------------------------------------------------------------------------------- */

static int damaged(struct van_error *err)
{
	return van_error_set(err, VAN_ESYNTAX, "the file " SEGMENT_FOLDER "/" SEGMENT_RELEASED " in the data folder is damaged: put in the one of the last backup");
}

static bool hole_ok(const struct release *r, const struct hole *h)
{
	return h->from < h->to && h->from % SEGMENT_BLOCK == 0 && h->to % SEGMENT_BLOCK == 0 && h->to <= segment_round_up(r->mark.end) &&
	       h->from / SEGMENT_SIZE == (h->to - 1) / SEGMENT_SIZE;
}

static int parse(char *text, size_t n, struct release *r, struct van_error *err)
{
	char *at = text + sizeof FORMAT - 1, *sum = n < sizeof FORMAT + 5 || memcmp(text, FORMAT, sizeof FORMAT - 1) ? NULL : memrchr(text, 's', n);
	int used = 0;
	if (!sum || strncmp(sum, "sum ", 4) || strtoull(sum + 4, NULL, 16) != XXH3_64bits(text, (size_t)(sum - text)) ||
	    sscanf(at, "%" SCNu64 " %" SCNu64 " %" SCNu64 "\n%n", &r->mark.end, &r->mark.sequence, &r->mark.hash, &used) != 3 || !used)
		return damaged(err);
	for (at += used; at < sum; at += used) {
		struct hole h;
		used = 0;
		if (sscanf(at, "%" SCNu64 " %" SCNu64 "\n%n", &h.from, &h.to, &used) != 2 || !used || !hole_ok(r, &h))
			return damaged(err);
		if (add_hole(r, h.from, h.to) < 0)
			return segment_fail(err, ENOMEM, "reserving memory");
	}
	return 0;
}

/* Nothing was ever released where there is no such file. */
static int load(int folder, struct release *r, struct van_error *err)
{
	struct van_buf text = VAN_BUF_INIT(TEXT_MAX);
	int fd = openat(folder, SEGMENT_RELEASED, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return errno == ENOENT ? 0 : segment_fail(err, errno, "opening " SEGMENT_RELEASED);
	int rc = fd_read_file(fd, &text);
	if (rc == 0 && van_buf_append_char(&text, 0) < 0)
		rc = VAN_ENOMEM;
	rc = rc < 0 ? van_error_set(err, rc, "segment file: reading " SEGMENT_RELEASED ": %s", van_err_name(rc)) : parse(text.p, text.n - 1, r, err);
	close(fd);
	van_buf_free(&text);
	return rc;
}

static int write_file(int folder, struct slice text)
{
	int fd = openat(folder, PART, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return errno;
	int rc = fd_write_all(fd, text.p, text.n) < 0 || fsync(fd) ? (errno ? errno : EIO) : 0;
	if (close(fd) && !rc)
		rc = errno;
	if (!rc && (renameat(folder, PART, folder, SEGMENT_RELEASED) || fsync(folder)))
		rc = errno;
	return rc;
}

static int save(int folder, const struct release *r, struct van_error *err)
{
	struct van_buf text = VAN_BUF_INIT(TEXT_MAX);
	van_buf_append_str(&text, FORMAT);
	van_buf_printf(&text, "%" PRIu64 " %" PRIu64 " %" PRIu64 "\n", r->mark.end, r->mark.sequence, r->mark.hash);
	for (size_t i = 0; i < count(r); i++)
		van_buf_printf(&text, "%" PRIu64 " %" PRIu64 "\n", hole_at(r, i).from, hole_at(r, i).to);
	if (!text.error)
		van_buf_printf(&text, "sum %016llx\n", (unsigned long long)XXH3_64bits(text.p, text.n));
	int rc = text.error ? ENOMEM : write_file(folder, van_buf_slice(&text));
	van_buf_free(&text);
	return rc ? segment_fail(err, rc, "writing " SEGMENT_RELEASED) : 0;
}

int segment_check_released(int folder, const struct segments_mark *mark, struct van_error *err)
{
	struct release r = {.holes = VAN_BUF_INIT(TEXT_MAX)};
	int rc = load(folder, &r, err);
	if (rc == 0 && mark->sequence < r.mark.sequence)
		rc = van_error_set(err, VAN_EVERSION, "this database has %llu commits, and of the log only what comes behind %llu is kept (store.keep_log): it can't "
			"catch up. Put back the newer database, or restore a backup as a whole", (unsigned long long)mark->sequence, (unsigned long long)r.mark.sequence);
	van_buf_free(&r.holes);
	return rc;
}

int segment_load_released(struct segments *s, struct van_error *err)
{
	struct release r = {.holes = VAN_BUF_INIT(TEXT_MAX)};
	int rc = load(s->folder, &r, err);
	atomic_store(&s->released, r.mark.end);
	van_buf_free(&r.holes);
	return rc;
}

/* --- making holes ---------------------------------------------------------------------------------------------------------------------- */

static uint64_t on_disk(int fd)
{
	struct stat st;
	return fstat(fd, &st) ? 0 : (uint64_t)st.st_blocks * 512;
}

static int open_segment(const struct segments *s, uint64_t number)
{
	char name[SEGMENT_NAME_MAX];
	segment_name(number, name);
	return openat(s->folder, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
}

/* Every byte of the file is a hole: no body was ever in it, and nothing that a crash left. */
static bool holds_nothing(int fd)
{
	return lseek(fd, 0, SEEK_DATA) < 0 && errno == ENXIO;
}

/* When all of the file stands before the mark: what comes behind goes into later ones. */
static int remove_empty(const struct segments *s, const struct release *r, int fd, uint64_t number, struct segments_released *ret)
{
	char name[SEGMENT_NAME_MAX];
	if ((number + 1) * SEGMENT_SIZE > r->mark.end || !holds_nothing(fd))
		return 0;
	segment_name(number, name);
	if (unlinkat(s->folder, name, 0))
		return errno;
	ret->files++;
	return fsync(s->folder) ? errno : 0;
}

/* It took `before` bytes on the disk. */
static int end_file(const struct segments *s, const struct release *r, int fd, uint64_t number, uint64_t before, struct segments_released *ret)
{
	int rc = fsync(fd) ? errno : 0;
	uint64_t after = on_disk(fd);
	ret->bytes += before > after ? before - after : 0;
	if (rc == 0)
		rc = remove_empty(s, r, fd, number, ret);
	close(fd);
	return rc;
}

/* 0 or an errno. A file that is gone was done before the crash. */
static int make_holes(const struct segments *s, const struct release *r, struct segments_released *ret)
{
	uint64_t number = UINT64_MAX, before = 0;
	int fd = -1, rc = 0;
	for (size_t i = 0; i < count(r) && rc == 0; i++) {
		struct hole h = hole_at(r, i);
		if (h.from / SEGMENT_SIZE != number) {
			rc = fd >= 0 ? end_file(s, r, fd, number, before, ret) : 0;
			number = h.from / SEGMENT_SIZE;
			fd = rc ? -1 : open_segment(s, number);
			rc = rc ? rc : fd < 0 && errno != ENOENT ? errno : 0;
			before = fd >= 0 ? on_disk(fd) : 0;
		}
		if (fd < 0 || rc)
			continue;
		if (fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)(h.from % SEGMENT_SIZE), (off_t)(h.to - h.from)))
			rc = errno;
		van_fault_point("segment-amid-holes");
	}
	if (fd >= 0) {
		int ended = end_file(s, r, fd, number, before, ret);
		rc = rc ? rc : ended;
	}
	return rc;
}

/* --- which ------------------------------------------------------------------------------------------------------------------------------ */

struct looking {
	struct segments *s;
	struct release r;
	uint64_t limit; /* nothing from there on */
	uint64_t at;    /* where the part before ended */
	uint64_t looked_at;
	bool reached;   /* the limit */
};

/* Behind the last part of a file there is room that was reserved, or made ready: zeros. What else a crash left there stays. With it the
 * file is done: the mark moves to the next one. */
static int release_tail(struct looking *l, uint64_t next)
{
	uint64_t number = l->at / SEGMENT_SIZE, in_file = l->at % SEGMENT_SIZE, used;
	struct stat st;
	if (in_file == 0 || next / SEGMENT_SIZE == number)
		return 0;
	int fd = open_segment(l->s, number);
	if (fd < 0)
		return errno == ENOENT ? 0 : errno;
	int rc = fstat(fd, &st) ? errno : 0;
	if (rc == 0)
		rc = segment_used_end(fd, in_file, (uint64_t)st.st_size, &used);
	close(fd);
	if (rc || used > in_file)
		return rc;
	l->r.mark.end = (number + 1) * SEGMENT_SIZE;
	return add_hole(&l->r, l->at, l->r.mark.end) < 0 ? ENOMEM : 0;
}

static int look_at_batch(void *ctx, const struct segment_batch *b, struct van_error *err)
{
	struct looking *l = ctx;
	int rc = 0;
	l->reached = b->behind.end > l->limit;
	if (l->reached) {
		rc = release_tail(l, b->parts[0].from);
		return rc ? segment_fail(err, rc, "finding what can be released") : 1;
	}
	for (size_t i = 0; i < b->nparts && rc == 0; i++) {
		const struct segment_stretch *p = &b->parts[i];
		rc = release_tail(l, p->from);
		if (rc == 0 && add_hole(&l->r, p->bodies ? segment_round_up(p->redo) : p->from, p->to) < 0)
			rc = ENOMEM;
		l->looked_at += p->to - p->from;
		l->at = p->to;
	}
	if (rc)
		return segment_fail(err, rc, "finding what can be released");
	l->r.mark = b->behind;
	return l->looked_at >= STEP;
}

/* The beginning of the first file from that of `from` on which is too new, or is the one that the store's mark stands in. */
static int find_limit(const struct segments *s, uint64_t from, uint64_t settled, van_time before, uint64_t *ret)
{
	uint64_t number = from / SEGMENT_SIZE;
	char name[SEGMENT_NAME_MAX];
	struct stat st;
	for (; number < settled / SEGMENT_SIZE; number++) {
		segment_name(number, name);
		if (fstatat(s->folder, name, &st, AT_SYMLINK_NOFOLLOW)) {
			if (errno != ENOENT)
				return errno;
		} else if ((van_time)st.st_mtim.tv_sec * VAN_SECOND >= before) {
			break;
		}
	}
	*ret = number * SEGMENT_SIZE;
	return 0;
}

/* The list is on the disk, and may be a crash's: first it counts, then the holes are made, then it is empty. */
static int carry_out(struct segments *s, struct release *r, struct segments_released *ret, struct van_error *err)
{
	atomic_store(&s->released, r->mark.end);
	van_fault_point("segment-before-holes");
	int rc = make_holes(s, r, ret);
	if (rc)
		return segment_fail(err, rc, "giving back old log");
	van_fault_point("segment-after-holes");
	van_buf_reset(&r->holes);
	return save(s->folder, r, err);
}

static int look(struct looking *l, uint64_t settled, van_time before, struct van_error *err)
{
	l->at = segment_round_up(l->r.mark.end);
	int rc = find_limit(l->s, l->r.mark.end, settled, before, &l->limit);
	if (rc)
		return segment_fail(err, rc, "looking at the files");
	return l->limit > l->at ? segment_each_batch(l->s->folder, &l->r.mark, look_at_batch, l, err) : 0;
}

/* Asked of an empty file: else the list would say that log is gone which is there. */
static int check_holes(const struct segments *s, struct van_error *err)
{
	int fd = openat(s->folder, PART, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return segment_fail(err, errno, "writing " SEGMENT_RELEASED);
	int rc = fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, (off_t)SEGMENT_BLOCK) ? errno : 0;
	close(fd);
	unlinkat(s->folder, PART, 0);
	if (rc == EOPNOTSUPP)
		return van_error_set(err, VAN_EVERSION, "the data folder's file system can't give back parts of a file: the log stays");
	return rc ? segment_fail(err, rc, "giving back old log") : 0;
}

int segments_release(struct segments *s, uint64_t settled, van_time before, struct segments_released *ret, struct van_error *err)
{
	struct looking l = {.s = s, .r.holes = VAN_BUF_INIT(TEXT_MAX)};
	*ret = (struct segments_released){0};
	int rc = check_holes(s, err);
	if (rc == 0)
		rc = load(s->folder, &l.r, err);
	if (rc == 0 && count(&l.r))
		rc = carry_out(s, &l.r, ret, err);
	uint64_t end = l.r.mark.end;
	if (rc == 0)
		rc = look(&l, settled, before, err);
	bool more = rc == 1 && !l.reached;
	if (rc >= 0 && l.r.mark.end > end) {
		van_fault_point("segment-before-released");
		rc = save(s->folder, &l.r, err);
		if (rc == 0)
			rc = carry_out(s, &l.r, ret, err);
	} else if (rc > 0) {
		rc = 0;
	}
	van_buf_free(&l.r.holes);
	return rc < 0 ? rc : more;
}
