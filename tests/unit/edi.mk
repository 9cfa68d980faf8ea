# EDI and maps.
EDI_TESTS = %D%/test_edi_charset %D%/test_edi_lexer %D%/test_edi_check %D%/test_map
check_PROGRAMS += $(EDI_TESTS)
TESTS += $(EDI_TESTS)
%C%_test_edi_charset_SOURCES = %D%/test_edi_charset.c
%C%_test_edi_charset_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
%C%_test_edi_charset_LDADD = $(LIB_EDI) $(CMOCKA_LIBS)
%C%_test_edi_lexer_SOURCES = %D%/test_edi_lexer.c %D%/edi_input.h
%C%_test_edi_lexer_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
%C%_test_edi_lexer_LDADD = $(LIB_EDI) $(CMOCKA_LIBS)
%C%_test_edi_check_SOURCES = %D%/test_edi_check.c %D%/edi_input.h
%C%_test_edi_check_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
%C%_test_edi_check_LDADD = $(LIB_EDI) $(CMOCKA_LIBS)
%C%_test_map_SOURCES = %D%/test_map.c %D%/edi_input.h
%C%_test_map_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
%C%_test_map_LDADD = $(LIB_MAP) $(CMOCKA_LIBS)
TESTS += %D%/test_vanctl_edi.sh
EXTRA_DIST += %D%/test_vanctl_edi.sh
