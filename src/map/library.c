/* Texts of sheets, compiled on demand: tables once for all, each map in a set of its own. */
#include "map/library.h"

#include "map/flat.h"

#include "map/folder.h"
#include "map/rows.h"
#include "map/rules.h"
#include "map/table.h"

#include <stdlib.h>

#define RULES_MEMORY ((size_t)64 << 20)

struct entry {
	struct map_sheet sheet; /* name and text are ours */
	struct map_set *set;    /* of a map, compiled; NULL: not yet, or in error */
	struct van_arena *arena; /* of rules, compiled; NULL: not yet, or in error */
	const struct map_rules *rules;
	struct van_error error;
};

struct map_library {
	struct entry *v; /* sorted by name, then version */
	size_t n;
	struct map_set *tables; /* NULL: not compiled yet */
	struct map_table_scope scope;
	char partner[128];      /* of the scope */
	struct edi_dictionary_set *dictionaries;
	size_t tables_memory, remember;
};

static bool is_table(struct slice name)
{
	return slice_starts(name, "table-");
}

static bool is_rules(struct slice name)
{
	return slice_starts(name, "rules-");
}

static bool is_map(const struct map_sheet *s)
{
	return !is_table(s->name) && !is_rules(s->name);
}

static int by_name(const void *a, const void *b)
{
	const struct map_sheet *x = &((const struct entry *)a)->sheet, *y = &((const struct entry *)b)->sheet;
	int c = slice_cmp(x->name, y->name);
	return c ? c : (x->version > y->version) - (x->version < y->version);
}

static void entry_free(struct entry *e)
{
	map_set_free(e->set);
	van_arena_free(e->arena);
	free((char *)e->sheet.name.p);
	free((char *)e->sheet.text.p);
}

static void entries_free(struct entry *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		entry_free(&v[i]);
	free(v);
}

static bool copy(struct slice *s)
{
	char *p = malloc(s->n + 1);
	if (!p)
		return false;
	memcpy(p, s->p, s->n);
	p[s->n] = 0;
	s->p = p;
	return true;
}

static int entry_fill(struct entry *to, const struct map_sheet *from)
{
	*to = (struct entry){.sheet = *from};
	if (!copy(&to->sheet.name))
		return VAN_ENOMEM;
	if (copy(&to->sheet.text))
		return 0;
	free((char *)to->sheet.name.p);
	return VAN_ENOMEM;
}

static int add_shipped(void *arg, struct slice name, const char *path, struct slice text, struct van_error *e)
{
	struct map_library *l = arg;
	struct map_sheet s = {.name = slice_make(name.p, name.n - 4), .active = true, .text = text};
	struct entry *v = realloc(l->v, (l->n + 1) * sizeof *v);
	(void)path;
	if (v)
		l->v = v;
	if (!v || entry_fill(&v[l->n], &s) < 0)
		return van_error_set(e, VAN_ENOMEM, "no memory for the maps");
	l->n++;
	return 0;
}

void map_library_bounds(struct map_library *l, size_t tables, size_t remember)
{
	l->tables_memory = tables;
	l->remember = remember;
	for (size_t i = 0; i < l->n; i++)
		if (l->v[i].set)
			map_set_remember(l->v[i].set, remember);
}

void map_library_free(struct map_library *l)
{
	if (!l)
		return;
	entries_free(l->v, l->n);
	map_set_free(l->tables);
	free(l);
}

/* --- compiling --------------------------------------------------------------------------------------------------------------- */

static void forget_compiled(struct map_library *l)
{
	for (size_t i = 0; i < l->n; i++) {
		map_set_free(l->v[i].set);
		l->v[i].set = NULL;
		van_arena_free(l->v[i].arena);
		l->v[i].arena = NULL;
		l->v[i].error = (struct van_error){0};
	}
	map_set_free(l->tables);
	l->tables = NULL;
}

/* The folder's tables come first: what is added later stands before them. One in error is left out. */
static int compile_tables(struct map_library *l, struct van_error *e)
{
	struct map_set *set = NULL;
	if (l->tables)
		return 0;
	int rc = map_set_of(NULL, l->tables_memory, &set, e);
	if (rc == 0)
		map_set_scope(set, &l->scope);
	for (size_t i = 0; rc == 0 && i < l->n; i++) {
		struct entry *t = &l->v[i];
		bool in = is_table(t->sheet.name) && (t->sheet.active || t->sheet.version == MAP_VERSION_SHIPPED);
		if (in && map_set_add(set, t->sheet.name, t->sheet.text, &t->error) == VAN_ENOMEM)
			rc = van_error_set(e, VAN_ELIMIT, "the tables need more than %zu MiB of memory, as far as %.*s: drop rows, or raise translation.tables in vand.yaml",
					   l->tables_memory >> 20, SLICE_ARG(t->sheet.name));
	}
	if (rc < 0) {
		map_set_free(set);
		return rc;
	}
	l->tables = set;
	return 0;
}

int map_library_compile(struct map_library *l, struct slice name, struct slice text, struct map_set **ret_set, struct van_error *e)
{
	struct map_set *set;
	int rc = compile_tables(l, e);
	if (rc == 0)
		rc = map_set_new(l->tables, &set, e);
	if (rc < 0)
		return rc;
	map_set_dictionaries(set, l->dictionaries);
	map_set_remember(set, l->remember);
	if (is_rules(name)) {
		const struct map_rules *rules;
		rc = map_rules_compile(set->arena, name, text, &rules, e);
	} else {
		rc = map_set_add(set, name, text, e);
	}
	if (rc == 0)
		rc = map_set_link(set, e);
	if (rc < 0)
		map_set_free(set);
	else
		*ret_set = set;
	return rc;
}

/* NULL: it is in error, and m->error says how. */
static const struct map_set *compiled(struct map_library *l, struct entry *m)
{
	if (!m->set && !m->error.code)
		map_library_compile(l, m->sheet.name, m->sheet.text, &m->set, &m->error);
	return m->set;
}

void map_library_dictionaries(struct map_library *l, struct edi_dictionary_set *dictionaries)
{
	l->dictionaries = dictionaries;
	for (size_t i = 0; i < l->n; i++)
		if (l->v[i].set)
			map_set_dictionaries(l->v[i].set, dictionaries);
}

static int compile_rules(struct entry *k)
{
	if (k->arena || k->error.code)
		return k->error.code;
	struct van_arena *a = van_arena_new(RULES_MEMORY);
	int rc = a ? map_rules_compile(a, k->sheet.name, k->sheet.text, &k->rules, &k->error)
		   : van_error_set(&k->error, VAN_ENOMEM, "no memory for the rules");
	if (rc == 0)
		k->arena = a;
	else
		van_arena_free(a);
	return rc;
}

/* --- what is in it ------------------------------------------------------------------------------------------------------------ */

int map_library_open(const char *path, struct map_library **ret, struct van_error *e)
{
	struct map_library *l = calloc(1, sizeof *l);
	if (!l)
		return van_error_set(e, VAN_ENOMEM, "no memory for the maps");
	map_library_bounds(l, MAP_TABLES_MEMORY, MAP_REMEMBER);
	int rc = map_folder_each(path, add_shipped, l, e);
	if (rc == 0)
		qsort(l->v, l->n, sizeof *l->v, by_name);
	if (rc == 0)
		rc = compile_tables(l, e);
	for (size_t i = 0; rc == 0 && i < l->n; i++) {
		if (is_rules(l->v[i].sheet.name))
			compile_rules(&l->v[i]);
		else if (!is_table(l->v[i].sheet.name))
			compiled(l, &l->v[i]);
		rc = l->v[i].error.code;
		if (rc < 0 && e)
			*e = l->v[i].error;
	}
	if (rc < 0)
		map_library_free(l);
	else
		*ret = l;
	return rc;
}

/* Which of a name's sheets is active: the last one marked so, else the folder's. */
static void settle_active(struct map_library *l)
{
	for (size_t i = 0, first = 0; i < l->n; i++) {
		if (!slice_eq(l->v[i].sheet.name, l->v[first].sheet.name))
			first = i;
		if (l->v[i].sheet.version == MAP_VERSION_SHIPPED)
			l->v[i].sheet.active = true;
		else if (l->v[i].sheet.active && i != first && l->v[first].sheet.version == MAP_VERSION_SHIPPED)
			l->v[first].sheet.active = false;
	}
}

int map_library_set(struct map_library *l, const struct map_sheet *v, size_t n, struct van_error *e)
{
	struct entry *all = calloc(l->n + n + 1, sizeof *all);
	size_t count = 0;
	for (size_t i = 0; all && i < n; i++, count++)
		if (entry_fill(&all[count], &v[i]) < 0) {
			entries_free(all, count);
			all = NULL;
		}
	if (!all)
		return van_error_set(e, VAN_ENOMEM, "no memory for the maps");
	forget_compiled(l);
	for (size_t i = 0; i < l->n; i++) {
		if (l->v[i].sheet.version == MAP_VERSION_SHIPPED)
			all[count++] = l->v[i];
		else
			entry_free(&l->v[i]);
	}
	free(l->v);
	l->v = all;
	l->n = count;
	qsort(l->v, l->n, sizeof *l->v, by_name);
	settle_active(l);
	return 0;
}

static int found(const struct map *m, const struct entry *in, const struct map **ret, const struct map_sheet **ret_sheet)
{
	*ret = m;
	if (ret_sheet)
		*ret_sheet = &in->sheet;
	return 0;
}

static int not_found(struct slice name, uint64_t version, struct van_error *e)
{
	if (version == MAP_VERSION_ACTIVE)
		return van_error_set(e, VAN_ENOTFOUND, "there is no active map %.*s; vanctl map list shows them", SLICE_ARG(name));
	return van_error_set(e, VAN_ENOTFOUND, "no sheet with the map %.*s has a version %llu; vanctl map list --versions shows them",
		SLICE_ARG(name), (unsigned long long)version);
}

int map_library_find(struct map_library *l, struct slice name, uint64_t version, const struct map **ret,
	const struct map_sheet **ret_sheet, struct van_error *e)
{
	const struct entry *broken = NULL;
	for (size_t i = 0; i < l->n; i++) {
		struct entry *k = &l->v[i];
		if (!is_map(&k->sheet) || (version == MAP_VERSION_ACTIVE ? !k->sheet.active : k->sheet.version != version))
			continue;
		const struct map *m = compiled(l, k) ? map_find(k->set, name) : NULL;
		if (m)
			return found(m, k, ret, ret_sheet);
		if (!k->set)
			broken = k;
	}
	if (broken && e)
		*e = broken->error; /* the map is of that sheet, as far as can be told */
	return broken ? broken->error.code : not_found(name, version, e);
}

static const struct flat_sheet *flat_of(const struct map_set *set, struct slice name, struct slice document)
{
	return !set ? NULL : name.p ? flat_find(set, name) : flat_find_out(set, document);
}

int map_library_flat(struct map_library *l, struct slice name, struct slice document, uint64_t version, const struct flat_sheet **ret,
	const struct map_sheet **ret_sheet, struct van_error *e)
{
	int count = 0;
	for (size_t i = 0; i < l->n; i++) {
		struct entry *k = &l->v[i];
		bool wanted = !name.p || slice_eq(k->sheet.name, name);
		if (!wanted || !is_map(&k->sheet) || (version == MAP_VERSION_ACTIVE ? !k->sheet.active : k->sheet.version != version))
			continue;
		const struct flat_sheet *f = flat_of(compiled(l, k), name, document);
		if (!f && !k->set && name.p) {
			*e = k->error;
			return k->error.code;
		}
		if (!f)
			continue;
		count++;
		*ret = f;
		if (ret_sheet)
			*ret_sheet = &k->sheet;
	}
	if (count == 1)
		return 0;
	if (name.p)
		return van_error_set(e, VAN_ENOTFOUND, "there is no active flat sheet %.*s (or no such version of it); vanctl map list shows them", SLICE_ARG(name));
	return van_error_set(e, VAN_ENOTFOUND, "%s flat sheet writes %.*s: name one of vanctl map list in output.sheet", count ? "more than one" : "no",
		SLICE_ARG(document));
}

/* Sheets that are named after what they are for come before those with names of their own. */
static int find_for(struct map_library *l, const char *standard, struct slice type, struct slice version, bool own_names,
	const struct map **ret, const struct map_sheet **ret_sheet)
{
	const struct map *m;
	int count = 0;
	for (size_t i = 0; i < l->n; i++) {
		struct entry *k = &l->v[i];
		if (!k->sheet.active || !is_map(&k->sheet) || slice_starts(k->sheet.name, standard) == own_names || !compiled(l, k))
			continue;
		if ((m = map_find_for(k->set, standard, type, version)))
			count += 1 + found(m, k, ret, ret_sheet);
	}
	return count;
}

int map_library_find_for(struct map_library *l, const char *standard, struct slice type, struct slice version, const struct map **ret,
	const struct map_sheet **ret_sheet, struct van_error *e)
{
	int count = find_for(l, standard, type, version, false, ret, ret_sheet);
	if (!count)
		count = find_for(l, standard, type, version, true, ret, ret_sheet);
	if (count == 1)
		return 0;
	return van_error_set(e, VAN_ENOTFOUND, count ? "several maps take %.*s %.*s: name one of vanctl map list in output.map"
						       : "no map takes %.*s %.*s: name one of vanctl map list in output.map",
		SLICE_ARG(type), SLICE_ARG(version));
}

void map_library_scope(struct map_library *l, struct slice partner, van_time now)
{
	char time[VAN_TIME_TEXT];
	l->scope = (struct map_table_scope){0};
	if (partner.p && partner.n < sizeof l->partner) {
		memcpy(l->partner, partner.p, partner.n);
		l->scope.partner = slice_make(l->partner, partner.n);
	}
	if (now)
		memcpy(l->scope.day, van_time_rfc3339(time, now), 10);
}

/* --- rules and tables -------------------------------------------------------------------------------------------------------- */

int map_library_rules(struct map_library *l, struct slice name, const struct map_rules **ret, const struct map_sheet **ret_sheet,
	struct van_error *e)
{
	for (size_t i = 0; i < l->n; i++) {
		struct entry *k = &l->v[i];
		struct slice plain = k->sheet.name;
		if (!k->sheet.active || !is_rules(plain))
			continue;
		plain = slice_make(plain.p + 6, plain.n - 6);
		if (!slice_eq(plain, name) && !slice_eq(k->sheet.name, name))
			continue;
		int rc = compile_rules(k);
		if (rc < 0 && e)
			*e = k->error;
		*ret = k->rules;
		if (ret_sheet)
			*ret_sheet = &k->sheet;
		return rc;
	}
	return van_error_set(e, VAN_ENOTFOUND, "there is no active sheet of rules %.*s; vanctl map list shows them", SLICE_ARG(name));
}

int map_library_look_up(void *library, struct slice table, struct slice value, struct slice *ret, struct van_error *e)
{
	struct map_library *l = library;
	int rc = compile_tables(l, e);
	if (rc < 0)
		return rc;
	for (const struct map_table *t = l->tables->tables; t; t = t->next)
		if (slice_eq(t->name, table))
			return map_table_in(t, value, ret);
	return van_error_set(e, VAN_ENOTFOUND, "there is no table %.*s; add table-%.*s.csv, or vanctl table import it", SLICE_ARG(table), SLICE_ARG(table));
}

int map_library_each(const struct map_library *l, int (*fn)(void *arg, const struct map_sheet *s), void *arg)
{
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < l->n; i++)
		rc = fn(arg, &l->v[i].sheet);
	return rc;
}
