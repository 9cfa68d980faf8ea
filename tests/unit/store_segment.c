/* Segments: bodies come back, batches are forgotten whole, commits are repeated after a crash, what it broke off stays aside, files
 * follow one another. */
#include "store_segment_rig.h"

#include "store/segment_part.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/* The program is linked so that fsync() and posix_fadvise() come here. */
#define FLUSHED_MAX 64

static ino_t flushed[FLUSHED_MAX];
static size_t n_flushed;
static bool from_disk; /* reads since the last flush do not see what only memory has */
int __real_fsync(int fd);
int __wrap_fsync(int fd);

int __wrap_fsync(int fd)
{
	struct stat st;
	if (n_flushed < FLUSHED_MAX && fstat(fd, &st) == 0)
		flushed[n_flushed++] = st.st_ino;
	from_disk = false;
	return __real_fsync(fd);
}

int __real_posix_fadvise(int fd, off_t from, off_t n, int advice);
int __wrap_posix_fadvise(int fd, off_t from, off_t n, int advice);

int __wrap_posix_fadvise(int fd, off_t from, off_t n, int advice)
{
	from_disk = advice == POSIX_FADV_DONTNEED && from == 0 && n == 0;
	return __real_posix_fadvise(fd, from, n, advice);
}

static void comes_back(void **state)
{
	static const size_t sizes[] = {1, 0, 4095, 4096, 4097, 70000, 13};
	struct fixture *f = *state;
	uint64_t at[7], end;
	for (unsigned i = 0; i < 7; i++) {
		at[i] = append(f, i, sizes[i]);
		holds(f, at[i], i, sizes[i]); /* before the flush too */
		if (i == 3)
			commit(f);
	}
	commit(f);
	end = end_of(f);
	assert_int_equal(end % 4096, 0);
	for (unsigned round = 0; round < 2; round++) {
		for (unsigned i = 0; i < 7; i++)
			holds(f, at[i], i, sizes[i]);
		segments_close(f->s); /* and from the file, after a restart */
		f->s = NULL;
		open_at(f, end);
	}
}

static void rollback_forgets(void **state)
{
	struct fixture *f = *state;
	uint64_t kept = append(f, 1, 5000), lost, again;
	commit(f);
	lost = append(f, 2, 9000);
	segments_rollback(f->s);
	again = append(f, 3, 9000);
	assert_int_equal(again, lost);
	commit(f);
	holds(f, kept, 1, 5000);
	holds(f, again, 3, 9000);
	uint64_t end = end_of(f);
	segments_close(f->s);
	f->s = NULL;
	open_at(f, end);
	holds(f, again, 3, 9000);
}

/* More than the window in one batch, with rollback and then for good; old bodies come from the file. */
static void larger_than_the_window(void **state)
{
	struct fixture *f = *state;
	uint64_t first = append(f, 99, 777), at[12];
	commit(f);
	for (int round = 0; round < 2; round++) {
		for (unsigned i = 0; i < 12; i++)
			at[i] = append(f, i, SEGMENT_BODY_MAX - i * 1000);
		if (round == 0)
			segments_rollback(f->s);
	}
	holds(f, first, 99, 777);
	commit(f);
	holds(f, first, 99, 777);
	for (unsigned i = 0; i < 12; i++)
		holds(f, at[i], i, SEGMENT_BODY_MAX - i * 1000);
}

static void too_large(void **state)
{
	struct fixture *f = *state;
	struct van_error err = {0};
	uint64_t at;
	char *big = calloc(1, SEGMENT_BODY_MAX + 1);
	assert_int_equal(segments_append(f->s, slice_make(big, SEGMENT_BODY_MAX + 1), &at, &err), VAN_ELIMIT);
	free(big);
}

/* Nobody refers to it; but nobody is sure of that either. */
static void what_a_crash_left_stays_aside(void **state)
{
	struct fixture *f = *state;
	append(f, 1, 5000);
	commit(f);
	uint64_t end = end_of(f), left = append(f, 2, 50000);
	assert_int_equal(segments_commit(f->s, REDO, NULL), 0);
	close(openat(f->dir.fd, "segment/0000000001.seg", O_CREAT | O_WRONLY, 0600)); /* empty: as good as none */
	close(openat(f->dir.fd, "segment/notes.txt", O_CREAT | O_WRONLY, 0600));
	reopen(f, end);
	assert_true(segments_behind(f->s) >= 50000 && segments_behind(f->s) < 50000 + 65536);
	assert_true(file_size(f, "0000000000.seg") < 200000); /* without the room that was reserved */
	assert_int_equal(file_size(f, "notes.txt"), 0);
	assert_int_equal(append(f, 3, 300), SEGMENT_SIZE + HEADER);
	commit(f);
	holds(f, HEADER, 1, 5000);
	holds(f, left, 2, 50000);
	holds(f, SEGMENT_SIZE + HEADER, 3, 300);
}

/* Room that was reserved and not used is no reason for another file. */
static void a_crash_between_batches_leaves_nothing(void **state)
{
	struct fixture *f = *state;
	append(f, 1, 5000);
	commit(f);
	uint64_t end = end_of(f);
	assert_true(file_size(f, "0000000000.seg") >= (off_t)end);
	reopen(f, end);
	assert_int_equal(segments_behind(f->s), 0);
	assert_int_equal(append(f, 2, 300), end + HEADER);
}

/* An older store is started with its segments (or none, with those of another): nothing of the newer one's is lost. */
static void an_older_store_spares_newer_bodies(void **state)
{
	struct fixture *f = *state;
	uint64_t at[6], ends[7] = {0};
	for (unsigned i = 0; i < 6; i++) {
		at[i] = append(f, i, 9000);
		commit(f);
		ends[i + 1] = end_of(f);
	}
	for (unsigned back = 0; back < 6; back++) {
		reopen(f, ends[back]);
		assert_int_equal(append(f, 100 + back, 9000), (back + 1) * SEGMENT_SIZE + HEADER);
		commit(f);
	}
	reopen(f, ends[6]);
	for (unsigned i = 0; i < 6; i++)
		holds(f, at[i], i, 9000);
	for (unsigned back = 0; back < 6; back++)
		holds(f, (back + 1) * SEGMENT_SIZE + HEADER, 100 + back, 9000);
}

static void a_file_that_lost_something_is_refused(void **state)
{
	struct fixture *f = *state;
	struct van_error err = {0};
	append(f, 1, 9000);
	commit(f);
	uint64_t end = end_of(f);
	segments_close(f->s);
	f->s = NULL;
	int fd = openat(f->dir.fd, "segment/0000000000.seg", O_WRONLY);
	assert_int_equal(ftruncate(fd, 4096), 0);
	close(fd);
	assert_int_equal(segments_open(f->dir.fd, &(struct segments_mark){.end = end}, WINDOW, &f->s, &err), VAN_EIO);
	assert_non_null(strstr(err.text, "restore the last backup"));
	assert_int_equal(unlinkat(f->dir.fd, "segment/0000000000.seg", 0), 0);
	assert_int_equal(segments_open(f->dir.fd, &(struct segments_mark){.end = end}, WINDOW, &f->s, &err), VAN_EIO);
	assert_int_equal(file_size(f, "0000000000.seg"), -1); /* and none is made in its place */
}

static void files_follow_one_another(void **state)
{
	struct fixture *f = *state;
	near_the_end(f, 8192);
	uint64_t a = append(f, 1, 6000), b = append(f, 2, 6000);
	assert_int_equal(a, SEGMENT_SIZE - 8192 + HEADER);
	assert_int_equal(b, SEGMENT_SIZE + HEADER);
	segments_rollback(f->s);
	assert_int_equal(append(f, 3, 100), a);
	b = append(f, 4, 9000);
	assert_int_equal(b, SEGMENT_SIZE + HEADER);
	commit(f);
	uint64_t end = end_of(f);
	segments_close(f->s);
	f->s = NULL;
	open_at(f, end);
	holds(f, a, 3, 100);
	holds(f, b, 4, 9000);
}

static void a_file_filled_to_its_last_byte(void **state)
{
	struct fixture *f = *state;
	near_the_end(f, 8192);
	uint64_t a = append(f, 1, 8192 - HEADER), b = append(f, 2, 10);
	assert_int_equal(b, SEGMENT_SIZE + HEADER);
	commit(f);
	holds(f, a, 1, 8192 - HEADER);
	holds(f, b, 2, 10);
}

/* A disk that takes no more: the batch fails with a reason, and the next one works when there is room. */
static void a_full_disk(void **state)
{
	struct fixture *f = *state;
	struct rlimit all, little;
	struct van_error err = {0};
	uint64_t kept = append(f, 1, 100);
	commit(f);
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &all);
	little = (struct rlimit){4096, all.rlim_max};
	setrlimit(RLIMIT_FSIZE, &little);
	append(f, 2, 100);
	assert_true(segments_commit(f->s, REDO, &err) < 0);
	assert_int_not_equal(err.text[0], 0);
	segments_rollback(f->s);
	setrlimit(RLIMIT_FSIZE, &all);
	uint64_t at = append(f, 3, 100);
	commit(f);
	holds(f, kept, 1, 100);
	holds(f, at, 3, 100);
}

static struct rlimit limit_files(rlim_t bytes)
{
	struct rlimit was, now;
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &was);
	now = (struct rlimit){bytes, was.rlim_max};
	setrlimit(RLIMIT_FSIZE, &now);
	return was;
}

/* Inside a block, where a direct write of the rest is not possible: an error, and not another try for ever. */
static void a_disk_full_inside_a_block(void **state)
{
	struct fixture *f = *state;
	alarm(300);
	uint64_t kept = append(f, 1, 100);
	commit(f);
	struct rlimit was = limit_files(4096 + 4096 + 100);
	append(f, 2, 9000);
	assert_true(segments_commit(f->s, REDO, NULL) < 0);
	segments_rollback(f->s);
	setrlimit(RLIMIT_FSIZE, &was);
	alarm(0);
	uint64_t at = append(f, 3, 9000);
	commit(f);
	reopen(f, end_of(f));
	holds(f, kept, 1, 100);
	holds(f, at, 3, 9000);
}

/* What failed once in a batch is not asked again: the second flush of lost pages reports success. */
static void a_failed_batch_stays_failed(void **state)
{
	struct fixture *f = *state;
	struct van_error err = {0};
	uint64_t at;
	int rc = 0;
	append(f, 1, 100);
	commit(f);
	struct rlimit was = limit_files(4096);
	for (unsigned i = 0; i < 8 && rc == 0; i++)
		rc = segments_append(f->s, body_of(f, i, SEGMENT_BODY_MAX), &at, &err);
	setrlimit(RLIMIT_FSIZE, &was);
	assert_true(rc < 0);
	assert_int_equal(segments_append(f->s, body_of(f, 9, 10), &at, &err), rc);
	assert_int_equal(segments_commit(f->s, REDO, &err), rc);
	assert_int_equal(segments_commit(f->s, REDO, &err), rc);
	segments_rollback(f->s);
	at = append(f, 2, 100);
	commit(f);
	reopen(f, end_of(f));
	holds(f, HEADER, 1, 100);
	holds(f, at, 2, 100);
}

static bool was_flushed(struct fixture *f, const char *name)
{
	struct stat st;
	assert_int_equal(fstatat(f->dir.fd, name, &st, 0), 0);
	for (size_t i = 0; i < n_flushed; i++)
		if (flushed[i] == st.st_ino)
			return true;
	return false;
}

static int when_flushed(void *ctx, struct slice redo, const struct segments_mark *behind)
{
	assert_true(redo.n && behind->sequence && from_disk);
	assert_true(was_flushed(ctx, "segment") && was_flushed(ctx, "segment/0000000000.seg") && was_flushed(ctx, "segment/0000000001.seg"));
	return 0;
}

/* Who wrote it may have been killed before the flush; from now on it counts, whatever happens to the power. */
static void what_is_repeated_is_flushed_first(void **state)
{
	struct fixture *f = *state;
	struct segments_mark mark;
	near_the_end(f, 8192);
	append(f, 1, 6000);
	mark = segments_mark(f->s);
	append(f, 2, 6000);
	commit(f);
	uint64_t end = end_of(f);
	segments_close(f->s);
	f->s = NULL;
	n_flushed = 0;
	assert_int_equal(segments_replay(f->dir.fd, &mark, when_flushed, f, NULL), 0);
	assert_int_equal(mark.end, end);
	assert_int_equal(mark.sequence, 1);
}

/* What looks like the commit behind the first one, in a document's bytes. */
static void forge(char *to, struct slice redo)
{
	XXH3_state_t *hash = XXH3_createState();
	struct part p = {.sequence = 2, .last = true, .length = redo.n};
	XXH3_128bits_reset(hash);
	XXH3_128bits_update(hash, redo.p, redo.n);
	part_encode(&p, hash, (unsigned char *)to);
	memcpy(to + PART_HEADER, redo.p, redo.n);
	XXH3_freeState(hash);
}

static int only_ours(void *ctx, struct slice redo, const struct segments_mark *behind)
{
	(void)ctx;
	assert_true(slice_eq(redo, REDO));
	assert_int_equal(behind->sequence, 1);
	return 0;
}

/* Bytes of a batch that was taken back, of which some stood in the file already, can lie exactly where the next commit would begin. */
static void a_document_passes_for_no_commit(void **state)
{
	struct fixture *f = *state;
	struct segments_mark mark = {0};
	struct slice body = body_of(f, 1, SEGMENT_BODY_MAX);
	uint64_t at;
	forge(f->body + SEGMENT_BLOCK - HEADER, SLICE("forged"));
	assert_int_equal(segments_append(f->s, body, &at, NULL), 0);
	for (unsigned i = 0; i < WINDOW / SEGMENT_BODY_MAX; i++)
		append(f, i, SEGMENT_BODY_MAX);
	segments_rollback(f->s);
	append(f, 1, 100);
	commit(f);
	assert_int_equal(end_of(f), SEGMENT_BLOCK);
	segments_close(f->s);
	f->s = NULL;
	assert_int_equal(segments_replay(f->dir.fd, &mark, only_ours, f, NULL), 0);
	assert_int_equal(mark.sequence, 1);
}

/* --- everything in any order ------------------------------------------------------------------------------------------- */

#define MODEL_MAX 4096
#define REDO_MAX ((size_t)10 << 20)

struct model {
	struct { uint64_t at; unsigned seed; size_t n; } bodies[MODEL_MAX];
	struct { unsigned seed; size_t n; } redo[MODEL_MAX]; /* of each commit */
	size_t n, kept;
	size_t commits, settled; /* … so many of them need not be repeated */
	size_t repeated;         /* in segments_replay() */
	struct segments_mark mark; /* of what is settled */
	char *room;
};

/* A body that lives through other calls of body_of(). */
static void any_body(struct fixture *f, struct model *m)
{
	static const size_t sizes[] = {0, 1, 256, 4095, 4096, 30000, 200000, SEGMENT_BODY_MAX};
	unsigned seed = (unsigned)rand();
	size_t n = sizes[rand() % 8];
	if (m->n == MODEL_MAX)
		return;
	m->bodies[m->n].seed = seed;
	m->bodies[m->n].n = n ? n - (size_t)rand() % (n / 2 + 1) : 0;
	m->bodies[m->n].at = append(f, seed, m->bodies[m->n].n);
	m->n++;
}

static void check_all(struct fixture *f, const struct model *m, size_t every)
{
	for (size_t i = m->n; i-- > 0;)
		if (i >= m->kept || rand() % (int)every == 0)
			holds(f, m->bodies[i].at, m->bodies[i].seed, m->bodies[i].n);
}

static struct slice redo_of(struct model *m, size_t commit)
{
	for (size_t i = 0; i < m->redo[commit].n; i++)
		m->room[i] = (char)(m->redo[commit].seed * 37 + i * 5 + (i >> 10));
	return slice_make(m->room, m->redo[commit].n);
}

static void any_commit(struct fixture *f, struct model *m)
{
	static const size_t sizes[] = {1, 300, 4000, 5000, 70000, REDO_MAX};
	size_t n = sizes[rand() % 30 ? rand() % 5 : 5];
	m->redo[m->commits].seed = (unsigned)rand();
	m->redo[m->commits].n = n - (size_t)rand() % (n / 2 + 1);
	assert_int_equal(segments_commit(f->s, redo_of(m, m->commits), NULL), 0);
}

static void any_keep(struct fixture *f, struct model *m)
{
	segments_keep(f->s);
	m->commits++;
	m->kept = m->n;
	if (rand() % 3 == 0) {
		m->mark = segments_mark(f->s);
		m->settled = m->commits;
	}
}

static int repeated(void *ctx, struct slice redo, const struct segments_mark *behind)
{
	struct model *m = ctx;
	assert_true(m->settled + m->repeated < m->commits);
	struct slice wanted = redo_of(m, m->settled + m->repeated);
	assert_int_equal(redo.n, wanted.n);
	assert_memory_equal(redo.p, wanted.p, wanted.n);
	m->repeated++;
	assert_int_equal(behind->sequence, m->mark.sequence + m->repeated);
	return 0;
}

/* A start: what was committed since the mark is repeated, all of it and nothing else. */
static void start_again(struct fixture *f, struct model *m)
{
	struct van_error err = {0};
	struct segments_mark mark = m->mark;
	segments_close(f->s);
	f->s = NULL;
	m->repeated = 0;
	if (segments_replay(f->dir.fd, &mark, repeated, m, &err))
		fail_msg("%s", err.text);
	assert_int_equal(m->repeated, m->commits - m->settled);
	if (segments_open(f->dir.fd, &mark, WINDOW, &f->s, &err))
		fail_msg("%s", err.text);
	m->mark = mark;
	m->settled = m->commits;
}

/* A byte that did not reach the disk. */
static void break_off(struct fixture *f, uint64_t at)
{
	char name[64], byte;
	snprintf(name, sizeof name, "segment/%010llu.seg", (unsigned long long)(at / SEGMENT_SIZE));
	int fd = openat(f->dir.fd, name, O_RDWR);
	assert_int_equal(pread(fd, &byte, 1, (off_t)(at % SEGMENT_SIZE)), 1);
	byte ^= 1;
	assert_int_equal(pwrite(fd, &byte, 1, (off_t)(at % SEGMENT_SIZE)), 1);
	close(fd);
}

/* A crash in a batch: before anything of it was written, when it was whole, or with some of it missing. */
static void crash(struct fixture *f, struct model *m)
{
	int how = rand() % 3;
	if (how == 0 || m->n == MODEL_MAX) {
		m->n = m->kept;
	} else {
		any_body(f, m);
		size_t first = m->kept;
		any_commit(f, m);
		if (how == 1) {
			m->commits++;
			m->kept = m->n;
		} else { /* in a header or in a body of the batch */
			size_t i = first + (size_t)rand() % (m->n - first);
			bool header = m->bodies[i].n == 0 || rand() % 4 == 0;
			uint64_t at = header ? m->bodies[first].at - HEADER + (uint64_t)rand() % HEADER : m->bodies[i].at + (uint64_t)rand() % m->bodies[i].n;
			break_off(f, at);
			m->n = m->kept;
		}
	}
	start_again(f, m);
}

/* A whole file's worth of nothing, so that the next one is not far. */
static void go_near_the_end(struct fixture *f, struct model *m)
{
	char name[64];
	segments_rollback(f->s);
	m->n = m->kept;
	start_again(f, m);
	uint64_t at = (end_of(f) / SEGMENT_SIZE + 1) * SEGMENT_SIZE - 4096 * (uint64_t)(1 + rand() % 600);
	if (at <= end_of(f))
		return;
	snprintf(name, sizeof name, "segment/%010llu.seg", (unsigned long long)(at / SEGMENT_SIZE));
	int fd = openat(f->dir.fd, name, O_CREAT | O_WRONLY, 0600);
	assert_int_equal(ftruncate(fd, (off_t)(at % SEGMENT_SIZE)), 0);
	close(fd);
	m->mark.end = at;
	start_again(f, m);
}

static void any_order(void **state)
{
	struct fixture *f = *state;
	struct model *m = calloc(1, sizeof *m);
	const char *seed = getenv("SEED"), *steps = getenv("STEPS");
	m->room = malloc(REDO_MAX);
	srand(seed ? (unsigned)atoi(seed) : 1);
	for (int i = steps ? atoi(steps) : 500; i > 0 && m->commits < MODEL_MAX; i--) {
		int dice = rand() % 100;
		if (dice < 75) {
			any_body(f, m);
		} else if (dice < 87) {
			any_commit(f, m);
			any_keep(f, m);
		} else if (dice < 92) {
			segments_rollback(f->s);
			m->n = m->kept;
		} else if (dice < 97) {
			crash(f, m);
		} else {
			go_near_the_end(f, m);
		}
		check_all(f, m, 40);
	}
	start_again(f, m);
	m->n = m->kept;
	check_all(f, m, 1);
	free(m->room);
	free(m);
}

/* --- readers meanwhile --------------------------------------------------------------------------------------------------- */

#define SHARED_MAX 3000
#define SHARED_BODY 20000

struct shared {
	struct segments *s;
	_Atomic size_t n; /* committed */
	uint64_t at[SHARED_MAX];
	atomic_bool over;
};

static void shared_body(char *to, size_t i)
{
	for (size_t k = 0; k < SHARED_BODY; k++)
		to[k] = (char)(i * 131 + k * 7 + (k >> 9));
}

static void *reader(void *arg)
{
	struct shared *sh = arg;
	unsigned seed = 7;
	char *got = malloc(SHARED_BODY), *want = malloc(SHARED_BODY);
	bool right = true;
	while (right && !atomic_load(&sh->over)) {
		size_t n = atomic_load(&sh->n), far = (size_t)rand_r(&seed) % 2 ? 20 : SHARED_MAX;
		if (!n)
			continue;
		size_t i = n - 1 - (size_t)rand_r(&seed) % (n < far ? n : far);
		shared_body(want, i);
		right = segments_read(sh->s, sh->at[i], got, SHARED_BODY, NULL) == 0 && memcmp(got, want, SHARED_BODY) == 0;
	}
	free(got);
	free(want);
	return right ? NULL : arg;
}

/* Batches are taken back and come again with other bodies, while others read what was committed. */
static void readers_meanwhile(void **state)
{
	struct fixture *f = *state;
	struct shared *sh = calloc(1, sizeof *sh);
	char *body = malloc(SHARED_BODY);
	pthread_t threads[3];
	void *wrong;
	near_the_end(f, 8 << 20);
	sh->s = f->s;
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, reader, sh), 0);
	for (size_t n = 0; n < SHARED_MAX;) {
		size_t batch = 1 + (size_t)rand() % 64;
		for (int again = rand() % 3; again >= 0; again--) {
			for (size_t i = n; i < n + batch && i < SHARED_MAX; i++) {
				shared_body(body, again ? i + 1000 : i);
				assert_int_equal(segments_append(f->s, slice_make(body, SHARED_BODY), &sh->at[i], NULL), 0);
			}
			if (again)
				segments_rollback(f->s);
		}
		commit(f);
		n = n + batch < SHARED_MAX ? n + batch : SHARED_MAX;
		atomic_store(&sh->n, n);
	}
	atomic_store(&sh->over, true);
	for (size_t i = 0; i < 3; i++) {
		pthread_join(threads[i], &wrong);
		assert_null(wrong);
	}
	free(body);
	free(sh);
}

struct listed {
	unsigned n, missing;
	uint64_t bytes[3];
	char last[64];
};

static int list(void *ctx, const char *path, int fd, uint64_t bytes, struct van_error *err)
{
	struct listed *l = ctx;
	(void)err;
	l->missing += fd < 0;
	l->bytes[l->n++] = bytes;
	snprintf(l->last, sizeof l->last, "%s", path);
	return l->n == 3 ? VAN_ECLOSED : 0;
}

/* For a copy: what was committed behind a mark is none of it. */
static void files_up_to_a_mark(void **state)
{
	struct fixture *f = *state;
	struct listed l = {0};
	assert_int_equal(segments_each_file(f->s, 0, list, &l, NULL), 0);
	assert_int_equal(l.n, 0);
	near_the_end(f, 8192);
	append(f, 1, 6000);
	commit(f);
	append(f, 2, 9000); /* into the next file */
	commit(f);
	uint64_t end = end_of(f);
	append(f, 3, 20000);
	commit(f);
	assert_int_equal(segments_each_file(f->s, end, list, &l, NULL), 0);
	assert_int_equal(l.n, 2);
	assert_int_equal(l.bytes[0], SEGMENT_SIZE);
	assert_int_equal(l.bytes[1], end - SEGMENT_SIZE);
	assert_string_equal(l.last, "segment/0000000001.seg");
	assert_int_equal(unlinkat(f->dir.fd, "segment/0000000000.seg", 0), 0);
	l = (struct listed){0};
	assert_int_equal(segments_each_file(f->s, end, list, &l, NULL), 0);
	assert_int_equal(l.missing, 1);
	l.n = 2;
	assert_int_equal(segments_each_file(f->s, end, list, &l, NULL), VAN_ECLOSED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(comes_back, setup, teardown),
		cmocka_unit_test_setup_teardown(rollback_forgets, setup, teardown),
		cmocka_unit_test_setup_teardown(larger_than_the_window, setup, teardown),
		cmocka_unit_test_setup_teardown(too_large, setup, teardown),
		cmocka_unit_test_setup_teardown(what_a_crash_left_stays_aside, setup, teardown),
		cmocka_unit_test_setup_teardown(a_crash_between_batches_leaves_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(an_older_store_spares_newer_bodies, setup, teardown),
		cmocka_unit_test_setup_teardown(a_file_that_lost_something_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(files_follow_one_another, setup, teardown),
		cmocka_unit_test_setup_teardown(a_file_filled_to_its_last_byte, setup, teardown),
		cmocka_unit_test_setup_teardown(a_full_disk, setup, teardown),
		cmocka_unit_test_setup_teardown(a_disk_full_inside_a_block, setup, teardown),
		cmocka_unit_test_setup_teardown(a_failed_batch_stays_failed, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_repeated_is_flushed_first, setup, teardown),
		cmocka_unit_test_setup_teardown(a_document_passes_for_no_commit, setup, teardown),
		cmocka_unit_test_setup_teardown(any_order, setup, teardown),
		cmocka_unit_test_setup_teardown(readers_meanwhile, setup, teardown),
		cmocka_unit_test_setup_teardown(files_up_to_a_mark, setup, teardown),
	};
	return cmocka_run_group_tests_name("segments", tests, NULL, NULL);
}
