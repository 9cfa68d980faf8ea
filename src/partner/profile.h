/* Profiles: stations, partners and agreements, as people write them (YAML), as requests and stored versions carry them
 * (JSON), and as structs. The tables that say which keys there are stand in profile_schema.c; doc/profile-reference.md
 * is made from them. Lists are record_list of the struct named beside them. Text absent in the file is an absent slice.
 * Durations and times are microseconds; a time of 0 is absent. */
#ifndef OPENVAN_PARTNER_PROFILE_H
#define OPENVAN_PARTNER_PROFILE_H

#include "base/arena.h"
#include "base/clock.h"
#include "base/record.h"
#include "partner/identity.h"
#include "partner/problems.h"

enum profile_kind { PROFILE_STATION, PROFILE_PARTNER, PROFILE_AGREEMENT };
enum profile_protocol { PROFILE_AS2, PROFILE_SFTP_MAILBOX, PROFILE_SFTP };
enum profile_compress { PROFILE_COMPRESS_NONE, PROFILE_COMPRESS_BEFORE_SIGNING, PROFILE_COMPRESS_AFTER_SIGNING };
enum profile_mdn_mode { PROFILE_MDN_SYNC, PROFILE_MDN_ASYNC, PROFILE_MDN_NONE };
enum profile_key_transport { PROFILE_TRANSPORT_RSA, PROFILE_TRANSPORT_RSA_OAEP };
enum profile_signature { PROFILE_SIGNATURE_RSA, PROFILE_SIGNATURE_RSA_PSS };
enum profile_as2_version { PROFILE_AS2_1_2, PROFILE_AS2_1_3 };
enum profile_revocation { PROFILE_REVOCATION_NEVER, PROFILE_REVOCATION_LISTED, PROFILE_REVOCATION_ALWAYS };
enum profile_taken { PROFILE_TAKEN_DELETE, PROFILE_TAKEN_DOWNLOAD };
enum profile_login { PROFILE_LOGIN_ANY, PROFILE_LOGIN_KEY, PROFILE_LOGIN_PASSWORD, PROFILE_LOGIN_BOTH };
enum profile_environment { PROFILE_PRODUCTION, PROFILE_TEST };
enum profile_mode { PROFILE_PASS_THROUGH, PROFILE_TRANSLATE };
enum profile_acknowledged_by { PROFILE_ACK_RECEIVER, PROFILE_ACK_NETWORK, PROFILE_ACK_NONE };
enum profile_duplicate { PROFILE_DUPLICATE_HOLD, PROFILE_DUPLICATE_ACCEPT, PROFILE_DUPLICATE_REJECT };
enum profile_file_name { PROFILE_FILE_NAME_ACCEPT, PROFILE_FILE_NAME_REFUSE };
/* How EDI is judged. */
enum profile_policy { PROFILE_TOLERATE, PROFILE_STRICT, PROFILE_REPAIR };
enum profile_lenience { PROFILE_REJECT, PROFILE_REPORT };
enum profile_codes { PROFILE_CODES_OPEN, PROFILE_CODES_CLOSED };
enum profile_unknown { PROFILE_UNKNOWN_ACCEPT, PROFILE_UNKNOWN_NEAREST, PROFILE_UNKNOWN_REJECT };
enum profile_rejects { PROFILE_REJECTS_MESSAGE, PROFILE_REJECTS_GROUP, PROFILE_REJECTS_INTERCHANGE };
enum profile_ta1 { PROFILE_TA1_ASKED, PROFILE_TA1_ALWAYS, PROFILE_TA1_NEVER };
enum profile_split { PROFILE_SPLIT_NONE, PROFILE_SPLIT_GROUP, PROFILE_SPLIT_MESSAGE };
extern const char *const profile_policy_names[];
extern const char *const profile_lenience_names[];
extern const char *const profile_codes_names[];
extern const char *const profile_unknown_names[];
extern const char *const profile_rejects_names[];
extern const char *const profile_ta1_names[];
extern const char *const profile_split_names[];
extern const char *const profile_kind_names[];
extern const char *const profile_protocol_names[];
extern const char *const profile_compress_names[];
extern const char *const profile_mdn_mode_names[];
extern const char *const profile_key_transport_names[];
extern const char *const profile_signature_names[];
extern const char *const profile_as2_version_names[];
extern const char *const profile_revocation_names[];
extern const char *const profile_taken_names[];
extern const char *const profile_login_names[];
extern const char *const profile_environment_names[];
extern const char *const profile_mode_names[];
extern const char *const profile_acknowledged_by_names[];
extern const char *const profile_duplicate_names[];
extern const char *const profile_file_name_names[];
/* In sets bit i stands for name i. */
enum { PROFILE_REQUIRE_SIGNED = 1, PROFILE_REQUIRE_ENCRYPTED = 2 };
extern const char *const profile_require_names[];
extern const char *const profile_digest_names[]; /* sha256, sha384, sha512, sha224, sha1, md5 */
extern const char *const profile_cipher_names[]; /* aes128-cbc … */

/* In a file: a path, or {file: …, from: …, until: …}, or {pem: …}. Loading fills in `pem` and what follows from it. */
struct profile_certificate {
	struct slice file; /* absolute, where it was read; people's information once `pem` is there */
	struct slice pem;
	van_time from, until; /* when it may be used here, for roll-over; besides its own validity */
	struct slice key_id;  /* lower-case hex SHA-256 of the SubjectPublicKeyInfo */
	struct slice fingerprint; /* lower-case hex SHA-256 of the certificate's DER */
	struct slice subject;
	van_time not_before, not_after;
	struct slice der;     /* the certificate of `pem`; never in JSON */
};

struct profile_key_pair {
	struct profile_certificate *certificate; /* never NULL */
	struct slice key; /* absolute path of the PEM private key, which only the supervisor opens, for keyd */
	struct slice key_id; /* the certificate's */
};

struct profile_identity {
	uint32_t standard; /* enum identity_standard */
	struct slice id;   /* "ZZ:HUBNET" */
	struct slice connection; /* where documents for it go; absent: the party's only connection */
	van_time valid_from, valid_until;
	struct slice name; /* canonical text, identity.h; filled in by loading */
};

struct profile_station_as2 {
	struct slice id; /* its AS2 name */
	struct record_list sign;    /* struct profile_key_pair */
	struct record_list decrypt; /* struct profile_key_pair */
};

struct profile_contact {
	struct slice name, role, email, phone;
};

struct profile_station {
	uint32_t kind; /* private to reading */
	struct slice id, name, description;
	bool enabled;
	struct record_list identities; /* struct profile_identity */
	struct profile_station_as2 *as2; /* NULL: none */
	struct record_list contacts;   /* struct profile_contact */
};

struct profile_receive_auth {
	struct slice user, password; /* password: a crypt(3) hash */
};

#define PROFILE_CERTIFICATES_MAX 16 /* in one list: all of them may be tried on each message */

struct profile_receive {
	struct record_list certificates; /* struct profile_certificate */
	struct record_list authorities;  /* struct profile_certificate */
	uint64_t require;  /* set of profile_require_names */
	uint64_t digests;  /* set of profile_digest_names */
	uint64_t ciphers;  /* set of profile_cipher_names */
	bool check_expiry, check_purpose;
	uint32_t check_revocation; /* enum profile_revocation */
	bool strict_message_id;
	bool restart;
	uint64_t max_expansion;
	uint32_t duplicate_file_name, illegal_file_name; /* enum profile_file_name */
	struct slice_list addresses;            /* "192.0.2.0/24"; empty: any */
	struct record_list client_certificates; /* struct profile_certificate; empty: none asked for */
	struct profile_receive_auth *auth;      /* NULL: none */
};

struct profile_mdn {
	uint32_t mode;
	bool signed_; /* key "signed" */
	van_time timeout;
	struct slice url; /* asynchronous: where they shall send it; absent: built from the station's own address */
};

struct profile_durations {
	van_time *v;
	size_t n;
};

struct profile_send_auth {
	struct slice user;
	struct slice password_file; /* absolute path, which only the supervisor opens, for deliver */
};

struct profile_send_tls {
	struct record_list trust;  /* struct profile_certificate: authorities, or the server's own; empty: the system's */
	bool check_name;
	struct record_list client; /* struct profile_key_pair: the first in use is shown */
};

struct profile_send {
	struct slice url;
	struct record_list certificates; /* struct profile_certificate: encryption; the first is used */
	uint32_t sign;    /* index of profile_sign_names: none, sha256, … */
	uint32_t encrypt; /* index of profile_encrypt_names: none, aes256-cbc, … */
	uint32_t compress;
	struct profile_mdn mdn;
	struct profile_durations retry;
	struct slice subject, content_type;
	uint32_t key_transport; /* enum profile_key_transport; of RSA keys */
	uint32_t signature;     /* enum profile_signature; of RSA keys */
	uint32_t as2_version;   /* enum profile_as2_version */
	bool chunked, expect_continue, restart;
	uint64_t redirects;
	struct slice proxy;
	struct profile_send_auth *auth; /* NULL: none */
	struct profile_send_tls tls;
};
extern const char *const profile_sign_names[];
extern const char *const profile_encrypt_names[];

struct profile_ssh_key {
	struct slice key; /* one line of an authorized_keys file without options: "ssh-ed25519 AAAA… comment" */
	van_time from, until;
};

struct profile_folders {
	struct slice in, out; /* as written, with a leading slash */
	struct slice_list in_subfolders, out_subfolders; /* names, one level */
};

/* What one mailbox may use; 0: no limit of its own. */
struct profile_mailbox_limits {
	uint64_t sessions;  /* at one time */
	uint64_t bandwidth; /* bytes a second, both ways, all its sessions together */
	uint64_t storage;   /* bytes of uploads that are kept for it */
	uint64_t files;     /* how many those may be */
	uint64_t uploads;   /* in one day, whatever becomes of them */
};

/* The partner's own SFTP server, and who we are there. */
struct profile_server {
	struct slice host;
	uint64_t port;
	struct slice user;
	struct slice_list host_keys; /* public keys as in known_hosts, without the host: any of them may be the server's */
	struct slice key, password_file; /* absolute paths, which only the supervisor opens, for deliver */
	van_time timeout; /* without progress */
};

struct profile_push {
	struct slice folder, file_name;
	struct slice temporary; /* pattern with {name}; absent: written under its own name */
	struct profile_durations retry;
};

enum profile_fetched { PROFILE_FETCHED_DELETE, PROFILE_FETCHED_ARCHIVE, PROFILE_FETCHED_KEEP };
extern const char *const profile_fetched_names[];
struct profile_poll {
	struct slice folder;
	struct slice_list patterns; /* empty: any */
	uint32_t after;             /* enum profile_fetched */
	struct slice archive;       /* folder */
	van_time every;             /* 0: by `at` alone */
	struct slice_list at;       /* crontab(5) */
	struct slice time_zone;     /* of `at`; absent: the network's */
	van_time settle;            /* so long a file stays as it is before it is fetched */
};

/* Documents that are no EDI: which they are, and between whom. */
enum profile_document_format { PROFILE_DOCUMENT_CSV, PROFILE_DOCUMENT_UBL, PROFILE_DOCUMENT_JSON, PROFILE_DOCUMENT_ANY };
extern const char *const profile_document_format_names[];
struct profile_document {
	struct slice_list files;         /* patterns; empty: any */
	struct slice_list content_types; /* empty: any */
	uint32_t format;                 /* enum profile_document_format */
	struct slice sheet, sheet_version; /* csv */
	struct slice from, to;           /* canonical identities; absent: the party's first, what the document says */
	struct slice type;               /* any: what agreements call it; absent: none */
	uint32_t environment;            /* enum profile_environment */
};

struct profile_connection {
	struct slice id;
	uint32_t protocol;
	bool enabled;
	struct slice_list presents, collects; /* canonical identities; empty: the party's own */
	uint64_t max_message; /* bytes; UINT64_MAX: no limit */
	struct record_list documents; /* struct profile_document: the first that fits counts */
	/* as2 */
	struct slice station; /* id of our station */
	struct slice as2_id;  /* theirs */
	struct slice mdn_host; /* asynchronous MDNs go only there */
	struct slice_list mdn_hosts; /* or there */
	struct profile_receive *receive; /* never NULL for as2 */
	struct profile_send *send;       /* NULL: receive only */
	/* sftp-mailbox */
	struct slice user;
	struct record_list keys; /* struct profile_ssh_key */
	struct slice password;
	uint32_t login;                 /* enum profile_login */
	struct record_list authorities; /* struct profile_ssh_key: keys that sign user certificates */
	struct slice_list principals;   /* that a certificate may name; empty: the user name */
	struct slice_list addresses;    /* networks it may come from; empty: any */
	struct profile_mailbox_limits limits;
	struct profile_folders folders;
	struct slice_list accept;       /* patterns of names that may be uploaded; empty: any */
	struct slice_list temporary;    /* further patterns of names that wait for the rename */
	uint32_t taken;
	struct slice file_name;
	/* sftp */
	struct profile_server *server; /* never NULL for sftp */
	struct profile_push *push;     /* NULL: nothing is sent there */
	struct profile_poll *poll;     /* NULL: nothing is fetched there */
};

struct profile_partner {
	uint32_t kind; /* private to reading */
	struct slice id, name, description;
	bool enabled;
	struct record_list identities;  /* struct profile_identity */
	struct record_list connections; /* struct profile_connection */
	struct record_list contacts;    /* struct profile_contact */
};

struct profile_delimiters {
	struct slice element, component, repetition, release, terminator; /* one character each; absent: the usual one */
	bool lines;
};

/* Messages wait for one another until one of these is reached; 0: that one is no reason. */
struct profile_batch {
	van_time time;
	uint64_t messages, size;
};

struct profile_output {
	struct slice format, map, version;
	struct slice sheet;              /* csv; absent: the only one that writes the document */
	/* x12, edifact */
	struct slice from, to;           /* canonical identities; absent: those of the document, or the parties' own of that standard */
	struct slice syntax;             /* "UNOC:3" */
	struct slice application;        /* UNB 0026 */
	struct slice group_from, group_to; /* GS02, GS03 (UNG); absent: as in the interchange */
	struct profile_delimiters *delimiters; /* NULL: the usual ones */
	bool una, ack_requested;
	uint32_t split;                  /* enum profile_split */
	uint64_t max_messages, max_size; /* of one interchange; 0: any */
	struct profile_batch *batch;     /* NULL: each document goes at once */
	van_time acknowledged_within;    /* 0: no deadline */
	struct slice map_version; /* "active" or a number */
};
#define PROFILE_MAP_ACTIVE UINT64_MAX
/* The version of its map that the agreement asks for. */
uint64_t profile_map_version(const struct profile_output *o);

struct profile_acknowledgement {
	struct slice kind; /* 997, 999, CONTRL, TA1 */
	van_time within;
	uint32_t ta1;      /* enum profile_ta1 */
	bool accepted;     /* accepted messages are named, too */
	struct profile_delimiters *delimiters; /* NULL: those of the interchange that is answered */
};

struct profile_validation {
	uint32_t policy;           /* enum profile_policy */
	uint32_t elements, counts; /* enum profile_lenience */
	uint32_t codes;            /* enum profile_codes */
	uint32_t unknown;          /* enum profile_unknown */
	uint32_t rejects;          /* enum profile_rejects */
	struct slice_list guides;  /* names */
};

struct profile_duplicates {
	uint32_t control_number; /* enum profile_duplicate */
	van_time window;
};

enum profile_rest { PROFILE_REST_DELIVER, PROFILE_REST_HOLD };
enum profile_rule_answer { PROFILE_ANSWER_NONE, PROFILE_ANSWER_ADVICE };
extern const char *const profile_rest_names[], *const profile_rule_answer_names[];
/* Business rules. */
struct profile_rules {
	struct slice_list sheets; /* their names */
	uint32_t rest;            /* enum profile_rest: of an interchange with a document that breaks one */
	uint32_t answer;          /* enum profile_rule_answer */
};

struct profile_agreement {
	uint32_t kind; /* private to reading */
	struct slice id, name, description;
	bool enabled;
	struct slice from, to; /* canonical identity or "*" */
	struct slice type, version; /* absent: any */
	uint32_t environment, mode;
	struct profile_output *output; /* NULL: the bytes as they came */
	uint32_t acknowledged_by;
	struct profile_acknowledgement *acknowledgement; /* NULL: no deadline */
	struct profile_duplicates duplicates;
	struct profile_validation validation;
	struct profile_rules *rules; /* NULL: none */
	struct slice time_zone; /* tz name; absent: the network's */
	struct slice connection; /* deliver here instead of over the receiver identity's connection */
	struct slice folder;     /* subfolder of the receiver's mailbox; absent: none */
	bool hold;
	van_time valid_from, valid_until;
};

/* One profile. It owns its memory. */
struct profile {
	enum profile_kind kind;
	struct slice id;
	uint64_t version; /* the stored version; 0: not stored yet. Set by who stores it. */
	union {
		struct profile_station *station;
		struct profile_partner *partner;
		struct profile_agreement *agreement;
	};
	struct van_arena *arena;
	const struct schema_node *source; /* the document, for line numbers; NULL when it came from stored JSON */
	const char *file;                 /* NULL: not from a file */
};
void profile_free(struct profile *p); /* NULL is fine */

struct profile_set {
	struct profile **v; /* owned; take one out by setting it to NULL */
	size_t n;
};
void profile_set_free(struct profile_set *s); /* NULL is fine */

/* Reads files (every document of each), embeds certificates, makes paths absolute. All problems of all files are reported.
 * 0 (there may be warnings), VAN_EINVAL (see `errors`), VAN_EIO (a file could not be read; see `errors`) or VAN_ENOMEM. What can be seen only beside other profiles is
 * directory_check's (directory.h). */
int profile_files_load(const char *const *paths, size_t n, struct profile_set **ret, struct profile_errors *errors);

/* One text of YAML (or JSON) documents; `file` names it in messages and gives the folder relative paths start at. */
int profile_text_load(struct slice text, const char *file, struct profile_set **ret, struct profile_errors *errors);

/* The JSON forms: one object, or an array of objects. Canonical: keys in the table's order, no blanks, defaults written
 * out, absent values left out; so a stored version means the same for ever and two versions compare as bytes.
 * Returns 0 or the buffer's error. */
int profile_to_json(const struct profile *p, struct van_buf *to);
int profile_set_to_json(const struct profile_set *s, struct van_buf *to);

/* The way back, for requests and stored versions: the same checks by the same tables, but no file is read: certificates
 * must carry their PEM and paths must be absolute. 0, VAN_EINVAL with `errors`, VAN_ENOMEM. */
int profile_from_json(struct slice json, struct profile **ret, struct profile_errors *errors);
/* The same for bytes that profile_to_json() made and we have kept: what was derived from certificates is believed, which
 * makes it several times as fast. Never for what came in a request. */
int profile_from_stored(struct slice json, struct profile **ret, struct profile_errors *errors);
int profile_set_from_json(struct slice json, struct profile_set **ret, struct profile_errors *errors);

/* Warns about certificates that have expired, do so within 30 days, or are not valid yet, and about SSH keys past their
 * `until`. What is out of use at `now` by from/until is passed over. 0 or VAN_ENOMEM. */
int profile_set_check_dates(const struct profile_set *s, van_time now, struct profile_errors *errors);

/* The profile as people write it, for `partner show` and `partner new`: YAML without what loading filled in. */
int profile_to_yaml(const struct profile *p, struct van_buf *to);

/* Line of a field in its file ("connections[1].station"), or of the nearest thing around it; 0 when unknown. */
unsigned profile_line(const struct profile *p, const char *field);

/* Where a problem lies that somebody else found: file (borrowed) and line of a field of the profile named `kind` and `id`,
 * as they stand in profile_errors_to_json(). False when the set has no such profile, or not from a file. */
bool profile_set_locate(const struct profile_set *s, const char *kind, const char *id, const char *field, const char **ret_file,
			unsigned *ret_line);

/* Markdown page of all keys, from the tables (doc/profile-reference.md). */
int profile_reference(struct van_buf *to);

/* Parses "type base64 comment" of an SSH public key; the blob is appended. 0 or VAN_ESYNTAX with *ret_why constant text. */
int profile_ssh_key_parse(struct slice line, struct slice *ret_type, struct van_buf *blob, const char **ret_why);

#endif
