#include "roles/http/restart.h"

#include "as2/request.h"
#include "base/error.h"
#include "base/log.h"
#include "partner/directory.h"
#include "partner/settings.h"
#include "roles/http/connection.h"
#include "roles/http/tls.h"

#include <string.h>
#include <sys/socket.h>

static struct slice header(struct MHD_Connection *c, const char *name)
{
	const char *value = MHD_lookup_connection_value(c, MHD_HEADER_KIND, name);
	return value ? slice_str(value) : SLICE_NONE;
}

static const struct van_config_restart *limits(const struct http *h)
{
	return &h->role->config->as2.restart;
}

static bool offered(const struct http *h)
{
	return h->partials && limits(h)->count;
}

static int key_of(struct MHD_Connection *c, struct partial_key *ret)
{
	const struct connection *k = connection_of(c);
	char sha256[65] = "";
	if (k && k->tls && !tls_session_client(k->session, k->tls, sha256))
		return VAN_EDENIED;
	return partial_key_make(header(c, "ETag"), header(c, "AS2-From"), header(c, "AS2-To"), slice_str(sha256), header(c, "Authorization"), ret);
}

/* --- HEAD -------------------------------------------------------------------------------------------------------------------- */

/* Never called: an answer to HEAD has no body. */
static ssize_t no_body(void *cls, uint64_t at, char *to, size_t room)
{
	(void)cls;
	(void)at;
	(void)to;
	(void)room;
	return MHD_CONTENT_READER_END_WITH_ERROR;
}

bool restart_head(struct http *h, struct MHD_Connection *c, enum MHD_Result *ret)
{
	struct partial_key key;
	struct slice etag = header(c, "ETag");
	if (!etag.p)
		return false;
	uint64_t held = offered(h) && key_of(c, &key) == 0 ? partials_held(h->partials, limits(h), &key) : 0;
	struct MHD_Response *r = MHD_create_response_from_callback(held, 1024, no_body, NULL, NULL);
	if (r)
		MHD_add_response_header(r, "ETag", etag.p);
	*ret = r ? MHD_queue_response(c, 200, r) : MHD_NO;
	if (r)
		MHD_destroy_response(r);
	return true;
}

/* --- POST -------------------------------------------------------------------------------------------------------------------- */

static void give_up(struct http *h, struct request *q)
{
	const struct connection *k = q->connection ? connection_of(q->connection) : NULL;
	partials_end(h->partials, limits(h), q, true);
	h->in_flight_bytes -= q->expected;
	q->expected = 0;
	q->state = REQUEST_REFUSED;
	q->status = 503;
	spool_close(&q->spool);
	if (k)
		shutdown(k->fd, SHUT_RDWR);
}

static bool same_message(const struct request *q, struct slice message_id)
{
	for (size_t i = 0; i < q->facts.headers.n; i++) {
		const struct ipc_header *f = RECORD_AT(q->facts.headers, struct ipc_header, i);
		if (slice_case_is(f->name, "Message-ID"))
			return slice_eq(f->value, message_id);
	}
	return !message_id.p;
}

/* Whoever comes again has given up the connection before, even where we have not seen its end. A range names what it goes on with;
 * a whole body is the same message only when its Message-ID says so, for there are senders who give each message the same ETag. */
static void give_up_earlier(struct http *h, struct MHD_Connection *c, const struct restart_wish *w)
{
	struct slice message_id = header(c, "Message-ID");
	for (size_t i = 0; i < h->room; i++) {
		struct request *q = h->requests[i];
		if (q && q->state == REQUEST_BODY && q->key.name[0] && strcmp(q->key.name, w->key.name) == 0 &&
		    (w->resumes ? q->partial != NULL : same_message(q, message_id)))
			give_up(h, q);
	}
}

unsigned restart_look(struct http *h, struct MHD_Connection *c, uint64_t length, struct restart_wish *ret, const char **ret_text)
{
	struct slice range = header(c, "Content-Range"), etag = header(c, "ETag");
	*ret = (struct restart_wish){.total = length};
	if (range.p && !etag.p) {
		*ret_text = "Content-Range needs the ETag of the transfer that it goes on with";
		return 400;
	}
	if (!etag.p)
		return 0;
	ret->wanted = offered(h) && key_of(c, &ret->key) == 0;
	ret->resumes = range.p != NULL;
	if (range.p && (partial_range_parse(range, &ret->first, &ret->total) < 0 || (length && length != ret->total - ret->first))) {
		*ret_text = "Content-Range has to be \"bytes FIRST-LAST/TOTAL\", reach to the end and agree with Content-Length";
		return 416;
	}
	if (ret->total > h->role->config->limits.message) {
		*ret_text = "the message is larger than limits.message allows";
		return 413;
	}
	if (ret->wanted)
		give_up_earlier(h, c, ret);
	return 0;
}

static unsigned resume(struct http *h, struct request *q, const struct restart_wish *w, const char **ret_text)
{
	int fd = w->wanted ? partials_resume(h->partials, limits(h), &w->key, w->first, w->total, q) : VAN_ENOTFOUND;
	if (fd < 0) {
		*ret_text = fd == VAN_ENOTFOUND ? "so much of it is not here: ask with HEAD, or begin anew" : "what is here of it can't be read: begin anew";
		return 416;
	}
	spool_adopt(&q->spool, fd, w->first);
	q->resumed_at = w->first;
	log_event(LOG_LEVEL_INFO, "message-resumed", "peer", log_slice(q->facts.peer), "transfer", w->key.name, "at", log_u64(w->first), NULL);
	return 0;
}

/* Strangers don't get to keep anything here: the answer comes while the body is coming in. */
static void ask_store(struct http *h, struct request *q)
{
	struct ipc_lookup l = {.kind = IPC_LOOKUP_AS2};
	for (size_t i = 0; i < q->facts.headers.n; i++) {
		const struct ipc_header *f = RECORD_AT(q->facts.headers, struct ipc_header, i);
		if (slice_case_is(f->name, "AS2-From"))
			as2_id_parse(f->value, q->arena, &l.as2_from);
		else if (slice_case_is(f->name, "AS2-To"))
			as2_id_parse(f->value, q->arena, &l.as2_to);
	}
	if (h->store && l.as2_from.p && l.as2_to.p)
		ipc_send(h->store, IPC_LOOKUP, q->id, &ipc_lookup_table, &l, NULL, 0);
}

unsigned restart_begin(struct http *h, struct request *q, const struct restart_wish *w, const char **ret_text)
{
	q->total = w->total;
	q->ranged = w->resumes;
	if (w->wanted)
		q->key = w->key;
	if (w->resumes && w->first)
		return resume(h, q, w, ret_text);
	if (w->wanted) /* anew: what an earlier connection brought is of no use any more */
		partials_forget(h->partials, &q->key);
	/* a few bytes are not worth it */
	if (!w->wanted || (w->total && w->total <= IPC_INLINE_MAX) || spool_use_file(&q->spool) < 0)
		return 0;
	q->restartable = true;
	ask_store(h, q);
	return 0;
}

void restart_known(struct http *h, struct ipc_message *m)
{
	struct request *q = request_find(h, m->request);
	struct van_arena *arena = van_arena_new(0);
	struct ipc_lookup_reply reply;
	struct directory_as2 d;
	bool known = arena && record_decode(&ipc_lookup_reply_table, m->body, arena, &reply) == 0 &&
		     record_decode(&directory_as2_table, reply.record, arena, &d) == 0 && d.match == DIRECTORY_FOUND && d.enabled && d.restart;
	if (q && known && q->restartable && q->state == REQUEST_BODY && !q->partial)
		partials_begin(h->partials, limits(h), &q->key, q);
	van_arena_free(arena);
}

unsigned restart_finish(struct http *h, struct request *q, const char **ret_text)
{
	bool whole = !q->ranged || q->spool.bytes == q->total;
	if (h->partials && whole)
		partials_hand_over(h->partials, q);
	else if (h->partials)
		partials_end(h->partials, limits(h), q, q->spool.bytes < q->total);
	*ret_text = whole ? NULL : "the body is not as long as its Content-Range says";
	return whole ? 0 : 400;
}
