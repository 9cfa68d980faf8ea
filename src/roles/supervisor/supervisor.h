/* The supervisor: reads the configuration, binds listeners, opens files, starts roles, wires them to each other and
 * starts again what dies. It never reads a byte from the network. */
#ifndef OPENVAN_ROLES_SUPERVISOR_SUPERVISOR_H
#define OPENVAN_ROLES_SUPERVISOR_SUPERVISOR_H

/* Serves until SIGTERM or SIGINT; returns the exit status. */
int supervisor_run(const char *config_path);

/* `vand --check`: prints `file:line: what is wrong and what to do`; 0 or 1. */
int supervisor_check(const char *config_path);

#endif
