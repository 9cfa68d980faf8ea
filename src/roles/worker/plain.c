/* What comes without EDI: CSV by a flat sheet, UBL, canonical JSON; or a file of any kind, which only passes through. The connection's
 * profile says what it is and between whom; its documents then go the way of the messages of an interchange. */
#include "map/flat.h"
#include "map/library.h"
#include "map/tree.h"
#include "map/tree_read.h"
#include "map/ubl.h"
#include "partner/identity.h"
#include "roles/worker/interchange.h"

#define MEMORY ((size_t)256 << 20) /* of all documents of a file */
#define VALUES 1000000
#define SNIFF 64
#define BYTES_MAX FLAT_MAX_BYTES   /* of a file that is read */

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

static int read_ubl(struct tree_room *room, struct slice text, struct tree **ret, struct van_error *e)
{
	struct ubl_reader *r = ubl_reader_new(room, NULL);
	int rc = r ? ubl_reader_feed(r, text, true, e) : VAN_ENOMEM;
	if (rc == 0)
		*ret = ubl_reader_document(r);
	ubl_reader_free(r);
	return rc;
}

/* VAN_ENOTFOUND: there is no such sheet. */
static int read_csv(struct job *j, struct tree_room *room, struct slice text, struct tree **ret, struct van_error *e)
{
	const struct directory_document *rule = &j->plain->rule;
	const struct flat_sheet *sheet;
	map_library_scope(j->worker->maps, j->from->partner, van_clock_now());
	int rc = map_library_flat(j->worker->maps, rule->sheet, SLICE_NONE, rule->sheet_pin, &sheet, NULL, e);
	return rc < 0 ? rc : flat_read_each(sheet, room, text, 0, ret, e);
}

static int read_documents(struct job *j, struct tree **ret, struct van_error *e)
{
	struct tree_room room = {.left = VALUES};
	struct slice text;
	if (j->payload.length > BYTES_MAX)
		return van_error_set(e, VAN_ELIMIT, "the file has %llu bytes, and %zu are read at most: send it in parts",
				     (unsigned long long)j->payload.length, BYTES_MAX);
	int rc = job_payload_bytes(j, 0, j->payload.length, &text);
	if (rc < 0)
		return rc;
	j->plain->arena = room.arena = van_arena_new(MEMORY);
	if (!room.arena)
		return VAN_ENOMEM;
	text = van_arena_slice(room.arena, text); /* values point into it */
	switch ((enum profile_document_format)j->plain->rule.format) {
	case PROFILE_DOCUMENT_CSV: rc = text.p ? read_csv(j, &room, text, ret, e) : VAN_ENOMEM; break;
	case PROFILE_DOCUMENT_UBL: rc = text.p ? read_ubl(&room, text, ret, e) : VAN_ENOMEM; break;
	default:
		if (slice_starts(text, "\xef\xbb\xbf"))
			text = slice_make(text.p + 3, text.n - 3);
		rc = text.p ? tree_read(&room, slice_trim(text), ret, e) : VAN_ENOMEM;
	}
	if (rc == VAN_ENOMEM)
		rc = van_error_set(e, VAN_ELIMIT, "its documents need more than %zu MiB of memory: send it in parts", MEMORY >> 20);
	return rc;
}

static struct slice text_at(const struct tree *object, const char *name)
{
	const struct tree *t = object && object->kind == TREE_OBJECT ? tree_find(object, slice_str(name)) : NULL;
	return t && t->kind == TREE_TEXT ? t->text : SLICE_NONE;
}

/* "order/1.0" */
static struct slice kind_of(const struct tree *document, struct slice *ret_version)
{
	struct slice rest = text_at(document, "_document"), kind = slice_cut(&rest, '/');
	*ret_version = rest;
	return kind.n && rest.n ? kind : SLICE_NONE;
}

static int list_documents(struct job *j, struct tree *all, size_t *ret_n, struct van_error *e)
{
	struct tree *first = all->kind == TREE_ARRAY ? all->first : all;
	size_t n = 0;
	for (const struct tree *t = first; t; t = all->kind == TREE_ARRAY ? t->next : NULL) {
		struct slice version;
		n++;
		if (t->kind != TREE_OBJECT || !kind_of(t, &version).p)
			return van_error_set(e, VAN_ESYNTAX, "document %zu of the file does not say what it is: add \"_document\": \"order/1.0\", or another of "
							     "maps/canonical", n);
	}
	if (!n)
		return van_error_set(e, VAN_ESYNTAX, "the file holds no document");
	j->plain->documents = van_arena_array(arena_of(j), n, sizeof *j->plain->documents);
	if (!j->plain->documents)
		return VAN_ENOMEM;
	*ret_n = n;
	n = 0;
	for (struct tree *t = first; t; t = all->kind == TREE_ARRAY ? t->next : NULL)
		j->plain->documents[n++] = t;
	return 0;
}

/* --- between whom ------------------------------------------------------------------------------------------------------------------ */

/* "ZZ:ACME" is of the standard that the document came from, X12 where it came from none. */
static struct slice identity_in(struct job *j, const struct tree *document, const char *end)
{
	struct slice said = text_at(tree_find(document, SLICE("_envelope")), end), standard = text_at(tree_find(document, SLICE("_source")), "standard");
	if (!said.n)
		return SLICE_NONE;
	struct slice whole = identity_canonical(arena_of(j), said);
	if (whole.p)
		return whole;
	return identity_canonical(arena_of(j), van_arena_printf(arena_of(j), "%s %.*s", slice_is(standard, "edifact") ? "edifact" : "x12", SLICE_ARG(said)));
}

struct slice job_plain_error(const struct tree *document)
{
	return text_at(document, "_error");
}

static int take_ends(struct job *j, size_t n, struct van_error *e)
{
	struct job_plain *p = j->plain;
	bool any = false;
	for (size_t i = 0; i < n; i++) {
		const struct tree *d = p->documents[i];
		if (job_plain_error(d).p && !p->rule.to.p)
			continue; /* it does not say any more */
		struct slice from = p->rule.from.p ? p->rule.from : identity_in(j, d, "sender");
		struct slice to = p->rule.to.p ? p->rule.to : identity_in(j, d, "receiver");
		const struct tree *envelope = tree_find(d, SLICE("_envelope"));
		const struct tree *test = envelope && envelope->kind == TREE_OBJECT ? tree_find(envelope, SLICE("test")) : NULL;
		from = from.p ? from : p->rule.otherwise;
		if (test && slice_is(test->text, "true") != p->rule.test)
			return van_error_set(e, VAN_EINVAL, "document %.*s says that it is %s, and \"documents\" of connection %.*s that it is %s: correct one of them",
					     SLICE_ARG(text_at(d, "ID")), p->rule.test ? "production" : "a test", SLICE_ARG(j->from->connection),
					     p->rule.test ? "a test" : "production");
		if (!from.p || !to.p)
			return van_error_set(e, VAN_EINVAL, "document %.*s does not say who %s it: write \"%s\" into \"documents\" of connection %.*s, or let the "
							    "document have _envelope.%s",
					     SLICE_ARG(text_at(d, "ID")), to.p ? "sends" : "gets", to.p ? "from" : "to", SLICE_ARG(j->from->connection),
					     to.p ? "sender" : "receiver");
		if (any && (!slice_eq(from, p->from) || !slice_eq(to, p->to)))
			return van_error_set(e, VAN_EINVAL, "the file has documents from %.*s to %.*s and from %.*s to %.*s: a file is between two, send one for each pair",
					     SLICE_ARG(p->from), SLICE_ARG(p->to), SLICE_ARG(from), SLICE_ARG(to));
		p->from = from;
		p->to = to;
		any = true;
	}
	return any ? 0 : van_error_set(e, VAN_ESYNTAX, "%.*s", SLICE_ARG(job_plain_error(p->documents[0])));
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
	struct slice version, id = text_at(d, "ID");
	*m = (struct edi_message){.type = kind_of(d, &version), .status = EDI_ACCEPTED, .known = true, .association = SLICE(""), .agency = SLICE(""),
				  .control_number = id.p ? id : SLICE("")};
	m->version = version;
	const struct tree *orders = tree_find(d, SLICE("OrderReference"));
	const struct tree *order = orders && orders->kind == TREE_ARRAY ? orders->first : orders;
	int rc = add_key(j, m, "po", key_kind(m->type) && strcmp(key_kind(m->type), "po") != 0 ? text_at(order, "ID") : SLICE_NONE);
	return rc == 0 ? add_key(j, m, key_kind(m->type), id) : rc;
}

/* The bare name of an identity: "ZZ:ACME". */
static struct slice plain_id(struct slice identity)
{
	slice_cut(&identity, ' ');
	return identity.p ? identity : SLICE("");
}

static struct edi_interchange *as_interchange(struct job *j, size_t n)
{
	struct edi_interchange *in = van_arena_alloc(arena_of(j), sizeof *in);
	struct edi_group *g = van_arena_alloc(arena_of(j), sizeof *g);
	struct edi_message *v = van_arena_array(arena_of(j), n ? n : 1, sizeof *v);
	if (!in || !g || !v)
		return NULL;
	bool test = j->plain->rule.test;
	*in = (struct edi_interchange){.length = j->payload.length, .standard = EDI_UNKNOWN, .version = SLICE(""), .control_number = SLICE(""),
				       .sender = plain_id(j->plain->from), .receiver = plain_id(j->plain->to), .date = SLICE(""), .time = SLICE(""),
				       .application = SLICE(""), .usage = test ? 'T' : 'P', .status = EDI_ACCEPTED, .groups = g, .group_count = 1};
	*g = (struct edi_group){.messages = v, .message_count = n ? n : 1, .accepted_count = n ? n : 1, .status = EDI_ACCEPTED, .code = SLICE(""),
				.version = SLICE(""), .agency = SLICE(""), .control_number = SLICE(""), .sender = SLICE(""), .receiver = SLICE(""),
				.date = SLICE(""), .time = SLICE("")};
	for (size_t i = 0; i < n; i++) {
		if (fill_message(j, j->plain->documents[i], &v[i]) < 0)
			return NULL;
		v[i].next = i + 1 < n ? &v[i + 1] : NULL;
	}
	if (!n)
		v[0] = (struct edi_message){.type = j->plain->rule.type.p ? j->plain->rule.type : SLICE(""), .version = SLICE(""), .status = EDI_ACCEPTED,
					    .association = SLICE(""), .agency = SLICE(""), .control_number = SLICE("")};
	in->control_number = v[0].control_number; /* a file that is sent again begins with the same document */
	return in;
}

/* It is kept with what is wrong, and can be reprocessed: HELD for want of terms, else QUARANTINED. */
static void set_aside(struct job *j, struct ipc_interchange *to, enum ipc_interchange_state state, struct slice why)
{
	const struct job_plain *p = j->plain;
	*to = (struct ipc_interchange){
		.standard = slice_str(p->standard), .from = p->from.p ? p->from : p->rule.from.p ? p->rule.from : p->rule.otherwise,
		.to = p->to.p ? p->to : p->rule.to, .env = p->rule.test ? SLICE("test") : SLICE("production"), .length = j->payload.length,
		.state = state, .error = why, .duplicates = SLICE("allow"), .ack = SLICE("none"),
	};
}

static int read_and_check(struct job *j, size_t *ret_n, struct van_error *e)
{
	struct tree *all = NULL;
	int rc = read_documents(j, &all, e);
	if (rc == 0)
		rc = list_documents(j, all, ret_n, e);
	return rc == 0 ? take_ends(j, *ret_n, e) : rc;
}

int job_plain(struct job *j)
{
	struct ipc_interchange *to = van_arena_alloc(arena_of(j), sizeof *to);
	struct van_error e = {0};
	size_t n = 0;
	bool any = j->plain->rule.format == PROFILE_DOCUMENT_ANY;
	if (!to)
		return VAN_ENOMEM;
	*to = (struct ipc_interchange){.state = IPC_INTERCHANGE_PROCESSED};
	j->result.interchanges = (struct record_list){to, 1};
	j->result.standard = slice_str(j->plain->standard);
	j->plain->from = j->plain->rule.from.p ? j->plain->rule.from : any ? j->plain->rule.otherwise : SLICE_NONE;
	j->plain->to = j->plain->rule.to;
	int rc = any ? 0 : read_and_check(j, &n, &e);
	if (rc < 0 && !e.text[0])
		return rc;
	if (rc < 0) {
		bool terms = rc == VAN_ENOTFOUND || rc == VAN_EINVAL;
		set_aside(j, to, terms ? IPC_INTERCHANGE_HELD : IPC_INTERCHANGE_QUARANTINED, van_arena_slice(arena_of(j), slice_str(e.text)));
		return to->error.p ? 0 : VAN_ENOMEM;
	}
	const struct edi_interchange *in = as_interchange(j, n);
	if (!in)
		return VAN_ENOMEM;
	rc = job_interchange(j, in, 0, to);
	j->result.outputs = job_list_take(&j->outputs);
	j->result.acks = job_list_take(&j->acks);
	return rc;
}
