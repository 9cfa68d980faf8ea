# Receipt log: tree, canonical JSON and leaves, the log and its checkpoints, bundles.
RECEIPT_TESTS = %D%/test_receipt_tree %D%/test_receipt_json %D%/test_receipt_log %D%/test_receipt_bundle
check_PROGRAMS += $(RECEIPT_TESTS)
TESTS += $(RECEIPT_TESTS)
RECEIPT_TEST_LIBS = $(LIB_RECEIPT) $(CMOCKA_LIBS) $(LMDB_LIBS) $(CRYPTO_LIBS) -lpthread -lm
%C%_test_receipt_tree_SOURCES = %D%/receipt_tree.c
%C%_test_receipt_tree_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
%C%_test_receipt_tree_LDADD = $(RECEIPT_TEST_LIBS)
%C%_test_receipt_json_SOURCES = %D%/receipt_json.c
%C%_test_receipt_json_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
%C%_test_receipt_json_LDADD = $(RECEIPT_TEST_LIBS)
%C%_test_receipt_log_SOURCES = %D%/receipt_log.c %D%/store_conformance.h %D%/store_scratch.c
%C%_test_receipt_log_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
%C%_test_receipt_log_LDADD = $(RECEIPT_TEST_LIBS)
%C%_test_receipt_bundle_SOURCES = %D%/receipt_bundle.c src/vanctl/receipt_verify.c %D%/store_conformance.h %D%/store_scratch.c
%C%_test_receipt_bundle_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
%C%_test_receipt_bundle_LDADD = $(RECEIPT_TEST_LIBS)
