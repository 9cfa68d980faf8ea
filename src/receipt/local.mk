noinst_LIBRARIES += %D%/libreceipt.a
%C%_libreceipt_a_SOURCES = \
	%D%/bundle.h \
	%D%/checkpoint.h \
	%D%/leaf.h \
	%D%/receipt.h \
	%D%/tree.h
%C%_libreceipt_a_CPPFLAGS = $(AM_CPPFLAGS) $(CRYPTO_CFLAGS)
