#include "sftp/sftpd.h"

#include "base/buf.h"

#include <inttypes.h>

#define HALF_YEAR (365 * 24 * 3600 / 2)

static void mode_text(uint32_t mode, char to[11])
{
	static const char letters[] = "rwxrwxrwx";
	to[0] = (mode & 0170000) == SFTPD_MODE_FOLDER ? 'd' : '-';
	for (int i = 0; i < 9; i++)
		to[1 + i] = mode & (0400u >> i) ? letters[i] : '-';
	to[10] = '\0';
}

/* Like ls: the time of day for what is less than half a year old, else the year. */
static int put_time(struct van_buf *to, uint32_t modified, van_time now)
{
	static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	struct van_civil c = van_time_civil((van_time)modified * VAN_SECOND);
	int64_t age = now / VAN_SECOND - (int64_t)modified;
	const char *month = c.month >= 1 && c.month <= 12 ? months[c.month - 1] : "???";
	if (age >= 0 && age < HALF_YEAR)
		return van_buf_printf(to, "%s %2d %02d:%02d", month, c.day, c.hour, c.minute);
	return van_buf_printf(to, "%s %2d  %4d", month, c.day, c.year);
}

int sftpd_long_name(struct van_buf *to, struct slice name, const struct sftpd_attributes *a, const char *owner, van_time now)
{
	char mode[11];
	mode_text(a->mode, mode);
	van_buf_printf(to, "%s %3u %-8s %-8s %8" PRIu64 " ", mode, 1u, owner, owner, a->size);
	put_time(to, a->modified, now);
	van_buf_append_char(to, ' ');
	char *at = van_buf_reserve(to, name.n);
	if (!at)
		return to->error;
	for (size_t i = 0; i < name.n; i++) {
		unsigned char ch = (unsigned char)name.p[i];
		at[i] = ch < 32 || ch == 127 ? '?' : (char)ch;
	}
	to->n += name.n;
	return to->error;
}
