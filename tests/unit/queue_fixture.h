/* A queue over a store in a temporary folder, with the partners of a small network. */
#ifndef OPENVAN_TESTS_QUEUE_FIXTURE_H
#define OPENVAN_TESTS_QUEUE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "queue/accept.h"
#include "queue/mailbox.h"

#define ACME "x12 01:123456789"
#define VOLT "x12 ZZ:VOLT"
#define BOLT "x12 ZZ:BOLT"

struct fixture {
	char folder[64];
	int dirfd;
	struct store *store;
	struct receipts *receipts;
	struct payload_dir *payload;
	struct queue *queue;
	struct directory *directory;
	struct van_arena *arena; /* of the transaction under way */
	struct queue_work w;
	van_time now;
	unsigned commits; /* some of them are settled, others left in the log */
};

struct fixture *fixture_new(void);
void fixture_free(struct fixture *f);
/* Closes and opens everything, as a restart does. */
void fixture_reopen(struct fixture *f);

/* One transaction: f->w is good between. */
void fixture_begin(struct fixture *f, enum store_mode mode);
void fixture_commit(struct fixture *f); /* or ends the reading */
void fixture_abort(struct fixture *f);

/* An AS2 request with this Message-ID; its payload and MIC follow from `content`. */
struct ipc_as2_accept fixture_accept(struct fixture *f, const char *message_id, const char *content, bool accepted);
/* Accepts it in a transaction of its own; the new message's id, or that of the one it repeats. */
struct van_id fixture_receive(struct fixture *f, const char *message_id, const char *content, enum queue_accept_outcome expected);

/* A result with one interchange ACME → `to` of one 850 whose numbers are `control`, with no outputs. Lists in f->arena. */
struct ipc_job_result fixture_result(struct fixture *f, const struct van_id *message, const char *to, const char *control);
struct ipc_output *fixture_add_output(struct fixture *f, struct ipc_job_result *r, enum ipc_output_kind kind, const char *partner,
				      const char *connection);
/* queue_job_done with fresh identifiers. */
int fixture_done(struct fixture *f, const struct ipc_job_result *r);

/* The message as it stands, in a read transaction that stays open: fixture_commit() ends it. */
struct queue_message fixture_message(struct fixture *f, const struct van_id *id);
/* States by name, for short assertions: "processed/collected/accepted". */
void fixture_assert_states(struct fixture *f, const struct van_id *id, const char *expected);
struct van_id fixture_child(struct fixture *f, const struct van_id *parent, size_t number);
size_t fixture_count(struct fixture *f, const struct queue_filter *filter);
/* Is there a step of this event whose text holds `text`? */
bool fixture_history_has(struct fixture *f, const struct van_id *id, const char *event, const char *text);

static inline struct slice id_slice(const struct van_id *id)
{
	return slice_make(id->text, VAN_ID_LEN);
}

#endif
