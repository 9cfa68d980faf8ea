/* vanctl edi convert: a map makes canonical documents; without a map JSON and XML hold the same segments (edi_form.c). */
#include "base/datafolder.h"
#include "map/map.h"
#include "map/ubl.h"
#include "vanctl/edi_command.h"

#include <stdio.h>

#define REPORT_MEMORY ((size_t)512 << 20)

struct convert {
	const struct edi_command *c;
	const struct map_set *maps;
	struct slice in;
	struct van_buf out;
	uint64_t documents;
};

static struct map_set *open_maps(void)
{
	char folder[4096];
	struct map_set *set = NULL;
	struct van_error e = {0};
	bool found = van_data_folder("maps", folder, sizeof folder) == 0;
	if (map_set_open(found ? folder : NULL, &set, &e) < 0)
		edi_fail(EDI_USAGE, "%s", e.text);
	return set;
}

static const struct map *choose(const struct convert *x, const struct edi_interchange *i, const struct edi_message *m)
{
	if (x->c->map)
		return map_find(x->maps, slice_str(x->c->map));
	return map_find_for(x->maps, i->standard == EDI_X12 ? "x12" : "edifact", m->type, m->version);
}

static int convert_message(struct convert *x, const struct edi_interchange *i, const struct edi_group *g, const struct edi_message *m)
{
	const struct map *map = choose(x, i, m);
	struct van_error e = {0};
	if (!map)
		return x->c->map ? edi_fail(EDI_USAGE, "there is no map %s", x->c->map)
		                 : edi_fail(EDI_NO, "no map for %.*s %.*s; name one with --map", SLICE_ARG(m->type), SLICE_ARG(m->version));
	struct map_delimiters d = {i->delimiters.element, i->delimiters.component, i->delimiters.repetition, i->delimiters.release,
		i->delimiters.terminator};
	struct map_envelope envelope = {i->sender, i->receiver, i->control_number, g->real ? g->control_number : SLICE_NONE,
		m->control_number, i->usage == 'T'};
	struct map_options options = {.pretty = !x->c->json};
	if (x->documents++)
		van_buf_append_char(&x->out, ',');
	int rc = map_run(map, slice_make(x->in.p + m->offset, m->length), d, &envelope, &options, &x->out, &e);
	return rc < 0 ? edi_fail(EDI_NO, "message %.*s: %s", SLICE_ARG(m->control_number), e.text) : EDI_DONE;
}

/* One document stands alone, several are an array. */
static int canonical(struct convert *x, const struct edi_report *r)
{
	int status = EDI_DONE;
	bool many = r->messages > 1;
	van_buf_append_str(&x->out, many ? "[" : "");
	for (const struct edi_interchange *i = r->interchanges; i; i = i->next)
		for (const struct edi_group *g = i->groups; g; g = g->next)
			for (const struct edi_message *m = g->messages; m && status == EDI_DONE; m = m->next)
				status = m->acknowledgement ? EDI_DONE : convert_message(x, i, g, m);
	van_buf_append_str(&x->out, many ? "]\n" : x->c->json ? "\n" : "");
	return status == EDI_DONE && !x->documents ? edi_fail(EDI_NO, "%s: there is no message to convert", x->c->file) : status;
}

static int to_canonical(struct convert *x)
{
	struct map_set *maps = open_maps();
	struct van_arena *arena = van_arena_new(REPORT_MEMORY);
	struct edi_check_options options = {.envelopes_only = true};
	struct edi_report *r = NULL;
	struct van_error e = {0};
	int status = maps && arena ? EDI_DONE : EDI_USAGE;
	x->maps = maps;
	if (status == EDI_DONE && edi_check_bytes(x->in, NULL, &options, arena, &r, &e) < 0)
		status = edi_fail(EDI_USAGE, "%s: %s", x->c->file, e.text);
	if (status == EDI_DONE && !r->interchanges)
		status = edi_fail(EDI_NO, "%s: %.*s", x->c->file, SLICE_ARG(r->errors->text));
	if (status == EDI_DONE)
		status = canonical(x, r);
	van_arena_free(arena);
	map_set_free(maps);
	return status;
}

/* From EDI by a map, from UBL, or as it is. */
static int any_to_canonical(struct convert *x)
{
	struct slice text = slice_trim(x->in);
	if (ubl_looks_like(slice_make(x->in.p, x->in.n < 8192 ? x->in.n : 8192)))
		return edi_ubl_read(x->c, x->in, &x->out);
	if (!text.n || (*text.p != '{' && *text.p != '['))
		return to_canonical(x);
	van_buf_append_slice(&x->out, x->in);
	return EDI_DONE;
}

static int to_ubl(struct convert *x)
{
	struct van_buf xml = VAN_BUF_INIT((size_t)4 << 30);
	int status = edi_ubl_write(x->c, van_buf_slice(&x->out), &xml);
	van_buf_free(&x->out);
	x->out = xml;
	return status;
}

static int with_map(const struct edi_command *c)
{
	struct convert x = {.c = c, .out = VAN_BUF_INIT((size_t)4 << 30)};
	struct van_buf in = {0};
	int status = edi_read(c, &in);
	x.in = van_buf_slice(&in);
	if (status == EDI_DONE)
		status = any_to_canonical(&x);
	if (status == EDI_DONE && strcmp(c->to, "ubl-xml") == 0)
		status = to_ubl(&x);
	if (status == EDI_DONE && edi_flush(&x.out) < 0)
		status = edi_fail(EDI_USAGE, "standard output cannot be written");
	van_buf_free(&x.out);
	van_buf_free(&in);
	return status;
}

int edi_run_convert(const struct edi_command *c)
{
	const char *to = c->to;
	if (!to)
		return edi_fail(EDI_USAGE, "convert to what? give --to json, xml, x12, edifact, canonical or ubl-xml");
	if (strcmp(to, "canonical") == 0 || strcmp(to, "ubl-xml") == 0 || (strcmp(to, "json") == 0 && c->map))
		return with_map(c);
	if (strcmp(to, "json") == 0 || strcmp(to, "xml") == 0)
		return edi_run_to_form(c);
	if (strcmp(to, "x12") == 0 || strcmp(to, "edifact") == 0)
		return edi_run_from_form(c);
	return edi_fail(EDI_USAGE, "--to %s is not there; json, xml, x12, edifact, canonical and ubl-xml are", to);
}
