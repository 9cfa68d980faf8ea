/* Asks the running vand over DATA/control.sock. */
#ifndef OPENVAN_VANCTL_CLIENT_H
#define OPENVAN_VANCTL_CLIENT_H

#include "vanctl/ctl.h"

/* Sends the command with these arguments (an object, borrowed; NULL: none). On status 0 *ret_answer is the answer
 * (the caller's to release; may be NULL where the command has none) and *ret_fd, where not NULL, the answer's file or
 * -1. Errors have been printed; returns the exit status. */
int client_ask(const struct ctl *c, const char *command, json_t *arguments, json_t **ret_answer, int *ret_fd);

/* Does a vand answer? Says nothing. */
bool client_up(const struct ctl *c);

/* The same with a file for vand, which stays the caller's; -1: none. */
int client_ask_with(const struct ctl *c, const char *command, json_t *arguments, int file, json_t **ret_answer, int *ret_fd);

/* In two steps, for a command that takes its time and brings something meanwhile. client_finish() waits for the answer, at most ten minutes
 * from then, and ends the channel. */
struct ipc_channel;
int client_begin(const struct ctl *c, const char *command, json_t *arguments, int file, struct ipc_channel **ret);
int client_finish(struct ipc_channel *ch, json_t **ret_answer, int *ret_fd);

#endif
