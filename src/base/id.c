#include "base/id.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

static const char alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/* Small requests are served from a reserve, one for each thread, because a system call for every salt adds up. What was given
 * out is wiped, and a forked child begins with an empty reserve: never the same bytes twice. */
#define RESERVE 512
#define FROM_RESERVE 32

static _Thread_local struct {
	size_t left;
	char bytes[RESERVE];
} reserve;

/* Wiped too: the parent gives those bytes out. */
static void forget_reserve(void)
{
	explicit_bzero(&reserve, sizeof reserve);
}

static void watch_forks(void)
{
	if (pthread_atfork(NULL, NULL, forget_reserve))
		abort();
}

static void from_kernel(void *to, size_t n)
{
	char *p = to;
	while (n) {
		ssize_t got = getrandom(p, n < 256 ? n : 256, 0);
		if (got <= 0)
			abort();
		p += got;
		n -= (size_t)got;
	}
}

void van_random(void *to, size_t n)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	if (n > FROM_RESERVE) {
		from_kernel(to, n);
		return;
	}
	pthread_once(&once, watch_forks);
	if (reserve.left < n) {
		from_kernel(reserve.bytes, RESERVE);
		reserve.left = RESERVE;
	}
	reserve.left -= n;
	memcpy(to, reserve.bytes + reserve.left, n);
	explicit_bzero(reserve.bytes + reserve.left, n);
}

/* Adds one to an 80-bit big-endian number. */
static void increment(unsigned char r[10])
{
	for (int i = 9; i >= 0; i--)
		if (++r[i])
			return;
}

struct van_id van_id_new(van_time now)
{
	static uint64_t last_ms;
	static unsigned char last_random[10];
	uint64_t ms = now > 0 ? (uint64_t)(now / 1000) : 0;
	if (ms > last_ms) {
		last_ms = ms;
		van_random(last_random, sizeof last_random);
		last_random[0] &= 0x7f; /* room for increments */
	} else {
		increment(last_random);
	}
	unsigned char raw[17] = {0}; /* 2 bits of zero, 128 bits: 26 digits of 5 */
	for (int i = 0; i < 6; i++)
		raw[i] = (unsigned char)(last_ms >> (40 - 8 * i));
	memcpy(raw + 6, last_random, 10);
	struct van_id id;
	for (int d = 0; d < VAN_ID_LEN; d++) {
		int value = 0;
		for (int b = 0; b < 5; b++) {
			int bit = d * 5 + b - 2;
			int on = bit >= 0 ? raw[bit / 8] >> (7 - bit % 8) & 1 : 0;
			value = value << 1 | on;
		}
		id.text[d] = alphabet[value];
	}
	id.text[VAN_ID_LEN] = 0;
	return id;
}

bool van_id_valid(struct slice s)
{
	if (s.n != VAN_ID_LEN)
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (!s.p[i] || !strchr(alphabet, s.p[i]))
			return false;
	return true;
}
