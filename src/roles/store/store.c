/* The store role: start, peers, messages. */
#include "roles/store/store_role.h"

#include "roles/store/bans.h"
#include "roles/store/maps.h"
#include "roles/store/polls.h"
#include "roles/store/release.h"
#include "roles/store/restored.h"
#include "roles/store/throttles.h"
#include "roles/store/tidy.h"

#include "base/log.h"
#include "partner/settings.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define ARENA_MAX ((size_t)256 << 20)
#define SWEEP_MARGIN (3600 * VAN_SECOND)

/* --- reading ---------------------------------------------------------------------------------------------------------------- */

int store_read_begin(struct store_role *s, struct van_arena *arena, struct store_read *ret)
{
	int rc = store_begin(s->store, STORE_READ, &ret->txn, NULL);
	if (rc < 0)
		return rc;
	pthread_rwlock_rdlock(&s->directory_lock);
	queue_work_begin(&ret->work, s->queue, ret->txn, arena, van_clock_now(), s->directory);
	return 0;
}

void store_read_end(struct store_role *s, struct store_read *r)
{
	queue_work_end(&r->work);
	pthread_rwlock_unlock(&s->directory_lock);
	store_abort(r->txn);
}

bool store_has_room(struct store_role *s)
{
	uint64_t room;
	return payload_room(s->payload, &room) < 0 || room >= s->role->config->limits.disk_reserve;
}

/* --- messages of peers ------------------------------------------------------------------------------------------------------ */

static void on_worker_message(void *arg, struct ipc_channel *c, struct ipc_message *m)
{
	struct peer_worker *w = arg;
	struct store_role *s = w->s;
	van_arena_reset(s->arena);
	switch (m->type) {
	case IPC_AS2_ACCEPT: receive_accept(s, w, m); return;
	case IPC_LOOKUP: receive_lookup(s, c, m); return;
	case IPC_MAPS: maps_wanted(s, c, m); return;
	case IPC_MDN_POSTED: deliveries_mdn_posted(s, m); return;
	default: jobs_on_message(s, w, m);
	}
}

static void on_worker_closed(void *arg, struct ipc_channel *c)
{
	struct peer_worker *w = arg;
	w->channel = NULL;
	ipc_channel_free(c);
	jobs_worker_gone(w->s, w);
}

static struct peer_worker *find_worker(struct store_role *s, bool jobs, uint64_t index)
{
	for (size_t i = 0; i < s->nworkers; i++)
		if (s->workers[i]->jobs == jobs && s->workers[i]->index == index)
			return s->workers[i];
	struct peer_worker **v = realloc(s->workers, (s->nworkers + 1) * sizeof *v);
	if (!v)
		return NULL;
	s->workers = v;
	struct peer_worker *w = calloc(1, sizeof *w);
	if (!w)
		return NULL;
	*w = (struct peer_worker){.s = s, .index = index, .jobs = jobs};
	return v[s->nworkers++] = w;
}

static struct ipc_channel *attach(struct store_role *s, int fd, ipc_message_fn *on_message, ipc_closed_fn *on_closed, void *arg)
{
	struct ipc_channel *c = ipc_channel_new(fd);
	if (!c) {
		close(fd);
		return NULL;
	}
	if (ipc_channel_attach(c, s->role->loop, on_message, on_closed, arg) < 0) {
		ipc_channel_free(c);
		return NULL;
	}
	return c;
}

static void add_worker(struct store_role *s, bool jobs, struct role_peer *p, int fd)
{
	struct peer_worker *w = find_worker(s, jobs, p->index);
	if (!w) {
		close(fd);
		return;
	}
	if (w->channel) /* replaced before its end was seen: what it had finished counts, and only the job it was at is to blame */
		ipc_channel_drain(w->channel);
	if (w->channel) {
		ipc_channel_free(w->channel);
		w->channel = NULL;
		jobs_worker_gone(s, w);
	}
	w->channel = attach(s, fd, on_worker_message, on_worker_closed, w);
	jobs_dispatch(s);
}

static void on_peer_message(void *arg, struct ipc_channel *c, struct ipc_message *m)
{
	struct store_role *s = arg;
	van_arena_reset(s->arena);
	if (c == s->sftp && m->type == IPC_SESSION_OPEN)
		sessions_open(s, m);
	else if (c == s->keyd && m->type == IPC_CHECKPOINT_SIGNED)
		checkpoints_signed(s, m);
	else if (c == s->http && m->type == IPC_LOOKUP)
		receive_lookup(s, c, m);
	else if (c == s->deliver && m->type == IPC_DELIVERED)
		deliveries_delivered(s, m);
	else if (c == s->web && m->type == IPC_CONTROL)
		control_on_message(s, c, m, SLICE("web"));
	else
		log_event(LOG_LEVEL_WARNING, "message-unexpected", "type", log_u64(m->type), NULL);
}

static void on_peer_closed(void *arg, struct ipc_channel *c)
{
	struct store_role *s = arg;
	bool deliver = c == s->deliver;
	struct ipc_channel **slots[] = {&s->http, &s->keyd, &s->sftp, &s->deliver, &s->web};
	for (size_t i = 0; i < sizeof slots / sizeof *slots; i++)
		if (*slots[i] == c)
			*slots[i] = NULL;
	control_channel_gone(s, c);
	ipc_channel_free(c);
	if (deliver)
		deliveries_channel_gone(s);
}

static void on_peer(void *arg, struct role_peer *p)
{
	struct store_role *s = arg;
	const struct {
		const char *name;
		struct ipc_channel **slot;
	} slots[] = {{"http", &s->http}, {"keyd", &s->keyd}, {"sftp", &s->sftp}, {"deliver", &s->deliver}, {"web", &s->web}};
	int fd = p->fd;
	p->fd = -1;
	if (strcmp(p->name, "receive-worker") == 0 || strcmp(p->name, "job-worker") == 0) {
		add_worker(s, p->name[0] == 'j', p, fd);
		return;
	}
	for (size_t i = 0; i < sizeof slots / sizeof *slots; i++) {
		if (strcmp(p->name, slots[i].name) != 0)
			continue;
		if (*slots[i].slot)
			on_peer_closed(s, *slots[i].slot);
		*slots[i].slot = attach(s, fd, on_peer_message, on_peer_closed, s);
		if (slots[i].slot == &s->http)
			s->http_started++;
		if (slots[i].slot == &s->keyd)
			checkpoints_keyd_changed(s);
		if (slots[i].slot == &s->deliver && s->deliveries)
			deliveries_look(s);
		if (slots[i].slot == &s->sftp)
			bans_tell_listener(s);
		return;
	}
	log_event(LOG_LEVEL_WARNING, "peer-unknown", "name", p->name, NULL);
	close(fd);
}

static void on_supervisor_message(void *arg, struct ipc_message *m)
{
	struct store_role *s = arg;
	van_arena_reset(s->arena);
	if (m->type == IPC_STATUS_REPLY)
		control_status_reply(s, m);
	else if (m->type == IPC_KEY_STATUS)
		keys_status(s, m);
}

void store_directory_changed(struct store_role *s)
{
	s->generation++;
	for (size_t i = 0; i < s->nworkers; i++)
		if (s->workers[i]->channel)
			ipc_send(s->workers[i]->channel, IPC_DIRECTORY_CHANGED, 0, NULL, NULL, NULL, 0);
	s->keys_awaited += keys_wanted_send(s);
	credentials_wanted_send(s);
	sessions_check(s);
	bans_reload(s); /* they change the same way */
	polls_look(s);
	maps_look(s);
}

/* --- start ------------------------------------------------------------------------------------------------------------------ */

static int failed(const char *what, const struct van_error *err, int rc)
{
	log_event(LOG_LEVEL_ERROR, "store-start-failed", "step", what, "error", van_err_name(rc), "text",
		  err && err->text[0] ? err->text : NULL, NULL);
	return rc;
}

/* What the log has and the database has not is repeated at the start, which takes room. */
static int database_failed(const struct van_error *err, int rc)
{
	struct van_error full;
	if (rc != VAN_ENOSPC)
		return failed("database", err, rc);
	van_error_set(&full, VAN_ENOSPC, "%.300s: nothing is lost, and vand goes on by itself as soon as there is room", err->text);
	return failed("database", &full, rc);
}

static int open_database(struct store_role *s, int data)
{
	struct van_error err = {0};
	const struct van_config *c = s->role->config;
	if (mkdirat(data, "store", 0700) < 0 && errno != EEXIST)
		return failed("folder", NULL, van_err_from_errno(errno));
	int dir = openat(data, "store", O_DIRECTORY | O_RDONLY | O_CLOEXEC);
	if (dir < 0)
		return failed("folder", NULL, van_err_from_errno(errno));
	struct store_options o = {.dirfd = dir, .map_size = c->store.map_size, .map_growth = c->store.map_growth};
	int rc = store_open(&o, &s->store, &err);
	close(dir);
	if (rc == 0)
		rc = receipts_open(s->store, c->network.host, &s->receipts, &err);
	if (rc == 0)
		rc = payload_dir_open(data, &s->payload, &err);
	if (rc == 0)
		rc = queue_open(s->store, s->receipts, s->payload, data, &s->queue, &err);
	if (rc == 0)
		rc = queue_set_zone(s->queue, c->time_zone);
	if (rc == 0)
		queue_set_as2_window(s->queue, c->as2.duplicate_window);
	if (rc == 0 && queue_repeated(s->queue)) /* of a crash, or of an older database */
		log_event(LOG_LEVEL_INFO, "commits-repeated", "commits", log_u64(queue_repeated(s->queue)), NULL);
	if (rc == 0 && queue_unreferenced(s->queue)) /* of a crash; much of it: of a newer store */
		log_event(LOG_LEVEL_WARNING, "segment-bytes-unreferenced", "bytes", log_u64(queue_unreferenced(s->queue)), NULL);
	return rc < 0 ? database_failed(&err, rc) : 0;
}

static bool file_wanted(void *arg, struct slice id, struct slice part)
{
	return queue_part_is_file(arg, id, part);
}

static int newest(void *arg, const struct queue_message *m)
{
	*(van_time *)arg = m->time;
	return 1;
}

static int oldest_job(void *arg, struct slice message, const struct queue_job *j)
{
	struct queue_message m;
	struct queue_work *w = ((void **)arg)[0];
	van_time *since = ((void **)arg)[1];
	(void)j;
	if (queue_message_get(w, message, &m) == 0 && m.time < *since)
		*since = m.time;
	return 1;
}

/* Orphans are named by messages that were being made when vand ended: about as new as the newest, or of a waiting job. */
static van_time sweep_since(struct queue_work *w)
{
	struct queue_filter f = QUEUE_FILTER_ANY;
	van_time since = 0;
	void *arg[] = {w, &since};
	f.limit = 1;
	queue_message_list(w, &f, newest, &since);
	queue_jobs(w, oldest_job, arg);
	return since > SWEEP_MARGIN ? since - SWEEP_MARGIN : 0;
}

/* A crash between linking a file and the commit leaves it without a record. */
static int sweep(struct store_role *s, struct store_read *r)
{
	uint64_t aside = 0;
	struct van_error err = {0};
	int rc = payload_sweep(s->payload, sweep_since(&r->work), file_wanted, &r->work, &aside, &err);
	if (rc < 0)
		return failed("sweep", &err, rc);
	if (aside)
		log_event(LOG_LEVEL_WARNING, "payload-files-unreferenced", "files", log_u64(aside), "folder", "payload/unreferenced", NULL);
	return 0;
}

static int load(struct store_role *s)
{
	struct store_read r;
	int rc = store_read_begin(s, s->arena, &r);
	if (rc < 0)
		return failed("database", NULL, rc);
	rc = queue_profiles_load(&r.work, s->directory);
	if (rc < 0)
		failed("profiles", &r.work.err, rc);
	if (rc == 0)
		rc = sweep(s, &r);
	store_read_end(s, &r);
	return rc;
}

static int start(struct store_role *s)
{
	struct role_file *data = role_file(s->role, "data", 0);
	s->arena = van_arena_new(ARENA_MAX);
	s->directory = directory_new();
	if (!s->arena || !s->directory)
		return failed("memory", NULL, VAN_ENOMEM);
	if (!data)
		return failed("data folder", NULL, VAN_EINVAL);
	int rc = open_database(s, data->fd);
	if (rc == 0)
		rc = restored_look(s, data->fd);
	if (rc == 0)
		rc = load(s);
	if (rc < 0)
		return rc;
	struct writer_options o = {.loop = s->role->loop, .queue = s->queue, .store = s->store, .directory = s->directory,
				   .directory_lock = &s->directory_lock, .gather = s->role->config->store.gather,
				   .settle = s->role->config->store.settle, .settle_bytes = (size_t)s->role->config->store.settle_bytes};
	rc = writer_new(&o, &s->writer);
	if (rc == 0)
		rc = maps_start(s);
	if (rc == 0)
		rc = jobs_start(s);
	if (rc == 0)
		rc = deliveries_start(s);
	if (rc == 0)
		rc = checkpoints_start(s);
	if (rc == 0)
		rc = overdue_start(s);
	if (rc == 0)
		rc = bans_start(s);
	if (rc == 0)
		rc = tidy_start(s);
	if (rc == 0)
		rc = polls_start(s);
	if (rc == 0)
		rc = control_start(s);
	if (rc == 0)
		rc = release_start(s);
	return rc < 0 ? failed("start", NULL, rc) : 0;
}

static void on_stop(void *arg)
{
	struct store_role *s = arg;
	s->stopping = true;
	writer_stop(s->writer); /* what waits is written and answered */
	loop_stop(s->role->loop);
}

static void finish(struct store_role *s)
{
	release_free(s);
	control_free(s);
	sessions_free(s);
	polls_free(s);
	throttles_free(s);
	tidy_free(s);
	bans_free(s);
	overdue_free(s);
	checkpoints_free(s);
	deliveries_free(s);
	maps_free(s);
	jobs_free(s);
	keys_forget(s);
	for (size_t i = 0; i < s->nworkers; i++) {
		ipc_channel_free(s->workers[i]->channel);
		free(s->workers[i]->ahead);
		free(s->workers[i]);
	}
	free(s->workers);
	ipc_channel_free(s->http);
	ipc_channel_free(s->keyd);
	ipc_channel_free(s->sftp);
	ipc_channel_free(s->deliver);
	ipc_channel_free(s->web);
	writer_free(s->writer);
	queue_close(s->queue);
	payload_dir_close(s->payload);
	receipts_close(s->receipts);
	store_close(s->store);
	directory_free(s->directory);
	van_arena_free(s->arena);
	pthread_rwlock_destroy(&s->directory_lock);
}

/* Each batch needs about as much memory as the one before: it is not given back to the system in between. */
static void keep_memory(void)
{
	mallopt(M_TRIM_THRESHOLD, 128 << 20);
	mallopt(M_MMAP_THRESHOLD, 8 << 20);
	mallopt(M_TOP_PAD, 1 << 20);
}

/* Everything that came was served and answered: now the jobs that it made. */
static void before_wait(void *arg)
{
	struct store_role *s = arg;
	writer_serve(s->writer);
	jobs_dispatch_added(s);
	van_time t = writer_rest(s->writer);
	if (t)
		nanosleep(&(struct timespec){.tv_nsec = t * 1000}, NULL);
}

int role_store(struct role *r)
{
	struct store_role s = {.role = r, .control_listener = -1, .generation = (uint64_t)van_clock_now()};
	keep_memory();
	pthread_rwlock_init(&s.directory_lock, NULL);
	int rc = start(&s);
	if (rc == 0) {
		struct role_handlers h = {.on_peer = on_peer, .on_stop = on_stop, .on_message = on_supervisor_message, .arg = &s};
		rc = role_attach(r, &h);
	}
	for (size_t i = 0; rc == 0 && i < r->npeers; i++)
		on_peer(&s, &r->peers[i]);
	if (rc == 0) {
		keys_wanted_send(&s);
		credentials_wanted_send(&s);
		role_ready(r);
		loop_set_before_wait(r->loop, before_wait, &s);
		rc = loop_run(r->loop);
	}
	if (s.writer && !s.stopping) {
		s.stopping = true;
		writer_stop(s.writer);
	}
	finish(&s);
	return rc < 0;
}
