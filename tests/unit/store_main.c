/* Runs the conformance suite on every backend. */
#include "store_conformance.h"

int main(void)
{
	int failed = 0;
	for (const char *const *b = store_backends(); *b; b++)
		failed += store_conformance(*b);
	return failed != 0;
}
