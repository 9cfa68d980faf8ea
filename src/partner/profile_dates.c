/* What the calendar says about a profile. Apart from loading, because that asks no clock. */
#include "base/error.h"
#include "partner/profile.h"

#include <stdio.h>

#define DAY (86400 * VAN_SECOND)
#define SOON (30 * DAY)

struct look {
	const struct profile *p;
	van_time now;
	struct profile_errors *errors;
};

static void warn(const struct look *l, const char *field, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
static void warn(const struct look *l, const char *field, const char *fmt, ...)
{
	char text[700];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	profile_errors_add(l->errors, true, l->p->file, l->p->file ? profile_line(l->p, field) : 0, field, "%s", text);
	profile_errors_about(l->errors, profile_kind_names[l->p->kind], l->p->id);
}

static void look_at_certificate(const struct look *l, const struct profile_certificate *c, const char *field)
{
	char day[VAN_TIME_TEXT];
	if ((c->from && l->now < c->from) || (c->until && l->now >= c->until))
		return;
	van_time_rfc3339(day, l->now < c->not_before ? c->not_before : c->not_after);
	if (l->now < c->not_before)
		warn(l, field, "the certificate of \"%.*s\" is valid from %.10s only", SLICE_ARG(c->subject), day);
	else if (l->now >= c->not_after)
		warn(l, field, "the certificate of \"%.*s\" expired on %.10s: put a new one beside it", SLICE_ARG(c->subject), day);
	else if (c->not_after - l->now < SOON)
		warn(l, field, "the certificate of \"%.*s\" expires on %.10s: put a new one beside it before then", SLICE_ARG(c->subject), day);
}

static void look_at_certificates(const struct look *l, const struct record_list *list, const char *under)
{
	char field[160];
	for (size_t i = 0; i < list->n; i++) {
		snprintf(field, sizeof field, "%s[%zu]", under, i);
		look_at_certificate(l, RECORD_AT(*list, struct profile_certificate, i), field);
	}
}

static void look_at_key_pairs(const struct look *l, const struct record_list *list, const char *under)
{
	char field[160];
	for (size_t i = 0; i < list->n; i++) {
		snprintf(field, sizeof field, "%s[%zu].certificate", under, i);
		look_at_certificate(l, RECORD_AT(*list, struct profile_key_pair, i)->certificate, field);
	}
}

static void look_at_connection(const struct look *l, const struct profile_connection *c, size_t i)
{
	char field[120], day[VAN_TIME_TEXT];
	if (c->receive) {
		snprintf(field, sizeof field, "connections[%zu].receive.certificates", i);
		look_at_certificates(l, &c->receive->certificates, field);
		snprintf(field, sizeof field, "connections[%zu].receive.authorities", i);
		look_at_certificates(l, &c->receive->authorities, field);
		snprintf(field, sizeof field, "connections[%zu].receive.client_certificates", i);
		look_at_certificates(l, &c->receive->client_certificates, field);
	}
	/* Those that are `receive`'s have been told already. */
	if (c->send && c->send->certificates.v != c->receive->certificates.v) {
		snprintf(field, sizeof field, "connections[%zu].send.certificates", i);
		look_at_certificates(l, &c->send->certificates, field);
	}
	if (c->send) {
		snprintf(field, sizeof field, "connections[%zu].send.tls.trust", i);
		look_at_certificates(l, &c->send->tls.trust, field);
		snprintf(field, sizeof field, "connections[%zu].send.tls.client", i);
		look_at_key_pairs(l, &c->send->tls.client, field);
	}
	for (size_t k = 0; k < c->keys.n; k++) {
		const struct profile_ssh_key *key = RECORD_AT(c->keys, struct profile_ssh_key, k);
		if (!key->until || l->now < key->until)
			continue;
		snprintf(field, sizeof field, "connections[%zu].keys[%zu].until", i, k);
		van_time_rfc3339(day, key->until);
		warn(l, field, "this key has not been accepted since %.10s: remove it, or correct \"until\"", day);
	}
}

int profile_set_check_dates(const struct profile_set *s, van_time now, struct profile_errors *errors)
{
	for (size_t i = 0; i < s->n; i++) {
		struct look l = {s->v[i], now, errors};
		if (l.p->kind == PROFILE_STATION && l.p->station->as2) {
			look_at_key_pairs(&l, &l.p->station->as2->sign, "as2.sign");
			look_at_key_pairs(&l, &l.p->station->as2->decrypt, "as2.decrypt");
		}
		for (size_t c = 0; l.p->kind == PROFILE_PARTNER && c < l.p->partner->connections.n; c++)
			look_at_connection(&l, RECORD_AT(l.p->partner->connections, struct profile_connection, c), c);
	}
	return errors && errors->out_of_memory ? VAN_ENOMEM : 0;
}
