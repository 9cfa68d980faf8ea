/* The fuzz target under a name of its own. */
#define LLVMFuzzerTestOneInput as2_fuzz_mime
#include "../fuzz/fuzz_mime.c"
