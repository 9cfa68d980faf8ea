/* Envelopes over the lexer: interchanges, groups and messages with their byte offsets; counts and control numbers checked.
 * Nothing stops reading: a missing trailer ends its level where the next one begins. */
#ifndef OPENVAN_EDI_ENVELOPE_H
#define OPENVAN_EDI_ENVELOPE_H

#include "edi/lexer.h"
#include "edi/number_set.h"

enum edi_event {
	EDI_EVENT_INTERCHANGE, /* ISA, UNB */
	EDI_EVENT_GROUP,       /* GS, UNG; segment NULL: EDIFACT messages without UNG, X12 messages without GS */
	EDI_EVENT_MESSAGE,     /* ST, UNH */
	EDI_EVENT_SEGMENT,     /* of a message: also its first and its last */
	EDI_EVENT_SERVICE,     /* between: TA1, ISX */
	EDI_EVENT_MESSAGE_END, /* segment NULL: its trailer is missing */
	EDI_EVENT_GROUP_END,
	EDI_EVENT_INTERCHANGE_END,
};

#define EDI_CONTROL_MAX 36

struct edi_level_state {
	bool open, real;
	uint64_t offset;         /* of its first byte */
	uint64_t counted;        /* messages of a group, groups (or messages) of an interchange */
	char control[EDI_CONTROL_MAX];
	uint32_t control_length; /* cut at EDI_CONTROL_MAX */
	struct number_set numbers; /* of the level below */
};

struct edi_envelope_error {
	enum edi_level level;
	const char *list, *code;
	struct slice segment;
	uint32_t element, component; /* 0: the segment, the whole element */
	struct slice value; /* absent: none */
	const char *text;
	bool count;         /* a wrong count: an agreement may tolerate it */
	bool harmless;      /* read without doubt: rejected only where an agreement is strict about syntax */
};

struct edi_envelope;
typedef int (*edi_event_fn)(void *ctx, enum edi_event event, const struct edi_envelope *e, const struct edi_segment *s);
typedef int (*edi_envelope_error_fn)(void *ctx, const struct edi_envelope_error *error);

struct edi_envelope {
	edi_event_fn on_event;
	edi_envelope_error_fn on_error;
	void *ctx;
	enum edi_standard standard;
	struct edi_lexer *heads_only;  /* nobody looks into the messages: no SEGMENT events, this lexer need not give out bodies */
	bool group_5010;               /* AK905 has the codes of 005010 */
	uint8_t secured;               /* X12 security segments of the group and message at hand, by enum edi_secured */
	struct edi_level_state levels[3]; /* by enum edi_level */
	uint64_t head;                 /* ordinal of the message's first segment */
	uint64_t position;             /* of the segment in its message, from 1 */
	uint64_t end;                  /* offset after the last segment seen */
	uint64_t una;                  /* 1 + offset of a UNA that waits for its UNB */
	uint64_t declared;             /* at an end event: the count its trailer gave */
	bool is_declared;              /* it gave one */
	/* EDIFACT, of the interchange at hand */
	bool syntax4, advised;         /* syntax version 4; a UNA came before it */
	char advice[6];                /* of the last UNA: component, element, decimal mark, release, repetition, terminator */
	bool has_groups, has_messages; /* UNG; UNH outside of UNG */
	char group_type[8];            /* of the group's first message */
	bool types_reported;
	char good_unh[96];             /* a UNH that had no error, behind its reference */
	size_t good_unh_length;
	bool package;                  /* UNO … UNP instead of a message */
	uint64_t object_length;        /* bytes, of UNO */
	bool structure_reported;
	uint64_t reports;              /* calls of on_error */
};

/* For the lexer: edi_lexer_new(options, edi_envelope_segment, envelope). */
int edi_envelope_segment(void *envelope, const struct edi_segment *s);
/* After the lexer's last feed: ends what is open. `counts`: the lexer's. */
int edi_envelope_finish(struct edi_envelope *e, const struct edi_lexer_counts *counts);
void edi_envelope_free(struct edi_envelope *e);

#endif
