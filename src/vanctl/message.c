/* message, mailbox, queue and ack: what moved, what waits, what is owed. */
#include "vanctl/simple.h"

#include <stdlib.h>
#include <string.h>

static const struct print_column list_columns[] = {
	{"ID", "id"}, {"TIME", "time"}, {"DIR", "direction"}, {"VIA", "protocol"}, {"PARTNER", "partner"}, {"FROM", "from"},
	{"TO", "to"}, {"TYPE", "type"}, {"CONTROL", "control_number"}, {"BYTES", "bytes"}, {"STATE", "state"},
	{"DELIVERY", "delivery"}, {"ACK", "ack"}, {NULL, NULL},
};

static const struct ctl_option list_options[] = {
	{"--partner", "P", "partner", CTL_TEXT, NULL, "of this partner"},
	{"--direction", NULL, "direction", CTL_TEXT, "in|out", "received or sent"},
	{"--since", "T", "since", CTL_TIME, NULL, "not older than this"},
	{"--until", "T", "until", CTL_TIME, NULL, "older than this"},
	{"--type", "T", "type", CTL_TEXT, NULL, "document type, such as 850 or ORDERS"},
	{"--from", "ID", "from", CTL_TEXT, NULL, "sender identity, such as \"x12 ZZ:ACME\""},
	{"--to", "ID", "to", CTL_TEXT, NULL, "receiver identity"},
	{"--env", NULL, "env", CTL_TEXT, "test|production", "environment"},
	{"--state", NULL, "state", CTL_TEXT, "received|held|duplicate|unroutable|rejected|quarantined|processed", "of the message"},
	{"--delivery", NULL, "delivery", CTL_TEXT,
	 "queued|trying|awaiting-mdn|delivered|available|collected|failed|expired|held|dropped", "state of its delivery"},
	{"--ack", NULL, "ack", CTL_TEXT,
	 "none|expected|accepted|accepted-with-errors|partially-accepted|rejected|overdue|unmatched", "state of its acknowledgement"},
	{"--search", "TEXT", "search", CTL_TEXT, NULL,
	 "a control number, PO, invoice or shipment number, AS2 Message-ID, file name or SHA-256"},
	{"--limit", "N", "limit", CTL_NUMBER, NULL, "at most this many, newest first; default 100"},
	{NULL},
};

static int message_list(struct ctl *c)
{
	return simple_list(c, "message.list", NULL, list_columns);
}

static const struct print_column show_columns[] = {
	{"Id", "id"}, {"Time", "time"}, {"Direction", "direction"}, {"Protocol", "protocol"}, {"Partner", "partner"},
	{"Connection", "connection"}, {"From", "from"}, {"To", "to"}, {"Environment", "env"}, {"Standard", "standard"},
	{"Type", "type"}, {"Version", "version"}, {"Control number", "control_number"}, {"AS2 Message-ID", "as2_message_id"},
	{"File name", "file_name"}, {"Bytes", "bytes"}, {"SHA-256", "sha256"}, {"State", "state"}, {"Delivery", "delivery"},
	{"Acknowledgement", "ack"}, {"Agreement", "agreement"}, {"Parent", "parent"}, {"Children", "children"},
	{"Error", "error"}, {"Left out", "report"}, {NULL, NULL},
};
static const struct print_column history_columns[] = {
	{"TIME", "time"}, {"EVENT", "event"}, {"TEXT", "text"}, {"RECEIPT", "receipt"}, {NULL, NULL},
};
static const struct print_column part_columns[] = {{"PART", "name"}, {"BYTES", "bytes"}, {"SHA-256", "sha256"}, {NULL, NULL}};

static int message_show(struct ctl *c)
{
	json_t *answer = NULL;
	int status = simple_ask(c, "message.show", "id", &answer, NULL);
	if (!status && c->json) {
		print_json(answer);
	} else if (!status) {
		print_fields(answer, show_columns);
		putchar('\n');
		print_table(json_object_get(answer, "parts"), part_columns);
		putchar('\n');
		print_table(json_object_get(answer, "history"), history_columns);
	}
	json_decref(answer);
	return status;
}

static const struct ctl_option get_options[] = {
	{"--part", "NAME", "part", CTL_TEXT, NULL,
	 "which part: payload (the default), raw, mdn, ack, translated, headers, signed, or another that `message show` lists"},
	{"-o", "FILE", "output", CTL_TEXT, NULL, "write here; default standard output"},
	{NULL},
};

static int message_get(struct ctl *c)
{
	if (!ctl_text(c, "part"))
		json_object_set_new(c->options, "part", json_string("payload"));
	return simple_fetch(c, "message.get", "id");
}

static const struct print_column mailbox_columns[] = {
	{"ID", "id"}, {"NAME", "name"}, {"BYTES", "bytes"}, {"TIME", "time"}, {"STATE", "state"}, {NULL, NULL},
};

static const struct ctl_option mailbox_options[] = {
	{"--all", NULL, "all", CTL_FLAG, NULL, "also what was taken, and uploads under way"},
	{"--folder", "F", "folder", CTL_TEXT, NULL, "out (the default), uploads, in-archive, out-archive or archive (both)"},
	{"--limit", "N", "limit", CTL_NUMBER, NULL, "at most this many; default 1000"},
	{NULL},
};

static const struct print_column usage_columns[] = {
	{"CONNECTION", "connection"}, {"BYTES", "bytes"}, {"LIMIT", "bytes_limit"}, {"FILES", "files"}, {"LIMIT", "files_limit"},
	{"UPLOADS TODAY", "uploads_today"}, {"LIMIT", "uploads_today_limit"}, {NULL, NULL},
};

static int mailbox_usage(struct ctl *c)
{
	return simple_list(c, "mailbox.usage", "partner", usage_columns);
}

static int mailbox_list(struct ctl *c)
{
	return simple_list(c, "mailbox.list", "partner", mailbox_columns);
}

static const struct print_column queue_columns[] = {
	{"ID", "id"}, {"MESSAGE", "message"}, {"CONNECTION", "connection"}, {"TRIES", "tries"}, {"NEXT", "next"},
	{"LAST ERROR", "last_error"}, {"STATE", "state"}, {NULL, NULL},
};

static const struct ctl_option queue_options[] = {
	{"--state", NULL, "state", CTL_TEXT, "queued|trying|awaiting-mdn|failed|expired|held", "in this state"},
	{"--connection", "C", "connection", CTL_TEXT, NULL, "over this connection"},
	{"--limit", "N", "limit", CTL_NUMBER, NULL, "at most this many, oldest first; default 1000"},
	{NULL},
};

static const struct print_column delivery_columns[] = {
	{"Id", "id"}, {"Message", "message"}, {"Kind", "kind"}, {"Partner", "partner"}, {"Connection", "connection"}, {"Address", "url"},
	{"State", "state"}, {"Tries", "tries"}, {"Created", "created"}, {"Next", "next"}, {"Last error", "last_error"}, {NULL, NULL},
};

static int queue_show(struct ctl *c)
{
	json_t *answer = NULL;
	int status = simple_ask(c, "queue.show", "id", &answer, NULL);
	if (!status && c->json)
		print_json(answer);
	else if (!status)
		print_fields(answer, delivery_columns);
	json_decref(answer);
	return status;
}

static int queue_list(struct ctl *c)
{
	return simple_list(c, "queue.list", NULL, queue_columns);
}

static const struct ctl_option ack_options[] = {
	{"--overdue", NULL, "overdue", CTL_FLAG, NULL, "only those whose time is over"},
	{"--unmatched", NULL, "unmatched", CTL_FLAG, NULL, "acknowledgements that belong to nothing we know"},
	{"--limit", "N", "limit", CTL_NUMBER, NULL, "at most this many; default 100"},
	{NULL},
};

static int ack_list(struct ctl *c)
{
	return simple_list(c, "ack.list", NULL, list_columns);
}

const struct ctl_command commands_message[] = {
	{"message", "list", "", 0, 0, "List messages, newest first", list_options, message_list},
	{"message", "show", "ID", 1, 1, "Everything known about one message", NULL, message_show},
	{"message", "get", "ID", 1, 1, "The bytes of one part of a message", get_options, message_get},
	{"mailbox", "list", "PARTNER", 1, 1, "What waits in a partner's mailbox", mailbox_options, mailbox_list},
	{"mailbox", "usage", "PARTNER", 1, 1, "What a partner's uploads take of its mailbox, and what they may", NULL, mailbox_usage},
	{"queue", "list", "", 0, 0, "Deliveries with their next try and last error", queue_options, queue_list},
	{"queue", "show", "ID", 1, 1, "One delivery", NULL, queue_show},
	{"ack", "list", "", 0, 0, "Messages whose acknowledgement is still owed", ack_options, ack_list},
	{NULL},
};
