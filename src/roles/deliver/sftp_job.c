#include "roles/deliver/sftp_job.h"

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif
#include "base/error.h"
#include "base/fdio.h"
#include "base/log.h"
#include "roles/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define JOBS_MAX 64 /* further pushes are tried again later, further polls at their next time */
#define MEMORY ((rlim_t)512 << 20)
#define CREDENTIAL_MAX ((size_t)1 << 20)
#define REPORT_MAX 1000

struct sftp_job {
	struct deliver *d;
	struct sftp_job *next, **place;
	pid_t pid;
	int report; /* its end of file is the end of the process */
	struct loop_watch *watch;
	bool told;        /* what came of it */
	uint64_t request; /* a push: of IPC_DELIVER; 0: a poll */
	char name[128];   /* for logs */
};

/* What the child works with; gone in the parent after the fork. */
struct work {
	struct van_arena *arena;
	struct van_buf key, password;
	struct ipc_deliver push;
	struct ipc_poll poll;
	const struct ipc_sftp_server *server;
	int fd; /* body or channel */
	bool piped; /* the body comes through a pipe, its stretch alone */
};

static void work_free(struct work *w)
{
	van_arena_free(w->arena);
	if (w->key.p)
		explicit_bzero(w->key.p, w->key.n);
	if (w->password.p)
		explicit_bzero(w->password.p, w->password.n);
	van_buf_free(&w->key);
	van_buf_free(&w->password);
	if (w->fd >= 0)
		close(w->fd);
}

/* `begun`: a server was spoken to. */
static void answer(struct deliver *d, uint64_t request, bool ok, bool begun, const char *text)
{
	struct ipc_delivered r = {.answered = ok, .status = ok ? 200 : 0, .error = slice_str(text), .not_ready = !begun};
	if (d->store)
		ipc_send(d->store, IPC_DELIVERED, request, &ipc_delivered_table, &r, NULL, 0);
}

/* --- the child ------------------------------------------------------------------------------------------------------------------- */

static void limit(int resource, rlim_t n)
{
	struct rlimit r = {n, n};
	setrlimit((__rlimit_resource_t)resource, &r);
}

/* Only its own descriptors, bounded memory, no core: it holds a credential and reads what a foreign server sends. */
static int confine(int fds[2])
{
	int rc = fd_keep_only(fds, 2);
	signal(SIGALRM, SIG_DFL);
	signal(SIGPIPE, SIG_IGN);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	limit(RLIMIT_CORE, 0);
#ifndef VAN_SANITIZERS
	prctl(PR_SET_DUMPABLE, 0);
#endif
	return rc < 0 ? rc : sandbox_enter(SANDBOX_TRANSFER, MEMORY);
}

/* Reads our stretch of the body into a pipe, in a process that hears nothing from anybody. */
static int feed(const struct work *w, int to)
{
	char block[PIPE_BUF];
	int fds[2] = {w->fd, to};
	int rc = confine(fds);
	for (uint64_t at = 0; rc == 0 && at < w->push.bytes; at += sizeof block) {
		size_t n = w->push.bytes - at < sizeof block ? (size_t)(w->push.bytes - at) : sizeof block;
		rc = fd_pread_all(fds[0], block, n, (off_t)(w->push.offset + at));
		if (rc == 0)
			rc = fd_write_all(fds[1], block, n);
	}
	return rc < 0;
}

/* A body that is one of several in its file is read through a pipe: who speaks with one partner's server holds nothing of the
 * others. The descriptor to read from, or negative. */
static int own_part(struct work *w)
{
	int ends[2];
	uint64_t size;
	if (w->fd < 0 || w->push.body.p || (fd_size(w->fd, &size) == 0 && w->push.offset == 0 && w->push.bytes == size))
		return w->fd;
	if (pipe2(ends, O_CLOEXEC) < 0)
		return van_err_from_errno(errno);
	pid_t pid = fork();
	if (pid == 0)
		_exit(feed(w, ends[1]));
	close(ends[1]);
	w->piped = true;
	return pid > 0 ? ends[0] : VAN_ELIMIT;
}

static int run_child(struct work *w, bool push, int report)
{
	char text[REPORT_MAX] = "1";
	struct sftp_client c;
	int body = push ? own_part(w) : w->fd;
	if (body < 0 && w->fd >= 0)
		return 1;
	int fds[2] = {report, body >= 0 ? body : report};
	int rc = confine(fds);
	if (rc < 0)
		return 1;
	rc = sftp_client_open(&c, w->server, w->key.n ? slice_make(w->key.p, w->key.n) : SLICE_NONE, van_buf_slice(&w->password));
	if (rc == 0 && push)
		rc = sftp_push(&c, &w->push, fds[1], w->piped);
	else if (!push && rc < 0)
		sftp_poll_not_begun(fds[1], c.error);
	else if (rc == 0)
		rc = sftp_poll(&c, &w->poll, fds[1], text + 1, sizeof text - 1);
	if (rc < 0 && !text[1])
		snprintf(text, sizeof text, "0%s", c.error[0] ? c.error : van_err_name(rc));
	else if (rc < 0)
		text[0] = '0';
	if (write(fds[0], text, strlen(text)) < 0)
		return 1;
	alarm(5); /* for the farewell */
	sftp_client_close(&c);
	return 0;
}

/* --- the parent -------------------------------------------------------------------------------------------------------------------- */

static void job_free(struct sftp_job *j)
{
	*j->place = j->next;
	if (j->next)
		j->next->place = j->place;
	j->d->nsftp_jobs--;
	loop_unwatch(j->watch);
	close(j->report);
	free(j);
}

static void on_report(void *arg, uint32_t events)
{
	struct sftp_job *j = arg;
	char text[REPORT_MAX];
	int status = 0;
	(void)events;
	ssize_t n = read(j->report, text, sizeof text - 1);
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n <= 0) {
		waitpid(j->pid, &status, 0);
		n = 0;
	}
	text[n] = 0;
	if (n == 0 && j->told) { /* its farewell is over, too */
		job_free(j);
		return;
	}
	if (n == 0) { /* it ended without a word: killed, or it made no progress */
		bool slow = WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM;
		snprintf(text, sizeof text, "0%s", slow ? "the server made no progress: given up" : "the process that spoke with the server ended");
	}
	log_event(text[0] != '1' ? LOG_LEVEL_WARNING : j->request ? LOG_LEVEL_INFO : LOG_LEVEL_DEBUG, j->request ? "sftp-push" : "sftp-poll", "of", j->name, "result",
		  text[0] == '1' && !text[1] ? "done" : text + 1, NULL);
	if (j->request)
		answer(j->d, j->request, text[0] == '1', true, text + 1);
	j->told = true;
	if (n == 0)
		job_free(j);
}

static int take_credential(struct deliver *d, struct slice path, struct van_buf *to)
{
	*to = VAN_BUF_INIT(CREDENTIAL_MAX);
	return path.p ? credential_read(d, path, to) : 0;
}

/* 0, or negative with *ret_why. */
static int start(struct deliver *d, struct work *w, bool push, uint64_t request, struct slice name, const char **ret_why)
{
	int ends[2];
	struct sftp_job *j = d->nsftp_jobs < JOBS_MAX ? calloc(1, sizeof *j) : NULL;
	*ret_why = "too many transfers at one time: tried again later";
	if (!j)
		return VAN_ELIMIT;
	*ret_why = "the credential could not be read: see vand's log";
	int rc = take_credential(d, w->server->key, &w->key);
	if (rc == 0)
		rc = take_credential(d, w->server->password_file, &w->password);
	if (rc == 0 && pipe2(ends, O_CLOEXEC) < 0) {
		*ret_why = "no process could be started: tried again later";
		rc = VAN_ELIMIT;
	}
	if (rc < 0) {
		free(j);
		return rc;
	}
	j->pid = fork();
	if (j->pid == 0)
		_exit(run_child(w, push, ends[1]));
	close(ends[1]);
	*j = (struct sftp_job){.d = d, .pid = j->pid, .report = ends[0], .request = request, .next = d->sftp_jobs, .place = &d->sftp_jobs};
	snprintf(j->name, sizeof j->name, "%.*s", SLICE_ARG(name));
	if (j->next)
		j->next->place = &j->next;
	d->sftp_jobs = j;
	d->nsftp_jobs++;
	j->watch = j->pid > 0 ? loop_watch(d->role->loop, j->report, EPOLLIN | EPOLLHUP, on_report, j) : NULL;
	if (j->watch)
		return 0;
	if (j->pid > 0) {
		kill(j->pid, SIGKILL);
		waitpid(j->pid, NULL, 0);
	}
	*ret_why = "no process could be started: tried again later";
	job_free(j);
	return VAN_ELIMIT;
}

/* Decodes into the arena, which outlives the message's buffer. */
static int open_work(struct work *w, struct ipc_message *m, const struct record_table *t, void *to)
{
	*w = (struct work){.arena = van_arena_new(0), .fd = ipc_take_fd(m, 0)};
	struct slice body = w->arena ? van_arena_slice(w->arena, m->body) : SLICE_NONE;
	return body.p ? record_decode(t, body, w->arena, to) : VAN_ENOMEM;
}

void sftp_job_push(struct deliver *d, struct ipc_message *m)
{
	struct work w;
	struct ipc_deliver what;
	const char *why = "the request can't be read";
	uint64_t request = m->request;
	int rc = open_work(&w, m, &ipc_deliver_table, &what);
	w.push = what;
	w.server = rc == 0 ? what.server : NULL;
	if (rc == 0)
		rc = w.server ? start(d, &w, true, request, what.delivery, &why) : VAN_EINVAL;
	if (rc < 0)
		answer(d, request, false, false, why);
	work_free(&w);
}

void sftp_job_poll(struct deliver *d, struct ipc_message *m)
{
	struct work w;
	struct ipc_poll what;
	const char *why = "the request can't be read";
	int rc = open_work(&w, m, &ipc_poll_table, &what);
	w.poll = what;
	w.server = rc == 0 ? what.server : NULL;
	if (rc == 0)
		rc = w.server && w.fd >= 0 ? start(d, &w, false, 0, what.connection, &why) : VAN_EINVAL;
	if (rc < 0)
		log_event(LOG_LEVEL_WARNING, "sftp-poll", "of", rc == 0 ? log_slice(what.connection) : "", "result", why, NULL);
	work_free(&w); /* closes the channel: where nothing was started, the store knows that the poll is over */
}

void sftp_jobs_cancel_all(struct deliver *d)
{
	while (d->sftp_jobs) {
		kill(d->sftp_jobs->pid, SIGKILL);
		waitpid(d->sftp_jobs->pid, NULL, 0);
		job_free(d->sftp_jobs);
	}
}
