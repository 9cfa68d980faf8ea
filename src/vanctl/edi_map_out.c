/* vanctl edi convert --to x12|edifact by maps: documents to messages, and messages of one kind to those of another. */
#include "base/clock.h"
#include "map/tree.h"
#include "vanctl/edi_map.h"

#include <stdio.h>

#define ENVELOPE ((size_t)1 << 20) /* memory of what an interchange keeps beside its messages */

struct outbound {
	struct edi_outbound to;
	struct van_arena *arena; /* of the interchange at hand */
	const struct map *map;   /* of its messages so far */
	uint32_t interchanges;
	struct slice sender, receiver;
	bool open, test;
};

static struct slice member(const struct tree *object, const char *name)
{
	const struct tree *t = object && object->kind == TREE_OBJECT ? tree_find(object, slice_str(name)) : NULL;
	return t && t->kind != TREE_OBJECT && t->kind != TREE_ARRAY ? t->text : SLICE_NONE;
}

static const struct tree *object(const struct tree *document, const char *name)
{
	return document->kind == TREE_OBJECT ? tree_find(document, slice_str(name)) : NULL;
}

/* --map; else the message that the document came from, where it goes back to its standard; else the only map there is. */
static const struct map *choose(struct edi_map *x, const struct tree *document)
{
	const struct tree *source = object(document, "_source");
	struct slice version = slice_str(x->c->version), type = member(source, "type");
	struct slice kind = member(document, "_document");
	const struct edi_sheets_wanted wanted = {.way = MAP_OUT, .standard = x->c->to, .document = kind, .version = version};
	if (x->c->map)
		return edi_sheets_map(&x->maps, &wanted);
	bool back = slice_is(member(source, "standard"), x->c->to) && type.p;
	if (back)
		return map_find_out(x->maps.installed, kind, x->c->to, type, version.p ? version : member(source, "version"));
	return map_find_out(x->maps.installed, kind, x->c->to, SLICE_NONE, version);
}

static int no_map(struct edi_map *x, const struct tree *document)
{
	struct slice kind = member(document, "_document");
	if (x->maps.own)
		return edi_fail(EDI_NO, "%s makes no %s of %.*s%s%s; a sheet that does has <-> or <- in its row @map", x->c->map,
				strcmp(x->c->to, "x12") == 0 ? "X12" : "EDIFACT", SLICE_ARG(kind), x->c->version ? " in version " : "", x->c->version ? x->c->version : "");
	if (x->c->map)
		return edi_fail(EDI_USAGE, "there is no map %s; give the name of one that is installed, or the path of a sheet (.csv)", x->c->map);
	if (!kind.p)
		return edi_fail(EDI_NO, "%s: the document has no _document, such as \"order/1.0\"; add it, or name a map with --map", x->c->file);
	return edi_fail(EDI_NO, "no map, or more than one, makes %s of %.*s%s%s; name one with --map", strcmp(x->c->to, "x12") == 0 ? "X12" : "EDIFACT",
		SLICE_ARG(kind), x->c->version ? " in version " : "", x->c->version ? x->c->version : "");
}

/* Of "D:96A" and "004010" the version of the interchange around them. */
static struct slice interchange_version(const struct map *m, struct van_arena *a)
{
	struct slice v = map_version(m);
	return strcmp(map_standard(m), "x12") == 0 ? van_arena_printf(a, "%.5s", v.n >= 6 && v.p[4] == '0' ? v.p : v.p) : SLICE("UNOC:3");
}

/* Without padding: blanks, and those that a word processor put in place of blanks. */
static struct slice party(struct outbound *o, struct slice s)
{
	s = slice_trim(s);
	while (slice_ends(s, "\xc2\xa0"))
		s = slice_trim(slice_make(s.p, s.n - 2));
	return van_arena_slice(o->arena, s);
}

/* A control number that the document had. */
static uint32_t number(struct slice s, uint32_t otherwise)
{
	unsigned long long n;
	return s.p && slice_u64(s, &n) && n && n <= 999999999 ? (uint32_t)n : otherwise;
}

static int begin(struct edi_map *x, struct outbound *o, const struct map *m, const struct tree *document)
{
	const struct tree *envelope = object(document, "_envelope"), *source = object(document, "_source");
	struct van_error e = {0};
	bool back = slice_is(member(source, "standard"), map_standard(m));
	struct slice d = back ? member(source, "delimiters") : SLICE_NONE;
	struct slice sender = x->c->sender ? slice_str(x->c->sender) : o->sender.p ? o->sender : member(envelope, "sender");
	struct slice receiver = x->c->receiver ? slice_str(x->c->receiver) : o->receiver.p ? o->receiver : member(envelope, "receiver");
	if (!sender.n || !receiver.n)
		return edi_fail(EDI_NO, "%s: nothing tells sender and receiver; give --sender QUAL:ID and --receiver QUAL:ID", x->c->file);
	struct edi_outbound_terms terms = {.standard = strcmp(map_standard(m), "x12") == 0 ? EDI_X12 : EDI_EDIFACT,
		.sender = party(o, sender), .receiver = party(o, receiver),
		.version = interchange_version(m, o->arena), .usage = o->test || slice_is(member(envelope, "test"), "true") ? 'T' : 'P',
		.lines = x->c->lines, .when = van_time_civil(van_clock_now())};
	uint32_t first = (x->c->control ? x->c->control : 1) + o->interchanges;
	terms.control = number(back && !x->c->control ? member(envelope, "interchangeControlNumber") : SLICE_NONE, first);
	terms.group_control = number(back && !x->c->control ? member(envelope, "groupControlNumber") : SLICE_NONE, first);
	if (d.n == 5)
		terms.delimiters = (struct edi_delimiters){.element = d.p[0], .component = d.p[1] == ' ' ? 0 : d.p[1],
			.repetition = d.p[2] == ' ' ? 0 : d.p[2], .release = d.p[3] == ' ' ? 0 : d.p[3], .terminator = d.p[4]};
	if (edi_outbound_begin(&o->to, &terms, o->arena, &e) < 0)
		return edi_fail(EDI_NO, "%s", e.text);
	o->open = true;
	o->map = NULL;
	return EDI_DONE;
}

static int change_group(struct outbound *o, const struct map *m)
{
	struct edi_group_terms terms;
	struct van_error e = {0};
	if (o->map == m || strcmp(map_standard(m), "x12") != 0)
		return EDI_DONE;
	if (map_group(m, &terms, &e) < 0)
		return edi_fail(EDI_NO, "%s", e.text);
	edi_outbound_group(&o->to, &terms);
	return EDI_DONE;
}

/* Moves what was written so far to the output. */
static int pass_on(struct edi_map *x, struct outbound *o)
{
	van_buf_append_slice(&x->out, van_buf_slice(&o->to.draft.text));
	van_buf_reset(&o->to.draft.text);
	return van_buf_error(&x->out) ? edi_fail(EDI_USAGE, "no memory") : edi_map_flow(x, false);
}

static int write_document(struct edi_map *x, struct outbound *o, const struct tree *document, struct slice message, bool chain)
{
	const struct map *m = choose(x, document);
	struct van_error e = {0};
	if (!m)
		return no_map(x, document);
	if (strcmp(map_standard(m), x->c->to) != 0)
		return edi_fail(EDI_USAGE, "map %s makes %s, not %s", map_name(m), map_standard(m), x->c->to);
	int status = o->open ? EDI_DONE : begin(x, o, m, document);
	if (status == EDI_DONE)
		status = change_group(o, m);
	if (status != EDI_DONE)
		return status;
	o->map = m;
	if (map_write(x->run, m, document, &o->to, &e) < 0)
		return edi_fail(EDI_NO, "message %.*s: %s", SLICE_ARG(message), e.text);
	edi_map_report(x, message, chain);
	return pass_on(x, o);
}

static int end(struct edi_map *x, struct outbound *o)
{
	struct edi_output output;
	struct van_error e = {0};
	if (!o->open)
		return EDI_DONE;
	int status = edi_outbound_finish(&o->to, &output, &e) < 0 ? edi_fail(EDI_NO, "%s", e.text) : EDI_DONE;
	if (!x->c->lines)
		van_buf_append_char(&o->to.draft.text, '\n');
	if (status == EDI_DONE)
		status = pass_on(x, o);
	edi_outbound_free(&o->to);
	van_arena_reset(o->arena);
	o->open = false;
	o->interchanges++;
	return status;
}

static int convert_message(struct edi_map *x, void *ctx, const struct edi_map_message *m)
{
	struct outbound *o = ctx;
	struct tree *document = NULL;
	if (!m)
		return end(x, o);
	o->sender = m->envelope.sender;
	o->receiver = m->envelope.receiver;
	o->test = m->envelope.test;
	map_run_reset(x->run);
	int status = edi_map_read(x, m, NULL, &document);
	return status == EDI_DONE ? write_document(x, o, document, m->message->control_number, true) : status;
}

struct documents {
	struct edi_map *x;
	struct outbound *o;
};

static int convert_document(void *ctx, struct tree *document)
{
	struct documents *d = ctx;
	d->x->documents++;
	d->x->status = write_document(d->x, d->o, document, member(object(document, "_envelope"), "messageControlNumber"), false);
	return d->x->status == EDI_DONE ? 0 : VAN_ECLOSED;
}

/* JSON: one document, or an array of them. */
static int convert_documents(struct edi_map *x, struct outbound *o, struct edi_input *in)
{
	struct documents ctx = {x, o};
	struct map_documents *d = map_documents_new(x->run, convert_document, &ctx);
	struct van_buf chunk = VAN_BUF_INIT(0);
	struct van_error e = {0};
	int rc = 0, status = d ? EDI_DONE : edi_fail(EDI_USAGE, "no memory");
	for (size_t n = 1; n && status == EDI_DONE && rc == 0;) {
		van_buf_reset(&chunk);
		status = edi_input_next(in, &chunk, "no memory", &n);
		rc = status == EDI_DONE ? map_documents_feed(d, van_buf_slice(&chunk), !n, &e) : 0;
	}
	if (rc < 0)
		status = x->status != EDI_DONE ? x->status : edi_fail(EDI_NO, "%s: %s", x->c->file, e.text);
	if (status == EDI_DONE && !x->documents)
		status = edi_fail(EDI_NO, "%s: there is no document to convert", x->c->file);
	map_documents_free(d);
	van_buf_free(&chunk);
	return status == EDI_DONE ? end(x, o) : status;
}

static bool is_json(struct slice s)
{
	s = slice_trim(slice_starts(s, "\xef\xbb\xbf") ? slice_make(s.p + 3, s.n - 3) : s);
	return s.n && (*s.p == '{' || *s.p == '[');
}

int edi_run_to_messages(const struct edi_command *c, struct edi_input *in)
{
	struct edi_map x;
	struct outbound o = {.arena = van_arena_new(ENVELOPE)};
	bool json = is_json(in->head);
	int status = edi_map_open(&x, c);
	if (status == EDI_DONE && !o.arena)
		status = edi_fail(EDI_USAGE, "no memory");
	if (status == EDI_DONE)
		status = json ? convert_documents(&x, &o, in) : edi_map_each(&x, in, convert_message, &o);
	if (status == EDI_DONE)
		edi_map_tell(&x);
	if (status == EDI_DONE)
		status = edi_map_flow(&x, true);
	if (o.open)
		edi_outbound_free(&o.to);
	van_arena_free(o.arena);
	edi_map_close(&x);
	return status;
}
