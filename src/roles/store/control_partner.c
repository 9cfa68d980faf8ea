/* partner.list, partner.show, partner.history: profiles as they stand and as they were; partner.look: what a poll would fetch. */
#include "queue/queue.h"
#include "roles/store/connections.h"
#include "roles/store/control.h"
#include "roles/store/control_args.h"
#include "roles/store/control_handlers.h"
#include "roles/store/polls.h"

#include <inttypes.h>

struct listing {
	struct control_call *call;
	bool first;
};

static void put_identities(struct van_buf *to, const struct record_list *identities)
{
	van_buf_append_str(to, ",\"identities\":[");
	for (size_t i = 0; i < identities->n; i++) {
		if (i)
			van_buf_append_char(to, ',');
		json_put_text(to, RECORD_AT(*identities, const struct profile_identity, i)->name);
	}
	van_buf_append_char(to, ']');
}

static void put_connections(struct van_buf *to, const struct record_list *connections)
{
	van_buf_append_str(to, ",\"connections\":[");
	for (size_t i = 0; connections && i < connections->n; i++) {
		if (i)
			van_buf_append_char(to, ',');
		json_put_text(to, RECORD_AT(*connections, const struct profile_connection, i)->id);
	}
	van_buf_append_char(to, ']');
}

static int add_profile(void *arg, const struct profile *p)
{
	static const struct record_list none;
	struct listing *l = arg;
	struct van_buf *to = l->call->out;
	struct slice name = p->kind == PROFILE_STATION ? p->station->name : p->kind == PROFILE_PARTNER ? p->partner->name : p->agreement->name;
	bool enabled = p->kind == PROFILE_STATION   ? p->station->enabled
		       : p->kind == PROFILE_PARTNER ? p->partner->enabled
						    : p->agreement->enabled;
	van_buf_append_str(to, l->first ? "{\"id\":" : ",{\"id\":");
	l->first = false;
	json_put_text(to, p->id);
	van_buf_append_str(to, ",\"name\":");
	json_put_text(to, name);
	van_buf_printf(to, ",\"version\":%" PRIu64 ",\"enabled\":%s,\"kind\":\"%s\"", p->version, enabled ? "true" : "false",
		       profile_kind_names[p->kind]);
	put_identities(to, p->kind == PROFILE_STATION   ? &p->station->identities
			   : p->kind == PROFILE_PARTNER ? &p->partner->identities
							: &none);
	put_connections(to, p->kind == PROFILE_PARTNER ? &p->partner->connections : NULL);
	return van_buf_append_char(to, '}');
}

int control_partner_list(struct control_call *c)
{
	struct listing l = {c, true};
	struct slice wanted = control_arg_text(&c->args, "kind");
	van_buf_append_char(c->out, '[');
	for (int kind = 0; profile_kind_names[kind]; kind++)
		if (wanted.p ? slice_is(wanted, "all") || slice_is(wanted, profile_kind_names[kind]) : kind == PROFILE_PARTNER)
			directory_each(c->work->directory, (enum profile_kind)kind, add_profile, &l);
	return van_buf_append_char(c->out, ']');
}

/* An id alone may name one of each kind: the first of these is meant. */
static const enum profile_kind order[] = {PROFILE_PARTNER, PROFILE_STATION, PROFILE_AGREEMENT};

const struct profile *control_profile_of(const struct directory *d, struct slice id)
{
	const struct profile *p = NULL;
	for (size_t i = 0; !p && id.p && i < sizeof order / sizeof *order; i++)
		p = directory_get(d, order[i], id);
	return p;
}

const struct profile *control_find_profile(struct control_call *c, struct slice id)
{
	return control_profile_of(c->work->directory, id);
}

/* Behind a profile's JSON: "profile_version"; "version" too where it is not a key of its own. */
static int put_version(struct van_buf *to, enum profile_kind kind, uint64_t version)
{
	to->n--; /* the closing brace */
	if (kind != PROFILE_AGREEMENT)
		van_buf_printf(to, ",\"version\":%" PRIu64, version);
	return van_buf_printf(to, ",\"profile_version\":%" PRIu64 "}", version);
}

/* As it was; also of a profile that is there no more. */
static int show_version(struct control_call *c, struct slice id, uint64_t version)
{
	for (size_t i = 0; i < sizeof order / sizeof *order; i++) {
		struct queue_profile p;
		int rc = queue_profile_get(c->work, order[i], id, version, &p);
		if (rc == VAN_ENOTFOUND)
			continue;
		if (rc < 0)
			return control_refuse(c, rc, &c->work->err);
		if (p.removed)
			return control_say(c, 1, "with version %" PRIu64 " '%.*s' was removed: name an earlier one", version, SLICE_ARG(id));
		rc = van_buf_append_slice(c->out, p.json);
		return rc < 0 ? rc : put_version(c->out, order[i], version);
	}
	return control_say(c, 1, "'%.*s' has no version %" PRIu64 "; vanctl partner history %.*s shows them", SLICE_ARG(id), version, SLICE_ARG(id));
}

int control_partner_show(struct control_call *c)
{
	struct slice id = control_arg_text(&c->args, "id");
	uint64_t version = control_arg_number(&c->args, "version", 0, UINT64_MAX);
	if (c->args.err.code)
		return control_refuse(c, VAN_EINVAL, &c->args.err);
	if (version)
		return show_version(c, id, version);
	const struct profile *p = control_find_profile(c, id);
	if (!p)
		return control_say(c, 1, "there is no profile '%.*s'; vanctl partner list --kind all shows them", SLICE_ARG(id));
	return control_put_profile(c, p);
}

int control_put_profile(struct control_call *c, const struct profile *p)
{
	size_t start = c->out->n;
	int rc = profile_to_json(p, c->out);
	return rc < 0 || c->out->n == start ? rc : put_version(c->out, p->kind, p->version);
}

/* --- history ------------------------------------------------------------------------------------------------------------ */

#define HISTORY_MOST 1000

/* Versions come oldest first; the newest shall stand first. */
struct versions {
	struct control_call *call;
	struct slice v[HISTORY_MOST]; /* JSON objects */
	size_t n;
};

static int add_version(void *arg, const struct queue_profile *p)
{
	struct versions *all = arg;
	struct van_arena *arena = all->call->work->arena;
	struct van_buf actor = VAN_BUF_INIT(4096);
	char time[VAN_TIME_TEXT];
	json_put_text(&actor, p->actor);
	struct slice text = van_arena_printf(arena, "{\"version\":%" PRIu64 ",\"time\":\"%s\",\"actor\":%.*s,\"change\":\"%s\",\"kind\":\"%s\"}",
					     p->version, van_time_rfc3339(time, p->time), SLICE_ARG(van_buf_slice(&actor)),
					     p->removed ? "removed" : p->version == 1 ? "made" : "changed", profile_kind_names[p->kind]);
	van_buf_free(&actor);
	if (!text.p)
		return VAN_ENOMEM;
	if (all->n == HISTORY_MOST)
		memmove(all->v, all->v + 1, --all->n * sizeof *all->v);
	all->v[all->n++] = text;
	return 0;
}

int control_partner_history(struct control_call *c)
{
	struct slice id = control_arg_text(&c->args, "id");
	struct versions *all = van_arena_alloc(c->work->arena, sizeof *all);
	int rc = all ? 0 : VAN_ENOMEM;
	if (all)
		all->call = c;
	for (int kind = 0; rc == 0 && profile_kind_names[kind]; kind++)
		rc = queue_profile_versions(c->work, (enum profile_kind)kind, id, add_version, all);
	if (rc < 0 && rc != VAN_ENOTFOUND)
		return control_refuse(c, rc, &c->work->err);
	if (!all->n)
		return control_say(c, 1, "there never was a profile '%.*s'; vanctl partner list --kind all shows what is there", SLICE_ARG(id));
	van_buf_append_char(c->out, '[');
	for (size_t i = all->n; i-- > 0;) {
		van_buf_append_slice(c->out, all->v[i]);
		if (i)
			van_buf_append_char(c->out, ',');
	}
	return van_buf_append_char(c->out, ']');
}

int control_partner_look(struct control_call *c)
{
	struct slice id = control_arg_text(&c->args, "connection");
	const struct profile *partner = NULL;
	const struct profile_connection *connection = directory_connection(c->work->directory, id, &partner);
	if (!connection)
		return control_say(c, 1, "there is no connection '%.*s': vanctl partner list", SLICE_ARG(id));
	if (!connection->poll)
		return control_say(c, 1, "nothing is fetched over %.*s: its profile has no \"poll\"", SLICE_ARG(id));
	int rc = polls_look_for(c->role, partner, connection, pending_call_of(c));
	return rc < 0 ? control_say(c, 2, "no look could be begun; try again later") : CONTROL_LATER;
}
