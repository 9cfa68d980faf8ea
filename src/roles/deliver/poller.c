#include "roles/deliver/deliver.h"

#include "base/error.h"

#include <stdlib.h>
#include <sys/epoll.h>

#define CONNECTIONS_KEPT 256

struct poller {
	struct loop *loop;
	CURLM *multi;
	struct loop_timer *timer;
	void (*done)(void *arg, CURL *easy, CURLcode code);
	void *arg;
};

/* A socket of libcurl's; freed when it lets go of it. */
struct watched {
	struct poller *p;
	curl_socket_t fd;
	struct loop_watch *watch;
};

static void take_finished(struct poller *p)
{
	CURLMsg *m;
	int left;
	while ((m = curl_multi_info_read(p->multi, &left)))
		if (m->msg == CURLMSG_DONE) {
			CURL *easy = m->easy_handle;
			CURLcode code = m->data.result; /* the message is gone with the handle */
			curl_multi_remove_handle(p->multi, easy);
			p->done(p->arg, easy, code);
		}
}

static void act(struct poller *p, curl_socket_t fd, int events)
{
	int running;
	curl_multi_socket_action(p->multi, fd, events, &running);
	take_finished(p);
}

static void on_events(void *arg, uint32_t events)
{
	struct watched *w = arg;
	int mask = (events & EPOLLIN ? CURL_CSELECT_IN : 0) | (events & EPOLLOUT ? CURL_CSELECT_OUT : 0) |
		   (events & (EPOLLERR | EPOLLHUP) ? CURL_CSELECT_ERR : 0);
	act(w->p, w->fd, mask); /* may free w */
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *socket)
{
	struct poller *p = arg;
	struct watched *w = socket;
	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		if (w)
			loop_unwatch(w->watch);
		free(w);
		return 0;
	}
	uint32_t events = (what & CURL_POLL_IN ? EPOLLIN : 0) | (what & CURL_POLL_OUT ? EPOLLOUT : 0);
	if (w)
		return loop_watch_change(w->watch, events) < 0 ? -1 : 0;
	w = calloc(1, sizeof *w);
	if (!w)
		return -1;
	*w = (struct watched){.p = p, .fd = fd};
	w->watch = loop_watch(p->loop, fd, events, on_events, w);
	if (!w->watch) {
		free(w);
		return -1;
	}
	curl_multi_assign(p->multi, fd, w);
	return 0;
}

static void on_time(void *arg)
{
	struct poller *p = arg;
	p->timer = NULL;
	act(p, CURL_SOCKET_TIMEOUT, 0);
}

static int on_timer(CURLM *multi, long after, void *arg)
{
	struct poller *p = arg;
	(void)multi;
	loop_cancel(p->timer);
	p->timer = after < 0 ? NULL : loop_after(p->loop, (van_time)after * 1000, on_time, p);
	return after >= 0 && !p->timer ? -1 : 0;
}

struct poller *poller_new(struct loop *l, void (*done)(void *arg, CURL *easy, CURLcode code), void *arg)
{
	struct poller *p = calloc(1, sizeof *p);
	if (!p)
		return NULL;
	*p = (struct poller){.loop = l, .done = done, .arg = arg, .multi = curl_multi_init()};
	if (!p->multi) {
		free(p);
		return NULL;
	}
	curl_multi_setopt(p->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
	curl_multi_setopt(p->multi, CURLMOPT_SOCKETDATA, p);
	curl_multi_setopt(p->multi, CURLMOPT_TIMERFUNCTION, on_timer);
	curl_multi_setopt(p->multi, CURLMOPT_TIMERDATA, p);
	curl_multi_setopt(p->multi, CURLMOPT_MAXCONNECTS, (long)CONNECTIONS_KEPT);
	return p;
}

void poller_free(struct poller *p)
{
	if (!p)
		return;
	curl_multi_cleanup(p->multi);
	loop_cancel(p->timer);
	free(p);
}

int poller_add(struct poller *p, CURL *easy)
{
	return curl_multi_add_handle(p->multi, easy) == CURLM_OK ? 0 : VAN_ENOMEM;
}

void poller_remove(struct poller *p, CURL *easy)
{
	curl_multi_remove_handle(p->multi, easy);
}
