#include "as2/url.h"

#include "base/cidr.h"
#include "base/error.h"

static bool is_host_char(char c, bool six)
{
	bool hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
	if (six)
		return hex || c == ':' || c == '.';
	return hex || (c >= 'g' && c <= 'z') || (c >= 'G' && c <= 'Z') || c == '.' || c == '-' || c == '_';
}

/* "host", "host:port", "[v6]", "[v6]:port"; port 0: none given. */
static bool parse_authority(struct slice s, struct slice *host, unsigned *port)
{
	bool six = s.n && s.p[0] == '[';
	struct slice rest = six ? slice_make(s.p + 1, s.n - 1) : s;
	*host = slice_cut(&rest, six ? ']' : ':');
	*port = 0;
	for (size_t i = 0; i < host->n; i++)
		if (!is_host_char(host->p[i], six))
			return false;
	struct van_address address;
	if (!host->n || host->n > 253 || (six && (!rest.p || van_address_parse(*host, &address) < 0)))
		return false;
	if (six && rest.n && *rest.p++ != ':')
		return false;
	if (six)
		rest = rest.n ? slice_make(rest.p, rest.n - 1) : SLICE_NONE;
	unsigned long long n;
	if (!rest.p)
		return true;
	if (!slice_u64(rest, &n) || n == 0 || n > 65535)
		return false;
	*port = (unsigned)n;
	return true;
}

int as2_url_parse(struct slice url, struct as2_url *ret)
{
	if (url.n > AS2_URL_MAX)
		return VAN_ELIMIT;
	for (size_t i = 0; i < url.n; i++)
		if (url.p[i] <= ' ' || url.p[i] > '~' || url.p[i] == '\\' || url.p[i] == '#' || url.p[i] == '"' || url.p[i] == '<')
			return VAN_ESYNTAX;
	struct slice rest = url, scheme = slice_cut(&rest, ':');
	bool tls = slice_case_is(scheme, "https");
	if ((!tls && !slice_case_is(scheme, "http")) || !rest.p || !slice_starts(rest, "//"))
		return VAN_ESYNTAX;
	size_t n = 2;
	while (n < rest.n && rest.p[n] != '/' && rest.p[n] != '?')
		n++;
	struct as2_url u = {.tls = tls};
	if (!parse_authority(slice_make(rest.p + 2, n - 2), &u.host, &u.port))
		return VAN_ESYNTAX;
	u.port = u.port ? u.port : tls ? 443 : 80;
	*ret = u;
	return 0;
}

bool as2_url_host_is(const struct as2_url *u, struct slice allowed)
{
	struct slice host;
	unsigned port;
	size_t colons = 0;
	for (size_t i = 0; i < allowed.n; i++)
		colons += allowed.p[i] == ':';
	if (colons > 1 && allowed.p[0] != '[') { /* an IPv6 address without brackets */
		host = allowed;
		port = 0;
	} else if (!parse_authority(allowed, &host, &port)) {
		return false;
	}
	return slice_case_eq(host, u->host) && (!port || port == u->port);
}
