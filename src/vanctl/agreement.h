/* agreement. */
#ifndef OPENVAN_VANCTL_AGREEMENT_H
#define OPENVAN_VANCTL_AGREEMENT_H

#include "vanctl/ctl.h"

extern const struct ctl_command commands_agreement[];
extern const struct ctl_command commands_unique[];

/* A stored profile (partner.show) as people write it. Changes the object. */
void profile_print(json_t *answer);

#endif
