/* `vanctl partner apply`, and what else makes a new version of a profile. */
#ifndef OPENVAN_VANCTL_APPLY_H
#define OPENVAN_VANCTL_APPLY_H

#include "vanctl/ctl.h"

int partner_apply(struct ctl *c);

/* Checks and applies one profile as partner.show answers it (borrowed; its version is taken out), and prints what came of it. */
int apply_profile(struct ctl *c, json_t *profile);

#endif
