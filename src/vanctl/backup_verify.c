/* backup --verify: is a backup as it was when it was made? */
#include "vanctl/backup.h"

#include "base/error.h"
#include "store/store.h"
#include "vanctl/print.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* Every file; all that are wrong are named. */
static int verify_files(struct backup_reading *r)
{
	char wanted[COPY_HASH_TEXT], hash[COPY_HASH_TEXT] = "";
	const char *path;
	int fd, more, status = CTL_DONE;
	while ((more = backup_next(r, &path, wanted, &fd)) > 0) {
		uint64_t bytes = 0;
		if (fd < 0) {
			status = backup_differs(path, errno == ENOENT ? "is missing" : strerror(errno));
			continue;
		}
		int one = backup_hash(fd, path, NULL, NULL, &bytes, hash);
		close(fd);
		r->bytes += bytes;
		if (!one && strcmp(hash, wanted))
			one = backup_differs(path, "was changed since the backup was made");
		status = one ? one : status;
	}
	if (more < 0)
		return -more;
	return status ? status : backup_check_counts(r);
}

/* Its messages, as the database itself counts them; nothing is written. */
static int count_messages(int dir, uint64_t *ret, struct van_error *err)
{
	struct store *s;
	struct store_txn *t;
	store_table_id table;
	struct store_options o = {.dirfd = dir, .look_only = true};
	int rc = store_open(&o, &s, err);
	if (rc < 0)
		return rc;
	rc = store_table(s, "message", &table, err);
	if (rc == 0)
		rc = store_begin(s, STORE_SNAPSHOT, &t, err);
	if (rc == 0) {
		rc = store_count(t, table, ret);
		store_abort(t);
	}
	store_close(s);
	return rc;
}

static int verify_database(const struct backup_reading *r)
{
	struct van_error err = {0};
	uint64_t n = 0, wanted = (uint64_t)json_integer_value(json_object_get(r->facts, "messages"));
	int dir = openat(r->fd, "data/store", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc = dir < 0 ? (int)van_err_from_errno(errno) : count_messages(dir, &n, &err);
	if (dir >= 0)
		close(dir);
	if (rc < 0)
		return ctl_fail(CTL_NO, "its database can't be opened: %s", err.text[0] ? err.text : van_err_name(rc));
	return n == wanted ? CTL_DONE : ctl_fail(CTL_NO, "its database has %llu messages, and %llu were copied", (unsigned long long)n, (unsigned long long)wanted);
}

int backup_verify(struct ctl *c)
{
	struct backup_reading r;
	int status = backup_open(c->args[0], &r);
	if (status)
		return status;
	status = verify_files(&r);
	if (!status)
		status = verify_database(&r);
	if (!status && c->json)
		print_json(r.facts);
	else if (!status)
		printf("%s: whole, as of %s: %" JSON_INTEGER_FORMAT " messages, %llu files, %.1f MB\n", c->args[0], backup_text(&r, "point"),
		       json_integer_value(json_object_get(r.facts, "messages")), (unsigned long long)r.files, (double)r.bytes / 1e6);
	if (!status)
		backup_tell_missing(&r);
	backup_close(&r);
	return status;
}
