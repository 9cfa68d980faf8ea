/* Segments: small bodies, one behind the other in large files, many of them in one write and one flush.
 *
 *	segments_append(s, bytes, &position, &err);     … for each body of the batch; goes into memory only
 *	segments_flush(s, &err);                        one direct write, one flush
 *	store_commit(...) == 0 ? segments_keep(s) : segments_rollback(s);
 *
 * A position is good for ever: file number times SEGMENT_SIZE, plus the offset in that file. Whoever commits positions commits
 * segments_end() with them and gives it back to segments_open() at the next start. What stands behind that end is never removed
 * and never written over: a crash leaves it there, but so does a store that is older than its segments (an older backup was
 * restored), and then it is somebody's document. The next batch begins in a file of its own. A flushed block is never written again while something in it is referred to: the next batch begins at
 * the next block. The last few megabytes stay in memory, because what was just accepted is read again at once.
 *
 * Why not in the store's own pages: writing past the page cache takes a twentieth of the processor time (no page is
 * allocated, copied to, walked and freed), and the store's file keeps to records. */
#ifndef OPENVAN_STORE_SEGMENT_H
#define OPENVAN_STORE_SEGMENT_H

#include "base/error.h"
#include "base/slice.h"

#include <stdbool.h>
#include <stdint.h>

#define SEGMENT_SIZE ((uint64_t)256 << 20) /* bytes of a file; part of the format */
#define SEGMENT_BODY_MAX ((size_t)1 << 20) /* of one body; larger ones are files of payload.h */

struct segments;

/* Uses (makes) the folder "segment" in `dirfd`; the caller keeps the descriptor. `end`: what segments_end() said at the last
 * commit, 0 for a new store. VAN_EIO when the file of that end is shorter. `window`: bytes to keep in
 * memory, at least 4 MiB; 0 means 8 MiB. */
int segments_open(int dirfd, uint64_t end, size_t window, struct segments **ret, struct van_error *err);
/* Bytes that stood behind `end`, and that nothing which was committed refers to. */
uint64_t segments_behind(const struct segments *s);
void segments_close(struct segments *s); /* forgets what was not kept; may be NULL */

/* --- the writer's thread only --- */

/* Where the body will stand. Body and position are readable at once, and durable after segments_flush(). An empty body has a
 * position too. VAN_ELIMIT above SEGMENT_BODY_MAX, else what the disk said: then everything fails until the rollback. */
int segments_append(struct segments *s, struct slice body, uint64_t *ret_position, struct van_error *err);
/* Returns 0 when everything appended is on stable storage; nothing is done when nothing was. After a failure: rollback. */
int segments_flush(struct segments *s, struct van_error *err);
/* Was anything appended since the last keep or rollback? */
bool segments_appended(const struct segments *s);
/* Where the next batch begins, after segments_flush(). */
uint64_t segments_end(const struct segments *s);
void segments_keep(struct segments *s);
void segments_rollback(struct segments *s); /* forgets what was appended since the last keep or rollback */

/* --- any thread --- */

/* Exactly `n` bytes. VAN_EIO when they are not there. */
int segments_read(struct segments *s, uint64_t position, void *to, size_t n, struct van_error *err);

#endif
