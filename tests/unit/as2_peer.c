#include "as2_peer.h"

#include "base/fdio.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

static char dir[] = "/tmp/van-as2-test.XXXXXX";
static uint32_t seed = 1;

int peer_run(const char *fmt, ...)
{
	char command[2048], line[2304];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(command, sizeof command, fmt, ap);
	va_end(ap);
	snprintf(line, sizeof line, "cd '%s' && ( %s ) >>log 2>&1", dir, command);
	return system(line);
}

int peer_start(void)
{
	if (!mkdtemp(dir))
		return -1;
	static const char *const names[] = {"acme", "hub", "stranger"};
	for (size_t i = 0; i < 3; i++)
		if (peer_run("openssl req -x509 -newkey rsa:2048 -nodes -keyout %s.key -out %s.pem -days 30 -subj '/O=Test/CN=%s'",
			     names[i], names[i], names[i]) != 0)
			return -1;
	return peer_run("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ec.key -out ec.pem -days 30 "
			"-subj /CN=ec");
}

void peer_stop(void)
{
	char line[128];
	snprintf(line, sizeof line, "rm -rf '%s'", dir);
	if (!getenv("VAN_TEST_KEEP") && system(line) != 0)
		fprintf(stderr, "# %s was not removed\n", dir);
}

const char *peer_dir(void)
{
	return dir;
}

static char *path_of(const char *name, char *to, size_t size)
{
	snprintf(to, size, "%s/%s", dir, name);
	return to;
}

void peer_write(const char *name, const void *p, size_t n)
{
	char path[256];
	FILE *f = fopen(path_of(name, path, sizeof path), "w");
	assert_non_null(f);
	assert_int_equal(fwrite(p, 1, n, f), n);
	assert_int_equal(fclose(f), 0);
}

struct van_buf peer_read(const char *name)
{
	char path[256];
	struct van_buf b = VAN_BUF_INIT(0);
	if (file_read(path_of(name, path, sizeof path), &b) != 0)
		fail_msg("no file %s: see its log", path);
	return b;
}

struct cms_cert *peer_cert(const char *name)
{
	char file[64];
	struct cms_cert *c = NULL;
	snprintf(file, sizeof file, "%s.pem", name);
	struct van_buf b = peer_read(file);
	assert_int_equal(cms_cert_new(van_buf_slice(&b), &c, NULL), 0);
	van_buf_free(&b);
	return c;
}

EVP_PKEY *peer_key(const char *name)
{
	char file[64];
	EVP_PKEY *k = NULL;
	snprintf(file, sizeof file, "%s.key", name);
	struct van_buf b = peer_read(file);
	assert_int_equal(cms_private_key(van_buf_slice(&b), &k, NULL), 0);
	van_buf_free(&b);
	return k;
}

unsigned peer_random(unsigned below)
{
	seed = seed * 1664525u + 1013904223u;
	return (seed >> 8) % below;
}
