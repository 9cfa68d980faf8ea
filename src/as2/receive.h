/* Receiving an AS2 message: the body is pushed in as it comes, the payload and the signed entity are pushed out. Memory is
 * constant. Nothing that was pushed out may be used before as2_receiver_finish() said that the message is accepted.
 *
 * What went wrong with the peer's message is a disposition, not an error: the functions return 0, the rest of the body is
 * swallowed, and the result has disposition and text. Negative returns are ours: memory, sinks, the key holder. */
#ifndef OPENVAN_AS2_RECEIVE_H
#define OPENVAN_AS2_RECEIVE_H

#include "as2/disposition.h"
#include "as2/request.h"
#include "cms/cert.h"
#include "cms/reader.h"
#include "cms/trust.h"

struct as2_policy {
	bool require_signed, require_encrypted;
	uint32_t digests;      /* ALG_BIT mask for signatures; 0: DIGESTS_SHA2 */
	uint32_t ciphers;      /* ALG_BIT mask; 0: CIPHERS_AES */
	uint64_t payload_max;  /* bytes; 0: no limit */
	unsigned expansion_max;/* see struct cms_limits; 0: 200 */
	unsigned depth_max;    /* nested MIME and CMS layers; 0: 8 */
	size_t signature_max;  /* bytes of a detached signature; 0: 256 KiB */
	bool payload_sha256;   /* fill as2_received.payload_sha256 */
	bool refuse_illegal_file_name; /* one that mime_safe_file_name() has to change gets illegal-filename */
};

#define AS2_ATTACHMENTS_MAX 16

struct as2_receiver_config {
	const struct as2_request *request; /* must outlive the receiver, as all that is pointed to here */
	struct as2_policy policy;
	const struct cms_cert *const *decrypt_certs; /* the station's, old and new */
	size_t ndecrypt_certs;
	const struct cms_cert *const *partner_certs; /* that may have signed */
	size_t npartner_certs;
	const struct cms_trust *trust; /* what is asked of the one that signed; NULL: nothing more */

	void *arg;
	/* Writes `key_len` bytes to `key`: the content key that the key holder unwrapped for the recipient `r` with the private
	 * key of `cert` (cert->facts.key_id). Called at most once for a message. A negative value means that the key holder
	 * could not be asked at all. */
	int (*unwrap)(void *arg, const struct cms_cert *cert, const struct cms_recipient *r, unsigned char *key,
		      size_t key_len);
	/* The document: transfer encoding and compression undone. */
	int (*payload)(void *arg, const void *p, size_t n);
	/* Optional: with it, the parts of multipart/related (RFC 6362) come apart: EDI goes to `payload`, the rest here, one after
	 * the other; as2_received.attachments says where each ends. Without it multipart/related is a document like any other. */
	int (*attachment)(void *arg, const void *p, size_t n);
	/* With `entity`: `payload` is not called for a document whose bytes stand unchanged within the entity, where
	 * as2_received.payload_offset then finds them. So large documents are written once. */
	bool payload_within_entity;
	/* Optional: the exact bytes that the MIC is over (signed or encrypted entity with its headers). */
	int (*entity)(void *arg, const void *p, size_t n);
	/* Optional, with `entity`: exactly `n` bytes of the entity from `at`, when a signature turns out to use another digest
	 * than the one it announced. Without it such a message fails with authentication-failed. */
	int (*entity_read)(void *arg, uint64_t at, void *p, size_t n);
};

#define AS2_NO_OFFSET UINT64_MAX

struct as2_attachment {
	uint64_t bytes;
	unsigned char sha256[32];
	char content_type[128];
	char file_name[256];      /* safe base name; empty when none was given */
};

struct as2_received {
	enum as2_disposition disposition;
	char text[400];           /* for the MDN's human part; says what to do when there was an error */

	bool was_signed, was_encrypted, was_compressed;
	bool is_mdn;              /* refused because it is a disposition notification: as2_mdn_verify() reads those */
	enum digest_alg signature_digest;
	enum cipher_alg cipher;
	char decrypt_key_id[KEY_ID_LEN + 1]; /* empty when not encrypted */
	char signer_sha256[64 + 1];          /* of the signer's certificate (facts.sha256); empty when not verified */

	/* The MIC, of an accepted message only: of a refused one it would tell a stranger something about what was encrypted.
	 * mic_alg is DIGEST_NONE when there is none. */
	enum digest_alg mic_alg;
	unsigned char mic[DIGEST_SIZE_MAX];
	size_t mic_size;
	char mic_text[128];       /* for Received-Content-MIC: "base64, sha-256" in the sender's spelling */

	uint64_t entity_size;     /* bytes given to `entity`, that is of the MIC's input */
	uint64_t payload_size;
	uint64_t payload_offset;  /* of the payload's bytes within the entity, when they are there unchanged; AS2_NO_OFFSET when not */
	unsigned char payload_sha256[32];
	char content_type[128];   /* of the payload, "type/subtype" lower case */
	char file_name[256];      /* safe base name; empty when none was given */
	struct as2_attachment attachments[AS2_ATTACHMENTS_MAX]; /* in the order of `attachment` calls */
	unsigned nattachments;
};

struct as2_receiver;

/* 0, VAN_ENOMEM, VAN_EINVAL. */
int as2_receiver_new(const struct as2_receiver_config *config, struct as2_receiver **ret, struct van_error *err);
void as2_receiver_free(struct as2_receiver *r);
/* 0 or a negative value of ours or of a callback; see above. */
int as2_receiver_feed(struct as2_receiver *r, const void *p, size_t n);
/* The whole body was fed. */
int as2_receiver_finish(struct as2_receiver *r, struct as2_received *ret, struct van_error *err);

/* The result for a message whose sender or relationship is unknown, or whose two names are one: no body needs to be read. */
void as2_received_unknown(const struct as2_request *request, struct as2_received *ret);
/* The same for a Message-ID that is not as2_message_id_proper(), where the agreement asks for that. */
void as2_received_bad_message_id(struct as2_received *ret);

#endif
