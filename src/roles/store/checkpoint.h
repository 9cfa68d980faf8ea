/* Checkpoints: keyd signs the receipt log's tree, at most a second behind. */
#ifndef OPENVAN_ROLES_STORE_CHECKPOINT_H
#define OPENVAN_ROLES_STORE_CHECKPOINT_H

#include "roles/store/store_role.h"

/* Any thread but the loop's: waits until all that is committed now is signed. 0, VAN_ETIMEOUT. */
int checkpoints_await(struct store_role *s, van_time patience);
/* Any thread: the key that signs; false before the first signature. */
bool checkpoints_key(struct store_role *s, unsigned char key[RECEIPT_KEY]);

#endif
