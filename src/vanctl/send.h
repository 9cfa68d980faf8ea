/* message send, resend, reprocess. */
#ifndef OPENVAN_VANCTL_SEND_H
#define OPENVAN_VANCTL_SEND_H

#include "vanctl/ctl.h"

/* Makes the bytes of an open file a message, as `request` says (from, to, connection, file_name, content_type; its hashes are added). `name`: of
 * the file, for errors. On status 0 *ret_answer is {"id",…}, the caller's. */
int send_file(struct ctl *c, int file, const char *name, json_t *request, json_t **ret_answer);

extern const struct ctl_command commands_send[];

#endif
