#include "roles/sftp/view.h"

#include "base/error.h"

#define ARCHIVE "archive"

static int take(struct slice text, const char *usual, struct sftpd_path *ret)
{
	int rc = sftpd_path_normalise(text.n ? text : slice_str(usual), ret);
	return rc < 0 ? VAN_EINVAL : 0;
}

int sftpd_view_init(struct sftpd_view *v, struct slice in, struct slice out)
{
	if (take(in, "/in", &v->in) < 0 || take(out, "/out", &v->out) < 0)
		return VAN_EINVAL;
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

/* `rest`: the path inside the folder. */
static struct sftpd_place inside(struct slice rest, enum ipc_folder folder, enum ipc_folder archive)
{
	struct sftpd_place none = {SFTPD_PLACE_NONE};
	if (!rest.n)
		return (struct sftpd_place){SFTPD_PLACE_FOLDER, folder};
	struct slice first = slice_cut(&rest, '/');
	if (!slice_is(first, ARCHIVE))
		return rest.p ? none : (struct sftpd_place){SFTPD_PLACE_FILE, folder, SLICE_NONE, first};
	if (!rest.p)
		return (struct sftpd_place){SFTPD_PLACE_FOLDER, archive};
	struct slice date = slice_cut(&rest, '/');
	if (!is_date(date))
		return none;
	if (!rest.p)
		return (struct sftpd_place){SFTPD_PLACE_DATE, archive, date, SLICE_NONE};
	return memchr(rest.p, '/', rest.n) ? none : (struct sftpd_place){SFTPD_PLACE_FILE, archive, date, rest};
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
		place = inside(in, IPC_FOLDER_IN, IPC_FOLDER_IN_ARCHIVE);
	else if (out.p)
		place = inside(out, IPC_FOLDER_OUT, IPC_FOLDER_OUT_ARCHIVE);
	if ((place.kind == SFTPD_PLACE_NONE || place.kind == SFTPD_PLACE_FILE) && sftpd_view_below(v, path, names))
		return (struct sftpd_place){SFTPD_PLACE_ABOVE};
	return place;
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

static bool ends_with(struct slice name, const char *suffix)
{
	size_t n = strlen(suffix);
	return name.n > n && slice_case_is(slice_make(name.p + name.n - n, n), suffix);
}

bool sftpd_name_is_temporary(struct slice name)
{
	return (name.n && name.p[0] == '.') || ends_with(name, ".part") || ends_with(name, ".filepart") || ends_with(name, ".tmp");
}
