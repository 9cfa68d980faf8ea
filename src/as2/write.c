#include "as2/write.h"

#include "as2/request.h"

void as2_put_line(struct van_buf *to, const char *name, struct slice value)
{
	van_buf_append_str(to, name);
	van_buf_append_slice(to, value);
	van_buf_append_str(to, "\r\n");
}

void as2_put_id_line(struct van_buf *to, const char *name, struct slice id)
{
	van_buf_append_str(to, name);
	as2_id_write(to, id);
	van_buf_append_str(to, "\r\n");
}

void as2_put_version(struct van_buf *to, unsigned minor)
{
	van_buf_printf(to, "AS2-Version: 1.%u\r\nEDIINT-Features: multiple-attachments, CEM, AS2-Reliability\r\n", minor >= 3 ? 3u : 2u);
}

void as2_put_date(struct van_buf *to, van_time now)
{
	static const char days[] = "ThuFriSatSunMonTueWed", months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	struct van_civil c = van_time_civil(now);
	int64_t day = now / (86400 * VAN_SECOND) % 7;
	van_buf_printf(to, "Date: %.3s, %02d %.3s %04d %02d:%02d:%02d GMT\r\n", days + 3 * (day < 0 ? day + 7 : day), c.day,
		       months + 3 * ((c.month - 1) % 12), c.year, c.hour, c.minute, c.second);
}
