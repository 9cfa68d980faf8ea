/* Profiles from files and from JSON, and back. */
#include "base/error.h"
#include "partner/profile_private.h"

#include <stdio.h>
#include <stdlib.h>

#define PROFILE_ARENA_MAX ((size_t)64 << 20)
#define PROFILES_MAX 200000

void profile_free(struct profile *p)
{
	if (!p)
		return;
	struct van_arena *a = p->arena;
	van_arena_free(a); /* p itself lies in it */
}

void profile_set_free(struct profile_set *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->n; i++)
		profile_free(s->v[i]);
	free(s->v);
	free(s);
}

static int set_add(struct profile_set *s, struct profile *p)
{
	if (s->n == PROFILES_MAX)
		return VAN_ELIMIT;
	if ((s->n & (s->n + 1)) == 0) { /* grows by doubling */
		struct profile **v = realloc(s->v, (s->n * 2 + 2) * sizeof *v);
		if (!v)
			return VAN_ENOMEM;
		s->v = v;
	}
	s->v[s->n++] = p;
	return 0;
}

/* The kind says which table the document follows. */
static int kind_of(struct schema_reader *r, const struct schema_node *n, int *ret)
{
	const struct schema_node *kind = schema_node_get(n, "kind");
	const char *near = NULL;
	*ret = -1;
	if (n->kind != SCHEMA_NODE_MAP)
		schema_problem(r, n, NULL, false, "a profile is a map of keys and values that begins with kind: station, partner or agreement");
	else if (!kind || kind->kind != SCHEMA_NODE_SCALAR)
		schema_problem(r, n, "kind", false, "missing: write kind: station, partner or agreement");
	else if ((*ret = schema_name_find(profile_kind_names, kind->text, &near)) < 0)
		schema_problem(r, n, "kind", false, "\"%.40s\" is unknown: %s%s%s", kind->text.p, near ? "did you mean \"" : "write ",
			       near ? near : "station, partner or agreement", near ? "\"?" : "");
	return *ret < 0 ? VAN_EINVAL : 0;
}

static struct slice id_of(const struct profile *p)
{
	return p->kind == PROFILE_STATION ? p->station->id : p->kind == PROFILE_PARTNER ? p->partner->id : p->agreement->id;
}

/* Reads a document into a new profile in r->arena, which the profile owns on success. */
static int read_profile(struct schema_reader *r, const struct schema_node *n, struct profile **ret)
{
	int kind;
	int rc = kind_of(r, n, &kind);
	if (rc < 0)
		return rc;
	struct profile *p = van_arena_alloc(r->arena, sizeof *p);
	void *object = van_arena_alloc(r->arena, profile_tables[kind]->size);
	if (!p || !object)
		return VAN_ENOMEM;
	p->kind = (enum profile_kind)kind;
	p->arena = r->arena;
	switch (p->kind) {
	case PROFILE_STATION: p->station = object; break;
	case PROFILE_PARTNER: p->partner = object; break;
	case PROFILE_AGREEMENT: p->agreement = object; break;
	}
	rc = schema_read(r, profile_tables[kind], n, object);
	if (rc < 0)
		return rc;
	p->id = id_of(p);
	*ret = p;
	return 0;
}

/* One document of a file. VAN_EINVAL is reported and lets the others be read. 0 at the end of the text. */
static int load_document(struct schema_yaml *y, const char *file, struct slice folder, struct profile_set *set,
			 struct profile_errors *errors)
{
	struct van_arena *a = van_arena_new(PROFILE_ARENA_MAX);
	struct schema_node *root;
	struct profile *p = NULL;
	if (!a)
		return VAN_ENOMEM;
	int rc = schema_yaml_next(y, a, errors, &root);
	if (rc <= 0) {
		van_arena_free(a);
		return rc;
	}
	struct schema_reader r = {.arena = a, .errors = errors, .file = file, .folder = folder};
	rc = read_profile(&r, root, &p);
	if (rc == 0) {
		p->source = root;
		p->file = van_arena_str(a, slice_str(file));
		rc = p->file ? set_add(set, p) : VAN_ENOMEM;
	}
	if (rc == VAN_ELIMIT)
		profile_errors_add(errors, false, file, root->line, "", "more than %d profiles at once: apply them in parts", PROFILES_MAX);
	if (rc < 0)
		van_arena_free(a);
	return rc == 0 || rc == VAN_EINVAL ? 1 : rc;
}

static int load_text(struct slice text, const char *file, struct profile_set *set, struct profile_errors *errors)
{
	struct van_arena *scratch = van_arena_new(0);
	struct schema_yaml *y = schema_yaml_new(text, file, SCHEMA_BOUNDS_DEFAULT);
	struct slice folder = scratch ? profile_folder_of(scratch, file) : SLICE_NONE;
	size_t before = set->n, errors_before = errors->errors;
	int rc = y && folder.p ? 1 : VAN_ENOMEM;
	while (rc > 0)
		rc = load_document(y, file, folder, set, errors);
	if (rc == 0 && set->n == before && errors->errors == errors_before)
		profile_errors_add(errors, true, file, 0, "", "holds no profile");
	schema_yaml_free(y);
	van_arena_free(scratch);
	return rc;
}

struct place {
	const struct profile *p;
	size_t at;
};

static int by_kind_and_id(const void *a, const void *b)
{
	const struct place *x = a, *y = b;
	if (x->p->kind != y->p->kind)
		return x->p->kind < y->p->kind ? -1 : 1;
	int c = slice_cmp(x->p->id, y->p->id);
	return c ? c : x->at < y->at ? -1 : 1;
}

/* The same profile twice in one set: which would win? */
static int check_repeated(const struct profile_set *s, struct profile_errors *errors)
{
	struct place *sorted = calloc(s->n + 1, sizeof *sorted);
	if (!sorted)
		return VAN_ENOMEM;
	for (size_t i = 0; i < s->n; i++)
		sorted[i] = (struct place){s->v[i], i};
	qsort(sorted, s->n, sizeof *sorted, by_kind_and_id);
	for (size_t i = 1; i < s->n; i++) {
		const struct profile *a = sorted[i].p, *b = sorted[i - 1].p;
		if (a->kind == b->kind && slice_eq(a->id, b->id))
			profile_errors_add(errors, false, a->file, profile_line(a, "id"), "id",
					   "%s \"%.*s\" stands twice, first in %s line %u: remove one", profile_kind_names[a->kind],
					   SLICE_ARG(a->id), b->file ? b->file : "the request", profile_line(b, "id"));
	}
	free(sorted);
	return 0;
}

/* Lets the caller go without a list of problems. */
struct problems {
	struct profile_errors *errors, own;
	size_t before;
};

static void problems_start(struct problems *p, struct profile_errors *errors)
{
	p->own = (struct profile_errors){0};
	p->errors = errors ? errors : &p->own;
	p->before = p->errors->errors;
}

static int finish_set(int rc, struct profile_set *s, struct profile_set **ret, struct problems *problems)
{
	struct profile_errors *errors = problems->errors;
	if (rc != VAN_ENOMEM && check_repeated(s, errors) < 0)
		rc = VAN_ENOMEM;
	if (errors->out_of_memory || rc == VAN_ENOMEM)
		rc = VAN_ENOMEM;
	else if (rc < 0 || errors->errors > problems->before)
		rc = VAN_EINVAL;
	profile_errors_free(&problems->own);
	if (rc < 0)
		profile_set_free(s);
	else
		*ret = s;
	return rc;
}

int profile_text_load(struct slice text, const char *file, struct profile_set **ret, struct profile_errors *errors)
{
	struct profile_set *s = calloc(1, sizeof *s);
	struct problems p;
	if (!s)
		return VAN_ENOMEM;
	problems_start(&p, errors);
	return finish_set(load_text(text, file, s, p.errors), s, ret, &p);
}

static int load_file(const char *path, struct profile_set *set, struct profile_errors *errors)
{
	struct van_buf text;
	struct schema_reader r = {.errors = errors}; /* the text names the file */
	int rc = profile_read_file(&r, NULL, NULL, slice_str(path), SCHEMA_BOUNDS_DEFAULT.bytes, &text);
	if (rc < 0)
		return rc == VAN_ENOMEM ? rc : VAN_EIO;
	rc = load_text(van_buf_slice(&text), path, set, errors);
	van_buf_free(&text);
	return rc;
}

int profile_files_load(const char *const *paths, size_t n, struct profile_set **ret, struct profile_errors *errors)
{
	struct profile_set *s = calloc(1, sizeof *s);
	struct problems p;
	int rc = 0;
	bool unread = false;
	if (!s)
		return VAN_ENOMEM;
	problems_start(&p, errors);
	/* A bad file does not hide what is wrong in the next. */
	for (size_t i = 0; i < n && rc != VAN_ENOMEM; i++) {
		rc = load_file(paths[i], s, p.errors);
		unread |= rc == VAN_EIO;
	}
	rc = finish_set(rc, s, ret, &p);
	return rc == VAN_EINVAL && unread ? VAN_EIO : rc;
}

static const void *object_of(const struct profile *p)
{
	switch (p->kind) {
	case PROFILE_STATION: return p->station;
	case PROFILE_PARTNER: return p->partner;
	default: return p->agreement;
	}
}

int profile_to_json(const struct profile *p, struct van_buf *to)
{
	return schema_to_json(profile_tables[p->kind], object_of(p), to);
}

int profile_set_to_json(const struct profile_set *s, struct van_buf *to)
{
	van_buf_append_char(to, '[');
	for (size_t i = 0; i < s->n; i++) {
		if (i)
			van_buf_append_char(to, ',');
		profile_to_json(s->v[i], to);
	}
	return van_buf_append_char(to, ']');
}

int profile_to_yaml(const struct profile *p, struct van_buf *to)
{
	return schema_to_yaml(profile_tables[p->kind], object_of(p), 0, to);
}

/* `index` names the place in an array, SIZE_MAX: the text is one profile. */
static int from_node(const struct schema_node *n, size_t index, bool trusted, struct profile **ret, struct profile_errors *errors)
{
	struct schema_reader r = {.arena = van_arena_new(PROFILE_ARENA_MAX), .errors = errors, .trusted = trusted};
	if (!r.arena)
		return VAN_ENOMEM;
	if (index != SIZE_MAX)
		r.path_n = (size_t)snprintf(r.path, sizeof r.path, "[%zu]", index);
	int rc = read_profile(&r, n, ret);
	if (rc < 0)
		van_arena_free(r.arena);
	return rc;
}

static int parse_json(struct slice json, struct van_arena **ret_scratch, struct schema_node **ret, struct profile_errors *errors)
{
	struct van_arena *a = van_arena_new((size_t)1 << 30);
	if (!a)
		return VAN_ENOMEM;
	int rc = schema_json_parse(json, SCHEMA_BOUNDS_DEFAULT, a, errors, ret);
	if (rc < 0)
		van_arena_free(a);
	else
		*ret_scratch = a;
	return rc < 0 && rc != VAN_ENOMEM ? VAN_EINVAL : rc;
}

static int from_json(struct slice json, bool trusted, struct profile **ret, struct profile_errors *errors)
{
	struct van_arena *scratch;
	struct schema_node *n;
	int rc = parse_json(json, &scratch, &n, errors);
	if (rc < 0)
		return rc;
	rc = from_node(n, SIZE_MAX, trusted, ret, errors);
	van_arena_free(scratch);
	return rc;
}

int profile_from_json(struct slice json, struct profile **ret, struct profile_errors *errors)
{
	return from_json(json, false, ret, errors);
}

int profile_from_stored(struct slice json, struct profile **ret, struct profile_errors *errors)
{
	return from_json(json, true, ret, errors);
}

int profile_set_from_json(struct slice json, struct profile_set **ret, struct profile_errors *errors)
{
	struct van_arena *scratch;
	struct schema_node *n;
	struct problems problems;
	size_t i = 0;
	int rc = parse_json(json, &scratch, &n, errors);
	if (rc < 0)
		return rc;
	struct profile_set *s = calloc(1, sizeof *s);
	if (!s) {
		van_arena_free(scratch);
		return VAN_ENOMEM;
	}
	problems_start(&problems, errors);
	struct schema_node one = {.kind = SCHEMA_NODE_LIST, .first = n};
	const struct schema_node *list = n->kind == SCHEMA_NODE_LIST ? n : &one;
	for (const struct schema_node *c = list->first; c && rc != VAN_ENOMEM; c = c->next, i++) {
		struct profile *p;
		rc = from_node(c, list == n ? i : SIZE_MAX, false, &p, problems.errors);
		if (rc == 0 && set_add(s, p) < 0) {
			profile_free(p);
			rc = VAN_ENOMEM;
		}
	}
	van_arena_free(scratch);
	return finish_set(rc, s, ret, &problems);
}

unsigned profile_line(const struct profile *p, const char *field)
{
	const struct schema_node *n = schema_node_find(p->source, field, NULL);
	return n ? n->line : 0;
}

bool profile_set_locate(const struct profile_set *s, const char *kind, const char *id, const char *field, const char **ret_file,
			unsigned *ret_line)
{
	for (size_t i = 0; i < s->n; i++) {
		const struct profile *p = s->v[i];
		if (!p || !p->file || strcmp(profile_kind_names[p->kind], kind) != 0 || !slice_is(p->id, id))
			continue;
		*ret_file = p->file;
		*ret_line = profile_line(p, field);
		return true;
	}
	return false;
}

int profile_reference(struct van_buf *to)
{
	const struct schema_table *done[32] = {NULL};
	van_buf_append_str(to,
			   "# Profiles: all keys\n\n"
			   "Made from the program's own table of keys; do not edit by hand.\n\n"
			   "Every file is YAML, and JSON, being YAML, is accepted; several documents may stand in one file. The first key of\n"
			   "a document, `kind`, says what it describes: a [station](#station), a [partner](#partner) or an "
			   "[agreement](#agreement).\n\n"
			   "- **duration**: `90s`, `15m`, `2h`, `7d`, and sums as `1h30m`\n"
			   "- **size**: `64KiB`, `1GiB`, `500MB`, a number of bytes, or `unlimited`\n"
			   "- **time**: RFC 3339 as `2026-01-31T12:00:00Z`, or a date, which is its midnight in UTC\n"
			   "- **path**: relative ones start at the file's own folder\n"
			   "- **identity**: `x12 QUALIFIER:ID`, `edifact QUALIFIER:ID` or `edifact QUALIFIER:ID:SUB`, without padding\n\n"
			   "Unknown keys are errors. YAML aliases and tags are not used. `vanctl partner apply` reads the files; the store\n"
			   "keeps what was applied, with certificates embedded, as a new version.\n");
	for (size_t i = 0; i < 3; i++)
		schema_reference(profile_tables[i], done, sizeof done / sizeof *done, to);
	return to->error;
}
