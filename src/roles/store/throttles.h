/* What the sessions of a mailbox with a bandwidth share: one page for each mailbox, as long as the store runs. */
#ifndef OPENVAN_ROLES_STORE_THROTTLES_H
#define OPENVAN_ROLES_STORE_THROTTLES_H

#include "roles/store/store_role.h"

/* The store's descriptor, or negative. */
int throttles_get(struct store_role *s, struct slice connection);
void throttles_free(struct store_role *s);

#endif
