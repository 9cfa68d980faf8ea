/* One SFTP session as the store sees it. */
#ifndef OPENVAN_ROLES_STORE_SESSIONS_H
#define OPENVAN_ROLES_STORE_SESSIONS_H

#include "roles/store/store_role.h"

#define SESSION_PAGE 200 /* entries of a listing in one answer */
#define SESSION_CONTENTS (4 * IPC_INLINE_MAX) /* bytes of files in one answer; a packet holds IPC_MESSAGE_MAX, names included */

struct throttle; /* what the sessions of a mailbox with a bandwidth share */

/* What the partner has proven: see session_proof.h. */
struct session_proof {
	struct van_buf key; /* a record of struct ipc_auth: key_blob and certificate */
	char *hash;	    /* that the password fitted */
};

struct session {
	struct store_role *s;
	struct ipc_channel *channel; /* NULL: ended; of the loop's thread, … */
	pthread_mutex_t answering;   /* … and of the writer's, which answers, under this lock */
	unsigned references; /* the list's, and one for each write under way */
	uint64_t number;     /* of the session, for people */
	van_time since;
	bool open; /* logged in: bound to the mailbox below, for good */
	char *user, *partner, *connection, *peer, *method;
	uint64_t partner_version, max_message, bandwidth;
	struct queue_mailbox_limits limits;
	uint32_t taken; /* enum profile_taken */
	struct session_login {
		bool busy;       /* an attempt is being answered */
		uint64_t request;
		char *user;      /* of the attempt, or of the half that was proven */
		unsigned proven; /* bits of enum ipc_auth_method */
		struct session_proof proof;
		struct password_check *password; /* one that is being checked */
		struct loop_timer *delay;        /* a refusal waits */
	} login;
	struct poll *poll; /* not a partner's session, but ours on its server: see polls.h */
	struct session *next, **place;
};

enum queue_folder session_folder(uint32_t folder); /* where the store has what the session calls enum ipc_folder */

void session_resume(struct session *e, struct ipc_message *m);

void session_hold(struct session *e);
void session_unhold(struct session *e);

void session_reply(struct session *e, uint64_t request, enum ipc_mailbox_status status, const char *text,
		   const struct ipc_mailbox_entry *entry, int fd);
/* What it may use from now on. */
void session_limit(struct session *e, const struct directory_sftp *who);
/* From the writer's thread. False: it is left to the loop. */
bool session_reply_past(struct session *e, uint64_t request, const struct ipc_mailbox_reply *r);
void session_refuse(struct session *e, uint64_t request, int rc, const struct van_error *err);

/* downloads.c: what is read. One of *ret_content (in the work's arena), *ret_fd (the caller's) and ret->in_pieces is set. */
int session_open_entry(struct queue_work *w, const struct queue_mailbox_entry *e, struct ipc_mailbox_entry *ret, struct slice *ret_content, int *ret_fd);
void session_read(struct session *e, struct ipc_message *m); /* IPC_MAILBOX_READ */

/* upload_status.c: the report of an upload, by a name that ends with IPC_STATUS_SUFFIX. *ret_fd (may be NULL: only its entry is
 * wanted) is the caller's. 0, VAN_ENOTFOUND or another negative. */
int upload_status(struct session *e, struct queue_work *w, const struct ipc_mailbox_name *name, struct ipc_mailbox_entry *ret, int *ret_fd);

/* Ends it, and tells the client why. */
void session_stop(struct session *e, const char *reason);

/* A session that needs no log-in, for a poll of that connection; *ret_fd is its other end, the caller's. NULL when it can't be. */
struct session *session_new_poll(struct store_role *s, struct poll *p, const struct profile *partner, const struct profile_connection *c, int *ret_fd);

/* login.c */
void session_auth(struct session *e, struct ipc_message *m);
/* The account, if it may log in now; under the directory's lock. */
bool session_account(struct session *e, struct slice user, struct directory_sftp *ret);
void session_login_stop(struct session *e); /* the session ends */
void session_login_free(struct session *e);

/* uploads.c: what changes the mailbox; answered after the commit */
void session_commit(struct session *e, struct ipc_message *m);
void session_change(struct session *e, struct ipc_message *m);
/* It has opened what it sent itself: a look, noted here, so that a session which is killed leaves it behind, too. */
void session_note_look(struct session *e, const struct ipc_mailbox_name *name, struct slice id);

#endif
