/* What a profile says of the way that a message may come, besides its signature: addresses, TLS client certificates, HTTP
 * authentication, and where asynchronous MDNs may go. Whoever fails gets an HTTP status and a sentence; nothing is stored. */
#include "as2/request.h"
#include "as2/url.h"
#include "base/cidr.h"
#include "base/codec.h"
#include "base/log.h"
#include "cms/cert.h"
#include "cms/crl.h"
#include "partner/directory.h"
#include "roles/worker/worker.h"

#include <openssl/crypto.h>

static bool revoked(struct worker *w, const struct directory_as2 *d, size_t i, struct van_error *e)
{
	const struct cms_cert *cert, *authorities[PROFILE_CERTIFICATES_MAX];
	size_t n = 0;
	if (d->check_revocation == PROFILE_REVOCATION_NEVER || i >= d->client_ders.n)
		return false;
	for (size_t k = 0; k < d->authorities.n && n < PROFILE_CERTIFICATES_MAX; k++)
		if (cms_cert_cache_get(w->certs, d->authorities.v[k], &authorities[n], NULL) == 0)
			n++;
	return cms_cert_cache_get(w->certs, d->client_ders.v[i], &cert, e) < 0 ||
	       cms_crls_check(w->crls, (enum cms_revocation)d->check_revocation, van_clock_now(), cert, authorities, n, e) < 0;
}

static bool client_allowed(struct worker *w, struct slice shown, const struct directory_as2 *d, struct van_error *e)
{
	van_error_set(e, VAN_EDENIED, "show the TLS client certificate that was agreed on");
	for (size_t i = 0; shown.n && i < d->client_certificates.n; i++)
		if (slice_eq(shown, d->client_certificates.v[i]))
			return !revoked(w, d, i, e);
	return !d->check_client;
}

static bool authenticated(struct worker *w, struct slice header, const struct directory_as2 *d)
{
	struct van_buf plain = VAN_BUF_INIT(1024);
	struct slice rest = slice_trim(header), scheme = slice_cut(&rest, ' ');
	bool ok = false;
	if (!d->auth_user.p)
		return true;
	if (rest.p && slice_case_is(scheme, "Basic") && base64_decode(&plain, slice_trim(rest)) == 0) {
		struct slice password = van_buf_slice(&plain), user = slice_cut(&password, ':');
		ok = password.p && slice_eq(user, d->auth_user) && worker_password_fits(w, d->auth_password, password);
	}
	if (plain.p)
		OPENSSL_cleanse(plain.p, plain.n);
	van_buf_free(&plain);
	return ok;
}

/* NULL when the MDN may go there, else why not. */
static const char *mdn_url_refused(struct worker *w, struct slice url, const struct directory_as2 *d)
{
	struct as2_url u;
	if (as2_url_parse(url, &u) < 0)
		return "Receipt-Delivery-Option is no plain http:// or https:// address: ask for a synchronous MDN, or name a proper address";
	if (d->mdn_url_host.p && as2_url_host_is(&u, d->mdn_url_host))
		return NULL;
	for (size_t i = 0; i < d->mdn_hosts.n; i++)
		if (as2_url_host_is(&u, d->mdn_hosts.v[i]))
			return NULL;
	struct slice text = van_arena_printf(w->arena, "Receipt-Delivery-Option names the host %.*s, to which no MDN goes by our agreement: name the "
				"agreed one, or have us add it to your profile (mdn_hosts)", SLICE_ARG(u.host));
	return text.p ? text.p : "Receipt-Delivery-Option names a host to which no MDN goes by our agreement";
}

static bool refuse(struct worker *w, const struct worker_post *p, unsigned status, const char *text, struct ipc_http_reply *ret)
{
	static const struct ipc_header challenge = {{"WWW-Authenticate", 16}, {"Basic realm=\"AS2\"", 17}};
	*ret = (struct ipc_http_reply){.status = status, .body = van_arena_printf(w->arena, "%s\n", text)};
	if (status == 401)
		ret->headers = (struct record_list){(void *)(uintptr_t)&challenge, 1};
	log_event(LOG_LEVEL_WARNING, "as2-not-admitted", "partner", log_slice(p->directory->partner), "connection",
		  log_slice(p->directory->connection), "peer", log_slice(p->facts->peer), "as2_message_id", log_slice(p->request->message_id),
		  "text", text, NULL);
	return false;
}

bool worker_admit(struct worker *w, const struct worker_post *p, struct ipc_http_reply *ret)
{
	const struct directory_as2 *d = p->directory;
	struct van_error e = {0};
	if (d->addresses.n && !van_cidr_any(&d->addresses, p->facts->peer))
		return refuse(w, p, 403, "messages with these AS2 names are not taken from this address", ret);
	if (!client_allowed(w, p->facts->client_sha256, d, &e))
		return refuse(w, p, 403, e.text, ret);
	if (!authenticated(w, mime_header_get(p->headers, "Authorization"), d))
		return refuse(w, p, 401, "user name and password are missing or wrong", ret);
	const char *why = p->request->mdn_wanted && p->request->mdn_async_url.p ? mdn_url_refused(w, p->request->mdn_async_url, d) : NULL;
	return !why || refuse(w, p, 403, why, ret);
}
