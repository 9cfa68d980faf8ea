# Store: conformance of each backend, composed keys, payload files, segments, what is done ahead, a log before the backend.
STORE_TESTS = %D%/test_store %D%/test_store_key %D%/test_store_payload %D%/test_store_segment %D%/test_store_segment_ahead %D%/test_store_segment_release %D%/test_store_log
check_PROGRAMS += $(STORE_TESTS)
TESTS += $(STORE_TESTS)
%C%_test_store_SOURCES = %D%/store_main.c %D%/store_conformance.c %D%/store_conformance.h %D%/store_scratch.c
%C%_test_store_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
%C%_test_store_LDADD = $(LIB_STORE) $(CMOCKA_LIBS) $(LMDB_LIBS) $(CRYPTO_LIBS) -lpthread
%C%_test_store_key_SOURCES = %D%/store_key.c
%C%_test_store_key_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
%C%_test_store_key_LDADD = $(LIB_STORE) $(CMOCKA_LIBS) $(LMDB_LIBS) $(CRYPTO_LIBS)
%C%_test_store_payload_SOURCES = %D%/store_payload.c %D%/store_conformance.h %D%/store_scratch.c
%C%_test_store_payload_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
%C%_test_store_payload_LDADD = $(LIB_STORE) $(CMOCKA_LIBS) $(LMDB_LIBS) $(CRYPTO_LIBS)
%C%_test_store_segment_SOURCES = %D%/store_segment.c %D%/store_segment_rig.h %D%/store_conformance.h %D%/store_scratch.c
%C%_test_store_segment_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
%C%_test_store_segment_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=fsync,--wrap=posix_fadvise
%C%_test_store_segment_LDADD = $(LIB_STORE) $(CMOCKA_LIBS) $(LMDB_LIBS) $(CRYPTO_LIBS) -lpthread
%C%_test_store_segment_ahead_SOURCES = %D%/store_segment_ahead.c %D%/store_segment_rig.h %D%/store_conformance.h %D%/store_scratch.c
%C%_test_store_segment_ahead_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
%C%_test_store_segment_ahead_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=posix_fadvise
%C%_test_store_segment_ahead_LDADD = $(LIB_STORE) $(CMOCKA_LIBS) $(LMDB_LIBS) $(CRYPTO_LIBS) -lpthread
%C%_test_store_segment_release_SOURCES = %D%/store_segment_release.c %D%/store_segment_rig.h %D%/store_conformance.h %D%/store_scratch.c
%C%_test_store_segment_release_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
%C%_test_store_segment_release_LDADD = $(LIB_STORE) $(CMOCKA_LIBS) $(LMDB_LIBS) $(CRYPTO_LIBS) -lpthread
%C%_test_store_log_SOURCES = %D%/store_log.c %D%/store_conformance.h %D%/store_scratch.c
%C%_test_store_log_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
%C%_test_store_log_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=realloc
%C%_test_store_log_LDADD = $(LIB_STORE) $(CMOCKA_LIBS) $(LMDB_LIBS) $(CRYPTO_LIBS) -lpthread
