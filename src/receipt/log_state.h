/* Inside the receipt log: tables, and the record of one year's log. */
#ifndef OPENVAN_RECEIPT_LOG_STATE_H
#define OPENVAN_RECEIPT_LOG_STATE_H

#include "receipt/receipt.h"
#include "store/key.h"

struct receipts {
	struct store *s;
	store_table_id logs;        /* year → log_state */
	store_table_id leaves;      /* year, index → canonical JSON */
	store_table_id nodes;       /* year, level ≥ 1, index → hash of a complete subtree */
	store_table_id messages;    /* message, year, index → nothing */
	store_table_id salts;       /* year, index, artefact name → salt */
	store_table_id checkpoints; /* year, size → note */
	char host[RECEIPT_ORIGIN_MAX + 1];
};

struct log_state {
	uint32_t year;
	char origin[RECEIPT_ORIGIN_MAX + 1];
	van_time last;
	uint64_t signed_size;
	van_time signed_at;
	struct receipt_edge edge; /* its size is the log's */
};

int log_state_get(struct store_txn *t, struct receipts *r, uint32_t year, struct log_state *ret);
int log_state_newest(struct store_txn *t, struct receipts *r, struct log_state *ret);
int log_state_put(struct store_txn *t, struct receipts *r, const struct log_state *st);
int log_state_decode(struct slice key, struct slice bytes, struct log_state *ret);

struct store_key receipt_leaf_key(uint32_t year, uint64_t index);
struct store_key receipt_year_key(uint32_t year);

/* A receipt_node_fn over the store; arg is a struct node_source. */
struct node_source {
	struct store_txn *t;
	struct receipts *r;
	uint32_t year;
};
int receipt_node_get(void *arg, unsigned level, uint64_t index, struct receipt_hash *ret);
int receipt_node_put(struct store_txn *t, struct receipts *r, uint32_t year, unsigned level, uint64_t index,
	const struct receipt_hash *h);

#endif
