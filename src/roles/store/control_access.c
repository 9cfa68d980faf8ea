/* Who may come to the mailboxes: session.list, session.kill; ban.list, ban.add, ban.remove; user.key.list, .add, .remove, .expire,
 * which change the partner's profile like any other change of it. */
#include "base/buf.h"
#include "base/cidr.h"
#include "base/codec.h"
#include "queue/logins.h"
#include "roles/store/control.h"
#include "roles/store/control_args.h"
#include "roles/store/control_handlers.h"
#include "roles/store/session_proof.h"

#include <inttypes.h>
#include <stdlib.h>

static void put_text(struct van_buf *to, const char *key, struct slice value)
{
	van_buf_printf(to, ",\"%s\":", key);
	json_put_text(to, value);
}

static void put_time(struct van_buf *to, const char *key, van_time t)
{
	char text[VAN_TIME_TEXT];
	put_text(to, key, t ? slice_str(van_time_rfc3339(text, t)) : SLICE_NONE);
}

/* --- sessions -------------------------------------------------------------------------------------------------------------------- */

int control_session_list(struct control_call *c)
{
	bool first = true;
	van_buf_append_char(c->out, '[');
	for (const struct session *e = c->role->sessions; e; e = e->next) {
		if (!e->open)
			continue;
		van_buf_printf(c->out, "%s{\"id\":%" PRIu64, first ? "" : ",", e->number);
		first = false;
		put_text(c->out, "user", slice_str(e->user));
		put_text(c->out, "partner", slice_str(e->partner));
		put_text(c->out, "connection", slice_str(e->connection));
		put_text(c->out, "address", slice_str(e->peer));
		put_text(c->out, "method", slice_str(e->method));
		put_time(c->out, "since", e->since);
		van_buf_append_char(c->out, '}');
	}
	return van_buf_append_char(c->out, ']');
}

int control_session_kill(struct control_call *c)
{
	struct slice id = control_arg_text(&c->args, "id");
	unsigned long long number;
	struct session *e = slice_u64(id, &number) ? c->role->sessions : NULL;
	while (e && (e->number != number || !e->open))
		e = e->next;
	if (!e)
		return control_say(c, 1, "there is no session %.*s; vanctl session list shows them", SLICE_ARG(id));
	if (session_end_by(e, c->actor, "an operator of the network ended this session") < 0)
		return VAN_ENOMEM;
	return van_buf_printf(c->out, "{\"id\":%llu}", number);
}

/* --- bans ------------------------------------------------------------------------------------------------------------------------ */

struct ban_list {
	struct control_call *c;
	bool first;
};

static int add_ban(void *arg, const struct queue_ban *b)
{
	struct ban_list *l = arg;
	struct van_buf *to = l->c->out;
	if (b->until && b->until <= l->c->work->now)
		return 0;
	van_buf_append_str(to, l->first ? "{\"network\":" : ",{\"network\":");
	l->first = false;
	json_put_text(to, b->network);
	put_text(to, "user", b->user.n ? b->user : SLICE_NONE);
	put_time(to, "since", b->since);
	put_time(to, "until", b->until);
	put_text(to, "by", b->actor);
	put_text(to, "reason", b->reason);
	van_buf_printf(to, ",\"failures\":%" PRIu64, b->failures);
	return van_buf_append_char(to, '}');
}

int control_ban_list(struct control_call *c)
{
	struct ban_list l = {c, true};
	van_buf_append_char(c->out, '[');
	int rc = queue_bans(c->work, add_ban, &l);
	van_buf_append_char(c->out, ']');
	return rc < 0 ? control_refuse(c, rc, &c->work->err) : 0;
}

/* As bans are stored; false with c->error set. */
static bool read_network(struct control_call *c, struct slice *ret)
{
	struct van_cidr n;
	char *text = van_arena_alloc(c->arena, VAN_CIDR_TEXT);
	struct slice given = control_arg_text(&c->args, "network");
	if (!text || van_cidr_parse(given, &n) < 0) {
		control_say(c, 2, "'%.*s' is no address or network: write 192.0.2.7 or 192.0.2.0/24", SLICE_ARG(given));
		return false;
	}
	*ret = slice_str(van_cidr_text(text, &n));
	return true;
}

int control_ban_add(struct control_call *c)
{
	struct queue_ban b = {.user = control_arg_text(&c->args, "user"), .since = c->work->now, .until = control_arg_time(&c->args, "until"),
			      .actor = c->actor, .reason = control_arg_text(&c->args, "reason")};
	uint64_t seconds = control_arg_number(&c->args, "seconds", 0, UINT32_MAX);
	if (c->args.err.code)
		return control_refuse(c, VAN_EINVAL, &c->args.err);
	if (!read_network(c, &b.network))
		return 2;
	if (seconds)
		b.until = c->work->now + (van_time)seconds * VAN_SECOND;
	int rc = queue_ban_add(c->work, &b);
	if (rc < 0)
		return control_refuse(c, rc, &c->work->err);
	van_buf_append_str(c->out, "{\"network\":");
	json_put_text(c->out, b.network);
	return van_buf_append_char(c->out, '}');
}

int control_ban_remove(struct control_call *c)
{
	struct slice network;
	if (!read_network(c, &network))
		return 2;
	int rc = queue_ban_remove(c->work, network, control_arg_text(&c->args, "user"), c->actor);
	if (rc < 0)
		return control_refuse(c, rc, &c->work->err);
	van_buf_append_str(c->out, "{\"network\":");
	json_put_text(c->out, network);
	return van_buf_append_char(c->out, '}');
}

/* The directory stays as it is; what follows a committed change reads the bans anew, too. */
void control_ban_committed(struct control_call *c, struct directory *d)
{
	(void)c, (void)d;
}

/* --- keys of a user ---------------------------------------------------------------------------------------------------------------- */

struct user_search {
	struct slice user;
	const struct profile *p;
	size_t index; /* of the connection */
};

static int find_user(void *arg, const struct profile *p)
{
	struct user_search *s = arg;
	for (size_t i = 0; i < p->partner->connections.n; i++) {
		const struct profile_connection *c = RECORD_AT(p->partner->connections, struct profile_connection, i);
		if (c->protocol != PROFILE_SFTP_MAILBOX || !slice_eq(c->user, s->user))
			continue;
		s->p = p;
		s->index = i;
		return 1;
	}
	return 0;
}

/* False with c->error set. */
static bool search_user(struct control_call *c, struct user_search *s)
{
	*s = (struct user_search){.user = control_arg_text(&c->args, "user")};
	if (directory_each(c->work->directory, PROFILE_PARTNER, find_user, s) == 1)
		return true;
	control_say(c, 1, "nobody has the SFTP user name '%.*s'; vanctl partner list --json shows the connections", SLICE_ARG(s->user));
	return false;
}

/* "SHA256:…" as ssh-keygen -l shows it. False for a key that can't be read. */
static bool fingerprint(struct slice key, char to[64])
{
	struct van_buf blob = VAN_BUF_INIT(65536), text = VAN_BUF_INIT(64);
	struct slice type;
	const char *why;
	bool ok = profile_ssh_key_parse(key, &type, &blob, &why) == 0;
	if (ok) {
		struct receipt_hash h = receipt_sha256(blob.p, blob.n);
		base64_encode(&text, h.b, sizeof h.b, 0);
		while (text.n && text.p[text.n - 1] == '=')
			text.n--;
		snprintf(to, 64, "SHA256:%.*s", (int)text.n, text.p);
	}
	van_buf_free(&blob);
	van_buf_free(&text);
	return ok;
}

static void put_keys(struct control_call *c, const struct record_list *keys, const char *kind, bool *first)
{
	for (size_t i = 0; i < keys->n; i++) {
		const struct profile_ssh_key *k = RECORD_AT(*keys, struct profile_ssh_key, i);
		struct slice rest = k->key;
		char print[64];
		bool readable = fingerprint(k->key, print), now = (!k->from || k->from <= c->work->now) && (!k->until || c->work->now < k->until);
		van_buf_append_str(c->out, *first ? "{\"fingerprint\":" : ",{\"fingerprint\":");
		*first = false;
		json_put_text(c->out, readable ? slice_str(print) : SLICE_NONE);
		put_text(c->out, "type", slice_cut(&rest, ' '));
		if (rest.p)
			slice_cut(&rest, ' ');
		put_text(c->out, "comment", rest);
		put_text(c->out, "kind", slice_str(kind));
		put_time(c->out, "from", k->from);
		put_time(c->out, "until", k->until);
		put_text(c->out, "state", slice_str(!readable ? "unusable" : now ? "valid" : k->from > c->work->now ? "later" : "expired"));
		put_text(c->out, "key", k->key);
		van_buf_append_char(c->out, '}');
	}
}

int control_user_key_list(struct control_call *c)
{
	struct user_search s;
	bool first = true;
	if (!search_user(c, &s))
		return 1;
	const struct profile_connection *connection = RECORD_AT(s.p->partner->connections, struct profile_connection, s.index);
	van_buf_append_char(c->out, '[');
	put_keys(c, &connection->keys, "key", &first);
	put_keys(c, &connection->authorities, "authority", &first);
	return van_buf_append_char(c->out, ']');
}

/* The profile as JSON, to be changed, and its connection's list of keys. NULL: no memory. */
static json_t *open_profile(const struct user_search *s, json_t **ret_keys)
{
	struct van_buf json = VAN_BUF_INIT(16 << 20);
	json_t *object = profile_to_json(s->p, &json) == 0 ? json_loadb(json.p, json.n, 0, NULL) : NULL;
	json_t *connection = json_array_get(json_object_get(object, "connections"), s->index);
	van_buf_free(&json);
	if (!connection) {
		json_decref(object);
		return NULL;
	}
	*ret_keys = json_object_get(connection, "keys");
	if (!*ret_keys) {
		*ret_keys = json_array();
		json_object_set_new(connection, "keys", *ret_keys);
	}
	return object;
}

static int check_changed(struct control_call *c, json_t *object)
{
	json_t *list = json_array();
	json_array_append(list, object);
	char *text = json_dumps(list, JSON_COMPACT);
	int status = text ? control_check_profiles(c, slice_str(text)) : control_say(c, 2, "vand has no memory left; try again later");
	free(text);
	json_decref(list);
	return status;
}

static void set_time(json_t *key, const char *name, van_time t)
{
	char text[VAN_TIME_TEXT];
	if (t)
		json_object_set_new(key, name, json_string(van_time_rfc3339(text, t)));
}

int control_user_key_add_prepare(struct control_call *c)
{
	struct user_search s;
	struct slice line = control_arg_text(&c->args, "key"), type;
	struct van_buf blob = VAN_BUF_INIT(65536);
	const char *why = NULL;
	json_t *keys = NULL;
	van_time from = control_arg_time(&c->args, "from"), until = control_arg_time(&c->args, "until");
	if (c->args.err.code)
		return control_refuse(c, VAN_EINVAL, &c->args.err);
	if (!search_user(c, &s))
		return 1;
	int rc = profile_ssh_key_parse(line, &type, &blob, &why);
	van_buf_free(&blob);
	if (rc < 0)
		return control_say(c, 1, "this key can't be used: it %s", why ? why : "can't be read");
	json_t *object = open_profile(&s, &keys), *key = json_object();
	json_object_set_new(key, "key", json_stringn(line.p, line.n));
	set_time(key, "from", from);
	set_time(key, "until", until);
	json_array_append_new(keys, key);
	int status = object ? check_changed(c, object) : control_say(c, 2, "vand has no memory left; try again later");
	json_decref(object);
	return status;
}

/* `until` 0: the key goes. */
static int change_key(struct control_call *c, bool remove, van_time until)
{
	struct user_search s;
	struct slice wanted = control_arg_text(&c->args, "fingerprint");
	json_t *keys = NULL;
	if (!search_user(c, &s))
		return 1;
	json_t *object = open_profile(&s, &keys);
	size_t found = json_array_size(keys);
	for (size_t i = 0; i < json_array_size(keys); i++) {
		char print[64];
		const char *text = json_string_value(json_object_get(json_array_get(keys, i), "key"));
		if (text && fingerprint(slice_str(text), print) && slice_is(wanted, print))
			found = i;
	}
	int status;
	if (!object) {
		status = control_say(c, 2, "vand has no memory left; try again later");
	} else if (found == json_array_size(keys)) {
		status = control_say(c, 1, "%.*s has no key %.*s; vanctl user key list %.*s shows them", SLICE_ARG(s.user), SLICE_ARG(wanted), SLICE_ARG(s.user));
	} else {
		if (remove)
			json_array_remove(keys, found);
		else
			set_time(json_array_get(keys, found), "until", until);
		status = check_changed(c, object);
	}
	json_decref(object);
	return status;
}

int control_user_key_remove_prepare(struct control_call *c)
{
	return change_key(c, true, 0);
}

int control_user_key_expire_prepare(struct control_call *c)
{
	van_time at = control_arg_time(&c->args, "at");
	return c->args.err.code ? control_refuse(c, VAN_EINVAL, &c->args.err) : change_key(c, false, at ? at : c->work->now);
}
