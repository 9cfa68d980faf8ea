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

struct cms_cert_cache;
struct edi_dictionary_set;
struct map_set;
struct lookup_cache;

struct worker {
	struct role *role;
	bool receive;                /* which pool */
	struct ipc_channel *dispatch; /* http or store: gives the work */
	struct ipc_channel *store;   /* receive pool: its own; job pool: the same as dispatch */
	struct ipc_channel *keyd;
	struct loop_watch *watch;    /* of dispatch */
	int spool_folder;
	struct van_arena *arena;     /* of the present message */
	struct lookup_cache *lookups;
	struct cms_cert_cache *certs;
	struct edi_dictionary_set *dictionaries;
	struct map_set *maps;
	uint64_t last_request;
};

/* peers.c ------------------------------------------------------------------------------------------------------------ */

/* The content key for one recipient; always `expected` bytes unless keyd can't be asked: VAN_ECLOSED, VAN_ETIMEOUT. */
int worker_unwrap(struct worker *w, struct slice key_id, enum wrap_alg alg, struct slice params, struct slice blob,
		  unsigned char *key, size_t expected);
/* Appends a detached SignedData over the digest. Negative with `e`. */
int worker_sign(struct worker *w, struct slice key_id, enum digest_alg alg, const unsigned char *digest, van_time now,
		struct van_buf *der, struct van_error *e);
/* The answer's record, in the arena. Cached until the directory changes, half a minute at most. *ret_zone_offset (may be
 * NULL): minutes east of UTC. VAN_ECLOSED when the store is gone. */
int worker_lookup(struct worker *w, const struct ipc_lookup *l, struct slice *ret_record, int *ret_zone_offset);
/* The store said which generation of the directory is current: older cached answers are forgotten. */
void worker_generation(struct worker *w, uint64_t generation);

struct lookup_cache *lookup_cache_new(void);
void lookup_cache_free(struct lookup_cache *c);

/* receive.c, job.c: one message each ------------------------------------------------------------------------------------ */
void worker_receive(struct worker *w, struct ipc_message *m);
void worker_job(struct worker *w, struct ipc_message *m);
void worker_password(struct worker *w, struct ipc_message *m);

/* mdn.c ------------------------------------------------------------------------------------------------------------------ */
struct as2_request;
struct as2_received;
struct directory_as2;
/* Builds the answer for a request in the arena: the MDN, signed where asked and possible, or a plain answer where none was
 * asked for. *ret_mdn: the MDN as one MIME entity (absent when none), *ret_message_id: its Message-ID. */
int worker_mdn(struct worker *w, const struct as2_request *q, const struct as2_received *got, const struct directory_as2 *d,
	       struct ipc_http_reply *ret, struct slice *ret_mdn, struct slice *ret_message_id, struct van_error *e);

/* artefact.c ----------------------------------------------------------------------------------------------------------- */
struct artefacts {
	struct ipc_artefact v[8];
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
