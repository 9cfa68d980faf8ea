/* What must hold between profiles, checked before they are stored. */
#include "base/error.h"
#include "partner/directory_private.h"

#include <stdio.h>

/* The world as it will be: the set, and of the directory what the set does not replace. */
struct check {
	struct directory *set; /* borrows the set's profiles */
	const struct directory *d; /* may be NULL */
	bool (*map_known)(void *arg, struct slice name);
	void *map_arg;
	struct profile_errors *errors;
	const struct profile *p; /* being checked */
	bool alone; /* what the set does not hold may exist elsewhere */
};

static void problem(struct check *c, bool warning, const char *field, const char *fmt, ...) __attribute__((format(printf, 4, 5)));
static void problem(struct check *c, bool warning, const char *field, const char *fmt, ...)
{
	char text[700];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	profile_errors_add(c->errors, warning, c->p->file, c->p->file ? profile_line(c->p, field) : 0, field, "%s", text);
	profile_errors_about(c->errors, profile_kind_names[c->p->kind], c->p->id);
}

static const struct profile *world_get(const struct check *c, enum profile_kind kind, struct slice id)
{
	const struct profile *p = directory_get(c->set, kind, id);
	return p || !c->d ? p : directory_get(c->d, kind, id);
}

static bool replaced(const struct check *c, const struct profile *p)
{
	return directory_get(c->set, p->kind, p->id) != NULL;
}

static bool connection_exists(const struct check *c, struct slice id)
{
	const struct profile *p;
	if (c->alone || directory_connection(c->set, id, NULL))
		return true;
	return c->d && directory_connection(c->d, id, &p) && !replaced(c, p);
}

/* Another profile's entry under the same key. In the set only earlier ones count, so that a clash is told once. */
typedef bool clash_fn(const void *a, const void *b);

static const struct profile *find_clash(const struct check *c, const struct directory_index *of_set,
					const struct directory_index *of_d, struct slice a, struct slice b, const void *item,
					clash_fn *clash)
{
	struct directory_entries e = directory_index_find(of_set, a, b);
	for (size_t i = 0; i < e.n && e.v[i].item != item; i++)
		if (!clash || clash(e.v[i].item, item))
			return e.v[i].p;
	if (of_d)
		e = directory_index_find(of_d, a, b);
	for (size_t i = 0; of_d && i < e.n; i++)
		if (!replaced(c, e.v[i].p) && (!clash || clash(e.v[i].item, item)))
			return e.v[i].p;
	return NULL;
}

#define CLASH(c_, index_, a_, b_, item_, fn_) \
	find_clash(c_, &(c_)->set->index_, (c_)->d ? &(c_)->d->index_ : NULL, a_, b_, item_, fn_)

/* "partner acme (acme.yaml line 3)" */
static const char *who(char *to, size_t room, const struct profile *p)
{
	if (p->file)
		snprintf(to, room, "%s \"%.*s\" (%s line %u)", profile_kind_names[p->kind], SLICE_ARG(p->id), p->file, profile_line(p, "id"));
	else
		snprintf(to, room, "%s \"%.*s\"", profile_kind_names[p->kind], SLICE_ARG(p->id));
	return to;
}

static bool identities_overlap(const void *x, const void *y)
{
	const struct profile_identity *a = x, *b = y;
	return (!a->valid_until || b->valid_from < a->valid_until) && (!b->valid_until || a->valid_from < b->valid_until);
}

static void check_identities(struct check *c, const struct record_list *l)
{
	char field[64], other[400];
	for (size_t i = 0; i < l->n; i++) {
		const struct profile_identity *x = RECORD_AT(*l, struct profile_identity, i);
		const struct profile *owner = CLASH(c, identities, x->name, SLICE(""), x, identities_overlap);
		if (owner && owner != c->p) {
			snprintf(field, sizeof field, "identities[%zu]", i);
			problem(c, false, field,
				"identity \"%.*s\" belongs to %s already: an identity has one owner; end it there with valid_until, or remove "
				"it here",
				SLICE_ARG(x->name), who(other, sizeof other, owner));
		}
		if (x->connection.p && !connection_exists(c, x->connection)) {
			snprintf(field, sizeof field, "identities[%zu].connection", i);
			problem(c, false, field, "there is no connection \"%.*s\": correct the name, or add it to \"connections\"",
				SLICE_ARG(x->connection));
		}
	}
}

static void check_station(struct check *c)
{
	const struct profile_station *s = c->p->station;
	char other[400];
	check_identities(c, &s->identities);
	const struct profile *clash = s->as2 ? CLASH(c, as2_stations, s->as2->id, SLICE(""), s, NULL) : NULL;
	if (clash)
		problem(c, false, "as2.id", "the AS2 name \"%.*s\" is used by %s already: choose another", SLICE_ARG(s->as2->id),
			who(other, sizeof other, clash));
}

static void check_as2(struct check *c, const struct profile_connection *x, size_t i)
{
	char field[64], other[400];
	const struct profile *station = world_get(c, PROFILE_STATION, x->station);
	snprintf(field, sizeof field, "connections[%zu].station", i);
	if (!station && !c->alone)
		problem(c, false, field, "there is no station \"%.*s\": apply its profile first, or in the same command", SLICE_ARG(x->station));
	else if (station && !station->station->as2)
		problem(c, false, field, "station \"%.*s\" has no \"as2\": add its AS2 name and keys", SLICE_ARG(x->station));
	const struct profile *clash = CLASH(c, as2_pairs, x->station, x->as2_id, x, NULL);
	if (!clash)
		return;
	snprintf(field, sizeof field, "connections[%zu].as2_id", i);
	problem(c, false, field, "the AS2 name \"%.*s\" with station \"%.*s\" is used by %s already: the pair must be unique",
		SLICE_ARG(x->as2_id), SLICE_ARG(x->station), who(other, sizeof other, clash));
}

static void check_connection(struct check *c, const struct profile_connection *x, size_t i)
{
	char field[64], other[400];
	const struct profile *clash = CLASH(c, connections, x->id, SLICE(""), x, NULL);
	if (clash && clash != c->p) {
		snprintf(field, sizeof field, "connections[%zu].id", i);
		problem(c, false, field, "connection \"%.*s\" belongs to %s already: rename one", SLICE_ARG(x->id),
			who(other, sizeof other, clash));
	}
	if (x->protocol == PROFILE_AS2) {
		check_as2(c, x, i);
		return;
	}
	if (x->protocol != PROFILE_SFTP_MAILBOX)
		return;
	clash = CLASH(c, users, x->user, SLICE(""), x, NULL);
	if (clash) {
		snprintf(field, sizeof field, "connections[%zu].user", i);
		problem(c, false, field, "SFTP user \"%.*s\" is used by %s already: choose another", SLICE_ARG(x->user),
			who(other, sizeof other, clash));
	}
}

static bool ties(const void *a, const void *b)
{
	return agreement_ties(a, b);
}

static void check_end(struct check *c, const char *field, struct slice end)
{
	if (c->alone || slice_is(end, "*") || directory_index_find(&c->set->identities, end, SLICE("")).n ||
	    (c->d && directory_index_find(&c->d->identities, end, SLICE("")).n))
		return;
	problem(c, true, field, "no party has the identity \"%.*s\" yet: it will apply once one does", SLICE_ARG(end));
}

static void check_agreement(struct check *c)
{
	const struct profile_agreement *a = c->p->agreement;
	char other[400];
	const struct profile *tie = CLASH(c, pairs, a->from, a->to, a, ties);
	if (tie)
		problem(c, false, "id", "matches the same documents as %s and is no more specific: change one, or remove one",
			who(other, sizeof other, tie));
	if (a->connection.p && !connection_exists(c, a->connection))
		problem(c, false, "connection", "there is no connection \"%.*s\": correct the name, or apply its partner", SLICE_ARG(a->connection));
	if (a->output && a->output->map.p && c->map_known && !c->map_known(c->map_arg, a->output->map))
		problem(c, true, "output.map", "there is no map \"%.*s\" yet: until it is there documents of this agreement are held; see "
					       "\"vanctl map list\"", SLICE_ARG(a->output->map));
	check_end(c, "from", a->from);
	check_end(c, "to", a->to);
}

static void check_profile(struct check *c, const struct profile *p)
{
	c->p = p;
	switch (p->kind) {
	case PROFILE_STATION: check_station(c); break;
	case PROFILE_PARTNER:
		check_identities(c, &p->partner->identities);
		for (size_t i = 0; i < p->partner->connections.n; i++)
			check_connection(c, RECORD_AT(p->partner->connections, struct profile_connection, i), i);
		break;
	case PROFILE_AGREEMENT: check_agreement(c); break;
	}
}

/* --- what stored profiles need of those that are replaced or removed ------------------------------------------------------ */

struct needs {
	struct check *c;
	const struct profile *by; /* NULL: none found yet */
	const char *what;
	struct slice name;
	struct slice removed_station, removed_partner; /* absent: nothing is removed */
};

static bool lacks_connection(const struct needs *n, struct slice id)
{
	const struct profile *p;
	if (!id.p || directory_connection(n->c->set, id, NULL))
		return false;
	const struct profile_connection *x = directory_connection(n->c->d, id, &p);
	/* One that wasn't there before is not this change's fault. */
	return x && (replaced(n->c, p) || (n->removed_partner.p && slice_eq(p->id, n->removed_partner)));
}

static bool lacks_station(const struct needs *n, struct slice id)
{
	if (n->removed_station.p && slice_eq(id, n->removed_station))
		return true;
	const struct profile *now = directory_get(n->c->set, PROFILE_STATION, id);
	return now && !now->station->as2;
}

static int found(struct needs *n, const struct profile *by, const char *what, struct slice name)
{
	n->by = by;
	n->what = what;
	n->name = name;
	return 1;
}

static int needs_of(void *arg, const struct profile *p)
{
	struct needs *n = arg;
	if (replaced(n->c, p) || (p->kind == PROFILE_PARTNER && n->removed_partner.p && slice_eq(p->id, n->removed_partner)) ||
	    (p->kind == PROFILE_STATION && n->removed_station.p && slice_eq(p->id, n->removed_station)))
		return 0;
	if (p->kind == PROFILE_AGREEMENT)
		return lacks_connection(n, p->agreement->connection) ? found(n, p, "connection", p->agreement->connection) : 0;
	const struct record_list *identities = p->kind == PROFILE_STATION ? &p->station->identities : &p->partner->identities;
	for (size_t i = 0; i < identities->n; i++) {
		const struct profile_identity *x = RECORD_AT(*identities, struct profile_identity, i);
		if (lacks_connection(n, x->connection))
			return found(n, p, "connection", x->connection);
	}
	for (size_t i = 0; p->kind == PROFILE_PARTNER && i < p->partner->connections.n; i++) {
		const struct profile_connection *x = RECORD_AT(p->partner->connections, struct profile_connection, i);
		if (x->protocol == PROFILE_AS2 && lacks_station(n, x->station))
			return found(n, p, "AS2 station", x->station);
	}
	return 0;
}

static void find_needs(struct needs *n)
{
	for (int kind = 0; kind < 3 && !n->by; kind++)
		directory_each(n->c->d, (enum profile_kind)kind, needs_of, n);
}

static void check_stored(struct check *c, const struct profile_set *set)
{
	struct needs n = {.c = c};
	char other[400];
	if (!c->d)
		return;
	find_needs(&n);
	if (!n.by)
		return;
	/* Tell it at the profile that takes the thing away. */
	const struct profile *p = NULL;
	directory_connection(c->d, n.name, &p);
	p = strcmp(n.what, "connection") == 0 && p ? directory_get(c->set, p->kind, p->id) : directory_get(c->set, PROFILE_STATION, n.name);
	c->p = p ? p : set->v[0];
	problem(c, false, "", "%s \"%.*s\" is gone, but %s uses it: change that first, or in the same command", n.what, SLICE_ARG(n.name),
		who(other, sizeof other, n.by));
}

static int run_check(struct check *c, const struct profile_set *set)
{
	struct profile_errors none = {0};
	if (!c->errors)
		c->errors = &none;
	struct profile_errors *errors = c->errors;
	size_t before = errors->errors;
	int rc = (c->set = directory_new()) ? 0 : VAN_ENOMEM;
	if (c->set)
		c->set->borrowed = true;
	for (size_t i = 0; i < set->n && rc == 0; i++)
		rc = directory_put(c->set, set->v[i]);
	for (size_t i = 0; i < set->n && rc == 0; i++)
		check_profile(c, set->v[i]);
	if (rc == 0 && set->n)
		check_stored(c, set);
	directory_free(c->set);
	rc = rc < 0 || errors->out_of_memory ? VAN_ENOMEM : errors->errors > before ? VAN_EINVAL : 0;
	profile_errors_free(&none);
	return rc;
}

int directory_check(const struct directory *d, const struct profile_set *set, bool (*map_known)(void *arg, struct slice name),
		    void *arg, struct profile_errors *errors)
{
	struct check c = {.d = d, .map_known = map_known, .map_arg = arg, .errors = errors};
	return run_check(&c, set);
}

int directory_check_set(const struct profile_set *set, struct profile_errors *errors)
{
	struct check c = {.errors = errors, .alone = true};
	return run_check(&c, set);
}

int directory_check_remove(const struct directory *d, enum profile_kind kind, struct slice id, struct profile_errors *errors)
{
	struct check c = {.set = directory_new(), .d = d, .errors = errors};
	struct needs n = {.c = &c};
	char other[400];
	if (!c.set)
		return VAN_ENOMEM;
	c.set->borrowed = true;
	if (kind == PROFILE_STATION)
		n.removed_station = id;
	if (kind == PROFILE_PARTNER)
		n.removed_partner = id;
	find_needs(&n);
	directory_free(c.set);
	if (!n.by)
		return 0;
	profile_errors_add(errors, false, NULL, 0, "", "%s \"%.*s\" is used by %s: change or remove that first", n.what, SLICE_ARG(n.name),
			   who(other, sizeof other, n.by));
	return VAN_ESTATE;
}
