# The SFTP role, as a library: part of vand, and of the rig that clients are tried against.
noinst_LIBRARIES += %D%/libsftprole.a
%C%_libsftprole_a_SOURCES = \
	%D%/ahead.c \
	%D%/algorithms.c %D%/algorithms.h \
	%D%/authority.c %D%/authority.h \
	%D%/channel.c %D%/channel.h \
	%D%/confine.c %D%/confine.h \
	%D%/files.c %D%/files.h \
	%D%/hashing.c %D%/hashing.h \
	%D%/hostkeys.c %D%/hostkeys.h \
	%D%/listener.c %D%/listener.h \
	%D%/listing.c \
	%D%/login.c %D%/login.h \
	%D%/mailbox.c %D%/mailbox.h \
	%D%/neighbours.c \
	%D%/options.h \
	%D%/requests.c %D%/requests.h \
	%D%/session.c %D%/session.h \
	%D%/spans.c %D%/spans.h \
	%D%/upload.c %D%/upload.h \
	%D%/view.c %D%/view.h \
	%D%/writer.c %D%/writer.h
%C%_libsftprole_a_CPPFLAGS = $(AM_CPPFLAGS) $(SSH_CFLAGS) $(CRYPTO_CFLAGS) $(SECCOMP_CFLAGS)
LIB_SFTP_ROLE = %D%/libsftprole.a src/sftp/libsftp.a $(LIB_IPC)
SFTP_ROLE_LIBS = $(SSH_LIBS) $(CRYPTO_LIBS) $(SECCOMP_LIBS) -lpthread

# The entry point stands in vand itself: of a library the linker would take nothing that it has already a stand-in for.
vand_SOURCES += %D%/sftp.c
vand_LDADD += $(LIB_SFTP_ROLE) $(SFTP_ROLE_LIBS)
