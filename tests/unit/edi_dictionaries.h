/* The shipped dictionaries of a test program: opened by its group's setup, freed by its teardown. */
#ifndef OPENVAN_TESTS_EDI_DICTIONARIES_H
#define OPENVAN_TESTS_EDI_DICTIONARIES_H

#include "edi_input.h"

static struct edi_dictionary_set *dictionaries;

static int open_dictionaries(void **state)
{
	(void)state;
	dictionaries = edi_test_dictionaries();
	return dictionaries ? 0 : -1;
}

static int free_dictionaries(void **state)
{
	(void)state;
	edi_dictionary_set_free(dictionaries);
	return 0;
}

#endif
