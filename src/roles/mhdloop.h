/* libmicrohttpd on a role's event loop: its epoll descriptor is watched, its time-outs become timers. */
#ifndef OPENVAN_ROLES_MHDLOOP_H
#define OPENVAN_ROLES_MHDLOOP_H

#include "ipc/loop.h"

#include <stdbool.h>

struct MHD_Daemon;

struct mhdloop {
	struct MHD_Daemon *daemon; /* started with MHD_USE_EPOLL and without threads */
	struct loop *loop;
	struct loop_timer *timer;
};

/* 0 or negative. */
int mhdloop_attach(struct mhdloop *m, struct MHD_Daemon *daemon, struct loop *l);
/* Before each wait of the loop: lets the library act on resumed connections at once and on time-outs in time.
 * `resumed`: a connection was resumed since the last time. Nothing else tells the library: without threads of its own
 * neither its epoll descriptor nor its time-out changes when that happens. */
void mhdloop_pump(struct mhdloop *m, bool resumed);

#endif
