#include "roles/sftp/channel.h"

#include "base/log.h"
#include "roles/sftp/mailbox.h"

#include <libssh/callbacks.h>
#include <libssh/server.h>
#include <stdlib.h>
#include <time.h>

#define READ_AT_ONCE ((uint32_t)256 << 10)
#define SETTLE (5 * VAN_SECOND)
#define NO_COMMANDS                                                                                                              \
	"This is an SFTP mailbox: it runs no commands. Use sftp, or scp without -O (OpenSSH 9 and later); rsync can't work here."

struct sftpd_channel {
	struct sftpd_channels *of;
	struct sftpd_channel *next;
	ssh_channel ssh;
	struct ssh_channel_callbacks_struct callbacks; /* libssh keeps a pointer */
	struct sftpd *engine; /* NULL until SFTP was asked for */
	bool terminal;	      /* the client's, so lines must begin at its left */
	bool refused;	      /* a command was asked for */
	bool waiting_input;   /* libssh holds bytes that the engine had no room for */
	bool at_end;	      /* the client sends no more */
	bool closed;	      /* ... and takes no more; libssh calls it open until what came before was read, but sends nothing */
	char *left_over;      /* what came while output waited, READ_AT_ONCE bytes; NULL until there was some */
	uint32_t left_at, left_n;
};

static void broken(struct sftpd_channels *s, const char *reason)
{
	if (!s->broken)
		s->broken = reason;
}

/* --- what libssh calls -------------------------------------------------------------------------------------------------------- */

/* 0, or 1 to refuse. */
static int begin_sftp(struct sftpd_channel *c)
{
	struct sftpd_channels *s = c->of;
	struct sftpd_options o = {.handles_max = s->limits->handles, .handles_open = &s->handles, .owner = s->login->partner};
	if (c->engine || c->refused)
		return 1;
	if (!s->mailbox)
		s->mailbox = sftpd_mailbox_new(s->store, &s->login->reply, s->limits, van_clock_now());
	c->engine = s->mailbox ? sftpd_new(&o, &sftpd_mailbox_ops, s->mailbox) : NULL;
	if (!c->engine)
		broken(s, "the mailbox could not be opened");
	return !c->engine;
}

static int on_subsystem(ssh_session ssh, ssh_channel channel, const char *name, void *arg)
{
	(void)ssh, (void)channel;
	return strcmp(name, "sftp") == 0 ? begin_sftp(arg) : 1;
}

/* Old clients start SFTP by the path of a server's program (sftp -s, WinSCP's setting "SFTP server"). */
static bool is_sftp_server(const char *command)
{
	struct slice rest = slice_str(command), program = slice_cut(&rest, ' ');
	for (size_t i = program.n; i > 0; i--)
		if (program.p[i - 1] == '/')
			return slice_is(slice_make(program.p + i, program.n - i), "sftp-server");
	return slice_is(program, "sftp-server") || slice_is(program, "internal-sftp");
}

/* The answer is no, but in words, which a request that is merely refused hasn't. */
static int refuse(struct sftpd_channel *c, const char *command)
{
	if (c->engine || c->refused)
		return 1;
	log_event(LOG_LEVEL_INFO, "command-refused", "command", command, NULL);
	c->refused = true;
	return 0;
}

static int on_exec(ssh_session ssh, ssh_channel channel, const char *command, void *arg)
{
	(void)ssh, (void)channel;
	return is_sftp_server(command) ? begin_sftp(arg) : refuse(arg, command);
}

static int on_shell(ssh_session ssh, ssh_channel channel, void *arg)
{
	(void)ssh, (void)channel;
	return refuse(arg, "a shell");
}

static int on_terminal(ssh_session ssh, ssh_channel channel, const char *term, int width, int height, int pxwidth, int pxheight, void *arg)
{
	struct sftpd_channel *c = arg;
	(void)ssh, (void)channel, (void)term, (void)width, (void)height, (void)pxwidth, (void)pxheight;
	c->terminal = true;
	return 0;
}

/* Clients set their locale, which means nothing here. */
static int on_environment(ssh_session ssh, ssh_channel channel, const char *name, const char *value, void *arg)
{
	(void)ssh, (void)channel, (void)name, (void)value, (void)arg;
	return 1;
}

/* Keeps the mailbox's bandwidth. */
static void pace(const struct sftpd_channels *s, uint64_t bytes)
{
	van_time wait = s->login->reply.bandwidth ? throttle_take(s->login->throttle, bytes, s->login->reply.bandwidth, van_clock_monotonic()) : 0;
	if (wait > 0)
		nanosleep(&(struct timespec){.tv_sec = (time_t)(wait / VAN_SECOND), .tv_nsec = (long)(wait % VAN_SECOND) * 1000}, NULL);
}

static uint32_t take_input(struct sftpd_channel *c, const void *p, uint32_t n)
{
	struct van_error e;
	size_t taken = 0;
	if (sftpd_input(c->engine, p, n, van_clock_now(), &taken, &e) < 0) {
		log_event(LOG_LEVEL_WARNING, "protocol-error", "error", e.text, NULL);
		broken(c->of, "what the client sent is not SFTP");
		return n;
	}
	pace(c->of, taken);
	return (uint32_t)taken;
}

/* Returns how much was used; libssh keeps the rest. */
static int on_data(ssh_session ssh, ssh_channel channel, void *data, uint32_t n, int is_error, void *arg)
{
	struct sftpd_channel *c = arg;
	(void)ssh, (void)channel;
	if (!c->engine || is_error || c->of->broken)
		return (int)n;
	c->of->last_heard = van_clock_monotonic();
	if (c->of->sending || c->left_at < c->left_n) {
		c->waiting_input = true;
		return 0;
	}
	uint32_t used = take_input(c, data, n);
	c->waiting_input = used < n;
	return (int)used;
}

/* What it sent before is still served. */
static void on_eof(ssh_session ssh, ssh_channel channel, void *arg)
{
	struct sftpd_channel *c = arg;
	(void)ssh, (void)channel;
	c->at_end = true;
}

static void on_close(ssh_session ssh, ssh_channel channel, void *arg)
{
	struct sftpd_channel *c = arg;
	(void)ssh, (void)channel;
	c->at_end = c->closed = true;
}

/* Is anybody there for whom output waits? */
static bool is_open(const struct sftpd_channel *c)
{
	return !c->closed && ssh_channel_is_open(c->ssh);
}

ssh_channel sftpd_channels_open(struct sftpd_channels *s)
{
	if (s->n >= s->limits->channels) {
		log_event(LOG_LEVEL_WARNING, "channel-refused", "open", log_u64(s->n), NULL);
		return NULL;
	}
	struct sftpd_channel *c = calloc(1, sizeof *c);
	if (!c || !(c->ssh = ssh_channel_new(s->ssh))) {
		free(c);
		return NULL;
	}
	c->of = s;
	c->callbacks = (struct ssh_channel_callbacks_struct){
		.userdata = c,
		.channel_data_function = on_data,
		.channel_eof_function = on_eof,
		.channel_close_function = on_close,
		.channel_subsystem_request_function = on_subsystem,
		.channel_exec_request_function = on_exec,
		.channel_shell_request_function = on_shell,
		.channel_pty_request_function = on_terminal,
		.channel_env_request_function = on_environment,
	};
	ssh_callbacks_init(&c->callbacks);
	if (ssh_set_channel_callbacks(c->ssh, &c->callbacks) != SSH_OK) {
		ssh_channel_free(c->ssh);
		free(c);
		return NULL;
	}
	struct sftpd_channel **last = &s->first;
	while (*last)
		last = &(*last)->next;
	*last = c;
	s->n++;
	s->left = false;
	return c->ssh;
}

/* --- work --------------------------------------------------------------------------------------------------------------------- */

/* Only what the client's window has room for: a channel that nobody reads doesn't hold up the others. */
static bool send_output(struct sftpd_channel *c)
{
	struct sftpd_channels *s = c->of;
	struct slice out = c->engine ? sftpd_output(c->engine) : SLICE_NONE;
	uint32_t window = out.n ? ssh_channel_window_size(c->ssh) : 0;
	if (!window)
		return false;
	s->sending = true;
	int n = ssh_channel_write(c->ssh, out.p, (uint32_t)(out.n < window ? out.n : window));
	s->sending = false;
	if (n <= 0) {
		if (is_open(c)) /* it may have been closed meanwhile, which is no other channel's trouble */
			broken(s, "the client stopped reading");
		return true;
	}
	sftpd_output_sent(c->engine, (size_t)n);
	pace(s, (uint64_t)n);
	s->last_heard = van_clock_monotonic(); /* whoever takes bytes is there */
	return true;
}

/* Takes what came while output waited. False: there is nothing, or still no room for it. */
static bool take_left_over(struct sftpd_channel *c)
{
	struct sftpd_channels *s = c->of;
	if (c->left_at < c->left_n) {
		uint32_t used = take_input(c, c->left_over + c->left_at, c->left_n - c->left_at);
		c->left_at += used;
		return used > 0;
	}
	if (!c->waiting_input)
		return false;
	if (!c->left_over && !(c->left_over = malloc(READ_AT_ONCE))) {
		broken(s, "out of memory");
		return true;
	}
	s->sending = true; /* keeps the callback from overtaking what is read here */
	int n = ssh_channel_read_nonblocking(c->ssh, c->left_over, READ_AT_ONCE, 0);
	s->sending = false;
	c->waiting_input = n == (int)READ_AT_ONCE;
	c->left_at = 0;
	c->left_n = n > 0 ? (uint32_t)n : 0;
	if (n < 0 && n != SSH_EOF && n != SSH_AGAIN)
		broken(s, "the connection was lost");
	return true;
}

/* What the client has seen done is done when it learns of the end. `status`: as of a program. */
static void finish(struct sftpd_channel *c, int status)
{
	struct sftpd_channels *s = c->of;
	struct sftpd_channel **at = &s->first;
	while (*at != c)
		at = &(*at)->next;
	*at = c->next;
	s->n--;
	s->left = !s->first;
	sftpd_free(c->engine); /* abandons what is open */
	sftpd_store_settle(s->store, SETTLE);
	s->sending = true;
	if (ssh_channel_is_open(c->ssh)) {
		ssh_channel_request_send_exit_status(c->ssh, status);
		ssh_channel_send_eof(c->ssh);
		ssh_channel_close(c->ssh);
	}
	ssh_remove_channel_callbacks(c->ssh, &c->callbacks); /* libssh keeps the channel until the client closes it, too, and would call */
	ssh_channel_free(c->ssh);
	s->sending = false;
	free(c->left_over);
	free(c);
}

static bool tell_refusal(struct sftpd_channel *c)
{
	struct sftpd_channels *s = c->of;
	const char *text = c->terminal ? NO_COMMANDS "\r\n" : NO_COMMANDS "\n";
	if (!c->refused || ssh_channel_window_size(c->ssh) < strlen(text))
		return false;
	s->sending = true;
	ssh_channel_write_stderr(c->ssh, text, (uint32_t)strlen(text));
	s->sending = false;
	finish(c, 1);
	return true;
}

/* It may be gone afterwards. */
static bool work(struct sftpd_channel *c)
{
	bool open = is_open(c);
	if (open && (tell_refusal(c) || send_output(c)))
		return true;
	if (c->engine && take_left_over(c))
		return true;
	if (!c->at_end || (open && c->engine && sftpd_output(c->engine).n))
		return false;
	finish(c, 0);
	return true;
}

bool sftpd_channels_work(struct sftpd_channels *s)
{
	bool worked = false;
	for (struct sftpd_channel *c = s->first, *next; c && !s->broken; c = next) {
		next = c->next;
		worked |= work(c);
	}
	return worked;
}

void sftpd_channels_flush(struct sftpd_channels *s)
{
	for (struct sftpd_channel *c = s->first; c; c = c->next)
		if (is_open(c))
			send_output(c);
}

void sftpd_channels_free(struct sftpd_channels *s)
{
	for (struct sftpd_channel *c = s->first, *next; c; c = next) {
		next = c->next;
		sftpd_free(c->engine);
		c->engine = NULL; /* libssh may call until the connection is closed, and has the rest until the process ends */
		c->refused = true;
	}
	sftpd_store_settle(s->store, SETTLE);
	sftpd_mailbox_free(s->mailbox);
	s->mailbox = NULL;
}
