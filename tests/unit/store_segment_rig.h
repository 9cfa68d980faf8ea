/* Segments in a folder of their own, and bodies that tell where they belong. */
#ifndef OPENVAN_TESTS_STORE_SEGMENT_RIG_H
#define OPENVAN_TESTS_STORE_SEGMENT_RIG_H

#include "store_conformance.h"

#include "store/segment.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define WINDOW ((size_t)4 << 20)

struct fixture {
	struct scratch dir;
	struct segments *s;
	char *body;
};

static inline void open_at(struct fixture *f, uint64_t end)
{
	struct van_error err = {0};
	if (segments_open(f->dir.fd, &(struct segments_mark){.end = end}, WINDOW, &f->s, &err))
		fail_msg("%s", err.text);
}

static inline int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	scratch_make(&f->dir);
	f->body = malloc(SEGMENT_BODY_MAX);
	open_at(f, 0);
	*state = f;
	return 0;
}

static inline int teardown(void **state)
{
	struct fixture *f = *state;
	segments_close(f->s);
	scratch_remove(&f->dir);
	free(f->body);
	free(f);
	return 0;
}

/* Bytes that tell where they belong. */
static inline struct slice body_of(struct fixture *f, unsigned seed, size_t n)
{
	for (size_t i = 0; i < n; i++)
		f->body[i] = (char)(seed * 31 + i * 7 + (i >> 8));
	return slice_make(f->body, n);
}

static inline uint64_t append(struct fixture *f, unsigned seed, size_t n)
{
	struct van_error err = {0};
	uint64_t at;
	if (segments_append(f->s, body_of(f, seed, n), &at, &err))
		fail_msg("%s", err.text);
	return at;
}

static inline void holds(struct fixture *f, uint64_t at, unsigned seed, size_t n)
{
	struct van_error err = {0};
	char *got = malloc(n ? n : 1);
	if (segments_read(f->s, at, got, n, &err))
		fail_msg("%s", err.text);
	assert_memory_equal(got, body_of(f, seed, n).p, n);
	free(got);
}

#define REDO SLICE("what repeats it")
#define HEADER 64 /* of a part */

static inline void commit(struct fixture *f)
{
	assert_int_equal(segments_commit(f->s, REDO, NULL), 0);
	segments_keep(f->s);
}

static inline uint64_t end_of(struct fixture *f)
{
	return segments_mark(f->s).end;
}

static inline off_t file_size(struct fixture *f, const char *name)
{
	char path[64];
	struct stat st;
	snprintf(path, sizeof path, "segment/%s", name);
	return fstatat(f->dir.fd, path, &st, 0) == 0 ? st.st_size : -1;
}

static inline void reopen(struct fixture *f, uint64_t end)
{
	segments_close(f->s);
	f->s = NULL;
	open_at(f, end);
}

/* Begins close to the end of a file, so that what follows goes into the next one. */
static inline void near_the_end(struct fixture *f, uint64_t left)
{
	segments_close(f->s);
	f->s = NULL;
	int fd = openat(f->dir.fd, "segment/0000000000.seg", O_CREAT | O_WRONLY, 0600);
	assert_int_equal(ftruncate(fd, (off_t)(SEGMENT_SIZE - left)), 0);
	close(fd);
	open_at(f, SEGMENT_SIZE - left);
}

#endif
