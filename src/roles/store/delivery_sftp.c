/* Deliveries to partners' SFTP servers: nothing is packaged, the stored document goes as it is. */
#include "roles/store/deliveries.h"
#include "roles/store/polls.h"

#include "base/log.h"

#include <unistd.h>

/* Finds the document; then the try begins. */
void outgoing_start_sftp(struct outgoing *o)
{
	struct store_read r;
	struct queue_delivery d;
	struct queue_content content = {.fd = -1};
	int rc = store_read_begin(o->s, o->arena, &r);
	if (rc < 0) {
		outgoing_end_text(o, QUEUE_OUTCOME_INTERRUPTED, "the store could not be read: %s", van_err_name(rc));
		return;
	}
	rc = queue_delivery_get(&r.work, slice_str(o->id.text), &d);
	if (rc == 0)
		rc = queue_part_open(&r.work, d.message, SLICE("payload"), &content);
	if (rc == 0 && content.fd < 0) {
		o->packaged.body = van_arena_slice(o->arena, content.bytes.p ? content.bytes : SLICE(""));
		rc = o->packaged.body.p ? 0 : VAN_ENOMEM;
	}
	store_read_end(o->s, &r);
	if (rc < 0) {
		outgoing_end_text(o, QUEUE_OUTCOME_INTERRUPTED, "the document could not be read: %s", van_err_name(rc));
		return;
	}
	o->body = content.fd;
	o->packaged.offset = content.offset;
	o->packaged.bytes = content.length;
	outgoing_begin(o);
}

/* In the store's transaction and the directory's lock; slices are theirs. VAN_ENOTFOUND: the profile has no such connection now. */
int outgoing_fill_sftp(struct store_read *r, struct outgoing *o, struct ipc_deliver *to)
{
	struct queue_delivery d;
	struct queue_message m;
	struct ipc_sftp_server *server = van_arena_alloc(o->arena, sizeof *server);
	const struct profile_connection *c = directory_connection(r->work.directory, slice_str(o->lane->connection), NULL);
	if (!server)
		return VAN_ENOMEM;
	if (!c || !c->push)
		return VAN_ENOTFOUND;
	int rc = queue_delivery_get(&r->work, slice_str(o->id.text), &d);
	if (rc == 0)
		rc = queue_message_get(&r->work, d.message, &m);
	if (rc < 0)
		return rc;
	*server = polls_server(c);
	to->server = server;
	to->folder = c->push->folder;
	to->temporary = c->push->temporary;
	to->name = m.file_name.n ? m.file_name : m.id;
	to->again = d.tries > 1;
	to->body = o->packaged.body;
	to->offset = o->packaged.offset;
	to->bytes = o->packaged.bytes;
	return 0;
}

void outgoing_delivered_sftp(struct outgoing *o, const struct ipc_delivered *r)
{
	if (r->answered)
		outgoing_end_text(o, QUEUE_OUTCOME_DELIVERED, "put on the partner's server");
	else
		outgoing_end_text(o, QUEUE_OUTCOME_RETRY, "%.*s", SLICE_ARG(r->error));
}
