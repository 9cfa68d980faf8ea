/* Leaves: one table of members in canonical order serves writing and reading. */
#include "receipt/leaf.h"

#include "base/codec.h"
#include "base/fdio.h"
#include "base/id.h"
#include "receipt/json.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <unistd.h>

#define LEAF_VERSION 1
#define ARTEFACTS_MAX 64

static const char *const event_names[RECEIPT_EVENTS] = {
	[RECEIPT_RECEIVED] = "received",
	[RECEIPT_MDN_ISSUED] = "mdn-issued",
	[RECEIPT_QUEUED] = "queued",
	[RECEIPT_SENT] = "sent",
	[RECEIPT_MDN_RECEIVED] = "mdn-received",
	[RECEIPT_DELIVERED] = "delivered",
	[RECEIPT_SFTP_IN] = "sftp-in",
	[RECEIPT_SFTP_OUT] = "sftp-out",
	[RECEIPT_ACK_SENT] = "ack-sent",
	[RECEIPT_ACK_RECEIVED] = "ack-received",
	[RECEIPT_OVERDUE] = "overdue",
	[RECEIPT_DEAD_LETTER] = "dead-letter",
	[RECEIPT_RESENT] = "resent",
	[RECEIPT_REPROCESSED] = "reprocessed",
	[RECEIPT_PROFILE_CHANGED] = "profile-changed",
	[RECEIPT_CERTIFICATE_CHANGED] = "certificate-changed",
	[RECEIPT_KEY_ROTATED] = "key-rotated",
	[RECEIPT_ARTEFACT_DELETED] = "artefact-deleted",
	[RECEIPT_OPERATOR] = "operator",
	[RECEIPT_LOG_STARTED] = "log-started",
	[RECEIPT_HELD] = "held",
	[RECEIPT_REJECTED] = "rejected",
	[RECEIPT_LOGIN] = "login",
	[RECEIPT_LOGIN_REFUSED] = "login-refused",
	[RECEIPT_MAP_CHANGED] = "map-changed",
	[RECEIPT_LOOKED_AT] = "looked-at",
};

const char *receipt_event_name(enum receipt_event e)
{
	return (unsigned)e < RECEIPT_EVENTS ? event_names[e] : NULL;
}

int receipt_event_parse(struct slice name, enum receipt_event *ret)
{
	for (int e = 1; e < RECEIPT_EVENTS; e++)
		if (slice_is(name, event_names[e])) {
			*ret = (enum receipt_event)e;
			return 0;
		}
	return VAN_ENOTFOUND;
}

/* --- members --- */

enum kind { TEXT, POSITIVE, VERSION, EVENT, TIME, HASH, SIZE, PREVIOUS, ARTEFACTS };

struct member {
	const char *name;
	enum kind kind;
	size_t offset;
};

#define M(name_, kind_) {#name_, kind_, offsetof(struct receipt_leaf, name_)}
/* In the order of their names: RFC 8785 section 3.2.3. */
static const struct member members[] = {
	M(actor, TEXT),
	M(agreement, TEXT),
	M(agreement_version, POSITIVE),
	M(artefacts, ARTEFACTS),
	M(as2_from, TEXT),
	M(as2_message_id, TEXT),
	M(as2_to, TEXT),
	M(business_key, TEXT),
	M(connection, TEXT),
	M(control_group, TEXT),
	M(control_interchange, TEXT),
	M(control_message, TEXT),
	M(direction, TEXT),
	M(disposition, TEXT),
	M(event, EVENT),
	M(from, TEXT),
	M(message, TEXT),
	M(mic, TEXT),
	M(micalg, TEXT),
	M(partner, TEXT),
	M(previous, PREVIOUS),
	M(previous_log, TEXT),
	M(signer_cert, HASH),
	M(size, SIZE),
	M(station, TEXT),
	M(text, TEXT),
	M(time, TIME),
	M(to, TEXT),
	M(version, VERSION),
};
#undef M
#define N_MEMBERS (sizeof members / sizeof *members)

static const struct slice *text_at(const struct receipt_leaf *l, const struct member *m)
{
	return (const struct slice *)(const void *)((const char *)l + m->offset);
}

/* --- writing --- */

static void put_name(struct van_buf *to, size_t start, const char *name)
{
	van_buf_append_str(to, to->n > start + 1 ? ",\"" : "\"");
	van_buf_append_str(to, name);
	van_buf_append_str(to, "\":");
}

static void put_hash(struct van_buf *to, const void *hash)
{
	char hex[2 * RECEIPT_HASH + 1];
	van_buf_append_char(to, '"');
	van_buf_append_str(to, hex_encode(hex, hash, RECEIPT_HASH));
	van_buf_append_char(to, '"');
}

static void put_artefacts(const struct receipt_leaf *l, struct van_buf *to)
{
	for (size_t i = 0; i < l->n_artefacts; i++) {
		const struct receipt_artefact *a = &l->artefacts[i];
		van_buf_printf(to, "%c{\"length\":%llu,\"name\":", i ? ',' : '[', (unsigned long long)a->length);
		canon_put_text(to, a->name);
		van_buf_append_str(to, ",\"sha256\":");
		put_hash(to, a->sha256.b);
		van_buf_append_char(to, '}');
	}
	van_buf_append_char(to, ']');
}

static bool present(const struct receipt_leaf *l, const struct member *m)
{
	switch (m->kind) {
	case TEXT:
	case HASH:
		return text_at(l, m)->p;
	case POSITIVE:
		return l->agreement_version;
	case SIZE:
		return l->has_size;
	case PREVIOUS:
		return l->previous != RECEIPT_NO_LEAF;
	case ARTEFACTS:
		return l->n_artefacts;
	default:
		return true;
	}
}

static void put_value(const struct receipt_leaf *l, const struct member *m, struct van_buf *to)
{
	char time[VAN_TIME_TEXT];
	switch (m->kind) {
	case TEXT:
		canon_put_text(to, *text_at(l, m));
		break;
	case HASH:
		put_hash(to, l->signer_cert.p);
		break;
	case POSITIVE:
		van_buf_printf(to, "%llu", (unsigned long long)l->agreement_version);
		break;
	case VERSION:
		van_buf_printf(to, "%u", l->version ? l->version : LEAF_VERSION);
		break;
	case SIZE:
		van_buf_printf(to, "%llu", (unsigned long long)l->size);
		break;
	case PREVIOUS:
		van_buf_printf(to, "%llu", (unsigned long long)l->previous);
		break;
	case EVENT:
		van_buf_printf(to, "\"%s\"", event_names[l->event]);
		break;
	case TIME:
		van_buf_printf(to, "\"%s\"", van_time_rfc3339(time, l->time));
		break;
	case ARTEFACTS:
		put_artefacts(l, to);
		break;
	}
}

static bool artefact_name_fits(struct slice s)
{
	if (s.n == 0 || s.n > RECEIPT_ARTEFACT_NAME_MAX || s.p[0] == '.')
		return false;
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.'))
			return false;
	}
	return true;
}

static int check_artefacts(const struct receipt_leaf *l, struct van_error *err)
{
	if (l->n_artefacts > ARTEFACTS_MAX)
		return van_error_set(err, VAN_EINVAL, "a receipt has more than %d artefacts", ARTEFACTS_MAX);
	for (size_t i = 0; i < l->n_artefacts; i++) {
		if (!artefact_name_fits(l->artefacts[i].name) || l->artefacts[i].length > CANON_SAFE_INTEGER)
			return van_error_set(err, VAN_EINVAL, "a receipt's artefact has an unfit name or length");
		for (size_t j = 0; j < i; j++)
			if (slice_eq(l->artefacts[i].name, l->artefacts[j].name))
				return van_error_set(err, VAN_EINVAL, "a receipt has two artefacts \"%.64s\"", l->artefacts[i].name.p);
	}
	return 0;
}

static int check(const struct receipt_leaf *l, struct van_error *err)
{
	if (!receipt_event_name(l->event))
		return van_error_set(err, VAN_EINVAL, "a receipt of an unknown event");
	if (l->signer_cert.p && l->signer_cert.n != RECEIPT_HASH)
		return van_error_set(err, VAN_EINVAL, "a receipt's certificate hash is not 32 bytes long");
	if ((l->has_size && l->size > CANON_SAFE_INTEGER) || l->agreement_version > CANON_SAFE_INTEGER)
		return van_error_set(err, VAN_EINVAL, "a receipt's number is above 2^53-1");
	return check_artefacts(l, err);
}

int receipt_leaf_write(const struct receipt_leaf *l, struct van_buf *to, struct van_error *err)
{
	int rc = check(l, err);
	if (rc)
		return rc;
	size_t start = to->n;
	van_buf_append_char(to, '{');
	for (size_t i = 0; i < N_MEMBERS; i++) {
		if (!present(l, &members[i]))
			continue;
		put_name(to, start, members[i].name);
		put_value(l, &members[i], to);
	}
	van_buf_append_char(to, '}');
	if (van_buf_error(to))
		return van_error_set(err, van_buf_error(to), "a receipt could not be written: %s", van_err_name(van_buf_error(to)));
	if (to->n - start > RECEIPT_LEAF_MAX) {
		to->n = start;
		return van_error_set(err, VAN_ELIMIT, "a receipt is longer than %d bytes: shorten its text", RECEIPT_LEAF_MAX);
	}
	return 0;
}

/* --- reading --- */

static bool read_hash(struct slice text, void *to)
{
	return text.n == 2 * RECEIPT_HASH && hex_decode(to, text) == 0;
}

static int read_artefacts(const struct canon_value *v, struct van_arena *arena, struct receipt_leaf *ret)
{
	if (v->kind != CANON_ARRAY || v->n > ARTEFACTS_MAX)
		return VAN_ESYNTAX;
	ret->artefacts = van_arena_array(arena, v->n + 1, sizeof *ret->artefacts);
	if (!ret->artefacts)
		return VAN_ENOMEM;
	for (const struct canon_member *m = v->first; m; m = m->next) {
		struct receipt_artefact *a = &ret->artefacts[ret->n_artefacts++];
		a->name = canon_get_text(m->value, "name");
		if (!artefact_name_fits(a->name) || !canon_get_u64(m->value, "length", &a->length) ||
			!read_hash(canon_get_text(m->value, "sha256"), a->sha256.b))
			return VAN_ESYNTAX;
	}
	return 0;
}

static int read_member(const struct canon_value *o, const struct member *m, struct van_arena *arena, struct receipt_leaf *ret)
{
	const struct canon_value *v = canon_get(o, m->name);
	if (!v)
		return m->kind == EVENT || m->kind == TIME || m->kind == VERSION ? VAN_ESYNTAX : 0;
	struct slice text = v->kind == CANON_STRING ? v->text : SLICE_NONE;
	char *at = (char *)ret + m->offset;
	uint64_t version;
	switch (m->kind) {
	case TEXT:
		*(struct slice *)(void *)at = text;
		return text.p ? 0 : VAN_ESYNTAX;
	case HASH:
		ret->signer_cert = slice_make(van_arena_alloc(arena, RECEIPT_HASH), RECEIPT_HASH);
		if (!ret->signer_cert.p)
			return VAN_ENOMEM;
		return read_hash(text, (void *)(uintptr_t)ret->signer_cert.p) ? 0 : VAN_ESYNTAX;
	case POSITIVE:
	case PREVIOUS:
		return canon_get_u64(o, m->name, (uint64_t *)(void *)at) ? 0 : VAN_ESYNTAX;
	case SIZE:
		ret->has_size = true;
		return canon_get_u64(o, m->name, &ret->size) ? 0 : VAN_ESYNTAX;
	case VERSION:
		if (!canon_get_u64(o, m->name, &version))
			return VAN_ESYNTAX;
		ret->version = (uint32_t)version;
		return version == LEAF_VERSION ? 0 : VAN_EVERSION;
	case EVENT:
		return receipt_event_parse(text, &ret->event) ? VAN_ESYNTAX : 0;
	case TIME:
		return text.p && van_time_parse(text, &ret->time) == 0 ? 0 : VAN_ESYNTAX;
	case ARTEFACTS:
		return read_artefacts(v, arena, ret);
	}
	return 0;
}

int receipt_leaf_parse(struct slice json, struct van_arena *arena, struct receipt_leaf *ret, struct van_error *err)
{
	struct canon_value *o;
	struct receipt_leaf l = {.previous = RECEIPT_NO_LEAF};
	int rc = json.n <= RECEIPT_LEAF_MAX ? canon_parse(json, arena, &o) : VAN_ESYNTAX;
	if (rc == 0 && o->kind != CANON_OBJECT)
		rc = VAN_ESYNTAX;
	const char *where = "";
	for (size_t i = N_MEMBERS; i-- > 0 && rc == 0;) { /* the version first */
		where = members[i].name;
		rc = read_member(o, &members[i], arena, &l);
	}
	if (rc == VAN_EVERSION)
		return van_error_set(err, rc, "the receipt has version %u: use a newer program", l.version);
	if (rc)
		return van_error_set(err, rc, "this is no receipt%s%s", *where ? ": look at member " : "", where);
	*ret = l;
	return 0;
}

/* --- artefacts --- */

struct receipt_hasher {
	EVP_MD_CTX *ctx;
};

struct receipt_hasher *receipt_hasher_new(const unsigned char salt[RECEIPT_SALT])
{
	struct receipt_hasher *h = calloc(1, sizeof *h);
	if (!h)
		return NULL;
	h->ctx = EVP_MD_CTX_new();
	if (!h->ctx || !EVP_DigestInit_ex(h->ctx, EVP_sha256(), NULL) || !EVP_DigestUpdate(h->ctx, salt, RECEIPT_SALT)) {
		receipt_hasher_free(h);
		return NULL;
	}
	return h;
}

void receipt_hasher_add(struct receipt_hasher *h, const void *p, size_t n)
{
	if (!EVP_DigestUpdate(h->ctx, p, n))
		abort(); /* SHA-256 of bytes in memory can't fail */
}

struct receipt_hash receipt_hasher_end(struct receipt_hasher *h)
{
	struct receipt_hash hash;
	unsigned int n;
	if (!EVP_DigestFinal_ex(h->ctx, hash.b, &n))
		abort();
	receipt_hasher_free(h);
	return hash;
}

void receipt_hasher_free(struct receipt_hasher *h)
{
	if (!h)
		return;
	EVP_MD_CTX_free(h->ctx);
	free(h);
}

struct receipt_hash receipt_artefact_hash(const unsigned char salt[RECEIPT_SALT], struct slice bytes)
{
	struct receipt_hasher *h = receipt_hasher_new(salt);
	if (!h)
		abort();
	receipt_hasher_add(h, bytes.p, bytes.n);
	return receipt_hasher_end(h);
}

static void start(struct receipt_artefact *ret, const char *name)
{
	*ret = (struct receipt_artefact){.name = slice_str(name), .has_salt = true};
	van_random(ret->salt, sizeof ret->salt);
}

void receipt_artefact_of(struct receipt_artefact *ret, const char *name, struct slice bytes)
{
	start(ret, name);
	ret->length = bytes.n;
	ret->sha256 = receipt_artefact_hash(ret->salt, bytes);
}

int receipt_artefact_of_fd(struct receipt_artefact *ret, const char *name, int fd)
{
	struct receipt_artefact a;
	char piece[16384];
	ssize_t n;
	start(&a, name);
	struct receipt_hasher *h = receipt_hasher_new(a.salt);
	if (!h)
		return VAN_ENOMEM;
	while ((n = pread(fd, piece, sizeof piece, (off_t)a.length)) > 0) {
		receipt_hasher_add(h, piece, (size_t)n);
		a.length += (uint64_t)n;
	}
	a.sha256 = receipt_hasher_end(h);
	if (n < 0)
		return van_err_from_errno(errno);
	*ret = a;
	return 0;
}
