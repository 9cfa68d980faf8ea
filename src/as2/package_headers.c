#include "as2/package_private.h"

#include "as2/write.h"

static bool one_line(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] == '\r' || s.p[i] == '\n' || s.p[i] == 0)
			return false;
	return true;
}

bool package_values_ok(const struct as2_package_config *c)
{
	const struct slice lines[] = {c->from, c->to, c->message_id, c->host, c->product, c->subject, c->content_type, c->mdn_url};
	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
		if (!one_line(lines[i]))
			return false;
	return c->unique.n > 0 && c->unique.n <= 60;
}

static bool plain(unsigned char c)
{
	return c >= ' ' && c < 127 && c != '"' && c != '\\' && c != '/';
}

/* filename="…" for everybody, with what is not plain ASCII replaced; then the true name (RFC 2231) for those who read that. */
static void put_file_name(struct van_buf *to, struct slice name)
{
	bool same = true;
	van_buf_append_str(to, "Content-Disposition: attachment; filename=\"");
	for (size_t i = 0; i < name.n; i++) {
		bool fine = plain((unsigned char)name.p[i]);
		same = same && fine;
		van_buf_append_char(to, fine ? name.p[i] : '_');
	}
	van_buf_append_char(to, '"');
	if (!same)
		van_buf_append_str(to, "; filename*=UTF-8''");
	for (size_t i = 0; i < name.n && !same; i++) {
		unsigned char c = (unsigned char)name.p[i];
		bool token = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '.' || c == '-' || c == '_';
		if (token)
			van_buf_append_char(to, (char)c);
		else
			van_buf_printf(to, "%%%02X", c);
	}
	van_buf_append_str(to, "\r\n");
}

static void put_part_headers(struct van_buf *to, struct slice content_type, struct slice file_name)
{
	as2_put_line(to, "Content-Type: ", content_type.n ? content_type : SLICE("application/octet-stream"));
	van_buf_append_str(to, "Content-Transfer-Encoding: binary\r\n");
	if (file_name.n)
		put_file_name(to, file_name);
}

void package_put_document_headers(const struct as2_package_config *c, struct van_buf *to)
{
	put_part_headers(to, c->content_type, c->file_name);
}

void package_put_attached_headers(const struct as2_attached *a, struct van_buf *to)
{
	put_part_headers(to, one_line(a->content_type) ? a->content_type : SLICE_NONE, a->file_name);
}

void package_put_entity_headers(const struct as2_package_config *c, struct van_buf *to)
{
	struct slice rest = c->content_type.n ? c->content_type : SLICE("application/octet-stream"), type = slice_trim(slice_cut(&rest, ';'));
	if (c->entity_headers.p)
		van_buf_append_slice(to, c->entity_headers);
	else if (c->nattached) /* its type parameter is the first part's, without parameters (RFC 2387 section 3.1) */
		van_buf_printf(to, "Content-Type: multipart/related; type=\"%.*s\"; boundary=\"=_related_%.*s\"\r\n", SLICE_ARG(type),
			       SLICE_ARG(c->related));
	else
		package_put_document_headers(c, to);
}

static void put_mdn_wish(const struct as2_package_config *c, struct van_buf *to)
{
	enum digest_alg alg = c->sign != DIGEST_NONE ? c->sign : DIGEST_SHA256;
	van_buf_printf(to, "Disposition-Notification-To: as2@%.*s\r\n", SLICE_ARG(c->host));
	if (c->mdn_signed)
		van_buf_printf(to, "Disposition-Notification-Options: signed-receipt-protocol=optional, pkcs7-signature; "
				   "signed-receipt-micalg=optional, %s\r\n", digest_micalg(alg));
	if (c->mdn_url.n)
		as2_put_line(to, "Receipt-Delivery-Option: ", c->mdn_url);
}

void package_put_headers(const struct as2_package_config *c, struct van_buf *to)
{
	as2_put_date(to, c->now);
	as2_put_version(to, c->version_minor);
	as2_put_id_line(to, "AS2-From: ", c->from);
	as2_put_id_line(to, "AS2-To: ", c->to);
	as2_put_line(to, "Message-ID: ", c->message_id);
	as2_put_line(to, "Subject: ", c->subject.n ? c->subject : SLICE("EDI message"));
	if (c->product.n) {
		as2_put_line(to, "AS2-Product: ", c->product);
		as2_put_line(to, "User-Agent: ", c->product);
	}
	if (c->mdn_wanted)
		put_mdn_wish(c, to);
	van_buf_append_str(to, "MIME-Version: 1.0\r\n");
}
