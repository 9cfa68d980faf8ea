/* A streaming reader of CMS ContentInfo (RFC 5652, RFC 3274) in DER or BER: EnvelopedData is decrypted, CompressedData
 * inflated, the content of opaque SignedData passed on. Memory is constant; the header and the trailer around the content
 * are bounded. Fed in any chunking, the same events come out. */
#ifndef OPENVAN_CMS_READER_H
#define OPENVAN_CMS_READER_H

#include "base/error.h"
#include "cms/algorithm.h"

enum cms_type {
	CMS_TYPE_NONE = 0,
	CMS_TYPE_ENVELOPED = 1,
	CMS_TYPE_SIGNED = 2,
	CMS_TYPE_COMPRESSED = 3,
	CMS_TYPE_AUTH_ENVELOPED = 4,
};

/* One KeyTransRecipientInfo, or one recipient of a KeyAgreeRecipientInfo. Slices live as long as the callback that gets them. */
struct cms_recipient {
	unsigned index;              /* in RecipientInfos */
	struct slice issuer, serial; /* DER of the Name, content octets of the INTEGER; or absent */
	struct slice subject_key_id; /* content octets; or absent */
	enum wrap_alg wrap;
	struct slice wrap_params;    /* what cms_unwrap() takes as `params`; may be absent */
	struct slice encrypted_key;
};

struct cms_cert;
/* Does this certificate's issuer and serial number, or its subject key identifier, name the recipient? */
bool cms_recipient_is(const struct cms_recipient *r, const struct cms_cert *cert);

struct cms_reader_events {
	void *arg;
	/* Once. A negative return refuses the type. May be NULL. */
	int (*type)(void *arg, enum cms_type type);
	/* Enveloped: once, all recipients known. Writes cipher_key_size(cipher) bytes to `key`. VAN_ENOTFOUND when no
	 * recipient is ours; whatever negative value is returned ends the reading with it. */
	int (*key)(void *arg, const struct cms_recipient *v, size_t n, enum cipher_alg cipher, unsigned char *key);
	/* Signed: once, the digest algorithms announced before the content (ALG_BIT mask). May be NULL. */
	int (*digests)(void *arg, uint32_t mask);
	/* Content: decrypted, inflated, or as it is. */
	int (*content)(void *arg, const void *p, size_t n);
};

struct cms_limits {
	size_t header_max;         /* bytes before the content; 0: 256 KiB */
	size_t trailer_max;        /* bytes after it (certificates, signer infos); 0: 256 KiB */
	size_t recipients_max;     /* 0: 64 */
	uint64_t content_max;      /* bytes given to `content`; 0: no limit */
	unsigned expansion_max;    /* inflated bytes for each compressed byte, past the first MiB; 0: 200 */
	uint32_t ciphers;          /* ALG_BIT mask of ciphers allowed; 0: CIPHERS_AES */
};

struct cms_reader;
struct cms_reader *cms_reader_new(const struct cms_reader_events *ev, const struct cms_limits *limits);
void cms_reader_free(struct cms_reader *r); /* wipes the key */
/* 0; VAN_ESYNTAX (not CMS), VAN_ELIMIT, VAN_ENOMEM, VAN_EDENIED (cipher not allowed or unknown), VAN_ECRYPTO, or what an
 * event returned. */
int cms_reader_feed(struct cms_reader *r, const void *p, size_t n);
/* VAN_ESYNTAX when the content is not complete; VAN_ECRYPTO when the padding or the tag is wrong. */
int cms_reader_finish(struct cms_reader *r);
enum cms_type cms_reader_type(const struct cms_reader *r);
enum cipher_alg cms_reader_cipher(const struct cms_reader *r);
/* Signed: what followed the content, for cms_signed_parse_trailer(); valid until the reader is freed. */
struct slice cms_reader_trailer(const struct cms_reader *r);

#endif
