/* One year's log of a bundle: checkpoints, every leaf with its proof, artefacts, and whether the period is complete. */
#include "receipt/bundle_files.h"

#include "base/codec.h"
#include "receipt/json.h"

#include <stdio.h>

struct log_check {
	struct bundle_verifier *v;
	const struct bundle_log *log;
	struct receipt_vkey key;
	struct receipt_checkpoint c;
	struct van_buf note, json, proof;
	van_time first_time, last_time;
	bool first_is_start;
};

/* Reads a small file of the log; what is missing was reported. */
static int read_file(struct log_check *l, const char *what, size_t max, struct van_buf *to)
{
	return bundle_read(&l->v->files, bundle_log_file(l->log->year, what).text, max, to);
}

static int not_found_is_reported(int rc)
{
	return rc == VAN_ENOTFOUND ? 0 : rc;
}

/* --- checkpoints --- */

static int check_vkey(struct log_check *l)
{
	struct receipt_vkey k;
	struct van_error err = {0};
	int rc = read_file(l, "vkey", 1024, &l->json);
	if (rc)
		return not_found_is_reported(rc);
	if (receipt_vkey_parse(van_buf_slice(&l->json), &k, &err))
		bundle_problem(&l->v->files, "%04u/vkey: %s", l->log->year, err.text);
	else if (strcmp(k.name, l->key.name) != 0 || memcmp(k.key, l->key.key, RECEIPT_KEY) != 0)
		bundle_problem(&l->v->files, "%04u/vkey is another key than the one used to verify", l->log->year);
	return 0;
}

/* The earlier checkpoint and the proof that the later tree extends it; both or neither. */
static int check_start(struct log_check *l)
{
	struct bundle_files *b = &l->v->files;
	struct receipt_checkpoint old;
	struct receipt_hash proof[RECEIPT_PROOF_MAX];
	struct van_error err = {0};
	size_t n = 0;
	if (!bundle_find(b, bundle_log_file(l->log->year, "checkpoint.start").text))
		return 0;
	int rc = read_file(l, "checkpoint.start", RECEIPT_NOTE_MAX, &l->json);
	if (rc == 0)
		rc = read_file(l, "consistency", 65536, &l->proof);
	if (rc)
		return not_found_is_reported(rc);
	if (receipt_checkpoint_verify(van_buf_slice(&l->json), &l->key, &old, &err)) {
		bundle_problem(b, "%04u/checkpoint.start: %s", l->log->year, err.text);
		return 0;
	}
	bool good = true;
	for (struct slice rest = van_buf_slice(&l->proof); good && rest.n; n++) {
		struct van_buf hash = VAN_BUF_INIT(256);
		struct slice line = slice_cut(&rest, '\n');
		good = rest.p && n < RECEIPT_PROOF_MAX && line.n == 44 && base64_decode(&hash, line) == 0 && hash.n == RECEIPT_HASH;
		if (good)
			memcpy(proof[n].b, hash.p, RECEIPT_HASH);
		van_buf_free(&hash);
	}
	if (!good || receipt_consistency_check(old.size, &old.root, l->c.size, &l->c.root, proof, n))
		bundle_problem(b, "%04u: the newer checkpoint does not extend the older one: the log was rewritten", l->log->year);
	if (old.size > l->log->first)
		bundle_problem(b, "%04u/checkpoint.start is newer than the first receipt of the bundle", l->log->year);
	return 0;
}

/* --- leaves --- */

static bool is_canonical(struct slice json, struct van_arena *arena)
{
	struct canon_value *value;
	struct van_buf b = VAN_BUF_INIT(2 * RECEIPT_LEAF_MAX);
	bool same = canon_parse(json, arena, &value) == 0 && canon_put(value, &b) == 0 && slice_eq(json, van_buf_slice(&b));
	van_buf_free(&b);
	return same;
}

static int check_proof(struct log_check *l, uint64_t index, const struct receipt_hash *leaf)
{
	struct bundle_files *b = &l->v->files;
	struct bundle_name name = bundle_leaf_file(l->log->year, "proofs", index, SLICE(".tlog-proof"));
	struct receipt_proof p;
	struct receipt_hash in_tile;
	int rc = bundle_read(b, name.text, 2 * RECEIPT_NOTE_MAX, &l->proof);
	if (rc)
		return not_found_is_reported(rc);
	if (receipt_proof_parse(van_buf_slice(&l->proof), &p, NULL) || p.index != index ||
		!slice_eq(p.note, van_buf_slice(&l->note)) || receipt_inclusion_check(leaf, index, l->c.size, &l->c.root, p.h, p.n)) {
		bundle_problem(b, "receipt %llu of %04u is not in the signed log", (unsigned long long)index, l->log->year);
		return 0;
	}
	l->v->report->checked++;
	rc = bundle_tile_leaf(l->v, l->log, l->c.size, index, &in_tile);
	if (rc == 0 && memcmp(in_tile.b, leaf->b, RECEIPT_HASH) != 0)
		bundle_problem(b, "receipt %llu of %04u is another one in the tiles", (unsigned long long)index, l->log->year);
	return not_found_is_reported(rc); /* a missing tile was reported with the tiles */
}

static int check_artefact(struct log_check *l, uint64_t index, const struct receipt_artefact *a)
{
	struct bundle_files *b = &l->v->files;
	char ending[RECEIPT_ARTEFACT_NAME_MAX + 2];
	snprintf(ending, sizeof ending, "/%.*s", SLICE_ARG(a->name));
	struct bundle_name name = bundle_leaf_file(l->log->year, "salts", index, slice_str(ending));
	struct bundle_name bytes = bundle_leaf_file(l->log->year, "artefacts", index, slice_str(ending));
	struct bundle_file *f = bundle_find(b, bytes.text), *salt = bundle_find(b, name.text);
	struct receipt_hash got;
	if (!f && !salt) {
		l->v->report->missing++;
		return 0;
	}
	if (!f || !salt || salt->size != RECEIPT_SALT) {
		bundle_problem(b, "%s: its %s", bytes.text + sizeof BUNDLE_ROOT - 1, f ? "salt is missing or damaged" : "bytes are missing");
		return 0;
	}
	int rc = bundle_read(b, name.text, RECEIPT_SALT, &l->proof);
	if (rc == 0)
		rc = bundle_hash(b, f, van_buf_slice(&l->proof), &got);
	if (rc)
		return not_found_is_reported(rc);
	if (f->size != a->length || memcmp(got.b, a->sha256.b, RECEIPT_HASH) != 0)
		bundle_problem(b, "%s is not what its receipt says", bytes.text + sizeof BUNDLE_ROOT - 1);
	else
		l->v->report->artefacts++;
	return 0;
}

static int check_certificate(struct log_check *l, struct slice sha256)
{
	struct receipt_hash want, got;
	memcpy(want.b, sha256.p, RECEIPT_HASH);
	struct bundle_name name = bundle_certificate(&want);
	struct bundle_file *f = bundle_find(&l->v->files, name.text);
	int rc = f ? bundle_hash(&l->v->files, f, SLICE(""), &got) : VAN_ENOTFOUND;
	if (rc == 0 && memcmp(got.b, want.b, RECEIPT_HASH) != 0)
		bundle_problem(&l->v->files, "%s is another certificate", name.text + sizeof BUNDLE_ROOT - 1);
	return not_found_is_reported(rc);
}

/* The first leaf of a log that follows another names that one's end. */
static void check_chain(struct log_check *l, const struct receipt_leaf *leaf)
{
	const struct receipt_checkpoint *before = &l->v->before;
	struct van_buf text = VAN_BUF_INIT(1024);
	l->first_is_start = leaf->event == RECEIPT_LOG_STARTED;
	van_buf_printf(&text, "previous log %s size %llu root ", before->origin, (unsigned long long)before->size);
	base64_encode(&text, before->root.b, RECEIPT_HASH, 0);
	if (l->first_is_start && before->origin[0] && !slice_eq(leaf->text, van_buf_slice(&text)))
		bundle_problem(&l->v->files, "%04u does not begin where the log before it ended (its last receipts may be unsigned)", l->log->year);
	van_buf_free(&text);
}

static int check_leaf(struct log_check *l, uint64_t index)
{
	struct bundle_files *b = &l->v->files;
	struct bundle_name name = bundle_leaf_file(l->log->year, "leaves", index, SLICE(".json"));
	const char *shown = name.text + sizeof BUNDLE_ROOT - 1;
	struct receipt_leaf leaf;
	struct van_error err = {0};
	int rc = bundle_read(b, name.text, RECEIPT_LEAF_MAX, &l->json);
	if (rc)
		return not_found_is_reported(rc);
	struct receipt_hash hash = receipt_leaf_hash(van_buf_slice(&l->json));
	rc = check_proof(l, index, &hash);
	van_arena_reset(l->v->arena);
	if (rc)
		return rc;
	if (!is_canonical(van_buf_slice(&l->json), l->v->arena) || receipt_leaf_parse(van_buf_slice(&l->json), l->v->arena, &leaf, &err)) {
		bundle_problem(b, "%s: %s", shown, err.text[0] ? err.text : "this is not canonical JSON");
		return 0;
	}
	if (leaf.time < l->v->last_time)
		bundle_problem(b, "%s: its time is before that of the receipt before it", shown);
	l->v->last_time = l->last_time = leaf.time;
	if (index == l->log->first)
		l->first_time = leaf.time;
	if (index == 0)
		check_chain(l, &leaf);
	if (leaf.signer_cert.p)
		rc = check_certificate(l, leaf.signer_cert);
	for (size_t i = 0; rc == 0 && i < leaf.n_artefacts; i++)
		rc = check_artefact(l, index, &leaf.artefacts[i]);
	return rc;
}

/* --- the period --- */

/* Nothing of the period was left out at either end. */
static void check_period(struct log_check *l)
{
	const struct bundle_manifest *m = l->v->manifest;
	struct bundle_files *b = &l->v->files;
	if (l->log->first > 0 && (m->from == 0 || l->first_time >= m->from))
		bundle_problem(b, "%04u: receipts before number %llu are missing from the period", l->log->year, (unsigned long long)l->log->first);
	if (l->log->last + 1 < l->c.size && (m->until == 0 || l->last_time < m->until))
		bundle_problem(b, "%04u: receipts after number %llu are missing from the period", l->log->year, (unsigned long long)l->log->last);
	if (l->log->first == 0 && l->first_is_start && !l->v->before.origin[0] && (m->from == 0 || l->first_time >= m->from))
		bundle_problem(b, "%04u: the log before it is missing from the period", l->log->year);
}

static int check_log(struct log_check *l)
{
	struct bundle_files *b = &l->v->files;
	struct van_error err = {0};
	int rc = check_vkey(l);
	if (rc == 0)
		rc = read_file(l, "checkpoint", RECEIPT_NOTE_MAX, &l->note);
	if (rc)
		return not_found_is_reported(rc);
	if (receipt_checkpoint_verify(van_buf_slice(&l->note), &l->key, &l->c, &err)) {
		bundle_problem(b, "%04u/checkpoint: %s", l->log->year, err.text);
		return 0;
	}
	l->v->report->size += l->c.size;
	if (l->log->last >= l->c.size) {
		bundle_problem(b, "%04u: bundle.json names more receipts than were signed", l->log->year);
		return 0;
	}
	if (l->log->last - l->log->first >= b->n) { /* also keeps a false range from keeping us busy */
		bundle_problem(b, "%04u: bundle.json names more receipts than there are files", l->log->year);
		return 0;
	}
	if ((rc = check_start(l)) || (rc = bundle_verify_tiles(l->v, l->log, &l->c)))
		return rc;
	for (uint64_t i = l->log->first; rc == 0 && i <= l->log->last; i++)
		rc = check_leaf(l, i);
	check_period(l);
	l->v->before = l->c;
	return rc;
}

int bundle_verify_log(struct bundle_verifier *v, size_t which)
{
	struct log_check l = {.v = v, .log = &v->manifest->log[which], .note = VAN_BUF_INIT(1 << 20), .json = VAN_BUF_INIT(1 << 20),
		.proof = VAN_BUF_INIT(1 << 20)};
	receipt_vkey_make(slice_str(l.log->origin), v->key, &l.key); /* the manifest's reader saw that the origin fits */
	int rc = check_log(&l);
	van_buf_free(&l.note);
	van_buf_free(&l.json);
	van_buf_free(&l.proof);
	return rc;
}
