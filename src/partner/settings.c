/* vand.yaml: its keys, reading and checking. */
#include "partner/settings.h"

#include "base/error.h"
#include "base/legacy.h"
#include "base/log.h"
#include "partner/profile_private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define FILE_MAX ((size_t)1 << 20)
#define SECOND UINT64_C(1000000)
#define DAY (86400 * SECOND)

static const char *const tls_client_names[] = {"none", "optional", "required", NULL};
static const char *const backend_names[] = {"lmdb", NULL};
static const char *const log_format_names[] = {"kv", "json", NULL};
static const char *const log_level_names[] = {"debug", "info", "warning", "error", NULL};

#define AT(type_, member_) .offset = offsetof(struct type_, member_)

static const struct schema_field network_fields[] = {
	{.key = "name", .kind = SCHEMA_TEXT, AT(van_config, network.name), .fallback = "OpenVAN", .help = "name of the network, for people"},
	{.key = "host", .kind = SCHEMA_TEXT, .flags = SCHEMA_REQUIRED, AT(van_config, network.host), .check = profile_check_host,
	 .help = "host name in Message-IDs, and the receipt log's origin"},
	{.key = NULL},
};
/* Its offsets count from the whole config, so the section is read into the config itself. */
static const struct schema_table network_table = {
	.name = "network", .size = sizeof(struct van_config), .fields = network_fields, .help = "The network's names.",
};

static const struct schema_field tls_pair_fields[] = {
	{.key = "certificate", .kind = SCHEMA_PATH, .flags = SCHEMA_REQUIRED, AT(van_config_tls_pair, certificate), .help = "PEM file with the certificate and its chain"},
	{.key = "key", .kind = SCHEMA_PATH, .flags = SCHEMA_REQUIRED, AT(van_config_tls_pair, key), .help = "PEM file of its private key"},
	{.key = "ocsp", .kind = SCHEMA_PATH, AT(van_config_tls_pair, ocsp), .help = "DER file of an OCSP response, shown to clients that ask for it"},
	{.key = NULL},
};
static const struct schema_table tls_pair_table = {
	.name = "TLS key pair", .size = sizeof(struct van_config_tls_pair), .fields = tls_pair_fields, .help = "A further certificate of a listener.",
};

static const struct schema_field tls_fields[] = {
	{.key = "certificate", .kind = SCHEMA_PATH, .flags = SCHEMA_REQUIRED, AT(van_config_tls, certificate), .help = "PEM file with the certificate and its chain"},
	{.key = "key", .kind = SCHEMA_PATH, .flags = SCHEMA_REQUIRED, AT(van_config_tls, key), .help = "PEM file of its private key"},
	{.key = "ocsp", .kind = SCHEMA_PATH, AT(van_config_tls, ocsp), .help = "DER file of an OCSP response, shown to clients that ask for it; read again on SIGHUP"},
	{.key = "client", .kind = SCHEMA_ENUM, AT(van_config_tls, client), .names = tls_client_names, .fallback = "none",
	 .help = "whether clients are asked for a certificate"},
	{.key = "client_ca", .kind = SCHEMA_PATH, AT(van_config_tls, client_ca), .help = "PEM file of the authorities that client certificates must come from"},
	{.key = "client_crl", .kind = SCHEMA_PATH, AT(van_config_tls, client_crl),
	 .help = "PEM file of revocation lists of those authorities: what stands in them is refused; read again on SIGHUP"},
	{.key = "sni", .kind = SCHEMA_MANY, AT(van_config_tls, sni), .sub = &tls_pair_table,
	 .help = "further certificates, for clients that ask for a name that is in them"},
	{.key = NULL},
};
static int tls_finish(struct schema_reader *r, const struct schema_node *at, void *object)
{
	const struct van_config_tls *t = object;
	if (t->client_crl.p && !t->client_ca.p)
		schema_problem(r, at, "client_crl", false, "needs client_ca: the authorities whose lists these are");
	if (t->client == VAN_TLS_CLIENT_REQUIRED && !t->client_ca.p)
		schema_problem(r, at, NULL, false, "\"client: required\" needs client_ca: the authorities that client certificates come from");
	return 0;
}
static const struct schema_table tls_table = {
	.name = "tls", .size = sizeof(struct van_config_tls), .fields = tls_fields, .finish = tls_finish, .help = "TLS of a listener.",
};

#define ADDRESS {.key = "address", .kind = SCHEMA_TEXT, .flags = SCHEMA_REQUIRED, AT(van_config_listener, address), \
		 .check = profile_check_address, .help = "numeric address to listen on"}
#define PORT {.key = "port", .kind = SCHEMA_INTEGER, .flags = SCHEMA_REQUIRED, AT(van_config_listener, port), .max = 65535, \
	      .help = "TCP port; 0 lets the system choose, for tests"}
static const struct schema_field http_listener_fields[] = {
	ADDRESS, PORT,
	{.key = "tls", .kind = SCHEMA_ONE, AT(van_config_listener, tls), .sub = &tls_table, .help = "makes it HTTPS"},
	{.key = NULL},
};
static const struct schema_table http_listener_table = {
	.name = "HTTP listener", .size = sizeof(struct van_config_listener), .fields = http_listener_fields, .help = "Where AS2 or the console is served.",
};
static const char *check_legacy(struct slice s, bool *ret_warning)
{
	enum van_legacy_kind kind;
	(void)ret_warning;
	return van_legacy_find(s, &kind) ? NULL : "must be one of " VAN_LEGACY_NAMES;
}

static const struct schema_field sftp_listener_fields[] = {
	ADDRESS, PORT,
	{.key = "host_keys", .kind = SCHEMA_PATHS, .flags = SCHEMA_REQUIRED | SCHEMA_NOT_EMPTY, AT(van_config_listener, host_keys),
	 .help = "private host keys in OpenSSH's or PEM form, of different types"},
	{.key = "proxies", .kind = SCHEMA_TEXTS, AT(van_config_listener, proxies), .check = profile_check_network,
	 .help = "networks of load balancers that send the PROXY protocol (version 1 or 2): all of their connections must"},
	{.key = "legacy", .kind = SCHEMA_TEXTS, AT(van_config_listener, legacy), .check = check_legacy,
	 .help = "old algorithms that this listener offers, too, for clients that have no better ones: " VAN_LEGACY_NAMES},
	{.key = NULL},
};
static const struct schema_table sftp_listener_table = {
	.name = "SFTP listener", .size = sizeof(struct van_config_listener), .fields = sftp_listener_fields, .help = "Where SFTP is served.",
};
static const struct schema_field listen_fields[] = {
	{.key = "as2", .kind = SCHEMA_MANY, AT(van_config, listen.as2), .sub = &http_listener_table, .help = "AS2 over HTTP and HTTPS"},
	{.key = "sftp", .kind = SCHEMA_MANY, AT(van_config, listen.sftp), .sub = &sftp_listener_table, .help = "SFTP mailboxes"},
	{.key = "admin", .kind = SCHEMA_MANY, AT(van_config, listen.admin), .sub = &http_listener_table, .help = "API, console and metrics"},
	{.key = NULL},
};
static const struct schema_table listen_table = {
	.name = "listen", .size = sizeof(struct van_config), .fields = listen_fields, .help = "The listeners. Those not named don't exist.",
};

static const struct schema_field limits_fields[] = {
	{.key = "message", .kind = SCHEMA_SIZE, AT(van_config_limits, message), .fallback = "unlimited", .help = "largest message"},
	{.key = "in_flight", .kind = SCHEMA_SIZE, AT(van_config_limits, in_flight), .fallback = "2GiB", .help = "bytes being received at one time; past it 503 with Retry-After"},
	{.key = "in_flight_messages", .kind = SCHEMA_INTEGER, AT(van_config_limits, in_flight_messages), .fallback = "512", .min = 1, .max = 1000000,
	 .help = "messages being received at one time"},
	{.key = "disk_reserve", .kind = SCHEMA_SIZE, AT(van_config_limits, disk_reserve), .fallback = "1GiB", .help = "stays free on the data folder's disk; below it nothing is accepted"},
	{.key = "connections", .kind = SCHEMA_INTEGER, AT(van_config_limits, connections), .fallback = "4096", .min = 1, .max = 1000000, .help = "open HTTP connections"},
	{.key = "connections_per_address", .kind = SCHEMA_INTEGER, AT(van_config_limits, connections_per_address), .fallback = "64", .min = 1,
	 .max = 1000000, .help = "of one client address, HTTP and SFTP each"},
	{.key = "sftp_sessions", .kind = SCHEMA_INTEGER, AT(van_config_limits, sftp_sessions), .fallback = "256", .min = 1, .max = 100000, .help = "SFTP sessions at one time"},
	{.key = "sftp_folder_entries", .kind = SCHEMA_INTEGER, AT(van_config_limits, sftp_folder_entries), .fallback = "100000", .min = 1,
	 .max = 10000000, .help = "most files that one folder shows, in the order of their names"},
	{.key = "memory_http", .kind = SCHEMA_SIZE, AT(van_config_limits, memory_http), .fallback = "4GiB", .min = 256 << 20, .max = UINT64_MAX,
	 .help = "address space of the process that serves HTTP"},
	{.key = "memory_deliver", .kind = SCHEMA_SIZE, AT(van_config_limits, memory_deliver), .fallback = "4GiB", .min = 256 << 20, .max = UINT64_MAX,
	 .help = "address space of the process that sends AS2 messages; each SFTP transfer has 512 MiB"},
	{.key = "memory_sftp", .kind = SCHEMA_SIZE, AT(van_config_limits, memory_sftp), .fallback = "256MiB", .min = 128 << 20, .max = UINT64_MAX,
	 .help = "address space of each SFTP session, of which 64 MiB are taken from the start and 2 MiB by each upload"},
	{.key = "memory_worker", .kind = SCHEMA_SIZE, AT(van_config_limits, memory_worker), .fallback = "1GiB", .min = 64 << 20, .max = UINT64_MAX,
	 .help = "most memory of one worker process"},
	{.key = NULL},
};
static const struct schema_table limits_table = {
	.name = "limits", .size = sizeof(struct van_config_limits), .fields = limits_fields, .help = "What is refused rather than served badly.",
};

static const struct schema_field http_fields[] = {
	{.key = "header_timeout", .kind = SCHEMA_DURATION, AT(van_config_http, header_timeout), .fallback = "20s", .min = SECOND, .max = DAY, .help = "a request's headers must be whole by then"},
	{.key = "body_timeout", .kind = SCHEMA_DURATION, AT(van_config_http, body_timeout), .fallback = "60s", .min = SECOND, .max = DAY, .help = "longest pause within a body"},
	{.key = "body_rate", .kind = SCHEMA_SIZE, AT(van_config_http, body_rate), .fallback = "1KiB", .max = UINT64_C(1) << 40, .help = "bytes a second that a body must reach on average, not counting its first body_timeout; 0: any pace"},
	{.key = "idle_timeout", .kind = SCHEMA_DURATION, AT(van_config_http, idle_timeout), .fallback = "60s", .min = SECOND, .max = DAY, .help = "an idle connection is closed"},
	{.key = "header_size", .kind = SCHEMA_SIZE, AT(van_config_http, header_size), .fallback = "64KiB", .min = 1024, .max = 16 << 20, .help = "largest headers of a request; past it 431"},
	{.key = NULL},
};
static const struct schema_table http_table = {
	.name = "http", .size = sizeof(struct van_config_http), .fields = http_fields, .help = "Bounds on HTTP clients.",
};

static const struct schema_field restart_fields[] = {
	{.key = "size", .kind = SCHEMA_SIZE, AT(van_config_restart, size), .fallback = "16GiB", .help = "bytes kept, all together"},
	{.key = "count", .kind = SCHEMA_INTEGER, AT(van_config_restart, count), .fallback = "64", .max = 10000, .help = "messages kept; 0: none"},
	{.key = "per_partner", .kind = SCHEMA_INTEGER, AT(van_config_restart, per_partner), .fallback = "8", .min = 1, .max = 10000,
	 .help = "of one pair of AS2 names; the oldest goes for a new one"},
	{.key = "age", .kind = SCHEMA_DURATION, AT(van_config_restart, age), .fallback = "24h", .min = SECOND, .max = 365 * DAY, .help = "removed after so long"},
	{.key = NULL},
};
static const struct schema_table restart_table = {
	.name = "restart", .size = sizeof(struct van_config_restart), .fields = restart_fields,
	.help = "What is kept of messages whose connection broke, so that the sender can go on (AS2 Restart).",
};

static const struct schema_field as2_fields[] = {
	{.key = "path", .kind = SCHEMA_TEXT, AT(van_config_as2, path), .fallback = "/as2", .check = profile_check_url_path, .help = "where messages are posted; asynchronous MDNs go to `/mdn` below it"},
	{.key = "receive_timeout", .kind = SCHEMA_DURATION, AT(van_config_as2, receive_timeout), .fallback = "5m", .min = SECOND, .max = DAY, .help = "a worker without progress for so long is stopped"},
	{.key = "duplicate_window", .kind = SCHEMA_DURATION, AT(van_config_as2, duplicate_window), .fallback = "0", .max = 3650 * DAY,
	 .help = "how long a Message-ID is remembered: its repeat gets the stored MDN; 0: for ever"},
	{.key = "crls", .kind = SCHEMA_PATHS, AT(van_config_as2, crls),
	 .help = "PEM or DER files of revocation lists, for profiles with `check_revocation`; read again on SIGHUP"},
	{.key = "restart", .kind = SCHEMA_OBJECT, AT(van_config_as2, restart), .sub = &restart_table, .help = "AS2 Restart"},
	{.key = NULL},
};
static const struct schema_table as2_table = {
	.name = "as2", .size = sizeof(struct van_config_as2), .fields = as2_fields, .help = "AS2 in.",
};

static const struct schema_field sftp_fields[] = {
	{.key = "login_timeout", .kind = SCHEMA_DURATION, AT(van_config_sftp, login_timeout), .fallback = "30s", .min = SECOND, .max = DAY, .help = "log-in must be done by then"},
	{.key = "idle_timeout", .kind = SCHEMA_DURATION, AT(van_config_sftp, idle_timeout), .fallback = "15m", .min = SECOND, .max = 30 * DAY, .help = "an idle session is closed"},
	{.key = "login_tries", .kind = SCHEMA_INTEGER, AT(van_config_sftp, login_tries), .fallback = "6", .min = 1, .max = 100, .help = "tries in one connection"},
	{.key = "handles", .kind = SCHEMA_INTEGER, AT(van_config_sftp, handles), .fallback = "64", .min = 1, .max = 4096,
	 .help = "files and folders that one session may have open at one time; see `limits.memory_sftp`"},
	{.key = "channels", .kind = SCHEMA_INTEGER, AT(van_config_sftp, channels), .fallback = "10", .min = 1, .max = 1000,
	 .help = "conversations that a client may hold over one connection at one time"},
	{.key = "passwords", .kind = SCHEMA_BOOL, AT(van_config_sftp, passwords), .fallback = "true", .help = "`false`: keys only"},
	{.key = "session_timeout", .kind = SCHEMA_DURATION, AT(van_config_sftp, session_timeout), .fallback = "1d", .max = 365 * DAY,
	 .help = "a session ends after so long, busy or not; 0s: never"},
	{.key = "failures", .kind = SCHEMA_INTEGER, AT(van_config_sftp, failures), .fallback = "20", .max = 1000000,
	 .help = "so many failed log-ins of one user name from one address lead to a ban of that pair; 0: never"},
	{.key = "failures_within", .kind = SCHEMA_DURATION, AT(van_config_sftp, failures_within), .fallback = "10m", .min = SECOND, .max = 30 * DAY,
	 .help = "failures further apart are not counted together"},
	{.key = "ban_for", .kind = SCHEMA_DURATION, AT(van_config_sftp, ban_for), .fallback = "1h", .min = SECOND, .max = 3650 * DAY, .help = "how long such a ban lasts"},
	{.key = "ban_addresses", .kind = SCHEMA_BOOL, AT(van_config_sftp, ban_addresses), .fallback = "true",
	 .help = "an address that fails five times as often with unknown names is banned as a whole, unless somebody logged in from it within 30 days or it is a proxy"},
	{.key = "failure_delay", .kind = SCHEMA_DURATION, AT(van_config_sftp, failure_delay), .fallback = "500ms", .max = 60 * SECOND,
	 .help = "a failed log-in is answered so much later, the second twice as much, up to ten times"},
	{.key = "keep_unfinished", .kind = SCHEMA_DURATION, AT(van_config_sftp, keep_unfinished), .fallback = "7d", .min = SECOND, .max = 3650 * DAY,
	 .help = "uploads that broke off, and those under temporary names, are deleted when they are older"},
	{.key = NULL},
};
static const struct schema_table sftp_table = {
	.name = "sftp", .size = sizeof(struct van_config_sftp), .fields = sftp_fields, .help = "Bounds on SFTP clients.",
};

static const struct schema_field deliver_fields[] = {
	{.key = "in_flight", .kind = SCHEMA_INTEGER, AT(van_config_deliver, in_flight), .fallback = "64", .min = 1, .max = 10000, .help = "deliveries under way at one time"},
	{.key = "in_flight_per_connection", .kind = SCHEMA_INTEGER, AT(van_config_deliver, in_flight_per_connection), .fallback = "8", .min = 1, .max = 1000,
	 .help = "of them, over one connection of a partner. Two until the partner answers, then more with each answer: one that is down does not take the others' places"},
	{.key = "connect_timeout", .kind = SCHEMA_DURATION, AT(van_config_deliver, connect_timeout), .fallback = "30s", .min = SECOND / 10, .max = DAY, .help = "a connection must stand by then, TLS included"},
	{.key = "idle_timeout", .kind = SCHEMA_DURATION, AT(van_config_deliver, idle_timeout), .fallback = "60s", .min = SECOND, .max = DAY, .help = "longest pause while a message is being sent; for the answer see `mdn.timeout` of profiles"},
	{.key = "answer_size", .kind = SCHEMA_SIZE, AT(van_config_deliver, answer_size), .fallback = "1MiB", .min = 1024, .max = 1 << 20, .help = "largest answer (MDN) that is read"},
	{.key = NULL},
};
static const struct schema_table deliver_table = {
	.name = "deliver", .size = sizeof(struct van_config_deliver), .fields = deliver_fields, .help = "Sending to partners.",
};

static const struct schema_field translation_fields[] = {
	{.key = "message", .kind = SCHEMA_SIZE, AT(van_config_translation, message), .fallback = "256MiB", .min = 1 << 20, .max = UINT64_C(4) << 30,
	 .help = "largest message of an interchange that is translated"},
	{.key = "result", .kind = SCHEMA_SIZE, AT(van_config_translation, result), .fallback = "256MiB", .min = 1 << 20, .max = UINT64_C(4) << 30,
	 .help = "largest document that is written as CSV, UBL or JSON, or interchange as a form"},
	{.key = "document_values", .kind = SCHEMA_INTEGER, AT(van_config_translation, document_values), .fallback = "1000000", .min = 1000, .max = 1000000000,
	 .help = "values of one canonical document"},
	{.key = "document_memory", .kind = SCHEMA_SIZE, AT(van_config_translation, document_memory), .fallback = "256MiB", .min = 1 << 20, .max = UINT64_C(1) << 40,
	 .help = "memory for the translation of one document; see `limits.memory_worker`"},
	{.key = "document_steps", .kind = SCHEMA_INTEGER, AT(van_config_translation, document_steps), .fallback = "10000000", .min = 10000, .max = 1000000000000,
	 .help = "rows and segments looked at, and steps of expressions, for one document"},
	{.key = "file", .kind = SCHEMA_SIZE, AT(van_config_translation, file), .fallback = "64MiB", .min = 1024, .max = UINT64_C(4) << 30,
	 .help = "largest CSV, UBL or JSON file that is read; it is read as a whole"},
	{.key = "file_values", .kind = SCHEMA_INTEGER, AT(van_config_translation, file_values), .fallback = "1000000", .min = 1000, .max = 1000000000,
	 .help = "values of all documents of such a file"},
	{.key = "file_memory", .kind = SCHEMA_SIZE, AT(van_config_translation, file_memory), .fallback = "256MiB", .min = 1 << 20, .max = UINT64_C(1) << 40,
	 .help = "memory for all documents of such a file; see `limits.memory_worker`"},
	{.key = "shares", .kind = SCHEMA_INTEGER, AT(van_config_translation, shares), .fallback = "1000", .min = 1, .max = 100000,
	 .help = "pairs of sender and receiver between which such a file has documents"},
	{.key = "tables", .kind = SCHEMA_SIZE, AT(van_config_translation, tables), .fallback = "512MiB", .min = 1 << 20, .max = UINT64_C(1) << 40,
	 .help = "memory of each worker for all tables together; see `limits.memory_worker`"},
	{.key = "remember", .kind = SCHEMA_SIZE, AT(van_config_translation, remember), .fallback = "512KiB", .max = UINT64_C(1) << 30,
	 .help = "memory of each worker, for each sheet and way, in which it keeps what rows had to do, for documents that are alike; 96 KiB come to it on the way out. 0: nothing is kept, and documents take longer"},
	{.key = NULL},
};
static const struct schema_table translation_table = {
	.name = "translation", .size = sizeof(struct van_config_translation), .fields = translation_fields,
	.help = "Bounds of translation: what is past them goes to quarantine, and its error says so.",
};

static const struct schema_field store_fields[] = {
	{.key = "backend", .kind = SCHEMA_ENUM, AT(van_config_store, backend), .names = backend_names, .fallback = "lmdb", .help = "kind of store"},
	{.key = "map_size", .kind = SCHEMA_SIZE, AT(van_config_store, map_size), .fallback = "64GiB", .min = 1 << 20, .max = UINT64_C(1) << 46,
	 .help = "size of the memory map at start; grows by itself"},
	{.key = "map_growth", .kind = SCHEMA_SIZE, AT(van_config_store, map_growth), .fallback = "1GiB", .min = 1 << 20, .max = UINT64_C(1) << 40,
	 .help = "what the map grows by, at least; a start takes so much more than there is"},
	{.key = "gather", .kind = SCHEMA_DURATION, AT(van_config_store, gather), .fallback = "5ms", .max = SECOND, .help = "longest that a commit waits for company under load"},
	{.key = "settle", .kind = SCHEMA_DURATION, AT(van_config_store, settle), .fallback = "200ms", .min = 1000, .max = 60 * SECOND,
	 .help = "longest that commits stand in the log alone, before the database gets them all at once; a start after a crash repeats them"},
	{.key = "settle_bytes", .kind = SCHEMA_SIZE, AT(van_config_store, settle_bytes), .fallback = "16MiB", .min = 4096, .max = 1 << 30,
	 .help = "most that stands in the log alone"},
	{.key = "keep_log", .kind = SCHEMA_DURATION, AT(van_config_store, keep_log), .fallback = "30d", .max = 36500 * DAY,
	 .help = "how long the log can bring an older database up to date, such as a backup's; then its room is given back, and bodies stay; 0: for ever"},
	{.key = "backup_patience", .kind = SCHEMA_DURATION, AT(van_config_store, backup_patience), .fallback = "10m", .min = SECOND, .max = DAY,
	 .help = "a backup whose target takes nothing for so long is given up: while one is made the database can't use again what becomes free in it"},
	{.key = NULL},
};
static const struct schema_table store_table = {
	.name = "store", .size = sizeof(struct van_config_store), .fields = store_fields, .help = "Where messages and profiles are kept.",
};

static const struct schema_field receipts_fields[] = {
	{.key = "key", .kind = SCHEMA_PATH, AT(van_config_receipts, key), .help = "PEM file of the Ed25519 key that signs the log, made at the first start; default: `receipts.key` in the data folder"},
	{.key = "checkpoint", .kind = SCHEMA_DURATION, AT(van_config_receipts, checkpoint), .fallback = "10s", .min = SECOND / 10, .max = DAY, .help = "while the log grows, it is signed at least so often"},
	{.key = NULL},
};
static const struct schema_table receipts_table = {
	.name = "receipts", .size = sizeof(struct van_config_receipts), .fields = receipts_fields, .help = "The receipt log.",
};

static const struct schema_field log_fields[] = {
	{.key = "format", .kind = SCHEMA_ENUM, AT(van_config_log, format), .names = log_format_names, .fallback = "kv", .help = "key=value or JSON, one line for one event"},
	{.key = "level", .kind = SCHEMA_ENUM, AT(van_config_log, level), .names = log_level_names, .fallback = "info", .help = "least level that is written"},
	{.key = NULL},
};
static const struct schema_table log_table = {
	.name = "log", .size = sizeof(struct van_config_log), .fields = log_fields, .help = "Log events on standard error.",
};

static int settings_finish(struct schema_reader *r, const struct schema_node *at, void *object);

static const struct schema_field settings_fields[] = {
	{.key = "network", .kind = SCHEMA_OBJECT, .flags = SCHEMA_REQUIRED, .sub = &network_table, .help = "write network: {name: NAME, host: HOST}"},
	{.key = "data", .kind = SCHEMA_PATH, AT(van_config, data), .fallback = "data", .help = "folder of all state, mode 0700"},
	{.key = "time_zone", .kind = SCHEMA_TEXT, AT(van_config, time_zone), .fallback = "UTC", .check = profile_check_time_zone, .help = "of envelope times and file names, where the agreement names none"},
	{.key = "user", .kind = SCHEMA_TEXT, AT(van_config, user), .fallback = "openvan", .check = profile_check_user, .help = "user of the roles; ignored when not started as root"},
	{.key = "key_user", .kind = SCHEMA_TEXT, AT(van_config, key_user), .fallback = "openvan-key", .check = profile_check_user, .help = "user of keyd; ignored when not started as root"},
	{.key = "workers", .kind = SCHEMA_INTEGER, AT(van_config, workers), .fallback = "auto", .word = "auto", .min = 1, .max = 1024, .help = "processes that parse what arrives; auto: by the number of processors"},
	{.key = "listen", .kind = SCHEMA_OBJECT, .sub = &listen_table, .help = "listeners"},
	{.key = "limits", .kind = SCHEMA_OBJECT, AT(van_config, limits), .sub = &limits_table, .help = "bounds"},
	{.key = "store", .kind = SCHEMA_OBJECT, AT(van_config, store), .sub = &store_table, .help = "the store"},
	{.key = "receipts", .kind = SCHEMA_OBJECT, AT(van_config, receipts), .sub = &receipts_table, .help = "the receipt log"},
	{.key = "log", .kind = SCHEMA_OBJECT, AT(van_config, log), .sub = &log_table, .help = "log events"},
	{.key = "as2", .kind = SCHEMA_OBJECT, AT(van_config, as2), .sub = &as2_table, .help = "AS2 in"},
	{.key = "http", .kind = SCHEMA_OBJECT, AT(van_config, http), .sub = &http_table, .help = "bounds on HTTP clients"},
	{.key = "deliver", .kind = SCHEMA_OBJECT, AT(van_config, deliver), .sub = &deliver_table, .help = "sending to partners"},
	{.key = "translation", .kind = SCHEMA_OBJECT, AT(van_config, translation), .sub = &translation_table, .help = "bounds of translation"},
	{.key = "sftp", .kind = SCHEMA_OBJECT, AT(van_config, sftp), .sub = &sftp_table, .help = "bounds on SFTP clients"},
	{.key = "dictionaries", .kind = SCHEMA_PATHS, AT(van_config, dictionaries), .help = "further folders of EDI dictionaries, looked in before the installed ones"},
	{.key = "maps", .kind = SCHEMA_PATHS, AT(van_config, maps), .help = "further folders of maps"},
	{.key = "guides", .kind = SCHEMA_PATHS, AT(van_config, guides), .help = "folders of guides (doc/edi-guides.md), which agreements name"},
	{.key = "templates", .kind = SCHEMA_PATHS, AT(van_config, templates), .help = "further folders of partner templates"},
	{.key = NULL},
};
const struct schema_table settings_table = {
	.name = "vand.yaml", .size = sizeof(struct van_config), .fields = settings_fields, .finish = settings_finish,
	.help = "The configuration of one installation.",
};

static void check_same_port(struct schema_reader *r, const struct schema_node *at, const struct van_config *c)
{
	const struct record_list *lists[] = {&c->listen.as2, &c->listen.sftp, &c->listen.admin};
	const struct van_config_listener *seen[96];
	size_t n = 0;
	for (size_t l = 0; l < 3; l++)
		for (size_t i = 0; i < lists[l]->n && n < 96; i++) {
			const struct van_config_listener *x = RECORD_AT(*lists[l], struct van_config_listener, i);
			for (size_t j = 0; j < n; j++)
				if (x->port && seen[j]->port == x->port && slice_eq(seen[j]->address, x->address))
					schema_problem(r, at, "listen", false, "two listeners on %.*s port %u: change one",
						       SLICE_ARG(x->address), (unsigned)x->port);
			seen[n++] = x;
		}
}

static int settings_finish(struct schema_reader *r, const struct schema_node *at, void *object)
{
	struct van_config *c = object;
	if (!c->receipts.key.p) {
		c->receipts.key = van_arena_printf(r->arena, "%.*s/receipts.key", SLICE_ARG(c->data));
		if (!c->receipts.key.p)
			return VAN_ENOMEM;
	}
	if (!c->listen.as2.n && !c->listen.sftp.n && !c->listen.admin.n)
		schema_problem(r, at, "listen", true, "no listener: nobody can reach this network");
	check_same_port(r, at, c);
	profile_time_zone_look_up(r, at, c->time_zone);
	return 0;
}

void van_config_free(struct van_config *c)
{
	if (c)
		van_arena_free(c->arena); /* c itself lies in it */
}

static int read_config(struct schema_reader *r, const struct schema_node *n, struct van_config **ret)
{
	struct van_config *c = van_arena_alloc(r->arena, sizeof *c);
	if (!c)
		return VAN_ENOMEM;
	c->arena = r->arena;
	int rc = schema_read(r, &settings_table, n, c);
	if (rc == 0)
		*ret = c;
	return rc;
}

static int load_text(struct schema_reader *r, struct slice text, struct van_config **ret)
{
	struct schema_node *n, *more;
	struct schema_yaml *y = schema_yaml_new(text, r->file, (struct schema_bounds){FILE_MAX, 16, 20000});
	int rc = y ? schema_yaml_next(y, r->arena, r->errors, &n) : VAN_ENOMEM;
	if (rc == 0)
		profile_errors_add(r->errors, false, r->file, 1, "", "the file is empty: see vand.yaml(5), or make one with \"vanctl init\"");
	if (rc == 1) {
		rc = read_config(r, n, ret);
		if (rc == 0 && schema_yaml_next(y, r->arena, r->errors, &more) != 0) {
			profile_errors_add(r->errors, false, r->file, 0, "", "must be one document: profiles are applied with \"vanctl partner apply\"");
			rc = VAN_EINVAL;
		}
		if (rc == 0)
			(*ret)->source = n;
	} else if (rc != VAN_ENOMEM) {
		rc = VAN_EINVAL;
	}
	schema_yaml_free(y);
	return rc;
}

int van_config_load(const char *path, struct van_config **ret, struct profile_errors *errors)
{
	struct van_buf text;
	struct van_config *c = NULL;
	struct schema_reader r = {.arena = van_arena_new(0), .errors = errors, .file = path};
	char *real = realpath(path, NULL);
	int rc = r.arena ? 0 : VAN_ENOMEM;
	if (rc == 0 && !real)
		rc = van_err_from_errno(errno);
	if (rc < 0 && rc != VAN_ENOMEM)
		profile_errors_add(errors, false, path, 0, "", "can't read the configuration: %s: give its place with -c FILE, or make one with "
							       "\"vanctl init\"", strerror(errno));
	if (rc == 0)
		rc = profile_read_file(&r, NULL, NULL, slice_str(real), FILE_MAX, &text);
	if (rc == 0) {
		/* The folder of the path as given, not of what it links to. */
		r.folder = profile_folder_of(r.arena, path);
		rc = r.folder.p ? load_text(&r, van_buf_slice(&text), &c) : VAN_ENOMEM;
		van_buf_free(&text);
	}
	if (rc == 0)
		c->file = van_arena_slice(r.arena, slice_str(real));
	free(real);
	if (rc < 0)
		van_arena_free(r.arena);
	else
		*ret = c;
	return rc;
}

int van_config_to_json(const struct van_config *c, struct van_buf *to)
{
	return schema_to_json(&settings_table, c, to);
}

int van_config_from_json(struct slice json, struct van_config **ret, struct profile_errors *errors)
{
	struct profile_errors local = {0};
	struct schema_reader r = {.arena = van_arena_new(0), .errors = errors ? errors : &local};
	struct van_arena *scratch = van_arena_new(0);
	struct schema_node *n;
	int rc = r.arena && scratch ? schema_json_parse(json, SCHEMA_BOUNDS_DEFAULT, scratch, r.errors, &n) : VAN_ENOMEM;
	if (rc == 0)
		rc = read_config(&r, n, ret);
	else if (rc != VAN_ENOMEM)
		rc = VAN_EINVAL;
	if (rc < 0)
		van_arena_free(r.arena);
	van_arena_free(scratch);
	profile_errors_free(&local);
	return rc;
}

/* --- files ---------------------------------------------------------------------------------------------------------- */

static void check_exists(struct schema_reader *r, const struct schema_node *at, const char *key, struct slice path)
{
	if (access(path.p, F_OK) < 0 && errno == ENOENT)
		schema_problem(r, at, key, false, "there is no file %.*s: put it there or correct the path", SLICE_ARG(path));
}

/* *ret_der: absent when there was something wrong. */
static int check_certificate(struct schema_reader *r, const struct schema_node *at, const char *key, struct slice path, struct slice *ret_der)
{
	struct van_buf pem;
	*ret_der = SLICE_NONE;
	int rc = profile_read_file(r, at, key, path, FILE_MAX, &pem);
	if (rc == VAN_ENOMEM)
		return rc;
	if (rc == 0 && !(*ret_der = profile_pem_to_der(r->arena, van_buf_slice(&pem))).p)
		schema_problem(r, at, key, false, "%.*s holds no PEM certificate (-----BEGIN CERTIFICATE-----)", SLICE_ARG(path));
	if (rc == 0)
		van_buf_free(&pem);
	return 0;
}

static int check_listener(struct schema_reader *r, const struct van_config *c, const char *kind, size_t i,
			  const struct van_config_listener *l)
{
	int rc = 0;
	r->path_n = (size_t)snprintf(r->path, sizeof r->path, "listen.%s[%zu]", kind, i);
	const struct schema_node *at = schema_node_find(c->source, r->path, NULL);
	for (size_t k = 0; k < l->host_keys.n; k++)
		check_exists(r, at, "host_keys", l->host_keys.v[k]);
	if (!l->tls)
		return 0;
	r->path_n += (size_t)snprintf(r->path + r->path_n, sizeof r->path - r->path_n, ".tls");
	at = schema_node_find(c->source, r->path, NULL);
	struct slice der;
	rc = check_certificate(r, at, "certificate", l->tls->certificate, &der);
	if (rc == 0)
		rc = profile_private_key_check(r, at, "key", l->tls->key, der, false);
	if (rc == 0 && l->tls->client_ca.p)
		rc = check_certificate(r, at, "client_ca", l->tls->client_ca, &der);
	if (l->tls->ocsp.p)
		check_exists(r, at, "ocsp", l->tls->ocsp);
	if (l->tls->client_crl.p)
		check_exists(r, at, "client_crl", l->tls->client_crl);
	for (size_t k = 0; k < l->tls->sni.n && rc == 0; k++) {
		const struct van_config_tls_pair *p = RECORD_AT(l->tls->sni, struct van_config_tls_pair, k);
		rc = check_certificate(r, at, "sni", p->certificate, &der);
		if (rc == 0)
			rc = profile_private_key_check(r, at, "sni", p->key, der, false);
		if (p->ocsp.p)
			check_exists(r, at, "sni", p->ocsp);
	}
	return rc;
}

int van_config_check_files(const struct van_config *c, struct profile_errors *errors)
{
	static const char *const kinds[] = {"as2", "sftp", "admin"};
	const struct record_list *lists[] = {&c->listen.as2, &c->listen.sftp, &c->listen.admin};
	struct schema_reader r = {.arena = van_arena_new(0), .errors = errors, .file = c->file.p};
	struct profile_errors none = {0};
	if (!errors)
		r.errors = errors = &none;
	size_t before = errors->errors;
	int rc = r.arena ? 0 : VAN_ENOMEM;
	r.path_n = (size_t)snprintf(r.path, sizeof r.path, "as2");
	for (size_t i = 0; i < c->as2.crls.n; i++)
		check_exists(&r, schema_node_find(c->source, "as2", NULL), "crls", c->as2.crls.v[i]);
	for (size_t k = 0; k < 3; k++)
		for (size_t i = 0; i < lists[k]->n && rc == 0; i++)
			rc = check_listener(&r, c, kinds[k], i, RECORD_AT(*lists[k], struct van_config_listener, i));
	van_arena_free(r.arena);
	if (rc == 0 && errors->errors > before)
		rc = VAN_EINVAL;
	profile_errors_free(&none);
	return rc;
}
