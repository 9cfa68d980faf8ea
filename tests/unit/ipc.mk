check_PROGRAMS += %D%/test_ipc
TESTS += %D%/test_ipc
%C%_test_ipc_SOURCES = %D%/test_ipc.c
%C%_test_ipc_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
%C%_test_ipc_LDADD = $(LIB_IPC) $(CMOCKA_LIBS)
