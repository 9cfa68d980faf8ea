/* A store with a log. Commits go to the log; the backend's write transaction stays open and takes one batch after another, until
 * store_settle() commits it. That time is an epoch. Two threads use the open transaction: the writer changes it, a reader sees the
 * last commit in it; the lock `live` keeps them apart, and what is not in the log yet from being seen. A batch that fails can't be
 * taken out again alone: the transaction is given up, and what the log has of this epoch, kept in memory too, is repeated. The backend's
 * transaction begins and ends on the writer's thread. Another one may borrow it for a batch; what fails there spoils it, and the writer mends that. */
#include "store/redo.h"

#include <stdlib.h>

#define REDO_MAX ((size_t)4 << 30)

struct epoch {
	struct store_log log;
	pthread_mutex_t live;    /* held by a write transaction, and by a read transaction of the open epoch */
	struct store_txn *open;  /* the backend's transaction; NULL: everything is settled */
	struct van_buf redo;     /* of what only the log has, and behind it of the transaction at hand */
	size_t logged;           /* so much of it the log has */
	int broken;
	bool lent;               /* to another thread than the writer's, which may not end it */
	bool spoiled;            /* ... and there a batch failed: what is open has changes that the log has not */
	pthread_cond_t mended;
};

int store_set_log(struct store *s, const struct store_log *log)
{
	struct epoch *e = calloc(1, sizeof *e);
	if (!e)
		return VAN_ENOMEM;
	pthread_mutex_init(&e->live, NULL);
	pthread_cond_init(&e->mended, NULL);
	e->log = *log;
	e->redo.max = REDO_MAX;
	s->epoch = e;
	return 0;
}

void store_drop_log(struct store *s)
{
	struct epoch *e = s->epoch;
	if (!e)
		return;
	s->epoch = NULL;
	if (e->open)
		s->ops->abort(e->open); /* the log has it */
	van_buf_free(&e->redo);
	pthread_cond_destroy(&e->mended);
	pthread_mutex_destroy(&e->live);
	free(e);
}

static int refuse(const struct epoch *e, struct van_error *err)
{
	return van_error_set(err, e->broken, "the store has what it can't hold in memory any more (%s): start it again",
		van_err_name(e->broken));
}

/* --- beginning ------------------------------------------------------------------------------------------------------------------- */

static int begin_read(struct store *s, struct store_txn **ret, struct van_error *err)
{
	struct epoch *e = s->epoch;
	struct store_txn *t;
	if (!e->open) {
		int rc = store_begin_plain(s, STORE_READ, ret, err);
		pthread_mutex_unlock(&e->live);
		return rc;
	}
	int rc = s->ops->share(e->open, &t);
	if (rc < 0) {
		pthread_mutex_unlock(&e->live);
		return van_error_set(err, rc, "store: out of memory");
	}
	t->s = s;
	t->mode = STORE_READ;
	t->shared = true;
	store_gate_enter(s, t);
	*ret = t;
	return 0;
}

void epoch_read_end(struct store_txn *t)
{
	struct store *s = t->s;
	store_close_cursors(t);
	store_gate_leave(s, t);
	s->ops->abort(t);
	pthread_mutex_unlock(&s->epoch->live);
}

static int begin_write(struct store *s, struct store_txn **ret, struct van_error *err)
{
	struct epoch *e = s->epoch;
	struct store_txn *t = e->open;
	int rc = t ? 0 : store_begin_plain(s, STORE_WRITE, &t, err);
	if (rc < 0) {
		pthread_mutex_unlock(&e->live);
		return rc;
	}
	if (e->open)
		store_gate_enter(s, t);
	t->error = 0;
	t->redo = &e->redo;
	*ret = t;
	return 0;
}

static void mend(struct store *s);

int epoch_begin(struct store *s, enum store_mode mode, struct store_txn **ret, struct van_error *err)
{
	struct epoch *e = s->epoch;
	/* A reader besides its own snapshot would wait for a growth that waits for the snapshot. */
	if (store_gate_mine(s, mode == STORE_READ ? STORE_WRITE : STORE_READ) || (mode == STORE_READ && store_gate_mine(s, STORE_SNAPSHOT)))
		return van_error_set(err, VAN_ESTATE, "a defect: this thread holds a transaction already");
	pthread_mutex_lock(&e->live);
	while (e->spoiled && mode == STORE_READ)
		pthread_cond_wait(&e->mended, &e->live);
	mend(s);
	if (e->broken) {
		pthread_mutex_unlock(&e->live);
		return refuse(e, err);
	}
	return mode == STORE_READ ? begin_read(s, ret, err) : begin_write(s, ret, err);
}

int store_borrow(struct store *s, struct store_txn **ret)
{
	struct epoch *e = s->epoch;
	if (store_gate_mine(s, STORE_READ) || store_gate_mine(s, STORE_WRITE) || store_gate_mine(s, STORE_SNAPSHOT))
		return VAN_ESTATE;
	pthread_mutex_lock(&e->live);
	if (e->broken || e->spoiled || !e->open) {
		pthread_mutex_unlock(&e->live);
		return VAN_ESTATE;
	}
	e->lent = true;
	return begin_write(s, ret, NULL);
}

/* --- repeating what the log has --------------------------------------------------------------------------------------------------- */

/* `live` is held, and nothing is open. When it fails the store is broken. */
static void restore(struct store *s)
{
	struct epoch *e = s->epoch;
	int rc = 0;
	while (e->logged && !e->open && rc == 0) {
		struct store_txn *t;
		rc = store_begin_plain(s, STORE_WRITE, &t, NULL);
		if (rc < 0)
			break;
		rc = store_redo(t, slice_make(e->redo.p, e->logged));
		store_gate_leave(s, t);
		if (rc == 0) {
			e->open = t;
			break;
		}
		s->ops->abort(t);
		if (rc == VAN_EAGAIN)
			rc = store_grow_plain(s, NULL);
	}
	e->broken = rc;
}

/* Ends the backend's transaction without its changes; what the log has of the epoch is repeated. Where it was borrowed, that is left to do. */
static void give_up(struct store *s, struct store_txn *t)
{
	struct epoch *e = s->epoch;
	e->redo.n = e->logged;
	e->redo.error = 0;
	e->spoiled = e->lent;
	if (e->spoiled)
		return;
	e->open = NULL;
	s->ops->abort(t);
	restore(s);
}

/* On the writer's thread. */
static void mend(struct store *s)
{
	struct epoch *e = s->epoch;
	if (!e->spoiled)
		return;
	give_up(s, e->open);
	pthread_cond_broadcast(&e->mended);
}

/* `live` is held. */
static int settle(struct store *s, struct van_error *err)
{
	struct epoch *e = s->epoch;
	while (e->open) {
		struct store_txn *t = e->open;
		int rc = e->log.mark(e->log.ctx, t);
		e->open = NULL;
		if (rc == 0)
			rc = s->ops->commit(t, err);
		else
			s->ops->abort(t);
		if (rc == 0) {
			van_buf_reset(&e->redo);
			e->logged = 0;
			return 0;
		}
		if (rc == VAN_EAGAIN) {
			rc = store_grow_plain(s, err);
			restore(s);
			if (rc == 0 && !e->broken)
				continue;
		} else {
			restore(s);
		}
		return e->broken ? refuse(e, err) : rc;
	}
	return 0;
}

/* --- ending ----------------------------------------------------------------------------------------------------------------------- */

void epoch_abort(struct store_txn *t)
{
	struct store *s = t->s;
	struct epoch *e = s->epoch;
	store_close_cursors(t);
	store_gate_leave(s, t);
	t->redo = NULL;
	if (e->open != t || e->redo.n != e->logged || t->error) /* else it changed nothing, and the epoch goes on */
		give_up(s, t);
	e->lent = false;
	pthread_mutex_unlock(&e->live);
}

/* What the log has is in memory before the log has it: a settling that fails, or has to be begun again in a larger map, repeats it. */
int epoch_commit(struct store_txn *t, struct van_error *err)
{
	struct store *s = t->s;
	struct epoch *e = s->epoch;
	struct slice batch = e->redo.n == e->logged ? SLICE_NONE : slice_make(e->redo.p + e->logged, e->redo.n - e->logged);
	store_close_cursors(t);
	t->redo = NULL;
	int rc = batch.n ? e->log.write(e->log.ctx, batch, err) : 0;
	store_gate_leave(s, t);
	if (rc == 0)
		e->logged = e->redo.n;
	if (rc < 0 || !e->logged) /* nothing in it: no epoch begins */
		give_up(s, t);
	else
		e->open = t;
	e->lent = false;
	pthread_mutex_unlock(&e->live);
	return rc;
}

int store_settle(struct store *s, struct van_error *err)
{
	struct epoch *e = s->epoch;
	if (!e)
		return 0;
	pthread_mutex_lock(&e->live);
	mend(s);
	int rc = e->broken ? refuse(e, err) : settle(s, err);
	pthread_mutex_unlock(&e->live);
	return rc;
}

/* The map can't change under a transaction: the epoch's is given up, and begun again in the larger map. */
int epoch_grow(struct store *s, struct van_error *err)
{
	struct epoch *e = s->epoch;
	pthread_mutex_lock(&e->live);
	mend(s);
	if (e->open) {
		s->ops->abort(e->open);
		e->open = NULL;
	}
	int rc = store_grow_plain(s, err);
	restore(s);
	if (rc == 0 && e->broken)
		rc = refuse(e, err);
	pthread_mutex_unlock(&e->live);
	return rc;
}

size_t store_unsettled(const struct store *s)
{
	return s->epoch ? s->epoch->logged : 0;
}

int store_broken(const struct store *s)
{
	return s->epoch ? s->epoch->broken : 0;
}
