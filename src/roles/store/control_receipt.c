/* receipt.list and receipt.show: the log, newest first. A receipt is named by its index in the log of its year; the newest log is
 * meant where no year is named. */
#include "receipt/receipt.h"

#include "base/codec.h"
#include "roles/store/control.h"
#include "roles/store/control_args.h"
#include "roles/store/control_handlers.h"

#include <inttypes.h>

#define LIST_DEFAULT 100
#define LIST_MOST 1000000000

struct listing {
	struct control_call *call;
	van_time since, until; /* 0: open */
	enum receipt_event event; /* 0: any */
	uint64_t left;
	bool first;
};

static void put_leaf(struct van_buf *to, const struct receipt_leaf *l, struct receipt_ref ref, struct slice bytes)
{
	char time[VAN_TIME_TEXT], hex[2 * RECEIPT_HASH + 1];
	struct receipt_hash hash = receipt_leaf_hash(bytes);
	const char *event = receipt_event_name(l->event);
	van_buf_printf(to, "{\"index\":%" PRIu64 ",\"time\":\"%s\",\"event\":", ref.index, van_time_rfc3339(time, l->time));
	json_put_text(to, slice_str(event));
	van_buf_append_str(to, ",\"message\":");
	json_put_text(to, l->message);
	van_buf_append_str(to, ",\"partner\":");
	json_put_text(to, l->partner);
	van_buf_append_str(to, ",\"actor\":");
	json_put_text(to, l->actor);
	van_buf_append_str(to, ",\"text\":");
	json_put_text(to, l->text);
	van_buf_printf(to, ",\"leaf_hash\":\"%s\",\"log\":%" PRIu32, hex_encode(hex, hash.b, sizeof hash.b), ref.log);
}

static int add_leaf(struct listing *l, struct receipt_ref ref, struct slice bytes)
{
	struct receipt_leaf leaf;
	int rc = receipt_leaf_parse(bytes, l->call->work->arena, &leaf, &l->call->work->err);
	if (rc < 0)
		return rc;
	if ((l->until && leaf.time >= l->until) || (l->since && leaf.time < l->since) || (l->event && leaf.event != l->event))
		return 0;
	if (!l->first)
		van_buf_append_char(l->call->out, ',');
	l->first = false;
	l->left--;
	put_leaf(l->call->out, &leaf, ref, bytes);
	return van_buf_append_char(l->call->out, '}');
}

/* The newest leaves of one log, backwards. */
static int list_log(struct listing *l, uint32_t year, uint64_t size)
{
	struct queue_work *w = l->call->work;
	struct receipts *r = queue_receipts(w->q);
	uint64_t from = 0, to = size;
	int rc = 0;
	if (l->since)
		rc = receipt_find_time(w->txn, r, year, l->since, &from);
	if (rc == 0 && l->until)
		rc = receipt_find_time(w->txn, r, year, l->until, &to);
	while (rc == 0 && l->left && to > from) {
		struct receipt_ref ref = {year, --to};
		struct slice bytes;
		rc = receipt_get(w->txn, r, ref, &bytes);
		if (rc == 0)
			rc = add_leaf(l, ref, bytes);
	}
	return rc;
}

static int list_all(struct listing *l)
{
	struct queue_work *w = l->call->work;
	struct receipts *r = queue_receipts(w->q);
	struct receipt_log log;
	int rc = receipt_log_get(w->txn, r, 0, &log);
	while (rc == 0 && l->left) {
		rc = list_log(l, log.year, log.size);
		if (rc == 0)
			rc = receipt_log_get(w->txn, r, log.year - 1, &log);
	}
	return rc == VAN_ENOTFOUND ? 0 : rc;
}

static int collect_leaf(void *arg, struct receipt_ref ref, struct slice bytes)
{
	struct listing *l = arg;
	return l->left ? add_leaf(l, ref, bytes) : 1;
}

static int refuse_event(struct control_call *c, struct slice event)
{
	struct van_buf names = VAN_BUF_INIT(4096);
	for (int e = 1; e < RECEIPT_EVENTS; e++)
		van_buf_printf(&names, "%s%s", e > 1 ? ", " : "", receipt_event_name((enum receipt_event)e));
	int rc = control_say(c, 2, "there is no event '%.*s', but %.*s", SLICE_ARG(event), (int)names.n, (const char *)names.p);
	van_buf_free(&names);
	return rc;
}

int control_receipt_list(struct control_call *c)
{
	struct listing l = {.call = c, .since = control_arg_time(&c->args, "since"), .until = control_arg_time(&c->args, "until"),
			    .left = control_arg_number(&c->args, "limit", LIST_DEFAULT, LIST_MOST), .first = true};
	struct slice message = control_arg_text(&c->args, "message"), event = control_arg_text(&c->args, "event");
	if (c->args.err.code)
		return control_refuse(c, VAN_EINVAL, &c->args.err);
	if (event.p && receipt_event_parse(event, &l.event) < 0)
		return refuse_event(c, event);
	van_buf_append_char(c->out, '[');
	int rc = message.p ? receipt_each_of_message(c->work->txn, queue_receipts(c->work->q), message, collect_leaf, &l) : list_all(&l);
	van_buf_append_char(c->out, ']');
	return rc < 0 ? control_refuse(c, rc, &c->work->err) : 0;
}

/* "7" or "2026/7". */
static bool parse_ref(struct slice text, struct receipt_ref *ret)
{
	unsigned long long year = 0, index;
	struct slice rest = text;
	struct slice first = slice_cut(&rest, '/');
	if (rest.p && (!slice_u64(first, &year) || year > 9999))
		return false;
	if (!slice_u64(rest.p ? rest : first, &index))
		return false;
	*ret = (struct receipt_ref){(uint32_t)year, index};
	return true;
}

int control_receipt_show(struct control_call *c)
{
	struct slice name = control_arg_text(&c->args, "index"), bytes;
	struct receipts *r = queue_receipts(c->work->q);
	struct receipt_ref ref;
	struct receipt_log log;
	struct receipt_leaf leaf;
	if (!parse_ref(name, &ref))
		return control_say(c, 2, "a receipt is named by its index, such as 17 or 2026/17");
	int rc = receipt_log_get(c->work->txn, r, ref.log, &log);
	if (rc == 0) {
		ref.log = log.year;
		rc = receipt_get(c->work->txn, r, ref, &bytes);
	}
	if (rc == VAN_ENOTFOUND)
		return control_say(c, 1, "there is no receipt %.*s; vanctl receipt list shows the newest", SLICE_ARG(name));
	if (rc == 0)
		rc = receipt_leaf_parse(bytes, c->work->arena, &leaf, &c->work->err);
	if (rc < 0)
		return control_refuse(c, rc, &c->work->err);
	put_leaf(c->out, &leaf, ref, bytes);
	van_buf_printf(c->out, ",\"origin\":\"%s\",\"size\":%" PRIu64 ",\"leaf\":", log.origin, log.size);
	van_buf_append_slice(c->out, bytes); /* canonical JSON itself */
	return van_buf_append_char(c->out, '}');
}
