#include "roles/http/tls.h"

#include "base/fdio.h"
#include "base/log.h"

#include <gnutls/crypto.h>
#include <gnutls/ocsp.h>
#include <gnutls/x509.h>
#include <stdlib.h>

#define FILE_MAX ((size_t)1 << 20)
#define CHAIN_MAX 16
#define NAME_MAX_DNS 256

struct tls_pair {
	gnutls_pcert_st chain[CHAIN_MAX];
	unsigned nchain;
	gnutls_x509_crt_t leaf; /* for its names */
	gnutls_privkey_t key;
	gnutls_ocsp_data_st ocsp; /* response.data NULL: none */
};

struct tls_set {
	size_t holders;
	struct tls_pair *pairs; /* the first one where no name fits */
	size_t npairs;
	uint32_t client;               /* enum van_tls_client */
	gnutls_x509_trust_list_t trust; /* NULL: any client certificate will do */
};

/* --- loading ---------------------------------------------------------------------------------------------------------------- */

static int read_file(struct role *r, const char *name, uint64_t index, struct van_buf *to, struct van_error *e)
{
	struct role_file *f = role_file(r, name, index);
	*to = VAN_BUF_INIT(FILE_MAX);
	int rc = f && f->fd >= 0 ? fd_read_file(f->fd, to) : VAN_ENOTFOUND;
	return rc < 0 ? van_error_set(e, (enum van_err)rc, "%s: %s can't be read", name, f ? f->path : "the file") : 0;
}

static gnutls_datum_t datum(const struct van_buf *b)
{
	return (gnutls_datum_t){(unsigned char *)b->p, (unsigned)b->n};
}

static bool belong_together(const struct tls_pair *p)
{
	unsigned char a[64], b[64];
	size_t na = sizeof a, nb = sizeof b;
	gnutls_pubkey_t public_key;
	if (gnutls_pubkey_init(&public_key) < 0)
		return false;
	bool same = gnutls_pubkey_import_privkey(public_key, p->key, 0, 0) == 0 &&
		    gnutls_pubkey_get_key_id(public_key, GNUTLS_KEYID_USE_SHA256, a, &na) == 0 &&
		    gnutls_x509_crt_get_key_id(p->leaf, GNUTLS_KEYID_USE_SHA256, b, &nb) == 0 && na == nb && memcmp(a, b, na) == 0;
	gnutls_pubkey_deinit(public_key);
	return same;
}

static int import_pair(struct tls_pair *p, const struct van_buf *certificate, const struct van_buf *key, const char *path, struct van_error *e)
{
	gnutls_datum_t c = datum(certificate), k = datum(key);
	unsigned n = CHAIN_MAX;
	if (gnutls_x509_crt_init(&p->leaf) < 0 || gnutls_privkey_init(&p->key) < 0)
		return van_error_set(e, VAN_ENOMEM, "no memory for TLS keys");
	if (gnutls_x509_crt_import(p->leaf, &c, GNUTLS_X509_FMT_PEM) < 0 ||
	    gnutls_pcert_list_import_x509_raw(p->chain, &n, &c, GNUTLS_X509_FMT_PEM, 0) < 0)
		return van_error_set(e, VAN_ESYNTAX, "%s holds no proper chain of PEM certificates (%d at most)", path, CHAIN_MAX);
	p->nchain = n;
	if (gnutls_privkey_import_x509_raw(p->key, &k, GNUTLS_X509_FMT_PEM, NULL, 0) < 0)
		return van_error_set(e, VAN_ESYNTAX, "the private key of %s can't be read: it has to be PEM without a password", path);
	return belong_together(p) ? 0 : van_error_set(e, VAN_ECONFLICT, "the certificate %s and its key don't belong together", path);
}

static int load_pair(struct role *r, uint64_t index, struct tls_pair *p, struct van_error *e)
{
	struct van_buf certificate = VAN_BUF_INIT(0), key = VAN_BUF_INIT(0);
	int rc = read_file(r, "tls-certificate", index, &certificate, e);
	if (rc == 0)
		rc = read_file(r, "tls-key", index, &key, e);
	if (rc == 0)
		rc = import_pair(p, &certificate, &key, role_file(r, "tls-certificate", index)->path, e);
	van_buf_free(&certificate);
	if (key.p)
		gnutls_memset(key.p, 0, key.n);
	van_buf_free(&key);
	return rc;
}

/* A response that is of no use is left out: clients that must have one then say so, and others do not care. */
static bool import_ocsp(struct tls_pair *p, const struct van_buf *der)
{
	gnutls_ocsp_resp_t response;
	gnutls_datum_t d = datum(der);
	if (gnutls_ocsp_resp_init(&response) < 0)
		return false;
	bool fits = gnutls_ocsp_resp_import2(response, &d, GNUTLS_X509_FMT_DER) == 0 && gnutls_ocsp_resp_check_crt(response, 0, p->leaf) == 0;
	time_t next = 0;
	if (fits && gnutls_ocsp_resp_get_single(response, 0, NULL, NULL, NULL, NULL, NULL, NULL, &next, NULL, NULL) < 0)
		fits = false;
	gnutls_ocsp_resp_deinit(response);
	if (!fits || !(p->ocsp.response.data = gnutls_malloc(d.size)))
		return false;
	memcpy(p->ocsp.response.data, d.data, d.size);
	p->ocsp.response.size = d.size;
	p->ocsp.exptime = next;
	return true;
}

static int load_ocsp(struct role *r, uint64_t index, struct tls_pair *p, struct van_error *e)
{
	struct van_buf der = VAN_BUF_INIT(0);
	int rc = read_file(r, "ocsp", index, &der, e);
	if (rc == 0 && !import_ocsp(p, &der))
		rc = van_error_set(e, VAN_ESYNTAX, "%s is no OCSP response in DER about the certificate beside it", role_file(r, "ocsp", index)->path);
	van_buf_free(&der);
	return rc;
}

static int load_trust(struct role *r, uint64_t index, bool lists, struct tls_set *s, struct van_error *e)
{
	struct van_buf pem = VAN_BUF_INIT(0), crls = VAN_BUF_INIT(0);
	int rc = read_file(r, "client-ca", index, &pem, e);
	if (rc == 0 && lists)
		rc = read_file(r, "client-crl", index, &crls, e);
	if (rc == 0 && gnutls_x509_trust_list_init(&s->trust, 0) < 0)
		rc = van_error_set(e, VAN_ENOMEM, "no memory for client_ca");
	gnutls_datum_t d = datum(&pem), l = datum(&crls);
	if (rc == 0 && gnutls_x509_trust_list_add_trust_mem(s->trust, &d, NULL, GNUTLS_X509_FMT_PEM, 0, 0) < 1)
		rc = van_error_set(e, VAN_ESYNTAX, "client_ca holds no PEM certificate");
	/* each list has to be signed by one of them */
	if (rc == 0 && lists && gnutls_x509_trust_list_add_trust_mem(s->trust, NULL, &l, GNUTLS_X509_FMT_PEM, GNUTLS_TL_VERIFY_CRL, 0) < 1)
		rc = van_error_set(e, VAN_ESYNTAX, "client_crl holds no PEM revocation list of an authority in client_ca");
	van_buf_free(&pem);
	van_buf_free(&crls);
	return rc;
}

int tls_set_load(struct role *r, uint64_t listener, const struct van_config_tls *config, struct tls_set **ret, struct van_error *e)
{
	struct tls_set *s = calloc(1, sizeof *s);
	if (!s || !(s->pairs = calloc(1 + config->sni.n, sizeof *s->pairs))) {
		free(s);
		return van_error_set(e, VAN_ENOMEM, "no memory for TLS keys");
	}
	s->holders = 1;
	s->client = config->client;
	int rc = 0;
	for (size_t i = 0; i <= config->sni.n && rc == 0; i++) {
		s->npairs++;
		uint64_t index = i ? ROLE_SNI_FILE(listener, i - 1) : listener;
		struct slice ocsp = i ? RECORD_AT(config->sni, struct van_config_tls_pair, i - 1)->ocsp : config->ocsp;
		rc = load_pair(r, index, &s->pairs[i], e);
		if (rc == 0 && ocsp.p)
			rc = load_ocsp(r, index, &s->pairs[i], e);
	}
	if (rc == 0 && config->client_ca.p)
		rc = load_trust(r, listener, config->client_crl.p != NULL, s, e);
	if (rc < 0) {
		tls_set_release(s);
		return rc;
	}
	*ret = s;
	return 0;
}

struct tls_set *tls_set_hold(struct tls_set *s)
{
	s->holders++;
	return s;
}

void tls_set_release(struct tls_set *s)
{
	if (!s || --s->holders)
		return;
	for (size_t i = 0; i < s->npairs; i++) {
		struct tls_pair *p = &s->pairs[i];
		for (unsigned k = 0; k < p->nchain; k++)
			gnutls_pcert_deinit(&p->chain[k]);
		gnutls_x509_crt_deinit(p->leaf);
		gnutls_privkey_deinit(p->key);
		gnutls_free(p->ocsp.response.data);
	}
	if (s->trust)
		gnutls_x509_trust_list_deinit(s->trust, 1);
	free(s->pairs);
	free(s);
}

/* --- sessions --------------------------------------------------------------------------------------------------------------- */

/* The certificate callback gets nothing but the session. Its pointer for a session cache is free: there is none, and TLS 1.3's
 * tickets need none. */
void tls_session_prepare(gnutls_session_t session, struct tls_set *s)
{
	gnutls_db_set_ptr(session, s);
	gnutls_certificate_server_set_request(session, s->client == VAN_TLS_CLIENT_REQUIRED   ? GNUTLS_CERT_REQUIRE
						       : s->client == VAN_TLS_CLIENT_OPTIONAL ? GNUTLS_CERT_REQUEST
											      : GNUTLS_CERT_IGNORE);
}

static const struct tls_pair *choose(gnutls_session_t session, const struct tls_set *s)
{
	char name[NAME_MAX_DNS + 1];
	size_t n = NAME_MAX_DNS;
	unsigned type;
	if (gnutls_server_name_get(session, name, &n, &type, 0) == 0 && type == GNUTLS_NAME_DNS && n <= NAME_MAX_DNS) {
		name[n] = 0;
		for (size_t i = 0; i < s->npairs; i++)
			if (gnutls_x509_crt_check_hostname(s->pairs[i].leaf, name))
				return &s->pairs[i];
	}
	return &s->pairs[0];
}

int tls_session_certificate(gnutls_session_t session, const struct gnutls_cert_retr_st *info, gnutls_pcert_st **ret_chain, unsigned *ret_n,
			    gnutls_ocsp_data_st **ret_ocsp, unsigned *ret_nocsp, gnutls_privkey_t *ret_key, unsigned *ret_flags)
{
	const struct tls_set *s = gnutls_db_get_ptr(session);
	(void)info;
	if (!s)
		return -1;
	const struct tls_pair *p = choose(session, s);
	/* one that is too old makes clients end the connection, none does not */
	bool stapled = p->ocsp.response.data && (!p->ocsp.exptime || p->ocsp.exptime > time(NULL));
	*ret_chain = (gnutls_pcert_st *)(uintptr_t)p->chain;
	*ret_n = p->nchain;
	*ret_ocsp = stapled ? (gnutls_ocsp_data_st *)(uintptr_t)&p->ocsp : NULL;
	*ret_nocsp = stapled;
	*ret_key = p->key;
	*ret_flags = 0; /* all of it stays ours */
	return 0;
}

/* Purposes are not looked at: partners use the certificates they have. */
static bool vouched_for(const struct tls_set *s, const gnutls_datum_t *chain, unsigned n)
{
	gnutls_x509_crt_t list[CHAIN_MAX];
	unsigned have = 0, status = GNUTLS_CERT_INVALID;
	while (have < n && have < CHAIN_MAX) {
		if (gnutls_x509_crt_init(&list[have]) < 0)
			break;
		int rc = gnutls_x509_crt_import(list[have], &chain[have], GNUTLS_X509_FMT_DER);
		have++;
		if (rc < 0)
			break;
	}
	/* what could not be read is an empty certificate, which nobody vouches for */
	bool ok = have && have == n && gnutls_x509_trust_list_verify_crt(s->trust, list, have, 0, &status, NULL) == 0 && status == 0;
	for (unsigned i = 0; i < have; i++)
		gnutls_x509_crt_deinit(list[i]);
	return ok;
}

bool tls_session_client(gnutls_session_t session, const struct tls_set *s, char sha256[65])
{
	unsigned n = 0;
	unsigned char hash[32];
	const gnutls_datum_t *chain = s->client == VAN_TLS_CLIENT_NONE ? NULL : gnutls_certificate_get_peers(session, &n);
	sha256[0] = 0;
	if (!chain || !n)
		return true;
	if (s->trust && !vouched_for(s, chain, n))
		return false;
	if (gnutls_hash_fast(GNUTLS_DIG_SHA256, chain[0].data, chain[0].size, hash) < 0)
		return false;
	for (size_t i = 0; i < sizeof hash; i++) {
		static const char digits[] = "0123456789abcdef";
		sha256[2 * i] = digits[hash[i] >> 4];
		sha256[2 * i + 1] = digits[hash[i] & 15];
	}
	sha256[64] = 0;
	return true;
}
