#include "roles/http/partial.h"

#include "base/codec.h"
#include "base/error.h"
#include "base/fdio.h"
#include "base/log.h"
#include "cms/digest.h"
#include "partner/settings.h"
#include "roles/http/request.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define FOLDER "partial"
#define BOOT "boot"
#define HEX 64
#define PAIR 16
#define NAME_MAX_ (HEX + 1 + PAIR + 1 + 20 + 1)

struct partial {
	struct partial *next;
	struct partial_key key;
	uint64_t bytes, total; /* total: 0 unknown. bytes: while it is idle */
	van_time touched;
	struct request *owner; /* NULL: idle */
};

struct partials {
	int folder;
	struct partial *all;
};

/* --- keys and ranges ------------------------------------------------------------------------------------------------------- */

static int hash(const struct slice *parts, size_t n, char *to, size_t digits)
{
	struct digest_set d = {0};
	unsigned char md[DIGEST_SIZE_MAX];
	char hex[2 * 32 + 1];
	int rc = digest_set_begin(&d, ALG_BIT(DIGEST_SHA256));
	for (size_t i = 0; i < n && rc == 0; i++) {
		uint64_t length = parts[i].n; /* so that nothing moves from one part into the next */
		rc = digest_set_update(&d, &length, sizeof length);
		if (rc == 0 && length)
			rc = digest_set_update(&d, parts[i].p, parts[i].n);
	}
	if (rc == 0)
		rc = digest_set_end(&d, DIGEST_SHA256, md);
	digest_set_free(&d);
	if (rc < 0)
		return rc;
	snprintf(to, digits + 1, "%.*s", (int)digits, hex_encode(hex, md, 32));
	return 0;
}

int partial_key_make(struct slice etag, struct slice from, struct slice to, struct slice client, struct slice authorization,
		     struct partial_key *ret)
{
	const struct slice all[] = {slice_trim(etag), slice_trim(from), slice_trim(to), client, authorization};
	if (!all[0].n || !all[1].n || !all[2].n)
		return VAN_ESYNTAX;
	int rc = hash(all, 5, ret->name, HEX);
	return rc < 0 ? rc : hash(all + 1, 2, ret->pair, PAIR);
}

int partial_range_parse(struct slice value, uint64_t *ret_first, uint64_t *ret_total)
{
	unsigned long long first, last, total;
	struct slice rest = slice_trim(value), unit = slice_cut(&rest, ' ');
	struct slice range = slice_trim(slice_cut(&rest, '/')), text = slice_trim(rest.p ? rest : SLICE(""));
	struct slice from = slice_trim(slice_cut(&range, '-')), until = slice_trim(range.p ? range : SLICE(""));
	if (!slice_case_is(unit, "bytes") || !slice_u64(from, &first) || !slice_u64(until, &last) || !slice_u64(text, &total))
		return VAN_ESYNTAX;
	if (first > last || last + 1 != total)
		return VAN_ESYNTAX;
	*ret_first = first;
	*ret_total = total;
	return 0;
}

/* --- files -------------------------------------------------------------------------------------------------------------------- */

static void file_name(const struct partial *f, char to[NAME_MAX_ + 1])
{
	snprintf(to, NAME_MAX_ + 1, "%s-%s-%llu", f->key.name, f->key.pair, (unsigned long long)f->total);
}

static void take_out(struct partials *p, struct partial *f)
{
	for (struct partial **at = &p->all; *at; at = &(*at)->next)
		if (*at == f) {
			*at = f->next;
			break;
		}
	if (f->owner)
		f->owner->partial = NULL;
	free(f);
}

static void forget(struct partials *p, struct partial *f)
{
	char name[NAME_MAX_ + 1];
	file_name(f, name);
	unlinkat(p->folder, name, 0);
	take_out(p, f);
}

static struct partial *find(struct partials *p, const struct partial_key *k)
{
	for (struct partial *f = p->all; f; f = f->next)
		if (strcmp(f->key.name, k->name) == 0)
			return f;
	return NULL;
}

static struct partial *add(struct partials *p, const struct partial_key *k, uint64_t total)
{
	struct partial *f = calloc(1, sizeof *f);
	if (!f)
		return NULL;
	*f = (struct partial){.next = p->all, .key = *k, .total = total, .touched = van_clock_now()};
	p->all = f;
	return f;
}

static bool is_hex(struct slice s, size_t n)
{
	for (size_t i = 0; i < s.n; i++)
		if (!(s.p[i] >= '0' && s.p[i] <= '9') && !(s.p[i] >= 'a' && s.p[i] <= 'f'))
			return false;
	return s.n == n;
}

/* A file of an earlier process. */
static void take_up(struct partials *p, const char *name)
{
	struct stat st;
	unsigned long long total;
	struct partial_key k;
	struct slice rest = slice_str(name), key = slice_cut(&rest, '-'), pair = slice_cut(&rest, '-');
	bool fine = is_hex(key, HEX) && is_hex(pair, PAIR) && rest.p && slice_u64(rest, &total) &&
		    fstatat(p->folder, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode);
	if (fine) {
		snprintf(k.name, sizeof k.name, "%.*s", SLICE_ARG(key));
		snprintf(k.pair, sizeof k.pair, "%.*s", SLICE_ARG(pair));
	}
	struct partial *f = fine && !find(p, &k) ? add(p, &k, total) : NULL;
	if (!f) {
		unlinkat(p->folder, name, 0);
		return;
	}
	f->bytes = (uint64_t)st.st_size;
	f->touched = (van_time)st.st_mtim.tv_sec * VAN_SECOND;
}

static bool same_boot(struct partials *p)
{
	struct van_buf now = VAN_BUF_INIT(64), then = VAN_BUF_INIT(64);
	int fd = openat(p->folder, BOOT, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	bool same = fd >= 0 && file_read("/proc/sys/kernel/random/boot_id", &now) == 0 && fd_read_file(fd, &then) == 0 &&
		    slice_eq(van_buf_slice(&now), van_buf_slice(&then));
	if (!same && fd >= 0 && (ftruncate(fd, 0) < 0 || fd_pwrite_all(fd, now.p, now.n, 0) < 0))
		log_event(LOG_LEVEL_WARNING, "partial-boot-unwritten", NULL);
	if (fd >= 0)
		close(fd);
	van_buf_free(&now);
	van_buf_free(&then);
	return same;
}

static void scan(struct partials *p)
{
	bool same = same_boot(p);
	int fd = openat(p->folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *e;
	if (!d && fd >= 0)
		close(fd);
	while (d && (e = readdir(d))) {
		if (e->d_name[0] == '.' || strcmp(e->d_name, BOOT) == 0)
			continue;
		if (same)
			take_up(p, e->d_name);
		else
			unlinkat(p->folder, e->d_name, 0);
	}
	if (d)
		closedir(d);
}

struct partials *partials_open(int spool_folder)
{
	struct partials *p = calloc(1, sizeof *p);
	if (!p)
		return NULL;
	mkdirat(spool_folder, FOLDER, 0700);
	p->folder = openat(spool_folder, FOLDER, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (p->folder < 0) {
		log_event(LOG_LEVEL_ERROR, "partial-folder-unusable", "error", strerror(errno), NULL);
		free(p);
		return NULL;
	}
	scan(p);
	return p;
}

/* --- limits ------------------------------------------------------------------------------------------------------------------- */

void partials_expire(struct partials *p, const struct van_config_restart *c)
{
	struct partial *next;
	for (struct partial *f = p->all; f; f = next) {
		next = f->next;
		if (f->owner || van_clock_now() - f->touched <= c->age)
			continue;
		log_event(LOG_LEVEL_INFO, "partial-expired", "transfer", f->key.name, "bytes", log_u64(f->bytes), NULL);
		forget(p, f);
	}
}

/* Room for one more of this pair: its oldest gives way to it. */
static bool make_room(struct partials *p, const struct van_config_restart *c, const struct partial_key *k)
{
	struct partial *oldest = NULL;
	uint64_t all = 0, of_pair = 0;
	partials_expire(p, c);
	for (struct partial *f = p->all; f; f = f->next) {
		bool same = strcmp(f->key.pair, k->pair) == 0;
		all++;
		of_pair += same;
		if (same && !f->owner && (!oldest || f->touched < oldest->touched))
			oldest = f;
	}
	if (of_pair >= c->per_partner || (all >= c->count && oldest)) {
		if (!oldest)
			return false;
		forget(p, oldest);
		all--;
	}
	return all < c->count;
}

static uint64_t idle_bytes(const struct partials *p)
{
	uint64_t n = 0;
	for (const struct partial *f = p->all; f; f = f->next)
		n += f->owner ? 0 : f->bytes;
	return n;
}

/* --- one transfer --------------------------------------------------------------------------------------------------------------- */

uint64_t partials_held(struct partials *p, const struct van_config_restart *c, const struct partial_key *k)
{
	partials_expire(p, c);
	const struct partial *f = find(p, k);
	return !f ? 0 : f->owner ? f->owner->spool.bytes : f->bytes;
}

bool partials_begin(struct partials *p, const struct van_config_restart *c, const struct partial_key *k, struct request *q)
{
	char name[NAME_MAX_ + 1], path[32];
	partials_forget(p, k); /* another message has the same ETag: the later one counts */
	struct partial *f = q->spool.fd >= 0 && make_room(p, c, k) ? add(p, k, q->total) : NULL;
	if (!f)
		return false;
	file_name(f, name);
	snprintf(path, sizeof path, "/proc/self/fd/%d", q->spool.fd);
	if (linkat(AT_FDCWD, path, p->folder, name, AT_SYMLINK_FOLLOW) < 0) {
		log_event(LOG_LEVEL_WARNING, "partial-not-kept", "error", strerror(errno), NULL);
		forget(p, f);
		return false;
	}
	f->owner = q;
	q->partial = f;
	return true;
}

int partials_resume(struct partials *p, const struct van_config_restart *c, const struct partial_key *k, uint64_t first, uint64_t total,
		    struct request *q)
{
	char name[NAME_MAX_ + 1];
	partials_expire(p, c);
	struct partial *f = find(p, k);
	if (!f || f->owner || first > f->bytes || (f->total && f->total != total))
		return VAN_ENOTFOUND;
	file_name(f, name);
	int fd = openat(p->folder, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return (int)van_err_from_errno(errno);
	if (ftruncate(fd, (off_t)first) < 0) {
		close(fd);
		return VAN_EIO;
	}
	f->owner = q;
	q->partial = f;
	return fd;
}

static void handed_name(const struct request *q, char to[32])
{
	snprintf(to, 32, "handed-%llu", (unsigned long long)q->id);
}

void partials_hand_over(struct partials *p, struct request *q)
{
	char from[NAME_MAX_ + 1], to[32];
	if (!q->partial)
		return;
	file_name(q->partial, from);
	handed_name(q, to);
	q->named = renameat(p->folder, from, p->folder, to) == 0;
	take_out(p, q->partial);
}

void partials_forget(struct partials *p, const struct partial_key *k)
{
	struct partial *f = find(p, k);
	if (f && f->owner)
		partials_hand_over(p, f->owner);
	else if (f)
		forget(p, f);
}

void partials_done(struct partials *p, struct request *q)
{
	char name[32];
	if (!q->named)
		return;
	handed_name(q, name);
	unlinkat(p->folder, name, 0);
	q->named = false;
}

void partials_end(struct partials *p, const struct van_config_restart *c, struct request *q, bool keep)
{
	struct partial *f = q->partial;
	if (!f)
		return;
	f->owner = NULL;
	f->bytes = q->spool.bytes;
	f->touched = van_clock_now();
	q->partial = NULL;
	if (!keep || !f->bytes || idle_bytes(p) > c->size) {
		if (keep && f->bytes)
			log_event(LOG_LEVEL_WARNING, "partial-not-kept", "bytes", log_u64(f->bytes), "text", "as2.restart.size is reached", NULL);
		forget(p, f);
		return;
	}
	log_event(LOG_LEVEL_INFO, "partial-kept", "transfer", f->key.name, "bytes", log_u64(f->bytes), NULL);
}
