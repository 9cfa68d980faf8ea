/* Sheets and samples in files. */
#include "vanctl/map.h"

#include "base/fdio.h"
#include "map/sample.h"
#include "map/sheet_json.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int map_read_file(const char *path, size_t most, struct van_arena *arena, struct slice *ret)
{
	struct van_buf text = VAN_BUF_INIT(most);
	int rc = file_read(path, &text);
	if (rc == 0) {
		*ret = van_arena_slice(arena, van_buf_slice(&text));
		rc = ret->p ? 0 : VAN_ENOMEM;
	}
	van_buf_free(&text);
	if (rc == VAN_ELIMIT)
		return ctl_fail(CTL_NO, "%s is larger than %zu MiB", path, most >> 20);
	return rc < 0 ? ctl_fail(CTL_USAGE, "%s: %s; give the path of a file that can be read", path, van_err_name(rc)) : CTL_DONE;
}

static bool is_utf8(struct slice s)
{
	for (size_t i = 0; i < s.n;) {
		unsigned char c = (unsigned char)s.p[i++];
		int more = c < 0x80 ? 0 : c >= 0xc2 && c < 0xe0 ? 1 : c >= 0xe0 && c < 0xf0 ? 2 : c >= 0xf0 && c < 0xf5 ? 3 : -1;
		if (more < 0)
			return false;
		for (; more; more--)
			if (i == s.n || (s.p[i++] & 0xc0) != 0x80)
				return false;
	}
	return true;
}

static struct slice base_name(const char *path)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path, *dot = strrchr(name, '.');
	return dot && dot != name ? slice_make(name, (size_t)(dot - name)) : slice_str(name);
}

int map_read_sheet(const char *path, struct van_arena *arena, struct slice *ret_name, struct slice *ret_csv)
{
	struct slice text;
	struct van_error e = {0};
	int status = map_read_file(path, (size_t)16 << 20, arena, &text);
	if (status)
		return status;
	if (!is_utf8(text))
		return ctl_fail(CTL_NO, "%s is not UTF-8: in the spreadsheet choose \"CSV UTF-8\" when saving", path);
	*ret_name = base_name(path);
	*ret_csv = text;
	if (!slice_ends(slice_str(path), ".json"))
		return CTL_DONE;
	struct van_buf csv = VAN_BUF_INIT((size_t)16 << 20);
	struct slice name;
	int rc = sheet_from_json(arena, text, &name, &csv, &e);
	if (name.n)
		*ret_name = name;
	*ret_csv = van_arena_slice(arena, van_buf_slice(&csv));
	van_buf_free(&csv);
	return rc < 0 ? ctl_fail(CTL_NO, "%s: %s", path, e.text) : CTL_DONE;
}

/* --- samples -------------------------------------------------------------------------------------------------------------------- */

#define EXPECTED ".expected."

static struct map_case *find_case(struct map_source *s, struct slice name)
{
	for (size_t i = 0; i < s->ncases; i++)
		if (slice_eq(s->cases[i].name, name))
			return &s->cases[i];
	struct map_case *more = van_arena_array(s->arena, s->ncases + 1, sizeof *more);
	if (!more)
		return NULL;
	if (s->ncases)
		memcpy(more, s->cases, s->ncases * sizeof *more);
	s->cases = more;
	more[s->ncases] = (struct map_case){.name = van_arena_slice(s->arena, name)};
	return &more[s->ncases++];
}

/* CASE.EXT is an input, CASE.expected.EXT what is expected of it. */
static int add_file(struct map_source *s, const char *folder, const char *file)
{
	const char *expected = strstr(file, EXPECTED), *dot = strrchr(file, '.');
	if (file[0] == '.' || !dot)
		return CTL_DONE;
	struct map_case *k = find_case(s, slice_make(file, (size_t)((expected ? expected : dot) - file)));
	struct slice path = van_arena_printf(s->arena, "%s/%s", folder, file);
	struct slice *to = k ? expected ? &k->expected : &k->input : NULL;
	if (!to || !path.p)
		return ctl_fail(CTL_USAGE, "out of memory");
	if (to->p)
		return ctl_fail(CTL_NO, "%s: there are two files of this sample; keep one", path.p);
	return map_read_file(path.p, MAP_SAMPLE_MAX, s->arena, to);
}

int map_cases_complete(const struct map_source *s)
{
	for (size_t i = 0; i < s->ncases; i++)
		if (!s->cases[i].input.p || !s->cases[i].expected.p)
			return ctl_fail(CTL_NO, "%s: sample %.*s has no %s; a sample is CASE.EXT and CASE.expected.EXT", map_source_place(s),
					SLICE_ARG(s->cases[i].name), s->cases[i].input.p ? "expected result" : "input");
	return CTL_DONE;
}

int map_read_cases(const char *folder, struct slice name, struct map_source *to)
{
	struct slice at = van_arena_printf(to->arena, "%s/samples/%.*s", folder, SLICE_ARG(name));
	struct dirent **files;
	int n = at.p ? scandir(at.p, &files, NULL, alphasort) : -1, status = CTL_DONE;
	if (n < 0)
		return CTL_DONE;
	for (int i = 0; i < n; i++) {
		if (!status)
			status = add_file(to, at.p, files[i]->d_name);
		free(files[i]);
	}
	free(files);
	return status;
}
