noinst_LIBRARIES += %D%/libstore.a
%C%_libstore_a_SOURCES = \
	%D%/backend.h \
	%D%/cursor.c \
	%D%/gate.c \
	%D%/key.c %D%/key.h \
	%D%/payload.c %D%/payload.h \
	%D%/payload_dir.h \
	%D%/payload_sweep.c \
	%D%/segment.c %D%/segment.h \
	%D%/store.c %D%/store.h \
	%D%/store_lmdb.c
%C%_libstore_a_CPPFLAGS = $(AM_CPPFLAGS) $(LMDB_CFLAGS) $(CRYPTO_CFLAGS)
