#include "roles/supervisor/files.h"

#include "base/clock.h"
#include "base/log.h"
#include "partner/settings.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define LOCK_PATIENCE (10 * VAN_SECOND)

static void path_copy(char to[4096], struct slice path)
{
	snprintf(to, 4096, "%.*s", SLICE_ARG(path));
}

static int take_lock(int data, const char *path, int *ret_lock, struct van_error *e)
{
	int fd = openat(data, "vand.lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return van_error_set(e, van_err_from_errno(errno), "%s/vand.lock: %s", path, strerror(errno));
	van_time until = van_clock_monotonic() + LOCK_PATIENCE;
	bool told = false;
	while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (!told)
			log_event(LOG_LEVEL_WARNING, "data-in-use", "path", path, "text", "another vand has it; waiting up to 10 s for that one to end", NULL);
		told = true;
		if (van_clock_monotonic() > until) {
			close(fd);
			return van_error_set(e, VAN_EEXISTS, "%s is in use by another vand: stop that one first, or set another `data` in vand.yaml", path);
		}
		usleep(20000);
	}
	*ret_lock = fd;
	return 0;
}

int files_open_data(const struct van_config *c, const struct child_users *users, int *ret_data, int *ret_lock, struct van_error *e)
{
	char path[4096];
	path_copy(path, c->data);
	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return van_error_set(e, van_err_from_errno(errno), "data: can't make %s: %s", path, strerror(errno));
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return van_error_set(e, van_err_from_errno(errno), "data: can't open %s: %s", path, strerror(errno));
	if ((users->switching && fchown(fd, users->user, users->group) < 0) || fchmod(fd, 0700) < 0) {
		int err = errno;
		close(fd);
		return van_error_set(e, van_err_from_errno(err), "data: can't set owner and mode of %s: %s", path, strerror(err));
	}
	int rc = take_lock(fd, path, ret_lock, e);
	if (rc < 0) {
		close(fd);
		return rc;
	}
	*ret_data = fd;
	return 0;
}

int files_open_below(int data, const char *name, const struct child_users *users, struct van_error *e)
{
	if (mkdirat(data, name, 0700) < 0 && errno != EEXIST)
		return van_error_set(e, van_err_from_errno(errno), "data folder: can't make %s: %s", name, strerror(errno));
	int fd = openat(data, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return van_error_set(e, van_err_from_errno(errno), "data folder: can't open %s: %s", name, strerror(errno));
	if (users->switching && fchown(fd, users->user, users->group) < 0) {
		int err = errno;
		close(fd);
		return van_error_set(e, van_err_from_errno(err), "data folder: can't give %s to the role user: %s", name, strerror(err));
	}
	return fd;
}

int files_open(struct slice path, const char *what, struct van_error *e)
{
	char name[4096];
	path_copy(name, path);
	int fd = open(name, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return van_error_set(e, van_err_from_errno(errno), "%s: can't open %s: %s", what, name, strerror(errno));
	struct stat st;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		close(fd);
		return van_error_set(e, VAN_EINVAL, "%s: %s is not a regular file", what, name);
	}
	return fd;
}

int files_open_folder(const char *path, struct van_error *e)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? van_error_set(e, van_err_from_errno(errno), "can't open folder %s: %s", path, strerror(errno)) : fd;
}

int files_ensure_receipt_key(struct slice path, struct van_error *e)
{
	char name[4096];
	path_copy(name, path);
	int fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0 && errno == EEXIST)
		return 0;
	if (fd < 0)
		return van_error_set(e, van_err_from_errno(errno), "receipts.key: can't make %s: %s", name, strerror(errno));
	FILE *f = fdopen(fd, "w");
	EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	bool ok = f && key && PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL) && fflush(f) == 0 && fsync(fd) == 0;
	EVP_PKEY_free(key);
	if (f)
		fclose(f);
	else
		close(fd);
	if (!ok) {
		unlink(name);
		return van_error_set(e, VAN_EIO, "receipts.key: can't write %s", name);
	}
	return 0;
}

int files_listen(struct slice address, uint64_t port, struct van_error *e)
{
	char host[256], service[16];
	snprintf(host, sizeof host, "%.*s", SLICE_ARG(address));
	snprintf(service, sizeof service, "%u", (unsigned)port);
	struct addrinfo hints = {.ai_flags = AI_PASSIVE | AI_NUMERICHOST | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM}, *found;
	if (getaddrinfo(host, service, &hints, &found) != 0)
		return van_error_set(e, VAN_EINVAL, "listen: '%s' is not a numeric address", host);
	int one = 1, fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0)
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	if (fd >= 0 && found->ai_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one);
	int rc = fd < 0 || bind(fd, found->ai_addr, found->ai_addrlen) < 0 || listen(fd, SOMAXCONN) < 0 ? errno : 0;
	freeaddrinfo(found);
	if (rc) {
		if (fd >= 0)
			close(fd);
		return van_error_set(e, van_err_from_errno(rc), "listen: %s port %s: %s%s", host, service, strerror(rc),
				     rc == EADDRINUSE ? "; stop what uses it or choose another port in vand.yaml" : "");
	}
	return fd;
}

int files_listen_control(int data, const struct child_users *users, struct van_error *e)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	/* by way of the open folder: its own path may be longer than a socket address can hold */
	snprintf(a.sun_path, sizeof a.sun_path, "/proc/self/fd/%d/control.sock", data);
	unlinkat(data, "control.sock", 0);
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	mode_t old = umask(0177);
	int bad = fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof a) < 0 || listen(fd, 64) < 0 ? errno : 0;
	umask(old);
	if (!bad && users->switching && fchownat(data, "control.sock", users->user, users->group, AT_SYMLINK_NOFOLLOW) < 0)
		bad = errno;
	if (bad) {
		if (fd >= 0)
			close(fd);
		return van_error_set(e, van_err_from_errno(bad), "data folder: can't make control.sock: %s", strerror(bad));
	}
	return fd;
}
