/* vanctl edi ack: what the receiver of these interchanges owes their senders. */
#include "vanctl/edi_command.h"

#include "base/record.h"
#include "edi/ack.h"

#include <stdio.h>

#define REPORT_MEMORY ((size_t)512 << 20)
#define MAX_GROUPS 1024

/* Control numbers from --control on, one after the other. */
static int render(const struct edi_command *c, const struct edi_output *ack, uint32_t *next, struct van_buf *to)
{
	uint32_t interchange = c->control + *next, groups[MAX_GROUPS];
	if (ack->groups > MAX_GROUPS)
		return VAN_ELIMIT;
	for (uint32_t i = 0; i < ack->groups; i++)
		groups[i] = c->control + *next + i;
	*next += ack->groups ? ack->groups : 1;
	return edi_output_render(ack, &interchange, groups, to);
}

static void as_json(const struct edi_output *ack, const struct van_buf *text, bool first, struct van_buf *to)
{
	van_buf_append_str(to, first ? "{\"type\":" : ",{\"type\":");
	json_put_text(to, ack->type);
	van_buf_append_str(to, ",\"version\":");
	json_put_text(to, ack->version);
	van_buf_append_str(to, ",\"content\":");
	json_put_text(to, van_buf_slice(text));
	van_buf_append_char(to, '}');
}

static int answer(const struct edi_command *c, const struct edi_report *r, struct van_arena *arena, struct van_buf *out)
{
	struct edi_ack_options options = {.ta1 = c->ta1, .lines = c->lines, .accepted_messages = true,
		.kind = c->type && strcmp(c->type, "999") == 0 ? EDI_ACK_999 : EDI_ACK_DEFAULT};
	struct van_buf text = VAN_BUF_INIT(REPORT_MEMORY);
	uint32_t next = 0, written = 0;
	int rc = 0;
	for (const struct edi_interchange *i = r->interchanges; i && rc == 0; i = i->next) {
		struct edi_output ack;
		struct van_error e = {0};
		rc = edi_ack_write(i, &options, van_clock_now(), arena, &ack, &e);
		if (rc == 0 && !ack.part_count)
			continue;
		van_buf_reset(&text);
		if (rc == 0)
			rc = render(c, &ack, &next, &text);
		if (rc == 0 && c->json)
			as_json(&ack, &text, written == 0, out);
		else if (rc == 0)
			van_buf_append_slice(out, van_buf_slice(&text));
		if (rc == 0 && !c->json && (!text.n || text.p[text.n - 1] != '\n'))
			van_buf_append_char(out, '\n');
		written++;
	}
	van_buf_free(&text);
	if (rc < 0)
		return edi_fail(EDI_USAGE, "the acknowledgement cannot be written: %s", van_err_name(rc));
	if (!written && !c->json)
		fputs("vanctl edi: nothing is owed: there are only acknowledgements\n", stderr);
	return EDI_DONE;
}

int edi_run_ack(const struct edi_command *c)
{
	if (c->type && strcmp(c->type, "997") != 0 && strcmp(c->type, "999") != 0)
		return edi_fail(EDI_USAGE, "--type is 997 or 999, not %s", c->type);
	struct edi_dictionary_set *set = edi_dictionaries();
	struct van_arena *arena = van_arena_new(REPORT_MEMORY);
	struct van_buf in = {0}, out = VAN_BUF_INIT(REPORT_MEMORY);
	struct edi_report *r = NULL;
	struct van_error e = {0};
	int status = set && arena ? edi_read(c, &in) : EDI_USAGE;
	if (status == EDI_DONE && edi_check_bytes(van_buf_slice(&in), set, NULL, arena, &r, &e) < 0)
		status = edi_fail(EDI_USAGE, "%s: %s", c->file, e.text);
	if (status == EDI_DONE && !r->interchanges)
		status = edi_fail(EDI_NO, "%s: %.*s", c->file, SLICE_ARG(r->errors->text));
	if (status == EDI_DONE && c->json)
		van_buf_append_str(&out, "{\"acknowledgements\":[");
	if (status == EDI_DONE)
		status = answer(c, r, arena, &out);
	if (status == EDI_DONE && c->json)
		van_buf_append_str(&out, "]}\n");
	if (status == EDI_DONE && edi_flush(&out) < 0)
		status = edi_fail(EDI_USAGE, "standard output cannot be written");
	van_buf_free(&in);
	van_buf_free(&out);
	van_arena_free(arena);
	edi_dictionary_set_free(set);
	return status;
}
