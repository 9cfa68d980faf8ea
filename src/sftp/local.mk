LIB_SFTP = src/sftp/libsftp.a $(LIB_BASE)
noinst_LIBRARIES += %D%/libsftp.a
%C%_libsftp_a_SOURCES = \
	%D%/certificate.c %D%/certificate.h \
	%D%/engine.c %D%/engine.h \
	%D%/extended.c \
	%D%/handles.c \
	%D%/longname.c \
	%D%/packet.c %D%/packet.h \
	%D%/path.c %D%/path.h \
	%D%/proxy.c %D%/proxy.h \
	%D%/reply.c \
	%D%/request.c \
	%D%/sftpd.h \
	%D%/temporary.c %D%/temporary.h
