# Expressions; UBL and flat documents.
%C%_libmap_a_SOURCES += \
	%D%/decimal.c %D%/decimal.h \
	%D%/expression.h %D%/expression_private.h \
	%D%/expression_array.c \
	%D%/expression_asks.c \
	%D%/expression_input.c \
	%D%/expression_lex.c \
	%D%/expression_number.c \
	%D%/expression_own.c \
	%D%/expression_parse.c \
	%D%/expression_path.c \
	%D%/expression_run.c \
	%D%/expression_text.c \
	%D%/expression_trade.c \
	%D%/expression_value.c \
	%D%/units.c %D%/units.h \
	%D%/flat.h %D%/flat_private.h \
	%D%/flat_read.c \
	%D%/flat_sheet.c \
	%D%/flat_value.c \
	%D%/flat_write.c \
	%D%/ubl.h %D%/ubl_private.h \
	%D%/ubl_despatch.c \
	%D%/ubl_names.c \
	%D%/ubl_read.c \
	%D%/ubl_table.c \
	%D%/ubl_write.c \
	%D%/zone_table.c %D%/zone_table.h
