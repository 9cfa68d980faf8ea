/* AS2 messages for the load generator: distinct orders, signed and encrypted with libcrypto, and the check of an MDN. */
#ifndef OPENVAN_BENCH_AS2_MESSAGE_H
#define OPENVAN_BENCH_AS2_MESSAGE_H

#include <stddef.h>
#include <stdint.h>

#include <openssl/evp.h>
#include <openssl/x509.h>

struct as2_sender {
	const char *from, *to;         /* AS2-From, AS2-To */
	const char *edi_from, *edi_to; /* QUAL:ID */
	const char *host, *path;
	X509 *certificate;   /* the sender's */
	EVP_PKEY *key;
	X509 *recipient;     /* messages are encrypted for it */
	X509 *mdn_certificate; /* MDNs must be signed by it */
	size_t payload_size; /* bytes of EDI, at least */
	unsigned orders;     /* in each interchange; they share its size */
	uint64_t run;        /* makes Message-IDs of two runs differ */
};

struct as2_message {
	unsigned char *request; /* HTTP head and body */
	size_t size;
	unsigned char mic[32];
	uint32_t number;
};

/* Makes order `number` as a complete HTTP request. 0 or -1 (OpenSSL's error queue says why). */
int as2_message_make(const struct as2_sender *s, uint32_t number, struct as2_message *ret);
void as2_message_free(struct as2_message *m);

/* Checks the signature, disposition, Original-Message-ID and MIC of a synchronous MDN. NULL when all is well, else what is not. */
const char *as2_mdn_check(const struct as2_sender *s, const struct as2_message *m, const char *content_type, const char *body,
			  size_t size);

#endif
