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

struct exporting {
	struct control_call *call;
	struct directory *directory; /* of the transaction: work->directory is not for this thread */
};

/* The artefact of a leaf is a part of the leaf's message. */
static int open_artefact(void *arg, struct receipt_ref ref, const struct receipt_leaf *leaf, const struct receipt_artefact *a,
			 struct receipt_content *ret)
{
	struct control_call *c = ((struct exporting *)arg)->call;
	struct queue_content content;
	(void)ref;
	int rc = queue_part_open(c->work, leaf->message, a->name, &content);
	if (rc == 0)
		*ret = (struct receipt_content){content.bytes, content.fd, content.offset, content.length};
	return rc;
}

/* --- certificates of signers: those that profiles name now ------------------------------------------------------------------ */

struct wanted {
	char fingerprint[2 * RECEIPT_HASH + 1];
	struct van_buf *der;
	int rc; /* VAN_ENOTFOUND until it is found */
};

/* RFC 7468: base64 between the two lines. */
static int pem_to_der(struct slice pem, struct van_buf *to)
{
	static const char begin[] = "-----BEGIN CERTIFICATE-----", end[] = "-----END CERTIFICATE-----";
	const char *from = memmem(pem.p, pem.n, begin, sizeof begin - 1);
	size_t left = from ? pem.n - (size_t)(from - pem.p) - (sizeof begin - 1) : 0;
	const char *until = from ? memmem(from + sizeof begin - 1, left, end, sizeof end - 1) : NULL;
	if (!until)
		return VAN_ENOTFOUND;
	from += sizeof begin - 1;
	return base64_decode(to, slice_make(from, (size_t)(until - from)));
}

static void look_at(void *arg, const struct profile_certificate *c, const struct profile *owner, struct slice place)
{
	struct wanted *w = arg;
	(void)owner, (void)place;
	if (w->rc == VAN_ENOTFOUND && slice_is(c->fingerprint, w->fingerprint))
		w->rc = pem_to_der(c->pem, w->der);
}

static int look_at_profile(void *arg, const struct profile *p)
{
	control_each_certificate(p, look_at, arg);
	return 0;
}

static int find_certificate(void *arg, const struct receipt_hash *sha256, struct van_buf *der)
{
	struct exporting *e = arg;
	struct wanted w = {.der = der, .rc = VAN_ENOTFOUND};
	hex_encode(w.fingerprint, sha256->b, sizeof sha256->b);
	directory_each(e->directory, PROFILE_PARTNER, look_at_profile, &w);
	directory_each(e->directory, PROFILE_STATION, look_at_profile, &w);
	return w.rc;
}

static int export_to(struct control_call *c, const struct receipt_bundle_options *o)
{
	struct receipt_bundle_stat stat;
	struct van_error err = {0};
	c->fd = payload_create_unnamed(queue_payload(c->work->q), &err);
	int rc = c->fd < 0 ? c->fd : receipt_bundle_export(c->work->txn, queue_receipts(c->work->q), o, c->fd, &stat, &err);
	if (rc < 0)
		return control_refuse(c, rc, &err);
	struct receipt_bundle_stat *kept = van_arena_alloc(c->arena, sizeof *kept);
	if (!kept)
		return VAN_ENOMEM;
	*kept = stat;
	c->state = kept;
	return 0;
}

/* A bundle holds documents: who got it is a receipt, committed before it is handed out (so of the next bundle, not of this one). */
int control_receipt_exported(struct control_call *c)
{
	const struct receipt_bundle_stat *stat = c->state;
	char from[VAN_TIME_TEXT] = "the first", to[VAN_TIME_TEXT] = "the last";
	van_time since = control_arg_time(&c->args, "from"), until = control_arg_time(&c->args, "to");
	if (since)
		van_time_rfc3339(from, since);
	if (until)
		van_time_rfc3339(to, until);
	struct slice text = van_arena_printf(c->arena, "a bundle of %" PRIu64 " receipts from %s to %s, with %" PRIu64 " artefacts", stat->leaves, from, to,
					     stat->artefacts);
	int rc = text.p ? queue_bundle_handed_out(c->work, text, c->actor) : VAN_ENOMEM;
	if (rc < 0)
		return control_refuse(c, rc, &c->work->err);
	return van_buf_printf(c->out, "{\"receipts\":%" PRIu64 ",\"artefacts\":%" PRIu64 ",\"deleted\":%" PRIu64 ",\"bytes\":%" PRIu64 "}",
			      stat->leaves, stat->artefacts, stat->deleted, stat->bytes);
}

int control_receipt_export(struct control_call *c)
{
	struct exporting e = {.call = c};
	struct receipt_bundle_options o = {.from = control_arg_time(&c->args, "from"), .until = control_arg_time(&c->args, "to"),
					   .now = c->work->now, .artefact = open_artefact, .certificate = find_certificate, .arg = &e};
	if (c->args.err.code)
		return control_refuse(c, VAN_EINVAL, &c->args.err);
	int rc = control_await_checkpoint(c, PATIENCE);
	if (rc < 0)
		return control_say(c, 2, "the newest receipts could not be signed in time; look at the log of vand, and try again");
	if (!control_receipt_key(c, o.public_key))
		return control_say(c, 1, "no receipt has been signed yet; there is nothing to export");
	e.directory = directory_new();
	rc = e.directory ? queue_profiles_load(c->work, e.directory) : VAN_ENOMEM;
	rc = rc < 0 ? control_refuse(c, rc, &c->work->err) : export_to(c, &o);
	directory_free(e.directory);
	return rc;
}
