/* init and status. */
#include "vanctl/init.h"
#include "vanctl/simple.h"

#include <string.h>

static const struct ctl_option init_options[] = {
	{"--as2-id", "ID", "as2_id", CTL_TEXT, NULL, "the station's AS2 name"},
	{"--edi-id", "QUAL:ID", "edi_id", CTL_TEXT, NULL, "the station's EDI address, such as ZZ:HUBNET"},
	{"--name", "NAME", "name", CTL_TEXT, NULL, "the network's name; default the AS2 name"},
	{"--id", "ID", "id", CTL_TEXT, NULL, "the station's id in profiles; default made from the AS2 name"},
	{"--host", "HOST", "host", CTL_TEXT, NULL, "host name for Message-IDs and receipts; default this machine's"},
	{"--as2-port", "PORT", "as2_port", CTL_NUMBER, NULL, "AS2 over HTTP; default 4080"},
	{"--as2-tls-port", "PORT", "as2_tls_port", CTL_NUMBER, NULL, "AS2 over HTTPS; default 4443"},
	{"--sftp-port", "PORT", "sftp_port", CTL_NUMBER, NULL, "SFTP; default 2222"},
	{"--admin-port", "PORT", "admin_port", CTL_NUMBER, NULL, "API and console, on 127.0.0.1; default 8080"},
	{NULL},
};

static const struct print_column status_columns[] = {
	{"Ready", "ready"}, {"Listeners", "listeners"}, {"Sending is held", "sending_held"}, {"Queue", "depth"}, {"Oldest in queue", "oldest"}, {"Acks overdue", "acks_overdue"},
	{"Certificates expiring", "certificates_expiring"}, {"Receipts", "size"}, {"Checkpoint age, s", "checkpoint_age"}, {NULL, NULL},
};
static const struct print_column role_columns[] = {
	{"ROLE", "name"}, {"POOL", "pool"}, {"PID", "pid"}, {"STATE", "state"}, {"RESTARTS", "restarts"}, {NULL, NULL},
};
static const struct print_column expiring_columns[] = {
	{"EXPIRING", "profile"}, {"NOT AFTER", "not_after"}, {"SUBJECT", "subject"}, {"FINGERPRINT", "fingerprint"}, {NULL, NULL},
};

static const struct print_column key_columns[] = {
	{"UNUSABLE KEY", "key_id"}, {"WHY", "text"}, {NULL, NULL},
};

/* For people: the figures, the roles, and the certificates that want a successor. */
static void print_status(const json_t *answer)
{
	const json_t *expiring = json_object_get(answer, "certificates_expiring");
	json_t *all = json_copy((json_t *)answer); /* with the inner objects' fields beside the others */
	json_object_update(all, json_object_get(answer, "queue"));
	json_object_update(all, json_object_get(answer, "receipts"));
	json_object_set_new(all, "certificates_expiring", json_integer((json_int_t)json_array_size(expiring)));
	print_fields(all, status_columns);
	json_decref(all);
	putchar('\n');
	print_table(json_object_get(answer, "roles"), role_columns);
	if (json_array_size(expiring)) {
		putchar('\n');
		print_table(expiring, expiring_columns);
	}
	if (json_array_size(json_object_get(answer, "keys_unusable"))) {
		putchar('\n');
		print_table(json_object_get(answer, "keys_unusable"), key_columns);
	}
}

static int network_status(struct ctl *c)
{
	json_t *answer = NULL;
	int status = simple_ask(c, "status", NULL, &answer, NULL);
	if (!status && c->json)
		print_json(answer);
	else if (!status)
		print_status(answer);
	json_decref(answer);
	return status;
}

const struct ctl_command commands_network[] = {
	{"init", NULL, "DIR", 1, 1, "Make a new network: configuration, keys, certificates, station profile", init_options, network_init},
	{"status", NULL, "", 0, 0, "Roles, listeners, queue, overdue acknowledgements, certificates, receipts", NULL, network_status},
	{NULL},
};
