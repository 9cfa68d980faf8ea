/* What a write transaction changed, as bytes that repeat it. In them tables have their names, because identifiers are given anew at
 * each start. */
#ifndef OPENVAN_STORE_REDO_H
#define OPENVAN_STORE_REDO_H

#include "store/backend.h"

/* Failures latch in the transaction's buffer; without one nothing happens. The rest is store_redo() in store.h. */
void redo_put(struct store_txn *t, store_table_id table, struct slice key, struct slice value);
void redo_del(struct store_txn *t, store_table_id table, struct slice key);

#endif
