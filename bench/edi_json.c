/* Converting to JSON: budget 150 MB/s where memchr makes 4.0 GB/s. */
#include "edi_file.h"

int main(int argc, char **argv)
{
	return edi_bench("edi-json", "convert --to json", 4000.0 / 150, argc, argv);
}
