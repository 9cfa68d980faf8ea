/* 850s through the canonical order to ORDERS: budget 60 MB/s where memchr makes 4.0 GB/s. */
#include "edi_file.h"

int main(int argc, char **argv)
{
	return edi_bench_850("map-850-orders", "convert --to edifact --map order-to-edifact-d96a-orders", 4000.0 / 60, argc, argv);
}
