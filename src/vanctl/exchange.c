/* cert exchange, accept, reject, request. The documents are read here, by whoever decides about them; the store learns what was
 * decided: a new version of the profile, the answer to the partner, and that the request is settled. */
#include "vanctl/exchange.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/fdio.h"
#include "base/id.h"
#include "cms/cert.h"
#include "cms/certs_only.h"
#include "map/cem.h"
#include "partner/settings.h"
#include "vanctl/client.h"
#include "vanctl/print.h"
#include "vanctl/simple.h"

#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PARTS_MAX 17
#define BOUNDARY "=_exchange_openvan"

/* One request, with the certificates that came beside it. */
struct exchange {
	struct van_arena *arena;
	json_t *message;
	struct cem cem;
	struct slice certs[CERTS_ONLY_MAX]; /* DER */
	size_t ncerts;
	struct cms_cert *of[CEM_ITEMS_MAX]; /* by item; NULL: it did not come along */
};

/* --- names ---------------------------------------------------------------------------------------------------------------- */

static struct slice issuer_name(struct van_arena *a, X509 *x)
{
	char *p = NULL;
	BIO *b = BIO_new(BIO_s_mem());
	if (!b)
		return SLICE_NONE;
	X509_NAME_print_ex(b, X509_get_issuer_name(x), 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB);
	long n = BIO_get_mem_data(b, &p);
	struct slice s = van_arena_slice(a, slice_make(p ? p : "", n > 0 ? (size_t)n : 0));
	BIO_free(b);
	return s;
}

/* Decimal digits. */
static struct slice serial_number(struct van_arena *a, X509 *x)
{
	BIGNUM *n = ASN1_INTEGER_to_BN(X509_get0_serialNumber(x), NULL);
	char *text = n ? BN_bn2dec(n) : NULL;
	struct slice s = text ? van_arena_slice(a, slice_str(text)) : SLICE_NONE;
	OPENSSL_free(text);
	BN_free(n);
	return s;
}

static struct slice pem_of(struct van_arena *a, X509 *x)
{
	char *p = NULL;
	BIO *b = BIO_new(BIO_s_mem());
	long n = b && PEM_write_bio_X509(b, x) == 1 ? BIO_get_mem_data(b, &p) : 0;
	struct slice s = n > 0 ? van_arena_slice(a, slice_make(p, (size_t)n)) : SLICE_NONE;
	BIO_free(b);
	return s;
}

static const char *usage_text(unsigned usage, char to[80])
{
	snprintf(to, 80, "%s%s%s%s", usage & CEM_SIGNATURE ? " signature" : "", usage & CEM_ENCRYPTION ? " encryption" : "",
		 usage & CEM_TLS_SERVER ? " tls-server" : "", usage & CEM_TLS_CLIENT ? " tls-client" : "");
	return to[0] ? to + 1 : to;
}

/* --- reading a request ------------------------------------------------------------------------------------------------------ */

static int part_bytes(const struct ctl *c, const char *id, const char *part, struct van_buf *to)
{
	json_t *request = json_pack("{s:s,s:s}", "id", id, "part", part), *answer = NULL;
	int fd = -1, status = client_ask(c, "message.get", request, &answer, &fd);
	json_decref(request);
	uint64_t at = (uint64_t)json_integer_value(json_object_get(answer, "offset")), n = (uint64_t)json_integer_value(json_object_get(answer, "bytes"));
	char *room = !status && fd >= 0 && n <= CEM_BYTES_MAX ? van_buf_reserve(to, n + 1) : NULL;
	if (!status && (!room || fd_pread_all(fd, room, n, (off_t)at) < 0))
		status = ctl_fail(CTL_NO, "part %s of message %s can't be read, or is too long for a certificate exchange", part, id);
	else if (!status)
		to->n += n;
	if (fd >= 0)
		close(fd);
	json_decref(answer);
	return status;
}

static bool has_part(const json_t *message, const char *name)
{
	size_t i;
	json_t *part;
	json_array_foreach(json_object_get(message, "parts"), i, part)
		if (!strcmp(json_string_value(json_object_get(part, "name")) ? json_string_value(json_object_get(part, "name")) : "", name))
			return true;
	return false;
}

/* Each attachment may hold one certificate or several, and their chain. */
static int read_certificates(struct ctl *c, const char *id, struct exchange *x)
{
	int status = CTL_DONE;
	for (int i = 1; i < PARTS_MAX && !status; i++) {
		char name[32];
		struct van_buf bytes = VAN_BUF_INIT(CEM_BYTES_MAX + 1);
		struct slice found[CERTS_ONLY_MAX];
		size_t n = 0;
		snprintf(name, sizeof name, "attachment-%d", i);
		if (!has_part(x->message, name))
			break;
		status = part_bytes(c, id, name, &bytes);
		struct slice kept = status ? SLICE_NONE : van_arena_slice(x->arena, van_buf_slice(&bytes));
		if (kept.p && cms_certs_only_read(kept, x->arena, found, &n) == 0)
			for (size_t k = 0; k < n && x->ncerts < CERTS_ONLY_MAX; k++)
				x->certs[x->ncerts++] = found[k];
		van_buf_free(&bytes);
	}
	return status;
}

/* By serial number, and by the issuer where it is written as we write it: there is more than one way to. */
static void match(struct exchange *x)
{
	for (size_t i = 0; i < x->cem.n; i++)
		for (size_t k = 0; k < x->ncerts && !x->of[i]; k++) {
			struct cms_cert *cert;
			if (cms_cert_new(x->certs[k], &cert, NULL) < 0)
				continue;
			bool ours = slice_eq(serial_number(x->arena, cert->x509), x->cem.items[i].serial);
			if (ours && x->ncerts > x->cem.n)
				ours = slice_eq(issuer_name(x->arena, cert->x509), x->cem.items[i].issuer);
			if (ours)
				x->of[i] = cert;
			else
				cms_cert_free(cert);
		}
}

static void exchange_free(struct exchange *x)
{
	for (size_t i = 0; i < CEM_ITEMS_MAX; i++)
		cms_cert_free(x->of[i]);
	json_decref(x->message);
	van_arena_free(x->arena);
}

static const char *field(const json_t *object, const char *key)
{
	const char *s = json_string_value(json_object_get(object, key));
	return s ? s : "";
}

static int exchange_read(struct ctl *c, struct exchange *x)
{
	const char *id = c->args[0];
	struct van_error e = {0};
	struct van_buf xml = VAN_BUF_INIT(CEM_BYTES_MAX + 1);
	json_t *request = json_pack("{s:s}", "id", id);
	*x = (struct exchange){.arena = van_arena_new((size_t)64 << 20)};
	int status = client_ask(c, "message.show", request, &x->message, NULL);
	json_decref(request);
	if (!status && strncmp(field(x->message, "type"), "CEM-", 4))
		status = ctl_fail(CTL_NO, "message %s is no certificate exchange; vanctl message list --type CEM-REQUEST shows them", id);
	if (!status)
		status = part_bytes(c, id, "payload", &xml);
	if (!status && cem_parse(van_buf_slice(&xml), x->arena, &x->cem, &e) < 0)
		status = ctl_fail(CTL_NO, "%s", e.text);
	if (!status)
		status = read_certificates(c, id, x);
	if (!status)
		match(x);
	van_buf_free(&xml);
	return status;
}

/* --- cert exchange ID --------------------------------------------------------------------------------------------------------- */

static json_t *item_json(const struct exchange *x, size_t i)
{
	const struct cem_item *m = &x->cem.items[i];
	const struct cms_cert *cert = x->of[i];
	char usage[80], after[VAN_TIME_TEXT];
	json_t *o = json_object();
	json_object_set_new(o, "usage", x->cem.response ? json_null() : json_string(usage_text(m->usage, usage)));
	json_object_set_new(o, "status", x->cem.response ? json_string(m->accepted ? "accepted" : "rejected") : json_null());
	json_object_set_new(o, "reason", m->reason.n ? json_stringn(m->reason.p, m->reason.n) : json_null());
	json_object_set_new(o, "serial", json_stringn(m->serial.p, m->serial.n));
	json_object_set_new(o, "issuer", json_stringn(m->issuer.p, m->issuer.n));
	json_object_set_new(o, "respond_by", m->respond_by.n ? json_stringn(m->respond_by.p, m->respond_by.n) : json_null());
	json_object_set_new(o, "subject", cert ? json_string(cert->facts.subject) : json_null());
	json_object_set_new(o, "fingerprint", cert ? json_string(cert->facts.sha256) : json_null());
	json_object_set_new(o, "not_after", cert ? json_string(van_time_rfc3339(after, cert->facts.not_after)) : json_null());
	struct slice pem = cert ? pem_of(x->arena, cert->x509) : SLICE_NONE;
	json_object_set_new(o, "pem", pem.p ? json_stringn(pem.p, pem.n) : json_null());
	return o;
}

int exchange_show(struct ctl *c)
{
	static const struct print_column fields[] = {{"Exchange", "request_id"}, {"Kind", "kind"}, {"Partner", "partner"}, {"State", "state"},
						     {"Signed by", "signer_sha256"}, {NULL, NULL}};
	static const struct print_column columns[] = {{"USAGE", "usage"}, {"STATUS", "status"}, {"SUBJECT", "subject"}, {"NOT AFTER", "not_after"},
						      {"RESPOND BY", "respond_by"}, {"FINGERPRINT", "fingerprint"}, {NULL, NULL}};
	struct exchange x;
	int status = exchange_read(c, &x);
	if (!status) {
		json_t *list = json_array(), *all = json_object();
		for (size_t i = 0; i < x.cem.n; i++)
			json_array_append_new(list, item_json(&x, i));
		json_object_set_new(all, "id", json_string(c->args[0]));
		json_object_set_new(all, "request_id", json_stringn(x.cem.request_id.p, x.cem.request_id.n));
		json_object_set_new(all, "kind", json_string(x.cem.response ? "response" : "request"));
		for (size_t i = 2; i < 5; i++)
			json_object_set(all, fields[i].key, json_object_get(x.message, fields[i].key) ? json_object_get(x.message, fields[i].key) : json_null());
		json_object_set(all, "certificates", list);
		if (c->json) {
			print_json(all);
		} else {
			print_fields(all, fields);
			putchar('\n');
			print_table(list, columns);
		}
		json_decref(list);
		json_decref(all);
	}
	exchange_free(&x);
	return status;
}

/* --- the profile ----------------------------------------------------------------------------------------------------------------- */

static json_t *connection_of(json_t *profile, const char *id)
{
	size_t i;
	json_t *one;
	json_array_foreach(json_object_get(profile, "connections"), i, one)
		if (!strcmp(field(one, "id"), id))
			return one;
	return NULL;
}

static bool holds(const json_t *list, const char *fingerprint)
{
	size_t i;
	json_t *one;
	json_array_foreach(list, i, one)
		if (!strcmp(field(one, "fingerprint"), fingerprint))
			return true;
	return false;
}

/* `first`: it is the one that is used; the others stay for the overlap. `only_more`: a list without entries means something else. */
static void add_certificate(json_t *owner, const char *key, const struct exchange *x, size_t i, bool first, bool only_more)
{
	json_t *list = json_object_get(owner, key);
	if (!owner || (only_more && !json_array_size(list)) || holds(list, x->of[i]->facts.sha256))
		return;
	if (!list)
		json_object_set_new(owner, key, list = json_array());
	struct slice pem = pem_of(x->arena, x->of[i]->x509);
	json_t *entry = json_object();
	json_object_set_new(entry, "pem", json_stringn(pem.p, pem.n));
	if (first)
		json_array_insert_new(list, 0, entry);
	else
		json_array_append_new(list, entry);
}

static int change_profile(struct ctl *c, const struct exchange *x)
{
	json_t *ask = json_pack("{s:s}", "id", field(x->message, "partner")), *profile = NULL;
	int status = client_ask(c, "partner.show", ask, &profile, NULL);
	json_decref(ask);
	json_t *connection = status ? NULL : connection_of(profile, field(x->message, "connection"));
	if (!status && !connection)
		status = ctl_fail(CTL_NO, "partner %s has no connection %s any more", field(x->message, "partner"), field(x->message, "connection"));
	for (size_t i = 0; i < x->cem.n && !status; i++) {
		unsigned usage = x->cem.items[i].usage;
		json_t *receive = json_object_get(connection, "receive"), *send = json_object_get(connection, "send");
		if (usage & CEM_SIGNATURE)
			add_certificate(receive, "certificates", x, i, false, false);
		if (usage & CEM_ENCRYPTION)
			add_certificate(send, "certificates", x, i, true, false);
		if (usage & CEM_TLS_SERVER)
			add_certificate(json_object_get(send, "tls"), "trust", x, i, false, true);
		if (usage & CEM_TLS_CLIENT)
			add_certificate(receive, "client_certificates", x, i, false, true);
	}
	if (!status) {
		json_object_del(profile, "profile_version");
		json_object_del(profile, "version");
		json_t *request = json_pack("{s:[O]}", "profiles", profile);
		status = client_ask(c, "partner.apply", request, NULL, NULL);
		json_decref(request);
	}
	json_decref(profile);
	return status;
}

/* --- documents out ---------------------------------------------------------------------------------------------------------------- */

/* A part of multipart/related. */
static void put_part(struct van_buf *to, const char *type, const char *id, struct slice bytes)
{
	van_buf_printf(to, "--" BOUNDARY "\r\nContent-Type: %s\r\nContent-ID: <%s>\r\nContent-Transfer-Encoding: binary\r\n\r\n", type, id);
	van_buf_append_slice(to, bytes);
	van_buf_append_str(to, "\r\n");
}

static int send_document(struct ctl *c, const char *from, const char *to, const char *connection, struct slice body, json_t **ret)
{
	int fd = memfd_with("exchange", body.p, body.n);
	if (fd < 0)
		return ctl_fail(CTL_USAGE, "the document could not be handed to vand: %s", van_err_name(fd));
	json_t *request = json_pack("{s:s,s:s,s:s}", "from", from, "to", to, "content_type",
				    "multipart/related; type=\"" CEM_CONTENT_TYPE "\"; boundary=\"" BOUNDARY "\"");
	if (connection)
		json_object_set_new(request, "connection", json_string(connection));
	int status = client_ask_with(c, "message.send", request, fd, ret, NULL);
	json_decref(request);
	close(fd);
	return status;
}

static int answer_partner(struct ctl *c, struct exchange *x, bool accepted, const char *reason)
{
	struct cem out = {.response = true, .request_id = x->cem.request_id, .n = x->cem.n, .sender = slice_str(field(x->message, "as2_to"))};
	struct van_buf xml = VAN_BUF_INIT(CEM_BYTES_MAX), body = VAN_BUF_INIT(CEM_BYTES_MAX);
	for (size_t i = 0; i < out.n; i++) {
		out.items[i] = x->cem.items[i];
		out.items[i].accepted = accepted;
		out.items[i].reason = reason ? slice_str(reason) : SLICE_NONE;
	}
	cem_write(&out, van_clock_now(), &xml);
	put_part(&body, CEM_CONTENT_TYPE "; charset=UTF-8", "response@openvan", van_buf_slice(&xml));
	van_buf_append_str(&body, "--" BOUNDARY "--\r\n");
	json_t *answer = NULL;
	int status = xml.error || body.error ? ctl_fail(CTL_USAGE, "no memory for the answer")
					     : send_document(c, field(x->message, "station"), field(x->message, "partner"),
							     field(x->message, "connection"), van_buf_slice(&body), &answer);
	if (!status)
		printf("answer sent as message %s\n", field(answer, "id"));
	json_decref(answer);
	van_buf_free(&xml);
	van_buf_free(&body);
	return status;
}

static int settle(struct ctl *c, const char *command, const char *key, const char *text)
{
	json_t *request = json_pack("{s:s,s:s}", "id", c->args[0], key, text);
	int status = client_ask(c, command, request, NULL, NULL);
	json_decref(request);
	return status;
}

/* --- cert accept, cert reject ------------------------------------------------------------------------------------------------------- */

const struct ctl_option exchange_accept_options[] = {
	{"--unsigned", NULL, "unsigned", CTL_FLAG, NULL, "although the request is not signed by a certificate of the partner"},
	{NULL},
};
const struct ctl_option exchange_reject_options[] = {
	{"--reason", "TEXT", "reason", CTL_TEXT, NULL, "what the partner is told"},
	{NULL},
};

static int must_wait(struct ctl *c, const struct exchange *x)
{
	if (x->cem.response)
		return ctl_fail(CTL_NO, "message %s is an answer to a request of ours", c->args[0]);
	if (strcmp(field(x->message, "state"), "held"))
		return ctl_fail(CTL_NO, "request %s does not wait any more: it is %s", c->args[0], field(x->message, "state"));
	return CTL_DONE;
}

static int may_accept(struct ctl *c, const struct exchange *x)
{
	int status = must_wait(c, x);
	if (!status && !field(x->message, "signer_sha256")[0] && !json_is_true(json_object_get(c->options, "unsigned")))
		status = ctl_fail(CTL_NO, "the request is not signed: anybody may have sent it. Ask the partner, compare fingerprints, then give --unsigned");
	for (size_t i = 0; i < x->cem.n && !status; i++)
		if (!x->of[i])
			status = ctl_fail(CTL_NO, "the certificate with serial number %.*s did not come along: reject the request with that reason",
					  SLICE_ARG(x->cem.items[i].serial));
	return status;
}

int exchange_accept(struct ctl *c)
{
	struct exchange x;
	int status = exchange_read(c, &x);
	if (!status)
		status = may_accept(c, &x);
	if (!status)
		status = change_profile(c, &x);
	if (!status)
		printf("profile %s has the new certificates; the old ones stay until you remove them\n", field(x.message, "partner"));
	if (!status)
		status = answer_partner(c, &x, true, NULL);
	if (!status)
		status = settle(c, "message.settle", "text", "certificates accepted");
	exchange_free(&x);
	return status;
}

int exchange_reject(struct ctl *c)
{
	struct exchange x;
	const char *reason = ctl_text(c, "reason");
	if (!reason)
		return ctl_fail(CTL_USAGE, "say why: --reason TEXT; the partner is told");
	int status = exchange_read(c, &x);
	if (!status)
		status = must_wait(c, &x);
	if (!status)
		status = answer_partner(c, &x, false, reason);
	if (!status)
		status = settle(c, "message.reject", "reason", reason);
	exchange_free(&x);
	return status;
}

/* --- cert request --------------------------------------------------------------------------------------------------------------------- */

const struct ctl_option exchange_request_options[] = {
	{"--from", "STATION", "from", CTL_TEXT, NULL, "station whose certificate it is"},
	{"--to", "PARTNER", "to", CTL_TEXT, NULL, "partner that is to trust it"},
	{"--usage", "USAGE", "usage", CTL_TEXTS, "signature|encryption|tls-server|tls-client", "what it is for; may be repeated; default: signature and encryption"},
	{"--respond-by", "TIME", "respond_by", CTL_TIME, NULL, "when the answer is wanted; default: in 14 days"},
	{NULL},
};

static unsigned wanted_usage(const struct ctl *c)
{
	static const char *const names[] = {"signature", "encryption", "tls-server", "tls-client"};
	const json_t *list = json_object_get(c->options, "usage");
	unsigned usage = 0;
	size_t i;
	json_t *one;
	json_array_foreach(list, i, one)
		for (unsigned k = 0; k < 4; k++)
			if (!strcmp(json_string_value(one), names[k]))
				usage |= 1u << k;
	return usage ? usage : CEM_SIGNATURE | CEM_ENCRYPTION;
}

static bool pair_has(const json_t *pairs, const char *fingerprint)
{
	size_t i;
	json_t *one;
	json_array_foreach(pairs, i, one)
		if (!strcmp(field(json_object_get(one, "certificate"), "fingerprint"), fingerprint))
			return true;
	return false;
}

/* The AS2 name of the station, which has to be ready for what the partner will do once it agrees. */
static int ready_station(struct ctl *c, const struct cms_cert *cert, char to[256])
{
	json_t *ask = json_pack("{s:s}", "id", ctl_text(c, "from")), *profile = NULL;
	int status = client_ask(c, "partner.show", ask, &profile, NULL);
	json_decref(ask);
	if (!status)
		snprintf(to, 256, "%s", field(json_object_get(profile, "as2"), "id"));
	if (!status && !to[0])
		status = ctl_fail(CTL_NO, "%s is no station that speaks AS2", ctl_text(c, "from"));
	if (!status && wanted_usage(c) & CEM_ENCRYPTION && !pair_has(json_object_get(json_object_get(profile, "as2"), "decrypt"), cert->facts.sha256))
		status = ctl_fail(CTL_NO, "%s can't decrypt with this certificate's key yet, and the partner will encrypt for it: add the pair to as2.decrypt "
					  "of its profile first", ctl_text(c, "from"));
	json_decref(profile);
	return status;
}

/* Where our partners post: the answer comes there, whatever this says, but the document must have it. */
static struct slice our_address(const struct ctl *c, struct van_arena *arena)
{
	struct van_config *config = NULL;
	if (van_config_load(c->config, &config, NULL) < 0)
		return SLICE("https://unknown.invalid/as2");
	const struct van_config_listener *l = config->listen.as2.n ? config->listen.as2.v : NULL;
	struct slice s = van_arena_printf(arena, "%s://%.*s:%u%.*s", l && l->tls ? "https" : "http", SLICE_ARG(config->network.host),
					  l ? (unsigned)l->port : 80, SLICE_ARG(config->as2.path));
	van_config_free(config);
	return s;
}

static int make_request(struct ctl *c, const struct cms_cert *cert, const char *sender, struct van_arena *arena, struct van_buf *body)
{
	char until[VAN_TIME_TEXT];
	struct van_id id = van_id_new(van_clock_now());
	struct cem out = {.request_id = van_arena_printf(arena, "%s@openvan", id.text), .sender = slice_str(sender), .n = 1};
	struct slice content_id = van_arena_printf(arena, "certificate-%s@openvan", id.text);
	van_time_rfc3339(until, van_clock_now() / VAN_SECOND * VAN_SECOND + 14 * 86400 * VAN_SECOND);
	out.items[0] = (struct cem_item){
		.usage = wanted_usage(c), .respond_by = slice_str(ctl_text(c, "respond_by") ? ctl_text(c, "respond_by") : until),
		.response_url = our_address(c, arena), .content_id = content_id,
		.issuer = issuer_name(arena, cert->x509), .serial = serial_number(arena, cert->x509),
	};
	struct van_buf xml = VAN_BUF_INIT(CEM_BYTES_MAX), p7c = VAN_BUF_INIT(CEM_BYTES_MAX);
	cem_write(&out, van_clock_now(), &xml);
	cms_certs_only_write(&p7c, &cert->der, 1);
	put_part(body, CEM_CONTENT_TYPE "; charset=UTF-8", "request@openvan", van_buf_slice(&xml));
	put_part(body, "application/pkcs7-mime; smime-type=certs-only; name=certificate.p7c", content_id.p, van_buf_slice(&p7c));
	van_buf_append_str(body, "--" BOUNDARY "--\r\n");
	int rc = xml.error ? xml.error : p7c.error ? p7c.error : body->error;
	van_buf_free(&xml);
	van_buf_free(&p7c);
	if (rc == 0)
		printf("request %.*s\n", SLICE_ARG(out.request_id));
	return rc < 0 ? ctl_fail(CTL_USAGE, "no memory for the request") : CTL_DONE;
}

int exchange_request(struct ctl *c)
{
	char sender[256] = "";
	struct van_error e = {0};
	struct cms_cert *cert = NULL;
	struct van_buf pem = VAN_BUF_INIT(CEM_BYTES_MAX), body = VAN_BUF_INIT(CEM_BYTES_MAX);
	struct van_arena *arena = van_arena_new(0);
	json_t *answer = NULL;
	if (!ctl_text(c, "from") || !ctl_text(c, "to"))
		return ctl_fail(CTL_USAGE, "say whose it is and who is to trust it: --from STATION --to PARTNER");
	int rc = file_read(c->args[0], &pem);
	if (rc == 0)
		rc = cms_cert_new(van_buf_slice(&pem), &cert, &e);
	int status = rc < 0 ? ctl_fail(CTL_USAGE, "%s: %s", c->args[0], e.text[0] ? e.text : van_err_name(rc)) : ready_station(c, cert, sender);
	if (!status)
		status = make_request(c, cert, sender, arena, &body);
	if (!status)
		status = send_document(c, ctl_text(c, "from"), ctl_text(c, "to"), NULL, van_buf_slice(&body), &answer);
	if (!status)
		printf("sent as message %s\n", field(answer, "id"));
	json_decref(answer);
	cms_cert_free(cert);
	van_buf_free(&pem);
	van_buf_free(&body);
	van_arena_free(arena);
	return status;
}
