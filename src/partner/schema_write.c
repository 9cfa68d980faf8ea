#include "partner/profile.h"
#include "partner/schema.h"

#include <inttypes.h>

static const void *member(const void *object, const struct schema_field *f)
{
	return (const char *)object + f->offset;
}

/* Left out: values that are not there and for which reading would make nothing. */
static bool is_absent(const struct schema_field *f, const void *m)
{
	switch ((enum schema_kind)f->kind) {
	case SCHEMA_TEXT:
	case SCHEMA_PATH:
	case SCHEMA_IDENTITY:
	case SCHEMA_PARTY: return !((const struct slice *)m)->p;
	case SCHEMA_TIME: return *(const van_time *)m == 0;
	case SCHEMA_DURATION: return !f->fallback && *(const van_time *)m == 0;
	case SCHEMA_TEXTS:
	case SCHEMA_PATHS:
	case SCHEMA_IDENTITIES: return !f->fallback && ((const struct slice_list *)m)->n == 0;
	case SCHEMA_DURATIONS: return !f->fallback && ((const struct profile_durations *)m)->n == 0;
	case SCHEMA_SET: return !f->fallback && *(const uint64_t *)m == 0;
	case SCHEMA_MANY: return ((const struct record_list *)m)->n == 0;
	case SCHEMA_ONE: return !*(void *const *)m;
	default: return false;
	}
}

/* A scalar, or entry `i` of a list of scalars. */
static void put_scalar(const struct schema_field *f, const void *m, size_t i, struct van_buf *to)
{
	switch ((enum schema_kind)f->kind) {
	case SCHEMA_INTEGER:
		if (f->word && *(const uint64_t *)m == 0)
			json_put_text(to, slice_str(f->word));
		else
			van_buf_printf(to, "%" PRIu64, *(const uint64_t *)m);
		return;
	case SCHEMA_BOOL: van_buf_append_str(to, *(const bool *)m ? "true" : "false"); return;
	case SCHEMA_ENUM: json_put_text(to, slice_str(f->names[*(const uint32_t *)m])); return;
	case SCHEMA_SET: json_put_text(to, slice_str(f->names[i])); return;
	case SCHEMA_DURATION:
	case SCHEMA_DURATIONS:
		van_buf_append_char(to, '"');
		schema_duration_print(to, f->kind == SCHEMA_DURATION ? *(const van_time *)m : ((const struct profile_durations *)m)->v[i]);
		van_buf_append_char(to, '"');
		return;
	case SCHEMA_SIZE:
		van_buf_append_char(to, '"');
		schema_size_print(to, *(const uint64_t *)m);
		van_buf_append_char(to, '"');
		return;
	case SCHEMA_TIME: {
		char time[VAN_TIME_TEXT];
		json_put_text(to, slice_str(van_time_rfc3339(time, *(const van_time *)m)));
		return;
	}
	case SCHEMA_TEXTS:
	case SCHEMA_PATHS:
	case SCHEMA_IDENTITIES: json_put_text(to, ((const struct slice_list *)m)->v[i]); return;
	default: json_put_text(to, *(const struct slice *)m); return;
	}
}

/* For lists of scalars: entries 0..n-1; those of a set that are not in it are skipped by the caller. */
static bool scalar_list(const struct schema_field *f, const void *m, size_t *ret_n)
{
	switch ((enum schema_kind)f->kind) {
	case SCHEMA_SET:
		for (*ret_n = 0; f->names[*ret_n]; ++*ret_n)
			;
		return true;
	case SCHEMA_TEXTS:
	case SCHEMA_PATHS:
	case SCHEMA_IDENTITIES: *ret_n = ((const struct slice_list *)m)->n; return true;
	case SCHEMA_DURATIONS: *ret_n = ((const struct profile_durations *)m)->n; return true;
	default: return false;
	}
}

static void put_scalars(const struct schema_field *f, const void *m, size_t n, const char *comma, struct van_buf *to)
{
	bool first = true;
	van_buf_append_char(to, '[');
	for (size_t i = 0; i < n; i++) {
		if (f->kind == SCHEMA_SET && !(*(const uint64_t *)m >> i & 1))
			continue;
		if (!first)
			van_buf_append_str(to, comma);
		first = false;
		put_scalar(f, m, i, to);
	}
	van_buf_append_char(to, ']');
}

static void put_json(const struct schema_field *f, const void *m, struct van_buf *to)
{
	size_t n;
	if (f->kind == SCHEMA_OBJECT) {
		schema_to_json(f->sub, m, to);
	} else if (f->kind == SCHEMA_ONE) {
		schema_to_json(f->sub, *(void *const *)m, to);
	} else if (f->kind == SCHEMA_MANY) {
		const struct record_list *l = m;
		van_buf_append_char(to, '[');
		for (size_t i = 0; i < l->n; i++) {
			if (i)
				van_buf_append_char(to, ',');
			schema_to_json(f->sub, (const char *)l->v + i * f->sub->size, to);
		}
		van_buf_append_char(to, ']');
	} else if (scalar_list(f, m, &n)) {
		put_scalars(f, m, n, ",", to);
	} else {
		put_scalar(f, m, 0, to);
	}
}

int schema_members_to_json(const struct schema_table *t, const void *object, bool *first, struct van_buf *to)
{
	for (const struct schema_field *f = t->fields; f->key; f++) {
		const void *m = member(object, f);
		if (!schema_applies(t, f, object) || is_absent(f, m))
			continue;
		if (!*first)
			van_buf_append_char(to, ',');
		*first = false;
		van_buf_printf(to, "\"%s\":", f->key);
		put_json(f, m, to);
	}
	return to->error;
}

int schema_to_json(const struct schema_table *t, const void *object, struct van_buf *to)
{
	bool first = true;
	van_buf_append_char(to, '{');
	schema_members_to_json(t, object, &first, to);
	return van_buf_append_char(to, '}');
}

static void put_indent(struct van_buf *to, unsigned n)
{
	while (n--)
		van_buf_append_char(to, ' ');
}

/* Texts of several lines (PEM) as a literal block, others quoted as JSON does, which YAML reads the same way. */
static void put_yaml_scalar(const struct schema_field *f, const void *m, unsigned indent, struct van_buf *to)
{
	const struct slice *s = f->kind == SCHEMA_TEXT ? m : NULL;
	if (!s || !memchr(s->p, '\n', s->n) || !slice_ends(*s, "\n") || slice_ends(*s, "\n\n") || s->p[0] == ' ' || s->p[0] == '\n' ||
	    memchr(s->p, '\r', s->n) || memchr(s->p, '\t', s->n)) {
		put_scalar(f, m, 0, to);
		van_buf_append_char(to, '\n');
		return;
	}
	van_buf_append_str(to, "|\n");
	struct slice rest = slice_make(s->p, s->n - 1);
	while (rest.p) {
		struct slice line = slice_cut(&rest, '\n');
		if (line.n)
			put_indent(to, indent + 2);
		van_buf_append_slice(to, line);
		van_buf_append_char(to, '\n');
	}
}

static void put_yaml_list(const struct schema_field *f, const struct record_list *l, unsigned indent, struct van_buf *to)
{
	van_buf_append_char(to, '\n');
	for (size_t i = 0; i < l->n; i++) {
		size_t start = to->n;
		schema_to_yaml(f->sub, (const char *)l->v + i * f->sub->size, indent + 4, to);
		if (to->n >= start + indent + 4 && !to->error)
			to->p[start + indent + 2] = '-'; /* over the blanks of the entry's first line */
	}
}

int schema_to_yaml(const struct schema_table *t, const void *object, unsigned indent, struct van_buf *to)
{
	for (const struct schema_field *f = t->fields; f->key; f++) {
		const void *m = member(object, f);
		size_t n;
		if (!schema_applies(t, f, object) || is_absent(f, m) || f->flags & SCHEMA_DERIVED)
			continue;
		put_indent(to, indent);
		van_buf_printf(to, "%s:", f->key);
		if (f->kind == SCHEMA_OBJECT || f->kind == SCHEMA_ONE) {
			van_buf_append_char(to, '\n');
			schema_to_yaml(f->sub, f->kind == SCHEMA_ONE ? *(void *const *)m : m, indent + 2, to);
		} else if (f->kind == SCHEMA_MANY) {
			put_yaml_list(f, m, indent, to);
		} else if (scalar_list(f, m, &n)) {
			van_buf_append_char(to, ' ');
			put_scalars(f, m, n, ", ", to);
			van_buf_append_char(to, '\n');
		} else {
			van_buf_append_char(to, ' ');
			put_yaml_scalar(f, m, indent, to);
		}
	}
	return to->error;
}
