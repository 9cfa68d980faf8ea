/* Control numbers seen so far, to find doubles. Numbers that only count up take no memory. */
#ifndef OPENVAN_EDI_NUMBER_SET_H
#define OPENVAN_EDI_NUMBER_SET_H

#include "base/slice.h"

#include <stdint.h>

struct number_set {
	uint64_t first, count; /* while `hashes` is NULL: the numbers first … first + count - 1 */
	uint64_t *hashes;      /* open addressing, 0 is empty */
	uint64_t used, room;
};

/* Adds; false when it was there. Past a million scattered numbers it no longer remembers new ones. */
bool number_set_add(struct number_set *s, struct slice number);
void number_set_reset(struct number_set *s); /* forgets and frees */

#endif
