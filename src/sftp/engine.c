#include "sftp/engine.h"

#include <stdio.h>
#include <stdlib.h>

#define WRITE_HEAD 13      /* length, type, id, length of the handle */
#define HANDLE_TEXT_MAX 256 /* section 6.2 */

static uint32_t or_default(uint32_t v, uint32_t usual)
{
	return v ? v : usual;
}

struct sftpd *sftpd_new(const struct sftpd_options *o, const struct sftpd_ops *ops, void *arg)
{
	struct sftpd *s = calloc(1, sizeof *s);
	if (!s)
		return NULL;
	s->o = o ? *o : (struct sftpd_options){0};
	s->o.packet_max = or_default(s->o.packet_max, 262144);
	s->o.read_max = or_default(s->o.read_max, 261120);
	s->o.write_max = or_default(s->o.write_max, 261120);
	s->o.handles_max = or_default(s->o.handles_max, 64);
	s->o.output_high = or_default(s->o.output_high, 65536);
	s->o.names_max = or_default(s->o.names_max, 32768);
	snprintf(s->owner, sizeof s->owner, "%s", s->o.owner ? s->o.owner : "van");
	s->o.owner = s->owner;
	s->open = s->o.handles_open ? s->o.handles_open : &s->own_open;
	s->ops = ops;
	s->arg = arg;
	s->in = VAN_BUF_INIT((size_t)s->o.packet_max + 4);
	/* One reply more than the high mark; a name can stand twice in an entry beside its attributes. */
	s->out = VAN_BUF_INIT((size_t)s->o.output_high + s->o.read_max + s->o.names_max + 8192);
	s->handles = calloc(s->o.handles_max, sizeof *s->handles);
	if (!s->handles) {
		free(s);
		return NULL;
	}
	return s;
}

void sftpd_free(struct sftpd *s)
{
	if (!s)
		return;
	handle_abandon_all(s);
	free(s->handles);
	van_buf_free(&s->in);
	van_buf_free(&s->out);
	free(s);
}

struct slice sftpd_output(const struct sftpd *s)
{
	return slice_make(s->out.p ? s->out.p + s->sent : "", s->out.n - s->sent);
}

void sftpd_output_sent(struct sftpd *s, size_t n)
{
	s->sent += n;
	if (s->sent >= s->out.n)
		s->sent = s->out.n = 0;
}

bool sftpd_wants_input(const struct sftpd *s)
{
	return !s->dead && s->out.n - s->sent < s->o.output_high;
}

uint32_t sftpd_open_handles(const struct sftpd *s)
{
	return *s->open;
}

/* How many of a packet's first bytes must stand together to act upon it, as far as `n` of them tell: all, but of a WRITE
 * only what comes before its data. */
static size_t bytes_needed(const unsigned char *p, size_t n)
{
	if (n < 5)
		return 5;
	size_t whole = 4 + (size_t)packet_peek_u32(p);
	if (p[4] != PACKET_WRITE || whole < WRITE_HEAD)
		return whole;
	if (n < WRITE_HEAD)
		return WRITE_HEAD;
	size_t head = WRITE_HEAD + (size_t)packet_peek_u32(p + 9) + 12;
	return head > WRITE_HEAD + HANDLE_TEXT_MAX + 12 || head > whole ? WRITE_HEAD : head;
}

static int check_length(struct sftpd *s, const unsigned char *p, struct van_error *e)
{
	uint32_t length = packet_peek_u32(p);
	if (length > s->o.packet_max)
		return van_error_set(e, VAN_ELIMIT, "a packet of %u bytes is longer than the limit of %u", length, s->o.packet_max);
	if (length < 5)
		return van_error_set(e, VAN_ESYNTAX, "a packet of %u bytes is too short to be SFTP", length);
	if (!s->initialised && p[4] != PACKET_INIT)
		return van_error_set(e, VAN_ESYNTAX, "the first packet is of type %u, not INIT", p[4]);
	if (s->initialised && p[4] == PACKET_INIT)
		return van_error_set(e, VAN_ESYNTAX, "INIT came twice");
	return 0;
}

static void finish_write(struct sftpd *s)
{
	s->write.active = false;
	reply_status(s, s->write.id, s->write.status, &s->write.why);
}

/* `p` holds the WRITE up to its data, or WRITE_HEAD bytes of one whose fields are wrong. */
static void begin_write(struct sftpd *s, const unsigned char *p, size_t n)
{
	struct packet k = {.p = p + 5, .n = n - 5};
	uint64_t rest = 4 + (uint64_t)packet_peek_u32(p) - n;
	s->write.active = true;
	s->write.id = packet_u32(&k);
	struct slice handle = packet_string(&k);
	s->write.at = packet_u64(&k);
	s->write.left = packet_u32(&k);
	s->write.status = SFTPD_OK;
	s->write.why.text[0] = '\0';
	s->write.handle = NULL;
	if (k.bad || s->write.left > rest) {
		s->write.left = 0;
		s->write.status = sftpd_refuse(&s->write.why, SFTPD_BAD_MESSAGE, "The request is shorter than its fields say");
	} else if (!(s->write.handle = handle_find(s, handle, HANDLE_FILE))) {
		s->write.status = sftpd_refuse(&s->write.why, SFTPD_FAILURE, "This handle is not open");
	} else if (!s->ops->write) {
		s->write.status = SFTPD_OP_UNSUPPORTED;
	} else if (s->write.at > (uint64_t)INT64_MAX - s->write.left) {
		s->write.status = sftpd_refuse(&s->write.why, SFTPD_FAILURE, "The offset is too large");
	}
	s->skip = rest - s->write.left;
	if (!s->write.left)
		finish_write(s);
}

/* Hands data of the current WRITE on. Returns how much of it was used. */
static size_t take_data(struct sftpd *s, const unsigned char *p, size_t n)
{
	if (n > s->write.left)
		n = s->write.left;
	if (s->write.status == SFTPD_OK)
		s->write.status = s->ops->write(s->arg, s->write.handle->thing, s->write.at, p, n, &s->write.why);
	s->write.at += n;
	s->write.left -= (uint32_t)n;
	if (!s->write.left)
		finish_write(s);
	return n;
}

static int act(struct sftpd *s, const unsigned char *p, size_t n)
{
	struct packet k = {.p = p + 5, .n = n - 5};
	if (p[4] == PACKET_INIT) {
		s->initialised = true; /* whatever version the client offers, ours is 3, the lowest in use */
		reply_version(s);
	} else if (p[4] == PACKET_WRITE && n >= WRITE_HEAD) {
		begin_write(s, p, n);
	} else {
		request_serve(s, p[4], &k);
	}
	return s->out.error;
}

/* Gathers the beginning of a packet until it can be acted upon, or acts on it where it stands. Sets *ret_used. */
static int take_packet(struct sftpd *s, const unsigned char *p, size_t n, size_t *ret_used, struct van_error *e)
{
	bool gathering = s->in.n > 0;
	const unsigned char *from = gathering ? (const unsigned char *)s->in.p : p;
	size_t have = gathering ? s->in.n : n;
	size_t need = bytes_needed(from, have);
	int rc;
	if (have >= 5 && (rc = check_length(s, from, e)) < 0)
		return rc;
	if (have >= need) { /* only where it stands: what is gathered never holds more than was needed */
		*ret_used = gathering ? 0 : need;
		rc = act(s, from, need);
		if (gathering)
			s->in.n = 0;
		return rc < 0 ? van_error_set(e, rc, "a reply found no room") : 0;
	}
	size_t k = need - (gathering ? have : 0);
	if (k > n)
		k = n;
	if (van_buf_append(&s->in, p, k) < 0)
		return van_error_set(e, s->in.error, "a packet found no room");
	*ret_used = k;
	return s->in.n == 5 ? check_length(s, (const unsigned char *)s->in.p, e) : 0;
}

int sftpd_input(struct sftpd *s, const void *bytes, size_t n, van_time now, size_t *ret_taken, struct van_error *e)
{
	const unsigned char *p = bytes;
	size_t at = 0;
	if (s->dead)
		return van_error_set(e, s->dead, "the session has ended");
	s->now = now;
	if (s->sent && sftpd_wants_input(s)) { /* little is left, see output_high */
		van_buf_consume(&s->out, s->sent);
		s->sent = 0;
	}
	for (;;) {
		/* A packet that is gathered whole is acted upon even when no more bytes come. */
		bool gathered = s->in.n >= 5 && s->in.n >= bytes_needed((unsigned char *)s->in.p, s->in.n);
		if ((at == n && !gathered) || !sftpd_wants_input(s))
			break;
		size_t used = 0;
		if (s->write.active) {
			used = take_data(s, p + at, n - at);
		} else if (s->skip) {
			used = n - at < s->skip ? n - at : (size_t)s->skip;
			s->skip -= used;
		} else {
			int rc = take_packet(s, p + at, n - at, &used, e);
			if (rc < 0) {
				s->dead = rc;
				return rc;
			}
		}
		if (s->out.error) {
			s->dead = s->out.error;
			return van_error_set(e, s->dead, "a reply found no room");
		}
		at += used;
	}
	*ret_taken = at;
	return 0;
}
