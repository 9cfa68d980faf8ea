# Tests of src/partner.
PARTNER_TESTS = %D%/test_partner_profile %D%/test_partner_settings %D%/test_partner_directory %D%/test_partner_samples
check_PROGRAMS += $(PARTNER_TESTS)
TESTS += $(PARTNER_TESTS)
PARTNER_TEST_LIBS = $(LIB_PARTNER) $(YAML_LIBS) $(JANSSON_LIBS) $(CRYPTO_LIBS) $(CMOCKA_LIBS)
PARTNER_FIXTURE = %D%/partner_fixture.c %D%/partner_fixture.h
%C%_test_partner_profile_SOURCES = %D%/test_partner_profile.c $(PARTNER_FIXTURE)
%C%_test_partner_profile_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
%C%_test_partner_profile_LDADD = $(PARTNER_TEST_LIBS)
%C%_test_partner_settings_SOURCES = %D%/test_partner_settings.c $(PARTNER_FIXTURE)
%C%_test_partner_settings_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
%C%_test_partner_settings_LDADD = $(PARTNER_TEST_LIBS)
%C%_test_partner_directory_SOURCES = %D%/test_partner_directory.c $(PARTNER_FIXTURE)
%C%_test_partner_directory_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
%C%_test_partner_directory_LDADD = $(PARTNER_TEST_LIBS)
%C%_test_partner_samples_SOURCES = %D%/test_partner_samples.c $(PARTNER_FIXTURE)
%C%_test_partner_samples_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
%C%_test_partner_samples_LDADD = $(PARTNER_TEST_LIBS)
