noinst_LIBRARIES += %D%/libstore.a
%C%_libstore_a_SOURCES = \
	%D%/key.h \
	%D%/payload.h \
	%D%/store.h
%C%_libstore_a_CPPFLAGS = $(AM_CPPFLAGS) $(LMDB_CFLAGS) $(CRYPTO_CFLAGS)
