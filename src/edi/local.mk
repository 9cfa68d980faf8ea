noinst_LIBRARIES += %D%/libedi.a
%C%_libedi_a_SOURCES = \
	%D%/ack.h \
	%D%/check.h \
	%D%/dictionary.h \
	%D%/report.h
