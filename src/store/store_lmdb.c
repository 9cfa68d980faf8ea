/* The LMDB backend, and the only file that includes lmdb.h. Full synchronous mode: no MDB_NOSYNC, MDB_NOMETASYNC, MDB_MAPASYNC or
 * MDB_WRITEMAP, ever. MDB_NOTLS, so that read transactions belong to their handle and not to a thread. */
#include "store/backend.h"

#include <errno.h>
#include <fcntl.h>
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define GIB ((uint64_t)1 << 30)
/* Addresses, not bytes: a large map costs nothing until it is used, and growth has to wait for every reader. */
#define DEFAULT_MAP (64 * GIB)
#define DATA_FILE "data.mdb"
#define FULL ((uint64_t)1 << 20) /* bytes: a file system with less is full */
#define COPY_PIECE ((size_t)256 << 10)

struct lmdb_store {
	struct store base;
	MDB_env *env;
	MDB_txn *spare; /* a read transaction that was reset, for the next reader: saves the search for a slot */
	pthread_mutex_t spare_lock;
	uint64_t growth, max;
	bool look_only;
};

struct lmdb_txn {
	struct store_txn base;
	MDB_txn *txn;
};

struct lmdb_cursor {
	struct store_cursor base;
	MDB_cursor *cursor;
};

static struct lmdb_store *lmdb(struct store *s)
{
	return (struct lmdb_store *)s;
}

static MDB_txn *txn_of(struct store_txn *t)
{
	return ((struct lmdb_txn *)t)->txn;
}

/* The one translation of LMDB's codes. */
static int code_of(int rc)
{
	switch (rc) {
	case MDB_SUCCESS:
		return 0;
	case MDB_KEYEXIST:
		return VAN_EEXISTS;
	case MDB_NOTFOUND:
		return VAN_ENOTFOUND;
	case MDB_MAP_FULL:
	case MDB_MAP_RESIZED:
		return VAN_EAGAIN;
	case MDB_VERSION_MISMATCH:
	case MDB_INVALID:
		return VAN_EVERSION;
	case MDB_PAGE_NOTFOUND:
	case MDB_CORRUPTED:
	case MDB_PANIC:
		return VAN_EIO;
	case MDB_DBS_FULL:
	case MDB_READERS_FULL:
	case MDB_TXN_FULL:
	case MDB_CURSOR_FULL:
	case MDB_PAGE_FULL:
		return VAN_ELIMIT;
	case MDB_BAD_VALSIZE:
	case MDB_INCOMPATIBLE:
	case MDB_BAD_DBI:
		return VAN_EINVAL;
	default:
		break;
	}
	int code = rc > 0 ? van_err_from_errno(rc) : VAN_EINTERNAL;
	return code == VAN_EAGAIN || code == VAN_ENOTFOUND ? VAN_EIO : code; /* those two have a meaning of their own here */
}

static int fail(struct van_error *err, int rc, const char *doing)
{
	int code = code_of(rc);
	const char *remedy = "";
	if (rc == MDB_PANIC || rc == MDB_CORRUPTED || rc == MDB_PAGE_NOTFOUND)
		remedy = "; check the disk, then restore the last backup";
	else if (code == VAN_ENOSPC)
		remedy = "; free space on the data folder's file system";
	else if (code == VAN_EAGAIN)
		remedy = "; grow it and repeat";
	return van_error_set(err, code, "store: %s: %s%s", doing, mdb_strerror(rc), remedy);
}

static MDB_val val_of(struct slice s)
{
	return (MDB_val){.mv_size = s.n, .mv_data = (void *)(uintptr_t)(s.p ? s.p : "")};
}

static struct slice slice_of(const MDB_val *v)
{
	return slice_make(v->mv_data ? v->mv_data : "", v->mv_size);
}

/* --- opening --- */

static uint64_t page_round(uint64_t n)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	return (n + page - 1) / page * page;
}

static uint64_t used_bytes(MDB_env *env)
{
	MDB_envinfo info;
	MDB_stat st;
	mdb_env_info(env, &info);
	mdb_env_stat(env, &st);
	return ((uint64_t)info.me_last_pgno + 1) * st.ms_psize;
}

/* LMDB takes a path, and the roles may not be able to walk to theirs: work from inside the folder, then go back. */
static int open_inside(MDB_env *env, int dirfd, bool look_only)
{
	int back = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int rc = fchdir(dirfd) ? errno : 0;
	if (rc == 0)
		rc = mdb_env_open(env, ".", MDB_NOTLS | MDB_NORDAHEAD | (look_only ? MDB_RDONLY | MDB_NOLOCK : 0), 0600);
	if (back >= 0) {
		if (fchdir(back) && rc == 0)
			rc = errno;
		close(back);
	}
	return rc;
}

static int new_env(struct lmdb_store *s, const struct store_options *o, uint64_t size)
{
	int rc = mdb_env_create(&s->env);
	if (rc)
		return rc;
	mdb_env_set_maxdbs(s->env, o->max_tables ? o->max_tables : 64);
	mdb_env_set_maxreaders(s->env, o->max_readers ? o->max_readers : 126);
	return mdb_env_set_mapsize(s->env, size);
}

/* LMDB is of no more use when it was refused a larger map: asked for before. */
static bool has_addresses(uint64_t size)
{
	void *p = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	return p != MAP_FAILED && munmap(p, size) == 0;
}

/* A store that grew in its last life gets room again, so that the first batch need not wait for growth, nor growth for a long read, such as
 * a copy of all of it: as much as it has, where so many addresses can be had. */
static int make_room_again(struct lmdb_store *s, uint64_t size)
{
	uint64_t used = used_bytes(s->env), ample = 2 * used + s->growth;
	if (ample > size && ample <= s->max && has_addresses(page_round(ample)))
		return mdb_env_set_mapsize(s->env, page_round(ample));
	return used + s->growth / 2 > size ? mdb_env_set_mapsize(s->env, page_round(used + s->growth)) : 0;
}

static int env_setup(struct lmdb_store *s, const struct store_options *o, struct van_error *err)
{
	uint64_t size = page_round(o->map_size ? o->map_size : DEFAULT_MAP);
	int rc = new_env(s, o, size);
	if (rc == 0)
		rc = open_inside(s->env, o->dirfd, o->look_only);
	if (rc == ENOMEM && !o->map_size) { /* a limit on addresses: begin small, and grow */
		mdb_env_close(s->env);
		s->env = NULL;
		size = GIB;
		if ((rc = new_env(s, o, size)) == 0)
			rc = open_inside(s->env, o->dirfd, o->look_only);
	}
	if (rc == 0 && !o->look_only && fsync(o->dirfd)) /* a new file's name is as durable as its folder, and LMDB flushes only the file */
		rc = errno;
	if (rc)
		return fail(err, rc, "opening " DATA_FILE);
	if (o->look_only)
		return 0;
	int dead;
	mdb_reader_check(s->env, &dead); /* slots of a process that was killed keep pages from being used again */
	if ((rc = make_room_again(s, size)))
		return fail(err, rc, "making the map larger");
	if (mdb_env_get_maxkeysize(s->env) < STORE_KEY_MAX)
		return van_error_set(err, VAN_EVERSION, "store: this LMDB was built for keys of %d bytes; %d are needed",
			mdb_env_get_maxkeysize(s->env), STORE_KEY_MAX);
	return 0;
}

static int lmdb_open(const struct store_options *o, struct store **ret, struct van_error *err)
{
	struct lmdb_store *s = calloc(1, sizeof *s);
	if (!s)
		return van_error_set(err, VAN_ENOMEM, "store: out of memory");
	s->look_only = o->look_only;
	s->growth = o->map_growth ? o->map_growth : GIB;
	s->max = o->map_max ? o->map_max : 16 * 1024 * GIB;
	int rc = env_setup(s, o, err);
	if (rc) {
		if (s->env)
			mdb_env_close(s->env);
		free(s);
		return rc;
	}
	pthread_mutex_init(&s->spare_lock, NULL);
	*ret = &s->base;
	return 0;
}

static void lmdb_close(struct store *base)
{
	struct lmdb_store *s = lmdb(base);
	if (s->spare)
		mdb_txn_abort(s->spare);
	mdb_env_close(s->env);
	pthread_mutex_destroy(&s->spare_lock);
	free(s);
}

static int lmdb_table(struct store *s, const char *name, store_table_id *ret, struct van_error *err)
{
	MDB_txn *txn;
	MDB_dbi dbi;
	int rc = mdb_txn_begin(lmdb(s)->env, NULL, lmdb(s)->look_only ? MDB_RDONLY : 0, &txn);
	if (rc == 0) {
		rc = mdb_dbi_open(txn, name, lmdb(s)->look_only ? 0 : MDB_CREATE, &dbi);
		if (rc == 0)
			rc = mdb_txn_commit(txn);
		else
			mdb_txn_abort(txn);
	}
	if (rc)
		return fail(err, rc, "opening a table");
	*ret = dbi;
	return 0;
}

/* --- transactions --- */

static int begin_read(struct lmdb_store *s, MDB_txn **ret)
{
	pthread_mutex_lock(&s->spare_lock);
	MDB_txn *txn = s->spare;
	s->spare = NULL;
	pthread_mutex_unlock(&s->spare_lock);
	if (txn) {
		int rc = mdb_txn_renew(txn);
		if (rc == 0)
			*ret = txn;
		else
			mdb_txn_abort(txn);
		return rc;
	}
	int rc = mdb_txn_begin(s->env, NULL, MDB_RDONLY, ret);
	if (rc == MDB_READERS_FULL) {
		int dead;
		mdb_reader_check(s->env, &dead);
		rc = mdb_txn_begin(s->env, NULL, MDB_RDONLY, ret);
	}
	return rc;
}

static void end_read(struct lmdb_store *s, MDB_txn *txn)
{
	mdb_txn_reset(txn);
	pthread_mutex_lock(&s->spare_lock);
	MDB_txn *extra = s->spare ? txn : NULL;
	if (!extra)
		s->spare = txn;
	pthread_mutex_unlock(&s->spare_lock);
	if (extra)
		mdb_txn_abort(extra);
}

static int lmdb_begin(struct store *base, enum store_mode mode, struct store_txn **ret, struct van_error *err)
{
	struct lmdb_txn *t = calloc(1, sizeof *t);
	if (!t)
		return van_error_set(err, VAN_ENOMEM, "store: out of memory");
	int rc = mode == STORE_WRITE ? mdb_txn_begin(lmdb(base)->env, NULL, 0, &t->txn) : begin_read(lmdb(base), &t->txn);
	if (rc) {
		free(t);
		return fail(err, rc, "beginning a transaction");
	}
	*ret = &t->base;
	return 0;
}

/* LMDB asks that a write transaction is used by one thread at a time, and ended by the one that began it. */
static int lmdb_share(struct store_txn *write, struct store_txn **ret)
{
	struct lmdb_txn *t = calloc(1, sizeof *t);
	if (!t)
		return VAN_ENOMEM;
	t->txn = txn_of(write);
	*ret = &t->base;
	return 0;
}

static int end(struct store_txn *t, bool commit)
{
	int rc = 0;
	if (t->mode != STORE_WRITE && !t->shared)
		end_read(lmdb(t->s), txn_of(t));
	else if (t->mode == STORE_WRITE && commit)
		rc = mdb_txn_commit(txn_of(t));
	else if (t->mode == STORE_WRITE)
		mdb_txn_abort(txn_of(t));
	free(t);
	return rc;
}

/* LMDB calls it an input/output error when the disk took a part of a write. Where there is no room that is why; it writes nothing that
 * counts before all else is on the disk, so the transaction was not committed. */
static int no_room(MDB_env *env, int rc)
{
	struct statvfs v;
	mdb_filehandle_t fd;
	bool full = rc == EIO && mdb_env_get_fd(env, &fd) == 0 && fstatvfs(fd, &v) == 0 && (uint64_t)v.f_bavail * v.f_frsize < FULL;
	return full ? ENOSPC : rc;
}

static int lmdb_commit(struct store_txn *t, struct van_error *err)
{
	MDB_env *env = lmdb(t->s)->env;
	int rc = no_room(env, end(t, true));
	return rc ? fail(err, rc, "committing") : 0;
}

static void lmdb_abort(struct store_txn *t)
{
	end(t, false);
}

/* --- keys --- */

static int lmdb_get(struct store_txn *t, store_table_id table, struct slice key, struct slice *ret)
{
	MDB_val k = val_of(key), v;
	int rc = mdb_get(txn_of(t), table, &k, &v);
	if (rc == 0)
		*ret = slice_of(&v);
	return code_of(rc);
}

static int lmdb_put(struct store_txn *t, store_table_id table, struct slice key, struct slice value, bool only_new)
{
	MDB_val k = val_of(key), v = val_of(value);
	return code_of(mdb_put(txn_of(t), table, &k, &v, only_new ? MDB_NOOVERWRITE : 0));
}

static int lmdb_del(struct store_txn *t, store_table_id table, struct slice key)
{
	MDB_val k = val_of(key);
	return code_of(mdb_del(txn_of(t), table, &k, NULL));
}

static int lmdb_count(struct store_txn *t, store_table_id table, uint64_t *ret)
{
	MDB_stat st;
	int rc = mdb_stat(txn_of(t), table, &st);
	if (rc == 0)
		*ret = st.ms_entries;
	return code_of(rc);
}

/* --- cursors --- */

static int lmdb_cursor_open(struct store_txn *t, store_table_id table, struct store_cursor **ret)
{
	struct lmdb_cursor *c = malloc(sizeof *c);
	if (!c)
		return VAN_ENOMEM;
	int rc = mdb_cursor_open(txn_of(t), table, &c->cursor);
	if (rc)
		free(c);
	else
		*ret = &c->base;
	return code_of(rc);
}

static void lmdb_cursor_close(struct store_cursor *c)
{
	mdb_cursor_close(((struct lmdb_cursor *)c)->cursor);
	free(c);
}

static int lmdb_cursor_move(struct store_cursor *c, enum store_move m, struct slice seek, struct slice *key, struct slice *value)
{
	static const MDB_cursor_op ops[] = {
		[STORE_FIRST] = MDB_FIRST, [STORE_LAST] = MDB_LAST, [STORE_NEXT] = MDB_NEXT, [STORE_PREV] = MDB_PREV,
		[STORE_SEEK] = MDB_SET_RANGE,
	};
	MDB_val k = val_of(seek), v;
	int rc = mdb_cursor_get(((struct lmdb_cursor *)c)->cursor, &k, &v, ops[m]);
	if (rc == 0) {
		*key = slice_of(&k);
		*value = slice_of(&v);
	}
	return code_of(rc);
}

static int lmdb_cursor_del(struct store_cursor *c)
{
	MDB_cursor *cursor = ((struct lmdb_cursor *)c)->cursor;
	MDB_val k, v;
	int rc = mdb_cursor_get(cursor, &k, &v, MDB_GET_CURRENT);
	if (rc)
		return code_of(rc);
	c->n_deleted = k.mv_size;
	memcpy(c->deleted, k.mv_data, k.mv_size);
	return code_of(mdb_cursor_del(cursor, 0));
}

/* --- the whole store --- */

static int lmdb_grow(struct store *base, struct van_error *err)
{
	struct lmdb_store *s = lmdb(base);
	MDB_envinfo info;
	mdb_env_info(s->env, &info);
	uint64_t now = info.me_mapsize, add = now / 2 > s->growth ? now / 2 : s->growth;
	uint64_t size = page_round(now + add);
	if (size > s->max)
		size = s->max / 4096 * 4096;
	if (size <= now)
		return van_error_set(err, VAN_ENOSPC, "the store reached its largest size of %llu bytes: raise map_max",
			(unsigned long long)s->max);
	int rc = mdb_env_set_mapsize(s->env, size);
	return rc ? fail(err, rc, "making the map larger") : 0;
}

/* --- a copy --- */

struct copying {
	MDB_env *env;
	int fd; /* the pipe's end that LMDB writes to */
	int rc;
	pthread_t thread;
};

static void *copy_main(void *arg)
{
	struct copying *c = arg;
	c->rc = mdb_env_copyfd2(c->env, c->fd, MDB_CP_COMPACT);
	close(c->fd);
	return NULL;
}

/* LMDB copies what its own read transaction sees: that is the snapshot, when nothing was committed since this one began. */
static bool same_snapshot(struct store_txn *t)
{
	MDB_envinfo info;
	mdb_env_info(lmdb(t->s)->env, &info);
	return info.me_last_txnid == mdb_txn_id(txn_of(t));
}

static int next_piece(struct store_txn *t, const struct store_copy_to *to, const char *piece, ssize_t n, struct van_error *err)
{
	if (n < 0)
		return fail(err, errno, "reading the copy");
	if (store_growth_waits(t->s))
		return van_error_set(err, VAN_EAGAIN, "the database has to grow, which waits for the copy to end");
	return to->write(to->ctx, piece, (size_t)n, err);
}

static ssize_t read_some(int fd, char *to)
{
	ssize_t n;
	do
		n = read(fd, to, COPY_PIECE);
	while (n < 0 && errno == EINTR);
	return n;
}

/* From the pipe to whom the copy is for, until LMDB has written all. The first bytes say that LMDB's transaction has begun. */
static int pass_on(struct store_txn *t, int from, const struct store_copy_to *to, struct van_error *err)
{
	char *piece = malloc(COPY_PIECE);
	ssize_t n = 1;
	int rc = piece ? 0 : van_error_set(err, VAN_ENOMEM, "store: out of memory");
	if (rc == 0) {
		n = read_some(from, piece);
		if (!same_snapshot(t))
			rc = van_error_set(err, VAN_ESTATE, "a defect: the store was settled before its copy had begun");
	}
	to->begun(to->ctx); /* before anything is handed on: whoever takes it may be slow */
	while (rc == 0 && n) {
		rc = next_piece(t, to, piece, n, err);
		if (rc == 0)
			n = read_some(from, piece);
	}
	free(piece);
	return rc;
}

static int start_copy(struct copying *c, int *ret_from)
{
	int ends[2];
	if (pipe2(ends, O_CLOEXEC))
		return errno;
	fcntl(ends[0], F_SETPIPE_SZ, 1 << 20); /* a smaller one only costs more wake-ups */
	c->fd = ends[1];
	int rc = pthread_create(&c->thread, NULL, copy_main, c);
	if (rc) {
		close(ends[0]);
		close(ends[1]);
	} else {
		*ret_from = ends[0];
	}
	return rc;
}

static int lmdb_copy(struct store_txn *t, const struct store_copy_to *to, struct van_error *err)
{
	struct copying c = {.env = lmdb(t->s)->env};
	int from, rc = start_copy(&c, &from);
	if (rc) {
		to->begun(to->ctx);
		return fail(err, rc, "beginning a copy");
	}
	rc = pass_on(t, from, to, err);
	close(from); /* a copy that goes on ends here, with EPIPE */
	pthread_join(c.thread, NULL);
	return rc < 0 || c.rc == 0 ? rc : fail(err, c.rc, "copying the database");
}

static int lmdb_stat(struct store *base, struct store_stat *ret)
{
	MDB_env *env = lmdb(base)->env;
	MDB_envinfo info;
	int rc = mdb_env_info(env, &info);
	if (rc)
		return code_of(rc);
	ret->map_size = info.me_mapsize;
	ret->used = used_bytes(env);
	ret->commits = info.me_last_txnid;
	return 0;
}

const struct store_ops store_lmdb_ops = {
	.name = "lmdb",
	.file = DATA_FILE,
	.open = lmdb_open,
	.close = lmdb_close,
	.table = lmdb_table,
	.begin = lmdb_begin,
	.share = lmdb_share,
	.commit = lmdb_commit,
	.abort = lmdb_abort,
	.get = lmdb_get,
	.put = lmdb_put,
	.del = lmdb_del,
	.count = lmdb_count,
	.cursor_open = lmdb_cursor_open,
	.cursor_close = lmdb_cursor_close,
	.cursor_move = lmdb_cursor_move,
	.cursor_del = lmdb_cursor_del,
	.grow = lmdb_grow,
	.copy = lmdb_copy,
	.stat = lmdb_stat,
};
