/* Certificate exchange with partners: what they ask, what we answer, what we ask. */
#ifndef OPENVAN_VANCTL_EXCHANGE_H
#define OPENVAN_VANCTL_EXCHANGE_H

#include "vanctl/ctl.h"

extern const struct ctl_option exchange_accept_options[], exchange_reject_options[], exchange_request_options[];
int exchange_show(struct ctl *c);
int exchange_accept(struct ctl *c);
int exchange_reject(struct ctl *c);
int exchange_request(struct ctl *c);

#endif
