#include "roles/sftp/files.h"

#include <stdlib.h>

#define PAGE 256 /* entries of one request: a page fits into one message however long the names are */
#define PAGE_MEMORY ((size_t)1 << 20)

struct listing {
	enum ipc_folder folder;
	char section[SFTPD_NAME_MAX + 1];
	size_t section_n;
	bool of_store; /* false: only what stands in `fixed` */
	struct {
		struct slice name; /* the view's */
		bool writable;
	} fixed[4];
	size_t nfixed, next_fixed;
	struct slice_list subfolders; /* the view's */
	size_t next_subfolder;
	/* one page of the store's entries */
	struct van_buf bytes;
	struct van_arena *arena;
	struct ipc_mailbox_entries page;
	size_t next;
	uint64_t shown;
	bool more;
};

static void add_fixed(struct listing *l, struct slice name, bool writable)
{
	l->fixed[l->nfixed].name = name;
	l->fixed[l->nfixed++].writable = writable;
}

enum sftpd_status sftpd_listing_open(void *arg, struct slice path, void **ret_folder, struct sftpd_why *why)
{
	struct sftpd_mailbox *m = arg;
	struct slice names[2];
	struct sftpd_place at = sftpd_view_find(&m->view, path);
	if (at.kind == SFTPD_PLACE_NONE)
		return SFTPD_NO_SUCH_FILE;
	if (at.kind == SFTPD_PLACE_FILE)
		return sftpd_refuse(why, SFTPD_NO_SUCH_FILE, "There is no such folder");
	struct listing *l = calloc(1, sizeof *l);
	struct van_arena *arena = van_arena_new(PAGE_MEMORY);
	if (!l || !arena) {
		free(l);
		van_arena_free(arena);
		return SFTPD_FAILURE;
	}
	l->arena = arena;
	l->folder = at.folder;
	l->of_store = l->more = at.kind != SFTPD_PLACE_ABOVE;
	l->section_n = at.section.n;
	if (at.section.n)
		memcpy(l->section, at.section.p, at.section.n);
	if (at.kind == SFTPD_PLACE_FOLDER)
		l->subfolders = sftpd_view_subfolders(&m->view, at.folder);
	m->neighbours.in_vain = 0; /* what it looks at next may be what it sees here */
	add_fixed(l, SLICE("."), sftpd_place_writable(&at));
	add_fixed(l, SLICE(".."), false);
	/* The archives are not listed, though they are there: `get out/…` and mirroring clients would fetch them too. */
	size_t n = at.kind == SFTPD_PLACE_ABOVE ? sftpd_view_below(&m->view, path, names) : 0;
	for (size_t i = 0; i < n; i++)
		add_fixed(l, names[i], true);
	*ret_folder = l;
	return SFTPD_OK;
}

/* The next page. Its bytes are copied: other requests come between the reads of a listing. */
static enum sftpd_status turn_page(struct sftpd_mailbox *m, struct listing *l, struct sftpd_why *why)
{
	char after[SFTPD_NAME_MAX + 1];
	struct ipc_mailbox_list ask = {l->folder, slice_make(l->section_n ? l->section : NULL, l->section_n), SLICE_NONE, PAGE};
	if (l->page.entries.n) {
		struct slice last = RECORD_AT(l->page.entries, struct ipc_mailbox_entry, l->page.entries.n - 1)->name;
		size_t n = last.n < SFTPD_NAME_MAX ? last.n : SFTPD_NAME_MAX;
		memcpy(after, last.p, n);
		ask.after = slice_make(after, n);
	}
	struct sftpd_call c = {IPC_MAILBOX_LIST, &ipc_mailbox_list_table, &ask, -1, IPC_MAILBOX_ENTRIES, &ipc_mailbox_entries_table};
	struct ipc_mailbox_entries page;
	if (sftpd_store_call(m->store, &c, &page, NULL) < 0)
		return sftpd_refuse(why, SFTPD_FAILURE, "The mailbox can't be listed just now: try again later");
	van_buf_reset(&l->bytes);
	van_arena_reset(l->arena);
	l->next = 0;
	l->page = (struct ipc_mailbox_entries){.more = false};
	l->more = page.more && page.entries.n;
	if (record_encode(&ipc_mailbox_entries_table, &page, &l->bytes) < 0 ||
	    record_decode(&ipc_mailbox_entries_table, van_buf_slice(&l->bytes), l->arena, &l->page) < 0)
		return SFTPD_FAILURE;
	return SFTPD_OK;
}

enum sftpd_status sftpd_listing_read(void *arg, void *folder, struct sftpd_names *to, struct sftpd_why *why)
{
	struct sftpd_mailbox *m = arg;
	struct listing *l = folder;
	for (; l->next_fixed < l->nfixed; l->next_fixed++) {
		struct sftpd_attributes a = sftpd_folder_attributes(m, l->fixed[l->next_fixed].writable);
		if (!sftpd_names_add(to, l->fixed[l->next_fixed].name, &a))
			return SFTPD_OK;
	}
	for (; l->next_subfolder < l->subfolders.n; l->next_subfolder++) {
		struct sftpd_attributes a = sftpd_folder_attributes(m, true);
		if (!sftpd_names_add(to, l->subfolders.v[l->next_subfolder], &a))
			return SFTPD_OK;
	}
	while (l->of_store) {
		for (; l->next < l->page.entries.n; l->next++) {
			struct ipc_mailbox_entry *e = RECORD_AT(l->page.entries, struct ipc_mailbox_entry, l->next);
			struct sftpd_attributes a = sftpd_entry_attributes(m, e);
			if (m->limits.folder_entries && l->shown >= m->limits.folder_entries)
				return SFTPD_OK;
			if (!sftpd_names_add(to, e->name, &a))
				return SFTPD_OK;
			l->shown++;
		}
		if (!l->more)
			break;
		enum sftpd_status status = turn_page(m, l, why);
		if (status != SFTPD_OK)
			return status;
	}
	return SFTPD_OK;
}

void sftpd_listing_close(void *arg, void *folder)
{
	struct listing *l = folder;
	(void)arg;
	van_buf_free(&l->bytes);
	van_arena_free(l->arena);
	free(l);
}
