noinst_LIBRARIES += %D%/libqueue.a
%C%_libqueue_a_SOURCES = \
	%D%/accept.c %D%/accept.h \
	%D%/ack.c %D%/ack_private.h %D%/ack_turn.c %D%/answer.c %D%/aside.c %D%/batch.c \
	%D%/counter.c \
	%D%/delivery.c %D%/delivery.h %D%/delivery_try.c \
	%D%/gaps.c \
	%D%/internal.h \
	%D%/job.c \
	%D%/list.c \
	%D%/look.c \
	%D%/logins.c %D%/logins.h \
	%D%/mailbox.c %D%/mailbox.h \
	%D%/mailbox_in.c \
	%D%/mailbox_name.c \
	%D%/mailbox_out.c \
	%D%/mailbox_private.h \
	%D%/message.c \
	%D%/output.c \
	%D%/attachment.c %D%/attachment.h \
	%D%/package.c %D%/package.h \
	%D%/part.c \
	%D%/profiles.c \
	%D%/queue.c %D%/queue.h \
	%D%/records.c %D%/records.h \
	%D%/result.c %D%/result.h \
	%D%/send.c %D%/send.h \
	%D%/sheets.c %D%/sheets.h \
	%D%/show.c \
	%D%/trail.c
%C%_libqueue_a_CPPFLAGS = $(AM_CPPFLAGS) $(CRYPTO_CFLAGS)
