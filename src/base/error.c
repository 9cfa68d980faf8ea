#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static enum van_disposition disposition_of(enum van_err code)
{
	switch (code) {
	case VAN_ESYNTAX:
	case VAN_ELIMIT:
	case VAN_EDENIED:
	case VAN_ECRYPTO:
	case VAN_ECONFLICT:
		return VAN_DISPOSE_REJECT;
	case VAN_EAGAIN:
	case VAN_ENOSPC:
	case VAN_ENOMEM:
	case VAN_ECLOSED:
	case VAN_ETIMEOUT:
		return VAN_DISPOSE_RETRY;
	case VAN_EINVAL:
	case VAN_ENOTFOUND:
	case VAN_EEXISTS:
		return VAN_DISPOSE_CONFIG;
	default:
		return VAN_DISPOSE_INTERNAL;
	}
}

static int fill(struct van_error *e, enum van_err code, const char *standard, const char *fmt, va_list ap)
{
	if (e) {
		e->code = code;
		e->disposition = disposition_of(code);
		snprintf(e->standard, sizeof e->standard, "%s", standard);
		vsnprintf(e->text, sizeof e->text, fmt, ap);
	}
	return code;
}

int van_error_set(struct van_error *e, enum van_err code, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	int rc = fill(e, code, "", fmt, ap);
	va_end(ap);
	return rc;
}

int van_error_standard(struct van_error *e, enum van_err code, const char *standard, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	int rc = fill(e, code, standard, fmt, ap);
	va_end(ap);
	return rc;
}

enum van_err van_err_from_errno(int err)
{
	switch (err) {
	case 0: return VAN_EINTERNAL;
	case ENOMEM: return VAN_ENOMEM;
	case ENOENT: return VAN_ENOTFOUND;
	case EEXIST: return VAN_EEXISTS;
	case EACCES:
	case EPERM: return VAN_EDENIED;
	case ENOSPC:
	case EDQUOT:
	case EFBIG: return VAN_ENOSPC;
	case EAGAIN:
	case EINTR:
	case EMFILE:
	case ENFILE:
	case ENOBUFS: return VAN_EAGAIN;
	case EPIPE:
	case ECONNRESET: return VAN_ECLOSED;
	case ETIMEDOUT: return VAN_ETIMEOUT;
	case EINVAL: return VAN_EINVAL;
	default: return VAN_EIO;
	}
}

const char *van_err_name(int code)
{
	static const char *const names[] = {
		"ok", "out of memory", "invalid", "syntax error", "limit passed", "not found", "exists", "conflict",
		"input/output error", "no space", "try again", "denied", "cryptographic failure", "wrong state",
		"unknown version", "closed", "timed out", "internal error",
	};
	size_t i = code <= 0 ? (size_t)-(long)code : sizeof names;
	return i < sizeof names / sizeof *names ? names[i] : "unknown error";
}
