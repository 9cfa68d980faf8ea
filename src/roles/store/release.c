/* Gives old log back to the disk, a file after the other, in a thread of its own: reading a file's worth takes a second or two. */
#include "roles/store/release.h"

#include "roles/store/store_role.h"

#include "base/log.h"
#include "partner/settings.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#define AFTER_START (2 * VAN_SECOND)
#define BETWEEN (VAN_SECOND)        /* two files: others want the disk, too */
#define EVERY (3600 * VAN_SECOND)

struct releasing {
	struct store_role *s;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool stop;
};

static bool stopped_after(struct releasing *r, van_time wait)
{
	van_time due = van_clock_monotonic() + wait;
	struct timespec until = {.tv_sec = due / VAN_SECOND, .tv_nsec = (long)(due % VAN_SECOND) * 1000};
	pthread_mutex_lock(&r->lock);
	while (!r->stop && pthread_cond_timedwait(&r->changed, &r->lock, &until) == 0)
		;
	bool stop = r->stop;
	pthread_mutex_unlock(&r->lock);
	return stop;
}

/* How long until the next look; 0: there is no use in one. */
static van_time look(const struct store_role *s)
{
	struct segments_released done;
	struct van_error err = {0};
	int rc = queue_release_log(s->queue, van_clock_now() - s->role->config->store.keep_log, &done, &err);
	if (done.bytes)
		log_event(LOG_LEVEL_INFO, "log-released", "bytes", log_u64(done.bytes), "files", log_u64(done.files), NULL);
	if (rc < 0 && rc != VAN_ESTATE) /* a backup is being made */
		log_event(LOG_LEVEL_WARNING, "log-not-released", "error", van_err_name(rc), "text", err.text, NULL);
	return rc == VAN_EVERSION ? 0 : rc > 0 ? BETWEEN : EVERY;
}

static void *release_main(void *arg)
{
	struct releasing *r = arg;
	van_time wait = AFTER_START;
	while (wait && !stopped_after(r, wait))
		wait = look(r->s);
	return NULL;
}

int release_start(struct store_role *s)
{
	struct releasing *r;
	pthread_condattr_t attr;
	if (!s->role->config->store.keep_log)
		return 0;
	if (!(r = calloc(1, sizeof *r)))
		return VAN_ENOMEM;
	r->s = s;
	pthread_mutex_init(&r->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&r->changed, &attr);
	pthread_condattr_destroy(&attr);
	int rc = pthread_create(&r->thread, NULL, release_main, r);
	if (rc) {
		free(r);
		return van_err_from_errno(rc);
	}
	s->releasing = r;
	return 0;
}

void release_free(struct store_role *s)
{
	struct releasing *r = s->releasing;
	if (!r)
		return;
	pthread_mutex_lock(&r->lock);
	r->stop = true;
	pthread_cond_signal(&r->changed);
	pthread_mutex_unlock(&r->lock);
	pthread_join(r->thread, NULL);
	pthread_cond_destroy(&r->changed);
	pthread_mutex_destroy(&r->lock);
	free(r);
	s->releasing = NULL;
}
