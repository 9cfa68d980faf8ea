/* Polls of partners' SFTP servers: when each is due, and the session through which its process hands over what it fetched. */
#ifndef OPENVAN_ROLES_STORE_POLLS_H
#define OPENVAN_ROLES_STORE_POLLS_H

#include "roles/store/store_role.h"

struct poll;

int polls_start(struct store_role *s);
void polls_free(struct store_role *s);
/* The directory has changed: connections that came, went, or have another schedule. */
void polls_look(struct store_role *s);
/* Its process says how it went. */
void polls_done(struct store_role *s, struct poll *p, struct ipc_message *m);
/* Its session has ended. */
void polls_ended(struct store_role *s, struct poll *p);

/* Logs in to that server and says what a poll would fetch now: the answer to `asker`, which waits for it. Under the directory's lock. 0 or negative:
 * nobody answers. */
struct pending_call;
int polls_look_for(struct store_role *s, const struct profile *partner, const struct profile_connection *c, struct pending_call *asker);

/* What deliver needs of a server; slices are the profile's. */
struct ipc_sftp_server polls_server(const struct profile_connection *c);

#endif
