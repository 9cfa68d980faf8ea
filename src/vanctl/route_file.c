#include "vanctl/route_file.h"

#include "base/error.h"
#include "edi/check.h"
#include "vanctl/ctl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* "x12 ZZ:ACME" of "ZZ:ACME". */
static json_t *identity(const struct edi_interchange *i, struct slice address)
{
	char text[256];
	snprintf(text, sizeof text, "%s %.*s", i->standard == EDI_X12 ? "x12" : "edifact", SLICE_ARG(address));
	return json_string(text);
}

static json_t *text(struct slice s)
{
	return s.n ? json_stringn(s.p, s.n) : json_null();
}

static bool asked_already(const json_t *questions, const json_t *question)
{
	size_t i;
	json_t *q;
	json_array_foreach (questions, i, q)
		if (json_equal(q, question))
			return true;
	return false;
}

static void add_interchange(const struct edi_interchange *i, json_t *questions)
{
	for (const struct edi_group *g = i->groups; g; g = g->next)
		for (const struct edi_message *m = g->messages; m; m = m->next) {
			json_t *q = json_pack("{s:o*, s:o*, s:o*, s:o*, s:s}", "from", identity(i, i->sender), "to",
					      identity(i, i->receiver), "type", text(m->type), "version", text(m->version), "env",
					      i->usage == 'T' ? "test" : "production");
			if (q && !asked_already(questions, q))
				json_array_append(questions, q);
			json_decref(q);
		}
}

int route_questions_of_file(const char *path, json_t *questions)
{
	int fd = strcmp(path, "-") ? open(path, O_RDONLY | O_CLOEXEC) : STDIN_FILENO;
	if (fd < 0)
		return ctl_fail(CTL_USAGE, "%s: %s; give the path of a file, or - for standard input", path, strerror(errno));
	struct van_arena *arena = van_arena_new(0);
	struct edi_check_options options = {.envelopes_only = true};
	struct edi_report *report = NULL;
	struct van_error e = {0};
	int rc = arena ? edi_check_fd(fd, NULL, &options, arena, &report, &e) : VAN_ENOMEM, status = CTL_DONE;
	if (rc < 0)
		status = ctl_fail(CTL_USAGE, "%s: %s", path, e.text[0] ? e.text : van_err_name(rc));
	else
		for (const struct edi_interchange *i = report->interchanges; i; i = i->next)
			add_interchange(i, questions);
	if (!status && !json_array_size(questions))
		status = ctl_fail(CTL_NO, "%s holds no EDI message; look at it with vanctl edi inspect. A file without EDI goes by \"documents\" of "
				  "its connection: ask with --from ID --to ID --type order", path);
	if (fd != STDIN_FILENO)
		close(fd);
	van_arena_free(arena);
	return status;
}
