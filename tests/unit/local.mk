# Unit tests: one program for one module, cmocka, TAP. Name it tests/unit/test_MODULE.c and add it here.
if HAVE_CMOCKA
UNIT_TESTS = %D%/test_base
check_PROGRAMS += $(UNIT_TESTS)
TESTS += $(UNIT_TESTS)
%C%_test_base_SOURCES = %D%/test_base.c
%C%_test_base_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
%C%_test_base_LDADD = $(LIB_BASE) $(CMOCKA_LIBS) -lpthread
include %D%/partner.mk
include %D%/ipc.mk
include %D%/sftp.mk
include %D%/receipt.mk
include %D%/store.mk
include %D%/as2.mk
include %D%/edi.mk
include %D%/expression.mk
include %D%/queue.mk
include %D%/ctl.mk
endif
