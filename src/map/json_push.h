/* A JSON reader that is fed: tokens of a document in any chunking, in little memory (RFC 8259). */
#ifndef OPENVAN_MAP_JSON_PUSH_H
#define OPENVAN_MAP_JSON_PUSH_H

#include "base/buf.h"
#include "base/error.h"

enum json_token { JSON_OBJECT, JSON_OBJECT_END, JSON_ARRAY, JSON_ARRAY_END, JSON_NAME, JSON_TEXT, JSON_NUMBER, JSON_LITERAL };

/* `text`: of a name, text, number or literal (true, false, null); valid during the call. Negative stops. */
typedef int (*json_token_fn)(void *ctx, enum json_token token, struct slice text);

#define JSON_DEPTH 64

struct json_push {
	json_token_fn fn;
	void *ctx;
	struct van_buf text;   /* of the token in hand; its maximum is the bound */
	int state;
	char nesting[JSON_DEPTH]; /* '{' or '[' */
	int depth;
	bool name;             /* the text in hand is a member's name */
	unsigned unicode, digits, high; /* of a \u escape; the first half of a pair */
	uint64_t line;         /* from 1 */
	struct van_error *e;   /* where an error is told */
};

void json_push_begin(struct json_push *p, json_token_fn fn, void *ctx, size_t max_text, struct van_error *e);
void json_push_free(struct json_push *p);
/* 0, VAN_ESYNTAX, VAN_ELIMIT (depth, length of a text), VAN_ENOMEM, or fn's error. */
int json_push_feed(struct json_push *p, struct slice chunk, bool last);

#endif
