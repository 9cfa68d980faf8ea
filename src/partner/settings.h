/* vand.yaml as a struct: read by the supervisor and vanctl, handed to roles as JSON. All paths are absolute.
 * The table of keys, with defaults and help, stands in settings.c; vand.yaml(5) describes them. */
#ifndef OPENVAN_PARTNER_SETTINGS_H
#define OPENVAN_PARTNER_SETTINGS_H

#include "base/arena.h"
#include "base/clock.h"
#include "base/record.h"
#include "partner/problems.h"

enum van_tls_client { VAN_TLS_CLIENT_NONE, VAN_TLS_CLIENT_OPTIONAL, VAN_TLS_CLIENT_REQUIRED };

struct van_config_tls_pair {
	struct slice certificate, key;
	struct slice ocsp; /* path of the OCSP response to show with it; absent: none */
};

struct van_config_tls {
	struct slice certificate, key; /* paths of PEM files; the certificate file holds the chain */
	uint32_t client;               /* enum van_tls_client */
	struct slice ocsp;             /* path of the OCSP response to show with it; absent: none */
	struct slice client_ca;        /* path; absent: none */
	struct slice client_crl;       /* path; absent: none */
	struct record_list sni;        /* struct van_config_tls_pair: for clients that ask for a name in them */
};

/* One listener; `tls` is for as2 and admin, `host_keys` for sftp. */
struct van_config_listener {
	struct slice address; /* numeric IPv4 or IPv6 */
	uint64_t port;
	struct van_config_tls *tls;  /* NULL: plain */
	struct slice_list host_keys; /* paths */
	struct slice_list proxies;   /* sftp: networks whose connections begin with a PROXY header */
	struct slice_list legacy;    /* sftp: old algorithms that are offered, too */
};

struct van_config_limits {
	uint64_t message;     /* bytes of one message; UINT64_MAX: no limit */
	uint64_t in_flight;   /* bytes being received at one time */
	uint64_t in_flight_messages;
	uint64_t disk_reserve; /* bytes that stay free on the data folder's file system */
	uint64_t connections, connections_per_address;
	uint64_t sftp_sessions;
	uint64_t sftp_folder_entries; /* most files that one folder listing shows */
	uint64_t memory_http, memory_deliver, memory_sftp; /* address-space bounds, bytes; the last of each session */
	uint64_t memory_worker;       /* address-space bound of a worker, bytes */
};

struct van_config_http {
	van_time header_timeout; /* whole request head */
	van_time body_timeout;   /* without a byte of body */
	uint64_t body_rate;      /* bytes a second that a body must reach on average, after body_timeout */
	van_time idle_timeout;   /* kept-alive connection without a request */
	uint64_t header_size;    /* bytes */
};

/* What is kept of messages whose connection broke. */
struct van_config_restart {
	uint64_t size;        /* bytes, all together */
	uint64_t count;       /* 0: nothing is kept */
	uint64_t per_partner; /* of one pair of AS2 names */
	van_time age;
};

struct van_config_as2 {
	struct slice path;          /* "/as2" */
	van_time receive_timeout;   /* a worker is killed when one message takes longer without progress */
	van_time duplicate_window;  /* how long (pair, Message-ID) is remembered; 0: for ever */
	struct van_config_restart restart;
	struct slice_list crls;     /* paths of revocation lists */
};

struct van_config_sftp {
	van_time login_timeout, idle_timeout;
	uint64_t login_tries;
	uint64_t handles; /* open files and folders of one session */
	uint64_t channels; /* of one session, at once */
	bool passwords; /* password log-in allowed at all */
	van_time session_timeout;  /* longest session; 0: no limit */
	uint64_t failures;         /* of one name at one address that lead to a ban; 0: never */
	van_time failures_within, ban_for;
	bool ban_addresses;        /* also ban addresses that try unknown names */
	van_time failure_delay;    /* before the first failure is answered; longer for each further one */
	van_time keep_unfinished;  /* how long broken uploads and staged files are kept */
};

struct van_config_deliver {
	uint64_t in_flight;          /* tries under way at one time */
	uint64_t in_flight_per_connection; /* of them, over one connection */
	van_time connect_timeout;    /* until the connection stands, TLS included */
	van_time idle_timeout;       /* without a byte in either direction while the body goes out */
	uint64_t answer_size;        /* bytes: a longer answer ends the try */
};

struct van_config_store {
	uint32_t backend;  /* 0: lmdb */
	uint64_t map_size; /* bytes at start; grows by itself */
	uint64_t map_growth; /* bytes at least, each time */
	van_time gather;   /* longest time requests wait for others before a flush */
	van_time settle;   /* longest time commits stand in the log alone */
	uint64_t settle_bytes;
	van_time keep_log; /* how long the log of commits is kept; 0: for ever */
	van_time backup_patience; /* a backup whose target takes nothing for so long is given up */
};

struct van_config_receipts {
	struct slice key;         /* path of the Ed25519 private key (PEM); vand makes it when it is missing */
	van_time checkpoint;      /* a new signed tree head at least this often while the log grows */
};

struct van_config_log {
	uint32_t format; /* enum log_format */
	uint32_t level;  /* enum log_level */
};

/* Bounds of translation, of one document, file or worker. */
struct van_config_translation {
	uint64_t message;         /* bytes of one message that is translated */
	uint64_t result;          /* bytes of one document that it becomes, where that is no EDI */
	uint64_t document_values, document_memory, document_steps; /* map_options */
	uint64_t file, file_values, file_memory; /* bytes of one without EDI; values and bytes of its documents */
	uint64_t shares;          /* pairs of sender and receiver of such a file */
	uint64_t tables;          /* bytes of all tables, as compiled */
	uint64_t remember;        /* bytes for each sheet and way: map_set_remember() */
};

struct van_config {
	struct {
		struct slice name, host;
	} network;
	struct slice data;      /* path */
	struct slice time_zone; /* tz name */
	struct slice user, key_user; /* names; absent: see vand.yaml(5) */
	uint64_t workers;       /* 0: auto, by the number of cores */
	struct {
		struct record_list as2, sftp, admin; /* struct van_config_listener */
	} listen;
	struct van_config_limits limits;
	struct van_config_store store;
	struct van_config_receipts receipts;
	struct van_config_log log;
	struct van_config_as2 as2;
	struct van_config_http http;
	struct van_config_sftp sftp;
	struct van_config_deliver deliver;
	struct van_config_translation translation;
	struct slice_list dictionaries, maps, templates; /* further folders, searched before the installed ones */
	struct slice_list guides; /* folders of guides */

	struct van_arena *arena; /* owns everything above */
	struct slice file;       /* absolute path it came from; absent for JSON */
	const struct schema_node *source; /* for line numbers in messages; NULL for JSON */
};

/* Reads and checks the file (syntax and values; not whether the files it names exist: see van_config_check_files).
 * 0, VAN_ENOTFOUND/VAN_EIO/VAN_EDENIED (the file can't be read), VAN_EINVAL or VAN_ENOMEM; `errors` says why. */
int van_config_load(const char *path, struct van_config **ret, struct profile_errors *errors);

/* Do the certificate, key and host key files exist, do certificates parse? Private keys are not read, only looked for.
 * A missing receipts key is fine. 0 or VAN_EINVAL with `errors`. */
int van_config_check_files(const struct van_config *c, struct profile_errors *errors);

int van_config_to_json(const struct van_config *c, struct van_buf *to);
/* 0, VAN_EINVAL with `errors` (may be NULL) or VAN_ENOMEM. */
int van_config_from_json(struct slice json, struct van_config **ret, struct profile_errors *errors);

void van_config_free(struct van_config *c); /* NULL is fine */

#endif
