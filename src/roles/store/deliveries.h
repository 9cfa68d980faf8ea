/* Deliveries under way: shared by deliveries.c (which one is next), delivery_try.c (one try from worker to deliver and back) and
 * delivery_mdn.c (MDNs). */
#ifndef OPENVAN_ROLES_STORE_DELIVERIES_H
#define OPENVAN_ROLES_STORE_DELIVERIES_H

#include "partner/settings.h"
#include "queue/delivery.h"
#include "roles/store/store_role.h"

#define LANE_BUCKETS 1024
#define LANE_NAME_MAX 64

/* What waits for one connection. */
struct lane {
	uint32_t kind;
	char connection[LANE_NAME_MAX + 1];
	unsigned running;
	unsigned width; /* how many may be under way: twice as many with each answer; 0: NARROW, nothing is known yet */
	bool ready; /* in the list of those to be looked at */
	struct lane *next_ready;
	struct loop_timer *timer; /* when its next delivery is due */
	struct store_role *s;
	struct lane *next; /* of the bucket */
};

enum outgoing_phase {
	OUTGOING_PACKAGE, /* waits for a worker, or is with one */
	OUTGOING_BEGIN,   /* being written: trying */
	OUTGOING_SENDING, /* with deliver */
	OUTGOING_CHECK,   /* its MDN waits for a worker, or is with one */
	OUTGOING_END,     /* the outcome is being written */
};

/* One try under way, or one MDN that was posted. */
struct outgoing {
	struct store_role *s;
	struct lane *lane; /* NULL: a posted MDN */
	struct van_id id;
	uint64_t number;   /* names the try between store and deliver */
	enum outgoing_phase phase;
	uint32_t kind;
	bool with_worker;
	struct van_arena *arena; /* of all below */
	struct slice as2_message_id;
	/* packaged */
	struct ipc_packaged packaged;
	int body; /* descriptor, or -1 */
	bool kept; /* the package is an earlier try's */
	/* what came back */
	uint64_t status; /* of HTTP */
	struct record_list answer_headers; /* struct ipc_header */
	struct van_buf answer;
	uint64_t http_started, http_request; /* posted: who waits for our answer */
	struct outgoing *next, **place;
	struct outgoing *next_task;
};

struct deliveries {
	struct lane *buckets[LANE_BUCKETS];
	struct lane *ready, **last_ready;
	struct outgoing *all;
	struct outgoing *tasks, **last_task; /* what waits for a worker */
	size_t running; /* those with a lane */
	uint64_t last_number;
};

/* deliveries.c */
/* Looks for what can be started. */
void deliveries_pass(struct store_role *s);
struct outgoing *outgoing_new(struct store_role *s, struct lane *lane, struct slice id, uint32_t kind);
/* The receiver has answered a try, whatever it said, or has not: who stays silent gets few at a time, and so does not take the
 * places of others for as long as it is waited for. */
void lane_answered(struct lane *l, bool answered);
/* The try is over, its place is free: the lane is looked at again. */
void outgoing_free(struct outgoing *o);
/* Puts it behind what waits for a worker. */
void outgoing_task(struct outgoing *o, enum outgoing_phase phase);

/* delivery_try.c */
void outgoing_start(struct outgoing *o, uint32_t state); /* enum queue_delivery_state: what it is in */
void outgoing_begin(struct outgoing *o);
void outgoing_end(struct outgoing *o, const struct queue_outcome *outcome);
/* `text` is copied. */
void outgoing_end_text(struct outgoing *o, enum queue_outcome_kind kind, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* Ends it by the HTTP status, which is none of 2xx. */
void outgoing_refused(struct outgoing *o);
/* False: it could not be sent to the worker, and is ended. */
bool outgoing_give(struct outgoing *o, struct peer_worker *w);

/* delivery_sftp.c */
void outgoing_start_sftp(struct outgoing *o);
int outgoing_fill_sftp(struct store_read *r, struct outgoing *o, struct ipc_deliver *to);
void outgoing_delivered_sftp(struct outgoing *o, const struct ipc_delivered *r);

/* delivery_mdn.c */
/* *ret_fds: of the payload and of what goes beside it, each -1 where it is inline. */
int outgoing_fill_package(struct store_read *r, struct outgoing *o, struct ipc_package *ret, int ret_fds[2]);
bool outgoing_give_check(struct outgoing *o, struct peer_worker *w);
void outgoing_checked(struct outgoing *o, struct ipc_message *m);
/* The answer to who posted an MDN. */
void outgoing_answer_post(struct outgoing *o, unsigned status, const char *text);
/* The MDN that came back as one MIME entity, in the arena. */
struct slice outgoing_mdn(struct outgoing *o);

#endif
