#include "as2/mdn.h"

#include "as2/write.h"
#include "base/codec.h"

enum digest_alg as2_mdn_sign_digest(const struct as2_request *q, enum digest_alg mic_alg)
{
	struct slice name;
	if (!q->mdn_signed)
		return DIGEST_NONE;
	if (mic_alg == DIGEST_NONE)
		mic_alg = as2_request_mic(q, DIGEST_NONE, &name);
	return mic_alg == DIGEST_MD5 ? DIGEST_SHA256 : mic_alg;
}

/* What comes from outside may not break out of its line. */
static bool one_line(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] == '\r' || s.p[i] == '\n' || s.p[i] == 0)
			return false;
	return true;
}

static bool unique_valid(struct slice s)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		if (!((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z')))
			return false;
	}
	return s.n >= 1 && s.n <= 60;
}

static int check(const struct as2_mdn_facts *f, struct van_error *err)
{
	const struct slice lines[] = {f->from, f->to, f->message_id, f->reporting_ua, f->product, f->subject, f->mic_text,
				      f->request->message_id};
	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
		if (!one_line(lines[i]))
			return van_error_set(err, VAN_EINVAL, "a line end in a value for an MDN");
	return unique_valid(f->unique) ? 0 : van_error_set(err, VAN_EINVAL, "an MDN needs a unique word of letters and digits");
}

static const char *sentence(enum as2_disposition d)
{
	switch (d) {
	case AS2_PROCESSED: return "The message was received and stored.";
	case AS2_DUPLICATE_DOCUMENT: return "The message was received before; it was not processed again.";
	case AS2_AUTHENTICATION_FAILED: return "The signature of the message could not be verified.";
	case AS2_DECRYPTION_FAILED: return "The message could not be decrypted.";
	case AS2_DECOMPRESSION_FAILED: return "The message could not be decompressed.";
	case AS2_INSUFFICIENT_SECURITY: return "The message is not secured as was agreed.";
	case AS2_INTEGRITY_CHECK_FAILED: return "The content of the message does not fit its signature.";
	case AS2_UNKNOWN_RELATIONSHIP: return "No partner with these AS2 names is known here.";
	default: return "The message could not be processed.";
	}
}

/* Printable ASCII, wrapped at blanks behind the 72nd column. */
static void put_text(struct van_buf *to, struct slice text)
{
	size_t column = 0;
	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i];
		if (c == '\r' || c == '\n' || (c == ' ' && column > 72)) {
			if (c != '\r')
				van_buf_append_str(to, "\r\n");
			column = 0;
			continue;
		}
		van_buf_append_char(to, (c < ' ' && c != '\t') || c == 127 || (unsigned char)c > 127 ? '?' : c);
		column++;
	}
	van_buf_append_str(to, "\r\n");
}

static void put_report_type(struct van_buf *to, const struct as2_mdn_facts *f)
{
	van_buf_printf(to, "Content-Type: multipart/report; report-type=disposition-notification; boundary=\"=_report_%.*s\"\r\n",
		       SLICE_ARG(f->unique));
}

static void put_notification(struct van_buf *to, const struct as2_mdn_facts *f)
{
	as2_put_line(to, "Reporting-UA: ", f->reporting_ua);
	as2_put_id_line(to, "Original-Recipient: rfc822; ", f->from);
	as2_put_id_line(to, "Final-Recipient: rfc822; ", f->from);
	as2_put_line(to, "Original-Message-ID: ", f->request->message_id);
	if (f->mic_text.n)
		as2_put_line(to, "Received-Content-MIC: ", f->mic_text);
	van_buf_printf(to, "Disposition: automatic-action/MDN-sent-automatically; %s\r\n",
		       as2_disposition_text(f->disposition, f->request->version_minor));
}

int as2_mdn_build(const struct as2_mdn_facts *f, struct van_buf *to, struct van_error *err)
{
	int rc = check(f, err);
	if (rc)
		return rc;
	put_report_type(to, f);
	van_buf_printf(to, "\r\n--=_report_%.*s\r\n", SLICE_ARG(f->unique));
	van_buf_append_str(to, "Content-Type: text/plain; charset=us-ascii\r\nContent-Transfer-Encoding: 7bit\r\n\r\n");
	put_text(to, f->text.n ? f->text : slice_str(sentence(f->disposition)));
	van_buf_printf(to, "\r\n--=_report_%.*s\r\n", SLICE_ARG(f->unique));
	van_buf_append_str(to, "Content-Type: message/disposition-notification\r\nContent-Transfer-Encoding: 7bit\r\n\r\n");
	put_notification(to, f);
	van_buf_printf(to, "\r\n--=_report_%.*s--\r\n", SLICE_ARG(f->unique));
	return to->error ? van_error_set(err, to->error, "no room for an MDN") : 0;
}

static void put_headers(struct van_buf *to, const struct as2_mdn_facts *f)
{
	as2_put_date(to, f->now);
	as2_put_version(to, f->request->version_minor);
	as2_put_id_line(to, "AS2-From: ", f->from);
	as2_put_id_line(to, "AS2-To: ", f->to);
	as2_put_line(to, "Message-ID: ", f->message_id);
	if (f->subject.n)
		as2_put_line(to, "Subject: ", f->subject);
	if (f->product.n)
		as2_put_line(to, "AS2-Product: ", f->product);
	van_buf_append_str(to, "MIME-Version: 1.0\r\n");
}

static void put_signature(struct van_buf *to, const struct as2_mdn_facts *f, struct slice report, struct slice der)
{
	van_buf_printf(to, "--=_signed_%.*s\r\n", SLICE_ARG(f->unique));
	van_buf_append_slice(to, report);
	van_buf_printf(to, "\r\n--=_signed_%.*s\r\n", SLICE_ARG(f->unique));
	van_buf_append_str(to, "Content-Type: application/pkcs7-signature; name=smime.p7s\r\nContent-Transfer-Encoding: base64\r\n"
			       "Content-Disposition: attachment; filename=smime.p7s\r\n\r\n");
	base64_encode(to, der.p, der.n, 64);
	van_buf_printf(to, "\r\n--=_signed_%.*s--\r\n", SLICE_ARG(f->unique));
}

int as2_mdn_finish(const struct as2_mdn_facts *f, struct slice report, struct slice signature, struct van_buf *headers,
		   struct van_buf *body, struct van_error *err)
{
	int rc = check(f, err);
	size_t end = mime_headers_end(report);
	if (rc)
		return rc;
	if (end == 0 || (f->sign != DIGEST_NONE && signature.n == 0))
		return van_error_set(err, VAN_EINVAL, "an MDN needs its report, and its signature when it is to be signed");
	put_headers(headers, f);
	if (f->sign == DIGEST_NONE) {
		put_report_type(headers, f);
		van_buf_append(body, report.p + end, report.n - end);
	} else {
		van_buf_printf(headers, "Content-Type: multipart/signed; protocol=\"application/pkcs7-signature\"; micalg=%s; "
					"boundary=\"=_signed_%.*s\"\r\n", digest_micalg(f->sign), SLICE_ARG(f->unique));
		put_signature(body, f, report, signature);
	}
	rc = headers->error ? headers->error : body->error;
	return rc ? van_error_set(err, rc, "no room for an MDN") : 0;
}
