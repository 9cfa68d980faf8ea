/* EDI for the receiver: messages become interchanges as the agreement has them, at once or after they waited in a batch. */
#include "map/library.h"
#include "partner/settings.h"
#include "roles/worker/interchange.h"

#include <stdio.h>
#include <stdlib.h>

/* One message on its way out. */
struct piece {
	struct slice type, version, agency, association, group_code;
	struct edi_delimiters delimiters; /* of its bytes */
	struct slice bytes;               /* ST to SE, UNH to UNT */
	struct ipc_transaction facts;     /* what it was made of; its keys */
	size_t order;
	bool aside;                       /* nothing is written of it: it went to quarantine */
	struct slice report;              /* what of the document did not go along, for the history; absent: nothing */
};

#define LEFT_OUT_SHOWN 5              /* places of a message in the report */
#define REPORT_MAX ((size_t)2000)     /* of an interchange */

/* While interchanges are written. */
struct packing {
	struct job *job;
	const struct directory_route *route;
	struct edi_outbound_terms terms;
	struct edi_outbound out;
	bool begun;
	struct job_list transactions; /* struct ipc_transaction: of the interchange at hand */
	const struct piece *last;     /* the piece before, of the same group */
	bool x12, dry;                /* dry: only to see whether it can be written */
	struct slice env;
	size_t number;                /* of the received interchange */
	struct van_buf report;        /* of the interchange at hand */
	struct van_error error;
};

static struct slice id_of(struct slice identity)
{
	slice_cut(&identity, ' ');
	return identity.p ? identity : SLICE("");
}

/* --- terms ---------------------------------------------------------------------------------------------------------------- */

/* ISA12 of a version: 004010 goes into 00401. */
static struct slice envelope_version(const struct directory_output *o, const struct piece *p)
{
	if (o->syntax.n)
		return o->syntax;
	if (!slice_is(o->standard, "x12"))
		return SLICE("UNOC:3");
	return p->version.n >= 6 ? slice_make(p->version.p, 5) : SLICE("00401");
}

static void take_terms(struct packing *k, const struct piece *first, char usage, int zone_offset)
{
	const struct directory_output *o = k->route->output;
	k->x12 = slice_is(o->standard, "x12");
	k->terms = (struct edi_outbound_terms){
		.standard = k->x12 ? EDI_X12 : EDI_EDIFACT, .delimiters = work_delimiters(o->delimiters), .sender = id_of(o->from),
		.receiver = id_of(o->to), .version = envelope_version(o, first), .application = o->application, .usage = usage,
		.ack_requested = o->ack_requested, .una = o->una, .lines = o->delimiters.n == DIRECTORY_DELIMITERS && o->delimiters.p[5],
		.when = van_time_civil(van_clock_now() + (van_time)zone_offset * 60 * VAN_SECOND),
	};
}

/* --- interchanges --------------------------------------------------------------------------------------------------------- */

/* All of one type, or none. */
static struct slice common_type(const struct packing *k)
{
	const struct ipc_transaction *v = k->transactions.v;
	for (size_t i = 1; i < k->transactions.n; i++)
		if (!slice_eq(v[i].type, v[0].type))
			return SLICE_NONE;
	return v[0].type;
}

static int put_output(struct packing *k, const struct edi_output *from)
{
	const struct directory_route *r = k->route;
	struct ipc_transaction *v = van_arena_array(k->job->worker->arena, k->transactions.n, sizeof *v);
	struct ipc_output *o = v ? job_list_add(&k->job->outputs, sizeof *o) : NULL;
	if (!o)
		return VAN_ENOMEM;
	memcpy(v, k->transactions.v, k->transactions.n * sizeof *v);
	bool awaited = r->acknowledged_by == PROFILE_ACK_RECEIVER || r->output->acknowledged_within;
	*o = (struct ipc_output){
		.kind = IPC_OUTPUT_TRANSLATED, .interchange = k->number, .partner = r->to_party, .connection = r->connection,
		.agreement = r->agreement, .agreement_version = r->agreement_version, .standard = k->x12 ? SLICE("X12") : SLICE("EDIFACT"),
		.type = common_type(k), .version = v[0].version, .from = r->output->from, .to = r->output->to, .env = k->env,
		.extension = SLICE("edi"), .ack = awaited ? SLICE("expected") : SLICE("none"), .ack_within = r->output->acknowledged_within,
		.transactions = {v, k->transactions.n},
		.report = k->report.n ? van_arena_slice(k->job->worker->arena, van_buf_slice(&k->report)) : SLICE_NONE,
	};
	return work_parts(k->job, from, &o->parts);
}

static int finish_interchange(struct packing *k)
{
	struct edi_output made;
	if (!k->begun)
		return 0;
	k->begun = false;
	int rc = edi_outbound_finish(&k->out, &made, &k->error);
	if (rc == 0 && !k->dry)
		rc = put_output(k, &made);
	edi_outbound_free(&k->out);
	k->transactions.n = 0;
	van_buf_reset(&k->report);
	return rc;
}

/* As much as there is room for. */
static void add_report(struct packing *k, const struct piece *p)
{
	if (p->report.p && k->report.n + p->report.n + 2 <= REPORT_MAX)
		van_buf_printf(&k->report, "%s%.*s", k->report.n ? "; " : "", SLICE_ARG(p->report));
}

/* Is this the last message of its interchange, when `p` comes next? */
static bool is_full(const struct packing *k, const struct piece *p)
{
	const struct directory_output *o = k->route->output;
	bool other_group = k->last && !slice_eq(k->last->group_code, p->group_code);
	return k->begun && (o->split == PROFILE_SPLIT_MESSAGE || (o->split == PROFILE_SPLIT_GROUP && other_group) ||
			    (o->max_messages && k->transactions.n >= o->max_messages) ||
			    (o->max_size && k->out.draft.text.n + p->bytes.n > o->max_size));
}

static void begin_group(struct packing *k, const struct piece *p)
{
	const struct directory_output *o = k->route->output;
	const struct edi_group_terms g = {.code = p->group_code, .version = p->version, .sender = o->group_from.p ? o->group_from : SLICE_NONE,
					  .receiver = o->group_to.p ? o->group_to : SLICE_NONE};
	edi_outbound_group(&k->out, &g);
}

static int note(struct packing *k, const struct piece *p)
{
	const struct directory_output *o = k->route->output;
	struct ipc_transaction *t = job_list_add(&k->transactions, sizeof *t);
	if (!t)
		return VAN_ENOMEM;
	*t = p->facts;
	t->type = p->type;
	t->version = p->version;
	t->control_number = van_arena_printf(k->job->worker->arena, k->x12 ? "%04llu" : "%llu", (unsigned long long)k->out.group_messages);
	if (k->x12) {
		t->group_code = p->group_code;
		t->group_from = o->group_from.n ? o->group_from : edi_party_id(k->terms.sender);
		t->group_to = o->group_to.n ? o->group_to : edi_party_id(k->terms.receiver);
		t->group_index = k->out.groups - 1;
	}
	return t->control_number.p ? 0 : VAN_ENOMEM;
}

static int pack_one(struct packing *k, const struct piece *p)
{
	int rc = is_full(k, p) ? finish_interchange(k) : 0;
	if (rc == 0 && !k->begun) {
		rc = edi_outbound_begin(&k->out, &k->terms, k->job->worker->arena, &k->error);
		if (rc < 0)
			return rc;
		k->begun = true;
		k->last = NULL;
	}
	if (rc < 0)
		return rc;
	if (k->x12 && (!k->last || !slice_eq(k->last->group_code, p->group_code) || !slice_eq(k->last->version, p->version)))
		begin_group(k, p);
	edi_outbound_message(&k->out, p->type, p->version, p->agency, p->association);
	add_report(k, p);
	rc = note(k, p);
	if (rc == 0)
		rc = edi_outbound_copy(&k->out, p->bytes, &p->delimiters);
	edi_outbound_message_end(&k->out);
	k->last = p;
	return rc == VAN_EINVAL ? van_error_set(&k->error, VAN_EINVAL, "message %.*s cannot stand in another interchange: its delimiters are of several bytes, or it holds segments of envelopes",
						SLICE_ARG(p->facts.origin_number)) : rc;
}

/* Messages of one kind stand together: a group has one functional code and version. */
static int by_group(const void *a, const void *b)
{
	const struct piece *x = a, *y = b;
	int rc = slice_cmp(x->group_code, y->group_code);
	rc = rc ? rc : slice_cmp(x->version, y->version);
	return rc ? rc : x->order < y->order ? -1 : x->order > y->order;
}

/* 0; VAN_EINVAL: k->error says what cannot be written. */
static int pack(struct packing *k, struct piece *v, size_t n)
{
	int rc = 0;
	if (k->x12)
		qsort(v, n, sizeof *v, by_group);
	for (size_t i = 0; i < n && rc == 0; i++)
		rc = pack_one(k, &v[i]);
	int end = finish_interchange(k);
	job_list_free(&k->transactions);
	van_buf_free(&k->report);
	return rc < 0 ? rc : end;
}

/* --- of a received interchange -------------------------------------------------------------------------------------------- */

static int hold_why(struct work *w, const char *text)
{
	return work_hold(w, IPC_INTERCHANGE_HELD, van_arena_printf(w->job->worker->arena, "agreement %.*s: %s", SLICE_ARG(w->route.agreement), text));
}

/* The same message in another envelope. */
static int take_message(struct work *w, const struct edi_group *g, const struct edi_message *m, struct piece *p)
{
	struct slice bytes;
	if (slice_is(m->type, "UNO"))
		return hold_why(w, "an object (UNO to UNP) cannot be written into another interchange: let the sender send it in one of its own");
	int rc = job_payload_bytes(w->job, m->offset, m->length, &bytes);
	if (rc < 0)
		return rc;
	*p = (struct piece){.type = m->type, .version = m->version, .agency = m->agency, .association = m->association,
			    .group_code = g->real ? g->code : SLICE(""), .bytes = van_arena_slice(w->job->worker->arena, bytes)};
	p->delimiters = (struct edi_delimiters){w->in->delimiters.element, w->in->delimiters.component, w->in->delimiters.repetition,
						w->in->delimiters.release, w->in->delimiters.terminator, w->in->delimiters.shifts};
	return p->bytes.p ? 0 : VAN_ENOMEM;
}

/* --- by maps ---------------------------------------------------------------------------------------------------------------- */

/* The map that writes: the one that is named, in either of its ways. */
static int find_out(struct work *w, const struct map **ret, struct van_error *e)
{
	const struct directory_output *o = w->route.output;
	const struct map *m;
	int rc = map_library_find(w->job->worker->maps, w->route.map, w->route.map_pin, &m, NULL, e);
	if (rc == 0 && map_way(m) == MAP_IN)
		m = map_reverse(m);
	if (rc == 0 && !m)
		rc = van_error_set(e, VAN_ENOTFOUND, "map %.*s makes documents, not messages: name one that writes them, such as order-to-x12-004010-850",
				   SLICE_ARG(w->route.map));
	if (rc == 0 && !slice_is(o->standard, map_standard(m)))
		rc = van_error_set(e, VAN_ENOTFOUND, "map %s writes %s, and output.format is %.*s", map_name(m), map_standard(m), SLICE_ARG(o->standard));
	*ret = m;
	return rc;
}

/* Delimiters that no text holds, so that nothing but the agreement's own can stand in a value's way. */
static const struct edi_delimiters plain_x12 = {0x1d, 0x1f, 0x1e, 0, 0x1c};

static int write_message(struct work *w, struct map_run_state *run, const struct map *out, const struct tree *document, struct piece *p,
			 struct van_error *e)
{
	bool x12 = slice_is(w->route.output->standard, "x12");
	const struct edi_outbound_terms terms = {.standard = x12 ? EDI_X12 : EDI_EDIFACT, .delimiters = x12 ? plain_x12 : (struct edi_delimiters){0},
						 .sender = SLICE("ZZ:A"), .receiver = SLICE("ZZ:B"), .usage = 'P',
						 .version = x12 ? SLICE("00501") : envelope_version(w->route.output, p)};
	struct edi_group_terms group = {.code = SLICE_NONE};
	struct edi_outbound to;
	int rc = edi_outbound_begin(&to, &terms, w->job->worker->arena, e);
	if (rc < 0)
		return rc;
	p->delimiters = to.writer.delimiters;
	size_t at = to.draft.text.n;
	rc = x12 ? map_group(out, &group, e) : 0;
	if (rc == 0 && x12) {
		edi_outbound_group(&to, &group);
		at = to.draft.text.n;
	}
	if (rc == 0)
		rc = map_write(run, out, document, &to, e);
	edi_outbound_message_end(&to);
	if (rc == 0)
		rc = edi_writer_error(&to.writer, e);
	if (rc == 0)
		p->bytes = van_arena_slice(w->job->worker->arena, slice_make(to.draft.text.p + at, to.draft.text.n - at));
	edi_outbound_free(&to);
	p->group_code = group.code.p ? van_arena_slice(w->job->worker->arena, group.code) : SLICE("");
	return rc < 0 ? rc : p->bytes.p && p->group_code.p ? 0 : VAN_ENOMEM;
}

/* UNH of what was written says what it is: agency and association of the message. */
static int take_head(struct work *w, struct piece *p)
{
	if (slice_is(w->route.output->standard, "x12"))
		return 0;
	struct slice rest = p->bytes, head = edi_cut(&rest, p->delimiters.terminator, p->delimiters.release), part = SLICE_NONE;
	for (int i = 0; i < 3; i++)
		part = edi_cut(&head, p->delimiters.element, p->delimiters.release);
	for (int i = 0; i < 5; i++) {
		struct slice c = part.p ? edi_cut(&part, p->delimiters.component, p->delimiters.release) : SLICE_NONE;
		if (i == 3)
			p->agency = c;
		if (i == 4)
			p->association = c;
	}
	return 0;
}

bool work_is_verdict(int rc)
{
	return rc == VAN_ESYNTAX || rc == VAN_EINVAL || rc == VAN_ELIMIT || rc == VAN_ENOTFOUND;
}

/* What a bound has stopped says where it is set. A run's memory is one, too: another try would end in the same way. */
static int name_bounds(int rc, struct van_error *e)
{
	size_t n = strlen(e->text);
	if ((rc != VAN_ELIMIT && rc != VAN_ENOMEM) || !n)
		return rc;
	snprintf(e->text + n, sizeof e->text - n, "; or raise the bound, see translation in vand.yaml");
	return VAN_ELIMIT;
}

static int no_map(struct work *w, int rc, const struct van_error *e)
{
	return work_is_verdict(rc) ? hold_why(w, e->text) : rc;
}

static int take_document(struct work *w, const struct edi_group *g, const struct edi_message *m, const struct map *in, struct map_run_state *run,
			 uint64_t number, struct tree **ret, struct van_error *e)
{
	const struct map_delimiters d = {w->in->delimiters.element, w->in->delimiters.component, w->in->delimiters.repetition,
					 w->in->delimiters.release, w->in->delimiters.terminator};
	const struct map_envelope envelope = work_envelope(w, g, m);
	struct slice bytes;
	if (w->job->plain) {
		*ret = w->job->plain->share->documents[number - 1].tree;
		struct slice why = job_plain_error(*ret);
		return why.p ? van_error_set(e, VAN_ESYNTAX, "%.*s", SLICE_ARG(why)) : 0;
	}
	const struct van_config_translation *bounds = worker_bounds(w->job->worker);
	if (m->length > bounds->message)
		return van_error_set(e, VAN_ELIMIT, "the message has %llu bytes, and %llu are translated at most: divide it, or raise translation.message in vand.yaml",
				     (unsigned long long)m->length, (unsigned long long)bounds->message);
	int rc = job_payload_bytes(w->job, m->offset, m->length, &bytes);
	return rc < 0 ? rc : name_bounds(map_read(run, in, bytes, d, &envelope, ret, e), e);
}

int work_document(struct work *w, const struct edi_group *g, const struct edi_message *m, uint64_t number, const struct map *in,
		  struct map_run_state *run, struct tree **ret)
{
	struct tree *document = NULL;
	struct van_error e = {0};
	bool goes_on = false;
	map_library_scope(w->job->worker->maps, w->route.from_party, van_clock_now());
	int rc = take_document(w, g, m, in, run, number, &document, &e);
	if (work_is_verdict(rc) && e.text[0]) {
		struct slice why = van_arena_slice(w->job->worker->arena, slice_str(e.text));
		rc = work_set_aside(w, m, number, why);
		if (rc == 0 && w->job->plain)
			rc = work_advise_of(w, g, m, why);
	} else if (rc == 0)
		rc = work_judge(w, g, m, number, document, &goes_on);
	*ret = goes_on ? document : NULL;
	return rc;
}

/* Nothing vanishes unseen: places of values that no row wrote, or that were cut. */
static int report(struct work *w, const struct edi_message *m, const struct map_run_state *run, struct piece *p)
{
	struct van_buf places = VAN_BUF_INIT(REPORT_MAX);
	uint64_t n = map_run_count(run, MAP_NOTE_UNWRITTEN) + map_run_count(run, MAP_NOTE_CUT);
	unsigned shown = 0;
	for (const struct map_note *x = map_run_notes(run); x && shown < LEFT_OUT_SHOWN; x = x->next)
		if ((x->kind == MAP_NOTE_UNWRITTEN || x->kind == MAP_NOTE_CUT) && x->place.p && x->place.n < 200)
			van_buf_printf(&places, "%s%.*s", shown++ ? ", " : "", SLICE_ARG(x->place));
	if (n)
		p->report = van_arena_printf(w->job->worker->arena, "message %.*s: %llu value%s did not go along or were cut: %.*s%s", SLICE_ARG(m->control_number),
					     (unsigned long long)n, n == 1 ? "" : "s", SLICE_ARG(van_buf_slice(&places)), n > shown ? " …" : "");
	van_buf_free(&places);
	return n && !p->report.p ? VAN_ENOMEM : 0;
}

static int find_in(struct work *w, const struct edi_message *m, const struct map **ret, struct van_error *e)
{
	return map_library_find_for(w->job->worker->maps, w->in->standard == EDI_EDIFACT ? "edifact" : "x12", m->type, m->version, ret, NULL, e);
}

static int map_message(struct work *w, const struct edi_group *g, const struct edi_message *m, uint64_t number, struct piece *p)
{
	struct map_run_state *run = worker_map_run(w->job->worker);
	const struct map *in = NULL, *out = NULL;
	struct tree *document = NULL;
	struct van_error e = {0};
	int rc = run ? find_out(w, &out, &e) : VAN_ENOMEM;
	if (rc == 0 && !w->job->plain)
		rc = find_in(w, m, &in, &e);
	if (rc < 0)
		return no_map(w, rc, &e);
	rc = work_document(w, g, m, number, in, run, &document);
	*p = (struct piece){.type = map_type(out), .version = map_version(out), .agency = SLICE(""), .association = SLICE(""), .aside = !document};
	if (rc < 0 || p->aside)
		return rc;
	map_library_scope(w->job->worker->maps, w->route.to_party, van_clock_now());
	rc = name_bounds(write_message(w, run, out, document, p, &e), &e);
	if (rc == 0)
		rc = report(w, m, run, p);
	if (rc == 0)
		return take_head(w, p);
	p->aside = true;
	return work_is_verdict(rc) ? work_set_aside(w, m, number, van_arena_slice(w->job->worker->arena, slice_str(e.text))) : rc;
}

/* The same message, when its canonical document keeps the rules. */
static int judge_message(struct work *w, const struct edi_group *g, const struct edi_message *m, uint64_t number, struct piece *p)
{
	struct map_run_state *run = worker_map_run(w->job->worker);
	const struct map *in = NULL;
	struct tree *document = NULL;
	struct van_error e = {0};
	int rc = run ? find_in(w, m, &in, &e) : VAN_ENOMEM;
	if (rc < 0)
		return no_map(w, rc, &e);
	rc = work_document(w, g, m, number, in, run, &document);
	p->aside = rc == 0 && !document;
	return rc < 0 || p->aside ? rc : take_message(w, g, m, p);
}

static int make_piece(struct work *w, const struct edi_group *g, const struct edi_message *m, uint64_t number, struct piece *p)
{
	int rc = w->route.map.p ? map_message(w, g, m, number, p)
	         : w->route.rules.n ? judge_message(w, g, m, number, p) : take_message(w, g, m, p);
	if (rc < 0 || p->aside || w->out->state != IPC_INTERCHANGE_PROCESSED)
		return rc;
	if (g->real) {
		p->facts.origin_group_code = g->code;
		p->facts.origin_group_number = g->control_number;
	}
	p->facts.origin_number = m->control_number;
	return work_keys(w->job->worker->arena, m->keys, &p->facts.keys);
}

/* Rejected messages are not written: the acknowledgement tells their sender. Acknowledgements are for the network itself. */
static int make_pieces(struct work *w, struct job_list *to)
{
	uint64_t number = 0, only = work_only(w);
	int rc = 0;
	for (const struct edi_group *g = w->in->groups; g; g = g->next)
		for (const struct edi_message *m = g->messages; m; m = m->next) {
			number++;
			if (m->status == EDI_REJECTED || m->acknowledgement || (only && number != only))
				continue;
			struct piece *p = job_list_add(to, sizeof *p);
			if (!p)
				return VAN_ENOMEM;
			rc = make_piece(w, g, m, number, p);
			p->order = to->n;
			to->n -= p->aside;
			if (rc < 0 || w->out->state != IPC_INTERCHANGE_PROCESSED)
				return rc;
		}
	return rc;
}

static struct slice pack_delimiters(const struct edi_delimiters *d, struct van_arena *arena)
{
	const char bytes[DIRECTORY_DELIMITERS] = {d->element, d->component, d->repetition, d->release, d->terminator, d->shifts ? PACKED_SHIFTS : 0};
	return van_arena_slice(arena, slice_make(bytes, sizeof bytes));
}

static int put_waiting(struct work *w, const struct piece *p, struct slice terms)
{
	const struct directory_output *out = w->route.output;
	struct ipc_output *o = work_output(w, IPC_OUTPUT_WAITING, &w->route);
	struct ipc_transaction *t = van_arena_alloc(w->job->worker->arena, sizeof *t);
	if (!o || !t)
		return VAN_ENOMEM;
	*t = p->facts;
	t->type = p->type;
	t->version = p->version;
	t->group_code = p->group_code;
	o->standard = slice_is(out->standard, "x12") ? SLICE("X12") : SLICE("EDIFACT");
	o->type = p->type;
	o->version = p->version;
	o->from = out->from;
	o->to = out->to;
	o->extension = SLICE("edi");
	o->agency = p->agency;
	o->association = p->association;
	o->delimiters = pack_delimiters(&p->delimiters, w->job->worker->arena);
	o->keys = p->facts.keys;
	o->transactions = (struct record_list){t, 1};
	o->terms = terms;
	o->report = p->report;
	o->batch_time = out->batch_time;
	o->batch_messages = out->batch_messages;
	o->batch_size = out->batch_size;
	return o->delimiters.p ? work_content(w, o, p->bytes) : VAN_ENOMEM;
}

static int wait_for_others(struct work *w, const struct job_list *pieces)
{
	struct van_buf record = VAN_BUF_INIT((size_t)1 << 20);
	int rc = record_encode(&directory_route_table, &w->route, &record);
	struct slice terms = rc == 0 ? van_arena_slice(w->job->worker->arena, van_buf_slice(&record)) : SLICE_NONE;
	van_buf_free(&record);
	if (rc == 0 && !terms.p)
		rc = VAN_ENOMEM;
	for (size_t i = 0; i < pieces->n && rc == 0; i++)
		rc = put_waiting(w, (const struct piece *)pieces->v + i, terms);
	return rc;
}

static int write_pieces(struct work *w, struct job_list *pieces)
{
	const struct directory_output *o = w->route.output;
	struct packing k = {.job = w->job, .route = &w->route, .dry = o->batch, .env = w->out->env, .number = w->number, .report = VAN_BUF_INIT(REPORT_MAX)};
	take_terms(&k, pieces->v, w->in->usage, w->zone_offset);
	int rc = pack(&k, pieces->v, pieces->n); /* what could not be written later is found now, and holds up nobody else */
	if (rc == 0 && o->batch)
		rc = wait_for_others(w, pieces);
	return rc == VAN_EINVAL ? hold_why(w, k.error.text) : rc;
}

/* Without a map a message stays what it is: "004010VICS" may be written for 004010, another release may not. */
static int check_version(struct work *w, struct job_list *pieces)
{
	struct slice wanted = w->route.output->version;
	size_t same = slice_is(w->route.output->standard, "x12") ? 6 : wanted.n;
	for (size_t i = 0; i < pieces->n; i++) {
		struct piece *p = (struct piece *)pieces->v + i;
		struct slice plain = p->version;
		bool fits = plain.n >= same && wanted.n >= same && memcmp(plain.p, wanted.p, same) == 0;
		char joined[16]; /* "D96A" for "D:96A" */
		size_t n = 0;
		for (size_t k = 0; k < plain.n && n < sizeof joined; k++)
			if (plain.p[k] != ':')
				joined[n++] = plain.p[k];
		if (!fits && !slice_eq(slice_make(joined, n), wanted))
			return hold_why(w, "output.version is another release than the document's: only a map makes one of the other, name it in output.map");
		if (fits)
			p->version = wanted;
	}
	return 0;
}

int work_write(struct work *w)
{
	const struct directory_output *o = w->route.output;
	struct job_list pieces = {0};
	if (!o->from.p || !o->to.p)
		return hold_why(w, "one of the parties has no identity of the standard that is written: name it in output.from or output.to");
	if (w->job->plain && !w->job->plain->documents)
		return hold_why(w, "its connection says of this file that it may be anything (format: any), which only passes through");
	if (!w->route.map.p && (w->job->plain || (w->in->standard == EDI_X12) != slice_is(o->standard, "x12")))
		return hold_why(w, "another standard is written only by a map: name one of `vanctl map list` in output.map");
	int rc = make_pieces(w, &pieces);
	if (rc == 0 && o->version.n && !w->route.map.p)
		rc = check_version(w, &pieces);
	if (rc == 0 && pieces.n && w->out->state == IPC_INTERCHANGE_PROCESSED)
		rc = write_pieces(w, &pieces);
	job_list_free(&pieces);
	return rc;
}

/* --- of a batch ------------------------------------------------------------------------------------------------------------- */

static int take_piece(const struct ipc_piece *from, struct slice bytes, size_t order, struct piece *to)
{
	if (from->offset > bytes.n || from->length > bytes.n - from->offset)
		return VAN_EINVAL;
	*to = (struct piece){
		.type = from->type, .version = from->version, .agency = from->agency, .association = from->association,
		.group_code = from->group_code.p ? from->group_code : SLICE(""), .delimiters = work_delimiters(from->delimiters),
		.bytes = slice_make(bytes.p + from->offset, from->length), .order = order,
		.facts = {.origin = from->origin, .origin_group_code = from->origin_group_code, .origin_group_number = from->origin_group_number,
			  .origin_number = from->origin_number, .keys = from->keys},
	};
	return 0;
}

int job_batch(struct job *j, struct slice all, struct van_error *e)
{
	struct ipc_batch batch;
	struct directory_route route;
	uint64_t head = j->from->head;
	if (head > all.n)
		return VAN_EINVAL;
	int rc = record_decode(&ipc_batch_table, slice_make(all.p, head), j->worker->arena, &batch);
	if (rc == 0)
		rc = record_decode(&directory_route_table, batch.terms, j->worker->arena, &route);
	size_t n = batch.pieces.n;
	struct piece *v = rc == 0 ? van_arena_array(j->worker->arena, n + 1, sizeof *v) : NULL;
	if (!v || !n || !route.output)
		return rc < 0 ? rc : !v ? VAN_ENOMEM : VAN_EINVAL;
	for (size_t i = 0; i < n && rc == 0; i++)
		rc = take_piece(RECORD_AT(batch.pieces, struct ipc_piece, i), slice_make(all.p + head, all.n - head), i, &v[i]);
	struct packing k = {.job = j, .route = &route, .env = slice_is(batch.usage, "T") ? SLICE("test") : SLICE("production"), .report = VAN_BUF_INIT(REPORT_MAX)};
	if (rc < 0)
		return rc;
	take_terms(&k, v, *batch.usage.p, (int)batch.zone_offset - 1440);
	rc = pack(&k, v, n);
	if (rc < 0)
		*e = k.error;
	j->result.outputs = job_list_take(&j->outputs);
	return rc;
}
