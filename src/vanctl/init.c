#include "vanctl/init.h"

#include "base/buf.h"
#include "base/slice.h"
#include "vanctl/init_keys.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SMIME_DAYS (3 * 365)
#define TLS_DAYS (2 * 365)

struct network {
	const char *dir, *as2_id, *edi_id, *name;
	char station[40]; /* the station's id in profiles */
	char host[256];
	unsigned long as2, as2_tls, sftp, admin; /* ports */
	int fd; /* the folder */
};

/* --- what was asked for ------------------------------------------------------------------------------------------------ */

void init_profile_id(struct slice name, const char *otherwise, char *to, size_t room)
{
	size_t n = 0;
	for (size_t i = 0; i < name.n && n + 1 < room; i++) {
		unsigned char c = (unsigned char)name.p[i];
		if (c < 0x80 && isalnum(c))
			to[n++] = (char)tolower(c);
		else if (n && to[n - 1] != '-')
			to[n++] = '-';
	}
	while (n && to[n - 1] == '-')
		n--;
	to[n] = 0;
	if (!n)
		snprintf(to, room, "%s", otherwise);
}

/* RFC 4130 6.2: 1 to 128 printable ASCII characters. */
static bool as2_name_is_valid(const char *id)
{
	size_t n = strlen(id);
	for (size_t i = 0; i < n; i++)
		if (id[i] < 32 || id[i] > 126)
			return false;
	return n >= 1 && n <= 128;
}

/* "QUAL:ID" as an X12 address: a qualifier of two characters, up to fifteen of id. */
static bool edi_id_is_valid(const char *id)
{
	size_t n = strlen(id);
	for (size_t i = 0; i < n; i++)
		if (id[i] < 32 || id[i] > 126)
			return false;
	return n >= 4 && n <= 18 && isalnum((unsigned char)id[0]) && isalnum((unsigned char)id[1]) && id[2] == ':' &&
	       id[n - 1] != ' ' && !strpbrk(id + 3, "*~:\"\\");
}

static bool host_is_valid(const char *host)
{
	return *host && strspn(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.") == strlen(host);
}

static unsigned long port(const struct ctl *c, const char *key, unsigned long otherwise)
{
	const json_t *v = json_object_get(c->options, key);
	return v ? (unsigned long)json_integer_value(v) : otherwise;
}

static int read_options(const struct ctl *c, struct network *n)
{
	*n = (struct network){.dir = c->args[0], .as2_id = ctl_text(c, "as2_id"), .edi_id = ctl_text(c, "edi_id"), .fd = -1,
			      .as2 = port(c, "as2_port", 4080), .as2_tls = port(c, "as2_tls_port", 4443),
			      .sftp = port(c, "sftp_port", 2222), .admin = port(c, "admin_port", 8080)};
	if (!n->as2_id || !n->edi_id)
		return ctl_fail(CTL_USAGE, "the station needs --as2-id ID and --edi-id QUAL:ID");
	if (!as2_name_is_valid(n->as2_id))
		return ctl_fail(CTL_USAGE, "--as2-id takes 1 to 128 printable ASCII characters");
	if (!edi_id_is_valid(n->edi_id))
		return ctl_fail(CTL_USAGE, "--edi-id takes a qualifier of two characters, a colon and up to 15 characters, such as ZZ:HUBNET");
	n->name = ctl_text(c, "name") ? ctl_text(c, "name") : n->as2_id;
	init_profile_id(slice_str(ctl_text(c, "id") ? ctl_text(c, "id") : n->as2_id), "station", n->station, sizeof n->station);
	if (ctl_text(c, "host"))
		snprintf(n->host, sizeof n->host, "%s", ctl_text(c, "host"));
	else if (gethostname(n->host, sizeof n->host - 1) < 0 || !host_is_valid(n->host))
		snprintf(n->host, sizeof n->host, "localhost");
	if (!host_is_valid(n->host))
		return ctl_fail(CTL_USAGE, "--host takes a host name, not '%s'", n->host);
	if (n->as2 > 65535 || n->as2_tls > 65535 || n->sftp > 65535 || n->admin > 65535 || !n->as2 || !n->as2_tls || !n->sftp || !n->admin)
		return ctl_fail(CTL_USAGE, "a port is a number from 1 to 65535");
	return CTL_DONE;
}

/* --- folders ----------------------------------------------------------------------------------------------------------- */

static bool is_empty(int fd)
{
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	DIR *d = copy < 0 ? NULL : fdopendir(copy);
	bool empty = d != NULL;
	for (struct dirent *e; d && (e = readdir(d));)
		empty &= !strcmp(e->d_name, ".") || !strcmp(e->d_name, "..");
	if (d)
		closedir(d);
	else if (copy >= 0)
		close(copy);
	return empty;
}

static int make_folders(struct network *n)
{
	static const struct {
		const char *name;
		mode_t mode;
	} folders[] = {{"keys", 0700}, {"certs", 0755}, {"partners", 0755}, {"data", 0700}};
	if (mkdir(n->dir, 0755) < 0 && errno != EEXIST)
		return ctl_fail(CTL_USAGE, "%s: %s", n->dir, strerror(errno));
	n->fd = open(n->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (n->fd < 0)
		return ctl_fail(CTL_USAGE, "%s: %s", n->dir, strerror(errno));
	if (!is_empty(n->fd))
		return ctl_fail(CTL_NO, "%s is not empty; name a new folder", n->dir);
	for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
		if (mkdirat(n->fd, folders[i].name, folders[i].mode) < 0)
			return ctl_fail(CTL_USAGE, "%s/%s: %s", n->dir, folders[i].name, strerror(errno));
	return CTL_DONE;
}

/* --- files ------------------------------------------------------------------------------------------------------------- */

/* JSON's strings are YAML's too. */
static void put_text(struct van_buf *to, const char *before, const char *value, const char *after)
{
	json_t *v = json_string(value);
	char *text = v ? json_dumps(v, JSON_ENCODE_ANY) : NULL;
	van_buf_append_str(to, before);
	van_buf_append_str(to, text ? text : "\"\"");
	van_buf_append_str(to, after);
	free(text);
	json_decref(v);
}

static int write_settings(const struct network *n, struct van_error *e)
{
	struct van_buf t = VAN_BUF_INIT(65536);
	van_buf_append_str(&t, "# Configuration of vand; see vand.yaml(5). Relative paths start at this file's folder.\n");
	put_text(&t, "network: {name: ", n->name, "");
	put_text(&t, ", host: ", n->host, "}   # host: Message-IDs and the receipt log's origin\n");
	van_buf_append_str(&t, "data: data\ntime_zone: UTC\n"
			       "user: openvan            # roles; ignored when not started as root\n"
			       "key_user: openvan-key    # keyd\n"
			       "workers: auto\n"
			       "listen:               # 127.0.0.1 is this machine alone; 0.0.0.0 takes connections from everywhere\n");
	van_buf_printf(&t, "  as2:\n    - {address: 127.0.0.1, port: %lu}\n", n->as2);
	van_buf_printf(&t, "    - {address: 127.0.0.1, port: %lu, tls: {certificate: certs/tls.pem, key: keys/tls.key}}\n", n->as2_tls);
	van_buf_printf(&t, "  sftp:\n    - {address: 127.0.0.1, port: %lu, host_keys: [keys/ssh_host_ed25519, keys/ssh_host_ecdsa, keys/ssh_host_rsa]}\n", n->sftp);
	van_buf_printf(&t, "  admin:\n    - {address: 127.0.0.1, port: %lu}\n", n->admin);
	int rc = init_write_file(n->fd, "vand.yaml", t.p, t.n, 0644, e);
	van_buf_free(&t);
	return rc;
}

static int write_station(const struct network *n, struct van_error *e)
{
	struct van_buf t = VAN_BUF_INIT(65536);
	van_buf_printf(&t, "# The station: the party this network speaks for. Apply with: vanctl partner apply %s\n", "partners/station.yaml");
	van_buf_printf(&t, "kind: station\nid: %s\n", n->station);
	put_text(&t, "name: ", n->name, "\n");
	put_text(&t, "identities: [{standard: x12, id: ", n->edi_id, "}]\n");
	put_text(&t, "as2:\n  id: ", n->as2_id, "\n");
	van_buf_append_str(&t, "  sign:    [{certificate: ../certs/sign.pem, key: ../keys/sign.key}]\n"
			       "  decrypt: [{certificate: ../certs/decrypt.pem, key: ../keys/decrypt.key}]\n");
	int rc = init_write_file(n->fd, "partners/station.yaml", t.p, t.n, 0644, e);
	van_buf_free(&t);
	return rc;
}

static int write_keys(const struct network *n, struct van_error *e)
{
	van_time now = van_clock_now();
	char name[64], organization[64];
	snprintf(name, sizeof name, "%.63s", n->as2_id);
	snprintf(organization, sizeof organization, "%.63s", n->name);
	const struct init_certificate certificates[] = {
		{INIT_SIGN, name, organization, NULL, "keys/sign.key", "certs/sign.pem", now, SMIME_DAYS},
		{INIT_DECRYPT, name, organization, NULL, "keys/decrypt.key", "certs/decrypt.pem", now, SMIME_DAYS},
		{INIT_TLS, strlen(n->host) < 64 ? n->host : "openvan", organization, n->host, "keys/tls.key", "certs/tls.pem", now, TLS_DAYS},
	};
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < sizeof certificates / sizeof *certificates; i++)
		rc = init_make_certificate(n->fd, &certificates[i], e);
	if (rc == 0)
		rc = init_make_host_key(n->fd, "ed25519", "keys/ssh_host_ed25519", e);
	if (rc == 0)
		rc = init_make_host_key(n->fd, "ecdsa", "keys/ssh_host_ecdsa", e); /* old clients in Java know no other that is still offered */
	if (rc == 0)
		rc = init_make_host_key(n->fd, "rsa", "keys/ssh_host_rsa", e);
	return rc;
}

static void print_json_answer(const struct network *n)
{
	json_t *v = json_pack("{s:s+, s:s, s:s+}", "configuration", n->dir, "/vand.yaml", "station", n->station, "profile", n->dir,
			      "/partners/station.yaml");
	json_dumpf(v, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(v);
}

static void print_next(const struct network *n)
{
	printf("Network '%s' is ready in %s. Next:\n\n", n->name, n->dir);
	printf("  vand -c %s/vand.yaml                                        start it\n", n->dir);
	printf("  vanctl -c %s/vand.yaml partner apply %s/partners/station.yaml   give it its station, '%s'\n", n->dir, n->dir, n->station);
	printf("  write %s/partners/NAME.yaml for each partner, and apply it the same way\n\n", n->dir);
	printf("Partners get %s/certs/sign.pem and %s/certs/decrypt.pem, the AS2 name '%s' and http://%s:%lu/as2.\n", n->dir, n->dir,
	       n->as2_id, n->host, n->as2);
	printf("The listeners take connections from this machine alone until their addresses in vand.yaml say otherwise.\n");
	if (geteuid() == 0)
		puts("vand gives up root for the users openvan and openvan-key: make them with\n"
		     "  useradd --system openvan; useradd --system openvan-key");
}

int network_init(struct ctl *c)
{
	struct network n;
	struct van_error e = {0};
	int status = read_options(c, &n);
	if (!status)
		status = make_folders(&n);
	if (!status && (write_keys(&n, &e) < 0 || write_settings(&n, &e) < 0 || write_station(&n, &e) < 0))
		status = ctl_fail(CTL_USAGE, "%s/%s", n.dir, e.text);
	if (!status && c->json)
		print_json_answer(&n);
	else if (!status)
		print_next(&n);
	if (n.fd >= 0)
		close(n.fd);
	return status;
}
