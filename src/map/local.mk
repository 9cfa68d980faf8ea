noinst_LIBRARIES += %D%/libmap.a
%C%_libmap_a_SOURCES = \
	%D%/csv.c %D%/csv.h \
	%D%/folder.h \
	%D%/form.h %D%/form_private.h \
	%D%/form_build.c \
	%D%/form_guess.c \
	%D%/form_json_read.c \
	%D%/form_json_write.c \
	%D%/form_read.c \
	%D%/form_write.c \
	%D%/form_xml_read.c \
	%D%/form_xml_write.c \
	%D%/guide.c %D%/guide.h \
	%D%/guide_set.c \
	%D%/import.c %D%/import.h \
	%D%/import_unece.c \
	%D%/import_xsd.c \
	%D%/json_push.c %D%/json_push.h \
	%D%/library.c %D%/library.h \
	%D%/map.c %D%/map.h \
	%D%/message.c %D%/message.h \
	%D%/rows.c %D%/rows.h \
	%D%/run.c \
	%D%/sample.c %D%/sample.h \
	%D%/sheet_json.c %D%/sheet_json.h \
	%D%/table.c %D%/table.h \
	%D%/transform.c %D%/transform.h \
	%D%/tree.c %D%/tree.h \
	%D%/tree_read.c %D%/tree_read.h
%C%_libmap_a_CPPFLAGS = $(AM_CPPFLAGS) $(XML_CFLAGS)
include %D%/expression.mk
