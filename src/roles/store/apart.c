/* Commands that take long run in a thread of their own, with their own read transaction. */
#include "roles/store/connections.h"

#include "base/log.h"
#include "roles/store/checkpoint.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define APART_MAX 32

struct apart {
	struct pending_call *p;
	struct store_role *s;
	struct store_read read;
	int event;
	struct loop_watch *watch;
	int rc;
};

static int begin_snapshot(struct apart *a)
{
	int rc = store_begin(a->s->store, STORE_SNAPSHOT, &a->read.txn, NULL);
	/* The directory is not locked for so long: handlers that need profiles read the stored ones. */
	if (rc == 0)
		queue_work_begin(&a->read.work, a->s->queue, a->read.txn, a->p->base.arena, van_clock_now(), NULL);
	return rc; /* negative: the transaction is gone, and the handler returns this at once */
}

static void end_snapshot(struct apart *a)
{
	if (!a->read.txn)
		return;
	queue_work_end(&a->read.work);
	store_abort(a->read.txn);
	a->read.txn = NULL;
}

static void *apart_main(void *arg)
{
	struct apart *a = arg;
	uint64_t one = 1;
	writer_settle(a->s->writer);
	a->rc = begin_snapshot(a);
	if (a->rc == 0) {
		a->p->call.work = &a->read.work;
		a->rc = a->p->command->apart(&a->p->call);
		a->p->call.work = NULL;
		end_snapshot(a);
	}
	while (write(a->event, &one, sizeof one) < 0 && errno == EINTR)
		;
	return NULL;
}

static void finish(struct apart *a)
{
	struct pending_call *p = a->p;
	struct store_role *s = a->s;
	pthread_join(p->thread, NULL);
	int rc = a->rc;
	loop_unwatch(a->watch);
	close(a->event);
	p->apart = NULL;
	s->naparts--;
	free(a);
	if (p->command->write_first) {
		pending_call_finish(p, rc);
		return;
	}
	if (s->stopping && rc == 0 && p->command->write) /* nobody writes any more */
		rc = control_say(&p->call, 2, "vand is stopping");
	pending_call_read(p, rc);
}

static void on_event(void *arg, uint32_t events)
{
	(void)events;
	finish(arg);
}

void control_run_apart(struct pending_call *p)
{
	struct store_role *s = p->call.role;
	struct apart *a = s->naparts < APART_MAX ? calloc(1, sizeof *a) : NULL;
	if (!a) {
		pending_call_finish(p, control_say(&p->call, 2, "too many lists and exports run at one time: try again later"));
		return;
	}
	*a = (struct apart){.p = p, .s = s, .event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
	a->watch = a->event < 0 ? NULL : loop_watch(s->role->loop, a->event, EPOLLIN, on_event, a);
	p->apart = a;
	if (a->watch && pthread_create(&p->thread, NULL, apart_main, a) == 0) {
		s->naparts++;
		return;
	}
	loop_unwatch(a->watch);
	if (a->event >= 0)
		close(a->event);
	p->apart = NULL;
	free(a);
	pending_call_finish(p, control_say(&p->call, 2, "no thread could be started: try again later"));
}

void control_apart_wait(struct store_role *s)
{
	struct pending_call *next;
	for (struct pending_call *p = s->calls; p; p = next) {
		next = p->next;
		if (p->apart)
			finish(p->apart);
	}
}

int control_await_checkpoint(struct control_call *c, van_time patience)
{
	struct apart *a = pending_call_of(c)->apart;
	if (!a)
		return VAN_ESTATE;
	end_snapshot(a);
	int waited = checkpoints_await(a->s, patience);
	writer_settle(a->s->writer);
	int rc = begin_snapshot(a);
	return rc < 0 ? rc : waited;
}

void control_snapshot_end(struct control_call *c)
{
	struct apart *a = pending_call_of(c)->apart;
	if (a)
		end_snapshot(a);
}

int control_snapshot_again(struct control_call *c)
{
	struct apart *a = pending_call_of(c)->apart;
	if (!a)
		return VAN_ESTATE;
	end_snapshot(a);
	return begin_snapshot(a);
}

bool control_receipt_key(const struct control_call *c, unsigned char key[RECEIPT_KEY])
{
	return checkpoints_key(c->role, key);
}
