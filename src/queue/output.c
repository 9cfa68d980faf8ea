#include "queue/attachment.h"
#include "queue/result.h"

#include "base/fdio.h"

#include <unistd.h>

#define HASH_MAX ((uint64_t)1 << 20) /* larger stretches of files are not hashed anew: the file's receipt has its hash */

static const char *const kind_names[] = {"pass-through", "translated", "ack", "translated", NULL};
#define OUTPUT_MAX ((size_t)256 << 20)

/* The numbers that this output takes; each is taken once. */
struct numbers {
	uint64_t interchange;
	uint64_t *group;
	size_t ngroups;
};

static int take_number(struct queue_work *w, const struct queue_message *m, const struct ipc_part *p, struct numbers *n,
		       uint64_t *ret)
{
	uint64_t *slot = &n->interchange;
	uint32_t level = QUEUE_LEVEL_INTERCHANGE;
	if (p->kind == IPC_PART_GROUP_NUMBER) {
		if (p->group_index >= n->ngroups)
			return van_error_set(&w->err, VAN_EINVAL, "an output's groups are not numbered from 0 on");
		slot = &n->group[p->group_index];
		level = QUEUE_LEVEL_GROUP;
	}
	int rc = *slot ? 0 : queue_counter_next(w, m->from, m->to, m->env, level, slot);
	*ret = *slot;
	return rc;
}

/* Of what was written: the groups' numbers, by which its receiver will acknowledge it. */
static int note_group_numbers(struct queue_work *w, struct queue_message *m, const struct ipc_output *o, const struct numbers *n)
{
	for (size_t i = 0; i < o->transactions.n && i < m->transactions.n; i++) {
		const struct ipc_transaction *from = RECORD_AT(o->transactions, struct ipc_transaction, i);
		struct queue_transaction *t = RECORD_AT(m->transactions, struct queue_transaction, i);
		if (!from->group_code.p)
			continue;
		if (from->group_index >= n->ngroups)
			return van_error_set(&w->err, VAN_EINVAL, "an output's groups are not numbered from 0 on");
		/* most often that of the message before */
		bool same = i && from->group_index == from[-1].group_index && t[-1].group_control_number.p;
		t->group_control_number = same ? t[-1].group_control_number
					       : van_arena_printf(w->arena, "%llu", (unsigned long long)n->group[from->group_index]);
		if (!t->group_control_number.p)
			return VAN_ENOMEM;
	}
	return 0;
}

static int render(struct queue_work *w, struct queue_message *m, const struct ipc_output *o, struct van_buf *to)
{
	/* each group has a part of its own */
	struct numbers numbers = {.group = van_arena_array(w->arena, o->parts.n + 1, sizeof *numbers.group), .ngroups = o->parts.n};
	if (!numbers.group)
		return VAN_ENOMEM;
	for (size_t i = 0; i < o->parts.n; i++) {
		const struct ipc_part *p = RECORD_AT(o->parts, struct ipc_part, i);
		uint64_t number = 0;
		if (p->kind == IPC_PART_BYTES) {
			van_buf_append_slice(to, p->bytes);
			continue;
		}
		int rc = take_number(w, m, p, &numbers, &number);
		if (rc < 0)
			return rc;
		int width = p->width < 20 ? (int)p->width : 20;
		van_buf_printf(to, "%0*llu", width, (unsigned long long)number);
		if (p->kind == IPC_PART_INTERCHANGE_NUMBER && !m->control_number.p)
			m->control_number = van_arena_printf(w->arena, "%0*llu", width, (unsigned long long)number);
	}
	int rc = note_group_numbers(w, m, o, &numbers);
	return rc < 0 ? rc : to->error;
}

/* Bytes of a stretch of the payload; absent where they are in a file and long. */
static int stretch_bytes(struct queue_work *w, struct slice id, const struct ipc_output *o, struct slice *ret)
{
	struct queue_content c;
	int rc = queue_part_open(w, id, SLICE("payload"), &c);
	if (rc < 0)
		return rc;
	if (o->offset > c.length || o->length > c.length - o->offset) {
		if (c.fd >= 0)
			close(c.fd);
		return van_error_set(&w->err, VAN_EINVAL, "an output reaches past the payload");
	}
	if (c.fd < 0) {
		*ret = slice_make(c.bytes.p + o->offset, o->length);
		return 0;
	}
	char *room = o->length <= HASH_MAX ? van_arena_alloc(w->arena, o->length + 1) : NULL;
	if (room)
		rc = fd_pread_all(c.fd, room, o->length, (off_t)(c.offset + o->offset));
	close(c.fd);
	*ret = room ? slice_make(room, o->length) : SLICE_NONE;
	return rc;
}

struct made {
	struct queue_part part;
	struct receipt_artefact artefact;
	bool has_artefact;
	struct receipt_hash sha256;
	struct van_buf bytes;
};

static void hash_made(struct made *made, struct slice bytes)
{
	receipt_artefact_of(&made->artefact, "payload", bytes);
	made->has_artefact = true;
	if (!made->part.sha256.p) {
		made->sha256 = receipt_sha256(bytes.p, bytes.n);
		made->part.sha256 = slice_make(made->sha256.b, RECEIPT_HASH);
	}
}

/* The only interchange of a file is passed on with everything around it (line ends, a byte order mark): the very bytes that came. */
static int make_stretch(struct queue_work *w, const struct result *r, const struct ipc_output *from, struct made *made)
{
	struct slice bytes;
	struct queue_part whole;
	struct ipc_output stretch = *from, *o = &stretch;
	int rc = queue_part_get(w, r->message.id, SLICE("payload"), &whole);
	if (rc == 0 && r->ntargets == 1) {
		o->offset = 0;
		o->length = whole.bytes;
	}
	if (rc == 0)
		rc = stretch_bytes(w, r->message.id, o, &bytes);
	if (rc < 0)
		return rc;
	made->part.kind = QUEUE_PART_STRETCH;
	made->part.owner = r->message.id;
	made->part.within = SLICE("payload");
	made->part.offset = o->offset;
	made->part.bytes = o->length;
	if (o->offset == 0 && o->length == whole.bytes)
		made->part.sha256 = whole.sha256;
	if (bytes.p)
		hash_made(made, bytes);
	return 0;
}

/* A stretch of a file of the result; the file is a part of the job's message. */
static int make_file_stretch(struct queue_work *w, const struct result *r, size_t i, struct made *made)
{
	const struct ipc_output *o = RECORD_AT(r->from->outputs, struct ipc_output, i);
	const struct queue_output_file *f = &r->ids->files[i];
	struct queue_part file = {.kind = QUEUE_PART_FILE};
	if (f->hashed) {
		made->part.sha256 = slice_make(f->sha256.b, RECEIPT_HASH);
		made->artefact = f->artefact;
		made->has_artefact = true;
	}
	made->part.bytes = o->length;
	if (f->bytes.p) {
		made->part.content = f->bytes;
		return 0;
	}
	file.name = van_arena_printf(w->arena, "made-%s-%llu", r->ids->made_name, (unsigned long long)o->fd_number);
	for (size_t k = 0; k < r->from->outputs.n; k++) {
		const struct ipc_output *other = RECORD_AT(r->from->outputs, struct ipc_output, k);
		if (other->fd_number == o->fd_number && other->offset + other->length > file.bytes)
			file.bytes = other->offset + other->length;
	}
	made->part.kind = QUEUE_PART_STRETCH;
	made->part.owner = r->message.id;
	made->part.within = file.name;
	made->part.offset = o->offset;
	return queue_part_put(w, r->message.id, &file);
}

int queue_result_hash_files(const struct ipc_job_result *r, const int *fds, size_t nfds, struct van_arena *arena,
			    struct queue_output_file *files)
{
	for (size_t i = 0; i < r->outputs.n; i++) {
		const struct ipc_output *o = RECORD_AT(r->outputs, struct ipc_output, i);
		if (!o->fd_number || o->length > HASH_MAX)
			continue;
		if (o->fd_number > nfds)
			return VAN_EINVAL;
		char *bytes = van_arena_alloc(arena, o->length + 1);
		int rc = bytes ? fd_pread_all(fds[o->fd_number - 1], bytes, o->length, (off_t)o->offset) : VAN_ENOMEM;
		if (rc < 0)
			return rc;
		files[i].sha256 = receipt_sha256(bytes, o->length);
		receipt_artefact_of(&files[i].artefact, "payload", slice_make(bytes, o->length));
		files[i].hashed = true;
		if (o->length <= QUEUE_OUTPUT_INLINE_MAX)
			files[i].bytes = slice_make(bytes, o->length);
	}
	return 0;
}

static int make_content(struct queue_work *w, const struct result *r, size_t i, struct queue_message *m, struct made *made)
{
	const struct ipc_output *o = RECORD_AT(r->from->outputs, struct ipc_output, i);
	made->part.name = SLICE("payload");
	if (o->fd_number)
		return make_file_stretch(w, r, i, made);
	if (o->kind == IPC_OUTPUT_PASS_THROUGH && !o->parts.n)
		return make_stretch(w, r, o, made);
	int rc = render(w, m, o, &made->bytes);
	if (rc < 0)
		return rc;
	made->part.content = van_buf_slice(&made->bytes);
	made->part.bytes = made->bytes.n;
	hash_made(made, made->part.content);
	return 0;
}

int queue_result_content(struct queue_work *w, const struct result *r, size_t i, struct queue_message *m, struct queue_part *ret)
{
	struct made made = {.bytes = VAN_BUF_INIT(OUTPUT_MAX)};
	int rc = make_content(w, r, i, m, &made);
	*ret = made.part;
	ret->sha256 = SLICE_NONE;
	if (rc == 0 && made.part.content.p && made.bytes.n) {
		ret->content = van_arena_slice(w->arena, made.part.content);
		rc = ret->content.p ? 0 : VAN_ENOMEM;
	}
	van_buf_free(&made.bytes);
	return rc;
}

/* Where it goes: a mailbox at once, any other connection by a delivery. */
static int deliver(struct queue_work *w, struct queue_message *m, struct slice extension)
{
	const struct profile_connection *c = w->directory && m->connection.p ? directory_connection(w->directory, m->connection, NULL) : NULL;
	if (c && c->protocol == PROFILE_SFTP_MAILBOX) {
		m->protocol = SLICE("sftp");
		m->delivery = QUEUE_DELIVERY_AVAILABLE;
		return queue_mailbox_deliver(w, c, m, extension);
	}
	if (c && c->push) { /* named now: a repeated try must know its file again */
		int rc = queue_mailbox_name(w, c->push->file_name, m, extension);
		m->protocol = SLICE("sftp");
		m->delivery = QUEUE_DELIVERY_QUEUED;
		return rc < 0 ? rc : queue_delivery_new(w, m, QUEUE_TO_SFTP);
	}
	m->protocol = c ? SLICE("as2") : SLICE_NONE;
	m->delivery = c ? QUEUE_DELIVERY_QUEUED : QUEUE_DELIVERY_HELD;
	if (!c)
		m->error = SLICE("there is no connection to its receiver: add one to the profile");
	return queue_delivery_new(w, m, QUEUE_TO_AS2);
}

static int put_output(struct queue_work *w, struct result *r, const struct ipc_output *o, struct queue_message *m,
		      struct made *made)
{
	const struct queue_message *target = o->interchange < r->ntargets ? &r->targets[o->interchange] : NULL;
	bool was_batch = r->batch && slice_eq(m->id, r->message.id);
	m->bytes = made->part.bytes;
	m->sha256 = queue_sha256_hex(w, made->part.sha256);
	int rc = queue_part_put(w, m->id, &made->part);
	if (rc == 0)
		rc = deliver(w, m, o->extension);
	if (rc == 0 && !m->parent.p)
		rc = queue_batch_origins(w, m);
	if (rc == 0)
		rc = queue_message_put(w, was_batch ? &r->message : NULL, m);
	if (rc == 0 && m->transactions.n && m->control_number.n)
		rc = queue_ack_expect(w, m);
	if (rc == 0 && r->batch)
		rc = queue_delivery_show(w, m, (enum queue_delivery_state)m->delivery);
	if (rc == 0)
		rc = queue_search_put(w, m->file_name, m->id);
	if (rc == 0)
		rc = queue_search_put(w, m->sha256, m->id);
	if (rc == 0)
		rc = queue_result_search(w, m, m->id);
	/* What is passed on has the numbers and keys of what came. */
	if (rc == 0 && target && o->kind == IPC_OUTPUT_PASS_THROUGH)
		rc = queue_result_search(w, target, m->id);
	struct slice of = m->parent.p ? van_arena_printf(w->arena, "message %.*s", SLICE_ARG(m->parent))
				      : van_arena_printf(w->arena, "%zu messages", m->origins.n);
	struct slice text = van_arena_printf(w->arena, "%s%s%.*s for %.*s, made of %.*s", kind_names[o->kind], o->map.n ? " by map " : "",
					     SLICE_ARG(o->map), SLICE_ARG(o->connection), SLICE_ARG(of));
	return rc < 0 ? rc : queue_trail_receipt(w, o->kind == IPC_OUTPUT_ACK ? RECEIPT_ACK_SENT : RECEIPT_QUEUED, m, text, SLICE_NONE,
						 &made->artefact, made->has_artefact);
}

static int fill_output(struct queue_work *w, const struct result *r, size_t i, struct queue_message *m)
{
	const struct ipc_output *o = RECORD_AT(r->from->outputs, struct ipc_output, i);
	int env = queue_name_index(queue_env_names, o->env), ack = queue_name_index(queue_ack_state_names, o->ack);
	*m = (struct queue_message){
		.id = slice_make(r->ids->outputs[i].text, VAN_ID_LEN), .time = w->now, .direction = QUEUE_OUT,
		.state = QUEUE_PROCESSED, .env = env < 0 ? QUEUE_ENV_UNKNOWN : (uint32_t)env,
		.ack = ack < 0 ? QUEUE_ACK_NONE : (uint32_t)ack, .partner = o->partner, .connection = o->connection,
		.from = o->from, .to = o->to, .standard = o->standard, .type = o->type, .version = o->version,
		.control_number = o->control_number, .agreement = o->agreement, .agreement_version = o->agreement_version,
		.parent = o->interchange < r->ntargets ? r->targets[o->interchange].id : r->message.id,
		.report = o->report, .made_as = slice_str(kind_names[o->kind]), .station = r->message.station,
		.acknowledgement = o->kind == IPC_OUTPUT_ACK,
	};
	m->ack_due = m->ack == QUEUE_ACK_EXPECTED && o->ack_within ? w->now + (van_time)o->ack_within : 0;
	if (r->batch) {
		m->parent = SLICE_NONE;
		if (i == 0) { /* it is there already, with what it is made of */
			m->id = r->message.id;
			m->time = r->message.time;
			m->origins = r->message.origins;
		}
	}
	if (o->kind != IPC_OUTPUT_WAITING && !queue_result_transactions(w, &o->transactions, m->parent, m))
		return VAN_ENOMEM;
	return queue_result_keys(w, &o->keys, &m->keys) ? 0 : VAN_ENOMEM;
}

/* Rejected here, for its number, and not by the worker that read it. */
static bool is_repeat(const struct queue_message *target, const struct ipc_interchange *ic)
{
	return target->state == QUEUE_REJECTED && ic->state != IPC_INTERCHANGE_REJECTED;
}

/* May outputs of this interchange be made? What is rejected or in quarantine is still answered. */
static bool wanted(const struct queue_message *target, const struct ipc_interchange *ic, const struct ipc_output *o)
{
	if (o->on_repeat)
		return is_repeat(target, ic);
	if (target->state == QUEUE_PROCESSED)
		return true;
	return o->kind == IPC_OUTPUT_ACK && ((target->state == QUEUE_REJECTED && ic->state == IPC_INTERCHANGE_REJECTED) ||
					     (target->state == QUEUE_QUARANTINED && target->set_aside));
}

/* A batch is made of many, and takes none along. */
static int keep_attachments(struct queue_work *w, struct result *r)
{
	struct queue_part list;
	int rc = r->attached ? VAN_ENOTFOUND : queue_part_get(w, r->message.id, SLICE("attachment-list"), &list);
	r->attached = true;
	if (rc == VAN_ENOTFOUND)
		w->err.text[0] = 0;
	if (rc < 0)
		return rc == VAN_ENOTFOUND ? 0 : rc;
	return queue_trail_event(w, r->message.id, "attachments-kept", SLICE("its documents wait for a batch, which takes no attachments along: see its parts"));
}

int queue_result_output(struct queue_work *w, struct result *r, size_t i)
{
	const struct ipc_output *o = RECORD_AT(r->from->outputs, struct ipc_output, i);
	struct queue_message *target = o->interchange < r->ntargets ? &r->targets[o->interchange] : NULL;
	struct queue_message m;
	struct made made = {.bytes = VAN_BUF_INIT(OUTPUT_MAX)};
	if (o->kind > IPC_OUTPUT_WAITING)
		return van_error_set(&w->err, VAN_EINVAL, "an output of an unknown kind");
	if (r->answered && o->kind == IPC_OUTPUT_ACK && r->ntargets)
		return 0; /* its sender has one already */
	if (target && !wanted(target, RECORD_AT(r->from->interchanges, struct ipc_interchange, o->interchange), o))
		return 0;
	int rc = fill_output(w, r, i, &m);
	if (rc == 0 && o->kind == IPC_OUTPUT_WAITING) {
		rc = queue_batch_add(w, r, i, &m);
		if (rc == 0)
			rc = keep_attachments(w, r);
		if (rc == 0 && target)
			target->delivery = QUEUE_DELIVERY_QUEUED;
		return rc;
	}
	if (rc == 0)
		rc = make_content(w, r, i, &m, &made);
	if (rc == 0)
		rc = put_output(w, r, o, &m, &made);
	/* what came beside the document goes with the first that is made of it, once */
	bool document = o->kind == IPC_OUTPUT_PASS_THROUGH || o->kind == IPC_OUTPUT_TRANSLATED;
	if (rc == 0 && document && o->interchange == r->bearer && !r->attached && !r->batch) {
		rc = queue_attachments_follow(w, target ? target : &r->message, &m, deliver);
		r->attached = true;
	}
	if (rc == 0 && target && o->on_repeat)
		target->ack = QUEUE_ACK_REJECTED;
	if (rc == 0 && o->kind != IPC_OUTPUT_ACK)
		*(target ? &target->delivery : &r->delivery) = m.delivery;
	van_buf_free(&made.bytes);
	return rc;
}
