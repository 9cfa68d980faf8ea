/* Makes a fuzz target a test: gives it every file of its corpus, and every prefix of the short ones. The corpus is
 * tests/fuzz/corpus/NAME for the program fuzz_NAME; folders on the command line go before. Prints TAP. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FILE_MAX ((size_t)4 << 20)
#define PREFIXES_UP_TO 2048

static void feed(const uint8_t *data, size_t n)
{
	/* A copy of exactly that size, so that a sanitizer sees the first byte too far. */
	uint8_t *copy = malloc(n ? n : 1);
	if (!copy)
		abort();
	if (n)
		memcpy(copy, data, n);
	LLVMFuzzerTestOneInput(copy, n);
	free(copy);
}

static int replay_file(const char *path)
{
	FILE *f = fopen(path, "rb");
	uint8_t *data = f ? malloc(FILE_MAX) : NULL;
	if (!data) {
		if (f)
			fclose(f);
		return -1;
	}
	size_t n = fread(data, 1, FILE_MAX, f);
	fclose(f);
	feed(data, n);
	for (size_t i = 0; n <= PREFIXES_UP_TO && i < n; i++)
		feed(data, i);
	free(data);
	return 0;
}

static int replay_folder(const char *folder, unsigned *count)
{
	DIR *d = opendir(folder);
	struct dirent *e;
	int rc = d ? 0 : -1;
	while (d && rc == 0 && (e = readdir(d))) {
		char path[4352];
		if (e->d_name[0] == '.')
			continue;
		snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
		rc = replay_file(path);
		printf("%sok %u - %s\n", rc ? "not " : "", ++*count, e->d_name);
	}
	if (d)
		closedir(d);
	return rc;
}

int main(int argc, char **argv)
{
	const char *src = getenv("VAN_SRCDIR"), *name = strstr(argv[0], "fuzz_");
	char folder[4096];
	unsigned count = 0;
	int rc = 0;
	if (argc < 2) {
		snprintf(folder, sizeof folder, "%s/tests/fuzz/corpus/%s", src ? src : ".", name ? name + 5 : "");
		rc = replay_folder(folder, &count);
	}
	for (int i = 1; i < argc && rc == 0; i++)
		rc = replay_folder(argv[i], &count);
	printf("1..%u\n", count);
	return rc || !count;
}
