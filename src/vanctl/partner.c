/* partner and cert. */
#include "base/buf.h"
#include "base/error.h"
#include "partner/profile.h"
#include "vanctl/agreement.h"
#include "vanctl/apply.h"
#include "vanctl/certificate.h"
#include "vanctl/client.h"
#include "vanctl/exchange.h"
#include "vanctl/import_openas2.h"
#include "vanctl/partner_test.h"
#include "vanctl/simple.h"
#include "vanctl/template.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const struct print_column list_columns[] = {
	{"ID", "id"}, {"NAME", "name"}, {"VERSION", "version"}, {"ENABLED", "enabled"}, {"IDENTITIES", "identities"},
	{"CONNECTIONS", "connections"}, {NULL, NULL},
};

static const struct ctl_option list_options[] = {
	{"--kind", NULL, "kind", CTL_TEXT, "partner|station|agreement|all", "which profiles; default partner"},
	{NULL},
};

static const struct ctl_option show_options[] = {
	{"--version", "N", "version", CTL_NUMBER, NULL, "as it was in this version; vanctl partner history shows them"},
	{NULL},
};

static int partner_list(struct ctl *c)
{
	return simple_list(c, "partner.list", NULL, list_columns);
}

/* The stored profile, as people write it. */
void profile_print(json_t *answer)
{
	const char *kind = json_string_value(json_object_get(answer, "kind"));
	json_t *version = json_incref(json_object_get(answer, "profile_version"));
	json_object_del(answer, "profile_version"); /* not a key of profiles, nor is the next, except in agreements */
	if (!kind || strcmp(kind, "agreement"))
		json_object_del(answer, "version");
	char *text = json_dumps(answer, JSON_COMPACT);
	struct profile_errors errors = {0};
	struct profile *p = NULL;
	struct van_buf yaml = VAN_BUF_INIT(64 << 20);
	if (text && profile_from_json(slice_str(text), &p, &errors) == 0 && profile_to_yaml(p, &yaml) == 0)
		printf("# version %" JSON_INTEGER_FORMAT "\n%.*s", json_integer_value(version), (int)yaml.n, yaml.p);
	else
		print_json(answer);
	json_decref(version);
	van_buf_free(&yaml);
	profile_free(p);
	profile_errors_free(&errors);
	free(text);
}

static int partner_show(struct ctl *c)
{
	json_t *answer = NULL;
	int status = simple_ask(c, "partner.show", "id", &answer, NULL);
	if (!status && c->json)
		print_json(answer);
	else if (!status)
		profile_print(answer);
	json_decref(answer);
	return status;
}

/* --- back to an earlier version ------------------------------------------------------------------------------------------------- */

static int version_of(const char *text, json_int_t *ret)
{
	char *end;
	errno = 0;
	long long n = strtoll(text, &end, 10);
	if (errno || end == text || *end || n < 1)
		return ctl_fail(CTL_USAGE, "'%s' is no version; vanctl partner history shows them", text);
	*ret = n;
	return CTL_DONE;
}

/* The newest before the one in force that was not a removal. */
static int version_before(struct ctl *c, json_int_t *ret)
{
	json_t *ask = json_pack("{s:s}", "id", c->args[0]), *history = NULL, *one;
	int status = client_ask(c, "partner.history", ask, &history, NULL);
	size_t i;
	*ret = 0;
	json_array_foreach(history, i, one) {
		const char *change = json_string_value(json_object_get(one, "change"));
		if (i && !*ret && change && strcmp(change, "removed"))
			*ret = json_integer_value(json_object_get(one, "version"));
	}
	json_decref(ask);
	json_decref(history);
	return status ? status : *ret ? CTL_DONE : ctl_fail(CTL_NO, "'%s' has no earlier version", c->args[0]);
}

static int partner_rollback(struct ctl *c)
{
	json_int_t version = 0;
	json_t *profile = NULL;
	int status = c->nargs > 1 ? version_of(c->args[1], &version) : version_before(c, &version);
	if (!status) {
		json_t *ask = json_pack("{s:s,s:I}", "id", c->args[0], "version", version);
		status = client_ask(c, "partner.show", ask, &profile, NULL);
		json_decref(ask);
	}
	if (!status)
		status = apply_profile(c, profile);
	json_decref(profile);
	return status;
}

/* --- the rest -------------------------------------------------------------------------------------------------------------------- */

static int partner_remove(struct ctl *c)
{
	return simple_do(c, "partner.remove", "id", "is removed; its messages and receipts stay");
}

static int partner_disable(struct ctl *c)
{
	return simple_do(c, "partner.disable", "id", "is disabled: what it sends is refused");
}

static int partner_enable(struct ctl *c)
{
	return simple_do(c, "partner.enable", "id", "is enabled");
}

static int partner_history(struct ctl *c)
{
	static const struct print_column columns[] = {
		{"VERSION", "version"}, {"TIME", "time"}, {"ACTOR", "actor"}, {"CHANGE", "change"}, {NULL, NULL},
	};
	return simple_list(c, "partner.history", "id", columns);
}

static const struct print_column cert_columns[] = {
	{"FINGERPRINT", "fingerprint"}, {"SUBJECT", "subject"}, {"NOT AFTER", "not_after"}, {"DAYS", "days"}, {"USED BY", "used_by"},
	{NULL, NULL},
};

static int cert_list(struct ctl *c)
{
	return simple_list(c, "cert.list", NULL, cert_columns);
}

static int cert_show(struct ctl *c)
{
	static const struct print_column columns[] = {
		{"Fingerprint", "fingerprint"}, {"Subject", "subject"}, {"Key", "key_id"}, {"Not before", "not_before"},
		{"Not after", "not_after"}, {"Days left", "days"}, {"Used by", "used_by"}, {NULL, NULL},
	};
	json_t *answer = NULL;
	int status = simple_ask(c, "cert.show", "fingerprint", &answer, NULL);
	if (!status && c->json) {
		print_json(answer);
	} else if (!status) {
		const char *pem = json_string_value(json_object_get(answer, "pem"));
		print_fields(answer, columns);
		if (pem)
			printf("\n%s", pem);
	}
	json_decref(answer);
	return status;
}

static const struct ctl_option new_options[] = {
	{"--template", "NAME", "template", CTL_TEXT, NULL, "one of those that vanctl template list shows"},
	{"--set", "KEY=VALUE", "set", CTL_TEXTS, NULL, "fills in one place of the template; may be repeated"},
	{NULL},
};

const struct ctl_command commands_partner[] = {
	{"partner", "new", "ID", 1, 1, "Print a profile made from a template, to be saved and applied", new_options, partner_new},
	{"template", "list", "", 0, 0, "Templates of profiles, with the keys they want", NULL, template_list},
	{"import", "openas2", "DIR", 1, 1, "Make profiles, certificates and keys of an OpenAS2 configuration", import_openas2_options, import_openas2},
	{"partner", "apply", "FILE…", 1, SIZE_MAX, "Check profiles and put them to work, all or none", NULL, partner_apply},
	{"partner", "list", "", 0, 0, "List partners, or other profiles", list_options, partner_list},
	{"partner", "show", "ID", 1, 1, "Print a profile as it stands, or as it was", show_options, partner_show},
	{"partner", "history", "ID", 1, 1, "Versions of a profile, newest first", NULL, partner_history},
	{"partner", "rollback", "ID [VERSION]", 1, 2, "Apply an earlier version of a profile again, as a new one", NULL, partner_rollback},
	{"partner", "test", "ID", 1, 1, "Check a partner's connections, and send a message over each", partner_test_options, partner_test},
	{"partner", "disable", "ID", 1, 1, "Refuse what this partner sends", NULL, partner_disable},
	{"partner", "enable", "ID", 1, 1, "Take what this partner sends", NULL, partner_enable},
	{"partner", "remove", "ID", 1, 1, "Remove a station, partner or agreement", NULL, partner_remove},
	{"cert", "list", "", 0, 0, "Certificates with expiry and who uses them", NULL, cert_list},
	{"cert", "show", "FINGERPRINT", 1, 1, "One certificate; the first digits are enough", NULL, cert_show},
	{"cert", "create", "NAME", 1, 1, "Make a key and a certificate, as files beside vand.yaml", certificate_create_options, certificate_create},
	{"cert", "import", "FILE", 1, 1, "Add a certificate to a profile, beside the old one", certificate_import_options, certificate_import},
	{"cert", "export", "FINGERPRINT", 1, 1, "Write a certificate to a file", certificate_export_options, certificate_export},
	{"cert", "roll", "STATION", 1, 1, "Make a station's next certificate and key, with an overlap", certificate_roll_options, certificate_roll},
	{"cert", "exchange", "MESSAGE", 1, 1, "What a certificate exchange message says, with its certificates", NULL, exchange_show},
	{"cert", "accept", "MESSAGE", 1, 1, "Trust the certificates that a partner asks us to, and tell it so", exchange_accept_options, exchange_accept},
	{"cert", "reject", "MESSAGE", 1, 1, "Refuse them, and tell the partner why", exchange_reject_options, exchange_reject},
	{"cert", "request", "CERTIFICATE", 1, 1, "Ask a partner to trust a new certificate of ours", exchange_request_options, exchange_request},
	{NULL},
};
