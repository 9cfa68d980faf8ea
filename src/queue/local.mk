noinst_LIBRARIES += %D%/libqueue.a
%C%_libqueue_a_SOURCES = \
	%D%/accept.h \
	%D%/mailbox.h \
	%D%/queue.h \
	%D%/records.c %D%/records.h
%C%_libqueue_a_CPPFLAGS = $(AM_CPPFLAGS) $(CRYPTO_CFLAGS)
