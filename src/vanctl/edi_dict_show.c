/* vanctl edi dict show: a message as a tree. */
#include "vanctl/edi_dict.h"

#include "edi/definition.h"

#include <stdio.h>

struct show {
	const struct edi_dict *d;
	struct edi_dictionary_set *set;
	const struct edi_message_def *message;
	struct van_buf out;
	struct slice versions[64]; /* that have the type */
	enum edi_standard standards[64];
	unsigned count;
};

static void note_version(void *ctx, const struct edi_dictionary_entry *e)
{
	struct show *s = ctx;
	struct slice wanted = slice_str(s->d->command.version);
	if (e->hidden || !slice_is(e->type, s->d->words[0]) || s->count == 64)
		return;
	/* D96A is D:96A */
	bool same = !wanted.p || slice_eq(e->version, wanted) ||
		(e->version.n == wanted.n + 1 && e->version.p[1] == ':' && e->version.p[0] == wanted.p[0] &&
		memcmp(e->version.p + 2, wanted.p + 1, wanted.n - 1) == 0);
	if (!same)
		return;
	s->versions[s->count] = e->version;
	s->standards[s->count++] = e->standard;
}

static const char *const type_names[] = {[EDI_AN] = "AN", [EDI_ID] = "ID", [EDI_A] = "A", [EDI_N] = "N", [EDI_R] = "R", [EDI_DT] = "DT",
	[EDI_TM] = "TM", [EDI_B] = "B"};

static void put_name(struct van_buf *to, struct slice name)
{
	if (name.n)
		van_buf_printf(to, "  %.*s", SLICE_ARG(name));
}

static void put_field(struct show *s, const struct edi_field *f, const char *at, unsigned number, int depth)
{
	const struct edi_element_def *x = f->element;
	van_buf_printf(&s->out, "%*s%s%02u %-5.*s %s", 2 * depth, "", at, number, SLICE_ARG(f->id), f->mandatory ? "M" : "C");
	if (f->repeat != 1)
		van_buf_printf(&s->out, f->repeat ? " x%u" : " x*", f->repeat);
	if (x) {
		van_buf_printf(&s->out, " %s", type_names[x->type]);
		if (x->type == EDI_N)
			van_buf_printf(&s->out, "%u", x->decimals);
		van_buf_printf(&s->out, " %u-%u%s", x->min, x->max, x->codes && !x->open ? " codes" : "");
	}
	put_name(&s->out, x ? x->name : f->composite->name);
	van_buf_append_char(&s->out, '\n');
	for (uint32_t i = 0; f->composite && i < f->composite->count; i++)
		put_field(s, &f->composite->fields[i], "-", i + 1, depth + 2);
}

static void put_elements(struct show *s, const struct edi_segment_def *segment, int depth)
{
	char id[8];
	snprintf(id, sizeof id, "%.*s", SLICE_ARG(segment->id));
	for (uint32_t i = 0; i < segment->count; i++)
		put_field(s, &segment->fields[i], id, i + 1, depth);
	for (uint32_t i = 0; i < segment->note_count; i++) {
		van_buf_printf(&s->out, "%*snote %c", 2 * depth, "", segment->notes[i].kind);
		for (unsigned k = 0; k < segment->notes[i].n; k++)
			van_buf_printf(&s->out, "%02u", segment->notes[i].at[k]);
		van_buf_append_char(&s->out, '\n');
	}
}

static int depth_of(const struct edi_message_def *m, int32_t node)
{
	int depth = 0;
	for (int32_t at = m->nodes[node].parent; at >= 0; at = m->nodes[at].parent)
		depth++;
	return depth;
}

static void put_node(struct show *s, int32_t i)
{
	const struct edi_node *n = &s->message->nodes[i];
	int depth = depth_of(s->message, i) + 1;
	struct slice id = n->is_loop ? n->loop : n->id;
	van_buf_printf(&s->out, "%*s%s%.*s", 2 * depth, "", n->is_loop ? "loop " : "", SLICE_ARG(id));
	int width = 2 * depth + (n->is_loop ? 5 : 0) + (int)id.n;
	van_buf_printf(&s->out, "%*s %s ", width < 24 ? 24 - width : 1, "", n->mandatory ? "M" : "C");
	if (n->max)
		van_buf_printf(&s->out, "%-6u", n->max);
	else
		van_buf_append_str(&s->out, "*     ");
	if (!n->is_loop)
		put_name(&s->out, n->segment->name);
	if (n->when_count)
		van_buf_printf(&s->out, "  when %u=", n->when_element);
	for (uint32_t k = 0; k < n->when_count; k++)
		van_buf_printf(&s->out, "%s%.*s", k ? "," : "", SLICE_ARG(n->when[k]));
	van_buf_append_char(&s->out, '\n');
	if (!n->is_loop && s->d->elements)
		put_elements(s, n->segment, depth + 2);
}

static int show(struct show *s, enum edi_standard standard, struct slice version)
{
	struct van_error e = {0};
	int rc = edi_dictionary_find(s->set, standard, version, slice_str(s->d->words[0]), &s->message, &e);
	if (rc < 0 || !s->message)
		return edi_fail(EDI_NO, "%s", rc < 0 ? e.text : "it is not there");
	const struct edi_message_def *m = s->message;
	van_buf_printf(&s->out, "%s %.*s %.*s", edi_standard_name(standard), SLICE_ARG(version), SLICE_ARG(m->type));
	put_name(&s->out, m->name);
	van_buf_printf(&s->out, "%s%.*s\n", m->group.n ? ", group " : "", SLICE_ARG(m->group));
	for (int32_t i = 0; i < m->count; i++)
		put_node(s, i);
	van_buf_printf(&s->out, "from %.*s", SLICE_ARG(m->from->path));
	for (const struct edi_dictionary *d = m->from->base; d; d = d->base)
		van_buf_printf(&s->out, ", over %.*s", SLICE_ARG(d->path));
	van_buf_append_char(&s->out, '\n');
	return edi_flush(&s->out) < 0 ? edi_fail(EDI_USAGE, "standard output cannot be written") : EDI_DONE;
}

static int choose(struct show *s)
{
	if (!s->count)
		return edi_fail(EDI_NO, "there is no message %s%s%s; vanctl edi dict list has all", s->d->words[0],
			s->d->command.version ? " in version " : "", s->d->command.version ? s->d->command.version : "");
	/* the newest: of directories by year, where 9x is the last century */
	unsigned best = 0;
	for (unsigned i = 1; i < s->count; i++) {
		struct slice a = s->versions[best], b = s->versions[i];
		bool old = a.n == 5 && a.p[1] == ':' && a.p[2] == '9', new = b.n == 5 && b.p[1] == ':' && b.p[2] != '9';
		if ((old && new) || (old == !new && slice_cmp(b, a) > 0))
			best = i;
	}
	int status = show(s, s->standards[best], s->versions[best]);
	for (unsigned i = 0; i < s->count && status == EDI_DONE && !s->d->command.version; i++)
		if (i != best)
			fprintf(stderr, "vanctl edi: also in %.*s; give --version\n", SLICE_ARG(s->versions[i]));
	return status;
}

int edi_dict_show(const struct edi_dict *d)
{
	struct show s = {.d = d, .out = VAN_BUF_INIT((size_t)64 << 20)};
	struct van_error e = {0};
	if (d->count != 1)
		return edi_fail(EDI_USAGE, "which message? usage: vanctl edi dict show [--version V] [--elements] TYPE");
	s.set = edi_dictionaries(&d->command);
	if (!s.set)
		return EDI_USAGE;
	int status = EDI_NO;
	if (edi_dictionary_set_check(s.set, &e) < 0) {
		edi_fail(EDI_NO, "%s", e.text);
	} else {
		edi_dictionary_set_each(s.set, note_version, &s);
		status = choose(&s);
	}
	van_buf_free(&s.out);
	edi_dictionary_set_free(s.set);
	return status;
}
