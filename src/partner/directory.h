/* What other roles ask about partners: answers as records that travel between roles, and the index that gives them.
 *
 * A `struct directory` holds the current version of every profile, indexed by AS2 pair, SFTP user, identity, connection
 * and agreement ends. The store role fills it at start and after each apply. It has no lock: one thread at a time, or
 * readers under the caller's read lock. Slices of an answer point into the directory or into the caller's arena: encode
 * the answer before the directory changes. */
#ifndef OPENVAN_PARTNER_DIRECTORY_H
#define OPENVAN_PARTNER_DIRECTORY_H

#include "base/clock.h"
#include "base/record.h"
#include "partner/agreement.h"
#include "partner/profile.h"

/* --- answers ------------------------------------------------------------------------------------------------------ */

/* A station's key pair. The private key is keyd's, found by key_id. */
struct directory_key {
	struct slice key_id;      /* lower-case hex SHA-256 of the certificate's SubjectPublicKeyInfo */
	struct slice certificate; /* DER */
};
extern const struct record_table directory_key_table;

struct directory_duration {
	uint64_t micros;
};
extern const struct record_table directory_duration_table;

/* How to send over an AS2 connection. Names of digests and ciphers are those of profiles ("sha256", "aes256-cbc"). */
struct directory_send {
	struct slice url;
	struct slice_list certificates; /* DER; the first is used */
	struct slice sign;              /* digest name; absent: unsigned */
	struct slice encrypt;           /* cipher name; absent: plain */
	uint32_t compress;              /* enum profile_compress */
	uint32_t mdn;                   /* enum profile_mdn_mode */
	bool mdn_signed;
	uint64_t mdn_timeout;           /* microseconds */
	struct slice mdn_url;           /* asynchronous: where to; absent: by our own address */
	struct record_list retry;       /* struct directory_duration: waiting time before each further try */
	struct slice subject, content_type; /* absent: by the document */
	uint32_t key_transport;         /* enum profile_key_transport */
	uint32_t signature;             /* enum profile_signature */
	uint32_t as2_version;           /* enum profile_as2_version */
	bool chunked, expect_continue, restart;
	uint64_t redirects;
	struct slice proxy;             /* absent: none */
	struct slice user, password_file;
	struct slice trust;             /* PEM, several in a row; absent: the system's authorities */
	bool check_name;
	struct slice client_certificate, client_key_file; /* PEM; path */
};
extern const struct record_table directory_send_table;

enum directory_match {
	DIRECTORY_FOUND,
	DIRECTORY_PARTNER_UNKNOWN, /* AS2: the station is ours and its keys are filled in, the sender is unknown */
	DIRECTORY_STATION_UNKNOWN, /* AS2: nobody here has that AS2 name */
};
extern const char *const directory_match_names[];

/* The answer for one (AS2-To, AS2-From). */
struct directory_as2 {
	uint32_t match; /* enum directory_match */
	bool enabled;   /* false: the partner or the connection is disabled; refuse */
	struct slice station, partner, connection; /* profile ids */
	uint64_t version;                          /* of the partner's profile */
	struct slice as2_to, as2_from;             /* ours, theirs */
	struct slice_list certificates;            /* theirs, DER, valid by from/until now; any of them verifies */
	bool require_signed, require_encrypted;
	struct slice_list digests, ciphers;        /* accepted in what they send */
	bool check_expiry;                         /* refuse signatures of expired certificates */
	struct slice mdn_url_host;                 /* asynchronous MDNs go to this host; absent: none */
	struct slice_list mdn_hosts;               /* or to these */
	struct record_list decrypt;                /* struct directory_key: all are tried */
	struct record_list sign;                   /* struct directory_key: the first signs */
	struct directory_send *send;               /* NULL: nothing is sent over this connection */
	uint64_t max_message;                      /* bytes; UINT64_MAX: no limit */
	bool check_purpose;                        /* refuse signatures of certificates that are not for signing */
	bool check_chain;                          /* certificates must chain up to one of: */
	struct slice_list authorities;             /* DER; valid by from/until now */
	bool strict_message_id, refuse_duplicate_file_name, refuse_illegal_file_name;
	struct slice_list addresses;               /* networks messages may come from; empty: any */
	uint32_t check_revocation;                 /* enum profile_revocation */
	bool restart;                              /* what broke off may be continued */
	uint64_t max_expansion;                    /* bytes inflated for each compressed one */
	bool check_client;                         /* the TLS client must show one of: */
	struct slice_list client_ders;             /* the same in DER, in the same order, where revocation is asked for */
	struct slice_list client_certificates;     /* SHA-256 of the DER, hex; valid by from/until now */
	struct slice auth_user, auth_password;     /* HTTP basic authentication; absent: none asked for */
};
extern const struct record_table directory_as2_table;

struct directory_ssh_key {
	struct slice type; /* "ssh-ed25519" */
	struct slice blob; /* the decoded public key, as on the wire (RFC 4253 section 6.6) */
	van_time from, until; /* 0: no limit */
};
extern const struct record_table directory_ssh_key_table;

/* The answer for one SFTP user name. */
struct directory_sftp {
	struct slice user, partner, connection;
	uint64_t version;
	bool enabled;
	struct record_list keys;   /* struct directory_ssh_key */
	struct slice password;     /* crypt(3) or $argon2 hash; absent: no password log-in */
	struct slice folder_in, folder_out; /* absolute, no trailing slash: "/in" */
	uint32_t taken;            /* enum profile_taken */
	struct slice file_name;    /* pattern */
	uint64_t max_message;
	uint32_t login;                 /* enum profile_login */
	struct record_list authorities; /* struct directory_ssh_key */
	struct slice_list principals, addresses;
	uint64_t sessions, bandwidth, storage, files, uploads; /* 0: no limit */
	struct slice_list in_subfolders, out_subfolders; /* those of agreements too */
	struct slice_list accept, temporary;
};
extern const struct record_table directory_sftp_table;

/* What a document is that is no EDI, and between whom. */
struct directory_document {
	bool found;
	uint32_t format;         /* enum profile_document_format */
	struct slice sheet;
	uint64_t sheet_pin;      /* its version; PROFILE_MAP_ACTIVE */
	struct slice from, to;   /* canonical identities; absent: the document says */
	struct slice otherwise;  /* the sender where it does not */
	struct slice type;       /* of any; absent: none */
	bool test;
};
extern const struct record_table directory_document_table;

/* What interchanges look like that are written for the receiver. */
struct directory_output {
	struct slice standard;           /* "x12", "edifact" */
	struct slice version;            /* absent: as the document has it, or the map */
	struct slice from, to;           /* canonical identities of that standard; absent: there are none */
	struct slice syntax, application, group_from, group_to; /* absent: not named */
	struct slice delimiters;         /* directory_delimiters() of it; absent: the usual ones */
	bool una, ack_requested;
	uint32_t split;                  /* enum profile_split */
	uint64_t max_messages, max_size; /* 0: any */
	bool batch;
	uint64_t batch_time, batch_messages, batch_size; /* microseconds, bytes */
	uint64_t acknowledged_within;    /* microseconds; 0: no deadline */
	bool repair;                     /* values of texts without a place in the syntax are put right */
};
extern const struct record_table directory_output_table;

/* Six bytes: element, component, repetition, release, terminator (0: the usual one), and whether lines are ended. */
#define DIRECTORY_DELIMITERS 6

/* Where a document goes, and under which terms. */
struct directory_route {
	uint32_t outcome;        /* enum agreement_outcome */
	struct slice reason;     /* one line for people, when it is not routed */
	struct slice agreement;  /* id */
	uint64_t agreement_version;
	struct slice from_party; /* partner or station id of the sender; absent: unknown */
	struct slice to_party;   /* partner or station id of the receiver */
	bool from_station, to_station; /* that party is a station of ours */
	struct slice connection; /* where to deliver; absent for a station of ours without one */
	uint32_t protocol;       /* enum profile_protocol of it */
	bool connection_enabled;
	uint32_t environment;    /* enum profile_environment */
	uint32_t mode;           /* enum profile_mode */
	struct slice format, map, map_version; /* output */
	uint32_t acknowledged_by; /* enum profile_acknowledged_by */
	struct slice ack_kind;   /* "997", "999", "CONTRL", "TA1"; absent: none named */
	uint64_t ack_within;     /* microseconds until overdue; 0: no deadline */
	uint32_t duplicate_control; /* enum profile_duplicate */
	uint64_t duplicate_window;  /* microseconds */
	struct slice time_zone;  /* tz name */
	bool hold;               /* accept and queue, deliver later */
	/* how it is judged: see struct profile_validation */
	uint32_t policy, elements, counts, codes, unknown, rejects;
	struct slice_list guides;
	uint32_t ack_ta1;        /* enum profile_ta1 */
	bool ack_accepted;       /* ours names accepted messages, too */
	struct slice ack_delimiters; /* as in directory_output */
	struct directory_output *output; /* NULL: no EDI is written */
	struct slice_list rules; /* sheets of business rules; with them: */
	uint32_t rules_rest;     /* enum profile_rest */
	uint32_t rules_answer;   /* enum profile_rule_answer */
	uint64_t map_pin;        /* version of the map's sheet; PROFILE_MAP_ACTIVE */
	struct slice sheet;      /* output: the flat sheet of CSV; absent: the only one */
};
extern const struct record_table directory_route_table;

/* --- the index ---------------------------------------------------------------------------------------------------- */

struct directory;

struct directory *directory_new(void); /* NULL when out of memory */
void directory_free(struct directory *d);

/* Takes the profile over, also on failure; it replaces one of the same kind and id. 0 or VAN_ENOMEM. */
int directory_put(struct directory *d, struct profile *p);
/* 0 or VAN_ENOTFOUND. */
int directory_remove(struct directory *d, enum profile_kind kind, struct slice id);
/* NULL when there is none. */
const struct profile *directory_get(const struct directory *d, enum profile_kind kind, struct slice id);
/* Calls fn for each profile of that kind in the order of ids, until fn returns non-zero; returns that, or 0. */
int directory_each(const struct directory *d, enum profile_kind kind, int (*fn)(void *arg, const struct profile *p), void *arg);

/* Always answers (see enum directory_match); 0 or VAN_ENOMEM. */
int directory_find_as2(const struct directory *d, struct slice as2_to, struct slice as2_from, van_time now,
		       struct van_arena *arena, struct directory_as2 *ret);
/* By connection id, for sending. 0, VAN_ENOTFOUND (no such AS2 connection) or VAN_ENOMEM. */
int directory_as2_connection(const struct directory *d, struct slice connection, van_time now, struct van_arena *arena,
			     struct directory_as2 *ret);
/* 0, VAN_ENOTFOUND or VAN_ENOMEM. */
int directory_find_sftp(const struct directory *d, struct slice user, struct van_arena *arena, struct directory_sftp *ret);

/* By the connection's rules: what is a file of this name and Content-Type (either may be absent) that is no EDI? Always answers; 0 or
 * VAN_ENOMEM. */
int directory_find_document(const struct directory *d, struct slice connection, struct slice file_name, struct slice content_type, van_time now,
			    struct van_arena *arena, struct directory_document *ret);

/* Whose identity is it at that time? `identity` is canonical text (identity.h). NULL: nobody's. */
const struct profile *directory_owner(const struct directory *d, struct slice identity, van_time now);

/* A connection by id; *ret_partner (may be NULL) is its partner. NULL when there is none. */
const struct profile_connection *directory_connection(const struct directory *d, struct slice id,
						      const struct profile **ret_partner);

/* May this connection present `identity` as sender (or collect for it)? False for an unknown connection. */
bool directory_may_present(const struct directory *d, struct slice connection, struct slice identity, van_time now);
bool directory_may_collect(const struct directory *d, struct slice connection, struct slice identity, van_time now);

/* Resolves the agreement and the receiver's connection, which is also there where no agreement is. Always answers (see
 * ret->outcome); `explain` may be NULL. 0 or VAN_ENOMEM. */
int directory_find_route(const struct directory *d, const struct agreement_query *q, struct van_arena *arena,
			 struct directory_route *ret, struct agreement_explanation *explain);

/* --- checks when profiles are applied --------------------------------------------------------------------------------- */

/* What the set must fulfil together with what the directory holds (the set's profiles replace those of the same kind and
 * id): references exist; identities, connection ids, AS2 pairs and SFTP users belong to one; no two agreements tie.
 * `map_known` (may be NULL) tells whether a map of that name exists; an unknown one is a warning.
 * `d` may be NULL: the set must stand alone. 0 when there are no errors, VAN_EINVAL with `errors` filled, VAN_ENOMEM. */
int directory_check(const struct directory *d, const struct profile_set *set,
		    bool (*map_known)(void *arg, struct slice name), void *arg, struct profile_errors *errors);

/* The same within the set alone, where what it refers to may be stored already: for vanctl, which knows files and lines
 * but not the store. */
int directory_check_set(const struct profile_set *set, struct profile_errors *errors);

/* May this profile be removed: does anything refer to it? 0 or VAN_ESTATE with `errors` saying what. */
int directory_check_remove(const struct directory *d, enum profile_kind kind, struct slice id, struct profile_errors *errors);

#endif
