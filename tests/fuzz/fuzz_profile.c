/* Profiles and vand.yaml from any bytes: no crash, and what is accepted survives the way to JSON and back. No file is
 * read: without a folder certificates must be embedded. */
#include "base/error.h"
#include "partner/profile_private.h"
#include "partner/settings.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
	if (!holds)
		abort();
}

static void read_as(const struct schema_table *t, const struct schema_node *n)
{
	struct van_arena *arena = van_arena_new((size_t)16 << 20), *again = van_arena_new((size_t)16 << 20);
	struct profile_errors errors = {0};
	struct schema_reader r = {.arena = arena, .errors = &errors, .file = "fuzz"}, back = {.arena = again};
	struct van_buf json = VAN_BUF_INIT(0), json2 = VAN_BUF_INIT(0);
	struct schema_node *parsed;
	void *object = van_arena_alloc(arena, t->size), *object2 = van_arena_alloc(again, t->size);
	check(object && object2);
	int rc = schema_read(&r, t, n, object);
	check((rc == VAN_EINVAL) == (errors.errors > 0) || rc == VAN_ENOMEM);
	if (rc == 0) {
		check(schema_to_json(t, object, &json) == 0);
		check(schema_json_parse(van_buf_slice(&json), SCHEMA_BOUNDS_DEFAULT, again, NULL, &parsed) == 0);
		check(schema_read(&back, t, parsed, object2) == 0);
		check(schema_to_json(t, object2, &json2) == 0);
		check(slice_eq(van_buf_slice(&json), van_buf_slice(&json2)));
	}
	profile_errors_free(&errors);
	van_buf_free(&json);
	van_buf_free(&json2);
	van_arena_free(arena);
	van_arena_free(again);
}

static void read_yaml(struct slice text)
{
	struct schema_yaml *y = schema_yaml_new(text, "fuzz", (struct schema_bounds){1 << 20, 24, 20000});
	struct van_arena *arena = van_arena_new((size_t)64 << 20);
	struct profile_errors errors = {0};
	struct schema_node *n;
	int rc;
	check(y && arena);
	while ((rc = schema_yaml_next(y, arena, &errors, &n)) == 1) {
		for (size_t i = 0; i < 3; i++)
			read_as(profile_tables[i], n);
		read_as(&settings_table, n);
	}
	check(rc == 0 || errors.errors > 0 || rc == VAN_ENOMEM);
	profile_errors_free(&errors);
	van_arena_free(arena);
	schema_yaml_free(y);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice text = slice_make(data, size);
	struct profile_set *set;
	read_yaml(text);
	if (profile_set_from_json(text, &set, NULL) == 0)
		profile_set_free(set);
	return 0;
}
