/* Unwrapping a content key tells nothing about why it failed: the same calls in the same order whatever is wrong, and times that
 * nobody can tell apart. */
#include "as2_peer.h"

#include "cms/digest.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rsa.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define MODULUS 256
#define KEY 32
#define BLOBS 16     /* of each kind: no blob is measured alone */
#define SAMPLES 600  /* of each kind in one round */
#define ROUNDS 5
#define APART 0.08   /* of P(a < b) from one half: six standard deviations of chance */

static struct cms_unwrapper *unwrapper;
static EVP_PKEY *hub_key;

/* --- what is called ---------------------------------------------------------------------------------------------------------- */

static char trace[4096];

static void note(const char *name)
{
	strncat(trace, name, sizeof trace - strlen(trace) - 1);
}

int __real_EVP_PKEY_decrypt(EVP_PKEY_CTX *ctx, unsigned char *out, size_t *n, const unsigned char *in, size_t len);
int __wrap_EVP_PKEY_decrypt(EVP_PKEY_CTX *ctx, unsigned char *out, size_t *n, const unsigned char *in, size_t len);
int __wrap_EVP_PKEY_decrypt(EVP_PKEY_CTX *ctx, unsigned char *out, size_t *n, const unsigned char *in, size_t len)
{
	int rc = __real_EVP_PKEY_decrypt(ctx, out, n, in, len);
	note(rc == 1 ? "decrypt " : "decrypt-failed ");
	return rc;
}

unsigned char *__real_HMAC(const EVP_MD *md, const void *key, int nkey, const unsigned char *p, size_t n, unsigned char *out, unsigned *ret);
unsigned char *__wrap_HMAC(const EVP_MD *md, const void *key, int nkey, const unsigned char *p, size_t n, unsigned char *out, unsigned *ret);
unsigned char *__wrap_HMAC(const EVP_MD *md, const void *key, int nkey, const unsigned char *p, size_t n, unsigned char *out, unsigned *ret)
{
	note("hmac ");
	return __real_HMAC(md, key, nkey, p, n, out, ret);
}

void __real_OPENSSL_cleanse(void *p, size_t n);
void __wrap_OPENSSL_cleanse(void *p, size_t n);
void __wrap_OPENSSL_cleanse(void *p, size_t n)
{
	char text[32];
	snprintf(text, sizeof text, "cleanse-%zu ", n);
	note(text);
	__real_OPENSSL_cleanse(p, n);
}

int __real_digest_bytes(enum digest_alg d, const void *p, size_t n, unsigned char *to);
int __wrap_digest_bytes(enum digest_alg d, const void *p, size_t n, unsigned char *to);
int __wrap_digest_bytes(enum digest_alg d, const void *p, size_t n, unsigned char *to)
{
	note("digest ");
	return __real_digest_bytes(d, p, n, to);
}

/* --- kinds ------------------------------------------------------------------------------------------------------------------- */

enum kind { GOOD, GOOD_AGAIN, BAD_START, BAD_TYPE, KEY_TOO_SHORT, KEY_TOO_LONG, NO_END, NOISE, KINDS };
static const char *const kind_names[] = {"a good key", "a good key, again", "a first byte that is not 0", "a block type that is not 2", "a key that is too short",
					 "a key that is too long", "no 0 before the key", "noise"};

static unsigned char blobs[KINDS][BLOBS][MODULUS];

static unsigned char filler(void)
{
	return (unsigned char)(1 + peer_random(255));
}

/* EME-PKCS1-v1_5 (RFC 8017 section 7.2.1): 00 02 PS 00 key; what is wrong is wrong on purpose. */
static void lay_out(enum kind kind, unsigned char em[MODULUS])
{
	for (size_t i = 0; i < MODULUS; i++)
		em[i] = filler();
	em[0] = kind == BAD_START ? 1 : 0;
	em[1] = kind == BAD_TYPE ? 1 : 2;
	size_t zero = MODULUS - KEY - 1;
	if (kind != NO_END)
		em[kind == KEY_TOO_SHORT ? zero + 16 : kind == KEY_TOO_LONG ? zero - 16 : zero] = 0;
	if (kind == NOISE) /* below the modulus */
		em[0] = 0, em[1] = (unsigned char)peer_random(256), em[2 + peer_random(200)] = 0;
}

static void encrypt_raw(const unsigned char em[MODULUS], unsigned char to[MODULUS])
{
	size_t n = MODULUS;
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(hub_key, NULL);
	assert_int_equal(EVP_PKEY_encrypt_init(ctx), 1);
	assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_NO_PADDING), 1);
	assert_int_equal(EVP_PKEY_encrypt(ctx, to, &n, em, MODULUS), 1);
	EVP_PKEY_CTX_free(ctx);
}

static void unwrap(enum kind kind, size_t which, unsigned char out[KEY])
{
	cms_unwrap(unwrapper, WRAP_RSA_PKCS1, SLICE_NONE, slice_make(blobs[kind][which], MODULUS), KEY, out);
}

static void the_same_calls_whatever_is_wrong(void **state)
{
	char expected[sizeof trace];
	unsigned char out[KEY], key[KEY];
	(void)state;
	trace[0] = 0;
	unwrap(GOOD, 0, key);
	strcpy(expected, trace);
	assert_non_null(strstr(expected, "decrypt "));
	assert_non_null(strstr(expected, "hmac "));
	for (enum kind k = GOOD; k < KINDS; k++)
		for (size_t i = 0; i < BLOBS; i++) {
			trace[0] = 0;
			unwrap(k, i, out);
			if (strcmp(trace, expected) != 0)
				fail_msg("%s: %s\nand not: %s", kind_names[k], trace, expected);
		}
}

/* --- times ---------------------------------------------------------------------------------------------------------------------- */

static double seconds(enum kind kind, size_t which)
{
	unsigned char out[KEY];
	struct timespec from, to;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &from);
	unwrap(kind, which, out);
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &to);
	return (double)(to.tv_sec - from.tv_sec) + 1e-9 * (double)(to.tv_nsec - from.tv_nsec);
}

static double samples[KINDS][SAMPLES];

/* Every kind once, in an order of chance, again and again: whatever else the machine does meets all of them alike. */
static void measure(void)
{
	for (size_t i = 0; i < SAMPLES; i++) {
		enum kind order[KINDS];
		for (int k = 0; k < KINDS; k++)
			order[k] = (enum kind)k;
		for (int k = KINDS - 1; k > 0; k--) {
			int j = (int)peer_random((unsigned)k + 1);
			enum kind t = order[k];
			order[k] = order[j];
			order[j] = t;
		}
		for (int k = 0; k < KINDS; k++)
			samples[order[k]][i] = seconds(order[k], peer_random(BLOBS));
	}
}

/* How often one of a is below one of b: one half where nobody can tell them apart (the statistic of Mann and Whitney). Outliers
 * count as one sample each, however far out. */
static double below(const double *a, const double *b)
{
	double n = 0;
	for (size_t i = 0; i < SAMPLES; i++)
		for (size_t j = 0; j < SAMPLES; j++)
			n += a[i] < b[j] ? 1 : a[i] > b[j] ? 0 : 0.5;
	return n / ((double)SAMPLES * SAMPLES);
}

/* A difference is one when it shows in every round. The first pair is the same kind twice: what chance does. */
static void the_same_time_whatever_is_wrong(void **state)
{
	unsigned seen[KINDS] = {0};
	double most[KINDS] = {0};
	bool told = true;
	(void)state;
	for (unsigned round = 0; round < ROUNDS && told; round++) {
		told = false;
		measure();
		for (enum kind k = GOOD_AGAIN; k < KINDS; k++) {
			double off = below(samples[GOOD], samples[k]) - 0.5;
			off = off < 0 ? -off : off;
			most[k] = off > most[k] ? off : most[k];
			seen[k] += off > APART;
			told |= seen[k] == round + 1;
		}
	}
	for (enum kind k = GOOD_AGAIN; k < KINDS; k++)
		printf("# %s: %.3f off one half%s\n", kind_names[k], most[k], k == GOOD_AGAIN ? " (the control)" : "");
	for (enum kind k = GOOD_AGAIN; k < KINDS; k++)
		if (seen[k] == ROUNDS)
			fail_msg("the time tells %s from a good key", kind_names[k]);
}

/* Does the measure see anything? A second unwrapping is a difference. */
static void a_difference_is_seen(void **state)
{
	(void)state;
	for (size_t i = 0; i < SAMPLES; i++) {
		samples[0][i] = seconds(GOOD, i % BLOBS);
		samples[1][i] = seconds(GOOD, i % BLOBS) + 0.25 * samples[0][i];
	}
	assert_true(below(samples[0], samples[1]) > 0.5 + APART);
}

static int set_up(void **state)
{
	unsigned char em[MODULUS], out[KEY];
	(void)state;
	if (peer_start() < 0)
		return -1;
	hub_key = peer_key("hub");
	if (cms_unwrapper_new(hub_key, &unwrapper, NULL) < 0 || EVP_PKEY_get_size(hub_key) != MODULUS)
		return -1;
	for (enum kind k = GOOD; k < KINDS; k++)
		for (size_t i = 0; i < BLOBS; i++) {
			lay_out(k, em);
			encrypt_raw(em, blobs[k][i]);
			unwrap(k, i, out);
			bool same = memcmp(out, em + MODULUS - KEY, KEY) == 0;
			if (same != (k == GOOD || k == GOOD_AGAIN))
				return -1; /* it is not what it is called */
		}
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	cms_unwrapper_free(unwrapper);
	EVP_PKEY_free(hub_key);
	peer_stop();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_same_calls_whatever_is_wrong), cmocka_unit_test(a_difference_is_seen),
		cmocka_unit_test(the_same_time_whatever_is_wrong),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
