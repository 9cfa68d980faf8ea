/* A worker parses what the network sent: one message or job at a time, blocking. The receive pool is fed by http, the job
 * pool by the store. It has no network, no database, no keys: it asks keyd and the store over its channels. */
#ifndef OPENVAN_ROLES_WORKER_WORKER_H
#define OPENVAN_ROLES_WORKER_WORKER_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "cms/algorithm.h"
#include "roles/role.h"
#include "roles/spool.h"

struct directory_as2;
struct cms_cert_cache;
struct edi_dictionary_set;
struct map_library;
struct map_run_state;
struct guide_set;
struct lookup_cache;
struct password_cache;
struct cms_crls;

struct worker {
	struct role *role;
	bool receive;                /* which pool */
	struct ipc_channel *dispatch; /* http or store: gives the work */
	struct ipc_channel *store;   /* receive pool: its own; job pool: the same as dispatch */
	struct ipc_channel *keyd;
	struct loop_watch *watch;    /* of dispatch */
	int spool_folder;
	struct van_arena *arena;     /* of the present message */
	struct van_arena *list_arena; /* of the jobs given at a time */
	struct lookup_cache *lookups;
	struct cms_crls *crls;       /* revocation lists; NULL: none */
	struct cms_cert_cache *certs;
	struct edi_dictionary_set *dictionaries;
	struct map_library *maps;
	struct guide_set *guides;
	struct map_run_state *map_run; /* made when it is needed */
	uint64_t maps_generation; /* of what the store put in front of the installed ones */
	struct password_cache *passwords; /* made when it is needed */
	uint64_t last_request;
};

/* peers.c ------------------------------------------------------------------------------------------------------------ */

/* The content key for one recipient; always `expected` bytes unless keyd can't be asked: VAN_ECLOSED, VAN_ETIMEOUT. */
int worker_unwrap(struct worker *w, struct slice key_id, enum wrap_alg alg, struct slice params, struct slice blob,
		  unsigned char *key, size_t expected);
/* Appends a detached SignedData over the digest, by the station's first key in use and in the way that the partner's profile asks.
 * Negative with `e`; VAN_EDENIED: the station has no key. */
int worker_sign(struct worker *w, const struct directory_as2 *d, enum digest_alg alg, const unsigned char *digest, van_time now,
		struct van_buf *der, struct van_error *e);
/* The answer's record, in the arena. Cached until the directory changes, half a minute at most. *ret_zone_offset (may be
 * NULL): minutes east of UTC. VAN_ECLOSED when the store is gone. */
int worker_lookup(struct worker *w, const struct ipc_lookup *l, struct slice *ret_record, int *ret_zone_offset);
/* IPC_LOOKUP_ACK, never cached: is the acknowledgement about an interchange of our own writing? VAN_ECLOSED when the store is gone. */
int worker_ask_ack(struct worker *w, const struct ipc_lookup *l, bool *ret);
/* The store said which generation of the directory is current: older cached answers are forgotten. */
void worker_generation(struct worker *w, uint64_t generation);

struct lookup_cache *lookup_cache_new(void);
void lookup_cache_free(struct lookup_cache *c);

/* A message gets as2.receive_timeout from here on: a process that makes no progress is ended by SIGALRM, and http answers 503. */
void worker_progress(const struct worker *w);

/* Asks the store which maps are in force: *ret_fd is a struct ipc_sheets, the caller's. */
int worker_ask_maps(struct worker *w, uint64_t *ret_generation, int *ret_fd);

/* IPC_LOOKUP_SEEN: *ret is the id of the message that has the value already; absent: none. */
int worker_ask_seen(struct worker *w, const struct ipc_lookup *l, struct slice *ret);

/* maps.c: w->maps becomes that of this generation, or a newer one. Negative: the job is to be tried again. */
int worker_maps(struct worker *w, uint64_t generation);
/* For one translation after the other, with nothing of the one before in it; NULL: no memory. */
struct map_run_state *worker_map_run(struct worker *w);
struct van_config_translation;
const struct van_config_translation *worker_bounds(const struct worker *w);
void worker_map_trial(struct worker *w, struct ipc_message *m);

/* receive.c, job.c: one message each ------------------------------------------------------------------------------------ */
void worker_receive(struct worker *w, struct ipc_message *m);
void worker_job(struct worker *w, struct ipc_message *m);
void worker_password(struct worker *w, struct ipc_message *m);
void worker_package(struct worker *w, struct ipc_message *m);
void worker_mdn_check(struct worker *w, struct ipc_message *m);

/* "Name: value" lines into a list of struct ipc_header, in the arena; slices point into `lines`. */
int worker_split_headers(struct worker *w, struct slice lines, struct record_list *ret);
/* Header fields as the MIME readers take them, in the arena. */
struct mime_headers;
int worker_mime_headers(struct worker *w, const struct record_list *headers, struct mime_headers *ret);

/* Does the password fit the stored hash? Slow the first time. */
bool worker_password_fits(struct worker *w, struct slice stored, struct slice given);

/* admit.c ---------------------------------------------------------------------------------------------------------------- */
struct as2_request;
struct mime_headers;
struct worker_post {
	const struct ipc_as2_receive *facts;
	const struct mime_headers *headers;
	const struct as2_request *request;
	const struct directory_as2 *directory; /* a known connection's */
};
/* May the message come this way? False: *ret is the answer, and nothing is kept. */
bool worker_admit(struct worker *w, const struct worker_post *p, struct ipc_http_reply *ret);

/* mdn.c ------------------------------------------------------------------------------------------------------------------ */
struct as2_received;
struct worker_answer {
	struct ipc_http_reply http;
	struct slice mdn;        /* as one MIME entity; absent: none was asked for */
	struct slice message_id; /* the MDN's */
	struct slice url;        /* asynchronous: where the MDN goes; `http` is only a 204. Absent: `http` carries it */
};
/* Builds the answer for a request in the arena: the MDN, signed where asked and possible, or a plain answer where none was
 * asked for. */
int worker_mdn(struct worker *w, const struct as2_request *q, const struct as2_received *got, const struct directory_as2 *d,
	       struct worker_answer *ret, struct van_error *e);

/* artefact.c ----------------------------------------------------------------------------------------------------------- */
struct artefacts {
	struct ipc_artefact v[24];
	size_t n;
	int fds[IPC_FDS_MAX];
	size_t nfds;
};
/* Adds bytes (inline) or a descriptor (not taken over) with salt and hashes. Slices must live until the message is sent. */
int artefact_add_bytes(struct artefacts *a, struct worker *w, const char *name, struct slice bytes);
int artefact_add_fd(struct artefacts *a, struct worker *w, const char *name, int fd, uint64_t bytes);
int artefact_add_spool(struct artefacts *a, struct worker *w, const char *name, struct spool *s);
void artefact_add_within(struct artefacts *a, const char *name, const char *within, uint64_t offset, uint64_t length,
			 struct slice sha256);

#endif
