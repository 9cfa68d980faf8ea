#include "partner/problems.h"

#include "base/error.h"
#include "base/record.h"

#include <stdlib.h>

static void problem_free(struct profile_problem *p)
{
	free((char *)(uintptr_t)p->file);
	free((char *)(uintptr_t)p->field);
	free((char *)(uintptr_t)p->text);
	free((char *)(uintptr_t)p->kind);
	free((char *)(uintptr_t)p->id);
}

void profile_errors_free(struct profile_errors *e)
{
	if (!e)
		return;
	for (size_t i = 0; i < e->n; i++)
		problem_free(&e->v[i]);
	free(e->v);
	*e = (struct profile_errors){0};
}

/* One line, whatever the foreign text in it holds. */
static char *single_line(const struct van_buf *b)
{
	char *z = malloc(b->n + 1);
	if (!z)
		return NULL;
	for (size_t i = 0; i < b->n; i++)
		z[i] = (unsigned char)b->p[i] < 32 || b->p[i] == 127 ? ' ' : b->p[i];
	z[b->n] = 0;
	return z;
}

void profile_errors_add(struct profile_errors *e, bool warning, const char *file, unsigned line, const char *field,
			const char *fmt, ...)
{
	if (!e)
		return;
	if (warning)
		e->warnings++;
	else
		e->errors++;
	if (e->n == PROFILE_PROBLEMS_MAX)
		return;
	if (!e->v && !(e->v = calloc(PROFILE_PROBLEMS_MAX, sizeof *e->v))) {
		e->out_of_memory = true;
		return;
	}
	struct van_buf text = VAN_BUF_INIT(4096);
	va_list ap;
	va_start(ap, fmt);
	van_buf_vprintf(&text, fmt, ap);
	va_end(ap);
	struct profile_problem p = {.warning = warning, .file = file ? strdup(file) : NULL, .line = line,
				    .field = strdup(field ? field : ""), .text = single_line(&text)};
	van_buf_free(&text);
	if ((file && !p.file) || !p.field || !p.text) {
		problem_free(&p);
		e->out_of_memory = true;
		return;
	}
	e->v[e->n++] = p;
}

void profile_errors_about(struct profile_errors *e, const char *kind, struct slice id)
{
	struct profile_problem *p = e && e->n && e->errors + e->warnings == e->n ? &e->v[e->n - 1] : NULL;
	if (!p || p->kind)
		return;
	p->kind = strdup(kind);
	p->id = strndup(id.p ? id.p : "", id.n);
	if (!p->kind || !p->id)
		e->out_of_memory = true;
}

/* By file in the order of their first problem, then by line; errors found without a line come first. */
static void in_file_order(const struct profile_errors *e, size_t order[PROFILE_PROBLEMS_MAX])
{
	size_t rank[PROFILE_PROBLEMS_MAX];
	for (size_t i = 0; i < e->n; i++) {
		rank[i] = i;
		for (size_t j = 0; j < i; j++) {
			const char *a = e->v[i].file, *b = e->v[j].file;
			if (a == b || (a && b && strcmp(a, b) == 0)) {
				rank[i] = rank[j];
				break;
			}
		}
		size_t at = i;
		while (at > 0 && (rank[order[at - 1]] > rank[i] ||
				  (rank[order[at - 1]] == rank[i] && e->v[order[at - 1]].line > e->v[i].line))) {
			order[at] = order[at - 1];
			at--;
		}
		order[at] = i;
	}
}

int profile_errors_print(const struct profile_errors *e, struct van_buf *to)
{
	size_t order[PROFILE_PROBLEMS_MAX];
	in_file_order(e, order);
	for (size_t i = 0; i < e->n; i++) {
		const struct profile_problem *p = &e->v[order[i]];
		if (p->file)
			van_buf_printf(to, "%s:", p->file);
		else if (p->kind && p->id)
			van_buf_printf(to, "%s %s:", p->kind, p->id);
		if (p->file && p->line)
			van_buf_printf(to, "%u:", p->line);
		van_buf_printf(to, "%s%s%s%s%s\n", p->file || p->id ? " " : "", p->warning ? "warning: " : "", p->field, *p->field ? ": " : "",
			       p->text);
	}
	if (e->errors + e->warnings > e->n)
		van_buf_printf(to, "and %zu more\n", e->errors + e->warnings - e->n);
	return to->error;
}

int profile_errors_to_json(const struct profile_errors *e, struct van_buf *to)
{
	size_t order[PROFILE_PROBLEMS_MAX];
	in_file_order(e, order);
	van_buf_append_char(to, '[');
	for (size_t i = 0; i < e->n; i++) {
		const struct profile_problem *p = &e->v[order[i]];
		van_buf_printf(to, "%s{\"severity\":\"%s\",\"file\":", i ? "," : "", p->warning ? "warning" : "error");
		json_put_text(to, slice_str(p->file));
		van_buf_append_str(to, ",\"line\":");
		if (p->line)
			van_buf_printf(to, "%u", p->line);
		else
			van_buf_append_str(to, "null");
		van_buf_append_str(to, ",\"kind\":");
		json_put_text(to, slice_str(p->kind));
		van_buf_append_str(to, ",\"id\":");
		json_put_text(to, slice_str(p->id));
		van_buf_append_str(to, ",\"field\":");
		json_put_text(to, slice_str(p->field));
		van_buf_append_str(to, ",\"text\":");
		json_put_text(to, slice_str(p->text));
		van_buf_append_char(to, '}');
	}
	van_buf_append_char(to, ']');
	return to->error;
}
