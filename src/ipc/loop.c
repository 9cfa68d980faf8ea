#include "ipc/loop.h"

#include "base/error.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#define EVENTS_AT_ONCE 64

struct loop_watch {
	struct loop *loop;
	int fd;
	loop_fd_fn *fn;
	void *arg;
	struct loop_watch *next_dead;
	bool dead;
};

/* Timers: a binary heap by time; each knows its place, so that cancelling is cheap. */
struct loop_timer {
	struct loop *loop;
	van_time at;
	size_t place;
	loop_timer_fn *fn;
	void *arg;
};

struct loop {
	int epoll;
	bool stop;
	struct loop_timer **heap;
	size_t timers, room;
	struct loop_watch *dead;
	loop_timer_fn *before_wait;
	void *before_wait_arg;
};

struct loop *loop_new(void)
{
	struct loop *l = calloc(1, sizeof *l);
	if (!l)
		return NULL;
	l->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (l->epoll < 0) {
		free(l);
		return NULL;
	}
	return l;
}

static void bury(struct loop *l)
{
	while (l->dead) {
		struct loop_watch *w = l->dead;
		l->dead = w->next_dead;
		free(w);
	}
}

void loop_free(struct loop *l)
{
	if (!l)
		return;
	bury(l);
	for (size_t i = 0; i < l->timers; i++)
		free(l->heap[i]);
	free(l->heap);
	close(l->epoll);
	free(l);
}

struct loop_watch *loop_watch(struct loop *l, int fd, uint32_t events, loop_fd_fn *fn, void *arg)
{
	struct loop_watch *w = calloc(1, sizeof *w);
	if (!w)
		return NULL;
	*w = (struct loop_watch){.loop = l, .fd = fd, .fn = fn, .arg = arg};
	struct epoll_event e = {.events = events, .data.ptr = w};
	if (epoll_ctl(l->epoll, EPOLL_CTL_ADD, fd, &e) < 0) {
		free(w);
		return NULL;
	}
	return w;
}

int loop_watch_change(struct loop_watch *w, uint32_t events)
{
	struct epoll_event e = {.events = events, .data.ptr = w};
	if (epoll_ctl(w->loop->epoll, EPOLL_CTL_MOD, w->fd, &e) < 0)
		return van_err_from_errno(errno);
	return 0;
}

void loop_unwatch(struct loop_watch *w)
{
	if (!w || w->dead)
		return;
	epoll_ctl(w->loop->epoll, EPOLL_CTL_DEL, w->fd, NULL);
	w->dead = true;
	w->next_dead = w->loop->dead;
	w->loop->dead = w;
}

static void place(struct loop *l, size_t i, struct loop_timer *t)
{
	l->heap[i] = t;
	t->place = i;
}

static void sift_up(struct loop *l, struct loop_timer *t, size_t i)
{
	for (; i && l->heap[(i - 1) / 2]->at > t->at; i = (i - 1) / 2)
		place(l, i, l->heap[(i - 1) / 2]);
	place(l, i, t);
}

static void sift_down(struct loop *l, struct loop_timer *t, size_t i)
{
	for (;;) {
		size_t child = 2 * i + 1;
		if (child >= l->timers)
			break;
		if (child + 1 < l->timers && l->heap[child + 1]->at < l->heap[child]->at)
			child++;
		if (l->heap[child]->at >= t->at)
			break;
		place(l, i, l->heap[child]);
		i = child;
	}
	place(l, i, t);
}

struct loop_timer *loop_after(struct loop *l, van_time delay, loop_timer_fn *fn, void *arg)
{
	if (l->timers == l->room) {
		size_t room = l->room ? 2 * l->room : 32;
		struct loop_timer **heap = realloc(l->heap, room * sizeof *heap);
		if (!heap)
			return NULL;
		l->heap = heap;
		l->room = room;
	}
	struct loop_timer *t = calloc(1, sizeof *t);
	if (!t)
		return NULL;
	*t = (struct loop_timer){.loop = l, .at = van_clock_monotonic() + delay, .fn = fn, .arg = arg};
	sift_up(l, t, l->timers++);
	return t;
}

void loop_cancel(struct loop_timer *t)
{
	if (!t)
		return;
	struct loop *l = t->loop;
	size_t hole = t->place;
	struct loop_timer *last = l->heap[--l->timers];
	if (last != t) {
		sift_down(l, last, hole);
		sift_up(l, last, last->place);
	}
	free(t);
}

void loop_set_before_wait(struct loop *l, loop_timer_fn *fn, void *arg)
{
	l->before_wait = fn;
	l->before_wait_arg = arg;
}

static void fire_timers(struct loop *l)
{
	van_time now = van_clock_monotonic();
	while (l->timers && l->heap[0]->at <= now && !l->stop) {
		struct loop_timer *t = l->heap[0];
		loop_timer_fn *fn = t->fn;
		void *arg = t->arg;
		loop_cancel(t);
		fn(arg);
	}
}

static int wait_milliseconds(const struct loop *l)
{
	if (!l->timers)
		return -1;
	van_time left = l->heap[0]->at - van_clock_monotonic();
	if (left <= 0)
		return 0;
	return left > 3600 * VAN_SECOND ? 3600 * 1000 : (int)((left + 999) / 1000);
}

int loop_run(struct loop *l)
{
	struct epoll_event events[EVENTS_AT_ONCE];
	l->stop = false;
	while (!l->stop) {
		if (l->before_wait)
			l->before_wait(l->before_wait_arg);
		if (l->stop)
			break;
		int n = epoll_wait(l->epoll, events, EVENTS_AT_ONCE, wait_milliseconds(l));
		if (n < 0 && errno != EINTR)
			return van_err_from_errno(errno);
		for (int i = 0; i < n; i++) {
			struct loop_watch *w = events[i].data.ptr;
			if (!w->dead)
				w->fn(w->arg, events[i].events);
		}
		fire_timers(l);
		bury(l);
	}
	return 0;
}

void loop_stop(struct loop *l)
{
	l->stop = true;
}
