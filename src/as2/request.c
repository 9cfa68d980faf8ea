#include "as2/request.h"

#include <string.h>

int as2_id_parse(struct slice value, struct van_arena *arena, struct slice *ret)
{
	value = slice_trim(value);
	bool quoted = value.n >= 2 && value.p[0] == '"' && value.p[value.n - 1] == '"';
	struct slice s = quoted ? slice_make(value.p + 1, value.n - 2) : value;
	char *to = van_arena_alloc(arena, s.n + 1);
	size_t n = 0;
	if (!to)
		return VAN_ENOMEM;
	for (size_t i = 0; i < s.n; i++) {
		if (quoted && s.p[i] == '\\' && i + 1 < s.n && (s.p[i + 1] == '"' || s.p[i + 1] == '\\'))
			i++; /* the only two pairs (RFC 4130 section 6.2); before others some forget to double it */
		if (s.p[i] < ' ' || s.p[i] > '~')
			return VAN_ESYNTAX;
		to[n++] = s.p[i];
	}
	if (n == 0 || n > AS2_ID_MAX)
		return VAN_ESYNTAX;
	*ret = slice_make(to, n);
	return 0;
}

bool as2_message_id_proper(struct slice id)
{
	size_t ats = 0;
	if (id.n < 5 || id.n > 255 || id.p[0] != '<' || id.p[id.n - 1] != '>')
		return false;
	for (size_t i = 1; i < id.n - 1; i++) {
		if (id.p[i] <= ' ' || id.p[i] > '~' || id.p[i] == '<' || id.p[i] == '>')
			return false;
		ats += id.p[i] == '@';
	}
	return ats == 1 && id.p[1] != '@' && id.p[id.n - 2] != '@';
}

int as2_id_write(struct van_buf *to, struct slice id)
{
	bool quote = false;
	for (size_t i = 0; i < id.n; i++)
		quote = quote || id.p[i] == ' ' || id.p[i] == '"' || id.p[i] == '\\';
	if (!quote)
		return van_buf_append_slice(to, id);
	van_buf_append_char(to, '"');
	for (size_t i = 0; i < id.n; i++) {
		if (id.p[i] == '"' || id.p[i] == '\\')
			van_buf_append_char(to, '\\');
		van_buf_append_char(to, id.p[i]);
	}
	return van_buf_append_char(to, '"');
}

static void parse_version(struct slice value, struct as2_request *r)
{
	struct slice minor = slice_trim(value), major = slice_cut(&minor, '.');
	unsigned long long a, b;
	r->version_major = 1;
	r->version_minor = 0;
	if (slice_u64(major, &a) && a < 100)
		r->version_major = (unsigned)a;
	if (minor.p && slice_u64(minor, &b) && b < 100)
		r->version_minor = (unsigned)b;
}

static void parse_features(struct slice value, struct as2_request *r)
{
	while (value.p) {
		struct slice token = slice_trim(slice_cut(&value, ','));
		if (slice_case_is(token, "multiple-attachments"))
			r->features |= AS2_FEATURE_MULTIPLE_ATTACHMENTS;
		else if (slice_case_is(token, "CEM"))
			r->features |= AS2_FEATURE_CEM;
		else if (slice_case_is(token, "AS2-Reliability"))
			r->features |= AS2_FEATURE_RELIABILITY;
	}
}

/* The first word of a list is its importance; some leave it out. */
static enum as2_option parse_importance(struct slice *list)
{
	struct slice rest = *list, word = slice_trim(slice_cut(&rest, ','));
	enum as2_option option = slice_case_is(word, "required")   ? AS2_OPTION_REQUIRED
				 : slice_case_is(word, "optional") ? AS2_OPTION_OPTIONAL
								   : AS2_OPTION_ABSENT;
	if (option == AS2_OPTION_ABSENT)
		return AS2_OPTION_OPTIONAL;
	*list = rest;
	return option;
}

static void parse_protocol(struct slice list, struct as2_request *r)
{
	if (!list.p)
		return;
	r->protocol = parse_importance(&list);
	while (list.p) {
		struct slice word = slice_trim(slice_cut(&list, ','));
		if (slice_case_is(word, "pkcs7-signature") || slice_case_is(word, "x-pkcs7-signature"))
			r->protocol_known = true;
	}
}

static void parse_micalgs(struct slice list, struct as2_request *r)
{
	if (!list.p)
		return;
	r->micalg = parse_importance(&list);
	while (list.p && r->nmicalgs < AS2_MICALGS_MAX) {
		struct slice word = slice_trim(slice_cut(&list, ','));
		enum digest_alg d = digest_from_name(word);
		if (d == DIGEST_NONE)
			continue;
		r->micalg_names[r->nmicalgs] = word;
		r->micalgs[r->nmicalgs++] = d;
	}
}

static int parse_mdn_wishes(const struct mime_headers *h, struct van_arena *arena, struct as2_request *r)
{
	struct mime_value options;
	struct slice url = mime_header_get(h, "Receipt-Delivery-Option");
	r->mdn_wanted = mime_header_get(h, "Disposition-Notification-To").p != NULL;
	r->mdn_async_url = url.n ? url : SLICE_NONE;
	int rc = mime_value_parse(mime_header_get(h, "Disposition-Notification-Options"), arena, &options);
	if (rc)
		return rc;
	parse_protocol(mime_value_param(&options, "signed-receipt-protocol"), r);
	parse_micalgs(mime_value_param(&options, "signed-receipt-micalg"), r);
	/* a micalg without a protocol is a common way to ask for a signed receipt */
	if (r->protocol == AS2_OPTION_ABSENT)
		r->protocol_known = r->nmicalgs > 0;
	r->mdn_signed = r->mdn_wanted && r->protocol_known;
	return 0;
}

static int missing(struct van_error *err, const char *name)
{
	return van_error_set(err, VAN_ESYNTAX, "the header %s is missing or empty: this is no AS2 message", name);
}

static int parse_addresses(const struct mime_headers *h, struct van_arena *arena, struct as2_request *r,
			   struct van_error *err)
{
	static const char *const once[] = {"AS2-From", "AS2-To", "Message-ID", "Content-Type"};
	for (size_t i = 0; i < sizeof once / sizeof *once; i++) {
		size_t n = mime_header_count(h, once[i]);
		if (n > 1)
			return van_error_set(err, VAN_ESYNTAX, "the header %s is there %zu times: send it once", once[i], n);
		if (n == 0 && i < 2)
			return missing(err, once[i]);
	}
	int rc = as2_id_parse(mime_header_get(h, "AS2-From"), arena, &r->from);
	if (!rc)
		rc = as2_id_parse(mime_header_get(h, "AS2-To"), arena, &r->to);
	if (rc)
		return van_error_set(err, rc, "AS2-From and AS2-To have to be 1 to %d printable ASCII characters", AS2_ID_MAX);
	r->message_id = mime_header_get(h, "Message-ID");
	if (r->message_id.n > AS2_MESSAGE_ID_MAX)
		return van_error_set(err, VAN_ESYNTAX, "Message-ID has to be 1 to %d characters", AS2_MESSAGE_ID_MAX);
	if (r->message_id.n && memchr(r->message_id.p, 0, r->message_id.n))
		return van_error_set(err, VAN_ESYNTAX, "Message-ID has a NUL in it");
	return 0;
}

int as2_request_named(const struct as2_request *r, struct van_error *err)
{
	return r->message_id.n ? 0 : missing(err, "Message-ID");
}

int as2_request_parse(const struct mime_headers *h, struct van_arena *arena, struct as2_request *ret,
		      struct van_error *err)
{
	struct as2_request r = {.version_major = 1};
	struct mime_value type;
	int rc = parse_addresses(h, arena, &r, err);
	if (rc)
		return rc;
	parse_version(mime_header_get(h, "AS2-Version"), &r);
	parse_features(mime_header_get(h, "EDIINT-Features"), &r);
	r.subject = mime_header_get(h, "Subject");
	r.content_type = mime_header_get(h, "Content-Type");
	r.content_encoding = mime_header_get(h, "Content-Transfer-Encoding");
	r.content_disposition = mime_header_get(h, "Content-Disposition");
	rc = parse_mdn_wishes(h, arena, &r);
	if (!rc)
		rc = mime_value_parse(r.content_type, arena, &type);
	if (rc)
		return van_error_set(err, rc, "a header has too many parameters");
	struct slice report = mime_value_param(&type, "report-type"), of = mime_value_param(&type, "type");
	r.is_mdn = slice_is(type.value, "multipart/report") || slice_is(type.value, "message/disposition-notification") ||
		   slice_case_is(report, "disposition-notification") || slice_case_is(of, "multipart/report");
	r.maybe_mdn = r.is_mdn || slice_starts(type.value, "multipart/");
	if (!r.maybe_mdn && (rc = as2_request_named(&r, err)) != 0)
		return rc;
	*ret = r;
	return 0;
}

enum digest_alg as2_request_mic(const struct as2_request *r, enum digest_alg signature_digest, struct slice *ret_name)
{
	for (size_t i = 0; i < r->nmicalgs; i++)
		if (signature_digest != DIGEST_NONE && r->micalgs[i] == signature_digest) {
			*ret_name = r->micalg_names[i];
			return signature_digest;
		}
	if (r->nmicalgs) {
		*ret_name = r->micalg_names[0];
		return r->micalgs[0];
	}
	enum digest_alg d = signature_digest != DIGEST_NONE ? signature_digest : DIGEST_SHA256;
	*ret_name = slice_str(digest_micalg(d));
	return d;
}
