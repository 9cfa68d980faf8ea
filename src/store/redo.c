#include "store/redo.h"

#include "base/record.h"

enum redo_op { REDO_PUT = 1, REDO_DEL = 2 };

static void put_bytes(struct van_buf *b, struct slice s)
{
	wire_put_varint(b, s.n);
	if (s.n)
		van_buf_append_slice(b, s);
}

static void begin(struct van_buf *b, enum redo_op op, const struct store *s, store_table_id table, struct slice key)
{
	van_buf_append_char(b, (char)op);
	put_bytes(b, table < STORE_TABLES_MAX && s->names[table] ? slice_str(s->names[table]) : SLICE(""));
	put_bytes(b, key);
}

void redo_put(struct store_txn *t, store_table_id table, struct slice key, struct slice value)
{
	if (!t->redo)
		return;
	begin(t->redo, REDO_PUT, t->s, table, key);
	put_bytes(t->redo, value);
}

void redo_del(struct store_txn *t, store_table_id table, struct slice key)
{
	if (t->redo)
		begin(t->redo, REDO_DEL, t->s, table, key);
}

/* --- repeating ----------------------------------------------------------------------------------------------------------------- */

static int table_named(const struct store *s, struct slice name, store_table_id *ret)
{
	for (store_table_id i = 0; i < STORE_TABLES_MAX; i++)
		if (s->names[i] && slice_is(name, s->names[i])) {
			*ret = i;
			return 0;
		}
	return VAN_EVERSION;
}

static struct slice take_bytes(struct wire *w)
{
	return wire_bytes(w, (size_t)wire_varint(w));
}

static int apply_one(struct store_txn *t, struct wire *w)
{
	store_table_id table = 0;
	uint8_t op = wire_u8(w);
	struct slice name = take_bytes(w), key = take_bytes(w), value = op == REDO_PUT ? take_bytes(w) : SLICE_NONE;
	if (w->bad || (op != REDO_PUT && op != REDO_DEL))
		return VAN_ESYNTAX;
	int rc = table_named(t->s, name, &table);
	if (rc < 0)
		return rc;
	if (op == REDO_PUT)
		return store_put(t, table, key, value);
	rc = store_del(t, table, key);
	return rc == VAN_ENOTFOUND ? 0 : rc;
}

int store_redo(struct store_txn *t, struct slice redo)
{
	struct wire w = {.p = (const unsigned char *)redo.p, .n = redo.n};
	int rc = 0;
	while (rc == 0 && w.n)
		rc = apply_one(t, &w);
	return rc;
}
