#include "base/record.h"

#include "base/clock.h"
#include "base/error.h"

uint8_t wire_u8(struct wire *w)
{
	if (w->bad || w->n < 1) {
		w->bad = true;
		return 0;
	}
	w->n--;
	return *w->p++;
}

uint64_t wire_varint(struct wire *w)
{
	uint64_t v = 0;
	for (unsigned shift = 0; shift < 64; shift += 7) {
		uint8_t b = wire_u8(w);
		if (w->bad)
			return 0;
		v |= (uint64_t)(b & 127) << shift;
		if (!(b & 128))
			return v;
	}
	w->bad = true;
	return 0;
}

struct slice wire_bytes(struct wire *w, size_t n)
{
	if (w->bad || w->n < n) {
		w->bad = true;
		return SLICE_NONE;
	}
	struct slice s = slice_make(w->p, n);
	w->p += n;
	w->n -= n;
	return s;
}

int wire_put_varint(struct van_buf *to, uint64_t v)
{
	while (v >= 128) {
		van_buf_append_char(to, (char)(v | 128));
		v >>= 7;
	}
	return van_buf_append_char(to, (char)v);
}

static void put_bytes(struct van_buf *to, uint8_t tag, struct slice s)
{
	van_buf_append_char(to, (char)tag);
	wire_put_varint(to, s.n);
	van_buf_append_slice(to, s);
}

static void put_number(struct van_buf *to, uint8_t tag, uint64_t v)
{
	unsigned char b[8];
	size_t n = 0;
	for (int shift = 56; shift >= 0; shift -= 8)
		if (n || v >> shift)
			b[n++] = (unsigned char)(v >> shift);
	put_bytes(to, tag, slice_make(b, n));
}

/* Nested records: their length stands before them, so they are built apart first. */
static void put_sub(struct van_buf *to, uint8_t tag, const struct record_table *sub, const void *from)
{
	struct van_buf inner = VAN_BUF_INIT(to->max);
	int rc = record_encode(sub, from, &inner);
	if (rc < 0)
		to->error = rc;
	else
		put_bytes(to, tag, van_buf_slice(&inner));
	van_buf_free(&inner);
}

static void encode_field(const struct record_field *f, const void *member, struct van_buf *to)
{
	switch ((enum record_kind)f->kind) {
	case RECORD_U64:
		if (*(const uint64_t *)member)
			put_number(to, f->tag, *(const uint64_t *)member);
		break;
	case RECORD_BOOL:
		if (*(const bool *)member)
			put_number(to, f->tag, 1);
		break;
	case RECORD_ENUM:
		if (*(const uint32_t *)member)
			put_number(to, f->tag, *(const uint32_t *)member);
		break;
	case RECORD_TIME:
		if (*(const van_time *)member)
			put_number(to, f->tag, (uint64_t)*(const van_time *)member);
		break;
	case RECORD_TEXT:
	case RECORD_BYTES:
		if (((const struct slice *)member)->p)
			put_bytes(to, f->tag, *(const struct slice *)member);
		break;
	case RECORD_TEXTS: {
		const struct slice_list *l = member;
		for (size_t i = 0; i < l->n; i++)
			put_bytes(to, f->tag, l->v[i]);
		break;
	}
	case RECORD_ONE:
		if (*(void *const *)member)
			put_sub(to, f->tag, f->sub, *(void *const *)member);
		break;
	case RECORD_MANY: {
		const struct record_list *l = member;
		for (size_t i = 0; i < l->n; i++)
			put_sub(to, f->tag, f->sub, (const char *)l->v + i * f->sub->size);
		break;
	}
	}
}

int record_encode(const struct record_table *t, const void *from, struct van_buf *to)
{
	van_buf_append_char(to, (char)t->version);
	for (const struct record_field *f = t->fields; f->tag; f++)
		encode_field(f, (const char *)from + f->offset, to);
	return to->error;
}

static const struct record_field *find_field(const struct record_table *t, uint8_t tag)
{
	for (const struct record_field *f = t->fields; f->tag; f++)
		if (f->tag == tag)
			return f;
	return NULL;
}

/* How often each tag occurs, so that lists are allocated once. */
static void count_tags(struct wire w, uint32_t counts[256])
{
	while (w.n && !w.bad) {
		uint8_t tag = wire_u8(&w);
		wire_bytes(&w, wire_varint(&w));
		if (!w.bad)
			counts[tag]++;
	}
}

static int get_number(struct slice s, uint64_t *ret)
{
	uint64_t v = 0;
	if (s.n > 8)
		return VAN_ESYNTAX;
	for (size_t i = 0; i < s.n; i++)
		v = v << 8 | (unsigned char)s.p[i];
	*ret = v;
	return 0;
}

static int decode_enum(const struct record_field *f, uint64_t v, uint32_t *to)
{
	uint64_t known = 0;
	while (f->names && f->names[known])
		known++;
	if (f->names ? v >= known : v > UINT32_MAX)
		return VAN_ESYNTAX;
	*to = (uint32_t)v;
	return 0;
}

/* Next free slot of a list, allocating it at its first element. */
static void *list_slot(void **v, size_t *n, uint32_t count, size_t size, struct van_arena *arena)
{
	if (!*v)
		*v = van_arena_array(arena, count, size);
	return *v ? (char *)*v + (*n)++ * size : NULL;
}

static int decode_field(const struct record_field *f, struct slice s, uint32_t count, struct van_arena *arena, void *member)
{
	uint64_t v = 0;
	if (f->kind <= RECORD_TIME && get_number(s, &v) < 0)
		return VAN_ESYNTAX;
	switch ((enum record_kind)f->kind) {
	case RECORD_U64: *(uint64_t *)member = v; return 0;
	case RECORD_BOOL: *(bool *)member = v != 0; return 0;
	case RECORD_ENUM: return decode_enum(f, v, member);
	case RECORD_TIME: *(van_time *)member = (van_time)v; return 0;
	case RECORD_TEXT:
	case RECORD_BYTES: *(struct slice *)member = s; return 0;
	case RECORD_TEXTS: {
		struct slice_list *l = member;
		struct slice *slot = list_slot((void **)&l->v, &l->n, count, sizeof *slot, arena);
		if (!slot)
			return VAN_ENOMEM;
		*slot = s;
		return 0;
	}
	case RECORD_ONE: {
		void *sub = van_arena_alloc(arena, f->sub->size);
		if (!sub)
			return VAN_ENOMEM;
		*(void **)member = sub;
		return record_decode(f->sub, s, arena, sub);
	}
	case RECORD_MANY: {
		struct record_list *l = member;
		void *slot = list_slot(&l->v, &l->n, count, f->sub->size, arena);
		return slot ? record_decode(f->sub, s, arena, slot) : VAN_ENOMEM;
	}
	}
	return VAN_EINTERNAL;
}

int record_decode(const struct record_table *t, struct slice bytes, struct van_arena *arena, void *ret)
{
	struct wire w = {(const unsigned char *)bytes.p, bytes.n, false};
	uint8_t version = wire_u8(&w);
	if (w.bad)
		return VAN_ESYNTAX;
	if (version != t->version)
		return VAN_EVERSION;
	uint32_t counts[256] = {0};
	count_tags(w, counts);
	memset(ret, 0, t->size);
	while (w.n) {
		uint8_t tag = wire_u8(&w);
		struct slice s = wire_bytes(&w, wire_varint(&w));
		if (w.bad)
			return VAN_ESYNTAX;
		const struct record_field *f = find_field(t, tag);
		if (!f)
			continue;
		int rc = decode_field(f, s, counts[tag], arena, (char *)ret + f->offset);
		if (rc < 0)
			return rc;
	}
	return 0;
}
