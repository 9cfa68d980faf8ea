/* What the store keeps about messages: records with a version, so that an unknown one is refused, never guessed.
 * Decoded slices point into the store's bytes: good until the transaction ends (reading) or changes (writing). */
#ifndef OPENVAN_QUEUE_RECORDS_H
#define OPENVAN_QUEUE_RECORDS_H

#include "base/clock.h"
#include "base/record.h"

enum queue_direction { QUEUE_IN, QUEUE_OUT };
enum queue_env { QUEUE_ENV_UNKNOWN, QUEUE_PRODUCTION, QUEUE_TEST };

/* The three states that never imply one another. */
enum queue_state {
	QUEUE_RECEIVED, /* its job is waiting or running */
	QUEUE_HELD,
	QUEUE_DUPLICATE,
	QUEUE_UNROUTABLE,
	QUEUE_REJECTED,
	QUEUE_QUARANTINED,
	QUEUE_PROCESSED,
};
enum queue_delivery_state {
	QUEUE_DELIVERY_NONE, /* null in JSON */
	QUEUE_DELIVERY_QUEUED,
	QUEUE_DELIVERY_TRYING,
	QUEUE_DELIVERY_AWAITING_MDN,
	QUEUE_DELIVERY_DELIVERED,
	QUEUE_DELIVERY_AVAILABLE,
	QUEUE_DELIVERY_COLLECTED,
	QUEUE_DELIVERY_FAILED,
	QUEUE_DELIVERY_EXPIRED,
	QUEUE_DELIVERY_HELD,
	QUEUE_DELIVERY_DROPPED,
};
enum queue_ack_state {
	QUEUE_ACK_NONE,
	QUEUE_ACK_EXPECTED,
	QUEUE_ACK_ACCEPTED,
	QUEUE_ACK_ACCEPTED_WITH_ERRORS,
	QUEUE_ACK_PARTIALLY_ACCEPTED,
	QUEUE_ACK_REJECTED,
	QUEUE_ACK_OVERDUE,
	QUEUE_ACK_UNMATCHED,
};

/* NULL-terminated; index 0 of env and delivery is "". */
extern const char *const queue_direction_names[];
extern const char *const queue_env_names[];
extern const char *const queue_state_names[];
extern const char *const queue_delivery_state_names[];
extern const char *const queue_ack_state_names[];
/* Index of a name in one of these lists, or -1. */
int queue_name_index(const char *const *names, struct slice name);

struct queue_key { /* business key */
	struct slice kind; /* "po", "invoice", "shipment" */
	struct slice value;
};

extern const struct record_table queue_key_table;

/* One transaction set or EDIFACT message of a stored message. */
struct queue_transaction {
	struct slice type, version, control_number;
	struct slice group_code, group_control_number, group_from, group_to;
	struct slice status; /* "accepted", "accepted-with-errors", "rejected" */
	uint64_t errors;
	struct record_list keys; /* struct queue_key */
	/* of what was made by translation: the received message it was made of, with that one's group and number */
	struct slice origin;     /* stored message id */
	struct slice origin_group_code, origin_group_number, origin_number;
};

extern const struct record_table queue_transaction_table;

/* One stored message, received or made. */
struct queue_message {
	struct slice id;
	van_time time;
	uint32_t direction, env, state, delivery, ack;
	struct slice protocol;   /* "as2", "sftp"; out: of the connection it leaves by */
	struct slice partner;    /* in: whose connection it came by; out: who gets it. Absent where unknown */
	struct slice connection;
	struct slice from, to;   /* EDI identities, "x12 ZZ:ACME" */
	struct slice standard, type, version, control_number;
	struct slice as2_message_id, file_name;
	uint64_t bytes;          /* of the payload */
	struct slice sha256;     /* of the payload, lower-case hex; absent where it was not computed */
	struct slice agreement;
	uint64_t agreement_version;
	struct slice parent;     /* out: what it was made of; children of a file with several interchanges: that file */
	struct slice error;      /* one line for people */

	struct slice station, peer, content_type;
	uint64_t partner_version;
	struct slice as2_from, as2_to, mic, micalg, disposition, mdn_message_id, mdn_facts;
	struct slice signer_sha256; /* hex */
	struct record_list transactions; /* struct queue_transaction */
	struct record_list keys; /* struct queue_key: of an output; received ones have them in their transactions */
	uint64_t offset, length; /* a child: its interchange's stretch of the parent's payload */
	bool child;              /* one interchange of several of its parent */
	bool acknowledgement;    /* holds acknowledgements only */
	struct slice report;     /* what no map row took */
	struct slice made_as;    /* out: "pass-through", "translated", "ack" */
	struct slice resend_of, reprocess_of;
	van_time ack_due;        /* 0: none */
	van_time collected, taken; /* mailbox: first complete download; when the partner removed it */
	uint64_t downloads;
	struct slice_list origins; /* out, of a batch: all that it was made of, where `parent` is not enough */
	bool turn_back;          /* in: what its receivers acknowledge becomes an acknowledgement with its own numbers */
	bool answered;           /* in: that one was asked for */
	uint64_t only;           /* in: it is about this message of its payload's interchange, from 1; 0: all */
	bool set_aside;          /* in: in quarantine by a business rule or its map; its acknowledgement was written */
	struct slice documents;  /* in, without EDI: it is about these of its payload's documents, "1,4-6" (ipc_job); absent: all */
	struct slice division;   /* beside `only` or `documents` of such a file: how it was divided when they were counted (ipc_job) */
};
extern const struct record_table queue_message_table;

enum queue_part_kind { QUEUE_PART_INLINE, QUEUE_PART_FILE, QUEUE_PART_STRETCH, QUEUE_PART_SEGMENT };
/* Bytes kept with a message: in the record, in a file of payload.h, a stretch of another part (of any message), or in a
 * segment of segment.h. */
struct queue_part {
	uint32_t kind;
	struct slice name;     /* "headers", "raw", "signed", "payload", "mdn", "ack", "translated", "reply" */
	uint64_t bytes;
	struct slice sha256;   /* 32 bytes, or absent; salts are kept with the receipts */
	struct slice content;  /* INLINE */
	struct slice owner;    /* STRETCH: message id; absent: the same message */
	struct slice within;   /* STRETCH: name of the part */
	uint64_t offset;       /* STRETCH: in that part; SEGMENT: the position */
};
extern const struct record_table queue_part_table;

/* A step that has no receipt of its own. Steps with one are in the receipt log. */
struct queue_event {
	van_time time;
	struct slice event, text;
};
extern const struct record_table queue_event_table;

enum queue_job_kind { QUEUE_JOB_PROCESS, QUEUE_JOB_BATCH, QUEUE_JOB_ANSWER };
/* Waiting work: one for each received message until its result is committed, for each batch until it is complete, for a message
 * whose acknowledgement is to be written. */
struct queue_job {
	uint32_t kind;    /* enum queue_job_kind */
	uint64_t tries;   /* that ended with a retry */
	uint64_t crashes; /* that killed the worker */
	van_time next;    /* not before; 0: now */
	bool accept_duplicate; /* its control number is no obstacle this time */
	bool waive;    /* nor are broken business rules */
	bool answered; /* its sender has an acknowledgement already */
	struct slice error;
};
extern const struct record_table queue_job_table;

/* What a delivery hands over, and to what. Stored: never renumber. */
enum queue_delivery_kind {
	QUEUE_TO_AS2,     /* a stored message over an AS2 connection */
	QUEUE_TO_MDN,     /* the asynchronous MDN of a received message, to `url` */
	QUEUE_TO_SFTP,    /* a stored message to a partner's SFTP server */
	QUEUE_TO_WEBHOOK, /* an event, to `url` */
	QUEUE_TO_BATCH,   /* listed, never stored: messages that wait for one another, to be an interchange */
};
extern const char *const queue_delivery_kind_names[];

/* The series of tries to hand something over that is not fetched from a mailbox; its id is the message's. Gone once it is
 * delivered or dropped: the message's history has the rest. */
struct queue_delivery {
	struct slice id, message, connection, partner;
	uint32_t state; /* enum queue_delivery_state */
	uint64_t tries; /* in all */
	van_time created;
	van_time next;  /* the next try, 0: at once; awaiting-mdn: when the MDN is overdue */
	struct slice last_error;
	uint32_t kind;  /* enum queue_delivery_kind */
	struct slice url; /* MDN, WEBHOOK */
	uint64_t round; /* tries since it was queued, or since an operator asked for another: its place in the schedule of retries */
	uint64_t interruptions; /* tries in a row that ended with our own process, not with an answer */
	uint32_t compress; /* AS2: enum profile_compress of the last try */
};
extern const struct record_table queue_delivery_table;

/* Messages that wait for one another under a message that will be their interchange. */
struct queue_batch {
	struct slice terms;    /* struct directory_route: as it was when the batch began */
	struct slice from, to, env; /* of what is written */
	uint64_t messages, bytes;
	uint64_t next;         /* number of the next item */
};
extern const struct record_table queue_batch_table;
struct queue_batch_item {
	struct slice type, version, agency, association, group_code;
	struct slice delimiters; /* of its bytes */
	struct slice part;       /* of the batch's message */
	struct slice origin, origin_group_code, origin_group_number, origin_number;
	struct record_list keys; /* struct queue_key */
};
extern const struct record_table queue_batch_item_table;

enum queue_folder { QUEUE_FOLDER_OUT, QUEUE_FOLDER_STAGED, QUEUE_FOLDER_IN_ARCHIVE, QUEUE_FOLDER_OUT_ARCHIVE };
enum queue_mailbox_state { QUEUE_MAILBOX_WAITING, QUEUE_MAILBOX_COLLECTED, QUEUE_MAILBOX_TAKEN, QUEUE_MAILBOX_STAGED, QUEUE_MAILBOX_UNFINISHED };
extern const char *const queue_mailbox_state_names[];
struct queue_mailbox_entry {
	struct slice name;
	struct slice message; /* stored message id; staged uploads: the id they will have */
	struct slice part;    /* name of its part */
	uint64_t bytes;
	van_time time;        /* put there */
	uint32_t state;       /* enum queue_mailbox_state */
	van_time collected;    /* out: first complete download */
	uint64_t fetched;      /* out: bytes from the start on that were sent, while the download is not complete */
	/* staged uploads: of the file */
	struct slice sha256, salt, salted_sha256;
	struct slice hashing; /* unfinished: the session's state of the hashes at its end */
};
extern const struct record_table queue_mailbox_entry_table;

/* What a partner's uploads take of its mailbox: staged ones and those in the archive of /in. */
struct queue_mailbox_usage {
	uint64_t bytes, files;
	uint64_t uploads;  /* on that day, whatever became of them */
	struct slice day;  /* "2026-01-31", of the network's time zone */
};
extern const struct record_table queue_mailbox_usage_table;

/* A group (or an EDIFACT interchange without groups) whose acknowledgement is awaited or was seen. */
struct queue_expect_item {
	struct slice type, control_number;
	uint32_t ack;
};
struct queue_expect {
	struct slice message;    /* the received one; its outputs mirror its state */
	struct slice from, to;   /* interchange parties */
	uint32_t ack;            /* of this group */
	van_time since, due;
	struct record_list items; /* struct queue_expect_item */
};
extern const struct record_table queue_expect_table;

/* Which message had this control number last. */
struct queue_control {
	struct slice message; /* stored message id */
	van_time time;
};
extern const struct record_table queue_control_table;

/* A value that a business rule lets only one document have. */
struct queue_unique {
	struct slice message; /* stored message id */
	van_time time;
	struct slice scope;   /* "rules-order po x12 ZZ:ACME": sheet, rule, sender; absent in old ones */
	struct slice value;
	uint64_t window;      /* microseconds; 0: ever */
};
extern const struct record_table queue_unique_table;

/* One version of a profile. */
struct queue_profile {
	struct slice id;
	uint32_t kind;    /* enum profile_kind */
	uint64_t version; /* 1, 2, … */
	van_time time;
	struct slice actor;
	bool removed;
	struct slice json; /* canonical form; absent when removed */
};
extern const struct record_table queue_profile_table;

#endif
