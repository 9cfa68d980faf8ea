/* What comes before a log-in: PROXY headers (as the listener sees them, growing byte by byte) and user certificates. */
#include "sftp/certificate.h"
#include "sftp/proxy.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void inside(struct slice blob, struct slice s)
{
	if (s.n && (s.p < blob.p || s.p + s.n > blob.p + blob.n))
		abort();
}

static void look_at_certificate(struct slice blob)
{
	struct sftpd_certificate c;
	if (sftpd_certificate_read(blob, &c, NULL) < 0)
		return;
	if (!c.nprincipals || !sftpd_certificate_is(blob))
		abort();
	inside(blob, c.authority);
	inside(blob, c.signature);
	inside(blob, c.signed_part);
	for (size_t i = 0; i < c.nprincipals; i++)
		inside(blob, c.principals[i]);
	for (size_t i = 0; i < c.naddresses; i++)
		inside(blob, c.addresses[i]);
}

/* Once it is decided, more bytes change nothing. */
static void look_at_header(const uint8_t *data, size_t size)
{
	enum sftpd_proxy_result decided = SFTPD_PROXY_MORE;
	size_t first = 0;
	for (size_t n = 1; n <= size && n <= 2 * SFTPD_PROXY_MAX; n++) {
		char address[VAN_CIDR_TEXT];
		size_t used = 0;
		enum sftpd_proxy_result r = sftpd_proxy_read(data, n, address, &used);
		if ((r == SFTPD_PROXY_ADDRESS || r == SFTPD_PROXY_LOCAL) && (used == 0 || used > n))
			abort();
		if (decided != SFTPD_PROXY_MORE && (r != decided || (used && used != first)))
			abort();
		decided = r;
		first = used;
	}
	if (decided == SFTPD_PROXY_MORE && size > SFTPD_PROXY_MAX)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	look_at_certificate(slice_make((const char *)data, size));
	look_at_header(data, size);
	return 0;
}
