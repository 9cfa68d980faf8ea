/* What a session was let in by. */
#ifndef OPENVAN_ROLES_STORE_SESSION_PROOF_H
#define OPENVAN_ROLES_STORE_SESSION_PROOF_H

#include "roles/store/sessions.h"

/* For log-ins. */
bool session_key_listed(const struct record_list *keys, struct slice blob, van_time now);
bool session_may_use(const struct directory_sftp *who, enum ipc_auth_method method);
/* NULL: it fits, its validity in time aside; else why not. */
const char *session_certificate_misfit(const struct directory_sftp *who, const struct ipc_certificate *c, struct slice address, van_time now);

/* Keeps what was proven: the key with its certificate, or the hash that the password fitted. 0 or negative. */
int session_proof_key(struct session_proof *p, const struct ipc_auth *a);
int session_proof_password(struct session_proof *p, struct slice hash);
void session_proof_free(struct session_proof *p);
/* Would the account as it is now let in who has proven this (`proven`: bits of enum ipc_auth_method)? NULL: yes; else why not, for the client. */
const char *session_proof_misfit(const struct session_proof *p, unsigned proven, const struct directory_sftp *who, struct slice address,
				 struct van_arena *arena);

/* Ends the session with a receipt that says by whom and why. 0 or VAN_ENOMEM: it goes on. */
int session_end_by(struct session *e, struct slice actor, const char *reason);

#endif
