/* Private keys by path: the supervisor opens them, keyd reads them, nobody else sees them. */
#ifndef OPENVAN_ROLES_SUPERVISOR_KEYS_H
#define OPENVAN_ROLES_SUPERVISOR_KEYS_H

#include "ipc/channel.h"

/* The list that the store asked for last, as it came. Starts as {0}. */
struct keys {
	struct van_buf wanted;
	uint64_t pending; /* sent to keyd and not answered yet */
};

void keys_free(struct keys *k);

/* IPC_KEYS_WANTED: remembers the list and sends each key to keyd (when it is serving; else they are sent when it is ready). What can't be
 * opened is reported to the store as IPC_KEY_STATUS. */
/* keyd is NULL while it can't take keys. */
void keys_want(struct keys *k, struct slice body, struct ipc_channel *keyd, struct ipc_channel *store);

/* The remembered list again, for a keyd that starts or that is to read the files anew. `store` is told of what can't be opened; NULL:
 * not serving yet. 0 or negative. */
int keys_send_all(struct keys *k, struct ipc_channel *keyd, struct ipc_channel *store);

#endif
