/* Deliveries: what waits to be handed over a connection that is not a mailbox, its tries, and how they end.
 *
 *	queued ──begin──▶ trying ──end──▶ delivered                 the receiver has it, and said so
 *	  ▲                 │    ├──────▶ awaiting-mdn ──▶ …        asynchronous: later, or overdue
 *	  └──── a later try ┴────┴──────▶ failed | expired          final until an operator asks for more
 *	held, dropped: by an operator, or where there is no connection
 *
 * A lane is what waits for one connection: lanes are served side by side, so that one dead partner never slows another.
 * A delivery that is `trying` when nobody tries (the process ended) is due again. Every function works on any kind of
 * target: what a try is, is known to who makes it. */
#ifndef OPENVAN_QUEUE_DELIVERY_H
#define OPENVAN_QUEUE_DELIVERY_H

#include "queue/queue.h"

struct queue_lane {
	uint32_t kind; /* enum queue_delivery_kind */
	struct slice connection;
};

int queue_delivery_get(struct queue_work *w, struct slice id, struct queue_delivery *ret);
/* In the order of ids; `state` and `connection` filter (-1, absent: any). `fn` returns 0 to go on. */
int queue_deliveries(struct queue_work *w, int state, struct slice connection,
		     int (*fn)(void *arg, const struct queue_delivery *d), void *arg);
/* The same of batches: what waits to become one interchange, as a delivery whose next try is when that will be (0: nobody knows, or it is
 * held); `messages`: how many wait. */
int queue_batches(struct queue_work *w, int state, struct slice connection,
		  int (*fn)(void *arg, const struct queue_delivery *d, uint64_t messages), void *arg);
int queue_batch_get(struct queue_work *w, struct slice id, struct queue_delivery *ret, uint64_t *ret_messages);
/* Each lane in which something is due now or later. */
int queue_lanes(struct queue_work *w, int (*fn)(void *arg, const struct queue_lane *l), void *arg);
/* What a lane holds, earliest first. `fn` returns 0 to go on; another value ends and is returned. */
int queue_lane_each(struct queue_work *w, const struct queue_lane *l, int (*fn)(void *arg, struct slice id, van_time when),
		    void *arg);

/* Messages that leave over this connection: which kind of delivery; -1 for a mailbox, or where nothing can be sent. */
int queue_delivery_kind_of(const struct profile_connection *c);

/* What a try is about to send. Absent: as it is stored. */
struct queue_try {
	struct slice url;           /* for people */
	struct slice as2_message_id, as2_from, as2_to;
	struct slice mic, micalg;
	struct slice headers;       /* of the request, for the part "headers" */
	struct slice entity_headers; /* MIME headers that the MIC covers with the payload, for the part "signed-headers" */
	uint32_t compress;          /* enum profile_compress */
	uint64_t bytes;             /* of the body */
};
/* Before the first byte goes out: `trying`, with a receipt. VAN_ESTATE when it is not to be tried any more (an operator
 * held or dropped it meanwhile), VAN_ENOTFOUND when it is gone. */
int queue_delivery_begin(struct queue_work *w, struct slice id, const struct queue_try *t);

enum queue_outcome_kind {
	QUEUE_OUTCOME_DELIVERED,   /* the receiver has it */
	QUEUE_OUTCOME_AWAITING,    /* sent; its MDN comes later, at `due` at the latest */
	QUEUE_OUTCOME_RETRY,       /* again, as the connection's schedule says; `failed` at its end */
	QUEUE_OUTCOME_OVERDUE,     /* awaited long enough: again as the schedule says; `expired` at its end */
	QUEUE_OUTCOME_FAILED,      /* never again by itself */
	QUEUE_OUTCOME_INTERRUPTED, /* our process ended: again soon; often in a row counts like RETRY */
	QUEUE_OUTCOME_POSTPONED,   /* can't be tried now, which is no fault of the receiver: later, not counted */
};
struct queue_outcome {
	uint32_t kind;
	struct slice text;         /* for people */
	struct slice mdn;          /* the receiver's MDN as one MIME entity; absent: none came */
	struct slice disposition;  /* its field */
	struct slice signer_sha256; /* who signed it, hex */
	van_time due;              /* AWAITING */
};
/* Ends a try, or settles one that awaits its MDN; also one that had failed, when a late MDN says that it arrived. A message
 * that is delivered stays so, whatever a later MDN says: that is noted in its history. *ret_state: what it is now. */
int queue_delivery_end(struct queue_work *w, struct slice id, const struct queue_outcome *o, uint32_t *ret_state);

/* The sent message that an MDN is about: its Message-ID as the MDN gives it, and the AS2 names as in the MDN's own headers
 * (its From is our To). VAN_ENOTFOUND. */
int queue_delivery_of_mdn(struct queue_work *w, struct slice original_message_id, struct slice mdn_from, struct slice mdn_to,
			  struct queue_message *ret);

/* State moves of an operator: "retry" (now), "hold", "release", "drop". VAN_ESTATE when it does not fit. A batch is made into an interchange
 * now, takes no more messages while it is held, and is given up with what waits: its parts stay with its message. */
int queue_delivery_act(struct queue_work *w, struct slice id, const char *action, struct slice actor);

#endif
