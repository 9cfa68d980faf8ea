/* The seam between validate.c (segments) and validate_element.c (their elements). */
#ifndef OPENVAN_EDI_VALIDATE_PRIVATE_H
#define OPENVAN_EDI_VALIDATE_PRIVATE_H

#include "edi/validate.h"

/* Fills in position, and segment and loop where they are absent, and gives it to v->fn. */
void edi_problem_add(struct edi_validator *v, const struct edi_problem *p);
void edi_check_elements(struct edi_validator *v, const struct edi_segment_def *def, const struct edi_segment *s);

#endif
