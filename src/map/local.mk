noinst_LIBRARIES += %D%/libmap.a
%C%_libmap_a_SOURCES = \
	%D%/csv.c %D%/csv.h \
	%D%/map.c %D%/map.h \
	%D%/message.c %D%/message.h \
	%D%/rows.c %D%/rows.h \
	%D%/run.c \
	%D%/transform.c %D%/transform.h \
	%D%/tree.c %D%/tree.h
