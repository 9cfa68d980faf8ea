/* The log over the store: appending, proofs, checkpoints, years, salts; and notes against a calculation by hand. */
#include "store_conformance.h"

#include "base/codec.h"
#include "receipt/receipt.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>

struct fixture {
	struct scratch dir;
	struct store *s;
	struct receipts *r;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	scratch_make(&f->dir);
	struct store_options o = {.dirfd = f->dir.fd, .map_size = 64 << 20};
	assert_int_equal(store_open(&o, &f->s, NULL), 0);
	assert_int_equal(receipts_open(f->s, SLICE("van.example"), &f->r, NULL), 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	receipts_close(f->r);
	store_close(f->s);
	scratch_remove(&f->dir);
	free(f);
	return 0;
}

static struct store_txn *begin(struct fixture *f, enum store_mode mode)
{
	struct store_txn *t;
	assert_int_equal(store_begin(f->s, mode, &t, NULL), 0);
	return t;
}

static van_time at(const char *text)
{
	van_time t;
	assert_int_equal(van_time_parse(slice_str(text), &t), 0);
	return t;
}

static struct receipt_ref add(struct fixture *f, struct store_txn *t, van_time time, const char *message)
{
	struct receipt_leaf leaf = {.event = RECEIPT_RECEIVED, .time = time, .message = slice_str(message), .partner = SLICE("acme")};
	struct receipt_ref ref;
	struct van_error err = {0};
	if (receipt_append(t, f->r, &leaf, &ref, &err))
		fail_msg("%s", err.text);
	return ref;
}

static struct receipt_log newest(struct fixture *f, struct store_txn *t)
{
	struct receipt_log log;
	assert_int_equal(receipt_log_get(t, f->r, 0, &log), 0);
	return log;
}

static struct receipt_leaf leaf_at(struct fixture *f, struct store_txn *t, struct receipt_ref ref, struct van_arena *arena)
{
	struct slice json;
	struct receipt_leaf leaf;
	assert_int_equal(receipt_get(t, f->r, ref, &json), 0);
	assert_int_equal(receipt_leaf_parse(json, arena, &leaf, NULL), 0);
	return leaf;
}

static void every_leaf_has_a_proof_in_every_later_tree(void **state)
{
	struct fixture *f = *state;
	enum { N = 70 };
	struct receipt_hash roots[N + 1], leaves[N], proof[RECEIPT_PROOF_MAX];
	roots[0] = receipt_sha256("", 0);
	for (uint64_t i = 0; i < N; i++) {
		struct store_txn *t = begin(f, STORE_WRITE);
		struct receipt_ref ref = add(f, t, at("2026-03-01") + (van_time)i, NULL);
		assert_int_equal(ref.index, i);
		assert_int_equal(ref.log, 2026);
		struct slice json;
		assert_int_equal(receipt_get(t, f->r, ref, &json), 0);
		leaves[i] = receipt_leaf_hash(json);
		roots[i + 1] = newest(f, t).root;
		assert_int_equal(store_commit(t, NULL), 0);
	}
	struct store_txn *t = begin(f, STORE_READ);
	assert_string_equal(newest(f, t).origin, "van.example/receipts/2026");
	for (uint64_t size = 1; size <= N; size++) {
		struct receipt_hash root;
		assert_int_equal(receipt_root_at(t, f->r, 2026, size, &root), 0);
		assert_memory_equal(root.b, roots[size].b, 32);
		for (uint64_t i = 0; i < size; i++) {
			int n = receipt_inclusion_proof(t, f->r, (struct receipt_ref){2026, i}, size, proof);
			assert_true(n >= 0);
			assert_int_equal(receipt_inclusion_check(&leaves[i], i, size, &root, proof, (size_t)n), 0);
			n = receipt_consistency_proof(t, f->r, 2026, i, size, proof);
			assert_true(n >= 0);
			assert_int_equal(receipt_consistency_check(i, &roots[i], size, &root, proof, (size_t)n), 0);
		}
	}
	assert_int_equal(receipt_inclusion_proof(t, f->r, (struct receipt_ref){2026, 0}, N + 1, proof), VAN_EINVAL);
	assert_int_equal(receipt_consistency_proof(t, f->r, 2025, 0, 1, proof), VAN_ENOTFOUND);
	store_abort(t);
}

static void an_aborted_append_leaves_no_trace(void **state)
{
	struct fixture *f = *state;
	struct store_txn *t = begin(f, STORE_WRITE);
	add(f, t, at("2026-03-01"), "m");
	store_abort(t);
	t = begin(f, STORE_WRITE);
	struct receipt_log log;
	assert_int_equal(receipt_log_get(t, f->r, 0, &log), VAN_ENOTFOUND);
	assert_int_equal(add(f, t, at("2026-03-01"), "m").index, 0);
	struct van_arena *arena = van_arena_new(0);
	assert_true(leaf_at(f, t, (struct receipt_ref){2026, 0}, arena).previous == RECEIPT_NO_LEAF);
	van_arena_free(arena);
	assert_int_equal(store_commit(t, NULL), 0);
}

static void an_unfit_leaf_does_not_spoil_the_transaction(void **state)
{
	struct fixture *f = *state;
	struct store_txn *t = begin(f, STORE_WRITE);
	struct receipt_leaf bad = {.event = (enum receipt_event)77};
	assert_int_equal(receipt_append(t, f->r, &bad, NULL, NULL), VAN_EINVAL);
	add(f, t, at("2026-03-01"), "m");
	assert_int_equal(store_commit(t, NULL), 0);
}

static int count_leaf(void *arg, struct receipt_ref ref, struct slice leaf)
{
	uint64_t *seen = arg;
	seen[0]++;
	seen[1] = ref.log;
	seen[2] = ref.index;
	return leaf.n > 2 && seen[0] < seen[3] ? 0 : 42;
}

static void leaves_of_a_message_are_chained(void **state)
{
	struct fixture *f = *state;
	struct van_arena *arena = van_arena_new(0);
	struct store_txn *t = begin(f, STORE_WRITE);
	van_time base = at("2026-03-01");
	add(f, t, base, "m1");
	add(f, t, base, "m2");
	add(f, t, base, "m1");
	add(f, t, base, NULL);
	add(f, t, base, "m1");
	add(f, t, base, "m");
	static const uint64_t previous[] = {RECEIPT_NO_LEAF, RECEIPT_NO_LEAF, 0, RECEIPT_NO_LEAF, 2, RECEIPT_NO_LEAF};
	for (uint64_t i = 0; i < 6; i++)
		assert_true(leaf_at(f, t, (struct receipt_ref){2026, i}, arena).previous == previous[i]);
	uint64_t seen[4] = {0, 0, 0, 100};
	assert_int_equal(receipt_each_of_message(t, f->r, SLICE("m1"), count_leaf, seen), 0);
	assert_int_equal(seen[0], 3);
	assert_int_equal(seen[2], 4);
	uint64_t limited[4] = {0, 0, 0, 2};
	assert_int_equal(receipt_each_of_message(t, f->r, SLICE("m1"), count_leaf, limited), 42);
	assert_int_equal(limited[0], 2);
	uint64_t all[4] = {0, 0, 0, 100};
	assert_int_equal(receipt_each(t, f->r, (struct receipt_ref){2026, 2}, count_leaf, all), 0);
	assert_int_equal(all[0], 4);
	van_arena_free(arena);
	store_abort(t);
}

static void times_never_go_back_and_can_be_found(void **state)
{
	struct fixture *f = *state;
	struct van_arena *arena = van_arena_new(0);
	struct store_txn *t = begin(f, STORE_WRITE);
	van_time base = at("2026-03-01");
	for (int i = 0; i < 50; i++)
		add(f, t, base + i / 2 * VAN_SECOND - (i == 20 ? 1000 * VAN_SECOND : 0), NULL);
	assert_true(leaf_at(f, t, (struct receipt_ref){2026, 20}, arena).time == base + 9 * VAN_SECOND);
	uint64_t i;
	assert_int_equal(receipt_find_time(t, f->r, 2026, base + 5 * VAN_SECOND, &i), 0);
	assert_int_equal(i, 10);
	assert_int_equal(receipt_find_time(t, f->r, 2026, base + 5 * VAN_SECOND + 1, &i), 0);
	assert_int_equal(i, 12);
	assert_int_equal(receipt_find_time(t, f->r, 2026, 0, &i), 0);
	assert_int_equal(i, 0);
	assert_int_equal(receipt_find_time(t, f->r, 0, base + VAN_SECOND * 100, &i), 0);
	assert_int_equal(i, 50);
	van_arena_free(arena);
	store_abort(t);
}

static int name_logs(void *arg, const struct receipt_log *log)
{
	char *to = arg;
	sprintf(to + strlen(to), "%s %d;", log->origin, (int)log->size);
	return 0;
}

static void each_year_has_its_log(void **state)
{
	struct fixture *f = *state;
	struct van_arena *arena = van_arena_new(0);
	struct store_txn *t = begin(f, STORE_WRITE);
	add(f, t, at("2025-12-31T23:59:59.999999Z"), "m");
	struct receipt_log old = newest(f, t);
	struct receipt_ref ref = add(f, t, at("2026-01-01T00:00:00Z"), "m");
	assert_int_equal(ref.log, 2026);
	assert_int_equal(ref.index, 1);
	struct receipt_leaf first = leaf_at(f, t, (struct receipt_ref){2026, 0}, arena), second = leaf_at(f, t, ref, arena);
	assert_int_equal(first.event, RECEIPT_LOG_STARTED);
	struct van_buf text = VAN_BUF_INIT(0);
	van_buf_append_str(&text, "previous log van.example/receipts/2025 size 1 root ");
	base64_encode(&text, old.root.b, 32, 0);
	assert_true(slice_eq(first.text, van_buf_slice(&text)));
	van_buf_free(&text);
	assert_int_equal(second.previous, 0);
	assert_true(slice_is(second.previous_log, "van.example/receipts/2025"));
	/* A clock that went back a moment writes on in the new log. */
	ref = add(f, t, at("2025-12-31T23:59:59Z"), "m");
	assert_int_equal(ref.log, 2026);
	assert_int_equal(ref.index, 2);
	assert_null(leaf_at(f, t, ref, arena).previous_log.p);
	add(f, t, at("2027-06-01"), NULL);
	char logs[500] = "";
	assert_int_equal(receipt_log_each(t, f->r, name_logs, logs), 0);
	assert_string_equal(logs, "van.example/receipts/2025 1;van.example/receipts/2026 3;van.example/receipts/2027 2;");
	uint64_t all[4] = {0, 0, 0, 100};
	assert_int_equal(receipt_each(t, f->r, (struct receipt_ref){0, 0}, count_leaf, all), 0);
	assert_int_equal(all[0], 6);
	van_arena_free(arena);
	store_abort(t);
}

static void salts_are_kept_until_deleted(void **state)
{
	struct fixture *f = *state;
	struct receipt_artefact a[2];
	receipt_artefact_of(&a[0], "raw", SLICE("bytes"));
	receipt_artefact_of(&a[1], "mdn", SLICE("bytes"));
	assert_memory_not_equal(a[0].sha256.b, a[1].sha256.b, 32);
	struct receipt_leaf leaf = {.event = RECEIPT_RECEIVED, .time = at("2026-03-01"), .artefacts = a, .n_artefacts = 2};
	struct store_txn *t = begin(f, STORE_WRITE);
	struct receipt_ref ref;
	assert_int_equal(receipt_append(t, f->r, &leaf, &ref, NULL), 0);
	unsigned char salt[RECEIPT_SALT];
	assert_int_equal(receipt_salt_get(t, f->r, ref, SLICE("raw"), salt), 0);
	struct receipt_hash h = receipt_artefact_hash(salt, SLICE("bytes"));
	assert_memory_equal(h.b, a[0].sha256.b, 32);
	assert_int_equal(receipt_salt_delete(t, f->r, ref, SLICE("raw")), 0);
	assert_int_equal(receipt_salt_get(t, f->r, ref, SLICE("raw"), salt), VAN_ENOTFOUND);
	assert_int_equal(receipt_salt_get(t, f->r, ref, SLICE("mdn"), salt), 0);
	struct slice json;
	assert_int_equal(receipt_get(t, f->r, ref, &json), 0);
	char hex[33];
	assert_null(memmem(json.p, json.n, hex_encode(hex, salt, 16), 32));
	store_abort(t);
}

/* --- checkpoints --- */

static const unsigned char private_key[32] = "a key that only tests may use...";

static void make_vkey(const char *origin, struct receipt_vkey *k)
{
	unsigned char key[RECEIPT_KEY];
	assert_int_equal(receipt_ed25519_public(private_key, key), 0);
	assert_int_equal(receipt_vkey_make(slice_str(origin), key, k), 0);
}

static void sign(struct fixture *f, struct store_txn *t, uint64_t size, struct van_buf *note)
{
	struct receipt_log log = newest(f, t);
	struct receipt_hash root;
	struct receipt_vkey k;
	unsigned char sig[RECEIPT_SIGNATURE];
	struct van_buf text = VAN_BUF_INIT(1024);
	assert_int_equal(receipt_root_at(t, f->r, log.year, size, &root), 0);
	assert_int_equal(receipt_checkpoint_text(slice_str(log.origin), size, &root, &text), 0);
	assert_int_equal(receipt_ed25519_sign(private_key, van_buf_slice(&text), sig), 0);
	make_vkey(log.origin, &k);
	van_buf_reset(note);
	assert_int_equal(receipt_checkpoint_assemble(van_buf_slice(&text), &k, sig, note), 0);
	van_buf_free(&text);
}

static void checkpoints_are_kept_in_order(void **state)
{
	struct fixture *f = *state;
	struct van_buf note = VAN_BUF_INIT(0);
	struct store_txn *t = begin(f, STORE_WRITE);
	for (int i = 0; i < 10; i++)
		add(f, t, at("2026-03-01"), NULL);
	struct slice got;
	assert_int_equal(receipt_checkpoint_newest(t, f->r, 2026, &got), VAN_ENOTFOUND);
	static const struct {
		uint64_t size;
		const char *time;
	} steps[] = {{2, "2026-03-01T10:00:00Z"}, {3, "2026-03-01T10:30:00Z"}, {4, "2026-03-01T11:00:00Z"}, {4, "2026-03-01T11:10:00Z"},
		{7, "2026-03-01T11:59:00Z"}, {9, "2026-03-02T00:00:00Z"}};
	for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
		sign(f, t, steps[i].size, &note);
		assert_int_equal(receipt_checkpoint_put(t, f->r, van_buf_slice(&note), at(steps[i].time), NULL), 0);
		assert_int_equal(receipt_checkpoint_newest(t, f->r, 0, &got), 0);
		assert_true(slice_eq(got, van_buf_slice(&note)));
	}
	static const uint64_t kept[] = {0, 0, 0, 3, 3, 3, 3, 7, 7, 9, 9};
	for (uint64_t size = 0; size <= 10; size++) {
		int rc = receipt_checkpoint_at_most(t, f->r, 2026, size, &got);
		assert_int_equal(rc, kept[size] ? 0 : VAN_ENOTFOUND);
		struct receipt_checkpoint c;
		if (rc == 0) {
			assert_int_equal(receipt_checkpoint_parse(got, &c, NULL), 0);
			assert_int_equal(c.size, kept[size]);
		}
	}
	struct receipt_log log = newest(f, t);
	assert_int_equal(log.signed_size, 9);
	assert_true(log.signed_at == at("2026-03-02"));
	sign(f, t, 8, &note);
	assert_int_equal(receipt_checkpoint_put(t, f->r, van_buf_slice(&note), at("2026-03-02"), NULL), VAN_ESTATE);
	sign(f, t, 10, &note);
	*strchr(note.p, '0') = '1'; /* another year, or another size: not this log's tree */
	assert_int_not_equal(receipt_checkpoint_put(t, f->r, van_buf_slice(&note), at("2026-03-02"), NULL), 0);
	assert_int_equal(store_txn_error(t), 0);
	van_buf_free(&note);
	store_abort(t);
}

static void a_checkpoint_of_another_tree_is_refused(void **state)
{
	struct fixture *f = *state;
	struct van_buf text = VAN_BUF_INIT(0);
	struct store_txn *t = begin(f, STORE_WRITE);
	add(f, t, at("2026-03-01"), NULL);
	struct receipt_hash wrong = {{1}}, right = newest(f, t).root;
	receipt_checkpoint_text(SLICE("van.example/receipts/2026"), 1, &wrong, &text);
	assert_int_equal(receipt_checkpoint_put(t, f->r, van_buf_slice(&text), 0, NULL), VAN_ECRYPTO);
	van_buf_reset(&text);
	receipt_checkpoint_text(SLICE("van.example/receipts/2026"), 2, &right, &text);
	assert_int_equal(receipt_checkpoint_put(t, f->r, van_buf_slice(&text), 0, NULL), VAN_ECRYPTO);
	van_buf_reset(&text);
	receipt_checkpoint_text(SLICE("evil.example/receipts/2026"), 1, &right, &text);
	assert_int_equal(receipt_checkpoint_put(t, f->r, van_buf_slice(&text), 0, NULL), VAN_ENOTFOUND);
	van_buf_free(&text);
	store_abort(t);
}

/* A note made by hand from the words of c2sp.org/signed-note, with OpenSSL alone. */
static void notes_are_as_specified(void **state)
{
	(void)state;
	unsigned char key[32], id[EVP_MAX_MD_SIZE], sig[64], line[68];
	unsigned int n_id;
	size_t n = 32, n_sig = 64;
	EVP_PKEY *pkey = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, private_key, 32);
	assert_int_equal(EVP_PKEY_get_raw_public_key(pkey, key, &n), 1);
	char hashed[100];
	int prefix = sprintf(hashed, "example.com/log42\n\x01");
	memcpy(hashed + prefix, key, 32);
	assert_int_equal(EVP_Digest(hashed, (size_t)prefix + 32, id, &n_id, EVP_sha256(), NULL), 1);
	struct receipt_hash root = receipt_sha256("x", 1);
	unsigned char b64[64], line64[128];
	EVP_EncodeBlock(b64, root.b, 32);
	char note[600];
	sprintf(note, "example.com/log42\n20852163\n%s\n", (char *)b64);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	assert_int_equal(EVP_DigestSignInit(ctx, NULL, NULL, NULL, pkey), 1);
	assert_int_equal(EVP_DigestSign(ctx, sig, &n_sig, (unsigned char *)note, strlen(note)), 1);
	memcpy(line, id, 4);
	memcpy(line + 4, sig, 64);
	EVP_EncodeBlock(line64, line, 68);
	sprintf(note + strlen(note), "\n\xe2\x80\x94 example.com/log42 %s\n", (char *)line64);
	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(pkey);

	struct receipt_vkey k, parsed;
	struct receipt_checkpoint c;
	struct van_buf mine = VAN_BUF_INIT(0), vkey = VAN_BUF_INIT(0);
	make_vkey("example.com/log42", &k);
	assert_memory_equal(k.id, id, 4);
	receipt_checkpoint_text(SLICE("example.com/log42"), 20852163, &root, &vkey);
	assert_int_equal(receipt_checkpoint_assemble(van_buf_slice(&vkey), &k, sig, &mine), 0);
	assert_true(slice_is(van_buf_slice(&mine), note));
	assert_int_equal(receipt_checkpoint_verify(slice_str(note), &k, &c, NULL), 0);
	assert_int_equal(c.size, 20852163);
	assert_memory_equal(c.root.b, root.b, 32);
	unsigned char got[64];
	assert_int_equal(receipt_checkpoint_signature(slice_str(note), &k, got), 0);
	assert_memory_equal(got, sig, 64);

	van_buf_reset(&vkey);
	receipt_vkey_text(&k, &vkey);
	char expected[200], hex[9];
	unsigned char typed[33] = {1}, typed64[64];
	memcpy(typed + 1, key, 32);
	EVP_EncodeBlock(typed64, typed, 33);
	sprintf(expected, "example.com/log42+%s+%s", hex_encode(hex, id, 4), (char *)typed64);
	assert_true(slice_is(van_buf_slice(&vkey), expected));
	assert_int_equal(receipt_vkey_parse(van_buf_slice(&vkey), &parsed, NULL), 0);
	assert_memory_equal(&parsed.key, k.key, 32);
	van_buf_free(&mine);
	van_buf_free(&vkey);
}

static void altered_notes_are_refused(void **state)
{
	(void)state;
	struct receipt_vkey k, other;
	struct receipt_checkpoint c;
	struct receipt_hash root = {{7}};
	unsigned char sig[RECEIPT_SIGNATURE];
	struct van_buf text = VAN_BUF_INIT(0), note = VAN_BUF_INIT(0), more = VAN_BUF_INIT(0);
	make_vkey("h/log", &k);
	make_vkey("h/other", &other);
	receipt_checkpoint_text(SLICE("h/log"), 5, &root, &text);
	receipt_ed25519_sign(private_key, van_buf_slice(&text), sig);
	receipt_checkpoint_assemble(van_buf_slice(&text), &k, sig, &note);
	assert_int_equal(receipt_checkpoint_verify(van_buf_slice(&note), &k, &c, NULL), 0);
	assert_int_equal(receipt_checkpoint_verify(van_buf_slice(&note), &other, &c, NULL), VAN_ECRYPTO);
	assert_int_equal(receipt_checkpoint_verify(van_buf_slice(&text), &k, &c, NULL), VAN_ECRYPTO);
	for (size_t i = 0; i < note.n; i++) /* any bit of any byte */
		for (int bit = 0; bit < 8; bit++) {
			note.p[i] ^= (char)(1 << bit);
			assert_int_not_equal(receipt_checkpoint_verify(van_buf_slice(&note), &k, &c, NULL), 0);
			note.p[i] ^= (char)(1 << bit);
		}
	for (size_t n = 0; n < note.n; n++)
		assert_int_not_equal(receipt_checkpoint_verify(slice_make(note.p, n), &k, &c, NULL), 0);
	/* A line by someone else does no harm, wherever it stands. */
	van_buf_append_slice(&more, van_buf_slice(&text));
	van_buf_append_str(&more, "\n\xe2\x80\x94 witness.example AAAA\n");
	van_buf_append(&more, note.p + text.n + 1, note.n - text.n - 1);
	assert_int_equal(receipt_checkpoint_verify(van_buf_slice(&more), &k, &c, NULL), 0);
	static const char *const bad[] = {"", "\n", "h/log\n5\n", "h/log\n05\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
		"h log\n5\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n", "h/log\n5\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB=\n",
		"h/log\n5\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\nextension\n", "h/log\n-5\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
		"h/log\n9223372036854775808\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_int_equal(receipt_checkpoint_parse(slice_str(bad[i]), &c, NULL), VAN_ESYNTAX);
	assert_int_equal(receipt_checkpoint_parse(SLICE("h/log\n0\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"), &c, NULL), 0);
	van_buf_free(&text);
	van_buf_free(&note);
	van_buf_free(&more);
}

static void bad_verifier_keys_are_refused(void **state)
{
	(void)state;
	struct receipt_vkey k;
	make_vkey("h/log", &k);
	struct van_buf text = VAN_BUF_INIT(0);
	receipt_vkey_text(&k, &text);
	for (size_t i = 0; i < text.n; i++) {
		char saved = text.p[i];
		text.p[i] = saved == 'Z' ? 'Y' : 'Z';
		assert_int_equal(receipt_vkey_parse(van_buf_slice(&text), &k, NULL), VAN_ESYNTAX);
		text.p[i] = saved;
	}
	for (size_t n = 0; n < text.n; n++)
		assert_int_equal(receipt_vkey_parse(slice_make(text.p, n), &k, NULL), VAN_ESYNTAX);
	van_buf_free(&text);
}

static void proof_files_read_back(void **state)
{
	(void)state;
	struct receipt_hash h[3] = {{{1}}, {{2}}, {{3}}};
	struct van_buf text = VAN_BUF_INIT(0);
	struct receipt_proof p;
	receipt_proof_text(73894, h, 3, SLICE("note\n"), &text);
	assert_true(slice_starts(van_buf_slice(&text), "c2sp.org/tlog-proof@v1\nindex 73894\nAQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"));
	assert_int_equal(receipt_proof_parse(van_buf_slice(&text), &p, NULL), 0);
	assert_int_equal(p.index, 73894);
	assert_int_equal(p.n, 3);
	assert_memory_equal(p.h, h, sizeof h);
	assert_true(slice_is(p.note, "note\n"));
	assert_int_equal(receipt_proof_parse(SLICE("c2sp.org/tlog-proof@v1\nextra QUE=\nindex 0\n\nx"), &p, NULL), 0);
	assert_int_equal(p.n, 0);
	static const char *const bad[] = {"", "c2sp.org/tlog-proof@v1\n", "c2sp.org/tlog-proof@v1\nindex 01\n\nx", "c2sp.org/tlog-proof@v1\nindex 1\nAQ==\n\nx",
		"c2sp.org/tlog-proof@v1\nindex 1\n", "c2sp.org/tlog-proof@v2\nindex 1\n\nx"};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_int_equal(receipt_proof_parse(slice_str(bad[i]), &p, NULL), VAN_ESYNTAX);
	van_buf_free(&text);
}

static void unfit_hosts_are_refused(void **state)
{
	struct fixture *f = *state;
	static const char *const bad[] = {"", "a b", "a+b", "a\nb"};
	struct receipts *r;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_int_equal(receipts_open(f->s, slice_str(bad[i]), &r, NULL), VAN_EINVAL);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(every_leaf_has_a_proof_in_every_later_tree),
		TEST(an_aborted_append_leaves_no_trace),
		TEST(an_unfit_leaf_does_not_spoil_the_transaction),
		TEST(leaves_of_a_message_are_chained),
		TEST(times_never_go_back_and_can_be_found),
		TEST(each_year_has_its_log),
		TEST(salts_are_kept_until_deleted),
		TEST(checkpoints_are_kept_in_order),
		TEST(a_checkpoint_of_another_tree_is_refused),
		cmocka_unit_test(notes_are_as_specified),
		cmocka_unit_test(altered_notes_are_refused),
		cmocka_unit_test(bad_verifier_keys_are_refused),
		cmocka_unit_test(proof_files_read_back),
		TEST(unfit_hosts_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
