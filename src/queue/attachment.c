#include "queue/attachment.h"

#include "queue/delivery.h"
#include "queue/internal.h"
#include "queue/result.h"

#include <unistd.h>

#define EXTENSION_MAX 8
#define LIST SLICE("attachment-list")
#define ALL SLICE("attachments")

struct following {
	struct queue_work *w;
	const struct queue_message *source, *output;
	struct slice list;
	struct queue_part v[32];
	size_t n;
};

static int keep(void *arg, const struct queue_part *p)
{
	struct following *f = arg;
	unsigned long long number;
	if (slice_starts(p->name, "attachment-") && slice_u64(slice_make(p->name.p + 11, p->name.n - 11), &number) &&
	    f->n < sizeof f->v / sizeof *f->v)
		f->v[f->n++] = *p;
	return 0;
}

/* --- whose they are -------------------------------------------------------------------------------------------------------------- */

int queue_attachments_lend(struct queue_work *w, struct slice from, struct slice to)
{
	static const struct slice whole[] = {LIST, ALL};
	struct following f = {.w = w};
	struct queue_part p;
	int rc = queue_part_get(w, from, LIST, &p);
	if (rc == VAN_ENOTFOUND) {
		w->err.text[0] = 0;
		return 0;
	}
	if (rc == 0)
		rc = queue_parts(w, from, keep, &f);
	for (size_t i = 0; i < sizeof whole / sizeof *whole && rc == 0; i++)
		rc = queue_part_borrow(w, from, whole[i], to);
	for (size_t i = 0; i < f.n && rc == 0; i++)
		rc = queue_part_borrow(w, from, f.v[i].name, to);
	return rc;
}

/* How well an interchange takes them: one that goes out now, before one that may, before one that never will. */
static int fitness(const struct result *r, size_t i)
{
	const struct queue_message *m = &r->targets[i];
	if (m->state != QUEUE_PROCESSED)
		return m->state == QUEUE_REJECTED || m->state == QUEUE_DUPLICATE ? 0 : 1;
	for (size_t k = 0; k < r->from->outputs.n; k++) {
		const struct ipc_output *o = RECORD_AT(r->from->outputs, struct ipc_output, k);
		if (o->interchange == i && (o->kind == IPC_OUTPUT_PASS_THROUGH || o->kind == IPC_OUTPUT_TRANSLATED))
			return 2;
	}
	return 0;
}

static bool one_receiver(const struct result *r)
{
	for (size_t i = 1; i < r->ntargets; i++)
		if (!slice_eq(r->targets[i].to, r->targets[0].to))
			return false;
	return true;
}

int queue_attachments_share(struct queue_work *w, struct result *r)
{
	struct queue_part list;
	size_t best = 0;
	int rc = r->split ? queue_part_get(w, r->message.id, LIST, &list) : VAN_ENOTFOUND;
	if (rc < 0) {
		w->err.text[0] = 0;
		return rc == VAN_ENOTFOUND ? 0 : rc;
	}
	if (!one_receiver(r)) {
		r->unshared = SLICE("its interchanges go to several receivers, so its attachments were passed on to none: see its parts");
		return queue_trail_event(w, r->message.id, "attachments-kept", r->unshared);
	}
	for (size_t i = 1; i < r->ntargets; i++)
		if (fitness(r, i) > fitness(r, best))
			best = i;
	r->bearer = best;
	return queue_attachments_lend(w, r->message.id, r->targets[best].id);
}

/* --- on their way ---------------------------------------------------------------------------------------------------------------- */

/* Of the file name that its sender gave it, from the list that was written when it came: {"part":NAME,"file_name":TEXT,…}. */
static struct slice extension_of(const struct following *f, struct slice part)
{
	struct slice wanted = van_arena_printf(f->w->arena, "{\"part\":\"%.*s\",\"file_name\":\"", SLICE_ARG(part));
	const char *at = wanted.p && f->list.p ? memmem(f->list.p, f->list.n, wanted.p, wanted.n) : NULL;
	const char *end = f->list.p + f->list.n, *dot = NULL;
	for (at = at ? at + wanted.n : end; at < end && *at != '"'; at++) {
		if (*at == '\\' && ++at == end)
			break;
		if (*at == '.')
			dot = at;
	}
	if (!dot || at == end || at - dot < 2 || at - dot > EXTENSION_MAX + 1)
		return SLICE("bin");
	for (const char *c = dot + 1; c < at; c++)
		if (!((*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || (*c >= '0' && *c <= '9')))
			return SLICE("bin");
	return slice_make(dot + 1, (size_t)(at - dot - 1));
}

static struct queue_part stretch_of(const struct following *f, struct slice name, const struct queue_part *p)
{
	return (struct queue_part){.kind = QUEUE_PART_STRETCH, .name = name, .owner = f->source->id, .within = p->name, .bytes = p->bytes, .sha256 = p->sha256};
}

/* Within the same AS2 message. */
static int carry(struct following *f, const struct queue_part *list)
{
	struct queue_part all, p = stretch_of(f, LIST, list);
	int rc = queue_part_get(f->w, f->source->id, ALL, &all);
	if (rc == 0)
		rc = queue_part_put(f->w, f->output->id, &p);
	if (rc < 0)
		return rc;
	p = stretch_of(f, ALL, &all);
	return queue_part_put(f->w, f->output->id, &p);
}

/* A file of its own, with the order's names and its own extension. */
static int put_file(struct following *f, const struct queue_part *from,
		    int (*deliver)(struct queue_work *w, struct queue_message *m, struct slice extension))
{
	struct van_id id = van_id_new(f->w->now);
	const struct queue_message *o = f->output;
	struct queue_message m = {
		.id = van_arena_slice(f->w->arena, slice_make(id.text, VAN_ID_LEN)), .time = f->w->now, .direction = QUEUE_OUT, .state = QUEUE_PROCESSED,
		.env = o->env, .partner = o->partner, .connection = o->connection, .from = o->from, .to = o->to, .type = o->type,
		.control_number = o->control_number, .agreement = o->agreement, .agreement_version = o->agreement_version,
		.parent = f->source->id, .station = o->station, .made_as = SLICE("attachment"), .bytes = from->bytes,
		.sha256 = queue_sha256_hex(f->w, from->sha256),
	};
	struct queue_part p = stretch_of(f, SLICE("payload"), from);
	int rc = m.id.p ? queue_part_put(f->w, m.id, &p) : VAN_ENOMEM;
	if (rc == 0)
		rc = deliver(f->w, &m, extension_of(f, from->name));
	if (rc == 0)
		rc = queue_message_put(f->w, NULL, &m);
	if (rc == 0)
		rc = queue_search_put(f->w, m.file_name, m.id);
	if (rc == 0)
		rc = queue_search_put(f->w, m.sha256, m.id);
	struct slice text = van_arena_printf(f->w->arena, "%.*s of message %.*s, which came with message %.*s", SLICE_ARG(from->name),
					     SLICE_ARG(f->source->id), SLICE_ARG(o->id));
	return rc < 0 ? rc : queue_trail_receipt(f->w, RECEIPT_QUEUED, &m, text, SLICE_NONE, NULL, 0);
}

int queue_attachments_follow(struct queue_work *w, const struct queue_message *source, const struct queue_message *output,
			     int (*deliver)(struct queue_work *w, struct queue_message *m, struct slice extension))
{
	struct following f = {.w = w, .source = source, .output = output};
	struct queue_part list;
	struct queue_content text;
	int rc = queue_part_get(w, source->id, LIST, &list);
	if (rc == VAN_ENOTFOUND) {
		w->err.text[0] = 0;
		return 0;
	}
	const struct profile_connection *c = w->directory && output->connection.p ? directory_connection(w->directory, output->connection, NULL) : NULL;
	if (rc < 0 || !c)
		return rc;
	if (c->protocol == PROFILE_AS2)
		return carry(&f, &list);
	rc = queue_part_open(w, source->id, LIST, &text);
	if (rc == 0)
		rc = queue_parts(w, source->id, keep, &f);
	if (rc == 0 && text.fd >= 0)
		close(text.fd);
	f.list = rc == 0 ? text.bytes : SLICE_NONE;
	for (size_t i = 0; i < f.n && rc == 0; i++)
		rc = put_file(&f, &f.v[i], deliver);
	return rc;
}
