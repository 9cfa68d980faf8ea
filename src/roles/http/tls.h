/* TLS of one listener: its certificates, chosen by the name that a client asks for, and what clients have to show. A set of
 * them is unchanging; a reload makes another one for connections to come. */
#ifndef OPENVAN_ROLES_HTTP_TLS_H
#define OPENVAN_ROLES_HTTP_TLS_H

#include "base/error.h"
#include "partner/settings.h"
#include "roles/role.h"

#include <gnutls/abstract.h>

#define TLS_PRIORITIES "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"
struct tls_set;

/* From the files that the role was handed for this listener. VAN_ENOTFOUND, VAN_ESYNTAX, VAN_ECONFLICT (key and certificate
 * don't belong together), VAN_ENOMEM; `e` names the file. */
int tls_set_load(struct role *r, uint64_t listener, const struct van_config_tls *config, struct tls_set **ret, struct van_error *e);
struct tls_set *tls_set_hold(struct tls_set *s);
void tls_set_release(struct tls_set *s); /* NULL is fine */

/* At a connection's start: which certificates it uses, and whether the client is asked for one. The set must be held until
 * the connection ends. */
void tls_session_prepare(gnutls_session_t session, struct tls_set *s);
/* libmicrohttpd's certificate callback. */
int tls_session_certificate(gnutls_session_t session, const struct gnutls_cert_retr_st *info, gnutls_pcert_st **ret_chain, unsigned *ret_n,
			    gnutls_ocsp_data_st **ret_ocsp, unsigned *ret_nocsp, gnutls_privkey_t *ret_key, unsigned *ret_flags);
/* After the handshake: the SHA-256 of the client's certificate in hex; empty when it showed none. False when it showed one
 * that client_ca does not vouch for. */
bool tls_session_client(gnutls_session_t session, const struct tls_set *s, char sha256[65]);

#endif
