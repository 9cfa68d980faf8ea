#include "roles/store/throttles.h"

#include "ipc/throttle.h"

#include <stdlib.h>
#include <unistd.h>

struct throttles {
	struct throttles *next;
	int fd;
	size_t n;
	char connection[]; /* n bytes */
};

int throttles_get(struct store_role *s, struct slice connection)
{
	for (struct throttles *t = s->throttles; t; t = t->next)
		if (slice_eq(connection, slice_make(t->connection, t->n)))
			return t->fd;
	struct throttles *t = malloc(sizeof *t + connection.n);
	if (!t)
		return VAN_ENOMEM;
	t->fd = throttle_create();
	if (t->fd < 0) {
		int rc = t->fd;
		free(t);
		return rc;
	}
	t->n = connection.n;
	memcpy(t->connection, connection.p, connection.n);
	t->next = s->throttles;
	s->throttles = t;
	return t->fd;
}

void throttles_free(struct store_role *s)
{
	while (s->throttles) {
		struct throttles *t = s->throttles;
		s->throttles = t->next;
		close(t->fd);
		free(t);
	}
}
