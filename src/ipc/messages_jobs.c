/* Tables of messages.h about look-ups, jobs and maps; the others are in messages.c, which says more. */
#include "ipc/messages.h"

static const struct record_field lookup_fields[] = {
	RECORD_FIELD_ENUM(1, struct ipc_lookup, kind, NULL),
	RECORD_FIELD(2, RECORD_TEXT, struct ipc_lookup, as2_from),
	RECORD_FIELD(3, RECORD_TEXT, struct ipc_lookup, as2_to),
	RECORD_FIELD(4, RECORD_TEXT, struct ipc_lookup, connection),
	RECORD_FIELD(5, RECORD_TEXT, struct ipc_lookup, from),
	RECORD_FIELD(6, RECORD_TEXT, struct ipc_lookup, to),
	RECORD_FIELD(7, RECORD_TEXT, struct ipc_lookup, type),
	RECORD_FIELD(8, RECORD_TEXT, struct ipc_lookup, version),
	RECORD_FIELD(9, RECORD_TEXT, struct ipc_lookup, usage),
	RECORD_FIELD(10, RECORD_TEXT, struct ipc_lookup, group_from),
	RECORD_FIELD(11, RECORD_TEXT, struct ipc_lookup, group_to),
	RECORD_FIELD(12, RECORD_TEXT, struct ipc_lookup, group_code),
	RECORD_FIELD(13, RECORD_TEXT, struct ipc_lookup, group_control_number),
	RECORD_FIELD(14, RECORD_BOOL, struct ipc_lookup, whole),
	RECORD_FIELD(15, RECORD_TEXT, struct ipc_lookup, message),
	RECORD_FIELD(16, RECORD_TEXT, struct ipc_lookup, scope),
	RECORD_FIELD(17, RECORD_TEXT, struct ipc_lookup, key),
	RECORD_FIELD(18, RECORD_U64, struct ipc_lookup, window),
	RECORD_FIELD(19, RECORD_TEXT, struct ipc_lookup, file_name),
	RECORD_FIELD(20, RECORD_TEXT, struct ipc_lookup, content_type),
	RECORD_END,
};
const struct record_table ipc_lookup_table = {"lookup", 1, sizeof(struct ipc_lookup), lookup_fields};

static const struct record_field lookup_reply_fields[] = {
	RECORD_FIELD(1, RECORD_U64, struct ipc_lookup_reply, generation),
	RECORD_FIELD(2, RECORD_BYTES, struct ipc_lookup_reply, record),
	RECORD_FIELD(3, RECORD_U64, struct ipc_lookup_reply, zone_offset),
	RECORD_END,
};
const struct record_table ipc_lookup_reply_table = {"lookup_reply", 1, sizeof(struct ipc_lookup_reply), lookup_reply_fields};

static const struct record_field job_fields[] = {
	RECORD_FIELD_ENUM(1, struct ipc_job, kind, NULL),
	RECORD_FIELD(2, RECORD_U64, struct ipc_job, generation),
	RECORD_FIELD(3, RECORD_TEXT, struct ipc_job, message),
	RECORD_FIELD(4, RECORD_TEXT, struct ipc_job, protocol),
	RECORD_FIELD(5, RECORD_TEXT, struct ipc_job, partner),
	RECORD_FIELD(6, RECORD_TEXT, struct ipc_job, connection),
	RECORD_FIELD(7, RECORD_TEXT, struct ipc_job, file_name),
	RECORD_FIELD(8, RECORD_TEXT, struct ipc_job, content_type),
	RECORD_FIELD(9, RECORD_TIME, struct ipc_job, received),
	RECORD_FIELD(10, RECORD_TEXT, struct ipc_job, payload),
	RECORD_FIELD(11, RECORD_U64, struct ipc_job, offset),
	RECORD_FIELD(12, RECORD_U64, struct ipc_job, length),
	RECORD_FIELD(13, RECORD_BYTES, struct ipc_job, accept),
	RECORD_FIELD(14, RECORD_TEXT, struct ipc_job, conflict),
	RECORD_FIELD(15, RECORD_TEXT, struct ipc_job, time_zone),
	RECORD_FIELD_ENUM(16, struct ipc_job, disposition, NULL),
	RECORD_FIELD(17, RECORD_U64, struct ipc_job, maps),
	RECORD_FIELD(20, RECORD_U64, struct ipc_job, head),
	RECORD_FIELD(21, RECORD_U64, struct ipc_job, only),
	RECORD_FIELD(22, RECORD_BOOL, struct ipc_job, waive),
	RECORD_FIELD(23, RECORD_BOOL, struct ipc_job, answered),
	RECORD_FIELD(24, RECORD_TEXT, struct ipc_job, documents),
	RECORD_FIELD(25, RECORD_TEXT, struct ipc_job, division),
	RECORD_END,
};
const struct record_table ipc_job_table = {"job", 1, sizeof(struct ipc_job), job_fields};

static const struct record_field piece_fields[] = {
	RECORD_FIELD(1, RECORD_TEXT, struct ipc_piece, type),
	RECORD_FIELD(2, RECORD_TEXT, struct ipc_piece, version),
	RECORD_FIELD(3, RECORD_TEXT, struct ipc_piece, agency),
	RECORD_FIELD(4, RECORD_TEXT, struct ipc_piece, association),
	RECORD_FIELD(5, RECORD_TEXT, struct ipc_piece, group_code),
	RECORD_FIELD(6, RECORD_BYTES, struct ipc_piece, delimiters),
	RECORD_FIELD(7, RECORD_U64, struct ipc_piece, offset),
	RECORD_FIELD(8, RECORD_U64, struct ipc_piece, length),
	RECORD_FIELD(9, RECORD_TEXT, struct ipc_piece, origin),
	RECORD_FIELD(10, RECORD_TEXT, struct ipc_piece, origin_group_code),
	RECORD_FIELD(11, RECORD_TEXT, struct ipc_piece, origin_group_number),
	RECORD_FIELD(12, RECORD_TEXT, struct ipc_piece, origin_number),
	RECORD_FIELD_SUB(13, RECORD_MANY, struct ipc_piece, keys, &ipc_business_key_table),
	RECORD_END,
};
const struct record_table ipc_piece_table = {"piece", 1, sizeof(struct ipc_piece), piece_fields};

static const struct record_field batch_fields[] = {
	RECORD_FIELD(1, RECORD_BYTES, struct ipc_batch, terms),
	RECORD_FIELD(2, RECORD_TEXT, struct ipc_batch, usage),
	RECORD_FIELD_SUB(3, RECORD_MANY, struct ipc_batch, pieces, &ipc_piece_table),
	RECORD_FIELD(4, RECORD_U64, struct ipc_batch, zone_offset),
	RECORD_END,
};
const struct record_table ipc_batch_table = {"batch", 1, sizeof(struct ipc_batch), batch_fields};

static const struct record_field answer_fields[] = {
	RECORD_FIELD_SUB(1, RECORD_MANY, struct ipc_answer, messages, &ipc_transaction_table),
	RECORD_END,
};
const struct record_table ipc_answer_table = {"answer", 1, sizeof(struct ipc_answer), answer_fields};

static const struct record_field job_list_fields[] = {
	RECORD_FIELD_SUB(1, RECORD_MANY, struct ipc_job_list, jobs, &ipc_job_table),
	RECORD_END,
};
const struct record_table ipc_job_list_table = {"job_list", 1, sizeof(struct ipc_job_list), job_list_fields};

static const struct record_field part_fields[] = {
	RECORD_FIELD_ENUM(1, struct ipc_part, kind, NULL),
	RECORD_FIELD(2, RECORD_TEXT, struct ipc_part, bytes),
	RECORD_FIELD(3, RECORD_U64, struct ipc_part, width),
	RECORD_FIELD(4, RECORD_U64, struct ipc_part, group_index),
	RECORD_END,
};
const struct record_table ipc_part_table = {"part", 1, sizeof(struct ipc_part), part_fields};

static const struct record_field business_key_fields[] = {
	RECORD_FIELD(1, RECORD_TEXT, struct ipc_business_key, kind),
	RECORD_FIELD(2, RECORD_TEXT, struct ipc_business_key, value),
	RECORD_END,
};
const struct record_table ipc_business_key_table = {"business_key", 1, sizeof(struct ipc_business_key), business_key_fields};

static const struct record_field transaction_fields[] = {
	RECORD_FIELD(1, RECORD_TEXT, struct ipc_transaction, type),
	RECORD_FIELD(2, RECORD_TEXT, struct ipc_transaction, version),
	RECORD_FIELD(3, RECORD_TEXT, struct ipc_transaction, control_number),
	RECORD_FIELD(4, RECORD_TEXT, struct ipc_transaction, group_code),
	RECORD_FIELD(5, RECORD_TEXT, struct ipc_transaction, group_control_number),
	RECORD_FIELD(6, RECORD_TEXT, struct ipc_transaction, group_from),
	RECORD_FIELD(7, RECORD_TEXT, struct ipc_transaction, group_to),
	RECORD_FIELD(8, RECORD_TEXT, struct ipc_transaction, status),
	RECORD_FIELD(9, RECORD_U64, struct ipc_transaction, errors),
	RECORD_FIELD_SUB(10, RECORD_MANY, struct ipc_transaction, keys, &ipc_business_key_table),
	RECORD_FIELD(11, RECORD_U64, struct ipc_transaction, group_index),
	RECORD_FIELD(12, RECORD_TEXT, struct ipc_transaction, origin),
	RECORD_FIELD(13, RECORD_TEXT, struct ipc_transaction, origin_group_code),
	RECORD_FIELD(14, RECORD_TEXT, struct ipc_transaction, origin_group_number),
	RECORD_FIELD(15, RECORD_TEXT, struct ipc_transaction, origin_number),
	RECORD_END,
};
const struct record_table ipc_transaction_table = {"transaction", 1, sizeof(struct ipc_transaction), transaction_fields};

static const struct record_field aside_fields[] = {
	RECORD_FIELD(1, RECORD_U64, struct ipc_aside, number),
	RECORD_FIELD(2, RECORD_TEXT, struct ipc_aside, error),
	RECORD_FIELD(3, RECORD_TEXTS, struct ipc_aside, findings),
	RECORD_FIELD(4, RECORD_U64, struct ipc_aside, only),
	RECORD_FIELD(5, RECORD_TEXT, struct ipc_aside, division),
	RECORD_END,
};
const struct record_table ipc_aside_table = {"aside", 1, sizeof(struct ipc_aside), aside_fields};

static const struct record_field unique_fields[] = {
	RECORD_FIELD(1, RECORD_TEXT, struct ipc_unique, scope),
	RECORD_FIELD(2, RECORD_TEXT, struct ipc_unique, key),
	RECORD_FIELD(3, RECORD_TEXT, struct ipc_unique, text),
	RECORD_FIELD(4, RECORD_U64, struct ipc_unique, window),
	RECORD_FIELD(5, RECORD_BOOL, struct ipc_unique, error),
	RECORD_END,
};
const struct record_table ipc_unique_table = {"unique", 1, sizeof(struct ipc_unique), unique_fields};

static const struct record_field interchange_fields[] = {
	RECORD_FIELD(1, RECORD_TEXT, struct ipc_interchange, standard),
	RECORD_FIELD(2, RECORD_TEXT, struct ipc_interchange, version),
	RECORD_FIELD(3, RECORD_TEXT, struct ipc_interchange, control_number),
	RECORD_FIELD(4, RECORD_TEXT, struct ipc_interchange, from),
	RECORD_FIELD(5, RECORD_TEXT, struct ipc_interchange, to),
	RECORD_FIELD(6, RECORD_TEXT, struct ipc_interchange, env),
	RECORD_FIELD(7, RECORD_U64, struct ipc_interchange, offset),
	RECORD_FIELD(8, RECORD_U64, struct ipc_interchange, length),
	RECORD_FIELD_ENUM(9, struct ipc_interchange, state, NULL),
	RECORD_FIELD(10, RECORD_TEXT, struct ipc_interchange, error),
	RECORD_FIELD(11, RECORD_TEXT, struct ipc_interchange, agreement),
	RECORD_FIELD(12, RECORD_U64, struct ipc_interchange, agreement_version),
	RECORD_FIELD(13, RECORD_TEXT, struct ipc_interchange, receiver),
	RECORD_FIELD(14, RECORD_TEXT, struct ipc_interchange, duplicates),
	RECORD_FIELD(15, RECORD_U64, struct ipc_interchange, duplicate_window),
	RECORD_FIELD(16, RECORD_BOOL, struct ipc_interchange, acknowledgement),
	RECORD_FIELD(17, RECORD_TEXT, struct ipc_interchange, ack),
	RECORD_FIELD(18, RECORD_U64, struct ipc_interchange, ack_within),
	RECORD_FIELD_SUB(19, RECORD_MANY, struct ipc_interchange, transactions, &ipc_transaction_table),
	RECORD_FIELD(20, RECORD_BOOL, struct ipc_interchange, turn_back),
	RECORD_FIELD_SUB(21, RECORD_MANY, struct ipc_interchange, asides, &ipc_aside_table),
	RECORD_FIELD_SUB(22, RECORD_MANY, struct ipc_interchange, uniques, &ipc_unique_table),
	RECORD_FIELD(23, RECORD_TEXTS, struct ipc_interchange, findings),
	RECORD_FIELD(24, RECORD_TEXT, struct ipc_interchange, documents),
	RECORD_FIELD(25, RECORD_TEXT, struct ipc_interchange, division),
	RECORD_END,
};
const struct record_table ipc_interchange_table = {"interchange", 1, sizeof(struct ipc_interchange), interchange_fields};

static const struct record_field output_fields[] = {
	RECORD_FIELD_ENUM(1, struct ipc_output, kind, NULL),
	RECORD_FIELD(2, RECORD_U64, struct ipc_output, interchange),
	RECORD_FIELD(3, RECORD_TEXT, struct ipc_output, partner),
	RECORD_FIELD(4, RECORD_TEXT, struct ipc_output, connection),
	RECORD_FIELD(5, RECORD_TEXT, struct ipc_output, agreement),
	RECORD_FIELD(6, RECORD_U64, struct ipc_output, agreement_version),
	RECORD_FIELD(7, RECORD_TEXT, struct ipc_output, standard),
	RECORD_FIELD(8, RECORD_TEXT, struct ipc_output, type),
	RECORD_FIELD(9, RECORD_TEXT, struct ipc_output, version),
	RECORD_FIELD(10, RECORD_TEXT, struct ipc_output, from),
	RECORD_FIELD(11, RECORD_TEXT, struct ipc_output, to),
	RECORD_FIELD(12, RECORD_TEXT, struct ipc_output, env),
	RECORD_FIELD(13, RECORD_TEXT, struct ipc_output, control_number),
	RECORD_FIELD(14, RECORD_TEXT, struct ipc_output, extension),
	RECORD_FIELD_SUB(15, RECORD_MANY, struct ipc_output, parts, &ipc_part_table),
	RECORD_FIELD(16, RECORD_U64, struct ipc_output, offset),
	RECORD_FIELD(17, RECORD_U64, struct ipc_output, length),
	RECORD_FIELD(18, RECORD_U64, struct ipc_output, fd_number),
	RECORD_FIELD_SUB(19, RECORD_MANY, struct ipc_output, keys, &ipc_business_key_table),
	RECORD_FIELD(20, RECORD_TEXT, struct ipc_output, ack),
	RECORD_FIELD(21, RECORD_U64, struct ipc_output, ack_within),
	RECORD_FIELD(22, RECORD_TEXT, struct ipc_output, report),
	RECORD_FIELD(23, RECORD_TEXT, struct ipc_output, map),
	RECORD_FIELD_SUB(30, RECORD_MANY, struct ipc_output, transactions, &ipc_transaction_table),
	RECORD_FIELD(31, RECORD_TEXT, struct ipc_output, agency),
	RECORD_FIELD(32, RECORD_TEXT, struct ipc_output, association),
	RECORD_FIELD(33, RECORD_BYTES, struct ipc_output, delimiters),
	RECORD_FIELD(34, RECORD_BYTES, struct ipc_output, terms),
	RECORD_FIELD(35, RECORD_U64, struct ipc_output, batch_time),
	RECORD_FIELD(36, RECORD_U64, struct ipc_output, batch_messages),
	RECORD_FIELD(37, RECORD_U64, struct ipc_output, batch_size),
	RECORD_FIELD(38, RECORD_BOOL, struct ipc_output, on_repeat),
	RECORD_END,
};
const struct record_table ipc_output_table = {"output", 1, sizeof(struct ipc_output), output_fields};

static const struct record_field ack_item_fields[] = {
	RECORD_FIELD(1, RECORD_TEXT, struct ipc_ack_item, type),
	RECORD_FIELD(2, RECORD_TEXT, struct ipc_ack_item, control_number),
	RECORD_FIELD(3, RECORD_TEXT, struct ipc_ack_item, status),
	RECORD_END,
};
const struct record_table ipc_ack_item_table = {"ack_item", 1, sizeof(struct ipc_ack_item), ack_item_fields};

static const struct record_field ack_seen_fields[] = {
	RECORD_FIELD(1, RECORD_U64, struct ipc_ack_seen, interchange),
	RECORD_FIELD(2, RECORD_TEXT, struct ipc_ack_seen, env),
	RECORD_FIELD(3, RECORD_TEXT, struct ipc_ack_seen, from),
	RECORD_FIELD(4, RECORD_TEXT, struct ipc_ack_seen, to),
	RECORD_FIELD(5, RECORD_TEXT, struct ipc_ack_seen, group_from),
	RECORD_FIELD(6, RECORD_TEXT, struct ipc_ack_seen, group_to),
	RECORD_FIELD(7, RECORD_TEXT, struct ipc_ack_seen, group_code),
	RECORD_FIELD(8, RECORD_TEXT, struct ipc_ack_seen, group_control_number),
	RECORD_FIELD(9, RECORD_TEXT, struct ipc_ack_seen, status),
	RECORD_FIELD_SUB(10, RECORD_MANY, struct ipc_ack_seen, items, &ipc_ack_item_table),
	RECORD_FIELD(11, RECORD_BOOL, struct ipc_ack_seen, whole),
	RECORD_FIELD(12, RECORD_BOOL, struct ipc_ack_seen, header),
	RECORD_END,
};
const struct record_table ipc_ack_seen_table = {"ack_seen", 1, sizeof(struct ipc_ack_seen), ack_seen_fields};

static const struct record_field job_result_fields[] = {
	RECORD_FIELD(1, RECORD_TEXT, struct ipc_job_result, message),
	RECORD_FIELD(2, RECORD_TEXT, struct ipc_job_result, standard),
	RECORD_FIELD_SUB(3, RECORD_MANY, struct ipc_job_result, interchanges, &ipc_interchange_table),
	RECORD_FIELD_SUB(4, RECORD_MANY, struct ipc_job_result, outputs, &ipc_output_table),
	RECORD_FIELD_SUB(5, RECORD_MANY, struct ipc_job_result, acks, &ipc_ack_seen_table),
	RECORD_FIELD(6, RECORD_TEXT, struct ipc_job_result, state),
	RECORD_FIELD(7, RECORD_TEXT, struct ipc_job_result, error),
	RECORD_FIELD(8, RECORD_TEXT, struct ipc_job_result, type), RECORD_FIELD(9, RECORD_TEXT, struct ipc_job_result, reference),
	RECORD_END,
};
const struct record_table ipc_job_result_table = {"job_result", 1, sizeof(struct ipc_job_result), job_result_fields};

static const struct record_field job_failed_fields[] = {
	RECORD_FIELD(1, RECORD_TEXT, struct ipc_job_failed, message),
	RECORD_FIELD(2, RECORD_BOOL, struct ipc_job_failed, retry),
	RECORD_FIELD(3, RECORD_TEXT, struct ipc_job_failed, error),
	RECORD_END,
};
const struct record_table ipc_job_failed_table = {"job_failed", 1, sizeof(struct ipc_job_failed), job_failed_fields};

static const struct record_field password_check_fields[] = {
	RECORD_FIELD(1, RECORD_TEXT, struct ipc_password_check, hash),
	RECORD_FIELD(2, RECORD_TEXT, struct ipc_password_check, password),
	RECORD_END,
};
const struct record_table ipc_password_check_table = {"password_check", 1, sizeof(struct ipc_password_check), password_check_fields};

static const struct record_field verdict_fields[] = {
	RECORD_FIELD(1, RECORD_BOOL, struct ipc_verdict, ok),
	RECORD_FIELD(2, RECORD_TEXT, struct ipc_verdict, error),
	RECORD_END,
};
const struct record_table ipc_verdict_table = {"verdict", 1, sizeof(struct ipc_verdict), verdict_fields};

static const struct record_field sheet_fields[] = {
	RECORD_FIELD(1, RECORD_TEXT, struct ipc_sheet, name),
	RECORD_FIELD(2, RECORD_U64, struct ipc_sheet, version),
	RECORD_FIELD(3, RECORD_BOOL, struct ipc_sheet, active),
	RECORD_FIELD(4, RECORD_TEXT, struct ipc_sheet, text),
	RECORD_END,
};
const struct record_table ipc_sheet_table = {"sheet", 1, sizeof(struct ipc_sheet), sheet_fields};

static const struct record_field sheets_fields[] = {
	RECORD_FIELD_SUB(1, RECORD_MANY, struct ipc_sheets, sheets, &ipc_sheet_table),
	RECORD_END,
};
const struct record_table ipc_sheets_table = {"sheets", 1, sizeof(struct ipc_sheets), sheets_fields};

static const struct record_field maps_reply_fields[] = {
	RECORD_FIELD(1, RECORD_U64, struct ipc_maps_reply, generation),
	RECORD_END,
};
const struct record_table ipc_maps_reply_table = {"maps_reply", 1, sizeof(struct ipc_maps_reply), maps_reply_fields};

static const struct record_field sample_fields[] = {
	RECORD_FIELD(1, RECORD_TEXT, struct ipc_sample, name),
	RECORD_FIELD(2, RECORD_BYTES, struct ipc_sample, input),
	RECORD_FIELD(3, RECORD_BYTES, struct ipc_sample, expected),
	RECORD_END,
};
const struct record_table ipc_sample_table = {"sample", 1, sizeof(struct ipc_sample), sample_fields};

static const struct record_field sheet_samples_fields[] = {
	RECORD_FIELD(1, RECORD_TEXT, struct ipc_sheet_samples, name),
	RECORD_FIELD(2, RECORD_TEXT, struct ipc_sheet_samples, text),
	RECORD_FIELD_SUB(3, RECORD_MANY, struct ipc_sheet_samples, samples, &ipc_sample_table),
	RECORD_END,
};
const struct record_table ipc_sheet_samples_table = {"sheet_samples", 1, sizeof(struct ipc_sheet_samples), sheet_samples_fields};

static const struct record_field map_trial_fields[] = {
	RECORD_FIELD(1, RECORD_U64, struct ipc_map_trial, maps),
	RECORD_END,
};
const struct record_table ipc_map_trial_table = {"map_trial", 1, sizeof(struct ipc_map_trial), map_trial_fields};
