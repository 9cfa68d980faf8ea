/* What is remembered by the shape of loops changes nothing: messages of all kinds, made different in every way that a partner knows, give
 * the same documents, notes and errors with it, without it, with hardly any room for it, and where every row looks for itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "edi_input.h"

#include "edi/dictionary.h"
#include "map/run.h"

#define MOST 600   /* segments */
#define ROUNDS 500 /* of each sample */

static const size_t remembered[] = {0, (size_t)512 << 10, 12000, 0}; /* the first: row by row */

enum { SETS = sizeof remembered / sizeof *remembered };

struct sets {
	struct edi_dictionary_set *dictionaries;
	struct map_set *set[SETS];
	struct map_run_state *run[SETS];
};

/* --- a message, and others like it -------------------------------------------------------------------------------------------------- */

struct segments {
	struct slice v[MOST];
	uint32_t n;
};

static uint32_t any(uint32_t n)
{
	static uint64_t x = 88172645463325252u;
	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return (uint32_t)(x >> 11) % n;
}

static void cut(struct slice message, char terminator, struct segments *s)
{
	s->n = 0;
	while (message.p && s->n < MOST) {
		struct slice one = slice_trim(slice_cut(&message, terminator));
		if (one.n)
			s->v[s->n++] = one;
	}
}

static const char *const values[] = {"", "BY", "ST", "SU", "UP", "VN", "EN", "ZZ", "DP", "TE", "EM", "002", "010", "00", "F", "  ", "92 ", "AAA", "7",
	"20260115", "a text of many words that is longer than what is asked for may be", "\xc4pfel"};

/* The segment with one element changed, dropped or put in. */
static struct slice change(struct van_arena *a, struct slice segment, struct map_delimiters d)
{
	struct van_buf b = VAN_BUF_INIT(0);
	uint32_t n = 0, at, what = any(5);
	for (size_t i = 0; i < segment.n; i++)
		n += segment.p[i] == d.element;
	at = 1 + any(n ? n : 1);
	struct slice rest = segment;
	for (uint32_t i = 0; rest.p; i++) {
		struct slice one = slice_cut(&rest, d.element);
		if (i == at && what == 0)
			continue;
		if (i)
			van_buf_append_char(&b, d.element);
		if (i == at && what <= 2)
			van_buf_append_str(&b, values[any(sizeof values / sizeof *values)]);
		if (i == at && what == 2)
			van_buf_append_char(&b, d.element);
		if (i != at || what != 1)
			van_buf_append_slice(&b, one);
		if (i == at && what == 3)
			van_buf_printf(&b, "%c%s", d.component, values[any(sizeof values / sizeof *values)]);
		if (i == at && what == 4 && d.repetition)
			van_buf_printf(&b, "%c%s", d.repetition, values[any(sizeof values / sizeof *values)]);
	}
	struct slice result = van_arena_slice(a, van_buf_slice(&b));
	van_buf_free(&b);
	return result;
}

/* Segments doubled, dropped, exchanged and changed: none to seven times. */
static struct slice vary(struct van_arena *a, const struct segments *from, struct map_delimiters d)
{
	static struct segments s;
	struct van_buf b = VAN_BUF_INIT(0);
	s = *from;
	for (uint32_t k = any(8); k--;) {
		uint32_t i = 1 + any(s.n - 1), other = 1 + any(s.n - 1), what = any(8);
		struct slice one = s.v[i];
		if (what == 0 && s.n < MOST) {
			memmove(s.v + other + 1, s.v + other, (s.n - other) * sizeof *s.v);
			s.v[other] = one;
			s.n++;
		} else if (what == 1 && s.n > 4) {
			memmove(s.v + i, s.v + i + 1, (--s.n - i) * sizeof *s.v);
		} else if (what == 2) {
			s.v[i] = s.v[other];
			s.v[other] = one;
		} else {
			s.v[i] = change(a, one, d);
		}
	}
	for (uint32_t i = 0; i < s.n; i++) {
		van_buf_append_slice(&b, s.v[i]);
		van_buf_append_char(&b, d.terminator);
	}
	struct slice result = van_arena_slice(a, van_buf_slice(&b));
	van_buf_free(&b);
	return result;
}

/* --- what comes of it ------------------------------------------------------------------------------------------------------------- */

static void put(struct van_buf *to, const char *name, struct slice v)
{
	van_buf_printf(to, " %s=%.*s%s", name, SLICE_ARG(v), v.p ? "" : "-");
}

static size_t values_of(const struct tree *t)
{
	size_t n = 1;
	for (const struct tree *c = t->kind == TREE_OBJECT || t->kind == TREE_ARRAY ? t->first : NULL; c; c = c->next)
		n += values_of(c);
	return n;
}

static void tell(struct map_run_state *r, const struct map *map, struct slice message, struct map_delimiters d, struct van_buf *to)
{
	const struct map_envelope envelope = {.sender = SLICE("ZZ:A"), .receiver = SLICE("ZZ:B"), .message_control_number = SLICE("7"),
		.version = SLICE("UNOC:3"), .date = SLICE("20260115"), .time = SLICE("0930")};
	struct tree *document = NULL;
	struct van_error e = {0};
	map_run_reset(r);
	int rc = map_read(r, map, message, d, &envelope, &document, &e);
	van_buf_printf(to, "%d %s\n", rc, e.text);
	if (rc == 0) {
		assert_true(values_of(document) <= r->options.max_values);
		tree_write(document, false, to);
	}
	for (const struct map_note *n = map_run_notes(r); n; n = n->next) {
		van_buf_printf(to, "\n%d row=%u position=%u element=%u component=%u", (int)n->kind, n->row, n->position, n->element, n->component);
		put(to, "place", n->place);
		put(to, "segment", n->segment);
		put(to, "loop", n->loop);
		put(to, "value", n->value);
	}
	van_buf_append_char(to, 0);
}

static void same(struct sets *s, const char *name, struct slice message, struct map_delimiters d)
{
	struct van_buf first = VAN_BUF_INIT(0), other = VAN_BUF_INIT(0);
	for (int i = 0; i < SETS; i++) {
		const struct map *map = map_find(s->set[i], slice_str(name));
		assert_non_null(map);
		van_buf_reset(&other);
		tell(s->run[i], map, message, d, i ? &other : &first);
		if (i && strcmp(first.p, other.p) != 0)
			fail_msg("%s with %zu bytes remembered: of %.*s came\n%s\nand not\n%s", name, remembered[i], SLICE_ARG(message), other.p, first.p);
	}
	van_buf_free(&first);
	van_buf_free(&other);
}

static void try_sample(struct sets *s, const char *path, const char *name)
{
	char room[4096];
	struct van_buf in = VAN_BUF_INIT(0);
	struct van_arena *a = van_arena_new(0), *texts = van_arena_new((size_t)256 << 20);
	struct edi_report *report = NULL;
	struct van_error e = {0};
	static struct segments segments;
	assert_int_equal(file_read(edi_source_path(room, sizeof room, path), &in), 0);
	assert_int_equal(edi_check_bytes(van_buf_slice(&in), NULL, NULL, a, &report, &e), 0);
	const struct edi_interchange *i = report->interchanges;
	const struct edi_message *m = i->groups->messages;
	struct map_delimiters d = {i->delimiters.element, i->delimiters.component, i->delimiters.repetition, i->delimiters.release, i->delimiters.terminator};
	cut(slice_make(in.p + m->offset, m->length), d.terminator, &segments);
	for (int round = 0; round < ROUNDS; round++)
		same(s, name, vary(texts, &segments, d), d);
	van_arena_free(a);
	van_arena_free(texts);
	van_buf_free(&in);
}

static void try_samples(const struct map_options *options)
{
	static const char *const samples[][2] = {
		{"partners/samples/850.edi", "x12-004010-850-to-order"},
		{"maps/samples/x12-850-order/order-005010.x12", "x12-005010-850-to-order"},
		{"maps/samples/x12-810-invoice/invoice-004010.x12", "x12-004010-810-to-invoice"},
		{"maps/samples/x12-820-remittance-advice/payment-004010.x12", "x12-004010-820-to-remittance-advice"},
		{"maps/samples/x12-856-despatch-advice/items-of-orders.x12", "x12-004010-856-to-despatch-advice"},
		{"maps/samples/edifact-orders-order/order-d96a.edi", "edifact-d96a-orders-to-order"},
		{"maps/samples/edifact-desadv-despatch-advice/pallet-d96a.edi", "edifact-d96a-desadv-to-despatch-advice"},
	};
	struct sets s = {.dictionaries = edi_test_dictionaries()};
	struct van_error e = {0};
	char path[4096];
	for (int i = 0; i < SETS; i++) {
		assert_int_equal(map_set_open(edi_source_path(path, sizeof path, "maps"), &s.set[i], &e), 0);
		map_set_dictionaries(s.set[i], s.dictionaries);
		map_set_remember(s.set[i], remembered[i]);
		struct map_options own = options ? *options : (struct map_options){0};
		own.row_by_row = i == 0;
		s.run[i] = map_run_new(&own);
	}
	for (size_t i = 0; i < sizeof samples / sizeof *samples; i++)
		try_sample(&s, samples[i][0], samples[i][1]);
	assert_null(s.set[0]->shapes);
	assert_non_null(s.set[1]->shapes);
	for (int i = 0; i < SETS; i++) {
		map_run_free(s.run[i]);
		map_set_free(s.set[i]);
	}
	edi_dictionary_set_free(s.dictionaries);
}

static void documents(void **state)
{
	(void)state;
	try_samples(NULL);
}

static void explained(void **state)
{
	(void)state;
	try_samples(&(struct map_options){.explain = true});
}

static void without_side_car(void **state)
{
	(void)state;
	try_samples(&(struct map_options){.no_side_car = true});
}

/* Bounds are met at the same place. */
static void bounds(void **state)
{
	(void)state;
	try_samples(&(struct map_options){.max_values = 90});
	try_samples(&(struct map_options){.max_steps = 1500});
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(documents), cmocka_unit_test(explained), cmocka_unit_test(without_side_car), cmocka_unit_test(bounds)};
	return cmocka_run_group_tests_name("map_shape", tests, NULL, NULL);
}
