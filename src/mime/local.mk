noinst_LIBRARIES += %D%/libmime.a
%C%_libmime_a_SOURCES = \
	%D%/entity.h \
	%D%/header.h \
	%D%/multipart.h \
	%D%/sink.h \
	%D%/transfer.h
