/* Reading a backup: backup.json, then the files that SHA256SUMS lists. */
#include "vanctl/backup.h"

#include "base/codec.h"
#include "base/id.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PIECE ((size_t)256 << 10)

int backup_hash(int fd, const char *path, int (*write)(void *arg, const void *p, size_t n), void *arg, uint64_t *ret_bytes, char hash[COPY_HASH_TEXT])
{
	unsigned char sum[EVP_MAX_MD_SIZE];
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	char *piece = malloc(PIECE);
	ssize_t n = 0;
	unsigned length = 0;
	int status = md && piece && EVP_DigestInit_ex(md, EVP_sha256(), NULL) == 1 ? CTL_DONE : ctl_fail(CTL_USAGE, "out of memory");
	*ret_bytes = 0;
	while (!status && (n = read(fd, piece, PIECE))) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			status = ctl_fail(CTL_USAGE, "%s: %s; check that disk", path, strerror(errno));
			break;
		}
		EVP_DigestUpdate(md, piece, (size_t)n);
		*ret_bytes += (uint64_t)n;
		status = write ? write(arg, piece, (size_t)n) : CTL_DONE;
	}
	if (!status && EVP_DigestFinal_ex(md, sum, &length) == 1)
		hex_encode(hash, sum, length);
	EVP_MD_CTX_free(md);
	free(piece);
	return status;
}

static int not_one(const char *path, const char *why)
{
	return ctl_fail(CTL_NO, "%s is no complete backup: %s", path, why);
}

static int read_facts(struct backup_reading *r)
{
	json_error_t why;
	int fd = openat(r->fd, BACKUP_FILE, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return errno == ENOENT ? not_one(r->path, "it has no " BACKUP_FILE) : ctl_fail(CTL_USAGE, "%s/" BACKUP_FILE ": %s", r->path, strerror(errno));
	r->facts = json_loadfd(fd, 0, &why);
	close(fd);
	const char *format = json_string_value(json_object_get(r->facts, "format"));
	if (!format)
		return not_one(r->path, BACKUP_FILE " can't be read");
	if (strcmp(format, BACKUP_FORMAT))
		return ctl_fail(CTL_USAGE, "%s has the format \"%.60s\", this vanctl reads \"" BACKUP_FORMAT "\": use the release that made it", r->path, format);
	return CTL_DONE;
}

static int read_sums(struct backup_reading *r)
{
	char hash[COPY_HASH_TEXT];
	uint64_t bytes;
	int fd = openat(r->fd, BACKUP_SUMS, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return not_one(r->path, BACKUP_SUMS " can't be opened");
	int status = backup_hash(fd, BACKUP_SUMS, NULL, NULL, &bytes, hash);
	if (!status && strcmp(hash, backup_text(r, "sums")))
		status = not_one(r->path, BACKUP_SUMS " was changed since it was made");
	if (!status && (lseek(fd, 0, SEEK_SET) < 0 || !(r->sums = fdopen(fd, "r"))))
		status = ctl_fail(CTL_USAGE, "%s/" BACKUP_SUMS ": %s", r->path, strerror(errno));
	if (!r->sums)
		close(fd);
	return status;
}

int backup_open(const char *path, struct backup_reading *ret)
{
	*ret = (struct backup_reading){.path = path, .fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
	if (ret->fd < 0)
		return ctl_fail(CTL_USAGE, "%s: %s", path, strerror(errno));
	int status = read_facts(ret);
	if (!status)
		status = read_sums(ret);
	if (status)
		backup_close(ret);
	return status;
}

void backup_close(struct backup_reading *r)
{
	if (r->sums)
		fclose(r->sums);
	if (r->fd >= 0)
		close(r->fd);
	json_decref(r->facts);
	*r = (struct backup_reading){.fd = -1};
}

int backup_next(struct backup_reading *r, const char **ret_path, char hash[COPY_HASH_TEXT], int *ret_fd)
{
	static char line[PATH_MAX + COPY_HASH_TEXT + 8];
	if (!fgets(line, sizeof line, r->sums))
		return ferror(r->sums) ? -ctl_fail(CTL_USAGE, "%s/" BACKUP_SUMS ": %s", r->path, strerror(errno)) : 0;
	size_t n = strlen(line), digits = COPY_HASH_TEXT - 1;
	if (n && line[n - 1] == '\n')
		line[--n] = 0;
	if (n < digits + 3 || strspn(line, "0123456789abcdef") != digits || memcmp(line + digits, "  ", 2) || !copy_path_ok(line + digits + 2))
		return -ctl_fail(CTL_NO, "%s/" BACKUP_SUMS " has a line that is none of vanctl's: '%.100s'", r->path, line);
	memcpy(hash, line, digits);
	hash[digits] = 0;
	*ret_path = line + digits + 2;
	*ret_fd = openat(r->fd, *ret_path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	r->files++;
	return 1;
}

int backup_check_counts(const struct backup_reading *r)
{
	uint64_t files = (uint64_t)json_integer_value(json_object_get(r->facts, "files"));
	uint64_t bytes = (uint64_t)json_integer_value(json_object_get(r->facts, "bytes"));
	if (r->files == files && r->bytes == bytes)
		return CTL_DONE;
	return ctl_fail(CTL_NO, "%s has %llu files with %llu bytes, and %llu with %llu were written", r->path, (unsigned long long)r->files,
			(unsigned long long)r->bytes, (unsigned long long)files, (unsigned long long)bytes);
}

const char *backup_text(const struct backup_reading *r, const char *key)
{
	const char *text = json_string_value(json_object_get(r->facts, key));
	return text ? text : "";
}

int backup_differs(const char *path, const char *how)
{
	return ctl_fail(CTL_NO, "%s %s", path, how);
}

/* "payload/FOLDER/ID.PART", "segment/NUMBER.seg", or the absolute path of a file that vand.yaml or a profile names. */
static void tell_one(const char *path)
{
	const char *name = strrchr(path, '/');
	struct slice id = name && strlen(name + 1) > VAN_ID_LEN ? slice_make(name + 1, VAN_ID_LEN) : SLICE_NONE;
	if (strncmp(path, "payload/", 8) == 0 && van_id_valid(id))
		ctl_fail(CTL_NO, "%s, of message %.*s, was missing or not whole when this backup was made, and is so here: put it in from an older backup's "
			 "data/, or have the document sent again (vanctl message show %.*s says by whom)", path, SLICE_ARG(id), SLICE_ARG(id));
	else if (path[0] != '/')
		ctl_fail(CTL_NO, "%s was missing when this backup was made, and is so here, with the documents in it: put it in from an older backup's data/", path);
	else
		ctl_fail(CTL_NO, "%s was not there when this backup was made: put it there, or take its name out of vand.yaml or the profile that has it", path);
}

size_t backup_tell_missing(const struct backup_reading *r)
{
	const json_t *v, *missing = json_object_get(r->facts, "missing");
	size_t i;
	json_array_foreach(missing, i, v)
		tell_one(json_string_value(v) ? json_string_value(v) : "?");
	return json_array_size(missing);
}
