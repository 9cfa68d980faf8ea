/* Work on partners' SFTP servers: each push and each poll in a process of its own, which is all that the bytes of a foreign server
 * reach. */
#ifndef OPENVAN_ROLES_DELIVER_SFTP_JOB_H
#define OPENVAN_ROLES_DELIVER_SFTP_JOB_H

#include "roles/deliver/deliver.h"
#include "roles/deliver/sftp_client.h"

/* Takes the message's descriptors over. IPC_DELIVER of kind QUEUE_TO_SFTP: answers IPC_DELIVERED when it has ended. */
void sftp_job_push(struct deliver *d, struct ipc_message *m);
/* IPC_POLL: its own channel to the store tells the rest. */
void sftp_job_poll(struct deliver *d, struct ipc_message *m);
/* Nobody waits for them any more. */
void sftp_jobs_cancel_all(struct deliver *d);

/* In the child. Each returns 0 or negative, with c->error. `piped`: the body is read from its beginning, and not what->offset of a file. */
int sftp_push(struct sftp_client *c, const struct ipc_deliver *what, int body, bool piped);
int sftp_poll(struct sftp_client *c, const struct ipc_poll *what, int store, char *ret_report, size_t room);
/* The server was not reached: the store is told why. */
void sftp_poll_not_begun(int store, const char *why);

#endif
