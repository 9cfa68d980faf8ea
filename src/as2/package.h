/* Packaging an AS2 message (RFC 4130, RFC 5402): the document becomes a MIME entity, is compressed, signed and encrypted as
 * agreed, and comes out as header lines and body. Memory is constant: the document is read where it lies, as often as needed,
 * and the body is written once, from its first byte to its last. Parts are binary; nothing in a document is rewritten. */
#ifndef OPENVAN_AS2_PACKAGE_H
#define OPENVAN_AS2_PACKAGE_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/error.h"
#include "cms/algorithm.h"
#include "mime/sink.h"

#define AS2_ATTACHED_MAX 16

struct cms_cert;

/* Bytes that can be read more than once. */
struct as2_source {
	void *arg;
	int (*read)(void *arg, uint64_t at, void *p, size_t n); /* exactly n bytes; 0 or negative */
	uint64_t size;
};

/* What goes beside the document (RFC 6362). */
struct as2_attached {
	struct slice content_type, file_name; /* either may be absent */
	struct as2_source source;
};

enum as2_compress { AS2_COMPRESS_NONE, AS2_COMPRESS_BEFORE_SIGNING, AS2_COMPRESS_AFTER_SIGNING };

struct as2_package_config {
	struct slice from, to;       /* AS2 names: from is ours */
	struct slice message_id;     /* with its angle brackets */
	struct slice unique;         /* 1..60 letters and digits, random: boundaries */
	struct slice host;           /* ours: the address that MDNs are for */
	struct slice product;        /* "openvan:0.1" */
	unsigned version_minor;      /* AS2-Version 1.N: 3, or anything below for 1.2 */
	struct slice subject;        /* absent: a usual one */
	struct slice content_type;   /* of the document */
	struct slice file_name;      /* may be absent; any bytes */
	van_time now;
	struct as2_source document;
	const struct as2_attached *attached; /* at most AS2_ATTACHED_MAX: then multipart/related, the document first */
	size_t nattached;
	struct slice related;        /* letters and digits for its boundary: the same whenever this document is packaged */
	/* Absent: made of content_type and file_name. Else what an earlier package of this document had, for as2_package_mic(). */
	struct slice entity_headers;

	enum as2_compress compress;
	enum digest_alg sign;        /* DIGEST_NONE: not signed */
	enum cipher_alg encrypt;     /* CIPHER_NONE: plain */
	enum wrap_alg wrap;
	const struct cms_cert *recipient; /* for encryption */

	bool mdn_wanted, mdn_signed;
	struct slice mdn_url;        /* absent: synchronous */

	struct van_arena *arena;     /* for a few KiB */
	void *arg;
	/* Appends a detached SignedData over the digest. */
	int (*sign_digest)(void *arg, enum digest_alg alg, const unsigned char *digest, struct van_buf *der, struct van_error *err);
	struct byte_sink scratch;    /* compressed bytes are put there, and read again from scratch_read */
	int (*scratch_read)(void *arg, uint64_t at, void *p, size_t n);
	struct byte_sink body;
};

struct as2_packaged {
	struct slice headers;        /* lines "Name: value" CRLF, without Content-Length; in the arena */
	struct slice entity_headers; /* the document's own, without the empty line; in the arena */
	bool document_is_body;       /* nothing was written to `body`: the document itself is it, unchanged */
	enum digest_alg mic_alg;
	unsigned char mic[DIGEST_SIZE_MAX];
};

/* 0; VAN_EINVAL (a value with a line end in it), VAN_EDENIED or VAN_ECRYPTO with a text (certificate, cipher), what a callback
 * returned, VAN_ENOMEM. */
int as2_package(const struct as2_package_config *c, struct as2_packaged *ret, struct van_error *err);

/* The MIC that the receiver should have computed, by another digest than the package's own. */
int as2_package_mic(const struct as2_package_config *c, enum digest_alg alg, unsigned char *mic, struct van_error *err);

#endif
