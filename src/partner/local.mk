noinst_LIBRARIES += %D%/libpartner.a
%C%_libpartner_a_SOURCES = \
	%D%/agreement.h \
	%D%/directory.h \
	%D%/identity.h \
	%D%/problems.h %D%/problems.c \
	%D%/profile.h \
	%D%/settings.h
