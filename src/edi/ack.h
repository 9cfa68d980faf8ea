/* Acknowledgements are written from the error list and nothing else (TA1, 997, 999, CONTRL). */
#ifndef OPENVAN_EDI_ACK_H
#define OPENVAN_EDI_ACK_H

#include "base/arena.h"
#include "base/clock.h"
#include "base/error.h"

#include "edi/check.h"
#include "edi/lexer.h"
#include "edi/output.h"

enum edi_ack_kind { EDI_ACK_DEFAULT, EDI_ACK_997, EDI_ACK_999, EDI_ACK_CONTRL };

struct edi_ack_options {
	enum edi_ack_kind kind;  /* default: 997 for X12, CONTRL for EDIFACT */
	bool ta1;                /* write a TA1 even where ISA14 does not ask */
	bool no_ta1;             /* write none even where it asks; of a rejected ISA then nothing tells */
	bool ta1_only;           /* X12: a TA1 and nothing else */
	struct edi_delimiters delimiters; /* 0: that of the interchange, or a usual one where it has none that can be written */
	const char *refusal;     /* code of a reason that the network has to refuse the interchange, whatever is in it. X12, TA105:
	                          * "002", "003", "009" unknown receiver, "025" number used before … EDIFACT, 0085: "7" not for this
	                          * recipient, "17" no agreement, "23" unknown sender, "24" too old, "25" test not taken, "26" sent
	                          * before … (not a code of the list of that version: VAN_EINVAL) */
	bool received_only;      /* EDIFACT: tell that the interchange came (action 8) and nothing of what is in it, unless refused */
	bool accepted_messages;  /* AK2/AK5 (UCM) for accepted messages too; default only for those with errors */
	int offset_minutes;      /* envelope times in the agreement's time zone: minutes east of UTC */
	bool lines;              /* a line feed after each segment */
};

/* What the receiver of this interchange owes its sender, parts allocated in `arena`. An output with no parts: nothing
 * (only acknowledgements in it, or a header without sender, receiver or control number). `now`: the envelope's time.
 * A rejected ISA gets a TA1, asked for or not, and no 997. 0, VAN_ENOMEM, VAN_EINVAL. */
int edi_ack_write(const struct edi_interchange *i, const struct edi_ack_options *options, van_time now,
	struct van_arena *arena, struct edi_output *ret, struct van_error *e);

/* The same while the input is checked, for any number of messages: their answers are kept, not the messages. fn is called
 * at the end of each interchange that is owed one; the output is valid during the call. Its negative return stops. */
typedef int (*edi_ack_fn)(void *ctx, const struct edi_output *ack);
struct edi_acknowledger;
struct edi_acknowledger *edi_acknowledger_new(const struct edi_ack_options *options, van_time now, edi_ack_fn fn, void *ctx);
void edi_acknowledger_free(struct edi_acknowledger *a); /* after the checker that has its sink; NULL is fine */
struct edi_check_sink edi_acknowledger_sink(struct edi_acknowledger *a);

#endif
