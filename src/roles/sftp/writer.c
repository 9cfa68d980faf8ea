#include "roles/sftp/writer.h"

#include "base/fdio.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define BLOCK ((size_t)512 << 10) /* a multiple of any disk's sector */
#define BLOCKS 4
#define STACK ((size_t)128 << 10)

struct sftpd_writer {
	int fd; /* -1 until it is needed */
	sftpd_file_fn *file;
	void *arg;
	struct sftpd_hashing hashing; /* the thread's while it runs */
	char *blocks; /* BLOCKS of them, aligned to pages */
	size_t used;  /* of the one that is being filled */
	unsigned filling;
	uint64_t offset; /* of the next byte that goes into the file; the thread's while it runs */
	bool through;    /* drained: nothing is gathered any more */
	bool direct;     /* the descriptor bypasses the page cache just now */

	bool threaded, thread_failed;
	pthread_t thread;
	pthread_mutex_t lock; /* of the following */
	pthread_cond_t changed;
	unsigned full; /* blocks that wait for the thread or are being written */
	unsigned next; /* the thread's next */
	bool stop;
	int failed;
};

struct sftpd_writer *sftpd_writer_new(sftpd_file_fn *file, void *arg)
{
	struct sftpd_writer *w = calloc(1, sizeof *w);
	if (!w)
		return NULL;
	w->fd = -1;
	w->file = file;
	w->arg = arg;
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->changed, NULL);
	sftpd_hashing_begin(&w->hashing);
	w->blocks = mmap(NULL, BLOCK * BLOCKS, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (w->blocks == MAP_FAILED)
		w->blocks = NULL;
	if (w->blocks)
		return w;
	sftpd_writer_free(w);
	return NULL;
}

bool sftpd_writer_renew(struct sftpd_writer *w)
{
	if (w->fd >= 0 || w->through || w->failed)
		return false;
	w->used = 0;
	sftpd_hashing_begin(&w->hashing);
	return true;
}

bool sftpd_writer_resume(struct sftpd_writer *w, int fd, struct slice hashing)
{
	if (w->fd >= 0 || w->used || !sftpd_hashing_resume(&w->hashing, hashing))
		return false;
	w->fd = fd;
	w->offset = w->hashing.bytes;
	return true;
}

uint64_t sftpd_writer_kept(struct sftpd_writer *w, unsigned char to[SFTPD_HASHING_KEPT])
{
	sftpd_hashing_keep(&w->hashing, to);
	return w->hashing.bytes;
}

int sftpd_writer_fd(const struct sftpd_writer *w)
{
	return w->fd;
}

static int need_file(struct sftpd_writer *w)
{
	if (w->fd < 0)
		w->fd = w->file(w->arg);
	return w->fd < 0 ? w->fd : 0;
}

/* Past the page cache the copy is saved, which is most of the work of writing, and what others keep there stays. */
static void set_direct(struct sftpd_writer *w, bool on)
{
	int flags = fcntl(w->fd, F_GETFL);
	if (w->direct != on && flags >= 0 && fcntl(w->fd, F_SETFL, on ? flags | O_DIRECT : flags & ~O_DIRECT) == 0)
		w->direct = on;
}

/* Into the hashes and the file. */
static int put(struct sftpd_writer *w, const void *p, size_t n)
{
	int rc = fd_pwrite_all(w->fd, p, n, (off_t)w->offset);
	if (rc < 0 && w->direct) { /* file systems may take the flag and refuse the write */
		set_direct(w, false);
		rc = fd_pwrite_all(w->fd, p, n, (off_t)w->offset);
	}
	if (rc < 0)
		return rc;
	w->offset += n;
	sftpd_hashing_add(&w->hashing, p, n);
	return 0;
}

static void *run(void *arg)
{
	struct sftpd_writer *w = arg;
	pthread_mutex_lock(&w->lock);
	for (;;) {
		while (!w->full && !w->stop)
			pthread_cond_wait(&w->changed, &w->lock);
		if (!w->full)
			break;
		const char *block = w->blocks + w->next * BLOCK;
		int rc = w->failed;
		pthread_mutex_unlock(&w->lock);
		if (rc == 0)
			rc = put(w, block, BLOCK);
		pthread_mutex_lock(&w->lock);
		w->failed = rc;
		w->next = (w->next + 1) % BLOCKS;
		w->full--;
		pthread_cond_signal(&w->changed);
	}
	pthread_mutex_unlock(&w->lock);
	return NULL;
}

/* Where there can be no thread, the work is done here. */
static void start_thread(struct sftpd_writer *w)
{
	pthread_attr_t a;
	w->thread_failed = true;
	if (pthread_attr_init(&a) != 0)
		return;
	w->next = w->filling;
	if (pthread_attr_setstacksize(&a, STACK) == 0 && pthread_create(&w->thread, &a, run, w) == 0) {
		w->threaded = true;
		w->thread_failed = false;
	}
	pthread_attr_destroy(&a);
}

static void stop_thread(struct sftpd_writer *w)
{
	if (!w->threaded)
		return;
	pthread_mutex_lock(&w->lock);
	w->stop = true;
	pthread_cond_signal(&w->changed);
	pthread_mutex_unlock(&w->lock);
	pthread_join(w->thread, NULL);
	w->threaded = false;
}

void sftpd_writer_free(struct sftpd_writer *w)
{
	if (!w)
		return;
	stop_thread(w);
	if (w->fd >= 0)
		close(w->fd);
	if (w->blocks)
		munmap(w->blocks, BLOCK * BLOCKS);
	pthread_cond_destroy(&w->changed);
	pthread_mutex_destroy(&w->lock);
	free(w);
}

/* The block is full. */
static int hand_over(struct sftpd_writer *w)
{
	if (!w->threaded && w->failed == 0)
		w->failed = need_file(w);
	if (w->fd < 0)
		return w->failed;
	if (!w->threaded && !w->thread_failed) {
		set_direct(w, true);
		start_thread(w);
	}
	w->used = 0;
	if (!w->threaded)
		return w->failed = w->failed ? w->failed : put(w, w->blocks + w->filling * BLOCK, BLOCK);
	pthread_mutex_lock(&w->lock);
	w->full++;
	pthread_cond_signal(&w->changed);
	while (w->full == BLOCKS) /* the next one to be filled is still being written */
		pthread_cond_wait(&w->changed, &w->lock);
	int rc = w->failed;
	pthread_mutex_unlock(&w->lock);
	w->filling = (w->filling + 1) % BLOCKS;
	return rc;
}

int sftpd_writer_append(struct sftpd_writer *w, const void *p, size_t n)
{
	const char *from = p;
	if (w->through)
		return w->failed ? w->failed : (w->failed = put(w, p, n));
	while (n) {
		size_t k = BLOCK - w->used < n ? BLOCK - w->used : n;
		memcpy(w->blocks + w->filling * BLOCK + w->used, from, k);
		w->used += k;
		from += k;
		n -= k;
		int rc = w->used == BLOCK ? hand_over(w) : 0;
		if (rc < 0)
			return rc;
	}
	return 0;
}

int sftpd_writer_drain(struct sftpd_writer *w)
{
	if (w->through)
		return w->failed;
	stop_thread(w);
	w->through = true;
	int rc = need_file(w);
	if (rc < 0)
		return w->failed = w->failed ? w->failed : rc;
	set_direct(w, false); /* the last block is no whole one */
	if (w->failed == 0 && w->used)
		w->failed = put(w, w->blocks + w->filling * BLOCK, w->used);
	return w->failed;
}

int sftpd_writer_rehash(struct sftpd_writer *w, uint64_t size)
{
	int rc = 0;
	sftpd_hashing_begin(&w->hashing);
	for (uint64_t at = 0; rc == 0 && at < size;) {
		size_t n = size - at < BLOCK ? (size_t)(size - at) : BLOCK;
		rc = fd_pread_all(w->fd, w->blocks, n, (off_t)at);
		if (rc == 0)
			sftpd_hashing_add(&w->hashing, w->blocks, n);
		at += n;
	}
	return rc;
}

int sftpd_writer_finish(struct sftpd_writer *w, struct sftpd_hashes *ret)
{
	int rc = sftpd_writer_drain(w);
	if (rc == 0)
		sftpd_hashing_end(&w->hashing, ret);
	return rc;
}

bool sftpd_writer_finish_small(struct sftpd_writer *w, size_t max, struct sftpd_hashes *ret, struct slice *ret_bytes)
{
	if (w->fd >= 0 || w->through || w->failed || w->used > max)
		return false;
	sftpd_hashing_add(&w->hashing, w->blocks, w->used);
	sftpd_hashing_end(&w->hashing, ret);
	*ret_bytes = slice_make(w->blocks, w->used);
	return true;
}
