/* Inside of a checker; the seam between check.c (events to report), check_error.c, keys.c and ack_read.c. */
#ifndef OPENVAN_EDI_CHECK_PRIVATE_H
#define OPENVAN_EDI_CHECK_PRIVATE_H

#include "edi/check.h"
#include "edi/envelope.h"
#include "edi/guide.h"
#include "edi/validate.h"

/* Where a business key stands. */
struct edi_key_row {
	const char *type, *segment;
	uint32_t element;
	const char *qualifier; /* EDIFACT: component 1 of `element`, the key is then component 2; NULL: component 1 is the key */
	const char *kind;
};

struct edi_error_list {
	struct edi_error **tail;
	uint64_t count;      /* found; may be more than are listed */
	bool hard, counts, harmless; /* which kinds of error are among them, see enum edi_leniency */
	bool rejected, tolerated;    /* what follows from them */
};

struct edi_check_guide {
	struct edi_check_guide *next;
	const struct edi_guide *guide;
	struct edi_guide_state *state;
};

struct edi_checker {
	struct edi_check_options options;
	struct edi_dictionary_set *set;
	struct edi_check_sink sink;
	struct edi_lexer *lexer;
	struct edi_envelope envelope;
	struct edi_validator validator;
	struct edi_check_guide *guides;        /* those that were asked for so far */
	struct edi_guide_state *guide;         /* for the message at hand; NULL: none */
	const struct edi_check_policy *policy; /* of the message at hand */
	struct edi_check_policy level_policy[2]; /* of the interchange, of the group: the strictest of their messages' */
	bool level_judged[2];
	struct van_arena *arena[3]; /* by enum edi_level: what is found lives there */
	struct van_arena *spare;    /* for messages that are counted but not listed */
	bool collect;               /* all three are the caller's: nothing is forgotten */
	struct edi_report report;
	struct edi_interchange *interchange;
	struct edi_group *group;
	struct edi_message *message;
	const struct edi_message_def *def; /* of the message at hand; NULL: not known */
	struct edi_message scratch;        /* stands in for a message past max_messages */
	bool listed;                       /* the message at hand is in the list */
	struct edi_error_list errors[3];
	uint32_t errors_listed;
	uint64_t messages_listed, interchanges;
	struct edi_interchange **interchange_tail;
	struct edi_group **group_tail;
	struct edi_message **message_tail;
	struct edi_key **key_tail;
	struct edi_ta1 **ta1_tail;
	struct edi_ack_message **ack_tail;
	uint32_t key_count;
	uint32_t ack_count;
	const struct edi_key_row *keys, *keys_end; /* rows for the message at hand */
	uint64_t group_rejected, group_with_errors, group_messages; /* messages of the group */
	uint64_t groups_accepted, groups_rejected, groups_other;    /* groups of the interchange */
	int error;
	struct van_error trouble; /* why, when a dictionary is in error */
};

/* Copies into the arena of `level`; on failure latches VAN_ENOMEM and returns an empty slice. */
struct slice edi_checker_copy(struct edi_checker *c, enum edi_level level, struct slice s);
/* The same of a value as people read it: in UTF-8 where escape sequences say what its bytes are (UNOX). */
struct slice edi_checker_readable(struct edi_checker *c, enum edi_level level, struct slice s);
/* The same of a value of `s`, without release characters. */
struct slice edi_checker_plain(struct edi_checker *c, enum edi_level level, const struct edi_segment *s, struct slice value);
void *edi_checker_alloc(struct edi_checker *c, enum edi_level level, size_t n);

void edi_errors_begin(struct edi_checker *c, enum edi_level level, struct edi_error **list);
/* What the level's errors, of which `first` is the first, mean by these terms. */
void edi_errors_judge(struct edi_checker *c, enum edi_level level, struct edi_error *first, const struct edi_check_policy *p);

/* check_policy.c: the terms at hand change with interchange, group, message. 0 or the error. */
void edi_policy_begin(struct edi_checker *c, enum edi_level level);
int edi_policy_message(struct edi_checker *c);
const struct edi_check_policy *edi_policy_level(const struct edi_checker *c, enum edi_level level);
/* The guide of the terms at hand that is for the message at hand becomes c->guide, or NULL. 0 or VAN_ENOMEM. */
int edi_policy_guide(struct edi_checker *c);
void edi_policy_free(struct edi_checker *c);
/* All of a group, or of an interchange, is rejected because a part of it is, where the terms say so. */
void edi_policy_reach_group(struct edi_checker *c, struct edi_group *g);
void edi_policy_reach_interchange(struct edi_checker *c, struct edi_interchange *i);
/* Callbacks of the envelope reader and the validator; ctx is the checker. */
int edi_checker_envelope_error(void *checker, const struct edi_envelope_error *error);
int edi_checker_problem(void *checker, const struct edi_problem *p);
int edi_checker_guide_problem(void *checker, const struct edi_guide_problem *p);
/* An error outside of any interchange. */
void edi_checker_input_error(struct edi_checker *c, struct edi_error ***tail, const char *list, const char *code, const char *text);

/* Business keys: chooses the rows for a message type, and takes what a row's segment holds. */
void edi_keys_begin(struct edi_checker *c);
void edi_keys_segment(struct edi_checker *c, const struct edi_key_row *row, const struct edi_segment *s);

/* Received acknowledgements. */
bool edi_ack_type(enum edi_standard standard, struct slice type);
void edi_ack_read_segment(struct edi_checker *c, const struct edi_segment *s);
void edi_ack_read_ta1(struct edi_checker *c, const struct edi_segment *s);

#endif
