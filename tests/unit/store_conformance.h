/* The suite that every backend of the store has to pass, and a scratch folder for tests. */
#ifndef OPENVAN_TESTS_STORE_CONFORMANCE_H
#define OPENVAN_TESTS_STORE_CONFORMANCE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store/store.h"

/* Runs the suite on the backend of this name; returns the number of failures. */
int store_conformance(const char *backend);

/* A new empty folder below the build's; removed with all its content by scratch_remove(). Returns a descriptor. */
struct scratch {
	char path[512];
	int fd;
};
void scratch_make(struct scratch *s);
void scratch_remove(struct scratch *s);
/* Runs `fill` in a process of its own with a new folder that it may mount a small disk on: 0 passes, 77 (no right to mount) skips the test. */
void scratch_small_disk(struct scratch *s, int (*fill)(const char *path));

#endif
