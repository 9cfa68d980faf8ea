/* One try over HTTP: a POST whose body may be any size, and an answer of bounded size. */
#include "roles/deliver/deliver.h"

#include "base/error.h"
#include "base/fault.h"
#include "base/fdio.h"
#include "base/log.h"
#include "partner/settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define ANSWER_INLINE ((size_t)32 * 1024)
#define HEADERS_MAX 128
#define HEADER_BYTES_MAX ((size_t)65536)
#define TICK VAN_SECOND
#define CREDENTIAL_MAX ((size_t)1 << 20)

struct transfer {
	struct deliver *d;
	CURL *easy;
	struct curl_slist *headers;
	struct van_arena *arena;  /* of `what` */
	struct ipc_deliver what;
	struct van_buf record, secret;
	uint64_t request;
	int fd;                   /* of the body, or -1 */
	uint64_t sent;
	van_time progress;        /* monotonic: the last byte in either direction */
	bool all_sent;
	/* AS2 Restart */
	bool asking;              /* the HEAD that asks how much is there is under way */
	uint64_t from;            /* the POST begins with this byte */
	struct curl_slist *question; /* headers of that HEAD */
	struct van_buf answer, answer_headers;
	char error[CURL_ERROR_SIZE];
	const char *ended;        /* why we ended it ourselves */
	struct loop_timer *timer;
	struct transfer *next, **place;
};

/* --- what it says to the store -------------------------------------------------------------------------------------------- */

static int split_headers(struct transfer *t, struct record_list *ret)
{
	struct slice lines = van_buf_slice(&t->answer_headers);
	struct ipc_header *v = van_arena_array(t->arena, HEADERS_MAX, sizeof *v);
	size_t n = 0;
	while (v && lines.p && lines.n && n < HEADERS_MAX) {
		struct slice value = slice_cut(&lines, '\n'), name = slice_cut(&value, ':');
		if (value.p && slice_trim(name).n)
			v[n++] = (struct ipc_header){slice_trim(name), slice_trim(value)};
	}
	*ret = (struct record_list){v, n};
	return v ? 0 : VAN_ENOMEM;
}

static void send_result(struct transfer *t, struct ipc_delivered *r)
{
	int fd = -1;
	r->sent = t->sent;
	if (r->answered && t->answer.n > ANSWER_INLINE)
		fd = memfd_with("answer", t->answer.p, t->answer.n);
	else if (r->answered)
		r->body = van_buf_slice(&t->answer);
	van_fault_point("deliver-after-answer");
	if (t->d->store)
		ipc_send(t->d->store, IPC_DELIVERED, t->request, &ipc_delivered_table, r, fd >= 0 ? &fd : NULL, fd >= 0);
	if (fd >= 0)
		close(fd);
}

static void transfer_free(struct transfer *t)
{
	if (t->place) {
		*t->place = t->next;
		if (t->next)
			t->next->place = t->place;
	}
	loop_cancel(t->timer);
	curl_easy_cleanup(t->easy);
	curl_slist_free_all(t->headers);
	curl_slist_free_all(t->question);
	if (t->secret.p)
		explicit_bzero(t->secret.p, t->secret.n);
	van_buf_free(&t->secret);
	van_buf_free(&t->record);
	van_buf_free(&t->answer);
	van_buf_free(&t->answer_headers);
	van_arena_free(t->arena);
	if (t->fd >= 0)
		close(t->fd);
	free(t);
}

static void fail(struct transfer *t, const char *why)
{
	struct ipc_delivered r = {.error = slice_str(why), .not_ready = true};
	send_result(t, &r);
	transfer_free(t);
}

/* --- what libcurl asks ------------------------------------------------------------------------------------------------------ */

static size_t on_read(char *to, size_t size, size_t n, void *arg)
{
	struct transfer *t = arg;
	uint64_t left = t->what.bytes - t->sent;
	size_t take = size * n < left ? size * n : (size_t)left;
	if (t->sent)
		van_fault_point("deliver-mid-body");
	if (t->fd < 0)
		memcpy(to, t->what.body.p + t->sent, take);
	else if (fd_pread_all(t->fd, to, take, (off_t)(t->what.offset + t->sent)) < 0)
		return CURL_READFUNC_ABORT;
	t->sent += take;
	t->all_sent = t->sent == t->what.bytes;
	t->progress = van_clock_monotonic();
	return take;
}

/* A kept connection that the peer had closed: libcurl begins again on a fresh one. */
static int on_seek(void *arg, curl_off_t to, int origin)
{
	struct transfer *t = arg;
	if (origin != SEEK_SET || to < 0 || (uint64_t)to > t->what.bytes - t->from)
		return CURL_SEEKFUNC_FAIL;
	t->sent = t->from + (uint64_t)to;
	t->all_sent = false;
	return CURL_SEEKFUNC_OK;
}

static size_t on_header(char *p, size_t size, size_t n, void *arg)
{
	struct transfer *t = arg;
	van_fault_point("deliver-before-answer");
	t->progress = van_clock_monotonic();
	if (size * n >= 5 && memcmp(p, "HTTP/", 5) == 0) {
		van_buf_reset(&t->answer_headers); /* after 100 Continue or a redirect the answer begins anew */
		van_buf_reset(&t->answer);
		return size * n;
	}
	if (van_buf_append(&t->answer_headers, p, size * n) < 0) {
		t->ended = "the answer's headers are too long";
		return 0;
	}
	return size * n;
}

static size_t on_write(char *p, size_t size, size_t n, void *arg)
{
	struct transfer *t = arg;
	t->progress = van_clock_monotonic();
	if (van_buf_append(&t->answer, p, size * n) < 0) {
		t->ended = "the answer is larger than an MDN can be: is the address right?";
		return 0;
	}
	return size * n;
}

/* libcurl has one deadline for a whole transfer; ours depend on what is awaited. Looked at every second. */
static void on_tick(void *arg)
{
	struct transfer *t = arg;
	van_time quiet = van_clock_monotonic() - t->progress;
	t->timer = NULL;
	if (t->asking && quiet > t->d->role->config->deliver.idle_timeout)
		t->ended = "the receiver did not say in time how much it has: see deliver.idle_timeout in vand.yaml";
	else if (t->all_sent && quiet > (van_time)t->what.answer_timeout)
		t->ended = "no answer came in time: see mdn.timeout of the profile";
	else if (!t->all_sent && t->sent && quiet > t->d->role->config->deliver.idle_timeout)
		t->ended = "the receiver stopped reading: see deliver.idle_timeout in vand.yaml";
	else
		t->timer = loop_after(t->d->role->loop, TICK, on_tick, t);
	if (!t->ended)
		return;
	poller_remove(t->d->poller, t->easy);
	transfer_done(t->d, t->easy, CURLE_OPERATION_TIMEDOUT);
}

/* --- starting --------------------------------------------------------------------------------------------------------------- */

static bool add_line(struct transfer *t, struct curl_slist **list, struct slice name, struct slice value)
{
	struct slice line = value.n ? van_arena_printf(t->arena, "%.*s: %.*s", SLICE_ARG(name), SLICE_ARG(value))
				    : van_arena_printf(t->arena, "%.*s;", SLICE_ARG(name));
	struct curl_slist *l = line.p ? curl_slist_append(*list, line.p) : NULL;
	if (l)
		*list = l;
	return l;
}

static bool add_header(struct transfer *t, struct slice name, struct slice value)
{
	return add_line(t, &t->headers, name, value);
}

/* Names the package, so that a later try can go on with it; and where this one does go on, from where (RFC 9110 section 14.4). */
static bool add_restart(struct transfer *t)
{
	if (!t->what.etag.p)
		return true;
	unsigned long long last = t->what.bytes - 1;
	struct slice range = van_arena_printf(t->arena, "bytes %llu-%llu/%llu", (unsigned long long)t->from, last, last + 1);
	struct slice etag = van_arena_printf(t->arena, "\"%.*s\"", SLICE_ARG(t->what.etag));
	return etag.p && range.p && add_header(t, SLICE("ETag"), etag) && (!t->from || add_header(t, SLICE("Content-Range"), range));
}

static bool add_headers(struct transfer *t)
{
	bool ok = true;
	for (size_t i = 0; i < t->what.headers.n && ok; i++) {
		const struct ipc_header *h = RECORD_AT(t->what.headers, struct ipc_header, i);
		ok = add_header(t, h->name, h->value);
	}
	struct curl_slist *l = NULL;
	if (ok && !t->what.expect_continue && (l = curl_slist_append(t->headers, "Expect:")))
		t->headers = l;
	ok = ok && (t->what.expect_continue || l);
	if (ok && t->what.expect_continue)
		ok = add_header(t, SLICE("Expect"), SLICE("100-continue"));
	if (ok && t->what.chunked)
		ok = add_header(t, SLICE("Transfer-Encoding"), SLICE("chunked"));
	return ok && add_restart(t);
}

/* The headers of a HEAD: which transfer, between whom. */
static bool add_question(struct transfer *t)
{
	static const char *const names[] = {"AS2-Version", "AS2-From", "AS2-To", "User-Agent"};
	struct slice etag = van_arena_printf(t->arena, "\"%.*s\"", SLICE_ARG(t->what.etag));
	bool ok = etag.p && add_line(t, &t->question, SLICE("ETag"), etag);
	for (size_t i = 0; i < t->what.headers.n && ok; i++) {
		const struct ipc_header *h = RECORD_AT(t->what.headers, struct ipc_header, i);
		for (size_t k = 0; k < sizeof names / sizeof *names && ok; k++)
			if (slice_case_is(h->name, names[k]))
				ok = add_line(t, &t->question, h->name, h->value);
	}
	return ok;
}

static const char *text(struct transfer *t, struct slice s)
{
	return s.p ? van_arena_str(t->arena, s) : NULL;
}

static void set_blob(CURL *e, CURLoption option, struct slice s)
{
	struct curl_blob b = {.data = (void *)(uintptr_t)s.p, .len = s.n, .flags = CURL_BLOB_COPY};
	curl_easy_setopt(e, option, &b);
}

/* NULL, or what is wrong. */
static const char *set_credentials(struct transfer *t)
{
	const struct ipc_deliver *w = &t->what;
	CURL *e = t->easy;
	t->secret = VAN_BUF_INIT(CREDENTIAL_MAX);
	if (w->client_certificate.p) {
		if (credential_read(t->d, w->client_key_file, &t->secret) < 0)
			return van_arena_printf(t->arena, "the client key %.*s could not be read: see vand's log", SLICE_ARG(w->client_key_file)).p;
		set_blob(e, CURLOPT_SSLCERT_BLOB, w->client_certificate);
		set_blob(e, CURLOPT_SSLKEY_BLOB, van_buf_slice(&t->secret));
		explicit_bzero(t->secret.p, t->secret.n);
		van_buf_reset(&t->secret);
	}
	if (!w->user.p)
		return NULL;
	if (credential_read(t->d, w->password_file, &t->secret) < 0)
		return van_arena_printf(t->arena, "the password file %.*s could not be read: see vand's log", SLICE_ARG(w->password_file)).p;
	struct slice rest = van_buf_slice(&t->secret), line = slice_cut(&rest, '\n');
	curl_easy_setopt(e, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
	curl_easy_setopt(e, CURLOPT_USERNAME, text(t, w->user));
	t->secret.p[slice_trim(line).p + slice_trim(line).n - t->secret.p] = 0; /* there is room: the buffer ends with a NUL */
	curl_easy_setopt(e, CURLOPT_PASSWORD, slice_trim(line).p);
	return NULL;
}

static void set_body(struct transfer *t)
{
	CURL *e = t->easy;
	curl_easy_setopt(e, CURLOPT_POST, 1L);
	curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE_LARGE, t->what.chunked ? (curl_off_t)-1 : (curl_off_t)(t->what.bytes - t->from));
	curl_easy_setopt(e, CURLOPT_READFUNCTION, on_read);
	curl_easy_setopt(e, CURLOPT_READDATA, t);
	curl_easy_setopt(e, CURLOPT_SEEKFUNCTION, on_seek);
	curl_easy_setopt(e, CURLOPT_SEEKDATA, t);
	curl_easy_setopt(e, CURLOPT_UPLOAD_BUFFERSIZE, 262144L);
}

static void set_answer(struct transfer *t)
{
	CURL *e = t->easy;
	curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(e, CURLOPT_HEADERDATA, t);
	curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_write);
	curl_easy_setopt(e, CURLOPT_WRITEDATA, t);
	curl_easy_setopt(e, CURLOPT_ERRORBUFFER, t->error);
}

static const char *set_options(struct transfer *t)
{
	const struct ipc_deliver *w = &t->what;
	CURL *e = t->easy;
	const char *url = text(t, w->url);
	if (!url)
		return "no memory for another delivery";
	curl_easy_setopt(e, CURLOPT_PRIVATE, t);
	curl_easy_setopt(e, CURLOPT_URL, url);
	curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(e, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(e, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(e, CURLOPT_PROXY, w->proxy.n ? text(t, w->proxy) : ""); /* never the environment's */
	curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS, (long)(t->d->role->config->deliver.connect_timeout / 1000));
	curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, (long)(w->redirects > 0));
	curl_easy_setopt(e, CURLOPT_MAXREDIRS, (long)w->redirects);
	curl_easy_setopt(e, CURLOPT_POSTREDIR, (long)CURL_REDIR_POST_ALL);
	curl_easy_setopt(e, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(e, CURLOPT_SSL_VERIFYHOST, w->check_name ? 2L : 0L);
	if (w->trust.p) { /* and nothing else */
		curl_easy_setopt(e, CURLOPT_CAINFO, NULL);
		curl_easy_setopt(e, CURLOPT_CAPATH, NULL);
		set_blob(e, CURLOPT_CAINFO_BLOB, w->trust);
	}
	set_answer(t);
	return set_credentials(t);
}

/* The POST, from byte `from`. NULL, or what is wrong. */
static const char *set_post(struct transfer *t, uint64_t from)
{
	t->asking = false;
	t->from = t->sent = from;
	t->all_sent = t->sent == t->what.bytes; /* then nothing is asked of on_read */
	t->progress = van_clock_monotonic();
	van_buf_reset(&t->answer);
	van_buf_reset(&t->answer_headers);
	curl_slist_free_all(t->headers);
	t->headers = NULL;
	if (!add_headers(t))
		return "no memory for another delivery";
	curl_easy_setopt(t->easy, CURLOPT_HTTPHEADER, t->headers);
	/* on a kept connection that breaks libcurl would begin again by itself, at the same byte */
	curl_easy_setopt(t->easy, CURLOPT_FRESH_CONNECT, from ? 1L : 0L);
	set_body(t);
	return NULL;
}

static const char *set_question(struct transfer *t)
{
	if (!add_question(t))
		return "no memory for another delivery";
	t->asking = true;
	curl_easy_setopt(t->easy, CURLOPT_HTTPHEADER, t->question);
	curl_easy_setopt(t->easy, CURLOPT_NOBODY, 1L);
	return NULL;
}

static struct transfer *transfer_new(struct deliver *d, struct ipc_message *m)
{
	struct transfer *t = calloc(1, sizeof *t);
	if (!t)
		return NULL;
	*t = (struct transfer){.d = d, .request = m->request, .fd = ipc_take_fd(m, 0), .easy = curl_easy_init(), .arena = van_arena_new(0),
			       .record = VAN_BUF_INIT(IPC_MESSAGE_MAX), .answer = VAN_BUF_INIT(d->role->config->deliver.answer_size),
			       .answer_headers = VAN_BUF_INIT(HEADER_BYTES_MAX), .progress = van_clock_monotonic()};
	van_buf_append_slice(&t->record, m->body);
	t->next = d->transfers;
	t->place = &d->transfers;
	if (t->next)
		t->next->place = &t->next;
	d->transfers = t;
	return t;
}

void transfer_start(struct deliver *d, struct ipc_message *m)
{
	struct transfer *t = transfer_new(d, m);
	if (!t) {
		log_event(LOG_LEVEL_ERROR, "no-memory", NULL);
		return; /* the store's own deadline for the try will tell */
	}
	int rc = t->easy && t->arena ? t->record.error : VAN_ENOMEM;
	if (rc == 0)
		rc = record_decode(&ipc_deliver_table, van_buf_slice(&t->record), t->arena, &t->what);
	if (rc == 0 && !t->what.body.p && t->fd < 0)
		rc = VAN_EINVAL;
	if (rc == 0 && t->what.body.p)
		t->what.bytes = t->what.body.n;
	const char *wrong = rc < 0 ? van_err_name(rc) : set_options(t);
	if (!wrong)
		wrong = t->what.etag.p && t->what.again && t->what.bytes ? set_question(t) : set_post(t, 0);
	if (!wrong && poller_add(d->poller, t->easy) < 0)
		wrong = "no memory for another delivery";
	van_fault_point("deliver-before-send");
	if (wrong)
		fail(t, wrong);
	else
		t->timer = loop_after(d->role->loop, TICK, on_tick, t);
}

/* --- ending ------------------------------------------------------------------------------------------------------------------ */

static const char *why(struct transfer *t, CURLcode code)
{
	if (t->ended)
		return t->ended;
	return t->error[0] ? t->error : curl_easy_strerror(code);
}

/* Posts from a byte on, in the same try. False: it has come to its end. */
static bool post(struct transfer *t, uint64_t from)
{
	const char *wrong = set_post(t, from);
	if (!wrong && poller_add(t->d->poller, t->easy) < 0)
		wrong = "no memory for another delivery";
	if (wrong)
		fail(t, wrong);
	return !wrong;
}

/* What the receiver has already; a receiver that does not understand the question has nothing. When it has all, it wants to see the
 * last byte again. */
static uint64_t held(struct transfer *t, CURLcode code, long status)
{
	curl_off_t n = -1;
	curl_easy_getinfo(t->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &n);
	if (code != CURLE_OK || status != 200 || n <= 0 || (uint64_t)n > t->what.bytes)
		return 0;
	return (uint64_t)n == t->what.bytes ? t->what.bytes - 1 : (uint64_t)n;
}

void transfer_done(void *arg, CURL *easy, CURLcode code)
{
	struct transfer *t;
	struct ipc_delivered r = {.answered = false};
	long status = 0;
	(void)arg;
	curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&t);
	curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
	bool unreachable = t->asking && (t->ended || status == 0);
	if (t->asking && !unreachable) {
		uint64_t from = held(t, code, status);
		log_event(LOG_LEVEL_INFO, "try-resumes", "delivery", log_slice(t->what.delivery), "at", log_u64(from), NULL);
		post(t, from);
		return;
	}
	if (t->from && status == 416) { /* it has changed its mind */
		post(t, 0);
		return;
	}
	/* an answer that broke off is worth reading when it is a refusal: the status says it all */
	r.answered = status >= 200 && (code == CURLE_OK || (status >= 300 && !t->ended));
	r.status = (uint64_t)status;
	if (r.answered && split_headers(t, &r.headers) < 0)
		r.answered = false;
	if (!r.answered)
		r.error = slice_str(why(t, code));
	log_event(LOG_LEVEL_INFO, "try-ended", "delivery", log_slice(t->what.delivery), "url", log_slice(t->what.url), "status",
		  log_u64((unsigned long long)status), "sent", log_u64(t->sent), "error", r.answered ? NULL : why(t, code), NULL);
	send_result(t, &r);
	transfer_free(t);
}

void transfer_cancel_all(struct deliver *d)
{
	while (d->transfers) {
		struct transfer *t = d->transfers;
		if (t->easy)
			poller_remove(d->poller, t->easy);
		transfer_free(t);
	}
}
