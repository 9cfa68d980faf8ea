# Tests of the SFTP protocol library.
check_PROGRAMS += %D%/test_sftp
TESTS += %D%/test_sftp
%C%_test_sftp_SOURCES = %D%/test_sftp.c
%C%_test_sftp_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
%C%_test_sftp_LDADD = $(LIB_SFTP) $(CMOCKA_LIBS)
