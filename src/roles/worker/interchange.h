/* One interchange while it is worked on: shared by interchange.c, output.c, acknowledge.c. */
#ifndef OPENVAN_ROLES_WORKER_INTERCHANGE_H
#define OPENVAN_ROLES_WORKER_INTERCHANGE_H

#include "edi/write_copy.h"
#include "map/map.h"
#include "roles/worker/job.h"

struct tree;

struct work {
	struct job *job;
	const struct edi_interchange *in;
	size_t number;
	struct ipc_interchange *out;
	struct directory_route route;   /* of its first message; all must agree on mode and receiver */
	int zone_offset;
	struct slice type, version;     /* when all messages have the same; absent else */
	bool routed, mixed_types;
	bool unroutable;                /* not routed, for want of an agreement or of a receiver */
	size_t acks, own_acks;          /* acknowledgements in it; those about interchanges of our own writing */
	bool *own;                      /* of each message: it is one of the latter */
	size_t own_count;
	struct job_list advices;        /* struct work_advice: documents whose sender is to hear which rules they broke */
};

struct map_finding;
struct work_advice {
	const struct edi_group *group;
	const struct edi_message *message;
	const struct map_finding *findings;
};

/* The message of the interchange that this is about, from 1; 0: all. */
uint64_t work_only(const struct work *w);
/* Nothing of it goes out: its state, and what people are told. 0. */
int work_hold(struct work *w, enum ipc_interchange_state state, struct slice why);
/* A new output under these terms, or NULL. */
struct ipc_output *work_output(struct work *w, enum ipc_output_kind kind, const struct directory_route *r);
/* The document's bytes: one part while they are few, else a stretch of the job's content file. */
int work_content(struct work *w, struct ipc_output *o, struct slice bytes);
int work_keys(struct van_arena *arena, const struct edi_key *from, struct record_list *to);
/* Literal bytes, and slots for numbers of the store's counters. */
int work_parts(struct job *j, const struct edi_output *from, struct record_list *to);
/* As packed by the directory; none: zeros. */
#define PACKED_SHIFTS 2 /* the last byte, of a message's own delimiters; of an agreement's it says whether lines are fed, 0 or 1 */
struct edi_delimiters work_delimiters(struct slice packed);

/* acknowledge.c */

/* A new output for the interchange's sender, without content: by the agreement for the way back, or at least over the sender's own connection.
 * 0 or negative. */
int work_answer(struct work *w, struct slice type, struct slice version, struct ipc_output **ret);
int work_acknowledge(struct work *w);
/* What the sender gets instead, should the store find that the interchange's number was used before (`duplicates: reject`): TA1 025,
 * CONTRL 26. */
int work_refuse_repeat(struct work *w);
/* IPC_JOB_ANSWER: the report's first interchange was checked anew; what its receivers said of what was made of it is in `fd`. */
int job_answer(struct job *j, int fd);
/* What the interchange acknowledges, for the store; counts in w->acks and w->own_acks. */
int work_note_acks(struct work *w);

/* What its envelopes say of a message. */
struct map_envelope work_envelope(struct work *w, const struct edi_group *g, const struct edi_message *m);

/* rules.c */

/* The document (message `number` of the interchange, from 1) goes to quarantine, alone or with its whole interchange: w->out->state says. */
int work_set_aside(struct work *w, const struct edi_message *m, uint64_t number, struct slice why);
/* Does the canonical document keep the rules of its agreement? If not it is set aside. Negative: try again. */
int work_judge(struct work *w, const struct edi_group *g, const struct edi_message *m, uint64_t number, const struct tree *document, bool *ret_goes_on);

/* A line for the history. */
int work_note(struct work *w, struct slice line);

/* advice.c: tells the sender of w->advices. */
int work_advise(struct work *w);
/* The same where they came without EDI (advice_plain.c). */
int work_advise_plain(struct work *w);
/* A document that its sheet could not read: its sender is to hear why. */
int work_advise_of(struct work *w, const struct edi_group *g, const struct edi_message *m, struct slice why);

/* translate.c */

/* The interchange's documents become what is no EDI: canonical JSON, UBL, CSV; or it goes whole in another form. */
int work_translate(struct work *w);

/* output.c */

/* The canonical document of a message, when it keeps the rules; else NULL, and it is set aside. `in`: the map that reads it; NULL for what
 * came without EDI. It lives as long as `run`'s. */
int work_document(struct work *w, const struct edi_group *g, const struct edi_message *m, uint64_t number, const struct map *in,
		  struct map_run_state *run, struct tree **ret);
/* Is this error about what was sent or agreed, and not about us? */
bool work_is_verdict(int rc);
/* The interchange's messages become EDI for the receiver: interchanges, or messages that wait in a batch. */
int work_write(struct work *w);
/* IPC_JOB_BATCH: what waited becomes interchanges. */
int job_batch(struct job *j, struct slice all, struct van_error *e);

#endif
