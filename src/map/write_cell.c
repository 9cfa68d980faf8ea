/* Cells of segments: values as the dictionary allows them, one row beside another. */
#include "map/mould.h"
#include "map/transform.h"
#include "map/write.h"

#include <stdio.h>

/* --- cells ------------------------------------------------------------------------------------------------------------------------ */

static bool before(const struct out_cell *c, uint32_t element, uint32_t component, uint32_t repetition)
{
	if (c->element != element)
		return c->element < element;
	return c->repetition != repetition ? c->repetition < repetition : c->component < component;
}

static bool more_cells(struct map_run_state *r, struct out_segment *s)
{
	uint32_t room = s->room ? 2 * s->room : 6;
	struct out_cell *v = tree_room_take(&r->room, room * sizeof *v);
	if (!v)
		return false;
	if (s->count)
		memcpy(v, s->cells, s->count * sizeof *v);
	s->cells = v;
	s->room = room;
	return true;
}

struct out_cell *map_out_cell(struct map_run_state *r, struct out_segment *s, uint32_t element, uint32_t component, uint32_t repetition)
{
	uint32_t at = s->count;
	while (at && !before(&s->cells[at - 1], element, component, repetition))
		at--;
	struct out_cell *c = at < s->count ? &s->cells[at] : NULL;
	if (c && c->element == element && c->component == component && c->repetition == repetition)
		return c;
	if (s->count == s->room && !more_cells(r, s))
		return NULL;
	if (at < s->count)
		memmove(s->cells + at + 1, s->cells + at, (s->count - at) * sizeof *s->cells);
	s->count++;
	s->cells[at] = (struct out_cell){.element = (uint16_t)element, .component = (uint16_t)component, .repetition = (uint16_t)repetition};
	return &s->cells[at];
}

bool map_out_find_cell(const struct out_segment *s, uint32_t element, uint32_t component, const struct out_cell **ret)
{
	for (uint32_t i = 0; i < s->count; i++)
		if (s->cells[i].element == element && s->cells[i].component == component) {
			*ret = &s->cells[i];
			return true;
		}
	return false;
}

static size_t characters(struct slice s)
{
	size_t n = 0;
	for (size_t i = 0; i < s.n; i++)
		n += ((unsigned char)s.p[i] & 0xc0) != 0x80;
	return n;
}

static size_t length_of(const struct edi_element_def *d, struct slice v)
{
	size_t n = characters(v);
	if (d->type != EDI_N && d->type != EDI_R)
		return n;
	for (size_t i = 0; i < v.n; i++)
		n -= v.p[i] == '-' || v.p[i] == '.' || v.p[i] == ',';
	return n;
}

static int tell_cut(struct map_run_state *r, const struct map_row *row, struct slice v)
{
	struct map_note *note = map_run_note(r, MAP_NOTE_CUT, row->line);
	if (!note)
		return VAN_ENOMEM;
	note->place = row->target;
	note->value = v;
	return 0;
}

/* `compact`: zeros in front of a number, then blanks and hyphens, say nothing that the rest does not; they go where there is no room. */
static int compact(struct map_run_state *r, const struct map_row *row, const struct edi_element_def *d, struct slice *v)
{
	struct slice s = *v;
	while (s.n > 1 && *s.p == '0' && map_digits(s) && length_of(d, s) > d->max)
		s = slice_make(s.p + 1, s.n - 1);
	if (length_of(d, s) > d->max) {
		char *copy = tree_room_alloc(&r->room, s.n);
		size_t n = 0;
		if (!copy)
			return VAN_ENOMEM;
		for (size_t i = 0; i < s.n; i++)
			if (s.p[i] != ' ' && s.p[i] != '-')
				copy[n++] = s.p[i];
		s = slice_make(copy, n);
	}
	if (length_of(d, s) > d->max)
		return 0; /* it does not help: refused as it is */
	int rc = tell_cut(r, row, *v);
	*v = s;
	return rc;
}

static int cut(struct map_run_state *r, const struct map_row *row, size_t max, struct slice *v)
{
	size_t n = 0, at = 0;
	if (tell_cut(r, row, *v) < 0)
		return VAN_ENOMEM;
	while (at < v->n && (n < max || ((unsigned char)v->p[at] & 0xc0) == 0x80)) {
		n += ((unsigned char)v->p[at] & 0xc0) != 0x80;
		at++;
	}
	v->n = at;
	while (v->n && v->p[v->n - 1] == ' ')
		v->n--;
	return 0;
}

/* What is too long is cut or written closer where the row says so, else refused. */
static int fit(struct out *o, const struct map_row *row, const struct out_segment *s, const struct edi_element_def *d,
	uint32_t element, struct slice *v)
{
	struct map_run_state *r = o->r;
	if (o->back)
		return 0;
	for (uint32_t i = 0; i < row->transform_count; i++)
		if (row->transforms[i].kind == MAP_CUT) {
			size_t max = row->transforms[i].argument ? row->transforms[i].argument : d ? d->max : 0;
			return max && v->n > max && characters(*v) > max ? cut(r, row, max, v) : 0;
		}
	for (uint32_t i = 0; i < row->transform_count; i++)
		if (row->transforms[i].kind == MAP_COMPACT && d && v->n > d->max && length_of(d, *v) > d->max) {
			int rc = compact(r, row, d, v);
			if (rc < 0)
				return rc;
		}
	if (!d || v->n <= d->max || length_of(d, *v) <= d->max)
		return 0;
	return van_error_set(r->e, VAN_EINVAL, "map %s, row %u (%.*s): '%.*s' is longer than the %u characters of %.*s.%02u%s (%.*s); shorten "
		"it, or add cut to the row's transform", r->map->name, row->line, SLICE_ARG(row->target), v->n > 80 ? 80 : (int)v->n, v->p, d->max,
		SLICE_ARG(s->name), element, row->component ? ", in a component" : "", SLICE_ARG(d->name));
}

static int bad_value(struct map_run_state *r, const struct map_row *row, struct slice value, const char *what)
{
	if (!what)
		return VAN_ESYNTAX; /* told already */
	return van_error_set(r->e, VAN_ESYNTAX, "map %s, row %u (%.*s): %.*s %s", r->map->name, row->line, SLICE_ARG(row->target),
		value.n > 80 ? 80 : (int)value.n, value.p, what);
}

int map_out_set_cell(struct map_run_state *r, struct out_segment *s, uint32_t element, uint32_t component, uint32_t repetition, struct slice v,
	bool weak, const struct map_row *row)
{
	struct out_cell *c = map_out_cell(r, s, element, component, repetition);
	if (!c)
		return VAN_ENOMEM;
	map_out_fill_cell(c, v, weak, row);
	return 0;
}

uint32_t map_out_component_of(const struct map_plan_segment *p, uint32_t element, uint32_t component)
{
	return map_plan_component(p->definition, element, component);
}

/* `listed`: a value that the element's list has not, or that is too long for it, is left to another row. */
static bool has_room(const struct map_row *row, const struct edi_element_def *d, struct slice v)
{
	for (uint32_t i = 0; i < row->transform_count; i++)
		if (row->transforms[i].kind == MAP_LISTED && d)
			return (v.n <= d->max || length_of(d, v) <= d->max) && (!d->codes || d->open || edi_codes_has(d->codes, v));
	return true;
}

int map_out_convert(struct map_run_state *r, const struct map_row *row, const struct edi_element_def *d, struct slice *format, struct slice *v,
	const char **what)
{
	int rc = row->transform_count || row->table ? map_transform_out(r, row, d, format, v, what) : 0;
	return rc < 0 ? rc : v->p && v->n && has_room(row, d, *v);
}

/* One value of the document, on its way to one cell. *wrote: it is there. */
int map_out_write_value(struct out *o, struct out_scope *s, const struct map_row *row, struct out_segment *g, uint32_t element,
	uint32_t component, uint32_t repetition, struct slice v, bool weak, bool *wrote)
{
	struct map_run_state *r = o->r;
	const struct map_plan_row *known = &o->plan->rows[row - o->map->sheet->rows];
	bool own = element == row->element && component == known->component;
	const struct edi_element_def *d = own ? known->element : map_plan_element(g->plan->definition, element, component);
	if (known->plain && !weak && v.n && (!d || v.n <= d->max) && !r->options.explain && !r->options.row_by_row) {
		struct out_cell *c = map_out_cell(r, g, element, component, repetition);
		if (!c || (!repetition && map_out_differs(c, v)))
			return c ? 0 : VAN_ENOMEM;
		*wrote = true;
		if (o->recorder)
			map_mould_value(o->recorder, g, d, element, component, v, SLICE_NONE);
		map_out_fill_cell(c, v, false, row);
		return 0;
	}
	struct slice raw = v, format = SLICE_NONE;
	const char *what = "";
	const struct out_cell *there;
	bool dated = row->transform_count && row->transforms[0].kind == MAP_DATE && *r->map->standard == 'e' && component;
	if (dated && map_out_find_cell(g, element, component + 1, &there))
		format = there->value;
	int rc = map_out_convert(r, row, d, &format, &v, &what);
	if (rc == VAN_ESYNTAX)
		return bad_value(r, row, raw, what);
	if (rc != 1)
		return rc;
	rc = fit(o, row, g, d, element, &v);
	if (rc == 0 && !weak && !repetition && map_out_find_cell(g, element, component, &there) && map_out_differs(there, v))
		return 0;
	if (rc == 0 && o->recorder && !weak)
		map_mould_value(o->recorder, g, d, element, component, v, dated ? format : SLICE_NONE);
	if (rc == 0)
		rc = map_out_set_cell(r, g, element, component, repetition, v, weak, row);
	if (rc == 0 && dated && format.p)
		rc = map_out_set_cell(r, g, element, component + 1, repetition, format, true, NULL);
	if (rc == 0 && r->options.explain && !weak) {
		struct out_cell *c = map_out_cell(r, g, element, component, repetition);
		struct slice *place = tree_room_take(&r->room, sizeof *place);
		if (!place)
			return VAN_ENOMEM;
		*place = row->slot >= 0 ? map_out_path_of(s, row->slot, r) : row->target;
		c->place = place;
	}
	*wrote |= !weak;
	return rc;
}

/* The next of the row's elements that holds nothing yet: pairs stand one behind the other. */
int map_out_write_pair(struct out *o, struct out_scope *s, const struct map_row *row, struct out_segment *g, struct slice v, bool weak, bool *wrote)
{
	uint32_t step = row->qualifier ? 1 : 2;
	for (uint32_t i = row->element; i <= row->last; i += step) {
		const struct out_cell *there;
		uint32_t element = row->qualifier ? i : i + 1, qualifier = row->qualifier ? map_out_component_of(g->plan, i, row->qualifier) : 0;
		uint32_t component = row->qualifier ? map_out_component_of(g->plan, i, row->component ? row->component : 1) : 0;
		if (map_out_find_cell(g, i, qualifier, &there) || map_out_find_cell(g, element, component, &there))
			continue;
		bool did = false;
		int rc = map_out_write_value(o, s, row, g, element, component, 0, v, weak, &did);
		*wrote |= did;
		return rc == 0 && (did || weak) ? map_out_set_cell(o->r, g, i, qualifier, 0, row->literal, weak, row) : rc;
	}
	return van_error_set(o->r->e, VAN_EINVAL, "map %s, row %u (%.*s): there is no pair left for it in %.*s.%02u-%02u; give the row another "
		"place", o->map->name, row->line, SLICE_ARG(row->target), SLICE_ARG(g->name), row->element, row->last);
}

int map_out_write_to(struct out *o, struct out_scope *s, const struct map_row *row, struct out_segment *g, struct slice v, bool weak, bool *wrote)
{
	if (row->kind == MAP_PAIRS)
		return map_out_write_pair(o, s, row, g, v, weak, wrote);
	return map_out_write_value(o, s, row, g, row->element, o->plan->rows[row - o->map->sheet->rows].component, 0, v, weak, wrote);
}
