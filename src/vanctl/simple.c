#include "vanctl/simple.h"

#include "base/error.h"
#include "base/fdio.h"
#include "vanctl/client.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int simple_ask(struct ctl *c, const char *command, const char *argument_key, json_t **ret_answer, int *ret_fd)
{
	if (argument_key && c->nargs) {
		json_t *text = json_string(c->args[0]);
		if (!text)
			return ctl_fail(CTL_USAGE, "the argument is not UTF-8");
		json_object_set_new(c->options, argument_key, text);
	}
	return client_ask(c, command, c->options, ret_answer, ret_fd);
}

int simple_list(struct ctl *c, const char *command, const char *argument_key, const struct print_column *columns)
{
	json_t *answer = NULL;
	int status = simple_ask(c, command, argument_key, &answer, NULL);
	if (!status && c->json)
		print_json(answer);
	else if (!status)
		print_table(answer, columns);
	json_decref(answer);
	return status;
}

int simple_do(struct ctl *c, const char *command, const char *argument_key, const char *done)
{
	json_t *answer = NULL;
	int status = simple_ask(c, command, argument_key, &answer, NULL);
	if (!status && c->json)
		print_json(answer);
	else if (!status)
		printf("%s %s\n", c->nargs ? c->args[0] : "", done);
	json_decref(answer);
	return status;
}

static int copy(int from, uint64_t at, uint64_t left, bool all, int to)
{
	char room[65536];
	while (left) {
		ssize_t n = pread(from, room, left < sizeof room ? (size_t)left : sizeof room, (off_t)at);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return van_err_from_errno(errno);
		if (n == 0)
			return all ? 0 : VAN_EIO;
		int rc = fd_write_all(to, room, (size_t)n);
		if (rc < 0)
			return rc;
		at += (uint64_t)n;
		left -= (uint64_t)n;
	}
	return 0;
}

static int save_failed(const char *path, int rc)
{
	if (!path)
		return ctl_fail(CTL_USAGE, "standard output could not be written: %s; see what reads it, or name a file with -o FILE", van_err_name(rc));
	return ctl_fail(CTL_USAGE, "%s could not be written: %s; name a file in a folder that exists, is writable and has room", path, van_err_name(rc));
}

int simple_save(int fd, uint64_t offset, uint64_t length, const char *path)
{
	bool file = path && strcmp(path, "-") != 0;
	int to = file ? open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666) : STDOUT_FILENO;
	int rc = to < 0 ? (int)van_err_from_errno(errno) : copy(fd, offset, length, length == SIMPLE_ALL, to);
	close(fd);
	if (file && to >= 0 && close(to) < 0 && rc == 0)
		rc = van_err_from_errno(errno);
	return rc < 0 ? save_failed(file ? path : NULL, rc) : CTL_DONE;
}

int simple_fetch(struct ctl *c, const char *command, const char *argument_key)
{
	char *path = ctl_text(c, "output") ? strdup(ctl_text(c, "output")) : NULL;
	json_t *answer = NULL;
	int fd = -1;
	json_object_del(c->options, "output");
	int status = simple_ask(c, command, argument_key, &answer, &fd);
	if (!status && fd < 0)
		status = ctl_fail(CTL_USAGE, "vand sent no file; is it of the same version?");
	else if (!status)
		status = simple_save(fd, (uint64_t)json_integer_value(json_object_get(answer, "offset")),
				     (uint64_t)json_integer_value(json_object_get(answer, "bytes")), path);
	json_decref(answer);
	free(path);
	return status;
}
