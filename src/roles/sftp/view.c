#include "roles/sftp/view.h"

#include "base/error.h"
#include "sftp/temporary.h"

#include <fnmatch.h>

#define ARCHIVE "archive"

static int take(struct slice text, const char *usual, struct sftpd_path *ret)
{
	int rc = sftpd_path_normalise(text.n ? text : slice_str(usual), ret);
	return rc < 0 ? VAN_EINVAL : 0;
}

int sftpd_view_init(struct sftpd_view *v, const struct ipc_auth_reply *who)
{
	if (take(who->folder_in, "/in", &v->in) < 0 || take(who->folder_out, "/out", &v->out) < 0)
		return VAN_EINVAL;
	v->in_subfolders = who->in_subfolders;
	v->out_subfolders = who->out_subfolders;
	v->accept = who->accept;
	v->temporary = who->temporary;
	return slice_eq(sftpd_path_slice(&v->in), sftpd_path_slice(&v->out)) ? VAN_EINVAL : 0;
}

/* What follows `base` and a '/' in `path`: empty when they are the same, absent when path is not in it. */
static struct slice below(const struct sftpd_path *base, struct slice path)
{
	size_t n = base->n == 1 ? 0 : base->n; /* "/" */
	if (path.n < n || memcmp(path.p, base->text, n) != 0)
		return SLICE_NONE;
	if (path.n == n)
		return SLICE("");
	return path.p[n] == '/' ? slice_make(path.p + n + 1, path.n - n - 1) : SLICE_NONE;
}

static bool is_date(struct slice s)
{
	if (s.n != 10)
		return false;
	for (size_t i = 0; i < 10; i++)
		if (i == 4 || i == 7 ? s.p[i] != '-' : s.p[i] < '0' || s.p[i] > '9')
			return false;
	return true;
}

struct slice_list sftpd_view_subfolders(const struct sftpd_view *v, enum ipc_folder folder)
{
	return folder == IPC_FOLDER_IN ? v->in_subfolders : folder == IPC_FOLDER_OUT ? v->out_subfolders : (struct slice_list){0};
}

static bool holds(struct slice_list l, struct slice name)
{
	for (size_t i = 0; i < l.n; i++)
		if (slice_eq(l.v[i], name))
			return true;
	return false;
}

/* `rest`: what follows the section's name; absent: the section itself. */
static struct sftpd_place in_section(enum ipc_folder folder, struct slice section, struct slice rest)
{
	if (!rest.p)
		return (struct sftpd_place){SFTPD_PLACE_SECTION, folder, section, SLICE_NONE};
	if (memchr(rest.p, '/', rest.n))
		return (struct sftpd_place){SFTPD_PLACE_NONE};
	return (struct sftpd_place){SFTPD_PLACE_FILE, folder, section, rest};
}

static struct sftpd_place in_archive(struct slice rest, enum ipc_folder archive)
{
	if (!rest.p)
		return (struct sftpd_place){SFTPD_PLACE_FOLDER, archive};
	struct slice date = slice_cut(&rest, '/');
	if (is_date(date))
		return in_section(archive, date, rest);
	if (archive == IPC_FOLDER_IN_ARCHIVE && !rest.p && slice_ends(date, IPC_STATUS_SUFFIX))
		return (struct sftpd_place){SFTPD_PLACE_FILE, archive, SLICE_NONE, date}; /* of the newest upload of that name */
	return (struct sftpd_place){SFTPD_PLACE_NONE};
}

/* `rest`: the path inside the folder. */
static struct sftpd_place inside(const struct sftpd_view *v, struct slice rest, enum ipc_folder folder, enum ipc_folder archive)
{
	if (!rest.n)
		return (struct sftpd_place){SFTPD_PLACE_FOLDER, folder};
	struct slice first = slice_cut(&rest, '/');
	if (slice_is(first, ARCHIVE))
		return in_archive(rest, archive);
	if (holds(sftpd_view_subfolders(v, folder), first))
		return in_section(folder, first, rest);
	if (rest.p)
		return (struct sftpd_place){SFTPD_PLACE_NONE};
	return (struct sftpd_place){SFTPD_PLACE_FILE, folder, SLICE_NONE, first};
}

struct sftpd_place sftpd_view_find(const struct sftpd_view *v, struct slice path)
{
	struct slice in = below(&v->in, path), out = below(&v->out, path), names[2];
	if (in.p && out.p) { /* one folder lies in the other: the longer name wins */
		if (v->in.n > v->out.n)
			out = SLICE_NONE;
		else
			in = SLICE_NONE;
	}
	struct sftpd_place place = {SFTPD_PLACE_NONE};
	if (in.p)
		place = inside(v, in, IPC_FOLDER_IN, IPC_FOLDER_IN_ARCHIVE);
	else if (out.p)
		place = inside(v, out, IPC_FOLDER_OUT, IPC_FOLDER_OUT_ARCHIVE);
	if ((place.kind == SFTPD_PLACE_NONE || place.kind == SFTPD_PLACE_FILE) && sftpd_view_below(v, path, names))
		return (struct sftpd_place){SFTPD_PLACE_ABOVE};
	return place;
}

bool sftpd_place_writable(const struct sftpd_place *at)
{
	return (at->kind == SFTPD_PLACE_FOLDER || at->kind == SFTPD_PLACE_SECTION) && at->folder <= IPC_FOLDER_OUT;
}

size_t sftpd_view_below(const struct sftpd_view *v, struct slice path, struct slice ret[2])
{
	const struct sftpd_path *folders[2] = {&v->in, &v->out};
	size_t count = 0, n = path.n == 1 ? 0 : path.n;
	for (size_t i = 0; i < 2; i++) {
		struct slice f = sftpd_path_slice(folders[i]);
		if (f.n < n + 2 || memcmp(f.p, path.p, n) != 0 || f.p[n] != '/')
			continue;
		struct slice rest = slice_make(f.p + n + 1, f.n - n - 1);
		struct slice name = slice_cut(&rest, '/');
		if (!count || !slice_eq(ret[0], name))
			ret[count++] = name;
	}
	return count;
}

static bool matches(const struct slice_list *patterns, struct slice name)
{
	char text[SFTPD_NAME_MAX + 1], pattern[SFTPD_NAME_MAX + 1];
	if (name.n > SFTPD_NAME_MAX)
		return false;
	memcpy(text, name.p, name.n);
	text[name.n] = 0;
	for (size_t i = 0; i < patterns->n; i++) {
		if (patterns->v[i].n > SFTPD_NAME_MAX)
			continue;
		memcpy(pattern, patterns->v[i].p, patterns->v[i].n);
		pattern[patterns->v[i].n] = 0;
		if (fnmatch(pattern, text, FNM_NOESCAPE | FNM_CASEFOLD) == 0)
			return true;
	}
	return false;
}

bool sftpd_view_is_temporary(const struct sftpd_view *v, struct slice name)
{
	return sftpd_name_is_temporary(name) || matches(&v->temporary, name);
}

bool sftpd_view_accepts(const struct sftpd_view *v, struct slice name)
{
	return !v->accept.n || matches(&v->accept, name);
}
