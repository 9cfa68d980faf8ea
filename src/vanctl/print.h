/* What people see: aligned tables and field lists. Foreign text never reaches the terminal with control characters. */
#ifndef OPENVAN_VANCTL_PRINT_H
#define OPENVAN_VANCTL_PRINT_H

#include <jansson.h>
#include <stdio.h>

struct print_column {
	const char *title;
	const char *key; /* NULL ends a list */
};

/* The whole value as JSON, indented, with a line end. */
void print_json(const json_t *value);

/* An array of objects as a table; says "none" when it is empty. Numbers are right-aligned, times shown to the second. */
void print_table(const json_t *rows, const struct print_column *columns);

/* One "title   value" line for each column whose value is not null. */
void print_fields(const json_t *object, const struct print_column *columns);

#define PRINT_TIME 64 /* room for a time */

/* A value as text in `to`, escaped; times to the second. */
const char *print_value(const json_t *v, char *to, size_t room);

/* How many columns of a terminal a UTF-8 text takes, near enough. */
int print_width(const char *s);

#endif
