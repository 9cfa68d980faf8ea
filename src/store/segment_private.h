/* What segment.c (batches and parts in memory), segment_file.c (the files under them), segment_read.c and segment_replay.c share. */
#ifndef OPENVAN_STORE_SEGMENT_PRIVATE_H
#define OPENVAN_STORE_SEGMENT_PRIVATE_H

#include "store/segment.h"
#include "store/segment_part.h"

#include <pthread.h>
#include <stdatomic.h>

#define SEGMENT_READERS 8 /* files that are kept open to be read */

struct segment_readers {
	pthread_rwlock_t lock; /* held to read by whoever uses a descriptor */
	struct segment_reader {
		uint64_t number;
		int fd; /* -1: free */
	} files[SEGMENT_READERS];
	unsigned turn; /* whose place the next one takes */
	atomic_uint_least64_t last, asked; /* where the last body that was read ended; how far the disk was asked for what comes behind */
};

/* Position p stands at window[p % size] as long as low <= p < end. */
struct segments {
	int folder;
	int fd;              /* of the file that is written, or -1 */
	uint64_t number;     /* of that file */
	uint64_t allocated;  /* bytes of it that have room on the disk */
	uint64_t ready;      /* of them, that were written before */
	uint64_t batch;      /* bytes of the last batch that was kept */
	bool named;          /* its name is still to be flushed */
	char *window;
	size_t size;
	uint64_t kept;       /* where the batch began */
	uint64_t written;    /* up to here the file has it */
	bool unflushed;      /* something was written since the last flush */
	int failed;          /* errno of a write or flush in this batch, which can only be rolled back now */
	uint64_t behind;     /* bytes found behind the last whole batch */
	uint64_t sequence;   /* number of the batch at hand */
	uint64_t before;     /* hash of the batch before it */
	bool part_open;
	uint64_t part;       /* position of the open part's header */
	struct part header;  /* what it will say */
	XXH3_state_t *hash;  /* of the bytes behind it */
	struct segment_readers readers;
	atomic_uint_least64_t released; /* files that end before this position may be gone */
	pthread_mutex_t lock; /* guards the window's bytes and what follows; the writer reads them without */
	uint64_t low, end;
};

static inline uint64_t segment_round_up(uint64_t n)
{
	return (n + SEGMENT_BLOCK - 1) / SEGMENT_BLOCK * SEGMENT_BLOCK;
}

/* --- segment_replay.c ---------------------------------------------------------------------------------------------------------- */

struct segment_stretch { /* a part: where it begins, where its redo does, and where what follows it may begin; a block each, but for the second */
	uint64_t from, redo, to;
	bool bodies; /* it has some, before its redo */
};

struct segment_batch {
	struct slice redo;
	const struct segment_stretch *parts;
	size_t nparts;
	struct segments_mark behind;
};

/* Every whole batch behind `mark`, in order, until `fn` returns something else than 0, which is returned. What it gets is good until it returns. */
typedef int (*segment_batch_fn)(void *ctx, const struct segment_batch *b, struct van_error *err);
int segment_each_batch(int folder, const struct segments_mark *mark, segment_batch_fn fn, void *ctx, struct van_error *err);

/* --- segment_release.c --------------------------------------------------------------------------------------------------------- */

/* VAN_EVERSION when the log was released beyond `mark`: it can't be repeated from there. */
int segment_check_released(int folder, const struct segments_mark *mark, struct van_error *err);
/* At the opening: s->released, as the folder says. */
int segment_load_released(struct segments *s, struct van_error *err);

/* --- segment_read.c ------------------------------------------------------------------------------------------------------------ */

void segment_readers_init(struct segment_readers *r);
void segment_readers_free(struct segment_readers *r); /* closes the files; nobody reads any more */

/* --- segment_file.c ------------------------------------------------------------------------------------------------------------ */

int segment_fail(struct van_error *err, int errnum, const char *doing);
void segment_name(uint64_t number, char to[SEGMENT_NAME_MAX]);
/* The least number of a file that is >= `from`. 0 (none: *ret is UINT64_MAX) or an errno. `visit` (may be NULL) is called for each file
 * of such a number with its size. */
int segment_find(int folder, uint64_t from, uint64_t *ret, void (*visit)(void *ctx, uint64_t number, uint64_t size), void *ctx);
/* Where the next batch may begin, behind everything that stands in the files; counts bytes behind `end`. */
int segment_look_behind(struct segments *s, uint64_t end, uint64_t *begin, struct van_error *err);
/* Writes the window up to `to`, a whole number of blocks. 0 or an errno. */
int segment_write_up_to(struct segments *s, uint64_t to);
int segment_flush_written(struct segments *s);
/* Where the bytes of a file end that are not just reserved room, looking from its end back to `from`. 0 or an errno. */
int segment_used_end(int fd, uint64_t from, uint64_t size, uint64_t *ret);
/* See segments_make_ready(). 0 or an errno: of the flush. */
int segment_make_ready(struct segments *s);

#endif
