/* What operators do to one message, delivery or acknowledgement. */
#include "vanctl/act.h"

#include "vanctl/simple.h"

static const struct ctl_option reason_options[] = {
	{"--reason", "TEXT", "reason", CTL_TEXT, NULL, "what the history and the receipt will say"},
	{NULL},
};

static int message_release(struct ctl *c)
{
	return simple_do(c, "message.release", "id", "is processed again, under today's agreements");
}

static int message_hold(struct ctl *c)
{
	return simple_do(c, "message.hold", "id", "is held");
}

static int with_reason(struct ctl *c, const char *command, const char *done)
{
	return ctl_text(c, "reason") ? simple_do(c, command, "id", done) : ctl_fail(CTL_USAGE, "say why: --reason TEXT");
}

static int message_reject(struct ctl *c)
{
	return with_reason(c, "message.reject", "is rejected");
}

static int ack_close(struct ctl *c)
{
	return with_reason(c, "ack.close", "no longer waits for an acknowledgement");
}

static int queue_retry(struct ctl *c)
{
	return simple_do(c, "queue.retry", "id", "is tried now");
}

static int queue_hold(struct ctl *c)
{
	return simple_do(c, "queue.hold", "id", "is held");
}

static int queue_release(struct ctl *c)
{
	return simple_do(c, "queue.release", "id", "is queued again");
}

static int queue_resume(struct ctl *c)
{
	json_t *answer = NULL;
	int status = simple_ask(c, "queue.resume", NULL, &answer, NULL);
	if (!status && !c->json)
		puts("deliveries go on");
	json_decref(answer);
	return status;
}

static int queue_drop(struct ctl *c)
{
	return simple_do(c, "queue.drop", "id", "is dropped; its message stays");
}

static int mailbox_restore(struct ctl *c)
{
	return simple_do(c, "mailbox.restore", "id", "waits in its mailbox again");
}

const struct ctl_command commands_act[] = {
	{"message", "release", "ID", 1, 1, "Process a held, duplicate, unroutable, rejected or quarantined message again", NULL, message_release},
	{"message", "hold", "ID", 1, 1, "Hold a message that waits to be processed", NULL, message_hold},
	{"message", "reject", "ID", 1, 1, "Settle a held message: it stays, rejected", reason_options, message_reject},
	{"mailbox", "restore", "ID", 1, 1, "Put a document that was taken back into its mailbox", NULL, mailbox_restore},
	{"ack", "close", "ID", 1, 1, "Stop waiting for an acknowledgement", reason_options, ack_close},
	{"queue", "retry", "ID", 1, 1, "Try a delivery now", NULL, queue_retry},
	{"queue", "hold", "ID", 1, 1, "Hold a delivery", NULL, queue_hold},
	{"queue", "release", "ID", 1, 1, "Let a held delivery go on", NULL, queue_release},
	{"queue", "resume", "", 0, 0, "After a restore: let deliveries go out again", NULL, queue_resume},
	{"queue", "drop", "ID", 1, 1, "Give a delivery up", NULL, queue_drop},
	{NULL},
};
