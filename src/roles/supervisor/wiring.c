#include "roles/supervisor/wiring.h"

#include <stddef.h>

static const struct {
	const char *peer, *role;
} names[WIRING_KINDS] = {
	[WIRING_STORE] = {"store", "store"},
	[WIRING_KEYD] = {"keyd", "keyd"},
	[WIRING_RECEIVE_WORKER] = {"receive-worker", "worker"},
	[WIRING_JOB_WORKER] = {"job-worker", "worker"},
	[WIRING_HTTP] = {"http", "http"},
	[WIRING_SFTP] = {"sftp", "sftp"},
	[WIRING_DELIVER] = {"deliver", "deliver"},
	[WIRING_WEB] = {"web", "web"},
};

static const enum wiring_kind pairs[][2] = {
	{WIRING_HTTP, WIRING_RECEIVE_WORKER}, /* IPC_AS2_RECEIVE */
	{WIRING_RECEIVE_WORKER, WIRING_KEYD}, /* IPC_UNWRAP, IPC_SIGN */
	{WIRING_RECEIVE_WORKER, WIRING_STORE}, /* IPC_LOOKUP, IPC_AS2_ACCEPT */
	{WIRING_STORE, WIRING_HTTP},          /* IPC_AS2_REPLY */
	{WIRING_STORE, WIRING_JOB_WORKER},    /* IPC_JOB */
	{WIRING_JOB_WORKER, WIRING_KEYD},     /* IPC_SIGN */
	{WIRING_STORE, WIRING_KEYD},          /* IPC_CHECKPOINT */
	{WIRING_SFTP, WIRING_STORE},          /* IPC_SESSION_OPEN */
	{WIRING_DELIVER, WIRING_STORE},       /* IPC_DELIVER */
	{WIRING_WEB, WIRING_STORE},           /* IPC_CONTROL */
};

const char *wiring_peer_name(enum wiring_kind k)
{
	return names[k].peer;
}

const char *wiring_role_name(enum wiring_kind k)
{
	return names[k].role;
}

bool wiring_connected(enum wiring_kind a, enum wiring_kind b)
{
	for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
		if ((pairs[i][0] == a && pairs[i][1] == b) || (pairs[i][0] == b && pairs[i][1] == a))
			return true;
	return false;
}
