/* Between the files of src/partner only. */
#ifndef OPENVAN_PARTNER_PROFILE_PRIVATE_H
#define OPENVAN_PARTNER_PROFILE_PRIVATE_H

#include "partner/profile.h"
#include "partner/schema.h"

extern const struct schema_table *const profile_tables[3]; /* by enum profile_kind */
extern const struct schema_table settings_table;

/* schema_table.finish functions: checks between fields, and what follows from them. */
int profile_certificate_finish(struct schema_reader *r, const struct schema_node *at, void *object);
int profile_key_pair_finish(struct schema_reader *r, const struct schema_node *at, void *object);
int profile_identity_finish(struct schema_reader *r, const struct schema_node *at, void *object);
int profile_identities_check(struct schema_reader *r, const struct schema_node *at, const struct record_list *identities);
int profile_station_finish(struct schema_reader *r, const struct schema_node *at, void *object);
int profile_partner_finish(struct schema_reader *r, const struct schema_node *at, void *object);
int profile_connection_finish(struct schema_reader *r, const struct schema_node *at, void *object);
int profile_document_finish(struct schema_reader *r, const struct schema_node *at, void *object);
int profile_send_finish(struct schema_reader *r, const struct schema_node *at, void *object);
int profile_ssh_key_finish(struct schema_reader *r, const struct schema_node *at, void *object);
int profile_folders_finish(struct schema_reader *r, const struct schema_node *at, void *object);
int profile_agreement_finish(struct schema_reader *r, const struct schema_node *at, void *object);

/* schema_field.check functions for one text. */
const char *profile_check_id(struct slice s, bool *ret_warning);
const char *profile_check_as2_id(struct slice s, bool *ret_warning);
const char *profile_check_user(struct slice s, bool *ret_warning);
const char *profile_check_host(struct slice s, bool *ret_warning);
const char *profile_check_address(struct slice s, bool *ret_warning);
const char *profile_check_url(struct slice s, bool *ret_warning);
const char *profile_check_proxy(struct slice s, bool *ret_warning);
const char *profile_check_url_path(struct slice s, bool *ret_warning);
const char *profile_check_password(struct slice s, bool *ret_warning);
const char *profile_check_folder(struct slice s, bool *ret_warning);
int profile_server_finish(struct schema_reader *r, const struct schema_node *at, void *object);
int profile_poll_finish(struct schema_reader *r, const struct schema_node *at, void *object);
const char *profile_check_host_key(struct slice s, bool *ret_warning);
const char *profile_check_remote_folder(struct slice s, bool *ret_warning);
const char *profile_check_temporary(struct slice s, bool *ret_warning);
const char *profile_check_cron(struct slice s, bool *ret_warning);
const char *profile_check_subfolder(struct slice s, bool *ret_warning);
const char *profile_check_network(struct slice s, bool *ret_warning);
const char *profile_check_pattern(struct slice s, bool *ret_warning);
const char *profile_check_file_name(struct slice s, bool *ret_warning);
const char *profile_check_time_zone(struct slice s, bool *ret_warning);
const char *profile_check_format(struct slice s, bool *ret_warning);
schema_check_fn profile_check_delimiter, profile_check_syntax;
int profile_output_finish(struct schema_reader *r, const struct schema_node *at, void *object);
const char *profile_check_map_version(struct slice s, bool *ret_warning);
const char *profile_check_ack_kind(struct slice s, bool *ret_warning);
const char *profile_check_header(struct slice s, bool *ret_warning);

/* Warns about a time zone that this machine does not know. */
void profile_time_zone_look_up(struct schema_reader *r, const struct schema_node *at, struct slice zone);

/* The folder of a file, absolute, in the arena. Absent when out of memory. */
struct slice profile_folder_of(struct van_arena *a, const char *file);
/* The file's content, at most `max` bytes. 0 or negative, reported at the node. */
int profile_read_file(struct schema_reader *r, const struct schema_node *at, const char *key, struct slice path, size_t max,
		      struct van_buf *to);

/* A private key that somebody will open by `path`: is it there, is it a key, does it belong to the certificate `der` (absent: not
 * asked), and with `as2`, is it of a kind that keyd takes? All of it is reported at the node; a file that this user may not read
 * is a warning. 0 or VAN_ENOMEM. */
int profile_private_key_check(struct schema_reader *r, const struct schema_node *at, const char *field, struct slice path, struct slice der,
			      bool as2);

/* PEM certificate (the first one of the text) to DER in the arena; absent when it does not parse. */
struct slice profile_pem_to_der(struct van_arena *a, struct slice pem);

#endif
