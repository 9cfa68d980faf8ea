/* The pace that several processes keep together: a page they share holds the time until which their bytes are paid for. */
#ifndef OPENVAN_IPC_THROTTLE_H
#define OPENVAN_IPC_THROTTLE_H

#include "base/clock.h"

/* A descriptor to share, or negative. */
int throttle_create(void);

struct throttle_page;
/* Maps it; the descriptor stays the caller's. NULL when it can't be. Never unmapped. */
struct throttle_page *throttle_map(int fd);
/* Takes note of `bytes` at `rate` bytes a second; returns how long to wait (microseconds) before the next ones. A second's worth
 * may run ahead. `now` is monotonic. */
van_time throttle_take(struct throttle_page *p, uint64_t bytes, uint64_t rate, van_time now);

#endif
