#include "roles/supervisor/child.h"

#include "base/log.h"
#include "partner/settings.h"
#include "roles/role.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

/* Ids that no Debian package or useradd hands out (Debian policy 9.2.2: 60000-64999 is for static allocation on
 * demand, these two are not allocated), for machines where the users have not been made. */
#define FALLBACK_USER 64521
#define FALLBACK_KEY_USER 64522

static int resolve(struct slice name, uid_t fallback, uid_t *ret_uid, gid_t *ret_gid, struct van_error *e)
{
	char user[64];
	snprintf(user, sizeof user, "%.*s", SLICE_ARG(name));
	errno = 0;
	struct passwd *pw = user[0] ? getpwnam(user) : NULL;
	if (pw && pw->pw_uid == 0)
		return van_error_set(e, VAN_EINVAL, "user '%s' is root: name an unprivileged user in vand.yaml", user);
	if (!pw && user[0])
		log_event(LOG_LEVEL_WARNING, "user-missing", "user", user, "uid", log_u64(fallback), "text",
			  "running under a bare number; make the user with: useradd --system --no-create-home NAME", NULL);
	*ret_uid = pw ? pw->pw_uid : fallback;
	*ret_gid = pw ? pw->pw_gid : (gid_t)fallback;
	return 0;
}

int child_users_resolve(const struct van_config *c, struct child_users *ret, struct van_error *e)
{
	*ret = (struct child_users){.switching = geteuid() == 0};
	if (!ret->switching) {
		ret->user = ret->key_user = geteuid();
		ret->group = ret->key_group = getegid();
		return 0;
	}
	int rc = resolve(c->user, FALLBACK_USER, &ret->user, &ret->group, e);
	if (rc == 0)
		rc = resolve(c->key_user, FALLBACK_KEY_USER, &ret->key_user, &ret->key_group, e);
	if (rc == 0 && ret->user == ret->key_user)
		return van_error_set(e, VAN_EINVAL, "user and key_user are the same: keyd needs a user of its own; change one in vand.yaml");
	return rc;
}

static void drop_rights(uid_t uid, gid_t gid)
{
	if (setgroups(0, NULL) < 0 || setresgid(gid, gid, gid) < 0 || setresuid(uid, uid, uid) < 0) {
		perror("vand: can't drop rights");
		_exit(126);
	}
}

static void run_child(const char *role, int control, uid_t uid, gid_t gid, int switching, pid_t parent)
{
	char argument[32];
	snprintf(argument, sizeof argument, "--role=%s", role);
	char *const argv[] = {(char *)"vand", argument, NULL};
	if (dup2(control, ROLE_CONTROL_FD) < 0)
		_exit(126);
	fcntl(ROLE_CONTROL_FD, F_SETFD, 0);
	close_range(ROLE_CONTROL_FD + 1, ~0U, 0);
	struct rlimit no_core = {0, 0};
	setrlimit(RLIMIT_CORE, &no_core);
	sigset_t none;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (switching)
		drop_rights(uid, gid);
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0); /* after setuid, which clears it */
	if (getppid() != parent)
		_exit(0);
	execv("/proc/self/exe", argv);
	perror("vand: can't execute itself");
	_exit(126);
}

pid_t child_start(const char *role, int control, uid_t uid, gid_t gid, int switching)
{
	pid_t parent = getpid();
	pid_t pid = fork();
	if (pid == 0)
		run_child(role, control, uid, gid, switching, parent);
	return pid < 0 ? (pid_t)van_err_from_errno(errno) : pid;
}
