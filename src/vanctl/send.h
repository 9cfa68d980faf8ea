/* message send, resend, reprocess. */
#ifndef OPENVAN_VANCTL_SEND_H
#define OPENVAN_VANCTL_SEND_H

#include "vanctl/ctl.h"

extern const struct ctl_command commands_send[];

#endif
