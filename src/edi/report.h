/* What a check of EDI input found: interchanges, groups, messages, errors. Everything lives in the caller's arena;
 * slices are copies, never absent unless said so. Lists are in the order of the input. */
#ifndef OPENVAN_EDI_REPORT_H
#define OPENVAN_EDI_REPORT_H

#include "base/slice.h"

#include <stdint.h>

enum edi_standard { EDI_UNKNOWN, EDI_X12, EDI_EDIFACT };

enum edi_status { EDI_ACCEPTED, EDI_ACCEPTED_WITH_ERRORS, EDI_PARTIALLY_ACCEPTED, EDI_REJECTED };

enum edi_level { EDI_LEVEL_INTERCHANGE, EDI_LEVEL_GROUP, EDI_LEVEL_MESSAGE };

/* "X12", "EDIFACT"; "accepted", "accepted-with-errors", "partially-accepted", "rejected". */
const char *edi_standard_name(enum edi_standard s);
const char *edi_status_name(enum edi_status s);

/* Which terms may tolerate an error. */
enum edi_leniency {
	EDI_ALWAYS_REJECTED,
	EDI_LENIENT_COUNTS,   /* a wrong count */
	EDI_LENIENT_SYNTAX,   /* read without doubt: rejected only where an agreement is strict */
	EDI_LENIENT_ELEMENTS, /* of an element */
};

/* One error, in the standard's own words. */
struct edi_error {
	struct edi_error *next;
	struct slice segment;  /* "PO1"; empty where no segment is at fault */
	struct slice loop;     /* our name of the loop, "" at the top level */
	struct slice value;    /* the bad data, cut at options.max_value; absent where there is none */
	struct slice text;     /* for people, says what to do */
	const char *list;      /* "AK304", "AK403", "AK502", "AK905", "TA105", "0085" */
	char code[4];          /* of that list */
	const char *guide;     /* a partner's guide asks for it: the code of a 999 (IK304, IK403); NULL: the standard does */
	uint64_t position;     /* segment, counted from the message's first as 1; 0 where it makes no sense */
	uint32_t element;      /* 1 is the first after the segment's identifier; 0: the segment */
	uint32_t repetition;   /* 1 is the first; 0: not a repeating element */
	uint32_t component;    /* 1 is the first; 0: the whole element */
	uint32_t reference;    /* X12 data element number, EDIFACT data element; 0 unknown */
	enum edi_leniency leniency;
	bool tolerated;        /* by the terms at hand: accepted with errors, not rejected */
};

/* What was read all the same though the standard does not have it. Nothing is silently repaired. */
enum edi_tolerated {
	EDI_TOLERATED_LINE_ENDS,    /* after segment terminators; counted in bytes */
	EDI_TOLERATED_BLANKS,       /* blanks, tabs, NUL or Ctrl-Z between segments; counted in bytes */
	EDI_TOLERATED_EMPTY,        /* segments without a byte */
	EDI_TOLERATED_TRAILING,     /* element separators before a segment terminator */
	EDI_TOLERATED_NEWLINE,      /* a line end is the segment terminator */
	EDI_TOLERATED_WIDE,         /* the segment terminator is a character of several bytes */
	EDI_TOLERATED_ISA_LENGTH,   /* ISA has not 106 bytes: its elements are not padded, or padded too far */
	EDI_TOLERATED_NO_COMPONENT, /* ISA16 is missing */
	EDI_TOLERATED_WRAPPED,      /* line ends inside of segments */
	EDI_TOLERATED_UNTERMINATED, /* the last segment has no terminator */
	EDI_TOLERATED_KINDS,
};

/* "line-ends" …, and the same for people. */
const char *edi_tolerated_name(enum edi_tolerated kind);
const char *edi_tolerated_text(enum edi_tolerated kind);

struct edi_tolerance {
	uint64_t count; /* 0: it did not occur */
	uint64_t first; /* offset of the first in the input */
};

/* A business key, for searching: kind is "po", "invoice" or "shipment". */
struct edi_key {
	struct edi_key *next;
	const char *kind;
	struct slice value;
};

/* What a received 997, 999 or CONTRL says. TA1s are in struct edi_interchange. */
struct edi_ack_message {
	struct edi_ack_message *next;
	struct slice type;           /* AK201, UCM message type */
	struct slice control_number; /* AK202, UCM01; as text */
	enum edi_status status;
	char code[4]; /* AK501, 0083 */
};

struct edi_ack {
	struct slice functional_code;      /* AK101; empty in CONTRL */
	struct slice group_control_number; /* AK102; compare as a number */
	struct slice interchange_control_number; /* CONTRL: UCI01; empty in X12 */
	enum edi_status status;
	char code[4]; /* AK901; CONTRL: UCI04 */
	uint64_t included, received, accepted; /* AK902..AK904 */
	struct edi_ack_message *messages; /* none: the group's status decides for all its messages */
};

/* One TA1 segment. */
struct edi_ta1 {
	struct edi_ta1 *next;
	struct slice control_number, date, time, status, code; /* TA101..TA105; status A, E, R */
};

struct edi_message {
	struct edi_message *next;
	uint64_t offset, length;     /* ST..SE or UNH..UNT with the last segment's terminator, in the input */
	uint64_t segments;           /* counted by us, first and last included */
	struct slice type, version;  /* "850" "004010"; "ORDERS" "D:96A"; an EDIFACT package "UNO" and its S020, "ACE:REF1" */
	struct slice association;    /* ST03, EDIFACT 0057; may be empty */
	struct slice agency;         /* EDIFACT 0051 ("UN"); empty in X12 */
	struct slice control_number;
	enum edi_status status;
	bool known;                  /* a dictionary exists for type and version */
	struct slice checked_as;     /* where none does: the version it was checked as (options.nearest_version); else absent */
	bool acknowledgement;        /* 997, 999, CONTRL: never acknowledged */
	struct edi_error *errors;
	uint64_t error_count;        /* may be more than are listed */
	struct edi_key *keys;
	struct edi_ack *ack;         /* NULL unless it is an acknowledgement */
};

struct edi_group {
	struct edi_group *next;
	uint64_t offset, length;
	bool real;                   /* false: EDIFACT without UNG; all else below is then empty but for the messages */
	struct slice code;           /* GS01, UNG 0038 */
	struct slice version;        /* GS08 */
	struct slice agency;         /* GS07 */
	struct slice control_number; /* GS06 as it came */
	struct slice sender, receiver; /* GS02, GS03, padding removed */
	struct slice date, time;     /* GS04, GS05 as they came */
	enum edi_status status;
	struct edi_error *errors;
	struct edi_message *messages;
	uint64_t message_count;      /* received; may be more than are listed */
	uint64_t accepted_count;     /* status accepted or accepted-with-errors */
	uint64_t declared_count;     /* GE01 */
	bool declared;               /* GE01 is there, and a count */
};

struct edi_interchange {
	struct edi_interchange *next;
	uint64_t offset, length;     /* UNA or ISA to the last terminator: the exact bytes to pass on */
	enum edi_standard standard;
	struct slice version;        /* ISA12; "UNOA:3" */
	struct slice control_number; /* ISA13, UNB 0020 */
	struct slice sender, receiver; /* "QUAL:ID", trailing padding removed; EDIFACT "QUAL:ID:SUB" where there is a sub-address */
	struct slice date, time;     /* as they came */
	struct slice application;    /* UNB 0026 */
	char usage;                  /* P, T or I */
	bool ack_requested;          /* ISA14 1, UNB 0031 1 */
	struct edi_ta1 *ta1;
	enum edi_status status;
	struct edi_error *errors;
	struct edi_group *groups;
	uint64_t group_count, declared_count;
	struct edi_tolerance tolerated[EDI_TOLERATED_KINDS];
	struct {
		char element, component, repetition, release, terminator; /* 0: none */
		bool shifts; /* see struct edi_delimiters */
	} delimiters;
};

struct edi_report {
	uint64_t bytes, segments;
	uint64_t messages, messages_rejected, messages_with_errors;
	uint64_t junk;       /* bytes outside any interchange, line ends and blanks not counted */
	bool byte_order_mark;
	bool truncated;      /* a bound of the options was reached: counts are right, lists are not complete */
	struct edi_error *errors; /* input that holds no interchange, bytes outside of one */
	uint64_t interchange_count;
	struct edi_interchange *interchanges;
};

#endif
