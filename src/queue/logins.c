#include "queue/logins.h"

#include "base/cidr.h"
#include "queue/internal.h"

#define KNOWN_FOR (30 * 86400 * VAN_SECOND) /* an address from which somebody logged in is not banned as a whole for so long */
#define SEEN_AGAIN (86400 * VAN_SECOND)     /* not written anew at each log-in */
#define RECEIPTS 3                          /* of the first failures of a name at an address; the others would only fill the log */

static const struct record_field ban_fields[] = {
	RECORD_FIELD(1, RECORD_TEXT, struct queue_ban, network),
	RECORD_FIELD(2, RECORD_TEXT, struct queue_ban, user),
	RECORD_FIELD(3, RECORD_TIME, struct queue_ban, since),
	RECORD_FIELD(4, RECORD_TIME, struct queue_ban, until),
	RECORD_FIELD(5, RECORD_TEXT, struct queue_ban, actor),
	RECORD_FIELD(6, RECORD_TEXT, struct queue_ban, reason),
	RECORD_FIELD(7, RECORD_U64, struct queue_ban, failures),
	RECORD_END,
};
const struct record_table queue_ban_table = {"ban", 1, sizeof(struct queue_ban), ban_fields};

/* What is known of one name at one address, or of an address (failures with unknown names). */
struct tally {
	uint64_t failures;
	van_time first, last;
	van_time success; /* the address: somebody logged in */
};
static const struct record_field tally_fields[] = {
	RECORD_FIELD(1, RECORD_U64, struct tally, failures),
	RECORD_FIELD(2, RECORD_TIME, struct tally, first),
	RECORD_FIELD(3, RECORD_TIME, struct tally, last),
	RECORD_FIELD(4, RECORD_TIME, struct tally, success),
	RECORD_END,
};
static const struct record_table tally_table = {"log-in tally", 1, sizeof(struct tally), tally_fields};

/* `user` absent: the address alone. */
static void tally_key(struct store_key *k, struct slice address, struct slice user)
{
	*k = STORE_KEY_INIT;
	store_key_text(k, address);
	store_key_u8(k, user.p != NULL);
	queue_key_foreign(k, user);
}

static void ban_key(struct store_key *k, struct slice network, struct slice user)
{
	*k = STORE_KEY_INIT;
	store_key_text(k, network);
	queue_key_foreign(k, user);
}

static int get_tally(struct queue_work *w, struct slice address, struct slice user, struct tally *ret)
{
	struct store_key k;
	tally_key(&k, address, user);
	*ret = (struct tally){0};
	int rc = queue_get_record(w, w->q->login, store_key_slice(&k), &tally_table, ret);
	return rc == VAN_ENOTFOUND ? 0 : rc;
}

static int put_tally(struct queue_work *w, struct slice address, struct slice user, const struct tally *t)
{
	struct store_key k;
	tally_key(&k, address, user);
	return queue_put_record(w, w->q->login, store_key_slice(&k), &tally_table, t);
}

static int add_failure(struct queue_work *w, struct slice address, struct slice user, van_time within, struct tally *ret)
{
	int rc = get_tally(w, address, user, ret);
	if (rc < 0)
		return rc;
	if (!ret->failures || w->now - ret->last > within || w->now < ret->last) {
		ret->failures = 0;
		ret->first = w->now;
	}
	ret->failures++;
	ret->last = w->now;
	return put_tally(w, address, user, ret);
}

static int receipt(struct queue_work *w, enum receipt_event event, const struct queue_login *l, struct slice actor, struct slice text)
{
	struct receipt_leaf leaf = {.event = event, .time = w->now, .direction = SLICE("in"), .partner = l->partner,
				    .connection = l->connection, .actor = actor, .text = text};
	w->writes++;
	return receipt_append(w->txn, w->q->receipts, &leaf, NULL, &w->err);
}

static int ban_automatically(struct queue_work *w, const struct queue_login *l, bool address, uint64_t failures, van_time until, struct queue_ban *ret)
{
	struct van_cidr c;
	char text[VAN_CIDR_TEXT];
	int rc = van_cidr_parse(l->address, &c);
	if (rc < 0)
		return rc;
	*ret = (struct queue_ban){.network = van_arena_slice(w->arena, slice_str(van_cidr_text(text, &c))), .user = address ? SLICE_NONE : l->user,
				  .since = w->now, .until = until, .actor = SLICE("vand"), .failures = failures,
				  .reason = van_arena_printf(w->arena, "%llu failed log-ins", (unsigned long long)failures)};
	return queue_ban_add(w, ret);
}

int queue_login_failed(struct queue_work *w, const struct queue_login *l, const struct queue_login_policy *p, bool spare_address,
		       uint64_t *ret_failures, bool *ret_banned, struct queue_ban *ret_ban)
{
	struct tally name, address;
	struct slice text = van_arena_printf(w->arena, "from %.*s: %.*s", SLICE_ARG(l->address), SLICE_ARG(l->text));
	int rc = add_failure(w, l->address, l->user.p ? l->user : SLICE(""), p->within, &name);
	*ret_banned = false;
	if (rc == 0 && l->partner.p && name.failures <= RECEIPTS)
		rc = receipt(w, RECEIPT_LOGIN_REFUSED, l, van_arena_printf(w->arena, "sftp user %.*s", SLICE_ARG(l->user)), text);
	if (rc < 0)
		return rc;
	*ret_failures = name.failures;
	if (p->failures && name.failures >= p->failures) {
		*ret_banned = true;
		return ban_automatically(w, l, false, name.failures, w->now + p->ban, ret_ban);
	}
	if (l->partner.p || spare_address || !p->failures || !p->address_factor)
		return 0;
	rc = add_failure(w, l->address, SLICE_NONE, p->within, &address);
	bool known = address.success && w->now - address.success < KNOWN_FOR;
	if (rc < 0 || known || address.failures < p->failures * p->address_factor)
		return rc;
	*ret_banned = true;
	return ban_automatically(w, l, true, address.failures, w->now + p->ban, ret_ban);
}

int queue_login_succeeded(struct queue_work *w, const struct queue_login *l)
{
	struct store_key k;
	struct tally address;
	tally_key(&k, l->address, l->user);
	int rc = store_del(w->txn, w->q->login, store_key_slice(&k));
	if (rc == 0 || rc == VAN_ENOTFOUND)
		rc = get_tally(w, l->address, SLICE_NONE, &address);
	if (rc == 0 && w->now - address.success > SEEN_AGAIN) {
		address.success = w->now;
		rc = put_tally(w, l->address, SLICE_NONE, &address);
	}
	struct slice text = van_arena_printf(w->arena, "from %.*s: %.*s", SLICE_ARG(l->address), SLICE_ARG(l->text));
	return rc < 0 ? rc : receipt(w, RECEIPT_LOGIN, l, van_arena_printf(w->arena, "sftp user %.*s", SLICE_ARG(l->user)), text);
}

int queue_session_ended(struct queue_work *w, const struct queue_login *l, struct slice actor)
{
	return receipt(w, RECEIPT_OPERATOR, l, actor, van_arena_printf(w->arena, "ended the SFTP session of %.*s from %.*s: %.*s", SLICE_ARG(l->user),
								       SLICE_ARG(l->address), SLICE_ARG(l->text)));
}

/* --- bans --------------------------------------------------------------------------------------------------------------- */

int queue_bans(struct queue_work *w, int (*fn)(void *arg, const struct queue_ban *b), void *arg)
{
	struct store_cursor *c;
	struct slice value;
	int rc = store_cursor_open(w->txn, w->q->ban, SLICE_NONE, &c);
	if (rc < 0)
		return rc;
	while ((rc = store_cursor_next(c, NULL, &value)) == 0) {
		struct queue_ban b;
		rc = record_decode(&queue_ban_table, queue_keep(w, value), w->arena, &b);
		if (rc < 0 || (rc = fn(arg, &b)))
			break;
	}
	store_cursor_close(c);
	return rc == VAN_ENOTFOUND ? 0 : rc;
}

static struct slice described(struct queue_work *w, const char *what, struct slice network, struct slice user, struct slice reason)
{
	return van_arena_printf(w->arena, "%s %.*s%s%.*s%s%.*s", what, SLICE_ARG(network), user.n ? " for user " : "", SLICE_ARG(user),
				reason.n ? ": " : "", SLICE_ARG(reason));
}

int queue_ban_add(struct queue_work *w, const struct queue_ban *b)
{
	struct store_key k;
	struct queue_login nobody = {0};
	ban_key(&k, b->network, b->user);
	int rc = queue_put_record(w, w->q->ban, store_key_slice(&k), &queue_ban_table, b);
	return rc < 0 ? rc : receipt(w, b->failures ? RECEIPT_LOGIN_REFUSED : RECEIPT_OPERATOR, &nobody, b->actor,
				     described(w, "banned", b->network, b->user, b->reason));
}

int queue_ban_remove(struct queue_work *w, struct slice network, struct slice user, struct slice actor)
{
	struct store_key k;
	struct queue_ban b;
	struct queue_login nobody = {0};
	ban_key(&k, network, user);
	int rc = queue_get_record(w, w->q->ban, store_key_slice(&k), &queue_ban_table, &b);
	if (rc == VAN_ENOTFOUND)
		return van_error_set(&w->err, VAN_ENOTFOUND, "there is no ban of %.*s%s%.*s: vanctl ban list shows them", SLICE_ARG(network),
				     user.n ? " for user " : "", SLICE_ARG(user));
	if (rc == 0) {
		w->writes++;
		rc = store_del(w->txn, w->q->ban, store_key_slice(&k));
	}
	if (rc == 0) { /* the failures that led to it would lead to another at once */
		tally_key(&k, network, user);
		rc = store_del(w->txn, w->q->login, store_key_slice(&k));
	}
	if (rc < 0 && rc != VAN_ENOTFOUND)
		return rc;
	return receipt(w, RECEIPT_OPERATOR, &nobody, actor, described(w, "lifted the ban of", network, user, SLICE_NONE));
}

/* --- tidying ------------------------------------------------------------------------------------------------------------ */

static int tidy(struct queue_work *w, store_table_id table, bool (*old)(struct queue_work *w, struct slice value, van_time within), van_time within,
		unsigned limit)
{
	struct store_cursor *c;
	struct slice value;
	unsigned n = 0;
	int rc = store_cursor_open(w->txn, table, SLICE_NONE, &c);
	if (rc < 0)
		return rc;
	while (n < limit && (rc = store_cursor_next(c, NULL, &value)) == 0) {
		if (!old(w, value, within))
			continue;
		rc = store_cursor_del(c);
		if (rc < 0)
			break;
		w->writes++;
		n++;
	}
	store_cursor_close(c);
	return rc < 0 && rc != VAN_ENOTFOUND ? rc : (int)n;
}

static bool ban_is_over(struct queue_work *w, struct slice value, van_time within)
{
	struct queue_ban b;
	(void)within;
	return record_decode(&queue_ban_table, value, w->arena, &b) == 0 && b.until && b.until <= w->now;
}

static bool tally_is_old(struct queue_work *w, struct slice value, van_time within)
{
	struct tally t;
	return record_decode(&tally_table, value, w->arena, &t) == 0 && w->now - t.last > within && w->now - t.success > KNOWN_FOR;
}

int queue_logins_tidy(struct queue_work *w, van_time within, unsigned limit)
{
	int bans = tidy(w, w->q->ban, ban_is_over, within, limit);
	int tallies = bans < 0 ? bans : tidy(w, w->q->login, tally_is_old, within, limit);
	return tallies < 0 ? tallies : bans + tallies;
}
