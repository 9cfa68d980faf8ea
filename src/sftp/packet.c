#include "sftp/packet.h"

#define ATTRIBUTES_EXTENDED 0x80000000u

uint32_t packet_peek_u32(const void *p)
{
	const unsigned char *b = p;
	return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

uint32_t packet_u32(struct packet *k)
{
	if (k->bad || k->n < 4) {
		k->bad = true;
		return 0;
	}
	uint32_t v = packet_peek_u32(k->p);
	k->p += 4;
	k->n -= 4;
	return v;
}

uint64_t packet_u64(struct packet *k)
{
	uint64_t high = packet_u32(k);
	return high << 32 | packet_u32(k);
}

struct slice packet_string(struct packet *k)
{
	uint32_t n = packet_u32(k);
	if (k->bad || n > k->n) {
		k->bad = true;
		return SLICE("");
	}
	struct slice s = slice_make(k->p, n);
	k->p += n;
	k->n -= n;
	return s;
}

void packet_attributes(struct packet *k, struct sftpd_attributes *ret)
{
	struct sftpd_attributes a = {0};
	uint32_t flags = packet_u32(k);
	if (flags & SFTPD_HAS_SIZE)
		a.size = packet_u64(k);
	if (flags & SFTPD_HAS_OWNER) {
		a.uid = packet_u32(k);
		a.gid = packet_u32(k);
	}
	if (flags & SFTPD_HAS_MODE)
		a.mode = packet_u32(k);
	if (flags & SFTPD_HAS_TIMES) {
		a.accessed = packet_u32(k);
		a.modified = packet_u32(k);
	}
	if (flags & ATTRIBUTES_EXTENDED)
		for (uint32_t count = packet_u32(k); count && !k->bad; count--) {
			packet_string(k);
			packet_string(k);
		}
	a.has = flags & (SFTPD_HAS_SIZE | SFTPD_HAS_OWNER | SFTPD_HAS_MODE | SFTPD_HAS_TIMES);
	*ret = k->bad ? (struct sftpd_attributes){0} : a;
}

static void store_u32(char *to, uint32_t v)
{
	to[0] = (char)(v >> 24);
	to[1] = (char)(v >> 16);
	to[2] = (char)(v >> 8);
	to[3] = (char)v;
}

void packet_put_u32(struct van_buf *to, uint32_t v)
{
	char *at = van_buf_reserve(to, 4);
	if (!at)
		return;
	store_u32(at, v);
	to->n += 4;
}

void packet_put_u64(struct van_buf *to, uint64_t v)
{
	packet_put_u32(to, (uint32_t)(v >> 32));
	packet_put_u32(to, (uint32_t)v);
}

void packet_put_string(struct van_buf *to, struct slice s)
{
	packet_put_u32(to, (uint32_t)s.n);
	van_buf_append_slice(to, s);
}

void packet_put_attributes(struct van_buf *to, const struct sftpd_attributes *a)
{
	packet_put_u32(to, SFTPD_HAS_SIZE | SFTPD_HAS_OWNER | SFTPD_HAS_MODE | SFTPD_HAS_TIMES);
	packet_put_u64(to, a->size);
	packet_put_u32(to, a->uid);
	packet_put_u32(to, a->gid);
	packet_put_u32(to, a->mode);
	packet_put_u32(to, a->accessed);
	packet_put_u32(to, a->modified);
}

void packet_set_u32(struct van_buf *to, size_t at, uint32_t v)
{
	if (!to->error)
		store_u32(to->p + at, v);
}

size_t packet_begin(struct van_buf *to, uint8_t type, uint32_t id)
{
	size_t begin = to->n;
	packet_put_u32(to, 0);
	van_buf_append_char(to, (char)type);
	packet_put_u32(to, id);
	return begin;
}

void packet_end(struct van_buf *to, size_t begin)
{
	packet_set_u32(to, begin, (uint32_t)(to->n - begin - 4));
}
