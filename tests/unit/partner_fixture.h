/* What tests of src/partner share: a temporary folder with generated certificates, and short ways to load texts. */
#ifndef OPENVAN_TESTS_PARTNER_FIXTURE_H
#define OPENVAN_TESTS_PARTNER_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "partner/profile.h"

/* Enters a new folder, makes certs/NAME.pem and keys/NAME.key for a fixed list of names. The group's setup. */
int fixture_setup(void **state);
int fixture_teardown(void **state);
const char *fixture_folder(void);

void fixture_write(const char *name, const char *text);

/* Loads a text that must be without errors; warnings are let through. The caller frees. */
struct profile_set *fixture_load(const char *yaml);
/* Loads a text that must have errors; returns what is printed. The caller frees with test_free(). */
char *fixture_problems(const char *yaml);
char *fixture_print(struct profile_errors *e);
/* The first YAML example below this heading of the promise to users. The caller frees. Skips the test where the promise is not beside the source. */
char *fixture_promised(const char *heading);

void assert_holds(const char *text, const char *part);

extern const char fixture_profiles[]; /* every key of a profile, valid */

#endif
