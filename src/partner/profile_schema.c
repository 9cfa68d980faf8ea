/* The keys of profiles. Every table here is read by people through doc/profile-reference.md. */
#include "partner/profile_private.h"

const char *const profile_policy_names[] = {"tolerate", "strict", "repair", NULL};
const char *const profile_lenience_names[] = {"reject", "report", NULL};
const char *const profile_codes_names[] = {"open", "closed", NULL};
const char *const profile_unknown_names[] = {"accept", "nearest", "reject", NULL};
const char *const profile_rest_names[] = {"deliver", "hold", NULL};
const char *const profile_rule_answer_names[] = {"none", "advice", NULL};
const char *const profile_rejects_names[] = {"message", "group", "interchange", NULL};
const char *const profile_ta1_names[] = {"asked", "always", "never", NULL};
const char *const profile_split_names[] = {"none", "group", "message", NULL};
const char *const profile_kind_names[] = {"station", "partner", "agreement", NULL};
const char *const profile_protocol_names[] = {"as2", "sftp-mailbox", "sftp", NULL};
const char *const profile_document_format_names[] = {"csv", "ubl-xml", "canonical-json", "any", NULL};
const char *const profile_fetched_names[] = {"delete", "archive", "keep", NULL};
const char *const profile_compress_names[] = {"none", "before-signing", "after-signing", NULL};
const char *const profile_mdn_mode_names[] = {"sync", "async", "none", NULL};
const char *const profile_key_transport_names[] = {"rsa", "rsa-oaep", NULL};
const char *const profile_signature_names[] = {"rsa", "rsa-pss", NULL};
const char *const profile_as2_version_names[] = {"1.2", "1.3", NULL};
const char *const profile_revocation_names[] = {"never", "listed", "always", NULL};
const char *const profile_taken_names[] = {"delete", "download", NULL};
const char *const profile_login_names[] = {"any", "key", "password", "both", NULL};
const char *const profile_environment_names[] = {"production", "test", NULL};
const char *const profile_mode_names[] = {"pass-through", "translate", NULL};
const char *const profile_acknowledged_by_names[] = {"receiver", "network", "none", NULL};
const char *const profile_duplicate_names[] = {"hold", "accept", "reject", NULL};
const char *const profile_file_name_names[] = {"accept", "refuse", NULL};
const char *const profile_require_names[] = {"signed", "encrypted", NULL};
const char *const profile_digest_names[] = {"sha256", "sha384", "sha512", "sha224", "sha1", "md5", NULL};
const char *const profile_cipher_names[] = {"aes128-cbc", "aes192-cbc", "aes256-cbc", "aes128-gcm", "aes192-gcm", "aes256-gcm",
					    "des-ede3-cbc", NULL};
const char *const profile_sign_names[] = {"none", "sha256", "sha384", "sha512", "sha1", NULL};
const char *const profile_encrypt_names[] = {"none", "aes128-cbc", "aes192-cbc", "aes256-cbc", "aes128-gcm", "aes192-gcm",
					     "aes256-gcm", "des-ede3-cbc", NULL};

#define AS2 (1u << PROFILE_AS2)
#define SFTP (1u << PROFILE_SFTP_MAILBOX)
#define SFTP_OUT (1u << PROFILE_SFTP)

#define AT(type_, member_) .offset = offsetof(struct type_, member_)

static const struct schema_field certificate_fields[] = {
	{.key = "file", .kind = SCHEMA_PATH, AT(profile_certificate, file), .help = "PEM file; its first certificate is embedded when the profile is applied"},
	{.key = "pem", .kind = SCHEMA_TEXT, AT(profile_certificate, pem), .help = "the certificate itself, instead of a file; goes before `file`"},
	{.key = "from", .kind = SCHEMA_TIME, AT(profile_certificate, from), .help = "used from then on, for a roll-over"},
	{.key = "until", .kind = SCHEMA_TIME, AT(profile_certificate, until), .help = "not used from then on"},
	{.key = "key_id", .kind = SCHEMA_TEXT, .flags = SCHEMA_DERIVED, AT(profile_certificate, key_id)},
	{.key = "fingerprint", .kind = SCHEMA_TEXT, .flags = SCHEMA_DERIVED, AT(profile_certificate, fingerprint)},
	{.key = "subject", .kind = SCHEMA_TEXT, .flags = SCHEMA_DERIVED, AT(profile_certificate, subject)},
	{.key = "not_before", .kind = SCHEMA_TIME, .flags = SCHEMA_DERIVED, AT(profile_certificate, not_before)},
	{.key = "not_after", .kind = SCHEMA_TIME, .flags = SCHEMA_DERIVED, AT(profile_certificate, not_after)},
	{.key = NULL},
};
static const struct schema_table certificate_table = {
	.name = "certificate", .size = sizeof(struct profile_certificate), .fields = certificate_fields, .shorthand = "file",
	.finish = profile_certificate_finish,
	.help = "An X.509 certificate: the path of a PEM file, or this map. What a stored profile shows besides (`key_id`, "
		"`fingerprint`, `subject`, `not_before`, `not_after`) follows from the certificate and is ignored in input.",
};

static const struct schema_field key_pair_fields[] = {
	{.key = "certificate", .kind = SCHEMA_ONE, .flags = SCHEMA_REQUIRED, AT(profile_key_pair, certificate), .sub = &certificate_table,
	 .help = "what partners are given"},
	{.key = "key", .kind = SCHEMA_PATH, .flags = SCHEMA_REQUIRED, AT(profile_key_pair, key),
	 .help = "PEM file of the private key; only its place is stored, only keyd gets its content"},
	{.key = "key_id", .kind = SCHEMA_TEXT, .flags = SCHEMA_DERIVED, AT(profile_key_pair, key_id)},
	{.key = NULL},
};
static const struct schema_table key_pair_table = {
	.name = "key pair", .size = sizeof(struct profile_key_pair), .fields = key_pair_fields, .finish = profile_key_pair_finish,
	.help = "A certificate of a station with its private key.",
};

static const struct schema_field identity_fields[] = {
	{.key = "standard", .kind = SCHEMA_ENUM, .flags = SCHEMA_REQUIRED, AT(profile_identity, standard), .names = identity_standard_names,
	 .help = "X12 and EDIFACT qualifiers are different spaces"},
	{.key = "id", .kind = SCHEMA_TEXT, .flags = SCHEMA_REQUIRED, AT(profile_identity, id),
	 .help = "`QUALIFIER:ID`, in EDIFACT also `QUALIFIER:ID:SUB`; compared exactly, without trailing padding"},
	{.key = "connection", .kind = SCHEMA_TEXT, AT(profile_identity, connection), .check = profile_check_id,
	 .help = "connection over which documents for this identity go; default: the party's first"},
	{.key = "valid_from", .kind = SCHEMA_TIME, AT(profile_identity, valid_from), .help = "the party's from then on"},
	{.key = "valid_until", .kind = SCHEMA_TIME, AT(profile_identity, valid_until), .help = "no longer the party's from then on"},
	{.key = "name", .kind = SCHEMA_TEXT, .flags = SCHEMA_DERIVED, AT(profile_identity, name)},
	{.key = NULL},
};
static const struct schema_table identity_table = {
	.name = "identity", .size = sizeof(struct profile_identity), .fields = identity_fields, .finish = profile_identity_finish,
	.help = "One EDI address. At any time it belongs to one party only.",
};

static const struct schema_field contact_fields[] = {
	{.key = "name", .kind = SCHEMA_TEXT, AT(profile_contact, name), .help = "person or team"},
	{.key = "role", .kind = SCHEMA_TEXT, AT(profile_contact, role), .help = "what to ask them: technical, business, …"},
	{.key = "email", .kind = SCHEMA_TEXT, AT(profile_contact, email), .help = "address"},
	{.key = "phone", .kind = SCHEMA_TEXT, AT(profile_contact, phone), .help = "number"},
	{.key = NULL},
};
static const struct schema_table contact_table = {
	.name = "contact", .size = sizeof(struct profile_contact), .fields = contact_fields,
	.help = "Whom to call. For people only.",
};

static const struct schema_field station_as2_fields[] = {
	{.key = "id", .kind = SCHEMA_TEXT, .flags = SCHEMA_REQUIRED, AT(profile_station_as2, id), .check = profile_check_as2_id,
	 .help = "its AS2 name: what partners write in AS2-To; 1 to 128 printable ASCII characters, case matters"},
	{.key = "sign", .kind = SCHEMA_MANY, .max = PROFILE_CERTIFICATES_MAX, .flags = SCHEMA_NOT_EMPTY, AT(profile_station_as2, sign), .sub = &key_pair_table,
	 .help = "the first signs messages and MDNs, all are announced to partners"},
	{.key = "decrypt", .kind = SCHEMA_MANY, .max = PROFILE_CERTIFICATES_MAX, .flags = SCHEMA_NOT_EMPTY, AT(profile_station_as2, decrypt), .sub = &key_pair_table,
	 .help = "all are tried on what arrives"},
	{.key = NULL},
};
static const struct schema_table station_as2_table = {
	.name = "station's AS2", .size = sizeof(struct profile_station_as2), .fields = station_as2_fields,
	.help = "How the station speaks AS2.",
};

static const char *const only_station[] = {"station", NULL}, *const only_partner[] = {"partner", NULL},
			       *const only_agreement[] = {"agreement", NULL};
/* `kind` is read before the table is chosen; here it is only a known key. Its member must hold a uint32_t. */
#define KIND(type_, names_) {.key = "kind", .kind = SCHEMA_ENUM, .flags = SCHEMA_REQUIRED, AT(type_, kind), .names = names_, .help = "what this document describes"}
#define COMMON(type_) \
	{.key = "id", .kind = SCHEMA_TEXT, .flags = SCHEMA_REQUIRED, AT(type_, id), .check = profile_check_id, \
	 .help = "its short name in commands and files: letters, digits, `.`, `_`, `-`; at most 64"}, \
	{.key = "name", .kind = SCHEMA_TEXT, AT(type_, name), .help = "its name for people"}, \
	{.key = "description", .kind = SCHEMA_TEXT, AT(type_, description), .help = "notes for people"}, \
	{.key = "enabled", .kind = SCHEMA_BOOL, AT(type_, enabled), .fallback = "true", .help = "`false`: stays stored, takes no part"}

static const struct schema_field station_fields[] = {
	KIND(profile_station, only_station),
	COMMON(profile_station),
	{.key = "identities", .kind = SCHEMA_MANY, AT(profile_station, identities), .sub = &identity_table, .help = "EDI addresses it answers for"},
	{.key = "as2", .kind = SCHEMA_ONE, AT(profile_station, as2), .sub = &station_as2_table, .help = "its AS2 name and keys"},
	{.key = "contacts", .kind = SCHEMA_MANY, AT(profile_station, contacts), .sub = &contact_table, .help = "people"},
	{.key = NULL},
};
static const struct schema_table station_table = {
	.name = "station", .size = sizeof(struct profile_station), .fields = station_fields, .finish = profile_station_finish,
	.help = "A party this installation speaks for, and whose keys it holds.",
};

static const struct schema_field receive_auth_fields[] = {
	{.key = "user", .kind = SCHEMA_TEXT, .flags = SCHEMA_REQUIRED | SCHEMA_NOT_EMPTY, AT(profile_receive_auth, user), .check = profile_check_user,
	 .help = "user name"},
	{.key = "password", .kind = SCHEMA_TEXT, .flags = SCHEMA_REQUIRED | SCHEMA_SECRET, AT(profile_receive_auth, password),
	 .check = profile_check_password, .help = "yescrypt, scrypt or argon2 hash of the password, never the password: `mkpasswd -m yescrypt` makes one"},
	{.key = NULL},
};
static const struct schema_table receive_auth_table = {
	.name = "HTTP authentication of the partner", .size = sizeof(struct profile_receive_auth), .fields = receive_auth_fields,
	.help = "HTTP basic authentication that the partner has to send with its messages.",
};

static const struct schema_field receive_fields[] = {
	{.key = "certificates", .kind = SCHEMA_MANY, .max = PROFILE_CERTIFICATES_MAX, AT(profile_receive, certificates), .sub = &certificate_table,
	 .help = "any of them verifies what the partner signs"},
	{.key = "require", .kind = SCHEMA_SET, AT(profile_receive, require), .names = profile_require_names, .fallback = "signed, encrypted",
	 .help = "a message that is not gets `insufficient-message-security`; `[]` takes anything"},
	{.key = "digests", .kind = SCHEMA_SET, .flags = SCHEMA_NOT_EMPTY, AT(profile_receive, digests), .names = profile_digest_names,
	 .fallback = "sha256, sha384, sha512", .help = "digests accepted in signatures"},
	{.key = "ciphers", .kind = SCHEMA_SET, .flags = SCHEMA_NOT_EMPTY, AT(profile_receive, ciphers), .names = profile_cipher_names,
	 .fallback = "aes128-cbc, aes192-cbc, aes256-cbc, aes128-gcm, aes192-gcm, aes256-gcm", .help = "ciphers accepted"},
	{.key = "check_expiry", .kind = SCHEMA_BOOL, AT(profile_receive, check_expiry), .fallback = "false",
	 .help = "refuse signatures of a certificate that has expired or is not valid yet"},
	{.key = "check_purpose", .kind = SCHEMA_BOOL, AT(profile_receive, check_purpose), .fallback = "false",
	 .help = "refuse signatures of a certificate whose key usage does not allow to sign messages"},
	{.key = "check_revocation", .kind = SCHEMA_ENUM, AT(profile_receive, check_revocation), .names = profile_revocation_names, .fallback = "never",
	 .help = "`listed`: refuse signatures and TLS clients whose certificate stands in one of the revocation lists that vand.yaml names (`as2.crls`); "
		 "`always`: also where there is no current list of its issuer"},
	{.key = "authorities", .kind = SCHEMA_MANY, .max = PROFILE_CERTIFICATES_MAX, AT(profile_receive, authorities), .sub = &certificate_table,
	 .help = "roots and intermediates: a certificate that verifies must chain up to one of them; default: the certificates count by themselves"},
	{.key = "strict_message_id", .kind = SCHEMA_BOOL, AT(profile_receive, strict_message_id), .fallback = "false",
	 .help = "refuse a Message-ID that is not `<left@right>` without blanks, with `invalid-message-id`"},
	{.key = "restart", .kind = SCHEMA_BOOL, AT(profile_receive, restart), .fallback = "true",
	 .help = "a message with an `ETag` whose connection breaks may be continued (AS2 Restart), within the limits of `as2.restart` in vand.yaml"},
	{.key = "max_expansion", .kind = SCHEMA_INTEGER, AT(profile_receive, max_expansion), .fallback = "200", .min = 1, .max = 2000,
	 .help = "a compressed message may become so many times as large as it came (its first MiB counts not); more gets `decompression-failed`. "
		 "ZLIB reaches about 1000, with content that is one byte over and over"},
	{.key = "duplicate_file_name", .kind = SCHEMA_ENUM, AT(profile_receive, duplicate_file_name), .names = profile_file_name_names,
	 .fallback = "accept", .help = "`refuse`: a file name that the partner has used before gets `duplicate-filename`"},
	{.key = "illegal_file_name", .kind = SCHEMA_ENUM, AT(profile_receive, illegal_file_name), .names = profile_file_name_names,
	 .fallback = "accept", .help = "`refuse`: a file name with a path or unusable characters gets `illegal-filename`; else its safe part is kept"},
	{.key = "addresses", .kind = SCHEMA_TEXTS, AT(profile_receive, addresses), .check = profile_check_network,
	 .help = "addresses and networks (`192.0.2.7`, `2001:db8::/32`) that the partner's messages come from; default: any. Others get HTTP 403"},
	{.key = "client_certificates", .kind = SCHEMA_MANY, .max = PROFILE_CERTIFICATES_MAX, AT(profile_receive, client_certificates), .sub = &certificate_table,
	 .help = "the partner's TLS client has to show one of these; default: none is asked for"},
	{.key = "auth", .kind = SCHEMA_ONE, AT(profile_receive, auth), .sub = &receive_auth_table, .help = "the partner has to authenticate itself to HTTP, too"},
	{.key = NULL},
};
static const struct schema_table receive_table = {
	.name = "receive", .size = sizeof(struct profile_receive), .fields = receive_fields,
	.help = "What is accepted from the partner over AS2.",
};

static const struct schema_field mdn_fields[] = {
	{.key = "mode", .kind = SCHEMA_ENUM, AT(profile_mdn, mode), .names = profile_mdn_mode_names, .fallback = "sync",
	 .help = "how the partner shall answer: on the same connection, later, or not"},
	{.key = "signed", .kind = SCHEMA_BOOL, AT(profile_mdn, signed_), .fallback = "true", .help = "ask for a signed MDN, and take no other"},
	{.key = "timeout", .kind = SCHEMA_DURATION, AT(profile_mdn, timeout), .fallback = "30m", .min = 1000000, .max = UINT64_C(2592000000000),
	 .help = "without an MDN until then the try has failed"},
	{.key = "url", .kind = SCHEMA_TEXT, AT(profile_mdn, url), .check = profile_check_url,
	 .help = "asynchronous: where it shall go; default: `/mdn` below our own AS2 path"},
	{.key = NULL},
};
static const struct schema_table mdn_table = {
	.name = "mdn", .size = sizeof(struct profile_mdn), .fields = mdn_fields,
	.help = "The receipt (MDN) asked for with what is sent.",
};

static const struct schema_field auth_fields[] = {
	{.key = "user", .kind = SCHEMA_TEXT, .flags = SCHEMA_REQUIRED | SCHEMA_NOT_EMPTY, AT(profile_send_auth, user), .check = profile_check_header, .help = "user name"},
	{.key = "password_file", .kind = SCHEMA_PATH, .flags = SCHEMA_REQUIRED, AT(profile_send_auth, password_file),
	 .help = "file whose first line is the password; only its place is stored, only deliver gets its content"},
	{.key = NULL},
};
static const struct schema_table auth_table = {
	.name = "HTTP authentication", .size = sizeof(struct profile_send_auth), .fields = auth_fields, .help = "HTTP basic authentication at the partner's address.",
};

static const struct schema_field send_tls_fields[] = {
	{.key = "trust", .kind = SCHEMA_MANY, AT(profile_send_tls, trust), .sub = &certificate_table,
	 .help = "authorities, or the very certificates the server may show; default: the system's authorities"},
	{.key = "check_name", .kind = SCHEMA_BOOL, AT(profile_send_tls, check_name), .fallback = "true", .help = "the server's certificate must name the host of the address"},
	{.key = "client", .kind = SCHEMA_MANY, AT(profile_send_tls, client), .sub = &key_pair_table, .help = "our certificate and key, where the server asks for one; the first that is in use"},
	{.key = NULL},
};
static const struct schema_table send_tls_table = {
	.name = "TLS of sending", .size = sizeof(struct profile_send_tls), .fields = send_tls_fields, .help = "For https:// addresses.",
};

static const struct schema_field send_fields[] = {
	{.key = "url", .kind = SCHEMA_TEXT, .flags = SCHEMA_REQUIRED, AT(profile_send, url), .check = profile_check_url,
	 .help = "the partner's AS2 address, http:// or https://"},
	{.key = "certificates", .kind = SCHEMA_MANY, .max = PROFILE_CERTIFICATES_MAX, AT(profile_send, certificates), .sub = &certificate_table,
	 .help = "the first that is in use encrypts; default: those of `receive`"},
	{.key = "sign", .kind = SCHEMA_ENUM, AT(profile_send, sign), .names = profile_sign_names, .fallback = "sha256", .help = "digest of our signature"},
	{.key = "encrypt", .kind = SCHEMA_ENUM, AT(profile_send, encrypt), .names = profile_encrypt_names, .fallback = "aes256-cbc", .help = "cipher"},
	{.key = "compress", .kind = SCHEMA_ENUM, AT(profile_send, compress), .names = profile_compress_names, .fallback = "none", .help = "RFC 5402 compression, and when"},
	{.key = "mdn", .kind = SCHEMA_OBJECT, AT(profile_send, mdn), .sub = &mdn_table, .help = "the receipt asked for"},
	{.key = "retry", .kind = SCHEMA_DURATIONS, AT(profile_send, retry), .fallback = "5m, 10m, 20m, 40m", .min = 1000000,
	 .max = UINT64_C(2592000000000), .help = "waiting times before further tries, with the same Message-ID; `[]`: no further try"},
	{.key = "subject", .kind = SCHEMA_TEXT, AT(profile_send, subject), .check = profile_check_header, .help = "Subject header"},
	{.key = "content_type", .kind = SCHEMA_TEXT, AT(profile_send, content_type), .check = profile_check_header,
	 .help = "Content-Type of the payload; default: by what it is (application/edi-x12, application/edifact, …)"},
	{.key = "key_transport", .kind = SCHEMA_ENUM, AT(profile_send, key_transport), .names = profile_key_transport_names, .fallback = "rsa",
	 .help = "how the content key is encrypted for an RSA certificate: `rsa` (PKCS #1 v1.5, what everybody reads) or `rsa-oaep` (with SHA-256). "
		 "For an EC certificate it is agreed by ECDH (RFC 5753)"},
	{.key = "signature", .kind = SCHEMA_ENUM, AT(profile_send, signature), .names = profile_signature_names, .fallback = "rsa",
	 .help = "how our RSA key signs messages and MDNs: `rsa` (PKCS #1 v1.5, what everybody reads) or `rsa-pss`. An EC key signs by ECDSA"},
	{.key = "as2_version", .kind = SCHEMA_ENUM, AT(profile_send, as2_version), .names = profile_as2_version_names, .fallback = "1.2",
	 .help = "AS2-Version of what we send. `1.3` lets the partner answer with the errors that came with it; MDNs have the sender's version"},
	{.key = "chunked", .kind = SCHEMA_BOOL, AT(profile_send, chunked), .fallback = "false", .help = "chunked transfer instead of Content-Length"},
	{.key = "expect_continue", .kind = SCHEMA_BOOL, AT(profile_send, expect_continue), .fallback = "false", .help = "`Expect: 100-continue`: the server may refuse before the body goes out"},
	{.key = "restart", .kind = SCHEMA_BOOL, AT(profile_send, restart), .fallback = "false",
	 .help = "AS2 Restart: a message has an `ETag`, its package is kept until it is delivered, and a further try goes on where the connection broke. "
		 "For large messages to partners that know it"},
	{.key = "redirects", .kind = SCHEMA_INTEGER, AT(profile_send, redirects), .fallback = "0", .max = 10, .help = "HTTP redirects followed at most; 0: a redirect is a failure"},
	{.key = "proxy", .kind = SCHEMA_TEXT, AT(profile_send, proxy), .check = profile_check_proxy, .help = "`http://host:port` of a proxy, or socks5://host:port"},
	{.key = "auth", .kind = SCHEMA_ONE, AT(profile_send, auth), .sub = &auth_table,
	 .help = "HTTP basic authentication, of asynchronous MDNs, too; where `url` is https://, never over http://"},
	{.key = "tls", .kind = SCHEMA_OBJECT, AT(profile_send, tls), .sub = &send_tls_table, .help = "for https:// addresses"},
	{.key = NULL},
};
static const struct schema_table send_table = {
	.name = "send", .size = sizeof(struct profile_send), .fields = send_fields, .finish = profile_send_finish,
	.help = "How documents go to the partner over AS2. Without it the connection only receives.",
};

static const struct schema_field ssh_key_fields[] = {
	{.key = "key", .kind = SCHEMA_TEXT, .flags = SCHEMA_REQUIRED, AT(profile_ssh_key, key),
	 .help = "the public key as in an authorized_keys file: `ssh-ed25519 AAAA… comment`"},
	{.key = "from", .kind = SCHEMA_TIME, AT(profile_ssh_key, from), .help = "accepted from then on"},
	{.key = "until", .kind = SCHEMA_TIME, AT(profile_ssh_key, until), .help = "not accepted from then on"},
	{.key = NULL},
};
static const struct schema_table ssh_key_table = {
	.name = "SSH key", .size = sizeof(struct profile_ssh_key), .fields = ssh_key_fields, .shorthand = "key", .finish = profile_ssh_key_finish,
	.help = "A public key that may log in: the key alone, or this map.",
};

static const struct schema_field folders_fields[] = {
	{.key = "in", .kind = SCHEMA_TEXT, .flags = SCHEMA_NOT_EMPTY, AT(profile_folders, in), .fallback = "/in", .check = profile_check_folder,
	 .help = "where the partner writes"},
	{.key = "out", .kind = SCHEMA_TEXT, .flags = SCHEMA_NOT_EMPTY, AT(profile_folders, out), .fallback = "/out", .check = profile_check_folder,
	 .help = "where documents wait for the partner"},
	{.key = "in_subfolders", .kind = SCHEMA_TEXTS, AT(profile_folders, in_subfolders), .check = profile_check_subfolder,
	 .help = "folders within `in` that the partner may write to as well"},
	{.key = "out_subfolders", .kind = SCHEMA_TEXTS, AT(profile_folders, out_subfolders), .check = profile_check_subfolder,
	 .help = "folders within `out` that are shown even when nothing waits in them; those of agreements are shown anyway"},
	{.key = NULL},
};
static const struct schema_table folders_table = {
	.name = "folders", .size = sizeof(struct profile_folders), .fields = folders_fields, .finish = profile_folders_finish,
	.help = "Names of a mailbox's folders, as the partner sees them.",
};

static const struct schema_field mailbox_limits_fields[] = {
	{.key = "sessions", .kind = SCHEMA_INTEGER, AT(profile_mailbox_limits, sessions), .fallback = "unlimited", .word = "unlimited", .max = 100000,
	 .help = "at one time"},
	{.key = "bandwidth", .kind = SCHEMA_SIZE, AT(profile_mailbox_limits, bandwidth), .fallback = "unlimited", .min = 65536, .max = UINT64_MAX,
	 .help = "bytes a second, both ways, of all its sessions together"},
	{.key = "storage", .kind = SCHEMA_SIZE, AT(profile_mailbox_limits, storage), .fallback = "unlimited",
	 .help = "bytes of its uploads that are kept: unfinished ones, those that wait for a rename, and the archive of `in`"},
	{.key = "files", .kind = SCHEMA_INTEGER, AT(profile_mailbox_limits, files), .fallback = "unlimited", .word = "unlimited", .max = UINT64_C(1000000000000),
	 .help = "how many those may be, empty ones too"},
	{.key = "uploads", .kind = SCHEMA_INTEGER, AT(profile_mailbox_limits, uploads), .fallback = "100000", .word = "unlimited", .max = UINT64_C(1000000000000),
	 .help = "files in one day (of the network's time zone), whatever becomes of them; one that is broken off and gone on with counts again"},
	{.key = NULL},
};
static const struct schema_table mailbox_limits_table = {
	.name = "mailbox limits", .size = sizeof(struct profile_mailbox_limits), .fields = mailbox_limits_fields,
	.help = "What one mailbox may use. Past it a log-in or an upload is refused, with the reason.",
};

static const struct schema_field server_fields[] = {
	{.key = "host", .kind = SCHEMA_TEXT, .flags = SCHEMA_REQUIRED, AT(profile_server, host), .check = profile_check_host, .help = "its name or address"},
	{.key = "port", .kind = SCHEMA_INTEGER, AT(profile_server, port), .fallback = "22", .min = 1, .max = 65535, .help = "TCP port"},
	{.key = "user", .kind = SCHEMA_TEXT, .flags = SCHEMA_REQUIRED | SCHEMA_NOT_EMPTY, AT(profile_server, user), .check = profile_check_header,
	 .help = "our user name there"},
	{.key = "host_keys", .kind = SCHEMA_TEXTS, .flags = SCHEMA_REQUIRED | SCHEMA_NOT_EMPTY, AT(profile_server, host_keys), .check = profile_check_host_key,
	 .help = "the server's public keys, `ssh-ed25519 AAAA…`: it must have one of them. `ssh-keyscan HOST` shows them; compare with the partner"},
	{.key = "key", .kind = SCHEMA_PATH, AT(profile_server, key), .help = "our private key, without a passphrase; only its place is stored"},
	{.key = "password_file", .kind = SCHEMA_PATH, AT(profile_server, password_file), .help = "file that holds our password"},
	{.key = "timeout", .kind = SCHEMA_DURATION, AT(profile_server, timeout), .fallback = "60s", .min = 1000000, .max = UINT64_C(3600000000),
	 .help = "given up after so long without progress"},
	{.key = NULL},
};
static const struct schema_table server_table = {
	.name = "SFTP server", .size = sizeof(struct profile_server), .fields = server_fields, .finish = profile_server_finish,
	.help = "The partner's own SFTP server, and who we are there.",
};

static const struct schema_field push_fields[] = {
	{.key = "folder", .kind = SCHEMA_TEXT, AT(profile_push, folder), .fallback = ".", .check = profile_check_remote_folder, .help = "where documents are put"},
	{.key = "file_name", .kind = SCHEMA_TEXT, .flags = SCHEMA_NOT_EMPTY, AT(profile_push, file_name),
	 .fallback = "{type}_{sender}_{control}_{id}.{ext}", .check = profile_check_file_name, .help = "their names, as those of mailboxes; without `{id}` one waits while another of its name is there"},
	{.key = "temporary", .kind = SCHEMA_TEXT, AT(profile_push, temporary), .fallback = "{name}.part", .check = profile_check_temporary,
	 .help = "name while it is written, renamed at the end; `{name}` alone: none, and what has its name is replaced"},
	{.key = "retry", .kind = SCHEMA_DURATIONS, AT(profile_push, retry), .fallback = "5m, 10m, 20m, 40m", .min = 1000000,
	 .max = UINT64_C(2592000000000), .help = "waiting times before further tries; `[]`: no further try"},
	{.key = NULL},
};
static const struct schema_table push_table = {
	.name = "push", .size = sizeof(struct profile_push), .fields = push_fields, .help = "How documents are put on the partner's SFTP server.",
};

/* As src/sftp/temporary.c knows them. */
#define TEMPORARY "`*.part` `*.partial` `*.filepart` `*.tmp` `*.writing` `*.inprogress`, a leading dot"

static const struct schema_field poll_fields[] = {
	{.key = "folder", .kind = SCHEMA_TEXT, AT(profile_poll, folder), .fallback = ".", .check = profile_check_remote_folder, .help = "where documents are fetched"},
	{.key = "patterns", .kind = SCHEMA_TEXTS, AT(profile_poll, patterns), .check = profile_check_pattern,
	 .help = "names that are fetched, such as `*.edi`; default: any. Temporary names (" TEMPORARY ") are left alone, but by a pattern that ends, or begins with a dot, as they do"},
	{.key = "after", .kind = SCHEMA_ENUM, AT(profile_poll, after), .names = profile_fetched_names, .fallback = "delete",
	 .help = "what becomes of a fetched file there; one that stays is not fetched again"},
	{.key = "archive", .kind = SCHEMA_TEXT, AT(profile_poll, archive), .check = profile_check_remote_folder, .help = "folder for `after: archive`"},
	{.key = "every", .kind = SCHEMA_DURATION, AT(profile_poll, every), .fallback = "15m", .min = 1000000, .max = UINT64_C(2592000000000),
	 .help = "how often it is looked for documents; without meaning where `at` is given"},
	{.key = "at", .kind = SCHEMA_TEXTS, AT(profile_poll, at), .check = profile_check_cron, .help = "when, instead of `every`, as crontab(5) writes it: `0 6,18 * * 1-5`. A time over which clocks go forward comes when they do, one that they show twice comes once"},
	{.key = "settle", .kind = SCHEMA_DURATION, AT(profile_poll, settle), .fallback = "10s", .max = UINT64_C(600000000),
	 .help = "a file is fetched when its length and time were the same in two looks so far apart, `10m` at most; `0s`: at once, for partners that write under a temporary name and rename"},
	{.key = "time_zone", .kind = SCHEMA_TEXT, AT(profile_poll, time_zone), .check = profile_check_time_zone, .help = "of `at`; default: the network's"},
	{.key = NULL},
};
static const struct schema_table poll_table = {
	.name = "poll", .size = sizeof(struct profile_poll), .fields = poll_fields, .finish = profile_poll_finish,
	.help = "How documents are fetched from the partner's SFTP server. Each file is taken once, whatever breaks meanwhile.",
};

static const struct schema_field document_fields[] = {
	{.key = "files", .kind = SCHEMA_TEXTS, AT(profile_document, files), .check = profile_check_pattern,
	 .help = "names of such files, `orders*.csv` (capitals don't matter); default: any"},
	{.key = "content_types", .kind = SCHEMA_TEXTS, AT(profile_document, content_types), .check = profile_check_header,
	 .help = "their types over AS2, `text/csv`; default: any"},
	{.key = "format", .kind = SCHEMA_ENUM, .flags = SCHEMA_REQUIRED, AT(profile_document, format), .names = profile_document_format_names,
	 .help = "what they hold: rows of a flat sheet, a UBL 2.1 document, canonical documents as JSON, or anything, which only passes through"},
	{.key = "sheet", .kind = SCHEMA_TEXT, AT(profile_document, sheet), .check = profile_check_id,
	 .help = "`csv`: the flat sheet that reads them, see `vanctl map list`"},
	{.key = "sheet_version", .kind = SCHEMA_TEXT, AT(profile_document, sheet_version), .fallback = "active", .check = profile_check_map_version,
	 .help = "`active`, or the number of a version of the sheet, which stays whatever is activated; 0: the shipped one"},
	{.key = "from", .kind = SCHEMA_IDENTITY, AT(profile_document, from),
	 .help = "their sender; default: what the document says (`_envelope.sender`), else the party's first identity"},
	{.key = "to", .kind = SCHEMA_IDENTITY, AT(profile_document, to),
	 .help = "their receiver; default: what the document says (`_envelope.receiver`), which UBL has no place for"},
	{.key = "type", .kind = SCHEMA_TEXT, AT(profile_document, type), .check = profile_check_header,
	 .help = "`any`: their type, for agreements and file names. Others are of the type of their document: `order`, `invoice` …"},
	{.key = "environment", .kind = SCHEMA_ENUM, AT(profile_document, environment), .names = profile_environment_names, .fallback = "production",
	 .help = "of their agreements"},
	{.key = NULL},
};
static const struct schema_table document_table = {
	.name = "document", .size = sizeof(struct profile_document), .fields = document_fields, .finish = profile_document_finish,
	.help = "Documents that are no EDI, by their names and types: what they are, and between whom. What begins as an interchange is one whatever it is called.",
};

static const struct schema_field connection_fields[] = {
	{.key = "id", .kind = SCHEMA_TEXT, .flags = SCHEMA_REQUIRED, AT(profile_connection, id), .check = profile_check_id,
	 .help = "its short name, unique among all partners' connections"},
	{.key = "protocol", .kind = SCHEMA_ENUM, .flags = SCHEMA_REQUIRED, AT(profile_connection, protocol), .names = profile_protocol_names,
	 .help = "how documents travel"},
	{.key = "enabled", .kind = SCHEMA_BOOL, AT(profile_connection, enabled), .fallback = "true", .help = "`false`: nothing comes in or goes out over it"},
	{.key = "presents", .kind = SCHEMA_IDENTITIES, AT(profile_connection, presents),
	 .help = "sender identities it may use; default: the party's own. Anything else is held"},
	{.key = "collects", .kind = SCHEMA_IDENTITIES, AT(profile_connection, collects),
	 .help = "receiver identities it may collect for; default: the party's own"},
	{.key = "max_message", .kind = SCHEMA_SIZE, AT(profile_connection, max_message), .fallback = "unlimited",
	 .help = "largest message accepted over it, besides the network's own limit"},
	{.key = "documents", .kind = SCHEMA_MANY, AT(profile_connection, documents), .sub = &document_table,
	 .help = "what comes that is no EDI (CSV, UBL, JSON, other files); the first that fits counts. Without it such files are held"},
	{.key = "station", .kind = SCHEMA_TEXT, .flags = SCHEMA_REQUIRED, AT(profile_connection, station), .only = AS2, .check = profile_check_id,
	 .help = "our station that the partner talks to"},
	{.key = "as2_id", .kind = SCHEMA_TEXT, .flags = SCHEMA_REQUIRED, AT(profile_connection, as2_id), .only = AS2,
	 .check = profile_check_as2_id, .help = "the partner's AS2 name, without quotes; case matters"},
	{.key = "mdn_host", .kind = SCHEMA_TEXT, AT(profile_connection, mdn_host), .only = AS2, .check = profile_check_host,
	 .help = "asynchronous MDNs go to addresses on this host only; default: the host of `send.url`"},
	{.key = "mdn_hosts", .kind = SCHEMA_TEXTS, AT(profile_connection, mdn_hosts), .only = AS2, .check = profile_check_host,
	 .help = "further hosts that asynchronous MDNs may go to"},
	{.key = "receive", .kind = SCHEMA_ONE, .flags = SCHEMA_ALWAYS, AT(profile_connection, receive), .only = AS2, .sub = &receive_table,
	 .help = "what is accepted"},
	{.key = "send", .kind = SCHEMA_ONE, AT(profile_connection, send), .only = AS2, .sub = &send_table, .help = "how documents are sent"},
	{.key = "user", .kind = SCHEMA_TEXT, .flags = SCHEMA_REQUIRED, AT(profile_connection, user), .only = SFTP, .check = profile_check_user,
	 .help = "SFTP log-in name, unique among all partners"},
	{.key = "keys", .kind = SCHEMA_MANY, AT(profile_connection, keys), .only = SFTP, .sub = &ssh_key_table, .help = "public keys that may log in"},
	{.key = "password", .kind = SCHEMA_TEXT, .flags = SCHEMA_SECRET, AT(profile_connection, password), .only = SFTP,
	 .check = profile_check_password, .help = "yescrypt, scrypt or argon2 hash of the password, never the password: `mkpasswd -m yescrypt` makes one"},
	{.key = "login", .kind = SCHEMA_ENUM, AT(profile_connection, login), .only = SFTP, .names = profile_login_names, .fallback = "any",
	 .help = "what a log-in needs: a key (or certificate) or the password, one of them alone, or both"},
	{.key = "authorities", .kind = SCHEMA_MANY, AT(profile_connection, authorities), .only = SFTP, .sub = &ssh_key_table,
	 .help = "public keys that sign OpenSSH user certificates: whoever has one may log in"},
	{.key = "principals", .kind = SCHEMA_TEXTS, AT(profile_connection, principals), .only = SFTP,
	 .help = "one of them must stand in the certificate; default: the user name"},
	{.key = "addresses", .kind = SCHEMA_TEXTS, AT(profile_connection, addresses), .only = SFTP, .check = profile_check_network,
	 .help = "networks it may log in from, such as `192.0.2.0/24`; default: any"},
	{.key = "limits", .kind = SCHEMA_OBJECT, AT(profile_connection, limits), .only = SFTP, .sub = &mailbox_limits_table, .help = "what the mailbox may use"},
	{.key = "accept", .kind = SCHEMA_TEXTS, AT(profile_connection, accept), .only = SFTP, .check = profile_check_pattern,
	 .help = "names that may be uploaded, such as `*.edi` (capitals don't matter); default: any"},
	{.key = "temporary", .kind = SCHEMA_TEXTS, AT(profile_connection, temporary), .only = SFTP, .check = profile_check_pattern,
	 .help = "names that wait for a rename, besides " TEMPORARY ""},
	{.key = "folders", .kind = SCHEMA_OBJECT, AT(profile_connection, folders), .only = SFTP, .sub = &folders_table, .help = "names of the mailbox's folders"},
	{.key = "taken", .kind = SCHEMA_ENUM, AT(profile_connection, taken), .only = SFTP, .names = profile_taken_names, .fallback = "delete",
	 .help = "when a waiting file goes: when the partner deletes or renames it, or after a complete download"},
	{.key = "file_name", .kind = SCHEMA_TEXT, .flags = SCHEMA_NOT_EMPTY, AT(profile_connection, file_name), .only = SFTP,
	 .fallback = "{type}_{sender}_{control}_{id}.{ext}", .check = profile_check_file_name,
	 .help = "names of waiting files: `{type}` `{version}` `{sender}` `{receiver}` `{control}` `{id}` `{date}` `{time}` `{ext}` are filled in"},
	{.key = "server", .kind = SCHEMA_ONE, .flags = SCHEMA_REQUIRED, AT(profile_connection, server), .only = SFTP_OUT, .sub = &server_table, .help = "the partner's server"},
	{.key = "push", .kind = SCHEMA_ONE, AT(profile_connection, push), .only = SFTP_OUT, .sub = &push_table, .help = "documents are put there"},
	{.key = "poll", .kind = SCHEMA_ONE, AT(profile_connection, poll), .only = SFTP_OUT, .sub = &poll_table, .help = "documents are fetched there"},
	{.key = NULL},
};
static const struct schema_table connection_table = {
	.name = "connection", .size = sizeof(struct profile_connection), .fields = connection_fields, .select = "protocol",
	.finish = profile_connection_finish, .help = "One way in or out.",
};

static const struct schema_field partner_fields[] = {
	KIND(profile_partner, only_partner),
	COMMON(profile_partner),
	{.key = "identities", .kind = SCHEMA_MANY, AT(profile_partner, identities), .sub = &identity_table, .help = "its EDI addresses"},
	{.key = "connections", .kind = SCHEMA_MANY, AT(profile_partner, connections), .sub = &connection_table, .help = "its ways in and out"},
	{.key = "contacts", .kind = SCHEMA_MANY, AT(profile_partner, contacts), .sub = &contact_table, .help = "people"},
	{.key = NULL},
};
static const struct schema_table partner_table = {
	.name = "partner", .size = sizeof(struct profile_partner), .fields = partner_fields, .finish = profile_partner_finish,
	.help = "A trading partner: its EDI addresses, and the connections over which it sends and collects.",
};

static const struct schema_field delimiters_fields[] = {
	{.key = "element", .kind = SCHEMA_TEXT, .flags = SCHEMA_CONTROL, AT(profile_delimiters, element), .check = profile_check_delimiter, .help = "default `*`, in EDIFACT `+`"},
	{.key = "component", .kind = SCHEMA_TEXT, .flags = SCHEMA_CONTROL, AT(profile_delimiters, component), .check = profile_check_delimiter, .help = "default `>`, in EDIFACT `:`"},
	{.key = "repetition", .kind = SCHEMA_TEXT, .flags = SCHEMA_CONTROL, AT(profile_delimiters, repetition), .check = profile_check_delimiter,
	 .help = "default `^`, in EDIFACT `*`; X12 has one from 00402 on, EDIFACT from syntax 4"},
	{.key = "release", .kind = SCHEMA_TEXT, .flags = SCHEMA_CONTROL, AT(profile_delimiters, release), .check = profile_check_delimiter, .help = "EDIFACT: default `?`"},
	{.key = "terminator", .kind = SCHEMA_TEXT, .flags = SCHEMA_CONTROL, AT(profile_delimiters, terminator), .check = profile_check_delimiter,
	 .help = "default `~`, in EDIFACT `'`; a line feed is `\"\\n\"`"},
	{.key = "lines", .kind = SCHEMA_BOOL, AT(profile_delimiters, lines), .fallback = "false", .help = "a line feed after each segment"},
	{.key = NULL},
};
static const struct schema_table delimiters_table = {
	.name = "delimiters", .size = sizeof(struct profile_delimiters), .fields = delimiters_fields,
	.help = "The separators that are written; control characters as `\"\\x1c\"`.",
};

#define FOR_EVER UINT64_C(31536000000000)
static const struct schema_field batch_fields[] = {
	{.key = "time", .kind = SCHEMA_DURATION, AT(profile_batch, time), .fallback = "15m", .min = 1000000, .max = FOR_EVER,
	 .help = "so long after the first one"},
	{.key = "messages", .kind = SCHEMA_INTEGER, AT(profile_batch, messages), .fallback = "0", .max = 100000, .help = "when there are so many; 0: never"},
	{.key = "size", .kind = SCHEMA_SIZE, AT(profile_batch, size), .fallback = "16MiB", .min = 1024, .max = 64 << 20,
	 .help = "when they have so many bytes together"},
	{.key = NULL},
};
static const struct schema_table batch_table = {
	.name = "batch", .size = sizeof(struct profile_batch), .fields = batch_fields,
	.help = "Messages of several documents wait for one another, and go as one interchange when the first of these is reached.",
};

static const struct schema_field output_fields[] = {
	{.key = "format", .kind = SCHEMA_TEXT, .flags = SCHEMA_REQUIRED, AT(profile_output, format), .check = profile_check_format,
	 .help = "`canonical-json`, `ubl-xml` (or `canonical-xml`), `csv`, `x12`, `edifact`; or the interchange as it is in another form: `xml`, and `json` without a map (with one it is `canonical-json`)"},
	{.key = "map", .kind = SCHEMA_TEXT, AT(profile_output, map), .check = profile_check_id, .help = "name of the map: see `vanctl map list`"},
	{.key = "sheet", .kind = SCHEMA_TEXT, AT(profile_output, sheet), .check = profile_check_id,
	 .help = "`csv`: the flat sheet that writes it; default: the only one that writes such documents. `map` then names the map that reads the message"},
	{.key = "map_version", .kind = SCHEMA_TEXT, AT(profile_output, map_version), .fallback = "active", .check = profile_check_map_version,
	 .help = "`active`, or the number of a version of the map's sheet, which stays whatever is activated; 0: the shipped one"},
	{.key = "version", .kind = SCHEMA_TEXT, AT(profile_output, version),
	 .help = "version of the standard to write, for `x12` and `edifact`; default: that of the document or map"},
	{.key = "from", .kind = SCHEMA_IDENTITY, AT(profile_output, from),
	 .help = "sender of the interchange; default: the document's, or its party's first identity of the standard that is written"},
	{.key = "to", .kind = SCHEMA_IDENTITY, AT(profile_output, to), .help = "receiver; default as for `from`"},
	{.key = "syntax", .kind = SCHEMA_TEXT, AT(profile_output, syntax), .check = profile_check_syntax,
	 .help = "of EDIFACT, `\"UNOC:3\"` by default; of X12, ISA12: default by `version`"},
	{.key = "application", .kind = SCHEMA_TEXT, AT(profile_output, application), .check = profile_check_header, .help = "UNB 0026"},
	{.key = "group_from", .kind = SCHEMA_TEXT, AT(profile_output, group_from), .check = profile_check_header, .help = "GS02; default: the sender's id"},
	{.key = "group_to", .kind = SCHEMA_TEXT, AT(profile_output, group_to), .check = profile_check_header, .help = "GS03; default: the receiver's id"},
	{.key = "delimiters", .kind = SCHEMA_ONE, AT(profile_output, delimiters), .sub = &delimiters_table, .help = "default: the usual ones"},
	{.key = "una", .kind = SCHEMA_BOOL, AT(profile_output, una), .fallback = "false", .help = "UNA even where the delimiters are the usual ones"},
	{.key = "ack_requested", .kind = SCHEMA_BOOL, AT(profile_output, ack_requested), .fallback = "false", .help = "asks for a TA1 (ISA14) or CONTRL (UNB 0031)"},
	{.key = "split", .kind = SCHEMA_ENUM, AT(profile_output, split), .names = profile_split_names, .fallback = "none",
	 .help = "an interchange for each group of messages of one kind, or for each message"},
	{.key = "max_messages", .kind = SCHEMA_INTEGER, AT(profile_output, max_messages), .fallback = "0", .max = 1000000, .help = "in one interchange; 0: any number"},
	{.key = "max_size", .kind = SCHEMA_SIZE, AT(profile_output, max_size), .fallback = "0", .max = 1 << 30, .help = "of one interchange; a single message may be larger. 0: any"},
	{.key = "batch", .kind = SCHEMA_ONE, AT(profile_output, batch), .sub = &batch_table, .help = "default: each document goes at once"},
	{.key = "acknowledged_within", .kind = SCHEMA_DURATION, AT(profile_output, acknowledged_within), .min = 1000000, .max = FOR_EVER,
	 .help = "when the receiver's acknowledgement of what was written is overdue; default: `acknowledgement.within` where the receiver acknowledges"},
	{.key = NULL},
};
static const struct schema_table output_table = {
	.name = "output", .size = sizeof(struct profile_output), .fields = output_fields, .finish = profile_output_finish,
	.help = "What the receiver gets under `mode: translate`.",
};

static const struct schema_field acknowledgement_fields[] = {
	{.key = "kind", .kind = SCHEMA_TEXT, AT(profile_acknowledgement, kind), .check = profile_check_ack_kind,
	 .help = "`\"997\"`, `\"999\"`, `CONTRL` or `TA1`; default: 997 for X12, CONTRL for EDIFACT"},
	{.key = "within", .kind = SCHEMA_DURATION, AT(profile_acknowledgement, within), .fallback = "24h", .min = 1000000,
	 .max = UINT64_C(31536000000000), .help = "later it is overdue"},
	{.key = "ta1", .kind = SCHEMA_ENUM, AT(profile_acknowledgement, ta1), .names = profile_ta1_names, .fallback = "asked",
	 .help = "when we write a TA1 besides: where ISA14 asks, always, never. A rejected ISA has one in any case"},
	{.key = "accepted", .kind = SCHEMA_BOOL, AT(profile_acknowledgement, accepted), .fallback = "true",
	 .help = "messages that are accepted are named in ours, too (AK2, UCM)"},
	{.key = "delimiters", .kind = SCHEMA_ONE, AT(profile_acknowledgement, delimiters), .sub = &delimiters_table,
	 .help = "of those we write; default: those of the interchange that is acknowledged"},
	{.key = NULL},
};
static const struct schema_table acknowledgement_table = {
	.name = "acknowledgement", .size = sizeof(struct profile_acknowledgement), .fields = acknowledgement_fields,
	.help = "Which functional acknowledgement is expected or written, and when. `TA1`: only that the interchange came (for EDIFACT a CONTRL "
		"that says no more).",
};

static const struct schema_field validation_fields[] = {
	{.key = "policy", .kind = SCHEMA_ENUM, AT(profile_validation, policy), .names = profile_policy_names, .fallback = "tolerate",
	 .help = "what is against the syntax but leaves no doubt (padding, blanks, separators at the end …): read and reported, rejected, or "
		 "put right in what goes out"},
	{.key = "elements", .kind = SCHEMA_ENUM, AT(profile_validation, elements), .names = profile_lenience_names, .fallback = "reject",
	 .help = "errors of elements: the message is rejected, or accepted with errors"},
	{.key = "counts", .kind = SCHEMA_ENUM, AT(profile_validation, counts), .names = profile_lenience_names, .fallback = "reject",
	 .help = "wrong counts in trailers: rejected, or accepted with errors"},
	{.key = "codes", .kind = SCHEMA_ENUM, AT(profile_validation, codes), .names = profile_codes_names, .fallback = "open",
	 .help = "`closed`: a value that an open code list does not have is an error"},
	{.key = "unknown", .kind = SCHEMA_ENUM, AT(profile_validation, unknown), .names = profile_unknown_names, .fallback = "accept",
	 .help = "a type or version without a dictionary: envelopes and basic syntax are checked; checked as the nearest version that has one; "
		 "rejected"},
	{.key = "rejects", .kind = SCHEMA_ENUM, AT(profile_validation, rejects), .names = profile_rejects_names, .fallback = "message",
	 .help = "what one rejected message takes along: nothing, its group, the interchange"},
	{.key = "guides", .kind = SCHEMA_TEXTS, AT(profile_validation, guides), .check = profile_check_id,
	 .help = "names of guides (files without `.csv` of the folders in vand.yaml's `guides`): the first that is for a message's type and version is "
		 "checked with it"},
	{.key = NULL},
};
static const struct schema_table validation_table = {
	.name = "validation", .size = sizeof(struct profile_validation), .fields = validation_fields,
	.help = "How documents are judged.",
};

static const struct schema_field rules_fields[] = {
	{.key = "sheets", .kind = SCHEMA_TEXTS, .flags = SCHEMA_REQUIRED, AT(profile_rules, sheets), .check = profile_check_id,
	 .help = "names of sheets of rules, with or without `rules-`: see `vanctl map list`"},
	{.key = "rest", .kind = SCHEMA_ENUM, AT(profile_rules, rest), .names = profile_rest_names, .fallback = "deliver",
	 .help = "what becomes of the other documents of an interchange when one breaks a rule: they go on, or wait with it"},
	{.key = "answer", .kind = SCHEMA_ENUM, AT(profile_rules, answer), .names = profile_rule_answer_names, .fallback = "none",
	 .help = "`advice`: the sender is told which rules were broken, by an 824 where it sent X12, an APERAK where it sent EDIFACT, `application-advice/1.0` as JSON where it sent no EDI"},
	{.key = NULL},
};
static const struct schema_table rules_table = {
	.name = "rules", .size = sizeof(struct profile_rules), .fields = rules_fields,
	.help = "Business rules for the documents of a translating agreement.",
};

static const struct schema_field duplicates_fields[] = {
	{.key = "control_number", .kind = SCHEMA_ENUM, AT(profile_duplicates, control_number), .names = profile_duplicate_names,
	 .fallback = "accept", .help = "what happens to an interchange whose control number this sender has used before. "
	 "`reject`: where the network acknowledges, its sender gets TA1 025 or CONTRL 26"},
	{.key = "window", .kind = SCHEMA_DURATION, AT(profile_duplicates, window), .fallback = "30d", .min = 1000000,
	 .max = UINT64_C(315360000000000), .help = "how far back is looked"},
	{.key = NULL},
};
static const struct schema_table duplicates_table = {
	.name = "duplicates", .size = sizeof(struct profile_duplicates), .fields = duplicates_fields,
	.help = "Repeated documents that come as new messages. (A repeated AS2 Message-ID is always one message.)",
};

static const struct schema_field agreement_fields[] = {
	KIND(profile_agreement, only_agreement),
	COMMON(profile_agreement),
	{.key = "from", .kind = SCHEMA_PARTY, .flags = SCHEMA_REQUIRED, AT(profile_agreement, from), .help = "sender identity: `\"x12 01:123456789\"`"},
	{.key = "to", .kind = SCHEMA_PARTY, .flags = SCHEMA_REQUIRED, AT(profile_agreement, to), .help = "receiver identity"},
	{.key = "type", .kind = SCHEMA_TEXT, .flags = SCHEMA_NOT_EMPTY, AT(profile_agreement, type), .help = "document type: `\"850\"`, `ORDERS`; default: any"},
	{.key = "version", .kind = SCHEMA_TEXT, .flags = SCHEMA_NOT_EMPTY, AT(profile_agreement, version), .help = "its version: `\"004010\"`, `D96A`; default: any"},
	{.key = "environment", .kind = SCHEMA_ENUM, AT(profile_agreement, environment), .names = profile_environment_names,
	 .fallback = "production", .help = "never mixed: a test interchange needs a test agreement"},
	{.key = "mode", .kind = SCHEMA_ENUM, AT(profile_agreement, mode), .names = profile_mode_names, .fallback = "pass-through",
	 .help = "the very same bytes, or translated"},
	{.key = "output", .kind = SCHEMA_ONE, AT(profile_agreement, output), .sub = &output_table, .help = "for `mode: translate`"},
	{.key = "acknowledged_by", .kind = SCHEMA_ENUM, AT(profile_agreement, acknowledged_by), .names = profile_acknowledged_by_names,
	 .fallback = "receiver", .help = "who writes the functional acknowledgement"},
	{.key = "acknowledgement", .kind = SCHEMA_ONE, AT(profile_agreement, acknowledgement), .sub = &acknowledgement_table,
	 .help = "what is expected; without it nothing becomes overdue"},
	{.key = "duplicates", .kind = SCHEMA_OBJECT, AT(profile_agreement, duplicates), .sub = &duplicates_table, .help = "repeated control numbers"},
	{.key = "validation", .kind = SCHEMA_OBJECT, AT(profile_agreement, validation), .sub = &validation_table, .help = "how documents are judged"},
	{.key = "rules", .kind = SCHEMA_ONE, AT(profile_agreement, rules), .sub = &rules_table, .help = "business rules (`mode: translate`)"},
	{.key = "time_zone", .kind = SCHEMA_TEXT, AT(profile_agreement, time_zone), .check = profile_check_time_zone,
	 .help = "of envelope times and file names: `America/Chicago`; default: the network's"},
	{.key = "connection", .kind = SCHEMA_TEXT, AT(profile_agreement, connection), .check = profile_check_id,
	 .help = "deliver over this connection instead of the receiver identity's"},
	{.key = "folder", .kind = SCHEMA_TEXT, AT(profile_agreement, folder), .check = profile_check_subfolder,
	 .help = "subfolder of the receiver's mailbox in which its documents wait; default: none"},
	{.key = "hold", .kind = SCHEMA_BOOL, AT(profile_agreement, hold), .fallback = "false", .help = "accept and queue, but deliver nothing until released"},
	{.key = "valid_from", .kind = SCHEMA_TIME, AT(profile_agreement, valid_from), .help = "applies from then on"},
	{.key = "valid_until", .kind = SCHEMA_TIME, AT(profile_agreement, valid_until), .help = "applies no longer from then on"},
	{.key = NULL},
};
static const struct schema_table agreement_table = {
	.name = "agreement", .size = sizeof(struct profile_agreement), .fields = agreement_fields, .finish = profile_agreement_finish,
	.help = "The terms between a sender and a receiver identity for a document type, version and environment. The most specific one "
		"wins: both ends named, then the receiver, then the sender, then neither; among equals one that names the type, then the "
		"version. Two equals are refused when they are applied.",
};

const struct schema_table *const profile_tables[3] = {&station_table, &partner_table, &agreement_table};
