noinst_LIBRARIES += %D%/libas2.a
%C%_libas2_a_SOURCES = \
	%D%/disposition.c %D%/disposition.h \
	%D%/mdn.c %D%/mdn.h \
	%D%/mdn_read.c %D%/mdn_read.h \
	%D%/receive.c %D%/receive.h %D%/receiver.h \
	%D%/receive_attachments.c \
	%D%/receive_cms.c \
	%D%/receive_document.c \
	%D%/receive_layers.c \
	%D%/receive_settle.c \
	%D%/receive_signed.c \
	%D%/package.c %D%/package.h \
	%D%/package_headers.c %D%/package_private.h \
	%D%/request.c %D%/request.h \
	%D%/url.c %D%/url.h \
	%D%/write.c %D%/write.h
