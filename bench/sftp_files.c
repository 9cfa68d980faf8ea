/* Small files one after the other, by a client that is one process and does nothing else: what the server takes for each.
 *   sftp_files PORT USER KEYFILE up|flush|down REMOTE LOCAL
 * up: the files of the folder LOCAL to the folder REMOTE, each opened, written and closed; flush: with fsync@openssh.com before the close.
 * down: those of REMOTE, opened, read to the end and closed; LOCAL is left alone. Prints the median of microseconds a file. */
#include <libssh/libssh.h>
#include <libssh/sftp.h>

#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define FILES_MAX 100000
#define FILE_MAX ((size_t)1 << 20)
#define AT_ONCE ((size_t)32 << 10) /* what clients ask for */

struct run {
	ssh_session ssh;
	sftp_session sftp;
	const char *remote, *local;
	bool flush;
	char *names[FILES_MAX];
	double took[FILES_MAX];
	size_t n;
};

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int give_up(const struct run *r, const char *what)
{
	fprintf(stderr, "sftp_files: %s: %s\n", what, r->ssh ? ssh_get_error(r->ssh) : "out of memory");
	return 2;
}

static int connect_to(struct run *r, unsigned port, const char *user, const char *key_file)
{
	int one = 1, zero = 0;
	ssh_key key = NULL;
	r->ssh = ssh_new();
	if (!r->ssh || ssh_pki_import_privkey_file(key_file, NULL, NULL, NULL, &key) != SSH_OK)
		return give_up(r, key_file);
	ssh_options_set(r->ssh, SSH_OPTIONS_HOST, "127.0.0.1");
	ssh_options_set(r->ssh, SSH_OPTIONS_PORT, &port);
	ssh_options_set(r->ssh, SSH_OPTIONS_USER, user);
	ssh_options_set(r->ssh, SSH_OPTIONS_NODELAY, &one);
	ssh_options_set(r->ssh, SSH_OPTIONS_PROCESS_CONFIG, &zero);
	ssh_options_set(r->ssh, SSH_OPTIONS_CIPHERS_C_S, "aes128-gcm@openssh.com");
	ssh_options_set(r->ssh, SSH_OPTIONS_CIPHERS_S_C, "aes128-gcm@openssh.com");
	int rc = ssh_connect(r->ssh);
	if (rc == SSH_OK)
		rc = ssh_userauth_publickey(r->ssh, NULL, key) == SSH_AUTH_SUCCESS ? SSH_OK : SSH_ERROR;
	ssh_key_free(key);
	if (rc != SSH_OK || !(r->sftp = sftp_new(r->ssh)) || sftp_init(r->sftp) != SSH_OK)
		return give_up(r, "log-in");
	return 0;
}

static int take_name(struct run *r, const char *name)
{
	if (name[0] == '.' || r->n == FILES_MAX)
		return 0;
	return (r->names[r->n++] = strdup(name)) ? 0 : 2;
}

static int list_local(struct run *r)
{
	DIR *d = opendir(r->local);
	int rc = d ? 0 : 2;
	for (struct dirent *e; rc == 0 && (e = readdir(d));)
		rc = take_name(r, e->d_name);
	if (d)
		closedir(d);
	if (rc)
		perror(r->local);
	return rc;
}

static int list_remote(struct run *r)
{
	sftp_dir d = sftp_opendir(r->sftp, r->remote);
	int rc = d ? 0 : give_up(r, r->remote);
	for (sftp_attributes a; rc == 0 && (a = sftp_readdir(r->sftp, d)); sftp_attributes_free(a))
		rc = take_name(r, a->name);
	if (d)
		sftp_closedir(d);
	return rc;
}

/* The clock runs from the open to the answer of the close. */
static int put(struct run *r, size_t i)
{
	static char bytes[FILE_MAX];
	char path[4096];
	snprintf(path, sizeof path, "%s/%s", r->local, r->names[i]);
	FILE *f = fopen(path, "rb");
	if (!f) {
		perror(path);
		return 2;
	}
	size_t n = fread(bytes, 1, sizeof bytes, f);
	fclose(f);
	snprintf(path, sizeof path, "%s/%s", r->remote, r->names[i]);
	double start = now();
	sftp_file h = sftp_open(r->sftp, path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	bool ok = h;
	for (size_t at = 0, k; ok && at < n; at += k) {
		k = n - at < AT_ONCE ? n - at : AT_ONCE;
		ok = sftp_write(h, bytes + at, k) == (ssize_t)k;
	}
	ok = ok && (!r->flush || sftp_fsync(h) == 0);
	ok = h && sftp_close(h) == SSH_OK && ok;
	r->took[i] = now() - start;
	return ok ? 0 : give_up(r, path);
}

static int get(struct run *r, size_t i)
{
	static char bytes[AT_ONCE];
	char path[4096];
	ssize_t n = 0;
	snprintf(path, sizeof path, "%s/%s", r->remote, r->names[i]);
	double start = now();
	sftp_file h = sftp_open(r->sftp, path, O_RDONLY, 0);
	while (h && (n = sftp_read(h, bytes, sizeof bytes)) > 0)
		;
	bool ok = h && sftp_close(h) == SSH_OK && n == 0;
	r->took[i] = now() - start;
	return ok ? 0 : give_up(r, path);
}

static int by_size(const void *a, const void *b)
{
	double d = *(const double *)a - *(const double *)b;
	return d < 0 ? -1 : d > 0;
}

int main(int argc, char **argv)
{
	static struct run r;
	bool down = argc == 7 && strcmp(argv[4], "down") == 0;
	if (argc != 7 || (!down && strcmp(argv[4], "up") != 0 && strcmp(argv[4], "flush") != 0)) {
		fprintf(stderr, "usage: sftp_files PORT USER KEYFILE up|flush|down REMOTE LOCAL\n");
		return 2;
	}
	r.flush = strcmp(argv[4], "flush") == 0;
	r.remote = argv[5];
	r.local = argv[6];
	int rc = ssh_init() == 0 ? connect_to(&r, (unsigned)atoi(argv[1]), argv[2], argv[3]) : 2;
	if (rc == 0)
		rc = down ? list_remote(&r) : list_local(&r);
	for (size_t i = 0; rc == 0 && i < r.n; i++)
		rc = down ? get(&r, i) : put(&r, i);
	if (rc == 0 && r.n) {
		qsort(r.took, r.n, sizeof *r.took, by_size);
		printf("%.0f\n", r.took[r.n / 2]);
	}
	return rc || !r.n ? 2 : 0;
}
