# EDI benchmarks: they run vanctl.
EDI_BENCHMARKS = %D%/edi_ack %D%/edi_json %D%/edi_tokenise %D%/edi_validate %D%/map_850_orders
EXTRA_PROGRAMS += $(EDI_BENCHMARKS)
CLEANFILES += $(EDI_BENCHMARKS)
BENCHMARKS += $(EDI_BENCHMARKS)
%C%_edi_tokenise_SOURCES = %D%/edi_tokenise.c %D%/edi_file.c %D%/edi_file.h
%C%_edi_validate_SOURCES = %D%/edi_validate.c %D%/edi_file.c %D%/edi_file.h
%C%_edi_ack_SOURCES = %D%/edi_ack.c %D%/edi_file.c %D%/edi_file.h
%C%_edi_json_SOURCES = %D%/edi_json.c %D%/edi_file.c %D%/edi_file.h
%C%_map_850_orders_SOURCES = %D%/map_850_orders.c %D%/edi_file.c %D%/edi_file.h
