/* What every role shares: how it starts, what the supervisor handed it, how it stops.
 *
 * A role is `vand --role=NAME` with its supervisor channel as descriptor ROLE_CONTROL_FD. It receives its configuration,
 * channels to its peers, listeners and opened files, then START. It never opens what it was not given. */
#ifndef OPENVAN_ROLES_ROLE_H
#define OPENVAN_ROLES_ROLE_H

#include "ipc/channel.h"
#include "ipc/messages.h"

#define ROLE_CONTROL_FD 3

struct van_config;

struct role_peer {
	char name[20]; /* "store", "keyd", "http", "receive-worker", "job-worker", "sftp", "deliver", "web" */
	uint64_t index; /* of the worker; 0 for others */
	int fd; /* the owner takes it and sets -1 */
};
struct role_listener {
	char name[12]; /* "as2", "sftp", "admin", "control" */
	uint64_t index; /* place in the configuration's list */
	int fd;
};
/* The index of the TLS files of pair `k` of tls.sni of a listener. */
#define ROLE_SNI_FILE(listener, k) ((uint64_t)(listener) | (uint64_t)((k) + 1) << 32)
struct role_file {
	char name[20]; /* "data" (folder), "lock", "tls-certificate", "tls-key", "client-ca", "host-key", "receipt-key", "credential" */
	uint64_t index; /* of the listener it belongs to; host keys: running number */
	char *path; /* for messages to people */
	int fd;
};

struct role;

/* What a role does with what arrives after START; any may be NULL. */
struct role_handlers {
	void (*on_peer)(void *arg, struct role_peer *peer); /* a new or replaced channel: take peer->fd */
	void (*on_reload)(void *arg);                       /* fresh configuration and files are in the role */
	void (*on_stop)(void *arg);                         /* default: the loop is stopped */
	void (*on_message)(void *arg, struct ipc_message *m); /* any other message of the supervisor */
	void *arg;
};

struct role {
	char name[16];
	uint64_t index;
	char pool[12]; /* workers: "receive" or "job" */
	struct van_config *config;
	struct ipc_channel *supervisor;
	struct loop *loop;
	struct role_peer *peers;
	size_t npeers;
	struct role_listener *listeners;
	size_t nlisteners;
	struct role_file *files;
	size_t nfiles;
	struct role_handlers handlers;
};

/* Receives everything up to START (blocking), sets up logging, drops dumpability. NULL with a log line on failure. */
struct role *role_start(void);
void role_free(struct role *r);

/* Puts the supervisor channel into the role's loop. If the supervisor goes away the process exits at once. 0 or negative. */
int role_attach(struct role *r, const struct role_handlers *handlers);
/* Tells the supervisor that this role serves. */
void role_ready(struct role *r);

/* The channel's descriptor to a peer, taken out of the role (-1 when there is none). */
int role_take_peer(struct role *r, const char *name, uint64_t index);
/* The file, or NULL. */
struct role_file *role_file(struct role *r, const char *name, uint64_t index);

/* Entry points: each runs until STOP and returns the exit status. */
int role_store(struct role *r);
int role_keyd(struct role *r);
int role_http(struct role *r);
int role_worker(struct role *r);
int role_sftp(struct role *r);
int role_deliver(struct role *r);
int role_web(struct role *r);

#endif
