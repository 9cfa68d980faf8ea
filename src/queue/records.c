#include "queue/records.h"

/* Tags are stored: never used again for another meaning. New fields take the next free one. */

const char *const queue_direction_names[] = {"in", "out", NULL};
const char *const queue_env_names[] = {"", "production", "test", NULL};
const char *const queue_state_names[] = {"received", "held", "duplicate", "unroutable", "rejected", "quarantined", "processed", NULL};
const char *const queue_delivery_state_names[] = {"", "queued", "trying", "awaiting-mdn", "delivered", "available",
						  "collected", "failed", "expired", "held", "dropped", NULL};
const char *const queue_ack_state_names[] = {"none", "expected", "accepted", "accepted-with-errors",
					     "partially-accepted", "rejected", "overdue", "unmatched", NULL};
const char *const queue_delivery_kind_names[] = {"as2", "mdn", "sftp", "webhook", "batch", NULL};
const char *const queue_mailbox_state_names[] = {"waiting", "collected", "taken", "staged", "unfinished", NULL};
static const char *const job_kind_names[] = {"process", "batch", "answer", NULL};
static const char *const part_kind_names[] = {"inline", "file", "stretch", "segment", NULL};

int queue_name_index(const char *const *names, struct slice name)
{
	for (int i = 0; names[i]; i++)
		if (name.p && slice_is(name, names[i]))
			return i;
	return -1;
}

static const struct record_field key_fields[] = {
	RECORD_FIELD(1, RECORD_TEXT, struct queue_key, kind),
	RECORD_FIELD(2, RECORD_TEXT, struct queue_key, value),
	RECORD_END,
};
const struct record_table queue_key_table = {"key", 1, sizeof(struct queue_key), key_fields};

static const struct record_field transaction_fields[] = {
	RECORD_FIELD(1, RECORD_TEXT, struct queue_transaction, type),
	RECORD_FIELD(2, RECORD_TEXT, struct queue_transaction, version),
	RECORD_FIELD(3, RECORD_TEXT, struct queue_transaction, control_number),
	RECORD_FIELD(4, RECORD_TEXT, struct queue_transaction, group_code),
	RECORD_FIELD(5, RECORD_TEXT, struct queue_transaction, group_control_number),
	RECORD_FIELD(6, RECORD_TEXT, struct queue_transaction, group_from),
	RECORD_FIELD(7, RECORD_TEXT, struct queue_transaction, group_to),
	RECORD_FIELD(8, RECORD_TEXT, struct queue_transaction, status),
	RECORD_FIELD(9, RECORD_U64, struct queue_transaction, errors),
	RECORD_FIELD_SUB(10, RECORD_MANY, struct queue_transaction, keys, &queue_key_table),
	RECORD_FIELD(11, RECORD_TEXT, struct queue_transaction, origin),
	RECORD_FIELD(12, RECORD_TEXT, struct queue_transaction, origin_group_code),
	RECORD_FIELD(13, RECORD_TEXT, struct queue_transaction, origin_group_number),
	RECORD_FIELD(14, RECORD_TEXT, struct queue_transaction, origin_number),
	RECORD_END,
};
const struct record_table queue_transaction_table = {"transaction", 1, sizeof(struct queue_transaction), transaction_fields};

#define M struct queue_message
static const struct record_field message_fields[] = {
	RECORD_FIELD(1, RECORD_TEXT, M, id),
	RECORD_FIELD(2, RECORD_TIME, M, time),
	RECORD_FIELD_ENUM(3, M, direction, queue_direction_names),
	RECORD_FIELD_ENUM(4, M, env, queue_env_names),
	RECORD_FIELD_ENUM(5, M, state, queue_state_names),
	RECORD_FIELD_ENUM(6, M, delivery, queue_delivery_state_names),
	RECORD_FIELD_ENUM(7, M, ack, queue_ack_state_names),
	RECORD_FIELD(8, RECORD_TEXT, M, protocol),
	RECORD_FIELD(9, RECORD_TEXT, M, partner),
	RECORD_FIELD(10, RECORD_TEXT, M, connection),
	RECORD_FIELD(11, RECORD_TEXT, M, from),
	RECORD_FIELD(12, RECORD_TEXT, M, to),
	RECORD_FIELD(13, RECORD_TEXT, M, standard),
	RECORD_FIELD(14, RECORD_TEXT, M, type),
	RECORD_FIELD(15, RECORD_TEXT, M, version),
	RECORD_FIELD(16, RECORD_TEXT, M, control_number),
	RECORD_FIELD(17, RECORD_TEXT, M, as2_message_id),
	RECORD_FIELD(18, RECORD_TEXT, M, file_name),
	RECORD_FIELD(19, RECORD_U64, M, bytes),
	RECORD_FIELD(20, RECORD_TEXT, M, sha256),
	RECORD_FIELD(21, RECORD_TEXT, M, agreement),
	RECORD_FIELD(22, RECORD_U64, M, agreement_version),
	RECORD_FIELD(23, RECORD_TEXT, M, parent),
	RECORD_FIELD(24, RECORD_TEXT, M, error),
	RECORD_FIELD(25, RECORD_TEXT, M, station),
	RECORD_FIELD(26, RECORD_TEXT, M, peer),
	RECORD_FIELD(27, RECORD_TEXT, M, content_type),
	RECORD_FIELD(28, RECORD_U64, M, partner_version),
	RECORD_FIELD(29, RECORD_TEXT, M, as2_from),
	RECORD_FIELD(30, RECORD_TEXT, M, as2_to),
	RECORD_FIELD(31, RECORD_TEXT, M, mic),
	RECORD_FIELD(32, RECORD_TEXT, M, micalg),
	RECORD_FIELD(33, RECORD_TEXT, M, disposition),
	RECORD_FIELD(34, RECORD_TEXT, M, mdn_message_id),
	RECORD_FIELD(35, RECORD_BYTES, M, mdn_facts),
	RECORD_FIELD(36, RECORD_TEXT, M, signer_sha256),
	RECORD_FIELD_SUB(37, RECORD_MANY, M, transactions, &queue_transaction_table),
	RECORD_FIELD_SUB(38, RECORD_MANY, M, keys, &queue_key_table),
	RECORD_FIELD(39, RECORD_U64, M, offset),
	RECORD_FIELD(40, RECORD_U64, M, length),
	RECORD_FIELD(41, RECORD_BOOL, M, child),
	RECORD_FIELD(42, RECORD_BOOL, M, acknowledgement),
	RECORD_FIELD(43, RECORD_TEXT, M, report),
	RECORD_FIELD(44, RECORD_TEXT, M, made_as),
	RECORD_FIELD(45, RECORD_TEXT, M, resend_of),
	RECORD_FIELD(46, RECORD_TEXT, M, reprocess_of),
	RECORD_FIELD(47, RECORD_TIME, M, ack_due),
	RECORD_FIELD(48, RECORD_TIME, M, collected),
	RECORD_FIELD(49, RECORD_TIME, M, taken),
	RECORD_FIELD(50, RECORD_U64, M, downloads),
	RECORD_FIELD(60, RECORD_TEXTS, M, origins),
	RECORD_FIELD(61, RECORD_BOOL, M, turn_back),
	RECORD_FIELD(62, RECORD_BOOL, M, answered),
	RECORD_FIELD(63, RECORD_U64, M, only),
	RECORD_FIELD(64, RECORD_BOOL, M, set_aside),
	RECORD_FIELD(65, RECORD_TEXT, M, documents),
	RECORD_FIELD(66, RECORD_TEXT, M, division),
	RECORD_END,
};
#undef M
const struct record_table queue_message_table = {"message", 1, sizeof(struct queue_message), message_fields};

static const struct record_field part_fields[] = {
	{.tag = 1, .kind = RECORD_ENUM, .offset = offsetof(struct queue_part, kind), .names = part_kind_names},
	RECORD_FIELD(2, RECORD_TEXT, struct queue_part, name),
	RECORD_FIELD(3, RECORD_U64, struct queue_part, bytes),
	RECORD_FIELD(4, RECORD_BYTES, struct queue_part, sha256),
	RECORD_HIDDEN(5, RECORD_BYTES, struct queue_part, content),
	RECORD_HIDDEN(6, RECORD_TEXT, struct queue_part, owner),
	RECORD_HIDDEN(7, RECORD_TEXT, struct queue_part, within),
	RECORD_HIDDEN(8, RECORD_U64, struct queue_part, offset),
	RECORD_END,
};
const struct record_table queue_part_table = {"part", 1, sizeof(struct queue_part), part_fields};

static const struct record_field event_fields[] = {
	RECORD_FIELD(1, RECORD_TIME, struct queue_event, time),
	RECORD_FIELD(2, RECORD_TEXT, struct queue_event, event),
	RECORD_FIELD(3, RECORD_TEXT, struct queue_event, text),
	RECORD_END,
};
const struct record_table queue_event_table = {"event", 1, sizeof(struct queue_event), event_fields};

static const struct record_field job_fields[] = {
	RECORD_FIELD(1, RECORD_U64, struct queue_job, tries),
	RECORD_FIELD(2, RECORD_U64, struct queue_job, crashes),
	RECORD_FIELD(3, RECORD_TIME, struct queue_job, next),
	RECORD_FIELD(4, RECORD_TEXT, struct queue_job, error),
	RECORD_FIELD(5, RECORD_BOOL, struct queue_job, accept_duplicate),
	{.tag = 6, .kind = RECORD_ENUM, .offset = offsetof(struct queue_job, kind), .names = job_kind_names},
	RECORD_FIELD(7, RECORD_BOOL, struct queue_job, waive),
	RECORD_FIELD(8, RECORD_BOOL, struct queue_job, answered),
	RECORD_END,
};
const struct record_table queue_job_table = {"job", 1, sizeof(struct queue_job), job_fields};

static const struct record_field batch_fields[] = {
	RECORD_FIELD(1, RECORD_BYTES, struct queue_batch, terms),
	RECORD_FIELD(2, RECORD_TEXT, struct queue_batch, from),
	RECORD_FIELD(3, RECORD_TEXT, struct queue_batch, to),
	RECORD_FIELD(4, RECORD_TEXT, struct queue_batch, env),
	RECORD_FIELD(5, RECORD_U64, struct queue_batch, messages),
	RECORD_FIELD(6, RECORD_U64, struct queue_batch, bytes),
	RECORD_FIELD(7, RECORD_U64, struct queue_batch, next),
	RECORD_END,
};
const struct record_table queue_batch_table = {"batch", 1, sizeof(struct queue_batch), batch_fields};

static const struct record_field batch_item_fields[] = {
	RECORD_FIELD(1, RECORD_TEXT, struct queue_batch_item, type),
	RECORD_FIELD(2, RECORD_TEXT, struct queue_batch_item, version),
	RECORD_FIELD(3, RECORD_TEXT, struct queue_batch_item, agency),
	RECORD_FIELD(4, RECORD_TEXT, struct queue_batch_item, association),
	RECORD_FIELD(5, RECORD_TEXT, struct queue_batch_item, group_code),
	RECORD_FIELD(6, RECORD_BYTES, struct queue_batch_item, delimiters),
	RECORD_FIELD(7, RECORD_TEXT, struct queue_batch_item, part),
	RECORD_FIELD(8, RECORD_TEXT, struct queue_batch_item, origin),
	RECORD_FIELD(9, RECORD_TEXT, struct queue_batch_item, origin_group_code),
	RECORD_FIELD(10, RECORD_TEXT, struct queue_batch_item, origin_group_number),
	RECORD_FIELD(11, RECORD_TEXT, struct queue_batch_item, origin_number),
	RECORD_FIELD_SUB(12, RECORD_MANY, struct queue_batch_item, keys, &queue_key_table),
	RECORD_END,
};
const struct record_table queue_batch_item_table = {"batch-item", 1, sizeof(struct queue_batch_item), batch_item_fields};

static const struct record_field delivery_fields[] = {
	RECORD_FIELD(1, RECORD_TEXT, struct queue_delivery, id),
	RECORD_FIELD(2, RECORD_TEXT, struct queue_delivery, message),
	RECORD_FIELD(3, RECORD_TEXT, struct queue_delivery, connection),
	RECORD_FIELD(4, RECORD_TEXT, struct queue_delivery, partner),
	RECORD_FIELD_ENUM(5, struct queue_delivery, state, queue_delivery_state_names),
	RECORD_FIELD(6, RECORD_U64, struct queue_delivery, tries),
	RECORD_FIELD(7, RECORD_TIME, struct queue_delivery, created),
	RECORD_FIELD(8, RECORD_TIME, struct queue_delivery, next),
	RECORD_FIELD(9, RECORD_TEXT, struct queue_delivery, last_error),
	RECORD_FIELD_ENUM(10, struct queue_delivery, kind, queue_delivery_kind_names),
	RECORD_FIELD(11, RECORD_TEXT, struct queue_delivery, url),
	RECORD_FIELD(12, RECORD_U64, struct queue_delivery, round),
	RECORD_FIELD(13, RECORD_U64, struct queue_delivery, interruptions),
	RECORD_FIELD_ENUM(14, struct queue_delivery, compress, NULL),
	RECORD_END,
};
const struct record_table queue_delivery_table = {"delivery", 1, sizeof(struct queue_delivery), delivery_fields};

static const struct record_field mailbox_entry_fields[] = {
	RECORD_FIELD(1, RECORD_TEXT, struct queue_mailbox_entry, name),
	{.tag = 2, .kind = RECORD_TEXT, .offset = offsetof(struct queue_mailbox_entry, message), .name = "id"},
	RECORD_HIDDEN(3, RECORD_TEXT, struct queue_mailbox_entry, part),
	RECORD_FIELD(4, RECORD_U64, struct queue_mailbox_entry, bytes),
	RECORD_FIELD(5, RECORD_TIME, struct queue_mailbox_entry, time),
	RECORD_FIELD_ENUM(6, struct queue_mailbox_entry, state, queue_mailbox_state_names),
	RECORD_HIDDEN(7, RECORD_TIME, struct queue_mailbox_entry, collected),
	RECORD_HIDDEN(8, RECORD_BYTES, struct queue_mailbox_entry, sha256),
	RECORD_HIDDEN(9, RECORD_BYTES, struct queue_mailbox_entry, salt),
	RECORD_HIDDEN(10, RECORD_BYTES, struct queue_mailbox_entry, salted_sha256),
	RECORD_HIDDEN(11, RECORD_U64, struct queue_mailbox_entry, fetched),
	RECORD_HIDDEN(12, RECORD_BYTES, struct queue_mailbox_entry, hashing),
	RECORD_END,
};
const struct record_table queue_mailbox_entry_table = {"mailbox entry", 1, sizeof(struct queue_mailbox_entry), mailbox_entry_fields};

static const struct record_field mailbox_usage_fields[] = {
	RECORD_FIELD(1, RECORD_U64, struct queue_mailbox_usage, bytes),
	RECORD_FIELD(2, RECORD_U64, struct queue_mailbox_usage, files),
	RECORD_FIELD(3, RECORD_U64, struct queue_mailbox_usage, uploads),
	RECORD_FIELD(4, RECORD_TEXT, struct queue_mailbox_usage, day),
	RECORD_END,
};
const struct record_table queue_mailbox_usage_table = {"mailbox usage", 1, sizeof(struct queue_mailbox_usage), mailbox_usage_fields};

static const struct record_field expect_item_fields[] = {
	RECORD_FIELD(1, RECORD_TEXT, struct queue_expect_item, type),
	RECORD_FIELD(2, RECORD_TEXT, struct queue_expect_item, control_number),
	RECORD_FIELD_ENUM(3, struct queue_expect_item, ack, queue_ack_state_names),
	RECORD_END,
};
static const struct record_table expect_item_table = {"expect item", 1, sizeof(struct queue_expect_item), expect_item_fields};

static const struct record_field expect_fields[] = {
	RECORD_FIELD(1, RECORD_TEXT, struct queue_expect, message),
	RECORD_FIELD(2, RECORD_TEXT, struct queue_expect, from),
	RECORD_FIELD(3, RECORD_TEXT, struct queue_expect, to),
	RECORD_FIELD_ENUM(4, struct queue_expect, ack, queue_ack_state_names),
	RECORD_FIELD(5, RECORD_TIME, struct queue_expect, since),
	RECORD_FIELD(6, RECORD_TIME, struct queue_expect, due),
	RECORD_FIELD_SUB(7, RECORD_MANY, struct queue_expect, items, &expect_item_table),
	RECORD_END,
};
const struct record_table queue_expect_table = {"expect", 1, sizeof(struct queue_expect), expect_fields};

static const struct record_field control_fields[] = {
	RECORD_FIELD(1, RECORD_TEXT, struct queue_control, message),
	RECORD_FIELD(4, RECORD_TIME, struct queue_control, time),
	RECORD_END,
};
const struct record_table queue_control_table = {"control", 1, sizeof(struct queue_control), control_fields};

/* Tags 1 and 4 as in "control", whose records these were once. */
static const struct record_field unique_fields[] = {
	RECORD_FIELD(1, RECORD_TEXT, struct queue_unique, message),
	RECORD_FIELD(4, RECORD_TIME, struct queue_unique, time),
	RECORD_FIELD(5, RECORD_TEXT, struct queue_unique, scope),
	RECORD_FIELD(6, RECORD_TEXT, struct queue_unique, value),
	RECORD_FIELD(7, RECORD_U64, struct queue_unique, window),
	RECORD_END,
};
const struct record_table queue_unique_table = {"control", 1, sizeof(struct queue_unique), unique_fields};

static const struct record_field profile_fields[] = {
	RECORD_FIELD(1, RECORD_TEXT, struct queue_profile, id),
	RECORD_HIDDEN(2, RECORD_ENUM, struct queue_profile, kind),
	RECORD_FIELD(3, RECORD_U64, struct queue_profile, version),
	RECORD_FIELD(4, RECORD_TIME, struct queue_profile, time),
	RECORD_FIELD(5, RECORD_TEXT, struct queue_profile, actor),
	RECORD_FIELD(6, RECORD_BOOL, struct queue_profile, removed),
	RECORD_HIDDEN(7, RECORD_TEXT, struct queue_profile, json),
	RECORD_END,
};
const struct record_table queue_profile_table = {"profile", 1, sizeof(struct queue_profile), profile_fields};
