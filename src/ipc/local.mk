noinst_LIBRARIES += %D%/libipc.a
%C%_libipc_a_SOURCES = \
	%D%/channel.c %D%/channel.h \
	%D%/copy_stream.h \
	%D%/loop.c %D%/loop.h \
	%D%/messages.c %D%/messages_jobs.c %D%/messages.h \
	%D%/throttle.c %D%/throttle.h
