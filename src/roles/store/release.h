/* The log of old commits is given back to the disk (store/segment.h). */
#ifndef OPENVAN_ROLES_STORE_RELEASE_H
#define OPENVAN_ROLES_STORE_RELEASE_H

struct store_role;

/* Begins to look, now and then, in a thread of its own. 0 or negative. */
int release_start(struct store_role *s);
void release_free(struct store_role *s); /* waits for what is under way: a file's worth at most */

#endif
