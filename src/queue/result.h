/* A job's result while it is being applied: shared by result.c and output.c. */
#ifndef OPENVAN_QUEUE_RESULT_H
#define OPENVAN_QUEUE_RESULT_H

#include "queue/accept.h"
#include "queue/internal.h"

struct result {
	const struct ipc_job_result *from;
	const struct queue_job_ids *ids;
	struct queue_message message;  /* as stored */
	struct queue_message *targets; /* one for each interchange: the message itself, or its children */
	size_t ntargets;
	bool split; /* the targets are children */
	bool accept_duplicate, answered;
	bool batch; /* the message is a batch, and the first output becomes it */
	size_t bearer; /* the target that has what came beside the documents */
	bool attached; /* that went with an output */
	struct slice unshared; /* why none of several targets has it; absent: one has, or there is nothing */
	uint32_t delivery; /* of outputs that belong to no interchange */
};

bool queue_result_keys(struct queue_work *w, const struct record_list *from, struct record_list *to);
/* The transactions of an output; `origin`: what they were made of where they do not say it themselves. False: no memory. */
bool queue_result_transactions(struct queue_work *w, const struct record_list *from, struct slice origin, struct queue_message *m);
/* Makes `id` findable by the control numbers and keys of `from`. */
int queue_result_search(struct queue_work *w, const struct queue_message *from, struct slice id);

/* Fills the part "payload" of output `i`, of which *m is the message (control numbers are taken, and set in it). The part is not put. */
int queue_result_content(struct queue_work *w, const struct result *r, size_t i, struct queue_message *m, struct queue_part *ret);

/* aside.c. Before anything is written: VAN_EAGAIN when another message has a value that must be unique since the worker asked. */
int queue_result_still_unique(struct queue_work *w, struct result *r);
/* Keeps those values for what is processed; quarantine for the documents that are set aside, and the findings of rules in the history. */
int queue_result_uniques(struct queue_work *w, struct result *r);
int queue_result_asides(struct queue_work *w, struct result *r);

/* Makes output number `i`: message, content, delivery, receipt. Nothing where its interchange is not processed. */
int queue_result_output(struct queue_work *w, struct result *r, size_t i);

#endif
