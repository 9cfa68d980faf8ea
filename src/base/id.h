/* Identifiers of stored messages: 26 characters of Crockford base32 (48 bits of milliseconds, then 80 bits random),
 * so that text order is time order. Opaque to users. */
#ifndef OPENVAN_BASE_ID_H
#define OPENVAN_BASE_ID_H

#include "base/clock.h"

#define VAN_ID_LEN 26

struct van_id {
	char text[VAN_ID_LEN + 1];
};

/* A new identifier; within one process each is greater than the one before, even within a millisecond. Aborts if the
 * kernel gives no randomness. Not thread-safe. */
struct van_id van_id_new(van_time now);

/* 26 characters of the right alphabet? */
bool van_id_valid(struct slice s);

/* `n` random bytes from getrandom(2), small requests from a reserve of them; aborts when there are none. Any thread. */
void van_random(void *to, size_t n);

#endif
