# Fuzz target of src/sftp, as a test by replay of its corpus.
check_PROGRAMS += %D%/fuzz_sftp
TESTS += %D%/fuzz_sftp
%C%_fuzz_sftp_SOURCES = %D%/fuzz_sftp.c %D%/replay.c
%C%_fuzz_sftp_LDADD = $(LIB_SFTP)
EXTRA_DIST += %D%/corpus/sftp

check_PROGRAMS += %D%/fuzz_sshfacts
TESTS += %D%/fuzz_sshfacts
%C%_fuzz_sshfacts_SOURCES = %D%/fuzz_sshfacts.c %D%/replay.c
%C%_fuzz_sshfacts_LDADD = $(LIB_SFTP)
EXTRA_DIST += %D%/corpus/sshfacts
