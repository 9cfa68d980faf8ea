/* Verifier keys, checkpoint notes and Ed25519. */
#include "receipt/checkpoint.h"

#include "base/codec.h"

#include <openssl/evp.h>
#include <stdio.h>

#define ED25519_TYPE 1      /* signature type of a note: c2sp.org/signed-note */
#define SIGNATURE_LINES 64  /* most that are looked at */
#define DASH "\xe2\x80\x94 " /* U+2014 and a blank */
#define KEY_ID 4

/* --- names and keys --- */

/* Key names hold no blank and no plus; ours are printable ASCII, which leaves out Unicode's blanks too. */
static bool name_fits(struct slice name)
{
	if (name.n == 0 || name.n > RECEIPT_ORIGIN_MAX)
		return false;
	for (size_t i = 0; i < name.n; i++)
		if (name.p[i] <= ' ' || name.p[i] > '~' || name.p[i] == '+')
			return false;
	return true;
}

int receipt_vkey_make(struct slice name, const unsigned char key[RECEIPT_KEY], struct receipt_vkey *ret)
{
	if (!name_fits(name))
		return VAN_EINVAL;
	char bytes[RECEIPT_ORIGIN_MAX + 2 + RECEIPT_KEY];
	memcpy(bytes, name.p, name.n);
	bytes[name.n] = '\n';
	bytes[name.n + 1] = ED25519_TYPE;
	memcpy(bytes + name.n + 2, key, RECEIPT_KEY);
	struct receipt_hash h = receipt_sha256(bytes, name.n + 2 + RECEIPT_KEY);
	snprintf(ret->name, sizeof ret->name, "%.*s", SLICE_ARG(name));
	memcpy(ret->id, h.b, KEY_ID);
	memcpy(ret->key, key, RECEIPT_KEY);
	return 0;
}

/* Exactly `n` bytes in the one canonical base64 form. */
static int base64_exact(struct slice text, unsigned char *to, size_t n)
{
	struct van_buf b = VAN_BUF_INIT(256), again = VAN_BUF_INIT(256);
	int rc = text.n > 200 ? VAN_ESYNTAX : base64_decode(&b, text);
	if (rc == 0 && b.n != n)
		rc = VAN_ESYNTAX;
	if (rc == 0)
		rc = base64_encode(&again, b.p, b.n, 0);
	if (rc == 0 && !slice_eq(van_buf_slice(&again), text))
		rc = VAN_ESYNTAX;
	if (rc == 0)
		memcpy(to, b.p, n);
	van_buf_free(&b);
	van_buf_free(&again);
	return rc;
}

int receipt_vkey_parse(struct slice text, struct receipt_vkey *ret, struct van_error *err)
{
	struct slice rest = slice_trim(text), name = slice_cut(&rest, '+');
	struct slice id = rest.p ? slice_cut(&rest, '+') : SLICE_NONE;
	unsigned char key[1 + RECEIPT_KEY], want[KEY_ID];
	struct receipt_vkey k;
	if (!rest.p || id.n != 2 * KEY_ID || hex_decode(want, id) || base64_exact(rest, key, sizeof key) || key[0] != ED25519_TYPE ||
		receipt_vkey_make(name, key + 1, &k))
		return van_error_set(err, VAN_ESYNTAX, "this is no Ed25519 verifier key: it should look like NAME+8 hex digits+base64");
	if (memcmp(want, k.id, KEY_ID) != 0)
		return van_error_set(err, VAN_ESYNTAX, "the verifier key's hash does not fit its name and key: copy it again, whole");
	*ret = k;
	return 0;
}

int receipt_vkey_text(const struct receipt_vkey *k, struct van_buf *to)
{
	char hex[2 * KEY_ID + 1];
	unsigned char bytes[1 + RECEIPT_KEY] = {ED25519_TYPE};
	memcpy(bytes + 1, k->key, RECEIPT_KEY);
	van_buf_printf(to, "%s+%s+", k->name, hex_encode(hex, k->id, KEY_ID));
	return base64_encode(to, bytes, sizeof bytes, 0);
}

int receipt_vkey_pem(const struct receipt_vkey *k, struct van_buf *to)
{
	/* RFC 8410: SubjectPublicKeyInfo of id-Ed25519 is these bytes and the key. */
	unsigned char der[12 + RECEIPT_KEY] = {0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00};
	memcpy(der + 12, k->key, RECEIPT_KEY);
	van_buf_append_str(to, "-----BEGIN PUBLIC KEY-----\n");
	base64_encode(to, der, sizeof der, 0);
	return van_buf_append_str(to, "\n-----END PUBLIC KEY-----\n");
}

/* --- notes --- */

int receipt_checkpoint_text(struct slice origin, uint64_t size, const struct receipt_hash *root, struct van_buf *to)
{
	if (!name_fits(origin))
		return VAN_EINVAL;
	van_buf_printf(to, "%.*s\n%llu\n", SLICE_ARG(origin), (unsigned long long)size);
	base64_encode(to, root->b, RECEIPT_HASH, 0);
	return van_buf_append_char(to, '\n');
}

/* Cuts a line that ends in a newline; absent when there is none. */
static struct slice line(struct slice *rest)
{
	const char *end = rest->n ? memchr(rest->p, '\n', rest->n) : NULL;
	if (!end)
		return SLICE_NONE;
	struct slice l = slice_make(rest->p, (size_t)(end - rest->p));
	*rest = slice_make(end + 1, rest->n - l.n - 1);
	return l;
}

static bool parse_size(struct slice s, uint64_t *ret)
{
	unsigned long long v;
	if (!slice_u64(s, &v) || (s.n > 1 && s.p[0] == '0') || v >> 63)
		return false;
	*ret = v;
	return true;
}

/* Reads the three lines; *rest is what follows them. */
static int parse_text(struct slice note, struct receipt_checkpoint *ret, struct slice *rest)
{
	*rest = note;
	struct slice origin = line(rest), size = line(rest), root = line(rest);
	struct receipt_checkpoint c = {0};
	if (note.n > RECEIPT_NOTE_MAX || !name_fits(origin) || !parse_size(size, &c.size) || base64_exact(root, c.root.b, RECEIPT_HASH))
		return VAN_ESYNTAX;
	snprintf(c.origin, sizeof c.origin, "%.*s", SLICE_ARG(origin));
	*ret = c;
	return 0;
}

/* Cuts one signature line, "— NAME BASE64". VAN_ENOTFOUND at the end. */
static int parse_signature(struct slice *rest, struct slice *name, struct slice *value)
{
	if (rest->n == 0)
		return VAN_ENOTFOUND;
	struct slice l = line(rest);
	if (!l.p || !slice_starts(l, DASH))
		return VAN_ESYNTAX;
	l = slice_make(l.p + sizeof DASH - 1, l.n - (sizeof DASH - 1));
	*name = slice_cut(&l, ' ');
	*value = l;
	return name->n && l.n ? 0 : VAN_ESYNTAX;
}

static int bad_note(struct van_error *err)
{
	return van_error_set(err, VAN_ESYNTAX, "this is no checkpoint: it should be origin, size and root hash on three lines, then signatures");
}

/* After the text: nothing, or an empty line and signature lines. */
static int parse_rest(struct slice *rest)
{
	if (rest->n == 0)
		return 0;
	struct slice empty = line(rest), lines = *rest, name, value;
	int rc = empty.p && empty.n == 0 && rest->n ? 0 : VAN_ESYNTAX;
	for (int i = 0; rc == 0 && i < SIGNATURE_LINES; i++)
		rc = parse_signature(&lines, &name, &value);
	return rc == VAN_ENOTFOUND ? 0 : VAN_ESYNTAX;
}

int receipt_checkpoint_parse(struct slice note, struct receipt_checkpoint *ret, struct van_error *err)
{
	struct slice rest;
	struct receipt_checkpoint c;
	if (parse_text(note, &c, &rest) || parse_rest(&rest))
		return bad_note(err);
	*ret = c;
	return 0;
}

int receipt_checkpoint_assemble(struct slice text, const struct receipt_vkey *key, const unsigned char sig[RECEIPT_SIGNATURE],
	struct van_buf *to)
{
	unsigned char bytes[KEY_ID + RECEIPT_SIGNATURE];
	memcpy(bytes, key->id, KEY_ID);
	memcpy(bytes + KEY_ID, sig, RECEIPT_SIGNATURE);
	van_buf_append_slice(to, text);
	van_buf_printf(to, "\n" DASH "%s ", key->name);
	base64_encode(to, bytes, sizeof bytes, 0);
	return van_buf_append_char(to, '\n');
}

/* The key's own line; other lines don't matter, whatever is in them. */
static int find_signature(struct slice rest, const struct receipt_vkey *key, unsigned char sig[RECEIPT_SIGNATURE])
{
	line(&rest);
	struct slice name, value;
	for (int i = 0; i < SIGNATURE_LINES && parse_signature(&rest, &name, &value) == 0; i++) {
		unsigned char bytes[KEY_ID + RECEIPT_SIGNATURE];
		if (!slice_is(name, key->name) || base64_exact(value, bytes, sizeof bytes) || memcmp(bytes, key->id, KEY_ID) != 0)
			continue;
		memcpy(sig, bytes + KEY_ID, RECEIPT_SIGNATURE);
		return 0;
	}
	return VAN_ENOTFOUND;
}

int receipt_checkpoint_signature(struct slice note, const struct receipt_vkey *key, unsigned char sig[RECEIPT_SIGNATURE])
{
	struct slice rest;
	struct receipt_checkpoint c;
	if (parse_text(note, &c, &rest))
		return VAN_ESYNTAX;
	return find_signature(rest, key, sig);
}

int receipt_checkpoint_verify(struct slice note, const struct receipt_vkey *key, struct receipt_checkpoint *ret,
	struct van_error *err)
{
	struct receipt_checkpoint c;
	unsigned char sig[RECEIPT_SIGNATURE];
	struct slice rest, lines;
	if (parse_text(note, &c, &rest) || (lines = rest, parse_rest(&lines)))
		return bad_note(err);
	if (strcmp(c.origin, key->name) != 0)
		return van_error_set(err, VAN_ECRYPTO, "the checkpoint is of log %.120s, the key of %.120s", c.origin, key->name);
	if (find_signature(rest, key, sig))
		return van_error_set(err, VAN_ECRYPTO, "the checkpoint has no signature by this key (%.200s)", key->name);
	struct slice text = slice_make(note.p, note.n - rest.n);
	if (receipt_ed25519_verify(key->key, text, sig))
		return van_error_set(err, VAN_ECRYPTO, "the checkpoint's signature is wrong: it was altered, or made by another key");
	*ret = c;
	return 0;
}

/* --- Ed25519 --- */

int receipt_ed25519_sign(const unsigned char private_key[32], struct slice bytes, unsigned char sig[RECEIPT_SIGNATURE])
{
	size_t n = RECEIPT_SIGNATURE;
	EVP_PKEY *pkey = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, private_key, 32);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool ok = pkey && ctx && EVP_DigestSignInit(ctx, NULL, NULL, NULL, pkey) == 1 &&
		EVP_DigestSign(ctx, sig, &n, (const unsigned char *)bytes.p, bytes.n) == 1;
	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(pkey);
	return ok ? 0 : VAN_ECRYPTO;
}

int receipt_ed25519_public(const unsigned char private_key[32], unsigned char key[RECEIPT_KEY])
{
	size_t n = RECEIPT_KEY;
	EVP_PKEY *pkey = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, private_key, 32);
	bool ok = pkey && EVP_PKEY_get_raw_public_key(pkey, key, &n) == 1;
	EVP_PKEY_free(pkey);
	return ok ? 0 : VAN_ECRYPTO;
}

int receipt_ed25519_verify(const unsigned char key[RECEIPT_KEY], struct slice bytes, const unsigned char sig[RECEIPT_SIGNATURE])
{
	EVP_PKEY *pkey = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, key, RECEIPT_KEY);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool ok = pkey && ctx && EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, pkey) == 1 &&
		EVP_DigestVerify(ctx, sig, RECEIPT_SIGNATURE, (const unsigned char *)bytes.p, bytes.n) == 1;
	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(pkey);
	return ok ? 0 : VAN_ECRYPTO;
}

/* --- proof files --- */

#define PROOF_HEAD "c2sp.org/tlog-proof@v1"

int receipt_proof_text(uint64_t index, const struct receipt_hash *proof, size_t n, struct slice note, struct van_buf *to)
{
	van_buf_printf(to, PROOF_HEAD "\nindex %llu\n", (unsigned long long)index);
	for (size_t i = 0; i < n; i++) {
		base64_encode(to, proof[i].b, RECEIPT_HASH, 0);
		van_buf_append_char(to, '\n');
	}
	van_buf_append_char(to, '\n');
	return van_buf_append_slice(to, note);
}

int receipt_proof_parse(struct slice text, struct receipt_proof *ret, struct van_error *err)
{
	struct receipt_proof p = {0};
	struct slice rest = text, l = line(&rest);
	bool ok = slice_is(l, PROOF_HEAD);
	l = line(&rest);
	if (slice_starts(l, "extra ")) /* not authenticated, no use for it */
		l = line(&rest);
	ok = ok && slice_starts(l, "index ") && parse_size(slice_make(l.p + 6, l.n - 6), &p.index);
	while (ok && (l = line(&rest)).n) {
		ok = p.n < RECEIPT_PROOF_MAX && base64_exact(l, p.h[p.n].b, RECEIPT_HASH) == 0;
		p.n++;
	}
	if (!ok || !l.p)
		return van_error_set(err, VAN_ESYNTAX, "this is no " PROOF_HEAD " file");
	p.note = rest;
	*ret = p;
	return 0;
}
