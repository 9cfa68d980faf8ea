/* cert.list, cert.show: every certificate that profiles name, once, with who uses it. */
#include "roles/store/control.h"
#include "roles/store/control_args.h"
#include "roles/store/control_handlers.h"

#include <inttypes.h>

#define CERTIFICATES_MOST 100000
#define DAY (86400 * VAN_SECOND)

struct listing {
	struct control_call *call;
	struct slice wanted; /* beginning of a fingerprint; absent: all */
	struct slice *seen;  /* fingerprints */
	size_t nseen, room, shown;
	bool pem;
};

static bool seen_before(struct listing *l, struct slice fingerprint)
{
	for (size_t i = 0; i < l->nseen; i++)
		if (slice_eq(l->seen[i], fingerprint))
			return true;
	if (l->nseen < l->room)
		l->seen[l->nseen++] = fingerprint;
	return false;
}

static void each_of_list(const struct record_list *certificates, const struct profile *owner, struct slice place, control_certificate_fn *fn, void *arg)
{
	for (size_t i = 0; i < certificates->n; i++)
		fn(arg, RECORD_AT(*certificates, const struct profile_certificate, i), owner, place);
}

static void each_of_pairs(const struct record_list *pairs, const struct profile *owner, struct slice place, control_certificate_fn *fn, void *arg)
{
	for (size_t i = 0; i < pairs->n; i++)
		fn(arg, RECORD_AT(*pairs, const struct profile_key_pair, i)->certificate, owner, place);
}

void control_each_certificate(const struct profile *p, control_certificate_fn *fn, void *arg)
{
	if (p->kind == PROFILE_STATION && p->station->as2) {
		each_of_pairs(&p->station->as2->sign, p, p->id, fn, arg);
		each_of_pairs(&p->station->as2->decrypt, p, p->id, fn, arg);
	}
	for (size_t i = 0; p->kind == PROFILE_PARTNER && i < p->partner->connections.n; i++) {
		const struct profile_connection *c = RECORD_AT(p->partner->connections, const struct profile_connection, i);
		if (c->receive) {
			each_of_list(&c->receive->certificates, p, c->id, fn, arg);
			each_of_list(&c->receive->authorities, p, c->id, fn, arg);
			each_of_list(&c->receive->client_certificates, p, c->id, fn, arg);
		}
		if (c->send) {
			each_of_list(&c->send->certificates, p, c->id, fn, arg);
			each_of_list(&c->send->tls.trust, p, c->id, fn, arg);
			each_of_pairs(&c->send->tls.client, p, c->id, fn, arg);
		}
	}
}

static void put_time(struct van_buf *to, const char *key, van_time t)
{
	char text[VAN_TIME_TEXT];
	van_buf_printf(to, ",\"%s\":", key);
	json_put_text(to, t ? slice_str(van_time_rfc3339(text, t)) : SLICE_NONE);
}

/* Everyone who uses one certificate. */
struct users {
	struct van_buf *to;
	struct slice fingerprint;
	bool first;
};

static void add_user(void *arg, const struct profile_certificate *c, const struct profile *owner, struct slice place)
{
	struct users *u = arg;
	(void)owner;
	if (!slice_eq(c->fingerprint, u->fingerprint))
		return;
	if (!u->first)
		van_buf_append_char(u->to, ',');
	u->first = false;
	json_put_text(u->to, place);
}

static int add_users_of(void *arg, const struct profile *p)
{
	control_each_certificate(p, add_user, arg);
	return 0;
}

static void put_users(struct listing *l, struct slice fingerprint)
{
	struct users u = {l->call->out, fingerprint, true};
	van_buf_append_str(l->call->out, ",\"used_by\":[");
	directory_each(l->call->work->directory, PROFILE_STATION, add_users_of, &u);
	directory_each(l->call->work->directory, PROFILE_PARTNER, add_users_of, &u);
	van_buf_append_char(l->call->out, ']');
}

static void put_certificate(struct listing *l, const struct profile_certificate *c)
{
	struct van_buf *to = l->call->out;
	van_buf_append_str(to, l->shown++ ? ",{\"fingerprint\":" : "{\"fingerprint\":");
	json_put_text(to, c->fingerprint);
	van_buf_append_str(to, ",\"subject\":");
	json_put_text(to, c->subject);
	van_buf_append_str(to, ",\"key_id\":");
	json_put_text(to, c->key_id);
	put_time(to, "not_before", c->not_before);
	put_time(to, "not_after", c->not_after);
	van_buf_printf(to, ",\"days\":%" PRId64, (c->not_after - l->call->work->now) / DAY);
	put_users(l, c->fingerprint);
	if (l->pem) {
		van_buf_append_str(to, ",\"pem\":");
		json_put_text(to, c->pem);
	}
	van_buf_append_char(to, '}');
}

static void add_certificate(void *arg, const struct profile_certificate *c, const struct profile *owner, struct slice place)
{
	struct listing *l = arg;
	(void)owner, (void)place;
	bool wanted = !l->wanted.p || (l->wanted.n <= c->fingerprint.n && !memcmp(c->fingerprint.p, l->wanted.p, l->wanted.n));
	if (wanted && !seen_before(l, c->fingerprint))
		put_certificate(l, c);
}

static int add_profile(void *arg, const struct profile *p)
{
	control_each_certificate(p, add_certificate, arg);
	return 0;
}

static int list_all(struct listing *l)
{
	l->room = CERTIFICATES_MOST;
	l->seen = van_arena_array(l->call->work->arena, l->room, sizeof *l->seen);
	if (!l->seen)
		return control_say(l->call, 2, "vand has no memory left; try again later");
	directory_each(l->call->work->directory, PROFILE_STATION, add_profile, l);
	directory_each(l->call->work->directory, PROFILE_PARTNER, add_profile, l);
	return 0;
}

int control_cert_list(struct control_call *c)
{
	struct listing l = {.call = c};
	van_buf_append_char(c->out, '[');
	int rc = list_all(&l);
	van_buf_append_char(c->out, ']');
	return rc;
}

int control_cert_show(struct control_call *c)
{
	struct listing l = {.call = c, .wanted = control_arg_text(&c->args, "fingerprint"), .pem = true};
	if (l.wanted.n < 4)
		return control_say(c, 2, "name at least four digits of a fingerprint; vanctl cert list shows them");
	int rc = list_all(&l);
	if (rc == 0 && !l.shown)
		return control_say(c, 1, "no profile uses a certificate %.*s…; vanctl cert list shows them", SLICE_ARG(l.wanted));
	if (rc == 0 && l.shown > 1)
		return control_say(c, 2, "%zu certificates begin with %.*s; name more digits", l.shown, SLICE_ARG(l.wanted));
	return rc;
}
