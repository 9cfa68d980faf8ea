/* A leaf of the receipt log: what happened to which message, as RFC 8785 canonical JSON of at most 65,535 bytes.
 * Hashes only, never document content. Absent values are left out. */
#ifndef OPENVAN_RECEIPT_LEAF_H
#define OPENVAN_RECEIPT_LEAF_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/error.h"
#include "receipt/tree.h"

#define RECEIPT_LEAF_MAX 65535
#define RECEIPT_SALT 16
#define RECEIPT_ARTEFACT_NAME_MAX 64
#define RECEIPT_NO_LEAF UINT64_MAX

enum receipt_event {
	RECEIPT_RECEIVED = 1,
	RECEIPT_MDN_ISSUED,
	RECEIPT_QUEUED,
	RECEIPT_SENT,
	RECEIPT_MDN_RECEIVED,
	RECEIPT_DELIVERED,
	RECEIPT_SFTP_IN,
	RECEIPT_SFTP_OUT,
	RECEIPT_ACK_SENT,
	RECEIPT_ACK_RECEIVED,
	RECEIPT_OVERDUE,
	RECEIPT_DEAD_LETTER,
	RECEIPT_RESENT,
	RECEIPT_REPROCESSED,
	RECEIPT_PROFILE_CHANGED,
	RECEIPT_CERTIFICATE_CHANGED,
	RECEIPT_KEY_ROTATED,
	RECEIPT_ARTEFACT_DELETED,
	RECEIPT_OPERATOR,    /* an operator's action; `text` says which */
	RECEIPT_LOG_STARTED, /* first leaf of a log that follows another; written by receipt_append() itself */
	RECEIPT_HELD,
	RECEIPT_REJECTED,
	RECEIPT_LOGIN,         /* a partner's session began */
	RECEIPT_LOGIN_REFUSED, /* a failed log-in, or the ban that followed */
	RECEIPT_MAP_CHANGED,   /* a map or table: imported, activated, changed */
	RECEIPT_LOOKED_AT,     /* bytes were handed to somebody who is not their receiver; `text` says which */
	RECEIPT_EVENTS /* one past the last */
};
const char *receipt_event_name(enum receipt_event e); /* "mdn-issued"; NULL for an unknown one */
int receipt_event_parse(struct slice name, enum receipt_event *ret);

/* Something that the receipt is about: bytes kept beside the log, with a random salt so that a deleted one can't be guessed
 * from its hash. */
struct receipt_artefact {
	struct slice name;          /* a-z A-Z 0-9 '-' '_' '.', no leading dot, 1 to 64: "raw", "payload", "mdn" */
	uint64_t length;            /* bytes, without the salt */
	struct receipt_hash sha256; /* of salt ‖ bytes: receipt_artefact_hash() */
	unsigned char salt[RECEIPT_SALT]; /* stored apart, never in the leaf */
	bool has_salt;              /* false in a leaf that was parsed */
};

struct receipt_leaf {
	uint32_t version; /* 0 means today's, 1 */
	enum receipt_event event;
	van_time time; /* when it was recorded; raised by receipt_append() where it would be before the leaf before it */
	struct slice direction; /* "in", "out" */
	struct slice station, partner, connection;
	struct slice as2_from, as2_to, as2_message_id;
	struct slice from, to; /* EDI identities, "x12 ZZ:VOLT" */
	struct slice control_interchange, control_group, control_message;
	struct slice business_key; /* "po 4500017" */
	struct slice mic, micalg, disposition;
	struct slice message; /* stored message's id */
	struct slice agreement;
	uint64_t agreement_version; /* 0 is absent */
	struct slice actor, text;
	struct slice signer_cert; /* SHA-256 of its DER, 32 raw bytes, or absent */
	uint64_t size; /* bytes of the message */
	bool has_size;
	struct receipt_artefact *artefacts; /* sorted by the caller as it likes; the order is kept */
	size_t n_artefacts;                 /* at most 64 */

	/* Set by receipt_append(), for a leaf with a message: that message's leaf before this one. */
	uint64_t previous;       /* index, or RECEIPT_NO_LEAF; ignored on input */
	struct slice previous_log; /* its origin where it is in another log; ignored on input */
};

/* Appends the canonical JSON. `previous` is written as it stands. VAN_EINVAL (a name, a number above 2^53-1, more than 64
 * artefacts), VAN_ELIMIT when longer than RECEIPT_LEAF_MAX. Bytes that are not UTF-8 become U+FFFD. */
int receipt_leaf_write(const struct receipt_leaf *l, struct van_buf *to, struct van_error *err);
/* Reads one; strings are copied into the arena. Members it does not know are skipped (a newer writer). VAN_ESYNTAX,
 * VAN_EVERSION. */
int receipt_leaf_parse(struct slice json, struct van_arena *arena, struct receipt_leaf *ret, struct van_error *err);

/* SHA-256(salt ‖ bytes). Also in pieces, for bytes that stream by; _free() without _end() gives up. */
struct receipt_hash receipt_artefact_hash(const unsigned char salt[RECEIPT_SALT], struct slice bytes);
struct receipt_hasher;
struct receipt_hasher *receipt_hasher_new(const unsigned char salt[RECEIPT_SALT]); /* NULL when out of memory */
void receipt_hasher_add(struct receipt_hasher *h, const void *p, size_t n);
struct receipt_hash receipt_hasher_end(struct receipt_hasher *h); /* frees it */
void receipt_hasher_free(struct receipt_hasher *h); /* may be NULL */
/* Fills name, length, a fresh salt and the hash, from bytes or a whole file. `name` must outlive *ret. */
void receipt_artefact_of(struct receipt_artefact *ret, const char *name, struct slice bytes);
int receipt_artefact_of_fd(struct receipt_artefact *ret, const char *name, int fd);

#endif
