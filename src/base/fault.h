/* Named points for fault tests: van_fault_point("store-before-flush") does nothing, unless the environment variable
 * OPENVAN_FAULT is "NAME:N"; then the Nth pass through NAME kills the process with SIGKILL; "NAME:N:MS": holds up its thread so many milliseconds.
 * Compiled out by --disable-fault-points. */
#ifndef OPENVAN_BASE_FAULT_H
#define OPENVAN_BASE_FAULT_H

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#ifdef VAN_FAULT_POINTS
void van_fault_point(const char *name);
#else
#define van_fault_point(name) ((void)0)
#endif

#endif
