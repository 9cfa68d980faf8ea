/* Tokenising: budget 1 GB/s where memchr makes 4.0 GB/s. */
#include "edi_file.h"

int main(int argc, char **argv)
{
	return edi_bench("edi-tokenise", "stats", 4, argc, argv);
}
