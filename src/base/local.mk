noinst_LIBRARIES += %D%/libbase.a
%C%_libbase_a_SOURCES = \
	%D%/arena.c %D%/arena.h \
	%D%/buf.c %D%/buf.h \
	%D%/cidr.c %D%/cidr.h \
	%D%/clock.c %D%/clock.h \
	%D%/codec.c %D%/codec.h \
	%D%/cron.c %D%/cron.h \
	%D%/datafolder.c %D%/datafolder.h \
	%D%/error.c %D%/error.h \
	%D%/fault.c %D%/fault.h \
	%D%/fdio.c %D%/fdio.h \
	%D%/id.c %D%/id.h \
	%D%/legacy.c %D%/legacy.h \
	%D%/log.c %D%/log.h \
	%D%/record.c %D%/record.h \
	%D%/record_json.c \
	%D%/slice.c %D%/slice.h \
	%D%/utf8.c %D%/utf8.h \
	%D%/zone.c %D%/zone.h
