/* Tables of messages.h; those about look-ups, jobs and maps are in messages_jobs.c. */
#include "ipc/messages.h"

/* Tags count from 1 in the order of the struct: both ends are the same binary, so they may change between versions. */

static const struct record_field role_config_fields[] = {
	RECORD_FIELD(1, RECORD_TEXT, struct ipc_role_config, role),
	RECORD_FIELD(2, RECORD_U64, struct ipc_role_config, index),
	RECORD_FIELD(3, RECORD_TEXT, struct ipc_role_config, pool),
	RECORD_FIELD(4, RECORD_BOOL, struct ipc_role_config, reload),
	RECORD_END,
};
const struct record_table ipc_role_config_table = {"role_config", 1, sizeof(struct ipc_role_config), role_config_fields};

static const struct record_field role_thing_fields[] = {
	RECORD_FIELD(1, RECORD_TEXT, struct ipc_role_thing, name),
	RECORD_FIELD(2, RECORD_U64, struct ipc_role_thing, index),
	RECORD_FIELD(3, RECORD_TEXT, struct ipc_role_thing, path),
	RECORD_END,
};
const struct record_table ipc_role_thing_table = {"role_thing", 1, sizeof(struct ipc_role_thing), role_thing_fields};

static const struct record_field key_fields[] = {
	RECORD_FIELD(1, RECORD_TEXT, struct ipc_key, key_id),
	RECORD_FIELD(2, RECORD_TEXT, struct ipc_key, path),
	RECORD_FIELD(3, RECORD_BYTES, struct ipc_key, certificate),
	RECORD_END,
};
const struct record_table ipc_key_table = {"key", 1, sizeof(struct ipc_key), key_fields};

static const struct record_field keys_wanted_fields[] = {
	RECORD_FIELD_SUB(1, RECORD_MANY, struct ipc_keys_wanted, keys, &ipc_key_table),
	RECORD_END,
};
const struct record_table ipc_keys_wanted_table = {"keys_wanted", 1, sizeof(struct ipc_keys_wanted), keys_wanted_fields};

static const struct record_field credentials_wanted_fields[] = {
	RECORD_FIELD(1, RECORD_TEXTS, struct ipc_credentials_wanted, paths),
	RECORD_END,
};
const struct record_table ipc_credentials_wanted_table = {"credentials_wanted", 1, sizeof(struct ipc_credentials_wanted),
							   credentials_wanted_fields};

static const struct record_field key_status_fields[] = {
	RECORD_FIELD(1, RECORD_TEXT, struct ipc_key_status, key_id),
	RECORD_FIELD(2, RECORD_BOOL, struct ipc_key_status, ok),
	RECORD_FIELD(3, RECORD_TEXT, struct ipc_key_status, error),
	RECORD_END,
};
const struct record_table ipc_key_status_table = {"key_status", 1, sizeof(struct ipc_key_status), key_status_fields};

static const struct record_field role_status_fields[] = {
	RECORD_FIELD(1, RECORD_TEXT, struct ipc_role_status, name),
	RECORD_FIELD(2, RECORD_U64, struct ipc_role_status, pid),
	RECORD_FIELD(3, RECORD_TEXT, struct ipc_role_status, state),
	RECORD_FIELD(4, RECORD_U64, struct ipc_role_status, restarts),
	RECORD_END,
};
const struct record_table ipc_role_status_table = {"role_status", 1, sizeof(struct ipc_role_status), role_status_fields};

static const struct record_field status_fields[] = {
	RECORD_FIELD_SUB(1, RECORD_MANY, struct ipc_status, roles, &ipc_role_status_table),
	RECORD_FIELD(2, RECORD_TEXTS, struct ipc_status, listeners),
	RECORD_END,
};
const struct record_table ipc_status_table = {"status", 1, sizeof(struct ipc_status), status_fields};

static const struct record_field header_fields[] = {
	RECORD_FIELD(1, RECORD_TEXT, struct ipc_header, name),
	RECORD_FIELD(2, RECORD_TEXT, struct ipc_header, value),
	RECORD_END,
};
const struct record_table ipc_header_table = {"header", 1, sizeof(struct ipc_header), header_fields};

static const struct record_field as2_receive_fields[] = {
	RECORD_FIELD(1, RECORD_TIME, struct ipc_as2_receive, received),
	RECORD_FIELD(2, RECORD_TEXT, struct ipc_as2_receive, peer),
	RECORD_FIELD(3, RECORD_BOOL, struct ipc_as2_receive, tls),
	RECORD_FIELD(4, RECORD_TEXT, struct ipc_as2_receive, path),
	RECORD_FIELD_SUB(5, RECORD_MANY, struct ipc_as2_receive, headers, &ipc_header_table),
	RECORD_FIELD(6, RECORD_U64, struct ipc_as2_receive, bytes),
	RECORD_FIELD(7, RECORD_BYTES, struct ipc_as2_receive, body),
	RECORD_FIELD(8, RECORD_TEXT, struct ipc_as2_receive, client_sha256),
	RECORD_END,
};
const struct record_table ipc_as2_receive_table = {"as2_receive", 1, sizeof(struct ipc_as2_receive), as2_receive_fields};

static const struct record_field http_reply_fields[] = {
	RECORD_FIELD(1, RECORD_U64, struct ipc_http_reply, status),
	RECORD_FIELD_SUB(2, RECORD_MANY, struct ipc_http_reply, headers, &ipc_header_table),
	RECORD_FIELD(3, RECORD_TEXT, struct ipc_http_reply, body),
	RECORD_FIELD(4, RECORD_BOOL, struct ipc_http_reply, drop),
	RECORD_END,
};
const struct record_table ipc_http_reply_table = {"http_reply", 1, sizeof(struct ipc_http_reply), http_reply_fields};

static const struct record_field artefact_fields[] = {
	RECORD_FIELD(1, RECORD_TEXT, struct ipc_artefact, name),
	RECORD_FIELD(2, RECORD_TEXT, struct ipc_artefact, bytes),
	RECORD_FIELD(3, RECORD_U64, struct ipc_artefact, fd_number),
	RECORD_FIELD(4, RECORD_TEXT, struct ipc_artefact, within),
	RECORD_FIELD(5, RECORD_U64, struct ipc_artefact, offset),
	RECORD_FIELD(6, RECORD_U64, struct ipc_artefact, length),
	RECORD_FIELD(7, RECORD_BYTES, struct ipc_artefact, sha256),
	RECORD_FIELD(8, RECORD_BYTES, struct ipc_artefact, salt),
	RECORD_FIELD(9, RECORD_BYTES, struct ipc_artefact, salted_sha256),
	RECORD_END,
};
const struct record_table ipc_artefact_table = {"artefact", 1, sizeof(struct ipc_artefact), artefact_fields};

static const struct record_field as2_accept_fields[] = {
	RECORD_FIELD(1, RECORD_U64, struct ipc_as2_accept, http_request),
	RECORD_FIELD_ENUM(2, struct ipc_as2_accept, outcome, NULL),
	RECORD_FIELD(3, RECORD_TIME, struct ipc_as2_accept, received),
	RECORD_FIELD(4, RECORD_TEXT, struct ipc_as2_accept, peer),
	RECORD_FIELD(5, RECORD_TEXT, struct ipc_as2_accept, station),
	RECORD_FIELD(6, RECORD_TEXT, struct ipc_as2_accept, partner),
	RECORD_FIELD(7, RECORD_TEXT, struct ipc_as2_accept, connection),
	RECORD_FIELD(8, RECORD_U64, struct ipc_as2_accept, partner_version),
	RECORD_FIELD(9, RECORD_TEXT, struct ipc_as2_accept, as2_from),
	RECORD_FIELD(10, RECORD_TEXT, struct ipc_as2_accept, as2_to),
	RECORD_FIELD(11, RECORD_TEXT, struct ipc_as2_accept, as2_message_id),
	RECORD_FIELD(12, RECORD_TEXT, struct ipc_as2_accept, mic),
	RECORD_FIELD(13, RECORD_TEXT, struct ipc_as2_accept, micalg),
	RECORD_FIELD(14, RECORD_TEXT, struct ipc_as2_accept, disposition),
	RECORD_FIELD(15, RECORD_TEXT, struct ipc_as2_accept, error),
	RECORD_FIELD(16, RECORD_TEXT, struct ipc_as2_accept, file_name),
	RECORD_FIELD(17, RECORD_TEXT, struct ipc_as2_accept, content_type),
	RECORD_FIELD(18, RECORD_TEXT, struct ipc_as2_accept, signer_sha256),
	RECORD_FIELD_SUB(19, RECORD_MANY, struct ipc_as2_accept, artefacts, &ipc_artefact_table),
	RECORD_FIELD_SUB(20, RECORD_ONE, struct ipc_as2_accept, reply, &ipc_http_reply_table),
	RECORD_FIELD(21, RECORD_TEXT, struct ipc_as2_accept, mdn_message_id),
	RECORD_FIELD(22, RECORD_BYTES, struct ipc_as2_accept, mdn_facts),
	RECORD_FIELD(23, RECORD_TEXT, struct ipc_as2_accept, mdn_url),
	RECORD_FIELD(24, RECORD_BOOL, struct ipc_as2_accept, unique_file_name),
	RECORD_END,
};
const struct record_table ipc_as2_accept_table = {"as2_accept", 1, sizeof(struct ipc_as2_accept), as2_accept_fields};

static const struct record_field package_fields[] = {
	RECORD_FIELD(1, RECORD_TEXT, struct ipc_package, message),
	RECORD_FIELD(2, RECORD_BYTES, struct ipc_package, connection),
	RECORD_FIELD(3, RECORD_TEXT, struct ipc_package, as2_message_id),
	RECORD_FIELD(4, RECORD_TEXT, struct ipc_package, file_name),
	RECORD_FIELD(5, RECORD_TEXT, struct ipc_package, content_type),
	RECORD_FIELD(6, RECORD_TEXT, struct ipc_package, standard),
	RECORD_FIELD(7, RECORD_BYTES, struct ipc_package, payload),
	RECORD_FIELD(8, RECORD_U64, struct ipc_package, offset),
	RECORD_FIELD(9, RECORD_U64, struct ipc_package, length),
	RECORD_FIELD(10, RECORD_TEXT, struct ipc_package, attachment_list),
	RECORD_FIELD(11, RECORD_BYTES, struct ipc_package, attachments),
	RECORD_FIELD(12, RECORD_U64, struct ipc_package, attachments_offset),
	RECORD_END,
};
const struct record_table ipc_package_table = {"package", 1, sizeof(struct ipc_package), package_fields};

static const struct record_field packaged_fields[] = {
	RECORD_FIELD(1, RECORD_TEXT, struct ipc_packaged, message),
	RECORD_FIELD(2, RECORD_BOOL, struct ipc_packaged, ok),
	RECORD_FIELD(3, RECORD_BOOL, struct ipc_packaged, refused),
	RECORD_FIELD(4, RECORD_TEXT, struct ipc_packaged, error),
	RECORD_FIELD_SUB(5, RECORD_MANY, struct ipc_packaged, headers, &ipc_header_table),
	RECORD_FIELD(6, RECORD_BYTES, struct ipc_packaged, body),
	RECORD_FIELD(7, RECORD_U64, struct ipc_packaged, offset),
	RECORD_FIELD(8, RECORD_U64, struct ipc_packaged, bytes),
	RECORD_FIELD(9, RECORD_TEXT, struct ipc_packaged, mic),
	RECORD_FIELD(10, RECORD_TEXT, struct ipc_packaged, micalg),
	RECORD_FIELD(11, RECORD_TEXT, struct ipc_packaged, entity_headers),
	RECORD_FIELD_ENUM(12, struct ipc_packaged, compress, NULL),
	RECORD_FIELD(13, RECORD_TEXT, struct ipc_packaged, etag), RECORD_FIELD(14, RECORD_TEXT, struct ipc_packaged, made_for),
	RECORD_END,
};
const struct record_table ipc_packaged_table = {"packaged", 1, sizeof(struct ipc_packaged), packaged_fields};

static const struct record_field mdn_check_fields[] = {
	RECORD_FIELD_SUB(1, RECORD_ONE, struct ipc_mdn_check, package, &ipc_package_table),
	RECORD_FIELD_SUB(2, RECORD_MANY, struct ipc_mdn_check, headers, &ipc_header_table),
	RECORD_FIELD(3, RECORD_BYTES, struct ipc_mdn_check, body),
	RECORD_FIELD(4, RECORD_BOOL, struct ipc_mdn_check, posted),
	RECORD_FIELD(5, RECORD_TEXT, struct ipc_mdn_check, mic),
	RECORD_FIELD(6, RECORD_TEXT, struct ipc_mdn_check, micalg),
	RECORD_FIELD(7, RECORD_TEXT, struct ipc_mdn_check, entity_headers),
	RECORD_FIELD_ENUM(8, struct ipc_mdn_check, compress, NULL),
	RECORD_END,
};
const struct record_table ipc_mdn_check_table = {"mdn_check", 1, sizeof(struct ipc_mdn_check), mdn_check_fields};

static const struct record_field mdn_checked_fields[] = {
	RECORD_FIELD(1, RECORD_TEXT, struct ipc_mdn_checked, message),
	RECORD_FIELD_ENUM(2, struct ipc_mdn_checked, verdict, NULL),
	RECORD_FIELD(3, RECORD_TEXT, struct ipc_mdn_checked, text),
	RECORD_FIELD(4, RECORD_TEXT, struct ipc_mdn_checked, disposition),
	RECORD_FIELD(5, RECORD_TEXT, struct ipc_mdn_checked, signer_sha256),
	RECORD_END,
};
const struct record_table ipc_mdn_checked_table = {"mdn_checked", 1, sizeof(struct ipc_mdn_checked), mdn_checked_fields};

static const struct record_field mdn_posted_fields[] = {
	RECORD_FIELD(1, RECORD_U64, struct ipc_mdn_posted, http_request),
	RECORD_FIELD(2, RECORD_TEXT, struct ipc_mdn_posted, peer),
	RECORD_FIELD(3, RECORD_TEXT, struct ipc_mdn_posted, as2_from),
	RECORD_FIELD(4, RECORD_TEXT, struct ipc_mdn_posted, as2_to),
	RECORD_FIELD(5, RECORD_TEXT, struct ipc_mdn_posted, original_message_id),
	RECORD_FIELD_SUB(6, RECORD_MANY, struct ipc_mdn_posted, headers, &ipc_header_table),
	RECORD_FIELD(7, RECORD_BYTES, struct ipc_mdn_posted, body),
	RECORD_END,
};
const struct record_table ipc_mdn_posted_table = {"mdn_posted", 1, sizeof(struct ipc_mdn_posted), mdn_posted_fields};

static const struct record_field sftp_server_fields[] = {
	RECORD_FIELD(1, RECORD_TEXT, struct ipc_sftp_server, host),
	RECORD_FIELD(2, RECORD_U64, struct ipc_sftp_server, port),
	RECORD_FIELD(3, RECORD_TEXT, struct ipc_sftp_server, user),
	RECORD_FIELD(4, RECORD_TEXTS, struct ipc_sftp_server, host_keys),
	RECORD_FIELD(5, RECORD_TEXT, struct ipc_sftp_server, key),
	RECORD_FIELD(6, RECORD_TEXT, struct ipc_sftp_server, password_file),
	RECORD_FIELD(7, RECORD_U64, struct ipc_sftp_server, timeout),
	RECORD_END,
};
const struct record_table ipc_sftp_server_table = {"sftp_server", 1, sizeof(struct ipc_sftp_server), sftp_server_fields};

static const struct record_field poll_fields[] = {
	RECORD_FIELD(1, RECORD_TEXT, struct ipc_poll, connection),
	RECORD_FIELD_SUB(2, RECORD_ONE, struct ipc_poll, server, &ipc_sftp_server_table),
	RECORD_FIELD(3, RECORD_TEXT, struct ipc_poll, folder),
	RECORD_FIELD(4, RECORD_TEXTS, struct ipc_poll, patterns),
	RECORD_FIELD_ENUM(5, struct ipc_poll, after, NULL),
	RECORD_FIELD(6, RECORD_TEXT, struct ipc_poll, archive),
	RECORD_FIELD(7, RECORD_TEXTS, struct ipc_poll, remembered),
	RECORD_FIELD(8, RECORD_U64, struct ipc_poll, max),
	RECORD_FIELD(9, RECORD_U64, struct ipc_poll, settle),
	RECORD_FIELD(10, RECORD_BOOL, struct ipc_poll, look),
	RECORD_END,
};
const struct record_table ipc_poll_table = {"poll", 1, sizeof(struct ipc_poll), poll_fields};

static const struct record_field polled_file_fields[] = {
	RECORD_FIELD(1, RECORD_TEXT, struct ipc_polled_file, name),
	RECORD_FIELD(2, RECORD_U64, struct ipc_polled_file, bytes),
	RECORD_FIELD(3, RECORD_TIME, struct ipc_polled_file, time),
	RECORD_FIELD_ENUM(4, struct ipc_polled_file, fate, NULL),
	RECORD_END,
};
static const struct record_table polled_file_table = {"polled_file", 1, sizeof(struct ipc_polled_file), polled_file_fields};

static const struct record_field polled_fields[] = {
	RECORD_FIELD(1, RECORD_BOOL, struct ipc_polled, ok),
	RECORD_FIELD(2, RECORD_TEXT, struct ipc_polled, report),
	RECORD_FIELD(3, RECORD_U64, struct ipc_polled, unsettled),
	RECORD_FIELD(4, RECORD_U64, struct ipc_polled, listed),
	RECORD_FIELD(5, RECORD_U64, struct ipc_polled, others),
	RECORD_FIELD(6, RECORD_U64, struct ipc_polled, wanted),
	RECORD_FIELD_SUB(7, RECORD_MANY, struct ipc_polled, files, &polled_file_table),
	RECORD_FIELD(8, RECORD_BOOL, struct ipc_polled, reached),
	RECORD_END,
};
const struct record_table ipc_polled_table = {"polled", 1, sizeof(struct ipc_polled), polled_fields};

static const struct record_field pickup_fields[] = {
	RECORD_FIELD(1, RECORD_TEXT, struct ipc_pickup, name),
	RECORD_FIELD(2, RECORD_U64, struct ipc_pickup, bytes),
	RECORD_FIELD(3, RECORD_U64, struct ipc_pickup, time),
	RECORD_END,
};
const struct record_table ipc_pickup_table = {"pickup", 1, sizeof(struct ipc_pickup), pickup_fields};

static const struct record_field deliver_fields[] = {
	RECORD_FIELD_ENUM(1, struct ipc_deliver, kind, NULL),
	RECORD_FIELD(2, RECORD_TEXT, struct ipc_deliver, delivery),
	RECORD_FIELD(3, RECORD_TEXT, struct ipc_deliver, url),
	RECORD_FIELD_SUB(4, RECORD_MANY, struct ipc_deliver, headers, &ipc_header_table),
	RECORD_FIELD(5, RECORD_BYTES, struct ipc_deliver, body),
	RECORD_FIELD(6, RECORD_U64, struct ipc_deliver, offset),
	RECORD_FIELD(7, RECORD_U64, struct ipc_deliver, bytes),
	RECORD_FIELD(8, RECORD_U64, struct ipc_deliver, answer_timeout),
	RECORD_FIELD(9, RECORD_BOOL, struct ipc_deliver, chunked),
	RECORD_FIELD(10, RECORD_BOOL, struct ipc_deliver, expect_continue),
	RECORD_FIELD(11, RECORD_U64, struct ipc_deliver, redirects),
	RECORD_FIELD(12, RECORD_TEXT, struct ipc_deliver, proxy),
	RECORD_FIELD(13, RECORD_TEXT, struct ipc_deliver, user),
	RECORD_FIELD(14, RECORD_TEXT, struct ipc_deliver, password_file),
	RECORD_FIELD(15, RECORD_TEXT, struct ipc_deliver, trust),
	RECORD_FIELD(16, RECORD_BOOL, struct ipc_deliver, check_name),
	RECORD_FIELD(17, RECORD_TEXT, struct ipc_deliver, client_certificate),
	RECORD_FIELD(18, RECORD_TEXT, struct ipc_deliver, client_key_file),
	RECORD_FIELD_SUB(19, RECORD_ONE, struct ipc_deliver, server, &ipc_sftp_server_table),
	RECORD_FIELD(20, RECORD_TEXT, struct ipc_deliver, folder),
	RECORD_FIELD(21, RECORD_TEXT, struct ipc_deliver, name),
	RECORD_FIELD(22, RECORD_TEXT, struct ipc_deliver, temporary),
	RECORD_FIELD(23, RECORD_BOOL, struct ipc_deliver, again),
	RECORD_FIELD(24, RECORD_TEXT, struct ipc_deliver, etag),
	RECORD_END,
};
const struct record_table ipc_deliver_table = {"deliver", 1, sizeof(struct ipc_deliver), deliver_fields};

static const struct record_field delivered_fields[] = {
	RECORD_FIELD(1, RECORD_BOOL, struct ipc_delivered, answered),
	RECORD_FIELD(7, RECORD_BOOL, struct ipc_delivered, not_ready),
	RECORD_FIELD(2, RECORD_U64, struct ipc_delivered, status),
	RECORD_FIELD(3, RECORD_TEXT, struct ipc_delivered, error),
	RECORD_FIELD_SUB(4, RECORD_MANY, struct ipc_delivered, headers, &ipc_header_table),
	RECORD_FIELD(5, RECORD_BYTES, struct ipc_delivered, body),
	RECORD_FIELD(6, RECORD_U64, struct ipc_delivered, sent),
	RECORD_END,
};
const struct record_table ipc_delivered_table = {"delivered", 1, sizeof(struct ipc_delivered), delivered_fields};

static const struct record_field unwrap_fields[] = {
	RECORD_FIELD(1, RECORD_TEXT, struct ipc_unwrap, key_id),
	RECORD_FIELD_ENUM(2, struct ipc_unwrap, algorithm, NULL),
	RECORD_FIELD(3, RECORD_BYTES, struct ipc_unwrap, parameters),
	RECORD_FIELD(4, RECORD_BYTES, struct ipc_unwrap, blob),
	RECORD_FIELD(5, RECORD_U64, struct ipc_unwrap, expected),
	RECORD_END,
};
const struct record_table ipc_unwrap_table = {"unwrap", 1, sizeof(struct ipc_unwrap), unwrap_fields};

static const struct record_field unwrapped_fields[] = {
	RECORD_FIELD(1, RECORD_BYTES, struct ipc_unwrapped, key),
	RECORD_END,
};
const struct record_table ipc_unwrapped_table = {"unwrapped", 1, sizeof(struct ipc_unwrapped), unwrapped_fields};

static const struct record_field sign_fields[] = {
	RECORD_FIELD(1, RECORD_TEXT, struct ipc_sign, key_id),
	RECORD_FIELD_ENUM(2, struct ipc_sign, algorithm, NULL),
	RECORD_FIELD(3, RECORD_BYTES, struct ipc_sign, digest),
	RECORD_FIELD(4, RECORD_TIME, struct ipc_sign, signing_time),
	RECORD_FIELD_ENUM(5, struct ipc_sign, scheme, NULL),
	RECORD_END,
};
const struct record_table ipc_sign_table = {"sign", 1, sizeof(struct ipc_sign), sign_fields};

static const struct record_field signed_fields[] = {
	RECORD_FIELD(1, RECORD_BOOL, struct ipc_signed, ok),
	RECORD_FIELD(2, RECORD_BYTES, struct ipc_signed, der),
	RECORD_FIELD(3, RECORD_TEXT, struct ipc_signed, error),
	RECORD_END,
};
const struct record_table ipc_signed_table = {"signed", 1, sizeof(struct ipc_signed), signed_fields};

static const struct record_field checkpoint_fields[] = {
	RECORD_FIELD(1, RECORD_TEXT, struct ipc_checkpoint, origin),
	RECORD_FIELD(2, RECORD_U64, struct ipc_checkpoint, size),
	RECORD_FIELD(3, RECORD_BYTES, struct ipc_checkpoint, root),
	RECORD_FIELD(4, RECORD_U64, struct ipc_checkpoint, old_size),
	RECORD_FIELD(5, RECORD_BYTES, struct ipc_checkpoint, old_root),
	RECORD_FIELD(6, RECORD_TEXTS, struct ipc_checkpoint, proof),
	RECORD_END,
};
const struct record_table ipc_checkpoint_table = {"checkpoint", 1, sizeof(struct ipc_checkpoint), checkpoint_fields};

static const struct record_field checkpoint_signed_fields[] = {
	RECORD_FIELD(1, RECORD_BOOL, struct ipc_checkpoint_signed, ok),
	RECORD_FIELD(2, RECORD_BYTES, struct ipc_checkpoint_signed, signature),
	RECORD_FIELD(3, RECORD_BYTES, struct ipc_checkpoint_signed, public_key),
	RECORD_FIELD(4, RECORD_TEXT, struct ipc_checkpoint_signed, error),
	RECORD_FIELD(5, RECORD_U64, struct ipc_checkpoint_signed, signed_size),
	RECORD_END,
};
const struct record_table ipc_checkpoint_signed_table = {"checkpoint_signed", 1, sizeof(struct ipc_checkpoint_signed), checkpoint_signed_fields};

static const struct record_field session_open_fields[] = {
	RECORD_FIELD(1, RECORD_TEXT, struct ipc_session_open, peer),
	RECORD_END,
};
const struct record_table ipc_session_open_table = {"session_open", 1, sizeof(struct ipc_session_open), session_open_fields};

static const struct record_field session_end_fields[] = {RECORD_FIELD(1, RECORD_TEXT, struct ipc_session_end, reason), RECORD_END};
const struct record_table ipc_session_end_table = {"session_end", 1, sizeof(struct ipc_session_end), session_end_fields};

static const struct record_field session_limits_fields[] = {
	RECORD_FIELD(1, RECORD_U64, struct ipc_session_limits, max_message),
	RECORD_FIELD(2, RECORD_U64, struct ipc_session_limits, bandwidth),
	RECORD_END,
};
const struct record_table ipc_session_limits_table = {"session_limits", 1, sizeof(struct ipc_session_limits), session_limits_fields};

static const struct record_field bans_fields[] = {RECORD_FIELD(1, RECORD_TEXTS, struct ipc_bans, networks), RECORD_END};
const struct record_table ipc_bans_table = {"bans", 1, sizeof(struct ipc_bans), bans_fields};

static const struct record_field certificate_fields[] = {
	RECORD_FIELD(1, RECORD_BYTES, struct ipc_certificate, authority),
	RECORD_FIELD(2, RECORD_TEXTS, struct ipc_certificate, principals),
	RECORD_FIELD(3, RECORD_TIME, struct ipc_certificate, from),
	RECORD_FIELD(4, RECORD_TIME, struct ipc_certificate, until),
	RECORD_FIELD(5, RECORD_TEXTS, struct ipc_certificate, addresses),
	RECORD_FIELD(6, RECORD_U64, struct ipc_certificate, serial),
	RECORD_FIELD(7, RECORD_TEXT, struct ipc_certificate, key_id),
	RECORD_END,
};
const struct record_table ipc_certificate_table = {"certificate", 1, sizeof(struct ipc_certificate), certificate_fields};

static const struct record_field auth_fields[] = {
	RECORD_FIELD_ENUM(1, struct ipc_auth, method, NULL),
	RECORD_FIELD(2, RECORD_TEXT, struct ipc_auth, user),
	RECORD_FIELD(3, RECORD_TEXT, struct ipc_auth, key_type),
	RECORD_FIELD(4, RECORD_BYTES, struct ipc_auth, key_blob),
	RECORD_FIELD(5, RECORD_TEXT, struct ipc_auth, password),
	RECORD_FIELD_SUB(6, RECORD_ONE, struct ipc_auth, certificate, &ipc_certificate_table),
	RECORD_END,
};
const struct record_table ipc_auth_table = {"auth", 1, sizeof(struct ipc_auth), auth_fields};

static const struct record_field auth_reply_fields[] = {
	RECORD_FIELD(1, RECORD_BOOL, struct ipc_auth_reply, ok),
	RECORD_FIELD(2, RECORD_TEXT, struct ipc_auth_reply, partner),
	RECORD_FIELD(3, RECORD_TEXT, struct ipc_auth_reply, connection),
	RECORD_FIELD(4, RECORD_TEXT, struct ipc_auth_reply, folder_in),
	RECORD_FIELD(5, RECORD_TEXT, struct ipc_auth_reply, folder_out),
	RECORD_FIELD(6, RECORD_TEXT, struct ipc_auth_reply, taken),
	RECORD_FIELD(7, RECORD_BOOL, struct ipc_auth_reply, partial),
	RECORD_FIELD(8, RECORD_TEXT, struct ipc_auth_reply, next),
	RECORD_FIELD(9, RECORD_TEXT, struct ipc_auth_reply, text),
	RECORD_FIELD(10, RECORD_TEXTS, struct ipc_auth_reply, in_subfolders),
	RECORD_FIELD(11, RECORD_TEXTS, struct ipc_auth_reply, out_subfolders),
	RECORD_FIELD(12, RECORD_TEXTS, struct ipc_auth_reply, accept),
	RECORD_FIELD(13, RECORD_TEXTS, struct ipc_auth_reply, temporary),
	RECORD_FIELD(14, RECORD_U64, struct ipc_auth_reply, max_message),
	RECORD_FIELD(15, RECORD_U64, struct ipc_auth_reply, bandwidth),
	RECORD_END,
};
const struct record_table ipc_auth_reply_table = {"auth_reply", 1, sizeof(struct ipc_auth_reply), auth_reply_fields};

static const struct record_field mailbox_list_fields[] = {
	RECORD_FIELD_ENUM(1, struct ipc_mailbox_list, folder, NULL),
	RECORD_FIELD(2, RECORD_TEXT, struct ipc_mailbox_list, section),
	RECORD_FIELD(3, RECORD_TEXT, struct ipc_mailbox_list, after),
	RECORD_FIELD(4, RECORD_U64, struct ipc_mailbox_list, limit),
	RECORD_FIELD(5, RECORD_BOOL, struct ipc_mailbox_list, contents),
	RECORD_END,
};
const struct record_table ipc_mailbox_list_table = {"mailbox_list", 1, sizeof(struct ipc_mailbox_list), mailbox_list_fields};

static const struct record_field mailbox_entry_fields[] = {
	RECORD_FIELD(1, RECORD_TEXT, struct ipc_mailbox_entry, name),
	RECORD_FIELD(2, RECORD_TEXT, struct ipc_mailbox_entry, id),
	RECORD_FIELD(3, RECORD_U64, struct ipc_mailbox_entry, bytes),
	RECORD_FIELD(4, RECORD_TIME, struct ipc_mailbox_entry, time),
	RECORD_FIELD(5, RECORD_BOOL, struct ipc_mailbox_entry, is_folder),
	RECORD_FIELD(6, RECORD_BOOL, struct ipc_mailbox_entry, staged),
	RECORD_FIELD(7, RECORD_BOOL, struct ipc_mailbox_entry, collected),
	RECORD_FIELD(8, RECORD_U64, struct ipc_mailbox_entry, offset),
	RECORD_FIELD(9, RECORD_BOOL, struct ipc_mailbox_entry, unfinished),
	RECORD_FIELD(10, RECORD_U64, struct ipc_mailbox_entry, fetched),
	RECORD_FIELD(11, RECORD_BOOL, struct ipc_mailbox_entry, in_pieces),
	RECORD_FIELD(12, RECORD_BYTES, struct ipc_mailbox_entry, content),
	RECORD_END,
};
const struct record_table ipc_mailbox_entry_table = {"mailbox_entry", 1, sizeof(struct ipc_mailbox_entry), mailbox_entry_fields};

static const struct record_field mailbox_entries_fields[] = {
	RECORD_FIELD_SUB(1, RECORD_MANY, struct ipc_mailbox_entries, entries, &ipc_mailbox_entry_table),
	RECORD_FIELD(2, RECORD_BOOL, struct ipc_mailbox_entries, more),
	RECORD_END,
};
const struct record_table ipc_mailbox_entries_table = {"mailbox_entries", 1, sizeof(struct ipc_mailbox_entries), mailbox_entries_fields};

static const struct record_field mailbox_name_fields[] = {
	RECORD_FIELD_ENUM(1, struct ipc_mailbox_name, folder, NULL),
	RECORD_FIELD(2, RECORD_TEXT, struct ipc_mailbox_name, section),
	RECORD_FIELD(3, RECORD_TEXT, struct ipc_mailbox_name, name),
	RECORD_FIELD(4, RECORD_U64, struct ipc_mailbox_name, fetched),
	RECORD_FIELD(5, RECORD_TEXT, struct ipc_mailbox_name, id),
	RECORD_FIELD(6, RECORD_BOOL, struct ipc_mailbox_name, to_go_on),
	RECORD_END,
};
const struct record_table ipc_mailbox_name_table = {"mailbox_name", 1, sizeof(struct ipc_mailbox_name), mailbox_name_fields};

static const struct record_field mailbox_read_fields[] = {
	RECORD_FIELD(1, RECORD_TEXT, struct ipc_mailbox_read, id),
	RECORD_FIELD(2, RECORD_U64, struct ipc_mailbox_read, at),
	RECORD_END,
};
const struct record_table ipc_mailbox_read_table = {"mailbox_read", 1, sizeof(struct ipc_mailbox_read), mailbox_read_fields};

static const struct record_field mailbox_commit_fields[] = {
	RECORD_FIELD(1, RECORD_TEXT, struct ipc_mailbox_commit, name),
	RECORD_FIELD(2, RECORD_BOOL, struct ipc_mailbox_commit, staged),
	RECORD_FIELD(3, RECORD_U64, struct ipc_mailbox_commit, bytes),
	RECORD_FIELD(4, RECORD_BYTES, struct ipc_mailbox_commit, sha256),
	RECORD_FIELD(5, RECORD_BYTES, struct ipc_mailbox_commit, salt),
	RECORD_FIELD(6, RECORD_BYTES, struct ipc_mailbox_commit, salted_sha256),
	RECORD_FIELD(7, RECORD_TEXT, struct ipc_mailbox_commit, section),
	RECORD_FIELD(8, RECORD_BOOL, struct ipc_mailbox_commit, unfinished),
	RECORD_FIELD_SUB(9, RECORD_ONE, struct ipc_mailbox_commit, pickup, &ipc_pickup_table),
	RECORD_FIELD(10, RECORD_BYTES, struct ipc_mailbox_commit, content),
	RECORD_FIELD(11, RECORD_BYTES, struct ipc_mailbox_commit, hashing),
	RECORD_END,
};
const struct record_table ipc_mailbox_commit_table = {"mailbox_commit", 1, sizeof(struct ipc_mailbox_commit), mailbox_commit_fields};

static const struct record_field mailbox_rename_fields[] = {
	RECORD_FIELD_ENUM(1, struct ipc_mailbox_rename, folder, NULL),
	RECORD_FIELD_ENUM(2, struct ipc_mailbox_rename, to_folder, NULL),
	RECORD_FIELD(3, RECORD_TEXT, struct ipc_mailbox_rename, from),
	RECORD_FIELD(4, RECORD_TEXT, struct ipc_mailbox_rename, to),
	RECORD_FIELD(5, RECORD_BOOL, struct ipc_mailbox_rename, staged),
	RECORD_FIELD(6, RECORD_TEXT, struct ipc_mailbox_rename, from_section),
	RECORD_FIELD(7, RECORD_TEXT, struct ipc_mailbox_rename, to_section),
	RECORD_FIELD(8, RECORD_BOOL, struct ipc_mailbox_rename, replace),
	RECORD_END,
};
const struct record_table ipc_mailbox_rename_table = {"mailbox_rename", 1, sizeof(struct ipc_mailbox_rename), mailbox_rename_fields};

static const struct record_field mailbox_reply_fields[] = {
	RECORD_FIELD_ENUM(1, struct ipc_mailbox_reply, status, NULL),
	RECORD_FIELD(2, RECORD_TEXT, struct ipc_mailbox_reply, text),
	RECORD_FIELD_SUB(3, RECORD_ONE, struct ipc_mailbox_reply, entry, &ipc_mailbox_entry_table),
	RECORD_FIELD(4, RECORD_BYTES, struct ipc_mailbox_reply, content),
	RECORD_FIELD(5, RECORD_BOOL, struct ipc_mailbox_reply, bounded),
	RECORD_FIELD(6, RECORD_U64, struct ipc_mailbox_reply, room),
	RECORD_FIELD(7, RECORD_U64, struct ipc_mailbox_reply, files_left),
	RECORD_END,
};
const struct record_table ipc_mailbox_reply_table = {"mailbox_reply", 1, sizeof(struct ipc_mailbox_reply), mailbox_reply_fields};

static const struct record_field control_fields[] = {
	RECORD_FIELD(1, RECORD_TEXT, struct ipc_control, command),
	RECORD_FIELD(2, RECORD_TEXT, struct ipc_control, json),
	RECORD_FIELD(3, RECORD_TEXT, struct ipc_control, actor),
	RECORD_END,
};
const struct record_table ipc_control_table = {"control", 1, sizeof(struct ipc_control), control_fields};

static const struct record_field control_reply_fields[] = {
	RECORD_FIELD(1, RECORD_U64, struct ipc_control_reply, status),
	RECORD_FIELD(2, RECORD_TEXT, struct ipc_control_reply, json),
	RECORD_FIELD(3, RECORD_TEXT, struct ipc_control_reply, error),
	RECORD_END,
};
const struct record_table ipc_control_reply_table = {"control_reply", 1, sizeof(struct ipc_control_reply), control_reply_fields};
