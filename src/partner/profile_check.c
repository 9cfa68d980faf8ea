/* Checks of one text each. The texts they return say what to do. */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif
#include "base/cidr.h"
#include "base/cron.h"
#include "base/codec.h"
#include "base/error.h"
#include "partner/profile_private.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <unistd.h>

static bool is_alnum(char c)
{
	return ((c | 32) >= 'a' && (c | 32) <= 'z') || (c >= '0' && c <= '9');
}

static bool only(struct slice s, const char *signs)
{
	for (size_t i = 0; i < s.n; i++)
		if (!is_alnum(s.p[i]) && (!s.p[i] || !strchr(signs, s.p[i])))
			return false;
	return true;
}

static bool printable_ascii(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < 32 || s.p[i] > 126)
			return false;
	return true;
}

static bool has(struct slice s, const char *part)
{
	return s.n && memmem(s.p, s.n, part, strlen(part));
}

const char *profile_check_id(struct slice s, bool *ret_warning)
{
	(void)ret_warning;
	if (s.n == 0 || s.n > 64 || !is_alnum(s.p[0]) || !only(s, "._-"))
		return "must be 1 to 64 letters, digits, \".\", \"_\" or \"-\", and begin with a letter or digit";
	return NULL;
}

/* RFC 4130 section 6.2: printable ASCII, 1 to 128 characters. */
const char *profile_check_as2_id(struct slice s, bool *ret_warning)
{
	if (s.n == 0 || s.n > 128 || !printable_ascii(s))
		return "an AS2 name has 1 to 128 printable ASCII characters";
	if (s.p[0] == ' ' || s.p[s.n - 1] == ' ' || (s.p[0] == '"' && s.p[s.n - 1] == '"')) {
		*ret_warning = true;
		return "blanks or quotes at its ends are part of the AS2 name here: remove them unless the partner really sends them";
	}
	return NULL;
}

const char *profile_check_user(struct slice s, bool *ret_warning)
{
	(void)ret_warning;
	return s.n == 0 || s.n > 64 || !only(s, "._-@+") ? "a user name has 1 to 64 letters, digits or any of . _ - @ +" : NULL;
}

const char *profile_check_host(struct slice s, bool *ret_warning)
{
	(void)ret_warning;
	return s.n == 0 || s.n > 253 || !only(s, ".-_:[]") || s.p[0] == '.' ? "must be a host name, without http:// and without a path" : NULL;
}

const char *profile_check_address(struct slice s, bool *ret_warning)
{
	char text[64], bin[16];
	(void)ret_warning;
	if (s.n && s.n < sizeof text) {
		memcpy(text, s.p, s.n);
		text[s.n] = 0;
		if (inet_pton(AF_INET, text, bin) == 1 || inet_pton(AF_INET6, text, bin) == 1)
			return NULL;
	}
	return "must be a numeric address: 127.0.0.1, 0.0.0.0 for all of IPv4, \"::\" for all";
}

const char *profile_check_url(struct slice s, bool *ret_warning)
{
	(void)ret_warning;
	size_t scheme = slice_starts(s, "https://") ? 8 : slice_starts(s, "http://") ? 7 : 0;
	if (!scheme || s.n > 2048 || !printable_ascii(s) || memchr(s.p, ' ', s.n))
		return "must be an address that begins with http:// or https://";
	if (s.n == scheme || !(is_alnum(s.p[scheme]) || s.p[scheme] == '['))
		return "has no host name after http:// or https://";
	struct slice rest = slice_make(s.p + scheme, s.n - scheme);
	struct slice host = slice_cut(&rest, '/');
	if (memchr(host.p, '@', host.n))
		return "must not hold a user name or password";
	return NULL;
}

const char *profile_check_proxy(struct slice s, bool *ret_warning)
{
	(void)ret_warning;
	size_t scheme = slice_starts(s, "http://") ? 7 : slice_starts(s, "https://") ? 8 : slice_starts(s, "socks5://") ? 9 : 0;
	bool host = scheme && s.n > scheme && s.n <= 300 && (is_alnum(s.p[scheme]) || s.p[scheme] == '[');
	return host && only(slice_make(s.p + scheme, s.n - scheme), ".-_:[]") ? NULL : "must be http://host:port or socks5://host:port";
}

const char *profile_check_url_path(struct slice s, bool *ret_warning)
{
	(void)ret_warning;
	return s.n < 2 || s.n > 200 || s.p[0] != '/' || s.p[s.n - 1] == '/' || !only(s, "/._-~") ? "must be a path like /as2" : NULL;
}

/* Crypt's own alphabet. */
static bool crypt_text(struct slice s, size_t least)
{
	return s.n >= least && only(s, "./");
}

/* What can be checked of the structure without hashing: "$y$PARAMS$SALT$HASH" and "$7$PARAMS+SALT$HASH", both with a
 * hash of 43 characters; "$argon2id$v=19$m=…,t=…,p=…$SALT$HASH". */
static bool hash_is_usable(struct slice s)
{
	struct slice rest = slice_make(s.p + 1, s.n - 1), part[5] = {SLICE_NONE};
	size_t n = 0;
	while (rest.p && n < 5)
		part[n++] = slice_cut(&rest, '$');
	if (rest.p)
		return false;
	if (slice_is(part[0], "y") || slice_is(part[0], "gy"))
		return n == 4 && crypt_text(part[1], 1) && crypt_text(part[2], 1) && crypt_text(part[3], 43) && part[3].n == 43;
	if (slice_is(part[0], "7"))
		return n == 3 && crypt_text(part[1], 12) && crypt_text(part[2], 43) && part[2].n == 43;
	return n == 5 && only(part[2], "=,") && has(part[2], "m=") && part[3].n >= 8 && only(part[3], "+/") && part[4].n >= 16 &&
	       only(part[4], "+/");
}

const char *profile_check_password(struct slice s, bool *ret_warning)
{
	static const char *const known[] = {"$y$", "$gy$", "$7$", "$argon2id$", "$argon2i$", NULL};
	size_t i = 0;
	while (known[i] && !slice_starts(s, known[i]))
		i++;
	if (!known[i])
		return "must be a yescrypt ($y$), scrypt ($7$) or argon2 ($argon2id$) hash, never the password itself: make one with "
		       "\"mkpasswd -m yescrypt\"";
	*ret_warning = true;
	if (s.n > 384 || !hash_is_usable(s))
		return "this hash is incomplete: nobody can log in with a password until it is replaced by the output of "
		       "\"mkpasswd -m yescrypt\"";
#ifndef HAVE_ARGON2
	if (slice_starts(s, "$argon2"))
		return "this program was built without libargon2: nobody can log in with this password; use \"mkpasswd -m yescrypt\"";
#endif
	return NULL;
}

const char *profile_check_folder(struct slice s, bool *ret_warning)
{
	(void)ret_warning;
	if (s.n < 2 || s.n > 200 || s.p[0] != '/' || has(s, "//") || !printable_ascii(s) || memchr(s.p, '\\', s.n))
		return "must be a folder below /: write it like /in";
	if (has(s, "/../") || has(s, "/./") || slice_ends(s, "/..") || slice_ends(s, "/."))
		return "must not hold . or .. as a folder";
	return NULL;
}

const char *profile_check_subfolder(struct slice s, bool *ret_warning)
{
	(void)ret_warning;
	if (s.n == 0 || s.n > 64 || !only(s, "._- ") || s.p[0] == '.' || slice_is(s, "archive"))
		return "must be one folder name of at most 64 letters, digits, \".\", \"_\", \"-\" and blanks, not \"archive\"";
	return NULL;
}

const char *profile_check_host_key(struct slice s, bool *ret_warning)
{
	struct van_buf blob = VAN_BUF_INIT(65536);
	struct slice type;
	const char *why = NULL;
	int rc = profile_ssh_key_parse(s, &type, &blob, &why);
	van_buf_free(&blob);
	(void)ret_warning;
	return rc < 0 ? "must be a public key, \"ssh-ed25519 AAAA…\": ssh-keyscan HOST shows it after the host's name" : NULL;
}

const char *profile_check_remote_folder(struct slice s, bool *ret_warning)
{
	(void)ret_warning;
	return s.n == 0 || s.n > 512 || memchr(s.p, 0, s.n) || memchr(s.p, '\n', s.n) ? "must be a folder on the partner's server: /inbound, or . for where the log-in leads" : NULL;
}

const char *profile_check_temporary(struct slice s, bool *ret_warning)
{
	(void)ret_warning;
	return s.n > 64 || !has(s, "{name}") || memchr(s.p, '/', s.n) ? "must hold {name}, and no slash: {name}.part" : NULL;
}

const char *profile_check_cron(struct slice s, bool *ret_warning)
{
	struct van_cron c;
	(void)ret_warning;
	return van_cron_parse(s, &c) < 0 || !van_cron_next(&c, SLICE_NONE, 1)
		? "must be five fields, minute hour day month weekday, as crontab(5) writes them: \"0 6 * * 1-5\"" : NULL;
}

const char *profile_check_network(struct slice s, bool *ret_warning)
{
	struct van_cidr c;
	(void)ret_warning;
	return van_cidr_parse(s, &c) < 0 ? "must be an address or a network: 192.0.2.7, 192.0.2.0/24, \"2001:db8::/32\"" : NULL;
}

const char *profile_check_pattern(struct slice s, bool *ret_warning)
{
	(void)ret_warning;
	return s.n == 0 || s.n > 128 || memchr(s.p, '/', s.n) || memchr(s.p, 0, s.n)
		? "must be a pattern of file names: * stands for anything, ? for one character" : NULL;
}

const char *profile_check_file_name(struct slice s, bool *ret_warning)
{
	static const char *const known[] = {"type", "version", "sender", "receiver", "control", "id", "date", "time", "ext", NULL};
	if (s.n > 200 || !only(s, "{}._-+=,@() ") || s.p[0] == '.')
		return "a file name holds letters, digits and any of . _ - + = , @ ( ) and {…}, and does not begin with \".\"";
	for (struct slice rest = s; rest.p;) {
		struct slice plain = slice_cut(&rest, '{');
		if (plain.n && memchr(plain.p, '}', plain.n))
			return "has a } without {";
		if (!rest.p)
			break;
		struct slice name = slice_cut(&rest, '}');
		if (!rest.p)
			return "has a { without }";
		if (schema_name_find(known, name, NULL) < 0)
			return "holds an unknown part: known are {type} {version} {sender} {receiver} {control} {id} {date} {time} {ext}";
	}
	if (has(s, "{id}"))
		return NULL;
	*ret_warning = true;
	return "without {id} two documents may get the same name: add {id}";
}

const char *profile_check_time_zone(struct slice s, bool *ret_warning)
{
	(void)ret_warning;
	return s.n == 0 || s.n > 64 || !only(s, "/_+-") || s.p[0] == '/' ? "must be a time zone like UTC or America/Chicago" : NULL;
}

void profile_time_zone_look_up(struct schema_reader *r, const struct schema_node *at, struct slice zone)
{
	char path[128];
	/* Only where files are read: roles get their configuration behind a sandbox. */
	if (!r->folder.p || !zone.p || slice_is(zone, "UTC") || access("/usr/share/zoneinfo/UTC", F_OK) < 0)
		return;
	snprintf(path, sizeof path, "/usr/share/zoneinfo/%.*s", SLICE_ARG(zone));
	if (access(path, F_OK) < 0)
		schema_problem(r, at, "time_zone", true,
			       "this machine does not know \"%.*s\" and will use UTC: see /usr/share/zoneinfo for the names", SLICE_ARG(zone));
}

const char *profile_check_format(struct slice s, bool *ret_warning)
{
	static const char *const known[] = {"canonical-json", "canonical-xml", "ubl-xml", "json", "xml", "csv", "x12", "edifact", NULL};
	(void)ret_warning;
	return schema_name_find(known, s, NULL) < 0 ? "must be canonical-json, ubl-xml, csv, json, xml, x12 or edifact" : NULL;
}

const char *profile_check_map_version(struct slice s, bool *ret_warning)
{
	unsigned long long n;
	(void)ret_warning;
	return slice_is(s, "active") || (slice_u64(s, &n) && n < INT64_MAX) ? NULL : "must be active, or the number of a version: see `vanctl map list`";
}

uint64_t profile_map_version(const struct profile_output *o)
{
	unsigned long long n;
	return slice_u64(o->map_version, &n) ? n : PROFILE_MAP_ACTIVE;
}

const char *profile_check_ack_kind(struct slice s, bool *ret_warning)
{
	static const char *const known[] = {"997", "999", "CONTRL", "TA1", NULL};
	(void)ret_warning;
	return schema_name_find(known, s, NULL) < 0 ? "must be \"997\", \"999\", CONTRL or TA1" : NULL;
}

const char *profile_check_delimiter(struct slice s, bool *ret_warning)
{
	(void)ret_warning;
	return s.n != 1 || !s.p[0] || is_alnum(s.p[0]) || s.p[0] == ' ' || (unsigned char)s.p[0] >= 0x80
		       ? "must be one character: no letter, digit, blank, and none above ASCII" : NULL;
}

/* "UNOC:3" or "00501". */
const char *profile_check_syntax(struct slice s, bool *ret_warning)
{
	(void)ret_warning;
	bool edifact = s.n == 6 && slice_starts(s, "UNO") && s.p[3] >= 'A' && s.p[3] <= 'Y' && s.p[4] == ':' && s.p[5] >= '1' && s.p[5] <= '4';
	unsigned long long n;
	return edifact || (s.n == 5 && slice_u64(s, &n)) ? NULL : "must be like UNOC:3, or for X12 like 00501";
}

/* A header's value: one line of printable ASCII, so that nothing can be smuggled behind it. */
const char *profile_check_header(struct slice s, bool *ret_warning)
{
	(void)ret_warning;
	return s.n > 200 || !printable_ascii(s) ? "must be one line of at most 200 printable ASCII characters" : NULL;
}

static uint32_t be32(const char *p)
{
	const unsigned char *u = (const unsigned char *)p;
	return (uint32_t)u[0] << 24 | (uint32_t)u[1] << 16 | (uint32_t)u[2] << 8 | u[3];
}

int profile_ssh_key_parse(struct slice line, struct slice *ret_type, struct van_buf *blob, const char **ret_why)
{
	static const char *const types[] = {"ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521",
					    "ssh-rsa", "sk-ssh-ed25519@openssh.com", "sk-ecdsa-sha2-nistp256@openssh.com", NULL};
	struct slice rest = slice_trim(line);
	struct slice type = slice_cut(&rest, ' ');
	size_t start = blob->n;
	const char *why = NULL;
	if (memchr(line.p ? line.p : "", '\n', line.n))
		why = "is more than one line: write one key for each entry";
	else if (schema_name_find(types, type, NULL) < 0)
		why = "begins with no known key type: copy the line of the .pub file, like \"ssh-ed25519 AAAA…\"";
	else if (!rest.p)
		why = "has no key after its type: copy the whole line of the .pub file";
	if (!why) {
		rest = slice_trim(rest);
		int rc = base64_decode(blob, slice_cut(&rest, ' '));
		if (rc == VAN_ENOMEM)
			return rc;
		/* RFC 4253 section 6.6: the blob begins with its type as a string. */
		size_t n = blob->n - start;
		const char *p = n ? blob->p + start : "";
		if (rc < 0 || n < 4 + type.n + 4 || be32(p) != type.n || memcmp(p + 4, type.p, type.n) != 0)
			why = "is not a whole key: copy the line of the .pub file again";
	}
	if (why) {
		blob->n = start;
		*ret_why = why;
		return VAN_ESYNTAX;
	}
	*ret_type = type;
	return 0;
}
