#include "roles/supervisor/keys.h"

#include "base/error.h"
#include "base/log.h"
#include "ipc/messages.h"
#include "roles/supervisor/files.h"

#include <unistd.h>

void keys_free(struct keys *k)
{
	van_buf_free(&k->wanted);
}

static void report(struct ipc_channel *store, const struct ipc_key *key, const char *text)
{
	struct ipc_key_status s = {.key_id = key->key_id, .error = slice_str(text)};
	log_event(LOG_LEVEL_ERROR, "key-unusable", "path", log_slice(key->path), "text", text, NULL);
	if (store)
		ipc_send(store, IPC_KEY_STATUS, 0, &ipc_key_status_table, &s, NULL, 0);
}

static void send_key(struct keys *k, const struct ipc_key *key, struct ipc_channel *keyd, struct ipc_channel *store)
{
	struct van_error e;
	int fd = files_open(key->path, "private key", &e);
	if (fd < 0) {
		report(store, key, e.text);
		return;
	}
	if (ipc_send(keyd, IPC_KEY_ADD, 0, &ipc_key_table, key, &fd, 1) == 0)
		k->pending++;
	close(fd);
}

static int send_list(struct keys *k, struct slice body, struct ipc_channel *keyd, struct ipc_channel *store)
{
	struct van_arena *arena = van_arena_new(0);
	struct ipc_keys_wanted w;
	int rc = arena ? record_decode(&ipc_keys_wanted_table, body, arena, &w) : VAN_ENOMEM;
	for (size_t i = 0; rc == 0 && i < w.keys.n; i++)
		send_key(k, RECORD_AT(w.keys, struct ipc_key, i), keyd, store);
	van_arena_free(arena);
	return rc;
}

void keys_want(struct keys *k, struct slice body, struct ipc_channel *keyd, struct ipc_channel *store)
{
	van_buf_reset(&k->wanted);
	van_buf_append_slice(&k->wanted, body);
	if (keyd)
		send_list(k, body, keyd, store);
}

int keys_send_all(struct keys *k, struct ipc_channel *keyd, struct ipc_channel *store)
{
	k->pending = 0; /* a fresh keyd owes nothing */
	return k->wanted.n ? send_list(k, van_buf_slice(&k->wanted), keyd, store) : 0;
}
