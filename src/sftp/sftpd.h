/* The server's side of the SSH File Transfer Protocol, version 3 (draft-ietf-secsh-filexfer-02, and the extensions that
 * OpenSSH's PROTOCOL page defines): bytes in, requests to a backend, bytes out. No sockets, no clock, no logging.
 *
 * Feed what the client sent to sftpd_input(), send what sftpd_output() holds, tell sftpd_output_sent() how much of it
 * went. The engine stops taking input while more than `output_high` bytes wait, so that memory is bounded however the
 * client pipelines. The data of a WRITE goes to the backend as it arrives and is never gathered. */
#ifndef OPENVAN_SFTP_SFTPD_H
#define OPENVAN_SFTP_SFTPD_H

#include "base/clock.h"
#include "base/error.h"

/* Status codes of version 3 (section 7). Backend functions return one of them. */
enum sftpd_status {
	SFTPD_OK = 0,
	SFTPD_EOF = 1,
	SFTPD_NO_SUCH_FILE = 2,
	SFTPD_PERMISSION_DENIED = 3,
	SFTPD_FAILURE = 4,
	SFTPD_BAD_MESSAGE = 5,
	SFTPD_NO_CONNECTION = 6,
	SFTPD_CONNECTION_LOST = 7,
	SFTPD_OP_UNSUPPORTED = 8,
};

/* What the client is told beside the status code: one line that says what to do. Empty: the code's usual text. */
struct sftpd_why {
	char text[256];
};
/* Fills `why` (may be NULL) and returns `status`. */
enum sftpd_status sftpd_refuse(struct sftpd_why *why, enum sftpd_status status, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Open flags (section 6.3). */
enum {
	SFTPD_OPEN_READ = 0x01,
	SFTPD_OPEN_WRITE = 0x02,
	SFTPD_OPEN_APPEND = 0x04,
	SFTPD_OPEN_CREATE = 0x08,
	SFTPD_OPEN_TRUNCATE = 0x10,
	SFTPD_OPEN_EXCLUSIVE = 0x20,
};

/* Attributes (section 5). `has` says which of them a request carried; replies always carry all. */
enum {
	SFTPD_HAS_SIZE = 0x01,
	SFTPD_HAS_OWNER = 0x02,
	SFTPD_HAS_MODE = 0x04,
	SFTPD_HAS_TIMES = 0x08,
};
#define SFTPD_MODE_FOLDER 0040000u
#define SFTPD_MODE_FILE 0100000u
struct sftpd_attributes {
	uint32_t has;
	uint64_t size;
	uint32_t uid, gid;
	uint32_t mode; /* type and permission bits, as in stat(2) */
	uint32_t accessed, modified; /* seconds since 1970, UTC */
};

/* Answer to statvfs@openssh.com; fields as in statvfs(3). */
struct sftpd_space {
	uint64_t block, fragment, blocks, free_blocks, available_blocks, files, free_files, available_files, id, flags, name_max;
};

/* One reply to READDIR that is being filled. */
struct sftpd_names;
/* Adds an entry; false when the reply is full: the entry was not added and belongs into the next one. */
bool sftpd_names_add(struct sftpd_names *to, struct slice name, const struct sftpd_attributes *a);

/* What serves the requests. Paths are absolute and normalised (no empty, "." or ".." part, no NUL, bounded); they and all
 * slices are valid during the call only. A function that is NULL is answered with OP_UNSUPPORTED. Functions may block.
 * `ret_*` are written on SFTPD_OK only. */
struct sftpd_ops {
	enum sftpd_status (*open)(void *arg, struct slice path, uint32_t flags, const struct sftpd_attributes *a, void **ret_file,
				  struct sftpd_why *why);
	/* *ret_n 0 means end of file. */
	enum sftpd_status (*read)(void *arg, void *file, uint64_t at, void *to, size_t n, size_t *ret_n, struct sftpd_why *why);
	/* A WRITE may come in several pieces; after one that failed the rest of it is dropped. */
	enum sftpd_status (*write)(void *arg, void *file, uint64_t at, const void *p, size_t n, struct sftpd_why *why);
	enum sftpd_status (*sync)(void *arg, void *file, struct sftpd_why *why);
	enum sftpd_status (*fstat)(void *arg, void *file, struct sftpd_attributes *ret, struct sftpd_why *why);
	enum sftpd_status (*fsetstat)(void *arg, void *file, const struct sftpd_attributes *a, struct sftpd_why *why);
	/* The client closed the handle; `file` is gone afterwards, whatever is returned. */
	enum sftpd_status (*close)(void *arg, void *file, struct sftpd_why *why);
	/* The session ends with the handle still open: give up what was begun. Must be set when open is. */
	void (*abandon)(void *arg, void *file);

	enum sftpd_status (*folder_open)(void *arg, struct slice path, void **ret_folder, struct sftpd_why *why);
	/* Adds entries until there are no more or sftpd_names_add says no; adding none means the end. */
	enum sftpd_status (*folder_read)(void *arg, void *folder, struct sftpd_names *to, struct sftpd_why *why);
	void (*folder_close)(void *arg, void *folder); /* must be set when folder_open is */

	enum sftpd_status (*stat)(void *arg, struct slice path, struct sftpd_attributes *ret, struct sftpd_why *why);
	enum sftpd_status (*setstat)(void *arg, struct slice path, const struct sftpd_attributes *a, struct sftpd_why *why);
	enum sftpd_status (*remove)(void *arg, struct slice path, struct sftpd_why *why);
	/* `replace`: posix-rename@openssh.com, which may overwrite. */
	enum sftpd_status (*rename)(void *arg, struct slice from, struct slice to, bool replace, struct sftpd_why *why);
	enum sftpd_status (*mkdir)(void *arg, struct slice path, struct sftpd_why *why);
	enum sftpd_status (*rmdir)(void *arg, struct slice path, struct sftpd_why *why);
	enum sftpd_status (*space)(void *arg, struct slice path, struct sftpd_space *ret, struct sftpd_why *why);
};

/* Bounds, in bytes unless said otherwise; 0 takes the default. */
struct sftpd_options {
	uint32_t packet_max;   /* longest packet taken, without its length field; 262144 */
	uint32_t read_max;     /* most bytes of one READ; 261120 */
	uint32_t write_max;    /* announced for WRITE; 261120, what fits into packet_max is taken */
	uint32_t handles_max;  /* open files and folders, count; 64 */
	uint32_t *handles_open; /* where they are counted, for conversations that share the bound; outlives them. NULL: each for itself */
	uint32_t output_high;  /* stop taking input while this many wait; 65536 */
	uint32_t names_max;    /* of one READDIR reply; 32768 */
	const char *owner;     /* user and group name in long names, copied; "van" */
};

struct sftpd; /* one client */

/* `ops` must outlive the engine. NULL when out of memory. */
struct sftpd *sftpd_new(const struct sftpd_options *o, const struct sftpd_ops *ops, void *arg);
/* Abandons what is open. s may be NULL. */
void sftpd_free(struct sftpd *s);

/* Takes bytes from the client, as many as it can: *ret_taken of them (fewer than `n` when output waits). `now` (UTC) dates
 * the long names. 0, or a negative enum van_err after which the connection must be closed: VAN_ELIMIT (packet too long),
 * VAN_ESYNTAX (not SFTP), VAN_ENOMEM. */
int sftpd_input(struct sftpd *s, const void *p, size_t n, van_time now, size_t *ret_taken, struct van_error *e);

/* Bytes that wait to be sent; valid until the next call. */
struct slice sftpd_output(const struct sftpd *s);
void sftpd_output_sent(struct sftpd *s, size_t n);

/* Does the engine take input now? */
bool sftpd_wants_input(const struct sftpd *s);
/* Number of open handles. */
uint32_t sftpd_open_handles(const struct sftpd *s);

/* "-rw-r--r--    1 owner    owner        1234 Jan 31 12:34 name", as ls -l and OpenSSH's server print it, in UTC. Control
 * characters of the name become '?'. Appends to `to`; 0 or the buffer's error. */
struct van_buf;
int sftpd_long_name(struct van_buf *to, struct slice name, const struct sftpd_attributes *a, const char *owner, van_time now);

#endif
