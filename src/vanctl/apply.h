/* `vanctl partner apply`. */
#ifndef OPENVAN_VANCTL_APPLY_H
#define OPENVAN_VANCTL_APPLY_H

#include "vanctl/ctl.h"

int partner_apply(struct ctl *c);

#endif
