/* Moulds are recorded while rows write. */
#include "map/mould.h"

#include <stddef.h>
#include <stdlib.h>

enum { MOST_GUARDS = 128, MOST_STEPS = 512, MOST_SEGMENTS = 128, MOST_ENTRIES = 128, MOST_CELLS = 1024 };

/* A step before its segment is complete: where its value goes, and what it is. */
struct recorded {
	struct mould_step step;
	uint32_t element, component;
	struct slice value, format;
};

struct recorded_segment {
	uint32_t first_cell, cell_count, first_step, step_count;
	bool counted;
};

struct mould_recorder {
	const struct map_row *rows;  /* of the sheet */
	const struct map_plan_row *known;
	bool x12;
	struct mould_entry entries[MOST_ENTRIES];
	struct recorded_segment segments[MOST_SEGMENTS];
	struct recorded steps[MOST_STEPS];
	struct out_cell cells[MOST_CELLS];
	int32_t guards[MOST_GUARDS];
	/* from here on cleared for each scope */
	uint32_t entry_count, segment_count, step_count, cell_count, guard_count;
	uint32_t first_step;         /* of the segment at hand */
	uint32_t lists;              /* items of lists that the entry at hand took */
	uint64_t cost;               /* of what came to nothing */
	bool full;                   /* it is too much to be remembered */
	bool source;                 /* the last step is being written */
	bool wrote;                  /* and has gone to its cell */
};

/* Of a set. */
struct map_moulds {
	struct van_arena *arena;
	struct mould_recorder recorder;
};

/* --- while rows write ------------------------------------------------------------------------------------------------------------ */

static struct mould_entry *entry(struct mould_recorder *x)
{
	return &x->entries[x->entry_count - 1];
}

void map_mould_is_odd(struct mould_recorder *x)
{
	entry(x)->known = false;
}

/* One more of a kind, of which there is room for `most`. False: there is none. */
static bool more(struct mould_recorder *x, uint32_t *count, uint32_t most)
{
	x->full |= *count == most;
	*count += *count < most;
	return !x->full;
}

/* An entry that came to nothing by its mould alone is left out; one that is gone through by its rows keeps nothing. */
static void end_entry(struct mould_recorder *x)
{
	struct mould_entry *e = x->entry_count ? entry(x) : NULL;
	if (!e)
		return;
	if (!e->known) {
		x->guard_count -= e->guard_count;
		x->segment_count -= e->segment_count;
		e->guard_count = e->segment_count = 0;
	}
	if (e->known && !e->guard_count && !e->segment_count) {
		x->cost += e->cost;
		x->entry_count--;
	}
}

void map_mould_entry(struct mould_recorder *x, int32_t bit)
{
	end_entry(x);
	if (more(x, &x->entry_count, MOST_ENTRIES))
		*entry(x) = (struct mould_entry){.bit = bit, .known = true};
	x->lists = 0;
	x->first_step = x->step_count;
}

void map_mould_segments(struct mould_recorder *x, const struct map_plan_segment *p, size_t n, bool joins, bool bounded)
{
	entry(x)->cost = (uint64_t)p->row_count * n;
	entry(x)->known = !joins && n <= MOULD_TURNS;
	entry(x)->bounded = bounded;
}

void map_mould_guard(struct mould_recorder *x, int32_t row, int outcome)
{
	if (outcome < 0 || !more(x, &x->guard_count, MOST_GUARDS))
		return;
	x->guards[x->guard_count - 1] = (int32_t)((uint32_t)row << 1) | outcome;
	entry(x)->guard_count++;
}

/* The most frequent ways from a value to an element. */
static int how_made(const struct map_row *row, const struct map_plan_row *known)
{
	if (known->plain)
		return MOULD_BARE;
	if (row->table && !row->transform_count)
		return MOULD_TABLE;
	bool number = row->transform_count == 1 && (row->transforms[0].kind == MAP_DECIMAL || row->transforms[0].kind == MAP_NUMBER);
	return number && !row->table ? MOULD_NUMBER : MOULD_ANY;
}

void map_mould_source(struct mould_recorder *x, const struct map_row *row, bool next)
{
	const struct map_plan_row *known = &x->known[row - x->rows];
	if (!more(x, &x->step_count, MOST_STEPS))
		return;
	x->steps[x->step_count - 1] = (struct recorded){.step = {.row = row, .slot = row->slot, .next = next, .makes = how_made(row, known),
		.asks = known->asks, .most = SIZE_MAX, .format = MOULD_NO_CELL}};
	for (uint32_t i = 0; i < row->transform_count; i++)
		if (row->transforms[i].kind == MAP_CUT && row->transforms[i].argument)
			x->steps[x->step_count - 1].step.most = row->transforms[i].argument;
	x->lists += next;
	if (x->lists > MOULD_TURNS)
		map_mould_is_odd(x);
	entry(x)->next |= next;
	x->source = true;
	x->wrote = false;
}

void map_mould_source_end(struct mould_recorder *x, bool wrote)
{
	if (!wrote || !x->wrote)
		map_mould_is_odd(x);
	x->source = false;
}

void map_mould_constant(struct mould_recorder *x, const struct map_row *row, struct slice v)
{
	const struct map_plan_row *known = &x->known[row - x->rows];
	if (!known->plain || row->kind != MAP_ELEMENT || !v.n || (known->element && v.n > known->element->max))
		map_mould_is_odd(x);
}

void map_mould_value(struct mould_recorder *x, const struct out_segment *g, const struct edi_element_def *d, uint32_t element, uint32_t component,
	struct slice v, struct slice format)
{
	const struct out_cell *there;
	if (map_out_find_cell(g, element, component, &there) && there->value.p && !there->weak)
		map_mould_is_odd(x); /* what becomes of it depends on the value there */
	if (!x->source || x->full)
		return;
	if (format.p && map_out_find_cell(g, element, component + 1, &there))
		map_mould_is_odd(x); /* it follows a format that was there */
	struct recorded *step = &x->steps[x->step_count - 1];
	step->step.element = d;
	if (step->step.makes == MOULD_NUMBER && x->x12 && d && d->type == EDI_N)
		step->step.makes = MOULD_ANY; /* its decimals may be implied */
	if (d && d->max < step->step.most)
		step->step.most = d->max;
	step->element = element;
	step->component = component;
	step->value = v;
	step->format = format;
	x->wrote = true;
}

/* The cell of the segment that holds exactly this value; MOULD_NO_CELL. */
static uint16_t cell_of(const struct out_segment *g, uint32_t element, uint32_t component, struct slice v)
{
	for (uint32_t i = 0; i < g->count && i < MOULD_NO_CELL; i++)
		if (g->cells[i].element == element && g->cells[i].component == component && g->cells[i].value.p == v.p && g->cells[i].value.n == v.n)
			return (uint16_t)i;
	return MOULD_NO_CELL;
}

void map_mould_segment(struct mould_recorder *x, const struct out_segment *g)
{
	if (x->full || !entry(x)->known)
		return;
	if (g->count > MOST_CELLS - x->cell_count) {
		x->full = true;
		return;
	}
	if (!more(x, &x->segment_count, MOST_SEGMENTS))
		return;
	struct out_cell *cells = x->cells + x->cell_count;
	memcpy(cells, g->cells, g->count * sizeof *cells);
	x->cell_count += g->count;
	for (uint32_t i = x->first_step; i < x->step_count; i++) {
		struct recorded *one = &x->steps[i];
		one->step.cell = cell_of(g, one->element, one->component, one->value);
		if (one->format.p)
			one->step.format = cell_of(g, one->element, one->component + 1, one->format);
		if (one->step.cell == MOULD_NO_CELL || (one->format.p && one->step.format == MOULD_NO_CELL)) {
			map_mould_is_odd(x); /* another row has written there since */
			return;
		}
	}
	for (uint32_t i = x->first_step; i < x->step_count; i++) { /* they live no longer than the message */
		cells[x->steps[i].step.cell].value = SLICE_NONE;
		if (x->steps[i].step.format != MOULD_NO_CELL)
			cells[x->steps[i].step.format].value = SLICE_NONE;
	}
	x->segments[x->segment_count - 1] = (struct recorded_segment){(uint32_t)(cells - x->cells), g->count, x->first_step, x->step_count - x->first_step, g->counted};
	entry(x)->segment_count++;
	x->first_step = x->step_count;
}

/* --- before and after ------------------------------------------------------------------------------------------------------------ */

static void forget_all(struct map_set *set)
{
	for (struct map *m = set->maps; m; m = m->next)
		for (int32_t i = 0; m->plan && i < m->sheet->scope_count; i++) {
			m->plan->scopes[i].moulds->first = NULL;
			m->plan->scopes[i].moulds->count = 0;
		}
	if (set->moulds)
		van_arena_reset(set->moulds->arena);
}

void map_moulds_free(struct map_set *set)
{
	if (!set->moulds)
		return;
	forget_all(set);
	van_arena_free(set->moulds->arena);
	free(set->moulds);
	set->moulds = NULL;
}

static struct mould_recorder *recorder_of(struct map_set *set)
{
	if (!set->moulds)
		set->moulds = calloc(1, sizeof *set->moulds);
	if (set->moulds && !set->moulds->arena)
		set->moulds->arena = van_arena_new(set->remembered);
	return set->moulds && set->moulds->arena ? &set->moulds->recorder : NULL;
}

/* Whether such an object was met before. */
static bool was_seen(struct map_mould_list *list, const struct out_scope *s)
{
	uint32_t hash = s->filled_count;
	for (uint32_t i = 0; i < s->filled_count; i++)
		hash = (hash ^ s->filled[i]) * 2654435761u;
	for (size_t i = 0; i < MAP_MOULDS_SEEN; i++)
		if (list->seen[i] == hash)
			return true;
	list->seen[list->seen_next++ % MAP_MOULDS_SEEN] = hash;
	return false;
}

struct mould_recorder *map_mould_record(const struct out *o, const struct out_scope *s)
{
	struct map_set *set = o->map->sheet->set;
	if (s->odd || o->r->options.explain || o->r->options.row_by_row || !set->remembered || !was_seen(s->plan->moulds, s))
		return NULL;
	struct mould_recorder *x = recorder_of(set);
	if (!x)
		return NULL;
	memset(&x->entry_count, 0, sizeof *x - offsetof(struct mould_recorder, entry_count));
	x->rows = o->map->sheet->rows;
	x->known = o->plan->rows;
	x->x12 = *o->map->standard == 'x';
	return x;
}

/* The segments of an entry, from *at on. NULL: no memory. */
static const struct mould_segment *keep_segments(struct van_arena *a, const struct mould_recorder *x, const struct map_plan_scope *plan,
	const struct mould_entry *e, uint32_t at)
{
	struct mould_segment *v = van_arena_array(a, e->segment_count, sizeof *v);
	for (uint32_t i = 0; v && i < e->segment_count; i++) {
		const struct map_plan_segment *p = &plan->segments[e->bit];
		const struct recorded_segment *from = &x->segments[at + i];
		struct mould_step *steps = van_arena_array(a, from->step_count, sizeof *steps);
		struct out_cell *cells = van_arena_copy(a, x->cells + from->first_cell, from->cell_count * sizeof *cells);
		if (!steps || !cells)
			return NULL;
		for (uint32_t k = 0; k < from->step_count; k++)
			steps[k] = x->steps[from->first_step + k].step;
		v[i] = (struct mould_segment){.steps = steps, .step_count = from->step_count, .like = {.item = {.node = p->node}, .plan = p, .id = p->id,
			.name = p->name, .cells = cells, .count = from->cell_count, .room = from->cell_count, .counted = from->counted}};
	}
	return v;
}

static struct map_mould *keep(struct van_arena *a, const struct mould_recorder *x, const struct out_scope *s)
{
	struct map_mould *mould = van_arena_alloc(a, sizeof *mould);
	struct mould_entry *entries = van_arena_copy(a, x->entries, x->entry_count * sizeof *entries);
	const uint32_t *filled = van_arena_copy(a, s->filled, s->filled_count * sizeof *filled);
	const int32_t *guards = van_arena_copy(a, x->guards, x->guard_count * sizeof *guards);
	uint32_t segment = 0;
	if (!mould || !entries || !filled || !guards)
		return NULL;
	for (uint32_t i = 0; i < x->entry_count; i++) {
		entries[i].guards = guards;
		guards += entries[i].guard_count;
		entries[i].segments = keep_segments(a, x, s->plan, &entries[i], segment);
		segment += entries[i].segment_count;
		if (!entries[i].segments)
			return NULL;
	}
	*mould = (struct map_mould){.filled_count = s->filled_count, .filled = filled, .entry_count = x->entry_count, .entries = entries,
		.cost = x->cost};
	return mould;
}

void map_mould_keep(const struct out *o, const struct out_scope *s)
{
	struct map_set *set = o->map->sheet->set;
	struct mould_recorder *x = o->recorder;
	struct map_mould_list *list = s->plan->moulds;
	end_entry(x);
	if (x->full)
		return;
	if (list->count == MAP_MOULDS_MAX)
		forget_all(set);
	struct map_mould *mould = keep(set->moulds->arena, x, s);
	if (!mould) {
		forget_all(set);
		return;
	}
	mould->next = list->first;
	list->first = mould;
	list->count++;
}
