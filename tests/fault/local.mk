# Faults: the quick forms; tests/run-slow runs the whole ones.
FAULT_TESTS = %D%/powercut-self.sh %D%/kill.sh %D%/powercut.sh %D%/send.sh
TESTS += $(FAULT_TESTS)
EXTRA_DIST += $(FAULT_TESTS) %D%/campaign.py %D%/shadow.py %D%/kill.py %D%/send.py %D%/powercut.py %D%/powercut_self.py %D%/exhaust.py \
	%D%/powercut.c %D%/powercut_key.c %D%/powercut_log.c %D%/powercut.h

check_PROGRAMS += %D%/powercut_probe
%C%_powercut_probe_SOURCES = %D%/powercut_probe.c
%C%_powercut_probe_CPPFLAGS = $(AM_CPPFLAGS) $(LMDB_CFLAGS)
%C%_powercut_probe_LDADD = $(LMDB_LIBS)

# Interposed with LD_PRELOAD, so neither hardened nor sanitised.
check_DATA = %D%/powercut.so
CLEANFILES += %D%/powercut.so
POWERCUT_FILES = $(srcdir)/%D%/powercut.c $(srcdir)/%D%/powercut_key.c $(srcdir)/%D%/powercut_log.c
%D%/powercut.so: $(POWERCUT_FILES) $(srcdir)/%D%/powercut.h
	$(AM_V_CC)$(MKDIR_P) %D% && $(CC) -std=gnu11 -D_GNU_SOURCE $(CPPFLAGS) $(WARN_CFLAGS) $(CFLAGS) -fPIC -shared -o $@ $(POWERCUT_FILES) -ldl
