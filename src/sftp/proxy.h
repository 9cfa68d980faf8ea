/* The PROXY protocol, versions 1 and 2 (haproxy's doc/proxy-protocol.txt): the client's address, told by a load balancer before
 * the first byte of the connection. */
#ifndef OPENVAN_SFTP_PROXY_H
#define OPENVAN_SFTP_PROXY_H

#include "base/cidr.h"

#define SFTPD_PROXY_MAX 536 /* bytes of a header that is looked at: more in version 2 is refused */

enum sftpd_proxy_result {
	SFTPD_PROXY_MORE,    /* not whole yet */
	SFTPD_PROXY_ADDRESS, /* *ret_address is the client's */
	SFTPD_PROXY_LOCAL,   /* the proxy speaks for itself: a health check */
	SFTPD_PROXY_BAD,
};
/* Of the first bytes of a connection; *ret_used is how long the header is (ADDRESS and LOCAL). `ret_address` holds
 * VAN_CIDR_TEXT bytes. */
enum sftpd_proxy_result sftpd_proxy_read(const unsigned char *p, size_t n, char *ret_address, size_t *ret_used);

#endif
