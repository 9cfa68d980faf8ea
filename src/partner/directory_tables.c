/* Records of the directory's answers. Tags are never used again for another meaning. */
#include "partner/directory.h"

const char *const directory_match_names[] = {"found", "partner-unknown", "station-unknown", NULL};

#define T(tag_, kind_, type_, member_) RECORD_FIELD(tag_, kind_, struct type_, member_)
#define E(tag_, type_, member_, names_) RECORD_FIELD_ENUM(tag_, struct type_, member_, names_)
#define S(tag_, kind_, type_, member_, sub_) RECORD_FIELD_SUB(tag_, kind_, struct type_, member_, sub_)
#define TABLE(type_) .name = #type_, .version = 1, .size = sizeof(struct type_)

static const struct record_field key_fields[] = {
	T(1, RECORD_TEXT, directory_key, key_id),
	T(2, RECORD_BYTES, directory_key, certificate),
	RECORD_END,
};
const struct record_table directory_key_table = {TABLE(directory_key), .fields = key_fields};

static const struct record_field duration_fields[] = {T(1, RECORD_U64, directory_duration, micros), RECORD_END};
const struct record_table directory_duration_table = {TABLE(directory_duration), .fields = duration_fields};

static const struct record_field send_fields[] = {
	T(1, RECORD_TEXT, directory_send, url),
	T(2, RECORD_TEXTS, directory_send, certificates),
	T(3, RECORD_TEXT, directory_send, sign),
	T(4, RECORD_TEXT, directory_send, encrypt),
	E(5, directory_send, compress, profile_compress_names),
	E(6, directory_send, mdn, profile_mdn_mode_names),
	T(7, RECORD_BOOL, directory_send, mdn_signed),
	T(8, RECORD_U64, directory_send, mdn_timeout),
	S(9, RECORD_MANY, directory_send, retry, &directory_duration_table),
	T(10, RECORD_TEXT, directory_send, subject),
	T(11, RECORD_TEXT, directory_send, content_type),
	T(12, RECORD_TEXT, directory_send, mdn_url),
	E(13, directory_send, key_transport, profile_key_transport_names),
	T(14, RECORD_BOOL, directory_send, chunked),
	T(15, RECORD_BOOL, directory_send, expect_continue),
	T(16, RECORD_U64, directory_send, redirects),
	T(17, RECORD_TEXT, directory_send, proxy),
	T(18, RECORD_TEXT, directory_send, user),
	T(19, RECORD_TEXT, directory_send, password_file),
	T(20, RECORD_TEXT, directory_send, trust),
	T(21, RECORD_BOOL, directory_send, check_name),
	T(22, RECORD_TEXT, directory_send, client_certificate),
	T(23, RECORD_TEXT, directory_send, client_key_file),
	E(24, directory_send, signature, profile_signature_names),
	E(25, directory_send, as2_version, profile_as2_version_names),
	T(26, RECORD_BOOL, directory_send, restart),
	RECORD_END,
};
const struct record_table directory_send_table = {TABLE(directory_send), .fields = send_fields};

static const struct record_field as2_fields[] = {
	E(1, directory_as2, match, directory_match_names),
	T(2, RECORD_BOOL, directory_as2, enabled),
	T(3, RECORD_TEXT, directory_as2, station),
	T(4, RECORD_TEXT, directory_as2, partner),
	T(5, RECORD_TEXT, directory_as2, connection),
	T(6, RECORD_U64, directory_as2, version),
	T(7, RECORD_TEXT, directory_as2, as2_to),
	T(8, RECORD_TEXT, directory_as2, as2_from),
	T(9, RECORD_TEXTS, directory_as2, certificates),
	T(10, RECORD_BOOL, directory_as2, require_signed),
	T(11, RECORD_BOOL, directory_as2, require_encrypted),
	T(12, RECORD_TEXTS, directory_as2, digests),
	T(13, RECORD_TEXTS, directory_as2, ciphers),
	T(14, RECORD_BOOL, directory_as2, check_expiry),
	T(15, RECORD_TEXT, directory_as2, mdn_url_host),
	S(16, RECORD_MANY, directory_as2, decrypt, &directory_key_table),
	S(17, RECORD_MANY, directory_as2, sign, &directory_key_table),
	S(18, RECORD_ONE, directory_as2, send, &directory_send_table),
	T(19, RECORD_U64, directory_as2, max_message),
	T(20, RECORD_TEXTS, directory_as2, mdn_hosts),
	T(21, RECORD_BOOL, directory_as2, check_purpose),
	T(22, RECORD_TEXTS, directory_as2, authorities),
	T(23, RECORD_BOOL, directory_as2, strict_message_id),
	T(24, RECORD_BOOL, directory_as2, refuse_duplicate_file_name),
	T(25, RECORD_BOOL, directory_as2, refuse_illegal_file_name),
	T(26, RECORD_TEXTS, directory_as2, addresses),
	T(27, RECORD_TEXTS, directory_as2, client_certificates),
	T(28, RECORD_TEXT, directory_as2, auth_user),
	RECORD_HIDDEN(29, RECORD_TEXT, struct directory_as2, auth_password),
	T(30, RECORD_BOOL, directory_as2, check_chain),
	T(31, RECORD_BOOL, directory_as2, check_client),
	T(32, RECORD_BOOL, directory_as2, restart),
	E(33, directory_as2, check_revocation, profile_revocation_names),
	T(34, RECORD_TEXTS, directory_as2, client_ders),
	T(35, RECORD_U64, directory_as2, max_expansion),
	RECORD_END,
};
const struct record_table directory_as2_table = {TABLE(directory_as2), .fields = as2_fields};

static const struct record_field ssh_key_fields[] = {
	T(1, RECORD_TEXT, directory_ssh_key, type),
	T(2, RECORD_BYTES, directory_ssh_key, blob),
	T(3, RECORD_TIME, directory_ssh_key, from),
	T(4, RECORD_TIME, directory_ssh_key, until),
	RECORD_END,
};
const struct record_table directory_ssh_key_table = {TABLE(directory_ssh_key), .fields = ssh_key_fields};

static const struct record_field sftp_fields[] = {
	T(1, RECORD_TEXT, directory_sftp, user),
	T(2, RECORD_TEXT, directory_sftp, partner),
	T(3, RECORD_TEXT, directory_sftp, connection),
	T(4, RECORD_U64, directory_sftp, version),
	T(5, RECORD_BOOL, directory_sftp, enabled),
	S(6, RECORD_MANY, directory_sftp, keys, &directory_ssh_key_table),
	RECORD_HIDDEN(7, RECORD_TEXT, struct directory_sftp, password),
	T(8, RECORD_TEXT, directory_sftp, folder_in),
	T(9, RECORD_TEXT, directory_sftp, folder_out),
	E(10, directory_sftp, taken, profile_taken_names),
	T(11, RECORD_TEXT, directory_sftp, file_name),
	T(12, RECORD_U64, directory_sftp, max_message),
	E(13, directory_sftp, login, profile_login_names),
	S(14, RECORD_MANY, directory_sftp, authorities, &directory_ssh_key_table),
	T(15, RECORD_TEXTS, directory_sftp, principals),
	T(16, RECORD_TEXTS, directory_sftp, addresses),
	T(17, RECORD_U64, directory_sftp, sessions),
	T(18, RECORD_U64, directory_sftp, bandwidth),
	T(19, RECORD_U64, directory_sftp, storage),
	T(20, RECORD_TEXTS, directory_sftp, in_subfolders),
	T(21, RECORD_TEXTS, directory_sftp, out_subfolders),
	T(22, RECORD_TEXTS, directory_sftp, accept),
	T(23, RECORD_TEXTS, directory_sftp, temporary),
	T(24, RECORD_U64, directory_sftp, files),
	T(25, RECORD_U64, directory_sftp, uploads),
	RECORD_END,
};
const struct record_table directory_sftp_table = {TABLE(directory_sftp), .fields = sftp_fields};

static const struct record_field output_fields[] = {
	T(1, RECORD_TEXT, directory_output, standard),
	T(2, RECORD_TEXT, directory_output, version),
	T(3, RECORD_TEXT, directory_output, from),
	T(4, RECORD_TEXT, directory_output, to),
	T(5, RECORD_TEXT, directory_output, syntax),
	T(6, RECORD_TEXT, directory_output, application),
	T(7, RECORD_TEXT, directory_output, group_from),
	T(8, RECORD_TEXT, directory_output, group_to),
	T(9, RECORD_BYTES, directory_output, delimiters),
	T(10, RECORD_BOOL, directory_output, una),
	T(11, RECORD_BOOL, directory_output, ack_requested),
	E(12, directory_output, split, profile_split_names),
	T(13, RECORD_U64, directory_output, max_messages),
	T(14, RECORD_U64, directory_output, max_size),
	T(15, RECORD_BOOL, directory_output, batch),
	T(16, RECORD_U64, directory_output, batch_time),
	T(17, RECORD_U64, directory_output, batch_messages),
	T(18, RECORD_U64, directory_output, batch_size),
	T(19, RECORD_U64, directory_output, acknowledged_within),
	T(20, RECORD_BOOL, directory_output, repair),
	RECORD_END,
};
const struct record_table directory_output_table = {TABLE(directory_output), .fields = output_fields};

static const struct record_field document_fields[] = {
	T(1, RECORD_BOOL, directory_document, found),
	E(2, directory_document, format, profile_document_format_names),
	T(3, RECORD_TEXT, directory_document, sheet),
	T(4, RECORD_U64, directory_document, sheet_pin),
	T(5, RECORD_TEXT, directory_document, from),
	T(6, RECORD_TEXT, directory_document, to),
	T(7, RECORD_TEXT, directory_document, otherwise),
	T(8, RECORD_TEXT, directory_document, type),
	T(9, RECORD_BOOL, directory_document, test),
	RECORD_END,
};
const struct record_table directory_document_table = {TABLE(directory_document), .fields = document_fields};

static const struct record_field route_fields[] = {
	E(1, directory_route, outcome, agreement_outcome_names),
	T(2, RECORD_TEXT, directory_route, reason),
	T(3, RECORD_TEXT, directory_route, agreement),
	T(4, RECORD_U64, directory_route, agreement_version),
	T(5, RECORD_TEXT, directory_route, from_party),
	T(6, RECORD_TEXT, directory_route, to_party),
	T(7, RECORD_BOOL, directory_route, from_station),
	T(8, RECORD_BOOL, directory_route, to_station),
	T(9, RECORD_TEXT, directory_route, connection),
	E(10, directory_route, protocol, profile_protocol_names),
	T(11, RECORD_BOOL, directory_route, connection_enabled),
	E(12, directory_route, environment, profile_environment_names),
	E(13, directory_route, mode, profile_mode_names),
	T(14, RECORD_TEXT, directory_route, format),
	T(15, RECORD_TEXT, directory_route, map),
	T(16, RECORD_TEXT, directory_route, map_version),
	E(17, directory_route, acknowledged_by, profile_acknowledged_by_names),
	T(18, RECORD_TEXT, directory_route, ack_kind),
	T(19, RECORD_U64, directory_route, ack_within),
	E(20, directory_route, duplicate_control, profile_duplicate_names),
	T(21, RECORD_U64, directory_route, duplicate_window),
	T(22, RECORD_TEXT, directory_route, time_zone),
	T(23, RECORD_BOOL, directory_route, hold),
	E(24, directory_route, policy, profile_policy_names),
	E(25, directory_route, elements, profile_lenience_names),
	E(26, directory_route, counts, profile_lenience_names),
	E(27, directory_route, codes, profile_codes_names),
	E(28, directory_route, unknown, profile_unknown_names),
	E(29, directory_route, rejects, profile_rejects_names),
	T(30, RECORD_TEXTS, directory_route, guides),
	E(31, directory_route, ack_ta1, profile_ta1_names),
	T(32, RECORD_BOOL, directory_route, ack_accepted),
	T(33, RECORD_BYTES, directory_route, ack_delimiters),
	S(34, RECORD_ONE, directory_route, output, &directory_output_table),
	T(35, RECORD_U64, directory_route, map_pin),
	T(36, RECORD_TEXTS, directory_route, rules),
	E(37, directory_route, rules_rest, profile_rest_names),
	E(38, directory_route, rules_answer, profile_rule_answer_names),
	T(39, RECORD_TEXT, directory_route, sheet),
	RECORD_END,
};
const struct record_table directory_route_table = {TABLE(directory_route), .fields = route_fields};
