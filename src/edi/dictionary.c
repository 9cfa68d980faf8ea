/* Dictionary sets: folders of files, found by their names and read when they are needed.
 *
 * A file's name tells what it holds: x12-004010.dict what all messages of the version share, x12-004010-850.dict one message,
 * x12-codes.dict and x12-envelope.dict what is explained to people. A name without version (x12-ours.dict) is read
 * for every message of its standard. */
#include "edi/definition.h"

#include "base/buf.h"
#include "base/datafolder.h"
#include "base/fdio.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#define SET_MEMORY ((size_t)512 << 20) /* hundreds of imported ones, all at once: only dict list has them so */
#define FILE_MEMORY ((size_t)16 << 20)
#define LONGEST_CHAIN 8 /* of `extends` */
#define FOUND_BUCKETS 64

enum file_kind { FILE_SHARED, FILE_MESSAGE, FILE_LOOSE, FILE_EXPLAINS };

struct edi_dictionary_file {
	struct edi_dictionary_file *next; /* searched in this order */
	char *path;
	unsigned folder;                  /* 0: the first that was listed */
	enum edi_standard standard;
	enum file_kind kind;
	struct slice version, type;       /* as in the name; without ':' */
	struct van_buf text;
	bool has_text, linked;            /* linked: with what it extends */
	struct edi_dictionary *dictionary; /* NULL: not loaded */
	struct van_error *error;           /* loading failed: the same answer whoever asks again */
};

struct found {
	struct found *next;
	enum edi_standard standard;
	struct slice version, type;
	const struct edi_message_def *message;
};

struct edi_dictionary_set {
	struct van_arena *arena;
	struct edi_dictionary_file *files;
	unsigned folders;
	bool explain;
	bool loose_loaded, explanations_loaded;
	struct found *found[FOUND_BUCKETS];
};

static int no_memory(struct van_error *e)
{
	return van_error_set(e, VAN_ENOMEM, "dictionaries need more than %zu MiB", SET_MEMORY >> 20);
}

/* --- names of files ---------------------------------------------------------------------------------------------------- */

/* "D:96A" in a message is "D96A" in a file's name. */
static bool version_is(struct slice version, struct slice name)
{
	size_t at = 0;
	for (size_t i = 0; i < version.n; i++) {
		if (version.p[i] == ':')
			continue;
		if (at == name.n || version.p[i] != name.p[at++])
			return false;
	}
	return at == name.n && name.n;
}

/* Versions are digits and upper-case letters, with one digit at least. */
static bool looks_like_version(struct slice s)
{
	bool digit = false;
	for (size_t i = 0; i < s.n; i++) {
		if (!((s.p[i] >= '0' && s.p[i] <= '9') || (s.p[i] >= 'A' && s.p[i] <= 'Z')))
			return false;
		digit |= s.p[i] <= '9';
	}
	return digit;
}

/* False: the name does not say the standard. */
static bool read_name(struct edi_dictionary_file *f, struct slice name)
{
	name.n -= sizeof ".dict" - 1;
	struct slice standard = slice_cut(&name, '-'), version = name.p ? slice_cut(&name, '-') : SLICE_NONE;
	f->standard = slice_is(standard, "x12") ? EDI_X12 : slice_is(standard, "edifact") ? EDI_EDIFACT : EDI_UNKNOWN;
	f->version = version;
	f->type = name;
	if (slice_is(version, "codes") || slice_is(version, "envelope"))
		f->kind = FILE_EXPLAINS;
	else if (!version.p || !looks_like_version(version))
		f->kind = FILE_LOOSE;
	else
		f->kind = name.p ? FILE_MESSAGE : FILE_SHARED;
	return f->standard != EDI_UNKNOWN;
}

static int list_file(struct edi_dictionary_set *set, const char *folder, const char *name, struct edi_dictionary_file ***at,
	struct van_error *e)
{
	struct edi_dictionary_file *f = van_arena_alloc(set->arena, sizeof *f);
	struct slice path = van_arena_printf(set->arena, "%s/%s", folder, name);
	if (!f || !path.p)
		return no_memory(e);
	*f = (struct edi_dictionary_file){.folder = set->folders, .text = VAN_BUF_INIT(FILE_MEMORY)};
	f->path = van_arena_str(set->arena, path);
	if (!f->path)
		return no_memory(e);
	if (!read_name(f, slice_str(f->path + strlen(folder) + 1)))
		return van_error_set(e, VAN_EINVAL, "%s: the name does not tell what it holds; call it x12-VERSION-TYPE.dict or "
			"edifact-VERSION-TYPE.dict", f->path);
	f->next = **at;
	**at = f;
	*at = &f->next;
	return 0;
}

int edi_dictionary_set_add_file(struct edi_dictionary_set *set, const char *path, struct van_error *e)
{
	struct edi_dictionary_file **at = &set->files;
	const char *slash = strrchr(path, '/');
	struct slice folder = slash ? slice_make(path, (size_t)(slash - path)) : SLICE(".");
	char *z = van_arena_str(set->arena, folder);
	if (!z)
		return no_memory(e);
	int rc = list_file(set, z, slash ? slash + 1 : path, &at, e);
	set->folders += rc == 0;
	return rc;
}

/* Lists the folder's files before those there are. VAN_ENOTFOUND when it is not there or has none. */
static int list_folder(struct edi_dictionary_set *set, const char *folder, struct van_error *e)
{
	struct dirent **names;
	struct edi_dictionary_file **at = &set->files;
	int n = scandir(folder, &names, NULL, alphasort), rc = VAN_ENOTFOUND;
	for (int i = 0; i < n; i++) {
		struct slice name = slice_str(names[i]->d_name);
		if ((rc == 0 || rc == VAN_ENOTFOUND) && *name.p != '.' && slice_ends(name, ".dict"))
			rc = list_file(set, folder, name.p, &at, e);
		free(names[i]);
	}
	if (n >= 0)
		free(names);
	set->folders += rc == 0;
	return rc;
}

/* --- loading ----------------------------------------------------------------------------------------------------------- */

static int read_text(struct edi_dictionary_file *f, struct van_error *e)
{
	if (f->has_text)
		return 0;
	int rc = file_read(f->path, &f->text);
	if (rc < 0)
		return van_error_set(e, (enum van_err)rc, "%s: cannot be read; check its rights", f->path);
	f->has_text = true;
	return 0;
}

/* The file failed: keeps why, so that it is told again whenever it is asked for. */
static int file_failed(struct edi_dictionary_set *set, struct edi_dictionary_file *f, const struct van_error *why, struct van_error *e)
{
	f->error = van_arena_alloc(set->arena, sizeof *f->error);
	if (f->error)
		*f->error = *why;
	if (e)
		*e = *why;
	return why->code;
}

static int load_file(struct edi_dictionary_set *set, struct edi_dictionary_file *f, struct slice version, struct van_error *e)
{
	if (f->error && e)
		*e = *f->error;
	if (f->error || f->dictionary)
		return f->error ? f->error->code : 0;
	struct edi_dictionary *d = van_arena_alloc(set->arena, sizeof *d);
	if (!d)
		return no_memory(e);
	*d = (struct edi_dictionary){.standard = f->standard, .path = slice_str(f->path)};
	if (version.p)
		d->version = van_arena_slice(set->arena, version);
	if (set->explain && !(d->meanings = van_arena_array(set->arena, EDI_BUCKETS, sizeof *d->meanings)))
		return no_memory(e);
	struct van_error why = {0};
	int rc = read_text(f, &why);
	if (rc == 0)
		rc = edi_dictionary_parse(d, van_buf_slice(&f->text), set->arena, &why);
	van_buf_free(&f->text); /* not needed again */
	f->has_text = false;
	f->dictionary = d;
	return rc < 0 ? file_failed(set, f, &why, e) : 0;
}

/* The first file of this kind at or behind `from`. */
static struct edi_dictionary_file *next_file(struct edi_dictionary_file *from, enum file_kind kind, enum edi_standard standard,
	struct slice version, struct slice type)
{
	for (; from; from = from->next)
		if (from->kind == kind && from->standard == standard && (kind > FILE_MESSAGE || version_is(version, from->version)) &&
		    (kind != FILE_MESSAGE || slice_eq(from->type, type)))
			return from;
	return NULL;
}

/* The first file of the folder that `f` stands in, so that what a folder has comes before what later ones have. */
static struct edi_dictionary_file *folder_of(struct edi_dictionary_set *set, const struct edi_dictionary_file *f)
{
	struct edi_dictionary_file *first = set->files;
	while (first->folder != f->folder)
		first = first->next;
	return first;
}

static bool goes_round(const struct edi_dictionary *d)
{
	int depth = 0;
	for (; d && depth <= LONGEST_CHAIN; d = d->base)
		depth++;
	return d != NULL;
}

/* What the messages of a version share, from `from` on, with all that it extends. *ret NULL: there is none. */
static int load_version(struct edi_dictionary_set *set, struct edi_dictionary_file *from, enum edi_standard standard,
	struct slice version, int depth, struct edi_dictionary **ret, struct van_error *e)
{
	struct edi_dictionary_file *f = next_file(from, FILE_SHARED, standard, version, SLICE_NONE);
	*ret = NULL;
	if (!f)
		return 0;
	int rc = load_file(set, f, version, e);
	struct edi_dictionary *d = f->dictionary;
	bool linked = f->linked;
	f->linked = true;
	if (rc == 0 && !linked && d->extends.n) {
		struct van_error why = {0};
		/* a version may extend itself: the one of a later folder */
		from = slice_eq(d->extends, version) ? f->next : folder_of(set, f);
		rc = depth < LONGEST_CHAIN ? load_version(set, from, standard, d->extends, depth + 1, &d->base, &why) : 0;
		if (rc == 0 && (!d->base || goes_round(d)))
			rc = van_error_set(&why, VAN_ESYNTAX, "%s:%u: extends %.*s, which is not there or goes round in a circle; there must be a "
				"file %s-VERSION.dict for it", f->path, d->line, SLICE_ARG(d->extends), standard == EDI_X12 ? "x12" : "edifact");
		if (rc < 0) {
			d->base = NULL;
			file_failed(set, f, &why, e);
		}
	}
	*ret = rc == 0 ? d : NULL;
	return rc;
}

static struct edi_message_def *message_in(const struct edi_dictionary *d, struct slice type)
{
	struct edi_message_def *m = d ? d->messages : NULL;
	while (m && !slice_eq(m->type, type))
		m = m->next;
	return m;
}

/* A message's own file over the dictionary of its version. */
static int load_message(struct edi_dictionary_set *set, struct edi_dictionary_file *f, struct slice version, struct van_error *e)
{
	struct van_error why = {0};
	int rc = load_file(set, f, version, e);
	if (rc < 0 || f->linked)
		return rc;
	f->linked = true;
	struct edi_dictionary *d = f->dictionary;
	rc = load_version(set, folder_of(set, f), f->standard, version, 0, &d->base, &why);
	if (rc < 0)
		return file_failed(set, f, &why, e);
	for (struct edi_message_def *m = d->messages; m; m = m->next)
		if (!d->defines && d->base)
			m->dictionary = d->base; /* segments are linked once for all messages of the version */
	return 0;
}

/* Files without version: small, and only the statement inside says what they are about. */
static int load_loose(struct edi_dictionary_set *set, enum file_kind kind, struct van_error *e)
{
	int rc = 0;
	for (struct edi_dictionary_file *f = set->files; f && rc == 0; f = f->next) {
		if (f->kind != kind)
			continue;
		rc = load_file(set, f, kind == FILE_EXPLAINS ? SLICE("*") : SLICE_NONE, e);
		struct edi_dictionary *d = f->dictionary;
		if (rc == 0 && d->extends.n)
			rc = load_version(set, set->files, f->standard, d->extends, 0, &d->base, e);
	}
	return rc;
}

static int search(struct edi_dictionary_set *set, enum edi_standard standard, struct slice version, struct slice type,
	struct edi_message_def **ret, struct van_error *e)
{
	int rc = set->loose_loaded ? 0 : load_loose(set, FILE_LOOSE, e);
	*ret = NULL;
	set->loose_loaded = rc == 0;
	for (struct edi_dictionary_file *f = set->files; f && rc == 0 && !*ret; f = f->next) {
		if (f->standard != standard)
			continue;
		if (f->kind == FILE_MESSAGE && version_is(version, f->version) && slice_eq(type, f->type)) {
			rc = load_message(set, f, version, e);
			*ret = rc == 0 ? message_in(f->dictionary, type) : NULL;
		} else if (f->kind == FILE_SHARED && version_is(version, f->version)) {
			struct edi_dictionary *d;
			rc = load_version(set, f, standard, version, 0, &d, e);
			*ret = rc == 0 ? message_in(d, type) : NULL;
		} else if (f->kind == FILE_LOOSE && slice_eq(f->dictionary->version, version)) {
			*ret = message_in(f->dictionary, type);
		}
	}
	return rc;
}

/* --- the set ----------------------------------------------------------------------------------------------------------- */

int edi_dictionary_find(struct edi_dictionary_set *set, enum edi_standard standard, struct slice version, struct slice type,
	const struct edi_message_def **ret, struct van_error *e)
{
	*ret = NULL;
	if (!set)
		return 0;
	/* The service message goes out under many versions and releases; only syntax 4's differs (doc/dictionary-format.md). */
	if (standard == EDI_EDIFACT && slice_is(type, "CONTRL"))
		version = slice_starts(version, "4:") ? SLICE("4:1") : SLICE("D:3");
	if (standard == EDI_X12 && version.n > 6)
		version.n = 6;
	struct found **bucket = &set->found[edi_bucket(type) % FOUND_BUCKETS];
	for (const struct found *x = *bucket; x; x = x->next)
		if (slice_eq(x->type, type) && slice_eq(x->version, version) && x->standard == standard) {
			*ret = x->message;
			return 0;
		}
	struct edi_message_def *m;
	int rc = search(set, standard, version, type, &m, e);
	if (rc == 0 && m)
		rc = edi_message_compile(m, set->arena, e);
	if (rc == 0 && !m && standard == EDI_X12 && (slice_is(type, "997") || slice_is(type, "999"))) {
		/* what acknowledges is the same in all releases of a version, and nearly so before */
		struct slice nearest = slice_cmp(version, SLICE("005")) < 0 ? SLICE("004010") : SLICE("005010");
		return slice_eq(version, nearest) ? 0 : edi_dictionary_find(set, standard, nearest, type, ret, e);
	}
	if (rc < 0 || !m)
		return rc; /* what is not there is not noted: input may name any number of types */
	struct found *x = van_arena_alloc(set->arena, sizeof *x);
	if (!x)
		return no_memory(e);
	*x = (struct found){*bucket, standard, van_arena_slice(set->arena, version), m->type, m};
	if (!x->version.p)
		return no_memory(e);
	*bucket = x;
	*ret = m;
	return 0;
}

/* Versions in the order of time: EDIFACT "D:96A", in file names "D96A", and X12 "004010". 0: another kind of version. */
static unsigned version_order(enum edi_standard standard, struct slice version)
{
	unsigned n = 0, digits = 0;
	char letter = 0;
	for (size_t i = 0; i < version.n; i++) {
		char c = version.p[i];
		if (c >= '0' && c <= '9' && digits < 6 && !letter) {
			n = n * 10 + (unsigned)(c - '0');
			digits++;
		} else if (standard == EDI_EDIFACT && digits == 2 && !letter && c >= 'A' && c <= 'Z') {
			letter = c;
		} else if (!(standard == EDI_EDIFACT && ((i == 0 && c == 'D') || (i == 1 && c == ':')))) {
			return 0;
		}
	}
	if (standard == EDI_X12)
		return digits == 6 ? n : 0;
	return letter ? (n < 80 ? n + 100 : n) * 32 + (unsigned)(letter - 'A') : 0; /* the directories began in 1988 */
}

/* Whether `a` is a better choice than `b` for `wanted`. */
static bool is_nearer(unsigned a, unsigned b, unsigned wanted)
{
	if (!b || (a <= wanted) != (b <= wanted))
		return !b || a <= wanted;
	return a <= wanted ? a > b : a < b;
}

int edi_dictionary_nearest(struct edi_dictionary_set *set, enum edi_standard standard, struct slice version, struct slice type,
	const struct edi_message_def **ret, struct slice *ret_version, struct van_error *e)
{
	const struct edi_dictionary_file *best = NULL;
	unsigned wanted = version_order(standard, standard == EDI_X12 && version.n > 6 ? slice_make(version.p, 6) : version), nearest = 0;
	*ret = NULL;
	for (const struct edi_dictionary_file *f = set && wanted ? set->files : NULL; f; f = f->next) {
		unsigned order = f->kind == FILE_MESSAGE && f->standard == standard && slice_eq(f->type, type) ? version_order(standard, f->version) : 0;
		if (order && is_nearer(order, nearest, wanted)) {
			nearest = order;
			best = f;
		}
	}
	if (!best)
		return 0;
	char name[16];
	int n = snprintf(name, sizeof name, standard == EDI_X12 ? "%.*s" : "D:%.*s", (int)best->version.n - (standard != EDI_X12),
		best->version.p + (standard != EDI_X12));
	int rc = edi_dictionary_find(set, standard, slice_make(name, (size_t)n), type, ret, e);
	if (rc == 0 && *ret)
		*ret_version = (*ret)->dictionary->version; /* lives as long as the set */
	return rc;
}

static int load_explanations(struct edi_dictionary_set *set, struct van_error *e)
{
	int rc = set->explanations_loaded || !set->explain ? 0 : load_loose(set, FILE_EXPLAINS, e);
	set->explanations_loaded = rc == 0;
	return rc;
}

int edi_dictionary_segment(struct edi_dictionary_set *set, enum edi_standard standard, const struct edi_message_def *message,
	struct slice id, const struct edi_segment_def **ret, struct van_error *e)
{
	int rc = load_explanations(set, e);
	*ret = NULL;
	if (rc == 0 && message)
		rc = edi_link_segment(message->dictionary, id, set->arena, ret, e);
	struct edi_dictionary_file *f = next_file(set->files, FILE_EXPLAINS, standard, SLICE_NONE, SLICE_NONE);
	for (; f && rc == 0 && !*ret; f = next_file(f->next, FILE_EXPLAINS, standard, SLICE_NONE, SLICE_NONE))
		if (f->dictionary)
			rc = edi_link_segment(f->dictionary, id, set->arena, ret, e);
	return rc;
}

struct slice edi_dictionary_meaning(struct edi_dictionary_set *set, enum edi_standard standard, const struct edi_message_def *message,
	struct slice element, struct slice value)
{
	struct slice text = message ? edi_meaning_find(message->dictionary, element, value) : SLICE_NONE;
	struct edi_dictionary_file *f = next_file(set->files, FILE_EXPLAINS, standard, SLICE_NONE, SLICE_NONE);
	for (; f && !text.p; f = next_file(f->next, FILE_EXPLAINS, standard, SLICE_NONE, SLICE_NONE))
		if (f->dictionary)
			text = edi_meaning_find(f->dictionary, element, value);
	return text;
}

int edi_dictionary_set_open(const char *path, struct edi_dictionary_set **ret, struct van_error *e)
{
	const char *folders[] = {getenv("OPENVAN_DICT"), path, VAN_DATADIR "/dict"};
	struct edi_dictionary_set *set = calloc(1, sizeof *set);
	if (!set || !(set->arena = van_arena_new(SET_MEMORY))) {
		free(set);
		return van_error_set(e, VAN_ENOMEM, "no memory for the dictionaries");
	}
	int rc = VAN_ENOTFOUND;
	for (size_t i = 0; i < 3 && rc == VAN_ENOTFOUND; i++)
		if (folders[i] && *folders[i])
			rc = list_folder(set, folders[i], e);
	if (rc == VAN_ENOTFOUND)
		van_error_set(e, VAN_ENOTFOUND, "no dictionaries (*.dict) in %s; set OPENVAN_DICT or run make install",
			path ? path : VAN_DATADIR "/dict");
	if (rc < 0) {
		edi_dictionary_set_free(set);
		return rc;
	}
	*ret = set;
	return 0;
}

int edi_dictionary_set_add(struct edi_dictionary_set *set, const char *folder, struct van_error *e)
{
	int rc = list_folder(set, folder, e);
	return rc == VAN_ENOTFOUND ? van_error_set(e, VAN_ENOTFOUND, "%s: there are no dictionaries (*.dict) in this folder", folder) : rc;
}

void edi_dictionary_set_explain(struct edi_dictionary_set *set)
{
	set->explain = true;
}

int edi_dictionary_set_preload(struct edi_dictionary_set *set, struct van_error *e)
{
	int rc = 0;
	for (struct edi_dictionary_file *f = set->files; f && rc == 0; f = f->next)
		if (f->kind != FILE_EXPLAINS)
			rc = read_text(f, e);
	return rc;
}

/* Loads the file by the version that it states itself, and all that it needs. */
static int check_file(struct edi_dictionary_set *set, struct edi_dictionary_file *f, struct van_error *e)
{
	int rc = load_file(set, f, f->kind == FILE_EXPLAINS ? SLICE("*") : SLICE_NONE, e);
	struct edi_dictionary *d = f->dictionary;
	if (rc == 0 && !d->version.p)
		rc = van_error_set(e, VAN_ESYNTAX, "%s:1: there is no dictionary statement; see doc/dictionary-format.md", f->path);
	if (rc == 0 && f->kind <= FILE_MESSAGE && !version_is(d->version, f->version))
		rc = van_error_set(e, VAN_ESYNTAX, "%s: holds version %.*s, which its name does not say; rename it", f->path, SLICE_ARG(d->version));
	if (rc == 0 && f->kind == FILE_MESSAGE && !message_in(d, f->type))
		rc = van_error_set(e, VAN_ESYNTAX, "%s: holds no message %.*s, which its name says; rename it", f->path, SLICE_ARG(f->type));
	if (rc == 0 && f->kind == FILE_MESSAGE)
		rc = load_message(set, f, d->version, e);
	else if (rc == 0 && f->kind == FILE_SHARED)
		rc = load_version(set, f, f->standard, d->version, 0, &d, e);
	return rc < 0 ? rc : edi_link_all(f->dictionary, set->arena, e);
}

int edi_dictionary_set_check(struct edi_dictionary_set *set, struct van_error *e)
{
	int rc = load_loose(set, FILE_LOOSE, e);
	for (struct edi_dictionary_file *f = set->files; f && rc == 0; f = f->next)
		if (f->kind != FILE_EXPLAINS || set->explain)
			rc = check_file(set, f, e);
	return rc;
}

int edi_dictionary_set_check_first(struct edi_dictionary_set *set, struct van_error *e)
{
	return set->files ? check_file(set, set->files, e) : 0;
}

static bool hidden(const struct edi_dictionary_set *set, const struct edi_dictionary_file *file, struct slice type)
{
	const struct edi_dictionary_file *f = set->files;
	while (f != file && !(f->dictionary && f->standard == file->standard && slice_eq(f->dictionary->version, file->dictionary->version) &&
		message_in(f->dictionary, type)))
		f = f->next;
	return f != file;
}

void edi_dictionary_set_each(const struct edi_dictionary_set *set, void (*fn)(void *ctx, const struct edi_dictionary_entry *entry),
	void *ctx)
{
	for (const struct edi_dictionary_file *f = set->files; f; f = f->next)
		for (const struct edi_message_def *m = f->dictionary ? f->dictionary->messages : NULL; m; m = m->next) {
			struct edi_dictionary_entry entry = {f->standard, f->dictionary->version, m->type, m->name, f->path, hidden(set, f, m->type)};
			fn(ctx, &entry);
		}
}

void edi_dictionary_set_free(struct edi_dictionary_set *set)
{
	if (!set)
		return;
	for (struct edi_dictionary_file *f = set->files; f; f = f->next)
		van_buf_free(&f->text);
	van_arena_free(set->arena);
	free(set);
}
