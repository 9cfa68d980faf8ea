/* message send, resend, reprocess. */
#include "vanctl/send.h"

#include "base/codec.h"
#include "base/error.h"
#include "base/fdio.h"
#include "base/id.h"
#include "receipt/leaf.h"
#include "vanctl/client.h"
#include "vanctl/simple.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <string.h>
#include <unistd.h>

#define CHUNK ((size_t)1 << 18)

/* --- send ------------------------------------------------------------------------------------------------------------------ */

static const struct ctl_option send_options[] = {
	{"--from", "P", "from", CTL_TEXT, NULL, "station that speaks (or the partner whose document it is)"},
	{"--to", "P", "to", CTL_TEXT, NULL, "partner that gets it"},
	{"--connection", "C", "connection", CTL_TEXT, NULL, "of the partner; default: the first over which something can be sent"},
	{"--name", "NAME", "file_name", CTL_TEXT, NULL, "file name that the partner sees; default: that of FILE"},
	{"--type", "TYPE", "content_type", CTL_TEXT, NULL, "Content-Type of the document; default: by what it is"},
	{NULL},
};

struct hashes {
	EVP_MD_CTX *plain, *salted;
	unsigned char salt[RECEIPT_SALT];
};

static int copy(int from, int to, struct hashes *h)
{
	static char room[CHUNK];
	for (;;) {
		ssize_t n = read(from, room, sizeof room);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? (int)van_err_from_errno(errno) : 0;
		EVP_DigestUpdate(h->plain, room, (size_t)n);
		EVP_DigestUpdate(h->salted, room, (size_t)n);
		int rc = fd_write_all(to, room, (size_t)n);
		if (rc < 0)
			return rc;
	}
}

static void set_hex(json_t *request, const char *key, const void *p, size_t n)
{
	char text[2 * 64 + 1];
	json_object_set_new(request, key, json_string(hex_encode(text, p, n)));
}

/* Writes the document into vand's own file, so that nothing is copied when it becomes a message. */
static int fill(json_t *request, const char *name, int from, int to)
{
	unsigned char plain[EVP_MAX_MD_SIZE], salted[EVP_MAX_MD_SIZE];
	struct hashes h = {EVP_MD_CTX_new(), EVP_MD_CTX_new(), {0}};
	van_random(h.salt, sizeof h.salt);
	bool ok = h.plain && h.salted && EVP_DigestInit_ex(h.plain, EVP_sha256(), NULL) && EVP_DigestInit_ex(h.salted, EVP_sha256(), NULL) &&
		  EVP_DigestUpdate(h.salted, h.salt, sizeof h.salt);
	int rc = ok ? copy(from, to, &h) : VAN_ENOMEM;
	if (rc == 0 && fdatasync(to) < 0) /* here, so that vand's own flush is short, whatever the size */
		rc = van_err_from_errno(errno);
	if (rc == 0 && (!EVP_DigestFinal_ex(h.plain, plain, NULL) || !EVP_DigestFinal_ex(h.salted, salted, NULL)))
		rc = VAN_ECRYPTO;
	EVP_MD_CTX_free(h.plain);
	EVP_MD_CTX_free(h.salted);
	if (rc < 0)
		return ctl_fail(CTL_USAGE, "%s could not be handed to vand: %s", name, van_err_name(rc));
	set_hex(request, "sha256", plain, 32);
	set_hex(request, "salt", h.salt, sizeof h.salt);
	set_hex(request, "salted_sha256", salted, 32);
	return CTL_DONE;
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? slash + 1 : path;
}

int send_file(struct ctl *c, int file, const char *name, json_t *request, json_t **ret_answer)
{
	int room = -1, status = client_ask(c, "message.room", NULL, NULL, &room);
	if (!status)
		status = fill(request, name, file, room);
	if (!status)
		status = client_ask_with(c, "message.send", request, room, ret_answer, NULL);
	if (room >= 0)
		close(room);
	return status;
}

static int message_send(struct ctl *c)
{
	json_t *answer = NULL;
	bool standard_input = strcmp(c->args[0], "-") == 0;
	if (!ctl_text(c, "from") || !ctl_text(c, "to"))
		return ctl_fail(CTL_USAGE, "say from whom and to whom: --from P --to P");
	int from = standard_input ? STDIN_FILENO : open(c->args[0], O_RDONLY | O_CLOEXEC);
	if (from < 0)
		return ctl_fail(CTL_USAGE, "%s: %s; give the path of a file, or - for standard input", c->args[0], strerror(errno));
	if (!ctl_text(c, "file_name") && !standard_input)
		json_object_set_new(c->options, "file_name", json_string(base_name(c->args[0])));
	int status = send_file(c, from, c->args[0], c->options, &answer);
	if (!status && c->json)
		print_json(answer);
	else if (!status)
		puts(json_string_value(json_object_get(answer, "id")));
	if (!standard_input)
		close(from);
	json_decref(answer);
	return status;
}

/* --- resend ------------------------------------------------------------------------------------------------------------------ */

static const struct ctl_option resend_options[] = {
	{"--dry-run", NULL, "dry_run", CTL_FLAG, NULL, "only show what would be sent again"},
	{"--partner", "P", "partner", CTL_TEXT, NULL, "of this partner"},
	{"--since", "T", "since", CTL_TIME, NULL, "not older than this"},
	{"--until", "T", "until", CTL_TIME, NULL, "older than this"},
	{"--type", "T", "type", CTL_TEXT, NULL, "document type, such as 850 or ORDERS"},
	{"--from", "ID", "from", CTL_TEXT, NULL, "sender identity, such as \"x12 ZZ:ACME\""},
	{"--to", "ID", "to", CTL_TEXT, NULL, "receiver identity"},
	{"--env", NULL, "env", CTL_TEXT, "test|production", "environment"},
	{"--delivery", NULL, "delivery", CTL_TEXT,
	 "queued|trying|awaiting-mdn|delivered|available|collected|failed|expired|held|dropped", "state of its delivery"},
	{"--ack", NULL, "ack", CTL_TEXT,
	 "none|expected|accepted|accepted-with-errors|partially-accepted|rejected|overdue|unmatched", "state of its acknowledgement"},
	{"--search", "TEXT", "search", CTL_TEXT, NULL, "a control number, PO, invoice or shipment number, Message-ID, file name or SHA-256"},
	{"--limit", "N", "limit", CTL_NUMBER, NULL, "at most this many, newest first; default 100"},
	{NULL},
};

static const struct print_column resend_columns[] = {
	{"ORIGINAL", "original"}, {"ID", "id"}, {NULL, NULL},
};
static const struct print_column would_columns[] = {
	{"ID", "id"}, {"TIME", "time"}, {"PARTNER", "partner"}, {"TYPE", "type"}, {"CONTROL", "control_number"}, {"BYTES", "bytes"},
	{"DELIVERY", "delivery"}, {NULL, NULL},
};

static int resend_one(struct ctl *c, const char *id, json_t *done)
{
	json_t *answer = NULL, *arguments = json_pack("{s:s}", "id", id);
	int status = client_ask(c, "message.resend", arguments, &answer, NULL);
	json_decref(arguments);
	if (!status)
		json_array_append_new(done, answer);
	return status;
}

/* Those that the filters fit, oldest first, as they were sent. */
static int resend_filtered(struct ctl *c, json_t *found)
{
	json_t *done = json_array();
	int status = CTL_DONE;
	for (size_t i = json_array_size(found); i-- > 0 && !status;)
		status = resend_one(c, json_string_value(json_object_get(json_array_get(found, i), "id")), done);
	if (c->json)
		print_json(done);
	else
		print_table(done, resend_columns);
	json_decref(done);
	return status;
}

static int list_sent(struct ctl *c, json_t **ret)
{
	json_object_set_new(c->options, "direction", json_string("out"));
	json_object_del(c->options, "dry_run");
	return client_ask(c, "message.list", c->options, ret, NULL);
}

static int message_resend(struct ctl *c)
{
	bool dry = json_is_true(json_object_get(c->options, "dry_run"));
	json_t *found = NULL;
	size_t filters = json_object_size(c->options) - dry;
	if (c->nargs && filters)
		return ctl_fail(CTL_USAGE, "give an ID or filters, not both");
	if (!c->nargs && !filters)
		return ctl_fail(CTL_USAGE, "which messages? give an ID, or filters as vanctl message list takes them");
	if (c->nargs && !dry) {
		json_t *done = json_array();
		int status = resend_one(c, c->args[0], done);
		if (!status && c->json)
			print_json(json_array_get(done, 0));
		else if (!status)
			puts(json_string_value(json_object_get(json_array_get(done, 0), "id")));
		json_decref(done);
		return status;
	}
	if (c->nargs) {
		json_t *one = NULL, *arguments = json_pack("{s:s}", "id", c->args[0]);
		int status = client_ask(c, "message.show", arguments, &one, NULL);
		json_decref(arguments);
		found = json_pack("[o]", one ? one : json_null());
		if (!status)
			c->json ? print_json(found) : print_table(found, would_columns);
		json_decref(found);
		return status;
	}
	int status = list_sent(c, &found);
	if (!status && !dry)
		status = resend_filtered(c, found);
	else if (!status)
		c->json ? print_json(found) : print_table(found, would_columns);
	json_decref(found);
	return status;
}

static int message_reprocess(struct ctl *c)
{
	json_t *answer = NULL;
	int status = simple_ask(c, "message.reprocess", "id", &answer, NULL);
	if (!status && c->json)
		print_json(answer);
	else if (!status)
		puts(json_string_value(json_object_get(answer, "id")));
	json_decref(answer);
	return status;
}

const struct ctl_command commands_send[] = {
	{"message", "send", "FILE", 1, 1, "Send a file to a partner as it is; - is standard input", send_options, message_send},
	{"message", "resend", "[ID]", 0, 1, "Send the same bytes and control numbers again, under a new AS2 Message-ID", resend_options, message_resend},
	{"message", "reprocess", "ID", 1, 1, "Process what was received again, under today's agreements and maps", NULL, message_reprocess},
	{NULL},
};
