#include "map/mould.h"
#include "map/transform.h"

const struct map_mould *map_mould_find(const struct out *o, const struct out_scope *s)
{
	const struct map_mould *x = s->odd || o->r->options.explain || o->r->options.row_by_row ? NULL : s->plan->moulds->first;
	while (x && (x->filled_count != s->filled_count || memcmp(x->filled, s->filled, s->filled_count * sizeof *s->filled) != 0))
		x = x->next;
	return x;
}

/* The value of a place as its row makes it. False: it is not as it was. */
static bool convert(struct out *o, const struct mould_step *x, struct out_segment *g, struct slice *v)
{
	if (x->makes == MOULD_NUMBER && map_is_canonical(*v))
		return true;
	if (x->makes == MOULD_TABLE && map_table_out(x->row->table, *v, v))
		return v->n != 0;
	struct slice format = SLICE_NONE;
	const char *what = "";
	if (map_out_convert(o->r, x->row, x->element, &format, v, &what) != 1 || (format.p != NULL) != (x->format != MOULD_NO_CELL))
		return false;
	if (format.p)
		g->cells[x->format].value = format;
	return true;
}

static bool fill(struct out *o, struct out_scope *s, const struct mould_step *x, struct out_segment *g)
{
	const struct tree *t = x->next ? map_out_next_item(s, x->slot) : s->places[x->slot];
	if (!t)
		return false;
	struct slice v = t->text;
	if ((x->makes != MOULD_BARE && !convert(o, x, g, &v)) || v.n > x->most)
		return false;
	g->cells[x->cell].value = v;
	map_out_take(o->r, t);
	if (x->asks)
		map_out_take_conditions(o->r, s, x->row);
	g->origin = g->origin ? g->origin : t->origin;
	return true;
}

static struct out_segment *make(struct out *o, struct out_scope *s, const struct mould_segment *x)
{
	struct out_segment *g = tree_room_take(&o->r->room, sizeof *g + x->like.count * sizeof *g->cells);
	if (!g)
		return NULL;
	*g = x->like;
	g->cells = (struct out_cell *)(void *)(g + 1);
	memcpy(g->cells, x->like.cells, g->count * sizeof *g->cells);
	bool like = true;
	for (uint32_t i = 0; i < x->step_count && like; i++)
		like = fill(o, s, &x->steps[i], g);
	return like ? g : NULL;
}

/* 1: done; 0: an answer was another one, and nothing is written; negative. */
static int write_known(struct out *o, struct out_scope *s, const struct mould_entry *x)
{
	struct out_segment *first = NULL, **last = &first;
	int rc = 0;
	for (uint32_t i = 0; i < x->guard_count; i++)
		if (map_out_may_write(o->r, o, s, x->guards[i] >> 1) != (x->guards[i] & 1))
			return 0;
	if (x->bounded && map_out_left(o, s->loop, s->plan->segments[x->bit].node) < x->segment_count)
		return 0;
	for (uint32_t i = 0; i < x->segment_count; i++) {
		*last = make(o, s, &x->segments[i]);
		if (!*last)
			return 0;
		last = &(*last)->next;
	}
	for (struct out_segment *g = first, *next; g && rc == 0; g = next) {
		next = g->next;
		rc = map_out_settle(o, s, x->bit, s->written, s->loop, g);
	}
	return rc < 0 ? rc : map_run_step(o->r, x->cost) < 0 ? VAN_ELIMIT : 1;
}

/* How far lists were, to go back there. */
static void copy_lists(const struct out_scope *s, const struct mould_entry *x, struct out_list *lists, bool back)
{
	uint32_t n = 0;
	for (uint32_t i = 0; i < x->segment_count; i++)
		for (uint32_t k = 0; k < x->segments[i].step_count; k++) {
			const struct mould_step *step = &x->segments[i].steps[k];
			if (!step->next)
				continue;
			struct out_list *at = &s->plan->work->lists[step->slot];
			*(back ? at : &lists[n]) = back ? lists[n] : *at;
			n++;
		}
}

/* As write_known(), of which nothing is left where it returns 0. */
static int write_listed(struct out *o, struct out_scope *s, const struct mould_entry *x)
{
	struct out_list lists[MOULD_TURNS];
	copy_lists(s, x, lists, false);
	int rc = write_known(o, s, x);
	if (rc == 0)
		copy_lists(s, x, lists, true);
	return rc;
}

static int write_entry(struct out *o, struct out_scope *s, const struct mould_entry *x)
{
	uint64_t steps = o->r->steps;
	int rc = !x->known ? 0 : x->next ? write_listed(o, s, x) : write_known(o, s, x);
	if (rc != 0)
		return rc < 0 ? rc : 0;
	o->r->steps = steps;
	return map_out_bit(o, s, x->bit);
}

int map_mould_write(struct out *o, struct out_scope *s, const struct map_mould *mould)
{
	int rc = map_run_step(o->r, mould->cost);
	for (uint32_t i = 0; i < mould->entry_count && rc == 0; i++)
		rc = write_entry(o, s, &mould->entries[i]);
	return rc;
}
