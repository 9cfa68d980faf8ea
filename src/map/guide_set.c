#include "map/guide.h"

#include "base/datafolder.h"

#include <stdlib.h>

#define SUFFIX ".csv"
#define FILE_MEMORY ((size_t)16 << 20)

struct entry {
	struct entry *next;
	struct edi_guide *guide;
	size_t n;
	char name[];
};

struct guide_set {
	struct entry *first;
	struct van_error trouble; /* with the first file that could not be read */
};

struct guide_set *guide_set_new(void)
{
	return calloc(1, sizeof(struct guide_set));
}

void guide_set_free(struct guide_set *set)
{
	while (set && set->first) {
		struct entry *n = set->first;
		set->first = n->next;
		edi_guide_free(n->guide);
		free(n);
	}
	free(set);
}

const struct edi_guide *guide_find(const struct guide_set *set, struct slice name)
{
	for (const struct entry *n = set ? set->first : NULL; n; n = n->next)
		if (slice_eq(slice_make(n->name, n->n), name))
			return n->guide;
	return NULL;
}

/* A file in error must not keep the others from being used: whose agreement names it has his documents held. */
static int take_file(void *arg, struct slice name, const char *path, struct slice text, struct van_error *e)
{
	struct guide_set *set = arg;
	name.n -= strlen(SUFFIX);
	if (guide_find(set, name))
		return 0;
	struct entry *n = calloc(1, sizeof *n + name.n);
	if (!n)
		return van_error_set(e, VAN_ENOMEM, "no memory for the guides");
	memcpy(n->name, name.p, name.n);
	n->n = name.n;
	struct van_error own = {0};
	int rc = guide_read(text, path, &n->guide, &own);
	if (rc < 0) {
		free(n);
		if (rc == VAN_ESYNTAX && !set->trouble.code)
			set->trouble = own;
		else if (rc != VAN_ESYNTAX)
			*e = own;
		return rc == VAN_ESYNTAX ? 0 : rc;
	}
	n->next = set->first;
	set->first = n;
	return 0;
}

int guide_set_add(struct guide_set *set, const char *folder, struct van_error *e)
{
	set->trouble = (struct van_error){0};
	int rc = van_data_files(folder, SUFFIX, FILE_MEMORY, take_file, set, e);
	if (rc == 0 && set->trouble.code) {
		*e = set->trouble;
		rc = (int)set->trouble.code;
	}
	return rc;
}
