/* map check and map test. */
#include "base/datafolder.h"
#include "base/error.h"
#include "map/hint.h"
#include "map/rules.h"
#include "map/sample.h"
#include "vanctl/map.h"
#include "vanctl/print.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ERRORS_MOST 100
#define DIFFERENCES_MAX ((size_t)1 << 20)

/* --- check ---------------------------------------------------------------------------------------------------------------------- */

/* The row that an error names; 0: none. */
static unsigned row_of(const char *text)
{
	const char *at = strstr(text, "row ");
	return at ? (unsigned)strtoul(at + 4, NULL, 10) : 0;
}

/* Where line `row` stands; false: it is not there. */
static bool line_at(struct slice text, unsigned row, size_t *ret_start, size_t *ret_end)
{
	size_t start = 0, end;
	for (unsigned line = 1;; line++) {
		const char *p = start <= text.n ? memchr(text.p + start, '\n', text.n - start) : NULL;
		end = p ? (size_t)(p - text.p) : text.n;
		if (line == row)
			break;
		if (!p)
			return false;
		start = end + 1;
	}
	*ret_start = start;
	*ret_end = end;
	return true;
}

static void print_error(const struct map_source *s, unsigned row, const char *text, json_t *list)
{
	if (list)
		json_array_append_new(list, json_pack("{s:s, s:i, s:s}", "sheet", map_source_place(s), "row", (int)row, "error", text));
	else if (row)
		fprintf(stderr, "%s:%u: %s\n", map_source_place(s), row, text);
	else
		fprintf(stderr, "%s: %s\n", map_source_place(s), text);
}

/* Compiling stops at the first error: its row is made empty, and the rest is compiled again. What is wrong only because a row was made empty is no
 * error of the sheet: a first line or a row @map in error is told alone. */
size_t map_print_errors(struct map_source *s, json_t *list)
{
	size_t count = 0, start, end;
	char *text = van_arena_str(s->arena, s->text);
	struct map_set *set = NULL;
	bool head_is_gone = false;
	for (unsigned last = 0; text && count < ERRORS_MOST;) {
		struct van_error e = {0};
		struct slice now = slice_make(text, s->text.n);
		if (map_library_compile(s->library, s->name, now, &set, &e) == 0)
			break;
		unsigned row = row_of(e.text);
		if ((row == last && row) || (!row && head_is_gone))
			return count;
		print_error(s, row, e.text, list);
		count++;
		if (row < 2 || !line_at(now, row, &start, &end))
			return count;
		head_is_gone |= slice_starts(slice_make(text + start, end - start), "@map");
		for (size_t i = start; i < end; i++)
			text[i] = ',';
		for (size_t i = start + 7; i < end; i++) /* an empty row: blanks take no columns */
			text[i] = ' ';
		last = row;
	}
	map_set_free(set);
	return count;
}

struct hints {
	const struct map_source *s;
	json_t *list;
	size_t count;
};

static void print_hint(void *ctx, unsigned row, const char *cell, struct slice text)
{
	struct hints *h = ctx;
	h->count++;
	if (h->list)
		json_array_append_new(h->list, json_pack("{s:s, s:i, s:s, s:s%}", "sheet", map_source_place(h->s), "row", (int)row, "cell", cell, "hint", text.p, text.n));
	else
		fprintf(stderr, "%s:%u: hint: %s: %.*s\n", map_source_place(h->s), row, cell, SLICE_ARG(text));
}

/* Of a sheet that is sound: what nothing can come of. */
static int print_hints(struct map_source *s, json_t *list, size_t *ret)
{
	char folder[4096], schemas[4352];
	struct hints h = {.s = s, .list = list};
	struct van_error e = {0};
	struct map_set *set = NULL;
	const char *own = getenv("OPENVAN_MAPS");
	bool found = van_data_folder("maps", folder, sizeof folder) == 0;
	snprintf(schemas, sizeof schemas, "%s/canonical", own && *own ? own : folder);
	const struct map_rules *rules;
	bool business = slice_starts(s->name, "rules-");
	int rc = map_library_compile(s->library, s->name, s->text, &set, &e);
	if (rc == 0 && business && (found || (own && *own)))
		rc = map_rules_compile(s->arena, s->name, s->text, &rules, &e) < 0 ? 0 : map_rules_hints(rules, schemas, print_hint, &h, &e);
	else if (rc == 0)
		rc = map_hints(set, found || (own && *own) ? schemas : NULL, print_hint, &h, &e);
	map_set_free(set);
	*ret = h.count;
	return rc < 0 ? ctl_fail(CTL_USAGE, "%s: %s", map_source_place(s), e.text[0] ? e.text : van_err_name(rc)) : CTL_DONE;
}

int map_check(struct ctl *c)
{
	size_t errors = 0;
	int status = CTL_DONE;
	json_t *list = c->json ? json_array() : NULL;
	for (size_t i = 0; i < c->nargs; i++) {
		struct map_source s;
		int one = map_source_open(c, c->args[i], &s);
		size_t n = one ? 0 : map_print_errors(&s, list), hints = 0;
		if (!one && !n)
			one = print_hints(&s, list, &hints);
		if (!one && !n && !c->json)
			printf("%s: sound, %zu sample%s%s\n", map_source_place(&s), s.ncases, s.ncases == 1 ? "" : "s", hints ? "; see the hints" : "");
		errors += n;
		status = one > status ? one : status;
		map_source_free(&s);
	}
	if (errors && !status)
		status = CTL_NO;
	if (list)
		print_json(list);
	json_decref(list);
	return status;
}

/* --- test ----------------------------------------------------------------------------------------------------------------------- */

static int run_case(const struct map_source *s, const struct map_set *set, const struct map_case *k, json_t *list)
{
	struct van_buf differences = VAN_BUF_INIT(DIFFERENCES_MAX);
	struct van_error e = {0};
	int rc = map_sample_check(set, k->name, k->input, k->expected, &differences, &e);
	const char *result = rc == 0 ? "passed" : rc == VAN_ECONFLICT ? "different" : "failed";
	if (list)
		json_array_append_new(list, json_pack("{s:s%, s:s, s:s, s:s%}", "sample", k->name.p, k->name.n, "result", result, "error", e.text,
						      "differences", differences.p ? differences.p : "", differences.n));
	else
		printf("%s: sample %.*s %s%s%s\n%.*s", map_source_place(s), SLICE_ARG(k->name), result, e.text[0] ? ": " : "", e.text,
		       (int)differences.n, differences.p ? differences.p : "");
	van_buf_free(&differences);
	return rc == 0 ? CTL_DONE : CTL_NO;
}

static int run_cases(struct ctl *c, const struct map_source *s, const struct map_set *set)
{
	json_t *list = c->json ? json_array() : NULL;
	int status = CTL_DONE;
	for (size_t i = 0; i < s->ncases; i++) {
		if (c->nargs > 1 && !slice_is(s->cases[i].name, c->args[1]))
			continue;
		if (run_case(s, set, &s->cases[i], list) != CTL_DONE)
			status = CTL_NO;
	}
	if (list)
		print_json(list);
	json_decref(list);
	return status;
}

/* A file without an expected result: what comes of it is printed. */
static int run_file(const struct map_source *s, const struct map_set *set, const char *path)
{
	struct van_buf out = VAN_BUF_INIT((size_t)1 << 30);
	struct van_error e = {0};
	struct slice input;
	int status = map_read_file(path, (size_t)1 << 28, s->arena, &input);
	int rc = status ? 0 : map_sample_run(set, slice_str(path), input, &out, &e);
	if (rc < 0)
		status = ctl_fail(CTL_NO, "%s: %s: %s", map_source_place(s), path, e.text);
	else if (!status)
		fwrite(out.p, 1, out.n, stdout);
	van_buf_free(&out);
	return status;
}

static bool has_case(const struct map_source *s, const char *name)
{
	for (size_t i = 0; i < s->ncases; i++)
		if (slice_is(s->cases[i].name, name))
			return true;
	return false;
}

static int test_source(struct ctl *c, struct map_source *s)
{
	struct map_set *set = NULL;
	if (map_print_errors(s, NULL))
		return CTL_NO;
	if (map_library_compile(s->library, s->name, s->text, &set, NULL) < 0)
		return ctl_fail(CTL_USAGE, "out of memory");
	int status;
	if (c->nargs > 1 && !has_case(s, c->args[1]) && access(c->args[1], R_OK) < 0)
		status = ctl_fail(CTL_USAGE, "%s has no sample %s, and there is no file of that name that can be read; vanctl map test %s runs its %zu sample%s",
				  map_source_place(s), c->args[1], map_source_place(s), s->ncases, s->ncases == 1 ? "" : "s");
	else if (c->nargs > 1 && !has_case(s, c->args[1]))
		status = run_file(s, set, c->args[1]);
	else if (!s->ncases)
		status = ctl_fail(CTL_NO, "%s has no samples; put some into samples/%.*s/ beside it, or vanctl map sample add", map_source_place(s),
				  SLICE_ARG(s->name));
	else if (!(status = map_cases_complete(s)))
		status = run_cases(c, s, set);
	map_set_free(set);
	return status;
}

int map_test(struct ctl *c)
{
	struct map_source s;
	int status = map_source_open(c, c->args[0], &s);
	if (!status)
		status = test_source(c, &s);
	map_source_free(&s);
	return status;
}
