# Benchmarks: `make bench` builds the programs and runs them all; bench/run NAME… runs some.
# A folder's own benchmark programs join BENCHMARKS.
BENCHMARKS = %D%/as2_load %D%/large_reference %D%/sftp_files %D%/sftp_login
EXTRA_PROGRAMS += $(BENCHMARKS)
CLEANFILES += $(BENCHMARKS)
EXTRA_DIST += %D%/run %D%/bench_as2.py %D%/bench_large.py %D%/bench_send.py %D%/bench_sftp.py

%C%_as2_load_SOURCES = %D%/as2_load.c %D%/as2_message.c %D%/as2_message.h
%C%_as2_load_CPPFLAGS = $(AM_CPPFLAGS) $(CRYPTO_CFLAGS)
%C%_as2_load_LDADD = $(CRYPTO_LIBS) -lpthread
%C%_large_reference_SOURCES = %D%/large_reference.c
%C%_large_reference_CPPFLAGS = $(AM_CPPFLAGS) $(CRYPTO_CFLAGS)
%C%_large_reference_LDADD = $(CRYPTO_LIBS)
%C%_sftp_files_SOURCES = %D%/sftp_files.c
%C%_sftp_files_CPPFLAGS = $(AM_CPPFLAGS) $(SSH_CFLAGS)
%C%_sftp_files_LDADD = $(SSH_LIBS)
%C%_sftp_login_SOURCES = %D%/sftp_login.c
%C%_sftp_login_CPPFLAGS = $(AM_CPPFLAGS) $(SSH_CFLAGS)
%C%_sftp_login_LDADD = $(SSH_LIBS) -lpthread

include %D%/edi.mk

.PHONY: bench bench-programs
bench-programs: $(BENCHMARKS)
bench: all bench-programs
	VAN_SRCDIR='$(abs_top_srcdir)' VAN_BUILDDIR='$(abs_top_builddir)' PYTHONDONTWRITEBYTECODE=1 $(srcdir)/%D%/run
