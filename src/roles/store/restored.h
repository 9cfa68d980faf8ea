/* A data folder that came from a backup. */
#ifndef OPENVAN_ROLES_STORE_RESTORED_H
#define OPENVAN_ROLES_STORE_RESTORED_H

struct store_role;

/* At start: is this one? Then s->sending_held. 0, also when it is none, or negative. */
int restored_look(struct store_role *s, int data);

#endif
