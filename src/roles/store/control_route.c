/* route.explain: which agreement would govern a document, and which nearly did. */
#include "roles/store/control.h"
#include "roles/store/control_args.h"
#include "roles/store/control_handlers.h"

#include <inttypes.h>

static const char *const environments[] = {"production", "test", NULL};
static const char *const verdicts[] = {
	[AGREEMENT_CHOSEN] = "chosen", [AGREEMENT_LESS_SPECIFIC] = "less-specific", [AGREEMENT_TIED] = "tied", [AGREEMENT_NEAR] = "near",
};

static void put(struct van_buf *to, const char *key, struct slice value)
{
	van_buf_printf(to, ",\"%s\":", key);
	json_put_text(to, value.n ? value : SLICE_NONE);
}

static void put_reasons(struct van_buf *to, const struct agreement_explanation *e)
{
	van_buf_append_str(to, ",\"reasons\":[");
	for (size_t i = 0; i < e->n; i++) {
		van_buf_append_str(to, i ? ",{\"agreement\":" : "{\"agreement\":");
		json_put_text(to, e->reasons[i].agreement);
		put(to, "verdict", slice_str(verdicts[e->reasons[i].verdict]));
		put(to, "text", e->reasons[i].text);
		van_buf_append_char(to, '}');
	}
	van_buf_append_char(to, ']');
}

static void put_route(struct van_buf *to, const struct directory_route *r)
{
	bool found = r->outcome == AGREEMENT_FOUND;
	put(to, "outcome", slice_str(agreement_outcome_names[r->outcome]));
	put(to, "agreement", r->agreement);
	van_buf_printf(to, ",\"agreement_version\":%" PRIu64, r->agreement_version);
	put(to, "mode", found ? slice_str(profile_mode_names[r->mode]) : SLICE_NONE);
	put(to, "acknowledged_by", found ? slice_str(profile_acknowledged_by_names[r->acknowledged_by]) : SLICE_NONE);
	put(to, "format", r->format);
	put(to, "map", r->map);
	put(to, "sender", r->from_party);
	put(to, "partner", r->to_party);
	put(to, "connection", r->connection);
	van_buf_printf(to, ",\"hold\":%s", r->hold ? "true" : "false");
}

static struct slice note(struct control_call *c, const struct directory_route *r, struct slice connection, struct slice from)
{
	if (connection.p && !directory_may_present(c->work->directory, connection, from, c->work->now))
		return van_arena_printf(c->work->arena, "connection %.*s may not present %.*s: the document would be held", SLICE_ARG(connection),
					SLICE_ARG(from));
	if (r->outcome != AGREEMENT_FOUND)
		return r->reason;
	if (r->hold)
		return SLICE("the agreement is on hold: the document would be held");
	return r->connection.p && !r->connection_enabled ? SLICE("the receiver's connection is disabled") : SLICE_NONE;
}

static struct slice identity_of(struct control_call *c, const char *key)
{
	struct slice text = control_arg_text(&c->args, key), name = identity_canonical(c->work->arena, text);
	return name.p ? name : identity_canonical(c->work->arena, van_arena_printf(c->work->arena, "x12 %.*s", SLICE_ARG(text)));
}

int control_route_explain(struct control_call *c)
{
	struct agreement_explanation why = {.arena = c->work->arena};
	struct directory_route route;
	int env = control_arg_name(&c->args, "env", environments);
	struct slice connection = control_arg_text(&c->args, "connection");
	struct agreement_query q = {.from = identity_of(c, "from"), .to = identity_of(c, "to"), .type = control_arg_text(&c->args, "type"),
				    .version = control_arg_text(&c->args, "version"), .now = c->work->now,
				    .environment = env == 1 ? PROFILE_TEST : PROFILE_PRODUCTION};
	if (c->args.err.code)
		return control_refuse(c, VAN_EINVAL, &c->args.err);
	if (!q.from.p || !q.to.p)
		return control_say(c, 2, "from and to are EDI identities, such as \"x12 ZZ:ACME\"");
	q.any_version = q.type.p != NULL;
	int rc = directory_find_route(c->work->directory, &q, c->work->arena, &route, &why);
	if (rc == 0 && q.any_version && route.outcome == AGREEMENT_TIE) { /* agreements for two versions: which one is not known */
		q.any_version = false;
		why = (struct agreement_explanation){.arena = c->work->arena};
		rc = directory_find_route(c->work->directory, &q, c->work->arena, &route, &why);
	}
	if (rc < 0)
		return control_refuse(c, rc, NULL);
	van_buf_append_str(c->out, "{\"from\":");
	json_put_text(c->out, q.from);
	put(c->out, "to", q.to);
	put(c->out, "type", q.type);
	put(c->out, "version", q.version);
	put(c->out, "env", slice_str(environments[env == 1]));
	put_route(c->out, &route);
	put(c->out, "text", note(c, &route, connection, q.from));
	put_reasons(c->out, &why);
	return van_buf_append_char(c->out, '}');
}
