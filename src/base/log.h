/* Log events: one line for one event on standard error, constant event name, key=value or JSON.
 * Roles and programs log; libraries return errors. Never log document content, keys or passwords. */
#ifndef OPENVAN_BASE_LOG_H
#define OPENVAN_BASE_LOG_H

#include "base/slice.h"

enum log_level { LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARNING, LOG_LEVEL_ERROR };
enum log_format { LOG_FORMAT_KV, LOG_FORMAT_JSON };

/* Role name that begins every line; `minimum` level that is printed. Call once at start. */
void log_setup(const char *role, enum log_level minimum, enum log_format format);

/* Inherited context: stays on every line until cleared with NULL. Copies the value (up to 200 bytes). */
void log_context(const char *key, const char *value);

/* log_event(LOG_LEVEL_INFO, "message-accepted", "id", id.text, "bytes", log_u64(n), NULL): pairs of strings end with a NULL
 * key; a NULL value is left out. Values are escaped, so foreign text can be logged. */
void log_event(enum log_level level, const char *event, ...) __attribute__((sentinel));

/* While it holds, lines up to LOG_LEVEL_INFO are kept, 16 KiB of them at most, until log_flush(), or a line above that level comes: for a
 * process that has somebody waiting and tells the log afterwards. Its end by a signal loses them. One thread only. */
void log_hold(bool hold);
/* Writes what is kept. */
void log_flush(void);

/* A number as text, in one of 8 rotating buffers of the thread, for use in log_event's arguments. */
const char *log_u64(unsigned long long v);
/* A slice as text, likewise; cut at 240 bytes. */
const char *log_slice(struct slice s);

#endif
