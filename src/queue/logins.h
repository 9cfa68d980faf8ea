/* Log-ins: what is remembered of failed ones, and bans. A failure counts for one user name at one address, never for the name
 * alone (else anybody could lock a partner out) nor, where the name is known here, for the address alone (else a partner would
 * lock out others behind the same proxy). */
#ifndef OPENVAN_QUEUE_LOGINS_H
#define OPENVAN_QUEUE_LOGINS_H

#include "queue/queue.h"

struct queue_ban {
	struct slice network; /* as van_cidr_text() writes it */
	struct slice user;    /* absent: everybody from there */
	van_time since, until; /* 0: for good */
	struct slice actor, reason;
	uint64_t failures;    /* that led to it; 0: an operator's */
};
extern const struct record_table queue_ban_table;

struct queue_login_policy {
	uint64_t failures; /* so many within `within` lead to a ban; 0: never */
	van_time within, ban;
	uint64_t address_factor; /* an address is banned after so many times `failures` with names unknown here; 0: never */
};

struct queue_login {
	struct slice address, user; /* numeric; as the client named it */
	struct slice partner, connection; /* absent: the name is unknown here */
	struct slice text;          /* "password", "key SHA256:…" */
};
/* Counts; *ret_failures is how many there are now, *ret_banned whether this one led to a ban (*ret_ban, in the arena).
 * `spare_address`: it is a proxy of ours. */
int queue_login_failed(struct queue_work *w, const struct queue_login *l, const struct queue_login_policy *p, bool spare_address,
		       uint64_t *ret_failures, bool *ret_banned, struct queue_ban *ret_ban);
/* Forgets the failures of that name at that address; a receipt. */
int queue_login_succeeded(struct queue_work *w, const struct queue_login *l);
/* A session was ended by an operator, or by vand because its profile has changed; `l->text` says why: a receipt. */
int queue_session_ended(struct queue_work *w, const struct queue_login *l, struct slice actor);

int queue_bans(struct queue_work *w, int (*fn)(void *arg, const struct queue_ban *b), void *arg);
/* Replaces one of the same network and user. `network` must have been written by van_cidr_text(). */
int queue_ban_add(struct queue_work *w, const struct queue_ban *b);
/* VAN_ENOTFOUND. */
int queue_ban_remove(struct queue_work *w, struct slice network, struct slice user, struct slice actor);
/* Forgets bans that are over and failures older than `within`, at most `limit` of them. How many, or negative. */
int queue_logins_tidy(struct queue_work *w, van_time within, unsigned limit);

#endif
