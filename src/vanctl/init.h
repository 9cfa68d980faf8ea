/* `vanctl init DIR`: a new network. */
#ifndef OPENVAN_VANCTL_INIT_H
#define OPENVAN_VANCTL_INIT_H

#include "vanctl/ctl.h"

int network_init(struct ctl *c);

#endif
