#include "mime/multipart.h"

#include "base/error.h"

#include <string.h>

enum {
	TEXT,      /* within the preamble or a part, not at a possible delimiter */
	MATCHING,  /* m->held is a line end (or nothing, at the start) and a beginning of the delimiter line */
	SWALLOW,   /* the rest of a delimiter line */
	EPILOGUE,
};

#define NO_PART ((unsigned)-1)

int mime_multipart_init(struct mime_multipart *m, struct slice boundary, unsigned parts_max,
			const struct mime_multipart_events *ev)
{
	if (boundary.n > MIME_BOUNDARY_MAX)
		return VAN_ELIMIT;
	*m = (struct mime_multipart){.ev = *ev, .part = NO_PART, .parts_max = parts_max ? parts_max : 64, .state = MATCHING};
	m->guess = boundary.n == 0;
	memcpy(m->delimiter, "--", 2);
	if (boundary.n)
		memcpy(m->delimiter + 2, boundary.p, boundary.n);
	m->ndelimiter = 2 + boundary.n;
	return 0;
}

static int emit(struct mime_multipart *m, const char *p, size_t n)
{
	return n && m->part != NO_PART && m->ev.bytes ? m->ev.bytes(m->ev.arg, m->part, p, n) : 0;
}

static int end_part(struct mime_multipart *m)
{
	return m->part != NO_PART && m->ev.end ? m->ev.end(m->ev.arg, m->part) : 0;
}

static int begin_part(struct mime_multipart *m)
{
	if (m->part + 1 >= m->parts_max)
		return VAN_ELIMIT;
	m->part++;
	m->state = MATCHING; /* an empty part: the next delimiter may follow at once */
	m->nheld = 0;
	return m->ev.begin ? m->ev.begin(m->ev.arg, m->part) : 0;
}

/* Length of the line end that m->held begins with. */
static size_t line_end(const struct mime_multipart *m)
{
	if (m->nheld >= 2 && m->held[0] == '\r' && m->held[1] == '\n')
		return 2;
	return m->nheld && m->held[0] == '\n' ? 1 : 0;
}

static int not_a_delimiter(struct mime_multipart *m)
{
	size_t n = m->nheld;
	m->nheld = 0;
	m->state = TEXT;
	return emit(m, m->held, n);
}

/* The delimiter line is certain; `line_done` when its line end was seen, `closing` when "--" follows the boundary. */
static int delimiter(struct mime_multipart *m, bool closing, bool line_done)
{
	int rc = end_part(m);
	m->nheld = 0;
	if (rc)
		return rc;
	m->closed = closing;
	m->state = SWALLOW;
	if (closing)
		m->part = m->part == NO_PART ? 0 : m->part; /* nothing is emitted any more */
	if (!line_done)
		return 0;
	return begin_part(m);
}

/* No boundary was given: held is a line that begins with "--" as far as it goes, `c` the next byte. */
static int match_guess(struct mime_multipart *m, char c)
{
	size_t start = line_end(m), n = m->nheld - start;
	size_t trimmed = n;
	while (trimmed > 2 && (m->held[start + trimmed - 1] == '\r' || m->held[start + trimmed - 1] == ' '))
		trimmed--;
	if (c == '\n' && trimmed > 2) {
		n = trimmed;
		memcpy(m->delimiter, m->held + start, n);
		m->ndelimiter = n;
		m->guess = false;
		return delimiter(m, false, true);
	}
	if ((n < 2 && c != '-') || c == '\n' || n >= MIME_BOUNDARY_MAX + 2) {
		m->nheld = 0;
		m->state = TEXT;
		return 1;
	}
	m->held[m->nheld++] = c;
	return 0;
}

/* One byte in state MATCHING. Returns 1 when the byte has to be looked at again in another state. */
static int match(struct mime_multipart *m, char c)
{
	size_t start = line_end(m), n = m->nheld - start;
	int rc;
	if (m->nheld == 1 && m->held[0] == '\r') {
		if (c != '\n')
			return (rc = not_a_delimiter(m)) ? rc : 1;
		m->held[m->nheld++] = c;
		return 0;
	}
	if (m->guess)
		return match_guess(m, c);
	if (n < m->ndelimiter ? c == m->delimiter[n] : n == m->ndelimiter && (c == '-' || c == '\r')) {
		m->held[m->nheld++] = c;
		return 0;
	}
	if (n == m->ndelimiter && (c == '\n' || c == ' ' || c == '\t'))
		return delimiter(m, false, c == '\n');
	if (n == m->ndelimiter + 1 && m->held[m->nheld - 1] == '-' && c == '-')
		return delimiter(m, true, false);
	if (n == m->ndelimiter + 1 && m->held[m->nheld - 1] == '\r' && c == '\n')
		return delimiter(m, false, true);
	return (rc = not_a_delimiter(m)) ? rc : 1;
}

static void hold(struct mime_multipart *m, const char *p, size_t n)
{
	memcpy(m->held, p, n);
	m->nheld = n;
	m->state = MATCHING;
}

/* The place of a delimiter that follows a LF within p..p+n, or NULL. */
static const char *find_delimiter(const struct mime_multipart *m, const char *p, size_t n)
{
	const char *from = p, *hit;
	if (m->guess)
		return NULL;
	while ((hit = memmem(from, n - (size_t)(from - p), m->delimiter, m->ndelimiter))) {
		if (hit > p && hit[-1] == '\n')
			return hit;
		from = hit + 1;
	}
	return NULL;
}

/* How many bytes at the end of p..p+n may begin a line end with a delimiter. */
static size_t tail(const struct mime_multipart *m, const char *p, size_t n)
{
	size_t look = n < m->ndelimiter ? n : m->ndelimiter;
	const char *lf = memrchr(p + n - look, '\n', look);
	if (lf) {
		size_t rest = (size_t)(p + n - lf) - 1;
		if (memcmp(lf + 1, m->delimiter, rest) == 0)
			return rest + 1 + (lf > p && lf[-1] == '\r');
	}
	return p[n - 1] == '\r';
}

/* State TEXT: emits as much as it can in one piece. */
static int text(struct mime_multipart *m, const char *p, size_t n, size_t *used)
{
	const char *hit = find_delimiter(m, p, n);
	if (m->guess) { /* line by line: there is only a preamble yet */
		const char *lf = memchr(p, '\n', n);
		*used = lf ? (size_t)(lf - p) + 1 : n;
		if (lf)
			hold(m, "\n", 1);
		return 0;
	}
	size_t keep = hit ? (size_t)(p + n - hit) + 1 + (hit - p >= 2 && hit[-2] == '\r') : tail(m, p, n);
	size_t held = hit ? keep - (size_t)(p + n - hit) + m->ndelimiter : keep;
	int rc = emit(m, p, n - keep);
	if (held)
		hold(m, p + n - keep, held);
	*used = n - keep + held;
	return rc;
}

static void look_at_epilogue(struct mime_multipart *m, const char *p, size_t n)
{
	for (size_t i = 0; i < n && !m->epilogue; i++)
		m->epilogue = p[i] != '\r' && p[i] != '\n' && p[i] != ' ' && p[i] != '\t';
}

static int swallow(struct mime_multipart *m, char c)
{
	if (m->closed)
		look_at_epilogue(m, &c, 1);
	if (c != '\n')
		return 0;
	if (!m->closed)
		return begin_part(m);
	m->state = EPILOGUE;
	return 0;
}

int mime_multipart_feed(struct mime_multipart *m, const void *data, size_t n)
{
	const char *p = data;
	while (n) {
		size_t used = 1;
		int rc = 0;
		switch (m->state) {
		case TEXT: rc = text(m, p, n, &used); break;
		case MATCHING: rc = match(m, *p); break;
		case SWALLOW: rc = swallow(m, *p); break;
		default: look_at_epilogue(m, p, used = n); break;
		}
		if (rc < 0)
			return rc;
		if (rc == 1)
			continue;
		p += used;
		n -= used;
	}
	return 0;
}

int mime_multipart_finish(struct mime_multipart *m)
{
	return m->closed ? 0 : VAN_ESYNTAX;
}
