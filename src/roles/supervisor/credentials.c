#include "roles/supervisor/credentials.h"

#include "base/error.h"
#include "base/log.h"
#include "ipc/messages.h"
#include "roles/supervisor/files.h"

#include <unistd.h>

void credentials_free(struct credentials *c)
{
	van_buf_free(&c->wanted);
}

static int send_file(struct ipc_channel *deliver, size_t index, struct slice path)
{
	struct van_error e;
	struct ipc_role_thing t = {.name = SLICE("credential"), .index = index, .path = path};
	int fd = files_open(path, "credential", &e);
	if (fd < 0) {
		log_event(LOG_LEVEL_ERROR, "credential-unusable", "path", log_slice(path), "text", e.text, NULL);
		return 0;
	}
	int rc = ipc_send(deliver, IPC_ROLE_FILE, 0, &ipc_role_thing_table, &t, &fd, 1);
	close(fd);
	return rc;
}

int credentials_send(struct credentials *c, struct ipc_channel *deliver)
{
	struct van_arena *arena = van_arena_new(0);
	struct ipc_credentials_wanted w = {.paths = {NULL, 0}};
	int rc = !arena ? VAN_ENOMEM : c->wanted.n ? record_decode(&ipc_credentials_wanted_table, van_buf_slice(&c->wanted), arena, &w) : 0;
	for (size_t i = 0; rc == 0 && i < w.paths.n; i++)
		rc = send_file(deliver, i, w.paths.v[i]);
	van_arena_free(arena);
	return rc;
}

void credentials_want(struct credentials *c, struct slice body, struct ipc_channel *deliver)
{
	van_buf_reset(&c->wanted);
	van_buf_append_slice(&c->wanted, body);
	if (deliver && credentials_send(c, deliver) < 0)
		log_event(LOG_LEVEL_ERROR, "credentials-not-sent", NULL);
}
