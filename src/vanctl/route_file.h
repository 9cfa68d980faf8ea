/* What a file's interchanges would ask of the directory. */
#ifndef OPENVAN_VANCTL_ROUTE_FILE_H
#define OPENVAN_VANCTL_ROUTE_FILE_H

#include <jansson.h>

/* Appends one question {"from","to","type","version","env"} for each kind of document in each interchange of the file
 * ("-": standard input). Returns an exit status; errors have been printed. */
int route_questions_of_file(const char *path, json_t *questions);

#endif
