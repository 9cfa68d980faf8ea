#include "roles/sftp/files.h"

#define GOOD VAN_SECOND
#define IN_VAIN 2 /* so many wrong guesses are enough, until the client lists a folder */

void sftpd_neighbours_forget(struct sftpd_mailbox *m)
{
	m->neighbours.n = m->neighbours.next = 0;
}

static bool is_next(struct sftpd_neighbours *b, const struct sftpd_place *at, struct sftpd_attributes *ret)
{
	if (b->next == b->n || van_clock_monotonic() >= b->until || !slice_eq(slice_make(b->section, b->section_n), at->section) ||
	    !slice_eq(slice_make(b->v[b->next].name, b->v[b->next].name_n), at->name))
		return false;
	*ret = b->v[b->next++].attributes;
	return true;
}

static void fetch(struct sftpd_mailbox *m, const struct sftpd_place *before)
{
	struct sftpd_neighbours *b = &m->neighbours;
	struct ipc_mailbox_list ask = {before->folder, before->section, before->name, SFTPD_NEIGHBOURS};
	struct sftpd_call c = {IPC_MAILBOX_LIST, &ipc_mailbox_list_table, &ask, -1, IPC_MAILBOX_ENTRIES, &ipc_mailbox_entries_table};
	struct ipc_mailbox_entries page;
	b->n = b->next = 0;
	if (before->section.n > sizeof b->section || sftpd_store_call(m->store, &c, &page, NULL) < 0)
		return;
	for (size_t i = 0; i < page.entries.n && b->n < SFTPD_NEIGHBOURS; i++) {
		const struct ipc_mailbox_entry *e = RECORD_AT(page.entries, struct ipc_mailbox_entry, i);
		if (e->name.n > sizeof b->v[0].name)
			break;
		memcpy(b->v[b->n].name, e->name.p, e->name.n);
		b->v[b->n].name_n = e->name.n;
		b->v[b->n++].attributes = sftpd_entry_attributes(m, e);
	}
	b->section_n = before->section.n;
	if (b->section_n)
		memcpy(b->section, before->section.p, b->section_n);
	b->until = van_clock_monotonic() + GOOD;
}

bool sftpd_neighbours_look(struct sftpd_mailbox *m, const struct sftpd_place *before, const struct sftpd_place *at, struct sftpd_attributes *ret)
{
	struct sftpd_neighbours *b = &m->neighbours;
	if (before->folder != at->folder || !slice_eq(before->section, at->section))
		return false;
	if (is_next(b, at, ret))
		return true;
	if (b->in_vain == IN_VAIN)
		return false;
	fetch(m, before);
	bool found = is_next(b, at, ret);
	b->in_vain = found ? 0 : b->in_vain + 1;
	return found;
}
