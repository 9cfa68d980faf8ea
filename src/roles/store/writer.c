#include "roles/store/writer.h"

#include "base/fault.h"
#include "base/log.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#define BATCH_MAX 512
#define ARENA_MAX ((size_t)256 << 20)
#define ARENAS_KEPT 256
#define PATIENCE (VAN_SECOND / 50) /* how long a patient request waits for an eager one */
/* From this many requests in a batch on, the next one waits for others: for the whole time from CROWDED on, in proportion below it.
 * What every commit costs is then shared by more, while at half load nobody waits for long. */
#define BUSY 4
#define CROWDED 16
#define ALONE 1 /* so many the loop's thread commits itself: while it does, it gathers no others */
#define REST (VAN_SECOND / 1000) /* twice that in a crowd */

/* The log holds back the store's own commit for a while; after a failure (a full disk) it is tried again this much later. */
#define SETTLE_AGAIN VAN_SECOND

struct writer {
	struct writer_options o;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	struct write_request *first, **last;
	size_t waiting;
	size_t eager; /* of them, that somebody outside waits for */
	van_time patient_until; /* when the others have waited long enough; set with the first */
	bool due;               /* they have */
	struct write_request *done, **done_last;
	size_t wanted; /* size of the batch before, but for what is aside: what an adaptive wait hopes for */
	bool turn;             /* one of the two threads is at the store: it commits, settles, makes ready */
	bool turn_awaited;     /* by the writer's thread */
	bool errand;           /* what the loop's thread leaves to the writer's after a commit */
	bool stop;
	bool ended;            /* the thread has */
	unsigned settle_asked, settle_done; /* by writer_settle(), in rounds */
	unsigned settle_held; /* by so many: nobody may settle */
	bool settling;         /* the thread is at it */
	pthread_cond_t settled;
	van_time settle_at;    /* writer thread: when what only the log has is due; 0: there is nothing */
	bool settle_failed;    /* writer thread: then the time alone counts, and not how much there is */
	int event;
	struct loop_watch *watch;
	/* The loop thread's: */
	bool owed; /* the writer is to be woken, where writer_serve() doesn't do it all */
	struct loop_timer *patience, *errand_soon;
	struct van_arena *arenas[ARENAS_KEPT];
	size_t narenas;
};

void *write_request_new(struct writer *w, size_t size, const struct write_ops *ops)
{
	struct write_request *r = calloc(1, size);
	struct van_arena *arena = w->narenas ? w->arenas[--w->narenas] : van_arena_new(ARENA_MAX);
	if (!r || !arena) {
		free(r);
		van_arena_free(arena);
		return NULL;
	}
	r->ops = ops;
	r->writer = w;
	r->arena = arena;
	return r;
}

void write_request_free(struct write_request *r)
{
	struct writer *w = r->writer;
	if (w->narenas < ARENAS_KEPT) {
		van_arena_reset(r->arena);
		w->arenas[w->narenas++] = r->arena;
	} else {
		van_arena_free(r->arena);
	}
	free(r);
}

struct payload_dir *writer_payload(struct writer *w)
{
	return queue_payload(w->o.queue);
}

van_time writer_rest(struct writer *w)
{
	pthread_mutex_lock(&w->lock);
	size_t wanted = w->wanted;
	pthread_mutex_unlock(&w->lock);
	return wanted < BUSY ? 0 : wanted < CROWDED ? REST : 2 * REST;
}

/* The writer isn't woken for what is patient: a timer of the loop sees to it. */
static void on_patience(void *arg)
{
	struct writer *w = arg;
	w->patience = NULL;
	pthread_mutex_lock(&w->lock);
	van_time left = w->waiting ? w->patient_until - van_clock_monotonic() : 0;
	bool due = w->waiting && (left <= 0 || !(w->patience = loop_after(w->o.loop, left, on_patience, w)));
	w->due |= due;
	pthread_mutex_unlock(&w->lock);
	w->owed |= due;
}

void writer_submit(struct write_request *r)
{
	struct writer *w = r->writer;
	r->next = NULL;
	if (r->patient && !w->patience)
		w->patience = loop_after(w->o.loop, PATIENCE, on_patience, w);
	bool timed = !r->patient || w->patience; /* else there is no memory for a timer */
	pthread_mutex_lock(&w->lock);
	*w->last = r;
	w->last = &r->next;
	w->waiting++;
	w->eager += !r->patient;
	w->due |= !timed;
	if (w->waiting == 1)
		w->patient_until = van_clock_monotonic() + PATIENCE;
	bool wake = w->due || (!r->patient && w->eager == 1) || (w->eager && w->waiting >= w->wanted);
	bool here = r->small && w->wanted <= ALONE && w->eager <= ALONE;
	pthread_mutex_unlock(&w->lock);
	if (wake && here)
		w->owed = true;
	else if (wake) /* behind the lock: the thread would wake to wait for it */
		pthread_cond_signal(&w->wake);
}

/* --- gathering ------------------------------------------------------------------------------------------------------------ */

static struct timespec at(van_time monotonic)
{
	return (struct timespec){.tv_sec = monotonic / VAN_SECOND, .tv_nsec = (long)(monotonic % VAN_SECOND) * 1000};
}

/* Until the store is to be settled, at the latest. True: it is. */
static bool wait_idle(struct writer *w)
{
	struct timespec until = at(w->settle_at);
	if (w->settle_asked != w->settle_done && !w->settle_held)
		return true;
	if (!w->settle_at || w->settle_held)
		pthread_cond_wait(&w->wake, &w->lock);
	else if (pthread_cond_timedwait(&w->wake, &w->lock, &until) == ETIMEDOUT)
		return true;
	return false;
}

/* Results of jobs are in no hurry: nobody's connection waits for them, so they ride on a flush that is needed anyway, or get
 * one of their own when they have waited a while. False: the store is to be settled first. Called with the lock held. */
static bool await_first(struct writer *w)
{
	while (!w->eager && !w->due && !w->errand && !w->stop)
		if (wait_idle(w))
			return false;
	return true;
}

/* Waits for the first request; under load also, for a little, for as many as came last time. Called with the lock held. */
static void gather(struct writer *w)
{
	if (!await_first(w) || w->wanted < BUSY || w->o.gather <= 0)
		return;
	van_time crowd = w->wanted < CROWDED ? (van_time)w->wanted : CROWDED;
	struct timespec until = at(van_clock_monotonic() + w->o.gather * crowd / CROWDED);
	while (w->waiting < w->wanted && !w->stop)
		if (pthread_cond_timedwait(&w->wake, &w->lock, &until) == ETIMEDOUT)
			break;
}

/* The next batch as a list; one that changes the directory is its last. */
static struct write_request *take_batch(struct writer *w)
{
	struct write_request *batch = w->first, *r = batch;
	size_t n = 0, wanted = 0, eager = 0;
	for (; r; r = r->next) {
		n++;
		wanted += !r->aside;
		eager += !r->patient;
		if (r->ops->committed || n == BATCH_MAX || !r->next)
			break;
	}
	if (r) {
		w->first = r->next;
		if (!w->first)
			w->last = &w->first;
		r->next = NULL;
	}
	w->waiting -= n;
	if (n) /* what a few that wait have made work for is no company to wait for */
		w->wanted = eager && eager < BUSY ? eager : wanted;
	w->due = w->due && w->first;
	w->eager = 0;
	for (struct write_request *left = w->first; left; left = left->next)
		w->eager += !left->patient;
	return batch;
}

/* --- one batch -------------------------------------------------------------------------------------------------------------- */

static void fail_all(struct write_request *batch, int rc, const struct van_error *err, bool only_files)
{
	for (struct write_request *r = batch; r; r = r->next) {
		if (r->rc || (only_files && !r->files))
			continue;
		r->rc = rc;
		r->err = *err;
	}
}

static void prepare(struct writer *w, struct write_request *batch)
{
	struct van_error err = {0};
	bool files = false;
	for (struct write_request *r = batch; r; r = r->next) {
		if (r->ops->prepare && !r->prepared)
			r->rc = r->ops->prepare(r);
		r->prepared = true;
		files |= r->files;
	}
	int rc = files ? payload_sync(writer_payload(w), &err) : 0;
	if (rc < 0)
		fail_all(batch, rc, &err, true);
}

enum outcome { BATCH_COMMITTED, BATCH_AGAIN, BATCH_GROW, BATCH_FAILED };

static int run_one(struct writer *w, struct store_txn *t, struct write_request *r, unsigned *writes)
{
	struct queue_work work;
	queue_work_begin(&work, w->o.queue, t, r->arena, van_clock_now(), w->o.directory);
	int rc = r->ops->run(r, &work);
	if (rc < 0)
		r->err = work.err;
	*writes = work.writes;
	queue_work_end(&work);
	return rc;
}

/* A disk that fails within a commit: nobody knows what stands there, the store takes no more, and a new process finds out. Senders
 * get no answer, and ask again. */
static void end_in_doubt(const struct van_error *err)
{
	log_event(LOG_LEVEL_ERROR, "commit-in-doubt", "text", err->text, NULL);
	_exit(1);
}

/* `borrowed`: on the loop's thread. */
static enum outcome run_batch(struct writer *w, struct write_request *batch, bool borrowed, int *ret_rc, struct van_error *err)
{
	struct store_txn *t;
	bool job = false;
	unsigned done = 0;
	int rc = borrowed ? store_borrow(w->o.store, &t) : store_begin(w->o.store, STORE_WRITE, &t, err);
	if (rc < 0) {
		*ret_rc = rc;
		return BATCH_FAILED;
	}
	for (struct write_request *r = batch; r && !store_txn_error(t); r = r->next) {
		unsigned writes = 0;
		if (r->rc)
			continue;
		rc = run_one(w, t, r, &writes);
		if (rc < 0 && !store_txn_error(t)) {
			r->rc = rc;
			if (writes) { /* it decided too late: the others run again without it */
				queue_abort(w->o.queue, t);
				return BATCH_AGAIN;
			}
		} else {
			done++;
			job |= r->job;
		}
	}
	if (!done && !store_txn_error(t)) { /* nothing to write */
		queue_abort(w->o.queue, t);
		return BATCH_COMMITTED;
	}
	if (job)
		van_fault_point("store-before-job-commit");
	van_fault_point("store-before-flush");
	rc = queue_commit(w->o.queue, t, err);
	if (rc == 0 && !queue_in_doubt(w->o.queue))
		van_fault_point("store-after-flush");
	*ret_rc = rc;
	return rc == 0 ? BATCH_COMMITTED : rc == VAN_EAGAIN ? BATCH_GROW : BATCH_FAILED;
}

/* Whoever waits comes before everything else that is to be done. */
static void answer_first(struct write_request *batch)
{
	for (struct write_request *r = batch; r; r = r->next)
		if (!r->rc && r->ops->answer)
			r->ops->answer(r);
}

static void write_batch(struct writer *w, struct write_request *batch)
{
	struct van_error err = {0};
	enum outcome o;
	int rc = 0;
	prepare(w, batch);
	pthread_rwlock_rdlock(w->o.directory_lock);
	while ((o = run_batch(w, batch, false, &rc, &err)) == BATCH_AGAIN || o == BATCH_GROW) {
		if (o == BATCH_GROW && (rc = store_grow(w->o.store, &err)) < 0) {
			o = BATCH_FAILED;
			break;
		}
	}
	pthread_rwlock_unlock(w->o.directory_lock);
	if (queue_in_doubt(w->o.queue))
		end_in_doubt(&err);
	if (o == BATCH_FAILED) {
		fail_all(batch, rc, &err, false);
		payload_rollback(writer_payload(w));
		return;
	}
	payload_keep(writer_payload(w));
	for (struct write_request *r = batch; r; r = r->next)
		if (!r->rc && r->ops->committed)
			r->ops->committed(r);
	if (w->wanted < BUSY)
		answer_first(batch);
}

/* With the lock held. */
static void append_done(struct writer *w, struct write_request *batch)
{
	*w->done_last = batch;
	while (*w->done_last)
		w->done_last = &(*w->done_last)->next;
}

static void give_back(struct writer *w, struct write_request *batch)
{
	uint64_t one = 1;
	pthread_mutex_lock(&w->lock);
	append_done(w, batch);
	pthread_mutex_unlock(&w->lock);
	if (write(w->event, &one, sizeof one) < 0)
		log_event(LOG_LEVEL_ERROR, "store-wake-failed", "error", van_err_name(van_err_from_errno(errno)), NULL);
}

/* The next commits are faster for it. */
static void make_ready(struct writer *w)
{
	struct van_error err = {0};
	pthread_mutex_lock(&w->lock);
	bool idle = !w->eager && !w->stop;
	pthread_mutex_unlock(&w->lock);
	if (idle && queue_make_ready(w->o.queue, &err) < 0)
		end_in_doubt(&err);
}

/* --- settling ---------------------------------------------------------------------------------------------------------------- */

static bool settle_due(const struct writer *w)
{
	bool much = !w->settle_failed && store_unsettled(w->o.store) >= w->o.settle_bytes;
	return w->settle_at && (much || van_clock_monotonic() >= w->settle_at);
}

static void settle(struct writer *w)
{
	struct van_error err = {0};
	van_fault_point("store-before-settle");
	int rc = queue_settle(w->o.queue, &err);
	if (queue_in_doubt(w->o.queue))
		end_in_doubt(&err);
	w->settle_failed = rc < 0;
	w->settle_at = rc < 0 ? van_clock_monotonic() + SETTLE_AGAIN : 0;
	if (rc < 0)
		log_event(LOG_LEVEL_WARNING, "settle-failed", "error", van_err_name(rc), "text", err.text, NULL);
	else
		van_fault_point("store-after-settle");
}

/* False: held. `*ret_asked` is the round that somebody waits for, where *ret_wanted. */
static bool begin_settling(struct writer *w, unsigned *ret_asked, bool *ret_wanted)
{
	pthread_mutex_lock(&w->lock);
	*ret_asked = w->settle_asked;
	*ret_wanted = w->settle_asked != w->settle_done;
	w->settling = !w->settle_held;
	bool may = w->settling;
	pthread_mutex_unlock(&w->lock);
	return may;
}

/* What somebody asked for, or what is due. */
static void settle_if_wanted(struct writer *w)
{
	unsigned asked;
	bool wanted;
	if (!w->settle_at && store_unsettled(w->o.store))
		w->settle_at = van_clock_monotonic() + w->o.settle;
	if (!begin_settling(w, &asked, &wanted))
		return;
	if (wanted || settle_due(w))
		settle(w);
	pthread_mutex_lock(&w->lock);
	w->settling = false;
	w->settle_done = asked;
	pthread_cond_broadcast(&w->settled);
	pthread_mutex_unlock(&w->lock);
}

void writer_settling_hold(struct writer *w)
{
	pthread_mutex_lock(&w->lock);
	w->settle_held++;
	while (w->settling)
		pthread_cond_wait(&w->settled, &w->lock);
	pthread_mutex_unlock(&w->lock);
}

void writer_settling_release(struct writer *w)
{
	pthread_mutex_lock(&w->lock);
	w->settle_held--;
	pthread_cond_signal(&w->wake);
	pthread_mutex_unlock(&w->lock);
}

void writer_settle(struct writer *w)
{
	pthread_mutex_lock(&w->lock);
	unsigned round = ++w->settle_asked;
	pthread_cond_signal(&w->wake);
	while (!w->ended && (int)(w->settle_done - round) < 0)
		pthread_cond_wait(&w->settled, &w->lock);
	pthread_mutex_unlock(&w->lock);
}

/* --- the writer's thread ------------------------------------------------------------------------------------------------------- */

static void end_thread(struct writer *w)
{
	if (store_unsettled(w->o.store))
		settle(w);
	pthread_mutex_lock(&w->lock);
	w->ended = true;
	pthread_cond_broadcast(&w->settled);
	pthread_mutex_unlock(&w->lock);
}

/* With the lock held. */
static void take_turn(struct writer *w)
{
	while (w->turn) {
		w->turn_awaited = true;
		pthread_cond_wait(&w->wake, &w->lock);
	}
	w->turn_awaited = false;
	w->turn = true;
}

static void *writer_main(void *arg)
{
	struct writer *w = arg;
	bool stop = false;
	while (!stop) {
		pthread_mutex_lock(&w->lock);
		gather(w);
		take_turn(w);
		struct write_request *batch = take_batch(w);
		bool errand = w->errand;
		w->errand = false;
		stop = w->stop && !batch;
		pthread_mutex_unlock(&w->lock);
		if (batch) {
			write_batch(w, batch);
			give_back(w, batch);
		}
		if (batch || errand)
			make_ready(w);
		if (!stop)
			settle_if_wanted(w);
		pthread_mutex_lock(&w->lock);
		w->turn = false;
		pthread_mutex_unlock(&w->lock);
	}
	end_thread(w);
	return NULL;
}

/* --- the loop's side ---------------------------------------------------------------------------------------------------------- */

static void finish_done(struct writer *w)
{
	pthread_mutex_lock(&w->lock);
	struct write_request *r = w->done;
	w->done = NULL;
	w->done_last = &w->done;
	pthread_mutex_unlock(&w->lock);
	if (r)
		van_fault_point("store-before-reply");
	while (r) {
		struct write_request *next = r->next;
		if (r->rc < 0 && r->rc != VAN_ENOTFOUND && r->rc != VAN_ESTATE && r->rc != VAN_ECONFLICT)
			log_event(LOG_LEVEL_WARNING, "write-refused", "error", van_err_name(r->rc), "text",
				  r->err.text[0] ? r->err.text : NULL, NULL);
		r->ops->done(r);
		r = next;
	}
}

/* Everything that waits is small, and there is a reason not to let it wait. The writer's thread, where it waits for its turn, is first: it may
 * have to settle, and requests that come one after the other would hold that back. */
static bool may_serve(const struct writer *w)
{
	if (w->turn || w->turn_awaited || w->stop || w->wanted > ALONE || w->eager > ALONE || (!w->eager && !w->due))
		return false;
	for (const struct write_request *r = w->first; r; r = r->next)
		if (!r->small)
			return false;
	return true;
}

/* What fails is done again by the writer, which can give a transaction up. With the lock held. */
static void put_back(struct writer *w, struct write_request *batch)
{
	struct write_request **last = &batch;
	for (; *last; last = &(*last)->next) {
		w->waiting++;
		w->eager += !(*last)->patient;
	}
	*last = w->first;
	if (!w->first)
		w->last = last;
	w->first = batch;
	w->due = true;
}

static bool commit_here(struct writer *w, struct write_request *batch)
{
	struct van_error err = {0};
	int rc;
	prepare(w, batch);
	pthread_rwlock_rdlock(w->o.directory_lock);
	enum outcome o = run_batch(w, batch, true, &rc, &err);
	pthread_rwlock_unlock(w->o.directory_lock);
	if (queue_in_doubt(w->o.queue))
		end_in_doubt(&err);
	if (o != BATCH_COMMITTED)
		return false;
	payload_keep(writer_payload(w));
	answer_first(batch);
	return true;
}

/* The writer makes ready and settles, unless somebody has come meanwhile who would have to wait for that. */
static void on_errand(void *arg)
{
	struct writer *w = arg;
	w->errand_soon = NULL;
	pthread_mutex_lock(&w->lock);
	w->errand |= !w->eager;
	bool wake = w->errand;
	pthread_mutex_unlock(&w->lock);
	if (wake)
		pthread_cond_signal(&w->wake);
}

void writer_serve(struct writer *w)
{
	if (!w->owed)
		return;
	w->owed = false;
	pthread_mutex_lock(&w->lock);
	struct write_request *batch = may_serve(w) ? take_batch(w) : NULL;
	w->turn |= batch != NULL;
	bool wake = w->first;
	pthread_mutex_unlock(&w->lock);
	if (!batch) {
		if (wake)
			pthread_cond_signal(&w->wake);
		return;
	}
	bool done = commit_here(w, batch);
	bool errand = done && (queue_wants_ready(w->o.queue) || store_unsettled(w->o.store) >= w->o.settle_bytes);
	pthread_mutex_lock(&w->lock);
	if (done)
		append_done(w, batch);
	else
		put_back(w, batch);
	wake = !done || w->turn_awaited || w->first;
	w->turn = false;
	pthread_mutex_unlock(&w->lock);
	if (wake)
		pthread_cond_signal(&w->wake);
	if (errand && !w->errand_soon) /* when the loop has seen what came during the commit */
		w->errand_soon = loop_after(w->o.loop, 0, on_errand, w);
	if (done)
		finish_done(w);
}

static void on_event(void *arg, uint32_t events)
{
	struct writer *w = arg;
	uint64_t n;
	(void)events;
	if (read(w->event, &n, sizeof n) < 0 && errno != EAGAIN)
		return;
	finish_done(w);
}

int writer_new(const struct writer_options *o, struct writer **ret)
{
	struct writer *w = calloc(1, sizeof *w);
	pthread_condattr_t attr;
	if (!w)
		return VAN_ENOMEM;
	w->o = *o;
	w->last = &w->first;
	w->done_last = &w->done;
	w->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	w->watch = w->event < 0 ? NULL : loop_watch(o->loop, w->event, EPOLLIN, on_event, w);
	pthread_mutex_init(&w->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&w->wake, &attr);
	pthread_cond_init(&w->settled, NULL);
	pthread_condattr_destroy(&attr);
	if (!w->watch || pthread_create(&w->thread, NULL, writer_main, w) != 0) {
		loop_unwatch(w->watch);
		if (w->event >= 0)
			close(w->event);
		free(w);
		return VAN_ENOMEM;
	}
	*ret = w;
	return 0;
}

void writer_stop(struct writer *w)
{
	pthread_mutex_lock(&w->lock);
	w->stop = true;
	pthread_cond_signal(&w->wake);
	pthread_mutex_unlock(&w->lock);
	pthread_join(w->thread, NULL);
	finish_done(w);
	loop_cancel(w->patience);
	loop_cancel(w->errand_soon);
	w->patience = w->errand_soon = NULL;
}

void writer_free(struct writer *w)
{
	if (!w)
		return;
	loop_unwatch(w->watch);
	close(w->event);
	for (size_t i = 0; i < w->narenas; i++)
		van_arena_free(w->arenas[i]);
	pthread_cond_destroy(&w->wake);
	pthread_cond_destroy(&w->settled);
	pthread_mutex_destroy(&w->lock);
	free(w);
}
