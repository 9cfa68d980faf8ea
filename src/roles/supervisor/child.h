/* One role's process: how it is started, and as whom. */
#ifndef OPENVAN_ROLES_SUPERVISOR_CHILD_H
#define OPENVAN_ROLES_SUPERVISOR_CHILD_H

#include "base/error.h"

#include <sys/types.h>

struct van_config;

/* Whom roles run as; uid 0 in both when not started as root (then nothing changes). */
struct child_users {
	uid_t user, key_user;
	gid_t group, key_group;
	int switching; /* started as root */
};

/* Resolves the configured names. A name that does not exist gets a fixed unprivileged number and a warning, see
 * doc/decisions. 0 or VAN_EINVAL with `e`. */
int child_users_resolve(const struct van_config *c, struct child_users *ret, struct van_error *e);

/* Forks and executes this binary as `role`; `control` becomes its ROLE_CONTROL_FD, every other descriptor but standard
 * ones is closed. The child dies with its supervisor. Returns the pid or a negative enum van_err. */
pid_t child_start(const char *role, int control, uid_t uid, gid_t gid, int switching);

#endif
