/* One job while it is done: shared by job.c, interchange.c, conflict.c. */
#ifndef OPENVAN_ROLES_WORKER_JOB_H
#define OPENVAN_ROLES_WORKER_JOB_H

#include "edi/ack.h"
#include "edi/check.h"
#include "partner/directory.h"
#include "roles/worker/worker.h"

struct tree;

/* A growing list of structs of one size. */
struct job_list {
	void *v;
	size_t n, room;
};
/* The next element, zeroed, or NULL. */
void *job_list_add(struct job_list *l, size_t size);
static inline struct record_list job_list_take(const struct job_list *l)
{
	return (struct record_list){l->v, l->n};
}
void job_list_free(struct job_list *l);

/* What was agreed for one kind of document of one interchange. */
struct job_terms {
	const struct edi_interchange *in;
	struct slice type, version;   /* absent: of the interchange alone */
	struct directory_route route;
	int zone_offset;              /* minutes east of UTC of the agreement's time zone */
	struct slice missing_guide;   /* it names one that is not there; absent: all are */
	struct edi_check_policy policy;
};
#define JOB_TERMS 8 /* the last ones asked for */

/* One document of a file without EDI. */
struct job_document {
	struct tree *tree;
	uint64_t number;             /* in the file, from 1 */
	uint64_t begins, ends;       /* lines or bytes of the file, as its format counts; ends 0: with the file */
	bool known;                  /* it says what it is */
};

/* Those of them that are between the same two: they go the way of the messages of an interchange (share.c). */
struct job_share {
	struct slice from, to;       /* canonical identities; absent: nobody knows */
	struct job_document *documents; /* NULL: there are none, the file only passes through */
	size_t n;
	struct slice why;            /* they go no further: held for want of terms, or in quarantine because nobody can read them; absent: they go on */
	bool held;
};

/* What came without EDI (plain.c). */
struct job_plain {
	struct directory_document rule;
	const char *standard;        /* "CSV", "UBL", "JSON", "FILE" */
	struct slice extension;      /* of its file name */
	struct job_document *documents; /* NULL: there are none, the file only passes through */
	size_t n;                    /* those that the job is about */
	struct slice sheet;          /* that divided the file into documents; absent: none did */
	uint64_t sheet_version;
	bool parted;                 /* the file holds others, too, or its documents go several ways */
	struct job_share *shares, *share; /* the one at hand */
	size_t share_count;
	struct van_arena *arena;     /* of the documents */
};

struct job {
	struct worker *worker;
	const struct ipc_job *from;
	struct {
		struct slice bytes; /* inline, or absent: */
		int fd;
		uint64_t offset;    /* where it begins in the file */
		uint64_t length;    /* either way */
	} payload;
	struct van_buf stretch;     /* of a payload in a file: what job_payload_bytes read last */
	struct edi_report *report;
	struct job_terms *terms[JOB_TERMS];
	size_t next_terms;
	struct ipc_job_result result;
	struct job_list outputs; /* struct ipc_output */
	struct job_list acks;    /* struct ipc_ack_seen */
	uint64_t inline_bytes;  /* of translated documents that are parts of their outputs */
	struct job_plain *plain; /* NULL: EDI */
	struct spool content;   /* the other translated documents of the job, one after the other */
};

/* Fills *to for interchange number `number` and adds its outputs and acknowledgements. Negative: the job must be retried. */
int job_interchange(struct job *j, const struct edi_interchange *i, size_t number, struct ipc_interchange *to);

/* plain.c: is the payload no EDI, and does the connection say what it is? *ret_found; then j->plain is there. Negative: try again. */
int job_plain_find(struct job *j, bool *ret_found);
/* Its documents go the way of an interchange. Negative: the job must be retried. */
int job_plain(struct job *j);
void job_plain_free(struct job *j);
/* What is wrong with one of its documents; absent: it could be read. */
struct slice job_plain_error(const struct tree *document);
/* A text of the document at its top; absent: there is none. */
struct slice job_plain_text(const struct tree *document, const char *name);

/* share.c: j->plain->documents come to stand in shares, by between whom they are. VAN_ELIMIT with `e`; VAN_ENOMEM. */
int job_share(struct job *j, struct van_error *e);
/* documents.c: which documents of the file these are, as in ipc_job; absent: no memory. */
struct slice job_documents_numbers(struct van_arena *arena, const struct job_document *v, size_t n);
/* Is `number` in such a text? `at` stands where the last, smaller one was found; at first the whole text. Absent: all are. */
bool job_documents_have(struct slice *at, uint64_t number);
/* How the file was divided where these documents are, to be kept beside their numbers: a digest, and the sheet that did it. Absent: no memory. */
struct slice job_documents_division(struct job *j, const struct job_document *v, size_t n);
/* Do the documents of these numbers still begin and end where they did then? VAN_ESYNTAX with what to do: no, or nobody knows. */
int job_documents_same(struct job *j, const struct job_document *v, size_t n, struct slice division, struct van_error *e);

/* Where one document goes. `connection` absent: authority is not asked (our own acknowledgement). *ret_zone_offset (may be
 * NULL): minutes east of UTC of the agreement's time zone. */
int job_route(struct job *j, struct slice connection, struct slice from, struct slice to, struct slice type, struct slice version,
	      char usage, struct directory_route *ret, int *ret_zone_offset);

/* The terms for messages of this type and version (absent: for the interchange alone), by the store's directory; they live in the
 * arena. Negative: the job must be retried. */
int job_terms(struct job *j, const struct edi_interchange *in, struct slice type, struct slice version, const struct job_terms **ret);
/* The same as an edi_policy_fn; ctx: the job. */
int job_policy(void *ctx, const struct edi_interchange *i, const struct edi_group *g, const struct edi_message *m,
	       const struct edi_check_policy **ret);

/* Bytes of the payload; valid until the next call. 0, VAN_EIO, VAN_ENOMEM, VAN_ELIMIT. */
int job_payload_bytes(struct job *j, uint64_t offset, uint64_t length, struct slice *ret);

/* IPC_JOB_AS2_CONFLICT: another MDN for a request whose Message-ID was used for another document. */
void worker_conflict(struct worker *w, uint64_t request, const struct ipc_job *j);

#endif
