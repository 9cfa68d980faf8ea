# Queue: acceptance, jobs, bodies, acknowledgements, mailboxes, the store role's writer.
QUEUE_TESTS = %D%/test_queue_accept %D%/test_queue_delivery %D%/test_queue_bodies %D%/test_queue_mailbox %D%/test_store_writer
check_PROGRAMS += $(QUEUE_TESTS)
TESTS += $(QUEUE_TESTS)
QUEUE_TEST_LIBS = src/queue/libqueue.a src/receipt/libreceipt.a src/store/libstore.a src/partner/libpartner.a $(LIB_IPC) \
	$(CMOCKA_LIBS) $(LMDB_LIBS) $(YAML_LIBS) $(JANSSON_LIBS) $(CRYPTO_LIBS) $(CRYPT_LIBS) -lpthread
%C%_test_queue_accept_SOURCES = %D%/queue_accept.c %D%/queue_fixture.c %D%/queue_fixture.h
%C%_test_queue_accept_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS) $(CRYPTO_CFLAGS)
%C%_test_queue_accept_LDADD = $(QUEUE_TEST_LIBS)
%C%_test_queue_bodies_SOURCES = %D%/queue_bodies.c %D%/queue_fixture.c %D%/queue_fixture.h
%C%_test_queue_bodies_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS) $(CRYPTO_CFLAGS)
%C%_test_queue_bodies_LDADD = $(QUEUE_TEST_LIBS)
%C%_test_queue_delivery_SOURCES = %D%/queue_delivery.c %D%/queue_fixture.c %D%/queue_fixture.h
%C%_test_queue_delivery_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS) $(CRYPTO_CFLAGS)
%C%_test_queue_delivery_LDADD = $(QUEUE_TEST_LIBS)
%C%_test_queue_mailbox_SOURCES = %D%/queue_mailbox.c %D%/queue_fixture.c %D%/queue_fixture.h
%C%_test_queue_mailbox_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS) $(CRYPTO_CFLAGS)
%C%_test_queue_mailbox_LDADD = $(QUEUE_TEST_LIBS)
%C%_test_store_writer_SOURCES = %D%/store_writer.c %D%/queue_fixture.c %D%/queue_fixture.h src/roles/store/writer.c
%C%_test_store_writer_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS) $(CRYPTO_CFLAGS)
%C%_test_store_writer_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=pwritev
%C%_test_store_writer_LDADD = $(QUEUE_TEST_LIBS)
