/* The seam between validate.c (segments), validate_element.c (their elements), validate_period.c (dates in
 * a format that another element tells) and validate_level.c (HL trees). */
#ifndef OPENVAN_EDI_VALIDATE_PRIVATE_H
#define OPENVAN_EDI_VALIDATE_PRIVATE_H

#include "edi/validate.h"

/* Fills in position, and segment and loop where they are absent, and gives it to v->fn. */
void edi_problem_add(struct edi_validator *v, const struct edi_problem *p);
void edi_check_elements(struct edi_validator *v, const struct edi_segment_def *def, const struct edi_segment *s);
/* Elements 1251 after the format they are in. */
void edi_check_periods(struct edi_validator *v, const struct edi_segment_def *def, const struct edi_segment *s);
/* A value of 2380 in a format of 2379; true of formats that are not looked into. */
bool edi_period_fits(struct slice format, struct slice value);
/* The 2380 of a composite that has a `period`, when it is no date or period in the format that 2379 tells; else absent. */
struct slice edi_bad_period(const struct edi_validator *v, const struct edi_composite_def *c, struct slice composite);
/* An X12 HL that has its place in the message. */
void edi_check_level(struct edi_validator *v, const struct edi_segment *s);
/* The same for LS and LE: they name the same loop. */
void edi_check_bounds(struct edi_validator *v, const struct edi_segment *s, bool begin);

/* Classes of bytes; see struct edi_validator. */
#define EDI_CLASS_HIGH 1
#define EDI_CLASS_FOREIGN 2 /* not in the interchange's repertoire, and no delimiter */
/* A level of seven bits (UNOA, UNOB), and the segment holds a character that it does not have. For other levels the lexer
 * has seen which segments need a look (odd). */
bool edi_has_foreign(struct edi_validator *v, const struct edi_segment *s);

/* EDIFACT. Controls are not looked at here. */
bool edi_in_repertoire(struct edi_validator *v, struct slice s);
/* -1, or the fault. *ret_length: what counts as characters. */
int edi_check_number(const struct edi_validator *v, struct slice s, bool mark_allowed, size_t *ret_length);
bool edi_has_digit(struct slice s);
/* Of controls nothing but line ends and tabs, which many senders leave in texts: no repertoire has them, but they do no harm. */
bool edi_has_only_line_ends(struct slice s);
/* Whether 1131 or 3055 behind field `i` of the composite say that its code is not of the UN's list (6). `rest`: the components
 * behind it. */
bool edi_of_other_list(const struct edi_validator *v, const struct edi_composite_def *c, uint32_t i, struct slice rest);
void edi_check_trailing(struct edi_validator *v, const struct edi_segment *s);

#endif
