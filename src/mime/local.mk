noinst_LIBRARIES += %D%/libmime.a
%C%_libmime_a_SOURCES = \
	%D%/charset.c %D%/charset.h \
	%D%/entity.c %D%/entity.h \
	%D%/file_name.c \
	%D%/header.c %D%/header.h \
	%D%/multipart.c %D%/multipart.h \
	%D%/sink.h \
	%D%/transfer.c %D%/transfer.h \
	%D%/value.c
