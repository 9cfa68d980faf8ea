/* An open-loop AS2 load generator. It makes distinct signed and encrypted orders, and then, phase by phase as standard
 * input asks, posts them at a given rate over keep-alive connections. Latency counts from the moment a message was due,
 * so a server that falls behind can't hide it.
 *
 *   make N             generate until N messages are ready        -> {"ready":N}
 *   go RATE COUNT      post COUNT messages at RATE per second (0: as fast as the connections allow) -> one line of JSON
 *   quit
 */
#include "as2_message.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/pem.h>

#define ANSWER_MAX ((size_t)64 * 1024)
#define STALL_NS 30000000000LL

struct connection {
	int fd;
	long message; /* index, or -1 when idle */
	size_t sent;
	char answer[ANSWER_MAX];
	size_t got;
	struct connection *next_idle;
};

struct result {
	int64_t latency; /* ns; 0: not answered */
	int status;
	bool failed;
};

struct sample {
	long message;
	char *content_type, *body;
	size_t size;
};

struct load {
	struct as2_sender sender;
	struct sockaddr_in address;
	struct as2_message *messages;
	size_t made, used, capacity;
	uint32_t first_number;
	struct connection **connections;
	size_t nconnections, max_connections;
	struct connection *idle;
	int epoll;
	unsigned sample_every;
	int threads;
};

struct phase {
	struct load *load;
	size_t first, count, started, finished;
	double rate;
	int64_t begin, last_progress;
	struct result *results;
	struct sample *samples;
	size_t nsamples;
	char first_failure[512];
};

static int64_t now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void die(const char *what)
{
	fprintf(stderr, "as2_load: %s: %s\n", what, strerror(errno));
	ERR_print_errors_fp(stderr);
	exit(2);
}

/* --- generation ----------------------------------------------------------------------------------------------------- */

struct maker {
	struct load *load;
	size_t from, to, step;
	bool failed;
	pthread_t thread;
};

static void *maker_main(void *arg)
{
	struct maker *m = arg;
	for (size_t i = m->from; i < m->to && !m->failed; i += m->step)
		m->failed = as2_message_make(&m->load->sender, m->load->first_number + (uint32_t)i, &m->load->messages[i]) != 0;
	return NULL;
}

static void generate(struct load *l, size_t n)
{
	if (n > l->capacity) {
		l->messages = realloc(l->messages, n * sizeof *l->messages);
		if (!l->messages)
			die("memory");
		l->capacity = n;
	}
	struct maker makers[16];
	for (int i = 0; i < l->threads; i++) {
		makers[i] = (struct maker){.load = l, .from = l->made + (size_t)i, .to = n, .step = (size_t)l->threads};
		if (pthread_create(&makers[i].thread, NULL, maker_main, &makers[i]) != 0)
			die("pthread_create");
	}
	for (int i = 0; i < l->threads; i++) {
		pthread_join(makers[i].thread, NULL);
		if (makers[i].failed)
			die("a message could not be made");
	}
	if (n > l->made)
		l->made = n;
	printf("{\"ready\":%zu}\n", l->made - l->used);
}

/* --- connections ---------------------------------------------------------------------------------------------------- */

static bool connection_open(struct load *l, struct connection *c)
{
	int one = 1;
	c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (c->fd < 0)
		die("socket");
	if (connect(c->fd, (struct sockaddr *)&l->address, sizeof l->address) != 0) {
		close(c->fd);
		c->fd = -1;
		return false;
	}
	setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	fcntl(c->fd, F_SETFL, O_NONBLOCK);
	struct epoll_event e = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = c};
	if (epoll_ctl(l->epoll, EPOLL_CTL_ADD, c->fd, &e) != 0)
		die("epoll_ctl");
	return true;
}

static void connection_idle(struct load *l, struct connection *c)
{
	c->message = -1;
	c->next_idle = l->idle;
	l->idle = c;
}

/* An idle or new connection, or NULL when all are busy. */
static struct connection *connection_take(struct load *l)
{
	struct connection *c = l->idle;
	if (c) {
		l->idle = c->next_idle;
	} else if (l->nconnections < l->max_connections) {
		c = calloc(1, sizeof *c);
		if (!c)
			die("memory");
		c->fd = -1;
		l->connections[l->nconnections++] = c;
	} else {
		return NULL;
	}
	if (c->fd < 0 && !connection_open(l, c)) {
		connection_idle(l, c);
		return NULL;
	}
	return c;
}

static void connection_close(struct load *l, struct connection *c)
{
	close(c->fd);
	c->fd = -1;
	connection_idle(l, c);
}

/* --- one answer ----------------------------------------------------------------------------------------------------- */

/* The value of a header in a NUL-terminated head; its length in *n. */
static const char *header_value(const char *head, const char *name, size_t *n)
{
	const char *p = strcasestr(head, name);
	if (!p)
		return NULL;
	p += strlen(name);
	p += strspn(p, " \t");
	const char *end = p;
	while (*end && !(end[0] == '\r' && end[1] == '\n' && end[2] != ' ' && end[2] != '\t'))
		end++;
	*n = (size_t)(end - p);
	return p;
}

static void failure_note(struct phase *p, long message, const char *what, const char *text)
{
	p->results[(size_t)message - p->first].failed = true;
	if (!p->first_failure[0])
		snprintf(p->first_failure, sizeof p->first_failure, "message %ld: %s: %.300s", message, what, text);
}

static void sample_keep(struct phase *p, const struct connection *c, const char *head, const char *body, size_t size)
{
	size_t n = 0;
	const char *type = header_value(head, "\r\nContent-Type:", &n);
	struct sample *s = &p->samples[p->nsamples++];
	*s = (struct sample){.message = c->message, .size = size};
	s->content_type = type ? strndup(type, n) : strdup("");
	s->body = malloc(size + 1);
	memcpy(s->body, body, size);
}

static void answer_take(struct phase *p, struct connection *c, char *head, char *body, size_t size)
{
	struct load *l = p->load;
	size_t index = (size_t)c->message - p->first;
	double due = p->rate > 0 ? (double)index / p->rate * 1e9 : 0;
	struct result *r = &p->results[index];
	if (p->rate > 0)
		r->latency = now_ns() - p->begin - (int64_t)due;
	else
		r->latency = now_ns() - p->begin - r->latency; /* start of sending was kept there */
	r->status = atoi(head + 9);
	if (r->status != 200)
		failure_note(p, c->message, "status", head);
	else if (!memmem(body, size, "processed", 9) || memmem(body, size, "processed/", 10))
		failure_note(p, c->message, "disposition", body);
	else if ((size_t)c->message % l->sample_every == 0)
		sample_keep(p, c, head, body, size);
	p->finished++;
	p->last_progress = now_ns();
	size_t n = 0;
	const char *keep = header_value(head, "\r\nConnection:", &n);
	if (keep && n >= 5 && strncasecmp(keep, "close", 5) == 0)
		connection_close(l, c);
	else
		connection_idle(l, c);
}

static void connection_failed(struct phase *p, struct connection *c, const char *why)
{
	if (c->message >= 0) {
		failure_note(p, c->message, "connection", why);
		p->finished++;
		p->last_progress = now_ns();
		connection_close(p->load, c);
		return;
	}
	close(c->fd); /* idle: it stays on the idle list and is opened again when needed */
	c->fd = -1;
}

/* True when a whole answer was taken. */
static bool answer_complete(struct phase *p, struct connection *c)
{
	c->answer[c->got] = 0;
	char *end = memmem(c->answer, c->got, "\r\n\r\n", 4);
	if (!end)
		return false;
	char saved = end[2];
	end[2] = 0;
	size_t n = 0;
	const char *length = header_value(c->answer, "\r\nContent-Length:", &n);
	size_t size = length ? strtoul(length, NULL, 10) : 0;
	if (strncmp(c->answer, "HTTP/1.1 100", 12) == 0) {
		end[2] = saved;
		c->got -= (size_t)(end + 4 - c->answer);
		memmove(c->answer, end + 4, c->got);
		return answer_complete(p, c);
	}
	if (c->got < (size_t)(end + 4 - c->answer) + size) {
		end[2] = saved;
		return false;
	}
	answer_take(p, c, c->answer, end + 4, size);
	return true;
}

static void connection_read(struct phase *p, struct connection *c)
{
	while (c->fd >= 0) {
		ssize_t n = recv(c->fd, c->answer + c->got, ANSWER_MAX - 1 - c->got, 0);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n <= 0) {
			connection_failed(p, c, n < 0 ? strerror(errno) : c->got == ANSWER_MAX - 1 ? "answer too long" : "closed");
			return;
		}
		if (c->message < 0)
			continue;
		c->got += (size_t)n;
		if (answer_complete(p, c))
			return;
	}
}

static void connection_write(struct phase *p, struct connection *c)
{
	const struct as2_message *m = &p->load->messages[c->message];
	while (c->fd >= 0 && c->sent < m->size) {
		ssize_t n = send(c->fd, m->request + c->sent, m->size - c->sent, MSG_NOSIGNAL);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n < 0) {
			connection_read(p, c); /* a refusal may have come before the body was through */
			if (c->fd >= 0 && c->message >= 0)
				connection_failed(p, c, strerror(errno));
			return;
		}
		c->sent += (size_t)n;
	}
}

/* --- a phase -------------------------------------------------------------------------------------------------------- */

/* Starts what is due. Returns milliseconds until the next is. */
static int phase_start_due(struct phase *p)
{
	while (p->started < p->count) {
		int64_t elapsed = now_ns() - p->begin;
		int64_t due = p->rate > 0 ? (int64_t)((double)p->started / p->rate * 1e9) : 0;
		if (elapsed < due)
			return (int)((due - elapsed) / 1000000);
		struct connection *c = connection_take(p->load);
		if (!c)
			return 10;
		if (p->rate <= 0)
			p->results[p->started].latency = elapsed;
		c->message = (long)(p->first + p->started++);
		c->sent = c->got = 0;
		connection_write(p, c);
	}
	return 100;
}

static void phase_run(struct phase *p)
{
	struct epoll_event events[256];
	p->begin = p->last_progress = now_ns();
	while (p->finished < p->count && now_ns() - p->last_progress < STALL_NS) {
		int n = epoll_wait(p->load->epoll, events, 256, phase_start_due(p));
		for (int i = 0; i < n; i++) {
			struct connection *c = events[i].data.ptr;
			if (c->fd >= 0 && c->message >= 0 && (events[i].events & EPOLLOUT))
				connection_write(p, c);
			if (c->fd >= 0)
				connection_read(p, c);
		}
	}
}

static int compare_latency(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
	return (x > y) - (x < y);
}

static size_t samples_check(struct phase *p, size_t *ret_good)
{
	size_t bad = 0;
	for (size_t i = 0; i < p->nsamples; i++) {
		struct sample *s = &p->samples[i];
		const char *why = as2_mdn_check(&p->load->sender, &p->load->messages[s->message], s->content_type, s->body, s->size);
		if (why) {
			bad++;
			failure_note(p, s->message, "MDN", why);
		}
		free(s->content_type);
		free(s->body);
	}
	*ret_good = p->nsamples - bad;
	return bad;
}

static void phase_report(struct phase *p, double seconds)
{
	int64_t *latencies = calloc(p->count + 1, sizeof *latencies);
	size_t answered = 0, failed = 0, busy = 0, verified = 0;
	samples_check(p, &verified);
	for (size_t i = 0; i < p->count; i++) {
		if (p->results[i].status)
			latencies[answered++] = p->results[i].latency;
		failed += p->results[i].failed || !p->results[i].status;
		busy += p->results[i].status == 503;
	}
	qsort(latencies, answered, sizeof *latencies, compare_latency);
	for (char *c = p->first_failure; *c; c++)
		if (*c == '"' || *c == '\\' || (unsigned char)*c < ' ')
			*c = ' ';
	printf("{\"sent\":%zu,\"ok\":%zu,\"failed\":%zu,\"busy\":%zu,\"seconds\":%.3f,\"rate\":%.1f,\"p50_ms\":%.3f,\"p99_ms\":%.3f,"
	       "\"max_ms\":%.3f,\"verified\":%zu,\"connections\":%zu,\"failure\":\"%s\"}\n",
	       p->started, p->count - failed, failed, busy, seconds, (double)answered / seconds,
	       answered ? (double)latencies[answered / 2] / 1e6 : 0, answered ? (double)latencies[answered * 99 / 100] / 1e6 : 0,
	       answered ? (double)latencies[answered - 1] / 1e6 : 0, verified, p->load->nconnections, p->first_failure);
	free(latencies);
}

static void go(struct load *l, double rate, size_t count)
{
	if (count > l->made - l->used)
		count = l->made - l->used;
	struct phase p = {.load = l, .first = l->used, .count = count, .rate = rate};
	p.results = calloc(count + 1, sizeof *p.results);
	p.samples = calloc(count / l->sample_every + 2, sizeof *p.samples);
	if (!p.results || !p.samples)
		die("memory");
	phase_run(&p);
	phase_report(&p, (double)(now_ns() - p.begin) / 1e9);
	for (size_t i = l->used; i < l->used + count; i++)
		as2_message_free(&l->messages[i]);
	l->used += count;
	free(p.results);
	free(p.samples);
}

/* --- the command line ----------------------------------------------------------------------------------------------- */

static X509 *certificate_read(const char *path)
{
	FILE *f = fopen(path, "r");
	X509 *x = f ? PEM_read_X509(f, NULL, NULL, NULL) : NULL;
	if (!x)
		die(path);
	fclose(f);
	return x;
}

static EVP_PKEY *key_read(const char *path)
{
	FILE *f = fopen(path, "r");
	EVP_PKEY *k = f ? PEM_read_PrivateKey(f, NULL, NULL, NULL) : NULL;
	if (!k)
		die(path);
	fclose(f);
	return k;
}

static void usage(void)
{
	fprintf(stderr, "usage: as2_load --port N --certificate F --key F --recipient F --mdn F [--from ID --to ID --edi-from Q:ID --edi-to Q:ID]\n"
			"                [--size BYTES] [--connections N] [--first N] [--sample-every N] [--threads N] [--path P]\n");
	exit(2);
}

static void options_read(int argc, char **argv, struct load *l)
{
	static const struct option options[] = {
		{"port", 1, 0, 'p'}, {"certificate", 1, 0, 'c'}, {"key", 1, 0, 'k'}, {"recipient", 1, 0, 'r'}, {"mdn", 1, 0, 'm'},
		{"from", 1, 0, 'f'}, {"to", 1, 0, 't'}, {"edi-from", 1, 0, 'F'}, {"edi-to", 1, 0, 'T'}, {"size", 1, 0, 's'},
		{"connections", 1, 0, 'n'}, {"first", 1, 0, '1'}, {"sample-every", 1, 0, 'e'}, {"threads", 1, 0, 'j'}, {"path", 1, 0, 'u'}, {"orders", 1, 0, 'o'},
		{0},
	};
	struct as2_sender *s = &l->sender;
	for (int o; (o = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		switch (o) {
		case 'p': l->address.sin_port = htons((uint16_t)atoi(optarg)); break;
		case 'c': s->certificate = certificate_read(optarg); break;
		case 'k': s->key = key_read(optarg); break;
		case 'r': s->recipient = certificate_read(optarg); break;
		case 'm': s->mdn_certificate = certificate_read(optarg); break;
		case 'f': s->from = optarg; break;
		case 't': s->to = optarg; break;
		case 'F': s->edi_from = optarg; break;
		case 'T': s->edi_to = optarg; break;
		case 's': s->payload_size = strtoul(optarg, NULL, 10); break;
		case 'o': s->orders = (unsigned)strtoul(optarg, NULL, 10); break;
		case 'n': l->max_connections = strtoul(optarg, NULL, 10); break;
		case '1': l->first_number = (uint32_t)strtoul(optarg, NULL, 10); break;
		case 'e': l->sample_every = (unsigned)atoi(optarg); break;
		case 'j': l->threads = atoi(optarg); break;
		case 'u': s->path = optarg; break;
		default: usage();
		}
	}
	if (!l->address.sin_port || !s->certificate || !s->key || !s->recipient || !s->mdn_certificate || !l->sample_every ||
	    l->threads < 1 || l->threads > 16 || !l->max_connections || !strchr(s->edi_from, ':') || !strchr(s->edi_to, ':'))
		usage();
}

static void load_free(struct load *l)
{
	for (size_t i = l->used; i < l->made; i++)
		as2_message_free(&l->messages[i]);
	for (size_t i = 0; i < l->nconnections; i++) {
		if (l->connections[i]->fd >= 0)
			close(l->connections[i]->fd);
		free(l->connections[i]);
	}
	free(l->connections);
	free(l->messages);
	close(l->epoll);
	X509_free(l->sender.certificate);
	X509_free(l->sender.recipient);
	X509_free(l->sender.mdn_certificate);
	EVP_PKEY_free(l->sender.key);
}

int main(int argc, char **argv)
{
	struct load l = {
		.sender = {.from = "BUYER", .to = "HUBNET", .edi_from = "01:123456789", .edi_to = "ZZ:ALPHA", .host = "127.0.0.1",
			   .path = "/as2", .payload_size = 10240, .orders = 1, .run = (uint64_t)time(NULL) << 20 ^ (uint64_t)getpid()},
		.address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)},
		.first_number = 1, .max_connections = 64, .sample_every = 20, .threads = 2,
	};
	options_read(argc, argv, &l);
	l.connections = calloc(l.max_connections, sizeof *l.connections);
	l.epoll = epoll_create1(EPOLL_CLOEXEC);
	if (!l.connections || l.epoll < 0)
		die("start");
	setvbuf(stdout, NULL, _IOLBF, 0);
	char line[128];
	while (fgets(line, sizeof line, stdin)) {
		double rate;
		size_t count;
		if (sscanf(line, "make %zu", &count) == 1)
			generate(&l, l.used + count);
		else if (sscanf(line, "go %lf %zu", &rate, &count) == 2)
			go(&l, rate, count);
		else if (strncmp(line, "quit", 4) == 0)
			break;
		else
			usage();
	}
	load_free(&l);
	return 0;
}
