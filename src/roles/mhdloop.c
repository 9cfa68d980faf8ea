#include "roles/mhdloop.h"

#include "base/error.h"

#include <microhttpd.h>
#include <sys/epoll.h>

#define ROUNDS_MAX 16
#define WAIT_MAX 1000 /* milliseconds */

static void on_timer(void *arg)
{
	struct mhdloop *m = arg;
	m->timer = NULL;
	MHD_run(m->daemon);
}

static void on_events(void *arg, uint32_t events)
{
	struct mhdloop *m = arg;
	(void)events;
	MHD_run(m->daemon);
}

int mhdloop_attach(struct mhdloop *m, struct MHD_Daemon *daemon, struct loop *l)
{
	*m = (struct mhdloop){.daemon = daemon, .loop = l};
	const union MHD_DaemonInfo *info = MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_EPOLL_FD);
	return info && loop_watch(l, info->epoll_fd, EPOLLIN, on_events, m) ? 0 : VAN_EIO;
}

void mhdloop_pump(struct mhdloop *m, bool resumed)
{
	MHD_UNSIGNED_LONG_LONG ms;
	if (resumed)
		MHD_run(m->daemon);
	for (int round = 0; round < ROUNDS_MAX && MHD_get_timeout(m->daemon, &ms) == MHD_YES && ms == 0; round++)
		MHD_run(m->daemon);
	if (MHD_get_timeout(m->daemon, &ms) != MHD_YES)
		return;
	if (ms == 0 && m->timer) { /* more to do: after the others' turn, not when an older timer rings */
		loop_cancel(m->timer);
		m->timer = NULL;
	}
	if (!m->timer)
		m->timer = loop_after(m->loop, (van_time)(ms == 0 ? 0 : ms < WAIT_MAX ? ms + 1 : WAIT_MAX) * 1000, on_timer, m);
}
