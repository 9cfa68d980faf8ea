# vanctl edi …
vanctl_SOURCES += \
	%D%/edi_ack.c \
	%D%/edi_command.c %D%/edi_command.h \
	%D%/edi_convert.c \
	%D%/edi_dict.c %D%/edi_dict.h \
	%D%/edi_dict_import.c \
	%D%/edi_dict_show.c \
	%D%/edi_flat.c %D%/edi_sink.c %D%/edi_sheets.c %D%/edi_sheets.h \
	%D%/edi_form.c \
	%D%/edi_input.c %D%/edi_input.h \
	%D%/edi_inspect.c \
	%D%/edi_map.c %D%/edi_map.h \
	%D%/edi_map_in.c \
	%D%/edi_map_out.c \
	%D%/edi_map_report.c \
	%D%/edi_ubl.c \
	%D%/edi_validate.c
