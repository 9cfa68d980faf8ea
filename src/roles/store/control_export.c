/* receipt.export: a bundle for an auditor, made in a thread of its own while the store goes on serving. */
#include "receipt/bundle.h"

#include "base/codec.h"
#include "base/fdio.h"
#include "queue/queue.h"
#include "roles/store/control.h"
#include "roles/store/control_args.h"
#include "roles/store/control_handlers.h"

#include <inttypes.h>

#define PATIENCE (10 * VAN_SECOND)

/* The artefact of a leaf is a part of the leaf's message. */
static int open_artefact(void *arg, struct receipt_ref ref, const struct receipt_leaf *leaf, const struct receipt_artefact *a,
			 struct receipt_content *ret)
{
	struct control_call *c = arg;
	struct queue_content content;
	(void)ref;
	int rc = queue_part_open(c->work, leaf->message, a->name, &content);
	if (rc == 0)
		*ret = (struct receipt_content){content.bytes, content.fd, content.offset, content.length};
	return rc;
}

static int export_to(struct control_call *c, const struct receipt_bundle_options *o)
{
	struct receipt_bundle_stat stat;
	struct van_error err = {0};
	c->fd = payload_create_unnamed(queue_payload(c->work->q), &err);
	int rc = c->fd < 0 ? c->fd : receipt_bundle_export(c->work->txn, queue_receipts(c->work->q), o, c->fd, &stat, &err);
	if (rc < 0)
		return control_refuse(c, rc, &err);
	return van_buf_printf(c->out, "{\"receipts\":%" PRIu64 ",\"artefacts\":%" PRIu64 ",\"deleted\":%" PRIu64 ",\"bytes\":%" PRIu64 "}",
			      stat.leaves, stat.artefacts, stat.deleted, stat.bytes);
}

int control_receipt_export(struct control_call *c)
{
	struct receipt_bundle_options o = {.from = control_arg_time(&c->args, "from"), .until = control_arg_time(&c->args, "to"),
					   .now = c->work->now, .artefact = open_artefact, .arg = c};
	if (c->args.err.code)
		return control_refuse(c, VAN_EINVAL, &c->args.err);
	int rc = control_await_checkpoint(c, PATIENCE);
	if (rc < 0)
		return control_say(c, 2, "the newest receipts could not be signed in time; look at the log of vand, and try again");
	if (!control_receipt_key(c, o.public_key))
		return control_say(c, 1, "no receipt has been signed yet; there is nothing to export");
	return export_to(c, &o);
}
