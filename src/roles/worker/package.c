/* IPC_PACKAGE: a stored document becomes an AS2 message for one connection. IPC_MDN_CHECK: is what came back the receipt for it? */
#include "as2/mdn_read.h"
#include "as2/package.h"
#include "base/codec.h"
#include "base/fault.h"
#include "base/fdio.h"
#include "base/id.h"
#include "base/log.h"
#include "cms/digest.h"
#include "partner/directory.h"
#include "partner/settings.h"
#include "roles/worker/worker.h"

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <jansson.h>
#include <stdlib.h>
#include <unistd.h>

#define SNIFF 16

/* One message for one connection. */
struct packaging {
	struct worker *worker;
	const struct ipc_package *from;
	int fd; /* of the payload where it is not inline, else -1 */
	int beside; /* the same of what goes with it */
	struct as2_attached attached[AS2_ATTACHED_MAX];
	struct attached_from {
		struct packaging *k;
		uint64_t offset;
	} from_of[AS2_ATTACHED_MAX];
	struct directory_as2 directory;
	struct spool scratch, body;
	struct as2_package_config config;
	struct van_id unique;
};

/* --- the document ------------------------------------------------------------------------------------------------------- */

static int read_document(void *arg, uint64_t at, void *p, size_t n)
{
	struct packaging *k = arg;
	worker_progress(k->worker);
	if (!k->from->payload.p)
		return fd_pread_all(k->fd, p, n, (off_t)(k->from->offset + at));
	if (n)
		memcpy(p, k->from->payload.p + at, n);
	return 0;
}

static int read_attached(void *arg, uint64_t at, void *p, size_t n)
{
	const struct attached_from *f = arg;
	const struct ipc_package *from = f->k->from;
	uint64_t place = f->offset + at;
	worker_progress(f->k->worker);
	if (!from->attachments.p)
		return fd_pread_all(f->k->beside, p, n, (off_t)(from->attachments_offset + place));
	if (place > from->attachments.n || n > from->attachments.n - place)
		return VAN_EINVAL;
	if (n)
		memcpy(p, from->attachments.p + place, n);
	return 0;
}

static struct slice list_text(struct packaging *k, const json_t *one, const char *key)
{
	const char *s = json_string_value(json_object_get(one, key));
	return s ? van_arena_slice(k->worker->arena, slice_str(s)) : SLICE_NONE;
}

/* What the list says lies one behind the other. */
static int find_attached(struct packaging *k, struct van_error *e)
{
	const struct ipc_package *from = k->from;
	uint64_t at = 0;
	size_t i;
	json_t *one, *list = from->attachment_list.p ? json_loadb(from->attachment_list.p, from->attachment_list.n, 0, NULL) : NULL;
	if (!from->attachment_list.p)
		return 0;
	bool good = json_is_array(list) && json_array_size(list) <= AS2_ATTACHED_MAX && (from->attachments.p || k->beside >= 0);
	json_array_foreach(list, i, one) {
		if (!good)
			break;
		json_int_t bytes = json_integer_value(json_object_get(one, "bytes"));
		k->from_of[i] = (struct attached_from){k, at};
		k->attached[i] = (struct as2_attached){.content_type = list_text(k, one, "content_type"), .file_name = list_text(k, one, "file_name"),
						       .source = {.arg = &k->from_of[i], .read = read_attached, .size = (uint64_t)bytes}};
		good = bytes >= 0;
		at += (uint64_t)bytes;
	}
	k->config.attached = k->attached;
	k->config.nattached = good ? json_array_size(list) : 0;
	k->config.related = from->message;
	json_decref(list);
	return good ? 0 : van_error_set(e, VAN_EINVAL, "the list of attachments can't be read");
}

static struct slice content_type(struct packaging *k)
{
	const struct directory_send *send = k->directory.send;
	char start[SNIFF] = {0};
	if (send->content_type.n)
		return send->content_type;
	if (k->from->content_type.n)
		return k->from->content_type;
	uint64_t size = k->config.document.size;
	if (read_document(k, 0, start, size < SNIFF ? (size_t)size : SNIFF) < 0)
		return SLICE_NONE;
	struct slice s = slice_trim(slice_make(start, strnlen(start, SNIFF)));
	if (slice_starts(s, "ISA"))
		return SLICE("application/edi-x12");
	if (slice_starts(s, "UNA") || slice_starts(s, "UNB"))
		return SLICE("application/edifact");
	if (slice_starts(s, "<"))
		return SLICE("application/xml");
	if (slice_starts(s, "{") || slice_starts(s, "["))
		return SLICE("application/json");
	return SLICE("application/octet-stream");
}

static int write_scratch(void *arg, const void *p, size_t n)
{
	struct packaging *k = arg;
	return spool_write(&k->scratch, p, n);
}

static int read_scratch(void *arg, uint64_t at, void *p, size_t n)
{
	struct packaging *k = arg;
	return spool_read(&k->scratch, at, p, n);
}

static int write_body(void *arg, const void *p, size_t n)
{
	struct packaging *k = arg;
	return spool_write(&k->body, p, n);
}

static int sign_digest(void *arg, enum digest_alg alg, const unsigned char *digest, struct van_buf *der, struct van_error *err)
{
	struct packaging *k = arg;
	return worker_sign(k->worker, &k->directory, alg, digest, van_clock_now(), der, err);
}

/* --- how --------------------------------------------------------------------------------------------------------------------- */

/* Where asynchronous MDNs come in: as the profile says, or by our first AS2 listener. */
static struct slice mdn_url(struct packaging *k)
{
	const struct van_config *c = k->worker->role->config;
	const struct directory_send *send = k->directory.send;
	if (send->mdn != PROFILE_MDN_ASYNC || send->mdn_url.n)
		return send->mdn == PROFILE_MDN_ASYNC ? send->mdn_url : SLICE_NONE;
	const struct van_config_listener *l = c->listen.as2.n ? c->listen.as2.v : NULL;
	return van_arena_printf(k->worker->arena, "%s://%.*s:%u%.*s/mdn", l && l->tls ? "https" : "http", SLICE_ARG(c->network.host),
				l ? (unsigned)l->port : 80, SLICE_ARG(c->as2.path));
}

static int choose_recipient(struct packaging *k, struct van_error *e)
{
	const struct directory_send *send = k->directory.send;
	if (k->config.encrypt == CIPHER_NONE)
		return 0;
	if (!send->certificates.n)
		return van_error_set(e, VAN_EDENIED, "connection %.*s has no certificate in use to encrypt for: add the partner's to "
					"send.certificates", SLICE_ARG(k->directory.connection));
	return cms_cert_cache_get(k->worker->certs, send->certificates.v[0], &k->config.recipient, e);
}

static int configure(struct packaging *k, struct van_error *e)
{
	struct worker *w = k->worker;
	int rc = record_decode(&directory_as2_table, k->from->connection, w->arena, &k->directory);
	const struct directory_send *send = rc == 0 ? k->directory.send : NULL;
	if (!send)
		return van_error_set(e, VAN_EINVAL, "nothing is sent over this connection: add \"send\" to its profile");
	k->unique = van_id_new(van_clock_now());
	k->config = (struct as2_package_config){
		.from = k->directory.as2_to, .to = k->directory.as2_from, .message_id = k->from->as2_message_id,
		.unique = slice_str(k->unique.text), .host = w->role->config->network.host, .product = SLICE("openvan:" PACKAGE_VERSION),
		.version_minor = send->as2_version == PROFILE_AS2_1_3 ? 3 : 2,
		.subject = send->subject, .file_name = k->from->file_name, .now = van_clock_now(),
		.document = {.arg = k, .read = read_document, .size = k->from->payload.p ? k->from->payload.n : k->from->length},
		.compress = (enum as2_compress)send->compress, .sign = send->sign.p ? digest_from_name(send->sign) : DIGEST_NONE,
		.encrypt = send->encrypt.p ? cipher_from_name(send->encrypt) : CIPHER_NONE,
		.wrap = send->key_transport == PROFILE_TRANSPORT_RSA_OAEP ? WRAP_RSA_OAEP : WRAP_RSA_PKCS1,
		.mdn_wanted = send->mdn != PROFILE_MDN_NONE, .mdn_signed = send->mdn_signed, .mdn_url = mdn_url(k),
		.arena = w->arena, .arg = k, .sign_digest = sign_digest, .scratch = {write_scratch, k}, .scratch_read = read_scratch,
		.body = {write_body, k},
	};
	k->config.content_type = content_type(k);
	rc = find_attached(k, e);
	return rc < 0 ? rc : choose_recipient(k, e);
}

static struct slice base64(struct worker *w, const unsigned char *p, size_t n)
{
	struct van_buf b = VAN_BUF_INIT(256);
	base64_encode(&b, p, n, 0);
	struct slice s = van_arena_slice(w->arena, van_buf_slice(&b));
	van_buf_free(&b);
	return s;
}

/* --- IPC_PACKAGE ------------------------------------------------------------------------------------------------------------- */

static void send_refusal(struct worker *w, uint64_t request, struct slice message, int rc, const struct van_error *e)
{
	struct ipc_packaged p = {.message = message, .error = slice_str(e->text[0] ? e->text : van_err_name(rc)),
				 .refused = rc == VAN_EINVAL || rc == VAN_ESYNTAX || rc == VAN_EDENIED};
	ipc_send(w->dispatch, IPC_PACKAGED, request, &ipc_packaged_table, &p, NULL, 0);
}

static int send_packaged(struct packaging *k, uint64_t request, const struct as2_packaged *made)
{
	struct worker *w = k->worker;
	struct ipc_packaged p = {
		.message = k->from->message, .ok = true, .micalg = slice_str(digest_micalg(made->mic_alg)),
		.mic = base64(w, made->mic, digest_size(made->mic_alg)), .entity_headers = made->entity_headers,
		.compress = (uint32_t)k->config.compress, .bytes = k->body.bytes,
	};
	int fd = k->body.fd;
	int rc = worker_split_headers(w, made->headers, &p.headers);
	if (made->document_is_body) {
		p.body = k->from->payload;
		p.offset = k->from->offset;
		p.bytes = k->config.document.size;
		fd = k->fd;
	} else if (fd < 0) {
		p.body = van_buf_slice(&k->body.memory);
	}
	if (rc == 0 && k->directory.send->restart && !made->document_is_body) { /* the store keeps it; the disk is not for everybody to wait for */
		p.etag = slice_str(k->unique.text);
		rc = spool_flush(&k->body);
	} else if (k->directory.send->restart) {
		p.etag = slice_str(k->unique.text);
	}
	van_fault_point("worker-before-packaged");
	return rc < 0 ? rc : ipc_send(w->dispatch, IPC_PACKAGED, request, &ipc_packaged_table, &p, p.body.p ? NULL : &fd, !p.body.p);
}

static void open_spools(struct packaging *k)
{
	spool_open(&k->scratch, k->worker->spool_folder, 0);
	spool_open(&k->body, k->worker->spool_folder, 0);
}

static void close_spools(struct packaging *k)
{
	spool_close(&k->scratch);
	spool_close(&k->body);
	if (k->fd >= 0)
		close(k->fd);
	if (k->beside >= 0)
		close(k->beside);
}

/* The descriptors in their order, each where its bytes are not inline; *next is the first behind them. */
static void take_fds(struct packaging *k, struct ipc_message *m, const struct ipc_package *from, size_t *next)
{
	if (!from->payload.p)
		k->fd = ipc_take_fd(m, (*next)++);
	if (from->attachment_list.p && !from->attachments.p)
		k->beside = ipc_take_fd(m, (*next)++);
}

void worker_package(struct worker *w, struct ipc_message *m)
{
	struct ipc_package from = {.message = SLICE_NONE};
	struct packaging k = {.worker = w, .from = &from, .fd = -1, .beside = -1};
	size_t next = 0;
	struct van_error e = {0};
	struct as2_packaged made;
	struct slice body = van_arena_slice(w->arena, m->body); /* keyd's answers come over another channel, but look-ups may not */
	worker_progress(w);
	open_spools(&k);
	int rc = body.p ? record_decode(&ipc_package_table, body, w->arena, &from) : VAN_ENOMEM;
	if (rc == 0)
		take_fds(&k, m, &from, &next);
	if (rc == 0 && !from.payload.p && k.fd < 0)
		rc = VAN_EINVAL;
	if (rc == 0)
		rc = configure(&k, &e);
	if (rc == 0)
		rc = as2_package(&k.config, &made, &e);
	if (rc == 0)
		rc = send_packaged(&k, m->request, &made);
	if (rc < 0)
		send_refusal(w, m->request, from.message, rc, &e);
	close_spools(&k);
	alarm(0);
}

/* --- IPC_MDN_CHECK ------------------------------------------------------------------------------------------------------------ */

struct checking {
	struct worker *w;
	struct packaging package;
	struct ipc_mdn_check from;
	struct as2_mdn mdn;
	bool verified; /* signed by a certificate of the partner */
	struct ipc_mdn_checked out;
};

static int read_mdn(struct checking *c, struct slice body, struct van_error *e)
{
	const struct cms_cert *certs[PROFILE_CERTIFICATES_MAX];
	const struct directory_as2 *d = &c->package.directory;
	struct mime_headers headers;
	size_t n = 0;
	int rc = worker_mime_headers(c->w, &c->from.headers, &headers);
	for (size_t i = 0; i < d->certificates.n && n < PROFILE_CERTIFICATES_MAX; i++)
		if (cms_cert_cache_get(c->w->certs, d->certificates.v[i], &certs[n], NULL) == 0)
			n++;
	if (rc == 0)
		rc = as2_mdn_verify(&headers, body, certs, n, c->w->arena, &c->mdn, e);
	c->verified = rc == 0;
	return rc;
}

/* What the receiver should have computed, by the digest that its MDN names. */
static int expected_mic(struct checking *c, struct slice *ret, struct van_error *e)
{
	unsigned char mic[DIGEST_SIZE_MAX];
	enum digest_alg alg = c->mdn.mic_alg;
	if (digest_from_name(c->from.micalg) == alg) {
		*ret = c->from.mic;
		return 0;
	}
	c->package.config.entity_headers = c->from.entity_headers;
	c->package.config.compress = (enum as2_compress)c->from.compress;
	int rc = as2_package_mic(&c->package.config, alg, mic, e);
	if (rc == 0)
		*ret = base64(c->w, mic, digest_size(alg));
	return rc < 0 ? rc : ret->p ? 0 : VAN_ENOMEM;
}

static void say(struct checking *c, enum ipc_mdn_verdict verdict, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
static void say(struct checking *c, enum ipc_mdn_verdict verdict, const char *fmt, ...)
{
	struct van_buf b = VAN_BUF_INIT(4096);
	va_list ap;
	va_start(ap, fmt);
	van_buf_vprintf(&b, fmt, ap);
	va_end(ap);
	for (size_t i = 0; i < b.n; i++) /* one line, whatever the receiver wrote */
		b.p[i] = b.p[i] == '\r' || b.p[i] == '\n' ? ' ' : b.p[i];
	c->out.verdict = verdict;
	c->out.text = van_arena_slice(c->w->arena, van_buf_slice(&b));
	van_buf_free(&b);
}

/* The digest the receiver names is taken from the MIC field, for people. */
static int compare_mic(struct checking *c, struct van_error *e)
{
	struct slice expected = SLICE_NONE;
	const struct as2_mdn *m = &c->mdn;
	if (m->mic_alg == DIGEST_NONE) {
		if (!m->mic_field.n && m->disposition == AS2_DUPLICATE_DOCUMENT) {
			/* the receipt for an earlier try was lost; under this Message-ID nobody else sends, and we nothing else */
			say(c, IPC_MDN_POSITIVE, "%sMDN without a MIC: the receiver has the message already: %.*s", c->verified ? "verified " : "unsigned ",
			    SLICE_ARG(m->disposition_field));
			return 0;
		}
		if (!m->mic_field.n && !c->package.directory.send->mdn_signed) {
			say(c, IPC_MDN_POSITIVE, "MDN without a MIC: %.*s", SLICE_ARG(m->disposition_field));
			return 0;
		}
		if (m->mic_field.n)
			say(c, IPC_MDN_MISMATCH, "the MDN's MIC can't be read: \"%.*s\"", SLICE_ARG(m->mic_field));
		else
			say(c, IPC_MDN_MISMATCH, "the MDN has no MIC, so it proves nothing%s",
			    c->package.directory.send->sign.p ? "" : "; some compute one for signed messages only: sign them, or set mdn.signed: false");
		return 0;
	}
	int rc = expected_mic(c, &expected, e);
	if (rc < 0)
		return rc;
	struct slice got = base64(c->w, m->mic, m->mic_size);
	const char *alg = digest_micalg(m->mic_alg);
	if (!slice_eq(expected, got))
		say(c, IPC_MDN_MISMATCH, "the receiver got something else: its MIC is %.*s, ours %.*s (%s)", SLICE_ARG(got), SLICE_ARG(expected), alg);
	else
		say(c, IPC_MDN_POSITIVE, "%sMDN, MIC %.*s (%s): %.*s", c->verified ? "verified " : "unsigned ", SLICE_ARG(got), alg,
		    SLICE_ARG(m->disposition_field));
	return 0;
}

static struct slice without_brackets(struct slice id)
{
	id = slice_trim(id);
	return id.n > 2 && id.p[0] == '<' && id.p[id.n - 1] == '>' ? slice_make(id.p + 1, id.n - 2) : id;
}

/* Whose word counts: a signed MDN's, once verified. An unsigned one's where the profile is content with that; a refusal
 * that came as the answer to our own request is believed, one that anybody could have posted is not. */
static int judge(struct checking *c, int read, struct van_error *e)
{
	const struct as2_mdn *m = &c->mdn;
	bool ok, sign_wanted = c->package.directory.send->mdn_signed;
	if (read < 0 && read != VAN_ENOTFOUND) {
		if (read == VAN_ENOMEM)
			return read;
		say(c, IPC_MDN_UNVERIFIED, "%s", e->text[0] ? e->text : van_err_name(read));
		return 0;
	}
	ok = as2_disposition_ok(m->disposition);
	c->out.disposition = m->disposition_field;
	if (m->signer)
		c->out.signer_sha256 = slice_str(m->signer->facts.sha256);
	struct slice id = without_brackets(m->original_message_id), said = slice_trim(m->text);
	if (id.n && !slice_eq(id, without_brackets(c->package.from->as2_message_id)))
		say(c, IPC_MDN_UNVERIFIED, "the MDN is for another message: %.*s", SLICE_ARG(m->original_message_id));
	else if (!c->verified && sign_wanted && (ok || c->from.posted))
		say(c, IPC_MDN_UNVERIFIED, "the MDN is not signed, and a signed one was asked for: it proves nothing (%.*s)",
		    SLICE_ARG(m->disposition_field));
	else if (!ok)
		say(c, IPC_MDN_NEGATIVE, "the receiver refuses: %.*s%s%.*s", SLICE_ARG(m->disposition_field), said.n ? ": " : "",
		    (int)(said.n < 300 ? said.n : 300), said.n ? said.p : "");
	else
		return compare_mic(c, e);
	return 0;
}

static int check(struct checking *c, struct slice body, struct van_error *e)
{
	struct van_error why = {0};
	struct packaging *k = &c->package;
	k->from = c->from.package;
	c->out.message = k->from->message;
	int rc = configure(k, e);
	if (rc < 0 && k->directory.send) /* what is missing for sending is not needed to read an MDN */
		rc = 0;
	if (rc < 0)
		return rc;
	int read = read_mdn(c, body, &why);
	return judge(c, read, why.text[0] ? &why : e);
}

void worker_mdn_check(struct worker *w, struct ipc_message *m)
{
	struct checking c = {.w = w, .package = {.worker = w, .fd = -1, .beside = -1}};
	struct van_error e = {0};
	struct van_buf read = VAN_BUF_INIT(AS2_MDN_SIZE_MAX);
	struct slice record = van_arena_slice(w->arena, m->body);
	worker_progress(w);
	open_spools(&c.package);
	int rc = record.p ? record_decode(&ipc_mdn_check_table, record, w->arena, &c.from) : VAN_ENOMEM;
	if (rc == 0 && !c.from.package)
		rc = VAN_EINVAL;
	size_t next = 0;
	if (rc == 0)
		take_fds(&c.package, m, c.from.package, &next);
	if (rc == 0 && !c.from.body.p) {
		int fd = ipc_take_fd(m, next);
		rc = fd < 0 ? VAN_EINVAL : fd_read_file(fd, &read);
		if (fd >= 0)
			close(fd);
		c.from.body = van_buf_slice(&read);
	}
	if (rc == 0)
		rc = check(&c, c.from.body, &e);
	if (rc < 0)
		say(&c, IPC_MDN_UNVERIFIED, "the MDN could not be looked at: %s", e.text[0] ? e.text : van_err_name(rc));
	van_fault_point("worker-before-verdict");
	ipc_send(w->dispatch, IPC_MDN_CHECKED, m->request, &ipc_mdn_checked_table, &c.out, NULL, 0);
	close_spools(&c.package);
	van_buf_free(&read);
	alarm(0);
}
