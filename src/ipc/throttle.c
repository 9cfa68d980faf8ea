#include "ipc/throttle.h"

#include "base/error.h"
#include "base/fdio.h"

#include <errno.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <unistd.h>

#define AHEAD VAN_SECOND

struct throttle_page {
	_Atomic int64_t paid_until; /* monotonic */
};

int throttle_create(void)
{
	int fd = memfd_new("throttle");
	if (fd >= 0 && ftruncate(fd, sizeof(struct throttle_page)) < 0) {
		int rc = (int)van_err_from_errno(errno);
		close(fd);
		return rc;
	}
	return fd;
}

struct throttle_page *throttle_map(int fd)
{
	void *p = mmap(NULL, sizeof(struct throttle_page), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	return p == MAP_FAILED ? NULL : p;
}

van_time throttle_take(struct throttle_page *p, uint64_t bytes, uint64_t rate, van_time now)
{
	int64_t cost = (int64_t)((double)bytes * (double)VAN_SECOND / (double)rate);
	int64_t before = atomic_load(&p->paid_until), after;
	do {
		/* Idle time is not saved up, and nonsense written by another session of the mailbox is not believed. */
		int64_t from = before < now || before > now + 60 * VAN_SECOND ? now : before;
		after = from + cost;
	} while (!atomic_compare_exchange_weak(&p->paid_until, &before, after));
	return after - now > AHEAD ? after - now - AHEAD : 0;
}
