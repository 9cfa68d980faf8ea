/* Writing a bundle. For each log of the period: the receipts of the period and the ones just before and after it (which show
 * that none is left out), their proofs to the newest checkpoint, the tiles those need, artefacts and salts. */
#include "receipt/bundle.h"
#include "receipt/bundle_names.h"
#include "receipt/log_state.h"

#include "base/codec.h"
#include "base/fdio.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define CERTIFICATES_MAX 100000
#define CERTIFICATE_SIZE_MAX (1 << 20)

struct log_range {
	struct receipt_log log;
	uint64_t size;        /* of the newest checkpoint; 0: none */
	uint64_t first, last; /* leaves of the bundle */
	uint64_t begin, end;  /* leaves of the period: [begin, end) */
	bool wanted;
};

struct export {
	struct store_txn *t;
	struct receipts *r;
	const struct receipt_bundle_options *o;
	struct tar_writer w;
	struct van_buf sums; /* SHA256SUMS as it grows, moved to the file below when large */
	int sums_fd;
	uint64_t sums_size;
	struct receipt_bundle_stat stat;
	struct van_arena *arena;
	struct van_error *err;
	struct receipt_hash *certificates; /* written already */
	size_t n_certificates;
	struct log_range logs[BUNDLE_LOGS_MAX];
	size_t n_logs;
	/* of the log being written */
	struct log_range *now;
	struct slice note;
};

static int fail(struct export *x, int rc, const char *what)
{
	return van_error_set(x->err, rc, "the bundle could not be written: %s: %s", what, van_err_name(rc));
}

/* --- what belongs into the bundle --- */

static int find_range(struct export *x, struct log_range *l)
{
	struct slice note;
	struct receipt_checkpoint c;
	int rc = receipt_checkpoint_newest(x->t, x->r, l->log.year, &note);
	if (rc == 0)
		rc = receipt_checkpoint_parse(note, &c, x->err);
	if (rc)
		return rc == VAN_ENOTFOUND ? 0 : rc;
	l->size = c.size;
	l->end = l->size;
	rc = x->o->from ? receipt_find_time(x->t, x->r, l->log.year, x->o->from, &l->begin) : 0;
	if (rc == 0 && x->o->until)
		rc = receipt_find_time(x->t, x->r, l->log.year, x->o->until, &l->end);
	if (rc)
		return rc;
	l->end = l->end < l->size ? l->end : l->size;
	l->begin = l->begin < l->end ? l->begin : l->end;
	l->first = l->begin ? l->begin - 1 : 0;
	l->last = l->end < l->size ? l->end : l->size - 1;
	return 0;
}

static int add_log(void *arg, const struct receipt_log *log)
{
	struct export *x = arg;
	if (x->n_logs == BUNDLE_LOGS_MAX)
		return VAN_ELIMIT;
	x->logs[x->n_logs].log = *log;
	return find_range(x, &x->logs[x->n_logs++]);
}

/* The newest log, those with leaves of the period, and before a log that is there from its beginning the one before it. */
static int choose_logs(struct export *x)
{
	int rc = receipt_log_each(x->t, x->r, add_log, x);
	if (rc)
		return fail(x, rc, "reading the receipt log");
	bool before = true;
	for (size_t i = x->n_logs; i-- > 0;) {
		struct log_range *l = &x->logs[i];
		l->wanted = before || l->begin < l->end;
		before = l->wanted && l->first == 0;
		if (l->wanted && l->size == 0)
			return van_error_set(x->err, VAN_ESTATE, "receipt log %s has no checkpoint yet: try again in a moment", l->log.origin);
	}
	return x->n_logs ? 0 : van_error_set(x->err, VAN_ENOTFOUND, "there are no receipts yet");
}

static void describe(const struct export *x, struct bundle_manifest *m)
{
	memset(m, 0, sizeof *m);
	m->from = x->o->from;
	m->until = x->o->until;
	for (size_t i = 0; i < x->n_logs; i++) {
		const struct log_range *l = &x->logs[i];
		if (!l->wanted)
			continue;
		struct bundle_log *b = &m->log[m->n++];
		b->year = l->log.year;
		b->first = l->first;
		b->last = l->last;
		memcpy(b->origin, l->log.origin, sizeof b->origin);
	}
}

/* --- single files --- */

static void put_buf(struct export *x, struct bundle_name name, struct van_buf *b)
{
	if (van_buf_error(b) && !x->w.error)
		x->w.error = van_buf_error(b);
	tar_file(&x->w, name.text, van_buf_slice(b), 0644);
	van_buf_free(b);
}

static void flush_sums(struct export *x)
{
	int rc = van_buf_error(&x->sums);
	if (rc == 0)
		rc = fd_pwrite_all(x->sums_fd, x->sums.p, x->sums.n, (off_t)x->sums_size);
	x->sums_size += x->sums.n;
	if (rc && !x->w.error)
		x->w.error = rc;
	van_buf_reset(&x->sums);
}

static void note_sum(void *arg, const char *name, const unsigned char sha256[32])
{
	struct export *x = arg;
	char hex[2 * RECEIPT_HASH + 1];
	van_buf_printf(&x->sums, "%s  %s\n", hex_encode(hex, sha256, RECEIPT_HASH), name + sizeof BUNDLE_ROOT - 1);
	if (x->sums.n > 60000)
		flush_sums(x);
}

static int put_proof(struct export *x, struct receipt_ref ref)
{
	struct receipt_hash proof[RECEIPT_PROOF_MAX];
	int n = receipt_inclusion_proof(x->t, x->r, ref, x->now->size, proof);
	if (n < 0)
		return n;
	struct van_buf b = VAN_BUF_INIT(1 << 20);
	receipt_proof_text(ref.index, proof, (size_t)n, x->note, &b);
	put_buf(x, bundle_leaf_file(ref.log, "proofs", ref.index, SLICE(".tlog-proof")), &b);
	return 0;
}

static int put_artefact(struct export *x, struct receipt_ref ref, const struct receipt_leaf *leaf, const struct receipt_artefact *a)
{
	struct receipt_content c = {.fd = -1};
	unsigned char salt[RECEIPT_SALT];
	int rc = receipt_salt_get(x->t, x->r, ref, a->name, salt);
	if (rc == 0)
		rc = x->o->artefact(x->o->arg, ref, leaf, a, &c);
	if (rc == VAN_ENOTFOUND) {
		x->stat.deleted++;
		return 0;
	}
	if (rc)
		return rc;
	char ending[RECEIPT_ARTEFACT_NAME_MAX + 2];
	snprintf(ending, sizeof ending, "/%.*s", SLICE_ARG(a->name));
	struct bundle_name name = bundle_leaf_file(ref.log, "artefacts", ref.index, slice_str(ending));
	if (c.fd >= 0) {
		tar_file_fd(&x->w, name.text, c.fd, c.offset, c.length);
		close(c.fd);
	} else {
		tar_file(&x->w, name.text, c.bytes, 0644);
	}
	name = bundle_leaf_file(ref.log, "salts", ref.index, slice_str(ending));
	tar_file(&x->w, name.text, slice_make(salt, sizeof salt), 0644);
	x->stat.artefacts++;
	return 0;
}

static int put_certificate(struct export *x, struct slice sha256)
{
	struct receipt_hash h;
	memcpy(h.b, sha256.p, RECEIPT_HASH);
	for (size_t i = x->n_certificates; i-- > 0;)
		if (memcmp(h.b, x->certificates[i].b, RECEIPT_HASH) == 0)
			return 0;
	struct van_buf der = VAN_BUF_INIT(CERTIFICATE_SIZE_MAX);
	int rc = x->o->certificate(x->o->arg, &h, &der);
	struct receipt_hash *more = rc || x->n_certificates == CERTIFICATES_MAX
		? NULL : realloc(x->certificates, (x->n_certificates + 1) * sizeof *more);
	if (rc || !more) {
		van_buf_free(&der);
		return rc == VAN_ENOTFOUND ? 0 : rc ? rc : VAN_ENOMEM;
	}
	x->certificates = more;
	x->certificates[x->n_certificates++] = h;
	put_buf(x, bundle_certificate(&h), &der);
	return 0;
}

static int put_leaf(void *arg, struct receipt_ref ref, struct slice json)
{
	struct export *x = arg;
	struct receipt_leaf leaf;
	if (ref.log != x->now->log.year || ref.index > x->now->last)
		return 1;
	van_arena_reset(x->arena);
	int rc = receipt_leaf_parse(json, x->arena, &leaf, x->err);
	if (rc)
		return rc;
	tar_file(&x->w, bundle_leaf_file(ref.log, "leaves", ref.index, SLICE(".json")).text, json, 0644);
	rc = put_proof(x, ref);
	bool of_period = ref.index >= x->now->begin && ref.index < x->now->end; /* the neighbours come without artefacts */
	if (rc == 0 && of_period && x->o->certificate && leaf.signer_cert.p)
		rc = put_certificate(x, leaf.signer_cert);
	for (size_t i = 0; rc == 0 && of_period && x->o->artefact && i < leaf.n_artefacts; i++)
		rc = put_artefact(x, ref, &leaf, &leaf.artefacts[i]);
	x->stat.leaves += of_period;
	return rc ? rc : x->w.error;
}

/* --- tiles --- */

static int put_tile(struct export *x, unsigned level, uint64_t number)
{
	struct node_source s = {x->t, x->r, x->now->log.year};
	unsigned char bytes[TILE_WIDTH * RECEIPT_HASH];
	uint64_t nodes = x->now->size >> level * TILE_BITS, from = number * TILE_WIDTH;
	unsigned width = nodes - from < TILE_WIDTH ? (unsigned)(nodes - from) : TILE_WIDTH;
	for (unsigned i = 0; i < width; i++) {
		struct receipt_hash h;
		int rc = receipt_node_get(&s, level * TILE_BITS, from + i, &h);
		if (rc)
			return rc;
		memcpy(bytes + i * RECEIPT_HASH, h.b, RECEIPT_HASH);
	}
	return tar_file(&x->w, bundle_tile(x->now->log.year, level, number, width).text, slice_make(bytes, width * RECEIPT_HASH), 0644);
}

/* The tiles over the leaves of the bundle, and the right edge. */
static int put_tiles(struct export *x)
{
	int rc = 0;
	for (unsigned level = 0; rc == 0 && x->now->size >> level * TILE_BITS; level++) {
		unsigned bits = (level + 1) * TILE_BITS;
		uint64_t nodes = x->now->size >> level * TILE_BITS, newest = (nodes - 1) / TILE_WIDTH;
		uint64_t first = x->now->first >> bits, last = x->now->last >> bits;
		last = last < newest ? last : newest;
		for (uint64_t n = first; rc == 0 && n <= last; n++)
			rc = put_tile(x, level, n);
		if (rc == 0 && newest > last)
			rc = put_tile(x, level, newest);
	}
	return rc;
}

/* --- a log --- */

static int put_start(struct export *x)
{
	struct slice note;
	struct receipt_checkpoint c;
	struct receipt_hash proof[RECEIPT_PROOF_MAX];
	uint32_t year = x->now->log.year;
	int rc = receipt_checkpoint_at_most(x->t, x->r, year, x->now->first, &note);
	if (rc == 0)
		rc = receipt_checkpoint_parse(note, &c, x->err);
	if (rc)
		return rc == VAN_ENOTFOUND ? 0 : rc;
	int n = receipt_consistency_proof(x->t, x->r, year, c.size, x->now->size, proof);
	if (n < 0)
		return n;
	struct van_buf b = VAN_BUF_INIT(65536);
	for (int i = 0; i < n; i++) {
		base64_encode(&b, proof[i].b, RECEIPT_HASH, 0);
		van_buf_append_char(&b, '\n');
	}
	tar_file(&x->w, bundle_log_file(year, "checkpoint.start").text, note, 0644);
	put_buf(x, bundle_log_file(year, "consistency"), &b);
	return 0;
}

static int put_log(struct export *x, struct log_range *l)
{
	struct receipt_vkey k;
	struct van_buf vkey = VAN_BUF_INIT(1024);
	x->now = l;
	int rc = receipt_checkpoint_newest(x->t, x->r, l->log.year, &x->note);
	if (rc == 0)
		rc = receipt_vkey_make(slice_str(l->log.origin), x->o->public_key, &k);
	if (rc)
		return rc;
	receipt_vkey_text(&k, &vkey);
	van_buf_append_char(&vkey, '\n');
	put_buf(x, bundle_log_file(l->log.year, "vkey"), &vkey);
	tar_file(&x->w, bundle_log_file(l->log.year, "checkpoint").text, x->note, 0644);
	rc = put_start(x);
	if (rc == 0)
		rc = receipt_each(x->t, x->r, (struct receipt_ref){l->log.year, l->first}, put_leaf, x);
	return rc < 0 ? rc : put_tiles(x);
}

static void put_head(struct export *x)
{
	struct bundle_manifest *m = malloc(sizeof *m);
	struct receipt_vkey k = {.name = ""};
	struct van_buf pem = VAN_BUF_INIT(1024), json = VAN_BUF_INIT(1 << 20);
	memcpy(k.key, x->o->public_key, RECEIPT_KEY);
	receipt_vkey_pem(&k, &pem);
	if (m) {
		describe(x, m);
		bundle_manifest_write(m, &json);
	} else {
		x->w.error = VAN_ENOMEM;
	}
	free(m);
	tar_file(&x->w, BUNDLE_ROOT "VERIFY.md", slice_str(bundle_verify_md), 0644);
	tar_file(&x->w, BUNDLE_ROOT "verify.sh", slice_str(bundle_verify_sh), 0755);
	put_buf(x, (struct bundle_name){BUNDLE_ROOT "key.pem"}, &pem);
	put_buf(x, (struct bundle_name){BUNDLE_ROOT "bundle.json"}, &json);
}

static int put_everything(struct export *x)
{
	int rc = choose_logs(x);
	if (rc)
		return rc;
	put_head(x);
	for (size_t i = 0; i < x->n_logs; i++) {
		rc = x->logs[i].wanted ? put_log(x, &x->logs[i]) : 0;
		if (rc && rc != x->w.error)
			return fail(x, rc, x->logs[i].log.origin);
		if (x->w.error)
			break;
	}
	flush_sums(x);
	x->w.done = NULL;
	tar_file_fd(&x->w, BUNDLE_ROOT "SHA256SUMS", x->sums_fd, 0, x->sums_size);
	rc = tar_finish(&x->w);
	return rc ? fail(x, rc, "writing") : 0;
}

int receipt_bundle_export(struct store_txn *t, struct receipts *r, const struct receipt_bundle_options *o, int fd,
	struct receipt_bundle_stat *ret, struct van_error *err)
{
	struct export *x = calloc(1, sizeof *x);
	if (!x)
		return van_error_set(err, VAN_ENOMEM, "the bundle could not be written: out of memory");
	x->t = t;
	x->r = r;
	x->o = o;
	x->err = err;
	x->sums_fd = memfd_new("sums");
	x->arena = van_arena_new(4 << 20);
	x->sums = VAN_BUF_INIT(128 * 1024);
	int rc = x->sums_fd < 0 ? x->sums_fd : x->arena ? tar_writer_start(&x->w, fd, o->now) : VAN_ENOMEM;
	x->w.done = note_sum;
	x->w.arg = x;
	rc = rc ? fail(x, rc, "starting") : put_everything(x);
	if (rc == 0 && ret) {
		x->stat.bytes = x->w.bytes;
		*ret = x->stat;
	}
	tar_writer_free(&x->w);
	van_buf_free(&x->sums);
	van_arena_free(x->arena);
	if (x->sums_fd >= 0)
		close(x->sums_fd);
	free(x->certificates);
	free(x);
	return rc;
}
