/* The SFTP role over a store in memory, to try clients against and to measure: not part of the product.
 *
 *   sftp_rig PORT HOSTKEY[,HOSTKEY…] PUBLICKEY FOLDER
 *
 * User "volt" logs in with PUBLICKEY (an OpenSSH .pub file) or the password "secret". Files of FOLDER wait in /out; uploads are
 * unnamed files in FOLDER. What became a message is seen in /in/archive. Prints the store's process id, to be killed, the port
 * (PORT may be 0) and "ready". SFTP_RIG_GRACE and SFTP_RIG_IDLE set the time-outs for log-in and of sessions in seconds, SFTP_RIG_TOTAL bounds
 * whole sessions; SFTP_RIG_SESSIONS the most connections of one address; SFTP_RIG_ENTRIES puts so many files with long names into /out; SFTP_RIG_RESERVE sets the
 * bytes of the disk that must stay free. */
#include "base/codec.h"
#include "base/fdio.h"
#include "base/log.h"
#include "ipc/channel.h"
#include "ipc/messages.h"
#include "roles/sftp/listener.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

struct entry {
	struct entry *next;
	uint32_t folder;
	char date[11], name[256], id[32];
	int fd;
	uint64_t bytes;
	van_time time;
	bool staged, collected, unfinished;
};

struct rig {
	const char *folder;
	struct van_buf key;
	struct entry *entries; /* by name within a folder */
	unsigned next_id;
	struct loop *loop;
	struct van_arena *arena;
};

static void today(char date[11])
{
	char text[VAN_TIME_TEXT];
	snprintf(date, 11, "%.10s", van_time_rfc3339(text, van_clock_now()));
}

static int order(const struct entry *e, uint32_t folder, struct slice date, struct slice name)
{
	if (e->folder != folder)
		return e->folder < folder ? -1 : 1;
	int c = slice_cmp(slice_str(e->date), date);
	return c ? c : slice_cmp(slice_str(e->name), name);
}

static struct entry **place_of(struct rig *r, uint32_t folder, struct slice date, struct slice name)
{
	struct entry **at = &r->entries;
	while (*at && order(*at, folder, date, name) < 0)
		at = &(*at)->next;
	return at;
}

static struct entry *find(struct rig *r, uint32_t folder, struct slice date, struct slice name)
{
	struct entry *e = *place_of(r, folder, date, name);
	return e && order(e, folder, date, name) == 0 ? e : NULL;
}

static void unlink_entry(struct rig *r, struct entry *e)
{
	struct entry **at = &r->entries;
	while (*at != e)
		at = &(*at)->next;
	*at = e->next;
}

static void insert(struct rig *r, struct entry *e)
{
	struct entry *same = find(r, e->folder, slice_str(e->date), slice_str(e->name));
	if (same) {
		unlink_entry(r, same);
		close(same->fd);
		free(same);
	}
	struct entry **at = place_of(r, e->folder, slice_str(e->date), slice_str(e->name));
	e->next = *at;
	*at = e;
}

static struct entry *entry_new(struct rig *r, uint32_t folder, struct slice name, int fd, uint64_t bytes)
{
	struct entry *e = calloc(1, sizeof *e);
	if (!e)
		abort();
	e->folder = folder;
	snprintf(e->name, sizeof e->name, "%.*s", SLICE_ARG(name));
	snprintf(e->id, sizeof e->id, "m%06u", ++r->next_id);
	e->fd = fd;
	e->bytes = bytes;
	e->time = van_clock_now();
	return e;
}

static void to_archive(struct rig *r, struct entry *e, uint32_t archive)
{
	unlink_entry(r, e);
	e->folder = archive;
	e->staged = false;
	today(e->date);
	insert(r, e);
}

/* --- answers ---------------------------------------------------------------------------------------------------------- */

static struct ipc_mailbox_entry shown(const struct entry *e)
{
	return (struct ipc_mailbox_entry){.name = slice_str(e->name), .id = slice_str(e->id), .bytes = e->bytes, .time = e->time,
					  .staged = e->staged, .collected = e->collected, .unfinished = e->unfinished};
}

static void reply(struct ipc_channel *c, uint64_t request, uint32_t status, const struct entry *e, int fd)
{
	struct ipc_mailbox_reply m = {.status = status};
	struct ipc_mailbox_entry s;
	if (e) {
		s = shown(e);
		m.entry = &s;
	}
	ipc_send(c, IPC_MAILBOX_REPLY, request, &ipc_mailbox_reply_table, &m, &fd, fd >= 0 ? 1 : 0);
}

static void answer_auth(struct rig *r, struct ipc_channel *c, uint64_t request, const struct ipc_auth *a)
{
	struct ipc_auth_reply m = {.partner = SLICE("volt"), .connection = SLICE("volt-sftp"), .folder_in = SLICE("/in"),
				   .folder_out = SLICE("/out"), .taken = SLICE("delete")};
	m.ok = slice_is(a->user, "volt") && (a->method == IPC_AUTH_PASSWORD ? slice_is(a->password, "secret")
									      : slice_eq(a->key_blob, van_buf_slice(&r->key)));
	ipc_send(c, IPC_AUTH_REPLY, request, &ipc_auth_reply_table, &m, NULL, 0);
}

static void answer_list(struct rig *r, struct ipc_channel *c, uint64_t request, const struct ipc_mailbox_list *q)
{
	struct ipc_mailbox_entry list[256];
	struct ipc_mailbox_entries m = {.entries = {list, 0}};
	bool dates = q->folder >= IPC_FOLDER_IN_ARCHIVE && !q->section.p;
	for (struct entry *e = r->entries; e; e = e->next) {
		struct slice key = slice_str(dates ? e->date : e->name);
		if (e->folder != q->folder || (!dates && !slice_eq(slice_str(e->date), q->section.p ? q->section : SLICE(""))))
			continue;
		if ((q->after.p && slice_cmp(key, q->after) <= 0) ||
		    (dates && m.entries.n && slice_eq(list[m.entries.n - 1].name, key)))
			continue;
		if (m.entries.n == q->limit || m.entries.n == 256) {
			m.more = true;
			break;
		}
		list[m.entries.n] = shown(e);
		list[m.entries.n].name = key;
		list[m.entries.n++].is_folder = dates;
	}
	ipc_send(c, IPC_MAILBOX_ENTRIES, request, &ipc_mailbox_entries_table, &m, NULL, 0);
}

static struct entry *named(struct rig *r, const struct ipc_mailbox_name *n)
{
	struct entry *e = find(r, n->folder, n->section.p ? n->section : SLICE(""), n->name);
	char date[11];
	today(date);
	return e || n->folder != IPC_FOLDER_IN ? e : find(r, IPC_FOLDER_IN_ARCHIVE, slice_str(date), n->name);
}

static void answer_name(struct rig *r, struct ipc_channel *c, uint32_t type, uint64_t request, const struct ipc_mailbox_name *n)
{
	struct entry *e = named(r, n);
	if (!e && !request)
		return;
	if (!e)
		return reply(c, request, IPC_MAILBOX_NO_FILE, NULL, -1);
	if (type == IPC_MAILBOX_OPEN)
		return reply(c, request, IPC_MAILBOX_OK, e, e->fd);
	if (type == IPC_MAILBOX_COLLECTED && slice_is(n->id, e->id))
		e->collected = true;
	if (!request)
		return;
	if (type == IPC_MAILBOX_REMOVE && n->folder == IPC_FOLDER_OUT) {
		to_archive(r, e, IPC_FOLDER_OUT_ARCHIVE);
	} else if (type == IPC_MAILBOX_REMOVE) {
		if (!e->staged && !e->unfinished)
			return reply(c, request, IPC_MAILBOX_DENIED, NULL, -1);
		unlink_entry(r, e);
		close(e->fd);
		free(e);
		e = NULL;
	}
	reply(c, request, IPC_MAILBOX_OK, e, -1);
}

static void answer_commit(struct rig *r, struct ipc_channel *c, struct ipc_message *m, const struct ipc_mailbox_commit *q)
{
	bool waits = q->staged || q->unfinished;
	int fd = ipc_take_fd(m, 0);
	if (fd < 0) /* a small file */
		fd = memfd_with("upload", q->content.p, q->content.n);
	struct entry *e = entry_new(r, waits ? IPC_FOLDER_IN : IPC_FOLDER_IN_ARCHIVE, q->name, fd, q->bytes);
	e->staged = q->staged && !q->unfinished;
	e->unfinished = q->unfinished;
	if (!waits) {
		struct entry *before = find(r, IPC_FOLDER_IN, SLICE(""), q->name);
		if (before) {
			unlink_entry(r, before);
			close(before->fd);
			free(before);
		}
		today(e->date);
	}
	insert(r, e);
	char sha256[65];
	hex_encode(sha256, q->sha256.p, q->sha256.n);
	log_event(LOG_LEVEL_INFO, q->unfinished ? "unfinished" : "committed", "name", e->name, "bytes", log_u64(q->bytes), "sha256", sha256, NULL);
	reply(c, m->request, IPC_MAILBOX_OK, e, -1);
}

static void answer_rename(struct rig *r, struct ipc_channel *c, uint64_t request, const struct ipc_mailbox_rename *q)
{
	struct entry *e = find(r, q->folder, SLICE(""), q->from);
	if (!e)
		return reply(c, request, IPC_MAILBOX_NO_FILE, NULL, -1);
	if (q->folder == IPC_FOLDER_OUT) {
		to_archive(r, e, IPC_FOLDER_OUT_ARCHIVE);
		return reply(c, request, IPC_MAILBOX_OK, e, -1);
	}
	unlink_entry(r, e);
	snprintf(e->name, sizeof e->name, "%.*s", SLICE_ARG(q->to));
	e->staged = q->staged;
	e->folder = q->staged ? IPC_FOLDER_IN : IPC_FOLDER_IN_ARCHIVE;
	if (!q->staged)
		today(e->date);
	insert(r, e);
	reply(c, request, IPC_MAILBOX_OK, e, -1);
}

static void answer_create(struct rig *r, struct ipc_channel *c, uint64_t request)
{
	int fd = open(r->folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	reply(c, request, fd < 0 ? IPC_MAILBOX_FAILED : IPC_MAILBOX_OK, NULL, fd);
	if (fd >= 0)
		close(fd);
}

static void on_request(void *arg, struct ipc_channel *c, struct ipc_message *m)
{
	struct rig *r = arg;
	union {
		struct ipc_auth auth;
		struct ipc_mailbox_list list;
		struct ipc_mailbox_name name;
		struct ipc_mailbox_commit commit;
		struct ipc_mailbox_rename rename;
	} q;
	van_arena_reset(r->arena);
	if (m->type == IPC_AUTH && record_decode(&ipc_auth_table, m->body, r->arena, &q) == 0)
		answer_auth(r, c, m->request, &q.auth);
	else if (m->type == IPC_MAILBOX_LIST && record_decode(&ipc_mailbox_list_table, m->body, r->arena, &q) == 0)
		answer_list(r, c, m->request, &q.list);
	else if (m->type == IPC_MAILBOX_SYNC)
		reply(c, m->request, IPC_MAILBOX_OK, NULL, -1);
	else if (m->type == IPC_MAILBOX_CREATE)
		answer_create(r, c, m->request);
	else if (m->type == IPC_MAILBOX_COMMIT && record_decode(&ipc_mailbox_commit_table, m->body, r->arena, &q) == 0)
		answer_commit(r, c, m, &q.commit);
	else if (m->type == IPC_MAILBOX_RENAME && record_decode(&ipc_mailbox_rename_table, m->body, r->arena, &q) == 0)
		answer_rename(r, c, m->request, &q.rename);
	else if (record_decode(&ipc_mailbox_name_table, m->body, r->arena, &q) == 0)
		answer_name(r, c, m->type, m->request, &q.name);
}

static void on_session_closed(void *arg, struct ipc_channel *c)
{
	(void)arg;
	ipc_channel_free(c);
}

static void on_listener(void *arg, struct ipc_channel *c, struct ipc_message *m)
{
	struct rig *r = arg;
	(void)c;
	int fd = ipc_take_fd(m, 0);
	struct ipc_channel *s = fd >= 0 ? ipc_channel_new(fd) : NULL;
	if (m->type != IPC_SESSION_OPEN || !s || ipc_channel_attach(s, r->loop, on_request, on_session_closed, r) < 0)
		abort();
}

static void on_listener_closed(void *arg, struct ipc_channel *c)
{
	(void)c;
	loop_stop(((struct rig *)arg)->loop);
}

/* --- start ------------------------------------------------------------------------------------------------------------ */

/* Behind one another in the order of their names, in an empty mailbox. */
static void add_many(struct rig *r, int n)
{
	struct entry **last = &r->entries;
	char name[256];
	for (int i = 0; i < n; i++) {
		snprintf(name, sizeof name, "entry-%06d-%0200d.edi", i, i);
		*last = entry_new(r, IPC_FOLDER_OUT, slice_str(name), -1, (uint64_t)i);
		last = &(*last)->next;
	}
}

static void load(struct rig *r, const char *key_path)
{
	const char *many = getenv("SFTP_RIG_ENTRIES");
	if (many)
		add_many(r, atoi(many));
	struct van_buf text = VAN_BUF_INIT(0);
	if (file_read(key_path, &text) < 0)
		exit(2);
	struct slice rest = van_buf_slice(&text);
	slice_cut(&rest, ' ');
	if (base64_decode(&r->key, slice_cut(&rest, ' ')) < 0)
		exit(2);
	van_buf_free(&text);
	DIR *d = opendir(r->folder);
	for (struct dirent *e; d && (e = readdir(d));) {
		struct stat st;
		int fd = openat(dirfd(d), e->d_name, O_RDONLY | O_CLOEXEC);
		if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
			insert(r, entry_new(r, IPC_FOLDER_OUT, slice_str(e->d_name), fd, (uint64_t)st.st_size));
		else if (fd >= 0)
			close(fd);
	}
	closedir(d);
}

static int run_store(int fd, const char *key, const char *folder)
{
	struct rig r = {.folder = folder, .loop = loop_new(), .arena = van_arena_new(0)};
	log_setup("rig-store", LOG_LEVEL_INFO, LOG_FORMAT_KV);
	load(&r, key);
	struct ipc_channel *c = ipc_channel_new(fd);
	if (!c || !r.loop || ipc_channel_attach(c, r.loop, on_listener, on_listener_closed, &r) < 0)
		return 1;
	return loop_run(r.loop) < 0;
}

static int listen_on(int *port)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)*port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	socklen_t n = sizeof a;
	if (bind(fd, (struct sockaddr *)&a, sizeof a) < 0 || listen(fd, 128) < 0 || getsockname(fd, (struct sockaddr *)&a, &n) < 0)
		return -1;
	*port = ntohs(a.sin_port);
	return fd;
}

static int add_keys(struct sftpd_listener *l, char *paths)
{
	struct van_error e = {0};
	int rc = sftpd_listener_begin_keys(l);
	for (char *p = strtok(paths, ","); p && rc == 0; p = strtok(NULL, ",")) {
		int fd = open(p, O_RDONLY | O_CLOEXEC);
		rc = sftpd_listener_add_key(l, fd, p, &e);
		close(fd);
	}
	if (rc == 0)
		rc = sftpd_listener_use_keys(l, &e);
	if (rc < 0)
		fprintf(stderr, "%s\n", e.text);
	return rc;
}

static void on_store_closed(void *arg, struct ipc_channel *c)
{
	(void)c;
	sftpd_listener_set_store(arg, NULL);
}

static void on_nothing(void *arg, struct ipc_channel *c, struct ipc_message *m)
{
	(void)arg, (void)c, (void)m;
}

int main(int argc, char **argv)
{
	int pair[2], port = argc > 1 ? atoi(argv[1]) : 0;
	if (argc != 5 || ipc_pair(pair) < 0) {
		fprintf(stderr, "usage: sftp_rig PORT HOSTKEY[,HOSTKEY...] PUBLICKEY FOLDER\n");
		return 2;
	}
	pid_t store = fork();
	if (store == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(pair[0]);
		return run_store(pair[1], argv[3], argv[4]);
	}
	close(pair[1]);
	log_setup("sftp", LOG_LEVEL_INFO, LOG_FORMAT_KV);
	struct loop *loop = loop_new();
	struct sftpd_limits limits = sftpd_limits_default();
	limits.connections_per_address = limits.connections;
	if (getenv("SFTP_RIG_GRACE"))
		limits.login_grace = atoi(getenv("SFTP_RIG_GRACE")) * VAN_SECOND;
	if (getenv("SFTP_RIG_IDLE"))
		limits.idle = atoi(getenv("SFTP_RIG_IDLE")) * VAN_SECOND;
	if (getenv("SFTP_RIG_TOTAL"))
		limits.session = atoi(getenv("SFTP_RIG_TOTAL")) * VAN_SECOND;
	if (getenv("SFTP_RIG_SESSIONS"))
		limits.connections_per_address = (uint32_t)atoi(getenv("SFTP_RIG_SESSIONS"));
	if (getenv("SFTP_RIG_CONNECTIONS"))
		limits.connections = (uint32_t)atoi(getenv("SFTP_RIG_CONNECTIONS"));
	if (getenv("SFTP_RIG_LISTED"))
		limits.folder_entries = strtoull(getenv("SFTP_RIG_LISTED"), NULL, 10);
	if (getenv("SFTP_RIG_RESERVE"))
		limits.disk_reserve = strtoull(getenv("SFTP_RIG_RESERVE"), NULL, 10);
	struct van_error e = {0};
	struct sftpd_listener *l = sftpd_listener_new(loop, &limits, &e);
	struct ipc_channel *c = ipc_channel_new(pair[0]);
	if (!l || !c || ipc_channel_attach(c, loop, on_nothing, on_store_closed, l) < 0 || add_keys(l, argv[2]) < 0 ||
	    sftpd_listener_add_socket(l, listen_on(&port), 0) < 0)
		return 2;
	sftpd_listener_set_store(l, c);
	printf("store %d\nport %d\nready\n", (int)store, port);
	fflush(stdout);
	return loop_run(loop) < 0;
}
