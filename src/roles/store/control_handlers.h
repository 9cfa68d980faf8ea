/* The functions of the command table; see control.h for what read, write, apart, prepare and committed mean. */
#ifndef OPENVAN_ROLES_STORE_CONTROL_HANDLERS_H
#define OPENVAN_ROLES_STORE_CONTROL_HANDLERS_H

#include "roles/store/control.h"

control_fn control_status;
control_fn control_backup_begin, control_backup, control_backup_done;
control_fn control_queue_resume;
void control_queue_resumed(struct control_call *c, struct directory *d);
control_fn control_message_list, control_message_show, control_message_get, control_ack_list;
/* Names of a mailbox's folders, for control_arg_name(); the last stands for both archives. Is it (also) that of place 0 to 3? */
extern const char *const control_folders[];
bool control_folder_is(int name, int place);

/* The answer of a command that hands out bytes: control_take_content() in its read, then control_hand_out() as its write, so that nobody looks at a
 * document without a receipt. `shown` and `name` are the answer's "id" and "name"; the bytes are `part` of message `id`. Status as of a handler. */
struct queue_content;
int control_take_content(struct control_call *c, struct slice id, struct slice part, struct slice shown, struct slice name, struct queue_content *content);
control_fn control_hand_out;
control_fn control_control_list, control_control_gaps, control_control_set;
control_fn control_mailbox_list, control_mailbox_usage, control_queue_list;
control_fn control_receipt_list, control_receipt_show, control_receipt_export, control_receipt_exported;
control_fn control_route_explain;
control_fn control_metrics;
control_fn control_cert_list, control_cert_show;
control_fn control_partner_list, control_partner_show, control_partner_history, control_partner_dump, control_partner_look;

control_fn control_apply_prepare, control_apply_write; /* write serves enable and disable, too */
control_fn control_enable_prepare, control_disable_prepare;
void control_apply_committed(struct control_call *c, struct directory *d);
control_fn control_remove_write;
void control_remove_committed(struct control_call *c, struct directory *d);

control_fn control_message_release, control_message_hold, control_message_reject, control_message_settle, control_ack_close;
control_fn control_queue_retry, control_queue_hold, control_queue_release, control_queue_drop;
control_fn control_mailbox_restore, control_mailbox_get, control_mailbox_put_prepare, control_mailbox_put, control_mailbox_purge;
void control_mailbox_purge_committed(struct control_call *c, struct directory *d);
control_fn control_session_list, control_session_kill;
control_fn control_ban_list, control_ban_add, control_ban_remove;
void control_ban_committed(struct control_call *c, struct directory *d);
control_fn control_user_key_list, control_user_key_add_prepare, control_user_key_remove_prepare, control_user_key_expire_prepare;

/* Parses and checks a JSON array of profiles; keeps the set in c->state for control_apply_write(). Status as of a handler. */
int control_check_profiles(struct control_call *c, struct slice json);

control_fn control_message_room, control_send_prepare, control_send_write, control_message_resend, control_message_reprocess;
control_fn control_queue_show;

control_fn control_map_list, control_map_show, control_map_sources, control_map_import_prepare, control_map_import, control_map_try,
	control_map_activate, control_map_lock;

control_fn control_agreement_list, control_agreement_show, control_agreement_waiting, control_agreement_hold_prepare,
	control_agreement_release_prepare, control_agreement_promote_prepare, control_agreement_let_go;
control_fn control_unique_list, control_unique_clear;

/* Checks the profile with one member changed (and of another id, where it is not NULL); takes `value` over. As control_check_profiles(). */
int control_change_profile(struct control_call *c, const struct profile *p, const struct slice *id, const char *key, json_t *value);
/* The profile, and "profile_version"; "version" too where it is not a key of its own. */
int control_put_profile(struct control_call *c, const struct profile *p);

/* By id: a partner, else a station, else an agreement. NULL: none. */
const struct profile *control_find_profile(struct control_call *c, struct slice id);
const struct profile *control_profile_of(const struct directory *d, struct slice id);

/* Every use of a certificate in a station or partner: `place` is the connection's or the station's id. */
typedef void control_certificate_fn(void *arg, const struct profile_certificate *c, const struct profile *owner, struct slice place);
void control_each_certificate(const struct profile *p, control_certificate_fn *fn, void *arg);

#endif
