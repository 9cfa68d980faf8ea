/* The store role's writer: whichever thread commits a request, and whatever fails then, a request that was told "yes" is in the store once,
 * and one that was refused is not; a restart that finds the last of them in the log alone changes nothing. */
#include "queue_fixture.h"

#include "queue/internal.h"
#include "roles/store/writer.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/uio.h>

#define REQUESTS 600

/* The program is linked so that writes of segments come here. */
static atomic_bool full;
ssize_t __real_pwritev(int fd, const struct iovec *v, int n, off_t at);
ssize_t __wrap_pwritev(int fd, const struct iovec *v, int n, off_t at);

ssize_t __wrap_pwritev(int fd, const struct iovec *v, int n, off_t at)
{
	if (!atomic_load(&full))
		return __real_pwritev(fd, v, n, at);
	errno = ENOSPC;
	return -1;
}

enum kind { PLAIN, REFUSED, REFUSED_LATE, KINDS };

struct request {
	struct write_request base;
	struct rig *rig;
	unsigned number;
	enum kind kind;
};

struct rig {
	struct fixture *f;
	struct loop *loop;
	struct writer *writer;
	pthread_t thread; /* the loop's */
	unsigned begun, answered, yes, at_once;
	bool told_yes[REQUESTS];
	atomic_uint here, there; /* runs of either thread */
};

static struct slice key_of(struct store_key *k, unsigned number)
{
	*k = (struct store_key)STORE_KEY_INIT;
	store_key_str(k, "writer");
	store_key_u64(k, number);
	return store_key_slice(k);
}

static int run(struct write_request *base, struct queue_work *w)
{
	struct request *r = (struct request *)base;
	struct store_key k;
	atomic_fetch_add(pthread_equal(pthread_self(), r->rig->thread) ? &r->rig->here : &r->rig->there, 1);
	if (r->kind == REFUSED)
		return van_error_set(&w->err, VAN_ESTATE, "refused");
	w->writes++;
	int rc = store_put_new(w->txn, w->q->counter, key_of(&k, r->number), SLICE("once"));
	return rc == 0 && r->kind == REFUSED_LATE ? van_error_set(&w->err, VAN_ESTATE, "refused when something was written") : rc;
}

static bool is_there(struct rig *g, unsigned number)
{
	struct store_key k;
	struct slice value;
	fixture_begin(g->f, STORE_READ);
	int rc = store_get(g->f->w.txn, g->f->queue->counter, key_of(&k, number), &value);
	fixture_commit(g->f);
	return rc == 0;
}

static void submit(struct rig *g);

static void done(struct write_request *base)
{
	struct request *r = (struct request *)base;
	struct rig *g = r->rig;
	g->told_yes[r->number] = base->rc == 0;
	assert_true(base->rc == 0 ? r->kind == PLAIN : r->kind == PLAIN ? base->rc == VAN_ENOSPC : base->rc == VAN_ESTATE || base->rc == VAN_ENOSPC);
	assert_int_equal(is_there(g, r->number), base->rc == 0);
	g->yes += base->rc == 0;
	g->answered++;
	write_request_free(base);
}

static const struct write_ops ops = {.run = run, .done = done};

static void submit(struct rig *g)
{
	struct request *r = write_request_new(g->writer, sizeof *r, &ops);
	assert_non_null(r);
	r->rig = g;
	r->number = g->begun++;
	r->kind = r->number % 23 == 11 ? REFUSED_LATE : r->number % 17 == 5 ? REFUSED : PLAIN;
	r->base.small = r->number % 7 != 3;
	r->base.patient = r->number % 13 == 6;
	writer_submit(&r->base);
}

/* One at a time, mostly; now and then a few; in between nothing can be written for a while. */
static void next(void *arg)
{
	struct rig *g = arg;
	if (g->answered == REQUESTS) {
		loop_stop(g->loop);
		return;
	}
	if (g->begun == g->answered) {
		atomic_store(&full, g->begun / 40 % 5 == 4);
		g->at_once = g->begun / 60 % 3 == 2 ? 5 : 1;
		for (unsigned i = 0; i < g->at_once && g->begun < REQUESTS; i++)
			submit(g);
	}
	assert_non_null(loop_after(g->loop, 100, next, g));
}

static void before_wait(void *arg)
{
	writer_serve(((struct rig *)arg)->writer);
}

static void too_long(void *arg)
{
	struct rig *g = arg;
	fail_msg("%u of %u requests were answered: one waits for ever", g->answered, g->begun);
}

static void each_request_counts_once(void **state)
{
	static struct rig g;
	pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
	(void)state;
	g = (struct rig){.f = fixture_new(), .loop = loop_new(), .thread = pthread_self()};
	struct writer_options o = {.loop = g.loop, .queue = g.f->queue, .store = g.f->store, .directory = g.f->directory, .directory_lock = &lock,
				   .gather = VAN_SECOND / 500, .settle = VAN_SECOND / 20, .settle_bytes = 1 << 20};
	assert_int_equal(writer_new(&o, &g.writer), 0);
	loop_set_before_wait(g.loop, before_wait, &g);
	next(&g);
	struct loop_timer *t = loop_after(g.loop, 60 * VAN_SECOND, too_long, &g);
	assert_int_equal(loop_run(g.loop), 0);
	loop_cancel(t);
	assert_true(g.yes > REQUESTS / 2 && g.yes < REQUESTS * 9 / 10);
	assert_true(atomic_load(&g.here) > 50 && atomic_load(&g.there) > 50); /* each of the two threads had some */
	atomic_store(&full, false);
	writer_stop(g.writer);
	writer_free(g.writer);
	for (int again = 0; again < 2; again++) {
		for (unsigned i = 0; i < REQUESTS; i++)
			assert_int_equal(is_there(&g, i), g.told_yes[i]);
		fixture_reopen(g.f);
	}
	loop_free(g.loop);
	fixture_free(g.f);
}

/* A copy of an older snapshot must not get a newer list of what was released. */
static void no_log_is_released_during_a_backup(void **state)
{
	struct fixture *f = fixture_new();
	struct segments_released done;
	struct van_error err = {0};
	(void)state;
	fixture_receive(f, "<1>", "first", QUEUE_ACCEPT_NEW);
	assert_int_equal(queue_settle(f->queue, &err), 0);
	assert_int_equal(payload_pin(f->payload, &err), 0);
	assert_int_equal(queue_release_log(f->queue, van_clock_now(), &done, &err), VAN_ESTATE);
	payload_unpin(f->payload);
	int rc = queue_release_log(f->queue, van_clock_now(), &done, &err);
	assert_true(rc == 0 || rc == VAN_EVERSION); /* the file system may have no holes */
	fixture_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_request_counts_once),
		cmocka_unit_test(no_log_is_released_during_a_backup),
	};
	return cmocka_run_group_tests_name("store: the writer", tests, NULL, NULL);
}
