/* The input of a conversion: the bytes that were read to see what it is, then the rest of the descriptor. */
#ifndef OPENVAN_VANCTL_EDI_INPUT_H
#define OPENVAN_VANCTL_EDI_INPUT_H

#include "vanctl/edi_command.h"

struct tree;

struct edi_input {
	const char *name;  /* of the file, for errors */
	int fd;            /* -1: `head` is all */
	struct slice head; /* not yet given out */
	/* What is not read but made: the next bytes, which live until the next call; none: the end. EDI_DONE, or a status after an error was printed. */
	int (*make)(void *ctx, struct slice *ret);
	void *ctx;
};

#define EDI_INPUT_CHUNK ((size_t)256 << 10)
#define EDI_DOCUMENT_MEMORY ((size_t)128 << 20) /* of one canonical document */
#define EDI_DOCUMENT_VALUES 1000000

/* Appends the next bytes, EDI_INPUT_CHUNK at most; *ret: how many, 0 at the end. EDI_DONE, or a status after an error was printed:
 * `what` is what the buffer must hold ("a message"), when it is full. */
int edi_input_next(struct edi_input *in, struct van_buf *to, const char *what, size_t *ret);
/* Appends all that is left. As above. */
int edi_input_all(struct edi_input *in, struct van_buf *to);
void edi_input_close(struct edi_input *in);

/* Each canonical document of JSON, one or an array of them; it is gone when fn returns. fn returns EDI_DONE, or a status after an error was
 * printed. */
typedef int (*edi_document_fn)(void *ctx, const struct tree *document);
int edi_input_documents(struct edi_input *in, edi_document_fn fn, void *ctx);

#endif
