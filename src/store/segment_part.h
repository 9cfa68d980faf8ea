/* The header of a part of a batch, and its hash: the format that segment.c writes and segment_replay.c reads.
 *
 *	 0  8  "VANPART1"
 *	 8  8  number of the batch, from 1; little-endian, as all numbers
 *	16  4  number of the part in its batch, from 0
 *	20  4  1: the batch's last part, else 0
 *	24  8  bytes behind the header
 *	32  8  where in them the redo begins; all bytes of it, part after part, are the batch's redo
 *	40  8  the first 8 bytes of the hash of the part before, in the first part of the batch before's last one: what a failed batch left
 *	       is none of another's, and what a document says of itself is no batch
 *	48 16  XXH3-128, canonical, of the first 48 bytes behind all others */
#ifndef OPENVAN_STORE_SEGMENT_PART_H
#define OPENVAN_STORE_SEGMENT_PART_H

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define SEGMENT_FOLDER "segment"
#define SEGMENT_RELEASED "released" /* in that folder: see segment_release.c */
#define SEGMENT_NAME_FORMAT "%010llu.seg"
#define SEGMENT_NAME_MAX 32
#define SEGMENT_BLOCK ((uint64_t)4096) /* what every disk and file system takes for direct writes */
#define PART_HEADER 64
#define PART_MAGIC "VANPART1"

struct part {
	uint64_t sequence;
	uint32_t number;
	bool last;
	uint64_t length, redo;
	uint64_t before;
};

static inline void part_put(unsigned char *to, uint64_t v, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		to[i] = (unsigned char)(v >> 8 * i);
}

static inline uint64_t part_get(const unsigned char *from, unsigned bytes)
{
	uint64_t v = 0;
	for (unsigned i = bytes; i--;)
		v = v << 8 | from[i];
	return v;
}

/* `hash` has taken in the bytes behind the header. */
static inline void part_encode(const struct part *p, XXH3_state_t *hash, unsigned char to[PART_HEADER])
{
	memset(to, 0, PART_HEADER);
	memcpy(to, PART_MAGIC, 8);
	part_put(to + 8, p->sequence, 8);
	part_put(to + 16, p->number, 4);
	part_put(to + 20, p->last, 4);
	part_put(to + 24, p->length, 8);
	part_put(to + 32, p->redo, 8);
	part_put(to + 40, p->before, 8);
	XXH3_128bits_update(hash, to, 48);
	XXH128_canonicalFromHash((XXH128_canonical_t *)(to + 48), XXH3_128bits_digest(hash));
}

/* False: this is no header. */
static inline bool part_decode(const unsigned char from[PART_HEADER], struct part *ret)
{
	*ret = (struct part){.sequence = part_get(from + 8, 8), .number = (uint32_t)part_get(from + 16, 4), .last = part_get(from + 20, 4) == 1,
			     .length = part_get(from + 24, 8), .redo = part_get(from + 32, 8), .before = part_get(from + 40, 8)};
	return memcmp(from, PART_MAGIC, 8) == 0 && part_get(from + 20, 4) <= 1 && ret->redo <= ret->length;
}

/* What the part behind it says of this one. */
static inline uint64_t part_hash(const unsigned char header[PART_HEADER])
{
	return part_get(header + 48, 8);
}

/* `hash` has taken in the bytes behind the header. */
static inline bool part_whole(const unsigned char header[PART_HEADER], XXH3_state_t *hash)
{
	XXH128_canonical_t sum;
	XXH3_128bits_update(hash, header, 48);
	XXH128_canonicalFromHash(&sum, XXH3_128bits_digest(hash));
	return memcmp(&sum, header + 48, sizeof sum) == 0;
}

#endif
