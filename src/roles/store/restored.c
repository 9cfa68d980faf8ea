/* A data folder that `vanctl restore` made: the original may have sent since what waits here, so nothing is sent, fetched or processed until an
 * operator says so: what is made takes control numbers, which the original may have used, and stands in mailboxes at once. The folder tells by the file "restored", a JSON object with the backup's point in time. */
#include "roles/store/restored.h"

#include "roles/store/control.h"
#include "roles/store/control_handlers.h"
#include "roles/store/store_role.h"

#include "base/fdio.h"
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <unistd.h>

#define FILE_NAME "restored"
#define FILE_MAX 4096

int restored_look(struct store_role *s, int data)
{
	struct van_buf text = VAN_BUF_INIT(FILE_MAX);
	int fd = openat(data, FILE_NAME, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return errno == ENOENT ? 0 : van_err_from_errno(errno);
	/* Whatever it holds: that it is there counts. */
	json_t *json = fd_read_file(fd, &text) == 0 ? json_loadb(text.p ? text.p : "", text.n, 0, NULL) : NULL;
	const char *point = json_string_value(json_object_get(json, "point"));
	snprintf(s->restored, sizeof s->restored, "%s", point ? point : "unknown");
	atomic_store(&s->sending_held, true);
	log_event(LOG_LEVEL_WARNING, "sending-held", "backup", s->restored, "text",
		  "restored from a backup: look at vanctl queue list, then vanctl queue resume", NULL);
	json_decref(json);
	van_buf_free(&text);
	close(fd);
	return 0;
}

int control_queue_resume(struct control_call *c)
{
	if (!atomic_load(&c->role->sending_held))
		return control_say(c, 1, "nothing is held back: only after a restore are deliveries held until `queue resume`");
	struct slice text = van_arena_printf(c->arena, "let deliveries go on, after the restore of the backup of %s", c->role->restored);
	int rc = text.p ? queue_note(c->work, c->actor, text) : VAN_ENOMEM;
	return rc < 0 ? control_refuse(c, rc, &c->work->err) : 0;
}

/* The loop looks at what waits when it hears of the commit. */
void control_queue_resumed(struct control_call *c, struct directory *d)
{
	struct role_file *data = role_file(c->role->role, "data", 0);
	(void)d;
	if (unlinkat(data->fd, FILE_NAME, 0) || fsync(data->fd))
		log_event(LOG_LEVEL_WARNING, "restored-not-removed", "error", van_err_name(van_err_from_errno(errno)), NULL);
	atomic_store(&c->role->sending_held, false);
}
