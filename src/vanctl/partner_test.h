/* `vanctl partner test`: the checklist of a partner's connections. */
#ifndef OPENVAN_VANCTL_PARTNER_TEST_H
#define OPENVAN_VANCTL_PARTNER_TEST_H

#include "vanctl/ctl.h"

extern const struct ctl_option partner_test_options[];
int partner_test(struct ctl *c);

#endif
