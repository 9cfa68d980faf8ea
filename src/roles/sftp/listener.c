#include "roles/sftp/listener.h"

#include "base/buf.h"
#include "base/cidr.h"
#include "base/fdio.h"
#include "base/log.h"
#include "ipc/messages.h"
#include "roles/sftp/hostkeys.h"
#include "roles/sftp/session.h"
#include "sftp/proxy.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libssh/libssh.h>
#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define SOCKETS_MAX 64
#define ACCEPT_AT_ONCE 16
#define ACCEPT_PAUSE (VAN_SECOND / 5)
#define ADDRESS_TEXT 64
#define LEGACY_MAX 1024
#define PROXY_PATIENCE (5 * VAN_SECOND) /* for a PROXY header */

struct networks {
	struct van_cidr *v;
	size_t n;
};

struct child {
	struct sftpd_listener *of;
	struct child *next, **link;
	pid_t pid;
	int pidfd;
	struct loop_watch *watch;
	char peer[ADDRESS_TEXT];
};

/* A connection of a proxy, whose client isn't known yet. */
struct arriving {
	struct sftpd_listener *of;
	const struct accepting *at;
	struct arriving *next, **link;
	int fd;
	struct loop_watch *watch;
	struct loop_timer *deadline;
	char proxy[ADDRESS_TEXT];
};

struct accepting {
	struct sftpd_listener *of;
	uint64_t index;
	struct networks proxies;
	char *legacy; /* old algorithms for sessions that come here, with commas between them; NULL: none */
	int fd;
	struct loop_watch *watch;
	struct loop_timer *paused;
};

struct sftpd_listener {
	struct loop *loop;
	struct sftpd_limits limits;
	struct ipc_channel *store;
	ssh_bind keys, new_keys;
	size_t nnew_keys;
	struct sftpd_confinement *confinement;
	struct accepting sockets[SOCKETS_MAX];
	size_t nsockets;
	struct child *children;
	size_t nchildren;
	struct arriving *arriving;
	size_t narriving;
	struct networks banned;
};

struct sftpd_limits sftpd_limits_default(void)
{
	return (struct sftpd_limits){
		.connections = 4096,
		.connections_per_address = 64,
		.login_grace = 60 * VAN_SECOND,
		.idle = 600 * VAN_SECOND,
		.store_timeout = 60 * VAN_SECOND,
		.login_failures = 6,
		.key_offers = 20,
		.handles = 64,
		.channels = 10,
		.memory = (uint64_t)256 << 20,
		.passwords = true,
		.file_size = 0,
	};
}

/* Each session needs one here. The sessions lower their own. */
static void raise_descriptor_limit(void)
{
	struct rlimit r;
	if (getrlimit(RLIMIT_NOFILE, &r) == 0 && r.rlim_cur < r.rlim_max) {
		r.rlim_cur = r.rlim_max;
		setrlimit(RLIMIT_NOFILE, &r);
	}
}

struct sftpd_listener *sftpd_listener_new(struct loop *l, const struct sftpd_limits *limits, struct van_error *e)
{
	const char *why = "";
	struct sftpd_listener *s = calloc(1, sizeof *s);
	if (!s) {
		van_error_set(e, VAN_ENOMEM, "out of memory");
		return NULL;
	}
	s->loop = l;
	s->limits = *limits;
	raise_descriptor_limit();
	s->confinement = sftpd_confinement_new(&why);
	if (!s->confinement) {
		van_error_set(e, VAN_EINTERNAL, "%s", why);
		free(s);
		return NULL;
	}
	return s;
}

static void child_free(struct child *c)
{
	*c->link = c->next;
	if (c->next)
		c->next->link = c->link;
	c->of->nchildren--;
	loop_unwatch(c->watch);
	if (c->pidfd >= 0)
		close(c->pidfd);
	free(c);
}

static void arriving_free(struct arriving *a)
{
	*a->link = a->next;
	if (a->next)
		a->next->link = a->link;
	a->of->narriving--;
	loop_unwatch(a->watch);
	loop_cancel(a->deadline);
	if (a->fd >= 0)
		close(a->fd);
	free(a);
}

static int take_networks(struct networks *to, const struct slice_list *from)
{
	struct networks n = {.v = calloc(from->n + 1, sizeof *n.v)};
	if (!n.v)
		return VAN_ENOMEM;
	for (size_t i = 0; i < from->n; i++)
		n.n += van_cidr_parse(from->v[i], &n.v[n.n]) == 0;
	free(to->v);
	*to = n;
	return 0;
}

static bool within(const struct networks *n, const char *address)
{
	struct van_address a;
	if (!n->n || van_address_parse(slice_str(address), &a) < 0)
		return false;
	for (size_t i = 0; i < n->n; i++)
		if (van_cidr_contains(&n->v[i], &a))
			return true;
	return false;
}

int sftpd_listener_set_proxies(struct sftpd_listener *s, uint64_t index, const struct slice_list *networks)
{
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < s->nsockets; i++)
		if (s->sockets[i].index == index)
			rc = take_networks(&s->sockets[i].proxies, networks);
	return rc;
}

int sftpd_listener_set_legacy(struct sftpd_listener *s, uint64_t index, const struct slice_list *algorithms)
{
	struct van_buf text = VAN_BUF_INIT(LEGACY_MAX);
	for (size_t i = 0; i < algorithms->n; i++)
		van_buf_printf(&text, "%s%.*s", i ? "," : "", SLICE_ARG(algorithms->v[i]));
	int rc = van_buf_append_char(&text, '\0');
	for (size_t i = 0; rc == 0 && i < s->nsockets; i++) {
		struct accepting *a = &s->sockets[i];
		if (a->index != index)
			continue;
		free(a->legacy);
		a->legacy = algorithms->n ? strdup(text.p) : NULL;
		rc = algorithms->n && !a->legacy ? VAN_ENOMEM : 0;
	}
	van_buf_free(&text);
	return rc;
}

int sftpd_listener_set_bans(struct sftpd_listener *s, const struct slice_list *networks)
{
	return take_networks(&s->banned, networks);
}

void sftpd_listener_free(struct sftpd_listener *s)
{
	if (!s)
		return;
	while (s->arriving)
		arriving_free(s->arriving);
	free(s->banned.v);
	for (size_t i = 0; i < s->nsockets; i++) {
		loop_unwatch(s->sockets[i].watch);
		loop_cancel(s->sockets[i].paused);
		close(s->sockets[i].fd);
		free(s->sockets[i].proxies.v);
		free(s->sockets[i].legacy);
	}
	while (s->children)
		child_free(s->children);
	ssh_bind_free(s->keys);
	ssh_bind_free(s->new_keys);
	sftpd_confinement_free(s->confinement);
	free(s);
}

void sftpd_listener_set_limits(struct sftpd_listener *s, const struct sftpd_limits *limits)
{
	s->limits = *limits;
}

void sftpd_listener_set_store(struct sftpd_listener *s, struct ipc_channel *store)
{
	s->store = store;
}

int sftpd_listener_begin_keys(struct sftpd_listener *s)
{
	ssh_bind_free(s->new_keys);
	s->nnew_keys = 0;
	s->new_keys = sftpd_hostkeys_new();
	return s->new_keys ? 0 : VAN_ENOMEM;
}

int sftpd_listener_add_key(struct sftpd_listener *s, int fd, const char *path, struct van_error *e)
{
	int rc = sftpd_hostkeys_add(s->new_keys, fd, path, e);
	s->nnew_keys += rc == 0;
	return rc;
}

int sftpd_listener_use_keys(struct sftpd_listener *s, struct van_error *e)
{
	if (!s->nnew_keys)
		return van_error_set(e, VAN_EINVAL, "the SFTP listener has no host key: name one in host_keys");
	ssh_bind_free(s->keys);
	s->keys = s->new_keys;
	s->new_keys = NULL;
	return 0;
}

size_t sftpd_listener_sessions(const struct sftpd_listener *s)
{
	return s->nchildren;
}

void sftpd_listener_end_sessions(struct sftpd_listener *s)
{
	for (struct child *c = s->children; c; c = c->next)
		kill(c->pid, SIGTERM);
}

/* --- connections ------------------------------------------------------------------------------------------------------ */

static void on_exit_of_child(void *arg, uint32_t events)
{
	struct child *c = arg;
	int status = 0;
	(void)events;
	if (waitpid(c->pid, &status, WNOHANG) == 0)
		return;
	if (WIFSIGNALED(status) && WTERMSIG(status) != SIGTERM && WTERMSIG(status) != SIGALRM)
		log_event(LOG_LEVEL_ERROR, "session-crashed", "peer", c->peer, "signal", log_u64((unsigned long long)WTERMSIG(status)), NULL);
	child_free(c);
}

static const char *refusal(const struct sftpd_listener *s, const char *peer)
{
	uint32_t same = 0;
	for (const struct child *c = s->children; c; c = c->next)
		same += strcmp(c->peer, peer) == 0;
	if (!s->store)
		return "The mailboxes can't be reached just now: try again later\r\n";
	if (within(&s->banned, peer))
		return "Your address is banned: ask the network's operator\r\n";
	if (s->nchildren >= s->limits.connections)
		return "Too many connections: try again later\r\n";
	if (same >= s->limits.connections_per_address)
		return "Too many connections from your address: close some first\r\n";
	return NULL;
}

static struct child *child_new(struct sftpd_listener *s, const char *peer)
{
	struct child *c = calloc(1, sizeof *c);
	if (!c)
		return NULL;
	c->of = s;
	c->pidfd = -1;
	snprintf(c->peer, sizeof c->peer, "%s", peer);
	c->next = s->children;
	c->link = &s->children;
	if (c->next)
		c->next->link = &c->next;
	s->children = c;
	s->nchildren++;
	return c;
}

/* Forks without exec: a fresh image would have to load the libraries and parse the keys again, which costs more than the
 * rest of a log-in (doc/decisions/0011-sftp-sessions-fork.md). */
static int start_session(struct sftpd_listener *s, struct child *c, int client, const char *legacy)
{
	int pair[2];
	int rc = ipc_pair(pair);
	if (rc < 0)
		return rc;
	struct ipc_session_open open = {.peer = slice_str(c->peer)};
	rc = ipc_send(s->store, IPC_SESSION_OPEN, 0, &ipc_session_open_table, &open, &pair[1], 1);
	if (rc == 0 && (c->pid = fork()) == 0) {
		struct sftpd_session_start start = {s->keys, s->confinement, &s->limits, client, pair[0], c->peer, legacy};
		_exit(sftpd_session_run(&start));
	}
	if (rc == 0 && c->pid < 0)
		rc = van_err_from_errno(errno);
	close(pair[0]);
	close(pair[1]);
	if (rc < 0)
		return rc;
	c->pidfd = (int)syscall(SYS_pidfd_open, c->pid, 0);
	c->watch = c->pidfd >= 0 ? loop_watch(s->loop, c->pidfd, EPOLLIN, on_exit_of_child, c) : NULL;
	if (!c->watch) { /* nobody would notice its end */
		kill(c->pid, SIGKILL);
		waitpid(c->pid, NULL, 0);
		return VAN_ELIMIT;
	}
	return 0;
}

/* The descriptor stays the caller's. */
static void take_connection(const struct accepting *at, int client, const char *peer)
{
	struct sftpd_listener *s = at->of;
	const char *no = refusal(s, peer);
	if (no) {
		log_event(LOG_LEVEL_WARNING, "connection-refused", "peer", peer, "reason", no, NULL);
		send(client, no, strlen(no), MSG_NOSIGNAL | MSG_DONTWAIT);
		return;
	}
	struct child *c = child_new(s, peer);
	int rc = c ? start_session(s, c, client, at->legacy) : VAN_ENOMEM;
	if (rc < 0) {
		log_event(LOG_LEVEL_ERROR, "session-start-failed", "peer", peer, "error", van_err_name(rc), NULL);
		if (c)
			child_free(c);
	}
}

/* --- behind a proxy --------------------------------------------------------------------------------------------------- */

static void give_up_arriving(void *arg)
{
	struct arriving *a = arg;
	a->deadline = NULL;
	log_event(LOG_LEVEL_WARNING, "proxy-header-missing", "proxy", a->proxy, NULL);
	arriving_free(a);
}

/* Looks without taking: what follows the header is the client's. */
static void on_proxy_header(void *arg, uint32_t events)
{
	struct arriving *a = arg;
	unsigned char bytes[SFTPD_PROXY_MAX];
	char client[VAN_CIDR_TEXT];
	size_t used = 0;
	(void)events;
	ssize_t n = recv(a->fd, bytes, sizeof bytes, MSG_PEEK | MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	enum sftpd_proxy_result r = n > 0 ? sftpd_proxy_read(bytes, (size_t)n, client, &used) : SFTPD_PROXY_BAD;
	if (r == SFTPD_PROXY_MORE)
		return;
	if (r == SFTPD_PROXY_BAD) {
		if (n > 0)
			log_event(LOG_LEVEL_WARNING, "proxy-header-refused", "proxy", a->proxy, NULL);
	} else if (recv(a->fd, bytes, used, MSG_DONTWAIT) == (ssize_t)used) {
		take_connection(a->at, a->fd, r == SFTPD_PROXY_ADDRESS ? client : a->proxy);
	}
	arriving_free(a);
}

/* Takes the descriptor over. The session's process wants it blocking, as accept gave it. */
static void await_header(const struct accepting *at, int client, const char *proxy)
{
	struct sftpd_listener *s = at->of;
	struct arriving *a = s->narriving < s->limits.connections ? calloc(1, sizeof *a) : NULL;
	if (!a) {
		close(client);
		return;
	}
	*a = (struct arriving){.of = s, .at = at, .fd = client, .next = s->arriving, .link = &s->arriving};
	snprintf(a->proxy, sizeof a->proxy, "%s", proxy);
	if (a->next)
		a->next->link = &a->next;
	s->arriving = a;
	s->narriving++;
	a->watch = loop_watch(s->loop, client, EPOLLIN | EPOLLET, on_proxy_header, a);
	a->deadline = loop_after(s->loop, PROXY_PATIENCE, give_up_arriving, a);
	if (!a->watch || !a->deadline)
		arriving_free(a);
}

static void resume(void *arg)
{
	struct accepting *a = arg;
	a->paused = NULL;
	loop_watch_change(a->watch, EPOLLIN);
}

/* Out of descriptors: connections wait in the kernel's queue until sessions have ended. */
static void pause_accepting(struct accepting *a)
{
	log_event(LOG_LEVEL_ERROR, "accept-failed", "error", strerror(errno), NULL);
	a->paused = loop_after(a->of->loop, ACCEPT_PAUSE, resume, a);
	if (a->paused)
		loop_watch_change(a->watch, 0);
}

static void on_connection(void *arg, uint32_t events)
{
	struct accepting *a = arg;
	(void)events;
	for (int i = 0; i < ACCEPT_AT_ONCE; i++) {
		struct sockaddr_storage address;
		socklen_t n = sizeof address;
		int client = accept4(a->fd, (struct sockaddr *)&address, &n, SOCK_CLOEXEC);
		if (client < 0) {
			if (errno != EAGAIN && errno != EWOULDBLOCK && errno != ECONNABORTED && errno != EINTR)
				pause_accepting(a);
			return;
		}
		char peer[ADDRESS_TEXT] = "unknown";
		getnameinfo((const struct sockaddr *)&address, n, peer, sizeof peer, NULL, 0, NI_NUMERICHOST);
		if (within(&a->proxies, peer)) {
			await_header(a, client, peer);
			continue;
		}
		take_connection(a, client, peer);
		close(client);
	}
}

int sftpd_listener_add_socket(struct sftpd_listener *s, int fd, uint64_t index)
{
	if (s->nsockets == SOCKETS_MAX || fd_set_nonblock(fd) < 0) {
		close(fd);
		return VAN_ELIMIT;
	}
	struct accepting *a = &s->sockets[s->nsockets];
	*a = (struct accepting){.of = s, .index = index, .fd = fd};
	a->watch = loop_watch(s->loop, fd, EPOLLIN, on_connection, a);
	if (!a->watch) {
		close(fd);
		return VAN_ENOMEM;
	}
	s->nsockets++;
	return 0;
}
