/* Maps for job workers: which are in force, and trials of new ones before they are activated. */
#ifndef OPENVAN_ROLES_STORE_MAPS_H
#define OPENVAN_ROLES_STORE_MAPS_H

#include "roles/store/store_role.h"

struct trial;

int maps_start(struct store_role *s);
void maps_free(struct store_role *s);
/* Goes with every job: a worker whose maps are older asks for new ones first. */
uint64_t maps_generation(const struct store_role *s);
/* A change of a sheet was committed. */
void maps_changed(struct store_role *s);
/* Agreements name versions of maps: perhaps others than before. */
void maps_look(struct store_role *s);
/* IPC_MAPS of a worker. */
void maps_wanted(struct store_role *s, struct ipc_channel *to, struct ipc_message *m);
/* All of it as a struct ipc_sheets in a file, the caller's to close; or negative. In a read transaction. */
int maps_file(struct queue_work *w);

/* Has a worker compile a sheet and run its samples; `fn` is called once, in the loop: ok, or what is wrong. */
typedef void trial_fn(void *arg, bool ok, struct slice error);
struct ipc_sheet_samples;
int maps_try(struct store_role *s, const struct ipc_sheet_samples *sheet, trial_fn *fn, void *arg);

/* For jobs.c. */
bool maps_give(struct store_role *s, struct peer_worker *w); /* false: no trial waits */
void maps_on_worker(struct store_role *s, struct peer_worker *w, struct ipc_message *m);
void maps_worker_gone(struct store_role *s, void *work);

#endif
