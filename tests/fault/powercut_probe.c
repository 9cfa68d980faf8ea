/* Small writers with and without their flushes: what the power-cut library itself is tried with. The first argument
 * says what to do, the second is the data folder. `seed` makes everything that is there durable. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <lmdb.h>

static void need(int ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "powercut_probe: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void put(int fd, const char *text)
{
	need(write(fd, text, strlen(text)) == (ssize_t)strlen(text), "write");
}

/* The textbook way to replace a file; either flush can be left out. */
static void replace(int folder, const char *name, int flush_file, int flush_folder)
{
	int fd = openat(folder, "new", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	need(fd >= 0, "open");
	put(fd, "content");
	if (flush_file)
		need(fdatasync(fd) == 0, "fdatasync");
	close(fd);
	need(renameat(folder, "new", folder, name) == 0, "rename");
	if (flush_folder)
		need(fsync(folder) == 0, "fsync of the folder");
}

/* An unnamed file that gets its name when its content is safe. */
static void unnamed(int folder, int flush_file)
{
	char self[64];
	int fd = openat(folder, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	need(fd >= 0, "O_TMPFILE");
	put(fd, "content");
	if (flush_file)
		need(fsync(fd) == 0, "fsync");
	snprintf(self, sizeof self, "/proc/self/fd/%d", fd);
	need(linkat(AT_FDCWD, self, folder, "named", AT_SYMLINK_FOLLOW) == 0, "linkat");
	need(fsync(folder) == 0, "fsync of the folder");
	close(fd);
}

static void through_sync_descriptor(int folder, int flags)
{
	int fd = openat(folder, "file", O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0600);
	need(fd >= 0, "open");
	need(fsync(folder) == 0, "fsync of the folder");
	need(pwrite(fd, "content", 7, 0) == 7, "pwrite");
	close(fd);
}

/* Two flushed versions and a third that is only written. */
static void ranges(int folder)
{
	int fd = openat(folder, "pages.mdb", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	need(fd >= 0 && fsync(folder) == 0, "open");
	need(pwrite(fd, "11111111", 8, 0) == 8 && fdatasync(fd) == 0, "first version");
	need(pwrite(fd, "22", 2, 2) == 2 && fdatasync(fd) == 0, "second version");
	struct iovec iov[2] = {{(char *)"3", 1}, {(char *)"3", 1}};
	need(pwritev(fd, iov, 2, 6) == 2, "third version");
	close(fd);
}

static int commit(MDB_env *env, int i)
{
	MDB_txn *txn;
	MDB_dbi dbi;
	int rc = mdb_txn_begin(env, NULL, 0, &txn);
	if (rc)
		return rc;
	MDB_val key = {sizeof i, &i}, value = {7, (char *)"content"};
	rc = mdb_dbi_open(txn, NULL, 0, &dbi);
	if (!rc)
		rc = mdb_put(txn, dbi, &key, &value, 0);
	if (rc)
		mdb_txn_abort(txn);
	return rc ? rc : mdb_txn_commit(txn);
}

/* Commits numbered entries and prints each number after its commit. Flags: 0 or MDB_NOSYNC. */
static void database(const char *path, int folder, unsigned flags)
{
	MDB_env *env;
	int rc = mdb_env_create(&env);
	if (!rc)
		rc = mdb_env_open(env, path, flags, 0600);
	need(rc == 0 && fsync(folder) == 0, "mdb_env_open");
	for (int i = 0; i < 200; i++) {
		rc = commit(env, i);
		need(rc == 0, mdb_strerror(rc));
		printf("%d\n", i);
		fflush(stdout);
	}
	for (;;)
		pause(); /* until killed: closing would flush */
}

static void count(const char *path)
{
	MDB_env *env;
	MDB_stat st;
	int rc = mdb_env_create(&env);
	if (!rc)
		rc = mdb_env_open(env, path, 0, 0600);
	if (!rc)
		rc = mdb_env_stat(env, &st);
	need(rc == 0, mdb_strerror(rc));
	printf("%zu\n", st.ms_entries);
	mdb_env_close(env);
}

int main(int argc, char **argv)
{
	need(argc == 3, "usage: powercut_probe WHAT FOLDER");
	const char *what = argv[1];
	int folder = open(argv[2], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	need(folder >= 0, argv[2]);
	if (strcmp(what, "seed") == 0)
		need(syncfs(folder) == 0, "syncfs");
	else if (strcmp(what, "careful") == 0)
		replace(folder, "file", 1, 1);
	else if (strcmp(what, "no-file-flush") == 0)
		replace(folder, "file", 0, 1);
	else if (strcmp(what, "no-folder-flush") == 0)
		replace(folder, "file", 1, 0);
	else if (strcmp(what, "unnamed") == 0)
		unnamed(folder, 1);
	else if (strcmp(what, "unnamed-no-flush") == 0)
		unnamed(folder, 0);
	else if (strcmp(what, "dsync") == 0)
		through_sync_descriptor(folder, O_DSYNC);
	else if (strcmp(what, "no-sync") == 0)
		through_sync_descriptor(folder, 0);
	else if (strcmp(what, "ranges") == 0)
		ranges(folder);
	else if (strcmp(what, "database") == 0)
		database(argv[2], folder, 0);
	else if (strcmp(what, "database-nosync") == 0)
		database(argv[2], folder, MDB_NOSYNC);
	else if (strcmp(what, "count") == 0)
		count(argv[2]);
	else
		need(0, "unknown task");
	return 0;
}
