/* keyd: the only holder of private S/MIME keys and of the receipt log's key. It answers three requests of bounded size
 * and never sees a document. One thread for each core waits on all channels: RSA is nearly all the work of a message. */
#include "base/fault.h"
#include "base/log.h"
#include "cms/algorithm.h"
#include "roles/keyd/keyring.h"
#include "roles/role.h"
#include "roles/sandbox.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#define ARENA_MAX ((size_t)1 << 20)

struct keyd {
	struct role *role;
	struct keyring *ring;
	int epoll;
};

/* One peer's channel; served by one thread at a time (EPOLLONESHOT). */
struct client {
	struct keyd *keyd;
	struct ipc_channel *channel;
	bool is_store;
};

static int answer_unwrap(struct client *c, struct ipc_message *m, struct van_arena *arena)
{
	struct ipc_unwrap u;
	unsigned char key[CIPHER_KEY_MAX];
	int rc = record_decode(&ipc_unwrap_table, m->body, arena, &u);
	if (rc == 0)
		rc = keyring_unwrap(c->keyd->ring, &u, key);
	if (rc < 0 && rc != VAN_ENOTFOUND)
		return rc;
	struct ipc_unwrapped reply = {.key = slice_make(key, rc == 0 ? u.expected : 0)};
	rc = ipc_send(c->channel, IPC_UNWRAPPED, m->request, &ipc_unwrapped_table, &reply, NULL, 0);
	OPENSSL_cleanse(key, sizeof key);
	return rc;
}

static int answer_sign(struct client *c, struct ipc_message *m, struct van_arena *arena)
{
	struct ipc_sign s;
	struct van_error e = {0};
	struct van_buf der = VAN_BUF_INIT(65536);
	int rc = record_decode(&ipc_sign_table, m->body, arena, &s);
	if (rc < 0)
		return rc;
	van_fault_point("keyd-before-sign");
	rc = keyring_sign(c->keyd->ring, &s, &der, &e);
	struct ipc_signed reply = {.ok = rc == 0};
	if (rc == 0)
		reply.der = van_buf_slice(&der);
	else
		reply.error = slice_str(e.text[0] ? e.text : van_err_name(rc));
	rc = ipc_send(c->channel, IPC_SIGNED, m->request, &ipc_signed_table, &reply, NULL, 0);
	van_buf_free(&der);
	return rc;
}

static int answer_checkpoint(struct client *c, struct ipc_message *m, struct van_arena *arena)
{
	struct ipc_checkpoint request;
	struct van_error e = {0};
	unsigned char signature[64], public_key[32];
	if (!c->is_store)
		return VAN_EDENIED;
	int rc = record_decode(&ipc_checkpoint_table, m->body, arena, &request);
	if (rc < 0)
		return rc;
	rc = keyring_checkpoint(c->keyd->ring, &request, signature, public_key, &e);
	struct ipc_checkpoint_signed reply = {.ok = rc == 0};
	if (rc == 0) {
		reply.signature = slice_make(signature, sizeof signature);
		reply.public_key = slice_make(public_key, sizeof public_key);
	} else {
		reply.error = slice_str(e.text[0] ? e.text : van_err_name(rc));
		reply.signed_size = keyring_signed_size(c->keyd->ring, request.origin);
	}
	return ipc_send(c->channel, IPC_CHECKPOINT_SIGNED, m->request, &ipc_checkpoint_signed_table, &reply, NULL, 0);
}

/* One request. Negative: the channel is closed or its peer broke the rules; it is dropped. */
static int serve(struct client *c, struct van_arena *arena)
{
	struct ipc_message m;
	int rc = ipc_receive(c->channel, 0, &m);
	if (rc < 0)
		return rc == VAN_ETIMEOUT ? 0 : rc;
	for (size_t i = 0; i < m.nfds; i++)
		close(m.fds[i]);
	van_arena_reset(arena);
	switch (m.type) {
	case IPC_UNWRAP: return answer_unwrap(c, &m, arena);
	case IPC_SIGN: return answer_sign(c, &m, arena);
	case IPC_CHECKPOINT: return answer_checkpoint(c, &m, arena);
	default: return VAN_EDENIED;
	}
}

static void *run_thread(void *arg)
{
	struct keyd *k = arg;
	struct van_arena *arena = van_arena_new(ARENA_MAX);
	while (arena) {
		struct epoll_event e;
		int n = epoll_wait(k->epoll, &e, 1, -1);
		if (n < 0 && errno != EINTR)
			break;
		if (n <= 0)
			continue;
		struct client *c = e.data.ptr;
		if (serve(c, arena) < 0) {
			epoll_ctl(k->epoll, EPOLL_CTL_DEL, ipc_channel_fd(c->channel), NULL);
			ipc_channel_free(c->channel);
			free(c);
			continue;
		}
		e.events = EPOLLIN | EPOLLONESHOT;
		epoll_ctl(k->epoll, EPOLL_CTL_MOD, ipc_channel_fd(c->channel), &e);
	}
	van_arena_free(arena);
	return NULL;
}

static void add_client(struct keyd *k, int fd, const char *name)
{
	struct client *c = calloc(1, sizeof *c);
	struct ipc_channel *channel = c ? ipc_channel_new(fd) : NULL;
	if (!channel) {
		free(c);
		close(fd);
		return;
	}
	*c = (struct client){k, channel, strcmp(name, "store") == 0};
	struct epoll_event e = {.events = EPOLLIN | EPOLLONESHOT, .data.ptr = c};
	if (epoll_ctl(k->epoll, EPOLL_CTL_ADD, fd, &e) < 0) {
		ipc_channel_free(channel);
		free(c);
	}
}

static void on_peer(void *arg, struct role_peer *peer)
{
	add_client(arg, peer->fd, peer->name);
	peer->fd = -1;
}

static void on_key_add(struct keyd *k, struct ipc_message *m)
{
	struct van_arena *arena = van_arena_new(ARENA_MAX);
	struct ipc_key key;
	struct van_error e = {0};
	int fd = ipc_take_fd(m, 0);
	if (arena && fd >= 0 && record_decode(&ipc_key_table, m->body, arena, &key) == 0) {
		int rc = keyring_add(k->ring, &key, fd, &e);
		struct ipc_key_status s = {.key_id = key.key_id, .ok = rc == 0, .error = rc < 0 ? slice_str(e.text) : SLICE_NONE};
		log_event(rc < 0 ? LOG_LEVEL_ERROR : LOG_LEVEL_INFO, rc < 0 ? "key-refused" : "key-loaded", "key_id", log_slice(key.key_id),
			  "path", log_slice(key.path), "text", rc < 0 ? e.text : NULL, NULL);
		ipc_send(k->role->supervisor, IPC_KEY_STATUS, 0, &ipc_key_status_table, &s, NULL, 0);
	}
	if (fd >= 0)
		close(fd);
	van_arena_free(arena);
}

static void on_message(void *arg, struct ipc_message *m)
{
	if (m->type == IPC_KEY_ADD)
		on_key_add(arg, m);
}

static void load_receipt_key(void *arg)
{
	struct keyd *k = arg;
	struct van_error e = {0};
	struct role_file *f = role_file(k->role, "receipt-key", 0);
	int rc = f && f->fd >= 0 ? keyring_set_receipt_key(k->ring, f->fd, &e) : 0;
	if (rc < 0)
		log_event(LOG_LEVEL_ERROR, "receipt-key-refused", "path", f->path, "text", e.text, NULL);
	if (f && f->fd >= 0) {
		close(f->fd);
		f->fd = -1;
	}
}

static int start_threads(struct keyd *k)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	for (long i = 0; i < (cores > 0 ? cores : 1); i++) {
		pthread_t t;
		if (pthread_create(&t, NULL, run_thread, k) != 0)
			return VAN_EAGAIN;
		pthread_detach(t);
	}
	return 0;
}

int role_keyd(struct role *r)
{
	struct keyd k = {.role = r, .ring = keyring_new(), .epoll = epoll_create1(EPOLL_CLOEXEC)};
	const struct role_handlers handlers = {.on_peer = on_peer, .on_reload = load_receipt_key, .on_message = on_message, .arg = &k};
	if (!k.ring || k.epoll < 0)
		return 1;
	load_receipt_key(&k);
	for (size_t i = 0; i < r->npeers; i++) {
		add_client(&k, r->peers[i].fd, r->peers[i].name);
		r->peers[i].fd = -1;
	}
	if (role_attach(r, &handlers) < 0 || sandbox_enter(SANDBOX_KEYD, 0) < 0 || start_threads(&k) < 0)
		return 1;
	role_ready(r);
	loop_run(r->loop);
	_exit(0); /* threads may be in the middle of a request: no orderly end of the key ring under them */
}
