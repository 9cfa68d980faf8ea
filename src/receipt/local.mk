noinst_LIBRARIES += %D%/libreceipt.a
%C%_libreceipt_a_SOURCES = \
	%D%/bundle.h \
	%D%/checkpoint.c %D%/checkpoint.h \
	%D%/json.h \
	%D%/json_read.c \
	%D%/json_write.c \
	%D%/leaf.c %D%/leaf.h \
	%D%/log_state.c %D%/log_state.h \
	%D%/receipt.c %D%/receipt.h \
	%D%/receipt_checkpoints.c \
	%D%/tree.c %D%/tree.h \
	%D%/utf8.c %D%/utf8.h
%C%_libreceipt_a_CPPFLAGS = $(AM_CPPFLAGS) $(CRYPTO_CFLAGS)
