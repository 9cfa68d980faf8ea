/* deliver: what the store asks to be sent goes out, what the receivers answer goes back. */
#include "roles/deliver/deliver.h"

#include "base/log.h"
#include "partner/settings.h"
#include "queue/records.h"
#include "roles/deliver/sftp_job.h"
#include "roles/sandbox.h"

/* The store is gone: it will ask for every unfinished try again, so the ones under way are for nobody. */
static void lose_store(struct deliver *d)
{
	transfer_cancel_all(d);
	sftp_jobs_cancel_all(d);
	ipc_channel_free(d->store);
	d->store = NULL;
}

static void on_closed(void *arg, struct ipc_channel *c)
{
	struct deliver *d = arg;
	if (d->store == c)
		lose_store(d);
	else
		ipc_channel_free(c);
}

static uint32_t delivery_kind(const struct ipc_message *m)
{
	struct ipc_deliver what = {0};
	struct van_arena *arena = van_arena_new(0);
	uint32_t kind = arena && record_decode(&ipc_deliver_table, m->body, arena, &what) == 0 ? what.kind : QUEUE_TO_AS2;
	van_arena_free(arena);
	return kind;
}

static void on_message(void *arg, struct ipc_channel *c, struct ipc_message *m)
{
	struct deliver *d = arg;
	(void)c;
	if (m->type == IPC_DELIVER && delivery_kind(m) == QUEUE_TO_SFTP)
		sftp_job_push(d, m);
	else if (m->type == IPC_DELIVER)
		transfer_start(d, m);
	else if (m->type == IPC_POLL)
		sftp_job_poll(d, m);
	else
		log_event(LOG_LEVEL_WARNING, "unexpected-message", "type", log_u64(m->type), NULL);
}

static void on_peer(void *arg, struct role_peer *peer)
{
	struct deliver *d = arg;
	struct ipc_channel *c = ipc_channel_new(peer->fd);
	if (!c)
		return;
	peer->fd = -1;
	if (d->store) /* a restarted store's channel replaces the earlier one */
		lose_store(d);
	d->store = c;
	ipc_channel_attach(c, d->role->loop, on_message, on_closed, d);
}

int role_deliver(struct role *r)
{
	struct deliver d = {.role = r};
	const struct role_handlers handlers = {.on_peer = on_peer, .arg = &d};
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return 1;
	d.poller = poller_new(r->loop, transfer_done, &d);
	if (!d.poller)
		return 1;
	for (size_t i = 0; i < r->npeers; i++)
		on_peer(&d, &r->peers[i]);
	if (role_attach(r, &handlers) < 0 || sandbox_enter(SANDBOX_DELIVER, r->config->limits.memory_deliver) < 0)
		return 1;
	role_ready(r);
	loop_run(r->loop);
	lose_store(&d);
	poller_free(d.poller);
	curl_global_cleanup();
	return 0;
}
