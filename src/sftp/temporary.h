/* Names under which clients write what is not whole yet, until they rename it. */
#ifndef OPENVAN_SFTP_TEMPORARY_H
#define OPENVAN_SFTP_TEMPORARY_H

#include "base/slice.h"

#include <stdbool.h>

/* A dot in front, or .part .partial .filepart .tmp .writing .inprogress at the end; capitals don't matter. Of a pattern: it asks for such
 * names itself. */
bool sftpd_name_is_temporary(struct slice name);

#endif
