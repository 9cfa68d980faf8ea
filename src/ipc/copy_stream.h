/* A data folder's files one after the other through a pipe: what the store writes for `vanctl backup`. A frame is a header and its bytes.
 * COPY_FILE (its path below the data folder) begins a file, COPY_DATA frames bring its bytes, until the next file or the end.
 * COPY_MISSING names a file that records refer to and that is not there, or (behind its bytes) not whole. A stream without COPY_END broke off. */
#ifndef OPENVAN_IPC_COPY_STREAM_H
#define OPENVAN_IPC_COPY_STREAM_H

#include <stdint.h>

enum copy_kind { COPY_FILE = 1, COPY_DATA, COPY_MISSING, COPY_END };

#define COPY_FRAME_MAX ((uint32_t)256 << 10) /* bytes behind a header */
#define COPY_PATH_MAX 255

struct copy_header { /* both ends are of the same release, so host order will do */
	uint32_t kind, length;
};

#endif
