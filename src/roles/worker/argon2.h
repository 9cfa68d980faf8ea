/* Passwords hashed with Argon2 (RFC 9106), which crypt(3) does not know. */
#ifndef OPENVAN_ROLES_WORKER_ARGON2_H
#define OPENVAN_ROLES_WORKER_ARGON2_H

#include "base/slice.h"

/* Does the password fit the hash "$argon2id$v=19$m=…,t=…,p=…$SALT$HASH" (or argon2i, argon2d)? It takes the memory and time that the hash says,
 * 1 GiB and 1000 passes at most. False too where the hash can't be read, or this program was built without libargon2:
 * then *ret_error says so. */
bool password_fits_argon2(struct slice hash, struct slice password, struct slice *ret_error);

#endif
