/* Changes of profiles: partner.apply, partner.enable, partner.disable, partner.remove; and partner.dump, with which vanctl checks
 * new profiles against those in force before it sends them. */
#include "queue/queue.h"
#include "roles/store/control.h"
#include "roles/store/control_args.h"
#include "roles/store/control_handlers.h"

#include <inttypes.h>
#include <stdlib.h>

static int dump_one(void *arg, const struct profile *p)
{
	struct van_buf *to = arg;
	if (to->n > 1)
		van_buf_append_char(to, ',');
	return profile_to_json(p, to);
}

int control_partner_dump(struct control_call *c)
{
	van_buf_append_char(c->out, '[');
	for (int kind = 0; profile_kind_names[kind]; kind++)
		directory_each(c->work->directory, (enum profile_kind)kind, dump_one, c->out);
	return van_buf_append_char(c->out, ']');
}

/* --- changes -------------------------------------------------------------------------------------------------------------- */

/* What prepare hands to write and committed: profiles that passed every check. */
static struct profile_set *prepared(struct control_call *c)
{
	return c->state;
}

/* The first error stands for all: vanctl has checked before and shown them with file and line. */
static int refuse_problems(struct control_call *c, const struct profile_errors *errors)
{
	for (size_t i = 0; i < errors->n; i++) {
		const struct profile_problem *p = &errors->v[i];
		bool field = p->field && *p->field;
		if (!p->warning)
			return control_say(c, 1, "%s %s: %s%s%s; nothing was applied", p->kind ? p->kind : "profile", p->id ? p->id : "",
					   field ? p->field : "", field ? ": " : "", p->text);
	}
	return control_say(c, 1, "the profiles are invalid; nothing was applied");
}

/* Parses and checks; keeps the set in c->state. */
int control_check_profiles(struct control_call *c, struct slice json)
{
	struct profile_errors errors = {0};
	struct profile_set *set = NULL;
	int rc = profile_set_from_json(json, &set, &errors);
	if (rc == 0)
		rc = directory_check(c->work->directory, set, NULL, NULL, &errors);
	if (rc == 0)
		c->state = set;
	else
		profile_set_free(set);
	int status = rc == 0 ? 0 : rc == VAN_EINVAL ? refuse_problems(c, &errors) : control_refuse(c, rc, NULL);
	profile_errors_free(&errors);
	return status;
}

int control_apply_prepare(struct control_call *c)
{
	const json_t *profiles = json_object_get(c->args.object, "profiles");
	char *text = json_is_array(profiles) ? json_dumps(profiles, JSON_COMPACT) : NULL;
	if (!text)
		return control_say(c, 2, "'profiles' must be an array of profiles");
	int status = control_check_profiles(c, slice_str(text));
	free(text);
	return status;
}

static int put_one(struct control_call *c, struct profile *p, bool first)
{
	bool changed = false;
	int rc = queue_profile_put(c->work, p, c->actor, &changed);
	if (rc < 0)
		return control_refuse(c, rc, &c->work->err);
	van_buf_printf(c->out, "%s{\"kind\":\"%s\",\"id\":", first ? "" : ",", profile_kind_names[p->kind]);
	json_put_text(c->out, p->id);
	return van_buf_printf(c->out, ",\"version\":%" PRIu64 ",\"result\":\"%s\"}", p->version,
			      !changed ? "unchanged" : p->version == 1 ? "new" : "changed");
}

int control_apply_write(struct control_call *c)
{
	struct profile_set *set = prepared(c);
	int rc = 0;
	van_buf_append_char(c->out, '[');
	for (size_t i = 0; rc == 0 && i < set->n; i++)
		rc = put_one(c, set->v[i], i == 0);
	van_buf_append_char(c->out, ']');
	return rc;
}

void control_apply_committed(struct control_call *c, struct directory *d)
{
	struct profile_set *set = prepared(c);
	for (size_t i = 0; i < set->n; i++) {
		directory_put(d, set->v[i]);
		set->v[i] = NULL; /* the directory's now */
	}
	profile_set_free(set);
	c->state = NULL;
}

/* --- enable and disable: the stored profile with one word changed ------------------------------------------------------------ */

/* The profile's JSON as an array of one, with one member as wanted. Takes the value over. */
static char *with_member(const struct profile *p, const struct slice *id, const char *key, json_t *value)
{
	struct van_buf json = VAN_BUF_INIT(16 << 20);
	char *text = NULL;
	json_t *object = profile_to_json(p, &json) == 0 ? json_loadb(json.p, json.n, 0, NULL) : NULL;
	json_t *list = object ? json_array() : NULL;
	if (list) {
		json_object_set(object, key, value);
		if (id)
			json_object_set_new(object, "id", json_stringn(id->p, id->n));
		json_array_append(list, object);
		text = json_dumps(list, JSON_COMPACT);
	}
	json_decref(value);
	json_decref(object);
	json_decref(list);
	van_buf_free(&json);
	return text;
}

int control_change_profile(struct control_call *c, const struct profile *p, const struct slice *id, const char *key, json_t *value)
{
	char *text = with_member(p, id, key, value);
	int status = text ? control_check_profiles(c, slice_str(text)) : control_say(c, 2, "vand has no memory left; try again later");
	free(text);
	return status;
}

static int switch_prepare(struct control_call *c, bool enabled)
{
	struct slice id = control_arg_text(&c->args, "id");
	const struct profile *p = control_find_profile(c, id);
	if (!p)
		return control_say(c, 1, "there is no profile '%.*s'; vanctl partner list --kind all shows them", SLICE_ARG(id));
	return control_change_profile(c, p, NULL, "enabled", json_boolean(enabled));
}

int control_enable_prepare(struct control_call *c)
{
	return switch_prepare(c, true);
}

int control_disable_prepare(struct control_call *c)
{
	return switch_prepare(c, false);
}

/* --- remove --------------------------------------------------------------------------------------------------------------------- */

int control_remove_write(struct control_call *c)
{
	struct slice id = control_arg_text(&c->args, "id");
	const struct profile *p = control_find_profile(c, id);
	struct profile_errors errors = {0};
	if (!p)
		return control_say(c, 1, "there is no profile '%.*s'; vanctl partner list --kind all shows them", SLICE_ARG(id));
	int rc = directory_check_remove(c->work->directory, p->kind, p->id, &errors);
	int status = rc < 0 && errors.n ? control_say(c, 1, "%s", errors.v[0].text) : rc < 0 ? control_refuse(c, rc, NULL) : 0;
	profile_errors_free(&errors);
	if (status == 0 && (rc = queue_profile_remove(c->work, p->kind, p->id, c->actor)) < 0)
		status = control_refuse(c, rc, &c->work->err);
	return status ? status : van_buf_printf(c->out, "{\"kind\":\"%s\",\"removed\":true}", profile_kind_names[p->kind]);
}

void control_remove_committed(struct control_call *c, struct directory *d)
{
	const struct profile *p = control_profile_of(d, control_arg_text(&c->args, "id"));
	if (p)
		directory_remove(d, p->kind, p->id);
}
