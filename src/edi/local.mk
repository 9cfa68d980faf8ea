noinst_LIBRARIES += %D%/libedi.a
%C%_libedi_a_SOURCES = \
	%D%/ack.c %D%/ack.h %D%/ack_private.h \
	%D%/ack_edifact.c \
	%D%/ack_x12.c \
	%D%/ack_read.c \
	%D%/calendar.c %D%/calendar.h \
	%D%/charset.c %D%/charset.h %D%/charset_tables.h \
	%D%/check.c %D%/check.h %D%/check_private.h \
	%D%/check_error.c \
	%D%/check_policy.c \
	%D%/code_extension.c %D%/code_extension.h %D%/code_extension_tables.h \
	%D%/definition.h \
	%D%/dictionary.c %D%/dictionary.h \
	%D%/dictionary_codes.c \
	%D%/dictionary_compile.c \
	%D%/dictionary_link.c \
	%D%/dictionary_parse.c \
	%D%/envelope.c %D%/envelope.h %D%/envelope_private.h \
	%D%/envelope_check.c \
	%D%/envelope_edifact.c \
	%D%/fault_codes.c \
	%D%/guide.c %D%/guide.h \
	%D%/keys.c \
	%D%/lexer.c %D%/lexer.h %D%/lexer_private.h \
	%D%/lexer_header.c \
	%D%/lexer_find.c \
	%D%/lexer_scan.c \
	%D%/number_set.c %D%/number_set.h \
	%D%/output.c %D%/output.h \
	%D%/report.h \
	%D%/report_json.c \
	%D%/validate.c %D%/validate.h %D%/validate_private.h \
	%D%/validate_edifact.c \
	%D%/validate_element.c \
	%D%/validate_level.c \
	%D%/validate_period.c \
	%D%/write.c %D%/write.h \
	%D%/rewrite.c \
	%D%/write_copy.c %D%/write_copy.h \
	%D%/write_envelope.c %D%/write_envelope.h
