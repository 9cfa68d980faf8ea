/* The commonest kinds of command: ask, then print a table, fields, or save a file. */
#ifndef OPENVAN_VANCTL_SIMPLE_H
#define OPENVAN_VANCTL_SIMPLE_H

#include "vanctl/ctl.h"
#include "vanctl/print.h"

#include <stdint.h>

/* Sends the options as they are; where the command takes an argument, it goes under `argument_key` (NULL: none). */
int simple_ask(struct ctl *c, const char *command, const char *argument_key, json_t **ret_answer, int *ret_fd);

/* Asks and prints the array it gets. */
int simple_list(struct ctl *c, const char *command, const char *argument_key, const struct print_column *columns);

/* Asks and says `done` ("%s" is the first argument) when the server did it. */
int simple_do(struct ctl *c, const char *command, const char *argument_key, const char *done);

/* Asks for a file and saves the stretch of it that the answer names ("offset", "bytes") to the option `output`. */
int simple_fetch(struct ctl *c, const char *command, const char *argument_key);

/* Copies `length` bytes at `offset` of a file (SIMPLE_ALL: to its end) to `path`, or to standard output when that is NULL or
 * "-". Closes fd. */
#define SIMPLE_ALL UINT64_MAX
int simple_save(int fd, uint64_t offset, uint64_t length, const char *path);

#endif
