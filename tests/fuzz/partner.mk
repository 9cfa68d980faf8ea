# Fuzz targets of src/partner, as tests by replay of their corpora.
PARTNER_FUZZ = %D%/fuzz_profile
check_PROGRAMS += $(PARTNER_FUZZ)
TESTS += $(PARTNER_FUZZ)
%C%_fuzz_profile_SOURCES = %D%/fuzz_profile.c %D%/replay.c
%C%_fuzz_profile_CPPFLAGS = $(AM_CPPFLAGS)
%C%_fuzz_profile_LDADD = $(LIB_PARTNER) $(YAML_LIBS) $(JANSSON_LIBS) $(CRYPTO_LIBS)
EXTRA_DIST += %D%/corpus/profile
