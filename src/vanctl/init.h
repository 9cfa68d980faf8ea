/* `vanctl init DIR`: a new network. */
#ifndef OPENVAN_VANCTL_INIT_H
#define OPENVAN_VANCTL_INIT_H

#include "base/slice.h"
#include "vanctl/ctl.h"

int network_init(struct ctl *c);

/* A profile id out of any name: lower-case letters, digits and '-', cut to the room; `otherwise` when nothing is left. */
void init_profile_id(struct slice name, const char *otherwise, char *to, size_t room);

#endif
