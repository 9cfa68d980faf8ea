/* mailbox get, put and purge; session, ban and user: who comes to the mailboxes, and an operator's hands in them. */
#include "vanctl/client.h"
#include "vanctl/simple.h"

#include "base/slice.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The arguments by their keys, in order; those that were not given are left out. */
static int name_arguments(struct ctl *c, const char *const *keys)
{
	for (size_t i = 0; i < c->nargs; i++) {
		json_t *text = json_string(c->args[i]);
		if (!text)
			return ctl_fail(CTL_USAGE, "the argument is not UTF-8");
		json_object_set_new(c->options, keys[i], text);
	}
	return 0;
}

static int ask_and_say(struct ctl *c, const char *command, const char *const *keys, const char *done)
{
	int status = name_arguments(c, keys);
	return status ? status : simple_do(c, command, NULL, done);
}

/* --- mailbox ---------------------------------------------------------------------------------------------------------------------- */

static const struct ctl_option get_options[] = {
	{"-o", "FILE", "output", CTL_TEXT, NULL, "write here; default standard output"},
	{"--connection", "ID", "connection", CTL_TEXT, NULL, "which mailbox, where a partner has several; default the first"},
	{NULL},
};

static int mailbox_get(struct ctl *c)
{
	static const char *const keys[] = {"partner", "name"};
	int status = name_arguments(c, keys);
	return status ? status : simple_fetch(c, "mailbox.get", NULL);
}

static const struct ctl_option put_options[] = {
	{"--name", "NAME", "name", CTL_TEXT, NULL, "name in the mailbox; default the file's"},
	{"--in", NULL, "in", CTL_FLAG, NULL, "as if the partner had uploaded it; default it waits for the partner"},
	{"--connection", "ID", "connection", CTL_TEXT, NULL, "which mailbox, where a partner has several; default the first"},
	{NULL},
};

static int mailbox_put(struct ctl *c)
{
	const char *slash = strrchr(c->args[1], '/');
	json_t *answer = NULL;
	int fd = open(c->args[1], O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return ctl_fail(CTL_USAGE, "%s: %s", c->args[1], strerror(errno));
	json_object_set_new(c->options, "partner", json_string(c->args[0]));
	if (!ctl_text(c, "name"))
		json_object_set_new(c->options, "name", json_string(slash ? slash + 1 : c->args[1]));
	int status = client_ask_with(c, "mailbox.put", c->options, fd, &answer, NULL);
	close(fd);
	if (!status && c->json)
		print_json(answer);
	else if (!status)
		printf("%s is message %s\n", json_string_value(json_object_get(answer, "name")), json_string_value(json_object_get(answer, "id")));
	json_decref(answer);
	return status;
}

static const struct ctl_option purge_options[] = {
	{"--before", "T", "before", CTL_TIME, NULL, "everything that was put there before"},
	{"--folder", NULL, "folder", CTL_TEXT, "out|uploads|archive|in-archive|out-archive", "in this folder only"},
	{"--connection", "ID", "connection", CTL_TEXT, NULL, "which mailbox, where a partner has several; default the first"},
	{NULL},
};

static int mailbox_purge(struct ctl *c)
{
	static const char *const keys[] = {"partner", "name"};
	json_int_t total = 0;
	bool more = true;
	int status = name_arguments(c, keys);
	while (!status && more) {
		json_t *answer = NULL;
		status = client_ask(c, "mailbox.purge", c->options, &answer, NULL);
		total += json_integer_value(json_object_get(answer, "purged"));
		more = json_is_true(json_object_get(answer, "more"));
		json_decref(answer);
	}
	if (!status && c->json)
		printf("{\"purged\": %" JSON_INTEGER_FORMAT "}\n", total);
	else if (!status)
		printf("%" JSON_INTEGER_FORMAT " files purged; their messages and receipts stay\n", total);
	return status;
}

/* --- sessions --------------------------------------------------------------------------------------------------------------------- */

static const struct print_column session_columns[] = {
	{"ID", "id"}, {"USER", "user"}, {"PARTNER", "partner"}, {"ADDRESS", "address"}, {"SINCE", "since"}, {"METHOD", "method"}, {NULL, NULL},
};

static int session_list(struct ctl *c)
{
	return simple_list(c, "session.list", NULL, session_columns);
}

static int session_kill(struct ctl *c)
{
	return simple_do(c, "session.kill", "id", "is ended");
}

/* --- bans -------------------------------------------------------------------------------------------------------------------------- */

static const struct print_column ban_columns[] = {
	{"NETWORK", "network"}, {"USER", "user"}, {"SINCE", "since"}, {"UNTIL", "until"}, {"BY", "by"}, {"REASON", "reason"}, {NULL, NULL},
};

static int ban_list(struct ctl *c)
{
	return simple_list(c, "ban.list", NULL, ban_columns);
}

static const struct ctl_option ban_options[] = {
	{"--user", "NAME", "user", CTL_TEXT, NULL, "only this user name from there; default everybody"},
	{"--until", "T", "until", CTL_TIME, NULL, "until then; default for good"},
	{"--for", "DURATION", "for", CTL_TEXT, NULL, "for so long: 30m, 12h, 7d"},
	{"--reason", "TEXT", "reason", CTL_TEXT, NULL, "for the list and the receipt"},
	{NULL},
};
static const struct ctl_option unban_options[] = {
	{"--user", "NAME", "user", CTL_TEXT, NULL, "the ban of this user name from there"},
	{NULL},
};

/* "30m": seconds; 0 when it can't be read. */
static json_int_t seconds_of(const char *text)
{
	static const struct {
		char letter;
		json_int_t seconds;
	} units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}};
	char *end;
	long n = strtol(text, &end, 10);
	for (size_t i = 0; n > 0 && n < 100000 && i < 4; i++)
		if (end[0] == units[i].letter && !end[1])
			return n * units[i].seconds;
	return 0;
}

static int ban_add(struct ctl *c)
{
	static const char *const keys[] = {"network"};
	const char *duration = ctl_text(c, "for");
	json_int_t seconds = duration ? seconds_of(duration) : 0;
	if (duration && !seconds)
		return ctl_fail(CTL_USAGE, "--for takes a duration: 30m, 12h, 7d");
	json_object_del(c->options, "for");
	if (seconds)
		json_object_set_new(c->options, "seconds", json_integer(seconds));
	return ask_and_say(c, "ban.add", keys, "is banned");
}

static int ban_remove(struct ctl *c)
{
	static const char *const keys[] = {"network"};
	return ask_and_say(c, "ban.remove", keys, "is not banned any more");
}

/* --- keys -------------------------------------------------------------------------------------------------------------------------- */

static const struct print_column key_columns[] = {
	{"FINGERPRINT", "fingerprint"}, {"TYPE", "type"}, {"KIND", "kind"}, {"STATE", "state"}, {"FROM", "from"}, {"UNTIL", "until"},
	{"COMMENT", "comment"}, {NULL, NULL},
};

static int user_key_list(struct ctl *c)
{
	return simple_list(c, "user.key.list", "user", key_columns);
}

static const struct ctl_option add_options[] = {
	{"--from", "T", "from", CTL_TIME, NULL, "accepted from then on; default now"},
	{"--until", "T", "until", CTL_TIME, NULL, "not accepted from then on; default for good"},
	{NULL},
};

/* The key itself, or the file that holds it (FILE.pub). */
static int user_key_add(struct ctl *c)
{
	static const char *const keys[] = {"user", "key"};
	static char line[16384];
	FILE *f = strchr(c->args[1], ' ') ? NULL : fopen(c->args[1], "re");
	if (!f && !strchr(c->args[1], ' '))
		return ctl_fail(CTL_USAGE, "%s: %s; give the key's file, or the key itself in quotes", c->args[1], strerror(errno));
	if (f) {
		bool read = fgets(line, sizeof line, f) != NULL;
		fclose(f);
		if (!read)
			return ctl_fail(CTL_USAGE, "%s is empty", c->args[1]);
		line[strcspn(line, "\r\n")] = 0;
		c->args[1] = line;
	}
	return ask_and_say(c, "user.key.add", keys, "has one key more");
}

static int user_key_remove(struct ctl *c)
{
	static const char *const keys[] = {"user", "fingerprint"};
	return ask_and_say(c, "user.key.remove", keys, "has one key less");
}

static const struct ctl_option expire_options[] = {
	{"--at", "T", "at", CTL_TIME, NULL, "not accepted from then on; default now"},
	{NULL},
};

static int user_key_expire(struct ctl *c)
{
	static const char *const keys[] = {"user", "fingerprint"};
	return ask_and_say(c, "user.key.expire", keys, "has one key that ends");
}

const struct ctl_command commands_access[] = {
	{"mailbox", "get", "PARTNER NAME", 2, 2, "The bytes of a file of a mailbox, by its name or id, also from archives", get_options, mailbox_get},
	{"mailbox", "put", "PARTNER FILE", 2, 2, "Put a file into a mailbox", put_options, mailbox_put},
	{"mailbox", "purge", "PARTNER [NAME]", 1, 2, "Remove files from a mailbox's view for good; what waited is dropped", purge_options, mailbox_purge},
	{"session", "list", "", 0, 0, "SFTP sessions that are logged in", NULL, session_list},
	{"session", "kill", "ID", 1, 1, "End a session", NULL, session_kill},
	{"ban", "list", "", 0, 0, "Who may not log in, and for how long", NULL, ban_list},
	{"ban", "add", "NETWORK", 1, 1, "Ban an address or network, or one user name from there; its sessions end", ban_options, ban_add},
	{"ban", "remove", "NETWORK", 1, 1, "Lift a ban, and forget the failures that led to it", unban_options, ban_remove},
	{"user", "key list", "USER", 1, 1, "Public keys and authorities of an SFTP user", NULL, user_key_list},
	{"user", "key add", "USER KEY", 2, 2, "Add a public key (or the file that holds it) to an SFTP user's profile", add_options, user_key_add},
	{"user", "key remove", "USER FINGERPRINT", 2, 2, "Remove a key", NULL, user_key_remove},
	{"user", "key expire", "USER FINGERPRINT", 2, 2, "Give a key an end, now or at a time: overlap for a change of keys", expire_options, user_key_expire},
	{NULL},
};
