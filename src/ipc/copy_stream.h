/* A data folder's files one after the other through a pipe: what the store writes for `vanctl backup`. A frame is a header and its bytes.
 * COPY_FILE (its path below the data folder) begins a file, COPY_DATA frames bring its bytes, until the next file or the end.
 * COPY_MISSING names a file that records refer to and that is not there, or (behind its bytes) not whole. A stream without COPY_END broke off. */
#ifndef OPENVAN_IPC_COPY_STREAM_H
#define OPENVAN_IPC_COPY_STREAM_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum copy_kind { COPY_FILE = 1, COPY_DATA, COPY_MISSING, COPY_END };

#define COPY_FRAME_MAX ((uint32_t)256 << 10) /* bytes behind a header */
#define COPY_PATH_MAX 255

/* Is this path below a data folder one of the files that come this way, and belong to the store's role? The rest of a data folder (a receipt
 * key, in a folder of its own or not) is the supervisor's, and no role may read it. */
static inline bool copy_path_streamed(const char *path)
{
	return strncmp(path, "store/", 6) == 0 || strncmp(path, "segment/", 8) == 0 || strncmp(path, "payload/", 8) == 0;
}

struct copy_header { /* both ends are of the same release, so host order will do */
	uint32_t kind, length;
};

#endif
