#include "roles/sftp/session.h"

#include "base/log.h"
#include "roles/sftp/algorithms.h"
#include "roles/sftp/channel.h"
#include "roles/sftp/mailbox.h"

#include <errno.h>
#include <libssh/callbacks.h>
#include <malloc.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define TICK 1000 /* milliseconds between looks at the clock */
#define OWED 5    /* milliseconds that the store is left untold of what it needn't answer */
#define PASSWORD_METHODS (SSH_AUTH_METHOD_PASSWORD | SSH_AUTH_METHOD_INTERACTIVE)
#define PROBE_AFTER 60 /* seconds of silence before TCP asks whether the client is still there */
#define PROBE_EVERY 15
#define PROBES 4

struct session {
	const struct sftpd_limits *limits;
	ssh_session ssh;
	ssh_event event;
	struct ssh_server_callbacks_struct server; /* libssh keeps pointers: one set for each session */
	struct sftpd_store store;
	struct sftpd_login login;
	struct sftpd_channels channels;
	bool over;            /* the session must end */
	van_time started;
	char *asked_user; /* keyboard-interactive: who is asked for a password */
	char told_why[256]; /* by the store, when it ended the session */
	const char *reason; /* why it ended, for the log */
};

/* The process is one session, so there is but one. */
static volatile sig_atomic_t told_to_stop;

static void on_terminate(int number)
{
	(void)number;
	told_to_stop = 1;
}

static void end(struct session *s, const char *reason)
{
	if (!s->over)
		s->reason = reason;
	s->over = true;
}

/* --- log-in ----------------------------------------------------------------------------------------------------------- */

/* What libssh tells the client. After a half of what is asked for, only the other half is offered. */
static int told(struct session *s, enum sftpd_login_result r)
{
	if (s->login.give_up)
		end(s, s->login.give_up);
	if (r == SFTPD_LOGIN_PARTIAL)
		ssh_set_auth_methods(s->ssh, strcmp(s->login.next, "key") == 0 ? SSH_AUTH_METHOD_PUBLICKEY : PASSWORD_METHODS);
	return r == SFTPD_LOGIN_YES ? SSH_AUTH_SUCCESS : r == SFTPD_LOGIN_PARTIAL ? SSH_AUTH_PARTIAL : SSH_AUTH_DENIED;
}

static int on_password(ssh_session ssh, const char *user, const char *password, void *arg)
{
	struct session *s = arg;
	(void)ssh;
	return told(s, sftpd_login_password(&s->login, user, password));
}

/* Comes twice: first the key is only offered, then with a signature. */
static int on_key(ssh_session ssh, const char *user, struct ssh_key_struct *key, char state, void *arg)
{
	struct session *s = arg;
	(void)ssh;
	if (state == SSH_PUBLICKEY_STATE_NONE)
		return told(s, sftpd_login_offer(&s->login, user, key));
	return told(s, sftpd_login_key(&s->login, user, key, state == SSH_PUBLICKEY_STATE_VALID));
}

/* Keyboard-interactive is a password by another name: one question, one answer. libssh has no callback of its own for it.
 * 0: answered; 1: libssh refuses. */
static int on_message(ssh_session ssh, ssh_message m, void *arg)
{
	struct session *s = arg;
	const char *prompts[] = {"Password: "};
	char echo[] = {0};
	if (ssh_message_type(m) != SSH_REQUEST_AUTH || ssh_message_subtype(m) != SSH_AUTH_METHOD_INTERACTIVE || !s->limits->passwords ||
	    s->login.authenticated || s->over)
		return 1;
	if (!ssh_message_auth_kbdint_is_response(m)) {
		const char *user = ssh_message_auth_user(m);
		free(s->asked_user);
		s->asked_user = user ? strdup(user) : NULL;
		return !s->asked_user || ssh_message_auth_interactive_request(m, "", "", 1, prompts, echo) != SSH_OK;
	}
	const char *password = ssh_userauth_kbdint_getnanswers(ssh) == 1 ? ssh_userauth_kbdint_getanswer(ssh, 0) : NULL;
	if (!s->asked_user || !password)
		return 1;
	int rc = told(s, sftpd_login_password(&s->login, s->asked_user, password));
	free(s->asked_user); /* one question for each answer */
	s->asked_user = NULL;
	if (rc == SSH_AUTH_DENIED)
		return 1;
	ssh_message_auth_reply_success(m, rc == SSH_AUTH_PARTIAL);
	return 0;
}

static ssh_channel on_open(ssh_session ssh, void *arg)
{
	struct session *s = arg;
	(void)ssh;
	return s->login.authenticated && !s->over ? sftpd_channels_open(&s->channels) : NULL;
}

/* --- the session ------------------------------------------------------------------------------------------------------ */

static void take_limits(struct session *s, struct ipc_message *m)
{
	struct ipc_session_limits l;
	int fd = ipc_take_fd(m, 0);
	if (record_decode(&ipc_session_limits_table, m->body, s->store.arena, &l) == 0) {
		sftpd_login_limits(&s->login, &l, fd);
		if (s->channels.mailbox)
			sftpd_mailbox_limit(s->channels.mailbox, s->limits, l.max_message);
		log_event(LOG_LEVEL_INFO, "limits-changed", "bandwidth", log_u64(l.bandwidth), "max_message", log_u64(l.max_message), NULL);
	}
	if (fd >= 0)
		close(fd);
}

/* The end, or other limits; also while an answer is awaited. */
static void on_unasked(void *arg, struct ipc_message *m)
{
	struct session *s = arg;
	struct ipc_session_end why;
	van_arena_reset(s->store.arena);
	if (m->type == IPC_SESSION_LIMITS) {
		take_limits(s, m);
	} else if (m->type == IPC_SESSION_END && record_decode(&ipc_session_end_table, m->body, s->store.arena, &why) == 0) {
		snprintf(s->told_why, sizeof s->told_why, "%.*s", SLICE_ARG(why.reason));
		end(s, s->told_why);
	}
}

static int on_store(socket_t fd, int events, void *arg)
{
	struct session *s = arg;
	struct ipc_message m;
	(void)fd, (void)events; /* answers are awaited where they are asked for: what else comes here nobody asked for */
	int rc = ipc_receive(s->store.channel, 0, &m);
	if (rc == VAN_ETIMEOUT) /* somebody who awaited an answer took it meanwhile */
		return 0;
	if (rc > 0)
		on_unasked(s, &m);
	for (size_t i = 0; rc > 0 && i < m.nfds; i++)
		if (m.fds[i] >= 0)
			close(ipc_take_fd(&m, i));
	s->store.gone = rc <= 0 || m.type != IPC_SESSION_LIMITS;
	return 0;
}

/* The connection is gone, which is as it should be once all conversations have ended. */
static const char *how_it_went(const struct session *s)
{
	return s->channels.left ? "the client closed the session" : "the connection was lost";
}

static void serve_once(struct session *s)
{
	if (!sftpd_channels_work(&s->channels)) {
		log_flush(); /* the client has its answer */
		if (ssh_event_dopoll(s->event, s->store.owed_type ? OWED : TICK) == SSH_ERROR)
			end(s, how_it_went(s));
	}
	sftpd_store_pay(&s->store, OWED * VAN_SECOND / 1000);
	if (!s->over && told_to_stop)
		end(s, "the server is stopping: log in again later");
	if (!s->over && s->store.gone)
		end(s, "the mailboxes can't be reached just now: log in again later");
	if (!s->over && s->channels.broken)
		end(s, s->channels.broken);
	if (!s->over && !ssh_is_connected(s->ssh))
		end(s, how_it_went(s));
	if (!s->over && van_clock_monotonic() - s->channels.last_heard > s->limits->idle)
		end(s, "nothing came for too long");
	if (!s->over && s->limits->session && van_clock_monotonic() - s->started > s->limits->session)
		end(s, "the session lasted too long: log in again");
}

/* libssh answers nothing to a signature whose kind it doesn't take, so that the client would wait until its time is up. */
static void answer_for_libssh(struct session *s)
{
	struct slice algorithm = s->over || s->login.authenticated ? SLICE_NONE : sftpd_algorithms_refused_signature(s->ssh);
	if (!algorithm.p)
		return;
	sftpd_login_refused_signature(&s->login, algorithm);
	end(s, "Your key signs with SHA-1 or another algorithm that is not taken here: use newer software, or a key of type ed25519 or ecdsa");
}

static void serve(struct session *s)
{
	van_time deadline = van_clock_monotonic() + s->limits->login_grace;
	s->started = s->channels.last_heard = van_clock_monotonic();
	while (!s->over && !s->login.authenticated) {
		serve_once(s);
		answer_for_libssh(s);
		if (van_clock_monotonic() > deadline)
			end(s, "nobody logged in in time");
	}
	alarm(0);
	log_hold(true);
	while (!s->over)
		serve_once(s);
	log_hold(false);
	if (ssh_is_connected(s->ssh))
		sftpd_channels_flush(&s->channels);
}

static int set_up(struct session *s, struct sftpd_session_start *start)
{
	long seconds = (long)(s->limits->idle / VAN_SECOND);
	s->server = (struct ssh_server_callbacks_struct){
		.userdata = s,
		.auth_password_function = on_password,
		.auth_pubkey_function = on_key,
		.channel_open_request_session_function = on_open,
	};
	ssh_callbacks_init(&s->server);
	s->ssh = ssh_new();
	s->event = ssh_event_new();
	if (!s->ssh || !s->event || sftpd_store_open(&s->store, start->store, s->limits->store_timeout) < 0)
		return VAN_ENOMEM;
	s->login.store = &s->store;
	s->login.limits = s->limits;
	s->channels = (struct sftpd_channels){.ssh = s->ssh, .limits = s->limits, .login = &s->login, .store = &s->store};
	s->store.unasked = on_unasked;
	s->store.unasked_arg = s;
	if (ssh_options_set(s->ssh, SSH_OPTIONS_TIMEOUT, &seconds) != SSH_OK ||
	    ssh_set_server_callbacks(s->ssh, &s->server) != SSH_OK || ssh_bind_accept_fd(start->keys, s->ssh, start->client) != SSH_OK ||
	    (start->legacy && sftpd_algorithms_allow(s->ssh, start->legacy) != SSH_OK))
		return VAN_EINTERNAL;
	ssh_set_message_callback(s->ssh, on_message, s);
	ssh_set_auth_methods(s->ssh, SSH_AUTH_METHOD_PUBLICKEY | (s->limits->passwords ? PASSWORD_METHODS : 0));
	return 0;
}

static int talk(struct session *s, const struct sftpd_confinement *c)
{
	int rc = sftpd_confine_calls(c);
	if (rc < 0) {
		s->reason = "the system call filter could not be installed";
		return rc;
	}
	if (ssh_handle_key_exchange(s->ssh) != SSH_OK) {
		s->reason = ssh_get_error(s->ssh);
		if (sftpd_algorithms_log_mismatch(s->ssh, s->reason))
			s->reason = "the client has no algorithm in common with this listener";
		return VAN_ECRYPTO;
	}
	s->login.client = ssh_get_clientbanner(s->ssh);
	sftpd_algorithms_old(s->ssh, &s->login.old_algorithms);
	if (ssh_event_add_session(s->event, s->ssh) != SSH_OK ||
	    ssh_event_add_fd(s->event, ipc_channel_fd(s->store.channel), POLLIN | POLLHUP, on_store, s) != SSH_OK)
		return VAN_ENOMEM;
	serve(s);
	return 0;
}

static void say_goodbye(struct session *s)
{
	if (!s->ssh || !ssh_is_connected(s->ssh))
		return;
	ssh_session_set_disconnect_message(s->ssh, s->reason ? s->reason : "The session ends");
	ssh_disconnect(s->ssh);
}

static unsigned long long milliseconds(struct timeval t)
{
	return (unsigned long long)t.tv_sec * 1000 + (unsigned long long)t.tv_usec / 1000;
}

static void log_end(const struct session *s, int rc)
{
	struct rusage u = {0};
	getrusage(RUSAGE_SELF, &u);
	log_event(rc < 0 ? LOG_LEVEL_WARNING : LOG_LEVEL_INFO, "session-end", "reason", s->reason ? s->reason : van_err_name(rc), "user_ms",
		  log_u64(milliseconds(u.ru_utime)), "system_ms", log_u64(milliseconds(u.ru_stime)), "memory_kb",
		  log_u64((unsigned long long)u.ru_maxrss), NULL);
}

static void prepare_socket(int fd, const struct sftpd_limits *l)
{
	const struct {
		int level, option, value;
	} options[] = {
		/* Before libssh sees the socket: otherwise every log-in waits for delayed acknowledgements. */
		{IPPROTO_TCP, TCP_NODELAY, 1},
		/* A client that is gone without a word is noticed within two minutes. */
		{SOL_SOCKET, SO_KEEPALIVE, 1},
		{IPPROTO_TCP, TCP_KEEPIDLE, PROBE_AFTER},
		{IPPROTO_TCP, TCP_KEEPINTVL, PROBE_EVERY},
		{IPPROTO_TCP, TCP_KEEPCNT, PROBES},
	};
	for (size_t i = 0; i < sizeof options / sizeof *options; i++)
		setsockopt(fd, options[i].level, options[i].option, &options[i].value, sizeof options[i].value);
	/* Whoever reads nothing is not waited for longer than whoever sends nothing. */
	struct timeval patience = {.tv_sec = (time_t)(l->idle / VAN_SECOND)};
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
}

int sftpd_session_run(struct sftpd_session_start *start)
{
	struct session s = {.limits = start->limits};
	int fds[2] = {start->client, start->store};
	log_context("peer", start->peer);
	signal(SIGTERM, on_terminate);
	mallopt(M_ARENA_MAX, 1); /* one for each thread would take address space that is bounded */
	signal(SIGPIPE, SIG_IGN);
	alarm((unsigned)(start->limits->login_grace / VAN_SECOND) + 1); /* the key exchange blocks: the signal ends it */
	int rc = sftpd_confine_process(start->limits, fds, 2);
	start->client = fds[0];
	start->store = fds[1];
	prepare_socket(start->client, start->limits);
	if (rc == 0)
		rc = set_up(&s, start);
	if (rc == 0)
		rc = talk(&s, start->confinement);
	log_end(&s, rc);
	sftpd_channels_free(&s.channels);
	say_goodbye(&s);
	return rc < 0;
}
