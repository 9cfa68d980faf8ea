/* Arguments of control commands, read from their JSON object. What is absent or null gives the stated default; what is of
 * the wrong type is refused. */
#ifndef OPENVAN_ROLES_STORE_CONTROL_ARGS_H
#define OPENVAN_ROLES_STORE_CONTROL_ARGS_H

#include "base/clock.h"
#include "base/error.h"
#include "base/slice.h"

#include <jansson.h>

struct control_args {
	const json_t *object;
	struct van_error err; /* latches: the first argument that could not be read */
};

struct slice control_arg_text(struct control_args *a, const char *key);   /* absent: an absent slice */
van_time control_arg_time(struct control_args *a, const char *key);       /* absent: 0 */
bool control_arg_flag(struct control_args *a, const char *key);           /* absent: false */
/* At most `most`. */
uint64_t control_arg_number(struct control_args *a, const char *key, uint64_t otherwise, uint64_t most);
/* Index of the text in a NULL-terminated list; absent: -1. */
int control_arg_name(struct control_args *a, const char *key, const char *const *names);

#endif
