/* vanctl edi dict import: reads directory texts and schemas, writes dictionary files, checks them. */
#include "vanctl/edi_dict.h"

#include "base/fdio.h"
#include "map/import.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#define LARGEST_INPUT ((size_t)64 << 20)
#define IMPORT_MEMORY ((size_t)512 << 20)

struct importing {
	const struct edi_dict *d;
	const char *folder;
	struct import directory; /* what the directory's texts define together */
	struct van_arena *arena;
	struct written {
		struct written *next;
		struct slice path;
	} *written;
};

static int write_file(struct importing *x, struct slice name, const struct van_buf *text)
{
	struct slice path = van_arena_printf(x->arena, "%s/%.*s", x->folder, SLICE_ARG(name));
	if (!path.p || van_buf_error(text))
		return edi_fail(EDI_USAGE, "no memory");
	int fd = open(path.p, O_WRONLY | O_CREAT | O_CLOEXEC | (x->d->force ? O_TRUNC : O_EXCL), 0644);
	if (fd < 0)
		return edi_fail(EDI_USAGE, "%s: %s%s", path.p, strerror(errno), errno == EEXIST ? "; --force replaces it" : "; --to names a folder to write to");
	int rc = fd_write_all(fd, text->p, text->n);
	if (close(fd) != 0 || rc < 0)
		return edi_fail(EDI_USAGE, "%s: cannot be written", path.p);
	struct written *w = van_arena_alloc(x->arena, sizeof *w);
	if (!w)
		return edi_fail(EDI_USAGE, "no memory");
	*w = (struct written){x->written, path};
	x->written = w;
	printf("%s\n", path.p);
	return EDI_DONE;
}

/* Texts before this byte-order mark were 16 bits wide; only XML of Microsoft's comes so, and its reader knows. */
static bool is_xml(struct slice s)
{
	if (slice_starts(s, "\xef\xbb\xbf"))
		s = slice_make(s.p + 3, s.n - 3);
	return slice_starts(s, "\xff\xfe") || slice_starts(s, "\xfe\xff") || slice_starts(slice_trim(s), "<");
}

static int import_schema(struct importing *x, const char *path, struct slice text)
{
	struct import m = {.arena = x->arena, .open_codes = x->d->open_codes};
	struct van_buf out = VAN_BUF_INIT(LARGEST_INPUT);
	struct van_error e = {0};
	int status = import_xsd(&m, text, &e) < 0 ? edi_fail(EDI_NO, "%s: %s", path, e.text) : EDI_DONE;
	if (status == EDI_DONE) {
		van_buf_printf(&out, "# Made of a BizTalk schema by vanctl edi dict import.\n");
		import_write_shared(&m, &out);
		import_write_message(&m, true, &out);
		status = write_file(x, import_file_name(&m, true), &out);
	}
	if (status == EDI_DONE && m.merged)
		fprintf(stderr, "vanctl edi: %s: %u segments differ by their place in the message; the widest form was taken\n", path, m.merged);
	van_buf_free(&out);
	return status;
}

/* A release in the file's name: EDSD.96A, edsd_d96a.txt. */
static struct slice version_of(struct importing *x, const char *path)
{
	const char *name = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
	if (x->d->command.version) {
		struct slice v = slice_str(x->d->command.version);
		return v.n > 2 && v.p[1] != ':' ? van_arena_printf(x->arena, "%c:%s", *v.p, v.p + 1) : v;
	}
	for (const char *p = name; *p; p++)
		if (p > name && (p[-1] == '.' || p[-1] == 'D' || p[-1] == 'd') && p[0] >= '0' && p[0] <= '9' && p[1] >= '0' && p[1] <= '9' &&
		    (p[2] == 'A' || p[2] == 'B' || p[2] == 'C' || p[2] == 'a' || p[2] == 'b' || p[2] == 'c') && !(p[3] >= '0' && p[3] <= '9'))
			return van_arena_printf(x->arena, "D:%c%c%c", p[0], p[1], p[2] & ~32);
	return SLICE_NONE;
}

static int import_text(struct importing *x, const char *path, struct slice text)
{
	struct import *m = &x->directory;
	struct van_buf out = VAN_BUF_INIT(LARGEST_INPUT);
	struct van_error e = {0};
	m->type = SLICE_NONE;
	if (import_unece(m, text, version_of(x, path), &e) < 0)
		return edi_fail(EDI_NO, "%s: %s", path, e.text);
	if (!m->version.n)
		return edi_fail(EDI_USAGE, "%s: which release of the directory is it? give --version D:96A", path);
	if (!m->type.p)
		return EDI_DONE;
	van_buf_printf(&out, "# Made of a UN/EDIFACT directory by vanctl edi dict import.\n");
	import_write_message(m, false, &out);
	int status = write_file(x, import_file_name(m, true), &out);
	van_buf_free(&out);
	return status;
}

static int write_directory(struct importing *x)
{
	struct import *m = &x->directory;
	struct van_buf out = VAN_BUF_INIT(LARGEST_INPUT);
	if (!m->segments && !m->elements && !m->composites)
		return EDI_DONE;
	if (!import_service_segments(m))
		return edi_fail(EDI_USAGE, "no memory");
	van_buf_printf(&out, "# Made of a UN/EDIFACT directory by vanctl edi dict import.\n");
	import_write_shared(m, &out);
	int status = write_file(x, import_file_name(m, false), &out);
	van_buf_free(&out);
	return status;
}

/* What was written, with what it stands on; not the folder's other files, of which there may be thousands. */
static int check(struct importing *x, const struct written *w)
{
	struct edi_dictionary_set *set = edi_dictionaries(&x->d->command);
	struct van_error e = {0};
	if (!set)
		return EDI_USAGE;
	int rc = edi_dictionary_set_add(set, x->folder, &e);
	if (rc == 0)
		rc = edi_dictionary_set_add_file(set, w->path.p, &e);
	if (rc == 0)
		rc = edi_dictionary_set_check_first(set, &e);
	edi_dictionary_set_free(set);
	return rc < 0 ? edi_fail(EDI_NO, "%s", e.text) : EDI_DONE;
}

int edi_dict_import(const struct edi_dict *d)
{
	struct importing x = {.d = d, .folder = d->command.to ? d->command.to : ".", .arena = van_arena_new(IMPORT_MEMORY)};
	int status = EDI_DONE;
	if (!d->count)
		return edi_fail(EDI_USAGE, "which files? usage: vanctl edi dict import [--to DIR] [--version V] [--open-codes] [--force] FILE…");
	if (!x.arena)
		return edi_fail(EDI_USAGE, "no memory");
	x.directory = (struct import){.arena = x.arena, .open_codes = true};
	for (int i = 0; i < d->count && status != EDI_USAGE; i++) {
		struct van_buf in = VAN_BUF_INIT(LARGEST_INPUT);
		int rc = file_read(d->words[i], &in), one;
		if (rc < 0)
			one = edi_fail(EDI_USAGE, "%s: %s", d->words[i], van_err_name(rc));
		else
			one = is_xml(van_buf_slice(&in)) ? import_schema(&x, d->words[i], van_buf_slice(&in)) : import_text(&x, d->words[i], van_buf_slice(&in));
		status = one > status ? one : status;
		van_buf_free(&in);
	}
	if (status != EDI_USAGE)
		status = write_directory(&x) > status ? EDI_USAGE : status;
	for (const struct written *w = x.written; w && status == EDI_DONE; w = w->next)
		status = check(&x, w);
	van_arena_free(x.arena);
	return status;
}
