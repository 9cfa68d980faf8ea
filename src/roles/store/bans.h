/* Bans in memory, as the store has them. */
#ifndef OPENVAN_ROLES_STORE_BANS_H
#define OPENVAN_ROLES_STORE_BANS_H

#include "queue/logins.h"
#include "roles/store/store_role.h"

int bans_start(struct store_role *s);
void bans_free(struct store_role *s);
/* Reads them anew after a change, tells the SFTP listener, ends the sessions that an operator's ban meets. Loop thread. */
void bans_reload(struct store_role *s);
/* There is an SFTP listener, or another one. */
void bans_tell_listener(struct store_role *s);
/* May this user not log in from there? */
bool bans_hit(const struct store_role *s, struct slice address, struct slice user);

#endif
