/* The SFTP packet engine against any bytes: no crash, bounded output, every opened thing released, and the same answers
 * whether the input comes whole or byte by byte. */
#include "base/buf.h"
#include "sftp/path.h"
#include "sftp/sftpd.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define OUTPUT_HIGH 4096
#define READ_MAX 8192
#define NAMES_MAX 4096

struct backend {
	int open;
	uint64_t written;
};

static void check(bool holds)
{
	if (!holds)
		abort();
}

static enum sftpd_status f_open(void *arg, struct slice path, uint32_t flags, const struct sftpd_attributes *a, void **ret,
				struct sftpd_why *why)
{
	(void)flags, (void)a, (void)why;
	check(path.n && path.p[0] == '/' && path.n <= SFTPD_PATH_MAX && !memchr(path.p, 0, path.n));
	check(!slice_ends(path, "/.."));
	((struct backend *)arg)->open++;
	*ret = malloc(1); /* so that a sanitizer sees what is leaked or used afterwards */
	return SFTPD_OK;
}

static enum sftpd_status f_read(void *arg, void *file, uint64_t at, void *to, size_t n, size_t *ret_n, struct sftpd_why *why)
{
	(void)arg, (void)why, (void)file;
	check(n <= READ_MAX);
	*ret_n = at > 100000 ? 0 : n;
	memset(to, 'x', *ret_n);
	return SFTPD_OK;
}

static enum sftpd_status f_write(void *arg, void *file, uint64_t at, const void *p, size_t n, struct sftpd_why *why)
{
	(void)why, (void)file;
	check(at <= INT64_MAX && n > 0);
	((struct backend *)arg)->written += n + ((const unsigned char *)p)[n - 1];
	return at > 1000000 ? SFTPD_FAILURE : SFTPD_OK;
}

static enum sftpd_status f_close(void *arg, void *file, struct sftpd_why *why)
{
	(void)why;
	((struct backend *)arg)->open--;
	free(file);
	return SFTPD_OK;
}

static void f_abandon(void *arg, void *file)
{
	f_close(arg, file, NULL);
}

static enum sftpd_status f_folder_open(void *arg, struct slice path, void **ret, struct sftpd_why *why)
{
	return f_open(arg, path, 0, NULL, ret, why);
}

static enum sftpd_status f_folder_read(void *arg, void *folder, struct sftpd_names *to, struct sftpd_why *why)
{
	(void)arg, (void)folder, (void)why;
	while (sftpd_names_add(to, SLICE("name"), &(struct sftpd_attributes){.mode = SFTPD_MODE_FILE | 0600}))
		;
	return SFTPD_OK;
}

static enum sftpd_status f_stat(void *arg, struct slice path, struct sftpd_attributes *ret, struct sftpd_why *why)
{
	(void)arg, (void)path, (void)why;
	*ret = (struct sftpd_attributes){.mode = SFTPD_MODE_FILE | 0600};
	return SFTPD_OK;
}

static enum sftpd_status f_plain(void *arg, struct slice path, struct sftpd_why *why)
{
	(void)arg;
	return sftpd_refuse(why, SFTPD_FAILURE, "%.*s", SLICE_ARG(path));
}

static enum sftpd_status f_rename(void *arg, struct slice from, struct slice to, bool replace, struct sftpd_why *why)
{
	(void)to, (void)replace;
	return f_plain(arg, from, why);
}

static const struct sftpd_ops ops = {
	.open = f_open, .read = f_read, .write = f_write, .close = f_close, .abandon = f_abandon, .folder_open = f_folder_open,
	.folder_read = f_folder_read, .folder_close = f_abandon, .stat = f_stat, .remove = f_plain, .mkdir = f_plain,
	.rename = f_rename,
};

/* FNV-1a of all output, and what input() returned in the end. */
static uint64_t run(const uint8_t *data, size_t size, size_t step, int *ret_rc)
{
	static const struct sftpd_options o = {.packet_max = 16384, .read_max = READ_MAX, .write_max = 8192, .handles_max = 8,
					       .output_high = OUTPUT_HIGH, .names_max = NAMES_MAX};
	struct backend b = {0};
	struct sftpd *s = sftpd_new(&o, &ops, &b);
	uint64_t hash = 14695981039346656037u;
	size_t at = 0;
	check(s);
	do {
		size_t taken = 0;
		*ret_rc = sftpd_input(s, data + at, size - at < step ? size - at : step, 0, &taken, NULL);
		at += taken;
		struct slice out = sftpd_output(s);
		check(out.n <= OUTPUT_HIGH + READ_MAX + 1024);
		for (size_t i = 0; i < out.n; i++)
			hash = (hash ^ (unsigned char)out.p[i]) * 1099511628211u;
		sftpd_output_sent(s, out.n);
		check(*ret_rc < 0 || taken || out.n || at == size);
	} while (*ret_rc == 0 && at < size);
	sftpd_free(s);
	check(b.open == 0);
	return hash;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int whole, bytes;
	uint64_t a = run(data, size, size ? size : 1, &whole), b = run(data, size, 1, &bytes);
	check(a == b && whole == bytes);
	return 0;
}
