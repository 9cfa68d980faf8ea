#include "store/segment_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define WINDOW_DEFAULT ((size_t)8 << 20)
#define WINDOW_MIN ((size_t)4 << 20)

/* --- opening ----------------------------------------------------------------------------------------------------------------------- */

static int setup(struct segments *s, int dirfd, uint64_t end, struct van_error *err)
{
	uint64_t begin = segment_round_up(end);
	s->window = mmap(NULL, s->size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (s->window == MAP_FAILED) {
		s->window = NULL;
		return segment_fail(err, errno, "reserving memory");
	}
	if (!(s->hash = XXH3_createState()))
		return segment_fail(err, ENOMEM, "reserving memory");
	bool made = mkdirat(dirfd, SEGMENT_FOLDER, 0700) == 0;
	s->folder = made || errno == EEXIST ? openat(dirfd, SEGMENT_FOLDER, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	if (s->folder < 0 || fsync(dirfd))
		return segment_fail(err, errno, "opening the folder " SEGMENT_FOLDER);
	int rc = segment_load_released(s, err);
	if (rc == 0)
		rc = segment_look_behind(s, end, &begin, err);
	s->kept = s->written = s->low = s->end = begin;
	return rc;
}

int segments_open(int dirfd, const struct segments_mark *mark, size_t window, struct segments **ret, struct van_error *err)
{
	struct segments *s = calloc(1, sizeof *s);
	if (!s)
		return van_error_set(err, VAN_ENOMEM, "segments: out of memory");
	pthread_mutex_init(&s->lock, NULL);
	segment_readers_init(&s->readers);
	s->folder = s->fd = -1;
	s->size = segment_round_up(window == 0 ? WINDOW_DEFAULT : window < WINDOW_MIN ? WINDOW_MIN : window);
	s->sequence = mark->sequence + 1;
	s->header.before = s->before = mark->hash;
	int rc = setup(s, dirfd, mark->end, err);
	if (rc < 0)
		segments_close(s);
	else
		*ret = s;
	return rc;
}

void segments_close(struct segments *s)
{
	if (!s)
		return;
	segment_readers_free(&s->readers);
	if (s->fd >= 0)
		close(s->fd);
	if (s->folder >= 0)
		close(s->folder);
	if (s->window)
		munmap(s->window, s->size);
	XXH3_freeState(s->hash);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

/* --- parts --------------------------------------------------------------------------------------------------------------------------- */

/* With the lock held. What a window's size lies behind it is in memory no more. */
static void move_end(struct segments *s, uint64_t to)
{
	s->end = to;
	if (to > s->size && s->low < to - s->size)
		s->low = to - s->size;
}

/* Into memory, behind the end. */
static void place(struct segments *s, struct slice body)
{
	size_t start = (size_t)(s->end % s->size), first = s->size - start;
	if (first > body.n)
		first = body.n;
	pthread_mutex_lock(&s->lock);
	if (first)
		memcpy(s->window + start, body.p, first);
	if (body.n > first)
		memcpy(s->window, body.p + first, body.n - first);
	move_end(s, s->end + body.n);
	pthread_mutex_unlock(&s->lock);
}

static void put(struct segments *s, struct slice bytes)
{
	place(s, bytes);
	if (bytes.n)
		XXH3_128bits_update(s->hash, bytes.p, bytes.n);
}

/* The end moves to the next block; what lies between is zero. */
static void pad(struct segments *s)
{
	uint64_t to = segment_round_up(s->end);
	pthread_mutex_lock(&s->lock);
	memset(s->window + s->end % s->size, 0, (size_t)(to - s->end)); /* a block never wraps */
	move_end(s, to);
	pthread_mutex_unlock(&s->lock);
}

/* At the beginning of a block: where the batch begins, or where the part before was closed. */
static void open_part(struct segments *s)
{
	static const char zero[PART_HEADER];
	s->part = s->end;
	s->part_open = true;
	s->header.redo = UINT64_MAX; /* none yet */
	place(s, slice_make(zero, PART_HEADER)); /* hashed last, when it is known */
	XXH3_128bits_reset(s->hash);
}

/* The header can be filled in: nothing of the part was written yet. */
static void close_part(struct segments *s, bool last)
{
	unsigned char header[PART_HEADER];
	struct part *p = &s->header;
	p->sequence = s->sequence;
	p->last = last;
	p->length = s->end - s->part - PART_HEADER;
	p->redo = p->redo < p->length ? p->redo : p->length;
	part_encode(p, s->hash, header);
	pthread_mutex_lock(&s->lock);
	memcpy(s->window + s->part % s->size, header, PART_HEADER); /* lies within one block */
	pthread_mutex_unlock(&s->lock);
	p->before = part_hash(header);
	p->number++;
	s->part_open = false;
	pad(s);
}

/* What is appended lies in one file: where it does not fit any more, the rest of the file stays empty. */
static int next_file(struct segments *s)
{
	int rc = segment_write_up_to(s, s->end);
	if (rc == 0)
		rc = segment_flush_written(s);
	if (rc)
		return rc;
	pthread_mutex_lock(&s->lock);
	s->end = s->written = s->low = (s->end + SEGMENT_SIZE - 1) / SEGMENT_SIZE * SEGMENT_SIZE;
	pthread_mutex_unlock(&s->lock);
	return 0;
}

/* Bytes that still fit behind the end: into the file, and into memory behind what is not written yet. */
static uint64_t room_in_file(const struct segments *s)
{
	bool full = s->end % SEGMENT_SIZE == 0 && s->end > s->written;
	return full ? 0 : SEGMENT_SIZE - s->end % SEGMENT_SIZE;
}

static uint64_t room_in_memory(const struct segments *s)
{
	return s->size - SEGMENT_BLOCK - (s->end - s->written);
}

/* Makes sure that a part is open and that `n` bytes fit into it. 0 or an errno. */
static int make_room(struct segments *s, uint64_t n)
{
	uint64_t need = n + (s->part_open ? 0 : PART_HEADER);
	bool file = need <= room_in_file(s), memory = need <= room_in_memory(s);
	int rc = 0;
	if ((!file || !memory) && s->part_open)
		close_part(s, false);
	if (!file)
		rc = next_file(s);
	else if (!memory)
		rc = segment_write_up_to(s, s->end);
	if (rc == 0 && !s->part_open)
		open_part(s);
	return rc;
}

/* --- a batch ------------------------------------------------------------------------------------------------------------------------- */

/* After a failure the batch is lost: a second flush may say "yes" of what the first one could not write. */
static int batch_failed(struct segments *s, int rc, struct van_error *err)
{
	s->failed = rc;
	return rc ? segment_fail(err, rc, "writing") : 0;
}

int segments_append(struct segments *s, struct slice body, uint64_t *ret_position, struct van_error *err)
{
	int rc = s->failed;
	if (body.n > SEGMENT_BODY_MAX)
		return van_error_set(err, VAN_ELIMIT, "segment file: a body of %zu bytes is larger than %zu", body.n, SEGMENT_BODY_MAX);
	if (rc == 0)
		rc = make_room(s, body.n);
	if (rc)
		return batch_failed(s, rc, err);
	*ret_position = s->end;
	put(s, body);
	return 0;
}

/* Behind the bodies, in as many parts as it takes. */
static int append_redo(struct segments *s, struct slice redo)
{
	while (redo.n) {
		int rc = make_room(s, 1);
		if (rc)
			return rc;
		uint64_t room = room_in_file(s) < room_in_memory(s) ? room_in_file(s) : room_in_memory(s);
		size_t n = redo.n < room ? redo.n : (size_t)room;
		if (s->header.redo == UINT64_MAX)
			s->header.redo = s->end - s->part - PART_HEADER;
		put(s, slice_make(redo.p, n));
		redo = slice_make(redo.p + n, redo.n - n);
	}
	return 0;
}

int segments_commit(struct segments *s, struct slice redo, struct van_error *err)
{
	int rc = s->failed ? s->failed : append_redo(s, redo);
	if (rc == 0) {
		close_part(s, true);
		rc = segment_write_up_to(s, s->end);
	}
	if (rc)
		return batch_failed(s, rc, err);
	s->failed = segment_flush_written(s);
	if (s->failed) /* on the disk or not? */
		return van_error_set(err, VAN_EIO, "segment file: flushing: %s; check the disk", strerror(s->failed));
	return 0;
}

struct segments_mark segments_mark(const struct segments *s)
{
	return (struct segments_mark){s->kept, s->sequence - 1, s->before};
}

static void begin_batch(struct segments *s)
{
	s->header = (struct part){.before = s->before};
	s->part_open = false;
}

void segments_keep(struct segments *s)
{
	s->batch = s->end - s->kept;
	s->kept = s->end;
	s->sequence++;
	s->before = s->header.before;
	begin_batch(s);
}

void segments_rollback(struct segments *s)
{
	pthread_mutex_lock(&s->lock);
	s->end = s->kept;
	if (s->low > s->end)
		s->low = s->end;
	pthread_mutex_unlock(&s->lock);
	s->written = s->kept;
	s->failed = 0;
	begin_batch(s);
}

int segments_make_ready(struct segments *s, struct van_error *err)
{
	s->failed = segment_make_ready(s);
	return s->failed ? van_error_set(err, VAN_EIO, "segment file: flushing: %s; check the disk", strerror(s->failed)) : 0;
}

uint64_t segments_behind(const struct segments *s)
{
	return s->behind;
}
