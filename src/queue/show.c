/* JSON of messages, as PROFILES.md promises it: an absent value is null. */
#include "queue/internal.h"

#include <unistd.h>

static void put_text(struct van_buf *to, const char *name, struct slice value)
{
	van_buf_printf(to, ",\"%s\":", name);
	json_put_text(to, value.n ? value : SLICE_NONE);
}

static struct slice or_none(const char *name)
{
	return *name ? slice_str(name) : SLICE_NONE;
}

static void put_fields(const struct queue_message *m, struct van_buf *to)
{
	char time[VAN_TIME_TEXT];
	van_buf_append_str(to, "\"id\":");
	json_put_text(to, m->id);
	put_text(to, "time", slice_str(van_time_rfc3339(time, m->time)));
	put_text(to, "direction", slice_str(queue_direction_names[m->direction]));
	put_text(to, "protocol", m->protocol);
	put_text(to, "partner", m->partner);
	put_text(to, "connection", m->connection);
	put_text(to, "from", m->from);
	put_text(to, "to", m->to);
	put_text(to, "env", or_none(queue_env_names[m->env]));
	put_text(to, "standard", m->standard);
	put_text(to, "type", m->type);
	put_text(to, "version", m->version);
	put_text(to, "control_number", m->control_number);
	put_text(to, "as2_message_id", m->as2_message_id);
	put_text(to, "file_name", m->file_name);
	van_buf_printf(to, ",\"bytes\":%llu", (unsigned long long)m->bytes);
	put_text(to, "sha256", m->sha256);
	put_text(to, "state", slice_str(queue_state_names[m->state]));
	put_text(to, "delivery", or_none(queue_delivery_state_names[m->delivery]));
	put_text(to, "ack", slice_str(queue_ack_state_names[m->ack]));
	put_text(to, "agreement", m->agreement);
	put_text(to, "parent", m->parent);
	put_text(to, "error", m->error);
}

int queue_message_json(const struct queue_message *m, struct van_buf *to)
{
	van_buf_append_char(to, '{');
	put_fields(m, to);
	return van_buf_append_char(to, '}');
}

struct list {
	struct van_buf *to;
	bool more;
};

static void put_comma(struct list *l)
{
	if (l->more)
		van_buf_append_char(l->to, ',');
	l->more = true;
}

static int put_step(void *arg, const struct queue_step *s)
{
	struct list *l = arg;
	char time[VAN_TIME_TEXT];
	put_comma(l);
	van_buf_append_str(l->to, "{\"time\":");
	json_put_text(l->to, slice_str(van_time_rfc3339(time, s->time)));
	put_text(l->to, "event", s->event);
	put_text(l->to, "text", s->text);
	if (s->has_receipt)
		van_buf_printf(l->to, ",\"receipt\":%llu}", (unsigned long long)s->receipt.index);
	else
		van_buf_append_str(l->to, ",\"receipt\":null}");
	return l->to->error;
}

struct parts {
	struct list list;
	struct queue_work *w;
	struct slice id;
};

/* What nobody asked for at acceptance is hashed when somebody looks: bodies in memory, that is; large files keep null. */
static int hash_part(struct parts *l, struct queue_part *p, struct receipt_hash *h)
{
	struct queue_content c;
	if (p->sha256.p || p->bytes > QUEUE_INLINE_MAX)
		return 0;
	int rc = queue_part_open(l->w, l->id, p->name, &c);
	if (rc < 0)
		return rc;
	if (c.fd >= 0) {
		close(c.fd);
		return 0;
	}
	*h = receipt_sha256(c.bytes.p, c.bytes.n);
	p->sha256 = slice_make(h->b, sizeof h->b);
	return 0;
}

static int put_part(void *arg, const struct queue_part *stored)
{
	struct parts *l = arg;
	struct queue_part p = *stored;
	struct receipt_hash h;
	/* The answer as it went out (part "mdn" and its headers), and files that outputs are stretches of. */
	if (slice_is(p.name, "reply") || slice_starts(p.name, "made-"))
		return 0;
	int rc = hash_part(l, &p, &h);
	if (rc < 0)
		return rc;
	put_comma(&l->list);
	record_to_json(&queue_part_table, &p, l->list.to);
	return l->list.to->error;
}

static int put_child(void *arg, const struct queue_message *m)
{
	struct list *l = arg;
	put_comma(l);
	return queue_message_json(m, l->to);
}

static void put_keys(struct list *l, const struct record_list *keys)
{
	for (size_t i = 0; i < keys->n; i++) {
		put_comma(l);
		record_to_json(&queue_key_table, RECORD_AT(*keys, struct queue_key, i), l->to);
	}
}

static void put_details(const struct queue_message *m, struct van_buf *to)
{
	struct list l = {.to = to};
	put_text(to, "station", m->station);
	put_text(to, "peer", m->peer);
	put_text(to, "content_type", m->content_type);
	put_text(to, "as2_from", m->as2_from);
	put_text(to, "as2_to", m->as2_to);
	put_text(to, "mic", m->mic);
	put_text(to, "micalg", m->micalg);
	put_text(to, "disposition", m->disposition);
	put_text(to, "mdn_message_id", m->mdn_message_id);
	put_text(to, "signer_sha256", m->signer_sha256);
	put_text(to, "made_as", m->made_as);
	put_text(to, "report", m->report);
	put_text(to, "resend_of", m->resend_of);
	put_text(to, "reprocess_of", m->reprocess_of);
	van_buf_printf(to, ",\"agreement_version\":%llu,\"downloads\":%llu", (unsigned long long)m->agreement_version,
		       (unsigned long long)m->downloads);
	van_buf_append_str(to, ",\"keys\":[");
	put_keys(&l, &m->keys);
	for (size_t i = 0; i < m->transactions.n; i++)
		put_keys(&l, &RECORD_AT(m->transactions, struct queue_transaction, i)->keys);
	van_buf_append_str(to, "],\"messages\":[");
	for (size_t i = 0; i < m->transactions.n; i++) {
		if (i)
			van_buf_append_char(to, ',');
		record_to_json(&queue_transaction_table, RECORD_AT(m->transactions, struct queue_transaction, i), to);
	}
	van_buf_append_char(to, ']');
}

int queue_message_show_json(struct queue_work *w, struct slice id, struct van_buf *to)
{
	struct queue_message m;
	struct list l = {.to = to};
	int rc = queue_message_get(w, id, &m);
	if (rc < 0)
		return rc;
	van_buf_append_char(to, '{');
	put_fields(&m, to);
	put_details(&m, to);
	van_buf_append_str(to, ",\"history\":[");
	rc = queue_message_history(w, id, put_step, &l);
	van_buf_append_str(to, "],\"parts\":[");
	struct parts parts = {.list = {.to = to}, .w = w, .id = id};
	if (rc == 0)
		rc = queue_parts(w, id, put_part, &parts);
	van_buf_append_str(to, "],\"children\":[");
	l.more = false;
	if (rc == 0)
		rc = queue_message_children(w, id, put_child, &l);
	van_buf_append_str(to, "]}");
	return rc < 0 ? rc : to->error;
}
