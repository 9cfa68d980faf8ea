/* Bundles: export, verify, every alteration found, hostile archives, verify.sh with the real openssl. */
#include "store_conformance.h"

#include "base/fdio.h"
#include "receipt/bundle.h"
#include "receipt/bundle_names.h"
#include "receipt/tar.h"
#include "vanctl/receipt_verify.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static const unsigned char private_key[32] = "a key that only tests may use...";

struct fixture {
	struct scratch dir;
	struct store *s;
	struct receipts *r;
	struct receipt_hash certificate;
	int big; /* an artefact in a file */
};

static van_time at(const char *text)
{
	van_time t;
	assert_int_equal(van_time_parse(slice_str(text), &t), 0);
	return t;
}

static struct store_txn *begin(struct fixture *f, enum store_mode mode)
{
	struct store_txn *t;
	assert_int_equal(store_begin(f->s, mode, &t, NULL), 0);
	return t;
}

static void add(struct fixture *f, van_time time, const char *message, const char *payload)
{
	struct store_txn *t = begin(f, STORE_WRITE);
	struct receipt_artefact a[2];
	struct receipt_leaf leaf = {.event = RECEIPT_RECEIVED, .time = time, .message = slice_str(message), .partner = SLICE("acme"),
		.text = slice_str(payload ? payload : NULL), .artefacts = a, .n_artefacts = payload ? 2 : 0};
	if (payload) {
		receipt_artefact_of(&a[0], "payload", slice_str(payload));
		assert_int_equal(receipt_artefact_of_fd(&a[1], "raw", f->big), 0);
		leaf.signer_cert = slice_make(f->certificate.b, RECEIPT_HASH);
	}
	assert_int_equal(receipt_append(t, f->r, &leaf, NULL, NULL), 0);
	assert_int_equal(store_commit(t, NULL), 0);
}

static void sign_as(struct fixture *f, uint32_t year, uint64_t size, van_time now, const unsigned char private[32])
{
	struct store_txn *t = begin(f, STORE_WRITE);
	struct receipt_log log;
	struct receipt_hash root;
	struct receipt_vkey k;
	unsigned char key[RECEIPT_KEY], sig[RECEIPT_SIGNATURE];
	struct van_buf text = VAN_BUF_INIT(1024), note = VAN_BUF_INIT(4096);
	assert_int_equal(receipt_log_get(t, f->r, year, &log), 0);
	assert_int_equal(receipt_root_at(t, f->r, year, size ? size : log.size, &root), 0);
	receipt_checkpoint_text(slice_str(log.origin), size ? size : log.size, &root, &text);
	receipt_ed25519_public(private, key);
	receipt_ed25519_sign(private, van_buf_slice(&text), sig);
	receipt_vkey_make(slice_str(log.origin), key, &k);
	receipt_checkpoint_assemble(van_buf_slice(&text), &k, sig, &note);
	assert_int_equal(receipt_checkpoint_put(t, f->r, van_buf_slice(&note), now, NULL), 0);
	van_buf_free(&text);
	van_buf_free(&note);
	assert_int_equal(store_commit(t, NULL), 0);
}

static void sign(struct fixture *f, uint32_t year, uint64_t size, const char *now)
{
	sign_as(f, year, size, at(now), private_key);
}

/* Three receipts in 2025, a thousand or so in 2026, with checkpoints on the way. */
static void fill(struct fixture *f, int n)
{
	add(f, at("2025-11-01"), "m1", "the first");
	add(f, at("2025-12-01"), "m2", NULL);
	add(f, at("2025-12-31"), "m1", "the second");
	for (int i = 0; i < n; i++) {
		add(f, at("2026-01-01") + i * 3600 * VAN_SECOND, i % 3 ? "m1" : "m3", i % 40 == 7 ? "some payload" : NULL);
		if (i == n / 3)
			sign(f, 2026, 0, "2026-01-03");
	}
	sign(f, 2025, 0, "2026-01-01");
	sign(f, 2026, 0, "2026-12-01");
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	scratch_make(&f->dir);
	struct store_options o = {.dirfd = f->dir.fd, .map_size = 64 << 20};
	assert_int_equal(store_open(&o, &f->s, NULL), 0);
	assert_int_equal(receipts_open(f->s, SLICE("van.example"), &f->r, NULL), 0);
	f->certificate = receipt_sha256("certificate", 11);
	f->big = memfd_new("big");
	for (int i = 0; i < 30; i++)
		assert_int_equal(fd_write_all(f->big, "0123456789ABCDEF0123456789abcdef\n", 33), 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	close(f->big);
	receipts_close(f->r);
	store_close(f->s);
	scratch_remove(&f->dir);
	free(f);
	return 0;
}

static int get_artefact(void *arg, struct receipt_ref ref, const struct receipt_leaf *leaf, const struct receipt_artefact *a,
	struct receipt_content *ret)
{
	struct fixture *f = arg;
	(void)ref;
	if (slice_is(a->name, "raw"))
		*ret = (struct receipt_content){.fd = dup(f->big), .length = a->length};
	else
		*ret = (struct receipt_content){.fd = -1, .bytes = leaf->text};
	return 0;
}

static int get_certificate(void *arg, const struct receipt_hash *sha256, struct van_buf *der)
{
	struct fixture *f = arg;
	assert_memory_equal(sha256->b, f->certificate.b, 32);
	return van_buf_append_str(der, "certificate");
}

static int export(struct fixture *f, const char *from, const char *until, struct receipt_bundle_stat *st)
{
	struct receipt_bundle_options o = {.artefact = get_artefact, .certificate = get_certificate, .arg = f, .now = at("2026-02-02"),
		.from = from ? at(from) : 0, .until = until ? at(until) : 0};
	receipt_ed25519_public(private_key, o.public_key);
	int fd = memfd_new("bundle");
	struct store_txn *t = begin(f, STORE_READ);
	struct van_error err = {0};
	int rc = receipt_bundle_export(t, f->r, &o, fd, st, &err);
	store_abort(t);
	if (rc) {
		close(fd);
		return rc;
	}
	return fd;
}

static void vkey_of(uint32_t year, const unsigned char private[32], struct van_buf *to)
{
	unsigned char key[RECEIPT_KEY];
	char origin[100];
	struct receipt_vkey k;
	snprintf(origin, sizeof origin, "van.example/receipts/%u", year);
	receipt_ed25519_public(private, key);
	receipt_vkey_make(slice_str(origin), key, &k);
	van_buf_reset(to);
	receipt_vkey_text(&k, to);
}

/* Number of problems; prints them when none were expected. */
static uint64_t problems(int fd, bool expected, struct receipt_report *ret)
{
	struct receipt_report r;
	struct van_error err = {0};
	struct van_buf vkey = VAN_BUF_INIT(0);
	vkey_of(2026, private_key, &vkey);
	if (receipt_bundle_verify(fd, van_buf_slice(&vkey), &r, &err))
		fail_msg("%s", err.text);
	if (!expected && r.n_problems)
		print_message("# %.*s\n", SLICE_ARG(van_buf_slice(&r.problems)));
	van_buf_free(&vkey);
	van_buf_free(&r.problems);
	if (ret)
		*ret = r;
	return r.n_problems;
}

static void whole_logs_verify(void **state)
{
	struct fixture *f = *state;
	struct receipt_bundle_stat st;
	struct receipt_report r;
	fill(f, 700);
	int fd = export(f, NULL, NULL, &st);
	assert_true(fd >= 0);
	assert_int_equal(st.leaves, 3 + 701);
	assert_int_equal(st.artefacts, 2 * (2 + 18));
	assert_int_equal(problems(fd, false, &r), 0);
	assert_int_equal(r.checked, 3 + 701);
	assert_int_equal(r.size, 3 + 701);
	assert_int_equal(r.artefacts, st.artefacts);
	assert_int_equal(r.missing, 0);
	assert_false(r.own_key);
	/* With the bundle's own key, and with another one. */
	struct van_buf vkey = VAN_BUF_INIT(0);
	assert_int_equal(receipt_bundle_verify(fd, SLICE_NONE, &r, NULL), 0);
	assert_int_equal(r.n_problems, 0);
	assert_true(r.own_key);
	van_buf_free(&r.problems);
	vkey_of(2026, (const unsigned char *)"another key that only tests use.", &vkey);
	assert_int_equal(receipt_bundle_verify(fd, van_buf_slice(&vkey), &r, NULL), 0);
	assert_true(r.n_problems >= 2);
	assert_int_equal(r.checked, 0);
	van_buf_free(&r.problems);
	vkey_of(1999, private_key, &vkey);
	assert_int_equal(receipt_bundle_verify(fd, van_buf_slice(&vkey), &r, NULL), 0);
	assert_int_equal(r.n_problems, 1); /* a key of no log of the bundle */
	van_buf_free(&r.problems);
	assert_int_equal(receipt_bundle_verify(fd, SLICE("nonsense"), &r, NULL), VAN_ESYNTAX);
	van_buf_free(&r.problems);
	van_buf_free(&vkey);
	close(fd);
}

static void periods_verify(void **state)
{
	struct fixture *f = *state;
	fill(f, 300);
	static const struct {
		const char *from, *until;
		int leaves, checked; /* without and with the neighbours */
	} cases[] = {
		{"2026-01-05", "2026-01-06", 24, 26},
		{"2026-01-05", NULL, 300 - 96, 300 - 96 + 1},
		{NULL, "2026-01-02", 3 + 1 + 24, 3 + 1 + 24 + 1},
		{"2025-12-15", "2026-01-01T00:30:00Z", 1 + 2, 2 + 2 + 1},
		{NULL, "2025-01-01", 0, 1 + 1 },
		{"2027-01-01", NULL, 0, 1},
		{"2026-01-05T00:10:00Z", "2026-01-05T00:20:00Z", 0, 2},
		{"2026-01-01", "2026-01-01T00:00:01Z", 2, 1 + 2 + 1},
		{"2025-11-15", "2025-12-15", 1, 3 + 1},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct receipt_bundle_stat st;
		struct receipt_report r;
		int fd = export(f, cases[i].from, cases[i].until, &st);
		assert_true(fd >= 0);
		assert_int_equal(problems(fd, false, &r), 0);
		assert_int_equal(st.leaves, cases[i].leaves);
		assert_int_equal(r.checked, cases[i].checked);
		close(fd);
	}
}

static void unsigned_logs_are_not_exported(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(export(f, NULL, NULL, NULL), VAN_ENOTFOUND);
	add(f, at("2026-01-01"), "m", NULL);
	assert_int_equal(export(f, NULL, NULL, NULL), VAN_ESTATE);
}

static void what_is_not_signed_yet_waits(void **state)
{
	struct fixture *f = *state;
	fill(f, 20);
	add(f, at("2026-12-01"), "late", NULL);
	struct receipt_report r;
	int fd = export(f, NULL, NULL, NULL);
	assert_int_equal(problems(fd, false, &r), 0);
	assert_int_equal(r.checked, 3 + 21);
	close(fd);
}

/* --- altered bundles --- */

struct edit {
	int from;
	struct tar_writer w;
	struct van_buf sums;
	size_t which, n; /* the file to alter, files seen */
	enum { FLIP, DROP, ADD } how;
	char name[TAR_NAME_MAX + 1];
	const char *only; /* drop every file whose name holds this */
};

static void sum_line(void *arg, const char *name, const unsigned char sha256[32])
{
	struct edit *e = arg;
	for (int i = 0; i < 32; i++)
		van_buf_printf(&e->sums, "%02x", sha256[i]);
	van_buf_printf(&e->sums, "  %s\n", name + sizeof BUNDLE_ROOT - 1);
}

static int copy_file(void *arg, const char *name, uint64_t offset, uint64_t size)
{
	struct edit *e = arg;
	struct van_buf b = VAN_BUF_INIT(0);
	if (strstr(name, "SHA256SUMS"))
		return 0;
	char *p = van_buf_reserve(&b, size + 1);
	assert_int_equal(fd_pread_all(e->from, p, size, (off_t)offset), 0);
	b.n = size;
	bool now = e->n++ == e->which || (e->only && strstr(name, e->only));
	if (now)
		strcpy(e->name, name);
	if (now && e->how == FLIP && size)
		b.p[size / 2] ^= 1;
	if (!now || e->how != DROP)
		tar_file(&e->w, name, van_buf_slice(&b), 0644);
	van_buf_free(&b);
	return 0;
}

/* A copy with one file altered and SHA256SUMS made anew; -1 when there is no such file. */
static int altered(int fd, struct edit *e)
{
	int to = memfd_new("altered");
	e->from = fd;
	e->n = 0;
	e->name[0] = 0;
	e->sums = VAN_BUF_INIT(0);
	tar_writer_start(&e->w, to, 0);
	e->w.done = sum_line;
	e->w.arg = e;
	assert_int_equal(tar_scan(fd, copy_file, e, NULL), 0);
	if (e->how == ADD)
		tar_file(&e->w, BUNDLE_ROOT "2026/leaves/more.json", SLICE("{}"), 0644);
	e->w.done = NULL;
	tar_file(&e->w, BUNDLE_ROOT "SHA256SUMS", van_buf_slice(&e->sums), 0644);
	assert_int_equal(tar_finish(&e->w), 0);
	tar_writer_free(&e->w);
	van_buf_free(&e->sums);
	return to;
}

static bool is_text(const char *name)
{
	return strstr(name, "verify.sh") || strstr(name, "VERIFY.md") || strstr(name, "bundle.json");
}

/* What may be absent: certificates are there where they are known. */
static bool may_be_absent(const char *name)
{
	return strstr(name, "certificates/") != NULL;
}

static void every_alteration_is_found(void **state)
{
	struct fixture *f = *state;
	fill(f, 30);
	int fd = export(f, "2025-12-15", "2026-01-02", NULL);
	assert_int_equal(problems(fd, false, NULL), 0);
	struct edit e = {.which = SIZE_MAX};
	int same = altered(fd, &e);
	assert_int_equal(problems(same, false, NULL), 0);
	close(same);
	size_t files = e.n, found = 0;
	assert_true(files > 60);
	for (size_t i = 0; i < files; i++) {
		e = (struct edit){.which = i, .how = FLIP};
		int bad = altered(fd, &e);
		struct receipt_report r;
		uint64_t n = problems(bad, true, &r);
		assert_int_equal(r.other_texts, strstr(e.name, "verify.sh") || strstr(e.name, "VERIFY.md"));
		if (n == 0 && !is_text(e.name))
			fail_msg("an altered %s was not found", e.name);
		found += n > 0;
		close(bad);
		e = (struct edit){.which = i, .how = DROP};
		bad = altered(fd, &e);
		if (problems(bad, true, NULL) == 0 && !may_be_absent(e.name))
			fail_msg("a missing %s was not found", e.name);
		close(bad);
	}
	assert_true(found >= files - 3);
	e = (struct edit){.which = SIZE_MAX, .how = ADD};
	int more = altered(fd, &e);
	assert_true(problems(more, true, NULL) > 0);
	close(more);
	close(fd);
}

/* The texts are not signed, but SHA256SUMS covers them: without new sums any bit of the archive that changes is found. */
static void damage_is_found(void **state)
{
	struct fixture *f = *state;
	fill(f, 5);
	int fd = export(f, "2026-01-01", NULL, NULL);
	uint64_t size;
	assert_int_equal(fd_size(fd, &size), 0);
	unsigned seed = 1;
	for (uint64_t i = 0; i < size; i += 1 + (uint64_t)rand_r(&seed) % 97) {
		char c, bit = (char)(1 << rand_r(&seed) % 8);
		assert_int_equal(fd_pread_all(fd, &c, 1, (off_t)i), 0);
		c ^= bit;
		assert_int_equal(fd_pwrite_all(fd, &c, 1, (off_t)i), 0);
		struct receipt_report r;
		assert_int_equal(receipt_bundle_verify(fd, SLICE_NONE, &r, NULL), 0);
		if (r.n_problems == 0)
			fail_msg("a changed byte at %llu was not found", (unsigned long long)i);
		van_buf_free(&r.problems);
		c ^= bit;
		assert_int_equal(fd_pwrite_all(fd, &c, 1, (off_t)i), 0);
	}
	assert_int_equal(problems(fd, false, NULL), 0);
	close(fd);
}

static void cut_archives_are_found(void **state)
{
	struct fixture *f = *state;
	fill(f, 5);
	int fd = export(f, NULL, NULL, NULL);
	uint64_t size;
	assert_int_equal(fd_size(fd, &size), 0);
	for (uint64_t n = size - 1; n > 0; n = n > 700 ? n - 700 : 0) {
		assert_int_equal(ftruncate(fd, (off_t)n), 0);
		assert_true(problems(fd, true, NULL) > 0);
	}
	close(fd);
	fd = open("/dev/null", O_RDONLY);
	assert_true(problems(fd, true, NULL) > 0);
	close(fd);
}

/* The last receipts of a period taken away, with everything made to fit that can be without the key. */
static void a_shortened_period_is_found(void **state)
{
	struct fixture *f = *state;
	fill(f, 30);
	/* Numbers 0 to 24 are of the first day, 25 is the neighbour that shows it. */
	int fd = export(f, "2026-01-01", "2026-01-02", NULL), to = memfd_new("short");
	struct edit e = {.which = SIZE_MAX, .how = DROP, .only = "/000000000025."};
	int bad = altered(fd, &e);
	assert_true(problems(bad, true, NULL) > 0);
	struct edit shorter = {.from = bad, .which = SIZE_MAX};
	struct van_buf manifest = VAN_BUF_INIT(0);
	struct bundle_manifest m = {.from = at("2026-01-01"), .until = at("2026-01-02"), .n = 2,
		.log = {{2025, "van.example/receipts/2025", 2, 2}, {2026, "van.example/receipts/2026", 0, 24}}};
	bundle_manifest_write(&m, &manifest);
	tar_writer_start(&shorter.w, to, 0);
	shorter.sums = VAN_BUF_INIT(0);
	shorter.w.done = sum_line;
	shorter.w.arg = &shorter;
	tar_file(&shorter.w, BUNDLE_ROOT "bundle.json", van_buf_slice(&manifest), 0644);
	shorter.how = DROP;
	shorter.only = "bundle.json";
	assert_int_equal(tar_scan(bad, copy_file, &shorter, NULL), 0);
	shorter.w.done = NULL;
	tar_file(&shorter.w, BUNDLE_ROOT "SHA256SUMS", van_buf_slice(&shorter.sums), 0644);
	assert_int_equal(tar_finish(&shorter.w), 0);
	assert_int_equal(problems(to, true, NULL), 1);
	tar_writer_free(&shorter.w);
	van_buf_free(&shorter.sums);
	van_buf_free(&manifest);
	close(fd);
	close(to);
	close(bad);
}

/* Headers that other programs would read in another way. */
static void hostile_archives_are_refused(void **state)
{
	(void)state;
	static const char *const names[] = {"../x", "/etc/passwd", "a/../b", "a//b", "x\n", "a b", BUNDLE_ROOT "../x"};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		int fd = memfd_new("hostile");
		struct tar_writer w;
		tar_writer_start(&w, fd, 0);
		tar_file(&w, names[i], SLICE("x"), 0644);
		tar_finish(&w);
		tar_writer_free(&w);
		assert_true(problems(fd, true, NULL) > 0);
		close(fd);
	}
	/* Random blocks. */
	unsigned seed = 3;
	for (int i = 0; i < 200; i++) {
		unsigned char b[4096];
		for (size_t j = 0; j < sizeof b; j++)
			b[j] = (unsigned char)(rand_r(&seed) >> 8);
		int fd = memfd_with("random", b, sizeof b);
		assert_true(problems(fd, true, NULL) > 0);
		close(fd);
	}
	/* A signed log of absurd size by a key of the attacker's own: ends at once. */
	int fd = memfd_new("absurd");
	struct tar_writer w;
	struct edit e = {.sums = VAN_BUF_INIT(0)};
	struct van_buf b = VAN_BUF_INIT(0), note = VAN_BUF_INIT(0);
	struct receipt_vkey k;
	unsigned char key[32], sig[64];
	struct receipt_hash root = {{1}};
	receipt_ed25519_public(private_key, key);
	receipt_vkey_make(SLICE("h/receipts/2026"), key, &k);
	tar_writer_start(&w, fd, 0);
	w.done = sum_line;
	w.arg = &e;
	receipt_checkpoint_text(SLICE("h/receipts/2026"), (uint64_t)1 << 62, &root, &b);
	receipt_ed25519_sign(private_key, van_buf_slice(&b), sig);
	receipt_checkpoint_assemble(van_buf_slice(&b), &k, sig, &note);
	tar_file(&w, BUNDLE_ROOT "2026/checkpoint", van_buf_slice(&note), 0644);
	van_buf_reset(&b);
	receipt_vkey_text(&k, &b);
	tar_file(&w, BUNDLE_ROOT "2026/vkey", van_buf_slice(&b), 0644);
	tar_file(&w, BUNDLE_ROOT "bundle.json", SLICE("{\"from\":null,\"until\":null,\"version\":1,"
		"\"logs\":[{\"first\":0,\"last\":9007199254740991,\"origin\":\"h/receipts/2026\"}]}"), 0644);
	w.done = NULL;
	tar_file(&w, BUNDLE_ROOT "SHA256SUMS", van_buf_slice(&e.sums), 0644);
	tar_finish(&w);
	struct receipt_report r;
	assert_int_equal(receipt_bundle_verify(fd, SLICE_NONE, &r, NULL), 0);
	assert_true(r.n_problems > 0);
	van_buf_free(&r.problems);
	tar_writer_free(&w);
	van_buf_free(&e.sums);
	van_buf_free(&b);
	van_buf_free(&note);
	close(fd);
}

/* --- with public tools --- */

static int run(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static int run(const char *fmt, ...)
{
	char command[4096];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(command, sizeof command, fmt, ap);
	va_end(ap);
	int status = system(command);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void unpack(struct fixture *f, const char *path, int fd)
{
	(void)f;
	assert_true(fd >= 0);
	assert_int_equal(run("rm -rf %s && mkdir %s && cp /proc/%d/fd/%d %s/b.tar && tar -xf %s/b.tar -C %s", path, path, (int)getpid(), fd, path,
		path, path), 0);
	close(fd);
}

static void script(const char *path, const char *argument, int expected)
{
	int rc = run("cd %s && sh openvan-receipts/verify.sh %s >log 2>&1", path, argument);
	if (rc != expected)
		run("sed 's/^/# /' %s/log", path);
	assert_int_equal(rc, expected);
}

static void the_script_agrees(void **state)
{
	struct fixture *f = *state;
	if (run("command -v tar openssl sha256sum od >/dev/null 2>&1"))
		skip();
	fill(f, 45);
	char path[600];
	snprintf(path, sizeof path, "%s/unpacked", f->dir.path);
	unpack(f, path, export(f, "2025-12-15", "2026-01-02", NULL));
	script(path, "", 0);
	assert_int_equal(run("grep -q '^28 receipts are in the signed log; 4 artefacts match, 0 are not' %s/log", path), 0);
	/* The rest with few receipts, for speed. */
	unpack(f, path, export(f, "2026-01-01T05:30:00Z", "2026-01-01T08:30:00Z", NULL));
	script(path, "openvan-receipts/key.pem", 0);
	assert_int_equal(run("openssl genpkey -algorithm ed25519 2>/dev/null | openssl pkey -pubout -out %s/other.pem", path), 0);
	script(path, "other.pem", 1);
	/* Without xxd. */
	assert_int_equal(run("cd %s && mkdir bin && for p in sh sed cut od tr openssl sha256sum grep tail wc mktemp rm cat dirname; do "
		"ln -s \"$(command -v $p)\" bin/$p; done && PATH=$PWD/bin sh openvan-receipts/verify.sh >log 2>&1", path), 0);
	/* Alterations, with sums to match. */
	static const char *const edits[] = {
		"sed -i s/acme/acne/ 2026/leaves/000000000007.json",
		"printf x >>2026/artefacts/000000000008/payload",
		"printf 0123456789abcdef >2026/salts/000000000008/raw",
		"rm 2026/leaves/000000000007.json 2026/proofs/000000000007.tlog-proof",
		"sed -i 2s/index/indax/ 2026/proofs/000000000009.tlog-proof",
		"cp 2026/leaves/000000000007.json 2026/leaves/000000000008.json",
		"sed -i 2s/4/5/ 2026/checkpoint",
		"printf x >>certificates/*.der",
	};
	for (size_t i = 0; i < sizeof edits / sizeof *edits; i++) {
		assert_int_equal(run("cd %s && rm -rf openvan-receipts && tar -xf b.tar && cd openvan-receipts && %s && "
			"find . -type f ! -name SHA256SUMS | sed 's|^./||' | xargs sha256sum >SHA256SUMS", path, edits[i]), 0);
		script(path, "", 1);
	}
	assert_int_equal(run("cd %s && rm -rf openvan-receipts && tar -xf b.tar && printf x >>openvan-receipts/VERIFY.md", path), 0);
	script(path, "", 1);
}

/* Runs the command with standard output in a file; its text goes to `to`. */
static int command(const char *path, char *to, size_t room, const char *const *argv)
{
	char name[700];
	int argc = 0;
	while (argv[argc])
		argc++;
	snprintf(name, sizeof name, "%s/out", path);
	fflush(stdout);
	int saved = dup(STDOUT_FILENO), out = open(name, O_CREAT | O_TRUNC | O_RDWR, 0600);
	dup2(out, STDOUT_FILENO);
	int status = vanctl_receipt_verify(argc, (char **)(uintptr_t)argv);
	fflush(stdout);
	dup2(saved, STDOUT_FILENO);
	close(saved);
	ssize_t n = pread(out, to, room - 1, 0);
	to[n > 0 ? n : 0] = 0;
	close(out);
	return status;
}

static void the_command_answers(void **state)
{
	struct fixture *f = *state;
	char bundle[600], key[300], out[4096];
	struct van_buf vkey = VAN_BUF_INIT(0);
	fill(f, 5);
	int fd = export(f, NULL, NULL, NULL);
	snprintf(bundle, sizeof bundle, "%s/b.tar", f->dir.path);
	assert_int_equal(run("cp /proc/%d/fd/%d %s", (int)getpid(), fd, bundle), 0);
	close(fd);
	vkey_of(2025, private_key, &vkey);
	snprintf(key, sizeof key, "%.*s", SLICE_ARG(van_buf_slice(&vkey)));
	assert_int_equal(command(f->dir.path, out, sizeof out, (const char *[]){"verify", bundle, NULL}), 0);
	assert_non_null(strstr(out, "\nverified\n"));
	assert_non_null(strstr(out, "note: the key came from the bundle itself"));
	assert_int_equal(command(f->dir.path, out, sizeof out, (const char *[]){"verify", "--json", bundle, "--key", key, NULL}), 0);
	static const char good[] = "{\"verified\":true,\"size\":9,\"checked\":9,\"problems\":[]";
	assert_memory_equal(out, good, sizeof good - 1);
	vkey_of(2025, (const unsigned char *)"another key that only tests use.", &vkey);
	snprintf(key, sizeof key, "--key=%.*s", SLICE_ARG(van_buf_slice(&vkey)));
	assert_int_equal(command(f->dir.path, out, sizeof out, (const char *[]){"verify", "--json", bundle, key, NULL}), 1);
	static const char bad[] = "{\"verified\":false,\"size\":0,\"checked\":0,\"problems\":[\"";
	assert_memory_equal(out, bad, sizeof bad - 1);
	assert_int_equal(command(f->dir.path, out, sizeof out, (const char *[]){"verify", "--help", NULL}), 0);
	const char *const usage[][5] = {{"verify", NULL}, {"verify", "/nonexistent.tar", NULL}, {"verify", bundle, "more", NULL},
		{"verify", "--what", bundle, NULL}, {"verify", bundle, "--key", "nonsense", NULL}};
	int quiet = open("/dev/null", O_WRONLY), saved = dup(STDERR_FILENO);
	dup2(quiet, STDERR_FILENO);
	int wrong = 0;
	for (size_t i = 0; i < sizeof usage / sizeof *usage; i++)
		wrong += command(f->dir.path, out, sizeof out, usage[i]) != 2;
	dup2(saved, STDERR_FILENO);
	close(quiet);
	close(saved);
	assert_int_equal(wrong, 0);
	van_buf_free(&vkey);
}

static void large_files_have_a_pax_record(void **state)
{
	struct fixture *f = *state;
	(void)f;
	int sparse = memfd_new("sparse"), fd = memfd_new("tar");
	struct tar_writer w;
	tar_writer_start(&w, fd, 0);
	tar_begin(&w, BUNDLE_ROOT "huge", (uint64_t)9 << 30, 0644);
	assert_int_equal(w.error, 0);
	tar_data(&w, "x", 1);
	assert_int_equal(tar_end_file(&w), VAN_EINVAL); /* fewer bytes than said */
	tar_writer_free(&w);
	close(sparse);
	/* The header alone, then a hole as long as the file. */
	char head[3 * TAR_BLOCK];
	fd = memfd_new("tar");
	tar_writer_start(&w, fd, 0);
	tar_begin(&w, BUNDLE_ROOT "huge", (uint64_t)9 << 30, 0644);
	assert_int_equal(w.out.n, sizeof head);
	memcpy(head, w.out.p, sizeof head);
	tar_writer_free(&w);
	assert_int_equal(fd_pwrite_all(fd, head, sizeof head, 0), 0);
	assert_int_equal(ftruncate(fd, (off_t)(sizeof head + ((uint64_t)9 << 30) + 1024)), 0);
	assert_memory_equal(head + TAR_BLOCK, "19 size=9663676416\n", 19);
	if (!run("command -v tar >/dev/null"))
		assert_int_equal(run("tar -tvf /proc/%d/fd/%d | grep -q ' 9663676416 '", (int)getpid(), fd), 0);
	close(fd);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(whole_logs_verify),
		TEST(periods_verify),
		TEST(unsigned_logs_are_not_exported),
		TEST(what_is_not_signed_yet_waits),
		TEST(every_alteration_is_found),
		TEST(damage_is_found),
		TEST(cut_archives_are_found),
		TEST(a_shortened_period_is_found),
		TEST(hostile_archives_are_refused),
		TEST(the_script_agrees),
		TEST(the_command_answers),
		TEST(large_files_have_a_pax_record),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
