noinst_LIBRARIES += %D%/libmap.a
%C%_libmap_a_SOURCES = \
	%D%/brief.c \
	%D%/by_order.c %D%/by_order.h \
	%D%/cem.c %D%/cem.h \
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
	%D%/emit.c \
	%D%/emit_plain.c %D%/emit_plain.h \
	%D%/map.c %D%/map.h \
	%D%/message.c %D%/message.h \
	%D%/message_place.c \
	%D%/mould.c %D%/mould.h \
	%D%/mould_record.c \
	%D%/names.c \
	%D%/out.h \
	%D%/place.c \
	%D%/plan.c %D%/plan.h \
	%D%/read.c %D%/read.h \
	%D%/read_plan.c \
	%D%/read_row.c \
	%D%/rows.c %D%/rows.h \
	%D%/rules.c %D%/rules.h \
	%D%/run.c %D%/run.h \
	%D%/shape.c %D%/shape.h \
	%D%/sidecar.c \
	%D%/source.c \
	%D%/sample.c %D%/sample.h \
	%D%/sheet_json.c %D%/sheet_json.h \
	%D%/table.c %D%/table.h \
	%D%/transform.c %D%/transform.h \
	%D%/transform_date.c \
	%D%/tree.c %D%/tree.h \
	%D%/tree_copy.c %D%/tree_copy.h \
	%D%/tree_read.c %D%/tree_read.h %D%/tree_each.c %D%/tree_each.h %D%/hint.c %D%/hint.h %D%/hint_schema.c %D%/hint_schema.h \
	%D%/write.c %D%/write.h \
	%D%/write_cell.c \
	%D%/write_loop.c \
	%D%/write_place.c \
	%D%/write_segment.c
%C%_libmap_a_CPPFLAGS = $(AM_CPPFLAGS) $(XML_CFLAGS)
include %D%/expression.mk
