# Tests of the SFTP protocol library.
check_PROGRAMS += %D%/test_sftp
TESTS += %D%/test_sftp
%C%_test_sftp_SOURCES = %D%/test_sftp.c
%C%_test_sftp_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
%C%_test_sftp_LDADD = $(LIB_SFTP) $(CMOCKA_LIBS)

# Serves a mailbox in memory with the real role: for clients and measurements, see its first lines.
check_PROGRAMS += %D%/sftp_rig
%C%_sftp_rig_SOURCES = %D%/sftp_rig.c
%C%_sftp_rig_LDADD = $(LIB_SFTP_ROLE) $(SFTP_ROLE_LIBS)

check_PROGRAMS += %D%/test_sftp_mailbox
TESTS += %D%/test_sftp_mailbox
%C%_test_sftp_mailbox_SOURCES = %D%/test_sftp_mailbox.c
%C%_test_sftp_mailbox_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
%C%_test_sftp_mailbox_LDADD = $(LIB_SFTP_ROLE) $(SFTP_ROLE_LIBS) $(CMOCKA_LIBS)

check_PROGRAMS += %D%/test_sftp_looks
TESTS += %D%/test_sftp_looks
%C%_test_sftp_looks_SOURCES = %D%/test_sftp_looks.c
%C%_test_sftp_looks_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
%C%_test_sftp_looks_LDADD = $(LIB_SFTP_ROLE) $(SFTP_ROLE_LIBS) $(CMOCKA_LIBS)

check_PROGRAMS += %D%/test_sftp_folder
TESTS += %D%/test_sftp_folder
%C%_test_sftp_folder_SOURCES = %D%/test_sftp_folder.c src/roles/deliver/sftp_folder.c src/roles/deliver/sftp_folder.h
%C%_test_sftp_folder_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
%C%_test_sftp_folder_LDADD = $(LIB_SFTP) $(LIB_IPC) $(CMOCKA_LIBS) -lpthread

TESTS += %D%/sftp_hostile.sh
EXTRA_DIST += %D%/sftp_hostile.sh %D%/sftp_hostile.py

check_PROGRAMS += %D%/test_sandbox
TESTS += %D%/test_sandbox
%C%_test_sandbox_SOURCES = %D%/test_sandbox.c src/roles/sandbox.c src/roles/sandbox.h
%C%_test_sandbox_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS) $(SECCOMP_CFLAGS)
%C%_test_sandbox_LDADD = $(LIB_IPC) $(CMOCKA_LIBS) $(SECCOMP_LIBS) -lpthread

check_PROGRAMS += %D%/test_access
TESTS += %D%/test_access
%C%_test_access_SOURCES = %D%/test_access.c
%C%_test_access_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
%C%_test_access_LDADD = $(LIB_SFTP) $(LIB_IPC) $(CMOCKA_LIBS) -lpthread
