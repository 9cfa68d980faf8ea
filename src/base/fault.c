#include "base/fault.h"

#ifdef VAN_FAULT_POINTS

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

void van_fault_point(const char *name)
{
	static const char *armed;
	static long left;
	static size_t length;
	if (!armed) {
		armed = getenv("OPENVAN_FAULT");
		if (!armed)
			armed = "";
		length = strcspn(armed, ":");
		left = armed[length] ? strtol(armed + length + 1, NULL, 10) : 1;
	}
	if (!length || strlen(name) != length || memcmp(name, armed, length) != 0)
		return;
	if (--left)
		return;
	const char *more = armed[length] ? strchr(armed + length + 1, ':') : NULL;
	long ms = more ? strtol(more + 1, NULL, 10) : 0;
	if (ms > 0)
		nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000}, NULL);
	else
		raise(SIGKILL); /* by tgkill, which every sandbox allows a process to itself */
}

#endif
