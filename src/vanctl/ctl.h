/* A vanctl command: its place in the table, its options, what it runs with. Every command answers an exit status:
 * 0 done, 1 the answer is no, 2 usage or environment. */
#ifndef OPENVAN_VANCTL_CTL_H
#define OPENVAN_VANCTL_CTL_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

enum { CTL_DONE = 0, CTL_NO = 1, CTL_USAGE = 2 };

enum ctl_option_kind { CTL_TEXT, CTL_TIME, CTL_NUMBER, CTL_FLAG, CTL_TEXTS }; /* TEXTS: may be given again and again */

struct ctl_option {
	const char *name;    /* "--partner"; NULL ends a list */
	const char *value;   /* how help names the value: "P"; NULL for flags */
	const char *key;     /* in ctl.options, and in the request */
	enum ctl_option_kind kind;
	const char *choices; /* "in|out": nothing else is taken; NULL: anything */
	const char *help;
};

struct ctl;
struct ctl_command {
	const char *noun, *verb; /* verb NULL: the noun is the whole command; it may be two words: "key add" */
	const char *arguments;   /* "ID", "FILE…"; "" for none */
	size_t least, most;      /* how many of them */
	const char *help;
	const struct ctl_option *options; /* NULL: none */
	int (*run)(struct ctl *c);
};

/* What a command gets. */
struct ctl {
	const struct ctl_command *command;
	const char *config; /* path of vand.yaml */
	bool json;
	json_t *options;    /* object: by key, text, number, true or array of texts */
	const char **args;
	size_t nargs;
};

/* The option's text; NULL when it was not given. */
const char *ctl_text(const struct ctl *c, const char *key);

/* "vanctl: …" on standard error, one line; returns `status`. */
int ctl_fail(int status, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Tables of commands, each ends with noun NULL. */
extern const struct ctl_command commands_network[];  /* init, status */
extern const struct ctl_command commands_partner[];  /* partner, cert */
extern const struct ctl_command commands_message[];  /* message, mailbox, queue, ack */
extern const struct ctl_command commands_access[];   /* mailbox, session, ban, user */
extern const struct ctl_command commands_control[];  /* control */
extern const struct ctl_command commands_route[];    /* route */
extern const struct ctl_command commands_receipt[];  /* receipt */

#endif
