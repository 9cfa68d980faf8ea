#include "roles/worker/argon2.h"

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#ifdef HAVE_ARGON2

#include "base/codec.h"

#include <argon2.h>
#include <openssl/crypto.h>

#define VERSION_UNSAID ARGON2_VERSION_10 /* hashes of the first version don't name it */
#define MEMORY_MOST ((unsigned long long)1 << 20) /* KiB */
#define PASSES_MOST 1000
#define LANES_MOST 256
#define PART_MOST 128 /* bytes of a salt or hash */

/* "m=65536": the number. */
static bool take_number(struct slice *list, const char *key, unsigned long long most, uint32_t *ret)
{
	struct slice value = slice_cut(list, ',');
	unsigned long long n;
	if (!slice_is(slice_cut(&value, '='), key) || !value.p || !slice_u64(value, &n) || n == 0 || n > most)
		return false;
	*ret = (uint32_t)n;
	return true;
}

/* Without the padding that base64 asks for. */
static bool take_bytes(struct slice text, struct van_buf *to)
{
	struct van_buf padded = VAN_BUF_INIT(2 * PART_MOST);
	van_buf_append_slice(&padded, text);
	while (padded.n % 4 && !padded.error)
		van_buf_append_char(&padded, '=');
	bool ok = !padded.error && base64_decode(to, van_buf_slice(&padded)) == 0 && to->n >= 8;
	van_buf_free(&padded);
	return ok;
}

static bool take_kind(struct slice s, argon2_type *ret)
{
	static const argon2_type kinds[] = {Argon2_id, Argon2_i, Argon2_d};
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (slice_is(s, argon2_type2string(kinds[i], 0))) {
			*ret = kinds[i];
			return true;
		}
	return false;
}

bool password_fits_argon2(struct slice hash, struct slice password, struct slice *ret_error)
{
	struct van_buf salt = VAN_BUF_INIT(PART_MOST), expected = VAN_BUF_INIT(PART_MOST);
	unsigned char got[PART_MOST];
	argon2_context c = {.version = VERSION_UNSAID, .threads = 1}; /* its lanes one after the other: workers have no threads */
	argon2_type kind;
	struct slice rest = hash;
	slice_cut(&rest, '$');
	bool readable = rest.p && take_kind(slice_cut(&rest, '$'), &kind) && rest.p;
	if (readable && slice_starts(rest, "v=")) {
		struct slice version = slice_cut(&rest, '$');
		readable = take_number(&version, "v", ARGON2_VERSION_NUMBER, &c.version) && rest.p;
	}
	struct slice costs = readable ? slice_cut(&rest, '$') : SLICE_NONE;
	readable = readable && rest.p && take_number(&costs, "m", MEMORY_MOST, &c.m_cost) && costs.p && take_number(&costs, "t", PASSES_MOST, &c.t_cost) &&
		   costs.p && take_number(&costs, "p", LANES_MOST, &c.lanes) && !costs.p;
	readable = readable && take_bytes(slice_cut(&rest, '$'), &salt) && rest.p && take_bytes(rest, &expected);
	bool fits = false;
	if (readable) {
		c.out = got;
		c.outlen = (uint32_t)expected.n;
		c.pwd = (uint8_t *)(uintptr_t)password.p;
		c.pwdlen = (uint32_t)password.n;
		c.salt = (uint8_t *)salt.p;
		c.saltlen = (uint32_t)salt.n;
		int rc = argon2_ctx(&c, kind);
		fits = rc == ARGON2_OK && CRYPTO_memcmp(got, expected.p, expected.n) == 0;
		if (rc != ARGON2_OK)
			*ret_error = slice_str(argon2_error_message(rc));
	} else {
		*ret_error = SLICE("the stored argon2 hash can't be read: make one with mkpasswd -m yescrypt");
	}
	van_buf_free(&salt);
	van_buf_free(&expected);
	return fits;
}

#else

bool password_fits_argon2(struct slice hash, struct slice password, struct slice *ret_error)
{
	(void)hash, (void)password;
	*ret_error = SLICE("this program was built without libargon2: make a hash with mkpasswd -m yescrypt");
	return false;
}

#endif
