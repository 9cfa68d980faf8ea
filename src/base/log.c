#include "base/log.h"

#include "base/buf.h"
#include "base/clock.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#define CONTEXT_MAX 4
#define LINE_MAX_BYTES ((size_t)16384)

static struct {
	char role[32];
	enum log_level minimum;
	enum log_format format;
	struct {
		char key[24];
		char value[200];
	} context[CONTEXT_MAX];
	bool holds;
	struct van_buf held;
} setup = {.role = "vand", .minimum = LOG_LEVEL_INFO, .held = {.max = LINE_MAX_BYTES}};

void log_setup(const char *role, enum log_level minimum, enum log_format format)
{
	snprintf(setup.role, sizeof setup.role, "%s", role);
	setup.minimum = minimum;
	setup.format = format;
}

void log_context(const char *key, const char *value)
{
	int slot = -1;
	for (int i = CONTEXT_MAX - 1; i >= 0; i--) {
		if (strcmp(setup.context[i].key, key) == 0) {
			slot = i;
			break;
		}
		if (!setup.context[i].key[0])
			slot = i;
	}
	if (slot < 0)
		return;
	if (!value) {
		setup.context[slot].key[0] = 0;
		return;
	}
	snprintf(setup.context[slot].key, sizeof setup.context[slot].key, "%s", key);
	snprintf(setup.context[slot].value, sizeof setup.context[slot].value, "%s", value);
}

static void put_json_string(struct van_buf *b, const char *z)
{
	van_buf_append_char(b, '"');
	for (; *z; z++) {
		unsigned char c = (unsigned char)*z;
		if (c == '"' || c == '\\') {
			van_buf_append_char(b, '\\');
			van_buf_append_char(b, (char)c);
		} else if (c < 32 || c >= 127) {
			van_buf_printf(b, "\\u%04x", c);
		} else {
			van_buf_append_char(b, (char)c);
		}
	}
	van_buf_append_char(b, '"');
}

static bool needs_quotes(const char *z)
{
	if (!*z)
		return true;
	for (; *z; z++)
		if ((unsigned char)*z <= 32 || (unsigned char)*z >= 127 || *z == '"' || *z == '=' || *z == '\\')
			return true;
	return false;
}

static void put_pair(struct van_buf *b, const char *key, const char *value)
{
	if (setup.format == LOG_FORMAT_JSON) {
		van_buf_append_char(b, ',');
		put_json_string(b, key);
		van_buf_append_char(b, ':');
		put_json_string(b, value);
		return;
	}
	van_buf_printf(b, " %s=", key);
	if (needs_quotes(value))
		put_json_string(b, value);
	else
		van_buf_append_str(b, value);
}

static void put_out(struct slice lines)
{
	if (lines.n && write(STDERR_FILENO, lines.p, lines.n) < 0) {
		/* nowhere left to complain */
	}
}

void log_flush(void)
{
	if (!setup.held.n) /* always, where several threads write lines: nothing is changed then */
		return;
	put_out(van_buf_slice(&setup.held));
	van_buf_reset(&setup.held);
}

void log_hold(bool hold)
{
	setup.holds = hold;
	if (!hold)
		log_flush();
}

static void put_line(enum log_level level, struct slice line)
{
	if (setup.held.n + line.n > setup.held.max)
		log_flush();
	if (setup.holds && level <= LOG_LEVEL_INFO && van_buf_append_slice(&setup.held, line) == 0)
		return;
	log_flush();
	put_out(line);
}

void log_event(enum log_level level, const char *event, ...)
{
	static const char *const levels[] = {"debug", "info", "warning", "error"};
	if (level < setup.minimum)
		return;
	struct van_buf b = VAN_BUF_INIT(LINE_MAX_BYTES);
	char now[VAN_TIME_TEXT];
	van_time_rfc3339(now, van_clock_now());
	if (setup.format == LOG_FORMAT_JSON)
		van_buf_printf(&b, "{\"time\":\"%s\"", now);
	else
		van_buf_append_str(&b, now);
	put_pair(&b, "level", levels[level]);
	put_pair(&b, "role", setup.role);
	put_pair(&b, "event", event);
	for (int i = 0; i < CONTEXT_MAX; i++)
		if (setup.context[i].key[0])
			put_pair(&b, setup.context[i].key, setup.context[i].value);
	va_list ap;
	va_start(ap, event);
	for (const char *key; (key = va_arg(ap, const char *));) {
		const char *value = va_arg(ap, const char *);
		if (value)
			put_pair(&b, key, value);
	}
	va_end(ap);
	van_buf_append_str(&b, setup.format == LOG_FORMAT_JSON ? "}\n" : "\n");
	if (!b.error)
		put_line(level, van_buf_slice(&b));
	van_buf_free(&b);
}

static char *rotating(void)
{
	static _Thread_local char buffers[8][256];
	static _Thread_local unsigned next;
	return buffers[next++ % 8];
}

const char *log_u64(unsigned long long v)
{
	char *to = rotating();
	snprintf(to, 256, "%llu", v);
	return to;
}

const char *log_slice(struct slice s)
{
	if (!s.p)
		return NULL;
	char *to = rotating();
	size_t n = s.n < 240 ? s.n : 240;
	for (size_t i = 0; i < n; i++)
		to[i] = s.p[i] ? s.p[i] : '?';
	to[n] = 0;
	return to;
}
