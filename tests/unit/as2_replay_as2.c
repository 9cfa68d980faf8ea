/* The fuzz target under a name of its own. */
#define LLVMFuzzerTestOneInput as2_fuzz_as2
#include "../fuzz/fuzz_as2.c"
