/* The housekeeping of unfinished uploads and of log-ins, every ten minutes. */
#ifndef OPENVAN_ROLES_STORE_TIDY_H
#define OPENVAN_ROLES_STORE_TIDY_H

struct store_role;

int tidy_start(struct store_role *s); /* 0 or negative */
void tidy_free(struct store_role *s); /* what the writer has under way ends by itself */

#endif
