/* Errors: one negative enum for every library, and an optional explanation for people.
 *
 * A library function returns 0 (or a count) on success and a negative enum van_err on failure. Functions that can
 * fail for reasons a person must act on take a `struct van_error *`, which may be NULL; it is written only on failure. */
#ifndef OPENVAN_BASE_ERROR_H
#define OPENVAN_BASE_ERROR_H

enum van_err {
	VAN_OK = 0,
	VAN_ENOMEM = -1,    /* allocation failed, or an arena or buffer reached its stated maximum */
	VAN_EINVAL = -2,    /* the caller broke the contract, or a setting is invalid */
	VAN_ESYNTAX = -3,   /* foreign bytes do not follow their standard */
	VAN_ELIMIT = -4,    /* a configured bound (size, depth, count, time) was passed */
	VAN_ENOTFOUND = -5,
	VAN_EEXISTS = -6,
	VAN_ECONFLICT = -7, /* exists, with other content */
	VAN_EIO = -8,
	VAN_ENOSPC = -9,
	VAN_EAGAIN = -10,   /* try later: nothing was changed */
	VAN_EDENIED = -11,
	VAN_ECRYPTO = -12,  /* a signature, key or cipher operation failed */
	VAN_ESTATE = -13,   /* the request does not fit the present state */
	VAN_EVERSION = -14, /* a stored record or message of an unknown version */
	VAN_ECLOSED = -15,  /* the peer is gone */
	VAN_ETIMEOUT = -16,
	VAN_EINTERNAL = -17,
};

/* What is to be done about an error; the whole program has only these four. */
enum van_disposition {
	VAN_DISPOSE_INTERNAL = 0, /* a defect or a broken machine: log it, keep the input */
	VAN_DISPOSE_RETRY,        /* the same request may succeed later */
	VAN_DISPOSE_REJECT,       /* the peer's input is at fault: tell the peer */
	VAN_DISPOSE_CONFIG,       /* our configuration is at fault: tell the operator */
};

struct van_error {
	enum van_err code;
	enum van_disposition disposition;
	char standard[40]; /* the standard's own code, e.g. "AK304:3" or "decryption-failed"; empty if none */
	char text[472];    /* one line, says what to do */
};

/* Fills `e` (may be NULL) and returns `code`, so that `return van_error_set(e, VAN_ESYNTAX, "...")` reads well.
 * The disposition follows from the code; set e->disposition afterwards where that is wrong. */
int van_error_set(struct van_error *e, enum van_err code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* As van_error_set with the standard's code. */
int van_error_standard(struct van_error *e, enum van_err code, const char *standard, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* VAN_ENOSPC, VAN_EIO, VAN_ENOMEM … for an errno value. */
enum van_err van_err_from_errno(int err);

/* A short constant name ("not found") for any enum van_err. */
const char *van_err_name(int code);

#endif
