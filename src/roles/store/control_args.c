#include "roles/store/control_args.h"

#include <inttypes.h>

/* NULL when absent, null, or an argument before this one was refused. */
static const json_t *find(struct control_args *a, const char *key)
{
	const json_t *v = a->err.code ? NULL : json_object_get(a->object, key);
	return json_is_null(v) ? NULL : v;
}

struct slice control_arg_text(struct control_args *a, const char *key)
{
	const json_t *v = find(a, key);
	if (!v)
		return SLICE_NONE;
	if (!json_is_string(v)) {
		van_error_set(&a->err, VAN_EINVAL, "%s must be a text", key);
		return SLICE_NONE;
	}
	return slice_make(json_string_value(v), json_string_length(v));
}

van_time control_arg_time(struct control_args *a, const char *key)
{
	struct slice text = control_arg_text(a, key);
	van_time t = 0;
	if (text.p && van_time_parse(text, &t) < 0)
		van_error_set(&a->err, VAN_EINVAL, "%s must be a time like 2026-01-31T12:00:00Z", key);
	return t;
}

bool control_arg_flag(struct control_args *a, const char *key)
{
	const json_t *v = find(a, key);
	if (v && !json_is_boolean(v))
		van_error_set(&a->err, VAN_EINVAL, "%s must be true or false", key);
	return json_is_true(v);
}

uint64_t control_arg_number(struct control_args *a, const char *key, uint64_t otherwise, uint64_t most)
{
	const json_t *v = find(a, key);
	unsigned long long n = 0;
	if (!v)
		return otherwise;
	if (json_is_string(v) && slice_u64(slice_str(json_string_value(v)), &n) && n <= most)
		return n;
	if (!json_is_integer(v) || json_integer_value(v) < 0 || (uint64_t)json_integer_value(v) > most) {
		van_error_set(&a->err, VAN_EINVAL, "%s must be a number of at most %" PRIu64, key, most);
		return otherwise;
	}
	return (uint64_t)json_integer_value(v);
}

int control_arg_name(struct control_args *a, const char *key, const char *const *names)
{
	struct slice text = control_arg_text(a, key);
	if (!text.p)
		return -1;
	for (int i = 0; names[i]; i++)
		if (text.n && slice_is(text, names[i]))
			return i;
	van_error_set(&a->err, VAN_EINVAL, "%s has no value '%.*s'", key, SLICE_ARG(text));
	return -1;
}
