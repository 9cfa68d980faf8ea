/* The seam between envelope.c (levels) and envelope_check.c (what their segments say). */
#ifndef OPENVAN_EDI_ENVELOPE_PRIVATE_H
#define OPENVAN_EDI_ENVELOPE_PRIVATE_H

#include "edi/envelope.h"

int edi_envelope_report(struct edi_envelope *e, const struct edi_envelope_error *error);
int edi_envelope_check_head(struct edi_envelope *e, enum edi_level level, const struct edi_segment *s);
/* EDIFACT: elements of UNB, UNG, UNH, UNO and their trailers, what UNA advised. */
int edi_envelope_check_edifact(struct edi_envelope *e, enum edi_level level, const struct edi_segment *s);
int edi_envelope_check_edifact_trailer(struct edi_envelope *e, enum edi_level level, const struct edi_segment *s);
int edi_envelope_check_trailer(struct edi_envelope *e, enum edi_level level, const struct edi_segment *s);
/* Control number and count of a trailer. */
int edi_envelope_compare(struct edi_envelope *e, enum edi_level level, const struct edi_segment *s, uint64_t counted);

/* X12 service segments between envelopes: TA1; ISB, ISE: grade of service, deferred delivery. */
int edi_envelope_check_service(struct edi_envelope *e, const struct edi_segment *s);
/* S1S to S4E protect groups (1, 2) and messages (3, 4); we hold no keys for them. True: s is one, and it is noted. */
bool edi_envelope_secured(struct edi_envelope *e, const struct edi_segment *s);
/* At the end of a group or message: what its security segments mean. */
int edi_envelope_check_security(struct edi_envelope *e, enum edi_level level);

#endif
