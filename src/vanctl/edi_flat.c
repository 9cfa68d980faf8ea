/* vanctl edi convert to and from CSV documents: --sheet names the flat sheet; canonical documents stand between. */
#include "vanctl/edi_command.h"

#include "base/datafolder.h"
#include "map/flat.h"
#include "map/tree_read.h"

#include <stdio.h>

#define MEMORY ((size_t)512 << 20)
#define VALUES 10000000

static struct map_set *open_sheets(void)
{
	char folder[4096];
	struct map_set *set = NULL;
	struct van_error e = {0};
	bool found = van_data_folder("maps", folder, sizeof folder) == 0;
	if (map_set_open(found ? folder : NULL, &set, &e) < 0)
		edi_fail(EDI_USAGE, "%s", e.text);
	return set;
}

static const struct flat_sheet *named(const struct map_set *set, const char *name)
{
	const struct flat_sheet *s = flat_find(set, slice_str(name));
	if (!s)
		edi_fail(EDI_USAGE, "there is no flat sheet %s; flat sheets have a row @map,csv …", name);
	return s;
}

int edi_flat_read(const struct edi_command *c, struct slice text, struct van_buf *json)
{
	struct tree_room room = {.arena = van_arena_new(MEMORY), .left = VALUES};
	struct map_set *set = open_sheets();
	const struct flat_sheet *s = set ? named(set, c->sheet) : NULL;
	struct van_error e = {0};
	struct tree *t = NULL;
	int status = s && room.arena ? EDI_DONE : EDI_USAGE;
	if (status == EDI_DONE && flat_read(s, &room, text, 0, &t, &e) < 0)
		status = edi_fail(EDI_NO, "%s: %s", c->file, e.text);
	/* one document stands alone */
	if (status == EDI_DONE && tree_write(t->first && !t->first->next ? t->first : t, !c->json, json) < 0)
		status = edi_fail(EDI_USAGE, "no memory");
	if (status == EDI_DONE && c->json)
		van_buf_append_char(json, '\n');
	map_set_free(set);
	van_arena_free(room.arena);
	return status;
}

static void print_remark(void *ctx, struct slice place)
{
	const struct edi_command *c = ctx;
	fprintf(stderr, "vanctl edi: %s: left out, no row of the sheet takes it: %.*s\n", c->file, SLICE_ARG(place));
}

static const struct flat_sheet *choose(const struct edi_command *c, const struct map_set *set, const struct tree *t)
{
	const struct tree *document = t->kind == TREE_ARRAY ? t->first : t;
	const struct tree *kind = document && document->kind == TREE_OBJECT ? tree_find(document, SLICE("_document")) : NULL;
	if (c->sheet)
		return named(set, c->sheet);
	const struct flat_sheet *s = kind ? flat_find_out(set, kind->text) : NULL;
	if (!s)
		edi_fail(EDI_NO, "%s: there is no flat sheet, or more than one, that writes %.*s; name one with --sheet", c->file, kind ? (int)kind->text.n : 3,
			kind ? kind->text.p : "it?");
	return s;
}

int edi_flat_write(const struct edi_command *c, struct slice json, struct van_buf *to)
{
	struct tree_room room = {.arena = van_arena_new(MEMORY), .left = VALUES};
	struct map_set *set = open_sheets();
	struct van_error e = {0};
	struct tree *t = NULL;
	int status = set && room.arena ? EDI_DONE : EDI_USAGE;
	if (status == EDI_DONE && tree_read(&room, json, &t, &e) < 0)
		status = edi_fail(EDI_NO, "%s: %s", c->file, e.text);
	const struct flat_sheet *s = status == EDI_DONE ? choose(c, set, t) : NULL;
	if (status == EDI_DONE && !s)
		status = EDI_NO;
	if (status == EDI_DONE && flat_write(s, &room, t, to, print_remark, (void *)c, &e) < 0)
		status = edi_fail(EDI_NO, "%s: %s", c->file, e.text);
	map_set_free(set);
	van_arena_free(room.arena);
	return status;
}
