/* The system calls that roles keep which read hostile bytes or hold keys. What nobody there has any use for, such as starting a
 * program, looking into another process or changing who one is, ends the process; anything else that is not on its list fails with
 * EPERM, as libraries try things beside their work. Sanitizer builds relax this, and say so in the log. */
#ifndef OPENVAN_ROLES_SANDBOX_H
#define OPENVAN_ROLES_SANDBOX_H

#include <stdint.h>

enum sandbox_kind {
	SANDBOX_WORKER, /* may make unnamed files (O_TMPFILE, memfd) and map what it was given */
	SANDBOX_KEYD,   /* not even that; threads */
	SANDBOX_HTTP,   /* connections that come in, unnamed files, names below folders that it has open, see sandbox_folder() */
	SANDBOX_DELIVER,  /* connections outwards, reading files (resolver, authorities), threads, processes of its own */
	SANDBOX_TRANSFER, /* a process that speaks with one server: connections outwards, reading files */
};

/* Before sandbox_enter(): nothing in the file system can be reached by name any more but what is below this folder. Where the kernel
 * can't do that (Landlock, Linux 5.19), the log says so. */
void sandbox_folder(int folder);

/* `memory`: bound of the address space in bytes, 0 for none. For the whole process, also its threads to come. 0, or
 * negative when the kernel refuses. */
int sandbox_enter(enum sandbox_kind kind, uint64_t memory);

#endif
