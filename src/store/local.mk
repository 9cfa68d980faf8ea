noinst_LIBRARIES += %D%/libstore.a
%C%_libstore_a_SOURCES = \
	%D%/backend.h \
	%D%/cursor.c \
	%D%/epoch.c \
	%D%/gate.c \
	%D%/key.c %D%/key.h \
	%D%/payload.c %D%/payload.h \
	%D%/payload_dir.h \
	%D%/payload_pin.c \
	%D%/payload_sweep.c \
	%D%/redo.c %D%/redo.h \
	%D%/segment.c %D%/segment.h \
	%D%/segment_file.c \
	%D%/segment_part.h \
	%D%/segment_private.h \
	%D%/segment_read.c \
	%D%/segment_release.c \
	%D%/segment_replay.c \
	%D%/store.c %D%/store.h \
	%D%/store_lmdb.c
%C%_libstore_a_CPPFLAGS = $(AM_CPPFLAGS) $(LMDB_CFLAGS) $(XXHASH_CFLAGS) $(CRYPTO_CFLAGS)
