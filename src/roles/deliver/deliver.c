/* deliver: outbound AS2, SFTP and webhooks will live here. It holds its place among the roles: it is started, wired and
 * restarted like the others; deliveries over such connections wait in the queue, visible. */
#include "ipc/channel.h"
#include "roles/role.h"

#include <unistd.h>

struct deliver {
	struct role *role;
	struct ipc_channel *store; /* NULL: gone, the supervisor sends another */
};

static void on_closed(void *arg, struct ipc_channel *c)
{
	struct deliver *d = arg;
	if (d->store == c)
		d->store = NULL;
	ipc_channel_free(c);
}

static void on_message(void *arg, struct ipc_channel *c, struct ipc_message *m)
{
	(void)arg;
	(void)c;
	(void)m;
}

static void on_peer(void *arg, struct role_peer *peer)
{
	struct deliver *d = arg;
	struct ipc_channel *c = ipc_channel_new(peer->fd);
	if (!c)
		return;
	peer->fd = -1;
	ipc_channel_free(d->store); /* a restarted store's channel replaces the earlier one */
	d->store = c;
	ipc_channel_attach(c, d->role->loop, on_message, on_closed, d);
}

int role_deliver(struct role *r)
{
	struct deliver d = {.role = r};
	const struct role_handlers handlers = {.on_peer = on_peer, .arg = &d};
	for (size_t i = 0; i < r->npeers; i++)
		on_peer(&d, &r->peers[i]);
	if (role_attach(r, &handlers) < 0)
		return 1;
	role_ready(r);
	loop_run(r->loop);
	ipc_channel_free(d.store);
	return 0;
}
