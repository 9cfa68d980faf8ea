/* The receiver from inside. A message is a stack of layers: the HTTP body is layer 0; what a layer contains (decrypted,
 * inflated, the signed part) is a MIME entity whose body is the next layer. The last one holds the document.
 * Private to src/as2. */
#ifndef OPENVAN_AS2_RECEIVER_H
#define OPENVAN_AS2_RECEIVER_H

#include "as2/receive.h"
#include "cms/digest.h"
#include "cms/signed.h"
#include "mime/entity.h"
#include "mime/multipart.h"
#include "mime/transfer.h"

#define LAYERS_MAX 8

enum layer_kind { LAYER_DOCUMENT, LAYER_CMS, LAYER_SIGNED };

struct layer {
	struct as2_receiver *r;
	unsigned depth;
	enum layer_kind kind;
	bool sniffed;                /* the transfer encoding of a CMS body is seen from its first byte */
	bool tapped;                 /* the document's own bytes are the MIC's input */
	struct mime_decoder decoder;
	struct cms_reader *cms;
	struct mime_multipart parts;
	struct mime_entity *inner;   /* what the layer contains; its body is the next layer */
	bool inner_closed;
	struct mime_entity *signature_part;
	struct mime_decoder signature_decoder;
	bool signature_sniffed;
};

/* The parts of multipart/related. */
struct related {
	struct layer *layer;
	struct mime_multipart parts;
	struct mime_entity *entity;
	struct mime_decoder decoder;
	struct as2_attachment *current; /* NULL: bytes are the payload's */
	struct digest_set digest;       /* of the current one */
	unsigned char hash[DIGEST_SIZE_MAX];
	bool root;                      /* the first part was begun */
};

struct as2_receiver {
	struct as2_receiver_config c;
	struct van_arena *arena;
	struct layer layers[LAYERS_MAX];
	unsigned nlayers;
	struct as2_received out;
	bool failed;                 /* out.disposition and out.text say how */
	int fatal;                   /* an error of ours or of a callback */
	bool opaque;                 /* signed data that contains what it signs */
	bool finishing;              /* the decryptor's last block, and so its padding, has been or is being looked at */
	bool document;               /* the innermost layer was reached */
	bool file_name_changed;      /* out.file_name is not what the sender wrote */
	bool document_elsewhere;     /* its bytes are found within the entity */
	struct related *related;     /* NULL: one document; in the arena */
	struct van_buf signature;    /* detached: the whole CMS; opaque: the trailer */
	struct digest_set mic, payload_digest;
};

/* The message is refused (the first refusal counts). Returns VAN_ESTATE, to be handed up. */
int receiver_refuse(struct as2_receiver *r, enum as2_disposition d, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* What cannot be decrypted, and what is no proper content once decrypted, is refused in one way, with one text: whoever
 * made the message up shall not learn which it was. */
int receiver_refuse_decryption(struct as2_receiver *r);
/* An error of a reader that nobody gave a reason for yet. */
int receiver_malformed(struct as2_receiver *r, int rc, const char *what);

/* Bytes of the MIC's input. */
int receiver_mic(struct as2_receiver *r, const void *p, size_t n);

int layer_open(struct as2_receiver *r, struct slice content_type, struct slice encoding, struct slice disposition,
	       struct slice headers);
int layer_feed(struct layer *l, const void *p, size_t n);
int layer_finish(struct layer *l);
void layer_free(struct layer *l);

/* The entity that a layer contains: its body is the next layer. */
int layer_open_inner(struct layer *l);
int layer_feed_inner(struct layer *l, const void *p, size_t n);
int layer_finish_inner(struct layer *l);
/* Feeds BER or its base64 through a decoder whose encoding is seen from the first byte that is no blank. */
int layer_sniffing_feed(struct mime_decoder *d, bool *sniffed, const char *p, size_t n);

/* Starts the digests of a signed entity: the mask's, and those that the receipt may want. */
int receiver_begin_signed(struct as2_receiver *r, uint32_t mask);

int layer_open_document(struct layer *l, const struct mime_value *type, struct slice disposition, struct slice headers);
int layer_document_bytes(void *layer, const void *p, size_t n);
/* Fills in what the document is called and what it is. */
void layer_document_names(struct as2_receiver *r, const struct mime_value *type, struct slice disposition);

int related_open(struct layer *l, const struct mime_value *type);
int related_bytes(void *layer, const void *p, size_t n);
int related_finish(struct as2_receiver *r);
void related_free(struct related *a); /* NULL is fine */
int layer_open_cms(struct layer *l);
int layer_cms_bytes(void *layer, const void *p, size_t n);
int layer_finish_cms(struct layer *l);
int layer_open_signed(struct layer *l, const struct mime_value *type);
int layer_finish_signed(struct layer *l);

/* After the last byte: verifies the signature, settles the MIC. */
void receiver_settle(struct as2_receiver *r);

#endif
