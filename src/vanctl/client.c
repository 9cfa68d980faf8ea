#include "vanctl/client.h"

#include "base/error.h"
#include "base/fdio.h"
#include "ipc/channel.h"
#include "ipc/messages.h"
#include "partner/settings.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define ANSWER_MAX ((size_t)1 << 30)
#define ANSWER_TIMEOUT (600 * VAN_SECOND)

/* Opens the data folder that vand.yaml names. */
static int open_data(const struct ctl *c, int *ret_fd, char *path, size_t room)
{
	struct profile_errors errors = {0};
	struct van_config *config = NULL;
	struct van_buf text = VAN_BUF_INIT(1 << 20);
	int rc = van_config_load(c->config, &config, &errors), status = CTL_DONE;
	if (rc < 0) {
		profile_errors_print(&errors, &text);
		if (text.n)
			fprintf(stderr, "%.*s", (int)text.n, text.p);
		else
			ctl_fail(CTL_USAGE, "%s: %s; name the configuration with -c FILE", c->config, van_err_name(rc));
		status = CTL_USAGE;
	} else {
		snprintf(path, room, "%.*s", SLICE_ARG(config->data));
		*ret_fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (*ret_fd < 0 && errno == EACCES)
			status = ctl_fail(CTL_USAGE, "no right to enter %s; run vanctl as root or as the user vand runs as", path);
		else if (*ret_fd < 0)
			status = ctl_fail(CTL_USAGE, "%s: %s; start vand once, which makes it: vand -c %s", path, strerror(errno),
					  c->config);
	}
	van_buf_free(&text);
	profile_errors_free(&errors);
	van_config_free(config);
	return status;
}

/* The socket's own path may be longer than sun_path: go through the open folder. */
static int connect_in(int data)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	snprintf(to.sun_path, sizeof to.sun_path, "/proc/self/fd/%d/control.sock", data);
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&to, sizeof to) == 0)
		return fd;
	int why = errno;
	if (fd >= 0)
		close(fd);
	errno = why;
	return -1;
}

static int connect_control(const struct ctl *c, int *ret_fd)
{
	char path[4096];
	int data = -1, status = open_data(c, &data, path, sizeof path);
	if (status)
		return status;
	int fd = connect_in(data);
	if (fd < 0) {
		if (errno == EACCES)
			status = ctl_fail(CTL_USAGE, "no right to use %s/control.sock; run vanctl as root or as the user vand runs as",
					  path);
		else
			status = ctl_fail(CTL_USAGE, "vand doesn't answer at %s/control.sock (%s); start it: vand -c %s", path,
					  strerror(errno), c->config);
	}
	close(data);
	*ret_fd = fd;
	return status;
}

bool client_up(const struct ctl *c)
{
	struct profile_errors errors = {0};
	struct van_config *config = NULL;
	char path[4096];
	int data = -1, fd = -1;
	if (van_config_load(c->config, &config, &errors) == 0) {
		snprintf(path, sizeof path, "%.*s", SLICE_ARG(config->data));
		data = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	}
	if (data >= 0)
		fd = connect_in(data);
	if (fd >= 0)
		close(fd);
	if (data >= 0)
		close(data);
	profile_errors_free(&errors);
	van_config_free(config);
	return fd >= 0;
}

/* Arguments that are too long for a message go in a file before the command's own. */
static int send_request(struct ipc_channel *ch, const char *command, const json_t *arguments, int file)
{
	char *text = arguments ? json_dumps(arguments, JSON_COMPACT) : strdup("{}");
	if (!text)
		return VAN_ENOMEM;
	struct ipc_control request = {.command = slice_str(command), .json = slice_str(text)};
	int fd = -1, rc, fds[2];
	size_t n = 0;
	if (request.json.n > IPC_MESSAGE_MAX / 2) {
		fd = memfd_with("arguments", text, request.json.n);
		request.json = SLICE_NONE;
	}
	if (fd >= 0)
		fds[n++] = fd;
	if (file >= 0)
		fds[n++] = file;
	rc = fd < -1 ? fd : ipc_send(ch, IPC_CONTROL, 1, &ipc_control_table, &request, fds, n);
	if (fd >= 0)
		close(fd);
	free(text);
	return rc;
}

/* The answer's JSON: inline, or in a file when it was too large for a message. Closes fd. */
static int parse_answer(struct slice inline_json, int fd, json_t **ret)
{
	struct van_buf from_file = VAN_BUF_INIT(ANSWER_MAX);
	struct slice text = inline_json;
	if (fd >= 0) {
		int rc = fd_read_file(fd, &from_file);
		close(fd);
		if (rc < 0) {
			van_buf_free(&from_file);
			return ctl_fail(CTL_USAGE, "the answer of vand could not be read; try again");
		}
		text = van_buf_slice(&from_file);
	}
	*ret = NULL;
	json_error_t why;
	if (text.p && text.n)
		*ret = json_loadb(text.p, text.n, JSON_DECODE_ANY, &why);
	bool bad = text.p && text.n && !*ret;
	van_buf_free(&from_file);
	return bad ? ctl_fail(CTL_USAGE, "vand answered with something that is not JSON (%s); is it of the same version?", why.text)
		   : CTL_DONE;
}

/* A JSON in a file comes before the command's own file. */
static int take_answer(struct ipc_message *m, json_t **ret_answer, int *ret_fd)
{
	struct ipc_control_reply reply = {0};
	struct van_arena *arena = van_arena_new(0);
	int json_fd = -1, fd = -1, status;
	if (!arena || m->type != IPC_CONTROL_REPLY || record_decode(&ipc_control_reply_table, m->body, arena, &reply) < 0)
		status = ctl_fail(CTL_USAGE, "vand's answer is not understood; is it of the same version as vanctl?");
	else if (reply.status)
		status = ctl_fail(reply.status == 1 ? CTL_NO : CTL_USAGE, "%.*s", SLICE_ARG(reply.error));
	else {
		json_fd = reply.json.p ? -1 : ipc_take_fd(m, 0);
		fd = ipc_take_fd(m, reply.json.p ? 0 : 1);
		status = parse_answer(reply.json, json_fd, ret_answer);
	}
	if (!status && ret_fd)
		*ret_fd = fd;
	else if (fd >= 0)
		close(fd);
	van_arena_free(arena);
	return status;
}

int client_ask(const struct ctl *c, const char *command, json_t *arguments, json_t **ret_answer, int *ret_fd)
{
	return client_ask_with(c, command, arguments, -1, ret_answer, ret_fd);
}

int client_begin(const struct ctl *c, const char *command, json_t *arguments, int file, struct ipc_channel **ret)
{
	int fd = -1, status = connect_control(c, &fd);
	if (status)
		return status;
	struct ipc_channel *ch = ipc_channel_new(fd);
	if (!ch) {
		close(fd);
		return ctl_fail(CTL_USAGE, "out of memory");
	}
	int rc = send_request(ch, command, arguments, file);
	if (rc < 0) {
		ipc_channel_free(ch);
		return ctl_fail(CTL_USAGE, "vand could not be asked (%s); look at its log", van_err_name(rc));
	}
	*ret = ch;
	return CTL_DONE;
}

int client_finish(struct ipc_channel *ch, json_t **ret_answer, int *ret_fd)
{
	struct ipc_message m;
	json_t *answer = NULL;
	int rc = ipc_receive(ch, ANSWER_TIMEOUT, &m);
	int status = rc < 0 ? ctl_fail(CTL_USAGE, "no answer from vand (%s); look at its log", van_err_name(rc)) : take_answer(&m, &answer, ret_fd);
	ipc_channel_free(ch);
	if (ret_answer)
		*ret_answer = answer;
	else
		json_decref(answer);
	return status;
}

int client_ask_with(const struct ctl *c, const char *command, json_t *arguments, int file, json_t **ret_answer, int *ret_fd)
{
	struct ipc_channel *ch;
	if (ret_answer)
		*ret_answer = NULL;
	int status = client_begin(c, command, arguments, file, &ch);
	return status ? status : client_finish(ch, ret_answer, ret_fd);
}
