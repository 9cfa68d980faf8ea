/* The console's page: one file, no build chain, nothing from elsewhere. */
#ifndef OPENVAN_ROLES_WEB_PAGE_H
#define OPENVAN_ROLES_WEB_PAGE_H

#include "base/slice.h"

extern const struct slice web_page;

#endif
