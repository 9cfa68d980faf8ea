#include "as2/disposition.h"

static const struct {
	const char *name, *text;
	bool ok, only_13;
} table[AS2_DISPOSITION_COUNT] = {
	[AS2_PROCESSED] = {"processed", "processed", true, false},
	[AS2_AUTHENTICATION_FAILED] = {"authentication-failed", "processed/error: authentication-failed", false, false},
	[AS2_DECOMPRESSION_FAILED] = {"decompression-failed", "processed/error: decompression-failed", false, false},
	[AS2_DECRYPTION_FAILED] = {"decryption-failed", "processed/error: decryption-failed", false, false},
	[AS2_INSUFFICIENT_SECURITY] = {"insufficient-message-security", "processed/error: insufficient-message-security", false, false},
	[AS2_INTEGRITY_CHECK_FAILED] = {"integrity-check-failed", "processed/error: integrity-check-failed", false, false},
	[AS2_UNEXPECTED_ERROR] = {"unexpected-processing-error", "processed/error: unexpected-processing-error", false, false},
	[AS2_UNKNOWN_RELATIONSHIP] = {"unknown-trading-relationship", "processed/error: unknown-trading-relationship", false, true},
	[AS2_DUPLICATE_FILENAME] = {"duplicate-filename", "processed/error: duplicate-filename", false, true},
	[AS2_ILLEGAL_FILENAME] = {"illegal-filename", "processed/error: illegal-filename", false, true},
	[AS2_INVALID_MESSAGE_ID] = {"invalid-message-id", "processed/error: invalid-message-id", false, true},
	[AS2_UNSUPPORTED_FORMAT] = {"unsupported format", "failed/Failure: unsupported format", false, false},
	[AS2_UNSUPPORTED_MIC] = {"unsupported MIC-algorithms", "failed/Failure: unsupported MIC-algorithms", false, false},
	[AS2_SENDER_EQUALS_RECEIVER] = {"sender-equals-receiver", "failed/Failure: sender-equals-receiver", false, false},
	[AS2_DUPLICATE_DOCUMENT] = {"duplicate-document", "processed/warning: duplicate-document", true, false},
	[AS2_PROCESSED_WARNING] = {"warning", "processed/warning", true, false},
	[AS2_OTHER_ERROR] = {"error", "processed/error: unexpected-processing-error", false, false},
};

const char *as2_disposition_text(enum as2_disposition d, unsigned version_minor)
{
	if ((unsigned)d >= AS2_DISPOSITION_COUNT)
		d = AS2_UNEXPECTED_ERROR;
	if (table[d].only_13 && version_minor < 3)
		d = d == AS2_UNKNOWN_RELATIONSHIP ? AS2_AUTHENTICATION_FAILED : AS2_UNEXPECTED_ERROR;
	return table[d].text;
}

const char *as2_disposition_name(enum as2_disposition d)
{
	return table[(unsigned)d < AS2_DISPOSITION_COUNT ? d : AS2_OTHER_ERROR].name;
}

bool as2_disposition_ok(enum as2_disposition d)
{
	return (unsigned)d < AS2_DISPOSITION_COUNT && table[d].ok;
}

/* Letters and digits only, lower case, so that "unsupported MIC-algorithms" has one form. */
static struct slice plain(struct slice s, char *to, size_t room)
{
	size_t n = 0;
	for (size_t i = 0; i < s.n && n < room; i++) {
		char c = s.p[i];
		if (c >= 'A' && c <= 'Z')
			c = (char)(c + 32);
		if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))
			to[n++] = c;
	}
	return slice_make(to, n);
}

static enum as2_disposition by_name(struct slice name, enum as2_disposition otherwise)
{
	char a[64], b[64];
	struct slice wanted = plain(name, a, sizeof a);
	for (int d = AS2_AUTHENTICATION_FAILED; d <= AS2_DUPLICATE_DOCUMENT; d++)
		if (slice_eq(wanted, plain(slice_str(table[d].name), b, sizeof b)))
			return (enum as2_disposition)d;
	return otherwise;
}

/* [action;] type[/modifier[:text]]. Old software puts the text elsewhere: "processed/error/decryption-failed". */
enum as2_disposition as2_disposition_parse(struct slice field)
{
	struct slice rest = field, action = slice_cut(&rest, ';');
	if (!rest.p)
		rest = action;
	struct slice modifier = slice_trim(rest), type = slice_trim(slice_cut(&modifier, '/'));
	bool failed = slice_case_is(type, "failed");
	if (!failed && !slice_case_is(type, "processed"))
		return AS2_OTHER_ERROR;
	if (!modifier.p)
		return failed ? AS2_OTHER_ERROR : AS2_PROCESSED;
	size_t n = 0;
	while (n < modifier.n && modifier.p[n] != ':' && modifier.p[n] != '/' && modifier.p[n] != '=')
		n++;
	struct slice word = slice_trim(slice_make(modifier.p, n));
	struct slice name = n < modifier.n ? slice_make(modifier.p + n + 1, modifier.n - n - 1) : SLICE("");
	if (!failed && slice_case_is(word, "warning"))
		return by_name(name, AS2_PROCESSED_WARNING) == AS2_DUPLICATE_DOCUMENT ? AS2_DUPLICATE_DOCUMENT
										      : AS2_PROCESSED_WARNING;
	enum as2_disposition d = by_name(name.n ? name : word, AS2_OTHER_ERROR);
	return d == AS2_DUPLICATE_DOCUMENT ? AS2_OTHER_ERROR : d;
}
