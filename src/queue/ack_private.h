/* What ack.c, ack_turn.c and answer.c share. */
#ifndef OPENVAN_QUEUE_ACK_PRIVATE_H
#define OPENVAN_QUEUE_ACK_PRIVATE_H

#include "queue/internal.h"

/* The record of a transaction's group under its message. */
void queue_ack_key(struct store_key *k, const struct queue_message *m, const struct queue_transaction *t);
/* The transactions, those of one group together: a document may have very many groups. NULL: no memory. */
const struct queue_transaction **queue_ack_by_group(struct queue_work *w, const struct queue_message *m);
/* How many from v on are of one group. */
size_t queue_ack_run_of_group(const struct queue_transaction **v, size_t n);
/* How bad: 0 nothing is known yet; a worse answer is never overwritten by a better one. */
int queue_ack_badness(uint32_t ack);
/* The group's own state, from its messages'. */
uint32_t queue_ack_of_group(const struct queue_expect *e);
/* The state of a document from those of its groups: of those that nobody waits for any more the others say what it is, and
 * QUEUE_ACK_NONE when there are no others. */
int queue_ack_overall(struct queue_work *w, const struct queue_message *m, uint32_t *ret);
/* Sets it; what was made of the document by pass-through shows the same. */
int queue_ack_set(struct queue_work *w, struct queue_message *m, uint32_t ack);

/* What is known of messages that were made by translation becomes known of those they were made of (ack_turn.c). */
int queue_ack_turn(struct queue_work *w, const struct queue_message *made);

#endif
