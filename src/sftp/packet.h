/* Fields of SFTP packets: RFC 4251's uint32, uint64 and string, and the attributes of section 5. */
#ifndef OPENVAN_SFTP_PACKET_H
#define OPENVAN_SFTP_PACKET_H

#include "base/buf.h"
#include "sftp/sftpd.h"

/* Packet types, section 3. */
enum {
	PACKET_INIT = 1,
	PACKET_VERSION = 2,
	PACKET_OPEN = 3,
	PACKET_CLOSE = 4,
	PACKET_READ = 5,
	PACKET_WRITE = 6,
	PACKET_LSTAT = 7,
	PACKET_FSTAT = 8,
	PACKET_SETSTAT = 9,
	PACKET_FSETSTAT = 10,
	PACKET_OPENDIR = 11,
	PACKET_READDIR = 12,
	PACKET_REMOVE = 13,
	PACKET_MKDIR = 14,
	PACKET_RMDIR = 15,
	PACKET_REALPATH = 16,
	PACKET_STAT = 17,
	PACKET_RENAME = 18,
	PACKET_READLINK = 19,
	PACKET_SYMLINK = 20,
	PACKET_STATUS = 101,
	PACKET_HANDLE = 102,
	PACKET_DATA = 103,
	PACKET_NAME = 104,
	PACKET_ATTRS = 105,
	PACKET_EXTENDED = 200,
	PACKET_EXTENDED_REPLY = 201,
};

/* Cursor over a packet; once a field is missing `bad` stays set and everything read is 0 or empty. */
struct packet {
	const unsigned char *p;
	size_t n;
	bool bad;
};
uint32_t packet_u32(struct packet *k);
uint64_t packet_u64(struct packet *k);
struct slice packet_string(struct packet *k);
void packet_attributes(struct packet *k, struct sftpd_attributes *ret);

uint32_t packet_peek_u32(const void *p);

void packet_put_u32(struct van_buf *to, uint32_t v);
void packet_put_u64(struct van_buf *to, uint64_t v);
void packet_put_string(struct van_buf *to, struct slice s);
void packet_put_attributes(struct van_buf *to, const struct sftpd_attributes *a);
/* Overwrites the four bytes at `at`. */
void packet_set_u32(struct van_buf *to, size_t at, uint32_t v);
/* Begins a packet of that type: returns where it begins, for packet_end, which fills in its length. */
size_t packet_begin(struct van_buf *to, uint8_t type, uint32_t id);
void packet_end(struct van_buf *to, size_t begin);

#endif
