/* vanctl edi ack: what the receiver of these interchanges owes their senders. Streams: the answers are kept until their
 * interchange ends, not what they answer; only where a rejected message takes others along must all of it be known first. */
#include "vanctl/edi_command.h"

#include "base/record.h"
#include "edi/ack.h"

#include <stdio.h>
#include <unistd.h>

#define LARGEST_OUTPUT ((size_t)512 << 20)
#define FLUSH_AT ((size_t)64 << 10)

struct answers {
	const struct edi_command *c;
	struct van_buf out;
	uint32_t next;    /* control numbers used */
	uint64_t written; /* acknowledgements */
};

static int room(struct answers *a)
{
	return a->out.n < FLUSH_AT ? van_buf_error(&a->out) : edi_flush(&a->out);
}

/* Control numbers from --control on, one after the other. */
static int put_part(struct answers *a, const struct edi_output_part *p, struct van_buf *to)
{
	char digits[EDI_SLOT_MAX];
	size_t n;
	uint32_t number = (a->c->control ? a->c->control : 1) + a->next + (p->level == EDI_LEVEL_GROUP ? p->index : 0);
	if (p->bytes.p)
		return van_buf_append_slice(to, p->bytes);
	int rc = edi_slot_render(p, number, digits, &n);
	return rc < 0 ? rc : van_buf_append(to, digits, n);
}

static int put_json(struct answers *a, const struct edi_output *ack)
{
	struct van_buf text = VAN_BUF_INIT(LARGEST_OUTPUT);
	int rc = 0;
	for (size_t i = 0; i < ack->part_count && rc == 0; i++)
		rc = put_part(a, &ack->parts[i], &text);
	van_buf_append_str(&a->out, a->written ? ",{\"type\":" : "{\"type\":");
	json_put_text(&a->out, ack->type);
	van_buf_append_str(&a->out, ",\"version\":");
	json_put_text(&a->out, ack->version);
	van_buf_append_str(&a->out, ",\"content\":");
	json_put_text(&a->out, van_buf_slice(&text));
	van_buf_append_char(&a->out, '}');
	van_buf_free(&text);
	return rc;
}

/* Large parts go out in pieces: they are in memory once. */
static int put_text(struct answers *a, const struct edi_output *ack)
{
	int rc = 0;
	for (size_t i = 0; i < ack->part_count && rc == 0; i++) {
		struct edi_output_part p = ack->parts[i];
		while (p.bytes.n > FLUSH_AT && rc == 0) {
			van_buf_append(&a->out, p.bytes.p, FLUSH_AT);
			p.bytes = slice_make(p.bytes.p + FLUSH_AT, p.bytes.n - FLUSH_AT);
			rc = room(a);
		}
		rc = rc == 0 ? put_part(a, &p, &a->out) : rc;
	}
	const struct edi_output_part *last = &ack->parts[ack->part_count - 1];
	if (!last->bytes.n || last->bytes.p[last->bytes.n - 1] != '\n')
		van_buf_append_char(&a->out, '\n');
	return rc;
}

static int on_ack(void *ctx, const struct edi_output *ack)
{
	struct answers *a = ctx;
	int rc = a->c->json ? put_json(a, ack) : put_text(a, ack);
	a->next += ack->groups ? ack->groups : 1;
	a->written++;
	return rc == 0 ? room(a) : rc;
}

static int finish(struct answers *a, const struct edi_report *r)
{
	if (!r->interchange_count)
		return edi_fail(EDI_NO, "%s: %.*s", a->c->file, SLICE_ARG(r->errors->text));
	if (!a->written && !a->c->json)
		fputs("vanctl edi: nothing is owed: there are only acknowledgements\n", stderr);
	van_buf_append_str(&a->out, a->c->json ? "]}\n" : "");
	return edi_flush(&a->out) < 0 ? edi_fail(EDI_USAGE, "standard output cannot be written") : EDI_DONE;
}

static int answer_streaming(struct answers *a, struct edi_dictionary_set *set, const struct edi_check_options *check, const struct edi_ack_options *options)
{
	struct van_error e = {0};
	struct edi_acknowledger *acknowledger = edi_acknowledger_new(options, van_clock_now(), on_ack, a);
	struct edi_check_sink sink = acknowledger ? edi_acknowledger_sink(acknowledger) : (struct edi_check_sink){0};
	struct edi_checker *checker = acknowledger ? edi_checker_new(set, check, &sink) : NULL;
	int fd = checker ? edi_open(a->c) : -1, rc = fd < 0 ? VAN_EIO : edi_checker_read(checker, fd, &e), status = EDI_USAGE;
	if (!checker)
		edi_fail(EDI_USAGE, "no memory");
	else if (fd >= 0)
		status = rc < 0 ? edi_fail(EDI_USAGE, "%s: %s", a->c->file, e.text[0] ? e.text : van_err_name(rc)) : finish(a, edi_checker_report(checker));
	if (fd >= 0 && fd != STDIN_FILENO)
		close(fd);
	edi_checker_free(checker);
	edi_acknowledger_free(acknowledger);
	return status;
}

static int answer_whole(struct answers *a, struct edi_dictionary_set *set, const struct edi_check_options *check, const struct edi_ack_options *options)
{
	struct van_error e = {0};
	struct edi_report *r = NULL;
	struct van_arena *arena = van_arena_new(LARGEST_OUTPUT);
	int fd = arena ? edi_open(a->c) : -1, rc = fd < 0 ? VAN_EIO : edi_check_fd(fd, set, check, arena, &r, &e), status = EDI_USAGE;
	for (const struct edi_interchange *i = rc == 0 ? r->interchanges : NULL; i && rc == 0; i = i->next) {
		struct edi_output ack;
		rc = edi_ack_write(i, options, van_clock_now(), arena, &ack, &e);
		if (rc == 0 && ack.part_count)
			rc = on_ack(a, &ack);
	}
	if (!arena)
		edi_fail(EDI_USAGE, "no memory");
	else if (fd >= 0)
		status = rc < 0 ? edi_fail(EDI_USAGE, "%s: %s", a->c->file, e.text[0] ? e.text : van_err_name(rc)) : finish(a, r);
	if (fd >= 0 && fd != STDIN_FILENO)
		close(fd);
	van_arena_free(arena);
	return status;
}

/* --rejects, as validation.rejects in an agreement. False: there is no such word. */
static bool reach(const char *word, enum edi_reach *ret)
{
	static const char *const words[] = {"message", "group", "interchange"};
	for (int i = EDI_REJECTS_MESSAGE; word && i <= EDI_REJECTS_INTERCHANGE; i++)
		if (strcmp(word, words[i]) == 0) {
			*ret = (enum edi_reach)i;
			return true;
		}
	return !word;
}

int edi_run_ack(const struct edi_command *c)
{
	if (c->type && strcmp(c->type, "997") != 0 && strcmp(c->type, "999") != 0)
		return edi_fail(EDI_USAGE, "--type is 997 or 999, not %s", c->type);
	struct edi_ack_options options = {.ta1 = c->ta1, .lines = c->lines, .accepted_messages = true,
		.kind = c->type && strcmp(c->type, "999") == 0 ? EDI_ACK_999 : EDI_ACK_DEFAULT};
	struct edi_check_options check = edi_options(c);
	check.max_errors = UINT32_MAX;
	check.max_messages = UINT32_MAX;
	if (!reach(c->rejects, &check.policy.rejects))
		return edi_fail(EDI_USAGE, "--rejects is message, group or interchange, not %s", c->rejects);
	struct edi_dictionary_set *set = edi_dictionaries(c);
	if (!set)
		return EDI_USAGE;
	struct answers a = {.c = c, .out = VAN_BUF_INIT(LARGEST_OUTPUT)};
	van_buf_append_str(&a.out, c->json ? "{\"acknowledgements\":[" : "");
	int status = check.policy.rejects == EDI_REJECTS_MESSAGE ? answer_streaming(&a, set, &check, &options) : answer_whole(&a, set, &check, &options);
	edi_dictionary_set_free(set);
	van_buf_free(&a.out);
	return status;
}
