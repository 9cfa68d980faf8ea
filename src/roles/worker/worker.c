/* The worker role: waits for work, does one thing at a time. */
#include "roles/worker/worker.h"

#include "base/fdio.h"
#include "base/log.h"
#include "cms/cert.h"
#include "cms/crl.h"
#include "edi/dictionary.h"
#include "map/guide.h"
#include "map/library.h"
#include "partner/settings.h"
#include "roles/sandbox.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#define ARENA_MAX ((size_t)512 << 20)
#define CRL_MAX ((size_t)64 << 20)

static void on_work(void *arg, uint32_t events);

void worker_progress(const struct worker *w)
{
	alarm((unsigned)(w->role->config->as2.receive_timeout / VAN_SECOND));
}

static void lose_dispatch(struct worker *w)
{
	loop_unwatch(w->watch);
	w->watch = NULL;
	ipc_channel_free(w->dispatch);
	if (w->store == w->dispatch)
		w->store = NULL;
	w->dispatch = NULL;
}

static void do_work(struct worker *w, struct ipc_message *m)
{
	switch (m->type) {
	case IPC_AS2_RECEIVE: worker_receive(w, m); break;
	case IPC_JOB: worker_job(w, m); break;
	case IPC_MAP_TRIAL: worker_map_trial(w, m); break;
	case IPC_PACKAGE: worker_package(w, m); break;
	case IPC_MDN_CHECK: worker_mdn_check(w, m); break;
	case IPC_PASSWORD_CHECK: worker_password(w, m); break;
	case IPC_DIRECTORY_CHANGED: worker_generation(w, 0); break;
	default: log_event(LOG_LEVEL_WARNING, "unexpected-message", "type", log_u64(m->type), NULL);
	}
}

static void on_work(void *arg, uint32_t events)
{
	struct worker *w = arg;
	struct ipc_message m;
	(void)events;
	int rc = ipc_receive(w->dispatch, 0, &m);
	if (rc == VAN_ETIMEOUT)
		return;
	if (rc < 0) {
		lose_dispatch(w);
		return;
	}
	van_arena_reset(w->arena);
	do_work(w, &m);
	for (size_t i = 0; i < m.nfds; i++) {
		int fd = ipc_take_fd(&m, i);
		if (fd >= 0)
			close(fd);
	}
}

static void set_dispatch(struct worker *w, struct ipc_channel *c)
{
	if (w->dispatch)
		lose_dispatch(w);
	w->dispatch = c;
	w->watch = loop_watch(w->role->loop, ipc_channel_fd(c), EPOLLIN, on_work, w);
	if (!w->receive)
		w->store = c;
}

static void on_peer(void *arg, struct role_peer *peer)
{
	struct worker *w = arg;
	bool dispatch = strcmp(peer->name, w->receive ? "http" : "store") == 0;
	struct ipc_channel *c = ipc_channel_new(peer->fd);
	if (!c)
		return;
	peer->fd = -1;
	if (dispatch) {
		set_dispatch(w, c);
	} else if (strcmp(peer->name, "store") == 0) {
		ipc_channel_free(w->store);
		w->store = c;
		worker_generation(w, 0); /* a new store: what the old one said counts no more */
	} else {
		ipc_channel_free(w->keyd);
		w->keyd = c;
	}
}

/* Folders of one's own go before the installed one; the first of them before the others. */
static int add_dictionaries(struct worker *w, struct van_error *e)
{
	uint64_t count = 0;
	int rc = 0;
	while (role_file(w->role, "dictionaries", count + 1))
		count++;
	for (; rc == 0 && count; count--) {
		char path[64];
		const struct role_file *folder = role_file(w->role, "dictionaries", count);
		snprintf(path, sizeof path, "/proc/self/fd/%d", folder->fd);
		rc = edi_dictionary_set_add(w->dictionaries, path, e);
		if (rc == VAN_ENOTFOUND) {
			log_event(LOG_LEVEL_WARNING, "dictionaries-empty", "folder", folder->path, "text", "there is no *.dict in it", NULL);
			rc = 0;
		}
	}
	return rc;
}

/* A guide in error holds up the documents of its agreement alone. */
static int add_guides(struct worker *w, struct van_error *e)
{
	const struct role_file *folder;
	int rc = (w->guides = guide_set_new()) ? 0 : van_error_set(e, VAN_ENOMEM, "no memory for the guides");
	for (uint64_t i = 1; rc == 0 && (folder = role_file(w->role, "guides", i)); i++) {
		char path[64];
		snprintf(path, sizeof path, "/proc/self/fd/%d", folder->fd);
		rc = guide_set_add(w->guides, path, e);
		if (rc == VAN_ENOTFOUND || rc == VAN_ESYNTAX) {
			log_event(LOG_LEVEL_WARNING, "guides-unreadable", "folder", folder->path, "text", e->text, NULL);
			rc = 0;
		}
	}
	return rc;
}

static int load_data(struct worker *w)
{
	struct van_error e = {0};
	char path[64];
	struct role_file *dict = role_file(w->role, "dictionaries", 0), *maps = role_file(w->role, "maps", 0);
	int rc = 0;
	if (dict) {
		snprintf(path, sizeof path, "/proc/self/fd/%d", dict->fd);
		rc = edi_dictionary_set_open(path, &w->dictionaries, &e);
		if (rc == 0)
			rc = add_dictionaries(w, &e);
		if (rc == 0) /* no file can be opened later */
			rc = edi_dictionary_set_preload(w->dictionaries, &e);
	}
	if (rc == 0 && maps) {
		snprintf(path, sizeof path, "/proc/self/fd/%d", maps->fd);
		rc = map_library_open(path, &w->maps, &e);
		if (rc == 0) {
			map_library_dictionaries(w->maps, w->dictionaries);
			map_library_bounds(w->maps, w->role->config->translation.tables, w->role->config->translation.remember);
		}
	}
	if (rc == 0)
		rc = add_guides(w, &e);
	if (rc < 0)
		log_event(LOG_LEVEL_ERROR, "data-unreadable", "text", e.text, NULL);
	return rc;
}

/* A list that can't be read is no reason to stop: profiles that insist on one refuse, and the log says why. */
static void load_crls(struct worker *w)
{
	struct cms_crls *fresh = w->role->config->as2.crls.n ? cms_crls_new() : NULL;
	for (uint64_t i = 0; fresh && i < w->role->config->as2.crls.n; i++) {
		struct van_buf b = VAN_BUF_INIT(CRL_MAX);
		struct van_error e = {0};
		const struct role_file *f = role_file(w->role, "crl", i);
		int rc = f && f->fd >= 0 ? fd_read_file(f->fd, &b) : VAN_ENOTFOUND;
		if (rc == 0)
			rc = cms_crls_add(fresh, van_buf_slice(&b), &e);
		if (rc < 0)
			log_event(LOG_LEVEL_ERROR, "crl-unusable", "path", f ? f->path : "", "text", e.text[0] ? e.text : van_err_name(rc), NULL);
		van_buf_free(&b);
	}
	cms_crls_free(w->crls);
	w->crls = fresh;
}

static void on_reload(void *arg)
{
	struct worker *w = arg;
	if (w->receive)
		load_crls(w);
}

int role_worker(struct role *r)
{
	struct worker w = {.role = r, .receive = strcmp(r->pool, "receive") == 0, .spool_folder = -1};
	const struct role_handlers handlers = {.on_peer = on_peer, .on_reload = on_reload, .arg = &w};
	struct role_file *spool = role_file(r, "spool", 0);
	if (spool)
		w.spool_folder = spool->fd;
	w.arena = van_arena_new(ARENA_MAX);
	w.list_arena = van_arena_new(0);
	w.lookups = lookup_cache_new();
	w.certs = cms_cert_cache_new(0);
	if (!w.arena || !w.list_arena || !w.lookups || !w.certs || (!w.receive && load_data(&w) < 0))
		return 1;
	if (w.receive)
		load_crls(&w);
	for (size_t i = 0; i < r->npeers; i++)
		on_peer(&w, &r->peers[i]);
	if (role_attach(r, &handlers) < 0)
		return 1;
	/* crypt(3) and error texts need nothing from the file system; what does is open by now */
	if (sandbox_enter(SANDBOX_WORKER, r->config->limits.memory_worker) < 0)
		return 1;
	role_ready(r);
	loop_run(r->loop);
	edi_dictionary_set_free(w.dictionaries);
	map_run_free(w.map_run);
	map_library_free(w.maps);
	guide_set_free(w.guides);
	cms_cert_cache_free(w.certs);
	cms_crls_free(w.crls);
	lookup_cache_free(w.lookups);
	van_arena_free(w.arena);
	van_arena_free(w.list_arena);
	if (w.dispatch)
		lose_dispatch(&w);
	ipc_channel_free(w.store);
	ipc_channel_free(w.keyd);
	return 0;
}
