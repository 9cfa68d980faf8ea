/* An event loop over epoll for one thread: descriptors, timers, deferred calls. Every role runs one. */
#ifndef OPENVAN_IPC_LOOP_H
#define OPENVAN_IPC_LOOP_H

#include "base/clock.h"

#include <stdint.h>

struct loop;
struct loop_watch;
struct loop_timer;

typedef void loop_fd_fn(void *arg, uint32_t events); /* events: EPOLLIN, EPOLLOUT, EPOLLHUP, EPOLLERR */
typedef void loop_timer_fn(void *arg);

struct loop *loop_new(void); /* NULL when the system refuses */
void loop_free(struct loop *l);

/* Watches a descriptor (not owned). NULL on failure. */
struct loop_watch *loop_watch(struct loop *l, int fd, uint32_t events, loop_fd_fn *fn, void *arg);
int loop_watch_change(struct loop_watch *w, uint32_t events);
/* Safe inside callbacks, also for a watch whose event is pending. w may be NULL. */
void loop_unwatch(struct loop_watch *w);

/* One shot, after `delay` microseconds on the monotonic clock. NULL when out of memory. */
struct loop_timer *loop_after(struct loop *l, van_time delay, loop_timer_fn *fn, void *arg);
/* Cancels; t may be NULL; a timer that has fired is gone already. */
void loop_cancel(struct loop_timer *t);

/* Called once before each wait: where a role sends what a round of events gathered. */
void loop_set_before_wait(struct loop *l, loop_timer_fn *fn, void *arg);

/* Until loop_stop. 0 or a negative enum van_err. */
int loop_run(struct loop *l);
void loop_stop(struct loop *l);

#endif
