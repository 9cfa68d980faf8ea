/* What a person would look at before calling a partner: is it enabled, do its certificates hold, may it log in; and then a real message
 * over each connection that sends, by the same queue as every other, until the partner has answered or the first try has failed. */
#include "vanctl/partner_test.h"

#include "base/clock.h"
#include "base/fdio.h"
#include "vanctl/client.h"
#include "vanctl/print.h"
#include "vanctl/send.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define DAY (86400 * VAN_SECOND)
#define SOON (30 * DAY) /* a certificate that ends within is worth a warning */
#define WAIT_SECONDS 60
#define NEXT_TRY "; next try at " /* as the history ends a try that failed: there is none */
#define LOOK_EVERY (200 * 1000 * 1000L) /* nanoseconds */

const struct ctl_option partner_test_options[] = {
	{"--connection", "C", "connection", CTL_TEXT, NULL, "this connection alone; default: all of the partner's"},
	{"--from", "STATION", "from", CTL_TEXT, NULL, "station that speaks; default: the connection's"},
	{"--file", "FILE", "file", CTL_TEXT, NULL, "send this file; default: a few lines of text that say what they are"},
	{"--type", "TYPE", "content_type", CTL_TEXT, NULL, "Content-Type of FILE; default: by what it is"},
	{"--wait", "SECONDS", "wait", CTL_NUMBER, NULL, "how long to wait for the partner's answer; default 60"},
	{"--no-message", NULL, "no_message", CTL_FLAG, NULL, "send nothing: look at profile, certificates, and what a poll would fetch"},
	{NULL},
};

enum result { RESULT_OK, RESULT_WARNING, RESULT_FAILED, RESULT_SKIPPED };

struct test {
	struct ctl *c;
	const char *connection; /* that is looked at */
	json_t *rows;
	bool failed;
};

static const char *text_of(const json_t *object, const char *key)
{
	const char *s = json_string_value(json_object_get(object, key));
	return s ? s : "";
}

static void say(struct test *t, const char *step, enum result result, const char *fmt, ...) __attribute__((format(printf, 4, 5)));
static void say(struct test *t, const char *step, enum result result, const char *fmt, ...)
{
	static const char *const names[] = {"ok", "warning", "failed", "skipped"};
	char text[2048];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	t->failed |= result == RESULT_FAILED;
	json_array_append_new(t->rows, json_pack("{s:s?,s:s,s:s,s:s}", "connection", t->connection, "step", step, "result", names[result], "text", text));
}

static int show(struct ctl *c, const char *command, const char *id, json_t **ret)
{
	json_t *ask = json_pack("{s:s}", "id", id);
	int status = client_ask(c, command, ask, ret, NULL);
	json_decref(ask);
	return status;
}

/* --- certificates ------------------------------------------------------------------------------------------------------------------ */

static void certificate(struct test *t, const char *use, const json_t *one)
{
	van_time now = van_clock_now(), before = 0, after = 0;
	char begins[PRINT_TIME], ends[PRINT_TIME];
	const char *subject = text_of(one, "subject");
	van_time_parse(slice_str(text_of(one, "not_before")), &before);
	if (van_time_parse(slice_str(text_of(one, "not_after")), &after) < 0)
		return;
	print_value(json_object_get(one, "not_before"), begins, sizeof begins);
	print_value(json_object_get(one, "not_after"), ends, sizeof ends);
	if (after <= now)
		say(t, "certificates", RESULT_FAILED, "%s: %s has ended at %s: ask for a new one, then vanctl cert import", use, subject, ends);
	else if (before > now)
		say(t, "certificates", RESULT_WARNING, "%s: %s begins at %s", use, subject, begins);
	else if (after - now < SOON)
		say(t, "certificates", RESULT_WARNING, "%s: %s ends at %s", use, subject, ends);
	else
		say(t, "certificates", RESULT_OK, "%s: %s until %s", use, subject, ends);
}

static void certificates(struct test *t, const char *use, const json_t *list, const char *when_none)
{
	size_t i;
	json_t *one;
	if (!json_array_size(list) && when_none)
		say(t, "certificates", RESULT_WARNING, "%s: none, so %s", use, when_none);
	json_array_foreach(list, i, one) {
		const json_t *pair = json_object_get(one, "certificate");
		certificate(t, use, pair ? pair : one);
	}
}

static void as2_certificates(struct test *t, const json_t *connection)
{
	const json_t *send = json_object_get(connection, "send");
	json_t *station = NULL;
	certificates(t, "its signatures", json_object_get(json_object_get(connection, "receive"), "certificates"),
		     "what it signs can't be verified");
	if (send && strcmp(text_of(send, "encrypt"), "none"))
		certificates(t, "encrypting for it", json_object_get(send, "certificates"), "nothing can be encrypted for it");
	if (show(t->c, "partner.show", text_of(connection, "station"), &station) == CTL_DONE) {
		const json_t *as2 = json_object_get(station, "as2");
		certificates(t, "our signatures", json_object_get(as2, "sign"), "nothing can be signed");
		certificates(t, "our decryption", json_object_get(as2, "decrypt"), "nothing that it encrypts can be read");
	}
	json_decref(station);
}

/* --- the message -------------------------------------------------------------------------------------------------------------------- */

/* An open file with what is to be sent, and what it is in `request`. */
static int document(struct test *t, json_t *request)
{
	const char *path = ctl_text(t->c, "file"), *slash = path ? strrchr(path, '/') : NULL, *type = path ? ctl_text(t->c, "content_type") : "text/plain";
	char now[VAN_TIME_TEXT], text[400];
	json_object_set_new(request, "file_name", json_string(!path ? "connection-test.txt" : slash ? slash + 1 : path));
	if (type)
		json_object_set_new(request, "content_type", json_string(type));
	if (path)
		return open(path, O_RDONLY | O_CLOEXEC);
	int n = snprintf(text, sizeof text, "This is a test of the connection, made by a person at %s.\r\nIt holds no document. Nothing has to be done with it.\r\n",
			 van_time_rfc3339(now, van_clock_now()));
	int fd = memfd_with("test", text, (size_t)n);
	if (fd >= 0)
		lseek(fd, 0, SEEK_SET);
	return fd;
}

/* In *ret_id, as a new reference, the message's id. */
static int send_it(struct test *t, const char *partner, const char *from, json_t **ret_id)
{
	json_t *request = json_pack("{s:s,s:s,s:s}", "from", from, "to", partner, "connection", t->connection), *answer = NULL;
	const char *name = ctl_text(t->c, "file") ? ctl_text(t->c, "file") : "the test";
	int fd = document(t, request);
	int status = fd < 0 ? ctl_fail(CTL_USAGE, "%s: %s", name, strerror(errno)) : send_file(t->c, fd, name, request, &answer);
	*ret_id = status ? NULL : json_incref(json_object_get(answer, "id"));
	if (fd >= 0)
		close(fd);
	json_decref(request);
	json_decref(answer);
	return status;
}

static bool has_event(const json_t *message, const char *name)
{
	size_t i;
	json_t *one;
	json_array_foreach(json_object_get(message, "history"), i, one)
		if (!strcmp(text_of(one, "event"), name))
			return true;
	return false;
}

static bool is_over(const json_t *message)
{
	static const char *const ends[] = {"delivered", "available", "collected", "failed", "expired", "held", "dropped"};
	const char *delivery = text_of(message, "delivery");
	for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
		if (!strcmp(delivery, ends[i]))
			return true;
	return has_event(message, "try-failed");
}

static int await(struct test *t, const char *id, json_t **ret)
{
	const json_t *wait = json_object_get(t->c->options, "wait");
	van_time until = van_clock_monotonic() + (wait ? json_integer_value(wait) : WAIT_SECONDS) * VAN_SECOND;
	for (;;) {
		int status = show(t->c, "message.show", id, ret);
		if (status || is_over(*ret) || van_clock_monotonic() >= until)
			return status;
		json_decref(*ret);
		*ret = NULL;
		nanosleep(&(struct timespec){.tv_nsec = LOOK_EVERY}, NULL);
	}
}

/* What came of it: each step that the partner had a part in, as the message's history tells it. */
static void judge(struct test *t, const char *id, const json_t *message)
{
	const char *delivery = text_of(message, "delivery");
	bool failed = false, ok = !strcmp(delivery, "delivered") || !strcmp(delivery, "available") || !strcmp(delivery, "collected");
	size_t i;
	json_t *one;
	json_array_foreach(json_object_get(message, "history"), i, one) {
		const char *event = text_of(one, "event"), *text = text_of(one, "text");
		failed |= !strcmp(event, "try-failed") || !strcmp(event, "dead-letter");
		if (!strcmp(event, "try-failed") || !strcmp(event, "dead-letter"))
			say(t, "answer", RESULT_FAILED, "%.*s", (int)(strstr(text, NEXT_TRY) ? strstr(text, NEXT_TRY) - text : (ptrdiff_t)strlen(text)), text);
		else if (!strcmp(event, "mdn-received") || !strcmp(event, "delivered"))
			say(t, "answer", RESULT_OK, "%s", text);
	}
	if (!ok && !failed)
		say(t, "answer", RESULT_FAILED, "%s%s%s; vanctl message show %s tells more", !strcmp(delivery, "awaiting-mdn") ? "it was taken, but its MDN has not come yet" :
		    is_over(message) ? delivery : "no answer yet", text_of(message, "error")[0] ? ": " : "", text_of(message, "error"), id);
	if (failed) { /* it is a test: nobody wants it an hour later */
		json_t *ask = json_pack("{s:s}", "id", id);
		client_ask(t->c, "queue.drop", ask, NULL, NULL);
		json_decref(ask);
	}
}

static int message(struct test *t, const char *partner, const char *from)
{
	json_t *id = NULL, *shown = NULL;
	int status = send_it(t, partner, from, &id);
	if (!status)
		status = await(t, json_string_value(id), &shown);
	if (!status) {
		say(t, "message", RESULT_OK, "sent by %s as message %s", from, json_string_value(id));
		judge(t, json_string_value(id), shown);
	}
	json_decref(id);
	json_decref(shown);
	return status;
}

/* --- connections ---------------------------------------------------------------------------------------------------------------------- */

/* When the partner last sent something that was taken over this connection. */
static void last_received(struct test *t, const char *partner)
{
	json_t *ask = json_pack("{s:s,s:s,s:i}", "partner", partner, "direction", "in", "limit", 1), *list = NULL;
	if (client_ask(t->c, "message.list", ask, &list, NULL) == CTL_DONE) {
		const json_t *time = json_object_get(json_array_get(list, 0), "time");
		char last[PRINT_TIME];
		say(t, "message", RESULT_SKIPPED, "nothing can be sent over it: ask the partner to send something; %s%s", time ? "the last message came at " :
		    "nothing ever came", time ? print_value(time, last, sizeof last) : "");
	}
	json_decref(ask);
	json_decref(list);
}

static void log_in(struct test *t, const json_t *connection)
{
	bool key = json_array_size(json_object_get(connection, "keys")) || json_array_size(json_object_get(connection, "authorities"));
	bool password = text_of(connection, "password")[0];
	if (!key && !password)
		say(t, "log-in", RESULT_FAILED, "user %s has neither key nor password: vanctl user key add", text_of(connection, "user"));
	else
		say(t, "log-in", RESULT_OK, "user %s has a %s", text_of(connection, "user"), key ? "key" : "password");
	say(t, "message", RESULT_SKIPPED, "the partner fetches by itself");
}

static void told_file(char *to, size_t room, const json_t *f)
{
	const char *fate = text_of(f, "fate");
	snprintf(to, room, "%s, %lld bytes%s", text_of(f, "name"), (long long)json_integer_value(json_object_get(f, "bytes")),
		 !strcmp(fate, "taken") ? ": was fetched before" : !strcmp(fate, "too-large") ? ": larger than this connection takes, it stays there" : ": would be fetched");
}

/* The partner's server: reached, its host key, the log-in, the folder, and what would be fetched there. Nothing is. */
static int look_there(struct test *t)
{
	json_t *ask = json_pack("{s:s}", "connection", t->connection), *found = NULL, *one;
	int status = client_ask(t->c, "partner.look", ask, &found, NULL);
	size_t i;
	json_decref(ask);
	if (status == CTL_NO) { /* it was said why */
		say(t, "poll", RESULT_FAILED, "no look at its server");
		return CTL_DONE;
	}
	if (!status && json_is_false(json_object_get(found, "ok"))) {
		say(t, json_is_true(json_object_get(found, "reached")) ? "poll" : "log-in", RESULT_FAILED, "%s", text_of(found, "text"));
	} else if (!status) {
		say(t, "log-in", RESULT_OK, "its server shows the profile's host key, and lets us in");
		long long wanted = json_integer_value(json_object_get(found, "wanted")), others = json_integer_value(json_object_get(found, "others"));
		say(t, "poll", RESULT_OK, "%lld file%s would be fetched, of %lld with a name for it; %lld other%s left alone", wanted, wanted == 1 ? "" : "s",
		    (long long)json_integer_value(json_object_get(found, "listed")), others, others == 1 ? " is" : "s are");
		json_array_foreach(json_object_get(found, "files"), i, one) {
			char text[512];
			told_file(text, sizeof text, one);
			say(t, "poll", !strcmp(text_of(one, "fate"), "too-large") ? RESULT_WARNING : RESULT_OK, "%s", text);
		}
	}
	json_decref(found);
	return status;
}

/* The station named, that of the connection, or the network's first. */
static json_t *speaker(struct test *t, const json_t *connection)
{
	const char *named = ctl_text(t->c, "from") ? ctl_text(t->c, "from") : text_of(connection, "station");
	json_t *ask = json_pack("{s:s}", "kind", "station"), *list = NULL, *found = named[0] ? json_string(named) : NULL;
	if (!found && client_ask(t->c, "partner.list", ask, &list, NULL) == CTL_DONE)
		found = json_incref(json_object_get(json_array_get(list, 0), "id"));
	json_decref(ask);
	json_decref(list);
	return found;
}

static int look_at(struct test *t, const char *partner, const json_t *connection)
{
	const char *protocol = text_of(connection, "protocol");
	bool as2 = !strcmp(protocol, "as2");
	if (json_is_false(json_object_get(connection, "enabled"))) {
		say(t, "profile", RESULT_SKIPPED, "the connection is disabled");
		return CTL_DONE;
	}
	if (as2)
		as2_certificates(t, connection);
	if (!strcmp(protocol, "sftp-mailbox")) {
		log_in(t, connection);
		return CTL_DONE;
	}
	if (json_is_object(json_object_get(connection, "poll"))) {
		int status = look_there(t);
		if (status)
			return status;
	}
	if (!json_is_object(json_object_get(connection, as2 ? "send" : "push"))) {
		last_received(t, partner);
		return CTL_DONE;
	}
	if (json_is_true(json_object_get(t->c->options, "no_message"))) {
		say(t, "message", RESULT_SKIPPED, "not asked for");
		return CTL_DONE;
	}
	json_t *from = speaker(t, connection);
	int status = from ? message(t, partner, json_string_value(from)) : ctl_fail(CTL_NO, "there is no station that could send: vanctl partner list --kind station");
	json_decref(from);
	return status;
}

static int look_at_all(struct test *t, const json_t *profile)
{
	const char *wanted = ctl_text(t->c, "connection");
	size_t i, looked = 0;
	json_t *one;
	json_array_foreach(json_object_get(profile, "connections"), i, one) {
		t->connection = text_of(one, "id");
		if (wanted && strcmp(wanted, t->connection))
			continue;
		int status = look_at(t, t->c->args[0], one);
		looked++;
		if (status)
			return status;
	}
	if (!looked)
		return ctl_fail(CTL_NO, "partner '%s' has no connection%s%s; vanctl partner show %s", t->c->args[0], wanted ? " " : "", wanted ? wanted : "",
				t->c->args[0]);
	return CTL_DONE;
}

int partner_test(struct ctl *c)
{
	static const struct print_column columns[] = {
		{"CONNECTION", "connection"}, {"STEP", "step"}, {"RESULT", "result"}, {"WHAT", "text"}, {NULL, NULL},
	};
	struct test t = {.c = c, .rows = json_array()};
	json_t *profile = NULL;
	int status = show(c, "partner.show", c->args[0], &profile);
	if (!status && strcmp(text_of(profile, "kind"), "partner"))
		status = ctl_fail(CTL_NO, "'%s' is no partner but a %s; vanctl partner list shows partners", c->args[0], text_of(profile, "kind"));
	if (!status && json_is_false(json_object_get(profile, "enabled")))
		say(&t, "profile", RESULT_FAILED, "the partner is disabled: vanctl partner enable %s", c->args[0]);
	else if (!status)
		status = look_at_all(&t, profile);
	if (json_array_size(t.rows))
		c->json ? print_json(t.rows) : print_table(t.rows, columns);
	json_decref(t.rows);
	json_decref(profile);
	return status ? status : t.failed ? CTL_NO : CTL_DONE;
}
