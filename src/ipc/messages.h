/* Every message between roles: its type, its struct and its table. One name follows one thing through all roles:
 * search for IPC_AS2_RECEIVE, IPC_AS2_ACCEPT, IPC_AS2_REPLY, IPC_JOB, IPC_JOB_RESULT to follow one document.
 *
 * Slices of a received message are valid until the next receive on its channel. "fd[0]" below is the message's first
 * descriptor. `request` of the header is the asker's and is echoed in the answer. */
#ifndef OPENVAN_IPC_MESSAGES_H
#define OPENVAN_IPC_MESSAGES_H

#include "base/clock.h"
#include "base/record.h"

/* Content up to this many bytes travels inside messages and rides on the store's flush; larger content is a file from the
 * first byte on, which the store links without a copy. */
#define IPC_INLINE_MAX ((size_t)32 * 1024)

enum ipc_type {
	/* supervisor ↔ role (role start is a sequence: CONFIG, then PEER, LISTENER, FILE in any number, then START) */
	IPC_ROLE_CONFIG = 1, /* struct ipc_role_config; fd[0]: the configuration as JSON */
	IPC_ROLE_PEER,       /* struct ipc_role_thing: name = peer's role, index = its number; fd[0]: the channel */
	IPC_ROLE_LISTENER,   /* struct ipc_role_thing: name = "as2", "sftp", "admin", "control"; index into the config's list; fd[0] */
	IPC_ROLE_FILE,       /* struct ipc_role_thing: name = "data" (folder), "tls-certificate", "tls-key", "client-ca", "host-key", "receipt-key", "credential"; fd[0] */
	IPC_ROLE_START,      /* everything has been passed */
	IPC_ROLE_READY,      /* role → supervisor: serving */
	IPC_ROLE_RELOAD,     /* supervisor → role: fresh CONFIG and FILEs follow, then START */
	IPC_ROLE_STOP,       /* supervisor → role: finish and exit 0 */
	IPC_KEYS_WANTED,     /* store → supervisor: struct ipc_keys_wanted, the whole list, after start and after each change */
	IPC_KEY_ADD,         /* supervisor → keyd: struct ipc_key; fd[0]: the opened private key file */
	IPC_KEY_STATUS,      /* keyd → supervisor → store: struct ipc_key_status */
	IPC_CREDENTIALS_WANTED, /* store → supervisor: struct ipc_credentials_wanted, the whole list, as above; FILEs to deliver follow */
	IPC_STATUS,          /* store → supervisor: no body */
	IPC_STATUS_REPLY,    /* supervisor → store: struct ipc_status */

	/* AS2 in */
	IPC_AS2_RECEIVE = 100, /* http → worker: struct ipc_as2_receive; fd[0]: spooled body where it is not inline */
	IPC_AS2_HANDED,        /* worker → http: no body; the store answers from now on; the worker is idle */
	IPC_AS2_REPLY,         /* store or worker → http: struct ipc_http_reply; from a worker it also means "idle" */
	IPC_AS2_ACCEPT,        /* worker → store: struct ipc_as2_accept; fds: artefacts kept in files */
	IPC_MDN_POSTED,        /* worker → store: struct ipc_mdn_posted; fd[0]: its body where it is not inline. The store answers http */

	/* look-ups: worker → store; the answer is a record of src/partner/directory.h */
	IPC_LOOKUP = 200, /* struct ipc_lookup */
	IPC_LOOKUP_REPLY, /* struct ipc_lookup_reply */
	IPC_DIRECTORY_CHANGED, /* store → worker: forget cached look-ups; no body */

	/* jobs: store ↔ worker */
	IPC_JOB = 300,  /* struct ipc_job_list; fd[0]: the payload of the only one, where it is not inline */
	IPC_JOB_RESULT, /* struct ipc_job_result; fds: outputs kept in files. An empty body: the record is in the last fd */
	IPC_JOB_FAILED, /* worker → store: struct ipc_job_failed */
	IPC_PACKAGE,    /* store → worker: struct ipc_package; fd[0]: payload where it is not inline */
	IPC_PACKAGED,   /* worker → store: struct ipc_packaged; fd[0]: the body where it is not inline */
	IPC_MDN_CHECK,  /* store → worker: struct ipc_mdn_check; fds: payload, then MDN, where they are not inline */
	IPC_MDN_CHECKED, /* worker → store: struct ipc_mdn_checked */
	IPC_PASSWORD_CHECK,       /* store → worker: struct ipc_password_check */
	IPC_PASSWORD_CHECK_REPLY, /* struct ipc_verdict */
	IPC_MAPS,       /* worker → store: no body: which maps are in force? Answer IPC_MAPS_REPLY */
	IPC_MAPS_REPLY, /* struct ipc_maps_reply; fd[0]: a struct ipc_sheets */
	IPC_MAP_TRIAL,  /* store → worker: struct ipc_map_trial; fd[0]: a struct ipc_sheet_samples */
	IPC_MAP_TRIED,  /* worker → store: struct ipc_verdict */

	/* keys: worker or store ↔ keyd */
	IPC_UNWRAP = 400, /* struct ipc_unwrap */
	IPC_UNWRAPPED,    /* struct ipc_unwrapped: always a key, see cms_unwrap(); empty where keyd holds no key of that id */
	IPC_SIGN,         /* struct ipc_sign */
	IPC_SIGNED,       /* struct ipc_signed */
	IPC_CHECKPOINT,   /* store → keyd: struct ipc_checkpoint */
	IPC_CHECKPOINT_SIGNED, /* struct ipc_checkpoint_signed */

	/* mailboxes: sftp session ↔ store; every request is answered by IPC_MAILBOX_REPLY unless stated otherwise */
	IPC_SESSION_OPEN = 500, /* sftp listener → store: struct ipc_session_open; fd[0]: the session's channel. No answer */
	IPC_AUTH,               /* struct ipc_auth; answer IPC_AUTH_REPLY */
	IPC_AUTH_REPLY,         /* struct ipc_auth_reply */
	IPC_MAILBOX_LIST,       /* struct ipc_mailbox_list; answer IPC_MAILBOX_ENTRIES */
	IPC_MAILBOX_ENTRIES,    /* struct ipc_mailbox_entries */
	IPC_MAILBOX_STAT,       /* struct ipc_mailbox_name; the reply has entry */
	IPC_MAILBOX_OPEN,       /* struct ipc_mailbox_name; the reply has entry, and content, or fd[0] to read (content begins at entry.offset), or entry.in_pieces */
	IPC_MAILBOX_CREATE,     /* struct ipc_mailbox_name: what will be put there, or no body; the reply has fd[0], an unnamed file to write */
	IPC_MAILBOX_COMMIT,     /* struct ipc_mailbox_commit; fd[0]: that file. Answered after the store's commit */
	IPC_MAILBOX_COLLECTED,  /* struct ipc_mailbox_name: complete download; answered after the commit, unless its number is 0 */
	IPC_MAILBOX_REMOVE,     /* struct ipc_mailbox_name: partner deleted the file: taken. Answered after the commit */
	IPC_MAILBOX_RENAME,     /* struct ipc_mailbox_rename: staged upload → final name (becomes a message), or /out → taken */
	IPC_MAILBOX_REPLY,      /* struct ipc_mailbox_reply */
	IPC_SESSION_END,        /* store → session: struct ipc_session_end. No answer */
	IPC_BANS,               /* store → sftp listener: struct ipc_bans, the whole list, at start and after each change */
	IPC_MAILBOX_FETCHED,    /* struct ipc_mailbox_name: a download from /out broke off; no answer */
	IPC_MAILBOX_SYNC,       /* no body; answered when what was told before it is committed */
	IPC_MAILBOX_RESUME,     /* struct ipc_mailbox_name of an unfinished upload; the reply has fd[0] to write on from where it ended, and content:
				 * ipc_mailbox_commit.hashing. Refused where it can't be gone on with like this: it can still be read (OPEN) */
	IPC_MAILBOX_READ,       /* struct ipc_mailbox_read; the reply has fd[0], a copy of the IPC_PIECE bytes there, or of what is left */
	IPC_SESSION_LIMITS,     /* store → session: struct ipc_session_limits; fd[0] as with IPC_AUTH_REPLY. No answer */

	/* deliveries: store ↔ deliver. The store starts a try and hears how it ended; `request` names the try */
	IPC_DELIVER = 550, /* struct ipc_deliver; fd[0]: the body where it is not inline */
	IPC_POLL,          /* store → deliver: struct ipc_poll. No answer */
	IPC_PICKUP_SEEN,   /* poll → store: struct ipc_pickup: was it fetched before? Answer IPC_MAILBOX_REPLY: OK yes, NO_FILE no */
	IPC_PICKUP_GONE,   /* poll → store: struct ipc_pickup: it is not there any more; answered after the commit */
	IPC_POLL_DONE,     /* poll → store: struct ipc_polled: how it went. No answer */
	IPC_DELIVERED,     /* deliver → store: struct ipc_delivered; fd[0]: the answer's body where it is not inline */

	/* control socket: vanctl, web → store */
	IPC_CONTROL = 600, /* struct ipc_control; fd[0] where the command takes a file */
	IPC_CONTROL_REPLY, /* struct ipc_control_reply; fd[0] where the answer is a file */
};

/* --- supervisor ------------------------------------------------------------------------------------------------------ */

struct ipc_role_config {
	struct slice role; /* "store", "keyd", "http", "worker", "sftp", "deliver", "web" */
	uint64_t index;
	struct slice pool; /* worker: "receive" or "job" */
	bool reload;
};
struct ipc_role_thing {
	struct slice name;
	uint64_t index; /* listeners, peers: which one */
	struct slice path; /* files: for messages to people */
};
struct ipc_key {
	struct slice key_id;      /* lower-case hex SHA-256 of the certificate's SubjectPublicKeyInfo */
	struct slice path;        /* absolute */
	struct slice certificate; /* DER */
};
struct ipc_keys_wanted {
	struct record_list keys; /* struct ipc_key */
};
/* Transport client keys and passwords, which deliver gets as files named "credential". */
struct ipc_credentials_wanted {
	struct slice_list paths; /* absolute */
};
struct ipc_key_status {
	struct slice key_id;
	bool ok;
	struct slice error; /* says what to do; never key material */
};
struct ipc_role_status {
	struct slice name;
	uint64_t pid;
	struct slice state; /* "running", "starting", "backing-off", "stopped" */
	uint64_t restarts;
};
struct ipc_status {
	struct record_list roles; /* struct ipc_role_status */
	struct slice_list listeners; /* "as2 127.0.0.1:4080" */
};

/* --- AS2 in ---------------------------------------------------------------------------------------------------------- */

struct ipc_header {
	struct slice name, value;
};
struct ipc_as2_receive {
	van_time received;
	struct slice peer; /* address */
	bool tls;
	struct slice path;
	struct record_list headers; /* struct ipc_header, as received */
	uint64_t bytes; /* of the body */
	struct slice body; /* while it is small; absent: fd[0] */
	struct slice client_sha256; /* of the TLS client's certificate, whose key it has proven to hold; hex; absent: none */
};
struct ipc_http_reply {
	uint64_t status;
	struct record_list headers; /* struct ipc_header */
	struct slice body;
	bool drop; /* http: close the connection after it */
};

/* Something kept with a stored message. Exactly one of: inline bytes; a file (fd_number ≥ 1: the message's fd[fd_number-1]);
 * a stretch of another artefact (within). `sha256` is of the bytes, `salted_sha256` of salt‖bytes for the receipt. */
struct ipc_artefact {
	struct slice name; /* "headers", "raw", "signed", "payload", "mdn", "ack", "translated" */
	struct slice bytes;
	uint64_t fd_number;
	struct slice within;
	uint64_t offset, length;
	struct slice sha256, salt, salted_sha256;
};

enum ipc_as2_outcome { IPC_AS2_OUTCOME_ACCEPTED, IPC_AS2_OUTCOME_REJECTED };

struct ipc_as2_accept {
	uint64_t http_request;
	uint32_t outcome; /* enum ipc_as2_outcome; only accepted ones enter the duplicate index and become jobs */
	van_time received;
	struct slice peer;
	struct slice station, partner, connection; /* absent where unknown */
	uint64_t partner_version;
	struct slice as2_from, as2_to, as2_message_id; /* as received, byte for byte */
	struct slice mic, micalg; /* base64, e.g. "sha-256"; absent where none was computed */
	struct slice disposition; /* e.g. "processed/error: decryption-failed" */
	struct slice error;       /* for people; absent when accepted */
	struct slice file_name, content_type;
	struct slice signer_sha256; /* of the signer's certificate, hex */
	struct record_list artefacts; /* struct ipc_artefact */
	struct ipc_http_reply *reply; /* released after the commit; absent body of no MDN is an empty 2xx */
	struct slice mdn_message_id;
	struct slice mdn_facts; /* opaque to the store: what a worker needs to build another MDN for this request */
	struct slice mdn_url;   /* asynchronous: where the artefact "mdn" goes after the commit; absent: it is in the reply */
	bool unique_file_name;  /* refuse it when an accepted message of this connection had the same file name */
};

/* --- look-ups -------------------------------------------------------------------------------------------------------- */

enum ipc_lookup_kind { IPC_LOOKUP_AS2, IPC_LOOKUP_ROUTE, IPC_LOOKUP_ACK, IPC_LOOKUP_SEEN, IPC_LOOKUP_DOCUMENT };
struct ipc_lookup {
	uint32_t kind;
	struct slice as2_from, as2_to; /* AS2: unquoted */
	/* ROUTE */
	struct slice connection;      /* the connection the interchange came in over: authority */
	struct slice from, to;        /* "x12 ZZ:ACME", trailing padding removed */
	struct slice type, version;   /* "850", "004010" */
	struct slice usage;           /* "P", "T" or "I" of the envelope */
	/* ACK: an acknowledgement, as in ipc_ack_seen: is what it is about an interchange of our own writing? The answer is a record of
	 * struct ipc_verdict */
	struct slice group_from, group_to, group_code, group_control_number;
	bool whole;
	/* SEEN: did another received message have this value of a rule that it be unique? The answer is a record of struct ipc_verdict, whose
	 * `error` is that message's id */
	struct slice message, scope, key;
	uint64_t window; /* microseconds; 0: ever */
	/* DOCUMENT: what is a file that came over `connection` and is no EDI? The answer is a record of struct directory_document */
	struct slice file_name, content_type;
};
struct ipc_lookup_reply {
	uint64_t generation; /* of the directory; changes with every apply */
	struct slice record; /* struct directory_as2 or directory_route of src/partner/directory.h */
	uint64_t zone_offset; /* ROUTE: minutes east of UTC of the agreement's time zone at this time, plus 1440 */
};

/* --- jobs ------------------------------------------------------------------------------------------------------------ */

enum ipc_job_kind {
	IPC_JOB_PROCESS,
	IPC_JOB_AS2_CONFLICT,
	IPC_JOB_BATCH,  /* messages that waited for one another become interchanges; the payload is a struct ipc_batch of `head` bytes, and behind
	                 * it the messages */
	IPC_JOB_ANSWER, /* the acknowledgement of a received interchange, from what its receivers answered: struct ipc_answer in the last fd */
};
struct ipc_job {
	uint32_t kind;
	uint64_t generation;   /* of the directory, as in ipc_lookup_reply */
	struct slice message;  /* stored message id */
	struct slice protocol; /* "as2", "sftp" */
	struct slice partner, connection;
	struct slice file_name, content_type;
	van_time received;
	struct slice payload; /* inline, or fd[0] from `offset` for `length` bytes */
	uint64_t offset, length;
	struct slice accept;  /* AS2_CONFLICT: the ipc_as2_accept record that conflicts; its reply is to be replaced */
	struct slice conflict; /* AS2_CONFLICT: text for the MDN */
	uint32_t disposition;  /* AS2_CONFLICT: enum as2_disposition for it */
	struct slice time_zone;
	uint64_t maps;         /* generation of the maps in force, as in ipc_maps_reply */
	uint64_t only;         /* the payload's message of this number, from 1, and no other; 0: all */
	struct slice documents; /* a file without EDI: these of its documents, from 1, "1,4-6"; absent: all */
	struct slice division;  /* beside `only` or `documents` of a file without EDI: how it was divided when they were counted, as the worker wrote it */
	bool waive;            /* rules that are broken are told, and hold up nothing: somebody has decided so */
	bool answered;         /* its sender has its acknowledgement */
	uint64_t head;         /* BATCH */
};

/* A message that waited for others of its batch. */
struct ipc_piece {
	struct slice type, version, agency, association, group_code;
	struct slice delimiters;     /* as in directory_output, of its bytes */
	uint64_t offset, length;
	struct slice origin, origin_group_code, origin_group_number, origin_number; /* as in ipc_transaction */
	struct record_list keys;     /* struct ipc_business_key */
};
struct ipc_batch {
	struct slice terms;          /* struct directory_route, as it was when the batch began */
	struct slice usage;          /* "P", "T" */
	uint64_t zone_offset;        /* as in ipc_lookup_reply */
	struct record_list pieces;   /* struct ipc_piece */
};
/* What became of the messages of an interchange that was translated. */
struct ipc_answer {
	struct record_list messages; /* struct ipc_transaction: of those that were translated; `status` is the receiver's */
};

/* Jobs for one worker, to be done one after another: each has a result of its own, in this order, under the same request. Several
 * at a time where they are small, because to wake a process costs more than to route a small order. */
struct ipc_job_list {
	struct record_list jobs; /* struct ipc_job; several only with inline payloads */
};

enum ipc_part_kind {
	IPC_PART_BYTES,
	IPC_PART_INTERCHANGE_NUMBER, /* this output's number of the counter (from, to, env, interchange) */
	IPC_PART_GROUP_NUMBER,       /* ... (from, to, env, group), one for each group_index */
};
/* Outputs are lists of parts; the store fills in control numbers inside the transaction that keeps the output. */
struct ipc_part {
	uint32_t kind;
	struct slice bytes;
	uint64_t width;       /* zero-padded to this; 0: as many digits as needed */
	uint64_t group_index;
};

struct ipc_business_key {
	struct slice kind;  /* "po", "invoice", "shipment" */
	struct slice value;
};
/* One ST..SE or UNH..UNT of what was received. */
struct ipc_transaction {
	struct slice type, version, control_number;
	struct slice group_code, group_control_number; /* GS01, GS06; absent in EDIFACT without UNG */
	struct slice group_from, group_to; /* GS02, GS03 (acknowledgements are matched on swapped group parties) */
	struct slice status; /* "accepted", "accepted-with-errors", "rejected" */
	uint64_t errors;
	struct record_list keys; /* struct ipc_business_key */
	/* of an output: which of its group numbers is this group's (no code: none), and which message it was made of: its group's code and
	 * number, and its own */
	uint64_t group_index;
	struct slice origin; /* stored message id; absent: that of the output's interchange */
	struct slice origin_group_code, origin_group_number, origin_number;
};

enum ipc_interchange_state {
	IPC_INTERCHANGE_PROCESSED,
	IPC_INTERCHANGE_HELD,       /* unauthorised sender, environment disagrees, mixed modes, agreement on hold */
	IPC_INTERCHANGE_UNROUTABLE,
	IPC_INTERCHANGE_REJECTED,   /* envelope or all messages rejected under `network` acknowledgement */
	IPC_INTERCHANGE_QUARANTINED, /* a document in it breaks a business rule, or its map can't take it; acknowledged all the same */
};
/* A document that goes to quarantine while the rest of its interchange goes on. */
struct ipc_aside {
	uint64_t number; /* of the interchange's messages, from 1 */
	uint64_t only;   /* of the payload's, where that is another number; else 0 */
	struct slice division; /* as in ipc_job */
	struct slice error;
	struct slice_list findings; /* lines for the history */
};
/* A value that no other received message may have within `window`: kept with what is processed. */
struct ipc_unique {
	struct slice scope, key, text; /* scope: the rule, and whose documents it is about */
	uint64_t window;               /* microseconds; 0: ever */
	bool error;                    /* severity */
};
struct ipc_interchange {
	struct slice standard; /* "X12", "EDIFACT" */
	struct slice version, control_number, from, to; /* from, to: "x12 ZZ:ACME" */
	struct slice env; /* "production", "test" */
	uint64_t offset, length; /* in the payload */
	uint32_t state;
	struct slice error;
	struct slice agreement;
	uint64_t agreement_version;
	struct slice receiver; /* partner id */
	struct slice duplicates; /* policy for the control number: "hold", "reject", "allow"; window in microseconds beside it */
	uint64_t duplicate_window;
	bool acknowledgement;  /* holds only acknowledgements: never acknowledged itself */
	struct slice ack;      /* state to set: "none", "expected", "accepted", "accepted-with-errors", "partially-accepted", "rejected" */
	uint64_t ack_within;   /* microseconds from receipt; 0: no deadline */
	struct record_list transactions; /* struct ipc_transaction */
	bool turn_back;        /* the receiver's acknowledgement of what was made of it becomes one with its own numbers */
	struct record_list asides;  /* struct ipc_aside */
	struct record_list uniques; /* struct ipc_unique */
	struct slice_list findings; /* broken rules, for the history */
	struct slice documents; /* a file without EDI that holds others, too: which of its documents these are, as in ipc_job */
	struct slice division;  /* beside it, as in ipc_job */
};

enum ipc_output_kind {
	IPC_OUTPUT_PASS_THROUGH,
	IPC_OUTPUT_TRANSLATED,
	IPC_OUTPUT_ACK,
	IPC_OUTPUT_WAITING, /* a message for a batch, which it opens or joins */
};
/* A message that this job makes: a delivery over `connection`, or a mailbox entry when that is a mailbox. */
struct ipc_output {
	uint32_t kind;
	uint64_t interchange; /* index into ipc_job_result.interchanges; not made when the store finds that one a duplicate, unless on_repeat */
	struct slice partner, connection; /* who gets it */
	struct slice agreement;
	uint64_t agreement_version;
	struct slice standard, type, version, from, to, env;
	struct slice control_number; /* pass-through: the original's; absent where the store numbers it */
	struct slice extension;      /* for file names: "edi", "json" */
	struct record_list parts;    /* struct ipc_part; PASS_THROUGH has none: the stretch offset,length of the payload */
	uint64_t offset, length;
	uint64_t fd_number;          /* ≥ 1: content is offset,length of this message's fd[fd_number-1], parts empty */
	struct record_list keys;     /* struct ipc_business_key */
	struct slice ack;            /* acknowledgement state of the output itself: "none" or "expected" */
	uint64_t ack_within;
	/* when an acknowledgement is expected for this output: the group it will name, see ipc_ack_seen */
	struct slice report;         /* what no map row took, for the history; absent if nothing */
	struct slice map;            /* TRANSLATED: "x12-004010-850-to-order, shipped", for the history */
	struct record_list transactions; /* struct ipc_transaction: of EDI that was made; WAITING: one */
	/* WAITING */
	struct slice agency, association, delimiters;
	struct slice terms;          /* struct directory_route */
	uint64_t batch_time, batch_messages, batch_size; /* when its batch is complete: microseconds, bytes; 0: never for that */
	/* ACK */
	bool on_repeat;              /* made instead of all others where the store rejects the interchange, whose number was used before */
};

struct ipc_ack_item {
	struct slice type, control_number, status; /* of one acknowledged message (AK2/AK5) */
};
/* An acknowledgement found in the received interchange (997, 999, CONTRL); matched by the store on swapped parties. */
struct ipc_ack_seen {
	uint64_t interchange;
	struct slice env;
	struct slice from, to;       /* of the document acknowledged: swapped already */
	struct slice group_from, group_to; /* GS02, GS03 of the document acknowledged: swapped already */
	struct slice group_code, group_control_number; /* AK101, AK102 */
	struct slice status;         /* of the group: "accepted", "accepted-with-errors", "partially-accepted", "rejected" */
	struct record_list items;    /* struct ipc_ack_item; empty: the status decides the whole group */
	bool whole;                  /* it speaks of the interchange, whose number it has: TA1, CONTRL */
	bool header;                 /* TA1: nothing is said of what is in it, unless it is rejected */
};

struct ipc_job_result {
	struct slice message;
	struct slice standard; /* of the payload: "X12", "EDIFACT", absent where it is not EDI */
	struct record_list interchanges; /* struct ipc_interchange; more than one: each becomes a child of the received message */
	struct record_list outputs;      /* struct ipc_output */
	struct record_list acks;         /* struct ipc_ack_seen */
	struct slice state; /* for a payload without interchanges: "rejected", "held", "unroutable", "processed"; absent otherwise */
	struct slice type, reference; /* the same: what it is, and by what it is found */
	struct slice error;
};
struct ipc_job_failed {
	struct slice message;
	bool retry;
	struct slice error;
};
struct ipc_password_check {
	struct slice hash, password;
};
struct ipc_verdict {
	bool ok;
	struct slice error;
};

/* --- maps ------------------------------------------------------------------------------------------------------------ */

/* What stands before the maps and tables that are installed: the active versions, and those that agreements name. */
struct ipc_sheet {
	struct slice name;  /* "table-unit" is a table */
	uint64_t version;
	bool active;
	struct slice text;  /* CSV */
};
struct ipc_sheets {
	struct record_list sheets; /* struct ipc_sheet */
};
struct ipc_maps_reply {
	uint64_t generation;
};
/* Is this sheet sound, and do its samples come out as they are expected to? */
struct ipc_sample {
	struct slice name, input, expected;
};
struct ipc_sheet_samples {
	struct slice name, text;
	struct record_list samples; /* struct ipc_sample */
};
struct ipc_map_trial {
	uint64_t maps; /* as in ipc_job */
};

/* --- sending --------------------------------------------------------------------------------------------------------- */

/* What a worker needs to package a stored message for an AS2 connection, or to find out again what it was. */
struct ipc_package {
	struct slice message;
	struct slice connection;     /* struct directory_as2 */
	struct slice as2_message_id; /* with its angle brackets */
	struct slice file_name, content_type, standard;
	struct slice payload;        /* inline, or a descriptor, from `offset` for `length` bytes */
	uint64_t offset, length;
	/* RFC 6362: what goes with it. One behind the other, inline or a further descriptor (behind the payload's); the list is JSON,
	 * [{"file_name","content_type","bytes"}]; absent: nothing */
	struct slice attachment_list, attachments;
	uint64_t attachments_offset;
};
struct ipc_packaged {
	struct slice message;
	bool ok;
	bool refused; /* not ok: nothing will change by itself (else a later try may do) */
	struct slice error;
	struct record_list headers; /* struct ipc_header: of the request */
	struct slice body;          /* inline, or fd[0], from `offset` for `bytes` bytes */
	uint64_t offset, bytes;
	struct slice mic, micalg;   /* base64, "sha-256" */
	struct slice entity_headers; /* MIME headers of the document: what the MIC covers before its bytes */
	uint32_t compress;          /* enum profile_compress */
	struct slice etag;          /* AS2 Restart: names this very package; absent: it is not asked for */
	struct slice made_for;      /* kept packages, by the store: the versions of the profiles it was made for */
};
/* An MDN for a stored message: the answer to a POST, or one that was posted to us later. */
struct ipc_mdn_check {
	struct ipc_package *package;
	struct record_list headers; /* struct ipc_header: of the answer or request that carried it */
	struct slice body;          /* inline, or the last descriptor */
	bool posted;                /* came by itself: nobody's word counts that is not signed */
	struct slice mic, micalg, entity_headers; /* as it was packaged */
	uint32_t compress;
};
enum ipc_mdn_verdict {
	IPC_MDN_POSITIVE,
	IPC_MDN_NEGATIVE,   /* the receiver refuses: final */
	IPC_MDN_MISMATCH,   /* it received something else: final */
	IPC_MDN_UNVERIFIED, /* no MDN, a damaged one, one that nobody we know has signed: proves nothing */
};
struct ipc_mdn_checked {
	struct slice message;
	uint32_t verdict; /* enum ipc_mdn_verdict */
	struct slice text; /* for people */
	struct slice disposition, signer_sha256;
};
struct ipc_mdn_posted {
	uint64_t http_request;
	struct slice peer;
	struct slice as2_from, as2_to, original_message_id;
	struct record_list headers; /* struct ipc_header */
	struct slice body;
};

/* One try. Who sends it knows nothing of S/MIME: bytes to an address, and what came back. */
struct ipc_deliver {
	uint32_t kind;         /* enum queue_delivery_kind */
	struct slice delivery; /* id, for logs */
	struct slice url;
	struct record_list headers; /* struct ipc_header */
	struct slice body;          /* inline, or fd[0], from `offset` for `bytes` bytes */
	uint64_t offset, bytes;
	uint64_t answer_timeout; /* microseconds from the last byte sent to the answer's last */
	bool chunked, expect_continue;
	uint64_t redirects;    /* followed at most; 0: none */
	struct slice proxy;    /* absent: none */
	struct slice user, password_file; /* HTTP basic authentication */
	struct slice trust;    /* PEM: certificates that may stand behind the server's; absent: the system's authorities */
	bool check_name;       /* the server's certificate must name its host */
	struct slice client_certificate, client_key_file; /* PEM; path */
	/* SFTP; body and so on as above */
	struct ipc_sftp_server *server;
	struct slice folder, name, temporary; /* temporary: absent: none */
	bool again; /* an earlier try may have put it there already; AS2: with `etag`, ask how much is there and go on */
	struct slice etag; /* AS2 Restart; absent: none */
};
/* A partner's SFTP server. */
struct ipc_sftp_server {
	struct slice host;
	uint64_t port;
	struct slice user;
	struct slice_list host_keys;     /* "type base64" */
	struct slice key, password_file; /* paths; absent: none */
	uint64_t timeout; /* microseconds without progress */
};
/* Fetch what lies there. fd[0]: a mailbox channel on which IPC_MAILBOX_CREATE, _COMMIT and IPC_PICKUP_… are asked; its end is the
 * end of the poll. */
struct ipc_poll {
	struct slice connection; /* for logs */
	struct ipc_sftp_server *server;
	struct slice folder;
	struct slice_list patterns; /* empty: all but temporary names */
	uint32_t after;             /* enum profile_fetched */
	struct slice archive;
	struct slice_list remembered; /* names that were fetched and may be there still */
	uint64_t max; /* bytes of a file: larger ones stay where they are; 0: no limit */
	uint64_t settle; /* microseconds that a file has to stay as it is before it is fetched */
	bool look;	 /* say what would be fetched, and touch nothing */
};
enum ipc_poll_fate { IPC_POLL_WANTED, IPC_POLL_TAKEN, IPC_POLL_TOO_LARGE };
struct ipc_polled_file {
	struct slice name;
	uint64_t bytes;
	van_time time;
	uint32_t fate; /* enum ipc_poll_fate */
};
struct ipc_polled {
	bool ok;
	bool reached; /* the server let us in */
	struct slice report;
	uint64_t unsettled; /* files that are being written: worth another look soon */
	uint64_t listed, others; /* files that have a wanted name, and those that have not */
	uint64_t wanted;	 /* a look: so many would be fetched */
	struct record_list files; /* a look: struct ipc_polled_file, the oldest */
};
struct ipc_pickup {
	struct slice name;
	uint64_t bytes, time; /* as the server tells */
};
struct ipc_delivered {
	bool answered; /* there is a status */
	bool not_ready; /* nothing was sent: a credential has not come yet, or can't be read */
	uint64_t status;
	struct slice error; /* not answered: why, for people */
	struct record_list headers; /* struct ipc_header */
	struct slice body;
	uint64_t sent; /* bytes of body */
};

/* --- keys ------------------------------------------------------------------------------------------------------------ */

struct ipc_unwrap {
	struct slice key_id;
	uint32_t algorithm;   /* enum wrap_alg of cms/algorithm.h */
	struct slice parameters; /* DER of RSAES-OAEP-params; may be absent */
	struct slice blob;
	uint64_t expected; /* bytes of content key */
};
struct ipc_unwrapped {
	struct slice key;
};
struct ipc_sign {
	struct slice key_id;
	uint32_t algorithm; /* enum digest_alg of cms/algorithm.h */
	struct slice digest;
	van_time signing_time;
	uint32_t scheme; /* enum sign_scheme of cms/sign.h */
};
struct ipc_signed {
	bool ok;
	struct slice der; /* detached CMS SignedData */
	struct slice error;
};
struct ipc_checkpoint {
	struct slice origin;
	uint64_t size;
	struct slice root; /* 32 bytes */
	uint64_t old_size; /* what keyd signed last, as the store knows it; 0: nothing */
	struct slice old_root;
	struct slice_list proof; /* consistency old → new, 32 bytes each */
};
struct ipc_checkpoint_signed {
	bool ok;
	struct slice signature;  /* 64 bytes, Ed25519 */
	struct slice public_key; /* 32 bytes */
	struct slice error;
	uint64_t signed_size;    /* when refused: the size signed last for this log, 0 if none; ask again with a proof from there */
};

/* --- mailboxes ------------------------------------------------------------------------------------------------------- */

struct ipc_session_open {
	struct slice peer;
};
struct ipc_session_end {
	struct slice reason; /* for the client */
};
/* The profile has changed: what counts from now on, as in struct ipc_auth_reply. */
struct ipc_session_limits {
	uint64_t max_message, bandwidth;
};
struct ipc_bans {
	struct slice_list networks; /* from which nobody may connect */
};
enum ipc_auth_method { IPC_AUTH_KEY_OFFERED, IPC_AUTH_KEY_VERIFIED, IPC_AUTH_PASSWORD };
/* An OpenSSH user certificate. */
struct ipc_certificate {
	struct slice authority; /* the wire blob of the key that signed it */
	struct slice_list principals;
	van_time from, until;   /* 0: no limit */
	struct slice_list addresses; /* networks it may be used from; empty: any */
	uint64_t serial;
	struct slice key_id;
};
struct ipc_auth {
	uint32_t method; /* OFFERED: may this key log in?; VERIFIED: its signature holds, log in */
	struct slice user;
	struct slice key_type, key_blob; /* "ssh-ed25519"; the SSH wire blob */
	struct slice password;
	struct ipc_certificate *certificate; /* key_blob is one: what it says; its signature holds */
};
struct ipc_auth_reply {
	bool ok;
	struct slice partner, connection;
	struct slice folder_in, folder_out; /* "/in", "/out" */
	struct slice taken; /* "delete" or "download" */
	bool partial;       /* good as far as it goes, and the rest is wanted: `next` */
	struct slice next;  /* "key" or "password" */
	struct slice text;  /* why not, where the client may know */
	struct slice_list in_subfolders, out_subfolders; /* names */
	struct slice_list accept, temporary;             /* patterns of file names; accept empty: any */
	uint64_t max_message; /* bytes; 0: no limit */
	uint64_t bandwidth;   /* bytes a second of all sessions of this mailbox; 0: no limit. fd[0]: what they share, see throttle.h */
};
enum ipc_folder { IPC_FOLDER_IN, IPC_FOLDER_OUT, IPC_FOLDER_IN_ARCHIVE, IPC_FOLDER_OUT_ARCHIVE };
/* In the archive of /in, "NAME.status" tells what became of NAME; without a section: of the newest of that name. */
#define IPC_STATUS_SUFFIX ".status"
struct ipc_mailbox_list {
	uint32_t folder;
	struct slice section; /* archives: a date, "2026-01-31"; absent: the list of dates (as folder entries). Others: a subfolder */
	struct slice after; /* name of the last entry of the page before; absent: from the start */
	uint64_t limit;
	bool contents; /* of /out: with the files themselves, up to the first that is not small, as many as go into an answer */
};
struct ipc_mailbox_entry {
	struct slice name, id;
	uint64_t bytes;
	van_time time;
	bool is_folder, staged, collected;
	bool unfinished; /* an upload that broke off */
	uint64_t fetched; /* in /out: bytes from the start on that were sent already */
	uint64_t offset; /* OPEN: where the content begins in fd[0] */
	bool in_pieces;	 /* OPEN: one of several in a file: it is read by IPC_MAILBOX_READ */
	struct slice content; /* LIST with contents */
};
struct ipc_mailbox_entries {
	struct record_list entries; /* struct ipc_mailbox_entry, by name */
	bool more;
};
struct ipc_mailbox_name {
	uint32_t folder;
	struct slice section, name; /* of an archive: a date; of the others: a subfolder, absent: the folder itself */
	uint64_t fetched; /* IPC_MAILBOX_FETCHED */
	struct slice id;  /* IPC_MAILBOX_FETCHED, _COLLECTED: of the entry that was read: another one of that name is not meant */
	bool to_go_on;	  /* IPC_MAILBOX_OPEN: the session reads what it goes on with; nobody else gets to see it */
};
/* Pieces begin at multiples of their size. */
#define IPC_PIECE ((uint64_t)512 << 10)
struct ipc_mailbox_read {
	struct slice id; /* of the entry */
	uint64_t at;
};
struct ipc_mailbox_commit {
	struct slice name; /* in /in; any bytes but '/' and NUL, 1..255 */
	bool staged;       /* a temporary name: kept and shown, becomes a message when it is renamed */
	uint64_t bytes;
	struct slice sha256, salt, salted_sha256;
	struct slice section;
	bool unfinished; /* the connection broke: kept to be resumed; no hashes */
	struct ipc_pickup *pickup; /* fetched from a partner's server */
	struct slice content; /* a small file itself, where no descriptor comes with the message */
	struct slice hashing; /* unfinished: the state of the hashes at its end, for who resumes it; absent: it must be read again */
};
struct ipc_mailbox_rename {
	uint32_t folder, to_folder;
	struct slice from, to;
	bool staged; /* the new name is a temporary one too */
	struct slice from_section, to_section;
	bool replace; /* a staged file of the new name goes */
};
enum ipc_mailbox_status { IPC_MAILBOX_OK, IPC_MAILBOX_NO_FILE, IPC_MAILBOX_DENIED, IPC_MAILBOX_FULL, IPC_MAILBOX_BUSY, IPC_MAILBOX_FAILED };
struct ipc_mailbox_reply {
	uint32_t status;
	struct slice text; /* for the client */
	struct ipc_mailbox_entry *entry;
	struct slice content; /* OPEN: a small file itself, where no descriptor comes with the answer */
	bool bounded;	      /* CREATE: the mailbox takes but `room` more bytes, those that are replaced by it being gone */
	uint64_t room;
	uint64_t files_left; /* CREATE: ... but so many more files, UINT64_MAX any number; at 0 `text` says why */
};

/* --- control --------------------------------------------------------------------------------------------------------- */

struct ipc_control {
	struct slice command; /* "message.list" */
	struct slice json;    /* arguments, an object; where it is large: fd[0] and json absent */
	struct slice actor;   /* who asks: "uid 0" (set by the store from the socket's credentials) */
};
struct ipc_control_reply {
	uint64_t status; /* exit status of vanctl: 0 done, 1 the answer is no, 2 usage or environment */
	struct slice json; /* the answer; absent where it is large: then fd[0] */
	struct slice error; /* one line with a remedy */
};

/* Tables, one for each struct above: TABLE of struct ipc_x is ipc_x_table. */
#define IPC_TABLES(X) \
	X(role_config) X(role_thing) X(key) X(keys_wanted) X(credentials_wanted) X(key_status) X(role_status) X(status) \
	X(header) X(as2_receive) X(http_reply) X(artefact) X(as2_accept) X(lookup) X(lookup_reply) \
	X(job) X(piece) X(batch) X(answer) X(job_list) X(part) X(business_key) X(transaction) X(aside) X(unique) X(interchange) X(output) X(ack_item) X(ack_seen) X(job_result) \
	X(job_failed) X(password_check) X(verdict) X(sheet) X(sheets) X(maps_reply) X(sample) X(sheet_samples) X(map_trial) \
	X(package) X(packaged) X(mdn_check) X(mdn_checked) X(mdn_posted) X(sftp_server) X(poll) X(polled) X(pickup) X(deliver) X(delivered) \
	X(unwrap) X(unwrapped) X(sign) X(signed) X(checkpoint) X(checkpoint_signed) \
	X(session_open) X(session_end) X(session_limits) X(bans) X(certificate) X(auth) X(auth_reply) X(mailbox_list) X(mailbox_entry) X(mailbox_entries) X(mailbox_name) X(mailbox_read) \
	X(mailbox_commit) X(mailbox_rename) X(mailbox_reply) X(control) X(control_reply)
#define IPC_DECLARE_TABLE(name) extern const struct record_table ipc_##name##_table;
IPC_TABLES(IPC_DECLARE_TABLE)

#endif
