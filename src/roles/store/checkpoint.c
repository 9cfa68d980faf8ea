#include "roles/store/checkpoint.h"

#include "base/log.h"
#include "partner/settings.h"

#include <stdlib.h>
#include <time.h>

#define LOOK_EVERY (VAN_SECOND / 4)
#define PATIENCE (10 * VAN_SECOND) /* for keyd's answer; then it is asked again */

struct checkpoints {
	struct store_role *s;
	struct loop_timer *timer;
	bool asked;              /* keyd has a request, or its answer is being written */
	van_time asked_at, last; /* monotonic */
	uint64_t request;
	uint32_t year;
	struct receipt_log log;  /* what was asked about */
	uint64_t old_size;       /* what keyd says it signed last; 0: what the store knows */
	/* for other threads */
	pthread_mutex_t lock;
	pthread_cond_t wake;
	unsigned char key[RECEIPT_KEY];
	bool has_key;
	uint64_t rounds;         /* answered without anything left unsigned */
	unsigned waiting;
};

/* --- asking --------------------------------------------------------------------------------------------------------------------- */

static int find_unsigned(void *arg, const struct receipt_log *log)
{
	struct checkpoints *c = arg;
	if (log->signed_size >= log->size)
		return 0;
	c->log = *log;
	return 1;
}

static int ask(struct checkpoints *c, struct store_txn *t)
{
	struct store_role *s = c->s;
	struct receipt_hash proof[RECEIPT_PROOF_MAX], old_root;
	struct slice list[RECEIPT_PROOF_MAX];
	uint64_t old = c->old_size && c->old_size <= c->log.size ? c->old_size : c->log.signed_size;
	int n = receipt_consistency_proof(t, s->receipts, c->log.year, old, c->log.size, proof);
	int rc = n < 0 ? n : old ? receipt_root_at(t, s->receipts, c->log.year, old, &old_root) : 0;
	if (rc < 0)
		return rc;
	for (int i = 0; i < n; i++)
		list[i] = slice_make(proof[i].b, RECEIPT_HASH);
	struct ipc_checkpoint m = {.origin = slice_str(c->log.origin), .size = c->log.size, .root = slice_make(c->log.root.b, RECEIPT_HASH),
				   .old_size = old, .proof = {list, (size_t)n}};
	if (old)
		m.old_root = slice_make(old_root.b, RECEIPT_HASH);
	c->asked = true;
	c->asked_at = van_clock_monotonic();
	return ipc_send(s->keyd, IPC_CHECKPOINT, ++c->request, &ipc_checkpoint_table, &m, NULL, 0);
}

/* Something unsigned: asks. Nothing: whoever waits for that may go on. */
static void look(struct checkpoints *c)
{
	struct store_txn *t;
	if (store_begin(c->s->store, STORE_READ, &t, NULL) < 0)
		return;
	int found = receipt_log_each(t, c->s->receipts, find_unsigned, c);
	int rc = found == 1 ? ask(c, t) : found;
	store_abort(t);
	c->last = van_clock_monotonic();
	if (rc < 0)
		log_event(LOG_LEVEL_ERROR, "checkpoint-failed", "error", van_err_name(rc), NULL);
	if (found)
		return;
	pthread_mutex_lock(&c->lock);
	c->rounds++;
	pthread_cond_broadcast(&c->wake);
	pthread_mutex_unlock(&c->lock);
}

static void on_timer(void *arg)
{
	struct checkpoints *c = arg;
	struct store_role *s = c->s;
	van_time now = van_clock_monotonic(), every = s->role->config->receipts.checkpoint;
	pthread_mutex_lock(&c->lock);
	bool hurry = c->waiting > 0;
	pthread_mutex_unlock(&c->lock);
	if (every <= 0 || every > VAN_SECOND)
		every = VAN_SECOND;
	if (c->asked && now - c->asked_at > PATIENCE)
		c->asked = false;
	if (s->keyd && !c->asked && !s->stopping && (hurry || now - c->last >= every - LOOK_EVERY))
		look(c);
	c->timer = loop_after(s->role->loop, LOOK_EVERY, on_timer, c);
}

/* --- keeping --------------------------------------------------------------------------------------------------------------------- */

struct keeping {
	struct write_request base;
	struct checkpoints *c;
	struct van_buf note;
};

static int run_keep(struct write_request *r, struct queue_work *w)
{
	struct keeping *k = (struct keeping *)r;
	w->writes++;
	return receipt_checkpoint_put(w->txn, queue_receipts(w->q), van_buf_slice(&k->note), w->now, &w->err);
}

static void done_keep(struct write_request *r)
{
	struct keeping *k = (struct keeping *)r;
	k->c->asked = false;
	van_buf_free(&k->note);
	write_request_free(r);
}

static const struct write_ops keep_ops = {.run = run_keep, .done = done_keep};

static int assemble(struct checkpoints *c, const struct ipc_checkpoint_signed *m, struct van_buf *note)
{
	struct van_buf text = VAN_BUF_INIT(RECEIPT_NOTE_MAX);
	struct receipt_vkey key;
	struct receipt_checkpoint checked;
	if (m->signature.n != RECEIPT_SIGNATURE || m->public_key.n != RECEIPT_KEY)
		return VAN_EINVAL;
	int rc = receipt_vkey_make(slice_str(c->log.origin), (const unsigned char *)m->public_key.p, &key);
	if (rc == 0)
		rc = receipt_checkpoint_text(slice_str(c->log.origin), c->log.size, &c->log.root, &text);
	if (rc == 0)
		rc = receipt_checkpoint_assemble(van_buf_slice(&text), &key, (const unsigned char *)m->signature.p, note);
	if (rc == 0)
		rc = receipt_checkpoint_verify(van_buf_slice(note), &key, &checked, NULL);
	van_buf_free(&text);
	return rc;
}

static void remember_key(struct checkpoints *c, struct slice key)
{
	pthread_mutex_lock(&c->lock);
	memcpy(c->key, key.p, RECEIPT_KEY);
	c->has_key = true;
	pthread_mutex_unlock(&c->lock);
}

/* A store that died after keyd signed and before it kept that: keyd says what it signed last, and the proof starts there. */
static void refused(struct checkpoints *c, const struct ipc_checkpoint_signed *m)
{
	bool again = m->signed_size && m->signed_size != c->log.signed_size && m->signed_size <= c->log.size && c->old_size != m->signed_size;
	c->old_size = again ? m->signed_size : 0;
	c->asked = false;
	if (again)
		look(c);
	else
		log_event(LOG_LEVEL_ERROR, "checkpoint-refused", "text", log_slice(m->error), NULL);
}

void checkpoints_signed(struct store_role *s, struct ipc_message *m)
{
	struct checkpoints *c = s->checkpoints;
	struct ipc_checkpoint_signed answer;
	if (!c || m->request != c->request || record_decode(&ipc_checkpoint_signed_table, m->body, s->arena, &answer) < 0)
		return;
	if (!answer.ok) {
		refused(c, &answer);
		return;
	}
	c->old_size = 0;
	struct keeping *k = write_request_new(s->writer, sizeof *k, &keep_ops);
	if (!k) {
		c->asked = false;
		return;
	}
	k->c = c;
	k->note = VAN_BUF_INIT(RECEIPT_NOTE_MAX);
	int rc = assemble(c, &answer, &k->note);
	if (rc == 0) {
		remember_key(c, answer.public_key);
		writer_submit(&k->base);
		return;
	}
	log_event(LOG_LEVEL_ERROR, "checkpoint-unusable", "error", van_err_name(rc), NULL);
	done_keep(&k->base);
}

void checkpoints_keyd_changed(struct store_role *s)
{
	if (s->checkpoints) {
		s->checkpoints->asked = false;
		s->checkpoints->request++;
	}
}

/* --- other threads ------------------------------------------------------------------------------------------------------------- */

int checkpoints_await(struct store_role *s, van_time patience)
{
	struct checkpoints *c = s->checkpoints;
	struct timespec until;
	int rc = 0;
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += patience / VAN_SECOND + 1;
	pthread_mutex_lock(&c->lock);
	c->waiting++;
	/* The round that runs may have looked before: the one after it has seen everything. */
	uint64_t want = c->rounds + 1;
	while (c->rounds < want && rc == 0)
		rc = pthread_cond_timedwait(&c->wake, &c->lock, &until);
	c->waiting--;
	bool done = c->rounds >= want;
	pthread_mutex_unlock(&c->lock);
	return done ? 0 : VAN_ETIMEOUT;
}

bool checkpoints_key(struct store_role *s, unsigned char key[RECEIPT_KEY])
{
	struct checkpoints *c = s->checkpoints;
	pthread_mutex_lock(&c->lock);
	bool has = c->has_key;
	memcpy(key, c->key, RECEIPT_KEY);
	pthread_mutex_unlock(&c->lock);
	return has;
}

int checkpoints_start(struct store_role *s)
{
	struct checkpoints *c = calloc(1, sizeof *c);
	if (!c)
		return VAN_ENOMEM;
	c->s = s;
	pthread_mutex_init(&c->lock, NULL);
	pthread_cond_init(&c->wake, NULL);
	s->checkpoints = c;
	c->timer = loop_after(s->role->loop, LOOK_EVERY, on_timer, c);
	return c->timer ? 0 : VAN_ENOMEM;
}

void checkpoints_free(struct store_role *s)
{
	struct checkpoints *c = s->checkpoints;
	if (!c)
		return;
	pthread_mutex_destroy(&c->lock);
	pthread_cond_destroy(&c->wake);
	free(c);
	s->checkpoints = NULL;
}
