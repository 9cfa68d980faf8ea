/* Inside the payload files: names and folders, shared by payload.c (the batch) and payload_sweep.c. */
#ifndef OPENVAN_STORE_PAYLOAD_DIR_H
#define OPENVAN_STORE_PAYLOAD_DIR_H

#include "base/id.h"
#include "store/payload.h"

#include <stdatomic.h>
#include <sys/stat.h>

#define PAYLOAD_FOLDER_LEN 6 /* first characters of the id: its time >> 20 milliseconds */
#define PAYLOAD_PART_MAX 32
#define PAYLOAD_NAME_MAX (VAN_ID_LEN + 1 + PAYLOAD_PART_MAX)
#define PAYLOAD_FOLDERS 8  /* kept open */
#define PAYLOAD_TOP "payload"
#define PAYLOAD_ASIDE "unreferenced" /* folder; never the name of one of ours */
#define PAYLOAD_PINNED "pinned" /* folder of what was removed while somebody copies */
#define PAYLOAD_COPY ".copy-" /* begins the name of an unfinished copy */

struct payload_folder {
	char name[PAYLOAD_FOLDER_LEN + 1];
	int fd; /* -1: free slot */
	bool touched;
};

struct payload_file { /* linked in this batch */
	char folder[PAYLOAD_FOLDER_LEN + 1];
	char name[PAYLOAD_NAME_MAX + 1];
	dev_t dev; /* of the source, to know it again */
	ino_t ino;
	int fd; /* still to be flushed, or -1 */
};

struct payload_dir {
	int fd;
	bool touched; /* a folder was made in it */
	unsigned turn; /* next folder to put out of the cache */
	struct payload_folder folders[PAYLOAD_FOLDERS];
	struct payload_file *files;
	size_t n, room;
	unsigned long long copies;
	atomic_ullong flushes;
	atomic_uint pins;
};

/* "ID.PART" into `to` (PAYLOAD_NAME_MAX + 1 bytes); VAN_EINVAL. */
int payload_name(struct slice id, const char *part, char *to);
/* The reverse; false for any other name. */
bool payload_name_split(const char *name, struct slice *id, struct slice *part);
void payload_folder_name(char to[PAYLOAD_FOLDER_LEN + 1], van_time t);
bool payload_folder_valid(const char *name);
/* "FOLDER/ID.PART"; VAN_EINVAL. */
int payload_path_in(struct slice id, const char *part, char *to, size_t room);

/* payload_pin.c */
void payload_pinned_drop(struct payload_dir *d); /* deletes what was kept for a copy */
int payload_pinned_keep(struct payload_dir *d, const char *path); /* instead of unlinking it: 0 or an errno */

#endif
