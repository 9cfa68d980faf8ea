/* AS2 Restart (draft-harding-as2-restart) as HTTP sees it. */
#ifndef OPENVAN_ROLES_HTTP_RESTART_H
#define OPENVAN_ROLES_HTTP_RESTART_H

#include "roles/http/http.h"

#include <microhttpd.h>

/* What the head of a POST says. */
struct restart_wish {
	bool wanted;  /* there is an ETag: `key` names the transfer */
	bool resumes; /* and a Content-Range: from byte `first` of `total` */
	struct partial_key key;
	uint64_t first, total; /* total: 0 unknown */
};

/* HEAD about a transfer: answered with what is here. False: it is not about one. */
bool restart_head(struct http *h, struct MHD_Connection *c, enum MHD_Result *ret);

/* `length`: the Content-Length. 0, or the status to refuse it with, and why. A request whose body still comes in for the same
 * transfer is given up: its sender has come again. */
unsigned restart_look(struct http *h, struct MHD_Connection *c, uint64_t length, struct restart_wish *ret, const char **ret_text);
/* The request's spool becomes what is here already, or one that can be kept: the store is asked whether the sender is known. 0, or a
 * status as above. */
unsigned restart_begin(struct http *h, struct request *q, const struct restart_wish *w, const char **ret_text);
/* Is the whole there? 0, or a status as above. From here on nothing of it is kept. */
unsigned restart_finish(struct http *h, struct request *q, const char **ret_text);

/* IPC_LOOKUP_REPLY. */
void restart_known(struct http *h, struct ipc_message *m);

#endif
