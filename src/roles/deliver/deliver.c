/* deliver: outbound AS2, SFTP and webhooks will live here. It holds its place among the roles: it is started, wired and
 * restarted like the others; deliveries over such connections wait in the queue, visible. */
#include "ipc/channel.h"
#include "roles/role.h"

#include <unistd.h>

static void on_closed(void *arg, struct ipc_channel *c)
{
	(void)arg;
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
	struct role *r = arg;
	struct ipc_channel *c = ipc_channel_new(peer->fd);
	if (!c)
		return;
	peer->fd = -1;
	ipc_channel_attach(c, r->loop, on_message, on_closed, r);
}

int role_deliver(struct role *r)
{
	const struct role_handlers handlers = {.on_peer = on_peer, .arg = r};
	for (size_t i = 0; i < r->npeers; i++)
		on_peer(r, &r->peers[i]);
	if (role_attach(r, &handlers) < 0)
		return 1;
	role_ready(r);
	loop_run(r->loop);
	return 0;
}
