#include "store_conformance.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

void scratch_make(struct scratch *s)
{
	const char *base = getenv("TMPDIR");
	snprintf(s->path, sizeof s->path, "%s/openvan-test-XXXXXX", base ? base : "/tmp");
	assert_non_null(mkdtemp(s->path));
	s->fd = open(s->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(s->fd >= 0);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

void scratch_remove(struct scratch *s)
{
	close(s->fd);
	nftw(s->path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

void scratch_small_disk(struct scratch *s, int (*fill)(const char *path))
{
	char path[600];
	snprintf(path, sizeof path, "%s/small", s->path);
	assert_int_equal(mkdir(path, 0700), 0);
	pid_t pid = fork();
	if (pid == 0)
		_exit(fill(path));
	int status;
	waitpid(pid, &status, 0);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 77)
		skip();
	assert_int_equal(WEXITSTATUS(status), 0);
}
