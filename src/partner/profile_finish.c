/* What must hold between the keys of one profile. */
#include "base/error.h"
#include "partner/profile_private.h"

#include <stdio.h>

int profile_identity_finish(struct schema_reader *r, const struct schema_node *at, void *object)
{
	struct profile_identity *i = object;
	struct identity parts;
	const char *why;
	char text[IDENTITY_TEXT_MAX + 1];
	int n = snprintf(text, sizeof text, "%s %.*s", identity_standard_names[i->standard], SLICE_ARG(i->id));
	if (n < 0 || (size_t)n >= sizeof text) {
		schema_problem(r, at, "id", false, "is too long for an EDI identity");
		return 0;
	}
	if (identity_parse(slice_make(text, (size_t)n), &parts, &why) < 0) {
		schema_problem(r, at, "id", false, "\"%.*s\": %s", SLICE_ARG(i->id), why);
		return 0;
	}
	if (i->valid_from && i->valid_until && i->valid_from >= i->valid_until)
		schema_problem(r, at, "valid_until", false, "must be later than \"valid_from\"");
	i->name = identity_canonical(r->arena, slice_make(text, (size_t)n));
	return i->name.p ? 0 : VAN_ENOMEM;
}

static bool periods_overlap(van_time from_a, van_time until_a, van_time from_b, van_time until_b)
{
	return (!until_a || from_b < until_a) && (!until_b || from_a < until_b);
}

static const struct schema_node *entry(const struct schema_node *at, const char *key, size_t i)
{
	const struct schema_node *list = schema_node_get(at, key);
	const struct schema_node *c = list && list->kind == SCHEMA_NODE_LIST ? list->first : NULL;
	while (c && i--)
		c = c->next;
	return c ? c : list ? list : at;
}

int profile_identities_check(struct schema_reader *r, const struct schema_node *at, const struct record_list *identities)
{
	for (size_t i = 0; i < identities->n; i++)
		for (size_t j = 0; j < i; j++) {
			const struct profile_identity *a = RECORD_AT(*identities, struct profile_identity, i);
			const struct profile_identity *b = RECORD_AT(*identities, struct profile_identity, j);
			if (slice_eq(a->name, b->name) &&
			    periods_overlap(a->valid_from, a->valid_until, b->valid_from, b->valid_until))
				schema_problem(r, entry(at, "identities", i), NULL, false,
					       "identity \"%.*s\" stands twice in this profile: remove one", SLICE_ARG(a->name));
		}
	return 0;
}

int profile_station_finish(struct schema_reader *r, const struct schema_node *at, void *object)
{
	struct profile_station *s = object;
	if (s->as2 && (s->as2->sign.n == 0 || s->as2->decrypt.n == 0))
		schema_problem(r, at, "as2", true, "without \"sign\" and \"decrypt\" the station can't answer with signed MDNs or receive "
						   "encrypted messages: add a key pair to each");
	return profile_identities_check(r, at, &s->identities);
}

int profile_partner_finish(struct schema_reader *r, const struct schema_node *at, void *object)
{
	struct profile_partner *p = object;
	for (size_t i = 0; i < p->connections.n; i++)
		for (size_t j = 0; j < i; j++) {
			const struct profile_connection *a = RECORD_AT(p->connections, struct profile_connection, i);
			if (slice_eq(a->id, RECORD_AT(p->connections, struct profile_connection, j)->id))
				schema_problem(r, entry(at, "connections", i), "id", false,
					       "connection \"%.*s\" stands twice: rename one", SLICE_ARG(a->id));
		}
	return profile_identities_check(r, at, &p->identities);
}

static void check_as2_connection(struct schema_reader *r, const struct schema_node *at, struct profile_connection *c)
{
	const struct schema_node *receive = schema_node_get(at, "receive");
	if (c->receive->require & PROFILE_REQUIRE_SIGNED && c->receive->certificates.n == 0)
		schema_problem(r, receive ? receive : at, "receive.certificates", false,
			       "signed messages are required, but there is no certificate to verify them with: add the partner's, or set "
			       "receive.require without \"signed\"");
	if (!c->send)
		return;
	if (c->send->certificates.n == 0)
		c->send->certificates = c->receive->certificates;
	if (profile_encrypt_names[c->send->encrypt] && c->send->encrypt != 0 && c->send->certificates.n == 0)
		schema_problem(r, schema_node_get(at, "send"), "send.certificates", false,
			       "what is sent is encrypted, but there is no certificate to encrypt for: add the partner's, or set "
			       "send.encrypt: none");
}

static void check_mailbox(struct schema_reader *r, const struct schema_node *at, const struct profile_connection *c)
{
	bool key = c->keys.n || c->authorities.n, password = c->password.p != NULL;
	if (!key && !password)
		schema_problem(r, at, NULL, true, "has neither keys nor a password: nobody can log in as \"%.*s\"", SLICE_ARG(c->user));
	else if ((c->login == PROFILE_LOGIN_KEY && !key) || (c->login == PROFILE_LOGIN_PASSWORD && !password) ||
		 (c->login == PROFILE_LOGIN_BOTH && !(key && password)))
		schema_problem(r, at, "login", true, "asks for what is not there: nobody can log in as \"%.*s\" until keys or a password are added",
			       SLICE_ARG(c->user));
	if (c->principals.n && !c->authorities.n)
		schema_problem(r, at, "principals", true, "means nothing without \"authorities\": only certificates have principals");
}

int profile_document_finish(struct schema_reader *r, const struct schema_node *at, void *object)
{
	const struct profile_document *d = object;
	if (d->format == PROFILE_DOCUMENT_CSV && !d->sheet.p)
		schema_problem(r, at, NULL, false, "a CSV file needs the flat sheet that reads it: write sheet: csv-order, or one of your own");
	if (d->format != PROFILE_DOCUMENT_CSV && d->sheet.p)
		schema_problem(r, at, "sheet", false, "only CSV files have a sheet: remove it, or write format: csv");
	if (d->format != PROFILE_DOCUMENT_ANY && d->type.p)
		schema_problem(r, at, "type", false, "belongs to \"format: any\": the others are of the type of their document, such as order");
	if ((d->format == PROFILE_DOCUMENT_UBL || d->format == PROFILE_DOCUMENT_ANY) && !d->to.p)
		schema_problem(r, at, NULL, false, "needs \"to\": such a file does not say who gets it, write to: \"x12 ZZ:RECEIVER\"");
	return 0;
}

/* What a connection may not present would be held, each time. */
static void check_documents(struct schema_reader *r, const struct schema_node *at, const struct profile_connection *c)
{
	for (size_t i = 0; i < c->documents.n; i++) {
		const struct profile_document *d = RECORD_AT(c->documents, struct profile_document, i);
		bool listed = !d->from.p || !c->presents.n;
		for (size_t k = 0; k < c->presents.n && !listed; k++)
			listed = slice_eq(c->presents.v[k], d->from);
		if (!listed)
			schema_problem(r, entry(at, "documents", i), "from", false, "the connection may not present \"%.*s\": add it to \"presents\"",
				       SLICE_ARG(d->from));
	}
}

int profile_connection_finish(struct schema_reader *r, const struct schema_node *at, void *object)
{
	struct profile_connection *c = object;
	check_documents(r, at, c);
	if (c->protocol == PROFILE_AS2)
		check_as2_connection(r, at, c);
	else if (c->protocol == PROFILE_SFTP && !c->push && !c->poll)
		schema_problem(r, at, NULL, true, "has neither \"push\" nor \"poll\": nothing goes over it");
	else if (c->protocol == PROFILE_SFTP)
		return 0;
	else
		check_mailbox(r, at, c);
	return 0;
}

int profile_server_finish(struct schema_reader *r, const struct schema_node *at, void *object)
{
	const struct profile_server *s = object;
	if (!s->key.p && !s->password_file.p)
		schema_problem(r, at, NULL, false, "needs \"key\" or \"password_file\" to log in with");
	return 0;
}

int profile_poll_finish(struct schema_reader *r, const struct schema_node *at, void *object)
{
	const struct profile_poll *p = object;
	if (p->after == PROFILE_FETCHED_ARCHIVE && !p->archive.p)
		schema_problem(r, at, "archive", false, "\"after: archive\" needs the folder: write archive: /outbound/done");
	profile_time_zone_look_up(r, at, p->time_zone);
	return 0;
}

int profile_send_finish(struct schema_reader *r, const struct schema_node *at, void *object)
{
	struct profile_send *s = object;
	if (s->sign == 0 && s->mdn.signed_ && s->mdn.mode != PROFILE_MDN_NONE)
		schema_problem(r, at, NULL, true, "an unsigned message with a signed MDN is unusual: many partners then answer unsigned, or without a MIC");
	return 0;
}

int profile_ssh_key_finish(struct schema_reader *r, const struct schema_node *at, void *object)
{
	struct profile_ssh_key *k = object;
	struct van_buf blob = VAN_BUF_INIT(65536);
	struct slice type;
	const char *why = NULL;
	int rc = profile_ssh_key_parse(k->key, &type, &blob, &why);
	if (rc == VAN_ESYNTAX)
		schema_problem(r, at, at->kind == SCHEMA_NODE_MAP && schema_node_get(at, "key") ? "key" : NULL, true,
			       "this key can never log in: it %s", why);
	if (k->from && k->until && k->from >= k->until)
		schema_problem(r, at, "until", false, "must be later than \"from\"");
	van_buf_free(&blob);
	return rc == VAN_ENOMEM ? rc : 0;
}

static bool inside(struct slice a, struct slice b)
{
	return a.n >= b.n && memcmp(a.p, b.p, b.n) == 0 && (a.n == b.n || a.p[b.n] == '/');
}

int profile_folders_finish(struct schema_reader *r, const struct schema_node *at, void *object)
{
	struct profile_folders *f = object;
	while (f->in.n > 1 && f->in.p[f->in.n - 1] == '/')
		f->in.n--;
	while (f->out.n > 1 && f->out.p[f->out.n - 1] == '/')
		f->out.n--;
	if (inside(f->in, f->out) || inside(f->out, f->in))
		schema_problem(r, at, NULL, false, "\"in\" and \"out\" must be two folders, none within the other");
	return 0;
}

static bool writes_edi(const struct profile_output *o)
{
	return slice_is(o->format, "x12") || slice_is(o->format, "edifact");
}

static void check_delimiters(struct schema_reader *r, const struct schema_node *at, const char *key, const struct profile_delimiters *d)
{
	const struct slice all[] = {d->element, d->component, d->repetition, d->release, d->terminator};
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		for (size_t k = 0; k < i; k++)
			if (all[i].p && all[k].p && slice_eq(all[i], all[k]))
				schema_problem(r, at, key, false, "two delimiters are \"%.*s\": give each a character of its own", SLICE_ARG(all[i]));
}

int profile_output_finish(struct schema_reader *r, const struct schema_node *at, void *object)
{
	struct profile_output *o = object;
	const char *prefix = slice_is(o->format, "edifact") ? "edifact " : "x12 ";
	if (!writes_edi(o) && (o->delimiters || o->batch || o->from.p || o->to.p || o->syntax.p || o->split || o->max_messages || o->max_size))
		schema_problem(r, at, "format", true, "delimiters, batches, addresses and limits of interchanges mean nothing for %.*s",
			       SLICE_ARG(o->format));
	if (writes_edi(o) && ((o->from.p && !slice_starts(o->from, prefix)) || (o->to.p && !slice_starts(o->to, prefix))))
		schema_problem(r, at, o->from.p && !slice_starts(o->from, prefix) ? "from" : "to", false,
			       "must be an identity of the standard that is written: \"%sQUALIFIER:ID\"", prefix);
	if (o->sheet.p && !slice_is(o->format, "csv"))
		schema_problem(r, at, "sheet", false, "only CSV files have a sheet: remove it, or write format: csv");
	if (slice_is(o->format, "xml") && o->map.p)
		schema_problem(r, at, "map", false, "\"xml\" is the interchange itself in another form, without a map: remove it, or write format: ubl-xml");
	if (o->delimiters)
		check_delimiters(r, at, "delimiters", o->delimiters);
	return 0;
}

int profile_agreement_finish(struct schema_reader *r, const struct schema_node *at, void *object)
{
	struct profile_agreement *a = object;
	if (a->mode == PROFILE_TRANSLATE && !a->output)
		schema_problem(r, at, NULL, false, "\"mode: translate\" needs \"output\": write output: {format: canonical-json, map: NAME}");
	if (a->mode == PROFILE_PASS_THROUGH && a->output)
		schema_problem(r, at, "output", false, "belongs to \"mode: translate\": remove it, or change the mode");
	if (a->mode == PROFILE_PASS_THROUGH && a->rules)
		schema_problem(r, at, "rules", false, "belongs to \"mode: translate\": remove it, or change the mode");
	if (a->mode == PROFILE_PASS_THROUGH && a->acknowledged_by == PROFILE_ACK_NETWORK)
		schema_problem(r, at, "acknowledged_by", true,
			       "in pass-through the network forwards the receiver's acknowledgement and writes none itself: use \"receiver\"");
	if (a->valid_from && a->valid_until && a->valid_from >= a->valid_until)
		schema_problem(r, at, "valid_until", false, "must be later than \"valid_from\"");
	profile_time_zone_look_up(r, at, a->time_zone);
	if (a->version.p && !a->type.p)
		schema_problem(r, at, "version", true, "without \"type\" it applies to every document of that version");
	return 0;
}
