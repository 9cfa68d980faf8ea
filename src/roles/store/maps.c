#include "roles/store/maps.h"

#include "base/fdio.h"
#include "base/log.h"
#include "queue/sheets.h"

#include <stdlib.h>
#include <unistd.h>

#define SHEETS_MAX ((size_t)1 << 30)
#define TRIES_MAX 2

struct maps {
	uint64_t generation, made; /* of `file` */
	int file;
	uint64_t pins; /* of agreements, mixed */
	struct trial *first, **last;
};

struct trial {
	struct trial *next;
	trial_fn *fn;
	void *arg;
	int file; /* struct ipc_sheet_samples */
	unsigned tries;
};

/* --- versions that agreements name ---------------------------------------------------------------------------------------------- */

struct pins {
	uint64_t v[64]; /* different versions; past that: all versions are handed out */
	size_t n;
	uint64_t mixed;
};

static int add_pin(void *arg, const struct profile *p)
{
	struct pins *all = arg;
	uint64_t version = p->agreement->output ? profile_map_version(p->agreement->output) : PROFILE_MAP_ACTIVE;
	if (version == PROFILE_MAP_ACTIVE)
		return 0;
	for (size_t i = 0; i < all->n && i < sizeof all->v / sizeof *all->v; i++)
		if (all->v[i] == version)
			return 0;
	if (all->n < sizeof all->v / sizeof *all->v)
		all->v[all->n] = version;
	all->n++;
	all->mixed = (all->mixed ^ version) * 1099511628211u;
	return 0;
}

static struct pins pins_of(const struct directory *d)
{
	struct pins all = {.mixed = 1469598103934665603u};
	directory_each(d, PROFILE_AGREEMENT, add_pin, &all);
	return all;
}

static bool pinned(const struct pins *all, uint64_t version)
{
	if (all->n > sizeof all->v / sizeof *all->v)
		return true;
	for (size_t i = 0; i < all->n; i++)
		if (all->v[i] == version)
			return true;
	return false;
}

/* --- what is in force ------------------------------------------------------------------------------------------------------------ */

struct listing {
	struct queue_work *w;
	struct pins pins;
	struct ipc_sheet *v;
	size_t n, room;
	uint64_t active; /* of the sheet at hand */
};

static int add_version(void *arg, const struct queue_sheet_version *v)
{
	struct listing *l = arg;
	bool active = v->version == l->active;
	if (!active && !pinned(&l->pins, v->version))
		return 0;
	if (l->n == l->room) {
		size_t room = l->room ? 2 * l->room : 64;
		struct ipc_sheet *more = van_arena_array(l->w->arena, room, sizeof *more);
		if (!more)
			return VAN_ENOMEM;
		if (l->n)
			memcpy(more, l->v, l->n * sizeof *more);
		l->v = more;
		l->room = room;
	}
	l->v[l->n++] = (struct ipc_sheet){.name = v->name, .version = v->version, .active = active, .text = v->text};
	return 0;
}

static int add_sheet(void *arg, const struct queue_sheet *s)
{
	struct listing *l = arg;
	struct queue_sheet_version v;
	l->active = s->active;
	if (l->pins.n)
		return queue_sheet_versions(l->w, s->name, add_version, l);
	if (s->active == QUEUE_SHEET_SHIPPED)
		return 0;
	int rc = queue_sheet_version_get(l->w, s->name, s->active, &v);
	return rc < 0 ? rc : add_version(l, &v);
}

int maps_file(struct queue_work *w)
{
	struct listing l = {.w = w, .pins = pins_of(w->directory)};
	struct van_buf text = VAN_BUF_INIT(SHEETS_MAX);
	int rc = queue_sheets(w, add_sheet, &l);
	struct ipc_sheets all = {.sheets = {l.v, l.n}};
	if (rc == 0)
		rc = record_encode(&ipc_sheets_table, &all, &text);
	if (rc == 0)
		rc = memfd_with("maps", text.p ? text.p : "", text.n);
	van_buf_free(&text);
	return rc;
}

/* Made anew when something has changed since. */
static int refresh(struct store_role *s)
{
	struct maps *m = s->maps;
	struct store_read r;
	if (m->file >= 0 && m->made == m->generation)
		return 0;
	int rc = store_read_begin(s, s->arena, &r);
	if (rc < 0)
		return rc;
	int file = maps_file(&r.work);
	store_read_end(s, &r);
	if (file < 0)
		return file;
	if (m->file >= 0)
		close(m->file);
	m->file = file;
	m->made = m->generation;
	return 0;
}

void maps_wanted(struct store_role *s, struct ipc_channel *to, struct ipc_message *m)
{
	int rc = refresh(s);
	struct ipc_maps_reply reply = {.generation = rc < 0 ? 0 : s->maps->generation};
	if (rc < 0)
		log_event(LOG_LEVEL_ERROR, "maps-unreadable", "error", van_err_name(rc), NULL);
	ipc_send(to, IPC_MAPS_REPLY, m->request, &ipc_maps_reply_table, &reply, rc < 0 ? NULL : &s->maps->file, rc == 0);
}

uint64_t maps_generation(const struct store_role *s)
{
	return s->maps->generation;
}

void maps_changed(struct store_role *s)
{
	s->maps->generation++;
}

void maps_look(struct store_role *s)
{
	pthread_rwlock_rdlock(&s->directory_lock);
	struct pins now = pins_of(s->directory);
	pthread_rwlock_unlock(&s->directory_lock);
	if (now.mixed != s->maps->pins)
		s->maps->generation++;
	s->maps->pins = now.mixed;
}

int maps_start(struct store_role *s)
{
	struct maps *m = s->maps = calloc(1, sizeof *m);
	if (!m)
		return VAN_ENOMEM;
	*m = (struct maps){.generation = (uint64_t)van_clock_now(), .file = -1, .pins = pins_of(s->directory).mixed, .last = &m->first};
	return 0;
}

/* --- trials ------------------------------------------------------------------------------------------------------------------------ */

static void trial_end(struct trial *t, bool ok, struct slice error)
{
	t->fn(t->arg, ok, error);
	close(t->file);
	free(t);
}

static void trial_wait(struct store_role *s, struct trial *t)
{
	t->next = NULL;
	*s->maps->last = t;
	s->maps->last = &t->next;
	jobs_dispatch(s);
}

int maps_try(struct store_role *s, const struct ipc_sheet_samples *sheet, trial_fn *fn, void *arg)
{
	struct van_buf text = VAN_BUF_INIT(SHEETS_MAX);
	struct trial *t = calloc(1, sizeof *t);
	int rc = t ? record_encode(&ipc_sheet_samples_table, sheet, &text) : VAN_ENOMEM;
	if (rc == 0)
		rc = memfd_with("trial", text.p, text.n);
	van_buf_free(&text);
	if (rc < 0) {
		free(t);
		return rc;
	}
	*t = (struct trial){.fn = fn, .arg = arg, .file = rc};
	trial_wait(s, t);
	return 0;
}

bool maps_give(struct store_role *s, struct peer_worker *w)
{
	struct maps *m = s->maps;
	struct trial *t = m->first;
	if (!t)
		return false;
	m->first = t->next;
	if (!m->first)
		m->last = &m->first;
	struct ipc_map_trial trial = {.maps = m->generation};
	t->tries++;
	w->task = WORKER_TRIAL;
	w->work = t;
	ipc_send(w->channel, IPC_MAP_TRIAL, ++w->request, &ipc_map_trial_table, &trial, &t->file, 1);
	return true;
}

void maps_on_worker(struct store_role *s, struct peer_worker *w, struct ipc_message *m)
{
	struct ipc_verdict v;
	struct trial *t = w->work;
	w->task = WORKER_IDLE;
	w->work = NULL;
	int rc = m->type == IPC_MAP_TRIED ? record_decode(&ipc_verdict_table, m->body, s->arena, &v) : VAN_EINVAL;
	if (rc < 0)
		v = (struct ipc_verdict){.error = SLICE("it could not be tried; see vand's log")};
	trial_end(t, v.ok, v.error);
}

void maps_worker_gone(struct store_role *s, void *work)
{
	struct trial *t = work;
	if (t->tries < TRIES_MAX)
		trial_wait(s, t);
	else
		trial_end(t, false, SLICE("its samples ended their worker twice: they need more time or memory than a job may take"));
}

void maps_free(struct store_role *s)
{
	struct maps *m = s->maps;
	if (!m)
		return;
	for (size_t i = 0; i < s->nworkers; i++) {
		struct trial *t = s->workers[i]->task == WORKER_TRIAL ? s->workers[i]->work : NULL;
		if (t)
			close(t->file);
		free(t);
	}
	while (m->first) {
		struct trial *t = m->first;
		m->first = t->next;
		close(t->file);
		free(t);
	}
	if (m->file >= 0)
		close(m->file);
	free(m);
	s->maps = NULL;
}
