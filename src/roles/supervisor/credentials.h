/* Transport client keys and passwords by path: the supervisor opens them, deliver reads them. */
#ifndef OPENVAN_ROLES_SUPERVISOR_CREDENTIALS_H
#define OPENVAN_ROLES_SUPERVISOR_CREDENTIALS_H

#include "ipc/channel.h"

/* The list that the store asked for last, as it came. Starts as {0}. */
struct credentials {
	struct van_buf wanted;
};
void credentials_free(struct credentials *c);

/* IPC_CREDENTIALS_WANTED: remembers the list and sends each file to deliver. `deliver` is NULL while it is not there. */
void credentials_want(struct credentials *c, struct slice body, struct ipc_channel *deliver);
/* The remembered list, opened anew: for a deliver that starts, and on reload. What can't be opened is logged. 0 or negative. */
int credentials_send(struct credentials *c, struct ipc_channel *deliver);

#endif
