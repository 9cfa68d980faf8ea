/* Between jobs.c, which gives jobs out, and job_result.c, which writes down what became of them. */
#ifndef OPENVAN_ROLES_STORE_JOBS_PRIVATE_H
#define OPENVAN_ROLES_STORE_JOBS_PRIVATE_H

#include "roles/store/store_role.h"

#define JOB_AGAIN_LATER (5 * VAN_SECOND) /* when a result could not be written: a full disk */

/* IPC_JOB_RESULT of this job, to be written with the next batch. */
void job_result(struct store_role *s, const struct van_id *job, struct ipc_message *m);
/* The job ended without a result: tried again, held or, when it killed its worker twice, quarantined. */
void job_give_up(struct store_role *s, struct slice message, bool retry, struct slice error, bool crashed);

#endif
