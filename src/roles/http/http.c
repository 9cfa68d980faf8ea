/* http: the AS2 listeners. It reads HTTP and nothing else: bodies go to a spool, the spool to a worker, and what the store
 * says goes back to the client. */
#include "roles/http/http.h"

#include "base/error.h"
#include "base/log.h"
#include "partner/settings.h"
#include "roles/sandbox.h"

#include <time.h>
#include <unistd.h>

#define FINISH_PATIENCE (5 * VAN_SECOND)

static void pump(void *arg)
{
	struct http *h = arg;
	listeners_pump(h);
	if (h->stopping && h->in_flight == 0)
		loop_stop(h->role->loop);
}

static void give_up(void *arg)
{
	struct http *h = arg;
	loop_stop(h->role->loop);
}

static void on_stop(void *arg)
{
	struct http *h = arg;
	h->stopping = true;
	listeners_quiesce(h);
	loop_after(h->role->loop, FINISH_PATIENCE, give_up, h);
}

static void on_peer(void *arg, struct role_peer *peer)
{
	dispatch_peer(arg, peer);
}

static void on_reload(void *arg)
{
	listeners_reload(arg);
}

int role_http(struct role *r)
{
	struct http h = {.role = r};
	const struct role_handlers handlers = {.on_peer = on_peer, .on_reload = on_reload, .on_stop = on_stop, .arg = &h};
	struct role_file *spool = role_file(r, "spool", 0);
	h.spool_folder = spool ? spool->fd : -1;
	h.partials = partials_open(h.spool_folder);
	int rc = requests_init(&h);
	if (rc == 0)
		rc = dispatch_init(&h);
	if (rc == 0)
		rc = listeners_start(&h);
	if (rc == 0)
		rc = role_attach(r, &handlers);
	if (rc < 0) {
		log_event(LOG_LEVEL_ERROR, "http-start-failed", "error", van_err_name(rc), NULL);
		return 1;
	}
	loop_set_before_wait(r->loop, pump, &h);
	tzset(); /* no file can be opened later */
	sandbox_folder(h.spool_folder);
	if (sandbox_enter(SANDBOX_HTTP, r->config->limits.memory_http) < 0)
		return 1;
	role_ready(r);
	loop_run(r->loop);
	_exit(0); /* connections may be suspended, and the library aborts when it is stopped with such */
}
