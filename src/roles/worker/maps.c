/* Maps of the store, in front of those that are installed; and IPC_MAP_TRIAL: is a new one sound? */
#include "base/fdio.h"
#include "base/log.h"
#include "map/library.h"
#include "map/sample.h"
#include "partner/settings.h"
#include "roles/worker/worker.h"

#include <unistd.h>

#define SHEETS_MAX ((size_t)1 << 30)

static int take_sheets(struct worker *w, struct slice record)
{
	struct ipc_sheets all;
	struct van_error e = {0};
	int rc = record_decode(&ipc_sheets_table, record, w->arena, &all);
	struct map_sheet *v = rc < 0 ? NULL : van_arena_array(w->arena, all.sheets.n + 1, sizeof *v);
	if (!v)
		return rc < 0 ? rc : VAN_ENOMEM;
	for (size_t i = 0; i < all.sheets.n; i++) {
		const struct ipc_sheet *s = RECORD_AT(all.sheets, struct ipc_sheet, i);
		v[i] = (struct map_sheet){s->name, s->version, s->active, s->text};
	}
	return map_library_set(w->maps, v, all.sheets.n, &e);
}

int worker_maps(struct worker *w, uint64_t generation)
{
	struct van_buf record = VAN_BUF_INIT(SHEETS_MAX);
	uint64_t now;
	int fd = -1;
	if (generation == w->maps_generation)
		return 0;
	int rc = worker_ask_maps(w, &now, &fd);
	if (rc == 0)
		rc = fd_read_file(fd, &record);
	if (rc == 0)
		rc = take_sheets(w, van_buf_slice(&record));
	if (rc == 0)
		w->maps_generation = now;
	else
		log_event(LOG_LEVEL_ERROR, "maps-not-taken", "error", van_err_name(rc), NULL);
	if (fd >= 0)
		close(fd);
	van_buf_free(&record);
	return rc;
}

const struct van_config_translation *worker_bounds(const struct worker *w)
{
	return &w->role->config->translation;
}

struct map_run_state *worker_map_run(struct worker *w)
{
	const struct van_config_translation *t = worker_bounds(w);
	const struct map_options options = {.max_values = t->document_values, .max_memory = t->document_memory, .max_steps = t->document_steps};
	if (!w->map_run)
		w->map_run = map_run_new(&options);
	else
		map_run_reset(w->map_run);
	return w->map_run;
}

/* --- trials ------------------------------------------------------------------------------------------------------------------- */

/* The first line of several. */
static struct slice first_line(const struct van_buf *b)
{
	struct slice all = van_buf_slice(b);
	return slice_cut(&all, '\n');
}

static int try_sample(struct worker *w, const struct map_set *set, const struct ipc_sample *s, struct slice *ret_error)
{
	struct van_buf differences = VAN_BUF_INIT((size_t)1 << 20);
	struct van_error e = {0};
	int rc = map_sample_check(set, s->name, s->input, s->expected, &differences, &e);
	if (rc == VAN_ECONFLICT)
		*ret_error = van_arena_printf(w->arena, "sample %.*s does not come out as expected (%s): %.*s", SLICE_ARG(s->name), e.text,
					      SLICE_ARG(first_line(&differences)));
	else if (rc < 0)
		*ret_error = van_arena_printf(w->arena, "sample %.*s: %s", SLICE_ARG(s->name), e.text[0] ? e.text : van_err_name(rc));
	van_buf_free(&differences);
	return rc;
}

static void try_sheet(struct worker *w, const struct ipc_sheet_samples *sheet, struct ipc_verdict *v)
{
	struct map_set *set = NULL;
	struct van_error e = {0};
	map_library_scope(w->maps, SLICE_NONE, van_clock_now()); /* samples are nobody's */
	int rc = map_library_compile(w->maps, sheet->name, sheet->text, &set, &e);
	if (rc < 0)
		v->error = van_arena_slice(w->arena, slice_str(e.text));
	for (size_t i = 0; rc == 0 && i < sheet->samples.n; i++) {
		worker_progress(w);
		rc = try_sample(w, set, RECORD_AT(sheet->samples, struct ipc_sample, i), &v->error);
	}
	v->ok = rc == 0;
	map_set_free(set);
}

static int read_trial(struct worker *w, int fd, struct van_buf *record, struct ipc_sheet_samples *ret)
{
	int rc = fd < 0 ? VAN_EINVAL : fd_read_file(fd, record);
	return rc < 0 ? rc : record_decode(&ipc_sheet_samples_table, van_buf_slice(record), w->arena, ret);
}

void worker_map_trial(struct worker *w, struct ipc_message *m)
{
	struct ipc_map_trial trial;
	struct ipc_sheet_samples sheet;
	struct ipc_verdict v = {.ok = true};
	struct van_buf record = VAN_BUF_INIT(SHEETS_MAX);
	uint64_t request = m->request;
	int fd = ipc_take_fd(m, 0);
	worker_progress(w);
	int rc = record_decode(&ipc_map_trial_table, m->body, w->arena, &trial);
	if (rc == 0)
		rc = read_trial(w, fd, &record, &sheet);
	if (rc == 0)
		rc = worker_maps(w, trial.maps);
	if (rc < 0)
		v = (struct ipc_verdict){.error = slice_str(van_err_name(rc))};
	else if (sheet.text.n) /* else the installed one, which was tried when it was made */
		try_sheet(w, &sheet, &v);
	alarm(0);
	ipc_send(w->dispatch, IPC_MAP_TRIED, request, &ipc_verdict_table, &v, NULL, 0);
	if (fd >= 0)
		close(fd);
	van_buf_free(&record);
}
