/* The input of a conversion: the bytes that were read to see what it is, then the rest of the descriptor. */
#ifndef OPENVAN_VANCTL_EDI_INPUT_H
#define OPENVAN_VANCTL_EDI_INPUT_H

#include "vanctl/edi_command.h"

struct edi_input {
	const char *name;  /* of the file, for errors */
	int fd;            /* -1: `head` is all */
	struct slice head; /* not yet given out */
};

#define EDI_INPUT_CHUNK ((size_t)256 << 10)

/* Appends the next bytes, EDI_INPUT_CHUNK at most; *ret: how many, 0 at the end. EDI_DONE, or a status after an error was printed:
 * `what` is what the buffer must hold ("a message"), when it is full. */
int edi_input_next(struct edi_input *in, struct van_buf *to, const char *what, size_t *ret);
/* Appends all that is left. As above. */
int edi_input_all(struct edi_input *in, struct van_buf *to);
void edi_input_close(struct edi_input *in);

#endif
