/* What the engine's files share. Private to src/sftp. */
#ifndef OPENVAN_SFTP_ENGINE_H
#define OPENVAN_SFTP_ENGINE_H

#include "sftp/packet.h"
#include "sftp/path.h"

#define HANDLE_BYTES 8

enum handle_kind { HANDLE_FREE, HANDLE_FILE, HANDLE_FOLDER };
struct handle {
	enum handle_kind kind;
	uint32_t generation; /* changes with every use of the slot, so that a stale handle is known */
	void *thing;         /* the backend's */
};

struct sftpd {
	struct sftpd_options o;
	char owner[33];
	const struct sftpd_ops *ops;
	void *arg;
	bool initialised;
	int dead; /* 0, or what ended the session */
	van_time now;

	struct van_buf in; /* the beginning of a packet that has not come whole */
	uint64_t skip;     /* bytes of the current packet to drop */
	struct {           /* the WRITE whose data is arriving */
		bool active;
		uint32_t id, left;
		struct handle *handle; /* NULL: refused, the data is dropped */
		uint64_t at;
		enum sftpd_status status;
		struct sftpd_why why;
	} write;

	struct van_buf out;
	size_t sent; /* of out */

	struct handle *handles; /* o.handles_max of them */
	uint32_t *open;		/* how many are in use: o.handles_open, or the next one */
	uint32_t own_open;
};

struct sftpd_names {
	struct sftpd *s;
	size_t limit; /* of s->out.n */
	uint32_t count;
};

/* handles.c */
struct handle *handle_take(struct sftpd *s, enum handle_kind kind, void *thing); /* NULL when all are taken */
struct handle *handle_find(struct sftpd *s, struct slice text, enum handle_kind kind); /* NULL: not open, or another kind */
void handle_text(const struct sftpd *s, const struct handle *h, char to[HANDLE_BYTES]);
void handle_release(struct sftpd *s, struct handle *h);
void handle_abandon_all(struct sftpd *s);

/* reply.c */
void reply_status(struct sftpd *s, uint32_t id, enum sftpd_status status, const struct sftpd_why *why);
void reply_version(struct sftpd *s);
void reply_handle(struct sftpd *s, uint32_t id, const struct handle *h);
void reply_attributes(struct sftpd *s, uint32_t id, const struct sftpd_attributes *a);
void reply_name(struct sftpd *s, uint32_t id, struct slice name); /* of REALPATH: attributes without meaning */

/* request.c: one whole packet after its type, except WRITE */
void request_serve(struct sftpd *s, uint8_t type, struct packet *k);
/* Takes a path from the packet; false (with the answer sent) when it can't be used. */
bool request_path(struct sftpd *s, uint32_t id, struct packet *k, struct sftpd_path *ret);

/* extended.c */
void extended_serve(struct sftpd *s, uint32_t id, struct packet *k);

#endif
