#include "partner/template.h"

static bool is_key(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!((s.p[i] >= 'a' && s.p[i] <= 'z') || (s.p[i] >= '0' && s.p[i] <= '9') || s.p[i] == '_'))
			return false;
	return s.n > 0 && s.n <= 40;
}

/* "KEY [= DEFAULT] -- HELP" */
static int read_key(struct slice line, struct partner_template *t, struct van_error *e)
{
	const char *dashes = line.n ? memmem(line.p, line.n, " -- ", 4) : NULL;
	struct slice rest = dashes ? slice_make(line.p, (size_t)(dashes - line.p)) : line;
	struct partner_template_key k = {.help = SLICE("")};
	if (dashes)
		k.help = slice_trim(slice_make(dashes + 4, line.n - (size_t)(dashes + 4 - line.p)));
	k.key = slice_trim(slice_cut(&rest, '='));
	k.fallback = rest.p ? slice_trim(rest) : SLICE_NONE;
	if (!is_key(k.key) || slice_is(k.key, "id"))
		return van_error_set(e, VAN_ESYNTAX, "\"%.*s\" is no key of a template: use lower-case letters, digits and _, and not \"id\"",
				     SLICE_ARG(k.key));
	if (t->nkeys == PARTNER_TEMPLATE_KEYS_MAX)
		return van_error_set(e, VAN_ESYNTAX, "more than %d keys in a template", PARTNER_TEMPLATE_KEYS_MAX);
	t->keys[t->nkeys++] = k;
	return 0;
}

int partner_template_read(struct slice text, struct partner_template *ret, struct van_error *e)
{
	struct partner_template t = {.summary = SLICE(""), .text = text};
	int rc = 0;
	for (struct slice rest = text; rest.p && rc == 0;) {
		struct slice line = slice_cut(&rest, '\n');
		if (slice_starts(line, "#:") && t.summary.n == 0)
			t.summary = slice_trim(slice_make(line.p + 2, line.n - 2));
		else if (slice_starts(line, "#?"))
			rc = read_key(slice_trim(slice_make(line.p + 2, line.n - 2)), &t, e);
	}
	if (rc == 0)
		*ret = t;
	return rc;
}

struct filling {
	const struct partner_template *t;
	struct slice id;
	const struct partner_template_value *values;
	size_t n;
	struct van_error *e;
};

static int value_of(const struct filling *f, struct slice key, struct slice *ret)
{
	if (slice_is(key, "id")) {
		*ret = f->id;
		return 0;
	}
	for (size_t i = 0; i < f->n; i++)
		if (slice_eq(f->values[i].key, key)) {
			*ret = f->values[i].value;
			return 0;
		}
	for (size_t i = 0; i < f->t->nkeys; i++)
		if (slice_eq(f->t->keys[i].key, key) && f->t->keys[i].fallback.p) {
			*ret = f->t->keys[i].fallback;
			return 0;
		}
	return van_error_set(f->e, VAN_EINVAL, "give %.*s: --set %.*s=VALUE", SLICE_ARG(key), SLICE_ARG(key));
}

static void put_escaped(struct van_buf *to, struct slice s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '"' || s.p[i] == '\\')
			van_buf_append_char(to, '\\');
		van_buf_append_char(to, s.p[i]);
	}
}

/* Appends the line with its places filled; takes it back when one of them is empty. */
static int fill_line(const struct filling *f, struct slice line, struct van_buf *to)
{
	size_t start = to->n;
	const char *place;
	while (line.n && (place = memmem(line.p, line.n, "${", 2))) {
		struct slice rest = slice_make(place + 2, line.n - (size_t)(place + 2 - line.p)), value;
		van_buf_append(to, line.p, (size_t)(place - line.p));
		struct slice key = slice_cut(&rest, '}');
		if (!rest.p)
			return van_error_set(f->e, VAN_ESYNTAX, "the template has ${ without }: correct it");
		int rc = value_of(f, key, &value);
		if (rc < 0)
			return rc;
		if (value.n == 0) {
			to->n = start;
			return 0;
		}
		put_escaped(to, value);
		line = rest;
	}
	van_buf_append_slice(to, line);
	return van_buf_append_char(to, '\n');
}

static int check_values(const struct filling *f)
{
	for (size_t i = 0; i < f->n; i++) {
		const struct partner_template_value *v = &f->values[i];
		bool known = false;
		for (size_t k = 0; k < f->t->nkeys && !known; k++)
			known = slice_eq(f->t->keys[k].key, v->key);
		if (!known)
			return van_error_set(f->e, VAN_EINVAL, "the template has no key \"%.*s\": see \"vanctl template list\"", SLICE_ARG(v->key));
		for (size_t c = 0; c < v->value.n; c++)
			if ((unsigned char)v->value.p[c] < 32 || v->value.p[c] == 127)
				return van_error_set(f->e, VAN_EINVAL, "the value of %.*s must be one line of text", SLICE_ARG(v->key));
	}
	return 0;
}

int partner_template_fill(const struct partner_template *t, struct slice id, const struct partner_template_value *values,
			  size_t n, struct van_buf *to, struct van_error *e)
{
	struct filling f = {t, id, values, n, e};
	int rc = check_values(&f);
	for (struct slice rest = t->text; rest.p && rc == 0;) {
		struct slice line = slice_cut(&rest, '\n');
		if (!slice_starts(line, "#:") && !slice_starts(line, "#?") && (rest.p || line.n))
			rc = fill_line(&f, line, to);
	}
	return rc < 0 ? rc : to->error;
}
