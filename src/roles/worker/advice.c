/* What tells a sender which business rules its documents broke: X12's application advice (824), EDIFACT's APERAK. */
#include "edi/check.h"
#include "edi/write_envelope.h"
#include "map/rules.h"
#include "roles/worker/interchange.h"

#define FREE_TEXT_824 60    /* X12 element 3 */
#define FREE_TEXT_APERAK 70 /* EDIFACT 4440 of D.96A */

struct writing {
	struct work *w;
	struct edi_outbound out;
	bool x12;
	bool no_codes; /* those of the rules stand in the texts: the standard's list does not have one of them */
};

static struct van_arena *arena_of(const struct writing *k)
{
	return k->w->job->worker->arena;
}

/* --- values ----------------------------------------------------------------------------------------------------------------------- */

/* Plain ASCII without the delimiters, as long as the element may be: X12 has no way to write the others. */
static struct slice plain(const struct writing *k, struct slice s, size_t most)
{
	const struct edi_delimiters *d = &k->out.writer.delimiters;
	size_t n = s.n < most ? s.n : most;
	char *to = van_arena_alloc(arena_of(k), n + 1);
	for (size_t i = 0; to && i < n; i++) {
		char c = s.p[i];
		bool fits = c >= ' ' && c <= '~' && c != d->element && c != d->component && c != d->terminator && (!d->repetition || c != d->repetition);
		to[i] = fits ? c : ' ';
	}
	return to ? slice_trim(slice_make(to, n)) : SLICE("");
}

static struct slice what_is_wrong(const struct writing *k, const struct map_finding *f, size_t most)
{
	bool code = f->code.n && k->no_codes;
	struct slice text = van_arena_printf(arena_of(k), "%.*s%s%.*s%s%.*s%s%.*s", code ? (int)f->code.n : 0, code ? f->code.p : "", code ? ": " : "",
					     SLICE_ARG(f->text), f->place.n ? " " : "", SLICE_ARG(f->place),
					     f->value.n ? " " : "", SLICE_ARG(f->value));
	return text.p ? plain(k, text, most) : SLICE("");
}

/* The number that the document is known by: its business key, else its control number. */
static struct slice number_of(const struct edi_message *m, const char *const kinds[3][2], const char **ret_qualifier)
{
	for (size_t i = 0; m->keys && i < 3; i++)
		if (strcmp(m->keys->kind, kinds[i][0]) == 0) {
			*ret_qualifier = kinds[i][1];
			return m->keys->value;
		}
	return m->control_number;
}

static void put(struct writing *k, struct slice value)
{
	edi_write_element(&k->out.writer, value);
}

static void put_segment(struct writing *k, const char *id)
{
	edi_write_segment(&k->out.writer, slice_str(id));
}

static void put_end(struct writing *k)
{
	edi_write_end(&k->out.writer);
}

static struct slice code_of(const struct writing *k, const struct map_finding *f, size_t most)
{
	return f->code.n && f->code.n <= most && !k->no_codes ? f->code : SLICE("ZZZ");
}

/* --- 824 ---------------------------------------------------------------------------------------------------------------------------- */

static void put_answered(struct writing *k, const struct work_advice *a)
{
	static const char *const kinds[3][2] = {{"po", "PO"}, {"invoice", "IV"}, {"shipment", "SI"}};
	const struct edi_group *g = a->group;
	const char *qualifier = "TN";
	struct slice number = number_of(a->message, kinds, &qualifier);
	put_segment(k, "OTI");
	put(k, SLICE("TR"));
	put(k, slice_str(qualifier));
	put(k, plain(k, number, 30));
	put(k, g->real ? plain(k, g->sender, 15) : SLICE(""));
	put(k, g->real ? plain(k, g->receiver, 15) : SLICE(""));
	put(k, SLICE(""));
	put(k, SLICE(""));
	put(k, g->real ? g->control_number : SLICE(""));
	put(k, a->message->control_number);
	put(k, a->message->type);
	put_end(k);
	for (const struct map_finding *f = a->findings; f; f = f->next) {
		if (f->severity != MAP_RULE_ERROR)
			continue;
		put_segment(k, "TED");
		put(k, code_of(k, f, 3));
		put(k, what_is_wrong(k, f, FREE_TEXT_824));
		put_end(k);
	}
}

static void write_824(struct writing *k, const struct edi_group_terms *group)
{
	struct van_civil now = k->out.terms.when;
	edi_outbound_group(&k->out, group);
	edi_outbound_message(&k->out, SLICE("824"), group->version, SLICE(""), SLICE(""));
	put_segment(k, "BGN");
	put(k, SLICE("00"));
	put(k, k->w->in->control_number);
	put(k, van_arena_printf(arena_of(k), "%04d%02d%02d", now.year, now.month, now.day));
	put_end(k);
	for (size_t i = 0; i < k->w->advices.n; i++)
		put_answered(k, (const struct work_advice *)k->w->advices.v + i);
	edi_outbound_message_end(&k->out);
}

/* --- APERAK ------------------------------------------------------------------------------------------------------------------------- */

static void put_reference(struct writing *k, const char *qualifier, struct slice number)
{
	put_segment(k, "RFF");
	edi_write_next(&k->out.writer);
	edi_write_value(&k->out.writer, slice_str(qualifier));
	edi_write_value(&k->out.writer, plain(k, number, 35));
	put_end(k);
}

static void put_error(struct writing *k, const struct map_finding *f)
{
	put_segment(k, "ERC");
	put(k, code_of(k, f, 8));
	put_end(k);
	put_segment(k, "FTX");
	put(k, SLICE("AAO"));
	put(k, SLICE(""));
	put(k, SLICE(""));
	put(k, what_is_wrong(k, f, FREE_TEXT_APERAK));
	put_end(k);
}

static void write_aperak(struct writing *k, const struct work_advice *a)
{
	static const char *const kinds[3][2] = {{"po", "ON"}, {"invoice", "IV"}, {"shipment", "AAK"}};
	const char *qualifier = NULL;
	struct slice number = number_of(a->message, kinds, &qualifier);
	edi_outbound_message(&k->out, SLICE("APERAK"), SLICE("D:96A"), SLICE("UN"), SLICE(""));
	put_segment(k, "BGM");
	put(k, SLICE(""));
	put(k, plain(k, van_arena_printf(arena_of(k), "%.*s-%.*s", SLICE_ARG(k->w->in->control_number), SLICE_ARG(a->message->control_number)), 35));
	put(k, SLICE("27"));
	put_end(k);
	put_reference(k, "ACW", a->message->control_number);
	if (qualifier)
		put_reference(k, qualifier, number);
	for (const struct map_finding *f = a->findings; f; f = f->next)
		if (f->severity == MAP_RULE_ERROR)
			put_error(k, f);
	edi_outbound_message_end(&k->out);
}

/* --- all together --------------------------------------------------------------------------------------------------------------------- */

/* GS08 of the document's own release; an EDIFACT one has no group. */
static int write_all(struct writing *k, struct edi_output *ret, struct van_error *e)
{
	struct work *w = k->w;
	struct slice version = w->advices.n ? ((const struct work_advice *)w->advices.v)->message->version : SLICE_NONE;
	const struct edi_group_terms group = {.code = SLICE("AG"), .version = version.n >= 6 ? slice_make(version.p, 6) : SLICE("004010")};
	const struct edi_outbound_terms terms = {
		.standard = w->in->standard, .sender = w->in->receiver, .receiver = w->in->sender, .version = w->in->version,
		.usage = w->in->usage, .when = van_time_civil(van_clock_now() + (van_time)w->zone_offset * 60 * VAN_SECOND),
	};
	int rc = edi_outbound_begin(&k->out, &terms, arena_of(k), e);
	if (rc < 0)
		return rc;
	if (k->x12)
		write_824(k, &group);
	for (size_t i = 0; !k->x12 && i < w->advices.n; i++)
		write_aperak(k, (const struct work_advice *)w->advices.v + i);
	rc = edi_outbound_finish(&k->out, ret, e);
	edi_outbound_free(&k->out);
	return rc;
}

/* Does our own dictionary take it? */
static int check(struct writing *k, const struct edi_output *made, bool *ret_sound, struct van_error *e)
{
	struct van_buf text = VAN_BUF_INIT((size_t)64 << 20);
	struct edi_check_options options = {.max_messages = 0};
	struct edi_report *r = NULL;
	uint32_t one = 1;
	int rc = edi_output_render(made, &one, &one, &text);
	if (rc == 0)
		rc = edi_check_bytes(van_buf_slice(&text), k->w->job->worker->dictionaries, &options, arena_of(k), &r, e);
	*ret_sound = rc == 0 && r->interchanges && r->interchanges->status == EDI_ACCEPTED;
	van_buf_free(&text);
	return rc;
}

static int write_checked(struct writing *k, struct edi_output *ret, struct van_error *e)
{
	bool sound = false;
	int rc = write_all(k, ret, e);
	if (rc == 0)
		rc = check(k, ret, &sound, e);
	if (rc < 0 || sound || k->no_codes)
		return rc < 0 || sound ? rc : van_error_set(e, VAN_EINVAL, "our own dictionary would refuse it");
	k->no_codes = true;
	return write_checked(k, ret, e);
}

static int put_advice(struct work *w, const struct edi_output *made, bool x12)
{
	struct slice type = x12 ? SLICE("824") : SLICE("APERAK"), version = x12 ? made->version : SLICE("D:96A");
	struct ipc_output *o;
	int rc = work_answer(w, type, version, &o);
	if (rc < 0)
		return rc;
	o->extension = SLICE("edi");
	return work_parts(w->job, made, &o->parts);
}

int work_advise(struct work *w)
{
	struct writing k = {.w = w, .x12 = w->in->standard == EDI_X12};
	struct edi_output made;
	struct van_error e = {0};
	if (!w->advices.n)
		return 0;
	if (w->job->plain)
		return work_advise_plain(w);
	int rc = write_checked(&k, &made, &e);
	if (rc == VAN_EINVAL) /* its parties or numbers can't be written back: the history has what it would have said */
		return work_note(w, van_arena_printf(w->job->worker->arena, "no application advice was written: %s", e.text));
	return rc < 0 ? rc : put_advice(w, &made, k.x12);
}
