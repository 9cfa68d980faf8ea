#include "vanctl/edi_map.h"

#include <stdio.h>

#define LARGEST_OUTPUT ((size_t)4 << 30)  /* of what is held: all the documents where another step needs them at once */
#define LARGEST_MESSAGE ((size_t)1 << 30) /* with the bytes that were read behind it */
#define LARGEST_SEGMENT ((size_t)1 << 20) /* the lexer's bound */

int edi_map_open(struct edi_map *x, const struct edi_command *c)
{
	struct map_options options = {.explain = c->explain, .no_side_car = strcmp(c->to, "x12") == 0 || strcmp(c->to, "edifact") == 0};
	options.counts_only = options.no_side_car && !c->explain;
	*x = (struct edi_map){.c = c, .out = VAN_BUF_INIT(LARGEST_OUTPUT), .report = VAN_BUF_INIT(LARGEST_OUTPUT)};
	x->dictionaries = edi_dictionaries(c);
	if (!x->dictionaries)
		return EDI_USAGE;
	int status = edi_sheets_open(c->map, x->dictionaries, &x->maps);
	if (status != EDI_DONE)
		return status;
	x->run = map_run_new(&options);
	return x->run ? EDI_DONE : edi_fail(EDI_USAGE, "no memory");
}

void edi_map_close(struct edi_map *x)
{
	map_run_free(x->run);
	edi_sheets_close(&x->maps);
	edi_dictionary_set_free(x->dictionaries);
	van_buf_free(&x->out);
	van_buf_free(&x->report);
}

/* --- messages of the input ------------------------------------------------------------------------------------------------------- */

struct walk {
	struct edi_map *x;
	struct van_buf window; /* bytes of the input, from those of the message at hand on */
	uint64_t from;         /* offset of the window's first byte */
	edi_map_message_fn fn;
	void *ctx;
	const struct edi_interchange *interchange;
	const struct edi_group *group;
};

static int begin_interchange(void *ctx, const struct edi_interchange *i)
{
	((struct walk *)ctx)->interchange = i;
	return 0;
}

static int begin_group(void *ctx, const struct edi_group *g)
{
	((struct walk *)ctx)->group = g;
	return 0;
}

static int end_message(void *ctx, const struct edi_message *m)
{
	struct walk *w = ctx;
	const struct edi_interchange *i = w->interchange;
	bool grouped = w->group && w->group->real;
	if (m->acknowledgement)
		return 0;
	if (m->offset < w->from) { /* a segment at whose end nobody knew yet that it begins a message */
		w->x->status = edi_fail(EDI_NO, "message %.*s: its first segment is longer than 1 MiB", SLICE_ARG(m->control_number));
		return VAN_ECLOSED;
	}
	struct edi_map_message one = {
		.interchange = i, .group = w->group, .message = m, .bytes = slice_make(w->window.p + (m->offset - w->from), m->length),
		.delimiters = {i->delimiters.element, i->delimiters.component, i->delimiters.repetition, i->delimiters.release, i->delimiters.terminator},
		.envelope = {.sender = i->sender, .receiver = i->receiver, .interchange_control_number = i->control_number,
			.group_control_number = grouped ? w->group->control_number : SLICE_NONE,
			.message_control_number = m->control_number, .test = i->usage == 'T', .version = i->version,
			.date = grouped ? w->group->date : i->date, .time = grouped ? w->group->time : i->time},
	};
	w->x->documents++;
	w->x->status = w->fn(w->x, w->ctx, &one);
	return w->x->status == EDI_DONE ? 0 : VAN_ECLOSED;
}

static int end_interchange(void *ctx, const struct edi_interchange *i)
{
	struct walk *w = ctx;
	(void)i;
	w->x->status = w->fn(w->x, w->ctx, NULL);
	w->group = NULL;
	return w->x->status == EDI_DONE ? 0 : VAN_ECLOSED;
}

/* Bytes that no message needs any more. Between messages the segment that was begun may be the first of one. */
static void forget(struct walk *w, const struct edi_checker *checker)
{
	bool message;
	uint64_t end = w->from + w->window.n, keep = edi_checker_open(checker, &message);
	if (!message && end - keep > LARGEST_SEGMENT + EDI_INPUT_CHUNK)
		keep = end - LARGEST_SEGMENT - EDI_INPUT_CHUNK;
	if (keep > w->from) {
		van_buf_consume(&w->window, (size_t)(keep - w->from));
		w->from = keep;
	}
}

static int feed(struct walk *w, struct edi_input *in, struct edi_checker *checker)
{
	size_t n = 1;
	int rc = 0, status = EDI_DONE;
	while (n && rc == 0 && status == EDI_DONE) {
		status = edi_input_next(in, &w->window, "a message is larger than 1 GiB", &n);
		if (status == EDI_DONE)
			rc = edi_checker_feed(checker, slice_make(w->window.p + w->window.n - n, n), !n);
		forget(w, checker);
	}
	if (rc < 0)
		status = w->x->status != EDI_DONE ? w->x->status : edi_fail(EDI_USAGE, "%s: %s", in->name, van_err_name(rc));
	return status;
}

int edi_map_each(struct edi_map *x, struct edi_input *in, edi_map_message_fn fn, void *ctx)
{
	struct walk w = {.x = x, .window = VAN_BUF_INIT(LARGEST_MESSAGE), .fn = fn, .ctx = ctx};
	struct edi_check_options options = {.envelopes_only = true, .max_segment = LARGEST_SEGMENT};
	struct edi_check_sink sink = {.interchange_begin = begin_interchange, .group_begin = begin_group, .message_end = end_message,
		.interchange_end = end_interchange, .ctx = &w};
	struct edi_checker *checker = edi_checker_new(NULL, &options, &sink);
	int status = checker ? feed(&w, in, checker) : edi_fail(EDI_USAGE, "no memory");
	if (status == EDI_DONE && !edi_checker_report(checker)->interchange_count)
		status = edi_fail(EDI_NO, "%s: %.*s", x->c->file, SLICE_ARG(edi_checker_report(checker)->errors->text));
	if (status == EDI_DONE && !x->documents)
		status = edi_fail(EDI_NO, "%s: there is no message to convert", x->c->file);
	edi_checker_free(checker);
	van_buf_free(&w.window);
	return status;
}

/* Messages of one type and version follow one another. */
static const struct map *find_for(struct edi_map *x, const char *standard, const struct edi_message *m)
{
	if (!x->last || strcmp(map_standard(x->last), standard) != 0 || !slice_eq(map_type(x->last), m->type) || !slice_eq(map_version(x->last), m->version))
		x->last = map_find_for(x->maps.installed, standard, m->type, m->version);
	return x->last;
}

int edi_map_read(struct edi_map *x, const struct edi_map_message *m, const char *name, struct tree **ret)
{
	const char *standard = m->interchange->standard == EDI_X12 ? "x12" : "edifact";
	const struct edi_sheets_wanted wanted = {.way = MAP_IN, .standard = standard, .type = m->message->type, .version = m->message->version};
	const struct map *map = name ? edi_sheets_map(&x->maps, &wanted)
				     : find_for(x, standard, m->message);
	struct van_error e = {0};
	if (!map)
		return name && x->maps.own ? edi_fail(EDI_NO, "%s reads no %.*s %.*s", name, SLICE_ARG(m->message->type), SLICE_ARG(m->message->version))
		       : name ? edi_fail(EDI_USAGE, "there is no map %s", name)
		            : edi_fail(EDI_NO, "no map for %.*s %.*s; name one with --map", SLICE_ARG(m->message->type), SLICE_ARG(m->message->version));
	if (map_read(x->run, map, m->bytes, m->delimiters, &m->envelope, ret, &e) < 0)
		return edi_fail(EDI_NO, "message %.*s: %s", SLICE_ARG(m->message->control_number), e.text);
	return EDI_DONE;
}
