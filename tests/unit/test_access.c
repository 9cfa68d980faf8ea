/* What decides about log-ins and schedules: networks, cron times, PROXY headers, certificates, the shared pace. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/cidr.h"
#include "base/cron.h"
#include "base/error.h"
#include "base/record.h"
#include "ipc/throttle.h"
#include "sftp/certificate.h"
#include "sftp/packet.h"
#include "sftp/proxy.h"

#include <stdio.h>
#include <unistd.h>

static void networks(void **state)
{
	(void)state;
	static const struct {
		const char *network, *address;
		bool in;
	} cases[] = {
		{"192.0.2.0/24", "192.0.2.255", true}, {"192.0.2.0/24", "192.0.3.0", false}, {"192.0.2.7", "192.0.2.7", true},
		{"192.0.2.7", "192.0.2.8", false}, {"0.0.0.0/0", "203.0.113.9", true}, {"0.0.0.0/0", "2001:db8::1", false},
		{"192.0.2.0/24", "::ffff:192.0.2.1", true}, {"2001:db8::/33", "2001:db8:7fff::1", true}, {"2001:db8::/33", "2001:db8:8000::1", false},
		{"::/0", "2001:db8::1", true},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct slice list[] = {slice_str(cases[i].network)};
		assert_int_equal(van_cidr_any(&(struct slice_list){list, 1}, slice_str(cases[i].address)), cases[i].in);
	}
	static const char *const bad[] = {"", "192.0.2", "192.0.2.0/33", "192.0.2.0/", "192.0.2.0/-1", "192.0.2.0/024x", "host", "2001:db8::/129", "1.2.3.4/8/8"};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct van_cidr c;
		assert_int_equal(van_cidr_parse(slice_str(bad[i]), &c), VAN_ESYNTAX);
	}
	struct van_cidr c;
	char text[VAN_CIDR_TEXT];
	assert_int_equal(van_cidr_parse(SLICE("192.0.2.77/24"), &c), 0);
	assert_string_equal(van_cidr_text(text, &c), "192.0.2.0/24");
	assert_int_equal(van_cidr_parse(SLICE("2001:DB8::/32"), &c), 0);
	assert_string_equal(van_cidr_text(text, &c), "2001:db8::/32");
	assert_int_equal(van_cidr_parse(SLICE("::ffff:192.0.2.7"), &c), 0);
	assert_string_equal(van_cidr_text(text, &c), "192.0.2.7");
}

static void schedules(void **state)
{
	(void)state;
	static const struct {
		const char *cron, *zone, *from, *next;
	} cases[] = {
		{"0 6 * * *", "UTC", "2026-11-21T05:59:59Z", "2026-11-21T06:00:00.000000Z"},
		{"0 6 * * *", "UTC", "2026-11-21T06:00:00Z", "2026-11-22T06:00:00.000000Z"},
		{"*/15 * * * *", "UTC", "2026-11-21T06:01:00Z", "2026-11-21T06:15:00.000000Z"},
		{"0 6,18 * * 1-5", "UTC", "2026-11-20T18:00:00Z", "2026-11-23T06:00:00.000000Z"}, /* a Friday; then Monday */
		{"30 23 31 12 *", "UTC", "2026-11-21T00:00:00Z", "2026-12-31T23:30:00.000000Z"},
		{"0 0 1 * 0", "UTC", "2026-11-21T00:00:00Z", "2026-11-22T00:00:00.000000Z"}, /* either day: the Sunday comes first */
		{"0 0 * * 7", "UTC", "2026-11-21T00:00:00Z", "2026-11-22T00:00:00.000000Z"},
		{"0 0 29 2 *", "UTC", "2026-11-21T00:00:00Z", "2028-02-29T00:00:00.000000Z"},
		{"0 8 * * *", "Asia/Tokyo", "2026-11-21T00:00:00Z", "2026-11-21T23:00:00.000000Z"},
		{"0 6 * * mon-FRI", "UTC", "2026-11-21T07:00:00Z", "2026-11-23T06:00:00.000000Z"},
		{"0\t6 1 jan,Jul *", "UTC", "2026-11-21T07:00:00Z", "2027-01-01T06:00:00.000000Z"},
		/* clocks go forward from 2:00 to 3:00, which is 1:00 UTC */
		{"30 2 * * *", "Europe/Berlin", "2026-03-29T00:00:00Z", "2026-03-29T01:00:00.000000Z"},
		{"30 2 * * *", "Europe/Berlin", "2026-03-29T01:00:00Z", "2026-03-30T00:30:00.000000Z"},
		{"30 2 * * 1", "Europe/Berlin", "2026-03-29T00:00:00Z", "2026-03-30T00:30:00.000000Z"}, /* not on that day */
		{"30 3 * * *", "Europe/Berlin", "2026-03-29T00:00:00Z", "2026-03-29T01:30:00.000000Z"},
		{"30 0 * * 1", "Europe/Berlin", "2026-03-28T12:00:00Z", "2026-03-29T22:30:00.000000Z"}, /* after a day of 23 hours */
		{"0 0 * * *", "Europe/Berlin", "2026-03-28T23:30:00Z", "2026-03-29T22:00:00.000000Z"},
		/* and back from 3:00 to 2:00: it is 2:30 twice */
		{"30 2 * * *", "Europe/Berlin", "2026-10-25T00:00:00Z", "2026-10-25T00:30:00.000000Z"},
		{"30 2 * * *", "Europe/Berlin", "2026-10-25T00:30:00Z", "2026-10-26T01:30:00.000000Z"},
		{"*/30 * * * *", "Europe/Berlin", "2026-10-25T00:30:00Z", "2026-10-25T01:00:00.000000Z"}, /* every half hour is */
		{"30 23 * * 0", "Europe/Berlin", "2026-10-24T22:00:00Z", "2026-10-25T22:30:00.000000Z"}, /* at the end of a day of 25 hours */
		{"15 2 * * *", "Australia/Lord_Howe", "2026-10-03T12:00:00Z", "2026-10-03T15:30:00.000000Z"}, /* by half an hour */
		{"45 1 * * *", "Australia/Lord_Howe", "2026-04-04T14:50:00Z", "2026-04-05T15:15:00.000000Z"},
		{"10-20/5 4 * * *", "UTC", "2026-11-21T04:10:30Z", "2026-11-21T04:15:00.000000Z"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct van_cron c;
		van_time from;
		char text[VAN_TIME_TEXT];
		assert_int_equal(van_cron_parse(slice_str(cases[i].cron), &c), 0);
		assert_int_equal(van_time_parse(slice_str(cases[i].from), &from), 0);
		assert_string_equal(van_time_rfc3339(text, van_cron_next(&c, slice_str(cases[i].zone), from)), cases[i].next);
	}
	static const char *const bad[] = {"", "* * * *", "* * * * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * * 13 *", "* * * * 8", "5-1 * * * *", "*/0 * * * *", "a * * * *", "1, * * * *", "mon * * * *", "* * mon * *",
					  "* * * mon *", "* * * * fri-mon", "* * * * 1-", "* * * * monday", "0 6 * * 1 x"};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct van_cron c;
		assert_int_equal(van_cron_parse(slice_str(bad[i]), &c), VAN_ESYNTAX);
	}
	struct van_cron never;
	assert_int_equal(van_cron_parse(SLICE("0 0 31 2 *"), &never), 0);
	assert_int_equal(van_cron_next(&never, SLICE_NONE, VAN_SECOND), 0);
}

static enum sftpd_proxy_result read_proxy(const char *bytes, size_t n, char *address, size_t *used)
{
	return sftpd_proxy_read((const unsigned char *)bytes, n, address, used);
}

static void proxy_headers(void **state)
{
	(void)state;
	static const char v1[] = "PROXY TCP4 192.0.2.7 127.0.0.1 40000 2222\r\nSSH-2.0-x";
	static const char v6[] = "PROXY TCP6 2001:db8::7 ::1 40000 2222\r\n";
	static const char v2[] = "\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc0\0\x02\x07\x7f\0\0\x01\x9c\x40\x08\xae";
	char address[VAN_CIDR_TEXT];
	size_t used;
	for (size_t n = 0; n < strlen("PROXY TCP4 192.0.2.7 127.0.0.1 40000 2222\r\n"); n++)
		assert_int_equal(read_proxy(v1, n, address, &used), SFTPD_PROXY_MORE);
	assert_int_equal(read_proxy(v1, sizeof v1 - 1, address, &used), SFTPD_PROXY_ADDRESS);
	assert_string_equal(address, "192.0.2.7");
	assert_string_equal(v1 + used, "SSH-2.0-x");
	assert_int_equal(read_proxy(v6, sizeof v6 - 1, address, &used), SFTPD_PROXY_ADDRESS);
	assert_string_equal(address, "2001:db8::7");
	for (size_t n = 0; n < sizeof v2 - 1; n++)
		assert_int_equal(read_proxy(v2, n, address, &used), SFTPD_PROXY_MORE);
	assert_int_equal(read_proxy(v2, sizeof v2 - 1, address, &used), SFTPD_PROXY_ADDRESS);
	assert_string_equal(address, "192.0.2.7");
	assert_int_equal(used, sizeof v2 - 1);
	assert_int_equal(read_proxy("PROXY UNKNOWN\r\n", 15, address, &used), SFTPD_PROXY_LOCAL);
	static const char *const bad[] = {"SSH-2.0-OpenSSH\r\n", "PROXY TCP4 host 127.0.0.1 1 2\r\n", "PROXY TCP6 192.0.2.7 ::1 1 2\r\n",
					  "PROXY TCP4 192.0.2.7/8 127.0.0.1 1 2\r\n", "PROXY TCP4 192.0.2.7 127.0.0.1 1 2\n", "PROXY  \r\n", "PROXY UDP4 1.2.3.4 1.2.3.4 1 2\r\n"};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_int_equal(read_proxy(bad[i], strlen(bad[i]), address, &used), SFTPD_PROXY_BAD);
}

static void pace(void **state)
{
	(void)state;
	int fd = throttle_create();
	assert_true(fd >= 0);
	struct throttle_page *one = throttle_map(fd), *two = throttle_map(fd);
	assert_non_null(one);
	assert_non_null(two);
	van_time now = 1000 * VAN_SECOND;
	assert_int_equal(throttle_take(one, 1000, 1000, now), 0);              /* a second's worth runs ahead */
	assert_int_equal(throttle_take(two, 500, 1000, now), VAN_SECOND / 2);  /* both together */
	assert_int_equal(throttle_take(one, 500, 1000, now + 10 * VAN_SECOND), 0); /* what was not used is not saved up */
	assert_int_equal(throttle_take(one, 2000, 1000, now + 10 * VAN_SECOND), 3 * VAN_SECOND / 2);
	close(fd);
}

/* --- certificates ------------------------------------------------------------------------------------------------------------- */

static void put_text(struct van_buf *to, const char *s)
{
	packet_put_string(to, slice_str(s));
}

struct wish {
	const char *type, *options[2];
	uint32_t kind;
	unsigned principals;
	uint64_t after, before;
	size_t cut; /* bytes left out at the end */
};

static int certificate(const struct wish *w, struct sftpd_certificate *c, struct van_buf *blob)
{
	struct van_buf inner = VAN_BUF_INIT(1 << 16), data = VAN_BUF_INIT(1000);
	struct van_error e = {0};
	*blob = VAN_BUF_INIT(1 << 16);
	put_text(blob, w->type ? w->type : "ssh-ed25519-cert-v01@openssh.com");
	put_text(blob, "nonce");
	put_text(blob, "public key");
	packet_put_u64(blob, 42);
	packet_put_u32(blob, w->kind ? w->kind : 1);
	put_text(blob, "who it is");
	for (unsigned i = 0; i < w->principals; i++)
		put_text(&inner, i ? "other" : "volt");
	packet_put_string(blob, van_buf_slice(&inner));
	packet_put_u64(blob, w->after);
	packet_put_u64(blob, w->before ? w->before : UINT64_MAX);
	van_buf_reset(&inner);
	if (w->options[0]) {
		put_text(&data, w->options[1]);
		put_text(&inner, w->options[0]);
		packet_put_string(&inner, van_buf_slice(&data));
	}
	packet_put_string(blob, van_buf_slice(&inner));
	put_text(blob, "");
	put_text(blob, "");
	put_text(blob, "authority");
	put_text(blob, "signature");
	int rc = sftpd_certificate_read(slice_make(blob->p, blob->n - w->cut), c, &e);
	assert_true(rc == 0 || e.text[0]);
	van_buf_free(&inner);
	van_buf_free(&data);
	return rc;
}

static int try(struct wish w)
{
	struct sftpd_certificate c;
	struct van_buf blob;
	int rc = certificate(&w, &c, &blob);
	van_buf_free(&blob);
	return rc;
}

static void certificates(void **state)
{
	(void)state;
	struct sftpd_certificate c;
	struct van_buf blob;
	assert_int_equal(certificate(&(struct wish){.principals = 2, .after = 100, .before = 200, .options = {"source-address", "192.0.2.0/24,10.0.0.1"}}, &c, &blob), 0);
	assert_true(c.serial == 42 && slice_is(c.key_id, "who it is") && c.nprincipals == 2 && slice_is(c.principals[0], "volt"));
	assert_true(c.from == 100 * VAN_SECOND && c.until == 200 * VAN_SECOND && c.naddresses == 2 && slice_is(c.addresses[1], "10.0.0.1"));
	assert_true(slice_is(c.authority, "authority") && slice_is(c.signature, "signature"));
	assert_int_equal(c.signed_part.n, blob.n - 4 - strlen("signature"));
	assert_true(sftpd_certificate_is(van_buf_slice(&blob)));
	for (size_t n = 0; n < blob.n; n++) /* cut anywhere it is refused */
		assert_true(sftpd_certificate_read(slice_make(blob.p, n), &c, NULL) < 0);
	van_buf_free(&blob);
	assert_int_equal(try((struct wish){.principals = 1}), 0);
	assert_int_equal(try((struct wish){.principals = 0}), VAN_EDENIED); /* for everybody: no */
	assert_int_equal(try((struct wish){.principals = 1, .kind = 2}), VAN_EDENIED);
	assert_int_equal(try((struct wish){.principals = 1, .after = 200, .before = 100}), VAN_EDENIED);
	assert_int_equal(try((struct wish){.principals = 1, .options = {"force-command", "/bin/sh"}}), VAN_EDENIED);
	assert_int_equal(try((struct wish){.principals = 1, .options = {"force-command", "internal-sftp"}}), 0);
	assert_int_equal(try((struct wish){.principals = 1, .options = {"verify-required", ""}}), VAN_EDENIED);
	assert_int_equal(try((struct wish){.principals = SFTPD_PRINCIPALS_MAX + 1}), VAN_EDENIED);
	assert_int_equal(try((struct wish){.principals = 1, .type = "ssh-dss-cert-v01@openssh.com"}), VAN_ESYNTAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(networks), cmocka_unit_test(schedules), cmocka_unit_test(proxy_headers),
		cmocka_unit_test(pace),     cmocka_unit_test(certificates),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
