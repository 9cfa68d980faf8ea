/* The answer to an AS2 message: an MDN, signed by keyd, or a plain HTTP answer where none was asked for. */
#include "as2/mdn.h"
#include "as2/receive.h"
#include "base/id.h"
#include "cms/digest.h"
#include "partner/directory.h"
#include "partner/settings.h"
#include "roles/worker/worker.h"

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#define MDN_MAX ((size_t)65536)
#define HEADERS_MAX 24

static int sign_report(struct worker *w, const struct directory_as2 *d, const struct as2_mdn_facts *f, struct slice report,
		       struct van_buf *der, struct van_error *e)
{
	unsigned char digest[DIGEST_SIZE_MAX];
	if (digest_bytes(f->sign, report.p, report.n, digest) < 0)
		return van_error_set(e, VAN_ECRYPTO, "the MDN can't be hashed");
	return worker_sign(w, d, f->sign, digest, f->now, der, e);
}

int worker_split_headers(struct worker *w, struct slice lines, struct record_list *ret)
{
	struct ipc_header *v = van_arena_array(w->arena, HEADERS_MAX, sizeof *v);
	size_t n = 0;
	if (!v)
		return VAN_ENOMEM;
	while (lines.p && lines.n) {
		struct slice value = slice_cut(&lines, '\n');
		if (!slice_trim(value).n)
			continue;
		struct slice name = slice_cut(&value, ':');
		if (n == HEADERS_MAX || !value.p)
			return VAN_EINTERNAL;
		v[n++] = (struct ipc_header){slice_trim(name), slice_trim(value)};
	}
	*ret = (struct record_list){v, n};
	return 0;
}

static void fill_facts(struct worker *w, const struct as2_request *q, const struct as2_received *got, const struct directory_as2 *d,
		       struct as2_mdn_facts *f)
{
	struct slice host = w->role->config->network.host;
	struct van_id id = van_id_new(van_clock_now());
	*f = (struct as2_mdn_facts){
		.request = q,
		.from = q->to,
		.to = q->from,
		.unique = van_arena_slice(w->arena, slice_str(id.text)),
		.message_id = van_arena_printf(w->arena, "<%s@%.*s>", id.text, SLICE_ARG(host)),
		.reporting_ua = van_arena_printf(w->arena, "openvan@%.*s", SLICE_ARG(host)),
		.product = SLICE("openvan:" PACKAGE_VERSION),
		.subject = SLICE("Message disposition notification"),
		.now = van_clock_now(),
		.disposition = got->disposition,
		.text = got->text[0] ? slice_str(got->text) : SLICE_NONE,
		.mic_text = slice_str(got->mic_text),
		/* without a key of the station addressed nobody could check a signature */
		.sign = d->sign.n ? as2_mdn_sign_digest(q, got->mic_alg) : DIGEST_NONE,
	};
}

static int build(struct worker *w, const struct directory_as2 *d, const struct as2_mdn_facts *f, struct van_buf *report,
		 struct van_buf *der, struct van_buf *headers, struct van_buf *body, struct van_error *e)
{
	int rc = as2_mdn_build(f, report, e);
	if (rc == 0 && f->sign != DIGEST_NONE)
		rc = sign_report(w, d, f, van_buf_slice(report), der, e);
	if (rc == 0)
		rc = as2_mdn_finish(f, van_buf_slice(report), van_buf_slice(der), headers, body, e);
	return rc;
}

static int answer_without_mdn(struct worker *w, const struct as2_received *got, struct ipc_http_reply *ret)
{
	*ret = (struct ipc_http_reply){.status = 200, .body = SLICE("")};
	if (as2_disposition_ok(got->disposition))
		return 0;
	/* No MDN can tell the sender, so the status does. */
	ret->status = got->disposition == AS2_UNKNOWN_RELATIONSHIP || got->disposition == AS2_SENDER_EQUALS_RECEIVER ? 403 : 400;
	ret->body = van_arena_printf(w->arena, "%s: %s\n", as2_disposition_name(got->disposition), got->text);
	return ret->body.p ? 0 : VAN_ENOMEM;
}

/* The MDN as one entity, and as an answer whose pieces lie within it. */
static int keep(struct worker *w, const struct as2_mdn_facts *f, struct van_buf *headers, const struct van_buf *body,
		struct worker_answer *ret)
{
	size_t lines = headers->n;
	van_buf_append_str(headers, "\r\n");
	van_buf_append_slice(headers, van_buf_slice(body));
	ret->mdn = headers->error ? SLICE_NONE : van_arena_slice(w->arena, van_buf_slice(headers));
	if (!ret->mdn.p)
		return VAN_ENOMEM;
	ret->http = (struct ipc_http_reply){.status = 200, .body = slice_make(ret->mdn.p + lines + 2, body->n)};
	ret->message_id = f->message_id;
	return worker_split_headers(w, slice_make(ret->mdn.p, lines), &ret->http.headers);
}

int worker_mdn(struct worker *w, const struct as2_request *q, const struct as2_received *got, const struct directory_as2 *d,
	       struct worker_answer *ret, struct van_error *e)
{
	bool later = q->mdn_async_url.p != NULL;
	*ret = (struct worker_answer){.url = SLICE_NONE};
	/* whom we don't know can't name an address either */
	if (!q->mdn_wanted || (later && d->match != DIRECTORY_FOUND))
		return answer_without_mdn(w, got, &ret->http);
	struct van_buf report = VAN_BUF_INIT(MDN_MAX), der = VAN_BUF_INIT(MDN_MAX), headers = VAN_BUF_INIT(3 * MDN_MAX),
		       body = VAN_BUF_INIT(2 * MDN_MAX);
	struct as2_mdn_facts f;
	fill_facts(w, q, got, d, &f);
	int rc = f.message_id.p ? build(w, d, &f, &report, &der, &headers, &body, e) : VAN_ENOMEM;
	if (rc == 0)
		rc = keep(w, &f, &headers, &body, ret);
	if (rc == 0 && later) {
		ret->http = (struct ipc_http_reply){.status = 204, .body = SLICE("")};
		ret->url = q->mdn_async_url;
	}
	van_buf_free(&report);
	van_buf_free(&der);
	van_buf_free(&headers);
	van_buf_free(&body);
	return rc;
}
