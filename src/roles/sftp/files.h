/* Open files and listings of a mailbox. Private to src/roles/sftp. */
#ifndef OPENVAN_ROLES_SFTP_FILES_H
#define OPENVAN_ROLES_SFTP_FILES_H

#include "roles/sftp/mailbox.h"
#include "roles/sftp/spans.h"
#include "roles/sftp/view.h"

/* How much of a file in /out this session has read, over all handles: some clients fetch the parts of a large file through
 * several at once. */
struct sftpd_progress {
	char id[48]; /* of the entry; empty: free */
	unsigned handles; /* that read it now */
	uint64_t used; /* when it was opened last, as a running number */
	uint64_t told; /* to the store, of what was read from the start on */
	bool looked;   /* ... that something was read */
	struct sftpd_spans read;
};
#define SFTPD_PROGRESS_MAX 16

/* What stands behind a file in /out that the client has looked at: clients that match names (get *.edi) look at each in the order of a
 * listing. Good for a second, until the client opens or changes anything. */
#define SFTPD_NEIGHBOURS 32
struct sftpd_neighbours {
	struct {
		char name[SFTPD_NAME_MAX];
		size_t name_n;
		struct sftpd_attributes attributes;
	} v[SFTPD_NEIGHBOURS];
	size_t n, next;
	char section[SFTPD_NAME_MAX]; /* they are all of it */
	size_t section_n;
	van_time until; /* by the monotonic clock */
	unsigned in_vain; /* it looked at another one then, so many times */
};

/* Small files of /out that the client will open next: it opened those before, one after the other. Good for a second, until the client changes
 * anything. */
#define SFTPD_AHEAD 16
struct sftpd_ahead {
	struct ipc_mailbox_entry v[SFTPD_AHEAD]; /* with contents, in `arena` */
	size_t n, next;
	van_time until; /* by the monotonic clock */
	struct van_arena *arena; /* NULL: not needed so far */
	char section[SFTPD_NAME_MAX], name[SFTPD_NAME_MAX]; /* of the file that was opened last */
	size_t section_n, name_n; /* 0: none was */
	unsigned asked; /* how many came with the last answer to be used up; the next brings twice as many */
};

struct file;

struct sftpd_mailbox {
	struct sftpd_view view;
	struct sftpd_store *store;
	struct sftpd_limits limits;
	van_time started;
	struct sftpd_progress progress[SFTPD_PROGRESS_MAX];
	uint64_t opened;
	struct file *uploads; /* that are open, a list */
	struct file *at_work; /* what is being worked on: an upload that may ask for a file */
	bool bounded;	      /* the mailbox takes but `room` more bytes, as the store said last */
	uint64_t room;
	uint64_t files_left; /* so many more files the mailbox takes, as the store said last, less what came since; 0: ask */
	uint64_t unlooked; /* bytes written since the disk was looked at */
	/* sftpd_file_look() */
	struct sftpd_path looked_at; /* n is 0: something was opened or changed since */
	bool opens_after_look;    /* as it did last time */
	struct file *ahead;       /* is open already, a small one; or NULL */
	van_time ahead_until;     /* by the monotonic clock */
	struct sftpd_neighbours neighbours;
	struct sftpd_ahead read_ahead;
	struct sftpd_writer *idle_writer; /* of the last small upload, for the next one: its memory is there already */
	bool taken_by_download; /* a file goes when it was fetched */
};

struct sftpd_attributes sftpd_folder_attributes(const struct sftpd_mailbox *m, bool writable);
struct sftpd_attributes sftpd_entry_attributes(const struct sftpd_mailbox *m, const struct ipc_mailbox_entry *e);

/* Why a file of this name can't be uploaded. */
enum sftpd_status sftpd_refuse_name(const struct sftpd_mailbox *m, struct slice name, struct sftpd_why *why);

/* files.c */
enum sftpd_status sftpd_file_open(void *arg, struct slice path, uint32_t flags, const struct sftpd_attributes *a, void **ret_file,
				  struct sftpd_why *why);
enum sftpd_status sftpd_file_read(void *arg, void *file, uint64_t at, void *to, size_t n, size_t *ret_n, struct sftpd_why *why);
enum sftpd_status sftpd_file_write(void *arg, void *file, uint64_t at, const void *p, size_t n, struct sftpd_why *why);
enum sftpd_status sftpd_file_sync(void *arg, void *file, struct sftpd_why *why);
enum sftpd_status sftpd_file_stat(void *arg, void *file, struct sftpd_attributes *ret, struct sftpd_why *why);
enum sftpd_status sftpd_file_setstat(void *arg, void *file, const struct sftpd_attributes *a, struct sftpd_why *why);
enum sftpd_status sftpd_file_close(void *arg, void *file, struct sftpd_why *why);
void sftpd_file_abandon(void *arg, void *file);
/* The attributes of a file at `path`, which is `at`. Where the client has opened the last one that it looked at, it will open this one, too:
 * that is done at once if it is small, and when its own open comes, within a second, the store needn't be asked again. */
enum sftpd_status sftpd_file_look(struct sftpd_mailbox *m, struct slice path, const struct sftpd_place *at, struct sftpd_attributes *ret,
				  struct sftpd_why *why);
void sftpd_file_forget_look(struct sftpd_mailbox *m); /* when the client changes something, and at the end */
/* Is it being uploaded by this session? Then its attributes. */
bool sftpd_file_uploading(const struct sftpd_mailbox *m, const struct sftpd_place *at, struct sftpd_attributes *ret);

/* neighbours.c */
/* The client looked at `before` and opens nothing, but looks at `at`, both in /out: its attributes, if it is the next one. The store is asked
 * once for many. False: the store has to be asked for this one. */
bool sftpd_neighbours_look(struct sftpd_mailbox *m, const struct sftpd_place *before, const struct sftpd_place *at, struct sftpd_attributes *ret);
void sftpd_neighbours_forget(struct sftpd_mailbox *m);

/* ahead.c */
/* The client opens `at`, or looks at it and will open it: its entry with its content, until the next call, and how long that is good. NULL: the
 * store has to be asked for this one. */
const struct ipc_mailbox_entry *sftpd_ahead_take(struct sftpd_mailbox *m, const struct sftpd_place *at, van_time *ret_until);
void sftpd_ahead_opened(struct sftpd_mailbox *m, const struct sftpd_place *at); /* a small file */
void sftpd_ahead_forget(struct sftpd_mailbox *m);
void sftpd_ahead_free(struct sftpd_mailbox *m);

/* listing.c */
enum sftpd_status sftpd_listing_open(void *arg, struct slice path, void **ret_folder, struct sftpd_why *why);
enum sftpd_status sftpd_listing_read(void *arg, void *folder, struct sftpd_names *to, struct sftpd_why *why);
void sftpd_listing_close(void *arg, void *folder);

#endif
