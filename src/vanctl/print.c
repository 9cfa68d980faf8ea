#include "vanctl/print.h"

#include <stdbool.h>
#include <string.h>

#define COLUMNS_MAX 24
#define CELL_MAX 400

void print_json(const json_t *value)
{
	json_dumpf(value, stdout, JSON_INDENT(2) | JSON_ENCODE_ANY);
	putchar('\n');
}

/* "2026-01-31T12:34:56.123456Z": shown without the fraction. */
static bool is_time(const char *s)
{
	return strlen(s) >= 20 && s[4] == '-' && s[7] == '-' && s[10] == 'T' && s[13] == ':' && s[strlen(s) - 1] == 'Z';
}

static void put_escaped(const char *s, char *to, size_t room)
{
	size_t n = 0;
	for (; *s && n + 5 < room; s++) {
		unsigned char c = (unsigned char)*s;
		if (c < 32 || c == 127)
			n += (size_t)snprintf(to + n, room - n, "\\x%02x", c);
		else
			to[n++] = *s;
	}
	to[n] = 0;
}

static void put_list(const json_t *v, char *to, size_t room)
{
	size_t i, n = 0;
	json_t *item;
	to[0] = 0;
	json_array_foreach (v, i, item) {
		char one[CELL_MAX];
		const char *text = print_value(json_is_object(item) && json_object_get(item, "id") ? json_object_get(item, "id") : item,
					       one, sizeof one);
		n += (size_t)snprintf(to + n, room - n, "%s%s", i ? ", " : "", text);
		if (n >= room)
			return;
	}
	if (!i)
		snprintf(to, room, "-");
}

const char *print_value(const json_t *v, char *to, size_t room)
{
	switch (v ? json_typeof(v) : JSON_NULL) {
	case JSON_STRING:
		put_escaped(json_string_value(v), to, room);
		if (is_time(to))
			snprintf(to + 19, room - 19, "Z");
		break;
	case JSON_INTEGER: snprintf(to, room, "%" JSON_INTEGER_FORMAT, json_integer_value(v)); break;
	case JSON_REAL: snprintf(to, room, "%.3f", json_real_value(v)); break;
	case JSON_TRUE: snprintf(to, room, "yes"); break;
	case JSON_FALSE: snprintf(to, room, "no"); break;
	case JSON_ARRAY: put_list(v, to, room); break;
	case JSON_OBJECT: snprintf(to, room, "{…}"); break;
	case JSON_NULL: snprintf(to, room, "-"); break;
	}
	return to;
}

int print_width(const char *s)
{
	int n = 0;
	for (; *s; s++)
		n += (*s & 0xc0) != 0x80;
	return n;
}

static void put_cell(const char *text, int room, bool right, bool last)
{
	int pad = room - print_width(text);
	if (right)
		printf("%*s%s", pad > 0 ? pad : 0, "", text);
	else
		printf("%s%*s", text, last || pad < 0 ? 0 : pad, "");
	fputs(last ? "\n" : "  ", stdout);
}

void print_table(const json_t *rows, const struct print_column *columns)
{
	int widths[COLUMNS_MAX];
	bool right[COLUMNS_MAX];
	char cell[CELL_MAX];
	size_t n = 0, i;
	json_t *row;
	if (!json_array_size(rows)) {
		puts("none");
		return;
	}
	for (; columns[n].key && n < COLUMNS_MAX; n++) {
		widths[n] = print_width(columns[n].title);
		right[n] = false;
		json_array_foreach (rows, i, row) {
			const json_t *v = json_object_get(row, columns[n].key);
			int w = print_width(print_value(v, cell, sizeof cell));
			widths[n] = w > widths[n] ? w : widths[n];
			right[n] |= json_is_number(v);
		}
	}
	for (size_t k = 0; k < n; k++)
		put_cell(columns[k].title, widths[k], right[k], k + 1 == n);
	json_array_foreach (rows, i, row)
		for (size_t k = 0; k < n; k++)
			put_cell(print_value(json_object_get(row, columns[k].key), cell, sizeof cell), widths[k], right[k], k + 1 == n);
}

void print_fields(const json_t *object, const struct print_column *columns)
{
	char cell[4 * CELL_MAX];
	int room = 0;
	for (const struct print_column *c = columns; c->key; c++)
		room = print_width(c->title) > room ? print_width(c->title) : room;
	for (const struct print_column *c = columns; c->key; c++) {
		const json_t *v = json_object_get(object, c->key);
		if (v && !json_is_null(v))
			printf("%-*s  %s\n", room, c->title, print_value(v, cell, sizeof cell));
	}
}
