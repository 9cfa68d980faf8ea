noinst_LIBRARIES += %D%/libas2.a
%C%_libas2_a_SOURCES = \
	%D%/disposition.h \
	%D%/mdn.h \
	%D%/mdn_read.h \
	%D%/receive.h \
	%D%/request.h
