/* The acknowledgement of an interchange that was translated: what its receivers answered, told with its own numbers. It is asked for in
 * the transaction that completes what is known, once, and written by a job. */
#include "queue/ack_private.h"

#include "base/fdio.h"

int queue_wake(struct queue_work *w, struct slice id, van_time when)
{
	struct queue_woken *n = van_arena_alloc(w->arena, sizeof *n);
	if (!n || id.n != VAN_ID_LEN)
		return VAN_ENOMEM;
	*n = (struct queue_woken){.next = w->woken, .when = when};
	memcpy(n->id.text, id.p, VAN_ID_LEN);
	w->woken = n;
	return 0;
}

/* Done again under another agreement, it is the same document to its sender, who wants one answer. */
static int answered_before(struct queue_work *w, const struct queue_message *m, bool *ret)
{
	struct queue_message first;
	*ret = m->answered;
	if (*ret || !m->reprocess_of.p)
		return 0;
	int rc = queue_message_get(w, m->reprocess_of, &first);
	*ret = rc == 0 && (first.answered || first.ack == QUEUE_ACK_ACCEPTED || first.ack == QUEUE_ACK_REJECTED);
	return rc == VAN_ENOTFOUND ? 0 : rc;
}

int queue_answer_want(struct queue_work *w, struct queue_message *m)
{
	struct queue_message old = *m;
	struct queue_job job = {.kind = QUEUE_JOB_ANSWER};
	bool before;
	int rc = answered_before(w, m, &before);
	if (rc < 0 || before)
		return rc;
	m->answered = true;
	rc = queue_message_put(w, &old, m);
	if (rc == 0)
		rc = queue_job_put(w, m->id, &job);
	return rc < 0 ? rc : queue_wake(w, m->id, 0);
}

/* What became of each message that was translated, from what is known of its group. */
static int add_answers(struct queue_work *w, const struct queue_message *m, const struct queue_transaction **group, size_t n,
		       struct ipc_transaction *to, size_t *count)
{
	struct queue_expect e;
	struct store_key k;
	queue_ack_key(&k, m, group[0]);
	int rc = queue_get_record(w, w->q->expect, store_key_slice(&k), &queue_expect_table, &e);
	for (size_t i = 0; i < n && i < e.items.n && rc == 0; i++) {
		uint32_t ack = RECORD_AT(e.items, struct queue_expect_item, i)->ack;
		if (slice_is(group[i]->status, "rejected") || !queue_ack_badness(ack))
			continue; /* by ourselves: our own errors tell why; or its receiver never said anything: our own check is what is known */
		to[(*count)++] = (struct ipc_transaction){
			.type = group[i]->type, .control_number = group[i]->control_number, .group_code = group[i]->group_code,
			.group_control_number = group[i]->group_control_number,
			.status = slice_str(queue_ack_state_names[ack]),
		};
	}
	return rc;
}

static int write_answers(struct queue_work *w, const struct queue_message *m, struct van_buf *to)
{
	const struct queue_transaction **v = queue_ack_by_group(w, m);
	struct ipc_transaction *answers = van_arena_array(w->arena, m->transactions.n + 1, sizeof *answers);
	size_t count = 0;
	int rc = v && answers ? 0 : VAN_ENOMEM;
	for (size_t i = 0, n = 0; i < m->transactions.n && rc == 0; i += n) {
		n = queue_ack_run_of_group(v + i, m->transactions.n - i);
		rc = add_answers(w, m, v + i, n, answers, &count);
	}
	const struct ipc_answer answer = {.messages = {answers, count}};
	return rc < 0 ? rc : record_encode(&ipc_answer_table, &answer, to);
}

int queue_answer_fill(struct queue_work *w, const struct queue_message *m, struct ipc_job *ret, int ret_fds[2])
{
	struct van_buf b = VAN_BUF_INIT((size_t)256 << 20);
	int rc = write_answers(w, m, &b);
	int fd = rc == 0 ? memfd_with("answer", b.p, b.n) : -1;
	van_buf_free(&b);
	if (rc == 0 && fd < 0)
		rc = fd;
	if (rc == 0)
		ret_fds[ret_fds[0] >= 0] = fd;
	ret->kind = IPC_JOB_ANSWER;
	return rc;
}
