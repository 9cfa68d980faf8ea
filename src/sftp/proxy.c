#include "sftp/proxy.h"

#define V1_MAX 107 /* with its line end */
#define V2_HEAD 16

static const unsigned char v2_signature[12] = {0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 'Q', 'U', 'I', 'T', 0x0a};

static enum sftpd_proxy_result read_v1(const unsigned char *p, size_t n, char *ret_address, size_t *ret_used)
{
	const unsigned char *end = memchr(p, '\n', n < V1_MAX ? n : V1_MAX);
	struct van_cidr c;
	if (!end)
		return n < V1_MAX ? SFTPD_PROXY_MORE : SFTPD_PROXY_BAD;
	if (end == p || end[-1] != '\r')
		return SFTPD_PROXY_BAD;
	struct slice rest = slice_make((const char *)p, (size_t)(end - p) - 1);
	*ret_used = (size_t)(end - p) + 1;
	slice_cut(&rest, ' ');
	struct slice family = rest.p ? slice_cut(&rest, ' ') : SLICE_NONE;
	if (slice_is(family, "UNKNOWN"))
		return SFTPD_PROXY_LOCAL;
	struct slice source = rest.p ? slice_cut(&rest, ' ') : SLICE_NONE;
	bool v6 = source.n && memchr(source.p, ':', source.n);
	if (!(slice_is(family, "TCP4") && !v6) && !(slice_is(family, "TCP6") && v6))
		return SFTPD_PROXY_BAD;
	if (memchr(source.p, '/', source.n) || van_cidr_parse(source, &c) < 0)
		return SFTPD_PROXY_BAD;
	van_cidr_text(ret_address, &c);
	return SFTPD_PROXY_ADDRESS;
}

static enum sftpd_proxy_result read_v2(const unsigned char *p, size_t n, char *ret_address, size_t *ret_used)
{
	struct van_cidr c = {.bits = 128};
	if (n < V2_HEAD)
		return SFTPD_PROXY_MORE;
	size_t length = (size_t)p[14] << 8 | p[15], whole = V2_HEAD + length;
	unsigned version = p[12] >> 4, command = p[12] & 15, family = p[13] >> 4, transport = p[13] & 15;
	if (version != 2 || command > 1 || whole > SFTPD_PROXY_MAX)
		return SFTPD_PROXY_BAD;
	if (n < whole)
		return SFTPD_PROXY_MORE;
	*ret_used = whole;
	if (command == 0)
		return SFTPD_PROXY_LOCAL;
	if (transport != 1) /* TCP */
		return SFTPD_PROXY_BAD;
	if (family == 1 && length >= 12) {
		c.address.b[10] = c.address.b[11] = 0xff;
		memcpy(c.address.b + 12, p + V2_HEAD, 4);
	} else if (family == 2 && length >= 36) {
		memcpy(c.address.b, p + V2_HEAD, 16);
	} else {
		return SFTPD_PROXY_BAD;
	}
	van_cidr_text(ret_address, &c);
	return SFTPD_PROXY_ADDRESS;
}

enum sftpd_proxy_result sftpd_proxy_read(const unsigned char *p, size_t n, char *ret_address, size_t *ret_used)
{
	size_t k = n < sizeof v2_signature ? n : sizeof v2_signature;
	if (memcmp(p, v2_signature, k) == 0)
		return k < sizeof v2_signature ? SFTPD_PROXY_MORE : read_v2(p, n, ret_address, ret_used);
	k = n < 6 ? n : 6;
	if (memcmp(p, "PROXY ", k) == 0)
		return k < 6 ? SFTPD_PROXY_MORE : read_v1(p, n, ret_address, ret_used);
	return SFTPD_PROXY_BAD;
}
