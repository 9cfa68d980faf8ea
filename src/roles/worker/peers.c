/* What a worker asks of others: keys of keyd, profiles and routes of the store. */
#include "cms/sign.h"
#include "partner/directory.h"
#include "roles/worker/worker.h"

#include <stdlib.h>
#include <unistd.h>

#define KEYD_PATIENCE (20 * VAN_SECOND)
#define STORE_PATIENCE (20 * VAN_SECOND)
#define CACHE_SLOTS 1024
#define CACHE_PATIENCE (30 * VAN_SECOND)
#define ZONE_BIAS 1440

/* Answers by the bytes of their question; direct-mapped, so the memory is bounded and eviction is free. */
struct lookup_cache {
	uint64_t generation;
	struct slot {
		struct van_buf question, answer;
		int zone_offset;
		van_time until; /* monotonic: zone offsets change with daylight saving time */
	} slots[CACHE_SLOTS];
};

struct lookup_cache *lookup_cache_new(void)
{
	return calloc(1, sizeof(struct lookup_cache));
}

static void forget(struct lookup_cache *c)
{
	for (size_t i = 0; i < CACHE_SLOTS; i++) {
		van_buf_free(&c->slots[i].question);
		van_buf_free(&c->slots[i].answer);
	}
}

void lookup_cache_free(struct lookup_cache *c)
{
	if (c)
		forget(c);
	free(c);
}

static size_t slot_of(struct slice question)
{
	uint64_t h = 1469598103934665603u; /* FNV-1a */
	for (size_t i = 0; i < question.n; i++)
		h = (h ^ (unsigned char)question.p[i]) * 1099511628211u;
	return (size_t)(h >> 20) % CACHE_SLOTS;
}

void worker_generation(struct worker *w, uint64_t generation)
{
	if (w->lookups->generation == generation)
		return;
	forget(w->lookups);
	w->lookups->generation = generation;
}

static void drop_fds(struct ipc_message *m)
{
	for (size_t i = 0; i < m->nfds; i++) {
		int fd = ipc_take_fd(m, i);
		if (fd >= 0)
			close(fd);
	}
}

/* Sends a request and waits for its answer, whose descriptors stay in it; what else comes over the channel meanwhile is a change
 * of the directory. */
static int ask_with_fds(struct worker *w, struct ipc_channel *c, uint32_t type, const struct record_table *t, const void *question,
	       uint32_t answer_type, van_time patience, struct ipc_message *ret)
{
	if (!c)
		return VAN_ECLOSED;
	uint64_t request = ++w->last_request;
	int rc = ipc_send(c, type, request, t, question, NULL, 0);
	while (rc == 0) {
		rc = ipc_receive(c, patience, ret);
		if (rc < 0)
			return rc;
		if (ret->type == IPC_DIRECTORY_CHANGED)
			worker_generation(w, 0);
		rc = ret->type == answer_type && ret->request == request;
		if (!rc)
			drop_fds(ret);
	}
	return rc < 0 ? rc : 0;
}

static int ask(struct worker *w, struct ipc_channel *c, uint32_t type, const struct record_table *t, const void *question,
	       uint32_t answer_type, van_time patience, struct ipc_message *ret)
{
	int rc = ask_with_fds(w, c, type, t, question, answer_type, patience, ret);
	if (rc == 0)
		drop_fds(ret);
	return rc;
}

int worker_ask_maps(struct worker *w, uint64_t *ret_generation, int *ret_fd)
{
	struct ipc_message m;
	struct ipc_maps_reply reply;
	int rc = ask_with_fds(w, w->store, IPC_MAPS, NULL, NULL, IPC_MAPS_REPLY, STORE_PATIENCE, &m);
	if (rc == 0)
		rc = record_decode(&ipc_maps_reply_table, m.body, w->arena, &reply);
	if (rc < 0)
		return rc;
	*ret_generation = reply.generation;
	*ret_fd = ipc_take_fd(&m, 0);
	return *ret_fd < 0 ? VAN_EAGAIN : 0;
}

/* Without waiting: has the directory changed? */
static void drain_changes(struct worker *w)
{
	struct ipc_message m;
	if (!w->receive || !w->store)
		return; /* the job pool learns the generation with each job */
	while (ipc_receive(w->store, 0, &m) == 1) {
		drop_fds(&m);
		if (m.type == IPC_DIRECTORY_CHANGED)
			worker_generation(w, 0);
	}
}

static int from_slot(struct worker *w, const struct slot *s, struct slice *ret_record, int *ret_zone_offset)
{
	*ret_record = van_arena_slice(w->arena, van_buf_slice(&s->answer));
	if (ret_zone_offset)
		*ret_zone_offset = s->zone_offset;
	return ret_record->p ? 0 : VAN_ENOMEM;
}

static int fill_slot(struct worker *w, struct slot *s, const struct ipc_lookup *l, struct slice question)
{
	struct ipc_message m;
	struct ipc_lookup_reply reply;
	int rc = ask(w, w->store, IPC_LOOKUP, &ipc_lookup_table, l, IPC_LOOKUP_REPLY, STORE_PATIENCE, &m);
	if (rc == 0)
		rc = record_decode(&ipc_lookup_reply_table, m.body, w->arena, &reply);
	if (rc < 0)
		return rc;
	worker_generation(w, reply.generation);
	van_buf_reset(&s->question);
	van_buf_reset(&s->answer);
	van_buf_append_slice(&s->question, question);
	van_buf_append_slice(&s->answer, reply.record);
	s->zone_offset = (int)reply.zone_offset - ZONE_BIAS;
	s->until = van_clock_monotonic() + CACHE_PATIENCE;
	return s->question.error ? s->question.error : s->answer.error;
}

int worker_lookup(struct worker *w, const struct ipc_lookup *l, struct slice *ret_record, int *ret_zone_offset)
{
	struct van_buf question = VAN_BUF_INIT(65536);
	drain_changes(w);
	int rc = record_encode(&ipc_lookup_table, l, &question);
	struct slot *s = &w->lookups->slots[slot_of(van_buf_slice(&question))];
	bool known = s->question.n && s->until > van_clock_monotonic() && slice_eq(van_buf_slice(&s->question), van_buf_slice(&question));
	if (rc == 0 && !known)
		rc = fill_slot(w, s, l, van_buf_slice(&question));
	van_buf_free(&question);
	return rc < 0 ? rc : from_slot(w, s, ret_record, ret_zone_offset);
}

/* A question whose answer is a verdict. VAN_EAGAIN: the store can't say. */
static int ask_verdict(struct worker *w, const struct ipc_lookup *l, struct ipc_verdict *ret)
{
	struct ipc_message m;
	struct ipc_lookup_reply reply;
	int rc = ask(w, w->store, IPC_LOOKUP, &ipc_lookup_table, l, IPC_LOOKUP_REPLY, STORE_PATIENCE, &m);
	*ret = (struct ipc_verdict){0};
	if (rc == 0)
		rc = record_decode(&ipc_lookup_reply_table, m.body, w->arena, &reply);
	if (rc == 0)
		rc = reply.record.p ? record_decode(&ipc_verdict_table, reply.record, w->arena, ret) : VAN_EAGAIN;
	return rc;
}

int worker_ask_seen(struct worker *w, const struct ipc_lookup *l, struct slice *ret)
{
	struct ipc_verdict v;
	int rc = ask_verdict(w, l, &v);
	*ret = rc == 0 && v.ok ? van_arena_slice(w->arena, v.error) : SLICE_NONE;
	return rc;
}

int worker_ask_ack(struct worker *w, const struct ipc_lookup *l, bool *ret)
{
	struct ipc_verdict v;
	int rc = ask_verdict(w, l, &v);
	*ret = rc == 0 && v.ok;
	return rc;
}

int worker_unwrap(struct worker *w, struct slice key_id, enum wrap_alg alg, struct slice params, struct slice blob,
		  unsigned char *key, size_t expected)
{
	struct ipc_unwrap u = {.key_id = key_id, .algorithm = alg, .parameters = params, .blob = blob, .expected = expected};
	struct ipc_unwrapped reply;
	struct ipc_message m;
	int rc = ask(w, w->keyd, IPC_UNWRAP, &ipc_unwrap_table, &u, IPC_UNWRAPPED, KEYD_PATIENCE, &m);
	if (rc == 0)
		rc = record_decode(&ipc_unwrapped_table, m.body, w->arena, &reply);
	if (rc == 0 && reply.key.n != expected)
		rc = VAN_EAGAIN; /* keyd has only just started, or the key file is missing: the sender is to try again */
	if (rc == 0)
		memcpy(key, reply.key.p, expected);
	return rc;
}

int worker_sign(struct worker *w, const struct directory_as2 *d, enum digest_alg alg, const unsigned char *digest, van_time now,
		struct van_buf *der, struct van_error *e)
{
	if (!d->sign.n)
		return van_error_set(e, VAN_EDENIED, "station %.*s has no key in use to sign with: add one to as2.sign of its profile",
				     SLICE_ARG(d->station));
	bool pss = d->send && d->send->signature == PROFILE_SIGNATURE_RSA_PSS;
	struct ipc_sign s = {.key_id = RECORD_AT(d->sign, struct directory_key, 0)->key_id, .algorithm = alg, .scheme = pss ? SIGN_PSS : SIGN_PKCS1,
			     .digest = slice_make(digest, digest_size(alg)), .signing_time = now};
	struct ipc_signed reply;
	struct ipc_message m;
	int rc = ask(w, w->keyd, IPC_SIGN, &ipc_sign_table, &s, IPC_SIGNED, KEYD_PATIENCE, &m);
	if (rc == 0)
		rc = record_decode(&ipc_signed_table, m.body, w->arena, &reply);
	if (rc < 0)
		return van_error_set(e, (enum van_err)rc, "the key holder does not answer (%s)", van_err_name(rc));
	if (!reply.ok)
		return van_error_set(e, VAN_ECRYPTO, "%.*s", SLICE_ARG(reply.error));
	return van_buf_append_slice(der, reply.der);
}
