# Tests of src/partner.
PARTNER_TESTS = tests/unit/test_partner_profile
check_PROGRAMS += $(PARTNER_TESTS)
TESTS += $(PARTNER_TESTS)
PARTNER_TEST_LIBS = $(LIB_PARTNER) $(YAML_LIBS) $(JANSSON_LIBS) $(CRYPTO_LIBS) $(CMOCKA_LIBS)
tests_unit_test_partner_profile_SOURCES = tests/unit/test_partner_profile.c tests/unit/partner_fixture.c tests/unit/partner_fixture.h
tests_unit_test_partner_profile_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_partner_profile_LDADD = $(PARTNER_TEST_LIBS)
