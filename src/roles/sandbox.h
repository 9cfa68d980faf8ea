/* The system calls that roles keep which read hostile bytes or hold keys. Everything else fails with EPERM: no sockets,
 * no opening of files by name, no programs. Sanitizer builds relax this, and say so in the log. */
#ifndef OPENVAN_ROLES_SANDBOX_H
#define OPENVAN_ROLES_SANDBOX_H

#include <stdint.h>

enum sandbox_kind {
	SANDBOX_WORKER, /* may make unnamed files (O_TMPFILE, memfd) and map what it was given */
	SANDBOX_KEYD,   /* not even that; threads */
};

/* `memory`: bound of the address space in bytes, 0 for none. For the whole process, also its threads to come. 0, or
 * negative when the kernel refuses. */
int sandbox_enter(enum sandbox_kind kind, uint64_t memory);

#endif
