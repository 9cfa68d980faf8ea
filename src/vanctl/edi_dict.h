/* What the `vanctl edi dict` verbs share. */
#ifndef OPENVAN_VANCTL_EDI_DICT_H
#define OPENVAN_VANCTL_EDI_DICT_H

#include "vanctl/edi_command.h"

#define EDI_DICT_FILES 4096

struct edi_dict {
	struct edi_command command; /* --dict, --version, --to, --json */
	bool elements, open_codes, force;
	const char **words;         /* what is no option */
	int count;
};

int edi_dict_show(const struct edi_dict *d);
int edi_dict_import(const struct edi_dict *d);

#endif
