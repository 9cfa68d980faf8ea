/* What the supervisor opens for the roles: folders, keys, listeners. */
#ifndef OPENVAN_ROLES_SUPERVISOR_FILES_H
#define OPENVAN_ROLES_SUPERVISOR_FILES_H

#include "base/error.h"
#include "base/slice.h"
#include "roles/supervisor/child.h"

#include <stdint.h>

struct van_config;

/* Makes (mode 0700, owned by the role user) and opens the data folder; takes its lock, waiting at most 10 s for a
 * predecessor's roles to end. 0 or negative with `e`. */
int files_open_data(const struct van_config *c, const struct child_users *users, int *ret_data, int *ret_lock, struct van_error *e);

/* A folder below the data folder, made when missing. Descriptor or negative. */
int files_open_below(int data, const char *name, const struct child_users *users, struct van_error *e);

/* Opens a file for reading by path. Descriptor or negative with `e`; `what` is for the message. */
int files_open(struct slice path, const char *what, struct van_error *e);

/* An existing folder by path. Descriptor or negative with `e`. */
int files_open_folder(const char *path, struct van_error *e);

/* Makes an Ed25519 private key (PEM, mode 0600) unless the file exists. 0 or negative with `e`. */
int files_ensure_receipt_key(struct slice path, struct van_error *e);

/* A listening TCP socket on a numeric address. Descriptor or negative with `e`. */
int files_listen(struct slice address, uint64_t port, struct van_error *e);

/* The control socket DATA/control.sock, mode 0600 (for root and the role user). Descriptor or negative with `e`. */
int files_listen_control(int data, const struct child_users *users, struct van_error *e);

#endif
