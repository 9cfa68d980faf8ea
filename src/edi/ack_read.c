/* What a received 997, 999 or CONTRL says, segment by segment. */
#include "edi/check_private.h"

#define STREAM_ANSWERS 10000 /* messages of one acknowledgement that a streaming checker lists */

bool edi_ack_type(enum edi_standard standard, struct slice type)
{
	if (standard == EDI_X12)
		return slice_is(type, "997") || slice_is(type, "999");
	return slice_is(type, "CONTRL");
}

static void set_code(char to[4], struct slice code)
{
	size_t n = code.n < 3 ? code.n : 3;
	if (n)
		memcpy(to, code.p, n);
	to[n] = 0;
}

/* AK501, AK901, IK501; 0083: 4 is rejected, 7 and 8 acknowledged; the withdrawn ones are read too (facts of D.00B). */
static enum edi_status status_of(struct slice code)
{
	if (slice_is(code, "A") || slice_is(code, "7") || slice_is(code, "8") || slice_is(code, "1") || slice_is(code, "5"))
		return EDI_ACCEPTED;
	if (slice_is(code, "E") || slice_is(code, "2"))
		return EDI_ACCEPTED_WITH_ERRORS;
	if (slice_is(code, "P") || slice_is(code, "3"))
		return EDI_PARTIALLY_ACCEPTED;
	return EDI_REJECTED;
}

static uint64_t count_of(struct slice s)
{
	unsigned long long v;
	return slice_u64(slice_trim(s), &v) ? v : 0;
}

static struct edi_ack *ack_of(struct edi_checker *c)
{
	if (!c->message->ack) {
		struct edi_ack *a = edi_checker_alloc(c, EDI_LEVEL_MESSAGE, sizeof *a);
		if (!a)
			return NULL;
		a->functional_code = a->group_control_number = a->interchange_control_number = SLICE("");
		a->status = EDI_REJECTED; /* until a status is read */
		c->message->ack = a;
		c->ack_tail = &a->messages;
		c->ack_count = 0;
	}
	return c->message->ack;
}

static struct edi_ack_message *add_message(struct edi_checker *c, struct slice type, struct slice control)
{
	if (c->ack_count >= (c->collect ? c->options.max_messages : STREAM_ANSWERS)) {
		c->report.truncated = true;
		return NULL;
	}
	struct edi_ack_message *m = edi_checker_alloc(c, EDI_LEVEL_MESSAGE, sizeof *m);
	if (!m)
		return NULL;
	*m = (struct edi_ack_message){.type = edi_checker_copy(c, EDI_LEVEL_MESSAGE, type),
		.control_number = edi_checker_copy(c, EDI_LEVEL_MESSAGE, slice_trim(control)), .status = EDI_REJECTED};
	*c->ack_tail = m;
	c->ack_tail = &m->next;
	c->ack_count++;
	return m;
}

static struct edi_ack_message *last_message(struct edi_ack *a, struct edi_ack_message **tail)
{
	return tail == &a->messages ? NULL : (struct edi_ack_message *)((char *)tail - offsetof(struct edi_ack_message, next));
}

static void read_x12(struct edi_checker *c, struct edi_ack *a, const struct edi_segment *s)
{
	struct slice one = edi_segment_element(s, 1), two = edi_segment_element(s, 2);
	if (edi_segment_is(s, "AK1")) {
		a->functional_code = edi_checker_copy(c, EDI_LEVEL_MESSAGE, one);
		a->group_control_number = edi_checker_copy(c, EDI_LEVEL_MESSAGE, slice_trim(two));
	} else if (edi_segment_is(s, "AK2")) {
		add_message(c, one, two);
	} else if (edi_segment_is(s, "AK5") || edi_segment_is(s, "IK5")) {
		struct edi_ack_message *m = last_message(a, c->ack_tail);
		if (m) {
			set_code(m->code, one);
			m->status = status_of(one);
		}
	} else if (edi_segment_is(s, "AK9")) {
		set_code(a->code, one);
		a->status = status_of(one);
		a->included = count_of(two);
		a->received = count_of(edi_segment_element(s, 3));
		a->accepted = count_of(edi_segment_element(s, 4));
	}
}

static struct slice component(const struct edi_segment *s, uint32_t element, uint32_t number)
{
	struct slice rest = edi_segment_element(s, element), part = SLICE_NONE;
	for (uint32_t i = 0; i < number; i++)
		part = rest.p ? edi_cut(&rest, s->delimiters->component, s->delimiters->release) : SLICE_NONE;
	return part.p ? part : SLICE("");
}

static void read_edifact(struct edi_checker *c, struct edi_ack *a, const struct edi_segment *s)
{
	if (edi_segment_is(s, "UCI")) {
		struct slice code = edi_segment_element(s, 4);
		a->interchange_control_number = edi_checker_plain(c, EDI_LEVEL_MESSAGE, s, edi_segment_element(s, 1));
		set_code(a->code, code);
		a->status = status_of(code);
	} else if (edi_segment_is(s, "UCF")) {
		a->group_control_number = edi_checker_plain(c, EDI_LEVEL_MESSAGE, s, edi_segment_element(s, 1));
	} else if (edi_segment_is(s, "UCM")) {
		struct slice code = edi_segment_element(s, 3);
		struct edi_ack_message *m = add_message(c, component(s, 2, 1), edi_checker_plain(c, EDI_LEVEL_MESSAGE, s, edi_segment_element(s, 1)));
		if (m) {
			set_code(m->code, code);
			m->status = status_of(code);
		}
	}
}

void edi_ack_read_segment(struct edi_checker *c, const struct edi_segment *s)
{
	struct edi_ack *a = ack_of(c);
	if (!a)
		return;
	if (s->standard == EDI_X12)
		read_x12(c, a, s);
	else
		read_edifact(c, a, s);
}

void edi_ack_read_ta1(struct edi_checker *c, const struct edi_segment *s)
{
	struct edi_ta1 *t = edi_checker_alloc(c, EDI_LEVEL_INTERCHANGE, sizeof *t);
	if (!t)
		return;
	struct slice *to[] = {&t->control_number, &t->date, &t->time, &t->status, &t->code};
	for (uint32_t i = 0; i < 5; i++)
		*to[i] = edi_checker_copy(c, EDI_LEVEL_INTERCHANGE, slice_trim(edi_segment_element(s, i + 1)));
	*c->ta1_tail = t;
	c->ta1_tail = &t->next;
}
