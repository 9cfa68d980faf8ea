/* Running one command of the tables: options, arguments, help. */
#ifndef OPENVAN_VANCTL_PARSE_H
#define OPENVAN_VANCTL_PARSE_H

#include "vanctl/ctl.h"

/* argv holds what stands after noun and verb. `config` and `json` were given before the noun. Returns the exit status. */
int ctl_command_run(const struct ctl_command *command, const char *config, bool json, int argc, char **argv);

void ctl_command_help(const struct ctl_command *command);
void ctl_command_summary(const struct ctl_command *command); /* one line */

#endif
