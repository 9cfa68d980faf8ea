#include "partner/schema.h"

#include <inttypes.h>

static void put_names(const char *const *names, struct van_buf *to)
{
	for (size_t i = 0; names[i]; i++)
		van_buf_printf(to, "%s`%s`", i ? ", " : "", names[i]);
}

static const char *kind_words(const struct schema_field *f)
{
	switch ((enum schema_kind)f->kind) {
	case SCHEMA_TEXT: return "text";
	case SCHEMA_INTEGER: return "whole number";
	case SCHEMA_BOOL: return "`true` or `false`";
	case SCHEMA_ENUM: return "one of ";
	case SCHEMA_SET: return "list of ";
	case SCHEMA_DURATION: return "duration";
	case SCHEMA_SIZE: return "size";
	case SCHEMA_TIME: return "time";
	case SCHEMA_PATH: return "path";
	case SCHEMA_IDENTITY: return "identity";
	case SCHEMA_PARTY: return "identity or `\"*\"`";
	case SCHEMA_TEXTS: return "list of texts";
	case SCHEMA_PATHS: return "list of paths";
	case SCHEMA_IDENTITIES: return "list of identities";
	case SCHEMA_DURATIONS: return "list of durations";
	case SCHEMA_OBJECT:
	case SCHEMA_ONE: return "map: ";
	case SCHEMA_MANY: return "list of maps: ";
	}
	return "";
}

/* GitHub's anchor of a heading: lower case, blanks as hyphens, other signs dropped. */
static void put_link(const char *heading, struct van_buf *to)
{
	van_buf_printf(to, "[%s](#", heading);
	for (; *heading; heading++) {
		char c = *heading >= 'A' && *heading <= 'Z' ? (char)(*heading + 32) : *heading;
		if (c == ' ')
			c = '-';
		if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_')
			van_buf_append_char(to, c);
	}
	van_buf_append_char(to, ')');
}

static void put_type(const struct schema_field *f, struct van_buf *to)
{
	van_buf_append_str(to, kind_words(f));
	if (f->names)
		put_names(f->names, to);
	if (f->sub)
		put_link(f->sub->name, to);
	if (f->kind == SCHEMA_INTEGER && f->max)
		van_buf_printf(to, ", %" PRIu64 " to %" PRIu64, f->min, f->max);
	if (f->kind == SCHEMA_MANY && f->max)
		van_buf_printf(to, ", %" PRIu64 " at most", f->max);
	if (f->word)
		van_buf_printf(to, ", or `%s`", f->word);
}

static void put_row(const struct schema_table *t, const struct schema_field *f, const char *const *select_names, struct van_buf *to)
{
	van_buf_printf(to, "| `%s` | ", f->key);
	put_type(f, to);
	van_buf_append_str(to, " | ");
	if (f->flags & SCHEMA_REQUIRED)
		van_buf_append_str(to, "required");
	else if (f->fallback)
		van_buf_printf(to, "`%s`", *f->fallback ? f->fallback : "\"\"");
	van_buf_append_str(to, " | ");
	if (f->only && select_names) {
		van_buf_printf(to, "(%s ", t->select);
		for (unsigned i = 0, n = 0; select_names[i]; i++)
			if (f->only >> i & 1)
				van_buf_printf(to, "%s`%s`", n++ ? ", " : "", select_names[i]);
		van_buf_append_str(to, ") ");
	}
	van_buf_printf(to, "%s |\n", f->help);
}

static bool is_done(const struct schema_table *t, const struct schema_table **done)
{
	while (*done)
		if (*done++ == t)
			return true;
	return false;
}

int schema_reference(const struct schema_table *t, const struct schema_table **done, size_t room, struct van_buf *to)
{
	size_t n = 0;
	const char *const *select_names = NULL;
	while (done[n])
		n++;
	if (is_done(t, done) || n + 1 >= room)
		return to->error;
	done[n] = t;
	van_buf_printf(to, "\n### %s\n\n%s\n\n| key | value | default | meaning |\n|---|---|---|---|\n", t->name, t->help);
	for (const struct schema_field *f = t->fields; f->key; f++)
		if (t->select && strcmp(f->key, t->select) == 0)
			select_names = f->names;
	for (const struct schema_field *f = t->fields; f->key; f++)
		if (!(f->flags & SCHEMA_DERIVED))
			put_row(t, f, select_names, to);
	for (const struct schema_field *f = t->fields; f->key; f++)
		if (f->sub)
			schema_reference(f->sub, done, room, to);
	return to->error;
}
