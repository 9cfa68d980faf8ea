#include "sftp/certificate.h"

#include "sftp/packet.h"

#define SUFFIX "-cert-v01@openssh.com"
#define USER_CERTIFICATE 1

/* How many strings (or integers, which look the same) the public key takes after the nonce. */
static const struct {
	const char *type;
	unsigned fields;
} types[] = {
	{"ssh-ed25519" SUFFIX, 1},
	{"ecdsa-sha2-nistp256" SUFFIX, 2},
	{"ecdsa-sha2-nistp384" SUFFIX, 2},
	{"ecdsa-sha2-nistp521" SUFFIX, 2},
	{"ssh-rsa" SUFFIX, 2},
	{"sk-ssh-ed25519-cert-v01@openssh.com", 2},
	{"sk-ecdsa-sha2-nistp256-cert-v01@openssh.com", 3},
};

static struct packet cursor(struct slice s)
{
	return (struct packet){.p = (const unsigned char *)s.p, .n = s.n};
}

static int type_index(struct packet *k)
{
	struct slice type = packet_string(k);
	for (size_t i = 0; !k->bad && i < sizeof types / sizeof *types; i++)
		if (slice_is(type, types[i].type))
			return (int)i;
	return -1;
}

bool sftpd_certificate_is(struct slice blob)
{
	struct packet k = cursor(blob);
	return type_index(&k) >= 0;
}

/* 0 and the largest number stand for no limit. */
static van_time time_of(uint64_t seconds)
{
	return seconds == 0 || seconds > (uint64_t)(INT64_MAX / VAN_SECOND) ? 0 : (van_time)seconds * VAN_SECOND;
}

static int read_principals(struct slice list, struct sftpd_certificate *c, struct van_error *e)
{
	struct packet k = cursor(list);
	while (k.n) {
		struct slice name = packet_string(&k);
		if (k.bad)
			return van_error_set(e, VAN_ESYNTAX, "the certificate's principals are damaged");
		if (c->nprincipals == SFTPD_PRINCIPALS_MAX)
			return van_error_set(e, VAN_EDENIED, "the certificate has more than %d principals", SFTPD_PRINCIPALS_MAX);
		c->principals[c->nprincipals++] = name;
	}
	return c->nprincipals ? 0 : van_error_set(e, VAN_EDENIED, "the certificate names no principal");
}

static int read_addresses(struct slice data, struct sftpd_certificate *c, struct van_error *e)
{
	struct packet k = cursor(data);
	struct slice rest = packet_string(&k);
	if (k.bad || k.n || !rest.n)
		return van_error_set(e, VAN_ESYNTAX, "the certificate's source-address is damaged");
	while (rest.p) {
		if (c->naddresses == SFTPD_CERTIFICATE_ADDRESSES_MAX)
			return van_error_set(e, VAN_EDENIED, "the certificate has more than %d source addresses", SFTPD_CERTIFICATE_ADDRESSES_MAX);
		c->addresses[c->naddresses++] = slice_cut(&rest, ',');
	}
	return 0;
}

static int read_options(struct slice options, struct sftpd_certificate *c, struct van_error *e)
{
	struct packet k = cursor(options);
	while (k.n) {
		struct slice name = packet_string(&k), data = packet_string(&k);
		struct packet inner = cursor(data);
		int rc = 0;
		if (k.bad)
			return van_error_set(e, VAN_ESYNTAX, "the certificate's options are damaged");
		if (slice_is(name, "source-address"))
			rc = read_addresses(data, c, e);
		else if (!slice_is(name, "force-command") || !slice_is(packet_string(&inner), "internal-sftp"))
			rc = van_error_set(e, VAN_EDENIED, "the certificate asks for \"%.*s\", which is not known here",
					   (int)(name.n < 64 ? name.n : 64), name.p ? name.p : "");
		if (rc < 0)
			return rc;
	}
	return 0;
}

int sftpd_certificate_read(struct slice blob, struct sftpd_certificate *ret, struct van_error *e)
{
	struct sftpd_certificate c = {0};
	struct packet k = cursor(blob);
	int type = type_index(&k);
	if (type < 0)
		return van_error_set(e, VAN_ESYNTAX, "this is no certificate of a kind known here");
	packet_string(&k); /* nonce */
	for (unsigned i = 0; i < types[type].fields; i++)
		packet_string(&k);
	c.serial = packet_u64(&k);
	uint32_t kind = packet_u32(&k);
	c.key_id = packet_string(&k);
	struct slice principals = packet_string(&k);
	uint64_t after = packet_u64(&k), before = packet_u64(&k);
	struct slice options = packet_string(&k);
	packet_string(&k); /* extensions: none changes anything here */
	packet_string(&k); /* reserved */
	c.authority = packet_string(&k);
	c.signed_part = slice_make(blob.p, blob.n - k.n);
	c.signature = packet_string(&k);
	if (k.bad || k.n)
		return van_error_set(e, VAN_ESYNTAX, "the certificate is damaged");
	if (kind != USER_CERTIFICATE)
		return van_error_set(e, VAN_EDENIED, "this is a host's certificate, not a user's");
	if (before == 0 || (after >= before))
		return van_error_set(e, VAN_EDENIED, "the certificate is never valid");
	c.from = time_of(after);
	c.until = time_of(before);
	int rc = read_principals(principals, &c, e);
	if (rc == 0)
		rc = read_options(options, &c, e);
	if (rc == 0)
		*ret = c;
	return rc;
}
