noinst_LIBRARIES += %D%/libreceipt.a
%C%_libreceipt_a_SOURCES = \
	%D%/bundle.h \
	%D%/bundle_export.c \
	%D%/bundle_files.c %D%/bundle_files.h \
	%D%/bundle_names.c %D%/bundle_names.h \
	%D%/bundle_verify.c \
	%D%/bundle_verify_log.c \
	%D%/bundle_verify_tiles.c \
	%D%/checkpoint.c %D%/checkpoint.h \
	%D%/json.h \
	%D%/json_read.c \
	%D%/json_write.c \
	%D%/leaf.c %D%/leaf.h \
	%D%/log_state.c %D%/log_state.h \
	%D%/receipt.c %D%/receipt.h \
	%D%/receipt_checkpoints.c \
	%D%/tar.h \
	%D%/tar_read.c \
	%D%/tar_write.c \
	%D%/tree.c %D%/tree.h \
	%D%/utf8.c %D%/utf8.h
%C%_libreceipt_a_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_builddir)/src $(CRYPTO_CFLAGS)

# The files that go into every bundle, as C strings.
EXTRA_DIST += %D%/verify.sh %D%/VERIFY.md
CLEANFILES += %D%/verify_sh.inc %D%/verify_md.inc
%D%/verify_sh.inc: %D%/verify.sh
	$(AM_V_GEN)$(MKDIR_P) %D% && sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/^/"/' -e 's/$$/\\n"/' $(srcdir)/%D%/verify.sh >$@
%D%/verify_md.inc: %D%/VERIFY.md
	$(AM_V_GEN)$(MKDIR_P) %D% && sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/^/"/' -e 's/$$/\\n"/' $(srcdir)/%D%/VERIFY.md >$@
%D%/libreceipt_a-bundle_names.$(OBJEXT): %D%/verify_sh.inc %D%/verify_md.inc
