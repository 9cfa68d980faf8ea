/* Segments: small bodies, and the log of the store's commits, one behind the other in large files: one write and one flush for a
 * whole batch.
 *
 *	segments_append(s, bytes, &position, &err);     … for each body of the batch; goes into memory only
 *	segments_commit(s, redo, &err) == 0             one direct write, one flush: bodies and what repeats the transaction are durable
 *		? segments_keep(s) : segments_rollback(s);
 *
 * A position is good for ever: file number times SEGMENT_SIZE, plus the offset in that file.
 *
 * A batch is one part or more. A part begins at a block with a header (segment_part.h): its batch's number, its length, a hash over all
 * of it, where in it the redo begins. It lies in one file and was in memory whole, so that the header could be filled in before anything
 * was written. A batch counts when all of its parts are there, whole; a write that a power cut broke off is told by its hash.
 *
 * Who settles the store commits segments_mark() with it. At the next start segments_replay() gives back the redo of the batches
 * behind that mark. What stands behind the last of them is never removed and never written over: a crash leaves it there, but so does a
 * disk that lost something in between, and then it is somebody's document. The next batch begins in a file of its own. A flushed block
 * is never written again while something in it is referred to: the next batch begins at the next block. The last few megabytes stay in
 * memory, because what was just accepted is read again at once.
 *
 * Why not in the store's own pages: writing past the page cache takes a twentieth of the processor time (no page is
 * allocated, copied to, walked and freed), and the store's file keeps to records. */
#ifndef OPENVAN_STORE_SEGMENT_H
#define OPENVAN_STORE_SEGMENT_H

#include "base/clock.h"
#include "base/error.h"
#include "base/slice.h"

#include <stdbool.h>
#include <stdint.h>

#define SEGMENT_SIZE ((uint64_t)256 << 20) /* bytes of a file; part of the format */
#define SEGMENT_BODY_MAX ((size_t)1 << 20) /* of one body; larger ones are files of payload.h */

struct segments;

/* How far the log was settled: where the batch of that number ended, and the first 8 bytes of its hash, which the next one repeats.
 * All zero for a new store. */
struct segments_mark {
	uint64_t end, sequence, hash;
};

/* Gives `fn` the redo of each whole batch behind the mark, in order, with the mark behind that batch, and moves `mark` there. Negative:
 * what `fn` said, or the disk; VAN_EVERSION when what stood behind the mark was released. The folder may be missing. */
typedef int (*segments_redo_fn)(void *ctx, struct slice redo, const struct segments_mark *behind);
int segments_replay(int dirfd, struct segments_mark *mark, segments_redo_fn fn, void *ctx, struct van_error *err);

/* Uses (makes) the folder "segment" in `dirfd`; the caller keeps the descriptor. `mark`: where segments_replay() left it. VAN_EIO when
 * its file is shorter. `window`: bytes to keep in memory, at least 4 MiB; 0 means 8 MiB. */
int segments_open(int dirfd, const struct segments_mark *mark, size_t window, struct segments **ret, struct van_error *err);
/* Bytes that stood behind the mark, and that nothing which was committed refers to. */
uint64_t segments_behind(const struct segments *s);
void segments_close(struct segments *s); /* forgets what was not kept; may be NULL */

/* --- any thread, one at a time --- */

struct segments_released {
	uint64_t bytes; /* that were given back to the disk */
	unsigned files; /* of them whole ones: they are gone */
};
/* Gives back to the disk what repeats commits that are settled (`settled`: the end of the mark that the store has on the disk) and stand in files
 * that nothing was written to since `before`. Bodies stay. A store whose mark is older is refused from then on (segments_replay:
 * VAN_EVERSION). At most a file's worth; returns 1 when there may be more, 0 when not, VAN_EVERSION where the file system can't
 * give back parts of a file, or what the disk said. What a crash interrupts the next call completes. */
int segments_release(struct segments *s, uint64_t settled, van_time before, struct segments_released *ret, struct van_error *err);

/* --- the writer's thread only --- */

/* Where the body will stand. Body and position are readable at once, and durable after segments_commit(). An empty body has a
 * position too. VAN_ELIMIT above SEGMENT_BODY_MAX, else what the disk said: then everything fails until the rollback. */
int segments_append(struct segments *s, struct slice body, uint64_t *ret_position, struct van_error *err);
/* Returns 0 when everything appended, and `redo` (not empty), is on stable storage. After a failure: rollback; after VAN_EIO nobody
 * knows what a start would find, and the process must end. */
int segments_commit(struct segments *s, struct slice redo, struct van_error *err);
/* Where the next batch begins, after segments_keep(). */
struct segments_mark segments_mark(const struct segments *s);
void segments_keep(struct segments *s);
void segments_rollback(struct segments *s); /* forgets what was appended since the last keep or rollback */

/* Between two batches, when nobody waits: where the last one was small, blocks behind it are written with zeros, and flushed. A commit
 * into blocks that were written before takes half as long, because nothing but data has to reach the disk: the file's map of blocks
 * stays as it is. Under load batches are large, share the flush, and aren't written twice. VAN_EIO when the flush failed: then
 * everything does, until the process ends. A write that fails is the next batch's to find out. */
int segments_make_ready(struct segments *s, struct van_error *err);
bool segments_want_ready(const struct segments *s); /* between two batches: would it write anything? */

/* --- any thread --- */

/* Exactly `n` bytes. VAN_EIO when they are not there. */
int segments_read(struct segments *s, uint64_t position, void *to, size_t n, struct van_error *err);
/* Each file that has something before the position `end` (of a mark), in order: its path below the data folder, a descriptor to read it
 * (closed after the call; -1: the file is missing), and how many bytes of it stand before `end`, at most: a full file may be shorter. Then the
 * file that says what was released, where there is one. Negative: what `fn` said, or the disk. */
typedef int (*segments_file_fn)(void *ctx, const char *path, int fd, uint64_t bytes, struct van_error *err);
int segments_each_file(struct segments *s, uint64_t end, segments_file_fn fn, void *ctx, struct van_error *err);

#endif
