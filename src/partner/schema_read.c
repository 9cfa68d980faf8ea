#include "base/error.h"
#include "partner/identity.h"
#include "partner/profile.h"
#include "partner/schema.h"

#include <inttypes.h>
#include <stdio.h>

/* A key that a person would recognise: long foreign ones are cut in messages. */
#define SHOWN_MAX 60
#define SHOWN(s) (int)((s).n < SHOWN_MAX ? (s).n : SHOWN_MAX), (s).p

void schema_problem(struct schema_reader *r, const struct schema_node *at, const char *key, bool warning, const char *fmt, ...)
{
	char text[1024], field[400];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	snprintf(field, sizeof field, "%s%s%s", r->path, key && r->path_n ? "." : "", key ? key : "");
	const struct schema_node *child = key ? schema_node_get(at, key) : NULL;
	unsigned line = child ? child->line : at ? at->line : 0;
	profile_errors_add(r->errors, warning, r->file, line, field, "%s", text);
}

/* Path of the field being read, for messages; returns what to hand to path_back(). */
static size_t path_into(struct schema_reader *r, const char *key, size_t index)
{
	size_t before = r->path_n, room = sizeof r->path - r->path_n;
	int n = key ? snprintf(r->path + r->path_n, room, "%s%s", r->path_n ? "." : "", key)
		    : snprintf(r->path + r->path_n, room, "[%zu]", index);
	if (n > 0 && (size_t)n < room)
		r->path_n += (size_t)n;
	else
		r->path[r->path_n] = 0;
	return before;
}

static void path_back(struct schema_reader *r, size_t before)
{
	r->path_n = before;
	r->path[before] = 0;
}

static void *member(void *object, const struct schema_field *f)
{
	return (char *)object + f->offset;
}

bool schema_applies(const struct schema_table *t, const struct schema_field *f, const void *object)
{
	if (!f->only || !t->select)
		return true;
	for (const struct schema_field *s = t->fields; s->key; s++)
		if (strcmp(s->key, t->select) == 0)
			return f->only & (UINT32_C(1) << *(const uint32_t *)(const void *)((const char *)object + s->offset));
	return true;
}

/* "signed, encrypted" */
static const char *joined(char *to, size_t room, const char *const *names)
{
	size_t n = 0;
	to[0] = 0;
	for (size_t i = 0; names[i] && n < room; i++)
		n += (size_t)snprintf(to + n, room - n, "%s%s", i ? ", " : "", names[i]);
	return to;
}

/* --- scalars ------------------------------------------------------------------------------------------------------ */

static int read_name(struct schema_reader *r, const struct schema_field *f, const struct schema_node *n, int *ret)
{
	const char *near;
	char all[300];
	int at = schema_name_find(f->names, n->text, &near);
	if (at < 0 && near)
		schema_problem(r, n, NULL, false, "\"%.*s\" is unknown: did you mean \"%s\"? (one of %s)", SHOWN(n->text), near,
			       joined(all, sizeof all, f->names));
	else if (at < 0)
		schema_problem(r, n, NULL, false, "\"%.*s\" is unknown: write one of %s", SHOWN(n->text),
			       joined(all, sizeof all, f->names));
	*ret = at;
	return 0;
}

static void out_of_range(struct schema_reader *r, const struct schema_field *f, const struct schema_node *n)
{
	struct van_buf least = VAN_BUF_INIT(100), most = VAN_BUF_INIT(100);
	if (f->kind == SCHEMA_DURATION || f->kind == SCHEMA_DURATIONS) {
		schema_duration_print(&least, (van_time)f->min);
		schema_duration_print(&most, (van_time)f->max);
	} else if (f->kind == SCHEMA_SIZE) {
		schema_size_print(&least, f->min);
		schema_size_print(&most, f->max);
	} else {
		van_buf_printf(&least, "%" PRIu64, f->min);
		van_buf_printf(&most, "%" PRIu64, f->max);
	}
	schema_problem(r, n, NULL, false, "\"%.*s\" is out of range: from %.*s to %.*s%s%s", SHOWN(n->text),
		       SLICE_ARG(van_buf_slice(&least)), SLICE_ARG(van_buf_slice(&most)), f->word ? ", or " : "",
		       f->word ? f->word : "");
	van_buf_free(&least);
	van_buf_free(&most);
}

static bool in_range(const struct schema_field *f, uint64_t v)
{
	return !f->max || (v >= f->min && v <= f->max);
}

static void read_integer(struct schema_reader *r, const struct schema_field *f, const struct schema_node *n, uint64_t *to)
{
	unsigned long long v;
	if (f->word && slice_is(n->text, f->word))
		*to = 0;
	else if (!slice_u64(n->text, &v))
		schema_problem(r, n, NULL, false, "\"%.*s\" is not a whole number: write digits only%s%s", SHOWN(n->text),
			       f->word ? ", or " : "", f->word ? f->word : "");
	else if (!in_range(f, v))
		out_of_range(r, f, n);
	else
		*to = v;
}

static void read_bool(struct schema_reader *r, const struct schema_node *n, bool *to)
{
	if (slice_is(n->text, "true") || slice_is(n->text, "yes"))
		*to = true;
	else if (slice_is(n->text, "false") || slice_is(n->text, "no"))
		*to = false;
	else
		schema_problem(r, n, NULL, false, "\"%.*s\" is neither true nor false", SHOWN(n->text));
}

static void read_duration(struct schema_reader *r, const struct schema_field *f, const struct schema_node *n, van_time *to)
{
	van_time v;
	if (schema_duration_parse(n->text, &v) < 0)
		schema_problem(r, n, NULL, false, "\"%.*s\" is not a duration: write it like 90s, 15m, 2h or 7d", SHOWN(n->text));
	else if (!in_range(f, (uint64_t)v))
		out_of_range(r, f, n);
	else
		*to = v;
}

static void read_size(struct schema_reader *r, const struct schema_field *f, const struct schema_node *n, uint64_t *to)
{
	uint64_t v;
	if (schema_size_parse(n->text, &v) < 0)
		schema_problem(r, n, NULL, false, "\"%.*s\" is not a size: write it like 64KiB, 1GiB or unlimited", SHOWN(n->text));
	else if (!in_range(f, v))
		out_of_range(r, f, n);
	else
		*to = v;
}

static void read_time(struct schema_reader *r, const struct schema_node *n, van_time *to)
{
	van_time v;
	if (van_time_parse(n->text, &v) < 0 || v <= 0)
		schema_problem(r, n, NULL, false, "\"%.*s\" is not a time: write it like 2026-01-31 or 2026-01-31T12:00:00Z",
			       SHOWN(n->text));
	else
		*to = v;
}

static bool check_text(struct schema_reader *r, const struct schema_field *f, const struct schema_node *n, struct slice text)
{
	bool warning = false;
	const char *why = NULL;
	if (schema_is_control(text) && !(f->flags & SCHEMA_CONTROL)) {
		schema_problem(r, n, NULL, false, "control characters are not allowed in a value: remove them");
		return false;
	}
	if (text.n == 0 && (f->flags & (SCHEMA_NOT_EMPTY | SCHEMA_REQUIRED)))
		why = "must not be empty";
	else if (f->check)
		why = f->check(text, &warning);
	if (!why)
		return true;
	if (f->flags & SCHEMA_SECRET)
		schema_problem(r, n, NULL, warning, "%s", why);
	else
		schema_problem(r, n, NULL, warning, "\"%.*s\": %s", SHOWN(text), why);
	return warning;
}

static int read_text(struct schema_reader *r, const struct schema_field *f, const struct schema_node *n, struct slice *to)
{
	if (!check_text(r, f, n, n->text))
		return 0;
	*to = van_arena_slice(r->arena, n->text);
	return to->p ? 0 : VAN_ENOMEM;
}

static int read_path(struct schema_reader *r, const struct schema_field *f, const struct schema_node *n, struct slice *to)
{
	struct slice s = n->text;
	if (s.n == 0 || memchr(s.p, '\n', s.n)) {
		schema_problem(r, n, NULL, false, "must be a path");
		return 0;
	}
	if (!check_text(r, f, n, s))
		return 0;
	while (slice_starts(s, "./") && s.n > 2)
		s = slice_make(s.p + 2, s.n - 2);
	if (s.p[0] == '/') {
		*to = van_arena_slice(r->arena, s);
	} else if (r->folder.p) {
		const char *slash = slice_is(r->folder, "/") ? "" : "/";
		*to = van_arena_printf(r->arena, "%.*s%s%.*s", SLICE_ARG(r->folder), slash, SLICE_ARG(s));
	} else {
		schema_problem(r, n, NULL, false, "\"%.*s\" must be an absolute path here", SHOWN(s));
		return 0;
	}
	return to->p ? 0 : VAN_ENOMEM;
}

static int read_identity(struct schema_reader *r, const struct schema_field *f, const struct schema_node *n, struct slice *to)
{
	struct identity parts;
	const char *why;
	bool any = f->kind == SCHEMA_PARTY;
	if (any && slice_is(n->text, "*")) {
		*to = SLICE("*");
		return 0;
	}
	if (identity_parse(n->text, &parts, &why) < 0) {
		schema_problem(r, n, NULL, false, "\"%.*s\": %s%s", SHOWN(n->text), why, any ? "; or \"*\" for any" : "");
		return 0;
	}
	*to = identity_canonical(r->arena, n->text);
	return to->p ? 0 : VAN_ENOMEM;
}

static int read_scalar(struct schema_reader *r, const struct schema_field *f, const struct schema_node *n, void *to)
{
	if (n->kind != SCHEMA_NODE_SCALAR) {
		schema_problem(r, n, NULL, false, "must be one value, not %s", n->kind == SCHEMA_NODE_NULL   ? "empty"
									       : n->kind == SCHEMA_NODE_LIST ? "a list"
													     : "a map");
		return 0;
	}
	int at = -1;
	switch ((enum schema_kind)f->kind) {
	case SCHEMA_INTEGER: read_integer(r, f, n, to); return 0;
	case SCHEMA_BOOL: read_bool(r, n, to); return 0;
	case SCHEMA_DURATION:
	case SCHEMA_DURATIONS: read_duration(r, f, n, to); return 0;
	case SCHEMA_SIZE: read_size(r, f, n, to); return 0;
	case SCHEMA_TIME: read_time(r, n, to); return 0;
	case SCHEMA_ENUM:
		read_name(r, f, n, &at);
		if (at >= 0)
			*(uint32_t *)to = (uint32_t)at;
		return 0;
	case SCHEMA_SET:
		read_name(r, f, n, &at);
		if (at >= 0)
			*(uint64_t *)to |= UINT64_C(1) << at;
		return 0;
	case SCHEMA_PATH:
	case SCHEMA_PATHS: return read_path(r, f, n, to);
	case SCHEMA_IDENTITY:
	case SCHEMA_PARTY:
	case SCHEMA_IDENTITIES: return read_identity(r, f, n, to);
	default: return read_text(r, f, n, to);
	}
}

/* --- lists and objects ------------------------------------------------------------------------------------------------ */

static int read_object(struct schema_reader *r, const struct schema_table *t, const struct schema_node *n, void *object);

/* Room for the list's elements, and the size of each; SCHEMA_SET has none. */
static int list_room(struct schema_reader *r, const struct schema_field *f, size_t n, void *list, char **ret_v, size_t *ret_size)
{
	*ret_v = NULL;
	*ret_size = 0;
	if (f->kind == SCHEMA_SET || n == 0)
		return 0;
	*ret_size = f->kind == SCHEMA_MANY	  ? f->sub->size
		    : f->kind == SCHEMA_DURATIONS ? sizeof(van_time)
						  : sizeof(struct slice);
	*ret_v = van_arena_array(r->arena, n, *ret_size);
	if (!*ret_v)
		return VAN_ENOMEM;
	/* All list structs are a pointer and a count; write through the right type. */
	if (f->kind == SCHEMA_MANY)
		*(struct record_list *)list = (struct record_list){*ret_v, n};
	else if (f->kind == SCHEMA_DURATIONS)
		*(struct profile_durations *)list = (struct profile_durations){(van_time *)(void *)*ret_v, n};
	else
		*(struct slice_list *)list = (struct slice_list){(struct slice *)(void *)*ret_v, n};
	return 0;
}

static int read_list(struct schema_reader *r, const struct schema_field *f, const struct schema_node *n, void *to)
{
	char *v;
	size_t size, i = 0;
	if (n->kind != SCHEMA_NODE_LIST) {
		schema_problem(r, n, NULL, false, "must be a list: write [ ] around it, or one \"- \" line for each entry");
		return 0;
	}
	if (n->n == 0 && f->flags & SCHEMA_NOT_EMPTY)
		schema_problem(r, n, NULL, false, "needs at least one entry");
	if (f->kind == SCHEMA_MANY && f->max && n->n > f->max && !r->trusted)
		schema_problem(r, n, NULL, false, "has %zu entries, and may have %llu: leave out those that are over", n->n, (unsigned long long)f->max);
	int rc = list_room(r, f, n->n, to, &v, &size);
	for (const struct schema_node *c = n->first; c && rc == 0; c = c->next, i++) {
		size_t before = path_into(r, NULL, i);
		void *slot = v ? v + i * size : to;
		rc = f->kind == SCHEMA_MANY ? read_object(r, f->sub, c, slot) : read_scalar(r, f, c, slot);
		path_back(r, before);
	}
	return rc;
}

static int read_one(struct schema_reader *r, const struct schema_field *f, const struct schema_node *n, void **to)
{
	*to = van_arena_alloc(r->arena, f->sub->size);
	return *to ? read_object(r, f->sub, n, *to) : VAN_ENOMEM;
}

static int read_value(struct schema_reader *r, const struct schema_field *f, const struct schema_node *n, void *to)
{
	switch ((enum schema_kind)f->kind) {
	case SCHEMA_OBJECT: return read_object(r, f->sub, n, to);
	case SCHEMA_ONE: return read_one(r, f, n, to);
	case SCHEMA_SET:
	case SCHEMA_TEXTS:
	case SCHEMA_PATHS:
	case SCHEMA_IDENTITIES:
	case SCHEMA_DURATIONS:
	case SCHEMA_MANY: return read_list(r, f, n, to);
	default: return read_scalar(r, f, n, to);
	}
}

static bool is_list(const struct schema_field *f)
{
	return f->kind == SCHEMA_SET || (f->kind >= SCHEMA_TEXTS && f->kind <= SCHEMA_DURATIONS);
}

/* A list of the parts between commas. */
static int fallback_list(struct schema_reader *r, const struct schema_field *f, const struct schema_node *at, void *to)
{
	struct schema_node list = {.kind = SCHEMA_NODE_LIST, .line = at->line}, **tail = &list.first;
	struct slice rest = slice_str(f->fallback);
	while (rest.p && rest.n) {
		struct schema_node *n = van_arena_alloc(r->arena, sizeof *n);
		if (!n)
			return VAN_ENOMEM;
		*n = (struct schema_node){.kind = SCHEMA_NODE_SCALAR, .line = at->line, .text = slice_trim(slice_cut(&rest, ','))};
		*tail = n;
		tail = &n->next;
		list.n++;
	}
	return read_list(r, f, &list, to);
}

/* The field's default, for an object that does not have it. */
static int read_fallback(struct schema_reader *r, const struct schema_field *f, const struct schema_node *at, void *to)
{
	struct schema_node empty = {.kind = SCHEMA_NODE_MAP, .line = at->line};
	if (f->flags & SCHEMA_REQUIRED) {
		schema_problem(r, at, NULL, false, "missing: %s", f->help);
		return 0;
	}
	if (f->kind == SCHEMA_OBJECT || (f->kind == SCHEMA_ONE && f->flags & SCHEMA_ALWAYS))
		return read_value(r, f, &empty, to);
	if (!f->fallback)
		return 0;
	if (is_list(f))
		return fallback_list(r, f, at, to);
	struct schema_node n = {.kind = SCHEMA_NODE_SCALAR, .line = at->line, .text = slice_str(f->fallback)};
	return read_scalar(r, f, &n, to);
}

static const struct schema_field *find_field(const struct schema_table *t, struct slice key)
{
	for (const struct schema_field *f = t->fields; f->key; f++)
		if (slice_is(key, f->key))
			return f;
	return NULL;
}

/* Nearest key of the table; or a sub-table that has exactly this key. */
static void suggest(const struct schema_table *t, struct slice key, const char **ret_near, const char **ret_under)
{
	unsigned best = 0;
	*ret_near = *ret_under = NULL;
	for (const struct schema_field *f = t->fields; f->key; f++) {
		if (f->sub && find_field(f->sub, key))
			*ret_under = f->key;
		unsigned d = schema_distance(key, slice_str(f->key));
		if (!(f->flags & SCHEMA_DERIVED) && (!*ret_near || d < best)) {
			*ret_near = f->key;
			best = d;
		}
	}
	if (*ret_near && best > 1 + strlen(*ret_near) / 3)
		*ret_near = NULL;
}

static void unknown_key(struct schema_reader *r, const struct schema_table *t, const struct schema_node *c)
{
	const char *near, *under;
	if (r->errors && r->errors->n == PROFILE_PROBLEMS_MAX) {
		r->errors->errors++;
		return;
	}
	suggest(t, c->key, &near, &under);
	char all[400];
	size_t n = 0;
	for (const struct schema_field *f = t->fields; f->key && n < sizeof all; f++)
		if (!(f->flags & SCHEMA_DERIVED))
			n += (size_t)snprintf(all + n, sizeof all - n, "%s%s", n ? ", " : "", f->key);
	struct schema_node at = {.line = c->key_line};
	if (near)
		schema_problem(r, &at, NULL, false, "unknown key \"%.*s\": did you mean \"%s\"?", SHOWN(c->key), near);
	else if (under)
		schema_problem(r, &at, NULL, false, "unknown key \"%.*s\": it belongs under \"%s\"", SHOWN(c->key), under);
	else
		schema_problem(r, &at, NULL, false, "unknown key \"%.*s\": known here are %s", SHOWN(c->key), all);
}

/* A key of another `select` value: say which. */
static void misplaced_key(struct schema_reader *r, const struct schema_table *t, const struct schema_field *f, const void *object,
			  const struct schema_node *c)
{
	const struct schema_field *s = find_field(t, slice_str(t->select));
	uint32_t is = *(const uint32_t *)(const void *)((const char *)object + s->offset), belongs = 0;
	while (belongs < 31 && !(f->only & (UINT32_C(1) << belongs)))
		belongs++;
	struct schema_node at = {.line = c->key_line};
	schema_problem(r, &at, NULL, false, "belongs to %s %s, and this is %s: remove it", t->select, s->names[belongs],
		       s->names[is]);
}

/* Reports unknown, repeated and misplaced keys; marks the field's node in `found`. */
static void sort_keys(struct schema_reader *r, const struct schema_table *t, const struct schema_node *n, const void *object,
		      const struct schema_node **found)
{
	for (const struct schema_node *c = n->first; c; c = c->next) {
		const struct schema_field *f = find_field(t, c->key);
		if (!f) {
			unknown_key(r, t, c);
			continue;
		}
		size_t before = path_into(r, f->key, 0);
		struct schema_node at = {.line = c->key_line};
		if (found[f - t->fields])
			schema_problem(r, &at, NULL, false, "stands twice (first on line %u): remove one", found[f - t->fields]->key_line);
		else if (!schema_applies(t, f, object))
			misplaced_key(r, t, f, object, c);
		else
			found[f - t->fields] = c;
		path_back(r, before);
	}
}

static int read_field(struct schema_reader *r, const struct schema_field *f, const struct schema_node *parent,
		      const struct schema_node *n, void *object)
{
	size_t before = path_into(r, f->key, 0);
	int rc = n && n->kind != SCHEMA_NODE_NULL ? read_value(r, f, n, member(object, f))
						  : read_fallback(r, f, n ? n : parent, member(object, f));
	path_back(r, before);
	return rc;
}

#define FIELDS_MAX 48

static int read_map(struct schema_reader *r, const struct schema_table *t, const struct schema_node *n, void *object)
{
	const struct schema_node *found[FIELDS_MAX] = {NULL};
	const struct schema_field *select = t->select ? find_field(t, slice_str(t->select)) : NULL;
	size_t errors = r->errors->errors;
	int rc = 0;
	if (select) {
		rc = read_field(r, select, n, schema_node_get(n, t->select), object);
		if (rc < 0 || r->errors->errors > errors)
			return rc; /* which keys belong here is not known */
	}
	sort_keys(r, t, n, object, found);
	for (const struct schema_field *f = t->fields; f->key && rc == 0; f++)
		if (f != select && schema_applies(t, f, object))
			rc = read_field(r, f, n, found[f - t->fields], object);
	if (rc == 0 && t->finish && r->errors->errors == errors)
		rc = t->finish(r, n, object);
	return rc;
}

static int read_object(struct schema_reader *r, const struct schema_table *t, const struct schema_node *n, void *object)
{
	if (n->kind == SCHEMA_NODE_MAP)
		return read_map(r, t, n, object);
	if (n->kind == SCHEMA_NODE_SCALAR && t->shorthand) {
		struct schema_node value = *n;
		value.key = slice_str(t->shorthand);
		value.key_line = n->line;
		value.next = NULL;
		struct schema_node map = {.kind = SCHEMA_NODE_MAP, .line = n->line, .first = &value, .n = 1};
		return read_map(r, t, &map, object);
	}
	schema_problem(r, n, NULL, false, "must be a map of keys and values%s", t->shorthand ? ", or one value" : "");
	return 0;
}

int schema_read(struct schema_reader *r, const struct schema_table *t, const struct schema_node *n, void *object)
{
	struct profile_errors local = {0}, *given = r->errors;
	if (!given)
		r->errors = &local;
	size_t errors = r->errors->errors;
	int rc = read_object(r, t, n, object);
	if (rc == 0 && r->errors->errors > errors)
		rc = VAN_EINVAL;
	if (r->errors->out_of_memory)
		rc = VAN_ENOMEM;
	profile_errors_free(&local);
	r->errors = given;
	return rc;
}
