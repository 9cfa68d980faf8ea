/* The fuzz target under a name of its own. */
#define LLVMFuzzerTestOneInput as2_fuzz_cms
#include "../fuzz/fuzz_cms.c"
