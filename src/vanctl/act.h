/* Commands of operators: release, hold, reject, restore, close, retry, drop. */
#ifndef OPENVAN_VANCTL_ACT_H
#define OPENVAN_VANCTL_ACT_H

#include "vanctl/ctl.h"

extern const struct ctl_command commands_act[];

#endif
