/* Reading MDNs: signed or not, synchronous or posted. An MDN is small, so it is given whole. */
#ifndef OPENVAN_AS2_MDN_READ_H
#define OPENVAN_AS2_MDN_READ_H

#include "as2/disposition.h"
#include "cms/cert.h"
#include "cms/algorithm.h"
#include "mime/header.h"

#define AS2_MDN_SIZE_MAX ((size_t)1 << 20)

struct as2_mdn {
	bool was_signed;
	struct slice original_message_id;
	struct slice final_recipient, original_recipient, reporting_ua;
	struct slice disposition_field; /* as it came */
	enum as2_disposition disposition;
	struct slice mic_field;         /* as it came; absent when there is none */
	enum digest_alg mic_alg;        /* DIGEST_NONE when there is none or its name is unknown */
	unsigned char mic[DIGEST_SIZE_MAX];
	size_t mic_size;
	struct slice text;              /* the human part, transfer encoding undone */
	const struct cms_cert *signer;  /* who signed it: one of the certificates given; NULL when not verified */
};

/* `headers`: of the HTTP response or request. Slices of *ret point into `body` or `arena`.
 * 0 when it parses; VAN_ESYNTAX or VAN_ELIMIT with a text when it doesn't. Does not verify. */
int as2_mdn_parse(const struct mime_headers *headers, struct slice body, struct van_arena *arena, struct as2_mdn *ret,
		  struct van_error *err);
/* Parses and verifies the signature against the partner's certificates, sets ret->signer. VAN_ECRYPTO or VAN_ECONFLICT with a
 * text that says what is wrong (then *ret is filled all the same); VAN_ENOTFOUND: the MDN is not signed. */
int as2_mdn_verify(const struct mime_headers *headers, struct slice body, const struct cms_cert *const *certs,
		   size_t ncerts, struct van_arena *arena, struct as2_mdn *ret, struct van_error *err);

#endif
