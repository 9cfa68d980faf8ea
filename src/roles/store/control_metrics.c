/* metrics: figures in Prometheus' text format (0.0.4), for the web role's /metrics. No label ever names a single message. */
#include "queue/queue.h"
#include "roles/store/control.h"
#include "roles/store/control_handlers.h"

#include <inttypes.h>

static void family(struct van_buf *to, const char *name, const char *help)
{
	van_buf_printf(to, "# HELP %s %s\n# TYPE %s gauge\n", name, help, name);
}

static void gauge(struct van_buf *to, const char *name, const char *help, uint64_t value)
{
	family(to, name, help);
	van_buf_printf(to, "%s %" PRIu64 "\n", name, value);
}

static void age(struct van_buf *to, const char *name, const char *help, van_time since, van_time now)
{
	family(to, name, help);
	van_buf_printf(to, "%s %.3f\n", name, since && now > since ? (double)(now - since) / (double)VAN_SECOND : 0.0);
}

/* A label's value: backslash, quote and line end are escaped. */
static void put_label(struct van_buf *to, struct slice value)
{
	for (size_t i = 0; i < value.n; i++) {
		char c = value.p[i];
		if (c == '\\' || c == '"')
			van_buf_append_char(to, '\\');
		if (c == '\n')
			van_buf_append_str(to, "\\n");
		else
			van_buf_append_char(to, c);
	}
}

static void put_certificate(void *arg, const struct profile_certificate *c, const struct profile *owner, struct slice place)
{
	struct van_buf *to = arg;
	van_buf_append_str(to, "van_certificate_not_after_timestamp_seconds{party=\"");
	put_label(to, owner->id);
	van_buf_append_str(to, "\",used_by=\"");
	put_label(to, place);
	van_buf_append_str(to, "\",fingerprint=\"");
	put_label(to, c->fingerprint);
	van_buf_printf(to, "\"} %" PRId64 "\n", c->not_after / VAN_SECOND);
}

static int put_certificates(void *arg, const struct profile *p)
{
	control_each_certificate(p, put_certificate, arg);
	return 0;
}

struct logs {
	uint64_t size;
	van_time signed_at; /* of the newest log */
};

static int add_log(void *arg, const struct receipt_log *log)
{
	struct logs *l = arg;
	l->size += log->size;
	l->signed_at = log->signed_at;
	return 0;
}

int control_metrics(struct control_call *c)
{
	struct queue_figures f;
	struct logs l = {0};
	van_time now = c->work->now;
	int rc = queue_figures(c->work, &f);
	if (rc == 0)
		rc = receipt_log_each(c->work->txn, queue_receipts(c->work->q), add_log, &l);
	if (rc < 0)
		return rc;
	gauge(c->out, "van_queue_depth", "Deliveries and jobs that wait.", f.jobs + f.deliveries);
	gauge(c->out, "van_queue_jobs", "Accepted messages that wait to be processed.", f.jobs);
	gauge(c->out, "van_queue_deliveries", "Deliveries that wait.", f.deliveries);
	gauge(c->out, "van_deliveries_failed", "Sent messages whose delivery has failed.", f.deliveries_failed);
	age(c->out, "van_queue_oldest_age_seconds", "Age of the oldest of them.", f.oldest, now);
	gauge(c->out, "van_messages_stored", "Stored messages, received and made.", f.messages);
	gauge(c->out, "van_acks_overdue", "Acknowledgements that are overdue.", f.acks_overdue);
	gauge(c->out, "van_receipt_log_size", "Receipts in all logs.", l.size);
	age(c->out, "van_checkpoint_age_seconds", "Age of the newest signed tree head.", l.signed_at, now);
	family(c->out, "van_certificate_not_after_timestamp_seconds", "When a certificate in use ends.");
	directory_each(c->work->directory, PROFILE_STATION, put_certificates, c->out);
	return directory_each(c->work->directory, PROFILE_PARTNER, put_certificates, c->out);
}
