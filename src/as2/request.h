/* The HTTP header block of an AS2 message (RFC 4130 section 6). */
#ifndef OPENVAN_AS2_REQUEST_H
#define OPENVAN_AS2_REQUEST_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "cms/algorithm.h"
#include "mime/header.h"

#define AS2_MICALGS_MAX 16
#define AS2_ID_MAX 128
#define AS2_MESSAGE_ID_MAX 998

enum as2_option { AS2_OPTION_ABSENT = 0, AS2_OPTION_OPTIONAL, AS2_OPTION_REQUIRED };

enum as2_feature { AS2_FEATURE_MULTIPLE_ATTACHMENTS = 1, AS2_FEATURE_CEM = 2, AS2_FEATURE_RELIABILITY = 4 };

struct as2_request {
	unsigned version_major, version_minor; /* 1.0 when the header is missing */
	struct slice from, to;                 /* unquoted, unescaped */
	struct slice message_id;               /* byte for byte; only blanks around it are removed */
	struct slice subject;
	struct slice content_type;             /* the header's value, as it came */
	struct slice content_encoding;         /* Content-Transfer-Encoding */
	struct slice content_disposition;
	unsigned features;                     /* enum as2_feature; unknown tokens are ignored */

	bool mdn_wanted;                       /* Disposition-Notification-To is there */
	bool mdn_signed;                       /* a signed receipt was asked for, in a format we can write */
	struct slice mdn_async_url;            /* Receipt-Delivery-Option: absent means synchronous */
	enum as2_option protocol;              /* signed-receipt-protocol */
	bool protocol_known;                   /* pkcs7-signature is among them */
	enum as2_option micalg;                /* signed-receipt-micalg */
	enum digest_alg micalgs[AS2_MICALGS_MAX]; /* the ones we know, in the sender's order */
	struct slice micalg_names[AS2_MICALGS_MAX]; /* as the sender spelled them */
	size_t nmicalgs;
	bool is_mdn;                           /* the body is a disposition notification, not a document */
	bool maybe_mdn;                        /* it is, or may be: of multipart/signed that is only known when its body is read */
};

/* From the fields in the order they came; slices of *ret point into them or into `arena`. An error means that no MDN is
 * possible and HTTP 400 is the answer: the text says which header is wrong. VAN_ESYNTAX, VAN_ELIMIT, VAN_ENOMEM.
 * What may be an MDN may be without a Message-ID: as2_request_named() tells whether a document has one. */
int as2_request_parse(const struct mime_headers *headers, struct van_arena *arena, struct as2_request *ret,
		      struct van_error *err);

/* VAN_ESYNTAX: there is no Message-ID. */
int as2_request_named(const struct as2_request *r, struct van_error *err);

/* An AS2 name from a header value: quoted forms and backslash escapes are undone; 1 to 128 printable ASCII characters. */
int as2_id_parse(struct slice value, struct van_arena *arena, struct slice *ret);
/* <left@right>, at most 255 characters, printable ASCII without blanks (RFC 5322 section 3.6.4, RFC 4130 section 5.3.3). Only
 * some agreements ask for it: everybody else's are echoed as they are. */
bool as2_message_id_proper(struct slice id);
/* Appends the name as a header value, quoted where it has to be. */
int as2_id_write(struct van_buf *to, struct slice id);

/* The digest that the MDN's MIC should have when the message itself was signed with `signature_digest` (DIGEST_NONE: not
 * signed): that one when it is listed or nothing is listed, else the first known one of the list, else SHA-256.
 * *ret_name: the peer's spelling, or ours. */
enum digest_alg as2_request_mic(const struct as2_request *r, enum digest_alg signature_digest, struct slice *ret_name);

#endif
