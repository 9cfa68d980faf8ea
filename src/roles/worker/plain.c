/* What comes without EDI: CSV by a flat sheet, UBL, canonical JSON; or a file of any kind, which only passes through. The connection's
 * profile says what it is and between whom; its documents then go the way of the messages of an interchange. */
#include "map/flat.h"
#include "map/library.h"
#include "map/tree.h"
#include "map/tree_each.h"
#include "map/ubl.h"
#include "partner/settings.h"
#include "roles/worker/interchange.h"

#define SNIFF 64

static struct van_arena *arena_of(struct job *j)
{
	return j->worker->arena;
}

/* --- is it one? -------------------------------------------------------------------------------------------------------------------- */

static int begins_as_edi(struct job *j, bool *ret)
{
	struct slice head;
	int rc = job_payload_bytes(j, 0, j->payload.length < SNIFF ? j->payload.length : SNIFF, &head);
	if (rc < 0)
		return rc;
	if (slice_starts(head, "\xef\xbb\xbf"))
		head = slice_make(head.p + 3, head.n - 3);
	head = slice_trim(head);
	*ret = slice_starts(head, "ISA") || slice_starts(head, "UNA") || slice_starts(head, "UNB");
	return 0;
}

static struct slice extension_of(struct slice file_name)
{
	const char *dot = file_name.n ? memrchr(file_name.p, '.', file_name.n) : NULL;
	return dot ? slice_make(dot + 1, (size_t)(file_name.p + file_name.n - dot - 1)) : SLICE_NONE;
}

int job_plain_find(struct job *j, bool *ret_found)
{
	static const char *const standards[] = {[PROFILE_DOCUMENT_CSV] = "CSV", [PROFILE_DOCUMENT_UBL] = "UBL", [PROFILE_DOCUMENT_JSON] = "JSON",
						[PROFILE_DOCUMENT_ANY] = "FILE"};
	static const char *const extensions[] = {[PROFILE_DOCUMENT_CSV] = "csv", [PROFILE_DOCUMENT_UBL] = "xml", [PROFILE_DOCUMENT_JSON] = "json",
						 [PROFILE_DOCUMENT_ANY] = "bin"};
	const struct ipc_lookup l = {.kind = IPC_LOOKUP_DOCUMENT, .connection = j->from->connection, .file_name = j->from->file_name,
				     .content_type = j->from->content_type};
	struct slice record;
	bool edi;
	*ret_found = false;
	int rc = begins_as_edi(j, &edi);
	if (rc < 0 || edi || !j->from->connection.p)
		return rc;
	struct job_plain *p = van_arena_alloc(arena_of(j), sizeof *p);
	if (!p)
		return VAN_ENOMEM;
	*p = (struct job_plain){.standard = NULL};
	rc = worker_lookup(j->worker, &l, &record, NULL);
	if (rc == 0)
		rc = record_decode(&directory_document_table, record, arena_of(j), &p->rule);
	if (rc < 0 || !p->rule.found)
		return rc;
	p->standard = standards[p->rule.format];
	p->extension = extension_of(j->from->file_name);
	if (!p->extension.n)
		p->extension = slice_str(extensions[p->rule.format]);
	j->plain = p;
	*ret_found = true;
	return 0;
}

void job_plain_free(struct job *j)
{
	if (j->plain)
		van_arena_free(j->plain->arena);
}

/* --- its documents ----------------------------------------------------------------------------------------------------------------- */

static int read_ubl(struct job *j, struct tree_room *room, struct slice text, struct tree **ret, struct van_error *e)
{
	const struct ubl_limits limits = {.max_bytes = worker_bounds(j->worker)->file};
	struct ubl_reader *r = ubl_reader_new(room, &limits);
	int rc = r ? ubl_reader_feed(r, text, true, e) : VAN_ENOMEM;
	if (rc == 0)
		*ret = ubl_reader_document(r);
	ubl_reader_free(r);
	return rc;
}

/* VAN_ENOTFOUND: there is no such sheet. */
static int read_csv(struct job *j, struct tree_room *room, struct slice text, struct tree **ret, struct tree_starts *starts, struct van_error *e)
{
	const struct directory_document *rule = &j->plain->rule;
	const struct flat_sheet *sheet;
	const struct map_sheet *source;
	map_library_scope(j->worker->maps, j->from->partner, van_clock_now());
	int rc = map_library_flat(j->worker->maps, rule->sheet, SLICE_NONE, rule->sheet_pin, &sheet, &source, e);
	if (rc < 0)
		return rc;
	j->plain->sheet = rule->sheet;
	j->plain->sheet_version = source->version;
	return flat_read_each(sheet, room, text, worker_bounds(j->worker)->file, ret, starts, e);
}

static int read_documents(struct job *j, struct tree_room *room, struct tree **ret, struct tree_starts *starts, struct van_error *e)
{
	const struct van_config_translation *bounds = worker_bounds(j->worker);
	struct slice text;
	if (j->payload.length > bounds->file)
		return van_error_set(e, VAN_ELIMIT, "the file has %llu bytes, and %llu are read at most: send it in parts, or raise translation.file in vand.yaml",
				     (unsigned long long)j->payload.length, (unsigned long long)bounds->file);
	int rc = job_payload_bytes(j, 0, j->payload.length, &text);
	if (rc < 0)
		return rc;
	j->plain->arena = room->arena = van_arena_new(bounds->file_memory);
	if (!room->arena)
		return VAN_ENOMEM;
	text = van_arena_slice(room->arena, text); /* values point into it */
	switch ((enum profile_document_format)j->plain->rule.format) {
	case PROFILE_DOCUMENT_CSV: rc = text.p ? read_csv(j, room, text, ret, starts, e) : VAN_ENOMEM; break;
	case PROFILE_DOCUMENT_UBL: rc = text.p ? read_ubl(j, room, text, ret, e) : VAN_ENOMEM; break;
	default:
		if (slice_starts(text, "\xef\xbb\xbf"))
			text = slice_make(text.p + 3, text.n - 3);
		rc = text.p ? tree_read_each(room, slice_trim(text), ret, starts, e) : VAN_ENOMEM;
	}
	if (rc == VAN_ENOMEM)
		rc = van_error_set(e, VAN_ELIMIT, "its documents need more than %llu MiB of memory: send it in parts, or raise translation.file_memory in vand.yaml (see "
						  "limits.memory_worker, too)", (unsigned long long)bounds->file_memory >> 20);
	else if (rc == VAN_ELIMIT && room->error == VAN_ELIMIT)
		rc = van_error_set(e, VAN_ELIMIT, "its documents have more than %llu values: send it in parts, or raise translation.file_values in vand.yaml",
				   (unsigned long long)bounds->file_values);
	return rc;
}

struct slice job_plain_text(const struct tree *object, const char *name)
{
	const struct tree *t = object && object->kind == TREE_OBJECT ? tree_find(object, slice_str(name)) : NULL;
	return t && t->kind == TREE_TEXT ? t->text : SLICE_NONE;
}

struct slice job_plain_error(const struct tree *document)
{
	return job_plain_text(document, "_error");
}

/* "order/1.0" */
static struct slice kind_of(const struct tree *document, struct slice *ret_version)
{
	struct slice rest = job_plain_text(document, "_document"), kind = slice_cut(&rest, '/');
	*ret_version = rest;
	return kind.n && rest.n ? kind : SLICE_NONE;
}

static size_t count_of(const struct tree *all)
{
	size_t n = 0;
	for (const struct tree *t = all->kind == TREE_ARRAY ? all->first : all; t; t = all->kind == TREE_ARRAY ? t->next : NULL)
		n++;
	return n;
}

/* What does not say what it is can't be read. */
static int take_document(struct tree *t, struct tree_room *room, struct job_document *to)
{
	struct slice version;
	bool object = t->kind == TREE_OBJECT;
	to->known = object && kind_of(t, &version).p;
	to->tree = object ? t : tree_new(room, TREE_OBJECT);
	if (to->known || (object && job_plain_error(t).p))
		return 0;
	struct tree *why = to->tree ? tree_member(room, to->tree, SLICE("_error"), TREE_TEXT) : NULL;
	if (why)
		why->text = SLICE("it does not say what it is: add \"_document\": \"order/1.0\", or another of maps/canonical");
	return why ? 0 : VAN_ENOMEM;
}

/* Those that the job is about. */
static int list_documents(struct job *j, struct tree *all, struct tree_room *room, const struct tree_starts *starts, struct van_error *e)
{
	struct job_plain *p = j->plain;
	struct slice wanted = j->from->documents;
	size_t count = count_of(all), number = 0;
	if (!count)
		return van_error_set(e, VAN_ESYNTAX, "the file holds no document");
	p->documents = van_arena_array(arena_of(j), count, sizeof *p->documents);
	if (!p->documents)
		return VAN_ENOMEM;
	for (struct tree *t = all->kind == TREE_ARRAY ? all->first : all; t; t = all->kind == TREE_ARRAY ? t->next : NULL) {
		number++;
		if (j->from->only ? number != j->from->only : !job_documents_have(&wanted, number))
			continue;
		struct job_document *d = &p->documents[p->n++];
		d->number = number;
		d->begins = number <= starts->n ? starts->v[number - 1] : 0;
		d->ends = number < starts->n ? starts->v[number] : 0;
		int rc = take_document(t, room, d);
		if (rc < 0)
			return rc;
	}
	p->parted = p->n < count;
	return j->from->only || j->from->documents.p ? job_documents_same(j, p->documents, p->n, j->from->division, e) : 0;
}

/* --- as an interchange --------------------------------------------------------------------------------------------------------------- */

static const char *key_kind(struct slice type)
{
	return slice_is(type, "invoice") || slice_is(type, "credit-note") ? "invoice" : slice_is(type, "despatch-advice") ? "shipment"
	       : slice_starts(type, "order") ? "po" : NULL;
}

static int add_key(struct job *j, struct edi_message *m, const char *kind, struct slice value)
{
	struct edi_key *k = kind && value.n ? van_arena_alloc(arena_of(j), sizeof *k) : NULL;
	if (!kind || !value.n)
		return 0;
	if (!k)
		return VAN_ENOMEM;
	*k = (struct edi_key){.next = m->keys, .kind = kind, .value = value};
	m->keys = k;
	return 0;
}

static int fill_message(struct job *j, const struct tree *d, struct edi_message *m)
{
	struct slice version, id = job_plain_text(d, "ID"), kind = kind_of(d, &version);
	*m = (struct edi_message){.type = kind.p ? kind : SLICE(""), .version = kind.p ? version : SLICE(""), .status = EDI_ACCEPTED, .known = true,
				  .association = SLICE(""), .agency = SLICE(""), .control_number = id.p ? id : SLICE("")};
	const struct tree *orders = tree_find(d, SLICE("OrderReference"));
	const struct tree *order = orders && orders->kind == TREE_ARRAY ? orders->first : orders;
	int rc = add_key(j, m, "po", key_kind(m->type) && strcmp(key_kind(m->type), "po") != 0 ? job_plain_text(order, "ID") : SLICE_NONE);
	return rc == 0 ? add_key(j, m, key_kind(m->type), id) : rc;
}

/* The bare name of an identity: "ZZ:ACME". */
static struct slice plain_id(struct slice identity)
{
	slice_cut(&identity, ' ');
	return identity.p ? identity : SLICE("");
}

/* A file that only passes through is a message of its rule's type. */
static struct edi_interchange *as_interchange(struct job *j, const struct job_share *s)
{
	struct edi_interchange *in = van_arena_alloc(arena_of(j), sizeof *in);
	struct edi_group *g = van_arena_alloc(arena_of(j), sizeof *g);
	size_t n = s->n ? s->n : 1;
	struct edi_message *v = van_arena_array(arena_of(j), n, sizeof *v);
	if (!in || !g || !v)
		return NULL;
	bool test = j->plain->rule.test;
	*in = (struct edi_interchange){.length = j->payload.length, .standard = EDI_UNKNOWN, .version = SLICE(""), .control_number = SLICE(""),
				       .sender = plain_id(s->from), .receiver = plain_id(s->to), .date = SLICE(""), .time = SLICE(""),
				       .application = SLICE(""), .usage = test ? 'T' : 'P', .status = EDI_ACCEPTED, .groups = g, .group_count = 1};
	*g = (struct edi_group){.messages = v, .message_count = n, .accepted_count = n, .status = EDI_ACCEPTED, .code = SLICE(""),
				.version = SLICE(""), .agency = SLICE(""), .control_number = SLICE(""), .sender = SLICE(""), .receiver = SLICE(""),
				.date = SLICE(""), .time = SLICE("")};
	for (size_t i = 0; i < s->n; i++) {
		if (fill_message(j, s->documents[i].tree, &v[i]) < 0)
			return NULL;
		v[i].next = i + 1 < n ? &v[i + 1] : NULL;
	}
	if (!s->n)
		v[0] = (struct edi_message){.type = j->plain->rule.type.p ? j->plain->rule.type : SLICE(""), .version = SLICE(""), .status = EDI_ACCEPTED,
					    .association = SLICE(""), .agency = SLICE(""), .control_number = SLICE("")};
	/* a file that is sent again begins with the same document */
	for (size_t i = 0; i < n && !in->control_number.n; i++)
		in->control_number = v[i].control_number;
	return in;
}

/* Nothing of the file can be read: it is kept with what is wrong, and can be reprocessed. HELD for want of terms, else QUARANTINED. */
static void set_aside(struct job *j, struct ipc_interchange *to, enum ipc_interchange_state state, struct slice why)
{
	const struct directory_document *rule = &j->plain->rule;
	*to = (struct ipc_interchange){
		.standard = slice_str(j->plain->standard), .from = rule->from.p ? rule->from : rule->otherwise,
		.to = rule->to, .env = rule->test ? SLICE("test") : SLICE("production"), .length = j->payload.length,
		.state = state, .error = why, .duplicates = SLICE("allow"), .ack = SLICE("none"),
	};
}

static int read_and_share(struct job *j, struct van_error *e)
{
	struct tree_room room = {.left = worker_bounds(j->worker)->file_values};
	struct tree_starts starts = {0};
	struct tree *all = NULL;
	int rc = read_documents(j, &room, &all, &starts, e);
	if (rc == 0)
		rc = list_documents(j, all, &room, &starts, e);
	return rc == 0 ? job_share(j, e) : rc;
}

static int pass_whole(struct job *j)
{
	struct job_share *s = van_arena_alloc(arena_of(j), sizeof *s);
	const struct directory_document *rule = &j->plain->rule;
	if (!s)
		return VAN_ENOMEM;
	*s = (struct job_share){.from = rule->from.p ? rule->from : rule->otherwise, .to = rule->to};
	j->plain->shares = s;
	j->plain->share_count = 1;
	j->plain->parted = j->from->only || j->from->documents.p; /* of a file that was read then */
	return 0;
}

/* Which documents of the file these are, where it holds others, too. */
static int mark_part(struct job *j, const struct job_share *s, struct ipc_interchange *to)
{
	if (!j->plain->parted || !s->n)
		return 0;
	to->documents = job_documents_numbers(arena_of(j), s->documents, s->n);
	to->division = job_documents_division(j, s->documents, s->n);
	return to->documents.p && to->division.p ? 0 : VAN_ENOMEM;
}

static int each_share(struct job *j)
{
	size_t n = j->plain->share_count;
	struct ipc_interchange *v = van_arena_array(arena_of(j), n, sizeof *v);
	if (!v)
		return VAN_ENOMEM;
	j->result.interchanges = (struct record_list){v, n};
	for (size_t i = 0; i < n; i++) {
		struct job_share *s = j->plain->share = &j->plain->shares[i];
		const struct edi_interchange *in = as_interchange(j, s);
		v[i] = (struct ipc_interchange){.state = IPC_INTERCHANGE_PROCESSED};
		int rc = in ? mark_part(j, s, &v[i]) : VAN_ENOMEM;
		rc = rc < 0 ? rc : job_interchange(j, in, i, &v[i]);
		if (rc < 0)
			return rc;
	}
	j->result.outputs = job_list_take(&j->outputs);
	j->result.acks = job_list_take(&j->acks);
	return 0;
}

int job_plain(struct job *j)
{
	struct van_error e = {0};
	j->result.standard = slice_str(j->plain->standard);
	int rc = j->plain->rule.format == PROFILE_DOCUMENT_ANY ? pass_whole(j) : read_and_share(j, &e);
	if (rc == 0)
		return each_share(j);
	if (!e.text[0])
		return rc;
	struct ipc_interchange *to = van_arena_alloc(arena_of(j), sizeof *to);
	if (!to)
		return VAN_ENOMEM;
	j->result.interchanges = (struct record_list){to, 1};
	set_aside(j, to, rc == VAN_ENOTFOUND ? IPC_INTERCHANGE_HELD : IPC_INTERCHANGE_QUARANTINED, van_arena_slice(arena_of(j), slice_str(e.text)));
	return to->error.p ? 0 : VAN_ENOMEM;
}
