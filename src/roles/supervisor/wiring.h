/* Who talks to whom: the one table of channels between roles. */
#ifndef OPENVAN_ROLES_SUPERVISOR_WIRING_H
#define OPENVAN_ROLES_SUPERVISOR_WIRING_H

#include <stdbool.h>

/* Kinds of roles as peers see them; both worker pools are the role "worker". */
enum wiring_kind {
	WIRING_STORE,
	WIRING_KEYD,
	WIRING_RECEIVE_WORKER,
	WIRING_JOB_WORKER,
	WIRING_HTTP,
	WIRING_SFTP,
	WIRING_DELIVER,
	WIRING_WEB,
	WIRING_KINDS,
};

/* Name as a peer ("receive-worker") and as a role ("worker"). */
const char *wiring_peer_name(enum wiring_kind k);
const char *wiring_role_name(enum wiring_kind k);
bool wiring_connected(enum wiring_kind a, enum wiring_kind b);

#endif
