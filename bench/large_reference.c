/* What receiving one large message takes at least: its body is written, decrypted, hashed, its content written; both files are
 * flushed. Usage: large_reference BODY FOLDER. The body's key does not matter: the time is that of any. Prints seconds. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <openssl/evp.h>

#define CHUNK ((size_t)1 << 18)

static int create(const char *folder)
{
	int fd = open(folder, O_TMPFILE | O_RDWR, 0600);
	if (fd < 0) {
		perror(folder);
		exit(1);
	}
	return fd;
}

static void put(int fd, const unsigned char *p, size_t n)
{
	while (n) {
		ssize_t w = write(fd, p, n);
		if (w <= 0) {
			perror("write");
			exit(1);
		}
		p += w;
		n -= (size_t)w;
	}
}

int main(int argc, char **argv)
{
	static unsigned char in[CHUNK], out[CHUNK + 32], key[32], iv[16], md[EVP_MAX_MD_SIZE];
	struct timespec from, to;
	ssize_t n;
	int got;
	int source = argc == 3 ? open(argv[1], O_RDONLY) : -1;
	if (source < 0) {
		fprintf(stderr, "usage: large_reference BODY FOLDER\n");
		return 2;
	}
	int body = create(argv[2]), content = create(argv[2]);
	EVP_CIPHER_CTX *cipher = EVP_CIPHER_CTX_new();
	EVP_MD_CTX *digest = EVP_MD_CTX_new();
	if (EVP_DecryptInit_ex(cipher, EVP_aes_256_cbc(), NULL, key, iv) != 1 || EVP_DigestInit_ex(digest, EVP_sha256(), NULL) != 1)
		return 1;
	clock_gettime(CLOCK_MONOTONIC, &from);
	while ((n = read(source, in, sizeof in)) > 0) {
		put(body, in, (size_t)n);
		if (EVP_DecryptUpdate(cipher, out, &got, in, (int)n) != 1 || EVP_DigestUpdate(digest, out, (size_t)got) != 1)
			return 1;
		put(content, out, (size_t)got);
	}
	if (n < 0 || EVP_DigestFinal_ex(digest, md, NULL) != 1 || fdatasync(body) || fdatasync(content))
		return 1;
	clock_gettime(CLOCK_MONOTONIC, &to);
	EVP_CIPHER_CTX_free(cipher);
	EVP_MD_CTX_free(digest);
	printf("%.3f\n", (double)(to.tv_sec - from.tv_sec) + (double)(to.tv_nsec - from.tv_nsec) / 1e9);
	return 0;
}
