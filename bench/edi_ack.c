/* Acknowledging 850s and ORDERS message by message: budget 200 MB/s where memchr makes 4.0 GB/s. */
#include "edi_file.h"

int main(int argc, char **argv)
{
	return edi_bench("edi-ack", "ack", 20, argc, argv);
}
