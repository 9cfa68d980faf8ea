/* Files that are fetched one after the other, as `get *` does: the next ones come with one answer of the store's. The first answer brings two, and
 * each that was used up lets the next bring twice as many, so that whoever does something else in between costs the store little. Nothing is noted
 * of a file that was read ahead: that happens when it is opened and read. */
#include "roles/sftp/files.h"

#include <stdlib.h>

#define GOOD VAN_SECOND
#define MEMORY ((size_t)1 << 20)

void sftpd_ahead_forget(struct sftpd_mailbox *m)
{
	struct sftpd_ahead *a = &m->read_ahead;
	a->n = a->next = a->name_n = a->section_n = 0;
	a->asked = 0;
}

void sftpd_ahead_free(struct sftpd_mailbox *m)
{
	sftpd_ahead_forget(m);
	van_arena_free(m->read_ahead.arena);
	m->read_ahead.arena = NULL;
}

void sftpd_ahead_opened(struct sftpd_mailbox *m, const struct sftpd_place *at)
{
	struct sftpd_ahead *a = &m->read_ahead;
	if (at->folder != IPC_FOLDER_OUT || at->section.n > sizeof a->section || at->name.n > sizeof a->name) {
		sftpd_ahead_forget(m);
		return;
	}
	memcpy(a->name, at->name.p, at->name.n);
	a->name_n = at->name.n;
	if (at->section.n)
		memcpy(a->section, at->section.p, at->section.n);
	a->section_n = at->section.n;
}

static struct slice section_of(const struct sftpd_ahead *a)
{
	return slice_make(a->section_n ? a->section : NULL, a->section_n);
}

static bool keep(struct sftpd_ahead *a, const struct ipc_mailbox_entry *e)
{
	struct ipc_mailbox_entry *to = &a->v[a->n];
	*to = *e;
	to->name = van_arena_slice(a->arena, e->name);
	to->id = van_arena_slice(a->arena, e->id);
	to->content = van_arena_slice(a->arena, e->content);
	return to->name.p && (to->id.p || !e->id.n) && (to->content.p || !e->content.n) && e->content.n == e->bytes;
}

static void fetch(struct sftpd_mailbox *m)
{
	struct sftpd_ahead *a = &m->read_ahead;
	unsigned limit = a->asked ? 2 * a->asked : 2;
	struct ipc_mailbox_list ask = {.folder = IPC_FOLDER_OUT, .section = section_of(a), .after = slice_make(a->name, a->name_n),
				       .limit = limit < SFTPD_AHEAD ? limit : SFTPD_AHEAD, .contents = true};
	struct sftpd_call c = {IPC_MAILBOX_LIST, &ipc_mailbox_list_table, &ask, -1, IPC_MAILBOX_ENTRIES, &ipc_mailbox_entries_table};
	struct ipc_mailbox_entries page;
	a->n = a->next = 0;
	if (!a->arena && !(a->arena = van_arena_new(MEMORY)))
		return;
	van_arena_reset(a->arena);
	if (sftpd_store_call(m->store, &c, &page, NULL) < 0)
		return;
	a->until = van_clock_monotonic() + GOOD;
	for (size_t i = 0; i < page.entries.n && a->n < SFTPD_AHEAD; i++, a->n++)
		if (!keep(a, RECORD_AT(page.entries, struct ipc_mailbox_entry, i)))
			break;
	a->asked = (unsigned)ask.limit;
}

static const struct ipc_mailbox_entry *next(struct sftpd_ahead *a, const struct sftpd_place *at, van_time *ret_until)
{
	if (a->next == a->n || !slice_eq(section_of(a), at->section) || !slice_eq(a->v[a->next].name, at->name) || van_clock_monotonic() >= a->until)
		return NULL;
	*ret_until = a->until;
	return &a->v[a->next++];
}

const struct ipc_mailbox_entry *sftpd_ahead_take(struct sftpd_mailbox *m, const struct sftpd_place *at, van_time *ret_until)
{
	struct sftpd_ahead *a = &m->read_ahead;
	if (at->folder != IPC_FOLDER_OUT || !a->name_n || m->taken_by_download) /* what one session fetched is no other's any more, from then on */
		return NULL;
	const struct ipc_mailbox_entry *e = next(a, at, ret_until);
	if (e)
		return e;
	bool late = a->next < a->n && slice_eq(a->v[a->next].name, at->name);
	if (late) /* no more than it takes in that time */
		a->asked = (unsigned)a->next / 2;
	if (slice_eq(section_of(a), at->section) && (late || a->next == a->n)) {
		fetch(m);
		e = next(a, at, ret_until);
	}
	if (!e) /* it goes another way */
		sftpd_ahead_forget(m);
	return e;
}
