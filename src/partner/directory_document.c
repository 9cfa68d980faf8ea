/* From a file's name to what it is: documents of partners without EDI. */
#include "partner/directory.h"

#include "base/error.h"

#include <fnmatch.h>

static int fits(const struct slice_list *patterns, struct slice name, int flags, struct van_arena *arena, bool *ret)
{
	char *text = name.p ? van_arena_str(arena, name) : NULL;
	if (name.p && !text)
		return VAN_ENOMEM;
	*ret = !patterns->n;
	for (size_t i = 0; i < patterns->n && text && !*ret; i++) {
		char *pattern = van_arena_str(arena, patterns->v[i]);
		if (!pattern)
			return VAN_ENOMEM;
		*ret = fnmatch(pattern, text, flags | FNM_CASEFOLD) == 0;
	}
	return 0;
}

/* "text/csv; charset=utf-8" is text/csv. */
static struct slice plain_type(struct slice s)
{
	return s.p ? slice_trim(slice_cut(&s, ';')) : s;
}

/* The first identity that it may present at this time. */
static struct slice first_identity(const struct directory *d, const struct profile *p, const struct profile_connection *c, van_time now)
{
	const struct record_list *all = &p->partner->identities;
	for (size_t i = 0; i < all->n; i++) {
		const struct profile_identity *x = RECORD_AT(*all, struct profile_identity, i);
		if (directory_may_present(d, c->id, x->name, now))
			return x->name;
	}
	return c->presents.n ? c->presents.v[0] : SLICE_NONE;
}

int directory_find_document(const struct directory *d, struct slice connection, struct slice file_name, struct slice content_type, van_time now,
			    struct van_arena *arena, struct directory_document *ret)
{
	const struct profile *p = NULL;
	const struct profile_connection *c = directory_connection(d, connection, &p);
	*ret = (struct directory_document){.found = false};
	for (size_t i = 0; c && i < c->documents.n; i++) {
		const struct profile_document *x = RECORD_AT(c->documents, struct profile_document, i);
		const struct profile_output version = {.map_version = x->sheet_version};
		bool name, type;
		int rc = fits(&x->files, file_name, FNM_NOESCAPE, arena, &name);
		if (rc == 0)
			rc = fits(&x->content_types, plain_type(content_type), 0, arena, &type);
		if (rc < 0)
			return rc;
		if (!name || !type)
			continue;
		*ret = (struct directory_document){
			.found = true, .format = x->format, .sheet = x->sheet, .sheet_pin = profile_map_version(&version), .from = x->from, .to = x->to,
			.otherwise = first_identity(d, p, c, now), .type = x->type, .test = x->environment == PROFILE_TEST,
		};
		return 0;
	}
	return 0;
}
