/* What came in of messages whose connection broke, kept for AS2 Restart (draft-harding-as2-restart): the sender names a transfer by
 * its ETag, asks by HEAD how much is here, and sends the rest.
 *
 * Each is a file of the folder "partial" in the spool folder, and survives this process. A key is a hash over ETag, AS2-From, AS2-To
 * and what else the client has shown of itself (TLS certificate, Authorization): whoever has not all of it sees and touches nothing.
 * Files from before the machine was started are not taken up: nobody knows how much of them reached the disk. */
#ifndef OPENVAN_ROLES_HTTP_PARTIAL_H
#define OPENVAN_ROLES_HTTP_PARTIAL_H

#include "base/clock.h"
#include "base/slice.h"

struct partial;
struct request;
struct van_config_restart;

struct partial_key {
	char name[65]; /* hex */
	char pair[17]; /* hex, of AS2-From and AS2-To */
};

/* 0; VAN_ESYNTAX without an ETag or AS2 names. `client`: fingerprint of the TLS certificate, `authorization`: of that header. */
int partial_key_make(struct slice etag, struct slice from, struct slice to, struct slice client, struct slice authorization,
		     struct partial_key *ret);

/* "bytes FIRST-LAST/TOTAL" of a part that reaches to the end. 0, or VAN_ESYNTAX. */
int partial_range_parse(struct slice value, uint64_t *ret_first, uint64_t *ret_total);

struct partials;
/* Makes the folder where it is missing and takes up what is there. NULL when out of memory or when there is no folder. */
struct partials *partials_open(int spool_folder);

/* Bytes here; 0: none, or too old. */
uint64_t partials_held(struct partials *p, const struct van_config_restart *c, const struct partial_key *k);

/* Gives the request's spool file a name, so that it outlives connection and process. False: past a limit, or not possible. */
bool partials_begin(struct partials *p, const struct van_config_restart *c, const struct partial_key *k, struct request *q);

/* The file to go on with from byte `first`; what lies behind is cut off. Nobody may be writing to it. Descriptor, VAN_ENOTFOUND (not
 * so much is here, or of another total) or an error. */
int partials_resume(struct partials *p, const struct van_config_restart *c, const struct partial_key *k, uint64_t first, uint64_t total,
		    struct request *q);

/* The whole is here and goes on to a worker: nobody can go on with it any more. It keeps a name until partials_done(), so that the
 * store can link it: a file that had a name and has none can't be given another. */
void partials_hand_over(struct partials *p, struct request *q);
void partials_done(struct partials *p, struct request *q);

/* A message begins under this key: nothing of an earlier one can be gone on with. A request that still writes to it goes on by itself. */
void partials_forget(struct partials *p, const struct partial_key *k);

/* The request's connection broke: kept within the limits. `keep` false: its bytes are of no use. */
void partials_end(struct partials *p, const struct van_config_restart *c, struct request *q, bool keep);

/* Removes what is too old. */
void partials_expire(struct partials *p, const struct van_config_restart *c);

#endif
