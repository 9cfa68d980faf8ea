noinst_LIBRARIES += %D%/libcms.a
%C%_libcms_a_SOURCES = \
	%D%/algorithm.h \
	%D%/cert.h \
	%D%/digest.h \
	%D%/reader.h \
	%D%/sign.h \
	%D%/signed.h
