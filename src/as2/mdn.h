/* Writing MDNs (RFC 4130 section 7, RFC 8098, RFC 3462), in two steps because the signature is made elsewhere:
 *
 *	as2_mdn_build(&facts, &report)            exact bytes of the multipart/report entity, headers included
 *	digest over report, signature from keyd   (facts.sign says which digest)
 *	as2_mdn_finish(&facts, report, der, &headers, &body)
 */
#ifndef OPENVAN_AS2_MDN_H
#define OPENVAN_AS2_MDN_H

#include "as2/disposition.h"
#include "as2/request.h"
#include "base/clock.h"

struct as2_mdn_facts {
	const struct as2_request *request; /* what is answered */
	struct slice from, to;        /* AS2 names for the MDN's header: from is ours */
	struct slice message_id;      /* the MDN's own, with its angle brackets */
	struct slice unique;          /* 1..60 letters and digits, never used for another MDN (a stored message's id): boundaries */
	struct slice reporting_ua;    /* "openvan@van.example" */
	struct slice product;         /* AS2-Product and Server, "openvan:0.1"; may be absent */
	struct slice subject;         /* may be absent */
	van_time now;                 /* Date */
	enum as2_disposition disposition;
	struct slice text;            /* human part; absent: a sentence for the disposition */
	struct slice mic_text;        /* as2_received.mic_text; absent or empty: no Received-Content-MIC */
	enum digest_alg sign;         /* DIGEST_NONE: not signed */
};

/* Which digest signs the MDN: the one of its MIC when `request` asks for a signed receipt, DIGEST_NONE when it doesn't.
 * MD5 is never used: SHA-256 instead. */
enum digest_alg as2_mdn_sign_digest(const struct as2_request *request, enum digest_alg mic_alg);

/* Appends the report. 0, VAN_EINVAL (a fact with CR, LF or NUL in it), or the buffer's error. */
int as2_mdn_build(const struct as2_mdn_facts *f, struct van_buf *report, struct van_error *err);

/* `report`: what as2_mdn_build() made. `signature`: DER of the detached SignedData; ignored when f->sign is DIGEST_NONE.
 * Appends header lines "Name: value" CRLF without the empty line (Content-Type, AS2-From, …; not Content-Length), and the
 * body: headers, CRLF and body together are a MIME entity that `openssl cms -verify` reads. */
int as2_mdn_finish(const struct as2_mdn_facts *f, struct slice report, struct slice signature, struct van_buf *headers,
		   struct van_buf *body, struct van_error *err);

#endif
